//! Applications and assignments (contracts/okta.md, section 5; xsoar-okta-iam.md 5.7).
use super::error::OktaError;
use super::filter::{Case, Filter};
use super::paging::{self, Query};
use crate::lab::population::names::APPS;
use crate::lab::world::World;
use axum::Json;
use axum::extract::{OriginalUri, Path, Query as Asked, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

fn app_id(name: &str) -> String {
    let digest = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_DNS, name.as_bytes()).simple().to_string();
    format!("0oa{}", digest.get(..17).unwrap_or_default())
}

fn app(world: &World, index: usize, name: &str) -> Value {
    let logo = format!("{}/logo/{index}.png", world.addresses.pages_url);
    let mut app = json!({
        "id": app_id(name), "name": name.to_lowercase().replace(' ', "_"), "label": name, "status": "ACTIVE",
        "signOnMode": "SAML_2_0", "created": "2024-02-01T08:00:00.000Z", "lastUpdated": "2025-10-11T08:00:00.000Z",
        "_links": {"self": {"href": format!("{}/api/v1/apps/{}", world.addresses.okta_org_url, app_id(name))}},
    });
    // Logos come as a list, as an empty one, as an object and not at all.
    match index % 4 {
        0 => app["_links"]["logo"] = json!([{"name": "medium", "href": logo, "type": "image/png"}]),
        1 => app["_links"]["logo"] = json!([]),
        2 => app["_links"]["logo"] = json!({"name": "medium", "href": logo, "type": "image/png"}),
        _ => {}
    }
    app
}

/// `GET /api/v1/apps`: `q` on name and label, `filter=user.id eq "…"` for who has them, or a filter on what
/// they are.
pub(super) async fn list(
    State(world): State<Arc<World>>,
    OriginalUri(uri): OriginalUri,
    Asked(query): Asked<Query>,
) -> Result<Response, OktaError> {
    let filter = query.get("filter").map(String::as_str);
    let held =
        filter.filter(|text| text.contains("user.id")).map(|text| assigned(&world, text)).transpose()?;
    let own = filter.filter(|text| !text.contains("user.id")).map(parsed).transpose()?;
    let prefix = query.get("q").map(|q| q.to_lowercase()).unwrap_or_default();
    let wanted = |name: &str| {
        name.to_lowercase().starts_with(&prefix) && held.as_ref().is_none_or(|held| held.contains(&name))
    };
    let all = APPS.iter().enumerate().filter(|(_, name)| wanted(name));
    let found = all.map(|(index, name)| app(&world, index, name));
    let found: Vec<Value> =
        found.filter(|app| own.as_ref().is_none_or(|own| own.matches(app, Case::Sensitive))).collect();
    Ok(paging::page(&world, &uri, &query, found, paging::limit(&query, 20, 200)))
}

fn parsed(filter: &str) -> Result<Filter, OktaError> {
    let bad = |_| OktaError::new(StatusCode::BAD_REQUEST, "E0000031", "Invalid search criteria.");
    Filter::parse(filter).map_err(bad)
}

fn assigned(world: &World, filter: &str) -> Result<Vec<&'static str>, OktaError> {
    let filter = parsed(filter)?;
    let directory = world.directory();
    let one = |account: &&super::directory::Account| {
        filter.matches(&json!({"user": {"id": account.id}}), Case::Sensitive)
    };
    Ok(directory.all().find(one).map(|account| account.apps.clone()).unwrap_or_default())
}

/// `GET /api/v1/users/{id}/appLinks`.
pub(super) async fn links(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, OktaError> {
    let directory = world.directory();
    let links = directory.find(&id)?.apps.iter().map(|name| {
        json!({"id": format!("00u{}", app_id(name)), "label": name, "appName": name, "appInstanceId": app_id(name),
               "linkUrl": format!("{}/app/{}", world.addresses.pages_url, app_id(name)), "hidden": false})
    });
    Ok(Json(links.collect()))
}

/// `GET /api/v1/apps/{app}/users/{user}`: a 404 names what is missing.
pub(super) async fn assignment(
    State(world): State<Arc<World>>,
    Path((app, user)): Path<(String, String)>,
) -> Result<Json<Value>, OktaError> {
    let name = APPS
        .iter()
        .find(|name| app_id(name) == app)
        .ok_or_else(|| OktaError::not_found(&app, "AppInstance"))?;
    let directory = world.directory();
    let account = directory.find(&user)?;
    if !account.apps.contains(name) {
        return Err(OktaError::not_found(&user, "AppUser"));
    }
    Ok(Json(json!({
        "id": account.id, "status": "ACTIVE", "scope": "GROUP", "externalId": null,
        "created": "2024-03-01T08:00:00.000Z", "credentials": {"userName": account.login()},
        "profile": {"email": account.profile.get("email"), "displayName": account.name()},
    })))
}
