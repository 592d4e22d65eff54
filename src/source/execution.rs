//! Okta Workflows' Execution Log Streaming: what became of runs of flows.
//!
//! The wire is in contracts/workflows-ispm.md, section 1. A record is evidence and no finding: it is
//! joined to actions by its execution id. One record a call is what the contract lets expect; a list or
//! JSON Lines are taken too. `event_type` has no closed list, so nothing here depends on its word.

use super::loose::{self, Object, joined};
use super::{Expects, Meaning, SourceType, Unreadable, body};
use crate::domain::action::EndKind;
use crate::domain::event::DecodedEvent;
use crate::domain::{Check, EventKey, EventKind, Login, Untrusted, time};
use serde_json::value::RawValue;
use std::sync::Arc;

/// The type `okta-execution-log`.
pub const LOG: SourceType =
    SourceType { name: "okta-execution-log", elements, decode, recognises, expects: Expects::USUAL };

/// What the contract names; other members differ by `event_type` and are told as they come.
const KNOWN: &[&str] = &[
    "event_type",
    "execution_id",
    "timestamp",
    "flow_id",
    "flow_name",
    "org_id",
    "org_name",
    "org_hostname",
    "user_id",
    "user_email",
    "parent_execution_id",
    "parent_flow_id",
    "parent_flow_name",
    "root_execution_id",
    "root_flow_id",
];
/// Other members that are told; the raw record has them all.
const MOST_OTHERS: usize = 20;

fn elements(records: Arc<str>, _: &Meaning<'_>) -> Result<Vec<Arc<str>>, Unreadable> {
    match body::several(&records)?.as_slice() {
        [one] if one.get().starts_with('[') && !loose::items(one).is_empty() => {
            body::each(&loose::items(one))
        }
        [] | [_] => body::object_or_list(&records).map(|_| vec![Arc::clone(&records)]),
        lines => body::each(lines),
    }
}

fn recognises(body: &Object<'_>) -> bool {
    body.get("execution_id").is_some() && body.get("event_type").is_some()
}

/// What a record is. Pure and total.
fn decode(raw: &str, meaning: &Meaning<'_>) -> DecodedEvent {
    let record = Object::parse(raw).unwrap_or_default();
    let kind = if recognises(&record) { EventKind::Execution } else { EventKind::Other };
    let mut event = DecodedEvent::new(key(&record, raw), kind);
    event.source_event_id = record.text("execution_id").map(|id| loose::line(id).into());
    event.execution = event.source_event_id.clone();
    event.execution_end = end(&record, meaning);
    event.check = check(&record);
    event.users = login(&record).into_iter().collect();
    event.published = record.text("timestamp").and_then(|at| time::parse(&at));
    event.description = paragraphs(&record);
    event
}

/// An execution begins once and ends once, and may pause in between: the id alone is not enough.
fn key(record: &Object<'_>, raw: &str) -> EventKey {
    let Some(execution) = record.text("execution_id") else {
        return EventKey::of_content("execution", raw.as_bytes());
    };
    let parts = ["event_type", "timestamp"].map(|name| record.text(name).unwrap_or_default());
    EventKey::of_parts("execution", [execution.as_str(), &parts[0], &parts[1]])
}

/// The end of an execution is what the configuration calls so: no list of types is documented.
fn end(record: &Object<'_>, meaning: &Meaning<'_>) -> Option<EndKind> {
    record.get("execution_id")?;
    meaning.ends?.of(&loose::line(record.text("event_type")?))
}

/// The check is the type of the record, so that `check:execution:*` finds them; the title says of which
/// flow.
fn check(record: &Object<'_>) -> Check {
    let kind = record.text("event_type").map(loose::line).unwrap_or_default();
    let flow = record.text("flow_name").or_else(|| record.text("flow_id")).map(loose::line);
    let title = flow.map_or_else(|| kind.clone(), |flow| format!("{flow}: {kind}"));
    let id = if kind.is_empty() { kind } else { format!("execution:{kind}") };
    Check { id: id.into(), title: title.into() }
}

