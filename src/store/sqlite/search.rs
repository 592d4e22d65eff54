//! The free text's own writer: events' words, behind the store, in a file of their own.
//!
//! At 10 million events a merge inside FTS5 holds a transaction for seconds; in the store's file it
//! would hold up the inbox. So this file has its own writer, which reads the store as anybody does. All
//! of it is derived: it remembers of which store it is and how far it is, goes on from there, and begins
//! again if either does not fit.
//!
//! What retention took is taken out here too, right behind it: a removed record is found no more, and
//! another event no more by its description. Its bytes leave the file as FTS5 merges what holds them.

use super::connect::Files;
use super::rows::sized;
use super::watch::{last_given, newest_event};
use crate::store::Sequence;
use rusqlite::{Connection, OptionalExtension, Result, Transaction, TransactionBehavior};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use tokio::sync::{RwLock, watch};

/// Events in one transaction.
const BATCH: usize = 500;
/// After a wake-up, so that a row of arrivals is one transaction; well within "searchable in 1 s".
const GATHER: Duration = Duration::from_millis(100);
/// Without a wake-up: for what was passed over or failed.
const IDLE: Duration = Duration::from_millis(500);

/// Writes the words of events.
pub(super) struct Indexer {
    store: Connection,
    db: Connection,
    /// What each transaction passes.
    gate: Arc<RwLock<()>>,
    /// The store's identity: a file of another store's words is begun again.
    identity: String,
    sender: Arc<watch::Sender<Sequence>>,
}

/// Starts the writer of the free text. It ends when the waking side of `wake` is dropped.
pub(super) fn start(
    files: &Files,
    db: Connection,
    sender: Arc<watch::Sender<Sequence>>,
    (wake, gate): (Receiver<()>, Arc<RwLock<()>>),
) -> std::io::Result<()> {
    let opened = files.store_reader().and_then(|store| {
        let identity = identity(&store)?;
        Ok(Indexer { store, db, gate, identity, sender })
    });
    let mut indexer = opened.map_err(std::io::Error::other)?;
    std::thread::Builder::new().name("store-search".to_owned()).spawn(move || indexer.run(&wake))?;
    Ok(())
}

fn identity(store: &Connection) -> Result<String> {
    store.query_row("SELECT value FROM meta WHERE name = 'identity'", [], |row| row.get(0))
}

