//! Actions: intended before a byte leaves, settled by a receipt, or expired with their lease.

use super::rows::{self, sized, to_json};
use super::{bulks, journal, undone};
use crate::domain::action::word::UNPROVED;
use crate::domain::action::{AnalystWord, EndKind, ExecutionEnd, Receipt, Settlement, execution_ids};
use crate::domain::journal::RecordKind;
use crate::domain::{Action, ActionId, Evidence, FlowId, Outcome, later, precedent};
use crate::store::{ActionFilter, Again, Basis, IntendError, Lease, Page, StoreError, WordError};
use jiff::Timestamp;
use rusqlite::types::Value as Bound;
use rusqlite::{Connection, OptionalExtension, Result, params_from_iter};
use serde_json::{Value, json};
use std::cmp::Reverse;

/// Commits an intent and its record, unless one that does the same to the same subject is open, or ended
/// nobody knows how and nobody insists, or came since that was decided.
pub(super) fn intend(
    db: &Connection,
    action: &Action,
    lease: &Lease,
    basis: &Basis,
) -> Result<std::result::Result<(), IntendError>> {
    let mut latest = latest_of_subject(db, action, &basis.same)?;
    if action.is_test {
        // What a trial before it came to is no precedent: only two at once are one too many.
        latest.retain(|latest| latest.outcome == Outcome::Pending);
    }
    if let Some(open) = latest.iter().find(|latest| latest.outcome == Outcome::Pending) {
        return Ok(Err(IntendError::AlreadyOpen(open.id)));
    }
    if basis.again == Again::No && !action.is_test {
        let told = of_subject(db, action, &basis.same, TELLS_UNKNOWN)?;
        if let Some(unknown) = precedent::unproven(&told) {
            return Ok(Err(IntendError::UnknownBefore(unknown.id)));
        }
    }
    if let Some(unseen) = latest.iter().find(|latest| !basis.seen.contains(&latest.id)) {
        return Ok(Err(IntendError::Meanwhile(unseen.id)));
    }
    // One that failed before a byte left is no precedent, and still the very same.
    if by_id(db, action.id)?.is_some() {
        return Ok(Err(IntendError::Meanwhile(action.id)));
    }
    // Whoever took it out of the store took no record out of the journal.
    if journal::has_intent(db, action.id)? {
        return Ok(Err(IntendError::OnlyJournalled(action.id)));
    }
    if let Err(run) = bulks::begin(db, action.id, &lease.owner)? {
        return Ok(Err(IntendError::NotDriven(run)));
    }
    insert(db, action, lease)?;
    let mut content = json!({
        "action": action.id,
        "flow": action.flow,
        "verb": action.verb,
        "risk": action.risk,
        "login": action.login,
        "target": action.target_id,
        "finding": action.finding,
        "request": action.request,
        "reason": action.reason,
        "actor": action.actor,
        "owner": lease.owner,
        "insisted": basis.again == Again::Insist,
    });
    // What was to follow is in no record of its own before it is sent: a crash may come first.
    if let Some(step) = action.step {
        content["run"] = step.run.to_string().into();
        content["step"] = step.to_string().into();
    }
    mark(&mut content, action);
    if let Some(undoes) = action.undoes {
        content["undoes"] = undoes.to_string().into();
    }
    if let Some(before) = &action.before {
        content["before"] = before.as_str().into();
    }
    journal::append(db, action.at, RecordKind::Intended, &content)?;
    Ok(Ok(()))
}

/// A trial is marked in each of its records, in what is meant nothing is said of it; and each says which account it
/// was on, where another login led there.
fn mark(content: &mut serde_json::Value, action: &Action) {
    if action.is_test {
        content["test"] = true.into();
    }
    if let Some(account) = &action.account_login {
        content["account_login"] = account.raw().into();
    }
}

/// What tells an action whose request left, or may have, or may yet, from one that certainly did not.
const MAY_HAVE_LEFT: &str = "(evidence <> 'intended' OR outcome IN ('pending', 'unknown'))";

/// What ended nobody knows how, and what may have proven since how it did.
const TELLS_UNKNOWN: &str = "outcome IN ('unknown', 'changed', 'no-change')";

