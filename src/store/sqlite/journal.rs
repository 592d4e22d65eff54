//! The journal's table. The previous hash is read inside the transaction that writes the next record,
//! so two processes cannot both follow the same one.

use super::rows::{record, signed, sized};
use crate::domain::journal::{Head, Record, RecordKind};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result};
use serde_json::Value;

/// Writes the record that follows the last one.
pub(super) fn append(db: &Connection, at: Timestamp, kind: RecordKind, content: &Value) -> Result<()> {
    let record = Record::after(head(db)?.as_ref(), at, kind, content.to_string());
    db.prepare_cached(
        "INSERT INTO journal (seq, at, kind, content, digest, previous, hash) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((
        signed(record.seq),
        record.at.as_microsecond(),
        record.kind.word(),
        record.content,
        record.digest,
        record.previous,
        record.hash,
    ))?;
    Ok(())
}

/// The last record's place and hash.
pub(super) fn head(db: &Connection) -> Result<Option<Head>> {
    db.prepare_cached("SELECT * FROM journal ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| record(row).map(|record| record.head()))
        .optional()
}

/// Records above `after`, oldest first.
pub(super) fn page(db: &Connection, after: u64, limit: usize) -> Result<Vec<Record>> {
    db.prepare_cached("SELECT * FROM journal WHERE seq > ?1 ORDER BY seq LIMIT ?2")?
        .query_map((signed(after), sized(limit)), record)?
        .collect()
}
