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

/// For an item that was one statement: SQLite undid it if it failed. Where it undid the transaction with it, as it may
/// for a full disk, nothing that follows is in one.
///
/// # Errors
/// Then; what the statement failed by is with the item.
pub(super) fn whole(db: &Connection, item: Item) -> Result<()> {
    if item == Item::Undo && db.is_autocommit() { Err(rusqlite::Error::InvalidQuery) } else { Ok(()) }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// As SQLite does by itself where the disk is full.
    #[test]
    fn what_undid_the_whole_transaction_ends_its_group() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE t (a NOT NULL); BEGIN IMMEDIATE").unwrap();
        assert!(db.execute("INSERT INTO t VALUES (NULL)", []).is_err());
        assert!(whole(&db, Item::Undo).is_ok() && whole(&db, Item::Keep).is_ok());
        db.execute_batch("ROLLBACK").unwrap();
        assert!(whole(&db, Item::Undo).is_err());
    }
}
