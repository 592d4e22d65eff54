//! The help: every command that there is, by group.

use super::canvas::Canvas;
use super::panel::{Focus, Panel};
use super::prose::Prose;
use super::theme::{Role, Theme};
use super::{HelpLine, Scene};
use crate::app::list::Extent;
use crate::domain::untrusted::width;
use ratatui::text::Line;

/// The most columns for the keys, and the gap behind them.
const KEYS: usize = 20;
const GAP: usize = 2;

pub(super) fn draw(scene: &Scene, offset: usize, canvas: &mut Canvas) {
    let theme = canvas.theme;
    let largest = scene.size.overlay(88, u16::MAX);
    let lines = lines(theme, &scene.help.help, usize::from(largest.width.saturating_sub(4)));
    let rows = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let area = scene.size.overlay(88, rows.min(scene.size.rows.saturating_sub(2)));
    let height = usize::from(area.height.saturating_sub(2));
    let offset = offset.min(lines.len().saturating_sub(height));
    canvas.extent = Extent { lines: lines.len(), height };
    let panel = Panel::new("Help", Focus::Here)
        .aside(Role::Muted, if scene.state.help.is_some() { "esc leads back" } else { "esc closes" });
    let inner = panel.scrolled(offset, height, lines.len()).draw(canvas, area);
    canvas.lines(inner, lines.iter().skip(offset));
}

fn lines(theme: &Theme, help: &[HelpLine], columns: usize) -> Vec<Line<'static>> {
    let mut prose = Prose::new(theme, columns);
    let wide = keys_width(theme, help, columns);
    for line in help {
        match line {
            HelpLine::Heading(text) => prose.heading(Role::Heading, text),
            HelpLine::Text(text) => prose.say(Role::Text, text),
            HelpLine::Command { keys, title } => {
                prose.keyed(&padded(theme, keys, wide), title);
            }
        }
    }
    prose.lines()
}

/// As wide as the longest keys, within reason.
fn keys_width(theme: &Theme, help: &[HelpLine], columns: usize) -> usize {
    let widths = help.iter().map(|line| match line {
        HelpLine::Command { keys, .. } => width(&theme.own(keys)) + GAP,
        HelpLine::Heading(_) | HelpLine::Text(_) => 0,
    });
    widths.max().unwrap_or(0).min(KEYS).min(columns / 2)
}

fn padded(theme: &Theme, keys: &str, columns: usize) -> String {
    let keys = theme.shown(&theme.own(keys), columns.saturating_sub(1));
    let rest = columns.saturating_sub(width(&keys));
    format!("{keys}{}", " ".repeat(rest))
}
