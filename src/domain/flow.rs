//! A remediation that can be run.

use super::operation::Operation;
use super::{CheckId, Untrusted};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A flow's id: kebab-case, as configured.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FlowId(pub String);

impl fmt::Display for FlowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for FlowId {
    fn from(id: &str) -> Self {
        FlowId(id.to_owned())
    }
}

/// How a flow is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// An Okta Workflows flow behind an API Endpoint.
    ApiEndpoint,
    /// An operation of Okta's own API.
    Okta,
    /// A page to open: nothing is sent from here.
    Open,
}

impl Route {
    /// The word on the screen and in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Route::ApiEndpoint => "api-endpoint",
            Route::Okta => "okta",
            Route::Open => "open",
        }
    }
}

/// How much a flow can hurt, and so what its confirmation asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// `y` or `n`.
    Low,
    /// A word is typed.
    Medium,
    /// The login is typed.
    High,
}

impl Risk {
    /// The word on the screen and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Risk::Low => "low",
            Risk::Medium => "medium",
            Risk::High => "high",
        }
    }

    /// One tier up, where there is one.
    #[must_use]
    pub fn raised(self) -> Risk {
        match self {
            Risk::Low => Risk::Medium,
            Risk::Medium | Risk::High => Risk::High,
        }
    }

    /// The risk of a word.
    pub fn parse(word: &str) -> Option<Risk> {
        [Risk::Low, Risk::Medium, Risk::High].into_iter().find(|risk| risk.word() == word)
    }
}

/// The body that a flow is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PayloadShape {
    /// The 22 flat fields of an on-demand ISPM issue.
    IspmFlat,
    /// The nested ISPM event.
    IspmNested,
    /// The CII envelope with this login as its only failing user.
    CiiEvent,
    /// The flow's own declared inputs.
    Fields,
    /// Fields of an Okta profile.
    OktaProfile,
    /// No body: the address says it all.
    Nothing,
}

/// The product whose account a flow acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Product {
    /// Okta.
    Okta,
    /// Microsoft Entra ID, `AAD` in ISPM.
    Aad,
    /// Google Workspace.
    GoogleWorkspace,
    /// Salesforce.
    Salesforce,
}

impl Product {
    /// Every product.
    pub const ALL: [Product; 4] =
        [Product::Okta, Product::Aad, Product::GoogleWorkspace, Product::Salesforce];

    /// As ISPM spells it in `entitySourceProductName`.
    pub fn ispm_name(self) -> &'static str {
        match self {
            Product::Okta => "Okta",
            Product::Aad => "AAD",
            Product::GoogleWorkspace => "Google Workspace",
            Product::Salesforce => "Salesforce.com",
        }
    }

    /// As CII spells the provider.
    pub fn cii_provider(self) -> &'static str {
        match self {
            Product::Okta => "OKTA",
            Product::Aad => "AZURE_AD",
            Product::GoogleWorkspace => "G_SUITE",
            Product::Salesforce => "SALESFORCE",
        }
    }

    /// The one name that a screen has for a product, however a source spells it; one that is not known as it came.
    pub fn named(spelt: &Untrusted) -> String {
        Product::parse(spelt.raw())
            .map_or_else(|| spelt.to_string(), |product| product.ispm_name().to_owned())
    }

    /// The product of a name, by any spelling that was seen.
    pub fn parse(name: &str) -> Option<Product> {
        match name.trim().to_ascii_lowercase().as_str() {
            "okta" => Some(Product::Okta),
            "aad" | "azure_ad" | "azure-ad" | "entra id" | "entra-id" | "microsoft entra id" => {
                Some(Product::Aad)
            }
            "google workspace" | "google-workspace" | "g_suite" | "gsuite" => Some(Product::GoogleWorkspace),
            "salesforce" | "salesforce.com" => Some(Product::Salesforce),
            _ => None,
        }
    }
}

