//! Cursor pages: absolute `Link` headers, and an opaque `after` that keeps the rest of the query.
//!
//! A cursor knows the query it belongs to: an address that comes back with one byte more or less is told from the one
//! that was given ([`is_verbatim`]).
use crate::lab::faults::{FaultKind, Part};
use crate::lab::world::World;
use axum::Json;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;

pub(super) type Query = HashMap<String, String>;

/// Where no org is: an address that a client must not follow.
const ELSEWHERE: &str = "https://elsewhere.example.invalid";

/// Where a page begins: 0 without a cursor; `None` if the cursor is not one of ours.
pub(super) fn start(query: &Query) -> Option<usize> {
    query.get("after").map_or(Some(0), |after| Some(opened(after)?.place))
}

/// The `since` of a list, which stands in the cursor behind its first page.
pub(super) fn since(query: &Query) -> Option<String> {
    let kept = || opened(query.get("after")?)?.since;
    query.get("since").cloned().or_else(kept)
}

/// What a cursor says.
struct Opened {
    place: usize,
    /// Of the query before it.
    seal: String,
    since: Option<String>,
}

/// Whether an address with a cursor is the one that was given with it, byte for byte.
pub(super) fn is_verbatim(uri: &Uri, query: &Query) -> bool {
    let Some(after) = query.get("after") else { return true };
    let kept = uri.query().unwrap_or_default().strip_suffix(&format!("after={after}"));
    kept.zip(opened(after)).is_some_and(|(kept, opened)| sealed(kept) == opened.seal)
}

fn opened(after: &str) -> Option<Opened> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(after).ok()?).ok()?;
    let mut parts = text.strip_prefix("lab:")?.splitn(3, ':');
    let (place, seal) = (parts.next()?.parse().ok()?, parts.next()?.to_owned());
    let since = parts.next().filter(|since| !since.is_empty()).map(str::to_owned);
    Some(Opened { place, seal, since })
}

fn sealed(kept: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(kept.as_bytes())[..9])
}

/// The `limit` of a query, brought between 1 and the largest page.
pub(super) fn limit(query: &Query, default: usize, largest: usize) -> usize {
    query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(default).clamp(1, largest)
}

/// One page of a list, with `next` unless it is the last.
pub(super) fn page<T: Serialize>(
    world: &World,
    uri: &Uri,
    query: &Query,
    all: Vec<T>,
    limit: usize,
) -> Response {
    let most = world.faults.value(FaultKind::SmallPages, Part::Okta, 3);
    let limit = most.map_or(limit, |most| limit.min(usize::try_from(most).unwrap_or(usize::MAX).max(1)));
    let from = start(query).unwrap_or(0);
    let next = (from + limit < all.len()).then_some(from + limit);
    let items: Vec<T> = all.into_iter().skip(from).take(limit).collect();
    linked(world, uri, items, next)
}

/// A page whose next one begins at a given place.
pub(super) fn linked<T: Serialize>(world: &World, uri: &Uri, items: Vec<T>, next: Option<usize>) -> Response {
    let next = next.map(|next| link(&next_url(world, uri, next), "next"));
    let own = link(&format!("{}{uri}", world.addresses.okta_org_url), "self");
    let mut links: Vec<String> = next.into_iter().chain([own]).collect();
    let is_on = |kind| world.faults.active(kind, Part::Okta);
    if is_on(FaultKind::LinksSelfFirst) {
        links.reverse();
    }
    if is_on(FaultKind::LinksJoined) {
        links = vec![links.join(", ")];
    }
    let mut headers = HeaderMap::new();
    for value in links.iter().filter_map(|link| HeaderValue::from_str(link).ok()) {
        headers.append(header::LINK, value);
    }
    (headers, Json(items)).into_response()
}

fn link(url: &str, relation: &str) -> String {
    format!("<{url}>; rel=\"{relation}\"")
}

/// The same query with another cursor; `after` excludes `since`.
pub(super) fn next_url(world: &World, uri: &Uri, next: usize) -> String {
    let asked = || url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let since = since(&asked().into_owned().collect()).unwrap_or_default();
    let pairs = asked().filter(|(name, _)| name != "after" && name != "since");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let mut kept = query.extend_pairs(pairs).finish();
    if !kept.is_empty() {
        kept.push('&');
    }
    let after = URL_SAFE_NO_PAD.encode(format!("lab:{next}:{}:{since}", sealed(&kept)));
    let host = match world.faults.take(FaultKind::ForeignNext, Part::Okta) {
        true => ELSEWHERE,
        false => &world.addresses.okta_org_url,
    };
    format!("{host}{}?{kept}after={after}", uri.path())
}
