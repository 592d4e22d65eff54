//! The confirm card for many: one flow, everybody who is marked, the exceptions first.
//!
//! Everybody is planned before anything is asked, and how many of them are is seen meanwhile. What a confirmation
//! asks for is at least a word; where one person's login would be asked, the number of those who are acted on is
//! typed. The card arms as the card for one does, and never while anybody is being read.

use super::card::Field;
use super::dry_run::DryRun;
use super::effect::{Effect, RunAsk};
use super::form::Form;
use super::list::Scroll;
use super::msg::Motion;
use super::state::{Awaited, Overlay, State};
use super::{bulk, marks};
use crate::domain::bulk::{BulkId, Doubts};
use crate::domain::many::{self, Exception, Planned, Stand, Sum};
use crate::domain::operation::LINK;
use crate::domain::{Flow, Plan};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use tui_input::{Input, InputRequest};

/// Where the card stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// So many are read and planned.
    Planning(usize),
    /// It waits for an answer.
    Asking,
    /// The run is being kept; nobody is acted on before it is.
    Starting,
    /// Nobody could be planned, or the run was not kept: nothing was sent.
    Failed(String),
}

/// The card.
#[derive(Debug, Clone)]
pub struct ManyCard {
    /// What was asked, of whom.
    pub ask: RunAsk,
    /// The flow, where it is still configured.
    pub flow: Option<Flow>,
    /// What was planned for each, once everybody is.
    pub planned: Planned,
    /// Where it stands.
    pub phase: Phase,
    /// What the analyst has typed to confirm.
    pub typed: Input,
    /// Why, in the analyst's words.
    pub reason: Input,
    /// Which field takes the keys.
    pub field: Field,
    /// What is wrong with what was typed.
    pub error: Option<String>,
    /// How far it is scrolled.
    pub scroll: Scroll,
    /// What would be done, as JSON, where that is read over the card.
    pub dry_run: Option<Box<DryRun>>,
    /// The form that it came from.
    form: Option<Box<Form>>,
    /// When its content, as it is now, was first on the screen.
    pub shown_at: Option<Timestamp>,
    /// How long it has to have stood there before it can be answered.
    arms_after: SignedDuration,
}

/// What was confirmed for many.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfirmedMany {
    /// The plans that were shown, of those who are left out too.
    pub plans: Vec<Plan>,
    /// So many of them are acted on, as it was shown.
    pub acted_on: usize,
    /// Values for declared inputs.
    pub inputs: BTreeMap<String, String>,
    /// Why, in the analyst's words.
    pub reason: Option<String>,
    /// Whether what stands against single users was insisted on.
    pub insists: bool,
}

