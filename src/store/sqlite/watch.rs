//! New arrivals, for whoever watches: ours after each commit, other processes' by looking.
//!
//! `PRAGMA data_version` on the writer's own connection changes exactly when *another* connection has
//! written, and costs microseconds. So the writer looks itself between two jobs; a thread of its own
//! would see our own commits as somebody else's.

use crate::store::Sequence;
use rusqlite::{Connection, Result};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Publishes the sequence.
#[derive(Debug)]
pub(super) struct Watcher {
    sender: Arc<watch::Sender<Sequence>>,
    version: i64,
    looked: Instant,
}

impl Watcher {
    pub(super) fn new(db: &Connection, sender: Arc<watch::Sender<Sequence>>) -> Result<Watcher> {
        let version = data_version(db)?;
        let newest_event = newest_event(db)?;
        sender.send_modify(|sequence| sequence.newest_event = newest_event);
        Ok(Watcher { sender, version, looked: Instant::now() })
    }

    /// We committed.
    pub(super) fn committed(&self, db: &Connection) {
        // Failing to read what was just committed is the next reader's error to report.
        let Ok(newest) = newest_event(db) else { return };
        self.sender.send_modify(|sequence| {
            sequence.newest_event = newest;
            sequence.change += 1;
        });
    }

    /// Whether the last look is longer ago than `every`.
    pub(super) fn is_due(&self, every: Duration) -> bool {
        self.looked.elapsed() >= every
    }

    /// Looks whether another connection committed, and tells who watches. Returns whether it did.
    pub(super) fn look(&mut self, db: &Connection) -> bool {
        self.looked = Instant::now();
        let Ok(version) = data_version(db) else { return false };
        let has_changed = version != self.version;
        if has_changed {
            self.version = version;
            self.committed(db);
        }
        has_changed
    }
}

fn data_version(db: &Connection) -> Result<i64> {
    db.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

/// The last id that was given, also where retention has taken its event since.
pub(super) fn newest_event(db: &Connection) -> Result<i64> {
    last_given(db, "events")
}

/// The last number that an `AUTOINCREMENT` table gave; nothing that is taken out makes it smaller.
pub(super) fn last_given(db: &Connection, table: &str) -> Result<i64> {
    db.prepare_cached("SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = ?1")?
        .query_row([table], |row| row.get(0))
}
