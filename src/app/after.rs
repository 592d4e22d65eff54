//! What can be done about an action afterwards: undo it, or look at its target again.
//!
//! It is the action under the cursor, of the journal or of a person's history, or the one on the card that has
//! ended; on a run on many it is the whole run. An undo opens the same card as any run; a look reads, and sends nothing.

use super::bulk;
use super::card::{self, Card, Phase};
use super::dossiers::{self, ActedOn};
use super::effect::{Effect, RunAsk};
use super::journal;
use super::msg::Looked;
use super::pane::Row;
use super::state::{Awaited, Overlay, Screen, State};
use super::user::{self, Pane, UserScreen};
use crate::domain::counted::numbered;
use crate::domain::run_end::StepEnd;
use crate::domain::{Action, ActionId, later, undo};

/// The actions that are meant here: more than one where a run of several ended on its card.
pub fn meant(state: &State) -> Vec<&Action> {
    match (&state.overlay, state.stack.last()) {
        (Some(Overlay::Card(card)), _) => ended(card, state),
        (Some(_), _) => Vec::new(),
        (None, Some(Screen::Journal(screen))) => screen.selected_action().into_iter().collect(),
        (None, Some(Screen::User(screen))) => of_history(state, screen).into_iter().collect(),
        (None, _) => Vec::new(),
    }
}

/// A card has its actions when it has ended. One that shows a link is not left for something else: the link
/// is shown nowhere else.
fn ended<'a>(card: &'a Card, state: &State) -> Vec<&'a Action> {
    match &card.phase {
        Phase::Done(end) if card.link().is_none() && card.takes_letters(state.now) => {
            end.steps.iter().filter_map(StepEnd::action).collect()
        }
        _ => Vec::new(),
    }
}

fn of_history<'a>(state: &State, screen: &'a UserScreen) -> Option<&'a Action> {
    let row = user::selected_row(state).filter(|_| screen.pane == Pane::History)?;
    let id = Row::first_key(&row.key);
    screen.actions.iter().find(|action| action.id.to_string() == id)
}

/// Whether looking again may find out something about what is meant.
pub fn takes_look(state: &State) -> bool {
    let flows = &state.settings.flows;
    !unsure(state).is_empty() || meant(state).iter().any(|action| later::can_tell(action, flows).is_ok())
}

/// The actions of a card whose end is not known here: the store may know more by now.
fn unsure(state: &State) -> Vec<ActionId> {
    match &state.overlay {
        Some(Overlay::Card(card)) if matches!(card.phase, Phase::Unsure(_)) => {
            let plan = card.plan.as_ref().filter(|_| card.takes_letters(state.now));
            plan.map(|plan| plan.parts().iter().map(|part| part.action).collect()).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// Undoing was asked for.
pub fn undo_asked(state: &mut State) -> Vec<Effect> {
    if state.overlay.is_none() && bulk::is_here(state) {
        return bulk::undo_asked(state);
    }
    let actions = meant(state);
    if actions.is_empty() {
        return nothing_meant(state, "undoing takes an action: put the cursor on one");
    }
    match undo::of_any(actions, &state.settings.flows) {
        Ok(undo) => card::open(state, RunAsk::from(undo)),
        Err(why) => {
            state.notice.fail(state.now, format!("nothing is undone: {why}"));
            Vec::new()
        }
    }
}

/// On a card that is still to be answered a key that was meant for something else says nothing.
fn nothing_meant(state: &mut State, why: &str) -> Vec<Effect> {
    if state.overlay.is_none() {
        state.notice.fail(state.now, why);
    }
    Vec::new()
}

/// Finds out about what is meant: of the journal's action and of a card's whatever there is, of a person's history
/// only where the end is open.
pub fn look(state: &mut State) -> Vec<Effect> {
    let is_person = state.overlay.is_none() && matches!(state.stack.last(), Some(Screen::User(_)));
    let is_worth_it = |action: &&Action| !is_person || later::can_tell(action, &state.settings.flows).is_ok();
    let meant = meant(state).into_iter().filter(is_worth_it).map(|action| action.id);
    let meant: Vec<ActionId> = meant.chain(unsure(state)).collect();
    let mut effects = Vec::new();
    for action in meant {
        if !state.flights.has(|awaited| *awaited == Awaited::Look(action)) {
            let request = state.flights.open(Awaited::Look(action));
            effects.push(Effect::LookAgain { request, action });
        }
    }
    effects
}

/// Something was found out: it is said, and stands on the action wherever that is shown.
pub fn looked(state: &mut State, answer: Result<Box<Looked>, String>) -> Vec<Effect> {
    match answer {
        Err(why) => {
            state.notice.fail(state.now, why);
            Vec::new()
        }
        Ok(looked) => {
            state.notice.say(state.now, words(&looked));
            let on = ActedOn::by([&looked.action]);
            card::looked(state, &looked.action);
            journal::looked(state, *looked);
            // Where no card lies over a person, they are read with it already.
            let is_over = matches!(state.overlay, Some(Overlay::Card(_)));
            if is_over { dossiers::ended(state, &on) } else { dossiers::leaves(state, &on) }
        }
    }
}

fn words(looked: &Looked) -> String {
    let Looked { action, unseen, beside, unread } = looked;
    let seen = action.receipt.as_ref().and_then(|receipt| receipt.verified.as_deref());
    let seen = match (unseen, seen) {
        (Some(why), _) => format!("not looked at again: {why}"),
        (None, Some(seen)) => seen.to_owned(),
        (None, None) => "looked at again".to_owned(),
    };
    let log = match (beside.len(), unread) {
        (0, Some(why)) => format!("; the System Log cannot be read: {why}"),
        (0, None) => String::new(),
        (n, _) => format!("; {} of the System Log beside it", numbered(n, "record")),
    };
    format!("{}: {} ({}); {seen}{log}", action.whom(), action.standing(), action.evidence.word())
}
