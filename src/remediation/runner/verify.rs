//! Bounded re-reads of the target: what turns *accepted* into *changed*, and nothing else does.

use super::rival;
use crate::domain::action::Settlement;
use crate::domain::counted::numbered;
use crate::domain::plan::Plan;
use crate::domain::{Action, ActionId, Evidence, Outcome, time};
use crate::remediation::sight::{self, Aim, Reading};
use crate::remediation::{Desk, evidence, target};
use crate::store::StoreError;
use jiff::Timestamp;
use std::time::Duration;
use tokio::time::sleep;

/// Whether a re-read could prove anything: the flow has a proof, the target was read before and was not in
/// that state already, and what was sent may have had an effect. An unknown outcome may be cleared up like
/// an accepted one.
pub(super) fn can(plan: &Plan, settlement: &Settlement) -> bool {
    let aim = Aim::of_plan(plan);
    let may_have_worked = matches!(settlement.outcome, Outcome::Accepted | Outcome::Unknown);
    let could_prove = aim.is_provable() && !target::was_so(&plan.target, &aim) && may_have_worked;
    sight::key(plan).is_some() && (could_prove || is_ambiguous(plan, settlement))
}

/// Okta has one code for a user that it does not know and for one that is deactivated. A 404 without it is
/// somebody else's, and says nothing of the user; where a group is named too, it may be the group's.
fn is_ambiguous(plan: &Plan, settlement: &Settlement) -> bool {
    let receipt = &settlement.receipt;
    let is_oktas = || evidence::okta_code(receipt).as_deref() == Some("E0000007");
    let is_of_user = plan.flow.operation.is_some_and(|operation| !operation.is_of_group());
    is_of_user && (receipt.status == Some(404) && is_oktas() || says_already(settlement))
}

/// Okta says that nothing has to be done: that is looked at, and not taken for the target's own word.
fn says_already(settlement: &Settlement) -> bool {
    settlement.outcome == Outcome::NoChange
}

/// Re-reads until the target is as it is wanted or the waits run out, and says what was seen. Where another action
/// may have done it, that proves nothing.
pub(super) async fn verify(
    desk: &Desk,
    waits: &[Duration],
    (plan, action): (&Plan, &Action),
    mut settlement: Settlement,
) -> Settlement {
    let Some(key) = sight::key(plan) else { return settlement };
    let aim = Aim::of_plan(plan);
    if is_ambiguous(plan, &settlement) {
        let reading = sight::look(desk, key, &aim).await;
        return told_apart(&reading, &aim, desk.now(), settlement);
    }
    let mut seen = "not re-read".to_owned();
    for (tries, wait) in (1_usize..).zip(waits) {
        sleep(*wait).await;
        let reading = sight::look(desk, key, &aim).await;
        if target::is_so(&reading, &aim) == Some(true) {
            let proof = proof(target::status(&plan.target), &reading, &aim);
            return credited(proof, rival::of(desk, action, &aim).await, settlement);
        }
        seen = unproven(&reading, &aim, Tries::Bounded(tries));
    }
    settlement.receipt.verified = Some(seen);
    settlement
}

/// What a proof makes of an action, where another one may have done it, and where not.
fn credited(
    proof: String,
    rival: Result<Option<ActionId>, StoreError>,
    mut settlement: Settlement,
) -> Settlement {
    let said = match rival {
        Ok(None) => {
            settlement.receipt.verified = Some(proof);
            return Settlement { evidence: Evidence::Verified, outcome: Outcome::Changed, ..settlement };
        }
        Ok(Some(rival)) => rival::words(&proof, rival),
        Err(why) => format!("{proof}; whether another action did it cannot be read: {why}"),
    };
    settlement.receipt.verified = Some(said);
    settlement
}

