//! The flows for a finding: all of them at once, those that run something first, then those that open a
//! page, the suggested first of each; refused ones are grey with the reason.
//!
//! What is configured is listed before anything is asked; whether a flow *fits* needs the person's
//! accounts, which a throttled tenant may take a minute to tell. So the order is made of what is known at
//! once, and an answer only fills in its row: no row moves under a finger. A flow that is chosen before
//! its fit is known does nothing but say so.

mod find;

use super::effect::{Effect, RunAsk};
use super::form;
use super::layout::Size;
use super::link;
use super::list::Cursor;
use super::msg::Motion;
use super::prompt;
use super::state::{Awaited, Overlay, State};
use crate::domain::access::{self, Access};
use crate::domain::plan::{Fit, FitTarget};
use crate::domain::subject::ProviderAccount;
use crate::domain::{CheckId, Flow, FlowId, Route, Untrusted, preset};
use find::Sought;
use jiff::SignedDuration;
use tui_input::{Input, InputRequest};

/// One flow of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The flow.
    pub flow: Flow,
    /// Whether it is suggested for the finding's check.
    pub is_suggested: bool,
    /// What it would act on, or why it cannot run; `None` while it is found out.
    pub target: Option<Result<FitTarget, String>>,
}

/// The list of flows for a subject.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowList {
    /// On whom, from where.
    pub ask: RunAsk,
    /// The flows.
    pub offers: Vec<Offer>,
    /// The selected flow.
    pub cursor: Cursor<FlowId>,
    /// Where a flow's product has several accounts: the flow, and the accounts to choose from.
    pub choice: Option<(FlowId, Vec<ProviderAccount>)>,
    /// What is typed to find a flow, where something can be.
    pub finder: Option<Finder>,
}

/// More flows than this have no number: they are found by typing.
pub const NUMBERED: usize = 9;

/// The text that finds flows.
#[derive(Debug, Clone, Default)]
pub struct Finder {
    /// What is typed.
    pub input: Input,
    /// Whether it was asked for: numbers are typed too then.
    is_asked: bool,
}

/// What is typed is what it is, wherever the cursor stands in it.
impl PartialEq for Finder {
    fn eq(&self, other: &Finder) -> bool {
        (self.input.value(), self.is_asked) == (other.input.value(), other.is_asked)
    }
}

impl FlowList {
    /// Whether it is for many: whom a flow fits is told on the card.
    pub fn is_for_many(&self) -> bool {
        !self.ask.many.is_empty()
    }

    /// The flows that are shown, each with its place among all: its number, as long as the list is there. Where
    /// something is typed the one that is called so is the first; of two alike the suggested one.
    pub fn shown(&self) -> Vec<(usize, &Offer)> {
        let all = self.offers.iter().enumerate();
        if self.typed().trim().is_empty() {
            return all.collect();
        }
        let sought = Sought::new(self.typed());
        let ranked = all.filter_map(|(at, offer)| Some((sought.rank(&offer.flow)?, (at, offer))));
        let mut ranked: Vec<_> = ranked.collect();
        ranked.sort_by_key(|(rank, (_, offer))| (*rank, !offer.is_suggested));
        ranked.into_iter().map(|(_, found)| found).collect()
    }

    /// The ids of the flows that are shown.
    pub fn ids(&self) -> Vec<FlowId> {
        self.shown().into_iter().map(|(_, offer)| offer.flow.id.clone()).collect()
    }

    /// What is typed.
    pub fn typed(&self) -> &str {
        self.finder.as_ref().map_or("", |finder| finder.input.value())
    }

    /// Whether something is typed.
    pub fn has_text(&self) -> bool {
        !self.typed().is_empty()
    }

    /// Whether letters are typed.
    pub fn takes_text(&self) -> bool {
        self.choice.is_none() && self.finder.is_some()
    }

    /// How many flows are visible: the text stands above them.
    pub fn rows(&self, size: Size) -> usize {
        size.overlay_list_rows().saturating_sub(usize::from(self.takes_text())).max(1)
    }

    /// Whether a number chooses.
    pub fn takes_number(&self) -> bool {
        self.choice.is_some()
            || self.finder.as_ref().is_none_or(|finder| !finder.is_asked && !self.has_text())
    }

    /// Shows all again, where something was typed or was to be; says whether it was.
    pub fn is_cleared(&mut self) -> bool {
        let was = self.finder.as_ref().is_some_and(|finder| finder.is_asked) || self.has_text();
        if was {
            self.finder = finder(&self.offers);
        }
        was
    }

