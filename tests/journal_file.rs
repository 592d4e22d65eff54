//! A journal in a real file: whatever is changed in it, by SQL or byte by byte, the first record that is not what
//! it was is named.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "store_support/mod.rs"]
mod store;

use idtriage::domain::Actor;
use idtriage::domain::journal::query::JournalQuery;
use idtriage::domain::journal::told::Told;
use idtriage::domain::journal::{Broken, Head, Record, RecordKind};
use idtriage::store::chain::{self, Verdict};
use idtriage::store::files::throw_away_folder;
use idtriage::store::sqlite::SqliteStore;
use idtriage::store::{Access, From, OpenOptions, Store};
use jiff::Timestamp;
use rstest::rstest;
use rusqlite::types::Value;
use rusqlite::{Connection, params};
use std::path::PathBuf;
use std::sync::Arc;
use store::{decode, options, second};

struct Room {
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Room {
    /// A store's file with a journal of all kinds of records.
    fn with_records(count: usize) -> (Room, Vec<Record>) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let room = Room { folder: throw_away_folder("journal-").unwrap(), runtime };
        room.runtime.block_on(async { room.open(Access::Write).close().await.unwrap() });
        let records = records(count);
        let db = room.sql();
        db.execute_batch("BEGIN").unwrap();
        records.iter().for_each(|record| write(&db, record));
        db.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        (room, records)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("idtriage.db")
    }

    fn open(&self, access: Access) -> Arc<SqliteStore> {
        let _inside = self.runtime.enter();
        SqliteStore::open(&self.path(), decode(), OpenOptions { access, ..options() }).unwrap()
    }

    /// Somebody with the file in hand: no crash is waited for.
    fn sql(&self) -> Connection {
        let db = Connection::open(self.path()).unwrap();
        db.pragma_update(None, "synchronous", "OFF").unwrap();
        db
    }

    /// The records alone: what they are found by is a matter of its own.
    fn verify(&self, store: &dyn Store, kept: Option<Head>) -> Verdict {
        let verdict = self.runtime.block_on(chain::verify(store, kept)).unwrap();
        let broken = verdict.broken.filter(|broken| !matches!(broken, Broken::Unfound(_)));
        Verdict { broken, ..verdict }
    }
}

fn records(count: usize) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    for n in 0..count {
        let at = Timestamp::from_millisecond(1_700_000_000_123 + i64::try_from(n).unwrap() * 7).unwrap();
        let kind = RecordKind::ALL[n % RecordKind::ALL.len()];
        let content = format!(r#"{{"n":{n},"login":"{}"}}"#, ["ann", "Zoë", "李", ""][n % 4]);
        let head = records.last().map(Record::head);
        records.push(Record::after(head.as_ref(), at, kind, content));
    }
    records
}

fn write(db: &Connection, record: &Record) {
    let seq = i64::try_from(record.seq).unwrap();
    let at = record.at.as_microsecond();
    let (kind, content) = (record.kind.word(), &record.content);
    db.prepare_cached("INSERT INTO journal VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
        .unwrap()
        .execute(params![seq, at, kind, content, record.digest, record.previous, record.hash])
        .unwrap();
}

/// The place that is named.
fn named(broken: &Broken) -> u64 {
    match broken {
        Broken::Missing { expected, .. } => *expected,
        Broken::Content(at)
        | Broken::Gone(at)
        | Broken::Link(at)
        | Broken::Hash(at)
        | Broken::Damaged(at, _)
        | Broken::Unfound(at)
        | Broken::Head(at) => *at,
    }
}

/// Every text that differs from one by a byte, by one more or one less, by its case, or altogether.
fn other_texts(text: &str, n: usize) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let flipped = (0..bytes.len()).map(|at| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1 << ((n + at) % 8);
        bytes
    });
    let longer = [b" ".as_slice(), b"\0", b"\xff"].map(|more| [bytes, more].concat());
    let shorter = bytes.split_last().map(|(_, rest)| rest.to_vec());
    let cased =
        [text.to_uppercase(), format!(" {text}"), String::new(), "x".to_owned()].map(String::into_bytes);
    let all = flipped.chain(longer).chain(shorter).chain(cased);
    all.filter(|other| other != bytes).collect()
}