/// The e-mail arrives hashed where log streaming hides it: a digest is nobody's login.
fn login(record: &Object<'_>) -> Option<Login> {
    let is_login = |text: &String| text.contains('@') && !text.trim().contains(char::is_whitespace);
    record.text("user_email").filter(is_login).map(|text| Login::new(&text))
}

fn paragraphs(record: &Object<'_>) -> Vec<Untrusted> {
    let known = [flow(record, "Flow", ""), flow(record, "Called by", "parent_")];
    let told = known.into_iter().chain([root(record), organisation(record), user(record)]).flatten();
    told.chain(others(record)).map(loose::paragraph).collect()
}

fn flow(record: &Object<'_>, label: &str, of: &str) -> Option<String> {
    let part = |name: &str| record.text(&format!("{of}{name}"));
    let named = part("flow_name").or_else(|| part("flow_id"));
    let execution = part("execution_id").map(|id| format!("execution {id}"));
    joined([named, execution], ", ").map(|told| format!("{label}: {told}"))
}

fn root(record: &Object<'_>) -> Option<String> {
    let execution = record.text("root_execution_id").map(|id| format!("execution {id}"));
    joined([record.text("root_flow_id"), execution], ", ").map(|told| format!("Began with: {told}"))
}

fn organisation(record: &Object<'_>) -> Option<String> {
    joined([record.text("org_name"), record.text("org_hostname")], ", ")
        .map(|told| format!("Organisation: {told}"))
}

fn user(record: &Object<'_>) -> Option<String> {
    let email = record.text("user_email");
    let email = match login(record) {
        Some(_) => email,
        None => email.map(|hash| format!("{hash} (no e-mail address: it may be hashed)")),
    };
    joined([email, record.text("user_id")], ", ").map(|told| format!("User: {told}"))
}

