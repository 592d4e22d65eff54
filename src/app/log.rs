//! The System Log: what an org logged within a span of time, looked into page by page.
//!
//! Each question is a screen of its own, so that going back leads to the question before. A log is endless, and
//! so is reading on; what is held is not: of more than a number the first ones go.

use super::effect::{Effect, RequestId};
use super::list::Cursor;
use super::msg::{Motion, Msg};
use super::raw::RawScreen;
use super::state::{Awaited, Screen, State};
use super::{address, triage, user};
use crate::domain::log::{LogAsk, LogPreset, LogQuery, LogRecord, Moment, Thread, of_person};
use crate::domain::{Dossier, Login, Untrusted};
use jiff::SignedDuration;
use std::collections::HashSet;
use std::sync::Arc;

/// Records read at once.
pub const PAGE: usize = 200;
/// Records that are held.
pub const MOST: usize = 5_000;

/// How far back a look may go by one key, in hours.
const RANGES: [i64; 6] = [1, 6, 24, 7 * 24, 30 * 24, 90 * 24];
/// What may belong to a record is looked for this long before and after it.
const AROUND: SignedDuration = SignedDuration::from_hours(24);

/// What a page of the log is read from.
#[derive(Debug, Clone, PartialEq)]
pub enum LogStep {
    /// From the beginning of a question.
    First(LogQuery),
    /// From where the page before said that it goes on.
    Next(String),
}

/// A page of the log.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LogSlice {
    /// The records.
    pub records: Vec<LogRecord>,
    /// Where it goes on.
    pub next: Option<String>,
    /// Why it does not go on although there may be more.
    pub problem: Option<String>,
    /// By how much the org's clock is ahead of ours, where it says its time.
    pub clock_ahead: Option<SignedDuration>,
}

/// How records are written to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogForm {
    /// For a spreadsheet.
    Csv,
    /// As they came, one a line.
    JsonLines,
}

/// Which way the beginning of a span is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Less far back.
    Nearer,
    /// Further back.
    Further,
}

/// A record under the name that the cursor holds it by.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRow {
    /// Its uuid, or its place where it has none.
    pub key: Arc<str>,
    /// The record.
    pub record: LogRecord,
}

/// The screen of one question.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LogScreen {
    /// What is asked.
    pub ask: LogAsk,
    /// The records so far, in the order that was asked for, without those that are gone.
    pub rows: Vec<LogRow>,
    /// How many came before those and are not held any more.
    pub gone: usize,
    /// Where it goes on.
    pub next: Option<String>,
    /// The selected record.
    pub cursor: Cursor<Arc<str>>,
    /// What failed.
    pub error: Option<String>,
    /// Whether a first page has come.
    pub is_loaded: bool,
    /// By how much the org's clock is ahead of ours.
    pub clock_ahead: Option<SignedDuration>,
    /// What it follows, until another question takes its place.
    follows: Option<Thread>,
    waiting: Option<RequestId>,
}

impl LogScreen {
    fn of(ask: LogAsk) -> LogScreen {
        LogScreen { ask, ..LogScreen::default() }
    }

    /// Its breadcrumb.
    pub fn crumb(&self) -> &'static str {
        self.follows.map_or("System Log", Thread::title)
    }

    fn keys(&self) -> Vec<Arc<str>> {
        self.rows.iter().map(|row| row.key.clone()).collect()
    }

    /// The place of the selected record.
    pub fn selected_at(&self) -> usize {
        self.cursor.index(&self.keys())
    }

    /// The selected record.
    pub fn selected(&self) -> Option<&LogRecord> {
        self.rows.get(self.selected_at()).map(|row| &row.record)
    }

    /// Whether a page is being read.
    pub fn is_reading(&self) -> bool {
        self.waiting.is_some()
    }

    /// Takes a page in, says how many of its records are new, and lets the first ones go where there are too many.
    fn take(&mut self, records: Vec<LogRecord>) -> usize {
        let mut known: HashSet<Arc<str>> = self.keys().into_iter().collect();
        let before = self.rows.len();
        for record in records {
            let key: Arc<str> = match record.uuid.is_blank() {
                true => format!("#{}", self.gone + self.rows.len()).into(),
                false => record.uuid.raw().into(),
            };
            if known.insert(key.clone()) {
                self.rows.push(LogRow { key, record });
            }
        }
        let new = self.rows.len() - before;
        let go = self.rows.len().saturating_sub(MOST).min(self.selected_at());
        self.rows.drain(..go);
        self.gone += go;
        self.cursor.offset = self.cursor.offset.saturating_sub(go);
        new
    }
}

