//! The lab's CII: token, GraphQL, paging and faults, over the wire.
use crate::common::{ask, cii_token, client, lab, options, read};
use idtriage::lab::{Fault, FaultKind, Lab, LabOptions};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::collections::HashSet;

const STATE: &str =
    "query($login: String!) { getEndUserState(login: $login) { id login displayName status } }";

#[tokio::test]
async fn token_comes_for_json_and_for_a_form() {
    let lab = lab().await;
    let secret = lab.secrets().cii_client_secret.expose_secret().to_owned();
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", lab.secrets().cii_client_id.as_str()),
        ("client_secret", secret.as_str()),
    ];
    let form = client().post(&lab.addresses().cii_token_url).form(&fields).send().await.unwrap();
    let (status, reply) = read(form).await;
    assert_eq!(status, 200);
    assert_eq!(reply["expires_in"], 36_000);
    assert_eq!(reply["access_token"].as_str().unwrap().split('.').count(), 3);
    assert_eq!(cii_token(&lab).await.split('.').count(), 3);
    let recorded = format!("{:?}", lab.recorder().requests());
    assert!(!recorded.contains(&secret));
}

#[tokio::test]
async fn token_is_refused_for_a_wrong_secret_and_for_a_missing_audience() {
    let lab = lab().await;
    let secret = lab.secrets().cii_client_secret.expose_secret().to_owned();
    let plain = lab.secrets().cii_client_id.clone();
    let strict = format!("{plain}-audience");
    let audience = "https://api.meridian.example";
    let cases = [
        (plain.as_str(), "wrong", None, 401),
        (strict.as_str(), secret.as_str(), None, 403),
        (strict.as_str(), secret.as_str(), Some(audience), 200),
        (plain.as_str(), secret.as_str(), Some("https://elsewhere.example"), 403),
    ];
    for (id, secret, audience, expected) in cases {
        let mut body = json!({"grant_type": "client_credentials", "client_id": id, "client_secret": secret});
        if let Some(audience) = audience {
            body["audience"] = json!(audience);
        }
        let response = client().post(&lab.addresses().cii_token_url).json(&body).send().await.unwrap();
        assert_eq!(read(response).await.0, expected, "{id} {audience:?}");
    }
}

#[tokio::test]
async fn a_call_without_a_good_token_is_refused() {
    let lab = lab().await;
    let body = json!({"query": "{ ping }"});
    let none = client().post(&lab.addresses().cii_api_url).json(&body).send().await.unwrap();
    assert_eq!(none.status(), 401);
    let token = cii_token(&lab).await;
    lab.revoke_tokens();
    let old =
        client().post(&lab.addresses().cii_api_url).bearer_auth(token).json(&body).send().await.unwrap();
    assert_eq!(old.status(), 401);
}

#[tokio::test]
async fn ping_answers() {
    let lab = lab().await;
    assert_eq!(ask(&lab, "{ ping }", Value::Null).await, json!({"data": {"ping": true}}));
}

#[tokio::test]
async fn an_unknown_field_is_a_validation_error() {
    let lab = lab().await;
    let reply = ask(&lab, "{ getEndUserState(login: \"x\") { id favouriteColour } }", Value::Null).await;
    assert_eq!(reply["data"], Value::Null);
    let message = reply["errors"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("Validation error") && message.contains("favouriteColour"), "{message}");
}

#[tokio::test]
async fn an_unknown_login_is_an_error_with_path_and_type() {
    let lab = lab().await;
    let reply = ask(&lab, STATE, json!({"login": "nobody"})).await;
    assert_eq!(reply["data"], Value::Null);
    assert_eq!(reply["errors"][0]["path"], json!(["getEndUserState"]));
    assert_eq!(reply["errors"][0]["errorType"], "NotFound");
    lab.faults().set(Fault::lasting(FaultKind::BareErrors));
    let bare = ask(&lab, STATE, json!({"login": "nobody"})).await;
    assert_eq!(bare["errors"][0], json!({"message": "no user with this login"}));
}

