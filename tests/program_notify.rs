//! Who is told by the real program: over kills and outages, by test messages, by the bell of a console.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use jiff::Timestamp;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::fs;
use support::chat::{Chat, Reply, TOKEN};
use support::payload::failed_check;
use support::place::{HOOK_SECRET, Place};
use support::poster::post;
use support::screen::Screen;
use support::wait;

/// A place where everything from high on is told to a webhook and to Slack, and what is critical by the bell.
fn place(chat: &Chat) -> Place {
    let place = Place::with_source();
    let source = fs::read_to_string(place.config()).unwrap();
    place.write("config/idtriage/chat.url", &chat.url());
    place.write_config(&format!(
        "{source}\n[[notify]]\ntype = \"webhook\"\nname = \"hook\"\nwhen = \"severity>=high\"\nurl = {{ file = \"chat.url\" }}\n\
         \n[[notify]]\ntype = \"bell\"\nwhen = \"severity:critical\"\n"
    ));
    place
}

fn message(id: &str, severity: &str) -> String {
    let mut message = failed_check(id, "ann@example.com");
    message["detail"]["severity"] = json!(severity);
    message["detail"]["published"] = json!(Timestamp::now().to_string());
    message.to_string()
}

fn arrive(place: &Place, id: &str, severity: &str) {
    assert_eq!(post(place.listen(), HOOK_SECRET, &message(id, severity)), 200);
}

/// Waits until it is known how far was told: what arrives from then on is told.
fn has_begun(place: &Place) -> String {
    is_marked(place, "")
}

/// Waits until something else than before is known to be told, and says how far that is.
fn is_marked(place: &Place, before: &str) -> String {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = runtime.block_on(async { place.store() });
    let mark = || runtime.block_on(store.cursor("notify:hook")).unwrap().unwrap_or_default();
    wait::until("the notifier's mark", || mark() != before);
    let mark = mark();
    runtime.block_on(store.close()).unwrap();
    mark
}

#[test]
fn what_was_acknowledged_is_told_over_a_kill_in_an_outage() {
    let chat = Chat::start();
    let place = place(&chat);
    let mut collect = place.collect();
    has_begun(&place);
    chat.always(Some(Reply::Status(503, "")));
    arrive(&place, "e-1", "high");
    chat.heard(1);
    arrive(&place, "e-2", "critical");
    collect.cut();
    let doctor = place.run(&["doctor"]).expect(1);
    assert!(doctor.out.contains("bad   notify hook: webhook: failing since "), "{}", doctor.out);
    assert!(doctor.out.contains("ok    notify bell: rings in open consoles"), "{}", doctor.out);
    chat.always(None);
    let collect = place.collect();
    wait::until("both to be told", || chat.told().len() >= 2);
    collect.signal(Signal::SIGTERM);
    collect.ended().expect(0);
    assert_eq!(chat.told(), ["e-1", "e-2"]);
    let doctor = place.run(&["doctor"]).expect(0);
    assert!(doctor.out.contains("ok    notify hook: webhook: last told "), "{}", doctor.out);
}

#[test]
fn only_the_process_that_receives_tells() {
    let chat = Chat::start();
    let place = place(&chat);
    let mut first = place.collect();
    let begun = has_begun(&place);
    let second = place.start(&["collect"]);
    second.says("waiting: collect (pid");
    arrive(&place, "e-1", "high");
    wait::until("one to be told", || !chat.told().is_empty());
    // Who is cut before it has noted what it told leaves it to be told once more.
    is_marked(&place, &begun);
    first.cut();
    second.says("idtriage: receiving");
    arrive(&place, "e-2", "high");
    wait::until("the other to be told", || chat.told().len() >= 2);
    assert_eq!(chat.told(), ["e-1", "e-2"]);
}

