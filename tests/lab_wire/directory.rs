//! The lab's Okta as a directory that is written to: users made and changed, members of groups, the log of it.
use crate::common::{client, lab, okta, read};
use idtriage::lab::Lab;
use rstest::rstest;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

async fn send(lab: &Lab, path: &str, body: &Value) -> (u16, Value) {
    let authorization = format!("SSWS {}", lab.secrets().okta_token.expose_secret());
    let url = format!("{}{path}", lab.addresses().okta_org_url);
    read(client().post(url).header("authorization", authorization).json(body).send().await.unwrap()).await
}

async fn made(lab: &Lab, query: &str, login: &str) -> Value {
    let profile =
        json!({"login": login, "email": login, "firstName": "New", "lastName": "Comer", "title": null});
    let (status, user) = send(lab, &format!("/api/v1/users{query}"), &json!({"profile": profile})).await;
    assert_eq!(status, 200, "{user}");
    assert!(user["profile"].get("title").is_none(), "null is left out: {user}");
    user
}

fn id(user: &Value) -> &str {
    user["id"].as_str().unwrap()
}

/// Events of a type in the log: of each the request and the types of what it was done to.
async fn logged(lab: &Lab, event: &str) -> Vec<(String, Vec<String>)> {
    let path = format!("/api/v1/logs?limit=1000&filter=eventType%20eq%20%22{event}%22");
    let (_, events) = okta(lab, "GET", &path).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of = |event: &Value| {
        let targets = event["target"].as_array().unwrap();
        assert_eq!(event["transaction"]["id"], event["debugContext"]["debugData"]["requestId"]);
        (text(&event["transaction"]["id"]), targets.iter().map(|target| text(&target["type"])).collect())
    };
    events.as_array().unwrap().iter().map(of).collect()
}

#[rstest]
#[case("?activate=false", "STAGED")]
#[case("?activate=true", "PROVISIONED")]
#[case("", "PROVISIONED")]
#[tokio::test]
async fn a_user_without_a_password_is_staged_or_provisioned(#[case] query: &str, #[case] status: &str) {
    let lab = lab().await;
    assert_eq!(made(&lab, query, "new@meridian.example").await["status"], status);
}

#[tokio::test]
async fn who_is_activated_without_a_password_stays_provisioned() {
    let lab = lab().await;
    let user = made(&lab, "?activate=false", "new@meridian.example").await;
    let path = format!("/api/v1/users/{}", id(&user));
    let (status, body) = okta(&lab, "POST", &format!("{path}/lifecycle/activate?sendEmail=false")).await;
    assert!(status == 200 && body["activationUrl"].is_string() && body["activationToken"].is_string());
    let mut seen = okta(&lab, "GET", &path).await.1;
    assert_eq!((&seen["status"], &seen["transitioningToStatus"]), (&json!("STAGED"), &json!("PROVISIONED")));
    let (status, error) = send(&lab, &path, &json!({"profile": {"title": "x"}})).await;
    assert_eq!((status, &error["errorCode"]), (409, &json!("E0000112")));
    while seen.get("transitioningToStatus").is_some() {
        seen = okta(&lab, "GET", &path).await.1;
    }
    assert_eq!(seen["status"], "PROVISIONED");
    assert!(seen["_links"]["reactivate"].is_object());
}

#[tokio::test]
async fn a_login_is_taken_once_whatever_its_case() {
    let lab = lab().await;
    let login = lab.user_logins()[0].to_uppercase();
    lab.faults().set("many-causes@okta".parse().unwrap());
    let (status, error) = send(
        &lab,
        "/api/v1/users",
        &json!({"profile": {"login": login, "email": login, "firstName": "A", "lastName": "B"}}),
    )
    .await;
    assert_eq!((status, &error["errorCode"]), (400, &json!("E0000001")));
    let causes = error["errorCauses"].as_array().unwrap();
    assert!(
        causes[0]["errorSummary"].as_str().unwrap().starts_with("login: An object with this field already")
    );
    assert_eq!(causes.len(), 2);
}

#[tokio::test]
async fn an_update_is_partial_and_may_rename() {
    let lab = lab().await;
    let user = made(&lab, "", "new@meridian.example").await;
    let path = format!("/api/v1/users/{}", id(&user));
    let change = json!({"profile": {"title": "Analyst", "login": "other@meridian.example", "email": null}});
    let (status, after) = send(&lab, &path, &change).await;
    let expected = json!({"login": "other@meridian.example", "firstName": "New", "lastName": "Comer", "title": "Analyst"});
    assert_eq!((status, &after["profile"]), (200, &expected));
    assert_eq!(okta(&lab, "GET", "/api/v1/users/OTHER@meridian.example").await.1["id"], user["id"]);
    assert_eq!(okta(&lab, "GET", "/api/v1/users/new@meridian.example").await.0, 404);
    let taken = json!({"profile": {"login": lab.user_logins()[0]}});
    assert_eq!(send(&lab, &path, &taken).await.1["errorCode"], "E0000001");
    assert_eq!(logged(&lab, "user.account.update_profile").await.len(), 1, "what is refused is not logged");
}

#[tokio::test]
async fn neither_the_deprovisioned_nor_what_another_system_masters_is_updated() {
    let lab = lab().await;
    let user = made(&lab, "", "new@meridian.example").await;
    let path = format!("/api/v1/users/{}", id(&user));
    let change = json!({"profile": {"title": "Analyst"}});
    lab.faults().set("mastered-elsewhere@okta=1".parse().unwrap());
    let (status, error) = send(&lab, &path, &change).await;
    assert_eq!((status, &error["errorCode"]), (403, &json!("E0000023")));
    assert_eq!(okta(&lab, "POST", &format!("{path}/lifecycle/deactivate")).await.0, 200);
    let (status, error) = send(&lab, &path, &change).await;
    assert_eq!((status, &error["errorCode"]), (404, &json!("E0000007")));
}

