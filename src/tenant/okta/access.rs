//! Reading what administrator roles allow: permissions of custom roles, and the resources of their sets.

use super::credential::Auth;
use super::error::OktaError;
use super::service_app::Scope;
use super::{Okta, address};
use crate::domain::Untrusted;
use crate::domain::access::{CustomRole, May, Preview, may};
use crate::domain::dossier::{OktaRole, Problem};
use crate::domain::look_up::{is_user, text_at};
use crate::tenant::access::AccessPreview;
use crate::tenant::decode;
use crate::tenant::http::{Answer, Request};
use crate::tenant::org::OktaOrg as _;
use crate::tenant::problem::unexpected;
use async_trait::async_trait;
use serde_json::Value;
use std::collections::HashSet;
use url::Url;

/// A set holds at most 1,000 resources: ten pages of a hundred.
const MOST_PAGES: usize = 10;

#[async_trait]
impl AccessPreview for Okta {
    async fn of_owner(&self) -> Option<Preview> {
        if let Auth::ServiceApp(_) = self.auth {
            return None;
        }
        let mut url = self.org_url.clone();
        url.set_path("/api/v1/users/me");
        Some(match self.answered(Scope::ReadUsers, url).await {
            Ok(user) => self.of_user(&user).await,
            Err(problem) => Preview::unknown(format!("whose the API token is: {}", problem.line())),
        })
    }

    async fn of_login(&self, login: &str) -> Preview {
        match self.user_of(login).await {
            Ok(user) if is_user(&user, login) => self.of_user(&user).await,
            Ok(_) => Preview::unknown(format!("Okta takes `{}` for a short login", Untrusted::from(login))),
            Err(problem) => Preview::unknown(problem.line()),
        }
    }
}

impl Okta {
    async fn of_user(&self, user: &Value) -> Preview {
        let whose = Untrusted::from(text_at(user, "/profile/login"));
        let unknown =
            |problem: Problem| Preview { whose: Some(whose.clone()), ..Preview::unknown(problem.line()) };
        let roles = match self.roles_of_user(text_at(user, "/id")).await {
            Ok(roles) => roles,
            Err(problem) => return unknown(problem),
        };
        let mut odd = Vec::new();
        let roles: Vec<OktaRole> =
            roles.into_iter().filter_map(|role| decode::tolerantly("roles", role, &mut odd)).collect();
        let (mut preview, custom) = Preview::of(whose, &roles);
        preview.untold.extend(odd.iter().map(Problem::line));
        // A super administrator may do everything: nothing more has to be asked.
        for role in custom.iter().filter(|_| !preview.is_super).collect::<Vec<_>>() {
            match self.looked_into(role).await {
                Ok((permissions, resources)) => preview.learn(role, &permissions, &resources),
                Err(problem) => {
                    preview.untold.push(format!("what the role `{}` allows: {}", role.title, problem.line()))
                }
            }
        }
        preview
    }

    /// A role's permissions; what it is about is read only where that matters.
    async fn looked_into(&self, role: &CustomRole) -> Result<(Vec<Value>, Vec<Value>), Problem> {
        let permissions = self.permissions_of(&role.role).await?;
        let labels: Vec<&str> = permissions.iter().filter_map(|it| it.get("label")?.as_str()).collect();
        let resources = match may(&labels) {
            May::Run => self.resources_of(&role.set).await?,
            May::View | May::Nothing => Vec::new(),
        };
        Ok((permissions, resources))
    }

    async fn permissions_of(&self, role: &str) -> Result<Vec<Value>, Problem> {
        let mut url = self.org_url.clone();
        url.set_path(&format!("/api/v1/iam/roles/{}/permissions", segment(role)?));
        let mut answer = self.answered(Scope::ReadRoles, url).await?;
        taken(&mut answer, "permissions")
    }

    /// Page by page: the next one is named in the body.
    async fn resources_of(&self, set: &str) -> Result<Vec<Value>, Problem> {
        let mut url = self.org_url.clone();
        url.set_path(&format!("/api/v1/iam/resource-sets/{}/resources", segment(set)?));
        url.set_query(Some("limit=100"));
        let (mut all, mut asked, mut next) = (Vec::new(), HashSet::new(), Some(url));
        while let Some(url) = next.take() {
            if asked.len() == MOST_PAGES || !asked.insert(url.clone()) {
                return Err(Problem::whole(
                    "the resources of the role's set go on behind the 1,000 that there can be",
                ));
            }
            let mut page = self.answered(Scope::ReadRoles, url).await?;
            all.extend(taken(&mut page, "resources")?);
            next = match page.pointer("/_links/next/href").and_then(Value::as_str) {
                None => None,
                Some(href) => Some(self.own(href).map_err(|elsewhere| {
                    Problem::whole(format!(
                        "the list goes on at `{elsewhere}`, which is not the org: not followed"
                    ))
                })?),
            };
        }
        Ok(all)
    }

    async fn answered(&self, scope: Scope, url: Url) -> Result<Value, Problem> {
        let answer: Answer = self.read(scope, "iam", Request::get(url)).await?;
        match answer.json() {
            Some(body @ Value::Object(_)) if answer.is_success() => Ok(body),
            _ if answer.is_success() => Err(unexpected("Okta", &answer)),
            _ => Err(OktaError::read(&self.http, &answer).of_call("Okta", scope, &answer)),
        }
    }
}

/// An id, or a label such as `WORKFLOWS_IAM_POLICY`, as one segment of a path.
fn segment(id: &str) -> Result<&str, Problem> {
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match address::is_id(&id.replace('_', "0")) && is_plain(id) {
        true => Ok(id),
        false => Err(Problem::whole(format!("`{}` is not an id of Okta", Untrusted::from(id)))),
    }
}

fn taken(body: &mut Value, name: &str) -> Result<Vec<Value>, Problem> {
    match body.get_mut(name).map(Value::take) {
        Some(Value::Array(items)) => Ok(items),
        _ => Err(Problem::whole(format!("Okta answered without `{name}`"))),
    }
}
