//! One part: when it was read, what went wrong, what came.

use crate::domain::{Untrusted, time};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// Something that went wrong with a part, whole or at a place in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Problem {
    /// Where, as GraphQL's `path` says it; empty for the whole part.
    pub path: Vec<String>,
    /// What, in the other side's or our words.
    pub message: Untrusted,
    /// The other side's name for it, `errorType` or `errorCode`.
    pub kind: Option<Untrusted>,
    /// What mends it, where we know.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem of the whole part.
    pub fn whole(message: impl Into<Untrusted>) -> Problem {
        Problem { path: Vec::new(), message: message.into(), kind: None, hint: None }
    }

    /// Whether it concerns a field of the root operation: its path names it, or names nothing.
    pub fn concerns(&self, field: &str) -> bool {
        self.path.iter().any(|step| step == field)
    }

    /// Whether it concerns the whole part rather than one field.
    pub fn is_whole(&self) -> bool {
        self.path.len() < 2
    }

    /// Whether what stands at a place, named from the root down and without indices, may be missing
    /// because of it: it is about that place, about something around it, or about something in it.
    pub fn may_hide(&self, place: &[&str]) -> bool {
        let is_index = |step: &str| step.bytes().all(|byte| byte.is_ascii_digit());
        let mut steps = self.path.iter().filter(|step| !is_index(step)).zip(place);
        self.is_whole() || steps.all(|(step, wanted)| step == wanted)
    }

    /// Whether the other side says that it knows nobody of this login, in its own code for that.
    pub fn says_nobody(&self) -> bool {
        let is_it = |kind: &Untrusted| matches!(kind.raw(), "NotFound" | "E0000007");
        self.is_whole() && self.kind.as_ref().is_some_and(is_it)
    }

    /// As an error says it: one line, and what mends it on the next.
    pub fn words(&self) -> String {
        let hint = self.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        format!("{}{hint}", self.line())
    }

    /// One line for the screen.
    pub fn line(&self) -> String {
        match &self.kind {
            Some(kind) if !kind.is_blank() => format!("{kind}: {}", self.message),
            _ => self.message.to_string(),
        }
    }
}

/// What one request for a part brought back. Partial data may stand beside problems.
#[derive(Debug, Clone, PartialEq)]
pub struct Part<T> {
    /// When it was read.
    pub at: Timestamp,
    /// What went wrong.
    pub problems: Vec<Problem>,
    /// What came.
    pub data: Option<T>,
}

impl<T> Part<T> {
    /// A part that came whole.
    pub fn whole(at: Timestamp, data: T) -> Part<T> {
        Part { at, problems: Vec::new(), data: Some(data) }
    }

    /// A part that failed.
    pub fn failed(at: Timestamp, problem: Problem) -> Part<T> {
        Part { at, problems: vec![problem], data: None }
    }
}

impl<T> Part<T> {
    /// Whether the other side answered that it knows nobody of this login.
    pub fn is_of_nobody(&self) -> bool {
        self.data.is_none() && self.problems.iter().any(Problem::says_nobody)
    }
}

impl<T: Serialize> Part<T> {
    /// `{at, error, data}` (design, section 5).
    pub fn to_json(&self) -> Value {
        let error = (!self.problems.is_empty()).then_some(&self.problems);
        serde_json::json!({ "at": time::rfc3339(self.at), "error": error, "data": self.data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_hides_what_is_around_it_and_in_it() {
        let hides = |path: &[&str]| {
            let path = path.iter().map(|step| (*step).to_owned()).collect();
            Problem { path, ..Problem::whole("m") }.may_hide(&["root", "records", "login"])
        };
        assert!(
            hides(&[]) && hides(&["root"]) && hides(&["root", "records"]) && hides(&["root", "records", "3"])
        );
        assert!(hides(&["root", "records", "3", "login"]) && hides(&["root", "records", "login", "0"]));
        assert!(!hides(&["root", "records", "3", "status"]) && !hides(&["root", "details"]));
    }
}
