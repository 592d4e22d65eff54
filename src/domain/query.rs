//! The filter grammar: `severity>=high check:no-mfa user:ann "word"`.
//!
//! A query is a row of terms, all of which must hold. A term is a field with an operator and a value,
//! or free words; `-` in front of a term means "not". Values with blanks or quotes stand in double
//! quotes. A query prints to text that parses to the same query.

use super::{EventKind, FindingState, Severity};
use std::fmt;

/// A parsed filter. The empty query matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Query {
    /// The terms, all of which must hold.
    pub terms: Vec<Term>,
}

/// One term of a query.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Term {
    /// Whether the term must not hold.
    pub negated: bool,
    /// What must hold.
    pub test: Test,
}

/// What a term tests.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Test {
    /// `severity>=high`: the ranked severity compared.
    Severity(Comparison, Severity),
    /// `check:no-mfa`: the check's id or title; `*` stands for anything.
    Check(Pattern),
    /// `user:ann@example.com`: a login named by the event; `*` stands for anything.
    User(Pattern),
    /// `source:cii-webhook`.
    Source(Pattern),
    /// `kind:failed-check`.
    Kind(EventKind),
    /// `state:open`: an event with a finding in that state, or the finding's own state.
    State(FindingState),
    /// `tag:hygiene`: what a rule calls it.
    Tag(Pattern),
    /// `quiet:yes`: a record that opened no finding, which the feed leaves out.
    Quiet(bool),
    /// Free text: every word occurs in title, check, texts or logins.
    Words(String),
}

/// How a severity is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `:` or `=`.
    Equal,
    /// `>=`.
    AtLeast,
    /// `>`.
    Above,
    /// `<=`.
    AtMost,
    /// `<`.
    Below,
}

impl Comparison {
    const SPELLED: [(&str, Comparison); 6] = [
        (">=", Comparison::AtLeast),
        ("<=", Comparison::AtMost),
        (">", Comparison::Above),
        ("<", Comparison::Below),
        ("=", Comparison::Equal),
        (":", Comparison::Equal),
    ];

    fn spelled(self) -> &'static str {
        match self {
            Comparison::Equal => ":",
            Comparison::AtLeast => ">=",
            Comparison::Above => ">",
            Comparison::AtMost => "<=",
            Comparison::Below => "<",
        }
    }

    /// The severities for which the comparison with `than` holds.
    pub fn matching(self, than: Severity) -> Vec<Severity> {
        let holds = |severity: &Severity| match self {
            Comparison::Equal => *severity == than,
            Comparison::AtLeast => *severity >= than,
            Comparison::Above => *severity > than,
            Comparison::AtMost => *severity <= than,
            Comparison::Below => *severity < than,
        };
        Severity::ALL.into_iter().filter(holds).collect()
    }
}

/// A value in which `*` stands for any run of characters and `\\*` for a star; compared without case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern(pub String);

impl Pattern {
    /// The pattern that matches this text alone: names from outside may hold stars.
    pub fn exactly(text: &str) -> Pattern {
        Pattern(text.replace('*', "\\*"))
    }

    /// The folded literals between the stars, in order; one where there is no star.
    pub fn pieces(&self) -> Vec<String> {
        let mut pieces = vec![String::new()];
        let mut chars = self.0.chars().peekable();
        while let Some(c) = chars.next() {
            match (c, chars.peek(), pieces.last_mut()) {
                ('\\', Some('*'), Some(piece)) => {
                    piece.push('*');
                    chars.next();
                }
                ('*', ..) => pieces.push(String::new()),
                (c, _, Some(piece)) => piece.push(c),
                (_, _, None) => {}
            }
        }
        pieces.into_iter().map(|piece| piece.to_lowercase()).collect()
    }

    /// The literal, folded, if there is no star in it.
    pub fn literal(&self) -> Option<String> {
        let mut pieces = self.pieces();
        if pieces.len() == 1 { pieces.pop() } else { None }
    }

    /// Whether a text matches.
    pub fn matches(&self, text: &str) -> bool {
        let (pieces, text) = (self.pieces(), text.to_lowercase());
        let Some((first, rest)) = pieces.split_first() else { return false };
        let Some((last, middle)) = rest.split_last() else { return text == *first };
        let Some(mut left) = text.strip_prefix(first.as_str()) else { return false };
        for piece in middle {
            match left.find(piece.as_str()) {
                Some(at) => left = &left[at + piece.len()..],
                None => return false,
            }
        }
        left.ends_with(last.as_str())
    }
}

/// Why a query was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at column {column}")]
pub struct QueryError {
    /// What is wrong, naming the value.
    pub what: String,
    /// Where, counted in characters from 1.
    pub column: usize,
}

