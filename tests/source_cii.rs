//! CII's messages where they are large, and what makes two of them the same. What each becomes is in
//! `tests/conformance.rs`.
use idtriage::domain::Login;
use idtriage::source::cii;
use serde_json::{Value, json};

#[test]
fn fifty_thousand_users_in_one_event() {
    let logins: Vec<String> = (0..50_000).map(|n| format!("user{n}@example.com")).collect();
    let details: Vec<Value> = logins.iter().map(|login| json!({ "login": login, "details": [] })).collect();
    let raw = json!({ "detail-type": "FAILED_CHECK", "detail": {
        "id": "e1", "checkId": "no-mfa", "usersFailing": logins, "loginDetails": details,
    } });
    let event = cii::decode(&raw.to_string());
    assert_eq!(event.users.len(), 50_000);
    assert_eq!(event.users.last().map(Login::raw), Some("user49999@example.com"));
}

#[test]
fn the_key_is_the_event_the_check_and_the_set_of_logins() {
    let key = |check: &str, users: &[&str]| {
        let raw = json!({ "id": check.len() + users.len(), "detail": { "id": "e1", "checkId": check, "usersFailing": users } });
        cii::decode(&raw.to_string()).key
    };
    let key_of_two = key("no-mfa", &["a@x", "b@x"]);
    assert_eq!(key_of_two, key("no-mfa", &["B@x", "a@x", "A@X"]));
    assert_ne!(key_of_two, key("no-mfa", &["a@x"]));
    assert_ne!(key_of_two, key("mfa-flood", &["a@x", "b@x"]));
}
