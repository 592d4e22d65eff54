//! What CII's messages become: every file of `tests/payloads/cii` holds a payload and what it must be,
//! and anything else must at least not break the decoder.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use idtriage::config::meant::Reading;
use idtriage::domain::event::DecodedEvent;
use idtriage::domain::{EventKey, EventKind, Login, Untrusted, time};
use idtriage::source::{Meaning, Unreadable, cii};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A payload, why it is here, and those of the event's fields that it is here for.
#[derive(Deserialize)]
struct Fixture {
    about: String,
    payload: Box<RawValue>,
    expected: Map<String, Value>,
}

fn fixtures() -> Vec<(PathBuf, Fixture)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads/cii");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

fn read(path: &Path) -> Fixture {
    let text = fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn split(body: &str) -> Result<Vec<Arc<str>>, Unreadable> {
    (cii::WEBHOOK.elements)(body.into(), &Meaning::of(&Reading::default(), &"cii".into()))
}

fn shown(event: &DecodedEvent) -> Map<String, Value> {
    let texts = |texts: &[Untrusted]| texts.iter().map(|text| text.raw().to_owned()).collect::<Vec<_>>();
    let shown = json!({
        "kind": event.kind.word(),
        "key": event.key.as_str(),
        "source_event_id": event.source_event_id,
        "check_id": event.check.id.raw(),
        "title": event.check.title.raw(),
        "severity": event.severity.word(),
        "severity_raw": event.severity_raw.raw(),
        "users": event.users.iter().map(Login::raw).collect::<Vec<_>>(),
        "description": texts(&event.description),
        "recommended_actions": texts(&event.recommended_actions),
        "published": event.published.map(time::rfc3339),
    });
    shown.as_object().unwrap().clone()
}

/// A key is a digest, so the fixture names what is digested: `cii:EVENT:CHECK:` with the event's logins,
/// `cii-test:ENVELOPE`, or only how it starts.
fn key_of(named: &str, users: &[Login]) -> Option<EventKey> {
    if let Some(envelope) = named.strip_prefix("cii-test:") {
        return Some(EventKey::cii_test(envelope));
    }
    let (event, check) = named.strip_prefix("cii:")?.strip_suffix(':')?.split_once(':')?;
    (event != "sha256").then(|| EventKey::cii(event, &check.into(), users))
}

fn agrees(field: &str, expected: &Value, found: &Value, users: &[Login]) -> bool {
    match (field, expected, found) {
        ("key", Value::String(named), Value::String(key)) => match key_of(named, users) {
            Some(expected) => expected.as_str() == key,
            None => key.starts_with(named.as_str()),
        },
        _ => expected == found,
    }
}

#[test]
fn every_payload_becomes_what_its_fixture_says() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 20, "only {} fixtures", fixtures.len());
    for (path, fixture) in fixtures {
        let event = cii::decode(fixture.payload.get());
        let found = shown(&event);
        for (field, expected) in &fixture.expected {
            let found = &found[field];
            assert!(
                agrees(field, expected, found, &event.users),
                "{}\n{}\n{field}: expected {expected}, found {found}",
                path.display(),
                fixture.about
            );
        }
    }
}

#[test]
fn every_payload_is_one_element_kept_as_it_came() {
    for (path, fixture) in fixtures() {
        let body = fixture.payload.get();
        let elements = split(body);
        assert_eq!(elements.unwrap(), [body.into()], "{}", path.display());
    }
}

#[test]
fn fifty_thousand_users_in_one_event() {
    let logins: Vec<String> = (0..50_000).map(|n| format!("user{n}@example.com")).collect();
    let details: Vec<Value> = logins.iter().map(|login| json!({ "login": login, "details": [] })).collect();
    let raw = json!({ "detail-type": "FAILED_CHECK", "detail": {
        "id": "e1", "checkId": "no-mfa", "usersFailing": logins, "loginDetails": details,
    } });
    let event = cii::decode(&raw.to_string());
    assert_eq!(event.users.len(), 50_000);
    assert_eq!(event.users.last().map(Login::raw), Some("user49999@example.com"));
}

#[test]
fn the_key_is_the_event_the_check_and_the_set_of_logins() {
    let key = |check: &str, users: &[&str]| {
        let raw = json!({ "id": check.len() + users.len(), "detail": { "id": "e1", "checkId": check, "usersFailing": users } });
        cii::decode(&raw.to_string()).key
    };
    let key_of_two = key("no-mfa", &["a@x", "b@x"]);
    assert_eq!(key_of_two, key("no-mfa", &["B@x", "a@x", "A@X"]));
    assert_ne!(key_of_two, key("no-mfa", &["a@x"]));
    assert_ne!(key_of_two, key("mfa-flood", &["a@x", "b@x"]));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-cA-C]@x".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((any_name(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Mostly the names that mean something, so that odd values meet them.
fn any_name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "id",
        "time",
        "detail-type",
        "checkId",
        "title",
        "severity",
        "usersFailing",
        "login",
        "loginDetails",
        "details",
        "key",
        "value",
        "published",
        "description",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

fn any_message() -> impl Strategy<Value = Value> {
    let detail = prop::collection::vec((any_name(), any_json()), 0..8);
    let envelope = prop::collection::vec((any_name(), any_json()), 0..4);
    (detail, envelope).prop_map(|(detail, envelope)| {
        let mut message: Map<String, Value> = envelope.into_iter().collect();
        message.insert("detail".to_owned(), Value::Object(detail.into_iter().collect()));
        Value::Object(message)
    })
}

fn check_rules(raw: &str) {
    let event = cii::decode(raw);
    let unique: HashSet<&str> = event.users.iter().map(Login::folded).collect();
    assert_eq!(unique.len(), event.users.len(), "a login twice");
    assert!(event.users.iter().all(|login| !login.is_empty()), "an empty login");
    if event.kind.opens_findings() {
        assert!(!event.users.is_empty() && !event.check.id.raw().is_empty());
    }
    assert_eq!(event, cii::decode(raw), "decoding is a function");
}

proptest! {
    #[test]
    fn no_message_breaks_the_decoder(message in any_message()) {
        let raw = message.to_string();
        prop_assert!(split(raw.as_str()).is_ok());
        check_rules(&raw);
    }

    #[test]
    fn no_json_breaks_the_decoder(json in any_json()) {
        check_rules(&json.to_string());
    }

    #[test]
    fn no_damage_breaks_the_decoder(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let fixtures = fixtures();
        let (_, fixture) = which.get(&fixtures);
        let mut bytes = fixture.payload.get().as_bytes().to_vec();
        *at.get_mut(&mut bytes) = byte;
        let raw = String::from_utf8_lossy(&bytes);
        check_rules(&raw);
        let is_element = split(raw.as_ref()).is_ok();
        let is_lost = cii::decode(&raw).kind == EventKind::Other && cii::decode(&raw).users.is_empty();
        prop_assert!(is_element || is_lost, "what is refused decodes to nothing");
    }
}
