//! What XSOAR's Okta IAM integration gets wrong, done right from the command line, against a lab that is as
//! awkward as a real org.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::place::Place;
use support::tenant::Tenant;

fn started() -> (Tenant, Place) {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    (tenant, place)
}

/// The JSON lines of an `okta` command.
fn told(place: &Place, words: &[&str]) -> Vec<Value> {
    place.run_json(&[&["okta"], words].concat()).expect(0).json_lines()
}

fn names(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// How many pages of a list were asked for.
fn pages(tenant: &Tenant, path: &str) -> usize {
    let requests = tenant.lab.recorder().requests();
    requests.iter().filter(|request| request.path.ends_with(path)).count()
}

#[test]
fn every_member_is_listed_over_all_pages_under_the_documented_names() {
    let (tenant, place) = started();
    let ask = ["iam-get-group", "--scim", r#"{"displayName":"Engineering"}"#, "--includeMembers", "true"];
    let whole = told(&place, &ask).remove(0);
    let members = whole["members"].as_array().unwrap();
    assert!(members.len() > 3, "too few for two pages: {whole}");
    assert_eq!(pages(&tenant, "/users"), 1);
    tenant.fault("small-pages");
    assert_eq!(told(&place, &ask).remove(0), whole, "a page more changes nothing");
    assert!(pages(&tenant, "/users") > 2);
    let documented = ["success", "id", "displayName", "members", "errorCode", "errorMessage"];
    assert_eq!(names(&whole), documented.into());
    assert!(members.iter().all(|member| names(member) == ["value", "display"].into()), "{members:?}");
}

#[test]
fn applications_are_listed_over_all_pages_whatever_their_logo_is() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let all = told(&place, &["okta-iam-list-applications", "--query", "", "--limit", "200"]);
    // The lab's logos are a list, an empty one, an object and nothing.
    let logos: BTreeSet<bool> = all.iter().map(|app| app["Logo"].as_str().unwrap().is_empty()).collect();
    assert_eq!(logos, [false, true].into(), "{all:?}");
    let ask = ["okta-iam-list-user-applications", "--user_id", &login];
    let assigned = told(&place, &ask);
    assert!(assigned.len() > 3, "too few for two pages: {assigned:?}");
    tenant.fault("small-pages");
    let before = pages(&tenant, "/apps");
    assert_eq!(told(&place, &ask), assigned);
    assert!(pages(&tenant, "/apps") - before > 1);
    assert_eq!(told(&place, &["okta-iam-list-applications", "--limit", "200"]), all);
    let before = pages(&tenant, "/apps");
    assert_eq!(told(&place, &["app", "list", "--all"]), all);
    let of_all = pages(&tenant, "/apps") - before;
    assert!(of_all > 1 && of_all <= all.len(), "each page once: {of_all}");
}

/// What a dry run says would be sent, but for the id that each action has of its own.
fn planned(place: &Place, words: &[&str]) -> Vec<Value> {
    let plans = told(place, &[words, &["--dry-run"]].concat());
    let of = |plan: &Value| {
        let request = plan["request"].to_string().replace(plan["id"].as_str().unwrap(), "ID");
        json!([plan["flow"], serde_json::from_str::<Value>(&request).unwrap(), plan["steps"]])
    };
    plans.iter().map(of).collect()
}

#[test]
fn what_stands_for_a_command_of_xsoar_plans_the_same() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let new = r#"{"username":"new@acme.example","email":"new@acme.example","givenname":"N","surname":"E"}"#;
    let is = json!({"username": login, "title": "x"}).to_string();
    let named = json!({"username": login}).to_string();
    let fields = r#"{"title":"x"}"#;
    for (xsoar, ours) in [
        (["iam-create-user", new], vec!["user", "create", "--profile", new, "--activate"]),
        (["iam-update-user", &is], vec!["user", "update", &login, "--profile", fields]),
        (["iam-disable-user", &named], vec!["user", "disable", &login]),
        (["iam-enable-user", &named], vec!["user", "enable", &login]),
    ] {
        let theirs = planned(&place, &[xsoar[0], "--user-profile", xsoar[1]]);
        assert!(!theirs.is_empty() && !theirs[0][0].is_null(), "{theirs:?}");
        assert_eq!(theirs, planned(&place, &ours), "{}", xsoar[0]);
    }
}

