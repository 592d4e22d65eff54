//! The lab's Okta: access, users, lifecycle, groups, the System Log, over the wire.
use crate::common::{client, lab, okta, options, read};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use idtriage::lab::{Fault, FaultKind, Lab, LabOptions, LogEvent};
use jiff::{SignedDuration, Timestamp, ToSpan};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rstest::rstest;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::time::Duration;

const TOKEN_PATH: &str = "/oauth2/v1/token";

/// An ordinary account that is active.
async fn active(lab: &Lab) -> String {
    let (_, users) = okta(lab, "GET", "/api/v1/users?filter=status%20eq%20%22ACTIVE%22&limit=1").await;
    users[0]["id"].as_str().unwrap().to_owned()
}

async fn op(lab: &Lab, id: &str, operation: &str) -> (u16, Value) {
    okta(lab, "POST", &format!("/api/v1/users/{id}/lifecycle/{operation}")).await
}

fn assertion(lab: &Lab, jti: &str) -> String {
    assertion_till(lab, jti, jsonwebtoken::get_current_timestamp() + 300)
}

fn assertion_till(lab: &Lab, jti: &str, exp: u64) -> String {
    let url = format!("{}{TOKEN_PATH}", lab.addresses().okta_org_url);
    let id = &lab.secrets().okta_client_id;
    let claims = json!({"iss": id, "sub": id, "aud": url, "exp": exp, "jti": jti});
    let key = EncodingKey::from_ec_pem(lab.secrets().okta_private_key.expose_secret().as_bytes()).unwrap();
    encode(&Header::new(Algorithm::ES256), &claims, &key).unwrap()
}

fn exchange_form<'a>(assertion: &'a str, scope: &'a str) -> [(&'static str, &'a str); 4] {
    [
        ("grant_type", "client_credentials"),
        ("scope", scope),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
    ]
}

async fn exchange(lab: &Lab, assertion: &str, scope: &str) -> (u16, Value) {
    let url = format!("{}{TOKEN_PATH}", lab.addresses().okta_org_url);
    read(client().post(url).form(&exchange_form(assertion, scope)).send().await.unwrap()).await
}

/// A console in front of a demo that runs faster dates by the lab's own clock.
#[tokio::test]
async fn an_assertion_may_be_dated_by_the_labs_clock_or_by_the_real_one() {
    let lab = lab().await;
    let in_three_hours = jsonwebtoken::get_current_timestamp() + 3 * 3_600;
    let (status, refused) =
        exchange(&lab, &assertion_till(&lab, "1", in_three_hours), "okta.users.read").await;
    assert!(status == 401 && refused.to_string().contains("one hour ahead"), "{status} {refused}");
    let behind = Timestamp::now().duration_since(lab.clock().now()) + SignedDuration::from_hours(3);
    lab.clock().advance(behind.unsigned_abs());
    for (jti, exp) in [("2", in_three_hours), ("3", jsonwebtoken::get_current_timestamp() + 300)] {
        let (status, answer) = exchange(&lab, &assertion_till(&lab, jti, exp), "okta.users.read").await;
        assert_eq!(status, 200, "{answer}");
    }
}

#[tokio::test]
async fn lifecycle_runs_there_and_back() {
    let lab = lab().await;
    let id = active(&lab).await;
    let (_, before) = okta(&lab, "GET", &format!("/api/v1/users/{id}")).await;
    assert!(before["_links"]["suspend"].is_object() && before["_links"].get("unsuspend").is_none());
    assert_eq!(op(&lab, &id, "suspend").await.0, 200);
    let (status, error) = op(&lab, &id, "suspend").await;
    assert_eq!((status, &error["errorCode"]), (400, &json!("E0000001")));
    assert!(error["errorCauses"][0]["errorSummary"].is_string() && error["errorId"].is_string());
    let (_, after) = okta(&lab, "GET", &format!("/api/v1/users/{id}")).await;
    assert_eq!(after["status"], "SUSPENDED");
    assert!(after["_links"]["unsuspend"].is_object() && after["_links"].get("suspend").is_none());
    assert_eq!(op(&lab, &id, "unsuspend").await.0, 200);
    assert_eq!(op(&lab, &id, "deactivate").await.0, 200);
    let (status, error) = op(&lab, &id, "deactivate").await;
    assert_eq!((status, &error["errorCode"]), (404, &json!("E0000007")));
}

