//! What was held back before a byte left is not sent, and nothing else: it has not failed, is no precedent, and can be
//! run again.

use super::*;
use crate::domain::operation::CONTAIN;

fn held_back() -> CallEnd {
    CallEnd::HeldBack("`acme` is throttling".into())
}

#[tokio::test]
async fn what_our_pace_held_back_is_not_sent_and_can_be_run_again_at_once() {
    let lab = Setup::ends([held_back(), answered(400)]).lab();
    let plan = lab.plan().await;
    let action = lab.run(&plan, &confirmed(&plan)).await.unwrap();
    assert_eq!((action.outcome, action.evidence), (Outcome::NotSent, Evidence::Intended));
    assert!(action.is_withheld() && action.outcome.exit_status() == 1);
    assert_eq!(action.to_json()["outcome"], "not-sent");
    assert_eq!(action.receipt.unwrap().error.unwrap(), "`acme` is throttling");
    let again = prepare(&lab.desk, ask(2)).await.unwrap();
    assert_eq!((again.needs_again.as_deref(), again.refusal.as_ref()), (None, None), "it is no precedent");
    assert_eq!(lab.run(&again, &confirmed(&again)).await.unwrap().outcome, Outcome::Failed);
}

/// A turn may be a minute away, which is as long as a program that stops waits for receipts.
#[tokio::test]
async fn who_waits_for_a_turn_when_the_program_stops_is_not_sent() {
    let script = Script { paced: Some((Notify::new(), Notify::new())), ..Default::default() };
    let lab = Setup { script, ..Default::default() }.lab();
    let plan = lab.plan().await;
    let runner = lab.runner();
    let confirmed = confirmed(&plan);
    let stopping = async {
        lab.script.paced.as_ref().unwrap().0.notified().await;
        runner.finish(Duration::from_secs(60)).await
    };
    let (end, left) = tokio::join!(runner.run(&plan, &confirmed, mpsc::unbounded_channel().0), stopping);
    let action = only(end.unwrap());
    assert_eq!((action.outcome, action.evidence, left), (Outcome::NotSent, Evidence::Intended, 0));
    assert_eq!(lab.sends(), 0);
    assert_eq!(action.receipt.unwrap().error.unwrap(), "the program was stopping");
}

#[tokio::test]
async fn a_run_whose_first_step_was_held_back_waits_as_a_whole() {
    let lab = Setup { statuses: vec!["ACTIVE"], ..Setup::ends([held_back(), answered(204)]) }.lab();
    let plan = prepare(&lab.desk, Ask { flow: CONTAIN.flow_id(), ..ask(1) }).await.unwrap();
    let end = lab.runner().run(&plan, &confirmed(&plan), mpsc::unbounded_channel().0).await.unwrap();
    let outcomes: Vec<Outcome> = end.steps.iter().map(|step| step.outcome()).collect();
    assert_eq!(outcomes, [Outcome::NotSent; 2], "{}", end.words());
    assert_eq!(end.outcome(), Outcome::NotSent);
    assert_eq!(lab.sends(), 1, "the second was not tried");
}

#[tokio::test]
async fn a_step_that_was_held_back_behind_another_takes_nothing_back() {
    let statuses = vec!["ACTIVE", "ACTIVE", "SUSPENDED"];
    let lab = Setup { statuses, ..Setup::ends([answered(200), held_back()]) }.lab();
    let plan = prepare(&lab.desk, Ask { flow: CONTAIN.flow_id(), ..ask(1) }).await.unwrap();
    let end = lab.runner().run(&plan, &confirmed(&plan), mpsc::unbounded_channel().0).await.unwrap();
    let outcomes: Vec<Outcome> = end.steps.iter().map(|step| step.outcome()).collect();
    assert_eq!(outcomes, [Outcome::Changed, Outcome::NotSent], "{}", end.words());
    assert_eq!(end.outcome(), Outcome::Failed, "of the whole it is not true that nothing was sent");
}

/// Stopped while the lease is renewed for the send, a program wakes up when others may have called the action over.
#[rstest]
#[case::shorter_than_its_lease(19, 1)]
#[case::longer(20, 0)]
#[tokio::test]
async fn who_sleeps_while_the_lease_is_renewed_sends_nothing(#[case] seconds: i64, #[case] sends: usize) {
    let script = Script { paced: Some((Notify::new(), Notify::new())), ..Default::default() };
    let lab = Setup { script, ..Setup::default() }.lab();
    let plan = lab.plan().await;
    let never = Pace { renew_every: Duration::from_secs(3_600), ..pace() };
    let (runner, confirmed) = (Runner::new(lab.desk.clone(), never), confirmed(&plan));
    let asleep = async {
        let (waits, goes_on) = lab.script.paced.as_ref().unwrap();
        waits.notified().await;
        *lab.memory.sleeps.lock().unwrap() = Some((lab.now.clone(), SignedDuration::from_secs(seconds)));
        goes_on.notify_one();
    };
    let (end, ()) = tokio::join!(runner.run(&plan, &confirmed, mpsc::unbounded_channel().0), asleep);
    let action = only(end.unwrap());
    assert_eq!((lab.sends(), action.is_withheld()), (sends, sends == 0), "{action:?}");
}
