//! What the journal is asked for, in one line: `user:ann@example.com outcome:unknown since:7d "word"`.
//!
//! It has the manners of the feed's filter: all terms have to hold, `-` negates, quotes hold blanks, `*` stands
//! for anything. One that names a value exactly is looked up; what is left is told record by record.

use super::told::{Term, Told};
use super::{Record, RecordKind};
use crate::domain::action::Said;
use crate::domain::log::Moment;
use crate::domain::query::{self, Comparison, Pattern, QueryError, Token};
use crate::domain::time::Zone;
use crate::domain::{ActionId, Login, Outcome};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::fmt;

/// What the journal is asked for. The empty query asks for everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JournalQuery {
    terms: Vec<(Sign, Test)>,
    rows: Rows,
    /// Whose days `since:yesterday` means.
    zone: Zone,
}

/// What a row of the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rows {
    /// Every record.
    #[default]
    Records,
    /// The newest record of each action; what is about no action has a row of its own.
    Actions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Is,
    IsNot,
}

/// What a term tests.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    User(Pattern),
    Flow(Pattern),
    By(Pattern),
    Action(Pattern),
    Bulk(Pattern),
    Kind(RecordKind),
    Outcome(Outcome),
    Said(Said),
    Since(Moment),
    Until(Moment),
    Words(String),
}

/// The forms, for whoever wrote another one.
const HINT: &str = "hint: terms are `user:LOGIN` (or an account's id), `flow:ID`, `kind:settled`, `outcome:unknown`, `said:changed`, `by:NAME`, `action:ID`, `bulk:ID`, `since:7d` or `since:yesterday`, `until:2026-05-01` and free words; `-` negates, quotes hold blanks";

/// From when on, and before when.
pub type Span = (Option<Timestamp>, Option<Timestamp>);

impl JournalQuery {
    fn of(terms: Vec<(Sign, Test)>) -> JournalQuery {
        JournalQuery { terms, ..JournalQuery::default() }
    }

    /// Parses a filter.
    ///
    /// # Errors
    /// A sentence with a hint.
    pub fn parse(text: &str) -> Result<JournalQuery, String> {
        let said = |error: QueryError| format!("{error}; {HINT}");
        let tokens = query::tokens(text).map_err(said)?;
        let terms = tokens.into_iter().map(|token| {
            let sign = if token.negated { Sign::IsNot } else { Sign::Is };
            test(&token).map(|test| (sign, test)).map_err(said)
        });
        Ok(JournalQuery::of(terms.collect::<Result<_, String>>()?))
    }

    /// What there is about a person.
    pub fn of_user(login: &Login) -> JournalQuery {
        JournalQuery::of(vec![(Sign::Is, Test::User(Pattern::exactly(login.raw())))])
    }

    /// Every record of an action.
    pub fn of_action(id: ActionId) -> JournalQuery {
        JournalQuery::of(vec![(Sign::Is, Test::Action(Pattern::exactly(&id.to_string())))])
    }

    /// Whether it asks for the records of one action, and for nothing else.
    pub fn is_of_one_action(&self) -> bool {
        let is_it = |(sign, test): &(Sign, Test)| {
            *sign == Sign::Is && matches!(test, Test::Action(id) if id.literal().is_some())
        };
        self.rows == Rows::Records && self.terms.len() == 1 && self.terms.iter().all(is_it)
    }

    /// The same, answered in such rows.
    #[must_use]
    pub fn in_rows(self, rows: Rows) -> JournalQuery {
        JournalQuery { rows, ..self }
    }

    /// The same, its days those of a zone; without one they are UTC's.
    #[must_use]
    pub fn in_zone(self, zone: Zone) -> JournalQuery {
        JournalQuery { zone, ..self }
    }

    /// What a row of the answer is.
    pub fn rows(&self) -> Rows {
        self.rows
    }

    /// The same within a span of time.
    #[must_use]
    pub fn within(mut self, since: Option<Moment>, until: Option<Moment>) -> JournalQuery {
        let span = since.map(Test::Since).into_iter().chain(until.map(Test::Until));
        self.terms.extend(span.map(|test| (Sign::Is, test)));
        self
    }

    /// Whether everything is asked for.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether one value or a place says it all: what is looked up is what is asked for.
    pub fn is_looked_up(&self) -> bool {
        self.terms.is_empty() || (self.terms.len() == 1 && self.narrowest().is_some())
    }

    /// The span outside of which nothing can match.
    pub fn span(&self, now: Timestamp) -> Span {
        let tests = || self.terms.iter().filter(|(sign, _)| *sign == Sign::Is).map(|(_, test)| test);
        let since = tests().filter_map(|test| {
            if let Test::Since(at) = test { Some(at.at_in(&self.zone, now)) } else { None }
        });
        let until = tests().filter_map(|test| {
            if let Test::Until(at) = test { Some(at.at_in(&self.zone, now)) } else { None }
        });
        (since.max(), until.min())
    }

