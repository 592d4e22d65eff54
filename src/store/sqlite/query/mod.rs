//! Query → SQL. The planner is the risk, not SQLite: every plan is pinned.
//!
//! A query becomes a [`Plan`]: one statement that walks one index in the order of the list, run once
//! for each of a few *keys* (a severity, a check and a severity, …), and the walks are merged. What the
//! index does not decide stands in the statement's *result*, not in its `WHERE`, so the planner can
//! make nothing of it, and [`scan`] stops after a bounded number of rows. `severity >= high` is two
//! short walks instead of the sort that the planner would choose, which takes seconds on 10 million
//! events.
//!
//! In every statement `?1` and `?2` are the key, `?3` is the page's bound, and the values of the other
//! conditions follow.

pub(super) mod events;
pub(super) mod findings;
pub(super) mod scan;
pub(super) mod users;

use crate::domain::query::{Pattern, Term, Test};
use crate::domain::{Query, Severity};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Result};

/// More checks or logins than these are not walked one by one: rows are filtered instead.
const MOST_REFS: usize = 16;
/// How many logins with a prefix are looked at to find those that match a pattern.
const MOST_LOGINS: usize = 2_000;

/// One walk: an index, pinned, and the columns that its keys are compared with.
#[derive(Debug, Clone, PartialEq)]
struct Walk {
    /// `FROM`, with its index.
    from: &'static str,
    /// `WHERE`, over `?1` and `?2`.
    condition: &'static str,
    /// The column that orders the list.
    id: &'static str,
    /// One run for each.
    keys: Vec<[Value; 2]>,
}

/// How a query is answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    walk: Walk,
    /// The column with the rank.
    severity: &'static str,
    /// What else must hold, an SQL expression.
    keep: String,
    /// The values in `keep`, from `?4` on.
    args: Vec<Value>,
}

/// Which way a list is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// From new to old.
    Down,
    /// From old to new.
    Up,
}

impl Plan {
    /// The statement of one walk.
    pub(super) fn sql(&self, direction: Direction) -> String {
        let Walk { from, condition, id, .. } = &self.walk;
        let (below, order) = match direction {
            Direction::Down => ("<", "DESC"),
            Direction::Up => (">", "ASC"),
        };
        let (severity, keep) = (self.severity, &self.keep);
        format!(
            "SELECT {id}, {severity}, {keep} FROM {from} WHERE {condition} AND {id} {below} ?3 ORDER BY {id} {order}"
        )
    }
}

/// The conditions that are checked row by row, with their values.
#[derive(Debug, Default)]
struct Keep {
    conditions: Vec<String>,
    args: Vec<Value>,
}

impl Keep {
    /// A parameter for a value.
    fn arg(&mut self, value: impl Into<Value>) -> String {
        self.args.push(value.into());
        format!("?{}", self.args.len() + 3)
    }

    fn and(&mut self, condition: String) {
        self.conditions.push(condition);
    }

    fn and_term(&mut self, term: &Term, condition: String) {
        self.and(if term.negated { format!("NOT ({condition})") } else { condition });
    }

    fn and_severities(&mut self, column: &str, severities: &[Severity]) {
        if severities.len() < Severity::ALL.len() {
            let ranks: Vec<String> = severities.iter().map(|s| s.rank().to_string()).collect();
            self.and(format!("{column} IN ({})", ranks.join(", ")));
        }
    }

    fn plan(self, walk: Walk, severity: &'static str) -> Plan {
        let keep = if self.conditions.is_empty() { "1".to_owned() } else { self.conditions.join(" AND ") };
        Plan { walk, severity, keep, args: self.args }
    }
}

/// The severities that a query's terms leave, worst first.
fn severities(query: &Query) -> Vec<Severity> {
    let mut left = Severity::ALL.to_vec();
    for term in &query.terms {
        if let Test::Severity(comparison, than) = &term.test {
            let matching = comparison.matching(*than);
            left.retain(|severity| matching.contains(severity) != term.negated);
        }
    }
    left
}

