//! What leaves for Okta and what is made of its answers.

use crate::double::{Double, Reply};
use crate::rig::{config, limits, tenants_of};
use idtriage::config::Config;
use idtriage::config::meant::{Okta, ServiceApp};
use idtriage::tenant::http::{Clock, Limits};
use idtriage::tenant::{LogPage, LogStart, LogTrouble, NextPage, SystemLog};
use jiff::Timestamp;
use rstest::rstest;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

fn now() -> Timestamp {
    "2026-05-01T12:00:00Z".parse().unwrap()
}

fn log(double: &Double) -> Arc<dyn SystemLog> {
    log_of(config(&double.org(), "ssws".into()), limits())
}

fn log_of(config: Config, limits: Limits) -> Arc<dyn SystemLog> {
    tenants_of(config, Clock::new(now), limits).system_log().unwrap()
}

fn start() -> LogStart {
    let filter = Some("target.id eq \"a b+c\" and x co \"ü&\"".to_owned());
    LogStart { since: "2026-04-30T12:00:00.0125Z".parse().unwrap(), filter, limit: 1000 }
}

fn ok(links: &[String], body: &str) -> Reply {
    (200, links.iter().map(|link| ("link", link.clone())).collect(), body.to_owned())
}

fn refused(status: u16, code: &str, headers: Vec<(&'static str, String)>) -> Reply {
    let body = json!({"errorCode": code, "errorSummary": "Said by Okta", "errorCauses": []});
    (status, headers, body.to_string())
}

#[tokio::test]
async fn a_polling_has_no_end_and_is_ascending() {
    let double = Double::start(|_, _| ok(&[], "[]")).await;
    log(&double).first(&start()).await.unwrap();
    let expected = "/api/v1/logs?since=2026-04-30T12%3A00%3A00.012Z&sortOrder=ASCENDING&limit=1000\
        &filter=target.id%20eq%20%22a%20b%2Bc%22%20and%20x%20co%20%22%C3%BC%26%22";
    assert_eq!(double.seen(), [(expected.to_owned(), true)]);
}

#[tokio::test]
async fn records_come_as_they_were_written_and_the_next_address_is_used_as_it_stands() {
    let first = "{ \"uuid\" :\"1\",\n \"n\": 1.10, \"big\": 123456789012345678901234567890 }";
    let next = "/api/v1/logs?sortOrder=ASCENDING&after=a,b;c=%2F+%2f&limit=2";
    let double = Double::start({
        move |asked, before| match before {
            0 => ok(
                &[
                    "</api/v1/logs?x=1>; rel=\"self\"".to_owned(),
                    format!("<http://{}{next}>; rel=\"next\"", "HOST"),
                ],
                &format!("[{first} , null,7]"),
            ),
            _ => {
                assert_eq!(asked, next);
                ok(&[], "[]")
            }
        }
    })
    .await;
    // The double does not know its own address when its script is written.
    let log = log(&double);
    let page = log.first(&start()).await.unwrap();
    let records: Vec<&str> = page.records.iter().map(AsRef::as_ref).collect();
    assert_eq!(records, [first, "null", "7"]);
    assert_eq!(page.next, NextPage::Foreign("http://host".to_owned()));
    let page = log.follow(&format!("{}{next}", double.org())).await.unwrap();
    assert_eq!((page.records.len(), page.next), (0, NextPage::Unnamed));
}

#[rstest]
#[case::host(|double: &Double, _: &Double| format!("http://localhost:{}/api/v1/logs", double.address.port()))]
#[case::port(|_: &Double, other: &Double| format!("{}/api/v1/logs", other.org()))]
#[case::scheme(|double: &Double, _: &Double| format!("https://{}/api/v1/logs", double.address))]
#[case::user(|double: &Double, _: &Double| format!("http://{}@evil.example/api/v1/logs", double.address))]
#[case::password(|double: &Double, _: &Double| format!("http://u:p@{}/api/v1/logs", double.address))]
#[case::relative(|_: &Double, other: &Double| format!("//{}/api/v1/logs", other.address))]
#[tokio::test]
async fn no_credential_leaves_the_org(#[case] elsewhere: fn(&Double, &Double) -> String) {
    let other = Double::start(|_, _| ok(&[], "[]")).await;
    let double = Double::start(|_, _| ok(&[], "[]")).await;
    let address = elsewhere(&double, &other);
    let followed = log(&double).follow(&address).await;
    assert!(matches!(followed, Err(LogTrouble::Foreign(_))), "{followed:?}");
    assert!(other.seen().is_empty() && double.seen().is_empty());
    // And a page that names it says so.
    let link = format!("<{address}>; rel=\"next\"");
    let naming = Double::start(move |_, _| ok(std::slice::from_ref(&link), "[]")).await;
    let page = log(&naming).first(&start()).await.unwrap();
    assert!(matches!(page.next, NextPage::Foreign(_)), "{:?}", page.next);
}

/// What an answer becomes, and its words.
fn words(heard: Result<LogPage, LogTrouble>) -> (String, String) {
    let trouble = heard.unwrap_err();
    let said = match &trouble {
        LogTrouble::Refused(problem)
        | LogTrouble::BadCursor(problem)
        | LogTrouble::BadRequest(problem)
        | LogTrouble::NoAnswer(problem) => {
            format!("{} / {}", problem.line(), problem.hint.as_deref().unwrap_or_default())
        }
        other => format!("{other:?}"),
    };
    let name = format!("{trouble:?}");
    (name.split(['(', ' ']).next().unwrap().to_owned(), said)
}

const SCOPE: &str = "Bearer realm=\"x\", scope=\"okta.logs.read\", error=\"insufficient_scope\"";

#[rstest]
#[case(401, "E0000011", vec![], "Refused", "Refused", "make a new one")]
#[case(403, "E0000006", vec![], "Refused", "Refused", "a role that may read the System Log")]
#[case(403, "E0000006", vec![("www-authenticate", SCOPE.to_owned())], "Refused", "Refused", "the scope `okta.logs.read`")]
#[case(400, "E0000053", vec![], "BadRequest", "BadCursor", "Said by Okta")]
#[case(400, "E0000031", vec![], "BadRequest", "BadCursor", "check the source's `filter`")]
#[case(404, "E0000007", vec![], "BadRequest", "BadCursor", "Said by Okta")]
#[case(405, "E0000022", vec![], "BadRequest", "BadRequest", "Said by Okta")]
#[case(500, "E0000009", vec![], "NoAnswer", "NoAnswer", "Said by Okta")]
#[case(503, "E0000010", vec![], "NoAnswer", "NoAnswer", "Said by Okta")]
#[case(429, "E0000047", vec![("x-rate-limit-limit", "0".to_owned()), ("x-rate-limit-reset", "1".to_owned())],
    "Crowded", "Crowded", "")]
