//! The plan of a run: what a confirm card and a dry run show.
//!
//! [`prepare`] reads everything anew: the finding and its event from the store, the accounts from the
//! directory, the target from Okta. What it shows is what will leave: the runner rebuilds the request
//! from the plan and compares digests.

use super::about::{About, Person};
use super::blast::{self, Depth};
use super::fit::{Handed, Pages};
use super::others::{Others, Seen};
use super::sight::{self, Aim, Reading};
use super::subject::{Asked, Names};
use super::{Desk, alike, doubts, fit, group, guard, others, protection, said, several, target};
use crate::domain::account_name::AccountName;
use crate::domain::blast::Blast;
use crate::domain::membership::NamedGroup;
use crate::domain::operation::{GROUP, LINK, Operation, Particulars, Whom};
use crate::domain::payload::{self, PayloadError};
use crate::domain::plan::{
    AccountDoubt, AskedFor, Confirm, Difference, FitTarget, Order, Plan, Refusal, Target,
};
use crate::domain::subject::{ProviderAccount, Subject};
use crate::domain::undo::{self, Undoes};
use crate::domain::{
    Action, ActionId, Check, EventId, FindingId, Flow, FlowId, Login, Risk, Route, Untrusted,
};
use crate::store::{ActionFilter, StoreError};
use serde_json::Value;
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
    pub account: Option<AccountName>,
    /// Values for declared inputs.
    pub inputs: BTreeMap<String, String>,
    /// What it is to undo: then no other account may be acted on.
    pub undoes: Option<Undoes>,
}

