//! The footer: the keys that matter here and now, with their words.
//!
//! Only what would do something now is offered, what is most likely wanted first; what does not fit is found by the
//! help.

use super::context::Context;
use super::keymap::Keymap;
use super::press::{DRY_RUN, FORM, HELP, LOOK};
use super::registry::{COMMANDS, Command};
use crate::app::after;
use crate::app::bulk::{self, Asking};
use crate::app::card::{Card, Phase};
use crate::app::flows::FlowList;
use crate::app::journal::Leads;
use crate::app::many::{self, ManyCard};
use crate::app::marks;
use crate::app::prompt::PromptKind;
use crate::app::triage::DialogKind;
use crate::app::{Overlay, Screen, State};
use crate::domain::journal::query::Rows;
use crate::domain::undo;

/// The keys that matter here, with their words; the last one is shown on the narrowest screen too.
pub fn footer(state: &State, keymap: &Keymap) -> Vec<(String, String)> {
    with_help(state, keys_here(state, keymap), keymap)
}

/// What lies over a screen has its help in front of the way back, by a key that is taken there.
fn with_help(state: &State, mut footer: Vec<(String, String)>, keymap: &Keymap) -> Vec<(String, String)> {
    let typed = |takes_signs: bool| match takes_signs {
        true => first_key(keymap, HELP),
        false => keymap.keys_beside_field(HELP).into_iter().next().unwrap_or_default(),
    };
    let key = match &state.overlay {
        _ if state.help.is_some() => return footer,
        Some(Overlay::Card(card)) => typed(card.takes_signs(state.now) || card.dry_run.is_some()),
        Some(Overlay::Many(card)) => typed(card.takes_signs() || card.dry_run.is_some()),
        Some(Overlay::Form(_) | Overlay::Dialog(_)) => typed(false),
        _ => return footer,
    };
    if !key.is_empty() {
        footer.insert(footer.len().saturating_sub(1), (key, "help".to_owned()));
    }
    footer
}

fn keys_here(state: &State, keymap: &Keymap) -> Vec<(String, String)> {
    match (Context::of(state), &state.overlay) {
        (Context::Help, _) => commands_footer(state, Context::Help, keymap),
        (Context::Quit, _) => words(&[
            (&first_key(keymap, "card.confirm"), "quit"),
            (&first_key(keymap, "card.decline"), "stay"),
        ]),
        (_, Some(Overlay::Flows(list))) if list.choice.is_some() => {
            words(&[("1–9", "choose the account"), ("esc", "back to the flows")])
        }
        (_, Some(Overlay::Flows(list))) => flows_footer(list, keymap),
        (Context::Text, _) => field_footer(state, keymap),
        (Context::Ask, Some(Overlay::Ask(question))) if question.confirm.is_some() => {
            words(&[("esc", "no, leave")])
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
        (_, Some(Overlay::Many(card))) => many_footer(state, card, keymap),
        (context, None) => with_marks(state, commands_footer(state, context, keymap), keymap),
        (context, _) => commands_footer(state, context, keymap),
    }
}

fn commands_footer(state: &State, context: Context, keymap: &Keymap) -> Vec<(String, String)> {
    let is_here =
        |command: &&Command| command.contexts.contains(&context) && applies(state, context, command.id);
    let mut here: Vec<&Command> = COMMANDS.iter().filter(is_here).collect();
    here.sort_by_key(|command| context.rank(command.id));
    // Whoever sees no key for what they want needs the help.
    here.sort_by_key(|command| command.id == "help.open");
    here.into_iter()
        .filter_map(|command| {
            let label = label(state, context, command)?;
            Some((keymap.keys(command.id).into_iter().next()?, label.to_owned()))
        })
        .collect()
}

/// The word of a command; one that turns around says where to.
fn label(state: &State, context: Context, command: &Command) -> Option<&'static str> {
    match (state.stack.last(), command.id) {
        (_, "mark.all") if marks::all_are(state) => Some("none"),
        (Some(Screen::Bulk(screen)), "bulk.which") => Some(screen.which.next().words()),
        (Some(Screen::Journal(screen)), id) => match (id, screen.leads_to(), screen.query.rows()) {
            ("list.open", Some(Leads::Records(_)), _) => Some("records"),
            ("list.open", Some(Leads::Run(_)), _) => Some("the run"),
            ("list.open", ..) => Some("whole"),
            // `enter` does the same there.
            ("event.raw", Some(Leads::Whole), _) => None,
            ("journal.rows", _, Rows::Records) => Some("by action"),
            _ => command.footer_in(context),
        },
        _ => command.footer_in(context),
    }
}