impl QueryError {
    /// What mends it.
    pub fn hint(&self) -> &'static str {
        "hint: terms are `severity>=high`, `check:ID`, `user:LOGIN`, `source:NAME`, `state:open`, `kind:failed-check`, `tag:NAME`, `quiet:no` and free words; `-` negates, quotes hold blanks"
    }
}

impl Query {
    /// Parses a filter.
    ///
    /// # Errors
    /// [`QueryError`] with the column of the first thing not understood.
    pub fn parse(text: &str) -> Result<Query, QueryError> {
        let mut terms = Vec::new();
        for token in tokens(text)? {
            terms.push(token.term()?);
        }
        Ok(Query { terms })
    }

    /// Whether everything matches.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it has its own word on records that opened no finding: `quiet:`, or a kind or a source that
    /// is asked for. A kind or a source that is *not* wanted narrows and asks for nothing.
    pub fn asks_for_records(&self) -> bool {
        self.terms.iter().any(|term| match term.test {
            Test::Quiet(_) => true,
            Test::Kind(_) | Test::Source(_) => !term.negated,
            Test::Severity(..)
            | Test::Check(_)
            | Test::User(_)
            | Test::State(_)
            | Test::Tag(_)
            | Test::Words(_) => false,
        })
    }

    /// The same without records that opened no finding, unless it has its own word on them.
    #[must_use]
    pub fn without_records(&self) -> Query {
        let mut query = self.clone();
        if !self.asks_for_records() {
            query.terms.push(Term { negated: false, test: Test::Quiet(false) });
        }
        query
    }
}

/// What can be asked of the users of one event. Check, severity and source are the event's own, so
/// that they would say the same of all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserQuery(Query);

/// One test of a user; free words are looked for in the login, nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserTest<'a> {
    /// The login matches.
    Login(&'a Pattern),
    /// The finding is in this state.
    State(FindingState),
    /// The login contains every word.
    Words(&'a str),
}

impl UserQuery {
    /// Parses a filter.
    ///
    /// # Errors
    /// A sentence with a hint: it is no filter, or one that is not about users.
    pub fn parse(text: &str) -> Result<UserQuery, String> {
        let query = Query::parse(text).map_err(|error| format!("{error}; {}", error.hint()))?;
        match query.terms.iter().find(|term| user_test(&term.test).is_none()) {
            None => Ok(UserQuery(query)),
            Some(term) => Err(format!(
                "`{term}` is about whole events; hint: one event's users are filtered by `user:LOGIN`, \
                 `state:open` and words of the login, the feed by `:where`"
            )),
        }
    }

    /// Whether every user matches.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tests, all of which must hold, or must not where it says so.
    pub fn tests(&self) -> impl Iterator<Item = (&Term, UserTest<'_>)> {
        self.0.terms.iter().filter_map(|term| Some((term, user_test(&term.test)?)))
    }
}

fn user_test(test: &Test) -> Option<UserTest<'_>> {
    match test {
        Test::User(pattern) => Some(UserTest::Login(pattern)),
        Test::State(state) => Some(UserTest::State(*state)),
        Test::Words(words) => Some(UserTest::Words(words)),
        Test::Severity(..)
        | Test::Check(_)
        | Test::Source(_)
        | Test::Kind(_)
        | Test::Tag(_)
        | Test::Quiet(_) => None,
    }
}

impl fmt::Display for UserQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One term as it is written.
pub(super) struct Token {
    column: usize,
    pub(super) negated: bool,
    /// The part before the operator, if there is one: never quoted.
    pub(super) field: Option<(String, Comparison)>,
    pub(super) value: String,
}

impl Token {
    fn term(self) -> Result<Term, QueryError> {
        let negated = self.negated;
        let test = match &self.field {
            Some((field, comparison)) => self.field_test(field, *comparison)?,
            None => Test::Words(self.value.clone()),
        };
        Ok(Term { negated, test })
    }

    fn field_test(&self, field: &str, comparison: Comparison) -> Result<Test, QueryError> {
        let value = self.value.as_str();
        let unknown = |what: &str| Err(self.error(format!("`{value}` is not a {what}")));
        if field == "severity" {
            return match Severity::parse(value) {
                Some(severity) => Ok(Test::Severity(comparison, severity)),
                None => unknown("severity"),
            };
        }
        if comparison != Comparison::Equal {
            return Err(self.error(format!("`{field}` cannot be compared with `{}`", comparison.spelled())));
        }
        if value.is_empty() {
            return Err(self.error(format!("`{field}:` has no value")));
        }
        let pattern = Pattern(value.to_owned());
        match field {
            "check" => Ok(Test::Check(pattern)),
            "user" => Ok(Test::User(pattern)),
            "source" => Ok(Test::Source(pattern)),
            "tag" => Ok(Test::Tag(pattern)),
            "quiet" => match value {
                "yes" => Ok(Test::Quiet(true)),
                "no" => Ok(Test::Quiet(false)),
                _ => Err(self.error(format!("`{value}` is not `yes` or `no`"))),
            },
            "kind" => EventKind::parse(value).map_or_else(|| unknown("kind"), |kind| Ok(Test::Kind(kind))),
            "state" => FindingState::parse(value).map_or_else(|| unknown("state"), |s| Ok(Test::State(s))),
            _ => Err(self.error(format!("there is no field `{field}`"))),
        }
    }