#[tokio::test]
async fn activation_takes_a_while_and_gives_its_link_only_when_asked() {
    let lab = lab().await;
    let id = active(&lab).await;
    op(&lab, &id, "deactivate").await;
    let (_, body) = op(&lab, &id, "activate?sendEmail=false").await;
    assert!(body["activationUrl"].is_string() && body["activationToken"].is_string());
    let path = format!("/api/v1/users/{id}");
    let get = || okta(&lab, "GET", &path);
    let mut user = get().await.1;
    assert_eq!(
        (&user["status"], &user["transitioningToStatus"]),
        (&json!("DEPROVISIONED"), &json!("ACTIVE"))
    );
    while user.get("transitioningToStatus").is_some() {
        user = get().await.1;
    }
    assert_eq!(user["status"], "ACTIVE");
    assert_eq!(op(&lab, &id, "activate").await.1["errorCode"], "E0000016");
}

#[tokio::test]
async fn another_operation_ends_the_wait_for_an_activation() {
    let lab = lab().await;
    let id = active(&lab).await;
    op(&lab, &id, "deactivate").await;
    op(&lab, &id, "activate").await;
    assert_eq!(op(&lab, &id, "suspend").await.0, 200);
    let (_, user) = okta(&lab, "GET", &format!("/api/v1/users/{id}")).await;
    assert_eq!((&user["status"], user.get("transitioningToStatus")), (&json!("SUSPENDED"), None));
}

#[tokio::test]
async fn password_reset_wants_to_know_about_the_mail() {
    let lab = lab().await;
    let id = active(&lab).await;
    assert_eq!(op(&lab, &id, "reset_password").await.1["errorCode"], "E0000028");
    let (status, body) = op(&lab, &id, "reset_password?sendEmail=false").await;
    assert!(status == 200 && body["resetPasswordUrl"].is_string());
    assert_eq!(okta(&lab, "GET", &format!("/api/v1/users/{id}")).await.1["status"], "RECOVERY");
}

#[tokio::test]
async fn sessions_end_by_id_only() {
    let lab = lab().await;
    let id = active(&lab).await;
    assert_eq!(okta(&lab, "DELETE", &format!("/api/v1/users/{id}/sessions?oauthTokens=true")).await.0, 204);
    assert_eq!(okta(&lab, "DELETE", "/api/v1/users/hrms.serviceuser/sessions").await.0, 404);
}

#[tokio::test]
async fn users_are_found_by_login_whatever_it_holds() {
    let lab = lab().await;
    for login in lab.user_logins() {
        let encoded: String =
            url::form_urlencoded::byte_serialize(login.as_bytes()).collect::<String>().replace('+', "%20");
        let (status, user) = okta(&lab, "GET", &format!("/api/v1/users/{encoded}")).await;
        assert_eq!((status, user["profile"]["login"].as_str()), (200, Some(login.as_str())));
    }
}

#[tokio::test]
async fn lists_are_paged_and_leave_the_deprovisioned_out() {
    let lab = lab().await;
    let authorization = format!("SSWS {}", lab.secrets().okta_token.expose_secret());
    let mut url = Some(format!("{}/api/v1/users?limit=70", lab.addresses().okta_org_url));
    let (mut ids, mut statuses) = (HashSet::new(), HashSet::new());
    while let Some(next) = url {
        let response = client().get(next).header("authorization", &authorization).send().await.unwrap();
        let links: Vec<String> =
            response.headers().get_all("link").iter().map(|link| link.to_str().unwrap().to_owned()).collect();
        url = links
            .iter()
            .find_map(|link| link.strip_suffix("; rel=\"next\""))
            .map(|l| l.trim_matches(['<', '>']).to_owned());
        for user in read(response).await.1.as_array().unwrap() {
            assert_eq!(user["_links"].as_object().unwrap().len(), 1, "collections link to self only");
            assert!(ids.insert(user["id"].as_str().unwrap().to_owned()));
            statuses.insert(user["status"].as_str().unwrap().to_owned());
        }
    }
    assert!(ids.len() > 180 && !statuses.contains("DEPROVISIONED") && statuses.contains("SUSPENDED"));
}

