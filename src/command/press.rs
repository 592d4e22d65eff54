//! From a key to a message, by where the analyst is.

use super::context::Context;
use super::keymap::Keymap;
use super::keys::{FieldKey, Key};
use super::palette;
use super::registry::{Act, COMMANDS, Command};
use crate::app::after;
use crate::app::card::{Card, Phase};
use crate::app::many::{self, ManyCard};
use crate::app::marks;
use crate::app::msg::Motion;
use crate::app::prompt::{Prompt, PromptKind};
use crate::app::triage::DialogKind;
use crate::app::{Msg, Overlay, State};
use crate::domain::undo;

/// The command that shows what a card would do as JSON.
const DRY_RUN: &str = "card.dry-run";
/// The command that leads from a card to what its flow is told.
const FORM: &str = "card.form";

/// What a key means now; `None` where it means nothing.
pub fn press(state: &State, keymap: &Keymap, key: Key) -> Option<Msg> {
    match Context::of(state) {
        Context::Text if insists_on_many(state, keymap, key) => Some(Msg::Insisted),
        Context::Text => in_field(state, keymap, key),
        Context::Card if is_typed_ahead(state, key) || is_beside(keymap, key) => beside(state, keymap, key),
        context => match keymap.command(context, key)?.act {
            Act::Msg(msg) => Some(msg()),
            Act::Argument { .. } => None,
        },
    }
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

fn is_beside(keymap: &Keymap, key: Key) -> bool {
    keymap.command(Context::Card, key).is_some_and(|command| [DRY_RUN, FORM].contains(&command.id))
}

/// What sends nothing, and is asked for of a card that cannot be sent too: its dry run, and the form of its inputs.
/// Where letters are typed, by a key that types none.
fn beside(state: &State, keymap: &Keymap, key: Key) -> Option<Msg> {
    let Some(Overlay::Card(card)) = &state.overlay else { return None };
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
        FieldKey::Other => {
            let edited = || key.edit().map(Msg::Edited);
            paged(state, key).or_else(edited).or_else(|| beside(state, keymap, key))
        }
    }
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

/// The keys that matter here, with their words; the last one is shown on the narrowest screen too.
pub fn footer(state: &State, keymap: &Keymap) -> Vec<(String, String)> {
    match (Context::of(state), &state.overlay) {
        (Context::Text, _) => field_footer(state, keymap),
        (Context::Quit, _) => words(&[
            (&first_key(keymap, "card.confirm"), "quit"),
            (&first_key(keymap, "card.decline"), "stay"),
        ]),
        (_, Some(Overlay::Flows(list))) if list.choice.is_some() => {
            words(&[("1–9", "choose the account"), ("esc", "back to the flows")])
        }
        (Context::Ask, _) => {
            words(&[(&first_key(keymap, "card.confirm"), "yes"), (&first_key(keymap, "card.decline"), "no")])
        }
        (Context::DryRun, _) => words(&[
            (&first_key(keymap, "link.copy"), "copy"),
            (&first_key(keymap, "dry-run.write"), "write a file"),
            ("↑↓", "scroll"),
            ("esc", "back to the card"),
        ]),
        (_, Some(Overlay::Card(card))) => card_footer(state, card, keymap),
        (_, Some(Overlay::Many(card))) => many_footer(card, keymap),
        (context, None) => with_marks(state, commands_footer(context, keymap), keymap),
        (context, _) => commands_footer(context, keymap),
    }
}

fn commands_footer(context: Context, keymap: &Keymap) -> Vec<(String, String)> {
    let mut here: Vec<&Command> =
        COMMANDS.iter().filter(|command| command.contexts.contains(&context)).collect();
    // Whoever sees no key for what they want needs the help.
    here.sort_by_key(|command| command.id == "help.open");
    here.into_iter()
        .filter_map(|command| {
            let label = command.footer_in(context)?;
            Some((keymap.keys(command.id).into_iter().next()?, label.to_owned()))
        })
        .collect()
}

/// With marks the key that remediates means them all, and the way back unmarks first: both stand in front.
fn with_marks(state: &State, mut footer: Vec<(String, String)>, keymap: &Keymap) -> Vec<(String, String)> {
    let Some(marks) = marks::here(state).filter(|marks| !marks.is_empty()) else { return footer };
    let (run, back) = (first_key(keymap, "flow.offer"), first_key(keymap, "screen.back"));
    footer.retain(|(key, _)| *key != run && *key != back);
    let first = [(run, format!("run on {} marked", marks.len())), (back, "unmark".to_owned())];
    first.into_iter().chain(footer).collect()
}

/// A card for many that takes no text.
fn many_footer(card: &ManyCard, keymap: &Keymap) -> Vec<(String, String)> {
    let scroll = ("↑↓", "scroll");
    match &card.phase {
        many::Phase::Asking if card.wants_insistence() => {
            words(&[(&first_key(keymap, "card.insist"), "insist"), scroll, ("esc", "leave")])
        }
        many::Phase::Failed(_) => words(&[scroll, ("esc", "close")]),
        _ => words(&[scroll, ("esc", "leave")]),
    }
}

/// A card that takes no text: what answers it now, if anything does.
fn card_footer(state: &State, card: &Card, keymap: &Keymap) -> Vec<(String, String)> {
    let now = state.now;
    let key = |id: &str| first_key(keymap, id);
    let dry_run = match card.is_typed() {
        true => keymap.keys_beside_field(DRY_RUN).into_iter().next().unwrap_or_default(),
        false => key(DRY_RUN),
    };
    let (scroll, esc) = (("↑↓", "scroll"), "esc");
    match card.phase {
        Phase::Asking if card.takes_letters(now) => words(&[
            (&key("card.confirm"), "run"),
            (&dry_run, "dry run"),
            scroll,
            (&key("card.decline"), "no"),
        ]),
        Phase::Asking if card.wants_insistence() => {
            words(&[(&key("card.insist"), "insist"), (&dry_run, "dry run"), scroll, (esc, "leave")])
        }
        Phase::Asking if card.takes_dry_run(now) => words(&[(&dry_run, "dry run"), scroll, (esc, "leave")]),
        Phase::Asking | Phase::Preparing => words(&[scroll, (esc, "leave")]),
        Phase::Done(_) if card.link().is_some() => {
            words(&[(&key("card.confirm"), "copy the link"), scroll, (esc, "close")])
        }
        Phase::Done(_) if undo::of_any(after::meant(state), &state.settings.flows).is_ok() => {
            words(&[(&key("action.undo"), "undo"), scroll, (esc, "close")])
        }
        Phase::Failed(_) if card.takes_form(now) => words(&[(&key(FORM), "inputs"), scroll, (esc, "close")]),
        Phase::Running(_) | Phase::Done(_) | Phase::Failed(_) | Phase::Unsure(_) => {
            words(&[scroll, (esc, "close")])
        }
    }
}

fn first_key(keymap: &Keymap, id: &str) -> String {
    keymap.keys(id).into_iter().next().unwrap_or_default()
}

fn words(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, label)| ((*key).to_owned(), (*label).to_owned())).collect()
}

