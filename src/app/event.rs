//! An event: its texts, and the users failing with each one's finding.

use super::effect::Effect;
use super::list::{Cursor, Scroll};
use super::msg::Motion;
use super::raw::RawScreen;
use super::state::{Awaited, Screen, State};
use super::text::{self, TextLine};
use crate::domain::event::EventDetail;
use crate::domain::page::{EventUser, Page};
use crate::domain::time::Zone;
use crate::domain::{EventId, Login};

/// Users read at once.
const PAGE: usize = 200;

/// The screen of one event.
#[derive(Debug, Clone, PartialEq)]
pub struct EventScreen {
    /// Which.
    pub id: EventId,
    /// The title, from the row that it was opened from.
    pub title: String,
    /// The event whole, once it came.
    pub detail: Option<Box<EventDetail>>,
    /// Its users, as far as they came, in its own order.
    pub users: Vec<EventUser>,
    /// Whether there are more.
    pub has_more: bool,
    /// The selected user.
    pub cursor: Cursor<Login>,
    /// How far the texts are scrolled.
    pub scroll: Scroll,
    /// Whether the keys move the texts instead of the users.
    pub reads_texts: bool,
    /// What failed.
    pub error: Option<String>,
    /// Whether its raw JSON was asked for before it came.
    pub wants_raw: bool,
}

impl EventScreen {
    /// Its breadcrumb.
    pub fn crumb(&self) -> String {
        self.title.clone()
    }

    /// The users' logins.
    pub fn logins(&self) -> Vec<Login> {
        self.users.iter().map(|user| user.login.clone()).collect()
    }

    /// The selected user.
    pub fn selected(&self) -> Option<&EventUser> {
        self.users.get(self.cursor.index(&self.logins()))
    }

    /// The texts as lines of at most `columns`.
    pub fn lines(&self, columns: usize, zone: &Zone) -> Vec<TextLine> {
        let Some(detail) = &self.detail else { return Vec::new() };
        let event = &detail.event;
        let mut lines = vec![
            TextLine::fact("check", &event.check.id.to_string()),
            TextLine::fact("kind", &format!("{}, {}", event.kind.word(), event.check.kind().word())),
            TextLine::fact("source", &event.source.to_string()),
            TextLine::fact("published", &published(event, zone)),
            TextLine::fact("received", &zone.seconds(event.received)),
        ];
        if event.times > 1 {
            lines.push(TextLine::fact("delivered", &format!("{} times", event.times)));
        }
        if let Some(url) = &detail.reference_url {
            lines.push(TextLine::fact("reference", &url.to_string()));
        }
        text::section(&mut lines, "Description", &detail.description, columns);
        text::section(&mut lines, "Recommended actions", &detail.recommended_actions, columns);
        lines
    }
}

fn published(event: &crate::domain::Event, zone: &Zone) -> String {
    let late = if event.is_late() { " (arrived late)" } else { "" };
    event.published.map_or("unknown".to_owned(), |at| format!("{}{late}", zone.seconds(at)))
}

/// Opens an event.
pub fn open(state: &mut State, id: EventId, title: String) -> Vec<Effect> {
    state.stack.push(Screen::Event(Box::new(EventScreen {
        id,
        title,
        detail: None,
        users: Vec::new(),
        has_more: false,
        cursor: Cursor::default(),
        scroll: Scroll::default(),
        reads_texts: false,
        error: None,
        wants_raw: false,
    })));
    load(state, id)
}

/// Reads the event and as many users as were there before.
pub fn load(state: &mut State, id: EventId) -> Vec<Effect> {
    let limit = screen(state, id).map_or(PAGE, |screen| screen.users.len().max(PAGE));
    let request = state.flights.open(Awaited::Event(id));
    vec![Effect::LoadEvent { request, id }, load_users(state, id, 0, limit)]
}

fn load_users(state: &mut State, id: EventId, offset: usize, limit: usize) -> Effect {
    let request = state.flights.open(Awaited::EventUsers(id));
    Effect::LoadEventUsers { request, id, offset, limit }
}

/// The store holds something new: the event on the screen is read again.
pub fn store_changed(state: &mut State) -> Vec<Effect> {
    let id = match state.stack.last() {
        Some(Screen::Event(screen)) => screen.id,
        _ => return Vec::new(),
    };
    let is_under_way = |awaited: &Awaited| matches!(awaited, Awaited::EventUsers(at) if *at == id);
    if state.flights.has(is_under_way) { Vec::new() } else { load(state, id) }
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

/// Users came: those that are there already are replaced, the others follow.
pub fn users_loaded(state: &mut State, id: EventId, answer: Result<Page<EventUser>, String>) {
    let rows = state.size.event_user_rows();
    let Some(screen) = screen(state, id) else { return };
    match answer {
        Err(error) => screen.error = Some(error),
        Ok(page) => {
            screen.has_more = page.has_more();
            merge(&mut screen.users, page.rows);
            let logins = screen.logins();
            screen.cursor.keep_visible(&logins, rows);
        }
    }
}

fn merge(users: &mut Vec<EventUser>, page: Vec<EventUser>) {
    for user in page {
        match users.iter_mut().find(|known| known.login == user.login) {
            Some(known) => *known = user,
            None => users.push(user),
        }
    }
}

/// The cursor was moved, or the texts were.
pub fn moved(state: &mut State, motion: Motion) -> Vec<Effect> {
    let (rows, (text_rows, columns)) = (state.size.event_user_rows(), state.size.event_text_size());
    let zone = state.settings.zone.clone();
    state.rest_since = state.now;
    let Some(Screen::Event(screen)) = state.stack.last_mut() else { return Vec::new() };
    if screen.reads_texts {
        let lines = screen.lines(columns, &zone).len();
        screen.scroll.go(motion, lines, text_rows);
        return Vec::new();
    }
    let logins = screen.logins();
    screen.cursor.go(motion, &logins, rows);
    let (id, known) = (screen.id, screen.users.len());
    let is_near_end = screen.has_more && screen.cursor.index(&logins) + rows >= known;
    let is_under_way = state.flights.has(|awaited| matches!(awaited, Awaited::EventUsers(at) if *at == id));
    if is_near_end && !is_under_way { vec![load_users(state, id, known, PAGE)] } else { Vec::new() }
}
