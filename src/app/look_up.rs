//! Looking something up in the org: what was asked, what came of it, and on to each.
//!
//! Each question is a screen of its own. What was read stays while it is read anew, with the time that it
//! was read at.

use super::effect::{Effect, RequestId};
use super::list::Cursor;
use super::msg::Motion;
use super::raw::RawScreen;
use super::state::{Awaited, Screen, State};
use super::text::wrap;
use super::{log, triage, user};
use crate::domain::Login;
use crate::domain::iam_configuration::ConfigurationChange;
use crate::domain::log::LogAsk;
use crate::domain::look_up::{LookUp, LookedUp};
use crate::domain::time::Zone;
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;

mod content;

/// What is shown of an answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Content {
    /// What it comes to, in a sentence.
    pub words: (Tone, String),
    /// What went wrong with a part of it.
    pub error: Option<String>,
    /// Names and values.
    pub facts: Vec<Fact>,
    /// What is listed below them.
    pub list: Option<List>,
}

/// How a text is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// Beside the point.
    Muted,
    /// To be looked at.
    Warning,
}

/// A name and a value, or the heading of some.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A heading.
    Heading(String),
    /// A name and a value.
    Named {
        /// The name; it may come from outside.
        name: String,
        /// The value.
        value: Said,
        /// How it is meant.
        tone: Tone,
        /// Where it leads to.
        leads: Option<LeadsTo>,
    },
}

/// The value of a fact.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// As it came.
    Text(String),
    /// A time, shown in the zone of the screen.
    At(Timestamp),
}

impl Said {
    fn shown(&self, zone: &Zone) -> String {
        match self {
            Said::Text(text) => text.clone(),
            Said::At(at) => zone.seconds(*at),
        }
    }
}

/// What is listed.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    /// The headings of its columns.
    pub headings: [&'static str; 4],
    /// Its rows.
    pub items: Vec<Item>,
}

/// A row of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// By what the cursor holds it.
    pub key: Arc<str>,
    /// A name, what belongs to it, a state and an id, as they came.
    pub cells: [String; 4],
    /// How its state is meant.
    pub tone: Tone,
    /// Where it leads to.
    pub leads: Option<LeadsTo>,
    /// What a copy of it is: what it is called by elsewhere.
    copies: String,
    raw: Arc<Value>,
}

/// Where a row leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum LeadsTo {
    /// To a person.
    Person(Login),
    /// To another look-up.
    LookUp(LookUp),
    /// To the System Log with a filter.
    Log(String),
}

/// The screen of one question.
#[derive(Debug, Clone, PartialEq)]
pub struct LookUpScreen {
    /// What is asked.
    pub what: LookUp,
    /// What came, and when it was read.
    pub came: Option<(Timestamp, Content)>,
    /// Why nothing came.
    pub error: Option<String>,
    /// The selected row.
    pub cursor: Cursor<Arc<str>>,
    /// The whole of what came, where it is one thing.
    raw: Option<Arc<Value>>,
    /// What is shown to change, and is not kept yet.
    pending: Option<Box<ConfigurationChange>>,
    waiting: Option<RequestId>,
}

