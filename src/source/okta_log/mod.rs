//! Okta's LogEvents: what one is, whichever way it came.
//!
//! The wire is in contracts/okta.md, section 6. An event hook, the System Log and an imported file bring
//! the same records, each known by its `uuid`. The table of log checks says which of them are findings;
//! all others are records that can be looked up. Okta's `severity` is the level of a log line and says
//! nothing of a risk.

mod pairs;
mod people;
mod risk;
mod told;

use super::loose::{self, Object};
use super::{Expects, Meaning, SourceType, Unreadable, body};
use crate::domain::event::DecodedEvent;
use crate::domain::log_check::{LogCheck, LogSeverity, Opens};
use crate::domain::{Check, EventKey, EventKind, LogChecks, Severity, Untrusted, time};
use people::People;
use risk::Risk;
use std::sync::Arc;

/// The type `okta-system-log`.
pub const SYSTEM_LOG: SourceType = SourceType {
    name: "okta-system-log",
    elements,
    decode: super::okta_hook::decode,
    recognises,
    expects: Expects::USUAL,
};

/// The users of one record that are kept; beyond that nobody reads them one by one, and the raw record
/// has them all.
const MOST_USERS: usize = 1_000;

/// A body is one LogEvent.
fn elements(record: Arc<str>, _: &Meaning<'_>) -> Result<Vec<Arc<str>>, Unreadable> {
    body::object(&record)?;
    Ok(vec![record])
}

fn recognises(body: &Object<'_>) -> bool {
    let has = |name: &str| body.get(name).is_some();
    has("uuid") && has("eventType") && (has("actor") || has("published"))
}

/// What a LogEvent is; `None` for anything else.
pub(super) fn event(json: &str, checks: &LogChecks) -> Option<DecodedEvent> {
    let record = Record::read(json)?;
    let row = checks.find(&record.event_type, &record.result);
    Some(record.event(row.filter(|row| row.opens == Opens::Findings)))
}

/// A LogEvent, its parts still loose.
#[derive(Debug)]
struct Record<'a> {
    json: &'a str,
    log: Object<'a>,
    event_type: String,
    result: String,
    risk: Risk,
}

impl<'a> Record<'a> {
    fn read(json: &'a str) -> Option<Record<'a>> {
        let log =
            Object::parse(json).ok().filter(|log| log.text("uuid").or(log.text("eventType")).is_some())?;
        let event_type = log.text("eventType").map(loose::line).unwrap_or_default();
        let outcome = log.object("outcome").and_then(|outcome| outcome.text("result"));
        let risk = Risk::of(&log);
        Some(Record { json, log, event_type, result: outcome.unwrap_or_default(), risk })
    }

    /// With the row of the table that makes a finding of it.
    fn event(&self, row: Option<&LogCheck>) -> DecodedEvent {
        let people = People::of(&self.log);
        let subjects = row.map(|row| people.subjects(row.subject)).unwrap_or_default();
        let mut event = DecodedEvent::new(self.key(), EventKind::Log);
        event.opens_findings = !subjects.is_empty();
        event.source_event_id = self.log.text("uuid").map(|id| loose::line(id).into());
        event.severity_raw = self.log.text("severity").map(loose::line).unwrap_or_default().into();
        event.published = self.log.text("published").and_then(|at| time::parse(&at));
        event.check = row.map_or_else(|| self.check(), of_row);
        event.severity = row.map(|row| self.severity(row.severity)).unwrap_or_default();
        event.description = told::paragraphs(self, row.is_some());
        event.users = if subjects.is_empty() { people.everyone() } else { subjects };
        let named = event.users.len();
        if named > MOST_USERS {
            event.users.truncate(MOST_USERS);
            event.description.push(left_out(named));
        }
        event
    }

    /// A record without an id is known by its content, in whatever envelope it came.
    fn key(&self) -> EventKey {
        match self.log.text("uuid") {
            Some(uuid) => EventKey::okta(&uuid),
            None => EventKey::of_content("okta", self.json.as_bytes()),
        }
    }

    /// What a record is of that no row makes a finding of.
    fn check(&self) -> Check {
        let title = self.log.text("displayMessage").map(loose::line);
        let title = title.unwrap_or_else(|| self.event_type.clone());
        Check { id: self.event_type.as_str().into(), title: title.into() }
    }

    fn severity(&self, of_row: LogSeverity) -> Severity {
        match of_row {
            LogSeverity::Fixed(severity) => severity,
            LogSeverity::OfRisk => Severity::from_raw(self.risk.level.as_deref().unwrap_or_default()),
        }
    }
}

fn of_row(row: &LogCheck) -> Check {
    Check { id: row.check.as_str().into(), title: row.title.as_str().into() }
}

fn left_out(named: usize) -> Untrusted {
    format!("It names {named} users: the first {MOST_USERS} are listed, the raw record has them all").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Login, log_check::LogSubject, query::Pattern};
    use rstest::rstest;
    use serde_json::{Value, json};

    fn decoded(record: &Value) -> DecodedEvent {
        event(&record.to_string(), &LogChecks::default()).unwrap()
    }

    fn users(event: &DecodedEvent) -> Vec<&str> {
        event.users.iter().map(Login::raw).collect()
    }

    fn user(login: &str) -> Value {
        json!({ "type": "User", "id": "00u1", "alternateId": login })
    }

