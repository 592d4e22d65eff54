//! The last line: the keys that matter here, as many as fit whole.

use super::Scene;
use super::canvas::{Canvas, Cells};
use super::theme::{Role, Theme};
use crate::domain::untrusted::width;
use ratatui::layout::Rect;
use ratatui::text::Line;

pub(super) fn draw(scene: &Scene, canvas: &mut Canvas, area: Rect) {
    canvas.fill(area, Role::Text);
    let inner = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    canvas.line(inner, 0, &keys(canvas.theme, &scene.help.footer, usize::from(inner.width)));
}

/// Keys and what they do, in some columns.
pub(super) fn keys(theme: &Theme, keys: &[(String, String)], room: usize) -> Line<'static> {
    let mut cells = Cells::new(theme);
    let mut taken = 0;
    for (key, label) in keys {
        let gap = if taken == 0 { 0 } else { 3 };
        taken += gap + width(key) + 1 + width(label);
        if taken > room {
            break;
        }
        cells = cells.gap(gap).text(Role::Key, key).gap(1).text(Role::Muted, label);
    }
    cells.line()
}
