//! Pacing: who waits how long before the next request may leave.
//!
//! One gate a bucket. A 429 closes the gate of its bucket for as long as the other side asks, within
//! our limits; nothing else is held up. Okta also says with each answer how much is left of a bucket's
//! window: once that is used up, counting what is on its way, the gate is closed till the window's end
//! before a 429 has to say so. As long as there is room nobody waits: requests are not spread out.
//!
//! Whoever waited asks again before leaving: a gate may have been closed meanwhile. Behind a reset a call
//! leaves a little later, by chance: others of the org wait for the same one.

use super::Limits;
use super::clock::Clock;
use super::gate::{Found, Gate, Pause, Place, Taken};
use super::held::{HeldCalls, Told};
use super::rate::{Rate, asked_pause};
use super::request::Answer;
use super::seats::{Seat, Seated, Seats};
use crate::domain::{Remote, Wait, WaitCause};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;
use tokio::sync::futures::OwnedNotified;
use tokio::time::{Instant, sleep_until, timeout_at};

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

/// The gates, by bucket. Buckets come from the configuration, so there are few.
#[derive(Debug)]
pub(super) struct Pacer {
    gates: Mutex<HashMap<Bucket, Gate>>,
    /// Okta's limit on simultaneous requests is for all users of the org.
    seats: Seats,
    longest: Duration,
    jitter: Duration,
    /// Draws from nothing up to that.
    draw: fn(Duration) -> Duration,
    held: HeldCalls,
}

impl Pacer {
    pub(super) fn new(limits: &Limits) -> Pacer {
        Pacer {
            gates: Mutex::default(),
            seats: Seats::new(limits.at_once),
            longest: limits.longest_pause,
            jitter: limits.jitter,
            draw: |most| most.mul_f64(fastrand::f64()),
            held: HeldCalls::default(),
        }
    }

