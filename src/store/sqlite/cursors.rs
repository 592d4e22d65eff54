//! How far somebody has read, and what was last said of the sources.

use crate::domain::SourcesReport;
use crate::store::Cursor;
use rusqlite::{Connection, OptionalExtension, Result};

/// The name in `meta` of what was last said of the sources.
const REPORT: &str = "sources";

/// How far somebody has read.
pub(super) fn value(db: &Connection, name: &str) -> Result<Option<String>> {
    db.prepare_cached("SELECT value FROM cursors WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// Remembers how far somebody has read.
pub(super) fn set(db: &Connection, cursor: &Cursor) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO cursors (name, value) VALUES (?1, ?2) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?
    .execute((&cursor.name, &cursor.value))?;
    Ok(())
}

/// Keeps what is said of the sources.
pub(super) fn report(db: &Connection, report: &SourcesReport) -> Result<()> {
    set_meta(db, REPORT, &super::rows::to_json(report)?)
}

/// What was last said of the sources; what a newer version says otherwise is not said.
pub(super) fn reported(db: &Connection) -> Result<Option<SourcesReport>> {
    Ok(meta(db, REPORT)?.and_then(|text| serde_json::from_str(&text).ok()))
}

/// A value that the store keeps by name.
pub(super) fn meta(db: &Connection, name: &str) -> Result<Option<String>> {
    db.prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// Keeps a value by name.
pub(super) fn set_meta(db: &Connection, name: &str, value: &str) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO meta (name, value) VALUES (?1, ?2) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?
    .execute((name, value))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::domain::event::DecodedEvent;
    use crate::domain::{EventKey, EventKind};
    use crate::store::files::throw_away_folder;
    use crate::store::sqlite::SqliteStore;
    use crate::store::{Cursor, Decode, Decoded, InboxItem, OpenOptions, Store, StoreError};
    use jiff::Timestamp;
    use std::sync::Arc;

    #[derive(Debug)]
    struct ByContent;

    impl Decode for ByContent {
        fn decode(&self, item: &InboxItem) -> Decoded {
            Decoded::Event(Box::new(self.decode_begun(item)))
        }

        fn decode_begun(&self, item: &InboxItem) -> DecodedEvent {
            DecodedEvent::new(EventKey::of_content("test", item.raw.as_bytes()), EventKind::Log)
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_commit_that_fails_moves_neither_the_events_nor_the_cursor() {
        let folder = throw_away_folder("cursors-").unwrap();
        let file = folder.path().join("idtriage.db");
        let store = SqliteStore::open(&file, Arc::new(ByContent), OpenOptions::default()).unwrap();
        let item = |n: usize| InboxItem {
            source: "log".into(),
            source_type: "test".to_owned(),
            received: Timestamp::UNIX_EPOCH,
            raw: format!("{n} {}", "x".repeat(100_000)).into(),
        };
        let cursor = |value: &str| Cursor { name: "log".to_owned(), value: value.to_owned() };
        store.advance(vec![item(1)], &cursor("one")).await.unwrap();
        store.drained().await.unwrap();
        store.fill_up().await;
        let page: Vec<InboxItem> = (2..5).map(item).collect();
        let refused = store.advance(page.clone(), &cursor("two")).await.unwrap_err();
        assert!(matches!(refused, StoreError::NotWritable(_)), "{refused}");
        assert_eq!(store.cursor("log").await.unwrap().as_deref(), Some("one"));
        let health = store.health().await.unwrap();
        assert_eq!((health.events, health.pending), (1, 0));
        store.make_room().await;
        store.advance(page, &cursor("two")).await.unwrap();
        store.drained().await.unwrap();
        assert_eq!(store.cursor("log").await.unwrap().as_deref(), Some("two"));
        assert_eq!(store.health().await.unwrap().events, 4);
    }
}
