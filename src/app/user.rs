//! User 360: everything known of one person, pane by pane.
//!
//! Wide screens show the panes side by side, narrow ones one at a time under tabs. What a pane holds
//! is decided in [`super::pane`]; here is who is looked at, and where the cursor is.

use super::dossiers;
use super::effect::Effect;
use super::event;
use super::list::Cursor;
use super::msg::Motion;
use super::pane::{self, Target};
use super::state::{Awaited, Screen, State};
use crate::domain::finding::HistoryEntry;
use crate::domain::page::{From, Page};
use crate::domain::query::{Pattern, Query, Term, Test};
use crate::domain::{Action, CheckId, Dossier, Event, EventId, Finding, FindingId, Login};

/// A pane of User 360.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pane {
    /// Name, status, classification, manager, ids, phone, accounts.
    Overview,
    /// This person's findings.
    Findings,
    /// Addresses with places.
    Addresses,
    /// Registered and working places.
    Places,
    /// Applications used and unused.
    Applications,
    /// Factors used.
    Factors,
    /// The Okta account.
    Okta,
    /// What was run on this person.
    History,
}

impl Pane {
    /// Every pane, in the order of the tabs.
    pub const ALL: [Pane; 8] = [
        Pane::Overview,
        Pane::Findings,
        Pane::Addresses,
        Pane::Places,
        Pane::Applications,
        Pane::Factors,
        Pane::Okta,
        Pane::History,
    ];

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Pane::Overview => "Overview",
            Pane::Findings => "Findings",
            Pane::Addresses => "IP addresses",
            Pane::Places => "Places",
            Pane::Applications => "Applications",
            Pane::Factors => "Factors",
            Pane::Okta => "Okta",
            Pane::History => "History",
        }
    }

    /// A short title, for narrow tabs.
    pub fn short(self) -> &'static str {
        match self {
            Pane::Overview => "Over",
            Pane::Findings => "Find",
            Pane::Addresses => "IPs",
            Pane::Places => "Places",
            Pane::Applications => "Apps",
            Pane::Factors => "Factors",
            Pane::Okta => "Okta",
            Pane::History => "Hist",
        }
    }
}

/// What a person was opened from: the finding that the analyst is working on.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// The event.
    pub event: EventId,
    /// Its check.
    pub check: CheckId,
}

/// The screen of one person.
#[derive(Debug, Clone, PartialEq)]
pub struct UserScreen {
    /// Who.
    pub login: Login,
    /// What they were opened from.
    pub about: Option<About>,
    /// The pane that has the keys.
    pub pane: Pane,
    /// The cursor in that pane.
    pub cursor: Cursor<String>,
    /// Their findings, latest first.
    pub findings: Vec<Finding>,
    /// Whether there are more findings than are shown.
    pub has_more_findings: bool,
    /// What was run on them, latest first.
    pub actions: Vec<Action>,
    /// What was noted and changed about their findings.
    pub history: Vec<(FindingId, HistoryEntry)>,
    /// Logins that resemble this one, where nobody has it; `None` while nobody looked.
    pub suggested: Option<Vec<Login>>,
    /// What failed while reading the store.
    pub error: Option<String>,
}

/// Opens a person; one that is already on top is not stacked again.
pub fn open(state: &mut State, login: Login, about: Option<About>) -> Vec<Effect> {
    if matches!(state.stack.last(), Some(Screen::User(user)) if user.login == login) {
        return Vec::new();
    }
    state.stack.push(Screen::User(Box::new(UserScreen {
        login: login.clone(),
        about,
        pane: Pane::Overview,
        cursor: Cursor::default(),
        findings: Vec::new(),
        has_more_findings: false,
        actions: Vec::new(),
        history: Vec::new(),
        suggested: None,
        error: None,
    })));
    let mut effects = load_local(state, &login);
    effects.extend(dossiers::load_missing(state, &login));
    effects.extend(suggest(state, &login));
    effects
}

