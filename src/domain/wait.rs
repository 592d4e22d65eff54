//! A call that is held back before it leaves: for whom, until when, and why.
//!
//! A throttled system looks dead from outside. Whoever waits for it is told that nothing is broken and
//! when it goes on: as a time of day, which need not be drawn again while it passes.

use super::PartName;
use super::time::Zone;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::fmt;

/// Who is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Remote {
    /// Cisco Identity Intelligence.
    Cii,
    /// The Okta org.
    Okta,
    /// One API endpoint of Workflows, by its address: each has a limit of its own.
    Flow(String),
    /// Somebody who is told of events, by the configured name.
    Notifier(String),
}

impl Remote {
    /// Who a part of a dossier is read from.
    pub fn of_part(part: PartName) -> Remote {
        match part {
            PartName::Cii | PartName::CiiDetails => Remote::Cii,
            PartName::Okta
            | PartName::OktaRoles
            | PartName::OktaGroups
            | PartName::OktaApps
            | PartName::OktaFactors
            | PartName::OktaActivity => Remote::Okta,
        }
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remote::Cii => f.write_str("CII"),
            Remote::Okta => f.write_str("Okta"),
            Remote::Flow(_) => f.write_str("Workflows"),
            Remote::Notifier(name) => f.write_str(name),
        }
    }
}

/// Why a call is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitCause {
    /// The other side answered 429 and said how long.
    Asked,
    /// The other side answered 429; how long is our own guess.
    Throttled,
    /// Our own calls leave one after the other.
    Paced,
}

/// A call that is held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Who is waited for.
    pub remote: Remote,
    /// Why.
    pub cause: WaitCause,
    /// When it goes on.
    pub until: Timestamp,
    /// How long that is from when it began.
    pub length: SignedDuration,
}

/// The calls that are held back, each under a number of its own.
pub type Waits = BTreeMap<u64, Wait>;

impl Wait {
    /// Who asks for it, until when, and how long that is in all: nothing that changes while it passes.
    pub fn words(&self, zone: &Zone) -> String {
        let (remote, clock, seconds) = (&self.remote, zone.time_of_day(self.until), self.seconds());
        match self.cause {
            WaitCause::Asked => format!("{remote} asks to wait until {clock} ({seconds} s)"),
            WaitCause::Throttled => format!("{remote} answered 429: waits until {clock} ({seconds} s)"),
            WaitCause::Paced => format!("waits for a turn at {remote} until {clock} ({seconds} s)"),
        }
    }

    /// The same in few columns.
    pub fn brief(&self, zone: &Zone) -> String {
        format!("waits until {}", zone.time_of_day(self.until))
    }

    /// Begun seconds count: nobody comes back too early.
    fn seconds(&self) -> i64 {
        self.length.as_secs() + i64::from(self.length.subsec_nanos() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Remote::Okta, WaitCause::Asked, "Okta asks to wait until 03:12:07Z (12 s)")]
    #[case(Remote::Cii, WaitCause::Throttled, "CII answered 429: waits until 03:12:07Z (12 s)")]
    #[case(
        Remote::Flow("https://x".into()),
        WaitCause::Paced,
        "waits for a turn at Workflows until 03:12:07Z (12 s)"
    )]
    fn says_who_until_when_and_how_long(
        #[case] remote: Remote,
        #[case] cause: WaitCause,
        #[case] said: &str,
    ) {
        let until = "2026-03-04T03:12:07Z".parse().unwrap();
        let wait = Wait { remote, cause, until, length: SignedDuration::from_millis(11_200) };
        assert_eq!(wait.words(&Zone::Utc), said);
        assert_eq!(wait.brief(&Zone::Utc), "waits until 03:12:07Z");
    }
}
