//! A person with several accounts: one is chosen by its name, and never by us.

use super::*;
use crate::domain::account_name::AccountName;
use crate::domain::operation::Operation;

#[tokio::test]
async fn two_accounts_are_a_choice() {
    let record = |id: &str| json!({"userId": id, "provider": "OKTA", "login": id});
    let details = json!({"providerEndUserDetails": [record("00u1"), record("00u2")]});
    let lab = Setup { details, ..Default::default() }.lab();
    let error = prepare(&lab.desk, ask(1)).await.unwrap_err();
    let (said, names) = (error.to_string(), error.accounts().iter().map(AccountName::of).collect::<Vec<_>>());
    for phrase in ["2 accounts of `ann`", "OKTA/00u1 (00u1), OKTA/00u2 (00u2)\n", "`--account OKTA/00u2`"] {
        assert!(said.contains(phrase), "{phrase}: {said}");
    }
    // What is said is what is taken.
    for (name, id) in names.iter().zip(["00u1", "00u2"]) {
        let plan = prepare(&lab.desk, Ask { account: Some(name.clone()), ..ask(1) }).await.unwrap();
        assert!(plan.request.body.contains(&format!(r#""entityIdInService":"{id}""#)));
    }
}

/// Which account is named, and which is acted on; else a phrase of the refusal.
#[rstest]
#[case("00u2", Ok("00u2"))]
#[case("Okta/00u1", Ok("00u1"))]
#[case::gone(
    "OKTA/00u3",
    Err(
        "account `OKTA/00u3` is not one that flow `suspend-okta-account` could act on\nhint: `--account OKTA/00u1` or"
    )
)]
#[case::of_another_product("AZURE_AD/00u1", Err("hint: `--account OKTA/00u1` or `--account OKTA/00u2`"))]
#[case::of_another_flow("AZURE_AD/a1", Err("`AZURE_AD/a1` is not one"))]
#[tokio::test]
async fn an_account_is_chosen_by_its_name(#[case] name: &str, #[case] expected: Result<&str, &str>) {
    let record = |provider: &str, id: &str| json!({"userId": id, "provider": provider, "login": id});
    let details = json!({"providerEndUserDetails":
        [record("OKTA", "00u1"), record("OKTA", "00u2"), record("AZURE_AD", "a1")]});
    let lab = Setup { details, ..Default::default() }.lab();
    let planned = prepare(&lab.desk, Ask { account: Some(name.parse().unwrap()), ..ask(1) }).await;
    match (planned, expected) {
        (Ok(plan), Ok(id)) => assert_eq!(plan.target_id.as_deref(), Some(id)),
        (Err(error), Err(phrase)) => assert!(error.to_string().contains(phrase), "{error}"),
        (planned, _) => panic!("{planned:?}"),
    }
    let making = Ask { flow: Operation::Create.flow_id(), account: Some(name.parse().unwrap()), ..ask(1) };
    let error = prepare(&lab.desk, making).await.unwrap_err();
    assert!(error.to_string().contains("there is none to choose"), "{error}");
}

#[tokio::test]
async fn the_same_account_twice_is_no_choice() {
    let record = |provider: &str| json!({"userId": "00u1", "provider": provider, "login": "ann"});
    let details = json!({"providerEndUserDetails": [record("OKTA"), record("Okta")]});
    let plan = Setup { details, ..Default::default() }.lab().plan().await;
    assert_eq!(plan.target_id.as_deref(), Some("00u1"));
}
