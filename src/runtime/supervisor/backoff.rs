//! How long to rest before something that fell is started again.

use std::time::Duration;

/// Whoever ran this long before falling was well: the next rest is the shortest again.
const WELL: Duration = Duration::from_secs(60);

/// The shortest and the longest rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rests {
    /// The first.
    pub(super) shortest: Duration,
    /// What doubling stops at.
    pub(super) longest: Duration,
}

/// Rests that double from fall to fall.
#[derive(Debug)]
pub(super) struct Backoff {
    rests: Rests,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(rests: Rests) -> Backoff {
        Backoff { rests, next: rests.shortest }
    }

    /// The rest after a fall that came so long after the start.
    pub(super) fn after(&mut self, ran: Duration) -> Duration {
        let rest = if ran >= WELL { self.rests.shortest } else { self.next };
        self.next = rest.saturating_mul(2).min(self.rests.longest);
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_double_up_to_the_longest_and_begin_anew_after_a_good_run() {
        let seconds = Duration::from_secs;
        let mut backoff = Backoff::new(Rests { shortest: seconds(1), longest: seconds(5) });
        let mut rest = |ran| backoff.after(seconds(ran)).as_secs();
        assert_eq!([rest(0), rest(3), rest(59), rest(0), rest(0)], [1, 2, 4, 5, 5]);
        assert_eq!([rest(60), rest(0)], [1, 2]);
    }
}
