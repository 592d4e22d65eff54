//! A store that an earlier version wrote, with actions in it: nothing of it is lost, and the journal
//! still holds.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use idtriage::domain::journal::{Head, Record, RecordKind};
use idtriage::domain::{ActionId, Evidence, Outcome};
use idtriage::store::ActionFilter;
use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use support::payload::failed_check;
use support::place::{HOOK_SECRET, Place};
use support::poster::post;
use uuid::Uuid;

/// What marks a file as ours.
const APPLICATION: i32 = 0x6964_7472;
const FIRST: &str = include_str!("../src/store/migrations/0001_tables.sql");
const SECOND: &str = include_str!("../src/store/migrations/0002_action_targets.sql");
const THIRD: &str = include_str!("../src/store/migrations/0003_journal_digest.sql");

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_750_000_000 + second).unwrap()
}

fn id(n: u128) -> ActionId {
    ActionId(Uuid::from_u128(n))
}

/// An action as the first version kept it: without the account that it was sent to.
fn keep_action(db: &Connection, n: u128, login: &str, how: (Evidence, Outcome), receipt: Option<Value>) {
    let request = json!({ "method": "POST", "url": "https://a/invoke", "headers": [], "body": "{}" });
    let actor = json!({ "user": "ops", "host": "jump" });
    let when = at(n.try_into().unwrap()).as_microsecond();
    db.execute(
        "INSERT INTO actions (id, flow, login, shown, verb, risk, evidence, outcome, request, receipt, \
         actor, at, owner, lease_until) \
         VALUES (?1, 'suspend-okta-account', ?2, ?2, 'suspend', 'medium', ?3, ?4, ?5, ?6, ?7, ?8, 'jump:1:1', ?8)",
        params![
            id(n).to_string(),
            login,
            how.0.word(),
            how.1.word(),
            request.to_string(),
            receipt.map(|receipt| receipt.to_string()),
            actor.to_string(),
            when,
        ],
    )
    .unwrap();
}

fn keep_record(db: &Connection, after: Option<&Head>, kind: RecordKind, n: u128) -> Head {
    let content = json!({ "action": id(n), "flow": "suspend-okta-account", "login": "ann@example.com" });
    let record = Record::after(after, at(n.try_into().unwrap()), kind, content.to_string());
    db.execute(
        "INSERT INTO journal (seq, at, kind, content, content_sha256, previous, hash) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            i64::try_from(record.seq).unwrap(),
            record.at.as_microsecond(),
            record.kind.word(),
            record.content,
            record.digest,
            record.previous,
            record.hash,
        ],
    )
    .unwrap();
    record.head()
}

/// A store of the first version with an action that was accepted and one that a crash left behind;
/// gives the journal's head.
fn first_version(place: &Place) -> Head {
    place.write("state/idtriage/idtriage.db", "");
    let db = Connection::open(place.store_file()).unwrap();
    db.execute_batch(FIRST).unwrap();
    db.pragma_update(None, "application_id", APPLICATION).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    let receipt = json!({ "status": 200, "headers": [], "body": "{}", "at": "2025-06-15T15:06:41.000Z" });
    keep_action(&db, 1, "ann@example.com", (Evidence::Acknowledged, Outcome::Accepted), Some(receipt));
    keep_action(&db, 2, "ann@example.com", (Evidence::Sent, Outcome::Pending), None);
    let first = keep_record(&db, None, RecordKind::Intended, 1);
    let second = keep_record(&db, Some(&first), RecordKind::Settled, 1);
    keep_record(&db, Some(&second), RecordKind::Intended, 2)
}

/// An event as the third version kept it, a long time ago.
fn keep_event(db: &Connection, id: i64, raw: &str) {
    db.execute("INSERT OR IGNORE INTO sources VALUES (1, 'cii-webhook', 'cii-webhook')", []).unwrap();
    db.execute("INSERT OR IGNORE INTO checks VALUES (1, 'no-mfa', 'No MFA', 'no-mfa', 'no mfa')", [])
        .unwrap();
    db.execute(
        "INSERT INTO events (id, kind, severity, source_ref, check_ref, received, user_count, first_users, \
         severity_raw, key) VALUES (?1, 'failed-check', 4, 1, 1, ?2, 0, '[]', 'high', ?3)",
        params![id, at(id).as_microsecond(), format!("cii:{id}")],
    )
    .unwrap();
    db.execute(
        "INSERT INTO event_texts VALUES (?1, '[\"said of somebody\"]', '[]', NULL, ?2)",
        params![id, raw],
    )
    .unwrap();
    db.execute("UPDATE event_totals SET events = events + 1, last_received = ?1", [at(id).as_microsecond()])
        .unwrap();
}