    /// Waits until a request may leave, and tells that it does where that takes long. A place after the
    /// deadline is not waited for: the wait it would have been comes back.
    pub(super) async fn turn<'a>(
        &'a self,
        bucket: &'a Bucket,
        turn: Turn,
        told: &Telling<'_>,
    ) -> Result<Leave<'a>, Refused> {
        loop {
            self.wait(bucket, turn, told).await?;
            let seat = match bucket.remote {
                Remote::Okta => {
                    Some(self.seats.take(turn.seat, turn.seated_by).await.ok_or(Refused::Crowded)?)
                }
                _ => None,
            };
            match self.leave(bucket, turn.gap) {
                Found::Room(taken) => return Ok(self.leaving(bucket, taken, seat)),
                Found::Closed => {}
                Found::Tight(landed, ends) => {
                    drop(seat);
                    self.wait_for_room(bucket, turn, told, (landed, ends)).await?;
                }
            }
        }
    }

    /// Lets a request leave that had its turn and gave it back to ask for something else; `None` where it has
    /// to wait for another.
    pub(super) fn turn_now<'a>(&'a self, bucket: &'a Bucket, turn: Turn) -> Option<Leave<'a>> {
        let seat = match bucket.remote {
            Remote::Okta => Some(self.seats.take_now(turn.seat)?),
            _ => None,
        };
        match self.leave(bucket, turn.gap) {
            Found::Room(taken) => Some(self.leaving(bucket, taken, seat)),
            Found::Closed | Found::Tight(..) => None,
        }
    }

    /// Stands in line with others that keep a distance, so that nobody is passed by those who came later; there is no
    /// line where no distance is kept. Whoever is not first by the deadline hears how long the next place is away.
    pub(super) async fn line(
        &self,
        bucket: &Bucket,
        turn: Turn,
    ) -> Result<Option<OwnedMutexGuard<()>>, Refused> {
        if turn.gap.is_zero() {
            return Ok(None);
        }
        let line = self.at_gate(bucket, |gate, _| gate.line());
        match timeout_at(turn.deadline, line.lock_owned()).await {
            Ok(first) => Ok(Some(first)),
            Err(_) => {
                let opens = self.next_place(bucket, turn.gap).map(|place| place.opens);
                let wait = opens.map(|opens| opens.saturating_duration_since(Instant::now()));
                Err(Refused::Closed(wait.unwrap_or_default()))
            }
        }
    }

    /// Who is held back now, and the changes of that.
    pub(super) fn held(&self) -> &HeldCalls {
        &self.held
    }

    /// Waits for the next place in a bucket. It is taken by leaving only: whoever finds it gone waits again.
    async fn wait(&self, bucket: &Bucket, turn: Turn, told: &Telling<'_>) -> Result<(), Refused> {
        let Some(place) = self.next_place(bucket, turn.gap) else { return Ok(()) };
        if place.opens > turn.deadline {
            return Err(Refused::Closed(place.opens.saturating_duration_since(Instant::now())));
        }
        let _told = self.tell(bucket, place, told);
        sleep_until(place.opens).await;
        Ok(())
    }

    /// Waits until something lands or the window ends.
    async fn wait_for_room(
        &self,
        bucket: &Bucket,
        turn: Turn,
        told: &Telling<'_>,
        (landed, ends): (OwnedNotified, Option<Instant>),
    ) -> Result<(), Refused> {
        let Some(ends) = ends else {
            let given_up = turn.deadline.max(turn.seated_by);
            return timeout_at(given_up, landed).await.map_err(|_| Refused::Crowded);
        };
        let opens = ends.min(turn.deadline);
        let _told = self.tell(bucket, Place { opens, cause: WaitCause::Paced }, told);
        match timeout_at(opens, landed).await {
            // Who asks once more is told how long it would be.
            Err(_) if ends > turn.deadline => {
                Err(Refused::Closed(ends.saturating_duration_since(Instant::now())))
            }
            _ => Ok(()),
        }
    }

    /// Tells a wait, if it is long enough to be read.
    fn tell(&self, bucket: &Bucket, place: Place, told: &Telling<'_>) -> Option<Told<'_>> {
        let length = place.opens.saturating_duration_since(Instant::now());
        (length >= told.from).then(|| {
            let (length, remote) = (told.clock.span(length), bucket.remote.clone());
            let until = told.clock.now().saturating_add(length).unwrap_or(Timestamp::MAX);
            self.held.enter(Wait { remote, cause: place.cause, until, length })
        })
    }

    /// Where the next place in a bucket is, for a request that keeps this distance; `None` means here and now.
    fn next_place(&self, bucket: &Bucket, gap: Duration) -> Option<Place> {
        self.at_gate(bucket, |gate, now| gate.later(gap, now))
    }

    fn leave(&self, bucket: &Bucket, gap: Duration) -> Found {
        self.at_gate(bucket, |gate, now| gate.leave(gap, now))
    }

    fn leaving<'a>(
        &'a self,
        bucket: &'a Bucket,
        taken: Option<Taken>,
        seat: Option<Seated<'a>>,
    ) -> Leave<'a> {
        Leave { pacer: self, bucket, fate: Fate::Unknown, taken, _seat: seat }
    }

    /// By how much a call is to leave later than a reset.
    fn late(&self, bucket: &Bucket) -> Duration {
        if bucket.remote == Remote::Okta { (self.draw)(self.jitter) } else { Duration::ZERO }
    }

    fn at_gate<T>(&self, bucket: &Bucket, at: impl FnOnce(&mut Gate, Instant) -> T) -> T {
        let now = Instant::now();
        let mut gates = self.gates();
        at(gates.entry(bucket.clone()).or_insert_with(|| Gate::new(now)), now)
    }

    fn gates(&self) -> MutexGuard<'_, HashMap<Bucket, Gate>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of a request.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// Nobody knows whether it was counted.
    Unknown,
    Answered,
    /// It never left.
    Stayed,
}

/// A request on its way. It has landed when this is dropped, however that comes about.
#[derive(Debug)]
pub(super) struct Leave<'a> {
    pacer: &'a Pacer,
    bucket: &'a Bucket,
    fate: Fate,
    taken: Option<Taken>,
    _seat: Option<Seated<'a>>,
}

