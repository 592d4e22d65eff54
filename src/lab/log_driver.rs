//! Writes the System Log as the org's own parts would, quickly and much, so that a test can look for every record again.
use super::clock::millis;
use super::okta::Record;
use super::world::World;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// A record to be persisted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// When it happened. It is persisted when it is handed over, which may be later.
    pub published: Timestamp,
    pub event_type: String,
    /// Ids of the targets, each with its type.
    pub targets: Vec<(String, String)>,
}

impl LogEvent {
    /// A sign-in.
    pub fn sign_in(published: Timestamp) -> Self {
        Self { published, event_type: "user.session.start".to_owned(), targets: Vec::new() }
    }

    fn value(&self, uuid: &str) -> Value {
        let targets: Vec<Value> =
            self.targets.iter().map(|(id, kind)| json!({"id": id, "type": kind})).collect();
        json!({
            "uuid": uuid, "published": millis(self.published), "eventType": self.event_type, "version": "0",
            "severity": "INFO", "actor": {"id": "00ulabdriver0000000005d7", "type": "User", "alternateId": "driver@example.com"},
            "outcome": {"result": "SUCCESS"}, "target": if targets.is_empty() { Value::Null } else { targets.into() },
        })
    }
}

/// Writes a lab's System Log.
#[derive(Debug, Clone)]
pub struct LogDriver(Arc<World>);

impl LogDriver {
    pub(super) fn new(world: Arc<World>) -> Self {
        Self(world)
    }

    /// Persists records now, in this order, and gives their uuids.
    pub fn persist(&self, events: impl IntoIterator<Item = LogEvent>) -> Vec<String> {
        let now = self.0.clock.now();
        let new = |event: LogEvent| {
            let uuid = uuid::Uuid::new_v4().to_string();
            Record::of(&event.value(&uuid), now).map(|record| (uuid, record))
        };
        let (uuids, records): (Vec<_>, Vec<_>) = events.into_iter().filter_map(new).unzip();
        self.0.log.persist(records);
        uuids
    }

    /// Every record that is in the log, those of the story too: its uuid and when it was published, in the order in
    /// which they were persisted.
    pub fn records(&self) -> Vec<(String, Timestamp)> {
        self.0.log.all().into_iter().map(|record| (record.uuid.to_string(), record.published)).collect()
    }
}
