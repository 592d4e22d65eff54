//! The client-credentials exchange (contracts/cii.md, section 1): JSON, and the form that some clients send.
use crate::lab::world::{Grant, Realm, World};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// Ten hours, as documented.
const LIFE: SignedDuration = SignedDuration::from_hours(10);
/// What the second client must ask for. It has the first one's id with `-audience` behind it and the same secret.
pub(crate) const AUDIENCE: &str = "https://api.meridian.example";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Request {
    client_id: String,
    client_secret: String,
    grant_type: String,
    audience: Option<String>,
}

/// `POST /cii/oauth/token`.
pub(super) async fn token(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(request) = read(&headers, &body) else {
        return refuse(StatusCode::BAD_REQUEST, "invalid_request", "the body is neither JSON nor a form");
    };
    match check(&world, &request) {
        Ok(()) => issue(&world),
        Err(Refusal(status, error, description)) => refuse(status, error, description),
    }
}

fn read(headers: &HeaderMap, body: &Bytes) -> Option<Request> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return serde_json::from_slice(body).ok();
    }
    let mut request = Request::default();
    for (name, value) in url::form_urlencoded::parse(body) {
        match &*name {
            "client_id" => request.client_id = value.into_owned(),
            "client_secret" => request.client_secret = value.into_owned(),
            "grant_type" => request.grant_type = value.into_owned(),
            "audience" => request.audience = Some(value.into_owned()),
            _ => {}
        }
    }
    Some(request)
}

/// Status, `error` and `error_description`.
struct Refusal(StatusCode, &'static str, &'static str);

fn check(world: &World, request: &Request) -> Result<(), Refusal> {
    if request.grant_type != "client_credentials" {
        return Err(Refusal(StatusCode::BAD_REQUEST, "unsupported_grant_type", "only client_credentials"));
    }
    let plain = &world.secrets.cii_client_id;
    let wants_audience = request.client_id == format!("{plain}-audience");
    let known = wants_audience || request.client_id == *plain;
    let secret = world.secrets.cii_client_secret.expose_secret().as_bytes();
    if !known || !bool::from(secret.ct_eq(request.client_secret.as_bytes())) {
        return Err(Refusal(StatusCode::UNAUTHORIZED, "access_denied", "Unauthorized"));
    }
    match request.audience.as_deref() {
        Some(AUDIENCE) => Ok(()),
        None if !wants_audience => Ok(()),
        _ => Err(Refusal(
            StatusCode::FORBIDDEN,
            "access_denied",
            "Non-global client must specify its audience",
        )),
    }
}

fn issue(world: &World) -> Response {
    let life = world.token_life(Realm::Cii, LIFE);
    let grant =
        Grant { realm: Realm::Cii, scopes: Vec::new(), expires: world.clock.now() + life, bound_to: None };
    let token = world.tokens.issue(grant);
    Json(json!({"access_token": token, "expires_in": life.as_secs(), "token_type": "Bearer"})).into_response()
}

fn refuse(status: StatusCode, error: &str, description: &str) -> Response {
    (status, Json(json!({"error": error, "error_description": description}))).into_response()
}
