//! What the store's tests share: a decoder of a small JSON, and elements in it.

#[path = "../support/wait.rs"]
#[expect(dead_code, reason = "shared with the tests of the program, which wait in more ways")]
pub(crate) mod wait;

use idtriage::domain::event::SourceName;
use idtriage::domain::{Check, DecodedEvent, EventKey, EventKind, Login, Query, Severity};
use idtriage::store::{Decode, Decoded, InboxItem, OpenOptions};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// Reads `{id, check, title, users, severity, published, kind, text}`.
#[derive(Debug)]
pub(crate) struct TestDecode;

impl Decode for TestDecode {
    fn decode(&self, item: &InboxItem) -> Decoded {
        let value: Value = serde_json::from_str(&item.raw).unwrap_or_default();
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        assert!(text("text") != "panic", "asked to break");
        let kind = EventKind::parse(&text("kind")).unwrap_or(EventKind::FailedCheck);
        let mut event = DecodedEvent::new(EventKey::from(format!("test:{}", text("id"))), kind);
        event.check = Check { id: text("check").into(), title: text("title").into() };
        event.severity = Severity::from_raw(&text("severity"));
        event.severity_raw = text("severity").into();
        event.description = vec![text("text").into()];
        event.published = value["published"].as_i64().map(second);
        let users = value["users"].as_array().cloned().unwrap_or_default();
        event.users = users.iter().filter_map(Value::as_str).map(Login::new).collect();
        Decoded::Event(Box::new(event))
    }
}

pub(crate) fn decode() -> Arc<dyn Decode> {
    Arc::new(TestDecode)
}

/// Quick looks at other processes' commits.
pub(crate) fn options() -> OpenOptions {
    OpenOptions { poll: std::time::Duration::from_millis(20), ..OpenOptions::default() }
}

pub(crate) fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// An element of the test's source.
pub(crate) fn item(value: Value) -> InboxItem {
    InboxItem {
        source: SourceName("test-hook".to_owned()),
        source_type: "test".to_owned(),
        received: second(2_000),
        raw: value.to_string().into(),
    }
}

/// A failed check: id, check, severity and users.
pub(crate) fn failed(id: &str, check: &str, severity: &str, users: &[&str]) -> InboxItem {
    let title = format!("Title of {check}");
    item(
        json!({ "id": id, "check": check, "title": title, "severity": severity, "users": users, "published": 1_000 }),
    )
}

pub(crate) fn query(text: &str) -> Query {
    Query::parse(text).unwrap()
}