    /// The place of the selected flow among all.
    fn at(&self) -> Option<usize> {
        let selected = self.cursor.index(&self.ids());
        self.shown().get(selected).map(|(at, _)| *at)
    }

    fn pending(&mut self) -> impl Iterator<Item = &mut Offer> {
        self.offers.iter_mut().filter(|offer| offer.target.is_none())
    }
}

/// Letters find flows at once where there are more than have numbers.
fn finder(offers: &[Offer]) -> Option<Finder> {
    (offers.len() > NUMBERED).then(Finder::default)
}

/// The filter's key: what is typed from now on finds flows.
pub fn typed(state: &mut State) {
    if let Some(Overlay::Flows(list)) = &mut state.overlay
        && list.choice.is_none()
    {
        list.finder.get_or_insert_default().is_asked = true;
    }
}

/// The text was edited: the cursor goes to the first flow that it finds.
pub fn edited(list: &mut FlowList, request: InputRequest) {
    change(list, |input| {
        input.handle(request);
    });
}

/// A text was pasted.
pub fn pasted(list: &mut FlowList, text: &str) {
    change(list, |input| prompt::pasted(input, text));
}

fn change(list: &mut FlowList, change: impl FnOnce(&mut Input)) {
    let Some(finder) = list.finder.as_mut().filter(|_| list.choice.is_none()) else { return };
    let before = finder.input.value().to_owned();
    change(&mut finder.input);
    if list.typed() != before {
        list.cursor = Cursor::default();
    }
}

/// Opens the list.
pub fn open(state: &mut State, ask: RunAsk) -> Vec<Effect> {
    let mut effects = given_up(state);
    let mut list = FlowList {
        ask: ask.clone(),
        offers: offers(&state.settings.flows, ask.check.as_ref()),
        cursor: Cursor::default(),
        choice: None,
        finder: None,
    };
    list.finder = finder(&list.offers);
    if list.is_for_many() {
        let opens = |offer: &&mut Offer| offer.flow.route == Route::Open;
        for offer in list.offers.iter_mut().filter(opens) {
            offer.target = Some(Err("opens a page: for one user at a time".to_owned()));
        }
    } else {
        let request = state.flights.open(Awaited::Fits);
        effects.push(Effect::FitFlows { request, ask });
    }
    let is_for_one = !list.is_for_many();
    state.overlay = Some(Overlay::Flows(Box::new(list)));
    if is_for_one {
        effects.extend(preview(state));
    }
    effects
}

/// Roles change rarely: what they allow is read again after so long.
const PREVIEW_KEPT: SignedDuration = SignedDuration::from_mins(5);

/// Reads what the roles of whoever sits here allow, where a flow of the list is run by hand.
fn preview(state: &mut State) -> Option<Effect> {
    let is_listed = state.settings.flows.iter().any(is_delegated);
    let is_known = state.access.as_ref().is_some_and(|(at, _)| state.now.duration_since(*at) < PREVIEW_KEPT);
    let is_asked = state.flights.has(|awaited| *awaited == Awaited::Access);
    let wants = state.settings.probes_calls && is_listed && !is_known && !is_asked;
    wants.then(|| Effect::PreviewAccess { request: state.flights.open(Awaited::Access) })
}

fn is_delegated(flow: &Flow) -> bool {
    flow.id.0 == preset::DELEGATED && flow.route == Route::Open
}

/// Whether what a flow needs may be done, as far as that is known by now: by our credential, or, where the flow is run
/// by hand in Okta's console, by whoever sits here.
pub fn access(state: &State, flow: &Flow) -> Option<Access> {
    match is_delegated(flow) {
        true => state.access.as_ref().map(|(_, preview)| preview.access()),
        false => access::of_credential(flow, state.calls.as_deref().unwrap_or_default()),
    }
}

/// Why a flow would be refused whoever it is on, if it is known that it would.
pub fn no_access(state: &State, flow: &Flow) -> Option<String> {
    match access(state, flow)? {
        Access::No(why) => Some(why),
        Access::Likely(_) | Access::Unlikely(_) | Access::CannotTell(_) => None,
    }
}

/// Accounts that were looked up for one person must never be offered for another.
fn given_up(state: &mut State) -> Vec<Effect> {
    let given_up = state.flights.give_up(|awaited| *awaited == Awaited::Fits);
    given_up.into_iter().map(Effect::Cancel).collect()
}

