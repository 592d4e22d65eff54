//! What the analyst wants to run, and why there is no plan of it.

use crate::domain::account_name::AccountName;
use crate::domain::held_secret::HeldSecret;
use crate::domain::payload::PayloadError;
use crate::domain::plan::{AskedFor, Plan};
use crate::domain::subject::ProviderAccount;
use crate::domain::undo::Undoes;
use crate::domain::{ActionId, EventId, FindingId, Flow, FlowId, Login};
use crate::store::StoreError;
use std::collections::BTreeMap;

/// What the analyst wants to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The id that the action will have.
    pub action: ActionId,
    /// Which flow.
    pub flow: FlowId,
    /// On whom.
    pub login: Login,
    /// From which finding.
    pub finding: Option<FindingId>,
    /// From which event; without one, the newest of the finding's check that names the login.
    pub event: Option<EventId>,
    /// The account that was chosen, where there are two.
    pub account: Option<AccountName>,
    /// Values for declared inputs.
    pub inputs: BTreeMap<String, String>,
    /// What it is to undo: then no other account may be acted on.
    pub undoes: Option<Undoes>,
}

impl Ask {
    /// By which a plan was made.
    pub(in crate::remediation) fn of(plan: &Plan) -> Ask {
        let AskedFor { event, account, inputs } = plan.asked.clone();
        Ask {
            action: plan.action,
            flow: plan.flow.id.clone(),
            login: plan.login.clone(),
            finding: plan.finding,
            event,
            account,
            inputs,
            undoes: plan.undoes.clone(),
        }
    }

    /// What of it no other part of the plan holds.
    pub(in crate::remediation) fn asked(&self) -> AskedFor {
        AskedFor { event: self.event, account: self.account.clone(), inputs: self.inputs.clone() }
    }

    /// The same of a step of it, with what that takes of its inputs.
    pub(in crate::remediation) fn step(&self, number: u8, flow: &Flow) -> Ask {
        let takes = |name: &str| flow.inputs.iter().any(|input| input.name == name);
        let inputs = self.inputs.iter().filter(|(name, _)| takes(name));
        Ask {
            action: self.action.step(number),
            flow: flow.id.clone(),
            inputs: inputs.map(|(name, value)| (name.clone(), value.clone())).collect(),
            ..self.clone()
        }
    }
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// There is no such flow.
    #[error("there is no flow `{0}`\nhint: `idtriage flows` lists them")]
    NoSuchFlow(FlowId),
    /// There is no such finding.
    #[error("there is no finding `{0}`\nhint: `idtriage findings list` shows the ids")]
    NoSuchFinding(FindingId),
    /// The finding is another user's.
    #[error("finding `{finding}` is of `{of}`, not of `{login}`")]
    AnothersFinding {
        /// Which.
        finding: FindingId,
        /// Whose.
        of: Login,
        /// Who was asked for.
        login: Login,
    },
    /// The event is not about this user, or not about this check.
    #[error("event `{event}` does not name `{login}` for this check")]
    AnothersEvent {
        /// Which.
        event: EventId,
        /// Who was asked for.
        login: Login,
    },
    /// The flow cannot be run on this user.
    #[error("flow `{flow}` does not fit `{login}`: {reason}")]
    DoesNotFit {
        /// Which.
        flow: FlowId,
        /// Whom.
        login: Login,
        /// Why not.
        reason: String,
    },
    /// Something cannot be read that has to be known of this user; it may be so for everybody.
    #[error("flow `{flow}` does not fit `{login}`: {reason}")]
    Unread {
        /// Which.
        flow: FlowId,
        /// Whom.
        login: Login,
        /// What cannot be read, and why.
        reason: String,
    },
    /// The flow sends nothing.
    #[error("flow `{0}` only opens a page: nothing can be sent by it")]
    OnlyOpens(FlowId),
    /// The account has to be chosen.
    #[error(
        "flow `{flow}` could act on {} accounts of `{login}`, and one has to be chosen, for this user alone: {}\nhint: {}; in the console the list of flows (`r`) offers them",
        .accounts.len(), listed(.accounts), options(.accounts)
    )]
    Choose {
        /// Which flow.
        flow: FlowId,
        /// Whose.
        login: Login,
        /// Among these.
        accounts: Vec<ProviderAccount>,
    },
    /// The account that was chosen is not there, or not any more.
    #[error(
        "account `{account}` is not one that flow `{flow}` could act on\nhint: {}",
        if .accounts.is_empty() { "leave the account out: there is none to choose".to_owned() } else { options(.accounts) }
    )]
    NotThatAccount {
        /// Which flow.
        flow: FlowId,
        /// The one that was chosen.
        account: AccountName,
        /// Among these.
        accounts: Vec<ProviderAccount>,
    },
    /// An input holds a secret.
    #[error(transparent)]
    Secret(#[from] HeldSecret),
    /// The body cannot be made.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// The request cannot be made.
    #[error("the request of flow `{flow}` cannot be made: {why}")]
    Request {
        /// Which flow.
        flow: FlowId,
        /// Why.
        why: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Accounts as a list names them: `OKTA/00u1 (ann)`.
fn listed(accounts: &[ProviderAccount]) -> String {
    let one = |account: &ProviderAccount| format!("{} ({})", AccountName::of(account), account.login);
    accounts.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// What a command line says to choose one of them.
fn options(accounts: &[ProviderAccount]) -> String {
    let one = |account: &ProviderAccount| format!("`{}`", AccountName::of(account).option());
    accounts.iter().map(one).collect::<Vec<_>>().join(" or ")
}

impl PlanError {
    /// The accounts among which one may be chosen.
    pub fn accounts(&self) -> &[ProviderAccount] {
        match self {
            PlanError::Choose { accounts, .. } | PlanError::NotThatAccount { accounts, .. } => accounts,
            _ => &[],
        }
    }

    /// Whether it may be so for everybody: something cannot be read, or the flow itself is at fault.
    pub fn is_general(&self) -> bool {
        matches!(
            self,
            PlanError::Unread { .. }
                | PlanError::Request { .. }
                | PlanError::NoSuchFlow(_)
                | PlanError::Store(_)
        )
    }
}