#[case(429, "E0000047", vec![], "Throttled", "Throttled", "None")]
#[case(429, "E0000047", vec![("date", "Fri, 01 May 2026 12:00:00 GMT".to_owned()),
    ("x-rate-limit-limit", "60".to_owned()), ("x-rate-limit-reset", "1777636817".to_owned())],
    "Throttled", "Throttled", "17s")]
#[tokio::test]
async fn refusals_are_told_apart(
    #[case] status: u16,
    #[case] code: &'static str,
    #[case] headers: Vec<(&'static str, String)>,
    #[case] of_request: &str,
    #[case] of_cursor: &str,
    #[case] said: &str,
) {
    let double = Double::start(move |_, _| refused(status, code, headers.clone())).await;
    let long = Limits { longest_pause: Duration::from_secs(60), ..limits() };
    let log = || log_of(config(&double.org(), "ssws".into()), long);
    let (name, words_of_request) = words(log().first(&start()).await);
    assert_eq!(name, of_request);
    assert!(words_of_request.contains(said), "{words_of_request}");
    let (name, _) = words(log().follow(&format!("{}/api/v1/logs?after=x", double.org())).await);
    assert_eq!(name, of_cursor);
}

#[rstest]
#[case::no_json(200, "<html>sign in here</html>", "24 bytes of text/html")]
#[case::no_list(200, "{}", "not with JSON")]
#[case::half(200, "[{\"uuid\":", "not with JSON")]
#[case::redirect(302, "", "redirect to `elsewhere.example`")]
#[tokio::test]
async fn what_is_no_page_is_no_page(#[case] status: u16, #[case] body: &'static str, #[case] said: &str) {
    let headers = || {
        vec![("content-type", "text/html".to_owned()), ("location", "https://elsewhere.example/".to_owned())]
    };
    let double = Double::start(move |_, _| (status, headers(), body.to_owned())).await;
    let (_, words) = words(log(&double).first(&start()).await);
    assert!(words.contains(said) || words.contains("bytes of"), "{words}");
    assert_eq!(double.seen().len(), 1);
}

