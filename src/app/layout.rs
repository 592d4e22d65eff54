//! Who stands where: the arithmetic that update and view share.
//!
//! ```text
//! ┌ header ────────────────────────────────────────────┐ 1 line: who receives, sources, held
//! │ breadcrumbs                                        │ 1 line
//! │                                                    │
//! │ body: the screen on top of the stack               │ the rest
//! │                                                    │
//! │ notice                                             │ 1 line
//! └ footer: the keys that matter here ─────────────────┘ 1 line
//! ```
//!
//! An overlay (prompt, card, dialog) is laid out first and scrolls inside itself: a prompt that can be
//! clipped is no prompt.

use super::user::Pane;
use ratatui::layout::{Constraint, Layout, Rect};

/// The terminal's size in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

/// From this width on, panes stand side by side.
pub const WIDE: u16 = 100;
/// From this width on, in three columns.
pub const WIDER: u16 = 160;

/// So many users of a run on many are seen at least.
const BULK_USERS: u16 = 3;

/// The panes of each column with their share of its height.
const TWO_COLUMNS: [&[(Pane, u16)]; 2] = [
    &[(Pane::Overview, 11), (Pane::Okta, 6), (Pane::Factors, 4)],
    &[
        (Pane::Findings, 5),
        (Pane::Addresses, 4),
        (Pane::Places, 4),
        (Pane::Applications, 5),
        (Pane::History, 3),
    ],
];
const THREE_COLUMNS: [&[(Pane, u16)]; 3] = [
    &[(Pane::Overview, 3), (Pane::Okta, 2)],
    &[(Pane::Findings, 2), (Pane::Addresses, 2), (Pane::Places, 2)],
    &[(Pane::Applications, 3), (Pane::Factors, 1), (Pane::History, 2)],
];

/// The areas of every screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// Who receives, source health, what is held.
    pub header: Rect,
    /// Where the analyst is.
    pub crumbs: Rect,
    /// The screen itself.
    pub body: Rect,
    /// The last notice.
    pub notice: Rect,
    /// The keys that matter here.
    pub footer: Rect,
}

impl Size {
    /// Whether panes stand side by side.
    pub fn is_wide(self) -> bool {
        self.columns >= WIDE
    }

    /// The whole screen.
    pub fn area(self) -> Rect {
        Rect::new(0, 0, self.columns, self.rows)
    }

    /// The areas of every screen.
    pub fn areas(self) -> Areas {
        let line = |y: u16| Rect::new(0, y.min(self.rows.saturating_sub(1)), self.columns, 1.min(self.rows));
        let body = Rect::new(0, 2.min(self.rows), self.columns, self.rows.saturating_sub(4));
        Areas {
            header: line(0),
            crumbs: line(1),
            body,
            notice: line(self.rows.saturating_sub(2)),
            footer: line(self.rows.saturating_sub(1)),
        }
    }

    /// How many rows of the feed are visible: the body less its heading.
    pub fn feed_rows(self) -> usize {
        usize::from(self.areas().body.height.saturating_sub(1)).max(1)
    }

    /// The event screen: its texts, and its users. Below each other the users, where there are so few, leave
    /// the texts what they do not need.
    pub fn event_parts(self, users: Option<u64>) -> (Rect, Rect) {
        let body = self.areas().body;
        if self.is_wide() {
            let left = body.width * 11 / 20;
            let texts = Rect { width: left, ..body };
            return (texts, Rect { x: body.x + left, width: body.width - left, ..body });
        }
        // A frame, the rows, and what the message says about the selected one.
        let needed = users.and_then(|users| u16::try_from(users.max(1)).ok()?.checked_add(3));
        let top = body.height - needed.unwrap_or(u16::MAX).min(body.height - body.height / 2);
        (Rect { height: top, ..body }, Rect { y: body.y + top, height: body.height - top, ..body })
    }

