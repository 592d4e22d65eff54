//! The journal, newest first, looked through by a filter of one line: a row an action, or every record.
//!
//! What is held of it is a [`Window`]. A row of an action is the newest of its records that is asked for, and shows
//! the action as it stands now; what it leads to are all its records. What is about no action has a row of its own.

use super::effect::Effect;
use super::list::{Cursor, Scroll};
use super::log::LogForm;
use super::msg::{Looked, Motion, Msg};
use super::raw::RawScreen;
use super::state::{Awaited, Screen, State};
use super::window::{PAGE, Row, Side, Window};
use super::{bulk, user};
use crate::domain::action::execution_ids;
use crate::domain::bulk::{BulkId, BulkRun};
use crate::domain::journal::query::{JournalQuery, Rows};
use crate::domain::journal::told::{Term, Told};
use crate::domain::journal::{Record, Verdict};
use crate::domain::log::beside::LogNote;
use crate::domain::page::{From, Page};
use crate::domain::{Action, ActionId, Event, Login};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Actions that are kept beside the records, before those are let go that no held record is about.
const MOST_ACTIONS: usize = 5_000;

/// Which records are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalLoad {
    /// The newest: they replace the window.
    First,
    /// The oldest: they replace the window, and the cursor goes to the last one.
    Last,
    /// Those that are held, and what came above them.
    Again,
    /// Records below the window.
    Below,
    /// Records above the window.
    Above,
    /// Those on the screen, for how their actions stand now: the window stays as it is.
    Standing,
}

/// Records, and what they are about.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalSlice {
    /// The records.
    pub page: Page<Record>,
    /// The actions that they are records of, and the other steps of those, as they stand now.
    pub actions: Vec<Action>,
    /// The runs on many that they are records of, as they stand now.
    pub runs: Vec<BulkRun>,
    /// Of these the store has none.
    pub absent: Vec<ActionId>,
}

/// What is known of the chain.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Chain {
    /// Nobody asked.
    #[default]
    Unchecked,
    /// It is being gone through.
    Checking,
    /// What was found, and when.
    Checked(Verdict, Timestamp),
    /// Why it could not be gone through.
    Failed(String),
}

/// A record's place is its key.
impl Row for Record {
    fn key(&self) -> i64 {
        i64::try_from(self.seq).unwrap_or(i64::MAX)
    }

    fn is_below(key: i64, other: i64) -> bool {
        key < other
    }
}

/// What a row leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leads {
    /// The records of an action.
    Records(ActionId),
    /// A run on many.
    Run(BulkId),
    /// The record as it is kept.
    Whole,
}

/// The screen of the journal.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JournalScreen {
    /// What is asked for.
    pub query: JournalQuery,
    /// What it was opened with: where going back leads first.
    opened_with: JournalQuery,
    /// The records that are held.
    pub records: Window<Record>,
    /// The actions that they are about.
    pub actions: BTreeMap<ActionId, Action>,
    /// The runs on many that they are about.
    pub runs: BTreeMap<BulkId, BulkRun>,
    /// Of these there is none: a step that was not sent, or not yet.
    absent: BTreeSet<ActionId>,
    /// The records that arrived of the executions that receipts name, by execution, oldest first.
    pub executions: BTreeMap<String, Vec<Event>>,
    /// What the System Log has beside an action, where that was looked for.
    pub notes: BTreeMap<ActionId, Vec<LogNote>>,
    /// The selected record.
    pub cursor: Cursor<i64>,
    /// Whether the keys scroll the selected record instead of choosing one.
    pub reads_record: bool,
    /// How far the selected record is scrolled.
    pub scroll: Scroll,
    /// What is known of the chain.
    pub chain: Chain,
    /// What failed.
    pub error: Option<String>,
    /// Whether something came that was not read yet.
    is_behind: bool,
}

impl JournalScreen {
    fn of(query: JournalQuery) -> JournalScreen {
        JournalScreen { opened_with: query.clone(), query, ..JournalScreen::default() }
    }

    /// All records of one action, and what is known here of it and of the chain.
    fn records_of(&self, id: ActionId) -> JournalScreen {
        let notes = self.notes.get(&id).map(|notes| (id, notes.clone()));
        JournalScreen {
            notes: notes.into_iter().collect(),
            chain: self.chain.clone(),
            ..JournalScreen::of(JournalQuery::of_action(id))
        }
    }