impl Indexer {
    fn run(&mut self, wake: &Receiver<()>) {
        loop {
            match self.catch_up() {
                Ok(()) => {}
                // It stays behind and tries again: the store itself is not concerned.
                Err(error) => tracing::warn!(%error, "the free text could not be written"),
            }
            match wake.recv_timeout(IDLE) {
                Ok(()) => std::thread::sleep(GATHER),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Indexes what is new, a batch a transaction.
    fn catch_up(&mut self) -> Result<()> {
        while self.is_behind()? {
            let _passed = self.gate.blocking_read();
            let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let indexed = batch(&self.store, &tx, &self.identity)?;
            tx.commit()?;
            if indexed == 0 {
                return Ok(());
            }
            self.sender.send_modify(|sequence| sequence.change += 1);
        }
        Ok(())
    }

    /// Looks without taking the write lock: mostly there is nothing to do.
    fn is_behind(&self) -> Result<bool> {
        let Some(at) = progress(&self.db)?.filter(|at| at.store == self.identity) else {
            return Ok(true);
        };
        let has_skipped: bool =
            self.db.query_row("SELECT EXISTS (SELECT 1 FROM skipped)", [], |row| row.get(0))?;
        Ok(has_skipped || newest_event(&self.store)? != at.last || last_erased(&self.store)? != at.erased)
    }
}

/// Indexes one batch; returns how many events it moved on.
fn batch(store: &Connection, tx: &Transaction<'_>, identity: &str) -> Result<usize> {
    let at = match progress(tx)? {
        Some(at) if at.store == identity && at.fits(store)? => at,
        _ => begin_again(store, tx, identity)?,
    };
    Ok(take_out(store, tx, &at)? + index_skipped(store, tx)? + index_fresh(store, tx, at.last)?)
}

/// What has arrived since.
fn index_fresh(store: &Connection, tx: &Transaction<'_>, last: i64) -> Result<usize> {
    // Read before the ids: whatever is not among them up to here, retention took.
    let newest = newest_event(store)?;
    let fresh = ids(store, "SELECT id FROM events WHERE id > ?1 ORDER BY id LIMIT ?2", last)?;
    for id in &fresh {
        if is_begun(store, *id)? {
            tx.prepare_cached("INSERT INTO skipped (event) VALUES (?1)")?.execute([id])?;
        } else {
            index(store, tx, *id)?;
        }
    }
    let looked = fresh.last().copied().unwrap_or(last);
    let upto = if fresh.len() < BATCH { looked.max(newest) } else { looked };
    if upto != last {
        tx.prepare_cached("UPDATE progress SET last = ?1")?.execute([upto])?;
    }
    Ok(fresh.len())
}

/// What retention took since. An event whose row stays is indexed by what is left of it.
fn take_out(store: &Connection, tx: &Transaction<'_>, at: &Progress) -> Result<usize> {
    let erased: Vec<(i64, i64)> = store
        .prepare_cached("SELECT seq, event FROM erased WHERE seq > ?1 ORDER BY seq LIMIT ?2")?
        .query_map((at.erased, sized(BATCH)), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_>>()?;
    // What was not come by yet is not in it, and will be read as it is.
    for (_, event) in erased.iter().filter(|(_, event)| *event <= at.last) {
        tx.prepare_cached("DELETE FROM words WHERE rowid = ?1")?.execute([event])?;
        tx.prepare_cached("DELETE FROM skipped WHERE event = ?1")?.execute([event])?;
        index(store, tx, *event)?;
    }
    if let Some((last, _)) = erased.last() {
        tx.prepare_cached("UPDATE progress SET erased = ?1")?.execute([last])?;
    }
    Ok(erased.len())
}

/// Large events that were being expanded when they were passed.
fn index_skipped(store: &Connection, tx: &Transaction<'_>) -> Result<usize> {
    let mut indexed = 0;
    for id in ids(tx, "SELECT event FROM skipped WHERE event > ?1 ORDER BY event LIMIT ?2", 0)? {
        if !is_begun(store, id)? {
            index(store, tx, id)?;
            tx.execute("DELETE FROM skipped WHERE event = ?1", [id])?;
            indexed += 1;
        }
    }
    Ok(indexed)
}

fn index(store: &Connection, tx: &Transaction<'_>, id: i64) -> Result<()> {
    let texts = store
        .prepare_cached(
            "SELECT c.title, c.check_id, t.description, t.recommended_actions FROM events e \
             CROSS JOIN checks c ON c.id = e.check_ref CROSS JOIN event_texts t ON t.event = e.id \
             WHERE e.id = ?1",
        )?
        .query_row([id], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                joined(row, 2)? + "\n" + &joined(row, 3)?,
            ))
        })
        .optional()?;
    let Some((title, check, texts)) = texts else { return Ok(()) };
    tx.prepare_cached(
        "INSERT INTO words (rowid, title, check_id, texts, logins) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((id, title, check, texts, logins(store, id)?))?;
    Ok(())
}

/// A column of JSON texts as one text.
fn joined(row: &rusqlite::Row<'_>, column: usize) -> Result<String> {
    let texts: Vec<String> = serde_json::from_str(row.get_ref(column)?.as_str()?).unwrap_or_default();
    Ok(texts.join("\n"))
}

fn logins(store: &Connection, id: i64) -> Result<String> {
    let mut statement = store.prepare_cached("SELECT shown FROM event_users WHERE event = ?1")?;
    let mut rows = statement.query([id])?;
    let mut all = String::new();
    while let Some(row) = rows.next()? {
        all.push_str(row.get_ref(0)?.as_str()?);
        all.push('\n');
    }
    Ok(all)
}

/// Whether an event's users are still being expanded.
fn is_begun(store: &Connection, event: i64) -> Result<bool> {
    store.prepare_cached("SELECT 1 FROM inbox INDEXED BY inbox_begun WHERE event = ?1")?.exists([event])
}

fn ids(db: &Connection, sql: &str, above: i64) -> Result<Vec<i64>> {
    db.prepare_cached(sql)?.query_map((above, sized(BATCH)), |row| row.get(0))?.collect()
}

/// How far a file of free text is.
#[derive(Debug)]
struct Progress {
    /// Of which store.
    store: String,
    /// The last event that was come by.
    last: i64,
    /// The last of what retention took.
    erased: i64,
}

impl Progress {
    /// Whether it can go on from here. An older copy of the store is behind, and an older copy of the free
    /// text may not know any more what to take out.
    fn fits(&self, store: &Connection) -> Result<bool> {
        // One statement sees one moment: retention may go on meanwhile.
        let is_whole = store
            .prepare_cached(
                "SELECT coalesce((SELECT min(seq) FROM erased WHERE seq > ?1) - 1, \
                 (SELECT seq FROM sqlite_sequence WHERE name = 'erased'), 0) = ?1",
            )?
            .query_row([self.erased], |row| row.get::<_, bool>(0))?;
        Ok(is_whole && self.last <= newest_event(store)?)
    }
}

fn last_erased(store: &Connection) -> Result<i64> {
    last_given(store, "erased")
}

fn progress(db: &Connection) -> Result<Option<Progress>> {
    db.prepare_cached("SELECT store, last, erased FROM progress")?
        .query_row([], |row| Ok(Progress { store: row.get(0)?, last: row.get(1)?, erased: row.get(2)? }))
        .optional()
}

/// How far the free text has followed retention, read beside the store; 0 where it is another store's.
pub(super) fn erased(db: &Connection) -> Result<i64> {
    let identity = identity(db)?;
    db.prepare_cached("SELECT erased FROM search.progress WHERE store = ?1")?
        .query_row([identity], |row| row.get(0))
        .optional()
        .map(Option::unwrap_or_default)
}

/// What retention took up to now is not in the store any more, so that it need not be taken out.
fn begin_again(store: &Connection, tx: &Transaction<'_>, identity: &str) -> Result<Progress> {
    tx.execute_batch(
        "INSERT INTO words (words) VALUES ('delete-all'); DELETE FROM progress; DELETE FROM skipped;",
    )?;
    let at = Progress { store: identity.to_owned(), last: 0, erased: last_erased(store)? };
    tx.execute(
        "INSERT INTO progress (id, store, last, erased) VALUES (1, ?1, 0, ?2)",
        (&at.store, at.erased),
    )?;
    Ok(at)
}
