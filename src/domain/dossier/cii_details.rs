//! CII's `getEndUser`: what is compiled over all providers, and each provider's own record.

use super::place::GeoLocation;
use super::tolerance::{list, text_or_list};
use crate::domain::{Login, Untrusted, time};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How a sign-in went.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SignIn {
    /// When.
    #[serde(with = "time::millis_option")]
    pub timestamp: Option<Timestamp>,
    /// How it ended.
    pub result: Option<Untrusted>,
    /// Why it failed.
    pub reason: Option<Untrusted>,
    /// From where.
    pub ip_address: Option<Untrusted>,
    /// And where that is.
    pub location: Option<GeoLocation>,
}

/// A device.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Device {
    /// Its id.
    pub device_id: Untrusted,
    /// Its name.
    pub display_name: Option<Untrusted>,
    /// Its system.
    pub os: Option<Untrusted>,
    /// When it was seen last.
    #[serde(with = "time::millis_option")]
    pub last_seen: Option<Timestamp>,
    /// ACCESS or AUTHENTICATION.
    pub device_type: Option<Untrusted>,
    /// Who knows it.
    pub provider: Untrusted,
}

/// `getEndUser`: details compiled over all providers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EndUserDetails {
    /// CII's id.
    pub id: Untrusted,
    /// The name.
    pub display_name: Option<Untrusted>,
    /// The login.
    pub login: Login,
    /// The compiled status.
    pub status: Untrusted,
    /// Addresses of mail.
    #[serde(deserialize_with = "list")]
    pub emails: Vec<Untrusted>,
    /// Company.
    pub company: Option<Untrusted>,
    /// Department.
    pub department: Option<Untrusted>,
    /// Title.
    pub title: Option<Untrusted>,
    /// Classification.
    pub user_type_classification: Option<Untrusted>,
    /// Employee ids.
    #[serde(deserialize_with = "text_or_list")]
    pub employee_ids: Vec<Untrusted>,
    /// Other logins of the same person.
    #[serde(deserialize_with = "list")]
    pub linked_end_user_logins: Vec<Login>,
    /// Groups.
    #[serde(deserialize_with = "list")]
    pub group_names: Vec<Untrusted>,
    /// Phone numbers.
    #[serde(deserialize_with = "list")]
    pub phone_numbers: Vec<Untrusted>,
    /// The manager's login.
    pub manager_login: Option<Login>,
    /// Devices.
    #[serde(deserialize_with = "list")]
    pub devices: Vec<Device>,
    /// Whether any provider says that MFA is on.
    pub mfa_enabled: Option<bool>,
    /// The last sign-in.
    pub last_sign_in: Option<SignIn>,
    /// The last activity.
    #[serde(with = "time::millis_option")]
    pub last_active: Option<Timestamp>,
    /// When the first account was made.
    #[serde(with = "time::millis_option")]
    pub first_created_date: Option<Timestamp>,
    /// Ids or titles.
    #[serde(deserialize_with = "list")]
    pub failing_checks: Vec<Untrusted>,
    /// The user's page.
    pub reference_url: Option<Untrusted>,
}

/// `getEndUser`: one provider's own record.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProviderRecord {
    /// The id in that product: what flows act on.
    pub user_id: Untrusted,
    /// Which product.
    pub provider: Untrusted,
    /// The name there.
    pub display_name: Option<Untrusted>,
    /// The login there.
    pub login: Login,
    /// The mail there.
    pub email: Option<Untrusted>,
    /// The status there.
    pub status: Untrusted,
    /// Whether MFA is on there.
    pub mfa_enabled: Option<bool>,
    /// The last sign-in there.
    pub last_sign_in: Option<SignIn>,
    /// When the account was made.
    #[serde(with = "time::millis_option")]
    pub creation_date: Option<Timestamp>,
}

/// `getEndUser`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EndUser {
    /// Compiled.
    pub end_user_details: EndUserDetails,
    /// One a provider.
    #[serde(deserialize_with = "list")]
    pub provider_end_user_details: Vec<ProviderRecord>,
}