    /// Its breadcrumb.
    pub fn crumb(&self) -> &'static str {
        match self.query.rows() {
            _ if self.query.is_of_one_action() => "its records",
            _ if !self.query.is_empty() => "journal, filtered",
            Rows::Actions => "journal",
            Rows::Records => "journal, every record",
        }
    }

    /// What a row is: `3+ rows`.
    pub fn counted(&self) -> String {
        let rows = self.records.rows.len();
        let noun = if self.query.rows() == Rows::Actions { "row" } else { "record" };
        let more = if self.records.below.or(self.records.above).is_some() { "+" } else { "" };
        let plural = if rows == 1 && more.is_empty() { "" } else { "s" };
        format!("{rows}{more} {noun}{plural}")
    }

    /// What the selected row leads to.
    pub fn leads_to(&self) -> Option<Leads> {
        let told = Told::of(self.selected()?);
        let bulk = || told.bulk_id().map(Leads::Run);
        Some(match (self.query.rows(), told.action()) {
            (Rows::Actions, Some(action)) => Leads::Records(action),
            (_, None) => bulk().unwrap_or(Leads::Whole),
            (Rows::Records, Some(_)) => Leads::Whole,
        })
    }

    /// The place of the selected record among those that are held.
    pub fn at(&self) -> usize {
        self.cursor.index(&self.records.keys())
    }

    /// Whom the selected record is about: the one whose account was acted on, where that is another's.
    pub fn person(&self) -> Option<Login> {
        let told = Told::of(self.selected()?);
        told.account_login().or_else(|| told.login())
    }

    /// The selected record.
    pub fn selected(&self) -> Option<&Record> {
        self.records.rows.get(self.at())
    }

    /// The action that a record is about, as it stands now.
    pub fn action_of(&self, record: &Record) -> Option<&Action> {
        self.actions.get(&Told::of(record).action()?)
    }

    /// The run on many that a record is about, as it stands now.
    pub fn run_of(&self, record: &Record) -> Option<&BulkRun> {
        self.runs.get(&Told::of(record).bulk_id()?)
    }

    /// The run on many that a row is about, where a row is one.
    pub fn run_of_row(&self, record: &Record) -> Option<&BulkRun> {
        self.run_of(record).filter(|_| self.query.rows() == Rows::Actions && record.damage.is_none())
    }

    /// The action that the selected record is about.
    pub fn selected_action(&self) -> Option<&Action> {
        self.selected().and_then(|record| self.action_of(record))
    }

    /// What names the selected record: its action, else its place in the chain.
    pub fn named(&self) -> Option<String> {
        let record = self.selected()?;
        let action = Told::of(record).action().map(|id| id.to_string());
        Some(action.unwrap_or_else(|| record.head().to_string()))
    }

    /// The records that arrived of the executions that an action's receipt names.
    pub fn beside(&self, action: &Action) -> impl Iterator<Item = &Event> {
        let ids = action.receipt.iter().flat_map(execution_ids);
        ids.filter_map(|id| self.executions.get(&id)).flatten()
    }

    /// Whether the store was asked for an action, and has none.
    pub fn is_absent(&self, id: ActionId) -> bool {
        self.absent.contains(&id)
    }

    /// Whether it is still looked through for rows to fill a screen.
    pub fn is_searching(&self, rows: usize) -> bool {
        self.error.is_none() && self.records.is_searching(rows)
    }
}

/// What the analyst did to the journal; what is none of its business comes back.
pub fn acted(state: &mut State, msg: Msg) -> Result<Vec<Effect>, Msg> {
    Ok(match msg {
        Msg::JournalAsked => open(state),
        Msg::JournalFiltered(query) => named(state, query),
        Msg::JournalRowsTurned => rows_turned(state),
        Msg::ChainAsked => check(state),
        Msg::JournalExported(form) => exported(state, form),
        msg => return Err(msg),
    })
}

/// Opens the journal; from a person, what it has of them.
fn open(state: &mut State) -> Vec<Effect> {
    let query = match state.stack.last() {
        Some(Screen::Journal(_)) => return Vec::new(),
        Some(Screen::User(user)) => JournalQuery::of_user(&user.login),
        _ => JournalQuery::default(),
    };
    let zone = state.settings.zone.clone();
    push(state, JournalScreen::of(query.in_rows(Rows::Actions).in_zone(zone)))
}

fn push(state: &mut State, screen: JournalScreen) -> Vec<Effect> {
    // What another one below still waits for is read anew once that is shown again.
    let mut effects = give_up(state);
    state.stack.push(Screen::Journal(Box::new(screen)));
    effects.extend(load(state, JournalLoad::First, From::Newest, PAGE));
    effects
}

