//! Runs on many: who is meant, what is planned for each, the run that is kept and driven, and what becomes of it.
//!
//! A drive is a task of its own, in no table that could stop it: whoever leaves the screen stops nothing, and whoever
//! leaves the console has those on their way waited for. How it ends for users is told a few times a second at most.

use super::effects::{BROKE, Heard};
use super::services::Services;
use crate::app::bulk::Which;
use crate::app::effect::RunAsk;
use crate::app::many::ConfirmedMany;
use crate::app::marks::{Gather, Gathered};
use crate::app::msg::Answer;
use crate::app::{Effect, Msg, RequestId};
use crate::domain::bulk::{BulkId, BulkRun, BulkState, BulkUser};
use crate::domain::many::{Mark, Planned};
use crate::domain::page::From;
use crate::domain::query::{Query, Term, Test, UserQuery, UserTest};
use crate::domain::{ActionId, EventId, Finding, FindingState, FlowId};
use crate::remediation::bulk::{ConfirmedBulk, queued, refusal};
use crate::remediation::{self, Ask, BulkTold, PlanError, Wish};
use crate::store::{Again, FindingFilter, Store, StoreError, Users};
use futures_util::stream::{self, StreamExt as _};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::time::Instant;

/// Users that are read and planned at once: a handful.
const PLANNED_AT_ONCE: usize = 6;
/// The least time between two words on how far it is.
const TOLD_EVERY: Duration = Duration::from_millis(125);
/// Users, findings and runs read at once.
const PAGE: usize = 500;
/// Runs on many shown at once.
const RUNS: usize = 100;

/// The runs on many that this console drives.
#[derive(Debug, Clone)]
pub struct Drives(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    wishes: Mutex<HashMap<BulkId, watch::Sender<Wish>>>,
    driven: watch::Sender<usize>,
    is_closed: watch::Sender<bool>,
    left: Mutex<BTreeMap<BulkId, BulkRun>>,
}

impl Default for Drives {
    fn default() -> Self {
        Drives(Arc::new(Inner {
            wishes: Mutex::default(),
            driven: watch::Sender::new(0),
            is_closed: watch::Sender::new(false),
            left: Mutex::default(),
        }))
    }
}

impl Drives {
    /// Has every run wait, and lets none begin any more.
    pub fn close(&self) {
        self.0.is_closed.send_replace(true);
        for wish in self.wishes().values() {
            wish.send_replace(Wish::Pause);
        }
    }

    /// Comes when nothing is driven any more.
    pub async fn ended(&self) {
        // The sender is ours: it is not gone.
        let _ = self.0.driven.subscribe().wait_for(|driven| *driven == 0).await;
    }

    /// The runs in which somebody still waits, as they stood when they were left.
    pub fn left(&self) -> Vec<BulkRun> {
        held(&self.0.left).values().cloned().collect()
    }

    /// A drive is over: of a run that was gone on with meanwhile only how it stands now counts.
    fn keep_left(&self, run: &BulkRun) {
        let waits = run.counts.queued > 0 && !run.state.is_over();
        let mut left = held(&self.0.left);
        match waits {
            true => drop(left.insert(run.id, run.clone())),
            false => drop(left.remove(&run.id)),
        }
    }

    fn wishes(&self) -> MutexGuard<'_, HashMap<BulkId, watch::Sender<Wish>>> {
        held(&self.0.wishes)
    }

    /// A seat to drive a run from; `None` where it is driven from here already, or the console is being left.
    fn enter(&self, id: BulkId) -> Option<Seat> {
        let mut wishes = self.wishes();
        if *self.0.is_closed.borrow() || wishes.contains_key(&id) {
            return None;
        }
        let wish = watch::Sender::new(Wish::GoOn);
        let hears = wish.subscribe();
        wishes.insert(id, wish);
        self.0.driven.send_modify(|driven| *driven += 1);
        Some(Seat { id, drives: self.clone(), hears })
    }

    /// Tells the drive of a run what is wished; answers whether one is driven here.
    fn wish(&self, id: BulkId, wish: Wish) -> bool {
        self.wishes().get(&id).map(|wishes| wishes.send_replace(wish)).is_some()
    }
}

