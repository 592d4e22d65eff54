//! The two shapes of an ISPM issue: 22 flat texts, and the nested event.
//!
//! Both hold the same facts; [`FIELDS`] says where each flat field stands in the nested one. So a made
//! record is made flat, and the nested one is written from it.

use super::{Inputs, PayloadError};
use crate::domain::event::EventDetail;
use crate::domain::flow::{EntityKind, Flow, Product};
use crate::domain::subject::{Entity, ProviderAccount};
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

/// The fields, and the login beside them, that say who is meant: they come from whom the card is about, and from
/// nowhere else. What the guard, the journal and the re-read speak of would not be who is acted on.
const WHOM: [&str; 7] = [
    "login",
    "entityId",
    "entityIdInService",
    "entityType",
    "entityDisplayName",
    "entitySourceProductName",
    "entitySourceProductTenant",
];

/// Whether an input of this name says who is meant.
pub fn says_whom(name: &str) -> bool {
    WHOM.contains(&name)
}

const ENTITY: &str = "/eventData/affectedEntity";
/// The name that the Event Hook template reads, beside the documented `identifierInService`.
const TEMPLATE_ID: &str = "/eventData/affectedEntity/idInService";
const IDENTIFIER: &str = "/eventData/affectedEntity/identifierInService";
const PRODUCT: &str = "/eventData/affectedEntity/sourceProductName";
/// Where a nested record may say which account it is: under each name, and in the flat fields beside it.
const NAMES: [(&str, &[&str]); 2] = [
    ("entityIdInService", &[IDENTIFIER, TEMPLATE_ID, "/entityIdInService"]),
    ("entitySourceProductName", &[PRODUCT, "/entitySourceProductName"]),
];
const USERNAME: &str = "/eventData/affectedEntity/additionalData/username";
/// A person's accounts. The contract names the list and not what an item holds.
const ACTIVE_ACCOUNTS: &str = "/eventData/affectedEntity/additionalData/activeAccounts";

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
        Some((raw, record)) if record.is_nested => Ok(agreed(raw, &record)),
        Some((_, record)) => Ok(unfolded(&record.flat).to_string()),
        None => Ok(unfolded(&made(flow, inputs)?).to_string()),
    }
}

/// The event as it came, if every name for the account in it says the one that the card shows. Otherwise whoever reads
/// another name would act on another account: then they all say that one, and the rest stays as it came.
fn agreed(raw: &str, record: &Record) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(raw) else { return raw.to_owned() };
    let mut has_changed = false;
    for (name, places) in NAMES {
        let said = record.get(name);
        for place in places {
            let Some(other) = value.pointer_mut(place) else { continue };
            if !other.is_null() && text(Some(other)) != said {
                *other = said.into();
                has_changed = true;
            }
        }
    }
    if has_changed { value.to_string() } else { raw.to_owned() }
}

/// What an ISPM record is about, and the login that its finding has; `None` for anything that is not one.
pub fn entity(raw: &str) -> Option<(Login, Entity)> {
    let record = Record::parse(raw)?;
    Some((record.login(), record.entity))
}

/// The flat fields of a record; empty where there is none.
pub(super) fn flat_fields(raw: &str) -> Map<String, Value> {
    Record::parse(raw).map(|record| record.flat).unwrap_or_default()
}

fn of_flat(value: &Value) -> Map<String, Value> {
    FIELDS.iter().map(|(name, _)| ((*name).to_owned(), text(value.get(*name)).into())).collect()
}

/// The words by which an ISPM record speaks of the account that it is about: what it calls it (`Admin`,
/// `Super admin`), why, and its own title (`Unused Admin Account`).
pub fn words_of(raw: &str) -> Vec<Untrusted> {
    let Some(record) = Record::parse(raw) else { return Vec::new() };
    let types = record.get("additionalDataTypes").split(',').chain([record.get("issueTitle")]);
    types.map(str::trim).filter(|word| !word.is_empty()).map(Untrusted::from).collect()
}

/// An ISPM record of either shape, read into the flat fields.
struct Record {
    is_nested: bool,
    username: String,
    flat: Map<String, Value>,
    entity: Entity,
}

impl Record {
    fn parse(raw: &str) -> Option<Record> {
        let value: Value = serde_json::from_str(raw).ok()?;
        if value.pointer(ENTITY).is_some_and(Value::is_object) {
            let username = text(value.pointer(USERNAME));
            let people = items(value.pointer(ACTIVE_ACCOUNTS));
            return Some(Record::of(true, username, folded(&value), people));
        }
        let is_flat = value.get("entityIdInService").is_some() && value.get("issueTitle").is_some();
        is_flat.then(|| Record::of(false, String::new(), of_flat(&value), &[]))
    }

