//! The socket: binding it, serving connections within time and number, stopping without cutting anyone.

use super::counters::{ListenerHealth, Topic};
use super::door::{Door, NoDoor};
use super::limits::Allowance;
use super::places::{Places, Seat};
use super::socket::{Socket, Stream};
use super::tls::{Tls, TlsError};
use super::{Accept, Clock};
use crate::config::meant::{Address, Listen, Source};
use crate::domain::{SourceNote, SourceState};
use axum::Router;
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{self, JoinSet};
use tokio::time;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt as _;

/// Connections at once: a multiple of what may wait for an answer.
const CONNECTIONS: usize = 1024;
/// How long the head of a request may take, and how long a connection may idle before the next.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// The largest head.
const HEAD_BYTES: usize = 32 * 1024;
/// How long and how much is read and thrown away after the last answer.
const LINGER_TIME: Duration = Duration::from_secs(1);
const LINGER_BYTES: u64 = 64 * 1024 * 1024;
/// How long requests in flight may take after the stop.
const STOP_TIME: Duration = Duration::from_secs(6);
/// The rest after a failed accept: out of file descriptors stays so for a while.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// How long a TLS handshake may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// Why the listener does not listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody else is there.
    #[error(
        "address `{0}` is taken: another program listens there\nhint: end it, or set another `address` in `[listen]` (and in what forwards to it)"
    )]
    AddressTaken(Address),
    /// Secrets would cross a network in the clear.
    #[error(
        "address `{0}` is not a loopback address, and there is no TLS: secrets and events would cross the network readable\nhint: listen on `127.0.0.1:{port}` and put a TLS proxy or a tunnel in front of it, or give `[listen]` a `tls_cert` and a `tls_key`", port = .0.port()
    )]
    NotLoopback(SocketAddr),
    /// The system refused.
    #[error("address `{addr}` cannot be listened on: {error}\nhint: check `address` in `[listen]`")]
    Bind {
        /// The address.
        addr: Address,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// No socket is made there.
    #[error("socket `{path}` cannot be listened on: {why}\nhint: {hint}")]
    Socket {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        why: &'static str,
        /// What mends it.
        hint: &'static str,
    },
    /// Certificate or key are of no use.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The sources do not fit together.
    #[error(transparent)]
    NoDoor(#[from] NoDoor),
}

/// A bound socket with a door behind it.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    health: Arc<ListenerHealth>,
    speaker: Speaker,
}

impl Listener {
    /// Binds. From here on senders can connect; they are answered once it is served.
    pub async fn bind(
        listen: &Listen,
        sources: &[Source],
        accept: Arc<dyn Accept>,
        clock: Arc<dyn Clock>,
    ) -> Result<Listener, ListenError> {
        check_reach(listen)?;
        let tls = listen.tls.as_ref().map(|files| Tls::load(files, clock.now())).transpose()?;
        let door = Door::new(sources, Allowance::default(), accept, Arc::clone(&clock))?;
        let socket = Socket::listen(&listen.address).await?;
        let health = door.health();
        if let Some(tls) = &tls {
            let now = clock.now();
            health.tell(Topic::Certificate, tls.warning(now).map(|words| SourceNote::warning(words, now)));
        }
        let tls = tls.map(Arc::new);
        let (router, handshake_time) = (door.into_router(), HANDSHAKE_TIME);
        let speaker = Speaker { router, tls, health: Arc::clone(&health), clock, handshake_time };
        Ok(Listener { socket, health, speaker })
    }

    /// Where it listens: with the port that the system chose, where 0 was asked for. A Unix socket has no
    /// such address.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.socket.local_addr()
    }

    /// How its sources are, live; outlasts the listener.
    pub fn health(&self) -> Arc<ListenerHealth> {
        Arc::clone(&self.health)
    }

    /// Serves until `stop` is true or its sender is gone, then lets requests in flight end.
    pub async fn serve(self, mut stop: watch::Receiver<bool>) {
        let Listener { socket, health, speaker } = self;
        health.enter(&SourceState::Running);
        let mut connections = JoinSet::new();
        let places = Places::new(CONNECTIONS);
        while let Some((stream, seat)) = next_connection(&socket, &places, &mut stop).await {
            connections.spawn(converse(stream, speaker.clone(), stop.clone(), seat));
            while connections.try_join_next().is_some() {}
        }
        drop(socket);
        let ended = async { while connections.join_next().await.is_some() {} };
        if time::timeout(STOP_TIME, ended).await.is_err() {
            tracing::warn!(
                "requests were still in flight when the listener stopped; their senders will repeat them"
            );
        }
        health.enter(&SourceState::Stopped);
    }
}

/// Nothing but loopback goes without TLS, whatever a configuration said.
fn check_reach(listen: &Listen) -> Result<(), ListenError> {
    match listen.address {
        Address::Tcp(addr) if listen.tls.is_none() && !addr.ip().to_canonical().is_loopback() => {
            Err(ListenError::NotLoopback(addr))
        }
        Address::Tcp(_) | Address::Unix(_) => Ok(()),
    }
}

