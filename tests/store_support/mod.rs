//! What the store's tests share: a decoder of a small JSON, and elements in it.

#![allow(dead_code, reason = "each test takes what it needs of it")]

#[path = "../support/wait.rs"]
pub(crate) mod wait;

use idtriage::domain::action::{EndKind, ShownRequest};
use idtriage::domain::event::SourceName;
use idtriage::domain::rule::{Rule, Then, Verdict};
use idtriage::domain::{
    Action, ActionId, Actor, Check, DecodedEvent, EventKey, EventKind, Evidence, Login, Outcome, Query, Risk,
    Rules, Severity, Untrusted,
};
use idtriage::store::{Decode, Decoded, InboxItem, OpenOptions};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// Reads `{id, check, title, users, severity, published, kind, text, opens, tags, execution, end}`, as some rules
/// have it.
#[derive(Debug, Default)]
pub(crate) struct TestDecode(pub(crate) Rules);

impl Decode for TestDecode {
    fn decode(&self, item: &InboxItem) -> Decoded {
        let mut event = self.decode_begun(item);
        match self.0.apply(&item.source, &mut event) {
            Verdict::Keep => Decoded::Event(Box::new(event)),
            Verdict::Drop(reason) => Decoded::Dropped(reason),
        }
    }

    fn decode_begun(&self, item: &InboxItem) -> DecodedEvent {
        event_of(&item.raw)
    }
}

/// What an element means, before any rule.
pub(crate) fn event_of(raw: &str) -> DecodedEvent {
    let value: Value = serde_json::from_str(raw).unwrap_or_default();
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let texts = |name: &str| value[name].as_array().cloned().unwrap_or_default();
    assert!(text("text") != "panic", "asked to break");
    let kind = EventKind::parse(&text("kind")).unwrap_or(EventKind::FailedCheck);
    let mut event = DecodedEvent::new(EventKey::from(format!("test:{}", text("id"))), kind);
    event.check = Check { id: text("check").into(), title: text("title").into() };
    event.severity = Severity::from_raw(&text("severity"));
    event.severity_raw = text("severity").into();
    event.description = vec![text("text").into()];
    event.published = value["published"].as_i64().map(second);
    event.users = texts("users").iter().filter_map(Value::as_str).map(Login::new).collect();
    event.opens_findings = value["opens"].as_bool().unwrap_or(event.opens_findings);
    event.tags = texts("tags").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    event.execution = value["execution"].as_str().map(Untrusted::from);
    event.execution_end = value["end"].as_str().and_then(EndKind::parse);
    event
}

/// Rules by name: a filter, and what follows.
pub(crate) fn rules(rules: &[(&str, &str, Then)]) -> Rules {
    let rule = |(name, when, then): &(&str, &str, Then)| Rule {
        name: (*name).to_owned(),
        when: query(when),
        then: then.clone(),
    };
    Rules { rules: rules.iter().map(rule).collect(), ..Rules::default() }
}

pub(crate) fn decode() -> Arc<dyn Decode> {
    Arc::new(TestDecode::default())
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

/// An action as it is meant, before a byte left: its number, flow and login.
pub(crate) fn action((n, flow, login): (u128, &str, &str)) -> Action {
    Action {
        id: ActionId(uuid::Uuid::from_u128(n)),
        step: None,
        is_test: false,
        undoes: None,
        undone: None,
        before: None,
        flow: flow.into(),
        verb: "suspend".to_owned(),
        risk: Risk::Medium,
        login: Login::new(login),
        target_id: None,
        account_login: None,
        finding: None,
        evidence: Evidence::Intended,
        outcome: Outcome::Pending,
        request: ShownRequest {
            method: "POST".to_owned(),
            url: "https://a/invoke".to_owned(),
            headers: Vec::new(),
            body: "{}".to_owned(),
        },
        receipt: None,
        reason: None,
        actor: Actor::default(),
        at: second(3_000),
    }
}