#[tokio::test]
async fn every_reply_carries_a_request_id_and_the_rate() {
    let lab = lab().await;
    let url = format!("{}/api/v1/users/nobody", lab.addresses().okta_org_url);
    let authorization = format!("SSWS {}", lab.secrets().okta_token.expose_secret());
    let response = client().get(url).header("authorization", authorization).send().await.unwrap();
    assert_eq!(response.status(), 404);
    for name in
        ["x-okta-request-id", "x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset", "date"]
    {
        assert!(response.headers().contains_key(name), "{name}");
    }
    assert_eq!(read(response).await.1["errorCode"], "E0000007");
}

#[tokio::test]
async fn a_bad_token_is_e0000011() {
    let lab = lab().await;
    let url = format!("{}/api/v1/users", lab.addresses().okta_org_url);
    let response = client().get(url).header("authorization", "SSWS wrong").send().await.unwrap();
    let (status, error) = read(response).await;
    assert_eq!((status, &error["errorCode"]), (401, &json!("E0000011")));
}

#[tokio::test]
async fn private_key_jwt_is_checked_and_scopes_hold() {
    let lab = lab().await;
    let (status, reply) = exchange(&lab, &assertion(&lab, "one"), "okta.users.read").await;
    assert_eq!((status, &reply["token_type"], &reply["expires_in"]), (200, &json!("Bearer"), &json!(3600)));
    let token = reply["access_token"].as_str().unwrap();
    let base = &lab.addresses().okta_org_url;
    let read_users =
        client().get(format!("{base}/api/v1/users?limit=1")).bearer_auth(token).send().await.unwrap();
    assert_eq!(read_users.status(), 200);
    let logs = client().get(format!("{base}/api/v1/logs?limit=1")).bearer_auth(token).send().await.unwrap();
    assert_eq!(logs.status(), 403);
    let challenge = logs.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("insufficient_scope") && challenge.contains("okta.logs.read"));
    let me = client().get(format!("{base}/api/v1/users/me")).bearer_auth(token).send().await.unwrap();
    assert_eq!(me.status(), 404);
    assert_eq!(exchange(&lab, &assertion(&lab, "one"), "okta.users.read").await.0, 401, "replayed");
    assert_eq!(exchange(&lab, "a.b.c", "okta.users.read").await.0, 401);
    assert_eq!(exchange(&lab, &assertion(&lab, "two"), "okta.everything").await.1["error"], "invalid_scope");
    lab.faults().set(Fault::lasting(FaultKind::DpopRequired));
    assert_eq!(
        exchange(&lab, &assertion(&lab, "three"), "okta.users.read").await.1["error"],
        "invalid_dpop_proof"
    );
}

/// A proof of possession with the service app's own key, for a request of the lab's org.
fn proof(lab: &Lab, (method, path): (&str, &str), more: &Value) -> String {
    let key = EncodingKey::from_ec_pem(lab.secrets().okta_private_key.expose_secret().as_bytes()).unwrap();
    let mut header = Header::new(Algorithm::ES256);
    header.typ = Some("dpop+jwt".to_owned());
    header.jwk = Some(Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap());
    let url = format!("{}{path}", lab.addresses().okta_org_url);
    let iat = lab.clock().now().as_second();
    let mut claims = json!({"htm": method, "htu": url, "iat": iat, "jti": uuid::Uuid::new_v4().to_string()});
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    encode(&header, &claims, &key).unwrap()
}

/// Asks for a token with a proof: status, the nonce that came with the answer, the answer.
async fn exchange_with(lab: &Lab, proof: &str) -> (u16, Option<String>, Value) {
    let assertion = assertion(lab, &uuid::Uuid::new_v4().to_string());
    let form = exchange_form(&assertion, "okta.users.read");
    let url = format!("{}{TOKEN_PATH}", lab.addresses().okta_org_url);
    let response = client().post(url).header("dpop", proof).form(&form).send().await.unwrap();
    let nonce = response.headers().get("dpop-nonce").map(|nonce| nonce.to_str().unwrap().to_owned());
    let (status, body) = read(response).await;
    (status, nonce, body)
}

