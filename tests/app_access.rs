//! What may be done of a flow, as far as it is known before it is offered.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "app_support/mod.rs"]
#[expect(dead_code, reason = "shared with the tests of the state machine, which use all of it")]
mod app;

use app::Desk;
use idtriage::app::effect::RunAsk;
use idtriage::app::{Answer, Effect, Msg, Overlay, flows};
use idtriage::domain::access::{Access, CHANGE_GROUP, CHANGE_USER, Preview};
use idtriage::domain::call_probe::{CallProbe, Works};
use idtriage::domain::operation::{self, Operation};
use idtriage::domain::plan::FitTarget;
use idtriage::domain::{Flow, Login, preset};

fn listed() -> (Desk, Vec<Effect>) {
    let mut desk = Desk::settled(3);
    desk.state.settings.probes_calls = true;
    let all: Vec<Flow> = operation::flows().into_iter().chain(preset::flow(preset::DELEGATED)).collect();
    desk.state.settings.flows = all.into();
    let effects = open(&mut desk);
    (desk, effects)
}

fn open(desk: &mut Desk) -> Vec<Effect> {
    let effects = flows::open(&mut desk.state, RunAsk { login: Login::new("ann"), ..RunAsk::default() });
    let Some(Overlay::Flows(list)) = &mut desk.state.overlay else { panic!("no list") };
    for offer in &mut list.offers {
        offer.target = Some(Ok(FitTarget::Login(Login::new("ann"))));
    }
    effects
}

fn choose(desk: &mut Desk, operation: Operation) -> Vec<Effect> {
    let Some(Overlay::Flows(list)) = &desk.state.overlay else { panic!("no list") };
    let at = list.offers.iter().position(|offer| offer.flow.id == operation.flow_id()).unwrap();
    desk.send(Msg::FlowChosen(at))
}

fn probe(call: &'static str, works: Works) -> CallProbe {
    CallProbe { call, needs: "okta.users.manage", has: "nothing".into(), works, hint: None, is_needed: false }
}

/// What our credential gets no token for is said instead of a card; what nobody can say stops nothing.
#[test]
fn an_operation_whose_token_is_not_issued_opens_no_card() {
    let (mut desk, _) = listed();
    let no = Works::No("invalid_scope".into());
    let maybe = Works::CannotTell("whether a role covers it shows at the call only".into());
    desk.state.calls = Some(vec![probe(CHANGE_USER, no), probe(CHANGE_GROUP, maybe)]);
    assert_eq!(choose(&mut desk, Operation::Suspend), []);
    assert!(matches!(desk.state.overlay, Some(Overlay::Flows(_))), "the list stays");
    let said = format!("{:?}", desk.state.notice.shown(desk.state.now));
    assert!(said.contains("our credential gets no `okta.users.manage`: invalid_scope"), "{said}");
    choose(&mut desk, Operation::AddToGroup);
    assert!(matches!(desk.state.overlay, Some(Overlay::Form(_))));
}

#[test]
fn what_was_not_tried_yet_is_not_said_and_stops_nothing() {
    let (mut desk, _) = listed();
    assert_eq!(flows::access(&desk.state, &Operation::Suspend.flow()), None);
    choose(&mut desk, Operation::Suspend);
    assert!(matches!(desk.state.overlay, Some(Overlay::Card(_))));
}

/// It is a preview of what somebody may do in Okta's own console, so that it never stops a page from being opened.
#[test]
fn roles_are_read_once_in_five_minutes_for_the_flow_that_is_run_by_hand() {
    let (mut desk, effects) = listed();
    let delegated = preset::flow(preset::DELEGATED).unwrap();
    let request = |effects: &[Effect]| {
        effects.iter().find_map(|effect| match effect {
            Effect::PreviewAccess { request } => Some(*request),
            _ => None,
        })
    };
    assert_eq!(flows::access(&desk.state, &delegated), None);
    assert_eq!(request(&open(&mut desk)), None, "it is asked already");
    let preview = Preview::unknown("Okta answered 403");
    let asked = request(&effects).unwrap();
    desk.send(Msg::Answered(asked, Answer::Access(Box::new(preview))));
    let known = Access::CannotTell("Okta answered 403".into());
    assert_eq!(flows::access(&desk.state, &delegated), Some(known));
    assert_eq!(flows::no_access(&desk.state, &delegated), None);
    assert_eq!(request(&open(&mut desk)), None);
    desk.advance(5 * 60_000);
    assert!(request(&open(&mut desk)).is_some());
}

#[test]
fn without_an_org_nothing_is_asked() {
    let (mut desk, _) = listed();
    desk.state.settings.probes_calls = false;
    desk.state.access = None;
    let effects = open(&mut desk);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::PreviewAccess { .. })));
}
