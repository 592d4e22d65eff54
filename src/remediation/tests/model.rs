//! The three nevers, over a real store that two consoles share: never two sends for one intent, never a send that is
//! not in the journal, never *changed* without a change. Random sequences of runs, repeated keys, undoings and later
//! looks, with calls that are lost before or behind their effect, and crashes wherever something is read, sent or timed.

use super::*;
use crate::domain::action::{Receipt, ShownRequest};
use crate::domain::dossier::{AddressUsers, LoadedPart, OktaUser, Part};
use crate::domain::journal::{RecordKind, Verifier};
use crate::domain::log::{LogQuery, beside};
use crate::domain::operation::{CONTAIN, Operation};
use crate::domain::plan::Order;
use crate::domain::undo;
use crate::store::sqlite::SqliteStore;
use crate::store::{ActionFilter, OpenOptions, files};
use crate::tenant::{Called, Clearance, LogCut, LogSearch};
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;

/// Blows at the n-th visit: whatever visited is gone, as in a crash. Nothing is printed.
#[derive(Debug, Default)]
struct Fuse(Mutex<Option<usize>>);

impl Fuse {
    fn set(&self, visits: Option<u8>) {
        *self.0.lock().unwrap() = visits.map(usize::from);
    }

    fn visit(&self) {
        let blows = {
            let mut left = self.0.lock().unwrap();
            let blows = *left == Some(0);
            *left = if blows { None } else { left.map(|left| left - 1) };
            blows
        };
        if blows {
            resume_unwind(Box::new("crash"));
        }
    }
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy)]
enum End {
    /// It works, and is answered.
    Works,
    /// It works, and its reply is lost.
    ReplyLost,
    /// It is lost before it works: a time-out tells nobody which of the two it was.
    Lost,
    /// The server broke.
    Broke,
    Refused,
    Throttled,
    NotSent,
}

/// Two people, what was done to them, and what was sent.
#[derive(Debug)]
struct Town {
    fuse: Arc<Fuse>,
    end: Mutex<End>,
    /// Who was in which status from which moment on, and by which action; by none where it was somebody elsewhere.
    history: Mutex<Vec<(String, &'static str, Option<String>)>>,
    /// What the System Log has of it.
    log: Log,
    now: Arc<Mutex<Timestamp>>,
    sends: Mutex<BTreeMap<String, usize>>,
    /// Which action may have turned whom into which status, in the order of the sends.
    effects: Mutex<Vec<(ActionId, String, &'static str)>>,
    /// Where set, the next read behind a call says that it has begun, and waits until it may end.
    held: Mutex<Option<Held>>,
    /// A handle of its own on the store's file.
    witness: Arc<SqliteStore>,
    wrong: Mutex<Vec<String>>,
}

/// A re-read that waits for what somebody else does.
#[derive(Debug, Clone, Default)]
struct Held {
    has_called: bool,
    begun: Arc<Notify>,
    may_end: Arc<Notify>,
}

fn wanted(flow: &FlowId) -> Option<&'static str> {
    match Operation::of_flow(flow) {
        Some(Operation::Suspend) => Some("SUSPENDED"),
        Some(Operation::Unsuspend) => Some("ACTIVE"),
        _ => None,
    }
}

impl Town {
    fn status(&self, id: &str) -> &'static str {
        let history = self.history.lock().unwrap();
        history.iter().rev().find(|(who, ..)| who == id).map_or("ACTIVE", |(_, status, _)| status)
    }

    fn turn(&self, id: &str, status: &'static str, by: Option<&str>) {
        if self.status(id) == status {
            return;
        }
        self.history.lock().unwrap().push((id.to_owned(), status, by.map(str::to_owned)));
        let agent = by.map_or("Mozilla/5.0".to_owned(), |by| format!("idtriage/1 {}", beside::signature(by)));
        let mut record = suspended(id, *self.now.lock().unwrap(), &agent);
        let did = if status == "ACTIVE" { "user.lifecycle.unsuspend" } else { "user.lifecycle.suspend" };
        let mut records = self.log.records.lock().unwrap();
        (record["eventType"], record["uuid"]) = (did.into(), records.len().to_string().into());
        records.push(record);
    }

    fn moments(&self) -> usize {
        self.history.lock().unwrap().len()
    }

    fn work(&self, order: &Order) {
        let id = order.target.as_deref().unwrap_or_default();
        if let Some(status) = wanted(&order.flow) {
            self.turn(id, status, Some(&order.action));
        }
    }

    /// What leaves now may do it, as far as anybody can tell.
    fn may_work(&self, order: &Order) {
        if let Some(status) = wanted(&order.flow) {
            let target = order.target.clone().unwrap_or_default();
            self.effects.lock().unwrap().push((order.action.parse().unwrap(), target, status));
        }
        if let Some(held) = &mut *self.held.lock().unwrap() {
            held.has_called = true;
        }
    }

    fn sent(&self) -> usize {
        self.effects.lock().unwrap().len()
    }

