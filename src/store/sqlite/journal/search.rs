//! Looks records up: along the values that they are found by, else along the journal itself, a bounded number at
//! a time.
//!
//! Where a row is an action or a run on many, it stands where the last of its records does that is on the way: each is
//! met once, whichever way the journal is gone through, and whatever comes between two pages.

use super::record::record;
use crate::domain::journal::Record;
use crate::domain::journal::query::{JournalQuery, Rows};
use crate::domain::journal::told::{Term, Told};
use crate::store::{From, Page};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Result, Row, ToSql};
use std::collections::{BTreeMap, BTreeSet};

/// How many records a search looks at before it says "more": some hundredths of a second.
const MOST_LOOKED_AT: usize = 5_000;
/// A clock that was set back puts a record this far from its place in time, at most, before a span misses it.
const CLOCK: SignedDuration = SignedDuration::from_hours(24);

/// The first and the last place.
type Places = (i64, i64);
const NOWHERE: Places = (1, 0);
/// Of an action so many of the newest records are read, where it has more than a handful: looks are what it may have
/// any number of.
const NEWEST_OF_ACTION: i64 = 64;
/// And so many of the oldest, which say who ran it, on whom and why.
const OLDEST_OF_ACTION: i64 = 8;
/// And so many of the newest words on it, which may have any number of looks behind them.
const WORDS_OF_ACTION: i64 = 16;

/// Which way the journal is gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Down,
    Up,
}

/// A page of what is asked for, newest first.
pub(in crate::store::sqlite) fn page(
    db: &Connection,
    query: &JournalQuery,
    now: Timestamp,
    from: From<i64>,
    limit: usize,
) -> Result<Page<Record>> {
    let within = places(db, query.span(now))?;
    let (way, places) = match from {
        From::Newest => (Way::Down, within),
        From::Before(place) => (Way::Down, (within.0, place.saturating_sub(1).min(within.1))),
        From::After(place) => (Way::Up, (place.saturating_add(1).max(within.0), within.1)),
        From::Oldest => (Way::Up, within),
    };
    let mut found = Found::new(limit);
    let (low, high) = places;
    let term = query.narrowest();
    let sql = sql(term.is_some(), way);
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = match &term {
        Some((name, value)) => statement.query([&low as &dyn ToSql, &high, name, value])?,
        None => statement.query([low, high])?,
    };
    let along = Along { db, query, term: term.as_ref(), high: within.1, now };
    while let Some(row) = rows.next()? {
        if !found.look(row, &along)? {
            break;
        }
    }
    Ok(found.page(way))
}

/// What is gone along, and what is asked for.
struct Along<'a> {
    db: &'a Connection,
    query: &'a JournalQuery,
    term: Option<&'a Term>,
    /// The last place on the way.
    high: i64,
    now: Timestamp,
}

/// The later records of an action, or of a run on many, on the way: along the journal, and along a value.
const LATER: &str = "SELECT j.* FROM journal_terms a CROSS JOIN journal j ON j.seq = a.seq \
     WHERE a.name = ?1 AND a.value = ?2 AND a.seq > ?3 AND a.seq <= ?4 ORDER BY a.seq DESC";
const LATER_OF_TERM: &str = "SELECT j.* FROM journal_terms a CROSS JOIN journal_terms t \
     ON t.name = ?5 AND t.value = ?6 AND t.seq = a.seq CROSS JOIN journal j ON j.seq = a.seq \
     WHERE a.name = ?1 AND a.value = ?2 AND a.seq > ?3 AND a.seq <= ?4 ORDER BY a.seq DESC";
/// What there is of one: its newest records, its oldest ones, and its words.
const NEWEST: &str = "SELECT j.* FROM journal_terms a CROSS JOIN journal j ON j.seq = a.seq \
     WHERE a.name = ?1 AND a.value = ?2 ORDER BY a.seq DESC LIMIT ?3";
const OLDEST: &str = "SELECT j.* FROM journal_terms a CROSS JOIN journal j ON j.seq = a.seq \
     WHERE a.name = ?1 AND a.value = ?2 ORDER BY a.seq ASC LIMIT ?3";
const WORDS: &str = "SELECT j.* FROM journal_terms a CROSS JOIN journal_terms k \
     ON k.name = 'kind' AND k.value = 'said' AND k.seq = a.seq CROSS JOIN journal j ON j.seq = a.seq \
     WHERE a.name = ?1 AND a.value = ?2 ORDER BY a.seq DESC LIMIT ?3";
/// Whether a record is found by a value, whatever its content says.
const KEPT: &str = "SELECT 1 FROM journal_terms WHERE name = ?1 AND value = ?2 AND seq = ?3";