fn field_footer(state: &State, keymap: &Keymap) -> Vec<(String, String)> {
    words(match &state.overlay {
        Some(Overlay::Prompt(prompt)) if prompt.kind == PromptKind::Command => {
            &[("enter", "run"), ("tab", "complete"), ("↑↓", "choose"), ("esc", "leave")]
        }
        Some(Overlay::Prompt(prompt)) if prompt.kind == PromptKind::Log => {
            &[("enter", "ask"), ("tab", "complete"), ("↑↓", "choose"), ("esc", "leave")]
        }
        Some(Overlay::Prompt(_)) => &[("enter", "filter"), ("esc", "leave")],
        Some(Overlay::Dialog(dialog)) if dialog.kind == DialogKind::Close => {
            &[("enter", "close the finding"), ("↑↓", "disposition"), ("esc", "leave")]
        }
        Some(Overlay::Dialog(_)) => &[("enter", "write"), ("esc", "leave")],
        Some(Overlay::Form(_)) => &[
            ("enter", "next, then the card"),
            ("tab ↑↓", "choose"),
            ("space", "true or false"),
            ("esc", "leave"),
        ],
        _ => return card_field_footer(state, keymap),
    })
}

/// A card whose field takes the letters: only keys that type nothing mean something else.
fn card_field_footer(state: &State, keymap: &Keymap) -> Vec<(String, String)> {
    let is_formed = matches!(&state.overlay, Some(Overlay::Card(card)) if card.takes_form(state.now));
    // Of many there is no dry run yet but on the command line.
    let is_for_one = !matches!(&state.overlay, Some(Overlay::Many(_)));
    let beside = [(FORM, "inputs", is_formed), (DRY_RUN, "dry run", is_for_one)];
    let beside = beside.into_iter().filter(|(.., is_there)| *is_there).filter_map(|(id, label, _)| {
        keymap.keys_beside_field(id).into_iter().next().map(|key| (key, label.to_owned()))
    });
    words(&[("↑↓", "scroll"), ("tab", "other field")])
        .into_iter()
        .chain(beside)
        .chain(words(&[("esc", "no, leave")]))
        .collect()
}
