//! The feed: one row an event, newest arrival first.
//!
//! Rows never move under the cursor. While the cursor is on the first row the feed *follows*: new rows
//! come in above. As soon as it is elsewhere, new ones wait behind a counter until the analyst takes
//! them. What is held of the list is a [`Window`].

use super::effect::Effect;
use super::list::{Cursor, Stayed};
use super::marks::Marks;
use super::msg::Motion;
use super::state::{Awaited, State};
use super::window::{PAGE, Side, Window};
use crate::domain::page::{Counted, From, Page};
use crate::domain::{Event, EventId, Query, time};
use jiff::{SignedDuration, Timestamp};

/// How long a first row has to have stood there before a key that changes something acts on it.
const SETTLED: SignedDuration = SignedDuration::from_millis(400);

/// What a page of events is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedLoad {
    /// The analyst asked for the newest rows: they replace the window.
    Newest,
    /// The feed follows: the newest rows come in above.
    Follow,
    /// The same rows, read anew: their findings may have changed.
    Again,
    /// Rows below the window.
    Older,
    /// Rows above the window that were let go, never the held ones.
    Newer,
}

/// Whether another row came under the cursor by itself, and since when the analyst can see that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Slip {
    /// The row is the one that the analyst put the cursor on.
    #[default]
    None,
    /// No frame has shown it yet: none was drawn, or only of what lies above the feed.
    Unseen,
    /// It has been on the screen since then.
    Seen(Timestamp),
}

/// The feed's state.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Feed {
    /// The analyst's own filter; [`Feed::asked`] is what the store is asked for.
    pub query: Query,
    /// The rows that are held, newest first.
    pub window: Window<Event>,
    /// The selected row.
    pub cursor: Cursor<EventId>,
    /// The newest row that was let in.
    pub taken: Option<EventId>,
    /// What waits above it.
    pub held: Counted,
    /// What failed at the last reading.
    pub error: Option<String>,
    /// Whether another row came under the cursor by itself.
    pub slip: Slip,
    /// Users of the rows, or everybody of the filter where they were asked for.
    pub marks: Marks,
    /// Whether the store said something new while a reading was under way.
    is_behind: bool,
}

impl Feed {
    /// The rows' ids.
    pub fn ids(&self) -> Vec<EventId> {
        self.window.keys()
    }

    /// The selected row.
    pub fn selected(&self) -> Option<&Event> {
        self.window.rows.get(self.cursor.index(&self.ids()))
    }

    /// What the store is asked for: the filter, and without one of its own word on them no records that
    /// opened no finding. A System Log is mostly those, and what needs somebody would drown in them.
    pub fn asked(&self) -> Query {
        self.query.without_records()
    }

    /// Of so many records that opened no finding, those that the filter leaves out.
    pub fn left_out(&self, quiet: u64) -> u64 {
        if self.query.asks_for_records() { 0 } else { quiet }
    }

    /// Whether new rows come in above: the cursor is on the newest row of all.
    pub fn follows(&self) -> bool {
        self.cursor.id.is_none() && self.window.above.is_none()
    }

    /// Whether the row under the cursor has stood there long enough to be acted on.
    pub fn is_settled(&self, now: Timestamp) -> bool {
        match self.slip {
            Slip::None => true,
            Slip::Unseen => false,
            Slip::Seen(at) => now.duration_since(at) >= SETTLED,
        }
    }

    /// Whether the store is still looked through for rows to fill a screen of so many.
    pub fn is_searching(&self, rows: usize) -> bool {
        self.error.is_none() && self.window.is_searching(rows)
    }

