//! The free text's own writer: events' words, behind the store, in a file of their own.
//!
//! At 10 million events a merge inside FTS5 holds a transaction for seconds; in the store's file it
//! would hold up the inbox. So this file has its own writer, which reads the store as anybody does. All
//! of it is derived: it remembers of which store it is and how far it is, goes on from there, and begins
//! again if either does not fit.

use super::connect::Files;
use super::rows::sized;
use crate::store::Sequence;
use rusqlite::{Connection, OptionalExtension, Result, Transaction, TransactionBehavior};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use tokio::sync::watch;

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
    /// The store's identity: a file of another store's words is begun again.
    identity: String,
    sender: Arc<watch::Sender<Sequence>>,
}

/// Starts the writer of the free text. It ends when the waking side of `wake` is dropped.
pub(super) fn start(
    files: &Files,
    db: Connection,
    sender: Arc<watch::Sender<Sequence>>,
    wake: Receiver<()>,
) -> std::io::Result<()> {
    let opened = files.store_reader().and_then(|store| {
        let identity = identity(&store)?;
        Ok(Indexer { store, db, identity, sender })
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
        let Some((_, last)) = progress(&self.db)?.filter(|(store, _)| *store == self.identity) else {
            return Ok(true);
        };
        let has_skipped: bool =
            self.db.query_row("SELECT EXISTS (SELECT 1 FROM skipped)", [], |row| row.get(0))?;
        Ok(has_skipped || newest(&self.store)? != last)
    }
}

/// Indexes one batch; returns how many events it moved on.
fn batch(store: &Connection, tx: &Transaction<'_>, identity: &str) -> Result<usize> {
    let last = match progress(tx)? {
        Some((of, last)) if of == identity && last <= newest(store)? => last,
        _ => begin_again(tx, identity)?,
    };
    let skipped = index_skipped(store, tx)?;
    let fresh = ids(store, "SELECT id FROM events WHERE id > ?1 ORDER BY id LIMIT ?2", last)?;
    for id in &fresh {
        if is_begun(store, *id)? {
            tx.prepare_cached("INSERT INTO skipped (event) VALUES (?1)")?.execute([id])?;
        } else {
            index(store, tx, *id)?;
        }
    }
    if let Some(last) = fresh.last() {
        tx.execute("UPDATE progress SET last = ?1", [last])?;
    }
    Ok(skipped + fresh.len())
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

fn newest(store: &Connection) -> Result<i64> {
    store.prepare_cached("SELECT ifnull(max(id), 0) FROM events")?.query_row([], |row| row.get(0))
}

fn progress(db: &Connection) -> Result<Option<(String, i64)>> {
    db.prepare_cached("SELECT store, last FROM progress")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

fn begin_again(tx: &Transaction<'_>, identity: &str) -> Result<i64> {
    tx.execute_batch(
        "INSERT INTO words (words) VALUES ('delete-all'); DELETE FROM progress; DELETE FROM skipped;",
    )?;
    tx.execute("INSERT INTO progress (id, store, last) VALUES (1, ?1, 0)", [identity])?;
    Ok(0)
}
