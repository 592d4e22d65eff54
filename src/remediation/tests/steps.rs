//! Runs of several actions, and operations that are told more than whom they are on.

use super::*;
use crate::config::meant::OktaAllow;
use crate::domain::action::{Receipt, StepOf};
use crate::domain::operation::{CONTAIN, CREATE_AND_ACTIVATE, Operation};
use crate::domain::run_end::Ended;
use crate::domain::{OneTimeLink, RunEnd};
use rstest::rstest;

fn contain(n: u128) -> Ask {
    Ask { flow: CONTAIN.flow_id(), ..ask(n) }
}

fn ask_of(operation: Operation) -> Ask {
    Ask { flow: operation.flow_id(), ..ask(1) }
}

fn with_inputs(operation: Operation, inputs: &[(&str, &str)]) -> Ask {
    let inputs = inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ask { flow: operation.flow_id(), inputs, ..ask(1) }
}

async fn run(lab: &Lab, plan: &Plan) -> Result<RunEnd, RunError> {
    lab.runner().run(plan, &confirmed(plan), mpsc::unbounded_channel().0).await
}

fn outcomes(end: &RunEnd) -> Vec<Outcome> {
    end.steps.iter().map(|step| step.outcome()).collect()
}

/// The statuses: for the card, right before the first send, its proof, before the second.
#[rstest]
#[case::both(&["ACTIVE", "ACTIVE", "SUSPENDED"], &[answered(200), answered(204)], &[Outcome::Changed, Outcome::Accepted], 2)]
#[case::refused_ends_it(&["ACTIVE"], &[answered(403)], &[Outcome::Refused, Outcome::Refused], 1)]
#[case::failed_does_not(&["ACTIVE"], &[answered(409), answered(204)], &[Outcome::Failed, Outcome::Accepted], 2)]
#[case::unknown_does_not(&["ACTIVE"], &[answered(500), answered(204)], &[Outcome::Unknown, Outcome::Accepted], 2)]
#[case::suspended_already(&["SUSPENDED"], &[answered(204)], &[Outcome::NoChange, Outcome::Accepted], 1)]
#[case::not_to_be_suspended(&["LOCKED_OUT"], &[answered(204)], &[Outcome::NotLegal, Outcome::Accepted], 1)]
#[tokio::test]
async fn containing_runs_the_second_unless_the_first_was_refused(
    #[case] statuses: &[&'static str],
    #[case] ends: &[CallEnd],
    #[case] expected: &[Outcome],
    #[case] sends: usize,
) {
    let lab = Setup { statuses: statuses.to_vec(), ..Setup::ends(ends.to_vec()) }.lab();
    let plan = prepare(&lab.desk, contain(1)).await.unwrap();
    assert_eq!((plan.refusal.as_ref(), plan.steps.len()), (None, 2));
    let end = run(&lab, &plan).await.unwrap();
    assert_eq!(outcomes(&end), expected, "{}", end.words());
    assert_eq!(lab.sends(), sends);
    let kept = lab.memory.actions.lock().unwrap();
    for action in kept.iter() {
        let number = if action.flow.0 == "okta-suspend" { 1 } else { 2 };
        assert_eq!(action.step, Some(StepOf { run: plan.action, number, of: 2 }), "they are joined");
    }
    let flows: Vec<&str> = kept.iter().map(|action| action.flow.0.as_str()).collect();
    assert!(kept.iter().all(|action| action.receipt.is_some()), "each has a receipt of its own");
    assert_eq!(flows.len(), sends, "{flows:?}");
    assert_eq!(
        flows.last(),
        Some(if sends == 1 && expected[0] == Outcome::Refused {
            &"okta-suspend"
        } else {
            &"okta-clear-sessions"
        })
    );
}

