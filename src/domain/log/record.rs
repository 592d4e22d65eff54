//! A record of the log as a row shows it. The raw record goes along unchanged.
//!
//! Okta's schema is loose in practice: targets may be null, numbers texts, and `null` a text. What does
//! not fit is absent; a target is found by its type, never by its place.

use super::literal;
use crate::domain::{Login, Untrusted, time};
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::sync::Arc;

/// Who did something, or whom it was done to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party {
    /// Okta's id.
    pub id: Option<Untrusted>,
    /// A user's login, or another's name for itself.
    pub alternate_id: Option<Untrusted>,
    /// The name for people.
    pub name: Option<Untrusted>,
    /// Whether it is a user.
    pub is_user: bool,
}

impl Party {
    fn of(value: &Value) -> Party {
        let kind = text(value, "/type").unwrap_or_default();
        Party {
            id: untrusted(value, "/id"),
            alternate_id: untrusted(value, "/alternateId"),
            name: untrusted(value, "/displayName"),
            is_user: kind.eq_ignore_ascii_case("User"),
        }
    }

    /// The shortest thing that names it.
    pub fn shown(&self) -> &str {
        let named = self.alternate_id.as_ref().or(self.name.as_ref()).or(self.id.as_ref());
        named.map(Untrusted::raw).unwrap_or_default()
    }

    /// Its login, where it is a user.
    pub fn login(&self) -> Option<Login> {
        let named = self.alternate_id.as_ref().or(self.id.as_ref()).filter(|_| self.is_user)?;
        Some(Login::new(named.raw()))
    }
}

/// What ties records together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thread {
    /// The session that a browser holds.
    Session,
    /// The session that it came from.
    RootSession,
    /// One request, or one job, and all that it caused.
    Transaction,
    /// The API token that was used.
    Token,
}

impl Thread {
    /// Every one.
    pub const ALL: [Thread; 4] = [Thread::Session, Thread::RootSession, Thread::Transaction, Thread::Token];

    /// Its attribute in Okta's grammar.
    pub fn attribute(self) -> &'static str {
        match self {
            Thread::Session => "authenticationContext.externalSessionId",
            Thread::RootSession => "authenticationContext.rootSessionId",
            Thread::Transaction => "transaction.id",
            Thread::Token => "transaction.detail.requestApiTokenId",
        }
    }

    /// In words.
    pub fn title(self) -> &'static str {
        match self {
            Thread::Session => "session",
            Thread::RootSession => "root session",
            Thread::Transaction => "transaction",
            Thread::Token => "API token",
        }
    }

    /// The records of one of them.
    pub fn filter(self, id: &str) -> String {
        format!("{} eq {}", self.attribute(), literal(id))
    }

    fn pointer(self) -> String {
        format!("/{}", self.attribute().replace('.', "/"))
    }
}

/// As it came, where it is JSON.
impl Serialize for LogRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<Value>(&self.raw).unwrap_or_default().serialize(serializer)
    }
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// As it came.
    pub raw: Arc<str>,
    /// Its id.
    pub uuid: Untrusted,
    /// When it happened.
    pub published: Option<Timestamp>,
    /// What happened, for programs.
    pub event_type: Untrusted,
    /// What happened, for people.
    pub message: Untrusted,
    /// How it ended.
    pub result: Untrusted,
    /// Why.
    pub reason: Untrusted,
    /// Who did it.
    pub actor: Party,
    /// The first user that it was done to.
    pub target: Option<Party>,
    /// From where.
    pub address: Option<Untrusted>,
    /// City, state and country.
    pub place: [Option<Untrusted>; 3],
    /// With which browser or device.
    pub client: Option<Untrusted>,
    /// What the caller calls itself, whole.
    pub agent: Option<Untrusted>,
    /// The level of risk that Okta saw.
    pub risk: Option<Untrusted>,
    threads: [Option<Untrusted>; Thread::ALL.len()],
}

impl LogRecord {
    /// Reads a record; one that is no JSON has its raw text and nothing else.
    pub fn of(raw: Arc<str>) -> LogRecord {
        let value: Value = serde_json::from_str(&raw).unwrap_or_default();
        let said = |pointer: &str| untrusted(&value, pointer).unwrap_or_default();
        let targets = value.get("target").and_then(Value::as_array);
        let place = ["city", "state", "country"]
            .map(|part| untrusted(&value, &format!("/client/geographicalContext/{part}")));
        LogRecord {
            uuid: said("/uuid"),
            published: text(&value, "/published").and_then(|text| time::parse(&text)),
            event_type: said("/eventType"),
            message: said("/displayMessage"),
            result: said("/outcome/result"),
            reason: said("/outcome/reason"),
            actor: value.get("actor").map(Party::of).unwrap_or_default(),
            target: targets.into_iter().flatten().map(Party::of).find(|target| target.is_user),
            address: untrusted(&value, "/client/ipAddress")
                .or_else(|| untrusted(&value, "/request/ipChain/0/ip")),
            place,
            client: untrusted(&value, "/client/userAgent/browser")
                .or_else(|| untrusted(&value, "/client/device")),
            agent: untrusted(&value, "/client/userAgent/rawUserAgent"),
            risk: untrusted(&value, "/securityContext/risk/level"),
            threads: Thread::ALL.map(|thread| untrusted(&value, &thread.pointer())),
            raw,
        }
    }

