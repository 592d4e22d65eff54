//! What arrived: one element from a source, kept whole.

use super::action::EndKind;
use super::rule::NOTIFY;
use super::{Check, CheckId, EventKey, Login, Severity, Untrusted, time};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// An event's id: its place in the order of arrival, which is also the feed's page key. Text in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub i64);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::str::FromStr for EventId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(EventId)
    }
}

impl Serialize for EventId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What kind of thing arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// Users fail a check.
    FailedCheck,
    /// A source's connectivity test: shown, opens no finding.
    Test,
    /// A text for somebody, without a check or without a login.
    DirectMessage,
    /// A log record.
    Log,
    /// An ISPM issue.
    Issue,
    /// A flow's execution record.
    Execution,
    /// Anything else; kept and shown.
    Other,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [EventKind; 7] = [
        EventKind::FailedCheck,
        EventKind::Test,
        EventKind::DirectMessage,
        EventKind::Log,
        EventKind::Issue,
        EventKind::Execution,
        EventKind::Other,
    ];

    /// The word on the screen and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            EventKind::FailedCheck => "failed-check",
            EventKind::Test => "test",
            EventKind::DirectMessage => "direct-message",
            EventKind::Log => "log",
            EventKind::Issue => "issue",
            EventKind::Execution => "execution",
            EventKind::Other => "other",
        }
    }

    /// The kind of a word.
    pub fn parse(word: &str) -> Option<EventKind> {
        EventKind::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether its users get findings by the kind alone.
    pub fn opens_findings(self) -> bool {
        matches!(self, EventKind::FailedCheck | EventKind::Issue)
    }
}

/// What stands before the type of an execution's record in its check's id.
const EXECUTION: &str = "execution:";

/// A source's name as configured (its type where it has none): `cii-webhook`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceName(pub String);

/// The source of what was imported, unless it is said to be another's.
pub const IMPORT: &str = "import";

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for SourceName {
    fn from(name: &str) -> Self {
        SourceName(name.to_owned())
    }
}

impl From<String> for SourceName {
    fn from(name: String) -> Self {
        SourceName(name)
    }
}

/// One of a user's details in an event: a key and a value that was text or JSON inside text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    /// The key.
    pub key: Untrusted,
    /// The value; JSON inside a text is unpacked.
    pub value: Value,
}

impl Detail {
    /// Key and value as one text: several values are told one after the other, and what is nested deeper
    /// as JSON.
    pub fn text(&self) -> Untrusted {
        Untrusted::from(format!("{}: {}", self.key.raw(), self.value_text()))
    }

