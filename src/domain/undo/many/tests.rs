use super::*;
use crate::domain::action::{ActionId, AnalystWord, Evidence, Said, ShownRequest};
use crate::domain::bulk;
use crate::domain::operation::{self, CONTAIN, Operation};
use crate::domain::{Actor, Risk};
use rstest::rstest;

fn run(flow: FlowId, state: BulkState) -> BulkRun {
    let (id, verb) = (BulkId(uuid::Uuid::from_u128(7 << 64)), "suspend the Okta account".to_owned());
    BulkRun { id, flow, verb, state, ..bulk::tests::run() }
}

fn action(n: u32, flow: FlowId, outcome: Outcome) -> Action {
    Action {
        id: ActionId(uuid::Uuid::from_u128(u128::from(n))),
        step: None,
        is_test: false,
        undoes: None,
        undone: None,
        before: None,
        flow,
        verb: "suspend the Okta account".to_owned(),
        risk: Risk::Medium,
        login: Login::new(&format!("user{n}@example.com")),
        target_id: Some(format!("00u{n}")),
        account_login: None,
        finding: None,
        evidence: Evidence::Verified,
        outcome,
        request: ShownRequest {
            method: "POST".to_owned(),
            url: format!("https://acme.okta.com/api/v1/groups/00g{}/users/00u{n}", n / 10),
            headers: Vec::new(),
            body: String::new(),
        },
        receipt: None,
        reason: None,
        actor: Actor::default(),
        at: Timestamp::UNIX_EPOCH,
    }
}

/// Somebody of a run, as it ended for them.
fn user(n: u32, outcome: Option<Outcome>, actions: Vec<Action>) -> (BulkUser, Vec<Action>) {
    let end = outcome.map(|outcome| BulkEnd {
        action: actions.first().map(|action| action.id),
        ..BulkEnd::not_sent(outcome, "", Timestamp::UNIX_EPOCH)
    });
    let user = BulkUser {
        position: n,
        login: Login::new(&format!("user{n}@example.com")),
        target_id: Some(format!("00u{n}")),
        account_login: None,
        finding: None,
        made_of: Default::default(),
        doubts: Vec::new(),
        undoes: None,
        end,
    };
    (user, actions)
}

fn ended(n: u32, outcome: Outcome) -> (BulkUser, Vec<Action>) {
    user(n, Some(outcome), vec![action(n, Operation::Suspend.flow_id(), outcome)])
}

fn undo(users: &[(BulkUser, Vec<Action>)]) -> Result<UndoMany, String> {
    let run = run(Operation::Suspend.flow_id(), BulkState::Done);
    of(&run, users, &operation::flows(), Timestamp::UNIX_EPOCH)
}

#[test]
fn those_whom_it_changed_are_undone_each_by_their_own_action() {
    let left_out = user(3, Some(Outcome::Refused), Vec::new());
    let users =
        [ended(1, Outcome::Changed), ended(2, Outcome::NoChange), left_out, user(4, None, Vec::new())];
    let undo = undo(&users).unwrap();
    assert_eq!((undo.flow.0.as_str(), undo.whom.len(), undo.unchanged), ("okta-unsuspend", 1, 3));
    assert_eq!(undo.left_out, []);
    let undoes = undo.undoes(&Login::new("USER1@example.com")).unwrap();
    assert_eq!((undoes.action, undoes.account.as_deref()), (users[0].1[0].id, Some("00u1")));
    assert_eq!(undo.undoes(&Login::new("user2@example.com")), None);
    assert_eq!(
        undo.words(),
        "suspend the Okta account (run 00000000); 3 whom it did not change are not meant"
    );
}

#[rstest]
#[case::unknown(Outcome::Unknown, "whether it changed them is not known: look at action ")]
#[case::on_its_way(Outcome::Pending, "whether it changed them is not known: look at action ")]
fn who_may_have_been_changed_is_left_out_and_said(#[case] outcome: Outcome, #[case] why: &str) {
    let undo = undo(&[ended(1, Outcome::Changed), ended(2, outcome)]).unwrap();
    assert_eq!((undo.whom.len(), undo.left_out.len(), undo.unchanged), (1, 1, 0));
    assert_eq!(undo.left_out[0].0.login.raw(), "user2@example.com");
    assert!(undo.left_out[0].1.contains(why), "{}", undo.left_out[0].1);
}

