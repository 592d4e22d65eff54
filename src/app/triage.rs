//! Claim and release, close, note: on the finding that is selected.
//!
//! On a row of the feed that names one user, the finding is read first and the change goes on from
//! there; where an event names several, the analyst chooses one on its screen.

use super::effect::{Effect, RunAsk};
use super::msg::{Motion, OperationAsk};
use super::pane::Target;
use super::state::{Awaited, Overlay, Screen, State};
use super::{bulk, card, event, flows, marks, user};
use crate::domain::operation::PROFILE;
use crate::domain::page::{EventUser, From, Page};
use crate::domain::profile::Profile;
use crate::domain::query::UserQuery;
use crate::domain::{Change, Disposition, EventId, Finding, FindingState, FlowId, Login};
use tui_input::{Input, InputRequest};

/// What is to be done with a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Claim it, or release it if it is ours.
    Claim,
    /// Close it.
    Close,
    /// Write a note.
    Note,
    /// Offer the flows.
    Remediate,
    /// Open the person.
    Person,
}

/// What is selected.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selected {
    /// The event.
    pub event: Option<EventId>,
    /// The person.
    pub login: Option<Login>,
    /// The finding.
    pub finding: Option<Finding>,
}

/// What is selected on the visible screen.
pub fn selected(state: &State) -> Selected {
    match state.stack.last() {
        Some(Screen::Event(screen)) => {
            let user = screen.selected();
            let login = user.map(|user| user.login.clone());
            Selected { event: Some(screen.id), login, finding: user.and_then(|user| user.finding.clone()) }
        }
        Some(Screen::User(screen)) => {
            let finding = of_person(state, screen);
            Selected { event: event_of(screen, finding.as_ref()), login: Some(screen.login.clone()), finding }
        }
        Some(Screen::Address(screen)) => Selected { login: screen.selected(), ..Selected::default() },
        Some(Screen::Log(screen)) => {
            let login = screen.selected().and_then(crate::domain::log::LogRecord::person);
            Selected { login, ..Selected::default() }
        }
        Some(Screen::LookUp(screen)) => Selected { login: screen.person(), ..Selected::default() },
        Some(Screen::Bulk(_)) => Selected { login: bulk::person(state), ..Selected::default() },
        Some(Screen::Raw(_) | Screen::Journal(_) | Screen::Health(_) | Screen::Bulks(_)) => {
            Selected::default()
        }
        None => of_feed(state),
    }
}

fn of_feed(state: &State) -> Selected {
    let Some(event) = state.feed.selected() else { return Selected::default() };
    let one = event.first_users.first().filter(|_| event.user_count == 1);
    Selected { event: Some(event.id), login: one.cloned(), finding: None }
}

/// On User 360: the finding under the cursor, else the one that the analyst came from, else the only one
/// that is not closed.
fn of_person(state: &State, screen: &user::UserScreen) -> Option<Finding> {
    if let Some(Target::Finding(id)) = user::selected_target(state) {
        return screen.findings.iter().find(|finding| finding.id == id).cloned();
    }
    if let Some(finding) = screen.about() {
        return Some(finding.clone());
    }
    let mut undone = screen.findings.iter().filter(|finding| finding.state != FindingState::Closed);
    let first = undone.next()?;
    undone.next().is_none().then(|| first.clone())
}

/// The event that a person was opened from, where it is about this finding.
fn event_of(screen: &user::UserScreen, finding: Option<&Finding>) -> Option<EventId> {
    let about = screen.about.as_ref()?;
    finding.filter(|finding| finding.check.id == about.check).map(|_| about.event)
}

/// The finding that the selected row is about, for a person that is opened from it.
fn about(state: &State) -> Option<user::About> {
    match state.stack.last() {
        None => state.feed.selected().map(|row| user::About { event: row.id, check: row.check.id.clone() }),
        Some(Screen::Event(screen)) => {
            let check = screen.detail.as_ref().map(|detail| detail.event.check.id.clone());
            check.map(|check| user::About { event: screen.id, check })
        }
        _ => None,
    }
}

/// Something was asked for on the selected finding.
pub fn asked(state: &mut State, then: Then) -> Vec<Effect> {
    if !super::feed::pin(state) {
        return Vec::new();
    }
    let chosen = selected(state);
    if let Some(finding) = chosen.finding {
        return go_on(state, then, chosen.event, finding);
    }
    match (chosen.event, chosen.login) {
        (_, Some(login)) if then == Then::Person => {
            let about = about(state);
            user::open(state, login, about)
        }
        (None, Some(login)) if then == Then::Remediate => {
            flows::open(state, RunAsk { login, ..RunAsk::default() })
        }
        (Some(id), Some(_)) if state.stack.is_empty() => ask_for_finding(state, id, then),
        (Some(id), None) if state.stack.is_empty() => choose_first(state, id),
        (_, Some(_)) => nothing(state, "choose a finding first: the pane Findings lists them"),
        _ => nothing(state, "there is no finding here"),
    }
}