/// What the analyst did to the log; what is none of its business comes back.
pub fn acted(state: &mut State, msg: Msg) -> Result<Vec<Effect>, Msg> {
    let is_typed =
        matches!(msg, Msg::LogAsked(_) | Msg::LogFiltered(_) | Msg::LogSinceGiven(_) | Msg::LogUntilGiven(_));
    if is_typed {
        // The prompt that it was typed into.
        state.overlay = None;
    }
    Ok(match msg {
        Msg::LogAsked(ask) => open(state, *ask),
        Msg::LogOfPersonAsked => open_of_person(state),
        Msg::LogFiltered(filter) => filtered(state, &filter),
        Msg::LogSinceGiven(since) => {
            let since = since.with_days_of(&state.settings.zone, state.now);
            changed(state, |ask| ask.since = since)
        }
        Msg::LogUntilGiven(until) => {
            let until = until.with_days_of(&state.settings.zone, state.now);
            changed(state, |ask| ask.until = until)
        }
        Msg::LogPresetChosen(preset) => preset_chosen(state, preset),
        Msg::LogTurned => changed(state, |ask| ask.order = ask.order.turned()),
        Msg::LogReached(reach) => reached(state, reach),
        Msg::LogThreadFollowed(thread) => followed(state, thread),
        Msg::ActorOpened => actor_opened(state),
        Msg::AddressOpened => address_opened(state),
        Msg::LogExported(form) => exported(state, form),
        msg => return Err(msg),
    })
}

fn top(state: &mut State) -> Option<&mut LogScreen> {
    match state.stack.last_mut() {
        Some(Screen::Log(screen)) => Some(screen),
        _ => None,
    }
}

/// Opens a question on a screen of its own.
pub fn open(state: &mut State, ask: LogAsk) -> Vec<Effect> {
    push(state, ask, None)
}

fn push(state: &mut State, ask: LogAsk, follows: Option<Thread>) -> Vec<Effect> {
    state.stack.push(Screen::Log(Box::new(LogScreen { follows, ..LogScreen::of(ask) })));
    load(state)
}

/// Opens the log of the person that is selected, or of everybody where nobody is.
fn open_of_person(state: &mut State) -> Vec<Effect> {
    let ask = match triage::selected(state).login {
        Some(login) => LogAsk { since: Moment::hours_ago(7 * 24), ..LogAsk::default() }
            .with_filter(of_person(okta_id(state, &login), login.raw())),
        None => LogAsk::default(),
    };
    open(state, ask)
}

/// The id by which Okta knows somebody, where their dossier has come.
fn okta_id<'a>(state: &'a State, login: &Login) -> Option<&'a str> {
    let known = |dossier: &'a Dossier| Some(dossier.okta.as_ref()?.data.as_ref()?.id.raw());
    state.dossiers.get(login).and_then(known)
}

/// Asks the question on top anew. What it still waited for is given up.
fn load(state: &mut State) -> Vec<Effect> {
    let now = state.now;
    let Some(screen) = top(state) else { return Vec::new() };
    let given_up = screen.waiting;
    *screen = LogScreen { follows: screen.follows, ..LogScreen::of(screen.ask.clone()) };
    let query = match screen.ask.at(now, PAGE) {
        Ok(query) => query,
        Err(why) => {
            screen.error = Some(why);
            screen.is_loaded = true;
            return give_up(state, given_up);
        }
    };
    let mut effects = give_up(state, given_up);
    effects.extend(ask(state, LogStep::First(query)));
    effects
}

fn give_up(state: &mut State, request: Option<RequestId>) -> Vec<Effect> {
    let Some(request) = request else { return Vec::new() };
    state.flights.land(request);
    vec![Effect::Cancel(request)]
}