    /// When the age of a visible row changes its text.
    pub fn next_change(&self, state: &State) -> Option<Timestamp> {
        if !state.stack.is_empty() {
            return None;
        }
        let visible = self.window.rows.iter().skip(self.cursor.offset).take(state.size.feed_rows());
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
    Effect::LoadEvents { request, query: state.feed.asked(), from, limit }
}

fn count(state: &mut State) -> Effect {
    let request = state.flights.open(Awaited::Held);
    Effect::CountEvents { request, query: state.feed.asked(), above: state.feed.taken }
}

/// The store holds something new: the feed follows, or counts what waits and refreshes its rows in
/// place. While an answer is under way the news is only remembered.
pub fn store_changed(state: &mut State) -> Vec<Effect> {
    if state.flights.has(|awaited| matches!(awaited, Awaited::Feed(_) | Awaited::Held)) {
        state.feed.is_behind = true;
        return Vec::new();
    }
    state.feed.is_behind = false;
    if state.feed.follows() || state.feed.window.rows.is_empty() {
        return vec![load(state, FeedLoad::Follow, From::Newest, PAGE)];
    }
    let mut effects = vec![count(state)];
    if let Some(first) = state.feed.window.first() {
        let rows = state.feed.window.rows.len();
        effects.push(load(state, FeedLoad::Again, From::Before(EventId(first.0 + 1)), rows));
    }
    effects
}

/// A page came.
pub fn loaded(state: &mut State, what: FeedLoad, answer: Result<Page<Event>, String>) -> Vec<Effect> {
    match answer {
        Err(error) => {
            state.feed.error = Some(error);
            catch_up(state)
        }
        Ok(page) => {
            state.feed.error = None;
            take_page(state, what, page);
            go_on(state)
        }
    }
}

/// More rows where the screen is not full yet, else what the store has said meanwhile.
fn go_on(state: &mut State) -> Vec<Effect> {
    let more = load_more(state);
    if more.is_empty() { catch_up(state) } else { more }
}

fn take_page(state: &mut State, what: FeedLoad, page: Page<Event>) {
    let height = state.size.feed_rows();
    let feed = &mut state.feed;
    let before = feed.ids();
    let first = feed.selected().map(|row| row.id);
    match what {
        FeedLoad::Newest => replace(feed, page),
        FeedLoad::Follow if feed.follows() || feed.window.rows.is_empty() => follow(feed, page),
        // The analyst has moved away meanwhile: what came in is counted, not shown.
        FeedLoad::Follow => feed.is_behind = true,
        FeedLoad::Again => feed.window.refresh(page),
        FeedLoad::Older => append(feed, page),
        FeedLoad::Newer => prepend(feed, page),
    }
    let stayed = feed.cursor.stay(&before, &feed.ids(), height);
    if stayed == Stayed::OnAnother || feed.selected().map(|row| row.id) != first {
        feed.slip = Slip::Unseen;
        state.rest_since = state.now;
    }
}

fn replace(feed: &mut Feed, page: Page<Event>) {
    feed.cursor = Cursor::default();
    feed.window.show_top(page);
    feed.taken = feed.window.first();
    feed.held = Counted::default();
}

fn follow(feed: &mut Feed, page: Page<Event>) {
    feed.window.refresh(page);
    feed.taken = feed.window.first();
    feed.held = Counted::default();
}

fn append(feed: &mut Feed, page: Page<Event>) {
    feed.taken = feed.taken.or_else(|| feed.window.first().or(page.rows.first().map(|row| row.id)));
    feed.window.append(page);
}

/// Rows above the window that were let go, never those that wait.
fn prepend(feed: &mut Feed, mut page: Page<Event>) {
    let taken = feed.taken;
    let is_held = |id: EventId| taken.is_some_and(|taken| id > taken);
    page.next = page.next.filter(|next| !is_held(*next) && taken != Some(*next));
    page.rows.retain(|row| !is_held(row.id));
    feed.window.prepend(page);
}

/// A frame without an overlay was drawn. It shows the row under the cursor unless it is of another screen.
pub fn drawn(state: &mut State) {
    if state.stack.is_empty() && state.feed.slip == Slip::Unseen {
        state.feed.slip = Slip::Seen(state.now);
    }
}

/// How many wait has been counted.
pub fn counted(state: &mut State, answer: Result<Counted, String>) -> Vec<Effect> {
    match answer {
        Ok(counted) => state.feed.held = counted,
        Err(error) => state.feed.error = Some(error),
    }
    if state.feed.follows() && state.feed.held.total > 0 {
        // Back at the top while it was counted: they need not wait.
        state.feed.is_behind = true;
    }
    catch_up(state)
}

fn catch_up(state: &mut State) -> Vec<Effect> {
    if state.feed.is_behind { store_changed(state) } else { Vec::new() }
}

/// The cursor was moved. Up on the first row takes nothing in: only `g` does.
pub fn moved(state: &mut State, motion: Motion) -> Vec<Effect> {
    if motion == Motion::Top {
        return take_held(state);
    }
    let (ids, rows) = (state.feed.ids(), state.size.feed_rows());
    state.feed.cursor.go(motion, &ids, rows);
    state.feed.slip = Slip::None;
    state.rest_since = state.now;
    follow_again(state);
    load_more(state)
}

/// On the newest row with nothing waiting, the feed follows again.
fn follow_again(state: &mut State) {
    let feed = &mut state.feed;
    let newest = feed.window.first();
    if feed.cursor.id == newest && feed.window.above.is_none() && feed.held.total == 0 {
        feed.cursor.id = None;
    }
}

fn load_more(state: &mut State) -> Vec<Effect> {
    if state.flights.has(|awaited| matches!(awaited, Awaited::Feed(_))) {
        return Vec::new();
    }
    let feed = &state.feed;
    let (at, near) = (feed.cursor.index(&feed.ids()), state.size.feed_rows() * 2);
    match feed.window.wanted(at, near) {
        Some((Side::Below, from)) => vec![load(state, FeedLoad::Older, from, PAGE)],
        Some((Side::Above, from)) => vec![load(state, FeedLoad::Newer, from, PAGE)],
        None => Vec::new(),
    }
}

/// To the top, and the held rows come in.
fn take_held(state: &mut State) -> Vec<Effect> {
    state.feed.cursor = Cursor::default();
    state.rest_since = state.now;
    load_newest(state)
}

/// Holds the cursor on the row that is about to be opened or acted on, so that the analyst comes back to
/// it; `g` follows again. Says so and answers false where another row came in under the cursor a moment
/// ago: the key was meant for the one before. The row is held then too, or nothing could be done while
/// rows stream in. On any other screen there is nothing to hold.
pub fn pin(state: &mut State) -> bool {
    if !state.stack.is_empty() {
        return true;
    }
    let selected = state.feed.selected().map(|row| row.id);
    state.feed.cursor.id = selected;
    let is_settled = state.feed.is_settled(state.now);
    if !is_settled {
        let why = "look, then press again: this row just came in under the cursor, and is held now";
        state.notice.fail(state.now, why);
    }
    is_settled
}

/// A filter was given: the feed starts anew with it.
pub fn filtered(state: &mut State, query: Query) -> Vec<Effect> {
    state.stack.clear();
    state.feed = Feed { query, ..Feed::default() };
    load_newest(state)
}
