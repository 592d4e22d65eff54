//! GraphQL over HTTP: data and errors, side by side.
//!
//! A 200 with `errors` is a failure or a partial success, never a success. Of an error only `message`
//! is relied on, and even that defensively: the rest is shown where it is there.

use super::super::http::{Answer, Http};
use super::super::problem::{unexpected, with_hint, words};
use crate::domain::Untrusted;
use crate::domain::dossier::Problem;
use serde_json::Value;

/// More errors than these are not shown one by one.
const SHOWN_ERRORS: usize = 20;

/// What a query brought.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The value of the root field; `None` where it is null or absent.
    pub(super) data: Option<Value>,
    /// What went wrong.
    pub(super) problems: Vec<Problem>,
    /// Whether the tenant's schema does not know a field that was asked for.
    pub(super) is_drift: bool,
}

impl Outcome {
    /// Nothing came.
    pub(super) fn failed(problem: Problem) -> Outcome {
        Outcome { problems: vec![problem], ..Outcome::default() }
    }

    /// Reads an answer to a query with one root field.
    pub(super) fn read(http: &Http, root: &str, answer: &Answer) -> Outcome {
        let Some(Value::Object(mut body)) = answer.json() else {
            return Outcome::failed(unexpected("CII", answer));
        };
        let errors = body.remove("errors");
        let errors = errors.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let data = body.get_mut("data").and_then(|data| data.get_mut(root)).map(Value::take);
        let data = data.filter(|value| !value.is_null());
        let mut problems: Vec<Problem> =
            errors.iter().take(SHOWN_ERRORS).map(|error| problem(http, error)).collect();
        if !answer.is_success() {
            problems.insert(0, refused(answer.status));
        } else if data.is_none() && problems.is_empty() {
            problems.push(Problem::whole(format!("CII answered without `{root}` and without an error")));
        }
        let is_drift = data.is_none() && errors.iter().any(is_validation);
        Outcome { data, problems, is_drift }
    }
}

fn refused(status: u16) -> Problem {
    let message = format!("CII answered {status}");
    match status {
        401 => with_hint(message, "the token was refused twice: check that token and API are of one tenant"),
        403 => with_hint(message, "check the role of the API client"),
        404 => with_hint(message, "check `[cii] api_url`"),
        500.. => with_hint(message, "the other side is in trouble; ask again later"),
        _ => Problem::whole(message),
    }
}

fn problem(http: &Http, error: &Value) -> Problem {
    let text = |name: &str| error.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let message = text("message").map_or_else(|| "an error without a message".to_owned(), |m| words(http, m));
    Problem {
        path: path(error.get("path")),
        message: message.into(),
        kind: text("errorType").map(|kind| Untrusted::from(words(http, kind))),
        hint: None,
    }
}

/// Texts and integers, mixed; anything else is left out.
fn path(path: Option<&Value>) -> Vec<String> {
    let steps = path.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let step = |step: &Value| match step {
        Value::String(text) => Some(Untrusted::from(text.as_str()).to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    steps.iter().filter_map(step).collect()
}

/// How the servers that were seen, and those that CII may be made of, say that a field is not in their
/// schema. There is no common code for it.
fn is_validation(error: &Value) -> bool {
    const PHRASES: [&str; 6] = [
        "validation error",
        "fieldundefined",
        "cannot query field",
        "does not have a field",
        "unknown field",
        "undefined field",
    ];
    let has = |value: Option<&Value>, phrases: &[&str]| {
        let text = value.and_then(Value::as_str).unwrap_or_default().to_lowercase();
        phrases.iter().any(|phrase| text.contains(phrase))
    };
    let code = error.get("extensions").and_then(|extensions| extensions.get("code"));
    has(error.get("errorType"), &["validation"])
        || has(code, &["validation"])
        || has(error.get("message"), &PHRASES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[test]
    fn a_path_mixes_texts_and_integers() {
        let sent = json!(["getEndUser", "devices", 3, null, {"x": 1}]);
        assert_eq!(path(Some(&sent)), ["getEndUser", "devices", "3"]);
        assert!(path(Some(&json!("text"))).is_empty());
        assert!(path(None).is_empty());
    }

    #[rstest]
    #[case(json!({"message": "Validation error of type FieldUndefined: Field 'x' in type 'Y' is undefined"}), true)]
    #[case(json!({"message": "type `EndUserState` does not have a field `x`"}), true)]
    #[case(json!({"message": "m", "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}), true)]
    #[case(json!({"message": null, "errorType": "ValidationError"}), true)]
    #[case(json!({"message": "user not found", "errorType": "NotFound"}), false)]
    #[case(json!("text"), false)]
    fn drift_is_known_by_its_words(#[case] error: Value, #[case] expected: bool) {
        assert_eq!(is_validation(&error), expected);
    }
}
