//! The System Log's contents, in the order in which they were persisted; `published` may be older than that suggests.
//!
//! A record is kept as text: it goes over the wire exactly as it was written, and a hundred thousand of them are little.
use super::access::Principal;
use crate::lab::clock::millis;
use crate::lab::gate::RequestId;
use crate::lab::population::{Person, Population, places, uuid};
use crate::lab::world::lock;
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// What is in the log before the story.
const PAST: usize = 400;
/// Events kept at most; a lab that runs for days forgets the oldest.
const KEPT: usize = 250_000;
/// Okta keeps 90 days.
const RETENTION: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Something that was done to a user, and by whom.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    event_type: &'static str,
    actor: Value,
    request: String,
    /// What the caller calls itself.
    agent: Option<String>,
    /// What it was done with, beside the user.
    with: Option<Value>,
    /// The id of the API token, where one did it.
    token: Option<&'static str>,
}

/// The id of the token that the lab hands out.
const TOKEN_ID: &str = "00Tlabtoken000000005d7";
/// Delegated flows that were run before the story.
const DELEGATED: usize = 6;

impl Act {
    pub(crate) fn new(event_type: &'static str, principal: Principal, request: &RequestId) -> Self {
        let actor = match principal {
            Principal::Admin => {
                json!({"id": "00ulabadmin000000005d7", "type": "User", "alternateId": "api.admin", "displayName": "API Admin"})
            }
            Principal::App => {
                json!({"id": "0oalabservice00000005d7", "type": "PublicClientApp", "alternateId": "idtriage", "displayName": "idtriage"})
            }
        };
        let token = matches!(principal, Principal::Admin).then_some(TOKEN_ID);
        let (request, agent) = (request.id.clone(), request.agent.clone());
        Self { event_type, actor, request, agent, with: None, token }
    }

    /// By a flow's connector.
    pub(crate) fn by_flow(event_type: &'static str, execution: &str) -> Self {
        let actor = json!({"id": "0oalabworkflows000005d7", "type": "PublicClientApp", "alternateId": "okta_flow_sso", "displayName": "Okta Workflows"});
        Self { event_type, actor, request: execution.to_owned(), agent: None, with: None, token: None }
    }

    /// Done with something beside the user.
    pub(super) fn with(self, target: Value) -> Self {
        Self { with: Some(target), ..self }
    }
}

/// The log. Places in it stay what they are when old events are forgotten.
#[derive(Debug, Default)]
pub(crate) struct SystemLog(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    forgotten: usize,
    events: Vec<Record>,
}

/// A record of the log.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) uuid: Arc<str>,
    pub(crate) published: Timestamp,
    /// When it came into the log: not before it was published, and sometimes long after.
    pub(crate) persisted: Timestamp,
    /// As it goes over the wire.
    pub(crate) raw: Arc<RawValue>,
}

impl Record {
    /// A LogEvent that is persisted at a time; `None` if it has no `published`.
    pub(crate) fn of(event: &Value, persisted: Timestamp) -> Option<Self> {
        Some(Self {
            uuid: text(&event["uuid"]).into(),
            published: text(&event["published"]).parse().ok()?,
            persisted,
            raw: to_raw_value(event).ok()?.into(),
        })
    }

    /// As JSON, for a filter.
    pub(super) fn value(&self) -> Value {
        serde_json::from_str(self.raw.get()).unwrap_or_default()
    }
}

