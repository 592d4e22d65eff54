//! How runs on many are shown: for people, as JSON Lines, and as CSV.

use super::missing;
use crate::cli::failure::{DONE, Failure};
use crate::cli::output::Output;
use crate::cli::table::{Table, column};
use crate::domain::bulk::{BulkEnd, BulkId, BulkRun, BulkUser};
use crate::domain::bulk_export::{csv_heading, csv_row, run_json, user_json};
use crate::domain::csv;
use crate::domain::{NOTHING, Untrusted, time};
use crate::store::{Store, Users};
use jiff::Timestamp;

/// Users read at once.
const PAGE: usize = 1_000;

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// As the output is: a table, or JSON Lines.
    OfOutput,
    /// CSV.
    Csv,
}

impl Shape {
    pub(super) fn of(csv: bool) -> Shape {
        if csv { Shape::Csv } else { Shape::OfOutput }
    }
}

pub(super) async fn list(
    store: &dyn Store,
    (before, limit): (Option<BulkId>, usize),
    shape: Shape,
    now: Timestamp,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let page = store.bulks(before, limit).await?;
    let runs = page.rows;
    if shape == Shape::Csv {
        out.lines(&csv::line(RUN_HEADINGS))?;
        runs.iter().try_for_each(|run| out.lines(&run_csv(run, now)))?;
        return Ok(DONE);
    }
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
            state(run, now).to_owned(),
            run.flow.to_string(),
            run.counts.total().to_string(),
            run.words(),
        ]);
    }
    out.table(&table)?;
    if let Some(next) = page.next {
        out.note(&format!("there is more: `--before {next}`"))?;
    }
    Ok(DONE)
}

pub(super) async fn show(
    id: BulkId,
    (which, shape): (Users, Shape),
    store: &dyn Store,
    now: Timestamp,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let run = store.bulk(id).await?.ok_or_else(|| missing(id))?;
    let users = users(id, which, store).await?;
    if shape == Shape::Csv {
        out.lines(&csv_heading())?;
        users.iter().try_for_each(|user| out.lines(&csv_row(&run, user)))?;
        return Ok(DONE);
    }
    if out.is_json() {
        out.json(&run_json(&run, now))?;
        for user in &users {
            out.json(&user_json(id, user))?;
        }
        return Ok(DONE);
    }
    out.facts(&facts(&run, now))?;
    out.text("")?;
    let columns =
        [column("USER", 44), column("ACCOUNT", 24), column("ENDED", 34), column("AT", 20), column("WHY", 80)];
    let mut table = Table::of(&columns);
    for user in &users {
        let end = user.end.as_ref();
        table.row([
            user.whom(),
            shown(user.target_id.as_deref()),
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
        ("state", state(run, now).to_owned()),
        ("why", or_nothing(run.why.as_deref().unwrap_or_default())),
        ("users", run.words()),
        ("inputs", or_nothing(&inputs.join(", "))),
        ("reason", or_nothing(run.reason.as_deref().unwrap_or_default())),
        ("by", format!("{} at {}", run.actor.signed(), time::rfc3339_seconds(run.at))),
    ]
}

/// Where it stands, for people: of what is over, that it is undone before that it was done.
fn state(run: &BulkRun, now: Timestamp) -> &'static str {
    run.undone_word().unwrap_or_else(|| run.word(now))
}

/// A text that may hold something of the other side.
pub(super) fn shown(text: Option<&str>) -> String {
    Untrusted::from(text.unwrap_or_default()).to_string()
}

const RUN_HEADINGS: [&str; 12] =
    ["id", "at", "state", "why", "flow", "does", "risk", "users", "queued", "ended", "reason", "by"];

fn run_csv(run: &BulkRun, now: Timestamp) -> String {
    let counts = &run.counts;
    csv::line([
        &run.id.to_string(),
        &time::rfc3339(run.at),
        run.word(now),
        run.why.as_deref().unwrap_or_default(),
        &run.flow.0,
        &run.verb,
        run.risk.word(),
        &counts.total().to_string(),
        &counts.queued.to_string(),
        &run.words(),
        run.reason.as_deref().unwrap_or_default(),
        &run.actor.signed(),
    ])
}
