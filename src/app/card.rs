//! The confirm card: what will happen, exactly, and the only way to make it happen.
//!
//! The card *arms* 400 ms after the last change of its content has been drawn and never while the target
//! is being re-read; before that, keys do not answer it, so type-ahead and pastes cannot. Just before sending,
//! the runner reads the target once more: if it changed, nothing is sent, the change is shown here and
//! the card is disarmed. What leaves is the request whose digest was shown.

mod answer;
mod end;

pub use answer::{confirmed, edited, insisted, submitted, switched};
pub use end::{looked, progressed, ran};

use super::dry_run::DryRun;
use super::effect::{Effect, RunAsk};
use super::form::{self, Form};
use super::list::Scroll;
use super::msg::{Motion, Stage};
use super::state::{Awaited, Overlay, State};
use crate::domain::bulk::insisted_by_again;
use crate::domain::plan::{Confirm, Plan, Refusal};
use crate::domain::run_end::StepEnd;
use crate::domain::{OneTimeLink, RunEnd};
use jiff::{SignedDuration, Timestamp};
use tui_input::Input;

/// Where the card stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// The target is read and the request built; with a plan, it is read *again*.
    Preparing,
    /// It waits for an answer.
    Asking,
    /// It runs.
    Running(Option<Stage>),
    /// It ended.
    Done(Box<RunEnd>),
    /// It could not be prepared, or was not sent.
    Failed(String),
    /// It may have been sent, and its end is not known here.
    Unsure(String),
}

/// Which field takes the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Why it is done.
    Reason,
    /// The word or the login that confirms.
    Confirm,
}

/// The card.
#[derive(Debug, Clone)]
pub struct Card {
    /// What was asked.
    pub ask: RunAsk,
    /// What will happen, once prepared.
    pub plan: Option<Box<Plan>>,
    /// Where it stands.
    pub phase: Phase,
    /// What the analyst has typed to confirm.
    pub typed: Input,
    /// Why, in the analyst's words.
    pub reason: Input,
    /// Which field takes the keys.
    pub field: Field,
    /// What changed about the target since it was shown: name, then, now.
    pub changes: Vec<(String, String, String)>,
    /// What is wrong with what was typed.
    pub error: Option<String>,
    /// How far it is scrolled.
    pub scroll: Scroll,
    /// What would be done, as JSON, where that is read over the card.
    pub dry_run: Option<Box<DryRun>>,
    /// The form that it came from.
    pub form: Option<Box<Form>>,
    /// Whether its flow can be told something else than what it was asked with.
    listens: bool,
    /// When its content, as it is now, was first on the screen.
    pub shown_at: Option<Timestamp>,
    /// How long it has to have stood there before it can be answered.
    arms_after: SignedDuration,
}

impl Card {
    /// Whether it can be answered now.
    pub fn is_armed(&self, now: Timestamp) -> bool {
        let may = self.plan.as_ref().is_some_and(|plan| plan.refusal.is_none() && !self.must_insist(plan));
        may && self.is_asking() && self.has_stood(now)
    }

    /// Whether it waits for an answer, and nothing lies over it.
    fn is_asking(&self) -> bool {
        self.phase == Phase::Asking && self.dry_run.is_none()
    }

    /// Whether a dry run can be asked for: of what is on the screen, whether it can be sent or not.
    pub fn takes_dry_run(&self, now: Timestamp) -> bool {
        self.plan.is_some() && self.is_asking() && self.has_stood(now)
    }

