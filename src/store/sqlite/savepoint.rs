//! A savepoint for one item of a group: it is kept or undone without touching its neighbours.

use rusqlite::{Connection, Result};

/// What is to become of an item's writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    /// They stay.
    Keep,
    /// They are undone.
    Undo,
}

/// Runs the work of one item inside the transaction that is open on `db`.
pub(super) fn savepoint(db: &Connection, work: impl FnOnce() -> Item) -> Result<()> {
    db.prepare_cached("SAVEPOINT item")?.execute([])?;
    if work() == Item::Undo {
        db.prepare_cached("ROLLBACK TO item")?.execute([])?;
    }
    db.prepare_cached("RELEASE item")?.execute([])?;
    Ok(())
}
