//! A run of several actions: one after the other, each with its own intent, receipt and outcome.

use super::{Compare, Confirmed, Landed, Open, Proof, RunError, Runner, Told, Watch};
use crate::domain::operation::Whom;
use crate::domain::plan::{Plan, Refusal, Target};
use crate::domain::run_end::{Ended, RunEnd, StepEnd};
use crate::domain::{Action, Outcome};
use crate::remediation::sight::{self, Aim, Reading};
use crate::remediation::target;
use crate::tenant::ID_TO_COME;
use tokio::sync::mpsc::UnboundedSender;

impl Runner {
    /// Runs the steps of a plan. One that was refused ends the run; whatever else becomes of one, the next is
    /// tried: a suspension that fails leaves sessions to be cleared.
    pub(super) async fn run_steps(
        &self,
        plan: &Plan,
        confirmed: &Confirmed,
        watch: Option<Watch>,
        progress: &UnboundedSender<Told>,
    ) -> Result<RunEnd, RunError> {
        self.check_whole(plan, confirmed)?;
        if let Some(refusal) = &plan.refusal {
            return Err(RunError::Refused(refusal.why.clone()));
        }
        // A first step with nothing to do is not sent, and so not compared: what was shown may be over.
        if let Some(first) = plan.steps.first().filter(|first| first.refusal.is_some()) {
            self.check_target(first).await?;
        }
        let mut ends: Vec<StepEnd> = Vec::new();
        let mut open = Vec::new();
        for (at, step) in plan.steps.iter().enumerate() {
            let ended = match stopped_by(&ends, step) {
                Some(why) => Ended::NotSent(why),
                None => match self
                    .run_step((step, plan.steps.get(at + 1), &watch), &ends, confirmed, progress)
                    .await
                {
                    Ok((ended, left)) => {
                        open.extend(left.map(|left| (at, left)));
                        ended
                    }
                    // As long as nothing was sent, it is the whole run that was not made.
                    Err(error) if ends.iter().all(was_not_sent) && !may_have_left(&error) => {
                        return Err(error);
                    }
                    Err(error) => not_run(&error),
                },
            };
            let end = StepEnd { flow: step.flow.id.clone(), verb: step.verb.clone(), ended };
            ends.push(end);
        }
        for (at, left) in open {
            // Nobody's leaving stops the look; one that breaks off proves nothing.
            let proven = tokio::spawn(left.prove()).await;
            if let (Ok(proven), Some(end)) = (proven, ends.get_mut(at)) {
                prove(end, proven);
            }
        }
        Ok(RunEnd { steps: ends })
    }

    /// What was confirmed are the requests of all steps: each has to rebuild to what was shown.
    fn check_whole(&self, plan: &Plan, confirmed: &Confirmed) -> Result<(), RunError> {
        let flow = &plan.flow.id;
        if self.desk.flow(flow) != Some(&plan.flow) {
            return Err(RunError::FlowChanged(flow.clone()));
        }
        if plan.digest() != confirmed.digest {
            return Err(RunError::NotWhatWasShown);
        }
        plan.steps.iter().try_for_each(|step| self.check_request(step, &of_step(step, confirmed)))
    }

    /// The first step stands on the reading that was shown. What comes after it finds the target changed by
    /// the run itself, so that it is looked at anew, and what its state forbids now is not sent.
    async fn run_step(
        &self,
        (step, next, watch): (&Plan, Option<&Plan>, &Option<Watch>),
        before: &[StepEnd],
        confirmed: &Confirmed,
        progress: &UnboundedSender<Told>,
    ) -> Result<(Ended, Option<Open>), RunError> {
        let (step, compare) = match before.is_empty() {
            true => (step.clone(), Compare::WithWhatWasShown),
            false => (self.renewed(step, before.last()).await?, Compare::JustRead),
        };
        if let Some(refusal) = step.refusal.clone().filter(|refusal| refusal.outcome != Outcome::Refused) {
            return Ok((Ended::NotSent(refusal), None));
        }
        let of_step = of_step(&step, confirmed);
        // What acts on somebody who is there does not wait until the step before it is proven.
        let goes_on = next.is_some_and(|next| next.particulars.whom == Whom::Read);
        let proof = if goes_on { Proof::Left } else { Proof::Awaited };
        // What was begun is not left half done.
        let watch = watch.clone().filter(|_| before.iter().all(was_not_sent));
        let landed = self.run_one(&step, &of_step, (compare, proof, watch), progress.clone()).await?;
        let Landed { action, link, open } = landed;
        Ok((Ended::Ran { action: Box::new(action), link }, open))
    }

