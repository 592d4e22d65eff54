//! The form of a flow's inputs, and the dry run of a card.

use crate::fixtures::*;
use crate::paint::written;
use idtriage::app::flows;
use idtriage::app::msg::{Motion, Msg};
use idtriage::app::{Overlay, State, effect::RunAsk};
use idtriage::domain::access::{CHANGE_GROUP, CHANGE_USER, Preview};
use idtriage::domain::call_probe::{CallProbe, Works};
use idtriage::domain::flow::{Input, InputType, PayloadShape};
use idtriage::domain::operation::{self, Operation};
use idtriage::domain::plan::FitTarget;
use idtriage::domain::{Flow, Login, Route, dry_run, preset};
use idtriage::view::Theme;
use rstest::rstest;
use tui_input::InputRequest;

fn look(name: &str, state: &State, theme: &Theme) {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name.to_owned(), written(state, theme));
    });
}

/// A flow that has something of each kind to be told.
fn leave() -> Flow {
    let with = |name: &str, kind, default: Option<&str>, description: &str| Input {
        default: default.map(str::to_owned),
        description: Some(description.to_owned()),
        ..Input::new(name, kind)
    };
    let channel = Input { value: Some("#soc-night".to_owned()), ..Input::new("channel", InputType::Text) };
    let said = "who has to agree, by their mail address: they are sent a link, and nothing happens before they use it";
    let inputs = vec![
        channel,
        with("manager", InputType::Text, None, said),
        with("days", InputType::Number, Some("7"), "for how long"),
        with("urgent", InputType::Boolean, Some("false"), "wakes the manager"),
        with("until", InputType::DateTime, None, "when access comes back by itself"),
        with("issueTitle", InputType::Text, None, "what the manager reads"),
    ];
    let url = Some("https://acme.workflows.okta.com/api/flo/1/invoke".to_owned());
    let name = "Take a leave of absence".to_owned();
    let verb = "take away access until the manager agrees".to_owned();
    let (route, payload) = (Route::ApiEndpoint, PayloadShape::Fields);
    let flow = preset::flow("ispm-event-hook").unwrap();
    Flow { id: "leave".into(), name, verb, route, payload, url, inputs, ..flow }
}

/// The form, with a wrong value in it and a hostile one.
fn with_form(columns: u16, rows: u16) -> State {
    let mut state = on_event(columns, rows);
    state.settings.flows = [leave()].into();
    flows::open(&mut state, RunAsk { login: Login::new(ANN), ..RunAsk::default() });
    let Some(Overlay::Flows(list)) = &mut state.overlay else { panic!("no list") };
    list.offers[0].target = Some(Ok(FitTarget::Router(None)));
    tell(&mut state, Msg::FlowChosen(0));
    type_text(&mut state, "bob\u{202e}@example.com");
    tell(&mut state, Msg::Submitted);
    type_text(&mut state, "seven");
    state
}

#[rstest]
#[case(60, 16)]
#[case(80, 24)]
#[case(120, 40)]
fn form(#[case] columns: u16, #[case] rows: u16) {
    look(&format!("form_{columns}x{rows}"), &with_form(columns, rows), &Theme::default());
}

/// The last field, of a form that was to be left.
#[test]
fn form_without_colour() {
    let mut state = with_form(60, 16);
    tell(&mut state, Msg::Edited(InputRequest::DeleteFromStart));
    tell(&mut state, Msg::ChoiceMoved(Motion::Up));
    tell(&mut state, Msg::ChoiceMoved(Motion::Up));
    tell(&mut state, Msg::Submitted);
    look("form_mono", &state, &Theme::default().without_colour());
}

/// Over a card on which a word is typed.
fn with_dry_run(columns: u16, rows: u16) -> State {
    let mut state = with_card(columns, rows);
    tell(&mut state, Msg::DryRunAsked);
    state
}

#[rstest]
#[case(60, 16)]
#[case(80, 24)]
#[case(120, 40)]
fn the_dry_run(#[case] columns: u16, #[case] rows: u16) {
    look(&format!("dry_run_{columns}x{rows}"), &with_dry_run(columns, rows), &Theme::default());
}

/// One operation that our credential gets no token for, and the flow that is run by hand.
fn with_access(columns: u16, rows: u16, down: usize) -> State {
    let mut state = with_flows(columns, rows);
    let operations = [Operation::Suspend.flow(), Operation::AddToGroup.flow()];
    let all = operations.into_iter().chain(preset::flow(preset::DELEGATED));
    state.settings.flows = all.collect();
    let probe = |call, works| CallProbe {
        call,
        needs: "okta.users.manage",
        has: "nothing".into(),
        works,
        hint: Some("grant the application the scope `okta.users.manage`".into()),
        is_needed: false,
    };
    state.calls = Some(vec![
        probe(CHANGE_USER, Works::No("invalid_scope: One or more scopes are not granted".into())),
        probe(CHANGE_GROUP, Works::CannotTell("whether a role covers it shows at the call only".into())),
    ]);
    let why = "Okta answered 403: You do not have permission to perform the requested action";
    state.access = Some((state.now, Preview::unknown(why)));
    flows::open(&mut state, RunAsk { login: Login::new(ANN), ..RunAsk::default() });
    let Some(Overlay::Flows(list)) = &mut state.overlay else { panic!("no list") };
    for offer in &mut list.offers {
        offer.target = Some(match offer.flow.route {
            Route::Open => {
                Err("no page to open; hint: in the Okta Admin Console, Workflow > Delegated Flows > Run"
                    .into())
            }
            _ => Ok(FitTarget::Login(Login::new(ANN))),
        });
    }
    // What undoes them is there too.
    state.settings.flows = state.settings.flows.iter().cloned().chain(operation::flows()).collect();
    (0..down).for_each(|_| tell(&mut state, Msg::CursorMoved(Motion::Down)));
    state
}

#[rstest]
#[case("no", 60, 16, 0)]
#[case("untold", 80, 24, 1)]
#[case("delegated", 80, 24, 2)]
fn access_is_said_before_a_flow_is_chosen(
    #[case] name: &str,
    #[case] columns: u16,
    #[case] rows: u16,
    #[case] down: usize,
) {
    look(&format!("access_{name}_{columns}x{rows}"), &with_access(columns, rows, down), &Theme::default());
}

/// The same function makes what the command line prints.
#[test]
fn a_dry_run_is_what_the_command_line_prints() {
    let mut state = with_card(80, 24);
    let Some(Overlay::Card(card)) = &state.overlay else { panic!("no card") };
    let plan = card.plan.clone().unwrap();
    let printed = dry_run::lines(&plan, &state.settings.actor, state.now);
    tell(&mut state, Msg::DryRunAsked);
    let Some(Overlay::Card(card)) = &state.overlay else { panic!("no card") };
    let shown = card.dry_run.as_deref().unwrap();
    assert_eq!(shown.lines, printed);
    let laid_out: serde_json::Value = serde_json::from_str(&shown.text.lines.join("\n")).unwrap();
    assert_eq!(laid_out.to_string(), printed[0]);
    assert!(printed[0].contains("[secret]") && printed[0].contains(r#""outcome":null"#));
}
