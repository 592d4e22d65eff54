//! Who may call: an SSWS token, or a Bearer or DPoP access token with the scope that the call needs.
use super::dpop;
use super::error::OktaError;
use crate::lab::faults::{FaultKind, Part};
use crate::lab::world::{Realm, World};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use secrecy::ExposeSecret as _;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// Whose call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Principal {
    /// The admin who made the SSWS token.
    Admin,
    /// The OAuth service app: no user stands behind it.
    App,
}

pub(super) async fn access(State(world): State<Arc<World>>, mut request: Request, next: Next) -> Response {
    match admit(&world, request.method(), request.uri().path(), request.headers()) {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(refusal) => refusal.into_response(),
    }
}

fn admit(world: &World, method: &Method, path: &str, headers: &HeaderMap) -> Result<Principal, OktaError> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (scheme, credential) = value.split_once(' ').unwrap_or_default();
    if scheme == "SSWS" {
        let token = world.secrets.okta_token.expose_secret();
        let same = bool::from(token.as_bytes().ct_eq(credential.as_bytes()));
        return if same { Ok(Principal::Admin) } else { Err(OktaError::invalid_token()) };
    }
    let now = world.clock.now();
    let grant = world.tokens.check(credential, Realm::Okta, now).ok_or_else(OktaError::invalid_token)?;
    match (scheme, &grant.bound_to) {
        ("Bearer", None) => {}
        ("DPoP", Some(key)) => {
            let url = format!("{}{path}", world.addresses.okta_org_url);
            dpop::resource(world, dpop::Call { method, url: &url, headers }, credential, key)?;
        }
        _ => return Err(OktaError::invalid_token()),
    }
    let needed = scope(method, path);
    // `manage` implies `read`.
    let held =
        grant.scopes.iter().any(|scope| scope == &needed || *scope == needed.replace(".read", ".manage"));
    if !held {
        return Err(OktaError::insufficient_scope(&needed));
    }
    // The role is asked for last: a scope is granted whether or not one covers it.
    let is_covered = needed != "okta.logs.read" || !world.faults.active(FaultKind::NoLogRole, Part::Okta);
    if is_covered { Ok(Principal::App) } else { Err(OktaError::no_permission()) }
}

/// The scope of a call (contracts/okta.md, section 3).
fn scope(method: &Method, path: &str) -> String {
    let verb = if *method == Method::GET { "read" } else { "manage" };
    if path.starts_with("/api/v1/iam/") || path.starts_with("/api/v1/users/") && path.ends_with("/roles") {
        return format!("okta.roles.{verb}");
    }
    let area = match path.strip_prefix("/api/v1/").and_then(|rest| rest.split('/').next()) {
        Some("meta") => "schemas",
        Some("logs") => "logs",
        Some("groups") => "groups",
        Some("apps") => "apps",
        Some("eventHooks") => "eventHooks",
        _ => "users",
    };
    format!("okta.{area}.{verb}")
}
