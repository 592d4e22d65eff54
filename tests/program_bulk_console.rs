//! A run on many by keys alone, on a pseudo-terminal against a lab: marked, confirmed, paused, left, gone on with,
//! killed and gone on with again. Nobody is acted on twice, and every end is in the journal.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use support::payload::failed_check;
use support::place::Place;
use support::screen::Screen;
use support::tenant::Tenant;
use support::wait;

const CTRL_C: &str = "\u{3}";
const ENTER: &str = "\r";
/// Eight seconds of sending: a pause lets those on their way land, up to sixteen each time.
const USERS: usize = 80;

/// A place whose store has one event, which many people fail. None is an administrator: those raise what is asked.
fn started() -> (Tenant, Place) {
    let tenant = Tenant::start();
    let place = Place::with_lab_and(&tenant.lab, &format!("\n[guard]\nbulk_limit = {USERS}\n"));
    let admins = tenant.lab.administrators();
    let others = tenant.lab.user_logins().into_iter().skip(3).filter(|login| !admins.contains(login));
    let mut event = failed_check("many", "nobody");
    let users: Vec<String> = others.take(USERS).collect();
    assert_eq!(users.len(), USERS);
    event["detail"]["usersFailing"] = json!(users);
    place.write("events.jsonl", &event.to_string());
    place.run(&["import", "events.jsonl"]).expect(0);
    (tenant, place)
}

fn console(place: &Place) -> Screen {
    let screen = Screen::start(place, &[], 120, 40);
    screen.until("every source to run", |text| text.contains("source ok") || text.contains("sources ok"));
    screen
}

/// How often whom was acted on.
fn acted_on(tenant: &Tenant) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for sent in tenant.lab.recorder().writes().iter().filter(|sent| sent.path.starts_with("/api/flo/")) {
        let body: Value = serde_json::from_str(&sent.body).unwrap();
        *counts.entry(body["entityIdInService"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

/// From the feed to a run that this console drives.
fn confirm(screen: &mut Screen) {
    screen.shows("No MFA Configured");
    screen.press(ENTER);
    screen.shows(&format!("{USERS} user"));
    screen.press("*");
    screen.shows(&format!("{USERS} marked"));
    screen.press("r");
    screen.shows("Suspend Okta Account");
    screen.press(&format!("suspend okta account{ENTER}"));
    screen.shows("type suspend and enter");
    screen.press(&format!("suspend{ENTER}"));
    screen.shows("driven by this console");
}

/// From a run that waits, or that nobody drives any more, to one that goes on. The question is not answered in its
/// first moment.
fn go_on(screen: &mut Screen) {
    screen.press("c");
    screen.shows("Go on with it");
    screen.shows("type suspend and enter");
    screen.press(&format!("suspend{ENTER}"));
    wait::until("the run to go on", || !screen.text().contains("Go on with it"));
}

/// The one run of the place, on the screen.
fn open_the_run(screen: &mut Screen) {
    screen.press("B");
    screen.shows("suspend the Okta account");
    screen.press(ENTER);
    screen.shows(" done: ");
}

/// Whether everybody who is acted on is done: who was left out is none of them.
fn is_through(text: &str) -> bool {
    let before = text.split(" done: ").next().unwrap_or_default();
    let words: Vec<&str> = before.split_whitespace().rev().take(3).collect();
    matches!(words.as_slice(), [all, "of", done] if all == done)
}

fn leave(screen: &mut Screen) {
    screen.press(CTRL_C);
    screen.shows("y quits");
    wait::until("the end", || {
        screen.press("y");
        screen.text().contains("ended with ")
    });
    assert!(screen.is_given_back());
}

/// Each intent of the journal has its end there too, and the chain holds.
fn every_end_is_in_the_journal(place: &Place) -> usize {
    let records = place.run_json(&["journal", "list", "--limit", "5000"]).expect(0).json_lines();
    let of = |kinds: &[&str]| -> BTreeSet<String> {
        let of_kind = |record: &&Value| kinds.contains(&record["kind"].as_str().unwrap());
        let action = |record: &Value| record["content"]["action"].as_str().unwrap().to_owned();
        records.iter().filter(of_kind).map(action).collect()
    };
    let intended = of(&["intended"]);
    assert_eq!(intended, of(&["settled", "expired"]));
    place.run(&["journal", "verify"]).expect(0);
    intended.len()
}

#[test]
fn a_run_is_paused_left_killed_and_gone_on_with_by_keys_alone() {
    let (tenant, place) = started();
    let mut screen = console(&place);
    confirm(&mut screen);
    wait::until("five sends", || acted_on(&tenant).len() >= 5);
    screen.press("p");
    screen.shows("it waits: c goes on");
    let before = acted_on(&tenant).len();
    assert!(before < USERS, "{before}");
    go_on(&mut screen);
    wait::until("five sends more", || acted_on(&tenant).len() >= before + 5);
    // Left while it is driven, it is left paused.
    leave(&mut screen);
    let said = screen.text();
    assert!(said.contains("is paused (") && said.contains("ended with 1"), "{said}");
    drop(screen);

    let mut screen = console(&place);
    open_the_run(&mut screen);
    screen.shows("it waits: c goes on");
    let before = acted_on(&tenant).len();
    assert!(before < USERS, "{before}");
    go_on(&mut screen);
    wait::until("three sends more", || acted_on(&tenant).len() >= before + 3);
    screen.signal(Signal::SIGKILL);
    screen.shows("ended with 137");
    drop(screen);

    let mut screen = console(&place);
    open_the_run(&mut screen);
    screen.shows("nobody drives it any more");
    // Who was on their way is unknown by now, and that pauses it once.
    go_on(&mut screen);
    wait::until("the end of the run", || {
        if screen.text().contains("mend it, then c goes on") {
            go_on(&mut screen);
        }
        is_through(&screen.text())
    });
    screen.press("e");
    screen.shows(&format!("{USERS} users are in "));
    leave(&mut screen);
    drop(screen);

    let acted = acted_on(&tenant);
    assert!(acted.values().all(|count| *count == 1), "{acted:?}");
    assert!(every_end_is_in_the_journal(&place) >= acted.len());
    let run = place.run_json(&["bulk", "list"]).expect(0).json_lines().remove(0);
    assert_eq!((&run["state"], &run["queued"]), (&"done".into(), &0.into()), "{run}");
    let mut exported =
        place.files().into_iter().filter(|file| file.extension().is_some_and(|end| end == "csv"));
    let csv = std::fs::read_to_string(exported.next_back().unwrap()).unwrap();
    assert_eq!(csv.lines().count(), USERS + 1, "{csv}");
}
