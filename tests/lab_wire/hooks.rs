//! Okta's event hook, as a listener sees it come, and the System Log beside it.
use crate::common::{okta, options, until};
use crate::customer::{Came, Customer, key, never};
use axum::Json;
use axum::http::{Method, StatusCode};
use axum::response::IntoResponse as _;
use idtriage::lab::{Lab, LabOptions, LabTargets, Sender, Telling};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const CHALLENGE: &str = "x-okta-verification-challenge";
/// The calls of the whole story.
const CALLS: usize = 8;

async fn quick(faults: &[&str]) -> Lab {
    let faults = faults.iter().map(|text| text.parse().unwrap()).collect();
    Lab::start(LabOptions { speed: 500.0, faults, ..options() }).await.unwrap()
}

fn tell(lab: &Lab, customer: &Customer) -> Telling {
    let hook = customer.listener("/hooks/okta", key("hook-secret"));
    lab.tell(LabTargets { okta_hook: Some(hook), ..LabTargets::default() })
}

fn events(call: &Value) -> Vec<Value> {
    call["data"]["events"].as_array().unwrap().clone()
}

fn uuid(event: &Value) -> String {
    event["uuid"].as_str().unwrap().to_owned()
}

fn published(event: &Value) -> Timestamp {
    event["published"].as_str().unwrap().parse().unwrap()
}

