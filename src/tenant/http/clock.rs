//! The time, handed in.

use jiff::{SignedDuration, Timestamp};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Says what time it is. Whoever builds the tenants chooses the clock; tests choose a still one.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    span: Arc<dyn Fn(SignedDuration) -> SignedDuration + Send + Sync>,
}

impl Clock {
    /// A clock that asks a function, and goes as fast as the machine's.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Clock {
        Clock { now: Arc::new(now), span: Arc::new(|real| real) }
    }

    /// The same, going as far in a span of real time as a function says.
    #[must_use]
    pub fn going(self, span: impl Fn(SignedDuration) -> SignedDuration + Send + Sync + 'static) -> Clock {
        Clock { span: Arc::new(span), ..self }
    }

    /// The machine's clock.
    pub fn system() -> Clock {
        Clock::new(Timestamp::now)
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// How far this clock goes in a span of real time.
    pub(super) fn span(&self, real: Duration) -> SignedDuration {
        (self.span)(SignedDuration::try_from(real).unwrap_or(SignedDuration::MAX))
    }

    /// How long a span of this clock takes in real time.
    pub(super) fn real(&self, span: SignedDuration) -> Duration {
        let pace = (self.span)(SignedDuration::from_secs(1)).as_secs_f64();
        let seconds = if pace > 0.0 { span.as_secs_f64() / pace } else { span.as_secs_f64() };
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
