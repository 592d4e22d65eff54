//! One run on many, user by user.

use super::{is_interrupted, short};
use crate::app::effect::Effect;
use crate::app::list::Cursor;
use crate::app::log::LogForm;
use crate::app::msg::Motion;
use crate::app::state::{Awaited, Screen, State};
use crate::app::text::wrap;
use crate::domain::bulk::{BulkEnd, BulkId, BulkRun, BulkState, BulkUser};
use crate::domain::{Outcome, Untrusted};

/// Users read at once.
const PAGE: usize = 500;
/// Of more users than these not all are read anew at once.
const AGAIN: usize = 2_000;

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
    /// Which are shown next.
    pub fn next(self) -> Which {
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
        format!("run {}", short(self.id))
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

/// Opens one run.
pub fn open(state: &mut State, id: BulkId) -> Vec<Effect> {
    state.stack.push(Screen::Bulk(Box::new(BulkScreen::new(id))));
    load(state, id)
}

/// Reads a run, and the users that are held of it or the first ones.
fn load(state: &mut State, id: BulkId) -> Vec<Effect> {
    let height = user_rows(state, id);
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

pub(super) fn screen(state: &mut State, id: BulkId) -> Option<&mut BulkScreen> {
    state.stack.iter_mut().rev().find_map(|screen| match screen {
        Screen::Bulk(screen) if screen.id == id => Some(screen.as_mut()),
        _ => None,
    })
}

/// The store holds something new: while an answer is under way that is only remembered.
pub(super) fn read_again(state: &mut State, id: BulkId) -> Vec<Effect> {
    if !state.flights.has(|awaited| is_of(awaited, id)) {
        return load(state, id);
    }
    if let Some(screen) = screen(state, id) {
        screen.is_behind = true;
    }
    Vec::new()
}

fn is_of(awaited: &Awaited, id: BulkId) -> bool {
    match awaited {
        Awaited::Bulk(at) | Awaited::BulkUsers(at, ..) => *at == id,
        _ => false,
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
    settled(state, id);
    catch_up(state, id)
}

/// It is driven again: that is in the store before it is answered, and nobody is asked once more meanwhile.
pub(super) fn goes_on(state: &mut State, id: BulkId) {
    if let Some(run) = screen(state, id).and_then(|screen| screen.run.as_mut()) {
        run.state = BulkState::Running;
        run.why = None;
    }
}

/// How it stands takes more rows, or fewer: the selected user is still seen.
pub(super) fn settled(state: &mut State, id: BulkId) {
    let height = user_rows(state, id);
    if let Some(screen) = screen(state, id) {
        let places = screen.places();
        screen.cursor.keep_visible(&places, height);
    }
}

/// How many users of a run are visible, below how it stands.
fn user_rows(state: &State, id: BulkId) -> usize {
    let screen = state.stack.iter().rev().find_map(|screen| match screen {
        Screen::Bulk(screen) if screen.id == id => Some(screen.as_ref()),
        _ => None,
    });
    state.size.bulk_user_rows(screen.map_or(0, |screen| fact_rows(state, screen, state.size.columns)))
}

/// The rows that say how it stands: what it does, its counts, why it is so, and what can be done about it.
pub fn fact_rows(state: &State, screen: &BulkScreen, columns: u16) -> u16 {
    let why = reason(state, screen);
    let lines = if why.is_empty() { 0 } else { wrap(&why, usize::from(columns.saturating_sub(2))).len() };
    u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(3)
}

/// Why it stands as it does, as it is said above its users; nothing where that needs no words.
pub fn reason(state: &State, screen: &BulkScreen) -> String {
    if let Some(error) = &screen.error {
        return format!("! {error}");
    }
    let Some(run) = &screen.run else { return String::new() };
    let because = run.why.as_deref().map(|why| Untrusted::from(why).to_string());
    match run.state {
        BulkState::Running if is_interrupted(state, run) => {
            "! nobody drives it any more: its console or command is gone".to_owned()
        }
        BulkState::Running => String::new(),
        BulkState::Paused => because.map(|why| format!("! {why}")).unwrap_or_default(),
        BulkState::Stopped | BulkState::Done => because.unwrap_or_default(),
    }
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
    let height = user_rows(state, id);
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

/// Some users of a run that this console drives have ended: they are shown at once, and the counts are read.
pub fn went(state: &mut State, id: BulkId, ended: &[BulkUser]) -> Vec<Effect> {
    let height = user_rows(state, id);
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

/// The cursor was moved.
pub(super) fn moved(state: &mut State, id: BulkId, motion: Motion) -> Vec<Effect> {
    let height = user_rows(state, id);
    let Some(screen) = screen(state, id) else { return Vec::new() };
    let places = screen.places();
    screen.cursor.go(motion, &places, height);
    screen.wants_end = motion == Motion::End && screen.has_more;
    let is_near_end = screen.has_more && screen.at() + 2 * height >= places.len();
    if is_near_end { more(state, id) } else { Vec::new() }
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
