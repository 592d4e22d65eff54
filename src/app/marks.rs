//! Users who are marked, to run one flow on them all: in an event, of an address, or everybody of a filter.
//!
//! A mark is a login, never a row: it stays where rows come, go and scroll. Each screen has its own.

use super::effect::{Effect, RunAsk};
use super::event::EventScreen;
use super::feed::{self, Feed};
use super::flows;
use super::msg::Motion;
use super::state::{Awaited, Screen, State};
use super::triage::{self, Then};
use super::{address, event};
use crate::domain::many::Mark;
use crate::domain::query::UserQuery;
use crate::domain::{CheckId, EventId, Login, Query, Untrusted};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The users who are marked, in the order of their logins.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Marks {
    users: BTreeMap<String, Mark>,
    /// Whether everybody was marked when they were asked for, and nobody was taken out since.
    is_all: bool,
}

impl Marks {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether nobody is marked.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Whether somebody is.
    pub fn has(&self, login: &Login) -> bool {
        self.users.contains_key(login.folded())
    }

    /// All.
    pub fn list(&self) -> Arc<[Mark]> {
        self.users.values().cloned().collect()
    }

    /// As the header says it: `5 marked`.
    pub fn words(&self) -> Option<String> {
        (!self.is_empty()).then(|| format!("{} marked", self.len()))
    }

    fn put(&mut self, mark: Mark) {
        self.users.insert(mark.login.folded().to_owned(), mark);
    }

    fn take(&mut self, login: &Login) -> bool {
        let was_marked = self.users.remove(login.folded()).is_some();
        self.is_all &= !was_marked;
        was_marked
    }

    fn has_all(&self, marks: &[Mark]) -> bool {
        !marks.is_empty() && marks.iter().all(|mark| self.has(&mark.login))
    }
}

/// Whose users are asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Gather {
    /// An event's, those that match.
    Event(EventId, UserQuery),
    /// Everybody with a finding that matches.
    Filter(Query),
    /// Those of a row of the feed with this filter, who are marked already: only their findings are asked for.
    Row(EventId, Query),
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Gathered {
    /// Who.
    pub marks: Vec<Mark>,
    /// Whether there are more than were asked for.
    pub has_more: bool,
    /// Findings that are closed, and so left out.
    pub closed: usize,
}

/// What is done with them when they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// They are marked.
    Mark,
    /// They are marked, and the flows are offered.
    Remediate,
}

const ASKING: &str = "asking the store who is meant…";
const NO_MARKS: &str = "no marks any more";

/// The marks of the screen that is shown, where it has any.
pub fn here(state: &State) -> Option<&Marks> {
    match state.stack.last() {
        None => Some(&state.feed.marks),
        Some(Screen::Event(screen)) => Some(&screen.marks),
        Some(Screen::Address(screen)) => Some(&screen.marks),
        Some(_) => None,
    }
}

fn here_mut(state: &mut State) -> Option<&mut Marks> {
    match state.stack.last_mut() {
        None => Some(&mut state.feed.marks),
        Some(Screen::Event(screen)) => Some(&mut screen.marks),
        Some(Screen::Address(screen)) => Some(&mut screen.marks),
        Some(_) => None,
    }
}

/// Takes all marks away, where there are any.
pub fn cleared(state: &mut State) -> bool {
    let Some(marks) = here_mut(state).filter(|marks| !marks.is_empty()) else { return false };
    *marks = Marks::default();
    true
}

/// The same, and says so.
pub fn unmarked(state: &mut State) -> bool {
    let was_marked = cleared(state);
    if was_marked {
        state.notice.say(state.now, NO_MARKS);
    }
    was_marked
}

