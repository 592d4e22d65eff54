//! What Okta keeps beside a user: groups, assigned applications, enrolled factors, and what the System Log
//! holds of late. Everything but an id may be missing.

use super::place::GeoLocation;
use crate::domain::{Untrusted, time};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A group that a user is in.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OktaGroup {
    /// The id.
    pub id: Untrusted,
    /// `OKTA_GROUP`, `APP_GROUP`, `BUILT_IN`: only the first can be changed here.
    #[serde(rename = "type")]
    pub kind: Untrusted,
    /// Name and description.
    pub profile: Value,
}

impl OktaGroup {
    /// Its name, else its id.
    pub fn name(&self) -> Untrusted {
        let name = self.profile.get("name").and_then(Value::as_str).filter(|name| !name.trim().is_empty());
        name.map_or_else(|| self.id.clone(), Untrusted::from)
    }
}

/// An application that is assigned to a user.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OktaApp {
    /// The id.
    pub id: Untrusted,
    /// The kind of application: `google`.
    pub name: Untrusted,
    /// What people call it.
    pub label: Untrusted,
    /// `ACTIVE` or `INACTIVE`.
    pub status: Untrusted,
}

impl OktaApp {
    /// What people call it, else its kind, else its id.
    pub fn title(&self) -> &Untrusted {
        [&self.label, &self.name].into_iter().find(|text| !text.is_blank()).unwrap_or(&self.id)
    }
}

/// A factor that a user has enrolled.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OktaFactor {
    /// The id.
    pub id: Untrusted,
    /// `push`, `webauthn`, `sms`, …
    pub factor_type: Untrusted,
    /// Who provides it: `OKTA`, `FIDO`, …
    pub provider: Untrusted,
    /// `ACTIVE`, `PENDING_ACTIVATION`, …
    pub status: Untrusted,
    /// When it was enrolled.
    #[serde(with = "time::millis_option")]
    pub created: Option<Timestamp>,
}

/// A record of the System Log, as it came.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OktaRecord(pub Value);

impl OktaRecord {
    /// When it was published.
    pub fn published(&self) -> Option<Timestamp> {
        self.0.get("published")?.as_str()?.parse().ok()
    }

    /// `user.session.start`.
    pub fn event_type(&self) -> Untrusted {
        self.text("/eventType").unwrap_or_default()
    }

    /// `SUCCESS`, `FAILURE`, `DENY`, … and why, where that is said.
    pub fn result(&self) -> String {
        let result = self.text("/outcome/result").unwrap_or_default();
        match self.text("/outcome/reason") {
            Some(reason) => format!("{result} ({reason})"),
            None => result.to_string(),
        }
    }

    /// Who did it, by login where there is one.
    pub fn actor(&self) -> Option<Untrusted> {
        self.text("/actor/alternateId").or_else(|| self.text("/actor/displayName"))
    }

    /// From which address; literal `null`s stand for none.
    pub fn address(&self) -> Option<Untrusted> {
        self.text("/client/ipAddress")
    }

    /// From where.
    pub fn place(&self) -> GeoLocation {
        let text = |name: &str| self.text(&format!("/client/geographicalContext/{name}"));
        GeoLocation { city: text("city"), state: text("state"), country: text("country") }
    }

    /// With what.
    pub fn client(&self) -> Option<Untrusted> {
        self.text("/client/userAgent/browser").or_else(|| self.text("/client/device"))
    }

    /// The level of risk that Okta saw.
    pub fn risk(&self) -> Option<Untrusted> {
        self.text("/securityContext/risk/level")
    }

    fn text(&self, pointer: &str) -> Option<Untrusted> {
        let text = self.0.pointer(pointer)?.as_str()?;
        (!text.trim().is_empty() && text != "null").then(|| text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_record_says_what_it_holds_and_no_more() {
        let record = OktaRecord(json!({
            "published": "2026-01-02T03:04:05.678Z", "eventType": "user.session.start",
            "outcome": {"result": "DENY", "reason": "policy"},
            "actor": {"alternateId": "ann@example.com", "displayName": "Ann"},
            "client": {"ipAddress": "null", "userAgent": {"browser": "FIREFOX"}, "geographicalContext": null},
            "securityContext": {"risk": {"level": "HIGH"}},
        }));
        assert_eq!(record.published().map(|at| at.as_second()), Some(1_767_323_045));
        assert_eq!((record.result().as_str(), record.address()), ("DENY (policy)", None));
        assert_eq!(record.actor(), Some("ann@example.com".into()));
        assert_eq!((record.client(), record.risk()), (Some("FIREFOX".into()), Some("HIGH".into())));
        let odd = OktaRecord(json!({"published": 7, "outcome": "x", "actor": []}));
        assert_eq!((odd.published(), odd.result().as_str(), odd.actor()), (None, "", None));
    }
}
