//! Administrator roles (contracts/workflows-ispm.md, section 2.4).
use super::directory::Role;
use super::error::OktaError;
use super::users::by_id;
use crate::lab::faults::{FaultKind, Part};
use crate::lab::world::World;
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use std::sync::Arc;

/// The one role that the org made itself.
pub(super) const CUSTOM_ROLE: &str = "cr0labhelpdesk000001d7";
/// What it is about.
pub(super) const RESOURCE_SET: &str = "iamlabemployees00001d7";

/// `GET /api/v1/users/{userId}/roles`: unpaged. Whoever asks needs more rights than for anything else of a user.
pub(super) async fn of_user(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, OktaError> {
    let user = by_id(&world, &id)?;
    if world.faults.active(FaultKind::NoRolesRole, Part::Okta) {
        return Err(OktaError::no_permission());
    }
    let directory = world.directory();
    let roles = directory.find(&id)?.roles.iter().map(|role| shown(role, &user["created"]));
    Ok(Json(roles.collect()))
}

fn shown(role: &Role, since: &Value) -> Value {
    let mut shown = json!({
        "id": role.id, "label": role.label, "type": role.kind, "status": "ACTIVE", "assignmentType": role.by,
        "created": since, "lastUpdated": since,
    });
    if role.kind == "CUSTOM" {
        shown["role"] = json!(CUSTOM_ROLE);
        shown["resource-set"] = json!(RESOURCE_SET);
    }
    shown
}
