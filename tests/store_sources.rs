//! What sources, rules and retention ask of a store: the second story that every store has to tell the same
//! way. It knows nothing but the trait.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "store_support/mod.rs"]
mod store;

use idtriage::domain::action::{Receipt, Settlement};
use idtriage::domain::journal::Verifier;
use idtriage::domain::rule::Then;
use idtriage::domain::{
    Action, ActionId, Actor, Change, EventId, Evidence, Finding, Outcome, Rules, Severity, SourceHealth,
    SourcesReport,
};
use idtriage::store::files::throw_away_folder;
use idtriage::store::{
    Again, Basis, Cursor, FindingFilter, From, Imported, InboxItem, Lease, Pruned, Replaced, Store, UserQuery,
};
use serde_json::json;
use std::sync::Arc;
use store::{TestDecode, action, failed, item, options, query, rules, second};

fn team() -> Rules {
    let drops = Then { drops: true, ..Then::default() };
    let hygiene = Then {
        severity: Some(Severity::Low),
        tags: vec!["hygiene".to_owned()],
        notify: vec!["slack".to_owned()],
        ..Then::default()
    };
    rules(&[("noise", "check:noise*", drops), ("hygiene", "check:unused-*", hygiene)])
}

/// An empty store of a kind, with the folder that it lives in.
fn sqlite() -> (tempfile::TempDir, Arc<dyn Store>) {
    let room = throw_away_folder("store-").unwrap();
    let url = format!("sqlite:{}", room.path().join("idtriage.db").display());
    let store = idtriage::store::open(&url, Arc::new(TestDecode(team())), options()).unwrap();
    (room, store)
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_on_sqlite() {
    let (_room, store) = sqlite();
    cursors(&*store).await;
    what_a_rule_says(&*store).await;
    imports(&*store).await;
    reports(&*store).await;
    settings(&*store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_on_sqlite() {
    let (_room, store) = sqlite();
    retention(&*store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_feed_leaves_out_on_sqlite() {
    let (_room, store) = sqlite();
    quiet_records(&*store).await;
}

async fn listed(store: &dyn Store, text: &str) -> Vec<i64> {
    let page = store.events(&query(text), From::Newest, 100).await.unwrap();
    let ids: Vec<i64> = page.rows.iter().map(|event| event.id.0).collect();
    let counted = store.count_events(&query(text), None).await.unwrap();
    assert_eq!(counted.total, ids.len() as u64, "{text}: what is counted is what is listed");
    ids
}

async fn findings(store: &dyn Store, text: &str) -> Vec<Finding> {
    let filter = FindingFilter { login: None, query: query(text) };
    store.findings(&filter, From::Newest, 100).await.unwrap().rows
}

fn at(second_received: i64, item: InboxItem) -> InboxItem {
    InboxItem { received: second(second_received), ..item }
}

fn ann() -> Actor {
    Actor { user: "ann".to_owned(), host: "jump".to_owned(), ..Actor::default() }
}

/// Elements and how far was read are one commit; a page without elements moves on too.
async fn cursors(store: &dyn Store) {
    const NAME: &str = "source:okta-system-log";
    let cursor = |value: &str| Cursor { name: NAME.to_owned(), value: value.to_owned() };
    assert_eq!(store.cursor(NAME).await.unwrap(), None);
    let page = vec![failed("1", "no-mfa", "high", &["ann@x"]), failed("2", "no-mfa", "high", &["bob@x"])];
    store.advance(page, &cursor("page-1")).await.unwrap();
    assert_eq!(store.cursor(NAME).await.unwrap().as_deref(), Some("page-1"));
    store.advance(Vec::new(), &cursor("page-2")).await.unwrap();
    store.advance(vec![failed("2", "no-mfa", "high", &["bob@x"])], &cursor("page-3")).await.unwrap();
    assert_eq!(store.cursor(NAME).await.unwrap().as_deref(), Some("page-3"));
    assert_eq!(store.cursor("source:another").await.unwrap(), None);
    store.drained().await.unwrap();
    assert_eq!(listed(store, "").await, [2, 1]);
    let second_event = store.event(EventId(2)).await.unwrap().unwrap().event;
    assert_eq!((second_event.times, second_event.findings.open), (2, 1), "seen twice, counted once");
}

/// Severity and tags are decided before findings are opened; what is dropped is counted, again and again.
async fn what_a_rule_says(store: &dyn Store) {
    let noise = |received| at(received, failed("noise-1", "noise-a", "critical", &["ann@x"]));
    store.append(vec![failed("3", "unused-app", "critical", &["ann@x"]), noise(2_000)]).await.unwrap();
    store.append(vec![noise(2_500), noise(1_500)]).await.unwrap();
    store.drained().await.unwrap();
    let event = store.event(EventId(3)).await.unwrap().unwrap().event;
    assert_eq!((event.severity, event.severity_raw.raw()), (Severity::Low, "critical"));
    assert_eq!(event.tags, ["hygiene", "notify:slack"]);
    assert_eq!(findings(store, "check:unused-app").await[0].severity, Severity::Low);
    assert!(findings(store, "check:noise-a").await.is_empty());
    let dropped = store.dropped().await.unwrap();
    assert_eq!(dropped.len(), 1);
    let noise = &dropped[0];
    assert_eq!((noise.reason.as_str(), noise.times), ("noise", 3), "a repeat is left out once more");
    assert_eq!(noise.last, second(2_500));
    for (text, expected) in [
        ("tag:hygiene", vec![3]),
        ("tag:HYG*", vec![3]),
        ("tag:notify:*", vec![3]),
        ("tag:other", vec![]),
        ("-tag:hygiene", vec![2, 1]),
        ("tag:hygiene severity>=high", vec![]),
        ("tag:hygiene user:ann@x severity:low", vec![3]),
    ] {
        assert_eq!(listed(store, text).await, expected, "{text}");
    }
    assert_eq!(findings(store, "tag:hygiene").await.len(), 1);
    assert_eq!(findings(store, "-tag:hygiene").await.len(), 2);
}

/// Another source, and the same keys: what is known by them is known.
async fn imports(store: &dyn Store) {
    let by_file = |item: InboxItem| InboxItem { source: "import".into(), ..item };
    let many: Vec<String> = (0..3_000).map(|n| format!("user{n}@x")).collect();
    let items = vec![
        by_file(failed("1", "no-mfa", "high", &["ann@x"])),
        by_file(failed("4", "no-mfa", "high", &["ann@x"])),
        by_file(failed("4", "no-mfa", "high", &["ann@x"])),
        by_file(failed("noise-2", "noise-b", "high", &["ann@x"])),
        by_file(item(json!({ "id": "broken", "text": "panic" }))),
        by_file(item(json!({ "id": "5", "check": "crowd", "users": many, "published": 1_000 }))),
    ];
    let imported = store.import(items).await.unwrap();
    assert_eq!(imported, Imported { new: 2, repeated: 2, dropped: 1, set_aside: 1 });
    // Only the rest of the crowd may wait in the inbox: no commit is longer than a slice.
    store.drained().await.unwrap();
    let health = store.health().await.unwrap();
    assert_eq!((health.events, health.pending, health.problems.len()), (5, 0, 1));
    let first = store.event(EventId(1)).await.unwrap().unwrap().event;
    assert_eq!((first.times, first.source.0.as_str()), (2, "test-hook"), "who brought it first stays");
    let (newest, times) = (listed(store, "check:crowd").await, store.dropped().await.unwrap()[0].times);
    assert_eq!(times, 4);
    let crowd = store.event(EventId(newest[0])).await.unwrap().unwrap().event;
    assert_eq!(crowd.findings.open, 3_000);
    assert_eq!(store.import(Vec::new()).await.unwrap(), Imported::default());
}

async fn reports(store: &dyn Store) {
    assert_eq!(store.reported().await.unwrap(), None);
    for (receiver, refused) in [("collect", 1), ("this console", 7)] {
        let mut health = SourceHealth::new("cii".into(), "cii-webhook", "/hooks/cii");
        health.refused.insert("busy".to_owned(), refused);
        let report =
            SourcesReport { receiver: receiver.to_owned(), at: second(2_000), sources: vec![health] };
        store.report(&report).await.unwrap();
        assert_eq!(store.reported().await.unwrap(), Some(report));
    }
}

/// Each change is a record of the journal, with who did it, and the chain holds.
async fn settings(store: &dyn Store) {
    assert_eq!(store.setting("notify.muted").await.unwrap(), None);
    for value in ["yes", "no"] {
        store.set_setting("notify.muted", value, &ann(), second(3_000)).await.unwrap();
        assert_eq!(store.setting("notify.muted").await.unwrap().as_deref(), Some(value));
    }
    assert_eq!(store.cursor("notify.muted").await.unwrap(), None);
    assert_eq!(the_journal(store).await, ["setting", "setting"]);
    let records = store.journal(1, 1).await.unwrap();
    let content: serde_json::Value = serde_json::from_str(records[0].content.as_deref().unwrap()).unwrap();
    assert_eq!((&content["setting"], &content["value"]), (&json!("notify.muted"), &json!("no")));
    assert_eq!(content["actor"]["user"], "ann");
}

/// Who saw another value than there is by now changes nothing, and journals nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_setting_is_replaced_only_as_it_was_seen() {
    let (_room, store) = sqlite();
    let replace = async |seen: Option<&str>, value: &str| {
        store.replace_setting("list", seen, value, &ann(), second(3_000)).await.unwrap()
    };
    assert_eq!(replace(Some("a"), "b").await, Replaced::Meanwhile, "there is none yet");
    assert_eq!(replace(None, "a").await, Replaced::Done);
    assert_eq!(replace(None, "b").await, Replaced::Meanwhile);
    assert_eq!(replace(Some("a"), "b").await, Replaced::Done);
    assert_eq!(store.setting("list").await.unwrap().as_deref(), Some("b"));
    assert_eq!(the_journal(&*store).await, ["setting", "setting"]);
    store.close().await.unwrap();
}

/// The kinds of the journal's records; its chain holds.
async fn the_journal(store: &dyn Store) -> Vec<&'static str> {
    let mut verifier = Verifier::new(store.journal_head().await.unwrap());
    let records = store.journal(0, 1_000).await.unwrap();
    records.iter().for_each(|record| verifier.next(record).unwrap());
    verifier.finish().unwrap();
    records.iter().map(|record| record.kind.word()).collect()
}

/// A record of a log: quiet, unless it opens findings.
fn record(id: &str, kind: &str, users: &[&str]) -> serde_json::Value {
    json!({ "id": id, "kind": kind, "check": format!("{kind}.{id}"), "users": users, "published": 1_000,
        "text": "Signed in from Paris" })
}

fn with(mut value: serde_json::Value, name: &str, is: impl Into<serde_json::Value>) -> serde_json::Value {
    value[name] = is.into();
    value
}

async fn quiet_records(store: &dyn Store) {
    store
        .append(vec![
            item(record("1", "log", &["ann@x"])),
            item(with(record("2", "log", &["ann@x"]), "opens", true)),
            item(with(record("3", "execution", &[]), "execution", "e-3")),
            item(record("4", "test", &[])),
            failed("5", "no-mfa", "high", &["ann@x"]),
        ])
        .await
        .unwrap();
    store.drained().await.unwrap();
    for (text, expected) in [
        ("quiet:no", vec![5, 4, 2]),
        ("quiet:yes", vec![3, 1]),
        ("-quiet:yes", vec![5, 4, 2]),
        ("quiet:no severity>=high", vec![5]),
        ("quiet:yes kind:log", vec![1]),
        ("quiet:no user:ann@x", vec![5, 2]),
        ("kind:log", vec![2, 1]),
        ("", vec![5, 4, 3, 2, 1]),
    ] {
        assert_eq!(listed(store, text).await, expected, "{text}");
    }
    let health = store.health().await.unwrap();
    assert_eq!((health.events, health.quiet), (5, 2));
    let found = findings(store, "user:ann@x").await;
    assert_eq!(found.len(), 2, "the record that opens findings, and the failed check");
    assert_eq!(store.executions(&["e-3".to_owned(), "e-4".to_owned()]).await.unwrap().len(), 1);
}

const OLD: i64 = 1_000;
const CUT: i64 = 3_000;
const YOUNG: i64 = 5_000;

/// An action whose receipt names an execution.
async fn act(store: &dyn Store, execution: &str) {
    let base = action((1, "suspend", "ann@x"));
    let action = Action { actor: ann(), at: second(OLD), ..base };
    let lease = Lease { owner: "jump:7".to_owned(), until: second(YOUNG) };
    store
        .intend(&action, &lease, &Basis { same: Vec::new(), seen: Vec::new(), again: Again::No })
        .await
        .unwrap();
    let headers = vec![("x-okta-execution-id".to_owned(), execution.to_owned())];
    let receipt = Receipt { status: Some(200), headers, ..Receipt::default() };
    let settlement = Settlement { evidence: Evidence::Acknowledged, outcome: Outcome::Accepted, receipt };
    store.settle(action.id, &settlement, second(OLD)).await.unwrap();
}

async fn old_and_young(store: &dyn Store) {
    let plain = with(record("2", "log", &["bob@x", "ann@x"]), "check", "plain-log");
    store
        .append(vec![
            at(OLD, failed("1", "no-mfa", "high", &["ann@x"])),
            at(OLD, item(plain)),
            at(OLD, item(with(record("3", "log", &["carl@x"]), "opens", true))),
            at(OLD, item(with(record("4", "execution", &[]), "execution", "run-1"))),
            at(OLD, item(with(record("5", "execution", &[]), "execution", "run-2"))),
            at(YOUNG, item(record("6", "log", &["dora@x"]))),
            at(OLD, item(json!({ "id": "broken", "text": "panic" }))),
            at(YOUNG, item(record("7", "log", &["bob@x"]))),
            // It arrived late: what counts is when we learnt of it.
            at(CUT - 1, item(with(record("8", "log", &[]), "published", 9_000))),
        ])
        .await
        .unwrap();
    store.drained().await.unwrap();
    act(store, "run-1").await;
    let id = findings(store, "check:no-mfa").await[0].id;
    store.change(id, None, &Change::Note { text: "called".to_owned() }, &ann(), second(OLD)).await.unwrap();
}

async fn pruned(store: &dyn Store, most: usize) -> Vec<Pruned> {
    let mut bites = Vec::new();
    loop {
        bites.push(store.prune(second(CUT), most).await.unwrap());
        if !bites[bites.len() - 1].has_more {
            return bites;
        }
    }
}

async fn retention(store: &dyn Store) {
    old_and_young(store).await;
    let before = store.status().await.unwrap();
    assert_eq!((before.events, before.quiet, before.raws, before.digests), (8, 6, 8, 0));
    assert_eq!((before.oldest_raw, before.set_aside), (Some(second(OLD)), 1));
    let told = store.prunable(second(CUT)).await.unwrap();
    assert_eq!((told.records, told.raws), (3, 3));
    let journal = the_journal(store).await;

    let bites = pruned(store, 2).await;
    assert!(bites.len() >= 3 && bites.iter().all(|bite| bite.records + bite.raws <= 2), "{bites:?}");
    let sum = |of: fn(&Pruned) -> u64| bites.iter().map(of).sum::<u64>();
    let went = (sum(|bite| bite.records), sum(|bite| bite.raws), sum(|bite| bite.bytes));
    assert_eq!(went, (3, 3, told.bytes));
    assert_eq!(store.prunable(second(CUT)).await.unwrap(), Pruned::default());
    assert_eq!(store.prune(second(CUT), 2).await.unwrap(), Pruned::default());

    what_is_gone(store).await;
    what_stays(store).await;
    assert_eq!(the_journal(store).await, journal);
    let after = store.status().await.unwrap();
    assert_eq!((after.events, after.quiet, after.raws, after.digests), (5, 3, 2, 3));
    assert_eq!((after.oldest_raw, after.raw_bytes), (Some(second(YOUNG)), before.raw_bytes - told.bytes));
    assert_eq!((after.findings, after.actions, after.records), (2, 1, journal.len() as u64));
    assert_eq!((after.set_aside, after.pending), (1, 0), "what nobody could read is kept whole");
    a_repeat_of_what_is_gone(store).await;
}

async fn what_is_gone(store: &dyn Store) {
    assert_eq!(listed(store, "").await, [7, 6, 4, 3, 1]);
    for id in [2, 5, 8] {
        assert!(store.event(EventId(id)).await.unwrap().is_none());
        let users = store.event_users(EventId(id), &UserQuery::default(), From::Newest, 10).await.unwrap();
        assert!(users.rows.is_empty());
    }
    let gone: [(&str, &[i64]); 5] = [
        ("tag:hygiene", &[]),
        ("check:unused-log", &[]),
        ("user:bob*", &[7]),
        ("user:ann@x", &[1]),
        ("quiet:yes", &[7, 6, 4]),
    ];
    for (text, expected) in gone {
        assert_eq!(listed(store, text).await, expected, "{text}");
    }
    for id in [1, 3, 4] {
        let event = store.event(EventId(id)).await.unwrap().unwrap();
        assert_eq!((event.raw, event.description.len(), event.recommended_actions.len()), (None, 0, 0));
    }
}

async fn what_stays(store: &dyn Store) {
    let event = store.event(EventId(1)).await.unwrap().unwrap().event;
    assert_eq!((event.check.title.raw(), event.findings.open), ("Title of no-mfa", 1));
    let users = store.event_users(EventId(1), &UserQuery::default(), From::Newest, 10).await.unwrap().rows;
    let finding = users[0].finding.clone().unwrap();
    assert_eq!((users[0].login.raw(), store.history(finding.id).await.unwrap().len()), ("ann@x", 1));
    assert_eq!(findings(store, "").await.len(), 2);
    let young = store.event(EventId(6)).await.unwrap().unwrap();
    assert!(young.raw.is_some() && !young.description.is_empty());
    let executions = store.executions(&["run-1".to_owned(), "run-2".to_owned()]).await.unwrap();
    let ids: Vec<&str> = executions.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["run-1"], "what an action's receipt names stays beside it");
    let action = store.action(ActionId(uuid::Uuid::from_u128(1))).await.unwrap().unwrap();
    assert!(action.receipt.is_some());
}

/// It opens no row and counts nothing, but it is a delivery: the source is not silent.
async fn a_repeat_of_what_is_gone(store: &dyn Store) {
    let again = at(9_000, item(record("5", "execution", &[])));
    assert_eq!(
        store.import(vec![again.clone()]).await.unwrap(),
        Imported { repeated: 1, ..Imported::default() }
    );
    store.append(vec![again]).await.unwrap();
    store.drained().await.unwrap();
    let health = store.health().await.unwrap();
    assert_eq!((health.events, health.pending, health.last_received), (5, 0, Some(second(9_000))));
    assert_eq!(store.watch().borrow().newest_event, 8, "a number that was given is not given again");
    store.append(vec![at(9_000, item(record("9", "log", &[])))]).await.unwrap();
    store.drained().await.unwrap();
    assert_eq!(listed(store, "quiet:yes").await, [9, 7, 6, 4]);
}
