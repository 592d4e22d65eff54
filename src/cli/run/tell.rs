//! In which words ends of runs are told where JSON is wanted.

use super::Failure;
use crate::domain::plan::Plan;
use crate::domain::run_end::{Ended, StepEnd};
use crate::domain::{FlowId, Login};
use async_trait::async_trait;
use serde_json::Value;

/// In which words `--json` tells how runs ended. People get the same lines of everybody.
#[async_trait(?Send)]
pub trait Tell {
    /// A step that ended: it ran, or it needed not to, or its state forbade it.
    async fn ended(&self, part: &Plan, step: &StepEnd) -> Value;

    /// The same without a look at the target: nobody waits for one.
    fn ended_unread(&self, part: &Plan, step: &StepEnd) -> Value;

    /// What the target is behind a step, for people; where that is read.
    async fn now(&self, part: &Plan, step: &StepEnd) -> Option<String>;

    /// A run that was not made, or whose end is not known, where that is told beside the error.
    fn not_run(&self, about: &About<'_>, failure: &Failure) -> Option<Value>;

    /// What helps where a plan is refused.
    fn hint(&self, plan: &Plan) -> Option<String>;
}

/// What a run that was not made was about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Which flow.
    pub flow: &'a FlowId,
    /// On whom.
    pub login: &'a Login,
    /// Its plan, where there is one.
    pub plan: Option<&'a Plan>,
}

impl<'a> About<'a> {
    pub(super) fn plan(plan: &'a Plan) -> About<'a> {
        About { flow: &plan.flow.id, login: &plan.login, plan: Some(plan) }
    }
}

/// As `run` itself tells it: the action, under the names that the journal has for it.
#[derive(Debug, Clone, Copy)]
pub struct AsAction;

#[async_trait(?Send)]
impl Tell for AsAction {
    async fn ended(&self, part: &Plan, step: &StepEnd) -> Value {
        self.ended_unread(part, step)
    }

    fn ended_unread(&self, part: &Plan, step: &StepEnd) -> Value {
        match &step.ended {
            Ended::Ran { action, link } => {
                let mut json = action.to_json();
                if let (Some(link), Some(json)) = (link, json.as_object_mut()) {
                    json.insert("one_time_link".to_owned(), link.expose().into());
                }
                json
            }
            ended => {
                let why = match ended {
                    Ended::NotSent(refusal) => &refusal.why,
                    Ended::Unsure(why) => why,
                    Ended::Ran { .. } => "",
                };
                let mut json = serde_json::json!({
                    "flow": part.flow.id, "login": part.login, "target": part.target_id, "evidence": null,
                    "outcome": step.outcome(), "refusal": why,
                });
                // As an action has it: where it is another one.
                if let Some(account) = &part.account_login {
                    json["account_login"] = account.raw().into();
                }
                json
            }
        }
    }

    async fn now(&self, _: &Plan, _: &StepEnd) -> Option<String> {
        None
    }

    fn not_run(&self, _: &About<'_>, _: &Failure) -> Option<Value> {
        None
    }

    fn hint(&self, _: &Plan) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fake::plan;
    use crate::domain::Risk;
    use crate::domain::plan::Refusal;

    #[test]
    fn who_is_not_acted_on_is_told_with_the_account_too() {
        let mut plan = plan(Risk::Low, "ruth");
        let told = |plan: &Plan| {
            let ended = Ended::NotSent(Refusal::from("protected".to_owned()));
            AsAction.ended_unread(plan, &StepEnd { flow: plan.flow.id.clone(), verb: String::new(), ended })
        };
        assert_eq!(told(&plan).get("account_login"), None, "as of an action");
        plan.account_login = Some(Login::new("olga"));
        let json = told(&plan);
        assert_eq!([&json["login"], &json["account_login"], &json["refusal"]], ["ruth", "olga", "protected"]);
    }
}
