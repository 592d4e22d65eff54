//! Instants as they are written in JSON and shown on the screen.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serializer};

/// RFC 3339 in UTC with milliseconds, the one form of our JSON.
pub fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// RFC 3339 in UTC with whole seconds.
pub fn rfc3339_seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The zone in which a person reads times. Either says which it is, so that neither is taken for the
/// other: UTC by `Z`, any other by its offset. What machines read is always UTC.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Zone {
    /// UTC.
    #[default]
    Utc,
    /// The one of whoever reads; its rules tell the offset of each instant.
    Local(TimeZone),
}

impl Zone {
    /// Date and time with whole seconds: `2026-03-04T10:00:00Z`, `2026-03-04T11:00:00+01:00`.
    pub fn seconds(&self, at: Timestamp) -> String {
        self.written(at, "%Y-%m-%dT%H:%M:%S")
    }

    /// Day and minute, for a row: `03-04 10:00Z`, `03-04 11:00+01:00`.
    pub fn minutes(&self, at: Timestamp) -> String {
        self.written(at, "%m-%d %H:%M")
    }

    /// The columns of [`Zone::minutes`].
    pub fn minutes_columns(&self) -> usize {
        match self {
            Zone::Utc => 12,
            Zone::Local(_) => 17,
        }
    }

    /// The time of the day: `10:00:00Z`, `11:00:00+01:00`.
    pub fn time_of_day(&self, at: Timestamp) -> String {
        self.written(at, "%H:%M:%S")
    }

    /// When the day of an instant began, or one so many days before.
    pub fn day_began(&self, at: Timestamp, days_before: i64) -> Timestamp {
        let zone = match self {
            Zone::Utc => TimeZone::UTC,
            Zone::Local(zone) => zone.clone(),
        };
        let day = at.to_zoned(zone.clone()).date().checked_sub(jiff::Span::new().days(days_before));
        day.and_then(|day| day.to_zoned(zone)).map_or(at, |zoned| zoned.timestamp())
    }

    fn written(&self, at: Timestamp, form: &str) -> String {
        match self {
            Zone::Utc => at.strftime(&format!("{form}Z")).to_string(),
            Zone::Local(zone) => at.to_zoned(zone.clone()).strftime(&format!("{form}%:z")).to_string(),
        }
    }
}

/// The date alone, in UTC.
pub fn date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// The date as the ISPM templates want a last login: MM/DD/YYYY.
pub fn american_date(at: Timestamp) -> String {
    at.strftime("%m/%d/%Y").to_string()
}

/// Reads an instant in any form that a source was seen to send; anything else is `None`.
pub fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse::<Timestamp>().ok().or_else(|| midnight(text))
}

fn midnight(text: &str) -> Option<Timestamp> {
    let date =
        text.parse::<jiff::civil::Date>().or_else(|_| jiff::civil::Date::strptime("%m/%d/%Y", text)).ok()?;
    date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// Serde: [`rfc3339`] out, [`parse`] in.
pub mod millis {
    use super::*;

    /// Writes milliseconds and `Z`.
    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&rfc3339(*at))
    }

    /// Reads any form that [`parse`] knows.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not an RFC 3339 time")))
    }
}

/// Serde: as [`millis`], for a time that may be missing.
pub mod millis_option {
    use super::*;

    /// Writes milliseconds and `Z`, or null.
    pub fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => serializer.serialize_some(&rfc3339(*at)),
            None => serializer.serialize_none(),
        }
    }

    /// Reads any form that [`parse`] knows; what it does not know is `None`, for tolerance.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.and_then(|text| parse(&text)))
    }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How old something is, coarsely, so that a row's text rarely changes: `now`, `5m`, `3h`, `12d`.
/// A time ahead of us by more than a minute is `ahead`: a skewed clock is said, not hidden.
pub fn age(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs();
    match seconds {
        ..=-60 => "ahead".to_owned(),
        -59..MINUTE => "now".to_owned(),
        MINUTE..HOUR => format!("{}m", seconds / MINUTE),
        HOUR..DAY => format!("{}h", seconds / HOUR),
        _ => format!("{}d", seconds / DAY),
    }
}

