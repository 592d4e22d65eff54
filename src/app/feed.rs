//! The feed: one row an event, newest arrival first.
//!
//! Rows never move under the cursor. While the cursor is on the first row the feed *follows*: new rows
//! come in above. As soon as it is elsewhere, new ones wait behind a counter until the analyst takes
//! them. The window is bounded: older rows are read as the cursor nears the end, and the far end is
//! let go, so memory does not grow with history.

use super::effect::Effect;
use super::list::Cursor;
use super::msg::Motion;
use super::state::{Awaited, State};
use crate::domain::page::{Counted, From, Page};
use crate::domain::{Event, EventId, Query, time};
use jiff::{SignedDuration, Timestamp};

/// Rows read at once.
const PAGE: usize = 200;
/// Rows kept; beyond this the end that is farther from the cursor is let go.
const WINDOW: usize = 1_000;
/// How long a first row has to have stood there before a key that changes something acts on it.
const SETTLED: SignedDuration = SignedDuration::from_millis(400);

/// What a page of events is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedLoad {
    /// The newest rows replace the window.
    Newest,
    /// The same rows, read anew: their findings may have changed.
    Again,
    /// Rows below the window.
    Older,
    /// Rows above the window that were let go, never the held ones.
    Newer,
}

/// The feed's state.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Feed {
    /// The filter; empty shows everything.
    pub query: Query,
    /// The window, newest first.
    pub rows: Vec<Event>,
    /// The selected row.
    pub cursor: Cursor<EventId>,
    /// Whether there is more below the window.
    pub has_older: bool,
    /// The newest row that was let in.
    pub taken: Option<EventId>,
    /// What waits above it.
    pub held: Counted,
    /// What failed at the last reading.
    pub error: Option<String>,
    /// Whether the first page has come.
    pub is_loaded: bool,
    /// When the first row last changed while the feed followed.
    pub top_changed: Option<Timestamp>,
    /// Whether the store said something new while a reading was under way.
    is_behind: bool,
}

impl Feed {
    /// The rows' ids.
    pub fn ids(&self) -> Vec<EventId> {
        self.rows.iter().map(|row| row.id).collect()
    }

    /// The selected row.
    pub fn selected(&self) -> Option<&Event> {
        self.rows.get(self.cursor.index(&self.ids()))
    }

    /// Whether new rows come in above: the cursor is on the newest row of all.
    pub fn follows(&self) -> bool {
        self.cursor.id.is_none() && self.rows.first().map(|row| row.id) == self.taken
    }

    /// Whether the first row has stood long enough to be acted on.
    pub fn is_settled(&self, now: Timestamp) -> bool {
        let moved = self.top_changed.filter(|_| self.follows());
        moved.is_none_or(|at| now.duration_since(at) >= SETTLED)
    }

    /// When the age of a visible row changes its text.
    pub fn next_change(&self, state: &State) -> Option<Timestamp> {
        if !state.stack.is_empty() {
            return None;
        }
        let visible = self.rows.iter().skip(self.cursor.offset).take(state.size.feed_rows());
        visible.map(|row| time::next_age_change(state.now, row.at())).min()
    }

    /// As the counter says it: `12 new (2 critical), g`.
    pub fn held_words(&self) -> Option<String> {
        let Counted { total, critical, is_capped } = self.held;
        let more = if is_capped { "+" } else { "" };
        match (total, critical) {
            (0, _) => None,
            (total, 0) => Some(format!("{total}{more} new, g")),
            (total, critical) => Some(format!("{total}{more} new ({critical} critical), g")),
        }
    }
}

/// Reads the newest rows: at the start, with a new filter, or when the held ones are taken.
pub fn load_newest(state: &mut State) -> Vec<Effect> {
    let mut effects = give_up(state);
    effects.push(load(state, FeedLoad::Newest, From::Newest, PAGE));
    effects
}

fn give_up(state: &mut State) -> Vec<Effect> {
    let is_feeds = |awaited: &Awaited| matches!(awaited, Awaited::Feed(_) | Awaited::Held);
    state.feed.is_behind = false;
    state.flights.give_up(is_feeds).into_iter().map(Effect::Cancel).collect()
}

fn load(state: &mut State, what: FeedLoad, from: From<EventId>, limit: usize) -> Effect {
    let request = state.flights.open(Awaited::Feed(what));
    Effect::LoadEvents { request, query: state.feed.query.clone(), from, limit }
}

fn count(state: &mut State) -> Effect {
    let request = state.flights.open(Awaited::Held);
    Effect::CountEvents { request, query: state.feed.query.clone(), above: state.feed.taken }
}

/// The store holds something new: the feed follows, or counts what waits and refreshes its rows in
/// place. While an answer is under way the news is only remembered.
pub fn store_changed(state: &mut State) -> Vec<Effect> {
    if state.flights.has(|awaited| matches!(awaited, Awaited::Feed(_) | Awaited::Held)) {
        state.feed.is_behind = true;
        return Vec::new();
    }
    state.feed.is_behind = false;
    if state.feed.follows() || state.feed.rows.is_empty() {
        return vec![load(state, FeedLoad::Newest, From::Newest, PAGE)];
    }
    let mut effects = vec![count(state)];
    if let Some(first) = state.feed.rows.first().map(|row| row.id) {
        let rows = state.feed.rows.len();
        effects.push(load(state, FeedLoad::Again, From::Before(EventId(first.0 + 1)), rows));
    }
    effects
}

