//! Okta ISPM's webhook: what an issue is.
//!
//! The wire is in contracts/workflows-ispm.md, section 3. Two shapes tell the same: the nested event of
//! the webhook and the 22 flat texts of a delegated flow; published readmes mix them, and two templates
//! misspell a field, so each fact is looked for in both. Types other than the two known ones (a
//! resolved issue, a test of the connection) are kept and shown, and open nothing.
//!
//! A raw record of kind `issue` may go on to a flow as it came, and the login that its finding has must
//! be the one that `domain::payload` reads from it.

mod told;

use super::loose::{self, Object};
use super::{Expects, Meaning, SourceType, Unreadable, body};
use crate::domain::event::DecodedEvent;
use crate::domain::{Check, EventKey, EventKind, Login, Severity, Untrusted, time};
use jiff::Timestamp;
use serde_json::value::RawValue;
use std::sync::Arc;

/// The type `ispm-webhook`.
pub const WEBHOOK: SourceType = SourceType {
    name: "ispm-webhook",
    elements,
    decode: |raw, _| decode(raw),
    recognises,
    expects: Expects::USUAL,
};

/// The types of messages that are issues, lower case.
const ISSUE_TYPES: [&str; 2] = ["issue.created", "issue.ondemand"];

/// A body is one message.
fn elements(message: Arc<str>, _: &Meaning<'_>) -> Result<Vec<Arc<str>>, Unreadable> {
    body::object(&message)?;
    Ok(vec![message])
}

fn recognises(body: &Object<'_>) -> bool {
    let has = |name: &str| body.get(name).is_some();
    let is_flat = (has("issueTitle") || has("issueId")) && (has("entityId") || has("entityIdInService"));
    is_flat || body.object("eventData").is_some()
}

/// What a message is. Pure and total.
fn decode(raw: &str) -> DecodedEvent {
    let message = Message::read(raw);
    let kind = if message.is_issue() { EventKind::Issue } else { EventKind::Other };
    let mut event = DecodedEvent::new(message.key(raw), kind);
    event.source_event_id = message.id().map(|id| loose::line(id).into());
    event.severity_raw =
        message.of_issue("severity", "issueSeverity").map(loose::line).unwrap_or_default().into();
    event.severity = Severity::from_raw(event.severity_raw.raw());
    event.recommended_actions = message.remediation();
    event.reference_url = message.link();
    event.published = message.published();
    event.check = message.check();
    event.users = message.login().into_iter().collect();
    event.description = told::paragraphs(&message);
    event
}

/// A message, its parts still loose. In a flat one the inner parts are empty.
#[derive(Debug, Default)]
struct Message<'a> {
    top: Object<'a>,
    issue: Object<'a>,
    entity: Object<'a>,
    additional: Object<'a>,
}

