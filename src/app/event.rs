//! An event: its texts, and the users failing with each one's finding.
//!
//! An event may name 50,000 users: what is held of them is a [`Window`], they can be filtered, and both
//! ends are one key away. What the message says about each user is read for those around the cursor.

use super::effect::Effect;
use super::list::{Cursor, Scroll};
use super::marks::Marks;
use super::msg::Motion;
use super::raw::RawScreen;
use super::said::Said;
use super::state::{Awaited, Screen, State};
use super::text::{self, TextLine};
use super::window::{PAGE, Side, Window};
use crate::domain::check::CheckKind;
use crate::domain::event::EventDetail;
use crate::domain::page::{EventUser, From, Page};
use crate::domain::query::UserQuery;
use crate::domain::time::Zone;
use crate::domain::untrusted;
use crate::domain::{Event, EventId, EventKind};

/// What a page of users is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserLoad {
    /// The first users: they replace the window.
    First,
    /// The last users: they replace the window, and the cursor goes to the last one.
    Last,
    /// The same users, read anew: their findings may have changed, and more may have been expanded.
    Again,
    /// Users below the window.
    Below,
    /// Users above the window.
    Above,
}

/// The screen of one event.
#[derive(Debug, Clone, PartialEq)]
pub struct EventScreen {
    /// Which.
    pub id: EventId,
    /// The title, from the row that it was opened from.
    pub title: String,
    /// The event whole, once it came.
    pub detail: Option<Box<EventDetail>>,
    /// Which of its users are shown.
    pub query: UserQuery,
    /// Its users that are held, in its own order.
    pub users: Window<EventUser>,
    /// What its message says about them.
    pub said: Said,
    /// The selected user.
    pub cursor: Cursor<usize>,
    /// The users who are marked, also those that a filter hides.
    pub marks: Marks,
    /// How far the texts are scrolled.
    pub scroll: Scroll,
    /// Whether the keys move the texts instead of the users.
    pub reads_texts: bool,
    /// What failed.
    pub error: Option<String>,
    /// Whether its raw JSON was asked for before it came.
    pub wants_raw: bool,
    /// Whether the store said something new while a reading was under way.
    is_behind: bool,
}

impl EventScreen {
    /// How many users it has, once that is known.
    pub fn user_count(&self) -> Option<u64> {
        self.detail.as_ref().map(|detail| detail.event.user_count)
    }

    fn new(id: EventId, title: String) -> EventScreen {
        EventScreen {
            id,
            title,
            detail: None,
            query: UserQuery::default(),
            users: Window::default(),
            said: Said::default(),
            cursor: Cursor::default(),
            marks: Marks::default(),
            scroll: Scroll::default(),
            reads_texts: false,
            error: None,
            wants_raw: false,
            is_behind: false,
        }
    }

    /// Its breadcrumb.
    pub fn crumb(&self) -> String {
        self.title.clone()
    }

    /// The place of the selected user among those that are held.
    pub fn at(&self) -> usize {
        self.cursor.index(&self.users.keys())
    }

    /// The selected user.
    pub fn selected(&self) -> Option<&EventUser> {
        self.users.rows.get(self.at())
    }

    /// Whether the store is still looked through for users to fill a screen of so many.
    pub fn is_searching(&self, rows: usize) -> bool {
        self.error.is_none() && self.users.is_searching(rows)
    }

    /// The texts as lines of at most `columns`.
    pub fn lines(&self, columns: usize, zone: &Zone) -> Vec<TextLine> {
        let Some(detail) = &self.detail else { return Vec::new() };
        let mut lines = facts(detail, zone);
        text::section(&mut lines, "Description", &detail.description, columns);
        text::section(&mut lines, "Recommended actions", &detail.recommended_actions, columns);
        if let Some(user) = self.selected() {
            let heading = format!("Said of {}", user.login);
            text::section(&mut lines, &heading, &self.said.texts(&user.login), columns);
        }
        lines
    }
}