/// The screen on top is about to go: what it waits for is for no other.
pub fn left(state: &mut State) -> Vec<Effect> {
    if top(state).is_some() { give_up(state) } else { Vec::new() }
}

fn give_up(state: &mut State) -> Vec<Effect> {
    let given_up = state.flights.give_up(|awaited| matches!(awaited, Awaited::Journal(_)));
    given_up.into_iter().map(Effect::Cancel).collect()
}

fn load(state: &mut State, what: JournalLoad, from: From<i64>, limit: usize) -> Vec<Effect> {
    let Some(query) = top(state).map(|screen| screen.query.clone()) else { return Vec::new() };
    let request = state.flights.open(Awaited::Journal(what));
    vec![Effect::LoadJournal { request, query, from, limit }]
}

fn top(state: &mut State) -> Option<&mut JournalScreen> {
    match state.stack.last_mut() {
        Some(Screen::Journal(screen)) => Some(screen),
        _ => None,
    }
}

/// The one that waits: what others waited for was given up.
fn screen(state: &mut State) -> Option<&mut JournalScreen> {
    state.stack.iter_mut().rev().find_map(|screen| match screen {
        Screen::Journal(journal) => Some(journal.as_mut()),
        _ => None,
    })
}

fn is_reading(state: &State) -> bool {
    state.flights.has(|awaited| matches!(awaited, Awaited::Journal(_)))
}

/// The store holds something new: what is above is read, unless the cursor is beyond it; then only how the actions on
/// the screen stand. While an answer is under way the news is only remembered.
pub fn store_changed(state: &mut State) -> Vec<Effect> {
    let (is_reading, shown) = (is_reading(state), state.size.journal_rows());
    let Some(screen) = top(state) else { return Vec::new() };
    if is_reading {
        screen.is_behind = true;
        return Vec::new();
    }
    screen.is_behind = false;
    if screen.records.above.is_some() || screen.cursor.offset > 0 {
        let told: Vec<Told> =
            screen.records.rows.iter().skip(screen.cursor.offset).take(shown).map(Told::of).collect();
        let actions = told.iter().filter_map(Told::action).collect();
        let runs = told.iter().filter_map(Told::bulk_id).collect();
        let request = state.flights.open(Awaited::Journal(JournalLoad::Standing));
        return vec![Effect::LoadStanding { request, actions, runs }];
    }
    let rows = screen.records.rows.len().max(PAGE);
    load(state, JournalLoad::Again, From::Newest, rows)
}

/// Records came: what arrived of the executions that they name is read behind them.
pub fn loaded(
    state: &mut State,
    what: JournalLoad,
    answer: Result<Box<JournalSlice>, String>,
) -> Vec<Effect> {
    let rows = state.size.journal_rows();
    let Some(screen) = screen(state) else { return Vec::new() };
    let mut ids = Vec::new();
    match answer {
        // What is on the screen stays, as it was.
        Err(_) if what == JournalLoad::Standing => {}
        Err(error) => {
            screen.error = Some(error);
            screen.records.is_loaded = true;
        }
        Ok(slice) => {
            let receipts = slice.actions.iter().filter_map(|action| action.receipt.as_ref());
            ids = receipts.flat_map(execution_ids).collect();
            screen.absent.retain(|id| slice.actions.iter().all(|action| action.id != *id));
            screen.absent.extend(slice.absent);
            screen.actions.extend(slice.actions.into_iter().map(|action| (action.id, action)));
            screen.runs.extend(slice.runs.into_iter().map(|run| (run.id, run)));
            if what != JournalLoad::Standing {
                screen.error = None;
                take_page(screen, what, slice.page, rows);
            }
        }
    }
    let mut effects = load_executions(state, ids);
    effects.extend(load_more(state));
    if screen_is_behind(state) {
        effects.extend(store_changed(state));
    }
    effects
}

fn screen_is_behind(state: &mut State) -> bool {
    !is_reading(state) && top(state).is_some_and(|screen| screen.is_behind && screen.error.is_none())
}

