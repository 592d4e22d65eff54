//! Runs on many: how each stands, and one of them user by user, with what can be done about it.
//!
//! What is shown is what the store holds, whoever drives the run: this console, another, or nobody any more. To pause
//! one is done at once; to go on with one, or to stop one for good, is asked first.

use super::effect::Effect;
use super::list::Cursor;
use super::log::LogForm;
use super::msg::Motion;
use super::state::{Awaited, Overlay, Screen, State};
use super::triage::READ_ONLY;
use super::user;
use crate::domain::bulk::{BulkEnd, BulkId, BulkRun, BulkState, BulkUser};
use crate::domain::operation::LINK;
use crate::domain::page::Page;
use crate::domain::{Login, Outcome};
use jiff::Timestamp;

/// Users read at once.
const PAGE: usize = 500;
/// Of more users than these not all are read anew at once.
const AGAIN: usize = 2_000;

/// The list of runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BulksScreen {
    /// The runs, newest first.
    pub runs: Vec<BulkRun>,
    /// The selected run.
    pub cursor: Cursor<BulkId>,
    /// Whether there are older ones.
    pub has_more: bool,
    /// Whether a first page has come.
    pub is_loaded: bool,
    /// What failed.
    pub error: Option<String>,
}

impl BulksScreen {
    fn ids(&self) -> Vec<BulkId> {
        self.runs.iter().map(|run| run.id).collect()
    }

    /// The selected run.
    pub fn selected(&self) -> Option<&BulkRun> {
        self.runs.get(self.cursor.index(&self.ids()))
    }
}

/// Which users of a run are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Which {
    /// All.
    #[default]
    All,
    /// Those with something to look at.
    Exceptions,
    /// Those who still wait.
    Queued,
}

impl Which {
    fn next(self) -> Which {
        match self {
            Which::All => Which::Exceptions,
            Which::Exceptions => Which::Queued,
            Which::Queued => Which::All,
        }
    }

    /// The words on the screen.
    pub fn words(self) -> &'static str {
        match self {
            Which::All => "all users",
            Which::Exceptions => "exceptions",
            Which::Queued => "waiting",
        }
    }

    fn has(self, user: &BulkUser) -> bool {
        match (self, &user.end) {
            (Which::All, _) | (Which::Queued, None) => true,
            (Which::Exceptions, None) => false,
            (Which::Queued, Some(end)) => end.outcome == Outcome::Pending,
            (Which::Exceptions, Some(end)) => is_exception(end),
        }
    }
}

fn is_exception(end: &BulkEnd) -> bool {
    !matches!(end.outcome, Outcome::Changed | Outcome::Accepted | Outcome::NoChange)
}

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkScreen {
    /// Which.
    pub id: BulkId,
    /// As it stands, once it was read.
    pub run: Option<BulkRun>,
    /// Which of its users are shown.
    pub which: Which,
    /// Those that are held, in their order, from the first on.
    pub users: Vec<BulkUser>,
    /// Whether there are more behind them.
    pub has_more: bool,
    /// Whether a first page has come.
    pub is_loaded: bool,
    /// Whether the end was asked for before it was read.
    wants_end: bool,
    /// Whether the store said something new while a reading was under way.
    is_behind: bool,
    /// The selected user, by the place.
    pub cursor: Cursor<u32>,
    /// What failed.
    pub error: Option<String>,
}

impl BulkScreen {
    fn new(id: BulkId) -> BulkScreen {
        BulkScreen {
            id,
            run: None,
            which: Which::All,
            users: Vec::new(),
            has_more: false,
            is_loaded: false,
            wants_end: false,
            is_behind: false,
            cursor: Cursor::default(),
            error: None,
        }
    }

    fn places(&self) -> Vec<u32> {
        self.users.iter().map(|user| user.position).collect()
    }

    /// The place of the selected user among those that are held.
    pub fn at(&self) -> usize {
        self.cursor.index(&self.places())
    }

