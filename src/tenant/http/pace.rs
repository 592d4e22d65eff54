//! Pacing: who waits how long before the next request may leave.
//!
//! One gate a bucket. A 429 closes the gate of its bucket for as long as the other side asks, within
//! our limits; nothing else is held up. Okta also says with each answer how much is left of a bucket's
//! window: once that is used up, counting what is on its way, the gate is closed till the window's end
//! before a 429 has to say so. As long as there is room nobody waits: requests are not spread out.
//!
//! Whoever waited asks again before leaving: a gate may have been closed meanwhile.

use super::Limits;
use super::clock::Clock;
use super::held::HeldCalls;
use super::rate::{Rate, asked_pause};
use super::request::Answer;
use super::seats::{Seat, Seated, Seats};
use crate::domain::{Remote, Wait, WaitCause};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::{Instant, sleep_until};

/// What is limited together: some calls of one system.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bucket {
    /// Which system.
    pub remote: Remote,
    /// Which of its calls.
    pub calls: &'static str,
}

impl Bucket {
    /// Some calls of CII.
    pub fn cii(calls: &'static str) -> Bucket {
        Bucket { remote: Remote::Cii, calls }
    }

    /// Some calls of Okta.
    pub fn okta(calls: &'static str) -> Bucket {
        Bucket { remote: Remote::Okta, calls }
    }

    /// One API endpoint.
    pub fn flow(url: &str) -> Bucket {
        Bucket { remote: Remote::Flow(url.to_owned()), calls: "invoke" }
    }

    /// Somebody who is told of events.
    pub fn notifier(name: &str) -> Bucket {
        Bucket { remote: Remote::Notifier(name.to_owned()), calls: "tell" }
    }
}

/// Which waits are told, and by which clock.
#[derive(Debug)]
pub(super) struct Telling<'a> {
    pub(super) from: Duration,
    pub(super) clock: &'a Clock,
}

/// What a request that wants to leave puts up with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    pub(super) seat: Seat,
    /// The least time to the next request of this kind in the bucket.
    pub(super) gap: Duration,
    /// A closed gate is waited for until then, and not begun to be waited for where it opens later.
    pub(super) deadline: Instant,
    /// A seat is waited for until then.
    pub(super) seated_by: Instant,
}

/// Why a request may not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Its bucket is closed for this long.
    Closed(Duration),
    /// What is on its way is not answered, and no more may be.
    Crowded,
}

/// A bucket: when it opens, and what closed it.
#[derive(Debug)]
struct Gate {
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
    ends: Instant,
}

/// A place in a bucket.
#[derive(Debug, Clone, Copy)]
struct Place {
    opens: Instant,
    cause: WaitCause,
}

/// What a request that has waited finds.
enum Found {
    Room,
    Closed,
    /// As much is on its way as is left; how much that is shows when it has landed, or when the window ends,
    /// if that is yet to come.
    Tight(OwnedNotified, Option<Instant>),
}

impl Gate {
    fn new(now: Instant) -> Gate {
        let cause = WaitCause::Paced;
        Gate { opens: now, cause, next: now, window: None, flying: 0, landed: Arc::default() }
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

    fn learn(&mut self, rate: Rate, longest: Duration, now: Instant) {
        let ends = now + rate.ends_in.min(longest);
        match &mut self.window {
            Some(window) if window.reset == rate.reset => {
                // Each answer says too late rather than too early when the window ends: its date has no
                // fractions, and it was on its way.
                window.ends = window.ends.min(ends);
                window.left = window.left.min(rate.left);
                window.limit = rate.limit;
            }
            // A late answer, of the window before.
            Some(window) if window.reset > rate.reset && window.ends > now => {}
            _ => self.window = Some(Window { reset: rate.reset, limit: rate.limit, left: rate.left, ends }),
        }
    }

    /// Nobody knows whether what has no answer was counted.
    fn lose(&mut self) {
        if let Some(window) = &mut self.window {
            window.left = window.left.saturating_sub(1);
        }
    }

    fn close(&mut self, pause: Pause, now: Instant) {
        let opens = now + pause.length;
        if opens > self.opens {
            (self.opens, self.cause) = (opens, pause.cause);
        }
    }
}

/// The gates, by bucket. Buckets come from the configuration, so there are few.
#[derive(Debug)]
pub(super) struct Pacer {
    gates: Mutex<HashMap<Bucket, Gate>>,
    /// Okta's limit on simultaneous requests is for all users of the org.
    seats: Seats,
    longest: Duration,
    held: HeldCalls,
}

impl Pacer {
    pub(super) fn new(limits: &Limits) -> Pacer {
        let (gates, held) = (Mutex::default(), HeldCalls::default());
        Pacer { gates, seats: Seats::new(limits.at_once), longest: limits.longest_pause, held }
    }