    /// The inside of an event's users: the list, and where the texts are not beside it a line that says
    /// what the message says about the selected one.
    pub fn event_users(self, users: Option<u64>) -> (Rect, Rect) {
        let area = self.event_parts(users).1;
        let height = area.height.saturating_sub(2);
        let is_roomy = height >= 5 || users.is_some_and(|users| u64::from(height) > users.max(1));
        let said = u16::from(!self.is_wide() && is_roomy);
        let inner = Rect {
            x: area.x + 2.min(area.width),
            y: area.y + 1.min(area.height),
            width: area.width.saturating_sub(4),
            height: height - said,
        };
        (inner, Rect { y: inner.y + inner.height, height: said, ..inner })
    }

    /// How many users of an event are visible.
    pub fn event_user_rows(self, users: Option<u64>) -> usize {
        usize::from(self.event_users(users).0.height).max(1)
    }

    /// The lines and columns of an event's texts.
    pub fn event_text_size(self, users: Option<u64>) -> (usize, usize) {
        let area = self.event_parts(users).0;
        (usize::from(area.height.saturating_sub(2)).max(1), usize::from(area.width.saturating_sub(4)).max(1))
    }

    /// The lines and columns of raw JSON.
    pub fn raw_size(self) -> (usize, usize) {
        let body = self.areas().body;
        (usize::from(body.height).max(1), usize::from(body.width.saturating_sub(2)).max(1))
    }

    /// How many records of the journal are visible, below the filter and the headings: the lower part shows the
    /// selected one.
    pub fn journal_rows(self) -> usize {
        usize::from(self.journal_parts().0.height.saturating_sub(2)).max(1)
    }

    /// The journal: its list, and the selected record below or beside it.
    pub fn journal_parts(self) -> (Rect, Rect) {
        let body = self.areas().body;
        if self.is_wide() {
            let left = body.width * 13 / 20;
            return (
                Rect { width: left, ..body },
                Rect { x: body.x + left, width: body.width - left, ..body },
            );
        }
        let top = body.height / 2;
        (Rect { height: top, ..body }, Rect { y: body.y + top, height: body.height - top, ..body })
    }

    /// How many records of the System Log are visible: below the filter, the span and the headings.
    pub fn log_rows(self) -> usize {
        usize::from(self.areas().body.height.saturating_sub(3)).max(1)
    }

    /// The rows and columns of what is looked up: below what was asked and what it comes to.
    pub fn look_up_size(self) -> (usize, usize) {
        let body = self.areas().body;
        (usize::from(body.height.saturating_sub(2)).max(1), usize::from(body.width.saturating_sub(2)))
    }

    /// The box of User 360's tabs on a narrow screen.
    pub fn user_tabs(self) -> Rect {
        Rect { height: 1.min(self.areas().body.height), ..self.areas().body }
    }

    /// The boxes of User 360's panes: side by side in columns on a wide screen, alone under the tabs
    /// on a narrow one. Panes that the screen has no box for are reached by their tab.
    pub fn user_panes(self, panes: &[Pane], focused: Pane) -> Vec<(Pane, Rect)> {
        let body = self.areas().body;
        if !self.is_wide() || body.height < 20 {
            let below =
                Rect { y: body.y + 1.min(body.height), height: body.height.saturating_sub(1), ..body };
            return vec![(focused, below)];
        }
        let columns: &[&[(Pane, u16)]] = if self.columns >= WIDER { &THREE_COLUMNS } else { &TWO_COLUMNS };
        columns
            .iter()
            .zip(split(body, columns.len()))
            .flat_map(|(column, area)| stack(column, panes, area))
            .collect()
    }

    /// The rows inside the focused pane of User 360.
    pub fn user_pane_rows(self, panes: &[Pane], focused: Pane) -> usize {
        let boxes = self.user_panes(panes, focused);
        let height = boxes.into_iter().find(|(pane, _)| *pane == focused).map_or(1, |(_, area)| area.height);
        usize::from(height.saturating_sub(2)).max(1)
    }

