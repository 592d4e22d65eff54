//! Row ↔ domain: how instants, numbers, words and JSON stand in columns.

use crate::domain::action::{ShownRequest, StepOf};
use crate::domain::counts::StateCounts;
use crate::domain::event::{EventDetail, SourceName};
use crate::domain::finding::HistoryEntry;
use crate::domain::{
    Action, ActionId, Actor, Check, Disposition, Event, EventId, EventKind, Evidence, Finding, FindingId,
    FindingState, FlowId, Login, Outcome, Receipt, Risk, Severity, Untrusted,
};
use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Result, Row};
use serde::de::DeserializeOwned;

const EVENT: &str = "SELECT e.*, s.name AS source, c.check_id, c.title \
     FROM events e CROSS JOIN sources s ON s.id = e.source_ref CROSS JOIN checks c ON c.id = e.check_ref \
     WHERE e.id = ?1";

const FINDING: &str = "SELECT f.*, c.title FROM findings f CROSS JOIN checks c ON c.id = f.check_ref";

/// An event's row, by id.
pub(super) fn event_by_id(db: &Connection, id: i64) -> Result<Option<Event>> {
    db.prepare_cached(EVENT)?.query_row([id], event).optional()
}

/// A finding, by id.
pub(super) fn finding_by_id(db: &Connection, id: i64) -> Result<Option<Finding>> {
    db.prepare_cached(&format!("{FINDING} WHERE f.id = ?1"))?.query_row([id], finding).optional()
}

/// The finding of a login and a check, by the login's number.
pub(super) fn finding_of(db: &Connection, login: i64, check_id: &str) -> Result<Option<Finding>> {
    db.prepare_cached(&format!("{FINDING} WHERE f.login = ?1 AND f.check_id = ?2"))?
        .query_row((login, check_id), finding)
        .optional()
}

fn event(row: &Row<'_>) -> Result<Event> {
    Ok(Event {
        id: EventId(row.get("id")?),
        kind: word(row, "kind", EventKind::parse)?,
        source: SourceName(row.get("source")?),
        source_event_id: untrusted_option(row, "source_event_id")?,
        check: check(row)?,
        severity: severity(row)?,
        severity_raw: untrusted(row, "severity_raw")?,
        user_count: count(row, "user_count")?,
        first_users: json(row, "first_users")?,
        times: count(row, "times")?,
        published: instant_option(row, "published")?,
        received: instant(row, "received")?,
        findings: StateCounts {
            open: count(row, "open")?,
            claimed: count(row, "claimed")?,
            snoozed: count(row, "snoozed")?,
            closed: count(row, "closed")?,
        },
        tags: json(row, "tags")?,
    })
}

/// An event whole, from its row and its texts.
pub(super) fn event_detail(event: Event, row: &Row<'_>) -> Result<EventDetail> {
    Ok(EventDetail {
        event,
        description: json(row, "description")?,
        recommended_actions: json(row, "recommended_actions")?,
        reference_url: untrusted_option(row, "reference_url")?,
        raw: row.get("raw")?,
    })
}

fn finding(row: &Row<'_>) -> Result<Finding> {
    Ok(Finding {
        id: FindingId(row.get("id")?),
        login: Login::new(row.get_ref("shown")?.as_str()?),
        check: check(row)?,
        severity: severity(row)?,
        state: word(row, "state", FindingState::parse)?,
        assignee: row.get("assignee")?,
        disposition: word_option(row, "disposition", Disposition::parse)?,
        closed_at: instant_option(row, "closed_at")?,
        first_seen: instant(row, "first_seen")?,
        last_seen: instant(row, "last_seen")?,
        times: count(row, "times")?,
        version: count(row, "version")?,
    })
}

/// A remark or a change of a finding.
pub(super) fn history_entry(row: &Row<'_>) -> Result<HistoryEntry> {
    Ok(HistoryEntry {
        at: instant(row, "at")?,
        actor: row.get("actor")?,
        what: row.get("what")?,
        text: untrusted(row, "text")?,
    })
}

