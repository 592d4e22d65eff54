//! What Okta itself can do to one of its users: the lifecycle operations, the end of their sessions, their
//! groups, their profile.
//!
//! Each is offered as a flow of route `okta`, whether or not anything is configured under `[[flow]]`. What
//! is legal from which status, what it leads to and what it leaves alone are Okta's own words; where it
//! gives none, the operations that it offers for the user now decide. Some flows run several operations,
//! one after the other: [`COMPOSITES`].

mod composite;
mod particulars;
mod table;

pub use composite::{COMPOSITES, CONTAIN, CREATE_AND_ACTIVATE, Composite};
pub use particulars::{Delivery, GroupRef, Particulars, Whom};

use super::flow::{EntityKind, Flow, FlowAuth, FlowId, Input, InputType, PayloadShape, Product, Route};
use serde::Serialize;

/// The input that names a group, by its id or its whole name.
pub const GROUP: &str = "group";
/// The input that asks for the one-time link instead of a mail to the user.
pub const LINK: &str = "link";
/// The input that holds fields of a profile: an object of JSON.
pub const PROFILE: &str = "profile";

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
    /// Takes the password away until the user has chosen a new one by a link.
    ResetPassword,
    /// Removes every enrolled factor.
    ResetFactors,
    /// Ends the sessions at Okta, and revokes the tokens it issued.
    ClearSessions,
    /// Puts the user into a group.
    AddToGroup,
    /// Takes the user out of a group.
    RemoveFromGroup,
    /// Changes fields of the profile.
    Update,
    /// Makes an account that is not there yet.
    Create,
}

impl Operation {
    /// Every operation, in the order in which they are offered: what holds an attacker first.
    pub const ALL: [Operation; 14] = [
        Operation::Suspend,
        Operation::ClearSessions,
        Operation::ResetPassword,
        Operation::ExpirePassword,
        Operation::ResetFactors,
        Operation::Unlock,
        Operation::Unsuspend,
        Operation::RemoveFromGroup,
        Operation::AddToGroup,
        Operation::Update,
        Operation::Activate,
        Operation::Reactivate,
        Operation::Deactivate,
        Operation::Create,
    ];

    /// The operation of a flow's id.
    pub fn of_flow(id: &FlowId) -> Option<Operation> {
        Operation::ALL.into_iter().find(|operation| operation.described().id == id.0)
    }

    /// The id of its flow.
    pub fn flow_id(self) -> FlowId {
        FlowId::from(self.described().id)
    }

    /// Its name among the operations that Okta offers for a user; what is never offered has none.
    pub fn link(self) -> Option<&'static str> {
        self.described().link
    }

    /// Whether Okta makes a one-time link for it, which it mails or hands out.
    pub fn makes_link(self) -> bool {
        matches!(self, Operation::Activate | Operation::Reactivate | Operation::ResetPassword)
    }

    /// What makes another one-time link, where one was lost.
    pub fn another_link(self) -> &'static str {
        match self {
            Operation::ResetPassword => "resetting the password once more makes another",
            _ => "reactivating the account makes another",
        }
    }

    /// What undoing it does not bring back, where more was lost than its inverse restores.
    pub fn left_by_undoing(self) -> Option<&'static str> {
        let lost = "it does not bring back applications, nor what was kept in them";
        (self == Operation::Deactivate).then_some(lost)
    }

    /// Whether it is about who is in a group.
    pub fn is_of_group(self) -> bool {
        matches!(self, Operation::AddToGroup | Operation::RemoveFromGroup)
    }

    /// Whether the flow and the user do not say what it does: it is told a group besides, or fields.
    pub fn is_told_more(self) -> bool {
        self.is_of_group() || matches!(self, Operation::Update | Operation::Create)
    }

    /// The inputs that it takes.
    fn inputs(self) -> Vec<Input> {
        let input = |name, kind, description: &str| Input {
            description: Some(description.to_owned()),
            ..Input::new(name, kind)
        };
        match self {
            Operation::AddToGroup | Operation::RemoveFromGroup => {
                vec![input(GROUP, InputType::Text, "the group's id, or its whole name")]
            }
            Operation::Update | Operation::Create => {
                let fields = "`field=value; field=value`, as they are called at Okta or in `[okta.map]`";
                vec![input(PROFILE, InputType::Text, fields)]
            }
            other if other.makes_link() => {
                let handed = "true: Okta mails nobody, and you are shown the one-time link, once";
                let link = input(LINK, InputType::Boolean, handed);
                vec![Input { default: Some(false.to_string()), ..link }]
            }
            _ => Vec::new(),
        }
    }

    /// The flow that runs it.
    pub fn flow(self) -> Flow {
        let said = self.described();
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let takes_body = matches!(self, Operation::Update | Operation::Create);
        Flow {
            id: FlowId::from(said.id),
            name: said.name.to_owned(),
            verb: said.verb.to_owned(),
            route: Route::Okta,
            operation: Some(self),
            steps: Vec::new(),
            url: None,
            auth: FlowAuth::None,
            payload: if takes_body { PayloadShape::OktaProfile } else { PayloadShape::Nothing },
            product: Some(Product::Okta),
            entity: Some(EntityKind::Account),
            tenant: String::new(),
            risk: said.risk,
            takes_login: true,
            suggested_for: owned(said.suggested_for),
            inputs: self.inputs(),
            inverse: said.inverse.map(Operation::flow_id),
            undo: said.undo.to_owned(),
            caveats: owned(said.caveats),
            proven_by: said.proven_by,
            audit: vec![said.audit.to_owned()],
            is_final: false,
        }
    }
}

/// Whether an id is one of theirs.
pub fn is_built_in(id: &FlowId) -> bool {
    Operation::of_flow(id).is_some() || has_steps(id)
}

/// Whether a flow is several operations, one after the other.
pub fn has_steps(id: &FlowId) -> bool {
    COMPOSITES.iter().any(|several| several.flow_id() == *id)
}

/// The flows of every operation, and of those that run several.
pub fn flows() -> Vec<Flow> {
    let several = COMPOSITES.iter().map(|several| several.flow());
    several.chain(Operation::ALL.into_iter().map(Operation::flow)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Risk;

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
