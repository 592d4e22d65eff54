//! The nine published ISPM templates as flows.
//!
//! Facts are those of the templates' exports: which field they act on, what their cards accept, what
//! they do not check. A preset without a configured URL can only be opened.

use super::flow::{EntityKind, Flow, FlowAuth, FlowId, PayloadShape, Product, ProvenBy, Risk, Route};

/// The router that only the vendor's console can start.
pub const DELEGATED: &str = "ispm-delegated-flow";

struct Template {
    id: &'static str,
    name: &'static str,
    verb: &'static str,
    product: Option<Product>,
    risk: Risk,
    takes_login: bool,
    payload: PayloadShape,
    suggested_for: &'static [&'static str],
    undo: &'static str,
    caveats: &'static [&'static str],
    proven_by: Option<ProvenBy>,
    audit: &'static [&'static str],
}

const UNUSED_ADMIN: &[&str] =
    &["Unused Admin Account", "unused-admin*", "Access From Dormant Account", "Inactive Users", "inactive-*"];
const NO_MFA: &[&str] = &["No MFA*", "no-mfa*", "No Strong MFA*"];

/// Of a flow whose group no input names.
pub const GROUP_INSIDE: &str = "the group is fixed inside the flow: nothing here says which it is";

const ANSWERS_ANYWAY: &str = "the template catches errors: it may answer 2xx although nothing changed";
const NO_PRODUCT_CHECK: &str = "the template does not check the product of the id that it is given";

const TEMPLATES: &[Template] = &[
    Template {
        id: "suspend-okta-account",
        name: "Suspend Okta Account",
        verb: "suspend the Okta account",
        product: Some(Product::Okta),
        risk: Risk::Medium,
        takes_login: true,
        payload: PayloadShape::IspmFlat,
        suggested_for: &[
            "Unused Admin Account",
            "unused-admin*",
            "Access From Dormant Account",
            "*dormant*",
            "MFA Flood",
            "mfa-flood",
            "Impossible Travel",
            "impossible-travel",
            "Compromised*",
        ],
        undo: "unsuspend the account in Okta: groups and applications are kept",
        caveats: &[
            NO_PRODUCT_CHECK,
            ANSWERS_ANYWAY,
            "legal from ACTIVE only; sessions inside applications go on",
        ],
        proven_by: Some(ProvenBy::Suspended),
        audit: &["user.lifecycle.suspend"],
    },
    Template {
        id: "okta-reset-user-password-upon-next-login",
        name: "Okta - Reset User Password Upon Next Login",
        verb: "reset the Okta password",
        product: Some(Product::Okta),
        risk: Risk::Medium,
        takes_login: true,
        payload: PayloadShape::IspmFlat,
        suggested_for: &[
            "Old Password*",
            "old-password*",
            "*password*",
            "Impossible Travel",
            "impossible-travel",
        ],
        undo: "nothing undoes it: the user has to choose a new password",
        caveats: &["nobody tells the user: no mail is sent", NO_PRODUCT_CHECK, ANSWERS_ANYWAY],
        proven_by: Some(ProvenBy::PasswordReset),
        audit: &["user.account.reset_password"],
    },
    Template {
        id: "okta-add-user-to-a-group",
        name: "Okta - Add User to a Group",
        verb: "add the Okta user to a group",
        product: Some(Product::Okta),
        risk: Risk::Low,
        takes_login: false,
        payload: PayloadShape::IspmFlat,
        suggested_for: NO_MFA,
        undo: "remove the user from that group in Okta",
        caveats: &[
            GROUP_INSIDE,
            "what comes with the group depends on its policies",
            NO_PRODUCT_CHECK,
            ANSWERS_ANYWAY,
        ],
        proven_by: None,
        audit: &["group.user_membership.add"],
    },
    Template {
        id: "disable-entra-id-account",
        name: "Disable Entra ID Account",
        verb: "disable the Entra ID account",
        product: Some(Product::Aad),
        risk: Risk::Medium,
        takes_login: true,
        payload: PayloadShape::IspmFlat,
        suggested_for: UNUSED_ADMIN,
        undo: "enable the account in Entra ID",
        caveats: &["the template's input is misspelt `evenType`", NO_PRODUCT_CHECK, ANSWERS_ANYWAY],
        proven_by: None,
        audit: &[],
    },
    Template {
        id: "entra-id-add-user-to-a-group",
        name: "Entra ID - Add User to a Group",
        verb: "add the Entra ID user to a group",
        product: Some(Product::Aad),
        risk: Risk::Low,
        takes_login: false,
        payload: PayloadShape::IspmFlat,
        suggested_for: NO_MFA,
        undo: "remove the user from that group in Entra ID",
        caveats: &["the template's input is misspelt `eventScope`", NO_PRODUCT_CHECK, ANSWERS_ANYWAY],
        proven_by: None,
        audit: &[],
    },
    Template {
        id: "deactivate-salesforce-user",
        name: "Deactivate Salesforce User",
        verb: "deactivate the Salesforce user",
        product: Some(Product::Salesforce),
        risk: Risk::High,
        takes_login: false,
        payload: PayloadShape::IspmFlat,
        suggested_for: UNUSED_ADMIN,
        undo: "activate the user in Salesforce: licences and records may have changed hands",
        caveats: &["has effects on licences and data", NO_PRODUCT_CHECK, ANSWERS_ANYWAY],
        proven_by: None,
        audit: &[],
    },
    Template {
        id: "suspend-google-workspace-user",
        name: "Suspend Google Workspace User",
        verb: "suspend the Google Workspace user",
        product: Some(Product::GoogleWorkspace),
        risk: Risk::Medium,
        takes_login: false,
        payload: PayloadShape::IspmFlat,
        suggested_for: UNUSED_ADMIN,
        undo: "restore the user in Google Workspace",
        caveats: &["blocks sign-in and mail, keeps the data", NO_PRODUCT_CHECK, ANSWERS_ANYWAY],
        proven_by: None,
        audit: &[],
    },
    Template {
        id: DELEGATED,
        name: "ISPM - Delegated Flow",
        verb: "hand the issue to the delegated-flow router",
        product: None,
        risk: Risk::High,
        takes_login: false,
        payload: PayloadShape::IspmFlat,
        suggested_for: &[],
        undo: "depends on the helper flow that it chooses",
        caveats: &[
            "routes by product and title; no match means that nothing happens, silently",
            ANSWERS_ANYWAY,
        ],
        proven_by: None,
        audit: &[],
    },
    Template {
        id: "ispm-event-hook",
        name: "ISPM - Event Hook",
        verb: "hand the issue to the event-hook router",
        product: None,
        risk: Risk::High,
        takes_login: false,
        payload: PayloadShape::IspmNested,
        suggested_for: &[],
        undo: "depends on the helper flow that it chooses",
        caveats: &[
            "routes by product and title; no match means that nothing happens, silently",
            ANSWERS_ANYWAY,
        ],
        proven_by: None,
        audit: &[],
    },
];

