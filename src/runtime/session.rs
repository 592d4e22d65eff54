//! One console from start to end: who receives, what is watched, the loop, and an orderly stop.

use super::apart::{self, Left};
use super::child::Children;
use super::clipboard;
use super::console::Console;
use super::effects::Heard;
use super::many::Drives;
use super::opener::{self, Place};
use super::receiver::{self, Tell};
use super::services::Services;
use super::terminal::signals::Signals;
use super::terminal::{self, Guard, Screen, bell};
use super::{keeping, later};
use crate::app::layout::Size;
use crate::app::state::{ARMS_AFTER, Settings};
use crate::app::{Msg, State};
use crate::command::Keymap;
use crate::config::meant;
use crate::domain::bulk::BulkRun;
use crate::domain::counted::numbered;
use crate::domain::profile::ProfileMap;
use crate::domain::wait::Waits;
use crate::notify::{self, bell::Rests};
use crate::remediation::guard::Mode;
use crate::remediation::{Desk, Pace, Runner, Unsent};
use crate::source::clock::Clock;
use crate::store::Store;
use crate::tenant::{AccessPreview, CallProber, LogSearch, OktaOrg};
use crate::view::Theme;
use jiff::SignedDuration;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// How long the end waits for receipts of requests that act.
const LAST_RECEIPTS: Duration = Duration::from_secs(60);

/// What a console is made from.
#[derive(Debug)]
pub struct Setup {
    /// The console's settings.
    pub console: meant::Console,
    /// The keys.
    pub keymap: Keymap,
    /// The theme.
    pub theme: Theme,
    /// A badge in the header.
    pub badge: Option<String>,
    /// Hosts whose links open directly.
    pub link_hosts: Vec<String>,
    /// What fields of an Okta profile are called besides.
    pub profile_map: ProfileMap,
    /// What plans and runs.
    pub desk: Arc<Desk>,
    /// The calls that the pacer holds back.
    pub held: watch::Receiver<Waits>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How long leases hold, by that clock, and how often they are renewed in real time.
    pub pace: Pace,
    /// How child processes are started.
    pub children: Children,
    /// How long raw texts are kept; `None` keeps them for ever.
    pub keep: Option<Duration>,
    /// The System Log of the configured org, to look into.
    pub log: Option<Arc<dyn LogSearch>>,
    /// The configured org, to look things up in.
    pub org: Option<Arc<dyn OktaOrg>>,
    /// What finds out which calls of the org work.
    pub prober: Option<Arc<dyn CallProber>>,
    /// What reads what administrator roles allow.
    pub access: Option<Arc<dyn AccessPreview>>,
    /// What fields of a profile may be called.
    pub map: Arc<ProfileMap>,
    /// Where records are written to; `None` without a home directory.
    pub exports: Option<PathBuf>,
    /// What is received, and where.
    pub receiver: receiver::Settings,
    /// For whom the bell rings, by their names in the configuration.
    pub bells: Vec<String>,
    /// The names of those who are told by messages.
    pub told: Vec<String>,
    /// Hears where the listener listens, once it does.
    pub bound: Option<oneshot::Sender<SocketAddr>>,
    /// What the configuration or the theme warned of.
    pub warnings: Vec<String>,
}

/// How a console ended.
#[derive(Debug)]
pub struct Closed {
    /// Whether more can be written to the terminal, or what went wrong with it.
    pub left: io::Result<Left>,
    /// Runs whose receipt did not come in time: their outcome is unknown.
    pub unsettled: usize,
    /// What was confirmed and is not sent any more.
    pub unsent: Vec<Unsent>,
    /// The runs on many in which somebody still waits.
    pub waiting: Vec<BulkRun>,
}

/// Runs a console on the real terminal.
///
/// # Errors
/// If the terminal cannot be taken or written.
pub async fn run(setup: Setup) -> io::Result<Closed> {
    terminal::install_panic_hook();
    let guard = Guard::take()?;
    let (console, behind) = open(setup, terminal::screen()?)?;
    let left = apart::run(console, guard).await;
    if let Ok(Left::GivenBack) = left {
        behind.tell_what_is_awaited();
    }
    // Listened for from now on: what ended the loop asks for nothing once more.
    let (runner, drives) = (behind.runner.clone(), behind.drives.clone());
    let unsettled = behind.wind_down(impatience(Signals::listen())).await;
    Ok(Closed { left, unsettled, unsent: runner.unsent(), waiting: drives.left() })
}

