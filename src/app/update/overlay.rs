//! What happens to an overlay, or opens one: the prompt, a dialog, a card, the question of quitting.

use super::quiet;
use crate::app::card::{self, Field};
use crate::app::effect::Effect;
use crate::app::list::Scroll;
use crate::app::msg::{Motion, Msg};
use crate::app::prompt::{self, PromptKind};
use crate::app::state::{Overlay, QuitQuestion, State};
use crate::app::{bulk, dry_run, flows, form, header, many, triage};
use crate::domain::counted::numbered;

/// What happens to the overlay, or opens one.
pub(super) fn overlaid(state: &mut State, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::HelpAsked => quiet(|| help_asked(state)),
        Msg::FilterAsked if matches!(state.overlay, Some(Overlay::Flows(_))) => quiet(|| flows::typed(state)),
        Msg::FilterAsked => prompt::open(state, prompt::filter_of(state)),
        Msg::LogCompleted => quiet(|| prompt_completed(state)),
        Msg::PromptAsked => prompt::open(state, PromptKind::Command),
        Msg::Misunderstood(why) => quiet(|| misunderstood(state, why)),
        Msg::Completed(text) => quiet(|| completed(state, text)),
        Msg::ChoiceMoved(motion) => quiet(|| choice_moved(state, motion)),
        Msg::Edited(request) => quiet(|| edited(state, request)),
        Msg::Pasted(text) => quiet(|| pasted(state, &text)),
        Msg::Submitted => submitted(state),
        Msg::Confirmed => confirmed(state),
        Msg::Declined => declined(state),
        Msg::Insisted if matches!(state.overlay, Some(Overlay::Many(_))) => quiet(|| many::insisted(state)),
        Msg::Insisted => card::insisted(state),
        Msg::DryRunAsked => quiet(|| dry_run::asked(state)),
        Msg::FormAsked => form::asked(state),
        Msg::DryRunExported => dry_run::exported(state),
        Msg::QuitAsked => quit_asked(state),
        Msg::SuspendAsked => vec![Effect::Suspend],
        Msg::RedrawAsked => vec![Effect::Redraw],
        _ => Vec::new(),
    }
}

/// What lies over a screen stays under the help, and whatever is under way goes on there.
fn help_asked(state: &mut State) {
    if state.overlay.is_none() {
        state.overlay = Some(Overlay::Help(Scroll::default()));
    } else {
        state.help = Some(Scroll::default());
        unread(state);
    }
}

/// The help over an overlay was left. Answers whether there was one.
pub(super) fn help_left(state: &mut State) -> bool {
    let was_there = state.help.take().is_some();
    if was_there {
        unread(state);
    }
    was_there
}

/// What can be answered has to be drawn and read once more before it is.
fn unread(state: &mut State) {
    match &mut state.overlay {
        Some(Overlay::Card(card)) => card.shown_at = None,
        Some(Overlay::Many(card)) => card.shown_at = None,
        Some(Overlay::Ask(question)) => question.shown_at = None,
        Some(Overlay::Quit(question)) => question.shown_at = None,
        _ => {}
    }
}

fn misunderstood(state: &mut State, why: String) {
    match &mut state.overlay {
        Some(Overlay::Prompt(prompt)) => prompt.error = Some(why),
        _ => state.notice.fail(state.now, why),
    }
}

fn completed(state: &mut State, text: String) {
    if let Some(Overlay::Prompt(prompt)) = &mut state.overlay {
        prompt.input = tui_input::Input::new(text);
        prompt.choice = 0;
    }
}

fn prompt_completed(state: &mut State) {
    if let Some(Overlay::Prompt(prompt)) = &mut state.overlay {
        prompt::complete(prompt);
    }
}

fn choice_moved(state: &mut State, motion: Motion) {
    match &mut state.overlay {
        Some(Overlay::Dialog(dialog)) => triage::choice_moved(dialog, motion),
        Some(Overlay::Prompt(prompt)) => {
            prompt.choice = match motion {
                Motion::Up => prompt.choice.saturating_sub(1),
                _ => prompt.choice.saturating_add(1),
            }
        }
        Some(Overlay::Form(_)) => form::moved(state, motion),
        Some(Overlay::Flows(list)) => flows::moved(list, motion, state.size),
        Some(Overlay::Link(card)) => card.shows_qr = !card.shows_qr,
        _ => {}
    }
}

