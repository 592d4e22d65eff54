//! From a key to a message, by where the analyst is.

use super::context::Context;
use super::keymap::Keymap;
use super::keys::{FieldKey, Key};
use super::palette;
use super::registry::{Act, Command};
use crate::app::card::Phase;
use crate::app::msg::Motion;
use crate::app::prompt::{Prompt, PromptKind};
use crate::app::{Msg, Overlay, State};

/// The command that shows what a card would do as JSON.
pub(super) const DRY_RUN: &str = "card.dry-run";
/// The command that reads anew.
pub(super) const LOOK: &str = "screen.refresh";
/// The command that types a filter.
pub(super) const FILTER: &str = "filter.open";
/// The command that leads from a card to what its flow is told.
pub(super) const FORM: &str = "card.form";
/// The command that opens the help.
pub(super) const HELP: &str = "help.open";

/// What a key means now; `None` where it means nothing.
pub fn press(state: &State, keymap: &Keymap, key: Key) -> Option<Msg> {
    if asks_help(state, keymap, key) {
        return Some(Msg::HelpAsked);
    }
    match Context::of(state) {
        Context::Text if insists_on_many(state, keymap, key) => Some(Msg::Insisted),
        Context::Text => in_field(state, keymap, key),
        Context::Card if is_typed_ahead(state, key) || is_beside(state, keymap, key) => {
            beside(state, keymap, key)
        }
        context => match keymap.command(context, key) {
            Some(command) => meaning(command),
            None => keymap.is_of(FILTER, key).then(|| not_filtered(context)).flatten(),
        },
    }
}

fn meaning(command: &Command) -> Option<Msg> {
    match command.act {
        Act::Msg(msg) => Some(msg()),
        Act::Argument { .. } => None,
    }
}

/// The key of the filter on a screen that has none says so: it must not filter another one.
fn not_filtered(context: Context) -> Option<Msg> {
    Context::SCREENS.contains(&context).then(|| Msg::Misunderstood(palette::not_here(context)))
}

/// The help of a card, a form or a question: it answers nothing. Where something is typed, or may be typed ahead, by
/// a key that types nothing.
fn asks_help(state: &State, keymap: &Keymap, key: Key) -> bool {
    let is_it = || keymap.command(Context::Card, key).is_some_and(|command| command.id == HELP);
    let takes = match &state.overlay {
        Some(Overlay::Card(card)) => !key.is_letter() || card.takes_signs(state.now),
        Some(Overlay::Many(card)) => !key.is_letter() || card.takes_signs(),
        Some(Overlay::Form(_) | Overlay::Dialog(_) | Overlay::Ask(_)) => !key.is_letter(),
        _ => false,
    };
    takes && state.help.is_none() && is_it()
}

/// Letters on a card that does not take letters: the rest of a word or a login that was typed before the
/// card was ready. They must not close it, or what follows would act on the screen below.
fn is_typed_ahead(state: &State, key: Key) -> bool {
    match &state.overlay {
        Some(Overlay::Card(card)) if card.takes_letters(state.now) => false,
        Some(Overlay::Card(card)) => key.is_letter() && !card.takes_insistence(state.now),
        Some(Overlay::Many(card)) if card.takes_letters(state.now) => false,
        Some(Overlay::Many(card)) => key.is_letter() && !card.takes_insistence(state.now),
        _ => false,
    }
}

/// On a card for many some may be left out unless the analyst insists, while the field waits for the others' word:
/// there the key insists before a first letter is typed.
fn insists_on_many(state: &State, keymap: &Keymap, key: Key) -> bool {
    match &state.overlay {
        Some(Overlay::Many(card)) => {
            let is_it = keymap.command(Context::Card, key).is_some_and(|command| command.id == "card.insist");
            is_it && card.takes_insistence(state.now)
        }
        _ => false,
    }
}

fn is_beside(state: &State, keymap: &Keymap, key: Key) -> bool {
    keymap.command(Context::Card, key).is_some_and(|command| [DRY_RUN, FORM].contains(&command.id))
        || is_look(state, keymap, key)
}

/// Reading anew sends nothing, so a letter does it on a card that nothing is typed into.
fn is_look(state: &State, keymap: &Keymap, key: Key) -> bool {
    match &state.overlay {
        Some(Overlay::Card(card)) => {
            let is_it = keymap.command(Context::Card, key).is_some_and(|command| command.id == LOOK);
            is_it && card.takes_look(state.now)
        }
        _ => false,
    }
}

