//! What this process says of its sources, written into the store for those that only look on; and what
//! another one says, read from there.

use super::receiver::Tell;
use crate::app::Msg;
use crate::domain::{SourceHealth, SourceNote, SourcesReport};
use crate::source::clock::Clock;
use crate::store::{Sequence, Store};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How often counters alone are worth a write.
const COUNTERS: Duration = Duration::from_secs(5);
/// How long a report stands that has not changed: readers call it old after three times as long.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// How long one write or read may hold up whoever waits for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was said last in a store, if it says so in time: nobody is kept from receiving for it.
pub(super) async fn last(store: &dyn Store) -> Option<SourcesReport> {
    match tokio::time::timeout(PATIENCE, store.reported()).await {
        Ok(Ok(report)) => report,
        Ok(Err(error)) => {
            tracing::warn!(%error, "how the sources were cannot be read");
            None
        }
        Err(_) => {
            tracing::warn!("how the sources were cannot be read: the store takes its time");
            None
        }
    }
}

/// Writes reports.
#[derive(Debug)]
pub(super) struct Reporter {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    receiver: String,
    written: Option<Written>,
    /// When it was last tried, whatever came of it.
    tried: Option<Instant>,
}

/// What is in the store.
#[derive(Debug)]
struct Written {
    sources: Arc<[SourceHealth]>,
    at: Instant,
}

impl Reporter {
    /// Reports into a store in the name of whoever receives.
    pub(super) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, receiver: String) -> Reporter {
        Reporter { store, clock, receiver, written: None, tried: None }
    }

    /// Writes how the sources are, where that is worth it; whether the store took it.
    pub(super) async fn look(&mut self, sources: Arc<[SourceHealth]>) -> bool {
        let now = Instant::now();
        let has_rested = self.tried.is_none_or(|tried| now.duration_since(tried) >= COUNTERS);
        let is_worth_it = match &self.written {
            None => has_rested,
            Some(written) => written.is_behind(&sources, now) && (has_rested || self.has_succeeded()),
        };
        is_worth_it && self.write(sources, now).await
    }

    /// Writes how they are, whatever was written before: the last word. Whether the store took it.
    pub(super) async fn write(&mut self, sources: Arc<[SourceHealth]>, now: Instant) -> bool {
        self.tried = Some(now);
        let report = SourcesReport {
            receiver: self.receiver.clone(),
            at: self.clock.now(),
            sources: sources.to_vec(),
        };
        match tokio::time::timeout(PATIENCE, self.store.report(&report)).await {
            Ok(Ok(())) => self.written = Some(Written { sources, at: now }),
            Ok(Err(error)) => tracing::warn!(%error, "how the sources are cannot be written"),
            Err(_) => tracing::warn!("how the sources are cannot be written: the store takes its time"),
        }
        self.has_succeeded()
    }

    /// Whether the last try is what was written: after one that failed the next one waits.
    fn has_succeeded(&self) -> bool {
        self.written.as_ref().map(|written| written.at) == self.tried
    }
}

impl Written {
    fn is_behind(&self, sources: &[SourceHealth], now: Instant) -> bool {
        let age = now.duration_since(self.at);
        let differs = *self.sources != *sources;
        age >= HEARTBEAT || (differs && age >= COUNTERS) || !is_alike(&self.sources, sources)
    }
}

/// Whether only counters and times differ.
fn is_alike(before: &[SourceHealth], now: &[SourceHealth]) -> bool {
    before.len() == now.len()
        && before.iter().zip(now).all(|(before, now)| substance(before) == substance(now))
}

/// What of a source is news at once. Anybody can add to the facts that are noted, by asking for a verification.
fn substance(source: &SourceHealth) -> impl PartialEq {
    let warnings: Vec<SourceNote> = source.notes.iter().filter(|note| note.is_warning()).cloned().collect();
    let kinds: Vec<String> = source.refused.keys().cloned().collect();
    (source.name.clone(), source.state.clone(), source.again, warnings, kinds)
}

/// Reads what whoever receives says, whenever the store holds something new.
#[derive(Debug)]
pub(super) struct Onlooker {
    store: Arc<dyn Store>,
    changes: watch::Receiver<Sequence>,
    is_behind: bool,
}

impl Onlooker {
    /// Looks into a store.
    pub(super) fn new(store: Arc<dyn Store>) -> Onlooker {
        let changes = store.watch();
        Onlooker { store, changes, is_behind: true }
    }

    /// What was told meanwhile came from elsewhere: the next look reads in any case.
    pub(super) fn forget(&mut self) {
        self.is_behind = true;
    }

    /// Tells what is said of the sources, if there may be something new.
    pub(super) async fn look(&mut self, tell: &Tell) {
        if !self.is_behind && !self.changes.has_changed().unwrap_or(false) {
            return;
        }
        self.changes.mark_unchanged();
        self.is_behind = true;
        match tokio::time::timeout(PATIENCE, self.store.reported()).await {
            Ok(Ok(Some(report))) => tell(Msg::SourcesReported(Arc::new(report))),
            Ok(Ok(None)) => tell(Msg::SourcesChanged(Arc::default())),
            Ok(Err(error)) => return tracing::debug!(%error, "what is said of the sources cannot be read"),
            Err(_) => return,
        }
        self.is_behind = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SourceState;
    use jiff::Timestamp;
    use rstest::rstest;

    fn source() -> SourceHealth {
        let source = SourceHealth::new("cii".into(), "cii-webhook", "/hooks/cii");
        SourceHealth { state: SourceState::Running, ..source }
    }

    fn counted(source: &mut SourceHealth) {
        source.accepted = 7;
        source.last_accepted = Some(Timestamp::UNIX_EPOCH);
        source.last_alive = source.last_accepted;
    }

    fn refused(source: &mut SourceHealth, times: u64) {
        source.refused.insert("busy".to_owned(), times);
    }

    #[rstest]
    #[case::nothing(|_: &mut SourceHealth| (), HEARTBEAT)]
    #[case::counters(counted, COUNTERS)]
    #[case::more_of_a_kind(|source: &mut SourceHealth| refused(source, 2), COUNTERS)]
    #[case::another_kind(|source: &mut SourceHealth| { source.refused.insert("too large".into(), 1); }, Duration::ZERO)]
    #[case::state(|source: &mut SourceHealth| source.state = SourceState::failed("401"), Duration::ZERO)]
    #[case::warning(|source: &mut SourceHealth| source.notes.push(SourceNote::warning("gap", Timestamp::UNIX_EPOCH)), Duration::ZERO)]
    #[case::fact(|source: &mut SourceHealth| source.notes.push(SourceNote::fact("asked")), COUNTERS)]
    fn what_changed_decides_how_soon_it_is_written(
        #[case] change: fn(&mut SourceHealth),
        #[case] due: Duration,
    ) {
        let mut before = source();
        refused(&mut before, 1);
        let mut now = before.clone();
        change(&mut now);
        let at = Instant::now();
        let written = Written { sources: [before].into(), at };
        assert!(written.is_behind(&[now.clone()], at + due));
        let just_before = due.checked_sub(Duration::from_millis(1));
        assert!(just_before.is_none_or(|rest| !written.is_behind(&[now], at + rest)));
    }
}
