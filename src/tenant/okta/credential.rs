//! How we prove ourselves to an org, and the one way by which anything is sent to it.

use super::service_app::{AppIdentity, Scope, ServiceAppTokens};
use super::{Okta, bucket};
use crate::domain::dossier::Problem;
use crate::tenant::Clearance;
use crate::tenant::http::{ActEnd, Answer, Http, Request};
use crate::tenant::token::{NoAnswer, Tokens};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;

/// How we prove ourselves.
#[derive(Debug)]
pub(super) enum Auth {
    /// `Authorization: SSWS …`; there is nothing to renew.
    Ssws(SecretString),
    /// Tokens of the service application.
    ServiceApp(AppTokens),
    /// Nothing is configured.
    Nothing,
}

/// A service application's tokens, one kind a scope: asking for one that was not granted fails the whole
/// request, and each call gets no more rights than it needs.
#[derive(Debug)]
pub(super) struct AppTokens(Vec<(Scope, Tokens)>);

impl AppTokens {
    /// Asks for nothing yet.
    pub(super) fn new(http: &Arc<Http>, app: &Arc<AppIdentity>) -> AppTokens {
        let of = |scope| (scope, Tokens::new(http.clone(), ServiceAppTokens::new(app, scope)));
        AppTokens(Scope::CORE.into_iter().map(of).collect())
    }

    fn headers(&self) -> &'static [&'static str] {
        self.0.first().map_or(&["authorization"], |(_, tokens)| tokens.headers())
    }

    pub(super) fn of(&self, scope: Scope) -> Result<&Tokens, Problem> {
        let found = self.0.iter().find(|(of, _)| *of == scope).map(|(_, tokens)| tokens);
        found.ok_or_else(|| {
            Problem::whole(format!("no token is ever asked for with scope `{}`", scope.name()))
        })
    }
}

/// The end of a request that acts, and the token that it carried: what came back may repeat it.
#[derive(Debug)]
pub(super) struct Acted {
    pub(super) end: ActEnd,
    pub(super) token: Option<SecretString>,
}

impl Okta {
    /// Sends a request that reads; a 401 is answered with a new token, once.
    pub(super) async fn read(
        &self,
        scope: Scope,
        calls: &'static str,
        request: Request,
    ) -> Result<Answer, Problem> {
        let bucket = bucket::of(&request);
        tracing::trace!(calls, limited_with = bucket.calls, "asks Okta");
        match &self.auth {
            Auth::ServiceApp(tokens) => tokens.of(scope)?.read(&bucket, &request).await,
            Auth::Ssws(token) => Ok(self.http.read(&bucket, &with_ssws(request, token)).await?),
            Auth::Nothing => Err(no_credential()),
        }
    }

    /// The same for a page of a log: nothing is waited out here.
    pub(super) async fn read_page(
        &self,
        scope: Scope,
        calls: &'static str,
        request: Request,
    ) -> Result<Answer, NoAnswer> {
        let bucket = bucket::of(&request);
        tracing::trace!(calls, limited_with = bucket.calls, "asks Okta");
        match &self.auth {
            Auth::ServiceApp(tokens) => {
                tokens.of(scope).map_err(NoAnswer::NoToken)?.page(&bucket, &request).await
            }
            Auth::Ssws(token) => Ok(self.http.page(&bucket, &with_ssws(request, token)).await?),
            Auth::Nothing => Err(NoAnswer::NoToken(no_credential())),
        }
    }

    /// The headers by which we prove ourselves.
    pub(super) fn proofs(&self) -> &'static [&'static str] {
        match &self.auth {
            Auth::ServiceApp(tokens) => tokens.headers(),
            Auth::Ssws(_) | Auth::Nothing => &["authorization"],
        }
    }

    /// Sends a request that acts, once; only a refusal before anything ran is followed by another try. The
    /// error says why there was no token, so that nothing was sent.
    pub(super) async fn act(
        &self,
        scope: Scope,
        calls: &'static str,
        request: Request,
        clearance: &dyn Clearance,
    ) -> Result<Acted, Problem> {
        let bucket = bucket::of(&request);
        tracing::trace!(calls, limited_with = bucket.calls, "asks Okta");
        let tokens = match &self.auth {
            Auth::Nothing => return Err(no_credential()),
            Auth::Ssws(token) => {
                let end = self.http.act(&bucket, &with_ssws(request, token), clearance).await;
                return Ok(Acted { end, token: None });
            }
            Auth::ServiceApp(tokens) => tokens.of(scope)?,
        };
        let token = tokens.get().await?;
        let end = self.http.act(&bucket, &tokens.authorized(&request, &token), clearance).await;
        // What was refused is not repeated by itself; but a token that was revoked before its end is not
        // shown twice.
        if matches!(&end, ActEnd::Answered(answer, _) if answer.status == 401) {
            tokens.forget(&token).await;
        }
        Ok(Acted { end, token: Some(token) })
    }
}

fn with_ssws(request: Request, token: &SecretString) -> Request {
    request.with_secret("authorization", format!("SSWS {}", token.expose_secret()).into())
}

pub(super) fn no_credential() -> Problem {
    Problem::whole("neither an API token nor a service application is configured")
}