/// Whoever asks, the console or a command line: what is switched off is on no card to be confirmed.
#[rstest]
#[case::deactivating(ask_of(Operation::Deactivate), OktaAllow { disable: false, ..OktaAllow::default() }, true)]
#[case::suspending(ask_of(Operation::Suspend), OktaAllow { disable: false, ..OktaAllow::default() }, false)]
#[case::containing(contain(1), OktaAllow { disable: false, enable: false, create: false, update: false }, false)]
#[tokio::test]
async fn what_is_switched_off_is_refused_on_the_card(
    #[case] ask: Ask,
    #[case] okta: OktaAllow,
    #[case] is_refused: bool,
) {
    let lab = Setup { guard: Guard { okta, ..Guard::default() }, ..Default::default() }.lab();
    let plan = prepare(&lab.desk, ask).await.unwrap();
    let refusal = plan.refusal.as_ref().filter(|refusal| refusal.outcome == Outcome::Refused);
    assert_eq!(refusal.is_some(), is_refused, "{:?}", plan.refusal);
    assert!(refusal.is_none_or(|refusal| refusal.why.contains("`[okta.allow] disable` is false")));
    if is_refused {
        assert!(matches!(run(&lab, &plan).await, Err(RunError::Refused(_))));
        assert_eq!(lab.sends(), 0);
    }
}

#[tokio::test]
async fn sessions_are_cleared_right_behind_a_suspension_that_is_not_proven_yet() {
    let lab = Setup::ends([answered(200), answered(204)]).lab();
    let plan = prepare(&lab.desk, contain(1)).await.unwrap();
    run(&lab, &plan).await.unwrap();
    let trace = lab.memory.trace.lock().unwrap().clone();
    let calls: Vec<usize> = (0..trace.len()).filter(|at| trace[*at] == "call").collect();
    let between = &trace[calls[0] + 1..calls[1]];
    assert_eq!(between, ["settle", "read", "intend", "sending"], "one look, and no waiting for a proof");
    let after = trace[calls[1]..].iter().filter(|what| **what == "read").count();
    assert_eq!(after, pace().rereads.len(), "which is looked for afterwards");
}

#[tokio::test]
async fn what_is_told_says_of_which_step() {
    let lab = Setup::ends([answered(200), answered(204)]).lab();
    let plan = prepare(&lab.desk, contain(1)).await.unwrap();
    let (sender, mut told) = mpsc::unbounded_channel();
    lab.runner().run(&plan, &confirmed(&plan), sender).await.unwrap();
    let mut words = Vec::new();
    while let Some(Told { step, progress }) = told.recv().await {
        if matches!(progress, Progress::Sending | Progress::Verifying) {
            words.push(format!("{}: {progress:?}", step.unwrap()));
        }
    }
    assert_eq!(words, ["1 of 2: Sending", "2 of 2: Sending", "1 of 2: Verifying"]);
}

#[tokio::test]
async fn every_request_of_a_run_is_what_was_confirmed() {
    let lab = Setup::ends([answered(200), answered(204)]).lab();
    let plan = prepare(&lab.desk, contain(1)).await.unwrap();
    let only_first = Confirmed { digest: plan.steps[0].digest(), ..confirmed(&plan) };
    let refused = lab.runner().run(&plan, &only_first, mpsc::unbounded_channel().0).await;
    assert!(matches!(refused, Err(RunError::NotWhatWasShown)));
    *lab.script.host.lock().unwrap() = "elsewhere".into();
    assert!(matches!(run(&lab, &plan).await, Err(RunError::NotWhatWasShown)));
    assert_eq!(lab.acts(), [""; 0]);
}

#[tokio::test]
async fn who_changed_since_the_card_was_shown_is_not_contained() {
    let statuses = vec!["ACTIVE", "LOCKED_OUT"];
    let lab = Setup { statuses, ..Setup::ends([answered(200)]) }.lab();
    let plan = prepare(&lab.desk, contain(1)).await.unwrap();
    assert!(matches!(run(&lab, &plan).await, Err(RunError::TargetChanged(_))));
    assert_eq!(lab.sends(), 0);
}

