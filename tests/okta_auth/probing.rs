//! The table of calls that `doctor` shows.

use crate::double::Double;
use crate::rig::{self, PROOFS, TOKEN, lab};
use idtriage::domain::dossier::LoadedPart;
use idtriage::domain::{Login, PartName};
use idtriage::lab::Lab;
use idtriage::tenant::http::Clock;
use idtriage::tenant::{CallProbe, Directory as _, Works};
use rstest::rstest;
use serde_json::json;

async fn probed(lab: &Lab) -> Vec<CallProbe> {
    rig::tenants(&rig::config(lab, PROOFS), Clock::system()).probe_calls().await
}

fn of<'a>(probes: &'a [CallProbe], call: &str) -> &'a CallProbe {
    probes.iter().find(|probe| probe.call == call).unwrap()
}

#[tokio::test]
async fn every_call_is_tried_and_nothing_is_changed() {
    let lab = lab(&["dpop-required@okta"]).await;
    let probes = probed(&lab).await;
    let told: Vec<(&str, &str, bool, bool)> = probes
        .iter()
        .map(|probe| (probe.call, probe.needs, probe.works == Works::Yes, probe.is_needed))
        .collect();
    let expected = [
        ("GET /api/v1/users", "okta.users.read", true, true),
        ("GET /api/v1/users/{id}/groups", "okta.users.read", true, false),
        ("GET /api/v1/users/{id}/factors", "okta.users.read", true, false),
        ("GET /api/v1/users/{id}/roles", "okta.roles.read", true, false),
        ("GET /api/v1/groups", "okta.groups.read", true, false),
        ("GET /api/v1/apps", "okta.apps.read", true, false),
        ("GET /api/v1/logs", "okta.logs.read", true, true),
        ("GET /api/v1/meta/schemas/user/default", "okta.schemas.read", true, false),
        ("GET /api/v1/eventHooks", "okta.eventHooks.read", true, false),
        ("change a user", "okta.users.manage", false, false),
        ("change a group's members", "okta.groups.manage", false, false),
        ("invoke a flow", "okta.workflows.invoke.manage", false, false),
    ];
    assert_eq!(told, expected, "{probes:#?}");
    assert!(probes.iter().all(|probe| probe.has == probe.needs), "{probes:#?}");
    let change = of(&probes, "change a user");
    assert!(matches!(&change.works, Works::CannotTell(why) if why.contains("at the call")), "{change:?}");
    assert!(lab.recorder().writes().is_empty());
}

#[tokio::test]
async fn a_role_that_is_missing_shows_although_the_scope_is_there() {
    let lab = lab(&["no-log-role@okta"]).await;
    let probes = probed(&lab).await;
    let logs = of(&probes, "GET /api/v1/logs");
    assert_eq!(logs.has, "okta.logs.read");
    assert!(
        matches!(&logs.works, Works::No(why) if why.starts_with("no role covers it: E0000006")),
        "{logs:?}"
    );
    assert!(logs.hint.as_deref().unwrap().contains("a role that may read the System Log"), "{logs:?}");
    let works = probes.iter().filter(|probe| probe.works == Works::Yes).count();
    assert_eq!(works, 8, "one dead call hides no other: {probes:#?}");
}

#[tokio::test]
async fn a_scope_that_was_not_granted_is_had_by_nobody() {
    let lab = lab(&["no-hook-scope@okta"]).await;
    let probes = probed(&lab).await;
    let hooks = of(&probes, "GET /api/v1/eventHooks");
    assert_eq!((hooks.has.as_str(), hooks.is_needed), ("nothing", false));
    assert!(matches!(&hooks.works, Works::No(why) if why.starts_with("invalid_scope")), "{hooks:?}");
    assert_eq!(hooks.hint.as_deref(), Some("grant the application the scope `okta.eventHooks.read`"));
    assert!(rig::statuses(&lab, "/api/v1/eventHooks").is_empty(), "without a token nothing is asked");
}