/// What an issue of Okta ISPM is about, and so what a flow may be handed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EntityKind {
    /// An account in one product, a person's or a service's.
    Account,
    /// A person: their accounts are several.
    User,
    /// What an agent was granted: no account at all.
    #[serde(rename = "OAuth Grant")]
    OauthGrant,
}

impl EntityKind {
    /// Every kind.
    pub const ALL: [EntityKind; 3] = [EntityKind::Account, EntityKind::User, EntityKind::OauthGrant];

    /// The word that Okta ISPM has for it.
    pub fn word(self) -> &'static str {
        match self {
            EntityKind::Account => "Account",
            EntityKind::User => "User",
            EntityKind::OauthGrant => "OAuth Grant",
        }
    }

    /// With its article, for a sentence.
    pub fn one(self) -> &'static str {
        match self {
            EntityKind::Account => "an Account",
            EntityKind::User => "a User",
            EntityKind::OauthGrant => "an OAuth Grant",
        }
    }

    /// The kind of a word, however its letters and gaps are written: `OAuth Grant`, `oauth-grant`.
    pub fn parse(word: &str) -> Option<EntityKind> {
        let folded = |word: &str| -> String {
            word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
        };
        EntityKind::ALL.into_iter().find(|kind| folded(kind.word()) == folded(word))
    }
}

/// The target state that proves a flow's effect by re-reading the Okta user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProvenBy {
    /// Okta status `SUSPENDED`.
    Suspended,
    /// Okta status `DEPROVISIONED`.
    Deactivated,
    /// Okta status `ACTIVE`.
    Active,
    /// Okta status `RECOVERY` or `PASSWORD_EXPIRED`.
    PasswordReset,
    /// Okta status `RECOVERY`.
    Recovery,
    /// Okta status `PASSWORD_EXPIRED`.
    PasswordExpired,
    /// Okta status `ACTIVE` or, where there is no password yet, `PROVISIONED`.
    Activated,
}

impl ProvenBy {
    /// Whether one state may prove both.
    fn overlaps(self, other: ProvenBy) -> bool {
        self.statuses().iter().any(|status| other.statuses().contains(status))
    }

    /// The Okta statuses that prove it.
    pub fn statuses(self) -> &'static [&'static str] {
        match self {
            ProvenBy::Suspended => &["SUSPENDED"],
            ProvenBy::Deactivated => &["DEPROVISIONED"],
            ProvenBy::Active => &["ACTIVE"],
            ProvenBy::PasswordReset => &["RECOVERY", "PASSWORD_EXPIRED"],
            ProvenBy::Recovery => &["RECOVERY"],
            ProvenBy::PasswordExpired => &["PASSWORD_EXPIRED"],
            ProvenBy::Activated => &["ACTIVE", "PROVISIONED"],
        }
    }

    /// The types of the records of the System Log that tell of an account being brought into one of these.
    pub fn event_types(self) -> &'static [&'static str] {
        match self {
            ProvenBy::Suspended => &["user.lifecycle.suspend"],
            ProvenBy::Deactivated => &["user.lifecycle.deactivate"],
            ProvenBy::Active | ProvenBy::Activated => &[
                "user.lifecycle.activate",
                "user.lifecycle.reactivate",
                "user.lifecycle.unsuspend",
                "user.account.unlock",
            ],
            ProvenBy::PasswordReset => &["user.account.reset_password", "user.account.expire_password"],
            ProvenBy::Recovery => &["user.account.reset_password"],
            ProvenBy::PasswordExpired => &["user.account.expire_password"],
        }
    }
}

/// The type of a declared input; the card of a flow knows no lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputType {
    /// Text.
    Text,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// An RFC 3339 instant.
    DateTime,
}

/// One declared input of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The key in the body.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: InputType,
    /// A fixed value; without one it is asked for, or filled from the finding where the name is known.
    #[serde(default)]
    pub value: Option<String>,
    /// What it is without an answer, where the finding has nothing either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// What it is for, in words, for whoever fills it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Input {
    /// One of a name and a type, of which nothing else is said.
    pub fn new(name: impl Into<String>, kind: InputType) -> Input {
        Input { name: name.into(), kind, value: None, default: None, description: None }
    }
}

