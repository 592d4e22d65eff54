//! What was done to somebody a moment ago is seen by every flow that does the same, by whatever route.

use super::*;

const WORKFLOWS: &str = "suspend-okta-account";
const OKTA: &str = "okta-suspend";

fn by(n: u128, flow: &str) -> Ask {
    Ask { flow: flow.into(), ..ask(n) }
}

#[rstest]
#[case::by_workflows_and_by_okta(WORKFLOWS, OKTA)]
#[case::by_okta_and_by_workflows(OKTA, WORKFLOWS)]
#[tokio::test]
async fn the_same_by_another_route_has_to_be_insisted_on(#[case] first: &str, #[case] second: &str) {
    let lab = Setup::ends([answered(500), answered(400)]).lab();
    let before = prepare(&lab.desk, by(1, first)).await.unwrap();
    assert_eq!(lab.run(&before, &confirmed(&before)).await.unwrap().outcome, Outcome::Unknown);
    // Through another login of the same account.
    let ask = Ask { login: Login::new("root"), ..by(2, second) };
    let next = prepare(&lab.desk, ask).await.unwrap();
    assert!(next.needs_again.as_ref().unwrap().contains("unknown outcome"), "{:?}", next.needs_again);
    assert_eq!(next.follows, Some(before.action));
    assert!(matches!(lab.run(&next, &confirmed(&next)).await, Err(RunError::NeedsAgain(_))));
    assert_eq!(lab.sends(), 1);
    lab.run(&next, &insisting(&next)).await.unwrap();
    assert_eq!(lab.sends(), 2);
}

/// The template has its group inside: it may be the one that somebody was added to by Okta's own call.
#[rstest]
#[case("okta-add-to-group", "okta-add-user-to-a-group")]
#[case("okta-add-user-to-a-group", "okta-add-to-group")]
#[tokio::test]
async fn adding_to_a_group_by_another_route_has_to_be_insisted_on(#[case] first: &str, #[case] second: &str) {
    let adding = |n: u128, flow: &str| {
        let inputs = [("group".to_owned(), "00gsales".to_owned())].into();
        let inputs = if flow == "okta-add-to-group" { inputs } else { Default::default() };
        Ask { inputs, ..by(n, flow) }
    };
    let lab = Setup::ends([answered(200), answered(200)]).lab();
    let before = prepare(&lab.desk, adding(1, first)).await.unwrap();
    lab.run(&before, &confirmed(&before)).await.unwrap();
    let next = prepare(&lab.desk, adding(2, second)).await.unwrap();
    assert!(next.needs_again.as_ref().unwrap().contains("less than ten minutes ago"), "{next:?}");
    assert!(matches!(lab.run(&next, &confirmed(&next)).await, Err(RunError::NeedsAgain(_))));
    assert_eq!(lab.sends(), 1);
    // Leaving a group is another matter.
    let leaving = Ask { flow: "okta-remove-from-group".into(), ..adding(3, "okta-add-to-group") };
    assert_eq!(prepare(&lab.desk, leaving).await.unwrap().needs_again, None);
}

#[rstest]
#[case(9, true)]
#[case(10, false)]
#[tokio::test]
async fn ten_minutes_later_it_is_another_matter(#[case] minutes: i64, #[case] is_asked: bool) {
    let lab = Setup::ends([answered(400)]).lab();
    let before = prepare(&lab.desk, by(1, OKTA)).await.unwrap();
    lab.run(&before, &confirmed(&before)).await.unwrap();
    *lab.now.lock().unwrap() += SignedDuration::from_mins(minutes);
    let next = prepare(&lab.desk, by(2, WORKFLOWS)).await.unwrap();
    assert_eq!(next.needs_again.is_some(), is_asked, "{:?}", next.needs_again);
    let other = prepare(&lab.desk, by(3, "okta-reset-password")).await.unwrap();
    assert_eq!(other.needs_again, None, "something else is something else");
}

/// Another process does it by another route between the last look and the intent.
#[rstest]
#[case(Outcome::Pending)]
#[case(Outcome::Accepted)]
#[tokio::test]
async fn the_store_sees_it_where_the_look_could_not(#[case] outcome: Outcome) {
    let lab = Setup::ends([answered(400), answered(200)]).lab();
    let first = prepare(&lab.desk, by(1, OKTA)).await.unwrap();
    let action = lab.run(&first, &confirmed(&first)).await.unwrap();
    let next = prepare(&lab.desk, by(2, WORKFLOWS)).await.unwrap();
    let id = ActionId(uuid::Uuid::from_u128(77));
    *lab.memory.meanwhile.lock().unwrap() = Some(Action { id, outcome, ..action });
    let error = lab.run(&next, &insisting(&next)).await.unwrap_err();
    let told = match &error {
        RunError::Intend(IntendError::Meanwhile(told) | IntendError::AlreadyOpen(told)) => *told,
        other => panic!("{other}"),
    };
    assert_eq!((told, lab.sends()), (id, 1));
}

/// An answer to what was sent behind an unknown one tells nothing of that: it is insisted on until something proves it.
#[tokio::test]
async fn a_later_answer_hides_no_unknown_one() {
    let lab = Setup::ends([answered(500), answered(401), answered(401)]).lab();
    let first = prepare(&lab.desk, by(1, OKTA)).await.unwrap();
    assert_eq!(lab.run(&first, &confirmed(&first)).await.unwrap().outcome, Outcome::Unknown);
    let second = prepare(&lab.desk, by(2, OKTA)).await.unwrap();
    assert_eq!(lab.run(&second, &insisting(&second)).await.unwrap().outcome, Outcome::Refused);
    *lab.now.lock().unwrap() += SignedDuration::from_mins(11);
    let third = prepare(&lab.desk, by(3, WORKFLOWS)).await.unwrap();
    let why = third.needs_again.clone().unwrap();
    assert!(why.contains(&format!("action {} ", first.action)) && why.contains("unknown outcome"), "{why}");
    assert!(matches!(lab.run(&third, &confirmed(&third)).await, Err(RunError::NeedsAgain(_))));
    assert_eq!(lab.sends(), 2);
    // Many that came behind it hide it no more than one.
    for n in 10..30 {
        let again = prepare(&lab.desk, by(n, OKTA)).await.unwrap();
        lab.script.ends.lock().unwrap().push_back(answered(401));
        lab.run(&again, &insisting(&again)).await.unwrap();
    }
    *lab.now.lock().unwrap() += SignedDuration::from_mins(11);
    let last = prepare(&lab.desk, by(40, OKTA)).await.unwrap();
    assert!(last.needs_again.unwrap().contains(&first.action.to_string()));
}
