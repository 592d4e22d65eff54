//! Undoing: the inverse of a flow, on the very account that was acted on.

use super::*;
use crate::domain::operation::Operation;
use crate::domain::undo::{self, Undo};

/// What undoes an action, as it is asked for.
fn ask_of(undo: Undo, n: u128) -> Ask {
    let Undo { flow, login, finding, inputs, undoes } = undo;
    Ask { flow, login, finding, inputs, undoes: Some(undoes), ..ask(n) }
}

fn undo_of(lab: &Lab, action: &Action) -> Ask {
    ask_of(undo::of(action, &lab.desk.flows).unwrap(), 2)
}

fn operation(operation: Operation) -> Ask {
    Ask { flow: operation.flow_id(), ..ask(1) }
}

/// For the card, before the send, its proof; then the same of the undoing.
#[tokio::test]
async fn a_suspension_is_undone_by_a_run_of_its_own_that_names_it() {
    let statuses = vec!["ACTIVE", "ACTIVE", "SUSPENDED", "SUSPENDED", "SUSPENDED", "ACTIVE"];
    let lab = Setup { statuses, ..Setup::ends([answered(200), answered(200)]) }.lab();
    let plan = prepare(&lab.desk, operation(Operation::Suspend)).await.unwrap();
    let done = lab.run(&plan, &confirmed(&plan)).await.unwrap();
    assert_eq!((done.outcome, done.before.as_deref()), (Outcome::Changed, Some("ACTIVE")));
    *lab.now.lock().unwrap() += SignedDuration::from_secs(1);
    let plan = prepare(&lab.desk, undo_of(&lab, &done)).await.unwrap();
    assert_eq!((plan.refusal.as_ref(), plan.confirm.clone()), (None, Confirm::Word("unsuspend".into())));
    let undone = lab.run(&plan, &confirmed(&plan)).await.unwrap();
    assert_eq!((undone.flow.0.as_str(), undone.outcome), ("okta-unsuspend", Outcome::Changed));
    assert_eq!((undone.undoes, undone.target_id), (Some(done.id), done.target_id));
    assert_eq!(lab.sends(), 2);
}

/// Undone once, and suspended again by somebody else: that is not this action's to take back without a word.
#[tokio::test]
async fn what_was_undone_already_or_changed_again_has_to_be_insisted_on() {
    let statuses = vec!["ACTIVE", "ACTIVE", "SUSPENDED", "SUSPENDED", "SUSPENDED", "ACTIVE", "SUSPENDED"];
    let lab = Setup { statuses, ..Setup::ends([answered(200), answered(200)]) }.lab();
    let plan = prepare(&lab.desk, operation(Operation::Suspend)).await.unwrap();
    let done = lab.run(&plan, &confirmed(&plan)).await.unwrap();
    *lab.now.lock().unwrap() += SignedDuration::from_hours(1);
    let plan = prepare(&lab.desk, undo_of(&lab, &done)).await.unwrap();
    assert_eq!(plan.needs_again, None);
    let undone = lab.run(&plan, &confirmed(&plan)).await.unwrap();
    assert_eq!(undone.outcome, Outcome::Changed);
    *lab.now.lock().unwrap() += SignedDuration::from_hours(1);
    let receipt = done.receipt.clone().map(|receipt| Receipt { at: Some(done.at), ..receipt });
    let done = Action { receipt, ..done };
    let next = ask_of(undo::of(&done, &lab.desk.flows).unwrap(), 3);
    let why = prepare(&lab.desk, next.clone()).await.unwrap().needs_again.unwrap();
    assert!(
        why.contains(&format!("{} undid it already", undone.id)) && !why.contains("changed again"),
        "{why}"
    );
    *lab.people.changed.lock().unwrap() = Some(done.at + SignedDuration::from_mins(90));
    let why = prepare(&lab.desk, next).await.unwrap().needs_again.unwrap();
    assert!(why.contains("its status changed again at"), "{why}");
}

