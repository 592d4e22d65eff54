//! A run of which nobody is left to be acted on is over, whoever said last what of it.

use super::*;

/// A pause by another process while the last user lands pauses nothing, and leaves no reason.
#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_comes_while_the_last_user_lands_leaves_no_reason() {
    let block = Block::new();
    let id = block.queued(2).await;
    // Who goes first is not given: of two, one has landed already.
    block.leave(id.action(0), suspend(), 0, Some(200)).await;
    let (begun, may_land) = (Arc::new(Notify::new()), Arc::new(tokio::sync::Semaphore::new(0)));
    *block.town.in_front.lock().unwrap() = Some((0, may_land.clone()));
    let (store, desk, at_call) = (block.store.clone(), block.desk.clone(), begun.clone());
    block.at_call(1, move || at_call.notify_one());
    let paused = tokio::spawn(async move {
        begun.notified().await;
        let is_paused = store.turn(id, BulkState::Paused, Some("lunch"), &desk.actor, desk.now()).await;
        may_land.add_permits(1);
        is_paused.unwrap()
    });
    let run = block.drive(id).await.unwrap();
    assert!(paused.await.unwrap());
    assert_eq!((run.state, run.why.as_deref()), (BulkState::Done, None), "{}", run.counts.words());
    assert_eq!(run.counts.words(), "1 accepted, 1 changed");
}

/// Whoever drove it was killed when nobody waited any more.
#[rstest]
#[case::all_were_begun_with(2, BulkState::Done)]
#[case::somebody_waits(1, BulkState::Running)]
#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_driver_is_gone_is_closed_where_nobody_waits(
    #[case] begun: u32,
    #[case] expected: BulkState,
) {
    let block = Block::new();
    let (run, users) = block.run_of(suspend(), 2);
    let id = run.id;
    block.queue(BulkRun { risk: Risk::High, ..run }, &users).await;
    let until = block.desk.now() - SignedDuration::from_secs(1);
    let lease = Lease { owner: "jump:9:9".into(), until };
    block.store.hold(id, &lease, until).await.unwrap();
    block.leave(id.action(0), suspend(), 0, Some(200)).await;
    if begun > 1 {
        block.leave(id.action(1), suspend(), 1, None).await;
    }
    let (now, is_left) = (block.desk.now(), begun == 1);
    let run = block.store.bulk(id).await.unwrap().unwrap();
    assert_eq!(run.word(now), if is_left { "interrupted" } else { "done" });
    assert_eq!(run.asks_to_go_on().is_some(), is_left);
    block.store.expire_leases(now).await.unwrap();
    let run = block.store.bulk(id).await.unwrap().unwrap();
    assert_eq!((run.state, run.counts.queued), (expected, usize::from(is_left)));
    if !is_left {
        assert_eq!((run.why.as_deref(), run.counts.words().as_str()), (None, "1 unknown, 1 accepted"));
        let ends = block.users(id).await;
        let last = ends[1].end.clone().unwrap();
        assert_eq!((last.outcome, last.action), (Outcome::Unknown, Some(id.action(1))));
        // What is found out later is told of them still.
        let end = CallEnd::Answered(Receipt { status: Some(200), ..Receipt::default() });
        let settlement = evidence::judge(end, &flows()[0], now);
        block.store.settle(id.action(1), &settlement, now).await.unwrap();
        assert_eq!(block.store.bulk(id).await.unwrap().unwrap().counts.words(), "2 accepted");
    }
}
