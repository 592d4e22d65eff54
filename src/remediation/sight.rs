//! Looking at the target: the account as Okta has it now, and what the operation is about beside it.

use super::Desk;
use super::target;
use crate::domain::dossier::{OktaFactor, OktaGroup, OktaUser, Part, Problem};
use crate::domain::flow::{Product, ProvenBy};
use crate::domain::operation::{GroupRef, Operation, Particulars};
use crate::domain::plan::{Plan, Target};
use crate::domain::subject::ProviderAccount;
use crate::domain::{Flow, Login, PartName};
use serde_json::{Map, Value};

/// What an operation is to bring about, and so what is looked at.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Aim {
    /// A status, or nothing that a re-read can prove.
    Status(Option<ProvenBy>),
    /// That no factor is enrolled.
    NoFactors,
    /// That the account is in this group, or is not.
    Member(GroupRef, bool),
    /// That the profile holds this.
    Fields(Map<String, Value>),
    /// That there is an account with this profile, where there was none of its login.
    Exists(Map<String, Value>),
}

impl Aim {
    /// What a flow aims at, with the body that it is sent.
    pub(super) fn of(flow: &Flow, particulars: &Particulars, body: &str) -> Aim {
        match (flow.operation, &particulars.group) {
            (Some(Operation::ResetFactors), _) => Aim::NoFactors,
            (Some(Operation::AddToGroup), Some(group)) => Aim::Member(group.clone(), true),
            (Some(Operation::RemoveFromGroup), Some(group)) => Aim::Member(group.clone(), false),
            (Some(Operation::Update), _) => Aim::Fields(fields(body)),
            _ if flow.creates() => Aim::Exists(fields(body)),
            _ => Aim::Status(flow.proven_by),
        }
    }

    /// What the plan's flow aims at.
    pub(super) fn of_plan(plan: &Plan) -> Aim {
        Aim::of(&plan.flow, &plan.particulars, &plan.request.body)
    }

    /// Whether a re-read can prove it.
    pub(super) fn is_provable(&self) -> bool {
        !matches!(self, Aim::Status(None))
    }
}

