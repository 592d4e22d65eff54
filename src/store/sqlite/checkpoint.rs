//! From the write-ahead log into the store's file, beside the writer.
//!
//! Left to itself SQLite does this in the very commit that made the log long, and whoever waits for that
//! commit waits for all of it: the more is stored, the further apart lie the pages. So a thread with a
//! connection of its own copies what is committed while the writer goes on. Should it fall behind or fail,
//! the writer does it after all, once the log is as long as it may stay.

use rusqlite::{Connection, Result};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// After a first commit, so that pages that are written again and again are copied once.
const GATHER: Duration = Duration::from_secs(1);

/// The thread, as long as this lives.
#[derive(Debug)]
pub(super) struct Checkpointer {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts it with a connection that it alone has.
    pub(super) fn start(db: Connection) -> std::io::Result<Checkpointer> {
        let (wake, woken) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || run(&db, &woken))?;
        Ok(Checkpointer { wake: Some(wake), thread: Some(thread) })
    }

    /// Something was committed.
    pub(super) fn committed(&self) {
        let _ = self.wake.as_ref().map(|wake| wake.try_send(()));
    }
}

impl Drop for Checkpointer {
    /// Its connection is closed when this returns.
    fn drop(&mut self) {
        self.wake = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn run(db: &Connection, woken: &Receiver<()>) {
    while woken.recv().is_ok() && gathered(woken) {
        // The next one copies what this one could not.
        if let Err(error) = checkpoint(db) {
            tracing::warn!(%error, "the write-ahead log could not be copied into the store");
        }
    }
}

/// Lets more come; whether anybody is left for whom to go on.
fn gathered(woken: &Receiver<()>) -> bool {
    let end = Instant::now() + GATHER;
    loop {
        match woken.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}

/// Copies what nobody stands in the way of, and waits for nobody.
fn checkpoint(db: &Connection) -> Result<()> {
    db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::OpenOptions;
    use crate::store::files::throw_away_folder;
    use crate::store::sqlite::connect::Files;

    #[test]
    fn what_is_committed_comes_into_the_file_though_the_writer_copies_nothing() {
        let folder = throw_away_folder("idtriage-test-").unwrap();
        let path = folder.path().join("idtriage.db");
        let files = Files::prepare(&path, &OpenOptions::default()).unwrap();
        let writer = files.writer().unwrap();
        let checkpointer = Checkpointer::start(files.checkpointer().unwrap()).unwrap();
        let size = || std::fs::metadata(&path).unwrap().len();
        let before = size();
        writer.execute("INSERT INTO meta VALUES ('x', printf('%01000000d', 0))", []).unwrap();
        assert_eq!(size(), before, "it stands in the log");
        checkpointer.committed();
        let end = Instant::now() + Duration::from_secs(20);
        while size() < before + 1_000_000 {
            assert!(Instant::now() < end, "{before} bytes, still {}", size());
            std::thread::yield_now();
        }
    }
}