/// An operation of Okta's own was asked for by its name: its card opens, on whoever is named, else on whom
/// the cursor names, from their finding.
pub fn operation_asked(state: &mut State, mut asked: OperationAsk) -> Vec<Effect> {
    if state.settings.is_read_only {
        return nothing(state, READ_ONLY);
    }
    let known = |flow: &FlowId| state.settings.flows.iter().any(|known| known.id == *flow);
    let Some(flow) = asked.flow.take().filter(known) else {
        return nothing(state, "Okta is not configured: `[okta]` with a credential offers its operations");
    };
    if let Err(why) = fill_in(state, &flow, &mut asked) {
        return nothing(state, &why);
    }
    // With marks, whoever names nobody means those who are marked.
    let marked = marks::ask(state).filter(|_| asked.login.is_none());
    if let Some(marked) = marked {
        return card::open(state, RunAsk { flow: Some(flow), inputs: asked.inputs, ..marked });
    }
    let chosen = selected(state);
    let Some(whom) = asked.login.or_else(|| chosen.login.clone()) else {
        let command = flow.0.trim_start_matches("okta-");
        return nothing(state, &format!("nobody is chosen here: open the person first, then `:{command}`"));
    };
    let finding = chosen.finding.filter(|finding| finding.login == whom);
    let event = chosen.event.filter(|_| finding.is_some());
    let check = finding.as_ref().map(|finding| (finding.check.id.clone(), finding.check.title.clone()));
    let finding = finding.map(|finding| finding.id);
    let inputs = asked.inputs;
    let ask = RunAsk { flow: Some(flow), login: whom, finding, event, check, inputs, ..RunAsk::default() };
    card::open(state, ask)
}

/// Fields that were said become the profile under Okta's names. An account that is made is of the login that
/// is among them, and of nobody under the cursor.
fn fill_in(state: &State, flow: &FlowId, asked: &mut OperationAsk) -> Result<(), String> {
    let makes = state.settings.flows.iter().any(|known| known.id == *flow && known.creates());
    if asked.fields.is_empty() && !makes {
        return Ok(());
    }
    let profile = Profile::of(&state.settings.profile_map, &asked.fields)
        .map_err(|error| format!("{error}; hint: {}", error.hint()))?;
    if makes {
        let login = profile.text_of("login").map(Login::new);
        asked.login = Some(login.ok_or("an account that is made needs a login: `login=ann@example.com`")?);
    }
    asked.inputs.insert(PROFILE.to_owned(), profile.json());
    Ok(())
}

/// Why nothing is changed.
pub(super) const READ_ONLY: &str = "the console was started with --read-only: nothing is changed";

fn nothing(state: &mut State, why: &str) -> Vec<Effect> {
    state.notice.fail(state.now, why);
    Vec::new()
}

fn choose_first(state: &mut State, id: EventId) -> Vec<Effect> {
    let (title, count) = match state.feed.selected() {
        Some(row) if row.user_count > 0 => (row.check.name(), row.user_count),
        _ => return nothing(state, "this event names no user"),
    };
    state.notice.say(state.now, format!("{count} users fail: choose one, then press again"));
    event::open(state, id, title)
}

fn ask_for_finding(state: &mut State, id: EventId, then: Then) -> Vec<Effect> {
    let before = state.flights.give_up(|awaited| matches!(awaited, Awaited::FindingOf(..)));
    let mut effects: Vec<Effect> = before.into_iter().map(Effect::Cancel).collect();
    let request = state.flights.open(Awaited::FindingOf(id, then));
    let query = UserQuery::default();
    effects.push(Effect::LoadEventUsers { request, id, query, from: From::Newest, limit: 1 });
    effects
}

/// The finding of a feed row came.
pub fn finding_came(
    state: &mut State,
    id: EventId,
    then: Then,
    answer: Result<Page<EventUser>, String>,
) -> Vec<Effect> {
    if then != Then::Claim && (state.overlay.is_some() || !state.stack.is_empty()) {
        // The analyst has gone on: nothing pops up under their fingers.
        return Vec::new();
    }
    match answer.map(|page| page.rows.into_iter().next().and_then(|user| user.finding)) {
        Err(error) => nothing(state, &error),
        Ok(None) => nothing(state, "this event opened no finding"),
        Ok(Some(finding)) => go_on(state, then, Some(id), finding),
    }
}

