//! What Okta itself can do to one of its users: the lifecycle operations, and the end of their sessions.
//!
//! Each is offered as a flow of route `okta`, whether or not anything is configured under `[[flow]]`. What
//! is legal from which status, what it leads to and what it leaves alone are Okta's own words; where it
//! gives none, the operations that it offers for the user now decide.

use super::flow::{Flow, FlowAuth, FlowId, PayloadShape, Product, ProvenBy, Risk, Route};
use serde::Serialize;

/// One operation on one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Lets a staged or deactivated account be used.
    Activate,
    /// Begins the activation anew.
    Reactivate,
    /// Takes the account out of use, and out of every application.
    Deactivate,
    /// Stops sign-ins, keeps everything.
    Suspend,
    /// Ends a suspension.
    Unsuspend,
    /// Ends a lock-out.
    Unlock,
    /// Has a new password chosen at the next sign-in.
    ExpirePassword,
    /// Takes the password away until the user has chosen a new one by a link that is mailed.
    ResetPassword,
    /// Removes every enrolled factor.
    ResetFactors,
    /// Ends the sessions at Okta, and revokes the tokens it issued.
    ClearSessions,
}

/// What is said of an operation, in one place.
struct Description {
    id: &'static str,
    name: &'static str,
    verb: &'static str,
    risk: Risk,
    link: Option<&'static str>,
    audit: &'static str,
    proven_by: Option<ProvenBy>,
    inverse: Option<Operation>,
    undo: &'static str,
    caveats: &'static [&'static str],
    suggested_for: &'static [&'static str],
}

const TAKEN_OVER: &[&str] = &[
    "MFA Flood",
    "mfa-flood",
    "Impossible Travel",
    "impossible-travel",
    "Compromised*",
    "okta:*session*",
    "okta:*threat*",
];

impl Operation {
    /// Every operation, in the order in which they are offered: what holds an attacker first.
    pub const ALL: [Operation; 10] = [
        Operation::Suspend,
        Operation::ClearSessions,
        Operation::ResetPassword,
        Operation::ExpirePassword,
        Operation::ResetFactors,
        Operation::Unlock,
        Operation::Unsuspend,
        Operation::Activate,
        Operation::Reactivate,
        Operation::Deactivate,
    ];

    /// The operation of a flow's id.
    pub fn of_flow(id: &FlowId) -> Option<Operation> {
        Operation::ALL.into_iter().find(|operation| operation.described().id == id.0)
    }

    /// The id of its flow.
    pub fn flow_id(self) -> FlowId {
        FlowId::from(self.described().id)
    }

