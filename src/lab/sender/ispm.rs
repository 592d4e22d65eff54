//! The webhook tile of Okta ISPM: the nested record of three kinds of entity, and the flat one of a flow that was run on
//! demand. Time limit and repeats are undocumented: five seconds, and one more try.
use super::post::{Manners, Parcel, Post, failed};
use super::{Errand, LabListener, Sender};
use crate::lab::clock::millis;
use crate::lab::population::Person;
use crate::lab::story::{Entity, Flaw, Form, IdName, Issue};
use crate::lab::world::World;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

static MANNERS: Manners = Manners {
    sender: Sender::Ispm,
    patience: Duration::from_secs(5),
    tries: 2,
    pause: Duration::from_secs(5),
    again: failed,
};

const TENANT: &str = "Meridian";

#[derive(Debug)]
pub(super) struct Ispm {
    post: Arc<Post>,
    to: LabListener,
}

impl Ispm {
    pub(super) fn new(post: Arc<Post>, to: LabListener) -> Self {
        Self { post, to }
    }

    pub(super) fn tell(&self, issue: &Issue, published: Timestamp) -> Errand {
        let parcel = Parcel::now(&issue.event, body(&self.post.world, issue, published));
        let (post, to) = (Arc::clone(&self.post), self.to.clone());
        Box::pin(async move { post.deliver(&to, &MANNERS, parcel).await })
    }
}

fn body(world: &World, issue: &Issue, published: Timestamp) -> Value {
    match issue.form {
        Form::Nested(kind, id) => nested(world, issue, (kind, id), published),
        Form::Flat(flaw) => flat(world, issue, flaw, published),
    }
}

fn nested(world: &World, issue: &Issue, (kind, id): (&str, IdName), published: Timestamp) -> Value {
    let said = issue.kind;
    json!({
        "id": issue.event, "timestamp": millis(published), "source": "Okta ISPM", "type": kind,
        "eventData": {
            "id": issue.id, "category": said.category, "severity": said.severity, "title": said.title,
            "fullDescription": said.description, "shortDescription": said.description,
            "detectedAt": millis(published - SignedDuration::from_mins(12)),
            "suggestedRemediation": said.remediation, "riskAndImpact": said.risk,
            "affectedEntity": entity(world, issue, id, published),
        },
    })
}

fn entity(world: &World, issue: &Issue, id: IdName, now: Timestamp) -> Value {
    let (kind, name, in_service, more) = match issue.entity {
        Entity::Account(index) => {
            let Some(person) = world.population.people.get(index) else { return Value::Null };
            ("Account", person.name(), person.okta_id.clone(), account(person, now))
        }
        Entity::User(index) => {
            let Some(person) = world.population.people.get(index) else { return Value::Null };
            ("User", person.name(), person.login.clone(), accounts(person))
        }
        Entity::Grant(client, resource) => {
            let in_service = format!("oag{}", issue.id.get(6..20).unwrap_or_default());
            ("OAuth Grant", client, in_service, grant(client, resource))
        }
    };
    let mut entity = json!({
        "id": entity_id(issue), "type": kind, "displayName": name, "sourceProductName": issue.product,
        "sourceProductTenant": TENANT, "additionalData": more,
    });
    let named = match id {
        IdName::Identifier => "identifierInService",
        IdName::Id => "idInService",
    };
    entity[named] = json!(in_service);
    entity
}

/// Stable for an entity of a product, so that runs can be compared.
fn entity_id(issue: &Issue) -> String {
    let name = format!("{:?} in {}", issue.entity, issue.product);
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}

fn account(person: &Person, now: Timestamp) -> Value {
    let mut more = json!({"username": person.login, "types": types(person)});
    if let Some(at) = person.last_sign_in {
        more["lastLogin"] = json!(millis(at));
    }
    if person.admin {
        let created = now - SignedDuration::from_hours(24 * 350);
        more["unrotatedTokens"] = json!([{
            "type": "API Token", "methodName": "terraform", "createdAt": millis(created),
            "lastUsed": millis(now - SignedDuration::from_hours(24 * 230)), "lastRotated": millis(created),
            "nextRotation": null, "expires": millis(now + SignedDuration::from_hours(24 * 15)),
        }]);
    }
    more
}

fn types(person: &Person) -> Value {
    if person.admin {
        json!([{"type": "Admin", "reasons": ["Member of Super Admins group"]}])
    } else {
        json!([{"type": "Human", "reasons": []}])
    }
}

/// What an active account of a person says is undocumented.
fn accounts(person: &Person) -> Value {
    let account = |product: &&str| json!({"sourceProductName": product, "sourceProductTenant": TENANT, "username": person.login});
    json!({"activeAccounts": person.providers.iter().map(account).collect::<Value>()})
}

/// What the two applications say is undocumented.
fn grant(client: &str, resource: &str) -> Value {
    json!({"clientApp": {"name": client}, "resourceApp": {"name": resource}})
}

/// 22 texts, with dates in three forms.
fn flat(world: &World, issue: &Issue, flaw: Flaw, published: Timestamp) -> Value {
    let (Entity::Account(index) | Entity::User(index)) = issue.entity else { return Value::Null };
    let Some(person) = world.population.people.get(index) else { return Value::Null };
    let said = issue.kind;
    let last = person.last_sign_in.map(|at| at.strftime("%m/%d/%Y").to_string()).unwrap_or_default();
    let (kind, in_service) = match flaw {
        Flaw::Misspelt => ("evenType", in_product(person, issue)),
        Flaw::NoId => ("eventType", String::new()),
        Flaw::None => ("eventType", in_product(person, issue)),
    };
    let types = if person.admin { "Admin, Super admin" } else { "Human" };
    json!({
        "eventId": issue.event, "eventTimestamp": published.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "eventSource": "Okta ISPM", (kind): "issue.onDemand", "issueId": issue.id,
        "issueCategory": said.category, "issueSeverity": said.severity, "issueTitle": said.title,
        "issueFullDescription": said.description, "issueShortDescription": said.description,
        "issueDetectedAt": published.strftime("%Y-%m-%d").to_string(),
        "issueSuggestedRemediation": said.remediation, "issueRiskAndImpact": said.risk,
        "issueLink": format!("{}/issues/{}", world.addresses.pages_url, issue.id),
        "entityId": format!("Account_{}~", entity_id(issue)), "entityIdInService": in_service,
        "entityType": "Account", "entityDisplayName": person.login, "entitySourceProductName": issue.product,
        "entitySourceProductTenant": TENANT, "additionalDataTypes": types, "additionalDataLastLogin": last,
    })
}

/// Okta's id means nothing to another product.
fn in_product(person: &Person, issue: &Issue) -> String {
    match issue.product {
        "Okta" => person.okta_id.clone(),
        _ => entity_id(issue),
    }
}
