//! Bulk runs: who waits, who was acted on, and who drives.

use super::journal;
use super::rows::{self, sized, to_json};
use crate::domain::bulk::{BulkCounts, BulkEnd, BulkId, BulkRun, BulkState, BulkUser};
use crate::domain::journal::RecordKind;
use crate::domain::{Actor, Evidence, FindingId, FlowId, Login, Outcome, Risk, digest};
use crate::store::{Held, Lease, Page, Users};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result};

/// A user's outcome as their action stands by now: a receipt or a look may have come later.
const OUTCOME: &str = "CASE WHEN u.outcome IS NULL OR a.outcome IS NULL OR a.outcome = 'pending' \
     THEN u.outcome ELSE a.outcome END";
const USERS: &str = "FROM bulk_users u LEFT JOIN actions a ON a.id = u.action WHERE u.bulk = (SELECT seq FROM bulks WHERE id = ?1)";

/// Keeps a run, its users and its record.
pub(super) fn queue(db: &Connection, run: &BulkRun, users: &[BulkUser]) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO bulks (id, flow, verb, risk, inputs, reason, is_insisted, actor, at, state) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(rusqlite::params![
        run.id.to_string(),
        run.flow.0,
        run.verb,
        run.risk.word(),
        to_json(&run.inputs)?,
        run.reason,
        run.is_insisted,
        to_json(&run.actor)?,
        run.at.as_microsecond(),
        BulkState::Running.word(),
    ])?;
    let seq = db.last_insert_rowid();
    let mut insert = db.prepare_cached(
        "INSERT INTO bulk_users (bulk, position, shown, target, finding) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for user in users {
        let finding = user.finding.map(|finding| finding.0);
        insert.execute((seq, user.position, user.login.raw(), &user.target_id, finding))?;
    }
    // Each user's own intent names them; the digest says that nobody was put in or taken out meanwhile.
    let logins = digest::of_parts(users.iter().map(|user| user.login.raw().as_bytes()));
    let content = serde_json::json!({
        "bulk": run.id, "flow": run.flow, "verb": run.verb, "risk": run.risk, "users": users.len(),
        "logins_sha256": logins, "reason": run.reason, "insisted": run.is_insisted, "actor": run.actor,
        "state": BulkState::Running,
    });
    journal::append(db, run.at, RecordKind::Bulk, &content)
}

/// Takes or keeps the wheel, where nobody else has it.
pub(super) fn hold(db: &Connection, id: BulkId, lease: &Lease, now: Timestamp) -> Result<Held> {
    let standing = |row: &rusqlite::Row<'_>| {
        let owner: Option<String> = row.get("owner")?;
        Ok((state(row)?, owner, rows::instant_option(row, "lease_until")?))
    };
    let found = db
        .prepare_cached("SELECT state, owner, lease_until FROM bulks WHERE id = ?1")?
        .query_row([id.to_string()], standing)
        .optional()?;
    let Some((state, owner, until)) = found else { return Ok(Held::Missing) };
    if state != BulkState::Running {
        return Ok(Held::Not(state));
    }
    if let Some(other) =
        owner.filter(|owner| *owner != lease.owner && until.is_some_and(|until| until >= now))
    {
        return Ok(Held::Others(other));
    }
    db.prepare_cached("UPDATE bulks SET owner = ?2, lease_until = ?3 WHERE id = ?1")?.execute((
        id.to_string(),
        &lease.owner,
        lease.until.as_microsecond(),
    ))?;
    Ok(Held::Ours)
}

/// Where a run stands from now on; one that is over stays over.
pub(super) fn turn(
    db: &Connection,
    id: BulkId,
    (to, why): (BulkState, Option<&str>),
    actor: &Actor,
    at: Timestamp,
) -> Result<bool> {
    let found: Option<(String, BulkState)> = db
        .prepare_cached("SELECT flow, state FROM bulks WHERE id = ?1")?
        .query_row([id.to_string()], |row| Ok((row.get("flow")?, state(row)?)))
        .optional()?;
    let Some((flow, from)) = found else { return Ok(false) };
    // Whoever drives one that is running keeps the wheel.
    if from.is_over() || from == to {
        return Ok(from == to);
    }
    db.prepare_cached(
        "UPDATE bulks SET state = ?2, why = ?3, owner = NULL, lease_until = NULL WHERE id = ?1",
    )?
    .execute((id.to_string(), to.word(), why))?;
    let counts = counts(db, id)?.words();
    let content = serde_json::json!({
        "bulk": id, "flow": flow, "state": to, "why": why, "counts": counts, "actor": actor,
    });
    journal::append(db, at, RecordKind::Bulk, &content)?;
    Ok(true)
}

/// Keeps how it ended for one user.
pub(super) fn user_ended(db: &Connection, id: BulkId, position: u32, end: &BulkEnd) -> Result<()> {
    db.prepare_cached(
        "UPDATE bulk_users SET outcome = ?3, evidence = ?4, status = ?5, why = ?6, action = ?7, at = ?8 \
         WHERE bulk = (SELECT seq FROM bulks WHERE id = ?1) AND position = ?2",
    )?
    .execute(rusqlite::params![
        id.to_string(),
        position,
        end.outcome.word(),
        end.evidence.map(|evidence| evidence.word()),
        end.status,
        end.why,
        end.action.map(|action| action.to_string()),
        end.at.as_microsecond(),
    ])?;
    Ok(())
}

