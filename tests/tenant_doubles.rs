//! The tenants' clients against small doubles on loopback: tokens, pacing, partial answers, drift,
//! and what may never be repeated, followed or shown.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "support/config.rs"]
mod config;
#[path = "tenant_doubles/registering.rs"]
mod registering;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use idtriage::config::Config;
use idtriage::config::meant::{Cii, ConfiguredFlow, Net, Okta, ServiceApp};
use idtriage::domain::action::{Receipt, ShownRequest};
use idtriage::domain::dossier::{LoadedPart, OktaUser, Part};
use idtriage::domain::flow::{FlowAuth, PayloadShape};
use idtriage::domain::operation::Particulars;
use idtriage::domain::plan::Order;
use idtriage::domain::{Flow, Login, PartName, Risk, Route};
use idtriage::tenant::http::{Allowance, Clock, Limits};
use idtriage::tenant::{CallEnd, Clearance, Directory, FlowCaller, Tenants};
use jiff::Timestamp;
use rstest::rstest;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};

const SECRET: &str = "s3cret-of-the-flow";
const TOKEN: &str = "aaa.bbb.ccc";

/// What a double was sent.
#[derive(Debug, Clone)]
struct Seen {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: String,
}

impl Seen {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// What a double answers.
enum Reply {
    /// Status, headers, body.
    With(u16, Vec<(&'static str, String)>, String),
    /// Nothing, ever.
    Never,
}

fn ok(body: Value) -> Reply {
    Reply::With(200, vec![], body.to_string())
}

fn status(status: u16) -> Reply {
    Reply::With(status, vec![], "{}".to_owned())
}

type Script = dyn Fn(&Seen, usize) -> Reply + Send + Sync;

#[derive(Clone)]
struct Double {
    address: std::net::SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    script: Arc<Script>,
}

impl Double {
    /// Answers by a script, which is given the request and how many came before it on its path.
    async fn start(script: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Double {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let double = Double { address, seen: Arc::default(), script: Arc::new(script) };
        let router = Router::new().fallback(answer).with_state(double.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        double
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn seen(&self, path: &str) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().filter(|seen| seen.path == path).cloned().collect()
    }
}

async fn answer(
    State(double): State<Double>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let path = uri.path_and_query().unwrap().to_string();
    let seen = Seen { method, path: path.clone(), headers, body: String::from_utf8(body.into()).unwrap() };
    let before = double.seen(&path).len();
    double.seen.lock().unwrap().push(seen.clone());
    match (double.script)(&seen, before) {
        Reply::With(status, headers, body) => {
            let response = Response::builder().status(status);
            let add = |response: axum::http::response::Builder, (name, value)| response.header(name, value);
            headers.into_iter().fold(response, add).body(Body::from(body)).unwrap()
        }
        Reply::Never => std::future::pending().await,
    }
}

/// CII: tokens are numbered, GraphQL is scripted.
async fn cii(graphql: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> (Double, Tenants) {
    let double = Double::start(move |seen, before| match seen.path.as_str() {
        "/token" => ok(json!({"access_token": format!("token{before}"), "expires_in": 36000})),
        _ => graphql(seen, before),
    })
    .await;
    let tenants = tenants(with_cii(&double, None));
    (double, tenants)
}

fn with_cii(double: &Double, audience: Option<&str>) -> Config {
    let cii = Cii {
        token_url: double.url("/token").parse().unwrap(),
        api_url: double.url("/graphql").parse().unwrap(),
        client_id: "id".into(),
        client_secret: "the-secret".into(),
        audience: audience.map(str::to_owned),
    };
    Config { cii: Some(cii), ..config::nothing() }
}

fn with_okta(double: &Double) -> Config {
    let okta =
        Okta { org_url: double.url("/").parse().unwrap(), api_token: Some("ssws".into()), service_app: None };
    Config { okta: Some(okta), ..config::nothing() }
}

fn with_service_app(double: &Double, flows: Vec<ConfiguredFlow>) -> Config {
    let key = include_str!("keys/ec.pem");
    let app = ServiceApp { client_id: "0oa1".into(), private_key: key.into(), key_id: None, dpop: false };
    let okta = Okta { org_url: double.url("/").parse().unwrap(), api_token: None, service_app: Some(app) };
    Config { okta: Some(okta), flows, ..config::nothing() }
}

fn flow(url: &str, auth: FlowAuth) -> ConfiguredFlow {
    let flow = Flow {
        id: "suspend".into(),
        name: "Suspend".into(),
        verb: "suspend the Okta account".into(),
        route: Route::ApiEndpoint,
        operation: None,
        steps: Vec::new(),
        url: Some(url.to_owned()),
        auth,
        payload: PayloadShape::IspmFlat,
        product: None,
        entity: None,
        audit: vec![],
        tenant: String::new(),
        risk: Risk::Medium,
        takes_login: true,
        suggested_for: vec![],
        inputs: vec![],
        inverse: None,
        undo: String::new(),
        caveats: vec![],
        proven_by: None,
        is_final: false,
    };
    ConfiguredFlow { flow, client_token: (auth == FlowAuth::ClientToken).then(|| SECRET.into()) }
}

/// Waits are tiny; time-outs are long, since the machine may be busy.
fn limits() -> Limits {
    let allowance =
        Allowance { timeout: Duration::from_secs(20), body: 64 << 10, held: Duration::from_secs(20) };
    Limits {
        read: allowance,
        page: allowance,
        act: allowance,
        connect: Duration::from_secs(10),
        act_gap: Duration::ZERO,
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(2),
        jitter: Duration::ZERO,
        told_from: Duration::from_secs(1),
        at_once: 5,
    }
}

fn tenants_within(config: Config, limits: Limits) -> Tenants {
    Tenants::with_limits(&config, Clock::new(|| Timestamp::UNIX_EPOCH), limits).unwrap()
}

fn tenants(config: Config) -> Tenants {
    tenants_within(config, limits())
}

/// A flow behind a double, shown and called.
async fn run_flow(double: &Double, limits: Limits) -> CallEnd {
    let flows = vec![flow(&double.url("/invoke"), FlowAuth::ClientToken)];
    let tenants = tenants_within(Config { flows, ..config::nothing() }, limits);
    let shown = show(&tenants);
    tenants.call(&order("suspend"), &shown, &Cleared(usize::MAX.into())).await.end
}

fn order(flow: &str) -> Order {
    Order {
        flow: flow.into(),
        target: None,
        body: r#"{"eventId":"1"}"#.to_owned(),
        action: "a-1".to_owned(),
        operator: "Zoë".to_owned(),
        particulars: Particulars::default(),
    }
}

fn show(tenants: &Tenants) -> ShownRequest {
    tenants.shown(&order("suspend")).unwrap()
}

fn receipt(end: CallEnd) -> Receipt {
    match end {
        CallEnd::Answered(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

async fn lines(tenants: &Tenants, name: PartName) -> Vec<String> {
    let part = tenants.part(name, &Login::new("a@b")).await;
    part.problems().iter().map(|problem| format!("{} {:?}", problem.line(), problem.hint)).collect()
}

fn state(login: &str) -> Value {
    json!({"data": {"getEndUserState": {"id": "1", "login": login, "status": "ACTIVE"}}})
}

#[tokio::test]
async fn one_token_serves_many_requests_at_once() {
    let (double, tenants) = cii(|_, _| ok(state("a@b"))).await;
    join_all((0..5).map(|_| lines(&tenants, PartName::Cii))).await;
    let asked = double.seen("/token");
    let expected =
        json!({"client_id": "id", "client_secret": "the-secret", "grant_type": "client_credentials"});
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].json(), expected);
    let queries = double.seen("/graphql");
    assert_eq!(queries.len(), 5);
    assert_eq!(queries[0].header("authorization"), "Bearer token0");
    assert!(queries[0].header("user-agent").starts_with("idtriage/"));
    assert_eq!(queries[0].json()["variables"], json!({"login": "a@b"}));
}

#[tokio::test]
async fn the_audience_goes_where_it_is_configured() {
    let double = Double::start(|_, _| ok(json!({"access_token": "t"}))).await;
    lines(&tenants(with_cii(&double, Some("aud"))), PartName::Cii).await;
    assert_eq!(double.seen("/token")[0].json()["audience"], "aud");
}

#[tokio::test]
async fn a_token_near_its_end_is_renewed() {
    let (double, _) = cii(|_, _| ok(state("a@b"))).await;
    let now = Arc::new(AtomicI64::new(1_000));
    let clock = {
        let now = now.clone();
        Clock::new(move || Timestamp::from_second(now.load(Ordering::SeqCst)).unwrap())
    };
    let tenants = Tenants::with_limits(&with_cii(&double, None), clock, limits()).unwrap();
    lines(&tenants, PartName::Cii).await;
    now.fetch_add(35_000, Ordering::SeqCst);
    lines(&tenants, PartName::Cii).await;
    assert_eq!(double.seen("/token").len(), 1);
    now.fetch_add(900, Ordering::SeqCst);
    lines(&tenants, PartName::Cii).await;
    assert_eq!(double.seen("/token").len(), 2);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let (double, tenants) = cii(|seen, _| match seen.header("authorization") {
        "Bearer token0" => status(401),
        _ => ok(state("a@b")),
    })
    .await;
    assert!(lines(&tenants, PartName::Cii).await.is_empty());
    assert_eq!((double.seen("/token").len(), double.seen("/graphql").len()), (2, 2));

    let (double, tenants) = cii(|_, _| status(401)).await;
    assert!(lines(&tenants, PartName::Cii).await[0].starts_with("CII answered 401"));
    assert_eq!((double.seen("/token").len(), double.seen("/graphql").len()), (2, 2));
}

#[tokio::test]
async fn who_waits_for_a_token_shares_its_failure() {
    let double = Double::start(|_, _| {
        let body = json!({"error": "access_denied", "error_description": "no the-secret here"});
        Reply::With(401, vec![], body.to_string())
    })
    .await;
    let tenants = tenants(with_cii(&double, None));
    let all = join_all((0..5).map(|_| lines(&tenants, PartName::Cii))).await;
    assert_eq!(double.seen("/token").len(), 1);
    for lines in all {
        assert!(
            lines[0].starts_with("401 from the CII token endpoint: access_denied: no [secret] here"),
            "{lines:?}"
        );
        assert!(lines[0].contains("check `client_id` and the secret"), "{lines:?}");
    }
}

#[tokio::test]
async fn partial_data_stands_beside_its_errors() {
    let (_double, tenants) = cii(|_, _| {
        ok(json!({
            "data": {"getEndUser": {"endUserDetails": {"id": "1", "login": "a@b", "devices": null, "status": "NEW_ONE"},
                "providerEndUserDetails": [{"userId": "00u1", "provider": "OKTA", "login": "a@b", "status": "ACTIVE"}]}},
            "errors": [{"path": ["getEndUser", "endUserDetails", "devices", 3], "errorType": "Boom", "errorInfo": [1],
                "message": "no devices"}],
        }))
    })
    .await;
    let LoadedPart::CiiDetails(part) = tenants.part(PartName::CiiDetails, &Login::new("a@b")).await else {
        panic!()
    };
    let user = part.data.unwrap();
    assert_eq!(user.provider_end_user_details[0].user_id.raw(), "00u1");
    assert_eq!(user.end_user_details.status.raw(), "NEW_ONE");
    assert_eq!(part.problems[0].line(), "Boom: no devices");
    assert_eq!(part.problems[0].path, ["getEndUser", "endUserDetails", "devices", "3"]);
}

#[tokio::test]
async fn a_schema_that_drifted_is_asked_for_less_once() {
    let (double, tenants) = cii(|seen, _| {
        if seen.body.contains("employeeId") {
            return ok(
                json!({"data": null, "errors": [{"message": "Validation error of type FieldUndefined"}]}),
            );
        }
        ok(state("a@b"))
    })
    .await;
    let lines = lines(&tenants, PartName::Cii).await;
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("schema drift:"), "{lines:?}");
    assert_eq!(double.seen("/graphql").len(), 2);
}

#[tokio::test]
async fn every_page_is_read_and_every_user_told_once() {
    let (double, tenants) = cii(|seen, _| {
        let variables = &seen.json()["variables"];
        let (first, next) = match variables["pageToken"].as_str() {
            None => (0, json!("p1")),
            Some("p1") => (2, json!("p2")),
            _ => (4, Value::Null),
        };
        let items: Vec<Value> = (first..first + 3)
            .map(|n| json!({"id": n.to_string(), "login": format!("u{n}"), "displayName": null}))
            .collect();
        ok(json!({"data": {"getEndUsersByIp": {"items": items, "pageToken": next}}}))
    })
    .await;
    let found = tenants.users_of_address("10.0.0.1").await;
    let logins: Vec<&str> = found.users.iter().map(|user| user.login.raw()).collect();
    assert_eq!(logins, ["u0", "u1", "u2", "u3", "u4", "u5", "u6"]);
    assert!(found.problems.is_empty() && !found.is_cut);
    assert_eq!(double.seen("/graphql")[0].json()["variables"]["pageSize"], 500);
}

#[rstest]
#[case(200, "<html>\u{1b}[2J", "CII answered 200 with 10 bytes of text/html, not with JSON")]
#[case(502, "<html>", "CII answered 502 with 6 bytes of text/html, not with JSON")]
#[case(200, "{\"data\": {\"getEnd", "CII answered 200 with 17 bytes of text/html, not with JSON")]
#[case(200, "{}", "CII answered without `getEndUserState` and without an error")]
#[case(500, "{\"errors\": []}", "CII answered 500")]
#[tokio::test]
async fn odd_answers_are_told_in_words(#[case] status: u16, #[case] body: &str, #[case] line: &str) {
    let body = body.to_owned();
    let html = || vec![("content-type", "text/html".to_owned())];
    let (double, tenants) = cii(move |_, _| Reply::With(status, html(), body.clone())).await;
    let lines = lines(&tenants, PartName::Cii).await;
    assert!(lines[0].starts_with(line), "{lines:?}");
    assert_eq!(double.seen("/graphql").len(), 1);
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let (_double, tenants) = cii(|_, _| ok(json!("x".repeat(70_000)))).await;
    assert!(lines(&tenants, PartName::Cii).await[0].contains("is larger than 65536 bytes"));
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let elsewhere = Double::start(|_, _| ok(json!({}))).await;
    let target = elsewhere.url("/stolen");
    let (_double, tenants) =
        cii(move |_, _| Reply::With(307, vec![("location", target.clone())], String::new())).await;
    let lines = lines(&tenants, PartName::Cii).await;
    assert!(lines[0].contains("a redirect to `127.0.0.1`, which is never followed"), "{lines:?}");
    assert!(elsewhere.seen("/stolen").is_empty());
}

#[tokio::test]
async fn a_read_waits_out_a_short_429_and_tells_a_long_one() {
    let throttle = || Reply::With(429, vec![("retry-after", "1".to_owned())], String::new());
    let (double, tenants) =
        cii(move |_, before| if before < 2 { throttle() } else { ok(state("a@b")) }).await;
    assert!(lines(&tenants, PartName::Cii).await.is_empty());
    assert_eq!(double.seen("/graphql").len(), 3);

    let double = Double::start(move |_, _| throttle()).await;
    let impatient = Limits { longest_pause: Duration::from_secs(60), ..limits() };
    let held = Allowance { held: Duration::from_millis(500), ..impatient.read };
    let tenants = tenants_within(with_okta(&double), Limits { read: held, ..impatient });
    assert!(lines(&tenants, PartName::Okta).await[0].contains("is throttling"));
    assert_eq!(double.seen("/api/v1/users/a@b").len(), 1);
}

#[tokio::test]
async fn loopback_is_never_reached_through_a_proxy() {
    let double = Double::start(|_, _| ok(json!({"id": "00u1"}))).await;
    let net = Net { proxy: Some("http://192.0.2.1:9".parse().unwrap()), ca_file: None };
    let tenants = tenants(Config { net, ..with_okta(&double) });
    assert!(lines(&tenants, PartName::Okta).await.is_empty());
}

#[test]
fn plain_http_to_another_machine_is_refused() {
    let mut config = with_cii(
        &Double {
            address: "127.0.0.1:1".parse().unwrap(),
            seen: Arc::default(),
            script: Arc::new(|_, _| Reply::Never),
        },
        None,
    );
    config.cii.as_mut().unwrap().api_url = "http://api.example.com/".parse().unwrap();
    let error = Tenants::build(&config, Clock::system()).unwrap_err();
    assert!(
        error.to_string().starts_with("`[cii] api_url`: `api.example.com` would be asked over plain http")
    );
    assert!(error.hint().is_some());
}

async fn okta_user(double: &Double, name: &str) -> Part<OktaUser> {
    tenants(with_okta(double)).okta_user(name).await
}

#[tokio::test]
async fn an_okta_user_is_read_with_its_links() {
    let double = Double::start(|_, _| {
        ok(json!({"id": "00u1", "status": "ACTIVE", "profile": {"login": "A@b.example"}, "_links": {"suspend": {}}}))
    })
    .await;
    let user = okta_user(&double, "a@b.example").await;
    assert!(user.problems.is_empty(), "{:?}", user.problems);
    assert_eq!(user.data.unwrap().offered().len(), 1);
    let seen = &double.seen("/api/v1/users/a@b.example")[0];
    assert_eq!((seen.header("authorization"), &seen.method), ("SSWS ssws", &Method::GET));
}

#[tokio::test]
async fn an_okta_error_keeps_its_code_and_request_id() {
    let double = Double::start(|_, _| {
        let body =
            json!({"errorCode": "E0000011", "errorSummary": "Invalid token provided", "errorCauses": []});
        Reply::With(401, vec![("x-okta-request-id", "req7".into())], body.to_string())
    })
    .await;
    let part = okta_user(&double, "a").await;
    let line = part.problems[0].line();
    assert_eq!(line, "E0000011: Okta answered 401: Invalid token provided (request id req7)");
    assert!(part.problems[0].hint.as_ref().unwrap().contains("30 days"));
    assert!(part.data.is_none());
    assert_eq!(okta_user(&double, "a/b").await.problems.len(), 1);
    assert_eq!(double.seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_application_that_wants_dpop_is_named() {
    let double = Double::start(|_, _| {
        let body = json!({"error": "invalid_dpop_proof", "error_description": "The DPoP proof JWT header is missing."});
        Reply::With(400, vec![], body.to_string())
    })
    .await;
    let lines = lines(&tenants(with_service_app(&double, vec![])), PartName::Okta).await;
    assert!(lines[0].starts_with("invalid_dpop_proof: ") && lines[0].contains("requires DPoP"), "{lines:?}");
    let form = &double.seen("/oauth2/v1/token")[0];
    assert!(form.body.contains("scope=okta.users.read") && form.body.contains("client_assertion=ey"));
}

#[tokio::test]
async fn what_leaves_is_what_was_shown() {
    let double = Double::start(|seen, _| {
        let echo = json!({"execution_id": "run-7", "echo": seen.header("x-api-client-token"), "tempPassword": "Ab1!"});
        let headers = vec![("x-request-id", "r1".into()), ("set-cookie", "a=b".into())];
        Reply::With(200, headers, echo.to_string())
    })
    .await;
    let flows = vec![flow(&double.url("/invoke"), FlowAuth::ClientToken)];
    let tenants = tenants(Config { flows, ..config::nothing() });
    let shown = show(&tenants);
    assert_eq!(shown.digest(), show(&tenants).digest());
    assert!(shown.headers.contains(&("x-api-client-token".into(), "[secret]".into())));
    assert!(shown.headers.contains(&("x-idtriage-operator".into(), "Zo%C3%AB".into())));

    let receipt = receipt(tenants.call(&order("suspend"), &shown, &Cleared(usize::MAX.into())).await.end);
    let seen = &double.seen("/invoke")[0];
    for (name, value) in &shown.headers {
        let sent = if value == "[secret]" { SECRET } else { value };
        assert_eq!(seen.header(name), sent);
    }
    assert_eq!((seen.body.as_str(), &seen.method), (shown.body.as_str(), &Method::POST));
    assert_eq!(receipt.execution_id.as_deref(), Some("run-7"));
    assert_eq!(receipt.status, Some(200));
    assert!(receipt.headers.contains(&("x-request-id".into(), "r1".into())));
    let kept = format!("{receipt:?} {shown:?} {tenants:?}");
    assert!(!kept.contains(SECRET) && !kept.contains("Ab1!") && !kept.contains("a=b"), "{kept}");
}

/// Clears so many exchanges.
struct Cleared(AtomicUsize);

#[async_trait]
impl Clearance for Cleared {
    async fn clear(&self) -> Result<(), String> {
        let taken = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        taken.map(drop).map_err(|_| "the lease is gone".to_owned())
    }
}

#[tokio::test]
async fn each_try_wants_its_clearance() {
    let double = Double::start(|_, _| status(429)).await;
    let tenants =
        tenants(Config { flows: vec![flow(&double.url("/invoke"), FlowAuth::None)], ..config::nothing() });
    let shown = show(&tenants);
    let end = tenants.call(&order("suspend"), &shown, &Cleared(0.into())).await.end;
    assert!(matches!(&end, CallEnd::HeldBack(why) if why.contains("the lease is gone")), "{end:?}");
    assert!(double.seen("/invoke").is_empty());
    let end = tenants.call(&order("suspend"), &shown, &Cleared(1.into())).await.end;
    assert!(matches!(&end, CallEnd::Throttled(_)), "{end:?}");
    assert_eq!(double.seen("/invoke").len(), 1);
}

#[tokio::test]
async fn what_was_not_shown_does_not_leave() {
    let double = Double::start(|_, _| status(200)).await;
    let flows = vec![flow(&double.url("/invoke"), FlowAuth::ClientToken)];
    let tenants = tenants(Config { flows, ..config::nothing() });
    let elsewhere = ShownRequest { url: double.url("/other"), ..show(&tenants) };
    let mut added = show(&tenants);
    added.headers.push(("x-more".into(), "1".into()));
    for shown in [elsewhere, added] {
        assert!(matches!(
            tenants.call(&order("suspend"), &shown, &Cleared(usize::MAX.into())).await.end,
            CallEnd::NotSent(_)
        ));
    }
    assert!(double.seen.lock().unwrap().is_empty());
}

#[rstest]
#[case("https://x.workflows.okta.com/api/flo/1/invoke?clientToken=abc", "holds `clientToken=`")]
#[case("https://x.workflows.okta.com/api/flo/1/invoke?CLIENTTOKEN=abc", "holds `clientToken=`")]
#[case("http://x.workflows.okta.com/api/flo/1/invoke", "plain http")]
#[case("nonsense", "is no address")]
fn an_unsafe_address_is_never_shown(#[case] url: &str, #[case] words: &str) {
    let tenants = tenants(Config { flows: vec![flow(url, FlowAuth::ClientToken)], ..config::nothing() });
    let error = tenants.shown(&order("suspend")).unwrap_err();
    assert!(error.contains(words) && !error.contains("abc"), "{error}");
}

#[rstest]
#[case(500)]
#[case(408)]
#[case(401)]
#[case(302)]
#[case(503)]
#[tokio::test]
async fn a_request_that_acts_is_sent_once(#[case] code: u16) {
    let double = Double::start(move |_, _| status(code)).await;
    let receipt = receipt(run_flow(&double, limits()).await);
    assert_eq!((receipt.status, receipt.tries.len()), (Some(code), 0));
    assert_eq!(double.seen("/invoke").len(), 1);
}

#[tokio::test]
async fn a_time_out_leaves_the_outcome_unknown() {
    let double = Double::start(|_, _| Reply::Never).await;
    let act = Allowance { timeout: Duration::from_secs(3), ..limits().act };
    let end = run_flow(&double, Limits { act, ..limits() }).await;
    assert!(matches!(&end, CallEnd::Unknown(end) if end.why.contains("no answer")), "{end:?}");
    assert_eq!(double.seen("/invoke").len(), 1);
}

#[tokio::test]
async fn a_cut_connection_leaves_the_outcome_unknown() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/invoke", listener.local_addr().unwrap());
    // Takes one request and is gone: another try could only be refused.
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        stream.readable().await.unwrap();
    });
    let tenants = tenants(Config { flows: vec![flow(&url, FlowAuth::None)], ..config::nothing() });
    let end = tenants.call(&order("suspend"), &show(&tenants), &Cleared(usize::MAX.into())).await.end;
    assert!(matches!(&end, CallEnd::Unknown(end) if end.why.contains("broke")), "{end:?}");
}

#[tokio::test]
async fn what_cannot_connect_was_not_sent() {
    // Bound and not listened on: nobody answers there, and nobody else can take it meanwhile.
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closed_at = closed.local_addr().unwrap();
    let plain = Double::start(|_, _| status(200)).await;
    let tls = plain.url("/invoke").replace("http:", "https:");
    for url in [format!("http://{closed_at}/invoke"), tls] {
        let tenants = tenants(Config { flows: vec![flow(&url, FlowAuth::None)], ..config::nothing() });
        let end = tenants.call(&order("suspend"), &show(&tenants), &Cleared(usize::MAX.into())).await.end;
        assert!(matches!(&end, CallEnd::NotSent(end) if end.why.contains("cannot reach")), "{url}: {end:?}");
    }
}

#[tokio::test]
async fn a_429_is_followed_by_another_try_that_the_receipt_tells() {
    let double = Double::start(|_, before| if before < 2 { status(429) } else { status(202) }).await;
    let receipt = receipt(run_flow(&double, limits()).await);
    assert_eq!((receipt.status, receipt.tries.len()), (Some(202), 2));
    assert!(receipt.tries.iter().all(|one| one.status == 429));
    assert_eq!(double.seen("/invoke").len(), 3);
}

#[tokio::test]
async fn tries_that_were_answered_429_are_told_when_the_last_is_silent() {
    let double = Double::start(|_, before| if before < 2 { status(429) } else { Reply::Never }).await;
    let act = Allowance { timeout: Duration::from_secs(3), ..limits().act };
    let end = run_flow(&double, Limits { act, ..limits() }).await;
    assert!(matches!(&end, CallEnd::Unknown(end) if end.tries.len() == 2), "{end:?}");
}

#[tokio::test]
async fn when_the_wait_runs_out_nothing_ran() {
    let double = Double::start(|_, _| status(429)).await;
    let act = Allowance { held: Duration::from_millis(500), ..limits().act };
    let end = run_flow(&double, Limits { act, ..limits() }).await;
    let CallEnd::Throttled(receipt) = end else { panic!("{end:?}") };
    assert_eq!(receipt.status, Some(429));
    assert_eq!(double.seen("/invoke").len(), receipt.tries.len() + 1);
}

#[tokio::test]
async fn what_finds_its_bucket_closed_for_longer_than_it_waits_is_held_back() {
    let asks_for_an_hour = || Reply::With(429, vec![("retry-after", "3600".into())], String::new());
    let double = Double::start(move |_, _| asks_for_an_hour()).await;
    let act = Allowance { held: Duration::ZERO, ..limits().act };
    let limits = Limits { act, longest_pause: Duration::from_secs(3_600), ..limits() };
    let flows = vec![flow(&double.url("/invoke"), FlowAuth::ClientToken)];
    let tenants = tenants_within(Config { flows, ..config::nothing() }, limits);
    let shown = show(&tenants);
    let call = async || tenants.call(&order("suspend"), &shown, &Cleared(usize::MAX.into())).await.end;
    let first = call().await;
    assert!(matches!(&first, CallEnd::Throttled(receipt) if receipt.status == Some(429)), "{first:?}");
    let second = call().await;
    assert!(matches!(&second, CallEnd::HeldBack(why) if why.contains("is throttling")), "{second:?}");
    assert_eq!(double.seen("/invoke").len(), 1, "the other side heard nothing of it");
}

#[tokio::test]
async fn an_oauth_flow_gets_a_token_of_its_own_scope_and_one_send() {
    let double = Double::start(|seen, _| match seen.path.as_str() {
        "/oauth2/v1/token" => ok(json!({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})),
        _ => Reply::With(401, vec![], json!({"echo": TOKEN}).to_string()),
    })
    .await;
    let flows = vec![flow(&double.url("/invoke"), FlowAuth::Oauth)];
    let tenants = tenants(with_service_app(&double, flows));
    let receipt =
        receipt(tenants.call(&order("suspend"), &show(&tenants), &Cleared(usize::MAX.into())).await.end);
    assert_eq!((receipt.status, receipt.body.as_str()), (Some(401), r#"{"echo":"[secret]"}"#));
    let sent = double.seen("/invoke");
    assert_eq!((sent.len(), sent[0].header("authorization")), (1, "Bearer aaa.bbb.ccc"));
    let token = double.seen("/oauth2/v1/token");
    assert!(token[0].body.contains("scope=okta.workflows.invoke.manage"));
}

#[tokio::test]
async fn a_revoked_token_is_not_shown_twice_and_the_send_is_not_repeated() {
    let double = Double::start(|seen, nth| match seen.path.as_str() {
        "/oauth2/v1/token" => ok(json!({"access_token": format!("{TOKEN}-{nth}"), "expires_in": 3600})),
        _ if seen.header("authorization").ends_with("-0") => Reply::With(401, vec![], "{}".into()),
        _ => ok(json!({})),
    })
    .await;
    let tenants = tenants(with_service_app(&double, vec![flow(&double.url("/invoke"), FlowAuth::Oauth)]));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let call = tenants.call(&order("suspend"), &show(&tenants), &Cleared(usize::MAX.into())).await.end;
        statuses.push(receipt(call).status);
    }
    assert_eq!(statuses, [Some(401), Some(200), Some(200)]);
    assert_eq!((double.seen("/invoke").len(), double.seen("/oauth2/v1/token").len()), (3, 2));
}

#[tokio::test]
async fn a_secret_that_comes_back_as_an_execution_id_is_not_kept() {
    let double =
        Double::start(|seen, _| ok(json!({"execution_id": seen.header("x-api-client-token")}))).await;
    let flows = vec![flow(&double.url("/invoke"), FlowAuth::ClientToken)];
    let tenants = tenants(Config { flows, ..config::nothing() });
    let call = tenants.call(&order("suspend"), &show(&tenants), &Cleared(usize::MAX.into())).await.end;
    assert_eq!(receipt(call).execution_id, None);
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let double = Double::start(|_, _| status(500)).await;
    let flows = vec![flow(&double.url("/invoke"), FlowAuth::Oauth)];
    let tenants = tenants(with_service_app(&double, flows));
    let end = tenants.call(&order("suspend"), &show(&tenants), &Cleared(usize::MAX.into())).await.end;
    assert!(matches!(end, CallEnd::NotSent(_)), "{end:?}");
    assert!(double.seen("/invoke").is_empty());
}

#[tokio::test]
async fn doctor_tries_every_credential_and_runs_nothing() {
    let (double, _) = cii(|seen, _| match seen.path.as_str() {
        "/graphql" => ok(json!({"data": {"ping": true}})),
        _ => status(404),
    })
    .await;
    let flows = vec![flow("https://x.example/invoke?clientToken=abc", FlowAuth::ClientToken)];
    let okta = with_okta(&double).okta;
    let tenants = tenants(Config { okta, flows, ..with_cii(&double, None) });
    let probes = tenants.probe().await;
    let names: Vec<&str> = probes.iter().map(|probe| probe.name.as_str()).collect();
    assert_eq!(names, ["cii token", "cii ping", "okta users", "flow suspend"]);
    assert_eq!(
        probes.iter().map(|probe| probe.result.is_ok()).collect::<Vec<_>>(),
        [true, true, false, false]
    );
    // The double's clock is right and ours stands at 1970.
    assert!(probes[1].hint.is_some(), "{:?}", probes[1]);
    assert_eq!(double.seen("/api/v1/users/me").len(), 1);
}

#[tokio::test]
async fn what_is_not_configured_says_so() {
    let tenants = tenants(config::nothing());
    assert!(tenants.parts().is_empty());
    for name in PartName::ALL {
        assert!(lines(&tenants, name).await[0].contains("is not configured"));
    }
    assert_eq!(tenants.users_of_address("10.0.0.1").await.problems.len(), 1);
    assert!(tenants.shown(&order("x")).unwrap_err().contains("`x` is not configured"));
    assert!(tenants.probe().await.is_empty());
}

/// An org of one user whose groups come on three pages, the last of them on another host.
async fn org_of_pages(last: &'static str) -> Double {
    Double::start(move |seen, _| {
        let group =
            |n: usize| json!([{"id": format!("00g{n}"), "type": "OKTA_GROUP", "profile": {"name": n}}]);
        let page = |n: usize, next: &str| {
            let links = format!("<https://o/self>; rel=\"self\", <{next}>; rel=\"next\"");
            Reply::With(200, vec![("link", links)], group(n).to_string())
        };
        match seen.path.as_str() {
            "/api/v1/users/ann" => ok(json!({"id": "00u1", "profile": {"login": "ann"}})),
            "/api/v1/users/00u1/groups" => page(1, "/api/v1/users/00u1/groups?after=x"),
            "/api/v1/users/00u1/groups?after=x" => page(2, last),
            "/last" => ok(group(3)),
            _ => ok(json!([])),
        }
    })
    .await
}

async fn okta_list(double: &Double, part: PartName) -> Value {
    tenants(with_okta(double)).part(part, &Login::new("ann")).await.to_json()
}

#[tokio::test]
async fn a_list_of_okta_is_read_to_its_end() {
    let double = org_of_pages("/last").await;
    let groups = okta_list(&double, PartName::OktaGroups).await;
    let read = groups["data"].as_array().unwrap().iter();
    let ids: Vec<&str> = read.map(|group| group["id"].as_str().unwrap()).collect();
    assert_eq!((ids, &groups["error"]), (vec!["00g1", "00g2", "00g3"], &Value::Null));
    okta_list(&double, PartName::OktaApps).await;
    let apps = "/api/v1/apps?filter=user.id%20eq%20%2200u1%22&limit=200";
    assert_eq!(double.seen(apps).len(), 1, "{:?}", double.seen.lock().unwrap());
}

#[tokio::test]
async fn a_list_that_leads_elsewhere_is_not_followed_and_not_taken_for_whole() {
    let double = org_of_pages("https://evil.example/last").await;
    let groups = okta_list(&double, PartName::OktaGroups).await;
    assert_eq!(groups["data"].as_array().unwrap().len(), 2, "what came is kept");
    assert!(groups["error"][0]["message"].as_str().unwrap().contains("`https://evil.example`"), "{groups}");
    assert!(double.seen("/last").is_empty());
}

#[tokio::test]
async fn a_list_that_leads_back_ends_there_and_says_so() {
    let double = org_of_pages("/api/v1/users/00u1/groups").await;
    let groups = okta_list(&double, PartName::OktaGroups).await;
    assert_eq!(groups["data"].as_array().unwrap().len(), 2, "each page once");
    assert!(groups["error"][0]["message"].as_str().unwrap().contains("leads back"), "{groups}");
}

#[tokio::test]
async fn a_list_without_an_end_is_cut_and_says_at_least_these() {
    let page = AtomicUsize::new(0);
    let double = Double::start(move |seen, _| {
        let (path, _) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
        match path {
            "/api/v1/users/ann" => ok(json!({"id": "00u1", "profile": {"login": "ann"}})),
            _ => {
                let next = page.fetch_add(1, Ordering::SeqCst);
                let next = format!("<{path}?after={next}>; rel=\"next\"");
                Reply::With(200, vec![("link", next)], json!([{"id": "00g1"}]).to_string())
            }
        }
    })
    .await;
    let groups = okta_list(&double, PartName::OktaGroups).await;
    assert_eq!(groups["data"].as_array().unwrap().len(), 500);
    let said = groups["error"][0]["message"].as_str().unwrap();
    assert!(said.contains("at least these 500:"), "{said}");
}

#[tokio::test]
async fn a_token_that_is_asked_for_again_is_asked_for_with_another_assertion() {
    let double = Double::start(|seen, before| match seen.path.as_str() {
        "/oauth2/v1/token" if before == 0 => status(429),
        "/oauth2/v1/token" => ok(json!({"access_token": "t", "token_type": "Bearer"})),
        _ => ok(json!({"id": "00u1", "profile": {"login": "ann"}})),
    })
    .await;
    let part = tenants(with_service_app(&double, vec![])).part(PartName::Okta, &Login::new("ann")).await;
    assert!(part.problems().is_empty(), "{part:?}");
    let asked = double.seen("/oauth2/v1/token");
    let jti = |seen: &Seen| {
        let mut form = url::form_urlencoded::parse(seen.body.as_bytes());
        let (_, assertion) = form.find(|(name, _)| name == "client_assertion").unwrap();
        let claims = URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1).unwrap()).unwrap();
        serde_json::from_slice::<Value>(&claims).unwrap()["jti"].clone()
    };
    let [first, second] = asked.as_slice() else { panic!("{asked:?}") };
    assert!(jti(first).is_string());
    assert_ne!(jti(first), jti(second));
}

#[tokio::test]
async fn the_parts_of_one_person_look_their_id_up_once() {
    let double = org_of_pages("/last").await;
    let tenants = tenants(with_okta(&double));
    let lists = [
        PartName::OktaRoles,
        PartName::OktaGroups,
        PartName::OktaApps,
        PartName::OktaFactors,
        PartName::OktaActivity,
    ];
    let ann = Login::new("ann");
    let read = futures_util::future::join_all(lists.map(|part| tenants.part(part, &ann))).await;
    assert!(read.iter().all(|part| part.problems().is_empty()), "{read:?}");
    assert_eq!(double.seen("/api/v1/users/ann").len(), 1);
}
