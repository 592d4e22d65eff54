//! What retention takes, and what the store holds.
//!
//! Two things go once they are old: a record that opened no finding goes whole, and leaves its key, so
//! that a repeat of it is still a repeat; of every other event the raw text goes, with the description
//! and the recommendations, and the row, its users, findings and history stay. What was set aside stays
//! whole: it is evidence that nobody has read yet. What is still being expanded is passed over.
//!
//! The walk goes along an index of what it has not come by, oldest first, so that finding nothing costs
//! nothing however much is stored.

use super::rows::{count, instant_option, signed, unsigned};
use crate::store::{Pruned, StoreStatus};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result, Row};

/// A bite ends before it frees more text, or more users' rows, than this: whoever waits for the writer
/// waits for a bite.
const MOST_BYTES: u64 = 16 << 20;
const MOST_USERS: u64 = 5_000;
/// Space that was freed is used again. Only where more than one page in so many is free, the file shrinks,
/// this many pages a bite.
const FREE_PAGES: u64 = 8;
const PAGES: u64 = 512;
/// `PRAGMA auto_vacuum` of a file that can shrink.
const INCREMENTAL: i64 = 2;

/// What is old, and whether it goes whole. An event that is counted by a finding never does, and a record
/// of an execution that an action's receipt names stays beside the action.
const OLD: &str = "SELECT e.id, e.key, e.severity, e.user_count, e.tags <> '[]' AS is_tagged, \
     (SELECT octet_length(t.raw) FROM event_texts t WHERE t.event = e.id) AS bytes, \
     e.quiet = 1 AND e.open + e.claimed + e.snoozed + e.closed = 0 AND NOT EXISTS ( \
         SELECT 1 FROM executions x CROSS JOIN action_executions a ON a.execution = x.execution \
         WHERE x.event = e.id) AS goes_whole \
     FROM events e INDEXED BY events_kept WHERE e.has_raw = 1 AND e.received < ?1 \
     AND NOT EXISTS (SELECT 1 FROM inbox i INDEXED BY inbox_begun WHERE i.event = e.id) \
     ORDER BY e.received LIMIT ?2";

/// One that is old.
#[derive(Debug)]
struct Old {
    id: i64,
    key: String,
    severity: i64,
    users: u64,
    is_tagged: bool,
    bytes: u64,
    goes_whole: bool,
}

impl Old {
    fn of(row: &Row<'_>) -> Result<Old> {
        Ok(Old {
            id: row.get("id")?,
            key: row.get("key")?,
            severity: row.get("severity")?,
            users: count(row, "user_count")?,
            is_tagged: row.get("is_tagged")?,
            bytes: row.get::<_, Option<i64>>("bytes")?.map(unsigned).unwrap_or_default(),
            goes_whole: row.get("goes_whole")?,
        })
    }
}

/// Takes what arrived before a time, at most `most` events, in the caller's transaction. `indexed` is how
/// far the free text has followed.
pub(super) fn prune(db: &Connection, before: Timestamp, most: usize, indexed: i64) -> Result<Pruned> {
    db.prepare_cached(TRIM)?.execute([indexed])?;
    let old = old(db, before, most)?;
    let mut pruned = Pruned { has_more: old.len() == most, ..Pruned::default() };
    let mut users = 0;
    for event in &old {
        if pruned.bytes >= MOST_BYTES || users >= MOST_USERS {
            pruned.has_more = true;
            break;
        }
        take(db, event)?;
        note(&mut pruned, event);
        users += if event.goes_whole { event.users } else { 0 };
    }
    db.prepare_cached(TOTALS)?.execute((
        signed(pruned.records),
        signed(pruned.records + pruned.raws),
        signed(pruned.bytes),
    ))?;
    give_back(db, &mut pruned)?;
    Ok(pruned)
}

/// What [`prune`] would take, bite by bite.
pub(super) fn prunable(db: &Connection, before: Timestamp) -> Result<Pruned> {
    let mut pruned = Pruned::default();
    let mut statement = db.prepare_cached(OLD)?;
    let mut rows = statement.query((before.as_microsecond(), i64::MAX))?;
    while let Some(row) = rows.next()? {
        note(&mut pruned, &Old::of(row)?);
    }
    Ok(pruned)
}

fn old(db: &Connection, before: Timestamp, most: usize) -> Result<Vec<Old>> {
    let most = super::rows::sized(most);
    db.prepare_cached(OLD)?.query_map((before.as_microsecond(), most), Old::of)?.collect()
}

fn note(pruned: &mut Pruned, event: &Old) {
    pruned.bytes += event.bytes;
    *if event.goes_whole { &mut pruned.records } else { &mut pruned.raws } += 1;
}

const TRIM: &str = "DELETE FROM erased WHERE seq <= ?1";
const TOTALS: &str = "UPDATE event_totals SET events = events - ?1, quiet = quiet - ?1, \
     digests = digests + ?1, raws = raws - ?2, raw_bytes = raw_bytes - ?3";
const ERASED: &str = "INSERT INTO erased (event) VALUES (?1)";

