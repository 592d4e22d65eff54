//! The Okta org: its OAuth token endpoint, users with their lifecycle, sessions, factors, groups, apps, event hooks and the
//! System Log (contracts/okta.md).
mod access;
mod apps;
mod directory;
pub(in crate::lab) mod dpop;
mod error;
mod event_hooks;
mod factors;
mod filter;
mod groups;
mod iam;
mod lifecycle;
mod log;
mod logs;
mod oauth;
mod paging;
mod roles;
mod schemas;
mod users;

pub(crate) use directory::{Directory, Recipient};
pub(crate) use error::OktaError;
pub(in crate::lab) use groups::join;
pub(crate) use lifecycle::Operation;
pub(crate) use log::{Act, Record, SystemLog};
pub(in crate::lab) use users::{end_sessions_of, operate};

use super::world::World;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post, put};
use std::sync::Arc;

pub(crate) fn router(world: &Arc<World>) -> Router<Arc<World>> {
    let api = Router::new()
        .route("/api/v1/users", get(users::list).post(users::create))
        .route("/api/v1/users/{id}", get(users::get).post(users::update).delete(users::delete))
        .route("/api/v1/users/{id}/lifecycle/{operation}", post(users::lifecycle))
        .route("/api/v1/users/{id}/sessions", delete(users::end_sessions))
        .route("/api/v1/users/{id}/factors", get(factors::list))
        .route("/api/v1/users/{id}/factors/{factor}", delete(factors::remove))
        .route("/api/v1/users/{id}/roles", get(roles::of_user))
        .route("/api/v1/iam/roles/{role}/permissions", get(iam::permissions))
        .route("/api/v1/iam/resource-sets/{set}/resources", get(iam::resources))
        .route("/api/v1/users/{id}/groups", get(groups::of_user))
        .route("/api/v1/users/{id}/appLinks", get(apps::links))
        .route("/api/v1/groups", get(groups::list))
        .route("/api/v1/groups/{id}", get(groups::get))
        .route("/api/v1/groups/{id}/users", get(groups::members))
        .route("/api/v1/groups/{id}/users/{user}", put(groups::add).delete(groups::remove))
        .route("/api/v1/apps", get(apps::list))
        .route("/api/v1/apps/{app}/users/{user}", get(apps::assignment))
        .route("/api/v1/logs", get(logs::list))
        .route("/api/v1/meta/schemas/user/{id}", get(schemas::get))
        .route("/api/v1/eventHooks", get(event_hooks::list).post(event_hooks::create))
        .route("/api/v1/eventHooks/{id}", get(event_hooks::get).delete(event_hooks::delete))
        .route("/api/v1/eventHooks/{id}/lifecycle/{operation}", post(event_hooks::lifecycle))
        .layer(from_fn_with_state(Arc::clone(world), access::access));
    Router::new().route("/oauth2/v1/token", post(oauth::token)).merge(api)
}
