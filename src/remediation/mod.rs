//! What acts, and everything that stands before it.
//!
//! | file | what it does |
//! |---|---|
//! | [`subject`] | a dossier as the names and accounts that a flow may act on |
//! | [`fit`] | which flows can be offered for a subject, and why the others cannot |
//! | [`offer`] | the flows that are offered for a person, and the page of those that only open one |
//! | [`guard`] | what must not be done, and what has to be insisted on |
//! | `alike` | which earlier actions did the same |
//! | `others` | whom a run may act on besides the finding's person |
//! | `protection` | the groups that say whether somebody is protected |
//! | `about` | the finding, the event and the person behind a run, read now |
//! | [`blast`] | how far a run reaches: roles, groups, applications, other findings |
//! | `doubts` | what stands against a run, and what nobody can know before it is sent |
//! | `sight` | looking at the target: the account, and what the operation is about beside it |
//! | `target` | what was seen: facts, what the state forbids, what proves an effect |
//! | `group` | the group that an operation is about |
//! | `several` | the plan of a run of several actions |
//! | [`card`] | the plan: the exact request, the target re-read, what cannot be known |
//! | [`trial`] | a flow tried with the documented sample |
//! | [`bulk`] | one flow on many people, as it is queued |
//! | `undoing` | what undoes a run on many |
//! | [`runner`] | intent, one send, receipt, bounded re-reads |
//! | `beside` | what the System Log has beside an action: notes, and no evidence |
//! | [`evidence`] | what an answer proves, and the words for it |
//!
//! The order is the promise: nothing is sent that was not shown, nothing is shown that was not read
//! just now, and nothing leaves before its intent is committed.

mod about;
mod alike;
mod beside;
pub mod blast;
pub mod bulk;
pub mod card;
mod doubts;
pub mod evidence;
pub mod fit;
mod group;
pub mod guard;
pub mod offer;
mod others;
mod protection;
pub mod runner;
mod said;
mod several;
mod sight;
pub mod subject;
mod target;
pub mod trial;
mod undoing;

pub use beside::{Beside, beside};
pub use blast::Depth;
pub use card::{Ask, PlanError, prepare, prepare_to};
pub use offer::{offers, page};
pub use runner::{
    BulkError, BulkTold, Confirmed, Look, LookError, Pace, Progress, RunError, Runner, Told, Unsent, Wish,
};
pub use said::Looked;
pub use undoing::{UndoError, undo_of_run};

use crate::config::meant::Guard;
use crate::domain::held_secret::HeldSecret;
use crate::domain::time::Zone;
use crate::domain::{Actor, Flow, FlowId};
use crate::store::Store;
use crate::tenant::{Directory, FlowCaller, LogSearch, OktaOrg};
use guard::Mode;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What plans and runs need: where things are kept, what reads, what acts, and who does it.
#[derive(Clone)]
pub struct Desk {
    /// Where intents and receipts are kept.
    pub store: Arc<dyn Store>,
    /// What reads people.
    pub directory: Arc<dyn Directory>,
    /// The Okta org, where one is configured: groups and factors.
    pub org: Option<Arc<dyn OktaOrg>>,
    /// The org's System Log, where one is configured: who changed an account.
    pub log: Option<Arc<dyn LogSearch>>,
    /// What sends.
    pub caller: Arc<dyn FlowCaller>,
    /// What can be run.
    pub flows: Arc<[Flow]>,
    /// What must not be done.
    pub guard: Guard,
    /// Whether anything may be sent at all.
    pub mode: Mode,
    /// Who acts.
    pub actor: Actor,
    /// In which zone a plan's facts say times.
    pub zone: Zone,
    /// Who was asked after a moment ago.
    pub looked: Arc<Looked>,
    /// Host, pid and process start: who holds the leases.
    pub owner: String,
    /// The time.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Desk {
    /// The flow of an id.
    pub fn flow(&self, id: &FlowId) -> Option<&Flow> {
        self.flows.iter().find(|flow| flow.id == *id)
    }

    /// Refuses a reason that holds a secret.
    ///
    /// # Errors
    /// [`HeldSecret`], without the value.
    pub(crate) fn without_secret(&self, reason: Option<&str>) -> Result<(), HeldSecret> {
        reason.map_or(Ok(()), |reason| self.takes_words("the reason", reason))
    }

    /// Refuses an analyst's words that hold a secret: they are kept as they are.
    ///
    /// # Errors
    /// [`HeldSecret`], without the value.
    pub(crate) fn takes_words(&self, what: &str, words: &str) -> Result<(), HeldSecret> {
        self.caller.secret_in(words).map_or(Ok(()), |place| Err(HeldSecret::of(what, place)))
    }

    /// Refuses inputs of which one holds a secret.
    fn without_secrets(&self, inputs: &BTreeMap<String, String>) -> Result<(), HeldSecret> {
        inputs.iter().try_for_each(|(name, value)| self.takes_words(&format!("input `{name}`"), value))
    }

    /// The flows that do the same as one, itself among them.
    pub(crate) fn same_as(&self, flow: &Flow) -> Vec<FlowId> {
        let same = self.flows.iter().filter(|other| other.id != flow.id && other.does_the_same(flow));
        std::iter::once(flow).chain(same).map(|flow| flow.id.clone()).collect()
    }

    /// Now, by the clock that the desk was given.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("mode", &self.mode).field("owner", &self.owner).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