fn take_page(screen: &mut JournalScreen, what: JournalLoad, page: Page<Record>, rows: usize) {
    let mut before = screen.records.keys();
    let selected = screen.selected().and_then(|record| Told::of(record).about());
    match what {
        JournalLoad::First => screen.records.show_top(page),
        JournalLoad::Last => screen.records.show_end(page),
        JournalLoad::Again => screen.records.refresh(page),
        JournalLoad::Below => screen.records.append(page),
        JournalLoad::Above => screen.records.prepend(page),
        // No page of its own.
        JournalLoad::Standing => {}
    }
    if screen.query.rows() == Rows::Actions {
        one_each(&mut screen.records.rows);
        follow(screen, selected, &mut before);
    }
    let now = screen.records.keys();
    match what {
        JournalLoad::First => screen.cursor = Cursor::default(),
        JournalLoad::Last => screen.cursor.go(Motion::End, &now, rows),
        // Whoever has not chosen a row stays with the newest.
        JournalLoad::Again if screen.cursor.id.is_none() => {}
        JournalLoad::Again | JournalLoad::Below | JournalLoad::Above | JournalLoad::Standing => {
            screen.cursor.stay(&before, &now, rows);
        }
    }
    if screen.actions.len().max(screen.runs.len()) > MOST_ACTIONS {
        let_go(screen);
    }
}

/// Something more may have been recorded of the same between two pages: its row is the newest.
fn one_each(rows: &mut Vec<Record>) {
    let mut seen = BTreeSet::new();
    rows.retain(|record| Told::of(record).about().is_none_or(|about| seen.insert(about)));
}

/// The row of what is selected may be another by now, and go on above: the cursor goes with it.
fn follow(screen: &mut JournalScreen, selected: Option<Term>, before: &mut [i64]) {
    let keys = screen.records.keys();
    let (Some(about), Some(was)) = (selected, screen.cursor.id.filter(|id| !keys.contains(id))) else {
        return;
    };
    let is_its = |record: &&Record| Told::of(record).about().as_ref() == Some(&about);
    if let Some(now) = screen.records.rows.iter().find(is_its).map(Row::key) {
        screen.cursor.id = Some(now);
        before.iter_mut().filter(|key| **key == was).for_each(|key| *key = now);
    }
}

/// Of the actions and runs those stay that the held records are about. Reading all those records takes a moment: it is
/// done seldom.
fn let_go(screen: &mut JournalScreen) {
    let told: Vec<Told> = screen.records.rows.iter().map(Told::of).collect();
    let held: BTreeSet<ActionId> = told.iter().filter_map(Told::action).collect();
    let runs: BTreeSet<BulkId> = told.iter().filter_map(Told::bulk_id).collect();
    screen.runs.retain(|id, _| runs.contains(id));
    let is_of_held = |action: &Action| {
        held.contains(&action.id)
            || action.step.is_some_and(|step| (1..=step.of).any(|n| held.contains(&step.run.step(n))))
    };
    screen.actions.retain(|_, action| is_of_held(action));
}

/// More records where the cursor is near an end of those that are held.
fn load_more(state: &mut State) -> Vec<Effect> {
    let near = state.size.journal_rows() * 2;
    if is_reading(state) {
        return Vec::new();
    }
    let wanted = top(state)
        .filter(|screen| screen.error.is_none() && screen.records.is_loaded)
        .and_then(|screen| screen.records.wanted(screen.at(), near));
    match wanted {
        Some((Side::Below, from)) => load(state, JournalLoad::Below, from, PAGE),
        Some((Side::Above, from)) => load(state, JournalLoad::Above, from, PAGE),
        None => Vec::new(),
    }
}

fn load_executions(state: &mut State, ids: Vec<String>) -> Vec<Effect> {
    if ids.is_empty() {
        return Vec::new();
    }
    let request = state.flights.open(Awaited::Executions);
    vec![Effect::LoadExecutions { request, ids }]
}

/// What arrived of some executions came.
pub fn executions_loaded(state: &mut State, answer: Result<Vec<(String, Event)>, String>) {
    let Some(screen) = screen(state) else { return };
    match answer {
        Err(error) => screen.error = Some(error),
        Ok(found) => {
            let mut by_id: BTreeMap<String, Vec<Event>> = BTreeMap::new();
            for (id, event) in found {
                by_id.entry(id).or_default().push(event);
            }
            screen.executions.extend(by_id);
        }
    }
}

/// Something was found out about an action.
pub fn looked(state: &mut State, looked: Looked) {
    let Some(screen) = screen(state) else { return };
    screen.notes.insert(looked.action.id, looked.beside);
    if let Some(known) = screen.actions.get_mut(&looked.action.id) {
        *known = looked.action;
    }
}

