//! Where events, findings, actions and the journal are kept.
//!
//! [`Store`] has whole operations: what has to hold together is one call, and no transaction, row or
//! SQL type crosses it. What is acknowledged to a source is what [`Store::append`] has committed: the
//! raw element in the *inbox*. Right behind it the store's own writer expands the inbox into events
//! and findings, in short slices, with the [`Decode`] it was opened with; expansion is idempotent and
//! goes on after a crash.
//!
//! [`open()`] is the front door; [`sqlite`] is the only store yet. A PostgreSQL store for teams is the
//! same trait, and the same conformance story holds it.

mod bulk;
pub mod chain;
pub mod files;
mod open;
pub mod receiver;
pub mod sqlite;

use crate::domain::action::{AnalystWord, Settlement};
use crate::domain::bulk::BulkId;
use crate::domain::event::{DecodedEvent, EventDetail, SourceName};
use crate::domain::finding::{ChangeRefused, HistoryEntry};
use crate::domain::journal::query::JournalQuery;
use crate::domain::journal::{Head, Record};
pub use crate::domain::page::{
    Counted, Dropped, EventUser, From, Page, Pruned, Sequence, StoreHealth, StoreStatus,
};
pub use crate::domain::query::UserQuery;
use crate::domain::{
    Action, ActionId, Actor, Change, Event, EventId, Finding, FindingId, FlowId, Login, Outcome, Query,
    SourcesReport,
};
use async_trait::async_trait;
#[cfg(test)]
pub(crate) use bulk::no_bulk_runs;
pub use bulk::{BulkStore, Held, Kept, Users};
use jiff::Timestamp;
pub use open::{Access, Expansion, OpenOptions, open, sqlite_path};
use std::fmt;
use std::sync::Arc;
use tokio::sync::{OwnedRwLockWriteGuard, watch};

/// One element as it arrived, not yet understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxItem {
    /// The configured source's name.
    pub source: SourceName,
    /// The source's type, which chooses the decoder: `cii-webhook`.
    pub source_type: String,
    /// When it arrived, by our clock.
    pub received: Timestamp,
    /// The raw JSON, whole.
    pub raw: Arc<str>,
}

/// Turns an inbox item into an event. Pure and total: what is not understood becomes an event of kind
/// `other`, since what was acknowledged is never lost.
pub trait Decode: Send + Sync + fmt::Debug {
    /// The event of an item, or why it is left out.
    fn decode(&self, item: &InboxItem) -> Decoded;

    /// The event of an item that was taken in before and is not expanded to its last user: whether it is
    /// left out was decided then.
    fn decode_begun(&self, item: &InboxItem) -> DecodedEvent;
}

/// What an inbox item is.
#[derive(Debug, Clone, PartialEq)]
pub enum Decoded {
    /// An event.
    Event(Box<DecodedEvent>),
    /// Left out, and counted under this name: a rule or a source's filter said so.
    Dropped(String),
}

/// How far something has read: a source that is asked, or a consumer of the feed. What the value means
/// is its own business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Whose: `source:okta-system-log`.
    pub name: String,
    /// How far.
    pub value: String,
}

/// What became of imported elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// Events that were not there before.
    pub new: u64,
    /// Deliveries of events that were.
    pub repeated: u64,
    /// Left out by rules and filters.
    pub dropped: u64,
    /// Put aside: they could not be expanded.
    pub set_aside: u64,
}

/// Which findings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FindingFilter {
    /// Of this login.
    pub login: Option<Login>,
    /// That also match this.
    pub query: Query,
}

/// Which actions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActionFilter {
    /// On this login.
    pub login: Option<Login>,
    /// Of this flow.
    pub flow: Option<FlowId>,
    /// On the account of this id.
    pub target: Option<String>,
    /// Not older than this.
    pub since: Option<Timestamp>,
    /// Only those whose request left, or may have, or may yet: the ones that the next run has to know of.
    pub may_have_left: bool,
    /// Only those that ended nobody knows how, and those that may prove how one of them did.
    pub tells_unknown: bool,
}

