//! Event hooks: made, looked at, verified, switched off and deleted (contracts/okta.md, section 8).
//!
//! That a wrong body is a 400 `E0000001`, and that a challenge without an answer is too, is the double's choice: the
//! contract knows only the 400 of the latter.
use super::error::OktaError;
use super::paging::{self, Query};
use crate::lab::challenge;
use crate::lab::hooks::LabEventHook;
use crate::lab::secrets::id;
use crate::lab::sender::client;
use crate::lab::world::{World, lock};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, Query as Asked, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;
use url::{Host, Url};

const MOST_TYPES: usize = 300;
/// Active and verified ones of an org.
const MOST_HOOKS: usize = 25;
/// Types that no hook is told of; a star stands for anything behind it.
const NOT_PUSHED: [&str; 7] = [
    "event_hook.*",
    "workflows.*",
    "security.threat.detected",
    "policy.entity_risk.action",
    "policy.entity_risk.evaluate",
    "policy.auth_reevaluate.action",
    "policy.auth_reevaluate.enforce",
];

type Answer = Result<Json<Value>, OktaError>;

fn shown(world: &World, hook: &LabEventHook) -> Value {
    let own = format!("{}/api/v1/eventHooks/{}", world.addresses.okta_org_url, hook.id);
    json!({
        "id": hook.id, "name": hook.name,
        "status": if hook.is_active { "ACTIVE" } else { "INACTIVE" },
        "verificationStatus": if hook.is_verified { "VERIFIED" } else { "UNVERIFIED" },
        "events": {"type": "EVENT_TYPE", "items": hook.events},
        "channel": {"type": "HTTP", "version": "1.0.0", "config": {
            "uri": hook.uri, "method": "POST", "headers": [],
            "authScheme": {"type": "HEADER", "key": hook.header},
        }},
        "_links": {"self": {"href": own}, "verify": {"href": format!("{own}/lifecycle/verify")}},
    })
}

/// `GET /api/v1/eventHooks`.
pub(super) async fn list(
    State(world): State<Arc<World>>,
    OriginalUri(uri): OriginalUri,
    Asked(query): Asked<Query>,
) -> Response {
    let hooks: Vec<Value> = lock(&world.event_hooks).iter().map(|hook| shown(&world, hook)).collect();
    let limit = paging::limit(&query, hooks.len().max(1), 1000);
    paging::page(&world, &uri, &query, hooks, limit)
}

/// `POST /api/v1/eventHooks`: active at once, and not verified.
pub(super) async fn create(State(world): State<Arc<World>>, body: Bytes) -> Answer {
    let bad =
        |_| OktaError::new(StatusCode::BAD_REQUEST, "E0000003", "The request body was not well-formed.");
    let body: Value = serde_json::from_slice(&body).map_err(bad)?;
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let wanted = [
        ("/name", None),
        ("/events/type", Some("EVENT_TYPE")),
        ("/channel/type", Some("HTTP")),
        ("/channel/version", Some("1.0.0")),
        ("/channel/config/authScheme/type", Some("HEADER")),
        ("/channel/config/authScheme/key", None),
        ("/channel/config/authScheme/value", None),
    ];
    for (pointer, value) in wanted {
        if text(pointer).is_empty() || value.is_some_and(|value| value != text(pointer)) {
            return Err(OktaError::validation(pointer).because(format!("{pointer}: is missing or not valid")));
        }
    }
    let uri = text("/channel/config/uri");
    if !may_be_posted_to(&uri) {
        return Err(OktaError::validation("uri").because("uri: HTTPS is required"));
    }
    let hook = LabEventHook {
        id: id("who"),
        name: text("/name"),
        uri,
        events: types(&body)?,
        header: text("/channel/config/authScheme/key"),
        secret: text("/channel/config/authScheme/value").into(),
        is_active: true,
        is_verified: false,
    };
    let told = shown(&world, &hook);
    lock(&world.event_hooks).push(hook);
    Ok(Json(told))
}

/// HTTPS only; loopback is where tests listen.
fn may_be_posted_to(uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else { return false };
    let is_here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_here)
}

fn types(body: &Value) -> Result<Vec<String>, OktaError> {
    let items = body.pointer("/events/items").and_then(Value::as_array).cloned().unwrap_or_default();
    let types: Vec<String> = items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect();
    if types.is_empty() || types.len() != items.len() || types.len() > MOST_TYPES {
        return Err(OktaError::validation("events").because("events: from 1 to 300 types"));
    }
    let is_not_pushed = |name: &&String| {
        NOT_PUSHED.iter().any(|known| match known.split_once('*') {
            Some((start, _)) => name.starts_with(start),
            None => name == known,
        })
    };
    match types.iter().find(is_not_pushed) {
        Some(name) => {
            Err(OktaError::validation("events").because(format!("events: {name} is not supported")))
        }
        None => Ok(types),
    }
}

fn with_hook(world: &World, id: &str, change: impl FnOnce(&mut LabEventHook)) -> Answer {
    let mut hooks = lock(&world.event_hooks);
    let found = hooks.iter_mut().find(|hook| hook.id == id);
    let hook = found.ok_or_else(|| OktaError::not_found(id, "EventHook"))?;
    change(hook);
    Ok(Json(shown(world, hook)))
}

/// `GET /api/v1/eventHooks/{id}`.
pub(super) async fn get(State(world): State<Arc<World>>, Path(id): Path<String>) -> Answer {
    with_hook(&world, &id, |_| {})
}

/// `POST /api/v1/eventHooks/{id}/lifecycle/{operation}`.
pub(super) async fn lifecycle(
    State(world): State<Arc<World>>,
    Path((id, operation)): Path<(String, String)>,
) -> Answer {
    match operation.as_str() {
        "activate" => with_hook(&world, &id, |hook| hook.is_active = true),
        "deactivate" => with_hook(&world, &id, |hook| hook.is_active = false),
        "verify" => verify(&world, &id).await,
        _ => Err(OktaError::not_found(&operation, "operation")),
    }
}

/// Asks the address in earnest, and says so only if it answered.
async fn verify(world: &World, id: &str) -> Answer {
    let mut uri = String::new();
    drop(with_hook(world, id, |hook| uri = hook.uri.clone())?);
    let receiving = lock(&world.event_hooks).iter().filter(|hook| hook.is_active && hook.is_verified).count();
    if receiving >= MOST_HOOKS {
        return Err(OktaError::validation("eventHook").because("25 event hooks are active and verified"));
    }
    let is_answered = match client() {
        Some(client) => challenge::is_answered(&client, &uri).await,
        None => false,
    };
    if !is_answered {
        return Err(OktaError::validation("eventHook").because("The endpoint did not answer the challenge."));
    }
    with_hook(world, id, |hook| hook.is_verified = true)
}

/// `DELETE /api/v1/eventHooks/{id}`: of an inactive one only.
pub(super) async fn delete(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<StatusCode, OktaError> {
    let mut hooks = lock(&world.event_hooks);
    let at = hooks.iter().position(|hook| hook.id == id);
    let at = at.ok_or_else(|| OktaError::not_found(&id, "EventHook"))?;
    if hooks.get(at).is_some_and(|hook| hook.is_active) {
        return Err(OktaError::validation("eventHook").because("Only an inactive event hook can be deleted."));
    }
    hooks.remove(at);
    Ok(StatusCode::NO_CONTENT)
}
