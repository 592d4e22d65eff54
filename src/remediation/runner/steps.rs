//! A run of several actions: one after the other, each with its own intent, receipt and outcome.

use super::{Compare, Confirmed, Landed, Progress, RunError, Runner};
use crate::domain::Outcome;
use crate::domain::operation::Whom;
use crate::domain::plan::{Plan, Refusal, Target};
use crate::domain::run_end::{Ended, RunEnd, StepEnd};
use crate::remediation::sight::{self, Aim};
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
        progress: &UnboundedSender<Progress>,
    ) -> Result<RunEnd, RunError> {
        self.check_whole(plan, confirmed)?;
        let mut ends: Vec<StepEnd> = Vec::new();
        for step in &plan.steps {
            let ended = match stopped_by(&ends, step) {
                Some(why) => Ended::NotSent(why),
                None => match self.run_step(step, &ends, confirmed, progress).await {
                    Ok(ended) => ended,
                    // As long as nothing was sent, it is the whole run that was not made.
                    Err(error) if ends.iter().all(was_not_sent) && !may_have_left(&error) => {
                        return Err(error);
                    }
                    Err(error) => not_run(&error),
                },
            };
            ends.push(StepEnd { flow: step.flow.id.clone(), verb: step.verb.clone(), ended });
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
        step: &Plan,
        before: &[StepEnd],
        confirmed: &Confirmed,
        progress: &UnboundedSender<Progress>,
    ) -> Result<Ended, RunError> {
        let (step, compare) = match before.is_empty() {
            true => (step.clone(), Compare::WithWhatWasShown),
            false => (self.renewed(step).await?, Compare::JustRead),
        };
        if let Some(refusal) = step.refusal.clone().filter(|refusal| refusal.outcome != Outcome::Refused) {
            return Ok(Ended::NotSent(refusal));
        }
        let of_step = of_step(&step, confirmed);
        let Landed { action, link } = self.run_one(&step, &of_step, compare, progress.clone()).await?;
        Ok(Ended::Ran { action: Box::new(action), link })
    }

    /// A step with the target as it is now, and the id of an account that was made a moment ago.
    async fn renewed(&self, step: &Plan) -> Result<Plan, RunError> {
        let aim = Aim::of_plan(step);
        let is_made = step.particulars.whom == Whom::Made;
        let key = if is_made { Some(step.login.raw()) } else { target::id(&step.target) };
        let Some(key) = key else { return Ok(step.clone()) };
        let reading = sight::look(&self.desk, key, &aim).await;
        let id = target::id(&reading.target).map(str::to_owned);
        if !is_made {
            return Ok(match &reading.target {
                // The id is known: what contains somebody is not left out because a read failed.
                Target::CannotTell(_) => step.clone(),
                Target::Read { .. } => Plan {
                    refusal: target::forbids(&reading, &step.flow, &aim),
                    target: reading.target,
                    ..step.clone()
                },
            });
        }
        let Some(id) = id.filter(|_| reading.odd.is_empty()) else {
            return Err(RunError::Refused(format!(
                "the account of `{}` that was made cannot be read back: {}",
                step.login,
                reading.missing.unwrap_or_else(|| "try the step by itself".to_owned())
            )));
        };
        let mut made = Plan {
            target_id: Some(id.clone()),
            refusal: target::forbids(&reading, &step.flow, &aim),
            target: reading.target,
            ..step.clone()
        };
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

/// Why the rest is not run: the step before was refused, or the account it acts on was not made.
fn stopped_by(ends: &[StepEnd], step: &Plan) -> Option<Refusal> {
    let last = ends.last()?;
    let outcome = last.outcome();
    let was_made = matches!(outcome, Outcome::Accepted | Outcome::Changed);
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
