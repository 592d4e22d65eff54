//! Okta's error bodies, in the three shapes that are seen, and those that are none of them.

use crate::domain::Untrusted;
use crate::domain::dossier::Problem;
use crate::tenant::http::{Answer, Http};
use crate::tenant::problem::{unexpected, words};
use serde_json::Value;

/// What an error body says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::tenant) struct OktaError {
    /// `E0000011`, or OAuth's `invalid_client`. The only part that may steer anything.
    pub(in crate::tenant) code: Option<String>,
    /// The summary and its causes, masked, printable.
    said: Vec<String>,
}

impl OktaError {
    /// Reads the five-field shape (causes as a list or as one object), OAuth's shape, or nothing.
    pub(in crate::tenant) fn read(http: &Http, answer: &Answer) -> OktaError {
        let Some(body) = answer.json() else { return OktaError::default() };
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(|text| words(http, text));
        let code = text(body.get("errorCode")).or_else(|| text(body.get("error")));
        let summary = text(body.get("errorSummary")).or_else(|| text(body.get("error_description")));
        let causes =
            causes(body.get("errorCauses")).into_iter().filter_map(|cause| text(cause.get("errorSummary")));
        OktaError { code, said: summary.into_iter().chain(causes).collect() }
    }

    /// The problem in words, with the request id that Okta's support and System Log know it by.
    pub(in crate::tenant) fn problem(&self, what: &str, answer: &Answer) -> Problem {
        if self.code.is_none() && self.said.is_empty() {
            return unexpected(what, answer);
        }
        let said = if self.said.is_empty() { String::new() } else { format!(": {}", self.said.join(": ")) };
        let id =
            answer.header("x-okta-request-id").map(|id| format!(" (request id {})", Untrusted::from(id)));
        let message = format!("{what} answered {}{said}{}", answer.status, id.unwrap_or_default());
        let kind = self.code.as_deref().map(Untrusted::from);
        Problem { kind, hint: self.hint(answer).map(str::to_owned), ..Problem::whole(message) }
    }

    fn hint(&self, answer: &Answer) -> Option<&'static str> {
        let is_scope_missing =
            answer.header("www-authenticate").is_some_and(|text| text.contains("insufficient_scope"));
        match self.code.as_deref() {
            Some("E0000011") => {
                Some("the token is wrong, was revoked, or was not used for 30 days: make a new one")
            }
            Some("invalid_dpop_proof" | "use_dpop_nonce") => {
                Some("the application requires DPoP: switch it off there")
            }
            _ if answer.status == 403 && is_scope_missing => {
                Some("grant the application the scope `okta.users.read`")
            }
            Some("E0000006") => {
                Some("the token's admin, or the application, has no role that covers this user")
            }
            Some("E0000007") => Some("nobody has this id or login in Okta; deleted users are gone for good"),
            _ if answer.status == 429 => Some("wait, then ask again"),
            _ => None,
        }
    }
}

/// A list by its documentation, one object in one published example.
fn causes(causes: Option<&Value>) -> Vec<&Value> {
    match causes {
        Some(Value::Array(list)) => list.iter().take(10).collect(),
        Some(one @ Value::Object(_)) => vec![one],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::meant::Net;
    use crate::tenant::http::{Clock, Limits, Redactor};
    use jiff::Timestamp;
    use rstest::rstest;

    #[rstest]
    #[case(404, r#"{"errorCode":"E0000007","errorSummary":"Not found: Resource not found: x (User)","errorCauses":[]}"#,
        "E0000007: Okta answered 404: Not found: Resource not found: x (User) (request id r1)")]
    #[case(
        400,
        r#"{"errorCode":"E0000001","errorSummary":"failed","errorCauses":{"errorSummary":"why"}}"#,
        "E0000001: Okta answered 400: failed: why (request id r1)"
    )]
    #[case(400, r#"{"errorCode":"E0000001","errorSummary":"failed","errorCauses":[{"errorSummary":"a"},{"errorSummary":"b"}]}"#,
        "E0000001: Okta answered 400: failed: a: b (request id r1)")]
    #[case(
        400,
        r#"{"error":"invalid_dpop_proof","error_description":"The DPoP proof JWT header is missing."}"#,
        "invalid_dpop_proof: Okta answered 400: The DPoP proof JWT header is missing. (request id r1)"
    )]
    #[case(
        502,
        "<html>\u{1b}[2J</html>",
        "Okta answered 502 with 17 bytes of no content type, not with JSON"
    )]
    fn every_shape_of_error_is_read(#[case] status: u16, #[case] body: &str, #[case] line: &str) {
        let clock = Clock::new(|| Timestamp::UNIX_EPOCH);
        let http = Http::new(&Net::default(), Limits::default(), clock, Redactor::default()).unwrap();
        let headers = vec![("x-okta-request-id".to_owned(), "r1".to_owned())];
        let at = Timestamp::UNIX_EPOCH;
        let answer = Answer { status, headers, body: body.into(), flaw: None, at };
        assert_eq!(OktaError::read(&http, &answer).problem("Okta", &answer).line(), line);
    }
}
