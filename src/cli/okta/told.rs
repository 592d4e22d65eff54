//! What `--json` tells of a change of a user: XSOAR's names for it, beside the real status and what is proven.
//!
//! The account is read once more behind each step: what is printed is what it is then, never what it was
//! before. `success` says that something was changed, or that Okta accepted it; what needed no change is no
//! success of one: `outcome` is `no-change`, and `skipped` says that nothing was sent.

use super::super::failure::Failure;
use super::super::run::{About, Tell};
use crate::domain::action::Receipt;
use crate::domain::dossier::{OktaUser, Problem};
use crate::domain::look_up::{is_user, nobody, text_at};
use crate::domain::operation::Operation;
use crate::domain::plan::Plan;
use crate::domain::run_end::{Ended, StepEnd};
use crate::domain::{FlowId, Outcome, Untrusted};
use crate::tenant::OktaOrg;
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// What XSOAR's commands call that there is no such user, or group: what HTTP calls it.
pub(super) const NOBODY: &str = "404";

/// Tells changes of users of this org.
#[derive(Debug)]
pub(super) struct AsXsoar {
    pub(super) org: Arc<dyn OktaOrg>,
}

#[async_trait(?Send)]
impl Tell for AsXsoar {
    async fn ended(&self, part: &Plan, step: &StepEnd) -> Value {
        let told = match &self.read(part, step).await {
            Ok(details) => of_user(details, action_of(&step.flow), step.outcome()),
            Err(problem) => unread(part, step, &problem.line()),
        };
        of_step(told, part, step)
    }

    fn ended_unread(&self, part: &Plan, step: &StepEnd) -> Value {
        of_step(unread(part, step, "nobody waited for it"), part, step)
    }

    async fn now(&self, part: &Plan, step: &StepEnd) -> Option<String> {
        let details = match self.read(part, step).await {
            Ok(details) => details,
            Err(problem) => return Some(format!("what it is now cannot be read: {}", problem.line())),
        };
        let user = OktaUser::deserialize(&details).unwrap_or_default();
        let status = &user.status;
        Some(match (user.can_sign_in(), user.sign_in_words()) {
            (Some(true), _) => format!("now {status}"),
            (Some(false), _) => format!("now {status}: no sign-in"),
            (None, "unknown") => format!("now {status}: whether that can sign in is not known"),
            (None, words) => format!("now {status}: sign-in {words}"),
        })
    }

    fn not_run(&self, about: &About<'_>, failure: &Failure) -> Option<Value> {
        let why = words(failure);
        let outcome = match about.plan.and_then(|plan| plan.refusal.as_ref()) {
            Some(refusal) => refusal.outcome,
            None if failure.status() == super::super::failure::UNKNOWN => Outcome::Unknown,
            None if about.plan.is_some_and(|plan| plan.needs_again.is_some()) => Outcome::Refused,
            None => Outcome::Failed,
        };
        let action = action_of(about.flow);
        let told = nothing(about.login.raw(), action, outcome).with("errorMessage", why.as_str());
        let told = match outcome {
            Outcome::Unknown => told,
            _ => told.with("skipped", true).with("reason", why),
        };
        Some(about.plan.map_or(told.clone(), |plan| told.of_account(plan).of_part(plan)).0)
    }

    /// A deactivated account is activated by nothing but the command that says so.
    fn hint(&self, plan: &Plan) -> Option<String> {
        let is_update = plan.flow.operation == Some(Operation::Update);
        let is_deactivated = plan.target.fact("status") == Some("DEPROVISIONED");
        let login = Untrusted::from(plan.login.raw());
        (is_update && is_deactivated).then(|| {
            format!("`idtriage okta user activate {login}` activates it, and is confirmed by itself")
        })
    }
}

impl AsXsoar {
    /// The account behind a step: by its id, where one is known, since a login may have been changed.
    async fn read(&self, part: &Plan, step: &StepEnd) -> Result<Value, Problem> {
        let target = step.action().and_then(|action| action.target_id.as_deref());
        let login = part.login.raw();
        let Some(id) = target.or(part.target_id.as_deref()) else {
            let details = self.org.user_of(login).await?;
            // Okta takes a short login for somebody's.
            return if is_user(&details, login) { Ok(details) } else { Err(nobody(login)) };
        };
        self.org.user_of(id).await
    }
}

