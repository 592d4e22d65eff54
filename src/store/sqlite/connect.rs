//! Connections, each opened for one use: the two writers, and readers that cannot write.

use super::migrate::{MigrateError, SEARCH, STORE, Schema};
use crate::store::files::{self, beside};
use crate::store::{Access, OpenOptions, StoreError};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Statements kept prepared: a query over severities and checks keeps a few dozen open at once.
const PREPARED: usize = 128;

/// How much of the store the writer holds in memory, in KiB: findings and counts are everywhere in a large one.
const CACHE_KIB: u32 = 16 << 10;

/// How long a switch that somebody stands in the way of waits before the next try.
const SWITCH_AGAIN: Duration = Duration::from_millis(10);

/// The files of one store, prepared and checked.
#[derive(Debug, Clone)]
pub(super) struct Files {
    /// The store.
    pub(super) store: PathBuf,
    /// Its free text.
    pub(super) search: PathBuf,
    /// What may be done with them.
    pub(super) access: Access,
    busy: Duration,
}

impl Files {
    /// Makes what is missing and refuses what others can touch.
    pub(super) fn prepare(path: &Path, options: &OpenOptions) -> Result<Files, StoreError> {
        if options.access == Access::Read && !path.exists() {
            return Err(missing(path));
        }
        let store = files::prepare(path)?;
        let search = search_path(&store);
        let is_used = options.access == Access::Write || search.exists();
        let search = if is_used { files::prepare(&search)? } else { search };
        Ok(Files { store, search, access: options.access, busy: options.busy })
    }

    /// Every file that counts as the store's.
    pub(super) fn all(&self) -> Vec<PathBuf> {
        let logs = [beside(&self.store, "-wal"), beside(&self.search, "-wal")];
        [self.store.clone(), self.search.clone()].into_iter().chain(logs).collect()
    }

    /// The store's one writing connection: a commit is on the disk when it returns. Where nothing may be
    /// written, it cannot write either.
    pub(super) fn writer(&self) -> Result<Connection, StoreError> {
        if self.access == Access::Read {
            let db = self.current().map_err(|error| unusable(&self.store, &error))?;
            return if self.search.exists() { Ok(db) } else { Err(missing(&self.search)) };
        }
        let opened = self.migrated(&self.store, STORE, "FULL").and_then(|db| {
            db.pragma_update(None, "cache_size", -i64::from(CACHE_KIB))?;
            Ok(db)
        });
        opened.map_err(|error| unusable(&self.store, &error))
    }

    /// The free text's writing connection. Its file is derived: the last commits may be lost, and a
    /// file that is no database is made anew.
    pub(super) fn search_writer(&self) -> Result<Connection, StoreError> {
        let first = self.migrated(&self.search, SEARCH, "NORMAL");
        let opened = match first {
            Err(error) if is_damaged(&error) => {
                self.remove_search().and_then(|()| self.migrated(&self.search, SEARCH, "NORMAL"))
            }
            other => other,
        };
        opened.map_err(|error| unusable(&self.search, &error))
    }

    /// A connection that cannot write, with the free text attached as `search`.
    pub(super) fn reader(&self) -> rusqlite::Result<Connection> {
        let db = self.store_reader()?;
        db.execute("ATTACH ?1 AS search", [self.search.to_string_lossy()])?;
        Ok(db)
    }

