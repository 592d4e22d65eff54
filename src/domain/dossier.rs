//! Everything known of a subject, part by part, each with its age and its error.
//!
//! The shape of each part stands in a file of its own, named as the part is. Field names are the
//! contracts' own, so that `--json` and a reader of the vendor's schema agree. Decoding is tolerant where the contract says that the wire is not sure: lists may be null or
//! absent, an employee id may be a text, enums may grow.

mod address;
mod cii;
mod cii_details;
mod okta;
mod okta_lists;
mod part;
mod place;
mod tolerance;

pub use address::{AddressUsers, EndUserRef};
pub use cii::EndUserState;
pub use cii_details::{Device, EndUser, EndUserDetails, ProviderRecord, SignIn};
pub use okta::OktaUser;
pub use okta_lists::{OktaApp, OktaFactor, OktaGroup, OktaRole};
pub use part::{Part, Problem};
pub use place::{GeoLocation, IpAddressInfo, LocationWithPrevalence};

use super::log::LogRecord;
use super::{Login, Untrusted};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The parts of a dossier that are fetched, each by a request of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartName {
    /// `getEndUserState`: addresses, locations, applications, factors.
    Cii,
    /// `getEndUser`: one record per provider.
    CiiDetails,
    /// The Okta user by login.
    Okta,
    /// The administrator roles that the Okta user has.
    OktaRoles,
    /// The groups of the Okta user.
    OktaGroups,
    /// The applications that are assigned to the Okta user.
    OktaApps,
    /// The factors that the Okta user has enrolled.
    OktaFactors,
    /// What the System Log holds of late about the Okta user.
    OktaActivity,
}

impl PartName {
    /// Every part, in the order the screen shows them.
    pub const ALL: [PartName; 8] = [
        PartName::Cii,
        PartName::CiiDetails,
        PartName::Okta,
        PartName::OktaRoles,
        PartName::OktaGroups,
        PartName::OktaApps,
        PartName::OktaFactors,
        PartName::OktaActivity,
    ];

    /// Whether it is read ahead of anybody asking: what is only looked at once the person is open costs the
    /// tenant nothing before.
    pub fn is_read_ahead(self) -> bool {
        matches!(self, PartName::Cii | PartName::CiiDetails | PartName::Okta)
    }

    /// The name in JSON.
    pub fn word(self) -> &'static str {
        match self {
            PartName::Cii => "cii",
            PartName::CiiDetails => "cii_details",
            PartName::Okta => "okta",
            PartName::OktaRoles => "okta_roles",
            PartName::OktaGroups => "okta_groups",
            PartName::OktaApps => "okta_apps",
            PartName::OktaFactors => "okta_factors",
            PartName::OktaActivity => "okta_activity",
        }
    }
}

/// A part of any kind, as an answer carries it.
#[derive(Debug, Clone, PartialEq)]
pub enum LoadedPart {
    /// `getEndUserState`.
    Cii(Box<Part<EndUserState>>),
    /// `getEndUser`.
    CiiDetails(Box<Part<EndUser>>),
    /// The Okta user.
    Okta(Box<Part<OktaUser>>),
    /// Their administrator roles.
    OktaRoles(Box<Part<Vec<OktaRole>>>),
    /// Their groups.
    OktaGroups(Box<Part<Vec<OktaGroup>>>),
    /// Their applications.
    OktaApps(Box<Part<Vec<OktaApp>>>),
    /// Their factors.
    OktaFactors(Box<Part<Vec<OktaFactor>>>),
    /// What they did of late, and what was done to them.
    OktaActivity(Box<Part<Vec<LogRecord>>>),
}

impl LoadedPart {
    /// A part that failed as a whole.
    pub fn failed(name: PartName, at: Timestamp, problem: Problem) -> LoadedPart {
        match name {
            PartName::Cii => LoadedPart::Cii(Box::new(Part::failed(at, problem))),
            PartName::CiiDetails => LoadedPart::CiiDetails(Box::new(Part::failed(at, problem))),
            PartName::Okta => LoadedPart::Okta(Box::new(Part::failed(at, problem))),
            PartName::OktaRoles => LoadedPart::OktaRoles(Box::new(Part::failed(at, problem))),
            PartName::OktaGroups => LoadedPart::OktaGroups(Box::new(Part::failed(at, problem))),
            PartName::OktaApps => LoadedPart::OktaApps(Box::new(Part::failed(at, problem))),
            PartName::OktaFactors => LoadedPart::OktaFactors(Box::new(Part::failed(at, problem))),
            PartName::OktaActivity => LoadedPart::OktaActivity(Box::new(Part::failed(at, problem))),
        }
    }

    /// Which part it is.
    pub fn name(&self) -> PartName {
        match self {
            LoadedPart::Cii(_) => PartName::Cii,
            LoadedPart::CiiDetails(_) => PartName::CiiDetails,
            LoadedPart::Okta(_) => PartName::Okta,
            LoadedPart::OktaRoles(_) => PartName::OktaRoles,
            LoadedPart::OktaGroups(_) => PartName::OktaGroups,
            LoadedPart::OktaApps(_) => PartName::OktaApps,
            LoadedPart::OktaFactors(_) => PartName::OktaFactors,
            LoadedPart::OktaActivity(_) => PartName::OktaActivity,
        }
    }

    /// When it was read.
    pub fn at(&self) -> Timestamp {
        match self {
            LoadedPart::Cii(part) => part.at,
            LoadedPart::CiiDetails(part) => part.at,
            LoadedPart::Okta(part) => part.at,
            LoadedPart::OktaRoles(part) => part.at,
            LoadedPart::OktaGroups(part) => part.at,
            LoadedPart::OktaApps(part) => part.at,
            LoadedPart::OktaFactors(part) => part.at,
            LoadedPart::OktaActivity(part) => part.at,
        }
    }

