//! The console on a pseudo-terminal: what an analyst does with it, and how it leaves the terminal.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use idtriage::runtime::terminal;
use nix::sys::signal::Signal;
use rstest::rstest;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use support::place::Place;
use support::screen::Screen;
use support::tenant::Tenant;
use support::wait;

const ESC: &str = "\u{1b}";
const ENTER: &str = "\r";
const CTRL_Z: &str = "\u{1a}";

fn demo(place: &Place) -> Screen {
    let screen = Screen::start(place, &["demo"], 80, 24);
    screen.shows("last event");
    screen.shows("following");
    assert!(screen.is_taken());
    screen
}

/// Puts the cursor on a row that names one person who can be acted on, and answers the name as far as the
/// column shows it. Whom the flood hits has an active account; who else stands in the feed may not.
fn go_to_a_person(screen: &mut Screen) -> String {
    screen.press(&format!("/check:mfa-flood{ENTER}"));
    // The first is about many people, each of the others about one.
    screen.until("three rows of the flood", |text| text.matches("MFA Flood").count() >= 3);
    screen.press("j");
    // From now on the feed is held: its rows do not move any more.
    screen.shows_no("following");
    let rows = screen.rows();
    let heading = rows.iter().position(|row| row.contains("event") && row.contains("who")).unwrap();
    let column = rows[heading].find("who").unwrap();
    // Rows may hold wide glyphs before the column; it is counted in characters, as the heading is.
    let who = |row: &String| row.chars().skip(column).take_while(|c| *c != ' ').collect::<String>();
    let below = &rows[heading + 2..];
    let place = below.iter().position(|row| who(row).contains('.')).unwrap();
    screen.press(&"j".repeat(place));
    who(&below[place]).split(['…', '@']).next().unwrap().to_owned()
}

/// The modes of the folders that the program made for a while.
fn modes(place: &Place) -> Vec<u32> {
    let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    place.throw_aways().iter().map(mode).collect()
}

#[test]
fn what_is_thrown_away_is_nobody_elses() {
    let place = Place::empty();
    let _screen = demo(&place);
    assert_eq!(modes(&place), [0o700]);
    let place = Place::empty();
    let lab = place.start(&["lab", "--listen", "127.0.0.1:0"]);
    lab.says("ctrl-c ends the lab");
    assert_eq!(modes(&place), [0o700]);
}

#[test]
fn from_the_feed_to_a_run_in_the_journal() {
    let place = Place::empty();
    let mut screen = demo(&place);
    let login = go_to_a_person(&mut screen);
    screen.press("u");
    screen.shows(&format!("Feed › {login}"));
    screen.shows("Accounts");
    screen.press("r");
    screen.shows("1 Suspend Okta Account");
    screen.shows("undo:");
    screen.press("1");
    screen.shows("type suspend and enter");
    screen.press("suspend");
    screen.press(ENTER);
    screen.shows("┏ Changed");
    screen.shows("changed:");
    screen.press(ESC);
    screen.shows_no("┏ Changed");
    screen.press("L");
    screen.shows("journal");
    screen.until("the run in the journal", |text| text.contains(&login) && text.contains("changed"));
    // Its intent, its receipt, and what the re-read proved.
    screen.press(ENTER);
    screen.shows("its records");
    screen.shows("intended");
    assert!(screen.text().contains("records"), "{}", screen.text());
}

#[test]
fn what_is_typed_before_the_card_arms_answers_nothing() {
    let place = Place::empty();
    let mut screen = demo(&place);
    go_to_a_person(&mut screen);
    screen.press("u");
    screen.shows("Accounts");
    screen.press("r");
    screen.shows("1 Suspend Okta Account");
    screen.shows("undo:");
    screen.press(&format!("1yn{ENTER}suspend{ENTER}"));
    screen.shows("type suspend and enter");
    let text = screen.text();
    let field = text.lines().find(|row| row.starts_with("┃ confirm")).unwrap();
    assert_eq!(field.trim_matches(['┃', ' ']), "confirm", "{text}");
    screen.press(ESC);
    screen.shows_no("Confirm");
    screen.press("L");
    screen.shows("no record fits");
}

#[test]
fn quitting_asks_while_it_receives_and_gives_the_terminal_back() {
    let place = Place::empty();
    let mut screen = demo(&place);
    screen.press("q");
    screen.shows("y quits");
    screen.press("n");
    screen.shows_no("y quits");
    screen.press("q");
    screen.shows("y quits");
    // The question is not answered in its first moment: `y` is pressed until it is.
    wait::until("the end", || {
        screen.press("y");
        screen.text().contains("ended with 0")
    });
    assert!(screen.is_given_back());
    assert!(place.is_swept());
}

