//! Who receives: this process while it holds the store's lock, another as long as it lives.
//!
//! Whoever holds the advisory lock beside the store receives, all sources of it, and writes into the store
//! how they are. The others look every second, so that one takes over within two seconds of its end, and
//! show what it says. How the sources themselves are kept at work is [`super::supervisor`]'s business.

use super::report::{self, Onlooker, Reporter};
use super::supervisor::{self, Bound, Supervisor};
use crate::app::Msg;
use crate::app::header::Receiver;
use crate::config::meant::{Listen, Source};
use crate::notify::Notifiers;
use crate::source::Polled;
use crate::source::clock::Clock;
use crate::store::Store;
use crate::store::receiver::{self, ReceiverLock, Who};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep};

/// How often a process looks whether it may receive, and how its sources are.
const LOOK: Duration = Duration::from_millis(1_000);
/// How long receiving may take to end after a stop: what the sources may take, and a last word.
pub(super) const STOP_TIME: Duration = supervisor::STOP_TIME.saturating_add(Duration::from_secs(3));

/// What a receiver needs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The store's file, beside which the lock is; `None` for a store that only this process has.
    pub store_file: Option<PathBuf>,
    /// Who receives, for the other processes to read.
    pub who: Who,
    /// Where to listen.
    pub listen: Listen,
    /// What is taken in; nothing to look on while others receive.
    pub sources: Vec<Source>,
    /// Those of the sources that ask, where others are posted to.
    pub polled: Vec<Arc<dyn Polled>>,
    /// Why there is nothing to take in, in words.
    pub idle_because: &'static str,
    /// Where to.
    pub store: Arc<dyn Store>,
    /// Who is told of what arrives, if anybody is.
    pub notifiers: Option<Arc<Notifiers>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Settings {
    /// The same, and these are told of what arrives.
    #[must_use]
    pub fn telling(self, notifiers: Option<Arc<Notifiers>>) -> Settings {
        Settings { notifiers, ..self }
    }
}

/// Hears how receiving goes; the console shows it, `collect` prints it.
pub type Tell = Arc<dyn Fn(Msg) + Send + Sync>;

/// Receives whenever this process may, until told to stop. `bound` hears the first address.
pub async fn keep_receiving(
    settings: Settings,
    tell: Tell,
    mut stop: watch::Receiver<bool>,
    bound: Option<oneshot::Sender<SocketAddr>>,
) {
    let (tell, bound) = (only_news(tell), Arc::new(Mutex::new(bound)));
    let mut onlooker = Onlooker::new(settings.store.clone());
    while !supervisor::is_told(&stop) {
        match turn(&settings) {
            Turn::Ours(lock) => {
                let receiving = receive(&settings, &tell, stop.clone(), bound.clone());
                and_tell(settings.notifiers.as_deref(), receiving, stop.clone()).await;
                drop(lock);
                onlooker.forget();
            }
            Turn::Theirs(who) => {
                tell(Msg::ReceiverChanged(who));
                onlooker.look(&tell).await;
            }
        }
        tokio::select! {
            _ = stop.changed() => {}
            () = sleep(LOOK) => {}
        }
    }
}

/// Receives, and tells of what arrives as long as that lasts. The lock is held until nothing is being
/// told any more: whoever takes over would tell it once more.
async fn and_tell(
    notifiers: Option<&Notifiers>,
    receiving: impl Future<Output = ()>,
    mut stop: watch::Receiver<bool>,
) {
    let Some(notifiers) = notifiers else { return receiving.await };
    let (over, is_over) = watch::channel(false);
    let receiving = async {
        let mut receiving = std::pin::pin!(receiving);
        tokio::select! {
            () = &mut receiving => {}
            () = supervisor::until_told(&mut stop) => {
                over.send_replace(true);
                receiving.await;
            }
        }
        over.send_replace(true);
    };
    tokio::join!(receiving, notifiers.run(is_over));
}

/// Tells what is not what was told last: a look every second is no news every second, and `collect` prints
/// each.
fn only_news(tell: Tell) -> Tell {
    let said = Mutex::new((None, None));
    Arc::new(move |msg| {
        // Whoever panicked while telling changed nothing here by halves.
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        let last = match &msg {
            Msg::ReceiverChanged(_) => &mut said.0,
            _ => &mut said.1,
        };
        if last.as_ref() != Some(&msg) {
            *last = Some(msg.clone());
            tell(msg);
        }
    })
}

/// Whose turn it is.
enum Turn {
    /// Ours, as long as this is held. A store without a file is nobody else's and needs no lock.
    Ours(Option<ReceiverLock>),
    /// Another's, or nobody's.
    Theirs(Receiver),
}

