//! One login failing one check: the unit of triage, and its state machine.

use super::{Actor, Check, Login, Severity, Untrusted, time};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A finding's id. Text in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingId(pub i64);

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::str::FromStr for FindingId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(FindingId)
    }
}

impl Serialize for FindingId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingState {
    /// Nobody has it.
    Open,
    /// Somebody works on it.
    Claimed,
    /// Put off until a time.
    Snoozed,
    /// Done, with a disposition.
    Closed,
}

impl FindingState {
    /// Every state, in the order a row names them.
    pub const ALL: [FindingState; 4] =
        [FindingState::Open, FindingState::Claimed, FindingState::Snoozed, FindingState::Closed];

    /// The word on the screen and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            FindingState::Open => "open",
            FindingState::Claimed => "claimed",
            FindingState::Snoozed => "snoozed",
            FindingState::Closed => "closed",
        }
    }

    /// The state of a word.
    pub fn parse(word: &str) -> Option<FindingState> {
        FindingState::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// Why a finding was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    /// It was what it looked like.
    TruePositive,
    /// It happened, and it was meant to.
    BenignExpected,
    /// The check's rule is wrong here.
    FalsePositiveLogic,
    /// The check saw wrong data.
    FalsePositiveData,
    /// Nobody could tell.
    Undetermined,
}

impl Disposition {
    /// Every disposition, in the order the dialog offers them.
    pub const ALL: [Disposition; 5] = [
        Disposition::TruePositive,
        Disposition::BenignExpected,
        Disposition::FalsePositiveLogic,
        Disposition::FalsePositiveData,
        Disposition::Undetermined,
    ];

    /// The word on the command line and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Disposition::TruePositive => "true-positive",
            Disposition::BenignExpected => "benign-expected",
            Disposition::FalsePositiveLogic => "false-positive-logic",
            Disposition::FalsePositiveData => "false-positive-data",
            Disposition::Undetermined => "undetermined",
        }
    }

    /// The words on the screen.
    pub fn title(self) -> &'static str {
        match self {
            Disposition::TruePositive => "true positive",
            Disposition::BenignExpected => "benign, expected",
            Disposition::FalsePositiveLogic => "false positive: the check's logic",
            Disposition::FalsePositiveData => "false positive: the data",
            Disposition::Undetermined => "undetermined",
        }
    }

    /// The disposition of a word.
    pub fn parse(word: &str) -> Option<Disposition> {
        Disposition::ALL.into_iter().find(|disposition| disposition.word() == word)
    }
}

/// One login failing one check.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Its id.
    pub id: FindingId,
    /// Who fails.
    pub login: Login,
    /// What is failed.
    pub check: Check,
    /// The severity of the newest sighting.
    pub severity: Severity,
    /// Where it stands.
    pub state: FindingState,
    /// Who claimed it.
    pub assignee: Option<String>,
    /// Why it was closed.
    pub disposition: Option<Disposition>,
    /// When it was closed, by our clock.
    pub closed_at: Option<Timestamp>,
    /// The earliest sighting.
    pub first_seen: Timestamp,
    /// The latest sighting.
    pub last_seen: Timestamp,
    /// How many distinct events named it.
    pub times: u64,
    /// Goes up with each triage change: whoever changes it says which version they saw.
    pub version: u64,
}

/// A triage change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "lowercase")]
pub enum Change {
    /// I take it.
    Claim,
    /// I give it back.
    Release,
    /// A remark; changes no state.
    Note {
        /// The remark.
        text: String,
    },
    /// Done.
    Close {
        /// Why.
        disposition: Disposition,
        /// In the analyst's words.
        reason: String,
    },
    /// Not done after all.
    Reopen {
        /// In the analyst's words.
        reason: String,
    },
}

impl Change {
    /// What the analyst says in their own words, and what that is.
    pub fn words(&self) -> Option<(&'static str, &str)> {
        match self {
            Change::Note { text } => Some(("the note", text)),
            Change::Close { reason, .. } | Change::Reopen { reason } => Some(("the reason", reason)),
            Change::Claim | Change::Release => None,
        }
    }