#[tokio::test]
async fn error_info_is_null_an_object_or_a_list() {
    let lab = lab().await;
    let info = async || ask(&lab, STATE, json!({"login": "nobody"})).await["errors"][0]["errorInfo"].clone();
    assert!(info().await.is_null());
    lab.faults().set("error-info@cii".parse().unwrap());
    assert!(info().await["code"].is_string());
    lab.faults().clear_all();
    lab.faults().set("error-info-list".parse().unwrap());
    assert!(info().await[0]["code"].is_string());
}

#[tokio::test]
async fn one_failing_field_leaves_the_rest_and_its_path_has_integers() {
    let lab = lab().await;
    lab.faults().set("partial".parse().unwrap());
    let login = lab.user_logins()[0].clone();
    let query = "query($login: String!) { getEndUserState(login: $login) { status ipAddresses { ipAddress location { city } } } }";
    let reply = ask(&lab, query, json!({"login": login})).await;
    let user = &reply["data"]["getEndUserState"];
    let addresses = user["ipAddresses"].as_array().unwrap();
    assert!(user["status"].is_string() && addresses.len() > 1);
    assert!(addresses.iter().all(|one| one["ipAddress"].is_string() && one["location"].is_null()));
    let errors = reply["errors"].as_array().unwrap();
    assert_eq!(errors.len(), addresses.len());
    assert_eq!(errors[1]["path"], json!(["getEndUserState", "ipAddresses", 1, "location"]));
    assert_eq!(errors[1]["errorType"], "LocationUnavailable");
}

#[tokio::test]
async fn one_failing_alias_nulls_all_data() {
    let lab = lab().await;
    let query = "{ a: getEndUserState(login: \"hrms.serviceuser\") { id } b: getEndUserState(login: \"nobody\") { id } }";
    let reply = ask(&lab, query, Value::Null).await;
    assert_eq!(reply["data"], Value::Null);
    assert_eq!(reply["errors"][0]["path"], json!(["b"]));
}

#[tokio::test]
async fn pages_end_and_cover_everybody_once() {
    let lab = lab().await;
    let query = "query($t: String) { listEndUsers(input: {}, pageSize: 60, pageToken: $t) \
                 { items { id login displayName hasMoreGroups providers endUserTrustScore { levelOfTrust } } pageToken } }";
    let (mut token, mut seen) = (Value::Null, Vec::new());
    loop {
        let page = ask(&lab, query, json!({"t": token})).await["data"]["listEndUsers"].clone();
        seen.extend(page["items"].as_array().unwrap().clone());
        token = page["pageToken"].clone();
        if token.is_null() {
            break;
        }
    }
    let ids: HashSet<&str> = seen.iter().filter_map(|user| user["id"].as_str()).collect();
    assert_eq!((seen.len(), ids.len()), (200, 200));
    assert!(seen.iter().any(|user| user["displayName"].is_null()));
    assert!(seen.iter().any(|user| user["hasMoreGroups"] == true));
    assert!(seen.iter().any(|user| user["displayName"].as_str().is_some_and(|name| name.contains('\u{1b}'))));
}

#[tokio::test]
async fn a_page_has_either_of_the_documented_sizes() {
    let lab = Lab::start(LabOptions { users: 1_200, ..options() }).await.unwrap();
    let size = async |arguments: &str| {
        let query = format!("{{ listEndUsers(input: {{}}{arguments}) {{ items {{ id }} }} }}");
        ask(&lab, &query, Value::Null).await["data"]["listEndUsers"]["items"].as_array().unwrap().len()
    };
    assert_eq!((size("").await, size(", pageSize: 1001").await), (100, 500));
    lab.faults().set("page-sizes".parse().unwrap());
    assert_eq!((size("").await, size(", pageSize: 1001").await), (50, 1_000));
}

