//! Whatever is posted, no decoder breaks, and what it makes of it is not larger than what came.
//!
//! `cargo test` runs some thousands of inputs. A run of millions multiplies them:
//! `IDTRIAGE_FUZZ_CASES=1000 cargo test --release --test fuzz_decoders`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod mutation;
#[expect(dead_code, reason = "what a payload must become is not asked here")]
#[path = "../payload_support/mod.rs"]
mod payload_support;

use idtriage::domain::event::DecodedEvent;
use idtriage::domain::{Login, Query, Untrusted, time};
use idtriage::source::{Meaning, TYPES, cii};
use mutation::{Change, Cut, Tree, any_change, any_cut, any_json};
use payload_support::{Fixture, fixtures};
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::HashSet;
use std::sync::LazyLock;

/// How many times what came an event's texts may be, together. They are cut where one could stand in
/// several places; half a surrogate pair in six bytes becomes nine.
const TIMES: usize = 4;
/// And beside that: our own words, and what is cut at a fixed length.
const BESIDE: usize = 32 * 1024;
/// The bytes of what is said of one user: twenty details, cut and told as JSON.
const DETAILS: usize = 256 * 1024;

static FIXTURES: LazyLock<Vec<Fixture>> = LazyLock::new(fixtures);

fn cases(cases: u32) -> ProptestConfig {
    let times = std::env::var("IDTRIAGE_FUZZ_CASES").ok().map_or(1, |times| times.parse().unwrap());
    ProptestConfig { cases: cases.saturating_mul(times), ..ProptestConfig::default() }
}

/// As an element of every type, and as a body.
fn check(body: &str, meaning: &Meaning<'_>) {
    for known in TYPES {
        check_event(body, &(known.decode)(body, meaning));
        let Ok(elements) = (known.elements)(body.into(), meaning) else { continue };
        assert!(!elements.is_empty(), "{}: an accepted body is something", known.name);
        let pieces: HashSet<&str> = elements.iter().map(|element| &**element).collect();
        for element in pieces {
            assert!(element.len() <= body.len(), "an element is a part of its body");
            check_event(element, &(known.decode)(element, meaning));
        }
    }
    check_details(body);
}

fn check_event(raw: &str, event: &DecodedEvent) {
    let unique: HashSet<&str> = event.users.iter().map(Login::folded).collect();
    assert_eq!(unique.len(), event.users.len(), "a login twice");
    assert!(event.users.iter().all(|login| !login.is_empty()), "an empty login");
    assert!(!event.opens_findings || !event.check.id.raw().is_empty(), "a finding of no check");
    let made = size(event);
    assert!(made <= raw.len() * TIMES + BESIDE, "{made} bytes of {}", raw.len());
}

/// The bytes of an event's texts.
fn size(event: &DecodedEvent) -> usize {
    let texts = event.description.iter().chain(&event.recommended_actions);
    let texts = texts.chain(&event.source_event_id).chain(&event.reference_url).chain(&event.execution);
    let lines = [event.key.as_str(), event.check.id.raw(), event.check.title.raw(), event.severity_raw.raw()];
    texts.map(Untrusted::raw).chain(lines).chain(event.users.iter().map(Login::raw)).map(str::len).sum()
}

fn check_details(raw: &str) {
    let users = cii::decode(raw).users;
    for (login, details) in cii::details(raw, &users[..users.len().min(20)]) {
        let said: usize = details.iter().map(|detail| detail.text().raw().len()).sum();
        assert!(said <= DETAILS, "{said} bytes about {login}");
    }
}