/// The newest action of each flow that does the same on the same login, and the newest on the same account: two
/// logins may lead to one account. One that failed before a byte left hides none that may have had an effect.
/// An open one is always the newest of its kind: none can be intended while it is open.
fn latest_of_subject(db: &Connection, action: &Action, same: &[FlowId]) -> Result<Vec<Action>> {
    of_subject(db, action, same, &format!("{MAY_HAVE_LEFT} ORDER BY seq DESC LIMIT 1"))
}

/// Actions of the flows that do the same, on the same login and on the same account, newest first; one that is both
/// may come twice.
fn of_subject(db: &Connection, action: &Action, same: &[FlowId], which: &str) -> Result<Vec<Action>> {
    let mut found = Vec::new();
    let others = same.iter().filter(|flow| **flow != action.flow);
    for flow in others.chain([&action.flow]) {
        found.extend(of_flow(db, action, (flow, which), ("login", action.login.folded()))?);
        if let Some(id) = action.target_id.as_deref() {
            found.extend(of_flow(db, action, (flow, which), ("target", id))?);
        }
    }
    found.sort_by_key(|(seq, _)| Reverse(*seq));
    Ok(found.into_iter().map(|(_, action)| action).collect())
}

/// Of what is meant no trial is looked at, and of a trial nothing that is meant.
fn of_flow(
    db: &Connection,
    action: &Action,
    (flow, which): (&FlowId, &str),
    (column, value): (&str, &str),
) -> Result<Vec<(i64, Action)>> {
    let sql = format!("SELECT * FROM actions WHERE flow = ?1 AND {column} = ?2 AND test = ?3 AND {which}");
    db.prepare_cached(&sql)?
        .query_map((&flow.0, value, action.is_test), |row| Ok((row.get("seq")?, rows::action(row)?)))?
        .collect()
}

fn insert(db: &Connection, action: &Action, lease: &Lease) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO actions (id, flow, login, shown, verb, risk, finding, evidence, outcome, request, \
         receipt, reason, actor, at, owner, lease_until, target, run, step, test, undoes, before, \
         account_login) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, \
         ?21, ?22, ?23)",
    )?
    .execute(rusqlite::params![
        action.id.to_string(),
        action.flow.0,
        action.login.folded(),
        action.login.raw(),
        action.verb,
        action.risk.word(),
        action.finding.map(|finding| finding.0),
        action.evidence.word(),
        action.outcome.word(),
        to_json(&action.request)?,
        action.receipt.as_ref().map(to_json).transpose()?,
        action.reason,
        to_json(&action.actor)?,
        action.at.as_microsecond(),
        lease.owner,
        lease.until.as_microsecond(),
        action.target_id,
        action.step.map(|step| step.run.to_string()),
        action.step.map(|step| step.to_string()),
        action.is_test,
        action.undoes.map(|undoes| undoes.to_string()),
        action.before,
        action.account_login.as_ref().map(|login| login.raw()),
    ])?;
    Ok(())
}

/// Extends the lease of an action in flight. One that was declared dead stays dead.
pub(super) fn renew(
    db: &Connection,
    id: ActionId,
    lease: &Lease,
) -> Result<std::result::Result<(), StoreError>> {
    let renewed = db
        .prepare_cached(
            "UPDATE actions SET owner = ?2, lease_until = ?3 WHERE id = ?1 AND outcome = 'pending'",
        )?
        .execute((id.to_string(), &lease.owner, lease.until.as_microsecond()))?;
    Ok(if renewed == 0 { Err(StoreError::NotPending(id)) } else { Ok(()) })
}

/// Records that a first byte may leave now, with a whole lease before it.
pub(super) fn sending(
    db: &Connection,
    id: ActionId,
    lease: &Lease,
) -> Result<std::result::Result<(), StoreError>> {
    let Some(action) = by_id(db, id)? else { return Ok(Err(missing(id))) };
    if action.outcome != Outcome::Pending {
        return Ok(Err(StoreError::NotPending(id)));
    }
    let evidence = action.evidence.max(Evidence::Sent);
    update(db, &Action { evidence, ..action })?;
    renew(db, id, lease)
}