impl Along<'_> {
    /// Whether a record at a place is a row of the answer, and how many more were looked at to tell.
    fn is_row(&self, record: &Record, place: i64) -> Result<(bool, usize)> {
        let about = Told::of(record).about().filter(|_| self.query.rows() == Rows::Actions);
        let Some(about) = about else { return Ok((self.matches(record, place)?, 0)) };
        if self.has_later(&about, place)? {
            return Ok((false, 0));
        }
        if self.query.is_empty() {
            return Ok((true, 0));
        }
        let all = self.all_of(&about)?;
        Ok((self.query.matches_action(record, &all, self.now), all.len()))
    }

    /// Whether a record is asked for: by what it says, and by what it was kept to be found by, where somebody edited it
    /// since, or it cannot be read any more. A damaged one is rather shown than hidden.
    fn matches(&self, record: &Record, place: i64) -> Result<bool> {
        if self.query.matches(record, self.now) {
            return Ok(true);
        }
        let mut kept = BTreeSet::new();
        for (name, value) in self.query.exact() {
            if self.db.prepare_cached(KEPT)?.exists((name, &value, place))? {
                kept.insert((name, value));
            }
        }
        Ok(self.query.matches_kept(record, &kept, self.now))
    }

    /// Whether there is a later record of the same on the way: one that cannot be read as its own is none.
    fn has_later(&self, about: &Term, place: i64) -> Result<bool> {
        let (name, value) = about;
        match self.term {
            None => {
                let mut later = self.db.prepare_cached(LATER)?;
                is_any_of(about, later.query((name, value, place, self.high))?)
            }
            Some((by, is)) => {
                let mut later = self.db.prepare_cached(LATER_OF_TERM)?;
                is_any_of(about, later.query((name, value, place, self.high, by, is))?)
            }
        }
    }

    /// What there is of an action, or of a run on many, newest first: all of it but for looks that are neither among the
    /// newest nor among the oldest.
    fn all_of(&self, about: &Term) -> Result<Vec<Record>> {
        let newest = self.some_of(NEWEST, about, NEWEST_OF_ACTION)?;
        let oldest = self.some_of(OLDEST, about, OLDEST_OF_ACTION)?;
        let words = self.some_of(WORDS, about, WORDS_OF_ACTION)?;
        let mut all: BTreeMap<u64, Record> = BTreeMap::new();
        all.extend([newest, oldest, words].into_iter().flatten().map(|record| (record.seq, record)));
        Ok(all.into_values().rev().collect())
    }

    fn some_of(&self, sql: &str, about: &Term, most: i64) -> Result<Vec<Record>> {
        let mut statement = self.db.prepare_cached(sql)?;
        let found: Vec<Record> =
            statement.query_map((about.0, &about.1, most), record)?.collect::<Result<_>>()?;
        // What cannot be read as a record of it is a row of its own, and says nothing of it.
        Ok(found.into_iter().filter(|record| Told::of(record).about().as_ref() == Some(about)).collect())
    }
}