    /// Why nothing of it is sent, where it would be asked otherwise.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.plan.as_ref().filter(|_| self.phase == Phase::Asking)?.refusal.as_ref()
    }

    /// Whether everything can be read anew: where nothing can be sent as it stands.
    pub fn takes_look(&self, now: Timestamp) -> bool {
        let is_stuck = self.refusal().is_some() || matches!(self.phase, Phase::Failed(_));
        is_stuck && self.dry_run.is_none() && self.has_stood(now)
    }

    /// Whether it leads to the form of its flow's inputs now: as long as nothing was sent.
    pub fn takes_form(&self, now: Timestamp) -> bool {
        let is_before = matches!(self.phase, Phase::Preparing | Phase::Asking | Phase::Failed(_));
        self.listens && is_before && self.dry_run.is_none() && self.has_stood(now)
    }

    /// Whether its content has been on the screen long enough to have been read.
    pub(super) fn has_stood(&self, now: Timestamp) -> bool {
        self.shown_at.is_some_and(|at| now.duration_since(at) >= self.arms_after)
    }

    /// Insisting answers that something is repeated. That it may be another's account is answered by saying which.
    fn must_insist(&self, plan: &Plan) -> bool {
        let is_open = match plan.account_doubt {
            Some(_) => !insisted_by_again(plan).is_empty(),
            None => plan.needs_again.is_some(),
        };
        is_open && !self.ask.insists
    }

    /// Whether the analyst has to insist before it arms. What is refused is not sent for that either.
    pub fn wants_insistence(&self) -> bool {
        let is_open = |plan: &&Plan| plan.refusal.is_none();
        let plan = self.plan.as_deref().filter(|_| self.is_asking()).filter(is_open);
        plan.is_some_and(|plan| self.must_insist(plan))
    }

    /// Whether insisting is taken now: not as the first letter of something typed ahead.
    pub fn takes_insistence(&self, now: Timestamp) -> bool {
        self.wants_insistence() && self.has_stood(now)
    }

    /// Whether single letters are answers now. Otherwise they are the rest of something that was typed
    /// too early, and must neither answer nor close the card.
    pub fn takes_letters(&self, now: Timestamp) -> bool {
        let asks_key = self.plan.as_ref().is_some_and(|plan| plan.to_confirm() == Confirm::Key);
        let has_ended = matches!(self.phase, Phase::Done(_) | Phase::Failed(_) | Phase::Unsure(_));
        has_ended && self.has_stood(now) || asks_key && self.is_armed(now)
    }

    /// Whether its request has left, or may have, and nothing is under way any more.
    pub fn has_left(&self) -> bool {
        matches!(self.phase, Phase::Done(_) | Phase::Unsure(_))
    }

    /// Whether a sign is no letter of anything: neither typed nor typed ahead.
    pub fn takes_signs(&self, now: Timestamp) -> bool {
        match self.phase {
            Phase::Done(_) | Phase::Failed(_) | Phase::Unsure(_) => true,
            _ => self.takes_no() && !self.takes_text(now),
        }
    }

    /// The content is another one now: it has to be drawn and read before it can be answered.
    fn changed(&mut self) {
        self.shown_at = None;
    }

    /// Whether letters are typed into a field rather than being keys.
    pub fn takes_text(&self, now: Timestamp) -> bool {
        let asks_text = self.plan.as_ref().is_some_and(|plan| {
            plan.to_confirm() != Confirm::Key || (self.field == Field::Reason && plan.reason_required)
        });
        self.is_armed(now) && asks_text
    }

    /// Whether it is answered by a word or a login that is typed: then a letter is one of that, and never a key, however
    /// the card stands.
    pub fn is_typed(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.to_confirm() != Confirm::Key)
    }

    /// Whether `n` is an answer. Where a word or a login is asked for, or nobody knows yet what is, it is
    /// a letter of somebody who types before the card arms: it must not end the card, or the rest of the
    /// word would be keys of the screen below.
    pub fn takes_no(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.to_confirm() == Confirm::Key)
    }

    /// When it arms.
    pub fn next_change(&self) -> Option<Timestamp> {
        self.shown_at.map(|at| at + self.arms_after)
    }

    /// The one-time link that the run brought, while it is on the card.
    pub fn link(&self) -> Option<&OneTimeLink> {
        match &self.phase {
            Phase::Done(end) => end.steps.iter().find_map(StepEnd::link),
            _ => None,
        }
    }

    /// Whether leaving the card stops nothing that matters: nothing of it is under way.
    pub fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running(_))
    }
}

/// Opens the card for a flow.
pub fn open(state: &mut State, ask: RunAsk) -> Vec<Effect> {
    opened(state, ask, None)
}

/// The same with what was said on a form.
pub(super) fn open_from(state: &mut State, ask: RunAsk, form: Box<Form>) -> Vec<Effect> {
    opened(state, ask, Some(form))
}

