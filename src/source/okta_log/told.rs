//! A LogEvent in a few short paragraphs: what an analyst wants to know before the raw record.

use super::Record;
use crate::domain::Untrusted;
use crate::source::loose::{self, Object, joined};
use serde_json::value::RawValue;

/// The targets that are named; the others are counted.
const MOST_TARGETS: usize = 5;
/// The changed attributes of a target that are named.
const MOST_CHANGES: usize = 10;

/// What happened, how it ended, who did it from where to whom, and what Okta thinks of that. `is_finding`
/// says that the title is a check's, so that the record's own has to be told.
pub(super) fn paragraphs(record: &Record<'_>, is_finding: bool) -> Vec<Untrusted> {
    let log = &record.log;
    let what = if is_finding { what(record) } else { None };
    let told =
        [what, result(log), actor(log), from(log), network(log), targets(log), changes(log), risk(record)];
    told.into_iter().chain([behaviours(record)]).flatten().map(loose::paragraph).collect()
}

fn what(record: &Record<'_>) -> Option<String> {
    let Some(message) = record.log.text("displayMessage") else {
        return (!record.event_type.is_empty()).then(|| record.event_type.clone());
    };
    Some(format!("{message} ({})", record.event_type))
}

fn result(log: &Object<'_>) -> Option<String> {
    let outcome = log.object("outcome")?;
    Some(format!("Result: {}", joined([outcome.text("result"), outcome.text("reason")], ", ")?))
}

fn actor(log: &Object<'_>) -> Option<String> {
    Some(format!("Actor: {}", entity(&log.object("actor")?)?))
}

/// A name, a login and a type, as far as there are any; the id where there is no other name.
fn entity(entity: &Object<'_>) -> Option<String> {
    let (name, login) = (entity.text("displayName"), entity.text("alternateId"));
    let name = name.filter(|name| login.as_ref() != Some(name));
    let named = joined([name, login], ", ").or_else(|| entity.text("id"));
    let kind = entity.text("type").map(|kind| format!("({kind})"));
    joined([named.map(loose::line), kind], " ")
}

/// Where the request came from: address, place, client. For jobs of Okta's own all of it is null, or the
/// text `null`.
fn from(log: &Object<'_>) -> Option<String> {
    let client = log.object("client").unwrap_or_default();
    let address = said(&client, "ipAddress").or_else(|| first_hop(log));
    let place = client.object("geographicalContext").and_then(|place| {
        joined(["city", "state", "postalCode", "country"].map(|name| said(&place, name)), ", ")
    });
    let zone = said(&client, "zone").map(|zone| format!("zone {zone}"));
    let parts = [address, place, agent(&client), said(&client, "device"), zone];
    Some(format!("From: {}", joined(parts, ", ")?))
}

fn first_hop(log: &Object<'_>) -> Option<String> {
    let chain = log.object("request")?.items("ipChain");
    said(&loose::object(chain.first()?)?, "ip")
}

fn agent(client: &Object<'_>) -> Option<String> {
    let Some(agent) = client.object("userAgent") else { return said(client, "userAgent") };
    joined([said(&agent, "browser"), said(&agent, "os")], " on ").or_else(|| said(&agent, "rawUserAgent"))
}

fn network(log: &Object<'_>) -> Option<String> {
    let security = log.object("securityContext")?;
    let system =
        joined([said(&security, "asNumber").map(|n| format!("AS{n}")), said(&security, "asOrg")], " ");
    let provider = said(&security, "isp").filter(|isp| said(&security, "asOrg").as_ref() != Some(isp));
    let is_proxy = security.get("isProxy").is_some_and(|is| is.get().trim_matches('"') == "true");
    let proxy = is_proxy.then(|| "a proxy".to_owned());
    Some(format!("Network: {}", joined([system, provider, said(&security, "domain"), proxy], ", ")?))
}

fn targets(log: &Object<'_>) -> Option<String> {
    let targets = log.items("target");
    let named: Vec<String> =
        targets.iter().filter_map(|target| entity(&loose::object(target)?)).take(MOST_TARGETS).collect();
    let more = targets.len().saturating_sub(MOST_TARGETS);
    let more = (more > 0).then(|| format!("and {more} more"));
    let label = if targets.len() > 1 { "Targets" } else { "Target" };
    Some(format!("{label}: {}", joined(named.into_iter().map(Some).chain([more]), "; ")?))
}

/// What a target was changed from and to, where both are told.
fn changes(log: &Object<'_>) -> Option<String> {
    let targets = log.items("target").into_iter().take(MOST_TARGETS).filter_map(loose::object);
    let changed = targets.filter_map(|target| target.object("changeDetails")).flat_map(|details| {
        let from = details.object("from").unwrap_or_default();
        let to = details.object("to").unwrap_or_default();
        // So few of them, since each is looked up in what may be a long list.
        let to = to.members().take(MOST_CHANGES);
        to.filter_map(|(name, to)| change(name, from.get(name), to)).collect::<Vec<_>>()
    });
    Some(format!("Changed: {}", joined(changed.take(MOST_CHANGES).map(Some), "; ")?))
}

fn change(name: &str, from: Option<&RawValue>, to: &RawValue) -> Option<String> {
    let shown = |value: Option<&RawValue>| value.map_or("nothing".to_owned(), plain);
    let is_said = from.is_some() || to.get() != "null";
    is_said.then(|| format!("{name} from {} to {}", shown(from), plain(to)))
}

