//! What the tests of the listener share: somebody who accepts, a clock, bodies.
#![expect(clippy::unwrap_used, reason = "clippy knows test functions, not what they share")]

use async_trait::async_trait;
use axum::body::{Body, Bytes};
use axum::http::Response;
use futures_util::stream;
use http_body_util::BodyExt as _;
use idtriage::source::{Accept, Arrival, Clock, NotAccepted};
use jiff::Timestamp;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;

pub(crate) const MESSAGE: &str =
    r#"{"detail-type":"FAILED_CHECK","detail":{"id":"e1","checkId":"no-mfa","login":"a@x"}}"#;

/// Keeps what it accepts; does not answer before it may.
#[derive(Debug)]
pub(crate) struct Inbox {
    kept: Mutex<Vec<Arrival>>,
    pub(crate) entered: Semaphore,
    pub(crate) may_commit: Semaphore,
    is_full: bool,
}

impl Inbox {
    pub(crate) fn new() -> Inbox {
        Inbox {
            kept: Mutex::default(),
            entered: Semaphore::new(0),
            may_commit: Semaphore::new(1),
            is_full: false,
        }
    }

    pub(crate) fn slow() -> Inbox {
        Inbox { may_commit: Semaphore::new(0), ..Inbox::new() }
    }

    pub(crate) fn full() -> Inbox {
        Inbox { is_full: true, ..Inbox::new() }
    }

    pub(crate) fn kept(&self) -> Vec<Arrival> {
        self.kept.lock().unwrap().clone()
    }
}

#[async_trait]
impl Accept for Inbox {
    async fn accept(&self, arrivals: Vec<Arrival>) -> Result<(), NotAccepted> {
        self.entered.add_permits(1);
        let _may = self.may_commit.acquire().await.unwrap();
        if self.is_full {
            return Err(NotAccepted("`/home/ann/x.db`: the disk is full".into()));
        }
        self.kept.lock().unwrap().extend(arrivals);
        Ok(())
    }
}

/// Stands still.
#[derive(Debug)]
pub(crate) struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

pub(crate) fn clock() -> Arc<Still> {
    Arc::new(Still)
}

/// A body without a length, in pieces.
pub(crate) fn chunked(pieces: usize, bytes: usize) -> Body {
    let piece = Bytes::from(vec![b' '; bytes]);
    Body::from_stream(stream::iter((0..pieces).map(move |_| Ok::<_, Infallible>(piece.clone()))))
}

/// A body that says when somebody starts to read it, and never ends.
pub(crate) fn watched(was_read: &Arc<AtomicBool>) -> Body {
    let was_read = Arc::clone(was_read);
    Body::from_stream(stream::poll_fn(move |_| {
        was_read.store(true, Ordering::SeqCst);
        std::task::Poll::<Option<Result<Bytes, Infallible>>>::Pending
    }))
}

pub(crate) async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}
