//! Text in paragraphs: wrapped to a width, with headings, facts and items.

use super::canvas::Cells;
use super::theme::{Role, Theme};
use crate::app::text::wrap;
use ratatui::text::{Line, Span};

/// The columns of a fact's name.
const NAME: usize = 11;

/// Lines of a width, one below the other.
pub(super) struct Prose<'a> {
    theme: &'a Theme,
    columns: usize,
    lines: Vec<Line<'static>>,
    is_dense: bool,
}

impl<'a> Prose<'a> {
    pub(super) fn new(theme: &'a Theme, columns: usize) -> Prose<'a> {
        Prose { theme, columns: columns.max(1), lines: Vec::new(), is_dense: false }
    }

    /// How wide it is.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// What of a text stands in so many columns; what is left out is seen to be.
    pub(super) fn shown(&self, text: &str, columns: usize) -> String {
        self.theme.shown(text, columns)
    }

    /// Without empty lines, where rows are few.
    pub(super) fn dense(self) -> Prose<'a> {
        Prose { is_dense: true, ..self }
    }

    /// An empty line, unless there is nothing above it.
    pub(super) fn blank(&mut self) {
        if !self.lines.is_empty() && !self.is_dense {
            self.lines.push(Line::default());
        }
    }

    /// A heading, with an empty line above.
    pub(super) fn heading(&mut self, role: Role, text: &str) {
        self.blank();
        self.say(role, text);
    }

    /// A paragraph.
    pub(super) fn say(&mut self, role: impl Into<Role>, text: &str) {
        self.hang(Span::default(), role, text);
    }

    /// A paragraph of our own.
    pub(super) fn say_own(&mut self, role: impl Into<Role>, text: &str) {
        self.say(role, &self.theme.own(text));
    }

    /// A paragraph behind a bullet.
    pub(super) fn item(&mut self, role: impl Into<Role>, text: &str) {
        self.hang(self.theme.own_span(Role::Muted, "· "), role, text);
    }

    /// A name and its value, which goes on below itself.
    pub(super) fn fact(&mut self, name: &str, role: impl Into<Role>, value: &str) {
        let name = format!("{name:<NAME$} ");
        self.hang(self.theme.span(Role::Muted, &name), role, value);
    }

    /// Whether rows are few.
    pub(super) fn is_dense(&self) -> bool {
        self.is_dense
    }

    /// A name and its value in as few rows as there can be: the value goes on below the name.
    pub(super) fn run_in(&mut self, name: &str, role: Role, value: &str) {
        let mut lines = wrap(&format!("{name} {value}"), self.columns).into_iter();
        let first = lines.next().unwrap_or_default();
        let cells = Cells::new(self.theme);
        let first = match first.strip_prefix(name) {
            Some(rest) => cells.text(Role::Muted, name).text(role, rest),
            None => cells.text(role, &first),
        };
        self.lines.push(first.line());
        self.lines.extend(lines.map(|line| self.theme.line(role, &line)));
    }

    /// A paragraph behind a sign, whose further lines start where the first does.
    pub(super) fn marked(&mut self, sign: &str, role: Role, text: &str) {
        self.hang(self.theme.span(role, sign), role, text);
    }

    /// What a key does, behind the key.
    pub(super) fn keyed(&mut self, key: &str, text: &str) {
        self.hang(self.theme.span(Role::Key, key), Role::Text, text);
    }

    /// Text whose blanks at the start of a line mean something.
    pub(super) fn code(&mut self, text: &str) {
        for line in text.lines() {
            let rest = line.trim_start_matches(' ');
            let indent = (line.len() - rest.len()).min(self.columns / 2);
            self.hang(Span::raw(" ".repeat(indent)), Role::Text, rest);
        }
    }

    /// A line that is as wide as it is.
    pub(super) fn line(&mut self, line: Line<'static>) {
        self.lines.push(line);
    }

    fn hang(&mut self, first: Span<'static>, role: impl Into<Role>, text: &str) {
        let (role, indent) = (role.into(), first.width());
        let mut before = first;
        for line in wrap(&self.theme.line_feeds(text), self.columns.saturating_sub(indent)) {
            self.lines.push(Line::from(vec![before, self.theme.span(role, &line)]));
            before = Span::raw(" ".repeat(indent));
        }
    }

    pub(super) fn lines(self) -> Vec<Line<'static>> {
        self.lines
    }
}
