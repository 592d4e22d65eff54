//! The org's token endpoint: client credentials with `private_key_jwt`, with DPoP where the app demands or offers it.
use super::dpop::{self, Demand};
use crate::lab::faults::{FaultKind, Part};
use crate::lab::world::{Grant, Realm, World};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::SignedDuration;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation, decode};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

const LIFE: SignedDuration = SignedDuration::from_hours(1);
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Scopes a super admin has granted to the service app.
pub(crate) const GRANTED: [&str; 11] = [
    "okta.users.read",
    "okta.users.manage",
    "okta.apps.read",
    "okta.groups.read",
    "okta.groups.manage",
    "okta.logs.read",
    "okta.schemas.read",
    "okta.eventHooks.read",
    "okta.eventHooks.manage",
    "okta.roles.read",
    "okta.workflows.invoke.manage",
];

/// A refusal of the endpoint, in OAuth's shape.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    error: &'static str,
    description: String,
    nonce: Option<String>,
}

impl Refusal {
    pub(super) fn bad(error: &'static str, description: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, description: description.into(), nonce: None }
    }

    pub(super) fn use_nonce(nonce: String) -> Self {
        Self {
            nonce: Some(nonce),
            ..Self::bad("use_dpop_nonce", "Authorization server requires nonce in DPoP proof.")
        }
    }

    fn client(description: impl Into<String>) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, ..Self::bad("invalid_client", description) }
    }
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        let body = json!({"error": refusal.error, "error_description": refusal.description});
        let mut response = (refusal.status, Json(body)).into_response();
        if let Some(nonce) = refusal.nonce.and_then(|nonce| HeaderValue::from_str(&nonce).ok()) {
            response.headers_mut().insert(HeaderName::from_static("dpop-nonce"), nonce);
        }
        response
    }
}

/// `POST /oauth2/v1/token`.
pub(super) async fn token(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response {
    let form: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    match exchange(&world, &headers, &form) {
        Ok(response) => response,
        Err(refusal) => refusal.into(),
    }
}

fn exchange(world: &World, headers: &HeaderMap, form: &HashMap<String, String>) -> Result<Response, Refusal> {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if field("grant_type") != "client_credentials" {
        return Err(Refusal::bad("unsupported_grant_type", "The authorization grant type is not supported."));
    }
    if field("client_assertion_type") != ASSERTION_TYPE {
        return Err(Refusal::client("Client authentication failed: private_key_jwt is required."));
    }
    verify(world, field("client_assertion"))?;
    world.tokens.identified(field("client_assertion"));
    let scopes = scopes(world, field("scope"))?;
    let demand = if world.faults.active(FaultKind::DpopRequired, Part::Okta) {
        Demand::Required
    } else {
        Demand::Offered
    };
    let bound_to = dpop::token_request(world, headers, demand)?;
    let kind = if bound_to.is_some() { "DPoP" } else { "Bearer" };
    let life = world.token_life(Realm::Okta, LIFE);
    let grant =
        Grant { realm: Realm::Okta, scopes: scopes.clone(), expires: world.clock.now() + life, bound_to };
    let body = json!({
        "token_type": kind, "expires_in": life.as_secs(), "access_token": world.tokens.issue(grant),
        "scope": scopes.join(" "),
    });
    Ok(Json(body).into_response())
}

#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
    #[serde(default)]
    jti: Option<String>,
}

/// Signature, issuer, audience, lifetime and single use. The client's own clock made it: that is the real one, or the
/// lab's own where a console runs by that, so the later of the two is what its lifetime is held against.
fn verify(world: &World, assertion: &str) -> Result<(), Refusal> {
    let key = public_key(world).map_err(|_| Refusal::client("The client has no usable key."))?;
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[format!("{}/oauth2/v1/token", world.addresses.okta_org_url)]);
    validation.set_issuer(&[&world.secrets.okta_client_id]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.leeway = 10;
    let token = decode::<Claims>(assertion, &key, &validation)
        .map_err(|error| Refusal::client(format!("The client_assertion is invalid: {error}.")))?;
    if token.claims.sub != world.secrets.okta_client_id {
        return Err(Refusal::client("The client_assertion's subject is not the client."));
    }
    let by_lab = u64::try_from(world.clock.now().as_second()).unwrap_or_default();
    if token.claims.exp > jsonwebtoken::get_current_timestamp().max(by_lab) + 3600 + 10 {
        return Err(Refusal::client("The client_assertion expires more than one hour ahead."));
    }
    match token.claims.jti {
        Some(jti) if !world.tokens.first_use(&format!("assertion:{jti}")) => {
            Err(Refusal::client("The client_assertion has been used before."))
        }
        _ => Ok(()),
    }
}

fn public_key(world: &World) -> jsonwebtoken::errors::Result<DecodingKey> {
    let private = EncodingKey::from_ec_pem(world.secrets.okta_private_key.expose_secret().as_bytes())?;
    DecodingKey::from_jwk(&Jwk::from_encoding_key(&private, Algorithm::ES256)?)
}

/// Only what was granted can be asked for.
fn scopes(world: &World, asked: &str) -> Result<Vec<String>, Refusal> {
    let hides_hooks = world.faults.active(FaultKind::NoHookScope, Part::Okta);
    let hides_roles = world.faults.active(FaultKind::NoRolesScope, Part::Okta);
    let is_hidden = |scope: &str| {
        (hides_hooks && scope.contains("eventHooks")) || (hides_roles && scope.starts_with("okta.roles"))
    };
    let is_granted = |scope: &str| GRANTED.contains(&scope) && !is_hidden(scope);
    let scopes: Vec<String> = asked.split_whitespace().map(str::to_owned).collect();
    if scopes.is_empty() {
        return Err(Refusal::bad("invalid_scope", "The scope is missing."));
    }
    match scopes.iter().find(|scope| !is_granted(scope)) {
        Some(scope) => {
            Err(Refusal::bad("invalid_scope", format!("The scope {scope} is not granted to the client.")))
        }
        None => Ok(scopes),
    }
}
