//! The plan of a query over events.

use super::{
    Keep, Plan, Walk, by_severity, check_condition, check_refs, glob, login_refs, match_expression, rank,
    severities, source_condition, tag_condition, tag_refs,
};
use crate::domain::query::Test;
use crate::domain::{EventKind, FindingState, Query, Severity};
use rusqlite::types::Value;
use rusqlite::{Connection, Result};

/// The plan of a query: the narrowest walk that one of its terms allows, the other terms row by row.
pub(in crate::store::sqlite) fn plan(db: &Connection, query: &Query) -> Result<Plan> {
    let severities = severities(query);
    let (walk, decided) = walk(db, query, &severities)?;
    let mut keep = Keep::default();
    if !walk.condition.contains("severity") {
        keep.and_severities("e.severity", &severities);
    }
    for (at, term) in query.terms.iter().enumerate() {
        let is_decided = decided == Some(at) || matches!(term.test, Test::Severity(..));
        if !is_decided {
            let condition = condition(&mut keep, &term.test);
            keep.and_term(term, condition);
        }
    }
    Ok(keep.plan(walk, "e.severity"))
}

/// The walk that a test allows, if it allows one.
type Way = fn(&Connection, &Test, &[Severity]) -> Result<Option<Walk>>;

/// Narrowest first: a user has few events, words fewer than a check, a check fewer than a state.
const WAYS: [Way; 7] = [by_user, by_words, by_tag, by_check, by_kind, by_state, by_quiet];

/// A walk, and the term that it decides.
fn walk(db: &Connection, query: &Query, severities: &[Severity]) -> Result<(Walk, Option<usize>)> {
    for by in WAYS {
        for (at, term) in query.terms.iter().enumerate().filter(|(_, term)| !term.negated) {
            if let Some(walk) = by(db, &term.test, severities)? {
                return Ok((walk, Some(at)));
            }
        }
    }
    let is_any = severities.len() == Severity::ALL.len();
    Ok((if is_any { all() } else { of_severities(severities) }, None))
}

fn all() -> Walk {
    let keys = vec![[Value::Null, Value::Null]];
    Walk { from: "events e NOT INDEXED", condition: "1", id: "e.id", keys }
}

fn of_severities(severities: &[Severity]) -> Walk {
    let keys = severities.iter().map(|severity| [rank(*severity), Value::Null]).collect();
    Walk { from: "events e INDEXED BY events_severity", condition: "e.severity = ?1", id: "e.id", keys }
}

fn by_user(db: &Connection, test: &Test, severities: &[Severity]) -> Result<Option<Walk>> {
    let Test::User(pattern) = test else { return Ok(None) };
    let walk = |refs: Vec<i64>| Walk {
        from: "event_logins i CROSS JOIN events e ON e.id = i.event",
        condition: "i.login = ?2 AND i.severity = ?1",
        id: "i.event",
        keys: by_severity(severities, &refs),
    };
    Ok(login_refs(db, pattern)?.map(walk))
}

fn by_words(_: &Connection, test: &Test, _: &[Severity]) -> Result<Option<Walk>> {
    let Test::Words(words) = test else { return Ok(None) };
    Ok(match_expression(words).map(|expression| Walk {
        from: "search.words w CROSS JOIN events e ON e.id = w.rowid",
        condition: "w.words MATCH ?2",
        id: "w.rowid",
        keys: vec![[Value::Null, Value::Text(expression)]],
    }))
}

fn by_check(db: &Connection, test: &Test, severities: &[Severity]) -> Result<Option<Walk>> {
    let Test::Check(pattern) = test else { return Ok(None) };
    let walk = |refs: Vec<i64>| Walk {
        from: "events e INDEXED BY events_check",
        condition: "e.check_ref = ?2 AND e.severity = ?1",
        id: "e.id",
        keys: by_severity(severities, &refs),
    };
    Ok(check_refs(db, pattern)?.map(walk))
}

