//! Okta's event hooks: calls that carry LogEvents, several at once.
//!
//! The wire is in contracts/okta.md, section 8. Each LogEvent is an event of its own, in the envelope
//! that it came in; what a LogEvent is, [`okta_log`] knows. A call without any is kept as it came.

use super::loose::{self, Object};
use super::{Expects, Meaning, SourceType, Unreadable, body, okta_log};
use crate::domain::event::DecodedEvent;
use crate::domain::{EventKey, EventKind, time};
use serde_json::value::RawValue;
use std::sync::Arc;

/// The type `okta-event-hook`.
pub const HOOK: SourceType = SourceType {
    name: "okta-event-hook",
    elements,
    decode,
    recognises: |call| is_envelope(call),
    expects: Expects::OKTA_HOOK,
};

/// The type of an envelope; those of LogEvents are many.
const ENVELOPE_TYPE: &str = "com.okta.event_hook";

fn elements(call: Arc<str>, _: &Meaning<'_>) -> Result<Vec<Arc<str>>, Unreadable> {
    match events(&body::object(&call)?) {
        Some(list) => body::each_alone(&call, list),
        None => Ok(vec![Arc::clone(&call)]),
    }
}

/// What an element is: the LogEvent in its envelope, or one without any.
pub(super) fn decode(raw: &str, meaning: &Meaning<'_>) -> DecodedEvent {
    let envelope = Object::parse(raw).unwrap_or_default();
    let event = match is_envelope(&envelope) {
        true => events(&envelope).and_then(|list| loose::items(list).first().map(|event| event.get())),
        false => Some(raw),
    };
    let known = event.and_then(|event| okta_log::event(event, meaning.log_checks));
    known.unwrap_or_else(|| without_event(&envelope, raw))
}

fn is_envelope(call: &Object<'_>) -> bool {
    call.text("eventType").as_deref() == Some(ENVELOPE_TYPE)
        || events(call).is_some_and(|list| list.get().starts_with('['))
}

/// `data.events`, whatever it is.
fn events<'a>(call: &Object<'a>) -> Option<&'a RawValue> {
    call.object("data")?.get("events")
}

/// A call that carries no LogEvent.
fn without_event(call: &Object<'_>, raw: &str) -> DecodedEvent {
    let mut event = DecodedEvent::new(EventKey::of_content("okta", raw.as_bytes()), EventKind::Other);
    event.source_event_id = call.text("eventId").map(|id| loose::line(id).into());
    event.check.title = call.text("eventType").map(loose::line).unwrap_or_default().into();
    event.published = call.text("eventTime").and_then(|at| time::parse(&at));
    event.description.push("the call carries no LogEvent: it is kept as it came".into());
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::meant::Reading;
    use rstest::rstest;

    fn split(call: &str) -> Result<Vec<String>, Unreadable> {
        let elements = elements(call.into(), &Meaning::of(&Reading::default(), &"okta".into()))?;
        Ok(elements.iter().map(|element| element.to_string()).collect())
    }

    fn decoded(raw: &str) -> DecodedEvent {
        decode(raw, &Meaning::of(&Reading::default(), &"okta".into()))
    }

    #[rstest]
    #[case(r#"{"data":{"events":[{"uuid":"a"},{"uuid":"b"}]},"eventId":"e"}"#, &[r#"{"data":{"events":[{"uuid":"a"}]},"eventId":"e"}"#, r#"{"data":{"events":[{"uuid":"b"}]},"eventId":"e"}"#])]
    #[case(r#"{"data":{"events":[]}}"#, &[r#"{"data":{"events":[]}}"#])]
    #[case(r#"{"data":{"events":{"uuid":"a"}}}"#, &[r#"{"data":{"events":{"uuid":"a"}}}"#])]
    #[case(r#"{"data":[]}"#, &[r#"{"data":[]}"#])]
    #[case("{}", &["{}"])]
    fn each_log_event_keeps_its_envelope(#[case] call: &str, #[case] expected: &[&str]) {
        assert_eq!(split(call).unwrap(), expected);
    }

    #[test]
    fn a_call_is_an_object() {
        assert_eq!(split("[]").unwrap_err().to_string(), "the body is a list, not an object");
        assert_eq!(split("{").unwrap_err().to_string(), "the body is not JSON (line 1, column 1)");
    }

    #[rstest]
    #[case(
        r#"{"eventType":"com.okta.event_hook","data":{"events":[{"uuid":"A","eventType":"x"}]}}"#,
        "log",
        "okta:a"
    )]
    #[case(r#"{"data":{"events":[{"uuid":"A","eventType":"x"}]}}"#, "log", "okta:a")]
    #[case(
        r#"{"eventType":"com.okta.event_hook","data":{"events":{"uuid":"A","eventType":"x"}}}"#,
        "log",
        "okta:a"
    )]
    #[case(r#"{"uuid":"A","eventType":"x"}"#, "log", "okta:a")]
    #[case(r#"{"uuid":"A","eventType":"com.okta.event_hook"}"#, "other", "okta:sha256:")]
    #[case(r#"{"eventType":"com.okta.event_hook","data":{"events":[]}}"#, "other", "okta:sha256:")]
    #[case(r#"{"eventType":"com.okta.event_hook","data":{"events":["x"]}}"#, "other", "okta:sha256:")]
    #[case(r#"{"eventType":"com.okta.event_hook"}"#, "other", "okta:sha256:")]
    #[case("{}", "other", "okta:sha256:")]
    #[case("no JSON", "other", "okta:sha256:")]
    fn an_element_is_its_log_event(#[case] raw: &str, #[case] kind: &str, #[case] key: &str) {
        let event = decoded(raw);
        assert_eq!(event.kind.word(), kind);
        assert!(event.key.as_str().starts_with(key), "{:?}", event.key);
    }

    #[test]
    fn a_log_event_is_the_same_event_in_every_envelope() {
        let record = r#"{"eventType":"user.session.start"}"#;
        let (one, two) = (
            format!(r#"{{"eventId":"1","data":{{"events":[{record}]}}}}"#),
            format!(r#"{{"eventId":"2","data":{{"events":[ {record} ]}}}}"#),
        );
        assert_eq!(decoded(&one).key, decoded(&two).key);
        assert_eq!(decoded(&one).key, decoded(record).key);
    }

    #[test]
    fn tiny_events_in_a_large_envelope_are_refused_before_they_are_made() {
        let call = format!(
            r#"{{"pad":"{}","data":{{"events":[{}{{}}]}}}}"#,
            "x".repeat(4_000_000),
            "{},".repeat(1_000_000)
        );
        assert!(matches!(split(&call), Err(Unreadable::TooMany { elements: 1_000_001 })));
    }
}