/// What a thread that panicked held is whole: nothing here is changed in two steps.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A drive that is under way, until it is dropped.
struct Seat {
    id: BulkId,
    drives: Drives,
    hears: watch::Receiver<Wish>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.drives.wishes().remove(&self.id);
        self.drives.0.driven.send_modify(|driven| *driven -= 1);
    }
}

/// Starts an effect that drives: it is stopped by nothing but a wish.
pub(super) fn drive(effect: Effect, services: Services, heard: UnboundedSender<Heard>) {
    let (request, id) = match &effect {
        Effect::ResumeBulk { request, id } => (*request, *id),
        Effect::RunMany { request, .. } => (*request, BulkId(uuid::Uuid::new_v4())),
        _ => return,
    };
    let Some(seat) = services.drives.enter(id) else {
        let why = "it is driven from here already, or this console is being left".to_owned();
        return tell(&heard, Msg::Answered(request, Answer::BulkBegun(Err(why))));
    };
    let driver = Driver { services, heard: heard.clone(), request };
    let task = tokio::spawn(async move {
        match effect {
            Effect::RunMany { confirmed, .. } => driver.begin(seat, *confirmed).await,
            _ => driver.resume(seat).await,
        }
    });
    tokio::spawn(async move {
        if task.await.is_err() {
            // Whichever of both is waited for.
            tell(&heard, Msg::Answered(request, Answer::Broke(BROKE.to_owned())));
            tell(&heard, Msg::BulkEnded(id, Err(BROKE.to_owned())));
        }
    });
}

/// The loop is gone when the console ends; so is whoever waited.
fn tell(heard: &UnboundedSender<Heard>, msg: Msg) {
    let _ = heard.send(Heard::Msg(msg));
}

struct Driver {
    services: Services,
    heard: UnboundedSender<Heard>,
    request: RequestId,
}

impl Driver {
    fn answer(&self, answer: Result<BulkId, String>) {
        tell(&self.heard, Msg::Answered(self.request, Answer::BulkBegun(answer)));
    }

    /// Keeps what was confirmed, before anybody is acted on, and drives it.
    async fn begin(&self, seat: Seat, confirmed: ConfirmedMany) {
        match self.keep(seat.id, confirmed).await {
            Ok(()) => self.drive(seat).await,
            Err(why) => self.answer(Err(why)),
        }
    }

    async fn keep(&self, id: BulkId, confirmed: ConfirmedMany) -> Result<(), String> {
        let desk = &self.services.desk;
        let ConfirmedMany { plans, acted_on, inputs, reason, insists } = confirmed;
        if let Some(why) = refusal(desk, acted_on) {
            return Err(why);
        }
        desk.without_secret(reason.as_deref()).map_err(|held| held.to_string())?;
        let again = if insists { Again::Insist } else { Again::No };
        let said = ConfirmedBulk { inputs, reason, again };
        let (run, users) = queued(desk, id, &plans, said).ok_or("nobody is acted on")?;
        if run.seal.as_ref().map(|seal| seal.acting) != Some(acted_on) {
            return Err(
                "those who would be acted on are not the ones that were shown: nothing was sent".to_owned()
            );
        }
        desk.store.queue(&run, &users).await.map_err(|error| format!("nothing was sent: {error}"))
    }

    /// Goes on with a run that waits, or whose driver is gone.
    async fn resume(&self, seat: Seat) {
        match self.turn_running(seat.id).await {
            Ok(()) => self.drive(seat).await,
            Err(why) => self.answer(Err(why)),
        }
    }

    async fn turn_running(&self, id: BulkId) -> Result<(), String> {
        let desk = &self.services.desk;
        // One that could not be driven stays as it is, and says why.
        self.services.runner.drivable(id).await.map_err(|error| error.to_string())?;
        let is_so = desk.store.turn(id, BulkState::Running, None, &desk.actor, desk.now()).await;
        match is_so.map_err(|error| error.to_string())? {
            true => Ok(()),
            false => Err("this run is over: nobody waits in it".to_owned()),
        }
    }

