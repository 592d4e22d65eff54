//! A titled box.

use super::canvas::Canvas;
use super::theme::Role;
use crate::domain::untrusted::width;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Padding};

/// Whether a box has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Focus {
    /// It has them.
    Here,
    /// Another has them.
    Elsewhere,
}

impl Focus {
    pub(super) fn here(is_here: bool) -> Focus {
        if is_here { Focus::Here } else { Focus::Elsewhere }
    }
}

/// A titled box.
pub(super) struct Panel {
    title: String,
    aside: (Role, String),
    below: String,
    focus: Focus,
}

impl Panel {
    pub(super) fn new(title: impl Into<String>, focus: Focus) -> Panel {
        Panel { title: title.into(), aside: (Role::Muted, String::new()), below: String::new(), focus }
    }

    /// A word at the right end of the title: how old the content is.
    pub(super) fn aside(mut self, role: Role, text: impl Into<String>) -> Panel {
        self.aside = (role, text.into());
        self
    }

    /// Says on the lower border what is not visible: rows `offset..offset + height` of `rows` are.
    pub(super) fn scrolled(mut self, offset: usize, height: usize, rows: usize) -> Panel {
        self.below = hidden(offset, height, rows);
        self
    }

    /// Draws the box, empties it and gives back its inside, one column away from the border.
    pub(super) fn draw(self, canvas: &mut Canvas, area: Rect) -> Rect {
        canvas.fill(area, Role::Text);
        let focused = self.focus == Focus::Here;
        let border = if focused { Role::BorderFocus } else { Role::Border };
        let title = if focused { Role::BorderFocus } else { Role::Heading };
        let theme = canvas.theme;
        let set = if focused { theme.glyphs.focused_border() } else { theme.glyphs.border() };
        let mut block = Block::bordered()
            .border_set(set)
            .border_style(theme.style(border))
            .padding(Padding::horizontal(1));
        let room = usize::from(area.width).saturating_sub(4);
        let aside = theme.shown(&self.aside.1, room);
        let left = room.saturating_sub(if aside.is_empty() { 0 } else { width(&aside) + 3 });
        let words = theme.shown(&self.title, left.saturating_sub(2));
        if !words.is_empty() {
            block = block.title(theme.line(title, &format!(" {words} ")));
        }
        if !aside.is_empty() {
            block = block.title(aligned(theme.line(self.aside.0, &format!(" {aside} "))));
        }
        if !self.below.is_empty() {
            block = block.title_bottom(aligned(theme.own_line(Role::Accent, &format!(" {} ", self.below))));
        }
        let inner = block.inner(area);
        canvas.widget(block, area);
        inner
    }
}

fn aligned(line: Line<'static>) -> Line<'static> {
    line.right_aligned()
}

/// What is not visible: `↑ 3  ↓ 12 more`.
pub(super) fn hidden(offset: usize, height: usize, rows: usize) -> String {
    let (above, below) = (offset.min(rows), rows.saturating_sub(offset.saturating_add(height)));
    match (above, below) {
        (0, 0) => String::new(),
        (above, 0) => format!("↑ {above} more"),
        (0, below) => format!("↓ {below} more"),
        (above, below) => format!("↑ {above} · ↓ {below} more"),
    }
}
