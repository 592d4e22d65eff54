//! One run: intent, one send, receipt, bounded re-reads.
//!
//! What was confirmed is a digest. The request is rebuilt, and what does not rebuild to that digest is
//! not sent; neither is anything whose target changed since it was shown. From the intent on the run is
//! a task of its own: whoever waits for it may go away, the receipt is kept all the same. A crash leaves
//! the intent behind, which turns *unknown* when its lease ends, or *not-sent* where no byte can have left; nothing ever
//! sends it again.

mod bulk;
mod flight;
mod gate;
mod later;
mod rival;
mod steps;
mod verify;

pub use bulk::{BulkError, BulkTold, Wish};
pub use gate::Unsent;
pub use later::{Look, LookError};

use super::guard::Precedent;
use super::subject::Names;
use super::trial::{self, Trial};
use super::{Ask, Desk, PlanError, alike, blast, card, guard, target};
use crate::domain::action::StepOf;
use crate::domain::bulk::doubts;
use crate::domain::held_secret::HeldSecret;
use crate::domain::plan::Plan;
use crate::domain::run_end::{Ended, RunEnd, StepEnd};
use crate::domain::{Action, ActionId, Evidence, Flow, FlowId, OneTimeLink, Outcome, Untrusted};
use crate::store::{Again, Basis, IntendError, StoreError};
use flight::{Flight, Open, Watch};
use gate::Gate;
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

/// What the analyst confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// The digest of the request that was shown.
    pub digest: String,
    /// Why, in the analyst's words.
    pub reason: Option<String>,
    /// Whether they insist.
    pub again: Again,
}

/// How far an action is, for the screen.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// The intent is committed.
    Intended,
    /// The first byte may leave now.
    Sending,
    /// The call ended: the status where one came, and what it says.
    Answered(Option<u16>, Outcome),
    /// The receipt is kept; the target is re-read.
    Verifying,
    /// As it stands.
    Done(Box<Action>),
}

/// What is told of a run while it goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Which of the actions of a run of several it is about; a proof may be told of one behind the next.
    pub step: Option<StepOf>,
    /// How far that is.
    pub progress: Progress,
}

/// Why a run was not made, or how it was lost.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The flow is not configured as it was when it was shown.
    #[error("flow `{0}` is not the one that was shown any more\nhint: look at the card again")]
    FlowChanged(FlowId),
    /// The request cannot be rebuilt.
    #[error("the request of flow `{flow}` cannot be made: {why}")]
    Request {
        /// Which flow.
        flow: FlowId,
        /// Why.
        why: String,
    },
    /// What would leave is not what was shown.
    #[error("the request is not the one that was confirmed: nothing was sent\nhint: look at the card again")]
    NotWhatWasShown,
    /// The guard or the target's state forbids it.
    #[error("refused: {0}")]
    Refused(String),
    /// It has to be insisted on.
    #[error("{0}\nhint: look at it once more, then insist (`--again`)")]
    NeedsAgain(String),
    /// A reason is required.
    #[error("a flow of this risk needs a reason\nhint: `--reason TEXT`")]
    NeedsReason,
    /// The reason holds a secret.
    #[error(transparent)]
    Secret(#[from] HeldSecret),
    /// The target is not as it was shown.
    #[error("the target changed since it was shown: {}\nhint: look at the card again", .0.join("; "))]
    TargetChanged(Vec<String>),
    /// This very action was run before.
    #[error("action `{0}` was run before\nhint: plan it anew")]
    AlreadyRun(ActionId),
    /// The program is stopping: what is not sent yet is not sent any more.
    #[error("the program is stopping: nothing was sent")]
    Stopping,
    /// The intent was not taken: nothing was sent.
    #[error("nothing was sent: {0}")]
    Intend(#[from] IntendError),
    /// The store failed before anything was sent.
    #[error("nothing was sent: {0}")]
    Store(#[from] StoreError),
    /// The run ended, and the store would not take the receipt.
    #[error("action `{action}` ended ({said}), but its receipt cannot be kept: {why}\nhint: note it now")]
    NotKept {
        /// Which.
        action: ActionId,
        /// How it ended, in words.
        said: String,
        /// As which outcome.
        outcome: Outcome,
        /// With what proven.
        evidence: Evidence,
        /// Why it cannot be kept.
        why: StoreError,
    },
    /// The run's task broke off; the outcome is unknown.
    #[error("action `{0}` broke off: its outcome is unknown\nhint: check the target")]
    Lost(ActionId),
}

/// How long things take.
#[derive(Debug, Clone)]
pub struct Pace {
    /// How long a lease holds without renewal.
    pub lease: SignedDuration,
    /// How often it is renewed.
    pub renew_every: Duration,
    /// How often whoever drives a bulk run looks whether another process paused or stopped it.
    pub hear_every: Duration,
    /// The waits before each re-read of the target.
    pub rereads: Vec<Duration>,
    /// The waits before each further try to keep a receipt.
    pub keep_again: Vec<Duration>,
}

impl Default for Pace {
    fn default() -> Self {
        let millis = |waits: &[u64]| waits.iter().copied().map(Duration::from_millis).collect();
        Pace {
            lease: SignedDuration::from_secs(20),
            renew_every: Duration::from_secs(5),
            hear_every: Duration::from_millis(500),
            rereads: millis(&[500, 1_000, 2_000, 3_000, 3_500]),
            keep_again: millis(&[200, 1_000, 3_000]),
        }
    }
}

/// An action that has landed, and the one-time link that came back with it, which is kept nowhere.
pub(super) struct Landed {
    pub(super) action: Action,
    pub(super) link: Option<OneTimeLink>,
    /// Where its proof was left, what looks for it.
    open: Option<Open>,
}

/// Whether the effect is looked for before anything else is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// It is.
    Awaited,
    /// The next step goes first: what contains somebody does not wait for a proof.
    Left,
}

/// Whether the target is compared before the send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    /// With what the card showed.
    WithWhatWasShown,
    /// It was read just now, by the run itself.
    JustRead,
}

