//! The list of flows under the keys: what is typed finds, and runs nothing.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "app_support/mod.rs"]
#[expect(dead_code, reason = "each test file uses its part of this")]
mod app;

use app::{Desk, flows as two_flows};
use idtriage::app::effect::RunAsk;
use idtriage::app::flows::{self, FlowList};
use idtriage::app::{Effect, Msg, Overlay};
use idtriage::command::keys::Key;
use idtriage::command::{Context, Keymap, footer, press};
use idtriage::domain::plan::FitTarget;
use idtriage::domain::{Flow, FlowId, Login};
use std::collections::BTreeMap;

/// A list of so many flows, all of which fit: `Flow 1` and so on.
fn listed(count: usize) -> Desk {
    let mut desk = Desk::settled(3);
    let one = two_flows()[0].clone();
    let numbered =
        |n: usize| Flow { id: FlowId(format!("flow-{n}")), name: format!("Flow {n}"), ..one.clone() };
    desk.state.settings.flows = (1..=count).map(numbered).collect();
    flows::open(&mut desk.state, RunAsk { login: Login::new("ann"), ..RunAsk::default() });
    let Some(Overlay::Flows(list)) = &mut desk.state.overlay else { panic!("no list") };
    for offer in &mut list.offers {
        offer.target = Some(Ok(FitTarget::Login(Login::new("ann"))));
    }
    desk
}

fn pressed(desk: &mut Desk, keys: &[&str]) -> Vec<Effect> {
    let keymap = Keymap::new(&BTreeMap::new()).unwrap();
    let mut effects = Vec::new();
    for key in keys {
        if let Some(msg) = press(&desk.state, &keymap, Key::parse(key).unwrap()) {
            effects.extend(desk.send(msg));
        }
    }
    effects
}

fn list(desk: &Desk) -> &FlowList {
    match &desk.state.overlay {
        Some(Overlay::Flows(list)) => list,
        other => panic!("no list of flows: {other:?}"),
    }
}

fn planned(effects: &[Effect]) -> Option<String> {
    effects.iter().find_map(|effect| match effect {
        Effect::PreparePlan { ask, .. } => ask.flow.as_ref().map(ToString::to_string),
        _ => None,
    })
}

fn offered(desk: &Desk) -> Vec<String> {
    let keymap = Keymap::new(&BTreeMap::new()).unwrap();
    footer(&desk.state, &keymap).into_iter().map(|(key, label)| format!("{key} {label}")).collect()
}

#[test]
fn letters_find_among_many_and_no_key_runs_anything() {
    let mut desk = listed(12);
    assert_eq!(offered(&desk)[..3], ["1–9 choose", "enter open", "a–z find"]);
    // Each of these is a key of the list or of the screen below it.
    let keys = ["f", "l", "o", "w", "space", "1", "q", "r", "c", "x", "u", "?", "z", "/", ":", "L", "*"];
    assert_eq!(planned(&pressed(&mut desk, &keys)), None);
    assert_eq!(list(&desk).typed(), "flow 1qrcxu?z/:L*");
    assert_eq!(offered(&desk), ["enter open", "↑↓ move", "esc all flows"]);
    assert_eq!(planned(&pressed(&mut desk, &["enter"])), None, "nothing is found");
    pressed(&mut desk, &["esc"]);
    assert!(list(&desk).typed().is_empty());
    assert_eq!(
        planned(&pressed(&mut desk, &["f", "l", "o", "w", "space", "1", "down", "enter"])).as_deref(),
        Some("flow-10")
    );
}

#[test]
fn a_number_chooses_its_flow_as_long_as_nothing_is_typed() {
    let mut desk = listed(12);
    assert_eq!(planned(&pressed(&mut desk, &["x", "backspace", "3"])).as_deref(), Some("flow-3"));
    let mut desk = listed(9);
    assert_eq!(Context::of(&desk.state), Context::Flows);
    assert_eq!(planned(&pressed(&mut desk, &["9"])).as_deref(), Some("flow-9"));
}

#[test]
fn among_few_the_filter_is_asked_for_and_takes_numbers_too() {
    let mut desk = listed(9);
    assert_eq!(offered(&desk)[..3], ["1–9 choose", "enter open", "/ find"]);
    assert_eq!(planned(&pressed(&mut desk, &["/", "7"])), None);
    assert_eq!(list(&desk).ids(), [FlowId("flow-7".into())]);
    desk.send(Msg::Pasted("\nnone".into()));
    assert_eq!((list(&desk).typed(), list(&desk).ids().len()), ("7 none", 0));
    pressed(&mut desk, &["esc"]);
    assert_eq!((list(&desk).takes_text(), list(&desk).ids().len()), (false, 9));
    pressed(&mut desk, &["esc"]);
    assert!(desk.state.overlay.is_none());
}
