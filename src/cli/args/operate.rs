//! What changes one user of an Okta org: its operations, profiles, groups, and XSOAR's names for them.

use super::{Answers, Run};
use crate::domain::account_name::AccountName;
use crate::domain::operation::{GROUP, LINK, Operation};
use crate::domain::{FindingId, FlowId};
use clap::{ArgGroup, Args, Subcommand};

/// The flow that suspends and then clears the sessions.
const CONTAIN: &str = "okta-contain";
/// The flow that makes an account and then activates it.
pub const CREATE_AND_ACTIVATE: &str = "okta-create-and-activate";

/// `okta user suspend` and the like, each by its name
#[derive(Debug, Subcommand)]
pub enum OktaOperation {
    /// Suspend, then clear the sessions: one confirmation, two actions
    Contain(Operate),
    /// Stop sign-ins and keep everything
    Suspend(Operate),
    /// End a suspension
    Unsuspend(Operate),
    /// End a lock-out
    Unlock(Operate),
    /// End the sessions at Okta, and revoke the tokens it issued
    ClearSessions(Operate),
    /// Have a new password chosen by a one-time link; no sign-in until then
    ResetPassword(OperateByLink),
    /// Have a new password chosen at the next sign-in
    ExpirePassword(Operate),
    /// Remove every enrolled factor
    ResetFactors(Operate),
    /// Let a staged or deactivated account be used, by a one-time link
    #[command(alias = "enable")]
    Activate(OperateByLink),
    /// Begin an activation anew, by a one-time link
    Reactivate(OperateByLink),
    /// Take the account out of use and out of every application
    #[command(alias = "disable")]
    Deactivate(Operate),
    /// Add to a group
    AddToGroup(InGroup),
    /// Remove from a group
    RemoveFromGroup(InGroup),
}

impl OktaOperation {
    /// The operation and what is said of it, as `run` takes it.
    pub fn run(&self) -> Run {
        let of = |operation: Operation, said: &Operate| said.run(operation.flow_id(), Vec::new());
        match self {
            OktaOperation::Contain(said) => said.run(CONTAIN.into(), Vec::new()),
            OktaOperation::Suspend(said) => of(Operation::Suspend, said),
            OktaOperation::Unsuspend(said) => of(Operation::Unsuspend, said),
            OktaOperation::Unlock(said) => of(Operation::Unlock, said),
            OktaOperation::ClearSessions(said) => of(Operation::ClearSessions, said),
            OktaOperation::ResetPassword(said) => said.run(Operation::ResetPassword),
            OktaOperation::ExpirePassword(said) => of(Operation::ExpirePassword, said),
            OktaOperation::ResetFactors(said) => of(Operation::ResetFactors, said),
            OktaOperation::Activate(said) => said.run(Operation::Activate),
            OktaOperation::Reactivate(said) => said.run(Operation::Reactivate),
            OktaOperation::Deactivate(said) => of(Operation::Deactivate, said),
            OktaOperation::AddToGroup(said) => said.run(Operation::AddToGroup),
            OktaOperation::RemoveFromGroup(said) => said.run(Operation::RemoveFromGroup),
        }
    }
}

/// `okta user suspend` and the like
#[derive(Debug, Clone, Args)]
#[command(after_help = "The account is read first: what is so already is no change, and what Okta does not \
    offer for it now is not sent. It is read once more behind it, and what is printed is what it is \
    then. In `--json` `success` says that something was changed or accepted; what needed no change is `skipped`.\n\
    Exit status: 0 changed, accepted or no change; 1 failed, refused or not legal; 2 wrong usage; \
    3 mixed; 4 any outcome unknown.")]
pub struct Operate {
    /// On whom: logins or Okta ids
    #[arg(required = true, value_name = "LOGIN")]
    pub users: Vec<String>,
    /// From which finding
    #[arg(long, value_name = "ID")]
    pub finding: Option<FindingId>,
    /// Which of their accounts, where several would do: as the refusal names them; the id alone will do
    #[arg(long, value_name = "PRODUCT/ID")]
    pub account: Option<AccountName>,
    /// How its confirmation is answered.
    #[command(flatten)]
    pub answers: Answers,
}

impl Operate {
    fn run(&self, flow: FlowId, inputs: Vec<(String, String)>) -> Run {
        let Operate { users, finding, account, answers } = self.clone();
        Run { flow, users, finding, account, inputs, undoes: None, undoes_run: None, answers }
    }
}

