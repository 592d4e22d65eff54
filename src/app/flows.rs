//! The flows that fit a finding: those that run something, those that open a page, and refused ones grey
//! with the reason.

use super::card;
use super::effect::{Effect, RunAsk};
use super::link;
use super::list::Cursor;
use super::msg::Motion;
use super::state::{Awaited, Overlay, State};
use crate::domain::FlowId;
use crate::domain::plan::{Fit, FitTarget};
use crate::domain::subject::ProviderAccount;

/// The list of flows for a subject.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowList {
    /// On whom, from where.
    pub ask: RunAsk,
    /// The flows; `None` while it is found out.
    pub fits: Option<Vec<Fit>>,
    /// What failed.
    pub error: Option<String>,
    /// The selected flow.
    pub cursor: Cursor<FlowId>,
    /// Where a flow's product has several accounts: the flow, and the accounts to choose from.
    pub choice: Option<(FlowId, Vec<ProviderAccount>)>,
}

impl FlowList {
    /// The flows' ids.
    pub fn ids(&self) -> Vec<FlowId> {
        self.fits.iter().flatten().map(|fit| fit.flow.id.clone()).collect()
    }
}

/// Opens the list.
pub fn open(state: &mut State, ask: RunAsk) -> Vec<Effect> {
    let mut effects = given_up(state);
    let request = state.flights.open(Awaited::Fits);
    state.overlay = Some(Overlay::Flows(Box::new(FlowList {
        ask: ask.clone(),
        fits: None,
        error: None,
        cursor: Cursor::default(),
        choice: None,
    })));
    effects.push(Effect::FitFlows { request, ask });
    effects
}

/// Accounts that were looked up for one person must never be offered for another.
fn given_up(state: &mut State) -> Vec<Effect> {
    let given_up = state.flights.give_up(|awaited| *awaited == Awaited::Fits);
    given_up.into_iter().map(Effect::Cancel).collect()
}

/// Which flows fit has been found out.
pub fn loaded(state: &mut State, answer: Result<Vec<Fit>, String>) {
    if let Some(Overlay::Flows(list)) = &mut state.overlay {
        match answer {
            Ok(fits) => list.fits = Some(fits),
            Err(error) => list.error = Some(error),
        }
    }
}

/// The cursor was moved.
pub fn moved(list: &mut FlowList, motion: Motion, height: usize) {
    let ids = list.ids();
    list.cursor.go(motion, &ids, height);
}

/// The entry under the cursor was opened. The cursor stands on flows: an account is only chosen by
/// its number.
pub fn opened(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Flows(list)) = &state.overlay else { return Vec::new() };
    if list.choice.is_some() {
        return Vec::new();
    }
    let at = list.cursor.index(&list.ids());
    chosen(state, at)
}

/// An entry was chosen: a flow, or an account of the flow that was chosen before.
pub fn chosen(state: &mut State, at: usize) -> Vec<Effect> {
    let Some(Overlay::Flows(list)) = &mut state.overlay else { return Vec::new() };
    if let Some((flow, accounts)) = &list.choice {
        let Some(account) = accounts.get(at) else { return Vec::new() };
        let ask = RunAsk { flow: Some(flow.clone()), account: Some(account.clone()), ..list.ask.clone() };
        return card::open(state, ask);
    }
    let Some(fit) = list.fits.iter().flatten().nth(at).cloned() else { return Vec::new() };
    match fit.target {
        Err(why) => {
            list.cursor.id = Some(fit.flow.id);
            state.notice.fail(state.now, why);
            Vec::new()
        }
        // A page is only looked at: it wants no confirmation.
        Ok(FitTarget::Page(page)) => {
            state.overlay = None;
            link::offer(state, page.url)
        }
        Ok(FitTarget::Choose(accounts)) => {
            list.choice = Some((fit.flow.id, accounts));
            Vec::new()
        }
        Ok(FitTarget::Account(account)) => {
            let ask = RunAsk { flow: Some(fit.flow.id), account: Some(account), ..list.ask.clone() };
            card::open(state, ask)
        }
        Ok(FitTarget::Router(account)) => {
            let ask = RunAsk { flow: Some(fit.flow.id), account, ..list.ask.clone() };
            card::open(state, ask)
        }
        Ok(FitTarget::Login(_)) => {
            let ask = RunAsk { flow: Some(fit.flow.id), ..list.ask.clone() };
            card::open(state, ask)
        }
    }
}