fn edited(state: &mut State, request: tui_input::InputRequest) {
    match &mut state.overlay {
        Some(Overlay::Prompt(prompt)) => prompt::edited(prompt, request),
        Some(Overlay::Dialog(dialog)) => triage::edited(dialog, request),
        Some(Overlay::Card(_)) => card::edited(state, request),
        Some(Overlay::Many(_)) => many::edited(state, request),
        Some(Overlay::Ask(_)) => bulk::edited(state, request),
        Some(Overlay::Form(_)) => form::edited(state, request),
        Some(Overlay::Flows(list)) => flows::edited(list, request),
        _ => {}
    }
}

/// Pasted text goes into prompts, dialogs and a card's reason; it never answers a card.
fn pasted(state: &mut State, text: &str) {
    if state.help.is_some() {
        return;
    }
    match &mut state.overlay {
        Some(Overlay::Prompt(prompt)) => prompt::pasted(&mut prompt.input, text),
        Some(Overlay::Dialog(dialog)) => prompt::pasted(&mut dialog.input, text),
        Some(Overlay::Form(_)) => form::pasted(state, text),
        Some(Overlay::Flows(list)) => flows::pasted(list, text),
        Some(Overlay::Card(card)) if card.dry_run.is_some() => {}
        Some(Overlay::Many(card)) if card.dry_run.is_some() => {}
        Some(Overlay::Card(card)) if card.field == Field::Reason => prompt::pasted(&mut card.reason, text),
        Some(Overlay::Many(card)) if card.field == Field::Reason => prompt::pasted(&mut card.reason, text),
        _ => {}
    }
}

fn submitted(state: &mut State) -> Vec<Effect> {
    match &state.overlay {
        Some(Overlay::Dialog(_)) => triage::submitted(state),
        Some(Overlay::Card(_)) => card::submitted(state),
        Some(Overlay::Many(_)) => many::submitted(state),
        Some(Overlay::Ask(_)) => bulk::submitted(state),
        Some(Overlay::Form(_)) => form::submitted(state),
        Some(Overlay::Flows(_)) => flows::opened(state),
        _ => Vec::new(),
    }
}

fn confirmed(state: &mut State) -> Vec<Effect> {
    match &state.overlay {
        Some(Overlay::Card(_)) => card::confirmed(state),
        Some(Overlay::Ask(_)) => bulk::confirmed(state),
        Some(Overlay::Quit(question)) => {
            let arms_after = state.settings.arms_after;
            let has_stood = question.shown_at.is_some_and(|at| state.now.duration_since(at) >= arms_after);
            if has_stood { vec![Effect::Quit] } else { Vec::new() }
        }
        _ => Vec::new(),
    }
}

fn declined(state: &mut State) -> Vec<Effect> {
    match &state.overlay {
        Some(Overlay::Card(card)) if !card.takes_no() => Vec::new(),
        // A word or a number is asked for: `n` is no answer.
        Some(Overlay::Many(_)) => Vec::new(),
        Some(Overlay::Ask(question)) if question.confirm.is_some() => Vec::new(),
        Some(Overlay::Card(_)) => card::left(state),
        _ => quiet(|| state.overlay = None),
    }
}

/// Leaving asks while this console receives or a run is under way.
pub(super) fn quit_asked(state: &mut State) -> Vec<Effect> {
    let receives = state.header.receiver == header::Receiver::ThisConsole;
    let why = match (state.running.len(), receives) {
        _ if bulk::is_driving(state) => bulk::why_not_quit(state),
        (0, false) => return vec![Effect::Quit],
        (0, true) => "this console receives: events are not taken in while it is closed".to_owned(),
        (n, _) => format!(
            "{} under way: quitting waits for their receipts, at most 60 s; a step that is not sent yet is not sent any more",
            numbered(n, "run")
        ),
    };
    state.overlay = Some(Overlay::Quit(QuitQuestion { why, shown_at: None }));
    Vec::new()
}
