//! What custom roles allow, and the resource sets that they are about (contracts/workflows-ispm.md, section 2.4).
use super::error::OktaError;
use super::paging::{self, Query};
use super::roles::{CUSTOM_ROLE, RESOURCE_SET};
use crate::lab::faults::{FaultKind, Part};
use crate::lab::world::World;
use axum::Json;
use axum::extract::{OriginalUri, Path, Query as Asked, State};
use serde_json::{Value, json};
use std::sync::Arc;

const SINCE: &str = "2025-03-01T08:00:00.000Z";
/// Groups that the set holds beside the flows: more than a page.
const GROUPS: usize = 118;
/// The delegated flows that it holds.
const FLOWS: [u32; 2] = [572_749, 572_750];

/// `GET /api/v1/iam/roles/{roleIdOrLabel}/permissions`. The permission that was set is named under its old label and
/// under its new one.
pub(super) async fn permissions(
    State(world): State<Arc<World>>,
    Path(role): Path<String>,
) -> Result<Json<Value>, OktaError> {
    admit(&world)?;
    if role != CUSTOM_ROLE {
        return Err(OktaError::not_found(&role, "Role"));
    }
    let labels = ["okta.users.read", "okta.workflows.invoke", "okta.workflows.flows.invoke"];
    let permission = |label| json!({"label": label, "created": SINCE, "lastUpdated": SINCE, "_links": {}});
    Ok(Json(json!({"permissions": labels.map(permission)})))
}

/// `GET /api/v1/iam/resource-sets/{id}/resources`: the next page is named in the body. A flow has no address of its own.
pub(super) async fn resources(
    State(world): State<Arc<World>>,
    OriginalUri(uri): OriginalUri,
    Path(set): Path<String>,
    Asked(query): Asked<Query>,
) -> Result<Json<Value>, OktaError> {
    admit(&world)?;
    if set != RESOURCE_SET {
        return Err(OktaError::not_found(&set, "ResourceSet"));
    }
    let group = |n| {
        let href = format!("{}/api/v1/groups/00glab{n}", world.addresses.okta_org_url);
        resource(n, &format!("directory:00olab1:groups:00glab{n}"), &json!({"self": {"href": href}}))
    };
    let flow = |n, id: &u32| resource(GROUPS + n, &format!("workflow:00olab1:flows:{id}"), &json!({}));
    let all = (0..GROUPS).map(group).chain(FLOWS.iter().enumerate().map(|(n, id)| flow(n, id)));
    let all: Vec<Value> = all.collect();
    let (from, limit) = (paging::start(&query).unwrap_or(0), paging::limit(&query, 100, 100));
    let next = (from + limit < all.len()).then_some(from + limit);
    let links = next
        .map_or_else(|| json!({}), |next| json!({"next": {"href": paging::next_url(&world, &uri, next)}}));
    let page: Vec<Value> = all.into_iter().skip(from).take(limit).collect();
    Ok(Json(json!({"resources": page, "_links": links})))
}

fn resource(n: usize, orn: &str, links: &Value) -> Value {
    json!({
        "id": format!("irelab{n}"), "orn": format!("orn:okta:{orn}"), "created": SINCE, "lastUpdated": SINCE,
        "conditions": null, "_links": links,
    })
}

/// Whoever asks needs the same rights as for who is an administrator.
fn admit(world: &World) -> Result<(), OktaError> {
    match world.faults.active(FaultKind::NoRolesRole, Part::Okta) {
        true => Err(OktaError::no_permission()),
        false => Ok(()),
    }
}