    async fn drive(&self, seat: Seat) {
        self.answer(Ok(seat.id));
        let (told, ends) = unbounded_channel();
        let teller = tokio::spawn(tell_ends(seat.id, ends, self.heard.clone()));
        let ended = self.services.runner.drive(seat.id, seat.hears.clone(), told).await;
        // Every user is told before the end is.
        let _ = teller.await;
        if let Ok(run) = &ended {
            seat.drives.keep_left(run);
        }
        let ended = ended.map(Box::new).map_err(|error| error.to_string());
        tell(&self.heard, Msg::BulkEnded(seat.id, ended));
    }
}

/// Tells how it ended for users, a few times a second at most, until nobody is left who could end.
async fn tell_ends(id: BulkId, mut ends: UnboundedReceiver<BulkTold>, heard: UnboundedSender<Heard>) {
    while let Some(first) = ends.recv().await {
        let mut users: Vec<BulkUser> = vec![first.user];
        tokio::time::sleep(TOLD_EVERY).await;
        while let Ok(next) = ends.try_recv() {
            users.push(next.user);
        }
        tell(&heard, Msg::BulkWent(id, users));
    }
}

/// Plans a flow for each of many, and tells how far it is.
pub(super) async fn plan(
    services: &Services,
    heard: &UnboundedSender<Heard>,
    request: RequestId,
    ask: RunAsk,
) -> Result<Planned, String> {
    let Some(flow) = &ask.flow else { return Err("no flow is chosen".to_owned()) };
    let one = |(at, mark): (usize, &Mark)| {
        let ask = of_one(flow, &ask, mark);
        let mark = mark.clone();
        async move {
            let planned = remediation::prepare(&services.desk, ask).await;
            (at, mark, planned)
        }
    };
    let mut coming = stream::iter(ask.many.iter().enumerate()).map(one).buffer_unordered(PLANNED_AT_ONCE);
    let left_out = ask.undoes_run.as_ref().map(|undo| undo.left_out.clone()).unwrap_or_default();
    let mut users = Vec::with_capacity(ask.many.len());
    let mut told = Instant::now();
    while let Some((at, mark, planned)) = coming.next().await {
        let plan = match planned {
            Ok(plan) => Ok(plan),
            // What is wrong for everybody is told once.
            Err(error @ (PlanError::Store(_) | PlanError::NoSuchFlow(_))) => return Err(error.to_string()),
            Err(error) => Err(first_line(&error)),
        };
        users.push((at, mark, plan));
        if told.elapsed() >= TOLD_EVERY || users.len() == 1 {
            told = Instant::now();
            tell(heard, Msg::ManyRead(request, left_out.len() + users.len()));
        }
    }
    users.sort_by_key(|(at, ..)| *at);
    let mut all = Planned { unplanned: left_out, ..Planned::default() };
    for (_, mark, plan) in users {
        match plan {
            Ok(plan) => all.plans.push(plan),
            Err(why) => all.unplanned.push((mark, why)),
        }
    }
    Ok(all)
}

fn of_one(flow: &FlowId, ask: &RunAsk, mark: &Mark) -> Ask {
    Ask {
        action: ActionId(uuid::Uuid::new_v4()),
        flow: flow.clone(),
        login: mark.login.clone(),
        finding: mark.finding,
        event: None,
        account: None,
        inputs: ask.inputs.clone(),
        undoes: ask.undoes_run.as_ref().and_then(|undo| undo.undoes(&mark.login)).cloned(),
    }
}

/// What stands against one user of many is one line; hints are for whoever runs it on one.
fn first_line(error: &impl ToString) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// Who is meant by an event or a filter, each once, at most so many. Findings that are closed are left out, unless
/// they are asked for.
pub(super) async fn gather(store: &dyn Store, what: &Gather, limit: usize) -> Result<Gathered, StoreError> {
    match what {
        Gather::Event(id, query) => of_event(store, *id, query, limit).await,
        Gather::Filter(query) => of_filter(store, query, limit).await,
        Gather::Row(id, _) => of_event(store, *id, &UserQuery::default(), limit).await,
    }
}

/// Those who were found so far.
struct Found {
    seen: HashSet<String>,
    gathered: Gathered,
    limit: usize,
}

