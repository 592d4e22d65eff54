//! One user, by id or login.

use super::{Okta, Scope, address};
use crate::domain::Untrusted;
use crate::domain::dossier::{OktaUser, Part, Problem};
use crate::tenant::decode;
use crate::tenant::http::{Answer, Request};
use crate::tenant::okta::error::OktaError;
use crate::tenant::problem::{unexpected, with_hint};
use serde_json::Value;
use url::Url;

/// A request's id that is longer than this is none.
const LONGEST_ID: usize = 100;

/// `GET /api/v1/users/{idOrLogin}`. Only this call's `_links` say what is legal now.
pub(super) async fn read(okta: &Okta, id_or_login: &str) -> Part<OktaUser> {
    let answer = match url(&okta.org_url, id_or_login) {
        Ok(url) => okta.get("users/{id}", Request::get(url)).await,
        Err(problem) => Err(problem),
    };
    match answer {
        Ok(answer) if answer.is_success() => decoded(&answer, id_or_login),
        Ok(answer) => {
            let problem = OktaError::read(&okta.http, &answer).of_call("Okta", Scope::ReadUsers, &answer);
            Part::failed(answer.at, problem)
        }
        Err(problem) => Part::failed(okta.http.now(), problem),
    }
}

fn decoded(answer: &Answer, asked: &str) -> Part<OktaUser> {
    let Some(body @ Value::Object(_)) = answer.json() else {
        return Part::failed(answer.at, unexpected("Okta", answer));
    };
    let mut problems = Vec::new();
    let user: Option<OktaUser> = decode::tolerantly("user", body, &mut problems);
    let request_id =
        answer.header("x-okta-request-id").filter(|id| id.len() <= LONGEST_ID).map(Untrusted::from);
    let user = user.map(|user| OktaUser { request_id, ..user });
    problems.extend(user.as_ref().and_then(|user| namesake(user, asked)));
    Part { at: answer.at, problems, data: user }
}

/// Okta also finds a user by a short login, `jo` for `jo@example.com`: that may be somebody else.
pub(super) fn namesake(user: &OktaUser, asked: &str) -> Option<Problem> {
    let login = user.profile_text("login")?;
    let is_asked = user.id.raw() == asked || login.raw().to_lowercase() == asked.trim().to_lowercase();
    let message = format!("Okta found this user by a short login: the whole one is `{login}`");
    (!is_asked).then(|| with_hint(message, "check that it is the same person"))
}

/// Where a user stands. Refused are names that Okta cannot look up, or would take for something else.
pub(super) fn url(org: &Url, id_or_login: &str) -> Result<Url, Problem> {
    let name = id_or_login.trim();
    let refuse = |why: &str| {
        let message = format!("`{}` {why}", Untrusted::from(name));
        Err(with_hint(message, "look the user up by the Okta id"))
    };
    match name {
        "" => return Err(Problem::whole("an empty login cannot be looked up in Okta")),
        "." | ".." => return refuse("cannot be looked up in Okta by login"),
        // `/users/me` is the owner of the token.
        name if name.eq_ignore_ascii_case("me") => return refuse("means the token's owner to Okta"),
        name if name.contains('/') => {
            return refuse("holds a `/`: Okta cannot look such a login up by login");
        }
        _ => {}
    }
    let mut url = org.clone();
    url.set_path(&format!("/api/v1/users/{}", address::segment(name)));
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case("a.b@example.com", Some("/api/v1/users/a.b@example.com"))]
    #[case("a b+c%2F?#\\é", Some("/api/v1/users/a%20b%2Bc%252F%3F%23%5C%C3%A9"))]
    #[case("a\tb", Some("/api/v1/users/a%09b"))]
    #[case("a/b", None)]
    #[case("..", None)]
    #[case("ME", None)]
    #[case(" ", None)]
    fn a_login_is_one_segment(#[case] login: &str, #[case] path: Option<&str>) {
        let org = "https://example.okta.com/".parse().unwrap();
        assert_eq!(url(&org, login).ok().as_ref().map(Url::path), path);
    }

    #[test]
    fn a_namesake_is_pointed_out() {
        let user: OktaUser =
            serde_json::from_value(json!({"id": "00u1", "profile": {"login": "Jo@example.com"}})).unwrap();
        assert!(namesake(&user, "jo@EXAMPLE.com").is_none());
        assert!(namesake(&user, "00u1").is_none());
        assert!(namesake(&user, "jo").is_some());
    }
}
