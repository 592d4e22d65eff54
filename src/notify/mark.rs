//! How far a notifier has told, as it stands in the store.

use crate::domain::EventId;
use crate::domain::page::NotifierHealth;
use crate::domain::time::{millis, millis_option};
use crate::store::{Cursor, Store, StoreError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How far a notifier has told, and how it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Everything up to this event was told, or is not to be.
    pub event: i64,
    /// How many were imported since the last message: the next one counts them.
    #[serde(default)]
    pub late: u64,
    /// When there was nothing left to tell. What then arrives with an older time was not waiting.
    #[serde(with = "millis")]
    pub caught_up: Timestamp,
    /// When it was last told something.
    #[serde(with = "millis_option", default)]
    pub told: Option<Timestamp>,
    /// Why it cannot be told, as long as that is so.
    #[serde(default)]
    pub failing: Option<Failing>,
    /// When it began anew because what was kept of it could not be read: what arrived before may not have been told.
    #[serde(with = "millis_option", default)]
    pub lost: Option<Timestamp>,
}

/// What the store has of a notifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kept {
    /// It was never started.
    Nothing,
    /// How far it has told.
    Mark(Mark),
    /// Something that cannot be read as a mark.
    Damaged,
}

/// A notifier that cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// Since when.
    #[serde(with = "millis")]
    pub since: Timestamp,
    /// Why, the last time.
    pub why: String,
}

impl Mark {
    /// Of a notifier that was told nothing yet, at the newest event.
    pub fn at(event: EventId, now: Timestamp) -> Mark {
        Mark { event: event.0, late: 0, caught_up: now, told: None, failing: None, lost: None }
    }

    /// A notifier's mark, if it was ever started and can be read.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn read(store: &dyn Store, notifier: &str) -> Result<Option<Mark>, StoreError> {
        Ok(match Mark::kept(store, notifier).await? {
            Kept::Mark(mark) => Some(mark),
            Kept::Nothing | Kept::Damaged => None,
        })
    }

    /// What the store has of a notifier.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(super) async fn kept(store: &dyn Store, notifier: &str) -> Result<Kept, StoreError> {
        let Some(value) = store.cursor(&cursor_name(notifier)).await? else { return Ok(Kept::Nothing) };
        Ok(serde_json::from_str(&value).map_or_else(
            |error| {
                tracing::warn!(notifier, %error, "how far it has told cannot be read: it begins at the newest event");
                Kept::Damaged
            },
            Kept::Mark,
        ))
    }

    /// How notifiers are, in the order of their names; of one that was never started nothing is known.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn health(store: &dyn Store, names: &[String]) -> Result<Vec<NotifierHealth>, StoreError> {
        let mut known = Vec::new();
        for name in names {
            let mark = Mark::read(store, name).await?;
            let told = mark.as_ref().and_then(|mark| mark.told);
            let lost = mark.as_ref().and_then(|mark| mark.lost);
            let failing = mark.and_then(|mark| mark.failing).map(|failing| (failing.since, failing.why));
            known.push(NotifierHealth { name: name.clone(), told, failing, lost });
        }
        Ok(known)
    }

    /// Keeps that a notifier fails for good, and why: whoever looks at how it is finds it there.
    pub(super) async fn fails(
        store: &dyn Store,
        notifier: &str,
        at: Timestamp,
        why: &str,
    ) -> Result<(), StoreError> {
        let Some(mut mark) = Mark::read(store, notifier).await? else { return Ok(()) };
        mark.failing = Some(Failing { since: at, why: why.to_owned() });
        mark.keep(store, notifier).await
    }

    /// Keeps it.
    pub(super) async fn keep(&self, store: &dyn Store, notifier: &str) -> Result<(), StoreError> {
        let value = serde_json::to_string(self).unwrap_or_default();
        store.advance(Vec::new(), &Cursor { name: cursor_name(notifier), value }).await
    }
}

fn cursor_name(notifier: &str) -> String {
    format!("notify:{notifier}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_as_it_was_kept() {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let failing = Some(Failing { since: at, why: "answered 503".to_owned() });
        let mark = Mark { late: 12, told: Some(at), failing, ..Mark::at(EventId(7), at) };
        let text = serde_json::to_string(&mark).unwrap();
        assert_eq!(serde_json::from_str::<Mark>(&text).unwrap(), mark);
        let short = r#"{"event":7,"caught_up":"2023-11-14T22:13:20Z","of_a_newer_version":1}"#;
        assert_eq!(serde_json::from_str::<Mark>(short).unwrap(), Mark::at(EventId(7), at));
    }
}