fn unread(part: &Plan, step: &StepEnd, why: &str) -> Told {
    nothing(part.login.raw(), action_of(&step.flow), step.outcome())
        .with("reason", format!("what the account is now cannot be read: {why}"))
}

/// With how a step ended.
fn of_step(mut told: Told, part: &Plan, step: &StepEnd) -> Value {
    match &step.ended {
        Ended::Ran { action, link } => {
            if let Some(receipt) = action.receipt.as_ref().filter(|_| !is_success(action.outcome)) {
                let (code, message) = error_of(receipt);
                told = told.with("errorCode", code).with("errorMessage", message);
                if let Some(complaint) = &receipt.complaint {
                    told = told.with("reason", complaint.why.as_str()).with("hint", json!(complaint.hint));
                }
            }
            if action.outcome == Outcome::Accepted && told.0["reason"] == "" {
                told = told.with("reason", "Okta accepted it; that it came about is not shown yet");
            }
            told = told
                .with("evidence", json!(action.evidence))
                .with("action_id", json!(action.id))
                .with("request", json!(action.request))
                .with("receipt", json!(action.receipt));
            if let Some(link) = link {
                told = told.with("one_time_link", link.expose());
            }
        }
        Ended::NotSent(refusal) => told = told.with("skipped", true).with("reason", refusal.why.as_str()),
        Ended::Unsure(why) => told = told.with("errorMessage", why.as_str()),
    }
    told.of_part(part).0
}

fn can_sign_in(details: &Value) -> Option<bool> {
    OktaUser::deserialize(details).ok().and_then(|user| user.can_sign_in())
}

/// One line of output, as it is put together.
#[derive(Debug, Clone)]
pub(super) struct Told(pub(super) Value);

impl Told {
    /// With this under a name.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Told {
        self.0[name] = value.into();
        self
    }

    /// With what was read of the account before anything would have been sent.
    fn of_account(self, plan: &Plan) -> Told {
        // Who is there already is not whom the command was about.
        let is_read = plan.target_id.is_some() && !plan.flow.creates();
        let Some(status) = plan.target.fact("status").filter(|_| is_read) else { return self };
        let user = OktaUser { status: status.into(), ..OktaUser::default() };
        self.with("id", json!(plan.target_id))
            .with("username", plan.target.fact("login").unwrap_or(plan.login.raw()))
            .with("status", status)
            .with("active", user.can_sign_in() == Some(true))
            .with("can_sign_in", user.can_sign_in())
    }

    /// With what the plan knew.
    fn of_part(self, part: &Plan) -> Told {
        let before = part.target.fact("status").unwrap_or_default();
        let differences: Vec<Value> = part
            .differences
            .iter()
            .map(|it| {
                let raw = |value: &Option<Untrusted>| value.as_ref().map(|value| value.raw().to_owned());
                json!({"field": it.name.raw(), "was": raw(&it.was), "becomes": raw(&it.becomes)})
            })
            .collect();
        self.with("flow", json!(part.flow.id))
            .with("login", part.login.raw())
            .with("target", json!(part.target_id))
            .with("status_before", before)
            .with("differences", differences)
    }
}

/// What XSOAR calls a change; what it has no word for goes by its own name.
pub(super) fn action_of(flow: &FlowId) -> &str {
    match Operation::of_flow(flow) {
        Some(Operation::Create) => "create",
        Some(Operation::Update) => "update",
        Some(Operation::Activate) => "enable",
        Some(Operation::Deactivate) => "disable",
        _ => flow.0.strip_prefix("okta-").unwrap_or(&flow.0),
    }
}

fn is_success(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Changed | Outcome::Accepted)
}

/// Whom Okta shows.
pub(super) fn of_user(details: &Value, action: &str, outcome: Outcome) -> Told {
    let can_sign_in = can_sign_in(details);
    nothing(text_at(details, "/profile/login"), action, outcome)
        .with("active", can_sign_in == Some(true))
        .with("id", text_at(details, "/id"))
        .with("email", text_at(details, "/profile/email"))
        .with("status", text_at(details, "/status"))
        .with("can_sign_in", can_sign_in)
        .with("details", details.clone())
}

