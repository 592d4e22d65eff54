//! The real loop on a screen of glass: scripted keys in, a parsed terminal out.
//!
//! Nothing sleeps: a test waits until a finished turn of the loop shows something, and the time moves when
//! a test says so, after what it pressed before has had its effect.

pub(crate) mod doubles;
pub(crate) mod glass;
pub(crate) mod turn;

use crate::console::doubles::{Caller, TestClock, Town};
use crate::console::glass::Glass;
use crate::console::turn::{Onlooker, Taken, Turn, Turns, end_of};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use futures_util::{Stream, StreamExt, stream};
use idtriage::app::header::Receiver;
use idtriage::app::layout::Size;
use idtriage::app::state::Settings;
use idtriage::app::{Msg, State};
use idtriage::command::Keymap;
use idtriage::config::meant::{Guard, OpenLinks};
use idtriage::domain::flow::{Input, InputType, PayloadShape, ProvenBy};
use idtriage::domain::{Actor, Flow, Risk, Route, preset};
use idtriage::ingest::{Ingest, decoder};
use idtriage::remediation::guard::Mode;
use idtriage::remediation::runner::Pace;
use idtriage::remediation::{Desk, Runner};
use idtriage::runtime::child::Children;
use idtriage::runtime::clipboard::Way;
use idtriage::runtime::console::{Console, Ended};
use idtriage::runtime::effects::Heard;
use idtriage::runtime::many::Drives;
use idtriage::runtime::services::Services;
use idtriage::runtime::terminal::frame::FrameBackend;
use idtriage::source::{Accept, Arrival, Clock};
use idtriage::store::files::throw_away_folder;
use idtriage::store::{OpenOptions, Store};
use idtriage::view::Theme;
use jiff::SignedDuration;
use ratatui::Terminal;
use serde_json::json;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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
    pub(crate) desk: Arc<Desk>,
    drives: Drives,
    folder: Arc<tempfile::TempDir>,
    clock: Arc<TestClock>,
    ingest: Ingest,
    keys: UnboundedSender<io::Result<Event>>,
    pressed: AtomicUsize,
    turns: Turns,
    heard: UnboundedSender<Heard>,
    running: JoinHandle<io::Result<Ended>>,
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
        bench.advance(1_000).await;
        bench
    }

    /// A console on an empty store.
    pub(crate) fn empty() -> Bench {
        Bench::guarded(Guard::default())
    }

    /// The same with something that must not be done.
    pub(crate) fn guarded(guard: Guard) -> Bench {
        let folder = Arc::new(throw_away_folder("console-").unwrap());
        let url = format!("sqlite:{}", folder.path().join("idtriage.db").display());
        let store = idtriage::store::open(&url, decoder(Default::default()), OpenOptions::default()).unwrap();
        let clock = Arc::new(TestClock::default());
        let (town, caller) = (Arc::new(Town::new(clock.clone())), Arc::new(Caller::default()));
        let desk = desk(&store, &town, &caller, &clock, guard);
        Bench::on(desk, town, caller, clock, folder)
    }

    /// Another console on the same store and tenant, after the first one was left.
    pub(crate) fn again(self) -> Bench {
        Bench::on(self.desk, self.town, self.caller, self.clock, self.folder)
    }

    fn on(
        desk: Arc<Desk>,
        town: Arc<Town>,
        caller: Arc<Caller>,
        clock: Arc<TestClock>,
        folder: Arc<tempfile::TempDir>,
    ) -> Bench {
        let (store, drives) = (desk.store.clone(), Drives::default());
        let glass = Glass::new(ROWS, COLUMNS);
        let (keys, input) = unbounded_channel();
        let mut console = console(&desk, &glass, &clock, (drives.clone(), exports(&folder)));
        let heard = console.sender();
        let taken = Taken::default();
        let (mut onlooker, turns) = Onlooker::new(glass.clone(), taken.clone());
        let running = tokio::spawn(async move {
            let signals = stream::pending();
            console.run(stream_of(input, taken), signals, &mut onlooker).await
        });
        let ingest = Ingest::new(store.clone(), clock.clone());
        let pressed = AtomicUsize::new(0);
        Bench {
            glass,
            town,
            caller,
            store,
            desk,
            drives,
            folder,
            clock,
            ingest,
            keys,
            pressed,
            turns,
            heard,
            running,
        }
    }

    /// Has the runs on many wait, as leaving the console does, and waits until they do.
    pub(crate) async fn wind_down(&self) {
        self.drives.close();
        end_of(self.drives.ended()).await;
    }

    /// How many runs on many would be named after leaving, since somebody waits in them.
    pub(crate) fn left_waiting(&self) -> usize {
        self.drives.left().len()
    }

    /// The files that were written.
    pub(crate) fn exported(&self) -> Vec<String> {
        let files = std::fs::read_dir(exports(&self.folder)).unwrap();
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }

    /// From now on whatever the store commits is told as its watcher would.
    pub(crate) fn watch(&self) {
        let (mut sequence, heard) = (self.store.watch(), self.heard.clone());
        tokio::spawn(async move {
            while sequence.changed().await.is_ok() {
                let now = *sequence.borrow_and_update();
                if heard.send(Heard::Msg(Msg::StoreChanged(now))).is_err() {
                    return;
                }
            }
        });
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

    /// The time goes on, after what was pressed before has had its effect.
    pub(crate) async fn advance(&self, millis: i64) {
        self.until("to have taken all keys", |_| true).await;
        self.clock.advance(SignedDuration::from_millis(millis));
        let now = self.clock.now();
        self.tell(Msg::Ticked(now));
        self.until("to know the time", |turn| turn.now == now).await;
    }

    /// Presses keys: characters, and names in angle brackets.
    pub(crate) fn press(&self, keys: &str) {
        for key in parse(keys) {
            self.send(Event::Key(key));
        }
    }

    /// Pastes a text.
    pub(crate) fn paste(&self, text: &str) {
        self.send(Event::Paste(text.to_owned()));
    }

    fn send(&self, event: Event) {
        self.pressed.fetch_add(1, Ordering::SeqCst);
        self.keys.send(Ok(event)).unwrap();
    }

    /// Waits for a turn that shows what came of all keys so far, and is as wanted.
    async fn until(&self, wanted: &str, is_so: impl Fn(&Turn) -> bool) {
        let pressed = self.pressed.load(Ordering::SeqCst);
        self.turns.until(wanted, |turn| turn.keys == pressed && is_so(turn)).await;
    }

    /// Presses keys, and waits until the screen says something.
    pub(crate) async fn check(&self, keys: &str, expected: &str) {
        self.press(keys);
        self.see(expected).await;
    }

    /// Waits until the screen says something.
    pub(crate) async fn see(&self, text: &str) {
        self.until(&format!("to say `{text}`"), |turn| turn.text.contains(text)).await;
    }

    /// Waits until the screen does not say something any more.
    pub(crate) async fn gone(&self, text: &str) {
        self.until(&format!("not to say `{text}`"), |turn| !turn.text.contains(text)).await;
    }

    /// Waits until the row under the cursor says something.
    pub(crate) async fn selected(&self, text: &str) {
        let is_selected = |turn: &Turn| turn.selected.iter().any(|line| line.contains(text));
        self.until(&format!("to select `{text}`"), is_selected).await;
    }

    /// Waits until everything that was asked for is answered and shown.
    pub(crate) async fn settled(&self) {
        self.until("to wait for nothing", |turn| !turn.is_waiting).await;
    }

    /// The number of the line that says something now.
    pub(crate) fn line_of(&self, text: &str) -> Option<usize> {
        self.turns.last().line_of(text)
    }

    /// This console receives from now on.
    pub(crate) fn receives(&self) {
        self.tell(Msg::ReceiverChanged(Receiver::ThisConsole));
    }

    /// Waits for the end of the loop.
    pub(crate) async fn ended(self) -> Ended {
        end_of(self.running).await.unwrap().unwrap()
    }
}

