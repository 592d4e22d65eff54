//! The dry run of a card: what would be done as JSON, read over the card.

use super::Scene;
use super::canvas::Canvas;
use super::footer::keys;
use super::panel::{Focus, Panel};
use super::theme::Role;
use crate::app::dry_run::DryRun;
use crate::app::list::Extent;
use ratatui::layout::Rect;

pub(super) fn draw(scene: &Scene, dry_run: &DryRun, canvas: &mut Canvas) {
    let largest = scene.size.card();
    let columns = usize::from(largest.width.saturating_sub(4)).max(1);
    let lines: Vec<String> = dry_run.text.wrapped(columns).map(|line| line.into_owned()).collect();
    // The frame, and the keys.
    let wanted = u16::try_from(lines.len() + 3).unwrap_or(u16::MAX).min(largest.height);
    let rows = usize::from(wanted.saturating_sub(3));
    let offset = dry_run.text.scroll.offset.min(lines.len().saturating_sub(rows));
    let inner = Panel::new(format!("Dry run of {}", dry_run.flow), Focus::Here)
        .aside(Role::Good, "nothing was sent")
        .scrolled(offset, rows, lines.len())
        .draw(canvas, scene.size.overlay(largest.width, wanted));
    canvas.extent = Extent { lines: lines.len(), height: rows };
    let height = inner.height.saturating_sub(1);
    let text = Rect { height, ..inner };
    for (row, line) in lines.iter().skip(offset).take(usize::from(height)).enumerate() {
        canvas.line(text, row, &canvas.theme.line(Role::Text, &canvas.theme.shown(line, columns)));
    }
    let below = Rect { y: inner.y + height, height: inner.height - height, ..inner };
    canvas.line(below, 0, &keys(canvas.theme, &scene.help.footer, columns));
}
