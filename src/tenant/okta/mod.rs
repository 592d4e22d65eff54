//! Okta's core API: reads of users and of the System Log, and its event hooks, by an SSWS token or as a
//! service application.

mod access;
mod address;
mod bucket;
mod calls;
mod client_key;
mod credential;
mod dpop;
mod error;
mod event_hooks;
mod lifecycle;
mod link;
mod lists;
mod logs;
mod org;
mod service_app;
mod user;

pub(super) use error::is_final;
pub use service_app::KeyError;
pub(super) use service_app::{AppIdentity, Scope, ServiceAppTokens};

use super::http::{Answer, Http, Request};
use crate::config::meant;
use crate::domain::dossier::{OktaUser, Part, Problem};
use credential::{AppTokens, Auth};
use error::OktaError;
use lists::Ids;
use std::sync::Arc;
use url::Url;

/// One org.
#[derive(Debug)]
pub(super) struct Okta {
    http: Arc<Http>,
    org_url: Url,
    auth: Auth,
    ids: Ids,
}

impl Okta {
    /// A service application goes before an SSWS token: its rights are its own, not those of whoever made
    /// the token.
    pub(super) fn new(http: &Arc<Http>, okta: &meant::Okta, app: Option<&Arc<AppIdentity>>) -> Okta {
        let auth = match (app, &okta.api_token) {
            (Some(app), _) => Auth::ServiceApp(AppTokens::new(http, app)),
            (None, Some(token)) => Auth::Ssws(token.clone()),
            (None, None) => Auth::Nothing,
        };
        Okta { http: http.clone(), org_url: okta.org_url.clone(), auth, ids: Ids::default() }
    }

    /// Whether users can be read at all.
    pub(super) fn can_read(&self) -> bool {
        !matches!(self.auth, Auth::Nothing)
    }

    /// One user, by id or login.
    pub(super) async fn user(&self, id_or_login: &str) -> Part<OktaUser> {
        user::read(self, id_or_login).await
    }

    /// Asks what this kind of credential can always ask: the token's owner, or, for an application,
    /// which has none, the first user. How far Okta's clock is ahead of ours, where it says its time.
    pub(super) async fn check(&self) -> Result<Option<i64>, Problem> {
        let mut url = self.org_url.clone();
        match self.auth {
            Auth::ServiceApp(_) => {
                url.set_path("/api/v1/users");
                url.set_query(Some("limit=1"));
            }
            Auth::Ssws(_) | Auth::Nothing => url.set_path("/api/v1/users/me"),
        }
        let answer = self.get("users", Request::get(url)).await?;
        match answer.is_success() && answer.json().is_some() {
            true => Ok(answer.clock_ahead()),
            false => Err(OktaError::read(&self.http, &answer).of_call("Okta", Scope::ReadUsers, &answer)),
        }
    }

    async fn get(&self, calls: &'static str, request: Request) -> Result<Answer, Problem> {
        self.read(Scope::ReadUsers, calls, request).await
    }
}
