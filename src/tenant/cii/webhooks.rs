//! The mutations of CII's webhooks: a target with the checks that it is told of, and its end.
//!
//! There is no list of targets in the API, so that an outcome that is unknown stays so until somebody
//! looks at CII's own pages.

use super::graphql;
use super::{Cii, queries};
use crate::domain::action::ShownRequest;
use crate::domain::dossier::Problem;
use crate::domain::{Outcome, Untrusted};
use crate::tenant::Clearance;
use crate::tenant::http::{ActEnd, Answer, Bucket, MASK, Request};
use crate::tenant::problem::{unexpected, with_hint, words};
use crate::tenant::registrar::{self, CiiChange, Registered};
use crate::tenant::token::with_bearer;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

impl Cii {
    /// The request of a change, its secrets masked.
    pub(in crate::tenant) fn shown_change(&self, change: &CiiChange) -> Result<ShownRequest, Problem> {
        let (_, masked) = bodies(change);
        registrar::shown(&self.mutation(&masked), &["authorization"], &masked.to_string())
    }

    /// Makes a change, once.
    pub(in crate::tenant) async fn change(
        &self,
        change: &CiiChange,
        clearance: &dyn Clearance,
    ) -> Registered {
        let (body, _) = bodies(change);
        let token = match self.tokens.get().await {
            Ok(token) => token,
            Err(problem) => return Registered::not_sent(problem),
        };
        let request = with_bearer(&self.mutation(&body), &token);
        let end = self.http.act(&Bucket::cii("graphql"), &request, clearance).await;
        if matches!(&end, ActEnd::Answered(answer, _) if answer.status == 401) {
            self.tokens.forget(&token).await;
        }
        Registered::of(&self.http, end, Some(&token), |answer| self.changed(change, answer))
    }

    fn mutation(&self, body: &Value) -> Request {
        Request::post_json(self.api_url.clone(), body)
    }

    /// What an answer comes to. A 200 with `errors` is no success, and one that cannot be read says nothing.
    fn changed(&self, change: &CiiChange, answer: &Answer) -> Registered {
        let root = query(change).root;
        if answer.is_success() && answer.json().is_none() {
            return Registered::because(Outcome::Unknown, unexpected("CII", answer));
        }
        let graphql::Outcome { data, problems, is_drift } = graphql::Outcome::read(&self.http, root, answer);
        let problem = problems.into_iter().next();
        if !answer.is_success() {
            return Registered { problem, ..Registered::ended(Outcome::of_status(answer.status)) };
        }
        match (change, data) {
            (CiiChange::Register(_), Some(Value::String(id))) if !id.is_empty() => {
                let id = Some(Untrusted::from(words(&self.http, &id)));
                Registered { id, problem, ..Registered::ended(Outcome::Accepted) }
            }
            (CiiChange::Unregister(_), Some(Value::Bool(true))) => {
                Registered { problem, ..Registered::ended(Outcome::Accepted) }
            }
            (CiiChange::Unregister(_), Some(Value::Bool(false))) => Registered::because(
                Outcome::Failed,
                with_hint(
                    "CII answered that it did not",
                    "check the id: it is the one that `register` printed",
                ),
            ),
            (_, None) if !is_drift && problem.as_ref().is_some_and(may_have_begun) => {
                Registered { problem, ..Registered::ended(Outcome::Unknown) }
            }
            (_, None) => Registered { problem, ..Registered::ended(Outcome::Failed) },
            (_, Some(_)) => Registered::because(
                Outcome::Unknown,
                Problem::whole(format!("CII's answer to `{root}` is of another type than documented")),
            ),
        }
    }
}

/// Whether an error leaves open what happened: the other side gave up on it, or answered without a word.
fn may_have_begun(problem: &Problem) -> bool {
    let said = problem.line().to_lowercase();
    ["timeout", "timed out", "time out", "without an error"].iter().any(|words| said.contains(words))
}

fn query(change: &CiiChange) -> queries::Query {
    match change {
        CiiChange::Register(_) => queries::REGISTER_WEBHOOK,
        CiiChange::Unregister(_) => queries::UNREGISTER_WEBHOOK,
    }
}

/// The body as it leaves, and as it is shown.
fn bodies(change: &CiiChange) -> (Value, Value) {
    let body = |variables: Value| json!({ "query": query(change).full, "variables": variables });
    match change {
        CiiChange::Register(webhook) => {
            let input = |key: &str| {
                let input = json!({
                    "name": webhook.name,
                    "endpoint": webhook.endpoint.as_str(),
                    "apiKeyName": webhook.header.name,
                    "apiKey": key,
                    "checkIds": webhook.checks,
                });
                body(json!({ "input": input }))
            };
            (input(webhook.header.value.expose_secret()), input(MASK))
        }
        CiiChange::Unregister(id) => (body(json!({ "id": id })), body(json!({ "id": id }))),
    }
}