/// `okta user activate` and others that make a one-time link
#[derive(Debug, Clone, Args)]
pub struct OperateByLink {
    /// On whom.
    #[command(flatten)]
    pub operate: Operate,
    /// Mail nobody: print the one-time link here, once
    #[arg(long)]
    pub link: bool,
}

impl OperateByLink {
    fn run(&self, operation: Operation) -> Run {
        self.operate.run(operation.flow_id(), link(self.link))
    }
}

/// `okta user add-to-group` and its inverse
#[derive(Debug, Clone, Args)]
pub struct InGroup {
    /// On whom.
    #[command(flatten)]
    pub operate: Operate,
    /// The group: its id or its whole name
    #[arg(long, value_name = "NAME|ID")]
    pub group: String,
}

impl InGroup {
    fn run(&self, operation: Operation) -> Run {
        self.operate.run(operation.flow_id(), vec![(GROUP.to_owned(), self.group.clone())])
    }
}

/// The input that asks for a link, where one is asked for.
pub fn link(is_asked: bool) -> Vec<(String, String)> {
    let link = is_asked.then(|| (LINK.to_owned(), "true".to_owned()));
    link.into_iter().collect()
}

/// Fields of a profile: one by one, or all in one object
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("fields").required(true).multiple(true).args(["set", "profile"]))]
pub struct Fields {
    /// A field: `title=Head of Sales`, `title=` for an empty text, `onCall:=true` for anything else (JSON);
    /// may be said several times
    #[arg(long, value_name = "FIELD=VALUE")]
    pub set: Vec<String>,
    /// Fields as one object
    #[arg(long, value_name = "JSON")]
    pub profile: Option<String>,
}

/// `okta user create`
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "The login is a field: `--set login=ann@example.com`. A login that is there already is \
    refused; another account with the same mail address has to be insisted on."
)]
pub struct CreateUser {
    /// Of the account that is made.
    #[command(flatten)]
    pub fields: Fields,
    /// Activate it too: one confirmation, two actions
    #[arg(long, conflicts_with = "no_activate")]
    pub activate: bool,
    /// Leave it STAGED, which is what happens without a word
    #[arg(long)]
    pub no_activate: bool,
    /// Mail nobody: print the one-time link here, once
    #[arg(long, requires = "activate")]
    pub link: bool,
    /// From which finding
    #[arg(long, value_name = "ID")]
    pub finding: Option<FindingId>,
    /// How its confirmation is answered.
    #[command(flatten)]
    pub answers: Answers,
}

/// `okta user update`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Fields that are not named stay as they are. What differs is shown by `--dry-run`.")]
pub struct UpdateUser {
    /// Whom: a login, an Okta id, or a mail address that one user has
    #[arg(value_name = "LOGIN")]
    pub user: String,
    /// What the profile will hold.
    #[command(flatten)]
    pub fields: Fields,
    /// From which finding
    #[arg(long, value_name = "ID")]
    pub finding: Option<FindingId>,
    /// Which of their accounts, where several would do: as the refusal names them; the id alone will do
    #[arg(long, value_name = "PRODUCT/ID")]
    pub account: Option<AccountName>,
    /// How its confirmation is answered.
    #[command(flatten)]
    pub answers: Answers,
}

/// `iam-create-user` and the like, as XSOAR spells them
#[derive(Debug, Clone, Args)]
pub struct IamUser {
    /// `{"username": …, "email": …, "givenname": …}`: `id` goes before the login, that before the mail address
    #[arg(long, alias = "user_profile", value_name = "JSON")]
    pub user_profile: String,
    /// Taken, and re-activates nobody: that is `okta user activate`
    #[arg(long, alias = "allow_enable", value_name = "BOOLEAN", default_value_t = true, action = clap::ArgAction::Set)]
    pub allow_enable: bool,
    /// Mail nobody: print the one-time link here, once
    #[arg(long)]
    pub link: bool,
    /// From which finding
    #[arg(long, value_name = "ID")]
    pub finding: Option<FindingId>,
    /// Which of their accounts, where several would do: as the refusal names them; the id alone will do
    #[arg(long, value_name = "PRODUCT/ID")]
    pub account: Option<AccountName>,
    /// How its confirmation is answered.
    #[command(flatten)]
    pub answers: Answers,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::operation;

    #[test]
    fn flows_of_several_are_there_under_these_names() {
        for id in [CONTAIN, CREATE_AND_ACTIVATE] {
            assert!(operation::is_built_in(&id.into()), "{id}");
        }
    }
}