fn other_numbers(number: i64) -> Vec<i64> {
    let flipped = (0..64).map(|bit| number ^ (1_i64 << bit));
    flipped
        .chain([number + 1_000, number - 1_000, 0, -1, i64::MAX, i64::MIN])
        .filter(|other| *other != number)
        .collect()
}

/// Every other value of a column.
fn others(record: &Record, column: &str, n: usize) -> Vec<Value> {
    let texts = |text: &str| other_texts(text, n).into_iter().map(Value::Blob).collect();
    match column {
        "seq" => other_numbers(i64::try_from(record.seq).unwrap()).into_iter().map(Value::Integer).collect(),
        "at" => other_numbers(record.at.as_microsecond()).into_iter().map(Value::Integer).collect(),
        "kind" => {
            let kinds = RecordKind::ALL.into_iter().filter(|kind| *kind != record.kind);
            let kinds = kinds.map(|kind| Value::Blob(kind.word().as_bytes().to_vec()));
            kinds.chain(texts(record.kind.word())).collect::<Vec<Value>>()
        }
        "content" => texts(record.content.as_deref().unwrap()),
        "digest" => texts(&record.digest),
        "previous" => texts(&record.previous),
        _ => texts(&record.hash),
    }
}

const COLUMNS: [&str; 7] = ["seq", "at", "kind", "content", "digest", "previous", "hash"];

/// Changes one value, says what is found, and puts the old one back. `None` where the file takes no such value.
fn changed(
    room: &Room,
    db: &Connection,
    store: &dyn Store,
    (seq, column): (u64, &str),
    to: &Value,
) -> Option<Verdict> {
    let seq = i64::try_from(seq).unwrap();
    let is_text = matches!(to, Value::Blob(_));
    let set = if is_text { format!("{column} = CAST(?1 AS TEXT)") } else { format!("{column} = ?1") };
    db.execute_batch("CREATE TEMP TABLE IF NOT EXISTS whole AS SELECT * FROM journal WHERE FALSE").unwrap();
    db.execute("INSERT INTO whole SELECT * FROM journal WHERE seq = ?1", [seq]).unwrap();
    let update =
        db.prepare_cached(&format!("UPDATE journal SET {set} WHERE seq = ?2")).unwrap().execute((to, seq));
    // A place that another record has is taken.
    let verdict = update.is_ok().then(|| room.verify(store, None));
    let now =
        if let (Value::Integer(place), "seq", true) = (to, column, update.is_ok()) { *place } else { seq };
    db.prepare_cached("DELETE FROM journal WHERE seq = ?1").unwrap().execute([now]).unwrap();
    db.execute_batch("INSERT INTO journal SELECT * FROM whole; DELETE FROM whole").unwrap();
    verdict
}

#[test]
fn every_change_of_every_column_of_every_record_is_found_at_its_record() {
    let (room, records) = Room::with_records(12);
    let (db, store) = (room.sql(), room.open(Access::Read));
    let mut checked = 0;
    for (n, record) in records.iter().enumerate() {
        for column in COLUMNS {
            for to in others(record, column, n) {
                let Some(verdict) = changed(&room, &db, &*store, (record.seq, column), &to) else { continue };
                let broken = verdict.broken.unwrap_or_else(|| panic!("{column} of {}: {to:?}", record.seq));
                let is_named =
                    named(&broken) == record.seq || (column == "seq" && named(&broken) < record.seq);
                assert!(is_named, "{column} of {}: {to:?}: {broken}", record.seq);
                checked += 1;
            }
        }
    }
    assert!(checked > 12 * 300, "{checked}");
    assert_eq!(room.verify(&*store, None).head, records.last().map(Record::head), "all is as it was");
}

#[test]
fn a_content_that_is_gone_is_found() {
    let (room, records) = Room::with_records(5);
    let store = room.open(Access::Read);
    room.sql().execute("UPDATE journal SET content = NULL WHERE seq IN (3, 4)", []).unwrap();
    for kept in [None, records.last().map(Record::head)] {
        let verdict = room.verify(&*store, kept);
        assert_eq!((verdict.broken, verdict.head), (Some(Broken::Gone(3)), Some(records[1].head())));
    }
}