#[tokio::test]
async fn who_was_suspended_when_the_card_was_shown_and_is_not_any_more_is_looked_at_again() {
    let statuses = vec!["SUSPENDED", "ACTIVE"];
    let lab = Setup { statuses, ..Setup::ends([answered(204)]) }.lab();
    let plan = prepare(&lab.desk, contain(1)).await.unwrap();
    assert!(matches!(run(&lab, &plan).await, Err(RunError::TargetChanged(_))));
    assert_eq!(lab.sends(), 0);
}

#[tokio::test]
async fn a_protected_login_is_not_contained_in_part() {
    let guard = Guard { protected: vec!["ann".into()], ..Guard::default() };
    let lab = Setup { guard, statuses: vec!["SUSPENDED"], ..Setup::default() }.lab();
    let plan = prepare(&lab.desk, contain(1)).await.unwrap();
    assert_eq!(plan.refusal.as_ref().map(|refusal| refusal.outcome), Some(Outcome::Refused));
    assert!(matches!(run(&lab, &plan).await, Err(RunError::Refused(_))));
}

#[tokio::test]
async fn a_program_that_stops_between_two_steps_sends_no_more() {
    let statuses = vec!["ACTIVE", "ACTIVE", "SUSPENDED"];
    let script = Script {
        ends: Mutex::new([answered(200), answered(204)].into()),
        held: Some((Notify::new(), Notify::new())),
        ..Script::default()
    };
    let lab = Setup { script, statuses, ..Setup::default() }.lab();
    let plan = prepare(&lab.desk, contain(1)).await.unwrap();
    let runner = Arc::new(lab.runner());
    let (running, confirmed) = (runner.clone(), confirmed(&plan));
    let run = tokio::spawn(async move { running.run(&plan, &confirmed, mpsc::unbounded_channel().0).await });
    let (begun, may_end) = lab.script.held.as_ref().unwrap();
    begun.notified().await;
    let stopping = tokio::spawn({
        let runner = runner.clone();
        async move { runner.finish(Duration::from_secs(60)).await }
    });
    while runner.in_flight() == 1 && !stopping.is_finished() {
        tokio::task::yield_now().await;
        may_end.notify_one();
    }
    let end = run.await.unwrap().unwrap();
    assert_eq!(outcomes(&end), [Outcome::Changed, Outcome::Refused], "{}", end.words());
    assert_eq!((lab.sends(), stopping.await.unwrap()), (1, 0));
    let unsent = runner.unsent();
    assert_eq!(unsent.len(), 1, "{unsent:?}");
    assert!(unsent[0].is_rest && unsent[0].verb.starts_with("clear the Okta sessions"), "{unsent:?}");
}

#[tokio::test]
async fn what_was_confirmed_and_never_let_in_is_known_and_what_had_nothing_to_do_is_not() {
    let lab = Setup { statuses: vec!["SUSPENDED"], ..Setup::ends([answered(204), answered(204)]) }.lab();
    let plan = prepare(&lab.desk, contain(1)).await.unwrap();
    let runner = lab.runner();
    runner.run(&plan, &confirmed(&plan), mpsc::unbounded_channel().0).await.unwrap();
    assert_eq!(runner.unsent(), [], "it has ended, and was told of");
    runner.finish(Duration::ZERO).await;
    let plan = prepare(&lab.desk, contain(2)).await.unwrap();
    let refused = runner.run(&plan, &insisting(&plan), mpsc::unbounded_channel().0).await;
    assert!(matches!(refused, Err(RunError::Stopping)), "{refused:?}");
    let unsent = runner.unsent();
    assert_eq!(unsent.len(), 1, "suspending had nothing to do: {unsent:?}");
    assert!(!unsent[0].is_rest && unsent[0].login == plan.login && lab.sends() == 1);
}

