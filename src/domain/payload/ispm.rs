//! The two shapes of an ISPM issue: 22 flat texts, and the nested event.
//!
//! Both hold the same facts; [`FIELDS`] says where each flat field stands in the nested one. So a made
//! record is made flat, and the nested one is written from it.

use super::{Inputs, PayloadError};
use crate::domain::event::EventDetail;
use crate::domain::flow::{Flow, Product};
use crate::domain::subject::ProviderAccount;
use crate::domain::{CheckKind, Login, Untrusted, time};
use serde_json::{Map, Value, json};

/// The flat fields in the contract's order, and each one's place in the nested record; `issueLink` has
/// none there.
pub const FIELDS: [(&str, &str); 22] = [
    ("eventId", "/id"),
    ("eventTimestamp", "/timestamp"),
    ("eventSource", "/source"),
    ("eventType", "/type"),
    ("issueId", "/eventData/id"),
    ("issueCategory", "/eventData/category"),
    ("issueSeverity", "/eventData/severity"),
    ("issueTitle", "/eventData/title"),
    ("issueFullDescription", "/eventData/fullDescription"),
    ("issueShortDescription", "/eventData/shortDescription"),
    ("issueDetectedAt", "/eventData/detectedAt"),
    ("issueSuggestedRemediation", "/eventData/suggestedRemediation"),
    ("issueRiskAndImpact", "/eventData/riskAndImpact"),
    ("issueLink", "/issueLink"),
    ("entityId", "/eventData/affectedEntity/id"),
    ("entityIdInService", "/eventData/affectedEntity/identifierInService"),
    ("entityType", "/eventData/affectedEntity/type"),
    ("entityDisplayName", "/eventData/affectedEntity/displayName"),
    ("entitySourceProductName", "/eventData/affectedEntity/sourceProductName"),
    ("entitySourceProductTenant", "/eventData/affectedEntity/sourceProductTenant"),
    ("additionalDataTypes", "/eventData/affectedEntity/additionalData/types"),
    ("additionalDataLastLogin", "/eventData/affectedEntity/additionalData/lastLogin"),
];

/// The name that the Event Hook template reads, beside the documented `identifierInService`.
const TEMPLATE_ID: &str = "/eventData/affectedEntity/idInService";
const USERNAME: &str = "/eventData/affectedEntity/additionalData/username";

/// The 22 flat fields.
pub(super) fn flat(flow: &Flow, inputs: &Inputs<'_>) -> Result<String, PayloadError> {
    match Record::for_target(flow, inputs) {
        Some((raw, record)) if !record.is_nested => Ok(raw.to_owned()),
        Some((_, record)) => Ok(Value::Object(record.flat).to_string()),
        None => Ok(Value::Object(made(flow, inputs)?).to_string()),
    }
}

/// The nested event.
pub(super) fn nested(flow: &Flow, inputs: &Inputs<'_>) -> Result<String, PayloadError> {
    match Record::for_target(flow, inputs) {
        Some((raw, record)) if record.is_nested => Ok(raw.to_owned()),
        Some((_, record)) => Ok(unfolded(&record.flat).to_string()),
        None => Ok(unfolded(&made(flow, inputs)?).to_string()),
    }
}

/// The account that an ISPM record is about, under the login that its finding has; `None` for anything
/// that is not an ISPM record or names no id.
pub fn account(raw: &str) -> Option<ProviderAccount> {
    Record::parse(raw)?.account()
}

/// What an ISPM record calls the account that it is about: `Admin`, `Super admin`.
pub fn types_of(raw: &str) -> Vec<Untrusted> {
    let Some(record) = Record::parse(raw) else { return Vec::new() };
    let types = record.get("additionalDataTypes").split(',').map(str::trim);
    types.filter(|word| !word.is_empty()).map(Untrusted::from).collect()
}

/// An ISPM record of either shape, read into the flat fields.
struct Record {
    is_nested: bool,
    username: String,
    flat: Map<String, Value>,
}

