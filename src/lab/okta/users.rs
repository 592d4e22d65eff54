//! The calls on users: reading, writing, lifecycle, sessions.
use super::access::Principal;
use super::directory::Recipient;
use super::error::OktaError;
use super::filter::{Case, Filter, Operator};
use super::lifecycle::Operation;
use super::log::Act;
use super::paging::{self, Query};
use crate::lab::faults::{FaultKind, Part};
use crate::lab::gate::RequestId;
use crate::lab::population::Status;
use crate::lab::world::World;
use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, Query as Asked, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use jiff::SignedDuration;
use serde_json::Value;
use std::sync::Arc;

/// `GET /api/v1/users/{idOrLogin}`.
pub(super) async fn get(
    State(world): State<Arc<World>>,
    Extension(principal): Extension<Principal>,
    Path(key): Path<String>,
) -> Result<Json<Value>, OktaError> {
    if key != "me" {
        return Ok(Json(world.directory().look(&key)?));
    }
    let admin = world.population.people.get(world.population.dormant);
    match (principal, admin) {
        (Principal::Admin, Some(admin)) => Ok(Json(world.directory().look(&admin.okta_id)?)),
        _ => Err(OktaError::not_found("me", "User")),
    }
}

/// `GET /api/v1/users`: `filter`, `search`, `q`, or everybody who is not deprovisioned.
pub(super) async fn list(
    State(world): State<Arc<World>>,
    OriginalUri(uri): OriginalUri,
    Asked(query): Asked<Query>,
) -> Result<Response, OktaError> {
    let wanted = Selection::parse(&query)?;
    let limit = paging::limit(&query, if query.contains_key("q") { 10 } else { 200 }, 200);
    let (now, behind) = (world.clock.now(), behind(&world, &query));
    let found: Vec<Value> = {
        let directory = world.directory();
        directory
            .all()
            .filter(|account| behind.is_none_or(|behind| account.is_indexed(now, behind)))
            .map(|account| account.listed(directory.org()))
            .filter(|user| wanted.takes(user))
            .collect()
    };
    Ok(paging::page(&world, &uri, &query, found, limit))
}

/// How far a search is behind the truth, where it is one and is told to be.
fn behind(world: &World, query: &Query) -> Option<SignedDuration> {
    let millis = world.faults.value(FaultKind::LateSearch, Part::Okta, 5_000)?;
    query
        .contains_key("search")
        .then(|| SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX)))
}

/// What `filter` takes of a user: `search` takes more.
fn is_filterable(attribute: &str, operator: Option<Operator>) -> bool {
    let orders = [Operator::Greater, Operator::AtLeast, Operator::Less, Operator::AtMost];
    match attribute {
        "lastUpdated" => operator.is_some_and(|it| it == Operator::Equal || orders.contains(&it)),
        "status" | "id" | "profile.login" | "profile.email" | "profile.firstName" | "profile.lastName" => {
            operator == Some(Operator::Equal)
        }
        _ => false,
    }
}

enum Selection {
    Filter(Filter, Case),
    Prefix(String),
    Everybody,
}

impl Selection {
    fn parse(query: &Query) -> Result<Self, OktaError> {
        let read = |text: &str| {
            Filter::parse(text).map_err(|bad| {
                let summary = format!("Invalid search criteria at character {}.", bad.0);
                OktaError::new(StatusCode::BAD_REQUEST, "E0000031", summary)
            })
        };
        if let Some(text) = query.get("filter") {
            let filter = read(text)?;
            if !filter.is_of(&is_filterable) {
                let summary = "Invalid search criteria: the attribute or its operator is not supported.";
                return Err(OktaError::new(StatusCode::BAD_REQUEST, "E0000031", summary));
            }
            return Ok(Self::Filter(filter, Case::Sensitive));
        }
        if let Some(text) = query.get("search") {
            return Ok(Self::Filter(read(text)?, Case::Ignored));
        }
        Ok(query.get("q").map_or(Self::Everybody, |text| Self::Prefix(text.to_lowercase())))
    }

    fn takes(&self, user: &Value) -> bool {
        let there = user["status"] != "DEPROVISIONED";
        match self {
            Self::Filter(filter, case) => filter.matches(user, *case),
            Self::Prefix(prefix) => {
                there
                    && ["firstName", "lastName", "email"].iter().any(|field| {
                        let value = user["profile"][*field].as_str().unwrap_or_default();
                        value.to_lowercase().starts_with(prefix)
                    })
            }
            Self::Everybody => there,
        }
    }
}

/// `POST /api/v1/users`.
pub(super) async fn create(
    State(world): State<Arc<World>>,
    Extension(principal): Extension<Principal>,
    Extension(request): Extension<RequestId>,
    Asked(query): Asked<Query>,
    body: Bytes,
) -> Result<Json<Value>, OktaError> {
    let body = read(&body)?;
    let profile = body.get("profile").and_then(Value::as_object).cloned();
    let profile = profile.ok_or_else(|| OktaError::validation("profile"))?;
    for name in ["login", "email", "firstName", "lastName"] {
        if profile.get(name).and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(OktaError::validation(name));
        }
    }
    let password = body.get("credentials").is_some_and(|credentials| credentials.get("password").is_some());
    // What is null is not there: replies leave it out too.
    let profile = profile.into_iter().filter(|(_, value)| !value.is_null()).collect();
    let status = match (query.get("activate").is_some_and(|value| value == "false"), password) {
        (true, _) => Status::Staged,
        (false, true) => Status::Active,
        (false, false) => Status::Provisioned,
    };
    let now = world.clock.now();
    let user = world.directory().add(profile, status, password.then_some(now), now)?;
    world.log.append(&Act::new("user.lifecycle.create", principal, &request), &user, now);
    Ok(Json(user))
}

