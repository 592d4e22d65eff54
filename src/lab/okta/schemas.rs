//! What a user's profile holds. The contract gives the call and its scope, and no shape: this is the least that is one.
use super::error::OktaError;
use axum::Json;
use axum::extract::Path;
use serde_json::{Value, json};

/// `GET /api/v1/meta/schemas/user/{id}`: the default type is the only one.
pub(super) async fn get(Path(id): Path<String>) -> Result<Json<Value>, OktaError> {
    match id.as_str() {
        "default" => Ok(Json(json!({"name": "user", "type": "object"}))),
        _ => Err(OktaError::not_found(&id, "UserType")),
    }
}
