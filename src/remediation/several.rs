//! The plan of a run of several actions: one card, each step planned as if it stood alone.

use super::Desk;
use super::blast::Depth;
use super::card::{self, Ask, Known, PlanError};
use super::guard;
use super::sight::{self, Aim, Reading};
use crate::domain::action::StepOf;
use crate::domain::flow::PayloadShape;
use crate::domain::operation::Whom;
use crate::domain::payload;
use crate::domain::plan::{AccountDoubt, MadeOf, Plan, Refusal};
use crate::domain::{Flow, Outcome, digest, undo};
use serde_json::Map;

/// The plan of a flow that runs several. The target is read once: every step stands on the same reading.
pub(super) async fn planned(
    desk: &Desk,
    flow: &Flow,
    ask: &Ask,
    mut known: Known,
    depth: Depth,
) -> Result<Plan, PlanError> {
    payload::check_names(flow, &ask.inputs)?;
    let mut steps: Vec<Plan> = Vec::new();
    let of = u8::try_from(flow.steps.len()).unwrap_or(u8::MAX);
    for (number, id) in (1..).zip(&flow.steps) {
        let step = desk.flow(id).ok_or_else(|| PlanError::NoSuchFlow(id.clone()))?;
        if steps.is_empty() {
            let aim = if flow.creates() { Aim::Exists(Map::new()) } else { Aim::Status(None) };
            known.reading = sight::read(desk, step, (known.account(), &ask.login), &aim).await;
            known.look_around(desk, flow, (ask, ""), depth).await;
        } else if flow.creates() {
            known.reading = Reading::not_yet();
            known.particulars.whom = Whom::Made;
        }
        let of_step = ask.step(number, step);
        let body = known.body(desk, step, &of_step)?;
        let plan = card::planned(desk, step, (&of_step, body), &known).await?;
        steps.push(Plan { step: Some(StepOf { run: ask.action, number, of }), ..plan });
    }
    joined(desk, flow, (ask, &known), steps)
}

/// What stands on the card of the whole run.
fn joined(
    desk: &Desk,
    flow: &Flow,
    (ask, known): (&Ask, &Known),
    steps: Vec<Plan>,
) -> Result<Plan, PlanError> {
    let risk = known.risk(flow);
    let Some(first) = steps.first().cloned() else {
        return Err(PlanError::Request { flow: flow.id.clone(), why: "it runs nothing".to_owned() });
    };
    // What a step leaves to do may be the next one's work: the run says itself what it does not do.
    let odd =
        steps.iter().flat_map(|step| step.caveats.iter().filter(|said| !step.flow.caveats.contains(said)));
    let caveats = odd.chain(&flow.caveats);
    Ok(Plan {
        action: ask.action,
        step: None,
        risk,
        confirm: known.confirm(flow, ask),
        undoes: ask.undoes.clone(),
        verb: flow.verb.clone(),
        caveats: distinct(caveats),
        cannot_know: unknown(&steps),
        needs_again: insistence(&steps),
        account_doubt: account_doubt(&steps),
        follows: None,
        asked: ask.asked(),
        made_of: MadeOf { body: bodies(&steps), ..first.made_of.clone() },
        refusal: refusal(&steps),
        undo: undo::words(flow, &desk.flows),
        reason_required: guard::requires_reason(&desk.guard, risk)
            || steps.iter().any(|step| step.reason_required),
        flow: flow.clone(),
        steps,
        ..first
    })
}

/// The digest of what all steps say. Behind a step with a body one without it counts for nothing, as it did in runs
/// that were sealed before an address was kept: their seals hold. Whom it is on and where it goes is sealed apart.
fn bodies(steps: &[Plan]) -> Option<String> {
    let is_bare = |step: &&Plan| step.flow.payload == PayloadShape::Nothing;
    let has_body = !steps.iter().all(|step| is_bare(&step));
    let counts = |step: &&Plan| !(has_body && is_bare(step) && step.particulars.group.is_none());
    let of_step = |step: &Plan| Some(step).filter(counts)?.made_of.body.clone();
    let each: Vec<Option<String>> = steps.iter().map(of_step).collect();
    let digests = each.iter().map(|body| body.as_deref().unwrap_or_default().as_bytes());
    each.iter().any(Option::is_some).then(|| digest::of_parts(digests))
}

/// What nobody can know of any step, once; what is one step's alone is said of that.
fn unknown(steps: &[Plan]) -> Vec<String> {
    let is_common = |text: &String| steps.iter().all(|step| step.cannot_know.contains(text));
    let said = |step: &Plan, text: &String| match is_common(text) {
        true => text.clone(),
        false => format!("{}: {text}", card::word(&step.flow)),
    };
    let texts: Vec<String> =
        steps.iter().flat_map(|step| step.cannot_know.iter().map(|text| said(step, text))).collect();
    distinct(texts.iter())
}

/// What each step wants to be insisted on, once.
fn insistence(steps: &[Plan]) -> Option<String> {
    let texts = distinct(steps.iter().filter_map(|step| step.needs_again.as_ref()));
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// The same of what makes it another's account: the steps stand on one reading.
fn account_doubt(steps: &[Plan]) -> Option<AccountDoubt> {
    let doubts: Vec<&AccountDoubt> = steps.iter().filter_map(|step| step.account_doubt.as_ref()).collect();
    let why = distinct(doubts.iter().map(|doubt| &doubt.why)).join("; ");
    doubts.first().map(|first| AccountDoubt { why, login: first.login.clone() })
}

/// A guard stops the whole run. A step that would change nothing, or that the state forbids, leaves the
/// others their effect: a suspended account may still have sessions. Only where nothing is left to be sent
/// is there nothing to confirm.
fn refusal(steps: &[Plan]) -> Option<Refusal> {
    let refusals: Vec<&Refusal> = steps.iter().filter_map(|step| step.refusal.as_ref()).collect();
    let by_guard = refusals.iter().find(|refusal| refusal.outcome == Outcome::Refused);
    // What makes the account makes the next step possible.
    let first = steps.first().filter(|step| step.flow.creates()).and_then(|step| step.refusal.as_ref());
    if let Some(stops) = by_guard.copied().or(first) {
        return Some(stops.clone());
    }
    if refusals.len() < steps.len() {
        return None;
    }
    let all_so = refusals.iter().all(|refusal| refusal.outcome == Outcome::NoChange);
    let outcome = if all_so { Outcome::NoChange } else { Outcome::NotLegal };
    let why = distinct(refusals.iter().map(|refusal| &refusal.why)).join("; ");
    Some(Refusal { why, outcome, is_general: false })
}

/// Each text once, in its first place.
fn distinct<'a>(texts: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for text in texts {
        if !distinct.contains(text) {
            distinct.push(text.clone());
        }
    }
    distinct
}
