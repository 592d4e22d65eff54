//! Rules, from the inbox to the finding, and beside the filter: a rule holds for an event if and only if the
//! feed's filter would find it, for every term but words. A rule looks for a word's letters anywhere in the
//! texts; the filter for words that begin so.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "store_support/mod.rs"]
mod store;

use idtriage::domain::event::SourceName;
use idtriage::domain::rule::{Then, Verdict};
use idtriage::domain::{Actor, EventId, Rules, Severity};
use idtriage::store::files::throw_away_folder;
use idtriage::store::sqlite::SqliteStore;
use idtriage::store::{Expansion, FindingFilter, From, InboxItem, OpenOptions, Store};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use store::wait::within;
use store::{TestDecode, event_of, item, options, query, rules, second};

fn open(folder: &Path, rules: Rules, options: OpenOptions) -> Arc<SqliteStore> {
    SqliteStore::open(&folder.join("idtriage.db"), Arc::new(TestDecode(rules)), options).unwrap()
}

fn low_and_tagged() -> Then {
    Then { severity: Some(Severity::Low), tags: vec!["hygiene".to_owned()], ..Then::default() }
}

fn drops() -> Then {
    Then { drops: true, ..Then::default() }
}

fn crowd(id: &str, users: usize) -> InboxItem {
    let users: Vec<String> = (0..users).map(|n| format!("user{n}@example.com")).collect();
    item(
        json!({ "id": id, "check": "unused-app", "severity": "critical", "users": users, "published": 1_000 }),
    )
}

async fn counted(store: &dyn Store, text: &str) -> u64 {
    store.count_events(&query(text), None).await.unwrap().total
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_said_of_every_user_of_a_large_event() {
    let room = throw_away_folder("rules-").unwrap();
    let team = rules(&[
        ("hygiene", "check:unused-*", low_and_tagged()),
        // One user of the crowd is not the crowd.
        ("one", "user:user49999@example.com", drops()),
    ]);
    let store = open(room.path(), team, options());
    store.append(vec![crowd("large", 50_000)]).await.unwrap();
    within("the expansion", store.drained()).await.unwrap();
    let event = store.event(EventId(1)).await.unwrap().unwrap().event;
    assert_eq!((event.severity, event.findings.open), (Severity::Low, 50_000));
    assert_eq!(counted(&*store, "user:user49999@example.com severity:low tag:hygiene").await, 1);
    let filter = |text: &str| FindingFilter { login: None, query: query(text) };
    let other = store.findings(&filter("-severity:low"), From::Newest, 10).await.unwrap();
    assert!(other.rows.is_empty(), "{:?}", other.rows);
    assert!(store.dropped().await.unwrap().is_empty());
}

/// The rules change, and the program is started again, while a large event is being expanded.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_in_is_not_left_out_by_a_rule_that_came_later() {
    let room = throw_away_folder("rules-").unwrap();
    let slices = OpenOptions { slice: 10, ..options() };
    let first = open(room.path(), rules(&[("hygiene", "check:unused-*", low_and_tagged())]), slices.clone());
    first.append(vec![crowd("large", 3_000)]).await.unwrap();
    let mut sequence = first.watch();
    within("the first slice", sequence.wait_for(|now| now.newest_event >= 1)).await.unwrap();
    first.close().await.unwrap();
    assert_eq!(first_pending(room.path()), 1, "the end came after the large one was expanded");

    let second = open(room.path(), rules(&[("all", "", drops())]), slices);
    within("the expansion", second.drained()).await.unwrap();
    let event = second.event(EventId(1)).await.unwrap().unwrap().event;
    assert_eq!((event.findings.open, event.user_count, event.severity), (3_000, 3_000, Severity::Low));
    assert_eq!(counted(&*second, "user:user2999@example.com severity:low").await, 1);
    assert!(second.dropped().await.unwrap().is_empty());
    // Delivered once more, it is left out as the rules are now.
    second.append(vec![crowd("large", 3_000)]).await.unwrap();
    second.drained().await.unwrap();
    assert_eq!(second.dropped().await.unwrap()[0].times, 1);
}

fn first_pending(folder: &Path) -> i64 {
    let db = rusqlite::Connection::open(folder.join("idtriage.db")).unwrap();
    db.query_row("SELECT count(*) FROM inbox", [], |row| row.get(0)).unwrap()
}

