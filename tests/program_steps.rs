//! Runs of several actions, groups, profiles and one-time links, through the whole program, against a lab.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use idtriage::lab::Recorded;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use support::place::Place;
use support::tenant::Tenant;
use support::wait;

fn started() -> (Tenant, Place) {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    (tenant, place)
}

/// What each action of a run came to, in order.
fn ran(place: &Place, words: &[&str], status: i32) -> Vec<Value> {
    let words: Vec<&str> = ["run"].iter().chain(words).copied().collect();
    place.run_json(&words).expect(status).json_lines()
}

fn ended(actions: &[Value]) -> Vec<[&str; 3]> {
    actions
        .iter()
        .map(|action| ["flow", "outcome", "evidence"].map(|name| action[name].as_str().unwrap_or("nothing")))
        .collect()
}

/// Method, path and parameters of what was sent, in order.
fn sent(tenant: &Tenant) -> Vec<String> {
    let line = |sent: &Recorded| format!("{} {}?{}", sent.method, sent.path, sent.query);
    tenant.lab.recorder().writes().iter().map(line).collect()
}

#[test]
fn containing_is_one_confirmation_and_two_actions_each_in_the_journal() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let shown = ran(&place, &["okta-contain", "--user", &login, "--dry-run"], 0);
    assert_eq!(shown.len(), 2, "a dry run shows both: {shown:?}");
    assert!(sent(&tenant).is_empty());
    let actions = ran(&place, &["okta-contain", "--user", &login, "--yes", "--reason", "case 7"], 0);
    assert_eq!(
        ended(&actions),
        [["okta-suspend", "changed", "verified"], ["okta-clear-sessions", "accepted", "acknowledged"]]
    );
    let sent = sent(&tenant);
    assert!(sent[0].ends_with("/lifecycle/suspend?"), "{sent:?}");
    assert!(sent[1].ends_with("/sessions?oauthTokens=true"), "{sent:?}");
    let journal = place.run_json(&["journal", "list"]).expect(0).json_lines();
    let of = |flow: &str| journal.iter().filter(|record| record.to_string().contains(flow)).count();
    assert!(of("okta-suspend") >= 2 && of("okta-clear-sessions") >= 2, "an intent and a receipt each");
    let intents = journal.iter().rev().filter(|record| record["kind"] == "intended");
    let steps: Vec<&Value> = intents.clone().map(|record| &record["content"]["step"]).collect();
    let runs: Vec<&Value> = intents.map(|record| &record["content"]["run"]).collect();
    assert_eq!(steps, ["1 of 2", "2 of 2"]);
    assert!(runs[0].is_string() && runs[0] == runs[1], "{runs:?}");
    assert_eq!((&actions[1]["run"], &actions[1]["step"]), (runs[0], &json!("2 of 2")));
    place.run(&["journal", "verify"]).expect(0);
    // Suspended already: only the sessions are cleared once more, and that is insisted on.
    let again = ran(&place, &["okta-contain", "--user", &login, "--yes", "--again"], 0);
    assert_eq!(
        ended(&again),
        [["okta-suspend", "no-change", "nothing"], ["okta-clear-sessions", "accepted", "acknowledged"]]
    );
}

#[test]
fn a_lost_reply_of_the_first_stops_nothing_and_nothing_is_sent_twice() {
    let (tenant, place) = started();
    tenant.fault("change-lost");
    let actions = ran(&place, &["okta-contain", "--user", &tenant.login(3), "--yes"], 4);
    assert_eq!(
        ended(&actions),
        [["okta-suspend", "changed", "verified"], ["okta-clear-sessions", "unknown", "sent"]]
    );
    assert_eq!(sent(&tenant).len(), 2);
}

#[test]
fn a_signal_between_two_steps_sends_no_more_and_says_so() {
    let (tenant, place) = started();
    // Time enough for a signal on a busy machine: between the steps an answer and a look are waited for.
    tenant.fault("latency@okta=2000");
    let run = place.start(&["run", "okta-contain", "--user", &tenant.login(3), "--yes"]);
    let writes = || tenant.lab.recorder().writes().len();
    wait::until("the first step to be sent", || writes() == 1);
    run.signal(Signal::SIGTERM);
    let ended = run.ended().expect(3);
    assert_eq!(writes(), 1);
    assert!(ended.out.contains("suspend the Okta account: "), "{}", ended.out);
    let left = "clear the Okta sessions and revoke the issued tokens: refused";
    assert!(ended.out.contains(left) && ended.out.contains("stop"), "{}", ended.out);
}