/// The fields of a body that changes a profile.
pub(super) fn fields(body: &str) -> Map<String, Value> {
    let mut body: Value = serde_json::from_str(body).unwrap_or_default();
    match body.get_mut("profile").map(Value::take) {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// A reading of the target.
#[derive(Debug)]
pub(super) struct Reading {
    /// For the card.
    pub(super) target: Target,
    /// The user behind it, where it was read.
    pub(super) user: Option<OktaUser>,
    /// What was odd about an answer that came: that Okta took a short login for another's, say.
    pub(super) odd: Vec<String>,
    /// Why there is nobody to act on, where Okta says so: that is known, not untold.
    pub(super) missing: Option<String>,
    /// The factors that are enrolled, where they were looked at.
    pub(super) factors: Option<Result<Vec<OktaFactor>, String>>,
    /// Whether the account is in the group, where that was looked at.
    pub(super) is_member: Option<Result<bool, String>>,
}

impl Reading {
    fn cannot_tell(why: impl Into<String>) -> Reading {
        Reading {
            target: Target::CannotTell(why.into()),
            user: None,
            odd: Vec::new(),
            missing: None,
            factors: None,
            is_member: None,
        }
    }

    /// Of what is no account.
    pub(super) fn of_no_account() -> Reading {
        Reading::cannot_tell("what the issue is about is no account")
    }

    /// Of an account that the step before makes: there is nothing to look at yet.
    pub(super) fn not_yet() -> Reading {
        Reading::cannot_tell("the step before makes the account")
    }
}

/// Looks at what a flow would act on. Only Okta can be asked: CII's status is a day old.
pub(super) async fn read(
    desk: &Desk,
    flow: &Flow,
    (account, login): (Option<&ProviderAccount>, &Login),
    aim: &Aim,
) -> Reading {
    match okta_key(flow, account, login) {
        Ok(_) if !desk.directory.parts().contains(&PartName::Okta) => {
            Reading::cannot_tell("Okta is not configured, so the account cannot be read")
        }
        Ok(key) => look(desk, &key, aim).await,
        Err(why) => Reading::cannot_tell(why),
    }
}

/// By what the target of a plan is looked up: its id, or the login that nobody has yet.
pub(super) fn key(plan: &Plan) -> Option<&str> {
    let of_new = || matches!(Aim::of_plan(plan), Aim::Exists(_)).then(|| plan.login.raw());
    target::id(&plan.target).or_else(of_new)
}

/// How the target of a plan stood, where a later reading could tell a change from it.
pub(super) fn before(plan: &Plan) -> Option<String> {
    let aim = Aim::of_plan(plan);
    key(plan).filter(|_| aim.is_provable())?;
    target::standing(&plan.target, &aim).map(str::to_owned)
}

/// Looks at an account of an id or a login.
pub(super) async fn look(desk: &Desk, key: &str, aim: &Aim) -> Reading {
    let part = desk.directory.okta_user(key).await;
    let mut reading = of_user(desk, part, aim);
    let Some(user) = reading.user.as_ref().filter(|user| !user.id.is_blank()) else { return reading };
    match aim {
        Aim::NoFactors => reading.factors = Some(factors(desk, user.id.raw()).await),
        Aim::Member(group, _) => reading.is_member = Some(is_member(desk, user.id.raw(), group).await),
        Aim::Status(_) | Aim::Fields(_) | Aim::Exists(_) => {}
    }
    target::add_facts(&mut reading, aim);
    reading
}

fn of_user(desk: &Desk, part: Part<OktaUser>, aim: &Aim) -> Reading {
    let odd: Vec<String> = part.problems.iter().map(|problem| problem.line()).collect();
    match part.data {
        Some(user) => {
            let facts = target::facts(&user, &desk.zone);
            let target = Target::Read { at: part.at, from: "Okta", facts };
            Reading { target, user: Some(user), odd, ..Reading::cannot_tell("") }
        }
        // For who makes an account it is good news that there is none.
        None if matches!(aim, Aim::Exists(_)) && part.is_of_nobody() => {
            let target = Target::Read { at: part.at, from: "Okta", facts: target::nobody() };
            Reading { target, ..Reading::cannot_tell("") }
        }
        None => Reading { missing: nobody(&part), ..Reading::cannot_tell(problems(&part)) },
    }
}

fn nobody(part: &Part<OktaUser>) -> Option<String> {
    let problem = part.problems.iter().find(|problem| problem.says_nobody())?;
    Some(format!("there is no such account: {}", problem.line()))
}

fn problems(part: &Part<OktaUser>) -> String {
    let line = |problem: &Problem| {
        let hint = problem.hint.as_ref().map(|hint| format!(" (hint: {hint})")).unwrap_or_default();
        format!("{}{hint}", problem.line())
    };
    let lines: Vec<String> = part.problems.iter().map(line).collect();
    if lines.is_empty() { "Okta answered nothing".to_owned() } else { lines.join("; ") }
}

async fn factors(desk: &Desk, user: &str) -> Result<Vec<OktaFactor>, String> {
    let Some(org) = &desk.org else { return Err(NO_ORG.to_owned()) };
    let listed = org.factors_of_user(user).await.map_err(|problem: Problem| problem.line())?;
    let read = |factor| serde_json::from_value(factor).map_err(|_| "a factor cannot be read".to_owned());
    listed.into_iter().map(read).collect()
}

async fn is_member(desk: &Desk, user: &str, group: &GroupRef) -> Result<bool, String> {
    let Some(org) = &desk.org else { return Err(NO_ORG.to_owned()) };
    let listed = org.groups_of_user(user).await.map_err(|problem: Problem| problem.line())?;
    let is_it = |listed: Value| {
        let listed: Option<OktaGroup> = serde_json::from_value(listed).ok();
        listed.is_some_and(|listed| listed.id.raw() == group.id)
    };
    Ok(listed.into_iter().any(is_it))
}

const NO_ORG: &str = "Okta is not configured";

fn okta_key(flow: &Flow, account: Option<&ProviderAccount>, login: &Login) -> Result<String, String> {
    let product = account.map_or(flow.product, |account| Product::parse(account.provider.raw()));
    match (product, account) {
        (Some(Product::Okta), Some(account)) => Ok(account.user_id.raw().to_owned()),
        (Some(Product::Okta), None) => Ok(login.raw().to_owned()),
        (None, None) => Err("the flow decides itself what to act on".to_owned()),
        (Some(other), _) => {
            Err(format!("the state of an account of {} cannot be read from here", other.ispm_name()))
        }
        (None, Some(account)) => {
            Err(format!("the state of an account of {} cannot be read from here", account.provider))
        }
    }
}
