//! A buffer and a theme, and the only ways to put text on it.

use super::glyph::Glyphs;
use super::theme::{Role, Theme};
use crate::app::list::Extent;
use crate::domain::untrusted::{fit_marked, visible, width};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use std::borrow::Cow;

impl Theme {
    /// A text in the style of a role, every dangerous character by its name.
    pub(super) fn span(&self, role: impl Into<Role>, text: &str) -> Span<'static> {
        Span::styled(self.visible(text), self.style(role))
    }

    /// A line of one text.
    pub(super) fn line(&self, role: impl Into<Role>, text: &str) -> Line<'static> {
        Line::from(self.span(role, text))
    }

    /// A text of our own, in the signs to draw with.
    pub(super) fn own(&self, text: &str) -> String {
        self.glyphs.own(text).into_owned()
    }

    /// A span of a text of our own.
    pub(super) fn own_span(&self, role: impl Into<Role>, text: &str) -> Span<'static> {
        self.span(role, &self.glyphs.own(text))
    }

    /// A line of one text of our own.
    pub(super) fn own_line(&self, role: impl Into<Role>, text: &str) -> Line<'static> {
        Line::from(self.own_span(role, text))
    }

    /// A text as it is shown, cut to some columns.
    pub(super) fn shown(&self, text: &str, columns: usize) -> String {
        fit_marked(&self.visible(text), columns, self.glyphs.cut()).into_owned()
    }

    /// A text on one line, every dangerous character by its name.
    pub(super) fn visible(&self, text: &str) -> String {
        self.line_feeds(&visible(text)).into_owned()
    }

    /// A text in which the line feeds that stand visibly do so in the signs to draw with.
    pub(super) fn line_feeds<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.glyphs {
            Glyphs::Unicode => Cow::Borrowed(text),
            Glyphs::Ascii => text.replace(Glyphs::Unicode.line_feed(), self.glyphs.line_feed()).into(),
        }
    }
}

/// What is drawn on.
pub(super) struct Canvas<'a> {
    buffer: &'a mut Buffer,
    /// What things look like.
    pub(super) theme: &'a Theme,
    /// How long the text of an overlay turned out to be.
    pub(super) extent: Extent,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(buffer: &'a mut Buffer, theme: &'a Theme) -> Canvas<'a> {
        Canvas { buffer, theme, extent: Extent::default() }
    }

    /// What stands in an area, sign by sign.
    pub(super) fn signs(&self, area: Rect) -> String {
        let area = area.intersection(self.buffer.area);
        area.positions().filter_map(|position| self.buffer.cell(position)).map(|cell| cell.symbol()).collect()
    }

    /// Empties an area and gives it a style. Of a wide letter that reaches into it nothing stays: it would hide what is
    /// drawn at the edge.
    pub(super) fn fill(&mut self, area: Rect, role: Role) {
        let area = area.intersection(self.buffer.area);
        let left = self.buffer.area.x;
        for row in area.rows().filter(|row| row.x > left) {
            let before = self.buffer.cell_mut((row.x - 1, row.y));
            if let Some(cell) = before.filter(|cell| width(cell.symbol()) > 1) {
                cell.set_symbol(" ");
            }
        }
        for position in area.positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                cell.reset();
            }
        }
        self.buffer.set_style(area, self.theme.style(role));
    }

    /// Puts a line on a row of an area; what does not fit is cut off.
    pub(super) fn line(&mut self, area: Rect, row: usize, line: &Line) {
        if let Some(row) = row_of(area, row) {
            let row = row.intersection(self.buffer.area);
            if !row.is_empty() {
                self.buffer.set_line(row.x, row.y, line, row.width);
            }
        }
    }

    /// Puts a line at the right end of a row.
    pub(super) fn right(&mut self, area: Rect, row: usize, line: &Line) {
        let taken = u16::try_from(line.width()).unwrap_or(u16::MAX).min(area.width);
        let area = Rect { x: area.x + area.width - taken, width: taken, ..area };
        self.line(area, row, line);
    }

    /// Puts lines one below the other, as many as there is room for.
    pub(super) fn lines<'l>(&mut self, area: Rect, lines: impl IntoIterator<Item = &'l Line<'l>>) {
        for (row, line) in lines.into_iter().take(usize::from(area.height)).enumerate() {
            self.line(area, row, line);
        }
    }

    /// Lays the bar of the selection over a row. A reversed bar is of one colour: the colours of the
    /// row would turn into a rainbow of backgrounds.
    pub(super) fn select(&mut self, area: Rect, row: usize) {
        let style = self.theme.style(Role::Selected);
        let Some(row) = row_of(area, row) else { return };
        let row = row.intersection(self.buffer.area);
        if style.add_modifier.contains(Modifier::REVERSED) {
            self.buffer.set_style(row, Style::reset());
        }
        self.buffer.set_style(row, style);
    }

    /// Draws a widget of ratatui.
    pub(super) fn widget(&mut self, widget: impl Widget, area: Rect) {
        widget.render(area.intersection(self.buffer.area), self.buffer);
    }
}

