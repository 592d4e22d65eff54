//! Pacing: who waits how long before the next request may leave.
//!
//! One gate a bucket. A 429 closes the gate of its bucket for as long as the other side asks, within
//! our limits; nothing else is held up. The other side's "reset" is its clock's time, so it is compared
//! with its own `Date`, never with ours.

use super::Limits;
use super::clock::Clock;
use super::held::HeldCalls;
use super::request::Answer;
use crate::domain::{Remote, Wait, WaitCause};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
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

/// When a gate opens, and what closed it.
#[derive(Debug, Clone, Copy)]
struct Gate {
    opens: Instant,
    cause: WaitCause,
}

/// The gates, by bucket. Buckets come from the configuration, so there are few.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    gates: Mutex<HashMap<Bucket, Gate>>,
    held: HeldCalls,
}

impl Pacer {
    /// Waits for the next place in a bucket, and tells that it does where that takes long. A place after
    /// the deadline is not taken: the wait it would have been comes back.
    pub(super) async fn wait(
        &self,
        bucket: &Bucket,
        gap: Duration,
        deadline: Instant,
        told: &Telling<'_>,
    ) -> Result<(), Duration> {
        let now = Instant::now();
        let place = self.reserve(bucket, gap, deadline)?;
        let length = place.opens.saturating_duration_since(now);
        let _told = (length >= told.from).then(|| {
            let (length, remote) = (told.clock.span(length), bucket.remote.clone());
            let until = told.clock.now().saturating_add(length).unwrap_or(Timestamp::MAX);
            self.held.enter(Wait { remote, cause: place.cause, until, length })
        });
        sleep_until(place.opens).await;
        Ok(())
    }

    /// Who is held back now, and the changes of that.
    pub(super) fn held(&self) -> &HeldCalls {
        &self.held
    }

    /// Takes the next place in a bucket and says when it is; the one after it is at least `gap` later.
    fn reserve(&self, bucket: &Bucket, gap: Duration, deadline: Instant) -> Result<Gate, Duration> {
        let now = Instant::now();
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = gates.get(bucket).copied().filter(|gate| gate.opens > now);
        // An open gate holds back nobody, however little patience there was.
        if let Some(gate) = closed.filter(|gate| gate.opens > deadline) {
            return Err(gate.opens - now);
        }
        let place = closed.unwrap_or(Gate { opens: now, cause: WaitCause::Paced });
        gates.insert(bucket.clone(), Gate { opens: place.opens + gap, ..place });
        Ok(place)
    }

    /// Closes a bucket for a while; a longer closing stands.
    pub(super) fn close(&self, bucket: &Bucket, pause: Pause) {
        let closing = Gate { opens: Instant::now() + pause.length, cause: pause.cause };
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let gate = gates.entry(bucket.clone()).or_insert(closing);
        if closing.opens > gate.opens {
            *gate = closing;
        }
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
pub(super) fn pause_after(answer: &Answer, attempt: u32, limits: &Limits) -> Pause {
    let own = limits.first_pause.saturating_mul(2u32.saturating_pow(attempt.min(4)));
    let asked = asked_pause(answer).filter(|asked| *asked >= own);
    let cause = if asked.is_some() { WaitCause::Asked } else { WaitCause::Throttled };
    Pause { length: asked.unwrap_or(own).min(limits.longest_pause), cause }
}

/// How long an answer asks to wait, by the clock of whoever sent it.
pub fn asked_pause(answer: &Answer) -> Option<Duration> {
    let server_now = answer.header("date").and_then(http_date).unwrap_or(answer.at);
    if let Some(text) = answer.header("retry-after") {
        return retry_after(text, server_now);
    }
    // Okta's concurrency limit shows a limit of 0, and its reset is only a suggestion.
    if number(answer, "x-rate-limit-limit") == Some(0) {
        return None;
    }
    reset_pause(number(answer, "x-rate-limit-reset")?, server_now)
}

/// `Retry-After` is seconds or a date.
fn retry_after(text: &str, server_now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    match text.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => until(http_date(text)?, server_now),
    }
}

/// Okta's reset is an instant in epoch seconds. Small numbers cannot be that: they are taken as seconds.
fn reset_pause(reset: i64, server_now: Timestamp) -> Option<Duration> {
    const SMALLEST_INSTANT: i64 = 1_000_000_000;
    match reset {
        SMALLEST_INSTANT.. => until(Timestamp::from_second(reset).ok()?, server_now),
        _ => u64::try_from(reset).ok().map(Duration::from_secs),
    }
}

fn until(then: Timestamp, now: Timestamp) -> Option<Duration> {
    Duration::try_from(then.duration_since(now)).ok()
}

fn number(answer: &Answer, name: &str) -> Option<i64> {
    answer.header(name)?.trim().parse().ok()
}

/// An instant as HTTP headers write it: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

#[cfg(test)]
mod tests {
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
    #[case(&[("retry-after", "86400")], 60_000)]
    #[case(&[("retry-after", "-5")], 500)]
    #[case(&[("retry-after", "soon")], 500)]
    #[case(&[("x-rate-limit-limit", "600"), ("x-rate-limit-reset", "2000000012")], 12_000)]
    #[case(&[("x-rate-limit-limit", "0"), ("x-rate-limit-reset", "2000000012")], 500)]
    #[case(&[("x-rate-limit-reset", "9")], 9_000)]
    #[case(&[("x-rate-limit-reset", "1999999000")], 500)]
    #[case(&[], 500)]
    fn pauses_as_asked_within_limits(#[case] headers: &[(&str, &str)], #[case] millis: u64) {
        let pause = pause_after(&answer(headers), 0, &Limits::default());
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
        assert_eq!(pause_after(&ours, 0, &Limits::default()), pause_after(&skewed, 0, &Limits::default()));
    }