    fn of(is_nested: bool, username: String, flat: Map<String, Value>, active: &[Value]) -> Record {
        let mut record = Record { is_nested, username, flat, entity: Entity::default() };
        record.entity.said = record.get("entityType").into();
        record.entity.product = record.get("entitySourceProductName").into();
        match record.entity.kind() {
            Some(EntityKind::Account) => record.entity.accounts = record.account().into_iter().collect(),
            Some(EntityKind::User) => {
                let read: Vec<ProviderAccount> = active.iter().filter_map(active_account).collect();
                record.entity.unread = active.len() - read.len();
                record.entity.accounts = read;
            }
            // The id of a grant, or of something unheard of, is no account's.
            Some(EntityKind::OauthGrant) | None => {}
        }
        record
    }

    /// The event's record, if it names exactly what the flow is to act on. One of another account must
    /// not go on as it came: the flow would act on that account.
    fn for_target<'a>(flow: &Flow, inputs: &Inputs<'a>) -> Option<(&'a str, Record)> {
        let raw = inputs.event.and_then(EventDetail::ispm_record)?;
        let record = Record::parse(raw)?;
        let fits = record.is_taken_by(flow) && record.is_about(flow, inputs.target);
        (fits && record.login() == inputs.subject.login).then_some((raw, record))
    }

    fn is_taken_by(&self, flow: &Flow) -> bool {
        let takes = flow.entity.is_none_or(|kind| self.entity.kind() == Some(kind));
        takes && flow.product.is_none_or(|product| self.entity.product() == Some(product))
    }

    /// Whether it is about the account that was chosen: the same id in another product is another account.
    /// Where none was chosen, it is what a router is handed, and what is no account at all.
    fn is_about(&self, flow: &Flow, target: Option<&ProviderAccount>) -> bool {
        let is_account = self.entity.kind() == Some(EntityKind::Account);
        match target {
            Some(target) => is_account && self.entity.accounts.iter().any(|account| account.is_same(target)),
            None => flow.product.is_none() || !is_account,
        }
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

/// An account of a person, if its item says which it is: under the names that entities have, the product and the
/// id in it. A text alone says neither.
fn active_account(item: &Value) -> Option<ProviderAccount> {
    let names = ["identifierInService", "idInService"];
    let user_id = Untrusted::from(first_text(names.map(|name| item.get(name))));
    let provider = Untrusted::from(text(item.get("sourceProductName")));
    let name = [item.get("username"), item.pointer("/additionalData/username")];
    let with_at = [user_id.raw().to_owned(), text(item.get("displayName"))];
    let login = Some(first_text(name)).filter(|name| !name.trim().is_empty());
    let login = login.or_else(|| with_at.into_iter().find(|text| text.contains('@')));
    let login = Login::new(&login.unwrap_or_else(|| user_id.raw().to_owned()));
    let is_told = !user_id.is_blank() && !provider.is_blank();
    is_told.then_some(ProviderAccount { provider, user_id, login })
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
        entity_type(flow, inputs).to_owned(),
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

/// What was chosen is an account, whatever else the flow takes.
fn entity_type(flow: &Flow, inputs: &Inputs<'_>) -> &'static str {
    let of_flow = flow.entity.filter(|_| inputs.target.is_none());
    of_flow.unwrap_or(EntityKind::Account).word()
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

/// A nested record as the flat fields. Published readmes mix the shapes, so what the nested one lacks may stand in
/// the flat one beside it; the source reads its login so too.
fn folded(nested: &Value) -> Map<String, Value> {
    let value = |name: &str, place: &str| match name {
        "entityIdInService" => {
            first_text([nested.pointer(place), nested.pointer(TEMPLATE_ID), nested.get(name)])
        }
        "additionalDataTypes" => types(nested.pointer(place)),
        "additionalDataLastLogin" => dated(&text(nested.pointer(place)), time::american_date),
        "issueDetectedAt" => dated(&text(nested.pointer(place)), time::date),
        _ => first_text([nested.pointer(place), nested.get(name)]),
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

fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The types of `[{type}]`, comma-joined.
fn types(value: Option<&Value>) -> String {
    let name = |entry: &Value| if entry.is_string() { text(Some(entry)) } else { text(entry.get("type")) };
    let names = items(value).iter().map(name).filter(|name| !name.is_empty());
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
pub(super) fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(scalar @ (Value::Number(_) | Value::Bool(_))) => scalar.to_string(),
        _ => String::new(),
    }
}