/// The ids of the nine presets.
pub fn ids() -> impl Iterator<Item = &'static str> {
    TEMPLATES.iter().map(|template| template.id)
}

/// The flow of a preset's id; without a URL its route is `open`.
pub fn flow(id: &str) -> Option<Flow> {
    TEMPLATES.iter().find(|template| template.id == id).map(Template::flow)
}

/// All nine.
pub fn all() -> Vec<Flow> {
    TEMPLATES.iter().map(Template::flow).collect()
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

impl Template {
    fn flow(&self) -> Flow {
        Flow {
            id: FlowId::from(self.id),
            name: self.name.to_owned(),
            verb: self.verb.to_owned(),
            route: Route::Open,
            operation: None,
            steps: Vec::new(),
            url: None,
            auth: FlowAuth::None,
            payload: self.payload,
            product: self.product,
            // A router looks at the issue itself, whatever it is about.
            entity: self.product.map(|_| EntityKind::Account),
            tenant: String::new(),
            risk: self.risk,
            takes_login: self.takes_login,
            suggested_for: owned(self.suggested_for),
            inputs: Vec::new(),
            inverse: None,
            undo: self.undo.to_owned(),
            caveats: owned(self.caveats),
            proven_by: self.proven_by,
            audit: owned(self.audit),
            is_final: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_presets_with_distinct_kebab_case_ids() {
        let ids: std::collections::BTreeSet<&str> = ids().collect();
        assert_eq!(ids.len(), 9);
        assert!(ids.iter().all(|id| id.chars().all(|c| c.is_ascii_lowercase() || c == '-')));
        assert!(all().iter().all(|flow| flow.unrunnable().is_some()));
    }

    #[test]
    fn routers_and_deactivation_are_high_risk_groups_low() {
        let risk = |id: &str| flow(id).unwrap().risk;
        assert_eq!(risk("ispm-event-hook"), Risk::High);
        assert_eq!(risk("okta-add-user-to-a-group"), Risk::Low);
        assert_eq!(risk("suspend-okta-account"), Risk::Medium);
    }
}
