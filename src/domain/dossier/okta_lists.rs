//! What Okta keeps beside a user: administrator roles, groups, assigned applications, enrolled factors. Everything but an id may
//! be missing.

use crate::domain::{Untrusted, time};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An administrator role that a user has (contracts/workflows-ispm.md, section 2.4).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OktaRole {
    /// The id of the assignment.
    pub id: Untrusted,
    /// `SUPER_ADMIN`, …; `CUSTOM` of a role that the org made itself.
    #[serde(rename = "type")]
    pub kind: Untrusted,
    /// What people call it.
    pub label: Untrusted,
    /// `ACTIVE` or `INACTIVE`.
    pub status: Untrusted,
    /// Whether the user has it or a group of theirs: `USER`, `GROUP`.
    pub assignment_type: Untrusted,
    /// The id of a custom role.
    pub role: Untrusted,
    /// The id of what a custom role is about.
    #[serde(rename = "resource-set")]
    pub resource_set: Untrusted,
    /// What else came with it, as it came: properties may be added at any time.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl OktaRole {
    /// What people call it, else its kind, else its id.
    pub fn title(&self) -> &Untrusted {
        [&self.label, &self.kind].into_iter().find(|text| !text.is_blank()).unwrap_or(&self.id)
    }

    /// Whether it gives any rights. A status that nobody knows counts as one that does.
    pub fn is_active(&self) -> bool {
        !self.status.raw().trim().eq_ignore_ascii_case("INACTIVE")
    }
}

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
    /// What else came with it, as it came: properties may be added at any time.
    #[serde(flatten)]
    pub other: Map<String, Value>,
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
    /// What else came with it, as it came: properties may be added at any time.
    #[serde(flatten)]
    pub other: Map<String, Value>,
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
    /// What else came with it, as it came: properties may be added at any time.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde::de::DeserializeOwned;
    use serde_json::json;

    fn again<T: DeserializeOwned + Serialize>(item: &Value) -> Value {
        serde_json::to_value(serde_json::from_value::<T>(item.clone()).unwrap()).unwrap()
    }

    #[rstest]
    #[case(again::<OktaRole>)]
    #[case(again::<OktaGroup>)]
    #[case(again::<OktaApp>)]
    #[case(again::<OktaFactor>)]
    #[case(again::<crate::domain::dossier::OktaUser>)]
    fn what_nobody_named_here_is_kept(#[case] again: fn(&Value) -> Value) {
        let item = json!({"id": "x1", "realmId": "r1", "_embedded": {"more": [1, null]}});
        let told = again(&item);
        for name in ["id", "realmId", "_embedded"] {
            assert_eq!(told[name], item[name], "{name}: {told}");
        }
    }
}
