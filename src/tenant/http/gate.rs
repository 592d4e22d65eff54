//! A gate: what is known of a bucket of calls, and whether one of them may leave now.

use super::rate::Rate;
use crate::domain::WaitCause;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::Instant;

/// A bucket: when it opens, and what closed it.
#[derive(Debug)]
pub(super) struct Gate {
    opens: Instant,
    cause: WaitCause,
    /// Requests that keep a distance leave then at the earliest.
    next: Instant,
    window: Option<Window>,
    /// Requests on their way.
    flying: u32,
    /// Told whenever one of them is not any more.
    landed: Arc<Notify>,
}

/// What the other side said of its window last.
#[derive(Debug, Clone, Copy)]
struct Window {
    reset: i64,
    limit: u32,
    left: u32,
    /// When it is taken to end: later than the other side says, by so much.
    ends: Instant,
    late: Duration,
}

/// A place in a bucket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) opens: Instant,
    pub(super) cause: WaitCause,
}

/// A place that was taken: the one behind it is here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    next: Instant,
}

/// What a request that has waited finds.
pub(super) enum Found {
    /// It leaves, and has taken this place if it keeps a distance.
    Room(Option<Taken>),
    Closed,
    /// As much is on its way as is left; how much that is shows when it has landed, or when the window ends,
    /// if that is yet to come.
    Tight(OwnedNotified, Option<Instant>),
}

impl Gate {
    pub(super) fn new(now: Instant) -> Gate {
        let cause = WaitCause::Paced;
        Gate { opens: now, cause, next: now, window: None, flying: 0, landed: Arc::default() }
    }

    /// Lets a request that keeps this distance leave, if there is room for it: now its place is taken.
    pub(super) fn leave(&mut self, gap: Duration, now: Instant) -> Found {
        if self.later(gap, now).is_some() {
            return Found::Closed;
        }
        match self.room(now) {
            Some((room, ends)) if self.flying >= room => {
                Found::Tight(self.landed.clone().notified_owned(), Some(ends).filter(|ends| *ends > now))
            }
            _ => {
                self.flying += 1;
                Found::Room(self.take(gap, now))
            }
        }
    }

    /// One that left is not on its way any more: there may be room.
    pub(super) fn land(&mut self) {
        self.flying = self.flying.saturating_sub(1);
        self.landed.notify_waiters();
    }

    /// Where the next place of a request that keeps this distance is, if that is not here and now.
    pub(super) fn later(&self, gap: Duration, now: Instant) -> Option<Place> {
        let closed = self.closed(now);
        let opens = closed.map_or(now, |place| place.opens);
        if !gap.is_zero() && self.next > opens {
            let cause = closed.map_or(WaitCause::Paced, |place| place.cause);
            return Some(Place { opens: self.next, cause });
        }
        closed
    }

    /// When it opens, if it is closed.
    fn closed(&self, now: Instant) -> Option<Place> {
        let by_answer = Place { opens: self.opens, cause: self.cause };
        let used_up = self.window.filter(|window| window.left == 0);
        let by_window = used_up.map(|window| Place { opens: window.ends, cause: WaitCause::Paced });
        let later = std::iter::once(by_answer).chain(by_window).max_by_key(|place| place.opens);
        later.filter(|place| place.opens > now)
    }

    /// What may be on its way at once. Of a window that has ended only its size is known.
    fn room(&self, now: Instant) -> Option<(u32, Instant)> {
        let window = self.window?;
        let is_over = window.ends <= now;
        Some((if is_over { window.limit } else { window.left }, window.ends))
    }

    /// Heeds what an answer says of the window; a new one is taken to end by `late` later.
    pub(super) fn learn(&mut self, rate: Rate, late: Duration, longest: Duration, now: Instant) {
        let ends = |late| now + rate.ends_in.saturating_add(late).min(longest);
        match &mut self.window {
            Some(window) if window.reset == rate.reset => {
                // Each answer says too late rather than too early when the window ends: its date has no
                // fractions, and it was on its way.
                window.ends = window.ends.min(ends(window.late));
                window.left = window.left.min(rate.left);
                window.limit = rate.limit;
            }
            // A late answer, of the window before.
            Some(window) if window.reset > rate.reset && window.ends > now => {}
            _ => {
                let Rate { limit, left, reset, .. } = rate;
                self.window = Some(Window { reset, limit, left, ends: ends(late), late });
            }
        }
    }

