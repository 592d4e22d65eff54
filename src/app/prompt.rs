//! The `:` prompt with its palette, and the `/` filter.
//!
//! What a typed line means is decided by the command registry, which this room does not know: here is
//! only the text, and what was wrong with it.

use super::effect::Effect;
use super::state::{Overlay, Screen, State};
use crate::domain::log::{Completion, completions};
use tui_input::{Input, InputRequest};

/// Which prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptKind {
    /// `:` a command.
    Command,
    /// `/` a filter.
    Filter,
    /// `/` a filter of the System Log, in Okta's grammar.
    Log,
}

/// A line that is being typed.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// Which.
    pub kind: PromptKind,
    /// The line.
    pub input: Input,
    /// The selected completion.
    pub choice: usize,
    /// What was wrong with it.
    pub error: Option<String>,
}

/// The filter that belongs to the screen.
pub fn filter_of(state: &State) -> PromptKind {
    match state.stack.last() {
        Some(Screen::Log(_)) => PromptKind::Log,
        _ => PromptKind::Filter,
    }
}

/// Opens a prompt; a filter starts with the one in force.
pub fn open(state: &mut State, kind: PromptKind) -> Vec<Effect> {
    let text = match kind {
        PromptKind::Command => String::new(),
        PromptKind::Filter | PromptKind::Log => match state.stack.last() {
            Some(Screen::Event(screen)) => another(screen.query.to_string()),
            Some(Screen::Journal(screen)) => another(screen.query.to_string()),
            Some(Screen::Log(screen)) => another(screen.ask.filter.to_string()),
            _ => another(state.feed.query.to_string()),
        },
    };
    let prompt = Prompt { kind, input: Input::new(text), choice: 0, error: None };
    state.overlay = Some(Overlay::Prompt(Box::new(prompt)));
    Vec::new()
}

/// What is typed next is another word, not the end of the last one.
fn another(filter: String) -> String {
    if filter.is_empty() { filter } else { format!("{filter} ") }
}

/// How the text before the cursor may go on, the likeliest first.
pub fn ways_on(prompt: &Prompt) -> Vec<Completion> {
    completions(&halves(&prompt.input).0)
}

/// Takes the selected way on.
pub fn complete(prompt: &mut Prompt) {
    let all = ways_on(prompt);
    let Some(chosen) = all.get(prompt.choice.min(all.len().saturating_sub(1))) else { return };
    let (_, after) = halves(&prompt.input);
    let (cursor, after) = (chosen.before.chars().count(), after.trim_start());
    prompt.input = Input::new(format!("{}{after}", chosen.before)).with_cursor(cursor);
    prompt.choice = 0;
    prompt.error = None;
}

/// The text before and after the cursor.
fn halves(input: &Input) -> (String, String) {
    let chars = || input.value().chars();
    (chars().take(input.cursor()).collect(), chars().skip(input.cursor()).collect())
}

/// The line was edited.
pub fn edited(prompt: &mut Prompt, request: InputRequest) {
    prompt.error = None;
    prompt.choice = 0;
    prompt.input.handle(request);
}

/// A text was pasted: its line breaks are blanks.
pub fn pasted(input: &mut Input, text: &str) {
    for c in text.chars().map(|c| if c == '\n' || c == '\r' || c == '\t' { ' ' } else { c }) {
        if crate::domain::untrusted::is_printable(c) {
            input.handle(InputRequest::InsertChar(c));
        }
    }
}
