//! Who receives: this process while it holds the store's lock, another as long as it lives.
//!
//! The listener runs in whichever process holds the advisory lock beside the store. The others look
//! every second, so that one takes over within two seconds of its end. A port that is taken is a red
//! source and is tried again, never silence.

use crate::app::Msg;
use crate::app::header::Receiver;
use crate::config::meant::{Listen, Source};
use crate::domain::SourceHealth;
use crate::ingest::Ingest;
use crate::source::clock::Clock;
use crate::source::counters::ListenerHealth;
use crate::source::listener::Listener;
use crate::store::Store;
use crate::store::receiver::{self, ReceiverLock, Who};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// How often a process looks whether it may receive, and how its sources are.
const LOOK: Duration = Duration::from_millis(1_000);

/// What a receiver needs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The store's file, beside which the lock is; `None` for a store that only this process has.
    pub store_file: Option<PathBuf>,
    /// Who receives, for the other processes to read.
    pub who: Who,
    /// Where to listen.
    pub listen: Listen,
    /// What to listen for; nothing to look on while others receive.
    pub sources: Vec<Source>,
    /// Why there is nothing to listen for, in words.
    pub idle_because: &'static str,
    /// Where to.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Hears how receiving goes; the console shows it, `collect` prints it.
pub type Tell = Arc<dyn Fn(Msg) + Send + Sync>;

/// Receives whenever this process may, until told to stop. `bound` hears the first address.
pub async fn keep_receiving(
    settings: Settings,
    tell: Tell,
    mut stop: watch::Receiver<bool>,
    mut bound: Option<oneshot::Sender<SocketAddr>>,
) {
    let tell = only_news(tell);
    if settings.sources.is_empty() {
        return look_on(&settings, &tell, stop).await;
    }
    while !*stop.borrow() {
        if let Some(lock) = may_receive(&settings, &tell) {
            receive(&settings, &tell, stop.clone(), &mut bound).await;
            drop(lock);
        }
        tokio::select! {
            _ = stop.changed() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
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

/// Says who receives, for a process that does not receive itself.
async fn look_on(settings: &Settings, tell: &Tell, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let other = settings.store_file.as_deref().and_then(receiver::holder);
        let now = other.map_or_else(|| Receiver::Nobody(settings.idle_because.to_owned()), Receiver::Other);
        tell(Msg::ReceiverChanged(now));
        tokio::select! {
            _ = stop.changed() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// The lock, or who has it. A store without a file is nobody else's.
fn may_receive(settings: &Settings, tell: &Tell) -> Option<Option<ReceiverLock>> {
    let Some(file) = &settings.store_file else { return Some(None) };
    match ReceiverLock::try_take(file, &settings.who) {
        Ok(Some(lock)) => Some(Some(lock)),
        Ok(None) => {
            let other = receiver::holder(file).unwrap_or_else(|| "another process".to_owned());
            // What failed here is no news of who receives there.
            tell(Msg::SourcesChanged(Arc::default()));
            tell(Msg::ReceiverChanged(Receiver::Other(other)));
            None
        }
        Err(error) => {
            tell(Msg::ReceiverChanged(Receiver::Nobody(error.to_string())));
            None
        }
    }
}

async fn receive(
    settings: &Settings,
    tell: &Tell,
    stop: watch::Receiver<bool>,
    bound: &mut Option<oneshot::Sender<SocketAddr>>,
) {
    let ingest = Arc::new(Ingest::new(settings.store.clone(), settings.clock.clone()));
    let listener = Listener::bind(&settings.listen, &settings.sources, ingest, settings.clock.clone()).await;
    let listener = match listener {
        Ok(listener) => listener,
        Err(error) => {
            let health = ListenerHealth::failed(&settings.sources, &error);
            tell(Msg::SourcesChanged(shown(&health)));
            tell(Msg::ReceiverChanged(Receiver::Nobody(error.to_string())));
            return;
        }
    };
    if let Some(at) = listener.local_addr()
        && let Some(bound) = bound.take()
    {
        // Whoever wanted to know may have gone.
        let _ = bound.send(at);
    }
    tell(Msg::ReceiverChanged(Receiver::ThisConsole));
    let health = listener.health();
    let was_told = stop.clone();
    tokio::select! {
        () = listener.serve(stop) => {}
        () = tell_health(&health, tell) => {}
    }
    // A stop that was asked for is no failure of the source.
    if !*was_told.borrow() {
        tell(Msg::SourcesChanged(shown(&health)));
    }
}

async fn tell_health(health: &ListenerHealth, tell: &Tell) {
    loop {
        tell(Msg::SourcesChanged(shown(health)));
        tokio::time::sleep(LOOK).await;
    }
}

fn shown(health: &ListenerHealth) -> Arc<[SourceHealth]> {
    health.snapshot().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::meant::{Address, Reading};
    use crate::ingest::decoder;
    use crate::store::{self, OpenOptions, files};
    use tokio::net::TcpSocket;

    type Told = Arc<Mutex<Vec<Msg>>>;

    fn recorder() -> (Told, Tell) {
        let told = Told::default();
        let heard = told.clone();
        (told, Arc::new(move |msg| heard.lock().unwrap().push(msg)))
    }

    fn settings(folder: &std::path::Path, listen: SocketAddr) -> Settings {
        let file = folder.join("idtriage.db");
        let url = format!("sqlite:{}", file.display());
        Settings {
            store: store::open(&url, decoder(Reading::default()), OpenOptions::default()).unwrap(),
            store_file: Some(file),
            who: Who { pid: 1, host: "jump".to_owned(), what: "a test".to_owned() },
            listen: Listen { address: Address::Tcp(listen), tls: None },
            sources: Vec::new(),
            idle_because: "it is a test",
            clock: Arc::new(crate::source::clock::SystemClock),
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_stays_as_it_is_is_told_once() {
        let folder = files::throw_away_folder("receiver-").unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let taken = settings(folder.path(), socket.local_addr().unwrap());
        let (_stop, stopped) = watch::channel(false);
        let (told, tell) = recorder();
        let tell = only_news(tell);
        for _ in 0..3 {
            receive(&taken, &tell, stopped.clone(), &mut None).await;
        }
        let port_is_taken = told.lock().unwrap().len();
        assert_eq!(port_is_taken, 2, "{:?}", told.lock().unwrap());
        let _other = ReceiverLock::try_take(taken.store_file.as_deref().unwrap(), &taken.who).unwrap();
        for _ in 0..3 {
            assert!(may_receive(&taken, &tell).is_none());
        }
        let told = told.lock().unwrap();
        assert_eq!(told.len(), port_is_taken + 1, "{told:?}");
    }

    #[test]
    fn what_comes_back_is_told_again() {
        let (told, tell) = recorder();
        let tell = only_news(tell);
        let who = |name: &str| Msg::ReceiverChanged(Receiver::Other(name.to_owned()));
        for name in ["ann", "ann", "bob", "ann"] {
            tell(who(name));
            tell(Msg::SourcesChanged(Arc::default()));
        }
        let expected = [who("ann"), Msg::SourcesChanged(Arc::default()), who("bob"), who("ann")];
        assert_eq!(*told.lock().unwrap(), expected);
    }
}
