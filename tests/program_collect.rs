//! `collect`: what is posted to it is what `events list` shows, whole and once.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use nix::sys::signal::Signal;
use rstest::rstest;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::{BTreeSet, HashMap};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use support::payload::{failed_check, fixture, fixtures};
use support::place::{HOOK_SECRET, Place};
use support::poster::{Poster, post};
use support::process::Process;
use support::wait;

fn post_all(place: &Place, messages: &[String]) {
    let mut poster = Poster::connect(place.listen(), HOOK_SECRET).unwrap();
    for message in messages {
        assert_eq!(poster.post(message).unwrap(), 200, "{message}");
    }
}

/// The fixtures share their ids: each gets some of its own, where it has any.
fn distinct_fixtures() -> Vec<String> {
    let mut messages: Vec<String> = fixtures().into_iter().map(|(_, message)| message).collect();
    for (n, message) in messages.iter_mut().enumerate() {
        for id in ["3c9d0f3a-", "8f7d2f4e-", "abf0607d-"] {
            *message = message.replace(id, &format!("{n:08x}-"));
        }
    }
    messages
}

/// JSON with its texts' blanks left out too: enough to compare, and nothing has to be understood.
fn without_blanks(json: &str) -> String {
    json.split_whitespace().collect()
}

/// What stands under `raw`, and how often the event came.
fn raw_of(line: &str) -> (String, String) {
    let event: HashMap<&str, &RawValue> = serde_json::from_str(line).unwrap();
    (without_blanks(event["raw"].get()), event["times"].get().to_owned())
}

#[test]
fn everything_that_was_posted_is_listed_whole() {
    let place = Place::with_source();
    let _collect = place.collect();
    let messages = distinct_fixtures();
    post_all(&place, &messages);
    let listed = place.run(&["events", "list", "--json", "--raw"]).expect(0).out;
    let mut events: Vec<(String, String)> = listed.lines().map(raw_of).collect();
    events.reverse();
    let posted: Vec<_> = messages.iter().map(|message| (without_blanks(message), "1".to_owned())).collect();
    assert_eq!(events, posted);
}

#[test]
fn a_test_message_opens_nothing_and_a_failed_check_one_finding_a_login() {
    let place = Place::with_source();
    let _collect = place.collect();
    post_all(&place, &[fixture("webhook-test")]);
    let test = &place.run_json(&["events", "list"]).expect(0).json_lines()[0];
    assert_eq!((&test["kind"], &test["severity"]), (&json!("test"), &json!("critical")));
    assert!(place.all("findings").is_empty());
    post_all(&place, &[fixture("failed-check")]);
    let event = &place.run_json(&["events", "list"]).expect(0).json_lines()[0];
    assert_eq!(event["users"], json!(["test@example.com", "hrms.serviceuser"]));
    let names: Vec<&String> = event.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "id",
            "source",
            "source_event_id",
            "kind",
            "check_id",
            "check_kind",
            "title",
            "severity",
            "severity_raw",
            "users",
            "times",
            "tags",
            "published",
            "received"
        ]
    );
    let findings = place.all("findings");
    assert_eq!(findings.len(), 2);
    assert!(findings.iter().all(|finding| finding["state"] == "open" && finding["times"] == 1));
}

#[test]
fn a_repeat_is_counted_and_not_listed_again() {
    let place = Place::with_source();
    let _collect = place.collect();
    let message = failed_check("e-1", "ann@example.com").to_string();
    post_all(&place, &[message.clone(), message.clone(), message]);
    let events = place.all("events");
    assert_eq!((events.len(), &events[0]["times"]), (1, &json!(3)));
    assert_eq!(place.all("findings")[0]["times"], 1);
}

/// Control, bidirectional and zero-width characters: what must not reach a terminal as it is.
fn is_dangerous(c: char) -> bool {
    let is_invisible =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    (c.is_control() && c != '\n') || is_invisible
}

#[test]
fn hostile_text_comes_out_visibly() {
    let place = Place::with_source();
    let _collect = place.collect();
    let login = "ann\u{1b}]52;c;eA==\u{7}\u{202e}\u{200b}\u{9b}2J@example.com";
    let mut message = failed_check("e-1\r\n", login);
    message["detail"]["title"] = json!("two\nlines\u{2066} and \u{feff} more");
    post_all(&place, &[message.to_string(), fixture("hostile-text")]);
    let commands = [
        &["events", "list"][..],
        &["events", "list", "--json", "--raw"],
        &["events", "show", "1", "--raw"],
        &["findings", "list"],
        &["findings", "list", "--json"],
        &["findings", "show", "1"],
    ];
    for words in commands {
        let out = place.run(words).expect(0).out;
        assert_eq!(out.chars().find(|c| is_dangerous(*c)), None, "{words:?}: {out:?}");
        assert!(out.contains("example.com"), "{words:?}: {out}");
    }
    let list = place.run(&["events", "list"]).expect(0).out;
    assert!(list.lines().count() == 3 && list.contains("two␊lines<U+2066>"), "{list}");
    let findings = place.run_json(&["findings", "list", "user:ann*"]).expect(0).json_lines();
    assert_eq!(findings[0]["login"], login);
}