/// Whether a command would do something now, as far as the screen knows.
fn applies(state: &State, context: Context, id: &str) -> bool {
    let acts = matches!(id, "flow.offer" | "finding.claim" | "finding.close" | "action.undo" | "mark.toggle");
    if acts && state.settings.is_read_only {
        return false;
    }
    match (context, id) {
        (_, "bulk.pause") => bulk::takes_pause(state),
        (_, "bulk.resume") => bulk::takes(state, Asking::Resume),
        (_, "bulk.stop") => bulk::takes(state, Asking::Stop),
        (Context::Bulks | Context::Bulk, "action.undo") => bulk::takes_undo(state),
        (Context::Bulk, "list.open" | "flow.offer") => bulk::person(state).is_some(),
        (Context::Journal | Context::User, "action.undo") => {
            undo::of_any(after::meant(state), &state.settings.flows).is_ok()
        }
        (Context::Journal, "screen.refresh") => !after::meant(state).is_empty(),
        (Context::Journal, "list.open" | "event.raw") => has_selected(state),
        (Context::Journal, "person.open") => names_somebody(state),
        _ => true,
    }
}

fn has_selected(state: &State) -> bool {
    matches!(state.stack.last(), Some(Screen::Journal(screen)) if screen.selected().is_some())
}

fn names_somebody(state: &State) -> bool {
    match state.stack.last() {
        Some(Screen::Journal(screen)) => screen.person().is_some(),
        _ => false,
    }
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
fn many_footer(state: &State, card: &ManyCard, keymap: &Keymap) -> Vec<(String, String)> {
    let scroll = ("↑↓", "scroll");
    match &card.phase {
        many::Phase::Asking if card.wants_insistence() => {
            words(&[(&first_key(keymap, "card.insist"), "insist"), scroll, ("esc", "leave")])
        }
        many::Phase::Asking if card.acts_on_nobody() => {
            let dry_run =
                card.takes_dry_run(state.now).then(|| (first_key(keymap, DRY_RUN), "dry run".to_owned()));
            dry_run.into_iter().chain(words(&[scroll, ("esc", "back")])).collect()
        }
        many::Phase::Failed(_) => words(&[scroll, ("esc", "close")]),
        _ => words(&[scroll, ("esc", "leave")]),
    }
}

/// A card that takes no text: what answers it now, if anything does.
fn card_footer(state: &State, card: &Card, keymap: &Keymap) -> Vec<(String, String)> {
    let now = state.now;
    let key = |id: &str| first_key(keymap, id);
    let dry_run = first_beside(card, keymap, DRY_RUN);
    let (scroll, esc) = (("↑↓", "scroll"), "esc");
    match card.phase {
        Phase::Asking if card.refusal().is_some() => stuck_footer(state, card, keymap, "back"),
        Phase::Failed(_) => stuck_footer(state, card, keymap, "close"),
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
        Phase::Done(_) | Phase::Unsure(_) => {
            let can_undo = undo::of_any(after::meant(state), &state.settings.flows).is_ok();
            let undo = can_undo.then(|| (key("action.undo"), "undo".to_owned()));
            let look = after::takes_look(state).then(|| (key(LOOK), "look again".to_owned()));
            // Where nobody knows how it ended, a look comes before anything else.
            let is_unknown = after::meant(state).iter().any(|action| action.is_unknown());
            let both = if is_unknown { [look, undo] } else { [undo, look] };
            both.into_iter().flatten().chain(words(&[scroll, (esc, "close")])).collect()
        }
        Phase::Running(_) => words(&[scroll, (esc, "close")]),
    }
}

/// A card of which nothing can be sent as it stands: what may change that, or shows it.
fn stuck_footer(state: &State, card: &Card, keymap: &Keymap, leave: &str) -> Vec<(String, String)> {
    let now = state.now;
    let look = card.takes_look(now).then(|| (first_key(keymap, LOOK), "look again"));
    let form = card.takes_form(now).then(|| (first_beside(card, keymap, FORM), "inputs"));
    let dry_run = card.takes_dry_run(now).then(|| (first_beside(card, keymap, DRY_RUN), "dry run"));
    let before = [look, form, dry_run].into_iter().flatten().filter(|(key, _)| !key.is_empty());
    let before = before.map(|(key, label)| (key, label.to_owned()));
    before.chain(words(&[("↑↓", "scroll"), ("esc", leave)])).collect()
}

/// The key of what sends nothing: where letters are typed, one that types none.
fn first_beside(card: &Card, keymap: &Keymap, id: &str) -> String {
    match card.is_typed() {
        true => keymap.keys_beside_field(id).into_iter().next().unwrap_or_default(),
        false => first_key(keymap, id),
    }
}

/// The list of flows: its numbers as long as no text is typed, and what the keys do to the text where one is.
fn flows_footer(list: &FlowList, keymap: &Keymap) -> Vec<(String, String)> {
    let choose = list.takes_number().then_some(("1–9", "choose"));
    let (filter, help) = (first_key(keymap, "filter.open"), first_key(keymap, "help.open"));
    let rest: &[(&str, &str)] = match list.takes_text() {
        true if list.has_text() => &[("enter", "open"), ("↑↓", "move"), ("esc", "all flows")],
        true if list.takes_number() => &[("enter", "open"), ("a–z", "find"), ("↑↓", "move"), ("esc", "back")],
        true => &[("enter", "open"), ("↑↓", "move"), ("esc", "all flows")],
        false => &[("enter", "open"), (&filter, "find"), ("esc", "back"), (&help, "help")],
    };
    words(&choose.into_iter().chain(rest.iter().copied()).collect::<Vec<_>>())
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
        Some(Overlay::Form(form)) if form.takes_switch() => &[
            ("enter", "next, then the card"),
            ("tab ↑↓", "choose"),
            ("space", "true or false"),
            ("esc", "leave"),
        ],
        Some(Overlay::Form(form)) if form.fields.len() > 1 => {
            &[("enter", "next, then the card"), ("tab ↑↓", "choose"), ("esc", "leave")]
        }
        Some(Overlay::Form(_)) => &[("enter", "the card"), ("esc", "leave")],
        Some(Overlay::Ask(_)) => &[("enter", "go on"), ("esc", "no, leave")],
        _ => return card_field_footer(state, keymap),
    })
}

/// A card whose field takes the letters: only keys that type nothing mean something else.
fn card_field_footer(state: &State, keymap: &Keymap) -> Vec<(String, String)> {
    let is_formed = matches!(&state.overlay, Some(Overlay::Card(card)) if card.takes_form(state.now));
    let beside = [(FORM, "inputs", is_formed), (DRY_RUN, "dry run", true)];
    let beside = beside.into_iter().filter(|(.., is_there)| *is_there).filter_map(|(id, label, _)| {
        keymap.keys_beside_field(id).into_iter().next().map(|key| (key, label.to_owned()))
    });
    let takes_insistence =
        matches!(&state.overlay, Some(Overlay::Many(card)) if card.takes_insistence(state.now));
    let insist = takes_insistence.then(|| (first_key(keymap, "card.insist"), "insist".to_owned()));
    insist
        .into_iter()
        .chain(words(&[("↑↓", "scroll"), ("tab", "other field")]))
        .chain(beside)
        .chain(words(&[("esc", "no, leave")]))
        .collect()
}
