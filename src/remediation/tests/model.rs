//! The three nevers, over a real store that two consoles share: never two sends for one intent, never a send that is
//! not in the journal, never *changed* without a change. Random sequences of runs, repeated keys, undoings and later
//! looks, and of runs on both that are held, stopped and gone on with by either console or by both at once, with calls
//! that are lost before or behind their effect, and crashes wherever something is read, sent or timed.

mod many;
mod town;

use super::*;
use crate::domain::action::{AnalystWord, Said};
use crate::domain::bulk::{BulkId, BulkState};
use crate::domain::journal::Verifier;
use crate::domain::operation::{CONTAIN, Operation};
use crate::domain::{later, undo};
use crate::store::sqlite::SqliteStore;
use crate::store::{ActionFilter, OpenOptions, files};
use std::collections::{BTreeMap, BTreeSet};
use town::{End, Fuse, Held, Town, wanted};

/// One of the two consoles.
#[derive(Debug, Clone, Copy)]
enum At {
    Here,
    There,
}

/// What somebody does.
#[derive(Debug, Clone)]
enum Op {
    /// Runs a flow on somebody; the n-th visit from the card on may be the last.
    Run { at: At, flow: usize, user: usize, end: End, insists: bool, crash: Option<u8> },
    /// The same key once more, here or on the other console.
    Repeat { at: At, end: End, crash: Option<u8> },
    /// Both run the same flow on the same person at once.
    Both { flow: usize, user: usize, end: End },
    /// While one looks for its effect, the other console runs a flow on the same person, from card to end.
    Behind { flows: [usize; 2], user: usize, ends: [End; 2] },
    /// Runs a flow on both people; the n-th visit of whoever drives may be the last.
    Many { at: At, flow: usize, end: End, insists: bool, crash: Option<u8> },
    /// Goes on with the last run on both; without a place both consoles do at once.
    GoOn { at: Option<At>, end: End, crash: Option<u8> },
    /// Has the last run on both wait, or stops it for good.
    Turn { at: At, to: BulkState },
    /// Undoes what was done last.
    Undo { at: At, end: End },
    /// Somebody else changes an account.
    Elsewhere { user: usize },
    /// The time goes on, and whatever is due is seen to.
    Later { at: At, seconds: i64, crash: Option<u8> },
    /// Everything that is open is looked at by hand.
    Check { at: At },
    /// Somebody says of everything that is open how it ended, rightly or wrongly.
    Say { at: At, said: Said },
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let at = || prop_oneof![Just(At::Here), Just(At::There)];
    let end = || {
        prop_oneof![
            3 => Just(End::Works),
            3 => Just(End::ReplyLost),
            2 => Just(End::Lost),
            1 => Just(End::Broke),
            1 => Just(End::Refused),
            1 => Just(End::Throttled),
            1 => Just(End::NotSent),
        ]
    };
    let crash = || proptest::option::weighted(0.5, 0u8..24);
    let op = prop_oneof![
        6 => (at(), 0usize..3, 0usize..2, end(), any::<bool>(), crash())
            .prop_map(|(at, flow, user, end, insists, crash)| Op::Run { at, flow, user, end, insists, crash }),
        2 => (at(), end(), crash()).prop_map(|(at, end, crash)| Op::Repeat { at, end, crash }),
        1 => (0usize..3, 0usize..2, end()).prop_map(|(flow, user, end)| Op::Both { flow, user, end }),
        3 => ([0usize..2, 0usize..2], 0usize..2, [end(), end()])
            .prop_map(|(flows, user, ends)| Op::Behind { flows, user, ends }),
        2 => (at(), 0usize..3, end(), any::<bool>(), crash())
            .prop_map(|(at, flow, end, insists, crash)| Op::Many { at, flow, end, insists, crash }),
        3 => (proptest::option::weighted(0.7, at()), end(), crash())
            .prop_map(|(at, end, crash)| Op::GoOn { at, end, crash }),
        1 => (at(), prop_oneof![2 => Just(BulkState::Paused), 1 => Just(BulkState::Stopped)])
            .prop_map(|(at, to)| Op::Turn { at, to }),
        1 => (at(), end()).prop_map(|(at, end)| Op::Undo { at, end }),
        1 => (0usize..2).prop_map(|user| Op::Elsewhere { user }),
        3 => (at(), 1i64..900, crash()).prop_map(|(at, seconds, crash)| Op::Later { at, seconds, crash }),
        2 => at().prop_map(|at| Op::Check { at }),
        1 => (at(), prop_oneof![Just(Said::Changed), Just(Said::NotChanged)])
            .prop_map(|(at, said)| Op::Say { at, said }),
    ];
    proptest::collection::vec(op, 1..14)
}

