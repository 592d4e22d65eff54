//! The time, handed in.

use jiff::{SignedDuration, Timestamp};
use std::fmt;
use std::time::Duration;

/// Tells the time. Nobody else does, so that tests choose it.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The instant now.
    fn now(&self) -> Timestamp;

    /// How far this clock goes in a span of real time.
    fn span(&self, real: SignedDuration) -> SignedDuration {
        real
    }

    /// How long to wait, in real time, until this clock shows an instant.
    fn until(&self, at: Timestamp) -> Duration {
        Duration::try_from(at.duration_since(self.now())).unwrap_or_default()
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
