//! The dry run of a card: what would be done as JSON, read over the card.

use super::Scene;
use super::canvas::Canvas;
use super::panel::{Focus, Panel};
use super::theme::Role;
use crate::app::dry_run::DryRun;
use crate::app::list::Extent;

pub(super) fn draw(scene: &Scene, dry_run: &DryRun, canvas: &mut Canvas) {
    // The notice below stays visible: it says where a copy or a file went.
    let largest = scene.size.overlay(scene.size.card().width, scene.size.rows.saturating_sub(3));
    let columns = usize::from(largest.width.saturating_sub(4)).max(1);
    let lines: Vec<String> = dry_run.text.wrapped(columns).map(|line| line.into_owned()).collect();
    let wanted = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(largest.height);
    let rows = usize::from(wanted.saturating_sub(2));
    let offset = dry_run.text.scroll.offset.min(lines.len().saturating_sub(rows));
    let inner = Panel::new(format!("Dry run of {}", dry_run.flow), Focus::Here)
        .aside(Role::Good, "nothing was sent")
        .scrolled(offset, rows, lines.len())
        .draw(canvas, scene.size.overlay(largest.width, wanted));
    canvas.extent = Extent { lines: lines.len(), height: rows };
    for (row, line) in lines.iter().skip(offset).take(rows).enumerate() {
        canvas.line(inner, row, &canvas.theme.line(Role::Text, &canvas.theme.shown(line, columns)));
    }
}