    /// The selected user.
    pub fn selected(&self) -> Option<&BulkUser> {
        self.users.get(self.at())
    }

    /// Its breadcrumb.
    pub fn crumb(&self) -> String {
        let short: String = self.id.to_string().chars().take(8).collect();
        format!("run {short}")
    }

    /// Users came, from a place on: what was held from there on is replaced as far as they reach.
    fn take(&mut self, from: u32, users: Vec<BulkUser>, limit: usize) {
        let is_all = users.len() < limit;
        let until = users.last().map(|user| user.position).filter(|_| !is_all);
        let is_replaced =
            |user: &BulkUser| user.position >= from && until.is_none_or(|until| user.position <= until);
        let reaches = self.users.last().is_none_or(|last| until.is_none_or(|until| until >= last.position));
        self.users.retain(|user| !is_replaced(user));
        self.users.extend(users);
        self.users.sort_by_key(|user| user.position);
        if reaches {
            self.has_more = !is_all;
        }
        self.is_loaded = true;
    }

    /// What became of some users is shown where they stand.
    fn put(&mut self, ended: &[BulkUser]) {
        for user in ended {
            match self.users.iter_mut().find(|known| known.position == user.position) {
                Some(known) => known.clone_from(user),
                None => {
                    let is_within =
                        !self.has_more || self.users.last().is_some_and(|last| user.position < last.position);
                    if self.is_loaded && is_within && self.which.has(user) {
                        self.users.push(user.clone());
                    }
                }
            }
        }
        let which = self.which;
        self.users.retain(|user| which.has(user));
        self.users.sort_by_key(|user| user.position);
    }
}

/// Whether whoever drove a run is gone. One that this console has just begun to drive is held in a moment.
pub fn is_interrupted(state: &State, run: &BulkRun) -> bool {
    run.is_interrupted(state.now) && !is_ours(state, run.id)
}

/// Whether this console drives a run.
pub fn is_ours(state: &State, id: BulkId) -> bool {
    state.driving.iter().any(|driving| driving.id == id)
}

/// A run that this console drives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Driving {
    /// Which.
    pub id: BulkId,
}

/// What is asked about a run before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// To go on with it.
    Resume,
    /// To act on those who wait no more.
    Stop,
}

/// A question about a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What is asked.
    pub asking: Asking,
    /// About which run.
    pub id: BulkId,
    /// In words.
    pub words: String,
    /// When it was first on the screen: a `y` typed ahead was not meant for it.
    pub shown_at: Option<Timestamp>,
}

/// Opens the list of runs.
pub fn open_list(state: &mut State) -> Vec<Effect> {
    state.overlay = None;
    if !matches!(state.stack.last(), Some(Screen::Bulks(_))) {
        state.stack.push(Screen::Bulks(Box::default()));
    }
    vec![load_list(state, None)]
}

fn load_list(state: &mut State, before: Option<BulkId>) -> Effect {
    let request = state.flights.open(Awaited::Bulks(before));
    Effect::LoadBulks { request, before }
}

/// Opens one run.
pub fn open(state: &mut State, id: BulkId) -> Vec<Effect> {
    state.stack.push(Screen::Bulk(Box::new(BulkScreen::new(id))));
    load(state, id)
}

/// Reads a run, and the users that are held of it or the first ones.
fn load(state: &mut State, id: BulkId) -> Vec<Effect> {
    let height = state.size.bulk_user_rows();
    let Some(screen) = screen(state, id) else { return Vec::new() };
    // Of very many only those around the cursor are read anew.
    let (from, limit) = match screen.users.len() {
        0 => (0, PAGE),
        held if held <= AGAIN => (0, held.max(PAGE)),
        _ => {
            let first = screen.users.get(screen.cursor.offset).map_or(0, |user| user.position);
            (first, height.max(1))
        }
    };
    let request = state.flights.open(Awaited::Bulk(id));
    let mut effects = vec![Effect::LoadBulk { request, id }];
    effects.extend(load_users(state, id, from, limit));
    effects
}

