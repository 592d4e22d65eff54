//! Bulk runs over a real store: nobody is acted on twice, whatever stops, crashes or drives beside.

mod bodies;
mod closed;
mod edited;
mod groups;
mod held_back;
mod two;

use super::*;
use crate::config::meant::BulkLimit;
use crate::domain::action::{Receipt, ShownRequest, StepOf};
use crate::domain::bulk::{BulkId, BulkRun, BulkState, BulkUser, Seal};
use crate::domain::dossier::{LoadedPart, OktaUser, Part, Problem};
use crate::domain::event::DecodedEvent;
use crate::domain::plan::Order;
use crate::store::sqlite::SqliteStore;
use crate::store::{
    ActionFilter, Basis, BulkStore, Decode, Decoded, InboxItem, Lease, OpenOptions, Store, Users, files,
};
use crate::tenant::{Called, Clearance};
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::watch;

/// Reads issues of Okta ISPM as one posts them, and failed checks in few words.
#[derive(Debug)]
struct Reads;

impl Decode for Reads {
    fn decode(&self, item: &InboxItem) -> Decoded {
        Decoded::Event(Box::new(self.decode_begun(item)))
    }

    fn decode_begun(&self, item: &InboxItem) -> DecodedEvent {
        let raw: serde_json::Value = serde_json::from_str(&item.raw).unwrap_or_default();
        let text = |pointer: &str| raw.pointer(pointer).and_then(|text| text.as_str()).unwrap_or_default();
        let issue = text("/eventData/affectedEntity/additionalData/username");
        let (kind, check, login) = match issue {
            "" if raw.get("log").is_some() => (EventKind::Log, text("/log"), text("/users/0")),
            "" => (EventKind::FailedCheck, text("/check"), text("/users/0")),
            issue => (EventKind::Issue, text("/eventData/title"), issue),
        };
        let key = EventKey::of_content("test", item.raw.as_bytes());
        DecodedEvent {
            check: Check { id: check.into(), title: check.into() },
            severity: Severity::from_raw(text("/severity")),
            users: vec![Login::new(login)],
            ..DecodedEvent::new(key, kind)
        }
    }
}

/// Many people with an account each, who are suspended by a call.
#[derive(Debug, Default)]
struct Town {
    suspended: Mutex<BTreeSet<String>>,
    /// How often a call was made for an account.
    calls: Mutex<BTreeMap<String, usize>>,
    /// What was sent for an account last.
    bodies: Mutex<BTreeMap<String, String>>,
    /// How a call for an account ends, where not with 200.
    ends: Mutex<HashMap<String, CallEnd>>,
    /// Whose calls our own pace holds back, with why.
    held_back: Mutex<HashMap<String, String>>,
    /// Whether Cisco Identity Intelligence answers, where it is asked at all.
    cii: Mutex<Option<Cii>>,
    /// Those who cannot be read.
    unread: Mutex<BTreeSet<String>>,
    /// Those whom Okta knows no more.
    gone: Mutex<BTreeSet<String>>,
    on_their_way: AtomicUsize,
    most_on_their_way: AtomicUsize,
    /// The places that there are for calls to leave, where there are not enough for all.
    pace: Mutex<Option<Arc<tokio::sync::Semaphore>>>,
    /// Those behind this user are answered only as there are permits: nobody passes.
    in_front: Mutex<Option<(u32, Arc<tokio::sync::Semaphore>)>>,
    /// Called with each call's number, before it ends.
    at_call: Mutex<Option<AtCall>>,
    /// What happens once while the answer about an account is on its way.
    at_read: Mutex<Option<AtRead>>,
}

#[derive(Debug, Clone, Copy)]
enum Cii {
    Answers,
    Fails,
}

struct AtRead {
    account: String,
    act: BoxFuture<'static, ()>,
}

impl std::fmt::Debug for AtRead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AtRead")
    }
}

type Act = dyn Fn(usize, &str) + Send;

struct AtCall(Box<Act>);

impl std::fmt::Debug for AtCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AtCall")
    }
}

fn id_of(login: &str) -> String {
    format!("00u-{}", login.split('@').next().unwrap_or(login).trim_start_matches("00u-"))
}

fn position_of(id: &str) -> u32 {
    id.trim_start_matches("00u-user").parse().unwrap()
}

#[async_trait]
impl Directory for Town {
    fn parts(&self) -> Vec<PartName> {
        let cii = self.cii.lock().unwrap().map(|_| PartName::CiiDetails);
        [PartName::Okta].into_iter().chain(cii).collect()
    }

    async fn part(&self, part: PartName, login: &Login) -> LoadedPart {
        assert_eq!(part, PartName::CiiDetails);
        let details = json!({"endUserDetails": {"id": format!("c-{login}"), "login": login.raw()}});
        let details = match self.cii.lock().unwrap().unwrap() {
            Cii::Answers => Part::whole(Timestamp::UNIX_EPOCH, serde_json::from_value(details).unwrap()),
            Cii::Fails => Part::failed(Timestamp::UNIX_EPOCH, Problem::whole("503: not now")),
        };
        LoadedPart::CiiDetails(Box::new(details))
    }

    async fn users_of_address(&self, _: &str) -> dossier::AddressUsers {
        dossier::AddressUsers::default()
    }

