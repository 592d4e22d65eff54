//! A line of text that is being typed.

use super::canvas::Canvas;
use super::theme::Role;
use crate::domain::untrusted::{visible, width};
use ratatui::layout::{Position, Rect};
use tui_input::Input;
use unicode_segmentation::UnicodeSegmentation;

/// Draws a field on the first row of an area, scrolled so that its cursor is visible, and gives back
/// where that is.
pub(super) fn draw(canvas: &mut Canvas, area: Rect, input: &Input) -> Option<Position> {
    if area.is_empty() {
        return None;
    }
    let before: String = input.value().chars().take(input.cursor()).collect();
    let after: String = input.value().chars().skip(input.cursor()).collect();
    let room = usize::from(area.width).saturating_sub(1);
    let before = end_of(&visible(&before), room);
    let at = u16::try_from(width(&before)).unwrap_or(0);
    let row = Rect { height: 1, ..area };
    canvas.fill(row, Role::Field);
    let line = canvas.theme.line(Role::Field, &format!("{before}{}", visible(&after)));
    canvas.line(row, 0, &line);
    Some(Position::new(area.x + at.min(area.width - 1), area.y))
}

/// The end of a text, in at most some columns.
pub(super) fn end_of(text: &str, columns: usize) -> String {
    let mut taken = 0;
    let mut kept: Vec<&str> = Vec::new();
    for grapheme in text.graphemes(true).rev() {
        taken += width(grapheme);
        if taken > columns {
            break;
        }
        kept.push(grapheme);
    }
    kept.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept() {
        assert_eq!(end_of("abcdef", 3), "def");
        assert_eq!(end_of("ab表示", 3), "示");
        assert_eq!(end_of("ab", 0), "");
    }
}
