//! Pacing: who waits how long before the next request may leave.
//!
//! One gate a bucket. A 429 closes the gate of its bucket for as long as the other side asks, within
//! our limits; nothing else is held up. The other side's "reset" is its clock's time, so it is compared
//! with its own `Date`, never with ours.

use super::Limits;
use super::request::Answer;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The gates, by bucket. Buckets come from the configuration, so there are few.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    opens: Mutex<HashMap<String, Instant>>,
}

impl Pacer {
    /// Takes the next place in a bucket and says when it is; the one after it is at least `gap` later.
    /// A place after the deadline is not taken: the wait it would have been comes back.
    pub(super) fn reserve(
        &self,
        bucket: &str,
        gap: Duration,
        deadline: Instant,
    ) -> Result<Instant, Duration> {
        let now = Instant::now();
        let mut opens = self.opens.lock().unwrap_or_else(PoisonError::into_inner);
        let at = opens.get(bucket).copied().map_or(now, |open| open.max(now));
        if at > deadline {
            return Err(at - now);
        }
        opens.insert(bucket.to_owned(), at + gap);
        Ok(at)
    }

    /// Closes a bucket for a while; a longer closing stands.
    pub(super) fn close(&self, bucket: &str, pause: Duration) {
        let until = Instant::now() + pause;
        let mut opens = self.opens.lock().unwrap_or_else(PoisonError::into_inner);
        let open = opens.entry(bucket.to_owned()).or_insert(until);
        *open = (*open).max(until);
    }
}

/// How long to pause after the `attempt`th 429, first is 0: what the other side asks for, but at least
/// our own doubling pause and at most the longest one.
pub(super) fn pause_after(answer: &Answer, attempt: u32, limits: &Limits) -> Duration {
    let own = limits.first_pause.saturating_mul(2u32.saturating_pow(attempt.min(4)));
    let asked = asked_pause(answer).unwrap_or(Duration::ZERO);
    asked.max(own).min(limits.longest_pause)
}

fn asked_pause(answer: &Answer) -> Option<Duration> {
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
        assert_eq!(pause, Duration::from_millis(millis));
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
            (0..6).map(|n| pause_after(&answer(&[]), n, &Limits::default()).as_millis()).collect();
        assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 8_000, 8_000]);
    }

    #[test]
    fn a_place_after_the_deadline_is_not_taken() {
        let pacer = Pacer::default();
        let deadline = Instant::now() + Duration::from_secs(5);
        let gap = Duration::from_secs(1);
        let first = pacer.reserve("a", gap, deadline).unwrap();
        assert!(pacer.reserve("a", gap, deadline).unwrap() >= first + gap);
        pacer.close("a", Duration::from_secs(60));
        assert!(pacer.reserve("a", gap, deadline).is_err());
        assert!(pacer.reserve("b", gap, deadline).is_ok());
    }
}
