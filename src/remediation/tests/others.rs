//! Runs that act on another than the finding's person, or may: whoever it is, is protected in their own right.

use super::*;
use crate::remediation::tests::issues::{asked, issue};
use serde_json::Value;

/// What Cisco Identity Intelligence has of somebody.
fn known(login: &str, class: &str) -> Option<Value> {
    Some(json!({"endUserDetails": {"id": "c2", "login": login, "linkedEndUserLogins": ["bob-adm"],
        "userTypeClassification": class}}))
}

pub(super) fn bob() -> Somebody {
    Somebody::Is("bob@okta.example", known("bob@okta.example", "Executive"))
}

/// An issue about something unheard of, of a finding of `ann`, with both ids somebody's.
fn bot(first: &str, second: &str) -> Value {
    json!({"id": "n1", "type": "Service Principal", "displayName": "ann", "identifierInService": first,
        "idInService": second, "sourceProductName": "Okta"})
}

fn lab_of(entity: Value, others: &[(&'static str, Somebody)], protected: &[&str]) -> Lab {
    let mut detail = issue(entity);
    // A title that says nothing of administrators.
    detail.raw = detail.raw.map(|raw| raw.replace("Unused Admin Account", "Old Password"));
    let memory = Memory { event: Some(detail), ..Default::default() };
    let protected = protected.iter().map(|entry| (*entry).to_owned()).collect();
    let guard = Guard { protected, ..Guard::default() };
    let nobodys = [("n1", Somebody::Nobody)];
    let others = nobodys.into_iter().chain(others.iter().cloned()).collect();
    Setup { memory, guard, others, ..Setup::ends([answered(200)]) }.lab()
}

fn refused(plan: &Plan) -> String {
    plan.refusal.as_ref().map(|refusal| refusal.why.clone()).unwrap_or_default()
}

async fn planned(lab: &Lab, flow: &str) -> Plan {
    prepare(&lab.desk, asked(flow)).await.unwrap()
}

#[rstest]
#[case::by_the_id_as_it_came("00ubob", "`00ubob`")]
#[case::by_the_login("bob@okta.example", "`bob@okta.example`")]
#[case::by_another_login("bob-adm", "`bob-adm`")]
#[case::by_the_class("classification:executive", "`classification:executive`")]
#[case::by_a_group("group:sales", "`group:sales`")]
#[tokio::test]
async fn whom_a_record_names_is_protected(#[case] entry: &str, #[case] phrase: &str) {
    for (first, second) in [("00ubob", "00ubob"), ("ann", "00ubob"), ("00ubob", "ann")] {
        let lab = lab_of(bot(first, second), &[("00ubob", bob())], &[entry]);
        *lab.groups.is_member.lock().unwrap() = true;
        *lab.groups.only.lock().unwrap() = Some("00ubob");
        let plan = planned(&lab, "ispm-event-hook").await;
        assert!(refused(&plan).contains(phrase), "{first} {second}: {:?}", plan.refusal);
        let error = lab.run(&plan, &insisting(&plan)).await.unwrap_err();
        assert!(matches!(error, RunError::Refused(_)), "{error}");
        assert_eq!(lab.sends(), 0);
    }
}

#[rstest]
#[case::nobody(Somebody::Nobody, "`00ubob` is no account of this Okta org")]
#[case::unread(Somebody::Unread, "who `00ubob` is: 429")]
#[tokio::test]
async fn whom_nobody_can_tell_counts_as_protected(#[case] other: Somebody, #[case] phrase: &str) {
    let others = [("00ubob", other)];
    let lab = lab_of(bot("ann", "00ubob"), &others, &["root2"]);
    let why = refused(&planned(&lab, "ispm-event-hook").await);
    assert!(why.contains("cannot tell whom the flow acts on") && why.contains(phrase), "{why}");
    // Where nobody is protected, it is said.
    let lab = lab_of(bot("ann", "00ubob"), &others, &[]);
    let plan = planned(&lab, "ispm-event-hook").await;
    assert_eq!(plan.refusal, None);
    assert!(plan.cannot_know.iter().any(|line| line.contains(phrase)), "{:?}", plan.cannot_know);
}

#[tokio::test]
async fn without_okta_nobody_can_tell_whom_a_record_names() {
    let lab = lab_of(bot("00ubob", "00ubob"), &[("00ubob", bob())], &["root2"]);
    let people = People {
        trace: Trace::default(),
        parts: vec![PartName::CiiDetails],
        details: lab.people.details.clone(),
        problems: Vec::new(),
        statuses: Mutex::new(vec!["ACTIVE"].into()),
        is_missing: false,
        changed: Mutex::default(),
        title: Mutex::new("Clerk"),
        others: BTreeMap::new(),
    };
    let desk = Desk { directory: Arc::new(people), ..(*lab.desk).clone() };
    let plan = prepare(&desk, asked("ispm-event-hook")).await.unwrap();
    assert!(refused(&plan).contains("who `00ubob` is: Okta is not configured"), "{:?}", plan.refusal);
}

#[tokio::test]
async fn more_than_are_looked_up_count_as_protected() {
    let accounts: Vec<Value> = (0..30).map(|n| json!(format!("x-{n}"))).collect();
    let person = json!({"type": "Team", "displayName": "ann",
        "additionalData": {"username": "ann", "activeAccounts": accounts}});
    let plan = planned(&lab_of(person, &[], &["root2"]), "ispm-event-hook").await;
    assert!(refused(&plan).contains("the issue names 30, more than are looked up"), "{:?}", plan.refusal);
}

#[tokio::test]
async fn an_issue_that_names_nobody_tells_nobody() {
    let empty = json!({"type": "Team", "displayName": "ann"});
    let plan = planned(&lab_of(empty, &[], &["root2"]), "ispm-event-hook").await;
    assert!(refused(&plan).contains("the issue names no account"), "{:?}", plan.refusal);
}

/// The id of a grant is no account's, and the person is still asked after.
#[tokio::test]
async fn a_grant_of_theirs_is_theirs() {
    let grant = json!({"id": "n1", "type": "OAuth Grant", "displayName": "ann", "identifierInService": "g-1",
        "sourceProductName": "Okta", "additionalData": {"username": "ann"}});
    let others = [("g-1", Somebody::Nobody)];
    let plan = planned(&lab_of(grant.clone(), &others, &["root2"]), "ispm-event-hook").await;
    assert_eq!((plan.refusal, plan.needs_again), (None, None));
    let plan = planned(&lab_of(grant, &others, &["root"]), "ispm-event-hook").await;
    assert!(refused(&plan).contains("`root`"), "{:?}", plan.refusal);
}

#[tokio::test]
async fn who_is_somebody_else_wants_to_be_insisted_on_and_may_be_an_administrator() {
    let lab = lab_of(bot("00ubob", "00ubob"), &[("00ubob", bob())], &[]);
    lab.gives_roles("00ubob", "active");
    let plan = planned(&lab, "ispm-event-hook").await;
    let why = plan.needs_again.clone().unwrap();
    assert!(why.contains("others than `ann`: `00ubob` is `bob@okta.example` in Okta"), "{why}");
    let error = lab.run(&plan, &confirmed(&plan)).await.unwrap_err();
    assert!(matches!(error, RunError::NeedsAgain(_)), "{error}");
    assert_eq!(lab.sends(), 0);
    assert_eq!(plan.confirm, Confirm::Login(Login::new("bob@okta.example")));
    let of_risk = |flow: &Flow| Flow { risk: Risk::Low, ..flow.clone() };
    let desk = Desk { flows: lab.desk.flows.iter().map(of_risk).collect(), ..(*lab.desk).clone() };
    let plan = prepare(&desk, asked("ispm-event-hook")).await.unwrap();
    assert_eq!((plan.risk, plan.is_raised()), (Risk::Medium, true));
    // Who is the finding's own person is nobody else.
    let plan = planned(&lab_of(bot("ann", "00u1"), &[], &["root2"]), "ispm-event-hook").await;
    assert_eq!((plan.refusal, plan.needs_again), (None, None));
}

/// Which of two ids a flow reads is its own: both are the card's when they leave.
#[tokio::test]
async fn no_other_id_of_an_account_leaves() {
    let account = json!({"type": "Account", "displayName": "ann", "identifierInService": "00u1",
        "idInService": "00ubob", "sourceProductName": "Okta", "additionalData": {"username": "ann"}});
    let lab = lab_of(account, &[("00ubob", bob())], &["bob@okta.example"]);
    let plan = planned(&lab, "ispm-event-hook").await;
    assert_eq!(plan.refusal, None);
    assert!(!plan.request.body.contains("00ubob"), "{}", plan.request.body);
    // What is not handed the record acts on the account that was read.
    assert_eq!(planned(&lab, "okta-suspend").await.refusal, None);
}

/// An issue of `ann` whose account is another's.
pub(super) fn mistaken() -> Value {
    json!({"type": "Account", "displayName": "ann", "identifierInService": "00ubob",
        "sourceProductName": "Okta", "additionalData": {"username": "ann"}})
}

#[rstest]
#[case::class(bob(), "classification:executive", Some("holds `classification:executive`"))]
#[case::other_login(bob(), "bob-adm", Some("holds `bob-adm`"))]
#[case::neither(bob(), "classification:board", None)]
#[case::unread(
    Somebody::Is("bob@okta.example", None),
    "classification:board",
    Some("classification cannot be read")
)]
#[case::groups_unread(Somebody::Is("bob@okta.example", None), "group:board", Some("groups cannot be read"))]
#[tokio::test]
async fn protection_is_asked_of_whose_account_it_is(
    #[case] other: Somebody,
    #[case] entry: &str,
    #[case] phrase: Option<&str>,
) {
    for flow in ["okta-suspend", "suspend-okta-account", "okta-contain", "ispm-event-hook"] {
        let lab = lab_of(mistaken(), &[("00ubob", other.clone())], &[entry]);
        let plan = planned(&lab, flow).await;
        assert_eq!(plan.refusal.is_some(), phrase.is_some(), "{flow}: {:?}", plan.refusal);
        assert!(phrase.is_none_or(|phrase| refused(&plan).contains(phrase)), "{flow}: {:?}", plan.refusal);
        if phrase.is_some() {
            assert!(matches!(
                lab.runner().run(&plan, &insisting(&plan), mpsc::unbounded_channel().0).await,
                Err(RunError::Refused(_))
            ));
            assert_eq!(lab.sends(), 0);
        }
    }
}

#[rstest]
#[case("okta-deactivate")]
#[case("okta-contain")]
#[tokio::test]
async fn whose_account_it_is_is_typed_and_shown(#[case] flow: &str) {
    let lab = lab_of(mistaken(), &[("00ubob", bob())], &[]);
    lab.gives_roles("00ubob", "active");
    let plan = planned(&lab, flow).await;
    assert_eq!(plan.confirm, Confirm::Login(Login::new("bob@okta.example")));
    assert_eq!((plan.login.raw(), plan.is_raised()), ("ann", flow == "okta-contain"));
    let why = plan.needs_again.clone().unwrap();
    assert!(why.contains("is `bob@okta.example`, not a login known of `ann`"), "{why}");
    let blast = plan.blast.unwrap();
    assert_eq!(blast.class.known().map(|class| class.raw()), Some("Executive"));
    assert_eq!(blast.accounts, ["00ubob"]);
}