#[test]
fn without_the_secret_nothing_is_taken() {
    let place = Place::with_source();
    let collect = place.collect();
    let message = failed_check("e-1", "ann@example.com").to_string();
    assert_eq!(post(place.listen(), "not-the-secret", &message), 401);
    assert_eq!(post(place.listen(), "", &message), 401);
    assert_eq!(post(place.listen(), HOOK_SECRET, "no json"), 400);
    assert_eq!(post(place.listen(), HOOK_SECRET, "{\"detail\": 7}"), 400);
    collect.signal(Signal::SIGTERM);
    let ended = collect.ended().expect(0);
    assert!(!ended.errors.contains("not-the-secret") && ended.out.is_empty(), "{}", ended.errors);
    assert!(place.all("events").is_empty());
}

#[rstest]
#[case(Signal::SIGTERM)]
#[case(Signal::SIGHUP)]
#[case(Signal::SIGINT)]
fn a_signal_stops_it_cleanly(#[case] signal: Signal) {
    let place = Place::with_source();
    let collect = place.collect();
    post_all(&place, &[failed_check("e-1", "ann@example.com").to_string()]);
    // A connection that is open and says nothing does not hold up the end.
    let _silent = Poster::connect(place.listen(), HOOK_SECRET).unwrap();
    collect.signal(signal);
    let ended = collect.ended().expect(0);
    assert!(ended.errors.contains("everything that was acknowledged is stored"), "{}", ended.errors);
    assert_eq!(place.all("events").len(), 1);
}

/// systemd's side of the socket that a service tells it by.
struct Systemd(UnixDatagram);

impl Systemd {
    fn start(place: &Place) -> Systemd {
        let socket = UnixDatagram::bind(place.path("notify")).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(45))).unwrap();
        Systemd(socket)
    }

    /// The next word that begins so; others pass.
    fn hears(&self, begins: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            let length = self.0.recv(&mut buffer).unwrap_or_else(|error| panic!("{begins}: {error}"));
            let word = String::from_utf8(buffer[..length].to_vec()).unwrap();
            if word.starts_with(begins) {
                return word;
            }
        }
    }

    fn collect(&self, place: &Place) -> Process {
        let mut command = place.command(&["collect"]);
        command.env("NOTIFY_SOCKET", place.path("notify")).env("WATCHDOG_USEC", "1000000");
        place.start_command(&mut command)
    }
}

#[test]
fn a_service_manager_hears_that_it_is_ready_alive_and_stopping() {
    let place = Place::with_source();
    let systemd = Systemd::start(&place);
    let collect = systemd.collect(&place);
    systemd.hears("READY=1");
    post_all(&place, &[failed_check("e-1", "ann@example.com").to_string()]);
    assert_eq!(systemd.hears("STATUS="), "STATUS=receiving; cii-webhook running");
    systemd.hears("WATCHDOG=1");
    systemd.hears("WATCHDOG=1");
    collect.signal(Signal::SIGTERM);
    systemd.hears("STOPPING=1");
    collect.ended().expect(0);
}

#[test]
fn it_is_ready_too_where_another_process_receives() {
    let place = Place::with_source();
    let _first = place.collect();
    let systemd = Systemd::start(&place);
    let _second = systemd.collect(&place);
    systemd.hears("READY=1");
    systemd.hears("STATUS=waiting: collect (pid");
}

#[test]
fn a_stop_in_the_middle_of_a_load_loses_nothing_that_was_acknowledged() {
    let place = Place::with_source();
    let collect = place.collect();
    let accepted = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for sender in 0..8 {
            let (place, accepted) = (&place, &accepted);
            scope.spawn(move || {
                let Ok(mut poster) = Poster::connect(place.listen(), HOOK_SECRET) else { return };
                for n in 0.. {
                    let message = failed_check(&format!("e-{sender}-{n}"), "ann@example.com").to_string();
                    match poster.post(&message) {
                        Ok(200) => accepted.fetch_add(1, Ordering::SeqCst),
                        // The connection ends with the listener, and whoever is refused sends again.
                        _ => return,
                    };
                }
            });
        }
        wait::until("a load", || accepted.load(Ordering::SeqCst) > 200);
        collect.signal(Signal::SIGTERM);
    });
    collect.ended().expect(0);
    let listed: BTreeSet<String> =
        place.all("events").into_iter().map(|event| event["source_event_id"].to_string()).collect();
    assert!(listed.len() >= accepted.load(Ordering::SeqCst), "{} of {accepted:?}", listed.len());
}

