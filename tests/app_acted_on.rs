//! Once something leaves for somebody, what was read of them before is not shown as how they stand.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "app_support/mod.rs"]
#[expect(dead_code, reason = "shared with the tests of the state machine, which use all of it")]
mod app_support;

use app_support::{Desk, start};
use idtriage::app::card::Phase;
use idtriage::app::effect::RunAsk;
use idtriage::app::msg::{Answer, Looked, NotRun};
use idtriage::app::state::{Awaited, Overlay};
use idtriage::app::{Effect, Msg, RequestId, after};
use idtriage::domain::action::ShownRequest;
use idtriage::domain::bulk::{BulkId, BulkUser};
use idtriage::domain::dossier::{LoadedPart, OktaUser, Part};
use idtriage::domain::plan::{Confirm, Plan, Target};
use idtriage::domain::{Action, ActionId, Actor, Evidence, Login, Outcome, PartName, Risk};
use rstest::rstest;

const ANN: &str = "ann@example.com";

fn reads(effects: &[Effect], login: &str) -> Vec<PartName> {
    let part = |effect: &Effect| match effect {
        Effect::LoadPart { login: who, part, .. } if *who == Login::new(login) => Some(*part),
        _ => None,
    };
    effects.iter().filter_map(part).collect()
}

/// User 360 of somebody is opened; where Okta is asked, it knows them by this id.
fn opened(desk: &mut Desk, login: &str, id: &str) -> Vec<PartName> {
    let effects = desk.send(Msg::UserNamed(Login::new(login)));
    for effect in &effects {
        let Effect::LoadPart { request, login, part: PartName::Okta } = effect else { continue };
        let user = OktaUser { id: id.into(), ..OktaUser::default() };
        let part = LoadedPart::Okta(Box::new(Part::whole(desk.state.now, user)));
        desk.send(Msg::Answered(*request, Answer::Part(login.clone(), part)));
    }
    reads(&effects, login)
}

/// Reads of somebody that nobody has answered.
fn under_way(desk: &Desk, login: &str) -> usize {
    let login = Login::new(login);
    desk.state.flights.count(|awaited| matches!(awaited, Awaited::Part(who, _) if *who == login))
}

fn plan(ask: &RunAsk, account: Option<&str>) -> Plan {
    let flow = app_support::flows()[0].clone();
    Plan {
        action: ActionId(uuid::Uuid::from_u128(1)),
        step: None,
        is_test: false,
        undoes: None,
        caveats: Vec::new(),
        risk: Risk::Low,
        access: None,
        blast: None,
        confirm: Confirm::Key,
        verb: flow.verb.clone(),
        flow,
        login: ask.login.clone(),
        target_id: account.map(str::to_owned),
        account_login: None,
        finding: None,
        request: ShownRequest {
            method: "POST".into(),
            url: "https://a/invoke".into(),
            headers: Vec::new(),
            body: "{}".into(),
        },
        target: Target::Read { at: start(), from: "Okta", facts: Vec::new() },
        cannot_know: Vec::new(),
        needs_again: None,
        account_doubt: None,
        asked: Default::default(),
        made_of: Default::default(),
        unread: None,
        follows: None,
        refusal: None,
        undo: "unsuspend".into(),
        particulars: Default::default(),
        differences: Vec::new(),
        steps: Vec::new(),
        reason_required: false,
    }
}