/// The cursor was moved.
pub fn moved(state: &mut State, motion: Motion) -> Vec<Effect> {
    let height = state.size.journal_rows();
    let extent = state.extent;
    state.rest_since = state.now;
    let Some(screen) = top(state) else { return Vec::new() };
    if screen.reads_record {
        screen.scroll.go(motion, extent.lines, extent.height);
        return Vec::new();
    }
    screen.scroll = Scroll::default();
    match motion {
        Motion::Top if screen.records.above.is_some() => {
            return jump(state, JournalLoad::First, From::Newest);
        }
        Motion::End if screen.records.below.is_some() => return jump(state, JournalLoad::Last, From::Oldest),
        _ => screen.cursor.go(motion, &screen.records.keys(), height),
    }
    load_more(state)
}

/// To an end that is not held: the window is read anew from there.
fn jump(state: &mut State, what: JournalLoad, from: From<i64>) -> Vec<Effect> {
    let mut effects = give_up(state);
    effects.extend(load(state, what, from, PAGE));
    effects
}

/// A filter was given: a row stays what it was.
fn named(state: &mut State, query: JournalQuery) -> Vec<Effect> {
    let Some(rows) = top(state).map(|screen| screen.query.rows()) else { return Vec::new() };
    let zone = state.settings.zone.clone();
    filtered(state, query.in_rows(rows).in_zone(zone))
}

/// A row is an action, or a record.
fn rows_turned(state: &mut State) -> Vec<Effect> {
    let Some(query) = top(state).map(|screen| screen.query.clone()) else { return Vec::new() };
    let rows = match query.rows() {
        Rows::Actions => Rows::Records,
        Rows::Records => Rows::Actions,
    };
    filtered(state, query.in_rows(rows))
}

fn filtered(state: &mut State, query: JournalQuery) -> Vec<Effect> {
    let Some(screen) = top(state) else { return Vec::new() };
    *screen = JournalScreen {
        query,
        opened_with: screen.opened_with.clone(),
        notes: std::mem::take(&mut screen.notes),
        chain: screen.chain.clone(),
        ..JournalScreen::default()
    };
    jump(state, JournalLoad::First, From::Newest)
}

/// Going back leads to what the journal was opened with first; `None` where it is that already.
pub fn filter_left(state: &mut State) -> Option<Vec<Effect>> {
    let screen = top(state)?;
    let opened_with = screen.opened_with.clone();
    if screen.query == opened_with {
        return None;
    }
    Some(filtered(state, opened_with))
}

/// The chain is to be gone through.
fn check(state: &mut State) -> Vec<Effect> {
    let Some(screen) = top(state) else { return Vec::new() };
    if screen.chain == Chain::Checking {
        return Vec::new();
    }
    screen.chain = Chain::Checking;
    let request = state.flights.open(Awaited::Chain);
    vec![Effect::CheckChain { request }]
}

/// The chain was gone through: it is the same for every screen of the journal.
pub fn checked(state: &mut State, answer: Result<Verdict, String>) {
    let chain = match answer {
        Ok(verdict) => Chain::Checked(verdict, state.now),
        Err(why) => Chain::Failed(why),
    };
    for screen in &mut state.stack {
        if let Screen::Journal(screen) = screen {
            screen.chain = chain.clone();
        }
    }
}

/// What the selected row leads to: the records of its action, its run on many, else the record whole.
pub fn opened(state: &mut State) -> Vec<Effect> {
    let Some(screen) = top(state) else { return Vec::new() };
    match screen.leads_to() {
        Some(Leads::Records(action)) => {
            let records = screen.records_of(action);
            push(state, records)
        }
        Some(Leads::Run(id)) => bulk::open(state, id),
        Some(Leads::Whole) => {
            raw_opened(state);
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// The records of an action, from whatever screen names it.
pub fn open_action(state: &mut State, id: ActionId) -> Vec<Effect> {
    push(state, JournalScreen::of(JournalQuery::of_action(id)))
}

/// The person that the selected record is about.
pub fn person_opened(state: &mut State) -> Vec<Effect> {
    match person(state) {
        Some(login) => user::open(state, login, None),
        None => {
            state.notice.fail(state.now, "this record is about no user");
            Vec::new()
        }
    }
}

fn person(state: &mut State) -> Option<Login> {
    top(state)?.person()
}

/// The selected record whole, as it is kept.
pub fn raw_opened(state: &mut State) {
    if let Some(record) = top(state).and_then(|screen| screen.selected()) {
        let raw = RawScreen::of_record(&record.to_json().to_string());
        state.stack.push(Screen::Raw(Box::new(raw)));
    }
}

/// Everything that the filter asks for is to be written to a file.
fn exported(state: &mut State, form: LogForm) -> Vec<Effect> {
    let Some(screen) = top(state) else { return Vec::new() };
    vec![Effect::ExportJournal { form, query: screen.query.clone().in_rows(Rows::Records) }]
}