    /// The id of what ties it to others.
    pub fn thread(&self, thread: Thread) -> Option<&Untrusted> {
        let at = Thread::ALL.iter().position(|known| *known == thread)?;
        self.threads.get(at)?.as_ref()
    }

    /// Whether it did not succeed, as far as its result says so: what a policy blocks is DENY, not FAILURE.
    pub fn has_failed(&self) -> bool {
        matches!(self.result.raw(), "FAILURE" | "DENY" | "RATE_LIMIT" | "ABANDONED" | "UNANSWERED")
    }

    /// Every user that it was done to.
    pub fn users(&self) -> Vec<Party> {
        let value: Value = serde_json::from_str(&self.raw).unwrap_or_default();
        let targets = value.get("target").and_then(Value::as_array);
        targets.into_iter().flatten().map(Party::of).filter(|target| target.is_user).collect()
    }

    /// The user that it is about: the one that it was done to, else the one who did it.
    pub fn person(&self) -> Option<Login> {
        self.target.as_ref().and_then(Party::login).or_else(|| self.actor.login())
    }

    /// City, state and country, as far as they are told.
    pub fn place_text(&self) -> String {
        self.place.iter().flatten().map(Untrusted::raw).collect::<Vec<_>>().join(", ")
    }
}

fn untrusted(value: &Value, pointer: &str) -> Option<Untrusted> {
    text(value, pointer).map(Untrusted::from)
}

/// A text, or a number as a text. For jobs of Okta's own, absent things are null or the text `null`.
fn text(value: &Value, pointer: &str) -> Option<String> {
    let text = match value.pointer(pointer)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.trim().is_empty() && text != "null").then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_record_is_read() {
        let raw = r#"{"uuid":"u-1","published":"2026-05-01T12:00:00.500Z","eventType":"user.session.start",
            "displayMessage":"User login to Okta","outcome":{"result":"DENY","reason":"policy"},
            "actor":{"id":"00u1","type":"User","alternateId":"ann@x","displayName":"Ann"},
            "target":[{"type":"AppInstance","alternateId":"app"},{"type":"User","alternateId":"bo@x"}],
            "securityContext":{"risk":{"level":"HIGH"}},
            "client":{"userAgent":{"browser":"FIREFOX"},"ipAddress":"192.0.2.7","geographicalContext":{"city":"Kyiv","state":null,"country":"Ukraine"}},
            "authenticationContext":{"externalSessionId":"s-1","rootSessionId":"r-1"},
            "transaction":{"id":"t-1","detail":{"requestApiTokenId":"00T1"}}}"#;
        let record = LogRecord::of(raw.into());
        assert_eq!(&*record.raw, raw);
        assert!(record.has_failed() && record.published.is_some());
        assert_eq!(record.person(), Some(Login::new("bo@x")));
        assert_eq!((record.actor.shown(), record.place_text().as_str()), ("ann@x", "Kyiv, Ukraine"));
        assert_eq!(
            (record.client.clone(), record.risk.clone()),
            (Some("FIREFOX".into()), Some("HIGH".into()))
        );
        assert_eq!(serde_json::to_value(&record).unwrap()["outcome"]["result"], "DENY");
        let threads = Thread::ALL.map(|thread| record.thread(thread).map(Untrusted::raw));
        assert_eq!(threads, [Some("s-1"), Some("r-1"), Some("t-1"), Some("00T1")]);
        assert_eq!(Thread::Transaction.filter("t-1"), r#"transaction.id eq "t-1""#);
    }

    #[test]
    fn what_is_null_or_odd_is_absent() {
        let raw = r#"{"uuid":7,"target":null,"actor":null,"outcome":"x",
            "client":{"ipAddress":"null","geographicalContext":{"city":"null","postalCode":78701}},
            "request":{"ipChain":[{"ip":"192.0.2.9"}]},"transaction":{"id":""}}"#;
        let record = LogRecord::of(raw.into());
        assert_eq!((record.uuid.raw(), record.published, record.person()), ("7", None, None));
        assert_eq!(record.address, Some("192.0.2.9".into()));
        assert!(record.place_text().is_empty() && record.thread(Thread::Transaction).is_none());
        assert!(!record.has_failed());
    }

    #[test]
    fn a_service_is_nobody() {
        let record = LogRecord::of(r#"{"actor":{"type":"PublicClientApp","alternateId":"app"}}"#.into());
        assert_eq!((record.person(), record.actor.shown()), (None, "app"));
    }

    proptest! {
        #[test]
        fn anything_is_a_record(text in any::<String>()) {
            prop_assert_eq!(&*LogRecord::of(text.as_str().into()).raw, text.as_str());
        }
    }
}
