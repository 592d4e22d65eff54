//! Bulk runs: who waits, who was acted on, and who drives.

use super::journal;
use super::rows::{self, signed, sized, to_json};
use crate::domain::bulk::{BulkCounts, BulkEnd, BulkId, BulkRun, BulkState, BulkUser, EndKind};
use crate::domain::journal::{Record, RecordKind};
use crate::domain::plan::MadeOf;
use crate::domain::{
    Action, ActionId, Actor, EventId, Evidence, FindingId, FlowId, Login, Outcome, Risk, digest,
};
use crate::store::{Held, Kept, Lease, Page, Users};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result};

/// Keeps a run, its users and its record.
pub(super) fn queue(db: &Connection, run: &BulkRun, users: &[BulkUser]) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO bulks (id, flow, verb, risk, inputs, reason, is_insisted, actor, at, state, seal) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
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
        run.seal.as_ref().map(to_json).transpose()?,
    ])?;
    let seq = db.last_insert_rowid();
    let mut insert = db.prepare_cached(
        "INSERT INTO bulk_users (bulk, position, shown, target, finding, doubts, undoes, outcome, why, at, event, \
         body_sha256, account_login) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    for user in users {
        // Who is left out stands there with the reason.
        let end = user.end.as_ref();
        insert.execute(rusqlite::params![
            seq,
            user.position,
            user.login.raw(),
            &user.target_id,
            user.finding.map(|finding| finding.0),
            to_json(&user.doubts)?,
            user.undoes.map(|action| action.to_string()),
            end.map(|end| end.outcome.word()),
            end.and_then(|end| end.why.as_deref()),
            end.map(|end| end.at.as_microsecond()),
            user.made_of.event.map(|event| event.0),
            &user.made_of.body,
            user.account_login.as_ref().map(Login::raw),
        ])?;
    }
    // Each user's own intent names them; the digest says that nobody was put in or taken out meanwhile.
    let logins = digest::of_parts(users.iter().map(|user| user.login.raw().as_bytes()));
    let content = serde_json::json!({
        "bulk": run.id, "flow": run.flow, "verb": run.verb, "risk": run.risk, "users": users.len(),
        "logins_sha256": logins, "reason": run.reason, "insisted": run.is_insisted, "actor": run.actor,
        "state": BulkState::Running, "confirmed": run.seal,
    });
    journal::append(db, run.at, RecordKind::Bulk, &content)?;
    let record = journal::head(db)?.map(|head| signed(head.seq));
    db.execute("UPDATE bulks SET record = ?2 WHERE seq = ?1", (seq, record))?;
    Ok(())
}

/// What the journal has of a run as it was queued.
pub(super) fn sealed(db: &Connection, id: BulkId) -> Result<Option<Record>> {
    db.prepare_cached("SELECT * FROM journal WHERE seq = (SELECT record FROM bulks WHERE id = ?1)")?
        .query_row([id.to_string()], journal::record)
        .optional()
}

/// The run that an action is of, and whose place in it, if it is of one.
fn place(db: &Connection, action: ActionId) -> Result<Option<(BulkId, i64, u32)>> {
    let (first, last) = BulkId::around(action);
    let runs: Vec<(i64, BulkId)> = db
        .prepare_cached("SELECT seq, id FROM bulks WHERE id BETWEEN ?1 AND ?2")?
        .query_map((first.to_string(), last.to_string()), |row| Ok((row.get("seq")?, id_of(row)?)))?
        .collect::<Result<_>>()?;
    Ok(runs.into_iter().find_map(|(seq, id)| Some((id, seq, id.position(action)?))))
}

/// Marks the user whose action is about to be there. Nobody is begun with but by whoever drives the run, while it
/// runs; who was begun with lands, so that a run of several actions is not cut between two. Answers the run that says
/// no.
pub(super) fn begin(
    db: &Connection,
    action: ActionId,
    owner: &str,
) -> Result<std::result::Result<(), BulkId>> {
    let Some((id, run, position)) = place(db, action)? else { return Ok(Ok(())) };
    let began = db
        .prepare_cached(
            "SELECT began, outcome IS NULL AS waits FROM bulk_users WHERE bulk = ?1 AND position = ?2",
        )?
        .query_row((run, position), |row| Ok((row.get("began")?, row.get("waits")?)))
        .optional()?;
    match began {
        None | Some((true, _)) => return Ok(Ok(())),
        Some((false, true)) if held(db, id, owner)? == Held::Ours => {}
        Some((false, _)) => return Ok(Err(id)),
    }
    db.prepare_cached("UPDATE bulk_users SET began = 1 WHERE bulk = ?1 AND position = ?2")?
        .execute((run, position))?;
    Ok(Ok(()))
}