#[test]
fn a_change_deep_in_a_long_journal_is_found() {
    let (room, records) = Room::with_records(3_000);
    let (db, store) = (room.sql(), room.open(Access::Read));
    let mut changes = 0;
    for (n, record) in records.iter().enumerate().skip(41).step_by(331) {
        for (at, column) in COLUMNS.into_iter().enumerate() {
            let all = others(record, column, n);
            let to = &all[(n + at) % all.len()];
            let Some(verdict) = changed(&room, &db, &*store, (record.seq, column), to) else { continue };
            let broken = verdict.broken.unwrap();
            assert!(named(&broken) == record.seq || column == "seq", "{column} of {}: {broken}", record.seq);
            changes += 1;
        }
    }
    assert!(changes > 50, "{changes}");
}

/// Where a record's values stand in the file: one behind the other, its time first, in eight bytes.
fn bytes_of(file: &[u8], record: &Record) -> std::ops::Range<usize> {
    let content = record.content.as_deref().unwrap();
    let whole = [record.kind.word(), content, &record.digest, &record.previous, &record.hash].concat();
    let at = file.windows(whole.len()).position(|window| window == whole.as_bytes()).unwrap();
    at - 8..at + whole.len()
}

#[test]
fn a_byte_of_the_file_itself_is_found() {
    let (room, records) = Room::with_records(7);
    let file = std::fs::read(room.path()).unwrap();
    let mut checked = 0;
    for (n, record) in records.iter().enumerate() {
        for at in bytes_of(&file, record).skip(n).step_by(7) {
            let mut changed = file.clone();
            changed[at] ^= 1 << (at % 8);
            std::fs::write(room.path(), &changed).unwrap();
            let store = room.open(Access::Read);
            let broken =
                room.verify(&*store, None).broken.unwrap_or_else(|| panic!("byte {at} of {}", record.seq));
            assert_eq!(named(&broken), record.seq, "byte {at}: {broken}");
            room.runtime.block_on(store.close()).unwrap();
            checked += 1;
        }
    }
    assert!(checked > 150, "{checked}");
}

#[rstest]
#[case::first("DELETE FROM journal WHERE seq = 1", 1)]
#[case::several("DELETE FROM journal WHERE seq BETWEEN 4 AND 6", 4)]
#[case::reordered(
    "UPDATE journal SET seq = -seq WHERE seq IN (3, 4); UPDATE journal SET seq = 4 WHERE seq = -3; UPDATE journal SET seq = 3 WHERE seq = -4",
    3
)]
#[case::closed_up("DELETE FROM journal WHERE seq = 5; UPDATE journal SET seq = seq - 1 WHERE seq > 5", 5)]
#[case::doubled(
    "UPDATE journal SET seq = 99 WHERE seq = 9; INSERT INTO journal SELECT 9, at, kind, content, digest, previous, hash FROM journal WHERE seq = 8",
    9
)]
fn what_is_removed_reordered_or_put_in_is_found(#[case] sql: &str, #[case] place: u64) {
    let (room, _) = Room::with_records(9);
    room.sql().execute_batch(sql).unwrap();
    let broken = room.verify(&*room.open(Access::Read), None).broken.unwrap();
    assert_eq!(named(&broken), place, "{broken}");
}

