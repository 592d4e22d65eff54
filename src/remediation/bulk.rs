//! A bulk run as it is queued: one flow, the same inputs, and everybody whose plan was shown.

use super::Desk;
use super::card::Ask;
use crate::domain::bulk::{BulkCounts, BulkId, BulkRun, BulkState, BulkUser};
use crate::domain::plan::Plan;
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

/// Why no bulk run is made of these plans, if so.
pub fn refusal(desk: &Desk, users: usize) -> Option<String> {
    let limit = desk.guard.bulk_limit.0;
    let is_over = u32::try_from(users).map_or(true, |users| users > limit);
    is_over.then(|| format!("{users} users are more than the {limit} of `[guard] bulk_limit`"))
}

/// The run and its users, in the order of their plans. `None` without a plan.
pub fn queued(
    desk: &Desk,
    id: BulkId,
    plans: &[Plan],
    said: ConfirmedBulk,
) -> Option<(BulkRun, Vec<BulkUser>)> {
    let first = plans.first()?;
    let users: Vec<BulkUser> = (0..).zip(plans).map(|(position, plan)| user(position, plan)).collect();
    let run = BulkRun {
        id,
        flow: first.flow.id.clone(),
        verb: first.verb.clone(),
        risk: plans.iter().map(|plan| plan.risk).max().unwrap_or(first.risk),
        inputs: said.inputs,
        reason: said.reason.filter(|reason| !reason.trim().is_empty()),
        is_insisted: said.again == Again::Insist,
        actor: desk.actor.clone(),
        at: desk.now(),
        state: BulkState::Running,
        why: None,
        held_until: None,
        counts: BulkCounts { queued: users.len(), ..BulkCounts::default() },
    };
    Some((run, users))
}

fn user(position: u32, plan: &Plan) -> BulkUser {
    BulkUser {
        position,
        login: plan.login.clone(),
        target_id: plan.target_id.clone(),
        finding: plan.finding,
        end: None,
    }
}

/// What is asked for one user of a run.
pub(super) fn ask(run: &BulkRun, user: &BulkUser) -> Ask {
    Ask {
        action: run.id.action(user.position),
        flow: run.flow.clone(),
        login: user.login.clone(),
        finding: user.finding,
        event: None,
        account: None,
        undoes: None,
        inputs: run.inputs.clone(),
    }
}
