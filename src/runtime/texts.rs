//! What the command registry has to say on the screen that is shown.

use crate::app::{Overlay, Screen, State};
use crate::command::{Context, Keymap, footer, palette, reference};
use crate::view::{BulkKeys, CardKeys, HelpLine, HelpTexts, PaletteLine};

/// The texts of a frame; help and palette only where they are shown.
pub fn of(state: &State, keymap: &Keymap) -> HelpTexts {
    HelpTexts {
        footer: footer(state, keymap),
        help: match state.overlay {
            Some(Overlay::Help(_)) => help(Context::of_screen(state.stack.last()), keymap),
            _ if state.help.is_some() => help(Context::under_help(state), keymap),
            _ => Vec::new(),
        },
        palette: match &state.overlay {
            Some(Overlay::Prompt(prompt)) => {
                let screen = Context::of_screen(state.stack.last());
                palette::lines(prompt, keymap, screen).into_iter().map(entry).collect()
            }
            _ => Vec::new(),
        },
        questions: match state.stack.last() {
            Some(Screen::Log(_)) => reference::questions(keymap),
            _ => Vec::new(),
        },
        insist_key: keymap.keys("card.insist").join(" "),
        form_keys: card_keys("card.form", keymap),
        dry_run_keys: card_keys("card.dry-run", keymap),
        undo_key: keymap.keys("action.undo").join(" "),
        look_key: keymap.keys("screen.refresh").join(" "),
        check_key: keymap.keys("journal.check").join(" "),
        bulk_keys: BulkKeys {
            pause: keymap.keys("bulk.pause").join(" "),
            resume: keymap.keys("bulk.resume").join(" "),
            stop: keymap.keys("bulk.stop").join(" "),
            which: keymap.keys("bulk.which").join(" "),
        },
        qr_key: keymap.keys("link.qr").join(" "),
    }
}

fn card_keys(id: &str, keymap: &Keymap) -> CardKeys {
    let first = |keys: Vec<String>| keys.into_iter().next().unwrap_or_default();
    CardKeys { plain: first(keymap.keys(id)), beside_field: first(keymap.keys_beside_field(id)) }
}

/// The help is about what is under it.
fn help(context: Context, keymap: &Keymap) -> Vec<HelpLine> {
    reference::help(context, keymap).into_iter().map(line).collect()
}

fn line(line: reference::HelpLine) -> HelpLine {
    match line {
        reference::HelpLine::Heading(text) => HelpLine::Heading(text),
        reference::HelpLine::Entry { keys, text } => HelpLine::Command { keys, title: text.to_owned() },
    }
}

fn entry(line: palette::PaletteLine) -> PaletteLine {
    PaletteLine {
        name: line.name,
        keys: line.keys,
        title: line.title.to_owned(),
        is_selected: line.is_selected,
        is_usable: line.is_usable,
    }
}
