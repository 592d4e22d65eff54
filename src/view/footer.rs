//! The last line: the keys that matter here, as many as fit whole. The last of them always stays: on
//! most screens it is the help, which has all the others.

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

/// The blanks between two keys; fewer where they would not all fit.
const GAP: usize = 3;
const NARROW: usize = 2;

/// Keys and what they do, in some columns.
pub(super) fn keys(theme: &Theme, keys: &[(String, String)], room: usize) -> Line<'static> {
    let Some((last, others)) = keys.split_last() else { return Line::default() };
    let taken = |pair: &(String, String)| taken(theme, pair);
    let all: usize = keys.iter().map(|pair| taken(pair) + GAP).sum();
    let gap = if all <= room + GAP { GAP } else { NARROW };
    let mut left = room.saturating_sub(taken(last));
    let fitting = others.iter().take_while(|pair| {
        let needed = taken(pair) + gap;
        let fits = needed <= left;
        left = left.saturating_sub(needed);
        fits
    });
    let pairs = fitting.chain([last]).enumerate();
    let cells = pairs.fold(Cells::new(theme), |cells, (at, (key, label))| {
        let cells = if at == 0 { cells } else { cells.gap(gap) };
        cells.own(Role::Key, key).gap(1).text(Role::Muted, label)
    });
    cells.line()
}

fn taken(theme: &Theme, (key, label): &(String, String)) -> usize {
    width(&theme.own(key)) + 1 + width(label)
}
