//! Keeps the listener and every source that asks at work, each in a task of its own.
//!
//! What one of them does touches no other: one that ends, fails or panics is started again, after a rest
//! that doubles from fall to fall, and meanwhile its sources are red and say until when. A stop is told
//! to all of them at once: the listener answers what is in flight, the others end behind their last
//! commit. Whoever takes too long is left behind; nothing that was acknowledged waits for them.

mod backoff;
mod post;
mod standing;

pub(super) use post::Bound;

use crate::app::header::Receiver;
use crate::config::meant::Source;
use crate::domain::event::SourceName;
use crate::domain::{SourceHealth, SourceState, SourcesReport};
use crate::ingest::Ingest;
use crate::source::Accept;
use crate::source::clock::Clock;
use crate::source::counters;
use backoff::Backoff;
use jiff::{SignedDuration, Timestamp};
use post::{Asking, Listening, Post};
use standing::{Stand, Standing};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// How long they may take to end after a stop.
pub(super) const STOP_TIME: Duration = Duration::from_secs(10);

/// What is said where a task panicked: its words are in the log.
const BROKE: &str = "a part of the program broke off; it is in the log";
const ENDED: &str = "it ended by itself";
/// What is said of a configured source that nothing here knows how to take from.
const NOBODY_ASKS: &str = "nothing in this program asks for it";

/// Everything that this process receives with.
#[derive(Debug)]
pub(super) struct Supervisor {
    charges: Vec<Arc<Charge>>,
    /// As they are configured: the order in which they are told.
    sources: Vec<Source>,
    since: Timestamp,
    /// What the process that received before said last.
    before: Option<SourcesReport>,
    clock: Arc<dyn Clock>,
    changed: Arc<Notify>,
    stop_time: Duration,
}

/// One that is kept at work.
#[derive(Debug)]
struct Charge {
    post: Box<dyn Post>,
    standing: Standing,
    /// What its sources said last, for when they cannot be asked.
    last: Mutex<Vec<SourceHealth>>,
}

impl Supervisor {
    /// Over the sources of a configuration; `polled` are those of them that ask. Without a source that is
    /// posted to, nothing is listened on.
    pub(super) fn new(settings: &super::receiver::Settings, bound: Bound) -> Supervisor {
        let (clock, sources) = (settings.clock.clone(), &settings.sources);
        let posted: Vec<Source> =
            sources.iter().filter(|source| source.webhook().is_some()).cloned().collect();
        let accept: Arc<dyn Accept> = Arc::new(Ingest::new(settings.store.clone(), clock.clone()));
        let listening = (!posted.is_empty())
            .then(|| Listening::new(settings.listen.clone(), posted, accept, clock.clone(), bound));
        let listening = listening.map(|listening| Box::new(listening) as Box<dyn Post>);
        let asking = settings.polled.iter().map(|polled| Box::new(Asking(polled.clone())) as Box<dyn Post>);
        Supervisor::of(listening.into_iter().chain(asking), sources.clone(), clock)
    }

    fn of(
        posts: impl IntoIterator<Item = Box<dyn Post>>,
        sources: Vec<Source>,
        clock: Arc<dyn Clock>,
    ) -> Supervisor {
        let changed = Arc::new(Notify::new());
        let charges = posts.into_iter().map(|post| Arc::new(Charge::new(post, changed.clone())));
        let since = clock.now();
        let (charges, before) = (charges.collect(), None);
        Supervisor { charges, sources, since, before, clock, changed, stop_time: STOP_TIME }
    }

    /// The same, and it goes on from what another process said last.
    pub(super) fn after(self, before: Option<SourcesReport>) -> Supervisor {
        Supervisor { before, ..self }
    }

    /// Keeps all of them at work until they are told to stop, and ends when they have, or should have.
    pub(super) async fn run(&self, mut stop: watch::Receiver<bool>) {
        if self.charges.is_empty() {
            return until_told(&mut stop).await;
        }
        let mut tasks = JoinSet::new();
        for charge in &self.charges {
            tasks.spawn(keep(charge.clone(), self.clock.clone(), stop.clone()));
        }
        tokio::select! {
            () = async { while tasks.join_next().await.is_some() {} } => {}
            () = overdue(stop, self.stop_time) => {
                tracing::warn!("a source did not stop in time: the program goes on without it");
            }
        }
        self.charges.iter().for_each(|charge| charge.standing.set(Stand::Stopped));
    }