/// What a rule with this filter says of an element.
fn holds(text: &str, source: &SourceName, raw: &str) -> bool {
    let tagged = Then { tags: vec!["it holds".to_owned()], ..Then::default() };
    let mut event = event_of(raw);
    assert_eq!(rules(&[("one", text, tagged)]).apply(source, &mut event), Verdict::Keep);
    event.tags.iter().any(|tag| tag == "it holds")
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_beginnings_in_the_filter_and_parts_in_a_rule() {
    let room = throw_away_folder("rules-").unwrap();
    let store = open(room.path(), Rules::default(), options());
    let raw = json!({ "id": "1", "check": "c", "title": "Impossible Travel", "users": ["Ann@example.com"] });
    let element = item(raw);
    store.append(vec![element.clone()]).await.unwrap();
    store.drained().await.unwrap();
    let mut changes = store.watch();
    let indexed = async {
        while counted(&*store, "travel").await == 0 {
            changes.changed().await.unwrap();
        }
    };
    within("the free text", indexed).await;
    for (words, in_rule, in_filter) in [
        ("impossible", true, 1),
        ("IMP trav ann", true, 1),
        ("possible", true, 0),
        ("ravel", true, 0),
        ("example.com", true, 1),
        ("paris", false, 0),
    ] {
        assert_eq!(holds(words, &element.source, &element.raw), in_rule, "{words}");
        assert_eq!(counted(&*store, words).await, in_filter, "{words}");
    }
}

fn element() -> impl Strategy<Value = (String, Value)> {
    let login = prop::sample::select(vec!["ann@x", "Ann@x", "bob@x", "an*@x", "béa@x"]);
    let one_of = |words: &'static [&'static str]| prop::sample::select(words);
    (
        one_of(&["cii", "okta-log", "Okta*"]),
        one_of(&["failed-check", "test", "log", "execution", "issue", "other"]),
        one_of(&["no-mfa", "No-MFA", "unused-app", ""]),
        one_of(&["No MFA", "Unused App", ""]),
        one_of(&["critical", "high", "medium", "low", "info", "?"]),
        prop::collection::vec(login, 0..3),
        prop::collection::vec(one_of(&["hygiene", "Hygiene", "vip", "notify:slack"]), 0..2),
        any::<bool>(),
    )
        .prop_map(|(source, kind, check, title, severity, users, tags, opens)| {
            let raw = json!({ "kind": kind, "check": check, "title": title, "severity": severity,
                "users": users, "tags": tags, "opens": opens });
            (source.to_owned(), raw)
        })
}

fn term() -> impl Strategy<Value = String> {
    let term = prop::sample::select(vec![
        "severity>=high",
        "severity:low",
        "severity<medium",
        "severity:unknown",
        "check:no-mfa",
        "check:no-*",
        "check:\"no mfa\"",
        "check:*",
        "user:ann@x",
        "user:ANN*",
        "user:*@x",
        "user:an\\*@x",
        "user:bé*",
        "user:nobody",
        "source:cii",
        "source:okta*",
        "source:okta\\*",
        "kind:log",
        "kind:failed-check",
        "kind:test",
        "tag:hygiene",
        "tag:HYG*",
        "tag:notify:*",
        "tag:none",
        "quiet:yes",
        "quiet:no",
    ]);
    (any::<bool>(), term).prop_map(|(negated, term)| format!("{}{term}", if negated { "-" } else { "" }))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// `state:` is not among the terms: rules refuse it, since an event that is not in the store has no
    /// findings yet.
    #[test]
    fn a_rule_holds_where_the_filter_finds(
        elements in prop::collection::vec(element(), 1..12),
        filters in prop::collection::vec(prop::collection::vec(term(), 1..4), 1..24),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let room = throw_away_folder("rules-").unwrap();
            let store = open(room.path(), Rules::default(), options());
            let mut items = Vec::new();
            for (n, (source, mut raw)) in elements.into_iter().enumerate() {
                raw["id"] = n.to_string().into();
                items.push(InboxItem { source: source.as_str().into(), received: second(2_000), ..item(raw) });
            }
            store.append(items.clone()).await.unwrap();
            store.drained().await.unwrap();
            for filter in filters {
                let text = filter.join(" ");
                let found = store.events(&query(&text), From::Oldest, 100).await.unwrap().rows;
                let found: Vec<i64> = found.iter().rev().map(|event| event.id.0).collect();
                let held = items.iter().zip(1..).filter(|(item, _)| holds(&text, &item.source, &item.raw));
                let held: Vec<i64> = held.map(|(_, id)| id).collect();
                prop_assert_eq!(found, held, "{}", text);
            }
            Ok(())
        })?;
    }
}

/// Whoever knows no configuration would make something else of it for good.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_left_to_whoever_knows_the_rules() {
    let room = throw_away_folder("rules-").unwrap();
    let stranger =
        open(room.path(), Rules::default(), OpenOptions { expansion: Expansion::Leaves, ..options() });
    let quiet =
        json!({ "id": "1", "check": "unused-app", "severity": "critical", "users": ["ann@example.com"] });
    stranger.append(vec![item(quiet), crowd("large", 5_000)]).await.unwrap();
    let refused = within("an answer", stranger.drained()).await.unwrap_err().to_string();
    assert!(refused.contains("left to a process that knows the configuration"), "{refused}");
    // It may write all the same.
    stranger.set_setting("a", "b", &Actor::default(), second(1)).await.unwrap();
    assert_eq!(stranger.health().await.unwrap().pending, 2);
    let team = rules(&[("hygiene", "check:unused-*", low_and_tagged())]);
    let member = open(room.path(), team, options());
    within("the expansion", member.drained()).await.unwrap();
    assert_eq!(counted(&*member, "tag:hygiene severity:low").await, 2);
    assert_eq!(stranger.health().await.unwrap().pending, 0);
}