/// How the caller proves itself to a flow. The secret itself is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlowAuth {
    /// The flow's client token in a header.
    ClientToken,
    /// A bearer token of the org's service application.
    Oauth,
    /// The URL alone.
    None,
}

/// What can be run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flow {
    /// Its id.
    pub id: FlowId,
    /// Its name, as people call it.
    pub name: String,
    /// The verb in plain words: `suspend the Okta account`.
    pub verb: String,
    /// How it is run.
    pub route: Route,
    /// What is done, where the route is Okta's own API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// The flows that it runs one after the other, where it is several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<FlowId>,
    /// Where; never with a secret in it. `None` on presets without a configured URL.
    pub url: Option<String>,
    /// How the caller proves itself.
    pub auth: FlowAuth,
    /// The body.
    pub payload: PayloadShape,
    /// The product whose account it acts on; `None` for a router.
    pub product: Option<Product>,
    /// What an issue has to be about for it; `None` for one that takes them all.
    pub entity: Option<EntityKind>,
    /// The tenant's name that goes into the payload.
    pub tenant: String,
    /// How much it can hurt.
    pub risk: Risk,
    /// Whether its card takes a login where no id is known.
    pub takes_login: bool,
    /// Checks for which it is offered first; empty means any.
    pub suggested_for: Vec<String>,
    /// The declared inputs of the `fields` payload.
    pub inputs: Vec<Input>,
    /// The flow that undoes it.
    pub inverse: Option<FlowId>,
    /// What undoes it, in words.
    pub undo: String,
    /// A template's own condition and limits, in words.
    pub caveats: Vec<String>,
    /// What proves the effect, where a re-read can.
    pub proven_by: Option<ProvenBy>,
    /// The events that the System Log is expected to hold of it: nothing that proves it, only where to look.
    pub audit: Vec<String>,
    /// Whether a 2xx body means that the run has ended.
    pub is_final: bool,
}

impl Flow {
    /// Whether it makes an account, and so acts on nobody who is there.
    pub fn creates(&self) -> bool {
        let first = self.steps.first().and_then(Operation::of_flow);
        self.operation.or(first) == Some(Operation::Create)
    }

    /// Whether what it is sent says by its id which account is meant. One that is told a login alone acts on whichever
    /// account has that login.
    pub fn is_told_id(&self) -> bool {
        match self.payload {
            PayloadShape::CiiEvent => false,
            PayloadShape::Fields => self.inputs.iter().any(|input| input.name == "entityIdInService"),
            PayloadShape::IspmFlat
            | PayloadShape::IspmNested
            | PayloadShape::OktaProfile
            | PayloadShape::Nothing => true,
        }
    }