/// Who somebody says was changed is undone as who was; who somebody says was not is not meant.
#[test]
fn who_may_have_been_changed_counts_by_what_is_said_of_it() {
    let said = |n, said| {
        let word = AnalystWord {
            said,
            actor: Actor::default(),
            at: Timestamp::UNIX_EPOCH,
            reason: "seen there".to_owned(),
        };
        let action = action(n, Operation::Suspend.flow_id(), Outcome::Unknown).with_word(word);
        user(n, Some(Outcome::Unknown), vec![action])
    };
    let undo = undo(&[said(1, Said::Changed), said(2, Said::NotChanged)]).unwrap();
    assert_eq!((undo.whom.len(), undo.left_out.len(), undo.unchanged), (1, 0, 1));
    assert_eq!(undo.whom[0].login.raw(), "user1@example.com");
}

#[test]
fn what_the_store_does_not_have_any_more_is_said() {
    let undo = undo(&[ended(1, Outcome::Accepted), user(2, Some(Outcome::Changed), Vec::new())]).unwrap();
    assert!(undo.left_out[0].1.contains("its action is not in the store"), "{:?}", undo.left_out);
}

#[rstest]
#[case::nobody(Operation::Suspend, BulkState::Done, &[], "it changed nobody")]
#[case::nothing(Operation::ResetPassword, BulkState::Done, &[Outcome::Changed], "no flow undoes this")]
#[case::driven(Operation::Suspend, BulkState::Running, &[Outcome::Changed], "it is being driven")]
#[case::unsure(Operation::Suspend, BulkState::Done, &[Outcome::Unknown], "`user0@example.com`: whether it changed")]
fn why_nothing_undoes_a_run(
    #[case] operation: Operation,
    #[case] state: BulkState,
    #[case] outcomes: &[Outcome],
    #[case] expected: &str,
) {
    let users: Vec<_> = (0..).zip(outcomes).map(|(n, outcome)| ended(n, *outcome)).collect();
    let held_until = (state == BulkState::Running).then_some(Timestamp::MAX);
    let run = BulkRun { held_until, ..run(operation.flow_id(), state) };
    let why = of(&run, &users, &operation::flows(), Timestamp::UNIX_EPOCH).unwrap_err();
    assert!(why.contains(expected), "{why}");
}

/// Of a run of several actions the one is undone that can be, even where another of them failed.
#[test]
fn of_several_actions_the_one_is_undone_that_can_be() {
    let steps = |n, cleared| {
        let clear = action(n, Operation::ClearSessions.flow_id(), cleared);
        user(n, Some(cleared), vec![action(n, Operation::Suspend.flow_id(), Outcome::Changed), clear])
    };
    let run = run(CONTAIN.flow_id(), BulkState::Done);
    let users = [steps(1, Outcome::Accepted), steps(2, Outcome::Failed), steps(3, Outcome::Unknown)];
    let undo = of(&run, &users, &operation::flows(), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!((undo.flow.0.as_str(), undo.whom.len(), undo.left_out.len()), ("okta-unsuspend", 2, 1));
}

/// The inputs are the same for everybody of a run: who was put into another group is undone by themselves.
#[test]
fn what_undoes_one_otherwise_than_the_others_is_left_out() {
    let joined = |n| {
        user(n, Some(Outcome::Changed), vec![action(n, Operation::AddToGroup.flow_id(), Outcome::Changed)])
    };
    let run = run(Operation::AddToGroup.flow_id(), BulkState::Done);
    let undo =
        of(&run, &[joined(11), joined(12), joined(21)], &operation::flows(), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!((undo.flow.0.as_str(), undo.whom.len()), ("okta-remove-from-group", 2));
    assert!(undo.inputs.values().any(|group| group == "00g1"), "{:?}", undo.inputs);
    assert_eq!(
        undo.left_out[0].1,
        "what undoes it is told `group` is `00g2`, and for the others `00g1`: \
         `idtriage undo 00000000-0000-0000-0000-000000000015` undoes it by itself"
    );
}

/// Two findings of one login: neither is undone twice, and neither is left out without a word.
#[test]
fn who_is_there_twice_is_undone_once_and_the_other_action_is_named() {
    let again = action(2, Operation::Suspend.flow_id(), Outcome::Changed);
    let (mut second, actions) = user(2, Some(Outcome::Changed), vec![again]);
    second.login = Login::new("USER1@example.com");
    second.finding = Some(crate::domain::FindingId(8));
    let users = [ended(1, Outcome::Changed), (second.clone(), actions)];
    let undo = undo(&users).unwrap();
    assert_eq!((undo.whom.len(), undo.left_out.len(), undo.unchanged), (1, 1, 0));
    assert_eq!(undo.undoes(&second.login).unwrap().action, users[0].1[0].id);
    let (mark, why) = &undo.left_out[0];
    assert_eq!(mark.finding, second.finding);
    assert!(why.contains("changed this login twice") && why.contains(&users[1].1[0].id.to_string()), "{why}");
}
