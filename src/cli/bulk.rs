//! `bulk …`: runs on many, how they stand, and what becomes of them.

use super::args::Bulk;
use super::connect;
use super::failure::{DONE, Failure, combined};
use super::output::Output;
use super::run::{Asked, PAUSING, Stop, nobody_waits, note};
use super::table::{Table, column};
use crate::domain::bulk::{BulkEnd, BulkId, BulkRun, BulkState, BulkUser};
use crate::domain::run_end::StepEnd;
use crate::domain::{Actor, NOTHING, Outcome, Untrusted, time};
use crate::remediation::{BulkError, BulkTold, Runner, Wish};
use crate::store::{Store, Users};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::watch;

/// Users read at once.
const PAGE: usize = 1_000;

/// Whether it changes something.
pub(super) fn changes(what: &Bulk) -> bool {
    match what {
        Bulk::List { .. } | Bulk::Show { .. } => false,
        Bulk::Resume { .. } | Bulk::Pause { .. } | Bulk::Stop { .. } => true,
    }
}

/// Who does it, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct By<'a> {
    pub(super) actor: &'a Actor,
    pub(super) at: Timestamp,
}

/// Shows runs, and says of one that it waits or is over. Whoever drives it sees that within seconds.
///
/// # Errors
/// A run that there is not, a store that fails, and a closed output.
pub(super) async fn run(
    what: &Bulk,
    store: &dyn Store,
    by: By<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    match what {
        Bulk::List { limit, before } => list(store, *before, *limit, by.at, out).await,
        Bulk::Show { id, exceptions } => {
            let which = if *exceptions { Users::Exceptions } else { Users::All };
            show(*id, which, store, by.at, out).await
        }
        Bulk::Pause { id } => turn(*id, BulkState::Paused, store, by, out).await,
        Bulk::Stop { id } => turn(*id, BulkState::Stopped, store, by, out).await,
        // Driving it is for whoever has the tenants.
        Bulk::Resume { id, .. } => turn(*id, BulkState::Running, store, by, out).await,
    }
}

async fn list(
    store: &dyn Store,
    before: Option<BulkId>,
    limit: usize,
    now: Timestamp,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let runs = store.bulks(before, limit).await?.rows;
    if out.is_json() {
        for run in &runs {
            out.json(&run_json(run, now))?;
        }
        return Ok(DONE);
    }
    let columns = [
        column("ID", 36),
        column("AT", 20),
        column("STATE", 11),
        column("FLOW", 30),
        column("USERS", 7),
        column("ENDED", 60),
    ];
    let mut table = Table::of(&columns);
    for run in &runs {
        table.row([
            run.id.to_string(),
            time::rfc3339_seconds(run.at),
            run.word(now).to_owned(),
            run.flow.to_string(),
            run.counts.total().to_string(),
            run.counts.words(),
        ]);
    }
    out.table(&table)?;
    Ok(DONE)
}

async fn show(
    id: BulkId,
    which: Users,
    store: &dyn Store,
    now: Timestamp,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let run = store.bulk(id).await?.ok_or_else(|| missing(id))?;
    let users = users(id, which, store).await?;
    if out.is_json() {
        out.json(&run_json(&run, now))?;
        for user in &users {
            out.json(&user_json(id, user))?;
        }
        return Ok(DONE);
    }
    out.facts(&facts(&run, now))?;
    out.text("")?;
    let mut table =
        Table::of(&[column("USER", 44), column("ENDED", 34), column("AT", 20), column("WHY", 80)]);
    for user in &users {
        let end = user.end.as_ref();
        table.row([
            user.login.to_string(),
            end.map_or_else(|| "queued".to_owned(), BulkEnd::words),
            end.map(|end| time::rfc3339_seconds(end.at)).unwrap_or_default(),
            shown(end.and_then(|end| end.why.as_deref())),
        ]);
    }
    out.table(&table)?;
    Ok(DONE)
}

