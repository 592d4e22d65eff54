//! The form of a flow's inputs: what it takes, what it says, and what it leads to.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "app_support/mod.rs"]
#[expect(dead_code, reason = "shared with the tests of the state machine, which use all of it")]
mod app;

use app::Desk;
use idtriage::app::card::Phase;
use idtriage::app::effect::RunAsk;
use idtriage::app::form::Form;
use idtriage::app::msg::Motion;
use idtriage::app::{Answer, Effect, Msg, Overlay, flows};
use idtriage::command::keys::Key;
use idtriage::command::{Context, Keymap, press};
use idtriage::domain::flow::{Input, InputType, PayloadShape};
use idtriage::domain::operation::{self, Operation};
use idtriage::domain::plan::FitTarget;
use idtriage::domain::subject::ProviderAccount;
use idtriage::domain::{Flow, Login, preset};
use rstest::rstest;
use std::collections::BTreeMap;
use tui_input::InputRequest;

fn account(id: &str) -> ProviderAccount {
    ProviderAccount { provider: "OKTA".into(), user_id: id.into(), login: Login::new("ann") }
}

/// Tells somebody about somebody, with one input of each kind.
fn notify() -> Flow {
    let with = |name: &str, kind, value: Option<&str>, default: Option<&str>| Input {
        value: value.map(str::to_owned),
        default: default.map(str::to_owned),
        ..Input::new(name, kind)
    };
    let inputs = vec![
        with("channel", InputType::Text, Some("#soc"), None),
        with("issueTitle", InputType::Text, None, None),
        with("manager", InputType::Text, None, None),
        with("days", InputType::Number, None, Some("7")),
        with("urgent", InputType::Boolean, None, Some("false")),
        with("until", InputType::DateTime, None, None),
    ];
    let url = Some("https://acme.workflows.okta.com/api/flo/1/invoke".to_owned());
    let flow = preset::flow("ispm-event-hook").unwrap();
    let route = idtriage::domain::Route::ApiEndpoint;
    Flow { id: "notify".into(), route, url, payload: PayloadShape::Fields, inputs, ..flow }
}

/// The list of flows, all of which fit.
fn listed(all: Vec<Flow>, target: &FitTarget) -> Desk {
    let mut desk = Desk::settled(3);
    desk.state.settings.flows = all.into();
    flows::open(&mut desk.state, RunAsk { login: Login::new("ann"), ..RunAsk::default() });
    let Some(Overlay::Flows(list)) = &mut desk.state.overlay else { panic!("no list") };
    for offer in &mut list.offers {
        offer.target = Some(Ok(target.clone()));
    }
    desk
}

fn choose(desk: &mut Desk, flow: &str) -> Vec<Effect> {
    let Some(Overlay::Flows(list)) = &desk.state.overlay else { panic!("no list") };
    let at = list.offers.iter().position(|offer| offer.flow.id.0 == flow).unwrap();
    desk.send(Msg::FlowChosen(at))
}

fn form(desk: &Desk) -> &Form {
    match &desk.state.overlay {
        Some(Overlay::Form(form)) => form,
        other => panic!("no form: {other:?}"),
    }
}

fn on_form() -> Desk {
    let mut desk = listed(vec![notify()], &FitTarget::Router(None));
    assert_eq!(choose(&mut desk, "notify"), [], "nothing is read for a form");
    desk
}

fn write(desk: &mut Desk, text: &str) {
    for c in text.chars() {
        assert_eq!(desk.send(Msg::Edited(InputRequest::InsertChar(c))), [], "nothing is sent while typing");
    }
}

/// The name, the text and the complaint of the field that takes the keys.
fn here(desk: &Desk) -> (String, String, Option<String>) {
    let form = form(desk);
    let field = &form.fields[form.at];
    (field.declared.name.clone(), field.typed.value().to_owned(), field.error.clone())
}

fn planned(effects: &[Effect]) -> Option<RunAsk> {
    effects.iter().find_map(|effect| match effect {
        Effect::PreparePlan { ask, .. } => Some(ask.clone()),
        _ => None,
    })
}

