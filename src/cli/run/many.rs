//! Many users: who is left out is told, then the run is kept, driven, and told user by user. A signal pauses it.

use super::follow::{TellEnd, follow};
use super::tell::Tell;
use super::{Desk, Stop, told_end};
use crate::cli::failure::{DONE, Failure, combined};
use crate::cli::output::Output;
use crate::domain::bulk::{BulkEnd, BulkRun, BulkState};
use crate::domain::plan::{Plan, Refusal};
use crate::domain::run_end::{Ended, RunEnd, StepEnd};
use crate::domain::{FlowId, Untrusted, dry_run};
use crate::remediation::BulkTold;
use crate::remediation::bulk::ConfirmedBulk;
use async_trait::async_trait;
use std::collections::HashMap;
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::watch;

/// Those who were planned, and why some of them are left out.
pub(super) struct Planned<'a> {
    /// All of them.
    pub(super) plans: &'a [Plan],
    /// One for each.
    pub(super) left_out: &'a [Option<Refusal>],
}

impl<'a> Planned<'a> {
    /// Those who are acted on.
    pub(super) fn acting(&self) -> Vec<&'a Plan> {
        let each = self.plans.iter().zip(self.left_out);
        each.filter(|(_, why)| why.is_none()).map(|(plan, _)| plan).collect()
    }

    /// Tells who is left out, and why: `ann: suspend: refused (protected: …)`.
    pub(super) async fn tell_left_out(
        &self,
        desk: &dyn Desk,
        tell: &dyn Tell,
        stop: &mut Stop,
        out: &mut Output<'_>,
    ) -> Vec<u8> {
        let mut statuses = Vec::new();
        for (plan, why) in self.plans.iter().zip(self.left_out) {
            let Some(why) = why else { continue };
            let ended = Ended::NotSent(why.clone());
            let step = StepEnd { flow: plan.flow.id.clone(), verb: plan.verb.clone(), ended };
            // Nobody may be reading any more.
            let _ = told_end(plan, &step, desk, tell, stop, out).await;
            statuses.push(why.outcome.exit_status());
        }
        statuses
    }

    /// The plan of each with why they are left out: for a dry run.
    pub(super) fn shown(&self) -> impl Iterator<Item = Plan> {
        dry_run::shown(self.plans, self.left_out)
    }
}

/// Runs what was planned for many.
///
/// # Errors
/// If the run cannot be kept, or nobody waits for it any more.
pub(super) async fn run_many(
    plans: &[Plan],
    said: ConfirmedBulk,
    desk: &dyn Desk,
    stop: &mut Stop,
    tell: &dyn Tell,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let (wishes, wish) = watch::channel(crate::remediation::Wish::GoOn);
    let (told, ends) = unbounded_channel();
    let by_login: HashMap<&str, &Plan> = plans.iter().map(|plan| (plan.login.folded(), plan)).collect();
    let mut teller = Teller { by_login, flow: plans.first().map(|plan| plan.flow.id.clone()), desk, tell };
    let running = desk.many(plans, said, wish, told);
    follow(running, wishes, ends, &mut teller, stop, out).await
}

/// How the run stands, and what goes on with it.
pub(in super::super) fn note(run: &BulkRun, out: &mut Output<'_>) -> std::io::Result<()> {
    let (id, word, counts) = (run.id, run.state.word(), run.words());
    let why = run.why.as_deref().map(|why| format!(": {}", Untrusted::from(why))).unwrap_or_default();
    let next = match run.state {
        BulkState::Paused => format!("; `idtriage bulk resume {id} --yes` goes on with it"),
        BulkState::Running | BulkState::Stopped | BulkState::Done => String::new(),
    };
    out.note(&format!("run on many {id} is {word}{why} ({counts}){next}"))
}

/// Tells how it ended for each.
struct Teller<'a> {
    by_login: HashMap<&'a str, &'a Plan>,
    flow: Option<FlowId>,
    desk: &'a dyn Desk,
    tell: &'a dyn Tell,
}

#[async_trait(?Send)]
impl TellEnd for Teller<'_> {
    async fn told(&mut self, told: &BulkTold, stop: &mut Stop, out: &mut Output<'_>) -> u8 {
        let Some(end) = &told.user.end else { return DONE };
        let Some(plan) = self.by_login.get(told.user.login.folded()) else {
            return end.outcome.exit_status();
        };
        let run = told.run.clone().unwrap_or_else(|| self.without_a_run(plan, end));
        for step in &run.steps {
            // The journal and the run have it, where the output is closed.
            let _ = told_end(plan, step, self.desk, self.tell, stop, out).await;
        }
        combined(run.steps.iter().map(|step| step.outcome().exit_status()))
    }
}

impl Teller<'_> {
    /// Nothing was sent, or it was by whoever drove the run before.
    fn without_a_run(&self, plan: &Plan, end: &BulkEnd) -> RunEnd {
        let why = end.why.clone().unwrap_or_default();
        let ended = match end.action {
            Some(_) => Ended::Unsure(why),
            None => Ended::NotSent(Refusal { outcome: end.outcome, ..Refusal::from(why) }),
        };
        let flow = self.flow.clone().unwrap_or_else(|| plan.flow.id.clone());
        RunEnd::of(StepEnd { flow, verb: plan.verb.clone(), ended })
    }
}
