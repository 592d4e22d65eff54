//! The plan of a run: what a confirm card and a dry run show.
//!
//! [`prepare`] reads everything anew: the finding and its event from the store, the accounts from the
//! directory, the target from Okta. What it shows is what will leave: the runner rebuilds the request
//! from the plan and compares digests.

use super::about::{About, Person};
use super::fit::Pages;
use super::subject::Names;
use super::{Desk, doubts, fit, guard, target};
use crate::domain::payload::{self, PayloadError};
use crate::domain::plan::{Confirm, FitTarget, Order, Plan, Target};
use crate::domain::subject::{ProviderAccount, Subject};
use crate::domain::{Action, ActionId, Check, EventId, FindingId, Flow, FlowId, Login, Route};
use crate::store::{ActionFilter, StoreError};
use std::cmp::Reverse;
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
    pub account: Option<ProviderAccount>,
    /// Values for declared inputs.
    pub inputs: BTreeMap<String, String>,
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
    /// The flow sends nothing.
    #[error("flow `{0}` only opens a page: nothing can be sent by it")]
    OnlyOpens(FlowId),
    /// The account has to be chosen.
    #[error("flow `{flow}` could act on {} accounts of this user: choose one", .accounts.len())]
    Choose {
        /// Which flow.
        flow: FlowId,
        /// Among these.
        accounts: Vec<ProviderAccount>,
    },
    /// The account that was chosen is not there any more.
    #[error("account `{account}` is not one that flow `{flow}` could act on")]
    NotThatAccount {
        /// Which flow.
        flow: FlowId,
        /// The id that was chosen, visibly escaped.
        account: String,
    },
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

/// More earlier actions than these are not looked at.
const SHOWN_EARLIER: usize = 10;

/// Plans a run; nothing is sent and nothing is kept.
///
/// # Errors
/// [`PlanError`] where there is nothing that could be shown. What is known but must not be sent is a
/// plan with a refusal in it, so that the analyst sees why.
pub async fn prepare(desk: &Desk, ask: Ask) -> Result<Plan, PlanError> {
    let flow = desk.flow(&ask.flow).ok_or_else(|| PlanError::NoSuchFlow(ask.flow.clone()))?;
    let about = About::load(desk, &ask.login, ask.finding, ask.event).await?;
    let person = Person::load(desk, &ask.login, about.ispm_record()).await;
    let account = choose(flow, about.check(), &person.subject, &ask)?;
    let reading = target::read(desk, flow, account.as_ref(), &ask.login).await;
    let body = payload::body(flow, &about.inputs(desk, &ask, &person, account.as_ref()))?;
    let target_id = target_id(account.as_ref(), &reading.target);
    if flow.route == Route::Okta && target::id(&reading.target).is_none() {
        return Err(unreadable(flow, &ask.login, &reading.target));
    }
    let order = Order {
        flow: flow.id.clone(),
        target: target_id.clone(),
        body,
        action: ask.action.to_string(),
        operator: desk.actor.signed(),
    };
    let request =
        desk.caller.shown(&order).map_err(|why| PlanError::Request { flow: flow.id.clone(), why })?;
    let names = Names::of(&person.subject, person.details.as_ref(), reading.user.as_ref());
    let earlier = earlier(desk, &flow.id, &ask.login, target_id.as_deref()).await?;
    let precedent = guard::precedent(&earlier, desk.now());
    Ok(Plan {
        action: ask.action,
        confirm: Confirm::of(flow.risk, &ask.login, word(flow)),
        cannot_know: doubts::unchecked_aliases(desk, &names)
            .into_iter()
            .chain(doubts::cannot_know(flow, account.as_ref(), &reading.target))
            .collect(),
        caveats: reading.odd.iter().chain(&flow.caveats).cloned().collect(),
        follows: precedent.as_ref().map(|precedent| precedent.action),
        needs_again: doubts::needs_again(desk, precedent, &names, doubts::stranger(&person, &reading)),
        refusal: doubts::refusal(desk, flow, &earlier, &names, &reading),
        undo: undo(flow, &desk.flows),
        reason_required: guard::requires_reason(&desk.guard, flow.risk),
        flow: flow.clone(),
        login: ask.login,
        target_id,
        finding: ask.finding,
        request,
        target: reading.target,
    })
}

