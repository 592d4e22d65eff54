//! Which group it is about is confirmed by its id: a name that became another's puts nobody there.

use super::*;
use crate::domain::operation::Operation;
use crate::remediation::bulk::{ConfirmedBulk, queued};

const CHANGED: &str = "changed since it was confirmed: group `Sales` is 00gadmins by now, not 00gsales";

fn named() -> BTreeMap<String, String> {
    [("group".to_owned(), "Sales".to_owned())].into()
}

/// A place with groups, and a run that adds so many to one of them by its name, as it is confirmed.
async fn adding(users: u32) -> (Block, Arc<Org>, BulkRun, Vec<BulkUser>) {
    let mut block = Block::new();
    let org = Arc::new(Org::default());
    Arc::get_mut(&mut block.desk).unwrap().org = Some(org.clone());
    let mut plans = Vec::new();
    for user in 0..users {
        let login = Login::new(&format!("user{user}@x"));
        let flow = Operation::AddToGroup.flow_id();
        let ask = Ask { flow, login, finding: None, inputs: named(), ..ask(u128::from(user) + 1) };
        plans.push(prepare(&block.desk, ask).await.unwrap());
    }
    let said = ConfirmedBulk { inputs: named(), reason: Some("case 7".into()), again: Again::No };
    let (run, users) = queued(&block.desk, BulkId(uuid::Uuid::from_u128(1 << 64)), &plans, said).unwrap();
    (block, org, run, users)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_another_groups_by_now_holds_the_run_and_nobody_is_put_there() {
    let (block, org, run, users) = adding(9).await;
    assert_eq!(run.seal.as_ref().unwrap().group.as_deref(), Some("00gsales"));
    let id = run.id;
    block.store.queue(&run, &users).await.unwrap();
    let record = block.store.bulk_record(id).await.unwrap().unwrap().content.unwrap();
    assert!(record.contains(r#""group":"00gsales""#), "{record}");
    *org.is_renamed.lock().unwrap() = true;
    // However often somebody goes on.
    for drive in 0..3 {
        let run = if drive == 0 { block.drive(id).await } else { block.go_on(id).await }.unwrap();
        assert_eq!((run.state, run.counts.words()), (BulkState::Paused, "9 queued".to_owned()));
        assert_eq!(run.why.as_deref(), Some(CHANGED));
    }
    assert!(block.town.calls.lock().unwrap().is_empty());
    *org.is_renamed.lock().unwrap() = false;
    let run = block.go_on(id).await.unwrap();
    assert_eq!((run.state, block.town.calls.lock().unwrap().len()), (BulkState::Done, 9), "{:?}", run.why);
    block.nobody_twice();
}

/// The name changed while they were planned: who was shown another group than the first is not put into either.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_shown_another_group_than_the_others_is_left_out() {
    let (block, org, run, mut users) = adding(2).await;
    *org.is_renamed.lock().unwrap() = true;
    let other = Ask {
        flow: run.flow.clone(),
        login: users[1].login.clone(),
        finding: None,
        inputs: named(),
        ..ask(9)
    };
    users[1].made_of = prepare(&block.desk, other).await.unwrap().made_of;
    *org.is_renamed.lock().unwrap() = false;
    let seal = run.seal.clone().map(|seal| Seal { people: Seal::people(&users), ..seal });
    let run = BulkRun { seal, ..run };
    block.store.queue(&run, &users).await.unwrap();
    let run = block.drive(run.id).await.unwrap();
    assert_eq!((run.state, run.counts.of(Outcome::Refused)), (BulkState::Done, 1), "{:?}", run.why);
    assert_eq!(block.town.calls.lock().unwrap().keys().collect::<Vec<_>>(), ["00u-user0"]);
}

/// A run of before neither has a group nor an address of anybody: its seal holds, and it goes on as it did.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_sealed_without_its_group_goes_on() {
    let (block, _, run, mut users) = adding(2).await;
    for user in &mut users {
        user.made_of = Default::default();
    }
    let seal = run.seal.clone().map(|seal| Seal { people: Seal::people(&users), group: None, ..seal });
    let json = serde_json::to_value(seal.as_ref().unwrap()).unwrap();
    assert_eq!(json.get("group"), None, "{json}");
    let run = BulkRun { seal, ..run };
    block.store.queue(&run, &users).await.unwrap();
    let run = block.drive(run.id).await.unwrap();
    assert_eq!((run.state, block.town.calls.lock().unwrap().len()), (BulkState::Done, 2), "{:?}", run.why);
}

/// On one card too: what was confirmed is what leaves, or nothing.
#[tokio::test]
async fn a_card_says_that_the_name_is_another_groups_by_now() {
    let lab = Setup::ends([answered(200)]).lab();
    let ask = Ask { flow: Operation::AddToGroup.flow_id(), inputs: named(), ..ask(1) };
    let plan = prepare(&lab.desk, ask).await.unwrap();
    *lab.groups.is_renamed.lock().unwrap() = true;
    let error = lab.run(&plan, &confirmed(&plan)).await.unwrap_err();
    assert!(error.to_string().contains("group `Sales` is 00gadmins by now, not 00gsales"), "{error}");
    assert_eq!(lab.sends(), 0);
}
