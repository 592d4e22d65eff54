//! Okta's error bodies, in the three shapes that are seen, and those that are none of them; and what mends
//! them, for every call in the same words.

use super::service_app::Scope;
use crate::domain::Untrusted;
use crate::domain::action::Complaint;
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
        Problem { kind, ..Problem::whole(message) }
    }

    /// The same of a call that needs a scope, with what mends it.
    pub(in crate::tenant) fn of_call(&self, what: &str, needs: Scope, answer: &Answer) -> Problem {
        let problem = self.problem(what, answer);
        match self.hint(needs, answer) {
            Some(hint) => Problem { hint: Some(hint), ..problem },
            None => problem,
        }
    }

    /// Why a call is refused, a missing scope and a missing role told apart, and what mends it.
    pub(in crate::tenant) fn complaint(&self, needs: Scope, answer: &Answer) -> Complaint {
        let lacks = match self.lack(answer) {
            Some(Lack::Scope) => "the token lacks the scope: ",
            Some(Lack::Role) => "no role covers it: ",
            None => "",
        };
        let problem = self.of_call("Okta", needs, answer);
        Complaint { why: format!("{lacks}{}", problem.line()), hint: problem.hint }
    }

    /// What the caller lacks, if that is why the call was refused. The challenge is asked first: the body
    /// beside it has the same code as one about a role.
    pub(in crate::tenant) fn lack(&self, answer: &Answer) -> Option<Lack> {
        let is_of_scope =
            || answer.every_header("www-authenticate").any(|text| text.contains("insufficient_scope"));
        match self.code.as_deref() {
            _ if answer.status == 403 && is_of_scope() => Some(Lack::Scope),
            Some("E0000006") => Some(Lack::Role),
            _ => None,
        }
    }

    fn hint(&self, needs: Scope, answer: &Answer) -> Option<String> {
        if let Some(lack) = self.lack(answer) {
            return Some(lack.hint(needs));
        }
        let hint = match self.code.as_deref() {
            Some("E0000011") => {
                "the token is wrong, was revoked, or was not used for 30 days: make a new one"
            }
            Some("E0000007") if matches!(needs, Scope::ReadUsers | Scope::ManageUsers) => {
                "nobody has this id or login in Okta; deleted users are gone for good"
            }
            _ if answer.status == 429 => "wait, then ask again",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// What a caller lacks: a scope says which verbs, a role on whom and what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tenant) enum Lack {
    /// The token has not the scope.
    Scope,
    /// The scope is there, and no role that covers the call.
    Role,
}

impl Lack {
    fn hint(self, needs: Scope) -> String {
        match self {
            Lack::Scope => {
                format!("the scope is missing: grant the application the scope `{}`", needs.name())
            }
            Lack::Role => format!(
                "the role is missing, not the scope: give the application, or the token's admin, {}",
                needs.role()
            ),
        }
    }
}

/// Whether a token endpoint said by its code that it will not issue a token; anything else may pass.
pub(in crate::tenant) fn is_final(problem: &Problem) -> bool {
    const PASSING: [&str; 5] =
        ["server_error", "temporarily_unavailable", "E0000009", "E0000010", "E0000047"];
    problem.kind.as_ref().is_some_and(|code| !PASSING.contains(&code.raw()))
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
        let answer = answer(status, &[("x-okta-request-id", "r1")], body);
        assert_eq!(OktaError::read(&http(), &answer).problem("Okta", &answer).line(), line);
    }

    fn http() -> Http {
        let clock = Clock::new(|| Timestamp::UNIX_EPOCH);
        Http::new(&Net::default(), Limits::default(), clock, Redactor::default()).unwrap()
    }

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Answer { status, headers, body: body.into(), flaw: None, at: Timestamp::UNIX_EPOCH }
    }

    const CHALLENGE: (&str, &str) = ("www-authenticate", "Bearer scope=\"x\", error=\"insufficient_scope\"");

    #[rstest]
    #[case(403, &[CHALLENGE], "E0000006", Scope::ReadLogs, Some("the application the scope `okta.logs.read`"))]
    #[case(403, &[("www-authenticate", "Bearer"), CHALLENGE], "E0000006", Scope::ManageHooks,
        Some("the scope is missing: grant the application the scope `okta.eventHooks.manage`"))]
    #[case(403, &[], "E0000006", Scope::ReadLogs, Some("the role is missing, not the scope"))]
    #[case(403, &[], "E0000006", Scope::ManageUsers, Some("a role that may change this user"))]
    #[case(401, &[CHALLENGE], "E0000011", Scope::ReadUsers, Some("make a new one"))]
    #[case(404, &[], "E0000007", Scope::ReadUsers, Some("nobody has this id"))]
    #[case(404, &[], "E0000007", Scope::ReadHooks, None)]
    #[case(429, &[], "E0000047", Scope::ReadApps, Some("wait"))]
    #[case(400, &[], "E0000001", Scope::ReadUsers, None)]
    fn what_is_missing_is_told_apart(
        #[case] status: u16,
        #[case] headers: &[(&str, &str)],
        #[case] code: &str,
        #[case] needs: Scope,
        #[case] phrase: Option<&str>,
    ) {
        let answer = answer(status, headers, &format!(r#"{{"errorCode":"{code}","errorSummary":"x"}}"#));
        let hint = OktaError::read(&http(), &answer).of_call("Okta", needs, &answer).hint;
        match phrase {
            Some(phrase) => assert!(hint.as_deref().is_some_and(|hint| hint.contains(phrase)), "{hint:?}"),
            None => assert_eq!(hint, None),
        }
    }

    #[rstest]
    #[case(&[CHALLENGE], "the token lacks the scope: E0000006: Okta answered 403: x")]
    #[case(&[], "no role covers it: E0000006: Okta answered 403: x")]
    #[case(&[("x-okta-request-id", "req1")], "no role covers it: E0000006: Okta answered 403: x (request id req1)")]
    fn a_refused_write_complains_in_words(#[case] headers: &[(&str, &str)], #[case] why: &str) {
        let answer = answer(403, headers, r#"{"errorCode":"E0000006","errorSummary":"x"}"#);
        let complaint = OktaError::read(&http(), &answer).complaint(Scope::ManageUsers, &answer);
        assert_eq!(complaint.why, why);
        assert!(complaint.hint.is_some());
    }
}
