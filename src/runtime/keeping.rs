//! Keeping: what is older than `[store] keep` goes, in small bites.
//!
//! Any process that may write does it: a second one finds nothing left, which costs nothing. Between two
//! bites there is a pause, so that whoever waits for the writer, here or in another process, gets a turn.

use crate::source::clock::Clock;
use crate::store::{Pruned, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// How often the store is looked over.
const EVERY: Duration = Duration::from_secs(60 * 60);
/// Events in one commit: some milliseconds.
const BITE: usize = 250;
/// Between two bites.
const PAUSE: Duration = Duration::from_millis(50);

/// Prunes now and then every hour what is older than it is kept. Without a span everything is.
pub async fn prune_hourly(store: Arc<dyn Store>, keep: Option<Duration>, clock: Arc<dyn Clock>) {
    let Some(keep) = keep else { return };
    loop {
        if let Some(before) = before(clock.now(), keep) {
            match prune(store.as_ref(), before, |_| {}).await {
                Ok(Pruned { raws: 0, records: 0, .. }) => {}
                Ok(Pruned { raws, records, .. }) => {
                    tracing::info!(raws, records, "what is older than `[store] keep` was taken");
                }
                // The next hour tries again: nothing waits for it.
                Err(error) => tracing::warn!(%error, "the store could not be pruned"),
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// The moment before which things are old; `None` if that is before all time.
pub fn before(now: Timestamp, keep: Duration) -> Option<Timestamp> {
    now.checked_sub(SignedDuration::try_from(keep).ok()?).ok()
}

/// Prunes what arrived before a moment, all of it, and tells after each bite what went so far.
///
/// # Errors
/// If the store cannot be written; what went before that is gone.
pub async fn prune(
    store: &dyn Store,
    before: Timestamp,
    mut told: impl FnMut(&Pruned),
) -> Result<Pruned, StoreError> {
    let mut so_far = Pruned::default();
    loop {
        let bite = store.prune(before, BITE).await?;
        so_far.raws += bite.raws;
        so_far.records += bite.records;
        so_far.bytes += bite.bytes;
        so_far.given_back += bite.given_back;
        told(&so_far);
        if !bite.has_more {
            return Ok(so_far);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::meant::Reading;
    use crate::ingest::decoder;
    use crate::source::clock::SystemClock;
    use crate::store::{self, InboxItem, OpenOptions, files};

    /// A store with so many events that arrived long ago.
    async fn store(folder: &std::path::Path, events: usize) -> Arc<dyn Store> {
        let url = format!("sqlite:{}", folder.join("idtriage.db").display());
        let store = store::open(&url, decoder(Reading::default()), OpenOptions::default()).unwrap();
        let item = |n: usize| InboxItem {
            source: "cii-webhook".into(),
            source_type: "cii-webhook".to_owned(),
            received: Timestamp::UNIX_EPOCH,
            raw: format!(r#"{{"detail":{{"id":"{n}","checkId":"no-mfa","login":"ann@example.com"}}}}"#)
                .into(),
        };
        store.append((0..events).map(item).collect()).await.unwrap();
        store.drained().await.unwrap();
        store
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn all_that_is_old_goes_bite_by_bite() {
        let folder = files::throw_away_folder("keeping-").unwrap();
        let store = store(folder.path(), BITE * 2 + 1).await;
        let mut bites = Vec::new();
        let before = Timestamp::from_second(1).unwrap();
        let pruned = prune(store.as_ref(), before, |so_far| bites.push(so_far.raws)).await.unwrap();
        let all = BITE as u64 * 2 + 1;
        assert_eq!((bites, pruned.raws), (vec![BITE as u64, BITE as u64 * 2, all], all));
        let status = store.status().await.unwrap();
        assert_eq!((status.events, status.raws, status.raw_bytes), (all, 0, 0));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_hourly_look_begins_at_once_and_keeps_what_is_young() {
        let folder = files::throw_away_folder("keeping-").unwrap();
        let store = store(folder.path(), 3).await;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        // Without a span it ends, and takes nothing.
        prune_hourly(store.clone(), None, clock.clone()).await;
        let ages = Duration::from_secs(200 * 365 * 24 * 60 * 60);
        assert_eq!(prune(store.as_ref(), before(clock.now(), ages).unwrap(), |_| {}).await.unwrap().raws, 0);
        let mut changes = store.watch();
        changes.borrow_and_update();
        let pruning = tokio::spawn(prune_hourly(store.clone(), Some(Duration::from_secs(60)), clock));
        let patience = Duration::from_secs(60);
        while store.status().await.unwrap().raws > 0 {
            tokio::time::timeout(patience, changes.changed()).await.unwrap().unwrap();
        }
        pruning.abort();
        assert_eq!(store.health().await.unwrap().events, 3);
    }

    #[test]
    fn before_all_time_nothing_is_old() {
        assert_eq!(before(Timestamp::MIN, Duration::from_secs(1)), None);
        assert_eq!(before(Timestamp::now(), Duration::MAX), None);
    }
}
