//! Enrolled factors (contracts/okta.md, section 5).
use super::access::Principal;
use super::error::OktaError;
use super::log::Act;
use super::users::by_id;
use crate::lab::faults::{FaultKind, Part};
use crate::lab::gate::RequestId;
use crate::lab::population::Status;
use crate::lab::world::World;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /api/v1/users/{userId}/factors`: by id only, unpaged. What the policy for whoever asks does not allow is left out.
pub(super) async fn list(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, OktaError> {
    let user = by_id(&world, &id)?;
    let directory = world.directory();
    let most = if world.faults.active(FaultKind::TrimmedFactors, Part::Okta) { 1 } else { usize::MAX };
    let factors = directory.find(&id)?.factors.iter().take(most).map(|factor| {
        json!({
            "id": factor.id, "factorType": factor.kind, "provider": factor.provider, "vendorName": factor.provider,
            "status": "ACTIVE", "created": user["created"], "lastUpdated": user["created"],
            "profile": {"credentialId": user["profile"]["login"]},
        })
    });
    Ok(Json(factors.collect()))
}

/// `DELETE /api/v1/users/{userId}/factors/{factorId}`. Removing one Okta Verify factor removes its sibling.
pub(super) async fn remove(
    State(world): State<Arc<World>>,
    Extension(principal): Extension<Principal>,
    Extension(request): Extension<RequestId>,
    Path((id, factor)): Path<(String, String)>,
) -> Result<StatusCode, OktaError> {
    let user = by_id(&world, &id)?;
    {
        let mut directory = world.directory();
        let account = directory.find_mut(&id)?;
        let removed = account
            .factors
            .iter()
            .find(|enrolled| enrolled.id == factor)
            .map(|enrolled| enrolled.kind.clone());
        let removed = removed.filter(|_| account.status != Status::Deprovisioned);
        let removed = removed.ok_or_else(|| OktaError::not_found(&factor, "UserFactor"))?;
        let verify = |kind: &str| matches!(kind, "push" | "signed_nonce");
        account.factors.retain(|held| held.id != factor && !(verify(&removed) && verify(&held.kind)));
    }
    world.log.append(&Act::new("user.mfa.factor.deactivate", principal, &request), &user, world.clock.now());
    Ok(StatusCode::NO_CONTENT)
}
