//! The window on a list that is too long to be held: a bounded run of its rows, read page by page.
//!
//! As the cursor nears an end of the window, the rows beyond it are read, and the far end is let go, so
//! that memory does not grow with the list. A narrow filter may make the store search for long; it
//! answers in pieces, also empty ones, each with the place where it goes on: a window with too few rows
//! asks on by itself.

use crate::domain::page::{EventUser, From, Listed, Page};
use crate::domain::{Event, EventId};

/// Rows read at once.
pub const PAGE: usize = 200;
/// Rows kept; beyond this the end that is farther from the cursor is let go.
const KEPT: usize = 1_000;

/// A row of a long list.
pub trait Row: Listed {
    /// What it is read on from.
    fn key(&self) -> Self::Key;

    /// Whether a row of the first key stands below one of the second.
    fn is_below(key: Self::Key, other: Self::Key) -> bool;
}

/// The feed is newest first.
impl Row for Event {
    fn key(&self) -> EventId {
        self.id
    }

    fn is_below(key: EventId, other: EventId) -> bool {
        key < other
    }
}

/// An event's users stand in its own order.
impl Row for EventUser {
    fn key(&self) -> usize {
        self.position
    }

    fn is_below(key: usize, other: usize) -> bool {
        key > other
    }
}

/// The window.
#[derive(Debug, Clone, PartialEq)]
pub struct Window<T: Row> {
    /// Its rows, in the list's order.
    pub rows: Vec<T>,
    /// Where rows below it are read from, if there are any.
    pub below: Option<T::Key>,
    /// Where rows above it are read from, if any were let go.
    pub above: Option<T::Key>,
    /// Whether a first page has come.
    pub is_loaded: bool,
}

impl<T: Row> Default for Window<T> {
    fn default() -> Self {
        Window { rows: Vec::new(), below: None, above: None, is_loaded: false }
    }
}

/// A side of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Rows below it.
    Below,
    /// Rows above it.
    Above,
}

impl<T: Row> Window<T> {
    /// The rows' keys.
    pub fn keys(&self) -> Vec<T::Key> {
        self.rows.iter().map(Row::key).collect()
    }

    /// The first row's key.
    pub fn first(&self) -> Option<T::Key> {
        self.rows.first().map(Row::key)
    }

    /// Whether the list is still looked through for rows to fill a screen of so many.
    pub fn is_searching(&self, height: usize) -> bool {
        self.below.is_some() && self.rows.len() < height
    }

    /// What is to be read next for a cursor that comes within `near` rows of an end.
    pub fn wanted(&self, at: usize, near: usize) -> Option<(Side, From<T::Key>)> {
        let below = self.below.filter(|_| at + near >= self.rows.len());
        let above = self.above.filter(|_| at < near);
        let below = below.map(|key| (Side::Below, From::Before(key)));
        below.or(above.map(|key| (Side::Above, From::After(key))))
    }

    /// The top of the list came: it is the window.
    pub fn show_top(&mut self, page: Page<T>) {
        *self = Window { rows: page.rows, below: page.next, above: None, is_loaded: true };
    }

    /// The end of the list came: it is the window.
    pub fn show_end(&mut self, page: Page<T>) {
        *self = Window { rows: page.rows, below: None, above: page.next, is_loaded: true };
    }

    /// The rows from the first on came, read anew. Where the page does not reach as far as the window
    /// did, and leaves no gap, what is below it is known already.
    pub fn refresh(&mut self, page: Page<T>) {
        let is_searched = self.is_loaded && self.below.is_none() && self.rows.is_empty();
        let first = self.first();
        let joins = |next: T::Key| is_searched || first.is_some_and(|first| !T::is_below(first, next));
        let known = page.next.filter(|next| joins(*next));
        let is_beyond = |row: &T| known.is_some_and(|next| T::is_below(row.key(), next));
        let beyond: Vec<T> = self.rows.drain(..).filter(is_beyond).collect();
        if beyond.is_empty() && !(is_searched && known.is_some()) {
            self.below = page.next;
        }
        self.rows = page.rows;
        self.rows.extend(beyond);
        self.is_loaded = true;
        self.let_go_below();
    }

    /// Rows below the window came.
    pub fn append(&mut self, page: Page<T>) {
        self.below = page.next;
        let last = self.rows.last().map(Row::key);
        let is_new = |row: &T| last.is_none_or(|last| T::is_below(row.key(), last));
        self.rows.extend(page.rows.into_iter().filter(is_new));
        let surplus = self.rows.len().saturating_sub(KEPT);
        self.rows.drain(..surplus);
        if surplus > 0 {
            self.above = self.first();
        }
    }

    /// Rows above the window came.
    pub fn prepend(&mut self, page: Page<T>) {
        self.above = page.next;
        let first = self.first();
        let is_new = |row: &T| first.is_none_or(|first| T::is_below(first, row.key()));
        let mut rows: Vec<T> = page.rows.into_iter().filter(is_new).collect();
        rows.append(&mut self.rows);
        self.rows = rows;
        self.let_go_below();
    }

    fn let_go_below(&mut self) {
        if self.rows.len() > KEPT {
            self.rows.truncate(KEPT);
            self.below = self.rows.last().map(Row::key);
        }
    }
}
