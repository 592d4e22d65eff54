//! One flow on many people: each planned anew, held to the guard and run by itself.
//!
//! Whoever drives holds the wheel, a lease in the store. Each user's action has an id that follows from the
//! run's, so that an action that is there says that this user was acted on: taken up again, also after a crash,
//! nobody is acted on twice. A user is planned when one of few places is free, and the intent is committed right
//! before its own send, so that no plan is old and a brake leaves little on its way.

use super::{Compare, Confirmed, Progress, RunError, Runner};
use crate::domain::bulk::{BulkEnd, BulkId, BulkRun, BulkState, BulkUser};
use crate::domain::plan::Plan;
use crate::domain::run_end::RunEnd;
use crate::domain::{ActionId, Flow, FlowId, Outcome};
use crate::remediation::blast::Depth;
use crate::remediation::bulk::ask;
use crate::remediation::card::{PlanError, prepare_to};
use crate::store::{Again, Held, IntendError, Lease, StoreError, Users};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use jiff::Timestamp;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::sleep;

/// Users that are planned, run or looked at again at once: ten seconds of looking, at ten calls a second, and some.
const AT_ONCE: usize = 128;
/// Users that are planned or on their way: at ten calls a second, enough for reads and answers that take a second
/// and a half. What is planned leaves while it is fresh, and a brake leaves no more than these to land.
const PLACES: usize = 16;
/// Users read from the store at once.
const PAGE: usize = 200;

/// What whoever watches a bulk run wants of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// That it goes on.
    GoOn,
    /// That it waits: nobody more is acted on.
    Pause,
    /// That those who wait are acted on no more.
    Stop,
}

/// What becomes of a user, as it becomes known.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkTold {
    /// The user, with how it ended.
    pub user: BulkUser,
    /// How the run on them ended, where there was one.
    pub run: Option<RunEnd>,
}

/// Why a bulk run is not driven.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// There is none.
    #[error("there is no bulk run `{0}`\nhint: `idtriage bulk list` shows the ids")]
    Missing(BulkId),
    /// Nobody waits in it, or it waits for somebody to go on.
    #[error("bulk run `{0}` is {word}\nhint: {hint}", word = .1.word(), hint = hint(*.1))]
    Not(BulkId, BulkState),
    /// Another process drives it.
    #[error("bulk run `{0}` is driven by another process, `{1}`\nhint: wait for it, or stop it there")]
    Others(BulkId, String),
    /// Its flow is not configured any more.
    #[error("flow `{0}` is not configured any more\nhint: `idtriage flows` lists what can be run")]
    NoSuchFlow(FlowId),
    /// The store failed; nobody more is acted on.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn hint(state: BulkState) -> &'static str {
    match state {
        BulkState::Paused => "`idtriage bulk resume` goes on with it",
        BulkState::Running | BulkState::Stopped | BulkState::Done => "plan those who are left anew",
    }
}

impl Runner {
    /// Drives a bulk run that is running until nobody waits, somebody wishes otherwise, or something goes wrong
    /// that may be wrong for everybody: then it is paused. Returns it as it stands. Dropping the future plans
    /// nobody more; who is on their way lands by themselves, and the run can be taken up again.
    ///
    /// # Errors
    /// [`BulkError`]; a store that fails holds the run where it is.
    pub async fn drive(
        &self,
        id: BulkId,
        wishes: watch::Receiver<Wish>,
        told: UnboundedSender<BulkTold>,
    ) -> Result<BulkRun, BulkError> {
        self.hold(id).await?;
        // What a crash left pending is unknown before anybody asks for it.
        self.desk.store.expire_leases(self.desk.now()).await?;
        let run = self.desk.store.bulk(id).await?.ok_or(BulkError::Missing(id))?;
        let flow =
            self.desk.flow(&run.flow).cloned().ok_or_else(|| BulkError::NoSuchFlow(run.flow.clone()))?;
        let known = self.desk.store.bulk_kinds(id).await?.into_iter().collect();
        let brake = Brake { wishes, known, odd: Mutex::default() };
        let drive =
            Drive { runner: self, run: &run, flow: &flow, brake, places: Semaphore::new(PLACES), told };
        let mut through = std::pin::pin!(drive.through());
        let lost = tokio::select! {
            ended = &mut through => {
                ended?;
                None
            }
            lost = self.keep_hold(id) => Some(lost),
        };
        if let Some(lost) = lost {
            // Somebody else paused or stopped it, or took it over: who is on their way is waited for.
            drive.brake.pull(lost.to_string());
            through.await?;
            return match lost {
                BulkError::Not(..) => self.desk.store.bulk(id).await?.ok_or(BulkError::Missing(id)),
                lost => Err(lost),
            };
        }
        let (state, why) = drive.stands().await?;
        self.desk.store.turn(id, state, why.as_deref(), &self.desk.actor, self.desk.now()).await?;
        self.desk.store.bulk(id).await?.ok_or(BulkError::Missing(id))
    }

