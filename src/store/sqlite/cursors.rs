//! How far somebody has read, and what was last said of the sources.

use crate::domain::SourcesReport;
use crate::store::Cursor;
use rusqlite::{Connection, OptionalExtension, Result};

/// The name in `meta` of what was last said of the sources.
const REPORT: &str = "sources";

/// How far somebody has read.
pub(super) fn value(db: &Connection, name: &str) -> Result<Option<String>> {
    db.prepare_cached("SELECT value FROM cursors WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// Remembers how far somebody has read.
pub(super) fn set(db: &Connection, cursor: &Cursor) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO cursors (name, value) VALUES (?1, ?2) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?
    .execute((&cursor.name, &cursor.value))?;
    Ok(())
}

/// Keeps what is said of the sources.
pub(super) fn report(db: &Connection, report: &SourcesReport) -> Result<()> {
    set_meta(db, REPORT, &super::rows::to_json(report)?)
}

/// What was last said of the sources; what a newer version says otherwise is not said.
pub(super) fn reported(db: &Connection) -> Result<Option<SourcesReport>> {
    Ok(meta(db, REPORT)?.and_then(|text| serde_json::from_str(&text).ok()))
}

/// A value that the store keeps by name.
pub(super) fn meta(db: &Connection, name: &str) -> Result<Option<String>> {
    db.prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// Keeps a value by name.
pub(super) fn set_meta(db: &Connection, name: &str, value: &str) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO meta (name, value) VALUES (?1, ?2) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?
    .execute((name, value))?;
    Ok(())
}
