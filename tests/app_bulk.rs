//! Going on with a run on many asks for what the run itself was confirmed with.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "app_support/mod.rs"]
#[expect(dead_code, reason = "shared with the tests of the state machine, which use all of it")]
mod app;

use app::{Desk, start};
use idtriage::app::{Answer, Effect, Msg, Overlay, bulk};
use idtriage::command::keys::Key;
use idtriage::command::{Context, Keymap, footer, press};
use idtriage::domain::bulk::{BulkCounts, BulkId, BulkRun, BulkState};
use idtriage::domain::page::Page;
use idtriage::domain::{Actor, Outcome, Risk};
use rstest::rstest;
use std::collections::BTreeMap;

/// The list of runs, with one that waits, and the question whether to go on with it.
fn asked(risk: Risk) -> Desk {
    let mut desk = listed(risk, BulkState::Paused);
    desk.send(Msg::BulkResumeAsked);
    desk
}

/// The list of runs, with one in it.
fn listed(risk: Risk, state: BulkState) -> Desk {
    let mut desk = Desk::settled(3);
    let effects = desk.send(Msg::BulksAsked);
    let request = effects.iter().find_map(|effect| match effect {
        Effect::LoadBulks { request, .. } => Some(*request),
        _ => None,
    });
    let mut counts = BulkCounts { queued: 12, ..BulkCounts::default() };
    if state == BulkState::Running {
        counts.add(Some(Outcome::Pending), 3);
    }
    let run = BulkRun {
        id: BulkId(uuid::Uuid::from_u128(1)),
        flow: "suspend".into(),
        verb: "suspend the account".into(),
        risk,
        inputs: Default::default(),
        reason: None,
        is_insisted: false,
        actor: Actor::default(),
        at: start(),
        state,
        why: None,
        held_until: None,
        seal: None,
        counts,
    };
    let page = Page { rows: vec![run], next: None };
    desk.send(Msg::Answered(request.unwrap(), Answer::Bulks(Ok(page))));
    desk
}

fn pressed(desk: &mut Desk, key: &str) -> Vec<Effect> {
    let keymap = Keymap::new(&BTreeMap::new()).unwrap();
    let msg = press(&desk.state, &keymap, Key::parse(key).unwrap());
    msg.map(|msg| desk.send(msg)).unwrap_or_default()
}

fn said(desk: &Desk) -> String {
    match desk.state.notice.shown(desk.state.now) {
        Some(Ok(words) | Err(words)) => words.clone(),
        None => String::new(),
    }
}

/// A filter of the feed would lead away from the run that is looked at.
#[test]
fn a_filter_is_not_taken_where_runs_are_looked_at() {
    let mut desk = listed(Risk::Medium, BulkState::Paused);
    let keymap = Keymap::new(&BTreeMap::new()).unwrap();
    for words in ["nothing is filtered here (runs on many)", "nothing is filtered here (run on many)"] {
        pressed(&mut desk, "/");
        assert!(desk.state.overlay.is_none());
        assert!(said(&desk).contains(words), "{}", said(&desk));
        assert!(!footer(&desk.state, &keymap).iter().any(|(key, _)| key == "/"));
        pressed(&mut desk, "enter");
    }
}

#[test]
fn a_run_that_is_paused_says_so_before_its_driver_does() {
    let mut desk = listed(Risk::Medium, BulkState::Running);
    let id = BulkId(uuid::Uuid::from_u128(1));
    bulk::drives(&mut desk.state, id);
    let turned = |effects: &[Effect]| effects.iter().any(|effect| matches!(effect, Effect::TurnBulk { .. }));
    assert!(bulk::takes_pause(&desk.state));
    assert!(turned(&pressed(&mut desk, "p")));
    assert_eq!(said(&desk), "pausing: 3 on their way are waited for");
    assert_eq!(bulk::told(&desk.state, id), Some(BulkState::Paused));
    // It is told once, and offered no more.
    assert!(!bulk::takes_pause(&desk.state));
    assert!(!turned(&pressed(&mut desk, "p")));
    desk.send(Msg::BulkEnded(id, Err("the store is gone".to_owned())));
    assert_eq!(bulk::told(&desk.state, id), None);
}

/// Whether a run goes on by these keys.
fn goes_on(desk: &mut Desk, keys: &[&str]) -> bool {
    let keymap = Keymap::new(&BTreeMap::new()).unwrap();
    let mut effects = Vec::new();
    for key in keys {
        if let Some(msg) = press(&desk.state, &keymap, Key::parse(key).unwrap()) {
            effects.extend(desk.send(msg));
        }
    }
    effects.iter().any(|effect| matches!(effect, Effect::ResumeBulk { .. }))
}

#[rstest]
#[case(Risk::Low, &["y"], true)]
#[case(Risk::Medium, &["y", "enter"], false)]
#[case(Risk::Medium, &["s", "u", "s", "p", "e", "n", "d", "enter"], true)]
#[case(Risk::High, &["y"], false)]
#[case(Risk::High, &["s", "u", "s", "p", "e", "n", "d", "enter"], false)]
#[case(Risk::High, &["1", "1", "enter"], false)]
#[case(Risk::High, &["1", "2", "enter"], true)]
fn a_run_goes_on_by_what_its_risk_asks_for(#[case] risk: Risk, #[case] keys: &[&str], #[case] goes: bool) {
    let mut desk = asked(risk);
    assert!(!goes_on(&mut desk, keys), "what was typed ahead is no answer");
    assert_eq!(Context::of(&desk.state), Context::Ask, "nor does it leave the question");
    desk.stand();
    assert_eq!(goes_on(&mut desk, keys), goes);
    assert_eq!(desk.state.overlay.is_none(), goes);
}

#[test]
fn the_question_says_who_confirmed_it_when_and_with_which_risk() {
    let desk = asked(Risk::High);
    let Some(Overlay::Ask(question)) = &desk.state.overlay else { panic!("nothing is asked") };
    assert!(question.words.contains("confirmed by "), "{}", question.words);
    assert!(question.words.contains("at 2023-11-14T22:13:20Z with high risk"), "{}", question.words);
}