    /// The columns inside a pane of User 360.
    pub fn user_pane_columns(self, panes: &[Pane], pane: Pane) -> usize {
        let boxes = self.user_panes(panes, pane);
        let width = boxes.into_iter().find(|(other, _)| *other == pane).map_or(1, |(_, area)| area.width);
        usize::from(width.saturating_sub(4)).max(1)
    }

    /// A run on many: how it stands in so many rows, its users, and more about the selected one. Whatever is to be
    /// said of the run, some of its users are seen.
    pub fn bulk_parts(self, facts: u16) -> (Rect, Rect, Rect) {
        let body = self.areas().body;
        let below = if body.height >= 11 { 2 } else { 1 };
        let most = body.height.saturating_sub(below + 1 + BULK_USERS).max(body.height / 2);
        let top = facts.min(most);
        let below = below.min(body.height - top);
        let at = |y: u16, height: u16| Rect { y: body.y + y, height, ..body };
        (at(0, top), at(top, body.height - top - below), at(body.height - below, below))
    }

    /// How many users of a run on many are visible, below the headings.
    pub fn bulk_user_rows(self, facts: u16) -> usize {
        usize::from(self.bulk_parts(facts).1.height.saturating_sub(1)).max(1)
    }

    /// The rows of a list in an overlay, between the header and the footer, with four rows about the
    /// selected entry below it.
    pub fn overlay_list_rows(self) -> usize {
        usize::from(self.rows.saturating_sub(8)).max(1)
    }

    /// The rows of a full-body list with one line of heading.
    pub fn list_rows(self) -> usize {
        self.feed_rows()
    }

    /// A centred box of at most this size, kept off the header.
    pub fn overlay(self, columns: u16, rows: u16) -> Rect {
        let width = columns.min(self.columns);
        let height = rows.min(self.rows.saturating_sub(1)).max(1);
        let x = (self.columns - width) / 2;
        let y = (self.rows.saturating_sub(height) / 2).max(1.min(self.rows.saturating_sub(height)));
        Rect::new(x, y, width, height)
    }

    /// The confirm card: as large as it needs, within the screen.
    pub fn card(self) -> Rect {
        self.overlay(96, self.rows.saturating_sub(2))
    }
}

fn split(area: Rect, columns: usize) -> Vec<Rect> {
    Layout::horizontal(vec![Constraint::Fill(1); columns]).split(area).to_vec()
}

fn stack(column: &[(Pane, u16)], panes: &[Pane], area: Rect) -> Vec<(Pane, Rect)> {
    let shown: Vec<(Pane, u16)> = column.iter().copied().filter(|(pane, _)| panes.contains(pane)).collect();
    let areas = Layout::vertical(shown.iter().map(|(_, share)| Constraint::Fill(*share))).split(area);
    shown.iter().map(|(pane, _)| *pane).zip(areas.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn few_users_leave_the_texts_their_room() {
        let size = Size { columns: 80, rows: 24 };
        let heights = |users| {
            let (texts, list) = size.event_parts(users);
            let (rows, said) = size.event_users(users);
            (texts.height, list.height, rows.height, said.height)
        };
        assert_eq!(heights(Some(1)), (16, 4, 1, 1));
        assert_eq!(heights(Some(4)), (13, 7, 4, 1));
        assert_eq!(heights(Some(50_000)), heights(None));
        assert_eq!(heights(None), (10, 10, 7, 1));
    }

    proptest! {
        #[test]
        fn everything_is_inside(columns in 1u16..300, rows in 1u16..100, w in 1u16..200, h in 1u16..100, n in proptest::option::of(0u64..80_000), f in 0u16..40) {
            let size = Size { columns, rows };
            let areas = size.areas();
            let (texts, users) = size.event_parts(n);
            let (facts, people, about) = size.bulk_parts(f);
            for area in [facts, people, about, areas.header, areas.crumbs, areas.body, areas.notice, areas.footer, texts, users, size.overlay(w, h), size.card()] {
                prop_assert_eq!(area.intersection(size.area()), area);
            }
            let (list, said) = size.event_users(n);
            prop_assert_eq!((list.intersection(users), said.intersection(users)), (list, said));
        }
    }
}