impl SystemLog {
    /// The sign-ins of the days before.
    pub(crate) fn with_past(seed: u64, population: &Population, now: Timestamp) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x0c7a);
        let mut times: Vec<i64> = (0..PAST - DELEGATED).map(|_| rng.i64(60..6 * 86_400)).collect();
        times.sort_unstable_by(|one, other| other.cmp(one));
        let sign_in = |ago: i64| {
            // Some are persisted later than events that happened after them.
            let late = if rng.u8(..30) == 0 { 900 } else { 0 };
            let person = rng.choice(&population.people)?;
            let event = sign_in(&mut rng, person, now - SignedDuration::from_secs(ago + late));
            Record::of(&event, now - SignedDuration::from_secs(ago))
        };
        let mut events: Vec<Record> = times.into_iter().filter_map(sign_in).collect();
        let mut rng = Rng::with_seed(seed ^ 0xde1e);
        let hour = |n: usize| now - SignedDuration::from_hours(4 * i64::try_from(n).unwrap_or(1) + 1);
        let delegated: Vec<Record> =
            (0..DELEGATED).filter_map(|n| delegated_run(&mut rng, &events, hour(n))).collect();
        events.extend(delegated);
        events.sort_by_key(|record| record.persisted);
        Self(Mutex::new(Kept { forgotten: 0, events }))
    }

    /// Logs an act on a user as the API shows them.
    pub(crate) fn append(&self, act: &Act, user: &Value, now: Timestamp) {
        let name = format!("{} {}", text(&user["profile"]["firstName"]), text(&user["profile"]["lastName"]));
        let user = json!({"id": user["id"], "type": "User", "alternateId": user["profile"]["login"], "displayName": name});
        let detail = act.token.map_or_else(|| json!({}), |token| json!({"requestApiTokenId": token}));
        let agent =
            act.agent.as_ref().map(|raw| json!({"rawUserAgent": raw, "os": "Unknown", "browser": "UNKNOWN"}));
        let target: Vec<Value> = act.with.iter().cloned().chain([user]).collect();
        let event = json!({
            "uuid": uuid::Uuid::new_v4().to_string(), "published": millis(now), "eventType": act.event_type,
            "version": "0", "severity": "INFO", "displayMessage": act.event_type, "actor": act.actor,
            "outcome": {"result": "SUCCESS"}, "target": target, "request": {"ipChain": []},
            "transaction": {"type": "WEB", "id": act.request, "detail": detail},
            "debugContext": {"debugData": {"requestId": act.request}},
            "client": {"ipAddress": "127.0.0.1", "zone": "null", "userAgent": agent},
        });
        self.persist(Record::of(&event, now));
    }

    /// Adds records behind all others.
    pub(crate) fn persist(&self, records: impl IntoIterator<Item = Record>) {
        let mut kept = lock(&self.0);
        kept.events.extend(records);
        if kept.events.len() > KEPT {
            kept.events.drain(..KEPT / 10);
            kept.forgotten += KEPT / 10;
        }
    }

    /// Events from a place on, at most `limit` of those wanted, and the place after the last one looked at.
    pub(super) fn from(
        &self,
        place: usize,
        limit: usize,
        now: Timestamp,
        wanted: impl Fn(&Record) -> bool,
    ) -> (Vec<Record>, usize) {
        let kept = lock(&self.0);
        let oldest = now - RETENTION;
        let mut found = Vec::new();
        let mut next = place.max(kept.forgotten);
        for record in kept.events.iter().skip(next - kept.forgotten) {
            if found.len() == limit {
                break;
            }
            next += 1;
            if record.published >= oldest && wanted(record) {
                found.push(record.clone());
            }
        }
        (found, next)
    }

    /// All that are wanted, by `published`.
    pub(super) fn by_time(&self, now: Timestamp, wanted: impl Fn(&Record) -> bool) -> Vec<Record> {
        let oldest = now - RETENTION;
        let kept = lock(&self.0);
        let there = kept.events.iter().filter(|record| record.published >= oldest && wanted(record));
        let mut found: Vec<Record> = there.cloned().collect();
        found.sort_by_key(|record| record.published);
        found
    }

    /// Every record there is, in the order in which they were persisted.
    pub(crate) fn all(&self) -> Vec<Record> {
        lock(&self.0).events.clone()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// That somebody ran a delegated flow: it was triggered, and no more is said. It happened in a session of its own,
/// which came from that of the last sign-in before.
fn delegated_run(rng: &mut Rng, sign_ins: &[Record], at: Timestamp) -> Option<Record> {
    let mut before = sign_ins.iter().rev().filter(|record| record.persisted < at).map(Record::value);
    let signed_in = before.find(|event| event["outcome"]["result"] == "SUCCESS")?;
    let request = uuid(rng);
    let event = json!({
        "uuid": uuid(rng), "published": millis(at), "eventType": "workflows.user.delegatedflow.run", "version": "0",
        "severity": "INFO", "displayMessage": "Delegated flow run",
        "actor": signed_in["actor"], "outcome": {"result": "SUCCESS"},
        "authenticationContext": {
            "externalSessionId": format!("idx{}", uuid(rng)),
            "rootSessionId": signed_in["authenticationContext"]["rootSessionId"],
        },
        "target": [
            {"id": "0oalabworkflows000005d7", "type": "AppInstance", "alternateId": "Okta Workflows", "displayName": "Okta Workflows"},
            {"id": "104", "type": "Flow", "alternateId": "unknown", "displayName": "Offboard a contractor"},
        ],
        "request": {"ipChain": []}, "transaction": {"type": "WEB", "id": request, "detail": {}},
        "debugContext": {"debugData": {"SessionId": format!("idx{}", uuid(rng))}},
        "client": {"ipAddress": "127.0.0.1", "zone": "null", "userAgent": null},
    });
    Record::of(&event, at)
}

fn sign_in(rng: &mut Rng, person: &Person, at: Timestamp) -> Value {
    let (result, reason) = match rng.u8(..20) {
        0 | 1 => ("FAILURE", json!("INVALID_CREDENTIALS")),
        2 => ("DENY", json!("Sign-on policy evaluation resulted in DENY")),
        3 => ("CHALLENGE", json!("MFA required")),
        _ => ("SUCCESS", Value::Null),
    };
    let address = rng.choice(&person.addresses).map(String::as_str).unwrap_or("null");
    let (request, id) = (uuid(rng), uuid(rng));
    let (client, session) = (client(rng, address), format!("idx{}", uuid(rng)));
    // Some records name no root.
    let root = if result == "SUCCESS" { json!(session) } else { Value::Null };
    json!({
        "uuid": id, "published": millis(at), "eventType": "user.session.start", "version": "0",
        "severity": if result == "SUCCESS" { "INFO" } else { "WARN" }, "legacyEventType": "core.user_auth.login_success",
        "displayMessage": "User login to Okta",
        "actor": {"id": person.okta_id, "type": "User", "alternateId": person.login, "displayName": person.name()},
        "client": client,
        "outcome": {"result": result, "reason": reason}, "target": null,
        "authenticationContext": {"externalSessionId": session, "rootSessionId": root},
        "securityContext": {"asNumber": 64496, "asOrg": "example networks", "isp": "example isp", "isProxy": false},
        "request": {"ipChain": [{"ip": address, "source": null}]},
        "transaction": {"type": "WEB", "id": request, "detail": {}},
        "debugContext": {"debugData": {
            "requestId": request, "requestUri": "/idp/idx/identify", "risk": "{level=LOW}",
            "logOnlySecurityData": json!({"risk": {"level": "LOW"}}).to_string(),
        }},
    })
}

fn client(rng: &mut Rng, address: &str) -> Value {
    let agent = rng.choice(["Chrome", "Firefox", "Safari", "Edge"]).unwrap_or("Chrome");
    // Numbers here and texts there: both are seen.
    let postal = if rng.bool() { json!(78701) } else { json!("M5V 2T6") };
    let place = places::locate(address).map(|place| {
        json!({"city": place.city, "state": place.state, "country": place.country, "postalCode": postal,
               "geolocation": {"lat": place.lat, "lon": place.lon}})
    });
    json!({
        "userAgent": {"rawUserAgent": format!("Mozilla/5.0 ({agent})"), "os": "Mac OS X", "browser": agent},
        "zone": "null", "device": "Computer", "id": null, "ipAddress": address, "geographicalContext": place,
    })
}
