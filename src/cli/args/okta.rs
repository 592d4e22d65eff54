//! `okta …`: what is asked of an Okta org.

use super::Run;
use super::register::OktaHook;
use crate::domain::FindingId;
use crate::domain::operation::Operation;
use clap::{ArgGroup, Args, Subcommand};

/// `okta …`
#[derive(Debug, Subcommand)]
pub enum Okta {
    /// One user: what the account is, and what Okta can do to it
    #[command(subcommand)]
    User(OktaUser),
    /// Where the org posts records of its log to
    #[command(subcommand)]
    Hook(OktaHook),
}

/// `okta user …`
#[derive(Debug, Subcommand)]
pub enum OktaUser {
    /// Stop sign-ins and keep everything
    Suspend(Operate),
    /// End a suspension
    Unsuspend(Operate),
    /// End a lock-out
    Unlock(Operate),
    /// End the sessions at Okta, and revoke the tokens it issued
    ClearSessions(Operate),
    /// Have a new password chosen by a link that is mailed; no sign-in until then
    ResetPassword(Operate),
    /// Have a new password chosen at the next sign-in
    ExpirePassword(Operate),
    /// Remove every enrolled factor
    ResetFactors(Operate),
    /// Let a staged or deactivated account be used, by a link that is mailed
    #[command(alias = "enable")]
    Activate(Operate),
    /// Begin an activation anew, by a link that is mailed
    Reactivate(Operate),
    /// Take the account out of use and out of every application
    #[command(alias = "disable")]
    Deactivate(Operate),
}

impl OktaUser {
    /// The operation and what is said of it, as `run` takes it.
    pub fn run(&self) -> Run {
        let (operation, said) = match self {
            OktaUser::Suspend(said) => (Operation::Suspend, said),
            OktaUser::Unsuspend(said) => (Operation::Unsuspend, said),
            OktaUser::Unlock(said) => (Operation::Unlock, said),
            OktaUser::ClearSessions(said) => (Operation::ClearSessions, said),
            OktaUser::ResetPassword(said) => (Operation::ResetPassword, said),
            OktaUser::ExpirePassword(said) => (Operation::ExpirePassword, said),
            OktaUser::ResetFactors(said) => (Operation::ResetFactors, said),
            OktaUser::Activate(said) => (Operation::Activate, said),
            OktaUser::Reactivate(said) => (Operation::Reactivate, said),
            OktaUser::Deactivate(said) => (Operation::Deactivate, said),
        };
        let Operate { users, finding, dry_run, yes, confirm, again, reason } = said.clone();
        let flow = operation.flow_id();
        Run { flow, users, finding, inputs: Vec::new(), dry_run, yes, confirm, again, reason }
    }
}

/// `okta user suspend` and the like
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("operate").multiple(true).args(["dry_run", "yes", "confirm"]))]
#[command(after_help = "The account is read first: what is so already is no change, and what Okta does not \
    offer for it now is not sent.\n\
    Exit status: 0 changed, accepted or no change; 1 failed, refused or not legal; 2 wrong usage; \
    3 mixed; 4 any outcome unknown.")]
pub struct Operate {
    /// On whom: logins or Okta ids
    #[arg(required = true, value_name = "LOGIN")]
    pub users: Vec<String>,
    /// From which finding
    #[arg(long, value_name = "ID")]
    pub finding: Option<FindingId>,
    /// Show what would be sent, and send nothing
    #[arg(long, conflicts_with_all = ["yes", "confirm"])]
    pub dry_run: bool,
    /// Answer confirmations by key or word
    #[arg(long)]
    pub yes: bool,
    /// Answer the confirmation that wants the login typed; with several users, their number
    #[arg(long, value_name = "LOGIN|COUNT")]
    pub confirm: Option<String>,
    /// Although an earlier run has an unknown outcome
    #[arg(long)]
    pub again: bool,
    /// Why, for the journal
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}
