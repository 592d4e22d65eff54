//! What systemd is told of a service: that it is ready, how it is, that it is alive, that it stops.
//!
//! The protocol is a datagram of `NAME=value` lines to the socket that `$NOTIFY_SOCKET` names
//! (sd_notify(3)). Where there is none, nobody is told. A service is *ready* once its store is open and it
//! takes something in, or knows that another process does; it is *alive* while the store answers.

use super::receiver::Tell;
use crate::app::Msg;
use crate::app::header::Receiver;
use crate::domain::time::Zone;
use crate::domain::{SourceHealth, untrusted};
use crate::source::clock::Clock;
use crate::store::{Store, StoreError};
use jiff::Timestamp;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a full socket may hold us up.
const SEND_TIME: Duration = Duration::from_secs(1);
/// The most columns of a state's line.
const STATUS: usize = 400;

/// Somebody who is told, or nobody.
#[derive(Debug, Default)]
pub struct Systemd {
    socket: Option<UnixDatagram>,
    watchdog: Option<Duration>,
    said: Mutex<Said>,
}

/// What was said, and what it was made of.
#[derive(Debug, Default)]
struct Said {
    receiver: Receiver,
    sources: Arc<[SourceHealth]>,
    now: Timestamp,
    status: String,
    is_ready: bool,
}

impl Systemd {
    /// As the environment of the process of this id says it. A socket that cannot be reached is logged and
    /// told nothing.
    pub fn of(variable: impl Fn(&str) -> Option<OsString>, pid: u32) -> Systemd {
        let socket = variable("NOTIFY_SOCKET").filter(|name| !name.is_empty()).and_then(|name| {
            let socket = connect(&name);
            let not_told =
                |error: &io::Error| tracing::warn!(?name, %error, "systemd cannot be told anything");
            socket.inspect_err(not_told).ok()
        });
        let number = |name: &str| variable(name)?.to_str()?.parse::<u64>().ok();
        // The variables are inherited by children, for whom they are not meant.
        let is_ours = variable("WATCHDOG_PID").is_none() || number("WATCHDOG_PID") == Some(pid.into());
        let watchdog = number("WATCHDOG_USEC").filter(|usec| is_ours && *usec > 0);
        Systemd { socket, watchdog: watchdog.map(Duration::from_micros), said: Mutex::default() }
    }

    /// Tells as before, and lets systemd know what is news to it.
    pub(super) fn hears(self: &Arc<Self>, tell: Tell) -> Tell {
        let systemd = self.clone();
        Arc::new(move |msg| {
            systemd.hear(&msg);
            tell(msg);
        })
    }

    fn hear(&self, msg: &Msg) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match msg {
            Msg::ReceiverChanged(receiver) => said.receiver = receiver.clone(),
            Msg::SourcesChanged(sources) => said.sources = sources.clone(),
            Msg::SourcesReported(_) => said.sources = Arc::default(),
            Msg::Ticked(now) => said.now = *now,
            _ => return,
        }
        for line in said.news() {
            self.send(&line);
        }
    }

    /// Says that the service stops.
    pub(super) fn stopping(&self) {
        self.send("STOPPING=1\nSTATUS=stopping: what was acknowledged is being stored");
    }

    /// Says that the service is alive as long as its store answers, four times as often as it has to; ends at
    /// once where nobody asks.
    pub(super) async fn keep_alive(self: Arc<Self>, store: Arc<dyn Store>, clock: Arc<dyn Clock>) {
        let Some(watchdog) = self.watchdog.filter(|_| self.socket.is_some()) else { return };
        let mut turns = tokio::time::interval(watchdog / 4);
        loop {
            turns.tick().await;
            match tokio::time::timeout(watchdog / 4, answers(store.as_ref(), clock.as_ref())).await {
                Ok(Ok(())) => self.send("WATCHDOG=1"),
                Ok(Err(error)) => tracing::error!(%error, "the store does not answer"),
                Err(_) => tracing::error!("the store does not answer"),
            }
        }
    }

    fn send(&self, lines: &str) {
        let Some(socket) = &self.socket else { return };
        if let Err(error) = socket.send(lines.as_bytes()) {
            tracing::warn!(%error, "systemd could not be told");
        }
    }
}