/// Runs plans.
#[derive(Debug)]
pub struct Runner {
    desk: Arc<Desk>,
    pace: Arc<Pace>,
    gate: Gate,
}

impl Runner {
    /// A runner of a desk.
    pub fn new(desk: Arc<Desk>, pace: Pace) -> Runner {
        Runner { desk, pace: Arc::new(pace), gate: Gate::default() }
    }

    /// Runs a plan that was confirmed: its one action, or its steps. Returns how each stands after the
    /// re-reads; dropping the future before an intent stops that action, dropping it later stops nothing
    /// of it.
    ///
    /// # Errors
    /// [`RunError`] says whether anything was sent.
    pub async fn run(
        &self,
        plan: &Plan,
        confirmed: &Confirmed,
        progress: UnboundedSender<Told>,
    ) -> Result<RunEnd, RunError> {
        let _announced = self.gate.announce(plan);
        self.run_as(plan, confirmed, (Compare::WithWhatWasShown, None), progress).await
    }

    async fn run_as(
        &self,
        plan: &Plan,
        confirmed: &Confirmed,
        (compare, watch): (Compare, Option<Watch>),
        progress: UnboundedSender<Told>,
    ) -> Result<RunEnd, RunError> {
        self.desk.without_secret(confirmed.reason.as_deref())?;
        if !plan.steps.is_empty() {
            return self.run_steps(plan, confirmed, watch, &progress).await;
        }
        let how = (compare, Proof::Awaited, watch);
        let Landed { action, link, .. } = self.run_one(plan, confirmed, how, progress).await?;
        let ended = Ended::Ran { action: Box::new(action), link };
        Ok(RunEnd::of(StepEnd { flow: plan.flow.id.clone(), verb: plan.verb.clone(), ended }))
    }

    /// Runs one action.
    async fn run_one(
        &self,
        plan: &Plan,
        confirmed: &Confirmed,
        (compare, proof, watch): (Compare, Proof, Option<Watch>),
        progress: UnboundedSender<Told>,
    ) -> Result<Landed, RunError> {
        self.check_request(plan, confirmed)?;
        let basis = self.check_guard(plan, confirmed).await?;
        if compare == Compare::WithWhatWasShown {
            self.check_target(plan).await?;
        }
        let ticket = self.gate.enter(plan.action).ok_or(RunError::Stopping)?;
        let flight = Flight::new(
            &self.desk,
            &self.pace,
            (plan, self.gate.closing()),
            (confirmed.reason.clone(), basis),
            progress,
        );
        let flight = flight.watched_by(watch);
        tokio::spawn(flight.fly(ticket, proof)).await.map_err(|_| RunError::Lost(plan.action))?
    }

    /// The flow of an id, where it is configured.
    pub fn flow(&self, id: &FlowId) -> Option<&Flow> {
        self.desk.flow(id)
    }

    /// How many runs are between their intent and their receipt.
    pub fn in_flight(&self) -> usize {
        self.gate.flying()
    }

    /// Takes no more runs and waits for those in flight, at most so long. Returns how many are left:
    /// their outcome will be unknown.
    pub async fn finish(&self, deadline: Duration) -> usize {
        self.gate.close();
        // Running out of time is an answer here: what is left is counted.
        let _ = tokio::time::timeout(deadline, self.gate.landed()).await;
        self.in_flight()
    }

    /// What was confirmed and is not sent any more, once [`Runner::finish`] was called: somebody has to be
    /// told, since nothing stands in the journal of it.
    pub fn unsent(&self) -> Vec<Unsent> {
        self.gate.left()
    }

    fn check_request(&self, plan: &Plan, confirmed: &Confirmed) -> Result<(), RunError> {
        self.desk.without_secret(confirmed.reason.as_deref())?;
        let flow = &plan.flow.id;
        if self.desk.flow(flow) != Some(&plan.flow) {
            return Err(RunError::FlowChanged(flow.clone()));
        }
        let rebuilt = self
            .desk
            .caller
            .shown(&plan.order(self.desk.actor.signed()))
            .map_err(|why| RunError::Request { flow: flow.clone(), why })?;
        let is_what_was_shown = plan.digest() == confirmed.digest && rebuilt.digest() == confirmed.digest;
        if is_what_was_shown { Ok(()) } else { Err(RunError::NotWhatWasShown) }
    }

