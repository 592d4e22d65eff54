//! CII's `getEndUserState`.

use super::place::{GeoLocation, IpAddressInfo, LocationWithPrevalence};
use super::tolerance::{list, text_or_list};
use crate::domain::{Login, Untrusted};
use serde::{Deserialize, Serialize};

/// `getEndUserState`, all fields but the deprecated one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EndUserState {
    /// CII's id.
    pub id: Untrusted,
    /// The name.
    pub display_name: Option<Untrusted>,
    /// The login.
    pub login: Login,
    /// Employee ids.
    #[serde(deserialize_with = "text_or_list", alias = "employeeID")]
    pub employee_id: Vec<Untrusted>,
    /// A text, not the enum.
    pub status: Untrusted,
    /// INTERNAL, EXTERNAL, SERVICE_ACCOUNT, …
    pub user_type_classification: Option<Untrusted>,
    /// The manager's login.
    pub manager_login: Option<Login>,
    /// Addresses with places.
    #[serde(deserialize_with = "list")]
    pub ip_addresses: Vec<IpAddressInfo>,
    /// The phone number.
    pub phone_number: Option<Untrusted>,
    /// Has access, not used in the past 30 days.
    #[serde(deserialize_with = "list")]
    pub unused_applications: Vec<Untrusted>,
    /// Has access, used in the past 30 days.
    #[serde(deserialize_with = "list")]
    pub used_applications: Vec<Untrusted>,
    /// Factors used.
    #[serde(deserialize_with = "list")]
    pub used_factors: Vec<Untrusted>,
    /// The user's page.
    pub reference_url: Option<Untrusted>,
    /// Where HR says they work.
    pub registered_location_details: Option<GeoLocation>,
    /// Where they do work.
    #[serde(deserialize_with = "list")]
    pub working_location_details: Vec<LocationWithPrevalence>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn decodes_what_versions_disagree_on() {
        for (sent, expected) in [(json!(["7"]), 1), (json!("7"), 1), (json!(null), 0), (json!([]), 0)] {
            let state: EndUserState =
                serde_json::from_value(json!({"employeeId": sent, "login": "a"})).unwrap();
            assert_eq!(state.employee_id.len(), expected);
        }
        let state: EndUserState = serde_json::from_value(
            json!({"ipAddresses": null, "employeeID": "9", "userTypeClassification": "ROBOT"}),
        )
        .unwrap();
        assert_eq!((state.ip_addresses.len(), state.employee_id.len()), (0, 1));
        assert_eq!(state.user_type_classification.unwrap().raw(), "ROBOT");
    }
}