/// Where somebody was named whom nobody knows, it is looked up who may have been meant.
pub fn suggest(state: &mut State, login: &Login) -> Vec<Effect> {
    let is_of_nobody = state.dossiers.get(login).is_some_and(Dossier::is_of_nobody);
    let is_asked = state.flights.has(|awaited| matches!(awaited, Awaited::Suggestions(who) if who == login));
    let wants = screens(state, login).any(|screen| screen.suggested.is_none());
    if !is_of_nobody || is_asked || !wants {
        return Vec::new();
    }
    let request = state.flights.open(Awaited::Suggestions(login.clone()));
    vec![Effect::SuggestLogins { request, login: login.clone() }]
}

/// Who may have been meant has been looked up.
pub fn suggested(state: &mut State, login: &Login, answer: Result<Vec<Login>, String>) {
    for screen in screens(state, login) {
        match &answer {
            Ok(logins) => screen.suggested = Some(logins.clone()),
            Err(error) => screen.error = Some(error.clone()),
        }
    }
}

/// Reads what the store knows of a person.
pub fn load_local(state: &mut State, login: &Login) -> Vec<Effect> {
    let findings = state.flights.open(Awaited::Findings(login.clone()));
    let actions = state.flights.open(Awaited::Actions(login.clone()));
    vec![
        Effect::LoadFindings { request: findings, login: login.clone() },
        Effect::LoadActions { request: actions, login: login.clone() },
    ]
}

/// The store holds something new: the person on the screen is read again.
pub fn store_changed(state: &mut State) -> Vec<Effect> {
    let login = match state.stack.last() {
        Some(Screen::User(user)) => user.login.clone(),
        _ => return Vec::new(),
    };
    let is_under_way = |awaited: &Awaited| matches!(awaited, Awaited::Findings(who) if *who == login);
    if state.flights.has(is_under_way) { Vec::new() } else { load_local(state, &login) }
}

impl UserScreen {
    /// The finding that the person was opened from, as it stands now.
    pub fn about(&self) -> Option<&Finding> {
        let about = self.about.as_ref()?;
        self.findings.iter().find(|finding| finding.check.id == about.check)
    }
}

fn screens<'a>(state: &'a mut State, login: &'a Login) -> impl Iterator<Item = &'a mut UserScreen> {
    state.stack.iter_mut().filter_map(move |screen| match screen {
        Screen::User(user) if user.login == *login => Some(user.as_mut()),
        _ => None,
    })
}

/// A person's findings came: their notes and changes are read next.
pub fn findings_loaded(
    state: &mut State,
    login: &Login,
    answer: Result<Page<Finding>, String>,
) -> Vec<Effect> {
    for screen in screens(state, login) {
        match &answer {
            Ok(page) => {
                screen.findings.clone_from(&page.rows);
                screen.has_more_findings = page.has_more();
                screen.error = None;
            }
            Err(error) => screen.error = Some(error.clone()),
        }
    }
    let findings: Vec<FindingId> =
        answer.iter().flat_map(|page| &page.rows).map(|finding| finding.id).collect();
    if findings.is_empty() {
        return Vec::new();
    }
    let request = state.flights.open(Awaited::History(login.clone()));
    vec![Effect::LoadHistory { request, findings }]
}

/// The notes and changes of a person's findings came.
pub fn history_loaded(
    state: &mut State,
    login: &Login,
    answer: Result<Vec<(FindingId, HistoryEntry)>, String>,
) {
    for screen in screens(state, login) {
        match &answer {
            Ok(entries) => screen.history.clone_from(entries),
            Err(error) => screen.error = Some(error.clone()),
        }
    }
}

