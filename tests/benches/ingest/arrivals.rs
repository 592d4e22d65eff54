//! How long after its 2xx an event is in the feed, and found by a word of it.

use super::senders::{Acknowledged, Messages, connected, paced};
use super::support::payload::failed_check;
use idtriage::domain::{EventId, Query};
use idtriage::store::sqlite::SqliteStore;
use idtriage::store::{From, Store};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const PAGE: usize = 500;
/// Between two looks for a word.
const LOOK: Duration = Duration::from_millis(5);
/// Words that are looked for.
const WORDS: usize = 40;

/// Watches the feed as a console does while messages come at a pace, and answers for each how long after
/// its acknowledgement it stood there.
pub(crate) fn in_the_feed(
    runtime: &Runtime,
    store: &Arc<SqliteStore>,
    listen: SocketAddr,
    messages: &Messages,
    pace: (usize, usize),
) -> Vec<Duration> {
    let last = EventId(store.watch().borrow().newest_event);
    let watching = runtime.spawn(watched(store.clone(), last, pace.1));
    let acknowledged = paced(listen, messages, pace.0, pace.1);
    let seen = runtime.block_on(watching).unwrap();
    let since = |message: &Acknowledged| seen[&message.id].saturating_duration_since(message.at);
    acknowledged.iter().map(since).collect()
}

/// When each of so many events above `last` stood in the feed, by its source's id.
async fn watched(store: Arc<SqliteStore>, mut last: EventId, count: usize) -> HashMap<String, Instant> {
    let (mut seen, mut changes) = (HashMap::new(), store.watch());
    while seen.len() < count {
        let page = store.events(&Query::default(), From::After(last), PAGE).await.unwrap();
        let now = Instant::now();
        last = page.rows.iter().map(|event| event.id).max().unwrap_or(last);
        let ids = page.rows.iter().filter_map(|event| event.source_event_id.as_ref());
        seen.extend(ids.map(|id| (id.to_string(), now)));
        if page.rows.is_empty() {
            changes.changed().await.unwrap();
        }
    }
    seen
}

/// Posts events with a word that no other has while messages come at a pace, and answers how long after
/// its acknowledgement each was found by it.
pub(crate) fn in_the_search(
    runtime: &Runtime,
    store: &Arc<SqliteStore>,
    listen: SocketAddr,
    messages: &Messages,
    pace: (usize, usize),
) -> Vec<Duration> {
    thread::scope(|scope| {
        let load = scope.spawn(|| paced(listen, messages, pace.0, pace.1));
        let mut poster = connected(listen);
        let first = messages.next().0;
        let found = (0..WORDS).map(|n| {
            let word = format!("word-{n}-{first}");
            let mut message = failed_check(&word, "ann@example.com");
            message["detail"]["description"] = serde_json::json!([word]);
            assert_eq!(poster.post(&message.to_string()).unwrap(), 200);
            let acknowledged = Instant::now();
            until_found(runtime, store, &format!("\"{word}\""));
            acknowledged.elapsed()
        });
        let found = found.collect();
        load.join().unwrap();
        found
    })
}

/// Waits until a query finds something.
pub(crate) fn until_found(runtime: &Runtime, store: &Arc<SqliteStore>, query: &str) {
    let query = Query::parse(query).unwrap();
    while runtime.block_on(store.events(&query, From::Newest, 1)).unwrap().rows.is_empty() {
        thread::sleep(LOOK);
    }
}