    /// Waits until a request may leave, and tells that it does where that takes long. A place after the
    /// deadline is not taken: the wait it would have been comes back.
    pub(super) async fn turn<'a>(
        &'a self,
        bucket: &'a Bucket,
        turn: Turn,
        told: &Telling<'_>,
    ) -> Result<Leave<'a>, Refused> {
        loop {
            self.wait(bucket, turn, told).await.map_err(Refused::Closed)?;
            let seat = match bucket.remote {
                Remote::Okta => {
                    Some(self.seats.take(turn.seat, turn.seated_by).await.ok_or(Refused::Crowded)?)
                }
                _ => None,
            };
            match self.leave(bucket) {
                Found::Room => return Ok(Leave { pacer: self, bucket, is_answered: false, _seat: seat }),
                Found::Closed => {}
                Found::Tight(landed, ends) => {
                    drop(seat);
                    let given_up = turn.deadline.max(turn.seated_by);
                    let until = ends.map_or(given_up, |ends| ends.min(turn.deadline));
                    tokio::select! {
                        () = landed => {}
                        () = sleep_until(until) => match ends {
                            Some(ends) if ends > turn.deadline => {
                                // Who asks once more is told how long it would be.
                                return Err(Refused::Closed(ends.saturating_duration_since(Instant::now())));
                            }
                            Some(_) => {}
                            None => return Err(Refused::Crowded),
                        }
                    }
                }
            }
        }
    }

    /// Who is held back now, and the changes of that.
    pub(super) fn held(&self) -> &HeldCalls {
        &self.held
    }

    async fn wait(&self, bucket: &Bucket, turn: Turn, told: &Telling<'_>) -> Result<(), Duration> {
        let now = Instant::now();
        let place = self.reserve(bucket, turn.gap, turn.deadline)?;
        let length = place.opens.saturating_duration_since(now);
        let _told = (length >= told.from).then(|| {
            let (length, remote) = (told.clock.span(length), bucket.remote.clone());
            let until = told.clock.now().saturating_add(length).unwrap_or(Timestamp::MAX);
            self.held.enter(Wait { remote, cause: place.cause, until, length })
        });
        sleep_until(place.opens).await;
        Ok(())
    }

    /// Says when the next place in a bucket is; with a gap it is taken, and the one after it is at least
    /// that much later.
    fn reserve(&self, bucket: &Bucket, gap: Duration, deadline: Instant) -> Result<Place, Duration> {
        let now = Instant::now();
        let mut gates = self.gates();
        let gate = gates.entry(bucket.clone()).or_insert_with(|| Gate::new(now));
        let mut place = gate.closed(now).unwrap_or(Place { opens: now, cause: WaitCause::Paced });
        if !gap.is_zero() && gate.next > place.opens {
            place = Place { opens: gate.next, cause: place.cause };
        }
        // An open gate holds back nobody, however little patience there was.
        if place.opens > now && place.opens > deadline {
            return Err(place.opens - now);
        }
        if !gap.is_zero() {
            gate.next = place.opens + gap;
        }
        Ok(place)
    }

    /// Lets a request leave, if its bucket still has room for it.
    fn leave(&self, bucket: &Bucket) -> Found {
        let now = Instant::now();
        let mut gates = self.gates();
        let gate = gates.entry(bucket.clone()).or_insert_with(|| Gate::new(now));
        if gate.closed(now).is_some() {
            return Found::Closed;
        }
        match gate.room(now) {
            Some((room, ends)) if gate.flying >= room => {
                Found::Tight(gate.landed.clone().notified_owned(), Some(ends).filter(|ends| *ends > now))
            }
            _ => {
                gate.flying += 1;
                Found::Room
            }
        }
    }

    fn land(&self, bucket: &Bucket, change: impl FnOnce(&mut Gate, Instant)) {
        let now = Instant::now();
        let mut gates = self.gates();
        let gate = gates.entry(bucket.clone()).or_insert_with(|| Gate::new(now));
        change(gate, now);
        gate.landed.notify_waiters();
    }

    fn gates(&self) -> MutexGuard<'_, HashMap<Bucket, Gate>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request on its way. It has landed when this is dropped, however that comes about.
#[derive(Debug)]
pub(super) struct Leave<'a> {
    pacer: &'a Pacer,
    bucket: &'a Bucket,
    is_answered: bool,
    _seat: Option<Seated<'a>>,
}

