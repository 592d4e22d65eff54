//! One drive of a run: user by user, each planned anew, held to what was confirmed, and run by itself.

use super::brake::{Answer, Brake};
use super::{BulkTold, Wish};
use crate::domain::bulk::{BulkEnd, BulkRun, BulkState, BulkUser, doubts};
use crate::domain::plan::{Plan, Refusal};
use crate::domain::run_end::{RunEnd, StepEnd};
use crate::domain::{Action, ActionId, Flow, Outcome, Risk, Untrusted, undo};
use crate::remediation::blast::Depth;
use crate::remediation::bulk::ask;
use crate::remediation::card::{Ask, PlanError, prepare_to};
use crate::remediation::runner::flight::Watch;
use crate::remediation::runner::{Compare, Confirmed, Progress, RunError, Runner, Told};
use crate::store::{Again, IntendError, Kept, StoreError, Users};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use jiff::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep};

/// Users that are planned, run or looked at again at once: ten seconds of looking, at ten calls a second, and some.
const AT_ONCE: usize = 128;
/// Users that are planned or on their way: at ten calls a second, enough for reads and answers that take a second
/// and a half. What is planned leaves while it is fresh, and a brake leaves no more than these to land.
const PLACES: usize = 16;
/// So often somebody is held back before anything leaves; behind that they are planned anew.
const ATTEMPTS: u8 = 16;
/// So long until it is looked again whether somebody's lease is over.
const A_MOMENT: Duration = Duration::from_millis(500);
/// And so long at most, longer than a turn and a lease may take: by a clock that was set, a lease may last for days.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// Users read from the store at once.
const PAGE: usize = 200;

/// One drive of a run.
pub(super) struct Drive<'a> {
    runner: &'a Runner,
    run: &'a BulkRun,
    flow: &'a Flow,
    pub(super) brake: Arc<Brake>,
    places: Semaphore,
    /// Held by who goes alone, until an answer went well.
    alone: Mutex<()>,
    told: UnboundedSender<BulkTold>,
}

/// What becomes of a user.
enum Ended {
    /// They still wait.
    Waits,
    /// They wait because of something that may be so for everybody.
    Held(BulkEnd),
    /// It was so when the drive came to them.
    Begun(BulkEnd),
    /// So, and how the run on them ended where there was one.
    So(BulkEnd, Option<RunEnd>),
}

