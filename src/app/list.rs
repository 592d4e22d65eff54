//! A cursor that is held by id, and the rows that are visible around it.

use super::msg::Motion;

/// A list's cursor: the id of the selected row, never its number, so that rows may come and go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor<K> {
    /// The selected row; `None` selects the first.
    pub id: Option<K>,
    /// How many rows are scrolled off at the top.
    pub offset: usize,
}

impl<K> Default for Cursor<K> {
    fn default() -> Self {
        Cursor { id: None, offset: 0 }
    }
}

impl<K: PartialEq + Clone> Cursor<K> {
    /// The selected row's place. A row that is gone hands the selection to the first.
    pub fn index(&self, ids: &[K]) -> usize {
        let wanted = self.id.as_ref();
        wanted.and_then(|wanted| ids.iter().position(|id| id == wanted)).unwrap_or(0)
    }

    /// Moves within the rows and keeps the selection visible in `height` rows.
    pub fn go(&mut self, motion: Motion, ids: &[K], height: usize) {
        let last = ids.len().saturating_sub(1);
        let (at, half) = (self.index(ids), (height / 2).max(1));
        let next = match motion {
            Motion::Down => at + 1,
            Motion::Up => at.saturating_sub(1),
            Motion::HalfDown => at + half,
            Motion::HalfUp => at.saturating_sub(half),
            Motion::Top => 0,
            Motion::End => last,
        };
        self.id = ids.get(next.min(last)).cloned();
        self.keep_visible(ids, height);
    }

    /// The rows were read anew: the selection stays on its row, and that row where it stands on the
    /// screen, even where the last lines stay empty because rows below it are gone. A row that is gone
    /// hands the selection to the one that was below it. Says whether the selection is still on its row.
    pub fn stay(&mut self, before: &[K], after: &[K], height: usize) -> Stayed {
        let Some(wanted) = self.id.clone() else {
            self.keep_visible(after, height);
            return Stayed::OnItsRow;
        };
        let at = self.index(before);
        let line = at.saturating_sub(self.offset);
        let below = before.iter().skip(at).find(|id| after.contains(id)).or(after.last());
        self.id = below.cloned();
        self.offset = self.index(after).saturating_sub(line.min(height.saturating_sub(1)));
        if self.id.as_ref() == Some(&wanted) { Stayed::OnItsRow } else { Stayed::OnAnother }
    }

    /// Scrolls as little as needed for the selection to be visible.
    pub fn keep_visible(&mut self, ids: &[K], height: usize) {
        let (at, height) = (self.index(ids), height.max(1));
        self.offset = self.offset.min(ids.len().saturating_sub(height)).min(at);
        if at >= self.offset + height {
            self.offset = at + 1 - height;
        }
    }
}

/// How much there is of a text that only the view lays out, as it was drawn last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// All its lines.
    pub lines: usize,
    /// Those that were visible.
    pub height: usize,
}

/// Where a selection is after its rows were read anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stayed {
    /// On its row, or on the first row as before.
    OnItsRow,
    /// Its row is gone: it is on the next one.
    OnAnother,
}

/// How far a text is scrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scroll {
    /// Lines scrolled off at the top.
    pub offset: usize,
}

impl Scroll {
    /// Moves within `lines` of which `height` are visible.
    pub fn go(&mut self, motion: Motion, lines: usize, height: usize) {
        let last = lines.saturating_sub(height);
        let half = (height / 2).max(1);
        self.offset = match motion {
            Motion::Down => self.offset + 1,
            Motion::Up => self.offset.saturating_sub(1),
            Motion::HalfDown => self.offset + half,
            Motion::HalfUp => self.offset.saturating_sub(half),
            Motion::Top => 0,
            Motion::End => last,
        }
        .min(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_selection_is_an_id() {
        let mut cursor = Cursor::default();
        cursor.go(Motion::Down, &[30, 20, 10], 2);
        assert_eq!(cursor.id, Some(20));
        assert_eq!(cursor.index(&[50, 40, 30, 20, 10]), 3);
        assert_eq!(cursor.index(&[50, 40]), 0);
    }

    #[test]
    fn the_selected_row_stays_where_it_stands() {
        let mut cursor = Cursor { id: Some(20), offset: 1 };
        assert_eq!(cursor.stay(&[40, 30, 20, 10], &[60, 50, 40, 30, 20, 10], 2), Stayed::OnItsRow);
        assert_eq!((cursor.id, cursor.offset), (Some(20), 3));
        assert_eq!(cursor.stay(&[60, 50, 40, 30, 20, 10], &[60, 50, 10], 2), Stayed::OnAnother);
        assert_eq!((cursor.id, cursor.offset), (Some(10), 1));
    }

    #[test]
    fn rows_that_go_below_the_selection_do_not_pull_it_down() {
        let mut cursor = Cursor { id: Some(20), offset: 2 };
        assert_eq!(cursor.stay(&[40, 30, 20, 10], &[40, 30, 20], 2), Stayed::OnItsRow);
        assert_eq!((cursor.id, cursor.offset), (Some(20), 2), "the last line stays empty");
        cursor.go(Motion::Up, &[40, 30, 20], 2);
        assert_eq!((cursor.id, cursor.offset), (Some(30), 1), "the next key fills the screen");
    }

    proptest! {
        #[test]
        fn the_selection_is_always_visible(moves in proptest::collection::vec(0usize..6, 0..40), rows in 0usize..30, height in 1usize..12) {
            let ids: Vec<usize> = (0..rows).collect();
            let all = [Motion::Down, Motion::Up, Motion::HalfDown, Motion::HalfUp, Motion::Top, Motion::End];
            let mut cursor = Cursor::default();
            for at in moves {
                cursor.go(all[at], &ids, height);
                let index = cursor.index(&ids);
                prop_assert!(rows == 0 || (cursor.offset <= index && index < cursor.offset + height));
            }
        }
    }
}