#[tokio::test]
async fn a_bound_token_takes_a_nonce_and_a_proof_of_every_call() {
    let lab = lab().await;
    lab.faults().set("dpop-required@okta".parse().unwrap());
    let token_call = ("POST", TOKEN_PATH);
    let (status, nonce, error) = exchange_with(&lab, &proof(&lab, token_call, &json!({}))).await;
    assert_eq!((status, &error["error"]), (400, &json!("use_dpop_nonce")));
    let with_nonce = proof(&lab, token_call, &json!({"nonce": nonce.unwrap()}));
    let (status, _, reply) = exchange_with(&lab, &with_nonce).await;
    assert_eq!((status, &reply["token_type"]), (200, &json!("DPoP")));
    assert_eq!(exchange_with(&lab, &with_nonce).await.2["error"], "invalid_dpop_proof", "used before");

    let token = reply["access_token"].as_str().unwrap();
    let ath = URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()));
    let good = || json!({"ath": ath});
    let call = async |scheme: &str, proof: &str| {
        let url = format!("{}/api/v1/users?limit=1", lab.addresses().okta_org_url);
        let request = client().get(url).header("authorization", format!("{scheme} {token}"));
        request.header("dpop", proof).send().await.unwrap().status().as_u16()
    };
    let users = ("GET", "/api/v1/users");
    let first = proof(&lab, users, &good());
    assert_eq!(call("DPoP", &first).await, 200);
    assert_eq!(call("DPoP", &first).await, 401, "`jti` used before");
    assert_eq!(call("Bearer", &proof(&lab, users, &good())).await, 401, "bound, so no bearer token");
    assert_eq!(call("DPoP", &proof(&lab, users, &json!({"ath": "x"}))).await, 401, "of another token");
    assert_eq!(call("DPoP", &proof(&lab, ("POST", users.1), &good())).await, 401, "of another method");
    assert_eq!(call("DPoP", &proof(&lab, ("GET", "/api/v1/groups"), &good())).await, 401, "of another call");
    let late = lab.clock().now().as_second() - 120;
    assert_eq!(
        call("DPoP", &proof(&lab, users, &json!({"ath": ath, "iat": late}))).await,
        401,
        "of another time"
    );
}

#[tokio::test]
async fn a_nonce_is_renewed_and_calls_may_want_one() {
    let lab = lab().await;
    lab.faults().set("dpop-required@okta".parse().unwrap());
    let token_call = ("POST", TOKEN_PATH);
    let (_, first, _) = exchange_with(&lab, &proof(&lab, token_call, &json!({}))).await;
    lab.renew_nonce();
    let first = first.unwrap();
    let (status, second, error) =
        exchange_with(&lab, &proof(&lab, token_call, &json!({"nonce": first}))).await;
    let second = second.unwrap();
    assert_eq!((status, &error["error"]), (400, &json!("use_dpop_nonce")));
    assert_ne!(first, second);
    let with_nonce = |iat: i64| proof(&lab, token_call, &json!({"nonce": second, "iat": iat}));
    let now = lab.clock().now().as_second();
    let (status, _, error) = exchange_with(&lab, &with_nonce(now + 120)).await;
    assert_eq!((status, &error["error"]), (400, &json!("invalid_dpop_proof")), "not of now");
    let (_, _, reply) = exchange_with(&lab, &with_nonce(now)).await;

    lab.faults().set("call-nonce@okta".parse().unwrap());
    let token = reply["access_token"].as_str().unwrap();
    let ath = URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()));
    let call = async |more: &Value| {
        let url = format!("{}/api/v1/users?limit=1", lab.addresses().okta_org_url);
        let request = client().get(url).header("authorization", format!("DPoP {token}"));
        request.header("dpop", proof(&lab, ("GET", "/api/v1/users"), more)).send().await.unwrap()
    };
    let asked = call(&json!({"ath": ath})).await;
    assert_eq!(asked.status(), 401);
    assert!(asked.headers()["www-authenticate"].to_str().unwrap().contains("use_dpop_nonce"));
    let nonce = asked.headers()["dpop-nonce"].to_str().unwrap().to_owned();
    assert_eq!(call(&json!({"ath": ath, "nonce": nonce})).await.status(), 200);
}

#[tokio::test]
async fn tokens_are_short_where_they_are_said_to_be() {
    let lab = lab().await;
    let lives = async |jti: &str| {
        exchange(&lab, &assertion(&lab, jti), "okta.users.read").await.1["expires_in"].clone()
    };
    lab.faults().set("short-tokens@cii=5s".parse().unwrap());
    assert_eq!(lives("one").await, 3600);
    lab.faults().set("short-tokens@okta=5s".parse().unwrap());
    assert_eq!(lives("two").await, 5);
}