/// How often each call came, by `eventId`.
fn tries(calls: &[Value]) -> BTreeMap<String, usize> {
    let mut tries = BTreeMap::new();
    for call in calls {
        *tries.entry(call["eventId"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    tries
}

/// What was posted until there were so many calls.
async fn told(lab: &Lab, customer: &Customer, calls: usize) -> Vec<Value> {
    let telling = tell(lab, customer);
    until(format!("{calls} calls"), || customer.posted().len() >= calls).await;
    telling.stop().await;
    customer.bodies()
}

#[tokio::test]
async fn a_hook_is_verified_once_and_then_posted_to() {
    let (lab, customer) = (quick(&[]).await, Customer::start(|_| StatusCode::OK).await);
    let calls = told(&lab, &customer, CALLS).await;
    let came = customer.came();
    assert_eq!((&came[0].method, came[0].path.as_str()), (&Method::GET, "/hooks/okta"));
    assert!(came[0].header(CHALLENGE).is_some_and(|challenge| challenge.len() > 20));
    let challenges = came.iter().filter(|came| came.method == Method::GET).count();
    assert_eq!(challenges, 1);
    assert!(customer.posted().iter().all(|came| came.header("x-of-their-own") == Some("hook-secret")));
    for call in &calls {
        assert_eq!(call["eventType"], "com.okta.event_hook");
        assert_eq!(call["eventTypeVersion"], "1.0");
        assert_eq!(call["cloudEventsVersion"], "0.1");
        assert_eq!(call["contentType"], "application/json");
        assert!(call["eventTime"].as_str().unwrap().parse::<Timestamp>().is_ok());
        assert!(call["source"].as_str().unwrap().contains("/api/v1/eventHooks/who"));
    }
    assert!(calls.iter().any(|call| events(call).len() > 1), "several events a call");
    let all: Vec<Value> = calls.iter().flat_map(events).collect();
    let unique: BTreeSet<String> = all.iter().map(uuid).collect();
    assert_eq!(unique.len(), all.len());
    for event in &all {
        assert!(event.get("request").is_none() && event.get("insertionTimestamp").is_some(), "{event}");
        assert_ne!(event["eventType"], "user.session.start", "no hook is subscribed to sign-ins");
    }
    let denied = all.iter().find(|event| event["eventType"] == "user.mfa.okta_verify.deny_push").unwrap();
    assert_ne!(denied["target"][0]["type"], "User", "no index says where the user stands");
    assert!(denied["target"].as_array().unwrap().iter().any(|target| target["type"] == "User"));
}

#[tokio::test]
async fn the_log_has_what_the_hook_posts_and_much_more() {
    let (lab, customer) = (quick(&[]).await, Customer::start(|_| StatusCode::OK).await);
    let calls = told(&lab, &customer, CALLS).await;
    let (status, log) = okta(&lab, "GET", "/api/v1/logs?since=2026-05-01T12:00:00.000Z&limit=1000").await;
    assert_eq!(status, 200);
    let log = log.as_array().unwrap();
    for event in calls.iter().flat_map(events) {
        let logged = log.iter().find(|logged| logged["uuid"] == event["uuid"]).unwrap();
        for member in ["published", "eventType", "actor", "target", "outcome", "client", "transaction"] {
            assert_eq!(logged[member], event[member], "{member}");
        }
    }
    assert!(log.iter().filter(|event| event["eventType"] == "user.session.start").count() > 5);
}

/// What a listener may answer instead of the challenge.
fn misunderstands(came: &Came) -> axum::response::Response {
    match came.method {
        Method::GET => Json(json!({"verification": "something else"})).into_response(),
        _ => StatusCode::OK.into_response(),
    }
}

#[tokio::test]
async fn a_hook_that_cannot_be_verified_gets_nothing_and_the_log_has_it() {
    let (lab, customer) = (quick(&[]).await, Customer::answering(|_, came| misunderstands(came)).await);
    let telling = tell(&lab, &customer);
    // Twice at the start and twice before a call.
    until("the challenges", || customer.came().len() >= 4).await;
    telling.stop().await;
    let came = customer.came();
    assert!(came.iter().all(|came| came.method == Method::GET && came.header("x-of-their-own").is_none()));
    let challenges: BTreeSet<_> = came.iter().map(|came| came.header(CHALLENGE).unwrap()).collect();
    assert_eq!(challenges.len(), came.len(), "no challenge can be answered with an old one");
    let path = "/api/v1/logs?since=2026-05-01T12:00:00.000Z&filter=eventType%20eq%20%22user.mfa.okta_verify.deny_push%22";
    assert!(!okta(&lab, "GET", path).await.1.as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_5xx_is_tried_once_more_and_a_4xx_never() {
    for (status, times) in [(StatusCode::SERVICE_UNAVAILABLE, 2), (StatusCode::FORBIDDEN, 1)] {
        let (lab, customer) = (quick(&[]).await, Customer::start(move |_| status).await);
        let telling = tell(&lab, &customer);
        // Those calls are over that have a later one well behind them.
        until("the calls", || tries(&customer.bodies()).len() >= CALLS).await;
        until("the retries", || customer.posted().len() >= (CALLS - 1) * times).await;
        let deliveries = telling.deliveries();
        telling.stop().await;
        assert!(deliveries.iter().all(|delivery| delivery.sender == Sender::OktaHook));
        assert!(deliveries.iter().all(|delivery| delivery.status == Some(status.as_u16())));
        let tries = tries(&customer.bodies());
        assert!(tries.values().all(|tries| *tries <= times), "{status}: {tries:?}");
        assert!(tries.values().any(|tries| *tries == times), "{status}: {tries:?}");
    }
}

/// The three seconds are real ones: the listener is.
#[tokio::test]
async fn a_listener_that_does_not_answer_is_given_up() {
    let customer = Customer::answering(|n, came| match came.header(CHALLENGE) {
        Some(challenge) => Json(json!({"verification": challenge})).into_response(),
        None if n == 1 => never(),
        None => StatusCode::OK.into_response(),
    })
    .await;
    let lab = quick(&[]).await;
    let telling = tell(&lab, &customer);
    until("another try of the first call", || tries(&customer.bodies()).values().any(|tries| *tries == 2))
        .await;
    let first = customer.bodies()[0]["eventId"].as_str().unwrap().to_owned();
    let statuses: Vec<_> =
        telling.deliveries().into_iter().filter(|d| d.event == first).map(|d| d.status).collect();
    assert_eq!(statuses[0], None);
    telling.stop().await;
}

#[tokio::test]
async fn duplicates_come_under_the_same_id_and_under_another() {
    let lab = quick(&["hook-duplicates"]).await;
    let customer = Customer::start(|_| StatusCode::OK).await;
    let calls = told(&lab, &customer, 2 * CALLS).await;
    let tries = tries(&calls);
    assert!(tries.values().any(|tries| *tries == 2), "{tries:?}");
    let mut ids: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for call in &calls {
        for event in events(call) {
            ids.entry(uuid(&event)).or_default().insert(call["eventId"].as_str().unwrap());
        }
    }
    assert!(ids.values().any(|ids| ids.len() == 2), "{ids:?}");
}

#[tokio::test]
async fn disorder_is_in_a_call_and_between_calls() {
    let lab = quick(&["hook-disorder"]).await;
    let customer = Customer::start(|_| StatusCode::OK).await;
    let calls = told(&lab, &customer, CALLS).await;
    let falls = |events: &[Value]| events.windows(2).all(|pair| published(&pair[0]) > published(&pair[1]));
    assert!(calls.iter().all(|call| falls(&events(call))));
    let newest: Vec<Timestamp> = calls.iter().map(|call| published(&events(call)[0])).collect();
    assert!(!newest.is_sorted(), "{newest:?}");
}

#[tokio::test]
async fn the_same_seed_posts_the_same_events() {
    let mut seen = Vec::new();
    for _ in 0..2 {
        let (lab, customer) = (quick(&[]).await, Customer::start(|_| StatusCode::OK).await);
        let calls = told(&lab, &customer, CALLS).await;
        let uuids: BTreeSet<String> = calls.iter().take(CALLS).flat_map(events).map(|e| uuid(&e)).collect();
        seen.push(uuids);
    }
    assert!(seen[0].intersection(&seen[1]).count() >= CALLS, "{seen:?}");
}