fn ask(state: &mut State, step: LogStep) -> Vec<Effect> {
    let request = state.flights.open(Awaited::Log);
    let Some(screen) = top(state) else { return Vec::new() };
    screen.waiting = Some(request);
    vec![Effect::LoadLog { request, step }]
}

/// A page names another one and brings nothing new.
const REPEATS: &str =
    "the log repeats itself: there may be more; hint: a shorter time range, or `R` reads anew";

fn waiting(state: &mut State, request: RequestId) -> Option<&mut LogScreen> {
    state.stack.iter_mut().find_map(|screen| match screen {
        Screen::Log(screen) if screen.waiting == Some(request) => Some(screen.as_mut()),
        _ => None,
    })
}

/// A page came, if anybody still waits for it.
pub fn loaded(state: &mut State, request: RequestId, answer: Result<LogSlice, String>) -> Vec<Effect> {
    let Some(screen) = waiting(state, request) else { return Vec::new() };
    screen.waiting = None;
    screen.is_loaded = true;
    match answer {
        Ok(slice) => {
            screen.error = slice.problem;
            screen.next = slice.next;
            screen.clock_ahead = slice.clock_ahead.or(screen.clock_ahead);
            let is_first = screen.rows.is_empty();
            let brings_nothing = screen.take(slice.records) == 0;
            if brings_nothing && screen.next.take().is_some() && !is_first {
                // It would be asked for ever, and whether there is more nobody knows.
                screen.error.get_or_insert_with(|| REPEATS.to_owned());
            }
        }
        Err(error) => screen.error = Some(error),
    }
    load_more(state)
}

/// The next page, as the cursor nears the end. What failed is not asked again by itself.
fn load_more(state: &mut State) -> Vec<Effect> {
    let near = state.size.log_rows() * 2;
    let Some(screen) = top(state) else { return Vec::new() };
    let is_near = screen.selected_at() + near >= screen.rows.len();
    if !is_near || screen.is_reading() || screen.error.is_some() {
        return Vec::new();
    }
    match screen.next.clone() {
        Some(next) => ask(state, LogStep::Next(next)),
        None => Vec::new(),
    }
}

/// The cursor was moved.
pub fn moved(state: &mut State, motion: Motion) -> Vec<Effect> {
    let height = state.size.log_rows();
    state.rest_since = state.now;
    if let Some(screen) = top(state) {
        let keys = screen.keys();
        screen.cursor.go(motion, &keys, height);
    }
    load_more(state)
}

/// Asks anew; where only a further page failed, asks for that one.
pub fn refreshed(state: &mut State) -> Vec<Effect> {
    let Some(screen) = top(state) else { return Vec::new() };
    let goes_on = screen.error.is_some() && !screen.rows.is_empty() && screen.next.is_some();
    if !goes_on {
        return load(state);
    }
    screen.error = None;
    load_more(state)
}

/// Another question takes the place of the one on top.
fn changed(state: &mut State, change: impl FnOnce(&mut LogAsk)) -> Vec<Effect> {
    match top(state) {
        Some(screen) => {
            change(&mut screen.ask);
            load(state)
        }
        None => Vec::new(),
    }
}

/// A filter was given.
fn filtered(state: &mut State, filter: &str) -> Vec<Effect> {
    if let Some(screen) = top(state) {
        screen.follows = None;
    }
    changed(state, |ask| filter.trim().clone_into(&mut ask.filter))
}

/// The beginning was moved to the next of the usual spans; the end is now.
fn reached(state: &mut State, reach: Reach) -> Vec<Effect> {
    let now = state.now;
    let Some(screen) = top(state) else { return Vec::new() };
    let span = now.duration_since(screen.ask.since.at(now)).as_hours();
    let hours = match reach {
        Reach::Nearer => RANGES.into_iter().rev().find(|hours| *hours < span).unwrap_or(RANGES[0]),
        Reach::Further => RANGES.into_iter().find(|hours| *hours > span).unwrap_or(RANGES[RANGES.len() - 1]),
    };
    changed(state, |ask| {
        ask.since = Moment::hours_ago(hours);
        ask.until = Moment::Now;
    })
}

