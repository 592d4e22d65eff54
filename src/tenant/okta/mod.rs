//! Okta's core API: reads of users, by an SSWS token or as a service application.

mod error;
mod service_app;
mod user;

pub use service_app::KeyError;
pub(super) use service_app::{Scope, ServiceAppTokens};

use super::http::{Answer, Bucket, Http, Request};
use super::token::Tokens;
use crate::config::meant;
use crate::domain::dossier::{OktaUser, Part, Problem};
use error::OktaError;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use url::Url;

/// How we prove ourselves.
#[derive(Debug)]
enum Auth {
    /// `Authorization: SSWS …`; there is nothing to renew.
    Ssws(SecretString),
    /// A bearer token of the service application.
    ServiceApp(Tokens),
    /// Nothing is configured.
    Nothing,
}

/// One org.
#[derive(Debug)]
pub(super) struct Okta {
    http: Arc<Http>,
    org_url: Url,
    auth: Auth,
}

impl Okta {
    /// Reads the key, if there is one. A service application goes before an SSWS token: its rights are
    /// its own, not those of whoever made the token.
    pub(super) fn new(http: &Arc<Http>, okta: &meant::Okta) -> Result<Okta, KeyError> {
        let auth = match (&okta.service_app, &okta.api_token) {
            (Some(app), _) => {
                let issuer = ServiceAppTokens::new(&okta.org_url, app, Scope::ReadUsers)?;
                Auth::ServiceApp(Tokens::new(http.clone(), issuer))
            }
            (None, Some(token)) => Auth::Ssws(token.clone()),
            (None, None) => Auth::Nothing,
        };
        Ok(Okta { http: http.clone(), org_url: okta.org_url.clone(), auth })
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
            false => Err(OktaError::read(&self.http, &answer).problem("Okta", &answer)),
        }
    }

    async fn get(&self, calls: &'static str, request: Request) -> Result<Answer, Problem> {
        let bucket = Bucket::okta(calls);
        match &self.auth {
            Auth::ServiceApp(tokens) => tokens.read(&bucket, &request).await,
            Auth::Ssws(token) => {
                let value = format!("SSWS {}", token.expose_secret());
                Ok(self.http.read(&bucket, &request.with_secret("authorization", value.into())).await?)
            }
            Auth::Nothing => {
                Err(Problem::whole("neither an API token nor a service application is configured"))
            }
        }
    }
}