fn take(db: &Connection, event: &Old) -> Result<()> {
    db.prepare_cached(ERASED)?.execute([event.id])?;
    if event.goes_whole { take_whole(db, event) } else { take_texts(db, event.id) }
}

const NO_TEXTS: &str = "UPDATE event_texts SET raw = NULL, description = '[]', recommended_actions = '[]' \
     WHERE event = ?1";
const NO_RAW: &str = "UPDATE events SET has_raw = 0 WHERE id = ?1";

fn take_texts(db: &Connection, event: i64) -> Result<()> {
    db.prepare_cached(NO_TEXTS)?.execute([event])?;
    db.prepare_cached(NO_RAW)?.execute([event])?;
    Ok(())
}

/// What hangs on an event by its number alone.
const PARTS: [&str; 4] = [
    "DELETE FROM event_users WHERE event = ?1",
    "DELETE FROM event_texts WHERE event = ?1",
    "DELETE FROM executions WHERE event = ?1",
    "DELETE FROM events WHERE id = ?1",
];
const LOGINS: &str = "SELECT DISTINCT login FROM event_users WHERE event = ?1";
const NO_LOGIN_LINE: &str = "DELETE FROM event_logins WHERE login = ?1 AND severity = ?2 AND event = ?3";
/// A login that nothing names any more.
const NO_LOGIN: &str = "DELETE FROM logins WHERE id = ?1 \
     AND NOT EXISTS (SELECT 1 FROM event_logins WHERE login = ?1) \
     AND NOT EXISTS (SELECT 1 FROM findings INDEXED BY findings_login WHERE login = ?1)";
const NO_TAGS: &str =
    "DELETE FROM event_tags WHERE tag IN (SELECT id FROM tags) AND severity = ?1 AND event = ?2";
const DIGEST: &str = "INSERT OR IGNORE INTO digests (key) VALUES (?1)";

fn take_whole(db: &Connection, event: &Old) -> Result<()> {
    db.prepare_cached(DIGEST)?.execute([&event.key])?;
    let logins: Vec<i64> =
        db.prepare_cached(LOGINS)?.query_map([event.id], |row| row.get(0))?.collect::<Result<_>>()?;
    if event.is_tagged {
        db.prepare_cached(NO_TAGS)?.execute((event.severity, event.id))?;
    }
    for part in PARTS {
        db.prepare_cached(part)?.execute([event.id])?;
    }
    for login in logins {
        db.prepare_cached(NO_LOGIN_LINE)?.execute((login, event.severity, event.id))?;
        db.prepare_cached(NO_LOGIN)?.execute([login])?;
    }
    Ok(())
}

/// Gives pages back to the disk where many are free. A file of an older version cannot: there, space is
/// only used again.
fn give_back(db: &Connection, pruned: &mut Pruned) -> Result<()> {
    let (pages, free) = (pragma(db, "page_count")?, pragma(db, "freelist_count")?);
    let is_much = |free: i64| unsigned(free) > PAGES && unsigned(free) > unsigned(pages) / FREE_PAGES;
    if !is_much(free) || pragma(db, "auto_vacuum")? != INCREMENTAL {
        return Ok(());
    }
    db.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    let left = pragma(db, "freelist_count")?;
    pruned.given_back = unsigned(free - left) * unsigned(pragma(db, "page_size")?);
    pruned.has_more |= pruned.given_back > 0 && is_much(left);
    Ok(())
}

fn pragma(db: &Connection, name: &str) -> Result<i64> {
    db.prepare_cached(&format!("PRAGMA {name}"))?.query_row([], |row| row.get(0))
}

const OLDEST: &str =
    "SELECT received FROM events INDEXED BY events_kept WHERE has_raw = 1 ORDER BY received LIMIT 1";

