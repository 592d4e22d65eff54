//! A flow tried with the documented sample: nobody is meant, and the journal says so.
//!
//! The flow behind the URL cannot be told that this is a test: a live one acts on whatever the sample names. So
//! it is looked for first, and where one of its names is an account of the org, nothing is sent.

use super::subject::Names;
use super::{Desk, PlanError, card, guard, said, target};
use crate::domain::operation::Particulars;
use crate::domain::payload::PayloadError;
use crate::domain::payload::sample::{self, Sample};
use crate::domain::plan::{AskedFor, Confirm, MadeOf, Order, Plan, Refusal, Target};
use crate::domain::{ActionId, Flow, FlowId, Login, PartName, Route, Untrusted, undo};
use std::collections::BTreeMap;

/// What is to be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// The id that the action will have.
    pub action: ActionId,
    /// Which flow.
    pub flow: FlowId,
    /// Values for declared inputs of its own.
    pub inputs: BTreeMap<String, String>,
}

/// Plans a trial; nothing is sent and nothing is kept.
///
/// # Errors
/// [`PlanError`] where the flow is none of Workflows, or cannot be called.
pub async fn prepare(desk: &Desk, trial: Trial) -> Result<Plan, PlanError> {
    let flow = desk.flow(&trial.flow).ok_or_else(|| PlanError::NoSuchFlow(trial.flow.clone()))?;
    if flow.route == Route::Open {
        return Err(PlanError::OnlyOpens(flow.id.clone()));
    }
    desk.without_secrets(&trial.inputs)?;
    let sample = sample::sample(flow, &trial.inputs)?;
    let found = looked_for(desk, flow, &trial, &sample).await;
    let order = Order {
        flow: flow.id.clone(),
        target: sample.id.as_ref().map(|id| id.raw().to_owned()),
        body: sample.body.clone(),
        action: trial.action.to_string(),
        operator: desk.actor.signed(),
        particulars: Particulars::default(),
    };
    let request =
        desk.caller.shown(&order).map_err(|why| PlanError::Request { flow: flow.id.clone(), why })?;
    Ok(Plan {
        action: trial.action,
        step: None,
        is_test: true,
        undoes: None,
        risk: flow.risk,
        access: Some(desk.caller.access_to(flow).await),
        blast: None,
        confirm: Confirm::of(flow.risk, &sample.login, card::word(flow)),
        verb: format!("try, with the documented sample, to {}", flow.verb),
        cannot_know: vec!["whether the flow is live: it is not told that this is a test".to_owned()],
        caveats: [live(&sample)].into_iter().chain(flow.caveats.iter().cloned()).collect(),
        follows: None,
        needs_again: found.untold.clone(),
        account_doubt: None,
        asked: AskedFor { inputs: trial.inputs.clone(), ..AskedFor::default() },
        made_of: MadeOf::default(),
        unread: None,
        refusal: refusal(desk, flow, &trial, (&sample, &found)),
        undo: undo::words(flow, &desk.flows),
        reason_required: guard::requires_reason(&desk.guard, flow.risk),
        differences: Vec::new(),
        login: sample.login,
        target_id: order.target,
        account_login: None,
        finding: None,
        request,
        particulars: Particulars::default(),
        steps: Vec::new(),
        target: found.target,
        flow: flow.clone(),
    })
}

/// Who goes by the sample of a flow.
///
/// # Errors
/// As [`prepare`].
pub fn login(flows: &[Flow], id: &FlowId) -> Result<Login, PlanError> {
    let flow = flows.iter().find(|flow| flow.id == *id).ok_or_else(|| PlanError::NoSuchFlow(id.clone()))?;
    let none = || PlanError::Payload(PayloadError::NoSample { flow: id.clone() });
    sample::login(flow.payload).map(Login::new).ok_or_else(none)
}

fn live(sample: &Sample) -> String {
    let named: Vec<String> = sample.names.iter().map(|name| format!("`{name}`")).collect();
    format!("it is the documented sample, and nobody's record: a live flow acts on {}", named.join(", "))
}

/// What looking for the sample's names came to.
struct Found {
    target: Target,
    /// The name that is somebody's.
    somebody: Option<String>,
    /// Why it cannot be told, where none was found.
    untold: Option<String>,
}

async fn looked_for(desk: &Desk, flow: &Flow, trial: &Trial, sample: &Sample) -> Found {
    let untold = |why: &str| Found {
        target: Target::CannotTell(why.to_owned()),
        somebody: None,
        untold: Some(format!("whether the sample names an account of this org cannot be told: {why}")),
    };
    if !desk.directory.parts().contains(&PartName::Okta) {
        return untold("Okta is not configured");
    }
    let given = match said::named(flow, &trial.inputs, &sample_names(sample)) {
        Ok(given) => given,
        Err(why) => return untold(&why),
    };
    let sampled = sample.names.iter().map(|name| (*name).to_owned());
    for name in &sampled.chain(given).collect::<Vec<String>>() {
        let part = desk.directory.okta_user(name).await;
        if let Some(user) = &part.data {
            let said = format!(
                "`{}` of what would be sent is an account of this org: {} ({})",
                Untrusted::from(name.as_str()),
                user.id,
                user.status
            );
            return Found { target: Target::CannotTell(said.clone()), somebody: Some(said), untold: None };
        }
        if !part.is_of_nobody() {
            let why = part.problems.first().map(|problem| problem.line());
            return untold(&why.unwrap_or_else(|| "Okta answered nothing".to_owned()));
        }
    }
    let target = Target::Read { at: desk.now(), from: "Okta", facts: target::of_nobody() };
    Found { target, somebody: None, untold: None }
}

fn sample_names(sample: &Sample) -> Names {
    let mut names = Names::of_nobody(&sample.login);
    sample.names.iter().for_each(|name| names.add(name));
    names
}

fn refusal(desk: &Desk, flow: &Flow, trial: &Trial, (sample, found): (&Sample, &Found)) -> Option<Refusal> {
    let names = sample_names(sample);
    let by_guard = guard::refusal(&desk.guard, desk.mode, &names)
        .or_else(|| said::refusal_by_name(desk, flow, &trial.inputs, &names));
    by_guard.or_else(|| found.somebody.clone()).map(Refusal::from)
}