impl Leave<'_> {
    /// Its answer has come: what it says of the bucket is heeded from now on, and a 429 closes it.
    pub(super) fn answered(mut self, rate: Option<Rate>, pause: Option<Pause>) {
        self.fate = Fate::Answered;
        let is_okta = self.bucket.remote == Remote::Okta;
        let (longest, late) = (self.pacer.longest, self.pacer.late(self.bucket));
        self.pacer.at_gate(self.bucket, |gate, now| {
            if let Some(rate) = rate.filter(|_| is_okta) {
                gate.learn(rate, late, longest, now);
            }
            if let Some(pause) = pause {
                gate.close(pause.later(late, longest), now);
            }
        });
    }

    /// It did not leave after all: its place is the next one's.
    pub(super) fn stayed(mut self) {
        self.fate = Fate::Stayed;
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let (fate, taken) = (self.fate, self.taken);
        self.pacer.at_gate(self.bucket, |gate, now| {
            gate.land();
            match (fate, taken) {
                (Fate::Unknown, _) => gate.lose(),
                (Fate::Stayed, Some(taken)) => gate.give_back(taken, now),
                (Fate::Stayed, None) | (Fate::Answered, _) => {}
            }
        });
    }
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
    use futures_util::FutureExt as _;
    use jiff::SignedDuration;
    use rstest::rstest;
    use std::sync::LazyLock;

    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const EPOCH_OF_DATE: i64 = 784_111_777;
    const MINUTE: Duration = Duration::from_secs(60);

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
        pacer.at_gate(bucket, |gate, now| gate.close(pause, now));
    }

    fn learn(pacer: &Pacer, bucket: &Bucket, (reset, left, millis): (i64, u32, u64)) {
        let rate = Rate { limit: 10, left, reset, ends_in: Duration::from_millis(millis) };
        pacer.at_gate(bucket, |gate, now| gate.learn(rate, Duration::ZERO, Duration::from_secs(65), now));
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

    #[tokio::test]
    async fn a_closed_gate_is_not_waited_for_where_it_opens_after_the_deadline() {
        let (pacer, telling) = (pacer(), telling());
        let (a, b) = (Bucket::cii("a"), Bucket::notifier("chat"));
        let turn = |bucket| pacer.turn(bucket, patient(5), &telling);
        assert!(turn(&a).await.is_ok());
        close(&pacer, &a, asked(60));
        assert!(matches!(turn(&a).await, Err(Refused::Closed(_))));
        assert!(turn(&b).await.is_ok(), "nobody else is held up");
    }

    #[tokio::test]
    async fn an_open_gate_holds_back_nobody_however_impatient() {
        let (pacer, telling) = (pacer(), telling());
        let bucket = Bucket::notifier("chat");
        let turn = Turn { deadline: Instant::now(), seated_by: Instant::now(), ..patient(0) };
        assert!(pacer.turn(&bucket, turn, &telling).await.is_ok());
        close(&pacer, &bucket, asked(60));
        assert!(pacer.turn(&bucket, turn, &telling).await.is_err());
    }

    /// A request that acts, keeps a distance of a minute and waits for so many seconds at most.
    fn acting(seconds: u64) -> Turn {
        Turn { seat: Seat::Act, gap: MINUTE, ..patient(seconds) }
    }

    #[tokio::test]
    async fn requests_that_act_keep_a_distance_and_one_that_stayed_takes_none() {
        let (pacer, okta, telling) = (pacer(), Bucket::okta("users"), telling());
        let act = || pacer.turn(&okta, acting(5), &telling);
        act().await.unwrap().stayed();
        let _left = act().await.unwrap();
        assert!(matches!(act().await, Err(Refused::Closed(_))), "a minute behind the one that left");
        assert!(pacer.turn_now(&okta, acting(5)).is_none());
        assert!(pacer.turn(&okta, patient(0), &telling).await.is_ok(), "a read keeps none");
    }

    #[tokio::test]
    async fn who_waits_for_room_takes_no_place() {
        let (pacer, okta, telling) = (pacer(), Bucket::okta("users"), telling());
        learn(&pacer, &okta, (2, 4, 60_000));
        let mut reads = Vec::new();
        for _ in 0..4 {
            reads.push(pacer.turn(&okta, patient(0), &telling).await.unwrap());
        }
        let mut acts = [(); 2].map(|()| Box::pin(pacer.turn(&okta, acting(300), &telling)));
        for left in (1..4).rev() {
            assert!(acts.iter_mut().all(|act| act.now_or_never().is_none()), "as much flies as is left");
            let rate = Rate { limit: 10, left, reset: 2, ends_in: Duration::from_secs(60) };
            reads.pop().unwrap().answered(Some(rate), None);
        }
        assert!(acts.iter_mut().all(|act| act.now_or_never().is_none()));
        assert!(pacer.next_place(&okta, MINUTE).is_none(), "none of them has left");
        // It was answered by a proxy, and not counted.
        reads.pop().unwrap().answered(None, None);
        let [first, second] = &mut acts;
        let _left = first.await.unwrap();
        assert!(second.now_or_never().is_none());
        assert!(pacer.next_place(&okta, MINUTE).is_some());
    }

    #[tokio::test]
    async fn who_asks_again_leaves_only_where_nothing_has_changed() {
        let (pacer, okta, telling) = (pacer(), Bucket::okta("users"), telling());
        assert!(pacer.turn_now(&okta, patient(0)).is_some());
        close(&pacer, &okta, asked(60));
        assert!(pacer.turn_now(&okta, patient(300)).is_none(), "closed meanwhile");
        let logs = Bucket::okta("logs");
        learn(&pacer, &logs, (2, 1, 60_000));
        let flies = pacer.turn(&logs, patient(0), &telling).await.unwrap();
        assert!(pacer.turn_now(&logs, patient(300)).is_none(), "no room");
        flies.stayed();
        assert!(pacer.turn_now(&logs, patient(300)).is_some());
    }

    #[tokio::test]
    async fn a_wait_for_room_is_told() {
        let (pacer, okta, telling) = (pacer(), Bucket::okta("users"), telling());
        learn(&pacer, &okta, (2, 1, 60_000));
        let flies = pacer.turn(&okta, patient(0), &telling).await.unwrap();
        let mut held = pacer.held().watch();
        let mut waits = Box::pin(pacer.turn(&okta, patient(300), &telling));
        assert!((&mut waits).now_or_never().is_none());
        let told: Vec<Wait> = held.borrow_and_update().values().cloned().collect();
        let [one] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((&one.remote, one.cause), (&Remote::Okta, WaitCause::Paced));
        assert!(one.length > SignedDuration::from_secs(30), "until the window's end: {one:?}");
        flies.answered(None, None);
        waits.await.unwrap();
        assert!(held.borrow().is_empty());
    }

    /// How long it takes until a bucket opens that was closed for ten seconds, with a jitter of half a minute or none.
    #[rstest]
    #[case(Bucket::okta("users"), WaitCause::Asked, true)]
    #[case(Bucket::okta("users"), WaitCause::Throttled, false)]
    #[case(Bucket::cii("users"), WaitCause::Asked, false)]
    #[tokio::test]
    async fn calls_leave_a_little_later_than_a_reset_of_oktas(
        #[case] bucket: Bucket,
        #[case] cause: WaitCause,
        #[case] is_later: bool,
    ) {
        let limits = Limits { jitter: Duration::from_secs(50), ..Limits::default() };
        let pacer = Pacer { draw: |most| most / 2, ..Pacer::new(&limits) };
        let telling = telling();
        let pause = Pause { length: Duration::from_secs(10), cause };
        pacer.turn(&bucket, patient(0), &telling).await.unwrap().answered(None, Some(pause));
        let Err(Refused::Closed(wait)) = pacer.turn(&bucket, patient(0), &telling).await else {
            panic!("it is closed")
        };
        assert_eq!(wait > Duration::from_secs(20), is_later, "{wait:?}");
        assert!(wait <= Duration::from_secs(35), "{wait:?}");
    }

    #[test]
    fn what_is_drawn_is_no_more_than_the_most() {
        let pacer = pacer();
        let drawn: Vec<Duration> = (0..100).map(|_| pacer.late(&Bucket::okta("users"))).collect();
        assert!(drawn.iter().all(|late| *late < Limits::default().jitter));
        assert!(drawn.iter().any(|late| *late != drawn[0]), "others draw something else");
        assert!(pacer.late(&Bucket::cii("users")).is_zero());
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
        pacer.at_gate(&okta, |gate, now| {
            let rate = Rate { limit: 1, left: 0, reset: 2, ends_in: Duration::from_millis(10) };
            gate.learn(rate, Duration::ZERO, Duration::from_secs(65), now);
        });
        let _first = pacer.turn(&okta, patient(30), &telling).await.unwrap();
        assert!(
            matches!(pacer.leave(&okta, Duration::ZERO), Found::Tight(_, None)),
            "one at a time until more is known"
        );
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
        let refused = pacer.turn(&okta, patient(0), &telling()).await.unwrap_err();
        assert!(matches!(refused, Refused::Closed(wait) if wait <= Duration::from_secs(65)), "{refused:?}");
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
