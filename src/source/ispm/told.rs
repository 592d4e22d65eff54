//! An issue in paragraphs: what was found, what it means, and about whom.

use super::Message;
use crate::domain::Untrusted;
use crate::source::loose::{self, Object, joined};
use serde_json::value::RawValue;

/// Accounts, tokens and types that are named; the raw record has them all.
const MOST: usize = 10;

/// In this order, since a flow may be sent them as the issue's description.
pub(super) fn paragraphs(message: &Message<'_>) -> Vec<Untrusted> {
    let full = message.of_issue("fullDescription", "issueFullDescription");
    let short =
        message.of_issue("shortDescription", "issueShortDescription").filter(|s| Some(s) != full.as_ref());
    let impact = message.of_issue("riskAndImpact", "issueRiskAndImpact");
    let impact = impact.map(|impact| format!("Risk and impact: {impact}"));
    let told =
        [why_no_finding(message), full, short, impact, entity(message), types(message), last_login(message)];
    let parts = [accounts(message), grant(message)].into_iter().flatten().chain(tokens(message));
    told.into_iter().flatten().chain(parts).map(loose::paragraph).collect()
}

/// First, since it is what the analyst has to know of such a message.
fn why_no_finding(message: &Message<'_>) -> Option<String> {
    if message.is_issue() {
        let nobody = message.login().is_none();
        return nobody.then(|| "it names no login: it opens no finding".to_owned());
    }
    let kind = message.kind().map_or("no type".to_owned(), |kind| format!("type `{}`", loose::line(kind)));
    Some(format!("a message of {kind}, which is no issue known here: it is kept, and opens no finding"))
}

/// What is affected, and where.
fn entity(message: &Message<'_>) -> Option<String> {
    let kind = message.of_entity("type", "entityType").unwrap_or_else(|| "Entity".to_owned());
    let name = message.of_entity("displayName", "entityDisplayName");
    let id = message.id_in_service().filter(|id| Some(id) != name.as_ref());
    let product = message.of_entity("sourceProductName", "entitySourceProductName");
    let tenant = message.of_entity("sourceProductTenant", "entitySourceProductTenant");
    let place = joined([product, tenant], ", ").map(|place| format!("in {place}"));
    Some(format!("{kind}: {}", joined([name, id, place], ", ")?))
}

fn types(message: &Message<'_>) -> Option<String> {
    let types = message.types();
    let named = types.into_iter().take(MOST).map(Some);
    Some(format!("Types: {}", joined(named, ", ")?))
}

fn last_login(message: &Message<'_>) -> Option<String> {
    let at = message.additional.text("lastLogin").or_else(|| message.top.text("additionalDataLastLogin"))?;
    Some(format!("Last login: {at}"))
}

/// The accounts of a person.
fn accounts(message: &Message<'_>) -> Option<String> {
    let accounts = message.additional.items("activeAccounts");
    let named = accounts.into_iter().filter_map(thing).take(MOST).map(Some);
    Some(format!("Active accounts: {}", joined(named, "; ")?))
}

/// What an agent was granted: which application, to which.
fn grant(message: &Message<'_>) -> Option<String> {
    let app = |name: &str| message.additional.get(name).and_then(thing);
    let client = app("clientApp").map(|app| format!("of {app}"));
    let resource = app("resourceApp").map(|app| format!("to {app}"));
    Some(format!("Grant {}", joined([client, resource], " ")?))
}

/// A text, or an object by those of its names that entities have; their shape is not published.
fn thing(item: &RawValue) -> Option<String> {
    let Some(object) = loose::object(item) else { return loose::text(item).map(loose::line) };
    let names = ["displayName", "username", "identifierInService", "idInService", "sourceProductName"];
    let mut texts: Vec<String> = names.iter().filter_map(|name| object.text(name)).collect();
    texts.dedup();
    if texts.is_empty() {
        Some(loose::line(item.get().to_owned()))
    } else {
        Some(loose::line(texts.join(", ")))
    }
}

fn tokens(message: &Message<'_>) -> impl Iterator<Item = String> {
    let tokens = message.additional.items("unrotatedTokens").into_iter();
    tokens.filter_map(loose::object).filter_map(|token| described(&token)).take(MOST)
}

fn described(token: &Object<'_>) -> Option<String> {
    let dates = [
        ("created", "createdAt"),
        ("last used", "lastUsed"),
        ("last rotated", "lastRotated"),
        ("next rotation", "nextRotation"),
        ("expires", "expires"),
    ];
    let named = joined([token.text("type"), token.text("methodName")], " ");
    let dated = dates.map(|(word, name)| token.text(name).map(|at| format!("{word} {at}")));
    Some(format!("Unrotated: {}", joined([named].into_iter().chain(dated), ", ")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn told(message: &Value) -> Vec<String> {
        let raw = message.to_string();
        paragraphs(&Message::read(&raw)).iter().map(|paragraph| paragraph.raw().to_owned()).collect()
    }

    fn of_entity(entity: Value) -> Vec<String> {
        told(&json!({ "eventData": { "title": "T", "affectedEntity": entity } })).split_off(1)
    }

    #[rstest]
    #[case(json!({ "type": "Account", "displayName": "Ann", "sourceProductName": "Okta", "sourceProductTenant": "Example" }), "Account: Ann, in Okta, Example")]
    #[case(json!({ "additionalData": { "types": [{ "type": "Admin", "reasons": ["Org Admins"] }, "Human", {}] } }), "Types: Admin (Org Admins), Human")]
    #[case(json!({ "additionalData": { "lastLogin": "2025-05-04T18:22:00Z" } }), "Last login: 2025-05-04T18:22:00Z")]
    #[case(json!({ "additionalData": { "activeAccounts": [{ "displayName": "Ann", "sourceProductName": "AAD" }, "ann@x", null, { "x": 1 }] } }), "Active accounts: Ann, AAD; ann@x; {\"x\":1}")]
    #[case(json!({ "additionalData": { "clientApp": { "displayName": "Agent" }, "resourceApp": "Drive" } }), "Grant of Agent to Drive")]
    #[case(json!({ "additionalData": { "unrotatedTokens": [{ "type": "API Token", "methodName": "key", "createdAt": "2025-05-05T09:03:03Z", "nextRotation": null }] } }), "Unrotated: API Token key, created 2025-05-05T09:03:03Z")]
    fn tells_about_the_entity(#[case] entity: Value, #[case] expected: &str) {
        assert_eq!(of_entity(entity), [expected]);
    }

    #[test]
    fn what_was_found_goes_first_and_is_told_once() {
        let message = json!({
            "issueTitle": "T", "entityIdInService": "ann@x", "issueFullDescription": "found",
            "issueShortDescription": "found", "issueRiskAndImpact": "bad",
        });
        assert_eq!(told(&message), ["found", "Risk and impact: bad", "Entity: ann@x"]);
    }

    #[rstest]
    #[case(json!({ "issueTitle": "T" }), "it names no login: it opens no finding")]
    #[case(json!({ "type": "issue.updated", "eventData": { "title": "T" } }), "a message of type `issue.updated`, which is no issue known here: it is kept, and opens no finding")]
    #[case(json!({}), "a message of no type, which is no issue known here: it is kept, and opens no finding")]
    fn says_why_there_is_no_finding(#[case] message: Value, #[case] expected: &str) {
        assert_eq!(told(&message), [expected]);
    }
}
