//! Flows tried with the documented sample: nobody of the org is acted on, and nothing real is held up by it.

use super::*;
use crate::domain::payload::{PayloadError, sample};
use crate::remediation::trial::{self, Trial};

fn trial(n: u128, flow: &str) -> Trial {
    Trial { action: ActionId(uuid::Uuid::from_u128(n)), flow: flow.into(), inputs: Default::default() }
}

/// Nobody goes by the sample's names.
fn nobody(ends: impl IntoIterator<Item = CallEnd>) -> Setup {
    Setup { statuses: vec![""], is_missing: true, ..Setup::ends(ends) }
}

#[rstest]
#[case("suspend-okta-account", sample::FLAT, "00ktw0utvzPBXxny16x7")]
#[case("ispm-event-hook", sample::NESTED, "ali.lesch@example.com")]
#[tokio::test]
async fn the_documented_sample_is_sent_as_it_is(#[case] flow: &str, #[case] body: &str, #[case] id: &str) {
    let lab = nobody([answered(200)]).lab();
    let plan = trial::prepare(&lab.desk, trial(1, flow)).await.unwrap();
    assert_eq!((plan.request.body.as_str(), plan.target_id.as_deref()), (body, Some(id)));
    assert_eq!((plan.refusal.clone(), plan.needs_again.clone()), (None, None));
    assert!(
        plan.caveats[0].contains(&format!("a live flow acts on `{id}`")) || id.contains('@'),
        "{:?}",
        plan.caveats
    );
    assert!(plan.to_string().starts_with("try, with the documented sample, to "), "{plan}");
    assert_eq!(plan.confirm, Confirm::of(plan.flow.risk, &plan.login, card::word(&plan.flow)));
    let action = lab.run(&plan, &confirmed(&plan)).await.unwrap();
    assert!(action.is_test && action.to_json()["test"] == true);
    assert_eq!((action.evidence, action.outcome), (Evidence::Acknowledged, Outcome::Accepted));
    assert_eq!(lab.sends(), 1);
}

#[tokio::test]
async fn a_sample_that_names_somebody_of_the_org_is_not_sent() {
    let lab = Setup::ends([answered(200)]).lab();
    let plan = trial::prepare(&lab.desk, trial(1, "suspend-okta-account")).await.unwrap();
    let why = plan.refusal.clone().unwrap().why;
    assert!(
        why.starts_with("`00ktw0utvzPBXxny16x7` of what would be sent is an account of this org"),
        "{why}"
    );
    assert!(matches!(lab.run(&plan, &insisting(&plan)).await, Err(RunError::Refused(_))));
    assert_eq!(lab.acts(), Vec::<&str>::new());
}

#[rstest]
#[case::unread(vec![PartName::Okta], "429")]
#[case::not_configured(vec![], "Okta is not configured")]
#[tokio::test]
async fn where_it_cannot_be_told_it_has_to_be_insisted_on(
    #[case] parts: Vec<PartName>,
    #[case] phrase: &str,
) {
    let lab = Setup { parts, statuses: vec![""], ..Setup::ends([answered(200)]) }.lab();
    let plan = trial::prepare(&lab.desk, trial(1, "suspend-okta-account")).await.unwrap();
    let why = plan.needs_again.clone().unwrap();
    assert!(why.contains("cannot be told") && why.contains(phrase), "{why}");
    assert!(matches!(lab.run(&plan, &confirmed(&plan)).await, Err(RunError::NeedsAgain(_))));
    assert_eq!(lab.sends(), 0);
    assert!(lab.run(&plan, &insisting(&plan)).await.is_ok());
}

#[rstest]
#[case(Guard { protected: vec!["john.smith@*".into()], ..Guard::default() }, Mode::Acting, "protected")]
#[case(Guard { protected: vec!["00ktw0*".into()], ..Guard::default() }, Mode::Acting, "protected")]
#[case(Guard::default(), Mode::ReadOnly, "read-only")]
#[tokio::test]
async fn the_guard_holds_for_a_trial_too(#[case] guard: Guard, #[case] mode: Mode, #[case] phrase: &str) {
    let lab = Setup { guard, mode, ..nobody([answered(200)]) }.lab();
    let plan = trial::prepare(&lab.desk, trial(1, "suspend-okta-account")).await.unwrap();
    assert!(plan.refusal.as_ref().unwrap().why.contains(phrase), "{:?}", plan.refusal);
    assert!(lab.run(&plan, &insisting(&plan)).await.is_err());
    assert_eq!(lab.sends(), 0);
}

