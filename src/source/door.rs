//! The way of a request: path, method, secret, body, JSON, commit, answer.
//!
//! The router is made by a function, so that tests call it without a socket. It has one handler that
//! looks the path up itself: paths come from a configuration, and a pattern language in them (or two
//! sources on one path) is nothing that a router should find out by panicking.

use super::body;
use super::challenge;
use super::counters::{Counters, ListenerHealth};
use super::expects::Answer;
use super::generic::{self, Unmapped};
use super::limits::{Allowance, Limits, Pace, Place, Received};
use super::places::Seat;
use super::refusal::{Cause, Refusal};
use super::verify::{Checker, Looked, ProofUnusable};
use super::{Accept, Arrival, Clock, Meaning, SourceType, Split, Unreadable, type_named};
use crate::config::meant::{Reading, Source, Webhook};
use crate::domain::SourceState;
use crate::domain::event::SourceName;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::{task, time};

/// Bytes of a body that is read at once, among the other connections' work: some ten microseconds.
const SMALL: usize = 16 * 1024;

/// Where the sources' requests come in.
#[derive(Debug)]
pub struct Door {
    hooks: HashMap<String, Arc<Hook>>,
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
    reading: Arc<Reading>,
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
    /// Nobody could read what is posted there.
    #[error("source `{name}` is of the type `{source_type}`, which is not one that is posted to")]
    Type {
        /// The source.
        name: SourceName,
        /// Its type.
        source_type: &'static str,
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
            let Some(webhook) = source.webhook() else { continue };
            let path = &webhook.path;
            let hook = Hook::new(source, webhook, &allowance)?;
            counters.push(Arc::clone(&hook.counters));
            if !path.starts_with('/') {
                return Err(NoDoor::Path { name: hook.name, path: path.clone() });
            }
            if let Some(second) = hooks.insert(path.clone(), Arc::new(hook)) {
                return Err(NoDoor::SamePath { name: second.name.clone(), path: path.clone() });
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

    async fn take(self: &Arc<Self>, hook: &Arc<Hook>, request: Request) -> Result<Taken, Refusal> {
        if request.method() != Method::POST {
            return Err(Refusal::new(Cause::Method, "only POST is answered here"));
        }
        let checker = hook.checker.as_ref().map_err(|why| Refusal::new(Cause::NotStarted, why.clone()))?;
        let seat = request.extensions().get::<Arc<Seat>>().cloned();
        let (received, place) = match checker.look(request)? {
            Looked::Proven(proven) => {
                trust(seat);
                let place = self.limits.place()?;
                (self.limits.read(proven).await?, place)
            }
            // What proves nothing yet takes no place of those that are known.
            Looked::Signed(signed) => {
                let received = self.limits.read_signed(signed).await?;
                trust(seat);
                (received, self.limits.place()?)
            }
        };
        let committing = tokio::spawn(Arc::clone(self).commit(Arc::clone(hook), received, place));
        let patience = self.limits.handler_time(hook.source_type.expects.answer_time);
        match time::timeout(patience, committing).await {
            Ok(Ok(committed)) => committed,
            Ok(Err(_)) => Err(Refusal::busy("the body could not be taken")),
            Err(_) => Err(Refusal::busy("the store did not answer in time")),
        }
    }

    /// In a task of its own: when the caller gives up or is told to come back, what it sent is still on
    /// its way to the store, and still counts against what may be in flight.
    async fn commit(
        self: Arc<Self>,
        hook: Arc<Hook>,
        received: Received,
        _place: Place,
    ) -> Result<Taken, Refusal> {
        let (bytes, _in_flight) = received.into_parts();
        let body = bytes.len();
        let Outline { elements, unmapped } = self.elements(&hook, bytes).await?;
        let _grown = self.limits.grown(body, body::taken_by(&elements))?;
        let count = elements.len();
        let arrivals = elements.into_iter().map(|raw| hook.arrival(raw)).collect();
        self.accept.accept(arrivals).await?;
        Ok(Taken { elements: count, unmapped })
    }

    /// Reads the body's outline: a small one here and now, since handing it over takes longer than
    /// reading it; a larger one on a thread where it may take its time. The place goes along: when this
    /// call is given up, the thread goes on and still counts.
    async fn elements(&self, hook: &Hook, bytes: Vec<u8>) -> Result<Outline, Refusal> {
        let split = hook.source_type.elements;
        if bytes.len() <= SMALL {
            return Ok(read_elements(bytes, split, &Meaning::of(&hook.reading, &hook.name))?);
        }
        let place = self.limits.decoding_place().await?;
        let (name, reading) = (hook.name.clone(), Arc::clone(&hook.reading));
        let read = move || {
            let _place = place;
            read_elements(bytes, split, &Meaning::of(&reading, &name))
        };
        let elements = task::spawn_blocking(read).await;
        Ok(elements.map_err(|_| Refusal::busy("the body could not be read"))??)
    }
}

/// The connection has carried the right secret: it stays.
fn trust(seat: Option<Arc<Seat>>) {
    if let Some(seat) = seat {
        seat.trust();
    }
}

fn read_elements(bytes: Vec<u8>, split: Split, meaning: &Meaning<'_>) -> Result<Outline, Unreadable> {
    let text = String::from_utf8(bytes).map_err(|_| Unreadable::NotUtf8)?;
    let elements = split(text.into(), meaning)?;
    let unmapped = generic::unmapped(&elements, meaning);
    Ok(Outline { elements, unmapped })
}

/// A body's elements, and those of them that no finding comes of.
struct Outline {
    elements: Vec<Arc<str>>,
    unmapped: Option<Unmapped>,
}

/// What was taken of a body, after the commit.
struct Taken {
    elements: usize,
    unmapped: Option<Unmapped>,
}

impl Hook {
    fn new(source: &Source, webhook: &Webhook, allowance: &Allowance) -> Result<Hook, NoDoor> {
        let unknown = || NoDoor::Type { name: source.name.clone(), source_type: source.source_type };
        let checker = Checker::new(&webhook.proof);
        let counters = Arc::new(Counters::new(source, starting_state(&checker)));
        Ok(Hook {
            name: source.name.clone(),
            source_type: type_named(source.source_type).ok_or_else(unknown)?,
            reading: Arc::new(reading_of(source, webhook)),
            checker: checker.map_err(|_| "the source is not running".to_owned()),
            pace: Pace::new(allowance),
            counters,
        })
    }

    fn arrival(&self, raw: Arc<str>) -> Arrival {
        Arrival { source: self.name.clone(), source_type: self.source_type.name, raw }
    }

    /// The answer to a request that only wants to know whether somebody is here; `None` to all others.
    /// A source that cannot check anybody is not here: verified, it would be sent what it has to refuse.
    fn challenged(&self, request: &Request, clock: &dyn Clock) -> Option<Result<Response, Refusal>> {
        let name = self.source_type.expects.challenge.filter(|_| request.method() == Method::GET)?;
        let answer = challenge::answer(request.headers(), name)?;
        let Ok(checker) = &self.checker else { return None };
        if answer.is_ok() {
            let at = clock.now();
            self.counters.challenged(at);
            if checker.knows(request) {
                self.counters.alive(at);
            }
        }
        Some(answer)
    }

    fn accepted(&self, elements: usize) -> Response {
        match self.source_type.expects.answer {
            Answer::Count => Json(serde_json::json!({ "accepted": elements })).into_response(),
            Answer::Nothing => StatusCode::NO_CONTENT.into_response(),
        }
    }
}

/// What is needed to split the bodies of one source.
fn reading_of(source: &Source, webhook: &Webhook) -> Reading {
    let mapping = webhook.mapping.clone().map(|mapping| (source.name.clone(), mapping));
    Reading { mappings: mapping.into_iter().collect(), ..Reading::default() }
}

fn starting_state(checker: &Result<Checker, ProofUnusable>) -> SourceState {
    match checker {
        Ok(_) => SourceState::Starting,
        Err(unusable) => SourceState::failed(unusable.to_string()),
    }
}

async fn receive(State(door): State<Arc<Door>>, request: Request) -> Response {
    let Some(hook) = door.hooks.get(request.uri().path()) else {
        door.health.stray(request.uri().path());
        return (StatusCode::NOT_FOUND, Json(serde_json::json!({ "error": "nothing listens here" })))
            .into_response();
    };
    let answered = match hook.challenged(&request, door.clock.as_ref()) {
        Some(answer) => answer,
        None => door.take(hook, request).await.map(|taken| {
            hook.counters.accepted(taken.elements, taken.unmapped, door.clock.now());
            hook.accepted(taken.elements)
        }),
    };
    match answered {
        Ok(response) => response,
        Err(refusal) => refuse(hook, refusal, door.clock.now()).await,
    }
}

/// The one place where a refusal is counted, logged and, if somebody is guessing, held back.
async fn refuse(hook: &Hook, refusal: Refusal, at: Timestamp) -> Response {
    hook.counters.refused(&refusal, at);
    tracing::debug!(source = %hook.name, cause = refusal.cause.word(), %refusal, "request refused");
    if refusal.cause == Cause::Proof {
        hook.pace.hold().await;
    }
    refusal.into_response()
}
