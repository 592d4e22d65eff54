//! The raw JSON of an event.

use super::canvas::Canvas;
use super::theme::Role;
use crate::app::raw::RawScreen;
use ratatui::layout::Rect;

pub(super) fn draw(screen: &RawScreen, canvas: &mut Canvas, area: Rect) {
    let inner = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    let columns = usize::from(inner.width);
    let visible = screen.wrapped(columns.max(1)).skip(screen.scroll.offset).take(usize::from(inner.height));
    for (row, line) in visible.enumerate() {
        canvas.line(inner, row, &canvas.theme.line(Role::Text, &canvas.theme.shown(&line, columns)));
    }
}