/// How it ended for a user follows their action: a receipt or a look may come later.
pub(super) fn follow(db: &Connection, action: &Action) -> Result<()> {
    if action.outcome == Outcome::Pending {
        return Ok(());
    }
    if let Some((id, run, position)) = place(db, action.id)? {
        if action.is_withheld() && actions_on(db, id, position)?.iter().all(Action::is_withheld) {
            // Nothing left, by no step and no attempt: they wait as before.
            db.prepare_cached(
                "UPDATE bulk_users SET began = 0 WHERE bulk = ?1 AND position = ?2 AND outcome IS NULL",
            )?
            .execute((run, position))?;
        }
        db.prepare_cached(
            "UPDATE bulk_users SET outcome = ?3, evidence = ?4 \
             WHERE bulk = ?1 AND position = ?2 AND action = ?5 AND outcome IS NOT NULL",
        )?
        .execute((
            run,
            position,
            action.outcome.word(),
            action.evidence.word(),
            action.id.to_string(),
        ))?;
    }
    Ok(())
}

/// By what it is undone for a user stands beside how it ended, as it does on the action itself.
pub(super) fn undone(db: &Connection, action: ActionId) -> Result<()> {
    let Some((id, seq, position)) = place(db, action)? else { return Ok(()) };
    let undone = BulkEnd::undone_by(&actions_on(db, id, position)?).map(to_json).transpose()?;
    db.prepare_cached("UPDATE bulk_users SET undone = ?3 WHERE bulk = ?1 AND position = ?2")?
        .execute((seq, position, undone))
        .map(drop)
}

/// How a run stands for whoever drove it so far.
pub(super) fn held(db: &Connection, id: BulkId, owner: &str) -> Result<Held> {
    let found = db
        .prepare_cached("SELECT state, owner FROM bulks WHERE id = ?1")?
        .query_row([id.to_string()], |row| Ok((state(row)?, row.get::<_, Option<String>>("owner")?)))
        .optional()?;
    Ok(match found {
        None => Held::Missing,
        Some((BulkState::Running, Some(other))) if other != owner => Held::Others(other),
        Some((BulkState::Running, _)) => Held::Ours,
        Some((state, _)) => Held::Not(state),
    })
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
    let counts = by_id(db, id)?.map(|run| run.words());
    let content = serde_json::json!({
        "bulk": id, "flow": flow, "state": to, "why": why, "counts": counts, "actor": actor,
    });
    journal::append(db, at, RecordKind::Bulk, &content)?;
    Ok(true)
}

/// Closes the runs whose driver is gone and of which nobody is left to be acted on, with what stands of who was begun
/// with.
pub(super) fn close_left(db: &Connection, now: Timestamp) -> Result<()> {
    let left: Vec<(BulkId, Actor)> = db
        .prepare_cached("SELECT id, actor FROM bulks WHERE state = 'running' AND lease_until < ?1")?
        .query_map([now.as_microsecond()], |row| Ok((id_of(row)?, rows::json(row, "actor")?)))?
        .collect::<Result<_>>()?;
    for (id, actor) in left {
        let Some(run) = Run::find(db, id)? else { continue };
        if let Some(begun) = run.begun_alone(db, now)? {
            for (position, end) in begun {
                tell(db, (run.seq, position), &end)?;
            }
            turn(db, id, (BulkState::Done, None), &actor, now)?;
        }
    }
    Ok(())
}

/// The same by whoever drove it so far.
pub(super) fn leave(
    db: &Connection,
    id: BulkId,
    owner: &str,
    to: (BulkState, Option<&str>),
    actor: &Actor,
    at: Timestamp,
) -> Result<Held> {
    let stood = held(db, id, owner)?;
    // Nobody waits: whoever had it wait meanwhile waits for nothing.
    let is_through = to.0 == BulkState::Done && stood == Held::Not(BulkState::Paused);
    if stood == Held::Ours || is_through {
        turn(db, id, to, actor, at)?;
    }
    Ok(stood)
}