    async fn okta_user(&self, key: &str) -> Part<OktaUser> {
        let id = id_of(key);
        if self.unread.lock().unwrap().contains(&id) {
            return Part::failed(Timestamp::UNIX_EPOCH, Problem::whole("401: the token is not valid"));
        }
        if self.gone.lock().unwrap().contains(&id) {
            let nobody = Problem { kind: Some("E0000007".into()), ..Problem::whole("not found") };
            return Part::failed(Timestamp::UNIX_EPOCH, nobody);
        }
        let is_suspended = self.suspended.lock().unwrap().contains(&id);
        let (status, link) = if is_suspended { ("SUSPENDED", "unsuspend") } else { ("ACTIVE", "suspend") };
        let login = format!("{}@x", id.trim_start_matches("00u-"));
        let user = json!({"id": id, "status": status, "_links": {"self": {}, link: {}}, "profile": {"login": login}});
        let at_read = self.at_read.lock().unwrap().take_if(|at_read| at_read.account == id);
        if let Some(at_read) = at_read {
            at_read.act.await;
        }
        Part::whole(Timestamp::UNIX_EPOCH, serde_json::from_value(user).unwrap())
    }
}

#[async_trait]
impl FlowCaller for Town {
    fn shown(&self, order: &Order) -> Result<ShownRequest, String> {
        let target = order.target.as_deref().unwrap_or_default();
        Ok(ShownRequest {
            method: "POST".into(),
            url: match &order.particulars.group {
                Some(group) => format!("https://x/groups/{}/users/{}", group.id, target),
                None => format!("https://x/{target}"),
            },
            headers: vec![("x-idtriage-action".into(), order.action.clone())],
            body: order.body.clone(),
        })
    }

    async fn call(&self, order: &Order, _: &ShownRequest, clearance: &dyn Clearance) -> Called {
        let pace = self.pace.lock().unwrap().clone();
        if let Some(pace) = pace {
            pace.acquire().await.unwrap().forget();
        }
        if let Err(why) = clearance.clear().await {
            return CallEnd::HeldBack(why).into();
        }
        let id = order.target.clone().unwrap_or_default();
        let held_back = self.held_back.lock().unwrap().get(&id).cloned();
        if let Some(why) = held_back {
            return CallEnd::HeldBack(why).into();
        }
        let now = self.on_their_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_on_their_way.fetch_max(now, Ordering::SeqCst);
        self.bodies.lock().unwrap().insert(id.clone(), order.body.clone());
        let number = {
            let mut calls = self.calls.lock().unwrap();
            *calls.entry(id.clone()).or_default() += 1;
            calls.values().sum()
        };
        if let Some(at_call) = &*self.at_call.lock().unwrap() {
            (at_call.0)(number, &id);
        }
        let in_front = self.in_front.lock().unwrap().clone();
        if let Some((_, permits)) = in_front.filter(|(first, _)| position_of(&id) > *first) {
            permits.acquire().await.unwrap().forget();
        }
        tokio::task::yield_now().await;
        let end = self.ends.lock().unwrap().get(&id).cloned().unwrap_or_else(|| {
            self.suspended.lock().unwrap().insert(id);
            CallEnd::Answered(Receipt { status: Some(200), ..Receipt::default() })
        });
        self.on_their_way.fetch_sub(1, Ordering::SeqCst);
        end.into()
    }
}

struct Block {
    town: Arc<Town>,
    store: Arc<SqliteStore>,
    desk: Arc<Desk>,
    wishes: watch::Sender<Wish>,
    _folder: tempfile::TempDir,
}

impl Block {
    fn new() -> Block {
        Block::with(Guard::default())
    }

    fn with(guard: Guard) -> Block {
        let folder = files::throw_away_folder("bulk-").unwrap();
        let path = folder.path().join("idtriage.db");
        let store = SqliteStore::open(&path, Arc::new(Reads), OpenOptions::default()).unwrap();
        let town = Arc::new(Town::default());
        let desk = Arc::new(Desk {
            store: store.clone(),
            directory: town.clone(),
            org: None,
            log: None,
            caller: town.clone(),
            flows: flows(),
            guard: Guard { bulk_limit: BulkLimit(1_000), ..guard },
            mode: Mode::Acting,
            actor: Actor { user: "ops".into(), host: "jump".into(), ..Default::default() },
            zone: Zone::Utc,
            looked: Arc::default(),
            owner: "jump:1:1".into(),
            clock: Arc::new(|| Timestamp::from_second(1_700_000_000).unwrap()),
        });
        Block { town, store, desk, wishes: watch::channel(Wish::GoOn).0, _folder: folder }
    }

    fn runner(&self) -> Runner {
        Runner::new(self.desk.clone(), pace())
    }

    /// The same place with a desk that differs.
    fn but(&self, change: impl FnOnce(&mut Desk)) -> Runner {
        let mut desk = Desk::clone(&self.desk);
        change(&mut desk);
        Runner::new(Arc::new(desk), pace())
    }

    /// A run of so many, not kept yet.
    fn run_of(&self, flow: FlowId, users: u32) -> (BulkRun, Vec<BulkUser>) {
        let id = BulkId(uuid::Uuid::from_u128(0x1234_5678_9abc_4def_8123_4567_89ab_cdef));
        let run = BulkRun {
            id,
            verb: "suspend".into(),
            risk: Risk::Medium,
            inputs: BTreeMap::new(),
            reason: Some("case 7".into()),
            is_insisted: false,
            actor: self.desk.actor.clone(),
            at: self.desk.now(),
            state: BulkState::Running,
            why: None,
            held_until: None,
            seal: None,
            counts: Default::default(),
            flow,
        };
        let user = |position| BulkUser {
            position,
            login: Login::new(&format!("user{position}@x")),
            target_id: Some(format!("00u-user{position}")),
            account_login: None,
            finding: None,
            made_of: Default::default(),
            doubts: Vec::new(),
            undoes: None,
            end: None,
        };
        (run, (0..users).map(user).collect())
    }

