//! The journal through the whole program: looked through, exported, verified, damaged; on the screen too.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use rusqlite::Connection;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use support::payload::failed_check;
use support::place::{HOOK_SECRET, Place};
use support::poster::post;
use support::screen::Screen;

/// A place whose journal holds what was done about two people's findings.
fn triaged() -> Place {
    let place = Place::with_source();
    let collect = place.collect();
    for (id, login) in [("e-1", "ann@example.com"), ("e-2", "bob@example.com")] {
        assert_eq!(post(place.listen(), HOOK_SECRET, &failed_check(id, login).to_string()), 200);
    }
    support::wait::until("two findings", || place.all("findings").len() == 2);
    drop(collect);
    let of = |login: &str| {
        let findings = place.run_json(&["findings", "list", &format!("user:{login}")]).expect(0).json_lines();
        findings[0]["id"].as_str().unwrap().to_owned()
    };
    let (ann, bob) = (of("ann@example.com"), of("bob@example.com"));
    place.run(&["findings", "claim", &ann]).expect(0);
    place.run(&["findings", "note", &ann, "=cmd|x"]).expect(0);
    place.run(&["findings", "claim", &bob]).expect(0);
    place.run(&["findings", "close", &ann, "--as", "benign-expected", "--reason", "new laptop"]).expect(0);
    place
}

fn seqs(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["seq"].as_str().unwrap()).collect()
}

#[test]
fn what_is_asked_for_is_listed_and_exported_whole() {
    let place = triaged();
    let all = place.run_json(&["journal", "list"]).expect(0).json_lines();
    assert_eq!(seqs(&all), ["4", "3", "2", "1"]);
    let ann = place.run_json(&["journal", "list", "user:ANN@example.com"]).expect(0).json_lines();
    assert_eq!(seqs(&ann), ["4", "2", "1"]);
    assert_eq!(
        seqs(&place.run_json(&["journal", "list", "laptop -kind:setting"]).expect(0).json_lines()),
        ["4"]
    );
    let wrong = place.run(&["journal", "list", "colour:red"]).expect(2);
    assert!(
        wrong.errors.contains("there is no field `colour`") && wrong.errors.contains("hint:"),
        "{}",
        wrong.errors
    );

    let exported = place.run(&["journal", "export"]).expect(0);
    assert_eq!(seqs(&exported.json_lines()), ["1", "2", "3", "4"], "oldest first, JSON Lines without a flag");
    let csv =
        place.run(&["journal", "export", "--csv", "--since", "1h", "user:ann@example.com"]).expect(0).out;
    assert!(csv.starts_with("seq,at,kind,") && csv.lines().count() == 4, "{csv}");
    assert!(csv.contains("=cmd") && !csv.contains(",=cmd"), "no cell begins like a formula: {csv}");
    assert_eq!(place.run(&["journal", "export", "--until", "2020-01-01"]).expect(0).out, "");

    let file = place.path("journal.jsonl");
    let words = ["journal", "export", "--output", file.to_str().unwrap()];
    assert!(place.run(&words).expect(0).errors.contains("wrote 4 records to"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_to_string(&file).unwrap(), exported.out);
    assert!(place.run(&words).expect(1).errors.contains("name a file that is not there yet"));
}

#[test]
fn a_damaged_record_is_named_and_hides_no_other() {
    let place = triaged();
    let db = Connection::open(place.store_file()).unwrap();
    db.execute("UPDATE journal SET kind = 'seen' WHERE seq = 2", []).unwrap();
    db.execute("UPDATE journal SET at = at + 1 WHERE seq = 3", []).unwrap();
    let verified = place.run_json(&["journal", "verify"]).expect(1);
    let said = "record 2 is damaged: its kind is `seen`, which is none";
    assert_eq!(verified.json_lines()[0]["error"], said);
    let listed = place.run(&["journal", "list"]).expect(0).out;
    assert!(listed.contains("damaged: its kind is `seen`, which is none"), "{listed}");
    assert!(listed.contains("damaged: its time has digits below a millisecond"), "{listed}");
    assert_eq!(listed.lines().count(), 5, "{listed}");
    let exported = place.run(&["journal", "export"]).expect(0).json_lines();
    assert_eq!(exported[1]["damage"], "its kind is `seen`, which is none");
    // It goes on behind it.
    let bob = place.run_json(&["findings", "list", "user:bob@example.com"]).expect(0).json_lines();
    place.run(&["findings", "release", bob[0]["id"].as_str().unwrap()]).expect(0);
    assert_eq!(place.run_json(&["journal", "list"]).expect(0).json_lines().len(), 5);
}

#[test]
fn a_content_that_was_taken_out_is_named_with_and_without_a_kept_head() {
    let place = triaged();
    let verified = place.run_json(&["journal", "verify"]).expect(0).json_lines();
    let head = verified[0]["head"].as_str().unwrap().to_owned();
    let db = Connection::open(place.store_file()).unwrap();
    db.execute("UPDATE journal SET content = NULL WHERE seq = 2", []).unwrap();
    for words in [&["journal", "verify"][..], &["journal", "verify", "--head", &head]] {
        let verified = place.run_json(words).expect(1);
        let said = "record 2 was changed: its content is gone, and nothing in this program erases one";
        assert_eq!(verified.json_lines(), [serde_json::json!({ "holds": false, "error": said })]);
    }
    let listed = place.run(&["journal", "list"]).expect(0).out;
    assert!(listed.contains("its content is gone") && listed.lines().count() == 5, "{listed}");
}

#[test]
fn the_screen_searches_checks_and_exports() {
    let place = triaged();
    let mut screen = Screen::start(&place, &[], 110, 30);
    screen.shows("last event");
    screen.press("L");
    screen.shows("4 rows");
    screen.shows("Record 4");
    screen.press("f");
    screen.shows("4 records");
    screen.press("/user:ann* -laptop\r");
    screen.shows("2 records");
    screen.press("v");
    screen.shows("holds to 4");
    screen.press("e");
    screen.shows("wrote 2 records of the journal to");
    screen.press("J");
    screen.shows("\"previous\"");
    screen.press("q");
    screen.shows_no("\"previous\"");
    screen.press("\u{1b}");
    screen.shows("4 rows");
    screen.press("u");
    screen.shows("Feed › journal › ann@example.com");
    screen.press("8");
    screen.press("L");
    screen.shows("user:ann@example.com");
    screen.shows("3 rows");
    let exports: Vec<_> = place
        .files()
        .into_iter()
        .filter(|path| path.to_string_lossy().contains("/exports/journal-"))
        .collect();
    let [csv] = &exports[..] else { panic!("{exports:?}") };
    assert_eq!(fs::metadata(csv).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(csv).unwrap().starts_with("seq,at,kind,"));
    // Somebody changes a record meanwhile.
    Connection::open(place.store_file())
        .unwrap()
        .execute("UPDATE journal SET content = '{}' WHERE seq = 1", [])
        .unwrap();
    screen.press("v");
    screen.shows("CHAIN BROKEN");
    screen.shows("record 1 was changed");
}