    async fn hold(&self, id: BulkId) -> Result<(), BulkError> {
        let now = self.desk.now();
        let until = now.saturating_add(self.pace.lease).unwrap_or(Timestamp::MAX);
        let lease = Lease { owner: self.desk.owner.clone(), until };
        match self.desk.store.hold(id, &lease, now).await? {
            Held::Ours => Ok(()),
            Held::Others(owner) => Err(BulkError::Others(id, owner)),
            Held::Not(state) => Err(BulkError::Not(id, state)),
            Held::Missing => Err(BulkError::Missing(id)),
        }
    }

    /// Renews the lease until it is lost. A store that fails for a moment loses nothing: the lease outlasts it.
    async fn keep_hold(&self, id: BulkId) -> BulkError {
        loop {
            sleep(self.pace.renew_every).await;
            match self.hold(id).await {
                Ok(()) => {}
                Err(BulkError::Store(error)) => {
                    tracing::warn!(bulk = %id, %error, "the lease of a bulk run was not renewed");
                }
                Err(lost) => return lost,
            }
        }
    }
}

/// One drive of a run.
struct Drive<'a> {
    runner: &'a Runner,
    run: &'a BulkRun,
    flow: &'a Flow,
    brake: Brake,
    places: Semaphore,
    told: UnboundedSender<BulkTold>,
}

/// How it ended for a user; `None` where they still wait.
type Ended = Option<(BulkEnd, Option<RunEnd>)>;