/// A trial tells nobody whom to act on either.
#[tokio::test]
async fn an_input_of_a_trial_says_not_whom_to_act_on() {
    let text = |name: &str| crate::domain::flow::Input::new(name, crate::domain::flow::InputType::Text);
    let mut lab = Setup { statuses: vec!["", "", "ACTIVE"], is_missing: true, ..Setup::ends([]) }.lab();
    let desk = Arc::get_mut(&mut lab.desk).unwrap();
    let own = |flow: &Flow| Flow {
        id: "own".into(),
        payload: PayloadShape::Fields,
        inputs: vec![text("entityIdInService"), text("who")],
        ..flow.clone()
    };
    desk.flows = [own(&desk.flows[0])].into();
    let given = |name: &str, value: &str| {
        let inputs = [("who", "x"), (name, value)].map(|(name, text)| (name.to_owned(), text.to_owned()));
        Trial { inputs: inputs.into(), ..trial(1, "own") }
    };
    let error = trial::prepare(&lab.desk, given("entityIdInService", "00u9")).await.unwrap_err();
    assert!(matches!(error, PlanError::Payload(PayloadError::Whom { .. })), "{error}");
    let plan = trial::prepare(&lab.desk, given("who", "bob@okta.example")).await.unwrap();
    let why = plan.refusal.unwrap().why;
    assert!(why.starts_with("`bob@okta.example` of what would be sent is an account of this org"), "{why}");
}

/// What names somebody else in an input of a flow's own is said, and is not sent where they are protected.
#[tokio::test]
async fn an_input_that_names_somebody_else_is_said_and_held_to_the_guard() {
    for (protected, is_refused) in [("carl@x", false), ("bob@*", true)] {
        let guard = Guard { protected: vec![protected.into()], ..Guard::default() };
        let mut lab = Setup { guard, ..Setup::ends([]) }.lab();
        let desk = Arc::get_mut(&mut lab.desk).unwrap();
        let who = crate::domain::flow::Input::new("who", crate::domain::flow::InputType::Text);
        let flow = Flow { payload: PayloadShape::Fields, inputs: vec![who], ..desk.flows[0].clone() };
        desk.flows = [flow].into();
        let inputs = [("who".to_owned(), "bob@x".to_owned())].into();
        let plan = prepare(&lab.desk, Ask { inputs, ..ask(1) }).await.unwrap();
        assert!(plan.cannot_know.iter().any(|said| said.contains("`bob@x`")), "{:?}", plan.cannot_know);
        assert_eq!(plan.refusal.is_some(), is_refused, "{:?}", plan.refusal);
    }
}

#[tokio::test]
async fn only_flows_of_workflows_can_be_tried() {
    let lab = nobody([]).lab();
    for flow in ["okta-suspend", "okta-contain", "okta-create-user"] {
        let error = trial::prepare(&lab.desk, trial(1, flow)).await.unwrap_err();
        assert!(matches!(error, PlanError::Payload(PayloadError::NoSample { .. })), "{flow}: {error}");
        assert!(trial::login(&lab.desk.flows, &flow.into()).is_err());
    }
    let mut lab = nobody([]).lab();
    Arc::get_mut(&mut lab.desk).unwrap().flows = preset::all().into();
    let error = trial::prepare(&lab.desk, trial(1, "suspend-okta-account")).await.unwrap_err();
    assert!(matches!(error, PlanError::OnlyOpens(_)), "{error}");
}

#[tokio::test]
async fn a_trial_is_no_precedent() {
    let lab = nobody([answered(500), answered(500)]).lab();
    let plan = trial::prepare(&lab.desk, trial(1, "suspend-okta-account")).await.unwrap();
    assert_eq!(lab.run(&plan, &confirmed(&plan)).await.unwrap().outcome, Outcome::Unknown);
    let again = trial::prepare(&lab.desk, trial(2, "suspend-okta-account")).await.unwrap();
    assert!(lab.run(&again, &confirmed(&again)).await.is_ok(), "it may be tried once more at once");
    // Somebody of that very login, whom another source knows.
    let login = Login::new("john.smith@okta.com");
    let seen = card::earlier(&lab.desk, &plan.flow, &login, plan.target_id.as_deref()).await.unwrap();
    assert_eq!(seen, []);
    assert_eq!(lab.sends(), 2);
}