#[test]
fn events_of_an_earlier_version_are_pruned_as_those_of_today() {
    let place = Place::with_source();
    place.write("state/idtriage/idtriage.db", "");
    let db = Connection::open(place.store_file()).unwrap();
    for step in [FIRST, SECOND, THIRD] {
        db.execute_batch(step).unwrap();
    }
    db.pragma_update(None, "application_id", APPLICATION).unwrap();
    db.pragma_update(None, "user_version", 3).unwrap();
    let receipt = json!({ "status": 200, "headers": [], "body": "{}", "execution_id": "run-1" });
    keep_action(&db, 1, "ann@example.com", (Evidence::Acknowledged, Outcome::Accepted), Some(receipt));
    keep_event(&db, 1, r#"{"a":"é"}"#);
    keep_event(&db, 2, "{}");
    drop(db);

    let status = place.run_json(&["store", "status"]).expect(0).json_lines().remove(0);
    assert_eq!(
        (&status["raw_texts"], &status["raw_bytes"], &status["quiet"]),
        (&json!(2), &json!(12), &json!(0))
    );
    assert_eq!((&status["can_shrink"], &status["keep_seconds"]), (&json!(false), &json!(null)));
    assert_eq!(status["oldest_raw"], json!("2025-06-15T15:06:41.000Z"));

    let unsaid = place.run(&["store", "prune"]).expect(2);
    assert!(unsaid.errors.contains("hint: `--keep 90d`, or `[store] keep`"), "{}", unsaid.errors);
    let refused = place.run(&["--read-only", "store", "prune", "--keep", "1d"]).expect(1);
    assert!(refused.errors.contains("pruning is refused"), "{}", refused.errors);
    let would = place.run_json(&["store", "prune", "--keep", "1d", "--dry-run"]).expect(0).json_lines();
    assert_eq!((&would[0]["raw_texts"], &would[0]["dry_run"]), (&json!(2), &json!(true)));
    let went = place.run_json(&["store", "prune", "--keep", "1d"]).expect(0).json_lines();
    assert_eq!((&went[0]["raw_texts"], &went[0]["bytes"]), (&json!(2), &json!(12)));
    assert_eq!(place.all("events").len(), 2);
    let shown = place.run_json(&["events", "show", "1", "--raw"]).expect(0).json_lines().remove(0);
    assert_eq!((&shown["raw"], &shown["description"]), (&json!(null), &json!([])));
    let journal = place.run_json(&["journal", "list"]).expect(0).json_lines();
    let content = &journal[0]["content"];
    assert_eq!((&journal[0]["kind"], &content["setting"]), (&json!("setting"), &json!("store.pruned")));
    place.run(&["journal", "verify"]).expect(0);

    let db = Connection::open(place.store_file()).unwrap();
    let named: String =
        db.query_row("SELECT execution FROM action_executions", [], |row| row.get(0)).unwrap();
    assert_eq!(named, "run-1", "the record of that run will stay beside the action");
}

#[test]
fn actions_of_the_first_version_are_kept() {
    let place = Place::with_source();
    let head = first_version(&place);
    fs::set_permissions(place.store_file(), Permissions::from_mode(0o600)).unwrap();
    let told = place.run(&["--read-only", "journal", "verify"]).expect(2);
    assert!(told.errors.contains("older version") && told.errors.contains("hint:"), "{}", told.errors);

    let kept = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = place.store();
        let kept = store.actions(&ActionFilter::default(), None, 10).await.unwrap().rows;
        store.close().await.unwrap();
        kept
    });
    let seen: Vec<_> = kept.iter().map(|a| (a.id, a.evidence, a.outcome, a.target_id.clone())).collect();
    let pending = (id(2), Evidence::Sent, Outcome::Pending, None);
    assert_eq!(seen, [pending, (id(1), Evidence::Acknowledged, Outcome::Accepted, None)]);
    assert_eq!(kept[1].receipt.as_ref().unwrap().status, Some(200));

    // What a crash left becomes unknown, as it does in a store of today.
    let records = place.run_json(&["journal", "list"]).expect(0).json_lines();
    assert_eq!((records.len(), &records[0]["kind"]), (4, &json!("expired")), "{records:?}");
    place.run(&["journal", "verify", "--head", &head.to_string()]).expect(0);
    let _collect = place.collect();
    let message = failed_check("e-1", "ann@example.com").to_string();
    assert_eq!(post(place.listen(), HOOK_SECRET, &message), 200);
    assert_eq!(place.all("events").len(), 1);
}
