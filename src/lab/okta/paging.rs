//! Cursor pages: absolute `Link` headers, `next` before `self`, and an opaque `after` that keeps the rest of the query.
use crate::lab::world::World;
use axum::Json;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::collections::HashMap;

pub(super) type Query = HashMap<String, String>;

/// Where a page begins: 0 without a cursor; `None` if the cursor is not one of ours.
pub(super) fn start(query: &Query) -> Option<usize> {
    let Some(after) = query.get("after") else { return Some(0) };
    let bytes = URL_SAFE_NO_PAD.decode(after).ok()?;
    std::str::from_utf8(&bytes).ok()?.strip_prefix("lab:")?.parse().ok()
}

/// The `limit` of a query, brought between 1 and the largest page.
pub(super) fn limit(query: &Query, default: usize, largest: usize) -> usize {
    query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(default).clamp(1, largest)
}

/// One page of a list, with `next` unless it is the last.
pub(super) fn page(world: &World, uri: &Uri, query: &Query, all: Vec<Value>, limit: usize) -> Response {
    let from = start(query).unwrap_or(0);
    let next = (from + limit < all.len()).then_some(from + limit);
    let items: Vec<Value> = all.into_iter().skip(from).take(limit).collect();
    linked(world, uri, items, next)
}

/// A page whose next one begins at a given place.
pub(super) fn linked(world: &World, uri: &Uri, items: Vec<Value>, next: Option<usize>) -> Response {
    let mut headers = HeaderMap::new();
    if let Some(next) = next {
        append(&mut headers, &next_url(world, uri, next), "next");
    }
    append(&mut headers, &format!("{}{uri}", world.addresses.okta_org_url), "self");
    (headers, Json(items)).into_response()
}

fn append(headers: &mut HeaderMap, url: &str, relation: &str) {
    if let Ok(value) = HeaderValue::from_str(&format!("<{url}>; rel=\"{relation}\"")) {
        headers.append(header::LINK, value);
    }
}

/// The same query with another cursor; `after` excludes `since`.
fn next_url(world: &World, uri: &Uri, next: usize) -> String {
    let kept = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .filter(|(name, _)| name != "after" && name != "since");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(kept);
    query.append_pair("after", &URL_SAFE_NO_PAD.encode(format!("lab:{next}")));
    format!("{}{}?{}", world.addresses.okta_org_url, uri.path(), query.finish())
}