/// Commits a receipt and its record.
pub(super) fn settle(
    db: &Connection,
    id: ActionId,
    settlement: &Settlement,
    at: Timestamp,
) -> Result<std::result::Result<Action, StoreError>> {
    let Some(action) = by_id(db, id)? else { return Ok(Err(missing(id))) };
    let settled = keep(db, action, settlement, at, json!({}))?;
    // The record of the end may have come before the receipt that names the execution.
    match end_of_any(db, &settled)? {
        Some(end) => finish(db, settled, end, at).map(Ok),
        None => Ok(Ok(settled)),
    }
}

/// Lays a settlement onto an action, with its record; `more` says where it comes from. The record has what came, and
/// says how the action stands with it: a later word that proves less takes nothing back there either.
fn keep(
    db: &Connection,
    action: Action,
    settlement: &Settlement,
    at: Timestamp,
    more: Value,
) -> Result<Action> {
    let settled = action.settled_by(settlement);
    update(db, &settled)?;
    look_next(db, &settled, at)?;
    let mut content = json!({
        "action": settled.id,
        "flow": settled.flow,
        "login": settled.login,
        "target": settled.target_id,
        "evidence": settled.evidence,
        "outcome": settled.outcome,
        "receipt": settlement.receipt,
    });
    mark(&mut content, &settled);
    // The record of a word stays as it is: what contradicts it stands in that of the look.
    if settlement.receipt.last_look().is_some() && settled.contradicted().is_some() {
        content["contradicts"] = json!(settled.word());
    }
    if let (Value::Object(content), Value::Object(more)) = (&mut content, more) {
        content.extend(more);
    }
    journal::append(db, at, RecordKind::Settled, &content)?;
    Ok(settled)
}

/// Commits an analyst's word and its record. It is taken for no evidence: outcome and evidence stay as they are.
pub(super) fn give_word(
    db: &Connection,
    id: ActionId,
    word: &AnalystWord,
    seen: Option<&AnalystWord>,
) -> Result<std::result::Result<Action, WordError>> {
    let Some(action) = by_id(db, id)? else { return Ok(Err(missing(id).into())) };
    if !later::is_open(&action) || action.word() != seen {
        return Ok(Err(WordError::Meanwhile(id)));
    }
    let mut content = json!({
        "action": action.id,
        "flow": action.flow,
        "login": action.login,
        "target": action.target_id,
        "evidence": action.evidence,
        "outcome": action.outcome,
        "said": word.said,
        "reason": word.reason,
        "actor": word.actor,
        "basis": UNPROVED,
    });
    if let Some(before) = seen {
        content["instead_of"] = json!(before);
    }
    mark(&mut content, &action);
    let action = action.with_word(word.clone());
    update(db, &action)?;
    journal::append(db, word.at, RecordKind::Said, &content)?;
    Ok(Ok(action))
}

/// When its target is to be looked at next.
fn look_next(db: &Connection, action: &Action, now: Timestamp) -> Result<()> {
    let at = later::next_look(action, now).map(Timestamp::as_microsecond);
    db.prepare_cached("UPDATE actions SET look_at = ?2 WHERE id = ?1")?
        .execute((action.id.to_string(), at))
        .map(drop)
}

/// Takes the looks that are due, at most so many: the next of each is behind it, so that nobody else makes the same.
/// One that comes too late is not made any more.
pub(super) fn take_looks(db: &Connection, now: Timestamp, most: usize) -> Result<Vec<ActionId>> {
    let due: Vec<Action> = db
        .prepare_cached(
            "SELECT * FROM actions INDEXED BY actions_looks \
             WHERE look_at IS NOT NULL AND look_at <= ?1 ORDER BY look_at LIMIT ?2",
        )?
        .query_map((now.as_microsecond(), sized(most)), rows::action)?
        .collect::<Result<_>>()?;
    due.iter().try_for_each(|action| look_next(db, action, now))?;
    Ok(due.iter().filter(|action| later::is_in_time(action, now)).map(|action| action.id).collect())
}

/// Raises the actions whose receipts name an execution: a record of its end came. A second one changes nothing.
pub(super) fn execution_ended(
    db: &Connection,
    execution: &str,
    end: &ExecutionEnd,
    at: Timestamp,
) -> Result<()> {
    let ids: Vec<ActionId> = db
        .prepare_cached("SELECT action FROM action_executions WHERE execution = ?1")?
        .query_map([execution], |row| rows::word(row, "action", |id| id.parse().ok()))?
        .collect::<Result<_>>()?;
    for id in ids {
        if let Some(action) = by_id(db, id)? {
            finish(db, action, end.clone(), at)?;
        }
    }
    Ok(())
}

