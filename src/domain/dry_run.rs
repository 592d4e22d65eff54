//! What a dry run tells, a line each of JSON: on the command line and on the console's card the same.

use super::access::Access;
use super::blast::Blast;
use super::bulk::{Doubts, left_out};
use super::many::Planned;
use super::plan::{Confirm, Difference, Plan, Refusal, Target};
use super::untrusted::escape_json;
use super::{Actor, FlowId, Login, Outcome, Untrusted, time};
use jiff::Timestamp;
use serde_json::{Value, json};

/// What would be done, by whom and when: one line of JSON an action, secrets masked, and with nothing in it that
/// moves a terminal.
pub fn lines(plan: &Plan, actor: &Actor, at: Timestamp) -> Vec<String> {
    let record = |part| escape_json(&record(plan, part, actor, at).to_string()).into_owned();
    plan.parts().iter().map(record).collect()
}

/// The same of many: those for whom there is no plan, then each plan with why they are left out, where they are.
pub fn lines_of_many(
    (flow, planned): (&FlowId, &Planned),
    doubts: Doubts,
    actor: &Actor,
    at: Timestamp,
) -> Vec<String> {
    let unplanned = planned
        .unplanned
        .iter()
        .map(|(mark, why)| escape_json(&not_planned(flow, &mark.login, why).to_string()).into_owned());
    let refusals = left_out(&planned.plans, doubts);
    let plans = shown(&planned.plans, &refusals).flat_map(|plan| lines(&plan, actor, at));
    unplanned.chain(plans).collect()
}

/// The plan of each, with why they are left out.
pub fn shown(plans: &[Plan], left_out: &[Option<Refusal>]) -> impl Iterator<Item = Plan> {
    let each = plans.iter().zip(left_out);
    each.map(|(plan, why)| Plan { refusal: why.clone().or_else(|| plan.refusal.clone()), ..plan.clone() })
}

/// Somebody for whom there is no plan.
pub fn not_planned(flow: &FlowId, login: &Login, why: &str) -> Value {
    not_acted_on(flow, login, (None, Outcome::Refused, why))
}

/// Somebody who is not acted on, the account where it is known, and what that is called.
pub fn not_acted_on(
    flow: &FlowId,
    login: &Login,
    (target, outcome, why): (Option<&str>, Outcome, &str),
) -> Value {
    json!({
        "flow": flow, "login": login, "target": target, "evidence": null, "outcome": outcome, "refusal": why,
    })
}

/// The names of an action (design, section 5), and why it would not be sent. What holds of a run of several as
/// a whole (what it asks, reaches, undoes and leaves) is said of each of its steps.
fn record(run: &Plan, plan: &Plan, actor: &Actor, at: Timestamp) -> Value {
    let mut record = json!({
        "id": plan.action,
        "flow": plan.flow.id,
        "login": plan.login,
        "target": plan.target_id,
        "finding": plan.finding,
        "evidence": null,
        "outcome": null,
        "request": plan.request,
        "receipt": null,
        "reason": null,
        "actor": actor,
        "at": time::rfc3339(at),
        "refusal": plan.refusal.as_ref().map(|refusal| &refusal.why),
        "needs_again": plan.needs_again,
        "run": plan.step.map(|step| step.run),
        "step": plan.step.map(|step| step.to_string()),
        "risk": run.risk.word(),
        "account_doubt": plan.account_doubt.as_ref().map(|doubt| &doubt.why),
        "confirm": answer(run),
        "state": state(&plan.target),
        "access": run.access.as_ref().map(Access::to_json),
        "blast_radius": run.blast.as_ref().map(Blast::to_json),
        "undo": run.undo,
        "caveats": run.caveats,
        "cannot_know": run.cannot_know,
        "audit": plan.flow.audit,
        "undoes": plan.undoes.as_ref().map(|undoes| undoes.action),
        "differences": plan.differences.iter().map(difference).collect::<Vec<_>>(),
    });
    if let Some(account) = &plan.account_login {
        record["account_login"] = account.raw().into();
    }
    if plan.is_test {
        record["test"] = true.into();
    }
    record
}

/// The target as it was read, or why it was not.
fn state(target: &Target) -> Value {
    match target {
        Target::CannotTell(why) => json!({"cannot_tell": why}),
        Target::Read { at, from, facts } => {
            let facts: serde_json::Map<String, Value> =
                facts.iter().map(|fact| (fact.name.clone(), fact.value.clone().into())).collect();
            json!({"at": time::rfc3339(*at), "from": from, "facts": facts})
        }
    }
}

fn difference(difference: &Difference) -> Value {
    let raw = |value: &Option<Untrusted>| value.as_ref().map(|value| value.raw().to_owned());
    json!({"field": difference.name, "was": raw(&difference.was), "becomes": raw(&difference.becomes)})
}

/// How the command line answers what a confirmation asks for.
pub fn answer(plan: &Plan) -> String {
    match &plan.confirm {
        Confirm::Key | Confirm::Word(_) if plan.account_doubt.is_none() => "--yes".to_owned(),
        _ => format!("--confirm {}", Untrusted::from(plan.to_say())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::many::Mark;

    #[test]
    fn whoever_has_no_plan_has_a_line_too() {
        let mark = Mark { login: Login::new("ann\u{202e}"), finding: None };
        let planned = Planned { plans: Vec::new(), unplanned: vec![(mark, "no account".to_owned())] };
        let flow = FlowId::from("okta-suspend");
        let lines = lines_of_many((&flow, &planned), Doubts::Stand, &Actor::default(), Timestamp::UNIX_EPOCH);
        let line: Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(
            (lines.len(), &line["outcome"], &line["refusal"]),
            (1, &json!("refused"), &json!("no account"))
        );
        assert!(!lines[0].contains('\u{202e}'), "{}", lines[0]);
    }
}
