//! What a user's profile holds: the base attributes that every org has, and this org's own.
use super::error::OktaError;
use axum::Json;
use axum::extract::Path;
use serde_json::{Map, Value, json};

const REQUIRED: [&str; 4] = ["login", "firstName", "lastName", "email"];

const BASE: [&str; 31] = [
    "login",
    "firstName",
    "lastName",
    "email",
    "middleName",
    "honorificPrefix",
    "honorificSuffix",
    "title",
    "displayName",
    "nickName",
    "profileUrl",
    "secondEmail",
    "mobilePhone",
    "primaryPhone",
    "streetAddress",
    "city",
    "state",
    "zipCode",
    "countryCode",
    "postalAddress",
    "preferredLanguage",
    "locale",
    "timezone",
    "userType",
    "employeeNumber",
    "costCenter",
    "organization",
    "division",
    "department",
    "managerId",
    "manager",
];

/// `GET /api/v1/meta/schemas/user/{id}`: the default type is the only one.
pub(super) async fn get(Path(id): Path<String>) -> Result<Json<Value>, OktaError> {
    if id != "default" {
        return Err(OktaError::not_found(&id, "UserType"));
    }
    let property = |name: &str| {
        let is_required = REQUIRED.contains(&name);
        (name.to_owned(), json!({"title": name, "type": "string", "required": is_required}))
    };
    let base: Map<String, Value> = BASE.iter().map(|name| property(name)).collect();
    let custom = json!({
        "badgeNumber": {"title": "Badge number", "type": "string"},
        "onCall": {"title": "On call", "type": "boolean"},
        "costShare": {"title": "Cost share", "type": "integer"},
    });
    Ok(Json(json!({
        "id": "#", "name": "user", "title": "User", "type": "object",
        "definitions": {
            "base": {"id": "#base", "type": "object", "properties": base, "required": REQUIRED},
            "custom": {"id": "#custom", "type": "object", "properties": custom, "required": []},
        },
    })))
}
