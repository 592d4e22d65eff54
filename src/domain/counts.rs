//! Kept counts, for rows and headers.

use super::FindingState;
use serde::Serialize;

/// How many findings are in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct StateCounts {
    /// Nobody has it.
    pub open: u64,
    /// Somebody works on it.
    pub claimed: u64,
    /// Put off.
    pub snoozed: u64,
    /// Done.
    pub closed: u64,
}

impl StateCounts {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.open + self.claimed + self.snoozed + self.closed
    }

    /// The count of one state.
    pub fn get(&self, state: FindingState) -> u64 {
        match state {
            FindingState::Open => self.open,
            FindingState::Claimed => self.claimed,
            FindingState::Snoozed => self.snoozed,
            FindingState::Closed => self.closed,
        }
    }

    /// Adds to the count of one state.
    pub fn add(&mut self, state: FindingState, n: u64) {
        let slot = match state {
            FindingState::Open => &mut self.open,
            FindingState::Claimed => &mut self.claimed,
            FindingState::Snoozed => &mut self.snoozed,
            FindingState::Closed => &mut self.closed,
        };
        *slot += n;
    }

    /// As a row says it: `2 open · 1 claimed`, empty parts left out, `–` where there is none.
    pub fn words(&self) -> String {
        let parts: Vec<String> = FindingState::ALL
            .into_iter()
            .filter(|state| self.get(*state) > 0)
            .map(|state| format!("{} {}", self.get(state), state.word()))
            .collect();
        if parts.is_empty() { crate::domain::NOTHING.to_owned() } else { parts.join(" · ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_there_is() {
        assert_eq!(StateCounts { open: 2, claimed: 1, ..Default::default() }.words(), "2 open · 1 claimed");
        assert_eq!(StateCounts::default().words(), "-");
    }
}
