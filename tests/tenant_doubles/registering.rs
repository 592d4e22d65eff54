//! Requests that tell a sender where to post: what they hold, what their answers come to, and that each is
//! sent once.

use super::*;
use idtriage::config::meant::{Source, Webhook};
use idtriage::domain::Outcome;
use idtriage::domain::event::SourceName;
use idtriage::tenant::{
    CiiChange, CiiWebhook, NewEventHook, OktaChange, Registered, Registrar, Registration, SecretHeader,
};

const HOOKS: &str = "/api/v1/eventHooks";

fn header() -> SecretHeader {
    SecretHeader { name: "x-key".into(), value: SECRET.into() }
}

fn cii_webhook() -> Registration {
    Registration::Cii(CiiChange::Register(CiiWebhook {
        name: "soc".into(),
        endpoint: "https://hooks.example.com/hooks/cii".parse().unwrap(),
        header: header(),
        checks: vec!["no-mfa".into()],
    }))
}

fn okta_hook() -> Registration {
    Registration::Okta(OktaChange::Create(NewEventHook {
        name: "soc".into(),
        uri: "https://hooks.example.com/hooks/okta".parse().unwrap(),
        header: header(),
        events: vec!["user.risk.detect".into()],
    }))
}

fn unregister() -> Registration {
    Registration::Cii(CiiChange::Unregister("wh-1".into()))
}

fn verify() -> Registration {
    Registration::Okta(OktaChange::Verify("who1".into()))
}

/// A source whose secret the redactor knows.
fn sources() -> Vec<Source> {
    let proof = idtriage::config::meant::Proof::Header { name: "x-key".into(), secret: SECRET.into() };
    vec![Source::posted(SourceName("cii".into()), "cii-webhook", Webhook::new("/hooks/cii", proof))]
}

async fn registered(tenants: &Tenants, what: &Registration) -> Registered {
    tenants.register(what, &Cleared(usize::MAX.into())).await
}

/// How it ended, under which id, and what is said of it.
fn told(ended: &Registered) -> String {
    let id = ended.id.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
    let problem = ended.problem.as_ref().map(|problem| format!(": {}", problem.line())).unwrap_or_default();
    format!("{}{id}{problem}", ended.outcome.word())
}

#[rstest]
#[case(200, r#"{"data":{"registerWebhookWithApiKey":"wh-1"}}"#, "accepted wh-1")]
#[case(
    200,
    r#"{"data":{"registerWebhookWithApiKey":"wh-1"},"errors":[{"message":"half"}]}"#,
    "accepted wh-1: half"
)]
#[case(
    200,
    r#"{"data":null,"errors":[{"message":"no such check","errorType":"Bad"}]}"#,
    "failed: Bad: no such check"
)]
#[case(200, r#"{"data":null,"errors":[{"message":"Unknown field `apiKey`"}]}"#, "failed: Unknown field")]
#[case(
    200,
    r#"{"data":null,"errors":[{"message":"Execution timed out."}]}"#,
    "unknown: Execution timed out."
)]
#[case(200, r#"{"data":null}"#, "unknown: CII answered without")]
#[case(
    200,
    r#"{"data":{"registerWebhookWithApiKey":7}}"#,
    "unknown: CII's answer to `registerWebhookWithApiKey` is of"
)]
#[case(200, "<html>", "unknown: CII answered 200 with 6 bytes")]
#[case(
    200,
    r#"{"data":null,"errors":[{"message":"key s3cret-of-the-flow is weak"}]}"#,
    "failed: key [secret] is weak"
)]
#[case(302, "", "unknown: ")]
#[case(400, "{}", "failed: CII answered 400")]
#[case(401, "{}", "refused: CII answered 401")]
#[case(403, "{}", "refused: CII answered 403")]
#[case(408, "{}", "unknown: CII answered 408")]
#[case(502, "<html>", "unknown: CII answered 502")]
#[tokio::test]
async fn an_answer_of_cii_says_no_more_than_it_does(
    #[case] status: u16,
    #[case] body: &'static str,
    #[case] expected: &str,
) {
    let double = Double::start(move |seen, before| match seen.path.as_str() {
        "/token" => ok(json!({"access_token": format!("token{before}"), "expires_in": 36000})),
        _ => Reply::With(status, vec![], body.to_owned()),
    })
    .await;
    let tenants = tenants(Config { sources: sources(), ..with_cii(&double, None) });
    let ended = registered(&tenants, &cii_webhook()).await;
    assert!(told(&ended).starts_with(expected), "{}", told(&ended));
    assert_eq!(double.seen("/graphql").len(), 1, "whatever came back, it is sent once");
    assert_eq!(ended.receipt.status, Some(status));
    assert!(!format!("{ended:?}").contains(SECRET), "{ended:?}");
}