/// Opens the event that a finding was last seen in.
pub fn open_finding(state: &mut State, id: FindingId) -> Vec<Effect> {
    let Some(Screen::User(user)) = state.stack.last() else { return Vec::new() };
    let Some(finding) = user.findings.iter().find(|finding| finding.id == id) else { return Vec::new() };
    let login = Test::User(Pattern::exactly(finding.login.raw()));
    let check = Test::Check(Pattern::exactly(finding.check.id.raw()));
    let query = Query { terms: [login, check].map(|test| Term { negated: false, test }).into() };
    let request = state.flights.open(Awaited::EventOf(user.login.clone()));
    vec![Effect::LoadEvents { request, query, from: From::Newest, limit: 1 }]
}

/// The event of a finding came; it opens if the analyst is still where they asked for it.
pub fn event_came(state: &mut State, login: &Login, answer: Result<Page<Event>, String>) -> Vec<Effect> {
    let is_here = matches!(state.stack.last(), Some(Screen::User(user)) if user.login == *login);
    match answer.map(|page| page.rows.into_iter().next()) {
        Ok(Some(event)) if is_here => return event::open(state, event.id, event.check.name()),
        Ok(Some(_)) => {}
        Ok(None) => state.notice.fail(state.now, "no event of this finding is kept any more"),
        Err(error) => state.notice.fail(state.now, error),
    }
    Vec::new()
}

/// A person's actions came.
pub fn actions_loaded(state: &mut State, login: &Login, answer: Result<Page<Action>, String>) {
    for screen in screens(state, login) {
        match &answer {
            Ok(page) => screen.actions.clone_from(&page.rows),
            Err(error) => screen.error = Some(error.clone()),
        }
    }
}

/// The panes that are shown: Okta only where it is configured.
pub fn panes(state: &State) -> Vec<Pane> {
    let has_okta = state.settings.parts.contains(&crate::domain::PartName::Okta);
    Pane::ALL.into_iter().filter(|pane| *pane != Pane::Okta || has_okta).collect()
}

/// The next pane, or the one before.
pub fn switch(state: &mut State, forward: Step) {
    let panes = panes(state);
    if let Some(Screen::User(user)) = state.stack.last_mut() {
        let at = panes.iter().position(|pane| *pane == user.pane).unwrap_or(0);
        let step = if forward == Step::Next { 1 } else { panes.len() - 1 };
        if let Some(pane) = panes.get((at + step) % panes.len()) {
            user.pane = *pane;
            user.cursor = Cursor::default();
        }
    }
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Onward.
    Next,
    /// Back.
    Previous,
}

/// This pane.
pub fn choose(state: &mut State, pane: Pane) {
    let is_there = panes(state).contains(&pane);
    if let Some(Screen::User(user)) = state.stack.last_mut().filter(|_| is_there) {
        user.pane = pane;
        user.cursor = Cursor::default();
    }
}

/// The cursor was moved within its pane.
pub fn moved(state: &mut State, motion: Motion) {
    let height = state.size.user_pane_rows(&panes(state), focused(state));
    let keys: Vec<String> = focused_rows(state).into_iter().map(|row| row.key).collect();
    state.rest_since = state.now;
    if let Some(Screen::User(user)) = state.stack.last_mut() {
        user.cursor.go(motion, &keys, height);
    }
}

fn focused(state: &State) -> Pane {
    match state.stack.last() {
        Some(Screen::User(user)) => user.pane,
        _ => Pane::Overview,
    }
}

fn focused_rows(state: &State) -> Vec<pane::Row> {
    match state.stack.last() {
        Some(Screen::User(user)) => pane::rows(state, user, user.pane),
        _ => Vec::new(),
    }
}

/// The selected row of the focused pane.
pub fn selected_row(state: &State) -> Option<pane::Row> {
    let Some(Screen::User(user)) = state.stack.last() else { return None };
    let rows = focused_rows(state);
    let keys: Vec<String> = rows.iter().map(|row| row.key.clone()).collect();
    rows.into_iter().nth(user.cursor.index(&keys))
}

/// What the selected row of the focused pane leads to.
pub fn selected_target(state: &State) -> Option<Target> {
    selected_row(state).and_then(|row| row.target)
}
