//! Runs a plan: its walks side by side, merged in the list's order, stopped after a bounded number of
//! rows.

use super::{Direction, Plan};
use crate::domain::Severity;
use crate::store::From;
use rusqlite::{CachedStatement, Connection, Result, Rows};

/// How many rows a search looks at before it says "more": about a tenth of a second.
const MOST_ROWS: usize = 50_000;

/// A row that matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::sqlite) struct Hit {
    pub(in crate::store::sqlite) id: i64,
    pub(in crate::store::sqlite) severity: Severity,
}

/// What was found, newest first.
#[derive(Debug)]
pub(in crate::store::sqlite) struct Found {
    pub(in crate::store::sqlite) hits: Vec<Hit>,
    /// Whether there is more, or the search stopped before it could tell.
    pub(in crate::store::sqlite) has_more: bool,
}

/// Where a walk begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::sqlite) struct Start {
    direction: Direction,
    bound: i64,
}

impl Start {
    /// The start of a page, its key taken apart by `id`.
    pub(in crate::store::sqlite) fn of<K>(from: From<K>, id: impl Fn(K) -> i64) -> Start {
        match from {
            From::Newest => Start { direction: Direction::Down, bound: i64::MAX },
            From::Before(key) => Start { direction: Direction::Down, bound: id(key) },
            From::After(key) => Start { direction: Direction::Up, bound: id(key) },
        }
    }
}

/// The first `limit` rows that match from a start on.
pub(in crate::store::sqlite) fn find(
    db: &Connection,
    plan: &Plan,
    start: Start,
    limit: usize,
) -> Result<Found> {
    let sql = plan.sql(start.direction);
    let mut statements = prepare(db, plan, &sql, start.bound)?;
    let mut walks = Vec::new();
    for statement in &mut statements {
        walks.push(Cursor::start(statement.raw_query())?);
    }
    let mut found = merge(&mut walks, start.direction, limit)?;
    if start.direction == Direction::Up {
        found.hits.reverse();
    }
    Ok(found)
}

fn prepare<'a>(db: &'a Connection, plan: &Plan, sql: &str, bound: i64) -> Result<Vec<CachedStatement<'a>>> {
    let mut statements = Vec::new();
    for [first, second] in &plan.walk.keys {
        let mut statement = db.prepare_cached(sql)?;
        statement.raw_bind_parameter(1, first)?;
        statement.raw_bind_parameter(2, second)?;
        statement.raw_bind_parameter(3, bound)?;
        for (at, arg) in plan.args.iter().enumerate() {
            statement.raw_bind_parameter(at + 4, arg)?;
        }
        statements.push(statement);
    }
    Ok(statements)
}

/// One walk and the row that it stands on.
struct Cursor<'a> {
    rows: Rows<'a>,
    head: Option<(Hit, bool)>,
}

impl<'a> Cursor<'a> {
    fn start(rows: Rows<'a>) -> Result<Cursor<'a>> {
        let mut cursor = Cursor { rows, head: None };
        cursor.advance()?;
        Ok(cursor)
    }

    fn advance(&mut self) -> Result<()> {
        self.head = match self.rows.next()? {
            Some(row) => {
                let severity = Severity::from_rank(row.get(1)?);
                Some((Hit { id: row.get(0)?, severity }, row.get(2)?))
            }
            None => None,
        };
        Ok(())
    }
}

fn merge(walks: &mut [Cursor<'_>], direction: Direction, limit: usize) -> Result<Found> {
    let mut hits: Vec<Hit> = Vec::new();
    for _ in 0..MOST_ROWS {
        let Some(walk) = next(walks, direction) else { return Ok(Found { hits, has_more: false }) };
        let Some((hit, is_kept)) = walk.head else { return Ok(Found { hits, has_more: false }) };
        // Two walks meet the same row where an event names two logins of one pattern.
        let is_double = hits.last().is_some_and(|last| last.id == hit.id);
        if is_kept && !is_double {
            if hits.len() == limit {
                return Ok(Found { hits, has_more: true });
            }
            hits.push(hit);
        }
        walk.advance()?;
    }
    Ok(Found { hits, has_more: true })
}

/// The walk whose row comes next in the list.
fn next<'w, 'a>(walks: &'w mut [Cursor<'a>], direction: Direction) -> Option<&'w mut Cursor<'a>> {
    let order = |walk: &Cursor<'_>| {
        let id = walk.head.map(|(hit, _)| hit.id).unwrap_or_default();
        if direction == Direction::Up { id.saturating_neg() } else { id }
    };
    walks.iter_mut().filter(|walk| walk.head.is_some()).max_by_key(|walk| order(walk))
}
