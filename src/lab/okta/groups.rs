//! Groups and their members (contracts/okta.md, section 5).
use super::access::Principal;
use super::directory::{Directory, IMPORTED};
use super::error::OktaError;
use super::filter::{Case, Filter};
use super::log::Act;
use super::paging::{self, Query};
use super::users::by_id;
use crate::lab::gate::RequestId;
use crate::lab::world::World;
use axum::extract::{OriginalUri, Path, Query as Asked, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use serde_json::{Value, json};
use std::sync::Arc;

/// Only of an `OKTA_GROUP` a caller decides who is in it.
fn kind(name: &str) -> &'static str {
    match name {
        "Everyone" => "BUILT_IN",
        IMPORTED => "APP_GROUP",
        _ => "OKTA_GROUP",
    }
}

fn group(directory: &Directory, name: &str, id: &str) -> Value {
    json!({
        "id": id, "type": kind(name),
        "created": "2024-01-15T09:00:00.000Z", "lastUpdated": "2025-11-03T09:00:00.000Z",
        "lastMembershipUpdated": "2026-01-20T09:00:00.000Z", "objectClass": ["okta:user_group"],
        "profile": {"name": name, "description": format!("Members of {name}")},
        "_links": {"users": {"href": format!("{}/api/v1/groups/{id}/users", directory.org())}},
    })
}

fn by_group_id(directory: &Directory, id: &str) -> Result<(String, Value), OktaError> {
    let found = directory.groups.iter().find(|(_, known)| *known == id);
    let (name, id) = found.ok_or_else(|| OktaError::not_found(id, "UserGroup"))?;
    Ok((name.clone(), group(directory, name, id)))
}

/// `GET /api/v1/groups`: `q` is a prefix of the name, not pageable.
pub(super) async fn list(
    State(world): State<Arc<World>>,
    OriginalUri(uri): OriginalUri,
    Asked(query): Asked<Query>,
) -> Result<Response, OktaError> {
    let text = query.get("filter").or_else(|| query.get("search"));
    let bad = |_| OktaError::new(StatusCode::BAD_REQUEST, "E0000031", "Invalid search criteria.");
    let filter = text.map(|text| Filter::parse(text)).transpose().map_err(bad)?;
    let prefix = query.get("q").map(|q| q.to_lowercase()).unwrap_or_default();
    let found: Vec<Value> = {
        let directory = world.directory();
        let named = directory.groups.iter().filter(|(name, _)| name.to_lowercase().starts_with(&prefix));
        named
            .map(|(name, id)| group(&directory, name, id))
            .filter(|group| filter.as_ref().is_none_or(|filter| filter.matches(group, Case::Ignored)))
            .collect()
    };
    if query.contains_key("q") {
        return Ok(paging::linked(&world, &uri, found.into_iter().take(300).collect(), None));
    }
    Ok(paging::page(&world, &uri, &query, found, paging::limit(&query, 200, 10_000)))
}

/// `GET /api/v1/groups/{id}`.
pub(super) async fn get(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, OktaError> {
    Ok(Json(by_group_id(&world.directory(), &id)?.1))
}

/// `GET /api/v1/groups/{id}/users`: deprovisioned members included.
pub(super) async fn members(
    State(world): State<Arc<World>>,
    OriginalUri(uri): OriginalUri,
    Path(id): Path<String>,
    Asked(query): Asked<Query>,
) -> Result<Response, OktaError> {
    let found: Vec<Value> = {
        let directory = world.directory();
        let (name, _) = by_group_id(&directory, &id)?;
        directory.all().filter(|a| a.groups.contains(&name)).map(|a| a.listed(directory.org())).collect()
    };
    Ok(paging::page(&world, &uri, &query, found, paging::limit(&query, 1000, 1000)))
}

/// `GET /api/v1/users/{id}/groups`: no paging is documented, yet only 200 come at once.
pub(super) async fn of_user(
    State(world): State<Arc<World>>,
    OriginalUri(uri): OriginalUri,
    Path(id): Path<String>,
    Asked(query): Asked<Query>,
) -> Result<Response, OktaError> {
    let found: Vec<Value> = {
        let directory = world.directory();
        let held = &directory.find(&id)?.groups;
        let known = held.iter().filter_map(|name| directory.groups.get_key_value(name));
        known.map(|(name, id)| group(&directory, name, id)).collect()
    };
    Ok(paging::page(&world, &uri, &query, found, paging::limit(&query, 200, 200)))
}

/// `PUT /api/v1/groups/{id}/users/{user}`: 204 for a member too.
pub(super) async fn add(
    State(world): State<Arc<World>>,
    Extension(principal): Extension<Principal>,
    Extension(request): Extension<RequestId>,
    Path((id, user)): Path<(String, String)>,
) -> Result<StatusCode, OktaError> {
    join(&world, &id, &user, &Act::new("group.user_membership.add", principal, &request))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a user a member; the flows do the same through their connector.
pub(in crate::lab) fn join(world: &World, group: &str, user: &str, act: &Act) -> Result<(), OktaError> {
    let seen = by_id(world, user)?;
    let (is_news, target) = {
        let mut directory = world.directory();
        let (name, target) = open_group(&directory, group)?;
        let account = directory.find_mut(user)?;
        let is_news = !account.groups.contains(&name);
        if is_news {
            account.groups.push(name);
        }
        (is_news, target)
    };
    if is_news {
        world.log.append(&act.clone().with(target), &seen, world.clock.now());
    }
    Ok(())
}

/// The name of a group whose members a caller decides on, and the group as the log names it.
fn open_group(directory: &Directory, id: &str) -> Result<(String, Value), OktaError> {
    let (name, group) = by_group_id(directory, id)?;
    if group["type"] != "OKTA_GROUP" {
        let cause = format!("The members of this group ({}) cannot be changed", kind(&name));
        return Err(OktaError::validation("group").because(cause));
    }
    let target = json!({"id": id, "type": "UserGroup", "alternateId": "unknown", "displayName": name});
    Ok((name, target))
}

/// `DELETE /api/v1/groups/{id}/users/{user}`.
pub(super) async fn remove(
    State(world): State<Arc<World>>,
    Extension(principal): Extension<Principal>,
    Extension(request): Extension<RequestId>,
    Path((id, user)): Path<(String, String)>,
) -> Result<StatusCode, OktaError> {
    let seen = by_id(&world, &user)?;
    let (is_news, target) = {
        let mut directory = world.directory();
        let (name, target) = open_group(&directory, &id)?;
        let groups = &mut directory.find_mut(&user)?.groups;
        let is_news = groups.contains(&name);
        groups.retain(|held| *held != name);
        (is_news, target)
    };
    if is_news {
        let act = Act::new("group.user_membership.remove", principal, &request).with(target);
        world.log.append(&act, &seen, world.clock.now());
    }
    Ok(StatusCode::NO_CONTENT)
}
