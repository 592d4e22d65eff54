//! Runs from issues of Okta ISPM: what is no account, or another product's, is acted on by nobody in silence.

use super::*;
use crate::domain::event::{EventDetail, EventKind};

pub(super) fn issue(entity: serde_json::Value) -> EventDetail {
    let raw = json!({"id": "e1", "type": "issue.created", "eventData": {"id": "i1", "title": "Unused Admin Account",
        "affectedEntity": entity}});
    EventDetail {
        event: Event {
            id: EventId(3),
            kind: EventKind::Issue,
            source: "ispm".into(),
            source_event_id: Some("e1".into()),
            check: Check { id: "ispm:Unused Admin Account".into(), title: "Unused Admin Account".into() },
            severity: Severity::High,
            severity_raw: "High".into(),
            user_count: 1,
            first_users: vec![],
            times: 1,
            published: None,
            received: Timestamp::UNIX_EPOCH,
            findings: Default::default(),
            tags: Vec::new(),
        },
        description: vec![],
        recommended_actions: vec![],
        reference_url: None,
        raw: Some(raw.to_string()),
    }
}

fn of(entity: serde_json::Value) -> Setup {
    let memory = Memory { event: Some(issue(entity)), ..Default::default() };
    Setup { memory, ..Setup::ends([answered(400), answered(400)]) }
}

pub(super) fn asked(flow: &str) -> Ask {
    Ask { flow: flow.into(), event: Some(EventId(3)), ..ask(1) }
}

fn account(product: &str) -> serde_json::Value {
    json!({"type": "Account", "identifierInService": "x-1", "displayName": "Ann",
        "sourceProductName": product, "additionalData": {"username": "ann"}})
}

#[rstest]
#[case::a_grant(json!({"type": "OAuth Grant", "identifierInService": "ann", "sourceProductName": "Okta"}), "takes an Account, not an OAuth Grant")]
#[case::unheard_of(json!({"type": "Bot", "identifierInService": "ann", "sourceProductName": "Okta"}), "takes an Account, not a `Bot`")]
#[tokio::test]
async fn what_is_no_account_is_acted_on_by_no_flow_for_accounts(
    #[case] entity: serde_json::Value,
    #[case] phrase: &str,
) {
    let lab = of(entity).lab();
    for flow in ["suspend-okta-account", "okta-suspend", "okta-contain", "suspend-google-workspace-user"] {
        let error = prepare(&lab.desk, asked(flow)).await.unwrap_err().to_string();
        assert!(error.contains(phrase), "{flow}: {error}");
    }
    let router = prepare(&lab.desk, asked("ispm-event-hook")).await.unwrap();
    assert_eq!((router.request.body.as_str(), router.target_id), (lab.raw().as_str(), None));
    assert!(router.cannot_know.iter().any(|line| line.contains("handed the issue as it came")));
    assert!(matches!(router.target, Target::CannotTell(why) if why.contains("no account")));
    assert_eq!(lab.sends(), 0);
}

#[rstest]
#[case("suspend-okta-account")]
#[case("okta-suspend")]
#[case("okta-contain")]
#[tokio::test]
async fn another_products_issue_wants_to_be_insisted_on(#[case] flow: &str) {
    let lab = of(account("AAD")).lab();
    let plan = prepare(&lab.desk, asked(flow)).await.unwrap();
    let why = plan.needs_again.clone().unwrap();
    assert!(why.contains("about an account of AAD, and this acts on the person's in Okta"), "{why}");
    let error = lab.runner().run(&plan, &confirmed(&plan), mpsc::unbounded_channel().0).await.unwrap_err();
    assert!(matches!(error, RunError::NeedsAgain(_)), "{error}");
    assert_eq!(lab.sends(), 0);
    lab.runner().run(&plan, &insisting(&plan), mpsc::unbounded_channel().0).await.unwrap();
    assert!(lab.sends() > 0);
}

#[rstest]
#[case("suspend-okta-account")]
#[case("okta-suspend")]
#[tokio::test]
async fn another_products_issue_is_refused_where_no_account_of_theirs_is_known(#[case] flow: &str) {
    let details = json!({"endUserDetails": {"id": "c1", "login": "ann"}});
    let lab = Setup { details, ..of(account("Salesforce")) }.lab();
    let error = prepare(&lab.desk, asked(flow)).await.unwrap_err().to_string();
    assert!(
        error.contains("no Okta account of theirs is known: the issue is about one of Salesforce.com"),
        "{error}"
    );
}

#[tokio::test]
async fn the_issues_own_account_is_acted_on_and_the_record_goes_on() {
    let lab = of(account("okta")).lab();
    let plan = prepare(&lab.desk, asked("ispm-event-hook")).await.unwrap();
    assert_eq!((plan.target_id.as_deref(), plan.request.body.clone()), (Some("x-1"), lab.raw()));
    let suspend = prepare(&lab.desk, asked("suspend-okta-account")).await.unwrap();
    assert!(suspend.request.body.contains(r#""entityIdInService":"x-1""#), "{}", suspend.request.body);
    let doubt = suspend.account_doubt.unwrap().why;
    assert!(doubt.contains("names the Okta account `x-1`") && doubt.contains("lists `00u1`"), "{doubt}");
}

#[tokio::test]
async fn a_persons_account_is_one_that_the_issue_or_the_directory_names() {
    let active = json!([{"identifierInService": "00u7", "sourceProductName": "Okta"}, "ann@elsewhere"]);
    let person = json!({"type": "User", "displayName": "ann",
        "additionalData": {"username": "ann", "activeAccounts": active}});
    let details = json!({"endUserDetails": {"id": "c1", "login": "ann"}});
    let lab = Setup { details, ..of(person) }.lab();
    let plan = prepare(&lab.desk, asked("suspend-okta-account")).await.unwrap();
    assert_eq!(plan.target_id.as_deref(), Some("00u7"));
    assert!(plan.request.body.contains(r#""entityType":"Account""#), "{}", plan.request.body);
    let error = prepare(&lab.desk, asked("disable-entra-id-account")).await.unwrap_err().to_string();
    assert!(
        error.contains("no AAD account of theirs is known: the issue is about a User, and names 1 without"),
        "{error}"
    );
}

impl Lab {
    /// The issue as it came.
    fn raw(&self) -> String {
        self.memory.event.as_ref().and_then(|event| event.raw.clone()).unwrap()
    }
}

/// What an issue calls an account is heard also where nobody may see roles, and only of that login.
#[rstest]
#[case::its_types("ann", json!([{"type": "Super admin"}]), "Old Password", true)]
#[case::its_title("ann", json!([]), "Unused Admin Account", true)]
#[case::neither("ann", json!(["Human"]), "Old Password", false)]
#[case::anothers("bob", json!([{"type": "Super admin"}]), "Unused Admin Account", false)]
#[tokio::test]
async fn an_issue_may_call_an_account_an_administrators(
    #[case] of_login: &str,
    #[case] types: serde_json::Value,
    #[case] title: &str,
    #[case] is_raised: bool,
) {
    let mut detail =
        issue(json!({"type": "Account", "identifierInService": "00u1", "sourceProductName": "Okta",
        "additionalData": {"username": of_login, "types": types}}));
    detail.raw = detail.raw.map(|raw| raw.replace("Unused Admin Account", title));
    let lab =
        Setup { memory: Memory { event: Some(detail), ..Default::default() }, ..Setup::default() }.lab();
    let plan = prepare(&lab.desk, asked("okta-suspend")).await.unwrap();
    assert_eq!((plan.is_raised(), plan.risk == Risk::High), (is_raised, is_raised), "{:?}", plan.blast);
}
