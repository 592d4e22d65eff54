//! How we prove ourselves to an Okta org: keys, tokens that are bound to one, and which calls work with
//! what we have. Against the lab, and where each exchange has to be looked at, against a small double.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "okta_auth/access.rs"]
mod access;
#[path = "okta_auth/double.rs"]
mod double;
#[path = "okta_auth/probing.rs"]
mod probing;
#[path = "okta_auth/rig.rs"]
mod rig;

use double::Double;
use idtriage::domain::action::Try;
use idtriage::domain::operation::{Operation, Particulars};
use idtriage::domain::plan::Order;
use idtriage::domain::{FlowId, Outcome};
use idtriage::lab::{FlowAuth, Lab};
use idtriage::tenant::http::Clock;
use idtriage::tenant::{CallEnd, Directory, FlowCaller, LogTrouble, Tenants};
use jiff::{SignedDuration, Timestamp};
use rig::{Cleared, PROOFS, TOKEN, create_hook, lab, log_start, statuses};
use rstest::rstest;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

async fn reads_first_user(tenants: &Tenants, lab: &Lab) -> Vec<String> {
    let part = tenants.okta_user(&lab.user_logins()[0]).await;
    assert_eq!(part.data.is_none(), !part.problems.is_empty());
    part.problems.iter().map(|problem| format!("{} {:?}", problem.line(), problem.hint)).collect()
}

#[tokio::test]
async fn a_bound_token_reads_polls_and_acts() {
    let lab = lab(&["dpop-required@okta"]).await;
    let tenants = rig::tenants(&rig::config(&lab, PROOFS), Clock::system());
    assert_eq!(reads_first_user(&tenants, &lab).await, Vec::<String>::new());
    tenants.system_log().unwrap().first(&log_start()).await.unwrap();
    let made = create_hook(&tenants).await;
    assert_eq!((made.outcome, lab.event_hooks().len()), (Outcome::Accepted, 1), "{made:?}");
    // The nonce is asked for once and kept; each of the three tokens is of one scope.
    assert_eq!(statuses(&lab, TOKEN), [400, 200, 200, 200]);
}

#[tokio::test]
async fn an_application_that_wants_proofs_says_which_setting_that_is() {
    let lab = lab(&["dpop-required@okta"]).await;
    let tenants = rig::tenants(&rig::config(&lab, |_| ()), Clock::system());
    let told = reads_first_user(&tenants, &lab).await.join("");
    assert!(told.contains("requires DPoP: set `dpop = true` in `[okta]`"), "{told}");
    assert_eq!(statuses(&lab, TOKEN), [400]);
}

#[tokio::test]
async fn a_nonce_that_is_renewed_in_the_middle_costs_one_more_request() {
    let lab = lab(&["dpop-required@okta"]).await;
    let tenants = rig::tenants(&rig::config(&lab, PROOFS), Clock::system());
    assert!(reads_first_user(&tenants, &lab).await.is_empty());
    lab.renew_nonce();
    lab.revoke_tokens();
    assert!(reads_first_user(&tenants, &lab).await.is_empty());
    assert_eq!(statuses(&lab, TOKEN), [400, 200, 400, 200]);
    // Every request had an assertion of its own: the lab refuses one that it has seen.
    assert_eq!(lab.client_assertions().len(), 4);
}

#[tokio::test]
async fn a_call_that_wants_a_nonce_is_sent_again_with_it() {
    let lab = lab(&["dpop-required@okta", "call-nonce@okta"]).await;
    let tenants = rig::tenants(&rig::config(&lab, PROOFS), Clock::system());
    let path = format!("/api/v1/users/{}", lab.user_logins()[0]);
    for _ in 0..2 {
        assert!(reads_first_user(&tenants, &lab).await.is_empty());
    }
    assert_eq!(statuses(&lab, &path), [401, 200, 200], "the nonce is kept");
    tenants.system_log().unwrap().first(&log_start()).await.unwrap();
    assert_eq!(statuses(&lab, "/api/v1/logs"), [200]);
    lab.renew_nonce();
    tenants.system_log().unwrap().first(&log_start()).await.unwrap();
    assert_eq!(statuses(&lab, "/api/v1/logs"), [200, 401, 200]);
    lab.renew_nonce();
    let made = create_hook(&tenants).await;
    assert_eq!((made.outcome, lab.event_hooks().len()), (Outcome::Accepted, 1), "{made:?}");
    assert!(matches!(made.receipt.tries[..], [Try { status: 401, .. }]), "{:?}", made.receipt);
}