    /// As many users as that, queued.
    async fn queued(&self, users: u32) -> BulkId {
        self.queued_for(operation::Operation::Suspend.flow_id(), users).await
    }

    async fn queued_for(&self, flow: FlowId, users: u32) -> BulkId {
        let (run, users) = self.run_of(flow, users);
        let id = run.id;
        self.queue(run, &users).await;
        id
    }

    /// As it was confirmed.
    async fn queue(&self, run: BulkRun, users: &[BulkUser]) {
        let flow = self.desk.flow(&run.flow).unwrap();
        let seal = crate::remediation::bulk::seal(&self.desk, flow, &run, users);
        self.store.queue(&BulkRun { seal: Some(seal), ..run }, users).await.unwrap();
    }

    async fn drive(&self, id: BulkId) -> Result<BulkRun, BulkError> {
        self.runner().drive(id, self.wishes.subscribe(), mpsc::unbounded_channel().0).await
    }

    /// What an earlier drive left: an intent, and its receipt where there is one.
    async fn leave(&self, id: ActionId, flow: FlowId, user: u32, receipt: Option<u16>) {
        self.leave_step((id, None), flow, user, receipt).await;
    }

    /// The same of a step of a run of several.
    async fn leave_step(
        &self,
        (id, step): (ActionId, Option<StepOf>),
        flow: FlowId,
        user: u32,
        receipt: Option<u16>,
    ) {
        self.intend((id, step), flow, user).await;
        self.store.sending(id, &self.gone()).await.unwrap();
        if let Some(status) = receipt {
            let end = CallEnd::Answered(Receipt { status: Some(status), ..Receipt::default() });
            let settlement = evidence::judge(end, &flows()[0], self.desk.now());
            self.store.settle(id, &settlement, self.desk.now()).await.unwrap();
        }
    }

    /// The lease of somebody who is gone.
    fn gone(&self) -> Lease {
        Lease { owner: "jump:9:9".into(), until: self.desk.now() - SignedDuration::from_secs(1) }
    }

    /// Somebody begins with a user, and is gone before it is their turn.
    async fn intend(&self, (id, step): (ActionId, Option<StepOf>), flow: FlowId, user: u32) {
        let action = Action {
            id,
            flow,
            verb: "suspend".into(),
            risk: Risk::Medium,
            login: Login::new(&format!("user{user}@x")),
            target_id: Some(format!("00u-user{user}")),
            account_login: None,
            finding: None,
            step,
            is_test: false,
            undoes: None,
            undone: None,
            before: None,
            evidence: Evidence::Intended,
            outcome: Outcome::Pending,
            request: ShownRequest {
                method: "POST".into(),
                url: "https://x".into(),
                headers: Vec::new(),
                body: String::new(),
            },
            receipt: None,
            reason: None,
            actor: self.desk.actor.clone(),
            at: self.desk.now(),
        };
        let lease = self.gone();
        let basis = Basis { same: Vec::new(), seen: Vec::new(), again: Again::No };
        self.store.intend(&action, &lease, &basis).await.unwrap();
    }

    async fn go_on(&self, id: BulkId) -> Result<BulkRun, BulkError> {
        self.wishes.send_replace(Wish::GoOn);
        assert!(
            self.store.turn(id, BulkState::Running, None, &self.desk.actor, self.desk.now()).await.unwrap()
        );
        self.drive(id).await
    }

    async fn users(&self, id: BulkId) -> Vec<BulkUser> {
        self.store.bulk_users(id, Users::All, 0, 10_000).await.unwrap()
    }

    /// At the call of this number.
    fn at_call(&self, number: usize, act: impl Fn() + Send + 'static) {
        let act = move |call, _: &str| {
            if call == number {
                act();
            }
        };
        *self.town.at_call.lock().unwrap() = Some(AtCall(Box::new(act)));
    }

    fn wishes_at_call(&self, number: usize, wish: Wish) {
        let wishes = self.wishes.clone();
        self.at_call(number, move || {
            wishes.send_replace(wish);
        });
    }

    /// From the next call on every account is refused, but the one of that call.
    fn only_the_next_goes_well(&self, all: u32) {
        let town = self.town.clone();
        let next = town.calls.lock().unwrap().values().sum::<usize>() + 1;
        let act = move |call, account: &str| {
            if call == next {
                let refused = CallEnd::Answered(Receipt { status: Some(401), ..Receipt::default() });
                let mut ends = town.ends.lock().unwrap();
                ends.extend(accounts(0..all).map(|account| (account, refused.clone())));
                ends.remove(account);
            }
        };
        *self.town.at_call.lock().unwrap() = Some(AtCall(Box::new(act)));
    }

