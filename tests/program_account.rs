//! A person with several accounts from the command line, against a lab: none is chosen for anybody.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use serde_json::{Value, json};
use support::place::Place;
use support::tenant::Tenant;

/// A router is told any account of theirs: this person has three.
const FLOW: &str = "ispm-event-hook";

fn started() -> (Tenant, Place, String) {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    let logins = tenant.lab.user_logins();
    let several = logins.into_iter().find(|login| login.starts_with("iris.consistent")).unwrap();
    (tenant, place, several)
}

fn line(place: &Place, words: &[&str], status: i32) -> Value {
    let mut lines = place.run_json(words).expect(status).json_lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

#[test]
fn the_refusal_says_what_chooses_one_and_that_is_taken() {
    let (tenant, place, login) = started();
    let run = ["run", FLOW, "--user", &login, "--dry-run"];
    let refused = place.run(&run).expect(1);
    let hint = refused.errors.lines().find(|line| line.starts_with("hint: ")).unwrap();
    assert!(refused.errors.contains("3 accounts of"), "{}", refused.errors);

    let told = line(&place, &run, 1);
    assert_eq!((&told["outcome"], &told["login"]), (&json!("refused"), &json!(login)));
    let accounts = told["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 3, "{told}");
    for account in accounts {
        let option = account["choose"].as_str().unwrap();
        assert!(hint.contains(&format!("`{option}`")), "{hint}");
        let words: Vec<&str> = run.iter().copied().chain(option.split(' ')).collect();
        let planned = line(&place, &words, 0);
        let body = planned["request"]["body"].as_str().unwrap();
        assert!(body.contains(account["id"].as_str().unwrap()), "{body}");
    }
    let wrong = [&run[..], &["--account", "OKTA/00uNobody"]].concat();
    let told = line(&place, &wrong, 1);
    assert_eq!(told["accounts"].as_array().map(Vec::len), Some(3), "{told}");
    assert_eq!(tenant.lab.recorder().writes(), []);
}

/// Of many they are left out, and what is said of them names the way.
#[test]
fn an_account_is_of_one_user() {
    let (tenant, place, login) = started();
    let other = tenant.login(3);
    let both = ["run", "suspend-okta-account", "--user", &other, "--user", &login];
    let refused = place.run(&[&both[..], &["--account", "00u1", "--dry-run"]].concat()).expect(2);
    assert!(refused.errors.contains("`--account` is of one user"), "{}", refused.errors);
    let both = ["run", FLOW, "--user", &login, "--user", "hrms.serviceuser", "--dry-run"];
    let lines = place.run_json(&both).expect(3).json_lines();
    let told = lines.iter().find(|line| line["login"] == login.as_str()).unwrap();
    let why = told["refusal"].as_str().unwrap();
    assert!(why.contains("one has to be chosen, for this user alone: "), "{why}");
    assert_eq!(told["accounts"].as_array().map(Vec::len), Some(3), "{told}");
    let tried = ["run", FLOW, "--test", "--account", "00u1", "--dry-run"];
    place.run(&tried).expect(2);
    assert_eq!(tenant.lab.recorder().writes(), []);
}