/// A flow is run on somebody: what leaves with it, and the run that is waited for.
fn run(desk: &mut Desk, login: &str, account: Option<&str>) -> (Vec<Effect>, RequestId) {
    let flow = Some(app_support::flows()[0].id.clone());
    let ask = RunAsk { flow, login: Login::new(login), ..RunAsk::default() };
    let prepare = idtriage::app::card::open(&mut desk.state, ask.clone());
    let [.., Effect::PreparePlan { request, .. }] = prepare.as_slice() else { panic!("{prepare:?}") };
    desk.send(Msg::Answered(*request, Answer::Prepared(Ok(Box::new(plan(&ask, account))))));
    desk.stand();
    let effects = desk.send(Msg::Confirmed);
    let [.., Effect::RunPlan { request, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    let request = *request;
    (effects, request)
}

#[rstest]
#[case::by_login(ANN, None)]
#[case::by_the_account_that_two_logins_lead_to("ann@old.example.com", Some("00u1"))]
fn who_was_acted_on_is_read_anew_however_it_ended(#[case] login: &str, #[case] account: Option<&str>) {
    let mut desk = Desk::settled(3);
    let all = opened(&mut desk, ANN, "00u1");
    desk.send(Msg::WentBack);
    opened(&mut desk, "bob@example.com", "00u2");
    desk.send(Msg::WentBack);
    assert!(all.contains(&PartName::Okta));
    assert!(!opened(&mut desk, ANN, "00u1").contains(&PartName::Okta), "what is known is not read twice");
    desk.send(Msg::WentBack);

    let (_, request) = run(&mut desk, login, account);
    assert!(desk.state.dossiers.get(&Login::new(ANN)).is_none(), "it may be true no more once it has left");
    assert_eq!(under_way(&desk, ANN), 0, "nor is what was asked before");
    desk.send(Msg::WentBack);
    assert_eq!(opened(&mut desk, ANN, "00u1"), all);

    // They are on the screen when it ends: what was read while it ran may be from before it took effect.
    let effects = desk.send(Msg::Answered(request, Answer::Ran(Err(NotRun::Unsure("no answer".into())))));
    assert_eq!(reads(&effects, ANN), all);
    let cancelled = effects.iter().filter(|effect| matches!(effect, Effect::Cancel(_))).count();
    assert_eq!(cancelled, all.len() - 1, "Okta had answered, the others had not: {effects:?}");
    assert_eq!(under_way(&desk, ANN), all.len());
    desk.send(Msg::WentBack);
    assert!(
        !opened(&mut desk, "bob@example.com", "00u2").contains(&PartName::Okta),
        "nothing was done to him"
    );
}

/// The store may know by now what nobody heard here: the card says that, and sends nothing.
#[test]
fn a_card_whose_end_is_not_known_looks_again() {
    let mut desk = Desk::settled(3);
    let (_, request) = run(&mut desk, ANN, Some("00u1"));
    desk.send(Msg::Answered(request, Answer::Ran(Err(NotRun::Unsure("no answer".into())))));
    assert!(!after::takes_look(&desk.state), "not before it has been read");
    desk.stand();
    assert!(after::takes_look(&desk.state));
    let effects = desk.send(Msg::RefreshAsked);
    let [Effect::LookAgain { request, action }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(*action, ActionId(uuid::Uuid::from_u128(1)));
    let looked = Looked { action: changed(*action), unseen: None, beside: Vec::new(), unread: None };
    desk.send(Msg::Answered(*request, Answer::Looked(Ok(Box::new(looked)))));
    let Some(Overlay::Card(card)) = &desk.state.overlay else { panic!("the card is gone") };
    let Phase::Done(end) = &card.phase else { panic!("{:?}", card.phase) };
    assert_eq!(end.outcome(), Outcome::Changed);
}

fn changed(id: ActionId) -> Action {
    let flow = app_support::flows()[0].clone();
    Action {
        id,
        step: None,
        is_test: false,
        undoes: None,
        undone: None,
        before: None,
        flow: flow.id,
        verb: flow.verb,
        risk: Risk::Low,
        login: Login::new(ANN),
        target_id: Some("00u1".into()),
        account_login: None,
        finding: None,
        evidence: Evidence::Verified,
        outcome: Outcome::Changed,
        request: plan(&RunAsk::default(), None).request,
        receipt: None,
        reason: None,
        actor: Actor::default(),
        at: start(),
    }
}

#[test]
fn who_is_opened_behind_the_card_that_ended_is_read_anew() {
    let mut desk = Desk::settled(3);
    let all = opened(&mut desk, ANN, "00u1");
    desk.send(Msg::WentBack);
    let (_, request) = run(&mut desk, ANN, None);
    // Read ahead, or from elsewhere, while it is under way.
    let card = desk.state.overlay.take();
    opened(&mut desk, ANN, "00u1");
    desk.send(Msg::WentBack);
    desk.state.overlay = card;
    desk.send(Msg::Answered(request, Answer::Broke("it broke off".into())));
    assert!(matches!(desk.state.overlay, Some(Overlay::Card(_))));
    desk.send(Msg::WentBack);
    assert_eq!(opened(&mut desk, ANN, "00u1"), all);
}

#[test]
fn each_user_of_a_run_on_many_is_read_anew() {
    let mut desk = Desk::settled(3);
    let all = opened(&mut desk, ANN, "00u1");
    desk.send(Msg::WentBack);
    let user = BulkUser {
        position: 0,
        login: Login::new("ANN@old.example.com"),
        target_id: Some("00u1".into()),
        account_login: None,
        finding: None,
        made_of: Default::default(),
        doubts: Vec::new(),
        undoes: None,
        end: None,
    };
    desk.send(Msg::BulkWent(BulkId(uuid::Uuid::from_u128(7)), vec![user]));
    assert_eq!(opened(&mut desk, ANN, "00u1"), all);
}
