//! The lab's flows, its pages and its configuration.
use crate::common::{client, lab, okta, options, read, until};
use axum::http::HeaderName;
use idtriage::lab::{FlowAuth, Lab, LabFlow, LabOptions};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

fn flow(lab: &Lab, id: &str) -> LabFlow {
    lab.flows().into_iter().find(|flow| flow.id == id).unwrap()
}

async fn invoke(lab: &Lab, id: &str, payload: &Value) -> reqwest::Response {
    let token = lab.secrets().flow_token.expose_secret();
    client().post(flow(lab, id).url).header("x-api-client-token", token).json(payload).send().await.unwrap()
}

async fn user(lab: &Lab, key: &str) -> Value {
    okta(lab, "GET", &format!("/api/v1/users/{key}")).await.1
}

fn flat(entity: &str) -> Value {
    json!({"eventId": "action-1", "entityIdInService": entity, "entitySourceProductName": "Okta", "issueTitle": "Unused Admin Account"})
}

#[tokio::test]
async fn a_template_answers_200_whether_or_not_it_worked() {
    let lab = lab().await;
    let id = user(&lab, "hrms.serviceuser").await["id"].as_str().unwrap().to_owned();
    let response = invoke(&lab, "suspend-okta-account", &flat(&id)).await;
    assert!(response.headers().keys().any(|name| name.as_str().contains("execution")));
    assert_eq!(read(response).await, (200, json!({})));
    assert_eq!(user(&lab, &id).await["status"], "SUSPENDED");
    let foreign = invoke(&lab, "suspend-okta-account", &flat("5f1e-entra-id")).await;
    assert_eq!(foreign.status(), 200);
    let runs = lab.runs();
    assert_eq!(runs[0].results, ["done"]);
    assert!(runs[1].results[0].starts_with("E0000007"), "{:?}", runs[1]);
    assert_eq!(runs[1].event_id, "action-1");
}

#[tokio::test]
async fn a_flow_of_its_own_says_what_okta_said() {
    let lab = lab().await;
    assert_eq!(flow(&lab, "contain-user").auth, FlowAuth::OAuth);
    let refused = invoke(&lab, "contain-user", &flat("hrms.serviceuser")).await;
    assert_eq!(refused.status(), 401, "a client token does not open an OAuth flow");
}

#[tokio::test]
async fn the_router_does_nothing_when_no_branch_matches() {
    let lab = lab().await;
    let id = user(&lab, "pass.resetter").await["id"].as_str().unwrap().to_owned();
    let nested = |title: &str| json!({"id": "e", "eventData": {"title": title, "affectedEntity": {"identifierInService": id, "sourceProductName": "Okta"}}});
    assert_eq!(invoke(&lab, "ispm-event-hook", &nested("Old Password")).await.status(), 200);
    assert_eq!(user(&lab, &id).await["status"], "ACTIVE");
    invoke(&lab, "ispm-event-hook", &nested("Unused Admin Account")).await;
    assert_eq!(user(&lab, &id).await["status"], "SUSPENDED");
}