fn row_of(area: Rect, row: usize) -> Option<Rect> {
    let row = u16::try_from(row).ok().filter(|row| *row < area.height)?;
    Some(Rect { y: area.y + row, height: 1, ..area })
}

/// A row of cells, each as wide as it is told to be.
pub(super) struct Cells<'a> {
    theme: &'a Theme,
    spans: Vec<Span<'static>>,
}

impl<'a> Cells<'a> {
    pub(super) fn new(theme: &'a Theme) -> Cells<'a> {
        Cells { theme, spans: Vec::new() }
    }

    /// Some blanks.
    pub(super) fn gap(mut self, columns: usize) -> Self {
        self.spans.push(Span::raw(" ".repeat(columns)));
        self
    }

    /// A text as wide as it is.
    pub(super) fn text(mut self, role: impl Into<Role>, text: &str) -> Self {
        self.spans.push(self.theme.span(role, text));
        self
    }

    /// A text of our own as wide as it is.
    pub(super) fn own(mut self, role: impl Into<Role>, text: &str) -> Self {
        self.spans.push(self.theme.own_span(role, text));
        self
    }

    /// A text at the left of its cell, cut or filled up.
    pub(super) fn left(mut self, role: impl Into<Role>, text: &str, columns: usize) -> Self {
        let text = self.theme.shown(text, columns);
        let rest = columns - width(&text);
        self.spans.push(self.theme.span(role, &text));
        self.gap(rest)
    }

    /// A text at the right of its cell, cut or filled up.
    pub(super) fn right(mut self, role: impl Into<Role>, text: &str, columns: usize) -> Self {
        let text = self.theme.shown(text, columns);
        self = self.gap(columns - width(&text));
        self.text(role, &text)
    }

    /// A cell of its own making, filled up.
    pub(super) fn cell(mut self, spans: Vec<Span<'static>>, columns: usize) -> Self {
        let taken: usize = spans.iter().map(Span::width).sum();
        self.spans.extend(spans);
        self.gap(columns.saturating_sub(taken))
    }

    pub(super) fn line(self) -> Line<'static> {
        Line::from(self.spans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_letter_that_reaches_into_what_is_filled_hides_nothing_at_its_edge() {
        let whole = Rect::new(0, 0, 8, 2);
        let mut buffer = Buffer::empty(whole);
        let theme = Theme::default();
        let mut canvas = Canvas::new(&mut buffer, &theme);
        for row in 0..2 {
            canvas.line(whole, row, &Line::raw("日本語で"));
        }
        canvas.fill(Rect::new(3, 0, 3, 1), Role::Text);
        let signs = |row| canvas.signs(Rect { y: row, height: 1, ..whole });
        assert_eq!(signs(0).replace(' ', "."), "日.....で.");
        assert_eq!(signs(1).replace(' ', "."), "日.本.語.で.");
    }
}
