//! Pages, counts and the state of what is kept, as lists and headers need them.

use super::bulk::{BulkId, BulkRun};
use super::dossier::Problem;
use super::{Action, ActionId, Event, EventId, Finding, FindingId, Login};
use jiff::Timestamp;
use std::fmt;

/// Where a page starts. Lists are newest first; an event's users stand in its own order, and the first
/// of them counts as the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From<K> {
    /// At the newest.
    Newest,
    /// Right below this one.
    Before(K),
    /// The ones right above this one; still returned newest first.
    After(K),
    /// The last ones of the list; still returned newest first.
    Oldest,
}

/// What stands in lists that are read page by page.
pub trait Listed {
    /// What a page is continued by.
    type Key: fmt::Debug + Copy + PartialEq;
}

impl Listed for Event {
    type Key = EventId;
}

impl Listed for Finding {
    type Key = FindingId;
}

impl Listed for Action {
    type Key = ActionId;
}

impl Listed for BulkRun {
    type Key = BulkId;
}

/// An event's users are numbered in its own order.
impl Listed for EventUser {
    type Key = usize;
}

/// A page of a list, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T: Listed> {
    /// The rows. A search that has looked at many rows stops for breath: there may be none and still
    /// more to come.
    pub rows: Vec<T>,
    /// How far the list was looked through: what goes on behind this, in the direction that was asked
    /// for, is the next page. `None` if that was all.
    pub next: Option<T::Key>,
}

impl<T: Listed> Page<T> {
    /// Whether there is more in the direction that was asked for, or may be.
    pub fn has_more(&self) -> bool {
        self.next.is_some()
    }
}

/// How somebody who is told of events by messages is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifierHealth {
    /// Its configured name.
    pub name: String,
    /// When it was last told something.
    pub told: Option<Timestamp>,
    /// Since when it cannot be told, and why.
    pub failing: Option<(Timestamp, String)>,
    /// When it had to begin anew: what arrived before may not have been told.
    pub lost: Option<Timestamp>,
}

impl NotifierHealth {
    /// Since when it is as it is: failing, or told for the last time.
    pub fn since(&self) -> Option<Timestamp> {
        self.failing.as_ref().map(|(since, _)| *since).or(self.told)
    }
}

/// What a rule or a source's filter left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The rule's name, or which filter.
    pub reason: String,
    /// How often.
    pub times: u64,
    /// The first time.
    pub first: Timestamp,
    /// The last time.
    pub last: Timestamp,
}

/// What retention took in one go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Events whose raw text was taken; their rows stay.
    pub raws: u64,
    /// Records without a finding whose rows were taken; their digests stay.
    pub records: u64,
    /// The bytes of raw text among all that.
    pub bytes: u64,
    /// Bytes that the file was shortened by.
    pub given_back: u64,
    /// Whether there may be more.
    pub has_more: bool,
}

/// What a store holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreStatus {
    /// The size of each of its files, in bytes.
    pub files: Vec<(String, u64)>,
    /// Bytes in the store's own file that are used again before it grows.
    pub free: u64,
    /// Whether that file gives much free space back to the disk; one that an older version made does not.
    pub can_shrink: bool,
    /// Events.
    pub events: u64,
    /// Of these, records that opened no finding.
    pub quiet: u64,
    /// Events whose raw text is still there.
    pub raws: u64,
    /// The bytes of those.
    pub raw_bytes: u64,
    /// When the oldest raw text arrived.
    pub oldest_raw: Option<Timestamp>,
    /// Findings.
    pub findings: u64,
    /// Actions.
    pub actions: u64,
    /// Journal records.
    pub records: u64,
    /// Digests of records that retention took.
    pub digests: u64,
    /// Elements that wait to be expanded.
    pub pending: u64,
    /// Elements that could not be.
    pub set_aside: u64,
}

/// How many match, as far as it was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// How many.
    pub total: u64,
    /// How many of them are critical.
    pub critical: u64,
    /// Whether there are more than were counted.
    pub is_capped: bool,
}

/// One user of an event, with the finding that it opened.
#[derive(Debug, Clone, PartialEq)]
pub struct EventUser {
    /// The place in the event's own order, from 0.
    pub position: usize,
    /// Who.
    pub login: Login,
    /// Their finding; `None` for kinds that open none.
    pub finding: Option<Finding>,
}

/// How the store is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StoreHealth {
    /// Events kept.
    pub events: u64,
    /// Of these, records that opened no finding, which the feed leaves out.
    pub quiet: u64,
    /// Findings not closed.
    pub open_findings: u64,
    /// Acknowledged and not yet expanded.
    pub pending: u64,
    /// When the last event arrived.
    pub last_received: Option<Timestamp>,
    /// What an inbox row could not be expanded for, newest first.
    pub problems: Vec<Problem>,
    /// The size of its files, in bytes.
    pub bytes: u64,
}

/// A new arrival, for whoever watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sequence {
    /// The newest event's id.
    pub newest_event: i64,
    /// Goes up with every commit that may change what a screen shows.
    pub change: u64,
}