impl<'a> Drive<'a> {
    pub(super) fn new(
        runner: &'a Runner,
        (run, flow): (&'a BulkRun, &'a Flow),
        brake: Brake,
        told: UnboundedSender<BulkTold>,
    ) -> Drive<'a> {
        let (brake, places) = (Arc::new(brake), Semaphore::new(PLACES));
        Drive { runner, run, flow, brake, places, alone: Mutex::new(()), told }
    }

    /// Where the run stands now that the drive is over.
    pub(super) async fn stands(&self) -> Result<(BulkState, Option<String>), StoreError> {
        let why = self.brake.why();
        let store = &self.runner.desk.store;
        if let Some(kind) = self.brake.held_by() {
            store.saw(self.run.id, kind).await?;
        }
        let is_through = store.bulk_users(self.run.id, Users::Queued, 0, 1).await?.is_empty();
        Ok(match self.brake.wish() {
            // Whatever would have held it held nobody.
            _ if is_through => (BulkState::Done, None),
            Wish::Stop => (BulkState::Stopped, why),
            Wish::Pause | Wish::GoOn => (BulkState::Paused, why),
        })
    }

    /// All who wait. A store that fails begins nobody more; who is on their way is waited for. Reading who is next
    /// is one more thing that is under way: waiting for it apart would hold up those who wait for the store too.
    pub(super) async fn through(&self) -> Result<(), StoreError> {
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
        if let Some(error) = failed {
            return Err(error);
        }
        if self.brake.is_on() { Ok(()) } else { self.own_faults().await }
    }

    /// Those who wait from a place on.
    async fn page(&self, from: u32) -> Step {
        Step::Page(self.runner.desk.store.bulk_users(self.run.id, Users::Queued, from, PAGE).await)
    }

    async fn one(&self, user: BulkUser) -> Result<(), StoreError> {
        match self.end_of(&user).await? {
            Ended::Waits => Ok(()),
            Ended::Held(end) => {
                self.brake.hold(user, end);
                Ok(())
            }
            Ended::Begun(end) => {
                self.brake.begun(&user, &end);
                self.keep(user, end, None).await
            }
            Ended::So(end, run) => {
                self.brake.ended(&user, &end);
                self.keep(user, end, run).await
            }
        }
    }

    /// Those who could not be planned, where it was nobody else's fault.
    async fn own_faults(&self) -> Result<(), StoreError> {
        for (user, end) in self.brake.planned() {
            self.keep(user, end, None).await?;
        }
        Ok(())
    }

    /// Keeps an end, and tells it: what is no news to the store is told only where it ran here.
    async fn keep(&self, user: BulkUser, end: BulkEnd, run: Option<RunEnd>) -> Result<(), StoreError> {
        if self.kept(&user, end, run).await? == Kept::BegunMeanwhile
            && let Attempt::Begun(begun) = self.attempt(&user).await?
        {
            self.brake.begun(&user, &begun);
            self.kept(&user, begun, None).await?;
        }
        Ok(())
    }

    async fn kept(&self, user: &BulkUser, end: BulkEnd, run: Option<RunEnd>) -> Result<Kept, StoreError> {
        let desk = &self.runner.desk;
        let kept = desk.store.user_ended(self.run.id, user.position, &end, &desk.owner).await;
        if run.is_some() || matches!(kept, Ok(Kept::Kept)) {
            // Nobody may be listening any more, and that stops nothing.
            let _ = self.told.send(BulkTold { user: BulkUser { end: Some(end), ..user.clone() }, run });
        }
        if matches!(kept, Ok(Kept::Others)) {
            self.brake.lose("another process drives it".to_owned());
        }
        kept
    }

    async fn end_of(&self, user: &BulkUser) -> Result<Ended, StoreError> {
        let mut standing = self.attempt(user).await?;
        let since = Instant::now();
        loop {
            let id = match standing {
                _ if self.brake.is_on() => return Ok(Ended::Waits),
                Attempt::Begun(begun) => return Ok(Ended::Begun(begun)),
                Attempt::Waits if since.elapsed() > LONGEST_WAIT => {
                    self.brake
                        .pull(format!("`{}` still waits for their turn in another process", user.login));
                    return Ok(Ended::Waits);
                }
                Attempt::Waits => {
                    standing = self.once_told(user).await?;
                    continue;
                }
                Attempt::Next(id) => id,
            };
            let ended = self.act_on(id, user).await?;
            let Ended::So(BulkEnd { action: None, evidence: None, .. }, None) = &ended else {
                return Ok(ended);
            };
            // Nothing was sent: where somebody else drives it too and was first, theirs is what counts.
            standing = self.attempt(user).await?;
            if matches!(standing, Attempt::Next(next) if next == id) {
                return Ok(ended);
            }
        }
    }

    /// Plans a user, and sends what was planned.
    async fn act_on(&self, id: ActionId, user: &BulkUser) -> Result<Ended, StoreError> {
        let Ok(place) = self.places.acquire().await else { return Ok(Ended::Waits) };
        if self.brake.is_on() {
            return Ok(Ended::Waits);
        }
        let asked = self.runner.desk.now();
        let ask = match self.asked(id, user).await? {
            Ok(ask) => ask,
            Err(why) => return Ok(Ended::So(self.not_sent(Outcome::Refused, why), None)),
        };
        let plan = match prepare_to(&self.runner.desk, ask, self.depth()).await {
            Ok(plan) => at_risk(plan, self.run.risk),
            Err(PlanError::Store(error)) => return Err(error),
            // What is wrong for everybody is told once.
            Err(_) if self.brake.is_on() => return Ok(Ended::Waits),
            Err(error) => return Ok(self.not_planned(user, &error)),
        };
        if let Some(why) = regrouped(self.run, &plan) {
            // It is so for everybody, however often somebody goes on.
            self.brake.pull(why);
            return Ok(Ended::Waits);
        }
        if let Some(refusal) = refusal(self.run, user, &plan) {
            let end = self.not_sent(refusal.outcome, refusal.why);
            return Ok(if refusal.is_general { Ended::Held(end) } else { Ended::So(end, None) });
        }
        self.own_faults().await?;
        self.send(user, (&without_blast(plan), asked), place).await
    }

    /// What is asked for a user, with what of theirs it is to undo; or why nothing undoes that any more.
    async fn asked(&self, id: ActionId, user: &BulkUser) -> Result<Result<Ask, String>, StoreError> {
        let ask = ask(self.run, (id, user));
        let Some(undone) = user.undoes else { return Ok(Ok(ask)) };
        let desk = &self.runner.desk;
        let Some(action) = desk.store.action(undone).await? else {
            return Ok(Err(format!("action {undone}, which it was to undo, is not in the store any more")));
        };
        let undo = undo::of(&action, &desk.flows).and_then(|undo| match undo.flow == self.run.flow {
            true => Ok(Some(undo.undoes)),
            false => Err(format!("flow `{}` undoes action {undone} by now", undo.flow)),
        });
        Ok(undo.map(|undoes| Ask { undoes, ..ask }))
    }

    /// What was read a moment ago is not read once more. A program that was stopped in between, or reads that waited
    /// long, leave nothing that was read a moment ago.
    fn compare(&self, asked: Timestamp) -> Compare {
        let age = self.runner.desk.now().duration_since(asked);
        if age < self.runner.pace.lease { Compare::JustRead } else { Compare::WithWhatWasShown }
    }

    /// Who became an administrator meanwhile is seen, where the whole run was not confirmed as one on them.
    fn depth(&self) -> Depth {
        if self.run.risk < self.flow.risk.raised() { Depth::Roles } else { Depth::Target }
    }

    /// Under which id a user is acted on, or how it stands for one whom an earlier drive, or another process, began to
    /// act on. What was withheld is no action on them.
    async fn attempt(&self, user: &BulkUser) -> Result<Attempt, StoreError> {
        let first = self.run.id.action(user.position);
        for attempt in 0..ATTEMPTS {
            let id = first.attempt(attempt);
            let begun = self.actions(id).await?;
            if begun.is_empty() {
                return Ok(Attempt::Next(id));
            }
            if begun.iter().any(Action::waits_for_its_turn) {
                return Ok(Attempt::Waits);
            }
            if let Some(end) = BulkEnd::of_begun(&begun, self.runner.desk.now()) {
                return Ok(Attempt::Begun(end));
            }
        }
        let why = format!("held back {ATTEMPTS} times before anything left: plan them anew");
        Ok(Attempt::Begun(self.not_sent(Outcome::Refused, why)))
    }

    /// How somebody stands, a moment later: with the lease of whoever waited for their turn ends that wait.
    async fn once_told(&self, user: &BulkUser) -> Result<Attempt, StoreError> {
        sleep(A_MOMENT).await;
        let desk = &self.runner.desk;
        desk.store.expire_leases(desk.now()).await?;
        self.attempt(user).await
    }

    /// The actions that are there of a run on one user, in the order of its steps.
    async fn actions(&self, id: ActionId) -> Result<Vec<Action>, StoreError> {
        let steps = u8::try_from(self.flow.steps.len()).unwrap_or(u8::MAX);
        let ids: Vec<ActionId> = match steps {
            0 => vec![id],
            steps => (1..=steps).map(|step| id.step(step)).collect(),
        };
        let mut begun = Vec::new();
        for id in &ids {
            begun.extend(self.runner.desk.store.action(*id).await?);
        }
        Ok(begun)
    }

    /// Sends it. The place is given back with the answer: re-reads hold up nobody.
    async fn send(
        &self,
        user: &BulkUser,
        (plan, asked): (&Plan, Timestamp),
        place: SemaphorePermit<'_>,
    ) -> Result<Ended, StoreError> {
        // Until an answer went well, one goes at a time.
        let mut alone = Some(self.alone.lock().await).filter(|_| !self.brake.is_open());
        if self.brake.is_on() {
            return Ok(Ended::Waits);
        }
        // What stands against it was shown, or it would be left out.
        let again = if plan.needs_again.is_some() { Again::Insist } else { Again::No };
        let confirmed = Confirmed { digest: plan.digest(), reason: self.run.reason.clone(), again };
        let (progress, mut steps) = unbounded_channel();
        let mut place = Some(place);
        let brake = self.brake.clone();
        let watch: Watch = Arc::new(move || brake.may_leave());
        let how = (self.compare(asked), Some(watch));
        let mut running = std::pin::pin!(self.runner.run_as(plan, &confirmed, how, progress));
        let mut heard = |told: Told| {
            if let Progress::Answered(status, outcome) = told.progress {
                let is_last = told.step.is_none_or(|step| step.number == step.of);
                let which = if is_last { Answer::Last } else { Answer::Between };
                // The re-reads may take ten seconds: who is next does not wait for them, nor does the brake.
                self.brake.answered(user, (outcome, status), which);
                place.take();
                if is_last {
                    alone.take();
                }
            }
        };
        let ended = loop {
            tokio::select! {
                biased;
                ended = &mut running => break ended,
                Some(told) = steps.recv() => heard(told),
            }
        };
        // It may have ended before what it told was heard.
        while let Ok(told) = steps.try_recv() {
            heard(told);
        }
        match ended {
            Ok(run) if was_held_back(&run) => {
                // It may be so for everybody: the run waits too, and says why. One that was told to wait before has its
                // reason: that is what held them back.
                if !self.brake.is_on() {
                    let why = BulkEnd::of_run(&run, self.runner.desk.now()).why.unwrap_or_default();
                    self.brake.pull(format!("`{}` is not sent, and still waits: {why}", user.login));
                }
                Ok(Ended::Waits)
            }
            Ok(run) => Ok(Ended::So(BulkEnd::of_run(&run, self.runner.desk.now()), Some(run))),
            Err(RunError::Store(error) | RunError::Intend(IntendError::Store(error))) => Err(error),
            Err(RunError::Stopping) => {
                self.brake.pull("the program is stopping".to_owned());
                Ok(Ended::Waits)
            }
            // Somebody else paused or stopped it, or took it over, since anybody looked.
            Err(error @ RunError::Intend(IntendError::NotDriven(_))) => {
                self.brake.lose(first_line(&error));
                Ok(Ended::Waits)
            }
            Err(
                error @ (RunError::Request { .. }
                | RunError::FlowChanged(_)
                | RunError::NeedsReason
                | RunError::Secret(_)),
            ) => Ok(Ended::Held(self.not_sent(Outcome::Refused, first_line(&error)))),
            Err(error) => {
                let end = self.not_run(plan, &error);
                // While it goes alone: what may be so for everybody holds whoever is next.
                self.brake.ended(user, &end);
                Ok(Ended::So(end, None))
            }
        }
    }

    fn not_planned(&self, user: &BulkUser, error: &PlanError) -> Ended {
        let why = match (error, user.made_of.event) {
            (PlanError::AnothersEvent { .. }, Some(event)) => {
                format!("{CHANGED}: event `{event}` that it was made from is gone")
            }
            _ => first_line(error),
        };
        let end = self.not_sent(Outcome::Refused, why);
        if error.is_general() { Ended::Held(end) } else { Ended::So(end, None) }
    }

    fn not_sent(&self, outcome: Outcome, why: impl Into<String>) -> BulkEnd {
        BulkEnd::not_sent(outcome, why, self.runner.desk.now())
    }

    fn not_run(&self, plan: &Plan, error: &RunError) -> BulkEnd {
        let outcome = match error {
            RunError::Lost(_) | RunError::Intend(IntendError::OnlyJournalled(_)) => Outcome::Unknown,
            RunError::NotKept { outcome, .. } => *outcome,
            _ => Outcome::Refused,
        };
        let evidence = match error {
            RunError::NotKept { evidence, .. } => Some(*evidence),
            _ => None,
        };
        let may_have_left = matches!(
            error,
            RunError::Lost(_) | RunError::NotKept { .. } | RunError::Intend(IntendError::OnlyJournalled(_))
        );
        let action = may_have_left.then_some(plan.action);
        BulkEnd { action, evidence, ..self.not_sent(outcome, first_line(error)) }
    }
}