    fn value_text(&self) -> String {
        match &self.value {
            Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
            value => plain(value),
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// An event as a source's decoder understands it, before the store gives it an id.
#[derive(Debug, Clone, PartialEq)]
pub struct DecodedEvent {
    /// What makes it the same event as another delivery.
    pub key: EventKey,
    /// What kind of thing it is.
    pub kind: EventKind,
    /// The source's own id.
    pub source_event_id: Option<Untrusted>,
    /// The check; empty for a direct message.
    pub check: Check,
    /// The severity, ranked.
    pub severity: Severity,
    /// The severity's word as it came.
    pub severity_raw: Untrusted,
    /// The users failing, each once, in the order they came.
    pub users: Vec<Login>,
    /// What the check found, in paragraphs; placeholders may be unfilled.
    pub description: Vec<Untrusted>,
    /// What the source recommends.
    pub recommended_actions: Vec<Untrusted>,
    /// A page about it, not yet validated.
    pub reference_url: Option<Untrusted>,
    /// When the source published it.
    pub published: Option<Timestamp>,
    /// Whether its users get findings. A log record does only where the table of log checks says so.
    pub opens_findings: bool,
    /// What the rules call it.
    pub tags: Vec<String>,
    /// The execution of a flow that it is about.
    pub execution: Option<Untrusted>,
    /// How that ended, where it is the record of its end.
    pub execution_end: Option<EndKind>,
}

/// An event in the store: what lists show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// Its place in the order of arrival.
    pub id: EventId,
    /// What kind of thing it is.
    pub kind: EventKind,
    /// The source that brought it first.
    pub source: SourceName,
    /// The source's own id.
    pub source_event_id: Option<Untrusted>,
    /// The check.
    pub check: Check,
    /// The severity, ranked.
    pub severity: Severity,
    /// The severity's word as it came.
    pub severity_raw: Untrusted,
    /// How many users it names.
    pub user_count: u64,
    /// The first few of them, for a row.
    pub first_users: Vec<Login>,
    /// How often it was delivered.
    pub times: u64,
    /// When the source published it.
    pub published: Option<Timestamp>,
    /// When it first arrived.
    pub received: Timestamp,
    /// How many of its findings are in which state.
    pub findings: super::counts::StateCounts,
    /// What the rules call it.
    pub tags: Vec<String>,
}

impl Event {
    /// When it happened, as far as known: published, else received.
    pub fn at(&self) -> Timestamp {
        self.published.unwrap_or(self.received)
    }

    /// What the rules call it; whom they tell is no name for it.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().map(String::as_str).filter(|tag| !tag.starts_with(NOTIFY))
    }

    /// Whom the rules want told of it: names of `[[notify]]`.
    pub fn told(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().filter_map(|tag| tag.strip_prefix(NOTIFY))
    }

    /// The type of a record in its source's own words: `FLOW_START`.
    pub fn record_type(&self) -> &str {
        record_type(&self.check)
    }

    /// Whether it came more than an hour after it was published: its row is marked.
    pub fn is_late(&self) -> bool {
        self.received.duration_since(self.at()).as_secs() > 3600
    }
}

fn record_type(check: &Check) -> &str {
    let id = check.id.raw();
    id.strip_prefix(EXECUTION).unwrap_or(id)
}

/// An event whole: the row, its texts and its raw JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct EventDetail {
    /// The row.
    pub event: Event,
    /// What the check found.
    pub description: Vec<Untrusted>,
    /// What the source recommends.
    pub recommended_actions: Vec<Untrusted>,
    /// A page about it, not yet validated.
    pub reference_url: Option<Untrusted>,
    /// The raw JSON with its envelope; `None` once retention has taken it.
    pub raw: Option<String>,
}

impl EventDetail {
    /// The raw ISPM record, where the event is one. Members of an ISPM record decide which account a flow
    /// acts on, so only what came through an ISPM source is read as one: whoever may post something else
    /// could otherwise add them and have another person's account acted on.
    pub fn ispm_record(&self) -> Option<&str> {
        self.raw.as_deref().filter(|_| self.event.kind == EventKind::Issue)
    }
}

/// The stable JSON form of an event (design, section 5).
pub fn to_json(event: &Event, users: &[Login]) -> serde_json::Map<String, Value> {
    let value = serde_json::json!({
        "id": event.id,
        "source": event.source,
        "source_event_id": event.source_event_id,
        "kind": event.kind,
        "check_id": event.check.id,
        "check_kind": event.check.kind(),
        "title": event.check.title,
        "severity": event.severity,
        "severity_raw": event.severity_raw,
        "users": users,
        "times": event.times,
        "tags": event.tags,
        "published": event.published.map(time::rfc3339),
        "received": time::rfc3339(event.received),
    });
    match value {
        Value::Object(map) => map,
        _ => serde_json::Map::new(),
    }
}

impl DecodedEvent {
    /// An empty event of a kind, for decoders to fill.
    pub fn new(key: EventKey, kind: EventKind) -> DecodedEvent {
        DecodedEvent {
            key,
            kind,
            source_event_id: None,
            check: Check { id: CheckId::default(), title: Untrusted::default() },
            severity: Severity::Unknown,
            severity_raw: Untrusted::default(),
            users: Vec::new(),
            description: Vec::new(),
            recommended_actions: Vec::new(),
            reference_url: None,
            published: None,
            opens_findings: kind.opens_findings(),
            tags: Vec::new(),
            execution: None,
            execution_end: None,
        }
    }

    /// The type of a record in its source's own words.
    pub fn record_type(&self) -> &str {
        record_type(&self.check)
    }

    /// When it happened, as far as known: published, else received.
    pub fn at(&self, received: Timestamp) -> Timestamp {
        self.published.unwrap_or(received)
    }

    /// Whether it is a record that nobody has to look at: it is listed where records are asked for, and
    /// not in the feed. One that a table or a rule gave a severity or a tag is looked at, though it may be
    /// about nobody: a password spray has no user.
    pub fn is_quiet(&self) -> bool {
        matches!(self.kind, EventKind::Log | EventKind::Execution)
            && !self.opens_findings
            && self.severity == Severity::Unknown
            && self.tags.is_empty()
    }
}