    pub(super) fn error(&self, what: String) -> QueryError {
        QueryError { what, column: self.column }
    }
}

/// The terms of a line.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, QueryError> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if chars.get(at).is_some_and(|c| c.is_whitespace()) {
            at += 1;
            continue;
        }
        let (token, next) = token(&chars, at)?;
        tokens.push(token);
        at = next;
    }
    Ok(tokens)
}

fn token(chars: &[char], start: usize) -> Result<(Token, usize), QueryError> {
    let negated = chars.get(start) == Some(&'-') && chars.get(start + 1).is_some_and(|c| !c.is_whitespace());
    let at = start + usize::from(negated);
    let (field, at) = match field(chars, at) {
        Some((name, comparison, next)) => (Some((name, comparison)), next),
        None => (None, at),
    };
    let (value, at) = value(chars, at)?;
    Ok((Token { column: start + 1, negated, field, value }, at))
}

/// A field name is a row of ASCII letters right before an operator; anything else is free text.
fn field(chars: &[char], start: usize) -> Option<(String, Comparison, usize)> {
    let length = chars.get(start..)?.iter().take_while(|c| c.is_ascii_alphabetic()).count();
    let name: String = chars.get(start..start + length)?.iter().collect();
    if name.is_empty() {
        return None;
    }
    let rest: String = chars.iter().skip(start + length).take(2).collect();
    let (spelled, comparison) =
        Comparison::SPELLED.into_iter().find(|(spelled, _)| rest.starts_with(spelled))?;
    Some((name.to_ascii_lowercase(), comparison, start + length + spelled.len()))
}

fn value(chars: &[char], start: usize) -> Result<(String, usize), QueryError> {
    if chars.get(start) != Some(&'"') {
        let value: String = chars.iter().skip(start).take_while(|c| !c.is_whitespace()).collect();
        let next = start + value.chars().count();
        return Ok((value, next));
    }
    quoted(chars, start)
}

fn quoted(chars: &[char], start: usize) -> Result<(String, usize), QueryError> {
    let mut value = String::new();
    let mut at = start + 1;
    while let Some(&c) = chars.get(at) {
        match (c, chars.get(at + 1)) {
            ('"', _) => return Ok((value, at + 1)),
            ('\\', Some(&escaped)) => {
                value.push(escaped);
                at += 2;
            }
            (c, _) => {
                value.push(c);
                at += 1;
            }
        }
    }
    Err(QueryError { what: "a quote is not closed".to_owned(), column: start + 1 })
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, term) in self.terms.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{term}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("-")?;
        }
        match &self.test {
            Test::Severity(comparison, severity) => write!(f, "severity{}{severity}", comparison.spelled()),
            Test::Check(pattern) => write!(f, "check:{}", quote(&pattern.0)),
            Test::User(pattern) => write!(f, "user:{}", quote(&pattern.0)),
            Test::Source(pattern) => write!(f, "source:{}", quote(&pattern.0)),
            Test::Kind(kind) => write!(f, "kind:{}", kind.word()),
            Test::Tag(pattern) => write!(f, "tag:{}", quote(&pattern.0)),
            Test::Quiet(is_quiet) => f.write_str(if *is_quiet { "quiet:yes" } else { "quiet:no" }),
            Test::State(state) => write!(f, "state:{}", state.word()),
            Test::Words(words) => f.write_str(&quote_words(words)),
        }
    }
}

/// A value as it is read again.
pub(super) fn quote(value: &str) -> String {
    let plain = !value.is_empty() && !value.starts_with('"') && !value.contains(char::is_whitespace);
    if plain { value.to_owned() } else { in_quotes(value) }
}

/// Free text is also quoted where it would read as a field or a negation.
pub(super) fn quote_words(words: &str) -> String {
    let chars: Vec<char> = words.chars().collect();
    if words.starts_with('-') || field(&chars, 0).is_some() { in_quotes(words) } else { quote(words) }
}

