//! How many connections there may be, and who has to leave when there is no place left.
//!
//! Whoever has not shown a secret yet may be anybody, and opening connections costs nothing. So the
//! oldest of those makes room for the next caller; a connection that has carried the right secret stays.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The places of a listener.
#[derive(Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    strangers: Arc<Strangers>,
}

/// The place of one connection; given back when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    number: u64,
    leave: Arc<Notify>,
    strangers: Arc<Strangers>,
    _permit: OwnedSemaphorePermit,
}

/// Who has not proven anything yet, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Strangers(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    by_age: BTreeMap<u64, Arc<Notify>>,
}

impl Places {
    /// So many places.
    pub(super) fn new(places: usize) -> Places {
        Places { free: Arc::new(Semaphore::new(places)), strangers: Arc::default() }
    }

    /// A place, as soon as there is one; `None` only if there are no places any more.
    pub(super) async fn seat(&self) -> Option<Seat> {
        if self.free.available_permits() == 0 {
            self.strangers.send_one_away();
        }
        let permit = Arc::clone(&self.free).acquire_owned().await.ok()?;
        let (number, leave) = self.strangers.enter();
        Some(Seat { number, leave, strangers: Arc::clone(&self.strangers), _permit: permit })
    }
}

impl Seat {
    /// Its connection has carried the right secret: it stays.
    pub(super) fn trust(&self) {
        self.strangers.forget(self.number);
    }

    /// Waits until the connection has to make room.
    pub(super) async fn told_to_leave(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.trust();
    }
}

impl Strangers {
    /// One more, and how it is told to leave.
    pub(super) fn enter(&self) -> (u64, Arc<Notify>) {
        let leave = Arc::new(Notify::new());
        let mut waiting = self.waiting();
        let number = waiting.next;
        waiting.next += 1;
        waiting.by_age.insert(number, Arc::clone(&leave));
        (number, leave)
    }

    /// Tells the oldest to leave.
    pub(super) fn send_one_away(&self) {
        if let Some((_, leave)) = self.waiting().by_age.pop_first() {
            leave.notify_one();
        }
    }

    /// This one is none of them any more.
    pub(super) fn forget(&self, number: u64) {
        self.waiting().by_age.remove(&number);
    }

    /// Nothing is left half done under this lock.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[tokio::test]
    async fn the_oldest_stranger_makes_room_and_the_trusted_stay() {
        let places = Places::new(3);
        let mut seats = Vec::new();
        for _ in 0..3 {
            seats.push(places.seat().await.unwrap());
        }
        seats[0].trust();
        let mut next = Box::pin(places.seat());
        assert!(next.as_mut().now_or_never().is_none());
        let told: Vec<bool> =
            seats.iter().map(|seat| seat.told_to_leave().now_or_never().is_some()).collect();
        assert_eq!(told, [false, true, false]);
        drop(seats.remove(1));
        assert!(next.await.is_some());
    }
}