fn load_users(state: &mut State, id: BulkId, from: u32, limit: usize) -> Option<Effect> {
    let is_reading = |awaited: &Awaited| matches!(awaited, Awaited::BulkUsers(at, ..) if *at == id);
    if state.flights.has(is_reading) {
        return None;
    }
    let which = screen(state, id)?.which;
    let request = state.flights.open(Awaited::BulkUsers(id, which, from, limit));
    Some(Effect::LoadBulkUsers { request, id, which, from, limit })
}

fn screen(state: &mut State, id: BulkId) -> Option<&mut BulkScreen> {
    state.stack.iter_mut().rev().find_map(|screen| match screen {
        Screen::Bulk(screen) if screen.id == id => Some(screen.as_mut()),
        _ => None,
    })
}

fn list(state: &mut State) -> Option<&mut BulksScreen> {
    state.stack.iter_mut().rev().find_map(|screen| match screen {
        Screen::Bulks(screen) => Some(screen.as_mut()),
        _ => None,
    })
}

/// The store holds something new: what is on the screen is read again.
pub fn store_changed(state: &mut State) -> Vec<Effect> {
    match state.stack.last() {
        Some(Screen::Bulk(screen)) => {
            let id = screen.id;
            if !state.flights.has(|awaited| is_of(awaited, id)) {
                return load(state, id);
            }
            // While an answer is under way the news is only remembered.
            if let Some(screen) = self::screen(state, id) {
                screen.is_behind = true;
            }
            Vec::new()
        }
        Some(Screen::Bulks(screen)) if screen.cursor.offset == 0 => {
            let mut effects: Vec<Effect> = give_up_list(state);
            effects.push(load_list(state, None));
            effects
        }
        _ => Vec::new(),
    }
}

fn is_of(awaited: &Awaited, id: BulkId) -> bool {
    match awaited {
        Awaited::Bulk(at) | Awaited::BulkUsers(at, ..) => *at == id,
        _ => false,
    }
}

fn give_up_list(state: &mut State) -> Vec<Effect> {
    let is_first = |awaited: &Awaited| *awaited == Awaited::Bulks(None);
    state.flights.give_up(is_first).into_iter().map(Effect::Cancel).collect()
}

/// A page of runs came.
pub fn list_loaded(state: &mut State, before: Option<BulkId>, answer: Result<Page<BulkRun>, String>) {
    let height = state.size.list_rows();
    let Some(screen) = list(state) else { return };
    screen.is_loaded = true;
    match answer {
        Err(why) => screen.error = Some(why),
        Ok(page) => {
            screen.error = None;
            let known = screen.ids();
            if before.is_none() {
                let is_new = |run: &BulkRun| !page.rows.iter().any(|newer| newer.id == run.id);
                let rest: Vec<BulkRun> = screen.runs.drain(..).filter(is_new).collect();
                screen.has_more = if rest.is_empty() { page.next.is_some() } else { screen.has_more };
                screen.runs = page.rows;
                screen.runs.extend(rest);
            } else {
                screen.has_more = page.next.is_some();
                screen.runs.extend(page.rows);
            }
            let now = screen.ids();
            screen.cursor.stay(&known, &now, height);
        }
    }
}

/// A run came.
pub fn loaded(state: &mut State, id: BulkId, answer: Result<Option<Box<BulkRun>>, String>) -> Vec<Effect> {
    let Some(screen) = screen(state, id) else { return Vec::new() };
    match answer {
        Err(why) => screen.error = Some(why),
        Ok(None) => screen.error = Some(format!("there is no run on many `{id}`")),
        Ok(Some(run)) => {
            screen.error = None;
            screen.run = Some(*run);
        }
    }
    catch_up(state, id)
}

