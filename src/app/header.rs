//! What every screen says on its first line: who receives, how the sources are, how old the silence is.

use crate::domain::event::SourceName;
use crate::domain::page::StoreHealth;
use crate::domain::{SourceHealth, SourceState, time};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// Who receives into this store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Receiver {
    /// Not known yet.
    #[default]
    Unknown,
    /// This console: it stops when the console closes.
    ThisConsole,
    /// Another process, in its own words.
    Other(String),
    /// Nobody: nothing arrives.
    Nobody(String),
}

/// The header's state.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Header {
    /// Who receives.
    pub receiver: Receiver,
    /// How the sources are.
    pub sources: Arc<[SourceHealth]>,
    /// How the store is, as last read.
    pub health: StoreHealth,
    /// How long a silence may be before it is said.
    pub canary: Option<SignedDuration>,
}

impl Header {
    /// The first source that failed, and why.
    pub fn failed(&self) -> Option<(&SourceName, &str)> {
        self.sources.iter().find_map(|source| match &source.state {
            SourceState::Failed { why } => Some((&source.name, why.as_str())),
            _ => None,
        })
    }

    /// Whether the silence is longer than configured.
    pub fn is_too_silent(&self, now: Timestamp) -> bool {
        match (self.canary, self.health.last_received) {
            (Some(limit), Some(last)) => now.duration_since(last) > limit,
            _ => false,
        }
    }

    /// When the age of the last event changes its text.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let last = self.health.last_received?;
        let canary = self.canary.map(|limit| last + limit + SignedDuration::from_secs(1));
        let age = time::next_age_change(now, last);
        Some(canary.filter(|at| *at > now).map_or(age, |at| at.min(age)))
    }
}
