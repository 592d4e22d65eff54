//! Findings: seen again by expansion, changed by analysts, each with its history.

use super::journal;
use super::rows::{self, history_entry, signed};
use super::tally::{self, Tally};
use crate::domain::finding::HistoryEntry;
use crate::domain::journal::RecordKind;
use crate::domain::{Actor, Change, Check, Finding, FindingId, FindingState, Login, Severity};
use crate::store::ChangeError;
use jiff::Timestamp;
use rusqlite::{Connection, Result};

/// The word in a finding's history.
const REOPENED: &str = "reopened";

/// One sighting: an event names a login as failing a check.
#[derive(Debug)]
pub(super) struct Sighting<'a> {
    /// The event.
    pub(super) event: i64,
    /// The login's number and whether it is new: a new login has no findings, so none is looked for.
    pub(super) login: (i64, bool),
    /// The login as it came.
    pub(super) shown: &'a Login,
    /// The check and its number.
    pub(super) check: (&'a Check, i64),
    /// How bad.
    pub(super) severity: Severity,
    /// When it was published, but not after it was received; else when it was received.
    pub(super) at: Timestamp,
    /// When it arrived: when the store learnt of it.
    pub(super) received: Timestamp,
    /// The source, for the history of a re-opened finding.
    pub(super) source: &'a str,
}

/// What a sighting came to.
#[derive(Debug)]
pub(super) struct Seen {
    /// The finding.
    pub(super) id: i64,
    /// Its state, if this event counts it for the first time.
    pub(super) counted: Option<FindingState>,
}

/// Opens the finding of a sighting or counts the event on it, once.
pub(super) fn see(db: &Connection, sighting: &Sighting<'_>, tally: &mut Tally) -> Result<Seen> {
    let known = match sighting.login {
        (_, true) => None,
        (login, false) => rows::finding_of(db, login, sighting.check.0.id.raw())?,
    };
    match known {
        None => open(db, sighting, tally),
        Some(finding) => see_again(db, finding, sighting, tally),
    }
}

fn open(db: &Connection, sighting: &Sighting<'_>, tally: &mut Tally) -> Result<Seen> {
    let at = sighting.at.as_microsecond();
    let state = FindingState::Open;
    db.prepare_cached(
        "INSERT INTO findings (login, severity, check_ref, state, first_seen, last_seen, times, version, \
         shown, check_id) VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1, 1, ?6, ?7)",
    )?
    .execute((
        sighting.login.0,
        sighting.severity.rank(),
        sighting.check.1,
        state.word(),
        at,
        sighting.shown.raw(),
        sighting.check.0.id.raw(),
    ))?;
    let id = db.last_insert_rowid();
    link(db, id, sighting.event)?;
    tally.opened(sighting.severity, state);
    Ok(Seen { id, counted: Some(state) })
}

fn see_again(db: &Connection, before: Finding, sighting: &Sighting<'_>, tally: &mut Tally) -> Result<Seen> {
    let id = before.id.0;
    if is_linked(db, id, sighting.event)? {
        return Ok(Seen { id, counted: None });
    }
    let mut after = before.clone();
    after.see(sighting.at, sighting.severity);
    // The new event is linked after the shift: it counts the new state itself.
    update(db, &before, &after, tally)?;
    if sighting.at >= before.last_seen {
        set_check(db, id, sighting.check.1)?;
    }
    if before.state != after.state {
        reopened_by(db, sighting, &after)?;
    }
    link(db, id, sighting.event)?;
    Ok(Seen { id, counted: Some(after.state) })
}

/// What analysts do is journalled, and so is what undoes it: the last record of a finding is how it stands.
fn reopened_by(db: &Connection, sighting: &Sighting<'_>, after: &Finding) -> Result<()> {
    let why = "an event was published after the closing";
    note(db, after.id.0, sighting.received, sighting.source, REOPENED, why)?;
    let content = serde_json::json!({
        "finding": after.id,
        "login": after.login,
        "check_id": after.check.id,
        "change": { "reopen": { "reason": why } },
        "event": sighting.event.to_string(),
        "source": sighting.source,
        "version": after.version,
    });
    journal::append(db, sighting.received, RecordKind::Triage, &content)
}