#[test]
fn what_is_spliced_in_and_what_is_cut_off_are_found() {
    let (room, records) = Room::with_records(9);
    let (db, store) = (room.sql(), room.open(Access::Read));
    let kept = records.last().map(Record::head);
    assert_eq!(room.verify(&*store, kept.clone()).broken, None);
    // Another journal's end behind our beginning.
    let mut other: Vec<Record> = records[..5].to_vec();
    for ours in &records[5..] {
        let head = other.last().map(Record::head);
        other.push(Record::after(head.as_ref(), ours.at, ours.kind, r#"{"login":"eve"}"#.to_owned()));
    }
    db.execute("DELETE FROM journal WHERE seq > 6", []).unwrap();
    other[6..].iter().for_each(|record| write(&db, record));
    assert_eq!(room.verify(&*store, None).broken, Some(Broken::Link(7)));
    // Written anew from where it parts, it holds by itself, and not against the head that was kept.
    db.execute("DELETE FROM journal WHERE seq = 6", []).unwrap();
    write(&db, &other[5]);
    assert_eq!(room.verify(&*store, None).broken, None);
    assert_eq!(room.verify(&*store, kept.clone()).broken, Some(Broken::Head(9)));
    db.execute("DELETE FROM journal WHERE seq > 4", []).unwrap();
    assert_eq!(room.verify(&*store, None).broken, None, "by itself it cannot be told");
    assert_eq!(room.verify(&*store, kept).broken, Some(Broken::Head(9)));
}

#[test]
fn what_the_store_writes_is_sealed_whole_and_goes_on_behind_a_damaged_record() {
    let (room, _) = Room::with_records(2);
    let db = room.sql();
    db.execute("UPDATE journal SET kind = 'seen' WHERE seq = 2", []).unwrap();
    let store = room.open(Access::Write);
    let actor = Actor { user: "root".into(), host: "h".into(), ..Actor::default() };
    let at = Timestamp::from_nanosecond(1_700_000_100_123_456_789).unwrap();
    let page = room.runtime.block_on(async {
        store.set_setting("x", "on", &actor, at).await.unwrap();
        store.journal_page(&JournalQuery::default(), second(0), From::Newest, 9).await.unwrap()
    });
    let said: Vec<(u64, Option<String>)> = page
        .rows
        .iter()
        .map(|record| (record.seq, record.damage.as_ref().map(ToString::to_string)))
        .collect();
    assert_eq!(said, [(3, None), (2, Some("its kind is `seen`, which is none".to_owned())), (1, None)]);
    let kept: i64 = db.query_row("SELECT at FROM journal WHERE seq = 3", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 1_700_000_100_123_000);
    let broken = room.verify(&*store, None).broken.unwrap().to_string();
    assert_eq!(broken, "record 2 is damaged: its kind is `seen`, which is none");
    db.execute("UPDATE journal SET kind = 'settled' WHERE seq = 2", []).unwrap();
    assert_eq!(room.verify(&*store, None).broken, None);
}

/// Whoever hides somebody from a search may leave the records alone.
#[rstest]
#[case("DELETE FROM journal_terms WHERE name = 'user' AND seq > 2", Some(3))]
#[case("UPDATE journal_terms SET value = 'bob' WHERE name = 'user' AND seq = 2", Some(2))]
#[case("INSERT INTO journal_terms VALUES ('user', 'bob', 5)", Some(5))]
#[case("INSERT INTO journal_terms VALUES ('user', 'bob', 99)", Some(99))]
#[case("UPDATE journal_terms SET value = value", None)]
fn what_records_are_found_by_is_held_to_them(#[case] change: &str, #[case] first: Option<u64>) {
    let (room, records) = Room::with_records(8);
    let db = room.sql();
    for record in &records {
        for (name, value) in Told::of(record).terms() {
            let row = params![name, value, i64::try_from(record.seq).unwrap()];
            db.execute("INSERT OR IGNORE INTO journal_terms VALUES (?1, ?2, ?3)", row).unwrap();
        }
    }
    db.execute_batch(change).unwrap();
    let store = room.open(Access::Read);
    let verdict = room.runtime.block_on(chain::verify(&*store, records.last().map(Record::head))).unwrap();
    assert_eq!(verdict.broken, first.map(Broken::Unfound));
}

#[test]
fn a_journal_of_an_older_version_is_found_by_its_values_and_holds() {
    let (room, records) = Room::with_records(8);
    let db = room.sql();
    // As it was kept before: with digits that nothing sealed, and without what it is found by.
    db.execute_batch(
        "DROP INDEX actions_undoes; DROP INDEX bulk_users_undone; ALTER TABLE bulk_users DROP COLUMN undone; \
         ALTER TABLE actions DROP COLUMN undone; ALTER TABLE bulk_users DROP COLUMN event; ALTER TABLE bulk_users DROP COLUMN body_sha256; \
         ALTER TABLE bulk_users DROP COLUMN account_login; ALTER TABLE bulk_users DROP COLUMN undoes; \
         ALTER TABLE actions DROP COLUMN account_login; DROP INDEX journal_at; DROP TABLE journal_terms; \
         UPDATE journal SET at = at + 567",
    )
    .unwrap();
    db.pragma_update(None, "user_version", 10).unwrap();
    let store = room.open(Access::Write);
    let query = JournalQuery::parse("user:ZOË").unwrap();
    let page = room.runtime.block_on(store.journal_page(&query, second(0), From::Newest, 9)).unwrap();
    assert_eq!(page.rows.iter().map(|record| record.seq).collect::<Vec<_>>(), [6, 2]);
    assert_eq!(room.verify(&*store, records.last().map(Record::head)).broken, None);
}