/// Whether somebody was begun with.
enum Attempt {
    /// They were, and it stands so.
    Begun(BulkEnd),
    /// They were by somebody who may be gone, and nothing has left: with the lease of that it is known.
    Waits,
    /// They are acted on under this id.
    Next(ActionId),
}

/// What came of something that was under way.
enum Step {
    /// Those who wait next.
    Page(Result<Vec<BulkUser>, StoreError>),
    /// How it ended for a user is kept.
    Ended(Result<(), StoreError>),
}

/// Whether something was held back, and nothing left: whoever it was for still waits.
fn was_held_back(run: &RunEnd) -> bool {
    let is_withheld = |step: &StepEnd| step.action().is_some_and(Action::is_withheld);
    run.steps.iter().any(is_withheld) && !run.steps.iter().any(StepEnd::has_left)
}

/// A plan at the tier at which the whole run was confirmed.
fn at_risk(plan: Plan, run: Risk) -> Plan {
    let is_raised = run > plan.flow.risk;
    let raised = |step: Plan| {
        let risk = if is_raised { step.risk.max(step.flow.risk.raised()) } else { step.risk };
        Plan { risk, ..step }
    };
    Plan { risk: plan.risk.max(run), steps: plan.steps.into_iter().map(raised).collect(), ..plan }
}