    /// The value that it names exactly and that the fewest records have, as far as one can tell.
    pub fn narrowest(&self) -> Option<Term> {
        let exact =
            self.terms.iter().filter(|(sign, _)| *sign == Sign::Is).filter_map(|(_, test)| named(test));
        exact.min_by_key(|(rank, _)| *rank).map(|(_, term)| term)
    }

    /// The values that it names exactly and that a record has to have.
    pub fn exact(&self) -> impl Iterator<Item = Term> + '_ {
        let is = self.terms.iter().filter(|(sign, _)| *sign == Sign::Is);
        is.filter_map(|(_, test)| named(test)).map(|(_, term)| term)
    }

    /// Whether a record matches that is kept under these of the exact values, whatever it says by now. What nobody can
    /// tell of one that cannot be read does not hide it.
    pub fn matches_kept(&self, record: &Record, kept: &BTreeSet<Term>, now: Timestamp) -> bool {
        let told = Told::of(record);
        let holds = |test: &Test| match (test, named(test)) {
            (_, Some((_, term))) => kept.contains(&term) || self.holds(test, record, &told, now),
            (Test::Since(_) | Test::Until(_) | Test::Words(_), None) => self.holds(test, record, &told, now),
            (_, None) => !told.is_readable() || self.holds(test, record, &told, now),
        };
        self.terms.iter().all(|(sign, test)| match sign {
            Sign::Is => holds(test),
            Sign::IsNot => !self.holds(test, record, &told, now),
        })
    }

    /// Whether a record matches.
    pub fn matches(&self, record: &Record, now: Timestamp) -> bool {
        if self.terms.is_empty() {
            return true;
        }
        let told = Told::of(record);
        self.terms.iter().all(|(sign, test)| self.holds(test, record, &told, now) == (*sign == Sign::Is))
    }

    /// Whether an action matches of which this record is the row, and these are the records, newest first. A term
    /// holds where it holds for any of them: who ran it stands in one, how it ended in another. But for its outcome and
    /// what is said of it, which is the newest one, and for its time, which is that of the row.
    pub fn matches_action(&self, row: &Record, all: &[Record], now: Timestamp) -> bool {
        let told: Vec<(&Record, Told)> = all.iter().map(|record| (record, Told::of(record))).collect();
        let row_told = Told::of(row);
        let holds_for = |test: &Test| match test {
            Test::Since(_) | Test::Until(_) => self.holds(test, row, &row_told, now),
            Test::Outcome(outcome) => told.iter().find_map(|(_, told)| told.outcome()) == Some(*outcome),
            Test::Said(said) => told.iter().find_map(|(_, told)| told.said()) == Some(*said),
            _ => told.iter().any(|(record, told)| self.holds(test, record, told, now)),
        };
        self.terms.iter().all(|(sign, test)| holds_for(test) == (*sign == Sign::Is))
    }

    fn holds(&self, test: &Test, record: &Record, told: &Told, now: Timestamp) -> bool {
        let id = |id: Option<String>, pattern: &Pattern| id.is_some_and(|id| pattern.matches(&id));
        match test {
            Test::User(pattern) => told.of_whom().iter().any(|login| pattern.matches(login.raw())),
            Test::Flow(pattern) => told.flow().is_some_and(|flow| pattern.matches(flow)),
            Test::By(pattern) => told.names().iter().any(|name| pattern.matches(name)),
            Test::Action(pattern) => id(told.action().map(|id| id.to_string()), pattern),
            Test::Bulk(pattern) => id(told.bulk().map(str::to_owned), pattern),
            Test::Kind(kind) => record.kind == *kind,
            Test::Outcome(outcome) => told.outcome() == Some(*outcome),
            Test::Said(said) => told.said() == Some(*said),
            Test::Since(at) => record.at >= at.at_in(&self.zone, now),
            Test::Until(at) => record.at < at.at_in(&self.zone, now),
            Test::Words(words) => {
                let content = record.content.as_deref().unwrap_or_default().to_lowercase();
                words.split_whitespace().all(|word| content.contains(&word.to_lowercase()))
            }
        }
    }
}

fn named(test: &Test) -> Option<(u8, Term)> {
    let exactly = |rank, name, pattern: &Pattern| pattern.literal().map(|value| (rank, (name, value)));
    match test {
        Test::Action(pattern) => exactly(0, "action", pattern),
        Test::Bulk(pattern) => exactly(1, "bulk", pattern),
        Test::User(pattern) => exactly(2, "user", pattern),
        Test::Flow(pattern) => exactly(3, "flow", pattern),
        Test::Outcome(outcome) => Some((4, ("outcome", outcome.word().to_owned()))),
        Test::Said(said) => Some((4, ("said", said.word().to_owned()))),
        Test::By(pattern) => exactly(5, "by", pattern),
        Test::Kind(kind) => Some((6, ("kind", kind.word().to_owned()))),
        Test::Since(_) | Test::Until(_) | Test::Words(_) => None,
    }
}

