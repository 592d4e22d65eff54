//! Two processes on one store: one receives, the other waits and takes over.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use serde_json::json;
use support::payload::failed_check;
use support::place::{HOOK_SECRET, Place};
use support::poster::post;
use support::screen::Screen;
use support::wait;

fn post_one(place: &Place, id: &str) {
    let message = failed_check(id, "ann@example.com").to_string();
    assert_eq!(post(place.listen(), HOOK_SECRET, &message), 200);
}

#[test]
fn the_second_takes_over_when_the_first_is_cut() {
    let place = Place::with_source();
    let mut first = place.collect();
    let second = place.start(&["collect"]);
    second.says(&format!("waiting: collect (pid {}", first.pid()));
    assert!(!second.errors().contains("idtriage: receiving"), "{}", second.errors());
    post_one(&place, "e-1");
    first.cut();
    second.says("idtriage: receiving");
    post_one(&place, "e-2");
    let ids: Vec<_> = place.all("events").into_iter().map(|event| event["source_event_id"].clone()).collect();
    assert_eq!(ids, [json!("e-2"), json!("e-1")]);
}

#[test]
fn what_one_commits_others_notice() {
    let place = Place::with_source();
    let _collect = place.collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = runtime.block_on(async { place.store() });
    let before = *store.watch().borrow();
    post_one(&place, "e-1");
    let mut sequence = store.watch();
    let noticed = sequence.wait_for(|now| *now != before);
    let limit = std::time::Duration::from_secs(30);
    runtime.block_on(async { tokio::time::timeout(limit, noticed).await.unwrap().unwrap() });
    wait::until("the event to be seen by another process", || place.all("events").len() == 1);
}

#[test]
fn a_console_shows_what_another_process_receives_and_takes_over() {
    let place = Place::with_source();
    let mut collect = place.collect();
    let mut screen = Screen::start(&place, &[], 120, 40);
    screen.shows(&format!("receiver: collect (pid {}", collect.pid()));
    post_one(&place, "e-1");
    screen.shows("ann@example.com");
    screen.shows("1 source ok");
    screen.press("H");
    screen.shows("cii-webhook");
    screen.shows("1 accepted");
    assert!(screen.text().contains(&format!("collect (pid {} on ", collect.pid())), "{}", screen.text());
    screen.press("\u{1b}");
    collect.cut();
    screen.shows("this console: stops when it closes");
    let message = failed_check("e-2", "bob@example.com").to_string();
    assert_eq!(post(place.listen(), HOOK_SECRET, &message), 200);
    screen.shows("bob@example.com");
}

#[test]
fn what_is_said_of_the_sources_is_listed_and_repeated_by_doctor() {
    let place = Place::with_source();
    let rows = |place: &Place| place.run_json(&["sources", "list"]).expect(0).json_lines();
    assert_eq!((&rows(&place)[0]["state"], &rows(&place)[0]["receiver"]), (&json!(null), &json!(null)));
    let doctor = place.run(&["doctor"]).out;
    assert!(doctor.contains("note  sources: nobody receives now"), "{doctor}");
    let collect = place.collect();
    post_one(&place, "e-1");
    wait::until("the event to be said", || rows(&place)[0]["accepted"] == 1);
    let row = &rows(&place)[0];
    assert_eq!((&row["name"], &row["state"]), (&json!("cii-webhook"), &json!("running")));
    assert!(row["receiver"].as_str().unwrap().starts_with(&format!("collect (pid {}", collect.pid())));
    let doctor = place.run(&["doctor"]).out;
    assert!(doctor.contains("ok    source cii-webhook: running, as collect (pid"), "{doctor}");
    collect.signal(nix::sys::signal::Signal::SIGTERM);
    collect.ended().expect(0);
    assert_eq!(rows(&place)[0]["state"], "stopped");
    let listed = place.run(&["sources", "list"]).expect(0);
    assert!(listed.errors.contains("nobody receives now"), "{}", listed.errors);
}
