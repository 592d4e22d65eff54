//! How the card is answered: what is typed into its fields, insisted on, and confirmed.

use super::{Card, Field, Phase, card};
use crate::app::dossiers::{self, ActedOn};
use crate::app::effect::{Effect, RunAsk};
use crate::app::state::{Awaited, Running, State};
use crate::domain::plan::Confirm;
use tui_input::{Input, InputRequest};

/// The analyst insists.
pub fn insisted(state: &mut State) -> Vec<Effect> {
    let now = state.now;
    let Some(card) = card(state) else { return Vec::new() };
    if card.takes_insistence(now) {
        card.ask.insists = true;
        card.changed();
    }
    Vec::new()
}

/// A field was edited; before the card is armed nothing is taken.
pub fn edited(state: &mut State, request: InputRequest) {
    let now = state.now;
    let Some(card) = card(state) else { return };
    if card.takes_text(now) {
        card.error = None;
        match card.field {
            Field::Reason => card.reason.handle(request),
            Field::Confirm => card.typed.handle(request),
        };
    }
}

/// The field was left with enter.
pub fn submitted(state: &mut State) -> Vec<Effect> {
    let now = state.now;
    let Some(card) = card(state) else { return Vec::new() };
    let Some(plan) = card.plan.clone().filter(|_| card.is_armed(now)) else { return Vec::new() };
    if card.field == Field::Reason {
        return leave_reason(card);
    }
    if plan.to_confirm() == Confirm::Key || plan.is_confirmed_by(card.typed.value()) {
        return if plan.to_confirm() == Confirm::Key { Vec::new() } else { confirmed(state) };
    }
    card.typed = Input::default();
    card.error = Some(match &plan.to_confirm() {
        Confirm::Word(word) => format!("type `{word}` exactly"),
        Confirm::Login(account) if plan.account_doubt.is_some() => {
            format!("that is not the account that is acted on: type {account} exactly, where it is meant")
        }
        Confirm::Login(login) => format!("type the login exactly: {login}"),
        Confirm::Key => "press y or n".to_owned(),
    });
    Vec::new()
}

fn leave_reason(card: &mut Card) -> Vec<Effect> {
    if card.reason.value().trim().is_empty() {
        card.error = Some("a reason is required: it goes into the journal".to_owned());
    } else {
        card.field = Field::Confirm;
        // A paste that arrives as keys goes on behind its line break: it must not reach the question.
        card.changed();
    }
    Vec::new()
}

/// The other field takes the keys.
pub fn switched(state: &mut State) {
    if let Some(card) = card(state) {
        card.field = if card.field == Field::Reason { Field::Confirm } else { Field::Reason };
        card.changed();
    }
}

/// The card was answered with yes. On one that has ended it takes the one-time link along.
pub fn confirmed(state: &mut State) -> Vec<Effect> {
    let now = state.now;
    let Some(card) = card(state) else { return Vec::new() };
    if let Some(link) = card.link().filter(|_| card.has_stood(now)) {
        return vec![Effect::CopyLink(link.clone())];
    }
    if !card.is_armed(now) {
        return Vec::new();
    }
    let reason_missing = card.reason.value().trim().is_empty();
    if card.plan.as_ref().is_some_and(|plan| plan.reason_required && reason_missing) {
        card.field = Field::Reason;
        card.error = Some("a reason is required: it goes into the journal".to_owned());
        return Vec::new();
    }
    run(state)
}

fn run(state: &mut State) -> Vec<Effect> {
    let Some(card) = card(state) else { return Vec::new() };
    let Some(plan) = card.plan.clone() else { return Vec::new() };
    card.phase = Phase::Running(None);
    let reason = Some(card.reason.value().trim().to_owned()).filter(|reason| !reason.is_empty());
    // What there was to insist on was answered, or the card would not have come this far.
    let ask = RunAsk { insists: card.ask.insists || plan.needs_again.is_some(), ..card.ask.clone() };
    let request = state.flights.open(Awaited::Run(plan.action));
    let on = ActedOn::by_plan(&plan);
    let mut effects = dossiers::leaves(state, &on);
    state.running.push(Running { action: plan.action, what: plan.to_string(), on, stage: None });
    let digest = plan.digest();
    effects.push(Effect::RunPlan { request, ask, plan, digest, reason });
    effects
}
