//! LogEvents of the Okta org (contracts/okta.md, sections 6 and 8): what one says, in the form of the System Log and in
//! that of an event hook. The same record has the same `uuid` in both.
use crate::lab::clock::millis;
use crate::lab::population::{Population, places, uuid};
use fastrand::Rng;
use jiff::Timestamp;
use serde_json::{Value, json};

/// An event type with its message.
pub(super) type Kind = (&'static str, &'static str);

/// Who did something, or whom it was done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Party {
    /// One of the people, by index.
    Person(usize),
    /// An application, by its name.
    App(&'static str),
    /// Something else of the org: its type and its name.
    Thing(&'static str, &'static str),
    /// Okta itself.
    Org,
}

/// One record; when it was published is said when it is told.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) uuid: String,
    pub(crate) event_type: &'static str,
    message: &'static str,
    pub(crate) result: &'static str,
    reason: Option<&'static str>,
    actor: Party,
    targets: Vec<Party>,
    address: Option<String>,
    browser: &'static str,
    session: String,
    request: String,
    risk: &'static str,
    noted: Vec<(&'static str, String)>,
}

impl Record {
    /// Something that a party did, with success.
    pub(super) fn new(rng: &mut Rng, (event_type, message): Kind, actor: Party) -> Self {
        Self {
            uuid: uuid(rng),
            event_type,
            message,
            result: "SUCCESS",
            reason: None,
            actor,
            targets: Vec::new(),
            address: None,
            browser: rng.choice(["Chrome", "Firefox", "Safari", "Edge"]).unwrap_or("Chrome"),
            session: format!("idx{}", uuid(rng)),
            request: uuid(rng),
            risk: "LOW",
            noted: Vec::new(),
        }
    }

    /// To whom it was done, in an order that says nothing.
    pub(super) fn upon(mut self, targets: impl Into<Vec<Party>>) -> Self {
        self.targets = targets.into();
        self
    }

    pub(super) fn from(mut self, address: &str) -> Self {
        self.address = Some(address.to_owned());
        self
    }

    pub(super) fn ended(mut self, result: &'static str, reason: impl Into<Option<&'static str>>) -> Self {
        self.result = result;
        self.reason = reason.into();
        self
    }

    pub(super) fn in_session(mut self, session: &str) -> Self {
        self.session = session.to_owned();
        self
    }

    pub(super) fn risky(mut self) -> Self {
        self.risk = "HIGH";
        self
    }

    /// Something in its `debugData`.
    pub(super) fn noting(mut self, key: &'static str, value: &str) -> Self {
        self.noted.push((key, value.to_owned()));
        self
    }

    /// As the System Log keeps it.
    pub(crate) fn logged(&self, population: &Population, published: Timestamp) -> Value {
        let targets: Vec<Value> = self.targets.iter().map(|target| party(target, population)).collect();
        let mut debug = json!({
            "requestId": self.request, "requestUri": "/idp/idx/identify", "risk": format!("{{level={}}}", self.risk),
        });
        for (key, value) in &self.noted {
            debug[*key] = json!(value);
        }
        json!({
            "uuid": self.uuid, "published": millis(published), "eventType": self.event_type, "version": "0",
            "severity": if self.result == "SUCCESS" { "INFO" } else { "WARN" }, "legacyEventType": null,
            "displayMessage": self.message, "actor": party(&self.actor, population),
            "client": self.client(), "device": null,
            "outcome": {"result": self.result, "reason": self.reason},
            "target": if targets.is_empty() { Value::Null } else { Value::Array(targets) },
            "authenticationContext": {"externalSessionId": self.session, "rootSessionId": self.session},
            "securityContext": {"asNumber": 64496, "asOrg": "example networks", "isp": "example isp", "isProxy": false},
            "request": {"ipChain": self.address.iter().map(|ip| json!({"ip": ip, "source": null})).collect::<Value>()},
            "transaction": {"type": "WEB", "id": self.request, "detail": {}},
            "debugContext": {"debugData": debug},
        })
    }

    /// As an event hook posts it: no `request`, and `insertionTimestamp`, whose value is undocumented.
    pub(crate) fn hooked(&self, population: &Population, published: Timestamp) -> Value {
        let mut event = self.logged(population, published);
        if let Some(members) = event.as_object_mut() {
            members.remove("request");
            members.insert("insertionTimestamp".into(), Value::Null);
        }
        event
    }

    /// All null for what Okta does by itself.
    fn client(&self) -> Value {
        let Some(address) = &self.address else {
            return json!({"userAgent": null, "zone": null, "device": null, "id": null, "ipAddress": null, "geographicalContext": null});
        };
        let place = places::locate(address).map(|place| {
            json!({"city": place.city, "state": place.state, "country": place.country, "postalCode": null,
                   "geolocation": {"lat": place.lat, "lon": place.lon}})
        });
        json!({
            "userAgent": {"rawUserAgent": format!("Mozilla/5.0 ({})", self.browser), "os": "Windows 10", "browser": self.browser},
            "zone": "null", "device": "Computer", "id": null, "ipAddress": address, "geographicalContext": place,
        })
    }
}

fn party(party: &Party, population: &Population) -> Value {
    let thing = |id: String, kind: &str, login: &str, name: &str| json!({"id": id, "type": kind, "alternateId": login, "displayName": name, "detailEntry": null});
    match party {
        Party::Person(index) => match population.people.get(*index) {
            Some(person) => thing(person.okta_id.clone(), "User", &person.login, person.name()),
            None => Value::Null,
        },
        Party::App(name) => thing(id_of("0oa", name), "AppInstance", name, name),
        Party::Thing(kind, name) => thing(id_of("000", name), kind, name, name),
        Party::Org => thing(id_of("000", "Okta System"), "SystemPrincipal", "system@okta.com", "Okta System"),
    }
}

/// Stable for a name, so that runs can be compared.
fn id_of(prefix: &str, name: &str) -> String {
    let digest = ::uuid::Uuid::new_v5(&::uuid::Uuid::NAMESPACE_OID, name.as_bytes()).simple().to_string();
    format!("{prefix}{}", digest.get(..17).unwrap_or_default())
}
