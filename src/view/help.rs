//! The help: every command that there is, by group.

use super::canvas::{Canvas, Cells};
use super::panel::{Focus, Panel};
use super::prose::Prose;
use super::theme::{Role, Theme};
use super::{HelpLine, Scene};
use crate::app::list::Extent;
use ratatui::text::Line;

const KEYS: usize = 16;

pub(super) fn draw(scene: &Scene, offset: usize, canvas: &mut Canvas) {
    let theme = canvas.theme;
    let largest = scene.size.overlay(88, u16::MAX);
    let lines = lines(theme, &scene.help.help, usize::from(largest.width.saturating_sub(4)));
    let rows = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let area = scene.size.overlay(88, rows.min(scene.size.rows.saturating_sub(2)));
    let height = usize::from(area.height.saturating_sub(2));
    let offset = offset.min(lines.len().saturating_sub(height));
    canvas.extent = Extent { lines: lines.len(), height };
    let panel = Panel::new("Help", Focus::Here).aside(Role::Muted, "esc closes");
    let inner = panel.scrolled(offset, height, lines.len()).draw(canvas, area);
    canvas.lines(inner, lines.iter().skip(offset));
}

fn lines(theme: &Theme, help: &[HelpLine], columns: usize) -> Vec<Line<'static>> {
    let mut prose = Prose::new(theme, columns);
    for line in help {
        match line {
            HelpLine::Heading(text) => prose.heading(Role::Heading, text),
            HelpLine::Text(text) => prose.say(Role::Text, text),
            HelpLine::Command { keys, title } => {
                let cells = Cells::new(theme).left(Role::Key, keys, KEYS);
                prose.line(cells.left(Role::Text, title, columns.saturating_sub(KEYS)).line());
            }
        }
    }
    prose.lines()
}
