//! What the System Log is asked.

use super::Moment;
use crate::domain::time;
use jiff::Timestamp;

/// What is said of every look into the log.
pub const MAY_MISS: &str =
    "a look with an end may miss records that Okta stores late; a source `okta-system-log` gets every one";

/// How long Okta keeps its log.
pub const RETENTION_DAYS: i64 = 90;

const MOST_WORDS: usize = 10;
const LONGEST_WORD: usize = 40;

/// In which order records come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogOrder {
    /// Oldest first, Okta's default.
    Ascending,
    /// Newest first.
    #[default]
    Descending,
}

impl LogOrder {
    /// Either order, as the command line spells it.
    pub const ALL: [LogOrder; 2] = [LogOrder::Ascending, LogOrder::Descending];

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            LogOrder::Ascending => "ascending",
            LogOrder::Descending => "descending",
        }
    }

    /// In words for a screen.
    pub fn title(self) -> &'static str {
        match self {
            LogOrder::Ascending => "oldest first",
            LogOrder::Descending => "newest first",
        }
    }

    /// The other one.
    pub fn turned(self) -> LogOrder {
        match self {
            LogOrder::Ascending => LogOrder::Descending,
            LogOrder::Descending => LogOrder::Ascending,
        }
    }

    /// Reads the word, in any case: other tools shout it.
    pub fn parse(text: &str) -> Option<LogOrder> {
        LogOrder::ALL.into_iter().find(|order| order.word().eq_ignore_ascii_case(text))
    }
}

/// A question whose times may move with the present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogAsk {
    /// In Okta's grammar; empty asks for everything.
    pub filter: String,
    /// Words that all have to be somewhere in the record.
    pub words: String,
    /// From when on.
    pub since: Moment,
    /// Before when.
    pub until: Moment,
    /// In which order.
    pub order: LogOrder,
}

/// Everything of the past day, newest first.
impl Default for LogAsk {
    fn default() -> Self {
        LogAsk {
            filter: String::new(),
            words: String::new(),
            since: Moment::hours_ago(24),
            until: Moment::Now,
            order: LogOrder::default(),
        }
    }
}

/// A question with fixed times, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogQuery {
    /// In Okta's grammar.
    pub filter: Option<String>,
    /// Words that all have to be somewhere in the record.
    pub words: Option<String>,
    /// From when on.
    pub since: Timestamp,
    /// Before when.
    pub until: Timestamp,
    /// In which order.
    pub order: LogOrder,
    /// Records a page, at most 1,000.
    pub page: usize,
}

impl LogAsk {
    /// The same for another filter.
    pub fn with_filter(self, filter: impl Into<String>) -> LogAsk {
        LogAsk { filter: filter.into(), ..self }
    }

    /// The question as it is sent now, in pages of so many records.
    ///
    /// # Errors
    /// A span that ends before it begins, and words that Okta does not take.
    pub fn at(&self, now: Timestamp, page: usize) -> Result<LogQuery, String> {
        let (since, until) = (self.since.at(now), self.until.at(now));
        if since >= until {
            let (since, until) = (time::rfc3339_seconds(since), time::rfc3339_seconds(until));
            return Err(format!(
                "nothing lies between since `{since}` and until `{until}`\nhint: `since` is the earlier one"
            ));
        }
        check_words(&self.words)?;
        let said = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Ok(LogQuery {
            filter: said(&self.filter),
            words: said(&self.words),
            since,
            until,
            order: self.order,
            page: page.clamp(1, 1_000),
        })
    }

    /// Whether it begins before what Okta still keeps.
    pub fn is_beyond_retention(&self, now: Timestamp) -> bool {
        self.since.at(now) < Moment::hours_ago(RETENTION_DAYS * 24).at(now)
    }
}

fn check_words(words: &str) -> Result<(), String> {
    let all: Vec<&str> = words.split_whitespace().collect();
    if all.len() > MOST_WORDS {
        return Err(format!("{} words are looked for, and Okta takes {MOST_WORDS}", all.len()));
    }
    match all.iter().find(|word| word.chars().count() > LONGEST_WORD) {
        Some(word) => {
            Err(format!("the word `{word}` is longer than the {LONGEST_WORD} letters that Okta takes"))
        }
        None => Ok(()),
    }
}

/// A text of the grammar, which are JSON's.
pub fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A filter for what passes both of two; an empty one lets everything pass.
pub fn both(one: &str, other: &str) -> String {
    match (one.trim(), other.trim()) {
        ("", filter) | (filter, "") => filter.to_owned(),
        (one, other) => format!("({one}) and ({other})"),
    }
}

/// Whatever a person did or had done to them. An id is of one account for ever; a login may be renamed
/// and given to another.
pub fn of_person(okta_id: Option<&str>, login: &str) -> String {
    let (attribute, value) = match okta_id.filter(|id| !id.trim().is_empty()) {
        Some(id) => ("id", literal(id)),
        None => ("alternateId", literal(login)),
    };
    format!("actor.{attribute} eq {value} or target.{attribute} eq {value}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn now() -> Timestamp {
        "2026-05-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_question_moves_with_the_present() {
        let query = LogAsk::default().at(now(), 9_000).unwrap();
        assert_eq!(query.since, Moment::hours_ago(24).at(now()));
        assert_eq!((query.until, query.filter, query.words, query.page), (now(), None, None, 1_000));
        assert_eq!(query.order, LogOrder::Descending);
    }

    #[test]
    fn a_span_that_ends_before_it_begins_is_refused() {
        let ask = LogAsk { since: Moment::hours_ago(1), until: Moment::hours_ago(2), ..LogAsk::default() };
        let error = ask.at(now(), 1).unwrap_err();
        assert!(error.contains("2026-05-01T11:00:00Z") && error.contains("\nhint: "), "{error}");
    }

    #[rstest]
    #[case("a b c", true)]
    #[case("1 2 3 4 5 6 7 8 9 10 11", false)]
    #[case("an-unusually-long-word-that-goes-on-and-on-x", false)]
    fn words_are_as_many_and_as_long_as_okta_takes(#[case] words: &str, #[case] is_taken: bool) {
        let ask = LogAsk { words: words.to_owned(), ..LogAsk::default() };
        assert_eq!(ask.at(now(), 1).is_ok(), is_taken);
    }

    #[rstest]
    #[case("", "b", "b")]
    #[case("a", " ", "a")]
    #[case("a or b", "c", "(a or b) and (c)")]
    fn filters_are_joined(#[case] one: &str, #[case] other: &str, #[case] expected: &str) {
        assert_eq!(both(one, other), expected);
    }

    #[test]
    fn a_person_is_asked_for_by_id_and_nobody_breaks_out_of_a_text() {
        assert_eq!(of_person(Some("00u1"), "ann@x"), r#"actor.id eq "00u1" or target.id eq "00u1""#);
        let named = of_person(None, r#"a" or "b"#);
        assert!(named.starts_with(r#"actor.alternateId eq "a\" or \"b" or"#), "{named}");
    }

    #[test]
    fn an_order_is_read_in_any_case() {
        assert_eq!(LogOrder::parse("ASCENDING"), Some(LogOrder::Ascending));
        assert_eq!(LogOrder::parse("descending").map(LogOrder::turned), Some(LogOrder::Ascending));
        assert_eq!(LogOrder::parse("sideways"), None);
    }
}