#[test]
fn a_unit_is_printed_that_names_the_program_and_its_flags() {
    let place = Place::empty();
    let config = place.path("a folder/100%.toml");
    let config = config.to_str().unwrap();
    let unit = place.run(&["--config", config, "collect", "--print-unit"]).expect(0).out;
    let program = fs::canonicalize(env!("CARGO_BIN_EXE_idtriage")).unwrap();
    let quoted = config.replace('%', "%%");
    let line = format!("ExecStart={} --config \"{quoted}\" collect", program.display());
    assert!(unit.lines().any(|it| it == line), "{line}\n{unit}");
    for words in ["systemctl --user enable --now idtriage.service", "loginctl enable-linger", "Type=notify"] {
        assert!(unit.contains(words), "{words}\n{unit}");
    }
    refused(&place, &["--read-only", "collect", "--print-unit"], 1, &["--read-only"]);
}

/// A file that may not grow further is as near to a full disk as a test comes without being root.
#[test]
fn a_file_that_cannot_grow_is_said_and_loses_nothing() {
    let place = Place::with_source();
    place.run(&["events", "list"]).expect(0);
    let program = env!("CARGO_BIN_EXE_idtriage");
    // In blocks of half or one KiB, as the shell counts them. The signal would end the program.
    let script = format!("trap '' XFSZ; ulimit -f 2048; exec '{program}' collect");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &script]).env_clear().envs(place.environment());
    let collect = place.start_command(&mut shell);
    collect.says("idtriage: receiving");
    let mut poster = Poster::connect(place.listen(), HOOK_SECRET).unwrap();
    let mut accepted = 0;
    let why = (0..200).find_map(|n| {
        let mut message = failed_check(&format!("e-{n}"), "ann@example.com");
        message["detail"]["pad"] = json!("x".repeat(100_000));
        match poster.ask(&message.to_string()).unwrap() {
            (200, _) => {
                accepted += 1;
                None
            }
            refused => Some(refused),
        }
    });
    let (status, words) = why.unwrap();
    assert!(status == 503 && words.contains("the store cannot be written"), "{status} {words}");
    collect.says("source cii-webhook failed: the store cannot be written");
    collect.signal(Signal::SIGTERM);
    collect.ended().expect(0);
    assert!(accepted > 0);
    assert_eq!(place.all("events").len(), accepted);
    let _collect = place.collect();
    post_all(&place, &[failed_check("after", "ann@example.com").to_string()]);
    assert_eq!(place.all("events").len(), accepted + 1);
    place.run(&["journal", "verify"]).expect(0);
}

#[test]
fn a_port_that_is_taken_is_said_and_tried_again() {
    let place = Place::with_source();
    let other = std::net::TcpListener::bind(place.listen()).unwrap();
    let collect = place.start(&["collect"]);
    collect.says("not receiving");
    assert!(collect.errors().contains(&place.listen().to_string()), "{}", collect.errors());
    collect.says("source cii-webhook failed: address");
    // Somebody of ours receives, and still the port is a stranger's.
    let checks = wait::answer("the doctor's word of the listener", || {
        let lines = place.run_json(&["doctor"]).json_lines();
        let listener = lines.into_iter().find(|line| line["check"] == "listener").unwrap();
        (listener["verdict"] == "bad").then_some(listener)
    });
    assert!(checks["told"].as_str().unwrap().contains("and not by collect"), "{checks}");
    drop(other);
    collect.says("idtriage: receiving");
    collect.says("source cii-webhook is well again");
    post_all(&place, &[failed_check("e-1", "ann@example.com").to_string()]);
}

/// What is wrong with a place, and the phrases that have to come back.
fn refused(place: &Place, words: &[&str], status: i32, phrases: &[&str]) {
    let ended = place.run(words).expect(status);
    for phrase in phrases {
        assert!(ended.errors.contains(phrase), "{phrase}: {}", ended.errors);
    }
    assert!(ended.out.is_empty(), "{}", ended.out);
}

#[test]
fn no_configuration_is_wrong_usage() {
    refused(&Place::empty(), &["collect"], 2, &["hint: `idtriage init` writes one"]);
}

#[test]
fn a_secret_that_others_can_read_is_refused() {
    let place = Place::with_source();
    fs::set_permissions(place.path("hook.secret"), Permissions::from_mode(0o644)).unwrap();
    refused(&place, &["collect"], 2, &["hook.secret", "hint:", "chmod 600"]);
}

#[test]
fn a_configuration_that_others_can_write_is_refused() {
    let place = Place::with_source();
    fs::set_permissions(place.config(), Permissions::from_mode(0o666)).unwrap();
    refused(&place, &["collect"], 2, &["config.toml", "hint:"]);
}

#[test]
fn a_store_that_others_can_read_is_refused() {
    let place = Place::with_source();
    place.run(&["events", "list"]).expect(0);
    fs::set_permissions(place.store_file(), Permissions::from_mode(0o644)).unwrap();
    refused(&place, &["collect"], 2, &["idtriage.db", "hint:"]);
}

#[test]
fn nothing_to_receive_is_wrong_usage() {
    let place = Place::empty();
    place.write_config("");
    refused(&place, &["collect"], 2, &["no source is configured", "hint:"]);
}

#[test]
fn a_read_only_collect_is_refused() {
    refused(&Place::with_source(), &["collect", "--read-only"], 1, &["--read-only"]);
}