struct World {
    town: Arc<Town>,
    fuse: Arc<Fuse>,
    now: Arc<Mutex<Timestamp>>,
    desks: [Arc<Desk>; 2],
    /// The last card that was confirmed.
    last: Option<(Plan, Confirmed)>,
    /// From which moment of the town on an action may have had its effect.
    begun: BTreeMap<ActionId, usize>,
    /// How many sends there were by then.
    sent: BTreeMap<ActionId, usize>,
    /// The actions of which a change was claimed, each looked into when it was.
    claimed: BTreeSet<ActionId>,
    /// Actions of which the store said, before anybody looked again, that they were on their way: a crash may have
    /// come right before the first byte, and nobody could tell.
    on_their_way: BTreeSet<ActionId>,
    next: u128,
    /// The runs on both people.
    many: Vec<BulkId>,
    _folder: tempfile::TempDir,
}

#[derive(Debug)]
struct NoEvents;

impl crate::store::Decode for NoEvents {
    fn decode(&self, item: &crate::store::InboxItem) -> crate::store::Decoded {
        crate::store::Decoded::Event(Box::new(self.decode_begun(item)))
    }

    fn decode_begun(&self, item: &crate::store::InboxItem) -> DecodedEvent {
        DecodedEvent::new(EventKey::of_content("test", item.raw.as_bytes()), EventKind::Log)
    }
}

impl World {
    fn new() -> World {
        let folder = files::throw_away_folder("model-").unwrap();
        let path = folder.path().join("idtriage.db");
        let open = || SqliteStore::open(&path, Arc::new(NoEvents), OpenOptions::default()).unwrap();
        let fuse = Arc::new(Fuse::default());
        let now = Arc::new(Mutex::new(Timestamp::from_second(1_700_000_000).unwrap()));
        let town = Arc::new(Town {
            fuse: fuse.clone(),
            end: Mutex::new(End::Works),
            history: Mutex::default(),
            log: Log::default(),
            now: now.clone(),
            sends: Mutex::default(),
            effects: Mutex::default(),
            held: Mutex::default(),
            witness: open(),
            wrong: Mutex::default(),
        });
        let desk = |owner: &str| {
            let (clock, fuse) = (now.clone(), fuse.clone());
            Arc::new(Desk {
                store: open(),
                directory: town.clone(),
                org: None,
                log: Some(town.clone()),
                caller: town.clone(),
                flows: operation::flows().into(),
                guard: Guard::default(),
                mode: Mode::Acting,
                actor: Actor { user: owner.into(), ..Default::default() },
                zone: Zone::Utc,
                looked: Arc::default(),
                owner: owner.into(),
                clock: Arc::new(move || {
                    // Beside every call of the store.
                    fuse.visit();
                    *clock.lock().unwrap()
                }),
            })
        };
        let desks = [desk("here"), desk("there")];
        World {
            town,
            fuse,
            now,
            desks,
            last: None,
            begun: BTreeMap::new(),
            sent: BTreeMap::new(),
            claimed: BTreeSet::new(),
            on_their_way: BTreeSet::new(),
            next: 0,
            many: Vec::new(),
            _folder: folder,
        }
    }

    fn desk(&self, at: At) -> Arc<Desk> {
        self.desks[at as usize].clone()
    }

    /// Each life has a runner of its own.
    fn runner(&self, at: At) -> Runner {
        Runner::new(self.desk(at), Pace { renew_every: Duration::from_secs(3_600), ..pace() })
    }

    fn ask(&mut self, flow: usize, user: usize) -> Ask {
        self.next += 1 << 8;
        let flows = [Operation::Suspend.flow_id(), Operation::Unsuspend.flow_id(), CONTAIN.flow_id()];
        let login = Login::new(["ann@x", "bob@x"][user]);
        Ask { flow: flows[flow].clone(), login, ..ask(self.next) }
    }

    /// A card, and that it was confirmed; a crash while it was made leaves nothing.
    async fn confirmed(&mut self, at: At, ask: Ask, insists: bool) -> Option<(Plan, Confirmed)> {
        let plan = prepare(&self.desk(at), ask).await.ok()?;
        for part in plan.parts() {
            self.begun.insert(part.action, self.town.moments());
            self.sent.insert(part.action, self.town.sent());
        }
        let confirmed = if insists { insisting(&plan) } else { confirmed(&plan) };
        self.last = Some((plan.clone(), confirmed.clone()));
        Some((plan, confirmed))
    }