#[tokio::test]
async fn every_user_can_be_read_in_every_field() {
    let lab = lab().await;
    let query = "query($login: String!) { \
        getEndUserState(login: $login) { id displayName login employeeId status userTypeClassification managerLogin \
          ipAddresses { ipAddress location { city state country } } phoneNumber unusedApplications usedApplications usedFactors \
          referenceUrl registeredLocationDetails { city } workingLocationDetails { location { country } userLocationPrevalence } } \
        getEndUser(login: $login) { \
          endUserDetails { id displayName login status userIds emails company department title userTypeClassification employeeIds \
            linkedEndUserLogins groupNames phoneNumbers managerLogin devices { deviceId displayName os lastSeen deviceType provider } \
            mfaEnabled lastSignIn { timestamp result ipAddress location { city } } lastActive firstCreatedDate failingChecks referenceUrl } \
          providerEndUserDetails { userId provider firstName lastName displayName login email status employeeId mfaEnabled \
            creationDate lastUpdated } } }";
    for login in lab.user_logins() {
        let reply = ask(&lab, query, json!({"login": login})).await;
        assert!(reply.get("errors").is_none(), "{login}: {reply}");
    }
}

#[tokio::test]
async fn the_attackers_address_leads_to_one_department() {
    let lab = lab().await;
    let query =
        "{ getEndUsersByIp(ipAddress: \"203.0.113.66\", pageSize: 500) { items { login } pageToken } }";
    let reply = ask(&lab, query, Value::Null).await;
    let items = reply["data"]["getEndUsersByIp"]["items"].as_array().unwrap();
    assert!(items.len() >= 5, "{}", items.len());
    let details = "query($login: String!) { getEndUser(login: $login) { endUserDetails { department } } }";
    for item in items {
        let reply = ask(&lab, details, json!({"login": item["login"]})).await;
        assert_eq!(reply["data"]["getEndUser"]["endUserDetails"]["department"], "Finance");
    }
}

#[tokio::test]
async fn schema_drift_takes_fields_and_brings_values() {
    let lab = lab().await;
    let query = "{ getEndUserState(login: \"hrms.serviceuser\") { id workingLocationDetails { userLocationPrevalence } } }";
    assert!(ask(&lab, query, Value::Null).await.get("errors").is_none());
    lab.faults().set(Fault::lasting(FaultKind::SchemaDrift));
    assert_eq!(ask(&lab, query, Value::Null).await["data"], Value::Null);
    let list = "{ listEndUsers(input: {}, pageSize: 500) { items { status } } }";
    let text = ask(&lab, list, Value::Null).await.to_string();
    assert!(text.contains("PENDING_REVIEW"));
}

#[tokio::test]
async fn a_webhook_is_registered_once_and_removed_once() {
    let lab = lab().await;
    let register = "mutation { registerWebhookWithApiKey(input: {name: \"n\", endpoint: \"https://x.example\", \
                    apiKeyName: \"k\", apiKey: \"v\", checkIds: [\"no-mfa\"]}) }";
    let id = ask(&lab, register, Value::Null).await["data"]["registerWebhookWithApiKey"].clone();
    let remove = "mutation($id: ID!) { unregisterWebhook(id: $id) }";
    assert_eq!(ask(&lab, remove, json!({"id": id})).await["data"]["unregisterWebhook"], true);
    assert!(ask(&lab, remove, json!({"id": id})).await["errors"].is_array());
}

#[tokio::test]
async fn faults_strike_as_often_as_told() {
    let lab = lab().await;
    let token = cii_token(&lab).await;
    let call = || async {
        let request = client()
            .post(&lab.addresses().cii_api_url)
            .bearer_auth(&token)
            .json(&json!({"query": "{ ping }"}));
        request.send().await
    };
    lab.faults().set("429@cii=1".parse().unwrap());
    let limited = call().await.unwrap();
    assert_eq!((limited.status().as_u16(), limited.headers().contains_key("retry-after")), (429, true));
    lab.faults().set("5xx@cii=1".parse().unwrap());
    let broken = call().await.unwrap();
    assert_eq!(broken.status(), 500);
    assert!(broken.text().await.unwrap().starts_with("<html>"));
    lab.faults().set("drop@cii=1".parse().unwrap());
    assert!(call().await.is_err());
    lab.faults().set("truncated@cii=1".parse().unwrap());
    assert!(call().await.unwrap().json::<Value>().await.is_err());
    assert_eq!(call().await.unwrap().status(), 200);
}