/// One run with its counts.
pub(super) fn by_id(db: &Connection, id: BulkId) -> Result<Option<BulkRun>> {
    let run = db
        .prepare_cached("SELECT * FROM bulks WHERE id = ?1")?
        .query_row([id.to_string()], bulk_run)
        .optional()?;
    run.map(|run| counted(db, run)).transpose()
}

/// Runs, newest first, below the one given.
pub(super) fn page(db: &Connection, before: Option<BulkId>, limit: usize) -> Result<Page<BulkRun>> {
    let sql = "SELECT * FROM bulks WHERE seq < coalesce((SELECT seq FROM bulks WHERE id = ?1), 9223372036854775807) \
               ORDER BY seq DESC LIMIT ?2";
    let before = before.map(|id| id.to_string());
    let found = db
        .prepare_cached(sql)?
        .query_map((before, sized(limit.saturating_add(1))), bulk_run)?
        .collect::<Result<Vec<_>>>()?;
    let has_more = found.len() > limit;
    let shown = found.into_iter().take(limit).map(|run| counted(db, run));
    let rows = shown.collect::<Result<Vec<_>>>()?;
    let next = rows.last().filter(|_| has_more).map(|run| run.id);
    Ok(Page { rows, next })
}

fn counted(db: &Connection, run: BulkRun) -> Result<BulkRun> {
    Ok(BulkRun { counts: counts(db, run.id)?, ..run })
}

fn counts(db: &Connection, id: BulkId) -> Result<BulkCounts> {
    let sql = format!("SELECT {OUTCOME} AS outcome, count(*) AS n {USERS} GROUP BY 1");
    let mut statement = db.prepare_cached(&sql)?;
    let counted = statement.query_map([id.to_string()], |row| {
        Ok((rows::word_option(row, "outcome", Outcome::parse)?, rows::count(row, "n")?))
    })?;
    let mut counts = BulkCounts::default();
    for found in counted {
        let (outcome, n) = found?;
        counts.add(outcome, usize::try_from(n).unwrap_or(usize::MAX));
    }
    Ok(counts)
}

/// Users of a run, in their order.
pub(super) fn users(
    db: &Connection,
    id: BulkId,
    which: Users,
    from: u32,
    limit: usize,
) -> Result<Vec<BulkUser>> {
    let condition = match which {
        Users::All => "TRUE",
        Users::Queued => "u.outcome IS NULL",
        Users::Exceptions => "u.outcome NOT IN ('changed', 'accepted', 'no-change')",
    };
    let sql = format!(
        "SELECT u.position, u.shown, u.target, u.finding, {OUTCOME} AS outcome, \
         coalesce(a.evidence, u.evidence) AS evidence, u.status, u.why, u.action, u.at {USERS} \
         AND u.position >= ?2 AND {condition} ORDER BY u.position LIMIT ?3"
    );
    db.prepare_cached(&sql)?.query_map((id.to_string(), from, sized(limit)), user)?.collect()
}

/// The kinds of ends that there were.
pub(super) fn kinds(db: &Connection, id: BulkId) -> Result<Vec<(Outcome, Option<u16>)>> {
    let sql = format!("SELECT DISTINCT u.outcome, u.status {USERS} AND u.outcome IS NOT NULL");
    let kind =
        |row: &rusqlite::Row<'_>| Ok((rows::word(row, "outcome", Outcome::parse)?, row.get("status")?));
    db.prepare_cached(&sql)?.query_map([id.to_string()], kind)?.collect()
}

fn state(row: &rusqlite::Row<'_>) -> Result<BulkState> {
    rows::word(row, "state", BulkState::parse)
}

fn bulk_run(row: &rusqlite::Row<'_>) -> Result<BulkRun> {
    Ok(BulkRun {
        id: rows::word(row, "id", |text| text.parse().ok())?,
        flow: FlowId(row.get("flow")?),
        verb: row.get("verb")?,
        risk: rows::word(row, "risk", Risk::parse)?,
        inputs: rows::json(row, "inputs")?,
        reason: row.get("reason")?,
        is_insisted: row.get("is_insisted")?,
        actor: rows::json(row, "actor")?,
        at: rows::instant(row, "at")?,
        state: state(row)?,
        why: row.get("why")?,
        held_until: rows::instant_option(row, "lease_until")?,
        counts: BulkCounts::default(),
    })
}

fn user(row: &rusqlite::Row<'_>) -> Result<BulkUser> {
    let outcome = rows::word_option(row, "outcome", Outcome::parse)?;
    let at = rows::instant_option(row, "at")?;
    let end = match (outcome, at) {
        (Some(outcome), Some(at)) => Some(BulkEnd {
            outcome,
            evidence: rows::word_option(row, "evidence", Evidence::parse)?,
            status: row.get("status")?,
            why: row.get("why")?,
            action: rows::word_option(row, "action", |text| text.parse().ok())?,
            at,
        }),
        _ => None,
    };
    Ok(BulkUser {
        position: row.get("position")?,
        login: Login::new(row.get_ref("shown")?.as_str()?),
        target_id: row.get("target")?,
        finding: row.get::<_, Option<i64>>("finding")?.map(FindingId),
        end,
    })
}
