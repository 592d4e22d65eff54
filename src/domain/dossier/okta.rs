//! The Okta user.

use crate::domain::{Untrusted, time};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An Okta user: what is shown, and the rest as it came.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OktaUser {
    /// The id.
    pub id: Untrusted,
    /// ACTIVE, SUSPENDED, …
    pub status: Untrusted,
    /// Since when.
    #[serde(with = "time::millis_option")]
    pub status_changed: Option<Timestamp>,
    /// The status it is on its way to.
    pub transitioning_to_status: Option<Untrusted>,
    /// When it was made.
    #[serde(with = "time::millis_option")]
    pub created: Option<Timestamp>,
    /// The last sign-in.
    #[serde(with = "time::millis_option")]
    pub last_login: Option<Timestamp>,
    /// The last change.
    #[serde(with = "time::millis_option")]
    pub last_updated: Option<Timestamp>,
    /// The last change of the password.
    #[serde(with = "time::millis_option")]
    pub password_changed: Option<Timestamp>,
    /// Login, mail, name and whatever the org added.
    pub profile: Value,
    /// What is legal now, by name. Only a single user's GET says it.
    #[serde(rename = "_links")]
    pub links: Value,
    /// What else came with it, as it came.
    #[serde(flatten)]
    pub other: Map<String, Value>,
    /// By which request Okta told this: its log and its support know it by that.
    #[serde(skip)]
    pub request_id: Option<Untrusted>,
}

impl OktaUser {
    /// A text of the profile.
    pub fn profile_text(&self, name: &str) -> Option<Untrusted> {
        self.profile.get(name).and_then(Value::as_str).map(Untrusted::from)
    }

    /// The names of the operations that the links offer, without those that only describe.
    pub fn offered(&self) -> Vec<Untrusted> {
        let describes = |name: &str| matches!(name, "self" | "type" | "schema");
        let links = self.links.as_object();
        links
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
            .filter(|n| !describes(n))
            .map(|n| n.as_str().into())
            .collect()
    }

    /// Whether the account can sign in, where the status tells. Whoever knows an expired password may choose a new
    /// one with it: that is neither yes nor no.
    pub fn can_sign_in(&self) -> Option<bool> {
        match self.status.raw() {
            "ACTIVE" => Some(true),
            "RECOVERY" | "LOCKED_OUT" | "SUSPENDED" | "DEPROVISIONED" | "STAGED" | "PROVISIONED" => {
                Some(false)
            }
            _ => None,
        }
    }

    /// The same in a few words.
    pub fn sign_in_words(&self) -> &'static str {
        match (self.can_sign_in(), self.status.raw()) {
            (Some(true), _) => "yes",
            (Some(false), _) => "no",
            (None, "PASSWORD_EXPIRED") => "with the old password, by choosing a new one",
            (None, _) => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case("ACTIVE", Some(true))]
    #[case("PASSWORD_EXPIRED", None)]
    #[case("RECOVERY", Some(false))]
    #[case("LOCKED_OUT", Some(false))]
    #[case("SUSPENDED", Some(false))]
    #[case("DEPROVISIONED", Some(false))]
    #[case("STAGED", Some(false))]
    #[case("PROVISIONED", Some(false))]
    #[case("", None)]
    #[case("SOMETHING_NEW", None)]
    fn only_who_is_active_can_sign_in(#[case] status: &str, #[case] expected: Option<bool>) {
        let user = OktaUser { status: status.into(), ..OktaUser::default() };
        assert_eq!(user.can_sign_in(), expected);
    }

    #[test]
    fn links_name_what_is_legal() {
        let user: OktaUser = serde_json::from_value(
            json!({"id": "00u1", "status": "ACTIVE", "lastLogin": null, "_links": {"self": {}, "suspend": {"href": "x"}}}),
        )
        .unwrap();
        assert_eq!(user.offered(), vec![Untrusted::from("suspend")]);
    }
}
