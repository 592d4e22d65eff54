//! How bad a check's failure is, as the source says it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A severity, ranked: `Critical` is the largest.
///
/// Sources publish no closed list, so the raw word is kept beside it and anything unheard of is
/// [`Severity::Unknown`], which ranks lowest: a word that nobody knows must not hide a critical one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The source said nothing, or a word that is not known here.
    #[default]
    Unknown,
    /// Informational.
    Info,
    /// Low.
    Low,
    /// Medium; `moderate` is the same.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// Every severity, worst first.
    pub const ALL: [Severity; 6] = [
        Severity::Critical,
        Severity::High,
        Severity::Medium,
        Severity::Low,
        Severity::Info,
        Severity::Unknown,
    ];

    /// Reads a source's word; never fails.
    pub fn from_raw(raw: &str) -> Severity {
        match raw.trim().to_ascii_lowercase().as_str() {
            "critical" => Severity::Critical,
            "high" => Severity::High,
            "medium" | "moderate" => Severity::Medium,
            "low" => Severity::Low,
            "info" | "informational" => Severity::Info,
            _ => Severity::Unknown,
        }
    }

    /// Reads one of our own words, as a query spells it.
    pub fn parse(word: &str) -> Option<Severity> {
        let severity = Severity::from_raw(word);
        (severity != Severity::Unknown || word.eq_ignore_ascii_case("unknown")).then_some(severity)
    }

    /// The word on the screen and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::High => "high",
            Severity::Medium => "medium",
            Severity::Low => "low",
            Severity::Info => "info",
            Severity::Unknown => "unknown",
        }
    }

    /// The rank that a store sorts and compares by: 0 for unknown to 5 for critical.
    pub fn rank(self) -> u8 {
        self as u8
    }

    /// The severity of a rank, the inverse of [`Severity::rank`].
    pub fn from_rank(rank: u8) -> Severity {
        Severity::ALL.into_iter().find(|severity| severity.rank() == rank).unwrap_or_default()
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("critical", Severity::Critical)]
    #[case("CRITICAL ", Severity::Critical)]
    #[case("moderate", Severity::Medium)]
    #[case("catastrophic", Severity::Unknown)]
    #[case("", Severity::Unknown)]
    fn reads_any_word(#[case] raw: &str, #[case] expected: Severity) {
        assert_eq!(Severity::from_raw(raw), expected);
    }

    #[test]
    fn ranks_and_words_round_trip() {
        for severity in Severity::ALL {
            assert_eq!(Severity::from_rank(severity.rank()), severity);
            assert_eq!(Severity::parse(severity.word()), Some(severity));
        }
        assert_eq!(Severity::parse("bad"), None);
    }
}