/// That somebody may not see who is an administrator is not that nobody is one.
#[rstest]
#[case::scope("no-roles-scope@okta", "invalid_scope", "grant the application the scope `okta.roles.read`")]
#[case::role("no-roles-role@okta", "E0000006", "a role that may see who is an administrator")]
#[tokio::test]
async fn administrator_roles_that_may_not_be_seen_are_unknown(
    #[case] fault: &str,
    #[case] code: &str,
    #[case] mends: &str,
) {
    let lab = lab(&[fault]).await;
    let tenants = rig::tenants(&rig::config(&lab, PROOFS), Clock::system());
    let probes = tenants.probe_calls().await;
    let roles = of(&probes, "GET /api/v1/users/{id}/roles");
    assert!(matches!(&roles.works, Works::No(why) if why.contains(code)), "{roles:?}");
    assert!(roles.hint.as_deref().unwrap().contains(mends), "{roles:?}");
    assert!(!roles.is_needed);
    let admin = Login::new(&lab.administrators()[0]);
    let part = tenants.part(PartName::OktaRoles, &admin).await.to_json();
    assert!(part["data"].is_null(), "{part}");
    assert!(part["error"].to_string().contains(code), "{part}");
    let asked = rig::statuses(&lab, TOKEN).len();
    for _ in 0..5 {
        tenants.part(PartName::OktaRoles, &admin).await;
    }
    assert_eq!(
        rig::statuses(&lab, TOKEN).len(),
        asked,
        "what was not granted is not asked for again and again"
    );
    let groups = tenants.part(PartName::OktaGroups, &admin).await;
    assert!(groups.problems().is_empty(), "one part hides no other: {groups:?}");
}

#[tokio::test]
async fn an_administrator_is_told_by_their_roles() {
    let lab = lab(&[]).await;
    let tenants = rig::tenants(&rig::config(&lab, PROOFS), Clock::system());
    let admin = Login::new(&lab.administrators()[0]);
    let LoadedPart::OktaRoles(part) = tenants.part(PartName::OktaRoles, &admin).await else { panic!() };
    let roles = part.data.unwrap();
    assert_eq!(roles.iter().map(|role| role.kind.raw()).collect::<Vec<_>>(), ["SUPER_ADMIN"]);
    assert!(roles[0].is_active() && part.problems.is_empty());
}

#[tokio::test]
async fn what_nobody_uses_is_not_needed() {
    let lab = lab(&[]).await;
    let mut config = rig::config(&lab, PROOFS);
    config.sources.clear();
    let probes = rig::tenants(&config, Clock::system()).probe_calls().await;
    assert!(!of(&probes, "GET /api/v1/logs").is_needed);
    assert!(of(&probes, "GET /api/v1/users").is_needed);
}

#[tokio::test]
async fn an_api_token_has_the_rights_of_its_admin() {
    let lab = lab(&[]).await;
    let mut config = rig::config(&lab, PROOFS);
    config.okta.as_mut().unwrap().service_app = None;
    let probes = rig::tenants(&config, Clock::system()).probe_calls().await;
    // Flows by OAuth take no such token.
    let (flows, core): (Vec<&CallProbe>, Vec<&CallProbe>) =
        probes.iter().partition(|probe| probe.call == "invoke a flow");
    assert!(core.iter().all(|probe| probe.has == "the token's admin"), "{probes:#?}");
    assert_eq!(flows.iter().map(|probe| probe.has.as_str()).collect::<Vec<_>>(), ["nothing"]);
    assert_eq!(probes[0].call, "GET /api/v1/users/me");
    assert_eq!(probes.iter().filter(|probe| probe.works == Works::Yes).count(), 9, "{probes:#?}");
    assert!(rig::statuses(&lab, TOKEN).is_empty());
}

#[tokio::test]
async fn what_answers_but_not_soundly_is_not_told_to_work() {
    let double = Double::start(|path| match path {
        TOKEN => (200, json!({"access_token": "t", "scope": "okta.users.read"})),
        "/api/v1/users" => (200, json!([{"id": "a/../b"}])),
        "/api/v1/groups" => (503, json!({"errorCode": "E0000010", "errorSummary": "read only"})),
        "/api/v1/apps" => (404, json!({"errorCode": "E0000007", "errorSummary": "not found"})),
        _ => (200, json!([])),
    })
    .await;
    let probes = rig::tenants(&double.config(false), Clock::system()).probe_calls().await;
    let works = |call: &str| &of(&probes, call).works;
    assert!(matches!(works("GET /api/v1/groups"), Works::CannotTell(why) if why.contains("503")));
    assert!(matches!(works("GET /api/v1/apps"), Works::No(why) if why.starts_with("E0000007")));
    assert_eq!(
        of(&probes, "GET /api/v1/logs").has,
        "okta.users.read",
        "as the endpoint said, not as we asked"
    );
    assert!(double.paths().contains(&"/api/v1/users/a%2F..%2Fb/factors".to_owned()), "{:?}", double.paths());
}

#[tokio::test]
async fn no_more_than_four_calls_are_in_flight() {
    let double = Double::start(|_| (200, json!([{"id": "00u1"}]))).await;
    let mut config = double.config(false);
    config.okta.as_mut().unwrap().service_app = None;
    let probes = rig::tenants(&config, Clock::system()).probe_calls().await;
    assert_eq!(probes.iter().filter(|probe| probe.works == Works::Yes).count(), 9, "{probes:#?}");
    assert!((2..=4).contains(&double.most_at_once()), "{} at once", double.most_at_once());
}