fn others(record: &Object<'_>) -> impl Iterator<Item = String> {
    let is_other = |(name, _): &(&str, &RawValue)| !KNOWN.contains(name);
    let told = |(name, value): (&str, &RawValue)| {
        Some(format!("{}: {}", loose::line(name.to_owned()), loose::text(value)?))
    };
    record.members().filter(is_other).filter_map(told).take(MOST_OTHERS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::meant::{Ends, Reading};
    use rstest::rstest;
    use serde_json::{Value, json};

    fn decoded(raw: &str) -> DecodedEvent {
        decode(raw, &Meaning::of(&Reading::default(), &"els".into()))
    }

    #[rstest]
    #[case("DONE", Some(EndKind::Completed))]
    #[case("BROKE", Some(EndKind::Failed))]
    #[case("FLOW_START", None)]
    #[case("done", None)]
    fn an_end_is_what_the_configuration_calls_so(#[case] kind: &str, #[case] expected: Option<EndKind>) {
        let said = [("DONE".to_owned(), EndKind::Completed), ("BROKE".to_owned(), EndKind::Failed)];
        let reading = Reading { ends: [("els".into(), Ends(said.into()))].into(), ..Reading::default() };
        let record = json!({ "execution_id": "x", "event_type": kind }).to_string();
        assert_eq!(decode(&record, &Meaning::of(&reading, &"els".into())).execution_end, expected);
        assert_eq!(decode(&record, &Meaning::of(&reading, &"other".into())).execution_end, None);
        assert_eq!(decoded(&record).execution_end, None);
    }

    #[test]
    fn what_sources_disagree_on_is_no_end_of_an_import() {
        let ends = |said: &[(&str, EndKind)]| {
            Ends(said.iter().map(|(word, kind)| ((*word).to_owned(), *kind)).collect())
        };
        let (done, failed) = (EndKind::Completed, EndKind::Failed);
        let all = [
            ends(&[("A", done), ("B", failed)]),
            ends(&[]),
            ends(&[("A", done), ("B", done), ("C", failed)]),
        ];
        assert_eq!(Ends::agreed(&all), ends(&[("A", done), ("C", failed)]));
    }

    fn split(records: &str) -> Result<Vec<String>, String> {
        let elements = elements(records.into(), &Meaning::of(&Reading::default(), &"els".into()));
        Ok(elements.map_err(|error| error.to_string())?.iter().map(|element| element.to_string()).collect())
    }

    #[rstest]
    #[case(r#" {"a":1} "#, &[r#" {"a":1} "#])]
    #[case(r#"[{"a":1}, {"b":2}]"#, &[r#"{"a":1}"#, r#"{"b":2}"#])]
    #[case("{\"a\":1}\n{\"b\":2}\r\n\n", &[r#"{"a":1}"#, r#"{"b":2}"#])]
    #[case(r#"[{"a":1}]"#, &[r#"{"a":1}"#])]
    #[case("[]", &["[]"])]
    fn a_body_is_a_record_or_several(#[case] body: &str, #[case] expected: &[&str]) {
        assert_eq!(split(body).unwrap(), expected);
    }

    #[rstest]
    #[case("", "the body is not JSON (line 1, column 0)")]
    #[case("{}\n{", "the body is not JSON (line 2, column 1)")]
    #[case("12", "the body is a number, not an object")]
    #[case("[{}, 0]", "an item of the body is a number, not an object")]
    #[case("{}\n[]", "an item of the body is a list, not an object")]
    fn says_why_it_is_none(#[case] body: &str, #[case] expected: &str) {
        assert_eq!(split(body).unwrap_err(), expected);
    }

    #[rstest]
    #[case(json!({ "execution_id": "x", "event_type": "FLOW_START", "flow_name": "Suspend" }), "execution", "execution:FLOW_START", "Suspend: FLOW_START")]
    #[case(json!({ "execution_id": "x", "event_type": "NEW", "flow_id": "01J" }), "execution", "execution:NEW", "01J: NEW")]
    #[case(json!({ "execution_id": "x", "event_type": "NEW" }), "execution", "execution:NEW", "NEW")]
    #[case(json!({ "execution_id": "x" }), "other", "", "")]
    #[case(json!([]), "other", "", "")]
    fn a_record_is_of_its_type(
        #[case] record: Value,
        #[case] kind: &str,
        #[case] id: &str,
        #[case] title: &str,
    ) {
        let event = decoded(&record.to_string());
        assert_eq!((event.kind.word(), event.check.id.raw(), event.check.title.raw()), (kind, id, title));
        assert!(!event.opens_findings);
        assert_eq!(event.is_quiet(), kind == "execution");
    }

    #[test]
    fn start_and_end_of_one_execution_are_two_events() {
        let record = |kind: &str, at: &str| {
            decoded(&json!({ "execution_id": "x", "event_type": kind, "timestamp": at }).to_string())
        };
        let (start, end) =
            (record("FLOW_START", "2024-04-04T18:30:38Z"), record("FLOW_END", "2024-04-04T18:30:39Z"));
        assert_ne!(start.key, end.key);
        assert_eq!(start.key, record("FLOW_START", "2024-04-04T18:30:38Z").key);
        assert_eq!(start.execution, end.execution);
    }

    #[rstest]
    #[case("jessie.doe@example.corp", Some("jessie.doe@example.corp"), "User: jessie.doe@example.corp")]
    #[case("9f86d081884c7d65", None, "User: 9f86d081884c7d65 (no e-mail address: it may be hashed)")]
    fn a_hashed_e_mail_is_nobodys_login(
        #[case] email: &str,
        #[case] login: Option<&str>,
        #[case] told: &str,
    ) {
        let event = decoded(&json!({ "user_email": email }).to_string());
        assert_eq!(event.users.first().map(Login::raw), login);
        assert_eq!(event.description[0].raw(), told);
    }

    #[test]
    fn what_only_some_types_have_is_told_too() {
        let record = json!({ "execution_id": "x", "event_type": "FLOW_FAIL", "error_message": "no such user", "steps": 3, "deep": {} });
        let told: Vec<String> = paragraphs(&Object::parse(&record.to_string()).unwrap())
            .iter()
            .map(|paragraph| paragraph.raw().to_owned())
            .collect();
        assert_eq!(told, ["Flow: execution x", "error_message: no such user", "steps: 3"]);
    }
}
