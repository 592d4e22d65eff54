//! How each source is: its state, what it took, and every refusal by its cause.
//!
//! Silence must be visible, so this is what the health screen reads: a source that failed says why, and
//! one that refuses everything does not look idle.

use super::listener::ListenError;
use super::refusal::{Cause, Refusal};
use crate::config::meant::Source;
use crate::domain::event::SourceName;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Whether a source receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceState {
    /// Bound, not yet served.
    Starting,
    /// Receives.
    Running,
    /// Does not receive, and why.
    Failed(String),
    /// Was told to stop, and did.
    Stopped,
}

/// How a source is, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceHealth {
    /// Its configured name.
    pub name: SourceName,
    /// Its type: `cii-webhook`.
    pub source_type: &'static str,
    /// The path that it listens on.
    pub path: String,
    /// Whether it receives.
    pub state: SourceState,
    /// Elements accepted since the start, repeats too.
    pub accepted: u64,
    /// When the last one was accepted.
    pub last_accepted: Option<Timestamp>,
    /// Requests refused since the start.
    pub refused: BTreeMap<Cause, u64>,
    /// Why what arrives is not stored now: the store's words at the last try, until one succeeds.
    pub not_stored: Option<String>,
}

impl SourceHealth {
    /// A source that has received nothing yet.
    pub fn new(source: &Source, state: SourceState) -> SourceHealth {
        SourceHealth {
            name: source.name.clone(),
            source_type: source.source_type,
            path: source.webhook.path.clone(),
            state,
            accepted: 0,
            last_accepted: None,
            refused: BTreeMap::new(),
            not_stored: None,
        }
    }
}

/// The live counters of one source.
#[derive(Debug)]
pub struct Counters(Mutex<SourceHealth>);

impl Counters {
    /// Counters that start from a state.
    pub fn new(source: &Source, state: SourceState) -> Counters {
        Counters(Mutex::new(SourceHealth::new(source, state)))
    }

    /// Counts elements that were committed.
    pub fn accepted(&self, elements: usize, at: Timestamp) {
        let mut health = self.lock();
        health.accepted += elements as u64;
        health.last_accepted = Some(at);
        health.not_stored = None;
    }

    /// Counts a refusal.
    pub fn refused(&self, refusal: &Refusal) {
        let mut health = self.lock();
        *health.refused.entry(refusal.cause).or_default() += 1;
        if refusal.cause == Cause::NotWritable {
            health.not_stored = Some(refusal.words.to_string());
        }
    }

    /// How it is now.
    pub fn snapshot(&self) -> SourceHealth {
        self.lock().clone()
    }

    /// Moves on, unless the source failed: that stays to be seen.
    fn enter(&self, state: &SourceState) {
        let mut health = self.lock();
        if !matches!(health.state, SourceState::Failed(_)) {
            health.state = state.clone();
        }
    }

    fn lock(&self) -> MutexGuard<'_, SourceHealth> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The live counters of all sources of a listener.
#[derive(Debug, Default)]
pub struct ListenerHealth {
    sources: Vec<Arc<Counters>>,
    strays: AtomicU64,
}

impl ListenerHealth {
    /// Over these counters.
    pub fn new(sources: Vec<Arc<Counters>>) -> ListenerHealth {
        ListenerHealth { sources, strays: AtomicU64::new(0) }
    }

    /// What a console shows when the listener could not start: every source red, with the reason.
    pub fn failed(sources: &[Source], error: &ListenError) -> ListenerHealth {
        let failed = |source| Arc::new(Counters::new(source, SourceState::Failed(error.to_string())));
        ListenerHealth::new(sources.iter().map(failed).collect())
    }

    /// Every source as it is now, in the order of the configuration.
    pub fn snapshot(&self) -> Vec<SourceHealth> {
        self.sources.iter().map(|source| source.snapshot()).collect()
    }

    /// Requests for a path that no source has.
    pub fn strays(&self) -> u64 {
        self.strays.load(Ordering::Relaxed)
    }

    pub(super) fn stray(&self) {
        self.strays.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn enter(&self, state: &SourceState) {
        self.sources.iter().for_each(|source| source.enter(state));
    }
}
