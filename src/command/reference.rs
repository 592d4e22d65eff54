//! The help screen and the README's table of keys, made from the registry.

use super::context::Context;
use super::keymap::Keymap;
use super::registry::{Act, COMMANDS, Command};
use crate::domain::log::LogPreset;
use std::collections::BTreeMap;

/// The command that leads to the screen before.
const BACK: &str = "screen.back";

/// A line of the help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HelpLine {
    /// A heading.
    Heading(String),
    /// Keys, and what they do.
    Entry {
        /// The keys, or the name in the `:` prompt.
        keys: String,
        /// What they do.
        text: &'static str,
    },
}

/// The help of a screen: its own commands first, what is most likely wanted before the rest; then those of every
/// screen, then all others.
pub fn help(context: Context, keymap: &Keymap) -> Vec<HelpLine> {
    let (here, elsewhere): (Vec<&Command>, Vec<&Command>) =
        COMMANDS.iter().partition(|command| command.contexts.contains(&context));
    // The way back is the same everywhere, wherever a footer has it.
    let is_wanted = |command: &Command| context.rank(command.id) < usize::MAX && command.id != BACK;
    let (everywhere, mut own): (Vec<&Command>, Vec<&Command>) =
        here.into_iter().partition(|command| command.is_everywhere() && !is_wanted(command));
    own.sort_by_key(|command| context.rank(command.id));
    let mut lines = vec![HelpLine::Heading(format!("Here: {}", context.word()))];
    if context == Context::Text {
        lines.extend(FIELDS.iter().map(|(keys, text)| HelpLine::Entry { keys: (*keys).to_owned(), text }));
    }
    lines.extend(entries(&own, keymap));
    lines.push(HelpLine::Heading("On every screen".to_owned()));
    lines.extend(entries(&everywhere, keymap));
    lines.push(HelpLine::Heading("Elsewhere".to_owned()));
    lines.extend(entries(&elsewhere, keymap));
    lines.push(HelpLine::Heading("Filter".to_owned()));
    lines.extend(FILTER.iter().map(|(term, text)| HelpLine::Entry { keys: (*term).to_owned(), text }));
    lines.push(HelpLine::Heading("Ids, for `[console] keys`".to_owned()));
    lines.extend(
        COMMANDS.iter().map(|command| HelpLine::Entry { keys: command.id.to_owned(), text: command.title }),
    );
    lines
}

/// Where letters are typed, these keys are fixed.
const FIELDS: &[(&str, &str)] = &[
    ("enter", "Takes what is typed: goes on to the next field, behind the last one to what follows."),
    ("tab ↑ ↓", "Goes to the other fields or choices."),
    ("space", "Turns `true` to `false` and back, where an input is one of both; elsewhere it is typed."),
    ("esc", "Leaves: what was typed is not kept."),
];

const FILTER: &[(&str, &str)] = &[
    ("severity>=high", "ranked: critical, high, medium, low, info, unknown; also = > < <="),
    ("check:no-mfa", "a check's id or title; `*` stands for anything"),
    ("user:ann*", "a login that the event names"),
    ("source:cii*", "the source that brought it"),
    ("state:open", "has a finding that is open, claimed, snoozed or closed"),
    ("kind:test", "failed-check, test, direct-message, log, issue, execution, other"),
    ("tag:hygiene", "what a rule calls it"),
    (
        "quiet:yes",
        "a log or execution record that opened no finding: not in the feed unless `quiet:`, `kind:` or `source:` asks for it",
    ),
    ("words \"in quotes\"", "in title, check, texts and logins"),
    ("-term", "not"),
];

/// One entry a command; neighbours that say the same, such as the nine that choose a flow, are one.
fn entries(commands: &[&Command], keymap: &Keymap) -> Vec<HelpLine> {
    let alike = commands.chunk_by(|a, b| a.help == b.help);
    alike
        .filter_map(|alike| {
            let keys: Vec<String> = alike.iter().map(|command| spelt(command, keymap)).collect();
            Some(HelpLine::Entry { keys: folded(&keys), text: alike.first()?.help })
        })
        .collect()
}