/// A page came.
pub fn loaded(state: &mut State, what: FeedLoad, answer: Result<Page<Event>, String>) -> Vec<Effect> {
    match answer {
        Err(error) => state.feed.error = Some(error),
        Ok(page) => {
            state.feed.error = None;
            take_page(state, what, page);
        }
    }
    state.feed.is_loaded = true;
    keep_visible(state);
    catch_up(state)
}

fn take_page(state: &mut State, what: FeedLoad, page: Page<Event>) {
    let now = state.now;
    let feed = &mut state.feed;
    match what {
        FeedLoad::Newest => replace(feed, page, now),
        FeedLoad::Again => feed.rows = page.rows,
        FeedLoad::Older => append(feed, page),
        FeedLoad::Newer => prepend(feed, page),
    }
}

fn replace(feed: &mut Feed, page: Page<Event>, now: Timestamp) {
    if page.rows.first().map(|row| row.id) != feed.rows.first().map(|row| row.id) {
        feed.top_changed = Some(now);
    }
    feed.has_older = page.has_more;
    feed.rows = page.rows;
    feed.taken = feed.rows.first().map(|row| row.id);
    feed.held = Counted::default();
}

fn append(feed: &mut Feed, page: Page<Event>) {
    feed.has_older = page.has_more;
    let last = feed.rows.last().map(|row| row.id);
    feed.rows.extend(page.rows.into_iter().filter(|row| last.is_none_or(|last| row.id < last)));
    let surplus = feed.rows.len().saturating_sub(WINDOW);
    feed.rows.drain(..surplus);
}

fn prepend(feed: &mut Feed, page: Page<Event>) {
    let (first, taken) = (feed.rows.first().map(|row| row.id), feed.taken);
    let is_new = |row: &Event| first.is_none_or(|first| row.id > first) && taken.is_none_or(|t| row.id <= t);
    let mut rows: Vec<Event> = page.rows.into_iter().filter(is_new).collect();
    rows.append(&mut feed.rows);
    if rows.len() > WINDOW {
        rows.truncate(WINDOW);
        feed.has_older = true;
    }
    feed.rows = rows;
}

/// How many wait has been counted.
pub fn counted(state: &mut State, answer: Result<Counted, String>) -> Vec<Effect> {
    match answer {
        Ok(counted) => state.feed.held = counted,
        Err(error) => state.feed.error = Some(error),
    }
    catch_up(state)
}

fn catch_up(state: &mut State) -> Vec<Effect> {
    if state.feed.is_behind { store_changed(state) } else { Vec::new() }
}

fn keep_visible(state: &mut State) {
    let (ids, rows) = (state.feed.ids(), state.size.feed_rows());
    state.feed.cursor.keep_visible(&ids, rows);
}

/// The cursor was moved. Up on the first row takes nothing in: only `g` does.
pub fn moved(state: &mut State, motion: Motion) -> Vec<Effect> {
    if motion == Motion::Top {
        return take_held(state);
    }
    let (ids, rows) = (state.feed.ids(), state.size.feed_rows());
    state.feed.cursor.go(motion, &ids, rows);
    state.rest_since = state.now;
    follow_again(state);
    load_more(state)
}

/// On the newest row with nothing waiting, the feed follows again.
fn follow_again(state: &mut State) {
    let feed = &mut state.feed;
    let newest = feed.rows.first().map(|row| row.id);
    if feed.cursor.id == newest && newest == feed.taken && feed.held.total == 0 {
        feed.cursor.id = None;
    }
}

fn load_more(state: &mut State) -> Vec<Effect> {
    if state.flights.has(|awaited| matches!(awaited, Awaited::Feed(_))) {
        return Vec::new();
    }
    let feed = &state.feed;
    let (at, near) = (feed.cursor.index(&feed.ids()), state.size.feed_rows() * 2);
    let (first, last) = (feed.rows.first().map(|row| row.id), feed.rows.last().map(|row| row.id));
    match (first, last) {
        (_, Some(last)) if feed.has_older && at + near >= feed.rows.len() => {
            vec![load(state, FeedLoad::Older, From::Before(last), PAGE)]
        }
        (Some(first), _) if feed.taken.is_some_and(|taken| first < taken) && at < near => {
            vec![load(state, FeedLoad::Newer, From::After(first), PAGE)]
        }
        _ => Vec::new(),
    }
}

/// To the top, and the held rows come in.
pub fn take_held(state: &mut State) -> Vec<Effect> {
    state.feed.cursor = Cursor::default();
    state.rest_since = state.now;
    load_newest(state)
}

/// A filter was given: the feed starts anew with it.
pub fn filtered(state: &mut State, query: Query) -> Vec<Effect> {
    state.stack.clear();
    state.feed = Feed { query, ..Feed::default() };
    load_newest(state)
}