    /// A step with the target as it is now, and the id of an account that was made a moment ago.
    async fn renewed(&self, step: &Plan, before: Option<&StepEnd>) -> Result<Plan, RunError> {
        let aim = Aim::of_plan(step);
        let is_made = step.particulars.whom == Whom::Made;
        let key = if is_made { Some(step.login.raw()) } else { target::id(&step.target) };
        let Some(key) = key else { return Ok(step.clone()) };
        let reading = sight::look(&self.desk, key, &aim).await;
        let renewed = Plan { refusal: still_refused(step, &reading, &aim), ..step.clone() };
        match &reading.target {
            _ if is_made => self.made(step, renewed, reading, before),
            // The id is known: what contains somebody is not left out because a read failed.
            Target::CannotTell(_) => Ok(step.clone()),
            Target::Read { .. } => Ok(Plan { target: reading.target, ..renewed }),
        }
    }

    /// The step on the account that the step before it made: found by its login, and the very one of which
    /// Okta answered the id.
    fn made(
        &self,
        step: &Plan,
        renewed: Plan,
        reading: Reading,
        before: Option<&StepEnd>,
    ) -> Result<Plan, RunError> {
        let not_it = |why: String| {
            RunError::Refused(format!("the account of `{}` that was made is not found: {why}", step.login))
        };
        let id = target::id(&reading.target).filter(|_| reading.odd.is_empty()).map(str::to_owned);
        let id =
            id.ok_or_else(|| not_it(reading.missing.unwrap_or_else(|| "run the step by itself".to_owned())))?;
        match before.and_then(id_of_made) {
            Some(made) if made == id => {}
            Some(_) => return Err(not_it(format!("`{id}` has that login, and is another one"))),
            // Somebody else may have made one of the same login and profile at the same time.
            None => return Err(not_it(format!("Okta answered no id, so whether it is `{id}` is not known"))),
        }
        let mut made = Plan { target_id: Some(id.clone()), target: reading.target, ..renewed };
        made.particulars.whom = Whom::Read;
        self.address(step, made, &id)
    }

    /// The request of a step, now that the id is known: it may differ from what was shown by that alone.
    fn address(&self, step: &Plan, mut made: Plan, id: &str) -> Result<Plan, RunError> {
        let shown = self.desk.caller.shown(&made.order(self.desk.actor.signed()));
        let request = shown.map_err(|why| RunError::Request { flow: step.flow.id.clone(), why })?;
        let mut expected = step.request.clone();
        expected.url = expected.url.replace(ID_TO_COME, id);
        if request.digest() != expected.digest() {
            return Err(RunError::NotWhatWasShown);
        }
        made.request = request;
        Ok(made)
    }
}

fn prove(end: &mut StepEnd, proven: Action) {
    if let Ended::Ran { action, .. } = &mut end.ended {
        **action = proven;
    }
}

/// What a guard stops stays stopped; the rest is decided by the state as it is now.
fn still_refused(step: &Plan, reading: &Reading, aim: &Aim) -> Option<Refusal> {
    let by_guard = step.refusal.clone().filter(|refusal| refusal.outcome == Outcome::Refused);
    by_guard.or_else(|| target::forbids(reading, &step.flow, aim))
}

/// The id of the account that an action made, as Okta answered it.
fn id_of_made(end: &StepEnd) -> Option<String> {
    let body = &end.action()?.receipt.as_ref()?.body;
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    body.get("id")?.as_str().map(str::to_owned)
}

/// Why the rest is not run: the step before was refused, or the account it acts on was not made.
fn stopped_by(ends: &[StepEnd], step: &Plan) -> Option<Refusal> {
    let last = ends.last()?;
    let outcome = last.outcome();
    let was_made = matches!(outcome, Outcome::Accepted | Outcome::Changed);
    if ends.iter().all(nothing_left) && last.action().is_some_and(Action::is_withheld) {
        // The whole run waits for another attempt, which begins with what comes first.
        let why = format!("`{}` before it was held back, and nothing was sent", last.verb);
        return Some(Refusal { why, outcome: Outcome::NotSent, is_general: false });
    }
    let why = match step.particulars.whom {
        Whom::Read if outcome == Outcome::Refused => "was refused",
        // Somebody else may have made an account of this login meanwhile: that one is not activated.
        Whom::Made if !was_made => "made no account that is known",
        _ => return None,
    };
    Some(Refusal::from(format!("not sent: `{}` before it {why}", last.verb)))
}

fn was_not_sent(end: &StepEnd) -> bool {
    matches!(end.ended, Ended::NotSent(_))
}

fn nothing_left(end: &StepEnd) -> bool {
    was_not_sent(end) || end.action().is_some_and(Action::is_withheld)
}

fn may_have_left(error: &RunError) -> bool {
    matches!(error, RunError::Lost(_) | RunError::NotKept { .. })
}

fn not_run(error: &RunError) -> Ended {
    if may_have_left(error) {
        return Ended::Unsure(error.to_string());
    }
    Ended::NotSent(Refusal::from(error.to_string()))
}

fn of_step(step: &Plan, confirmed: &Confirmed) -> Confirmed {
    Confirmed { digest: step.request.digest(), ..confirmed.clone() }
}