/// What sends nothing, and is asked for of a card that cannot be sent too: its dry run, and the form of its inputs.
/// Where letters are typed, by a key that types none.
fn beside(state: &State, keymap: &Keymap, key: Key) -> Option<Msg> {
    if let Some(Overlay::Many(card)) = &state.overlay {
        let is_typed = key.is_letter() && card.is_typed();
        let is_dry_run = keymap.command(Context::Card, key)?.id == DRY_RUN;
        return (is_dry_run && !is_typed && card.takes_dry_run(state.now)).then_some(Msg::DryRunAsked);
    }
    let Some(Overlay::Card(card)) = &state.overlay else { return None };
    if is_look(state, keymap, key) {
        return Some(Msg::RefreshAsked);
    }
    if key.is_letter() && card.is_typed() {
        return None;
    }
    match keymap.command(Context::Card, key)?.id {
        DRY_RUN if card.takes_dry_run(state.now) => Some(Msg::DryRunAsked),
        // While the target is read, a letter is the first of a login that is typed ahead.
        FORM if key.is_letter() && card.phase == Phase::Preparing => None,
        FORM if card.takes_form(state.now) => Some(Msg::FormAsked),
        _ => None,
    }
}

fn in_field(state: &State, keymap: &Keymap, key: Key) -> Option<Msg> {
    match key.of_field() {
        FieldKey::Submit => Some(submit(state)),
        FieldKey::Leave => Some(Msg::WentBack),
        FieldKey::Complete => complete(state),
        FieldKey::Back if matches!(state.overlay, Some(Overlay::Form(_))) => {
            Some(Msg::ChoiceMoved(Motion::Up))
        }
        FieldKey::Back => beside(state, keymap, key),
        FieldKey::Next => Some(in_card_or(state, Motion::Down)),
        FieldKey::Previous => Some(in_card_or(state, Motion::Up)),
        FieldKey::Other if in_flows(state, keymap, key).is_some() => in_flows(state, keymap, key),
        FieldKey::Other => {
            let edited = || key.edit().map(Msg::Edited);
            paged(state, key).or_else(edited).or_else(|| beside(state, keymap, key))
        }
    }
}

/// In a list of many flows letters are typed at once. Its numbers choose, and the filter's key types numbers too, as
/// long as nothing is typed: whoever types runs nothing.
fn in_flows(state: &State, keymap: &Keymap, key: Key) -> Option<Msg> {
    let Some(Overlay::Flows(list)) = &state.overlay else { return None };
    let command = keymap.command(Context::Flows, key).filter(|_| list.takes_number())?;
    (command.id.starts_with("flow.") || command.id == FILTER).then(|| meaning(command)).flatten()
}

/// A card is paged while its field takes the letters: it has to be read to be answered. Elsewhere these
/// keys edit.
fn paged(state: &State, key: Key) -> Option<Msg> {
    let motion = key.page().filter(|_| matches!(state.overlay, Some(Overlay::Card(_) | Overlay::Many(_))))?;
    Some(Msg::CursorMoved(motion))
}

/// On a card the arrows scroll, elsewhere they choose.
fn in_card_or(state: &State, motion: Motion) -> Msg {
    match state.overlay {
        Some(Overlay::Card(_) | Overlay::Many(_)) => Msg::CursorMoved(motion),
        _ => Msg::ChoiceMoved(motion),
    }
}

fn submit(state: &State) -> Msg {
    match &state.overlay {
        Some(Overlay::Prompt(prompt)) => submit_prompt(prompt, Context::of_screen(state.stack.last())),
        _ => Msg::Submitted,
    }
}

fn submit_prompt(prompt: &Prompt, screen: Context) -> Msg {
    let text = prompt.input.value();
    let meant = match prompt.kind {
        PromptKind::Log => Ok(Msg::LogFiltered(text.to_owned())),
        PromptKind::Filter if screen == Context::Event => palette::meant_as("users", text),
        PromptKind::Filter if screen == Context::Journal => palette::meant_as("records", text),
        PromptKind::Filter => palette::meant_as("where", text),
        PromptKind::Command => palette::meant(text, prompt.choice, screen),
    };
    meant.unwrap_or_else(Msg::Misunderstood)
}

fn complete(state: &State) -> Option<Msg> {
    match &state.overlay {
        Some(Overlay::Prompt(prompt)) if prompt.kind == PromptKind::Command => {
            let screen = Context::of_screen(state.stack.last());
            palette::completion(prompt.input.value(), prompt.choice, screen).map(Msg::Completed)
        }
        Some(Overlay::Prompt(prompt)) if prompt.kind == PromptKind::Log => Some(Msg::LogCompleted),
        Some(Overlay::Dialog(_) | Overlay::Form(_)) => Some(Msg::ChoiceMoved(Motion::Down)),
        Some(Overlay::Card(_) | Overlay::Many(_)) => Some(Msg::PaneSwitched),
        _ => None,
    }
}
