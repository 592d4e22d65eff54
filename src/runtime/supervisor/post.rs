//! What a supervisor keeps at work: the listener for all sources that are posted to, and each that asks.

use super::backoff::Rests;
use super::standing::Standing;
use crate::config::meant::{Listen, Source};
use crate::domain::{SourceHealth, SourceState};
use crate::source::clock::Clock;
use crate::source::counters::{Counters, ListenerHealth};
use crate::source::listener::Listener;
use crate::source::{Accept, Polled};
use async_trait::async_trait;
use jiff::Timestamp;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// Hears the first address that is listened on.
pub(in crate::runtime) type Bound = Arc<Mutex<Option<oneshot::Sender<SocketAddr>>>>;

/// A source that asks somebody else may have to leave them in peace for a while.
const OF_POLLED: Rests = Rests { shortest: Duration::from_secs(1), longest: Duration::from_secs(300) };
/// Binding an address costs nothing, and whoever frees it waits for us.
const OF_LISTENER: Rests = Rests { shortest: Duration::from_secs(1), longest: Duration::from_secs(30) };

/// Something that is kept at work.
#[async_trait]
pub(super) trait Post: Send + Sync + fmt::Debug {
    /// How its sources are.
    fn health(&self) -> Vec<SourceHealth>;

    /// How long it rests between a fall and the next start.
    fn rests(&self) -> Rests;

    /// The store took something that was written from `began` on.
    fn stored(&self, began: Timestamp);

    /// Works until it is told to stop, and says when it is up. Whatever ends it before is a fall.
    ///
    /// # Errors
    /// Why it cannot work.
    async fn work(&self, standing: &Standing, stop: watch::Receiver<bool>) -> Result<(), String>;
}

/// The listener, for all sources that are posted to.
#[derive(Debug)]
pub(super) struct Listening {
    listen: Listen,
    sources: Vec<Source>,
    accept: Arc<dyn Accept>,
    clock: Arc<dyn Clock>,
    bound: Bound,
    /// Of the listener that runs, or ran last.
    health: Mutex<Arc<ListenerHealth>>,
}

impl Listening {
    pub(super) fn new(
        listen: Listen,
        sources: Vec<Source>,
        accept: Arc<dyn Accept>,
        clock: Arc<dyn Clock>,
        bound: Bound,
    ) -> Listening {
        let starting = |source| Arc::new(Counters::new(source, SourceState::Starting));
        let health = ListenerHealth::new(sources.iter().map(starting).collect());
        Listening { listen, sources, accept, clock, bound, health: Mutex::new(Arc::new(health)) }
    }
}

#[async_trait]
impl Post for Listening {
    fn health(&self) -> Vec<SourceHealth> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).snapshot()
    }

    fn rests(&self) -> Rests {
        OF_LISTENER
    }

    fn stored(&self, began: Timestamp) {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).stored(began);
    }

    async fn work(&self, standing: &Standing, stop: watch::Receiver<bool>) -> Result<(), String> {
        let (accept, clock) = (self.accept.clone(), self.clock.clone());
        let listener = Listener::bind(&self.listen, &self.sources, accept, clock).await;
        let listener = listener.map_err(|error| error.to_string())?;
        *self.health.lock().unwrap_or_else(PoisonError::into_inner) = listener.health();
        if let Some(at) = listener.local_addr()
            && let Some(bound) = self.bound.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            // Whoever wanted to know may have gone.
            let _ = bound.send(at);
        }
        standing.up();
        listener.serve(stop).await;
        Ok(())
    }
}

/// A source that asks by itself.
#[derive(Debug)]
pub(super) struct Asking(pub(super) Arc<dyn Polled>);

#[async_trait]
impl Post for Asking {
    fn health(&self) -> Vec<SourceHealth> {
        vec![self.0.health()]
    }

    fn rests(&self) -> Rests {
        OF_POLLED
    }

    /// It tries again by itself, and sees.
    fn stored(&self, _began: Timestamp) {}

    async fn work(&self, standing: &Standing, stop: watch::Receiver<bool>) -> Result<(), String> {
        standing.up();
        self.0.poll(stop).await;
        Ok(())
    }
}
