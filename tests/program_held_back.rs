//! A program that is told to stop while it holds somebody back: nothing is sent, and it can be gone on with.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use nix::sys::signal::Signal;
use rstest::rstest;
use serde_json::Value;
use std::collections::BTreeMap;
use support::place::Place;
use support::tenant::Tenant;
use support::wait;

/// A flow of Workflows: what is read before it is sent comes from Okta, which goes on answering.
const FLOW: &str = "okta-add-user-to-a-group";

fn started() -> (Tenant, Place) {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    (tenant, place)
}

/// How many sends were turned away, and how often whom something was done for that were not.
fn sends(tenant: &Tenant) -> (usize, BTreeMap<String, usize>) {
    let writes = tenant.lab.recorder().writes();
    let (away, taken): (Vec<_>, Vec<_>) = writes.into_iter().partition(|sent| sent.status == 429);
    let mut counts = BTreeMap::new();
    for sent in taken {
        let body: Value = serde_json::from_str(&sent.body).unwrap();
        *counts.entry(body["entityIdInService"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    (away.len(), counts)
}

fn kept(place: &Place, query: &str) -> Vec<Value> {
    place.run_json(&["journal", "list", query]).expect(0).json_lines()
}

/// Its own send was turned away, so that a byte has left: it is refused, nothing was done, and it is not sent again.
#[rstest]
#[case(Signal::SIGTERM)]
#[case(Signal::SIGINT)]
fn who_was_turned_away_is_not_sent_again_when_the_program_is_stopped(#[case] signal: Signal) {
    let (tenant, place) = started();
    let login = tenant.login(3);
    tenant.fault("429@workflows");
    let run = place.start(&["--json", "run", FLOW, "--user", &login, "--yes"]);
    wait::answer_or("a send that is turned away", || run.errors(), || (sends(&tenant).0 > 0).then_some(()));
    run.signal(signal);
    let ended = run.ended().expect(1);
    let action = &ended.json_lines()[0];
    assert_eq!(
        (action["outcome"].as_str(), action["receipt"]["status"].as_u64()),
        (Some("refused"), Some(429))
    );
    assert_eq!(sends(&tenant).1, BTreeMap::new());
    assert_eq!(kept(&place, "outcome:refused").len(), 1);
    tenant.lab.faults().clear_all();
    place.run(&["run", FLOW, "--user", &login, "--yes", "--again"]).expect(0);
    assert_eq!(sends(&tenant).1.into_values().collect::<Vec<_>>(), [1]);
    place.run(&["journal", "verify"]).expect(0);
}

#[test]
fn behind_a_429_a_run_on_many_that_is_stopped_acts_on_nobody_and_is_gone_on_with() {
    let (tenant, place) = started();
    let users: Vec<String> = (3..9).map(|n| tenant.login(n)).collect();
    let named: Vec<&str> = users.iter().map(String::as_str).collect();
    tenant.fault("429@workflows");
    let run = place.start(&[&["run", FLOW, "--yes", "--user"], &named[..]].concat());
    wait::answer_or("a send that is turned away", || run.errors(), || (sends(&tenant).0 > 0).then_some(()));
    run.signal(Signal::SIGTERM);
    let ended = run.ended().expect(1);
    assert!(ended.errors.contains("`idtriage bulk resume"), "{} {}", ended.out, ended.errors);
    assert_eq!(sends(&tenant).1, BTreeMap::new());
    let held_back = kept(&place, "outcome:not-sent");
    let why = |record: &Value| record["content"]["receipt"]["error"].as_str().unwrap().to_owned();
    let is_told = |record: &Value| why(record).contains("the program was stopping");
    assert!(held_back.iter().all(is_told), "{held_back:?}");
    let stands = || place.run_json(&["bulk", "list"]).expect(0).json_lines().remove(0);
    let stopped = stands();
    let turned_away = stopped["ended"]["refused"].as_u64().unwrap_or(0);
    assert!(stopped["queued"].as_u64().unwrap() + turned_away == 6 && turned_away < 6, "{stopped}");
    tenant.lab.faults().clear_all();
    let id = stopped["id"].as_str().unwrap();
    place.run(&["bulk", "resume", id, "--yes"]);
    let taken = sends(&tenant).1;
    assert!(taken.len() as u64 + turned_away == 6 && taken.values().all(|times| *times == 1), "{taken:?}");
    assert_eq!(stands()["state"], "done");
    place.run(&["journal", "verify"]).expect(0);
}
