//! The lab's event hooks and webhook targets over the wire: what is taken, what is refused, who is asked.
use crate::common::{ask, client, lab, okta, read};
use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use idtriage::lab::Lab;
use rstest::rstest;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;

const HOOKS: &str = "/api/v1/eventHooks";

fn hook(uri: &str) -> Value {
    json!({
        "name": "n", "events": {"type": "EVENT_TYPE", "items": ["user.risk.detect"]},
        "channel": {"type": "HTTP", "version": "1.0.0", "config": {"uri": uri,
            "authScheme": {"type": "HEADER", "key": "authorization", "value": "s3cret"}}},
    })
}

async fn post(lab: &Lab, body: &Value) -> (u16, Value) {
    let authorization = format!("SSWS {}", lab.secrets().okta_token.expose_secret());
    let url = format!("{}{HOOKS}", lab.addresses().okta_org_url);
    read(client().post(url).header("authorization", authorization).json(body).send().await.unwrap()).await
}

/// Sends challenges back, except the first ones; how many came.
async fn listener(silent: usize) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let answer = move |headers: HeaderMap| {
        let is_silent = counted.fetch_add(1, Ordering::SeqCst) < silent;
        let challenge = headers["x-okta-verification-challenge"].to_str().unwrap().to_owned();
        async move { axum::Json(json!({"verification": if is_silent { "no" } else { &challenge }})) }
    };
    let router = Router::new().route("/", get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, asked)
}

#[tokio::test]
async fn a_hook_lives_from_creation_to_deletion() {
    let lab = lab().await;
    let (url, _) = listener(0).await;
    let (status, made) = post(&lab, &hook(&url)).await;
    assert_eq!(
        (status, &made["status"], &made["verificationStatus"]),
        (200, &json!("ACTIVE"), &json!("UNVERIFIED"))
    );
    assert!(!made.to_string().contains("s3cret"), "the value is write-only: {made}");
    let path = format!("{HOOKS}/{}", made["id"].as_str().unwrap());
    assert_eq!(okta(&lab, "GET", &path).await, (200, made.clone()));
    assert_eq!(okta(&lab, "GET", HOOKS).await, (200, json!([made])));
    assert_eq!(okta(&lab, "DELETE", &path).await.0, 400, "only an inactive one");
    let op = async |op: &str| okta(&lab, "POST", &format!("{path}/lifecycle/{op}")).await;
    assert_eq!(op("verify").await.1["verificationStatus"], "VERIFIED");
    assert_eq!(op("deactivate").await.1["status"], "INACTIVE");
    assert_eq!(op("activate").await.1["status"], "ACTIVE");
    op("deactivate").await;
    assert_eq!(okta(&lab, "DELETE", &path).await.0, 204);
    let (status, error) = okta(&lab, "GET", &path).await;
    assert_eq!((status, &error["errorCode"]), (404, &json!("E0000007")));
}

#[rstest]
#[case(0, 1, 200)]
#[case(1, 2, 200)]
#[case(2, 2, 400)]
#[tokio::test]
async fn the_challenge_has_one_retry(#[case] silent: usize, #[case] asked: usize, #[case] status: u16) {
    let lab = lab().await;
    let (url, count) = listener(silent).await;
    let id = post(&lab, &hook(&url)).await.1["id"].as_str().unwrap().to_owned();
    let verified = okta(&lab, "POST", &format!("{HOOKS}/{id}/lifecycle/verify")).await;
    assert_eq!((verified.0, count.load(Ordering::SeqCst)), (status, asked));
    assert_eq!(lab.event_hooks()[0].is_verified, status == 200);
}

#[rstest]
#[case("/channel/config/uri", json!("http://hooks.example.com/"))]
#[case("/events/items", json!([]))]
#[case("/events/items", json!(["security.threat.detected"]))]
#[case("/events/items", json!(["workflows.user.table.view"]))]
#[case("/events/items", json!(vec!["a.b"; 301]))]
#[case("/events/type", json!("SOMETHING"))]
#[case("/name", json!(""))]
#[case("/channel/config/authScheme/type", json!("BASIC"))]
#[tokio::test]
async fn a_hook_that_is_none_is_refused(#[case] pointer: &str, #[case] value: Value) {
    let lab = lab().await;
    let mut body = hook("https://hooks.example.com/");
    assert_eq!(post(&lab, &body).await.0, 200);
    *body.pointer_mut(pointer).unwrap() = value;
    let (status, error) = post(&lab, &body).await;
    assert_eq!((status, &error["errorCode"]), (400, &json!("E0000001")));
    assert_eq!(lab.event_hooks().len(), 1);
}

#[tokio::test]
async fn a_registered_target_can_be_read_and_is_not_recorded_with_its_secret() {
    let lab = lab().await;
    let query = "mutation($input: RegisterWebhookWithApiKey!) { registerWebhookWithApiKey(input: $input) }";
    let input = json!({"name": "n", "endpoint": "https://x.example", "apiKeyName": "k", "apiKey": "s3cret",
        "checkIds": ["no-mfa"]});
    let id = ask(&lab, query, json!({"input": input})).await["data"]["registerWebhookWithApiKey"].clone();
    let target = lab.webhooks().remove(0);
    assert_eq!((json!(target.id), target.checks), (id, vec!["no-mfa".to_owned()]));
    assert!(target.name.starts_with("n-") && target.secret.expose_secret() == "s3cret");
    post(&lab, &hook("https://hooks.example.com/")).await;
    assert!(!format!("{:?}", lab.recorder()).contains("s3cret"));
}