    async fn run(&self, at: At, (plan, confirmed): (Plan, Confirmed), crash: Option<u8>) {
        let runner = self.runner(at);
        self.fuse.set(crash);
        // Whatever came of it: a crash ends the task, and with it whoever waited.
        let ran =
            tokio::spawn(async move { runner.run(&plan, &confirmed, mpsc::unbounded_channel().0).await });
        let _ = ran.await;
        self.fuse.set(None);
    }

    async fn act(&mut self, op: Op) {
        let may_have_left = |action: &Action| action.evidence >= Evidence::Sent;
        self.on_their_way.extend(self.all().await.iter().filter(|it| may_have_left(it)).map(|it| it.id));
        match op {
            Op::Run { at, flow, user, end, insists, crash } => {
                *self.town.end.lock().unwrap() = end;
                let ask = self.ask(flow, user);
                if let Some(said) = self.confirmed(at, ask, insists).await {
                    self.run(at, said, crash).await;
                }
            }
            Op::Repeat { at, end, crash } => {
                *self.town.end.lock().unwrap() = end;
                if let Some(said) = self.last.clone() {
                    self.run(at, said, crash).await;
                }
            }
            Op::Both { flow, user, end } => {
                *self.town.end.lock().unwrap() = end;
                let (one, other) = (self.ask(flow, user), self.ask(flow, user));
                let (one, other) =
                    (self.confirmed(At::Here, one, true).await, self.confirmed(At::There, other, true).await);
                if let (Some(one), Some(other)) = (one, other) {
                    tokio::join!(self.run(At::Here, one, None), self.run(At::There, other, None));
                }
            }
            Op::Behind { flows: [flow, other], user, ends: [end, others] } => {
                *self.town.end.lock().unwrap() = end;
                let ask = self.ask(flow, user);
                let Some((plan, said)) = self.confirmed(At::Here, ask, true).await else { return };
                let held = Held::default();
                *self.town.held.lock().unwrap() = Some(held.clone());
                let runner = self.runner(At::Here);
                let mut ran =
                    tokio::spawn(async move { runner.run(&plan, &said, mpsc::unbounded_channel().0).await });
                let looks = tokio::select! {
                    () = held.begun.notified() => true,
                    _ = &mut ran => false,
                };
                *self.town.held.lock().unwrap() = None;
                if looks {
                    *self.town.end.lock().unwrap() = others;
                    let ask = self.ask(other, user);
                    if let Some(said) = self.confirmed(At::There, ask, true).await {
                        self.run(At::There, said, None).await;
                    }
                    held.may_end.notify_one();
                    ran.await.unwrap().unwrap();
                }
            }
            Op::Many { at, flow, end, insists, crash } => {
                *self.town.end.lock().unwrap() = end;
                self.run_many(at, flow, insists, crash).await;
            }
            Op::GoOn { at, end, crash } => {
                *self.town.end.lock().unwrap() = end;
                self.go_on(at, crash).await;
            }
            Op::Turn { at, to } => self.turn_many(at, to).await,
            Op::Undo { at, end } => {
                *self.town.end.lock().unwrap() = end;
                let desk = self.desk(at);
                let done = desk.store.actions(&ActionFilter::default(), None, 1).await.unwrap().rows.pop();
                let Some(Ok(undo)) = done.map(|done| undo::of(&done, &desk.flows)) else { return };
                let undo::Undo { flow, login, finding, inputs, undoes } = undo;
                let ask = Ask { flow, login, finding, inputs, undoes: Some(undoes), ..self.ask(0, 0) };
                if let Some(said) = self.confirmed(at, ask, true).await {
                    self.run(at, said, None).await;
                }
            }
            Op::Elsewhere { user } => {
                let id = ["00uann", "00ubob"][user];
                let other = if self.town.status(id) == "ACTIVE" { "SUSPENDED" } else { "ACTIVE" };
                self.town.turn(id, other, None);
            }
            Op::Later { at, seconds, crash } => {
                *self.now.lock().unwrap() += SignedDuration::from_secs(seconds);
                let (runner, desk) = (self.runner(at), self.desk(at));
                let now = *self.now.lock().unwrap();
                desk.store.expire_leases(now).await.unwrap();
                self.fuse.set(crash);
                let _ = tokio::spawn(async move { runner.look_where_due(9).await }).await;
                self.fuse.set(None);
            }
            Op::Check { at } => {
                let runner = self.runner(at);
                for action in self.all().await {
                    // What cannot be told is told.
                    let _ = runner.look_again(action.id).await;
                }
            }
            Op::Say { at, said } => self.say(at, said).await,
        }
    }

