//! Really quit?

use super::Scene;
use super::canvas::{Canvas, Cells};
use super::panel::{Focus, Panel};
use super::prose::Prose;
use super::theme::Role;
use ratatui::layout::Rect;

pub(super) fn draw(scene: &Scene, why: &str, canvas: &mut Canvas) {
    let columns = scene.size.columns.min(64);
    let mut prose = Prose::new(canvas.theme, usize::from(columns.saturating_sub(4)));
    prose.say(Role::Text, &super::words::capitalised(why));
    let lines = prose.lines();
    let rows = u16::try_from(lines.len() + 4).unwrap_or(u16::MAX);
    let inner = Panel::new("Quit?", Focus::Here).draw(canvas, scene.size.overlay(columns, rows));
    let text = inner.height.saturating_sub(1);
    canvas.lines(Rect { height: text, ..inner }, &lines);
    let keys =
        Cells::new(canvas.theme).text(Role::Key, "y").text(Role::Text, " quits").own(Role::Muted, " · ");
    let keys = keys.text(Role::Key, "n/esc").text(Role::Muted, " stays (default)").line();
    canvas.line(Rect { y: inner.y + text, height: inner.height - text, ..inner }, 0, &keys);
}
