//! The webhooks of CII as they stand on the wire (contracts/cii.md section 4): both generations and the test event.
use crate::lab::checks::Check;
use crate::lab::clock::{millis, seconds};
use crate::lab::population::uuid;
use fastrand::Rng;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// What stands in every envelope of one tenant.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    pub(crate) id: String,
    source: String,
    account: String,
}

impl Tenant {
    pub(crate) fn of(rng: &mut Rng) -> Self {
        let id = uuid(rng);
        let source = format!("{id}__{:08x}", rng.u32(..));
        Self { id, source, account: format!("{:012}", rng.u64(..1_000_000_000_000)) }
    }
}

/// The two ids of an event: the envelope's and the event's own. A repeat keeps both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) envelope: String,
    pub(crate) detail: String,
}

impl Ids {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        Self { envelope: uuid(rng), detail: uuid(rng) }
    }
}

/// Which generation of payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A: a list of users.
    Many,
    /// B: one user, explained.
    One,
}

/// How the envelope departs from the ordinary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Plain,
    /// `detail-type` missing, `resources` too.
    NoType,
    /// `detail-type` empty.
    EmptyType,
    /// An unknown `detail-type`, and fields that nobody documented.
    Novel,
}

/// Some users failing a check.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) check: &'static Check,
    pub(crate) logins: Vec<String>,
    pub(crate) form: Form,
    pub(crate) shape: Shape,
    /// Explanations: key and value.
    pub(crate) explained: Vec<(&'static str, String)>,
    pub(crate) trust: Option<&'static str>,
}

impl Failure {
    pub(crate) fn of_one(check: &'static Check, login: &str) -> Self {
        let logins = vec![login.to_owned()];
        Self { check, logins, form: Form::One, shape: Shape::Plain, explained: Vec::new(), trust: None }
    }

    pub(crate) fn of_many(check: &'static Check, logins: Vec<String>) -> Self {
        Self { check, logins, form: Form::Many, shape: Shape::Plain, explained: Vec::new(), trust: None }
    }

    pub(crate) fn because(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.explained.push((key, value.into()));
        self
    }
}

/// The webhook of a failed check.
pub(crate) fn failed_check(tenant: &Tenant, ids: &Ids, failure: &Failure, published: Timestamp) -> Value {
    let detail = match failure.form {
        Form::Many => detail_of_many(tenant, ids, failure, published),
        Form::One => detail_of_one(ids, failure, published),
    };
    let mut envelope = frame(tenant, &ids.envelope, published);
    match failure.shape {
        Shape::Plain => put(&mut envelope, "detail-type", "FAILED_CHECK"),
        Shape::NoType => {}
        Shape::EmptyType => put(&mut envelope, "detail-type", ""),
        Shape::Novel => {
            put(&mut envelope, "detail-type", "FAILED_CHECK_V9");
            put(&mut envelope, "schemaRevision", 9);
        }
    }
    put(&mut envelope, "detail", detail);
    Value::Object(envelope)
}

/// The test event, as Test Connectivity sends it.
pub(crate) fn webhook_test(tenant: &Tenant, ids: &Ids, published: Timestamp) -> Value {
    let mut envelope = frame(tenant, &ids.envelope, published);
    put(&mut envelope, "detail-type", "WebhookTest");
    put(&mut envelope, "resources", json!([]));
    let detail = json!({
        "id": ids.detail, "checkId": "oort-test-check-id", "title": "OORT Failing Check Event Test",
        "description": ["description1", "description2"], "recommendedActions": ["action1", "action2"],
        "severity": "critical", "usersFailing": ["user1@example.com", "user2@example.com"],
        "published": millis(published),
    });
    put(&mut envelope, "detail", detail);
    Value::Object(envelope)
}

fn frame(tenant: &Tenant, id: &str, published: Timestamp) -> Map<String, Value> {
    let mut envelope = Map::new();
    put(&mut envelope, "version", "0");
    put(&mut envelope, "id", id);
    put(&mut envelope, "source", tenant.source.as_str());
    put(&mut envelope, "account", tenant.account.as_str());
    put(&mut envelope, "time", seconds(published));
    put(&mut envelope, "region", "us-east-2");
    envelope
}

fn detail(ids: &Ids, failure: &Failure, published: Timestamp) -> Map<String, Value> {
    let check = failure.check;
    let mut detail = Map::new();
    put(&mut detail, "id", ids.detail.as_str());
    put(&mut detail, "checkId", check.id);
    put(&mut detail, "title", check.title);
    put(&mut detail, "description", json!(check.description));
    put(&mut detail, "recommendedActions", json!(check.actions));
    put(&mut detail, "severity", check.severity);
    put(&mut detail, "published", millis(published));
    detail
}

fn detail_of_many(tenant: &Tenant, ids: &Ids, failure: &Failure, published: Timestamp) -> Value {
    let mut detail = detail(ids, failure, published);
    let about = |login: &String| json!({"login": login, "details": provider_details(tenant, failure, login)});
    put(&mut detail, "usersFailing", json!(failure.logins));
    put(&mut detail, "loginDetails", failure.logins.iter().map(about).collect::<Value>());
    Value::Object(detail)
}

/// CII puts JSON into a string here.
fn provider_details(tenant: &Tenant, failure: &Failure, login: &str) -> Value {
    let hash =
        login.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let name = format!("providerFailingCheck-{}-{}__OKTA__{hash:08x}", failure.check.id, tenant.id);
    let mut details = vec![json!({"key": "providersFailingChecks", "value": json!([name]).to_string()})];
    details.extend(failure.explained.iter().map(|(key, value)| json!({"key": key, "value": value})));
    Value::Array(details)
}

fn detail_of_one(ids: &Ids, failure: &Failure, published: Timestamp) -> Value {
    let mut detail = detail(ids, failure, published);
    let explained: Vec<Value> =
        failure.explained.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    put(&mut detail, "login", failure.logins.first().map_or("", String::as_str));
    put(&mut detail, "explainabilityDetails", explained);
    put(&mut detail, "explainabilityEventIds", json!([ids.detail]));
    put(&mut detail, "checkTopics", json!([failure.check.topic]));
    put(&mut detail, "checkScope", "USER");
    put(&mut detail, "frameworks", json!(["MITRE ATT&CK"]));
    if let Some(trust) = failure.trust {
        put(&mut detail, "userTrustLevel", trust);
    }
    Value::Object(detail)
}

fn put(map: &mut Map<String, Value>, key: &str, value: impl Into<Value>) {
    map.insert(key.into(), value.into());
}
