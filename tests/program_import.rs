//! `import` and `events export`: a file of any layout becomes events, once, and what is no event is named.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use nix::sys::signal::Signal;
use rstest::rstest;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use support::payload::{failed_check, fixtures};
use support::place::{HOOK_SECRET, Place};
use support::poster::post;
use support::process::Ended;
use support::wait;

/// Three events, as one value each.
fn three() -> [Value; 3] {
    ["e-1", "e-2", "e-3"].map(|id| failed_check(id, "ann@example.com"))
}

fn lines(values: &[Value]) -> String {
    values.iter().map(|value| format!("{value}\n")).collect()
}

/// Imports a text from a file, with `--json`.
fn import(place: &Place, text: &str, more: &[&str]) -> Ended {
    place.write("events.json", text);
    place.run_json(&[&["import", "events.json"], more].concat())
}

/// What was told last: the sum.
fn sum(ended: &Ended) -> Value {
    ended.json_lines().pop().unwrap()
}

/// `(line, why)` of each refusal.
fn refusals(ended: &Ended) -> Vec<(u64, String)> {
    let refusal = |told: &Value| Some((told["line"].as_u64()?, told["refused"].as_str()?.to_owned()));
    ended.json_lines().iter().filter_map(refusal).collect()
}

fn counted(new: u64, repeated: u64, refused: u64) -> Value {
    json!({
        "new": new, "repeated": repeated, "dropped": 0, "set_aside": 0, "refused": refused, "complete": true,
    })
}

/// The events of a store without what an import changes: ids, times of arrival, the source.
fn events(place: &Place) -> Vec<Value> {
    let mut events = place.all("events");
    for event in &mut events {
        let event = event.as_object_mut().unwrap();
        ["id", "received", "source", "times"].iter().for_each(|name| drop(event.remove(*name)));
    }
    events
}

#[rstest]
#[case::one_a_line(lines(&three()))]
#[case::with_a_mark_and_carriage_returns(format!("\u{feff}{}\n\n", lines(&three()).replace('\n', "\r\n")))]
#[case::a_list(json!(three()).to_string())]
#[case::a_list_for_people(serde_json::to_string_pretty(&three()).unwrap())]
#[case::lists_of_lists(json!([[three()[0]], [], [[three()[1], three()[2]]]]).to_string())]
#[case::behind_each_other(three().map(|value| value.to_string()).concat())]
#[case::for_people_behind_each_other(three().map(|value| serde_json::to_string_pretty(&value).unwrap()).join("\n"))]
fn every_layout_is_taken_in(#[case] text: String) {
    let place = Place::with_source();
    let ended = import(&place, &text, &[]).expect(0);
    assert_eq!(sum(&ended), counted(3, 0, 0));
    let events = place.run_json(&["events", "list", "source:import"]).expect(0).json_lines();
    let ids: Vec<&Value> = events.iter().rev().map(|event| &event["source_event_id"]).collect();
    assert_eq!(ids, [&json!("e-1"), &json!("e-2"), &json!("e-3")], "in the order of the file");
    assert!(events.iter().all(|event| event["received"] == event["published"]), "{events:?}");
    assert_eq!(place.all("findings").len(), 1);
}

#[test]
fn one_document_and_no_configuration_are_enough() {
    let place = Place::empty();
    place.write("event.json", &three()[0].to_string());
    let store = format!("sqlite:{}", place.path("new/store.db").display());
    fs::create_dir(place.path("new")).unwrap();
    place.run(&["import", "event.json", "--store", &store]).expect(0);
    assert_eq!(place.run_json(&["events", "list", "--store", &store]).expect(0).json_lines().len(), 1);
}

#[test]
fn what_is_imported_again_is_repeated_and_so_is_what_was_received() {
    let place = Place::with_source();
    let collect = place.collect();
    assert_eq!(post(place.listen(), HOOK_SECRET, &three()[0].to_string()), 200);
    wait::until("the event", || place.all("events").len() == 1);
    assert_eq!(sum(&import(&place, &lines(&three()), &[]).expect(0)), counted(2, 1, 0));
    assert_eq!(sum(&import(&place, &lines(&three()), &[]).expect(0)), counted(0, 3, 0));
    assert_eq!(post(place.listen(), HOOK_SECRET, &three()[1].to_string()), 200);
    // Newest first: the last came with the file alone, the others were posted too.
    let times = |what: &str| place.all(what).iter().map(|one| one["times"].clone()).collect::<Vec<_>>();
    wait::until("the repeat", || times("events") == [2, 3, 3]);
    collect.signal(Signal::SIGTERM);
    collect.ended().expect(0);
    assert_eq!(times("findings"), [3]);
}

