//! A double that keeps the proofs that it was shown.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use idtriage::config::Config;
use idtriage::config::meant::{Okta, ServiceApp};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

#[path = "../support/config.rs"]
mod config;

/// A proof as it was shown.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Shown {
    pub(crate) jti: String,
    pub(crate) ath: Option<String>,
    pub(crate) nonce: Option<String>,
    /// The token beside it.
    #[serde(skip)]
    pub(crate) token: Option<String>,
}

type Script = dyn Fn(&str) -> (u16, Value) + Send + Sync;

#[derive(Clone)]
pub(crate) struct Double {
    address: SocketAddr,
    proofs: Arc<Mutex<Vec<Shown>>>,
    paths: Arc<Mutex<Vec<String>>>,
    /// Requests in flight, and the most at once so far.
    flying: Arc<(AtomicUsize, AtomicUsize)>,
    script: Arc<Script>,
}

impl Double {
    /// Answers by path. Refusals bring a nonce.
    pub(crate) async fn start(script: impl Fn(&str) -> (u16, Value) + Send + Sync + 'static) -> Double {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let double = Double {
            address,
            proofs: Arc::default(),
            paths: Arc::default(),
            flying: Arc::default(),
            script: Arc::new(script),
        };
        let router = Router::new().fallback(answer).with_state(double.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        double
    }

    /// A service application, or an API token, at the double.
    pub(crate) fn config(&self, dpop: bool) -> Config {
        let key = include_str!("../keys/ec.pem").into();
        let app = ServiceApp { client_id: "0oa1".into(), private_key: key, key_id: None, dpop };
        let org_url = format!("http://{}/", self.address).parse().unwrap();
        let okta = Okta { org_url, api_token: Some("ssws".into()), service_app: Some(app) };
        Config { okta: Some(okta), ..config::nothing() }
    }

    pub(crate) fn proofs(&self) -> Vec<Shown> {
        self.proofs.lock().unwrap().clone()
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.paths.lock().unwrap().clone()
    }

    /// How many requests were in flight at once.
    pub(crate) fn most_at_once(&self) -> usize {
        self.flying.1.load(Ordering::SeqCst)
    }

    /// Lets whatever else is on its way arrive while this request is in flight.
    async fn fly(&self) {
        let now = self.flying.0.fetch_add(1, Ordering::SeqCst) + 1;
        self.flying.1.fetch_max(now, Ordering::SeqCst);
        for _ in 0..2_000 {
            tokio::task::yield_now().await;
        }
        self.flying.0.fetch_sub(1, Ordering::SeqCst);
    }

    fn note(&self, headers: &HeaderMap) {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let Some(proof) = text("dpop") else { return };
        let claims = URL_SAFE_NO_PAD.decode(proof.split('.').nth(1).unwrap()).unwrap();
        let token = text("authorization").map(|shown| shown.strip_prefix("DPoP ").unwrap().to_owned());
        self.proofs.lock().unwrap().push(Shown { token, ..serde_json::from_slice(&claims).unwrap() });
    }
}

async fn answer(State(double): State<Double>, uri: Uri, headers: HeaderMap) -> Response<Body> {
    double.note(&headers);
    double.paths.lock().unwrap().push(uri.path().to_owned());
    double.fly().await;
    let (status, body) = (double.script)(uri.path());
    let response = Response::builder().status(status);
    let response = if status == 401 { response.header("dpop-nonce", "of-the-double") } else { response };
    response.body(Body::from(body.to_string())).unwrap()
}

/// What binds a proof to a token.
pub(crate) fn digest(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}