fn go_on(state: &mut State, then: Then, event: Option<EventId>, finding: Finding) -> Vec<Effect> {
    if state.settings.is_read_only && then != Then::Person {
        return nothing(state, READ_ONLY);
    }
    match then {
        Then::Claim => claim(state, finding),
        Then::Close => open_dialog(state, Dialog::close(finding)),
        Then::Note => open_dialog(state, Dialog::note(finding)),
        Then::Person => {
            let about = event.map(|event| user::About { event, check: finding.check.id.clone() });
            user::open(state, finding.login, about)
        }
        Then::Remediate => {
            let check = Some((finding.check.id.clone(), finding.check.title.clone()));
            let ask =
                RunAsk { login: finding.login, finding: Some(finding.id), event, check, ..RunAsk::default() };
            flows::open(state, ask)
        }
    }
}

fn claim(state: &mut State, finding: Finding) -> Vec<Effect> {
    let is_ours = finding.assignee.as_deref() == Some(state.settings.analyst.as_str());
    let change =
        if finding.state == FindingState::Claimed && is_ours { Change::Release } else { Change::Claim };
    vec![change_effect(state, &finding, change)]
}

fn change_effect(state: &mut State, finding: &Finding, change: Change) -> Effect {
    let request = state.flights.open(Awaited::Change(change.past()));
    Effect::ChangeFinding { request, finding: finding.id, version: finding.version, change }
}

/// A change was made, or not.
pub fn changed(state: &mut State, what: &str, answer: Result<Box<Finding>, String>) {
    match answer {
        Err(error) => state.notice.fail(state.now, error),
        Ok(finding) => {
            // What was done comes first: a narrow line is cut at its end.
            let text = format!("{what}: {} of {}", finding.check.name(), finding.login);
            state.notice.say(state.now, text);
            put(state, &finding);
        }
    }
}

/// Puts a changed finding where it is shown; the next reading of the store confirms it.
fn put(state: &mut State, finding: &Finding) {
    for screen in &mut state.stack {
        let shown: Vec<&mut Finding> = match screen {
            Screen::Event(screen) => {
                screen.users.rows.iter_mut().filter_map(|user| user.finding.as_mut()).collect()
            }
            Screen::User(screen) => screen.findings.iter_mut().collect(),
            _ => Vec::new(),
        };
        for known in shown {
            if known.id == finding.id {
                known.clone_from(finding);
            }
        }
    }
}

/// Which dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialogKind {
    /// A disposition and a reason.
    Close,
    /// A text.
    Note,
}

/// A triage dialog.
#[derive(Debug, Clone)]
pub struct Dialog {
    /// Which.
    pub kind: DialogKind,
    /// On which finding, as the analyst sees it.
    pub finding: Finding,
    /// The chosen disposition, by its place.
    pub disposition: usize,
    /// The text that is typed.
    pub input: Input,
    /// What is missing.
    pub error: Option<String>,
}

impl Dialog {
    fn close(finding: Finding) -> Dialog {
        Dialog { kind: DialogKind::Close, finding, disposition: 0, input: Input::default(), error: None }
    }

    fn note(finding: Finding) -> Dialog {
        Dialog { kind: DialogKind::Note, ..Dialog::close(finding) }
    }

    /// The disposition that is chosen.
    pub fn chosen(&self) -> Disposition {
        Disposition::ALL.get(self.disposition).copied().unwrap_or(Disposition::Undetermined)
    }

    fn change(&self) -> Change {
        let text = self.input.value().trim().to_owned();
        match self.kind {
            DialogKind::Close => Change::Close { disposition: self.chosen(), reason: text },
            DialogKind::Note => Change::Note { text },
        }
    }
}

fn open_dialog(state: &mut State, dialog: Dialog) -> Vec<Effect> {
    state.overlay = Some(Overlay::Dialog(Box::new(dialog)));
    Vec::new()
}

/// Another disposition was chosen.
pub fn choice_moved(dialog: &mut Dialog, motion: Motion) {
    let all = Disposition::ALL.len();
    if dialog.kind == DialogKind::Close {
        dialog.disposition = match motion {
            Motion::Up | Motion::HalfUp => (dialog.disposition + all - 1) % all,
            Motion::Top => 0,
            Motion::End => all - 1,
            Motion::Down | Motion::HalfDown => (dialog.disposition + 1) % all,
        };
    }
}

/// The text was edited.
pub fn edited(dialog: &mut Dialog, request: InputRequest) {
    dialog.error = None;
    dialog.input.handle(request);
}

/// The dialog was left with enter.
pub fn submitted(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Dialog(dialog)) = &mut state.overlay else { return Vec::new() };
    if dialog.input.value().trim().is_empty() {
        let what = if dialog.kind == DialogKind::Close { "a reason" } else { "a note" };
        dialog.error = Some(format!("{what} is required: it goes into the journal"));
        return Vec::new();
    }
    let (change, finding) = (dialog.change(), dialog.finding.clone());
    state.overlay = None;
    vec![change_effect(state, &finding, change)]
}