#[tokio::test]
async fn a_closed_gate_is_told_and_not_waited_at() {
    let reset = vec![
        ("date", "Fri, 01 May 2026 12:00:00 GMT".to_owned()),
        ("x-rate-limit-limit", "60".to_owned()),
        ("x-rate-limit-reset", "1777636840".to_owned()),
    ];
    let double = Double::start(move |_, _| refused(429, "E0000047", reset.clone())).await;
    let long = Limits { longest_pause: Duration::from_secs(60), ..limits() };
    let log = log_of(config(&double.org(), "ssws".into()), long);
    assert_eq!(log.first(&start()).await, Err(LogTrouble::Throttled(Some(Duration::from_secs(40)))));
    let again = log.first(&start()).await;
    assert!(
        matches!(again, Err(LogTrouble::Throttled(Some(wait))) if wait <= Duration::from_secs(40)),
        "{again:?}"
    );
    assert_eq!(double.seen().len(), 1, "nothing leaves while the gate is closed");
}

#[tokio::test]
async fn a_page_above_the_cap_is_too_large() {
    let double = Double::start(|_, _| ok(&[], &format!("[{}]", "1,".repeat(1_000)))).await;
    let usual = limits();
    let small = Limits { page: idtriage::tenant::http::Allowance { body: 500, ..usual.page }, ..usual };
    let log = log_of(config(&double.org(), "ssws".into()), small);
    assert_eq!(log.first(&start()).await, Err(LogTrouble::TooLarge(500)));
}

#[tokio::test]
async fn how_far_the_clocks_are_apart_is_known() {
    let date = || vec![("date", "Fri, 01 May 2026 11:58:00 GMT".to_owned())];
    let double = Double::start(move |_, _| (200, date(), "[]".to_owned())).await;
    let page = log(&double).first(&start()).await.unwrap();
    assert_eq!(page.clock_ahead.map(|ahead| ahead.as_secs()), Some(-120));
    assert_eq!(page.sent().to_string(), "2026-05-01T11:58:00Z");
}

/// A service application; its token endpoint answers by itself.
async fn as_application(token: Reply) -> (Double, Arc<dyn SystemLog>) {
    let double = Double::start(move |asked, _| match asked {
        "/oauth2/v1/token" => token.clone(),
        _ => ok(&[], "[]"),
    })
    .await;
    let app = ServiceApp {
        client_id: "0oa1".into(),
        private_key: include_str!("../keys/ec.pem").into(),
        key_id: None,
        dpop: false,
    };
    let okta = Okta { org_url: double.org().parse().unwrap(), api_token: None, service_app: Some(app) };
    let config = Config { okta: Some(okta), ..config(&double.org(), "unused".into()) };
    (double, log_of(config, limits()))
}

#[tokio::test]
async fn an_application_reads_with_a_token_of_its_own_scope() {
    let token = json!({"access_token": "t", "expires_in": 3600}).to_string();
    let (double, log) = as_application((200, vec![], token)).await;
    log.first(&start()).await.unwrap();
    log.first(&start()).await.unwrap();
    let paths: Vec<String> =
        double.seen().into_iter().map(|(asked, _)| asked.split('?').next().unwrap().to_owned()).collect();
    assert_eq!(paths, ["/oauth2/v1/token", "/api/v1/logs", "/api/v1/logs"]);
}

#[rstest]
#[case(400, json!({"error": "invalid_scope", "error_description": "no"}), "Refused", "the scope `okta.logs.read`")]
#[case(401, json!({"error": "invalid_client", "error_description": "no"}), "Refused", "check `client_id`")]
#[case(503, json!({"error": "temporarily_unavailable"}), "NoAnswer", "")]
#[case(502, json!("<html>"), "NoAnswer", "")]
#[tokio::test]
async fn without_a_token_nothing_is_asked(
    #[case] status: u16,
    #[case] body: serde_json::Value,
    #[case] name: &str,
    #[case] said: &str,
) {
    let (double, log) = as_application((status, vec![], body.to_string())).await;
    let (trouble, words) = words(log.first(&start()).await);
    assert_eq!(trouble, name);
    assert!(words.contains(said), "{words}");
    assert!(double.seen().iter().all(|(asked, _)| asked == "/oauth2/v1/token"));
}