#[rstest]
#[case::created_and_activated(&["", "", "STAGED", "STAGED", "PROVISIONED"], &[made("00u1"), answered(200)], &[Outcome::Changed, Outcome::Changed], 2)]
#[case::of_an_id_that_is_not_told(&["", "", "STAGED"], &[answered(200)], &[Outcome::Changed, Outcome::Refused], 1)]
#[case::somebody_else_was_quicker(&["", "", "STAGED"], &[answered(400)], &[Outcome::Failed, Outcome::Refused], 1)]
#[case::lost_and_not_there(&["", ""], &[answered(500)], &[Outcome::Unknown, Outcome::Refused], 1)]
#[case::lost_and_there(&["", "", "STAGED"], &[answered(500)], &[Outcome::Changed, Outcome::Refused], 1)]
#[tokio::test]
async fn only_the_account_that_was_made_is_activated(
    #[case] statuses: &[&'static str],
    #[case] ends: &[CallEnd],
    #[case] expected: &[Outcome],
    #[case] sends: usize,
) {
    let lab = Setup { statuses: statuses.to_vec(), is_missing: true, ..Setup::ends(ends.to_vec()) }.lab();
    let new = r#"{"email":"new@okta.example","firstName":"New"}"#;
    let inputs = [("profile".to_owned(), new.to_owned())].into();
    let ask =
        Ask { flow: CREATE_AND_ACTIVATE.flow_id(), login: Login::new("ann@okta.example"), inputs, ..ask(1) };
    let plan = prepare(&lab.desk, ask).await.unwrap();
    assert_eq!(plan.refusal, None);
    assert_eq!(plan.differences.len(), 3, "the login is added: {:?}", plan.differences);
    let end = run(&lab, &plan).await.unwrap();
    assert_eq!((outcomes(&end).as_slice(), lab.sends()), (expected, sends), "{}", end.words());
}

fn made(id: &str) -> CallEnd {
    let body = json!({ "id": id }).to_string();
    CallEnd::Answered(Receipt { status: Some(200), body, ..Receipt::default() })
}

fn create(firsts: &str) -> Ask {
    let new = json!({"email": "new@okta.example", "firstName": firsts}).to_string();
    let inputs = [("profile".to_owned(), new)].into();
    Ask { flow: CREATE_AND_ACTIVATE.flow_id(), login: Login::new("ann@okta.example"), inputs, ..ask(1) }
}

#[tokio::test]
async fn an_account_of_another_id_or_profile_is_somebody_elses() {
    let statuses = vec!["", "", "STAGED"];
    let lab = Setup { statuses: statuses.clone(), is_missing: true, ..Setup::ends([made("00uother")]) }.lab();
    let plan = prepare(&lab.desk, create("New")).await.unwrap();
    let end = run(&lab, &plan).await.unwrap();
    assert_eq!((outcomes(&end).as_slice(), lab.sends()), (&[Outcome::Changed, Outcome::Refused][..], 1));
    // The reply was lost, and there is an account with another name now: nobody knows whose.
    let lab = Setup { statuses, is_missing: true, ..Setup::ends([answered(500)]) }.lab();
    let plan = prepare(&lab.desk, create("Nia")).await.unwrap();
    let end = run(&lab, &plan).await.unwrap();
    assert_eq!((outcomes(&end).as_slice(), lab.sends()), (&[Outcome::Unknown, Outcome::Refused][..], 1));
    let verified = end.steps[0].action().unwrap().receipt.as_ref().unwrap().verified.clone().unwrap();
    assert!(verified.contains("with another profile"), "{verified}");
}

