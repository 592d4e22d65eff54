//! A lab, a store, and what polls the one into the other.

use crate::support::config::nothing;
use crate::support::wait;
use idtriage::config::Config;
use idtriage::config::meant::{LogFilter, Okta, Reading, Source, SystemLog as Settings, Way};
use idtriage::domain::{Query, SourceHealth};
use idtriage::ingest::{Ingest, decoder};
use idtriage::lab::{self, Lab, LabOptions};
use idtriage::source::system_log::{Pace, SystemLogPoll};
use idtriage::source::{Clock, Polled};
use idtriage::store::files::throw_away_folder;
use idtriage::store::{self, From, OpenOptions, Store};
use idtriage::tenant::http::{self, Limits};
use idtriage::tenant::{SystemLog, Tenants};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) const SOURCE: &str = "okta-log";
/// The records of the lab's own story lie within it.
pub(crate) const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// The lab's time, for a poller that never rests long: each rest is a moment, whatever its length.
#[derive(Debug)]
pub(crate) struct Restless(pub(crate) lab::Clock);

impl Clock for Restless {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn until(&self, _: Timestamp) -> Duration {
        Duration::from_millis(2)
    }
}

/// A lab with a fixed present that stands nearly still, unless a test puts it forward; no limit of calls.
pub(crate) fn still() -> LabOptions {
    LabOptions {
        seed: 7,
        users: 60,
        speed: 0.01,
        log_calls: 1_000_000,
        ..LabOptions::at("2026-05-01T12:00:00Z".parse().unwrap())
    }
}

pub(crate) struct Rig {
    pub(crate) lab: Lab,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) tenants: Tenants,
    clock: Arc<Restless>,
    _folder: TempDir,
}

/// A poller that runs.
pub(crate) struct Running {
    poll: Arc<SystemLogPoll>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Rig {
    pub(crate) async fn start(options: LabOptions) -> Rig {
        let lab = Lab::start(options).await.unwrap();
        let folder = throw_away_folder("system-log-").unwrap();
        let tenants = tenants(&lab.addresses().okta_org_url, lab.secrets().okta_token.clone(), &lab.clock());
        let clock = Arc::new(Restless(lab.clock()));
        Rig { store: open(folder.path()), tenants, clock, _folder: folder, lab }
    }

    pub(crate) fn log(&self) -> Arc<dyn SystemLog> {
        self.tenants.system_log().unwrap()
    }

    /// What polls, with these records a page.
    pub(crate) fn poller(&self, filter: LogFilter, first_fetch: Duration, limit: usize) -> SystemLogPoll {
        let clock: Arc<dyn Clock> = self.clock.clone();
        poller(self.log(), self.store.clone(), clock, settings(filter, first_fetch)).in_pages_of(limit)
    }

    /// Starts to poll everything of the last week.
    pub(crate) fn poll(&self, limit: usize) -> Running {
        Running::start(self.poller(LogFilter::Everything, WEEK, limit))
    }

    /// Polls until everything is read, and stops.
    pub(crate) async fn catch_up(&self, poll: SystemLogPoll) -> SourceHealth {
        let running = Running::start(poll);
        self.is_read(&running).await;
        running.stop().await
    }

    /// Waits until two pages brought nothing more.
    pub(crate) async fn is_read(&self, running: &Running) {
        let answered = || {
            let asked = self.lab.recorder().requests();
            asked.iter().filter(|asked| asked.path == "/api/v1/logs" && asked.status == 200).count()
        };
        let mut seen = (answered(), u64::MAX);
        until("everything to be read", || {
            let accepted = running.health().accepted;
            if accepted != seen.1 {
                seen = (answered(), accepted);
            }
            answered() >= seen.0 + 3
        })
        .await;
    }

    /// The uuids of the store's records, newest first, each as often as it is there.
    pub(crate) async fn stored(&self) -> Vec<String> {
        stored(self.store.as_ref()).await
    }

    pub(crate) async fn cursor(&self) -> serde_json::Value {
        let kept = self.store.cursor(&format!("source:{SOURCE}")).await.unwrap();
        kept.map(|kept| serde_json::from_str(&kept).unwrap()).unwrap_or_default()
    }

    /// The queries that the log was asked with, and how they were answered.
    pub(crate) fn asked(&self) -> Vec<(String, u16)> {
        let asked = self.lab.recorder().requests().into_iter().filter(|asked| asked.path == "/api/v1/logs");
        asked.map(|asked| (asked.query, asked.status)).collect()
    }

    pub(crate) fn fault(&self, words: &str) {
        self.lab.faults().set(words.parse().unwrap());
    }

    /// Now, so many seconds later.
    pub(crate) fn second(&self, seconds: i64) -> Timestamp {
        self.lab.clock().now() + SignedDuration::from_secs(seconds)
    }

    pub(crate) fn passes(&self, seconds: u64) {
        self.lab.clock().advance(Duration::from_secs(seconds));
    }
}

impl Running {
    pub(crate) fn start(poll: SystemLogPoll) -> Running {
        let poll = Arc::new(poll);
        let (stop, stopped) = watch::channel(false);
        let polled = poll.clone();
        Running { poll, stop, task: tokio::spawn(async move { polled.poll(stopped).await }) }
    }