#[test]
fn what_is_broken_is_refused_with_its_line_and_the_rest_goes_in() {
    let place = Place::with_source();
    let [first, second, third] = three().map(|value| value.to_string());
    let cut = &second[..second.len() / 2];
    let text = format!("{first}\n{cut}\nno json\n\n{{\"a\":1}}\n[7,{second}]\n{third}\n{}", &first[..40]);
    let ended = import(&place, &text, &[]).expect(3);
    assert_eq!(sum(&ended), counted(3, 0, 5));
    let refused = refusals(&ended);
    let told: Vec<u64> = refused.iter().map(|(line, _)| *line).collect();
    assert_eq!(told, [2, 3, 5, 6, 8]);
    assert!(refused[1].1.starts_with("it is not JSON (line 3"), "{refused:?}");
    assert!(refused[2].1.contains("`--as NAME` says what it is"), "{refused:?}");
    assert_eq!(refused[3].1, "it is a number, not an object");
    assert_eq!(refused[4].1, "the file ends in the middle of it");
    let text = place.run(&["import", "events.json"]).expect(3);
    assert_eq!(text.out, "0 new, 3 repeated, 5 refused\n");
    assert!(text.errors.contains("note: line 2 is refused: it is not JSON"), "{}", text.errors);
}

#[test]
fn a_file_without_an_event_fails_and_one_that_is_not_there_is_wrong_usage() {
    let place = Place::with_source();
    assert_eq!(sum(&import(&place, "{}\n7\n", &[]).expect(1)), counted(0, 0, 2));
    assert_eq!(sum(&import(&place, "\n", &[]).expect(0)), counted(0, 0, 0));
    let missing = place.run(&["import", "nobody.json"]).expect(2);
    assert!(missing.errors.contains("`nobody.json` cannot be read"), "{}", missing.errors);
    let folder = place.run(&["import", "."]).expect(2);
    assert!(folder.errors.contains("cannot be read"), "{}", folder.errors);
}

#[rstest]
#[case(&[0x1f, 0x8b, 8, 0], "is compressed (gzip)", "gzip -dc")]
#[case(&[0xff, 0xfe, b'{', 0], "is UTF-16", "iconv -f UTF-16")]
fn a_file_of_another_encoding_is_called_one(#[case] first: &[u8], #[case] is: &str, #[case] mends: &str) {
    let place = Place::with_source();
    fs::write(place.path("events.json"), first).unwrap();
    let told = place.run(&["import", "events.json", "--dry-run"]).expect(2);
    assert!(told.errors.contains(is) && told.errors.contains(mends), "{}", told.errors);
}

#[test]
fn a_huge_element_is_refused_and_its_neighbours_are_not() {
    let place = Place::with_source();
    let mut huge = failed_check("huge", "ann@example.com");
    huge["detail"]["pad"] = json!("x".repeat(9 << 20));
    let mut large = failed_check("large", "bob@example.com");
    large["detail"]["pad"] = json!("x".repeat(7 << 20));
    let ended = import(&place, &json!([three()[0], huge, large, three()[1]]).to_string(), &[]).expect(3);
    assert_eq!(sum(&ended), counted(3, 0, 1));
    assert_eq!(refusals(&ended), [(1, "it is larger than 8 MiB".to_owned())]);
}

#[test]
fn many_lines_go_in_each_once() {
    let place = Place::with_source();
    let many = 20_000;
    let line = |n: usize| failed_check(&format!("e-{n}"), &format!("user-{}@example.com", n % 500));
    let text: String = (0..many).map(|n| format!("{}\n", line(n))).collect();
    let ended = import(&place, &text, &[]).expect(0);
    assert_eq!(sum(&ended), counted(many as u64, 0, 0));
    assert_eq!(place.all("findings").len(), 500);
    let store = place.store();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    assert_eq!(runtime.block_on(store.health()).unwrap().events, many as u64);
}

