//! How many requests are on their way at once.
//!
//! Reads leave one seat free: a request that acts never waits for reads alone.

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

/// What a seat is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seat {
    /// A request that reads.
    Read,
    /// A request that acts.
    Act,
}

/// The seats; whoever came first is seated first.
#[derive(Debug)]
pub(super) struct Seats {
    all: Semaphore,
    reads: Semaphore,
}

/// A seat that is taken until this is dropped.
#[derive(Debug)]
pub(super) struct Seated<'a> {
    _any: SemaphorePermit<'a>,
    _read: Option<SemaphorePermit<'a>>,
}

impl Seats {
    /// So many; two at least, one of them for requests that act.
    pub(super) fn new(count: usize) -> Seats {
        let count = count.clamp(2, Semaphore::MAX_PERMITS);
        Seats { all: Semaphore::new(count), reads: Semaphore::new(count - 1) }
    }

    /// Waits for a seat until a deadline; a free one is had after it, too.
    pub(super) async fn take(&self, seat: Seat, deadline: Instant) -> Option<Seated<'_>> {
        let seated = async {
            let read = match seat {
                Seat::Read => Some(self.reads.acquire().await.ok()?),
                Seat::Act => None,
            };
            Some(Seated { _any: self.all.acquire().await.ok()?, _read: read })
        };
        timeout_at(deadline, seated).await.ok()?
    }

    /// A seat that is free and that nobody waits for.
    pub(super) fn take_now(&self, seat: Seat) -> Option<Seated<'_>> {
        let read = match seat {
            Seat::Read => Some(self.reads.try_acquire().ok()?),
            Seat::Act => None,
        };
        Some(Seated { _any: self.all.try_acquire().ok()?, _read: read })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reads_leave_a_seat_for_what_acts() {
        let (seats, over) = (Seats::new(3), Instant::now());
        let first = seats.take(Seat::Read, over).await.unwrap();
        let _second = seats.take(Seat::Read, over).await.unwrap();
        assert!(seats.take(Seat::Read, over).await.is_none());
        let act = seats.take(Seat::Act, over).await.unwrap();
        assert!(seats.take(Seat::Act, over).await.is_none(), "three in all");
        drop(first);
        assert!(seats.take_now(Seat::Read).is_some(), "one is free");
        let _other = seats.take_now(Seat::Act).unwrap();
        assert!(seats.take_now(Seat::Act).is_none());
        drop(act);
        assert!(seats.take(Seat::Read, over).await.is_some());
    }
}
