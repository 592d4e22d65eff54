//! The lab's time: it starts at the story's "now" and runs `speed` times as fast as the real one.
//!
//! Everything the lab dates or measures (events, token lifetimes, rate windows, its `Date` header) is in this time, so a
//! lab at speed 60 behaves as an hour of the real services within a minute. Only the assertions that a client signs
//! are held against the real clock too: they may be made by a clock the lab does not own.
//!
//! Whoever has a lab can also put its clock forward: a test that drives the time starts it as slow as it goes.
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Speeds outside this range are brought back into it: zero would stop time, the upper end keeps timers meaningful.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.01..=10_000.0;

/// A clock that runs at its own speed from its own start; clones are the same clock.
#[derive(Debug, Clone)]
pub struct Clock {
    start: Timestamp,
    origin: Instant,
    speed: f64,
    /// By how many milliseconds it was put forward.
    forward: Arc<AtomicU64>,
}

impl Clock {
    pub(crate) fn starting_at(start: Timestamp, speed: f64) -> Self {
        let speed = if speed.is_finite() { speed.clamp(*SPEEDS.start(), *SPEEDS.end()) } else { 1.0 };
        Self { start, origin: Instant::now(), speed, forward: Arc::default() }
    }

    /// Puts it forward.
    pub fn advance(&self, span: Duration) {
        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX / 2);
        self.forward.fetch_add(millis, Ordering::SeqCst);
    }

    /// The lab's present.
    pub fn now(&self) -> Timestamp {
        self.start + SignedDuration::try_from(self.elapsed()).unwrap_or(SignedDuration::ZERO)
    }

    /// How many times faster than the real one it runs.
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// Lab time since the start.
    pub fn elapsed(&self) -> Duration {
        let forward = Duration::from_millis(self.forward.load(Ordering::SeqCst));
        self.origin.elapsed().mul_f64(self.speed) + forward
    }

    /// How long a span of lab time takes in reality.
    pub fn real(&self, span: Duration) -> Duration {
        span.div_f64(self.speed)
    }

    /// How much lab time passes within a span of real time.
    pub fn passing(&self, real: Duration) -> Duration {
        real.mul_f64(self.speed)
    }

    /// Waits a span of lab time.
    pub(crate) async fn sleep(&self, span: Duration) {
        tokio::time::sleep(self.real(span)).await;
    }
}

/// RFC 3339 with milliseconds, as Okta and CII print it.
pub(crate) fn millis(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// RFC 3339 in whole seconds, as EventBridge prints `time`.
pub(crate) fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The form of the HTTP `Date` header.
pub(crate) fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_the_three_forms() {
        let at: Timestamp = "2026-03-04T05:06:07.089Z".parse().unwrap();
        assert_eq!(millis(at), "2026-03-04T05:06:07.089Z");
        assert_eq!(seconds(at), "2026-03-04T05:06:07Z");
        assert_eq!(http_date(at), "Wed, 04 Mar 2026 05:06:07 GMT");
    }

    #[test]
    fn scales_spans_and_survives_impossible_speeds() {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH, 60.0);
        assert_eq!(clock.real(Duration::from_secs(60)), Duration::from_secs(1));
        for speed in [0.0, -3.0, f64::NAN, f64::INFINITY] {
            let clock = Clock::starting_at(Timestamp::UNIX_EPOCH, speed);
            assert!(clock.real(Duration::from_secs(1)) > Duration::ZERO);
        }
    }
}
