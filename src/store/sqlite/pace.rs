//! How much is expanded between two groups of writes: a sender that gets no answer gives up, and what is
//! acknowledged loses nothing by being shown a little later. Pure: whoever asks brings the time.

use std::time::{Duration, Instant};

/// While writes come, something is expanded this often, whatever waits to be acknowledged: a flood is shown
/// late, and never not at all.
const EVERY: Duration = Duration::from_millis(40);
/// How many elements that are then, at first and as long as that is not enough. Together with the time
/// between them this is what a store takes in for ever: some fifteen hundred elements a second.
const FIRST_IN_A_FLOOD: usize = 16;
const MOST_IN_A_FLOOD: usize = 64;
/// More than this between two goes cannot be kept up with by them, nor by twice as many. Then the answers
/// go first: what is shown is late however it is done, and a sender that gets no answer sends again.
const OUTRUN: usize = 2 * MOST_IN_A_FLOOD;
/// What is expanded in the first turn in which nobody writes.
const FIRST: usize = 8;

/// How many elements are expanded in one go. The expander's own slice bounds it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    /// How many in the last turn, where nobody wrote in it.
    idle: usize,
    /// How many in the last go behind writes, as long as something waits.
    in_a_flood: usize,
    /// What was written since then.
    written: usize,
    /// When that was, or since when what waits has waited.
    since: Option<Instant>,
}

impl Pace {
    /// Behind so many writes, at a moment. Where nobody writes, twice as many as in the turn before; a queue
    /// that is empty for a moment is no quiet hour, so the first of them are few.
    pub(super) fn after(&mut self, writes: usize, now: Instant) -> usize {
        let since = *self.since.get_or_insert(now);
        self.written = self.written.saturating_add(writes);
        if writes == 0 {
            self.idle = self.idle.saturating_mul(2).max(FIRST);
            return self.idle;
        }
        self.idle = 0;
        if now.saturating_duration_since(since) < EVERY {
            return 0;
        }
        self.since = Some(now);
        let most =
            if std::mem::take(&mut self.written) > OUTRUN { FIRST_IN_A_FLOOD } else { MOST_IN_A_FLOOD };
        self.in_a_flood = self.in_a_flood.saturating_mul(2).clamp(FIRST_IN_A_FLOOD, most);
        self.in_a_flood
    }

    /// Nothing waits any more.
    pub(super) fn is_through(&mut self) {
        *self = Pace::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nobody_writes_more_and_more_is_expanded() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        let idle: Vec<usize> = (0..4).map(|_| pace.after(0, now)).collect();
        assert_eq!(idle, [8, 16, 32, 64]);
        pace.is_through();
        assert_eq!((pace.after(1, now), pace.after(0, now)), (0, FIRST), "the next moment after one write");
    }

    #[test]
    fn a_flood_holds_up_what_is_shown_and_does_not_end_it() {
        let (mut pace, began) = (Pace::default(), Instant::now());
        let mut goes = Vec::new();
        for millisecond in 0..=170 {
            let now = began + Duration::from_millis(millisecond);
            // Now and then the queue is empty for a moment.
            let writes = if millisecond % 7 == 3 { 0 } else { 3 };
            match pace.after(writes, now) {
                0 => {}
                most if writes == 0 => assert_eq!(most, FIRST),
                most => goes.push((millisecond, most)),
            }
        }
        assert_eq!(goes, [(40, 16), (81, 32), (121, 64), (161, 64)]);
    }

    #[test]
    fn what_cannot_be_kept_up_with_is_acknowledged_first() {
        let (mut pace, began) = (Pace::default(), Instant::now());
        let mut go = |at: u64, writes: usize| pace.after(writes, began + Duration::from_millis(at));
        assert_eq!([go(0, OUTRUN), go(40, 1)], [0, FIRST_IN_A_FLOOD], "more than twice of the most");
        assert_eq!([go(41, OUTRUN), go(80, 1)], [0, FIRST_IN_A_FLOOD], "for as long as that lasts");
        assert_eq!([go(81, OUTRUN - 1), go(120, 1)], [0, 2 * FIRST_IN_A_FLOOD], "and no longer");
    }
}
