//! Execution Log Streaming, as a listener sees it come.
use crate::common::{client, options, until};
use crate::customer::{Customer, key};
use axum::http::StatusCode;
use idtriage::lab::{ExecutionTypes, Lab, LabOptions, LabTargets, Telling};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::collections::BTreeMap;

async fn lab(faults: &[&str]) -> Lab {
    let faults = faults.iter().map(|text| text.parse().unwrap()).collect();
    Lab::start(LabOptions { speed: 500.0, faults, ..options() }).await.unwrap()
}

fn tell(lab: &Lab, customer: &Customer) -> Telling {
    let executions = customer.listener("/hooks/executions", key("log-token"));
    lab.tell(LabTargets { executions: Some(executions), ..LabTargets::default() })
}

/// Runs a flow and answers its execution's id.
async fn run(lab: &Lab, id: &str) -> String {
    let flow = lab.flows().into_iter().find(|flow| flow.id == id).unwrap();
    let token = lab.secrets().flow_token.expose_secret();
    let body = json!({"eventId": "action-1", "entityIdInService": "nobody"});
    let response = client().post(flow.url).header("x-api-client-token", token).json(&body).send().await;
    response.unwrap().headers()["x-workflows-execution-id"].to_str().unwrap().to_owned()
}

/// The types of an execution's records, in the order in which they came.
fn types(bodies: &[Value], execution: &str) -> Vec<String> {
    let of = bodies.iter().filter(|body| body["execution_id"] == execution);
    of.map(|body| body["event_type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_run_is_told_from_start_to_end_with_what_it_called() {
    let (lab, customer) = (lab(&[]).await, Customer::start(|_| StatusCode::OK).await);
    let telling = tell(&lab, &customer);
    let execution = run(&lab, "suspend-okta-account").await;
    until("its end", || types(&customer.bodies(), &execution).len() == 2).await;
    telling.stop().await;
    let bodies = customer.bodies();
    assert_eq!(
        types(&bodies, &execution),
        ["FLOW_START", "FLOW_COMPLETE"],
        "an error that is caught fails nothing"
    );
    assert_eq!(bodies.len(), 4, "a flow and the helper that it calls");
    let (root, helper) = (&bodies[0], &bodies[1]);
    assert_eq!(root["root_execution_id"], json!(execution));
    assert!(root.get("parent_execution_id").is_none());
    assert_eq!(helper["parent_execution_id"], json!(execution));
    assert_eq!(helper["root_execution_id"], json!(execution));
    assert_eq!(helper["parent_flow_id"], root["flow_id"]);
    assert_ne!(helper["execution_id"], root["execution_id"]);
    for body in &bodies {
        assert_eq!(body["flow_id"].as_str().unwrap().len(), 26);
        let email = body["user_email"].as_str().unwrap();
        assert!(email.len() == 64 && !email.contains('@'), "{email}");
        for member in ["timestamp", "flow_name", "org_id", "org_name", "org_hostname", "user_id"] {
            assert!(body[member].is_string(), "{member}");
        }
    }
    assert!(customer.posted().iter().all(|came| came.header("x-of-their-own") == Some("log-token")));
}

#[tokio::test]
async fn what_starts_and_ends_are_called_is_as_told() {
    let execution_types = ExecutionTypes {
        started: "RUN_BEGINS".to_owned(),
        completed: "RUN_IS_OVER".to_owned(),
        failed: "RUN_BROKE".to_owned(),
    };
    let lab = Lab::start(LabOptions { speed: 2000.0, execution_types, ..options() }).await.unwrap();
    let customer = Customer::start(|_| StatusCode::OK).await;
    let telling = tell(&lab, &customer);
    let execution = run(&lab, "always-content").await;
    until("its end", || types(&customer.bodies(), &execution).len() == 2).await;
    assert_eq!(types(&customer.bodies(), &execution), ["RUN_BEGINS", "RUN_IS_OVER"]);
    // The platform closes the connection of this one, which fails it.
    let flow = lab.flows().into_iter().find(|flow| flow.id == "too-slow-flow").unwrap();
    let token = lab.secrets().flow_token.expose_secret();
    assert!(client().post(flow.url).header("x-api-client-token", token).send().await.is_err());
    let failed = |body: &Value| body["event_type"] == "RUN_BROKE";
    until("a failure", || customer.bodies().iter().any(failed)).await;
    telling.stop().await;
}

#[tokio::test]
async fn some_come_twice_and_some_starts_come_last() {
    let (lab, customer) = (lab(&[]).await, Customer::start(|_| StatusCode::OK).await);
    let telling = tell(&lab, &customer);
    let mut runs = Vec::new();
    for _ in 0..5 {
        runs.push(run(&lab, "always-content").await);
    }
    // Five starts, five ends, and one of them again.
    until("all of them", || customer.posted().len() >= 11).await;
    telling.stop().await;
    let bodies = customer.bodies();
    let told: Vec<_> = runs.iter().map(|run| types(&bodies, run)).collect();
    assert_eq!(told[0], ["FLOW_START", "FLOW_COMPLETE"]);
    assert_eq!(told[3], ["FLOW_COMPLETE", "FLOW_START"]);
    assert_eq!(told[4], ["FLOW_START", "FLOW_COMPLETE", "FLOW_COMPLETE"]);
}

#[tokio::test]
async fn unordered_executions_begin_with_their_end() {
    let lab = lab(&["executions-unordered"]).await;
    let customer = Customer::start(|_| StatusCode::OK).await;
    let telling = tell(&lab, &customer);
    let execution = run(&lab, "always-content").await;
    until("all of it", || types(&customer.bodies(), &execution).len() == 4).await;
    telling.stop().await;
    let told = types(&customer.bodies(), &execution);
    assert_eq!(told, ["FLOW_COMPLETE", "FLOW_COMPLETE", "FLOW_START", "FLOW_START"]);
}

#[tokio::test]
async fn one_run_may_have_no_end() {
    let lab = lab(&["execution-without-end=1"]).await;
    let customer = Customer::start(|_| StatusCode::OK).await;
    let telling = tell(&lab, &customer);
    let without = run(&lab, "suspend-okta-account").await;
    let with = run(&lab, "always-content").await;
    until("the end of the second", || types(&customer.bodies(), &with).len() == 2).await;
    telling.stop().await;
    assert_eq!(types(&customer.bodies(), &without), ["FLOW_START"]);
    let mut roots: BTreeMap<String, usize> = BTreeMap::new();
    for body in customer.bodies() {
        *roots.entry(body["root_execution_id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(roots[&without], 3, "the helper ended all the same");
}

#[tokio::test]
async fn a_listener_that_fails_gets_the_record_again() {
    let answer = |n: usize| if n == 1 { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
    let (lab, customer) = (lab(&[]).await, Customer::start(answer).await);
    let telling = tell(&lab, &customer);
    let execution = run(&lab, "always-content").await;
    until("its end", || types(&customer.bodies(), &execution).len() == 3).await;
    telling.stop().await;
    assert_eq!(types(&customer.bodies(), &execution), ["FLOW_START", "FLOW_START", "FLOW_COMPLETE"]);
}