#[rstest]
#[case::ahead(1_200)]
#[case::behind(-1_200)]
#[tokio::test]
async fn a_clock_that_is_off_is_made_up_for(#[case] off: i64) {
    let lab = lab(&["dpop-required@okta"]).await;
    let clock = Clock::new(move || Timestamp::now() + SignedDuration::from_secs(off));
    let tenants = rig::tenants(&rig::config(&lab, PROOFS), clock);
    assert_eq!(reads_first_user(&tenants, &lab).await, Vec::<String>::new());
    let path = format!("/api/v1/users/{}", lab.user_logins()[0]);
    assert_eq!(statuses(&lab, &path), [200], "known from the token endpoint, before the first call");
}

#[tokio::test]
async fn a_jwk_is_as_good_as_pem() {
    let lab = lab(&[]).await;
    let tenants = rig::tenants(&rig::config(&lab, rig::as_jwk), Clock::system());
    assert_eq!(reads_first_user(&tenants, &lab).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_operation_is_shown_and_sent_with_both_proofs() {
    let lab = lab(&["dpop-required@okta"]).await;
    let tenants = rig::tenants(&rig::config(&lab, PROOFS), Clock::system());
    let user = tenants.okta_user(&lab.user_logins()[3]).await.data.unwrap();
    let flow = Operation::ClearSessions.flow_id();
    let target = Some(user.id.raw().to_owned());
    let (action, operator) = ("a-1".to_owned(), "Zoe".to_owned());
    let order =
        Order { flow, target, body: String::new(), action, operator, particulars: Particulars::default() };
    let shown = tenants.shown(&order).unwrap();
    let masked = shown.headers.iter().filter(|(_, value)| value == "[secret]");
    assert_eq!(masked.map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["authorization", "dpop"]);
    let end = tenants.call(&order, &shown, &Cleared).await.end;
    assert!(matches!(&end, CallEnd::Answered(receipt) if receipt.status == Some(204)), "{end:?}");
}

#[tokio::test]
async fn a_flow_is_run_with_a_bound_token_and_shows_no_secret() {
    let lab = lab(&["dpop-required@okta"]).await;
    let tenants = rig::tenants(&rig::config(&lab, PROOFS), Clock::system());
    let flow = lab.flows().into_iter().find(|flow| flow.auth == FlowAuth::OAuth).unwrap();
    let id = FlowId::from(flow.id);
    let body = json!({"eventId": "e1", "entityIdInService": lab.user_logins()[0]}).to_string();
    let order = Order {
        flow: id,
        target: None,
        body,
        action: "a-1".to_owned(),
        operator: "Zoe".to_owned(),
        particulars: Particulars::default(),
    };
    let show = || tenants.shown(&order).unwrap();
    let shown = show();
    let secret: Vec<&str> = shown
        .headers
        .iter()
        .filter(|(_, value)| value == "[secret]")
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(secret, ["authorization", "dpop"]);
    let end = tenants.call(&order, &shown, &Cleared).await.end;
    let CallEnd::Answered(receipt) = end else { panic!("{end:?}") };
    assert_eq!((receipt.status, lab.runs().len()), (Some(200), 1), "{receipt:?}");
    assert_eq!(show().digest(), shown.digest(), "a token and a proof do not change what is shown");
    let path = url::Url::parse(&shown.url).unwrap().path().to_owned();
    let sent = lab.recorder().requests().into_iter().find(|request| request.path == path).unwrap();
    for (name, _) in &shown.headers {
        assert_eq!(sent.headers.iter().filter(|(found, _)| found == name).count(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_scope_that_no_role_covers_is_told_from_one_that_is_not_granted() {
    let lab = lab(&["no-log-role@okta"]).await;
    let tenants = rig::tenants(&rig::config(&lab, |_| ()), Clock::system());
    let refused = tenants.system_log().unwrap().first(&log_start()).await.unwrap_err();
    let LogTrouble::Refused(problem) = refused else { panic!("{refused:?}") };
    assert!(problem.hint.unwrap().starts_with("the role is missing, not the scope"));
    lab.faults().set("no-hook-scope@okta".parse().unwrap());
    let made = create_hook(&tenants).await;
    let hint = made.problem.unwrap().hint.unwrap();
    assert_eq!(
        (made.outcome, hint.as_str()),
        (Outcome::Failed, "grant the application the scope `okta.eventHooks.manage`")
    );
}

/// A double whose calls are answered by a script.
async fn scripted(call: impl Fn(usize) -> (u16, Value) + Send + Sync + 'static) -> (Double, Tenants) {
    let (tokens, calls) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let double = Double::start(move |path| match path {
        TOKEN => {
            let number = tokens.fetch_add(1, Ordering::SeqCst);
            (200, json!({"access_token": format!("token{number}"), "token_type": "DPoP", "expires_in": 3600}))
        }
        _ => call(calls.fetch_add(1, Ordering::SeqCst)),
    })
    .await;
    let tenants = rig::tenants(&double.config(true), Clock::system());
    (double, tenants)
}

/// What proofs must have: each one is new, and of the token beside it.
fn assert_each_is_new(double: &Double, calls: usize) {
    let proofs = double.proofs();
    assert_eq!(proofs.iter().filter(|proof| proof.ath.is_some()).count(), calls);
    for (n, proof) in proofs.iter().enumerate() {
        assert!(proofs.iter().skip(n + 1).all(|other| other.jti != proof.jti), "{proofs:?}");
        assert_eq!(proof.ath, proof.token.as_deref().map(double::digest), "{proof:?}");
    }
}

#[rstest]
#[case::throttled(429, ["token0", "token0"])]
#[case::revoked(401, ["token0", "token1"])]
#[tokio::test]
async fn a_read_that_is_sent_again_has_another_proof(#[case] first: u16, #[case] shown: [&str; 2]) {
    let (double, tenants) = scripted(move |call| match call {
        0 => (first, json!({})),
        _ => (200, json!({"id": "00u1", "profile": {"login": "a@b"}})),
    })
    .await;
    let part = tenants.okta_user("a@b").await;
    assert!(part.problems.is_empty(), "{part:?}");
    assert_each_is_new(&double, 2);
    let tokens: Vec<String> = double.proofs().into_iter().filter_map(|proof| proof.token).collect();
    assert_eq!(tokens, shown);
}

#[tokio::test]
async fn an_act_that_is_sent_again_has_another_proof() {
    let (double, tenants) = scripted(|call| match call {
        0 => (429, json!({})),
        _ => (200, json!({"id": "who1"})),
    })
    .await;
    let made = create_hook(&tenants).await;
    assert_eq!((made.outcome, made.receipt.tries.len()), (Outcome::Accepted, 1), "{made:?}");
    assert_each_is_new(&double, 2);
}

/// Whoever asks for a nonce again and again would be asked for ever; and another refusal is an answer.
#[rstest]
#[case(json!({"error": "use_dpop_nonce"}), 2)]
#[case(json!({"errorCode": "E0000011"}), 1)]
#[tokio::test]
async fn an_act_is_sent_again_for_its_nonce_alone_and_once(#[case] body: Value, #[case] sent: usize) {
    let (double, tenants) = scripted(move |_| (401, body.clone())).await;
    let made = create_hook(&tenants).await;
    assert_eq!(made.receipt.status, Some(401), "{made:?}");
    assert_eq!(made.receipt.tries.len(), sent - 1, "{made:?}");
    assert_each_is_new(&double, sent);
    let nonces: Vec<Option<String>> =
        double.proofs().into_iter().filter(|proof| proof.ath.is_some()).map(|proof| proof.nonce).collect();
    // Nothing was said of a nonce to the first.
    assert_eq!(nonces, [None, Some("of-the-double".to_owned())][..sent]);
}

#[tokio::test]
async fn a_token_that_is_bound_to_nothing_is_not_used() {
    let double = Double::start(|path| match path {
        TOKEN => (200, json!({"access_token": "t", "token_type": "Bearer"})),
        _ => (200, json!({})),
    })
    .await;
    let tenants = rig::tenants(&double.config(true), Clock::system());
    let part = tenants.okta_user("a@b").await;
    assert!(part.problems[0].line().contains("bound to no key"), "{part:?}");
    assert_eq!(double.proofs().len(), 1, "no call was made");
}