fn is_any_of(about: &Term, mut rows: rusqlite::Rows<'_>) -> Result<bool> {
    while let Some(row) = rows.next()? {
        if Told::of(&record(row)?).about().as_ref() == Some(about) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Pinned: both are walks in the journal's order, so nothing is sorted and nothing else is read.
fn sql(has_term: bool, way: Way) -> String {
    let order = if way == Way::Down { "DESC" } else { "ASC" };
    match has_term {
        true => format!(
            "SELECT j.* FROM journal_terms t CROSS JOIN journal j ON j.seq = t.seq \
             WHERE t.name = ?3 AND t.value = ?4 AND t.seq >= ?1 AND t.seq <= ?2 ORDER BY t.seq {order}"
        ),
        false => {
            format!("SELECT * FROM journal NOT INDEXED WHERE seq >= ?1 AND seq <= ?2 ORDER BY seq {order}")
        }
    }
}

/// What was found so far.
struct Found {
    limit: usize,
    looked_at: usize,
    /// The place of the last one that was looked at.
    last: i64,
    rows: Vec<Record>,
    has_more: bool,
}

impl Found {
    fn new(limit: usize) -> Found {
        Found { limit, looked_at: 0, last: 0, rows: Vec::new(), has_more: false }
    }

    /// Looks at a record; says whether another may be looked at.
    fn look(&mut self, row: &Row<'_>, along: &Along<'_>) -> Result<bool> {
        if self.rows.len() >= self.limit || self.looked_at >= MOST_LOOKED_AT {
            self.has_more = true;
            return Ok(false);
        }
        (self.looked_at, self.last) = (self.looked_at + 1, row.get("seq")?);
        let record = record(row)?;
        let (is_row, more) = along.is_row(&record, self.last)?;
        self.looked_at += more;
        if is_row {
            self.rows.push(record);
        }
        Ok(true)
    }

    fn page(mut self, way: Way) -> Page<Record> {
        if way == Way::Up {
            self.rows.reverse();
        }
        Page { rows: self.rows, next: self.has_more.then_some(self.last) }
    }
}

/// Between which places the records of a span stand: their times go up with their places, but for a clock that was
/// set.
fn places(db: &Connection, (since, until): (Option<Timestamp>, Option<Timestamp>)) -> Result<Places> {
    let low = match since {
        None => i64::MIN,
        Some(since) => {
            let near = between(since, since.saturating_add(CLOCK));
            let first = one(db, MIN, near)?.or(one(db, FIRST, (near.0, i64::MAX))?);
            let Some(first) = first else { return Ok(NOWHERE) };
            first
        }
    };
    let high = match until {
        None => i64::MAX,
        Some(until) => {
            let near = between_back(until);
            let last = one(db, MAX, near)?.or(one(db, LAST, (i64::MIN, near.1))?);
            let Some(last) = last else { return Ok(NOWHERE) };
            last
        }
    };
    Ok((low, high))
}

const MIN: &str = "SELECT min(seq) FROM journal INDEXED BY journal_at WHERE at >= ?1 AND at < ?2";
const MAX: &str = "SELECT max(seq) FROM journal INDEXED BY journal_at WHERE at >= ?1 AND at < ?2";
const FIRST: &str =
    "SELECT seq FROM journal INDEXED BY journal_at WHERE at >= ?1 AND at < ?2 ORDER BY at, seq LIMIT 1";
const LAST: &str = "SELECT seq FROM journal INDEXED BY journal_at WHERE at >= ?1 AND at < ?2 ORDER BY at DESC, seq DESC LIMIT 1";

fn between(from: Timestamp, to: std::result::Result<Timestamp, jiff::Error>) -> (i64, i64) {
    (from.as_microsecond(), to.map_or(i64::MAX, Timestamp::as_microsecond))
}

fn between_back(until: Timestamp) -> (i64, i64) {
    (until.saturating_sub(CLOCK).map_or(i64::MIN, Timestamp::as_microsecond), until.as_microsecond())
}

fn one(db: &Connection, sql: &str, (from, to): (i64, i64)) -> Result<Option<i64>> {
    db.prepare_cached(sql)?
        .query_row((from, to), |row| row.get::<_, Option<i64>>(0))
        .optional()
        .map(Option::flatten)
}

#[cfg(test)]
mod tests {
    use super::super::append;
    use super::*;
    use crate::domain::ActionId;
    use crate::domain::journal::RecordKind;
    use rstest::rstest;
    use serde_json::json;

    fn store() -> Connection {
        let mut db = Connection::open_in_memory().unwrap();
        crate::store::sqlite::migrate::STORE.migrate(&mut db).unwrap();
        db
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn written(n: i64) -> Connection {
        let db = store();
        db.execute_batch("BEGIN").unwrap();
        for i in 1..=n {
            let login = if i % 10 == 0 { "Ann" } else { "bob" };
            append(&db, at(i), RecordKind::Triage, &json!({ "login": login, "n": i })).unwrap();
        }
        db.execute_batch("COMMIT").unwrap();
        db
    }

    /// All pages of a query, one behind the other: the places, and how many pages it took.
    fn all(db: &Connection, text: &str, limit: usize) -> (Vec<u64>, usize) {
        let query = JournalQuery::parse(text).unwrap();
        let (mut places, mut from, mut pages) = (Vec::new(), From::Newest, 0);
        loop {
            let found = page(db, &query, at(1_000_000), from, limit).unwrap();
            pages += 1;
            places.extend(found.rows.iter().map(|record| record.seq));
            match found.next {
                Some(next) => from = From::Before(next),
                None => return (places, pages),
            }
        }
    }

    #[test]
    fn pages_join_without_a_gap_and_without_a_double() {
        let db = written(25);
        let down: Vec<u64> = (1..=25).rev().collect();
        assert_eq!(all(&db, "", 10), (down.clone(), 3));
        assert_eq!(all(&db, "", 25), (down, 1));
        assert_eq!(all(&db, "user:ann", 1), (vec![20, 10], 2));
        assert_eq!(all(&db, "user:a* since:1970-01-01T00:00:15Z", 9), (vec![20], 1));
        assert_eq!(all(&db, "until:1970-01-01T00:00:03Z", 9), (vec![2, 1], 1));
        assert_eq!(all(&db, "until:1970-01-01T00:00:01Z", 9), (vec![], 1));
        assert_eq!(all(&db, "since:1970-01-03", 9), (vec![], 1));
        let up = page(&db, &JournalQuery::default(), at(0), From::After(3), 2).unwrap();
        assert_eq!((up.rows.iter().map(|r| r.seq).collect::<Vec<_>>(), up.next), (vec![5, 4], Some(5)));
    }

    /// Three actions, what is recorded of each among the others', and a triage change.
    fn of_actions() -> Connection {
        let db = store();
        let one = |n: u128, kind, outcome: &str, second| {
            let id = ActionId(uuid::Uuid::from_u128(n)).to_string();
            let mut content = json!({ "action": id, "login": format!("ann{n}"), "flow": "f" });
            match kind {
                RecordKind::Intended => content["actor"] = json!({ "user": "bo", "host": "h" }),
                _ => content["outcome"] = outcome.into(),
            }
            append(&db, at(second), kind, &content).unwrap();
        };
        one(1, RecordKind::Intended, "", 1);
        one(2, RecordKind::Intended, "", 2);
        one(1, RecordKind::Settled, "unknown", 3);
        append(&db, at(4), RecordKind::Triage, &json!({ "login": "ann1" })).unwrap();
        one(2, RecordKind::Settled, "changed", 5);
        one(3, RecordKind::Intended, "", 6);
        one(1, RecordKind::Settled, "changed", 7);
        db
    }

    /// All rows of actions, downwards page by page and upwards: each action once.
    fn rows(db: &Connection, text: &str, limit: usize) -> Vec<u64> {
        let query = JournalQuery::parse(text).unwrap().in_rows(Rows::Actions);
        let gone = |mut from: From<i64>, next: fn(i64) -> From<i64>| {
            let mut places = Vec::new();
            loop {
                let found = page(db, &query, at(100), from, limit).unwrap();
                places.extend(found.rows.iter().map(|record| record.seq));
                match found.next {
                    Some(place) => from = next(place),
                    None => return places,
                }
            }
        };
        let down = gone(From::Newest, From::Before);
        let mut up = gone(From::After(i64::MIN), From::After);
        up.sort_by_key(|place| std::cmp::Reverse(*place));
        assert_eq!(down, up, "{text}");
        down
    }

    /// It is queued, paused and done: one row, where its last record stands.
    #[test]
    fn a_run_on_many_is_one_row() {
        let db = store();
        let id = uuid::Uuid::from_u128(7);
        for (second, state) in [(1, "running"), (3, "paused"), (5, "done")] {
            let content = json!({ "bulk": id, "flow": "f", "state": state, "why": state });
            append(&db, at(second), RecordKind::Bulk, &content).unwrap();
            append(&db, at(second + 1), RecordKind::Triage, &json!({ "login": "ann" })).unwrap();
        }
        for limit in 1..=6 {
            assert_eq!(rows(&db, "", limit), [6, 5, 4, 2]);
            assert_eq!(rows(&db, &format!("bulk:{id}"), limit), [5]);
            assert_eq!(rows(&db, "until:1970-01-01T00:00:05Z", limit), [4, 3, 2], "as of then");
        }
        assert_eq!(all(&db, "kind:bulk", 2).0, [5, 3, 1], "every record is there too");
    }

    #[test]
    fn an_action_is_one_row_wherever_a_page_ends() {
        let db = of_actions();
        for limit in 1..=8 {
            assert_eq!(rows(&db, "", limit), [7, 6, 5, 4]);
            assert_eq!(rows(&db, "user:ann1", limit), [7, 4]);
            assert_eq!(rows(&db, "user:ann*", limit), [7, 6, 5, 4]);
            assert_eq!(rows(&db, "by:bo", limit), [6, 2, 1], "found by its intent, once");
            assert_eq!(rows(&db, "by:bo outcome:changed", limit), [7, 5], "of two records together");
            assert_eq!(rows(&db, "outcome:unknown", limit), [0_u64; 0], "it is unknown no more");
            assert_eq!(rows(&db, "until:1970-01-01T00:00:06Z", limit), [5, 4, 3], "as of then");
            assert_eq!(rows(&db, "since:1970-01-01T00:00:06Z", limit), [7, 6]);
        }
        assert_eq!(all(&db, "", 3).0, [7, 6, 5, 4, 3, 2, 1], "every record is there too");
    }

    #[rstest]
    #[case::no_json("what", "{]")]
    #[case::of_no_action("edited", r#"{"login":"bob","flow":"f","outcome":"changed"}"#)]
    #[case::gone("gone", "")]
    fn a_record_that_cannot_be_read_hides_neither_its_action_nor_itself(
        #[case] how: &str,
        #[case] content: &str,
    ) {
        let db = of_actions();
        let content = (how != "gone").then_some(content);
        db.execute("UPDATE journal SET content = ?1 WHERE seq = 7", [content]).unwrap();
        for limit in 1..=8 {
            assert_eq!(rows(&db, "", limit), [7, 6, 5, 4, 3], "{how}");
            assert_eq!(rows(&db, "user:ann1", limit), [7, 4, 3], "{how}");
            assert_eq!(rows(&db, "user:ann1 flow:f outcome:changed", limit), [7], "{how}");
            assert_eq!(rows(&db, "by:bo outcome:changed", limit), [5], "{how}");
        }
        assert_eq!(all(&db, "user:ann1 outcome:changed", 3).0, [7], "{how}");
        assert_eq!(all(&db, "user:ann2 outcome:changed", 3).0, [5], "{how}");
    }

    #[test]
    fn however_often_an_action_was_looked_at_who_ran_it_and_every_word_on_it_finds_it() {
        let db = store();
        let id = ActionId(uuid::Uuid::from_u128(1)).to_string();
        let (bo, eve) = (json!({ "user": "bo", "host": "h" }), json!({ "user": "eve", "host": "h" }));
        let intent = json!({ "action": id, "login": "ann", "flow": "f", "actor": bo, "reason": "phished" });
        append(&db, at(1), RecordKind::Intended, &intent).unwrap();
        let look = json!({ "action": id, "login": "ann", "flow": "f", "outcome": "unknown" });
        let look = |n: i64| append(&db, at(n), RecordKind::Settled, &look).unwrap();
        (2..=20).for_each(look);
        let word = json!({ "action": id, "login": "ann", "flow": "f", "said": "changed", "actor": eve });
        append(&db, at(21), RecordKind::Said, &word).unwrap();
        (22..=200).for_each(look);
        for query in
            ["by:bo user:ann", "by:bo outcome:unknown phished", "by:eve said:changed outcome:unknown"]
        {
            assert_eq!(rows(&db, query, 9).len(), 1, "{query}");
        }
        assert_eq!(rows(&db, "user:ann by:eve phished", 9), [200]);
        assert_eq!(rows(&db, "user:ann by:nobody", 9), [0_u64; 0]);
    }

    #[test]
    fn a_search_stops_for_breath_however_long_the_journal_is() {
        let db = written(i64::try_from(MOST_LOOKED_AT).unwrap() + 500);
        let page = page(&db, &JournalQuery::parse("\"n\\\":3}\"").unwrap(), at(0), From::Newest, 9).unwrap();
        assert_eq!((page.rows.len(), page.next), (0, Some(501)));
        assert_eq!(all(&db, "\"n\\\":3}\"", 9), (vec![3], 2));
    }

    #[test]
    fn a_clock_that_was_set_back_hides_nothing_of_a_span() {
        let db = store();
        for second in [100, 200, 150, 300] {
            append(&db, at(second), RecordKind::Triage, &json!({})).unwrap();
        }
        assert_eq!(all(&db, "until:1970-01-01T00:03:00Z", 9).0, [3, 1]);
        assert_eq!(all(&db, "since:1970-01-01T00:03:00Z", 9).0, [4, 2]);
    }

    #[test]
    fn no_page_is_sorted_and_none_reads_what_is_not_asked_for() {
        let db = written(10);
        let mut all: Vec<(String, usize)> = [MIN, MAX, FIRST, LAST].map(|sql| (sql.to_owned(), 2)).into();
        for way in [Way::Down, Way::Up] {
            all.extend([(sql(false, way), 2), (sql(true, way), 4)]);
        }
        all.extend([(LATER.to_owned(), 4), (LATER_OF_TERM.to_owned(), 6), (KEPT.to_owned(), 3)]);
        all.extend([NEWEST, OLDEST, WORDS].map(|sql| (sql.to_owned(), 3)));
        for (sql, args) in all {
            let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let args = rusqlite::params_from_iter(vec![1_i64; args]);
            let steps = statement.query_map(args, |row| row.get::<_, String>("detail")).unwrap();
            let steps: Vec<String> = steps.collect::<Result<_>>().unwrap();
            assert!(steps.iter().all(|step| step.starts_with("SEARCH")), "{sql}\n{steps:#?}");
        }
    }
}
