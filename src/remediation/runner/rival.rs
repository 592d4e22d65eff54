//! Whether somebody else's action may have done what a reading shows: then no action is credited with it.

use crate::domain::flow::ProvenBy;
use crate::domain::operation::{GroupRef, Particulars};
use crate::domain::{Action, ActionId, Flow, Outcome, Untrusted, later, undo};
use crate::remediation::Desk;
use crate::remediation::sight::Aim;
use crate::store::{ActionFilter, StoreError};
use jiff::{SignedDuration, Timestamp};

/// So many actions on the same account are looked at, each way.
const RIVALS: usize = 50;
/// What was sent longer before and is still open is not on its way any more: nobody looks for it by then.
const ON_ITS_WAY: SignedDuration = later::LOOKS[later::LOOKS.len() - 1];

/// Another action on the same account that may have brought about what an action aims at: one that came behind
/// its intent, or that was still open then. Ask behind the reading: what comes later did not do what was read.
pub(super) async fn of(desk: &Desk, action: &Action, aim: &Aim) -> Result<Option<ActionId>, StoreError> {
    let of_login = ActionFilter { login: Some(action.login.clone()), ..since(action) };
    let mut others = desk.store.actions(&of_login, None, RIVALS).await?.rows;
    // Another login may lead to the same account.
    if let Some(target) = &action.target_id {
        for flow in desk.flows.iter().filter(|flow| may_touch(flow, aim)) {
            let of_account =
                ActionFilter { flow: Some(flow.id.clone()), target: Some(target.clone()), ..since(action) };
            others.extend(desk.store.actions(&of_account, None, RIVALS).await?.rows);
        }
    }
    let is_rival = |other: &&Action| other.id != action.id && may_have_done(desk, other, action.at, aim);
    Ok(others.iter().find(is_rival).map(|other| other.id))
}

/// A sentence for the receipt.
pub(super) fn words(proof: &str, rival: ActionId) -> String {
    format!("{proof}; another action, {rival}, may have done it: which of them did it is not known")
}

fn since(action: &Action) -> ActionFilter {
    let since = action.at.saturating_sub(ON_ITS_WAY).unwrap_or(Timestamp::MIN);
    ActionFilter { since: Some(since), may_have_left: true, ..ActionFilter::default() }
}

/// Whether what a flow brings about can be read from an account in the way that an aim is.
fn may_touch(flow: &Flow, aim: &Aim) -> bool {
    match aim {
        Aim::Status(_) => flow.proven_by.is_some(),
        Aim::NoFactors | Aim::Member(..) | Aim::Fields(_) | Aim::Exists(_) => flow.operation.is_some(),
    }
}

fn may_have_done(desk: &Desk, other: &Action, at: Timestamp, aim: &Aim) -> bool {
    let flow = desk.flow(&other.flow);
    if !may_have_worked(other, flow) {
        return false;
    }
    let others = flow.map(|flow| aim_of(flow, other));
    match other.at >= at {
        true => others.is_none_or(|others| touches(&others, aim)),
        // What had its effect before was seen by the card, which showed another state. What is open may have it yet.
        false => {
            let is_recent = at.duration_since(other.at) <= ON_ITS_WAY;
            let is_open = other.outcome != Outcome::Changed;
            is_recent && is_open && others.is_none_or(|others| brings_about(&others, aim))
        }
    }
}

fn may_have_worked(other: &Action, flow: Option<&Flow>) -> bool {
    let is_oktas = flow.is_some_and(|flow| flow.operation.is_some());
    match other.outcome {
        Outcome::Pending | Outcome::Accepted | Outcome::Changed | Outcome::Unknown => true,
        // What answered may have been the flow itself, after it did something.
        Outcome::Refused | Outcome::Failed => !is_oktas,
        Outcome::NoChange | Outcome::NotLegal | Outcome::NotSent => false,
    }
}

/// Whether one aim may bring about or take back the other.
fn touches(one: &Aim, other: &Aim) -> bool {
    match (one, other) {
        (Aim::Status(one), Aim::Status(other)) => one.is_some() && other.is_some(),
        (Aim::NoFactors, Aim::NoFactors) => true,
        (Aim::Member(one, _), Aim::Member(other, _)) => one.id == other.id,
        (Aim::Fields(one), Aim::Fields(other) | Aim::Exists(other)) => {
            one.keys().any(|name| other.contains_key(name))
        }
        (Aim::Exists(_), Aim::Exists(_)) => true,
        _ => false,
    }
}

/// Whether one aim, where it is reached, reaches something of the other.
fn brings_about(one: &Aim, other: &Aim) -> bool {
    let statuses = |by: &Option<ProvenBy>| by.map(ProvenBy::statuses).unwrap_or_default();
    let is_same = match (one, other) {
        (Aim::Status(one), Aim::Status(other)) => {
            statuses(one).iter().any(|status| statuses(other).contains(status))
        }
        (Aim::Member(_, one), Aim::Member(_, other)) => one == other,
        (Aim::Fields(one), Aim::Fields(other) | Aim::Exists(other)) => {
            one.iter().any(|(name, value)| other.get(name) == Some(value))
        }
        _ => true,
    };
    is_same && touches(one, other)
}

/// What an action aimed at: all of it stands in its request.
pub(super) fn aim_of(flow: &Flow, action: &Action) -> Aim {
    let group = undo::group_of(&action.request.url).map(|id| GroupRef {
        name: Untrusted::from(id.as_str()),
        kind: Untrusted::default(),
        id,
    });
    Aim::of(flow, &Particulars { group, ..Particulars::default() }, &action.request.body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Map, json};

    fn group(id: &str) -> GroupRef {
        GroupRef { id: id.to_owned(), name: id.into(), kind: "OKTA_GROUP".into() }
    }

    fn fields(names: &[&str]) -> Map<String, serde_json::Value> {
        names.iter().map(|name| ((*name).to_owned(), json!("x"))).collect()
    }

    fn titled(title: &str) -> Aim {
        Aim::Fields([("title".to_owned(), json!(title))].into_iter().collect())
    }

    fn status(by: ProvenBy) -> Aim {
        Aim::Status(Some(by))
    }

    #[rstest]
    #[case(status(ProvenBy::Suspended), status(ProvenBy::Suspended), true, true)]
    #[case(status(ProvenBy::Suspended), status(ProvenBy::Active), true, false)]
    #[case(status(ProvenBy::Activated), status(ProvenBy::Active), true, true)]
    #[case(Aim::Status(None), status(ProvenBy::Active), false, false)]
    #[case(Aim::Member(group("a"), true), Aim::Member(group("a"), true), true, true)]
    #[case(Aim::Member(group("a"), true), Aim::Member(group("a"), false), true, false)]
    #[case(Aim::Member(group("a"), true), Aim::Member(group("b"), true), false, false)]
    #[case(Aim::Fields(fields(&["title"])), Aim::Fields(fields(&["title", "nick"])), true, true)]
    #[case(Aim::Fields(fields(&["title"])), Aim::Fields(fields(&["nick"])), false, false)]
    #[case(titled("Clerk"), titled("Chief"), true, false)]
    #[case(Aim::NoFactors, Aim::NoFactors, true, true)]
    #[case(Aim::NoFactors, status(ProvenBy::Suspended), false, false)]
    fn what_may_bring_about_the_same_is_a_rival(
        #[case] one: Aim,
        #[case] other: Aim,
        #[case] behind: bool,
        #[case] before: bool,
    ) {
        assert_eq!((touches(&one, &other), brings_about(&one, &other)), (behind, before));
    }
}