/// Every name that XSOAR has, and ours, of somebody who was not read.
pub(super) fn nothing(key: &str, action: &str, outcome: Outcome) -> Told {
    Told(json!({
        "success": is_success(outcome), "active": null, "id": "", "username": key, "email": "", "status": "",
        "can_sign_in": null, "errorCode": "", "errorMessage": "", "action": action, "skipped": false,
        "reason": "", "outcome": outcome, "evidence": null, "action_id": null, "details": null,
    }))
}

/// The failure without its mark.
fn words(failure: &Failure) -> String {
    let told = failure.to_string();
    told.strip_prefix("error: ").unwrap_or(&told).replace('\n', "; ")
}

/// Okta's code, and its words with their causes; without its error body the HTTP status, or what went wrong.
fn error_of(receipt: &Receipt) -> (String, String) {
    let body: Value = serde_json::from_str(&receipt.body).unwrap_or_default();
    let cause = |cause: &Value| cause["errorSummary"].as_str().map(str::to_owned);
    let causes = match &body["errorCauses"] {
        Value::Array(list) => list.iter().filter_map(cause).collect(),
        one => cause(one).into_iter().collect::<Vec<_>>(),
    };
    let status = receipt.status.map(|status| status.to_string()).unwrap_or_default();
    let code = body["errorCode"].as_str().map_or(status, str::to_owned);
    let summary = body["errorSummary"].as_str().or(receipt.error.as_deref()).unwrap_or_default();
    let message = [vec![summary.to_owned()], causes].concat().join("; ");
    (code, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("okta-create-user", "create")]
    #[case("okta-update-user", "update")]
    #[case("okta-activate", "enable")]
    #[case("okta-deactivate", "disable")]
    #[case("okta-suspend", "suspend")]
    #[case("okta-contain", "contain")]
    fn xsoars_words_go_first(#[case] flow: &str, #[case] action: &str) {
        assert_eq!(action_of(&flow.into()), action);
    }

    #[rstest]
    #[case(
        Some(400),
        r#"{"errorCode":"E0000001","errorSummary":"Api validation failed: login","errorCauses":[{"errorSummary":"login: exists"}]}"#,
        "E0000001",
        "Api validation failed: login; login: exists"
    )]
    #[case(
        Some(400),
        r#"{"errorCode":"E0000001","errorSummary":"a","errorCauses":{"errorSummary":"b"}}"#,
        "E0000001",
        "a; b"
    )]
    #[case(Some(502), "<html>", "502", "")]
    #[case(None, "", "", "timed out")]
    fn an_error_is_a_text_with_its_causes(
        #[case] status: Option<u16>,
        #[case] body: &str,
        #[case] code: &str,
        #[case] message: &str,
    ) {
        let error = status.is_none().then(|| "timed out".to_owned());
        let receipt = Receipt { status, body: body.to_owned(), error, ..Receipt::default() };
        assert_eq!(error_of(&receipt), (code.to_owned(), message.to_owned()));
    }

    #[rstest]
    #[case("ACTIVE", true, Some(true))]
    #[case("SUSPENDED", false, Some(false))]
    #[case("PROVISIONED", false, Some(false))]
    #[case("PASSWORD_EXPIRED", false, None)]
    #[case("SOMETHING_NEW", false, None)]
    fn only_who_can_sign_in_is_active(#[case] status: &str, #[case] active: bool, #[case] can: Option<bool>) {
        let Told(told) = of_user(&json!({"id": "00u1", "status": status}), "get", Outcome::Changed);
        assert_eq!((told["active"].as_bool(), told["can_sign_in"].as_bool()), (Some(active), can));
        assert_eq!(told["status"], status);
    }

    #[rstest]
    #[case(Outcome::Changed, true)]
    #[case(Outcome::Accepted, true)]
    #[case(Outcome::NoChange, false)]
    #[case(Outcome::NotLegal, false)]
    #[case(Outcome::Refused, false)]
    #[case(Outcome::Unknown, false)]
    fn what_changed_nothing_is_no_success(#[case] outcome: Outcome, #[case] is: bool) {
        assert_eq!(nothing("a", "enable", outcome).0["success"], is);
    }
}