fn facts(detail: &EventDetail, zone: &Zone) -> Vec<TextLine> {
    let event = &detail.event;
    let mut lines = vec![
        TextLine::fact("check", &event.check.id.to_string()),
        TextLine::fact("kind", &kind(event)),
        TextLine::fact("source", &event.source.to_string()),
        TextLine::fact("published", &published(event, zone)),
        TextLine::fact("received", &zone.seconds(event.received)),
    ];
    if event.times > 1 {
        lines.push(TextLine::fact("delivered", &format!("{} times", event.times)));
    }
    for (name, words) in [("tags", listed(event.labels())), ("notify", listed(event.told()))] {
        if !words.is_empty() {
            lines.push(TextLine::fact(name, &words));
        }
    }
    if let Some(url) = &detail.reference_url {
        lines.push(TextLine::fact("reference", &url.to_string()));
    }
    lines
}

/// What kind of event, and of check where it is one of those.
fn kind(event: &Event) -> String {
    match (event.kind, event.check.kind()) {
        (kind, CheckKind::Unknown) if kind != EventKind::FailedCheck => kind.word().to_owned(),
        (kind, check) => format!("{}, {}", kind.word(), check.word()),
    }
}

fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.map(|word| untrusted::visible(word).into_owned()).collect();
    words.join(", ")
}

fn published(event: &Event, zone: &Zone) -> String {
    let late = if event.is_late() { " (arrived late)" } else { "" };
    event.published.map_or("unknown".to_owned(), |at| format!("{}{late}", zone.seconds(at)))
}

/// Opens an event.
pub fn open(state: &mut State, id: EventId, title: String) -> Vec<Effect> {
    state.stack.push(Screen::Event(Box::new(EventScreen::new(id, title))));
    load(state, id)
}

/// Reads the event, and the users that are held or else the first ones.
fn load(state: &mut State, id: EventId) -> Vec<Effect> {
    let Some(screen) = screen(state, id) else { return Vec::new() };
    screen.is_behind = false;
    let rows = screen.users.rows.len();
    // With nothing let go above, more may match above the first one by now.
    let (what, from) = match (screen.users.first(), screen.users.above) {
        (None, _) => (UserLoad::First, From::Newest),
        (Some(first @ 1..), Some(_)) => (UserLoad::Again, From::Before(first - 1)),
        (Some(_), _) => (UserLoad::Again, From::Newest),
    };
    let request = state.flights.open(Awaited::Event(id));
    let mut effects = vec![Effect::LoadEvent { request, id }];
    effects.extend(load_users(state, id, what, from, rows.max(PAGE)));
    effects
}

fn load_users(
    state: &mut State,
    id: EventId,
    what: UserLoad,
    from: From<usize>,
    limit: usize,
) -> Option<Effect> {
    let query = screen(state, id)?.query.clone();
    let request = state.flights.open(Awaited::EventUsers(id, what));
    Some(Effect::LoadEventUsers { request, id, query, from, limit })
}

fn is_reading(state: &State, id: EventId) -> bool {
    state.flights.has(|awaited| matches!(awaited, Awaited::EventUsers(at, _) if *at == id))
}

/// The event on top, if there is one.
fn shown(state: &mut State) -> Option<&mut EventScreen> {
    match state.stack.last_mut() {
        Some(Screen::Event(screen)) => Some(screen),
        _ => None,
    }
}

/// The store holds something new: the event on the screen is read again. While an answer is under way
/// the news is only remembered.
pub fn store_changed(state: &mut State) -> Vec<Effect> {
    let Some(id) = shown(state).map(|screen| screen.id) else { return Vec::new() };
    if !is_reading(state, id) {
        return load(state, id);
    }
    if let Some(screen) = shown(state) {
        screen.is_behind = true;
    }
    Vec::new()
}