/// Who holds an action while it is in flight. When the lease runs out, its outcome is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Host, pid and process start, as text: tells two processes apart.
    pub owner: String,
    /// Until when it holds without renewal.
    pub until: Timestamp,
}

/// Whether a setting that was seen was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// It was.
    Done,
    /// It was not: it is another by now.
    Meanwhile,
}

/// Whether an action may follow one whose outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// The analyst did not insist.
    No,
    /// The analyst insists.
    Insist,
}

/// What an intent was decided on. Whatever came since was not decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    /// The flows that do the same as the action's own, that one among them.
    pub same: Vec<FlowId>,
    /// The ended actions of these flows on the same subject that were looked at, the newest of each at least.
    pub seen: Vec<ActionId>,
    /// Whether an unknown one among them is insisted on.
    pub again: Again,
}

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be used as it is.
    #[error("store `{path}` cannot be opened: {why}\nhint: {hint}")]
    Open {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
        /// What mends it.
        hint: String,
    },
    /// Secrets do not stand in URLs: they end up in process lists and logs. The URL is not repeated.
    #[error(
        "a store URL must not hold a password\nhint: name the store without it, `sqlite:/path/to/file.db`"
    )]
    UrlWithPassword,
    /// The URL is not one of a store.
    #[error("`{0}` is not a store URL\nhint: `sqlite:/path/to/file.db`")]
    Url(String),
    /// It cannot take writes now: the source is answered 503.
    #[error("the store cannot be written: {0}")]
    NotWritable(String),
    /// It cannot be read.
    #[error("the store cannot be read: {0}")]
    Read(String),
    /// The action has ended, or its lease ran out: whoever held it may act no more.
    #[error("action `{0}` is not pending any more")]
    NotPending(ActionId),
    /// It has been closed.
    #[error("the store is closed")]
    Closed,
}

/// Why a triage change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is no such finding.
    #[error("there is no finding `{0}`\nhint: `idtriage findings list` shows the ids")]
    NoSuchFinding(FindingId),
    /// Somebody else changed it meanwhile.
    #[error(
        "finding `{id}` was changed meanwhile (version {found}, you saw {seen})\nhint: look at it again, then decide"
    )]
    Stale {
        /// Which.
        id: FindingId,
        /// The version now.
        found: u64,
        /// The version that was seen.
        seen: u64,
    },
    /// The state machine does not allow it.
    #[error(transparent)]
    Refused(#[from] ChangeRefused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an intent was not taken.
#[derive(Debug, thiserror::Error)]
pub enum IntendError {
    /// The same is being done to the same subject.
    #[error(
        "action `{0}`, which does the same to the same user, is still pending\nhint: wait for it, or look at it in the journal"
    )]
    AlreadyOpen(ActionId),
    /// The last one's outcome is unknown, and nobody insisted.
    #[error(
        "action `{0}`, which does the same to the same user, has an unknown outcome\nhint: check the target, then insist with `--again`"
    )]
    UnknownBefore(ActionId),
    /// Another one came since the decision.
    #[error(
        "action `{0}`, which does the same to the same user, came meanwhile\nhint: look at it, then decide again"
    )]
    Meanwhile(ActionId),
    /// It is of a bulk run that whoever asks does not drive any more.
    #[error(
        "run on many `{0}` is not driven from here any more\nhint: `idtriage bulk show {0}` says how it stands"
    )]
    NotDriven(BulkId),
    /// The journal has an intent of this very action, and the store has no such action: it may have been sent.
    #[error(
        "the journal has an intent of action `{0}` that the store does not: it may have been sent before\nhint: `idtriage journal list action:{0}` shows it; check the target, then plan it anew"
    )]
    OnlyJournalled(ActionId),
    /// The store failed: nothing may be sent.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why nobody's word was kept.
