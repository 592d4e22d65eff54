//! Everything known of a subject, part by part, each with its age and its error.
//!
//! Field names are the contracts' own, so that `--json` and a reader of the vendor's schema agree.
//! Decoding is tolerant where the contract says that the wire is not sure: lists may be null or
//! absent, an employee id may be a text, enums may grow.

use super::{Login, Untrusted, time};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
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
}

impl PartName {
    /// Every part, in the order the screen shows them.
    pub const ALL: [PartName; 3] = [PartName::Cii, PartName::CiiDetails, PartName::Okta];

    /// The name in JSON.
    pub fn word(self) -> &'static str {
        match self {
            PartName::Cii => "cii",
            PartName::CiiDetails => "cii_details",
            PartName::Okta => "okta",
        }
    }
}

/// Something that went wrong with a part, whole or at a place in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Problem {
    /// Where, as GraphQL's `path` says it; empty for the whole part.
    pub path: Vec<String>,
    /// What, in the other side's or our words.
    pub message: Untrusted,
    /// The other side's name for it, `errorType` or `errorCode`.
    pub kind: Option<Untrusted>,
    /// What mends it, where we know.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem of the whole part.
    pub fn whole(message: impl Into<Untrusted>) -> Problem {
        Problem { path: Vec::new(), message: message.into(), kind: None, hint: None }
    }

    /// Whether it concerns a field of the root operation: its path names it, or names nothing.
    pub fn concerns(&self, field: &str) -> bool {
        self.path.iter().any(|step| step == field)
    }

    /// Whether it concerns the whole part rather than one field.
    pub fn is_whole(&self) -> bool {
        self.path.len() < 2
    }

    /// Whether what stands at a place, named from the root down and without indices, may be missing
    /// because of it: it is about that place, about something around it, or about something in it.
    pub fn may_hide(&self, place: &[&str]) -> bool {
        let is_index = |step: &str| step.bytes().all(|byte| byte.is_ascii_digit());
        let mut steps = self.path.iter().filter(|step| !is_index(step)).zip(place);
        self.is_whole() || steps.all(|(step, wanted)| step == wanted)
    }

    /// One line for the screen.
    pub fn line(&self) -> String {
        match &self.kind {
            Some(kind) if !kind.is_blank() => format!("{kind}: {}", self.message),
            _ => self.message.to_string(),
        }
    }
}

/// What one request for a part brought back. Partial data may stand beside problems.
#[derive(Debug, Clone, PartialEq)]
pub struct Part<T> {
    /// When it was read.
    pub at: Timestamp,
    /// What went wrong.
    pub problems: Vec<Problem>,
    /// What came.
    pub data: Option<T>,
}

impl<T> Part<T> {
    /// A part that came whole.
    pub fn whole(at: Timestamp, data: T) -> Part<T> {
        Part { at, problems: Vec::new(), data: Some(data) }
    }

    /// A part that failed.
    pub fn failed(at: Timestamp, problem: Problem) -> Part<T> {
        Part { at, problems: vec![problem], data: None }
    }
}

impl<T: Serialize> Part<T> {
    /// `{at, error, data}` (design, section 5).
    pub fn to_json(&self) -> Value {
        let error = (!self.problems.is_empty()).then_some(&self.problems);
        serde_json::json!({ "at": time::rfc3339(self.at), "error": error, "data": self.data })
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
}

impl LoadedPart {
    /// Which part it is.
    pub fn name(&self) -> PartName {
        match self {
            LoadedPart::Cii(_) => PartName::Cii,
            LoadedPart::CiiDetails(_) => PartName::CiiDetails,
            LoadedPart::Okta(_) => PartName::Okta,
        }
    }

    /// When it was read.
    pub fn at(&self) -> Timestamp {
        match self {
            LoadedPart::Cii(part) => part.at,
            LoadedPart::CiiDetails(part) => part.at,
            LoadedPart::Okta(part) => part.at,
        }
    }

    /// `{at, error, data}`.
    pub fn to_json(&self) -> Value {
        match self {
            LoadedPart::Cii(part) => part.to_json(),
            LoadedPart::CiiDetails(part) => part.to_json(),
            LoadedPart::Okta(part) => part.to_json(),
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
        }
    }

    /// When a part was read.
    pub fn read_at(&self, part: PartName) -> Option<Timestamp> {
        match part {
            PartName::Cii => self.cii.as_ref().map(|part| part.at),
            PartName::CiiDetails => self.cii_details.as_ref().map(|part| part.at),
            PartName::Okta => self.okta.as_ref().map(|part| part.at),
        }
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

/// A list that may be null or absent; both are "none".
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
}

/// A list, one text, null or absent: versions of the documentation disagree.
fn text_or_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Untrusted>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        List(Vec<Option<Untrusted>>),
        Text(Untrusted),
    }
    Ok(match Option::<Either>::deserialize(deserializer)? {
        Some(Either::List(texts)) => texts.into_iter().flatten().collect(),
        Some(Either::Text(text)) => vec![text],
        None => Vec::new(),
    })
}

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
    /// `Oslo, Oslo, NO`; `–` where nothing is known.
    pub fn words(&self) -> String {
        let parts = [&self.city, &self.state, &self.country];
        let known: Vec<String> =
            parts.into_iter().flatten().filter(|text| !text.is_blank()).map(Untrusted::to_string).collect();
        if known.is_empty() { crate::domain::NOTHING.to_owned() } else { known.join(", ") }
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

    /// Whether the account can sign in, where the status tells.
    pub fn can_sign_in(&self) -> Option<bool> {
        match self.status.raw() {
            "ACTIVE" => Some(true),
            "PASSWORD_EXPIRED" | "RECOVERY" | "LOCKED_OUT" | "SUSPENDED" | "DEPROVISIONED" | "STAGED"
            | "PROVISIONED" => Some(false),
            _ => None,
        }
    }
}

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

    #[test]
    fn a_problem_hides_what_is_around_it_and_in_it() {
        let hides = |path: &[&str]| {
            let path = path.iter().map(|step| (*step).to_owned()).collect();
            Problem { path, ..Problem::whole("m") }.may_hide(&["root", "records", "login"])
        };
        assert!(
            hides(&[]) && hides(&["root"]) && hides(&["root", "records"]) && hides(&["root", "records", "3"])
        );
        assert!(hides(&["root", "records", "3", "login"]) && hides(&["root", "records", "login", "0"]));
        assert!(!hides(&["root", "records", "3", "status"]) && !hides(&["root", "details"]));
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
