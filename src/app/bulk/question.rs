//! What is asked about a run before it is done, and what is done at once.

use super::{drives, fail, is_interrupted, is_taken_up, run, store_changed, told, turning};
use crate::app::effect::Effect;
use crate::app::state::{Awaited, Overlay, Screen, State};
use crate::app::triage::READ_ONLY;
use crate::domain::bulk::{BulkId, BulkRun, BulkState};
use crate::domain::counted::users;
use crate::domain::many::ConfirmMany;
use crate::domain::operation::LINK;
use jiff::{SignedDuration, Timestamp};
use tui_input::{Input, InputRequest};

/// What is asked about a run before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// To go on with it.
    Resume,
    /// To act on those who wait no more.
    Stop,
}

/// A question about a run.
#[derive(Debug, Clone)]
pub struct Question {
    /// What is asked.
    pub asking: Asking,
    /// About which run.
    pub id: BulkId,
    /// In words.
    pub words: String,
    /// What has to be typed; a key answers where nothing has.
    pub confirm: Option<ConfirmMany>,
    /// What is typed.
    pub typed: Input,
    /// What is wrong with what was typed.
    pub error: Option<String>,
    /// When it was first on the screen: a `y` typed ahead was not meant for it.
    pub shown_at: Option<Timestamp>,
    arms_after: SignedDuration,
}

impl Question {
    fn has_stood(&self, now: Timestamp) -> bool {
        self.shown_at.is_some_and(|at| now.duration_since(at) >= self.arms_after)
    }

    /// Whether letters are typed rather than being keys: what was typed ahead was not meant for it.
    pub fn takes_text(&self, now: Timestamp) -> bool {
        self.confirm.is_some() && self.has_stood(now)
    }

    /// When it takes an answer.
    pub fn next_change(&self) -> Option<Timestamp> {
        self.shown_at.map(|at| at + self.arms_after)
    }
}

/// The run that is meant: the one on the screen, or the selected one of the list.
pub(super) fn meant(state: &State) -> Option<BulkRun> {
    match state.stack.last()? {
        Screen::Bulk(screen) => screen.run.clone(),
        Screen::Bulks(screen) => screen.selected().cloned(),
        _ => None,
    }
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

/// Whether the run that is meant would be paused by being told so.
pub fn takes_pause(state: &State) -> bool {
    meant(state).is_some_and(|run| {
        let is_driven = run.state == BulkState::Running && !is_interrupted(state, &run);
        is_driven && told(state, run.id).is_none() && unchangeable(state, &run).is_none()
    })
}

/// Whether it can be asked about the run that is meant.
pub fn takes(state: &State, asking: Asking) -> bool {
    meant(state)
        .is_some_and(|run| unchangeable(state, &run).or_else(|| not_now(state, &run, asking)).is_none())
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
    if let Some(to) = told(state, run.id) {
        return fail(state, turning(&run, to));
    }
    let words = turning(&run, BulkState::Paused);
    state.notice.say(state.now, words);
    turn(state, run.id, BulkState::Paused)
}

/// One that is driven from here is seen to wait or to stop at once, though it does so when those on their way have
/// landed.
fn turn(state: &mut State, id: BulkId, to: BulkState) -> Vec<Effect> {
    if let Some(driving) = state.driving.iter_mut().find(|driving| driving.id == id) {
        driving.told = Some(to);
    }
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
    let open = waiting + run.counts.pending();
    let words = match asking {
        Asking::Resume => {
            let why = run.why.as_deref().map(|why| format!(" It waits because {why}.")).unwrap_or_default();
            let by = run.confirmed_by();
            format!(
                "Go on with it: {verb}, {} who wait? Each is planned anew.{why} It was {by}.",
                users(waiting)
            )
        }
        // Whoever's turn has come may not have been sent for yet: how many those are changes while this is read.
        Asking::Stop => format!(
            "Stop it for good? Up to {} whose request has not left by then {} acted on no more. What has left is waited for.",
            users(open),
            if open == 1 { "is" } else { "are" }
        ),
    };
    let confirm = run.asks_to_go_on().filter(|_| asking == Asking::Resume);
    state.overlay = Some(Overlay::Ask(Box::new(Question {
        asking,
        id: run.id,
        words,
        confirm,
        typed: Input::default(),
        error: None,
        shown_at: None,
        arms_after: state.settings.arms_after,
    })));
    Vec::new()
}

fn not_now(state: &State, run: &BulkRun, asking: Asking) -> Option<String> {
    if asking == Asking::Stop {
        return None;
    }
    if run.state == BulkState::Running && !is_interrupted(state, run) {
        return Some("this run is being driven".to_owned());
    }
    if is_taken_up(state, run.id) {
        return Some("those on their way land first: then it can be gone on with".to_owned());
    }
    let hands_links = run.inputs.get(LINK).is_some_and(|value| value == "true");
    hands_links.then(|| {
        format!("its one-time links would be shown to nobody here; hint: `idtriage bulk resume {} --yes` prints them", run.id)
    })
}

/// The question was answered with yes: by a key, which is no answer where something has to be typed.
pub fn confirmed(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Ask(question)) = &state.overlay else { return Vec::new() };
    if question.confirm.is_some() || !question.has_stood(state.now) {
        return Vec::new();
    }
    let (id, asking) = (question.id, question.asking);
    answered(state, id, asking)
}

/// What has to be typed was edited; what was typed ahead is not taken.
pub fn edited(state: &mut State, request: InputRequest) {
    let now = state.now;
    if let Some(Overlay::Ask(question)) = &mut state.overlay
        && question.takes_text(now)
    {
        question.error = None;
        question.typed.handle(request);
    }
}

/// What has to be typed was left with enter.
pub fn submitted(state: &mut State) -> Vec<Effect> {
    let now = state.now;
    let Some(Overlay::Ask(question)) = &mut state.overlay else { return Vec::new() };
    let Some(asked) = question.confirm.clone().filter(|_| question.takes_text(now)) else {
        return Vec::new();
    };
    if !asked.accepts(question.typed.value()) {
        question.typed = Input::default();
        question.error = Some(match asked {
            ConfirmMany::Word(word) => format!("type `{word}` exactly"),
            ConfirmMany::Count(_) => "that is not the number of those who wait".to_owned(),
        });
        return Vec::new();
    }
    let (id, asking) = (question.id, question.asking);
    answered(state, id, asking)
}

fn answered(state: &mut State, id: BulkId, asking: Asking) -> Vec<Effect> {
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
pub fn turned(state: &mut State, id: BulkId, answer: Result<String, String>) -> Vec<Effect> {
    if answer.is_err()
        && let Some(driving) = state.driving.iter_mut().find(|driving| driving.id == id)
    {
        driving.told = None;
    }
    state.notice.result(state.now, answer);
    store_changed(state)
}

/// A run was taken up again, or not.
pub fn resumed(state: &mut State, id: BulkId, answer: Result<BulkId, String>) -> Vec<Effect> {
    match answer {
        Ok(_) => {
            drives(state, id);
            run::goes_on(state, id);
            state.notice.say(state.now, "it goes on");
        }
        Err(why) => state.notice.fail(state.now, why),
    }
    store_changed(state)
}

/// A frame was drawn: the question is on the screen now.
pub fn drawn(state: &mut State) {
    let now = state.now;
    if let Some(Overlay::Ask(question)) = &mut state.overlay {
        question.shown_at.get_or_insert(now);
    }
}
