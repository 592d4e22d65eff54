//! Proofs that are not a secret in the head: a signature of the body, and the challenge that needs none.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

#[expect(dead_code, reason = "shared with the other tests of the listener")]
mod source_support;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use idtriage::config::meant::{Proof, Source, Webhook};
use idtriage::domain::SourceNote;
use idtriage::source::door::Door;
use idtriage::source::limits::Allowance;
use idtriage::source::refusal::Cause;
use idtriage::source::{Accept, Expects, ListenerHealth};
use jiff::Timestamp;
use rstest::rstest;
use sha2::Sha256;
use source_support::{Inbox, MESSAGE, chunked, clock, text, watched};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tower::ServiceExt as _;

const SIGNED: &str = "/hooks/signed";
const OKTA: &str = "/hooks/okta";
const CHALLENGE: &str = "x-okta-verification-challenge";

fn sources(okta_secret: &str) -> Vec<Source> {
    let hmac = Proof::Hmac { name: "x-signature".into(), secret: "k3y".into() };
    let shown = |secret: &str| Proof::Header { name: "authorization".into(), secret: secret.into() };
    vec![
        Source::posted("signed", "cii-webhook", Webhook::new(SIGNED, hmac)),
        Source::posted("okta", "okta-event-hook", Webhook::new(OKTA, shown(okta_secret))),
        Source::posted("cii", "cii-webhook", Webhook::new("/hooks/cii", shown("s3cret"))),
    ]
}

/// A door in front of an inbox.
struct Bench {
    router: Router,
    inbox: Arc<Inbox>,
    health: Arc<ListenerHealth>,
}

impl Bench {
    fn new(inbox: Inbox, allowance: Allowance, okta_secret: &str) -> Bench {
        let allowance = Allowance { refusal_pause: Duration::ZERO, ..allowance };
        let inbox = Arc::new(inbox);
        let accept = Arc::clone(&inbox) as Arc<dyn Accept>;
        let door = Door::new(&sources(okta_secret), allowance, accept, clock()).unwrap();
        let health = door.health();
        Bench { router: door.into_router(), inbox, health }
    }

