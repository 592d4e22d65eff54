//! A row of a pane: what it shows, how it is named for the cursor, and what it leads to.

use crate::app::text::wrap;
use crate::domain::dossier::Problem;
use crate::domain::untrusted::width;
use crate::domain::{FindingId, Login, Severity, Untrusted};

/// What a row leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// The users of an address.
    Address(String),
    /// A person.
    Person(Login),
    /// A finding.
    Finding(FindingId),
}

/// What a row is, for the view to style.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// A name and a value.
    Fact(String, String),
    /// One text.
    Item(String),
    /// One text, and where it is.
    Pair(String, String),
    /// A heading within the pane.
    Heading(String),
    /// A place with a bar: its words, the raw number, and its share of the largest in 0..=1.
    Bar(String, String, f64),
    /// A finding.
    Finding(Severity, String, String),
    /// Something that went wrong.
    Problem(String),
    /// The text above goes on.
    ProblemGoesOn(String),
    /// The text of a pair goes on.
    PairGoesOn(String),
    /// Two sources that do not agree.
    Differs(String),
    /// Something that is under way or not there.
    Quiet(String),
}

/// A row of a pane.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Names the row, so that the cursor can be held on it.
    pub key: String,
    /// What it shows.
    pub body: Body,
    /// What it leads to.
    pub target: Option<Target>,
}

impl Row {
    /// The key of the row of which one may be a later line.
    pub fn first_key(key: &str) -> &str {
        key.split(' ').next().unwrap_or_default()
    }

    pub(super) fn new(key: impl Into<String>, body: Body) -> Row {
        Row { key: key.into(), body, target: None }
    }

    pub(super) fn fact(name: &str, value: impl ToString) -> Row {
        Row::new(name, Body::Fact(name.to_owned(), value.to_string()))
    }

    pub(super) fn quiet(text: &str) -> Row {
        Row::new(text, Body::Quiet(text.to_owned()))
    }

    pub(super) fn heading(text: &str) -> Row {
        Row::new(format!("# {text}"), Body::Heading(text.to_owned()))
    }

    pub(super) fn item(prefix: &str, text: &Untrusted) -> Row {
        Row::new(format!("{prefix} {}", text.raw()), Body::Item(text.to_string()))
    }

    pub(super) fn problem(problem: &Problem) -> Row {
        let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        let text = format!("{}{hint}", problem.line());
        Row::new(format!("! {text}"), Body::Problem(text))
    }

    pub(super) fn leads_to(mut self, target: Target) -> Row {
        self.target = Some(target);
        self
    }
}

/// The columns of a fact's name in a pane of so many.
pub fn name_columns(columns: usize) -> usize {
    if columns >= 40 { 14 } else { 12 }
}

/// The columns of a pair's text beside what stands at the right end of its row.
pub fn pair_columns(aside: &str, columns: usize) -> usize {
    columns.saturating_sub(width(aside).min(columns / 2) + 2)
}

/// A row is one line for the cursor, so a sentence becomes several rows.
pub(super) fn wrapped(row: Row, columns: usize) -> Vec<Row> {
    match &row.body {
        Body::Fact(name, text) => {
            let lines = wrap(text, columns.saturating_sub(name_columns(columns)));
            let fact = |at: usize, line| Body::Fact(if at == 0 { name.clone() } else { String::new() }, line);
            return split(&row, lines, fact);
        }
        Body::Pair(text, aside) => {
            let lines = wrap(text, pair_columns(aside, columns));
            return split(&row, lines, |at, line| match at {
                0 => Body::Pair(line, aside.clone()),
                _ => Body::PairGoesOn(line),
            });
        }
        _ => {}
    }
    type Make = fn(String) -> Body;
    let (text, room, first, next): (&str, usize, Make, Make) = match &row.body {
        Body::Problem(text) => (text, columns.saturating_sub(2), Body::Problem, Body::ProblemGoesOn),
        Body::Quiet(text) => (text, columns, Body::Quiet, Body::Quiet),
        _ => return vec![row],
    };
    split(&row, wrap(text, room), |at, line| if at == 0 { first(line) } else { next(line) })
}

/// A row a line; each leads to where the whole does.
fn split(row: &Row, lines: Vec<String>, body: impl Fn(usize, String) -> Body) -> Vec<Row> {
    let key = |at: usize| if at == 0 { row.key.clone() } else { format!("{} {at}", row.key) };
    let lines = lines.into_iter().enumerate();
    lines.map(|(at, line)| Row { key: key(at), body: body(at, line), target: row.target.clone() }).collect()
}
