//! The help screen and the README's table of keys, made from the registry.

use super::context::Context;
use super::keymap::Keymap;
use super::registry::{Act, COMMANDS, Command};
use std::collections::BTreeMap;

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

/// The help of a screen: its own commands first, then all others.
pub fn help(context: Context, keymap: &Keymap) -> Vec<HelpLine> {
    let (here, elsewhere): (Vec<&Command>, Vec<&Command>) =
        COMMANDS.iter().partition(|command| command.contexts.contains(&context));
    let mut lines = vec![HelpLine::Heading(format!("Here: {}", context.word()))];
    lines.extend(entries(&here, keymap));
    lines.push(HelpLine::Heading("Elsewhere".to_owned()));
    lines.extend(entries(&elsewhere, keymap));
    lines.push(HelpLine::Heading("Filter".to_owned()));
    lines.extend(FILTER.iter().map(|(term, text)| HelpLine::Entry { keys: (*term).to_owned(), text }));
    lines
}

const FILTER: &[(&str, &str)] = &[
    ("severity>=high", "ranked: critical, high, medium, low, info, unknown; also = > < <="),
    ("check:no-mfa", "a check's id or title; `*` stands for anything"),
    ("user:ann*", "a login that the event names"),
    ("source:cii*", "the source that brought it"),
    ("state:open", "has a finding that is open, claimed, snoozed or closed"),
    ("kind:test", "failed-check, test, direct-message, log, issue, execution, other"),
    ("words \"in quotes\"", "in title, check, texts and logins"),
    ("-term", "not"),
];

fn entries<'a>(commands: &'a [&Command], keymap: &'a Keymap) -> impl Iterator<Item = HelpLine> + 'a {
    commands.iter().map(|command| HelpLine::Entry { keys: spelt(command, keymap), text: command.help })
}

fn spelt(command: &Command, keymap: &Keymap) -> String {
    match command.act {
        Act::Argument { name, .. } => format!(":{} {name}", command.name),
        Act::Msg(_) => keymap.keys(command.id).join(" "),
    }
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
