//! Many users: the run is kept, driven, and told user by user. A signal pauses it.

use super::super::failure::{DONE, Failure, combined};
use super::super::output::Output;
use super::tell::Tell;
use super::{Asked, Desk, Stop, told_end};
use crate::domain::bulk::{BulkEnd, BulkRun, BulkState};
use crate::domain::plan::{Plan, Refusal};
use crate::domain::run_end::{Ended, RunEnd, StepEnd};
use crate::domain::{FlowId, Outcome, Untrusted};
use crate::remediation::bulk::ConfirmedBulk;
use crate::remediation::{BulkTold, Wish};
use std::collections::HashMap;
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::watch;

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
    let (wishes, wish) = watch::channel(Wish::GoOn);
    let (told, mut ends) = unbounded_channel();
    let by_login: HashMap<&str, &Plan> = plans.iter().map(|plan| (plan.login.folded(), plan)).collect();
    let mut teller = Teller { by_login, flow: plans.first().map(|plan| plan.flow.id.clone()), desk, tell };
    let mut running = desk.many(plans, said, wish, told);
    let mut statuses = Vec::new();
    let mut is_pausing = false;
    let ended = loop {
        tokio::select! {
            biased;
            // A signal is heard first: telling an end may read Okta.
            () = stop.asked(if is_pausing { Asked::EndNow } else { Asked::End }) => {
                if is_pausing {
                    return Err(nobody_waits());
                }
                is_pausing = true;
                wishes.send_replace(Wish::Pause);
                // Nobody may be reading any more.
                let _ = out.note(PAUSING);
            }
            Some(end) = ends.recv() => statuses.push(teller.told(&end, stop, out).await),
            ended = &mut running => break ended?,
        }
    };
    while let Ok(end) = ends.try_recv() {
        statuses.push(teller.told(&end, stop, out).await);
    }
    let _ = note(&ended, out);
    Ok(combined(statuses.into_iter().chain(rest(&ended))))
}

/// Those who still wait were not acted on: that is no success.
fn rest(run: &BulkRun) -> Option<u8> {
    (run.counts.queued > 0).then(|| Outcome::Refused.exit_status())
}

/// Said when a signal came.
pub(in super::super) const PAUSING: &str =
    "stopping: waiting for those on their way; a second signal ends the wait";

/// Somebody would not even wait for receipts.
pub(in super::super) fn nobody_waits() -> Failure {
    Failure::unknown(
        "those on their way were not waited for: what became of them is unknown\n\
         hint: `idtriage bulk list` shows the run, and `idtriage bulk resume` acts on nobody twice",
    )
}

/// How the run stands, and what goes on with it.
pub(in super::super) fn note(run: &BulkRun, out: &mut Output<'_>) -> std::io::Result<()> {
    let (id, word, counts) = (run.id, run.state.word(), run.counts.words());
    let why = run.why.as_deref().map(|why| format!(": {}", Untrusted::from(why))).unwrap_or_default();
    let next = match run.state {
        BulkState::Paused => format!("; `idtriage bulk resume {id} --yes` goes on with it"),
        BulkState::Running | BulkState::Stopped | BulkState::Done => String::new(),
    };
    out.note(&format!("bulk run {id} is {word}{why} ({counts}){next}"))
}

/// Tells how it ended for each.
pub(in super::super) struct Teller<'a> {
    pub(in super::super) by_login: HashMap<&'a str, &'a Plan>,
    pub(in super::super) flow: Option<FlowId>,
    pub(in super::super) desk: &'a dyn Desk,
    pub(in super::super) tell: &'a dyn Tell,
}

impl Teller<'_> {
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