fn turn(settings: &Settings) -> Turn {
    if settings.sources.is_empty() && settings.polled.is_empty() {
        let other = settings.store_file.as_deref().and_then(receiver::holder);
        let nobody = || Receiver::Nobody(settings.idle_because.to_owned());
        return Turn::Theirs(other.map_or_else(nobody, Receiver::Other));
    }
    let Some(file) = &settings.store_file else { return Turn::Ours(None) };
    match ReceiverLock::try_take(file, &settings.who) {
        Ok(Some(lock)) => Turn::Ours(Some(lock)),
        Ok(None) => {
            let other = receiver::holder(file).unwrap_or_else(|| "another process".to_owned());
            Turn::Theirs(Receiver::Other(other))
        }
        Err(error) => Turn::Theirs(Receiver::Nobody(error.to_string())),
    }
}

/// Receives until told to stop, and leaves a last word about it in the store.
async fn receive(settings: &Settings, tell: &Tell, stop: watch::Receiver<bool>, bound: Bound) {
    let supervisor = Supervisor::new(settings, bound).after(report::last(settings.store.as_ref()).await);
    let mut reporter =
        Reporter::new(settings.store.clone(), settings.clock.clone(), settings.who.to_string());
    tokio::select! {
        () = supervisor.run(stop) => {}
        () = tell_news(&supervisor, tell) => {}
        () = report_news(&supervisor, &mut reporter, settings.clock.as_ref()) => {}
    }
    reporter.write(supervisor.snapshot(), Instant::now()).await;
}

/// Tells whoever looks at this process how the sources are.
async fn tell_news(supervisor: &Supervisor, tell: &Tell) {
    loop {
        tell(Msg::SourcesChanged(supervisor.snapshot()));
        if let Some(receiver) = supervisor.receiver() {
            tell(Msg::ReceiverChanged(receiver));
        }
        tokio::select! {
            () = supervisor.changed() => {}
            () = sleep(LOOK) => {}
        }
    }
}