    /// The verb, past tense, for notices and the journal.
    pub fn past(&self) -> &'static str {
        match self {
            Change::Claim => "claimed",
            Change::Release => "released",
            Change::Note { .. } => "noted",
            Change::Close { .. } => "closed",
            Change::Reopen { .. } => "reopened",
        }
    }
}

/// Why a change was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefused {
    /// The finding is not in a state from which the change can be made.
    #[error("finding `{id}` is {state}, so it cannot be {past}")]
    NotFrom {
        /// Which finding.
        id: FindingId,
        /// Where it stands.
        state: &'static str,
        /// What was wanted.
        past: &'static str,
    },
    /// Somebody else has it.
    #[error("finding `{id}` is claimed by `{assignee}`")]
    ClaimedBy {
        /// Which finding.
        id: FindingId,
        /// Who has it.
        assignee: String,
    },
    /// A text is required and was empty.
    #[error("finding `{id}` cannot be {past} without a text")]
    EmptyText {
        /// Which finding.
        id: FindingId,
        /// What was wanted.
        past: &'static str,
    },
}

impl Finding {
    /// The finding after a change, or why not. The version goes up by one.
    ///
    /// # Errors
    /// [`ChangeRefused`] where the state machine does not allow it.
    pub fn apply(&self, change: &Change, actor: &Actor, at: Timestamp) -> Result<Finding, ChangeRefused> {
        self.check_text(change)?;
        let mut next = Finding { version: self.version + 1, ..self.clone() };
        match (change, self.state) {
            (Change::Note { .. }, _) => {}
            (Change::Claim, FindingState::Open | FindingState::Snoozed) => next.claim(actor),
            (Change::Claim, FindingState::Claimed) => return Err(self.claimed_by()),
            (Change::Release, FindingState::Claimed) => next.open(),
            (Change::Close { disposition, .. }, state) if state != FindingState::Closed => {
                next.close(*disposition, at);
            }
            (Change::Reopen { .. }, FindingState::Closed | FindingState::Snoozed) => next.open(),
            (change, _) => return Err(self.not_from(change)),
        }
        Ok(next)
    }

    fn check_text(&self, change: &Change) -> Result<(), ChangeRefused> {
        let text = match change {
            Change::Note { text } => text,
            Change::Close { reason, .. } | Change::Reopen { reason } => reason,
            Change::Claim | Change::Release => return Ok(()),
        };
        if text.trim().is_empty() {
            return Err(ChangeRefused::EmptyText { id: self.id, past: change.past() });
        }
        Ok(())
    }

    fn claim(&mut self, actor: &Actor) {
        self.state = FindingState::Claimed;
        self.assignee = Some(actor.name().to_owned());
    }

    fn open(&mut self) {
        self.state = FindingState::Open;
        self.assignee = None;
        self.disposition = None;
        self.closed_at = None;
    }

    fn close(&mut self, disposition: Disposition, at: Timestamp) {
        self.state = FindingState::Closed;
        self.disposition = Some(disposition);
        self.closed_at = Some(at);
    }

    fn claimed_by(&self) -> ChangeRefused {
        let assignee = self.assignee.clone().unwrap_or_else(|| "somebody".to_owned());
        ChangeRefused::ClaimedBy { id: self.id, assignee }
    }

    fn not_from(&self, change: &Change) -> ChangeRefused {
        ChangeRefused::NotFrom { id: self.id, state: self.state.word(), past: change.past() }
    }

    /// Counts one more event that names it. Only an event *published after* the closing re-opens:
    /// a late or replayed one is evidence of the past, not of a new failure.
    pub fn see(&mut self, at: Timestamp, severity: Severity) {
        if at >= self.last_seen {
            self.severity = severity;
        }
        self.first_seen = self.first_seen.min(at);
        self.last_seen = self.last_seen.max(at);
        self.times += 1;
        if self.closed_at.is_some_and(|closed| at > closed) {
            self.open();
            self.version += 1;
        }
    }