    fn nobody_twice(&self) {
        let calls = self.town.calls.lock().unwrap();
        assert!(calls.values().all(|count| *count == 1), "{calls:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_acted_on_once_with_a_record_each() {
    let block = Block::new();
    let id = block.queued(120).await;
    let (told, mut ends) = mpsc::unbounded_channel();
    let run = block.runner().drive(id, block.wishes.subscribe(), told).await.unwrap();
    assert_eq!((run.state, run.counts.words()), (BulkState::Done, "120 changed".to_owned()));
    assert_eq!(block.town.calls.lock().unwrap().len(), 120);
    block.nobody_twice();
    assert!(block.town.most_on_their_way.load(Ordering::SeqCst) <= 16);
    let mut seen = BTreeSet::new();
    while let Ok(end) = ends.try_recv() {
        assert!(seen.insert(end.user.position) && end.run.is_some());
    }
    assert_eq!(seen.len(), 120);
    let user = &block.users(id).await[7];
    let action = block.store.action(id.action(7)).await.unwrap().unwrap();
    assert_eq!((user.end.as_ref().unwrap().action, action.evidence), (Some(action.id), Evidence::Verified));
    assert_eq!(action.reason.as_deref(), Some("case 7"));
    assert!(matches!(block.drive(id).await, Err(BulkError::Not(_, BulkState::Done))));
}

#[rstest]
#[case(Wish::Pause, BulkState::Paused)]
#[case(Wish::Stop, BulkState::Stopped)]
#[tokio::test(flavor = "multi_thread")]
async fn who_is_on_their_way_lands_and_nobody_more_is_begun(#[case] wish: Wish, #[case] state: BulkState) {
    let block = Block::new();
    let id = block.queued(300).await;
    block.wishes_at_call(20, wish);
    let run = block.drive(id).await.unwrap();
    assert_eq!(run.state, state);
    let begun = run.counts.done();
    assert!((20..=37).contains(&begun), "{}", run.counts.words());
    assert_eq!(run.counts.of(Outcome::Changed), begun);
    assert!(matches!(block.drive(id).await, Err(BulkError::Not(..))), "nobody drives it by mistake");
    if state == BulkState::Paused {
        let run = block.go_on(id).await.unwrap();
        assert_eq!((run.state, run.counts.words()), (BulkState::Done, "300 changed".to_owned()));
    } else {
        let is_back = block.store.turn(id, BulkState::Running, None, &block.desk.actor, block.desk.now());
        assert!(!is_back.await.unwrap(), "what is stopped stays so");
    }
    block.nobody_twice();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_end_of_a_kind_that_nobody_saw_holds_the_run() {
    let block = Block::new();
    let id = block.queued(200).await;
    let answered = |status| CallEnd::Answered(Receipt { status: Some(status), ..Receipt::default() });
    for (user, end) in [(30, answered(403)), (90, answered(403)), (150, answered(500))] {
        block.town.ends.lock().unwrap().insert(format!("00u-user{user}"), end);
    }
    // The machine decides how long an answer takes to be heard, and so how many would pass.
    let permits = Arc::new(tokio::sync::Semaphore::new(0));
    *block.town.in_front.lock().unwrap() = Some((30, permits.clone()));
    let (told, mut ends) = mpsc::unbounded_channel();
    let (runner, wishes) = (block.runner(), block.wishes.subscribe());
    let driven = tokio::spawn(async move { runner.drive(id, wishes, told).await });
    while let Some(told) = ends.recv().await {
        if told.user.position == 30 {
            permits.add_permits(1_000);
        }
    }
    let run = driven.await.unwrap().unwrap();
    *block.town.in_front.lock().unwrap() = None;
    assert_eq!(run.state, BulkState::Paused);
    let why = run.why.unwrap();
    assert!(why.starts_with("`user30@x` is refused (answered 403)"), "{why}");
    assert!((25..=47).contains(&run.counts.done()), "{}", run.counts.words());
    // Who goes on has seen that kind; another one holds it again.
    let run = block.go_on(id).await.unwrap();
    assert_eq!(run.state, BulkState::Paused);
    assert!(run.why.unwrap().starts_with("`user150@x` is unknown"));
    let run = block.go_on(id).await.unwrap();
    assert_eq!(
        (run.state, run.counts.words()),
        (BulkState::Done, "1 unknown, 2 refused, 197 changed".to_owned())
    );
    block.nobody_twice();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exception_of_one_user_holds_nobody_else_up() {
    let block = Block::with(Guard { protected: vec!["user3@x".to_owned()], ..Guard::default() });
    let id = block.queued(6).await;
    block.town.suspended.lock().unwrap().insert("00u-user1".to_owned());
    let run = block.drive(id).await.unwrap();
    assert_eq!(
        (run.state, run.counts.words()),
        (BulkState::Done, "1 refused, 4 changed, 1 no-change".to_owned())
    );
    let exceptions = block.store.bulk_users(id, Users::Exceptions, 0, 10).await.unwrap();
    let why = |user: &BulkUser| user.end.as_ref().unwrap().why.clone().unwrap();
    assert_eq!(exceptions.len(), 1);
    assert!(why(&exceptions[0]).contains("protected"), "{}", why(&exceptions[0]));
    assert!(!block.town.calls.lock().unwrap().contains_key("00u-user3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_leads_elsewhere_by_now_is_left_out() {
    let block = Block::new();
    let id = block.queued(1).await;
    let shown = BulkUser { target_id: Some("00u-somebody".into()), ..block.users(id).await[0].clone() };
    let other = BulkId(uuid::Uuid::from_u128(0xfeed_0000_0000_4000_8000_0000_0000_0000));
    let run = BulkRun { id: other, ..block.store.bulk(id).await.unwrap().unwrap() };
    block.queue(run, &[shown]).await;
    let run = block.drive(other).await.unwrap();
    assert_eq!(run.counts.words(), "1 refused");
    let end = block.users(other).await[0].end.clone().unwrap();
    assert!(end.why.unwrap().contains("another account by now"));
    assert!(block.town.calls.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_for_everybody_is_told_once_and_the_rest_waits() {
    let block = Block::new();
    let id = block.queued(100).await;
    block.town.unread.lock().unwrap().extend((0..100).map(|n| format!("00u-user{n}")));
    let run = block.drive(id).await.unwrap();
    assert_eq!((run.state, run.counts.words()), (BulkState::Paused, "100 queued".to_owned()));
    assert!(run.why.unwrap().contains("the token is not valid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_drives_no_run_that_is_driven() {
    let block = Block::new();
    let id = block.queued(50).await;
    let held = Arc::new(Notify::new());
    let (begun, desk) = (held.clone(), block.desk.clone());
    block.at_call(5, move || begun.notify_one());
    let other = tokio::spawn(async move {
        tokio::time::timeout(Duration::from_secs(30), held.notified()).await.unwrap();
        let beside = Desk { owner: "jump:2:2".into(), ..Desk::clone(&desk) };
        let wishes = watch::channel(Wish::GoOn);
        Runner::new(Arc::new(beside), pace()).drive(id, wishes.1, mpsc::unbounded_channel().0).await
    });
    let run = block.drive(id).await.unwrap();
    assert_eq!(run.counts.words(), "50 changed");
    let refused = other.await.unwrap().unwrap_err();
    // It came while the other drove, or right after.
    assert!(matches!(refused, BulkError::Others(..) | BulkError::Not(..)), "{refused}");
    block.nobody_twice();
}

/// Nothing left: it is known, so that they are acted on as if nobody had begun with them.
#[tokio::test(flavor = "multi_thread")]
async fn who_waited_for_their_turn_in_an_earlier_drive_is_acted_on() {
    let block = Block::new();
    let id = block.queued(3).await;
    block.intend((id.action(1), None), suspend(), 1).await;
    block.store.expire_leases(block.desk.now()).await.unwrap();
    let left = block.store.action(id.action(1)).await.unwrap().unwrap();
    assert_eq!((left.outcome, left.is_withheld()), (Outcome::NotSent, true));
    assert_eq!(block.store.bulk(id).await.unwrap().unwrap().counts.words(), "3 queued");
    assert_eq!(block.drive(id).await.unwrap().counts.words(), "3 changed");
    block.nobody_twice();
}

#[rstest]
#[case::with_a_receipt(Some(200), Outcome::Accepted)]
#[case::without_one(None, Outcome::Unknown)]
#[tokio::test(flavor = "multi_thread")]
async fn whom_an_earlier_drive_began_with_is_told_as_they_stand_and_not_sent_again(
    #[case] receipt: Option<u16>,
    #[case] expected: Outcome,
) {
    let block = Block::new();
    let id = block.queued(3).await;
    block.leave(id.action(1), operation::Operation::Suspend.flow_id(), 1, receipt).await;
    block.drive(id).await.unwrap();
    let end = block.users(id).await[1].end.clone().unwrap();
    assert_eq!((end.outcome, end.action), (expected, Some(id.action(1))));
    assert!(!block.town.calls.lock().unwrap().contains_key("00u-user1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_two_that_was_cut_between_them_is_neither_repeated_nor_called_done() {
    let block = Block::new();
    let id = block.queued_for(operation::CONTAIN.flow_id(), 1).await;
    let suspend = operation::Operation::Suspend.flow_id();
    let step = StepOf { run: id.action(0), number: 1, of: 2 };
    block.leave_step((id.action(0).step(1), Some(step)), suspend, 0, Some(200)).await;
    let run = block.drive(id).await.unwrap();
    assert_eq!(run.counts.words(), "1 unknown");
    let end = block.users(id).await[0].end.clone().unwrap();
    assert!(end.why.as_deref().unwrap().contains("1 of 2 steps were sent"), "{end:?}");
    assert!(block.town.calls.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_drive_at_once_for_a_moment_act_on_nobody_twice_and_tell_one_truth() {
    let block = Block::new();
    let id = block.queued(60).await;
    let held = Arc::new(Notify::new());
    let begun = held.clone();
    block.at_call(3, move || begun.notify_one());
    let (desk, store) = (block.desk.clone(), block.store.clone());
    let other = tokio::spawn(async move {
        tokio::time::timeout(Duration::from_secs(30), held.notified()).await.unwrap();
        // Paused and resumed elsewhere: until the first looks at its lease again, there are two.
        store.turn(id, BulkState::Paused, None, &desk.actor, desk.now()).await.unwrap();
        store.turn(id, BulkState::Running, None, &desk.actor, desk.now()).await.unwrap();
        let beside = Desk { owner: "jump:2:2".into(), ..Desk::clone(&desk) };
        let wishes = watch::channel(Wish::GoOn);
        Runner::new(Arc::new(beside), pace()).drive(id, wishes.1, mpsc::unbounded_channel().0).await
    });
    let first = block.drive(id).await;
    let second = other.await.unwrap();
    assert!(first.is_ok() || second.is_ok(), "{first:?} {second:?}");
    // Whoever was cut off by the other left the rest.
    for _ in 0..3 {
        match block.store.bulk(id).await.unwrap().unwrap().state {
            BulkState::Done => break,
            BulkState::Running => drop(block.drive(id).await),
            _ => drop(block.go_on(id).await),
        }
    }
    block.nobody_twice();
    let run = block.store.bulk(id).await.unwrap().unwrap();
    assert_eq!(
        (run.counts.queued, block.town.calls.lock().unwrap().len()),
        (0, 60),
        "{}",
        run.counts.words()
    );
    assert_eq!(run.counts.of(Outcome::Refused), 0, "{}", run.counts.words());
}

fn suspend() -> FlowId {
    operation::Operation::Suspend.flow_id()
}

/// Everybody of this kind, from the first to before the last.
fn accounts(users: std::ops::Range<u32>) -> impl Iterator<Item = String> {
    users.map(|user| format!("00u-user{user}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_be_everybodys_fault_waits_and_is_taken_for_their_own_after_a_resume() {
    let block = Block::new();
    let id = block.queued(40).await;
    block.town.unread.lock().unwrap().extend(accounts(3..4));
    let run = block.drive(id).await.unwrap();
    assert_eq!(
        (run.state, run.counts.of(Outcome::Refused)),
        (BulkState::Paused, 0),
        "{}",
        run.counts.words()
    );
    assert!(run.why.unwrap().starts_with("`user3@x`: "));
    assert_eq!(block.users(id).await[3].end, None);
    let run = block.go_on(id).await.unwrap();
    let (state, words) = (run.state, run.counts.words());
    assert_eq!((state, words), (BulkState::Done, "1 refused, 39 changed".to_owned()));
    block.nobody_twice();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_more_than_five_times_in_a_row_is_nobodys_own_and_ends_nobody() {
    let block = Block::new();
    let id = block.queued(60).await;
    block.town.unread.lock().unwrap().extend(accounts(0..60));
    block.drive(id).await.unwrap();
    for _ in 0..2 {
        let run = block.go_on(id).await.unwrap();
        let why = run.why.unwrap();
        assert_eq!((run.state, run.counts.words()), (BulkState::Paused, "60 queued".to_owned()), "{why}");
        assert!(why.starts_with("more than 5 in a row, the last: `user"), "{why}");
    }
    block.town.unread.lock().unwrap().clear();
    let run = block.go_on(id).await.unwrap();
    assert_eq!((run.state, run.counts.words()), (BulkState::Done, "60 changed".to_owned()));
    block.nobody_twice();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_seen_pauses_again_where_it_comes_in_a_row() {
    let block = Block::new();
    let id = block.queued(200).await;
    let refused = || CallEnd::Answered(Receipt { status: Some(401), ..Receipt::default() });
    block.town.ends.lock().unwrap().extend(accounts(0..200).map(|id| (id, refused())));
    assert_eq!(block.drive(id).await.unwrap().state, BulkState::Paused);
    assert_eq!(block.town.calls.lock().unwrap().len(), 1, "nobody goes beside the first");
    // Taken up again, it ends as before: again for one alone.
    for refused in 2..4 {
        let run = block.go_on(id).await.unwrap();
        let (why, words) = (run.why.unwrap(), format!("{refused} refused, {} queued", 200 - refused));
        assert_eq!((run.state, run.counts.words()), (BulkState::Paused, words));
        assert!(why.ends_with("is refused (answered 401)"), "{why}");
    }
    // Once one went well, it takes more than five in a row.
    block.only_the_next_goes_well(200);
    let run = block.go_on(id).await.unwrap();
    let why = run.why.unwrap();
    assert!(run.state == BulkState::Paused && why.starts_with("more than 5 in a row"), "{why}");
    let more = run.counts.done() - 3;
    assert!((7..=23).contains(&more), "{more} more were sent to");
    block.nobody_twice();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_is_off_ends_nobody() {
    let mut guard = Guard::default();
    guard.okta.disable = false;
    let block = Block::with(guard);
    let id = block.queued_for(operation::Operation::Deactivate.flow_id(), 30).await;
    let run = block.drive(id).await.unwrap();
    assert_eq!((run.state, run.counts.words()), (BulkState::Paused, "30 queued".to_owned()));
    assert!(run.why.unwrap().contains("`[okta.allow] disable` is false"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_fits_no_more_is_their_own_exception() {
    let block = Block::new();
    let id = block.queued(8).await;
    block.town.gone.lock().unwrap().extend(accounts(2..3));
    let run = block.drive(id).await.unwrap();
    assert_eq!((run.state, run.counts.words()), (BulkState::Done, "1 refused, 7 changed".to_owned()));
    let end = block.users(id).await[2].end.clone().unwrap();
    assert!(end.why.as_ref().unwrap().contains("E0000007"), "{end:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_by_another_process_is_heard_between_two_renewals() {
    let block = Block::new();
    let id = block.queued(1_000).await;
    let held = Arc::new(Notify::new());
    let begun = held.clone();
    block.at_call(5, move || begun.notify_one());
    let (store, desk) = (block.store.clone(), block.desk.clone());
    let other = tokio::spawn(async move {
        tokio::time::timeout(Duration::from_secs(30), held.notified()).await.unwrap();
        store.turn(id, BulkState::Paused, Some("lunch"), &desk.actor, desk.now()).await.unwrap()
    });
    let seldom = Pace { renew_every: Duration::from_secs(3_600), ..pace() };
    let runner = Runner::new(block.desk.clone(), seldom);
    let run = runner.drive(id, block.wishes.subscribe(), mpsc::unbounded_channel().0).await.unwrap();
    assert!(other.await.unwrap());
    assert_eq!((run.state, run.why.as_deref()), (BulkState::Paused, Some("lunch")));
    assert!(run.counts.queued > 100, "{}", run.counts.words());
    assert_eq!(run.counts.pending(), 0, "who was on their way is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn insisting_covers_what_was_shown_and_nothing_that_came_since() {
    let block = Block::new();
    let (shown, since) = (ActionId(uuid::Uuid::from_u128(1)), ActionId(uuid::Uuid::from_u128(2)));
    block.leave(shown, suspend(), 0, None).await;
    block.leave(since, suspend(), 1, None).await;
    block.store.expire_leases(block.desk.now()).await.unwrap();
    let (run, mut users) = block.run_of(suspend(), 3);
    users[0].doubts = vec![format!("action {shown}")];
    let id = run.id;
    block.queue(BulkRun { is_insisted: true, ..run }, &users).await;
    let run = block.drive(id).await.unwrap();
    // Whether what was insisted on did it, or the one before it, nobody can tell.
    assert_eq!(run.counts.words(), "1 refused, 1 accepted, 1 changed");
    let why = block.users(id).await[1].end.clone().unwrap().why.unwrap();
    assert!(why.contains(&since.to_string()) && why.contains("unknown outcome"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_planned_is_queued_with_its_doubts_and_with_who_is_left_out() {
    let block = Block::with(Guard { protected: vec!["user0@x".to_owned()], ..Guard::default() });
    let earlier = ActionId(uuid::Uuid::from_u128(1));
    block.leave(earlier, suspend(), 2, None).await;
    block.store.expire_leases(block.desk.now()).await.unwrap();
    block.town.suspended.lock().unwrap().insert("00u-user3".to_owned());
    let mut plans = Vec::new();
    // The last is the second name of an account.
    for login in ["user0@x", "user1@x", "user2@x", "user3@x", "00u-user1"] {
        let ask = Ask { login: Login::new(login), finding: None, flow: suspend(), ..ask(7) };
        plans.push(prepare_to(&block.desk, ask, Depth::Roles).await.unwrap());
    }
    let id = BulkId(uuid::Uuid::from_u128(9 << 64));
    let said =
        |again| crate::remediation::bulk::ConfirmedBulk { inputs: BTreeMap::new(), reason: None, again };
    let whose = |users: &[BulkUser]| {
        let of = |user: &BulkUser| (user.login.raw().to_owned(), user.end.as_ref().map(|end| end.outcome));
        users.iter().map(of).collect::<Vec<_>>()
    };
    let (run, users) =
        crate::remediation::bulk::queued(&block.desk, id, &plans, said(Again::Insist)).unwrap();
    let refused = |login: &str| (login.to_owned(), Some(Outcome::Refused));
    assert_eq!(
        whose(&users),
        [
            ("user1@x".to_owned(), None),
            ("user2@x".to_owned(), None),
            refused("user0@x"),
            ("user3@x".to_owned(), Some(Outcome::NoChange)),
            refused("00u-user1"),
        ]
    );
    assert_eq!(users[1].doubts, [format!("action {earlier}")]);
    assert!(users[4].end.as_ref().unwrap().why.as_ref().unwrap().contains("the same account as `user1@x`"));
    block.store.queue(&run, &users).await.unwrap();
    assert_eq!(block.store.bulk(id).await.unwrap(), Some(run));
    let run = block.drive(id).await.unwrap();
    let told = (run.state, run.counts.words());
    assert_eq!(told, (BulkState::Done, "2 refused, 1 accepted, 1 changed, 1 no-change".to_owned()));
    // Who does not insist has one less.
    let (_, users) = crate::remediation::bulk::queued(&block.desk, id, &plans, said(Again::No)).unwrap();
    assert_eq!(users.iter().filter(|user| user.end.is_none()).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raised_risk_is_what_the_journal_has() {
    let block = Block::new();
    let (run, users) = block.run_of(suspend(), 1);
    let id = run.id;
    block.queue(BulkRun { risk: Risk::High, ..run }, &users).await;
    block.drive(id).await.unwrap();
    assert_eq!(block.store.action(id.action(0)).await.unwrap().unwrap().risk, Risk::High);
}

/// Of whom nobody may see roles stays as they were when they were planned.
#[rstest]
#[case::raised(operation::Operation::Suspend.flow_id(), Risk::Medium, Some("changed"))]
#[case::in_two_steps(operation::CONTAIN.flow_id(), Risk::Medium, Some("accepted"))]
#[case::confirmed_at_the_top(operation::Operation::Suspend.flow_id(), Risk::High, None)]
#[tokio::test(flavor = "multi_thread")]
async fn who_became_an_administrator_after_the_confirmation_is_left_out(
    #[case] flow: FlowId,
    #[case] risk: Risk,
    #[case] others: Option<&str>,
) {
    let block = Block::new();
    let org = Arc::new(Org::default());
    org.roles.lock().unwrap().insert("00u-user1", roles("none").unwrap());
    org.roles.lock().unwrap().insert("00u-user2", roles("active").unwrap());
    let (run, users) = block.run_of(flow, 4);
    let id = run.id;
    block.queue(BulkRun { risk, ..run }, &users).await;
    let runner = block.but(|desk| desk.org = Some(org));
    let run = runner.drive(id, block.wishes.subscribe(), mpsc::unbounded_channel().0).await.unwrap();
    assert_eq!(run.state, BulkState::Done, "{:?}", run.why);
    let end = block.users(id).await[2].end.clone().unwrap();
    let was_called = block.town.calls.lock().unwrap().contains_key("00u-user2");
    let Some(others) = others else {
        assert_eq!((run.counts.words(), was_called), ("4 changed".to_owned(), true));
        return;
    };
    assert_eq!((run.counts.words(), was_called), (format!("1 refused, 3 {others}"), false));
    let why = end.why.unwrap();
    assert!(why.starts_with("became an administrator (Super Administrator) after the confirmation"), "{why}");
    assert_eq!(end.action, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_only_as_it_was_confirmed() {
    let block = Block::new();
    let id = block.queued(3).await;
    let why = async |runner: Runner| match runner.drivable(id).await {
        Ok(()) => String::new(),
        Err(BulkError::NotAsConfirmed(_, why)) => why,
        Err(other) => panic!("{other}"),
    };
    assert_eq!(why(block.runner()).await, "");
    let lowered = block.but(|desk| desk.guard.bulk_limit = BulkLimit(2));
    assert!(why(lowered).await.contains("3 users are more than the 2"));
    let raised = block.but(|desk| desk.guard.bulk_limit = BulkLimit(5_000));
    assert_eq!(why(raised).await, "", "more than was allowed stands in nobody's way");
    let changed = |change: fn(&mut Flow)| {
        block.but(|desk| {
            let mut flows = desk.flows.to_vec();
            flows.iter_mut().filter(|flow| flow.id == suspend()).for_each(change);
            desk.flows = flows.into();
        })
    };
    assert!(why(changed(|flow| flow.tenant = "another".into())).await.contains("is configured otherwise"));
    assert_eq!(why(changed(|flow| flow.name = "Suspend them".into())).await, "", "it does the same");
    let driven = changed(|flow| flow.risk = Risk::Low);
    let refused = driven.drive(id, block.wishes.subscribe(), mpsc::unbounded_channel().0).await.unwrap_err();
    assert!(refused.to_string().contains("plan those who are left anew"), "{refused}");
    assert!(block.town.calls.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_other_people_than_were_confirmed_is_not_driven() {
    let block = Block::new();
    let (run, users) = block.run_of(suspend(), 2);
    let seal =
        crate::remediation::bulk::seal(&block.desk, block.desk.flow(&suspend()).unwrap(), &run, &users);
    let mut others = users.clone();
    others[1].login = Login::new("user7@x");
    let queue = async |n: u128, seal: Option<Seal>, users: &[BulkUser]| {
        let id = BulkId(uuid::Uuid::from_u128(n << 64));
        block.store.queue(&BulkRun { id, seal, ..run.clone() }, users).await.unwrap();
        block.runner().drivable(id).await.map_err(|error| error.to_string())
    };
    assert_eq!(queue(1, Some(seal.clone()), &users).await, Ok(()));
    let other = queue(2, Some(seal.clone()), &others).await.unwrap_err();
    assert!(other.contains("its users are not those"), "{other}");
    let more = block.run_of(suspend(), 3).1;
    assert!(queue(3, Some(seal), &more).await.is_err(), "one more than was confirmed waits");
    assert!(queue(4, None, &users).await.unwrap_err().contains("was not kept with it"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_two_whose_first_step_needed_no_send_is_whole() {
    let block = Block::new();
    let id = block.queued_for(operation::CONTAIN.flow_id(), 1).await;
    let step = StepOf { run: id.action(0), number: 2, of: 2 };
    let clear = operation::Operation::ClearSessions.flow_id();
    block.leave_step((id.action(0).step(2), Some(step)), clear, 0, Some(200)).await;
    let run = block.drive(id).await.unwrap();
    assert_eq!((run.state, run.counts.words()), (BulkState::Done, "1 accepted".to_owned()));
    assert!(block.town.calls.lock().unwrap().is_empty());
}

#[rstest]
#[case::landed(Some(200), "1 accepted, 2 queued")]
#[case::on_its_way(None, "1 pending, 2 queued")]
#[tokio::test(flavor = "multi_thread")]
async fn who_was_acted_on_right_before_a_crash_is_told_as_they_stand(
    #[case] receipt: Option<u16>,
    #[case] expected: &str,
) {
    let block = Block::new();
    let id = block.queued(3).await;
    block.leave(id.action(1), suspend(), 1, receipt).await;
    assert_eq!(block.store.bulk(id).await.unwrap().unwrap().counts.words(), expected);
    // Also for good, and it follows what is found out later.
    block.store.turn(id, BulkState::Stopped, None, &block.desk.actor, block.desk.now()).await.unwrap();
    block.store.expire_leases(block.desk.now()).await.unwrap();
    let outcome = if receipt.is_some() { Outcome::Accepted } else { Outcome::Unknown };
    let run = block.store.bulk(id).await.unwrap().unwrap();
    assert_eq!((run.counts.of(outcome), run.counts.queued), (1, 2), "{}", run.counts.words());
    assert_eq!(block.users(id).await[1].end.as_ref().unwrap().outcome, outcome);
    let exceptions = block.store.bulk_users(id, Users::Exceptions, 0, 9).await.unwrap();
    assert_eq!(exceptions.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 16, ..ProptestConfig::default() })]

    /// A drive is cut off at any moment, again and again, by a wish, a crash or a store that fails: everybody is
    /// acted on once, and nobody is called done without a call.
    #[test]
    fn nobody_is_acted_on_twice_whatever_cuts_a_run(cuts in prop::collection::vec((1usize..40, 0u8..3), 0..4)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let block = Block::new();
            let id = block.queued(60).await;
            for (after, how) in cuts {
                let calls = block.town.calls.lock().unwrap().len();
                let cut = Arc::new(Notify::new());
                let crash = cut.clone();
                match how {
                    0 => block.wishes_at_call(calls + after, Wish::Pause),
                    _ => block.at_call(calls + after, move || crash.notify_one()),
                }
                let ended = tokio::select! {
                    ended = block.drive(id) => Some(ended.unwrap()),
                    () = cut.notified() => None,
                };
                *block.town.at_call.lock().unwrap() = None;
                block.wishes.send_replace(Wish::GoOn);
                match ended {
                    Some(run) if run.state == BulkState::Done => break,
                    _ => drop(block.store.turn(id, BulkState::Running, None, &block.desk.actor, block.desk.now()).await.unwrap()),
                }
            }
            // Whoever is left after a crash is unknown until they land: that holds the run once.
            for _ in 0..2 {
                let run = block.store.bulk(id).await.unwrap().unwrap();
                match run.state {
                    BulkState::Done => break,
                    BulkState::Running => drop(block.drive(id).await.unwrap()),
                    _ => drop(block.go_on(id).await.unwrap()),
                }
            }
            block.nobody_twice();
            let run = block.store.bulk(id).await.unwrap().unwrap();
            let called = block.town.calls.lock().unwrap().len();
            prop_assert_eq!((run.counts.queued, called), (0, 60), "{}", run.counts.words());
            Ok(())
        })?;
    }
}