impl Record {
    fn parse(raw: &str) -> Option<Record> {
        let value: Value = serde_json::from_str(raw).ok()?;
        if value.pointer("/eventData/affectedEntity").is_some_and(Value::is_object) {
            let username = text(value.pointer(USERNAME));
            return Some(Record { is_nested: true, username, flat: folded(&value) });
        }
        let is_flat = value.get("entityIdInService").is_some() && value.get("issueTitle").is_some();
        let flat = FIELDS.iter().map(|(name, _)| ((*name).to_owned(), text(value.get(*name)).into()));
        is_flat.then(|| Record { is_nested: false, username: String::new(), flat: flat.collect() })
    }

    /// The event's record, if it names exactly what the flow is to act on. One of another account must
    /// not go on as it came: the flow would act on that account.
    fn for_target<'a>(flow: &Flow, inputs: &Inputs<'a>) -> Option<(&'a str, Record)> {
        let raw = inputs.event.and_then(EventDetail::ispm_record)?;
        let record = Record::parse(raw)?;
        let is_target =
            inputs.target.is_some_and(|target| target.user_id.raw() == record.get("entityIdInService"));
        let fits = match flow.product {
            Some(product) => {
                is_target && Product::parse(record.get("entitySourceProductName")) == Some(product)
            }
            None => is_target || inputs.target.is_none(),
        };
        (fits && record.login() == inputs.subject.login).then_some((raw, record))
    }

    fn get(&self, name: &str) -> &str {
        self.flat.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The login by which the record's finding goes.
    fn login(&self) -> Login {
        let (id, name) = (self.get("entityIdInService"), self.get("entityDisplayName"));
        let with_at = [id, name].into_iter().find(|text| text.contains('@'));
        let known = Some(self.username.as_str()).filter(|text| !text.trim().is_empty());
        Login::new(known.or(with_at).unwrap_or(id))
    }

    fn account(&self) -> Option<ProviderAccount> {
        let user_id = Untrusted::from(self.get("entityIdInService"));
        let provider = Untrusted::from(self.get("entitySourceProductName"));
        (!user_id.is_blank()).then(|| ProviderAccount { provider, user_id, login: self.login() })
    }
}

/// The 22 made from a finding (design, section 2).
pub(super) fn made(flow: &Flow, inputs: &Inputs<'_>) -> Result<Map<String, Value>, PayloadError> {
    let subject = inputs.subject;
    let description = joined(inputs.description());
    let values: [String; 22] = [
        inputs.action.to_string(),
        time::rfc3339_seconds(inputs.now),
        "idtriage".to_owned(),
        "issue.onDemand".to_owned(),
        inputs.finding.map(|finding| finding.id.to_string()).unwrap_or_default(),
        category(inputs),
        capitalised(&inputs.severity()),
        inputs.check().map(|check| check.title.raw().to_owned()).unwrap_or_default(),
        description.clone(),
        description,
        inputs.published().map(time::date).unwrap_or_default(),
        joined(inputs.recommended()),
        String::new(),
        inputs.link().map(|url| url.raw().to_owned()).unwrap_or_default(),
        subject.cii_id.as_ref().map(|id| id.raw().to_owned()).unwrap_or_default(),
        id_in_service(flow, inputs)?,
        "Account".to_owned(),
        subject.login.raw().to_owned(),
        product_name(flow, inputs),
        flow.tenant.clone(),
        String::new(),
        subject.last_login.map(time::american_date).unwrap_or_default(),
    ];
    Ok(FIELDS.iter().zip(values).map(|((name, _), value)| ((*name).to_owned(), value.into())).collect())
}

/// What the templates act on. A router may be told no id: it decides itself.
fn id_in_service(flow: &Flow, inputs: &Inputs<'_>) -> Result<String, PayloadError> {
    let login = &inputs.subject.login;
    match inputs.target {
        Some(target) => Ok(target.user_id.raw().to_owned()),
        None if flow.takes_login => Ok(login.raw().to_owned()),
        None if flow.product.is_none() => Ok(String::new()),
        None => Err(PayloadError::NoTarget { flow: flow.id.clone(), login: login.to_string() }),
    }
}