#[tokio::test]
async fn a_request_that_is_too_large_is_recorded_all_the_same() {
    let lab = lab().await;
    let url = format!("{}/api/v1/users", lab.addresses().okta_org_url);
    // Whether the answer still gets through while the body is being sent is the connection's affair.
    let _ = client().post(url).body("x".repeat(2 << 20)).send().await;
    let writes = lab.recorder().writes();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_eq!((writes[0].path.as_str(), writes[0].body.as_str()), ("/api/v1/users", ""));
}

#[tokio::test]
async fn what_was_done_stands_in_the_log_with_its_request_id() {
    let lab = lab().await;
    let id = active(&lab).await;
    let url = format!("{}/api/v1/users/{id}/lifecycle/suspend", lab.addresses().okta_org_url);
    let authorization = format!("SSWS {}", lab.secrets().okta_token.expose_secret());
    let request = client().post(url).header("authorization", authorization).header("content-length", 0);
    let response = request.send().await.unwrap();
    let request_id = response.headers()["x-okta-request-id"].to_str().unwrap().to_owned();
    let filter = "filter=eventType%20eq%20%22user.lifecycle.suspend%22";
    let (_, events) = okta(&lab, "GET", &format!("/api/v1/logs?{filter}")).await;
    assert_eq!(events[0]["debugContext"]["debugData"]["requestId"], request_id.as_str());
    assert_eq!(events[0]["target"][0]["id"], id.as_str());
    let (status, error) = okta(&lab, "GET", "/api/v1/logs?filter=eventType%20is").await;
    assert_eq!((status, &error["errorCode"]), (400, &json!("E0000053")));
}

#[tokio::test]
async fn polling_goes_on_where_it_stopped() {
    let lab = lab().await;
    let authorization = format!("SSWS {}", lab.secrets().okta_token.expose_secret());
    let mut url = format!("{}/api/v1/logs?sortOrder=ASCENDING&limit=150", lab.addresses().okta_org_url);
    let mut seen = HashSet::new();
    loop {
        let response = client().get(&url).header("authorization", &authorization).send().await.unwrap();
        let next = response.headers().get_all("link").iter().next().unwrap().to_str().unwrap().to_owned();
        assert!(next.ends_with("rel=\"next\""), "polling always has a next");
        url = next.split(['<', '>']).nth(1).unwrap().to_owned();
        let (_, events) = read(response).await;
        let events = events.as_array().unwrap().clone();
        if events.is_empty() {
            break;
        }
        assert!(events.iter().all(|event| seen.insert(event["uuid"].to_string())));
    }
    assert_eq!(seen.len(), 400);
}

#[tokio::test]
async fn a_cursor_of_the_log_may_have_expired() {
    let lab = lab().await;
    lab.faults().set("expired-cursor=1".parse().unwrap());
    let (links, _) = logs(&lab, "/api/v1/logs?limit=1").await;
    let kept = next(&lab, &links).expect("nothing expires without a cursor");
    let (status, error) = okta(&lab, "GET", &kept).await;
    assert_eq!((status, &error["errorCode"]), (400, &json!("E0000053")));
    assert_eq!(okta(&lab, "GET", &kept).await.0, 200);
}

/// A page of the log: its `Link` headers and its records.
async fn logs(lab: &Lab, path: &str) -> (Vec<String>, Vec<Value>) {
    let authorization = format!("SSWS {}", lab.secrets().okta_token.expose_secret());
    let url = format!("{}{path}", lab.addresses().okta_org_url);
    let response = client().get(url).header("authorization", authorization).send().await.unwrap();
    let links = response.headers().get_all("link").iter().map(|link| link.to_str().unwrap().to_owned());
    let links = links.collect();
    (links, read(response).await.1.as_array().cloned().unwrap_or_default())
}

/// The path of the next page, if it is named in a header of its own.
fn next(lab: &Lab, links: &[String]) -> Option<String> {
    let url = links.iter().find_map(|link| link.strip_prefix('<')?.strip_suffix(">; rel=\"next\""))?;
    url.strip_prefix(&lab.addresses().okta_org_url).map(str::to_owned)
}