#[test]
fn a_test_message_is_sent_or_shown() {
    let chat = Chat::start();
    let place = place(&chat);
    let shown = &place.run_json(&["notify", "test", "hook", "--dry-run"]).expect(0).json_lines()[0];
    assert_eq!((&shown["type"], &shown["body"]["test"]), (&json!("webhook"), &json!(true)));
    assert!(chat.requests().is_empty());
    assert_eq!(place.run(&["notify", "test", "hook"]).expect(0).out, "`hook` was told\n");
    assert_eq!(chat.heard(1)[0].body["test"], json!(true));
    chat.answer([Reply::Status(404, "no_service"), Reply::Lost]);
    let failed = place.run(&["notify", "test", "hook"]).expect(1);
    assert!(failed.errors.contains("notifier `hook`: answered 404: no_service\nhint: "), "{}", failed.errors);
    let unknown = place.run(&["notify", "test", "hook"]).expect(4);
    assert!(unknown.errors.contains("it may have been told"), "{}", unknown.errors);
    assert!(place.run(&["notify", "test", "bell"]).expect(0).out.contains("rings in every open console"));
    let nobody = place.run(&["notify", "test", "nobody"]).expect(2);
    assert!(nobody.errors.contains("hint: `hook`, `bell`"), "{}", nobody.errors);
    place.run(&["notify", "test", "hook", "--read-only"]).expect(1);
    assert_eq!(chat.requests().len(), 3);
}

#[test]
fn the_bell_rings_for_what_arrives_and_leaves_the_screen_alone() {
    let chat = Chat::start();
    let place = place(&chat);
    let _collect = place.collect();
    arrive(&place, "before", "critical");
    wait::until("the event", || place.all("events").len() == 1);
    let screen = Screen::start(&place, &["--read-only"], 120, 40);
    screen.shows("ann@example.com");
    arrive(&place, "e-1", "high");
    wait::until("the event", || place.all("events").len() == 2);
    arrive(&place, "e-2", "critical");
    let rung = b"\x07\x1b]9;idtriage: critical No MFA Configured: ann@example.com\x1b\\";
    wait::until("the bell", || screen.times_written(rung) == 1);
    assert_eq!(screen.times_written(b"\x1b]9;"), 1, "neither the old one nor the high one");
    assert!(!screen.text().contains("]9;"), "{}", screen.text());
    // Many at once ring once.
    for n in 0..5 {
        arrive(&place, &format!("more-{n}"), "critical");
    }
    wait::until("the bell again", || screen.times_written(b"\x1b]9;idtriage: ") >= 2);
    assert!(screen.times_written(b"\x1b]9;") <= 3);
}

#[test]
fn the_address_is_written_nowhere() {
    let chat = Chat::start();
    let place = place(&chat);
    let log = place.path("idtriage.log").display().to_string();
    let traced = |words: &[&str]| {
        let mut command = place.command(&[words, &["--log", &log]].concat());
        command.env("IDTRIAGE_LOG", "trace");
        place.start_command(&mut command)
    };
    chat.answer([
        Reply::Taken,
        Reply::Status(500, "at /services/T0000-B0000-xoxs3cr3t"),
        Reply::Throttled(1),
    ]);
    traced(&["notify", "test", "hook"]).ended().expect(0);
    let collect = traced(&["collect"]);
    collect.says("idtriage: receiving");
    has_begun(&place);
    arrive(&place, "e-1", "high");
    wait::until("it to be told", || chat.told() == ["e-1"]);
    traced(&["doctor"]).ended();
    traced(&["notify", "test", "hook", "--dry-run"]).ended().expect(0);
    collect.signal(Signal::SIGTERM);
    collect.ended().expect(0);
    let (kept, written): (Vec<_>, Vec<_>) =
        place.files().into_iter().partition(|path| path.ends_with("chat.url"));
    assert!(kept.len() == 1 && written.iter().any(|path| path.ends_with("idtriage.log")));
    for path in written {
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        assert!(!text.contains(TOKEN), "{}", path.display());
    }
}

#[test]
fn an_imported_month_tells_nobody() {
    let chat = Chat::start();
    let place = place(&chat);
    let _collect = place.collect();
    has_begun(&place);
    let lines: Vec<String> =
        (0..50).map(|n| failed_check(&format!("old-{n}"), "ann@example.com").to_string()).collect();
    place.write("events.json", &lines.join("\n"));
    place.run(&["import", "events.json"]).expect(0);
    place.run(&["import", "events.json", "--as", "cii-webhook"]).expect(0);
    arrive(&place, "e-1", "high");
    let told = chat.heard(1);
    assert_eq!((told[0].ids(), &told[0].body["late"]), (vec!["e-1".to_owned()], &Value::from(50)));
}
