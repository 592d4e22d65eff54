//! Cards of Okta's own operations: what runs several, what changes a profile, what hands out a link.

use crate::fixtures::*;
use crate::paint::written;
use idtriage::app::card::{Card, Phase};
use idtriage::app::{Effect, Overlay, State};
use idtriage::command::keys::Key;
use idtriage::command::{Keymap, footer, press};
use idtriage::domain::action::{Receipt, ShownRequest};
use idtriage::domain::blast::{Blast, Roles};
use idtriage::domain::operation::{CONTAIN, Operation};
use idtriage::domain::plan::{Confirm, Difference, Plan, Refusal};
use idtriage::domain::run_end::{Ended, RunEnd, StepEnd};
use idtriage::domain::{Action, ActionId, Actor, Evidence, Flow, OneTimeLink, Outcome, Untrusted};
use idtriage::view::Theme;
use rstest::rstest;
use std::collections::BTreeMap;

fn look(name: &str, state: &State) {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name.to_owned(), written(state, &Theme::default()));
    });
}

/// A card that is changed and then stood on the screen.
fn with(columns: u16, rows: u16, change: impl FnOnce(&mut Card)) -> State {
    let mut state = with_card(columns, rows);
    let Some(Overlay::Card(card)) = &mut state.overlay else { panic!("no card") };
    change(card);
    stand(&mut state);
    state
}

fn of(plan: &Plan, flow: Flow, url: &str) -> Plan {
    let request = ShownRequest {
        method: "POST".into(),
        url: format!("https://acme.okta.com/api/v1/users/00u1abc/{url}"),
        headers: vec![("authorization".into(), "[secret]".into())],
        body: String::new(),
    };
    let (verb, caveats) = (flow.verb.clone(), flow.caveats.clone());
    Plan { flow, verb, caveats, request, reason_required: false, ..plan.clone() }
}

fn contain(plan: &Plan) -> Plan {
    let whole = of(plan, CONTAIN.flow(), "lifecycle/suspend");
    let so = Refusal::no_change("already so: the account is SUSPENDED, there is nothing to change");
    let suspend = Plan { refusal: Some(so), ..of(plan, Operation::Suspend.flow(), "lifecycle/suspend") };
    let clear = of(plan, Operation::ClearSessions.flow(), "sessions?oauthTokens=true");
    Plan { steps: vec![suspend, clear], ..whole }
}

#[rstest]
#[case(60, 16)]
#[case(80, 24)]
fn contain_where_one_step_has_nothing_to_do(#[case] columns: u16, #[case] rows: u16) {
    let state = with(columns, rows, |card| {
        card.plan = card.plan.as_deref().map(|plan| Box::new(contain(plan)));
    });
    look(&format!("contain_{columns}x{rows}"), &state);
}

/// Whose account it is stands on the first screen, also where nobody can say.
#[rstest]
#[case("raised", &["Super Administrator", "Help Desk Administrator", "Application Administrator"], None)]
#[case("unknown", &[], Some("E0000006: Okta answered 403: You do not have permission to perform the requested action"))]
fn a_card_says_whether_it_is_an_administrators(
    #[case] name: &str,
    #[case] held: &[&str],
    #[case] untold: Option<&str>,
    #[values((60, 16), (80, 24))] (columns, rows): (u16, u16),
) {
    let state = with(columns, rows, |card| {
        let Some(plan) = &mut card.plan else { return };
        let held = held.iter().map(|role| Untrusted::from(*role)).collect();
        let roles = Roles { held, untold: untold.map(str::to_owned) };
        plan.blast = plan.blast.take().map(|blast| Blast { roles, ..blast });
        if plan.blast.as_ref().is_some_and(Blast::is_of_administrator) {
            plan.risk = plan.flow.risk.raised();
            plan.confirm = Confirm::of(plan.risk, &plan.login, "suspend");
        }
    });
    look(&format!("card_{name}_{columns}x{rows}"), &state);
}

