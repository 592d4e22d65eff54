//! The journal's table. The previous hash is read inside the transaction that writes the next record,
//! so two processes cannot both follow the same one.
//!
//! Beside it stand the values that records are found by. They are derived, and verified against the records behind
//! the journal itself.

mod record;
mod search;

use super::rows::{signed, sized};
use crate::domain::ActionId;
use crate::domain::journal::told::{Term, Told};
use crate::domain::journal::{Head, Record, RecordKind};
use jiff::Timestamp;
pub(super) use record::record;
use rusqlite::{Connection, OptionalExtension, Result};
pub(super) use search::page as search;
use serde_json::Value;
use std::collections::BTreeSet;

/// Writes the record that follows the last one.
pub(super) fn append(db: &Connection, at: Timestamp, kind: RecordKind, content: &Value) -> Result<()> {
    let record = Record::after(head(db)?.as_ref(), at, kind, content.to_string());
    let seq = signed(record.seq);
    name(db, seq, &record)?;
    db.prepare_cached(
        "INSERT INTO journal (seq, at, kind, content, digest, previous, hash) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((
        seq,
        record.at.as_microsecond(),
        record.kind.word(),
        record.content,
        record.digest,
        record.previous,
        record.hash,
    ))?;
    Ok(())
}

/// Keeps the values that a record is found by.
fn name(db: &Connection, seq: i64, record: &Record) -> Result<()> {
    let mut insert =
        db.prepare_cached("INSERT OR IGNORE INTO journal_terms (name, value, seq) VALUES (?1, ?2, ?3)")?;
    for (name, value) in Told::of(record).terms() {
        insert.execute((name, value, seq))?;
    }
    Ok(())
}

const INTENT_OF: &str = "SELECT 1 FROM journal_terms t CROSS JOIN journal j ON j.seq = t.seq \
     WHERE t.name = 'action' AND t.value = ?1 AND j.kind = ?2 LIMIT 1";

/// Whether an intent of this very action was journalled.
pub(super) fn has_intent(db: &Connection, action: ActionId) -> Result<bool> {
    db.prepare_cached(INTENT_OF)?.exists((action.to_string(), RecordKind::Intended.word()))
}

/// Keeps them for the records of a file that an older version wrote.
pub(super) fn name_all(db: &Connection) -> Result<()> {
    let mut statement = db.prepare("SELECT * FROM journal")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        name(db, row.get("seq")?, &record(row)?)?;
    }
    Ok(())
}

/// The first record whose values are not exactly those that it is found by.
pub(super) fn unfound(db: &Connection) -> Result<Option<u64>> {
    let mut is_kept =
        db.prepare_cached("SELECT 1 FROM journal_terms WHERE name = ?1 AND value = ?2 AND seq = ?3")?;
    let mut statement = db.prepare_cached("SELECT * FROM journal ORDER BY seq")?;
    let mut rows = statement.query([])?;
    let mut said = 0_i64;
    while let Some(row) = rows.next()? {
        let (seq, record): (i64, Record) = (row.get("seq")?, record(row)?);
        let terms: BTreeSet<Term> = Told::of(&record).terms().into_iter().collect();
        said = said.saturating_add(signed(terms.len() as u64));
        for (name, value) in terms {
            if !is_kept.exists((name, value, seq))? {
                return Ok(Some(record.seq));
            }
        }
    }
    let kept: i64 = db.query_row("SELECT count(*) FROM journal_terms", [], |row| row.get(0))?;
    if kept == said { Ok(None) } else { too_many(db) }
}

/// The first place at which more values are kept than its record says: only looked for where there are too many.
fn too_many(db: &Connection) -> Result<Option<u64>> {
    let mut statement = db.prepare(
        "SELECT j.*, t.seq AS place, count(*) AS kept FROM journal_terms t LEFT JOIN journal j ON j.seq = t.seq \
         GROUP BY t.seq ORDER BY t.seq",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let place = row.get::<_, i64>("place")?.unsigned_abs();
        let is_a_record = row.get::<_, Option<i64>>("seq")?.is_some();
        let terms = if is_a_record { Told::of(&record(row)?).terms() } else { Vec::new() };
        let said: BTreeSet<Term> = terms.into_iter().collect();
        if row.get::<_, i64>("kept")?.unsigned_abs() != said.len() as u64 {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

/// The last record's place and hash.
pub(super) fn head(db: &Connection) -> Result<Option<Head>> {
    db.prepare_cached("SELECT * FROM journal ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| record(row).map(|record| record.head()))
        .optional()
}

/// Records above `after`, oldest first. From the beginning on, also those at places that cannot be.
pub(super) fn page(db: &Connection, after: u64, limit: usize) -> Result<Vec<Record>> {
    let first = if after == 0 { i64::MIN } else { signed(after).saturating_add(1) };
    db.prepare_cached("SELECT * FROM journal WHERE seq >= ?1 ORDER BY seq LIMIT ?2")?
        .query_map((first, sized(limit)), record)?
        .collect()
}
