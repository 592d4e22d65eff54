//! The real loop on a screen of glass: scripted keys in, a parsed terminal out.
//!
//! Nothing sleeps: a test waits until the screen says something, and the time moves when a test says so.

pub(crate) mod doubles;
pub(crate) mod glass;

use crate::console::doubles::{Caller, TestClock, Town};
use crate::console::glass::Glass;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use futures_util::{Stream, stream};
use idtriage::app::header::Receiver;
use idtriage::app::layout::Size;
use idtriage::app::state::Settings;
use idtriage::app::{Msg, State};
use idtriage::command::Keymap;
use idtriage::config::meant::{Guard, OpenLinks};
use idtriage::domain::{Actor, Flow, Route, preset};
use idtriage::ingest::{Ingest, decoder};
use idtriage::remediation::guard::Mode;
use idtriage::remediation::runner::Pace;
use idtriage::remediation::{Desk, Runner};
use idtriage::runtime::child::Children;
use idtriage::runtime::clipboard::Way;
use idtriage::runtime::console::{Console, Ended, Surroundings};
use idtriage::runtime::effects::Heard;
use idtriage::runtime::services::Services;
use idtriage::runtime::terminal::frame::FrameBackend;
use idtriage::source::{Accept, Arrival, Clock};
use idtriage::store::{OpenOptions, Store};
use idtriage::view::Theme;
use jiff::SignedDuration;
use ratatui::Terminal;
use serde_json::json;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

pub(crate) const COLUMNS: u16 = 120;
pub(crate) const ROWS: u16 = 40;

/// A running console, and everything around it that a test plays.
pub(crate) struct Bench {
    pub(crate) glass: Glass,
    pub(crate) town: Arc<Town>,
    pub(crate) caller: Arc<Caller>,
    pub(crate) store: Arc<dyn Store>,
    clock: Arc<TestClock>,
    ingest: Ingest,
    keys: UnboundedSender<io::Result<Event>>,
    heard: UnboundedSender<Heard>,
    running: JoinHandle<io::Result<Ended>>,
    _folder: tempfile::TempDir,
}

/// A terminal that is put in the background without anything happening.
struct NoTerminal;

impl Surroundings for NoTerminal {
    fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An event that is to arrive: id, check, severity, users.
pub(crate) type Sent<'a> = (&'a str, &'a str, &'a str, &'a [&'a str]);

/// What nearly every case starts with; the newest stands on top.
pub(crate) const EVENTS: [Sent<'static>; 4] = [
    ("1", "unused-admin", "low", &["dora@example.com"]),
    ("2", "no-mfa", "high", &["bob@example.com", "carl@example.com"]),
    ("3", "old-password", "medium", &["bob@example.com"]),
    ("4", "impossible-travel", "critical", &["ann@example.com"]),
];

impl Bench {
    /// A console with the usual events, on its first screen, whose first row has stood long enough.
    pub(crate) async fn new() -> Bench {
        let bench = Bench::empty();
        bench.arrive(&EVENTS).await;
        bench.see("following").await;
        bench.see("Title of unused-admin").await;
        bench.advance(1_000);
        bench
    }

    /// A console on an empty store.
    pub(crate) fn empty() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("idtriage.db").display());
        let store = idtriage::store::open(&url, decoder(), OpenOptions::default()).unwrap();
        let clock = Arc::new(TestClock::default());
        let (town, caller) = (Arc::new(Town::new(clock.clone())), Arc::new(Caller::default()));
        let desk = desk(&store, &town, &caller, &clock);
        let glass = Glass::new(ROWS, COLUMNS);
        let (keys, input) = unbounded_channel();
        let mut console = console(&desk, &glass, &clock);
        let heard = console.sender();
        let running = tokio::spawn(async move {
            let signals = stream::pending();
            console.run(stream_of(input), signals, &mut NoTerminal).await
        });
        let ingest = Ingest::new(store.clone(), clock.clone());
        Bench { glass, town, caller, store, clock, ingest, keys, heard, running, _folder: folder }
    }

    /// Events come in through ingest, and the loop is told as the store's watcher would.
    pub(crate) async fn arrive(&self, events: &[Sent<'_>]) {
        let arrivals = events.iter().map(|event| arrival(event, &self.clock)).collect();
        self.ingest.accept(arrivals).await.unwrap();
        self.store.drained().await.unwrap();
        self.tell(Msg::StoreChanged(*self.store.watch().borrow()));
    }

    /// Something happened that is no key.
    pub(crate) fn tell(&self, msg: Msg) {
        self.heard.send(Heard::Msg(msg)).unwrap();
    }

    /// The time goes on.
    pub(crate) fn advance(&self, millis: i64) {
        self.clock.advance(SignedDuration::from_millis(millis));
        self.tell(Msg::Ticked(self.clock.now()));
    }

    /// Presses keys: characters, and names in angle brackets.
    pub(crate) fn press(&self, keys: &str) {
        for key in parse(keys) {
            self.keys.send(Ok(Event::Key(key))).unwrap();
        }
    }

    /// Pastes a text.
    pub(crate) fn paste(&self, text: &str) {
        self.keys.send(Ok(Event::Paste(text.to_owned()))).unwrap();
    }

    /// Presses keys, and waits until the screen says something.
    pub(crate) async fn check(&self, keys: &str, expected: &str) {
        self.press(keys);
        self.see(expected).await;
    }

    /// Waits until the screen says something.
    pub(crate) async fn see(&self, text: &str) {
        self.glass.wait(&format!("to say `{text}`"), |screen| screen.contains(text)).await;
    }

    /// Waits until the screen does not say something any more.
    pub(crate) async fn gone(&self, text: &str) {
        self.glass.wait(&format!("not to say `{text}`"), |screen| !screen.contains(text)).await;
    }

    /// Waits until the row under the cursor says something.
    pub(crate) async fn selected(&self, text: &str) {
        self.glass.wait_selected(text).await;
    }

    /// This console receives from now on.
    pub(crate) fn receives(&self) {
        self.tell(Msg::ReceiverChanged(Receiver::ThisConsole));
    }

    /// Waits for the end of the loop.
    pub(crate) async fn ended(self) -> Ended {
        let ended = tokio::time::timeout(Duration::from_secs(20), self.running).await;
        ended.expect("the loop ends").unwrap().unwrap()
    }
}