#[tokio::test]
async fn wrong_tokens_unknown_aliases_and_guessed_routes_are_refused() {
    let lab = lab().await;
    let url = flow(&lab, "suspend-okta-account").url;
    let wrong = client().post(&url).header("x-api-client-token", "wrong").send().await.unwrap();
    assert_eq!(wrong.status(), 403);
    let base = &lab.addresses().workflows_url;
    for path in ["/api/flo/00000000000000000000000000000000/invoke", "/api/flo", "/api/flo/x/history"] {
        let answer = client().get(format!("{base}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
    assert_eq!(client().put(&url).body("").send().await.unwrap().status(), 405);
}

#[tokio::test]
async fn a_flow_runs_for_get_and_post_and_for_nothing_else() {
    let lab = lab().await;
    let token = lab.secrets().flow_token.expose_secret();
    let url = flow(&lab, "always-content").url;
    let head = client().head(&url).header("x-api-client-token", token).send().await.unwrap();
    assert_eq!((head.status().as_u16(), &head.headers()["allow"]), (405, &"GET, POST".parse().unwrap()));
    assert!(lab.runs().is_empty() && lab.recorder().writes().is_empty());
    client().get(&url).header("x-api-client-token", token).send().await.unwrap();
    assert_eq!((lab.runs().len(), lab.recorder().writes().len()), (1, 1));
}

#[tokio::test]
async fn a_flow_that_is_switched_off_does_not_run() {
    let lab = lab().await;
    lab.faults().set("flow-off=1".parse().unwrap());
    assert_eq!(invoke(&lab, "always-content", &json!({})).await.status(), 400);
    assert!(lab.runs().is_empty());
    assert_eq!(invoke(&lab, "always-content", &json!({})).await.status(), 200);
}

#[tokio::test]
async fn the_header_with_the_execution_is_called_as_told() {
    let execution_header = HeaderName::from_static("x-run");
    let lab = Lab::start(LabOptions { execution_header, ..options() }).await.unwrap();
    let response = invoke(&lab, "contain-user", &json!({})).await;
    assert!(response.headers().get("x-run").is_none(), "a refused call has no execution");
    let response = invoke(&lab, "always-content", &json!({})).await;
    assert_eq!(response.headers()["x-run"].to_str().unwrap(), lab.runs()[0].execution_id);
    assert!(response.headers().keys().all(|name| !name.as_str().contains("execution")));
}

#[tokio::test]
async fn the_eleventh_call_of_a_second_is_429() {
    // Slow enough that the second lasts as long as the test may need.
    let lab = Lab::start(LabOptions { speed: 0.01, ..options() }).await.unwrap();
    let mut statuses = Vec::new();
    for _ in 0..11 {
        let response = invoke(&lab, "always-content", &json!({})).await;
        assert!(response.headers().contains_key("x-rate-limit-reset"));
        statuses.push(response.status().as_u16());
    }
    assert_eq!(statuses[..10], [200; 10]);
    assert_eq!(statuses[10], 429);
}

#[tokio::test]
async fn slow_flows_scale_with_speed_and_the_platform_cuts_at_sixty_seconds() {
    let lab = Lab::start(LabOptions { speed: 1000.0, ..options() }).await.unwrap();
    let id = user(&lab, "invoices").await["id"].as_str().unwrap().to_owned();
    assert_eq!(invoke(&lab, "slow-flow", &flat(&id)).await.status(), 200);
    let token = lab.secrets().flow_token.expose_secret();
    let request = client().post(flow(&lab, "too-slow-flow").url).header("x-api-client-token", token);
    assert!(request.json(&flat("nameless")).send().await.is_err());
    assert_eq!(user(&lab, "nameless").await["status"], "SUSPENDED", "the effect came before the cut");
}

#[tokio::test]
async fn one_that_closes_early_works_later() {
    let lab = Lab::start(LabOptions { speed: 1000.0, ..options() }).await.unwrap();
    let id = user(&lab, "invoices").await["id"].as_str().unwrap().to_owned();
    assert_eq!(invoke(&lab, "close-early", &flat(&id)).await.status(), 202);
    until("the flow's work", || !lab.runs().is_empty()).await;
    assert_eq!(user(&lab, &id).await["status"], "SUSPENDED");
}

#[tokio::test]
async fn every_reference_url_has_a_page_that_escapes() {
    let lab = lab().await;
    let query = "{ getEndUserState(login: \"zoe.red@meridian.example\") { referenceUrl } }";
    let reply = crate::common::ask(&lab, query, Value::Null).await;
    let url = reply["data"]["getEndUserState"]["referenceUrl"].as_str().unwrap();
    let page = client().get(url).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let text = page.text().await.unwrap();
    assert!(text.contains("<table>") && !text.contains('\u{1b}'));
}

#[tokio::test]
async fn the_configuration_is_toml_whose_secret_files_exist() {
    let lab = lab().await;
    let folder = tempfile::tempdir().unwrap();
    let secrets = folder.path().join("secrets");
    lab.write_secret_files(&secrets).unwrap();
    let text = lab.config_toml(&secrets, "127.0.0.1:8790".parse().unwrap());
    let config: toml::Table = text.parse().unwrap();
    assert_eq!(config["listen"]["address"].as_str(), Some("127.0.0.1:8790"));
    assert_eq!(config["cii"]["api_url"].as_str(), Some(lab.addresses().cii_api_url.as_str()));
    for part in
        [&config["cii"]["client_secret"], &config["okta"]["api_token"], &config["source"][0]["secret"]]
    {
        assert!(std::fs::metadata(part["file"].as_str().unwrap()).is_ok());
    }
    assert_eq!(config["flow"].as_array().unwrap().len(), lab.flows().len());
    assert!(!text.contains(lab.secrets().okta_token.expose_secret()));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_tenant() {
    let (one, two) = (lab().await, lab().await);
    assert_eq!(one.user_logins(), two.user_logins());
    assert_eq!(one.history(), two.history());
    let alias = |lab: &Lab| lab.flows()[0].url.rsplit('/').nth(1).map(str::to_owned);
    assert_eq!(alias(&one), alias(&two));
    let other = Lab::start(LabOptions { seed: 8, ..options() }).await.unwrap();
    assert_ne!(one.user_logins(), other.user_logins());
    one.stop().await;
}

#[tokio::test]
async fn only_loopback() {
    let api = Some("192.0.2.1:80".parse().unwrap());
    let error = Lab::start(LabOptions { api, ..options() }).await.unwrap_err();
    assert!(error.to_string().contains("is not a loopback address"));
}