    /// The word that confirms it where a word is asked for: the verb itself.
    pub fn word(&self) -> &str {
        self.verb.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()).unwrap_or("run")
    }

    /// Whether another flow does the same to whoever it is on, by whatever route: the same operation, the same
    /// state of an account of the same product, or the very same endpoint. Two operations of Okta's own that lead
    /// to one state are not the same: unlocking is not unsuspending.
    pub fn does_the_same(&self, other: &Flow) -> bool {
        let is_endpoint = self.route == Route::ApiEndpoint && self.route == other.route;
        let is_same_state = match (self.proven_by, other.proven_by) {
            (Some(one), Some(another)) => self.product == other.product && one.overlaps(another),
            _ => false,
        };
        match (self.operation, other.operation) {
            _ if self.id == other.id => true,
            (Some(one), Some(another)) => one == another,
            _ => {
                self.moves_as(other)
                    || is_same_state
                    || (is_endpoint && self.url.is_some() && self.url == other.url)
            }
        }
    }

    /// Whether it is suggested for a check, by id or title, `*` standing for anything.
    pub fn is_suggested_for(&self, check: &CheckId, title: &Untrusted) -> bool {
        self.suggested_for.iter().any(|pattern| {
            let pattern = super::query::Pattern(pattern.clone());
            pattern.matches(check.raw()) || pattern.matches(title.raw())
        })
    }

    /// Why nothing can be sent by this flow at all, if so.
    pub fn unrunnable(&self) -> Option<String> {
        match (self.route, &self.url) {
            (Route::Open, _) if self.id.0 == super::preset::DELEGATED => {
                Some("runs in the vendor's console: no public interface starts it".to_owned())
            }
            (Route::Open, _) => {
                Some("no `url` is configured: it wants an API Endpoint flow in front of it".to_owned())
            }
            (Route::ApiEndpoint, None) => Some(format!("no `url` is configured for flow `{}`", self.id)),
            (Route::ApiEndpoint, Some(_)) | (Route::Okta, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::preset;
    use rstest::rstest;

    #[test]
    fn products_are_known_by_every_spelling() {
        for product in Product::ALL {
            assert_eq!(Product::parse(product.ispm_name()), Some(product));
            assert_eq!(Product::parse(product.cii_provider()), Some(product));
        }
        assert_eq!(Product::parse("Slack"), None);
    }

    #[rstest]
    #[case::by_another_route("suspend-okta-account", "okta-suspend", true)]
    #[case::by_itself("ispm-event-hook", "ispm-event-hook", true)]
    #[case("okta-reset-user-password-upon-next-login", "okta-reset-password", true)]
    #[case("okta-reset-user-password-upon-next-login", "okta-expire-password", true)]
    #[case("okta-reset-password", "okta-expire-password", false)]
    #[case("okta-unlock", "okta-unsuspend", false)]
    #[case("suspend-okta-account", "okta-deactivate", false)]
    #[case("suspend-okta-account", "okta-unsuspend", false)]
    #[case::nothing_proves_either("disable-entra-id-account", "entra-id-add-user-to-a-group", false)]
    #[case("okta-add-to-group", "okta-remove-from-group", false)]
    #[case::by_another_route("okta-add-to-group", "okta-add-user-to-a-group", true)]
    #[case("okta-remove-from-group", "okta-add-user-to-a-group", false)]
    #[case::of_another_product("entra-id-add-user-to-a-group", "okta-add-user-to-a-group", false)]
    fn the_same_is_done_by_whatever_route(#[case] one: &str, #[case] other: &str, #[case] is_same: bool) {
        let flow = |id: &str| {
            let of_okta = || Operation::of_flow(&id.into()).map(Operation::flow);
            preset::flow(id).or_else(of_okta).unwrap()
        };
        let (one, other) = (flow(one), flow(other));
        assert_eq!((one.does_the_same(&other), other.does_the_same(&one)), (is_same, is_same));
    }

    #[test]
    fn two_ids_of_one_endpoint_are_the_same_flow() {
        let at = |id: &str, alias: &str| Flow {
            id: id.into(),
            route: Route::ApiEndpoint,
            url: Some(format!("https://x.workflows.okta.com/api/flo/{alias}/invoke")),
            ..preset::flow("disable-entra-id-account").unwrap()
        };
        assert!(at("one", "a").does_the_same(&at("two", "a")));
        assert!(!at("one", "a").does_the_same(&at("two", "b")));
        let of_entra = Flow { proven_by: Some(ProvenBy::Suspended), ..at("one", "a") };
        assert!(!of_entra.does_the_same(&preset::flow("suspend-okta-account").unwrap()));
    }

    #[test]
    fn entities_are_known_however_they_are_written() {
        for kind in EntityKind::ALL {
            assert_eq!(EntityKind::parse(kind.word()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
        }
        assert_eq!(EntityKind::parse("oauth-grant"), Some(EntityKind::OauthGrant));
        assert_eq!(EntityKind::parse("account "), Some(EntityKind::Account));
        assert_eq!((EntityKind::parse("Service Principal"), EntityKind::parse("")), (None, None));
    }
}
