//! The socket: binding it, serving connections within time and number, stopping without cutting anyone.

use super::counters::ListenerHealth;
use super::door::{Door, NoDoor};
use super::limits::Allowance;
use super::places::{Places, Seat};
use super::{Accept, Clock};
use crate::config::meant::{Address, Listen, Source};
use crate::domain::SourceState;
use axum::Router;
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time;
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

/// Why the listener does not listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody else is there.
    #[error(
        "address `{0}` is taken: another program listens there\nhint: end it, or set another `address` in `[listen]` (and in what forwards to it)"
    )]
    AddressTaken(SocketAddr),
    /// Secrets would cross a network in the clear.
    #[error(
        "address `{0}` is not a loopback address, and there is no TLS yet: secrets and events would cross the network readable\nhint: listen on `127.0.0.1:{port}` and put a TLS proxy or a tunnel in front of it", port = .0.port()
    )]
    NotLoopback(SocketAddr),
    /// The configuration refuses it before.
    #[error("`{0}` cannot be listened on by this version\nhint: an address on loopback with a port")]
    NotYet(Address),
    /// The system refused.
    #[error("address `{addr}` cannot be listened on: {error}\nhint: check `address` in `[listen]`")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// The sources do not fit together.
    #[error(transparent)]
    NoDoor(#[from] NoDoor),
}

/// A bound socket with a door behind it.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    addr: SocketAddr,
    health: Arc<ListenerHealth>,
    router: Router,
}

impl Listener {
    /// Binds. From here on senders can connect; they are answered once it is served.
    pub async fn bind(
        listen: &Listen,
        sources: &[Source],
        accept: Arc<dyn Accept>,
        clock: Arc<dyn Clock>,
    ) -> Result<Listener, ListenError> {
        let Address::Tcp(addr) = listen.address else {
            return Err(ListenError::NotYet(listen.address.clone()));
        };
        if !addr.ip().to_canonical().is_loopback() {
            return Err(ListenError::NotLoopback(addr));
        }
        let door = Door::new(sources, Allowance::default(), accept, clock)?;
        let socket = TcpListener::bind(addr).await.map_err(|error| bind_failed(addr, error))?;
        let addr = socket.local_addr().map_err(|error| bind_failed(addr, error))?;
        Ok(Listener { socket, addr, health: door.health(), router: door.into_router() })
    }

    /// Where it listens: with the port that the system chose, where 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// How its sources are, live; outlasts the listener.
    pub fn health(&self) -> Arc<ListenerHealth> {
        Arc::clone(&self.health)
    }

    /// Serves until `stop` is true or its sender is gone, then lets requests in flight end.
    pub async fn serve(self, mut stop: watch::Receiver<bool>) {
        let Listener { socket, health, router, .. } = self;
        health.enter(&SourceState::Running);
        let mut connections = JoinSet::new();
        let places = Places::new(CONNECTIONS);
        while let Some((stream, seat)) = next_connection(&socket, &places, &mut stop).await {
            connections.spawn(converse(stream, router.clone(), stop.clone(), seat));
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

fn bind_failed(addr: SocketAddr, error: io::Error) -> ListenError {
    match error.kind() {
        io::ErrorKind::AddrInUse => ListenError::AddressTaken(addr),
        _ => ListenError::Bind { addr, error },
    }
}

async fn next_connection(
    socket: &TcpListener,
    places: &Places,
    stop: &mut watch::Receiver<bool>,
) -> Option<(TcpStream, Seat)> {
    tokio::select! {
        biased;
        () = stopped(stop) => None,
        connection = accept_one(socket, places) => connection,
    }
}

/// The next connection, as soon as there is a place for it; `None` only if there are no places any more.
async fn accept_one(socket: &TcpListener, places: &Places) -> Option<(TcpStream, Seat)> {
    loop {
        match socket.accept().await {
            Ok((stream, _)) => return Some((stream, places.seat().await?)),
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
async fn converse(stream: TcpStream, router: Router, stop: watch::Receiver<bool>, seat: Seat) {
    let seat = Arc::new(seat);
    tokio::select! {
        () = seat.told_to_leave() => tracing::debug!("a connection without a secret made room"),
        () = speak(stream, router, stop, &seat) => {}
    }
}

/// Speaks HTTP/1.1 on one connection until it ends, or until the answer after a stop.
async fn speak(stream: TcpStream, router: Router, mut stop: watch::Receiver<bool>, seat: &Arc<Seat>) {
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
async fn linger(mut stream: TcpStream) {
    if stream.shutdown().await.is_ok() {
        let mut rest = stream.take(LINGER_BYTES);
        let _ = time::timeout(LINGER_TIME, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
    }
}
