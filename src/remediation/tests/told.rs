//! Flows that are told whom they act on by other than the card's account: a login alone, whatever an issue says.

use super::*;
use crate::domain::flow::{Input, InputType, Product};
use crate::remediation::tests::issues::asked;
use crate::remediation::tests::others::mistaken;
use crate::remediation::tests::unread::of_issue;

const FLOW: &str = "suspend-okta-account";

/// The suspension, told a login alone.
fn told(shape: PayloadShape, product: Option<Product>, lab: &Lab) -> Desk {
    let inputs = match shape {
        PayloadShape::Fields => vec![Input::new("login", InputType::Text)],
        _ => Vec::new(),
    };
    let flow = lab.desk.flow(&FLOW.into()).unwrap().clone();
    let flow = Flow { payload: shape, product, inputs, ..flow };
    Desk { flows: [flow].into(), ..(*lab.desk).clone() }
}

fn of(id: &str) -> serde_json::Value {
    json!({"type": "Account", "displayName": "ann", "identifierInService": id,
        "sourceProductName": "Okta", "additionalData": {"username": "ann"}})
}

#[rstest]
#[case::read("ACTIVE")]
#[case::listed_alone("")]
#[tokio::test]
async fn an_issue_of_another_account_is_refused(#[case] status: &'static str) {
    for shape in [PayloadShape::CiiEvent, PayloadShape::Fields] {
        for product in [Some(Product::Okta), None] {
            let lab = Setup { statuses: vec![status], ..of_issue(mistaken(), &[]) }.lab();
            let desk = Arc::new(told(shape, product, &lab));
            let plan = prepare(&desk, asked(FLOW)).await.unwrap();
            assert!(!plan.request.body.contains("00ubob"), "{shape:?}: {}", plan.request.body);
            assert_ne!(plan.target_id.as_deref(), Some("00ubob"), "{shape:?} {product:?}");
            assert_eq!(plan.blast.as_ref().unwrap().accounts, ["00u1"], "{shape:?} {product:?}");
            let why = plan.refusal.clone().unwrap().why;
            assert!(why.contains("`ann` alone, which is `00u1`"), "{shape:?} {product:?}: {why}");
            assert!(why.contains("the issue names the Okta account `00ubob`"), "{why}");
            let runner = Runner::new(desk, pace());
            let error = runner.run(&plan, &insisting(&plan), mpsc::unbounded_channel().0).await.unwrap_err();
            assert!(matches!(error, RunError::Refused(_)), "{error}");
            assert_eq!(lab.sends(), 0);
        }
    }
}

#[rstest]
#[case::by_its_id("00u1")]
#[case::by_its_login("ann@okta.example")]
#[tokio::test]
async fn an_issue_of_the_very_account_is_acted_on(#[case] id: &str) {
    let lab = of_issue(of(id), &[]).lab();
    let desk = told(PayloadShape::CiiEvent, Some(Product::Okta), &lab);
    let plan = prepare(&desk, asked(FLOW)).await.unwrap();
    assert_eq!((plan.refusal, plan.account_doubt), (None, None));
    assert_eq!(plan.target_id.as_deref(), Some("00u1"));
}

/// Neither Okta nor the directory could say whose the login is.
#[tokio::test]
async fn what_nobody_can_compare_is_a_doubt() {
    let details = json!({"endUserDetails": {"id": "c1", "login": "ann"}});
    let lab = Setup { details, statuses: vec![""], ..of_issue(of("00u7"), &[]) }.lab();
    let desk = told(PayloadShape::Fields, Some(Product::Okta), &lab);
    let plan = prepare(&desk, asked(FLOW)).await.unwrap();
    assert_eq!((plan.target_id.as_deref(), plan.refusal.clone()), (None, None));
    let why = plan.account_doubt.clone().unwrap().why;
    assert!(why.contains("is the Okta account `00u7` which the issue names cannot be told"), "{why}");
}

/// A directory that lists another account than the one that has the login is as wrong as an issue.
#[tokio::test]
async fn a_directory_of_another_account_is_refused() {
    let details = json!({"endUserDetails": {"id": "c1", "login": "ann"},
        "providerEndUserDetails": [{"userId": "00u8", "provider": "OKTA", "login": "ann8@okta.example"}]});
    let lab = Setup { details, ..Setup::default() }.lab();
    let desk = told(PayloadShape::CiiEvent, Some(Product::Okta), &lab);
    let why = prepare(&desk, ask(1)).await.unwrap().refusal.unwrap().why;
    assert!(why.contains("which is `00u1`") && why.contains("lists the Okta account `00u8`"), "{why}");
    // Who is told the id acts on that one.
    let plan = prepare(&lab.desk, ask(1)).await.unwrap();
    assert_eq!((plan.target_id.as_deref(), plan.refusal), (Some("00u8"), None));
}
