//! A gate: what is known of a bucket of calls, and whether one of them may leave now.

use super::rate::Rate;
use crate::domain::WaitCause;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::futures::OwnedNotified;
use tokio::sync::{Mutex, Notify};
use tokio::time::Instant;

/// Of requests that keep a distance no more than this leave within as many distances.
const AT_MOST: u8 = 10;

/// A bucket: when it opens, and what closed it.
#[derive(Debug)]
pub(super) struct Gate {
    opens: Instant,
    cause: WaitCause,
    /// Requests that keep a distance leave then at the earliest.
    next: Instant,
    /// When the last of them left, oldest first.
    left: VecDeque<Instant>,
    window: Option<Window>,
    /// Requests on their way.
    flying: u32,
    /// Told whenever one of them is not any more.
    landed: Arc<Notify>,
    /// Where those stand that keep a distance: whoever came first leaves first.
    line: Arc<Mutex<()>>,
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

/// A place that was taken, then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    at: Instant,
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
        let left = VecDeque::new();
        let (landed, line) = (Arc::default(), Arc::default());
        Gate { opens: now, cause, next: now, left, window: None, flying: 0, landed, line }
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

    /// Where those stand that keep a distance.
    pub(super) fn line(&self) -> Arc<Mutex<()>> {
        self.line.clone()
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
        match self.apart(gap).filter(|apart| *apart > opens) {
            Some(opens) => {
                let cause = closed.map_or(WaitCause::Paced, |place| place.cause);
                Some(Place { opens, cause })
            }
            None => closed,
        }
    }

    /// When the next request that keeps this distance may leave, as far as those before it are concerned.
    fn apart(&self, gap: Duration) -> Option<Instant> {
        if gap.is_zero() {
            return None;
        }
        let last = self.left.back().map(|last| *last + gap / 4);
        let many = (self.left.len() >= AT_MOST.into()).then(|| self.left.front()).flatten();
        let many = many.map(|first| *first + gap * u32::from(AT_MOST));
        last.into_iter().chain(many).chain([self.next]).max()
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

    /// Who woke late does not put off those behind, which leave a little closer together till they are where they would
    /// have been: all the waits would be a share of the rate. How many leave within a while is held to all the same.
    fn take(&mut self, gap: Duration, now: Instant) -> Option<Taken> {
        (!gap.is_zero()).then(|| {
            let is_late = now.saturating_duration_since(self.next) < gap * u32::from(AT_MOST);
            self.next = if is_late { self.next } else { now } + gap;
            if self.left.len() >= AT_MOST.into() {
                self.left.pop_front();
            }
            self.left.push_back(now);
            Taken { at: now }
        })
    }

    /// A place that nobody left from, unless another was taken since.
    pub(super) fn give_back(&mut self, taken: Taken, now: Instant) {
        if self.left.back() == Some(&taken.at) {
            self.left.pop_back();
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
    use proptest::collection::vec;
    use proptest::{prop_assert, proptest};

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

    proptest! {
        /// However late each of them wakes, and however long nobody wants to leave.
        #[test]
        fn no_more_than_may_leave_within_a_while(late in vec(0_u64..400, 1..200), idle in 0_usize..50) {
            let mut now = Instant::now();
            let mut gate = Gate::new(now);
            let mut left = Vec::new();
            for (n, late) in late.into_iter().enumerate() {
                now += Duration::from_millis(if n == idle { 5_000 } else if n % 3 == 0 { late } else { 0 });
                while let Some(place) = gate.later(GAP, now) {
                    now = place.opens;
                }
                prop_assert!(matches!(gate.leave(GAP, now), Found::Room(Some(_))));
                left.push(now);
            }
            for many in left.windows(usize::from(AT_MOST) + 1) {
                prop_assert!(many[usize::from(AT_MOST)] - many[0] >= GAP * u32::from(AT_MOST));
            }
            prop_assert!(left.windows(2).all(|two| two[1] - two[0] >= GAP / 4));
        }
    }

    #[test]
    fn those_that_wake_late_cost_those_behind_them_little() {
        let start = Instant::now();
        let mut gate = Gate::new(start);
        let mut now = start;
        for n in 0..100 {
            now = gate.later(GAP, now).map_or(now, |place| place.opens);
            // As on a machine that has much to do.
            now += if n % 11 == 5 { GAP * 3 / 4 } else { Duration::ZERO };
            assert!(matches!(gate.leave(GAP, now), Found::Room(Some(_))), "{n}");
        }
        // Nine of them, by nearly seven places in all.
        assert!(now - start <= GAP * (99 + 1), "{:?} of {:?}", now - start, GAP * 99);
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
