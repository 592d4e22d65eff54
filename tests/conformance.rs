//! Every payload of the contracts, and what it becomes: one table for all types of sources, in
//! `tests/payloads`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod payload_support;

use idtriage::domain::event::DecodedEvent;
use idtriage::domain::{EventKey, Login, Untrusted, time};
use idtriage::source::TYPES;
use idtriage::source::loose::Object;
use payload_support::{Fixture, fixtures, folder};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

/// Every element of every payload.
fn each_element(check: impl Fn(&Fixture, usize, &str)) {
    for fixture in fixtures() {
        for (n, element) in elements(&fixture).iter().enumerate() {
            check(&fixture, n, element);
        }
    }
}

fn elements(fixture: &Fixture) -> Vec<Arc<str>> {
    fixture.elements().unwrap_or_else(|refused| panic!("{} is refused: {refused}", fixture.path.display()))
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
        "reference_url": event.reference_url,
        "published": event.published.map(time::rfc3339),
        "opens_findings": event.opens_findings,
        "execution": event.execution,
    });
    shown.as_object().unwrap().clone()
}

/// Where a key is a digest, the fixture says what is digested: a list of the space and the parts, or
/// `cii:EVENT:CHECK:` (with the event's logins) and `cii-test:ENVELOPE`. Any other key is how it starts.
fn key_of(named: &Value, users: &[Login]) -> Option<EventKey> {
    if let Some(parts) = named.as_array() {
        let mut parts = parts.iter().map(|part| part.as_str().unwrap());
        return Some(EventKey::of_parts(parts.next().unwrap(), parts));
    }
    let named = named.as_str().unwrap();
    if let Some(envelope) = named.strip_prefix("cii-test:") {
        return Some(EventKey::cii_test(envelope));
    }
    let (event, check) = named.strip_prefix("cii:")?.strip_suffix(':')?.split_once(':')?;
    (event != "sha256").then(|| EventKey::cii(event, &check.into(), users))
}

fn agrees(field: &str, expected: &Value, found: &Value, users: &[Login]) -> bool {
    match (field, found) {
        ("key", Value::String(key)) => match key_of(expected, users) {
            Some(expected) => expected.as_str() == key,
            None => key.starts_with(expected.as_str().unwrap()),
        },
        _ => expected == found,
    }
}

#[test]
fn every_type_has_its_payloads() {
    let mut folders: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let mut types: Vec<&str> = TYPES.iter().map(|known| known.name).collect();
    folders.sort();
    types.sort_unstable();
    assert_eq!(folders, types);
    let fixtures = fixtures();
    for source_type in types {
        let n = fixtures.iter().filter(|fixture| fixture.source_type.name == source_type).count();
        assert!(n >= 6, "only {n} payloads of {source_type}");
    }
}

#[test]
fn every_payload_becomes_what_its_fixture_says() {
    for fixture in fixtures() {
        let elements = elements(&fixture);
        assert_eq!(elements.len(), fixture.expected.len(), "{}: elements", fixture.path.display());
        for (n, (element, expected)) in elements.iter().zip(&fixture.expected).enumerate() {
            let event = fixture.decode(element);
            let shown = shown(&event);
            for (field, expected) in expected {
                let found = &shown[field];
                assert!(
                    agrees(field, expected, found, &event.users),
                    "{} ({n})\n{}\n{field}: expected {expected}, found {found}",
                    fixture.path.display(),
                    fixture.about
                );
            }
        }
    }
}

/// Places (any place in a list is one) with the scalars that stand there, and how often.
type Leaves = BTreeMap<(String, String), usize>;

/// The leaves of some JSON texts; `None` where one holds what no Rust string or stack can.
fn leaves<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<Leaves> {
    let mut leaves = Leaves::new();
    for text in texts {
        for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
            match value.ok()? {
                Value::Array(records) => records.iter().for_each(|record| add(&mut leaves, "", record)),
                record => add(&mut leaves, "", &record),
            }
        }
    }
    Some(leaves)
}

fn add(leaves: &mut Leaves, place: &str, value: &Value) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(name, value)| add(leaves, &format!("{place}/{name}"), value));
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().for_each(|value| add(leaves, &format!("{place}/*"), value));
        }
        leaf => *leaves.entry((place.to_owned(), leaf.to_string())).or_default() += 1,
    }
}

#[test]
fn every_field_of_every_payload_is_in_the_raw_of_its_elements() {
    for fixture in fixtures() {
        let path = fixture.path.display();
        let elements = elements(&fixture);
        let Some(of_body) = leaves([fixture.body.as_str()]) else {
            assert_eq!(elements, [Arc::from(fixture.body.as_str())], "{path}: as it came");
            continue;
        };
        let of_elements = leaves(elements.iter().map(|element| &**element)).unwrap();
        for (leaf, times) in &of_body {
            let found = of_elements.get(leaf).copied().unwrap_or_default();
            assert!(found >= *times, "{path}: {leaf:?} stands there {times} times, in its elements {found}");
        }
        let made_up: Vec<_> = of_elements.keys().filter(|leaf| !of_body.contains_key(leaf)).collect();
        assert!(made_up.is_empty(), "{path}: {made_up:?}");
    }
}

/// An element alone is its own body: what a store holds can be taken in again.
#[test]
fn an_element_is_an_element_of_itself() {
    each_element(|fixture, n, element| {
        let again = (fixture.source_type.elements)(element.into(), &fixture.meaning());
        assert_eq!(again.unwrap(), [Arc::from(element)], "{} ({n})", fixture.path.display());
    });
}

#[test]
fn every_element_is_recognised_as_its_type_and_no_other() {
    each_element(|fixture, n, element| {
        let object = Object::parse(element).unwrap_or_default();
        let recognised: Vec<&str> =
            TYPES.iter().filter(|known| (known.recognises)(&object)).map(|known| known.name).collect();
        let is_generic = fixture.source_type.name == "generic-webhook";
        let expected: &[&str] =
            if fixture.is_recognised && !is_generic { &[fixture.source_type.name] } else { &[] };
        assert_eq!(recognised, expected, "{} ({n})", fixture.path.display());
    });
}

#[test]
fn decoding_is_a_function_and_total_whatever_the_type() {
    each_element(|fixture, n, element| {
        assert_eq!(fixture.decode(element), fixture.decode(element), "{} ({n})", fixture.path.display());
        for known in TYPES {
            let event = (known.decode)(element, &fixture.meaning());
            assert!(!event.key.as_str().is_empty());
        }
    });
}