    /// Whatever anybody says, it is no evidence.
    async fn say(&self, at: At, said: Said) {
        let desk = self.desk(at);
        for action in self.all().await {
            let word =
                AnalystWord { said, actor: desk.actor.clone(), at: desk.now(), reason: "so I say".into() };
            match desk.store.give_word(action.id, &word, action.word()).await {
                Ok(kept) => {
                    assert_eq!((kept.outcome, kept.evidence), (action.outcome, action.evidence));
                    assert_eq!(kept.said(), Some(said));
                }
                Err(why) => assert!(!later::is_open(&action), "{why}: {action:?}"),
            }
        }
    }

    async fn all(&self) -> Vec<Action> {
        self.town.witness.actions(&ActionFilter::default(), None, 1_000).await.unwrap().rows
    }

    /// What holds whatever happened.
    async fn holds(&mut self) {
        assert_eq!(*self.town.wrong.lock().unwrap(), Vec::<String>::new());
        let sends = self.town.sends.lock().unwrap().clone();
        assert!(sends.values().all(|times| *times == 1), "two sends for one intent: {sends:?}");
        let records = self.town.witness.journal(0, 10_000).await.unwrap();
        let mut verifier = Verifier::new(self.town.witness.journal_head().await.unwrap());
        records.iter().for_each(|record| verifier.next(record).unwrap());
        verifier.finish().unwrap();
        for action in self.all().await {
            self.is_proven(&action);
            self.is_its_own(&action);
            let was_sent = sends.contains_key(&action.id.to_string());
            let may_say = !was_sent || action.evidence > Evidence::Intended;
            assert!(may_say, "it left, and the store says that it did not: {action:?}");
            let never_left = [Outcome::NotLegal, Outcome::NoChange].contains(&action.outcome);
            assert!(!never_left || was_sent, "{action:?}");
        }
        self.many_are_told_as_they_stand().await;
    }

    /// Never *changed* without a change to what it wanted that it made itself, behind its card, and without a read of
    /// it: what somebody elsewhere did proves nothing of it.
    fn is_proven(&self, action: &Action) {
        let is_claimed = action.outcome == Outcome::Changed || action.evidence == Evidence::Verified;
        let Some(wanted) = wanted(&action.flow) else {
            return assert!(!is_claimed, "nothing can prove it: {action:?}");
        };
        if !is_claimed {
            return;
        }
        let target = action.target_id.as_deref().unwrap();
        let history = self.town.history.lock().unwrap();
        let since = &history[self.begun[&action.id]..];
        let by_itself = (target.to_owned(), wanted, Some(action.id.to_string()));
        assert!(since.contains(&by_itself), "{action:?}\n{since:?}");
        let seen = action.receipt.as_ref().and_then(|receipt| receipt.verified.as_deref());
        assert!(seen.is_some_and(|seen| seen.contains(wanted)), "{action:?}");
        let has_left = self.town.sends.lock().unwrap().contains_key(&action.id.to_string());
        assert!(has_left || self.on_their_way.contains(&action.id), "it never left: {action:?}");
    }

    /// Never *changed* where, between its card and its proof, what somebody else sent may have done the same.
    fn is_its_own(&mut self, action: &Action) {
        if action.outcome != Outcome::Changed || !self.claimed.insert(action.id) {
            return;
        }
        let effects = self.town.effects.lock().unwrap();
        let is_rival = |(id, target, status): &&(ActionId, String, &str)| {
            *id != action.id
                && Some(target) == action.target_id.as_ref()
                && Some(*status) == wanted(&action.flow)
        };
        let rival = effects[self.sent[&action.id]..].iter().find(is_rival);
        assert!(rival.is_none(), "{rival:?} may have done it: {action:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_and_wherever_it_breaks_off_the_nevers_hold(ops in ops()) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            for op in ops {
                world.act(op).await;
                world.holds().await;
            }
            // In the end nobody is on their way any more, and every open end is named.
            let end = *world.now.lock().unwrap() + SignedDuration::from_hours(1);
            world.desks[0].store.expire_leases(end).await.unwrap();
            assert!(world.all().await.iter().all(|action| action.outcome != Outcome::Pending));
            world.holds().await;
        });
    }
}
