//! Later looks: what a change proves, what stays a note, and that nothing is ever sent.

use super::*;
use crate::domain::later::LOOKS;
use crate::domain::operation::Operation;

/// A suspension whose reply was lost, and of which the re-reads behind it saw nothing.
async fn unknown(statuses: &[&'static str]) -> (Lab, Action) {
    let statuses = [&["ACTIVE"; 5], statuses].concat();
    let lab = Setup { statuses, ..Setup::ends([CallEnd::Unknown("cut".into())]) }.lab();
    let wanted = Ask { flow: Operation::Suspend.flow_id(), ..ask(1) };
    let plan = prepare(&lab.desk, wanted).await.unwrap();
    let action = lab.run(&plan, &confirmed(&plan)).await.unwrap();
    assert_eq!((action.outcome, action.before.as_deref()), (Outcome::Unknown, Some("ACTIVE")));
    (lab, action)
}

fn seen(action: &Action) -> &str {
    action.receipt.as_ref().unwrap().verified.as_deref().unwrap()
}

#[tokio::test]
async fn a_change_from_what_was_raises_and_anything_else_is_a_note() {
    let (lab, action) = unknown(&["ACTIVE", "", "SUSPENDED"]).await;
    let runner = lab.runner();
    let still = runner.look_again(action.id).await.unwrap();
    assert_eq!((still.outcome, still.evidence), (Outcome::Unknown, Evidence::Sent));
    assert!(seen(&still).ends_with(": ACTIVE"), "{}", seen(&still));
    let unread = runner.look_again(action.id).await.unwrap();
    assert!(unread.outcome == Outcome::Unknown && seen(&unread).contains("could not be re-read: 429"));
    let proven = runner.look_again(action.id).await.unwrap();
    assert_eq!((proven.outcome, proven.evidence), (Outcome::Changed, Evidence::Verified));
    assert!(seen(&proven).contains("SUSPENDED, before ACTIVE"), "{}", seen(&proven));
    assert_eq!(proven.receipt.as_ref().unwrap().error.as_deref(), Some("cut"), "what came back stays");
    let why = runner.look_again(action.id).await.unwrap_err().to_string();
    assert!(why.contains("nothing left to find out"), "{why}");
    assert_eq!(lab.sends(), 1, "a look sends nothing");
}

#[rstest]
// What was so before proves nothing.
#[case::was_so(|action: &mut Action| action.before = Some("SUSPENDED".to_owned()))]
// Nobody kept how it stood: an action of an older version.
#[case::not_kept(|action: &mut Action| action.before = None)]
// Nothing left: somebody else did it.
#[case::never_left(|action: &mut Action| action.evidence = Evidence::Intended)]
#[tokio::test]
async fn what_may_be_anothers_doing_raises_nothing(#[case] change: fn(&mut Action)) {
    let (lab, action) = unknown(&["SUSPENDED"]).await;
    lab.memory.actions.lock().unwrap().iter_mut().for_each(change);
    let looked = lab.runner().look_again(action.id).await;
    assert!(looked.is_err() || looked.unwrap().outcome == Outcome::Unknown);
}

#[rstest]
#[case::the_same_again("okta-suspend", Outcome::Changed, true)]
#[case::its_inverse("okta-unsuspend", Outcome::Accepted, true)]
#[case::of_workflows("suspend-okta-account", Outcome::Refused, true)]
#[case::of_a_flow_that_is_gone("gone", Outcome::Accepted, true)]
#[case::another_matter("okta-clear-sessions", Outcome::Accepted, false)]
#[case::without_effect("okta-suspend", Outcome::NotLegal, false)]
#[tokio::test]
async fn a_later_action_that_may_have_done_it_leaves_it_open(
    #[case] flow: &str,
    #[case] outcome: Outcome,
    #[case] is_open: bool,
) {
    let (lab, action) = unknown(&["SUSPENDED"]).await;
    let later = Action {
        id: ActionId(uuid::Uuid::from_u128(2)),
        flow: flow.into(),
        outcome,
        evidence: Evidence::Acknowledged,
        ..action.clone()
    };
    lab.memory.actions.lock().unwrap().push(later);
    let looked = lab.runner().look_again(action.id).await.unwrap();
    assert_eq!(looked.outcome == Outcome::Unknown, is_open, "{}", seen(&looked));
    assert_eq!(seen(&looked).contains("which of them did it"), is_open);
}

#[tokio::test]
async fn only_what_is_due_is_looked_at_and_no_more_than_is_wanted() {
    let (lab, action) = unknown(&["SUSPENDED"]).await;
    let runner = lab.runner();
    assert_eq!(runner.look_where_due(5).await.unwrap(), 0, "not yet");
    *lab.now.lock().unwrap() += LOOKS[0];
    assert_eq!(runner.look_where_due(0).await.unwrap(), 0);
    assert_eq!(runner.look_where_due(5).await.unwrap(), 1);
    let proven = lab.desk.store.action(action.id).await.unwrap().unwrap();
    assert_eq!(proven.outcome, Outcome::Changed);
    assert_eq!(runner.look_where_due(5).await.unwrap(), 0, "nothing is open");
    assert_eq!(lab.sends(), 1);
}

#[tokio::test]
async fn read_only_looks_at_nothing() {
    let (mut lab, action) = unknown(&["SUSPENDED"]).await;
    Arc::get_mut(&mut lab.desk).unwrap().mode = Mode::ReadOnly;
    assert!(matches!(lab.runner().look_again(action.id).await, Err(LookError::ReadOnly)));
    let nobody = ActionId(uuid::Uuid::from_u128(99));
    Arc::get_mut(&mut lab.desk).unwrap().mode = Mode::Acting;
    assert!(matches!(lab.runner().look_again(nobody).await, Err(LookError::NoSuchAction(_))));
}