/// Those that run something first, then those that open a page, those that nothing can start last; of
/// each the suggested first, else in the configured order.
fn offers(flows: &[Flow], check: Option<&(CheckId, Untrusted)>) -> Vec<Offer> {
    let offer = |flow: &Flow| Offer {
        is_suggested: check.is_some_and(|(id, title)| flow.is_suggested_for(id, title)),
        target: flow.unrunnable().filter(|_| flow.route != Route::Open).map(Err),
        flow: flow.clone(),
    };
    // Who is there already is not made once more.
    let mut offers: Vec<Offer> = flows.iter().filter(|flow| !flow.creates()).map(offer).collect();
    offers
        .sort_by_key(|offer| (offer.target.is_some(), offer.flow.route == Route::Open, !offer.is_suggested));
    offers
}

/// Which flows fit has been found out.
pub fn loaded(state: &mut State, answer: Result<Vec<Fit>, String>) {
    let Some(Overlay::Flows(list)) = &mut state.overlay else { return };
    for fit in answer.iter().flatten() {
        if let Some(offer) = list.offers.iter_mut().find(|offer| offer.flow.id == fit.flow.id) {
            offer.target = Some(fit.target.clone());
        }
    }
    let why = answer.err().unwrap_or_else(|| "nothing is known about this flow".to_owned());
    for offer in list.pending() {
        offer.target = Some(Err(format!("whether it fits is not known: {why}")));
    }
}

/// The cursor was moved.
pub fn moved(list: &mut FlowList, motion: Motion, size: Size) {
    let (ids, height) = (list.ids(), list.rows(size));
    list.cursor.go(motion, &ids, height);
}

/// The entry under the cursor was opened. The cursor stands on flows: an account is only chosen by
/// its number.
pub fn opened(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Flows(list)) = &state.overlay else { return Vec::new() };
    if list.choice.is_some() {
        return Vec::new();
    }
    match list.at() {
        Some(at) => chosen(state, at),
        None => Vec::new(),
    }
}

/// An entry was chosen: a flow, or an account of the flow that was chosen before.
pub fn chosen(state: &mut State, at: usize) -> Vec<Effect> {
    let Some(Overlay::Flows(list)) = &mut state.overlay else { return Vec::new() };
    if let Some((flow, accounts)) = &list.choice {
        let Some(account) = accounts.get(at) else { return Vec::new() };
        let ask = RunAsk { flow: Some(flow.clone()), account: Some(account.clone()), ..list.ask.clone() };
        let flow = list.offers.iter().find(|offer| offer.flow.id == *flow).map(|offer| offer.flow.clone());
        return go_on(state, flow, ask);
    }
    let Some(offer) = list.offers.get(at).cloned() else { return Vec::new() };
    let flow = offer.flow.id.clone();
    list.cursor.id = Some(flow.clone());
    let is_for_many = list.is_for_many();
    if let Some(why) = no_access(state, &offer.flow) {
        state.notice.fail(state.now, why);
        return Vec::new();
    }
    let Some(Overlay::Flows(list)) = &mut state.overlay else { return Vec::new() };
    let account = match offer.target {
        None if is_for_many => None,
        None => {
            let why = format!("whether `{}` fits is still being found out: choose it then", offer.flow.name);
            state.notice.fail(state.now, why);
            return Vec::new();
        }
        Some(Err(why)) => {
            state.notice.fail(state.now, why);
            return Vec::new();
        }
        // A page is only looked at: it wants no confirmation.
        Some(Ok(FitTarget::Page(page))) => {
            state.overlay = None;
            return link::offer(state, page.url);
        }
        Some(Ok(FitTarget::Choose(accounts))) => {
            list.choice = Some((flow, accounts));
            return Vec::new();
        }
        Some(Ok(FitTarget::Account(account))) => Some(account),
        Some(Ok(FitTarget::Router(account))) => account,
        Some(Ok(FitTarget::Login(_))) => None,
    };
    let ask = RunAsk { flow: Some(flow), account, ..list.ask.clone() };
    go_on(state, Some(offer.flow), ask)
}

