//! The lab's own accept loop. `axum::serve` always answers; the lab must also be able to cut a connection, so it drives
//! hyper itself: a response marked [`Cut`] closes the connection without a byte.
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tower::ServiceExt as _;

/// Marks a response that never leaves: the connection is closed instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut;

/// A response that closes the connection.
pub(crate) fn cut() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Cut);
    response
}

/// Serves until the handle is aborted, which ends every connection too.
pub(crate) fn serve(listener: TcpListener, router: Router) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(connections.spawn(converse(stream, router.clone()))),
                // Out of file descriptors, most likely: waiting is all that helps.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
            while connections.try_join_next().is_some() {}
        }
    })
}

async fn converse(stream: TcpStream, router: Router) {
    let service = service_fn(move |request: hyper::Request<Incoming>| answer(router.clone(), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(120))
        .serve_connection(TokioIo::new(stream), service);
    // A connection that ends badly is the client's affair, or a cut that was asked for.
    let _ = connection.await;
}

async fn answer(router: Router, request: hyper::Request<Incoming>) -> Result<Response, Severed> {
    let response = match router.oneshot(request.map(Body::new)).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if response.extensions().get::<Cut>().is_some() { Err(Severed) } else { Ok(response) }
}

/// Tells hyper to close the connection.
#[derive(Debug, thiserror::Error)]
#[error("the lab cut the connection")]
struct Severed;
