//! Where connections come from: TCP or a Unix socket.

use super::listener::ListenError;
use super::unix::{self, SocketFile};
use crate::config::meant::Address;
use std::io;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// A socket that is listened on.
#[derive(Debug)]
pub(super) enum Socket {
    /// TCP, and where: with the port that the system chose, where 0 was asked for.
    Tcp(TcpListener, SocketAddr),
    /// A Unix socket, and its file.
    Unix(UnixListener, #[expect(dead_code, reason = "held for its drop")] SocketFile),
}

/// A connection, not spoken on yet.
#[derive(Debug)]
pub(super) enum Stream {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a Unix socket.
    Unix(UnixStream),
}

impl Socket {
    /// Listens.
    pub(super) async fn listen(address: &Address) -> Result<Socket, ListenError> {
        match address {
            Address::Tcp(wanted) => {
                let failed = |error| bind_failed(address, error);
                let listener = TcpListener::bind(wanted).await.map_err(failed)?;
                let bound = listener.local_addr().map_err(failed)?;
                Ok(Socket::Tcp(listener, bound))
            }
            Address::Unix(path) => unix::listen(path).map(|(listener, file)| Socket::Unix(listener, file)),
        }
    }

    /// Its address; a Unix socket has none.
    pub(super) fn local_addr(&self) -> Option<SocketAddr> {
        match self {
            Socket::Tcp(_, bound) => Some(*bound),
            Socket::Unix(..) => None,
        }
    }

    /// The next connection.
    pub(super) async fn accept(&self) -> io::Result<Stream> {
        match self {
            Socket::Tcp(listener, _) => listener.accept().await.map(|(stream, _)| Stream::Tcp(stream)),
            Socket::Unix(listener, _) => listener.accept().await.map(|(stream, _)| Stream::Unix(stream)),
        }
    }
}

fn bind_failed(address: &Address, error: io::Error) -> ListenError {
    match error.kind() {
        io::ErrorKind::AddrInUse => ListenError::AddressTaken(address.clone()),
        _ => ListenError::Bind { addr: address.clone(), error },
    }
}
