//! The webhook tile of ISPM, as a listener sees it come.
use crate::common::{okta, options, until};
use crate::customer::{Customer, key};
use axum::http::StatusCode;
use idtriage::lab::{HookAuth, Lab, LabOptions, LabTargets, Telling};
use secrecy::SecretString;
use serde_json::Value;
use std::collections::BTreeMap;

async fn quick() -> Lab {
    Lab::start(LabOptions { speed: 500.0, ..options() }).await.unwrap()
}

fn tell(lab: &Lab, customer: &Customer, auth: HookAuth) -> Telling {
    let ispm = customer.listener("/hooks/ispm", auth);
    lab.tell(LabTargets { ispm: Some(ispm), ..LabTargets::default() })
}

fn find(bodies: &[Value], what: impl Fn(&Value) -> bool) -> &Value {
    bodies.iter().find(|body| what(body)).unwrap()
}

#[tokio::test]
async fn both_shapes_come_with_every_kind_of_entity() {
    let (lab, customer) = (quick().await, Customer::start(|_| StatusCode::OK).await);
    let telling = tell(&lab, &customer, key("tile-secret"));
    let is_misspelt = |body: &Value| body["evenType"] == "issue.onDemand";
    customer.wait("the last form", |bodies| bodies.iter().any(is_misspelt).then_some(())).await;
    telling.stop().await;
    assert!(customer.posted().iter().all(|came| came.header("x-of-their-own") == Some("tile-secret")));
    let bodies = customer.bodies();
    let entity = |body: &Value| body["eventData"]["affectedEntity"].clone();

    let account = find(&bodies, |body| body["type"] == "issue.created" && entity(body)["type"] == "Account");
    assert_eq!(account["source"], "Okta ISPM");
    assert_eq!(account["eventData"]["title"], "Unused Admin Account");
    let account = entity(account);
    let id = account["identifierInService"].as_str().unwrap();
    let (_, user) = okta(&lab, "GET", &format!("/api/v1/users/{id}")).await;
    assert_eq!(user["profile"]["login"], account["additionalData"]["username"]);
    assert_eq!(account["additionalData"]["types"][0]["type"], "Admin");
    let token = &account["additionalData"]["unrotatedTokens"][0];
    for member in ["type", "methodName", "createdAt", "lastUsed", "lastRotated", "expires"] {
        assert!(token[member].is_string(), "{token}");
    }
    assert!(token["nextRotation"].is_null());

    let person = entity(find(&bodies, |body| entity(body)["type"] == "User"));
    assert!(person["idInService"].is_string() && person.get("identifierInService").is_none());
    assert!(!person["additionalData"]["activeAccounts"].as_array().unwrap().is_empty());
    let grant = entity(find(&bodies, |body| entity(body)["type"] == "OAuth Grant"));
    assert!(
        grant["additionalData"]["clientApp"].is_object()
            && grant["additionalData"]["resourceApp"].is_object()
    );
    let updated = find(&bodies, |body| body["type"] == "issue.updated");
    let created = find(&bodies, |body| body["eventData"]["title"] == "Unused Admin Account");
    assert_eq!(updated["eventData"]["id"], created["eventData"]["id"], "about the same issue");
    assert_ne!(updated["id"], created["id"], "and an event of its own");
}

#[tokio::test]
async fn a_flat_record_is_22_texts_with_three_forms_of_dates() {
    let (lab, customer) = (quick().await, Customer::start(|_| StatusCode::OK).await);
    let telling = tell(&lab, &customer, key("tile-secret"));
    let flats = |bodies: &[Value]| -> Vec<Value> {
        bodies.iter().filter(|body| body.get("entityIdInService").is_some()).cloned().collect()
    };
    let flats =
        customer.wait("three flat records", |bodies| Some(flats(bodies)).filter(|f| f.len() >= 3)).await;
    telling.stop().await;
    for flat in &flats {
        let members = flat.as_object().unwrap();
        assert_eq!(members.len(), 22, "{flat}");
        assert!(members.values().all(Value::is_string), "{flat}");
    }
    let foreign = &flats[0];
    assert_eq!(foreign["eventType"], "issue.onDemand");
    assert_eq!(foreign["entitySourceProductName"], "AAD");
    assert!(!foreign["entityIdInService"].as_str().unwrap().starts_with("00u"), "{foreign}");
    assert!(foreign["eventTimestamp"].as_str().unwrap().ends_with('Z'));
    assert_eq!(foreign["issueDetectedAt"].as_str().unwrap().len(), "2026-05-01".len());
    assert_eq!(foreign["additionalDataLastLogin"].as_str().unwrap().split('/').count(), 3);
    assert_eq!(flats[1]["entityIdInService"], "");
    assert!(flats[2].get("eventType").is_none() && flats[2]["evenType"] == "issue.onDemand");
}

#[tokio::test]
async fn the_secret_may_stand_in_the_query() {
    let (lab, customer) = (quick().await, Customer::start(|_| StatusCode::OK).await);
    let value = SecretString::from("a secret&more");
    let telling = tell(&lab, &customer, HookAuth::Query { name: "token".to_owned(), value });
    until("an issue", || !customer.posted().is_empty()).await;
    telling.stop().await;
    let came = &customer.posted()[0];
    assert_eq!((came.path.as_str(), came.query.as_str()), ("/hooks/ispm", "token=a+secret%26more"));
    assert_eq!(came.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_listener_that_fails_is_tried_once_more() {
    let (lab, customer) = (quick().await, Customer::start(|_| StatusCode::BAD_GATEWAY).await);
    let telling = tell(&lab, &customer, key("tile-secret"));
    let twice = |bodies: &[Value]| {
        let mut tries: BTreeMap<String, usize> = BTreeMap::new();
        bodies.iter().for_each(|body| *tries.entry(body["id"].to_string()).or_default() += 1);
        (tries.len() >= 3).then_some(tries)
    };
    let tries = customer.wait("three issues", twice).await;
    telling.stop().await;
    assert!(tries.values().all(|tries| *tries <= 2) && tries.values().any(|tries| *tries == 2), "{tries:?}");
}