/// A plan whose roles were looked at a moment ago: they are not read once more before its first step.
fn without_blast(plan: Plan) -> Plan {
    let steps = plan.steps.into_iter().map(|step| Plan { blast: None, ..step }).collect();
    Plan { blast: None, steps, ..plan }
}

/// Why this user is left out, though they were confirmed.
fn refusal(run: &BulkRun, user: &BulkUser, plan: &Plan) -> Option<Refusal> {
    if let Some(refusal) = plan.refusal.as_ref().filter(|refusal| refusal.is_general) {
        return Some(refusal.clone());
    }
    let shown = |id: &str| Untrusted::from(id).to_string();
    let another = match (&user.target_id, &plan.target_id) {
        (Some(shown), Some(now)) if shown == now => None,
        (None, None) => None,
        (_, Some(now)) => {
            Some(Refusal::from(format!("it leads to another account by now than was shown: {}", shown(now))))
        }
        // Where the record that named it is there no more, that is it; else whoever knows it may not have answered.
        (Some(id), None) => rebuilt_otherwise(user, plan).or_else(|| {
            let why = format!("the account that was shown is not known any more: {}", shown(id));
            Some(Refusal::from(why).general())
        }),
    };
    let doubt = || {
        let doubt = plan.needs_again.clone()?;
        let were_shown = run.is_insisted && doubts(plan).iter().all(|doubt| user.doubts.contains(doubt));
        (!were_shown).then(|| Refusal::from(doubt))
    };
    another
        .or_else(|| plan.refusal.clone())
        .or_else(|| rebuilt_otherwise(user, plan))
        .or_else(doubt)
        .or_else(|| promoted(run, plan))
}

