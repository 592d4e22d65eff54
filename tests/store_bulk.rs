//! What holds of bulk runs in the store, whoever drives them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod store_support;

use idtriage::domain::action::{Receipt, Settlement, StepOf};
use idtriage::domain::bulk::{BulkCounts, BulkEnd, BulkId, BulkRun, BulkState, BulkUser, EndKind};
use idtriage::domain::plan::MadeOf;
use idtriage::domain::{Action, ActionId, Actor, EventId, Evidence, Login, Outcome, Risk};
use idtriage::store::sqlite::SqliteStore;
use idtriage::store::{Again, Basis, BulkStore, Held, IntendError, Kept, Lease, Store, Users, files};
use std::sync::Arc;
use store_support::{action, decode, options, second};

struct Shelf {
    store: Arc<SqliteStore>,
    _folder: tempfile::TempDir,
}

fn id(n: u128) -> BulkId {
    BulkId(uuid::Uuid::from_u128(n << 64))
}

fn lease(owner: &str, until: i64) -> Lease {
    Lease { owner: owner.to_owned(), until: second(until) }
}

impl Shelf {
    fn new() -> Shelf {
        let folder = files::throw_away_folder("bulk-").unwrap();
        let store = SqliteStore::open(&folder.path().join("idtriage.db"), decode(), options()).unwrap();
        Shelf { store, _folder: folder }
    }

    async fn queued(&self, n: u128, users: u32) -> BulkId {
        let run = BulkRun {
            id: id(n),
            flow: "okta-suspend".into(),
            verb: "suspend".into(),
            risk: Risk::Medium,
            inputs: [("group".to_owned(), "Sales".to_owned())].into(),
            reason: Some("case 7".into()),
            is_insisted: true,
            actor: Actor { user: "ops".into(), ..Actor::default() },
            at: second(1),
            state: BulkState::Running,
            why: None,
            held_until: None,
            seal: None,
            counts: BulkCounts { queued: users as usize, ..BulkCounts::default() },
        };
        let user = |position| BulkUser {
            position,
            login: Login::new(&format!("User{position}@x")),
            target_id: Some(format!("00u{position}")),
            account_login: (position > 0).then(|| Login::new("Olga@x")),
            finding: None,
            made_of: match position {
                0 => MadeOf::default(),
                position => MadeOf { event: Some(EventId(position.into())), body: Some("ab12".to_owned()) },
            },
            doubts: Vec::new(),
            undoes: (position == 1).then(|| ActionId(uuid::Uuid::from_u128(9))),
            end: None,
        };
        let users: Vec<BulkUser> = (0..users).map(user).collect();
        self.store.queue(&run, &users).await.unwrap();
        assert_eq!(self.store.bulk(run.id).await.unwrap(), Some(run.clone()));
        assert_eq!(self.store.bulk_users(run.id, Users::All, 0, 100).await.unwrap(), users);
        run.id
    }

    async fn turn(&self, id: BulkId, to: BulkState) -> bool {
        self.store.turn(id, to, Some("because"), &Actor::default(), second(5)).await.unwrap()
    }