/// `1–9` for the digits in their order, else every key.
fn folded(keys: &[String]) -> String {
    let is_run = keys.iter().enumerate().all(|(at, key)| *key == (at + 1).to_string());
    if is_run && keys.len() > 1 { format!("1–{}", keys.len()) } else { keys.join(" ") }
}

fn spelt(command: &Command, keymap: &Keymap) -> String {
    match command.act {
        Act::Argument { name, .. } => format!(":{} {name}", command.name),
        // What no key does is typed.
        Act::Msg(_) => match keymap.keys(command.id) {
            keys if keys.is_empty() => format!(":{}", command.name),
            keys => keys.join(" "),
        },
    }
}

/// The ready questions of the System Log, each with its key.
pub fn questions(keymap: &Keymap) -> Vec<(String, String)> {
    let ids = ["log.first", "log.second", "log.third", "log.fourth", "log.fifth"];
    let titles = LogPreset::ALL.map(LogPreset::title);
    ids.iter().zip(titles).map(|(id, title)| (keymap.keys(id).join(" "), title.to_owned())).collect()
}

/// The README's table of keys, with the default keymap.
pub fn table() -> String {
    let Ok(keymap) = Keymap::new(&BTreeMap::new()) else { return String::new() };
    let mut table = String::from("| keys | command | where | what |\n|---|---|---|---|\n");
    for command in COMMANDS {
        let places: Vec<&str> = command.contexts.iter().map(|context| context.word()).collect();
        let keys = spelt(command, &keymap).replace('|', "\\|");
        table.push_str(&format!(
            "| `{keys}` | `{}` | {} | {} |\n",
            command.id,
            places.join(", "),
            command.help
        ));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_commands_are_one_line() {
        let lines = help(Context::User, &Keymap::new(&BTreeMap::new()).unwrap());
        let of = |wanted: &str| {
            lines.iter().filter(|line| matches!(line, HelpLine::Entry { keys, .. } if keys == wanted)).count()
        };
        assert_eq!((of("1–8"), of("1–9"), of("1")), (1, 1, 0));
    }

    #[test]
    fn the_help_opens_with_the_keys_of_its_screen() {
        let keymap = Keymap::new(&BTreeMap::new()).unwrap();
        let keys = |context: Context| -> Vec<String> {
            let lines = help(context, &keymap).into_iter().skip(1);
            lines
                .map_while(|line| match line {
                    HelpLine::Entry { keys, .. } => Some(keys),
                    HelpLine::Heading(_) => None,
                })
                .collect()
        };
        assert_eq!(keys(Context::Bulk).get(..5).unwrap(), ["c", "p", "S", "f", "enter"]);
        assert_eq!(keys(Context::Journal).get(..4).unwrap(), ["enter", "z", "R", "/"]);
        for context in Context::SCREENS {
            assert!(!keys(*context).iter().any(|key| key.starts_with("j ")), "{}", context.word());
        }
    }

    #[test]
    fn what_no_key_does_is_shown_as_it_is_typed() {
        let lines = help(Context::Feed, &Keymap::new(&BTreeMap::new()).unwrap());
        let shown = |wanted: &str| {
            lines.iter().any(|line| matches!(line, HelpLine::Entry { keys, .. } if keys == wanted))
        };
        assert!(shown(":run-on-filter") && !shown(""));
    }

    #[test]
    fn every_command_can_be_found_by_the_id_that_keys_are_configured_by() {
        let lines = help(Context::Feed, &Keymap::new(&BTreeMap::new()).unwrap());
        for command in COMMANDS {
            let is_its = |line: &HelpLine| matches!(line, HelpLine::Entry { keys, .. } if keys == command.id);
            assert!(lines.iter().any(is_its), "{}", command.id);
        }
    }

    #[test]
    fn keys_of_ones_own_are_all_named() {
        assert_eq!(folded(&["1".to_owned(), "f".to_owned()]), "1 f");
    }
}