#[rstest]
#[case(json!(true), "accepted")]
#[case(json!(false), "failed: CII answered that it did not")]
#[case(json!("yes"), "unknown: ")]
#[tokio::test]
async fn an_end_is_told_by_true_alone(#[case] answer: Value, #[case] expected: &str) {
    let (double, tenants) = cii(move |_, _| ok(json!({"data": {"unregisterWebhook": answer}}))).await;
    let ended = registered(&tenants, &unregister()).await;
    assert!(told(&ended).starts_with(expected), "{}", told(&ended));
    assert_eq!(double.seen("/graphql")[0].json()["variables"], json!({"id": "wh-1"}));
}

#[tokio::test]
async fn what_is_shown_is_what_leaves_but_for_its_secrets() {
    let double = Double::start(|seen, _| match seen.path.as_str() {
        "/token" => ok(json!({"access_token": TOKEN})),
        "/graphql" => ok(json!({"data": {"registerWebhookWithApiKey": "wh-1"}})),
        _ => ok(json!({"id": "who1"})),
    })
    .await;
    let both = Config { cii: with_cii(&double, None).cii, ..with_okta(&double) };
    let tenants = tenants(both);
    for (what, path) in [
        (cii_webhook(), "/graphql"),
        (unregister(), "/graphql"),
        (okta_hook(), HOOKS),
        (verify(), "/api/v1/eventHooks/who1/lifecycle/verify"),
    ] {
        let shown = tenants.shown_registration(&what);
        registered(&tenants, &what).await;
        let seen = double.seen(path).pop().unwrap();
        assert_eq!(seen.body.replace(SECRET, "[secret]"), shown.body);
        assert_eq!((seen.method.as_str(), double.url(path)), (shown.method.as_str(), shown.url.clone()));
        for (name, value) in &shown.headers {
            let expected = if name == "authorization" { seen.header(name) } else { value };
            assert_eq!(seen.header(name), expected, "{name}");
        }
        assert!(!format!("{shown:?}").contains(SECRET) && !format!("{what:?}").contains(SECRET));
    }
    let verified = &double.seen("/api/v1/eventHooks/who1/lifecycle/verify")[0];
    assert_eq!((verified.header("content-length"), verified.body.as_str()), ("0", ""));
    let made = &double.seen(HOOKS)[0];
    assert_eq!(made.header("authorization"), "SSWS ssws");
    let scheme = json!({"type": "HEADER", "key": "x-key", "value": SECRET});
    assert_eq!(made.json()["channel"]["config"]["authScheme"], scheme);
    assert_eq!(made.json()["events"]["items"], json!(["user.risk.detect"]));
}

trait Shows {
    fn shown_registration(&self, what: &Registration) -> ShownRequest;
}

impl Shows for Tenants {
    /// Both traits of the tenants can show something.
    fn shown_registration(&self, what: &Registration) -> ShownRequest {
        Registrar::shown(self, what).unwrap()
    }
}

#[tokio::test]
async fn only_a_429_is_followed_by_another_try_and_each_wants_its_clearance() {
    let (double, tenants) = cii(|_, before| match before {
        0 => status(429),
        _ => ok(json!({"data": {"registerWebhookWithApiKey": "wh-1"}})),
    })
    .await;
    let ended = registered(&tenants, &cii_webhook()).await;
    assert_eq!((told(&ended).as_str(), ended.receipt.tries.len()), ("accepted wh-1", 1));
    assert_eq!(double.seen("/graphql").len(), 2);
    let held = tenants.register(&cii_webhook(), &Cleared(0.into())).await;
    assert!(told(&held).starts_with("failed: nothing was sent: held back"), "{}", told(&held));
    assert_eq!(double.seen("/graphql").len(), 2);
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let double = Double::start(|_, _| status(401)).await;
    let tenants = tenants(with_cii(&double, None));
    assert_eq!(registered(&tenants, &cii_webhook()).await.outcome, Outcome::Failed);
    assert!(double.seen("/graphql").is_empty());
    let nobody = tenants_within(config::nothing(), limits());
    assert!(told(&registered(&nobody, &verify()).await).contains("Okta is not configured"));
}

#[tokio::test]
async fn a_refused_token_is_not_shown_again() {
    let (double, tenants) = cii(|_, _| status(401)).await;
    registered(&tenants, &cii_webhook()).await;
    registered(&tenants, &cii_webhook()).await;
    let shown: Vec<String> =
        double.seen("/graphql").iter().map(|seen| seen.header("authorization").to_owned()).collect();
    assert_eq!(shown, ["Bearer token0", "Bearer token1"]);
}