async fn users(id: BulkId, which: Users, store: &dyn Store) -> Result<Vec<BulkUser>, Failure> {
    let (mut all, mut from) = (Vec::new(), 0);
    loop {
        let page = store.bulk_users(id, which, from, PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        from = last.position.saturating_add(1);
        all.extend(page);
    }
}

fn facts(run: &BulkRun, now: Timestamp) -> [(&'static str, String); 9] {
    let inputs: Vec<String> = run.inputs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let or_nothing = |text: &str| if text.is_empty() { NOTHING.to_owned() } else { shown(Some(text)) };
    [
        ("id", run.id.to_string()),
        ("flow", run.flow.to_string()),
        ("does", run.verb.clone()),
        ("state", run.word(now).to_owned()),
        ("why", or_nothing(run.why.as_deref().unwrap_or_default())),
        ("users", run.counts.words()),
        ("inputs", or_nothing(&inputs.join(", "))),
        ("reason", or_nothing(run.reason.as_deref().unwrap_or_default())),
        ("by", format!("{} at {}", run.actor.signed(), time::rfc3339_seconds(run.at))),
    ]
}

/// A text that may hold something of the other side.
fn shown(text: Option<&str>) -> String {
    Untrusted::from(text.unwrap_or_default()).to_string()
}

async fn turn(
    id: BulkId,
    to: BulkState,
    store: &dyn Store,
    by: By<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let is_so = store.turn(id, to, None, by.actor, by.at).await?;
    let run = store.bulk(id).await?.ok_or_else(|| missing(id))?;
    if !is_so {
        let (word, wanted) = (run.state.word(), to.word());
        return Err(Failure::failed(format!("bulk run `{id}` is {word}: it cannot be {wanted} any more")));
    }
    if out.is_json() {
        out.json(&run_json(&run, by.at))?;
    }
    note(&run, out)?;
    Ok(DONE)
}

fn missing(id: BulkId) -> Failure {
    Failure::usage(BulkError::Missing(id).to_string())
}

fn run_json(run: &BulkRun, now: Timestamp) -> Value {
    json!({
        "id": run.id, "flow": run.flow, "verb": run.verb, "risk": run.risk.word(), "state": run.word(now), "why": run.why,
        "users": run.counts.total(), "queued": run.counts.queued, "ended": run.counts.ended,
        "inputs": run.inputs, "reason": run.reason, "insisted": run.is_insisted, "actor": run.actor,
        "at": time::rfc3339(run.at),
    })
}

fn user_json(id: BulkId, user: &BulkUser) -> Value {
    let end = user.end.as_ref();
    json!({
        "bulk": id, "position": user.position, "login": user.login, "target": user.target_id,
        "finding": user.finding, "outcome": end.map(|end| end.outcome.word()),
        "evidence": end.and_then(|end| end.evidence), "status": end.and_then(|end| end.status),
        "why": end.and_then(|end| end.why.clone()), "action": end.and_then(|end| end.action),
        "at": end.map(|end| time::rfc3339(end.at)),
    })
}

/// Drives a run that is running, and tells how it ends for each.
///
/// # Errors
/// Where it cannot be driven, or nobody waits for it any more.
pub(super) async fn drive(
    id: BulkId,
    runner: Arc<Runner>,
    stop: &mut Stop,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let (wishes, wish) = watch::channel(Wish::GoOn);
    let (told, mut ends) = unbounded_channel::<BulkTold>();
    let mut running = pin!(connect::driven(runner, id, wish, told));
    let (mut statuses, mut is_pausing) = (Vec::new(), false);
    let run = loop {
        tokio::select! {
            biased;
            () = stop.asked(if is_pausing { Asked::EndNow } else { Asked::End }) => {
                if is_pausing {
                    return Err(nobody_waits());
                }
                is_pausing = true;
                wishes.send_replace(Wish::Pause);
                // Nobody may be reading any more.
                let _ = out.note(PAUSING);
            }
            Some(end) = ends.recv() => statuses.push(line(id, &end, out)),
            ended = &mut running => break ended?,
        }
    };
    while let Ok(end) = ends.try_recv() {
        statuses.push(line(id, &end, out));
    }
    // Nobody may be reading any more.
    let _ = note(&run, out);
    let rest = (run.counts.queued > 0).then(|| Outcome::Refused.exit_status());
    Ok(combined(statuses.into_iter().chain(rest)))
}

fn line(id: BulkId, told: &BulkTold, out: &mut Output<'_>) -> u8 {
    let user = &told.user;
    let Some(end) = &user.end else { return DONE };
    let why = end.why.as_deref().map(|why| format!(": {}", shown(Some(why)))).unwrap_or_default();
    // Nobody has it anywhere else.
    let link = told.run.as_ref().and_then(|run| run.steps.iter().find_map(StepEnd::link));
    let mut json = user_json(id, user);
    if let Some(link) = link {
        json["one_time_link"] = link.expose().into();
    }
    // The run has it, where the output is closed.
    let _ = match (out.is_json(), link) {
        (true, _) => out.json(&json),
        (false, Some(link)) => {
            out.text(&format!("{}: one-time link, shown once: {}", user.login, link.expose()))
        }
        (false, None) => Ok(()),
    };
    if !out.is_json() {
        let _ = out.text(&format!("{}: {}{why}", user.login, end.words()));
    }
    end.outcome.exit_status()
}
