//! The way of a request: path, method, secret, body, JSON, commit, answer.
//!
//! The router is made by a function, so that tests call it without a socket. It has one handler that
//! looks the path up itself: paths come from a configuration, and a pattern language in them (or two
//! sources on one path) is nothing that a router should find out by panicking.

use super::counters::{Counters, ListenerHealth, SourceState};
use super::limits::{Allowance, Limits, Pace, Place, Received};
use super::places::Seat;
use super::refusal::{Cause, Refusal};
use super::verify::{Checker, ProofUnusable};
use super::{Accept, Arrival, Clock, SourceType, Split, Unreadable, cii};
use crate::config::meant::{Source, SourceKind};
use crate::domain::event::SourceName;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::{task, time};

/// Where the sources' requests come in.
#[derive(Debug)]
pub struct Door {
    hooks: HashMap<String, Hook>,
    health: Arc<ListenerHealth>,
    limits: Limits,
    accept: Arc<dyn Accept>,
    clock: Arc<dyn Clock>,
}

/// One source that is posted to.
#[derive(Debug)]
struct Hook {
    name: SourceName,
    source_type: &'static SourceType,
    checker: Result<Checker, String>,
    pace: Pace,
    counters: Arc<Counters>,
}

/// Why there can be no such door.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoDoor {
    /// Nobody could post there.
    #[error("source `{name}` has the path `{path}`, which does not begin with `/`")]
    Path {
        /// The source.
        name: SourceName,
        /// Its path.
        path: String,
    },
    /// Nobody could tell them apart.
    #[error("source `{name}` has the path `{path}`, which another source has too\nhint: give each its own")]
    SamePath {
        /// The second source.
        name: SourceName,
        /// Their path.
        path: String,
    },
}

impl Door {
    /// The door of these sources. A source that cannot check anybody is in it, failed: its sender is
    /// told to come back, and the console shows why.
    pub fn new(
        sources: &[Source],
        allowance: Allowance,
        accept: Arc<dyn Accept>,
        clock: Arc<dyn Clock>,
    ) -> Result<Door, NoDoor> {
        let mut hooks = HashMap::new();
        let mut counters = Vec::new();
        for source in sources {
            let SourceKind::CiiWebhook(webhook) = &source.kind;
            let hook = Hook::new(source, &allowance);
            counters.push(Arc::clone(&hook.counters));
            if !webhook.path.starts_with('/') {
                return Err(NoDoor::Path { name: hook.name, path: webhook.path.clone() });
            }
            if let Some(second) = hooks.insert(webhook.path.clone(), hook) {
                return Err(NoDoor::SamePath { name: second.name, path: webhook.path.clone() });
            }
        }
        let health = Arc::new(ListenerHealth::new(counters));
        Ok(Door { hooks, health, limits: Limits::new(allowance), accept, clock })
    }

    /// How its sources are, live.
    pub fn health(&self) -> Arc<ListenerHealth> {
        Arc::clone(&self.health)
    }

    /// The door as a service.
    pub fn into_router(self) -> Router {
        Router::new().fallback(receive).with_state(Arc::new(self))
    }

    async fn take(&self, hook: &Hook, request: Request) -> Result<usize, Refusal> {
        if request.method() != Method::POST {
            return Err(Refusal::new(Cause::Method, "only POST is answered here"));
        }
        let checker = hook.checker.as_ref().map_err(|why| Refusal::new(Cause::NotStarted, why.clone()))?;
        let seat = request.extensions().get::<Arc<Seat>>().cloned();
        let proven = checker.prove(request)?;
        if let Some(seat) = seat {
            seat.trust();
        }
        let _place = self.limits.place()?;
        let received = self.limits.read(proven).await?;
        let committed = time::timeout(self.limits.handler_time(), self.commit(hook, received)).await;
        committed.unwrap_or_else(|_| Err(Refusal::busy("the store did not answer in time")))
    }

    async fn commit(&self, hook: &Hook, received: Received) -> Result<usize, Refusal> {
        let (bytes, _in_flight) = received.into_parts();
        let elements = self.elements(hook, bytes).await?;
        let count = elements.len();
        let arrivals = elements.into_iter().map(|raw| hook.arrival(raw)).collect();
        self.accept.accept(arrivals).await?;
        Ok(count)
    }

    /// Reads the body's outline on a thread where it may take its time. The place goes along: when this
    /// call is given up, the thread goes on and still counts.
    async fn elements(&self, hook: &Hook, bytes: Vec<u8>) -> Result<Vec<Arc<str>>, Refusal> {
        let place = self.limits.decoding_place().await?;
        let split = hook.source_type.elements;
        let elements = task::spawn_blocking(move || read_elements(bytes, split, place)).await;
        Ok(elements.map_err(|_| Refusal::busy("the body could not be read"))??)
    }
}

fn read_elements(bytes: Vec<u8>, split: Split, _place: Place) -> Result<Vec<Arc<str>>, Unreadable> {
    let text = String::from_utf8(bytes).map_err(|_| Unreadable::NotUtf8)?;
    split(text.into())
}

impl Hook {
    fn new(source: &Source, allowance: &Allowance) -> Hook {
        let SourceKind::CiiWebhook(webhook) = &source.kind;
        let checker = Checker::new(&webhook.proof);
        let counters = Arc::new(Counters::new(source, starting_state(&checker)));
        Hook {
            name: source.name.clone(),
            source_type: source_type(&source.kind),
            checker: checker.map_err(|_| "the source is not running".to_owned()),
            pace: Pace::new(allowance),
            counters,
        }
    }

    fn arrival(&self, raw: Arc<str>) -> Arrival {
        Arrival { source: self.name.clone(), source_type: self.source_type.name, raw }
    }
}

fn source_type(kind: &SourceKind) -> &'static SourceType {
    match kind {
        SourceKind::CiiWebhook(_) => &cii::WEBHOOK,
    }
}

fn starting_state(checker: &Result<Checker, ProofUnusable>) -> SourceState {
    match checker {
        Ok(_) => SourceState::Starting,
        Err(unusable) => SourceState::Failed(unusable.to_string()),
    }
}

async fn receive(State(door): State<Arc<Door>>, request: Request) -> Response {
    let Some(hook) = door.hooks.get(request.uri().path()) else {
        door.health.stray();
        return (StatusCode::NOT_FOUND, Json(serde_json::json!({ "error": "nothing listens here" })))
            .into_response();
    };
    match door.take(hook, request).await {
        Ok(elements) => {
            hook.counters.accepted(elements, door.clock.now());
            Json(serde_json::json!({ "accepted": elements })).into_response()
        }
        Err(refusal) => refuse(hook, refusal).await,
    }
}

/// The one place where a refusal is counted, logged and, if somebody is guessing, held back.
async fn refuse(hook: &Hook, refusal: Refusal) -> Response {
    hook.counters.refused(&refusal);
    tracing::debug!(source = %hook.name, cause = refusal.cause.word(), %refusal, "request refused");
    if refusal.cause == Cause::Proof {
        hook.pace.hold().await;
    }
    refusal.into_response()
}