impl ManyCard {
    /// How each of them stands, the exceptions first.
    pub fn stands(&self) -> Vec<Stand<'_>> {
        many::stands(&self.planned, self.ask.insists)
    }

    /// What that comes to.
    pub fn sum(&self) -> Sum {
        many::sum(&self.stands())
    }

    /// How many are meant.
    pub fn meant(&self) -> usize {
        self.ask.many.len() + self.ask.undoes_run.as_ref().map_or(0, |undo| undo.left_out.len())
    }

    /// Whether it can be answered now.
    pub fn is_armed(&self, now: Timestamp) -> bool {
        self.is_asking() && self.has_stood(now) && self.sum().confirm.is_some()
    }

    /// Whether everybody is planned, and nobody would be acted on, whatever is insisted on.
    pub fn acts_on_nobody(&self) -> bool {
        let is_doubted = |kind: &Exception| *kind == Exception::Doubted;
        let sum = self.sum();
        self.phase == Phase::Asking
            && sum.acted_on == 0
            && !sum.left_out.iter().any(|(kind, _)| is_doubted(kind))
    }

    /// Whether it waits for an answer, and nothing lies over it.
    fn is_asking(&self) -> bool {
        self.phase == Phase::Asking && self.dry_run.is_none()
    }

    /// Whether a dry run can be asked for: of what is on the screen, whether anybody is acted on or not.
    pub fn takes_dry_run(&self, now: Timestamp) -> bool {
        self.is_asking() && self.has_stood(now)
    }

    /// Whether it is answered by something that is typed: then a letter is one of that, and never a key.
    pub fn is_typed(&self) -> bool {
        self.sum().confirm.is_some()
    }

    /// What becomes of those who would have to be insisted on.
    pub(super) fn doubts(&self) -> Doubts {
        if self.ask.insists { Doubts::InsistedOn } else { Doubts::Stand }
    }

    pub(super) fn has_stood(&self, now: Timestamp) -> bool {
        self.shown_at.is_some_and(|at| now.duration_since(at) >= self.arms_after)
    }

    /// Whether there are some who are left out unless the analyst insists.
    pub fn wants_insistence(&self) -> bool {
        let is_doubted = |stand: &Stand| matches!(stand.left_out, Some((Exception::Doubted, _)));
        self.is_asking() && !self.ask.insists && self.stands().iter().any(is_doubted)
    }

    /// Whether insisting is taken now: before anything is typed, and not as the first letter of something that was
    /// typed ahead.
    pub fn takes_insistence(&self, now: Timestamp) -> bool {
        let is_untouched = self.typed.value().is_empty() && self.field == Field::Confirm;
        self.wants_insistence() && self.has_stood(now) && is_untouched
    }

    /// Whether single letters are keys: otherwise they are the rest of something that was typed too early, and must
    /// not close the card.
    pub fn takes_letters(&self, now: Timestamp) -> bool {
        (matches!(self.phase, Phase::Failed(_)) || self.acts_on_nobody()) && self.has_stood(now)
    }

    /// Whether a sign is no letter of anything: neither typed nor typed ahead.
    pub fn takes_signs(&self) -> bool {
        match self.phase {
            Phase::Failed(_) => true,
            Phase::Asking => !self.is_typed(),
            Phase::Planning(_) | Phase::Starting => false,
        }
    }

    /// Whether letters are typed into a field rather than being keys.
    pub fn takes_text(&self, now: Timestamp) -> bool {
        self.is_armed(now)
    }

    /// When it arms.
    pub fn next_change(&self) -> Option<Timestamp> {
        self.shown_at.map(|at| at + self.arms_after)
    }

    fn changed(&mut self) {
        self.shown_at = None;
    }

    /// The reason is asked for first, where one is required.
    fn ask_first(&mut self) {
        let asks_reason = self.sum().reason_required && self.reason.value().trim().is_empty();
        self.field = if asks_reason { Field::Reason } else { Field::Confirm };
        self.typed = Input::default();
    }

    fn confirmed(&self) -> ConfirmedMany {
        ConfirmedMany {
            plans: self.planned.plans.clone(),
            acted_on: self.sum().acted_on,
            inputs: self.ask.inputs.clone(),
            reason: Some(self.reason.value().trim().to_owned()).filter(|reason| !reason.is_empty()),
            insists: self.ask.insists,
        }
    }
}

/// Opens the card for a flow on many.
pub(super) fn open(state: &mut State, ask: RunAsk, form: Option<Box<Form>>) -> Vec<Effect> {
    let flow = state.settings.flows.iter().find(|flow| Some(&flow.id) == ask.flow.as_ref()).cloned();
    if let Some(why) = refusal(state, &ask) {
        state.notice.fail(state.now, why);
        return Vec::new();
    }
    let card = ManyCard {
        ask: ask.clone(),
        flow,
        planned: Planned::default(),
        phase: Phase::Planning(0),
        typed: Input::default(),
        reason: Input::default(),
        field: Field::Confirm,
        error: None,
        scroll: Scroll::default(),
        dry_run: None,
        form,
        shown_at: None,
        arms_after: state.settings.arms_after,
    };
    state.overlay = Some(Overlay::Many(Box::new(card)));
    let mut effects = given_up(state);
    let request = state.flights.open(Awaited::ManyPlans);
    effects.push(Effect::PlanMany { request, ask });
    effects
}

/// Why no card opens, if so.
fn refusal(state: &State, ask: &RunAsk) -> Option<String> {
    let (meant, limit) = (ask.many.len(), state.settings.bulk_limit);
    if meant > limit {
        return Some(format!("{meant} users are more than the {limit} of `[guard] bulk_limit`: mark fewer"));
    }
    // A link is shown once, to whoever waits for it: nobody waits for many.
    let hands_links = ask.inputs.get(LINK).is_some_and(|value| value == "true");
    hands_links.then(|| {
        "one-time links are handed out one at a time here; hint: `idtriage okta user` and `idtriage run` print many"
            .to_owned()
    })
}

/// Plans that were made for one card are never shown on another.
fn given_up(state: &mut State) -> Vec<Effect> {
    state.flights.give_up(|awaited| *awaited == Awaited::ManyPlans).into_iter().map(Effect::Cancel).collect()
}

/// The card that is open.
pub fn card(state: &mut State) -> Option<&mut ManyCard> {
    match &mut state.overlay {
        Some(Overlay::Many(card)) => Some(card.as_mut()),
        _ => None,
    }
}

/// A frame was drawn: what the card holds is on the screen now.
pub fn drawn(state: &mut State) {
    let now = state.now;
    if let Some(card) = card(state).filter(|card| !matches!(card.phase, Phase::Planning(_))) {
        card.shown_at.get_or_insert(now);
    }
}

