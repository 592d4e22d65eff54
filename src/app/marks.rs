//! Users who are marked, to run one flow on them all: in an event, of an address, or everybody of a filter.
//!
//! A mark is a login, never a row: it stays where rows come, go and scroll. Each screen has its own.

use super::effect::{Effect, RunAsk};
use super::event::EventScreen;
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
pub struct Marks(BTreeMap<String, Mark>);

impl Marks {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nobody is marked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether somebody is.
    pub fn has(&self, login: &Login) -> bool {
        self.0.contains_key(login.folded())
    }

    /// All.
    pub fn list(&self) -> Arc<[Mark]> {
        self.0.values().cloned().collect()
    }

    /// As the header says it: `5 marked`.
    pub fn words(&self) -> Option<String> {
        (!self.is_empty()).then(|| format!("{} marked", self.len()))
    }

    fn put(&mut self, mark: Mark) {
        self.0.insert(mark.login.folded().to_owned(), mark);
    }

    fn take(&mut self, login: &Login) -> bool {
        self.0.remove(login.folded()).is_some()
    }
}

/// Whose users are asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Gather {
    /// An event's, those that match.
    Event(EventId, UserQuery),
    /// Everybody with a finding that matches.
    Filter(Query),
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
        state.notice.say(state.now, "no marks any more");
    }
    was_marked
}

/// The user under the cursor was marked, or is not any more; the cursor goes on.
pub fn toggled(state: &mut State) -> Vec<Effect> {
    let limit = state.settings.bulk_limit;
    let Some(mark) = under_cursor(state) else {
        state
            .notice
            .fail(state.now, "nobody is marked here: open the event, its users are marked one by one");
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

/// Everybody is marked, or nobody where somebody is.
pub fn all_toggled(state: &mut State) -> Vec<Effect> {
    if unmarked(state) {
        return Vec::new();
    }
    let limit = state.settings.bulk_limit;
    match state.stack.last_mut() {
        Some(Screen::Address(screen)) => {
            let all = screen.logins();
            let marked = all.iter().take(limit).cloned().map(|login| Mark { login, finding: None });
            marked.for_each(|mark| screen.marks.put(mark));
            let is_read =
                screen.users.as_ref().is_some_and(|users| !users.is_cut && users.problems.is_empty());
            let has_more = all.len() > limit;
            say(state, &Gathered { has_more, ..Gathered::default() });
            if !has_more && !is_read {
                let why = "those who were read are marked: not all users of this address were";
                state.notice.fail(state.now, why);
            }
            Vec::new()
        }
        Some(Screen::Event(screen)) => {
            let what = Gather::Event(screen.id, screen.query.clone());
            vec![gather(state, what, Next::Mark)]
        }
        None => everybody(state, Next::Mark),
        Some(_) => Vec::new(),
    }
}

/// Everybody of the feed's filter is asked for.
pub fn everybody(state: &mut State, next: Next) -> Vec<Effect> {
    let query = state.feed.query.clone();
    vec![gather(state, Gather::Filter(query), next)]
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

fn gather(state: &mut State, what: Gather, next: Next) -> Effect {
    let limit = state.settings.bulk_limit;
    let request = state.flights.open(Awaited::Gathered(what.clone(), next));
    state.notice.say(state.now, "asking the store who is meant…");
    Effect::GatherUsers { request, what, limit }
}

/// They came: on the screen that they were asked for, if it is still there and still shows the same.
pub fn gathered(
    state: &mut State,
    what: &Gather,
    next: Next,
    answer: Result<Gathered, String>,
) -> Vec<Effect> {
    let gathered = match answer {
        Ok(gathered) => gathered,
        Err(why) => return fail(state, &why),
    };
    let Some(marks) = of(state, what) else { return Vec::new() };
    gathered.marks.iter().cloned().for_each(|mark| marks.put(mark));
    say(state, &gathered);
    let is_shown = match what {
        Gather::Filter(_) => state.stack.is_empty(),
        Gather::Event(id, _) => matches!(state.stack.last(), Some(Screen::Event(screen)) if screen.id == *id),
    };
    // Nothing pops up under the fingers of somebody who has gone on.
    if next == Next::Remediate && is_shown && state.overlay.is_none() { remediate(state) } else { Vec::new() }
}

fn of<'a>(state: &'a mut State, what: &Gather) -> Option<&'a mut Marks> {
    match what {
        Gather::Filter(query) => {
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
        n => format!("; {n} closed finding(s) are left out"),
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
        _ => (None, None),
    };
    Some(match &*marks {
        [one] => {
            let (login, finding) = (one.login.clone(), one.finding);
            RunAsk { login, finding, event: event.filter(|_| finding.is_some()), check, ..RunAsk::default() }
        }
        _ => RunAsk { check, many: marks, ..RunAsk::default() },
    })
}

fn check(screen: &EventScreen) -> Option<(CheckId, Untrusted)> {
    let check = &screen.detail.as_ref()?.event.check;
    Some((check.id.clone(), check.title.clone()))
}