/// The user under the cursor was marked, or is not any more; the cursor goes on.
pub fn toggled(state: &mut State) -> Vec<Effect> {
    if state.stack.is_empty() {
        return row_toggled(state);
    }
    let limit = state.settings.bulk_limit;
    let Some(mark) = under_cursor(state) else {
        state.notice.fail(state.now, "there is nobody here to be marked");
        return Vec::new();
    };
    let Some(marks) = here_mut(state) else { return Vec::new() };
    if !marks.take(&mark.login) {
        if marks.len() >= limit {
            state.notice.fail(state.now, full(limit));
            return Vec::new();
        }
        marks.put(mark);
    }
    match state.stack.last() {
        Some(Screen::Event(_)) => event::users_moved(state, Motion::Down),
        Some(Screen::Address(_)) => {
            address::moved(state, Motion::Down);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// The users of the feed's row were marked, or are not any more where all of them were.
fn row_toggled(state: &mut State) -> Vec<Effect> {
    if !feed::pin(state) {
        return Vec::new();
    }
    let Some(row) = state.feed.selected() else { return fail(state, "there is no row here") };
    let (id, users, logins) = (row.id, row.user_count, row.first_users.clone());
    let mut logins: Vec<Login> = logins.into_iter().filter(|login| !login.is_empty()).collect();
    logins.dedup_by(|one, other| one.folded() == other.folded());
    if users == 0 {
        return fail(state, "this row names nobody");
    }
    if (logins.len() as u64) < users {
        let why =
            format!("{users} users, not all of whom the row knows: enter, they are marked one by one there");
        return fail(state, &why);
    }
    let limit = state.settings.bulk_limit;
    let marks = &mut state.feed.marks;
    let unmarked: Vec<Login> = logins.iter().filter(|login| !marks.has(login)).cloned().collect();
    if marks.len() + unmarked.len() > limit {
        return fail(state, &full(limit));
    }
    let mut effects = Vec::new();
    if unmarked.is_empty() {
        logins.iter().for_each(|login| {
            marks.take(login);
        });
    } else {
        unmarked.into_iter().for_each(|login| marks.put(Mark { login, finding: None }));
        // From which findings is in the store.
        let what = Gather::Row(id, state.feed.query.clone());
        let request = state.flights.open(Awaited::Gathered(what.clone(), Next::Mark));
        effects.push(Effect::GatherUsers { request, what, limit });
    }
    effects.extend(feed::moved(state, Motion::Down));
    effects
}

fn full(limit: usize) -> String {
    format!("{limit} are marked: no more are run at once; hint: `[guard] bulk_limit` says how many")
}

fn under_cursor(state: &State) -> Option<Mark> {
    match state.stack.last() {
        Some(Screen::Event(screen)) => {
            let user = screen.selected()?;
            let finding = user.finding.as_ref().map(|finding| finding.id);
            Some(Mark { login: user.login.clone(), finding })
        }
        Some(Screen::Address(screen)) => Some(Mark { login: screen.selected()?, finding: None }),
        _ => None,
    }
}

/// Everybody is marked, those too who were not yet; where everybody was, nobody is any more.
pub fn all_toggled(state: &mut State) -> Vec<Effect> {
    match state.stack.last() {
        Some(Screen::Address(_)) if all_are(state) => {
            unmarked(state);
            Vec::new()
        }
        Some(Screen::Address(_)) => address_marked(state),
        Some(Screen::Event(screen)) => {
            let what = Gather::Event(screen.id, screen.query.clone());
            gather(state, what, Next::Mark)
        }
        None => everybody(state, Next::Mark),
        Some(_) => Vec::new(),
    }
}

/// Whether everybody is marked, as far as that is known here.
pub fn all_are(state: &State) -> bool {
    match state.stack.last() {
        Some(Screen::Address(screen)) => {
            let logins = screen.logins();
            !logins.is_empty() && logins.iter().all(|login| screen.marks.has(login))
        }
        _ => here(state).is_some_and(|marks| marks.is_all),
    }
}

fn address_marked(state: &mut State) -> Vec<Effect> {
    let limit = state.settings.bulk_limit;
    let Some(Screen::Address(screen)) = state.stack.last_mut() else { return Vec::new() };
    let all = screen.logins().into_iter().map(|login| Mark { login, finding: None }).collect();
    let has_more = !put_all(&mut screen.marks, all, limit);
    let is_read = screen.users.as_ref().is_some_and(|users| !users.is_cut && users.problems.is_empty());
    say(state, &Gathered { has_more, ..Gathered::default() });
    if !has_more && !is_read {
        let why = "those who were read are marked: not all users of this address were";
        state.notice.fail(state.now, why);
    }
    Vec::new()
}

/// Marks them, as far as so many are; says whether all are marked.
fn put_all(marks: &mut Marks, all: Vec<Mark>, limit: usize) -> bool {
    for mark in all {
        if !marks.has(&mark.login) && marks.len() >= limit {
            return false;
        }
        marks.put(mark);
    }
    true
}

/// Everybody of the feed's filter is asked for.
pub fn everybody(state: &mut State, next: Next) -> Vec<Effect> {
    let query = state.feed.query.clone();
    gather(state, Gather::Filter(query), next)
}

/// The flows for everybody of the feed's filter were asked for, from whatever screen.
pub fn filter_asked(state: &mut State) -> Vec<Effect> {
    if !state.stack.is_empty() {
        return fail(state, "everybody of a filter is for the feed: `esc` leads there");
    }
    if state.settings.is_read_only {
        return fail(state, triage::READ_ONLY);
    }
    everybody(state, Next::Remediate)
}

fn fail(state: &mut State, why: &str) -> Vec<Effect> {
    state.notice.fail(state.now, why);
    Vec::new()
}

fn gather(state: &mut State, what: Gather, next: Next) -> Vec<Effect> {
    let limit = state.settings.bulk_limit;
    let awaited = Awaited::Gathered(what.clone(), next);
    state.notice.say(state.now, ASKING);
    // A second key while it is asked would only take away whom the first one marks.
    if state.flights.has(|other| *other == awaited) {
        return Vec::new();
    }
    let request = state.flights.open(awaited);
    vec![Effect::GatherUsers { request, what, limit }]
}

/// They came: on the screen that they were asked for, if it is still there and still shows the same.
pub fn gathered(
    state: &mut State,
    what: &Gather,
    next: Next,
    answer: Result<Gathered, String>,
) -> Vec<Effect> {
    state.notice.is_over(ASKING);
    let mut gathered = match answer {
        Ok(gathered) => gathered,
        Err(why) => return fail(state, &why),
    };
    let limit = state.settings.bulk_limit;
    let Some(marks) = of(state, what) else { return Vec::new() };
    if matches!(what, Gather::Row(..)) {
        let still = gathered.marks.into_iter().filter(|mark| marks.has(&mark.login)).collect::<Vec<_>>();
        still.into_iter().for_each(|mark| marks.put(mark));
        return Vec::new();
    }
    if next == Next::Mark && !gathered.has_more && marks.has_all(&gathered.marks) {
        *marks = Marks::default();
        state.notice.say(state.now, NO_MARKS);
        return Vec::new();
    }
    gathered.has_more |= !put_all(marks, gathered.marks.clone(), limit);
    marks.is_all = !gathered.has_more && !marks.is_empty();
    say(state, &gathered);
    let is_shown = match what {
        Gather::Filter(_) | Gather::Row(..) => state.stack.is_empty(),
        Gather::Event(id, _) => matches!(state.stack.last(), Some(Screen::Event(screen)) if screen.id == *id),
    };
    // Nothing pops up under the fingers of somebody who has gone on.
    if next == Next::Remediate && is_shown && state.overlay.is_none() { remediate(state) } else { Vec::new() }
}

fn of<'a>(state: &'a mut State, what: &Gather) -> Option<&'a mut Marks> {
    match what {
        Gather::Filter(query) | Gather::Row(_, query) => {
            Some(&mut state.feed).filter(|feed| feed.query == *query).map(|feed| &mut feed.marks)
        }
        Gather::Event(id, query) => state.stack.iter_mut().rev().find_map(|screen| match screen {
            Screen::Event(screen) if screen.id == *id && screen.query == *query => Some(&mut screen.marks),
            _ => None,
        }),
    }
}

fn say(state: &mut State, gathered: &Gathered) {
    let marked = here(state).map(Marks::len).unwrap_or_default();
    let limit = state.settings.bulk_limit;
    let closed = match gathered.closed {
        0 => String::new(),
        1 => "; 1 closed finding is left out".to_owned(),
        n => format!("; {n} closed findings are left out"),
    };
    let (now, words) = (state.now, format!("{marked} marked{closed}"));
    if gathered.has_more {
        let more = format!(
            "{words}; there are more than these, and one run takes {limit}: narrow the filter, or raise `[guard] bulk_limit`"
        );
        return state.notice.fail(now, more);
    }
    match marked {
        0 => state.notice.fail(now, format!("nobody is meant{closed}")),
        _ => state.notice.say(now, format!("{words}: r lists what can be run on them, esc unmarks")),
    }
}

/// The flows were asked for: on all who are marked, else on who is selected.
pub fn remediate(state: &mut State) -> Vec<Effect> {
    let Some(ask) = ask(state) else { return triage::asked(state, Then::Remediate) };
    if state.settings.is_read_only {
        return fail(state, triage::READ_ONLY);
    }
    flows::open(state, ask)
}

/// What is asked for those who are marked; `None` without marks. Somebody who is marked alone is one like any other.
pub fn ask(state: &State) -> Option<RunAsk> {
    let marks = here(state).filter(|marks| !marks.is_empty())?.list();
    let (event, check) = match state.stack.last() {
        Some(Screen::Event(screen)) => (Some(screen.id), check(screen)),
        Some(_) => (None, None),
        None => (None, check_of_all(&state.feed)),
    };
    Some(match &*marks {
        [one] => {
            let (login, finding) = (one.login.clone(), one.finding);
            RunAsk { login, finding, event: event.filter(|_| finding.is_some()), check, ..RunAsk::default() }
        }
        _ => RunAsk { check, many: marks, ..RunAsk::default() },
    })
}

/// The check of the feed's rows, where it is the same of all that are held: a filter that names one leaves no other.
fn check_of_all(feed: &Feed) -> Option<(CheckId, Untrusted)> {
    let mut rows = feed.window.rows.iter();
    let check = &rows.next()?.check;
    rows.all(|row| row.check.id == check.id).then(|| (check.id.clone(), check.title.clone()))
}

fn check(screen: &EventScreen) -> Option<(CheckId, Untrusted)> {
    let check = &screen.detail.as_ref()?.event.check;
    Some((check.id.clone(), check.title.clone()))
}
