//! Reading connections: a few for pages, one apart for counts and searches.
//!
//! SQLite blocks, so a read runs on a blocking thread with a connection of its own, inside one
//! transaction: all that it returns is of one moment. A read whose caller has gone (a filter typed on,
//! a count no longer wanted) is interrupted, so that it does not hold up the next.

use super::connect::Files;
use super::failure::not_readable;
use crate::store::StoreError;
use rusqlite::{Connection, InterruptHandle};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Pages are short; more readers would only wait for the same cores.
const PAGE_READERS: usize = 3;

/// Which connections a read may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Short reads: pages and single rows.
    Pages,
    /// Reads that may be long: counts and free text. One at a time, so that they never hold up pages.
    Long,
}

/// The reading connections, opened when they are first needed.
#[derive(Debug)]
pub(super) struct Readers {
    files: Files,
    pages: LaneState,
    long: LaneState,
}

#[derive(Debug)]
struct LaneState {
    turns: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl LaneState {
    fn of(n: usize) -> LaneState {
        LaneState { turns: Arc::new(Semaphore::new(n)), idle: Arc::default() }
    }
}

impl Readers {
    pub(super) fn new(files: Files) -> Readers {
        Readers { files, pages: LaneState::of(PAGE_READERS), long: LaneState::of(1) }
    }

    /// Runs a read in a transaction of its own.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let lane = match lane {
            Lane::Pages => &self.pages,
            Lane::Long => &self.long,
        };
        let turn = lane.turns.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let running = Running::default();
        let guard = InterruptOnDrop(running.clone());
        let (files, idle) = (self.files.clone(), lane.idle.clone());
        let done = tokio::task::spawn_blocking(move || {
            let result = with_connection(&files, &idle, &running, work);
            // Not before: a read whose caller has gone still has its connection until it stops.
            drop(turn);
            result.map_err(|error| not_readable(&files.store, &error))
        });
        let result = done.await.unwrap_or_else(|error| Err(StoreError::Read(error.to_string())));
        drop(guard);
        result
    }

    /// Takes no more reads and closes what is idle.
    pub(super) fn close(&self) {
        for lane in [&self.pages, &self.long] {
            lane.turns.close();
            lock(&lane.idle).clear();
        }
    }
}

fn with_connection<T>(
    files: &Files,
    idle: &Mutex<Vec<Connection>>,
    running: &Running,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let taken = lock(idle).pop();
    let db = match taken {
        Some(db) => db,
        None => files.reader()?,
    };
    let result = match running.begin(&db) {
        Begun::Now => in_transaction(&db, running, work),
        Begun::TooLate => Err(interrupted()),
    };
    running.end();
    // Whoever came next could not begin, and what it still reads of could never be given free.
    if db.is_autocommit() {
        lock(idle).push(db);
    }
    result
}

/// Only the work is interrupted: a rollback that is would leave the transaction open.
fn in_transaction<T>(
    db: &Connection,
    running: &Running,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let transaction = db.unchecked_transaction()?;
    let result = work(&transaction);
    running.end();
    result
}

fn interrupted() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_INTERRUPT), None)
}

/// How far a read is, for whoever asked for it and may go.
#[derive(Clone, Default)]
struct Running(Arc<Mutex<Progress>>);

#[derive(Default)]
enum Progress {
    /// Not begun, or over: the connection is somebody else's and must not be interrupted.
    #[default]
    Elsewhere,
    /// It runs, and can be interrupted.
    Runs(InterruptHandle),
    /// Nobody waits for it any more.
    Abandoned,
}

/// Whether a read may run.
enum Begun {
    Now,
    TooLate,
}

impl Running {
    fn begin(&self, db: &Connection) -> Begun {
        let mut progress = lock(&self.0);
        if matches!(*progress, Progress::Abandoned) {
            return Begun::TooLate;
        }
        *progress = Progress::Runs(db.get_interrupt_handle());
        Begun::Now
    }

    fn end(&self) {
        *lock(&self.0) = Progress::Elsewhere;
    }
}

struct InterruptOnDrop(Running);

impl Drop for InterruptOnDrop {
    fn drop(&mut self) {
        let mut progress = lock(&self.0.0);
        if let Progress::Runs(handle) = &*progress {
            handle.interrupt();
        }
        *progress = Progress::Abandoned;
    }
}

/// A panic elsewhere leaves nothing half done behind these locks.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::OpenOptions;
    use crate::store::files::throw_away_folder;

    fn readers() -> (tempfile::TempDir, Readers) {
        let folder = throw_away_folder("idtriage-test-").unwrap();
        let files = Files::prepare(&folder.path().join("idtriage.db"), &OpenOptions::default()).unwrap();
        drop((files.writer().unwrap(), files.search_writer().unwrap()));
        (folder, Readers::new(files))
    }

    fn one(db: &Connection) -> rusqlite::Result<i64> {
        db.query_row("SELECT 1", [], |row| row.get(0))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_read_that_is_given_up_at_any_moment_leaves_the_next_one_whole() {
        let (_folder, readers) = readers();
        let readers = Arc::new(readers);
        for round in 0..10_000 {
            let reading = tokio::spawn({
                let readers = readers.clone();
                async move { readers.read(Lane::Long, one).await }
            });
            for _ in 0..round % 40 {
                tokio::task::yield_now().await;
            }
            reading.abort();
            assert_eq!(readers.read(Lane::Long, one).await.unwrap(), 1, "round {round}");
        }
    }

    #[tokio::test]
    async fn a_connection_whose_transaction_did_not_end_is_not_used_again() {
        let (_folder, readers) = readers();
        // An interruption holds on while a statement runs, and this one runs for ever: the rollback fails.
        let stuck = |db: &Connection| {
            let mut statement = db.prepare("SELECT 1 UNION ALL SELECT 2")?;
            let mut rows = statement.query([])?;
            rows.next()?;
            std::mem::forget(rows);
            std::mem::forget(statement);
            db.get_interrupt_handle().interrupt();
            Ok(())
        };
        readers.read(Lane::Long, stuck).await.unwrap();
        assert!(lock(&readers.long.idle).is_empty());
        assert_eq!(readers.read(Lane::Long, one).await.unwrap(), 1);
        assert_eq!(lock(&readers.long.idle).len(), 1, "what ended well is kept");
    }
}