fn uuids(records: &[Value]) -> Vec<String> {
    records.iter().map(|record| record["uuid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_address_of_a_page_is_taken_only_as_it_was_given() {
    let lab = lab().await;
    let (links, _) = logs(&lab, "/api/v1/logs?sortOrder=ASCENDING&limit=3&filter=eventType%20pr").await;
    let given = next(&lab, &links).unwrap();
    for changed in [
        format!("{given}&since=2026-05-01T00:00:00Z"),
        format!("{given}&limit=4"),
        given.replace("limit=3", "limit=4"),
        given.replace("filter=eventType+pr", "filter=eventType%20pr"),
    ] {
        assert_ne!(changed, given);
        assert_eq!(okta(&lab, "GET", &changed).await.0, 400, "{changed}");
        let recorded = lab.recorder().requests();
        assert_eq!(recorded.last().unwrap().status, 400);
    }
    assert_eq!(okta(&lab, "GET", &given).await.0, 200);
}

#[tokio::test]
async fn links_come_in_every_form_that_is_seen() {
    let lab = lab().await;
    let asked = "/api/v1/logs?limit=3";
    let (usual, _) = logs(&lab, asked).await;
    assert!(usual.len() == 2 && usual[0].ends_with("rel=\"next\"") && usual[1].ends_with("rel=\"self\""));
    lab.faults().set("links-self-first".parse().unwrap());
    let (reversed, _) = logs(&lab, asked).await;
    assert_eq!(reversed, [usual[1].clone(), usual[0].clone()]);
    lab.faults().set("links-joined".parse().unwrap());
    assert_eq!(logs(&lab, asked).await.0, [format!("{}, {}", usual[1], usual[0])]);
    lab.faults().clear_all();
    lab.faults().set("foreign-next=1".parse().unwrap());
    let (foreign, _) = logs(&lab, asked).await;
    assert!(foreign[0].starts_with("<https://elsewhere.example.invalid/"), "{foreign:?}");
    assert_eq!(logs(&lab, asked).await.0, usual);
    lab.faults().set("missing-next=1".parse().unwrap());
    assert_eq!(logs(&lab, asked).await.0, [usual[1].clone()]);
}

#[tokio::test]
async fn pages_may_be_empty_or_repeat_and_lose_nothing() {
    let lab = lab().await;
    let (links, first) = logs(&lab, "/api/v1/logs?sortOrder=ASCENDING&limit=10").await;
    let second = next(&lab, &links).unwrap();
    lab.faults().set("empty-pages=1".parse().unwrap());
    let (links, empty) = logs(&lab, &second).await;
    assert!(empty.is_empty());
    assert_eq!(next(&lab, &links).unwrap(), second, "the place stays");
    lab.faults().set("repeated-records=1".parse().unwrap());
    let (links, repeated) = logs(&lab, &second).await;
    assert_eq!((uuids(&repeated[..5]), repeated.len()), (uuids(&first[5..]), 10));
    let (_, plain) = logs(&lab, &second).await;
    assert_eq!(uuids(&repeated[5..]), uuids(&plain[..5]));
    let (_, third) = logs(&lab, &next(&lab, &links).unwrap()).await;
    assert_eq!(uuids(&third[..5]), uuids(&plain[5..]));
}

#[tokio::test]
async fn a_polling_gets_what_is_persisted_late_and_a_query_with_an_end_misses_it() {
    let lab = Lab::start(LabOptions { speed: 0.01, ..options() }).await.unwrap();
    let began = lab.clock().now();
    let (links, _) = logs(&lab, &format!("/api/v1/logs?limit=1000&since={began}")).await;
    let driver = lab.log_driver();
    let second = |n: i64| began + jiff::SignedDuration::from_secs(n);
    lab.clock().advance(Duration::from_secs(60));
    let newer = driver.persist([LogEvent::sign_in(second(50))]);
    let until = lab.clock().now();
    lab.clock().advance(Duration::from_secs(60));
    let late = driver.persist([LogEvent::sign_in(second(20))]);
    let (_, polled) = logs(&lab, &next(&lab, &links).unwrap()).await;
    assert_eq!(uuids(&polled), [newer.clone(), late].concat());
    let window = format!("/api/v1/logs?since={began}&until={until}&limit=1");
    let (links, bounded) = logs(&lab, &window).await;
    assert_eq!((uuids(&bounded), next(&lab, &links)), (newer, None));
    lab.faults().set("bounded-next".parse().unwrap());
    let (links, _) = logs(&lab, &window).await;
    assert!(logs(&lab, &next(&lab, &links).unwrap()).await.1.is_empty(), "which ends with an empty page");
}

#[tokio::test]
async fn a_query_with_an_end_keeps_its_beginning_through_its_pages() {
    let lab = Lab::start(LabOptions { speed: 0.01, ..options() }).await.unwrap();
    let began = lab.clock().now();
    let records = (1..6).map(|n| LogEvent::sign_in(began + jiff::SignedDuration::from_secs(n)));
    let wanted = lab.log_driver().persist(records);
    lab.clock().advance(Duration::from_secs(60));
    let until = lab.clock().now();
    let mut path = Some(format!("/api/v1/logs?since={began}&until={until}&limit=2"));
    let mut found = Vec::new();
    while let Some(asked) = path {
        let (links, page) = logs(&lab, &asked).await;
        found.extend(uuids(&page));
        path = next(&lab, &links);
    }
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn what_is_older_than_ninety_days_is_gone_and_180_days_are_refused() {
    let lab = Lab::start(LabOptions { speed: 0.01, ..options() }).await.unwrap();
    let began = lab.clock().now();
    lab.clock().advance(Duration::from_secs(88 * 86_400));
    let (_, kept) = logs(&lab, &format!("/api/v1/logs?limit=1000&since={}", began - 150.hours())).await;
    let count = kept.len();
    assert!(count > 50 && count < 400, "a part of six days: {count}");
    lab.clock().advance(Duration::from_secs(10 * 86_400));
    let (_, kept) = logs(&lab, &format!("/api/v1/logs?limit=1000&since={began}")).await;
    assert!(kept.is_empty(), "and no error");
    lab.clock().advance(Duration::from_secs(100 * 86_400));
    let (status, error) = okta(&lab, "GET", &format!("/api/v1/logs?since={began}")).await;
    assert_eq!((status, &error["errorCode"]), (400, &json!("E0000053")));
}

#[tokio::test]
async fn a_bad_filter_is_refused_at_its_position() {
    let lab = lab().await;
    let (status, error) = okta(&lab, "GET", "/api/v1/logs?filter=eventType%20is").await;
    assert_eq!((status, &error["errorCode"]), (400, &json!("E0000053")));
    assert!(error["errorSummary"].as_str().unwrap().ends_with("at 10."), "{error}");
    let into = "/api/v1/logs?filter=debugContext.debugData.requestUri%20co%20%22x%22";
    let (status, error) = okta(&lab, "GET", into).await;
    assert_eq!((status, &error["errorCode"]), (400, &json!("E0000031")));
}

#[tokio::test]
async fn a_body_may_be_cut_in_its_middle() {
    let lab = lab().await;
    lab.faults().set("cut-body@okta=1".parse().unwrap());
    let url = format!("{}/api/v1/logs?limit=10", lab.addresses().okta_org_url);
    let authorization = format!("SSWS {}", lab.secrets().okta_token.expose_secret());
    let response = client().get(url).header("authorization", authorization).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err());
}

#[tokio::test]
async fn both_kinds_of_429_and_a_lost_reply() {
    let lab = lab().await;
    let id = active(&lab).await;
    lab.faults().set("429-concurrency@okta=1".parse().unwrap());
    let url = format!("{}/api/v1/users/{id}", lab.addresses().okta_org_url);
    let authorization = format!("SSWS {}", lab.secrets().okta_token.expose_secret());
    let response = client().get(url).header("authorization", authorization).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["x-rate-limit-limit"]),
        (429, &"0".parse().unwrap())
    );
    lab.faults().set("reply-lost@okta=1".parse().unwrap());
    let url = format!("{}/api/v1/users/{id}/lifecycle/suspend", lab.addresses().okta_org_url);
    let authorization = format!("SSWS {}", lab.secrets().okta_token.expose_secret());
    let request = client().post(url).header("authorization", authorization).header("content-length", 0);
    assert!(request.send().await.is_err());
    assert_eq!(okta(&lab, "GET", &format!("/api/v1/users/{id}")).await.1["status"], "SUSPENDED");
    assert_eq!(lab.recorder().writes().len(), 1, "and nothing repeated the POST");
}

