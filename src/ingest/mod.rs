//! Elements on their way into the inbox.
//!
//! [`Ingest`] is what a source's answer waits for: it stamps each element with the time of its arrival
//! and returns when the store has committed it. What an element means is found out behind that, by the
//! store's writer with the [`decoder()`] from here, so that a slow expansion holds up no sender.
//! [`import`] takes in what comes in a [`mod@file`] instead of over the network.

mod decoder;
pub mod file;
pub mod import;

pub use decoder::decoder;

use crate::source::{Accept, Advance, Arrival, Clock, NotAccepted};
use crate::store::{Cursor, InboxItem, Store, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::Arc;

/// Takes elements into a store's inbox.
#[derive(Debug, Clone)]
pub struct Ingest {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

impl Ingest {
    /// Into this store, by this clock.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Ingest {
        Ingest { store, clock }
    }
}

#[async_trait]
impl Accept for Ingest {
    async fn accept(&self, arrivals: Vec<Arrival>) -> Result<(), NotAccepted> {
        let received = self.clock.now();
        let items = arrivals.into_iter().map(|arrival| inbox_item(arrival, received)).collect();
        self.store.append(items).await.map_err(not_accepted)
    }
}

#[async_trait]
impl Advance for Ingest {
    async fn advance(&self, arrivals: Vec<Arrival>, name: &str, value: &str) -> Result<(), NotAccepted> {
        let received = self.clock.now();
        let items = arrivals.into_iter().map(|arrival| inbox_item(arrival, received)).collect();
        let cursor = Cursor { name: name.to_owned(), value: value.to_owned() };
        self.store.advance(items, &cursor).await.map_err(not_accepted)
    }

    async fn cursor(&self, name: &str) -> Result<Option<String>, NotAccepted> {
        self.store.cursor(name).await.map_err(|error| NotAccepted(error.to_string()))
    }

    async fn setting(&self, name: &str) -> Result<Option<String>, NotAccepted> {
        self.store.setting(name).await.map_err(|error| NotAccepted(error.to_string()))
    }
}

fn inbox_item(arrival: Arrival, received: Timestamp) -> InboxItem {
    let Arrival { source, source_type, raw } = arrival;
    InboxItem { source, source_type: source_type.to_owned(), received, raw }
}

/// Whatever the store's reason is, the sender's part is the same: keep the element and try again. The source
/// says why, once: a sender that tries again and again must not fill the log of a full disk.
fn not_accepted(error: StoreError) -> NotAccepted {
    tracing::debug!(%error, "an arrived element could not be committed");
    NotAccepted(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::meant::{Proof, Reading, Source, Webhook};
    use crate::domain::{Query, SourceState};
    use crate::source::cii;
    use crate::source::counters::ListenerHealth;
    use crate::source::door::Door;
    use crate::source::limits::Allowance;
    use crate::store::files::throw_away_folder;
    use crate::store::sqlite::SqliteStore;
    use crate::store::{From, OpenOptions};
    use axum::Router;
    use axum::body::Body;
    use axum::http::{Request, header};
    use futures_util::future::join_all;
    use http_body_util::BodyExt as _;
    use serde_json::json;
    use tower::ServiceExt as _;

    /// A clock that stands still.
    #[derive(Debug)]
    struct Still;

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }
    }

    /// A store behind the door of one source.
    struct Behind {
        store: Arc<SqliteStore>,
        router: Router,
        health: Arc<ListenerHealth>,
        _folder: tempfile::TempDir,
    }

    impl Behind {
        fn new() -> Behind {
            let folder = throw_away_folder("idtriage-test-").unwrap();
            let file = folder.path().join("idtriage.db");
            let store =
                SqliteStore::open(&file, decoder(Reading::default()), OpenOptions::default()).unwrap();
            let clock = Arc::new(Still);
            let ingest = Arc::new(Ingest::new(store.clone(), clock.clone()));
            let proof = Proof::Header { name: "x-secret".into(), secret: "s3cret".into() };
            let source = Source::posted("cii-webhook", cii::WEBHOOK.name, Webhook::new("/hooks/cii", proof));
            let door = Door::new(&[source], Allowance::default(), ingest, clock).unwrap();
            let health = door.health();
            health.enter(&SourceState::Running);
            Behind { store, router: door.into_router(), health, _folder: folder }
        }

        /// Posts an element of some size: what is answered, and what it says.
        async fn post(&self, id: &str, bytes: usize) -> (u16, bool, String) {
            let detail = json!({ "id": id, "checkId": "no-mfa", "login": "a@x", "pad": "x".repeat(bytes) });
            let body = json!({ "detail-type": "FAILED_CHECK", "detail": detail }).to_string();
            let request = Request::post("/hooks/cii").header("x-secret", "s3cret").body(Body::from(body));
            let response = self.router.clone().oneshot(request.unwrap()).await.unwrap();
            let is_asked_again = response.headers().contains_key(header::RETRY_AFTER);
            let status = response.status().as_u16();
            let said = response.into_body().collect().await.unwrap().to_bytes();
            (status, is_asked_again, String::from_utf8(said.to_vec()).unwrap())
        }

        async fn stored(&self) -> Vec<String> {
            self.store.drained().await.unwrap();
            let page = self.store.events(&Query::default(), From::Newest, 100).await.unwrap();
            page.rows.iter().map(|event| event.source_event_id.as_ref().unwrap().to_string()).collect()
        }

        fn not_stored(&self) -> Option<String> {
            self.health.snapshot()[0].state.why().map(str::to_owned)
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_full_disk_is_said_stores_nothing_by_half_and_passes() {
        let behind = Behind::new();
        assert_eq!(behind.post("before", 10).await.0, 200);
        assert_eq!(behind.stored().await, ["before"]);
        behind.store.fill_up().await;
        let ids: Vec<String> = (0..8).map(|n| format!("during-{n}")).collect();
        let answers = join_all(ids.iter().map(|id| behind.post(id, 300_000))).await;
        for (status, is_asked_again, said) in answers {
            assert_eq!((status, is_asked_again), (503, true), "{said}");
            assert_eq!(said, r#"{"error":"the store cannot be written now"}"#, "no path leaves");
        }
        assert_eq!(behind.stored().await, ["before"]);
        assert!(behind.not_stored().unwrap().contains("the disk is full"));
        behind.store.make_room().await;
        assert_eq!(behind.post("after", 300_000).await.0, 200);
        assert_eq!(
            (behind.stored().await, behind.not_stored()),
            (vec!["after".into(), "before".into()], None)
        );
    }
}
