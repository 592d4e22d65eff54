//! A bulk run as it is queued: one flow, the same inputs, everybody whose plan was shown, and the seal by which
//! whoever takes it up again sees that it is still what was confirmed.

use super::Desk;
use super::card::Ask;
use crate::config::meant::Guard;
use crate::domain::bulk::{
    BulkCounts, BulkEnd, BulkId, BulkRun, BulkState, BulkUser, Doubts, Seal, doubts, left_out,
};
use crate::domain::operation::Particulars;
use crate::domain::plan::{Order, Plan, Refusal};
use crate::domain::{ActionId, Flow, Risk, digest};
use crate::store::Again;
use std::collections::BTreeMap;

/// What was confirmed for everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmedBulk {
    /// Values for declared inputs.
    pub inputs: BTreeMap<String, String>,
    /// Why, in the analyst's words.
    pub reason: Option<String>,
    /// Whether they insist.
    pub again: Again,
}

impl ConfirmedBulk {
    /// What becomes of those who have something standing against them.
    pub fn doubts(&self) -> Doubts {
        if self.again == Again::Insist { Doubts::InsistedOn } else { Doubts::Stand }
    }
}

/// Why no bulk run is made of so many, if so: asked before anybody is read.
pub fn over_limit(guard: &Guard, users: usize) -> Option<String> {
    let limit = guard.bulk_limit.0;
    let is_over = u32::try_from(users).map_or(true, |users| users > limit);
    is_over.then(|| format!("{users} users are more than the {limit} of `[guard] bulk_limit`"))
}

/// Why no bulk run is made of these plans, if so.
pub fn refusal(desk: &Desk, users: usize) -> Option<String> {
    over_limit(&desk.guard, users)
}

/// The tier at which a run on those who are acted on is confirmed and journalled: one administrator among them raises
/// it for all.
pub fn risk(plans: &[Plan], left_out: &[Option<Refusal>]) -> Option<Risk> {
    let acting = plans.iter().zip(left_out).filter(|(_, why)| why.is_none());
    acting.map(|(plan, _)| plan.risk).max()
}

/// The run and its users: who is acted on in the order of their plans, and behind them who is left out, with why.
/// `None` where nobody is acted on.
pub fn queued(
    desk: &Desk,
    id: BulkId,
    plans: &[Plan],
    said: ConfirmedBulk,
) -> Option<(BulkRun, Vec<BulkUser>)> {
    let left_out = left_out(plans, said.doubts());
    let risk = risk(plans, &left_out)?;
    let first = plans.first()?;
    let each = || plans.iter().zip(&left_out);
    let acting = each().filter(|(_, why)| why.is_none());
    // A name that became another group's in between is sealed as the first found it: for the others that is a change.
    let group = acting.clone().find_map(|(plan, _)| plan.particulars.group.as_ref());
    let group = group.map(|group| group.id.clone());
    let others = each().filter(|(_, why)| why.is_some());
    let users: Vec<BulkUser> = (0..)
        .zip(acting.chain(others))
        .map(|(position, (plan, why))| {
            let end = why.as_ref().map(|why| BulkEnd::not_sent(why.outcome, why.why.clone(), desk.now()));
            BulkUser { end, ..user(position, plan, said.doubts()) }
        })
        .collect();
    let acting = left_out.iter().filter(|why| why.is_none()).count();
    let mut counts = BulkCounts::default();
    users.iter().for_each(|user| counts.add(user.end.as_ref().map(|end| end.outcome), 1));
    let run = BulkRun {
        id,
        flow: first.flow.id.clone(),
        verb: first.verb.clone(),
        risk,
        inputs: said.inputs,
        reason: said.reason.filter(|reason| !reason.trim().is_empty()),
        is_insisted: said.again == Again::Insist,
        actor: desk.actor.clone(),
        at: desk.now(),
        state: BulkState::Running,
        why: None,
        held_until: None,
        seal: None,
        counts,
    };
    let (acting, others) = users.split_at_checked(acting)?;
    let mut left_out = BulkCounts::default();
    others.iter().for_each(|user| left_out.add(user.end.as_ref().map(|end| end.outcome), 1));
    let left_out = left_out.ended.into_iter().map(|(word, count)| (word.to_owned(), count)).collect();
    let seal = Seal { group, left_out, ..seal(desk, &first.flow, &run, acting) };
    Some((BulkRun { seal: Some(seal), ..run }, users))
}

fn user(position: u32, plan: &Plan, insisted: Doubts) -> BulkUser {
    BulkUser {
        position,
        login: plan.login.clone(),
        target_id: plan.target_id.clone(),
        account_login: plan.account_login.clone(),
        finding: plan.finding,
        made_of: plan.made_of.clone(),
        doubts: if insisted == Doubts::InsistedOn { doubts(plan) } else { Vec::new() },
        undoes: plan.undoes.as_ref().map(|undoes| undoes.action),
        end: None,
    }
}

/// What was confirmed, as digests: the flow as it is configured, and who is acted on.
pub(super) fn seal(desk: &Desk, flow: &Flow, run: &BulkRun, acting: &[BulkUser]) -> Seal {
    Seal {
        flow: flow_digest(desk, flow, run),
        acting: acting.len(),
        limit: desk.guard.bulk_limit.0,
        people: Seal::people(acting),
        group: None,
        left_out: BTreeMap::new(),
    }
}

/// What decides what is sent: the flow and its steps as they are configured, where they are sent to and as what, the
/// inputs, and whether doubts are waived. How a flow is called and offered is no part of it.
pub(super) fn flow_digest(desk: &Desk, flow: &Flow, run: &BulkRun) -> String {
    let steps = flow.steps.iter().filter_map(|id| desk.flow(id));
    let mut parts: Vec<String> = Vec::new();
    for flow in std::iter::once(flow).chain(steps) {
        let bare = Flow {
            name: String::new(),
            suggested_for: Vec::new(),
            inverse: None,
            undo: String::new(),
            caveats: Vec::new(),
            audit: Vec::new(),
            ..flow.clone()
        };
        parts.push(serde_json::json!(bare).to_string());
        let example = Order {
            flow: flow.id.clone(),
            target: Some("id".to_owned()),
            body: "{}".to_owned(),
            action: String::new(),
            operator: String::new(),
            particulars: Particulars::default(),
        };
        // What cannot be made without a group, say, is told by its words.
        parts.push(desk.caller.shown(&example).map_or_else(|why| why, |request| request.digest()));
    }
    parts.push(serde_json::json!([run.risk, run.inputs, run.is_insisted]).to_string());
    digest::of_parts(parts.iter().map(String::as_bytes))
}

/// What is asked for one user of a run, but for what it is to undo: of the very event that was confirmed, whatever
/// arrived since.
pub(super) fn ask(run: &BulkRun, (action, user): (ActionId, &BulkUser)) -> Ask {
    Ask {
        action,
        flow: run.flow.clone(),
        login: user.login.clone(),
        finding: user.finding,
        event: user.made_of.event,
        account: None,
        undoes: None,
        inputs: run.inputs.clone(),
    }
}