    /// The stable JSON form (design, section 5).
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "id": self.id,
            "login": self.login,
            "check_id": self.check.id,
            "title": self.check.title,
            "severity": self.severity,
            "state": self.state,
            "assignee": self.assignee,
            "disposition": self.disposition,
            "first_seen": time::rfc3339(self.first_seen),
            "last_seen": time::rfc3339(self.last_seen),
            "times": self.times,
            "version": self.version,
        })
    }
}

/// A remark or a state change of a finding, for its history.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What: `claimed`, `closed`, …
    pub what: String,
    /// The words that went with it.
    pub text: Untrusted,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn finding() -> Finding {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        Finding {
            id: FindingId(7),
            login: Login::new("ann@example.com"),
            check: Check { id: "no-mfa".into(), title: "No MFA Configured".into() },
            severity: Severity::High,
            state: FindingState::Open,
            assignee: None,
            disposition: None,
            closed_at: None,
            first_seen: at,
            last_seen: at,
            times: 1,
            version: 1,
        }
    }

    fn ann() -> Actor {
        Actor { user: "ann".into(), host: "jump".into(), ..Default::default() }
    }

    fn close() -> Change {
        Change::Close { disposition: Disposition::BenignExpected, reason: "new phone".into() }
    }

    #[test]
    fn claims_releases_closes_reopens() {
        let at = Timestamp::from_second(1_700_000_100).unwrap();
        let claimed = finding().apply(&Change::Claim, &ann(), at).unwrap();
        assert_eq!((claimed.state, claimed.assignee.as_deref()), (FindingState::Claimed, Some("ann")));
        let refused = claimed.apply(&Change::Claim, &ann(), at).unwrap_err();
        assert_eq!(refused.to_string(), "finding `7` is claimed by `ann`");
        let closed = claimed.apply(&close(), &ann(), at).unwrap();
        assert_eq!(closed.version, 3);
        assert!(closed.apply(&close(), &ann(), at).is_err());
        let empty = Change::Reopen { reason: " ".into() };
        assert_eq!(
            closed.apply(&empty, &ann(), at).unwrap_err().to_string(),
            "finding `7` cannot be reopened without a text"
        );
    }

    #[test]
    fn only_a_newer_publication_reopens() {
        let closed_at = Timestamp::from_second(1_700_000_100).unwrap();
        let mut closed = finding().apply(&close(), &ann(), closed_at).unwrap();
        closed.see(Timestamp::from_second(1_700_000_050).unwrap(), Severity::High);
        assert_eq!((closed.state, closed.times), (FindingState::Closed, 2));
        closed.see(Timestamp::from_second(1_700_000_101).unwrap(), Severity::Critical);
        assert_eq!((closed.state, closed.severity), (FindingState::Open, Severity::Critical));
    }

    proptest! {
        #[test]
        fn every_accepted_change_raises_the_version_and_keeps_the_fields_in_step(steps in proptest::collection::vec(0u8..5, 0..30)) {
            let at = Timestamp::from_second(1_700_000_100).unwrap();
            let mut finding = finding();
            for step in steps {
                let change = match step {
                    0 => Change::Claim,
                    1 => Change::Release,
                    2 => Change::Note { text: "n".into() },
                    3 => close(),
                    _ => Change::Reopen { reason: "r".into() },
                };
                if let Ok(next) = finding.apply(&change, &ann(), at) {
                    prop_assert_eq!(next.version, finding.version + 1);
                    finding = next;
                }
                prop_assert_eq!(finding.state == FindingState::Closed, finding.disposition.is_some());
                prop_assert_eq!(finding.state == FindingState::Closed, finding.closed_at.is_some());
                prop_assert!(finding.state != FindingState::Claimed || finding.assignee.is_some());
            }
        }
    }
}