#[tokio::test]
async fn a_service_application_asks_for_the_scope_of_the_call() {
    let double = Double::start(|seen, _| match (seen.path.as_str(), seen.method.as_str()) {
        ("/oauth2/v1/token", _) => ok(json!({"access_token": TOKEN, "expires_in": 3600})),
        (_, "GET") => ok(json!([{"id": "who1"}, {"id": 7, "name": null}])),
        _ => ok(json!({"id": "who1", "status": "ACTIVE", "verificationStatus": "VERIFIED"})),
    })
    .await;
    let tenants = tenants(with_service_app(&double, vec![]));
    assert_eq!(tenants.event_hooks().await.unwrap().len(), 2);
    let ended = registered(&tenants, &verify()).await;
    assert_eq!(told(&ended), "accepted who1");
    assert_eq!(ended.hook.unwrap().verification.raw(), "VERIFIED");
    let forms: Vec<String> = double.seen("/oauth2/v1/token").iter().map(|seen| seen.body.clone()).collect();
    assert_eq!(forms.len(), 2);
    assert!(
        forms[0].contains("scope=okta.eventHooks.read&") || forms[0].ends_with("scope=okta.eventHooks.read")
    );
    assert!(forms[1].contains("scope=okta.eventHooks.manage"));
    assert_eq!(double.seen(HOOKS)[0].header("authorization"), format!("Bearer {TOKEN}"));
}

#[rstest]
#[case(
    400,
    "E0000001",
    "",
    "failed: E0000001: Okta answered 400: said",
    "did not answer Okta's challenge within 3 s"
)]
#[case(401, "E0000011", "", "refused: ", "the token is wrong")]
#[case(403, "E0000006", "", "refused: ", "a super administrator")]
#[case(
    403,
    "E0000006",
    "Bearer error=\"insufficient_scope\"",
    "refused: ",
    "the scope `okta.eventHooks.manage`"
)]
#[case(404, "E0000007", "", "refused: ", "`idtriage okta hook list`")]
#[case(500, "E0000009", "", "unknown: ", "")]
#[tokio::test]
async fn a_refusal_of_okta_says_what_mends_it(
    #[case] status: u16,
    #[case] code: &'static str,
    #[case] challenge: &'static str,
    #[case] expected: &str,
    #[case] hint: &str,
) {
    let double = Double::start(move |_, _| {
        let body = json!({"errorCode": code, "errorSummary": "said", "errorCauses": []});
        Reply::With(status, vec![("www-authenticate", challenge.to_owned())], body.to_string())
    })
    .await;
    let tenants = tenants(with_okta(&double));
    let ended = registered(&tenants, &verify()).await;
    assert!(told(&ended).starts_with(expected), "{}", told(&ended));
    let told = ended.problem.and_then(|problem| problem.hint).unwrap_or_default();
    assert!(told.contains(hint), "{told}");
    assert_eq!(double.seen("/api/v1/eventHooks/who1/lifecycle/verify").len(), 1);
}

#[tokio::test]
async fn a_hook_without_an_id_was_made_all_the_same() {
    let double = Double::start(|_, _| ok(json!({}))).await;
    let ended = registered(&tenants(with_okta(&double)), &okta_hook()).await;
    assert_eq!((ended.outcome, ended.id.clone()), (Outcome::Accepted, None));
    assert!(ended.problem.is_some());
}

#[tokio::test]
async fn the_list_is_read_to_its_end_and_not_beyond_the_org() {
    let elsewhere = Double::start(|_, _| ok(json!([]))).await;
    let away = elsewhere.url("/api/v1/eventHooks?after=x");
    let double = Double::start(move |seen, _| {
        let link = |to: &str| vec![("link", format!("<{to}>; rel=\"next\""))];
        match seen.path.as_str() {
            HOOKS => Reply::With(200, link("/api/v1/eventHooks?after=a"), json!([{"id": "1"}]).to_string()),
            "/api/v1/eventHooks?after=a" => Reply::With(200, vec![], json!([{"id": "2"}]).to_string()),
            _ => Reply::With(200, link(&away), "[]".to_owned()),
        }
    })
    .await;
    let hooks = tenants(with_okta(&double)).event_hooks().await.unwrap();
    let ids: Vec<&str> = hooks.iter().map(|hook| hook.id.raw()).collect();
    assert_eq!(ids, ["1", "2"]);

    let away = elsewhere.url("/api/v1/eventHooks?after=x");
    let double = Double::start(move |_, _| {
        Reply::With(200, vec![("link", format!("<{away}>; rel=\"next\""))], "[]".to_owned())
    })
    .await;
    let problem = tenants(with_okta(&double)).event_hooks().await.unwrap_err();
    assert!(problem.line().contains("not followed"), "{}", problem.line());
    assert!(elsewhere.seen("/api/v1/eventHooks?after=x").is_empty());
}