/// How long ago something was: [`age`] in a sentence.
pub fn ago(now: Timestamp, then: Timestamp) -> String {
    match age(now, then).as_str() {
        "now" => "just now".to_owned(),
        "ahead" => "ahead of our clock".to_owned(),
        age => format!("{age} ago"),
    }
}

/// A span in the largest unit that it is a whole number of: `90m`, `36h`, `2d`.
pub fn span(span: SignedDuration) -> String {
    let seconds = span.as_secs();
    let units = [(DAY, "d"), (HOUR, "h"), (MINUTE, "m")];
    let whole = units.into_iter().find(|(unit, _)| seconds >= *unit && seconds % unit == 0);
    let (unit, letter) = whole.unwrap_or((1, "s"));
    format!("{}{letter}", seconds / unit)
}

/// When the text of [`age`] changes next.
pub fn next_age_change(now: Timestamp, then: Timestamp) -> Timestamp {
    let seconds = now.duration_since(then).as_secs();
    let next = match seconds {
        ..=-60 => -59,
        -59..MINUTE => MINUTE,
        MINUTE..HOUR => (seconds / MINUTE + 1) * MINUTE,
        HOUR..DAY => (seconds / HOUR + 1) * HOUR,
        _ => (seconds / DAY + 1) * DAY,
    };
    then.saturating_add(SignedDuration::from_secs(next)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("2023-08-08T13:27:22Z", Some("2023-08-08T13:27:22.000Z"))]
    #[case("2023-08-08T13:27:22.416Z", Some("2023-08-08T13:27:22.416Z"))]
    #[case("2023-08-08T15:27:22+02:00", Some("2023-08-08T13:27:22.000Z"))]
    #[case("2024-06-18", Some("2024-06-18T00:00:00.000Z"))]
    #[case("03/28/2024", Some("2024-03-28T00:00:00.000Z"))]
    #[case("yesterday", None)]
    fn reads_every_form_seen(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(parse(text).map(rfc3339).as_deref(), expected);
    }

    #[test]
    fn a_zone_is_never_taken_for_another() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let berlin = Zone::Local(TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap());
        let (winter, summer) = (at("2026-03-04T23:30:05Z"), at("2026-07-04T10:00:00Z"));
        assert_eq!(Zone::Utc.seconds(winter), "2026-03-04T23:30:05Z");
        assert_eq!(berlin.seconds(winter), "2026-03-05T00:30:05+01:00");
        assert_eq!(berlin.seconds(summer), "2026-07-04T12:00:00+02:00");
        assert_eq!(Zone::Utc.minutes(winter), "03-04 23:30Z");
        assert_eq!((berlin.minutes(winter), berlin.minutes_columns()), ("03-05 00:30+01:00".to_owned(), 17));
        assert_eq!(berlin.time_of_day(winter), "00:30:05+01:00");
        assert_eq!(Zone::Local(TimeZone::UTC).time_of_day(winter), "23:30:05+00:00");
        assert_eq!(parse(&berlin.seconds(winter)), Some(winter));
    }

    #[rstest]
    #[case(45, "45s")]
    #[case(5_400, "90m")]
    #[case(129_600, "36h")]
    #[case(172_800, "2d")]
    #[case(0, "0s")]
    fn a_span_is_said_in_its_largest_whole_unit(#[case] seconds: i64, #[case] said: &str) {
        assert_eq!(span(SignedDuration::from_secs(seconds)), said);
    }

    proptest! {
        #[test]
        fn the_text_changes_exactly_then(seconds in -1_000i64..10_000_000) {
            let then = Timestamp::from_second(1_700_000_000).unwrap();
            let now = then + SignedDuration::from_secs(seconds);
            let next = next_age_change(now, then);
            prop_assert!(next > now);
            prop_assert_ne!(age(next, then), age(now, then));
            prop_assert_eq!(age(next - SignedDuration::from_secs(1), then), age(now, then));
        }
    }
}