/// A console on a screen, with what runs behind it.
pub(super) fn open<W: Write>(setup: Setup, screen: Screen<W>) -> io::Result<(Console<W>, Behind)> {
    let runner = Arc::new(Runner::new(setup.desk.clone(), setup.pace.clone()));
    let drives = Drives::default();
    let services = Services {
        desk: setup.desk.clone(),
        runner: runner.clone(),
        drives: drives.clone(),
        clock: setup.clock.clone(),
        notifiers: setup.told.clone(),
        children: setup.children.clone(),
        open: setup.console.open,
        access: setup.access.clone(),
        log: setup.log.clone(),
        org: setup.org.clone(),
        prober: setup.prober.clone(),
        map: setup.map.clone(),
        exports: setup.exports.clone(),
        clipboard: clipboard::way(|name| std::env::var(name).ok()),
    };
    let (size, how) = (screen.size()?, how(&setup.keymap));
    let state = state(&setup, Size { columns: size.width, rows: size.height });
    let console = Console::new(state, setup.keymap, setup.theme, screen, services);
    let sender = console.sender();
    for warning in setup.warnings {
        let _ = sender.send(Heard::Msg(Msg::Noticed(Err(warning))));
    }
    let (stop, stopped) = watch::channel(false);
    let store = setup.desk.store.clone();
    let behind = Behind {
        runner: runner.clone(),
        drives,
        stop,
        watching: tokio::spawn(watch_store(store.clone(), sender.clone())),
        waiting: tokio::spawn(watch_waits(setup.held, sender.clone())),
        expiring: tokio::spawn(expire_leases_in(
            setup.desk.mode,
            store.clone(),
            setup.clock.clone(),
            how,
            sender.clone(),
        )),
        looking: tokio::spawn(look_in(setup.desk.mode, runner.clone())),
        keeping: tokio::spawn(prune_in(setup.desk.mode, store.clone(), setup.keep, setup.clock.clone())),
        ringing: tokio::spawn(ring(store, setup.bells, setup.clock, sender.clone())),
        receiving: tokio::spawn(receiver::keep_receiving(setup.receiver, tell(sender), stopped, setup.bound)),
    };
    Ok((console, behind))
}

/// What runs behind a console.
#[derive(Debug)]
pub(super) struct Behind {
    runner: Arc<Runner>,
    drives: Drives,
    stop: watch::Sender<bool>,
    watching: JoinHandle<()>,
    waiting: JoinHandle<()>,
    expiring: JoinHandle<()>,
    looking: JoinHandle<()>,
    keeping: JoinHandle<()>,
    ringing: JoinHandle<()>,
    receiving: JoinHandle<()>,
}

impl Behind {
    /// Says on standard error why the end takes a while, where it does.
    fn tell_what_is_awaited(&self) {
        let in_flight = self.runner.in_flight();
        if in_flight > 0 {
            let runs = numbered(in_flight, "run");
            // Standard error may be a terminal that is gone, and this is no reason to panic.
            let _ = writeln!(
                io::stderr(),
                "idtriage: waiting for the receipts of {runs}, at most 60 s; ctrl-c again, a second from now, ends the wait"
            );
        }
    }

    /// Nobody more is acted on by runs on many, and each stands in the store as left.
    async fn drives_ended(&self) {
        // Running out of time is an answer here: a run that is left so can be taken up again.
        let _ = tokio::time::timeout(LAST_RECEIPTS, self.drives.ended()).await;
    }

    /// Sources stop taking in, acting requests are waited for, as long as nobody is impatient; answers how
    /// many stay unsettled.
    pub(super) async fn wind_down(self, impatience: impl Future<Output = ()>) -> usize {
        // The receiver may have ended by itself.
        let _ = self.stop.send(true);
        self.drives.close();
        let all = async {
            let (unsettled, _) = tokio::join!(self.runner.finish(LAST_RECEIPTS), self.drives_ended());
            unsettled
        };
        let unsettled = tokio::select! {
            unsettled = all => unsettled,
            () = impatience => self.runner.in_flight(),
        };
        let _ = tokio::time::timeout(receiver::STOP_TIME, self.receiving).await;
        self.watching.abort();
        self.waiting.abort();
        self.expiring.abort();
        self.looking.abort();
        self.keeping.abort();
        self.ringing.abort();
        unsettled
    }
}

/// Ends when somebody who sits there asks once more for the end.
async fn impatience(signals: io::Result<Signals>) {
    match signals {
        Ok(signals) => signals.impatience().await,
        Err(_) => std::future::pending().await,
    }
}