/// So many are read by now.
pub fn read(state: &mut State, how_many: usize) {
    if let Some(card) = card(state)
        && let Phase::Planning(read) = &mut card.phase
    {
        *read = how_many.max(*read);
    }
}

/// Everybody is planned.
pub fn planned(state: &mut State, answer: Result<Planned, String>) {
    let Some(card) = card(state) else { return };
    card.changed();
    match answer {
        Err(why) => match card.form.take_if(|form| form.is_told(&why)) {
            Some(form) => state.overlay = Some(Overlay::Form(form)),
            None => card.phase = Phase::Failed(why),
        },
        Ok(planned) => {
            card.planned = planned;
            card.phase = Phase::Asking;
            card.ask_first();
        }
    }
}

/// The analyst insists: whoever was left out for that is acted on too, so that another number may be asked.
pub fn insisted(state: &mut State) {
    let now = state.now;
    if let Some(card) = card(state).filter(|card| card.takes_insistence(now)) {
        card.ask.insists = true;
        card.ask_first();
        card.changed();
    }
}

/// A field was edited; before the card is armed nothing is taken.
pub fn edited(state: &mut State, request: InputRequest) {
    let now = state.now;
    let Some(card) = card(state).filter(|card| card.takes_text(now)) else { return };
    card.error = None;
    match card.field {
        Field::Reason => card.reason.handle(request),
        Field::Confirm => card.typed.handle(request),
    };
}

/// The other field takes the keys.
pub fn switched(state: &mut State) {
    if let Some(card) = card(state).filter(|card| card.phase == Phase::Asking) {
        card.field = if card.field == Field::Reason { Field::Confirm } else { Field::Reason };
        card.changed();
    }
}

/// The field was left with enter.
pub fn submitted(state: &mut State) -> Vec<Effect> {
    let now = state.now;
    let Some(card) = card(state).filter(|card| card.is_armed(now)) else { return Vec::new() };
    let sum = card.sum();
    let has_reason = !card.reason.value().trim().is_empty();
    if card.field == Field::Reason && (has_reason || !sum.reason_required) {
        card.field = Field::Confirm;
        // A paste that arrives as keys goes on behind its line break: it must not reach the question.
        card.changed();
        return Vec::new();
    }
    if sum.reason_required && !has_reason {
        card.field = Field::Reason;
        card.error = Some("a reason is required: it goes into the journal".to_owned());
        return Vec::new();
    }
    let Some(asked) = sum.confirm else { return Vec::new() };
    if !asked.accepts(card.typed.value()) {
        card.typed = Input::default();
        card.error = Some(match asked {
            many::ConfirmMany::Word(word) => format!("type `{word}` exactly"),
            many::ConfirmMany::Count(_) => {
                "that is not the number of those who are acted on: it stands in the first line".to_owned()
            }
        });
        return Vec::new();
    }
    let confirmed = Box::new(card.confirmed());
    card.phase = Phase::Starting;
    let request = state.flights.open(Awaited::BulkBegun);
    vec![Effect::RunMany { request, confirmed }]
}

/// The run is kept and driven from here: its screen takes the card's place. Or it was not: nothing was sent.
pub fn begun(state: &mut State, answer: Result<BulkId, String>) -> Vec<Effect> {
    let now = state.now;
    let waits = card(state).filter(|card| card.phase == Phase::Starting);
    match (answer, waits) {
        (Ok(id), Some(_)) => {
            state.overlay = None;
            marks::cleared(state);
            bulk::drives(state, id);
            state.notice.say(now, "it goes on whoever leaves this screen; `:bulk` lists the runs on many");
            bulk::open(state, id)
        }
        // The card was left: whoever did so has gone on.
        (Ok(id), None) => {
            bulk::drives(state, id);
            Vec::new()
        }
        (Err(why), Some(card)) => {
            card.changed();
            card.phase = Phase::Failed(why);
            Vec::new()
        }
        (Err(why), None) => {
            state.notice.fail(now, why);
            Vec::new()
        }
    }
}

/// The card was left. Where the run is being kept already, it goes on and has its own screen.
pub fn left(state: &mut State) -> Vec<Effect> {
    let now = state.now;
    let Some(card) = card(state) else { return Vec::new() };
    let words = match &card.phase {
        // It asked nothing.
        Phase::Asking if card.acts_on_nobody() => None,
        Phase::Planning(_) | Phase::Asking if card.ask.undoes_run.is_some() => Some("not sent"),
        Phase::Planning(_) | Phase::Asking => Some("not sent: the marks are still there"),
        Phase::Starting => Some("it begins all the same: `:bulk` lists the runs on many"),
        Phase::Failed(_) => None,
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
