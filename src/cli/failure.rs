//! How a command ends when it does not end well: an exit status and the words for standard error.

use crate::config::ConfigError;
use crate::domain::query::QueryError;
use crate::domain::subject::ProviderAccount;
use crate::domain::untrusted::visible_lines;
use crate::store::{ChangeError, StoreError};
use std::fmt;
use std::io;

/// Accepted, changed or no change.
pub const DONE: u8 = 0;
/// Failed, refused or not legal.
pub const FAILED: u8 = 1;
/// Wrong usage or configuration.
pub const USAGE: u8 = 2;
/// Some went one way, some another.
pub const MIXED: u8 = 3;
/// Any outcome unknown.
pub const UNKNOWN: u8 = 4;

/// The exit status of several together: an unknown one outweighs everything, and what is not all the
/// same is mixed.
pub fn combined(statuses: impl IntoIterator<Item = u8>) -> u8 {
    let statuses: Vec<u8> = statuses.into_iter().collect();
    let first = statuses.first().copied().unwrap_or(DONE);
    if statuses.contains(&UNKNOWN) {
        UNKNOWN
    } else if statuses.iter().all(|status| *status == first) {
        first
    } else {
        MIXED
    }
}

/// Why a command ended.
#[derive(Debug)]
pub enum Failure {
    /// With this status and these words: what, the cause, then `hint:`.
    Told {
        /// The exit status.
        status: u8,
        /// The words.
        text: String,
        /// The accounts among which one has to be chosen, where that is why.
        accounts: Vec<ProviderAccount>,
    },
    /// Whoever read standard output wants no more: not an error.
    PipeClosed,
}

impl Failure {
    /// The command line or the configuration has to change.
    pub fn usage(text: impl Into<String>) -> Failure {
        Failure::told(USAGE, text)
    }

    /// It was tried, or refused.
    pub fn failed(text: impl Into<String>) -> Failure {
        Failure::told(FAILED, text)
    }

    /// Something may have happened, and nobody knows.
    pub fn unknown(text: impl Into<String>) -> Failure {
        Failure::told(UNKNOWN, text)
    }

    fn told(status: u8, text: impl Into<String>) -> Failure {
        Failure::Told { status, text: text.into(), accounts: Vec::new() }
    }

    /// The same, with the accounts among which one has to be chosen.
    #[must_use]
    pub fn among(self, accounts: Vec<ProviderAccount>) -> Failure {
        match self {
            Failure::Told { status, text, .. } => Failure::Told { status, text, accounts },
            Failure::PipeClosed => self,
        }
    }

    /// The accounts among which one has to be chosen, where that is why.
    pub fn accounts(&self) -> &[ProviderAccount] {
        match self {
            Failure::Told { accounts, .. } => accounts,
            Failure::PipeClosed => &[],
        }
    }

    /// What `--read-only` says to everything that changes something.
    pub fn read_only(what: &str) -> Failure {
        Failure::failed(format!("{what} is refused: this is `--read-only`"))
    }

    /// The exit status.
    pub fn status(&self) -> u8 {
        match self {
            Failure::Told { status, .. } => *status,
            Failure::PipeClosed => DONE,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure::Told { text, .. } = self else { return Ok(()) };
        let lines: Vec<_> = visible_lines(text).collect();
        write!(f, "error: {}", lines.join("\n"))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::PipeClosed,
            _ => Failure::failed(format!("the output cannot be written: {error}")),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        Failure::usage(error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        match error {
            StoreError::Open { .. } | StoreError::Url(_) => Failure::usage(error.to_string()),
            _ => Failure::failed(error.to_string()),
        }
    }
}

impl From<ChangeError> for Failure {
    fn from(error: ChangeError) -> Failure {
        match error {
            ChangeError::Store(error) => error.into(),
            error => Failure::failed(error.to_string()),
        }
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Failure {
        Failure::usage(format!("the filter is not understood: {error}\n{}", error.hint()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&[], DONE)]
    #[case(&[0, 0], DONE)]
    #[case(&[1, 1], FAILED)]
    #[case(&[0, 1], MIXED)]
    #[case(&[0, 1, 4], UNKNOWN)]
    fn statuses_combine(#[case] statuses: &[u8], #[case] expected: u8) {
        assert_eq!(combined(statuses.iter().copied()), expected);
    }

    #[test]
    fn words_reach_the_terminal_visibly() {
        let failure = Failure::failed("user `a\u{1b}[2J` failed\nhint: look");
        assert_eq!(failure.to_string(), "error: user `a<U+001B>[2J` failed\nhint: look");
    }
}