/// What a 404 meant, or the word that it is so already, by one more look at the user.
fn told_apart(reading: &Reading, aim: &Aim, now: Timestamp, mut settlement: Settlement) -> Settlement {
    let at = at(reading).unwrap_or_else(|| time::rfc3339_seconds(now));
    let is_so = target::is_so(reading, aim) == Some(true);
    let (outcome, said) = match &reading.user {
        Some(user) if is_so => (Outcome::NoChange, format!("re-read at {at}: {} already", user.status)),
        Some(user) if says_already(&settlement) => {
            let said = "Okta said that it is so already, and it is not";
            (Outcome::Refused, format!("re-read at {at}: {}: {said}", user.status))
        }
        Some(user) => {
            (Outcome::NotLegal, format!("re-read at {at}: the account is there, and {}", user.status))
        }
        None if reading.missing.is_some() => {
            (Outcome::Refused, format!("re-read at {at}: Okta knows no such account any more"))
        }
        None => (settlement.outcome, unproven(reading, aim, Tries::Bounded(1))),
    };
    settlement.receipt.verified = Some(said);
    Settlement { outcome, ..settlement }
}

/// When it was read, and by which request: the receipt has the other one.
fn at(reading: &Reading) -> Option<String> {
    let at = time::rfc3339_seconds(reading.target.at()?);
    let id = reading.user.as_ref().and_then(|user| user.request_id.as_ref());
    Some(id.map_or(at.clone(), |id| format!("{at} (request {id})")))
}

/// What was seen of an effect, and how it stood before.
pub(super) fn proof(before: Option<&str>, reading: &Reading, aim: &Aim) -> String {
    let before = before.unwrap_or("not known");
    let at = at(reading).unwrap_or_default();
    let is = words(reading, aim);
    match aim {
        Aim::Status(_) => format!("re-read at {at}: {is}, before {before}"),
        Aim::Exists(_) => format!("re-read at {at}: {is}, before not there"),
        Aim::NoFactors | Aim::Member(..) | Aim::Fields(_) => format!("re-read at {at}: {is}"),
    }
}

/// How the target is, in the words of what is aimed at.
fn words(reading: &Reading, aim: &Aim) -> String {
    let status = || reading.user.as_ref().map_or("not there".to_owned(), |user| user.status.to_string());
    match aim {
        Aim::Status(_) => status(),
        Aim::Exists(_) if target::is_so(reading, aim) == Some(false) => {
            format!("{}, with another profile than was sent", status())
        }
        Aim::Exists(_) => status(),
        Aim::NoFactors => match &reading.factors {
            Some(Ok(factors)) if factors.is_empty() => "no factor is listed any more".to_owned(),
            Some(Ok(factors)) => format!("{} factors are listed", factors.len()),
            Some(Err(why)) => format!("the factors cannot be read: {why}"),
            None => "the factors were not read".to_owned(),
        },
        Aim::Member(group, _) => match &reading.is_member {
            Some(Ok(true)) => format!("in the group `{}`", group.name),
            Some(Ok(false)) => format!("not in the group `{}`", group.name),
            Some(Err(why)) => format!("the groups cannot be read: {why}"),
            None => "the groups were not read".to_owned(),
        },
        Aim::Fields(wanted) => {
            let user = reading.user.as_ref();
            let left = user.map_or(wanted.len(), |user| target::differing(&user.profile, wanted).len());
            match left {
                0 => "the profile holds what was sent".to_owned(),
                left => format!("{left} of {} fields hold something else", wanted.len()),
            }
        }
    }
}

/// How it came to be looked at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tries {
    /// Behind the send, so many times.
    Bounded(usize),
    /// Once, later.
    Later,
}

/// What was seen where it is not as it was wanted.
pub(super) fn unproven(reading: &Reading, aim: &Aim, tries: Tries) -> String {
    match (&reading.user, reading.target.unread(), tries) {
        (None, Some(why), _) => format!("could not be re-read: {why}"),
        (.., Tries::Bounded(tries)) => {
            let last = at(reading).map(|at| format!(", last at {at}")).unwrap_or_default();
            format!("re-read {}{last}: still {}", numbered(tries, "time"), words(reading, aim))
        }
        (.., Tries::Later) => {
            format!("re-read at {}: {}", at(reading).unwrap_or_default(), words(reading, aim))
        }
    }
}