/// Keeps how it ended for one user, where nobody has told it yet and nobody else drives. That nothing was sent is not
/// kept of somebody who was begun with: another process did, between the look and the plan.
pub(super) fn user_ended(
    db: &Connection,
    id: BulkId,
    position: u32,
    end: &BulkEnd,
    owner: &str,
) -> Result<Kept> {
    let kept = db
        .prepare_cached(
            "UPDATE bulk_users SET outcome = ?4, evidence = ?5, status = ?6, why = ?7, action = ?8, at = ?9 \
             WHERE bulk = (SELECT seq FROM bulks WHERE id = ?1 AND (owner IS NULL OR owner = ?2)) \
             AND position = ?3 AND outcome IS NULL AND (?5 IS NOT NULL OR ?8 IS NOT NULL OR began = 0)",
        )?
        .execute(rusqlite::params![
            id.to_string(),
            owner,
            position,
            end.outcome.word(),
            end.evidence.map(|evidence| evidence.word()),
            end.status,
            end.why,
            end.action.map(|action| action.to_string()),
            end.at.as_microsecond(),
        ])?;
    if kept == 1 {
        return Ok(Kept::Kept);
    }
    // Also of a user who is not there: nobody tells anything of them.
    let is_told = db
        .prepare_cached(
            "SELECT outcome IS NULL FROM bulk_users \
             WHERE bulk = (SELECT seq FROM bulks WHERE id = ?1) AND position = ?2",
        )?
        .query_row((id.to_string(), position), |row| Ok(!row.get::<_, bool>(0)?))
        .optional()?
        .unwrap_or(true);
    let is_others = matches!(held_by(db, id)?, Some(driver) if driver != owner);
    Ok(match (is_told, is_others) {
        (true, _) => Kept::ToldBefore,
        (false, true) => Kept::Others,
        (false, false) => Kept::BegunMeanwhile,
    })
}

/// Keeps an end of a user whose end nobody has told.
fn tell(db: &Connection, (run, position): (i64, u32), end: &BulkEnd) -> Result<()> {
    db.prepare_cached(
        "UPDATE bulk_users SET outcome = ?3, evidence = ?4, status = ?5, why = ?6, action = ?7, at = ?8 \
         WHERE bulk = ?1 AND position = ?2 AND outcome IS NULL",
    )?
    .execute(rusqlite::params![
        run,
        position,
        end.outcome.word(),
        end.evidence.map(|evidence| evidence.word()),
        end.status,
        end.why,
        end.action.map(|action| action.to_string()),
        end.at.as_microsecond(),
    ])
    .map(drop)
}

/// Who has the wheel, if somebody has.
fn held_by(db: &Connection, id: BulkId) -> Result<Option<String>> {
    let found = db
        .prepare_cached("SELECT owner FROM bulks WHERE id = ?1")?
        .query_row([id.to_string()], |row| row.get("owner"))
        .optional()?;
    Ok(found.flatten())
}

/// Remembers what paused a run.
pub(super) fn saw(db: &Connection, id: BulkId, kind: EndKind) -> Result<()> {
    let mut seen = seen(db, id)?;
    if !seen.contains(&kind) {
        seen.push(kind);
        db.prepare_cached("UPDATE bulks SET seen = ?2 WHERE id = ?1")?
            .execute((id.to_string(), to_json(&seen)?))?;
    }
    Ok(())
}