    /// How every source is now, in the order of the configuration.
    pub(super) fn snapshot(&self) -> Arc<[SourceHealth]> {
        let mut told: Vec<SourceHealth> = self.charges.iter().flat_map(|charge| charge.health()).collect();
        let is_told = |source: &&Source| told.iter().any(|health| health.name == source.name);
        let untold: Vec<&Source> = self.sources.iter().filter(|source| !is_told(source)).collect();
        let nobody = |source| counters::fresh(source, SourceState::failed(NOBODY_ASKS));
        told.extend(untold.into_iter().map(nobody));
        told.sort_by_key(|health| self.place(&health.name));
        told.into_iter().map(|health| self.through_restarts(health)).collect()
    }

    /// The store took something that was written from `began` on: whoever could not store anything before may
    /// look again.
    pub(super) fn stored(&self, began: Timestamp) {
        self.charges.iter().for_each(|charge| charge.post.stored(began));
    }

    fn through_restarts(&self, health: SourceHealth) -> SourceHealth {
        let since = Some(self.since);
        let health = SourceHealth { since, listened_since: since, ..health };
        match &self.before {
            Some(before) => before.handed_on(health, self.since),
            None => health,
        }
    }

    fn place(&self, name: &SourceName) -> usize {
        self.sources.iter().position(|source| source.name == *name).unwrap_or(usize::MAX)
    }

    /// Whether anything is taken in: not known before one of them is at work or all have failed.
    pub(super) fn receiver(&self) -> Option<Receiver> {
        let stands: Vec<Stand> = self.charges.iter().map(|charge| charge.standing.get()).collect();
        if stands.contains(&Stand::Up) {
            return Some(Receiver::ThisConsole);
        }
        if stands.is_empty() {
            return Some(Receiver::Nobody(NOBODY_ASKS.to_owned()));
        }
        let down = |stand: &Stand| match stand {
            Stand::Down { why, .. } => Some(why.clone()),
            _ => None,
        };
        let whys: Option<Vec<String>> = stands.iter().map(down).collect();
        whys?.into_iter().next().map(Receiver::Nobody)
    }

    /// Waits until one of them is at work that was not, or the other way round.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl Charge {
    fn new(post: Box<dyn Post>, changed: Arc<Notify>) -> Charge {
        Charge { post, standing: Standing::new(changed), last: Mutex::default() }
    }

    /// How its sources are. One that panics about it is told as it was last.
    fn health(&self) -> Vec<SourceHealth> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(health) = catch_unwind(AssertUnwindSafe(|| self.post.health())) {
            *last = health;
        }
        let stand = self.standing.get();
        last.iter().cloned().map(|health| stand.shown(health)).collect()
    }
}

/// Keeps one at work until it is told to stop.
async fn keep(charge: Arc<Charge>, clock: Arc<dyn Clock>, mut stop: watch::Receiver<bool>) {
    let mut backoff = Backoff::new(charge.post.rests());
    while !is_told(&stop) {
        let began = Instant::now();
        let why = work(charge.clone(), stop.clone()).await;
        if is_told(&stop) {
            break;
        }
        let rest = backoff.after(began.elapsed());
        let again = clock.now() + clock.span(SignedDuration::try_from(rest).unwrap_or_default());
        tracing::warn!(%why, ?rest, "a source fell; it is started again");
        charge.standing.set(Stand::Down { why, again });
        tokio::select! {
            _ = stop.changed() => {}
            () = sleep(rest) => {}
        }
    }
    charge.standing.set(Stand::Stopped);
}

/// One start, in a task of its own, so that a panic ends nothing else; why it ended.
async fn work(charge: Arc<Charge>, stop: watch::Receiver<bool>) -> String {
    let mut task = JoinSet::new();
    task.spawn(async move { charge.post.work(&charge.standing, stop).await });
    match task.join_next().await {
        Some(Ok(Err(why))) => why,
        Some(Err(_)) => BROKE.to_owned(),
        Some(Ok(Ok(()))) | None => ENDED.to_owned(),
    }
}

/// Whether the stop was told. Nobody who could tell it any more means the same.
pub(super) fn is_told(stop: &watch::Receiver<bool>) -> bool {
    *stop.borrow() || stop.has_changed().is_err()
}

/// Waits until all should have ended after a stop.
async fn overdue(mut stop: watch::Receiver<bool>, stop_time: Duration) {
    until_told(&mut stop).await;
    sleep(stop_time).await;
}

/// Comes back when the stop was told.
pub(super) async fn until_told(stop: &mut watch::Receiver<bool>) {
    while !is_told(stop) {
        let _ = stop.changed().await;
    }
}

#[cfg(test)]
mod tests;
