//! The search for secrets that every test of the program ends with finds what is there.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;
use std::fs;
use support::payload::failed_check;
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

/// Printed once each to whoever asked for them, on standard output, and kept nowhere: neither by the run that was held
/// up and gone on with, nor by what lists it. A console hands out none of many.
#[test]
fn the_links_of_many_stand_where_they_were_asked_for_and_nowhere_else() {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    let admins = tenant.lab.administrators();
    let others = tenant.lab.user_logins().into_iter().skip(3).filter(|login| !admins.contains(login));
    let users: Vec<String> = others.take(24).collect();
    let named: Vec<&str> = users.iter().map(String::as_str).collect();
    tenant.fault("change-lost@okta=1");
    let words = ["okta", "user", "reset-password", "--link", "--yes"];
    let first = place.run(&[&words[..], &named[..]].concat()).out;
    let run = place.run_json(&["bulk", "list"]).expect(0).json_lines().remove(0);
    assert_eq!(run["state"], "paused", "{run}");

    let mut event = failed_check("two", "nobody");
    event["detail"]["usersFailing"] = serde_json::json!(users[..2]);
    place.write("events.jsonl", &event.to_string());
    place.run(&["import", "events.jsonl"]).expect(0);
    let mut screen = Screen::start(&place, &[], 120, 40);
    screen.shows("No MFA Configured");
    screen.press("\r");
    screen.shows("2 user");
    screen.press("*");
    screen.shows("2 marked");
    screen.press(":reset-password-link\r");
    screen.shows("one-time links are handed out one at a time here");
    screen.press("B");
    screen.shows("paused");
    screen.press("\r");
    screen.shows("then c goes on");
    screen.press("c");
    screen.shows("its one-time links would be shown to nobody here");
    drop(screen);

    let id = run["id"].as_str().unwrap();
    let resumed = place.start(&["bulk", "resume", id, "--yes"]);
    shows_link(resumed.out());
    let second = resumed.ended().out;
    let links = tenant.lab.handed_out().secrets().into_iter().filter(|secret| secret.is_one_time);
    let printed = links.map(|link| {
        let text = link.secret.expose_secret();
        first.matches(text).count() + second.matches(text).count()
    });
    let printed: Vec<usize> = printed.collect();
    assert!(printed.iter().all(|times| *times <= 1), "{printed:?}");
    let told = |out: &str| out.matches("one-time link, shown once: http").count();
    // The first of a run goes alone: where its answer is lost, nobody else is asked for a link.
    assert!(told(&first) == 0 && told(&second) > 0, "{first}\n{second}");
    assert_eq!(printed.iter().sum::<usize>(), told(&first) + told(&second));
    for words in
        [&["bulk", "show", id, "--csv"][..], &["bulk", "show", id, "--json"], &["journal", "list", "--json"]]
    {
        place.run(words).expect(0);
    }
    assert_eq!(place.leaks(), [""; 0]);
}

/// They are kept, sent and printed as they are said: so they are not taken, before anything is.
#[test]
fn a_secret_in_an_analysts_words_is_not_taken_and_not_repeated() {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    let (login, other) = (tenant.login(3), tenant.login(4));
    let done = place.run_json(&["run", "okta-suspend", "--user", &login, "--yes"]).expect(0).json_lines();
    let id = done[0]["id"].as_str().unwrap();
    let kept = || place.run_json(&["journal", "list"]).expect(0).json_lines().len();
    let (before, sends) = (kept(), tenant.lab.recorder().writes().len());
    let files = fs::read_dir(place.path("secrets")).unwrap();
    let texts: Vec<String> =
        files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap().trim().to_owned()).collect();
    let secrets: Vec<&String> = texts.iter().filter(|text| text.len() >= 8 && !text.contains('\n')).collect();
    assert!(!secrets.is_empty());
    let mut places = Vec::new();
    for secret in secrets {
        let (reason, input) = (format!("it says {secret}, look"), format!("group={secret}"));
        let on = ["--user", &login, "--yes", "--again"];
        let run = [&["run", "okta-unsuspend", "--reason", &reason][..], &on].concat();
        let group = [&["run", "okta-add-to-group", "--input", &input][..], &on].concat();
        let many = [&run[..], &["--user", &other]].concat();
        let say = vec!["journal", "say", id, "changed", "--reason", &reason, "--yes"];
        for words in [run, group, many, say] {
            let refused = place.run(&words).expect(2);
            let told = format!("{}{}", refused.out, refused.errors);
            assert!(told.contains("holds the value of a configured secret (`["), "{words:?}: {told}");
            assert!(!told.contains(secret.as_str()), "{told}");
            places.push(told);
        }
    }
    assert!(places.iter().any(|told| told.contains("the reason holds")));
    assert!(places.iter().any(|told| told.contains("input `group` holds")));
    assert_eq!((kept(), tenant.lab.recorder().writes().len()), (before, sends), "nothing was sent or kept");
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
