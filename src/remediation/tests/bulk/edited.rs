//! A store that somebody edited: what the journal has is not done again.

use super::*;
use crate::domain::operation::CONTAIN;

/// Who was acted on waits by the store as it was edited, and no action is there: the journal knows better.
#[rstest]
#[case::one_action(suspend(), 0)]
#[case::begun_all_the_same(suspend(), 1)]
#[case::two_actions(CONTAIN.flow_id(), 0)]
#[tokio::test(flavor = "multi_thread")]
async fn who_was_acted_on_by_the_journal_is_not_sent_again(#[case] flow: FlowId, #[case] began: u8) {
    let block = Block::new();
    let id = block.queued_for(flow, 3).await;
    block.wishes_at_call(1, Wish::Pause);
    assert_eq!(block.drive(id).await.unwrap().state, BulkState::Paused);
    *block.town.at_call.lock().unwrap() = None;
    // Any of them may have been the first.
    let first = block.town.calls.lock().unwrap().keys().next().unwrap().clone();
    let place = position_of(&first);
    let of_first = || block.town.calls.lock().unwrap()[&first];
    let before = of_first();
    block.town.suspended.lock().unwrap().clear();
    let db = rusqlite::Connection::open(block._folder.path().join("idtriage.db")).unwrap();
    let freed = format!(
        "UPDATE bulk_users SET outcome = NULL, evidence = NULL, status = NULL, why = NULL, \
         action = NULL, at = NULL, began = {began} WHERE position = {place}"
    );
    assert_eq!(db.execute(&freed, []).unwrap(), 1);
    assert!(db.execute("DELETE FROM actions", []).unwrap() > 0);
    let mut run = block.go_on(id).await.unwrap();
    if run.state == BulkState::Paused {
        // It may be so for everybody, where nobody's answer went well before; whoever goes on has seen it.
        assert!(
            run.why.unwrap().contains("is unknown: nothing was sent: the journal has an intent of action")
        );
        run = block.go_on(id).await.unwrap();
    }
    assert_eq!((run.state, run.counts.of(Outcome::Unknown)), (BulkState::Done, 1), "{:?}", run.why);
    let end = block.users(id).await[place as usize].end.clone().unwrap();
    let why = end.why.unwrap();
    assert!(
        end.outcome == Outcome::Unknown
            && why.contains("that the store does not: it may have been sent before"),
        "{why}"
    );
    assert_eq!((of_first(), block.town.calls.lock().unwrap().len()), (before, 3));
}