async fn next_connection(
    socket: &Socket,
    places: &Places,
    stop: &mut watch::Receiver<bool>,
) -> Option<(Stream, Seat)> {
    tokio::select! {
        biased;
        () = stopped(stop) => None,
        connection = accept_one(socket, places) => connection,
    }
}

/// The next connection, as soon as there is a place for it; `None` only if there are no places any more.
async fn accept_one(socket: &Socket, places: &Places) -> Option<(Stream, Seat)> {
    loop {
        match socket.accept().await {
            Ok(stream) => return Some((stream, places.seat().await?)),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                time::sleep(ACCEPT_REST).await;
            }
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// One connection until it ends, or has to make room for another.
async fn converse(stream: Stream, speaker: Speaker, stop: watch::Receiver<bool>, seat: Seat) {
    let seat = Arc::new(seat);
    let spoken = async {
        match stream {
            Stream::Unix(stream) => speak(stream, speaker.router, stop, &seat).await,
            Stream::Tcp(stream) => speaker.over_tcp(stream, stop, &seat).await,
        }
    };
    tokio::select! {
        () = seat.told_to_leave() => tracing::debug!("a connection without a secret made room"),
        () = spoken => {}
    }
}

/// What every connection is spoken with.
#[derive(Debug, Clone)]
struct Speaker {
    router: Router,
    tls: Option<Arc<Tls>>,
    health: Arc<ListenerHealth>,
    clock: Arc<dyn Clock>,
    handshake_time: Duration,
}

impl Speaker {
    async fn over_tcp(self, stream: TcpStream, mut stop: watch::Receiver<bool>, seat: &Arc<Seat>) {
        let Some(tls) = &self.tls else { return speak(stream, self.router, stop, seat).await };
        let shaken = tokio::select! {
            // Nobody has said anything yet that could be waited for.
            () = stopped(&mut stop) => return,
            shaken = time::timeout(self.handshake_time, self.shake_hands(tls, stream)) => shaken,
        };
        match shaken {
            Ok(Ok(stream)) => speak(stream, self.router, stop, seat).await,
            Ok(Err(error)) => self.health.handshake_failed(&error.to_string()),
            Err(_) => self.health.handshake_failed("it took too long"),
        }
    }

    /// The files are looked at where a slow disk holds up this connection alone.
    async fn shake_hands(&self, tls: &Arc<Tls>, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let (tls, health, at) = (Arc::clone(tls), Arc::clone(&self.health), self.clock.now());
        let config =
            task::spawn_blocking(move || tls.current(at, &health)).await.map_err(io::Error::other)?;
        TlsAcceptor::from(config).accept(stream).await
    }
}

/// Speaks HTTP/1.1 on one connection until it ends, or until the answer after a stop.
async fn speak<S>(stream: S, router: Router, mut stop: watch::Receiver<bool>, seat: &Arc<Seat>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = service_fn(|mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(Arc::clone(seat));
        router.clone().oneshot(request).boxed()
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => ended,
        () = stopped(&mut stop) => {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            poll_fn(|cx| connection.poll_without_shutdown(cx)).await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
    linger(connection.into_parts().io.into_inner()).await;
}

/// Reads what the other side still sends, for a moment. Closing with bytes unread would reset the
/// connection, and a sender that is told 413 or 401 in the middle of its body would never see it.
async fn linger(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let to_the_end = async {
        // Over TLS the last word is written, and whoever reads nothing would never let it be.
        if stream.shutdown().await.is_ok() {
            let mut rest = stream.take(LINGER_BYTES);
            let _ = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
        }
    };
    let _ = time::timeout(LINGER_TIME, to_the_end).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::meant::TlsFiles;
    use crate::source::SystemClock;
    use std::path::Path;
    use tokio::net::TcpListener;

    fn speaker() -> Speaker {
        let key = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys/tls").join(name);
        let folder = tempfile::tempdir().unwrap();
        let private = folder.path().join("tls.key");
        std::fs::copy(key("here.key"), &private).unwrap();
        std::fs::set_permissions(&private, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let tls = Tls::load(&TlsFiles { cert: key("here.pem"), key: private }, SystemClock.now()).unwrap();
        Speaker {
            router: Router::new(),
            tls: Some(Arc::new(tls)),
            health: Arc::default(),
            clock: Arc::new(SystemClock),
            handshake_time: Duration::from_millis(1),
        }
    }

    #[tokio::test]
    async fn a_handshake_that_does_not_end_is_ended() {
        let (speaker, places) = (speaker(), Places::new(1));
        let health = Arc::clone(&speaker.health);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut silent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let (_stop, stopped) = watch::channel(false);
        speaker.over_tcp(stream, stopped, &Arc::new(places.seat().await.unwrap())).await;
        assert_eq!(health.failed_handshakes(), 1);
        assert_eq!(silent.read(&mut [0]).await.unwrap(), 0, "the connection is closed");
    }
}