#[test]
fn quitting_between_two_steps_says_what_is_not_sent_any_more() {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    let login = tenant.login(3);
    let mut screen = Screen::start(&place, &[], 120, 40);
    screen.until("every source to run", |text| text.contains("source ok") || text.contains("sources ok"));
    screen.press(&format!(":contain {login}{ENTER}"));
    screen.shows("type contain and enter");
    // Time enough to quit on a busy machine: between the steps a look at the account is waited for.
    tenant.fault("latency@okta=3000");
    screen.press(&format!("contain{ENTER}"));
    let writes = || tenant.lab.recorder().writes().len();
    wait::until("the first step to be sent", || writes() == 1);
    screen.press(ESC);
    screen.shows_no("Running");
    screen.press("q");
    screen.shows("not sent any more");
    wait::until("the end", || {
        screen.press("y");
        screen.text().contains("ended with 3")
    });
    assert_eq!(writes(), 1);
    let said = screen.text().replace(['\r', '\n'], "");
    assert!(said.contains(&format!("{login}: clear the Okta sessions")), "{said}");
    assert!(said.contains("not sent any more, since the console was left"), "{said}");
}

#[rstest]
#[case(Signal::SIGTERM)]
#[case(Signal::SIGHUP)]
fn a_signal_ends_it_and_gives_the_terminal_back(#[case] signal: Signal) {
    let place = Place::empty();
    let screen = demo(&place);
    screen.signal(signal);
    screen.shows("ended with 0");
    assert!(screen.is_given_back());
    assert!(place.is_swept());
}

#[test]
fn a_signal_ends_it_on_a_terminal_that_takes_no_bytes() {
    let place = Place::empty();
    let mut screen = demo(&place);
    let clogged = screen.clog();
    screen.press("?");
    screen.signal(Signal::SIGTERM);
    wait::until("the end of the process", || screen.has_ended());
    assert!(screen.is_cooked() && place.is_swept());
    drop(clogged);
    screen.shows("ended with 0");
    // It could not leave the screen: otherwise this would show nothing.
    assert!(!screen.is_given_back());
}

#[test]
fn a_terminal_that_cannot_be_taken_whole_is_given_back() {
    let place = Place::empty();
    // Where output is processed, the kernel keeps some room that unprocessed output would still find.
    let words = ["-c", "stty -opost; echo ready; exec sleep 600"];
    let screen = Screen::start_other(&place, Path::new("sh"), &words, (80, 24));
    screen.shows("ready");
    let _clogged = screen.clog();
    let mut command = place.command(&["demo"]);
    let child = command.stdin(screen.opened()).stdout(screen.opened()).stderr(Stdio::piped()).spawn();
    let ended = child.unwrap().wait_with_output().unwrap();
    let errors = String::from_utf8(ended.stderr).unwrap();
    assert!(errors.contains("the terminal cannot be used"), "{errors}");
    assert!(screen.is_cooked());
}

#[test]
fn ctrl_z_stops_it_and_sigcont_draws_it_again() {
    let place = Place::empty();
    let mut screen = demo(&place);
    screen.press(CTRL_Z);
    wait::until("the process to be stopped", || screen.state() == 'T');
    wait::until("the terminal to be given back", || screen.is_given_back());
    screen.signal(Signal::SIGCONT);
    wait::until("the terminal to be taken again", || screen.is_taken());
    screen.shows("last event");
    screen.press("?");
    screen.shows("Help");
}

#[test]
fn sigcont_alone_draws_everything_anew() {
    let place = Place::empty();
    let screen = demo(&place);
    screen.wipe();
    screen.shows_no("following");
    screen.signal(Signal::SIGCONT);
    screen.shows("following");
}

#[rstest]
#[case(60, 16)]
#[case(200, 50)]
fn another_size_is_drawn_whole(#[case] columns: u16, #[case] rows: u16) {
    let place = Place::empty();
    let screen = demo(&place);
    screen.wipe();
    screen.resize(columns, rows);
    screen.until("all rows of the new size", |text| {
        let lines: Vec<&str> = text.lines().collect();
        let is_whole = lines.len() == usize::from(rows) && lines[0].contains("DEMO");
        is_whole && lines.last().is_some_and(|footer| footer.contains("open"))
    });
    assert!(screen.rows()[1].contains("Feed"), "{}", screen.text());
}

/// The program has no command that panics, so this runs the test below on a terminal: the same guard and
/// the same hook.
#[test]
fn a_panic_gives_the_terminal_back_and_can_be_read() {
    let place = Place::empty();
    let tests = std::env::current_exe().unwrap();
    let words = ["--ignored", "--exact", "--nocapture", "panics_on_the_terminal"];
    let screen = Screen::start_other(&place, &tests, &words, (80, 24));
    screen.shows("ended with 101");
    assert!(screen.is_given_back());
    assert!(screen.text().contains("on purpose"), "{}", screen.text());
}

#[test]
#[ignore = "run on a terminal by the test above"]
fn panics_on_the_terminal() {
    terminal::install_panic_hook();
    // Forgotten, so that only the hook can give the terminal back.
    std::mem::forget(terminal::Guard::take().unwrap());
    panic!("on purpose");
}

#[test]
fn without_a_terminal_it_says_so() {
    let place = Place::empty();
    let ended = place.run(&["demo"]).expect(1);
    assert!(ended.errors.contains("standard input and output have to be a terminal"), "{}", ended.errors);
    assert!(ended.errors.contains("hint: "), "{}", ended.errors);
}
