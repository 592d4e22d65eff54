//! The raw JSON of an event, or of a record of the System Log.

use super::list::Scroll;
use super::msg::Motion;
use super::state::State;
use super::text::wrap;
use crate::domain::EventId;
use crate::domain::untrusted::{self, width};
use std::borrow::Cow;

/// The raw JSON as lines, ready to be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct RawScreen {
    /// Of which event; `None` for a record of the System Log.
    pub id: Option<EventId>,
    /// The lines, escaped.
    pub lines: Vec<String>,
    /// How far it is scrolled.
    pub scroll: Scroll,
}

/// More lines than this are not laid out: a screen is for reading, the command line for the rest.
const MOST_LINES: usize = 20_000;
/// How much deeper a line goes on below itself.
const DEEPER: usize = 2;

impl RawScreen {
    /// Pretty-prints a raw text; what is not JSON is shown as it is, line by line.
    pub fn new(id: EventId, raw: Option<&str>) -> RawScreen {
        let Some(raw) = raw else {
            let gone = "the raw JSON is gone: retention took it".to_owned();
            return RawScreen { id: Some(id), lines: vec![gone], scroll: Scroll::default() };
        };
        RawScreen { id: Some(id), ..RawScreen::of_record(raw) }
    }

    /// The same for a record that is no event here.
    pub fn of_record(raw: &str) -> RawScreen {
        let pretty = serde_json::from_str::<serde_json::Value>(raw)
            .and_then(|value| serde_json::to_string_pretty(&value))
            .unwrap_or_else(|_| raw.to_owned());
        let lines =
            untrusted::visible_lines(&pretty).take(MOST_LINES).map(|line| line.into_owned()).collect();
        RawScreen { id: None, lines, scroll: Scroll::default() }
    }

    /// Lines that are escaped already.
    pub fn of_lines(lines: Vec<String>) -> RawScreen {
        RawScreen { id: None, lines, scroll: Scroll::default() }
    }

    /// The lines as they are shown in some columns: a long one goes on below itself, two columns deeper.
    pub fn wrapped(&self, columns: usize) -> impl Iterator<Item = Cow<'_, str>> {
        self.lines.iter().flat_map(move |line| wrapped(line, columns))
    }
}

/// Most lines are short: they are not copied.
fn wrapped(line: &str, columns: usize) -> Vec<Cow<'_, str>> {
    if width(line) <= columns {
        return vec![Cow::Borrowed(line)];
    }
    let text = line.trim_start_matches(' ');
    let indent = (line.len() - text.len()).min(columns / 2);
    let pieces = wrap(text, columns.saturating_sub(indent + DEEPER)).into_iter().enumerate();
    let deeper = |at: usize| if at == 0 { indent } else { indent + DEEPER };
    pieces.map(|(at, piece)| Cow::Owned(format!("{}{piece}", " ".repeat(deeper(at))))).collect()
}

/// Scrolls.
pub fn moved(state: &mut State, motion: Motion) {
    let (height, columns) = state.size.raw_size();
    if let Some(super::Screen::Raw(raw)) = state.stack.last_mut() {
        let lines = raw.wrapped(columns).count();
        raw.scroll.go(motion, lines, height);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_goes_on_below_itself() {
        let raw = RawScreen::new(EventId(1), Some(r#"{"text":"one two three four"}"#));
        let lines: Vec<_> = raw.wrapped(16).collect();
        assert_eq!(lines, vec!["{", r#"  "text": "one"#, "    two three", r#"    four""#, "}"]);
    }
}