#[tokio::test]
async fn what_is_switched_off_is_not_run_in_part() {
    let okta = crate::config::meant::OktaAllow { enable: false, ..Default::default() };
    let guard = Guard { okta, ..Guard::default() };
    let lab = Setup { guard, statuses: vec![""], is_missing: true, ..Setup::default() }.lab();
    let plan = prepare(&lab.desk, create("New")).await.unwrap();
    assert!(plan.refusal.as_ref().unwrap().why.contains("[okta.allow] enable"));
    let forced = Plan { refusal: None, ..plan };
    let end = run(&lab, &forced).await.unwrap();
    assert_eq!(outcomes(&end)[1], Outcome::Refused, "a guard holds each step: {}", end.words());
    assert!(lab.memory.actions.lock().unwrap().iter().all(|action| action.flow.0 != "okta-activate"));
}

#[tokio::test]
async fn an_account_that_is_there_is_not_made_once_more() {
    let lab = Setup::default().lab();
    let ask = with_inputs(Operation::Create, &[("profile", r#"{"firstName":"Ann"}"#)]);
    let plan = prepare(&lab.desk, ask).await.unwrap();
    let refusal = plan.refusal.as_ref().unwrap();
    assert_eq!(refusal.outcome, Outcome::NotLegal);
    assert!(refusal.why.contains("already"), "{refusal}");
}

#[rstest]
#[case(r#"{"title":"Head of Sales","nick":null}"#, None)]
#[case(r#"{"title":"Clerk"}"#, Some(Outcome::NoChange))]
#[tokio::test]
async fn a_profile_is_compared_before_it_is_changed(#[case] profile: &str, #[case] refused: Option<Outcome>) {
    let lab = Setup::ends([answered(200)]).lab();
    let plan = prepare(&lab.desk, with_inputs(Operation::Update, &[("profile", profile)])).await.unwrap();
    assert_eq!(plan.refusal.as_ref().map(|refusal| refusal.outcome), refused);
    assert_eq!(plan.differences.is_empty(), refused.is_some());
    if refused.is_none() {
        assert_eq!(plan.differences.len(), 1, "what Okta leaves out is null already");
        assert_eq!(plan.differences[0].was.as_ref().unwrap().raw(), "Clerk");
        *lab.people.title.lock().unwrap() = "Head of Sales";
        let moved = run(&lab, &plan).await;
        assert!(matches!(&moved, Err(RunError::TargetChanged(_))), "{moved:?}");
    }
}

#[rstest]
#[case("Sales", false, Operation::AddToGroup, Ok(None))]
#[case("00gsales", false, Operation::AddToGroup, Ok(None))]
#[case("Sales", true, Operation::AddToGroup, Ok(Some(Outcome::NoChange)))]
#[case("Sales", true, Operation::RemoveFromGroup, Ok(None))]
#[case("Sales", false, Operation::RemoveFromGroup, Ok(Some(Outcome::NoChange)))]
#[case("Everyone", false, Operation::AddToGroup, Ok(Some(Outcome::NotLegal)))]
#[case("Admins", false, Operation::AddToGroup, Ok(Some(Outcome::Refused)))]
#[case(
    "Sal",
    false,
    Operation::AddToGroup,
    Err("no group has exactly this name; there is `Sales` (00gsales)")
)]
#[case(" ", false, Operation::AddToGroup, Err("has no value"))]
#[tokio::test]
async fn a_group_is_found_whole_and_left_alone_where_nothing_is_to_be_done(
    #[case] group: &str,
    #[case] is_member: bool,
    #[case] operation: Operation,
    #[case] expected: Result<Option<Outcome>, &str>,
) {
    let guard = Guard { protected: vec!["group:Admins".into()], ..Guard::default() };
    let lab = Setup { guard, is_member, ..Setup::default() }.lab();
    let plan = prepare(&lab.desk, with_inputs(operation, &[("group", group)])).await;
    match (plan, expected) {
        (Ok(plan), Ok(refused)) => {
            assert_eq!(plan.refusal.as_ref().map(|refusal| refusal.outcome), refused);
            assert!(plan.verb.contains(&format!("`{}`", plan.particulars.group.as_ref().unwrap().name)));
        }
        (Err(error), Err(phrase)) => assert!(error.to_string().contains(phrase), "{error}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn whoever_was_added_is_read_to_be_in_the_group() {
    let lab = Setup::ends([answered(204)]).lab();
    let plan = prepare(&lab.desk, with_inputs(Operation::AddToGroup, &[("group", "Sales")])).await.unwrap();
    let groups = lab.groups.clone();
    lab.script.then(move || *groups.is_member.lock().unwrap() = true);
    let action = only(run(&lab, &plan).await.unwrap());
    assert_eq!((action.outcome, action.evidence), (Outcome::Changed, Evidence::Verified));
    assert!(action.receipt.unwrap().verified.unwrap().contains("in the group `Sales`"));
    // Another group is another thing to do, and needs not be insisted on.
    let other = prepare(
        &lab.desk,
        Ask { action: ask(2).action, ..with_inputs(Operation::AddToGroup, &[("group", "Sales EMEA")]) },
    );
    assert_eq!(other.await.unwrap().follows, None);
}

#[tokio::test]
async fn a_link_is_handed_on_and_kept_nowhere() {
    let link = OneTimeLink::new("https://example.okta.com/welcome/once".into());
    let lab =
        Setup { statuses: vec!["STAGED"], link: Some(link.clone()), ..Setup::ends([answered(200)]) }.lab();
    let plan = prepare(&lab.desk, with_inputs(Operation::Activate, &[("link", "true")])).await.unwrap();
    assert!(plan.to_string().contains("handed to you"), "{plan}");
    let end = run(&lab, &plan).await.unwrap();
    let Ended::Ran { link: handed, .. } = &end.steps[0].ended else { panic!("{end:?}") };
    assert_eq!(handed.as_ref(), Some(&link));
    let kept = lab.memory.actions.lock().unwrap()[0].to_json().to_string();
    assert!(!kept.contains("welcome") && !format!("{end:?}").contains("welcome"));
}

#[tokio::test]
async fn what_was_so_before_is_not_proven_by_a_look() {
    let lab = Setup { statuses: vec!["RECOVERY"], ..Setup::ends([answered(200)]) }.lab();
    let plan = prepare(&lab.desk, with_inputs(Operation::ResetPassword, &[])).await.unwrap();
    assert_eq!(plan.refusal, None, "Okta offers it");
    assert!(plan.cannot_know.iter().any(|text| text.contains("in that state already")));
    let action = only(run(&lab, &plan).await.unwrap());
    assert_eq!((action.outcome, action.evidence), (Outcome::Accepted, Evidence::Acknowledged));
}

#[tokio::test]
async fn membership_that_could_not_be_read_before_is_not_proven_afterwards() {
    let lab = Setup::ends([answered(204)]).lab();
    *lab.groups.hides_groups.lock().unwrap() = true;
    let plan = prepare(&lab.desk, with_inputs(Operation::AddToGroup, &[("group", "Sales")])).await.unwrap();
    assert_eq!(plan.refusal, None);
    let groups = lab.groups.clone();
    lab.script.then(move || {
        *groups.hides_groups.lock().unwrap() = false;
        *groups.is_member.lock().unwrap() = true;
    });
    let action = only(run(&lab, &plan).await.unwrap());
    assert_eq!((action.outcome, action.evidence), (Outcome::Accepted, Evidence::Acknowledged));
}

#[tokio::test]
async fn removed_factors_are_read_to_be_gone() {
    let lab = Setup::ends([answered(200)]).lab();
    let plan = prepare(&lab.desk, with_inputs(Operation::ResetFactors, &[])).await.unwrap();
    assert_eq!(plan.target.fact("factors"), Some("push (OKTA)"));
    let groups = lab.groups.clone();
    lab.script.then(move || *groups.has_factor.lock().unwrap() = false);
    let action = only(run(&lab, &plan).await.unwrap());
    assert_eq!(action.evidence, Evidence::Verified, "{:?}", action.receipt);
}
