//! The plan of a query over findings.

use super::{
    Keep, Plan, Walk, by_severity, check_condition, check_refs, glob, login_refs, rank, severities,
    source_condition, tag_condition,
};
use crate::domain::query::{Pattern, Test};
use crate::domain::{FindingState, Severity};
use crate::store::FindingFilter;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Result};

/// The plan of a filter: by login, by check, by state and severity, or all. The other terms row by row.
pub(in crate::store::sqlite) fn plan(db: &Connection, filter: &FindingFilter) -> Result<Plan> {
    let severities = severities(&filter.query);
    let states = states(filter);
    let walk = walk(db, filter, &severities, &states)?;
    let mut keep = Keep::default();
    if !walk.condition.contains("severity") {
        keep.and_severities("f.severity", &severities);
        and_states(&mut keep, &states);
    }
    for term in &filter.query.terms {
        if !matches!(term.test, Test::Severity(..) | Test::State(_)) {
            let condition = condition(&mut keep, &term.test);
            keep.and_term(term, condition);
        }
    }
    Ok(keep.plan(walk, "f.severity"))
}

/// The states that a query's terms leave.
fn states(filter: &FindingFilter) -> Vec<FindingState> {
    let mut left = FindingState::ALL.to_vec();
    for term in &filter.query.terms {
        if let Test::State(state) = term.test {
            left.retain(|other| (*other == state) != term.negated);
        }
    }
    left
}

fn and_states(keep: &mut Keep, states: &[FindingState]) {
    if states.len() < FindingState::ALL.len() {
        let words: Vec<String> = states.iter().map(|state| format!("'{}'", state.word())).collect();
        keep.and(format!("f.state IN ({})", words.join(", ")));
    }
}

fn walk(
    db: &Connection,
    filter: &FindingFilter,
    severities: &[Severity],
    states: &[FindingState],
) -> Result<Walk> {
    if let Some(login) = &filter.login {
        let id = db
            .prepare_cached("SELECT id FROM logins WHERE folded = ?1")?
            .query_row([login.folded()], |row| row.get(0))
            .optional()?;
        return Ok(of_logins(id.into_iter().collect()));
    }
    let wanted = filter.query.terms.iter().filter(|term| !term.negated);
    for term in wanted {
        let refs = match &term.test {
            Test::User(pattern) => login_refs(db, pattern)?.map(of_logins),
            Test::Check(pattern) => check_refs(db, pattern)?.map(of_checks),
            _ => None,
        };
        if let Some(walk) = refs {
            return Ok(walk);
        }
    }
    let is_any = severities.len() == Severity::ALL.len() && states.len() == FindingState::ALL.len();
    Ok(if is_any { all() } else { of_states(severities, states) })
}

fn all() -> Walk {
    let keys = vec![[Value::Null, Value::Null]];
    Walk { from: "findings f NOT INDEXED", condition: "1", id: "f.id", keys }
}

fn of_logins(refs: Vec<i64>) -> Walk {
    let keys = by_severity(&[Severity::Unknown], &refs);
    Walk { from: "findings f INDEXED BY findings_login", condition: "f.login = ?2", id: "f.id", keys }
}

fn of_checks(refs: Vec<i64>) -> Walk {
    let keys = by_severity(&[Severity::Unknown], &refs);
    Walk { from: "findings f INDEXED BY findings_check", condition: "f.check_ref = ?2", id: "f.id", keys }
}

fn of_states(severities: &[Severity], states: &[FindingState]) -> Walk {
    let of_state = |state: &FindingState| {
        let word = state.word();
        severities.iter().map(move |severity| [rank(*severity), Value::Text(word.to_owned())])
    };
    Walk {
        from: "findings f INDEXED BY findings_state",
        condition: "f.state = ?2 AND f.severity = ?1",
        id: "f.id",
        keys: states.iter().flat_map(of_state).collect(),
    }
}

/// A term row by row. One that the walk decides is true of all its rows, and cheap.
fn condition(keep: &mut Keep, test: &Test) -> String {
    match test {
        // Decided before, for all terms together.
        Test::Severity(..) | Test::State(_) => "1".to_owned(),
        Test::Check(pattern) => check_condition("f.check_ref", &keep.arg(glob(pattern))),
        Test::User(pattern) => has_login(keep, pattern),
        Test::Source(pattern) => {
            let condition = source_condition(&keep.arg(glob(pattern)));
            counted_event(&condition)
        }
        Test::Kind(kind) => {
            let condition = format!("e.kind = {}", keep.arg(kind.word().to_owned()));
            counted_event(&condition)
        }
        Test::Tag(pattern) => {
            let condition = tag_condition(&keep.arg(glob(pattern)));
            counted_event(&condition)
        }
        Test::Quiet(is_quiet) => counted_event(&format!("e.quiet = {}", u8::from(*is_quiet))),
        Test::Words(words) => has_words(keep, words),
    }
}

fn has_login(keep: &mut Keep, pattern: &Pattern) -> String {
    format!("{LOGIN} GLOB {}", keep.arg(glob(pattern)))
}

const LOGIN: &str = "(SELECT folded FROM logins WHERE id = f.login)";

/// Whether one of the events that a finding counted is such a one.
fn counted_event(condition: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM finding_events x CROSS JOIN events e ON e.id = x.event \
         WHERE x.finding = f.id AND {condition})"
    )
}

/// The free text is of events; a finding's own words are its login and its check.
fn has_words(keep: &mut Keep, words: &str) -> String {
    let mut conditions = vec!["1".to_owned()];
    for word in words.split_whitespace() {
        let word = keep.arg(word.to_lowercase());
        conditions.push(format!(
            "(instr({LOGIN}, {word}) OR EXISTS (SELECT 1 FROM checks c WHERE c.id = f.check_ref \
             AND (instr(c.id_folded, {word}) OR instr(c.title_folded, {word}))))"
        ));
    }
    conditions.join(" AND ")
}