/// Bodies of some hundred kilobytes in which something stands very often: whoever looked at each of it for each
/// of it would not be done today.
fn large_bodies() -> Vec<String> {
    let many = |what: &dyn Fn(usize) -> String, n: usize| (0..n).map(what).collect::<Vec<_>>().join(",");
    let users = many(&|n| format!(r#"{{"type":"User","alternateId":"user{n}"}}"#), 5_000);
    let members = many(&|n| format!(r#""m{n}":null"#), 40_000);
    let texts = many(&|n| format!(r#""user{n}""#), 40_000);
    let log = |parts: &str| format!(r#"{{"uuid":"u","eventType":"user.account.lock",{parts}}}"#);
    let changes = format!(r#""target":[{{"changeDetails":{{"from":{{{members}}},"to":{{{members}}}}}}}]"#);
    let printed = "a, b=".repeat(100_000);
    let records = many(&|n| format!(r#"{{"execution_id":"{n}","event_type":"x"}}"#), 3_000);
    vec![
        log(&format!(r#""target":[{users}]"#)),
        log(&changes),
        log(&members),
        log(&format!(
            r#""debugContext":{{"debugData":{{"risk":"{{{printed}}}","behaviors":"{{{printed}}}"}}}}"#
        )),
        format!(r#"{{"data":{{"events":[{users}]}}}}"#),
        format!(r#"{{"detail":{{"checkId":"c","usersFailing":[{texts}],"loginDetails":[{texts}]}}}}"#),
        format!(
            r#"{{"eventData":{{"title":"t","affectedEntity":{{"additionalData":{{"types":[{texts}],"activeAccounts":[{users}],{members}}}}}}}}}"#
        ),
        format!("[{records}]"),
        format!(r#"{{"alerts":[{users}]}}"#),
        format!(r#"{{"check":"c","title":"t","logins":[{texts}]}}"#),
        format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000)),
    ]
}

#[test]
fn what_stands_very_often_is_read_once() {
    let is_wanted = |fixture: &&Fixture| {
        ["alerts.json", "shared-beside-the-list.json"].iter().any(|name| fixture.path.ends_with(name))
    };
    for fixture in FIXTURES.iter().filter(is_wanted) {
        large_bodies().iter().for_each(|body| check(body, &fixture.meaning()));
    }
}

fn mutated(fixture: &Fixture, changes: &[(Index, Change)], cut: &Cut) -> String {
    let mut tree = Tree::of(&fixture.body);
    changes.iter().for_each(|(at, change)| tree.change(at, change));
    cut.apply(tree.text())
}

fn any_changes() -> impl Strategy<Value = Vec<(Index, Change)>> {
    prop::collection::vec((any::<Index>(), any_change()), 0..6)
}

proptest! {
    #![proptest_config(cases(3_000))]

    #[test]
    fn damaged_messages(which in any::<Index>(), mapped in any::<Index>(), changes in any_changes(), cut in any_cut()) {
        let body = mutated(which.get(&FIXTURES), &changes, &cut);
        check(&body, &which.get(&FIXTURES).meaning());
        check(&body, &mapped.get(&FIXTURES).meaning());
    }
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn any_json_at_all(json in any_json(), cut in any_cut(), mapped in any::<Index>()) {
        check(&cut.apply(json.text()), &mapped.get(&FIXTURES).meaning());
    }

    #[test]
    fn any_text_at_all(text in any::<String>(), mapped in any::<Index>()) {
        check(&text, &mapped.get(&FIXTURES).meaning());
    }

    #[test]
    fn any_bytes_that_look_like_json(text in "[\\[\\]{}:,\"\\\\a-e0-9 u]{0,200}", mapped in any::<Index>()) {
        check(&text, &mapped.get(&FIXTURES).meaning());
    }

    #[test]
    fn any_time(text in prop_oneof![any::<String>(), "[-+]?[0-9]{1,6}[-/][0-9]{1,3}[-/][0-9]{1,6}([T ][0-9:.,]{0,20}(Z|[-+][0-9:]{1,6})?)?"]) {
        let at = time::parse(&text);
        prop_assert!(at.is_none_or(|at| !time::rfc3339(at).is_empty()));
    }

    #[test]
    fn any_filter(text in prop_oneof![any::<String>(), "((-?(severity|check|user|source|kind|state|tag|quiet)[:<>=]{0,2})?[a-zA-Z*\"\\\\é -]{0,8} ?){0,6}"]) {
        if let Ok(query) = Query::parse(&text) {
            prop_assert_eq!(Query::parse(&query.to_string()).unwrap(), query);
        }
    }
}
