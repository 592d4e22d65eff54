//! The lab's webhooks, as a listener sees them come.
use crate::common::{options, until};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Form, Json, Router};
use idtriage::lab::{HookAuth, Lab, LabListener, LabOptions, Telling};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What the listener was sent: each body with the headers around it.
type Inbox = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

/// The customer's side: a listener, and the token endpoint in front of it.
struct Customer {
    inbox: Inbox,
    base: String,
    serving: JoinHandle<()>,
}

impl Customer {
    /// Answers the n-th webhook with a status.
    async fn start(answer: impl Fn(usize) -> StatusCode + Clone + Send + Sync + 'static) -> Customer {
        let inbox = Inbox::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let receive = async move |State(inbox): State<Inbox>, headers: HeaderMap, Json(body): Json<Value>| {
            let mut inbox = inbox.lock().unwrap();
            inbox.push((headers, body));
            answer(inbox.len())
        };
        let app = Router::new().route("/hooks/cii", post(receive)).route("/token", post(token));
        let app = app.with_state(Arc::clone(&inbox));
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Customer { inbox, base, serving }
    }

    fn listener(&self, auth: HookAuth) -> LabListener {
        LabListener { url: format!("{}/hooks/cii", self.base), auth }
    }

    fn count(&self) -> usize {
        self.inbox.lock().unwrap().len()
    }

    /// What stands in a header of every webhook.
    fn said(&self, header: &str) -> Vec<String> {
        let inbox = self.inbox.lock().unwrap();
        inbox.iter().map(|(headers, _)| headers[header].to_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Customer {
    fn drop(&mut self) {
        self.serving.abort();
    }
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

fn key(value: &str) -> HookAuth {
    HookAuth::Key { header: "x-of-their-own".to_owned(), value: SecretString::from(value) }
}

fn client_credentials(customer: &Customer, secret: &str) -> HookAuth {
    HookAuth::ClientCredentials {
        token_url: format!("{}/token", customer.base),
        client_id: "cii".to_owned(),
        client_secret: SecretString::from(secret),
    }
}

async fn quick() -> Lab {
    Lab::start(LabOptions { speed: 500.0, ..options() }).await.unwrap()
}

/// Lets the story be told until a listener has heard enough of it.
async fn told(customer: &Customer, auth: HookAuth, enough: usize) -> Telling {
    let telling = quick().await.tell(customer.listener(auth));
    until(format!("{enough} webhooks"), || customer.count() >= enough).await;
    telling
}

#[tokio::test]
async fn the_sender_repeats_after_a_5xx_with_the_same_body() {
    // The first try of every third event fails.
    let fails = |n: usize| if n % 3 == 1 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let customer = Customer::start(fails).await;
    told(&customer, key("hook-secret"), 60).await.stop().await;
    assert!(customer.said("x-of-their-own").iter().all(|value| value == "hook-secret"));
    let inbox = customer.inbox.lock().unwrap();
    let mut tries: HashMap<&str, Vec<&Value>> = HashMap::new();
    for (_, body) in inbox.iter() {
        tries.entry(body["id"].as_str().unwrap()).or_default().push(body);
    }
    let repeated: Vec<_> = tries.values().filter(|bodies| bodies.len() > 1).collect();
    assert!(!repeated.is_empty());
    for bodies in repeated {
        assert!(bodies.iter().all(|body| body["detail"]["id"] == bodies[0]["detail"]["id"]));
    }
    assert!(inbox.iter().any(|(_, body)| body["detail"]["checkId"] == "mfa-flood"));
}

#[tokio::test]
async fn a_wrong_secret_is_not_tried_again() {
    let customer = Customer::start(|_| StatusCode::UNAUTHORIZED).await;
    let telling = told(&customer, key("wrong"), 20).await;
    let deliveries = telling.deliveries();
    telling.stop().await;
    assert!(!deliveries.is_empty() && deliveries.iter().all(|delivery| delivery.status == Some(401)));
    let inbox = customer.inbox.lock().unwrap();
    let mut tries: HashMap<&str, usize> = HashMap::new();
    for (_, body) in inbox.iter() {
        *tries.entry(body["id"].as_str().unwrap()).or_default() += 1;
    }
    // Every eleventh comes twice whatever was answered: the story has repeats of its own.
    assert!(tries.values().all(|times| *times <= 2) && tries.len() > inbox.len() / 2);
}

#[tokio::test]
async fn it_may_be_let_in_by_a_name_and_a_password() {
    let customer = Customer::start(|_| StatusCode::OK).await;
    let basic = HookAuth::Basic { user: "cii".to_owned(), password: SecretString::from("s3cret") };
    told(&customer, basic, 1).await.stop().await;
    assert_eq!(customer.said("authorization")[0], "Basic Y2lpOnMzY3JldA==");
}

#[tokio::test]
async fn it_may_be_let_in_by_a_token_of_the_customers() {
    let customer = Customer::start(|_| StatusCode::OK).await;
    told(&customer, client_credentials(&customer, "s3cret"), 1).await.stop().await;
    assert_eq!(customer.said("authorization")[0], "Bearer a.b.c");
}

#[tokio::test]
async fn without_a_token_nothing_is_posted() {
    let customer = Customer::start(|_| StatusCode::OK).await;
    let telling = quick().await.tell(customer.listener(client_credentials(&customer, "wrong")));
    until("a try", || !telling.deliveries().is_empty()).await;
    assert_eq!(telling.deliveries()[0].status, None);
    telling.stop().await;
    assert_eq!(customer.count(), 0);
}
