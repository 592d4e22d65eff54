//! Where a user is said to be.

use crate::domain::{NOTHING, Untrusted};
use serde::{Deserialize, Serialize};

/// A place, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GeoLocation {
    /// City.
    pub city: Option<Untrusted>,
    /// State or region.
    pub state: Option<Untrusted>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<Untrusted>,
}

impl GeoLocation {
    /// `Oslo, Oslo, NO`; [`NOTHING`] where nothing is known.
    pub fn words(&self) -> String {
        let parts = [&self.city, &self.state, &self.country];
        let known: Vec<String> =
            parts.into_iter().flatten().filter(|text| !text.is_blank()).map(Untrusted::to_string).collect();
        if known.is_empty() { NOTHING.to_owned() } else { known.join(", ") }
    }
}

/// An address that a user came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IpAddressInfo {
    /// IPv4 or IPv6.
    pub ip_address: Untrusted,
    /// Where it is.
    #[serde(default)]
    pub location: Option<GeoLocation>,
}

/// A place that a user works from, and how much of the time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocationWithPrevalence {
    /// Where.
    pub location: GeoLocation,
    /// Called a percentage, but its scale is not known: shown raw.
    pub user_location_prevalence: f64,
}
