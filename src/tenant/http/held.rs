//! Who is held back: each wait stands here from when it begins until it ends or is given up.

use crate::domain::Wait;
use crate::domain::wait::Waits;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// Where waits are told.
#[derive(Debug, Default)]
pub(super) struct HeldCalls {
    now: watch::Sender<Waits>,
    last: AtomicU64,
}

impl HeldCalls {
    /// The calls that are held back, now and from now on.
    pub(super) fn watch(&self) -> watch::Receiver<Waits> {
        self.now.subscribe()
    }

    /// Tells a wait; it is over when what comes back is dropped, however that comes about.
    pub(super) fn enter(&self, wait: Wait) -> Told<'_> {
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        self.now.send_modify(|now| drop(now.insert(number, wait)));
        Told { calls: self, number }
    }
}

/// A wait that has been told.
#[derive(Debug)]
pub(super) struct Told<'a> {
    calls: &'a HeldCalls,
    number: u64,
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.calls.now.send_modify(|now| drop(now.remove(&self.number)));
    }
}
