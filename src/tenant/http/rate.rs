//! What an answer says of limits: how long to wait, how much is left and until when.
//!
//! The other side's "reset" is its clock's time, so it is compared with its own `Date`, never with ours.

use super::clock::Clock;
use super::request::Answer;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// What is left of a window of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate {
    pub(super) limit: u32,
    pub(super) left: u32,
    /// When it ends by the other side's clock: seconds since 1970. No two windows of a bucket have the same.
    pub(super) reset: i64,
    /// How long that is from now, in real time.
    pub(super) ends_in: Duration,
}

/// Windows are of about a minute; what claims to be longer than this is none.
const LONGEST_WINDOW: SignedDuration = SignedDuration::from_hours(1);

impl Rate {
    /// What `X-Rate-Limit-*` say, if they make sense. Without the other side's `Date` nobody knows how far
    /// away its reset is, and a limit of 0 is that of simultaneous requests, which has no window.
    pub(super) fn of(answer: &Answer, clock: &Clock) -> Option<Rate> {
        let count = |name| u32::try_from(number(answer, name)?).ok();
        let (limit, left) = (count("x-rate-limit-limit")?, count("x-rate-limit-remaining")?);
        let reset = number(answer, "x-rate-limit-reset")?;
        let date = http_date(answer.header("date")?)?;
        let span = Timestamp::from_second(reset).ok()?.duration_since(date);
        let is_sound = limit > 0 && left <= limit && span.is_positive() && span <= LONGEST_WINDOW;
        is_sound.then(|| Rate { limit, left, reset, ends_in: clock.real(span) })
    }
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

    const DATE: &str = "Wed, 18 May 2033 03:33:20 GMT";

    fn answer(headers: &[(&str, &str)]) -> Answer {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Answer { status: 200, headers, body: Vec::new(), flaw: None, at: Timestamp::UNIX_EPOCH }
    }

    fn rate(limit: &str, left: &str, reset: &str, date: Option<&str>) -> Option<(u32, u32, u64)> {
        let named =
            [("x-rate-limit-limit", limit), ("x-rate-limit-remaining", left), ("x-rate-limit-reset", reset)];
        let sent = named.into_iter().filter(|(_, value)| !value.is_empty());
        let headers: Vec<_> = sent.chain(date.map(|date| ("date", date))).collect();
        let clock = Clock::new(|| Timestamp::UNIX_EPOCH);
        Rate::of(&answer(&headers), &clock).map(|rate| (rate.limit, rate.left, rate.ends_in.as_secs()))
    }

    #[rstest]
    #[case("600", "7", "2000000030", Some(DATE), Some((600, 7, 30)))]
    #[case(" 600 ", "0", "2000000001", Some(DATE), Some((600, 0, 1)))]
    #[case("600", "7", "2000000030", None, None)]
    #[case("600", "7", "2000000030", Some("soon"), None)]
    #[case("600", "7", "2000000000", Some(DATE), None)]
    #[case("600", "7", "1999999990", Some(DATE), None)]
    #[case("600", "7", "2000009999", Some(DATE), None)]
    #[case("600", "7", "99999999999999999", Some(DATE), None)]
    #[case("600", "7", "-5", Some(DATE), None)]
    #[case("600", "7", "30", Some(DATE), None)]
    #[case("600", "-7", "2000000030", Some(DATE), None)]
    #[case("600", "700", "2000000030", Some(DATE), None)]
    #[case("600", "many", "2000000030", Some(DATE), None)]
    #[case("0", "0", "2000000030", Some(DATE), None)]
    #[case("99999999999", "7", "2000000030", Some(DATE), None)]
    #[case("", "7", "2000000030", Some(DATE), None)]
    #[case("600", "", "2000000030", Some(DATE), None)]
    #[case("600", "7", "", Some(DATE), None)]
    fn only_headers_that_make_sense_say_anything(
        #[case] limit: &str,
        #[case] left: &str,
        #[case] reset: &str,
        #[case] date: Option<&str>,
        #[case] expected: Option<(u32, u32, u64)>,
    ) {
        assert_eq!(rate(limit, left, reset, date), expected);
    }

    #[test]
    fn a_clock_that_goes_faster_waits_shorter() {
        let clock = Clock::new(|| Timestamp::UNIX_EPOCH).going(|real| real * 20);
        assert_eq!(clock.real(SignedDuration::from_secs(60)), Duration::from_secs(3));
        let still = Clock::new(|| Timestamp::UNIX_EPOCH).going(|_| SignedDuration::ZERO);
        assert_eq!(still.real(SignedDuration::from_secs(60)), Duration::from_secs(60));
    }
}