    /// Nobody knows whether what has no answer was counted.
    pub(super) fn lose(&mut self) {
        if let Some(window) = &mut self.window {
            window.left = window.left.saturating_sub(1);
        }
    }

    /// Has the next request that keeps a distance leave at the earliest then. Who woke a little late does not put off
    /// those behind: all the little waits would be a share of the rate.
    fn take(&mut self, gap: Duration, now: Instant) -> Option<Taken> {
        (!gap.is_zero()).then(|| {
            let is_a_little_late = now.saturating_duration_since(self.next) <= gap / 4;
            self.next = if is_a_little_late { self.next } else { now } + gap;
            Taken { next: self.next }
        })
    }

    /// A place that nobody left from, unless another was taken since.
    pub(super) fn give_back(&mut self, taken: Taken, now: Instant) {
        if self.next == taken.next {
            self.next = now;
        }
    }

    pub(super) fn close(&mut self, pause: Pause, now: Instant) {
        let opens = now + pause.length;
        if opens > self.opens {
            (self.opens, self.cause) = (opens, pause.cause);
        }
    }
}

/// How long a bucket is closed, and who decided that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pause {
    pub(super) length: Duration,
    pub(super) cause: WaitCause,
}

impl Pause {
    /// Later than the other side asked for. Our own pauses are of our own: nobody else keeps them.
    pub(super) fn later(self, late: Duration, longest: Duration) -> Pause {
        match self.cause {
            WaitCause::Asked => Pause { length: self.length.saturating_add(late).min(longest), ..self },
            WaitCause::Throttled | WaitCause::Paced => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(65);
    const GAP: Duration = Duration::from_millis(125);

    fn rate(reset: i64, left: u32, millis: u64) -> Rate {
        Rate { limit: 10, left, reset, ends_in: Duration::from_millis(millis) }
    }

    #[test]
    fn a_window_ends_by_as_much_later_as_was_drawn_for_it_first() {
        let (now, drawn) = (Instant::now(), Duration::from_millis(250));
        let mut gate = Gate::new(now);
        gate.learn(rate(60, 0, 60_000), drawn, LONGEST, now);
        let ends = |gate: &Gate| gate.later(Duration::ZERO, now).unwrap().opens - now;
        assert_eq!(ends(&gate), Duration::from_millis(60_250));
        // A later answer knows the end more exactly; what it would have drawn is of no matter.
        gate.learn(rate(60, 0, 59_100), Duration::ZERO, LONGEST, now);
        assert_eq!(ends(&gate), Duration::from_millis(59_350));
        gate.learn(rate(120, 0, 64_900), drawn, LONGEST, now);
        assert_eq!(ends(&gate), LONGEST, "no pause is longer");
    }

    #[test]
    fn a_place_is_taken_by_leaving_and_given_back_while_it_is_the_last() {
        let now = Instant::now();
        let mut gate = Gate::new(now);
        let Found::Room(Some(first)) = gate.leave(GAP, now) else { panic!("it is open") };
        assert!(matches!(gate.leave(GAP, now), Found::Closed));
        assert!(matches!(gate.leave(Duration::ZERO, now), Found::Room(None)), "a read takes none");
        let Found::Room(Some(second)) = gate.leave(GAP, now + GAP) else { panic!("it is its turn") };
        gate.give_back(first, now + GAP);
        assert!(matches!(gate.leave(GAP, now + GAP), Found::Closed), "the second has left");
        gate.give_back(second, now + GAP);
        assert!(matches!(gate.leave(GAP, now + GAP), Found::Room(Some(_))));
    }
}