fn state(setup: &Setup, size: Size) -> State {
    let place = opener::place(setup.console.open, |name| std::env::var(name).ok());
    let settings = Settings {
        badge: setup.badge.clone(),
        analyst: setup.desk.actor.name().to_owned(),
        actor: setup.desk.actor.clone(),
        parts: setup.desk.directory.parts(),
        flows: setup.desk.flows.clone(),
        profile_map: setup.profile_map.clone(),
        prefetches: setup.console.prefetch == meant::Prefetch::On,
        probes_calls: setup.prober.is_some(),
        is_read_only: setup.desk.mode == Mode::ReadOnly,
        link_hosts: setup.link_hosts.clone(),
        is_desktop: place == Place::Desktop,
        zone: setup.desk.zone.clone(),
        bulk_limit: usize::try_from(setup.desk.guard.bulk_limit.0).unwrap_or(usize::MAX),
        arms_after: setup.clock.span(ARMS_AFTER),
    };
    let mut state = State::new(setup.clock.now(), size, settings);
    let span = |span: Option<Duration>| SignedDuration::try_from(span?).ok();
    state.header.canary = span(setup.console.canary);
    state.header.keep = span(setup.keep);
    state
}

fn tell(sender: UnboundedSender<Heard>) -> Tell {
    Arc::new(move |msg| {
        // The loop is gone when the console ends.
        let _ = sender.send(Heard::Msg(msg));
    })
}

/// Tells the loop that the store holds something new; coalesced, never a queue.
async fn watch_store(store: Arc<dyn Store>, sender: UnboundedSender<Heard>) {
    let mut sequence = store.watch();
    while sequence.changed().await.is_ok() {
        let now = *sequence.borrow_and_update();
        if sender.send(Heard::Msg(Msg::StoreChanged(now))).is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(125)).await;
    }
}

/// Tells the loop whom the pacer waits for, until there is no pacer any more.
async fn watch_waits(mut held: watch::Receiver<Waits>, sender: UnboundedSender<Heard>) {
    while held.changed().await.is_ok() {
        let waits = held.borrow_and_update().values().cloned().collect();
        if sender.send(Heard::Msg(Msg::WaitsChanged(waits))).is_err() {
            return;
        }
    }
}

/// Rings the bell for what arrives. The bytes are no part of a frame.
async fn ring(
    store: Arc<dyn Store>,
    names: Vec<String>,
    clock: Arc<dyn Clock>,
    sender: UnboundedSender<Heard>,
) {
    let term = std::env::var("TERM").ok();
    let ring = |words: String| {
        let bytes = bell::ring(&words, term.as_deref());
        sender.send(Heard::Aside(bytes)).map_or(ControlFlow::Break(()), ControlFlow::Continue)
    };
    notify::bell::listen(store.as_ref(), &names, || clock.now(), Rests::default(), ring).await;
}

/// With `--read-only` the runs of others stay as they are. Whoever sits here hears of those that broke off, before they
/// came too.
async fn expire_leases_in(
    mode: Mode,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    how: String,
    sender: UnboundedSender<Heard>,
) {
    if mode == Mode::ReadOnly {
        return;
    }
    let tell = |unknown: usize| {
        let _ = sender.send(Heard::Msg(Msg::Noticed(Err(later::said_of(unknown, &how)))));
    };
    match later::unknown(store.as_ref(), clock.now()).await {
        Ok(0) => {}
        Ok(unknown) => tell(unknown),
        Err(error) => tracing::warn!(%error, "actions of unknown outcome cannot be looked for"),
    }
    later::expire_leases(store, clock, tell).await;
}

/// With `--read-only` nothing is kept, and so nothing looked at.
async fn look_in(mode: Mode, runner: Arc<Runner>) {
    if mode == Mode::Acting {
        later::look_when_due(runner).await;
    }
}

/// How actions of unknown outcome are found out about here.
fn how(keymap: &Keymap) -> String {
    let key = |id: &str| keymap.keys(id).into_iter().next().unwrap_or_default();
    format!(
        "`{}` lists them, and `{}` there looks at the target again",
        key("journal.open"),
        key("screen.refresh")
    )
}

/// With `--read-only` everything stays.
async fn prune_in(mode: Mode, store: Arc<dyn Store>, keep: Option<Duration>, clock: Arc<dyn Clock>) {
    if mode == Mode::Acting {
        keeping::prune_hourly(store, keep, clock).await;
    }
}
