//! Flows of several operations: one card, and a run of one action after the other.

use super::Operation;
use super::table::TAKEN_OVER;
use crate::domain::flow::{EntityKind, Flow, FlowAuth, FlowId, Input, PayloadShape, Product, Risk, Route};

/// Several operations on one user, one after the other. Each has its own intent, receipt and outcome; one
/// that was refused ends the run.
#[derive(Debug)]
pub struct Composite {
    id: &'static str,
    name: &'static str,
    verb: &'static str,
    /// What it runs, in this order.
    pub steps: &'static [Operation],
    inverse: Option<Operation>,
    undo: &'static str,
    caveats: &'static [&'static str],
    suggested_for: &'static [&'static str],
}

/// All that there are.
pub const COMPOSITES: [&Composite; 2] = [&CONTAIN, &CREATE_AND_ACTIVATE];

/// What the documented helper flow does: suspend, then clear the user's sessions.
pub const CONTAIN: Composite = Composite {
    id: "okta-contain",
    name: "Okta: contain",
    verb: "contain, by suspending it and clearing its sessions and tokens, the Okta account",
    steps: &[Operation::Suspend, Operation::ClearSessions],
    inverse: Some(Operation::Unsuspend),
    undo: "",
    caveats: &[
        "suspending is legal from ACTIVE only; the sessions are cleared all the same",
        "it does not end sessions that were made inside applications already",
        "whether devices are forgotten is the org's default: not on a Classic one",
    ],
    suggested_for: TAKEN_OVER,
};

/// Make an account, then let it be used by a link.
pub const CREATE_AND_ACTIVATE: Composite = Composite {
    id: "okta-create-and-activate",
    name: "Okta: create and activate user",
    verb: "create, and then activate, the Okta account",
    steps: &[Operation::Create, Operation::Activate],
    inverse: None,
    undo: "nothing undoes it: deactivating stops sign-ins, and the login stays taken",
    caveats: &["without a password the account stays PROVISIONED until the user has used the link"],
    suggested_for: &[],
};

impl Composite {
    /// The id of its flow.
    pub fn flow_id(&self) -> FlowId {
        FlowId::from(self.id)
    }

    /// The flow that runs it. It is as risky as the riskiest of what it runs.
    pub fn flow(&self) -> Flow {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let steps: Vec<Flow> = self.steps.iter().map(|step| step.flow()).collect();
        let mut inputs: Vec<Input> = Vec::new();
        for input in steps.iter().flat_map(|step| &step.inputs) {
            if !inputs.contains(input) {
                inputs.push(input.clone());
            }
        }
        Flow {
            id: self.flow_id(),
            name: self.name.to_owned(),
            verb: self.verb.to_owned(),
            route: Route::Okta,
            operation: None,
            steps: steps.iter().map(|step| step.id.clone()).collect(),
            url: None,
            auth: FlowAuth::None,
            payload: PayloadShape::Nothing,
            product: Some(Product::Okta),
            entity: Some(EntityKind::Account),
            tenant: String::new(),
            risk: steps.iter().map(|step| step.risk).max().unwrap_or(Risk::High),
            takes_login: true,
            suggested_for: owned(self.suggested_for),
            inputs,
            inverse: self.inverse.map(Operation::flow_id),
            undo: self.undo.to_owned(),
            caveats: owned(self.caveats),
            proven_by: None,
            audit: steps.iter().flat_map(|step| step.audit.clone()).collect(),
            is_final: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{LINK, PROFILE};
    use super::*;
    use crate::domain::flow::InputType;

    #[test]
    fn what_runs_several_takes_the_inputs_of_each() {
        let names = |of: &Composite| -> Vec<String> {
            of.flow().inputs.into_iter().map(|input| input.name).collect()
        };
        assert_eq!(
            (names(&CONTAIN), names(&CREATE_AND_ACTIVATE)),
            (Vec::<String>::new(), vec![PROFILE.to_owned(), LINK.to_owned()])
        );
        assert_eq!(CONTAIN.flow().audit, ["user.lifecycle.suspend", "user.session.clear"]);
        let flow = CREATE_AND_ACTIVATE.flow();
        assert!(flow.inputs.iter().any(|input| input.kind == InputType::Boolean));
        assert!(flow.unrunnable().is_none());
    }
}
