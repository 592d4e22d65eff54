//! Two processes at one run: who lost the wheel begins nobody more, takes nothing back and tells no untruth, whatever
//! came between a look, a plan, a send and its end. What others do is done while an answer is on its way.

use super::*;
use crate::store::Held;

const OTHER: &str = "jump:2:2";

/// Nobody looks at the wheel but where something depends on it.
fn seldom() -> Pace {
    let hour = Duration::from_secs(3_600);
    Pace { renew_every: hour, hear_every: hour, ..pace() }
}

impl Block {
    /// While the answer about the account of this user is on its way.
    fn at_read(&self, user: u32, act: impl Future<Output = ()> + Send + 'static) {
        let account = format!("00u-user{user}");
        *self.town.at_read.lock().unwrap() = Some(AtRead { account, act: Box::pin(act) });
    }

    async fn drive_by(&self, runner: &Runner, id: BulkId) -> Result<BulkRun, BulkError> {
        runner.drive(id, self.wishes.subscribe(), mpsc::unbounded_channel().0).await
    }

    async fn begun(&self) -> usize {
        begun(&self.store).await
    }
}

async fn begun(store: &SqliteStore) -> usize {
    store.actions(&ActionFilter::default(), None, 1_000).await.unwrap().rows.len()
}

/// Paused and resumed elsewhere: nobody has the wheel.
async fn let_go(store: &SqliteStore, desk: &Desk, id: BulkId) {
    for state in [BulkState::Paused, BulkState::Running] {
        assert!(store.turn(id, state, None, &desk.actor, desk.now()).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_another_process_began_with_meanwhile_is_told_as_their_action_stands() {
    let block = Arc::new(Block::new());
    let id = block.queued(6).await;
    // Their plan will say that nothing is to be done: another process did it, as its action says.
    block.town.suspended.lock().unwrap().insert("00u-user3".to_owned());
    let other = block.clone();
    block.at_read(3, async move {
        // Whoever is begun with behind it would wait: all the others are through.
        while other.store.bulk(id).await.unwrap().unwrap().counts.words() != "5 changed, 1 queued" {
            tokio::task::yield_now().await;
        }
        let_go(&other.store, &other.desk, id).await;
        other.leave(id.action(3), suspend(), 3, Some(200)).await;
    });
    let (told, mut ends) = mpsc::unbounded_channel();
    let runner = Runner::new(block.desk.clone(), seldom());
    let run = runner.drive(id, block.wishes.subscribe(), told).await.unwrap();
    assert_eq!(run.counts.words(), "1 accepted, 5 changed");
    assert_eq!(run.why, None);
    let end = block.users(id).await[3].end.clone().unwrap();
    assert_eq!((end.outcome, end.action), (Outcome::Accepted, Some(id.action(3))));
    assert!(!block.town.calls.lock().unwrap().contains_key("00u-user3"));
    let mut words = Vec::new();
    while let Ok(told) = ends.try_recv() {
        words.extend((told.user.position == 3).then(|| told.user.end.unwrap().outcome));
    }
    assert_eq!(words, [Outcome::Accepted], "told once, and truly");
}

#[rstest]
#[case::with_something_to_send(false)]
#[case::with_nothing_to_send(true)]
#[tokio::test(flavor = "multi_thread")]
async fn who_lost_the_wheel_between_a_look_and_a_send_begins_nobody_and_takes_nothing_back(
    #[case] is_suspended: bool,
) {
    let block = Block::new();
    let id = block.queued(100).await;
    if is_suspended {
        block.town.suspended.lock().unwrap().insert("00u-user3".to_owned());
    }
    let (store, desk) = (block.store.clone(), block.desk.clone());
    let before = Arc::new(AtomicUsize::new(0));
    let counted = before.clone();
    block.at_read(3, async move {
        let_go(&store, &desk, id).await;
        let lease = Lease { owner: OTHER.into(), until: desk.now() + SignedDuration::from_secs(60) };
        assert_eq!(store.hold(id, &lease, desk.now()).await.unwrap(), Held::Ours);
        counted.store(begun(&store).await, Ordering::SeqCst);
    });
    let ended = block.drive_by(&Runner::new(block.desk.clone(), seldom()), id).await;
    assert!(matches!(&ended, Err(BulkError::Others(_, owner)) if owner == OTHER), "{ended:?}");
    assert_eq!(block.begun().await, before.load(Ordering::SeqCst), "nobody was begun with behind it");
    assert_eq!(block.store.held(id, OTHER).await.unwrap(), Held::Ours, "the other drives on");
    assert_eq!(block.users(id).await[3].end, None, "whoever drives tells");
}

#[rstest]
#[case(BulkState::Stopped)]
#[case(BulkState::Paused)]
#[tokio::test(flavor = "multi_thread")]
async fn a_word_from_elsewhere_between_a_look_and_a_send_is_heard(#[case] state: BulkState) {
    let block = Block::new();
    let id = block.queued(100).await;
    let (store, desk) = (block.store.clone(), block.desk.clone());
    let before = Arc::new(AtomicUsize::new(0));
    let counted = before.clone();
    block.at_read(3, async move {
        assert!(store.turn(id, state, Some("enough"), &desk.actor, desk.now()).await.unwrap());
        counted.store(begun(&store).await, Ordering::SeqCst);
    });
    let run = block.drive_by(&Runner::new(block.desk.clone(), seldom()), id).await.unwrap();
    assert_eq!((run.state, run.why.as_deref()), (state, Some("enough")));
    assert_eq!(block.begun().await, before.load(Ordering::SeqCst), "nobody was begun with behind it");
    assert_eq!(run.counts.queued, 100 - block.begun().await);
}

/// A program that is stopped for minutes (`SIGSTOP`, ctrl-z) holds plans of people as they were.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_was_slept_over_is_compared_before_anything_leaves() {
    let block = Block::new();
    let id = block.queued(1).await;
    let now = Arc::new(Mutex::new(block.desk.now()));
    let clock = now.clone();
    let sleepy = Desk { clock: Arc::new(move || *clock.lock().unwrap()), ..Desk::clone(&block.desk) };
    let town = block.town.clone();
    block.at_read(0, async move {
        *now.lock().unwrap() += SignedDuration::from_mins(5);
        town.suspended.lock().unwrap().insert("00u-user0".to_owned());
    });
    let run = block.drive_by(&Runner::new(Arc::new(sleepy), seldom()), id).await.unwrap();
    assert_eq!(run.counts.words(), "1 refused");
    let why = block.users(id).await[0].end.clone().unwrap().why.unwrap();
    assert!(why.starts_with("the target changed since it was shown"), "{why}");
    assert!(block.town.calls.lock().unwrap().is_empty() && block.begun().await == 0);
}
