//! Undoing a whole run on many: who of it was changed is read first, then the card for many opens, as for any run.

use super::question::meant;
use super::{fail, is_interrupted, short};
use crate::app::card;
use crate::app::effect::{Effect, RunAsk};
use crate::app::state::{Awaited, Screen, State};
use crate::app::triage::READ_ONLY;
use crate::domain::bulk::{BulkId, BulkRun, BulkState};
use crate::domain::undo::{self, many::UndoMany};

/// Whether something undoes the run that is meant, as far as is known before anybody of it is read.
pub fn takes_undo(state: &State) -> bool {
    meant(state).is_some_and(|run| why_not(state, &run).is_none())
}

/// Why nothing undoes a run, or not now.
fn why_not(state: &State, run: &BulkRun) -> Option<String> {
    if state.settings.is_read_only {
        return Some(READ_ONLY.to_owned());
    }
    // One that this console has just begun to drive is held in a moment.
    let is_driven = run.state == BulkState::Running && !is_interrupted(state, run);
    if is_driven || super::is_taken_up(state, run.id) {
        return Some("it is being driven: have it wait, or stop it, first".to_owned());
    }
    if run.is_undone() {
        return Some("it is undone already, on each whom it may have changed".to_owned());
    }
    undo::inverse(&run.flow, &state.settings.flows).err()
}

/// Undoing the run that is meant was asked for.
pub fn undo_asked(state: &mut State) -> Vec<Effect> {
    let Some(run) = meant(state) else { return fail(state, "there is no run here") };
    if let Some(why) = why_not(state, &run) {
        return fail(state, format!("nothing is undone: {why}"));
    }
    let id = run.id;
    state.notice.say(state.now, reading(id));
    let mut effects = given_up(state);
    let request = state.flights.open(Awaited::BulkUndo(id));
    effects.push(Effect::GatherUndo { request, id });
    effects
}

fn reading(id: BulkId) -> String {
    format!("reading whom run {} changed…", short(id))
}

/// What was asked for another run, or twice, opens no card.
fn given_up(state: &mut State) -> Vec<Effect> {
    let is_it = |awaited: &Awaited| matches!(awaited, Awaited::BulkUndo(_));
    state.flights.give_up(is_it).into_iter().map(Effect::Cancel).collect()
}

/// Who is undone came: the card opens, where the run is still looked at.
pub fn undo_gathered(state: &mut State, id: BulkId, answer: Result<Box<UndoMany>, String>) -> Vec<Effect> {
    state.notice.is_over(&reading(id));
    let undo = match answer {
        Ok(undo) => undo,
        Err(why) => return fail(state, format!("nothing is undone: {why}")),
    };
    // Nothing pops up under the fingers of somebody who has gone on.
    let is_here = match state.stack.last() {
        Some(Screen::Bulk(screen)) => screen.id == id,
        Some(Screen::Bulks(screen)) => screen.selected().is_some_and(|run| run.id == id),
        _ => false,
    };
    if !is_here || state.overlay.is_some() {
        return Vec::new();
    }
    card::open(state, RunAsk::from(*undo))
}