#[test]
fn a_group_is_joined_and_left_and_both_are_read_back() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let run = |flow: &str, group: &str, more: &[&str], status: i32| {
        let input = format!("group={group}");
        let words: Vec<&str> =
            [flow, "--user", &login, "--input", &input, "--yes"].iter().chain(more).copied().collect();
        ran(&place, &words, status)
    };
    let left = run("okta-remove-from-group", "Sales EMEA", &[], 0);
    assert_eq!(ended(&left), [["okta-remove-from-group", "changed", "verified"]]);
    let again = run("okta-remove-from-group", "Sales EMEA", &["--again"], 0);
    assert_eq!(ended(&again), [["okta-remove-from-group", "no-change", "nothing"]]);
    let joined = run("okta-add-to-group", "Sales EMEA", &[], 0);
    assert_eq!(ended(&joined), [["okta-add-to-group", "changed", "verified"]]);
    assert!(joined[0]["request"]["method"] == "PUT", "{joined:?}");
    let words =
        ["run", "okta-remove-from-group", "--user", &login, "--input", "group=Everyone", "--yes", "--again"];
    let refused = place.run(&words).expect(1);
    assert!(refused.errors.contains("BUILT_IN"), "{}", refused.errors);
    assert_eq!(sent(&tenant).len(), 2);
}

#[test]
fn an_account_is_made_and_activated_and_its_link_is_shown_once() {
    let (_tenant, place) = started();
    let profile =
        json!({"email": "new@meridian.example", "firstName": "Nia", "lastName": "Okafor"}).to_string();
    let profile = format!("profile={profile}");
    let words = [
        "okta-create-and-activate",
        "--user",
        "nia@meridian.example",
        "--input",
        &profile,
        "--input",
        "link=true",
    ];
    let shown = ran(&place, &[&words[..], &["--dry-run"]].concat(), 0);
    assert!(
        shown[1]["request"]["url"].as_str().unwrap().contains("/users/{id}/lifecycle/activate"),
        "{shown:?}"
    );
    let actions = ran(&place, &[&words[..], &["--yes"]].concat(), 0);
    assert_eq!(
        ended(&actions),
        [["okta-create-user", "changed", "verified"], ["okta-activate", "changed", "verified"]]
    );
    let link = actions[1]["one_time_link"].as_str().unwrap();
    assert!(link.starts_with("http"), "{actions:?}");
    let token = link.rsplit('/').next().unwrap();
    for record in place.run_json(&["journal", "list"]).expect(0).json_lines() {
        assert!(!record.to_string().contains(token), "the link is kept: {record}");
    }
    assert!(!actions[1]["receipt"].to_string().contains(token), "{actions:?}");
    // It is there now, and is not made once more.
    let again = place.run(&[&["run"], &words[..], &["--yes", "--again"]].concat()).expect(1);
    assert!(again.errors.contains("there is such an account already"), "{}", again.errors);
}

#[test]
fn a_profile_is_changed_in_part_after_a_look_at_the_difference() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let input = r#"profile={"title":"Head of Sales","costCenter":"C-7"}"#;
    let words = ["okta-update-user", "--user", &login, "--input", input];
    let shown = ran(&place, &[&words[..], &["--dry-run"]].concat(), 0);
    let differences = shown[0]["differences"].as_array().unwrap();
    assert!(differences.iter().any(|it| it["field"] == "title" && it["becomes"] == "Head of Sales"));
    let actions = ran(&place, &[&words[..], &["--yes"]].concat(), 0);
    assert_eq!(ended(&actions), [["okta-update-user", "changed", "verified"]]);
    let write = &tenant.lab.recorder().writes()[0];
    assert_eq!(write.method, "POST", "a PUT would empty what is not named");
    let body: Value = serde_json::from_str(actions[0]["request"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["profile"].as_object().unwrap().len(), 2);
    let again = ran(&place, &[&words[..], &["--yes"]].concat(), 0);
    assert_eq!(ended(&again), [["okta-update-user", "no-change", "nothing"]]);
    assert_eq!(sent(&tenant).len(), 1);
}
