//! What the card says when its run has ended: what came of it and how much of that is proven, what can be done now, and
//! what was sent and came back. Nothing of the question is left: it was answered.

use super::Scene;
use super::card_text::{ending, proof, receipt, request, section, undone};
use super::prose::Prose;
use super::theme::Role;
use super::words;
use crate::app::card::{Card, Phase};
use crate::domain::plan::Plan;
use crate::domain::run_end::{RunEnd, StepEnd};
use crate::domain::{Action, OneTimeLink, Outcome, later, undo};

/// Everything between the sentence and the keys, but for what stands whole beside them.
pub(super) fn write(scene: &Scene, prose: &mut Prose, card: &Card, plan: &Plan, pinned: &str) {
    match &card.phase {
        Phase::Done(end) => ended(scene, prose, (card, plan, end), pinned),
        _ => unsure(scene, prose, plan),
    }
    if let Some(undoes) = &plan.undoes {
        prose.fact("undoes", Role::Text, &format!("{} (action {})", undoes.what, undoes.action));
    }
    let account = plan.account().map(|account| format!(", {account}")).unwrap_or_default();
    prose.fact("account", Role::Text, &format!("{}{account}", plan.whom()));
    prose.fact("flow", Role::Text, &format!("{} ({})", plan.flow.name, plan.flow.id));
    section(prose, "Limits", &plan.caveats);
    section(prose, "Audit: to be looked for in the System Log", &plan.flow.audit);
    if let Phase::Done(end) = &card.phase
        && let Some(action) = end.only_action()
    {
        receipt(prose, action.receipt.as_ref(), &scene.state.settings.zone);
    }
    plan.parts().iter().for_each(|part| request(prose, &part.request));
}

fn ended(scene: &Scene, prose: &mut Prose, (card, plan, end): (&Card, &Plan, &RunEnd), pinned: &str) {
    end.steps.iter().filter_map(StepEnd::link).for_each(|link| handed(prose, link));
    for another in end.steps.iter().filter_map(|step| plan.missed_link(step)) {
        prose.marked("! ", Role::Alarm, &format!("the one-time link did not come: {another}"));
        prose.blank();
    }
    let actions: Vec<&Action> = end.steps.iter().filter_map(StepEnd::action).collect();
    match end.only_action() {
        Some(action) => {
            if pinned.is_empty() {
                ending(prose, &scene.state.settings.zone, action);
            } else {
                undone(prose, &scene.state.settings.zone, action);
                proof(prose, action);
            }
            next(scene, prose, &actions);
            sent(scene, prose, action);
        }
        None => {
            next(scene, prose, &actions);
            end.steps.iter().for_each(|step| of_step(scene, prose, step));
            prose.blank();
        }
    }
    let reason = card.reason.value().trim();
    if !reason.is_empty() {
        prose.fact("reason", Role::Text, reason);
    }
}

/// The only place where a one-time link is ever shown.
fn handed(prose: &mut Prose, link: &OneTimeLink) {
    prose.heading(Role::Heading, "The one-time link: it is shown here once, and kept nowhere");
    prose.say(Role::Accent, link.expose());
    prose.blank();
}

/// A step of a run of several.
fn of_step(scene: &Scene, prose: &mut Prose, step: &StepEnd) {
    prose.heading(Role::Heading, &words::capitalised(&step.verb));
    match step.action() {
        Some(action) => {
            ending(prose, &scene.state.settings.zone, action);
            sent(scene, prose, action);
            receipt(prose, action.receipt.as_ref(), &scene.state.settings.zone);
        }
        None => prose.fact("outcome", step.outcome(), &step.words()),
    }
}

/// What was sent, or tried, and when; and under which ids both sides have it.
fn sent(scene: &Scene, prose: &mut Prose, action: &Action) {
    let zone = &scene.state.settings.zone;
    let label = match action.outcome {
        Outcome::Unknown | Outcome::Failed | Outcome::NotSent => "tried",
        _ => "sent",
    };
    let address = format!("{} {}", action.request.method, action.request.url);
    prose.fact(label, Role::Text, &format!("{} {address}", zone.seconds(action.at)));
    let receipt = action.receipt.as_ref();
    if let Some(at) = receipt.and_then(|receipt| receipt.at) {
        let status = receipt.and_then(|receipt| receipt.status);
        let how = status.map_or_else(|| "no answer".to_owned(), |status| format!("answered {status}"));
        prose.fact("ended", Role::Text, &format!("{} {how}", zone.seconds(at)));
    }
    let headers = receipt.map(|receipt| receipt.headers.as_slice()).unwrap_or_default();
    let is_request_id = |(name, _): &&(String, String)| name.to_ascii_lowercase().contains("request-id");
    headers.iter().filter(is_request_id).for_each(|(_, value)| prose.fact("request id", Role::Text, value));
    prose.fact("action", Role::Text, &format!("{}, in the journal", action.id));
}

/// What can be done about it now, or why nothing can.
fn next(scene: &Scene, prose: &mut Prose, actions: &[&Action]) {
    let flows = &scene.state.settings.flows;
    let is_open = |action: &&&Action| later::is_open(action);
    match actions.iter().find_map(|action| later::can_tell(action, flows).ok()) {
        Some(how) => prose.fact("look", Role::Text, &format!("{} looks again: {how}", scene.help.look_key)),
        None => {
            let cannot = actions.iter().find(is_open).and_then(|action| later::can_tell(action, flows).err());
            if let Some(why) = cannot {
                prose.fact("look", Role::Warning, &why);
            }
            if let Some(action) = actions.iter().find(|action| action.is_unknown()) {
                say(prose, action);
            }
        }
    }
    let may_have_changed =
        |action: &&&Action| matches!(action.outcome, Outcome::Changed | Outcome::Accepted | Outcome::Unknown);
    if actions.iter().any(|action| may_have_changed(&action)) {
        match undo::of_any(actions.iter().copied(), flows) {
            Ok(undo) => {
                let key = &scene.help.undo_key;
                prose.fact("undo", Role::Text, &format!("{key} opens the card of `{}`", undo.flow));
            }
            Err(why) => prose.fact("undo", Role::Text, &why),
        }
    }
}

/// Where nothing can be read, whoever looked there says how it ended.
pub(super) fn say(prose: &mut Prose, action: &Action) {
    let command = format!("idtriage journal say {} changed|not-changed --reason TEXT --yes", action.id);
    prose.fact("then say", Role::Text, &format!("`{command}`, once somebody knows"));
}

/// It may have happened, and the answer is not known here.
fn unsure(scene: &Scene, prose: &mut Prose, plan: &Plan) {
    prose.marked("! ", Role::Alarm, "it may have happened: it is not sent again");
    prose.blank();
    let key = &scene.help.look_key;
    prose.fact(
        "next",
        Role::Text,
        &format!("{key} looks again: at what the store has of it, and at the target"),
    );
    for part in plan.parts() {
        prose.fact("tried", Role::Text, &format!("{} {}", part.request.method, part.request.url));
        prose.fact("action", Role::Text, &part.action.to_string());
    }
    if let Some(status) = plan.target.fact("status") {
        prose.fact("before", Role::Text, &format!("the target was {status}"));
    }
}