fn given(pairs: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_keys_go_around_the_fields_and_leave_out_what_is_fixed() {
    let mut desk = on_form();
    let mut seen = vec![here(&desk).0];
    for motion in
        [Motion::Down, Motion::Down, Motion::Down, Motion::Down, Motion::Down, Motion::Up, Motion::Up]
    {
        desk.send(Msg::ChoiceMoved(motion));
        seen.push(here(&desk).0);
    }
    assert_eq!(seen, ["issueTitle", "manager", "days", "urgent", "until", "issueTitle", "until", "urgent"]);
}

#[rstest]
#[case::text(1, "Bob \u{202e}", None)]
#[case::number(2, "seven", Some("wants a number"))]
#[case::number(2, "14", None)]
#[case::number(2, "", None)]
#[case::time(4, "tomorrow", Some("wants an RFC 3339 time such as `2026-01-31T09:00:00Z`"))]
#[case::time(4, "2026-01-31T09:00:00Z", None)]
fn a_wrong_value_is_said_as_it_is_typed(
    #[case] at: usize,
    #[case] text: &str,
    #[case] expected: Option<&str>,
) {
    let mut desk = on_form();
    (0..at).for_each(|_| drop(desk.send(Msg::ChoiceMoved(Motion::Down))));
    write(&mut desk, text);
    let (_, typed, error) = here(&desk);
    assert_eq!((typed.as_str(), error.as_deref()), (text, expected));
    let erased = desk.send(Msg::Edited(InputRequest::DeleteFromStart));
    assert_eq!((erased, here(&desk).2), (Vec::new(), None), "an empty field is no wrong value");
}

#[test]
fn a_switch_is_turned_by_space_and_takes_no_letters() {
    let mut desk = on_form();
    (0..3).for_each(|_| drop(desk.send(Msg::ChoiceMoved(Motion::Down))));
    let mut seen = Vec::new();
    for c in [' ', ' ', 'x', ' '] {
        desk.send(Msg::Edited(InputRequest::InsertChar(c)));
        seen.push(here(&desk).1);
    }
    desk.send(Msg::Pasted("false".into()));
    seen.push(here(&desk).1);
    desk.send(Msg::Edited(InputRequest::DeletePrevChar));
    seen.push(here(&desk).1);
    assert_eq!(seen, ["true", "false", "false", "true", "true", ""]);
}

#[test]
fn what_is_missing_or_wrong_takes_the_keys_and_nothing_opens() {
    let mut desk = on_form();
    desk.send(Msg::ChoiceMoved(Motion::Up));
    write(&mut desk, "soon");
    assert_eq!(desk.send(Msg::Submitted), []);
    assert_eq!(here(&desk), ("manager".into(), String::new(), Some("has to be filled in".into())));
    write(&mut desk, "bob");
    assert_eq!(here(&desk).2, None);
    desk.send(Msg::ChoiceMoved(Motion::End));
    assert_eq!(desk.send(Msg::Submitted), []);
    assert_eq!(here(&desk).0, "until");
}

#[test]
fn the_help_over_a_form_keeps_what_was_typed() {
    let keymap = Keymap::new(&BTreeMap::new()).unwrap();
    let pressed = |desk: &Desk, key: &str| press(&desk.state, &keymap, Key::parse(key).unwrap());
    let mut desk = on_form();
    write(&mut desk, "why");
    assert!(matches!(pressed(&desk, "?"), Some(Msg::Edited(_))), "a sign is typed");
    let before = here(&desk);
    desk.send(pressed(&desk, "f1").unwrap());
    assert_eq!((Context::of(&desk.state), Context::under_help(&desk.state)), (Context::Help, Context::Text));
    desk.send(Msg::Pasted("not meant for it".into()));
    assert_eq!(pressed(&desk, "x"), None, "nothing is typed under it");
    desk.send(pressed(&desk, "esc").unwrap());
    assert_eq!((Context::of(&desk.state), here(&desk)), (Context::Text, before));
}

/// From a form that is filled in to its card.
fn on_card() -> (Desk, RunAsk) {
    let mut desk = on_form();
    desk.send(Msg::Submitted);
    desk.send(Msg::Pasted("bob@example.com\r".into()));
    desk.send(Msg::Submitted);
    assert_eq!(desk.send(Msg::Submitted), []);
    desk.send(Msg::Edited(InputRequest::InsertChar(' ')));
    desk.send(Msg::Submitted);
    write(&mut desk, "2026-01-31T09:00:00Z");
    let ask = planned(&desk.send(Msg::Submitted)).unwrap();
    (desk, ask)
}

#[test]
fn enter_on_the_last_field_opens_the_card_with_exactly_what_was_given() {
    let (desk, ask) = on_card();
    let wanted = [("manager", "bob@example.com"), ("until", "2026-01-31T09:00:00Z"), ("urgent", "true")];
    assert_eq!(ask.inputs, given(&wanted));
    assert!(matches!(&desk.state.overlay, Some(Overlay::Card(_))));
}

#[test]
fn the_card_leads_back_with_the_values_kept_and_its_plan_is_given_up() {
    let (mut desk, ask) = on_card();
    assert_eq!(desk.send(Msg::FormAsked), [], "what is not on the screen yet is not acted on");
    desk.stand();
    let effects = desk.send(Msg::FormAsked);
    assert!(matches!(effects[..], [Effect::Cancel(_)]), "{effects:?}");
    assert_eq!(here(&desk).1, "2026-01-31T09:00:00Z");
    let again = planned(&desk.send(Msg::Submitted)).unwrap();
    assert_eq!(again, ask);
    // Also from a card that could not be made.
    let failed = desk.asked.iter().rev().find_map(app::request_of).unwrap();
    desk.send(Msg::Answered(failed, Answer::Prepared(Err("no such group".into()))));
    let Some(Overlay::Card(card)) = &desk.state.overlay else { panic!("no card") };
    assert!(matches!(card.phase, Phase::Failed(_)));
    desk.stand();
    desk.send(Msg::FormAsked);
    // And the form back to the list.
    desk.send(Msg::WentBack);
    assert!(matches!(&desk.state.overlay, Some(Overlay::Flows(list)) if list.choice.is_none()));
}

#[test]
fn an_operation_with_an_input_gets_the_form_on_the_account_that_was_chosen() {
    let both = FitTarget::Choose(vec![account("00u1"), account("00u2")]);
    let mut desk = listed(operation::flows(), &both);
    let Some(Overlay::Flows(list)) = &desk.state.overlay else { panic!("no list") };
    assert!(list.offers.iter().all(|offer| !offer.flow.creates()), "who is there is not made once more");
    assert_eq!(choose(&mut desk, "okta-add-to-group"), []);
    assert_eq!(desk.send(Msg::FlowChosen(1)), []);
    write(&mut desk, "Sales EMEA");
    let ask = planned(&desk.send(Msg::Submitted)).unwrap();
    assert_eq!((ask.account, ask.inputs), (Some(account("00u2")), given(&[("group", "Sales EMEA")])));
}

#[test]
fn fields_of_a_profile_become_what_okta_calls_them() {
    let mut desk = listed(operation::flows(), &FitTarget::Account(account("00u1")));
    choose(&mut desk, "okta-update-user");
    write(&mut desk, "title");
    assert!(here(&desk).2.unwrap().contains("`title` is not a field and a value"));
    write(&mut desk, "=Head; givenname=Ann");
    let ask = planned(&desk.send(Msg::Submitted)).unwrap();
    assert_eq!(ask.inputs, given(&[("profile", r#"{"firstName":"Ann","title":"Head"}"#)]));
    desk.stand();
    desk.send(Msg::FormAsked);
    assert_eq!(here(&desk).1, "title=Head; givenname=Ann", "as it was typed");
}

#[test]
fn what_asks_for_nothing_opens_its_card_and_can_be_told_something_from_there() {
    let mut desk = listed(operation::flows(), &FitTarget::Account(account("00u1")));
    let ask = planned(&choose(&mut desk, "okta-reset-password")).unwrap();
    assert!(ask.inputs.is_empty());
    desk.stand();
    desk.send(Msg::FormAsked);
    desk.send(Msg::Edited(InputRequest::InsertChar(' ')));
    let ask = planned(&desk.send(Msg::Submitted)).unwrap();
    assert_eq!(ask.inputs, given(&[("link", "true")]));
}

#[test]
fn a_flow_without_inputs_has_no_form() {
    let mut desk = listed(operation::flows(), &FitTarget::Account(account("00u1")));
    assert!(planned(&choose(&mut desk, &Operation::Suspend.flow_id().0)).is_some());
    desk.stand();
    assert_eq!(desk.send(Msg::FormAsked), []);
    assert!(matches!(&desk.state.overlay, Some(Overlay::Card(_))));
}

/// What was typed for a group names none, or several: whoever typed it is asked there once more.
#[rstest]
#[case(
    "flow `okta-add-to-group` does not fit `ann`: `Salez`: no group has this name; there is `Sales` (00g1)",
    Some("`Salez`: no group has this name; there is `Sales` (00g1)")
)]
#[case("flow `okta-add-to-group` does not fit `ann`: no account is known", None)]
fn what_is_wrong_with_a_field_is_said_below_it(#[case] why: &str, #[case] said: Option<&str>) {
    let account = FitTarget::Account(account("00u1"));
    let mut desk = listed(vec![Operation::AddToGroup.flow()], &account);
    let flow = Operation::AddToGroup.flow().id.0;
    choose(&mut desk, &flow);
    write(&mut desk, "Salez");
    let effects = desk.send(Msg::Submitted);
    let request = effects.iter().find_map(|effect| match effect {
        Effect::PreparePlan { request, .. } => Some(*request),
        _ => None,
    });
    desk.send(Msg::Answered(request.unwrap(), Answer::Prepared(Err(why.to_owned()))));
    match said {
        Some(said) => {
            assert_eq!(here(&desk), ("group".to_owned(), "Salez".to_owned(), Some(said.to_owned())));
            // It is mended there, and asked anew.
            desk.send(Msg::Edited(InputRequest::DeletePrevChar));
            write(&mut desk, "s");
            assert_eq!(here(&desk).2, None);
            assert_eq!(planned(&desk.send(Msg::Submitted)).unwrap().inputs, given(&[("group", "Sales")]));
        }
        None => {
            let Some(Overlay::Card(card)) = &desk.state.overlay else { panic!("no card") };
            assert_eq!(card.phase, Phase::Failed(why.to_owned()));
            desk.send(Msg::FormAsked);
        }
    }
}