#[test]
fn a_pipe_is_read_as_it_comes_and_ctrl_c_keeps_what_came() {
    let place = Place::with_source();
    let mut child = Command::new(env!("CARGO_BIN_EXE_idtriage"))
        .args(["import", "-", "--json"])
        .env_clear()
        .envs(place.environment())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    write!(pipe, "{}", lines(&three()[..2])).unwrap();
    pipe.flush().unwrap();
    wait::until("two events from the pipe", || place.all("events").len() == 2);
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT)
        .unwrap();
    // The pipe stays open: nobody waits for its end.
    let status = wait::answer("the end of the import", || child.try_wait().unwrap());
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((status.code(), &told["new"], &told["complete"]), (Some(3), &json!(2), &json!(false)));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("stopped before the end"), "{errors}");
}

#[test]
fn nothing_is_taken_in_by_a_dry_run_nor_read_only() {
    let place = Place::with_source();
    let text = format!("{}7\n", lines(&three()));
    let ended = import(&place, &text, &["--dry-run", "--read-only"]).expect(3);
    assert_eq!(sum(&ended), json!({ "recognised": { "cii-webhook": 3 }, "refused": 1, "complete": true }));
    assert!(!place.store_file().exists(), "no store is made for it");
    let plain = place.run(&["import", "events.json", "--dry-run"]).expect(3);
    assert_eq!(plain.out, "would be taken in: 3 cii-webhook; refused: 1\n");
    place.run(&["events", "list"]).expect(0);
    let refused = place.run(&["import", "events.json", "--read-only"]).expect(1);
    assert!(refused.errors.contains("an import is refused: this is `--read-only`"), "{}", refused.errors);
    assert!(place.all("events").is_empty());
}

#[test]
fn whose_they_are_can_be_said() {
    let place = Place::with_source();
    let ended = import(&place, &lines(&three()), &["--as", "nobody"]).expect(2);
    assert!(ended.errors.contains("hint: `cii-webhook`"), "{}", ended.errors);
    import(&place, &format!("{}{{\"detail\":7}}", lines(&three())), &["--as", "cii-webhook"]).expect(3);
    let events = place.all("events");
    assert!(events.len() == 3 && events.iter().all(|event| event["source"] == "cii-webhook"), "{events:?}");
}

#[test]
fn in_real_time_they_arrive_at_their_pace() {
    let place = Place::with_source();
    let mut values = three();
    values[0]["detail"]["published"] = json!("2024-07-24T14:00:00Z");
    values[1]["detail"]["published"] = json!("2024-07-24T14:00:30Z");
    values[2]["detail"]["published"] = json!("2034-07-24T14:00:30Z");
    place.write("events.json", &lines(&values));
    let replay = place.start(&["import", "events.json", "--real-time", "--speed", "30"]);
    // Ten years later is a wait that nobody sits through.
    replay.says("line 3 is due in ");
    assert_eq!(place.all("events").len(), 2);
    replay.signal(Signal::SIGINT);
    let ended = replay.ended().expect(3);
    assert_eq!(ended.out, "2 new, 0 repeated, 0 refused\n");
    let events = place.all("events");
    assert!(events.iter().all(|event| event["received"] != event["published"]), "{events:?}");
}

#[test]
fn what_is_exported_can_be_imported_and_is_the_same() {
    let here = Place::with_source();
    let _collect = here.collect();
    // The fixtures share their ids, as tests do; each is its own event by what it says.
    for (_, message) in fixtures() {
        assert_eq!(post(here.listen(), HOOK_SECRET, &message), 200, "{message}");
    }
    for value in three() {
        assert_eq!(post(here.listen(), HOOK_SECRET, &serde_json::to_string_pretty(&value).unwrap()), 200);
    }
    wait::until("all of it", || {
        !here.run_json(&["events", "list", "user:ann@example.com"]).json_lines().is_empty()
    });
    let exported = here.run(&["events", "export"]).expect(0);
    let expected = events(&here);
    assert_eq!(exported.out.lines().count(), expected.len());
    let there = Place::with_source();
    let ended = import(&there, &exported.out, &[]).expect(0);
    assert_eq!(sum(&ended), counted(expected.len() as u64, 0, 0));
    assert_eq!(events(&there), expected);
    assert_eq!(there.run(&["events", "export"]).expect(0).out, exported.out);
    let some = here.run(&["events", "export", "user:ann@example.com"]).expect(0);
    assert_eq!(some.out.lines().count(), 3);
}
