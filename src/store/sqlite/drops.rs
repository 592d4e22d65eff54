//! What rules and filters left out: counted, never silent.

use super::rows::{count, instant};
use crate::store::Dropped;
use jiff::Timestamp;
use rusqlite::{Connection, Result};

/// Counts one.
pub(super) fn count_one(db: &Connection, reason: &str, at: Timestamp) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO drops (reason, times, first, last) VALUES (?1, 1, ?2, ?2) \
         ON CONFLICT (reason) DO UPDATE SET times = times + 1, last = max(last, excluded.last)",
    )?
    .execute((reason, at.as_microsecond()))?;
    Ok(())
}

/// All of them, the latest first.
pub(super) fn all(db: &Connection) -> Result<Vec<Dropped>> {
    let dropped = |row: &rusqlite::Row<'_>| {
        Ok(Dropped {
            reason: row.get("reason")?,
            times: count(row, "times")?,
            first: instant(row, "first")?,
            last: instant(row, "last")?,
        })
    };
    db.prepare_cached("SELECT * FROM drops ORDER BY last DESC, reason")?.query_map([], dropped)?.collect()
}
