//! Flows on many users from the command line, against a lab: each once, whatever stops the run.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use nix::sys::signal::Signal;
use rstest::rstest;
use serde_json::Value;
use std::collections::BTreeMap;
use support::payload::failed_check;
use support::place::Place;
use support::tenant::Tenant;
use support::wait;

fn started() -> (Tenant, Place) {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    (tenant, place)
}

/// Of people who are no administrators: those are asked for differently.
fn logins(tenant: &Tenant, count: usize) -> Vec<String> {
    let admins = tenant.lab.administrators();
    let others = tenant.lab.user_logins().into_iter().skip(3).filter(|login| !admins.contains(login));
    let logins: Vec<String> = others.take(count).collect();
    assert_eq!(logins.len(), count);
    logins
}

fn lines(place: &Place, words: &[&str], status: i32) -> Vec<Value> {
    place.run_json(words).expect(status).json_lines()
}

/// How often each account was acted on.
fn acted_on(tenant: &Tenant) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for sent in tenant.lab.recorder().writes() {
        *counts.entry(format!("{} {}", sent.method, sent.path)).or_default() += 1;
    }
    counts
}

fn only_run(place: &Place) -> Value {
    let mut runs = lines(place, &["bulk", "list"], 0);
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs.remove(0)
}

#[test]
fn many_are_told_one_by_one_and_the_run_is_kept() {
    let (tenant, place) = started();
    let users = logins(&tenant, 4);
    let named: Vec<&str> = users.iter().map(String::as_str).collect();
    // One needs nothing.
    lines(&place, &["okta", "user", "suspend", named[0], "--yes"], 0);
    let words =
        [&["okta", "user", "suspend"], &named[..], &["--yes", "--reason", "case 7", "--again"]].concat();
    let told = lines(&place, &words, 0);
    let outcome = |login: &str| told.iter().find(|line| line["login"] == login).unwrap()["outcome"].clone();
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!([outcome(named[0]), outcome(named[3])], ["no-change", "changed"]);
    assert!(acted_on(&tenant).len() == 4 && acted_on(&tenant).values().all(|count| *count == 1));

    let run = only_run(&place);
    assert_eq!([&run["state"], &run["flow"], &run["reason"]], ["done", "okta-suspend", "case 7"]);
    assert_eq!((&run["ended"]["changed"], &run["ended"]["no-change"]), (&3.into(), &1.into()));
    let shown = lines(&place, &["bulk", "show", run["id"].as_str().unwrap()], 0);
    assert_eq!(shown.len(), 5, "the run, and a line each");
    let table = place.run(&["bulk", "show", run["id"].as_str().unwrap()]).expect(0).out;
    let account = shown[2]["target"].as_str().unwrap();
    assert!(table.lines().any(|line| line.contains(" ACCOUNT ")) && table.contains(account), "{table}");
    assert!(shown[2]["action"].is_string() && shown[2]["evidence"] == "verified", "{}", shown[2]);
    let journal = place.run_json(&["journal", "list"]).expect(0).out;
    assert!(journal.contains(r#""kind":"bulk""#) && journal.contains("case 7"), "{journal}");
    place.run(&["journal", "verify"]).expect(0);
    place.run(&["bulk", "resume", run["id"].as_str().unwrap(), "--yes"]).expect(1);
}

/// One by one where it is undone by its action, and all of them where it is by the run.
#[test]
fn a_whole_run_is_undone_on_each_whom_it_changed() {
    let (tenant, place) = started();
    let users = logins(&tenant, 4);
    let named: Vec<&str> = users.iter().map(String::as_str).collect();
    lines(&place, &["okta", "user", "suspend", named[0], "--yes"], 0);
    lines(&place, &[&["okta", "user", "suspend"], &named[..], &["--yes", "--again"]].concat(), 0);
    let run = only_run(&place)["id"].as_str().unwrap().to_owned();
    let action_of = |login: &str| {
        let all = lines(&place, &["bulk", "show", &run], 0);
        all.iter().find(|line| line["login"] == login).unwrap()["action"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    // One of them is undone already.
    lines(&place, &["undo", &action_of(named[1]), "--yes"], 0);
    let before = acted_on(&tenant).values().sum::<usize>();
    let dry = place.run_json(&["undo", &run, "--dry-run"]).expect(3);
    assert_eq!((dry.json_lines().len(), acted_on(&tenant).values().sum::<usize>()), (3, before));
    assert!(dry.errors.contains("2 of 3 would be acted on"), "{}", dry.errors);
    let left_out = format!("`{}` is not undone: it is undone already, by action", named[1]);
    assert!(dry.errors.contains(&left_out), "{}", dry.errors);

    let told = lines(&place, &["undo", &run, "--yes", "--reason", "a false alarm"], 3);
    let outcomes: BTreeMap<&str, &str> = told
        .iter()
        .map(|line| (line["login"].as_str().unwrap(), line["outcome"].as_str().unwrap()))
        .collect();
    let expected = [(named[1], "refused"), (named[2], "changed"), (named[3], "changed")];
    assert_eq!(outcomes, expected.into());
    assert_eq!(acted_on(&tenant).values().sum::<usize>(), before + 2);
    // The actions name what they undo, and so does the run.
    let undoing = lines(&place, &["bulk", "list"], 0)[0]["id"].as_str().unwrap().to_owned();
    let shown = lines(&place, &["bulk", "show", &undoing], 0);
    let of = |login: &str| shown.iter().find(|line| line["login"] == login).unwrap().clone();
    assert_eq!(of(named[2])["undoes"], action_of(named[2]).as_str());
    let journal = place.run_json(&["journal", "export"]).expect(0).out;
    assert!(journal.contains(&format!(r#""undoes":"{}""#, action_of(named[3]))), "{journal}");
    place.run(&["journal", "verify"]).expect(0);

    // Once more there is nothing left to undo, and of nothing there is no run.
    let again = place.run(&["undo", &run, "--yes"]).expect(1);
    assert!(again.errors.contains("it is undone already, by action"), "{}", again.errors);
    assert_eq!(acted_on(&tenant).values().sum::<usize>(), before + 2);
    let nothing = place.run(&["undo", &uuid::Uuid::nil().to_string(), "--yes"]).expect(2);
    assert!(nothing.errors.contains("there is no action and no run on many"), "{}", nothing.errors);
}

#[test]
fn who_is_meant_may_stand_in_a_file_and_more_than_the_limit_are_refused() {
    let (tenant, place) = started();
    let users = logins(&tenant, 5);
    place.write("users", &format!("# who\n{}\n", users.join("\n")));
    let file = place.path("users");
    let words = ["run", "okta-clear-sessions", "--users-from", file.to_str().unwrap()];
    let dry = lines(&place, &[&words[..], &["--dry-run"]].concat(), 0);
    assert_eq!(dry.len(), 5);
    let config = std::fs::read_to_string(place.config()).unwrap();
    place.write_config(&format!("{config}\n[guard]\nbulk_limit = 4\n"));
    let refused = place.run(&[&words[..], &["--yes"]].concat()).expect(2);
    assert!(
        refused.errors.contains("5 users are more than the 4 of `[guard] bulk_limit`"),
        "{}",
        refused.errors
    );
    assert!(acted_on(&tenant).is_empty());
    place.write_config(&config);
    assert_eq!(lines(&place, &[&words[..], &["--yes"]].concat(), 0).len(), 5);
    assert_eq!(acted_on(&tenant).len(), 5);
}

#[test]
fn many_of_high_risk_want_their_number() {
    let (tenant, place) = started();
    let users = logins(&tenant, 2);
    let words = ["okta", "user", "deactivate", &users[0], &users[1], "--yes"];
    let refused = place.run(&words).expect(2);
    assert!(refused.errors.contains("--confirm 2"), "{}", refused.errors);
    place.run(&[&words[..], &["--confirm", "2"]].concat()).expect(0);
    assert_eq!(acted_on(&tenant).len(), 2);
}

/// The users of findings that match, and as a spreadsheet what became of them.
#[test]
fn a_filter_says_who_is_meant_and_csv_what_became_of_them() {
    let (tenant, place) = started();
    let users = logins(&tenant, 3);
    let events: Vec<String> = users
        .iter()
        .enumerate()
        .map(|(n, login)| failed_check(&format!("e{n}"), login).to_string())
        .collect();
    place.write("events.jsonl", &events.join("\n"));
    place.run(&["import", "events.jsonl"]).expect(0);
    let findings = lines(&place, &["findings", "list"], 0);
    let closed = findings.iter().find(|finding| finding["login"] == users[2].as_str()).unwrap();
    let id = closed["id"].as_str().unwrap();
    place.run(&["findings", "close", id, "--as", "benign-expected", "--reason", "known"]).expect(0);
    let words = ["run", "okta-clear-sessions", "--filter", "check:no-mfa"];
    let dry = |more: &[&str]| lines(&place, &[&words[..], more, &["--dry-run"]].concat(), 0).len();
    assert_eq!((dry(&[]), dry(&["--with-closed"])), (2, 3));
    let told = lines(&place, &[&words[..], &["--yes"]].concat(), 0);
    assert!(told.len() == 2 && told.iter().all(|line| line["finding"].is_string()), "{told:?}");
    let run = only_run(&place);
    let id = run["id"].as_str().unwrap();
    let list = place.run(&["bulk", "list", "--csv"]).expect(0).out;
    assert!(list.starts_with("id,at,state,why,flow,") && list.contains(&format!("\r\n{id},")), "{list}");
    let users_csv = place.run(&["bulk", "show", id, "--csv"]).expect(0).out;
    assert_eq!(users_csv.lines().count(), 3, "{users_csv}");
    assert!(users_csv.contains(&users[0]) && !users_csv.contains(&users[2]), "{users_csv}");
    place.run(&["bulk", "show", id, "--csv", "--json"]).expect(2);
}

/// What is not what was confirmed is not gone on with; who is left is listed to be planned anew.
#[test]
fn a_run_whose_flow_or_limit_changed_is_planned_anew() {
    let (tenant, place) = started();
    let users = logins(&tenant, 30);
    let named: Vec<&str> = users.iter().map(String::as_str).collect();
    tenant.fault("change-lost@okta=1");
    let words = [&["okta", "user", "clear-sessions"], &named[..], &["--yes"]].concat();
    place.run_json(&words).expect(4);
    let (run, before) = (only_run(&place), acted_on(&tenant).len());
    let id = run["id"].as_str().unwrap();
    let config = std::fs::read_to_string(place.config()).unwrap();
    place.write_config(&format!("{config}\n[guard]\nbulk_limit = 4\n"));
    let refused = place.run(&["bulk", "resume", id, "--yes"]).expect(1);
    assert!(refused.errors.contains("plan those who are left anew"), "{}", refused.errors);
    assert_eq!((&only_run(&place)["state"], acted_on(&tenant).len()), (&"paused".into(), before));
    let queued = lines(&place, &["bulk", "show", id, "--queued"], 0);
    assert_eq!(queued.len() as u64, 1 + run["queued"].as_u64().unwrap());
    place.write_config(&config);
    lines(&place, &["bulk", "resume", id, "--yes"], 0);
    assert_eq!(only_run(&place)["state"], "done");
}

/// One administrator among them raises what is asked for all.
#[test]
fn an_administrator_among_many_raises_the_risk() {
    let (tenant, place) = started();
    let (admin, other) = (&tenant.lab.administrators()[0], &logins(&tenant, 1)[0]);
    let words = ["okta", "user", "clear-sessions", admin, other, "--yes"];
    let refused = place.run(&words).expect(2);
    assert!(refused.errors.contains("--confirm 2"), "{}", refused.errors);
    assert!(refused.errors.contains(&format!("`{admin}` is an administrator (")), "{}", refused.errors);
    assert!(acted_on(&tenant).is_empty());
    place.run(&[&words[..], &["--confirm", "2"]].concat()).expect(0);
    assert_eq!(only_run(&place)["risk"], "high");
    let journal = place.run_json(&["journal", "list"]).expect(0).out;
    let intended = journal.lines().filter(|line| line.contains(r#""kind":"intended""#));
    assert_eq!(intended.filter(|line| line.contains(r#""risk":"high""#)).count(), 2, "{journal}");
}

#[test]
fn what_may_be_wrong_for_everybody_pauses_the_run_and_somebody_goes_on() {
    let (tenant, place) = started();
    let users = logins(&tenant, 30);
    let named: Vec<&str> = users.iter().map(String::as_str).collect();
    tenant.fault("change-lost@okta=1");
    let words = [&["okta", "user", "clear-sessions"], &named[..], &["--yes"]].concat();
    let ended = place.run_json(&words).expect(4);
    assert!(
        ended.errors.contains("is paused: `") && ended.errors.contains("bulk resume"),
        "{}",
        ended.errors
    );
    let run = only_run(&place);
    let id = run["id"].as_str().unwrap();
    assert_eq!((&run["state"], &run["ended"]["unknown"]), (&"paused".into(), &1.into()), "{run}");
    assert!(run["queued"].as_u64().unwrap() > 0, "{run}");
    let exceptions = lines(&place, &["bulk", "show", id, "--exceptions"], 0);
    assert_eq!((exceptions.len(), &exceptions[1]["outcome"]), (2, &"unknown".into()));

    lines(&place, &["bulk", "resume", id, "--yes"], 0);
    let run = only_run(&place);
    assert_eq!((&run["state"], &run["queued"]), (&"done".into(), &0.into()), "{run}");
    let acted = acted_on(&tenant);
    assert!(acted.len() == 30 && acted.values().all(|count| *count == 1), "{acted:?}");
}

#[test]
fn who_is_stopped_is_acted_on_no_more() {
    let (tenant, place) = started();
    let users = logins(&tenant, 30);
    let named: Vec<&str> = users.iter().map(String::as_str).collect();
    tenant.fault("change-lost@okta=1");
    let words = [&["okta", "user", "clear-sessions"], &named[..], &["--yes"]].concat();
    place.run_json(&words).expect(4);
    let before = acted_on(&tenant).len();
    let id = only_run(&place)["id"].as_str().unwrap().to_owned();
    place.run(&["bulk", "stop", &id]).expect(0);
    let refused = place.run(&["bulk", "resume", &id, "--yes"]).expect(1);
    assert!(refused.errors.contains("is stopped"), "{}", refused.errors);
    place.run(&["--read-only", "bulk", "pause", &id]).expect(1);
    assert_eq!((acted_on(&tenant).len(), only_run(&place)["state"].as_str().unwrap()), (before, "stopped"));
}

#[rstest]
#[case(Signal::SIGKILL)]
#[case(Signal::SIGTERM)]
fn whatever_ends_the_program_nobody_is_acted_on_twice(#[case] signal: Signal) {
    let (tenant, place) = started();
    let users = logins(&tenant, 40);
    let named: Vec<&str> = users.iter().map(String::as_str).collect();
    let words = [&["okta", "user", "clear-sessions"], &named[..], &["--yes"]].concat();
    let process = place.start(&words);
    wait::until("five sends", || acted_on(&tenant).len() >= 5);
    process.signal(signal);
    process.ended();
    let id = only_run(&place)["id"].as_str().unwrap().to_owned();
    // Its lease has to run out where nobody gave it back, and who was on their way is unknown: that pauses once.
    wait::until("the end of the run", || {
        place.run(&["bulk", "resume", &id, "--yes"]);
        only_run(&place)["state"] == "done"
    });
    let acted = acted_on(&tenant);
    assert!(acted.values().all(|count| *count == 1), "{acted:?}");
    let run = only_run(&place);
    assert_eq!((run["queued"].as_u64(), run["users"].as_u64()), (Some(0), Some(40)));
    let unknown = run["ended"]["unknown"].as_u64().unwrap_or(0);
    assert!(acted.len() as u64 + unknown >= 40, "{run}");
}

/// Stopped for longer than its lease, it wakes up to a run that somebody else has driven to its end.
#[test]
fn a_program_that_slept_through_its_lease_sends_nothing_and_takes_nothing_back() {
    let (tenant, place) = started();
    let users = logins(&tenant, 40);
    let named: Vec<&str> = users.iter().map(String::as_str).collect();
    let words = [&["okta", "user", "clear-sessions"], &named[..], &["--yes"]].concat();
    let asleep = place.start(&words);
    wait::until("five sends", || acted_on(&tenant).len() >= 5);
    let id = only_run(&place)["id"].as_str().unwrap().to_owned();
    let resume = || place.run(&["bulk", "resume", &id, "--yes"]).errors;
    // Stopped in the middle of a write, it would hold the store for as long as it sleeps.
    wait::until("it to be stopped between two writes", || {
        asleep.signal(Signal::SIGSTOP);
        let is_between = !resume().contains("locked by another process");
        if !is_between {
            asleep.signal(Signal::SIGCONT);
        }
        is_between
    });
    wait::until("the end of the run", || {
        resume();
        only_run(&place)["state"] == "done"
    });
    let (before, ended) = (acted_on(&tenant), only_run(&place));
    asleep.signal(Signal::SIGCONT);
    asleep.ended();
    assert_eq!(acted_on(&tenant), before, "it sent more");
    assert!(before.values().all(|count| *count == 1), "{before:?}");
    let run = only_run(&place);
    assert_eq!([&run["state"], &run["queued"]], [&ended["state"], &ended["queued"]]);
    place.run(&["journal", "verify"]).expect(0);
}