impl Said {
    /// What is not said yet.
    fn news(&mut self) -> Vec<String> {
        let is_ready = matches!(self.receiver, Receiver::ThisConsole | Receiver::Other(_));
        let status = status(&self.receiver, &self.sources, self.now);
        let mut news = Vec::new();
        if is_ready && !self.is_ready {
            news.push("READY=1".to_owned());
            self.is_ready = true;
        }
        if status != self.status {
            news.push(format!("STATUS={status}"));
            self.status = status;
        }
        news
    }
}

/// Reading and writing: a full disk refuses writes and is an answer all the same, since no restart mends
/// it.
async fn answers(store: &dyn Store, clock: &dyn Clock) -> Result<(), StoreError> {
    store.health().await?;
    match store.expire_leases(clock.now()).await {
        Err(StoreError::Closed) => Err(StoreError::Closed),
        _ => Ok(()),
    }
}

/// One line, without counters: it changes when something does that matters.
fn status(receiver: &Receiver, sources: &[SourceHealth], now: Timestamp) -> String {
    let who = match receiver {
        Receiver::Unknown => "starting".to_owned(),
        Receiver::ThisConsole => "receiving".to_owned(),
        Receiver::Other(who) => format!("waiting: {who} receives"),
        Receiver::Nobody(why) => format!("not receiving: {}", why.lines().next().unwrap_or_default()),
    };
    let told = |source: &SourceHealth| {
        let told = [vec![source.told(&Zone::Utc)], source.remarks(now)].concat();
        format!("{} {}", source.name, told.join("; "))
    };
    let told: Vec<String> = sources.iter().map(told).collect();
    let line = if told.is_empty() { who } else { format!("{who}; {}", told.join(", ")) };
    untrusted::fit(&untrusted::visible(&line), STATUS).into_owned()
}

fn connect(name: &OsStr) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(SEND_TIME))?;
    match name.as_encoded_bytes() {
        [b'@', name @ ..] => connect_abstract(&socket, name)?,
        [b'/', ..] => socket.connect(Path::new(name))?,
        _ => return Err(io::Error::other("it is neither a path nor an abstract socket")),
    }
    Ok(socket)
}

/// A socket that is in no folder: only Linux has them, and systemd.
#[cfg(target_os = "linux")]
fn connect_abstract(socket: &UnixDatagram, name: &[u8]) -> io::Result<()> {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::SocketAddr;
    socket.connect_addr(&SocketAddr::from_abstract_name(name)?)
}