/// A ready question was chosen; the one about a token takes that of the selected record.
fn preset_chosen(state: &mut State, preset: LogPreset) -> Vec<Effect> {
    let Some(screen) = top(state) else { return Vec::new() };
    let token = screen.selected().and_then(|record| record.thread(Thread::Token));
    let token = token.map(|token| token.raw().to_owned()).filter(|_| preset == LogPreset::OneToken);
    match preset.filter(token.as_deref()) {
        Ok(filter) => {
            screen.follows = None;
            let base = LogAsk { since: preset.since(), ..LogAsk::default() };
            changed(state, |ask| *ask = LogAsk { order: ask.order, ..base }.with_filter(filter))
        }
        Err(_) => {
            let why = "this record names no API token; hint: `:logs token=00T…` asks for one by its id";
            state.notice.fail(state.now, why);
            Vec::new()
        }
    }
}

/// What a thread ties to the selected record, from a day before it to a day after.
fn followed(state: &mut State, thread: Thread) -> Vec<Effect> {
    let now = state.now;
    let Some(record) = top(state).and_then(|screen| screen.selected().cloned()) else { return Vec::new() };
    let Some(id) = record.thread(thread) else {
        state.notice.fail(now, format!("this record names no {}", thread.title()));
        return Vec::new();
    };
    let base = LogAsk::default().with_filter(thread.filter(id.raw()));
    let Some(published) = record.published else { return push(state, base, Some(thread)) };
    let after = published.saturating_add(AROUND).unwrap_or(now);
    let since = Moment::At(published.saturating_sub(AROUND).unwrap_or(published));
    let until = if after >= now { Moment::Now } else { Moment::At(after) };
    push(state, LogAsk { since, until, ..base }, Some(thread))
}

/// The person that the selected record is about.
pub fn person_opened(state: &mut State) -> Vec<Effect> {
    opened_as(state, "this record is about no user", LogRecord::person)
}

/// Who did what the selected record tells.
fn actor_opened(state: &mut State) -> Vec<Effect> {
    opened_as(state, "no user did this", |record| record.actor.login())
}

fn opened_as(state: &mut State, nobody: &str, who: fn(&LogRecord) -> Option<Login>) -> Vec<Effect> {
    match top(state).and_then(|screen| screen.selected()).map(who) {
        Some(Some(login)) => user::open(state, login, None),
        Some(None) => {
            state.notice.fail(state.now, nobody);
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// The address that the selected record came from.
fn address_opened(state: &mut State) -> Vec<Effect> {
    let Some(record) = top(state).and_then(|screen| screen.selected()) else { return Vec::new() };
    let address = record.address.as_ref().and_then(|text| text.raw().parse::<std::net::IpAddr>().ok());
    match address {
        Some(address) => address::open(state, address.to_string()),
        None => {
            state.notice.fail(state.now, "this record names no IP address");
            Vec::new()
        }
    }
}

/// The selected record whole.
pub fn record_opened(state: &mut State) {
    if let Some(record) = top(state).and_then(|screen| screen.selected()) {
        let raw = RawScreen::of_record(&record.raw);
        state.stack.push(Screen::Raw(Box::new(raw)));
    }
}

/// What is held was to be written to a file.
fn exported(state: &mut State, form: LogForm) -> Vec<Effect> {
    let Some(screen) = top(state) else { return Vec::new() };
    let records: Vec<Arc<str>> = screen.rows.iter().map(|row| row.record.raw.clone()).collect();
    // Behind an error nobody knows.
    let has_more = screen.next.is_some() || screen.error.is_some() || screen.gone > 0;
    if records.is_empty() {
        state.notice.fail(state.now, "there is no record to write");
        return Vec::new();
    }
    vec![Effect::ExportLog { form, records, has_more }]
}

/// What names the selected record.
pub fn named(screen: &LogScreen) -> Option<String> {
    screen
        .selected()
        .map(|record| &record.uuid)
        .filter(|uuid| !uuid.is_blank())
        .map(Untrusted::raw)
        .map(str::to_owned)
}