/// `POST /api/v1/users/{id}`: absent fields stay, null removes.
pub(super) async fn update(
    State(world): State<Arc<World>>,
    Extension(principal): Extension<Principal>,
    Extension(request): Extension<RequestId>,
    Path(key): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, OktaError> {
    let body = read(&body)?;
    let changes = body.get("profile").and_then(Value::as_object).cloned().unwrap_or_default();
    if world.faults.take(FaultKind::MasteredElsewhere, Part::Okta) {
        let summary = "Operation failed because user profile is mastered under another system";
        return Err(OktaError::new(StatusCode::FORBIDDEN, "E0000023", summary));
    }
    let now = world.clock.now();
    let user = world.directory().update(&key, changes, now)?;
    world.log.append(&Act::new("user.account.update_profile", principal, &request), &user, now);
    Ok(Json(user))
}

/// `DELETE /api/v1/users/{id}`: deactivates first, deletes for good the second time.
pub(super) async fn delete(
    State(world): State<Arc<World>>,
    Extension(principal): Extension<Principal>,
    Extension(request): Extension<RequestId>,
    Path(key): Path<String>,
) -> Result<StatusCode, OktaError> {
    let now = world.clock.now();
    let (event_type, user) = {
        let mut directory = world.directory();
        let user = directory.look(&key)?;
        let id = user["id"].as_str().unwrap_or_default();
        if user["status"] == "DEPROVISIONED" {
            directory.erase(id);
            ("user.lifecycle.delete.completed", user)
        } else {
            directory.operate(id, Operation::Deactivate, Recipient::User, now)?;
            ("user.lifecycle.deactivate", user)
        }
    };
    world.log.append(&Act::new(event_type, principal, &request), &user, now);
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/users/{id}/lifecycle/{operation}`.
pub(super) async fn lifecycle(
    State(world): State<Arc<World>>,
    Extension(principal): Extension<Principal>,
    Extension(request): Extension<RequestId>,
    Path((key, operation)): Path<(String, String)>,
    Asked(query): Asked<Query>,
) -> Result<Json<Value>, OktaError> {
    let operation =
        Operation::parse(&operation).ok_or_else(|| OktaError::not_found(&operation, "Operation"))?;
    let recipient = recipient(operation, &query)?;
    let act = Act::new(operation.event_type(), principal, &request);
    Ok(Json(operate(&world, &key, operation, recipient, &act)?))
}

/// Runs an operation and logs it: the flows do the same through their connector.
pub(in crate::lab) fn operate(
    world: &World,
    key: &str,
    operation: Operation,
    recipient: Recipient,
    act: &Act,
) -> Result<Value, OktaError> {
    let now = world.clock.now();
    let (body, user) = {
        let mut directory = world.directory();
        let body = directory.operate(key, operation, recipient, now)?;
        let user = directory.find(key)?.listed(directory.org());
        (body, user)
    };
    world.log.append(act, &user, now);
    Ok(body)
}

/// Whom the one-time secret goes to. `sendEmail` is required for a password reset, and true for activations by default.
fn recipient(operation: Operation, query: &Query) -> Result<Recipient, OktaError> {
    let recipient = match (query.get("sendEmail").map(String::as_str), operation) {
        (Some("true"), _) | (None, Operation::Activate) => Recipient::User,
        (Some("false"), _) | (None, Operation::Reactivate) => Recipient::Caller,
        (None, Operation::ResetPassword) => {
            let summary = "The request is missing a required parameter: sendEmail";
            return Err(OktaError::new(StatusCode::BAD_REQUEST, "E0000028", summary));
        }
        _ => Recipient::User,
    };
    Ok(recipient)
}

/// `DELETE /api/v1/users/{userId}/sessions`: by id only.
pub(super) async fn end_sessions(
    State(world): State<Arc<World>>,
    Extension(principal): Extension<Principal>,
    Extension(request): Extension<RequestId>,
    Path(id): Path<String>,
) -> Result<StatusCode, OktaError> {
    end_sessions_of(&world, &id, &Act::new("user.session.clear", principal, &request))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a user's sessions: the lab has none to end, so the log is all that shows it.
pub(in crate::lab) fn end_sessions_of(world: &World, id: &str, act: &Act) -> Result<(), OktaError> {
    let user = by_id(world, id)?;
    world.log.append(act, &user, world.clock.now());
    Ok(())
}

/// A user by id and nothing else.
pub(super) fn by_id(world: &World, id: &str) -> Result<Value, OktaError> {
    let directory = world.directory();
    let user = directory.find(id)?.listed(directory.org());
    if user["id"] == id { Ok(user) } else { Err(OktaError::not_found(id, "User")) }
}

fn read(body: &Bytes) -> Result<Value, OktaError> {
    let bad =
        |_| OktaError::new(StatusCode::BAD_REQUEST, "E0000003", "The request body was not well-formed.");
    serde_json::from_slice(body).map_err(bad)
}