#[test]
fn outputs_have_the_names_that_are_documented() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let user = told(&place, &["user", "get", &login]).remove(0);
    let vendor = ["success", "active", "id", "username", "email", "errorCode", "errorMessage", "details"];
    let undocumented = ["action", "skipped", "reason", "status", "can_sign_in"];
    assert_eq!(names(&user), vendor.into_iter().chain(undocumented).collect());
    let profile = &user["details"]["profile"];
    assert_eq!((&user["username"], &user["email"]), (&profile["login"], &profile["email"]));
    assert!(user["errorCode"].is_string(), "a code is a text");
    let apps = told(&place, &["user", "apps", &login]);
    assert_eq!(names(&apps[0]), ["ID", "Name", "Label", "Logo", "Status"].into());
    let app = apps[0]["ID"].as_str().unwrap();
    let ask = ["okta-get-app-user-assignment", "--user_id", &login, "--application_id", app];
    let assignment = told(&place, &ask).remove(0);
    assert_eq!(names(&assignment), ["UserID", "AppID", "IsAssigned", "ProfileInApp"].into());
}

#[test]
fn a_text_with_quotes_is_looked_up_as_it_is() {
    let (tenant, place) = started();
    let mail = r#"o"x\y@meridian.example"#;
    tenant.lab.share_mail(mail, &[&tenant.login(3)]);
    let user = told(&place, &["user", "get", mail]).remove(0);
    assert_eq!((&user["username"], &user["email"]), (&json!(tenant.login(3)), &json!(mail)));
    // Whoever could break out of the text would find everybody.
    let clever = r#"x" or profile.email sw "@meridian.example"#;
    let nobody = place.run_json(&["okta", "user", "get", clever]).expect(1).json_lines().remove(0);
    assert_eq!((&nobody["success"], nobody.get("candidates")), (&json!(false), None), "{nobody}");
}

#[test]
fn a_deactivated_account_is_not_updated() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let gone = ["okta", "user", "deactivate", &login, "--yes", "--confirm", &login];
    place.run_json(&gone).expect(0);
    let writes = tenant.lab.recorder().writes().len();
    let input = r#"profile={"title":"Head of Sales"}"#;
    let update = ["run", "okta-update-user", "--user", &login, "--input", input, "--yes"];
    let refused = place.run(&[&update, &["--reason", "case 7"][..]].concat()).expect(1);
    assert!(refused.errors.contains("activating it is an action of its own"), "{}", refused.errors);
    assert_eq!(tenant.lab.recorder().writes().len(), writes, "neither changed nor activated");
}

#[test]
fn records_are_kept_whoever_they_name() {
    let place = Place::with_source();
    let record = |uuid: &str, targets: Value| {
        json!({
            "uuid": uuid, "published": "2026-05-01T12:00:00.000Z", "version": "0", "severity": "INFO",
            "eventType": "application.user_membership.add", "displayMessage": "Add user to application",
            "actor": {"id": "00u1", "type": "User", "alternateId": "admin@example.com", "displayName": "Admin"},
            "outcome": {"result": "SUCCESS"}, "target": targets,
        })
    };
    let records = [
        record(
            "1b6f3e52-0000-4000-8000-000000000001",
            json!([{"type": "User", "alternateId": "hrms.service"}]),
        ),
        record(
            "1b6f3e52-0000-4000-8000-000000000002",
            json!([{"type": "AppInstance", "alternateId": "Payroll"}]),
        ),
        record("1b6f3e52-0000-4000-8000-000000000003", Value::Null),
    ];
    place.write("records.jsonl", &records.iter().map(|record| format!("{record}\n")).collect::<String>());
    let sum = place.run_json(&["import", "records.jsonl"]).expect(0).json_lines().pop().unwrap();
    assert_eq!((&sum["new"], &sum["refused"], &sum["dropped"]), (&json!(3), &json!(0), &json!(0)));
    let kept: BTreeSet<String> = place
        .all("events")
        .iter()
        .map(|event| event["source_event_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kept.len(), 3, "{kept:?}");
}
