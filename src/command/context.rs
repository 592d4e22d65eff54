//! Where the analyst is, as far as keys are concerned.

use crate::app::{Overlay, Screen, State};

/// Where a key is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// The feed.
    Feed,
    /// An event.
    Event,
    /// User 360.
    User,
    /// An address.
    Address,
    /// Raw JSON.
    Raw,
    /// The journal.
    Journal,
    /// How sources and store are.
    Health,
    /// The System Log.
    Log,
    /// A look-up in the org.
    LookUp,
    /// The runs on many.
    Bulks,
    /// A run on many.
    Bulk,
    /// The help.
    Help,
    /// The list of flows.
    Flows,
    /// The confirm card, where it takes single keys.
    Card,
    /// The dry run that lies over the card.
    DryRun,
    /// The link card.
    Link,
    /// "Really quit?"
    Quit,
    /// "Really go on?", or stop, with a run on many.
    Ask,
    /// A field takes the letters.
    Text,
}

impl Context {
    /// The screens, without what lies over them.
    pub const SCREENS: &'static [Context] = &[
        Context::Feed,
        Context::Event,
        Context::User,
        Context::Address,
        Context::Raw,
        Context::Journal,
        Context::Health,
        Context::Log,
        Context::LookUp,
        Context::Bulks,
        Context::Bulk,
    ];

    /// Where the analyst is now.
    pub fn of(state: &State) -> Context {
        if state.help.is_some() { Context::Help } else { Context::under_help(state) }
    }

    /// The same but for the help that lies over it: what that is about.
    pub fn under_help(state: &State) -> Context {
        match &state.overlay {
            Some(overlay) => Context::of_overlay(overlay, state),
            None => Context::of_screen(state.stack.last()),
        }
    }

    fn of_overlay(overlay: &Overlay, state: &State) -> Context {
        match overlay {
            Overlay::Help(_) => Context::Help,
            Overlay::Flows(list) if list.takes_text() => Context::Text,
            Overlay::Flows(_) => Context::Flows,
            Overlay::Card(card) if card.dry_run.is_some() => Context::DryRun,
            Overlay::Card(card) if card.takes_text(state.now) => Context::Text,
            Overlay::Card(_) => Context::Card,
            Overlay::Many(card) if card.dry_run.is_some() => Context::DryRun,
            Overlay::Many(card) if card.takes_text(state.now) => Context::Text,
            Overlay::Many(_) => Context::Card,
            Overlay::Ask(question) if question.takes_text(state.now) => Context::Text,
            Overlay::Ask(_) => Context::Ask,
            Overlay::Link(_) => Context::Link,
            Overlay::Quit(_) => Context::Quit,
            Overlay::Prompt(_) | Overlay::Dialog(_) | Overlay::Form(_) => Context::Text,
        }
    }

    /// The screen, without what lies over it.
    pub fn of_screen(screen: Option<&Screen>) -> Context {
        match screen {
            None => Context::Feed,
            Some(Screen::Event(_)) => Context::Event,
            Some(Screen::User(_)) => Context::User,
            Some(Screen::Address(_)) => Context::Address,
            Some(Screen::Raw(_)) => Context::Raw,
            Some(Screen::Journal(_)) => Context::Journal,
            Some(Screen::Health(_)) => Context::Health,
            Some(Screen::Log(_)) => Context::Log,
            Some(Screen::LookUp(_)) => Context::LookUp,
            Some(Screen::Bulks(_)) => Context::Bulks,
            Some(Screen::Bulk(_)) => Context::Bulk,
        }
    }

    /// Where a command stands among those of its screen: the ones that are most likely wanted there first, all others
    /// in the registry's order.
    pub(super) fn rank(self, id: &str) -> usize {
        let first: &[&str] = match self {
            Context::Bulks => {
                &["list.open", "bulk.resume", "bulk.pause", "bulk.stop", "action.undo", "screen.back"]
            }
            Context::Bulk => &[
                "bulk.resume",
                "bulk.pause",
                "bulk.stop",
                "bulk.which",
                "screen.back",
                "list.open",
                "action.undo",
                "bulk.csv",
                "flow.offer",
                "journal.open",
                "bulk.json",
            ],
            Context::Journal => &[
                "list.open",
                "action.undo",
                "screen.back",
                "screen.refresh",
                "filter.open",
                "journal.rows",
                "person.open",
                "pane.next",
                "journal.check",
                "journal.csv",
                "event.raw",
                "journal.json",
            ],
            Context::User => &["list.open", "action.undo"],
            Context::Feed | Context::Event | Context::Address => {
                &["list.open", "flow.offer", "mark.toggle", "mark.all"]
            }
            _ => &[],
        };
        first.iter().position(|known| *known == id).unwrap_or(usize::MAX)
    }

    /// The word in the help and in the README's table.
    pub fn word(self) -> &'static str {
        match self {
            Context::Feed => "feed",
            Context::Event => "event",
            Context::User => "User 360",
            Context::Address => "address",
            Context::Raw => "raw JSON",
            Context::Journal => "journal",
            Context::Health => "health",
            Context::Log => "System Log",
            Context::LookUp => "look-up",
            Context::Bulks => "runs on many",
            Context::Bulk => "run on many",
            Context::Help => "help",
            Context::Flows => "flows",
            Context::Card => "card",
            Context::DryRun => "dry run",
            Context::Link => "link",
            Context::Quit => "quit",
            Context::Ask => "question",
            Context::Text => "text field",
        }
    }
}