fn by_tag(db: &Connection, test: &Test, severities: &[Severity]) -> Result<Option<Walk>> {
    let Test::Tag(pattern) = test else { return Ok(None) };
    let walk = |refs: Vec<i64>| Walk {
        from: "event_tags t CROSS JOIN events e ON e.id = t.event",
        condition: "t.tag = ?2 AND t.severity = ?1",
        id: "t.event",
        keys: by_severity(severities, &refs),
    };
    Ok(tag_refs(db, pattern)?.map(walk))
}

/// What the feed shows is `quiet:no`: most of a System Log is not looked at on the way.
fn by_quiet(_: &Connection, test: &Test, severities: &[Severity]) -> Result<Option<Walk>> {
    let Test::Quiet(is_quiet) = test else { return Ok(None) };
    let (from, condition) = match is_quiet {
        true => ("events e INDEXED BY events_quiet", "e.quiet = 1 AND e.severity = ?1"),
        false => ("events e INDEXED BY events_loud", "e.quiet = 0 AND e.severity = ?1"),
    };
    Ok(Some(Walk { from, condition, ..of_severities(severities) }))
}

/// Failed checks are nearly all of the feed; the index holds the other kinds.
fn by_kind(_: &Connection, test: &Test, severities: &[Severity]) -> Result<Option<Walk>> {
    let Test::Kind(kind) = test else { return Ok(None) };
    if *kind == EventKind::FailedCheck {
        return Ok(None);
    }
    let key = |severity: &Severity| [rank(*severity), Value::Text(kind.word().to_owned())];
    Ok(Some(Walk {
        from: "events e INDEXED BY events_kind",
        condition: "e.kind <> 'failed-check' AND e.kind = ?2 AND e.severity = ?1",
        id: "e.id",
        keys: severities.iter().map(key).collect(),
    }))
}

fn by_state(_: &Connection, test: &Test, severities: &[Severity]) -> Result<Option<Walk>> {
    let Test::State(state) = test else { return Ok(None) };
    let (from, condition) = match state {
        FindingState::Open => ("events e INDEXED BY events_open", "e.open > 0 AND e.severity = ?1"),
        FindingState::Claimed => ("events e INDEXED BY events_claimed", "e.claimed > 0 AND e.severity = ?1"),
        FindingState::Snoozed => ("events e INDEXED BY events_snoozed", "e.snoozed > 0 AND e.severity = ?1"),
        FindingState::Closed => ("events e INDEXED BY events_closed", "e.closed > 0 AND e.severity = ?1"),
    };
    Ok(Some(Walk { from, condition, ..of_severities(severities) }))
}

/// A term row by row.
fn condition(keep: &mut Keep, test: &Test) -> String {
    match test {
        // Decided before, for all terms together.
        Test::Severity(..) => "1".to_owned(),
        Test::Check(pattern) => check_condition("e.check_ref", &keep.arg(glob(pattern))),
        Test::Source(pattern) => source_condition(&keep.arg(glob(pattern))),
        Test::Kind(kind) => format!("e.kind = {}", keep.arg(kind.word().to_owned())),
        Test::State(state) => format!("e.{} > 0", state.word()),
        Test::Tag(pattern) => tag_condition(&keep.arg(glob(pattern))),
        Test::Quiet(is_quiet) => format!("e.quiet = {}", u8::from(*is_quiet)),
        Test::User(pattern) => match pattern.literal() {
            Some(literal) => has_login(&keep.arg(literal)),
            None => has_login_like(&keep.arg(glob(pattern))),
        },
        Test::Words(words) => match match_expression(words) {
            Some(expression) => has_words(&keep.arg(expression)),
            None => "1".to_owned(),
        },
    }
}

fn has_login(parameter: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM event_logins x WHERE x.login = (SELECT id FROM logins WHERE folded = {parameter}) \
         AND x.severity = e.severity AND x.event = e.id)"
    )
}

fn has_login_like(parameter: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM event_users u CROSS JOIN logins l ON l.id = u.login \
         WHERE u.event = e.id AND l.folded GLOB {parameter})"
    )
}

fn has_words(parameter: &str) -> String {
    format!("EXISTS (SELECT 1 FROM search.words x WHERE x.words MATCH {parameter} AND x.rowid = e.id)")
}
