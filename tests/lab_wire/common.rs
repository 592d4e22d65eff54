//! What the tests of the lab share: a lab of fixed seed and a client that speaks plain HTTP to it.
use crate::support::wait;
use idtriage::lab::{Callers, Lab, LabOptions};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::fmt::Display;
use std::sync::Arc;

pub(crate) const START: &str = "2026-05-01T12:00:00Z";

pub(crate) fn options() -> LabOptions {
    // These tests ask by hand, and wrongly on purpose.
    LabOptions { seed: 7, users: 200, callers: Callers::Anybody, ..LabOptions::at(START.parse().unwrap()) }
}

pub(crate) async fn lab() -> Lab {
    Lab::start(options()).await.unwrap()
}

/// Waits until it is so.
pub(crate) async fn until(what: impl Display, mut ask: impl FnMut() -> bool) {
    let asked = async {
        while !ask() {
            tokio::time::sleep(wait::POLL).await;
        }
    };
    wait::within(what, asked).await;
}

/// A client without proxies, redirects or certificates.
pub(crate) fn client() -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .tls_backend_preconfigured(tls)
        .build()
        .unwrap()
}

/// Status and JSON of an answer; null for a body that is none.
pub(crate) async fn read(response: reqwest::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap_or_default();
    (status, serde_json::from_str(&text).unwrap_or_default())
}

pub(crate) async fn cii_token(lab: &Lab) -> String {
    let body = json!({
        "grant_type": "client_credentials", "client_id": lab.secrets().cii_client_id,
        "client_secret": lab.secrets().cii_client_secret.expose_secret(),
    });
    let response = client().post(&lab.addresses().cii_token_url).json(&body).send().await.unwrap();
    read(response).await.1["access_token"].as_str().unwrap().to_owned()
}

/// Asks CII with a good token.
pub(crate) async fn ask(lab: &Lab, query: &str, variables: Value) -> Value {
    let body = json!({"query": query, "variables": variables});
    let token = cii_token(lab).await;
    let request = client().post(&lab.addresses().cii_api_url).bearer_auth(token).json(&body);
    let (status, reply) = read(request.send().await.unwrap()).await;
    assert_eq!(status, 200, "{reply}");
    reply
}

/// Calls the Okta API with the SSWS token.
pub(crate) async fn okta(lab: &Lab, method: &str, path: &str) -> (u16, Value) {
    let authorization = format!("SSWS {}", lab.secrets().okta_token.expose_secret());
    let url = format!("{}{path}", lab.addresses().okta_org_url);
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let request =
        client().request(method, url).header("authorization", authorization).header("content-length", 0);
    read(request.send().await.unwrap()).await
}