fn desk(store: &Arc<dyn Store>, town: &Arc<Town>, caller: &Arc<Caller>, clock: &Arc<TestClock>) -> Arc<Desk> {
    let clock = clock.clone();
    Arc::new(Desk {
        store: store.clone(),
        directory: town.clone(),
        caller: caller.clone(),
        flows: flows(),
        guard: Guard::default(),
        mode: Mode::Acting,
        actor: Actor { user: "ops".into(), host: "jump".into(), ..Actor::default() },
        zone: idtriage::domain::time::Zone::Utc,
        owner: "jump:1:1".into(),
        clock: Arc::new(move || clock.now()),
    })
}

/// One flow that can be run: of medium risk, proven by a re-read.
fn flows() -> Arc<[Flow]> {
    let url = Some("https://acme.workflows.okta.com/api/flo/1/invoke".to_owned());
    let all = preset::all().into_iter().filter(|flow| flow.id == "suspend-okta-account".into());
    all.map(|flow| Flow { route: Route::ApiEndpoint, url: url.clone(), ..flow }).collect()
}

fn console(desk: &Arc<Desk>, glass: &Glass, clock: &Arc<TestClock>) -> Console<Glass> {
    let settings = Settings {
        badge: None,
        analyst: "ops".into(),
        parts: desk.directory.parts(),
        flows: desk.flows.clone(),
        prefetches: false,
        is_read_only: false,
        link_hosts: Vec::new(),
        is_desktop: false,
        zone: idtriage::domain::time::Zone::Utc,
        arms_after: idtriage::app::state::ARMS_AFTER,
    };
    let state = State::new(clock.now(), Size { columns: COLUMNS, rows: ROWS }, settings);
    let screen = Terminal::new(FrameBackend::fixed(glass.clone(), COLUMNS, ROWS)).unwrap();
    let services = Services {
        desk: desk.clone(),
        runner: Arc::new(Runner::new(desk.clone(), pace())),
        clock: clock.clone(),
        children: Children::default(),
        open: OpenLinks::Never,
        clipboard: Way::Terminal,
    };
    let (theme, _) = Theme::load("default", None);
    Console::new(state, Keymap::new(&Default::default()).unwrap(), theme, screen, services)
}

/// Re-reads without a wait.
fn pace() -> Pace {
    Pace { rereads: vec![Duration::ZERO; 2], ..Pace::default() }
}

fn stream_of<T>(mut from: UnboundedReceiver<T>) -> impl Stream<Item = T> + Unpin {
    stream::poll_fn(move |cx| from.poll_recv(cx))
}

fn arrival(&(id, check, severity, users): &Sent<'_>, clock: &TestClock) -> Arrival {
    let raw = json!({"detail-type": "FAILED_CHECK", "detail": {
        "id": id, "checkId": check, "title": format!("Title of {check}"), "severity": severity,
        "usersFailing": users, "published": clock.now().to_string(),
        "description": ["Something is wrong."], "referenceUrl": "https://dashboard.example.com/checks/7"}});
    Arrival { source: "cii".into(), source_type: "cii-webhook", raw: raw.to_string().into() }
}

fn parse(keys: &str) -> Vec<KeyEvent> {
    let (mut rest, mut parsed) = (keys, Vec::new());
    while let Some(c) = rest.chars().next() {
        let (key, after) = match rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
            Some((name, after)) => (named(name), after),
            None => (KeyEvent::from(KeyCode::Char(c)), &rest[c.len_utf8()..]),
        };
        parsed.push(key);
        rest = after;
    }
    parsed
}

fn named(name: &str) -> KeyEvent {
    let code = match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        name => {
            let letter = name.strip_prefix("ctrl-").and_then(|name| name.chars().next());
            let letter = letter.unwrap_or_else(|| panic!("`<{name}>` is no key"));
            return KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        }
    };
    KeyEvent::from(code)
}