/// What the store has said meanwhile, once nothing more is under way.
fn catch_up(state: &mut State, id: BulkId) -> Vec<Effect> {
    let is_reading = state.flights.has(|awaited| is_of(awaited, id));
    let is_behind =
        screen(state, id).filter(|_| !is_reading).is_some_and(|screen| std::mem::take(&mut screen.is_behind));
    if is_behind { load(state, id) } else { Vec::new() }
}

/// Users of a run came, as they were asked for.
pub fn users_loaded(
    state: &mut State,
    (id, which, from, limit): (BulkId, Which, u32, usize),
    answer: Result<Vec<BulkUser>, String>,
) -> Vec<Effect> {
    let height = state.size.bulk_user_rows();
    let Some(screen) = screen(state, id).filter(|screen| screen.which == which) else { return Vec::new() };
    let before = screen.places();
    match answer {
        Err(why) => screen.error = Some(why),
        Ok(users) => screen.take(from, users, limit),
    }
    let now = screen.places();
    screen.cursor.stay(&before, &now, height);
    match (screen.wants_end, screen.has_more) {
        (true, true) => more(state, id),
        (true, false) => {
            screen.wants_end = false;
            screen.cursor.go(Motion::End, &now, height);
            catch_up(state, id)
        }
        (false, _) => catch_up(state, id),
    }
}

fn more(state: &mut State, id: BulkId) -> Vec<Effect> {
    let last = screen(state, id).and_then(|screen| screen.users.last()).map(|user| user.position);
    let from = last.map_or(0, |last| last.saturating_add(1));
    load_users(state, id, from, PAGE).into_iter().collect()
}

/// This console drives a run from now on.
pub fn drives(state: &mut State, id: BulkId) {
    if !is_ours(state, id) {
        state.driving.push(Driving { id });
    }
}

/// Some users of a run that this console drives have ended: they are shown at once, and the counts are read.
pub fn went(state: &mut State, id: BulkId, ended: &[BulkUser]) -> Vec<Effect> {
    let height = state.size.bulk_user_rows();
    let Some(screen) = screen(state, id) else { return Vec::new() };
    let before = screen.places();
    screen.put(ended);
    let now = screen.places();
    screen.cursor.stay(&before, &now, height);
    if state.flights.has(|awaited| *awaited == Awaited::Bulk(id)) {
        return Vec::new();
    }
    let request = state.flights.open(Awaited::Bulk(id));
    vec![Effect::LoadBulk { request, id }]
}

/// A drive of this console is over: it is said, and stands on the run's screen.
pub fn ended(state: &mut State, id: BulkId, answer: Result<Box<BulkRun>, String>) -> Vec<Effect> {
    state.driving.retain(|driving| driving.id != id);
    let now = state.now;
    match answer {
        Err(why) => state.notice.fail(now, why),
        Ok(run) => {
            let words = format!("{}: {} ({})", run.verb, run.state.word(), run.counts.words());
            match (&run.why, run.state) {
                (Some(why), BulkState::Paused) => state.notice.fail(now, format!("{words}: {why}")),
                _ => state.notice.say(now, words),
            }
            if let Some(screen) = screen(state, id) {
                screen.run = Some(*run);
            }
        }
    }
    store_changed(state)
}

/// Whether this console drives a run, or is about to.
pub fn is_driving(state: &State) -> bool {
    let is_beginning = |awaited: &Awaited| matches!(awaited, Awaited::BulkBegun | Awaited::BulkResumed(_));
    !state.driving.is_empty() || state.flights.has(is_beginning)
}

/// Why quitting is asked.
pub fn why_not_quit(state: &State) -> String {
    let others = match state.running.len() {
        0 => String::new(),
        n => format!(", and {n} other run(s) are under way"),
    };
    format!(
        "a run on many is driven by this console{others}: quitting waits for those on their way, at most 60 s, and \
         leaves it paused; `:bulk` goes on with it later"
    )
}

