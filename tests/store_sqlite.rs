//! What only the SQLite store promises: group commit, crashes, two processes, whose files.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "store_support/mod.rs"]
mod store;

use futures_util::FutureExt as _;
use idtriage::domain::{EventId, Login};
use idtriage::store::files::throw_away_folder;
use idtriage::store::sqlite::SqliteStore;
use idtriage::store::{
    FindingFilter, From, InboxItem, OpenOptions, Pruned, Sequence, Store, StoreError, UserQuery,
};
use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::wait::within;
use store::{decode, failed, item, options, query, second};

struct Room {
    folder: tempfile::TempDir,
}

impl Room {
    fn new() -> Room {
        Room { folder: throw_away_folder("store-").unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("idtriage.db")
    }

    fn open(&self) -> Arc<SqliteStore> {
        self.open_with(options())
    }

    fn open_with(&self, options: OpenOptions) -> Arc<SqliteStore> {
        SqliteStore::open(&self.path(), decode(), options).unwrap()
    }
}

fn large(id: &str, users: usize) -> InboxItem {
    let users: Vec<String> = (0..users).map(|n| format!("user{n}@example.com")).collect();
    item(json!({ "id": id, "check": "no-mfa", "severity": "high", "users": users, "published": 1_000 }))
}

async fn findings(store: &dyn Store, limit: usize) -> usize {
    store.findings(&FindingFilter::default(), From::Newest, limit).await.unwrap().rows.len()
}

/// Waits until what is watched is so.
async fn until(store: &dyn Store, what: impl Fn(Sequence) -> bool) {
    let mut sequence = store.watch();
    within("what is watched", sequence.wait_for(|sequence| what(*sequence))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_event_does_not_delay_small_ones() {
    let room = Room::new();
    // Small slices: many come after the moment that is looked at.
    let store = room.open_with(OpenOptions { slice: 10, ..options() });
    store.append(vec![large("large", 50_000)]).await.unwrap();
    until(&*store, |sequence| sequence.newest_event >= 1).await;
    store.append(vec![failed("small", "no-mfa", "low", &["zoe@example.com"])]).await.unwrap();
    until(&*store, |sequence| sequence.newest_event >= 2).await;
    // Both as one read sees them.
    let seen = store.events(&query(""), From::Newest, 10).await.unwrap().rows;
    let open: Vec<u64> = seen.iter().map(|event| event.findings.open).collect();
    assert!(matches!(open[..], [1, 10..50_000]), "{open:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_event_is_expanded_to_its_last_user() {
    let room = Room::new();
    let store = room.open();
    store.append(vec![large("large", 50_000)]).await.unwrap();
    within("the expansion", store.drained()).await.unwrap();
    let large = store.event(EventId(1)).await.unwrap().unwrap().event;
    assert_eq!((large.findings.open, large.user_count), (50_000, 50_000));
    let last = store.event_users(EventId(1), &UserQuery::default(), From::Before(49_998), 10).await.unwrap();
    assert_eq!(last.rows[0].login, Login::new("user49999@example.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_end_in_the_middle_left_is_expanded_once() {
    let room = Room::new();
    let slices = OpenOptions { slice: 10, ..options() };
    let store = room.open_with(slices.clone());
    let items = (0..20).map(|n| failed(&n.to_string(), "no-mfa", "high", &["ann@example.com"]));
    store.append(items.chain([large("large", 3_000)]).collect()).await.unwrap();
    until(&*store, |sequence| sequence.newest_event >= 21).await;
    store.close().await.unwrap();
    let left = Connection::open(room.path()).unwrap();
    let left: i64 = left.query_row("SELECT count(*) FROM inbox", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 1, "the end came after the large one was expanded");

    let store = room.open_with(slices);
    store.drained().await.unwrap();
    let health = store.health().await.unwrap();
    assert_eq!((health.events, health.open_findings, health.pending), (21, 3_001, 0));
    assert_eq!(store.event(EventId(21)).await.unwrap().unwrap().event.findings.open, 3_000);
    assert_eq!(findings(&*store, 10_000).await, 3_001);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_appends_share_a_commit() {
    let room = Room::new();
    let store = room.open();
    let before = store.transactions();
    // While another process writes, this one's writer waits, and all that is asked of it is queued.
    let other = Connection::open(room.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut appends: Vec<_> = (0..500)
        .map(|n| failed(&n.to_string(), "no-mfa", "high", &["ann@example.com"]))
        .map(|item| store.append(vec![item]))
        .collect();
    for append in &mut appends {
        assert!(append.as_mut().now_or_never().is_none(), "nothing can be committed yet");
    }
    other.execute_batch("ROLLBACK").unwrap();
    for append in appends {
        within("a commit", append).await.unwrap();
    }
    within("the expansion", store.drained()).await.unwrap();
    let used = store.transactions() - before;
    // What the writer held when it began to wait, the rest, and their expansion.
    assert!(used <= 10, "{used} transactions");
    assert_eq!(store.health().await.unwrap().events, 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_stores_on_one_file_see_each_other() {
    let room = Room::new();
    let (one, two) = (room.open(), room.open());
    one.append(vec![failed("1", "no-mfa", "high", &["ann@example.com"])]).await.unwrap();
    until(&*two, |sequence| sequence.newest_event == 1).await;
    two.append(vec![failed("2", "no-mfa", "high", &["ann@example.com"])]).await.unwrap();
    until(&*one, |sequence| sequence.newest_event == 2).await;
    for store in [&one, &two] {
        let finding = &store.findings(&FindingFilter::default(), From::Newest, 10).await.unwrap().rows[0];
        assert_eq!(finding.times, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_that_begin_alike_are_found_beside_one_that_nobody_has() {
    let room = Room::new();
    let store = room.open();
    let users = ["Ann.Lee@example.com", "ann.lind@example.com", "anton@example.com", "zoe@example.com"];
    store.append(vec![large("large", 2_000), failed("1", "no-mfa", "high", &users)]).await.unwrap();
    store.drained().await.unwrap();
    let resembling = async |typed: &str| {
        let login = Login::new(typed);
        let beside = store.logins_beside(&login, 5).await.unwrap();
        let found: Vec<String> =
            login.resembled_by(beside, 5).iter().map(|login| login.raw().to_owned()).collect();
        found
    };
    assert_eq!(resembling("ann.le@example.com").await, ["Ann.Lee@example.com", "ann.lind@example.com"]);
    assert_eq!(resembling("an").await, ["Ann.Lee@example.com", "ann.lind@example.com", "anton@example.com"]);
    assert_eq!(resembling("zoe@example.com").await, [""; 0], "itself is no suggestion");
    assert_eq!(resembling("user42").await.len(), 5);
    assert_eq!(resembling("quentin").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_private() {
    let room = Room::new();
    let store = room.open();
    store.append(vec![failed("1", "no-mfa", "high", &["ann@example.com"])]).await.unwrap();
    for file in std::fs::read_dir(room.folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.file_name());
    }
}

fn refusal(path: &Path) -> String {
    match SqliteStore::open(path, decode(), options()) {
        Err(error @ StoreError::Open { .. }) => error.to_string(),
        other => panic!("opened: {other:?}"),
    }
}

fn private(path: &Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_our_store_is_refused_in_words() {
    let room = Room::new();
    room.open().close().await.unwrap();
    Connection::open(room.path()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(refusal(&room.path()).contains("newer version"));

    let foreign = room.folder.path().join("recipes.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE recipes (id)").unwrap();
    private(&foreign);
    assert!(refusal(&foreign).contains("another program"));

    let text = room.folder.path().join("notes.txt");
    std::fs::write(&text, "these are notes, and not at all a database".repeat(50)).unwrap();
    private(&text);
    assert!(refusal(&text).contains("not a database"));
}

#[tokio::test(flavor = "multi_thread")]
async fn free_text_is_made_again_when_it_is_missing() {
    let room = Room::new();
    let store = room.open();
    let paris = json!({ "id": "1", "check": "c", "users": ["ann@example.com"], "text": "paris" });
    store.append(vec![item(paris)]).await.unwrap();
    store.drained().await.unwrap();
    store.close().await.unwrap();
    drop(store);
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(room.folder.path().join(format!("idtriage-search.db{suffix}")));
    }
    let store = room.open();
    let mut watch = store.watch();
    let made = async {
        while store.events(&query("paris"), From::Newest, 10).await.unwrap().rows.is_empty() {
            watch.changed().await.unwrap();
        }
    };
    within("the free text", made).await;
}

/// The free text's own file, as another program sees it.
fn free_text(room: &Room) -> Connection {
    Connection::open(room.folder.path().join("idtriage-search.db")).unwrap()
}

fn with_word(words: &Connection, word: &str) -> Vec<i64> {
    let mut statement = words.prepare("SELECT rowid FROM words WHERE words MATCH ?1 ORDER BY rowid").unwrap();
    statement.query_map([word], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

/// Waits until the free text holds a word for these events.
async fn until_word(store: &dyn Store, words: &Connection, word: &str, events: &[i64]) {
    let mut changes = store.watch();
    let followed = async {
        while with_word(words, word) != events {
            changes.changed().await.unwrap();
        }
    };
    within(&format!("`{word}` in the free text"), followed).await;
}

fn log(id: &str, text: &str) -> InboxItem {
    item(json!({ "id": id, "kind": "log", "check": "signed.in", "users": ["ann@example.com"], "text": text }))
}

async fn prune_all(store: &dyn Store) -> Pruned {
    let mut all = Pruned::default();
    loop {
        let bite = store.prune(second(9_000), 500).await.unwrap();
        all.raws += bite.raws;
        all.records += bite.records;
        all.given_back += bite.given_back;
        if !bite.has_more {
            return all;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_retention_took_are_found_no_more() {
    let room = Room::new();
    let store = room.open();
    let text =
        json!({ "id": "1", "check": "c", "title": "Travel", "users": ["ann@example.com"], "text": "paris" });
    store.append(vec![item(text), log("2", "paris"), log("3", "rome")]).await.unwrap();
    store.drained().await.unwrap();
    let words = free_text(&room);
    until_word(&*store, &words, "paris", &[1, 2]).await;
    until_word(&*store, &words, "rome", &[3]).await;

    prune_all(&*store).await;
    // The newest ones are gone too: what comes next is found, and nothing is made anew for it.
    until_word(&*store, &words, "paris", &[]).await;
    until_word(&*store, &words, "rome", &[]).await;
    until_word(&*store, &words, "travel", &[1]).await;
    until_word(&*store, &words, "ann", &[1]).await;
    words.execute("DELETE FROM words WHERE rowid = 1", []).unwrap();
    store.append(vec![log("4", "oslo")]).await.unwrap();
    store.drained().await.unwrap();
    until_word(&*store, &words, "oslo", &[4]).await;
    assert_eq!(with_word(&words, "travel"), [0; 0], "the free text was begun again");
    for word in ["paris", "rome"] {
        assert!(store.events(&query(word), From::Newest, 10).await.unwrap().rows.is_empty());
        assert_eq!(store.count_events(&query(word), None).await.unwrap().total, 0);
    }
    // What was followed is not kept: the next look takes it out of the store.
    store.prune(second(1), 1).await.unwrap();
    let db = Connection::open(room.path()).unwrap();
    assert_eq!(db.query_row("SELECT count(*) FROM erased", [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

/// As where a copy of the free text is put back that does not know of the last pruning.
#[tokio::test(flavor = "multi_thread")]
async fn free_text_that_missed_a_pruning_is_made_again() {
    let room = Room::new();
    let store = room.open();
    store.append(vec![failed("1", "travel", "low", &[]), log("2", "paris")]).await.unwrap();
    store.drained().await.unwrap();
    let words = free_text(&room);
    until_word(&*store, &words, "travel", &[1]).await;
    prune_all(&*store).await;
    until_word(&*store, &words, "paris", &[]).await;
    store.prune(second(1), 1).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    words.execute_batch("UPDATE progress SET erased = 0; DELETE FROM words WHERE rowid = 1").unwrap();
    let store = room.open();
    until_word(&*store, &words, "travel", &[1]).await;
    assert_eq!(with_word(&words, "paris"), [0; 0]);
}

/// The first form of the free text could not forget.
#[tokio::test(flavor = "multi_thread")]
async fn free_text_of_an_earlier_form_is_made_again() {
    const FIRST: &str = include_str!("../src/store/migrations/search_0001_words.sql");
    let room = Room::new();
    let store = room.open();
    store.append(vec![failed("1", "travel", "low", &[])]).await.unwrap();
    store.drained().await.unwrap();
    store.close().await.unwrap();
    drop(store);
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(room.folder.path().join(format!("idtriage-search.db{suffix}")));
    }
    let earlier = free_text(&room);
    private(&room.folder.path().join("idtriage-search.db"));
    earlier.execute_batch(FIRST).unwrap();
    earlier.execute_batch("INSERT INTO progress VALUES (1, 'of another store', 7)").unwrap();
    earlier.pragma_update(None, "application_id", 0x6964_7473).unwrap();
    earlier.pragma_update(None, "user_version", 1).unwrap();
    drop(earlier);
    let store = room.open();
    until_word(&*store, &free_text(&room), "travel", &[1]).await;
}

fn heavy(n: usize) -> InboxItem {
    item(json!({ "id": n.to_string(), "kind": "log", "text": "x".repeat(20_000) }))
}

fn pages(room: &Room) -> i64 {
    let db = Connection::open(room.path()).unwrap();
    db.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn much_free_space_goes_back_to_the_disk() {
    let room = Room::new();
    let store = room.open();
    store.append((0..600).map(heavy).collect()).await.unwrap();
    store.drained().await.unwrap();
    let before = pages(&room);
    let pruned = prune_all(&*store).await;
    assert_eq!(pruned.records, 600);
    let status = store.status().await.unwrap();
    assert!(status.can_shrink && pruned.given_back > 0, "{pruned:?}");
    assert!(pages(&room) < before / 2, "{} of {before} pages", pages(&room));
    // The next ones find room, and everything is sound.
    store.append((600..700).map(heavy).collect()).await.unwrap();
    store.drained().await.unwrap();
    assert_eq!(store.health().await.unwrap().events, 100);
    let db = Connection::open(room.path()).unwrap();
    let sound: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
}

/// A file that was made before: its space is used again, and it says that it does not shrink.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_an_earlier_version_does_not_shrink() {
    let room = Room::new();
    let db = Connection::open(room.path()).unwrap();
    db.execute_batch("CREATE TABLE t (a); DROP TABLE t").unwrap();
    drop(db);
    private(&room.path());
    let store = room.open();
    store.append((0..200).map(heavy).collect()).await.unwrap();
    store.drained().await.unwrap();
    let before = pages(&room);
    assert_eq!(prune_all(&*store).await.given_back, 0);
    let status = store.status().await.unwrap();
    assert!(!status.can_shrink && status.free > 1 << 20, "{status:?}");
    store.append((200..300).map(heavy).collect()).await.unwrap();
    store.drained().await.unwrap();
    assert_eq!(pages(&room), before);
}

/// A console that goes to the background stops in the middle of whatever it does.
#[tokio::test(flavor = "multi_thread")]
async fn others_may_write_while_a_store_is_held_still() {
    let room = Room::new();
    let (held, other) = (room.open(), room.open());
    let still = within("the store to be still", held.still()).await;
    let mut waits = held.append(vec![large("waits", 2)]);
    assert!((&mut waits).now_or_never().is_none());
    within("the other to write", other.append(vec![large("written", 1)])).await.unwrap();
    within("the other to expand", other.drained()).await.unwrap();
    assert_eq!(findings(other.as_ref(), 10).await, 1);
    assert!((&mut waits).now_or_never().is_none());
    drop(still);
    within("what waited", waits).await.unwrap();
    within("both to be expanded", held.drained()).await.unwrap();
    assert_eq!(findings(held.as_ref(), 10).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_store_cannot_be_written_and_says_so() {
    let room = Room::new();
    let store = room.open_with(OpenOptions { busy: std::time::Duration::from_millis(20), ..options() });
    let other = Connection::open(room.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.append(vec![failed("1", "c", "low", &[])]).await.unwrap_err();
    assert!(matches!(error, StoreError::NotWritable(_)));
    assert!(error.to_string().contains("it is locked by another process (`"), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    store.append(vec![failed("1", "c", "low", &[])]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_read_leaves_its_connection_usable() {
    let room = Room::new();
    let store = room.open();
    store.append(vec![large("large", 2_000)]).await.unwrap();
    store.drained().await.unwrap();
    for _ in 0..20 {
        let abandoned = query("-user:*nobody*");
        let read = store.count_events(&abandoned, None);
        tokio::select! { biased; _ = read => {}, () = std::future::ready(()) => {} }
    }
    assert_eq!(store.count_events(&query("-user:*nobody*"), None).await.unwrap().total, 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// However often and in whatever order deliveries come, the findings are the same.
    #[test]
    fn replays_change_nothing(deliveries in proptest::collection::vec(0usize..8, 1..40), split in 1usize..10) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let room = Room::new();
            let store = room.open_with(OpenOptions { slice: split, ..options() });
            for chunk in deliveries.chunks(split) {
                store.append(chunk.iter().map(|n| delivery(*n)).collect()).await.unwrap();
            }
            store.drained().await.unwrap();
            let mut distinct = deliveries.clone();
            distinct.sort_unstable();
            distinct.dedup();
            let events = store.events(&query(""), From::Newest, 100).await.unwrap().rows;
            prop_assert_eq!(events.len(), distinct.len());
            prop_assert_eq!(events.iter().map(|event| event.times).sum::<u64>(), deliveries.len() as u64);
            let findings = store.findings(&FindingFilter::default(), From::Newest, 100).await.unwrap().rows;
            let counted: u64 = findings.iter().map(|finding| finding.times).sum();
            prop_assert_eq!(counted, distinct.len() as u64 * 2);
            prop_assert_eq!(store.health().await.unwrap().open_findings, findings.len() as u64);
            for event in events {
                prop_assert_eq!(event.findings.open, 2);
            }
            Ok(())
        })?;
    }
}

/// One of eight elements: two checks, overlapping users, one of them spelled twice.
fn delivery(n: usize) -> InboxItem {
    let users =
        [format!("user{}@example.com", n / 2), "ann@example.com".to_owned(), "ANN@example.com".to_owned()];
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    failed(&n.to_string(), if n.is_multiple_of(2) { "no-mfa" } else { "travel" }, "high", &users)
}