fn test(token: &Token) -> Result<Test, QueryError> {
    let value = token.value.as_str();
    let Some((field, comparison)) = &token.field else { return Ok(Test::Words(value.to_owned())) };
    if *comparison != Comparison::Equal {
        return Err(token.error(format!("`{field}` cannot be compared")));
    }
    if value.is_empty() {
        return Err(token.error(format!("`{field}:` has no value")));
    }
    let pattern = || Pattern(value.to_owned());
    let moment = || Moment::parse(value).map_err(|why| token.error(why));
    let unknown = |what: &str| token.error(format!("`{value}` is not {what}"));
    match field.as_str() {
        "user" => Ok(Test::User(pattern())),
        "flow" => Ok(Test::Flow(pattern())),
        "by" => Ok(Test::By(pattern())),
        "action" => Ok(Test::Action(pattern())),
        "bulk" => Ok(Test::Bulk(pattern())),
        "kind" => RecordKind::parse(value).map(Test::Kind).ok_or_else(|| unknown("a kind of record")),
        "outcome" => Outcome::parse(value).map(Test::Outcome).ok_or_else(|| unknown("an outcome")),
        "said" => Said::parse(value).map(Test::Said).ok_or_else(|| unknown("`changed` or `not-changed`")),
        "since" => moment().map(Test::Since),
        "until" => moment().map(Test::Until),
        _ => Err(token.error(format!("there is no field `{field}`"))),
    }
}

