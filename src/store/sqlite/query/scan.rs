//! Runs a plan: its walks side by side, merged in the list's order, stopped after a bounded number of
//! rows.

use super::super::rows::sized;
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

/// What was found, in the order of the list.
#[derive(Debug)]
pub(in crate::store::sqlite) struct Found {
    pub(in crate::store::sqlite) hits: Vec<Hit>,
    /// The last row that was looked at, if there is more behind it or the search stopped before it
    /// could tell.
    pub(in crate::store::sqlite) next: Option<i64>,
}

/// Where a walk begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::sqlite) struct Start {
    direction: Direction,
    bound: i64,
    order: Order,
}

/// In which order a walk comes upon its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// As the list has them.
    Listed,
    /// The other way round: it goes up a list that is read downwards.
    Reversed,
}

impl Start {
    /// The start of a page of a list whose highest ids stand on top, its key taken apart by `id`.
    pub(in crate::store::sqlite) fn of<K>(from: From<K>, id: impl Fn(K) -> i64) -> Start {
        let (down, up) = (Direction::Down, Direction::Up);
        match from {
            From::Newest => Start { direction: down, bound: i64::MAX, order: Order::Listed },
            From::Before(key) => Start { direction: down, bound: id(key), order: Order::Listed },
            From::After(key) => Start { direction: up, bound: id(key), order: Order::Reversed },
            From::Oldest => Start { direction: up, bound: i64::MIN, order: Order::Reversed },
        }
    }

    /// The start of a page of an event's users, whose lowest positions stand on top.
    pub(in crate::store::sqlite) fn of_users(from: From<usize>) -> Start {
        let (down, up) = (Direction::Down, Direction::Up);
        match from {
            From::Newest => Start { direction: up, bound: -1, order: Order::Listed },
            From::Before(at) => Start { direction: up, bound: sized(at), order: Order::Listed },
            From::After(at) => Start { direction: down, bound: sized(at), order: Order::Reversed },
            From::Oldest => Start { direction: down, bound: i64::MAX, order: Order::Reversed },
        }
    }
}

/// The first `limit` rows that match from a start on, in the order of the list.
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
    if start.order == Order::Reversed {
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
    let mut looked_at = None;
    for _ in 0..MOST_ROWS {
        let Some(walk) = next(walks, direction) else { return Ok(Found { hits, next: None }) };
        let Some((hit, is_kept)) = walk.head else { return Ok(Found { hits, next: None }) };
        // Two walks meet the same row where an event names two logins of one pattern.
        let is_double = hits.last().is_some_and(|last| last.id == hit.id);
        if is_kept && !is_double {
            if hits.len() == limit {
                return Ok(Found { hits, next: looked_at });
            }
            hits.push(hit);
        }
        looked_at = Some(hit.id);
        walk.advance()?;
    }
    Ok(Found { hits, next: looked_at })
}

/// The walk whose row comes next in the list.
fn next<'w, 'a>(walks: &'w mut [Cursor<'a>], direction: Direction) -> Option<&'w mut Cursor<'a>> {
    let order = |walk: &Cursor<'_>| {
        let id = walk.head.map(|(hit, _)| hit.id).unwrap_or_default();
        if direction == Direction::Up { id.saturating_neg() } else { id }
    };
    walks.iter_mut().filter(|walk| walk.head.is_some()).max_by_key(|walk| order(walk))
}

#[cfg(test)]
mod tests {
    use super::super::Walk;
    use super::*;
    use rusqlite::types::Value;

    /// More rows than one search looks at; every `nth` is kept.
    fn found(nth: i64, from: From<i64>) -> Found {
        let db = Connection::open_in_memory().unwrap();
        let rows = MOST_ROWS * 2 + 10;
        db.execute_batch(&format!(
            "CREATE TABLE e(id INTEGER PRIMARY KEY); INSERT INTO e WITH RECURSIVE n(i) AS \
             (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) SELECT i FROM n"
        ))
        .unwrap();
        let keys = vec![[Value::Null, Value::Null]];
        let walk = Walk { from: "e", condition: "1", id: "e.id", keys };
        let plan = Plan { walk, severity: "1", keep: format!("e.id % {nth} = 0"), args: Vec::new() };
        find(&db, &plan, Start::of(from, |id| id), 2).unwrap()
    }

    fn ids(found: &Found) -> Vec<i64> {
        found.hits.iter().map(|hit| hit.id).collect()
    }

    #[test]
    fn a_search_that_stops_for_breath_says_where_it_goes_on() {
        let none = 10_000_000;
        let first = found(none, From::Newest);
        assert_eq!((ids(&first), first.next), (vec![], Some(50_011)));
        let second = found(none, From::Before(50_011));
        assert_eq!((ids(&second), second.next), (vec![], Some(11)));
        assert_eq!(found(none, From::Before(11)).next, None);
        assert_eq!(found(none, From::After(5)).next, Some(50_005));
        assert_eq!(found(none, From::Oldest).next, Some(50_000));
    }

    #[test]
    fn a_full_page_goes_on_behind_what_was_looked_at() {
        let page = found(1_000, From::Before(10_000));
        assert_eq!((ids(&page), page.next), (vec![9_000, 8_000], Some(7_001)));
        assert_eq!(ids(&found(1_000, From::Before(7_001))), [7_000, 6_000]);
        let last = found(1_000, From::Oldest);
        assert_eq!((ids(&last), last.next), (vec![2_000, 1_000], Some(2_999)));
    }
}
