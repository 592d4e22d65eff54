//! What a re-read right behind a send sees may be somebody else's doing: then it proves nothing.

use super::*;
use crate::domain::operation::Operation;

const FLOW: &str = "suspend-okta-account";

/// A suspension by a flow that answers, on somebody who is suspended when they are read again.
fn lab() -> Lab {
    let statuses = vec!["ACTIVE", "ACTIVE", "SUSPENDED"];
    Setup { statuses, ..Setup::ends([answered(202)]) }.lab()
}

fn seen(action: &Action) -> &str {
    action.receipt.as_ref().unwrap().verified.as_deref().unwrap()
}

/// An action of somebody else, so many seconds behind the one of the plan.
fn of_another(lab: &Lab, plan: &Plan, (flow, outcome, seconds): (&str, Outcome, i64)) -> Action {
    Action {
        id: ActionId(uuid::Uuid::from_u128(2)),
        step: None,
        is_test: false,
        undoes: None,
        undone: None,
        before: None,
        flow: flow.into(),
        verb: "suspend".into(),
        risk: Risk::Medium,
        login: Login::new("root"),
        target_id: plan.target_id.clone(),
        account_login: None,
        finding: None,
        evidence: Evidence::Acknowledged,
        outcome,
        request: plan.request.clone(),
        receipt: None,
        reason: None,
        actor: Actor { user: "somebody".into(), ..Default::default() },
        at: *lab.now.lock().unwrap() + SignedDuration::from_secs(seconds),
    }
}

#[rstest]
#[case::the_same_by_okta("okta-suspend", Outcome::Accepted, 2, true)]
#[case::and_it_is_proven("okta-suspend", Outcome::Changed, 2, true)]
#[case::and_on_its_way("okta-suspend", Outcome::Pending, 2, true)]
#[case::its_inverse("okta-unsuspend", Outcome::Accepted, 2, true)]
#[case::refused_by_okta("okta-suspend", Outcome::Refused, 2, false)]
#[case::refused_by_a_flow_that_may_have_done_it(FLOW, Outcome::Refused, 2, true)]
#[case::without_effect("okta-suspend", Outcome::NoChange, 2, false)]
#[case::not_legal("okta-suspend", Outcome::NotLegal, 2, false)]
#[case::another_matter("okta-clear-sessions", Outcome::Accepted, 2, false)]
#[case::another_matter_too("okta-reset-factors", Outcome::Accepted, 2, false)]
// What was seen of it stood on the card.
#[case::before_and_done("okta-suspend", Outcome::Changed, -60, false)]
#[case::its_inverse_before("okta-unsuspend", Outcome::Accepted, -60, false)]
#[case::long_before("okta-suspend", Outcome::Accepted, -3_601, false)]
#[tokio::test]
async fn what_another_action_may_have_done_is_not_credited(
    #[case] flow: &'static str,
    #[case] outcome: Outcome,
    #[case] seconds: i64,
    #[case] is_open: bool,
) {
    let lab = lab();
    let plan = prepare(&lab.desk, ask(1)).await.unwrap();
    let (memory, other) = (lab.memory.clone(), of_another(&lab, &plan, (flow, outcome, seconds)));
    lab.script.then(move || memory.actions.lock().unwrap().push(other));
    let action = lab.run(&plan, &confirmed(&plan)).await.unwrap();
    let expected = if is_open { Outcome::Accepted } else { Outcome::Changed };
    assert_eq!(
        (action.outcome, seen(&action).contains("may have done it")),
        (expected, is_open),
        "{action:?}"
    );
    assert_eq!(action.evidence == Evidence::Verified, !is_open);
}

/// A flow that did nothing was still open when somebody suspended by another route: nobody can tell which it was.
#[rstest]
#[case::open(answered(202), Outcome::Accepted)]
#[case::unknown(CallEnd::Unknown("cut".into()), Outcome::Unknown)]
#[tokio::test]
async fn of_two_that_may_have_done_it_neither_is_credited(#[case] end: CallEnd, #[case] expected: Outcome) {
    let statuses = vec!["ACTIVE", "ACTIVE", "ACTIVE", "ACTIVE", "ACTIVE", "ACTIVE", "ACTIVE", "SUSPENDED"];
    let lab = Setup { statuses, ..Setup::ends([end, answered(200)]) }.lab();
    let first = prepare(&lab.desk, ask(1)).await.unwrap();
    assert_eq!(lab.run(&first, &confirmed(&first)).await.unwrap().outcome, expected);
    *lab.now.lock().unwrap() += SignedDuration::from_secs(2);
    let wanted = Ask { flow: Operation::Suspend.flow_id(), ..ask(2) };
    let second = prepare(&lab.desk, wanted).await.unwrap();
    let action = lab.run(&second, &insisting(&second)).await.unwrap();
    assert_eq!(action.outcome, Outcome::Accepted);
    assert!(seen(&action).contains(&first.action.to_string()), "{}", seen(&action));
    // A later look tells no more, of either.
    for id in [first.action, second.action] {
        let looked = lab.runner().look_again(id).await.unwrap().action;
        assert_ne!(looked.outcome, Outcome::Changed, "{looked:?}");
        assert!(seen(&looked).contains("SUSPENDED") && seen(&looked).contains("may have done it"));
    }
}