/// The end of an execution proves that the run has ended, and nothing of its effect: a flow that caught its own error
/// has ended too.
fn finish(db: &Connection, action: Action, end: ExecutionEnd, at: Timestamp) -> Result<Action> {
    let is_known = action.receipt.as_ref().is_some_and(|receipt| receipt.ended.is_some());
    if is_known || action.outcome == Outcome::Pending {
        return Ok(action);
    }
    let receipt = Receipt { ended: Some(end), ..Receipt::default() };
    let settlement = Settlement { evidence: Evidence::Finished, outcome: action.outcome, receipt };
    keep(db, action, &settlement, at, json!({ "by": "execution record" }))
}

/// The end of an execution that an action's receipt names, if a record of it is there: the first that came.
fn end_of_any(db: &Connection, action: &Action) -> Result<Option<ExecutionEnd>> {
    for execution in action.receipt.iter().flat_map(execution_ids) {
        let ended = db
            .prepare_cached(
                "SELECT event, ended FROM executions WHERE execution = ?1 AND ended IS NOT NULL \
                 ORDER BY event LIMIT 1",
            )?
            .query_row([execution], |row| {
                Ok((row.get::<_, i64>("event")?, rows::word(row, "ended", EndKind::parse)?))
            })
            .optional()?;
        let Some((event, how)) = ended else { continue };
        if let Some(event) = rows::event_by_id(db, event)? {
            return Ok(Some(ExecutionEnd { how, event_type: event.record_type().into(), at: event.at() }));
        }
    }
    Ok(None)
}

/// Turns pending actions whose lease ran out into `unknown`, each with its record; into `not-sent` where no byte can have
/// left: that one may is on record before it does, and none may behind this.
pub(super) fn expire(db: &Connection, now: Timestamp) -> Result<Vec<(ActionId, Outcome)>> {
    let left: Vec<Action> = db
        .prepare_cached(
            "SELECT * FROM actions INDEXED BY actions_leases \
             WHERE outcome = 'pending' AND lease_until < ?1 ORDER BY lease_until",
        )?
        .query_map([now.as_microsecond()], rows::action)?
        .collect::<Result<_>>()?;
    let mut ended = Vec::new();
    for action in &left {
        let expired = expired(action.clone(), now);
        update(db, &expired)?;
        look_next(db, &expired, now)?;
        let mut content = json!({
            "action": action.id,
            "flow": action.flow,
            "login": action.login,
            "target": action.target_id,
            "evidence": action.evidence,
            "outcome": expired.outcome,
        });
        mark(&mut content, action);
        journal::append(db, now, RecordKind::Expired, &content)?;
        ended.push((expired.id, expired.outcome));
    }
    bulks::close_left(db, now)?;
    Ok(ended)
}

fn expired(action: Action, now: Timestamp) -> Action {
    if action.evidence > Evidence::Intended {
        return Action { outcome: Outcome::Unknown, ..action };
    }
    let error = Some("whoever ran it was gone before a byte left".to_owned());
    let receipt =
        Receipt { error, at: Some(now), withheld: true, ..action.receipt.clone().unwrap_or_default() };
    Action { outcome: Outcome::NotSent, receipt: Some(receipt), ..action }
}

fn update(db: &Connection, action: &Action) -> Result<()> {
    db.prepare_cached("UPDATE actions SET evidence = ?2, outcome = ?3, receipt = ?4 WHERE id = ?1")?
        .execute((
            action.id.to_string(),
            action.evidence.word(),
            action.outcome.word(),
            action.receipt.as_ref().map(to_json).transpose()?,
        ))?;
    bulks::follow(db, action)?;
    undone::follow(db, action)?;
    name_executions(db, action)
}

/// What retention looks up: the records of these executions stay.
fn name_executions(db: &Connection, action: &Action) -> Result<()> {
    for execution in action.receipt.iter().flat_map(execution_ids) {
        db.prepare_cached("INSERT OR IGNORE INTO action_executions (execution, action) VALUES (?1, ?2)")?
            .execute((execution, action.id.to_string()))?;
    }
    Ok(())
}