    #[test]
    fn our_own_pause_doubles() {
        let pauses: Vec<u128> =
            (0..6).map(|n| pause_after(&answer(&[]), n, &Limits::default()).length.as_millis()).collect();
        assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 8_000, 8_000]);
    }

    #[test]
    fn a_place_after_the_deadline_is_not_taken() {
        let pacer = Pacer::default();
        let deadline = Instant::now() + Duration::from_secs(5);
        let gap = Duration::from_secs(1);
        let (a, b) = (Bucket::cii("a"), Bucket::cii("b"));
        let first = pacer.reserve(&a, gap, deadline).unwrap();
        assert!(pacer.reserve(&a, gap, deadline).unwrap().opens >= first.opens + gap);
        pacer.close(&a, Pause { length: Duration::from_secs(60), cause: WaitCause::Asked });
        assert!(pacer.reserve(&a, gap, deadline).is_err());
        assert!(pacer.reserve(&b, gap, deadline).is_ok());
    }

    #[test]
    fn an_open_gate_holds_back_nobody_however_impatient() {
        let (pacer, over) = (Pacer::default(), Instant::now());
        let bucket = Bucket::notifier("chat");
        assert!(pacer.reserve(&bucket, Duration::ZERO, over).is_ok());
        pacer.close(&bucket, Pause { length: Duration::from_secs(60), cause: WaitCause::Asked });
        assert!(pacer.reserve(&bucket, Duration::ZERO, over).is_err());
    }

    /// Every wait is told, by a clock that stands.
    fn telling() -> Telling<'static> {
        static CLOCK: LazyLock<Clock> = LazyLock::new(|| Clock::new(|| Timestamp::UNIX_EPOCH));
        Telling { from: Duration::from_millis(1), clock: &CLOCK }
    }

    #[tokio::test]
    async fn who_waits_long_is_told_until_that_is_over() {
        let pacer = Pacer::default();
        let (okta, deadline) = (Bucket::okta("users"), Instant::now() + Duration::from_secs(30));
        let telling = telling();
        let wait = || pacer.wait(&okta, Duration::ZERO, deadline, &telling);
        wait().await.unwrap();
        let mut held = pacer.held().watch();
        assert!(held.borrow_and_update().is_empty(), "nobody had to wait");
        pacer.close(&okta, Pause { length: Duration::from_millis(300), cause: WaitCause::Asked });
        let told = async {
            held.changed().await.unwrap();
            let told: Vec<Wait> = held.borrow_and_update().values().cloned().collect();
            let [one] = told.as_slice() else { panic!("{told:?}") };
            assert_eq!((&one.remote, one.cause), (&Remote::Okta, WaitCause::Asked));
            assert_eq!(one.until, Timestamp::UNIX_EPOCH + one.length);
        };
        let (waited, ()) = tokio::join!(wait(), told);
        waited.unwrap();
        assert!(pacer.held().watch().borrow().is_empty());
    }

    #[tokio::test]
    async fn a_wait_that_is_given_up_is_over() {
        let pacer = Pacer::default();
        let (okta, deadline) = (Bucket::okta("users"), Instant::now() + Duration::from_secs(300));
        pacer.close(&okta, Pause { length: Duration::from_secs(60), cause: WaitCause::Throttled });
        let mut held = pacer.held().watch();
        let telling = telling();
        tokio::select! {
            _ = pacer.wait(&okta, Duration::ZERO, deadline, &telling) => panic!("it is closed for a minute"),
            told = held.changed() => told.unwrap(),
        }
        assert!(held.borrow().is_empty(), "it stood there, and was dropped with the call");
    }
}
