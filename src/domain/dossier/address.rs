//! CII's `getEndUsersByIp`.

use super::part::Problem;
use crate::domain::{Login, Untrusted};
use serde::{Deserialize, Serialize};

/// A user of an address, by reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndUserRef {
    /// CII's id: pages may repeat a user.
    pub id: Untrusted,
    /// The name.
    #[serde(default)]
    pub display_name: Option<Untrusted>,
    /// The login.
    pub login: Login,
    /// The user's page.
    #[serde(default)]
    pub reference_url: Option<Untrusted>,
}

/// The users of an address, all pages, or as far as they came.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AddressUsers {
    /// Each once.
    pub users: Vec<EndUserRef>,
    /// What stopped the paging, if anything did.
    pub problems: Vec<Problem>,
    /// Whether more pages were there than are read.
    pub is_cut: bool,
}