/// With the card, or with the form where something is still to be said: that leads back to this list.
fn go_on(state: &mut State, flow: Option<Flow>, ask: RunAsk) -> Vec<Effect> {
    let Some(flow) = flow else { return Vec::new() };
    let list = match state.overlay.take() {
        Some(Overlay::Flows(list)) => Some(Box::new(FlowList { choice: None, ..*list })),
        _ => None,
    };
    form::open_or_card(state, &flow, ask, list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runnable(id: &str) -> Flow {
        let url = Some("https://x.workflows.okta.com/api/flo/1/invoke".to_owned());
        Flow { route: Route::ApiEndpoint, url, ..preset::flow(id).unwrap() }
    }

    fn list(names: &[&str]) -> FlowList {
        let named = |name: &&str| Flow { id: FlowId((*name).into()), ..runnable("suspend-okta-account") };
        let flows: Vec<Flow> = names.iter().map(named).collect();
        let offers = offers(&flows, None);
        let finder = finder(&offers);
        FlowList { ask: RunAsk::default(), offers, cursor: Cursor::default(), choice: None, finder }
    }

    fn typed_in(list: &mut FlowList, text: &str) {
        text.chars().for_each(|c| edited(list, InputRequest::InsertChar(c)));
    }

    #[test]
    fn a_flow_keeps_its_number_whatever_is_typed() {
        let mut list = list(&["f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10"]);
        assert!(list.takes_text() && list.takes_number());
        moved(&mut list, Motion::Down, Size { columns: 80, rows: 24 });
        typed_in(&mut list, "OKTA f1");
        assert!(!list.takes_number(), "a number is typed now");
        let shown: Vec<(usize, String)> =
            list.shown().into_iter().map(|(at, offer)| (at, offer.flow.id.to_string())).collect();
        assert_eq!(shown, [(0, "f1".to_owned()), (9, "f10".to_owned())]);
        assert_eq!(list.at(), Some(0), "the first that is found");
        moved(&mut list, Motion::Down, Size { columns: 80, rows: 24 });
        assert_eq!(list.at(), Some(9));
        typed_in(&mut list, "x");
        assert_eq!((list.at(), list.ids().len()), (None, 0));
        assert!(list.is_cleared() && !list.is_cleared());
        assert_eq!((list.ids().len(), list.takes_number()), (10, true));
    }

    fn finds_first(flows: &[Flow], check: Option<&(CheckId, Untrusted)>, typed: &str) -> FlowId {
        let offers = offers(flows, check);
        let mut list = FlowList {
            ask: RunAsk::default(),
            offers,
            cursor: Cursor::default(),
            choice: None,
            finder: Some(Finder::default()),
        };
        typed_in(&mut list, typed);
        list.offers[list.at().unwrap()].flow.id.clone()
    }

    /// Everything that ships: each can be started.
    fn everything() -> Vec<Flow> {
        preset::ids().map(runnable).chain(crate::domain::operation::flows()).collect()
    }

    #[test]
    fn whoever_types_a_flows_name_or_id_gets_that_flow() {
        let flows = everything();
        let inactive = ("inactive-account".into(), "Inactive Account".into());
        for flow in flows.iter().filter(|flow| !flow.creates()) {
            for typed in [&flow.name, &flow.id.0, &flow.name.to_lowercase()] {
                for check in [None, Some(&inactive)] {
                    assert_eq!(finds_first(&flows, check, typed), flow.id, "{typed}");
                }
            }
        }
        assert_eq!(finds_first(&flows, Some(&inactive), "suspend"), "okta-suspend".into());
        assert_eq!(finds_first(&flows, None, "okta: suspend"), "okta-suspend".into());
    }

    #[test]
    fn few_flows_take_no_text_before_it_is_asked_for() {
        let list = list(&["f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9"]);
        assert!(!list.takes_text() && list.takes_number());
    }

    #[test]
    fn what_runs_first_then_pages_then_what_nothing_starts_the_suggested_first_of_each() {
        let nowhere = Flow { url: None, ..runnable("disable-entra-id-account") };
        let flows = [
            nowhere,
            preset::flow("deactivate-salesforce-user").unwrap(),
            runnable("suspend-okta-account"),
            runnable("okta-add-user-to-a-group"),
        ];
        let offers = offers(&flows, Some(&("no-mfa".into(), "No MFA Configured".into())));
        let order: Vec<&str> = offers.iter().map(|offer| offer.flow.id.0.as_str()).collect();
        let (runs, opens) =
            (["okta-add-user-to-a-group", "suspend-okta-account"], "deactivate-salesforce-user");
        assert_eq!(order, [runs[0], runs[1], opens, "disable-entra-id-account"]);
        assert!(offers[0].is_suggested && !offers[1].is_suggested);
        assert!(offers[0].target.is_none() && offers[2].target.is_none());
        assert!(matches!(offers[3].target, Some(Err(_))));
    }
}
