//! The raw JSON of an event.

use super::list::Scroll;
use super::msg::Motion;
use super::state::State;
use crate::domain::EventId;
use crate::domain::untrusted;

/// The raw JSON as lines, ready to be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct RawScreen {
    /// Of which event.
    pub id: EventId,
    /// The lines, escaped.
    pub lines: Vec<String>,
    /// How far it is scrolled.
    pub scroll: Scroll,
}

/// More lines than this are not laid out: a screen is for reading, the command line for the rest.
const MOST_LINES: usize = 20_000;

impl RawScreen {
    /// Pretty-prints a raw text; what is not JSON is shown as it is, line by line.
    pub fn new(id: EventId, raw: Option<&str>) -> RawScreen {
        let Some(raw) = raw else {
            let gone = "the raw JSON is gone: retention took it".to_owned();
            return RawScreen { id, lines: vec![gone], scroll: Scroll::default() };
        };
        let pretty = serde_json::from_str::<serde_json::Value>(raw)
            .and_then(|value| serde_json::to_string_pretty(&value))
            .unwrap_or_else(|_| raw.to_owned());
        let lines =
            untrusted::visible_lines(&pretty).take(MOST_LINES).map(|line| line.into_owned()).collect();
        RawScreen { id, lines, scroll: Scroll::default() }
    }
}

/// Scrolls.
pub fn moved(state: &mut State, motion: Motion) {
    let height = usize::from(state.size.areas().body.height).max(1);
    if let Some(super::Screen::Raw(raw)) = state.stack.last_mut() {
        raw.scroll.go(motion, raw.lines.len(), height);
    }
}