impl Found {
    fn new(limit: usize) -> Found {
        Found { seen: HashSet::new(), gathered: Gathered::default(), limit }
    }

    /// Takes somebody in; answers whether more can be.
    fn take(&mut self, mark: Mark) -> bool {
        if !self.seen.insert(mark.login.folded().to_owned()) {
            return true;
        }
        if self.gathered.marks.len() == self.limit {
            self.gathered.has_more = true;
            return false;
        }
        self.gathered.marks.push(mark);
        true
    }
}

async fn of_event(
    store: &dyn Store,
    id: EventId,
    query: &UserQuery,
    limit: usize,
) -> Result<Gathered, StoreError> {
    let is_asked = |(term, test): (&Term, UserTest<'_>)| {
        matches!(test, UserTest::State(FindingState::Closed)) && !term.negated
    };
    let asks_for_closed = query.tests().any(is_asked);
    let (mut found, mut from) = (Found::new(limit), From::Newest);
    loop {
        let page = store.event_users(id, query, from, PAGE).await?;
        for user in page.rows {
            let is_closed =
                user.finding.as_ref().is_some_and(|finding| finding.state == FindingState::Closed);
            if is_closed && !asks_for_closed {
                found.gathered.closed += 1;
                continue;
            }
            let finding = user.finding.map(|finding| finding.id);
            if !found.take(Mark { login: user.login, finding }) {
                return Ok(found.gathered);
            }
        }
        match page.next {
            Some(next) => from = From::Before(next),
            None => return Ok(found.gathered),
        }
    }
}

async fn of_filter(store: &dyn Store, query: &Query, limit: usize) -> Result<Gathered, StoreError> {
    let filter = FindingFilter { login: None, query: without_closed(query) };
    let (mut found, mut from) = (Found::new(limit), From::Newest);
    loop {
        let page = store.findings(&filter, from, PAGE).await?;
        for Finding { id, login, .. } in page.rows {
            if !found.take(Mark { login, finding: Some(id) }) {
                return Ok(found.gathered);
            }
        }
        match page.next {
            Some(next) => from = From::Before(next),
            None => return Ok(found.gathered),
        }
    }
}

/// The filter without closed findings, unless it has its own word on states.
fn without_closed(query: &Query) -> Query {
    let mut query = query.clone();
    if !query.terms.iter().any(|term| matches!(term.test, Test::State(_))) {
        query.terms.push(Term { negated: true, test: Test::State(FindingState::Closed) });
    }
    query
}

/// Has a run wait, or stops it for good, whoever drives it; answers what becomes of it.
pub(super) async fn turn(services: &Services, id: BulkId, to: BulkState) -> Result<String, String> {
    let wish = if to == BulkState::Stopped { Wish::Stop } else { Wish::Pause };
    let how = if to == BulkState::Stopped { "it stops" } else { "it waits" };
    if services.drives.wish(id, wish) {
        return Ok(format!("{how} as soon as those on their way have landed"));
    }
    let desk = &services.desk;
    let is_so = desk.store.turn(id, to, None, &desk.actor, desk.now()).await;
    match is_so.map_err(|error| error.to_string())? {
        true => Ok(format!("{how}: whoever drives it sees that within seconds")),
        false => Err("this run is over: it stays as it is".to_owned()),
    }
}

/// Runs on many, newest first.
pub(super) async fn runs(store: &dyn Store, before: Option<BulkId>) -> Answer {
    Answer::Bulks(store.bulks(before, RUNS).await.map_err(|error| error.to_string()))
}

/// Which users, as the store asks.
pub(super) fn users(which: Which) -> Users {
    match which {
        Which::All => Users::All,
        Which::Exceptions => Users::Exceptions,
        Which::Queued => Users::Queued,
    }
}

/// Everybody of a run who is shown.
pub(super) async fn all_users(
    store: &dyn Store,
    id: BulkId,
    which: Which,
) -> Result<Vec<BulkUser>, StoreError> {
    let (mut all, mut from) = (Vec::new(), 0);
    loop {
        let page = store.bulk_users(id, users(which), from, PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        from = last.position.saturating_add(1);
        all.extend(page);
    }
}