impl<'a> Message<'a> {
    fn read(raw: &'a str) -> Message<'a> {
        let top = Object::parse(raw).unwrap_or_default();
        let issue = top.object("eventData").unwrap_or_default();
        let entity = issue.object("affectedEntity").unwrap_or_default();
        let additional = entity.object("additionalData").unwrap_or_default();
        Message { top, issue, entity, additional }
    }

    /// One that says no type is an issue if it looks like one.
    fn is_issue(&self) -> bool {
        let is_known = |kind: String| ISSUE_TYPES.contains(&kind.to_ascii_lowercase().as_str());
        self.title().is_some() && self.kind().is_none_or(is_known)
    }

    fn of_message(&self, nested: &str, flat: &str) -> Option<String> {
        self.top.text(nested).or_else(|| self.top.text(flat))
    }

    fn of_issue(&self, nested: &str, flat: &str) -> Option<String> {
        self.issue.text(nested).or_else(|| self.top.text(flat))
    }

    fn of_entity(&self, nested: &str, flat: &str) -> Option<String> {
        self.entity.text(nested).or_else(|| self.top.text(flat))
    }

    /// One of the published templates declares `evenType`.
    fn kind(&self) -> Option<String> {
        self.of_message("type", "eventType").or_else(|| self.top.text("evenType"))
    }

    fn id(&self) -> Option<String> {
        self.of_message("id", "eventId")
    }

    fn key(&self, raw: &str) -> EventKey {
        self.id().map_or_else(|| EventKey::of_content("ispm", raw.as_bytes()), |id| EventKey::ispm(&id))
    }

    fn title(&self) -> Option<String> {
        self.of_issue("title", "issueTitle")
    }

    /// ISPM has no ids of checks: its titles stand for them. What has no title is called by its type.
    fn check(&self) -> Check {
        match self.title().map(loose::line) {
            Some(title) => Check { id: format!("ispm:{title}").into(), title: title.into() },
            None => {
                let title = self.kind().map(loose::line).unwrap_or_default().into();
                Check { title, ..Check::default() }
            }
        }
    }

    fn id_in_service(&self) -> Option<String> {
        let nested = self.entity.text("identifierInService").or_else(|| self.entity.text("idInService"));
        nested.or_else(|| self.top.text("entityIdInService"))
    }

    /// The user name; else the first of identifier and name that looks like a login; else the identifier.
    fn login(&self) -> Option<Login> {
        let (id, name) = (self.id_in_service(), self.of_entity("displayName", "entityDisplayName"));
        let mut candidates = [id.clone(), name].into_iter().flatten();
        let with_at = || candidates.find(|text| text.contains('@'));
        let text = self.additional.text("username").or_else(with_at).or(id)?;
        Some(Login::new(&text)).filter(|login| !login.is_empty())
    }

    fn published(&self) -> Option<Timestamp> {
        let read = |text: Option<String>| time::parse(&text?);
        read(self.of_message("timestamp", "eventTimestamp"))
            .or_else(|| read(self.of_issue("detectedAt", "issueDetectedAt")))
    }

    fn remediation(&self) -> Vec<Untrusted> {
        let text = self.of_issue("suggestedRemediation", "issueSuggestedRemediation");
        text.map(loose::paragraph).into_iter().collect()
    }

    /// The nested shape has none by the contract; one that stands there all the same is taken.
    fn link(&self) -> Option<Untrusted> {
        self.top.text("issueLink").map(Untrusted::from)
    }

    /// The entity's types with their reasons, or the flat list of them.
    fn types(&self) -> Vec<String> {
        let of_type = |item: &'a RawValue| {
            let Some(object) = loose::object(item) else { return loose::text(item) };
            let kind = object.text("type")?;
            let reasons = object.texts("reasons").join(", ");
            Some(if reasons.is_empty() { kind } else { format!("{kind} ({reasons})") })
        };
        let nested: Vec<String> = self.additional.items("types").into_iter().filter_map(of_type).collect();
        if nested.is_empty() { self.top.texts("additionalDataTypes") } else { nested }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn nested(entity: Value) -> Value {
        json!({ "id": "e1", "type": "issue.created", "eventData": { "title": "Old Password", "affectedEntity": entity } })
    }

    fn flat(parts: Value) -> Value {
        let mut record =
            json!({ "eventId": "e1", "eventType": "issue.onDemand", "issueTitle": "Old Password" });
        record.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
        record
    }

    #[rstest]
    #[case(nested(json!({ "identifierInService": "00u1", "displayName": "Ann", "additionalData": { "username": "ann@x" } })), Some("ann@x"))]
    #[case(nested(json!({ "identifierInService": "ann@x", "displayName": "a@nn" })), Some("ann@x"))]
    #[case(nested(json!({ "idInService": "00u1", "displayName": "ann@x", "additionalData": {} })), Some("ann@x"))]
    #[case(nested(json!({ "idInService": "00u1", "displayName": "Ann", "additionalData": null })), Some("00u1"))]
    #[case(nested(json!({ "displayName": "Ann" })), None)]
    #[case(nested(json!({})), None)]
    #[case(flat(json!({ "entityIdInService": "00u1", "entityDisplayName": "ann@x" })), Some("ann@x"))]
    #[case(flat(json!({ "entityIdInService": "00u1", "entityDisplayName": "Ann" })), Some("00u1"))]
    #[case(flat(json!({ "entityIdInService": "", "entityDisplayName": "Ann" })), None)]
    fn the_login_is_the_one_of_the_record(#[case] message: Value, #[case] expected: Option<&str>) {
        let raw = message.to_string();
        let event = decode(&raw);
        assert_eq!(event.users.first().map(Login::raw), expected);
        assert_eq!((event.kind, event.check.id.raw()), (EventKind::Issue, "ispm:Old Password"));
        let of_record = crate::domain::payload::record_entity(&raw).map(|(login, _)| login);
        assert_eq!(of_record.filter(|login| !login.is_empty()).as_ref(), event.users.first());
    }

    #[rstest]
    #[case(json!({ "type": "issue.created", "eventData": { "title": "T" } }), "issue", "T")]
    #[case(json!({ "type": "Issue.OnDemand", "eventData": { "title": "T" } }), "issue", "T")]
    #[case(json!({ "eventData": { "title": "T" } }), "issue", "T")]
    #[case(json!({ "evenType": "issue.onDemand", "issueTitle": "T" }), "issue", "T")]
    #[case(json!({ "evenType": "issue.resolved", "issueTitle": "T" }), "other", "T")]
    #[case(json!({ "type": "issue.resolved", "eventData": { "title": "T" } }), "other", "T")]
    #[case(json!({ "type": "issue.created", "eventData": {} }), "other", "issue.created")]
    #[case(json!({ "type": "connection.test" }), "other", "connection.test")]
    #[case(json!({}), "other", "")]
    fn only_issues_open_findings(#[case] message: Value, #[case] kind: &str, #[case] title: &str) {
        let event = decode(&message.to_string());
        assert_eq!((event.kind.word(), event.check.title.raw()), (kind, title));
        assert_eq!(event.opens_findings, kind == "issue");
    }

    #[rstest]
    #[case(json!({ "id": "A-1" }), "ispm:a-1")]
    #[case(json!({ "eventId": "A-2" }), "ispm:a-2")]
    #[case(json!({ "issueId": "A-3" }), "ispm:sha256:")]
    fn a_message_is_known_by_its_id(#[case] message: Value, #[case] key: &str) {
        assert!(decode(&message.to_string()).key.as_str().starts_with(key));
    }

    #[rstest]
    #[case(json!({ "timestamp": "2025-06-09T14:56:58Z", "eventData": { "detectedAt": "2025-06-01" } }), Some("2025-06-09T14:56:58Z"))]
    #[case(json!({ "eventTimestamp": "soon", "issueDetectedAt": "2025-06-01" }), Some("2025-06-01T00:00:00Z"))]
    #[case(json!({ "issueDetectedAt": "06/01/2025" }), Some("2025-06-01T00:00:00Z"))]
    #[case(json!({ "issueDetectedAt": "13/01/2025" }), None)]
    fn three_forms_of_dates(#[case] message: Value, #[case] expected: Option<&str>) {
        let published = decode(&message.to_string()).published;
        assert_eq!(published.map(|at| at.to_string()).as_deref(), expected);
    }
}
