//! Which calls work, by calling them: a scope is granted also where no role covers it, so that what the
//! token endpoint says proves nothing.
//!
//! Nothing is changed. Of the calls that change something only the token is had.

use super::credential::Auth;
use super::error::{self, OktaError};
use super::service_app::Scope;
use super::{Okta, address};
use crate::domain::Untrusted;
use crate::domain::access::{CHANGE_GROUP, CHANGE_USER};
use crate::domain::action::Complaint;
use crate::domain::call_probe::{CallProbe, Works};
use crate::domain::dossier::Problem;
use crate::tenant::http::{Answer, Request};
use crate::tenant::problem::unexpected;
use futures_util::{StreamExt as _, stream};
use serde_json::Value;

/// So many are in flight at once: an org's limit on simultaneous requests is for all its users.
const AT_ONCE: usize = 4;

/// What is asked to find out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// This path and query.
    At(&'static str, &'static str),
    /// Something of one user.
    OfUser(&'static str),
    /// Nothing: it would change something.
    Nothing,
}

struct Row {
    call: &'static str,
    bucket: &'static str,
    needs: Scope,
    asked: Asked,
}

const fn row(call: &'static str, bucket: &'static str, needs: Scope, asked: Asked) -> Row {
    Row { call, bucket, needs, asked }
}

/// An application has no user behind it, so it asks for the first one.
const FIRST_USER: Row =
    row("GET /api/v1/users", "users", Scope::ReadUsers, Asked::At("/api/v1/users", "limit=1"));

/// Whoever made the token.
const OWNER: Row =
    row("GET /api/v1/users/me", "users/{id}", Scope::ReadUsers, Asked::At("/api/v1/users/me", ""));

const ROWS: [Row; 10] = [
    row("GET /api/v1/users/{id}/groups", "users/{id}", Scope::ReadUsers, Asked::OfUser("groups")),
    row("GET /api/v1/users/{id}/factors", "users/{id}", Scope::ReadUsers, Asked::OfUser("factors")),
    row("GET /api/v1/users/{id}/roles", "users/{id}", Scope::ReadRoles, Asked::OfUser("roles")),
    row("GET /api/v1/groups", "groups", Scope::ReadGroups, Asked::At("/api/v1/groups", "limit=1")),
    row("GET /api/v1/apps", "apps", Scope::ReadApps, Asked::At("/api/v1/apps", "limit=1")),
    row("GET /api/v1/logs", "logs", Scope::ReadLogs, Asked::At("/api/v1/logs", "limit=1")),
    row(
        "GET /api/v1/meta/schemas/user/default",
        "schemas",
        Scope::ReadSchemas,
        Asked::At("/api/v1/meta/schemas/user/default", ""),
    ),
    row("GET /api/v1/eventHooks", "hooks", Scope::ReadHooks, Asked::At("/api/v1/eventHooks", "")),
    row(CHANGE_USER, "users", Scope::ManageUsers, Asked::Nothing),
    row(CHANGE_GROUP, "groups", Scope::ManageGroups, Asked::Nothing),
];

impl Row {
    /// A part of a dossier may be missing, the dossier not.
    fn is_needed(&self, needed: &[Scope]) -> bool {
        needed.contains(&self.needs) && !matches!(self.asked, Asked::OfUser(_))
    }
}

impl Okta {
    /// Every call, each by itself: one that is dead hides no other.
    pub(in crate::tenant) async fn probe_calls(&self, needed: &[Scope]) -> Vec<CallProbe> {
        let first = if let Auth::ServiceApp(_) = self.auth { &FIRST_USER } else { &OWNER };
        let (first, user) = self.probe_first(first, needed).await;
        let probes: Vec<_> = ROWS.iter().map(|row| self.probe(row, user.as_deref(), needed)).collect();
        let others: Vec<CallProbe> = stream::iter(probes).buffered(AT_ONCE).collect().await;
        std::iter::once(first).chain(others).collect()
    }

    /// Of those calls the ones that change something: whether a token is issued for them.
    pub(in crate::tenant) async fn probe_changes(&self, calls: &[&str]) -> Vec<CallProbe> {
        let mut probes = Vec::new();
        for row in ROWS.iter().filter(|row| row.asked == Asked::Nothing && calls.contains(&row.call)) {
            probes.push(self.probe(row, None, &[]).await);
        }
        probes
    }

