//! The plan of a run: what a confirm card and a dry run show.
//!
//! [`prepare`] reads everything anew: the finding and its event from the store, the accounts from the
//! directory, the target from Okta. What it shows is what will leave: the runner rebuilds the request
//! from the plan and compares digests.

mod ask;
mod known;

pub use ask::{Ask, PlanError};

use super::blast::Depth;
use super::fit::Handed;
use super::sight::{Aim, Reading};
use super::subject::{Asked, Names};
use super::{Desk, alike, doubts, guard, protection, said, several, target};
use crate::domain::membership::NamedGroup;
use crate::domain::operation::{Particulars, Whom};
use crate::domain::plan::{Difference, Order, Plan, Refusal, Target};
use crate::domain::subject::ProviderAccount;
use crate::domain::undo;
use crate::domain::{Action, Flow, Login, Route};
use crate::store::{ActionFilter, StoreError};
use known::does_not_fit;
use serde_json::Value;
use std::cmp::Reverse;

pub(super) use known::Known;

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
    desk.without_secrets(&ask.inputs)?;
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
    planned(desk, flow, (&ask, body), &known).await
}

/// The plan of one action, from what was read.
pub(super) async fn planned(
    desk: &Desk,
    flow: &Flow,
    (ask, body): (&Ask, String),
    known: &Known,
) -> Result<Plan, PlanError> {
    let Known { person, account, particulars, reading, others, .. } = known;
    let risk = known.risk(flow);
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
        made_of: known.made_of(desk, flow, (ask, &request))?,
        unread: person.unread(),
        refusal: another(ask, target_id.as_deref(), particulars)
            .or_else(|| told.another.map(Refusal::from))
            .or(by_inputs.refusal)
            .or_else(|| doubts::refusal(desk, flow, &earlier, (&names, untold.as_deref()), (reading, &aim))),
        undo: undo::words(flow, &desk.flows),
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