#[cfg(not(target_os = "linux"))]
fn connect_abstract(_: &UnixDatagram, _: &[u8]) -> io::Result<()> {
    Err(io::Error::other("this system has no abstract sockets"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::meant::Reading;
    use crate::domain::SourceState;
    use crate::ingest::decoder;
    use crate::source::clock::SystemClock;
    use crate::store::{self, OpenOptions, files};

    /// systemd's side, and the service that tells it.
    fn pair(more: &[(&str, &str)]) -> (tempfile::TempDir, UnixDatagram, Arc<Systemd>) {
        let folder = files::throw_away_folder("systemd-").unwrap();
        let path = folder.path().join("notify");
        let side = UnixDatagram::bind(&path).unwrap();
        side.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let more: Vec<(String, String)> = more.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
        let variable = move |name: &str| match name {
            "NOTIFY_SOCKET" => Some(path.clone().into_os_string()),
            name => more.iter().find(|(known, _)| known == name).map(|(_, value)| value.into()),
        };
        (folder, side, Arc::new(Systemd::of(variable, 7)))
    }

    fn next(side: &UnixDatagram) -> String {
        let mut buffer = [0; 4096];
        let length = side.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    fn source(state: SourceState) -> Msg {
        let source = SourceHealth::new("log".into(), "okta-system-log", "acme.okta.com");
        Msg::SourcesChanged([SourceHealth { state, accepted: fastrand::u64(..), ..source }].into())
    }

    #[test]
    fn it_is_ready_once_and_says_how_it_is_when_that_changes() {
        let (_folder, side, systemd) = pair(&[]);
        let told = Arc::new(Mutex::new(0));
        let count = told.clone();
        let tell = systemd.hears(Arc::new(move |_| *count.lock().unwrap() += 1));
        tell(source(SourceState::Starting));
        assert_eq!(next(&side), "STATUS=starting; log starting");
        tell(Msg::ReceiverChanged(Receiver::Nobody("port taken\nhint: another".into())));
        assert_eq!(next(&side), "STATUS=not receiving: port taken; log starting");
        tell(Msg::ReceiverChanged(Receiver::ThisConsole));
        assert_eq!([next(&side), next(&side)], ["READY=1", "STATUS=receiving; log starting"]);
        // Counters are no news.
        tell(source(SourceState::Starting));
        tell(source(SourceState::failed("a\nb\u{1b}")));
        assert_eq!(next(&side), "STATUS=receiving; log failed: a; b<U+001B>");
        tell(Msg::ReceiverChanged(Receiver::Other("collect (pid 8 on jump)".into())));
        assert!(next(&side).starts_with("STATUS=waiting: collect (pid 8 on jump) receives; "));
        systemd.stopping();
        assert!(next(&side).starts_with("STOPPING=1\nSTATUS="));
        assert_eq!(*told.lock().unwrap(), 6, "everything is told on");
    }

    #[test]
    fn the_watchdog_is_ours_alone() {
        let watchdog = |more: &[(&str, &str)]| pair(more).2.watchdog;
        assert_eq!(watchdog(&[("WATCHDOG_USEC", "2000000")]), Some(Duration::from_secs(2)));
        assert_eq!(
            watchdog(&[("WATCHDOG_USEC", "2000000"), ("WATCHDOG_PID", "7")]),
            Some(Duration::from_secs(2))
        );
        assert_eq!(watchdog(&[("WATCHDOG_USEC", "2000000"), ("WATCHDOG_PID", "8")]), None);
        assert_eq!(watchdog(&[("WATCHDOG_USEC", "0")]), None);
        assert_eq!(watchdog(&[]), None);
    }

    #[test]
    fn nobody_is_told_where_nobody_listens() {
        for name in [None, Some(""), Some("/nonexistent/notify"), Some("vsock:1:2")] {
            let systemd = Systemd::of(|wanted| name.filter(|_| wanted == "NOTIFY_SOCKET").map(Into::into), 7);
            assert!(systemd.socket.is_none(), "{name:?}");
            systemd.stopping();
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_socket_may_be_in_no_folder() {
        use std::os::linux::net::SocketAddrExt as _;
        let name = format!("idtriage-test-{}", uuid::Uuid::new_v4());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let side = UnixDatagram::bind_addr(&address).unwrap();
        let systemd = Systemd::of(|wanted| (wanted == "NOTIFY_SOCKET").then(|| format!("@{name}").into()), 7);
        systemd.stopping();
        assert!(next(&side).starts_with("STOPPING=1"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn it_is_alive_while_its_store_answers() {
        let (folder, side, systemd) = pair(&[("WATCHDOG_USEC", "4000000")]);
        let url = format!("sqlite:{}", folder.path().join("idtriage.db").display());
        let store = store::open(&url, decoder(Reading::default()), OpenOptions::default()).unwrap();
        let alive = tokio::spawn(systemd.keep_alive(store.clone(), Arc::new(SystemClock)));
        let said = tokio::task::spawn_blocking(move || [next(&side), next(&side)]).await.unwrap();
        assert_eq!(said, ["WATCHDOG=1", "WATCHDOG=1"]);
        alive.abort();
        assert!(answers(store.as_ref(), &SystemClock).await.is_ok());
        store.close().await.unwrap();
        assert!(answers(store.as_ref(), &SystemClock).await.is_err());
    }
}