fn opened(state: &mut State, ask: RunAsk, form: Option<Box<Form>>) -> Vec<Effect> {
    if !ask.many.is_empty() {
        return super::many::open(state, ask, form);
    }
    let card = Card {
        listens: form::is_of(&state.settings.flows, &ask),
        form,
        ask: ask.clone(),
        plan: None,
        phase: Phase::Preparing,
        typed: Input::default(),
        reason: Input::default(),
        field: Field::Confirm,
        changes: Vec::new(),
        error: None,
        scroll: Scroll::default(),
        dry_run: None,
        shown_at: None,
        arms_after: state.settings.arms_after,
    };
    state.overlay = Some(Overlay::Card(Box::new(card)));
    let mut effects = given_up(state);
    effects.push(prepare(state, ask));
    effects
}

/// A plan that was prepared for one card is never shown on another.
pub(super) fn given_up(state: &mut State) -> Vec<Effect> {
    state.flights.give_up(|awaited| *awaited == Awaited::Plan).into_iter().map(Effect::Cancel).collect()
}

fn prepare(state: &mut State, ask: RunAsk) -> Effect {
    let request = state.flights.open(Awaited::Plan);
    Effect::PreparePlan { request, ask }
}

fn card(state: &mut State) -> Option<&mut Card> {
    match &mut state.overlay {
        Some(Overlay::Card(card)) => Some(card.as_mut()),
        _ => None,
    }
}

/// A frame was drawn: what the card holds is on the screen now.
pub fn drawn(state: &mut State) {
    let now = state.now;
    if let Some(card) = card(state) {
        card.shown_at.get_or_insert(now);
    }
}

/// The card's content came.
pub fn prepared(state: &mut State, answer: Result<Box<Plan>, String>) {
    let Some(card) = card(state) else { return };
    card.changed();
    match answer {
        Err(error) => match card.form.take_if(|form| form.is_told(&error)) {
            // What was said does not name what it should: it is said anew where it was.
            Some(form) => state.overlay = Some(Overlay::Form(form)),
            None => card.phase = Phase::Failed(error),
        },
        Ok(plan) => show(card, plan),
    }
}

fn show(card: &mut Card, plan: Box<Plan>) {
    if let Some(shown) = &card.plan {
        card.changes = shown.target.changes(&plan.target);
        // Whoever insisted did so for the reason that was shown, and for no other.
        card.ask.insists &= shown.needs_again == plan.needs_again;
    }
    let asks_reason = plan.reason_required && card.reason.value().trim().is_empty();
    card.field = if asks_reason { Field::Reason } else { Field::Confirm };
    card.typed = Input::default();
    card.plan = Some(plan);
    card.phase = Phase::Asking;
}

/// What is in the way may be gone by now: target and request are made anew.
pub fn looked_again(state: &mut State) -> Vec<Effect> {
    let now = state.now;
    let Some(card) = card(state).filter(|card| card.takes_look(now)) else { return Vec::new() };
    card.phase = Phase::Preparing;
    card.error = None;
    card.changed();
    let ask = card.ask.clone();
    let mut effects = given_up(state);
    effects.push(prepare(state, ask));
    effects
}

/// The card was answered with no, or left. A run under way goes on and is said when it ends.
pub fn left(state: &mut State) -> Vec<Effect> {
    let now = state.now;
    let Some(card) = card(state) else { return Vec::new() };
    let words = match &card.phase {
        Phase::Running(_) => Some("it goes on: its end is said here and stands in the journal"),
        Phase::Preparing | Phase::Asking => Some("not sent"),
        Phase::Done(_) | Phase::Failed(_) | Phase::Unsure(_) => None,
    };
    state.overlay = None;
    if let Some(words) = words {
        state.notice.say(now, words);
    }
    given_up(state)
}

/// A dry run lies over the card now.
pub(super) fn covered(state: &mut State, dry_run: DryRun) {
    if let Some(card) = card(state) {
        card.dry_run = Some(Box::new(dry_run));
        card.changed();
    }
}

/// What lay over the card was left: the card has to be read once more before it can be answered. Answers whether
/// there was anything.
pub fn uncovered(state: &mut State) -> bool {
    let Some(card) = card(state) else { return false };
    let was_covered = card.dry_run.take().is_some();
    if was_covered {
        card.changed();
    }
    was_covered
}

/// The card was scrolled.
pub fn moved(state: &mut State, motion: Motion) {
    let extent = state.extent;
    if let Some(card) = card(state) {
        card.scroll.go(motion, extent.lines, extent.height);
    }
}