fn seen(db: &Connection, id: BulkId) -> Result<Vec<EndKind>> {
    let seen = db
        .prepare_cached("SELECT seen FROM bulks WHERE id = ?1")?
        .query_row([id.to_string()], |row| rows::json(row, "seen"))
        .optional()?;
    Ok(seen.unwrap_or_default())
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

/// Nothing but an index is read, and the actions of the few who were begun with and whose end nobody has told.
const COUNTS: &str = "SELECT outcome, began, count(*) AS n FROM bulk_users INDEXED BY bulk_users_ends \
     WHERE bulk = ?1 GROUP BY outcome, began";
const BEGUN: &str = "SELECT position FROM bulk_users INDEXED BY bulk_users_ends \
     WHERE bulk = ?1 AND outcome IS NULL AND began = 1";
const UNDONE: &str = "SELECT outcome, count(*) AS n FROM bulk_users INDEXED BY bulk_users_undone \
     WHERE bulk = ?1 AND undone IS NOT NULL GROUP BY outcome";

fn counts(db: &Connection, id: BulkId) -> Result<BulkCounts> {
    let mut counts = BulkCounts::default();
    let Some(run) = Run::find(db, id)? else { return Ok(counts) };
    let mut statement = db.prepare_cached(COUNTS)?;
    let counted = statement.query_map([run.seq], |row| {
        let outcome = rows::word_option(row, "outcome", Outcome::parse)?;
        Ok((outcome, row.get::<_, bool>("began")?, rows::count(row, "n")?))
    })?;
    for found in counted {
        let (outcome, began, n) = found?;
        if outcome.is_some() || !began {
            counts.add(outcome, usize::try_from(n).unwrap_or(usize::MAX));
        }
    }
    let mut statement = db.prepare_cached(BEGUN)?;
    for position in statement.query_map([run.seq], |row| row.get::<_, u32>("position"))? {
        let end = run.standing(db, position?)?;
        if let Some(end) = end.as_ref().filter(|end| end.undone.is_some()) {
            counts.add_undone(end.outcome, 1);
        }
        counts.add(end.map(|end| end.outcome), 1);
    }
    let mut statement = db.prepare_cached(UNDONE)?;
    let undone = statement.query_map([run.seq], |row| {
        Ok((rows::word_option(row, "outcome", Outcome::parse)?, rows::count(row, "n")?))
    })?;
    for found in undone {
        if let (Some(outcome), n) = found? {
            counts.add_undone(outcome, usize::try_from(n).unwrap_or(usize::MAX));
        }
    }
    Ok(counts)
}

/// A run as its users are looked up in it.
struct Run {
    id: BulkId,
    seq: i64,
    state: BulkState,
}

impl Run {
    fn find(db: &Connection, id: BulkId) -> Result<Option<Run>> {
        db.prepare_cached("SELECT seq, state FROM bulks WHERE id = ?1")?
            .query_row([id.to_string()], |row| Ok(Run { id, seq: row.get("seq")?, state: state(row)? }))
            .optional()
    }

    /// How it ended for those whose end nobody has told, where all of them were begun with and none is on their way.
    fn begun_alone(&self, db: &Connection, now: Timestamp) -> Result<Option<Vec<(u32, BulkEnd)>>> {
        if counts(db, self.id)?.queued > 0 {
            return Ok(None);
        }
        let mut statement = db.prepare_cached(BEGUN)?;
        let positions = statement.query_map([self.seq], |row| row.get::<_, u32>("position"))?;
        let mut begun = Vec::new();
        for position in positions {
            let position = position?;
            let actions = actions_on(db, self.id, position)?;
            if actions.iter().any(|action| action.outcome == Outcome::Pending) {
                return Ok(None);
            }
            let Some(end) = BulkEnd::of_begun(&actions, now) else { return Ok(None) };
            begun.push((position, end));
        }
        Ok(Some(begun))
    }

    /// How the actions stand on a user whose end nobody has told.
    fn standing(&self, db: &Connection, position: u32) -> Result<Option<BulkEnd>> {
        Ok(BulkEnd::standing(&actions_on(db, self.id, position)?, self.state))
    }
}

/// The actions of a run that are there on a user.
fn actions_on(db: &Connection, id: BulkId, position: u32) -> Result<Vec<Action>> {
    let (first, last) = id.actions(position);
    let mut begun: Vec<Action> = db
        .prepare_cached("SELECT * FROM actions WHERE id BETWEEN ?1 AND ?2")?
        .query_map((first.to_string(), last.to_string()), rows::action)?
        .collect::<Result<_>>()?;
    begun.sort_by_key(|action| action.step.map(|step| step.number));
    Ok(begun)
}

/// Users of a run, in their order.
pub(super) fn users(
    db: &Connection,
    id: BulkId,
    which: Users,
    from: u32,
    limit: usize,
) -> Result<Vec<BulkUser>> {
    let Some(run) = Run::find(db, id)? else { return Ok(Vec::new()) };
    let mut users: Vec<(BulkUser, bool)> = db
        .prepare_cached(&users_sql(which))?
        .query_map((run.seq, from, sized(limit)), |row| Ok((user(row)?, row.get("began")?)))?
        .collect::<Result<_>>()?;
    for (user, _) in users.iter_mut().filter(|(user, began)| *began && user.end.is_none()) {
        user.end = run.standing(db, user.position)?;
    }
    Ok(users.into_iter().map(|(user, _)| user).collect())
}

fn users_sql(which: Users) -> String {
    let (by, condition) = match which {
        Users::All => ("", "TRUE"),
        Users::Queued => ("INDEXED BY bulk_users_queued", "outcome IS NULL"),
        Users::Exceptions => {
            ("", "(outcome NOT IN ('changed', 'accepted', 'no-change') OR (outcome IS NULL AND began = 1))")
        }
    };
    format!(
        "SELECT * FROM bulk_users {by} WHERE bulk = ?1 AND position >= ?2 AND {condition} \
         ORDER BY position LIMIT ?3"
    )
}

/// The kinds of ends that were seen.
pub(super) fn kinds(db: &Connection, id: BulkId) -> Result<Vec<EndKind>> {
    let mut kinds = seen(db, id)?;
    let Some(run) = Run::find(db, id)? else { return Ok(kinds) };
    let mut statement = db.prepare_cached(
        "SELECT DISTINCT outcome, status FROM bulk_users \
         WHERE bulk = ?1 AND (outcome IN ('failed', 'unknown') OR (outcome = 'refused' AND evidence IS NOT NULL))",
    )?;
    let found = statement.query_map([run.seq], |row| {
        Ok(EndKind::of_answer(rows::word(row, "outcome", Outcome::parse)?, row.get("status")?))
    })?;
    for kind in found {
        kinds.extend(kind?);
    }
    kinds.sort_unstable();
    kinds.dedup();
    Ok(kinds)
}

fn id_of(row: &rusqlite::Row<'_>) -> Result<BulkId> {
    rows::word(row, "id", |text| text.parse().ok())
}

fn state(row: &rusqlite::Row<'_>) -> Result<BulkState> {
    rows::word(row, "state", BulkState::parse)
}

fn bulk_run(row: &rusqlite::Row<'_>) -> Result<BulkRun> {
    Ok(BulkRun {
        id: id_of(row)?,
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
        seal: rows::json_option(row, "seal")?,
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
            undone: rows::json_option(row, "undone")?,
        }),
        _ => None,
    };
    Ok(BulkUser {
        position: row.get("position")?,
        login: Login::new(row.get_ref("shown")?.as_str()?),
        target_id: row.get("target")?,
        account_login: row.get::<_, Option<String>>("account_login")?.map(|login| Login::new(&login)),
        finding: row.get::<_, Option<i64>>("finding")?.map(FindingId),
        made_of: MadeOf {
            event: row.get::<_, Option<i64>>("event")?.map(EventId),
            body: row.get("body_sha256")?,
        },
        doubts: rows::json(row, "doubts")?,
        undoes: rows::word_option(row, "undoes", |text| text.parse().ok())?,
        end,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_those_who_wait_nor_the_counts_are_read_by_all_users() {
        let mut db = Connection::open_in_memory().unwrap();
        crate::store::sqlite::migrate::STORE.migrate(&mut db).unwrap();
        let plan = |sql: &str| {
            let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let steps = statement.raw_query().mapped(|row| row.get::<_, String>("detail"));
            steps.collect::<Result<Vec<_>>>().unwrap().join("; ")
        };
        let queued = plan(&users_sql(Users::Queued));
        assert!(queued.contains("INDEX bulk_users_queued (bulk=? AND position>?)"), "{queued}");
        assert!(plan(COUNTS).contains("COVERING INDEX bulk_users_ends (bulk=?)"), "{}", plan(COUNTS));
        assert!(plan(UNDONE).contains("INDEX bulk_users_undone (bulk=?)"), "{}", plan(UNDONE));
        let begun = plan(BEGUN);
        assert!(
            begun.contains("COVERING INDEX bulk_users_ends (bulk=? AND outcome=? AND began=?)"),
            "{begun}"
        );
        let action = plan("SELECT seq, id FROM bulks WHERE id BETWEEN ?1 AND ?2");
        assert!(action.starts_with("SEARCH"), "{action}");
        for sql in [users_sql(Users::Queued), users_sql(Users::All), users_sql(Users::Exceptions)] {
            assert!(!plan(&sql).contains("TEMP B-TREE"), "{sql}");
        }
    }
}
