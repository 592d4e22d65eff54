//! What administrator roles let somebody do with delegated flows: a preview, by documented calls.

use crate::double::Double;
use crate::rig::{self, PROOFS, lab};
use idtriage::config::Config;
use idtriage::domain::access::Access;
use idtriage::lab::Lab;
use idtriage::tenant::AccessPreview;
use idtriage::tenant::http::Clock;
use rstest::rstest;
use serde_json::json;
use std::sync::Arc;

fn access(config: &Config) -> Arc<dyn AccessPreview> {
    rig::tenants(config, Clock::system()).access().unwrap()
}

/// By an API token: a person made it.
fn by_token(lab: &Lab) -> Config {
    let mut config = rig::config(lab, PROOFS);
    config.okta.as_mut().unwrap().service_app = None;
    config
}

/// Somebody whose roles are not those of a super administrator.
fn delegate(lab: &Lab) -> String {
    lab.administrators().into_iter().find(|login| login.contains("admin")).unwrap()
}

#[tokio::test]
async fn a_custom_role_lets_one_run_the_flows_of_its_set() {
    let lab = lab(&[]).await;
    let login = delegate(&lab);
    let preview = access(&rig::config(&lab, PROOFS)).of_login(&login).await;
    let words = preview.access().words();
    assert_eq!(
        words,
        format!(
            "likely: the role `Help desk of employees` lets {login} run 2 of them, by id 572749, 572750: no call names them"
        )
    );
    // The flows stand on the second page of the set.
    let set = "/api/v1/iam/resource-sets/iamlabemployees00001d7/resources";
    assert_eq!(rig::statuses(&lab, set), [200, 200]);
    assert!(lab.recorder().writes().is_empty());
}

#[tokio::test]
async fn whoever_made_the_token_is_previewed_and_an_application_is_nobody() {
    let lab = lab(&[]).await;
    let owner = access(&by_token(&lab)).of_whoever_acts(Some("kim")).await;
    let first = &lab.administrators()[0];
    assert_eq!(owner.access(), Access::Likely(format!("{first} is a super administrator")));
    let app = access(&rig::config(&lab, PROOFS));
    assert_eq!(app.of_owner().await, None);
    let words = app.of_whoever_acts(Some("kim")).await.access().words();
    assert!(words.starts_with("cannot tell: who sits here is not known at Okta"), "{words}");
    // The analyst, where the configuration names a login.
    let login = delegate(&lab);
    assert_eq!(app.of_whoever_acts(Some(&login)).await.whose.unwrap().raw(), login);
}

/// That roles may not be read is not that there are none.
#[rstest]
#[case::role("no-roles-role@okta", "E0000006")]
#[case::scope("no-roles-scope@okta", "invalid_scope")]
#[case::elsewhere("foreign-next@okta", "which is not the org: not followed")]
#[tokio::test]
async fn what_may_not_be_read_is_unknown(#[case] fault: &str, #[case] phrase: &str) {
    let lab = lab(&[fault]).await;
    let access = access(&rig::config(&lab, PROOFS)).of_login(&delegate(&lab)).await.access();
    assert!(matches!(&access, Access::CannotTell(why) if why.contains(phrase)), "{access:?}");
}

#[rstest]
#[case("nobody@example.com", "Okta answered 404")]
#[case("x/y@example.com", "holds a `/`")]
#[tokio::test]
async fn a_login_that_okta_does_not_know_is_unknown(#[case] login: &str, #[case] phrase: &str) {
    let lab = lab(&[]).await;
    let access = access(&rig::config(&lab, PROOFS)).of_login(login).await.access();
    assert!(matches!(&access, Access::CannotTell(why) if why.contains(phrase)), "{access:?}");
}

/// Ids that would be another path, lists without end, and bodies that are none.
#[rstest]
#[case::path(json!([{"type": "CUSTOM", "role": "a/../b", "resource-set": "i"}]), "is not an id of Okta")]
#[case::endless(json!([{"type": "CUSTOM", "role": "cr1", "resource-set": "iam1"}]), "go on behind the 1,000")]
#[case::body(json!([{"type": "CUSTOM", "role": "cr2", "resource-set": "iam1"}]), "without `permissions`")]
#[tokio::test]
async fn odd_answers_are_unknown(#[case] roles: serde_json::Value, #[case] phrase: &str) {
    let double = Double::start(move |path| match path {
        "/api/v1/users/me" => (200, json!({"id": "00u1", "profile": {"login": "ann"}})),
        "/api/v1/users/00u1/roles" => (200, roles.clone()),
        "/api/v1/iam/roles/cr1/permissions" => {
            (200, json!({"permissions": [{"label": "okta.workflows.flows.invoke"}]}))
        }
        "/api/v1/iam/resource-sets/iam1/resources" => {
            let next = json!({"next": {"href": "/api/v1/iam/resource-sets/iam1/resources?limit=100"}});
            (200, json!({"resources": [], "_links": next}))
        }
        _ => (200, json!({})),
    })
    .await;
    let mut config = double.config(false);
    config.okta.as_mut().unwrap().service_app = None;
    let access = access(&config).of_owner().await.unwrap().access();
    assert!(matches!(&access, Access::CannotTell(why) if why.contains(phrase)), "{access:?}");
}