    /// A connection that cannot write, to the store alone.
    pub(super) fn store_reader(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&self.store, flags)?;
        self.tune(&db)?;
        Ok(db)
    }

    /// The store as it is, if it is of today's form.
    fn current(&self) -> Result<Connection, MigrateError> {
        let mut db = self.store_reader()?;
        if STORE.is_current(&mut db)? { Ok(db) } else { Err(MigrateError::Older) }
    }

    fn migrated(&self, path: &Path, schema: Schema, synchronous: &str) -> Result<Connection, MigrateError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut db = Connection::open_with_flags(path, flags)?;
        self.tune(&db)?;
        may_shrink(&db)?;
        self.write_ahead(&db)?;
        db.pragma_update(None, "synchronous", synchronous)?;
        db.pragma_update_and_check(None, "journal_size_limit", 64 << 20, |_| Ok(()))?;
        schema.migrate(&mut db)?;
        Ok(db)
    }

    /// Switches to a write-ahead log. Only the first to open a file has something to switch, and whoever
    /// comes in that moment is refused at once: SQLite does not wait for this lock, so we do.
    fn write_ahead(&self, db: &Connection) -> rusqlite::Result<()> {
        let end = Instant::now() + self.busy;
        loop {
            match db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())) {
                Err(error) if is_busy(&error) && Instant::now() < end => std::thread::sleep(SWITCH_AGAIN),
                switched => return switched,
            }
        }
    }

    fn tune(&self, db: &Connection) -> rusqlite::Result<()> {
        db.busy_timeout(self.busy)?;
        db.set_prepared_statement_cache_capacity(PREPARED);
        Ok(())
    }

    fn remove_search(&self) -> Result<(), MigrateError> {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(beside(&self.search, suffix));
        }
        // Made again with its mode before SQLite opens it.
        let made = files::prepare(&self.search);
        made.map(|_| ()).map_err(|_| MigrateError::Sql(rusqlite::Error::InvalidPath(self.search.clone())))
    }
}

/// `idtriage.db` → `idtriage-search.db`.
fn search_path(store: &Path) -> PathBuf {
    let stem = store.file_stem().unwrap_or_default().to_string_lossy();
    let extension = store.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    store.with_file_name(format!("{stem}-search{extension}"))
}

/// Lets retention give space back to the disk. Only an empty file takes it, and to ask for it is a write:
/// whoever opens what is there waits for nobody.
fn may_shrink(db: &Connection) -> rusqlite::Result<()> {
    let pages: i64 = db.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    if pages > 0 {
        return Ok(());
    }
    match db.pragma_update(None, "auto_vacuum", "INCREMENTAL") {
        // Somebody else makes the file, and asks for the same.
        Err(error) if is_busy(&error) => Ok(()),
        asked => asked,
    }
}

/// What is damaged is made anew; a lock passes, and a newer or another program's file is not ours.
fn is_damaged(error: &MigrateError) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error, MigrateError::Sql(error)
        if matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase)))
}

fn is_busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked))
}

fn missing(path: &Path) -> StoreError {
    StoreError::Open {
        path: path.display().to_string(),
        why: "it is not there, and nothing may be made".to_owned(),
        hint: "`--store sqlite:PATH`, or once without `--read-only`".to_owned(),
    }
}

fn unusable(path: &Path, error: &MigrateError) -> StoreError {
    let hint = match error {
        MigrateError::Newer { .. } => "use the newer program, or another file",
        MigrateError::Older => "open it once without `--read-only`",
        MigrateError::Foreign => "use another file: `--store sqlite:/path/to/file.db`",
        error if is_damaged(error) => "it is damaged, or another program's: restore it, or use another file",
        MigrateError::Sql(_) => "check the disk and who else has it open, or use another file",
    };
    StoreError::Open { path: path.display().to_string(), why: error.to_string(), hint: hint.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_free_text_stands_beside() {
        assert_eq!(search_path(Path::new("/a/idtriage.db")), Path::new("/a/idtriage-search.db"));
        assert_eq!(search_path(Path::new("/a/store")), Path::new("/a/store-search"));
    }

    #[test]
    fn many_may_open_a_new_file_at_once() {
        let folder = files::throw_away_folder("idtriage-test-").unwrap();
        for round in 0..20 {
            let files = Files::prepare(&folder.path().join(format!("{round}.db")), &OpenOptions::default());
            let files = files.unwrap();
            let opened = std::thread::scope(|scope| {
                let open = || files.writer().map(drop);
                let openings: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
                openings.into_iter().map(|opening| opening.join().unwrap()).collect::<Vec<_>>()
            });
            assert!(opened.iter().all(Result::is_ok), "{opened:?}");
        }
    }
}