impl Drive<'_> {
    /// Where the run stands now that the drive is over.
    async fn stands(&self) -> Result<(BulkState, Option<String>), StoreError> {
        let why = self.brake.why();
        let store = &self.runner.desk.store;
        let is_through = store.bulk_users(self.run.id, Users::Queued, 0, 1).await?.is_empty();
        Ok(match self.brake.wish() {
            _ if is_through => (BulkState::Done, why),
            Wish::Stop => (BulkState::Stopped, why),
            Wish::Pause | Wish::GoOn => (BulkState::Paused, why),
        })
    }

    /// All who wait. A store that fails begins nobody more; who is on their way is waited for. Reading who is next
    /// is one more thing that is under way: waiting for it apart would hold up those who wait for the store too.
    async fn through(&self) -> Result<(), StoreError> {
        let mut waiting = VecDeque::new();
        let mut failed = None;
        let mut under_way: FuturesUnordered<BoxFuture<'_, Step>> = FuturesUnordered::new();
        under_way.push(self.page(0).boxed());
        while let Some(step) = under_way.next().await {
            match step {
                Step::Page(Ok(users)) => waiting.extend(users),
                Step::Ended(Ok(())) => {}
                Step::Page(Err(error)) | Step::Ended(Err(error)) => drop(failed.get_or_insert(error)),
            }
            while under_way.len() < AT_ONCE && failed.is_none() && !self.brake.is_on() {
                let Some(user) = waiting.pop_front() else { break };
                if waiting.is_empty() {
                    under_way.push(self.page(user.position.saturating_add(1)).boxed());
                }
                under_way.push(self.one(user).map(Step::Ended).boxed());
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Those who wait from a place on.
    async fn page(&self, from: u32) -> Step {
        Step::Page(self.runner.desk.store.bulk_users(self.run.id, Users::Queued, from, PAGE).await)
    }

    async fn one(&self, user: BulkUser) -> Result<(), StoreError> {
        let Some((end, run)) = self.end_of(&user).await? else { return Ok(()) };
        self.brake.look(&user, &end);
        self.runner.desk.store.user_ended(self.run.id, user.position, &end).await?;
        // Nobody may be listening any more, and that stops nothing.
        let _ = self.told.send(BulkTold { user: BulkUser { end: Some(end), ..user }, run });
        Ok(())
    }

    async fn end_of(&self, user: &BulkUser) -> Result<Ended, StoreError> {
        if self.brake.is_on() {
            return Ok(None);
        }
        let id = self.run.id.action(user.position);
        if let Some(begun) = self.begun(id).await? {
            return Ok(Some((begun, None)));
        }
        let Ok(place) = self.places.acquire().await else { return Ok(None) };
        if self.brake.is_on() {
            return Ok(None);
        }
        let plan = match prepare_to(&self.runner.desk, ask(self.run, user), Depth::Target).await {
            Ok(plan) => plan,
            Err(PlanError::Store(error)) => return Err(error),
            // What is wrong for everybody is told once.
            Err(_) if self.brake.is_on() => return Ok(None),
            Err(error) => return Ok(Some((self.not_sent(Outcome::Failed, first_line(&error)), None))),
        };
        if let Some(exception) = self.exception(user, &plan) {
            return Ok(Some((exception, None)));
        }
        self.send(&plan, id, place).await
    }

    /// How it stands for a user whom an earlier drive, or another process, began to act on.
    async fn begun(&self, id: ActionId) -> Result<Option<BulkEnd>, StoreError> {
        let steps = u8::try_from(self.flow.steps.len()).unwrap_or(u8::MAX);
        let ids: Vec<ActionId> = match steps {
            0 => vec![id],
            steps => (1..=steps).map(|step| id.step(step)).collect(),
        };
        let mut begun = Vec::new();
        for id in &ids {
            begun.extend(self.runner.desk.store.action(*id).await?);
        }
        Ok(BulkEnd::of_begun(&begun, ids.len(), self.runner.desk.now()))
    }

    /// Why this user is left out.
    fn exception(&self, user: &BulkUser, plan: &Plan) -> Option<BulkEnd> {
        let another = match (&user.target_id, &plan.target_id) {
            (Some(shown), Some(now)) if shown != now => {
                Some(format!("it leads to another account by now: {now}"))
            }
            _ => None,
        };
        if let Some(why) = another {
            return Some(self.not_sent(Outcome::Refused, why));
        }
        if let Some(refusal) = &plan.refusal {
            return Some(self.not_sent(refusal.outcome, refusal.why.clone()));
        }
        let doubt = plan.needs_again.clone().filter(|_| !self.run.is_insisted)?;
        Some(self.not_sent(Outcome::Refused, doubt))
    }

    /// Sends it. The place is given back with the answer: re-reads hold up nobody.
    async fn send(&self, plan: &Plan, id: ActionId, place: SemaphorePermit<'_>) -> Result<Ended, StoreError> {
        if self.brake.is_on() {
            return Ok(None);
        }
        let again = if self.run.is_insisted { Again::Insist } else { Again::No };
        let confirmed = Confirmed { digest: plan.digest(), reason: self.run.reason.clone(), again };
        let (progress, mut steps) = unbounded_channel();
        let mut place = Some(place);
        let mut running = std::pin::pin!(self.runner.run_as(plan, &confirmed, Compare::JustRead, progress));
        let ended = loop {
            tokio::select! {
                biased;
                ended = &mut running => break ended,
                Some(step) = steps.recv() => {
                    if let Progress::Answered(status, outcome) = step.progress {
                        // The re-reads may take ten seconds: who is next does not wait for them, nor does the brake.
                        self.brake.look_at(plan, outcome, status);
                        place.take();
                    }
                }
            }
        };
        match ended {
            Ok(run) => Ok(Some((BulkEnd::of_run(&run, self.runner.desk.now()), Some(run)))),
            Err(RunError::Stopping) => {
                self.brake.pull("the program is stopping".to_owned());
                Ok(None)
            }
            // Somebody else drives it too: theirs was first.
            Err(error) if is_its_own(&error, plan) => {
                let begun = self.begun(id).await?;
                Ok(Some((begun.unwrap_or_else(|| self.not_run(plan, &error)), None)))
            }
            Err(error) => Ok(Some((self.not_run(plan, &error), None))),
        }
    }

    fn not_sent(&self, outcome: Outcome, why: impl Into<String>) -> BulkEnd {
        BulkEnd::not_sent(outcome, why, self.runner.desk.now())
    }

    fn not_run(&self, plan: &Plan, error: &RunError) -> BulkEnd {
        let outcome = match error {
            RunError::Lost(_) => Outcome::Unknown,
            RunError::NotKept { outcome, .. } => *outcome,
            RunError::Request { .. } | RunError::Store(_) | RunError::FlowChanged(_) => Outcome::Failed,
            _ => Outcome::Refused,
        };
        let may_have_left = matches!(error, RunError::Lost(_) | RunError::NotKept { .. });
        let action = may_have_left.then_some(plan.action);
        BulkEnd { action, ..self.not_sent(outcome, first_line(error)) }
    }
}

/// What came of something that was under way.
enum Step {
    /// Those who wait next.
    Page(Result<Vec<BulkUser>, StoreError>),
    /// How it ended for a user is kept.
    Ended(Result<(), StoreError>),
}

/// Whether what stands against a run is its own action, made by another process.
fn is_its_own(error: &RunError, plan: &Plan) -> bool {
    let is_of_plan = |id: &ActionId| plan.parts().iter().any(|part| part.action == *id);
    match error {
        RunError::AlreadyRun(id) => is_of_plan(id),
        RunError::Intend(
            IntendError::AlreadyOpen(id) | IntendError::UnknownBefore(id) | IntendError::Meanwhile(id),
        ) => is_of_plan(id),
        _ => false,
    }
}

/// What stops a drive: a wish, or an end of a kind that nobody saw yet.
struct Brake {
    wishes: watch::Receiver<Wish>,
    /// The kinds of ends that were there when somebody let it go on.
    known: BTreeSet<(Outcome, Option<u16>)>,
    odd: Mutex<Option<String>>,
}

impl Brake {
    fn is_on(&self) -> bool {
        self.wish() != Wish::GoOn || self.why().is_some()
    }

    fn look(&self, user: &BulkUser, end: &BulkEnd) {
        if end.is_odd() && !self.known.contains(&end.kind()) {
            let why = end.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            self.pull(format!("`{}` is {}{why}", user.login, end.words()));
        }
    }

    /// The same as soon as the answer is there, before anybody else is begun.
    fn look_at(&self, plan: &Plan, outcome: Outcome, status: Option<u16>) {
        let is_odd = matches!(outcome, Outcome::Refused | Outcome::Failed | Outcome::Unknown);
        if is_odd && !self.known.contains(&(outcome, status)) {
            let answered = status.map(|status| format!(" (answered {status})")).unwrap_or_default();
            self.pull(format!("`{}` is {}{answered}", plan.login, outcome.word()));
        }
    }

    /// The first reason is told.
    fn pull(&self, why: String) {
        self.held().get_or_insert(why);
    }

    fn why(&self) -> Option<String> {
        self.held().clone()
    }

    /// A thread that panicked while it held this left a text whole.
    fn held(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.odd.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn wish(&self) -> Wish {
        *self.wishes.borrow()
    }
}

/// What stands against one user of many is one line; hints are for whoever runs it on one.
fn first_line(error: &impl ToString) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