#[derive(Debug, thiserror::Error)]
pub enum WordError {
    /// It stands otherwise than when that was decided.
    #[error(
        "how action `{0}` ended was found out or said meanwhile\nhint: `idtriage journal list action:{0}` shows it"
    )]
    Meanwhile(ActionId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes nothing while it is held.
#[derive(Debug, Default)]
pub struct Still(#[expect(dead_code, reason = "held, not read")] Option<OwnedRwLockWriteGuard<()>>);

impl Still {
    /// Holds the gate that each write passes.
    pub fn holding(gate: OwnedRwLockWriteGuard<()>) -> Still {
        Still(Some(gate))
    }
}

/// Where things are kept.
#[async_trait]
pub trait Store: BulkStore + Send + Sync + fmt::Debug {
    /// Commits elements to the inbox, durably and together. When this returns, they are never lost.
    async fn append(&self, items: Vec<InboxItem>) -> Result<(), StoreError>;

    /// As [`Store::append`], and how far the source has read with it, in one commit: a crash loses no
    /// element and reads none for nothing.
    async fn advance(&self, items: Vec<InboxItem>, cursor: &Cursor) -> Result<(), StoreError>;

    /// How far somebody has read; `None` if never.
    async fn cursor(&self, name: &str) -> Result<Option<String>, StoreError>;

    /// Takes elements in and expands them at once, and says what became of them. Of one with very many users only
    /// the first slice is there when it returns; the rest follows, as [`Store::drained`] tells.
    async fn import(&self, items: Vec<InboxItem>) -> Result<Imported, StoreError>;

    /// Keeps what whoever receives says of its sources, in place of what was said before.
    async fn report(&self, report: &SourcesReport) -> Result<(), StoreError>;

    /// What was last said of the sources.
    async fn reported(&self) -> Result<Option<SourcesReport>, StoreError>;

    /// What rules and filters left out, by reason.
    async fn dropped(&self) -> Result<Vec<Dropped>, StoreError>;

    /// The events about executions of flows, oldest first, each with the execution's id.
    async fn executions(&self, ids: &[String]) -> Result<Vec<(String, Event)>, StoreError>;

    /// A setting that lives in the store, so that every process sees it at once.
    async fn setting(&self, name: &str) -> Result<Option<String>, StoreError>;

    /// Sets it; journalled, with who did it.
    async fn set_setting(
        &self,
        name: &str,
        value: &str,
        actor: &Actor,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Sets it only where it still is what was seen (`None`: not set at all), in one commit, so that two who
    /// read, change and write lose nothing of each other's; journalled like [`Store::set_setting`].
    async fn replace_setting(
        &self,
        name: &str,
        seen: Option<&str>,
        value: &str,
        actor: &Actor,
        at: Timestamp,
    ) -> Result<Replaced, StoreError>;

    /// What it holds and how large it is, part by part.
    async fn status(&self) -> Result<StoreStatus, StoreError>;

    /// Takes records without a finding, and the raw text and descriptions of other events, that arrived
    /// before a time; at most `most` events, in one short commit. Findings, actions, the journal, what was
    /// set aside and the digests stay.
    async fn prune(&self, before: Timestamp, most: usize) -> Result<Pruned, StoreError>;

    /// What [`Store::prune`] would take of what arrived before a time, all of it.
    async fn prunable(&self, before: Timestamp) -> Result<Pruned, StoreError>;

    /// Waits until everything appended before the call is expanded.
    async fn drained(&self) -> Result<(), StoreError>;

    /// The last sequence, coalesced: also for other processes' commits.
    fn watch(&self) -> watch::Receiver<Sequence>;

    /// A page of events in order of arrival.
    async fn events(
        &self,
        query: &Query,
        from: From<EventId>,
        limit: usize,
    ) -> Result<Page<Event>, StoreError>;

    /// How many events above `above` match, capped.
    async fn count_events(&self, query: &Query, above: Option<EventId>) -> Result<Counted, StoreError>;

    /// One event whole.
    async fn event(&self, id: EventId) -> Result<Option<EventDetail>, StoreError>;

    /// A page of an event's users in its own order, by the key of which they are a part.
    async fn event_users(
        &self,
        id: EventId,
        query: &UserQuery,
        from: From<usize>,
        limit: usize,
    ) -> Result<Page<EventUser>, StoreError>;

    /// A page of findings, the latest opened first.
    async fn findings(
        &self,
        filter: &FindingFilter,
        from: From<FindingId>,
        limit: usize,
    ) -> Result<Page<Finding>, StoreError>;

    /// The logins that stand next to one in their order, known or not, at most `of_a_side` of either
    /// side: those that begin most alike are among them.
    async fn logins_beside(&self, login: &Login, of_a_side: usize) -> Result<Vec<Login>, StoreError>;

    /// One finding.
    async fn finding(&self, id: FindingId) -> Result<Option<Finding>, StoreError>;

    /// A finding's notes and changes, oldest first.
    async fn history(&self, id: FindingId) -> Result<Vec<HistoryEntry>, StoreError>;

    /// Makes a triage change and journals it, in one commit. `seen` is the version that the analyst saw;
    /// `None` takes whatever is there.
    async fn change(
        &self,
        id: FindingId,
        seen: Option<u64>,
        change: &Change,
        actor: &Actor,
        at: Timestamp,
    ) -> Result<Finding, ChangeError>;

    /// Commits an intent and its journal record, before a byte leaves. Checks in the same transaction
    /// that no action of a flow that does the same is open on the same subject, and that none came which the decision
    /// does not know of.
    async fn intend(&self, action: &Action, lease: &Lease, basis: &Basis) -> Result<(), IntendError>;

    /// Extends the lease of an action in flight; [`StoreError::NotPending`] where it is none any more.
    async fn renew(&self, id: ActionId, lease: &Lease) -> Result<(), StoreError>;

    /// Records that a first byte may leave now (evidence `sent`), and extends the lease; [`StoreError::NotPending`]
    /// where none may any more.
    async fn sending(&self, id: ActionId, lease: &Lease) -> Result<(), StoreError>;

    /// Commits a receipt and its journal record. Later evidence may raise an action again.
    async fn settle(
        &self,
        id: ActionId,
        settlement: &Settlement,
        at: Timestamp,
    ) -> Result<Action, StoreError>;

    /// Commits an analyst's word on how an action ended, in the place of the one that was seen, and its journal record.
    /// Outcome and evidence stay as they are.
    async fn give_word(
        &self,
        id: ActionId,
        word: &AnalystWord,
        seen: Option<&AnalystWord>,
    ) -> Result<Action, WordError>;

    /// Turns pending actions whose lease ran out into `unknown`, or into `not-sent` where no byte can have left, each
    /// journalled; answers which became what.
    async fn expire_leases(&self, now: Timestamp) -> Result<Vec<(ActionId, Outcome)>, StoreError>;

    /// Takes the later looks at targets that are due, at most so many: each is answered to one process alone,
    /// and none is left that is overdue.
    async fn take_looks(&self, now: Timestamp, most: usize) -> Result<Vec<ActionId>, StoreError>;

    /// One action.
    async fn action(&self, id: ActionId) -> Result<Option<Action>, StoreError>;

    /// Actions, newest first; `before` is the last id of the page above.
    async fn actions(
        &self,
        filter: &ActionFilter,
        before: Option<ActionId>,
        limit: usize,
    ) -> Result<Page<Action>, StoreError>;

    /// Journal records above `after`, oldest first; damaged ones among them. From 0 on, all there are.
    async fn journal(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError>;

    /// A page of the journal, newest first, of what is asked for. A search that has looked at many records stops for
    /// breath.
    async fn journal_page(
        &self,
        query: &JournalQuery,
        now: Timestamp,
        from: From<i64>,
        limit: usize,
    ) -> Result<Page<Record>, StoreError>;

    /// The first record that is not found by all of its values, or at whose place values are kept that are none of
    /// its; `None` where every record is found by what it says.
    async fn journal_unfound(&self) -> Result<Option<u64>, StoreError>;

    /// The journal's head.
    async fn journal_head(&self) -> Result<Option<Head>, StoreError>;

    /// How it is.
    async fn health(&self) -> Result<StoreHealth, StoreError>;

    /// Waits until nothing is in the middle of a write; none begins until the answer is dropped. For a process that is
    /// about to stop: it must not keep a lock that others wait for.
    async fn still(&self) -> Still;

    /// Stops the writer after what is queued; later calls answer [`StoreError::Closed`].
    async fn close(&self) -> Result<(), StoreError>;
}
