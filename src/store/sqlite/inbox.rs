//! The inbox's table: what is acknowledged and not yet expanded, and what could not be.

use super::rows::{instant, sized, unsigned};
use crate::domain::dossier::Problem;
use crate::domain::event::SourceName;
use crate::store::InboxItem;
use rusqlite::{Connection, OptionalExtension, Result, Row};

/// How many problems are shown.
const SHOWN_PROBLEMS: usize = 20;

/// An element with its place in the inbox, and how far it is expanded.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Its place.
    pub(super) id: i64,
    /// The element.
    pub(super) item: InboxItem,
}

/// Puts elements in.
pub(super) fn append(db: &Connection, items: &[InboxItem]) -> Result<()> {
    let mut insert =
        db.prepare_cached("INSERT INTO inbox (received, source, source_type, raw) VALUES (?1, ?2, ?3, ?4)")?;
    for item in items {
        insert.execute((item.received.as_microsecond(), &item.source.0, &item.source_type, &*item.raw))?;
    }
    Ok(())
}

/// The oldest element that is not begun: small ones and the first slices of large ones.
pub(super) fn oldest_fresh(db: &Connection) -> Result<Option<Waiting>> {
    db.prepare_cached("SELECT * FROM inbox WHERE event IS NULL ORDER BY id LIMIT 1")?
        .query_row([], waiting)
        .optional()
}

/// The place of a large element that is begun.
pub(super) fn oldest_begun(db: &Connection) -> Result<Option<i64>> {
    db.prepare_cached(
        "SELECT id FROM inbox INDEXED BY inbox_begun WHERE event IS NOT NULL ORDER BY event LIMIT 1",
    )?
    .query_row([], |row| row.get(0))
    .optional()
}

/// The element at a place.
pub(super) fn at(db: &Connection, id: i64) -> Result<Option<Waiting>> {
    db.prepare_cached("SELECT * FROM inbox WHERE id = ?1")?.query_row([id], waiting).optional()
}

/// The event that an element is expanded into, and how many of its users are.
pub(super) fn progress(db: &Connection, id: i64) -> Result<Option<(i64, usize)>> {
    db.prepare_cached("SELECT event, progress FROM inbox WHERE id = ?1 AND event IS NOT NULL")?
        .query_row([id], |row| Ok((row.get(0)?, usize::try_from(row.get::<_, i64>(1)?).unwrap_or_default())))
        .optional()
}

/// Remembers how far an element is expanded.
pub(super) fn set_progress(db: &Connection, id: i64, event: i64, users: usize) -> Result<()> {
    db.prepare_cached("UPDATE inbox SET event = ?2, progress = ?3 WHERE id = ?1")?.execute((
        id,
        event,
        sized(users),
    ))?;
    Ok(())
}

/// Takes an element out: it is expanded.
pub(super) fn remove(db: &Connection, id: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM inbox WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// Puts an element aside, whole, with the reason why it could not be expanded.
pub(super) fn set_aside(db: &Connection, id: i64, why: &str) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO problems (received, source, source_type, why, raw) \
         SELECT received, source, source_type, ?2, raw FROM inbox WHERE id = ?1",
    )?
    .execute((id, why))?;
    remove(db, id)
}

/// The newest problems.
pub(super) fn problems(db: &Connection) -> Result<Vec<Problem>> {
    db.prepare_cached("SELECT id, source, why FROM problems ORDER BY id DESC LIMIT ?1")?
        .query_map([sized(SHOWN_PROBLEMS)], |row| {
            let (id, source, why): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Problem::whole(format!("element {id} of `{source}` could not be expanded: {why}")))
        })?
        .collect()
}

/// The oldest place in use, and how far it is: what does not move for a while was left by somebody.
pub(super) fn oldest(db: &Connection) -> Result<Option<(i64, i64)>> {
    db.prepare_cached("SELECT id, progress FROM inbox ORDER BY id LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// The newest place in use.
pub(super) fn newest(db: &Connection) -> Result<Option<i64>> {
    db.prepare_cached("SELECT max(id) FROM inbox")?.query_row([], |row| row.get(0))
}

/// How many elements are waiting.
pub(super) fn pending(db: &Connection) -> Result<u64> {
    db.prepare_cached("SELECT count(*) FROM inbox")?.query_row([], |row| row.get(0).map(unsigned))
}

fn waiting(row: &Row<'_>) -> Result<Waiting> {
    let item = InboxItem {
        source: SourceName(row.get("source")?),
        source_type: row.get("source_type")?,
        received: instant(row, "received")?,
        raw: row.get::<_, String>("raw")?.into(),
    };
    Ok(Waiting { id: row.get("id")?, item })
}