    /// What went wrong with it.
    pub fn problems(&self) -> &[Problem] {
        match self {
            LoadedPart::Cii(part) => &part.problems,
            LoadedPart::CiiDetails(part) => &part.problems,
            LoadedPart::Okta(part) => &part.problems,
            LoadedPart::OktaRoles(part) => &part.problems,
            LoadedPart::OktaGroups(part) => &part.problems,
            LoadedPart::OktaApps(part) => &part.problems,
            LoadedPart::OktaFactors(part) => &part.problems,
            LoadedPart::OktaActivity(part) => &part.problems,
        }
    }

    /// `{at, error, data}`.
    pub fn to_json(&self) -> Value {
        match self {
            LoadedPart::Cii(part) => part.to_json(),
            LoadedPart::CiiDetails(part) => part.to_json(),
            LoadedPart::Okta(part) => part.to_json(),
            LoadedPart::OktaRoles(part) => part.to_json(),
            LoadedPart::OktaGroups(part) => part.to_json(),
            LoadedPart::OktaApps(part) => part.to_json(),
            LoadedPart::OktaFactors(part) => part.to_json(),
            LoadedPart::OktaActivity(part) => part.to_json(),
        }
    }
}

/// Everything known of a subject.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dossier {
    /// Whose.
    pub login: Login,
    /// `getEndUserState`.
    pub cii: Option<Part<EndUserState>>,
    /// `getEndUser`.
    pub cii_details: Option<Part<EndUser>>,
    /// The Okta user.
    pub okta: Option<Part<OktaUser>>,
    /// Their administrator roles.
    pub okta_roles: Option<Part<Vec<OktaRole>>>,
    /// Their groups.
    pub okta_groups: Option<Part<Vec<OktaGroup>>>,
    /// Their applications.
    pub okta_apps: Option<Part<Vec<OktaApp>>>,
    /// Their factors.
    pub okta_factors: Option<Part<Vec<OktaFactor>>>,
    /// What they did of late, and what was done to them.
    pub okta_activity: Option<Part<Vec<LogRecord>>>,
}

impl Dossier {
    /// An empty one.
    pub fn of(login: Login) -> Dossier {
        Dossier { login, ..Default::default() }
    }

    /// Puts a part in. A failed re-read never wipes data that is there: it adds its problem, and the
    /// age stays the data's.
    pub fn put(&mut self, part: LoadedPart) {
        match part {
            LoadedPart::Cii(part) => merge(&mut self.cii, *part),
            LoadedPart::CiiDetails(part) => merge(&mut self.cii_details, *part),
            LoadedPart::Okta(part) => merge(&mut self.okta, *part),
            LoadedPart::OktaRoles(part) => merge(&mut self.okta_roles, *part),
            LoadedPart::OktaGroups(part) => merge(&mut self.okta_groups, *part),
            LoadedPart::OktaApps(part) => merge(&mut self.okta_apps, *part),
            LoadedPart::OktaFactors(part) => merge(&mut self.okta_factors, *part),
            LoadedPart::OktaActivity(part) => merge(&mut self.okta_activity, *part),
        }
    }

    /// When a part was read.
    pub fn read_at(&self, part: PartName) -> Option<Timestamp> {
        match part {
            PartName::Cii => self.cii.as_ref().map(|part| part.at),
            PartName::CiiDetails => self.cii_details.as_ref().map(|part| part.at),
            PartName::Okta => self.okta.as_ref().map(|part| part.at),
            PartName::OktaRoles => self.okta_roles.as_ref().map(|part| part.at),
            PartName::OktaGroups => self.okta_groups.as_ref().map(|part| part.at),
            PartName::OktaApps => self.okta_apps.as_ref().map(|part| part.at),
            PartName::OktaFactors => self.okta_factors.as_ref().map(|part| part.at),
            PartName::OktaActivity => self.okta_activity.as_ref().map(|part| part.at),
        }
    }

    /// Whether Cisco Identity Intelligence answered that it knows nobody of this login.
    pub fn is_of_nobody(&self) -> bool {
        self.cii.as_ref().is_some_and(Part::is_of_nobody)
    }

    /// The page about this user that the source itself names.
    pub fn reference_url(&self) -> Option<&Untrusted> {
        let state =
            self.cii.as_ref().and_then(|part| part.data.as_ref()).and_then(|s| s.reference_url.as_ref());
        let details = self.cii_details.as_ref().and_then(|part| part.data.as_ref());
        state.or_else(|| details.and_then(|user| user.end_user_details.reference_url.as_ref()))
    }
}

fn merge<T>(slot: &mut Option<Part<T>>, new: Part<T>) {
    match slot {
        Some(old) if old.data.is_some() && new.data.is_none() => old.problems = new.problems,
        slot => *slot = Some(new),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_reread_keeps_what_was_known() {
        let at = Timestamp::from_second(5).unwrap();
        let mut dossier = Dossier::of(Login::new("a"));
        dossier.put(LoadedPart::Cii(Box::new(Part::whole(at, EndUserState::default()))));
        let failed = Part::failed(Timestamp::from_second(9).unwrap(), Problem::whole("timed out"));
        dossier.put(LoadedPart::Cii(Box::new(failed)));
        let part = dossier.cii.unwrap();
        assert_eq!((part.at, part.problems.len(), part.data.is_some()), (at, 1, true));
    }
}