/// What undoes a flow, in words: a configured inverse that can be run, else what the flow says.
pub fn undo(flow: &Flow, flows: &[Flow]) -> String {
    let inverse = flow.inverse.as_ref().and_then(|id| flows.iter().find(|other| other.id == *id));
    match inverse.filter(|inverse| inverse.unrunnable().is_none()) {
        Some(inverse) => format!("flow `{}`: {}", inverse.id, inverse.verb),
        None if flow.undo.trim().is_empty() => "nothing that is known here".to_owned(),
        None => flow.undo.clone(),
    }
}

/// Which account is acted on, whichever login led to it.
fn target_id(account: Option<&ProviderAccount>, target: &Target) -> Option<String> {
    let chosen = account.map(|account| account.user_id.raw());
    target::id(target).or(chosen).map(str::to_owned)
}

/// The newest actions of a flow on a login, and on the account behind it, newest first: what an earlier
/// run means for the next.
pub(super) async fn earlier(
    desk: &Desk,
    flow: &FlowId,
    login: &Login,
    target_id: Option<&str>,
) -> Result<Vec<Action>, StoreError> {
    let of_flow = ActionFilter { flow: Some(flow.clone()), may_have_left: true, ..ActionFilter::default() };
    let of_login = ActionFilter { login: Some(login.clone()), ..of_flow.clone() };
    let mut found = desk.store.actions(&of_login, None, SHOWN_EARLIER).await?.rows;
    if let Some(id) = target_id {
        let of_account = ActionFilter { target: Some(id.to_owned()), ..of_flow };
        found.extend(desk.store.actions(&of_account, None, SHOWN_EARLIER).await?.rows);
    }
    found.sort_by_key(|action| Reverse(action.at));
    Ok(found)
}

/// The account that is acted on; `None` where the login is, or where the flow decides.
fn choose(
    flow: &Flow,
    check: Option<&Check>,
    subject: &Subject,
    ask: &Ask,
) -> Result<Option<ProviderAccount>, PlanError> {
    let chosen = ask.account.as_ref();
    let not_that = |account: &ProviderAccount| PlanError::NotThatAccount {
        flow: flow.id.clone(),
        account: account.user_id.to_string(),
    };
    let only_opens = || PlanError::OnlyOpens(flow.id.clone());
    let possible = match fit::fit(flow, check, subject, &Pages::default()).target {
        Ok(FitTarget::Page(_)) => return Err(only_opens()),
        Err(_) if flow.route == Route::Open => return Err(only_opens()),
        Ok(FitTarget::Account(account) | FitTarget::Router(Some(account))) => vec![account],
        Ok(FitTarget::Choose(accounts)) => accounts,
        Ok(FitTarget::Login(_) | FitTarget::Router(None)) => Vec::new(),
        Err(reason) => {
            return Err(PlanError::DoesNotFit {
                flow: flow.id.clone(),
                login: subject.login.clone(),
                reason,
            });
        }
    };
    match (chosen, possible.as_slice()) {
        (Some(chosen), possible) => {
            let is_it = |a: &&ProviderAccount| a.user_id == chosen.user_id && a.provider == chosen.provider;
            possible.iter().find(is_it).cloned().map(Some).ok_or_else(|| not_that(chosen))
        }
        (None, []) => Ok(None),
        (None, [account]) => Ok(Some(account.clone())),
        (None, _) => Err(PlanError::Choose { flow: flow.id.clone(), accounts: possible }),
    }
}

/// The word that a medium risk asks for: the verb itself.
fn word(flow: &Flow) -> &str {
    flow.verb.split_whitespace().next().unwrap_or("run")
}

/// An operation of Okta's own acts on an id, and is legal or not by what Okta says of the user now.
fn unreadable(flow: &Flow, login: &Login, target: &Target) -> PlanError {
    let reason = match target {
        Target::CannotTell(why) => format!("the account cannot be read: {why}"),
        Target::Read { .. } => "the account has no id".to_owned(),
    };
    PlanError::DoesNotFit { flow: flow.id.clone(), login: login.clone(), reason }
}
