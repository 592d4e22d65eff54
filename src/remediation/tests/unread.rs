//! What is read once more before the send: what could not be read for the card, and whom the guard protects.

use super::*;
use crate::remediation::tests::issues::{asked, issue};
use crate::remediation::tests::others::{bob, mistaken};

const SUSPENSIONS: [&str; 2] = ["suspend-okta-account", "ispm-event-hook"];
const OF_AAD: &str = "disable-entra-id-account";

pub(super) fn of_issue(entity: serde_json::Value, protected: &[&str]) -> Setup {
    let mut detail = issue(entity);
    detail.raw = detail.raw.map(|raw| raw.replace("Unused Admin Account", "Old Password"));
    let protected = protected.iter().map(|entry| (*entry).to_owned()).collect();
    Setup {
        memory: Memory { event: Some(detail), ..Default::default() },
        guard: Guard { protected, ..Guard::default() },
        others: [("00ubob", bob()), ("n1", Somebody::Nobody)].into(),
        ..Setup::ends([answered(200)])
    }
}

/// The card came while Okta could not be read: whose account the issue names is only seen before the send.
#[rstest]
#[case::protected(&["bob@okta.example"], "`guard.protected` holds `bob@okta.example`")]
#[case::somebody_elses(&[], "`bob@okta.example` (00ubob), ACTIVE")]
#[tokio::test]
async fn what_could_not_be_read_is_read_before_the_send(#[case] protected: &[&str], #[case] phrase: &str) {
    for flow in SUSPENSIONS {
        let statuses = vec!["", "ACTIVE"];
        let lab = Setup { statuses, ..of_issue(mistaken(), protected) }.lab();
        let plan = prepare(&lab.desk, asked(flow)).await.unwrap();
        assert_eq!(plan.refusal, None, "{flow}: nobody knows it yet");
        let error = lab.run(&plan, &insisting(&plan)).await.unwrap_err();
        assert!(matches!(&error, RunError::TargetChanged(_)), "{flow}: {error}");
        assert!(error.to_string().contains(phrase), "{flow}: {error}");
        assert_eq!(lab.acts(), Vec::<&str>::new(), "{flow}");
    }
}

/// Still unread is no change: what was shown as unread may be sent.
#[tokio::test]
async fn what_stays_unread_is_what_was_shown() {
    let lab = Setup { statuses: vec![""], ..of_issue(mistaken(), &[]) }.lab();
    let plan = prepare(&lab.desk, asked("suspend-okta-account")).await.unwrap();
    lab.run(&plan, &insisting(&plan)).await.unwrap();
    assert_eq!(lab.sends(), 1);
}

fn in_aad(id: &str) -> serde_json::Value {
    json!({"type": "Account", "displayName": "ann", "identifierInService": id,
        "sourceProductName": "AAD", "additionalData": {"username": "ann"}})
}

fn known_in_aad() -> serde_json::Value {
    json!({"endUserDetails": {"id": "c1", "login": "ann"}, "providerEndUserDetails": [
        {"userId": "00u1", "provider": "OKTA", "login": "ann@okta.example"},
        {"userId": "aad-1", "provider": "AZURE_AD", "login": "ann@aad.example"}]})
}

#[rstest]
#[case::another_id("aad-evil", true)]
#[case::the_same_id("aad-1", false)]
#[case::its_login_there("ann@aad.example", false)]
#[tokio::test]
async fn an_issue_and_a_directory_that_disagree_are_both_named(#[case] id: &str, #[case] is_doubted: bool) {
    let lab = Setup { details: known_in_aad(), ..of_issue(in_aad(id), &[]) }.lab();
    let plan = prepare(&lab.desk, asked(OF_AAD)).await.unwrap();
    let doubt = plan.account_doubt.clone().map(|doubt| doubt.why);
    assert_eq!(doubt.is_some(), is_doubted, "{doubt:?}");
    assert!(doubt.is_none_or(|why| why.contains("AAD account `aad-evil`") && why.contains("lists `aad-1`")));
    let ended = lab.run(&plan, &confirmed(&plan)).await;
    assert_eq!(matches!(ended, Err(RunError::NeedsAgain(_))), is_doubted, "{ended:?}");
    assert_eq!(lab.sends(), usize::from(!is_doubted));
}

/// Another id of the same product is no doubt where the analyst or the directory chose it: a person has several.
#[tokio::test]
async fn what_okta_reads_as_the_listed_account_is_no_contradiction() {
    let by_login = json!({"type": "Account", "displayName": "ann", "identifierInService": "ann@x",
        "sourceProductName": "Okta", "additionalData": {"username": "ann"}});
    let plan = prepare(&of_issue(by_login, &[]).lab().desk, asked("okta-suspend")).await.unwrap();
    assert_eq!((plan.target_id.as_deref(), plan.account_doubt), (Some("00u1"), None));
}

#[rstest]
#[case("okta-suspend")]
#[case("suspend-okta-account")]
#[case("okta-contain")]
#[case(OF_AAD)]
#[tokio::test]
async fn who_became_protected_is_left_alone(#[case] flow: &str) {
    let guard = Guard { protected: vec!["group:sales".to_owned()], ..Guard::default() };
    let lab = Setup { guard, details: known_in_aad(), ..Setup::ends([answered(200)]) }.lab();
    let plan = prepare(&lab.desk, Ask { flow: flow.into(), ..ask(1) }).await.unwrap();
    assert_eq!(plan.refusal, None);
    *lab.groups.is_member.lock().unwrap() = true;
    let run = lab.runner().run(&plan, &insisting(&plan), mpsc::unbounded_channel().0).await;
    let error = run.unwrap_err();
    assert!(matches!(&error, RunError::Refused(why) if why.contains("group:sales")), "{error}");
    *lab.groups.hides_groups.lock().unwrap() = true;
    let run = lab.runner().run(&plan, &insisting(&plan), mpsc::unbounded_channel().0).await;
    let error = run.unwrap_err();
    assert!(matches!(&error, RunError::Refused(why) if why.contains("cannot tell")), "{error}");
    assert_eq!(lab.sends(), 0);
}

/// Whoever's roles could not be read for the card is asked for as an administrator once they can.
#[tokio::test]
async fn roles_that_could_not_be_read_are_read_before_the_send() {
    let lab = Setup::ends([answered(200)]).lab();
    let plan = lab.plan().await;
    assert!(!plan.is_raised());
    lab.gives_roles("00u1", "active");
    let error = lab.run(&plan, &confirmed(&plan)).await.unwrap_err();
    assert!(error.to_string().contains("an administrator now (Super Administrator)"), "{error}");
    assert_eq!(lab.sends(), 0);
}