fn exports(folder: &Arc<tempfile::TempDir>) -> PathBuf {
    folder.path().join("exports")
}

fn desk(
    store: &Arc<dyn Store>,
    town: &Arc<Town>,
    caller: &Arc<Caller>,
    clock: &Arc<TestClock>,
    guard: Guard,
) -> Arc<Desk> {
    let clock = clock.clone();
    Arc::new(Desk {
        store: store.clone(),
        directory: town.clone(),
        org: None,
        log: None,
        caller: caller.clone(),
        flows: flows(),
        guard,
        mode: Mode::Acting,
        actor: Actor { user: "ops".into(), host: "jump".into(), ..Actor::default() },
        zone: idtriage::domain::time::Zone::Utc,
        looked: Arc::default(),
        owner: "jump:1:1".into(),
        clock: Arc::new(move || clock.now()),
    })
}

/// A flow that can be run, of medium risk and proven by a re-read, its inverse, and one of high risk.
fn flows() -> Arc<[Flow]> {
    let url = |number: u8| Some(format!("https://acme.workflows.okta.com/api/flo/{number}/invoke"));
    let all = preset::all().into_iter().filter(|flow| flow.id == "suspend-okta-account".into());
    let suspend = |flow: Flow| Flow { route: Route::ApiEndpoint, url: url(1), ..flow };
    let both = |flow: Flow| {
        let inverse = Flow {
            id: "unsuspend".into(),
            url: url(2),
            audit: vec!["user.lifecycle.unsuspend".to_owned()],
            verb: "unsuspend the Okta account".to_owned(),
            proven_by: Some(ProvenBy::Active),
            suggested_for: vec!["nothing-at-all".to_owned()],
            ..suspend(flow.clone())
        };
        let high = Flow {
            id: "deactivate".into(),
            url: url(3),
            verb: "deactivate the Okta account".to_owned(),
            risk: Risk::High,
            proven_by: None,
            inverse: None,
            suggested_for: vec!["nothing-at-all".to_owned()],
            ..suspend(flow.clone())
        };
        [Flow { inverse: Some(inverse.id.clone()), ..suspend(flow) }, inverse, high]
    };
    all.flat_map(both).chain([tell_somebody(url(4))]).collect()
}