/// Writes a finding's new form and moves every kept count that depends on it.
fn update(db: &Connection, before: &Finding, after: &Finding, tally: &mut Tally) -> Result<()> {
    db.prepare_cached(
        "UPDATE findings SET severity = ?2, state = ?3, closed_at = ?4, first_seen = ?5, last_seen = ?6, \
         times = ?7, version = ?8, assignee = ?9, disposition = ?10 WHERE id = ?1",
    )?
    .execute((
        after.id.0,
        after.severity.rank(),
        after.state.word(),
        after.closed_at.map(Timestamp::as_microsecond),
        after.first_seen.as_microsecond(),
        after.last_seen.as_microsecond(),
        signed(after.times),
        signed(after.version),
        after.assignee.as_deref(),
        after.disposition.map(|disposition| disposition.word()),
    ))?;
    tally::shift_events(db, before, after)?;
    tally.moved(before, after);
    Ok(())
}

/// The check with the title that the newest sighting gave it.
fn set_check(db: &Connection, finding: i64, check: i64) -> Result<()> {
    db.prepare_cached("UPDATE findings SET check_ref = ?2 WHERE id = ?1 AND check_ref <> ?2")?
        .execute((finding, check))?;
    Ok(())
}

fn link(db: &Connection, finding: i64, event: i64) -> Result<()> {
    db.prepare_cached("INSERT INTO finding_events (finding, event) VALUES (?1, ?2)")?
        .execute((finding, event))?;
    Ok(())
}

fn is_linked(db: &Connection, finding: i64, event: i64) -> Result<bool> {
    db.prepare_cached("SELECT 1 FROM finding_events WHERE finding = ?1 AND event = ?2")?
        .exists((finding, event))
}

fn note(db: &Connection, id: i64, at: Timestamp, actor: &str, what: &str, text: &str) -> Result<()> {
    db.prepare_cached("INSERT INTO notes (finding, at, actor, what, text) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((id, at.as_microsecond(), actor, what, text))?;
    Ok(())
}

/// A triage change as an analyst asked for it.
#[derive(Debug)]
pub(super) struct Asked {
    /// Of which finding.
    pub(super) id: FindingId,
    /// The version that was seen, if it matters.
    pub(super) seen: Option<u64>,
    /// What.
    pub(super) change: Change,
    /// Who.
    pub(super) actor: Actor,
    /// When.
    pub(super) at: Timestamp,
}

/// Makes a change, its history and its journal record, or says why not.
pub(super) fn change(db: &Connection, asked: &Asked) -> Result<Result<Finding, ChangeError>> {
    let Some(before) = rows::finding_by_id(db, asked.id.0)? else {
        return Ok(Err(ChangeError::NoSuchFinding(asked.id)));
    };
    if let Some(seen) = asked.seen.filter(|seen| *seen != before.version) {
        return Ok(Err(ChangeError::Stale { id: asked.id, found: before.version, seen }));
    }
    let after = match before.apply(&asked.change, &asked.actor, asked.at) {
        Ok(after) => after,
        Err(refused) => return Ok(Err(refused.into())),
    };
    let mut tally = Tally::default();
    update(db, &before, &after, &mut tally)?;
    tally.write(db)?;
    note(db, asked.id.0, asked.at, &asked.actor.signed(), asked.change.past(), text_of(&asked.change))?;
    journal::append(db, asked.at, RecordKind::Triage, &content(asked, &after))?;
    Ok(Ok(after))
}

fn text_of(change: &Change) -> &str {
    match change {
        Change::Note { text } => text,
        Change::Close { reason, .. } | Change::Reopen { reason } => reason,
        Change::Claim | Change::Release => "",
    }
}

fn content(asked: &Asked, after: &Finding) -> serde_json::Value {
    serde_json::json!({
        "finding": asked.id,
        "login": after.login,
        "check_id": after.check.id,
        "change": asked.change,
        "actor": asked.actor,
        "version": after.version,
    })
}

/// A finding's history, oldest first.
pub(super) fn history(db: &Connection, id: FindingId) -> Result<Vec<HistoryEntry>> {
    db.prepare_cached("SELECT * FROM notes WHERE finding = ?1 ORDER BY id")?
        .query_map([id.0], history_entry)?
        .collect()
}
