//! The search for secrets that every test of the program ends with finds what is there.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;
use std::fs;
use support::place::{HOOK_SECRET, Place};
use support::screen::Screen;
use support::sweep::shows_link;
use support::tenant::Tenant;

#[test]
fn a_planted_secret_is_found_wherever_it_stands() {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    let login = tenant.login(3);
    let words = ["okta", "user", "reset-password", &login, "--link", "--yes"];
    assert!(place.run(&words).expect(0).out.contains("one-time link, shown once: http"));
    assert_eq!(place.leaks(), [""; 0], "it was asked for, there");
    let secrets = tenant.lab.handed_out().secrets();
    assert!(secrets.iter().any(|secret| secret.name == "an access token"));
    assert!(secrets.iter().any(|secret| secret.is_one_time));
    for secret in secrets {
        let text = secret.secret.expose_secret();
        for planted in [text.to_owned(), STANDARD.encode(text)] {
            let file = place.path("state/planted");
            fs::write(&file, format!("before {planted} behind")).unwrap();
            let leaks = place.leaks();
            assert!(leaks.contains(&format!("{} stands in state/planted", secret.name)), "{leaks:?}");
            shows_link(&file);
            assert_eq!(place.leaks().is_empty(), secret.is_one_time, "{}", secret.name);
            fs::remove_file(&file).unwrap();
            fs::remove_file(place.path("state/planted.shows-link")).unwrap();
        }
    }
}

#[test]
fn what_a_screen_showed_is_searched_too() {
    let place = Place::with_source();
    let mut screen = Screen::start(&place, &[], 80, 24);
    screen.shows("Feed");
    screen.press(&format!(":user {HOOK_SECRET}"));
    screen.shows(HOOK_SECRET);
    drop(screen);
    let leaks = place.leaks();
    assert!(leaks.iter().all(|leak| leak.contains("stands in screen-")) && !leaks.is_empty(), "{leaks:?}");
    for file in place.files().iter().filter(|file| file.extension().is_some_and(|ending| ending == "bytes")) {
        fs::remove_file(file).unwrap();
    }
}