#[tokio::test]
async fn a_group_is_left_and_joined_again_by_its_id() {
    let lab = Setup { is_member: true, ..Setup::ends([answered(204)]) }.lab();
    let leave = Ask {
        inputs: [("group".to_owned(), "Sales".to_owned())].into(),
        ..operation(Operation::RemoveFromGroup)
    };
    let plan = prepare(&lab.desk, leave).await.unwrap();
    let groups = lab.groups.clone();
    lab.script.then(move || *groups.is_member.lock().unwrap() = false);
    let done = lab.run(&plan, &confirmed(&plan)).await.unwrap();
    assert_eq!((done.outcome, done.before.as_deref()), (Outcome::Changed, Some("yes")));
    let ask = undo_of(&lab, &done);
    assert_eq!(ask.inputs["group"], "00gsales");
    let plan = prepare(&lab.desk, ask.clone()).await.unwrap();
    assert_eq!((plan.flow.id.0.as_str(), plan.refusal.as_ref()), ("okta-add-to-group", None));
    assert!(plan.verb.contains("`Sales`"), "{}", plan.verb);
    // A group whose name is the id of one that is gone is another one.
    let another = Ask { inputs: [("group".to_owned(), "Admins".to_owned())].into(), ..ask };
    let why = prepare(&lab.desk, another).await.unwrap().refusal.unwrap().why;
    assert!(why.contains("`Admins` is another"), "{why}");
}

#[tokio::test]
async fn another_account_behind_the_same_login_is_refused() {
    let lab = Setup { statuses: vec!["SUSPENDED"], ..Setup::ends([answered(200)]) }.lab();
    let plan = prepare(&lab.desk, operation(Operation::Unsuspend)).await.unwrap();
    let mut done = lab.run(&plan, &confirmed(&plan)).await.unwrap();
    done.flow = Operation::Suspend.flow_id();
    done.target_id = Some("00u9".to_owned());
    let plan = prepare(&lab.desk, undo_of(&lab, &done)).await.unwrap();
    let refusal = plan.refusal.clone().unwrap();
    assert!(refusal.why.contains("`00u1`") && refusal.why.contains("`00u9`"), "{refusal}");
    assert_eq!(refusal.outcome, Outcome::Refused);
    assert!(matches!(lab.run(&plan, &insisting(&plan)).await, Err(RunError::Refused(_))));
    assert_eq!(lab.sends(), 1, "the first run alone");
    // Where nobody knows which account it was, that is said.
    let unknown = Action { target_id: None, ..done };
    let plan = prepare(&lab.desk, undo_of(&lab, &unknown)).await.unwrap();
    assert!(plan.cannot_know.iter().any(|line| line.contains("whether it is the account")), "{plan:?}");
}

#[tokio::test]
async fn of_two_accounts_the_one_is_chosen_that_was_acted_on() {
    let record = |id: &str| json!({"userId": id, "provider": "OKTA", "login": id});
    let details = json!({"providerEndUserDetails": [record("00u1"), record("00u2")]});
    let lab = Setup { details, statuses: vec!["SUSPENDED"], ..Setup::ends([answered(200)]) }.lab();
    let undoes = |account: &str| undo::Undoes {
        action: ActionId(uuid::Uuid::from_u128(9)),
        what: "suspend".to_owned(),
        account: Some(account.to_owned()),
        left: None,
        ended: None,
        undone: None,
    };
    let wanted = Ask { undoes: Some(undoes("00u2")), ..operation(Operation::Unsuspend) };
    let plan = prepare(&lab.desk, wanted).await.unwrap();
    assert_eq!((plan.target_id.as_deref(), plan.refusal), (Some("00u2"), None));
    let gone = Ask { undoes: Some(undoes("00u3")), ..operation(Operation::Unsuspend) };
    assert!(matches!(prepare(&lab.desk, gone).await, Err(PlanError::Choose { .. })));
}

#[tokio::test]
async fn what_an_undoing_does_not_bring_back_stands_on_its_card() {
    let lab =
        Setup { statuses: vec!["ACTIVE", "ACTIVE", "DEPROVISIONED"], ..Setup::ends([answered(200)]) }.lab();
    let plan = prepare(&lab.desk, operation(Operation::Deactivate)).await.unwrap();
    assert!(
        plan.undo.contains("`okta-activate`") && plan.undo.contains("does not bring back"),
        "{}",
        plan.undo
    );
    let done = lab.run(&plan, &confirmed(&plan)).await.unwrap();
    let plan = prepare(&lab.desk, undo_of(&lab, &done)).await.unwrap();
    assert!(plan.caveats[0].contains("does not bring back applications"), "{:?}", plan.caveats);
}