/// The run that is meant: the one on the screen, or the selected one of the list.
fn meant(state: &State) -> Option<BulkRun> {
    match state.stack.last()? {
        Screen::Bulk(screen) => screen.run.clone(),
        Screen::Bulks(screen) => screen.selected().cloned(),
        _ => None,
    }
}

fn fail(state: &mut State, why: impl Into<String>) -> Vec<Effect> {
    state.notice.fail(state.now, why);
    Vec::new()
}

/// What stands against changing a run.
fn unchangeable(state: &State, run: &BulkRun) -> Option<String> {
    if state.settings.is_read_only {
        return Some(READ_ONLY.to_owned());
    }
    run.state
        .is_over()
        .then(|| format!("this run is {}: nobody waits in it to be acted on", run.state.word()))
}

/// A run is to wait. It is done at once: nobody is acted on by waiting.
pub fn pause_asked(state: &mut State) -> Vec<Effect> {
    let Some(run) = meant(state) else { return fail(state, "there is no run here") };
    if let Some(why) = unchangeable(state, &run) {
        return fail(state, why);
    }
    if run.state == BulkState::Paused {
        return fail(state, "this run waits already");
    }
    turn(state, run.id, BulkState::Paused)
}

fn turn(state: &mut State, id: BulkId, to: BulkState) -> Vec<Effect> {
    let request = state.flights.open(Awaited::BulkTurned(id));
    vec![Effect::TurnBulk { request, id, to }]
}

/// Going on with a run, or stopping it for good, is asked.
pub fn asked(state: &mut State, asking: Asking) -> Vec<Effect> {
    let Some(run) = meant(state) else { return fail(state, "there is no run here") };
    if let Some(why) = unchangeable(state, &run).or_else(|| not_now(state, &run, asking)) {
        return fail(state, why);
    }
    let (waiting, verb) = (run.counts.queued, &run.verb);
    let words = match asking {
        Asking::Resume => {
            let why = run.why.as_deref().map(|why| format!(" It waits because {why}.")).unwrap_or_default();
            format!("Go on with it: {verb}, {waiting} user(s) who wait? Each is planned anew.{why}")
        }
        Asking::Stop => format!(
            "Stop it for good: {waiting} user(s) who wait are acted on no more? Those on their way are waited for."
        ),
    };
    state.overlay = Some(Overlay::Ask(Box::new(Question { asking, id: run.id, words, shown_at: None })));
    Vec::new()
}

fn not_now(state: &State, run: &BulkRun, asking: Asking) -> Option<String> {
    if asking == Asking::Stop {
        return None;
    }
    if run.state == BulkState::Running && !is_interrupted(state, run) {
        return Some("this run is being driven".to_owned());
    }
    let hands_links = run.inputs.get(LINK).is_some_and(|value| value == "true");
    hands_links.then(|| {
        format!("its one-time links would be shown to nobody here; hint: `idtriage bulk resume {} --yes` prints them", run.id)
    })
}

/// The question was answered with yes.
pub fn confirmed(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Ask(question)) = &state.overlay else { return Vec::new() };
    let arms_after = state.settings.arms_after;
    let has_stood = question.shown_at.is_some_and(|at| state.now.duration_since(at) >= arms_after);
    if !has_stood {
        return Vec::new();
    }
    let (id, asking) = (question.id, question.asking);
    state.overlay = None;
    match asking {
        Asking::Stop => turn(state, id, BulkState::Stopped),
        Asking::Resume => {
            let request = state.flights.open(Awaited::BulkResumed(id));
            vec![Effect::ResumeBulk { request, id }]
        }
    }
}

/// A run was told to wait or to stop.
pub fn turned(state: &mut State, answer: Result<String, String>) -> Vec<Effect> {
    state.notice.result(state.now, answer);
    store_changed(state)
}

