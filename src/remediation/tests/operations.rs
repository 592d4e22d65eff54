//! Operations of Okta's own: what an answer of theirs means.

use super::*;
use crate::domain::operation::Operation;
use rstest::rstest;

fn refused(status: u16, code: &str) -> CallEnd {
    let body = if code.is_empty() {
        "<html>not here</html>".to_owned()
    } else {
        json!({"errorCode": code}).to_string()
    };
    CallEnd::Answered(Receipt { status: Some(status), body, ..Default::default() })
}

/// That it is so already is looked at: Okta's word is not the account's.
#[rstest]
#[case::so_it_is("ACTIVE", Outcome::NoChange, "ACTIVE already")]
#[case::it_is_not("STAGED", Outcome::Refused, "Okta said that it is so already, and it is not")]
#[case::not_to_be_read("", Outcome::NoChange, "could not be re-read")]
#[tokio::test]
async fn what_okta_calls_done_already_is_looked_at(
    #[case] after: &'static str,
    #[case] outcome: Outcome,
    #[case] said: &str,
) {
    let statuses = vec!["STAGED", "STAGED", after];
    let lab = Setup { statuses, ..Setup::ends([refused(403, "E0000016")]) }.lab();
    let wanted = Ask { flow: Operation::Activate.flow_id(), ..ask(1) };
    let plan = prepare(&lab.desk, wanted).await.unwrap();
    assert_eq!(plan.refusal, None);
    let action = lab.run(&plan, &confirmed(&plan)).await.unwrap();
    let verified = action.receipt.unwrap().verified.unwrap();
    assert_eq!((action.outcome, lab.sends()), (outcome, 1), "{verified}");
    assert!(verified.contains(said), "{verified}");
}

/// Read for the card, right before the send, and after the answer.
#[rstest]
#[case::deactivated_meanwhile("E0000007", "DEPROVISIONED", Outcome::NoChange, Some("DEPROVISIONED already"))]
#[case::still_there("E0000007", "ACTIVE", Outcome::NotLegal, Some("the account is there, and ACTIVE"))]
#[case::not_to_be_read("E0000007", "", Outcome::Refused, Some("could not be re-read"))]
#[case::of_a_proxy("", "DEPROVISIONED", Outcome::Refused, None)]
#[tokio::test]
async fn a_404_is_told_apart_where_it_is_oktas_own(
    #[case] code: &str,
    #[case] after: &'static str,
    #[case] outcome: Outcome,
    #[case] said: Option<&str>,
) {
    let statuses = vec!["ACTIVE", "ACTIVE", after];
    let lab = Setup { statuses, ..Setup::ends([refused(404, code)]) }.lab();
    let wanted = Ask { flow: Operation::Deactivate.flow_id(), ..ask(1) };
    let plan = prepare(&lab.desk, wanted).await.unwrap();
    assert_eq!(plan.refusal, None);
    let action = lab.run(&plan, &confirmed(&plan)).await.unwrap();
    let verified = action.receipt.as_ref().and_then(|receipt| receipt.verified.as_deref());
    assert_eq!((action.outcome, lab.sends()), (outcome, 1), "{verified:?}");
    assert_eq!(verified.is_some(), said.is_some(), "{verified:?}");
    assert!(said.is_none_or(|said| verified.unwrap().contains(said)), "{verified:?}");
}