    /// By the shipped table: a finding of whom?
    #[rstest]
    #[case("user.session.start", "DENY", json!(user("ann@x")), json!(null), true, &["ann@x"])]
    #[case("user.session.start", "SUCCESS", json!(user("ann@x")), json!(null), false, &["ann@x"])]
    #[case("user.session.start", "DENY", json!({ "type": "SystemPrincipal", "alternateId": "system@okta.com" }), json!(null), false, &[])]
    #[case("user.account.lock", "SUCCESS", json!(user("admin@x")), json!([{ "type": "AppInstance", "alternateId": "app" }, user("ann@x"), user("bo@x"), user("ANN@x")]), true, &["ann@x", "bo@x"])]
    #[case("user.account.lock", "SUCCESS", json!(user("admin@x")), json!([{ "type": "AppInstance" }]), true, &["admin@x"])]
    #[case("system.api_token.create", "SUCCESS", json!(user("admin@x")), json!([user("ann@x")]), true, &["admin@x"])]
    #[case("system.api_token.create", "SUCCESS", json!({ "type": "PublicClientApp" }), json!([user("ann@x")]), false, &["ann@x"])]
    #[case("user.lifecycle.create", "SUCCESS", json!(user("admin@x")), json!([user("ann@x"), user("admin@X")]), false, &["admin@x", "ann@x"])]
    fn the_table_says_whose_finding_it_is(
        #[case] event_type: &str,
        #[case] result: &str,
        #[case] actor: Value,
        #[case] target: Value,
        #[case] opens: bool,
        #[case] expected: &[&str],
    ) {
        let event = decoded(
            &json!({ "uuid": "u", "eventType": event_type, "outcome": { "result": result }, "actor": actor, "target": target }),
        );
        assert_eq!((event.kind, event.opens_findings), (EventKind::Log, opens));
        assert_eq!(users(&event), expected);
    }

    #[rstest]
    #[case(json!({ "securityContext": { "risk": { "level": "HIGH" } } }), Severity::High)]
    #[case(json!({ "securityContext": { "risk": { "level": "LOW" } }, "debugContext": { "debugData": { "risk": "{level=HIGH}" } } }), Severity::Low)]
    #[case(json!({ "securityContext": {}, "debugContext": { "debugData": { "risk": "{reasons=A, B, level=MEDIUM}" } } }), Severity::Medium)]
    #[case(json!({ "debugContext": { "debugData": { "risk": "{\"level\":\"HIGH\",\"reasons\":[\"A\"]}" } } }), Severity::High)]
    #[case(json!({ "debugContext": { "debugData": { "risk": { "level": "low" } } } }), Severity::Low)]
    #[case(json!({ "debugContext": { "debugData": { "risk": "SEVERE" } } }), Severity::Unknown)]
    #[case(json!({}), Severity::Unknown)]
    fn a_row_may_ask_the_records_own_risk(#[case] parts: Value, #[case] expected: Severity) {
        let mut record = json!({ "uuid": "u", "eventType": "user.risk.change", "severity": "WARN", "actor": user("ann@x") });
        record.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
        let event = decoded(&record);
        assert_eq!((event.severity, event.severity_raw.raw()), (expected, "WARN"));
        assert_eq!(event.check.id.raw(), "okta:risk-changed");
    }

    #[rstest]
    #[case(json!({ "uuid": "u", "eventType": "x.y", "displayMessage": "Y of x" }), "x.y", "Y of x")]
    #[case(json!({ "uuid": "u", "eventType": "x.y", "displayMessage": null }), "x.y", "x.y")]
    #[case(json!({ "uuid": "u" }), "", "")]
    fn a_record_is_of_its_event_type(#[case] record: Value, #[case] id: &str, #[case] title: &str) {
        let event = decoded(&record);
        assert_eq!((event.check.id.raw(), event.check.title.raw()), (id, title));
        assert!(event.is_quiet());
    }

    #[test]
    fn a_row_that_is_switched_off_makes_a_record_of_it() {
        let off = LogCheck {
            event: Pattern("user.session.start".to_owned()),
            results: Vec::new(),
            check: "x".to_owned(),
            title: "X".to_owned(),
            severity: LogSeverity::Fixed(Severity::High),
            subject: LogSubject::TargetOrActor,
            opens: Opens::Nothing,
        };
        let record = json!({ "uuid": "u", "eventType": "user.session.start", "outcome": { "result": "DENY" }, "actor": user("ann@x") });
        let event = event(&record.to_string(), &LogChecks::with(vec![off])).unwrap();
        assert_eq!((event.check.id.raw(), event.severity), ("user.session.start", Severity::Unknown));
        assert!(event.is_quiet());
    }

    #[test]
    fn a_hundred_thousand_targets_are_counted_and_the_first_listed() {
        let targets: Vec<Value> = (0..100_000).map(|n| user(&format!("user{n}@x"))).collect();
        let event = decoded(&json!({ "uuid": "u", "eventType": "user.account.lock", "target": targets }));
        assert_eq!(event.users.len(), MOST_USERS);
        let last = event.description.last().unwrap().raw();
        assert_eq!(last, "It names 100000 users: the first 1000 are listed, the raw record has them all");
    }

    #[rstest]
    #[case("{}")]
    #[case("[]")]
    #[case(r#"{"uuid":{},"eventType":[]}"#)]
    fn anything_else_is_no_log_event(#[case] json: &str) {
        assert!(event(json, &LogChecks::default()).is_none());
    }
}