/// What would be sent is not what was confirmed: the finding changed, or what is known of the person.
fn rebuilt_otherwise(user: &BulkUser, plan: &Plan) -> Option<Refusal> {
    user.made_of.body.as_ref().filter(|body| plan.made_of.body.as_ref() != Some(body))?;
    let why = format!("{CHANGED}: what would be sent is not what was shown");
    Some(match &plan.unread {
        None => Refusal::from(why),
        // Whoever knows the rest of it may not have answered.
        Some(unread) => Refusal::from(format!("{why}, and they cannot be read: {unread}")).general(),
    })
}

/// The group's name leads to another one than was confirmed.
fn regrouped(run: &BulkRun, plan: &Plan) -> Option<String> {
    let was = run.seal.as_ref()?.group.as_deref()?;
    let now = plan.particulars.group.as_ref().filter(|group| group.id != was)?;
    Some(format!("{CHANGED}: {}", now.instead_of(&run.inputs, was)))
}

/// What differs from what was confirmed is that user's own exception.
const CHANGED: &str = "changed since it was confirmed";

/// Who wants more to be asked than was: an administrator who was none, or was not known as one.
fn promoted(run: &BulkRun, plan: &Plan) -> Option<Refusal> {
    let blast = plan.blast.as_ref().filter(|blast| plan.risk > run.risk && blast.is_of_administrator())?;
    let by = blast.administrator().words;
    Some(Refusal::from(format!("became an administrator ({by}) after the confirmation: plan them anew")))
}

/// What stands against one user of many is one line; hints are for whoever runs it on one.
fn first_line(error: &impl ToString) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