impl Leave<'_> {
    /// Its answer has come: what it says of the bucket is heeded from now on, and a 429 closes it.
    pub(super) fn answered(mut self, rate: Option<Rate>, pause: Option<Pause>) {
        self.is_answered = true;
        let is_okta = self.bucket.remote == Remote::Okta;
        let longest = self.pacer.longest;
        self.pacer.land(self.bucket, |gate, now| {
            if let Some(rate) = rate.filter(|_| is_okta) {
                gate.learn(rate, longest, now);
            }
            if let Some(pause) = pause {
                gate.close(pause, now);
            }
        });
    }
}

impl Leave<'_> {
    /// It did not leave after all.
    pub(super) fn stayed(mut self) {
        self.is_answered = true;
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let is_answered = self.is_answered;
        self.pacer.land(self.bucket, |gate, _| {
            gate.flying = gate.flying.saturating_sub(1);
            if !is_answered {
                gate.lose();
            }
        });
    }
}

/// How long a bucket is closed, and who decided that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pause {
    length: Duration,
    cause: WaitCause,
}

/// How long to pause after the `attempt`th 429, first is 0: what the other side asks for, but at least
/// our own doubling pause and at most the longest one.
pub(super) fn pause_after(answer: &Answer, attempt: u32, limits: &Limits, clock: &Clock) -> Pause {
    let own = limits.first_pause.saturating_mul(2u32.saturating_pow(attempt.min(4)));
    let asked = asked_pause(answer).map(|asked| clock.real(asked.try_into().unwrap_or_default()));
    let asked = asked.filter(|asked| *asked >= own);
    let cause = if asked.is_some() { WaitCause::Asked } else { WaitCause::Throttled };
    Pause { length: asked.unwrap_or(own).min(limits.longest_pause), cause }
}

#[cfg(test)]
mod tests {
    use super::super::rate::http_date;
    use super::*;
    use rstest::rstest;
    use std::sync::LazyLock;

    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const EPOCH_OF_DATE: i64 = 784_111_777;

    fn answer(headers: &[(&str, &str)]) -> Answer {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Answer {
            status: 429,
            headers,
            body: Vec::new(),
            flaw: None,
            at: Timestamp::from_second(2_000_000_000).unwrap(),
        }
    }

    #[rstest]
    #[case(&[("retry-after", "7")], 7_000)]
    #[case(&[("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT"), ("date", DATE)], 3_000)]
    #[case(&[("retry-after", "86400")], 65_000)]
    #[case(&[("retry-after", "-5")], 500)]
    #[case(&[("retry-after", "soon")], 500)]
    #[case(&[("x-rate-limit-limit", "600"), ("x-rate-limit-reset", "2000000012")], 12_000)]
    #[case(&[("x-rate-limit-limit", "0"), ("x-rate-limit-reset", "2000000012")], 500)]
    #[case(&[("x-rate-limit-reset", "9")], 9_000)]
    #[case(&[("x-rate-limit-reset", "1999999000")], 500)]
    #[case(&[], 500)]
    fn pauses_as_asked_within_limits(#[case] headers: &[(&str, &str)], #[case] millis: u64) {
        let pause = pause_after(&answer(headers), 0, &Limits::default(), &still());
        assert_eq!(pause.length, Duration::from_millis(millis));
        assert_eq!(pause.cause == WaitCause::Asked, millis > 500);
    }

    #[test]
    fn a_reset_is_compared_with_the_servers_own_date() {
        let date = http_date(DATE).unwrap();
        assert_eq!(date.as_second(), EPOCH_OF_DATE);
        let skewed =
            answer(&[("date", "Tue, 17 May 2033 03:33:20 GMT"), ("x-rate-limit-reset", "2000000030")]);
        let mut ours = skewed.clone();
        ours.at = Timestamp::from_second(1_000_000_000).unwrap();
        let after = |answer| pause_after(answer, 0, &Limits::default(), &still());
        assert_eq!(after(&ours), after(&skewed));
    }

