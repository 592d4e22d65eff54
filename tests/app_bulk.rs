//! Going on with a run on many asks for what the run itself was confirmed with.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "app_support/mod.rs"]
#[expect(dead_code, reason = "shared with the tests of the state machine, which use all of it")]
mod app;

use app::{Desk, start};
use idtriage::app::{Answer, Effect, Msg, Overlay, Screen, bulk};
use idtriage::command::keys::Key;
use idtriage::command::{Context, Keymap, footer, press};
use idtriage::domain::action::ShownRequest;
use idtriage::domain::bulk::{BulkCounts, BulkEnd, BulkId, BulkRun, BulkState, BulkUser};
use idtriage::domain::page::Page;
use idtriage::domain::undo::{self, many::UndoMany};
use idtriage::domain::{Action, ActionId, Actor, Evidence, Login, Outcome, Risk};
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

/// A run that has ended, of this flow.
fn has_ended(desk: &mut Desk, flow: &str) {
    let Some(Screen::Bulks(screen)) = desk.state.stack.last_mut() else { panic!("no list of runs") };
    screen.runs[0].flow = flow.into();
}

#[rstest]
#[case::nothing("revoke-sessions", BulkState::Done, false, "is not configured any more")]
#[case::driven("suspend-okta-account", BulkState::Running, false, "it is being driven")]
#[case::read_only("suspend-okta-account", BulkState::Done, true, "--read-only")]
fn why_a_run_is_not_undone_is_said_at_once(
    #[case] flow: &str,
    #[case] state: BulkState,
    #[case] is_read_only: bool,
    #[case] why: &str,
) {
    let mut desk = listed(Risk::Medium, state);
    undoable(&mut desk);
    desk.state.settings.is_read_only = is_read_only;
    has_ended(&mut desk, flow);
    if state == BulkState::Running {
        bulk::drives(&mut desk.state, BulkId(uuid::Uuid::from_u128(1)));
    }
    assert!(pressed(&mut desk, "z").is_empty());
    assert!(said(&desk).starts_with("nothing is undone: ") && said(&desk).contains(why), "{}", said(&desk));
    assert!(!offers(&desk, "z"), "the footer offers what is refused");
}

/// The first flow undoes itself, so that there is an inverse.
fn undoable(desk: &mut Desk) {
    let mut flows = desk.state.settings.flows.to_vec();
    flows[0].inverse = Some(flows[0].id.clone());
    assert_eq!(flows[0].id, "suspend-okta-account".into());
    desk.state.settings.flows = flows.into();
}

fn offers(desk: &Desk, key: &str) -> bool {
    let keymap = Keymap::new(&BTreeMap::new()).unwrap();
    footer(&desk.state, &keymap).iter().any(|(offered, _)| offered == key)
}

#[rstest]
#[case::looked_at(false, true)]
#[case::gone_on(true, false)]
fn who_is_undone_is_read_before_a_card_opens(#[case] has_gone_on: bool, #[case] opens: bool) {
    let mut desk = listed(Risk::Medium, BulkState::Stopped);
    undoable(&mut desk);
    has_ended(&mut desk, "suspend-okta-account");
    assert!(offers(&desk, "z"));
    let effects = pressed(&mut desk, "z");
    let [Effect::GatherUndo { request, id }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(*id, BulkId(uuid::Uuid::from_u128(1)));
    if has_gone_on {
        desk.send(Msg::WentBack);
    }
    let effects = desk.send(Msg::Answered(*request, Answer::UndoGathered(Ok(Box::new(undone(&desk))))));
    assert!(!said(&desk).contains("reading whom run"), "it has been read");
    let planned = effects.iter().find_map(|effect| match effect {
        Effect::PlanMany { ask, .. } => Some(ask.clone()),
        _ => None,
    });
    assert_eq!((planned.is_some(), desk.state.overlay.is_some()), (opens, opens));
    if let Some(ask) = planned {
        let undo = ask.undoes_run.as_ref().unwrap();
        assert_eq!((ask.many.len(), undo.left_out.len(), undo.unchanged), (1, 1, 1));
        assert!(undo.undoes(&ask.many[0].login).is_some());
        let Some(Overlay::Many(card)) = &desk.state.overlay else { panic!("no card for many") };
        assert_eq!(card.meant(), 2, "who cannot be undone stands on the card too");
    }
}

/// What undoes the run: one was changed, of one nobody knows, one was refused.
fn undone(desk: &Desk) -> UndoMany {
    let outcomes = [Outcome::Changed, Outcome::Unknown, Outcome::Refused];
    let users: Vec<_> = (0..).zip(outcomes).map(|(n, outcome)| ended(n, outcome)).collect();
    let Some(Screen::Bulks(screen)) = desk.state.stack.last() else { return of_nobody(desk, &users) };
    undo::many::of(&screen.runs[0], &users, &desk.state.settings.flows, start()).unwrap()
}

/// The same behind a list that was left.
fn of_nobody(desk: &Desk, users: &[(BulkUser, Vec<Action>)]) -> UndoMany {
    let mut before = listed(Risk::Medium, BulkState::Stopped);
    has_ended(&mut before, "suspend-okta-account");
    let Some(Screen::Bulks(screen)) = before.state.stack.last() else { panic!("no list of runs") };
    undo::many::of(&screen.runs[0], users, &desk.state.settings.flows, start()).unwrap()
}

fn ended(n: u32, outcome: Outcome) -> (BulkUser, Vec<Action>) {
    let login = Login::new(&format!("user{n}@example.com"));
    let id = ActionId(uuid::Uuid::from_u128(u128::from(n) + 70));
    let action = Action {
        id,
        step: None,
        is_test: false,
        undoes: None,
        undone: None,
        before: None,
        flow: "suspend-okta-account".into(),
        verb: "suspend the account".into(),
        risk: Risk::Medium,
        login: login.clone(),
        target_id: Some(format!("00u{n}")),
        account_login: None,
        finding: None,
        evidence: Evidence::Acknowledged,
        outcome,
        request: ShownRequest {
            method: "POST".into(),
            url: "https://acme.workflows.okta.com/1".into(),
            headers: Vec::new(),
            body: "{}".into(),
        },
        receipt: None,
        reason: None,
        actor: Actor::default(),
        at: start(),
    };
    let end = BulkEnd { action: Some(id), ..BulkEnd::not_sent(outcome, "", start()) };
    let user = BulkUser {
        position: n,
        login,
        target_id: Some(format!("00u{n}")),
        account_login: None,
        finding: None,
        made_of: Default::default(),
        doubts: Vec::new(),
        undoes: None,
        end: Some(end),
    };
    (user, if outcome == Outcome::Refused { Vec::new() } else { vec![action] })
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
