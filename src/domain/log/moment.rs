//! A time as an analyst writes it: RFC 3339, `now`, `today`, `yesterday`, or how long ago.

use crate::domain::time::{self, Zone};
use jiff::{SignedDuration, Timestamp};
use std::fmt;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The units of a span, with every way to write them.
const UNITS: [(&[&str], i64); 5] = [
    (&["s", "sec", "secs", "second", "seconds"], 1),
    (&["m", "min", "mins", "minute", "minutes"], MINUTE),
    (&["h", "hr", "hrs", "hour", "hours"], HOUR),
    (&["d", "day", "days"], DAY),
    (&["w", "week", "weeks"], 7 * DAY),
];

/// A time that may move with the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The present.
    Now,
    /// So long before the present.
    Ago(SignedDuration),
    /// A fixed time.
    At(Timestamp),
    /// When the present day began.
    Today,
    /// When the day before it began.
    Yesterday,
}

impl Moment {
    /// So many hours ago.
    pub const fn hours_ago(hours: i64) -> Moment {
        Moment::Ago(SignedDuration::from_hours(hours))
    }

    /// Reads `now`, `today`, `yesterday`, an RFC 3339 time, a date, or a span before now: `2h`, `7 days`, `1h30m`.
    ///
    /// # Errors
    /// A sentence with the forms that are known.
    pub fn parse(text: &str) -> Result<Moment, String> {
        let text = text.trim();
        let words = [Moment::Now, Moment::Today, Moment::Yesterday];
        if let Some(moment) = words.into_iter().find(|word| text.eq_ignore_ascii_case(&word.to_string())) {
            return Ok(moment);
        }
        let known = time::parse(text).map(Moment::At).or_else(|| span(text).map(Moment::Ago));
        known.ok_or_else(|| {
            format!(
                "`{text}` is not a time: write `2026-05-01T12:00:00Z`, `now`, `today`, `yesterday`, or how long ago: `2h`, `7 days`"
            )
        })
    }

    /// When it is, seen from a present; days are UTC's.
    pub fn at(self, now: Timestamp) -> Timestamp {
        self.at_in(&Zone::Utc, now)
    }

    /// When it is, seen from a present; days are those of a zone.
    pub fn at_in(self, zone: &Zone, now: Timestamp) -> Timestamp {
        match self {
            Moment::Now => now,
            Moment::Ago(span) => now.saturating_sub(span).unwrap_or(Timestamp::MIN),
            Moment::At(at) => at,
            Moment::Today => zone.day_began(now, 0),
            Moment::Yesterday => zone.day_began(now, 1),
        }
    }

    /// The same, with a day of a zone as the time at which it began: for whoever does not know the zone.
    #[must_use]
    pub fn with_days_of(self, zone: &Zone, now: Timestamp) -> Moment {
        match self {
            Moment::Today | Moment::Yesterday => Moment::At(self.at_in(zone, now)),
            Moment::Now | Moment::Ago(_) | Moment::At(_) => self,
        }
    }
}

/// As it is typed.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Moment::Now => f.write_str("now"),
            Moment::Ago(span) => f.write_str(&time::span(*span)),
            Moment::At(at) => f.write_str(&time::rfc3339_seconds(*at)),
            Moment::Today => f.write_str("today"),
            Moment::Yesterday => f.write_str("yesterday"),
        }
    }
}

/// Numbers with their units, one behind the other, with or without blanks and a last `ago`.
fn span(text: &str) -> Option<SignedDuration> {
    let lower = text.to_ascii_lowercase();
    let mut rest = lower.strip_suffix("ago").unwrap_or(&lower).trim();
    let mut seconds: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, behind) = rest.split_at(digits);
        let behind = behind.trim_start();
        let letters = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(letters);
        let (_, length) = UNITS.iter().find(|(names, _)| names.contains(&unit))?;
        seconds = seconds.checked_add(number.parse::<i64>().ok()?.checked_mul(*length)?)?;
        rest = behind.trim_start();
    }
    (seconds > 0).then(|| SignedDuration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("now", "2026-05-01T12:00:00Z")]
    #[case(" NOW ", "2026-05-01T12:00:00Z")]
    #[case("2h", "2026-05-01T10:00:00Z")]
    #[case("7 days", "2026-04-24T12:00:00Z")]
    #[case("1h30m", "2026-05-01T10:30:00Z")]
    #[case("1 hour 30 minutes ago", "2026-05-01T10:30:00Z")]
    #[case("2 weeks", "2026-04-17T12:00:00Z")]
    #[case("90s", "2026-05-01T11:58:30Z")]
    #[case("2026-04-30T23:00:00Z", "2026-04-30T23:00:00Z")]
    #[case("2026-05-01T01:00:00+02:00", "2026-04-30T23:00:00Z")]
    #[case("2026-04-30", "2026-04-30T00:00:00Z")]
    #[case("Today", "2026-05-01T00:00:00Z")]
    #[case("yesterday", "2026-04-30T00:00:00Z")]
    fn a_time_is_read(#[case] text: &str, #[case] expected: &str) {
        let now = "2026-05-01T12:00:00Z".parse().unwrap();
        assert_eq!(time::rfc3339_seconds(Moment::parse(text).unwrap().at(now)), expected);
    }

    #[rstest]
    #[case("")]
    #[case("tomorrow")]
    #[case("2")]
    #[case("h")]
    #[case("0h")]
    #[case("-2h")]
    #[case("2 fortnights")]
    #[case("99999999999999999999d")]
    #[case("9223372036854775807w")]
    fn what_is_no_time_is_said_with_the_forms(#[case] text: &str) {
        let error = Moment::parse(text).unwrap_err();
        assert!(
            error.starts_with(&format!("`{text}` is not a time")) && error.contains("`7 days`"),
            "{error}"
        );
    }

    #[test]
    fn a_day_begins_at_the_midnight_of_whoever_reads() {
        let zone = Zone::Local(jiff::tz::TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap());
        // Two days after the clock went an hour on: the day before yesterday had 23 hours.
        let now = "2026-03-30T22:30:00Z".parse().unwrap();
        let began = |moment: Moment| time::rfc3339_seconds(moment.at_in(&zone, now));
        assert_eq!(began(Moment::Today), "2026-03-30T22:00:00Z");
        assert_eq!(began(Moment::Yesterday), "2026-03-29T22:00:00Z");
        let before = "2026-03-29T12:00:00Z".parse().unwrap();
        let today = Moment::Today.with_days_of(&zone, before);
        assert_eq!(today, Moment::At("2026-03-28T23:00:00Z".parse().unwrap()));
        assert_eq!(Moment::Now.with_days_of(&zone, before), Moment::Now);
    }

    #[rstest]
    #[case("now")]
    #[case("today")]
    #[case("yesterday")]
    #[case("36h")]
    #[case("7d")]
    #[case("2026-05-01T12:00:00Z")]
    fn it_is_written_as_it_is_typed(#[case] text: &str) {
        assert_eq!(Moment::parse(text).unwrap().to_string(), text);
    }
}
