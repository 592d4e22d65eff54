//! The System Log in the console, whole: Okta's client, the screen and the file, against a lab.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use support::place::Place;
use support::screen::Screen;
use support::tenant::Tenant;

const ESC: &str = "\u{1b}";
const ENTER: &str = "\r";
const TAB: &str = "\t";

fn opened(place: &Place) -> Screen {
    let mut screen = Screen::start(place, &[], 120, 40);
    screen.shows("sources ok");
    screen.press(&format!(":logs failed-sign-ins{ENTER}"));
    screen.shows("late ones may be missing");
    screen.press("]");
    screen.shows("past 7d");
    screen.until("failed and denied sign-ins", |text| text.contains("FAILURE") && text.contains("DENY"));
    screen
}

fn exports(place: &Place) -> Vec<PathBuf> {
    let is_export = |path: &PathBuf| path.to_string_lossy().contains("/okta-log-");
    place.files().into_iter().filter(is_export).collect()
}

#[test]
fn records_are_found_followed_and_written_to_a_file_of_ones_own() {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    let mut screen = opened(&place);
    screen.press("t");
    screen.shows("transaction.id eq");
    screen.shows("1 record");
    screen.press(ENTER);
    screen.shows("\"published\":");
    screen.press(ESC);
    screen.shows("transaction.id eq");
    screen.press(ESC);
    screen.shows("past 7d");
    screen.press("e");
    screen.shows("wrote 55 records to");
    let files = exports(&place);
    let mode = fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777;
    assert_eq!((files.len(), mode), (1, 0o600));
    let text = fs::read_to_string(&files[0]).unwrap();
    assert!(text.starts_with("published,eventType,") && text.contains(",DENY,"), "{text}");
}

#[test]
fn a_bad_filter_and_a_429_are_lines_on_the_screen_and_nothing_is_blocked() {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    let mut screen = opened(&place);
    let asked = || tenant.lab.recorder().count("GET", "/api/v1/logs");
    screen.press(&format!("/and{ENTER}"));
    screen.shows("E0000053");
    screen.shows("Invalid filter at");
    screen.shows("hint");
    let before = asked();
    screen.press("j");
    screen.shows("ready questions");
    assert_eq!(asked(), before, "what was refused is not asked again");
    tenant.fault("429@okta");
    screen.press("3");
    screen.until("a wait or a refusal in words", |text| {
        text.contains("Okta asks to wait") || text.contains("is throttling")
    });
    screen.press(ESC);
    screen.shows("Waiting for the first event");
}

#[test]
fn a_filter_is_completed_by_tab_and_user_360_leads_to_the_log() {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    let mut screen = opened(&place);
    screen.press(&format!("/\u{15}outc{TAB}{TAB}\"DEN"));
    screen.shows("a policy blocked it: not FAILURE");
    screen.press(&format!("{TAB}{ENTER}"));
    screen.shows("/ outcome.result eq \"DENY\"");
    screen
        .until("denied ones alone", |text| text.contains("user.session.start") && !text.contains("FAILURE"));
    screen.press("u");
    screen.shows("Overview");
    screen.press("l");
    screen.until("the log of that person", |text| {
        text.contains("/ actor.id eq") || text.contains("/ actor.alternateId eq")
    });
}