/// A flow of low risk that has to be told something.
fn tell_somebody(url: Option<String>) -> Flow {
    let who =
        Input { description: Some("who is told, by mail".to_owned()), ..Input::new("who", InputType::Text) };
    let days = Input { default: Some("7".to_owned()), ..Input::new("days", InputType::Number) };
    let urgent = Input { default: Some(false.to_string()), ..Input::new("urgent", InputType::Boolean) };
    let router = preset::all().into_iter().find(|flow| flow.id == "ispm-event-hook".into());
    Flow {
        id: "tell".into(),
        name: "Tell somebody".to_owned(),
        verb: "tell somebody".to_owned(),
        route: Route::ApiEndpoint,
        url,
        risk: Risk::Low,
        payload: PayloadShape::Fields,
        suggested_for: vec!["nothing-at-all".to_owned()],
        inputs: vec![who, days, urgent, Input::new("login", InputType::Text)],
        ..router.unwrap()
    }
}

fn console(
    desk: &Arc<Desk>,
    glass: &Glass,
    clock: &Arc<TestClock>,
    (drives, exports): (Drives, PathBuf),
) -> Console<Glass> {
    let settings = Settings {
        badge: None,
        analyst: "ops".into(),
        actor: desk.actor.clone(),
        parts: desk.directory.parts(),
        flows: desk.flows.clone(),
        profile_map: idtriage::domain::profile::ProfileMap::shipped(),
        prefetches: false,
        probes_calls: false,
        is_read_only: false,
        link_hosts: Vec::new(),
        is_desktop: false,
        zone: idtriage::domain::time::Zone::Utc,
        bulk_limit: usize::try_from(desk.guard.bulk_limit.0).unwrap(),
        arms_after: idtriage::app::state::ARMS_AFTER,
    };
    let state = State::new(clock.now(), Size { columns: COLUMNS, rows: ROWS }, settings);
    let screen = Terminal::new(FrameBackend::fixed(glass.clone(), COLUMNS, ROWS)).unwrap();
    let services = Services {
        drives,
        prober: None,
        access: None,
        log: None,
        org: None,
        map: Default::default(),
        exports: Some(exports),
        desk: desk.clone(),
        runner: Arc::new(Runner::new(desk.clone(), pace())),
        clock: clock.clone(),
        notifiers: Vec::new(),
        children: Children::default(),
        open: OpenLinks::Never,
        clipboard: Way::Terminal,
    };
    let (theme, warnings) = Theme::load("ansi", None);
    assert!(warnings.is_empty(), "{warnings:?}");
    Console::new(state, Keymap::new(&Default::default()).unwrap(), theme, screen, services)
}

/// Re-reads without a wait.
fn pace() -> Pace {
    Pace { rereads: vec![Duration::ZERO; 2], ..Pace::default() }
}

fn stream_of<T>(mut from: UnboundedReceiver<T>, taken: Taken) -> impl Stream<Item = T> + Unpin {
    stream::poll_fn(move |cx| from.poll_recv(cx)).inspect(move |_| taken.one())
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
        "space" => KeyCode::Char(' '),
        "tab" => KeyCode::Tab,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "pagedown" => KeyCode::PageDown,
        "f1" => KeyCode::F(1),
        name => {
            let letter = name.strip_prefix("ctrl-").and_then(|name| name.chars().next());
            let letter = letter.unwrap_or_else(|| panic!("`<{name}>` is no key"));
            return KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        }
    };
    KeyEvent::from(code)
}
