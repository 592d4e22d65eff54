//! An Okta that says what a script tells it to.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, Uri};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// Status, headers, body.
pub(crate) type Reply = (u16, Vec<(&'static str, String)>, String);

type Script = dyn Fn(&str, usize) -> Reply + Send + Sync;

#[derive(Clone)]
pub(crate) struct Double {
    pub(crate) address: SocketAddr,
    /// The paths with their queries, and whether a credential came with them.
    seen: Arc<Mutex<Vec<(String, bool)>>>,
    script: Arc<Script>,
}

impl Double {
    /// Answers by a script, which is given path and query and how many requests came before.
    pub(crate) async fn start(script: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Double {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let double = Double { address, seen: Arc::default(), script: Arc::new(script) };
        let router = Router::new().fallback(answer).with_state(double.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        double
    }

    pub(crate) fn org(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<(String, bool)> {
        self.seen.lock().unwrap().clone()
    }
}

async fn answer(State(double): State<Double>, uri: Uri, headers: HeaderMap) -> Response<Body> {
    let asked = uri.path_and_query().unwrap().to_string();
    let before = {
        let mut seen = double.seen.lock().unwrap();
        seen.push((asked.clone(), headers.contains_key("authorization")));
        seen.len() - 1
    };
    let (status, headers, body) = (double.script)(&asked, before);
    let response = headers
        .into_iter()
        .fold(Response::builder().status(status), |r, (name, value)| r.header(name, value));
    response.body(Body::from(body)).unwrap()
}
