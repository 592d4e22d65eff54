//! Runs on many: how each stands, and one of them user by user, with what can be done about it.
//!
//! What is shown is what the store holds, whoever drives the run: this console, another, or nobody any more. To pause
//! one is done at once; to go on with one, or to stop one for good, is asked first.

mod list;
mod question;
mod run;
mod undo;

pub use list::{BulksScreen, loaded as list_loaded, open as open_list};
pub use question::{
    Asking, Question, asked, confirmed, drawn, edited, pause_asked, resumed, submitted, takes, takes_pause,
    turned,
};
pub use run::{BulkScreen, Which, exported, fact_rows, filtered, loaded, open, reason, users_loaded, went};
pub use undo::{takes_undo, undo_asked, undo_gathered};

use super::effect::Effect;
use super::msg::Motion;
use super::state::{Awaited, Screen, State};
use super::user;
use crate::domain::Login;
use crate::domain::bulk::{BulkId, BulkRun, BulkState};
use jiff::Timestamp;

/// Whether whoever drove a run is gone. One that this console has just begun to drive is held in a moment.
pub fn is_interrupted(state: &State, run: &BulkRun) -> bool {
    run.is_interrupted(state.now) && !is_ours(state, run.id)
}

/// Whether runs on many are on the screen.
pub fn is_here(state: &State) -> bool {
    matches!(state.stack.last(), Some(Screen::Bulks(_) | Screen::Bulk(_)))
}

fn fail(state: &mut State, why: impl Into<String>) -> Vec<Effect> {
    state.notice.fail(state.now, why);
    Vec::new()
}

/// Whether this console drives a run.
pub fn is_ours(state: &State, id: BulkId) -> bool {
    state.driving.iter().any(|driving| driving.id == id)
}

/// Whether this console is about to drive a run, or still does: one that was told to wait is gone on with when those
/// on their way have landed.
pub fn is_taken_up(state: &State, id: BulkId) -> bool {
    is_ours(state, id) || is_begun_anew(state, id)
}

/// Whether a run is just being gone on with.
pub fn is_begun_anew(state: &State, id: BulkId) -> bool {
    state.flights.has(|awaited| *awaited == Awaited::BulkResumed(id))
}

/// A run that this console drives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Driving {
    /// Which.
    pub id: BulkId,
    /// What it was told to be as soon as those on their way have landed, if so.
    pub told: Option<BulkState>,
}

/// What a run that this console drives was told to be, and is not yet.
pub fn told(state: &State, id: BulkId) -> Option<BulkState> {
    state.driving.iter().find(|driving| driving.id == id).and_then(|driving| driving.told)
}

/// That a run is about to wait or to stop, and for whom that waits.
pub fn turning(run: &BulkRun, to: BulkState) -> String {
    let doing = turning_word(to);
    match run.counts.pending() {
        0 => format!("{doing}: those on their way are waited for"),
        1 => format!("{doing}: 1 on the way is waited for"),
        n => format!("{doing}: {n} on their way are waited for"),
    }
}

/// The same in a word.
pub fn turning_word(to: BulkState) -> &'static str {
    if to == BulkState::Stopped { "stopping" } else { "pausing" }
}

/// The store holds something new: what is on the screen is read again.
pub fn store_changed(state: &mut State) -> Vec<Effect> {
    match state.stack.last() {
        Some(Screen::Bulk(screen)) => run::read_again(state, screen.id),
        Some(Screen::Bulks(screen)) if screen.cursor.offset == 0 => list::read_again(state),
        _ => Vec::new(),
    }
}

/// This console drives a run from now on.
pub fn drives(state: &mut State, id: BulkId) {
    if !is_ours(state, id) {
        state.driving.push(Driving { id, told: None });
    }
}

/// A drive of this console is over: it is said, and stands on the run's screen.
pub fn ended(state: &mut State, id: BulkId, answer: Result<Box<BulkRun>, String>) -> Vec<Effect> {
    state.driving.retain(|driving| driving.id != id);
    let now = state.now;
    match answer {
        Err(why) => state.notice.fail(now, why),
        Ok(run) => {
            let words = format!("{}: {} ({})", run.verb, run.state.word(), run.acted_on_words());
            match (&run.why, run.state) {
                (Some(why), BulkState::Paused) => state.notice.fail(now, format!("{words}: {why}")),
                _ => state.notice.say(now, words),
            }
            if let Some(screen) = run::screen(state, id) {
                screen.run = Some(*run);
            }
            run::settled(state, id);
        }
    }
    store_changed(state)
}

/// Whether this console drives a run, or is about to.
pub fn is_driving(state: &State) -> bool {
    let is_beginning = |awaited: &Awaited| matches!(awaited, Awaited::BulkBegun | Awaited::BulkResumed(_));
    !state.driving.is_empty() || state.flights.has(is_beginning)
}

/// Why quitting is asked.
pub fn why_not_quit(state: &State) -> String {
    let others = match state.running.len() {
        0 => String::new(),
        1 => ", and 1 other run is under way".to_owned(),
        n => format!(", and {n} other runs are under way"),
    };
    format!(
        "{} by this console{others}: quitting waits for those on their way, at most 60 s, and leaves it paused; \
         `:bulk` goes on with it later",
        driven(state)
    )
}

fn driven(state: &State) -> String {
    let named: Vec<String> = state.driving.iter().map(|driving| short(driving.id)).collect();
    match &*named {
        [] => "a run on many is begun".to_owned(),
        [one] => format!("run {one} on many is driven"),
        several => format!("runs {} on many are driven", several.join(", ")),
    }
}

/// Enough of an id to tell the runs of a console apart.
fn short(id: BulkId) -> String {
    id.to_string().chars().take(8).collect()
}

/// What the cursor is on was opened.
pub fn opened(state: &mut State) -> Vec<Effect> {
    match state.stack.last() {
        Some(Screen::Bulks(screen)) => match screen.selected().map(|run| run.id) {
            Some(id) => open(state, id),
            None => Vec::new(),
        },
        Some(Screen::Bulk(screen)) => match screen.selected().map(|user| user.login.clone()) {
            Some(login) => user::open(state, login, None),
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Whom the cursor names.
pub fn person(state: &State) -> Option<Login> {
    match state.stack.last()? {
        Screen::Bulk(screen) => screen.selected().map(|user| user.login.clone()),
        _ => None,
    }
}

/// The cursor was moved.
pub fn moved(state: &mut State, motion: Motion) -> Vec<Effect> {
    match state.stack.last() {
        Some(Screen::Bulks(_)) => list::moved(state, motion),
        Some(Screen::Bulk(screen)) => run::moved(state, screen.id, motion),
        _ => Vec::new(),
    }
}

/// The terminal has another size.
pub fn resized(state: &mut State) {
    if let Some(Screen::Bulk(screen)) = state.stack.last() {
        run::settled(state, screen.id);
    }
}

/// When a lease runs out whose run is shown as driven: then it is shown as interrupted.
pub fn next_change(state: &State) -> Option<Timestamp> {
    let until = |run: &BulkRun| run.held_until.filter(|_| run.state == BulkState::Running);
    match state.stack.last()? {
        Screen::Bulk(screen) => screen.run.as_ref().and_then(until),
        Screen::Bulks(screen) => screen.runs.iter().filter_map(until).filter(|at| *at > state.now).min(),
        _ => None,
    }
    // A moment later: until then it holds.
    .map(|at| at + jiff::SignedDuration::from_millis(1))
}
