//! Issues of Okta ISPM (contracts/workflows-ispm.md, section 3): who has which, and in which form it is told. The forms
//! themselves are the sender's.
use crate::lab::population::uuid;
use fastrand::Rng;

/// What is wrong, in the product's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) title: &'static str,
    pub(crate) category: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) description: &'static str,
    pub(crate) remediation: &'static str,
    pub(crate) risk: &'static str,
}

/// What has the issue; people by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entity {
    /// An account of a person in one product.
    Account(usize),
    /// A person, with all accounts.
    User(usize),
    /// What one application may do in another.
    Grant(&'static str, &'static str),
}

/// The name of the id in the product: the documentation's, or the one that the template reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdName {
    Identifier,
    Id,
}

/// In which form it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The webhook's, of a type; only `issue.created` is documented.
    Nested(&'static str, IdName),
    /// The 22 inputs of a flow run on demand, passed on.
    Flat(Flaw),
}

/// What may be odd about a flat record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    /// `entityIdInService` is empty.
    NoId,
    /// One template spells `eventType` as `evenType`.
    Misspelt,
}

/// One issue.
#[derive(Debug, Clone)]
pub(crate) struct Issue {
    pub(crate) event: String,
    /// The same in every message about it.
    pub(crate) id: String,
    pub(crate) kind: &'static Kind,
    pub(crate) entity: Entity,
    pub(crate) product: &'static str,
    pub(crate) form: Form,
}

impl Issue {
    pub(super) fn new(rng: &mut Rng, kind: &'static Kind, entity: Entity, form: Form) -> Self {
        let tail: String = (0..22).map(|_| rng.alphanumeric()).collect();
        Self { event: uuid(rng), id: format!("Alert_{tail}~"), kind, entity, product: "Okta", form }
    }

    pub(super) fn in_product(mut self, product: &'static str) -> Self {
        self.product = product;
        self
    }

    /// Another message about the same issue.
    pub(super) fn again(&self, rng: &mut Rng, form: Form) -> Self {
        Self { event: uuid(rng), form, ..self.clone() }
    }
}

const LEAST_PRIVILEGE: &str = "Least Privilege";

pub(super) const UNUSED_ADMIN: Kind = Kind {
    title: "Unused Admin Account",
    category: LEAST_PRIVILEGE,
    severity: "High",
    description: "Admin accounts not logged in interactively for 91 days.",
    remediation: "Assess the essentiality of listed accounts; disable or suspend as necessary.",
    risk: "Unused, unmonitored accounts attract threat actors for gaining initial access or elevated permissions.",
};

pub(super) const UNUSED_GLOBAL_ADMIN: Kind = Kind { title: "Unused Global Admin Account", ..UNUSED_ADMIN };

pub(super) const NO_MFA_ADMIN: Kind = Kind {
    title: "No MFA - Admin Account",
    category: "Authentication",
    severity: "Critical",
    description: "Admin accounts that can be used with a password alone.",
    remediation: "Enrol a phishing-resistant factor and require it by policy.",
    risk: "A stolen password is enough to take the account over.",
};

pub(super) const OLD_PASSWORD: Kind = Kind {
    title: "Old Password",
    category: "Authentication",
    severity: "Medium",
    description: "The password has not been changed for more than 365 days.",
    remediation: "Expire the password at the next sign-in.",
    risk: "Old passwords are found in collections of leaked ones.",
};

pub(super) const BROAD_GRANT: Kind = Kind {
    title: "Unused OAuth Grant",
    category: LEAST_PRIVILEGE,
    severity: "Low",
    description: "The application has not used the grant for 91 days.",
    remediation: "Withdraw the grant.",
    risk: "A grant that nobody watches outlives the reason for it.",
};
