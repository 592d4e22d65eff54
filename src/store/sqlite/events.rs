//! Events: written once by expansion, read whole or user by user.

use super::rows::{self, event_detail, sized, to_json};
use super::{actions, tally};
use crate::domain::action::{EndKind, ExecutionEnd};
use crate::domain::event::EventDetail;
use crate::domain::{Check, DecodedEvent, Event, EventId, Login};
use crate::store::{EventUser, InboxItem};
use rusqlite::{Connection, OptionalExtension, Result};

/// How many users a row of a list names.
const FIRST_USERS: usize = 5;

/// The event of a key, if it came before.
pub(super) fn of_key(db: &Connection, key: &str) -> Result<Option<i64>> {
    db.prepare_cached("SELECT id FROM events WHERE key = ?1")?.query_row([key], |row| row.get(0)).optional()
}

/// Whether retention took the row of an event of this key.
pub(super) fn is_digest(db: &Connection, key: &str) -> Result<bool> {
    db.prepare_cached("SELECT 1 FROM digests WHERE key = ?1")?.exists([key])
}

/// The events about some executions, oldest first.
pub(super) fn of_executions(db: &Connection, ids: &[String]) -> Result<Vec<(String, Event)>> {
    let mut found = Vec::new();
    let mut events =
        db.prepare_cached("SELECT event FROM executions WHERE execution = ?1 ORDER BY event LIMIT 100")?;
    for execution in ids {
        let events: Vec<i64> = events.query_map([execution], |row| row.get(0))?.collect::<Result<_>>()?;
        for event in events {
            found.extend(rows::event_by_id(db, event)?.map(|event| (execution.clone(), event)));
        }
    }
    Ok(found)
}

/// Counts one more delivery of an event.
pub(super) fn came_again(db: &Connection, event: i64, item: &InboxItem) -> Result<()> {
    db.prepare_cached("UPDATE events SET times = times + 1 WHERE id = ?1")?.execute([event])?;
    tally::event_seen(db, item)
}

/// Writes a new event, without its users.
pub(super) fn insert(db: &Connection, item: &InboxItem, event: &DecodedEvent) -> Result<i64> {
    let source = source_ref(db, &item.source.0)?;
    let check = check_ref(db, &event.check)?;
    let first: Vec<&Login> = event.users.iter().take(FIRST_USERS).collect();
    db.prepare_cached(
        "INSERT INTO events (kind, severity, source_ref, check_ref, published, received, user_count, \
         first_users, source_event_id, severity_raw, key, tags, quiet) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute((
        event.kind.word(),
        event.severity.rank(),
        source,
        check,
        event.published.map(jiff::Timestamp::as_microsecond),
        item.received.as_microsecond(),
        sized(event.users.len()),
        to_json(&first)?,
        event.source_event_id.as_ref().map(|id| id.raw()),
        event.severity_raw.raw(),
        event.key.as_str(),
        to_json(&event.tags)?,
        event.is_quiet(),
    ))?;
    let id = db.last_insert_rowid();
    insert_texts(db, id, item, event)?;
    insert_tags(db, id, event)?;
    if let Some(execution) = &event.execution {
        db.prepare_cached("INSERT INTO executions (event, execution, ended) VALUES (?1, ?2, ?3)")?
            .execute((id, execution.raw(), event.execution_end.map(EndKind::word)))?;
        if let Some(how) = event.execution_end {
            let end =
                ExecutionEnd { how, event_type: event.record_type().into(), at: event.at(item.received) };
            actions::execution_ended(db, execution.raw(), &end, item.received)?;
        }
    }
    tally::event_arrived(db, item, event)?;
    Ok(id)
}

fn insert_texts(db: &Connection, id: i64, item: &InboxItem, event: &DecodedEvent) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO event_texts (event, description, recommended_actions, reference_url, raw) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((
        id,
        to_json(&event.description)?,
        to_json(&event.recommended_actions)?,
        event.reference_url.as_ref().map(|url| url.raw()),
        &*item.raw,
    ))?;
    Ok(())
}