    #[test]
    fn our_own_pause_doubles() {
        let pauses: Vec<u128> = (0..6)
            .map(|n| pause_after(&answer(&[]), n, &Limits::default(), &still()).length.as_millis())
            .collect();
        assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 8_000, 8_000]);
    }

    fn still() -> Clock {
        Clock::new(|| Timestamp::UNIX_EPOCH)
    }

    fn pacer() -> Pacer {
        Pacer::new(&Limits::default())
    }

    fn asked(seconds: u64) -> Pause {
        Pause { length: Duration::from_secs(seconds), cause: WaitCause::Asked }
    }

    fn close(pacer: &Pacer, bucket: &Bucket, pause: Pause) {
        pacer.land(bucket, |gate, now| gate.close(pause, now));
    }

    fn learn(pacer: &Pacer, bucket: &Bucket, (reset, left, millis): (i64, u32, u64)) {
        let rate = Rate { limit: 10, left, reset, ends_in: Duration::from_millis(millis) };
        pacer.land(bucket, |gate, now| gate.learn(rate, Duration::from_secs(65), now));
    }

    /// Waits for so many seconds at most.
    fn patient(seconds: u64) -> Turn {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        Turn { seat: Seat::Read, gap: Duration::ZERO, deadline, seated_by: deadline }
    }

    /// Every wait is told, by a clock that stands.
    fn telling() -> Telling<'static> {
        static CLOCK: LazyLock<Clock> = LazyLock::new(|| Clock::new(|| Timestamp::UNIX_EPOCH));
        Telling { from: Duration::from_millis(1), clock: &CLOCK }
    }

    #[test]
    fn a_place_after_the_deadline_is_not_taken() {
        let pacer = pacer();
        let deadline = Instant::now() + Duration::from_secs(5);
        let gap = Duration::from_secs(1);
        let (a, b) = (Bucket::cii("a"), Bucket::cii("b"));
        let first = pacer.reserve(&a, gap, deadline).unwrap();
        assert!(pacer.reserve(&a, gap, deadline).unwrap().opens >= first.opens + gap);
        assert!(pacer.reserve(&a, Duration::ZERO, deadline).unwrap().opens < first.opens + gap, "a read");
        close(&pacer, &a, asked(60));
        assert!(pacer.reserve(&a, gap, deadline).is_err());
        assert!(pacer.reserve(&b, gap, deadline).is_ok());
    }

    #[test]
    fn an_open_gate_holds_back_nobody_however_impatient() {
        let (pacer, over) = (pacer(), Instant::now());
        let bucket = Bucket::notifier("chat");
        assert!(pacer.reserve(&bucket, Duration::ZERO, over).is_ok());
        close(&pacer, &bucket, asked(60));
        assert!(pacer.reserve(&bucket, Duration::ZERO, over).is_err());
    }

    #[tokio::test]
    async fn who_waits_long_is_told_until_that_is_over() {
        let pacer = pacer();
        let okta = Bucket::okta("users");
        let telling = telling();
        let turn = || pacer.turn(&okta, patient(30), &telling);
        turn().await.unwrap();
        let mut held = pacer.held().watch();
        assert!(held.borrow_and_update().is_empty(), "nobody had to wait");
        close(&pacer, &okta, Pause { length: Duration::from_millis(300), cause: WaitCause::Asked });
        let told = async {
            held.changed().await.unwrap();
            let told: Vec<Wait> = held.borrow_and_update().values().cloned().collect();
            let [one] = told.as_slice() else { panic!("{told:?}") };
            assert_eq!((&one.remote, one.cause), (&Remote::Okta, WaitCause::Asked));
            assert_eq!(one.until, Timestamp::UNIX_EPOCH + one.length);
        };
        let (waited, ()) = tokio::join!(turn(), told);
        waited.unwrap();
        assert!(pacer.held().watch().borrow().is_empty());
    }

    #[tokio::test]
    async fn a_wait_that_is_given_up_is_over() {
        let pacer = pacer();
        let okta = Bucket::okta("users");
        close(&pacer, &okta, Pause { length: Duration::from_secs(60), cause: WaitCause::Throttled });
        let mut held = pacer.held().watch();
        let telling = telling();
        tokio::select! {
            _ = pacer.turn(&okta, patient(300), &telling) => panic!("it is closed for a minute"),
            told = held.changed() => told.unwrap(),
        }
        assert!(held.borrow().is_empty(), "it stood there, and was dropped with the call");
    }

    #[tokio::test]
    async fn who_waited_finds_a_gate_that_was_closed_meanwhile() {
        let (pacer, okta, telling) = (pacer(), Bucket::okta("users"), telling());
        close(&pacer, &okta, Pause { length: Duration::from_millis(20), cause: WaitCause::Throttled });
        let mut held = pacer.held().watch();
        let closes_again = async {
            held.changed().await.unwrap();
            close(&pacer, &okta, asked(60));
            std::future::pending::<()>().await;
        };
        tokio::select! {
            // The first closing is over within its patience, the second is not.
            turn = pacer.turn(&okta, patient(10), &telling) => {
                assert!(matches!(turn, Err(Refused::Closed(wait)) if wait > Duration::from_secs(10)));
            }
            () = closes_again => {}
        }
    }

    #[tokio::test]
    async fn a_window_that_is_used_up_closes_the_gate_before_a_429_does() {
        let (pacer, okta, telling) = (pacer(), Bucket::okta("users"), telling());
        learn(&pacer, &okta, (2, 2, 60_000));
        let turn = || pacer.turn(&okta, patient(0), &telling);
        let (first, second) = (turn().await.unwrap(), turn().await.unwrap());
        assert!(matches!(turn().await, Err(Refused::Closed(_))), "as much is on its way as is left");
        let told = |left, reset| Some(Rate { limit: 10, left, reset, ends_in: Duration::from_secs(60) });
        first.answered(told(1, 2), None);
        assert!(matches!(turn().await, Err(Refused::Closed(_))), "the other is still on its way");
        second.answered(told(0, 2), None);
        assert!(matches!(turn().await, Err(Refused::Closed(_))), "used up");
        assert!(pacer.turn(&Bucket::okta("logs"), patient(0), &telling).await.is_ok());
        learn(&pacer, &okta, (3, 9, 60_000));
        assert!(turn().await.is_ok(), "another window");
        learn(&pacer, &okta, (2, 0, 60_000));
        assert!(turn().await.is_ok(), "a late answer of the window before closes nothing");
    }

    #[tokio::test]
    async fn what_lands_makes_room_for_who_waits() {
        let (pacer, okta, telling) = (pacer(), Bucket::okta("users"), telling());
        learn(&pacer, &okta, (2, 2, 60_000));
        let (first, _second) = (
            pacer.turn(&okta, patient(0), &telling).await.unwrap(),
            pacer.turn(&okta, patient(0), &telling).await.unwrap(),
        );
        let lands = async {
            // It was answered by a proxy, and not counted.
            first.answered(None, None);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            turn = pacer.turn(&okta, patient(30), &telling) => assert!(turn.is_ok()),
            () = lands => {}
        }
    }

    #[tokio::test]
    async fn a_window_ends_by_itself_and_its_size_is_kept() {
        let (pacer, okta, telling) = (pacer(), Bucket::okta("users"), telling());
        pacer.land(&okta, |gate, now| {
            let rate = Rate { limit: 1, left: 0, reset: 2, ends_in: Duration::from_millis(10) };
            gate.learn(rate, Duration::from_secs(65), now);
        });
        let _first = pacer.turn(&okta, patient(30), &telling).await.unwrap();
        assert!(matches!(pacer.leave(&okta), Found::Tight(_, None)), "one at a time until more is known");
        // No clock helps: it waits for the one that is on its way, and gives up when its time is over.
        let refused = pacer.turn(&okta, patient(0), &telling).await.unwrap_err();
        assert_eq!(refused, Refused::Crowded);
    }

    #[tokio::test]
    async fn what_has_no_answer_may_have_been_counted() {
        let (pacer, okta, telling) = (pacer(), Bucket::okta("users"), telling());
        learn(&pacer, &okta, (2, 1, 60_000));
        drop(pacer.turn(&okta, patient(0), &telling).await.unwrap());
        assert!(pacer.turn(&okta, patient(0), &telling).await.is_err());
    }

    #[tokio::test]
    async fn a_claim_of_an_hour_closes_for_the_longest_pause_only() {
        let (pacer, okta) = (pacer(), Bucket::okta("users"));
        learn(&pacer, &okta, (2, 0, 3_000_000));
        let wait = pacer.reserve(&okta, Duration::ZERO, Instant::now()).unwrap_err();
        assert!(wait <= Duration::from_secs(65), "{wait:?}");
    }

    #[tokio::test]
    async fn a_handful_is_on_its_way_and_one_that_acts_still_leaves() {
        let (pacer, telling) = (pacer(), telling());
        let buckets = [Bucket::okta("a"), Bucket::okta("b"), Bucket::okta("c"), Bucket::okta("d")];
        let mut leaves = Vec::new();
        for bucket in &buckets {
            leaves.push(pacer.turn(bucket, patient(0), &telling).await.unwrap());
        }
        let (more, cii) = (Bucket::okta("e"), Bucket::cii("e"));
        assert!(matches!(pacer.turn(&more, patient(0), &telling).await, Err(Refused::Crowded)));
        let acts = Turn { seat: Seat::Act, ..patient(0) };
        let act = pacer.turn(&more, acts, &telling).await.unwrap();
        assert!(matches!(pacer.turn(&more, acts, &telling).await, Err(Refused::Crowded)), "five in all");
        assert!(pacer.turn(&cii, patient(0), &telling).await.is_ok(), "Okta's limit is Okta's");
        drop(act);
        assert!(pacer.turn(&more, acts, &telling).await.is_ok());
    }
}