    pub(crate) fn health(&self) -> SourceHealth {
        self.poll.health()
    }

    /// Waits until the source is as it should be.
    pub(crate) async fn is(&self, what: &str, is_so: impl Fn(&SourceHealth) -> bool) -> SourceHealth {
        until(what, || is_so(&self.health())).await;
        self.health()
    }

    pub(crate) async fn stop(self) -> SourceHealth {
        self.stop.send(true).unwrap();
        wait::within("the end of a poll", self.task).await.unwrap();
        self.poll.health()
    }
}

/// Waits until it is so.
pub(crate) async fn until(what: &str, mut ask: impl FnMut() -> bool) {
    let asked = async {
        while !ask() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    wait::within(what, asked).await;
}

pub(crate) fn open(folder: &Path) -> Arc<dyn Store> {
    let url = format!("sqlite:{}", folder.join("idtriage.db").display());
    store::open(&url, decoder(Reading::default()), OpenOptions::default()).unwrap()
}

pub(crate) async fn stored(store: &dyn Store) -> Vec<String> {
    store.drained().await.unwrap();
    let mut uuids = Vec::new();
    let mut from = From::Newest;
    loop {
        let page = store.events(&Query::default(), from, 5_000).await.unwrap();
        uuids.extend(page.rows.iter().map(|event| event.source_event_id.as_ref().unwrap().to_string()));
        match page.next {
            Some(next) => from = From::Before(next),
            None => return uuids,
        }
    }
}

/// Waits that a server asks for are cut to a moment; time-outs are long, since the machine may be busy.
pub(crate) fn limits() -> Limits {
    let moment = Duration::from_millis(5);
    Limits { first_pause: moment, longest_pause: moment, jitter: Duration::ZERO, ..Limits::default() }
}

pub(crate) fn tenants(org_url: &str, token: SecretString, clock: &lab::Clock) -> Tenants {
    let clock = clock.clone();
    tenants_of(config(org_url, token), http::Clock::new(move || clock.now()), limits())
}

pub(crate) fn tenants_of(config: Config, clock: http::Clock, limits: Limits) -> Tenants {
    Tenants::with_limits(&config, clock, limits).unwrap()
}

pub(crate) fn config(org_url: &str, token: SecretString) -> Config {
    let okta = Okta { org_url: org_url.parse().unwrap(), api_token: Some(token), service_app: None };
    Config { okta: Some(okta), ..nothing() }
}

pub(crate) fn settings(filter: LogFilter, first_fetch: Duration) -> Settings {
    Settings { filter, first_fetch, interval: Duration::from_secs(30) }
}

pub(crate) fn poller(
    log: Arc<dyn SystemLog>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    settings: Settings,
) -> SystemLogPoll {
    let source = Source {
        name: SOURCE.into(),
        source_type: "okta-system-log",
        way: Way::SystemLog(settings.clone()),
        canary: None,
    };
    let sink = Arc::new(Ingest::new(store, clock.clone()));
    SystemLogPoll::new(&source, &settings, log, sink, clock).paced(Pace::every(settings.interval))
}