#[tokio::test]
async fn only_groups_of_okta_take_and_lose_members() {
    let lab = lab().await;
    let user = made(&lab, "", "new@meridian.example").await;
    let (_, groups) = okta(&lab, "GET", "/api/v1/groups?limit=1000").await;
    let of_type = |kind: &str| {
        let found = groups.as_array().unwrap().iter().find(|group| group["type"] == kind).unwrap();
        format!("/api/v1/groups/{}/users/{}", found["id"].as_str().unwrap(), id(&user))
    };
    for kind in ["BUILT_IN", "APP_GROUP"] {
        for method in ["PUT", "DELETE"] {
            let (status, error) = okta(&lab, method, &of_type(kind)).await;
            assert_eq!((status, &error["errorCode"]), (400, &json!("E0000001")), "{method} {kind}");
        }
    }
    for method in ["PUT", "PUT", "DELETE", "DELETE"] {
        assert_eq!(okta(&lab, method, &of_type("OKTA_GROUP")).await.0, 204);
    }
    for event in ["group.user_membership.add", "group.user_membership.remove"] {
        let found = logged(&lab, event).await;
        assert_eq!(found.len(), 1, "what changed nothing is not logged");
        assert_eq!(found[0].1, ["UserGroup", "User"], "a target is found by its type");
    }
}

#[tokio::test]
async fn the_log_has_the_request_id_of_every_action() {
    let lab = lab().await;
    let user = made(&lab, "?activate=false", "new@meridian.example").await;
    let url = format!("{}/api/v1/users/{}/lifecycle/activate", lab.addresses().okta_org_url, id(&user));
    let authorization = format!("SSWS {}", lab.secrets().okta_token.expose_secret());
    let request = client().post(url).header("authorization", authorization).header("content-length", 0);
    let answer = request.send().await.unwrap();
    let request_id = answer.headers()["x-okta-request-id"].to_str().unwrap().to_owned();
    assert_eq!(logged(&lab, "user.lifecycle.activate").await, [(request_id, vec!["User".to_owned()])]);
    assert_eq!(logged(&lab, "user.lifecycle.create").await.len(), 1);
}

#[tokio::test]
async fn a_schema_tells_base_and_custom_attributes() {
    let lab = lab().await;
    let (_, schema) = okta(&lab, "GET", "/api/v1/meta/schemas/user/default").await;
    let definitions = &schema["definitions"];
    assert_eq!(definitions["base"]["properties"]["login"]["required"], true);
    assert_eq!(definitions["base"]["properties"]["mobilePhone"]["type"], "string");
    assert_eq!(definitions["custom"]["properties"]["badgeNumber"]["title"], "Badge number");
    assert_eq!(okta(&lab, "GET", "/api/v1/meta/schemas/user/other").await.0, 404);
}

#[tokio::test]
async fn a_search_is_behind_where_it_is_told_to_be_and_a_filter_is_not() {
    let lab = lab().await;
    made(&lab, "", "new@meridian.example").await;
    lab.faults().set("late-search@okta=60s".parse().unwrap());
    let count = async |kind: &str| {
        let path = format!("/api/v1/users?{kind}=profile.email%20eq%20%22new@meridian.example%22");
        okta(&lab, "GET", &path).await.1.as_array().unwrap().len()
    };
    assert_eq!((count("search").await, count("filter").await), (0, 1));
    lab.clock().advance(std::time::Duration::from_secs(61));
    assert_eq!(count("search").await, 1);
}

#[tokio::test]
async fn lists_come_in_small_pages_and_factors_by_policy_where_they_are_told_to() {
    let lab = lab().await;
    let user = made(&lab, "", "new@meridian.example").await;
    lab.faults().set("small-pages@okta=2".parse().unwrap());
    assert_eq!(okta(&lab, "GET", "/api/v1/apps?limit=200").await.1.as_array().unwrap().len(), 2);
    lab.faults().set("trimmed-factors@okta".parse().unwrap());
    let (_, users) = okta(&lab, "GET", "/api/v1/users?limit=200").await;
    for user in users.as_array().unwrap().iter().chain([&user]) {
        let path = format!("/api/v1/users/{}/factors", id(user));
        assert!(okta(&lab, "GET", &path).await.1.as_array().unwrap().len() <= 1);
    }
    lab.faults().set("429-bare@okta=1".parse().unwrap());
    let (status, error) = okta(&lab, "GET", "/api/v1/users/nobody").await;
    assert_eq!((status, &error["errorCode"]), (429, &json!("E0000047")));
}

#[tokio::test]
async fn an_account_without_a_name_is_not_made() {
    let lab = lab().await;
    let profile = json!({"profile": {"login": "x@acme.example", "email": "x@acme.example"}});
    let (status, error) = send(&lab, "/api/v1/users?activate=false", &profile).await;
    assert_eq!((status, &error["errorCode"]), (400, &json!("E0000001")));
}

#[tokio::test]
async fn the_log_tells_what_one_token_did() {
    let lab = lab().await;
    let user = made(&lab, "?activate=true", "token@acme.example").await;
    let by = |token: &str| {
        let filter = format!("transaction.detail.requestApiTokenId%20eq%20%22{token}%22");
        format!("/api/v1/logs?limit=1000&filter={filter}")
    };
    let (_, found) = okta(&lab, "GET", &by("00Tlabtoken000000005d7")).await;
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!([&found[0]["eventType"], &found[0]["target"][0]["id"]], ["user.lifecycle.create", id(&user)]);
    assert_eq!(okta(&lab, "GET", &by("00Tother")).await.1, json!([]));
}