/// The flow's product; a router is told the product of the account.
fn product_name(flow: &Flow, inputs: &Inputs<'_>) -> String {
    let of_target = || inputs.target.and_then(|target| Product::parse(target.provider.raw()));
    flow.product.or_else(of_target).map(|product| product.ispm_name().to_owned()).unwrap_or_default()
}

fn category(inputs: &Inputs<'_>) -> String {
    let kind = inputs.check().map(|check| check.kind()).filter(|kind| *kind != CheckKind::Unknown);
    kind.map(|kind| kind.word().to_owned()).unwrap_or_default()
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn joined(texts: &[Untrusted]) -> String {
    texts.iter().map(Untrusted::raw).collect::<Vec<_>>().join("\n")
}

/// A nested record as the flat fields.
fn folded(nested: &Value) -> Map<String, Value> {
    let value = |name: &str, place: &str| match name {
        "entityIdInService" => first_text([nested.pointer(place), nested.pointer(TEMPLATE_ID)]),
        "additionalDataTypes" => types(nested.pointer(place)),
        "additionalDataLastLogin" => dated(&text(nested.pointer(place)), time::american_date),
        "issueDetectedAt" => dated(&text(nested.pointer(place)), time::date),
        _ => text(nested.pointer(place)),
    };
    FIELDS.iter().map(|(name, place)| ((*name).to_owned(), value(name, place).into())).collect()
}

/// The flat fields as a nested record, with the id under both names that are read.
fn unfolded(flat: &Map<String, Value>) -> Value {
    let get = |name: &str| flat.get(name).and_then(Value::as_str).unwrap_or_default();
    let kinds = get("additionalDataTypes").split(", ").filter(|kind| !kind.is_empty());
    json!({
        "id": get("eventId"),
        "timestamp": get("eventTimestamp"),
        "source": get("eventSource"),
        "type": "issue.created",
        "eventData": {
            "id": get("issueId"),
            "category": get("issueCategory"),
            "severity": get("issueSeverity"),
            "title": get("issueTitle"),
            "fullDescription": get("issueFullDescription"),
            "shortDescription": get("issueShortDescription"),
            "detectedAt": get("issueDetectedAt"),
            "suggestedRemediation": get("issueSuggestedRemediation"),
            "riskAndImpact": get("issueRiskAndImpact"),
            "affectedEntity": {
                "id": get("entityId"),
                "type": get("entityType"),
                "displayName": get("entityDisplayName"),
                "identifierInService": get("entityIdInService"),
                "idInService": get("entityIdInService"),
                "sourceProductName": get("entitySourceProductName"),
                "sourceProductTenant": get("entitySourceProductTenant"),
                "additionalData": {
                    "username": get("entityDisplayName"),
                    "types": kinds.map(|kind| json!({ "type": kind })).collect::<Vec<_>>(),
                    "lastLogin": dated(get("additionalDataLastLogin"), time::rfc3339_seconds),
                },
            },
        },
    })
}

/// The types of `[{type}]`, comma-joined.
fn types(value: Option<&Value>) -> String {
    let list = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let names = list.iter().map(|entry| text(entry.get("type"))).filter(|name| !name.is_empty());
    names.collect::<Vec<_>>().join(", ")
}

fn first_text<const N: usize>(values: [Option<&Value>; N]) -> String {
    values.into_iter().map(text).find(|text| !text.is_empty()).unwrap_or_default()
}

/// A date in the form that a field wants; what is no date stays as it came.
fn dated(given: &str, form: fn(jiff::Timestamp) -> String) -> String {
    time::parse(given).map_or_else(|| given.to_owned(), form)
}

/// A scalar as text; anything else is unknown.
fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(scalar @ (Value::Number(_) | Value::Bool(_))) => scalar.to_string(),
        _ => String::new(),
    }
}
