//! Looking at the target of an action later: what is still open, whether a look can tell, and when one is due.
//!
//! An unknown outcome is no end, and neither is an accepted one. Within the first hour the target is looked
//! at again now and then; behind that whoever wants to know asks for it. A look reads and sends nothing, and
//! only a change from how the target stood before raises an action, where the System Log names the action's own
//! request: what was so already proves nothing, and a change that anybody may have made proves no more.

use super::flow::Product;
use super::{Action, Evidence, Flow, Outcome};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How a target stands, where a look could read that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stands {
    /// As it was wanted, and it was not so before.
    Wanted,
    /// As before, and not as it was wanted.
    Before,
    /// Otherwise: that speaks neither for a change nor against one.
    Otherwise,
}

/// How long behind its intent an action is looked at again, each time.
pub const LOOKS: [SignedDuration; 4] = [
    SignedDuration::from_secs(30),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(10),
    SignedDuration::from_hours(1),
];

/// A look that comes later than this behind the last of [`LOOKS`] is not made by itself any more: by then too
/// much else may have happened to the account.
pub const GRACE: SignedDuration = SignedDuration::from_mins(5);

/// Whether what became of an action is still open.
pub fn is_open(action: &Action) -> bool {
    matches!(action.outcome, Outcome::Unknown | Outcome::Accepted)
}

/// When an action is to be looked at next, after now; `None` where it never is by itself.
pub fn next_look(action: &Action, now: Timestamp) -> Option<Timestamp> {
    let may_be_proven = action.before.is_some() && action.evidence > Evidence::Intended && !action.is_test;
    if !is_open(action) || !may_be_proven {
        return None;
    }
    LOOKS.iter().filter_map(|wait| action.at.checked_add(*wait).ok()).find(|at| *at > now)
}

/// Whether it is not too late for a look that was due.
pub fn is_in_time(action: &Action, now: Timestamp) -> bool {
    now.duration_since(action.at) <= LOOKS[LOOKS.len() - 1] + GRACE
}

/// What a look at the target can tell of an action.
///
/// # Errors
/// A sentence that says why none can.
pub fn can_tell(action: &Action, flows: &[Flow]) -> Result<String, String> {
    if action.outcome == Outcome::Pending {
        return Err("it has not ended yet".to_owned());
    }
    if !is_open(action) {
        return Err(format!("it is {}: there is nothing left to find out", action.outcome.word()));
    }
    let flow = flows.iter().find(|flow| flow.id == action.flow);
    let flow = flow.ok_or_else(|| format!("flow `{}` is not configured any more", action.flow))?;
    if action.evidence == Evidence::Intended {
        return Err("it broke off before anything left: a change would be somebody else's".to_owned());
    }
    let before = action.before.as_deref().ok_or_else(|| by_nobody(flow))?;
    let is_findable = action.target_id.is_some() || flow.creates();
    if flow.product != Some(Product::Okta) || !is_findable {
        return Err(by_nobody(flow));
    }
    Ok(format!(
        "the account is read again; only a change from `{before}` proves anything, and only where the System Log names this run"
    ))
}

fn by_nobody(flow: &Flow) -> String {
    match flow.product {
        Some(product) if product != Product::Okta => format!(
            "the state of an account of {} cannot be read from here: look at it there",
            product.ispm_name()
        ),
        _ => "nothing that can be read again proves it: look at the target yourself".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::action::ShownRequest;
    use crate::domain::operation::{self, Operation};
    use crate::domain::{ActionId, Actor, Login, Risk};
    use rstest::rstest;

    fn action(outcome: Outcome, evidence: Evidence) -> Action {
        Action {
            id: ActionId(uuid::Uuid::from_u128(1)),
            step: None,
            is_test: false,
            undoes: None,
            undone: None,
            before: Some("ACTIVE".to_owned()),
            flow: Operation::Suspend.flow_id(),
            verb: "suspend".to_owned(),
            risk: Risk::Medium,
            login: Login::new("ann"),
            target_id: Some("00u1".to_owned()),
            account_login: None,
            finding: None,
            evidence,
            outcome,
            request: ShownRequest {
                method: "POST".to_owned(),
                url: "https://acme.okta.com".to_owned(),
                headers: Vec::new(),
                body: String::new(),
            },
            receipt: None,
            reason: None,
            actor: Actor::default(),
            at: second(0),
        }
    }

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[rstest]
    #[case(3, Some(30))]
    #[case(30, Some(120))]
    #[case(121, Some(600))]
    #[case(600, Some(3_600))]
    #[case(3_600, None)]
    fn looks_are_further_and_further_apart_and_end(#[case] now: i64, #[case] next: Option<i64>) {
        for outcome in [Outcome::Unknown, Outcome::Accepted] {
            let next_look = next_look(&action(outcome, Evidence::Sent), second(now));
            assert_eq!(next_look, next.map(second));
        }
    }

    #[rstest]
    #[case(Outcome::Changed, Evidence::Verified)]
    #[case(Outcome::Pending, Evidence::Sent)]
    #[case(Outcome::Refused, Evidence::Acknowledged)]
    // Nothing left: whatever is seen was done by somebody else.
    #[case(Outcome::Unknown, Evidence::Intended)]
    fn what_is_settled_or_never_left_is_not_looked_at(#[case] outcome: Outcome, #[case] evidence: Evidence) {
        let action = action(outcome, evidence);
        assert_eq!(next_look(&action, second(3)), None);
        assert!(can_tell(&action, &operation::flows()).is_err());
    }

    #[test]
    fn a_look_that_is_very_late_is_not_made_by_itself() {
        let action = action(Outcome::Unknown, Evidence::Sent);
        assert!(is_in_time(&action, second(3_600)) && is_in_time(&action, second(3_900)));
        assert!(!is_in_time(&action, second(3_901)));
    }

    #[test]
    fn says_what_a_look_can_tell_or_why_none_can() {
        let flows = operation::flows();
        let known = action(Outcome::Unknown, Evidence::Sent);
        assert!(can_tell(&known, &flows).unwrap().contains("change from `ACTIVE`"));
        let why = |action: &Action, flows: &[Flow]| can_tell(action, flows).unwrap_err();
        assert!(
            why(&Action { before: None, ..known.clone() }, &flows).contains("look at the target yourself")
        );
        assert!(why(&known, &[]).contains("not configured any more"));
        let of_salesforce = Flow { product: Some(Product::Salesforce), ..flows[0].clone() };
        let flows = [Flow { id: known.flow.clone(), ..of_salesforce }];
        assert!(why(&known, &flows).contains("account of Salesforce.com"));
    }
}
