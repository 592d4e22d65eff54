//! Look-ups in the console, whole: the prompt, Okta's client and the screen, against a lab.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use support::place::Place;
use support::screen::Screen;
use support::tenant::Tenant;

const ESC: &str = "\u{1b}";
const ENTER: &str = "\r";

fn opened(place: &Place) -> Screen {
    let screen = Screen::start(place, &[], 120, 40);
    screen.until("every source to run", |text| text.contains("source ok") || text.contains("sources ok"));
    screen
}

/// The rows of a screen that name somebody.
fn logins(screen: &Screen) -> Vec<String> {
    let is_login = |word: &&str| word.contains("@meridian.example");
    screen.rows().iter().filter_map(|row| row.split_whitespace().find(is_login)).map(str::to_owned).collect()
}

#[test]
fn a_group_is_looked_up_and_a_member_opened_by_keys_alone() {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    let mut screen = opened(&place);
    // Nothing is guessed: a name that only begins so offers the whole ones.
    screen.press(&format!(":okta-group Engineer{ENTER}"));
    screen.shows("no group has exactly this name");
    // Enter takes the one under the cursor, by its id.
    screen.press(ENTER);
    screen.until("its members", |text| text.contains("read ") && text.contains("members"));
    screen.press(ESC);
    screen.shows("may be meant");
    screen.press(&format!(":okta-group Engineering{ENTER}"));
    screen.shows("the group `Engineering`");
    screen.until("its members", |text| text.contains("members") && text.contains("@meridian.example"));
    let member = logins(&screen)[1].clone();
    screen.press(&format!("j{ENTER}"));
    screen.shows(&format!("› {member}"));
    screen.press(ESC);
    screen.shows("the group `Engineering`");
    screen.press(ESC);
    screen.shows("may be meant");
    assert!(tenant.lab.recorder().writes().is_empty(), "looking sends nothing that changes anything");
}

#[test]
fn a_wrong_application_is_told_apart_and_somebody_unknown_is_said_to_be() {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    let login = tenant.login(3);
    let mut screen = opened(&place);
    screen.press(&format!(":okta-user-apps {login}{ENTER}"));
    screen.shows("assigned");
    screen.press(ENTER);
    screen.shows("profile in the application");
    screen.press(&format!(":okta-assignment 0oaNobody {login}{ENTER}"));
    screen.shows("Okta knows no such application");
    screen.press(&format!(":okta-fields{ENTER}"));
    screen.until("a field under XSOAR's name too", |text| {
        text.contains("givenname") && text.contains("firstName")
    });
    screen.press(&format!(":okta-user nobody@example.org{ENTER}"));
    screen.shows("Okta knows no user `nobody@example.org`");
    screen.shows("hint");
}

#[test]
fn what_set_the_iam_configuration_is_seen_at_once() {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    let mut screen = opened(&place);
    screen.press(&format!(":okta-config{ENTER}"));
    screen.shows("empty: `idtriage okta config set` fills it");
    let said = r#"[{"ApplicationID":"0oa1","Name":"Payroll"}]"#;
    place.run(&["okta", "config", "set", "--configuration", said, "--yes"]).expect(0);
    screen.press("R");
    screen.shows("Payroll");
    screen.shows("target.id eq \"0oa1\"");
}

#[test]
fn without_an_org_it_is_said_how_to_get_one() {
    let place = Place::with_source();
    let mut screen = opened(&place);
    screen.press(&format!(":okta-apps{ENTER}"));
    screen.shows("no Okta org is configured");
    screen.shows("`idtriage init` writes a template");
}

#[test]
fn the_iam_configuration_is_changed_in_two_steps() {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    let mut screen = opened(&place);
    let entries = r#"[{"ApplicationID":"0oa1","Name":"Sales"}]"#;
    screen.press(&format!(":okta-config-set {entries}{ENTER}"));
    screen.shows("not kept yet");
    let stored = || place.run(&["okta", "config", "get", "--json"]).expect(0).out;
    assert_eq!(stored(), "");
    screen.press(&format!(":okta-config-keep{ENTER}"));
    screen.shows("nothing would change");
    assert!(stored().contains("0oa1"), "{}", stored());
}