    async fn hold(&self, id: BulkId, owner: &str, (until, now): (i64, i64)) -> Held {
        self.store.hold(id, &lease(owner, until), second(now)).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_at_a_time_drives_and_takes_over_from_who_is_gone() {
    let shelf = Shelf::new();
    let run = shelf.queued(1, 2).await;
    assert_eq!(shelf.hold(id(9), "a", (20, 0)).await, Held::Missing);
    assert_eq!(shelf.hold(run, "a", (20, 0)).await, Held::Ours);
    assert_eq!(shelf.hold(run, "b", (30, 10)).await, Held::Others("a".to_owned()));
    // To say that it runs takes the wheel from nobody.
    assert!(shelf.turn(run, BulkState::Running).await);
    assert_eq!(shelf.hold(run, "b", (30, 10)).await, Held::Others("a".to_owned()));
    assert!(!shelf.store.bulk(run).await.unwrap().unwrap().is_interrupted(second(20)));
    assert!(shelf.store.bulk(run).await.unwrap().unwrap().is_interrupted(second(21)));
    assert_eq!(shelf.hold(run, "b", (41, 21)).await, Held::Ours);
    assert_eq!(shelf.hold(run, "a", (41, 21)).await, Held::Others("b".to_owned()));
    assert!(shelf.turn(run, BulkState::Paused).await);
    assert_eq!(shelf.hold(run, "b", (41, 21)).await, Held::Not(BulkState::Paused));
    assert!(shelf.turn(run, BulkState::Running).await);
    assert_eq!(shelf.hold(run, "a", (41, 21)).await, Held::Ours, "who paused it gave the wheel back");
    assert!(shelf.turn(run, BulkState::Stopped).await);
    assert!(!shelf.turn(run, BulkState::Running).await, "what is over stays over");
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_listed_by_how_it_ended_for_them() {
    let shelf = Shelf::new();
    let run = shelf.queued(1, 5).await;
    for (position, outcome) in [(1, Outcome::Changed), (2, Outcome::Refused), (4, Outcome::NotLegal)] {
        let end = BulkEnd::not_sent(outcome, "why", second(3));
        assert_eq!(shelf.store.user_ended(run, position, &end, "a").await.unwrap(), Kept::Kept);
    }
    let places = async |which, from, limit| {
        let users = shelf.store.bulk_users(run, which, from, limit).await.unwrap();
        users.iter().map(|user| user.position).collect::<Vec<_>>()
    };
    assert_eq!(places(Users::Queued, 0, 10).await, [0, 3]);
    assert_eq!(places(Users::Queued, 1, 10).await, [3]);
    assert_eq!(places(Users::Exceptions, 0, 10).await, [2, 4]);
    assert_eq!(places(Users::All, 1, 2).await, [1, 2]);
    let counts = shelf.store.bulk(run).await.unwrap().unwrap().counts;
    assert_eq!(counts.words(), "1 refused, 1 not-legal, 1 changed, 2 queued");
    assert_eq!(shelf.store.bulk_kinds(run).await.unwrap(), [], "each was that user's own");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_cut_off_writes_no_end_over_another() {
    let shelf = Shelf::new();
    let run = shelf.queued(1, 3).await;
    let keep = async |position, outcome, owner: &str| {
        let end = BulkEnd::not_sent(outcome, "why", second(3));
        shelf.store.user_ended(run, position, &end, owner).await.unwrap()
    };
    assert_eq!(shelf.hold(run, "a", (20, 0)).await, Held::Ours);
    assert_eq!(shelf.store.held(run, "a").await.unwrap(), Held::Ours);
    assert_eq!(keep(0, Outcome::Changed, "a").await, Kept::Kept);
    assert_eq!(keep(0, Outcome::Unknown, "a").await, Kept::ToldBefore, "the first end is the true one");
    assert_eq!(shelf.hold(run, "b", (41, 21)).await, Held::Ours);
    assert_eq!(shelf.store.held(run, "a").await.unwrap(), Held::Others("b".to_owned()));
    assert_eq!(keep(1, Outcome::Unknown, "a").await, Kept::Others);
    let leave = async |owner, to| {
        shelf.store.leave(run, owner, (to, None), &Actor::default(), second(22)).await.unwrap()
    };
    assert_eq!(leave("a", BulkState::Paused).await, Held::Others("b".to_owned()));
    assert_eq!(shelf.store.held(run, "b").await.unwrap(), Held::Ours, "who was cut off takes nothing back");
    assert_eq!(keep(1, Outcome::Changed, "b").await, Kept::Kept);
    // Who is on their way while somebody pauses it lands all the same.
    assert!(shelf.turn(run, BulkState::Paused).await);
    assert_eq!(shelf.store.held(run, "b").await.unwrap(), Held::Not(BulkState::Paused));
    assert_eq!(keep(2, Outcome::Changed, "b").await, Kept::Kept);
    assert_eq!(
        leave("b", BulkState::Stopped).await,
        Held::Not(BulkState::Paused),
        "whoever paused it is heard"
    );
    assert_eq!(shelf.store.held(run, "b").await.unwrap(), Held::Not(BulkState::Paused));
    leave("b", BulkState::Done).await;
    assert_eq!(shelf.store.held(run, "b").await.unwrap(), Held::Not(BulkState::Done), "nobody waits");
    assert_eq!(shelf.store.bulk(run).await.unwrap().unwrap().counts.words(), "3 changed");
    assert_eq!(shelf.store.held(id(9), "a").await.unwrap(), Held::Missing);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_paused_a_run_is_remembered() {
    let shelf = Shelf::new();
    let run = shelf.queued(1, 3).await;
    let held = EndKind::Held(Outcome::Refused);
    for _ in 0..2 {
        shelf.store.saw(run, held).await.unwrap();
    }
    let end = BulkEnd { status: Some(500), ..BulkEnd::not_sent(Outcome::Unknown, "why", second(3)) };
    assert_eq!(shelf.store.user_ended(run, 0, &end, "a").await.unwrap(), Kept::Kept);
    let kinds = shelf.store.bulk_kinds(run).await.unwrap();
    assert_eq!(kinds, [EndKind::Answered(Outcome::Unknown, Some(500)), held]);
    let record = shelf.store.bulk_record(run).await.unwrap().unwrap();
    assert!(record.content.unwrap().contains(&run.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_listed_newest_first_and_each_turn_is_in_the_journal() {
    let shelf = Shelf::new();
    for n in 1..=3 {
        shelf.queued(n, 1).await;
    }
    let page = shelf.store.bulks(None, 2).await.unwrap();
    assert_eq!(
        (page.rows.iter().map(|run| run.id).collect::<Vec<_>>(), page.next),
        (vec![id(3), id(2)], Some(id(2)))
    );
    assert_eq!(shelf.store.bulks(page.next, 2).await.unwrap().rows.len(), 1);
    shelf.turn(id(2), BulkState::Paused).await;
    let records = shelf.store.journal(0, 10).await.unwrap();
    let contents: Vec<String> = records.iter().filter_map(|record| record.content.clone()).collect();
    assert_eq!(contents.len(), 4);
    assert!(contents[0].contains(r#""users":1"#) && contents[0].contains("logins_sha256"), "{}", contents[0]);
    assert!(
        contents[3].contains(r#""state":"paused""#) && contents[3].contains("because"),
        "{}",
        contents[3]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_begun_with_but_by_whoever_drives_and_who_was_begun_with_lands() {
    let shelf = Shelf::new();
    let run = shelf.queued(1, 4).await;
    let begins = async |position: u32, step: Option<u8>, owner: &str| {
        let id = run.action(position);
        let step = step.map(|number| StepOf { run: id, number, of: 2 });
        let id = step.map_or(id, |step| id.step(step.number));
        let login = format!("user{position}@x");
        let action = Action { id, step, ..action((id.0.as_u128(), &format!("flow{step:?}"), &login)) };
        let basis = Basis { same: Vec::new(), seen: Vec::new(), again: Again::No };
        shelf.store.intend(&action, &lease(owner, 30), &basis).await
    };
    let says_no =
        |said: Result<(), IntendError>| matches!(said, Err(IntendError::NotDriven(id)) if id == run);
    assert_eq!(shelf.hold(run, "a", (20, 0)).await, Held::Ours);
    begins(0, Some(1), "a").await.unwrap();
    assert!(says_no(begins(1, None, "b").await), "another drives");
    assert_eq!(shelf.hold(run, "b", (41, 21)).await, Held::Ours);
    assert!(says_no(begins(1, None, "a").await), "it slept through its lease");
    begins(0, Some(2), "a").await.unwrap();
    begins(1, None, "b").await.unwrap();
    // An action that failed before a byte left is no precedent, and still the very same.
    let failed =
        Settlement { evidence: Evidence::Intended, outcome: Outcome::Failed, receipt: Receipt::default() };
    shelf.store.settle(run.action(1), &failed, second(22)).await.unwrap();
    let twice = begins(1, None, "b").await;
    assert!(matches!(twice, Err(IntendError::Meanwhile(id)) if id == run.action(1)), "{twice:?}");
    let end = BulkEnd::not_sent(Outcome::NoChange, "why", second(23));
    let kept = shelf.store.user_ended(run, 1, &end, "b").await.unwrap();
    assert_eq!(kept, Kept::BegunMeanwhile, "nothing was sent: their action says otherwise");
    assert_eq!(shelf.store.user_ended(run, 2, &end, "b").await.unwrap(), Kept::Kept);
    assert!(says_no(begins(2, None, "b").await), "they were told");
    assert!(shelf.turn(run, BulkState::Paused).await);
    assert!(says_no(begins(3, None, "b").await), "it waits");
}

/// What was done, and by what it is undone by now, as the store has it of an action and of its user.
async fn undone_of(shelf: &Shelf, run: BulkId, position: u32) -> (Option<String>, Option<String>, usize) {
    let action = shelf.store.action(run.action(position)).await.unwrap().unwrap();
    let user = shelf.store.bulk_users(run, Users::All, position, 1).await.unwrap().remove(0);
    let counts = shelf.store.bulk(run).await.unwrap().unwrap().counts.undone();
    let undone = user.end.and_then(|end| end.undone);
    assert_eq!(action.undone, undone, "the user says of it what the action says");
    let by = undone.as_ref().map(|undone| undone.by.to_string());
    (by, undone.map(|undone| undone.to_string()), counts)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_undone_says_so_on_the_action_and_on_its_user_until_that_is_undone_too() {
    let shelf = Shelf::new();
    let run = shelf.queued(1, 2).await;
    assert_eq!(shelf.hold(run, "a", (20, 0)).await, Held::Ours);
    let runs = async |id: ActionId, undoes: Option<ActionId>, outcome: Outcome| {
        let flow = format!("flow {id}");
        let action = Action { id, undoes, ..action((id.0.as_u128(), &flow, "user0@x")) };
        let basis = Basis { same: Vec::new(), seen: Vec::new(), again: Again::No };
        shelf.store.intend(&action, &lease("a", 30), &basis).await.unwrap();
        let settlement =
            Settlement { evidence: Evidence::Acknowledged, outcome, receipt: Receipt::default() };
        shelf.store.settle(id, &settlement, second(9)).await.unwrap();
    };
    let [first, second_one] = [0, 1].map(|position| run.action(position));
    for (position, id) in [(0, first), (1, second_one)] {
        runs(id, None, Outcome::Changed).await;
        let end = BulkEnd {
            action: Some(id),
            evidence: Some(Evidence::Verified),
            ..BulkEnd::not_sent(Outcome::Changed, "", second(3))
        };
        assert_eq!(shelf.store.user_ended(run, position, &end, "a").await.unwrap(), Kept::Kept);
    }
    let [undoing, redoing, refused, again] = [101, 102, 103, 104].map(|n| ActionId(uuid::Uuid::from_u128(n)));
    runs(refused, Some(first), Outcome::Refused).await;
    assert_eq!(undone_of(&shelf, run, 0).await, (None, None, 0), "what did nothing undoes nothing");
    runs(undoing, Some(first), Outcome::Accepted).await;
    let expected = (Some(undoing.to_string()), Some("undone (accepted)".to_owned()), 1);
    assert_eq!(undone_of(&shelf, run, 0).await, expected);
    // A later look proves it.
    let proof =
        Settlement { evidence: Evidence::Verified, outcome: Outcome::Changed, receipt: Receipt::default() };
    shelf.store.settle(undoing, &proof, second(10)).await.unwrap();
    let expected = (Some(undoing.to_string()), Some("undone".to_owned()), 1);
    assert_eq!(undone_of(&shelf, run, 0).await, expected);
    runs(redoing, Some(undoing), Outcome::Changed).await;
    assert_eq!(undone_of(&shelf, run, 0).await, (None, None, 0), "the undoing is undone itself");
    assert_eq!(shelf.store.action(undoing).await.unwrap().unwrap().standing(), "undone, was changed");
    runs(again, Some(redoing), Outcome::Changed).await;
    assert_eq!(undone_of(&shelf, run, 0).await, expected, "and that again");
    assert_eq!(undone_of(&shelf, run, 1).await.0, None, "the other is as they were");
}

/// Of several steps one can be undone; and nobody told how it ended: whoever drove is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_several_steps_is_undone_where_a_step_is() {
    let shelf = Shelf::new();
    let run = shelf.queued(1, 1).await;
    assert_eq!(shelf.hold(run, "a", (20, 0)).await, Held::Ours);
    let of = run.action(0);
    let settle = async |id: ActionId, step: Option<u8>, undoes: Option<ActionId>| {
        let step = step.map(|number| StepOf { run: of, number, of: 2 });
        let flow = format!("flow {id}");
        let action = Action { id, step, undoes, ..action((id.0.as_u128(), &flow, "user0@x")) };
        let basis = Basis { same: Vec::new(), seen: Vec::new(), again: Again::No };
        shelf.store.intend(&action, &lease("a", 30), &basis).await.unwrap();
        let (evidence, outcome) = (Evidence::Acknowledged, Outcome::Accepted);
        let settlement = Settlement { evidence, outcome, receipt: Receipt::default() };
        shelf.store.settle(id, &settlement, second(9)).await.unwrap();
    };
    settle(of.step(1), Some(1), None).await;
    settle(of.step(2), Some(2), None).await;
    let undoing = ActionId(uuid::Uuid::from_u128(101));
    settle(undoing, None, Some(of.step(1))).await;
    let user = shelf.store.bulk_users(run, Users::All, 0, 1).await.unwrap().remove(0);
    assert_eq!(user.end.as_ref().unwrap().undone.as_ref().unwrap().by, undoing);
    assert_eq!(user.end.unwrap().words(), "undone (accepted), was accepted (acknowledged)");
}

/// Who waits for a turn when their process goes away waits as before, unless something has left for them: by another
/// step, or by another attempt of whoever took the run over.
#[tokio::test(flavor = "multi_thread")]
async fn who_only_waited_for_a_turn_waits_again_and_nobody_else() {
    let shelf = Shelf::new();
    let run = shelf.queued(1, 3).await;
    assert_eq!(shelf.hold(run, "a", (20, 0)).await, Held::Ours);
    let begins = async |id: ActionId, step: Option<StepOf>, owner: &str| {
        let flow = format!("flow {id}");
        let action = Action { id, step, ..action((id.0.as_u128(), &flow, &flow)) };
        let basis = Basis { same: Vec::new(), seen: Vec::new(), again: Again::No };
        shelf.store.intend(&action, &lease(owner, 25), &basis).await.unwrap();
    };
    let settles = async |id: ActionId, settlement: Settlement| {
        shelf.store.settle(id, &settlement, second(30)).await.unwrap();
    };
    let answered = Settlement {
        evidence: Evidence::Acknowledged,
        outcome: Outcome::Accepted,
        receipt: Receipt::default(),
    };
    let withheld = Settlement {
        evidence: Evidence::Intended,
        outcome: Outcome::NotSent,
        receipt: Receipt { withheld: true, ..Receipt::default() },
    };
    // Of the first nothing has left, of the second the first of two steps, of the third nothing.
    begins(run.action(0), None, "a").await;
    let step = |number| StepOf { run: run.action(1), number, of: 2 };
    begins(run.action(1).step(1), Some(step(1)), "a").await;
    settles(run.action(1).step(1), answered.clone()).await;
    begins(run.action(1).step(2), Some(step(2)), "a").await;
    begins(run.action(2), None, "a").await;
    let expired = shelf.store.expire_leases(second(26)).await.unwrap();
    assert!(
        expired.len() == 3 && expired.iter().all(|(_, outcome)| *outcome == Outcome::NotSent),
        "{expired:?}"
    );
    let counts = async || shelf.store.bulk(run).await.unwrap().unwrap().counts;
    assert_eq!(counts().await.queued, 2, "{}", counts().await.words());
    // Another takes over, and sends for the third; whoever slept gives up what was theirs.
    assert_eq!(shelf.hold(run, "b", (60, 40)).await, Held::Ours);
    begins(run.action(2).attempt(1), None, "b").await;
    settles(run.action(2), withheld).await;
    assert_eq!(counts().await.queued, 1, "{}", counts().await.words());
    settles(run.action(2).attempt(1), answered).await;
    assert_eq!(counts().await.queued, 1, "{}", counts().await.words());
}