fn action(outcome: Outcome, evidence: Evidence, plan: &Plan) -> Action {
    let receipt = Receipt { status: Some(200), verified: None, ..Receipt::default() };
    Action {
        id: ActionId(uuid::Uuid::from_u128(1)),
        step: None,
        is_test: false,
        undoes: None,
        undone: None,
        before: None,
        flow: plan.flow.id.clone(),
        verb: plan.verb.clone(),
        risk: plan.flow.risk,
        login: plan.login.clone(),
        target_id: None,
        account_login: None,
        finding: None,
        evidence,
        outcome,
        request: plan.request.clone(),
        receipt: Some(receipt),
        reason: None,
        actor: Actor::default(),
        at: ago(0),
    }
}

#[rstest]
#[case(80, 24)]
fn a_run_of_two_that_ended(#[case] columns: u16, #[case] rows: u16) {
    let state = with(columns, rows, |card| {
        let plan = contain(card.plan.as_deref().unwrap());
        let ended = |at: usize| Ended::Ran {
            action: Box::new(action(Outcome::Accepted, Evidence::Acknowledged, &plan.steps[at])),
            link: None,
        };
        let not_sent = Ended::NotSent(plan.steps[0].refusal.clone().unwrap());
        let step = |at: usize, ended| StepEnd {
            flow: plan.steps[at].flow.id.clone(),
            verb: plan.steps[at].verb.clone(),
            ended,
        };
        let steps = vec![step(0, not_sent), step(1, ended(1))];
        card.phase = Phase::Done(Box::new(RunEnd { steps }));
        card.plan = Some(Box::new(plan));
    });
    look(&format!("contained_{columns}x{rows}"), &state);
}

#[rstest]
#[case(60, 16)]
fn a_link_comes_first_and_can_be_copied(#[case] columns: u16, #[case] rows: u16) {
    let state = with(columns, rows, |card| {
        let plan = of(card.plan.as_deref().unwrap(), Operation::Activate.flow(), "lifecycle/activate");
        let link = OneTimeLink::new("https://acme.okta.com/welcome/XE6wE17zmphl3KqAPFxO".into());
        let ended = Ended::Ran {
            action: Box::new(action(Outcome::Changed, Evidence::Verified, &plan)),
            link: Some(link),
        };
        let end = RunEnd::of(StepEnd { flow: plan.flow.id.clone(), verb: plan.verb.clone(), ended });
        card.phase = Phase::Done(Box::new(end));
        card.plan = Some(Box::new(plan));
    });
    look(&format!("link_{columns}x{rows}"), &state);
}

#[rstest]
#[case(80, 24)]
fn a_profile_is_shown_as_a_difference(#[case] columns: u16, #[case] rows: u16) {
    let text = |text: &str| Some(Untrusted::from(text));
    let state = with(columns, rows, |card| {
        let plan = of(card.plan.as_deref().unwrap(), Operation::Update.flow(), "");
        let differences = vec![
            Difference { name: "department".into(), was: text("Sales"), becomes: None },
            Difference { name: "title".into(), was: None, becomes: text("Head\u{1b}[31m of Sales") },
        ];
        card.plan = Some(Box::new(Plan { differences, ..plan }));
    });
    look(&format!("profile_{columns}x{rows}"), &state);
}

/// What is refused is no question: why stands on top, and only what can be done is offered.
#[rstest]
#[case(60, 16)]
#[case(80, 24)]
fn a_refused_card_says_so_first(#[case] columns: u16, #[case] rows: u16) {
    let mut state = with(columns, rows, |card| {
        let Some(plan) = &mut card.plan else { return };
        let why = "protected: `guard.protected` holds `ann@example.com`".to_owned();
        plan.refusal = Some(why.into());
    });
    look(&format!("card_refused_{columns}x{rows}"), &state);
    let keymap = Keymap::new(&BTreeMap::new()).unwrap();
    let offered: Vec<String> =
        footer(&state, &keymap).into_iter().map(|(key, label)| format!("{key} {label}")).collect();
    assert_eq!(offered, ["R look again", "ctrl-r dry run", "↑↓ scroll", "f1 help", "esc back"]);
    // What is in the way may be gone: everything is read anew.
    let msg = press(&state, &keymap, Key::parse("R").unwrap()).unwrap();
    let effects = idtriage::app::update(&mut state, msg);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::PreparePlan { .. })), "{effects:?}");
    let Some(Overlay::Card(card)) = &state.overlay else { panic!("the card is gone") };
    assert_eq!(card.phase, Phase::Preparing);
}
