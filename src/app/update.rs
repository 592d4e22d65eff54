//! The table of contents of the console: which message goes to which screen.

mod answered;
mod overlay;
mod screens;

use super::dossiers::ActedOn;
use super::effect::Effect;
use super::msg::Msg;
use super::notice::Notice;
use super::state::{Awaited, Overlay, State};
use super::triage::{self, Then};
use super::user::{self, Step};
use super::{
    address, after, bulk, card, dossiers, dry_run, event, feed, flows, health, journal, link, log, look_up,
    many, marks,
};
use answered::answered;
use overlay::overlaid;
use screens::{is_journal, is_log, moved, opened, pane_switched, raw_asked, refreshed, went_back};

/// Changes the state by what happened, and says what is to be done.
pub fn update(state: &mut State, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Ticked(now) => {
            state.now = now;
            let mut effects = dossiers::read_ahead(state);
            effects.extend(health::ticked(state));
            effects
        }
        Msg::Resized(size) => resized(state, size),
        Msg::Drawn(extent) => {
            state.extent = extent;
            quiet(|| drawn(state))
        }
        Msg::StoreChanged(_) => store_changed(state),
        Msg::SourcesChanged(sources) => quiet(|| state.header.know(sources)),
        Msg::SourcesReported(report) => quiet(|| state.header.hear(&report)),
        Msg::ReceiverChanged(receiver) => quiet(|| state.header.receiver = receiver),
        Msg::WaitsChanged(waits) => quiet(|| state.waits = waits),
        Msg::Answered(request, answer) => answered(state, request, answer),
        Msg::ManyRead(request, how_many) => {
            let waits = state.flights.has_request(request);
            quiet(|| {
                if waits {
                    many::read(state, how_many)
                }
            })
        }
        Msg::BulkWent(id, ended) => {
            let mut effects = dossiers::ended(state, &ActedOn::by_bulk(&ended));
            effects.extend(bulk::went(state, id, &ended));
            effects
        }
        Msg::BulkEnded(id, run) => bulk::ended(state, id, run),
        Msg::RunProgressed(action, stage) => quiet(|| card::progressed(state, action, stage)),
        Msg::Noticed(result) => quiet(|| state.notice.result(state.now, result)),
        msg => {
            state.notice.seen();
            let (screens, is_below, said) = (state.stack.len(), !is_on_card(state), state.notice.clone());
            let effects = acted(state, msg);
            // What was said of one screen is not true of the next, nor of a card that came over it.
            let is_elsewhere = state.stack.len() != screens || is_below && is_on_card(state);
            if is_elsewhere && state.notice == said {
                state.notice = Notice::default();
            }
            effects
        }
    }
}

fn is_on_card(state: &State) -> bool {
    let overlay = state.overlay.as_ref();
    overlay.is_some_and(|overlay| {
        matches!(overlay, Overlay::Card(_) | Overlay::Many(_) | Overlay::Flows(_) | Overlay::Link(_))
    })
}

/// For messages that ask for nothing.
fn quiet(change: impl FnOnce()) -> Vec<Effect> {
    change();
    Vec::new()
}

/// Reads what the first screen shows.
pub fn start(state: &mut State) -> Vec<Effect> {
    let mut effects = feed::load_newest(state);
    effects.push(load_health(state));
    effects.extend(health::probe(state));
    effects
}

fn load_health(state: &mut State) -> Effect {
    Effect::LoadHealth { request: state.flights.open(Awaited::Health) }
}

/// What is asked, or the row under the cursor, is on the screen now: the time until a key acts on it runs
/// from here.
fn drawn(state: &mut State) {
    let now = state.now;
    if state.help.is_some() {
        return;
    }
    match &mut state.overlay {
        Some(Overlay::Quit(question)) => {
            question.shown_at.get_or_insert(now);
        }
        Some(Overlay::Many(_)) => many::drawn(state),
        Some(Overlay::Ask(_)) => bulk::drawn(state),
        Some(_) => card::drawn(state),
        None => feed::drawn(state),
    }
}

fn resized(state: &mut State, size: super::layout::Size) -> Vec<Effect> {
    state.size = size;
    let (ids, rows) = (state.feed.ids(), size.feed_rows());
    state.feed.cursor.keep_visible(&ids, rows);
    bulk::resized(state);
    vec![Effect::Redraw]
}