/// One action.
pub(super) fn by_id(db: &Connection, id: ActionId) -> Result<Option<Action>> {
    db.prepare_cached("SELECT * FROM actions WHERE id = ?1")?
        .query_row([id.to_string()], rows::action)
        .optional()
}

fn missing(id: ActionId) -> StoreError {
    StoreError::Read(format!("there is no action `{id}`"))
}

/// Actions, newest first, below the one given.
pub(super) fn page(
    db: &Connection,
    filter: &ActionFilter,
    before: Option<ActionId>,
    limit: usize,
) -> Result<Page<Action>> {
    let (sql, args) = page_sql(filter, before, limit);
    let mut rows: Vec<Action> =
        db.prepare_cached(&sql)?.query_map(params_from_iter(args), rows::action)?.collect::<Result<_>>()?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| has_more).map(|action| action.id);
    Ok(Page { rows, next })
}

fn page_sql(filter: &ActionFilter, before: Option<ActionId>, limit: usize) -> (String, Vec<Bound>) {
    // Pinned: the narrowest index that ends in the row id, so that nothing is sorted.
    let by = match (&filter.flow, &filter.login, &filter.target) {
        (Some(_), _, Some(_)) => "INDEXED BY actions_target",
        (Some(_), Some(_), None) => "INDEXED BY actions_subject",
        (Some(_), None, None) => "INDEXED BY actions_flow",
        (None, Some(_), _) => "INDEXED BY actions_login",
        (None, None, _) => "NOT INDEXED",
    };
    let left = if filter.may_have_left { MAY_HAVE_LEFT } else { "TRUE" };
    let told = if filter.tells_unknown { TELLS_UNKNOWN } else { "TRUE" };
    let mut sql = format!("SELECT * FROM actions {by} WHERE seq > 0 AND {left} AND {told}");
    let mut args = Vec::new();
    let mut and = |condition: &str, value: Bound| {
        args.push(value);
        sql.push_str(&format!(" AND {condition}").replace('#', &format!("?{}", args.len())));
    };
    if let Some(flow) = &filter.flow {
        and("flow = #", flow.0.clone().into());
    }
    if let Some(login) = &filter.login {
        and("login = #", login.folded().to_owned().into());
    }
    if let Some(target) = &filter.target {
        and("target = #", target.clone().into());
    }
    if let Some(since) = filter.since {
        and("at >= #", since.as_microsecond().into());
    }
    if let Some(before) = before {
        and("seq < (SELECT seq FROM actions WHERE id = #)", before.to_string().into());
    }
    args.push(sized(limit.saturating_add(1)).into());
    (format!("{sql} ORDER BY seq DESC LIMIT ?{}", args.len()), args)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Login;

    #[test]
    fn no_page_of_actions_is_sorted() {
        let mut db = Connection::open_in_memory().unwrap();
        crate::store::sqlite::migrate::STORE.migrate(&mut db).unwrap();
        let flows = [None, Some("suspend".into())];
        let logins = [None, Some(Login::new("ann@example.com"))];
        for (flow, login) in flows.iter().flat_map(|flow| logins.iter().map(move |login| (flow, login))) {
            let target = flow.as_ref().map(|_| "00u1".to_owned()).filter(|_| login.is_none());
            let (may_have_left, tells_unknown) = (target.is_some(), login.is_some());
            let filter = ActionFilter {
                login: login.clone(),
                flow: flow.clone(),
                target,
                since: None,
                may_have_left,
                tells_unknown,
            };
            let (sql, args) = page_sql(&filter, Some(ActionId(uuid::Uuid::nil())), 10);
            let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let steps = statement.query_map(params_from_iter(args), |row| row.get::<_, String>("detail"));
            let steps: Vec<String> = steps.unwrap().collect::<Result<_>>().unwrap();
            assert!(steps.iter().all(|step| !step.contains("TEMP B-TREE")), "{sql}\n{steps:#?}");
            assert!(
                steps.iter().all(|step| step.starts_with("SEARCH") || step.contains("SUBQUERY")),
                "{steps:#?}"
            );
        }
    }
}