/// A run was taken up again, or not.
pub fn resumed(state: &mut State, id: BulkId, answer: Result<BulkId, String>) -> Vec<Effect> {
    match answer {
        Ok(_) => {
            drives(state, id);
            state.notice.say(state.now, "it goes on");
        }
        Err(why) => state.notice.fail(state.now, why),
    }
    store_changed(state)
}

/// Others of its users are shown.
pub fn filtered(state: &mut State) -> Vec<Effect> {
    let Some(Screen::Bulk(screen)) = state.stack.last_mut() else { return Vec::new() };
    let (id, which) = (screen.id, screen.which.next());
    let run = screen.run.take();
    **screen = BulkScreen { which, run, ..BulkScreen::new(id) };
    let is_users = |awaited: &Awaited| matches!(awaited, Awaited::BulkUsers(at, ..) if *at == id);
    let mut effects: Vec<Effect> = state.flights.give_up(is_users).into_iter().map(Effect::Cancel).collect();
    effects.extend(load_users(state, id, 0, PAGE));
    effects
}

/// The users that are shown were to be written to a file.
pub fn exported(state: &mut State, form: LogForm) -> Vec<Effect> {
    let Some(Screen::Bulk(screen)) = state.stack.last() else { return Vec::new() };
    let (id, which) = (screen.id, screen.which);
    vec![Effect::ExportBulk { id, which, form }]
}

/// What the cursor is on was opened.
pub fn opened(state: &mut State) -> Vec<Effect> {
    match state.stack.last() {
        Some(Screen::Bulks(screen)) => match screen.selected().map(|run| run.id) {
            Some(id) => open(state, id),
            None => Vec::new(),
        },
        Some(Screen::Bulk(screen)) => match screen.selected().map(|user| user.login.clone()) {
            Some(login) => user::open(state, login, None),
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Whom the cursor names.
pub fn person(state: &State) -> Option<Login> {
    match state.stack.last()? {
        Screen::Bulk(screen) => screen.selected().map(|user| user.login.clone()),
        _ => None,
    }
}

/// The cursor was moved.
pub fn moved(state: &mut State, motion: Motion) -> Vec<Effect> {
    let (rows, height) = (state.size.list_rows(), state.size.bulk_user_rows());
    match state.stack.last_mut() {
        Some(Screen::Bulks(screen)) => {
            let ids = screen.ids();
            screen.cursor.go(motion, &ids, rows);
            let is_near_end = screen.has_more && screen.cursor.index(&ids) + rows >= ids.len();
            let is_reading = state.flights.has(|awaited| matches!(awaited, Awaited::Bulks(_)));
            if is_near_end && !is_reading { vec![load_list(state, ids.last().copied())] } else { Vec::new() }
        }
        Some(Screen::Bulk(screen)) => {
            let places = screen.places();
            screen.cursor.go(motion, &places, height);
            screen.wants_end = motion == Motion::End && screen.has_more;
            let is_near_end = screen.has_more && screen.at() + 2 * height >= places.len();
            let id = screen.id;
            if is_near_end { more(state, id) } else { Vec::new() }
        }
        _ => Vec::new(),
    }
}

/// A frame was drawn: the question is on the screen now.
pub fn drawn(state: &mut State) {
    let now = state.now;
    if let Some(Overlay::Ask(question)) = &mut state.overlay {
        question.shown_at.get_or_insert(now);
    }
}

/// When a lease runs out whose run is shown as driven: then it is shown as interrupted.
pub fn next_change(state: &State) -> Option<Timestamp> {
    let until = |run: &BulkRun| run.held_until.filter(|_| run.state == BulkState::Running);
    match state.stack.last()? {
        Screen::Bulk(screen) => screen.run.as_ref().and_then(until),
        Screen::Bulks(screen) => screen.runs.iter().filter_map(until).filter(|at| *at > state.now).min(),
        _ => None,
    }
    // A moment later: until then it holds.
    .map(|at| at + jiff::SignedDuration::from_millis(1))
}