fn screen(state: &mut State, id: EventId) -> Option<&mut EventScreen> {
    state.stack.iter_mut().rev().find_map(|screen| match screen {
        Screen::Event(event) if event.id == id => Some(event.as_mut()),
        _ => None,
    })
}

/// Opens an event, and its raw JSON as soon as it came.
pub fn open_raw(state: &mut State, id: EventId, title: String) -> Vec<Effect> {
    let effects = open(state, id, title);
    if let Some(Screen::Event(screen)) = state.stack.last_mut() {
        screen.wants_raw = true;
    }
    effects
}

/// The raw JSON of the event on the screen was asked for: it opens now, or once it came, unless the
/// analyst has gone on by then.
pub fn raw_asked(state: &mut State) {
    let is_bare = state.overlay.is_none();
    let Some(Screen::Event(screen)) = state.stack.last_mut() else { return };
    screen.wants_raw = screen.detail.is_none();
    if let Some(detail) = screen.detail.as_ref().filter(|_| is_bare) {
        let raw = RawScreen::new(screen.id, detail.raw.as_deref());
        state.stack.push(Screen::Raw(Box::new(raw)));
    }
}

/// The event came.
pub fn loaded(state: &mut State, id: EventId, answer: Result<Option<Box<EventDetail>>, String>) {
    let Some(screen) = screen(state, id) else { return };
    match answer {
        Ok(Some(detail)) => {
            screen.title = detail.event.check.name();
            screen.detail = Some(detail);
            let wants_raw = std::mem::take(&mut screen.wants_raw);
            if wants_raw && matches!(state.stack.last(), Some(Screen::Event(top)) if top.id == id) {
                raw_asked(state);
            }
        }
        Ok(None) => screen.error = Some(format!("there is no event `{id}`")),
        Err(error) => screen.error = Some(error),
    }
}

/// Users came.
pub fn users_loaded(
    state: &mut State,
    id: EventId,
    what: UserLoad,
    answer: Result<Page<EventUser>, String>,
) -> Vec<Effect> {
    let size = state.size;
    let Some(screen) = screen(state, id) else { return Vec::new() };
    let rows = size.event_user_rows(screen.user_count());
    match answer {
        Err(error) => screen.error = Some(error),
        Ok(page) => {
            screen.error = None;
            take_page(screen, what, page, rows);
        }
    }
    let mut effects = load_more(state, id);
    if effects.is_empty() && screen_is_behind(state, id) {
        effects = load(state, id);
    }
    effects.extend(load_said(state, id));
    effects
}

fn screen_is_behind(state: &mut State, id: EventId) -> bool {
    screen(state, id).is_some_and(|screen| screen.is_behind && screen.error.is_none())
}

fn take_page(screen: &mut EventScreen, what: UserLoad, page: Page<EventUser>, rows: usize) {
    let before = screen.users.keys();
    match what {
        UserLoad::First => screen.users.show_top(page),
        UserLoad::Last => screen.users.show_end(page),
        UserLoad::Again => screen.users.refresh(page),
        UserLoad::Below => screen.users.append(page),
        UserLoad::Above => screen.users.prepend(page),
    }
    let now = screen.users.keys();
    match what {
        UserLoad::First => screen.cursor = Cursor::default(),
        UserLoad::Last => screen.cursor.go(Motion::End, &now, rows),
        UserLoad::Again | UserLoad::Below | UserLoad::Above => {
            screen.cursor.stay(&before, &now, rows);
        }
    }
}

/// More users where the cursor is near an end of those that are held.
fn load_more(state: &mut State, id: EventId) -> Vec<Effect> {
    let size = state.size;
    let is_reading = is_reading(state, id);
    let wanted = screen(state, id)
        .filter(|screen| !is_reading && screen.error.is_none())
        .and_then(|screen| screen.users.wanted(screen.at(), size.event_user_rows(screen.user_count()) * 2));
    let effect = match wanted {
        Some((Side::Below, from)) => load_users(state, id, UserLoad::Below, from, PAGE),
        Some((Side::Above, from)) => load_users(state, id, UserLoad::Above, from, PAGE),
        None => None,
    };
    effect.into_iter().collect()
}

