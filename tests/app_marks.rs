//! Who is marked in the feed and of an event: one by one, all, and nobody again.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "app_support/mod.rs"]
#[expect(dead_code, reason = "shared with the tests of the state machine, which use all of it")]
mod app;

use app::Desk;
use idtriage::app::marks::{Gather, Gathered};
use idtriage::app::{Answer, Effect, Msg, marks};
use idtriage::command::keys::Key;
use idtriage::command::{Keymap, footer, press};
use idtriage::domain::many::Mark;
use idtriage::domain::{FindingId, Login};
use std::collections::BTreeMap;

fn pressed(desk: &mut Desk, key: &str) -> Vec<Effect> {
    let keymap = Keymap::new(&BTreeMap::new()).unwrap();
    let msg = press(&desk.state, &keymap, Key::parse(key).unwrap());
    desk.send(msg.unwrap_or_else(|| panic!("`{key}` does nothing")))
}

fn offers(desk: &Desk, key: &str) -> Option<String> {
    let keymap = Keymap::new(&BTreeMap::new()).unwrap();
    footer(&desk.state, &keymap).into_iter().find(|(offered, _)| offered == key).map(|(_, label)| label)
}

fn said(desk: &Desk) -> String {
    match desk.state.notice.shown(desk.state.now) {
        Some(Ok(words) | Err(words)) => words.clone(),
        None => String::new(),
    }
}

/// The feed of so many events, as it stands a while later.
fn settled(newest: i64) -> Desk {
    let mut desk = Desk::settled(newest);
    desk.stand();
    desk
}

fn login(n: i64) -> Login {
    Login::new(&format!("user{n}@example.com"))
}

fn mark(n: i64) -> Mark {
    Mark { login: login(n), finding: Some(FindingId(n)) }
}

fn marked(desk: &Desk) -> Vec<Mark> {
    marks::here(&desk.state).unwrap().list().to_vec()
}

fn logins(desk: &Desk) -> Vec<Login> {
    marked(desk).into_iter().map(|mark| mark.login).collect()
}

/// Answers what was asked for: these users.
fn answered(desk: &mut Desk, effects: &[Effect], users: &[i64]) {
    let request = effects.iter().find_map(|effect| match effect {
        Effect::GatherUsers { request, .. } => Some(*request),
        _ => None,
    });
    let marks = users.iter().map(|n| mark(*n)).collect();
    let gathered = Gathered { marks, ..Gathered::default() };
    desk.send(Msg::Answered(request.unwrap(), Answer::Gathered(Ok(gathered))));
}

#[test]
fn a_row_of_one_user_is_marked_where_it_stands_and_taken_out_again() {
    let mut desk = settled(5);
    assert_eq!(offers(&desk, "space").as_deref(), Some("mark"));
    let effects = pressed(&mut desk, "space");
    let of_row = |effect: &Effect| matches!(effect, Effect::GatherUsers { what: Gather::Row(..), .. });
    assert!(effects.iter().any(of_row), "from which finding is asked for: {effects:?}");
    assert_eq!(logins(&desk), [login(5)], "at once");
    // Somebody else of the event is not marked by that.
    answered(&mut desk, &effects, &[5, 9]);
    assert_eq!(marked(&desk), [mark(5)]);
    assert_eq!(desk.state.feed.selected().unwrap().id.0, 4, "the cursor goes on");
    pressed(&mut desk, "space");
    assert_eq!(logins(&desk), [login(4), login(5)]);
    pressed(&mut desk, "k");
    pressed(&mut desk, "space");
    assert_eq!(logins(&desk), [login(5)]);
}

#[test]
fn a_row_of_several_is_marked_if_all_of_them_are_known() {
    let mut desk = Desk::new(3);
    desk.events[0].first_users = vec![login(3), login(4)];
    desk.events[0].user_count = 2;
    desk.events[1].user_count = 40;
    desk.answer_all();
    desk.stand();
    pressed(&mut desk, "space");
    assert_eq!(logins(&desk), [login(3), login(4)]);
    assert!(pressed(&mut desk, "space").is_empty());
    assert!(said(&desk).contains("40 users") && said(&desk).contains("one by one"), "{}", said(&desk));
    pressed(&mut desk, "k");
    pressed(&mut desk, "space");
    assert!(marked(&desk).is_empty());
}

#[test]
fn all_marks_the_rest_and_takes_away_only_when_all_are_marked() {
    let mut desk = settled(5);
    pressed(&mut desk, "space");
    assert_eq!(offers(&desk, "*").as_deref(), Some("all"));
    let effects = pressed(&mut desk, "*");
    assert!(pressed(&mut desk, "*").is_empty(), "it is asked for already");
    answered(&mut desk, &effects, &[1, 2, 5]);
    assert_eq!(logins(&desk), [login(1), login(2), login(5)]);
    assert_eq!(offers(&desk, "*").as_deref(), Some("none"));
    pressed(&mut desk, "k");
    pressed(&mut desk, "space");
    assert_eq!((logins(&desk).len(), offers(&desk, "*").as_deref()), (2, Some("all")), "one was taken out");
    let effects = pressed(&mut desk, "*");
    answered(&mut desk, &effects, &[1, 2, 5]);
    let effects = pressed(&mut desk, "*");
    assert_eq!(logins(&desk).len(), 3, "until it is known who is meant");
    answered(&mut desk, &effects, &[1, 2, 5]);
    assert_eq!((marked(&desk).len(), said(&desk).as_str()), (0, "no marks any more"));
    assert_eq!(offers(&desk, "*").as_deref(), Some("all"));
}

#[test]
fn no_more_are_marked_than_one_run_takes() {
    let mut desk = settled(5);
    desk.state.settings.bulk_limit = 2;
    pressed(&mut desk, "space");
    let effects = pressed(&mut desk, "*");
    answered(&mut desk, &effects, &[1, 2]);
    assert_eq!(marked(&desk).len(), 2);
    assert!(said(&desk).contains("there are more than these"), "{}", said(&desk));
    assert_eq!(offers(&desk, "*").as_deref(), Some("all"));
    assert_eq!(pressed(&mut desk, "space"), []);
    assert!(said(&desk).contains("2 are marked"), "{}", said(&desk));
}

/// What is suggested for a check stands first for many too, where no other check is listed.
#[test]
fn those_of_one_check_are_asked_for_with_it() {
    for (other, expected) in [(None, Some("no-mfa")), (Some("mfa-flood"), None)] {
        let mut desk = Desk::new(3);
        for event in &mut desk.events {
            event.check.id = "no-mfa".into();
        }
        if let Some(other) = other {
            desk.events[0].check.id = other.into();
        }
        desk.answer_all();
        desk.stand();
        pressed(&mut desk, "space");
        pressed(&mut desk, "space");
        let ask = marks::ask(&desk.state).unwrap();
        assert_eq!((ask.many.len(), ask.check.map(|(id, _)| id)), (2, expected.map(Into::into)));
    }
}