#[tokio::test]
async fn a_post_without_length_is_411() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let lab = lab().await;
    let host = lab.addresses().okta_org_url.trim_start_matches("http://").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&host).await.unwrap();
    let head = format!(
        "POST /api/v1/users/x/lifecycle/suspend HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 411"), "{answer}");
}

#[tokio::test]
async fn groups_members_factors_and_apps() {
    let lab = lab().await;
    let (_, groups) = okta(&lab, "GET", "/api/v1/groups?q=Sales").await;
    let names: Vec<&str> =
        groups.as_array().unwrap().iter().filter_map(|g| g["profile"]["name"].as_str()).collect();
    assert!(names.contains(&"Sales") && names.contains(&"Sales EMEA"));
    let group = groups[0]["id"].as_str().unwrap();
    let id = active(&lab).await;
    for _ in 0..2 {
        assert_eq!(okta(&lab, "PUT", &format!("/api/v1/groups/{group}/users/{id}")).await.0, 204);
    }
    let (_, of_user) = okta(&lab, "GET", &format!("/api/v1/users/{id}/groups")).await;
    assert_eq!(of_user.as_array().unwrap().iter().filter(|g| g["id"] == group).count(), 1);
    let (_, joined) = okta(&lab, "GET", "/api/v1/users/jo.iner/groups").await;
    assert_eq!(joined.as_array().unwrap().len(), 200, "only 200 come without next");
    let (_, roles) = okta(&lab, "GET", &format!("/api/v1/users/{id}/roles")).await;
    assert!(roles.is_array());
    let (_, allowed) = okta(&lab, "GET", "/api/v1/iam/roles/cr0labhelpdesk000001d7/permissions").await;
    let labels: Vec<&str> =
        allowed["permissions"].as_array().unwrap().iter().filter_map(|it| it["label"].as_str()).collect();
    assert!(labels.contains(&"okta.workflows.invoke") && labels.contains(&"okta.workflows.flows.invoke"));
    let set = "/api/v1/iam/resource-sets/iamlabemployees00001d7/resources?limit=100";
    let (_, held) = okta(&lab, "GET", set).await;
    let next = held["_links"]["next"]["href"].as_str().unwrap();
    let (_, rest) = okta(&lab, "GET", &next[next.find("/api/").unwrap()..]).await;
    let last = rest["resources"].as_array().unwrap().last().unwrap();
    assert_eq!(last["orn"], "orn:okta:workflow:00olab1:flows:572750");
    assert!(last["_links"]["self"].is_null() && rest["_links"]["next"].is_null());
    assert_eq!(okta(&lab, "GET", "/api/v1/iam/roles/cr0none/permissions").await.0, 404);
    let (_, factors) = okta(&lab, "GET", &format!("/api/v1/users/{id}/factors")).await;
    assert!(factors.is_array());
    let (_, apps) =
        okta(&lab, "GET", &format!("/api/v1/apps?filter=user.id%20eq%20%22{id}%22&limit=200")).await;
    let app = apps[0]["id"].as_str().unwrap();
    assert_eq!(okta(&lab, "GET", &format!("/api/v1/apps/{app}/users/{id}")).await.0, 200);
    let missing = okta(&lab, "GET", &format!("/api/v1/apps/0oanone/users/{id}")).await.1;
    assert!(missing["errorSummary"].as_str().unwrap().ends_with("(AppInstance)"));
}

#[rstest]
#[case("/api/v1/logs?filter=eventType%20eq%20user")]
#[case("/api/v1/logs?sortOrder=UP")]
#[case("/api/v1/logs?limit=1001")]
#[case("/api/v1/logs?limit=many")]
#[case("/api/v1/logs?q=a%20b%20c%20d%20e%20f%20g%20h%20i%20j%20k")]
#[case("/api/v1/users?filter=profile.department%20eq%20%22x%22")]
#[case("/api/v1/users?filter=profile.login%20co%20%22x%22")]
#[tokio::test]
async fn what_okta_does_not_take_is_refused(#[case] path: &str) {
    let lab = Lab::start(options()).await.unwrap();
    let (status, error) = okta(&lab, "GET", path).await;
    assert_eq!(status, 400, "{error}");
}
