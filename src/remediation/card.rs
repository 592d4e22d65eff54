//! The plan of a run: what a confirm card and a dry run show.
//!
//! [`prepare`] reads everything anew: the finding and its event from the store, the accounts from the
//! directory, the target from Okta. What it shows is what will leave: the runner rebuilds the request
//! from the plan and compares digests.

use super::fit::Pages;
use super::guard::Precedent;
use super::subject::{Names, subject};
use super::target::{self, Reading};
use super::{Desk, fit, guard};
use crate::domain::dossier::{EndUser, LoadedPart, Part};
use crate::domain::event::EventDetail;
use crate::domain::flow::ProvenBy;
use crate::domain::payload::{self, Inputs, PayloadError};
use crate::domain::plan::{Confirm, FitTarget, Order, Plan, Refusal, Target};
use crate::domain::query::{Pattern, Query, Term, Test};
use crate::domain::subject::{ProviderAccount, Subject};
use crate::domain::{
    Action, ActionId, Check, CheckId, EventId, Finding, FindingId, Flow, FlowId, Login, PartName, Route,
    Untrusted,
};
use crate::store::{ActionFilter, From, StoreError};
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
        cannot_know: unchecked_aliases(desk, &names)
            .into_iter()
            .chain(cannot_know(flow, account.as_ref(), &reading.target))
            .collect(),
        caveats: reading.odd.iter().chain(&flow.caveats).cloned().collect(),
        follows: precedent.as_ref().map(|precedent| precedent.action),
        needs_again: needs_again(desk, precedent, &names, stranger(&person, &reading)),
        refusal: refusal(desk, flow, &earlier, &names, &reading),
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

/// What the run is about: the finding and the event behind it.
pub(super) struct About {
    finding: Option<Finding>,
    event: Option<EventDetail>,
}

impl About {
    pub(super) async fn load(
        desk: &Desk,
        login: &Login,
        id: Option<FindingId>,
        of_event: Option<EventId>,
    ) -> Result<About, PlanError> {
        let finding = match id {
            Some(id) => Some(finding(desk, id, login).await?),
            None => None,
        };
        let check = finding.as_ref().map(|finding| &finding.check.id);
        let event = match (of_event, check) {
            (None, None) => None,
            (id, check) => event(desk, id, login, check).await?,
        };
        Ok(About { finding, event })
    }

    /// The page that the event refers to.
    pub(super) fn reference_url(&self) -> Option<&Untrusted> {
        self.event.as_ref().and_then(|detail| detail.reference_url.as_ref())
    }

    pub(super) fn check(&self) -> Option<&Check> {
        let of_event = || self.event.as_ref().map(|detail| &detail.event.check);
        self.finding.as_ref().map(|finding| &finding.check).or_else(of_event)
    }

    pub(super) fn ispm_record(&self) -> Option<&str> {
        self.event.as_ref().and_then(EventDetail::ispm_record)
    }

    fn inputs<'a>(
        &'a self,
        desk: &Desk,
        ask: &'a Ask,
        person: &'a Person,
        account: Option<&'a ProviderAccount>,
    ) -> Inputs<'a> {
        Inputs {
            action: ask.action,
            now: desk.now(),
            finding: self.finding.as_ref(),
            event: self.event.as_ref(),
            reference_url: person.reference_url(),
            subject: &person.subject,
            target: account,
            extra: &ask.inputs,
        }
    }
}

async fn finding(desk: &Desk, id: FindingId, login: &Login) -> Result<Finding, PlanError> {
    let finding = desk.store.finding(id).await?.ok_or(PlanError::NoSuchFinding(id))?;
    if finding.login != *login {
        return Err(PlanError::AnothersFinding { finding: id, of: finding.login, login: login.clone() });
    }
    Ok(finding)
}

/// The event asked for, or the newest; either way one that names the login, since its texts and its
/// record go into the body.
async fn event(
    desk: &Desk,
    id: Option<EventId>,
    login: &Login,
    check: Option<&CheckId>,
) -> Result<Option<EventDetail>, PlanError> {
    let from = id.map_or(From::Newest, |id| From::Before(EventId(id.0.saturating_add(1))));
    let page = desk.store.events(&naming(login, check), from, 1).await?;
    let found = page.rows.first().map(|event| event.id);
    match (id, found) {
        (Some(wanted), found) if found != Some(wanted) => {
            Err(PlanError::AnothersEvent { event: wanted, login: login.clone() })
        }
        (_, Some(found)) => Ok(desk.store.event(found).await?),
        (_, None) => Ok(None),
    }
}

fn naming(login: &Login, check: Option<&CheckId>) -> Query {
    let user = Test::User(Pattern::exactly(login.raw()));
    let check = check.map(|check| Test::Check(Pattern::exactly(check.raw())));
    let terms = [Some(user), check].into_iter().flatten().map(|test| Term { negated: false, test });
    Query { terms: terms.collect() }
}

/// Who is acted on, as the directory knows them now.
pub(super) struct Person {
    details: Option<Part<EndUser>>,
    pub(super) subject: Subject,
}