    fn plain() -> Bench {
        Bench::new(Inbox::new(), Allowance::default(), "s3cret")
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    fn refused(&self, source: usize, cause: Cause) -> u64 {
        self.health.snapshot()[source].refused.get(cause.word()).copied().unwrap_or_default()
    }
}

fn digest(secret: &str, body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn signature(body: &[u8]) -> String {
    hex(&digest("k3y", body))
}

fn post(path: &str, name: &str, value: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).header(name, value).body(body.into()).unwrap()
}

fn signed(value: &str, body: impl Into<Body>) -> Request<Body> {
    post(SIGNED, "x-signature", value, body)
}

#[rstest]
#[case::hex(signature(MESSAGE.as_bytes()), true)]
#[case::prefixed(format!("sha256={}", signature(MESSAGE.as_bytes())), true)]
#[case::base64(STANDARD.encode(digest("k3y", MESSAGE.as_bytes())), true)]
#[case::base64_prefixed(format!("sha256={}", STANDARD.encode(digest("k3y", MESSAGE.as_bytes()))), true)]
#[case::base64_url(URL_SAFE_NO_PAD.encode(digest("k3y", MESSAGE.as_bytes())), true)]
#[case::of_another_body(signature(b"{}"), false)]
#[case::with_another_key(hex(&digest("key", MESSAGE.as_bytes())), false)]
#[case::the_secret_itself("k3y".to_owned(), false)]
#[case::cut(signature(MESSAGE.as_bytes())[..32].to_owned(), false)]
#[tokio::test]
async fn a_body_is_taken_as_it_was_signed(#[case] value: String, #[case] is_right: bool) {
    let bench = Bench::plain();
    let status = bench.send(signed(&value, MESSAGE)).await.status();
    let expected = if is_right { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
    assert_eq!((status, bench.inbox.kept().len()), (expected, usize::from(is_right)));
    assert_eq!(bench.refused(0, Cause::Proof), u64::from(!is_right));
}

#[tokio::test]
async fn what_is_not_proven_is_not_decoded() {
    let bench = Bench::plain();
    let nonsense = "not json";
    let unproven = bench.send(signed(&signature(b"other"), nonsense)).await;
    assert_eq!(unproven.status(), StatusCode::UNAUTHORIZED);
    assert!(!text(unproven).await.contains("JSON"));
    let proven = bench.send(signed(&signature(nonsense.as_bytes()), nonsense)).await;
    assert_eq!(proven.status(), StatusCode::BAD_REQUEST);
    assert_eq!((bench.refused(0, Cause::Proof), bench.refused(0, Cause::Malformed)), (1, 1));
}

#[rstest]
#[case::missing(None)]
#[case::empty(Some(""))]
#[case::no_signature(Some("sha256=hello"))]
#[tokio::test]
async fn without_a_signature_no_byte_of_the_body_is_read(#[case] value: Option<&str>) {
    let bench = Bench::plain();
    let was_read = Arc::new(AtomicBool::new(false));
    let mut request = Request::post(SIGNED).body(watched(&was_read)).unwrap();
    if let Some(value) = value {
        request.headers_mut().insert("x-signature", HeaderValue::from_str(value).unwrap());
    }
    assert_eq!(bench.send(request).await.status(), StatusCode::UNAUTHORIZED);
    assert!(!was_read.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_signed_body_has_the_same_limit() {
    let bench = Bench::plain();
    let room = 8 * 1024 * 1024 - MESSAGE.len();
    let whole = format!("{MESSAGE}{}", " ".repeat(room));
    let sent = signed(&signature(whole.as_bytes()), whole.clone());
    assert_eq!(bench.send(sent).await.status(), StatusCode::OK);
    let one_more = whole + " ";
    let sent = signed(&signature(one_more.as_bytes()), one_more);
    assert_eq!(bench.send(sent).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let unannounced = signed(&signature(b""), chunked(9, 1024 * 1024));
    assert_eq!(bench.send(unannounced).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

/// Bytes, then nothing and no end.
fn stuck(bytes: usize) -> Body {
    use futures_util::StreamExt as _;
    let start =
        futures_util::stream::iter([Ok::<_, std::convert::Infallible>(Bytes::from(vec![b' '; bytes]))]);
    Body::from_stream(start.chain(futures_util::stream::pending()))
}

#[tokio::test]
async fn unproven_bodies_crowd_out_nobody() {
    let allowance = Allowance { unproven: 1_000, in_flight: 1_000, waiting: 1, ..Allowance::default() };
    let bench = Bench::new(Inbox::new(), allowance, "s3cret");
    let strangers: Vec<_> = (0..20)
        .map(|_| tokio::spawn(bench.router.clone().oneshot(signed(&signature(b"x"), stuck(400)))))
        .collect();
    // Two fit; every other made the oldest leave.
    let left = async {
        while bench.refused(0, Cause::Busy) < 18 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(45), left).await.unwrap();
    let known = post("/hooks/cii", "authorization", "s3cret", MESSAGE);
    assert_eq!(
        bench.send(known).await.status(),
        StatusCode::OK,
        "a secret in the head needs none of that room"
    );
    // Larger than what the two leave free: they make room, and no other.
    let large = format!("{MESSAGE}{}", " ".repeat(500));
    let sent = signed(&signature(large.as_bytes()), large);
    assert_eq!(bench.send(sent).await.status(), StatusCode::OK);
    assert_eq!(bench.refused(0, Cause::Busy), 19);
    strangers.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn the_room_of_the_unproven_is_given_back() {
    let allowance = Allowance { unproven: 100, in_flight: 100, waiting: 1, ..Allowance::default() };
    let bench = Bench::new(Inbox::new(), allowance, "s3cret");
    for _ in 0..5 {
        let right = signed(&signature(MESSAGE.as_bytes()), MESSAGE);
        assert_eq!(bench.send(right).await.status(), StatusCode::OK);
        assert_eq!(bench.send(signed(&signature(b"x"), MESSAGE)).await.status(), StatusCode::UNAUTHORIZED);
        let large = " ".repeat(101);
        let sent = signed(&signature(large.as_bytes()), large);
        assert_eq!(bench.send(sent).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}

#[tokio::test]
async fn a_signed_body_that_does_not_come_is_408() {
    let allowance = Allowance { body_time: Duration::ZERO, ..Allowance::default() };
    let bench = Bench::new(Inbox::new(), allowance, "s3cret");
    let response = bench.send(signed(&signature(b"x"), stuck(1))).await;
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
}

fn challenge(path: &str, value: &str) -> Request<Body> {
    Request::get(path).header(CHALLENGE, value).body(Body::empty()).unwrap()
}

#[rstest]
#[case::without_the_secret(None)]
#[case::with_it(Some("s3cret"))]
#[case::with_a_wrong_one(Some("wrong"))]
#[tokio::test]
async fn a_challenge_is_answered_and_nothing_is_stored(#[case] secret: Option<&str>) {
    let bench = Bench::plain();
    let mut request = challenge(OKTA, "My 1st \"challenge\" \\ </script>");
    if let Some(secret) = secret {
        request.headers_mut().insert(header::AUTHORIZATION, HeaderValue::from_str(secret).unwrap());
    }
    let response = bench.send(request).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    let said: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(said, serde_json::json!({"verification": "My 1st \"challenge\" \\ </script>"}));
    assert!(bench.inbox.kept().is_empty());
    let health = &bench.health.snapshot()[1];
    let answered = "verifications answered: 1, the last at 1970-01-01T00:00:00Z";
    assert_eq!(health.notes, [SourceNote::fact(answered)]);
    assert_eq!((health.accepted, health.refusals()), (0, 0));
    // Anybody can ask: that is no sign of life of the sender.
    let alive = (secret == Some("s3cret")).then_some(Timestamp::UNIX_EPOCH);
    assert_eq!(health.last_alive, alive);
}

#[rstest]
#[case::the_longest(vec![b'a'; 1024], StatusCode::OK)]
#[case::longer(vec![b'a'; 1025], StatusCode::BAD_REQUEST)]
#[case::no_ascii("é".as_bytes().to_vec(), StatusCode::BAD_REQUEST)]
#[case::no_text(vec![b'a', 0xff], StatusCode::BAD_REQUEST)]
#[case::empty(Vec::new(), StatusCode::BAD_REQUEST)]
#[case::blank(b"\t ".to_vec(), StatusCode::BAD_REQUEST)]
#[tokio::test]
async fn odd_challenges_are_not_sent_back(#[case] value: Vec<u8>, #[case] expected: StatusCode) {
    let bench = Bench::plain();
    let mut request = challenge(OKTA, "x");
    request.headers_mut().insert(CHALLENGE, HeaderValue::from_bytes(&value).unwrap());
    let response = bench.send(request).await;
    assert_eq!(response.status(), expected);
    let is_refused = expected != StatusCode::OK;
    assert_eq!(bench.refused(1, Cause::Challenge), u64::from(is_refused));
    assert_eq!(text(response).await.contains("the challenge: it is"), is_refused);
}

#[tokio::test]
async fn two_challenges_at_once_are_odd() {
    let mut request = challenge(OKTA, "one");
    request.headers_mut().append(CHALLENGE, HeaderValue::from_static("two"));
    assert_eq!(Bench::plain().send(request).await.status(), StatusCode::BAD_REQUEST);
}

#[rstest]
#[case::no_challenge(OKTA, Request::get(OKTA).header("authorization", "s3cret"))]
#[case::another_type("/hooks/cii", Request::get("/hooks/cii").header(CHALLENGE, "x"))]
#[case::head(OKTA, Request::head(OKTA).header(CHALLENGE, "x"))]
#[tokio::test]
async fn any_other_get_is_405(#[case] _path: &str, #[case] request: axum::http::request::Builder) {
    let bench = Bench::plain();
    let response = bench.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert!(bench.health.snapshot().iter().all(|source| source.notes.is_empty()));
}

#[tokio::test]
async fn a_challenge_in_a_post_is_an_ordinary_post() {
    let bench = Bench::plain();
    let request = post(OKTA, CHALLENGE, "x", MESSAGE);
    assert_eq!(bench.send(request).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(bench.refused(1, Cause::Proof), 1);
}

#[tokio::test]
async fn a_source_that_takes_nothing_is_not_verified() {
    let bench = Bench::new(Inbox::new(), Allowance::default(), "");
    assert_eq!(bench.send(challenge(OKTA, "x")).await.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn an_event_hook_is_answered_with_nothing() {
    let bench = Bench::plain();
    let call = r#"{"eventType":"com.okta.event_hook","data":{"events":[{"uuid":"u1","eventType":"user.risk.change"}]}}"#;
    let response = bench.send(post(OKTA, "authorization", "s3cret", call)).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!((text(response).await.as_str(), bench.inbox.kept().len()), ("", 1));
}

/// A call of so many events, in an envelope of 100 bytes and more.
fn call_of(events: usize) -> Request<Body> {
    let events = vec!["{}"; events].join(",");
    let pad = "x".repeat(100);
    let call =
        format!(r#"{{"eventType":"com.okta.event_hook","pad":"{pad}","data":{{"events":[{events}]}}}}"#);
    post(OKTA, "authorization", "s3cret", call)
}

#[tokio::test]
async fn what_a_body_became_counts_until_it_is_committed() {
    // Ten elements take 2,000 bytes and more, though their body takes 200; two of them find room.
    let allowance = Allowance { in_flight: 3_000, ..Allowance::default() };
    let bench = Bench::new(Inbox::slow(), allowance, "s3cret");
    let first = tokio::spawn(bench.router.clone().oneshot(call_of(10)));
    bench.inbox.entered.acquire().await.unwrap().forget();
    let refused = bench.send(call_of(9)).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(text(refused).await.contains("too many bytes in flight"));
    assert!(bench.inbox.kept().is_empty(), "it was refused before it came to the store");
    bench.inbox.may_commit.add_permits(1);
    assert_eq!(first.await.unwrap().unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(bench.send(call_of(9)).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(bench.inbox.kept().len(), 19);
}

#[test]
fn an_event_hook_is_answered_sooner_than_okta_gives_up() {
    let limits = idtriage::source::limits::Limits::new(Allowance::default());
    let time = |expects: Expects| limits.handler_time(expects.answer_time);
    assert_eq!(time(Expects::USUAL), Duration::from_secs(4));
    assert!(time(Expects::OKTA_HOOK) <= Duration::from_millis(2_500));
}