/// What the message says about the users around the cursor, where that is not known yet. One reading at
/// a time: each takes the whole message apart.
fn load_said(state: &mut State, id: EventId) -> Option<Effect> {
    if state.flights.has(|awaited| *awaited == Awaited::Said(id)) {
        return None;
    }
    let screen = screen(state, id)?;
    let logins = screen.said.wanted(&screen.users.rows, screen.at());
    if logins.is_empty() {
        return None;
    }
    let request = state.flights.open(Awaited::Said(id));
    Some(Effect::LoadSaid { request, id, logins })
}

/// What the message says about some users came.
pub fn said_loaded(state: &mut State, id: EventId, answer: super::msg::SaidOf) -> Vec<Effect> {
    let Some(screen) = screen(state, id) else { return Vec::new() };
    match answer {
        Ok(said) => screen.said.put(said),
        Err(error) => {
            screen.error = Some(error);
            return Vec::new();
        }
    }
    // The cursor may have gone on meanwhile.
    load_said(state, id).into_iter().collect()
}

/// The cursor was moved, or the texts were.
pub fn moved(state: &mut State, motion: Motion) -> Vec<Effect> {
    let size = state.size;
    let zone = state.settings.zone.clone();
    state.rest_since = state.now;
    let Some(screen) = shown(state) else { return Vec::new() };
    let users = screen.user_count();
    if screen.reads_texts {
        let (text_rows, columns) = size.event_text_size(users);
        let lines = screen.lines(columns, &zone).len();
        screen.scroll.go(motion, lines, text_rows);
        return Vec::new();
    }
    users_moved(state, motion)
}

/// The cursor of the users moved, whichever part the keys go to.
pub fn users_moved(state: &mut State, motion: Motion) -> Vec<Effect> {
    let size = state.size;
    let Some(screen) = shown(state) else { return Vec::new() };
    let rows = size.event_user_rows(screen.user_count());
    let (id, users) = (screen.id, &screen.users);
    match motion {
        Motion::Top if users.above.is_some() => return jump(state, id, UserLoad::First, From::Newest),
        Motion::End if users.below.is_some() => return jump(state, id, UserLoad::Last, From::Oldest),
        _ => screen.cursor.go(motion, &screen.users.keys(), rows),
    }
    // Whoever moves on by hand is not carried off by a jump that was asked for before.
    let mut effects = give_up(state, id, |what| matches!(what, UserLoad::First | UserLoad::Last));
    effects.extend(load_more(state, id));
    effects.extend(load_said(state, id));
    effects
}

/// To an end that is not held: the window is read anew from there.
fn jump(state: &mut State, id: EventId, what: UserLoad, from: From<usize>) -> Vec<Effect> {
    let mut effects = give_up(state, id, |_| true);
    effects.extend(load_users(state, id, what, from, PAGE));
    effects
}

fn give_up(state: &mut State, id: EventId, is_it: fn(UserLoad) -> bool) -> Vec<Effect> {
    let given_up = state
        .flights
        .give_up(|awaited| matches!(awaited, Awaited::EventUsers(at, what) if *at == id && is_it(*what)));
    given_up.into_iter().map(Effect::Cancel).collect()
}

/// A filter of the users was given: they are read anew with it.
pub fn filtered(state: &mut State, query: UserQuery) -> Vec<Effect> {
    let Some(screen) = shown(state) else { return Vec::new() };
    let id = screen.id;
    screen.query = query;
    screen.users = Window::default();
    screen.cursor = Cursor::default();
    screen.error = None;
    screen.reads_texts = false;
    jump(state, id, UserLoad::First, From::Newest)
}