    /// What may not be done; answers what the decision rests on, so that the intent can be held to it.
    async fn check_guard(&self, plan: &Plan, confirmed: &Confirmed) -> Result<Basis, RunError> {
        let desk = &self.desk;
        let group = plan.particulars.group.as_ref().map(|group| &group.name);
        let names = Names::of_login(&plan.login).with_group(group);
        let of_plan = plan.refusal.as_ref().map(|refusal| refusal.why.clone());
        let of_guard = || guard::refusal(&desk.guard, desk.mode, &names);
        let switched_off = || guard::switched_off(&desk.guard, &plan.flow);
        if let Some(why) = of_plan.or_else(of_guard).or_else(switched_off) {
            return Err(RunError::Refused(why));
        }
        let has_reason = confirmed.reason.as_ref().is_some_and(|reason| !reason.trim().is_empty());
        if guard::requires_reason(&desk.guard, plan.risk) && !has_reason {
            return Err(RunError::NeedsReason);
        }
        if desk.store.action(plan.action).await?.is_some() {
            return Err(RunError::AlreadyRun(plan.action));
        }
        let earlier = card::earlier(desk, &plan.flow, &plan.login, plan.target_id.as_deref()).await?;
        let group = plan.particulars.group.as_ref();
        let alike = alike::alike(&plan.flow, &earlier, (&plan.request, group));
        check_insisted(plan, confirmed, guard::precedent(&alike, desk.now()))?;
        // One that is pending may yet turn unknown, and that was not decided on.
        let ended = earlier.iter().filter(|action| action.outcome != Outcome::Pending);
        let seen = ended.map(|action| action.id).collect();
        Ok(Basis { same: desk.same_as(&plan.flow), seen, again: confirmed.again })
    }

    /// Compare before act: everything is read and planned once more, and whatever differs from what was shown goes
    /// back to the analyst. That holds too for what could not be read then: whether somebody is protected, and whose
    /// account it is, may only be seen now.
    async fn check_target(&self, plan: &Plan) -> Result<(), RunError> {
        let now = match self.planned_again(plan).await {
            Ok(now) => now,
            Err(PlanError::Store(error)) => return Err(error.into()),
            Err(error) => {
                let error = error.to_string();
                let why = error.lines().next().unwrap_or_default();
                return Err(RunError::TargetChanged(vec![format!("it cannot be planned any more: {why}")]));
            }
        };
        // What the state forbids shows in what differs; a step with nothing to do was shown so.
        let guards = now.refusal.as_ref().filter(|refusal| refusal.outcome == Outcome::Refused);
        let refusal = guards.map(|refusal| refusal.why.clone());
        let differences = since_shown(plan, &now);
        match (differences.is_empty(), refusal) {
            (true, None) => Ok(()),
            (true, Some(why)) => Err(RunError::Refused(why)),
            (false, why) => Err(RunError::TargetChanged(differences.into_iter().chain(why).collect())),
        }
    }

    async fn planned_again(&self, plan: &Plan) -> Result<Plan, PlanError> {
        if plan.is_test {
            let trial =
                Trial { action: plan.action, flow: plan.flow.id.clone(), inputs: plan.asked.inputs.clone() };
            return trial::prepare(&self.desk, trial).await;
        }
        card::prepare_again(&self.desk, Ask::of(plan), blast::depth_before_send(plan)).await
    }
}

/// What is otherwise than it was shown, a line each.
fn since_shown(plan: &Plan, now: &Plan) -> Vec<String> {
    let mut all = target::differences(&plan.target, &now.target);
    if let (Some(then), Some(id)) = (&plan.target_id, &now.target_id)
        && then != id
    {
        let (then, id) = (Untrusted::from(then.as_str()), Untrusted::from(id.as_str()));
        all.push(format!("it leads to another account now: {id}, not {then}"));
    }
    if let (Some(then), Some(group)) = (&plan.particulars.group, &now.particulars.group)
        && then.id != group.id
    {
        all.push(group.instead_of(&plan.asked.inputs, &then.id));
    }
    let shown = doubts(plan);
    all.extend(doubts(now).into_iter().filter(|doubt| !shown.contains(doubt)));
    let promoted = now.blast.as_ref().filter(|blast| now.risk > plan.risk && blast.is_of_administrator());
    all.extend(promoted.map(|blast| {
        format!("they are an administrator now ({}): more is asked", blast.administrator().words)
    }));
    all
}

/// Insisting covers what was shown, and nothing that came since.
fn check_insisted(plan: &Plan, confirmed: &Confirmed, found: Option<Precedent>) -> Result<(), RunError> {
    match (&plan.needs_again, found) {
        (_, Some(found)) if plan.follows != Some(found.action) => Err(RunError::NeedsAgain(found.why)),
        (Some(why), _) if confirmed.again == Again::No => Err(RunError::NeedsAgain(why.clone())),
        _ => Ok(()),
    }
}
