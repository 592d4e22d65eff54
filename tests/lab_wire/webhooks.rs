//! CII's webhooks, as a listener sees them come.
use crate::common::{options, until};
use crate::customer::{Customer, key};
use axum::http::StatusCode;
use idtriage::lab::{HookAuth, Lab, LabOptions, LabTargets, Telling};
use secrecy::SecretString;
use serde_json::Value;
use std::collections::HashMap;

/// CII alone has somebody to post to.
fn targets(customer: &Customer, auth: HookAuth) -> LabTargets {
    LabTargets { cii: Some(customer.listener("/hooks/cii", auth)), ..LabTargets::default() }
}

/// What stands in a header of every webhook.
fn said(customer: &Customer, header: &str) -> Vec<String> {
    customer.posted().iter().map(|came| came.header(header).unwrap().to_owned()).collect()
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
    let telling = quick().await.tell(targets(customer, auth));
    until(format!("{enough} webhooks"), || customer.posted().len() >= enough).await;
    telling
}

#[tokio::test]
async fn the_sender_repeats_after_a_5xx_with_the_same_body() {
    // The first try of every third event fails.
    let fails = |n: usize| if n % 3 == 1 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let customer = Customer::start(fails).await;
    told(&customer, key("hook-secret"), 60).await.stop().await;
    assert!(said(&customer, "x-of-their-own").iter().all(|value| value == "hook-secret"));
    let bodies = customer.bodies();
    let mut tries: HashMap<&str, Vec<&Value>> = HashMap::new();
    for body in &bodies {
        tries.entry(body["id"].as_str().unwrap()).or_default().push(body);
    }
    let repeated: Vec<_> = tries.values().filter(|bodies| bodies.len() > 1).collect();
    assert!(!repeated.is_empty());
    for bodies in repeated {
        assert!(bodies.iter().all(|body| body["detail"]["id"] == bodies[0]["detail"]["id"]));
    }
    assert!(bodies.iter().any(|body| body["detail"]["checkId"] == "mfa-flood"));
}

#[tokio::test]
async fn a_wrong_secret_is_not_tried_again() {
    let customer = Customer::start(|_| StatusCode::UNAUTHORIZED).await;
    let telling = told(&customer, key("wrong"), 20).await;
    let deliveries = telling.deliveries();
    telling.stop().await;
    assert!(!deliveries.is_empty() && deliveries.iter().all(|delivery| delivery.status == Some(401)));
    let bodies = customer.bodies();
    let mut tries: HashMap<&str, usize> = HashMap::new();
    for body in &bodies {
        *tries.entry(body["id"].as_str().unwrap()).or_default() += 1;
    }
    // Every eleventh comes twice whatever was answered: the story has repeats of its own.
    assert!(tries.values().all(|times| *times <= 2) && tries.len() > bodies.len() / 2);
}

#[tokio::test]
async fn it_may_be_let_in_by_a_name_and_a_password() {
    let customer = Customer::start(|_| StatusCode::OK).await;
    let basic = HookAuth::Basic { user: "cii".to_owned(), password: SecretString::from("s3cret") };
    told(&customer, basic, 1).await.stop().await;
    assert_eq!(said(&customer, "authorization")[0], "Basic Y2lpOnMzY3JldA==");
}

#[tokio::test]
async fn it_may_be_let_in_by_a_token_of_the_customers() {
    let customer = Customer::start(|_| StatusCode::OK).await;
    told(&customer, client_credentials(&customer, "s3cret"), 1).await.stop().await;
    assert_eq!(said(&customer, "authorization")[0], "Bearer a.b.c");
}

#[tokio::test]
async fn without_a_token_nothing_is_posted() {
    let customer = Customer::start(|_| StatusCode::OK).await;
    let telling = quick().await.tell(targets(&customer, client_credentials(&customer, "wrong")));
    until("a try", || !telling.deliveries().is_empty()).await;
    assert_eq!(telling.deliveries()[0].status, None);
    telling.stop().await;
    assert!(customer.came().is_empty());
}
