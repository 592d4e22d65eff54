//! How much of bodies that prove nothing yet may be in memory.
//!
//! A signature is known to be right only when the whole body is there, so anybody can have bodies read.
//! They have a room of their own: however full it is, senders that are known already find theirs. When
//! it is full, the oldest body in it makes room for the newest, as with connections: whoever sends
//! slowly to keep the others out is sent away by them.

use super::places::Strangers;
use futures_util::FutureExt as _;
use std::sync::Arc;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The room of all bodies that prove nothing yet.
#[derive(Debug)]
pub(super) struct UnprovenRoom {
    free: Arc<Semaphore>,
    readers: Arc<Strangers>,
    /// Somebody gave back what they had.
    left: Arc<Notify>,
}

/// What one such body takes of it; given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    number: u64,
    leave: Arc<Notify>,
    held: Option<OwnedSemaphorePermit>,
    free: Arc<Semaphore>,
    readers: Arc<Strangers>,
    left: Arc<Notify>,
}

/// The body had to make room for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SentAway;

impl UnprovenRoom {
    /// A room of so many bytes.
    pub(super) fn new(bytes: usize) -> UnprovenRoom {
        UnprovenRoom { free: Arc::new(Semaphore::new(bytes)), readers: Arc::default(), left: Arc::default() }
    }

    /// A share, of nothing yet.
    pub(super) fn enter(&self) -> Share {
        let (number, leave) = self.readers.enter();
        Share {
            number,
            leave,
            held: None,
            free: Arc::clone(&self.free),
            readers: Arc::clone(&self.readers),
            left: Arc::clone(&self.left),
        }
    }
}

impl Share {
    /// Takes so many bytes more. Where there is no room, older bodies are sent away until there is; the
    /// oldest of all may be this one.
    pub(super) async fn grow(&mut self, bytes: u32) -> Result<(), SentAway> {
        loop {
            if self.leave.notified().now_or_never().is_some() {
                return Err(SentAway);
            }
            let mut left = std::pin::pin!(self.left.notified());
            // From here on, so that who leaves in between is not missed.
            left.as_mut().enable();
            if let Ok(more) = Arc::clone(&self.free).try_acquire_many_owned(bytes) {
                match &mut self.held {
                    Some(held) => held.merge(more),
                    None => self.held = Some(more),
                }
                return Ok(());
            }
            self.readers.send_one_away();
            tokio::select! {
                biased;
                () = self.leave.notified() => return Err(SentAway),
                () = left => {}
            }
        }
    }

    /// Waits until it has to make room.
    pub(super) async fn told_to_leave(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.readers.forget(self.number);
        drop(self.held.take());
        self.left.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_makes_room_and_the_newest_is_read() {
        let room = UnprovenRoom::new(10);
        let (mut first, mut second) = (room.enter(), room.enter());
        first.grow(4).await.unwrap();
        second.grow(6).await.unwrap();
        let mut third = room.enter();
        let mut growing = Box::pin(third.grow(5));
        assert!(growing.as_mut().now_or_never().is_none());
        assert!(first.told_to_leave().now_or_never().is_some());
        drop(first);
        // What the first had is not enough, so the second has to go as well.
        assert!(growing.as_mut().now_or_never().is_none());
        assert_eq!(second.grow(1).await, Err(SentAway));
        drop(second);
        growing.await.unwrap();
        drop(third);
        assert_eq!(room.free.available_permits(), 10);
    }

    #[tokio::test]
    async fn who_is_alone_and_too_large_goes_itself() {
        let room = UnprovenRoom::new(10);
        let mut only = room.enter();
        only.grow(10).await.unwrap();
        assert_eq!(only.grow(1).await, Err(SentAway));
    }
}
