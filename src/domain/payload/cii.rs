//! The CII envelope with one login as its only failing user.
//!
//! One CII event names many users and a flow is run for one of them, so everything that belongs to
//! another user goes: their logins wherever a list holds them, their details, and what newer events say
//! of "the" user when that is somebody else. The check's own texts stay as they are.

use super::Inputs;
use crate::domain::{Login, Untrusted, time};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What events of one user say about that user, apart from the login.
const OF_THE_USER: [&str; 3] = ["explainabilityDetails", "explainabilityEventIds", "userTrustLevel"];

/// The event as it came, for this login alone; without a CII event, one made of the finding.
pub(super) fn envelope(inputs: &Inputs<'_>) -> String {
    let login = &inputs.subject.login;
    match inputs.raw().and_then(parse) {
        Some(envelope) => narrowed(envelope, login).to_string(),
        None => made(inputs).to_string(),
    }
}

/// A CII envelope: it has a `detail` with a check in it.
fn parse(raw: &str) -> Option<Map<String, Value>> {
    let Ok(Value::Object(envelope)) = serde_json::from_str(raw) else { return None };
    envelope.get("detail").and_then(|detail| detail.get("checkId")).is_some().then_some(envelope)
}

fn narrowed(mut envelope: Map<String, Value>, login: &Login) -> Value {
    let others = others(&envelope, login);
    envelope.values_mut().for_each(|value| drop_others(value, &others));
    if let Some(Value::Object(detail)) = envelope.get_mut("detail") {
        narrow_detail(detail, login);
    }
    Value::Object(envelope)
}

fn narrow_detail(detail: &mut Map<String, Value>, login: &Login) {
    detail.insert("usersFailing".to_owned(), json!([login.raw()]));
    // An odd shape cannot be narrowed, so it does not go on.
    if detail.get("loginDetails").is_some_and(|details| !details.is_array()) {
        detail.shift_remove("loginDetails");
    }
    let is_anothers = |value: &Value| value.as_str().is_none_or(|text| Login::new(text) != *login);
    if detail.get("login").is_some_and(is_anothers) {
        detail.insert("login".to_owned(), login.raw().into());
        OF_THE_USER.iter().for_each(|name| drop(detail.shift_remove(*name)));
    }
}

/// Everybody else whom the event names, folded.
fn others(envelope: &Map<String, Value>, login: &Login) -> BTreeSet<String> {
    let Some(detail) = envelope.get("detail") else { return BTreeSet::new() };
    let listed = |value: Option<&Value>| match value {
        Some(Value::Array(values)) => values.clone(),
        Some(value) => vec![value.clone()],
        None => Vec::new(),
    };
    let failing = listed(detail.get("usersFailing"));
    let detailed = listed(detail.get("loginDetails")).into_iter().filter_map(|d| d.get("login").cloned());
    let named = failing.into_iter().chain(detailed).chain(detail.get("login").cloned());
    let logins = named.filter_map(|value| value.as_str().map(Login::new));
    logins.filter(|other| other != login).map(|other| other.folded().to_owned()).collect()
}

/// Drops list entries that are another login or belong to one, at any depth: fields that are not known
/// here may list users too.
fn drop_others(value: &mut Value, others: &BTreeSet<String>) {
    match value {
        Value::Array(entries) => {
            entries.retain(|entry| !belongs_to(entry, others));
            entries.iter_mut().for_each(|entry| drop_others(entry, others));
        }
        Value::Object(fields) => fields.values_mut().for_each(|field| drop_others(field, others)),
        _ => {}
    }
}

fn belongs_to(entry: &Value, others: &BTreeSet<String>) -> bool {
    let name = entry.as_str().or_else(|| entry.get("login").and_then(Value::as_str));
    name.is_some_and(|name| others.contains(Login::new(name).folded()))
}

/// The envelope's documented form, for a finding whose event is gone or is another source's.
fn made(inputs: &Inputs<'_>) -> Value {
    let check = inputs.check();
    let texts = |texts: &[Untrusted]| texts.iter().map(|text| text.raw().to_owned()).collect::<Vec<_>>();
    json!({
        "version": "0",
        "id": inputs.action.to_string(),
        "detail-type": "FAILED_CHECK",
        "source": "idtriage",
        "time": time::rfc3339_seconds(inputs.now),
        "resources": [],
        "detail": {
            "id": inputs.action.to_string(),
            "checkId": check.map(|check| check.id.raw()).unwrap_or_default(),
            "title": check.map(|check| check.title.raw()).unwrap_or_default(),
            "description": texts(inputs.description()),
            "recommendedActions": texts(inputs.recommended()),
            "severity": inputs.severity(),
            "usersFailing": [inputs.subject.login.raw()],
            "published": inputs.published().map(time::rfc3339).unwrap_or_default(),
        },
    })
}