/// Each reference with each severity.
fn by_severity(severities: &[Severity], refs: &[i64]) -> Vec<[Value; 2]> {
    let of_ref = |id: &i64| severities.iter().map(|s| [rank(*s), Value::Integer(*id)]).collect::<Vec<_>>();
    refs.iter().flat_map(of_ref).collect()
}

fn rank(severity: Severity) -> Value {
    Value::Integer(severity.rank().into())
}

/// A pattern in SQLite's own form. Its `GLOB` compares exactly, so both sides are folded before.
fn glob(pattern: &Pattern) -> String {
    let pieces: Vec<String> = pattern.pieces().iter().map(|piece| glob_literal(piece)).collect();
    pieces.join("*")
}

fn glob_literal(piece: &str) -> String {
    piece.replace('[', "[[]").replace('?', "[?]").replace('*', "[*]")
}

/// The checks whose id or title matches, unless they are too many to walk one by one. There are
/// hundreds of checks, not millions.
fn check_refs(db: &Connection, pattern: &Pattern) -> Result<Option<Vec<i64>>> {
    let mut refs = db.prepare_cached(
        "SELECT id FROM checks WHERE id_folded GLOB ?1 OR title_folded GLOB ?1 ORDER BY id LIMIT ?2",
    )?;
    let limit = super::rows::sized(MOST_REFS + 1);
    let refs: Vec<i64> = refs.query_map((glob(pattern), limit), |row| row.get(0))?.collect::<Result<_>>()?;
    Ok((refs.len() <= MOST_REFS).then_some(refs))
}

/// The tags that match, unless they are too many to walk one by one. Rules make them: there are few.
fn tag_refs(db: &Connection, pattern: &Pattern) -> Result<Option<Vec<i64>>> {
    let mut refs = db.prepare_cached("SELECT id FROM tags WHERE folded GLOB ?1 ORDER BY id LIMIT ?2")?;
    let limit = super::rows::sized(MOST_REFS + 1);
    let refs: Vec<i64> = refs.query_map((glob(pattern), limit), |row| row.get(0))?.collect::<Result<_>>()?;
    Ok((refs.len() <= MOST_REFS).then_some(refs))
}

/// The logins that match a literal, or a pattern that begins with one, unless they are too many.
fn login_refs(db: &Connection, pattern: &Pattern) -> Result<Option<Vec<i64>>> {
    if let Some(literal) = pattern.literal() {
        let id = db
            .prepare_cached("SELECT id FROM logins WHERE folded = ?1")?
            .query_row([literal], |row| row.get(0))
            .optional()?;
        return Ok(Some(id.into_iter().collect()));
    }
    match pattern.pieces().first() {
        Some(prefix) if !prefix.is_empty() => logins_with_prefix(db, prefix, &glob(pattern)),
        _ => Ok(None),
    }
}

fn logins_with_prefix(db: &Connection, prefix: &str, glob: &str) -> Result<Option<Vec<i64>>> {
    let mut statement = db.prepare_cached(
        "SELECT id, folded GLOB ?3 FROM logins WHERE folded >= ?1 AND folded < ?2 ORDER BY folded",
    )?;
    let mut rows = statement.query((prefix, format!("{prefix}{}", char::MAX), glob))?;
    let (mut refs, mut looked) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        looked += 1;
        if row.get(1)? {
            refs.push(row.get(0)?);
        }
        if looked > MOST_LOGINS || refs.len() > MOST_REFS {
            return Ok(None);
        }
    }
    Ok(Some(refs))
}

/// Free text for FTS5: every word a prefix, so that it finds while it is typed. `None` if there is
/// nothing in it that is indexed.
fn match_expression(words: &str) -> Option<String> {
    let quoted = |word: &str| format!("\"{}\"*", word.replace('\0', " ").replace('"', "\"\""));
    let indexed = |word: &&str| word.chars().any(char::is_alphanumeric);
    let words: Vec<String> = words.split_whitespace().filter(indexed).map(quoted).collect();
    (!words.is_empty()).then(|| words.join(" AND "))
}