    async fn wait_where_held(&self) {
        let held = {
            let mut held = self.held.lock().unwrap();
            if held.as_ref().is_some_and(|held| held.has_called) { held.take() } else { None }
        };
        if let Some(held) = held {
            held.begun.notify_one();
            held.may_end.notified().await;
        }
    }

    /// What leaves stands in the journal already, and is on its way by the store too.
    async fn look_into_the_journal(&self, action: &str) {
        let id: ActionId = action.parse().unwrap();
        let kept = self.witness.action(id).await.unwrap();
        let is_on_its_way =
            |kept: &Action| (kept.outcome, kept.evidence) == (Outcome::Pending, Evidence::Sent);
        let records = self.witness.journal(0, 10_000).await.unwrap();
        let is_intent = |record: &crate::domain::journal::Record| {
            record.kind == RecordKind::Intended
                && record.content.as_ref().is_some_and(|text| text.contains(action))
        };
        if !kept.as_ref().is_some_and(is_on_its_way) || !records.iter().any(is_intent) {
            self.wrong.lock().unwrap().push(format!("{action} left without its intent: {kept:?}"));
        }
    }
}

fn id_of(key: &str) -> String {
    format!("00u{}", key.trim_start_matches("00u").split('@').next().unwrap())
}

#[async_trait]
impl Directory for Town {
    fn parts(&self) -> Vec<PartName> {
        vec![PartName::Okta]
    }

    async fn part(&self, _: PartName, _: &Login) -> LoadedPart {
        unreachable!("one of Okta alone is configured")
    }

    async fn users_of_address(&self, _: &str) -> AddressUsers {
        AddressUsers::default()
    }

    async fn okta_user(&self, key: &str) -> Part<OktaUser> {
        self.fuse.visit();
        self.wait_where_held().await;
        let id = id_of(key);
        let status = self.status(&id);
        let link = if status == "ACTIVE" { "suspend" } else { "unsuspend" };
        let login = format!("{}@x", id.trim_start_matches("00u"));
        let user = json!({"id": id, "status": status, "_links": {"self": {}, link: {}}, "profile": {"login": login}});
        Part::whole(Timestamp::UNIX_EPOCH, serde_json::from_value(user).unwrap())
    }
}

#[async_trait]
impl LogSearch for Town {
    async fn search(&self, query: &LogQuery) -> Result<LogCut, dossier::Problem> {
        self.fuse.visit();
        self.log.search(query).await
    }

    async fn search_on(&self, next: &str) -> Result<LogCut, dossier::Problem> {
        self.log.search_on(next).await
    }
}

#[async_trait]
impl FlowCaller for Town {
    fn shown(&self, order: &Order) -> Result<ShownRequest, String> {
        self.fuse.visit();
        Ok(ShownRequest {
            method: "POST".into(),
            url: format!("https://x/{}/{}", order.flow, order.target.as_deref().unwrap_or_default()),
            headers: vec![("x-idtriage-action".into(), order.action.clone())],
            body: order.body.clone(),
        })
    }

    async fn call(&self, order: &Order, _: &ShownRequest, clearance: &dyn Clearance) -> Called {
        self.fuse.visit();
        if let Err(why) = clearance.clear().await {
            return CallEnd::NotSent(why.into()).into();
        }
        self.look_into_the_journal(&order.action).await;
        let end = *self.end.lock().unwrap();
        if !matches!(end, End::NotSent | End::Throttled) {
            *self.sends.lock().unwrap().entry(order.action.clone()).or_default() += 1;
            if !matches!(end, End::Refused) {
                self.may_work(order);
            }
        }
        self.fuse.visit();
        if matches!(end, End::Works | End::ReplyLost) {
            self.work(order);
        }
        self.fuse.visit();
        let of_status = |status| Receipt { status: Some(status), ..Receipt::default() };
        match end {
            End::Works => CallEnd::Answered(of_status(200)),
            End::ReplyLost | End::Lost => CallEnd::Unknown("timed out".into()),
            End::Broke => CallEnd::Answered(of_status(500)),
            End::Refused => CallEnd::Answered(of_status(403)),
            End::Throttled => CallEnd::Throttled(of_status(429)),
            End::NotSent => CallEnd::NotSent("dns".into()),
        }
        .into()
    }
}

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
    /// Undoes what was done last.
    Undo { at: At, end: End },
    /// Somebody else changes an account.
    Elsewhere { user: usize },
    /// The time goes on, and whatever is due is seen to.
    Later { at: At, seconds: i64, crash: Option<u8> },
    /// Everything that is open is looked at by hand.
    Check { at: At },
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
        1 => (at(), end()).prop_map(|(at, end)| Op::Undo { at, end }),
        1 => (0usize..2).prop_map(|user| Op::Elsewhere { user }),
        3 => (at(), 1i64..900, crash()).prop_map(|(at, seconds, crash)| Op::Later { at, seconds, crash }),
        2 => at().prop_map(|at| Op::Check { at }),
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
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

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
