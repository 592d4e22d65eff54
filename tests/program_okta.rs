//! Okta's own operations from the command line, against a lab: what is sent, what is not, and what is
//! proven.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use rstest::rstest;
use serde_json::Value;
use support::place::Place;
use support::tenant::Tenant;

fn started() -> (Tenant, Place) {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    (tenant, place)
}

/// What an operation came to, and with which status the program ended.
fn operate(place: &Place, words: &[&str], status: i32) -> Value {
    let words: Vec<&str> = ["okta", "user"].iter().chain(words).copied().collect();
    place.run_json(&words).expect(status).json_lines().remove(0)
}

fn ended(action: &Value) -> (&str, &str) {
    (action["outcome"].as_str().unwrap(), action["evidence"].as_str().unwrap_or("nothing"))
}

/// Method and path of what was sent, in order.
fn sent(tenant: &Tenant) -> Vec<String> {
    tenant.lab.recorder().writes().iter().map(|sent| format!("{} {}", sent.method, sent.path)).collect()
}

#[test]
fn an_operation_is_sent_once_by_id_and_verified_by_a_reread() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let action = operate(&place, &["suspend", &login, "--yes", "--reason", "case 7"], 0);
    assert_eq!(ended(&action), ("changed", "verified"));
    let id = action["target"].as_str().unwrap();
    assert_eq!(sent(&tenant), [format!("POST /api/v1/users/{id}/lifecycle/suspend")]);
    let write = &tenant.lab.recorder().writes()[0];
    assert_eq!((write.header("content-length"), write.body.is_empty()), (Some("0"), true));
    // The receipt has the id by which Okta's support and its log know the request.
    let headers = action["receipt"]["headers"].as_array().unwrap();
    assert!(headers.iter().any(|header| header[0] == "x-okta-request-id"), "{headers:?}");
    assert!(action["receipt"]["verified"].as_str().unwrap().contains("SUSPENDED, before ACTIVE"));

    let again = operate(&place, &["suspend", &login, "--yes"], 0);
    assert_eq!(ended(&again), ("no-change", "nothing"));
    assert_eq!(sent(&tenant).len(), 1, "what is so already is not sent");
    let back = operate(&place, &["unsuspend", &login, "--yes"], 0);
    assert_eq!((ended(&back), sent(&tenant).len()), (("changed", "verified"), 2));
}

#[rstest]
#[case("clear-sessions", "DELETE /api/v1/users/ID/sessions?oauthTokens=true", ("accepted", "acknowledged"))]
#[case("reset-password", "POST /api/v1/users/ID/lifecycle/reset_password?sendEmail=true", ("changed", "verified"))]
#[case("expire-password", "POST /api/v1/users/ID/lifecycle/expire_password", ("changed", "verified"))]
#[case("reset-factors", "POST /api/v1/users/ID/lifecycle/reset_factors", ("accepted", "acknowledged"))]
#[case("deactivate", "POST /api/v1/users/ID/lifecycle/deactivate?sendEmail=false", ("changed", "verified"))]
#[case("disable", "POST /api/v1/users/ID/lifecycle/deactivate?sendEmail=false", ("changed", "verified"))]
fn each_operation_is_its_documented_request(
    #[case] verb: &str,
    #[case] request: &str,
    #[case] expected: (&str, &str),
) {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let action = operate(&place, &[verb, &login, "--yes", "--confirm", &login], 0);
    assert_eq!(ended(&action), expected, "{action}");
    let request = request.replace("ID", action["target"].as_str().unwrap());
    let write = &tenant.lab.recorder().writes()[0];
    let (path, query) = request.split_once('?').unwrap_or((&request, ""));
    assert_eq!((format!("{} {}", write.method, write.path).as_str(), write.query.as_str()), (path, query));
    assert!(!action.to_string().contains("Token\":\"") && !action.to_string().contains("resetPasswordUrl"));
}

#[test]
fn what_destroys_wants_the_login_typed() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let refused = place.run(&["okta", "user", "deactivate", &login, "--yes"]).expect(2);
    assert!(refused.errors.contains("`--yes` is not enough"), "{}", refused.errors);
    assert!(sent(&tenant).is_empty());
}

#[test]
fn a_deactivated_account_comes_back_only_by_its_own_operation() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    operate(&place, &["deactivate", &login, "--confirm", &login], 0);
    let twice = operate(&place, &["deactivate", &login, "--confirm", &login], 0);
    assert_eq!(ended(&twice), ("no-change", "nothing"));
    let illegal = place.run(&["okta", "user", "suspend", &login, "--yes"]).expect(1);
    assert!(illegal.errors.contains("not legal from DEPROVISIONED"), "{}", illegal.errors);
    let back = operate(&place, &["enable", &login, "--yes"], 0);
    assert_eq!(ended(&back), ("changed", "verified"));
    assert_eq!(sent(&tenant).len(), 2);
}

#[test]
fn a_lost_reply_is_cleared_up_by_a_reread_and_not_by_another_send() {
    let (tenant, place) = started();
    tenant.fault("change-lost");
    let action = operate(&place, &["suspend", &tenant.login(3), "--yes"], 0);
    assert_eq!(ended(&action), ("changed", "verified"));
    assert_eq!(sent(&tenant).len(), 1);
    assert!(action["receipt"]["error"].is_string(), "{action}");
    let sessions = operate(&place, &["clear-sessions", &tenant.login(4), "--yes"], 4);
    assert_eq!(ended(&sessions), ("unknown", "sent"));
    assert_eq!(sent(&tenant).len(), 2);
}

#[test]
fn nothing_is_sent_where_the_account_cannot_be_read() {
    let (tenant, place) = started();
    tenant.fault("403@okta");
    let refused = place.run(&["okta", "user", "suspend", &tenant.login(3), "--yes"]).expect(1);
    assert!(refused.errors.contains("the account cannot be read"), "{}", refused.errors);
    assert!(sent(&tenant).is_empty());
}

#[test]
fn somebody_whom_okta_does_not_know_is_no_target() {
    let (tenant, place) = started();
    let refused = place.run(&["okta", "user", "suspend", "nobody@example.org", "--dry-run"]).expect(1);
    assert!(refused.errors.contains("E0000007"), "{}", refused.errors);
    assert!(sent(&tenant).is_empty());
}
