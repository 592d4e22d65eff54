//! Who was held back before anything left still waits, whatever held them back: a run, our pace, or an end of the
//! program.

use super::*;

/// Sixteen have their intents committed and wait for their places when one is refused: none of them leaves, all of
/// them wait, and whoever goes on acts on each of them once.
#[rstest]
#[case::one_action(suspend())]
#[case::two_actions(operation::CONTAIN.flow_id())]
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_their_place_stays_queued_when_the_run_is_held(#[case] flow: FlowId) {
    let block = Block::new();
    let steps = if flow == suspend() { 1 } else { 2 };
    let id = block.queued_for(flow, 40).await;
    block.only_the_next_goes_well(40);
    let places = Arc::new(tokio::sync::Semaphore::new(steps + 1));
    *block.town.pace.lock().unwrap() = Some(places.clone());
    let (told, mut ends) = mpsc::unbounded_channel();
    let (runner, wishes) = (block.runner(), block.wishes.subscribe());
    let driven = tokio::spawn(async move { runner.drive(id, wishes, told).await });
    while let Some(told) = ends.recv().await {
        if told.user.end.unwrap().outcome == Outcome::Refused {
            places.add_permits(1_000);
        }
    }
    let run = driven.await.unwrap().unwrap();
    let sent: usize = block.town.calls.lock().unwrap().values().sum();
    assert_eq!((run.state, sent), (BulkState::Paused, steps + 1), "{}", run.counts.words());
    assert_eq!((run.counts.queued, run.counts.of(Outcome::Refused)), (38, 1), "{}", run.counts.words());
    let all = block.store.actions(&crate::store::ActionFilter::default(), None, 1_000).await.unwrap().rows;
    let withheld: Vec<&Action> = all.iter().filter(|action| action.is_withheld()).collect();
    assert!(!withheld.is_empty() && withheld.iter().all(|action| action.evidence == Evidence::Intended));
    (*block.town.at_call.lock().unwrap(), *block.town.ends.lock().unwrap()) = (None, HashMap::new());
    let run = block.go_on(id).await.unwrap();
    assert_eq!((run.state, run.counts.done(), run.counts.of(Outcome::Refused)), (BulkState::Done, 40, 1));
    let calls = block.town.calls.lock().unwrap();
    assert!(calls.len() == 40 && calls.values().all(|count| *count <= steps), "{calls:?}");
}

/// Also in a run of several actions, and in the middle of the run.
#[rstest]
#[case::one_action(suspend(), 1)]
#[case::two_actions(operation::CONTAIN.flow_id(), 2)]
#[tokio::test(flavor = "multi_thread")]
async fn who_was_held_back_by_our_pace_is_not_sent_and_still_waits(
    #[case] flow: FlowId,
    #[case] steps: usize,
) {
    let block = Block::new();
    let id = block.queued_for(flow, 40).await;
    let full = accounts(20..40).map(|account| (account, "`x` is throttling: 300 s".to_owned()));
    block.town.held_back.lock().unwrap().extend(full);
    let run = block.drive(id).await.unwrap();
    let why = run.why.clone().unwrap();
    assert!(why.ends_with("is not sent, and still waits: `x` is throttling: 300 s"), "{why}");
    assert_eq!((run.state, run.counts.of(Outcome::Failed)), (BulkState::Paused, 0), "{}", run.counts.words());
    assert!(run.counts.queued >= 20 && run.counts.of(Outcome::NotSent) == 0, "{}", run.counts.words());
    block.town.held_back.lock().unwrap().clear();
    let run = block.go_on(id).await.unwrap();
    assert_eq!((run.state, run.counts.done(), run.counts.queued), (BulkState::Done, 40, 0), "{:?}", run.why);
    let calls = block.town.calls.lock().unwrap();
    assert!(calls.len() == 40 && calls.values().all(|count| *count == steps), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_turn_when_the_program_stops_still_waits_in_the_run() {
    let block = Block::new();
    let id = block.queued(3).await;
    // There is no turn for anybody.
    *block.town.pace.lock().unwrap() = Some(Arc::new(tokio::sync::Semaphore::new(0)));
    let runner = Arc::new(block.runner());
    let (driving, wishes) = (runner.clone(), block.wishes.subscribe());
    let driven = tokio::spawn(async move { driving.drive(id, wishes, mpsc::unbounded_channel().0).await });
    while runner.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(runner.finish(Duration::from_secs(60)).await, 0);
    let run = driven.await.unwrap().unwrap();
    assert_eq!((run.state, run.counts.words()), (BulkState::Paused, "3 queued".to_owned()));
    assert!(run.why.unwrap().contains("the program"));
    *block.town.pace.lock().unwrap() = None;
    let run = block.go_on(id).await.unwrap();
    assert_eq!((run.state, run.counts.words()), (BulkState::Done, "3 changed".to_owned()));
    block.nobody_twice();
}

/// Who was suspended and whose sessions were not cleared is not called `not-sent`, is shown to whoever looks for
/// exceptions, and is not suspended twice.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_held_back_between_two_steps_is_told_what_was_done() {
    let block = Block::new();
    let id = block.queued_for(operation::CONTAIN.flow_id(), 3).await;
    let town = block.town.clone();
    let act = move |call, account: &str| {
        if call == 1 {
            let why = (account.to_owned(), "`x` is throttling: 300 s".to_owned());
            town.held_back.lock().unwrap().extend([why]);
        }
    };
    *block.town.at_call.lock().unwrap() = Some(AtCall(Box::new(act)));
    let run = block.drive(id).await.unwrap();
    assert_eq!((run.state, run.counts.words()), (BulkState::Paused, "1 failed, 2 queued".to_owned()));
    let exceptions = block.store.bulk_users(id, Users::Exceptions, 0, 9).await.unwrap();
    let end = exceptions[0].end.clone().unwrap();
    let why = end.why.clone().unwrap();
    assert_eq!((exceptions.len(), end.words().as_str()), (1, "failed (sent)"));
    assert!(why.starts_with("suspend: changed (verified); clear: not-sent (intended): `x` is thr"), "{why}");
    block.town.held_back.lock().unwrap().clear();
    let run = block.go_on(id).await.unwrap();
    assert_eq!((run.state, run.counts.of(Outcome::Failed)), (BulkState::Done, 1), "{}", run.counts.words());
    let calls = block.town.calls.lock().unwrap();
    let mut steps: Vec<usize> = calls.values().copied().collect();
    steps.sort_unstable();
    assert_eq!(steps, [1, 2, 2], "{calls:?}");
}