/// An action, all columns.
pub(super) fn action(row: &Row<'_>) -> Result<Action> {
    Ok(Action {
        id: word(row, "id", |text| text.parse::<ActionId>().ok())?,
        step: step(row)?,
        is_test: row.get("test")?,
        undoes: word_option(row, "undoes", |text| text.parse::<ActionId>().ok())?,
        undone: json_option(row, "undone")?,
        before: row.get("before")?,
        flow: FlowId(row.get("flow")?),
        verb: row.get("verb")?,
        risk: word(row, "risk", Risk::parse)?,
        login: Login::new(row.get_ref("shown")?.as_str()?),
        target_id: row.get("target")?,
        account_login: row.get::<_, Option<String>>("account_login")?.map(|login| Login::new(&login)),
        finding: row.get::<_, Option<i64>>("finding")?.map(FindingId),
        evidence: word(row, "evidence", Evidence::parse)?,
        outcome: word(row, "outcome", Outcome::parse)?,
        request: json::<ShownRequest>(row, "request")?,
        receipt: json_option::<Receipt>(row, "receipt")?,
        reason: row.get("reason")?,
        actor: json::<Actor>(row, "actor")?,
        at: instant(row, "at")?,
    })
}

fn step(row: &Row<'_>) -> Result<Option<StepOf>> {
    let Some(run) = word_option(row, "run", |text| text.parse::<ActionId>().ok())? else { return Ok(None) };
    word(row, "step", |text| StepOf::parse(run, text)).map(Some)
}

fn check(row: &Row<'_>) -> Result<Check> {
    Ok(Check { id: row.get::<_, String>("check_id")?.into(), title: untrusted(row, "title")? })
}

fn severity(row: &Row<'_>) -> Result<Severity> {
    row.get("severity").map(Severity::from_rank)
}

fn untrusted(row: &Row<'_>, column: &str) -> Result<Untrusted> {
    row.get::<_, String>(column).map(Untrusted::from)
}

fn untrusted_option(row: &Row<'_>, column: &str) -> Result<Option<Untrusted>> {
    Ok(row.get::<_, Option<String>>(column)?.map(Untrusted::from))
}

/// A kept count; none is below zero.
pub(super) fn count(row: &Row<'_>, column: &str) -> Result<u64> {
    row.get::<_, i64>(column).map(unsigned)
}

/// A number of SQLite as one of ours.
pub(super) fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}

/// A number of ours as one of SQLite.
pub(super) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A size of ours as a number of SQLite.
pub(super) fn sized(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A place in an event's own order.
pub(super) fn position(n: i64) -> usize {
    usize::try_from(n).unwrap_or_default()
}

/// An instant.
pub(super) fn instant(row: &Row<'_>, column: &str) -> Result<Timestamp> {
    row.get(column).and_then(of_micros)
}

/// An instant that may be missing.
pub(super) fn instant_option(row: &Row<'_>, column: &str) -> Result<Option<Timestamp>> {
    row.get::<_, Option<i64>>(column)?.map(of_micros).transpose()
}

fn of_micros(micros: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(micros).map_err(|error| conversion(Type::Integer, error.to_string()))
}

/// A value that stands there as a word.
pub(super) fn word<T>(row: &Row<'_>, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    parse(text).ok_or_else(|| conversion(Type::Text, format!("`{text}` is not a {column}")))
}

/// The same where it may be missing.
pub(super) fn word_option<T>(
    row: &Row<'_>,
    column: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>> {
    if row.get_ref(column)?.as_str_or_null()?.is_none() {
        return Ok(None);
    }
    word(row, column, parse).map(Some)
}

/// A value that stands there as JSON.
pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<T> {
    of_json(row.get_ref(column)?.as_str()?)
}

pub(super) fn json_option<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<Option<T>> {
    row.get_ref(column)?.as_str_or_null()?.map(of_json).transpose()
}

fn of_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| conversion(Type::Text, error.to_string()))
}

/// A value as JSON text, for a column.
pub(super) fn to_json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn conversion(kind: Type, why: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, kind, why.into())
}
