//! Looking things up in an org, as they come.

use super::error::OktaError;
use super::lists::Listed;
use super::service_app::Scope;
use super::user;
use super::{Okta, address};
use crate::domain::Untrusted;
use crate::domain::dossier::Problem;
use crate::domain::log::literal;
use crate::tenant::http::{Answer, Request};
use crate::tenant::org::{Assignment, OktaOrg};
use crate::tenant::problem::{unexpected, with_hint};
use async_trait::async_trait;
use serde_json::Value;

#[async_trait]
impl OktaOrg for Okta {
    async fn user_of(&self, id_or_login: &str) -> Result<Value, Problem> {
        let url = user::url(&self.org_url, id_or_login)?;
        let answer = self.read(Scope::ReadUsers, "users/{id}", Request::get(url)).await?;
        self.object(&answer, Scope::ReadUsers)
    }

    async fn users_of_email(&self, email: &str) -> Result<Vec<Value>, Problem> {
        let wanted = address::value(&format!("profile.email eq {}", literal(email)));
        let mut users: Vec<Value> = Vec::new();
        // A filter takes its values as they are written; a search takes them in any case, and does not know
        // yet who was made a moment ago.
        for way in ["filter", "search"] {
            let query = format!("{way}={wanted}&limit=200");
            let found = self.all(listed(Scope::ReadUsers, "users", "/api/v1/users", Some(query)), usize::MAX);
            for user in found.await? {
                if users.iter().all(|known| known.get("id") != user.get("id")) {
                    users.push(user);
                }
            }
        }
        Ok(users)
    }

    async fn apps(&self, begins: Option<&str>, most: usize) -> Result<Vec<Value>, Problem> {
        let begins = begins.map(|text| format!("q={}&", address::value(text))).unwrap_or_default();
        let query = format!("{begins}limit={}", most.clamp(1, 200));
        let mut apps = self.all(listed(Scope::ReadApps, "apps", "/api/v1/apps", Some(query)), most).await?;
        apps.truncate(most);
        Ok(apps)
    }

    async fn apps_of_user(&self, user: &str) -> Result<Vec<Value>, Problem> {
        let filter = address::value(&format!("user.id eq {}", literal(user)));
        let query = format!("filter={filter}&limit=200");
        self.all(listed(Scope::ReadApps, "apps", "/api/v1/apps", Some(query)), usize::MAX).await
    }

    async fn roles_of_user(&self, user: &str) -> Result<Vec<Value>, Problem> {
        let path = format!("/api/v1/users/{}/roles", segment(user)?);
        self.all(listed(Scope::ReadRoles, "users/{id}/roles", &path, None), usize::MAX).await
    }

    async fn groups_of_user(&self, user: &str) -> Result<Vec<Value>, Problem> {
        let path = format!("/api/v1/users/{}/groups", segment(user)?);
        self.all(listed(Scope::ReadUsers, "users/{id}/groups", &path, None), usize::MAX).await
    }

    async fn factors_of_user(&self, user: &str) -> Result<Vec<Value>, Problem> {
        let path = format!("/api/v1/users/{}/factors", segment(user)?);
        self.all(listed(Scope::ReadUsers, "users/{id}/factors", &path, None), usize::MAX).await
    }

    async fn assignment(&self, app: &str, user: &str) -> Result<Assignment, Problem> {
        let path = format!("/api/v1/apps/{}/users/{}", segment(app)?, segment(user)?);
        let url = self.listed_url(&listed(Scope::ReadApps, "apps/{id}/users", &path, None));
        let answer = self.read(Scope::ReadApps, "apps/{id}/users", Request::get(url)).await?;
        match self.object(&answer, Scope::ReadApps) {
            Ok(seen) => return Ok(Assignment::Assigned(seen)),
            Err(problem) if !problem.says_nobody() => return Err(problem),
            Err(_) => {}
        }
        // The one code has three causes, and its text is for people: two more reads tell them apart.
        if let Err(problem) = self.user_of(user).await {
            return if problem.says_nobody() { Ok(Assignment::NoSuchUser) } else { Err(problem) };
        }
        let filter = address::value(&format!("id eq {}", literal(app)));
        let query = format!("filter={filter}&limit=1");
        let apps = self.all(listed(Scope::ReadApps, "apps", "/api/v1/apps", Some(query)), 1).await?;
        Ok(if apps.is_empty() { Assignment::NoSuchApp } else { Assignment::NotAssigned })
    }

    async fn group(&self, id: &str) -> Result<Value, Problem> {
        let path = format!("/api/v1/groups/{}", segment(id)?);
        let url = self.listed_url(&listed(Scope::ReadGroups, "groups/{id}", &path, None));
        let answer = self.read(Scope::ReadGroups, "groups/{id}", Request::get(url)).await?;
        self.object(&answer, Scope::ReadGroups)
    }

    async fn groups_beginning(&self, name: &str) -> Result<Vec<Value>, Problem> {
        let query = format!("q={}", address::value(name));
        self.all(listed(Scope::ReadGroups, "groups", "/api/v1/groups", Some(query)), usize::MAX).await
    }

    async fn user_schema(&self) -> Result<Value, Problem> {
        let path = "/api/v1/meta/schemas/user/default";
        let url = self.listed_url(&listed(Scope::ReadSchemas, "schemas", path, None));
        let answer = self.read(Scope::ReadSchemas, "schemas", Request::get(url)).await?;
        self.object(&answer, Scope::ReadSchemas)
    }

    async fn members(&self, group: &str) -> Result<Vec<Value>, Problem> {
        let path = format!("/api/v1/groups/{}/users", segment(group)?);
        let query = Some("limit=200".to_owned());
        self.all(listed(Scope::ReadGroups, "groups/{id}/users", &path, query), usize::MAX).await
    }
}

impl Okta {
    fn object(&self, answer: &Answer, needs: Scope) -> Result<Value, Problem> {
        match answer.json() {
            Some(body @ Value::Object(_)) if answer.is_success() => Ok(body),
            _ if answer.is_success() => Err(unexpected("Okta", answer)),
            _ => Err(OktaError::read(&self.http, answer).of_call("Okta", needs, answer)),
        }
    }
}

fn listed(scope: Scope, calls: &'static str, path: &str, query: Option<String>) -> Listed {
    Listed { scope, calls, path: path.to_owned(), query }
}

/// An id as one segment of a path.
fn segment(id: &str) -> Result<&str, Problem> {
    address::is_id(id).then_some(id).ok_or_else(|| {
        let message = format!("`{}` is not an id of Okta", Untrusted::from(id));
        with_hint(
            message,
            "ids are letters and digits, `00u…` of a user, `0oa…` of an application, `00g…` of a group",
        )
    })
}
