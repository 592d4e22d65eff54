//! Webhooks of anybody: what an element is, the configured mapping says.
//!
//! A mapping names where in the JSON the parts of an event stand. With `items` the pointers go into each
//! item of a list; what is not found there is looked for in the whole body, so that what stands beside
//! the list once may be said of every item.
//!
//! An event without its check, its title or the users that the mapping promises is no failed check: it
//! is kept as kind `other`, and says first which pointer failed and what stands there. Any other part
//! that is missing costs that part alone, and is told as well: a finding without a link is a finding.

mod mapped;

use super::loose::{self, Object};
use super::{Expects, Meaning, SourceType, Unreadable, body, pointer};
use crate::config::meant::{Mapping, Place};
use crate::domain::event::DecodedEvent;
use crate::domain::{CheckId, EventKey, EventKind, Login, Severity, Untrusted, time};
use jiff::Timestamp;
use mapped::{Missed, Parts};
use serde_json::value::RawValue;
use std::sync::Arc;

/// The type `generic-webhook`.
pub const WEBHOOK: SourceType =
    SourceType { name: "generic-webhook", elements, decode, recognises: |_| false, expects: Expects::USUAL };

/// The space of the keys of events with an id of their own.
const SPACE: &str = "generic";

fn elements(whole: Arc<str>, meaning: &Meaning<'_>) -> Result<Vec<Arc<str>>, Unreadable> {
    let json = body::object_or_list(&whole)?;
    let items = meaning.mapping.and_then(|mapping| mapping.items.as_deref());
    match items.and_then(|items| pointer::find(json, items)) {
        Some(list) => body::each_alone(&whole, list),
        None => Ok(vec![Arc::clone(&whole)]),
    }
}

/// Of elements of one body, how many the mapping does not apply to, and why for the last of them.
pub(super) fn unmapped(elements: &[Arc<str>], meaning: &Meaning<'_>) -> Option<Unmapped> {
    meaning.mapping?;
    let events = elements.iter().map(|raw| decode(raw, meaning));
    let mut others = events.filter(|event| event.kind == EventKind::Other);
    let first = others.next()?;
    let (count, last) = others.fold((1, first), |(count, _), event| (count + 1, event));
    let why = last.description.first().map(Untrusted::to_string).unwrap_or_default();
    Some(Unmapped { count, why })
}

/// Whether the mapping makes a failed check of a body, or of anything in it. One that looks nothing up would make
/// one of everything, and recognises nothing.
pub(crate) fn applies(body: &Arc<str>, meaning: &Meaning<'_>) -> bool {
    let looks_up = |place: &Option<Place>| matches!(place, Some(Place::Pointer(_)));
    let tells_apart = |mapping: &Mapping| {
        mapping.items.is_some() || [&mapping.check, &mapping.title, &mapping.users].into_iter().any(looks_up)
    };
    let is_check = |raw: &Arc<str>| decode(raw, meaning).kind == EventKind::FailedCheck;
    meaning.mapping.is_some_and(tells_apart)
        && elements(Arc::clone(body), meaning).is_ok_and(|elements| elements.iter().any(is_check))
}

/// What is kept and opens no finding, because the mapping does not apply to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unmapped {
    /// How many elements.
    pub(super) count: u64,
    /// Why the last of them: which pointer failed, and what stands there.
    pub(super) why: String,
}

/// What an element is. Pure and total.
fn decode(raw: &str, meaning: &Meaning<'_>) -> DecodedEvent {
    let Some(mapping) = meaning.mapping else {
        return not_understood(raw, "no mapping for this source in this configuration".to_owned());
    };
    let Ok(json) = serde_json::from_str::<&RawValue>(raw) else {
        return not_understood(raw, "it is not JSON".to_owned());
    };
    match Parts::of(json, mapping.items.as_deref()) {
        Ok(parts) => event(raw, mapping, parts),
        Err(missed) => not_understood(raw, does_not_apply(&[missed])),
    }
}

fn not_understood(raw: &str, why: String) -> DecodedEvent {
    let mut event = DecodedEvent::new(EventKey::of_content(SPACE, raw.as_bytes()), EventKind::Other);
    event.check.title = Object::parse(raw)
        .ok()
        .and_then(|body| body.text("title"))
        .map(loose::line)
        .unwrap_or_default()
        .into();
    event.description.push(loose::paragraph(why));
    event
}

fn event(raw: &str, mapping: &Mapping, mut parts: Parts<'_>) -> DecodedEvent {
    let check: CheckId =
        parts.text("check", mapping.check.as_ref()).map(loose::line).unwrap_or_default().into();
    let title = parts.text("title", mapping.title.as_ref()).map(loose::line).unwrap_or_default();
    let users = logins(parts.texts("users", mapping.users.as_ref()));
    let misses_what_is_needed = parts.take_missed();
    let id = parts.text("id", mapping.id.as_ref());
    let severity = parts.text("severity", mapping.severity.as_ref()).map(loose::line).unwrap_or_default();
    let published = parts.time("published", mapping.published.as_ref());
    let applies = misses_what_is_needed.is_empty() && !check.raw().is_empty() && !title.is_empty();
    let kind = if applies { EventKind::FailedCheck } else { EventKind::Other };

    let mut event = DecodedEvent::new(key(raw, &check, id.as_deref(), published, &users), kind);
    event.source_event_id = id.map(|id| loose::line(id).into());
    event.severity = Severity::from_raw(&severity);
    event.severity_raw = severity.into();
    event.reference_url = parts.text("link", mapping.link.as_ref()).map(Untrusted::from);
    event.published = published;
    let told = parts.texts("description", mapping.description.as_ref());
    event.description = paragraphs(&misses_what_is_needed, told, &parts.take_missed());
    event.check.id = check;
    event.check.title = title.into();
    event.users = users;
    event
}

fn logins(texts: Vec<String>) -> Vec<Login> {
    let mut seen = std::collections::HashSet::new();
    let logins = texts.iter().map(|text| Login::new(text));
    logins.filter(|login| !login.is_empty() && seen.insert(login.clone())).collect()
}

/// The sender's id, for this check and these users. The time of publishing belongs to it, because some
/// senders' ids are of a state that comes again: an alert manager gives an alert that was over and fires
/// anew the same fingerprint, and that is another event. Without an id an element is its content.
fn key(
    raw: &str,
    check: &CheckId,
    id: Option<&str>,
    published: Option<Timestamp>,
    users: &[Login],
) -> EventKey {
    let Some(id) = id else { return EventKey::of_content(SPACE, raw.as_bytes()) };
    let published = published.map(time::rfc3339).unwrap_or_default();
    let mut folded: Vec<&str> = users.iter().map(Login::folded).collect();
    folded.sort_unstable();
    EventKey::of_parts(SPACE, [check.raw(), id, &published].into_iter().chain(folded))
}

/// The paragraphs that are kept; the raw element has them all.
const MOST_PARAGRAPHS: usize = 50;

fn paragraphs(needed: &[Missed], told: Vec<String>, missed: &[Missed]) -> Vec<Untrusted> {
    let first = (!needed.is_empty()).then(|| does_not_apply(needed));
    let last = missed.iter().map(|missed| format!("this part of the mapping does not apply: {missed}"));
    let told = told.into_iter().take(MOST_PARAGRAPHS);
    first.into_iter().chain(told).chain(last).map(loose::paragraph).collect()
}

fn does_not_apply(missed: &[Missed]) -> String {
    let told: Vec<String> = missed.iter().map(Missed::to_string).collect();
    format!("the mapping does not apply: {}", told.join("; "))
}

#[cfg(test)]
mod tests;