impl Ask {
    /// By which a plan was made.
    pub(super) fn of(plan: &Plan) -> Ask {
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
    pub(super) fn asked(&self) -> AskedFor {
        AskedFor { event: self.event, account: self.account.clone(), inputs: self.inputs.clone() }
    }

    /// The same of a step of it, with what that takes of its inputs.
    pub(super) fn step(&self, number: u8, flow: &Flow) -> Ask {
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

/// More earlier actions than these are not looked at.
const SHOWN_EARLIER: usize = 10;
/// The same of those whose end nobody knows, and of those that may have proven it since.
const UNKNOWN_EARLIER: usize = 50;

/// Plans a run; nothing is sent and nothing is kept.
///
/// # Errors
/// [`PlanError`] where there is nothing that could be shown. What is known but must not be sent is a
/// plan with a refusal in it, so that the analyst sees why.
pub async fn prepare(desk: &Desk, ask: Ask) -> Result<Plan, PlanError> {
    prepare_to(desk, ask, Depth::Whole).await
}

/// The same, with so much looked at beside the target.
///
/// # Errors
/// As [`prepare`].
pub async fn prepare_to(desk: &Desk, ask: Ask, depth: Depth) -> Result<Plan, PlanError> {
    let flow = desk.flow(&ask.flow).ok_or_else(|| PlanError::NoSuchFlow(ask.flow.clone()))?;
    let access = async { Ok(desk.caller.access_to(flow).await) };
    let (plan, access) = futures_util::try_join!(prepared(desk, flow, ask, depth), access)?;
    Ok(Plan { access: Some(access), ..plan })
}

/// The same for what was shown already: what only informs is not read again.
///
/// # Errors
/// As [`prepare`].
pub(super) async fn prepare_again(desk: &Desk, ask: Ask, depth: Depth) -> Result<Plan, PlanError> {
    let flow = desk.flow(&ask.flow).ok_or_else(|| PlanError::NoSuchFlow(ask.flow.clone()))?;
    prepared(desk, flow, ask, depth).await
}

async fn prepared(desk: &Desk, flow: &Flow, ask: Ask, depth: Depth) -> Result<Plan, PlanError> {
    let mut known = Known::load(desk, flow, &ask).await?;
    if !flow.steps.is_empty() {
        return several::planned(desk, flow, &ask, known, depth).await;
    }
    let body = known.body(desk, flow, &ask)?;
    let aim = Aim::of(flow, &known.particulars, &body);
    known.reading = match known.handed(flow) {
        Handed::Account => known.look(desk, flow, &ask, &aim).await,
        Handed::Whole => Reading::of_no_account(),
    };
    known.look_around(desk, flow, (&ask, &body), depth).await;
    planned(desk, flow, &ask, &known).await
}

/// Everything that was read for a plan.
pub(super) struct Known {
    about: About,
    person: Person,
    account: Option<ProviderAccount>,
    pub(super) particulars: Particulars,
    pub(super) reading: Reading,
    others: Others,
    blast: Option<Blast>,
}

impl Known {
    async fn load(desk: &Desk, flow: &Flow, ask: &Ask) -> Result<Known, PlanError> {
        let about = About::load(desk, &ask.login, ask.finding, ask.event).await?;
        let person = match flow.creates() {
            true => Person::nobody(&ask.login),
            false => {
                let person = Person::load(desk, &ask.login, about.ispm_record()).await;
                Person { subject: fit::as_told(flow, &person.subject), ..person }
            }
        };
        let account = match (flow.creates(), &ask.account) {
            // Who is made has none yet.
            (true, Some(named)) => return Err(not_that(flow, named, Vec::new())),
            (true, None) => None,
            (false, _) => {
                choose(flow, about.check(), &person.subject, ask).map_err(|error| unread(error, &person))?
            }
        };
        let particulars = particulars(desk, flow, ask).await?;
        let (reading, others) = (Reading::not_yet(), Others::default());
        Ok(Known { about, person, account, particulars, reading, others, blast: None })
    }

    /// Looks at the account that is acted on. A flow that is told a login alone acts on the one that goes by it at
    /// Okta; where none does, it may know the person by it as the directory does.
    async fn look(&self, desk: &Desk, flow: &Flow, ask: &Ask, aim: &Aim) -> Reading {
        let account = self.account.as_ref();
        if !flow.is_told_id() {
            let reading = sight::read(desk, flow, (None, &ask.login), aim).await;
            if account.is_none() || reading.missing.is_none() {
                return reading;
            }
        }
        sight::read(desk, flow, (account, &ask.login), aim).await
    }

    /// Sees how far it reaches, once the target is read. Who is not there yet has nothing.
    pub(super) async fn look_around(
        &mut self,
        desk: &Desk,
        flow: &Flow,
        (ask, body): (&Ask, &str),
        depth: Depth,
    ) {
        if flow.creates() {
            return;
        }
        let (about, person, account) = (&self.about, &self.person, self.account.as_ref());
        let (handed, record, reading) = (self.handed(flow), about.ispm_record(), &self.reading);
        let seen = Seen { handed, record, body, person, account, reading };
        self.others = others::read(desk, &seen).await;
        let (user, others) = (reading.user.as_ref(), &self.others);
        let whose = blast::Whose { flow, about, person, account, user, others };
        self.blast = blast::read(desk, ask, whose, depth).await;
    }

    /// What a run is confirmed by: where it asks for the login, for that of the account.
    pub(super) fn confirm(&self, flow: &Flow, ask: &Ask) -> Confirm {
        let login = self.others.login();
        Confirm::of(self.risk(flow), login.as_ref().unwrap_or(&ask.login), word(flow))
    }

    /// The risk of a flow on this person.
    pub(super) fn risk(&self, flow: &Flow) -> Risk {
        let is_raised = self.blast.as_ref().is_some_and(Blast::is_of_administrator);
        if is_raised { flow.risk.raised() } else { flow.risk }
    }

    /// The account that was chosen, if one is known.
    pub(super) fn account(&self) -> Option<&ProviderAccount> {
        self.account.as_ref()
    }

    /// What does not fit is refused before.
    fn handed(&self, flow: &Flow) -> Handed {
        fit::handed(flow, &self.person.subject).unwrap_or(Handed::Account)
    }

    /// Why it may be another's account.
    fn account_doubt(&self, flow: &Flow, ask: &Ask, unsure: Option<String>) -> Option<AccountDoubt> {
        let Known { person, account, reading, others, .. } = self;
        let why = doubts::joined([
            fit::doubt(flow, &person.subject, account.as_ref()),
            doubts::contradicted(person, account.as_ref(), reading),
            doubts::stranger(person, reading),
            others.doubt(&ask.login),
            unsure,
        ])?;
        let shown = || reading.user.as_ref()?.profile_text("login").map(|login| Login::new(login.raw()));
        Some(AccountDoubt { why, login: others.login().or_else(shown) })
    }

    fn body(&self, desk: &Desk, flow: &Flow, ask: &Ask) -> Result<String, PayloadError> {
        payload::body(flow, &self.about.inputs(desk, ask, &self.person, self.account.as_ref()))
    }
}

/// What an operation is told besides: the group has to be found, and who gets a link has to be said rightly.
async fn particulars(desk: &Desk, flow: &Flow, ask: &Ask) -> Result<Particulars, PlanError> {
    let delivery = Particulars::delivery_asked(&ask.inputs).map_err(|said| PayloadError::WrongType {
        input: LINK.to_owned(),
        flow: flow.id.clone(),
        wanted: "`true` or `false`",
        value: Untrusted::from(said).to_string(),
    })?;
    let mut particulars = Particulars { delivery, ..Particulars::default() };
    if flow.operation.is_some_and(Operation::is_of_group) {
        let missing = || PayloadError::Missing { input: GROUP.to_owned(), flow: flow.id.clone() };
        let asked = Particulars::group_asked(&ask.inputs).ok_or_else(missing)?;
        let found = group::find(desk, asked).await;
        // The group is the same for everybody.
        let (flow, login) = (flow.id.clone(), ask.login.clone());
        let group = found.map_err(|reason| PlanError::Unread { flow, login, reason })?;
        particulars.group = Some(group);
    }
    Ok(particulars)
}

/// The plan of one action, from what was read.
pub(super) async fn planned(desk: &Desk, flow: &Flow, ask: &Ask, known: &Known) -> Result<Plan, PlanError> {
    let Known { person, account, particulars, reading, others, .. } = known;
    let risk = known.risk(flow);
    let body = known.body(desk, flow, ask)?;
    let aim = Aim::of(flow, particulars, &body);
    let target_id = target_id(account.as_ref(), &reading.target);
    if flow.route == Route::Okta && !is_on_somebody(&reading.target, &aim, particulars) {
        return Err(unreadable(flow, &ask.login, reading));
    }
    let named = NamedGroup::of_body(&body);
    let order = Order {
        flow: flow.id.clone(),
        target: target_id.clone(),
        body,
        action: ask.action.to_string(),
        operator: desk.actor.signed(),
        particulars: particulars.clone(),
    };
    let request =
        desk.caller.shown(&order).map_err(|why| PlanError::Request { flow: flow.id.clone(), why })?;
    let names = match flow.creates() || particulars.whom == Whom::Made {
        true => Names::of_nobody(&ask.login),
        false => {
            let names = Names::of(&person.subject, person.details.as_ref(), reading.user.as_ref());
            let cii = if person.details.is_some() { Asked::Yes } else { Asked::No };
            let acted_on = (reading.user.as_ref(), account.as_ref());
            let groups = protection::okta_groups(desk, acted_on, &person.subject, &others.ids()).await;
            others.added_to(names).with_okta_groups(groups, cii)
        }
    };
    let names = names.with_group(particulars.group.as_ref().map(|group| &group.name));
    let earlier = earlier(desk, flow, &ask.login, target_id.as_deref()).await?;
    let precedent =
        guard::precedent(&alike::alike(flow, &earlier, (&request, particulars.group.as_ref())), desk.now());
    let shared = doubts::shared_mail(desk, &aim).await;
    let by_inputs = said::look(desk, flow, (&ask.inputs, &ask.login), &names).await;
    let told = doubts::told_login(flow, person, account.as_ref(), reading);
    let account_doubt = known.account_doubt(flow, ask, told.unsure);
    let untold = others.untold();
    let own = || account.as_ref().map(|account| account.login.clone()).filter(|login| !login.is_empty());
    Ok(Plan {
        account_login: others.login().or_else(own).filter(|login| *login != ask.login),
        action: ask.action,
        step: None,
        is_test: false,
        risk,
        access: None,
        blast: known.blast.clone(),
        confirm: known.confirm(flow, ask),
        undoes: ask.undoes.clone(),
        verb: match flow.operation {
            Some(operation) => particulars.verb(operation, &flow.verb),
            None => flow.verb_on(&named),
        },
        cannot_know: doubts::unchecked_aliases(desk, &names)
            .into_iter()
            .chain(doubts::cannot_know(
                flow,
                (account.as_ref(), known.handed(flow)),
                (&reading.target, particulars.whom),
                &aim,
            ))
            .chain(untold.iter().map(|why| format!("whom the flow acts on: {why}")))
            .chain(shared.unknown)
            .chain(by_inputs.cannot_know)
            .chain(whether_the_same(ask))
            .collect(),
        caveats: left(ask).chain(reading.odd.iter().chain(flow.caveats_on(&named)).cloned()).collect(),
        follows: precedent.as_ref().map(|precedent| precedent.action),
        needs_again: doubts::needs_again(
            precedent,
            account_doubt
                .iter()
                .map(|doubt| doubt.why.clone())
                .chain(shared.others)
                .chain(anothers(ask, &earlier, (&aim, reading)))
                .chain(by_inputs.doubts),
        ),
        account_doubt,
        asked: ask.asked(),
        refusal: another(ask, target_id.as_deref(), particulars)
            .or_else(|| told.another.map(Refusal::from))
            .or_else(|| by_inputs.refusal.map(Refusal::from))
            .or_else(|| doubts::refusal(desk, flow, &earlier, (&names, untold.as_deref()), (reading, &aim))),
        undo: undo(flow, &desk.flows),
        reason_required: guard::requires_reason(&desk.guard, risk),
        differences: differences(&aim, reading),
        flow: flow.clone(),
        login: ask.login.clone(),
        target_id,
        finding: ask.finding,
        request,
        particulars: particulars.clone(),
        steps: Vec::new(),
        target: reading.target.clone(),
    })
}

/// An operation of Okta's own acts on an id that was read, or makes the account, or follows who makes it.
fn is_on_somebody(target: &Target, aim: &Aim, particulars: &Particulars) -> bool {
    let makes = matches!(aim, Aim::Exists(_)) && matches!(target, Target::Read { .. });
    target::id(target).is_some() || makes || particulars.whom == Whom::Made
}

/// What a profile will hold that it does not hold now.
fn differences(aim: &Aim, reading: &Reading) -> Vec<Difference> {
    match (aim, &reading.user) {
        (Aim::Fields(wanted), Some(user)) => target::differing(&user.profile, wanted),
        (Aim::Exists(wanted), None) => target::differing(&Value::Null, wanted),
        _ => Vec::new(),
    }
}

/// What undoes a flow, in words: a configured inverse that can be run, else what the flow says.
pub fn undo(flow: &Flow, flows: &[Flow]) -> String {
    let inverse = flow.inverse.as_ref().and_then(|id| flows.iter().find(|other| other.id == *id));
    match inverse.filter(|inverse| inverse.unrunnable().is_none()) {
        Some(inverse) => {
            let left = undo::left_by_undoing(flow).map(|left| format!("; {left}")).unwrap_or_default();
            format!("flow `{}`: {}{left}", inverse.id, inverse.verb)
        }
        None if flow.undo.trim().is_empty() => "nothing that is known here".to_owned(),
        None => flow.undo.clone(),
    }
}

/// Why a run would not undo what it is to undo: the account, or the group, is another one.
fn another(ask: &Ask, target_id: Option<&str>, particulars: &Particulars) -> Option<Refusal> {
    let undoes = ask.undoes.as_ref()?;
    let meant = Particulars::group_asked(&ask.inputs);
    let group = particulars.group.as_ref().filter(|group| meant.is_some_and(|meant| meant != group.id));
    let of_group = || group.map(|group| format!("the group of that id is gone; `{}` is another", group.name));
    undoes.another(target_id).or_else(of_group).map(Refusal::from)
}

/// Why what is to be undone may be somebody else's by now. Only what is about a status shows in when that changed.
fn anothers(ask: &Ask, earlier: &[Action], (aim, reading): (&Aim, &Reading)) -> Vec<String> {
    let user = reading.user.as_ref().filter(|_| matches!(aim, Aim::Status(_)));
    let changed = user.and_then(|user| user.status_changed);
    ask.undoes.as_ref().map(|undoes| undoes.anothers(earlier, changed)).unwrap_or_default()
}

/// What stays undone behind an undoing.
fn left(ask: &Ask) -> impl Iterator<Item = String> {
    ask.undoes.iter().filter_map(|undoes| undoes.left).map(str::to_owned)
}

/// Where nobody knows which account the action was on, nobody can say that this is the same.
fn whether_the_same(ask: &Ask) -> Option<String> {
    let undoes = ask.undoes.as_ref().filter(|undoes| undoes.account.is_none())?;
    Some(format!("whether it is the account that action {} was on: that is not known", undoes.action))
}

/// Which account is acted on, whichever login led to it.
fn target_id(account: Option<&ProviderAccount>, target: &Target) -> Option<String> {
    let chosen = account.map(|account| account.user_id.raw());
    target::id(target).or(chosen).map(str::to_owned)
}

/// The newest actions on a login, and on the account behind it, by whichever flow does the same, newest first:
/// what an earlier run means for the next.
pub(super) async fn earlier(
    desk: &Desk,
    flow: &Flow,
    login: &Login,
    target_id: Option<&str>,
) -> Result<Vec<Action>, StoreError> {
    let mut found: Vec<Action> = Vec::new();
    for flow in desk.same_as(flow) {
        let of_flow = || ActionFilter { flow: Some(flow.clone()), ..ActionFilter::default() };
        let of_login = ActionFilter { login: Some(login.clone()), ..of_flow() };
        let of_account = target_id.map(|id| ActionFilter { target: Some(id.to_owned()), ..of_flow() });
        for of in std::iter::once(of_login).chain(of_account) {
            let newest = ActionFilter { may_have_left: true, ..of.clone() };
            let unknown = ActionFilter { tells_unknown: true, ..of };
            for (of, most) in [(newest, SHOWN_EARLIER), (unknown, UNKNOWN_EARLIER)] {
                found.extend(desk.store.actions(&of, None, most).await?.rows);
            }
        }
    }
    // Whoever tried a flow with the sample did nothing to anybody.
    found.retain(|action| !action.is_test);
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
    let only_opens = || PlanError::OnlyOpens(flow.id.clone());
    let possible = match fit::fit(flow, check, subject, &Pages::default()).target {
        Ok(FitTarget::Page(_)) => return Err(only_opens()),
        Err(_) if flow.route == Route::Open => return Err(only_opens()),
        Ok(FitTarget::Account(account) | FitTarget::Router(Some(account))) => vec![account],
        Ok(FitTarget::Choose(accounts)) => accounts,
        Ok(FitTarget::Login(_) | FitTarget::Router(None)) => Vec::new(),
        Err(reason) => return Err(does_not_fit(flow, &subject.login, reason)),
    };
    // Where there are several, what is undone was done to one of them.
    let was = ask.undoes.as_ref().and_then(|undoes| undoes.account.as_deref());
    let of_undone = || possible.iter().find(|account| Some(account.user_id.raw()) == was);
    let among = match &ask.account {
        Some(named) => {
            let meant: Vec<_> = possible.iter().filter(|account| named.is_of(account)).cloned().collect();
            if meant.is_empty() {
                return Err(not_that(flow, named, possible));
            }
            meant
        }
        None => of_undone().map_or(possible.clone(), |account| vec![account.clone()]),
    };
    match among.as_slice() {
        [] => Ok(None),
        [first, others @ ..] if others.iter().all(|other| other.is_same(first)) => Ok(Some(first.clone())),
        _ => Err(PlanError::Choose { flow: flow.id.clone(), login: subject.login.clone(), accounts: among }),
    }
}

fn not_that(flow: &Flow, named: &AccountName, accounts: Vec<ProviderAccount>) -> PlanError {
    PlanError::NotThatAccount { flow: flow.id.clone(), account: named.clone(), accounts }
}

/// The word that a medium risk asks for: the verb itself.
pub(super) fn word(flow: &Flow) -> &str {
    flow.word()
}

fn unreadable(flow: &Flow, login: &Login, reading: &Reading) -> PlanError {
    match &reading.target {
        Target::CannotTell(why) => {
            let reason = format!("the account cannot be read: {why}");
            // That there is nobody is known.
            if reading.missing.is_some() {
                return does_not_fit(flow, login, reason);
            }
            PlanError::Unread { flow: flow.id.clone(), login: login.clone(), reason }
        }
        Target::Read { .. } => does_not_fit(flow, login, "the account has no id".to_owned()),
    }
}

/// What does not fit may fit once the accounts can be read.
fn unread(error: PlanError, person: &Person) -> PlanError {
    let problems = person.details.iter().flat_map(|part| &part.problems);
    let failed = problems.filter(|problem| !problem.says_nobody()).count() > 0;
    match error {
        PlanError::DoesNotFit { flow, login, reason }
            if failed && person.subject.accounts_unknown.is_some() =>
        {
            PlanError::Unread { flow, login, reason }
        }
        error => error,
    }
}

fn does_not_fit(flow: &Flow, login: &Login, reason: String) -> PlanError {
    PlanError::DoesNotFit { flow: flow.id.clone(), login: login.clone(), reason }
}