/// A line of the screen.
#[derive(Debug, Clone, PartialEq)]
pub enum Row<'a> {
    /// Names what stands below it.
    Heading(&'a str),
    /// A fact; its value goes on below itself.
    Fact {
        /// The fact's name, on its first line.
        name: &'a str,
        /// A line of its value.
        value: String,
        /// How it is meant.
        tone: Tone,
        /// Whether it leads anywhere.
        leads: bool,
    },
    /// The headings of a list.
    Headings([&'static str; 4]),
    /// A row of a list.
    Item(&'a Item),
}

impl LookUpScreen {
    fn of(what: LookUp) -> LookUpScreen {
        LookUpScreen {
            what,
            came: None,
            error: None,
            cursor: Cursor::default(),
            raw: None,
            pending: None,
            waiting: None,
        }
    }

    /// Whether it is being read.
    pub fn is_reading(&self) -> bool {
        self.waiting.is_some()
    }

    /// The lines, each under the name that the cursor holds it by, for so many columns.
    pub fn rows(&self, columns: usize, zone: &Zone) -> Vec<(Arc<str>, Row<'_>)> {
        let Some((_, content)) = &self.came else { return Vec::new() };
        let mut rows = Vec::new();
        for (at, fact) in content.facts.iter().enumerate() {
            rows.extend(fact_rows(at, fact, columns, zone));
        }
        if let Some(list) = content.list.as_ref().filter(|list| !list.items.is_empty()) {
            rows.push((Arc::from("headings"), Row::Headings(list.headings)));
            rows.extend(list.items.iter().map(|item| (item.key.clone(), Row::Item(item))));
        }
        rows
    }

    /// The place of the selected row.
    pub fn selected_at(&self, rows: &[(Arc<str>, Row<'_>)]) -> usize {
        let wanted = self.cursor.id.as_ref();
        wanted.and_then(|wanted| rows.iter().position(|(key, _)| key == wanted)).unwrap_or(0)
    }

    fn selected(&self) -> Selected<'_> {
        let Some((_, content)) = &self.came else { return Selected::Nothing };
        let key = self.cursor.id.as_deref().unwrap_or("0");
        let items = content.list.iter().flat_map(|list| &list.items);
        if let Some(item) = items.into_iter().find(|item| *item.key == *key) {
            return Selected::Item(item);
        }
        let at = key.split('.').next().and_then(|at| at.parse::<usize>().ok());
        at.and_then(|at| content.facts.get(at)).map_or(Selected::Nothing, Selected::Fact)
    }

    fn leads(&self) -> Option<&LeadsTo> {
        match self.selected() {
            Selected::Item(item) => item.leads.as_ref(),
            Selected::Fact(Fact::Named { leads, .. }) => leads.as_ref(),
            Selected::Fact(Fact::Heading(_)) | Selected::Nothing => None,
        }
    }

    /// Whom the cursor names, else whom the screen is about.
    pub fn person(&self) -> Option<Login> {
        let of = |leads: Option<&LeadsTo>| match leads {
            Some(LeadsTo::Person(login)) => Some(login.clone()),
            _ => None,
        };
        let facts = || self.came.iter().flat_map(|(_, content)| &content.facts);
        let of_fact = |fact: &Fact| match fact {
            Fact::Named { leads, .. } => of(leads.as_ref()),
            Fact::Heading(_) => None,
        };
        of(self.leads()).or_else(|| facts().find_map(of_fact))
    }

    /// The value under the cursor: a fact's, a login, or the id of anything else.
    pub fn named(&self) -> Option<String> {
        let value = match self.selected() {
            Selected::Item(item) => Some(item.copies.clone()),
            Selected::Fact(Fact::Named { value, .. }) => Some(value.shown(&Zone::Utc)),
            Selected::Fact(Fact::Heading(_)) | Selected::Nothing => None,
        };
        value.filter(|value| !value.trim().is_empty())
    }

    /// Where the cursor begins: on the first row that leads somewhere, of a list before all.
    fn first_leading(content: &Content) -> Option<Arc<str>> {
        let items = || content.list.iter().flat_map(|list| &list.items);
        if let Some(item) = items().find(|item| item.leads.is_some()) {
            return Some(item.key.clone());
        }
        let leads = |fact: &Fact| matches!(fact, Fact::Named { leads: Some(_), .. });
        let fact = content.facts.iter().position(leads).map(|at| fact_key(at, 0));
        fact.or_else(|| items().next().map(|item| item.key.clone()))
    }
}

enum Selected<'a> {
    Fact(&'a Fact),
    Item(&'a Item),
    Nothing,
}

fn fact_key(at: usize, line: usize) -> Arc<str> {
    if line == 0 { at.to_string().into() } else { format!("{at}.{line}").into() }
}

fn fact_rows<'a>(at: usize, fact: &'a Fact, columns: usize, zone: &Zone) -> Vec<(Arc<str>, Row<'a>)> {
    match fact {
        Fact::Heading(text) => vec![(fact_key(at, 0), Row::Heading(text))],
        Fact::Named { name, value, tone, leads } => {
            let lines = wrap(&value.shown(zone), columns.saturating_sub(name_columns(columns)));
            let row = |(line, value): (usize, String)| {
                let name = if line == 0 { name.as_str() } else { "" };
                (fact_key(at, line), Row::Fact { name, value, tone: *tone, leads: leads.is_some() })
            };
            lines.into_iter().enumerate().map(row).collect()
        }
    }
}

/// The columns of a fact's name, with a blank behind it.
pub fn name_columns(columns: usize) -> usize {
    if columns < 76 { 14 } else { 20 }
}

fn top(state: &mut State) -> Option<&mut LookUpScreen> {
    match state.stack.last_mut() {
        Some(Screen::LookUp(screen)) => Some(screen),
        _ => None,
    }
}

/// Something was asked for. Where nobody was named, it is whom the cursor names.
pub fn asked(state: &mut State, what: LookUp) -> Vec<Effect> {
    let Some(what) = of_somebody(state, what) else {
        let why = "nobody is chosen here: name them, `:okta-user ann@example.com`";
        state.notice.fail(state.now, why);
        return Vec::new();
    };
    if !matches!(state.stack.last(), Some(Screen::LookUp(screen)) if screen.what == what) {
        state.stack.push(Screen::LookUp(Box::new(LookUpScreen::of(what))));
    }
    load(state)
}

fn of_somebody(state: &State, what: LookUp) -> Option<LookUp> {
    let chosen = |key: String| match key.is_empty() {
        true => triage::selected(state).login.map(|login| login.raw().to_owned()),
        false => Some(key),
    };
    Some(match what {
        LookUp::User(key) => LookUp::User(chosen(key)?),
        LookUp::AppsOfUser(key) => LookUp::AppsOfUser(chosen(key)?),
        LookUp::Assignment { app, user } => LookUp::Assignment { app, user: chosen(user)? },
        what => what,
    })
}

/// Asks the question on top, anew too. What it still waited for is given up.
pub fn load(state: &mut State) -> Vec<Effect> {
    let Some(screen) = top(state) else { return Vec::new() };
    let (what, given_up) = (screen.what.clone(), screen.waiting.take());
    let mut effects = Vec::new();
    if let Some(request) = given_up {
        state.flights.land(request);
        effects.push(Effect::Cancel(request));
    }
    let request = state.flights.open(Awaited::LookUp);
    if let Some(screen) = top(state) {
        screen.waiting = Some(request);
    }
    effects.push(Effect::LookUp { request, what });
    effects
}

/// An answer came, if its screen is still there.
pub fn loaded(state: &mut State, request: RequestId, answer: Result<Box<LookedUp>, String>) {
    let now = state.now;
    let waiting = state.stack.iter_mut().find_map(|screen| match screen {
        Screen::LookUp(screen) if screen.waiting == Some(request) => Some(screen.as_mut()),
        _ => None,
    });
    let Some(screen) = waiting else { return };
    screen.waiting = None;
    match answer {
        Ok(answer) => {
            screen.pending = match answer.as_ref() {
                LookedUp::ConfigurationChange(change) if !change.is_none() => Some(Box::new(change.clone())),
                _ => None,
            };
            let (content, raw) = content::of(&screen.what, *answer);
            if screen.came.is_none() {
                screen.cursor.id = LookUpScreen::first_leading(&content);
            }
            screen.raw = raw.map(Arc::new);
            screen.came = Some((now, content));
            screen.error = None;
        }
        // What was read before stands, with its time.
        Err(error) => screen.error = Some(error),
    }
    kept_visible(state);
}

/// The change that is shown is to be kept: that one, and only while it is shown.
pub fn configuration_keep_asked(state: &mut State) -> Vec<Effect> {
    if state.settings.is_read_only {
        state.notice.fail(state.now, triage::READ_ONLY);
        return Vec::new();
    }
    let shown = top(state).filter(|screen| !screen.is_reading()).and_then(|screen| screen.pending.take());
    let Some(change) = shown else {
        state
            .notice
            .fail(state.now, "no change of the IAM configuration is shown: `:okta-config-set JSON` does");
        return Vec::new();
    };
    let request = state.flights.open(Awaited::Configuration);
    vec![Effect::KeepConfiguration { request, change }]
}

/// It was kept, or somebody wrote in between: either way it is read anew.
pub fn configuration_kept(state: &mut State, kept: Result<(), String>) -> Vec<Effect> {
    let said = kept.map(|()| "the IAM configuration is kept".to_owned());
    state.notice.result(state.now, said);
    load(state)
}

fn kept_visible(state: &mut State) {
    let (height, columns) = state.size.look_up_size();
    for screen in &mut state.stack {
        if let Screen::LookUp(screen) = screen {
            let keys = keys(screen, columns, &state.settings.zone);
            screen.cursor.keep_visible(&keys, height);
        }
    }
}

fn keys(screen: &LookUpScreen, columns: usize, zone: &Zone) -> Vec<Arc<str>> {
    screen.rows(columns, zone).into_iter().map(|(key, _)| key).collect()
}

/// The cursor was moved.
pub fn moved(state: &mut State, motion: Motion) {
    let (height, columns) = state.size.look_up_size();
    state.rest_since = state.now;
    if let Some(Screen::LookUp(screen)) = state.stack.last_mut() {
        let keys = keys(screen, columns, &state.settings.zone);
        screen.cursor.go(motion, &keys, height);
    }
}

/// The selected row was opened.
pub fn opened(state: &mut State) -> Vec<Effect> {
    let leads = top(state).and_then(|screen| screen.leads().cloned());
    match leads {
        Some(LeadsTo::Person(login)) => user::open(state, login, None),
        Some(LeadsTo::LookUp(what)) => asked(state, what),
        Some(LeadsTo::Log(filter)) => log::open(state, LogAsk::default().with_filter(filter)),
        None => {
            state.notice.fail(state.now, "this leads nowhere: `y` copies it");
            Vec::new()
        }
    }
}

/// The raw JSON of the selected row, else of the whole answer.
pub fn raw_asked(state: &mut State) {
    let raw = top(state).and_then(|screen| match screen.selected() {
        Selected::Item(item) => Some(item.raw.clone()),
        _ => screen.raw.clone(),
    });
    match raw {
        Some(raw) => {
            let raw = RawScreen::of_record(&raw.to_string());
            state.stack.push(Screen::Raw(Box::new(raw)));
        }
        None => state.notice.fail(state.now, "there is no raw JSON here"),
    }
}