fn store_changed(state: &mut State) -> Vec<Effect> {
    let mut effects = feed::store_changed(state);
    effects.extend(event::store_changed(state));
    effects.extend(user::store_changed(state));
    effects.extend(journal::store_changed(state));
    effects.extend(health::store_changed(state));
    effects.extend(bulk::store_changed(state));
    if !state.flights.has(|awaited| *awaited == Awaited::Health) {
        effects.push(load_health(state));
    }
    effects
}

/// What the analyst did.
fn acted(state: &mut State, msg: Msg) -> Vec<Effect> {
    if leaves_prompt(&msg) && matches!(state.overlay, Some(Overlay::Prompt(_))) {
        state.overlay = None;
    }
    match msg {
        Msg::CursorMoved(motion) => moved(state, motion),
        Msg::Opened => opened(state),
        Msg::WentBack => went_back(state),
        Msg::PaneSwitched => quiet(|| pane_switched(state, Step::Next)),
        Msg::PaneSwitchedBack => quiet(|| pane_switched(state, Step::Previous)),
        Msg::PaneChosen(pane) => quiet(|| user::choose(state, pane)),
        Msg::PersonOpened if is_log(state) => log::person_opened(state),
        Msg::PersonOpened if is_journal(state) => journal::person_opened(state),
        Msg::PersonOpened => triage::asked(state, Then::Person),
        Msg::RemediateAsked => marks::remediate(state),
        Msg::MarkToggled => marks::toggled(state),
        Msg::AllMarksToggled => marks::all_toggled(state),
        Msg::FilterRemediateAsked => named(state, marks::filter_asked),
        Msg::BulksAsked => bulk::open_list(state),
        Msg::BulkPauseAsked => bulk::pause_asked(state),
        Msg::BulkResumeAsked => bulk::asked(state, bulk::Asking::Resume),
        Msg::BulkStopAsked => bulk::asked(state, bulk::Asking::Stop),
        Msg::BulkFiltered => bulk::filtered(state),
        Msg::BulkExported(form) => bulk::exported(state, form),
        Msg::ClaimToggled => triage::asked(state, Then::Claim),
        Msg::CloseAsked => triage::asked(state, Then::Close),
        Msg::NoteAsked => triage::asked(state, Then::Note),
        Msg::LinkAsked => link::asked(state),
        Msg::LinkSent => link::sent(state),
        Msg::CopyAsked => dry_run::copied(state).unwrap_or_else(|| link::copy_asked(state)),
        Msg::FlowChosen(at) => flows::chosen(state, at),
        Msg::RefreshAsked => refreshed(state),
        Msg::RawAsked => raw_asked(state),
        Msg::UndoAsked => after::undo_asked(state),
        Msg::HealthAsked => health::open(state),
        Msg::OperationAsked(ask) => named(state, |state| triage::operation_asked(state, ask)),
        Msg::UserNamed(login) => named(state, |state| user::open(state, login, None)),
        Msg::ConfigurationKeepAsked => named(state, look_up::configuration_keep_asked),
        Msg::LookUpAsked(what) => named(state, |state| look_up::asked(state, what)),
        Msg::AddressNamed(address) => named(state, |state| address::open(state, address)),
        Msg::Filtered(query) => named(state, |state| feed::filtered(state, query)),
        Msg::UsersFiltered(query) => named(state, |state| event::filtered(state, query)),
        msg => journal::acted(state, msg)
            .or_else(|msg| log::acted(state, msg))
            .unwrap_or_else(|msg| overlaid(state, msg)),
    }
}

/// A command may have been typed: the prompt goes, unless it is what the message is about, or what it looks at.
fn leaves_prompt(msg: &Msg) -> bool {
    !matches!(
        msg,
        Msg::Edited(_)
            | Msg::Pasted(_)
            | Msg::Submitted
            | Msg::Completed(_)
            | Msg::LogCompleted
            | Msg::ChoiceMoved(_)
            | Msg::Misunderstood(_)
            | Msg::WentBack
            | Msg::OperationAsked(_)
    )
}

fn named(state: &mut State, go: impl FnOnce(&mut State) -> Vec<Effect>) -> Vec<Effect> {
    state.overlay = None;
    go(state)
}