impl fmt::Display for JournalQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (sign, test)) in self.terms.iter().enumerate() {
            f.write_str(if i > 0 { " " } else { "" })?;
            f.write_str(if *sign == Sign::IsNot { "-" } else { "" })?;
            write!(f, "{test}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = |pattern: &Pattern| query::quote(&pattern.0);
        match self {
            Test::User(pattern) => write!(f, "user:{}", quote(pattern)),
            Test::Flow(pattern) => write!(f, "flow:{}", quote(pattern)),
            Test::By(pattern) => write!(f, "by:{}", quote(pattern)),
            Test::Action(pattern) => write!(f, "action:{}", quote(pattern)),
            Test::Bulk(pattern) => write!(f, "bulk:{}", quote(pattern)),
            Test::Kind(kind) => write!(f, "kind:{}", kind.word()),
            Test::Outcome(outcome) => write!(f, "outcome:{}", outcome.word()),
            Test::Said(said) => write!(f, "said:{}", said.word()),
            Test::Since(at) => write!(f, "since:{at}"),
            Test::Until(at) => write!(f, "until:{at}"),
            Test::Words(words) => f.write_str(&query::quote_words(words)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn now() -> Timestamp {
        "2026-05-02T00:00:00Z".parse().unwrap()
    }

    fn record() -> Record {
        let content = r#"{"action":"00000000-0000-0000-0000-000000000007","flow":"okta-suspend","login":"Ann@Example.com",
            "outcome":"unknown","reason":"Seen in Paris","actor":{"user":"root","analyst":"Bo","host":"h"}}"#;
        let at = "2026-05-01T12:00:00Z".parse().unwrap();
        Record::after(None, at, RecordKind::Settled, content.to_owned())
    }

    #[rstest]
    #[case("", true)]
    #[case("user:ann@example.com", true)]
    #[case("user:ann", false)]
    #[case("user:ann*", true)]
    #[case("-user:ann*", false)]
    #[case("flow:okta-* outcome:unknown", true)]
    #[case("outcome:changed", false)]
    #[case("-said:changed", true)]
    #[case("said:not-changed", false)]
    #[case("kind:settled", true)]
    #[case("kind:intended", false)]
    #[case("by:bo", true)]
    #[case("by:root", true)]
    #[case("by:eve", false)]
    #[case("action:*7", true)]
    #[case("bulk:*", false)]
    #[case("paris SEEN", true)]
    #[case("\"seen in paris\" -london", true)]
    #[case("rome", false)]
    #[case("since:12h", true)]
    #[case("since:11h", false)]
    #[case("until:2026-05-01T12:00:00Z", false)]
    #[case("until:2026-05-01T12:00:01Z since:2026-05-01", true)]
    fn a_record_is_found(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(JournalQuery::parse(text).unwrap().matches(&record(), now()), expected);
    }

    #[rstest]
    #[case::who_and_how_stand_in_two_records("by:bo outcome:changed", true)]
    #[case::how_it_ended_is_the_newest("outcome:unknown", false)]
    #[case::nor_is_it_what_it_was("-outcome:unknown", true)]
    #[case::of_any_record("kind:intended paris", true)]
    #[case::of_none("-by:bo", false)]
    #[case::as_of_the_row("since:11h", false)]
    fn an_action_matches_by_all_its_records(#[case] text: &str, #[case] expected: bool) {
        let id = "00000000-0000-0000-0000-000000000007";
        let one = |kind, content: serde_json::Value| {
            Record::after(None, "2026-05-01T12:00:00Z".parse().unwrap(), kind, content.to_string())
        };
        let bo = serde_json::json!({"user": "root", "analyst": "Bo", "host": "h"});
        let all = [
            one(RecordKind::Settled, serde_json::json!({"action": id, "outcome": "changed"})),
            one(RecordKind::Expired, serde_json::json!({"action": id, "outcome": "unknown"})),
            one(RecordKind::Intended, serde_json::json!({"action": id, "reason": "Paris", "actor": bo})),
        ];
        assert_eq!(JournalQuery::parse(text).unwrap().matches_action(&all[0], &all, now()), expected);
    }

    #[rstest]
    #[case("user:", "`user:` has no value at column 1")]
    #[case("a kind:log", "`log` is not a kind of record at column 3")]
    #[case("outcome:fine", "`fine` is not an outcome at column 1")]
    #[case("said:done", "`done` is not `changed` or `not-changed` at column 1")]
    #[case("severity>=high", "`severity` cannot be compared at column 1")]
    #[case("since:tomorrow", "`tomorrow` is not a time")]
    #[case("colour:red", "there is no field `colour`")]
    fn what_is_not_understood_is_said(#[case] text: &str, #[case] expected: &str) {
        let error = JournalQuery::parse(text).unwrap_err();
        assert!(error.starts_with(expected) && error.contains("hint: terms are"), "{error}");
    }

    #[rstest]
    #[case("kind:settled user:Ann flow:x", Some(("user", "ann")))]
    #[case("kind:settled -user:ann by:b*", Some(("kind", "settled")))]
    #[case("by:bo said:changed paris", Some(("said", "changed")))]
    #[case("user:a* paris since:1d", None)]
    fn the_narrowest_value_is_looked_up(#[case] text: &str, #[case] expected: Option<(&'static str, &str)>) {
        let narrowest = JournalQuery::parse(text).unwrap().narrowest();
        assert_eq!(narrowest, expected.map(|(name, value)| (name, value.to_owned())));
        assert!(!JournalQuery::parse(text).unwrap().is_looked_up(), "it has other terms too");
    }

    #[test]
    fn a_day_is_that_of_whoever_asks() {
        let query = JournalQuery::parse("since:yesterday until:today").unwrap();
        let midnight = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let utc = (midnight("2026-05-01T00:00:00Z"), midnight("2026-05-02T00:00:00Z"));
        assert_eq!(query.span(now()), utc);
        let zone = Zone::Local(jiff::tz::TimeZone::fixed(jiff::tz::offset(-5)));
        let there = query.in_zone(zone);
        assert_eq!(there.span(now()), (midnight("2026-04-30T05:00:00Z"), midnight("2026-05-01T05:00:00Z")));
        assert!(!there.matches(&record(), now()), "noon of the first is today there");
    }

    #[test]
    fn the_span_is_what_all_terms_leave() {
        let query = JournalQuery::parse("since:2d since:1d until:1h -until:2h").unwrap();
        let hours = |n| now() - jiff::SignedDuration::from_hours(n);
        assert_eq!(query.span(now()), (Some(hours(24)), Some(hours(1))));
    }

    proptest! {
        #[test]
        fn what_is_looked_up_is_among_the_terms_of_what_matches(user in "[a-zA-Zé]{1,6}", wanted in "[a-zA-Zé]{1,6}") {
            let content = serde_json::json!({ "login": user }).to_string();
            let record = Record::after(None, now(), RecordKind::Triage, content);
            let query = JournalQuery::of_user(&Login::new(&wanted));
            let term = query.narrowest().unwrap();
            prop_assert_eq!(query.matches(&record, now()), Told::of(&record).terms().contains(&term));
        }

        #[test]
        fn printing_parses_to_the_same(text in "(user|flow|by|action|bulk):[ -~é]{1,8}( -?[a-z\"]{1,6}){0,2}( since:[1-9]h)?") {
            if let Ok(query) = JournalQuery::parse(&text) {
                prop_assert_eq!(JournalQuery::parse(&query.to_string()).unwrap(), query);
            }
        }

        #[test]
        fn nothing_panics(text in any::<String>()) {
            let _ = JournalQuery::parse(&text);
        }
    }
}
