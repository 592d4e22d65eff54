//! Cisco Identity Intelligence: the token endpoint and the GraphQL API (contracts/cii.md).
mod graphql;
mod people;
mod queries;
mod token;

pub(crate) use graphql::Engine;
pub use graphql::EngineError;

use super::world::World;
use axum::Router;
use axum::routing::post;
use std::sync::Arc;

pub(crate) fn router() -> Router<Arc<World>> {
    Router::new().route("/cii/oauth/token", post(token::token)).route("/cii/api", post(graphql::api))
}