fn in_quotes(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("severity>=high", "severity>=high")]
    #[case("  severity=moderate   user:ann ", "severity:medium user:ann")]
    #[case("check:\"No MFA Configured\" -source:okta*", "check:\"No MFA Configured\" -source:okta*")]
    #[case("paris \"impossible travel\"", "paris \"impossible travel\"")]
    #[case("ann@example.com", "ann@example.com")]
    #[case("state:open kind:test", "state:open kind:test")]
    #[case("tag:notify:slack -quiet:yes", "tag:notify:slack -quiet:yes")]
    #[case("-", "\"-\"")]
    fn parses_and_prints(#[case] text: &str, #[case] printed: &str) {
        assert_eq!(Query::parse(text).unwrap().to_string(), printed);
    }

    #[rstest]
    #[case("severity>=bad", "`bad` is not a severity at column 1")]
    #[case("a colour:red", "there is no field `colour` at column 3")]
    #[case("user>=x", "`user` cannot be compared with `>=` at column 1")]
    #[case("check:", "`check:` has no value at column 1")]
    #[case("quiet:maybe", "`maybe` is not `yes` or `no` at column 1")]
    #[case("a \"b", "a quote is not closed at column 3")]
    fn says_what_it_does_not_understand(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(Query::parse(text).unwrap_err().to_string(), expected);
    }

    #[rstest]
    #[case("", "quiet:no")]
    #[case("severity>=high user:ann*", "severity>=high user:ann* quiet:no")]
    #[case("-kind:test -source:okta*", "-kind:test -source:okta* quiet:no")]
    #[case("kind:log", "kind:log")]
    #[case("source:okta*", "source:okta*")]
    #[case("quiet:yes", "quiet:yes")]
    #[case("-quiet:yes", "-quiet:yes")]
    fn records_are_left_out_unless_they_are_asked_for(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(Query::parse(text).unwrap().without_records().to_string(), expected);
    }

    #[rstest]
    #[case("user:ann* -state:closed finance", Ok("user:ann* -state:closed finance"))]
    #[case("state:open severity>=high", Err("`severity>=high` is about whole events"))]
    #[case("-kind:test", Err("`-kind:test` is about whole events"))]
    #[case("colour:red", Err("there is no field `colour`"))]
    fn of_users_only_some_things_can_be_asked(#[case] text: &str, #[case] expected: Result<&str, &str>) {
        match (UserQuery::parse(text), expected) {
            (Ok(query), expected) => assert_eq!(Ok(query.to_string().as_str()), expected),
            (Err(error), Err(expected)) => assert!(error.starts_with(expected), "{error}"),
            (Err(error), Ok(_)) => panic!("{error}"),
        }
    }

    #[rstest]
    #[case("ann*", "Ann@Example.com", true)]
    #[case("*@example.com", "ann@EXAMPLE.com", true)]
    #[case("a*e*m", "ann@example.com", true)]
    #[case("ann", "ann@example.com", false)]
    #[case("a*a", "a", false)]
    #[case("\\*@example.com", "*@example.com", true)]
    #[case("\\*@example.com", "ann@example.com", false)]
    #[case("CORP\\ann", "corp\\ANN", true)]
    fn patterns_match(#[case] pattern: &str, #[case] text: &str, #[case] expected: bool) {
        assert_eq!(Pattern(pattern.into()).matches(text), expected);
    }

    proptest! {
        #[test]
        fn exactly_matches_itself_alone(text in "[ab*\\\\]{0,6}", other in "[ab*\\\\]{0,6}") {
            prop_assert!(Pattern::exactly(&text).matches(&text));
            prop_assert_eq!(Pattern::exactly(&text).matches(&other), text == other);
        }
    }

    fn term() -> impl Strategy<Value = Term> {
        let text = "[ -~é]{1,12}";
        let pattern = text.prop_map(Pattern);
        let test = prop_oneof![
            (0usize..6, 0usize..6)
                .prop_map(|(c, s)| Test::Severity(Comparison::SPELLED[c].1, Severity::ALL[s])),
            pattern.clone().prop_map(Test::Check),
            pattern.clone().prop_map(Test::User),
            pattern.prop_map(Test::Source),
            (0usize..7).prop_map(|k| Test::Kind(EventKind::ALL[k])),
            text.prop_map(|text| Test::Tag(Pattern(text))),
            any::<bool>().prop_map(Test::Quiet),
            (0usize..4).prop_map(|s| Test::State(FindingState::ALL[s])),
            text.prop_map(Test::Words),
        ];
        (any::<bool>(), test).prop_map(|(negated, test)| Term { negated, test })
    }

    proptest! {
        #[test]
        fn printing_parses_to_the_same(terms in proptest::collection::vec(term(), 0..5)) {
            let query = Query { terms };
            prop_assert_eq!(Query::parse(&query.to_string()).unwrap(), query);
        }

        #[test]
        fn nothing_panics(text in any::<String>()) {
            let _ = Query::parse(&text);
        }
    }
}
