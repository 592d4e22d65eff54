//! `journal …`: what was done, whether the chain holds, and what is found out or said of it later.

use super::PageArguments;
use crate::domain::ActionId;
use crate::domain::action::Said;
use crate::domain::journal::Head;
use crate::domain::log::Moment;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `journal …`
#[derive(Debug, Subcommand)]
pub enum Journal {
    /// Newest first
    List {
        /// A filter: user:ann@example.com outcome:unknown since:7d "words"
        query: Vec<String>,
        /// How many.
        #[command(flatten)]
        page: PageArguments,
        /// Only those before this place
        #[arg(long, value_name = "SEQ")]
        before: Option<u64>,
    },
    /// Whether the chain holds
    Verify {
        /// A head that you kept: finds a tail that was cut off, or a journal written anew
        #[arg(long, value_name = "SEQ:HASH")]
        head: Option<Head>,
    },
    /// Every record, oldest first: JSON Lines, or CSV
    Export(JournalExport),
    /// Look at the targets of actions again, and at what the System Log has beside them: nothing is sent
    #[command(
        after_help = "Only a change from how the target stood before raises an action; anything else is a note on it.\n\
        Exit status: that of the outcome, as `run` has it: 4 where it is still unknown, or open and its target could not be read."
    )]
    Check(Check),
    /// Say how an action of unknown outcome ended, where nothing that can be read proves it: nothing is sent
    #[command(
        after_help = "It is kept as your word, with who and why, and never as evidence: outcome and evidence stay as they \
        are, and what is proven later goes before it. The next run of the same is not held up for it any more. Where the \
        account can be read again, `journal check` comes first. An accepted action takes a word too.\n\
        Exit status: 0 kept; 1 no word is taken of it; 2 wrong usage, no confirmation, or another's word to be replaced."
    )]
    Say(Say),
}

/// An analyst's word
#[derive(Debug, Clone, Args)]
pub struct Say {
    /// The action's id, as the journal has it
    pub action: ActionId,
    /// What is said of it
    #[arg(value_name = "changed|not-changed", value_parser = said)]
    pub said: Said,
    /// How you know
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub reason: String,
    /// Put it in the place of a word that says otherwise; the journal keeps both
    #[arg(long)]
    pub again: bool,
    /// Keep it, instead of saying what would be kept
    #[arg(long)]
    pub yes: bool,
}

/// `journal export`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Times are RFC 3339 (2026-05-01T12:00:00Z), `now`, or how long ago: 2h, 7 days.")]
pub struct JournalExport {
    /// A filter: user:ann@example.com flow:okta-suspend kind:settled outcome:unknown by:bo "words"
    pub query: Vec<String>,
    /// From when on
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    pub since: Option<Moment>,
    /// Before when
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    pub until: Option<Moment>,
    /// CSV for a spreadsheet; what would be a formula there is made text
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// To a new file that only you can read, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Which actions are looked at again
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct Check {
    /// Their ids
    #[arg(value_name = "ACTION")]
    pub actions: Vec<ActionId>,
    /// All of unknown outcome
    #[arg(long)]
    pub unknown: bool,
}

fn said(word: &str) -> Result<Said, String> {
    Said::parse(word).ok_or_else(|| "what is said of an action is `changed` or `not-changed`".to_owned())
}

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Err("a word wants a reason".to_owned()) } else { Ok(text.to_owned()) }
}