fn insert_tags(db: &Connection, id: i64, event: &DecodedEvent) -> Result<()> {
    for tag in &event.tags {
        db.prepare_cached("INSERT OR IGNORE INTO tags (name, folded) VALUES (?1, ?2)")?
            .execute((tag, tag.to_lowercase()))?;
        db.prepare_cached(
            "INSERT OR IGNORE INTO event_tags (tag, severity, event) \
             SELECT id, ?2, ?3 FROM tags WHERE name = ?1",
        )?
        .execute((tag, event.severity.rank(), id))?;
    }
    Ok(())
}

fn source_ref(db: &Connection, name: &str) -> Result<i64> {
    let known = db
        .prepare_cached("SELECT id FROM sources WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    db.prepare_cached("INSERT INTO sources (name, folded) VALUES (?1, ?2)")?
        .execute((name, name.to_lowercase()))?;
    Ok(db.last_insert_rowid())
}

/// The number of a check with this title; one is given if it is new.
pub(super) fn check_ref(db: &Connection, check: &Check) -> Result<i64> {
    let (id, title) = (check.id.raw(), check.title.raw());
    let known = db
        .prepare_cached("SELECT id FROM checks WHERE check_id = ?1 AND title = ?2")?
        .query_row((id, title), |row| row.get(0))
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    db.prepare_cached(
        "INSERT INTO checks (check_id, title, id_folded, title_folded) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute((id, title, id.to_lowercase(), title.to_lowercase()))?;
    Ok(db.last_insert_rowid())
}

/// The number of a login, and whether it was given just now.
pub(super) fn login_ref(db: &Connection, login: &Login) -> Result<(i64, bool)> {
    let known = db
        .prepare_cached("SELECT id FROM logins WHERE folded = ?1")?
        .query_row([login.folded()], |row| row.get(0))
        .optional()?;
    if let Some(known) = known {
        return Ok((known, false));
    }
    db.prepare_cached("INSERT INTO logins (folded) VALUES (?1)")?.execute([login.folded()])?;
    Ok((db.last_insert_rowid(), true))
}

/// One user of an event, at its place.
#[derive(Debug)]
pub(super) struct Named<'a> {
    pub(super) event: i64,
    pub(super) position: usize,
    pub(super) severity: u8,
    pub(super) login: i64,
    pub(super) shown: &'a Login,
    pub(super) finding: Option<i64>,
}

/// Writes a user of an event, and its line in the index of users.
pub(super) fn insert_user(db: &Connection, named: &Named<'_>) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO event_users (event, position, login, finding, shown) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((named.event, sized(named.position), named.login, named.finding, named.shown.raw()))?;
    // A decoder may let a login through twice, spelled in two ways.
    db.prepare_cached("INSERT OR IGNORE INTO event_logins (login, severity, event) VALUES (?1, ?2, ?3)")?
        .execute((named.login, named.severity, named.event))?;
    Ok(())
}

/// An event whole.
pub(super) fn detail(db: &Connection, id: EventId) -> Result<Option<EventDetail>> {
    let Some(event) = rows::event_by_id(db, id.0)? else { return Ok(None) };
    db.prepare_cached("SELECT * FROM event_texts WHERE event = ?1")?
        .query_row([id.0], |row| event_detail(event, row))
        .optional()
}

/// The user at a place of an event's own order, with the finding.
pub(super) fn user(db: &Connection, id: EventId, position: usize) -> Result<Option<EventUser>> {
    let named: Option<(Login, Option<i64>)> = db
        .prepare_cached("SELECT shown, finding FROM event_users WHERE event = ?1 AND position = ?2")?
        .query_row((id.0, sized(position)), |row| Ok((Login::new(row.get_ref(0)?.as_str()?), row.get(1)?)))
        .optional()?;
    let Some((login, finding)) = named else { return Ok(None) };
    let finding = finding.map(|finding| rows::finding_by_id(db, finding)).transpose()?.flatten();
    Ok(Some(EventUser { position, login, finding }))
}