/// The same for other processes. A store that takes its time holds up nobody who looks at this one.
async fn report_news(supervisor: &Supervisor, reporter: &mut Reporter, clock: &dyn Clock) {
    loop {
        let began = clock.now();
        if reporter.look(supervisor.snapshot()).await {
            supervisor.stored(began);
        }
        sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::meant::{Address, LogFilter, Proof, Reading, SystemLog, Way, Webhook};
    use crate::domain::{SourceHealth, SourceState};
    use crate::ingest::decoder;
    use crate::source::clock::SystemClock;
    use crate::store::{self, OpenOptions, files};
    use async_trait::async_trait;
    use std::path::Path;
    use tokio::net::TcpSocket;
    use tokio::task::JoinHandle;

    /// A source that asks and never gets anything.
    #[derive(Debug)]
    struct Idle;

    #[async_trait]
    impl Polled for Idle {
        fn health(&self) -> SourceHealth {
            let health = SourceHealth::new("log".into(), "okta-system-log", "acme.okta.com");
            SourceHealth { state: SourceState::Running, ..health }
        }

        async fn poll(&self, mut stop: watch::Receiver<bool>) {
            while !supervisor::is_told(&stop) {
                let _ = stop.changed().await;
            }
        }
    }

    fn hook() -> Source {
        let proof = Proof::Header { name: "x-secret".into(), secret: "s3cret".into() };
        Source::posted("cii", "cii-webhook", Webhook::new("/hooks/cii", proof))
    }

    fn log() -> Source {
        let rest = Duration::from_secs(3_600);
        let log = SystemLog { filter: LogFilter::Everything, first_fetch: rest, interval: rest };
        Source { name: "log".into(), source_type: "okta-system-log", way: Way::SystemLog(log), canary: None }
    }

    fn settings(folder: &Path, listen: SocketAddr, what: &str, sources: Vec<Source>) -> Settings {
        let file = folder.join("idtriage.db");
        let url = format!("sqlite:{}", file.display());
        let asks = sources.iter().any(|source| source.webhook().is_none());
        Settings {
            store: store::open(&url, decoder(Reading::default()), OpenOptions::default()).unwrap(),
            store_file: Some(file),
            who: Who { pid: 1, host: "jump".to_owned(), what: what.to_owned() },
            listen: Listen { address: Address::Tcp(listen), tls: None },
            sources,
            polled: if asks { vec![Arc::new(Idle)] } else { Vec::new() },
            notifiers: None,
            idle_because: "it is a test",
            clock: Arc::new(SystemClock),
        }
    }

    /// A process that receives or looks on, and everything that it told.
    struct Process {
        told: Arc<Mutex<Vec<Msg>>>,
        stop: watch::Sender<bool>,
        task: JoinHandle<()>,
    }

    impl Process {
        fn start(settings: Settings) -> Process {
            let told = Arc::new(Mutex::new(Vec::new()));
            let heard = told.clone();
            let (stop, stopped) = watch::channel(false);
            let tell: Tell = Arc::new(move |msg| heard.lock().unwrap().push(msg));
            Process { told, stop, task: tokio::spawn(keep_receiving(settings, tell, stopped, None)) }
        }

        async fn tells(&self, what: &str, is_it: impl Fn(&Msg) -> bool) {
            let waiting = async {
                while !self.told.lock().unwrap().iter().any(&is_it) {
                    sleep(Duration::from_millis(5)).await;
                }
            };
            let came = tokio::time::timeout(Duration::from_secs(60), waiting).await;
            assert!(came.is_ok(), "waited for {what}: {:#?}", self.told.lock().unwrap());
        }

        async fn stopped(self) {
            self.stop.send(true).unwrap();
            tokio::time::timeout(Duration::from_secs(60), self.task).await.unwrap().unwrap();
        }
    }

    /// Whether these are the words of two sources: of the one that is posted to, and of the one that asks.
    fn are(sources: &[SourceHealth], cii: &str, log: &str) -> bool {
        let words: Vec<&str> = sources.iter().map(|source| source.state.word()).collect();
        words == [cii, log]
    }

    /// Nobody else can have this address as long as the socket is there.
    fn taken() -> (TcpSocket, SocketAddr) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        (socket, address)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_address_that_is_taken_stops_no_other_source_and_is_tried_again() {
        let folder = files::throw_away_folder("receiver-").unwrap();
        let (socket, address) = taken();
        let settings = settings(folder.path(), address, "a test", vec![hook(), log()]);
        let store = settings.store.clone();
        let process = Process::start(settings);
        let red = |msg: &Msg| matches!(msg, Msg::SourcesChanged(told) if are(told, "failed", "running") && told[0].again.is_some());
        process.tells("the listener to be red", red).await;
        process
            .tells("receiving all the same", |msg| *msg == Msg::ReceiverChanged(Receiver::ThisConsole))
            .await;
        drop(socket);
        let well = |msg: &Msg| matches!(msg, Msg::SourcesChanged(told) if are(told, "running", "running"));
        process.tells("the listener to be well", well).await;
        process.stopped().await;
        let last = store.reported().await.unwrap().unwrap();
        assert!(are(&last.sources, "stopped", "stopped"), "{last:?}");
        assert_eq!(last.receiver, "a test (pid 1 on jump)");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_is_listened_on_where_no_source_is_posted_to() {
        let folder = files::throw_away_folder("receiver-").unwrap();
        let (_socket, address) = taken();
        let process = Process::start(settings(folder.path(), address, "a test", vec![log()]));
        process.tells("receiving", |msg| *msg == Msg::ReceiverChanged(Receiver::ThisConsole)).await;
        process.stopped().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_process_that_takes_over_goes_on_counting_the_silence() {
        let folder = files::throw_away_folder("receiver-").unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let start = || Process::start(settings(folder.path(), any, "a test", vec![hook()]));
        let told = |msg: &Msg| match msg {
            Msg::SourcesChanged(told) => told.first().cloned(),
            _ => None,
        };
        let first = start();
        first.tells("its sources", |msg| told(msg).is_some()).await;
        first.stopped().await;
        let store = settings(folder.path(), any, "a test", Vec::new()).store;
        let before = store.reported().await.unwrap().unwrap().sources[0].since;
        let second = start();
        let goes_on =
            |msg: &Msg| told(msg).is_some_and(|hook| hook.listened_since == before && hook.since > before);
        second.tells("to go on", goes_on).await;
        second.stopped().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_looks_on_hears_of_the_others_sources() {
        let folder = files::throw_away_folder("receiver-").unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let first = Process::start(settings(folder.path(), any, "first", vec![hook(), log()]));
        first.tells("receiving", |msg| *msg == Msg::ReceiverChanged(Receiver::ThisConsole)).await;
        // One could receive itself, the other has nothing to receive.
        let waiting = Process::start(settings(folder.path(), any, "second", vec![log()]));
        let looking = Process::start(settings(folder.path(), any, "third", Vec::new()));
        for process in [&waiting, &looking] {
            let who = Receiver::Other("first (pid 1 on jump)".to_owned());
            process.tells("who receives", |msg| *msg == Msg::ReceiverChanged(who.clone())).await;
            let said = |msg: &Msg| matches!(msg, Msg::SourcesReported(said) if said.receiver.starts_with("first") && are(&said.sources, "running", "running"));
            process.tells("how its sources are", said).await;
        }
        first.stopped().await;
        let own = |msg: &Msg| matches!(msg, Msg::SourcesChanged(told) if told.len() == 1 && told[0].since.is_some());
        waiting.tells("to have taken over", own).await;
        let next =
            |msg: &Msg| matches!(msg, Msg::SourcesReported(said) if said.receiver.starts_with("second"));
        looking.tells("who took over", next).await;
        waiting.stopped().await;
        looking.stopped().await;
    }

    #[test]
    fn what_comes_back_is_told_again_and_what_stays_is_not() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = told.clone();
        let tell = only_news(Arc::new(move |msg| heard.lock().unwrap().push(msg)));
        let who = |name: &str| Msg::ReceiverChanged(Receiver::Other(name.to_owned()));
        for name in ["ann", "ann", "bob", "ann"] {
            tell(who(name));
            tell(Msg::SourcesChanged(Arc::default()));
        }
        let expected = [who("ann"), Msg::SourcesChanged(Arc::default()), who("bob"), who("ann")];
        assert_eq!(*told.lock().unwrap(), expected);
    }
}