    /// The call that also tells a user whose groups and factors can be asked for.
    async fn probe_first(&self, row: &Row, needed: &[Scope]) -> (CallProbe, Option<String>) {
        let answer = match self.has(row.needs).await {
            Ok(has) => (has, self.ask(row, None).await),
            Err(without) => return (self.without_token(row, without, needed), None),
        };
        let user = match &answer.1 {
            Some(Ok(answer)) if answer.is_success() => answer.json().as_ref().and_then(id_of_first),
            _ => None,
        };
        (self.told(row, answer.0, answer.1, needed), user)
    }

    async fn probe(&self, row: &Row, user: Option<&str>, needed: &[Scope]) -> CallProbe {
        match self.has(row.needs).await {
            Ok(has) => self.told(row, has, self.ask(row, user).await, needed),
            Err(without) => self.without_token(row, without, needed),
        }
    }

    /// What we have for calls of a scope, by the words of whoever issued it.
    async fn has(&self, scope: Scope) -> Result<String, Problem> {
        let Auth::ServiceApp(tokens) = &self.auth else { return Ok("the token's admin".to_owned()) };
        let granted = tokens.of(scope)?.granted().await?;
        // Without a word it is what was asked for (RFC 6749, section 5.1).
        Ok(granted.map_or_else(|| scope.name().to_owned(), |scopes| Untrusted::from(scopes).to_string()))
    }

    /// `None` where there is nothing to ask.
    async fn ask(&self, row: &Row, user: Option<&str>) -> Option<Result<Answer, Problem>> {
        let mut url = self.org_url.clone();
        match row.asked {
            Asked::At(path, query) => {
                url.set_path(path);
                url.set_query(Some(query).filter(|query| !query.is_empty()));
            }
            Asked::OfUser(below) => {
                url.set_path(&format!("/api/v1/users/{}/{below}", address::segment(user?)));
            }
            Asked::Nothing => return None,
        }
        Some(self.read(row.needs, row.bucket, Request::get(url)).await)
    }

    fn told(
        &self,
        row: &Row,
        has: String,
        answer: Option<Result<Answer, Problem>>,
        needed: &[Scope],
    ) -> CallProbe {
        let (works, hint) = match answer {
            Some(Ok(answer)) => self.judged(row, &answer),
            Some(Err(problem)) => (Works::CannotTell(problem.line()), problem.hint),
            None if row.asked == Asked::Nothing => {
                (Works::CannotTell("whether a role covers it shows at the call only".to_owned()), None)
            }
            None => (Works::CannotTell("no user is known to ask about".to_owned()), None),
        };
        let is_needed = row.is_needed(needed);
        CallProbe { call: row.call, needs: row.needs.name(), has, works, hint, is_needed }
    }

    fn judged(&self, row: &Row, answer: &Answer) -> (Works, Option<String>) {
        if answer.is_success() {
            return match answer.json() {
                Some(_) => (Works::Yes, None),
                None => {
                    let problem = unexpected("Okta", answer);
                    (Works::CannotTell(problem.line()), problem.hint)
                }
            };
        }
        let error = OktaError::read(&self.http, answer);
        let Complaint { why, hint } = error.complaint(row.needs, answer);
        match answer.status {
            408 | 429 | 500.. => (Works::CannotTell(why), hint),
            _ => (Works::No(why), hint),
        }
    }

    /// No token, no call.
    fn without_token(&self, row: &Row, problem: Problem, needed: &[Scope]) -> CallProbe {
        let works = match error::is_final(&problem) {
            true => Works::No(problem.line()),
            false => Works::CannotTell(problem.line()),
        };
        CallProbe {
            call: row.call,
            needs: row.needs.name(),
            has: "nothing".to_owned(),
            works,
            hint: problem.hint,
            is_needed: row.is_needed(needed),
        }
    }
}

/// Of a list its first, of a user itself.
fn id_of_first(body: &Value) -> Option<String> {
    let user = body.get(0).unwrap_or(body);
    user.get("id")?.as_str().filter(|id| !id.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!([{"id": "00u1"}, {"id": "00u2"}]), Some("00u1"))]
    #[case(json!({"id": "00u1"}), Some("00u1"))]
    #[case(json!([]), None)]
    #[case(json!([{"id": ""}]), None)]
    #[case(json!("00u1"), None)]
    fn a_user_is_found_in_either_answer(#[case] body: Value, #[case] id: Option<&str>) {
        assert_eq!(id_of_first(&body).as_deref(), id);
    }

    #[test]
    fn only_reads_are_asked() {
        let changing = [Scope::ManageUsers, Scope::ManageGroups, Scope::ManageHooks];
        for row in ROWS.iter().chain([&FIRST_USER, &OWNER]) {
            assert_eq!(changing.contains(&row.needs), row.asked == Asked::Nothing, "{}", row.call);
        }
    }
}