/// A text as it is, anything else as JSON; nothing is long.
fn plain(value: &RawValue) -> String {
    loose::line(loose::text(value).unwrap_or_else(|| value.get().to_owned()))
}

fn risk(record: &Record<'_>) -> Option<String> {
    let risk = &record.risk;
    let previous = risk.previous.as_ref().map(|previous| format!("(was {previous})"));
    let level = joined([risk.level.clone(), previous], " ");
    let reasons = risk.reasons.as_ref().map(|reasons| format!("reasons: {reasons}"));
    let detection = risk.detection.as_ref().map(|detection| format!("detected as {detection}"));
    Some(format!("Risk: {}", joined([level, reasons, detection], "; ")?))
}

fn behaviours(record: &Record<'_>) -> Option<String> {
    let told = |(name, result): &(String, String)| Some(format!("{name} {result}").trim().to_owned());
    Some(format!("Behaviours: {}", joined(record.risk.behaviours.iter().map(told), "; ")?))
}

/// A text that is not the word `null`, which stands for nothing in the parts that describe a client.
fn said(object: &Object<'_>, name: &str) -> Option<String> {
    object.text(name).filter(|text| text != "null")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn told(parts: Value, is_finding: bool) -> Vec<String> {
        let mut log = json!({ "uuid": "u", "eventType": "user.session.start" });
        log.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
        let log = log.to_string();
        let paragraphs = paragraphs(&Record::read(&log).unwrap(), is_finding);
        paragraphs.iter().map(|paragraph| paragraph.raw().to_owned()).collect()
    }

    #[rstest]
    #[case(json!({ "outcome": { "result": "FAILURE", "reason": "INVALID_CREDENTIALS" } }), "Result: FAILURE, INVALID_CREDENTIALS")]
    #[case(json!({ "outcome": { "result": "DENY", "reason": null } }), "Result: DENY")]
    #[case(json!({ "actor": { "type": "User", "displayName": "Ann", "alternateId": "ann@x" } }), "Actor: Ann, ann@x (User)")]
    #[case(json!({ "actor": { "type": "User", "displayName": "ann@x", "alternateId": "ann@x" } }), "Actor: ann@x (User)")]
    #[case(json!({ "actor": { "id": "00u" } }), "Actor: 00u")]
    #[case(json!({ "client": { "ipAddress": "203.0.113.7", "zone": "null", "device": "Computer",
        "userAgent": { "browser": "CHROME", "os": "Mac OS X" },
        "geographicalContext": { "city": "Austin", "state": "Texas", "country": "United States", "postalCode": 78701 } } }),
        "From: 203.0.113.7, Austin, Texas, 78701, United States, CHROME on Mac OS X, Computer")]
    #[case(json!({ "client": { "ipAddress": "null", "userAgent": { "rawUserAgent": "curl/8" } }, "request": { "ipChain": [{ "ip": "192.0.2.1" }] } }), "From: 192.0.2.1, curl/8")]
    #[case(json!({ "client": { "userAgent": "curl/8", "zone": "Blocked" } }), "From: curl/8, zone Blocked")]
    #[case(json!({ "securityContext": { "asNumber": 64496, "asOrg": "example", "isp": "example", "domain": "example.net", "isProxy": true } }), "Network: AS64496 example, example.net, a proxy")]
    #[case(json!({ "securityContext": { "isp": "an isp", "isProxy": false } }), "Network: an isp")]
    #[case(json!({ "target": [{ "type": "AppInstance", "displayName": "Mail" }] }), "Target: Mail (AppInstance)")]
    #[case(json!({ "target": vec![json!({ "displayName": "a" }); 7] }), "Targets: a; a; a; a; a; and 2 more")]
    #[case(json!({ "target": [{ "changeDetails": { "from": { "title": "Clerk", "x": null }, "to": { "title": "CFO", "x": null, "team": ["a"] } } }] }), "Changed: title from Clerk to CFO; team from nothing to [\"a\"]")]
    #[case(json!({ "securityContext": { "risk": { "level": "HIGH", "previousLevel": "LOW", "reasons": ["A", "B"], "detectionName": "D" } } }), "Risk: HIGH (was LOW); reasons: A, B; detected as D")]
    #[case(json!({ "debugContext": { "debugData": { "behaviors": "{New Device=POSITIVE, New IP=NEGATIVE}" } } }), "Behaviours: New Device POSITIVE; New IP NEGATIVE")]
    fn tells_what_is_there(#[case] parts: Value, #[case] expected: &str) {
        assert_eq!(told(parts, false), [expected]);
    }

    #[rstest]
    #[case(json!({ "displayMessage": "User login to Okta" }), "User login to Okta (user.session.start)")]
    #[case(json!({}), "user.session.start")]
    fn a_finding_tells_what_the_record_calls_itself(#[case] parts: Value, #[case] expected: &str) {
        assert_eq!(told(parts, true), [expected]);
    }

    #[rstest]
    #[case(json!({ "client": { "ipAddress": null, "zone": "null" }, "request": { "ipChain": [] }, "target": null, "outcome": null }))]
    #[case(json!({ "client": "x", "actor": 7, "outcome": [], "target": "x", "securityContext": "x", "debugContext": { "debugData": "x" } }))]
    fn nothing_is_made_of_nothing(#[case] parts: Value) {
        assert!(told(parts, false).is_empty());
    }
}
