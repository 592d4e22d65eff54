//! The customer's side: whoever the lab's senders post to, and what came there.
use crate::common::until;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Form, Json, Router};
use idtriage::lab::{HookAuth, LabListener};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) raw: Bytes,
    /// Null if it is not JSON.
    pub(crate) body: Value,
}

impl Came {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// What the n-th of its requests is answered, from 1.
type Answer = Box<dyn Fn(usize, &Came) -> Response + Send + Sync>;

/// Marks an answer that never comes.
#[derive(Debug, Clone, Copy)]
struct Never;

/// No answer at all: the connection stays open.
pub(crate) fn never() -> Response {
    let mut response = StatusCode::OK.into_response();
    response.extensions_mut().insert(Never);
    response
}

struct Desk {
    inbox: Arc<Mutex<Vec<Came>>>,
    answer: Answer,
}

/// A listener that takes everything below `/hooks/`, and the token endpoint in front of it.
pub(crate) struct Customer {
    inbox: Arc<Mutex<Vec<Came>>>,
    pub(crate) base: String,
    serving: JoinHandle<()>,
}

impl Customer {
    /// Answers the n-th webhook with a status, and every challenge as it should be.
    pub(crate) async fn start(answer: impl Fn(usize) -> StatusCode + Send + Sync + 'static) -> Customer {
        Customer::answering(move |n, came| match came.header("x-okta-verification-challenge") {
            Some(challenge) if came.method == Method::GET => {
                Json(json!({"verification": challenge})).into_response()
            }
            _ => answer(n).into_response(),
        })
        .await
    }

    /// Answers whatever comes as it is told to.
    pub(crate) async fn answering(
        answer: impl Fn(usize, &Came) -> Response + Send + Sync + 'static,
    ) -> Customer {
        let inbox = Arc::default();
        let desk = Arc::new(Desk { inbox: Arc::clone(&inbox), answer: Box::new(answer) });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().route("/token", post(token)).fallback(receive).with_state(desk);
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Customer { inbox, base, serving }
    }

    /// A target of one sender.
    pub(crate) fn listener(&self, path: &str, auth: HookAuth) -> LabListener {
        LabListener { url: format!("{}{path}", self.base), auth }
    }

    /// Everything so far.
    pub(crate) fn came(&self) -> Vec<Came> {
        self.inbox.lock().unwrap().clone()
    }

    /// The webhooks so far: what was posted.
    pub(crate) fn posted(&self) -> Vec<Came> {
        self.came().into_iter().filter(|came| came.method == Method::POST).collect()
    }

    /// What those webhooks said.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.posted().into_iter().map(|came| came.body).collect()
    }

    /// Waits for webhooks until there is an answer to what they are asked.
    pub(crate) async fn wait<T>(&self, what: &str, ask: impl Fn(&[Value]) -> Option<T>) -> T {
        let mut answer = None;
        until(what, || {
            answer = ask(&self.bodies());
            answer.is_some()
        })
        .await;
        answer.unwrap()
    }
}

impl Drop for Customer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn receive(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if !parts.uri.path().starts_with("/hooks/") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let raw = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let came = Came {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: serde_json::from_slice(&raw).unwrap_or_default(),
        raw,
    };
    let n = {
        let mut inbox = desk.inbox.lock().unwrap();
        inbox.push(came.clone());
        inbox.iter().filter(|before| before.method == came.method).count()
    };
    let answer = (desk.answer)(n, &came);
    if answer.extensions().get::<Never>().is_some() {
        std::future::pending::<()>().await;
    }
    answer
}

async fn token(Form(fields): Form<HashMap<String, String>>) -> (StatusCode, Json<Value>) {
    let is_known = fields["grant_type"] == "client_credentials"
        && (fields["client_id"].as_str(), fields["client_secret"].as_str()) == ("cii", "s3cret");
    if is_known {
        (StatusCode::OK, Json(json!({"access_token": "a.b.c", "token_type": "Bearer"})))
    } else {
        (StatusCode::UNAUTHORIZED, Json(json!({"error": "invalid_client"})))
    }
}

/// A header of the customer's own with a value.
pub(crate) fn key(value: &str) -> HookAuth {
    HookAuth::Key { header: "x-of-their-own".to_owned(), value: SecretString::from(value) }
}
