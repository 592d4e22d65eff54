//! The one line that says what just happened.

use jiff::{SignedDuration, Timestamp};

/// How long a notice stays when it is not an error.
const STAYS: SignedDuration = SignedDuration::from_secs(8);

/// What was said last, and when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notice {
    said: Option<(Result<String, String>, Timestamp)>,
}

impl Notice {
    /// Says something.
    pub fn say(&mut self, now: Timestamp, text: impl Into<String>) {
        self.said = Some((Ok(text.into()), now));
    }

    /// Says what failed; it stays until something else is said or a key is pressed.
    pub fn fail(&mut self, now: Timestamp, text: impl Into<String>) {
        self.said = Some((Err(text.into()), now));
    }

    /// What was under way has ended: that it is under way is said no more, if nothing else was said since.
    pub fn is_over(&mut self, text: &str) {
        if matches!(&self.said, Some((Ok(said), _)) if said == text) {
            self.said = None;
        }
    }

    /// Says a result.
    pub fn result(&mut self, now: Timestamp, result: Result<String, String>) {
        self.said = Some((result, now));
    }

    /// What is to be shown.
    pub fn shown(&self, now: Timestamp) -> Option<&Result<String, String>> {
        let (said, at) = self.said.as_ref()?;
        (said.is_err() || now.duration_since(*at) < STAYS).then_some(said)
    }

    /// A key was pressed: an error has been seen.
    pub fn seen(&mut self) {
        if matches!(self.said, Some((Err(_), _))) {
            self.said = None;
        }
    }

    /// When the line changes by itself.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let (said, at) = self.said.as_ref()?;
        (said.is_ok() && now.duration_since(*at) < STAYS).then(|| *at + STAYS)
    }
}