/// Whether a query has to look into the free text.
pub(super) fn uses_words(query: &Query) -> bool {
    query.terms.iter().any(|term| matches!(term.test, Test::Words(_)))
}

/// The SQL for "one of the sources that match".
fn source_condition(parameter: &str) -> String {
    format!("e.source_ref IN (SELECT id FROM sources WHERE folded GLOB {parameter})")
}

/// The SQL for "has one of the tags that match".
fn tag_condition(parameter: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM tags g CROSS JOIN event_tags t ON t.tag = g.id \
         WHERE g.folded GLOB {parameter} AND t.severity = e.severity AND t.event = e.id)"
    )
}

/// The SQL for "one of the checks that match".
fn check_condition(column: &str, parameter: &str) -> String {
    format!(
        "{column} IN (SELECT id FROM checks WHERE id_folded GLOB {parameter} OR title_folded GLOB {parameter})"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::migrate::{SEARCH, STORE};
    use crate::store::{FindingFilter, UserQuery};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn glob_matches_as_the_domain_does(pattern in "[aB*?\\\\\\[\\]é^-]{1,6}", text in "[abB*?\\\\\\[\\]éÉ^-]{0,6}") {
            let db = Connection::open_in_memory().unwrap();
            let pattern = Pattern(pattern);
            let found: bool = db
                .query_row("SELECT ?1 GLOB ?2", (text.to_lowercase(), glob(&pattern)), |row| row.get(0))
                .unwrap();
            prop_assert_eq!(found, pattern.matches(&text));
        }
    }

    /// Filters of every kind, alone and together.
    const CORPUS: [&str; 34] = [
        "tag:hygiene",
        "-tag:hygiene severity>=high",
        "tag:notify:* check:no-mfa",
        "quiet:no",
        "quiet:yes severity:low",
        "severity>=high state:open quiet:no",
        "user:ann@example.com quiet:no",
        "check:no-mfa -kind:test quiet:no",
        "impossible travel quiet:no",
        "-quiet:yes source:okta*",
        "",
        "severity>=high",
        "-severity:low",
        "check:no-mfa",
        "check:no-*",
        "check:no-mfa severity>=high",
        "-check:no-mfa",
        "user:ann@example.com",
        "user:ann*",
        "user:*@example.com",
        "user:ann@example.com severity>=high state:open",
        "-user:ann@example.com",
        "-user:ann*",
        "source:okta*",
        "-source:okta*",
        "kind:failed-check",
        "kind:test severity:high",
        "-kind:test",
        "state:open",
        "state:closed severity>=high",
        "-state:closed",
        "impossible travel",
        "impossible -travel user:ann@example.com",
        "impossible severity>=high source:okta* state:open",
    ];

    /// An empty store with its free text, and one check and two logins to resolve.
    fn store(folder: &std::path::Path) -> Connection {
        SEARCH.migrate(&mut Connection::open(folder.join("search.db")).unwrap()).unwrap();
        let mut db = Connection::open(folder.join("store.db")).unwrap();
        STORE.migrate(&mut db).unwrap();
        db.execute("ATTACH ?1 AS search", [folder.join("search.db").to_str().unwrap()]).unwrap();
        db.execute_batch(
            "INSERT INTO checks VALUES (1, 'no-mfa', 'No MFA', 'no-mfa', 'no mfa'); \
             INSERT INTO tags VALUES (1, 'hygiene', 'hygiene'), (2, 'notify:slack', 'notify:slack'); \
             INSERT INTO logins VALUES (1, 'ann@example.com'), (2, 'anna@example.com');",
        )
        .unwrap();
        db
    }

    fn explained(db: &Connection, sql: &str) -> Vec<String> {
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        // The values do not matter: no statistics are kept, so they cannot change a plan.
        let steps = statement.raw_query().mapped(|row| row.get::<_, String>("detail"));
        steps.collect::<Result<_>>().unwrap()
    }

    /// A full scan is fine of the few rows of `checks`, `sources` and `tags`; FTS5 calls every use a scan, with
    /// the index in its name.
    fn is_bounded(step: &str) -> bool {
        let is_small = ["SCAN checks", "SCAN sources", "SCAN tags", "SCAN g"]
            .iter()
            .any(|small| step.starts_with(small));
        let is_match = step.contains("VIRTUAL TABLE INDEX") && step.contains('M');
        !step.contains("TEMP B-TREE") && (!step.starts_with("SCAN") || is_small || is_match)
    }

    #[test]
    fn no_filter_sorts_or_scans_a_large_table() {
        let folder = tempfile::tempdir().unwrap();
        let db = store(folder.path());
        for text in CORPUS {
            let query = Query::parse(text).unwrap();
            let filter = FindingFilter { login: None, query: query.clone() };
            let plans = [events::plan(&db, &query).unwrap(), findings::plan(&db, &filter).unwrap()];
            for plan in plans {
                assert!(!plan.walk.keys.is_empty(), "{text}: nothing to walk");
                for direction in [Direction::Down, Direction::Up] {
                    let sql = plan.sql(direction);
                    let steps = explained(&db, &sql);
                    assert!(steps.iter().all(|step| is_bounded(step)), "{text}\n{sql}\n{steps:#?}");
                }
            }
        }
    }

    #[test]
    fn no_filter_of_an_events_users_leaves_that_event() {
        let folder = tempfile::tempdir().unwrap();
        let db = store(folder.path());
        for text in ["", "user:ann*", "user:ann@example.com", "-state:open", "ann smith", "-ann state:closed"]
        {
            let plan = users::plan(crate::domain::EventId(1), &UserQuery::parse(text).unwrap());
            for direction in [Direction::Down, Direction::Up] {
                let sql = plan.sql(direction);
                let steps = explained(&db, &sql);
                assert!(steps.iter().all(|step| is_bounded(step)), "{text}\n{sql}\n{steps:#?}");
                let walk = steps.iter().find(|step| step.contains(" u "));
                assert!(walk.is_some_and(|step| step.contains("event=? AND position")), "{text}\n{steps:#?}");
            }
        }
    }

    #[test]
    fn the_narrowest_walk_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let db = store(folder.path());
        let walk = |text: &str| events::plan(&db, &Query::parse(text).unwrap()).unwrap().walk;
        assert!(walk("state:open user:ann* severity>=high").from.starts_with("event_logins"));
        assert_eq!(walk("state:open user:ann* severity>=high").keys.len(), 4, "two logins, two severities");
        assert!(walk("user:*@example.com state:open").from.ends_with("events_open"));
        assert!(walk("-check:no-mfa severity:low").from.ends_with("events_severity"));
        assert!(walk("kind:failed-check").from.ends_with("NOT INDEXED"));
        assert!(walk("user:nobody").keys.is_empty());
        // What the feed asks for without a filter, and with one that leaves most of it.
        assert!(walk("quiet:no").from.ends_with("events_loud"));
        assert_eq!((walk("quiet:no").keys.len(), walk("severity>=high quiet:no").keys.len()), (6, 2));
    }

    /// A page of the feed reads the index of what it shows, and nothing of the records that it leaves out.
    #[test]
    fn the_feed_does_not_touch_the_records_that_it_leaves_out() {
        let folder = tempfile::tempdir().unwrap();
        let db = store(folder.path());
        let feed = Query::default().without_records();
        let sql = events::plan(&db, &feed).unwrap().sql(Direction::Down);
        let steps = explained(&db, &sql);
        assert!(matches!(&steps[..], [one] if one.contains("events_loud (severity=?")), "{steps:#?}");
    }

    #[test]
    fn words_become_prefixes_that_cannot_be_syntax() {
        let expression = |words| match_expression(words);
        assert_eq!(expression("imp travel").as_deref(), Some("\"imp\"* AND \"travel\"*"));
        assert_eq!(expression("a\"b OR NEAR(").as_deref(), Some("\"a\"\"b\"* AND \"OR\"* AND \"NEAR(\"*"));
        assert_eq!(expression(" … - "), None);
    }
}
