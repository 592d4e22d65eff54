//! The person or account behind a finding, by all its names.

use super::Untrusted;
use super::flow::{EntityKind, Product};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::hash::{Hash, Hasher};

/// A login: opaque text, compared case-folded, shown as it came. Not always an e-mail address
/// (`hrms.serviceuser` is one).
#[derive(Clone, Default)]
pub struct Login {
    shown: Untrusted,
    folded: String,
}

/// As many characters at the start have to be the same for a login to resemble another.
const ALIKE: usize = 3;

impl Login {
    /// A login as a source spells it; surrounding white space is not part of it.
    pub fn new(text: &str) -> Login {
        let text = text.trim();
        Login { shown: text.into(), folded: text.to_lowercase() }
    }

    /// As it came: for requests and payloads.
    pub fn raw(&self) -> &str {
        self.shown.raw()
    }

    /// The form that is compared, stored as a key and searched.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.folded.is_empty()
    }

    /// Of some logins those that begin like this one, the most alike first, itself left out.
    pub fn resembled_by(&self, logins: Vec<Login>, most: usize) -> Vec<Login> {
        let enough = ALIKE.min(self.folded.chars().count()).max(1);
        let alike = |login: &Login| {
            self.folded.chars().zip(login.folded.chars()).take_while(|(one, other)| one == other).count()
        };
        let mut resembling: Vec<Login> =
            logins.into_iter().filter(|login| login != self && alike(login) >= enough).collect();
        resembling.sort_by_key(|login| std::cmp::Reverse(alike(login)));
        resembling.truncate(most);
        resembling
    }
}

impl PartialEq for Login {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for Login {}

impl PartialOrd for Login {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Login {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.folded.cmp(&other.folded)
    }
}

impl Hash for Login {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.shown, f)
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.shown, f)
    }
}

impl Serialize for Login {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.shown.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Login {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Login::new(&String::deserialize(deserializer)?))
    }
}

/// The account of a subject in one product, by the id that product gives it: what a flow acts on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderAccount {
    /// The provider as CII names it: `OKTA`, `AZURE_AD`.
    pub provider: Untrusted,
    /// The id in that product.
    pub user_id: Untrusted,
    /// The login in that product.
    pub login: Login,
}

impl ProviderAccount {
    /// Whether it is the same account: the same id in the same product, however that is spelt.
    pub fn is_same(&self, other: &ProviderAccount) -> bool {
        let is_same_product = match (self.product(), other.product()) {
            (None, None) => Login::new(self.provider.raw()) == Login::new(other.provider.raw()),
            (one, other) => one == other,
        };
        is_same_product && is_same_id(self.product(), self.user_id.raw(), other.user_id.raw())
    }

    /// Its product, where the provider's name is known.
    pub fn product(&self) -> Option<Product> {
        Product::parse(self.provider.raw())
    }

    /// For a screen: the product by the one name that it has there, and the id.
    pub fn shown(&self) -> String {
        format!("{} {}", Product::named(&self.provider), self.user_id)
    }
}

/// Of a product's ids some are the same however they are spelt: Entra's are GUIDs, whose letters have no case, and
/// Salesforce shows the first fifteen characters of eighteen.
fn is_same_id(product: Option<Product>, one: &str, other: &str) -> bool {
    /// Behind these stand three that only tell the case of those before.
    const SHORT: usize = 15;
    let is_long = |id: &str| [SHORT, SHORT + 3].contains(&id.len());
    match product {
        Some(Product::Aad) => one.eq_ignore_ascii_case(other),
        Some(Product::Salesforce) if is_long(one) && is_long(other) => one.get(..SHORT) == other.get(..SHORT),
        _ => one == other,
    }
}

/// What the ISPM issue behind a run is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entity {
    /// Its type as it came.
    pub said: Untrusted,
    /// The product that it is in, as it came; a person is in several.
    pub product: Untrusted,
    /// The accounts that the issue names: the account itself, or a person's.
    pub accounts: Vec<ProviderAccount>,
    /// How many accounts of a person it names without saying which they are.
    pub unread: usize,
}

impl Entity {
    /// Its kind; `None` for a type unheard of. An issue that says no type is about an account: only the flat
    /// shape of old leaves it out.
    pub fn kind(&self) -> Option<EntityKind> {
        if self.said.is_blank() { Some(EntityKind::Account) } else { EntityKind::parse(self.said.raw()) }
    }

    /// The product of an account, where its name is known.
    pub fn product(&self) -> Option<Product> {
        Product::parse(self.product.raw())
    }

    /// What it is, with its article, for a sentence.
    pub fn one(&self) -> String {
        self.kind().map_or_else(|| format!("a `{}`", self.said), |kind| kind.one().to_owned())
    }
}

/// Everything a flow may need to name its target, as far as it is known now.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Subject {
    /// The login of the finding.
    pub login: Login,
    /// What the issue is about, where the run comes from one of ISPM.
    pub entity: Option<Entity>,
    /// CII's own id.
    pub cii_id: Option<Untrusted>,
    /// The accounts in the products, where `getEndUser` was read, and those that the issue names.
    pub accounts: Vec<ProviderAccount>,
    /// The accounts as Cisco Identity Intelligence lists them, whatever an issue names.
    pub listed: Vec<ProviderAccount>,
    /// Why the accounts are not known, in words, where they are not.
    pub accounts_unknown: Option<String>,
    /// When the subject last signed in, where known.
    pub last_login: Option<jiff::Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_same_however_its_product_spells_it() {
        let is_same = |product: &str, one: &str, other: &str| {
            let of = |id: &str| ProviderAccount {
                provider: product.into(),
                user_id: id.into(),
                login: Login::new("ann"),
            };
            of(one).is_same(&of(other))
        };
        assert!(is_same("AAD", "C25D8441-AA", "c25d8441-aa"));
        assert!(!is_same("OKTA", "00u1A", "00u1a"));
        assert!(is_same("Salesforce", "005a9af20f6fa67", "005a9af20f6fa67QAB"));
        assert!(!is_same("Salesforce", "005a9af20f6fa67", "005a9af20f6fa68QAB"));
        assert!(!is_same("Salesforce", "005", "005a9af20f6fa67QAB"));
    }

    #[test]
    fn compares_folded_and_shows_as_it_came() {
        let (a, b) = (Login::new(" Zoë@Example.com"), Login::new("zoë@example.COM "));
        assert_eq!(a, b);
        assert_eq!(a.to_string(), "Zoë@Example.com");
        assert_eq!(serde_json::to_string(&b).unwrap(), "\"zoë@example.COM\"");
    }
}
