//! What was done before, and what of it nobody knows yet.
//!
//! An unknown outcome is not forgotten because something came behind it: an answer of *refused*, *failed* or *accepted*
//! says how that later send ended, and nothing of the one before. Only what is proven of the same account ends it, or
//! a look that finds out how it ended itself, or somebody's word on that.

use super::operation::Operation;
use super::{Action, Outcome};

/// The newest of earlier actions of which nobody knows what it did, and behind which nothing is proven. They are given
/// newest first, and all of them do the same.
pub fn unproven(earlier: &[Action]) -> Option<&Action> {
    let is_unproven = |at: usize, action: &Action| {
        action.is_unknown() && !earlier.iter().take(at).any(|later| proves(later, action))
    };
    earlier.iter().enumerate().find(|(at, action)| is_unproven(*at, action)).map(|(_, action)| action)
}

/// Whether what is known of a later action tells how the account stands that an earlier one was on.
fn proves(later: &Action, earlier: &Action) -> bool {
    let is_proof = matches!(later.outcome, Outcome::Changed | Outcome::NoChange);
    let is_plain = ![later, earlier].into_iter().any(is_told_more);
    is_proof && is_on_the_same(later, earlier) && (is_plain || is_alike(later, earlier))
}

fn is_on_the_same(one: &Action, other: &Action) -> bool {
    match (&one.target_id, &other.target_id) {
        (None, None) => one.login == other.login,
        (one, other) => one == other,
    }
}

/// Another group, or another field, is another effect, though the flow and the user are the same.
fn is_told_more(action: &Action) -> bool {
    Operation::of_flow(&action.flow).is_some_and(Operation::is_told_more)
}

fn is_alike(one: &Action, other: &Action) -> bool {
    one.request.url == other.request.url && one.request.body == other.request.body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::action::{AnalystWord, Said, ShownRequest};
    use crate::domain::{ActionId, Actor, Evidence, Login, Risk};
    use jiff::Timestamp;
    use rstest::rstest;

    fn action(n: u128, operation: Operation, outcome: Outcome, target: Option<&str>) -> Action {
        Action {
            id: ActionId(uuid::Uuid::from_u128(n)),
            step: None,
            is_test: false,
            undoes: None,
            undone: None,
            before: None,
            flow: operation.flow_id(),
            verb: "v".to_owned(),
            risk: Risk::Low,
            login: Login::new("ann"),
            target_id: target.map(str::to_owned),
            account_login: None,
            finding: None,
            evidence: Evidence::Acknowledged,
            outcome,
            request: ShownRequest {
                method: "PUT".to_owned(),
                url: "https://acme.okta.com/api/v1/groups/00g1/users/00u1".to_owned(),
                headers: Vec::new(),
                body: String::new(),
            },
            receipt: None,
            reason: None,
            actor: Actor::default(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    const ANN: Option<&str> = Some("00u1");

    #[rstest]
    #[case(Outcome::Refused, ANN, true)]
    #[case(Outcome::Failed, ANN, true)]
    #[case(Outcome::NotLegal, ANN, true)]
    #[case(Outcome::Accepted, ANN, true)]
    #[case(Outcome::Changed, ANN, false)]
    #[case(Outcome::NoChange, ANN, false)]
    #[case::another_account(Outcome::Changed, Some("00u2"), true)]
    #[case::nobody_knows_on_which(Outcome::Changed, None, true)]
    fn only_a_proof_on_the_same_account_ends_an_unknown_one(
        #[case] outcome: Outcome,
        #[case] target: Option<&str>,
        #[case] is_open: bool,
    ) {
        let later = action(2, Operation::Suspend, outcome, target);
        let unknown = action(1, Operation::Suspend, Outcome::Unknown, ANN);
        let found = unproven(&[later.clone(), unknown.clone()]).map(|action| action.id);
        assert_eq!(found, is_open.then_some(unknown.id));
        assert_eq!(
            unproven(&[unknown.clone(), later]).map(|action| action.id),
            Some(unknown.id),
            "it came behind"
        );
    }

    #[test]
    fn an_unknown_one_of_which_somebody_said_how_it_ended_asks_no_more_and_proves_nothing() {
        for said in Said::ALL {
            let word = AnalystWord {
                said,
                actor: Actor::default(),
                at: Timestamp::UNIX_EPOCH,
                reason: "seen there".to_owned(),
            };
            let told = action(2, Operation::Suspend, Outcome::Unknown, ANN).with_word(word);
            assert_eq!(unproven(std::slice::from_ref(&told)), None);
            let older = action(1, Operation::Suspend, Outcome::Unknown, ANN);
            assert_eq!(unproven(&[told, older.clone()]).map(|action| action.id), Some(older.id));
        }
    }

    #[test]
    fn what_is_proven_of_one_group_says_nothing_of_another() {
        let unknown = action(1, Operation::AddToGroup, Outcome::Unknown, ANN);
        let mut later = action(2, Operation::AddToGroup, Outcome::Changed, ANN);
        assert_eq!(unproven(&[later.clone(), unknown.clone()]), None);
        later.request.url = later.request.url.replace("00g1", "00g2");
        assert_eq!(unproven(&[later, unknown.clone()]).map(|action| action.id), Some(unknown.id));
        // Nor of the one that a flow of Workflows has inside.
        let inside = Action { flow: "okta-add-user-to-a-group".into(), ..unknown };
        let later = action(2, Operation::AddToGroup, Outcome::Changed, ANN);
        let later = Action {
            request: ShownRequest { url: "https://other".into(), ..later.request.clone() },
            ..later
        };
        assert_eq!(unproven(&[later, inside.clone()]).map(|action| action.id), Some(inside.id));
    }
}