impl Person {
    /// The page that Cisco Identity Intelligence names for them.
    pub(super) fn reference_url(&self) -> Option<&Untrusted> {
        let user = self.details.as_ref().and_then(|part| part.data.as_ref());
        user.and_then(|user| user.end_user_details.reference_url.as_ref())
    }

    pub(super) async fn load(desk: &Desk, login: &Login, ispm_record: Option<&str>) -> Person {
        let details = details(desk, login).await;
        let mut subject = subject(login, details.as_ref(), ispm_record);
        if details.is_none() && subject.accounts_unknown.is_some() {
            subject.accounts_unknown = Some("Cisco Identity Intelligence is not configured".to_owned());
        }
        Person { details, subject }
    }
}

async fn details(desk: &Desk, login: &Login) -> Option<Part<EndUser>> {
    if !desk.directory.parts().contains(&PartName::CiiDetails) {
        return None;
    }
    match desk.directory.part(PartName::CiiDetails, login).await {
        LoadedPart::CiiDetails(part) => Some(*part),
        _ => None,
    }
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

fn refusal(
    desk: &Desk,
    flow: &Flow,
    earlier: &[Action],
    names: &Names,
    reading: &Reading,
) -> Option<Refusal> {
    guard::refusal(&desk.guard, desk.mode, names)
        .or_else(|| guard::still_open(earlier))
        .or_else(|| reading.missing.clone())
        .map(Refusal::from)
        .or_else(|| target::forbids(reading.user.as_ref()?, flow))
}

/// An operation of Okta's own acts on an id, and is legal or not by what Okta says of the user now.
fn unreadable(flow: &Flow, login: &Login, target: &Target) -> PlanError {
    let reason = match target {
        Target::CannotTell(why) => format!("the account cannot be read: {why}"),
        Target::Read { .. } => "the account has no id".to_owned(),
    };
    PlanError::DoesNotFit { flow: flow.id.clone(), login: login.clone(), reason }
}

fn needs_again(
    desk: &Desk,
    precedent: Option<Precedent>,
    names: &Names,
    stranger: Option<String>,
) -> Option<String> {
    let before = precedent.map(|precedent| precedent.why);
    let groups = guard::cannot_check_groups(&desk.guard, names)
        .then(|| "the user's groups cannot be read, so whether one is protected is not known".to_owned());
    let texts: Vec<String> = [before, stranger, groups].into_iter().flatten().collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// That the account which would be acted on goes by a login that nothing else knows for this person. An
/// id comes from a record or a directory that may be wrong; the login that Okta shows is what the analyst
/// can compare.
fn stranger(person: &Person, reading: &Reading) -> Option<String> {
    let shown = reading.user.as_ref()?.profile_text("login")?;
    let known = Names::of(&person.subject, person.details.as_ref(), None);
    let is_known = known.iter().any(|name| name == Login::new(shown.raw()).folded());
    let login = &person.subject.login;
    (!is_known).then(|| format!("in Okta this account is `{shown}`, not a login known of `{login}`"))
}

/// A list of protected logins blocks nobody, but what it was not held against is said.
fn unchecked_aliases(desk: &Desk, names: &Names) -> Option<String> {
    guard::cannot_check_aliases(&desk.guard, names).then(|| {
        "whether another login of this person is protected: their linked logins cannot be read".into()
    })
}

fn cannot_know(flow: &Flow, account: Option<&ProviderAccount>, target: &Target) -> Vec<String> {
    let mut unknown = Vec::new();
    match (account, flow.product) {
        // What is acted on is the id that was read, whoever named it.
        (None, Some(_)) if flow.operation.is_some() => {}
        (None, Some(product)) => unknown.push(format!(
            "which {} account the login belongs to: no id is known, so the flow is given the login",
            product.ispm_name()
        )),
        (None, None) => unknown.push("what the flow acts on: no account id is known to tell it".to_owned()),
        (Some(_), None) => unknown.push("which of its branches the flow takes, if any".to_owned()),
        (Some(_), Some(_)) => {}
    }
    if flow.caveats.is_empty() {
        unknown.push("whether the flow checks the id's product".to_owned());
    }
    // An operation of Okta's own has ended when it is answered; what it changes may settle later.
    if !flow.is_final && flow.operation.is_none() {
        unknown.push("when the run ends: it may answer earlier".to_owned());
    }
    unknown.push(effect(flow, target).to_owned());
    if matches!(flow.proven_by, Some(ProvenBy::Suspended | ProvenBy::Deactivated)) {
        unknown.push("whether sessions inside applications end".to_owned());
    }
    unknown
}

fn effect(flow: &Flow, target: &Target) -> &'static str {
    match (flow.proven_by, target) {
        (None, _) => "whether it works: nothing that is re-read here proves it",
        (Some(_), Target::CannotTell(_)) => "whether it works: the account cannot be re-read",
        (Some(_), Target::Read { .. }) => "whether it works, until the account is re-read",
    }
}
