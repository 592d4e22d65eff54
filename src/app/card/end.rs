//! How a run goes on and ends: on its card, or as a notice where the card is gone.

use super::{Card, Phase, card, prepare};
use crate::app::effect::Effect;
use crate::app::msg::{NotRun, Stage};
use crate::app::state::State;
use crate::domain::operation::Operation;
use crate::domain::plan::Plan;
use crate::domain::run_end::{Ended, StepEnd};
use crate::domain::{Action, ActionId, RunEnd};

/// A run went on.
pub fn progressed(state: &mut State, action: ActionId, stage: Stage) {
    if let Some(running) = state.running.iter_mut().find(|running| running.action == action) {
        running.stage = Some(stage.clone());
    }
    let is_its = |card: &&mut Card| card.plan.as_ref().is_some_and(|plan| plan.action == action);
    if let Some(card) = card(state).filter(is_its).filter(|card| card.is_running()) {
        card.phase = Phase::Running(Some(stage));
    }
}

/// A run ended: on its card, or as a notice if the card is gone. Where the target had changed, nothing
/// was sent: the card is made anew and shows the change.
pub fn ran(state: &mut State, id: ActionId, answer: Result<Box<RunEnd>, NotRun>) -> Vec<Effect> {
    let now = state.now;
    let what = state.running.iter().find(|running| running.action == id).map(|running| running.what.clone());
    state.running.retain(|running| running.action != id);
    let is_its = |card: &&mut Card| card.plan.as_ref().is_some_and(|plan| plan.action == id);
    if let Some(card) = card(state).filter(is_its) {
        card.changed();
        return match answer {
            Ok(end) => stay(card, Phase::Done(end)),
            Err(NotRun::Because(why)) => stay(card, Phase::Failed(why)),
            Err(NotRun::Unsure(why)) => stay(card, Phase::Unsure(why)),
            Err(NotRun::TargetChanged(why)) => {
                card.phase = Phase::Preparing;
                card.error = Some(why);
                let ask = card.ask.clone();
                vec![prepare(state, ask)]
            }
        };
    }
    let what = what.unwrap_or_default();
    let said = match answer {
        Ok(end) => Ok(format!("{what}: {}{}", end.words(), lost_link(&end))),
        Err(NotRun::Because(why) | NotRun::Unsure(why) | NotRun::TargetChanged(why)) => {
            Err(format!("{what}: {why}"))
        }
    };
    state.notice.result(now, said);
    Vec::new()
}

/// The target of an action was looked at again: it stands on its card as it is now.
pub fn looked(state: &mut State, action: &Action) {
    let Some(card) = card(state) else { return };
    if is_the_lost_one(card, action) {
        // Nobody heard how it ended: the store knows.
        let ended = Ended::Ran { action: Box::new(action.clone()), link: None };
        let step = StepEnd { flow: action.flow.clone(), verb: action.verb.clone(), ended };
        card.phase = Phase::Done(Box::new(RunEnd::of(step)));
        return card.changed();
    }
    let Phase::Done(end) = &mut card.phase else { return };
    let mut is_its = false;
    for step in &mut end.steps {
        if let Ended::Ran { action: known, .. } = &mut step.ended
            && known.id == action.id
        {
            **known = action.clone();
            is_its = true;
        }
    }
    if is_its {
        card.changed();
    }
}

fn is_the_lost_one(card: &Card, action: &Action) -> bool {
    let is_its = |plan: &Plan| plan.action == action.id && plan.steps.is_empty();
    matches!(card.phase, Phase::Unsure(_)) && card.plan.as_deref().is_some_and(is_its)
}

/// A link is shown on its card alone, and that is gone.
fn lost_link(end: &RunEnd) -> String {
    let step = end.steps.iter().find(|step| step.link().is_some());
    let operation = step.and_then(|step| Operation::of_flow(&step.flow));
    let words = |operation: Operation| {
        format!("; its one-time link was on the card that was left: {}", operation.another_link())
    };
    operation.map(words).unwrap_or_default()
}

fn stay(card: &mut Card, phase: Phase) -> Vec<Effect> {
    card.phase = phase;
    Vec::new()
}
