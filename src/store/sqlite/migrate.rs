//! Brings a file to the schema that this program knows: numbered `.sql` files in order.
//!
//! `PRAGMA user_version` says how many were applied. A file that a newer program wrote is refused in
//! words: guessing at a schema loses data.

use super::journal;
use rusqlite::{Connection, TransactionBehavior};

const JOURNAL: &str = include_str!("../migrations/0011_journal.sql");
const ACCOUNTS: &str = include_str!("../migrations/0012_accounts.sql");

/// The store's own file.
pub(super) const STORE: Schema = Schema {
    application_id: 0x6964_7472,
    migrations: &[
        include_str!("../migrations/0001_tables.sql"),
        include_str!("../migrations/0002_action_targets.sql"),
        include_str!("../migrations/0003_journal_digest.sql"),
        include_str!("../migrations/0004_sources.sql"),
        include_str!("../migrations/0005_keeping.sql"),
        include_str!("../migrations/0006_bulk.sql"),
        include_str!("../migrations/0007_steps.sql"),
        include_str!("../migrations/0008_later.sql"),
        include_str!("../migrations/0009_test.sql"),
        include_str!("../migrations/0010_bulk_more.sql"),
        JOURNAL,
        ACCOUNTS,
        include_str!("../migrations/0013_bulk_bodies.sql"),
        include_str!("../migrations/0014_words.sql"),
        include_str!("../migrations/0015_bulk_undo.sql"),
        include_str!("../migrations/0016_undone.sql"),
    ],
};

/// The free text beside it.
pub(super) const SEARCH: Schema = Schema {
    application_id: 0x6964_7473,
    migrations: &[
        include_str!("../migrations/search_0001_words.sql"),
        include_str!("../migrations/search_0002_removal.sql"),
    ],
};

/// A kind of file: what marks it, and the steps to its newest form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schema {
    application_id: i32,
    migrations: &'static [&'static str],
}

/// Why a file was not brought up to date.
#[derive(Debug, thiserror::Error)]
pub(super) enum MigrateError {
    #[error("it is a database of another program")]
    Foreign,
    #[error("it was written by an older version of this program, and may not be changed now")]
    Older,
    #[error("it was written by a newer version of this program (schema {found}, known up to {known})")]
    Newer { found: usize, known: usize },
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
}

impl Schema {
    /// Applies what is missing, each step in a transaction of its own. A file that is up to date is only
    /// read: whoever merely opens it waits for no other program's write.
    pub(super) fn migrate(&self, db: &mut Connection) -> Result<(), MigrateError> {
        let known = self.migrations.len();
        while self.seen(db)? != known {
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let found = self.version(&tx)?;
            if found > known {
                return Err(MigrateError::Newer { found, known });
            }
            let Some(step) = self.migrations.get(found) else { return Ok(()) };
            tx.execute_batch(step)?;
            if [JOURNAL, ACCOUNTS].contains(step) {
                // Names are folded as SQL cannot.
                journal::name_all(&tx)?;
            }
            tx.pragma_update(None, "application_id", self.application_id)?;
            tx.pragma_update(None, "user_version", i64::try_from(found + 1).unwrap_or(i64::MAX))?;
            tx.commit()?;
        }
        Ok(())
    }

    /// Whether the file is of the newest form, found out by reading alone.
    pub(super) fn is_current(&self, db: &mut Connection) -> Result<bool, MigrateError> {
        match self.seen(db)? {
            found if found > self.migrations.len() => {
                Err(MigrateError::Newer { found, known: self.migrations.len() })
            }
            found => Ok(found == self.migrations.len()),
        }
    }

    /// How many steps the file has seen, read in one snapshot: another process may be migrating it now.
    fn seen(&self, db: &mut Connection) -> Result<usize, MigrateError> {
        self.version(&*db.transaction()?)
    }

    /// How many steps the file has seen; an empty file has seen none.
    fn version(&self, db: &Connection) -> Result<usize, MigrateError> {
        let application: i32 = db.query_row("PRAGMA application_id", [], |row| row.get(0))?;
        let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let is_ours = application == self.application_id || (tables == 0 && application == 0);
        if is_ours { Ok(usize::try_from(version).unwrap_or(usize::MAX)) } else { Err(MigrateError::Foreign) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Connection {
        Connection::open_in_memory().unwrap()
    }

    #[test]
    fn migrating_again_changes_nothing() {
        for schema in [STORE, SEARCH] {
            let mut db = memory();
            schema.migrate(&mut db).unwrap();
            schema.migrate(&mut db).unwrap();
            assert_eq!(schema.version(&db).unwrap(), schema.migrations.len());
        }
    }

    #[test]
    fn a_file_that_is_up_to_date_is_opened_while_another_writes() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Connection::open(folder.path().join("store.db")).unwrap();
        STORE.migrate(&mut open()).unwrap();
        let other = open();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut db = open();
        db.busy_timeout(std::time::Duration::ZERO).unwrap();
        STORE.migrate(&mut db).unwrap();
    }

    #[test]
    fn a_newer_file_and_a_foreign_one_are_refused() {
        let mut newer = memory();
        STORE.migrate(&mut newer).unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
        let why = STORE.migrate(&mut newer).unwrap_err().to_string();
        assert_eq!(
            why,
            format!(
                "it was written by a newer version of this program (schema 99, known up to {})",
                STORE.migrations.len()
            )
        );

        let mut foreign = memory();
        foreign.execute_batch("CREATE TABLE recipes (id)").unwrap();
        assert!(matches!(STORE.migrate(&mut foreign), Err(MigrateError::Foreign)));
        assert!(matches!(SEARCH.migrate(&mut newer), Err(MigrateError::Foreign)));
    }
}