/// What it holds. Everything is a kept count, the end of an index or a table of few rows.
pub(super) fn status(db: &Connection, files: Vec<(String, u64)>) -> Result<StoreStatus> {
    let one = |sql: &str| db.prepare_cached(sql)?.query_row([], |row| row.get(0).map(unsigned));
    let oldest =
        db.prepare_cached(OLDEST)?.query_row([], |row| instant_option(row, "received")).optional()?;
    let totals = StoreStatus {
        files,
        free: unsigned(pragma(db, "freelist_count")?) * unsigned(pragma(db, "page_size")?),
        can_shrink: pragma(db, "auto_vacuum")? == INCREMENTAL,
        oldest_raw: oldest.flatten(),
        findings: one("SELECT ifnull(sum(n), 0) FROM finding_counts")?,
        actions: one("SELECT count(*) FROM actions")?,
        records: one("SELECT ifnull(max(seq), 0) FROM journal")?,
        pending: super::inbox::pending(db)?,
        set_aside: one("SELECT count(*) FROM problems")?,
        ..StoreStatus::default()
    };
    let counted = |row: &Row<'_>| {
        Ok(StoreStatus {
            events: count(row, "events")?,
            quiet: count(row, "quiet")?,
            raws: count(row, "raws")?,
            raw_bytes: count(row, "raw_bytes")?,
            digests: count(row, "digests")?,
            ..totals.clone()
        })
    };
    let counted = db.prepare_cached("SELECT * FROM event_totals")?.query_row([], counted).optional()?;
    Ok(counted.unwrap_or(totals))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::migrate::STORE;

    fn store() -> Connection {
        let mut db = Connection::open_in_memory().unwrap();
        STORE.migrate(&mut db).unwrap();
        db
    }

    fn explained(db: &Connection, sql: &str) -> Vec<String> {
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = statement.raw_query().mapped(|row| row.get::<_, String>("detail"));
        steps.collect::<Result<_>>().unwrap()
    }

    #[test]
    fn nothing_is_looked_through() {
        let db = store();
        let statements =
            [OLD, TRIM, ERASED, NO_TEXTS, NO_RAW, LOGINS, NO_LOGIN_LINE, NO_LOGIN, NO_TAGS, DIGEST, OLDEST];
        for sql in statements.iter().chain(&PARTS) {
            let steps = explained(&db, sql);
            // Rules make the tags, so there are few; the totals are one row.
            let is_bounded = |step: &String| {
                let is_walk = step.starts_with("SCAN events USING") && sql.ends_with("LIMIT 1");
                let is_small = step.starts_with("SCAN tags") || step.contains("SUBQUERY");
                (!step.starts_with("SCAN") || is_walk || is_small) && !step.contains("TEMP B-TREE FOR ORDER")
            };
            assert!(steps.iter().all(is_bounded), "{sql}\n{steps:#?}");
        }
        assert!(explained(&db, OLD)[0].contains("events_kept (received<?)"), "{:?}", explained(&db, OLD));
        assert!(explained(&db, NO_TAGS).iter().any(|step| step.contains("tag=? AND severity=? AND event=?")));
    }

    /// An event of so many users and bytes; its number is the microsecond of its arrival too.
    fn insert(db: &Connection, id: i64, quiet: u8, users: u64, bytes: usize) {
        let key = id.to_string();
        db.execute(
            "INSERT INTO events (id, kind, severity, source_ref, check_ref, received, user_count, first_users, \
             severity_raw, key, quiet) VALUES (?1, 'log', 1, 1, 1, ?1, ?2, '[]', '', ?4, ?3)",
            (id, signed(users), quiet, key),
        )
        .unwrap();
        let raw = "x".repeat(bytes);
        db.execute("INSERT INTO event_texts VALUES (?1, '[\"words\"]', '[]', NULL, ?2)", (id, raw)).unwrap();
    }

    /// As an earlier version kept one: nothing that is tagged is quiet any more.
    #[test]
    fn what_goes_whole_takes_its_tags_along() {
        let db = store();
        (1..=2).for_each(|id| insert(&db, id, 1, 1, 10));
        db.execute_batch(
            "INSERT INTO tags (id, name, folded) VALUES (1, 'hygiene', 'hygiene'); \
             UPDATE events SET tags = '[\"hygiene\"]'; \
             INSERT INTO event_tags (tag, severity, event) SELECT 1, severity, id FROM events;",
        )
        .unwrap();
        assert_eq!(prune(&db, instant(2), 10, 0).unwrap().records, 1);
        let left = "SELECT group_concat(event) FROM event_tags";
        assert_eq!(db.query_row(left, [], |row| row.get::<_, String>(0)).unwrap(), "2");
    }

    fn instant(micros: i64) -> Timestamp {
        Timestamp::from_microsecond(micros).unwrap()
    }

    #[test]
    fn what_is_being_expanded_or_was_counted_by_a_finding_is_not_taken_whole() {
        let db = store();
        (1..=3).for_each(|id| insert(&db, id, 1, 1, 10));
        db.execute(
            "INSERT INTO inbox (event, progress, received, source, source_type, raw) \
             VALUES (1, 1, 1, 's', 't', '')",
            [],
        )
        .unwrap();
        // As where a table of checks was changed in the middle of an expansion.
        db.execute("UPDATE events SET closed = 1 WHERE id = 2", []).unwrap();
        let pruned = prune(&db, instant(100), 10, 0).unwrap();
        assert_eq!((pruned.raws, pruned.records), (1, 1));
        db.execute("DELETE FROM inbox", []).unwrap();
        let pruned = prune(&db, instant(100), 10, 0).unwrap();
        assert_eq!((pruned.raws, pruned.records), (0, 1));
    }

    #[test]
    fn a_bite_is_of_bytes_and_users_too() {
        let db = store();
        let half = usize::try_from(MOST_BYTES / 2).unwrap();
        for id in 1..=3 {
            insert(&db, id, 0, MOST_USERS, half);
        }
        for id in 4..=6 {
            insert(&db, id, 1, MOST_USERS, 1);
        }
        let before = instant(100);
        let mut bites = Vec::new();
        loop {
            let pruned = prune(&db, before, 100, 0).unwrap();
            bites.push((pruned.raws, pruned.records));
            if !pruned.has_more {
                break;
            }
        }
        assert_eq!(bites, [(2, 0), (1, 1), (0, 1), (0, 1)], "users of rows that stay cost nothing");
        let left: i64 = db.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).unwrap();
        assert_eq!(left, 3);
    }
}
