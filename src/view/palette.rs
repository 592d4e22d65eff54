//! The commands that complete the line in the prompt.

use super::PaletteLine;
use super::canvas::Cells;
use super::theme::{Role, Theme};
use crate::domain::untrusted::width;
use ratatui::text::Line;

/// The entries around the selected one, at most so many.
pub(super) fn lines(theme: &Theme, all: &[PaletteLine], most: usize, columns: usize) -> Vec<Line<'static>> {
    let selected = all.iter().position(|line| line.is_selected).unwrap_or(0);
    let first = (selected + 1).saturating_sub(most);
    all.iter().skip(first).take(most).map(|entry| line(theme, entry, columns)).collect()
}

fn line(theme: &Theme, entry: &PaletteLine, columns: usize) -> Line<'static> {
    let role = |role: Role| match (entry.is_selected, entry.is_usable) {
        (true, _) => Role::Selected,
        (false, true) => role,
        (false, false) => Role::Muted,
    };
    let (name, keys) = ((columns / 3).min(22), (columns / 6).min(12));
    let title = columns.saturating_sub(name + keys);
    let line = Cells::new(theme)
        .left(role(Role::Accent), &entry.name, name)
        .left(role(Role::Text), &entry.title, title)
        .right(role(Role::Key), &whole_keys(&entry.keys, keys), keys)
        .line();
    // The bar goes through, between the words too.
    if entry.is_selected { line.style(theme.style(Role::Selected)) } else { line }
}

/// As many of the keys as fit whole.
fn whole_keys(all: &str, columns: usize) -> String {
    let mut fitting = String::new();
    for key in all.split(' ') {
        let blank = usize::from(!fitting.is_empty());
        if width(&fitting) + blank + width(key) > columns {
            break;
        }
        fitting.push_str(if blank == 1 { " " } else { "" });
        fitting.push_str(key);
    }
    fitting
}