    /// Its name among the operations that Okta offers for a user; the end of sessions is never offered.
    pub fn link(self) -> Option<&'static str> {
        self.described().link
    }

    /// The flow that runs it.
    pub fn flow(self) -> Flow {
        let said = self.described();
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Flow {
            id: FlowId::from(said.id),
            name: said.name.to_owned(),
            verb: said.verb.to_owned(),
            route: Route::Okta,
            operation: Some(self),
            url: None,
            auth: FlowAuth::None,
            payload: PayloadShape::Nothing,
            product: Some(Product::Okta),
            tenant: String::new(),
            risk: said.risk,
            takes_login: true,
            suggested_for: owned(said.suggested_for),
            inputs: Vec::new(),
            inverse: said.inverse.map(Operation::flow_id),
            undo: said.undo.to_owned(),
            caveats: said
                .caveats
                .iter()
                .map(|text| (*text).to_owned())
                .chain([format!("the System Log holds it as `{}`", said.audit)])
                .collect(),
            proven_by: said.proven_by,
            is_final: false,
        }
    }

    #[expect(clippy::too_many_lines, reason = "a table: one entry an operation")]
    fn described(self) -> Description {
        match self {
            Operation::Suspend => Description {
                id: "okta-suspend",
                name: "Okta: suspend",
                verb: "suspend the Okta account",
                risk: Risk::Medium,
                link: Some("suspend"),
                audit: "user.lifecycle.suspend",
                proven_by: Some(ProvenBy::Suspended),
                inverse: Some(Operation::Unsuspend),
                undo: "",
                caveats: &["legal from ACTIVE only", "sessions that are open go on: clear them too"],
                suggested_for: &[
                    "Unused Admin Account",
                    "unused-admin*",
                    "*dormant*",
                    "MFA Flood",
                    "mfa-flood",
                    "Impossible Travel",
                    "impossible-travel",
                    "Compromised*",
                ],
            },
            Operation::ClearSessions => Description {
                id: "okta-clear-sessions",
                name: "Okta: clear sessions",
                verb: "clear the Okta sessions and revoke the issued tokens",
                risk: Risk::Medium,
                link: None,
                audit: "user.session.clear",
                proven_by: None,
                inverse: None,
                undo: "nothing has to be undone: the user signs in again",
                caveats: &[
                    "sessions that were made inside applications already go on",
                    "whether devices are forgotten is the org's default: not on a Classic one",
                ],
                suggested_for: TAKEN_OVER,
            },
            Operation::ResetPassword => Description {
                id: "okta-reset-password",
                name: "Okta: reset password",
                verb: "reset the Okta password, by a link mailed to the user",
                risk: Risk::Medium,
                link: Some("resetPassword"),
                audit: "user.account.reset_password",
                proven_by: Some(ProvenBy::Recovery),
                inverse: None,
                undo: "nothing undoes it: the user has to choose a new password",
                caveats: &["no sign-in until the user has used the link", "open sessions go on"],
                suggested_for: &["*password*", "Compromised*"],
            },
            Operation::ExpirePassword => Description {
                id: "okta-expire-password",
                name: "Okta: expire password",
                verb: "expire the Okta password",
                risk: Risk::Medium,
                link: Some("expirePassword"),
                audit: "user.account.expire_password",
                proven_by: Some(ProvenBy::PasswordExpired),
                inverse: None,
                undo: "nothing undoes it: the user has to choose a new password",
                caveats: &[
                    "the old password works once more, to choose a new one",
                    "where sign-in is delegated, the directory's password expires too",
                ],
                suggested_for: &["Old Password*", "old-password*"],
            },
            Operation::ResetFactors => Description {
                id: "okta-reset-factors",
                name: "Okta: reset factors",
                verb: "remove every enrolled Okta factor",
                risk: Risk::High,
                link: Some("resetFactors"),
                audit: "user.mfa.factor.reset_all",
                proven_by: None,
                inverse: None,
                undo: "nothing undoes it: the user has to enrol anew",
                caveats: &[
                    "whoever signs in next may enrol a factor of their own",
                    "the status stays as it is: nothing that is re-read here proves it",
                ],
                suggested_for: &[],
            },
            Operation::Unlock => Description {
                id: "okta-unlock",
                name: "Okta: unlock",
                verb: "unlock the Okta account",
                risk: Risk::Medium,
                link: Some("unlock"),
                audit: "user.account.unlock",
                proven_by: Some(ProvenBy::Active),
                inverse: None,
                undo: "suspend the account, if it is to be held",
                caveats: &["only accounts whose source is Okta: not those of a directory"],
                suggested_for: &[],
            },
            Operation::Unsuspend => Description {
                id: "okta-unsuspend",
                name: "Okta: unsuspend",
                verb: "unsuspend the Okta account",
                risk: Risk::Medium,
                link: Some("unsuspend"),
                audit: "user.lifecycle.unsuspend",
                proven_by: Some(ProvenBy::Active),
                inverse: Some(Operation::Suspend),
                undo: "",
                caveats: &["groups and applications are as they were"],
                suggested_for: &[],
            },
            Operation::Activate => Description {
                id: "okta-activate",
                name: "Okta: activate",
                verb: "activate the Okta account, by a link mailed to the user",
                risk: Risk::Medium,
                link: Some("activate"),
                audit: "user.lifecycle.activate",
                proven_by: Some(ProvenBy::Activated),
                inverse: Some(Operation::Deactivate),
                undo: "",
                caveats: &[
                    "legal from STAGED and DEPROVISIONED",
                    "without a password the account stays PROVISIONED until the user has used the link",
                ],
                suggested_for: &[],
            },
            Operation::Reactivate => Description {
                id: "okta-reactivate",
                name: "Okta: reactivate",
                verb: "begin the activation of the Okta account anew, by a link mailed to the user",
                risk: Risk::Medium,
                link: Some("reactivate"),
                audit: "user.lifecycle.reactivate",
                proven_by: None,
                inverse: None,
                undo: "nothing has to be undone: the link ends by itself",
                caveats: &["legal from PROVISIONED and RECOVERY"],
                suggested_for: &[],
            },
            Operation::Deactivate => Description {
                id: "okta-deactivate",
                name: "Okta: deactivate",
                verb: "deactivate the Okta account",
                risk: Risk::High,
                link: Some("deactivate"),
                audit: "user.lifecycle.deactivate",
                proven_by: Some(ProvenBy::Deactivated),
                inverse: None,
                undo: "activating it does not bring back applications and what was kept in them",
                caveats: &["destructive: the user is taken out of every application; suspending keeps them"],
                suggested_for: &[],
            },
        }
    }
}

/// The flows of every operation.
pub fn flows() -> Vec<Flow> {
    Operation::ALL.into_iter().map(Operation::flow).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_found_by_its_flow() {
        for operation in Operation::ALL {
            let flow = operation.flow();
            assert_eq!(Operation::of_flow(&flow.id), Some(operation));
            assert!(flow.unrunnable().is_none() && flow.id.0.starts_with("okta-"));
            assert!(
                flow.inverse.is_some() == flow.undo.is_empty(),
                "{operation:?} says twice what undoes it"
            );
        }
    }

    #[test]
    fn what_destroys_is_of_high_risk() {
        let high: Vec<Operation> =
            Operation::ALL.into_iter().filter(|operation| operation.flow().risk == Risk::High).collect();
        assert_eq!(high, [Operation::ResetFactors, Operation::Deactivate]);
    }
}
