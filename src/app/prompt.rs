//! The `:` prompt with its palette, and the `/` filter.
//!
//! What a typed line means is decided by the command registry, which this room does not know: here is
//! only the text, and what was wrong with it.

use super::effect::Effect;
use super::state::{Overlay, Screen, State};
use tui_input::{Input, InputRequest};

/// Which prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptKind {
    /// `:` a command.
    Command,
    /// `/` a filter.
    Filter,
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

/// Opens a prompt; a filter starts with the one in force.
pub fn open(state: &mut State, kind: PromptKind) -> Vec<Effect> {
    let text = match kind {
        PromptKind::Command => String::new(),
        PromptKind::Filter => match state.stack.last() {
            Some(Screen::Event(screen)) => screen.query.to_string(),
            _ => state.feed.query.to_string(),
        },
    };
    let prompt = Prompt { kind, input: Input::new(text), choice: 0, error: None };
    state.overlay = Some(Overlay::Prompt(Box::new(prompt)));
    Vec::new()
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
