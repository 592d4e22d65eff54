//! Where events come from.
//!
//! A source proves that a caller may speak, splits what it says into elements and hands them to
//! whoever implements [`Accept`]; its answer waits for that. It decides what an element *is* (the
//! decoders are here, one file a source), never what an event means for a finding, and it knows no
//! store: nothing in here can tell where an accepted element goes.
//!
//! The way of a request through the [`listener`]:
//!
//! ```text
//! connection ─▶ door ─▶ verify ─▶ limits ─▶ SourceType::elements ─▶ Accept ─▶ 200
//!   (caps)     (path)  (secret)  (body)    (readable at all?)      (commit)
//! ```
//!
//! Where the proof is a signature of the body, `limits` reads the body first, in a room of its own, and
//! `signature` gives it away only once it is what was signed.
//!
//! A new type of source is one file that ends in a [`SourceType`], one line in [`TYPES`], its name in
//! [`SOURCE_TYPES`](crate::config::meant::SOURCE_TYPES) and one folder of fixtures in `tests/payloads`.

pub mod body;
mod challenge;
pub mod cii;
pub mod clock;
pub mod counters;
pub mod door;
pub mod execution;
pub mod expects;
pub mod generic;
pub mod ispm;
pub mod limits;
pub mod listener;
pub mod loose;
pub mod okta_hook;
pub mod okta_log;
pub mod pieces;
mod places;
pub mod pointer;
pub mod refusal;
mod signature;
mod socket;
pub mod system_log;
pub mod tls;
pub mod unix;
mod unproven;
pub mod verify;

use crate::config::meant::{Ends, Mapping, Reading};
use crate::domain::event::{DecodedEvent, SourceName};
use crate::domain::{LogChecks, SourceHealth};
use async_trait::async_trait;
use loose::Object;
use std::fmt;
use std::sync::Arc;
use tokio::sync::watch;

pub use clock::{Clock, SystemClock};
pub use counters::ListenerHealth;
pub use expects::Expects;
pub use listener::{ListenError, Listener};

/// What one type of source knows: how its requests fall into elements, and what an element is.
#[derive(Debug, Clone, Copy)]
pub struct SourceType {
    /// Its name in the configuration and in the inbox: `cii-webhook`.
    pub name: &'static str,
    /// Splits a body into the elements that are events of their own, each kept as it came.
    pub elements: Split,
    /// What an element is. Total: what is not understood is an event of kind `other`.
    pub decode: fn(&str, &Meaning<'_>) -> DecodedEvent,
    /// Whether an object of a file is one of its bodies or elements: how `import` finds the type.
    pub recognises: fn(&Object<'_>) -> bool,
    /// What its senders expect of the listener.
    pub expects: Expects,
}

/// Splits a body into elements, or says why it has none.
pub type Split = fn(Arc<str>, &Meaning<'_>) -> Result<Vec<Arc<str>>, Unreadable>;

/// What the configuration says that the elements of a source mean.
#[derive(Debug, Clone, Copy)]
pub struct Meaning<'a> {
    /// Which log records are findings.
    pub log_checks: &'a LogChecks,
    /// Where the parts of a generic webhook's events stand.
    pub mapping: Option<&'a Mapping>,
    /// Which of its records are ends of an execution.
    pub ends: Option<&'a Ends>,
}

impl<'a> Meaning<'a> {
    /// Of the elements of a source, by how arriving events are read.
    pub fn of(reading: &'a Reading, source: &SourceName) -> Meaning<'a> {
        Meaning {
            log_checks: &reading.log_checks,
            mapping: reading.mappings.get(source),
            ends: reading.ends.get(source),
        }
    }
}

/// Every type of source. Where several recognise an object, the first one has it.
pub const TYPES: &[SourceType] =
    &[cii::WEBHOOK, okta_hook::HOOK, okta_log::SYSTEM_LOG, ispm::WEBHOOK, execution::LOG, generic::WEBHOOK];

/// The type of a name.
pub fn type_named(name: &str) -> Option<&'static SourceType> {
    TYPES.iter().find(|known| known.name == name)
}

/// The type of which a JSON object is a body or an element, as far as its content shows.
pub fn recognise(json: &str) -> Option<&'static SourceType> {
    let object = Object::parse(json).ok()?;
    TYPES.iter().find(|known| (known.recognises)(&object))
}

/// One element that a source vouches for, raw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The configured source's name.
    pub source: SourceName,
    /// The source's type, which chooses the decoder.
    pub source_type: &'static str,
    /// The raw JSON, whole.
    pub raw: Arc<str>,
}

/// Takes elements for good.
#[async_trait]
pub trait Accept: Send + Sync + fmt::Debug {
    /// When this returns `Ok`, the elements are never lost, and only then does the sender get its 2xx.
    async fn accept(&self, arrivals: Vec<Arrival>) -> Result<(), NotAccepted>;
}

/// Takes elements together with how far their source has read, for a source that asks.
#[async_trait]
pub trait Advance: Accept {
    /// As [`Accept::accept`], and keeps a cursor in the same commit: either both are there or none is.
    async fn advance(&self, arrivals: Vec<Arrival>, name: &str, value: &str) -> Result<(), NotAccepted>;

    /// A cursor that was kept.
    async fn cursor(&self, name: &str) -> Result<Option<String>, NotAccepted>;

    /// A setting that lives where the elements go.
    async fn setting(&self, name: &str) -> Result<Option<String>, NotAccepted>;
}

/// A source that asks by itself, where others are posted to.
#[async_trait]
pub trait Polled: Send + Sync + fmt::Debug {
    /// How it is now.
    fn health(&self) -> SourceHealth;

    /// Asks until it is told to stop. What goes wrong on the way is its state, never the end: it tries
    /// again by itself. It may be run again after it has ended.
    async fn poll(&self, stop: watch::Receiver<bool>);
}

/// Elements cannot be kept now, and why. The sender is answered 503 and tries again; why is said in the
/// log and on the screen alone, since it names paths that are nobody else's business.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAccepted(pub String);

/// Why a body is no element of a source at all: the sender is answered 400 with this text, which
/// therefore repeats nothing of the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not text.
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// Not JSON.
    #[error("the body is not JSON (line {line}, column {column})")]
    NotJson {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// JSON, but not of the shape that every message has.
    #[error("{what} is {found}, not an object")]
    NotAnObject {
        /// Which part.
        what: &'static str,
        /// What stands there instead.
        found: &'static str,
    },
    /// It holds more than can be taken in at once.
    #[error(
        "the body holds {elements} events, which take more than can be taken in at once; send fewer together"
    )]
    TooMany {
        /// How many.
        elements: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::meant::SOURCE_TYPES;

    #[test]
    fn what_can_be_configured_is_what_there_is() {
        let known: Vec<&str> = TYPES.iter().map(|known| known.name).collect();
        assert_eq!(known, SOURCE_TYPES);
    }
}
