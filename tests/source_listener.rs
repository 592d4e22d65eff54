//! What a sender is answered, and what that answer means.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

#[expect(dead_code, reason = "what becomes of a payload is the conformance table's business")]
mod payload_support;
mod source_support;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use idtriage::config::meant::{Address, Listen, Mapping, Place, Proof, Source, Webhook};
use idtriage::domain::SourceState;
use idtriage::source::door::{Door, NoDoor};
use idtriage::source::limits::Allowance;
use idtriage::source::refusal::Cause;
use idtriage::source::{Accept, Arrival, ListenError, Listener, ListenerHealth};
use jiff::Timestamp;
use payload_support::fixtures;
use rstest::rstest;
use source_support::{Inbox, MESSAGE, chunked, clock, text, watched};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tower::ServiceExt as _;

fn source(name: &str, path: &str, proof: Proof) -> Source {
    Source::posted(name, "cii-webhook", Webhook::new(path, proof))
}

fn sources() -> Vec<Source> {
    let header = Proof::Header { name: "x-api-client-token".into(), secret: "s3cret".into() };
    let basic = Proof::Basic { user: "cii".into(), secret: "pass".into() };
    let query = Proof::Query { name: "key".into(), secret: "k3y".into() };
    vec![
        source("by-header", "/hooks/cii", header),
        source("by-basic", "/hooks/basic", basic),
        source("by-query", "/hooks/query", query),
    ]
}

fn allowance() -> Allowance {
    Allowance { refusal_pause: Duration::ZERO, ..Allowance::default() }
}

/// A door in front of an inbox.
struct Bench {
    router: Router,
    inbox: Arc<Inbox>,
    health: Arc<ListenerHealth>,
}

impl Bench {
    fn new(inbox: Inbox, allowance: Allowance) -> Bench {
        let inbox = Arc::new(inbox);
        let door = Door::new(&sources(), allowance, Arc::clone(&inbox) as Arc<dyn Accept>, clock()).unwrap();
        let health = door.health();
        Bench { router: door.into_router(), inbox, health }
    }

    fn plain() -> Bench {
        Bench::new(Inbox::new(), allowance())
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// How often the first source refused for a cause.
    fn refused(&self, cause: Cause) -> u64 {
        self.health.snapshot()[0].refused.get(cause.word()).copied().unwrap_or_default()
    }
}

fn post(path: &str, name: &str, value: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).header(name, value).body(body.into()).unwrap()
}

/// With the right secret.
fn known(body: impl Into<Body>) -> Request<Body> {
    post("/hooks/cii", "x-api-client-token", "s3cret", body)
}

#[rstest]
#[case::header("/hooks/cii", "x-api-client-token", "s3cret", "by-header")]
#[case::basic("/hooks/basic", "authorization", "Basic Y2lpOnBhc3M=", "by-basic")]
#[case::query("/hooks/query?key=k3y", "accept", "*/*", "by-query")]
#[tokio::test]
async fn what_is_answered_2xx_is_kept(
    #[case] path: &str,
    #[case] name: &str,
    #[case] value: &str,
    #[case] source: &str,
) {
    let bench = Bench::plain();
    let response = bench.send(post(path, name, value, MESSAGE)).await;
    assert_eq!(response.status(), StatusCode::OK);
    let expected = Arrival { source: source.into(), source_type: "cii-webhook", raw: MESSAGE.into() };
    assert_eq!(bench.inbox.kept(), [expected]);
    let health = bench.health.snapshot().into_iter().find(|health| health.name.0 == source).unwrap();
    assert_eq!((health.accepted, health.last_accepted), (1, Some(Timestamp::UNIX_EPOCH)));
}

#[rstest]
#[case::wrong("/hooks/cii", "x-api-client-token", "wrong")]
#[case::missing("/hooks/cii", "accept", "*/*")]
#[case::of_another_source("/hooks/basic", "x-api-client-token", "s3cret")]
#[case::basic("/hooks/basic", "authorization", "Basic Y2lpOndyb25n")]
#[case::query("/hooks/query?key=wrong", "accept", "*/*")]
#[tokio::test]
async fn a_wrong_secret_is_answered_before_the_body_is_read(
    #[case] path: &str,
    #[case] name: &str,
    #[case] value: &str,
) {
    let bench = Bench::plain();
    let was_read = Arc::new(AtomicBool::new(false));
    let response = bench.send(post(path, name, value, watched(&was_read))).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(response.headers().contains_key(header::WWW_AUTHENTICATE));
    assert!(!was_read.load(Ordering::SeqCst));
    assert!(bench.inbox.kept().is_empty());
    let health = bench.health.snapshot();
    let refused: u64 = health.iter().filter_map(|source| source.refused.get(Cause::Proof.word())).sum();
    assert_eq!(refused, 1);
}

#[rstest]
#[case("not json", "the body is not JSON (line 1, column 2)")]
#[case("[1]", "the body is a list, not an object")]
#[case("{}", "`detail` is missing, not an object")]
#[case(r#"{"detail":"text"}"#, "`detail` is a text, not an object")]
#[tokio::test]
async fn what_is_no_message_is_400_with_the_reason(#[case] body: &'static str, #[case] reason: &str) {
    let bench = Bench::plain();
    let response = bench.send(known(body)).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(text(response).await.contains(reason));
    assert_eq!(bench.refused(Cause::Malformed), 1);
    assert!(bench.inbox.kept().is_empty());
}

#[tokio::test]
async fn bytes_that_are_no_text_are_400() {
    let response = Bench::plain().send(known(b"{\"detail\":{\"x\":\"\xff\"}}".to_vec())).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

/// Some writers put a mark in front of their JSON.
#[tokio::test]
async fn a_byte_order_mark_is_no_part_of_a_body() {
    let bench = Bench::plain();
    assert_eq!(bench.send(known(format!("\u{feff}{MESSAGE}"))).await.status(), StatusCode::OK);
    assert_eq!(&*bench.inbox.kept()[0].raw, MESSAGE);
    assert_eq!(
        bench.send(known(format!("\u{feff}\u{feff}{MESSAGE}"))).await.status(),
        StatusCode::BAD_REQUEST
    );
}

#[rstest]
#[case("gzip", StatusCode::UNSUPPORTED_MEDIA_TYPE)]
#[case("identity, br", StatusCode::UNSUPPORTED_MEDIA_TYPE)]
#[case("Identity", StatusCode::OK)]
#[tokio::test]
async fn a_compressed_body_is_called_one(#[case] coding: &str, #[case] expected: StatusCode) {
    let bench = Bench::plain();
    let mut request = known(MESSAGE);
    request.headers_mut().insert(header::CONTENT_ENCODING, coding.parse().unwrap());
    assert_eq!(bench.send(request).await.status(), expected);
    assert_eq!(bench.refused(Cause::Compressed), u64::from(expected != StatusCode::OK));
}

#[tokio::test]
async fn a_detail_without_check_or_login_is_kept() {
    let bench = Bench::plain();
    assert_eq!(bench.send(known(r#"{"detail":{}}"#)).await.status(), StatusCode::OK);
    assert_eq!(bench.inbox.kept().len(), 1);
}

#[tokio::test]
async fn a_body_of_the_limit_is_read_and_one_more_byte_is_413() {
    let bench = Bench::plain();
    let room = 8 * 1024 * 1024 - MESSAGE.len();
    let whole = format!("{MESSAGE}{}", " ".repeat(room));
    assert_eq!(bench.send(known(whole.clone())).await.status(), StatusCode::OK);
    assert_eq!(bench.send(known(whole + " ")).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn an_announced_length_is_413_at_once() {
    let bench = Bench::plain();
    let was_read = Arc::new(AtomicBool::new(false));
    let mut request = known(watched(&was_read));
    request.headers_mut().insert(header::CONTENT_LENGTH, "8388609".parse().unwrap());
    assert_eq!(bench.send(request).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(!was_read.load(Ordering::SeqCst));
}

#[rstest]
#[case::unannounced(None)]
#[case::lied(Some("2"))]
#[tokio::test]
async fn a_body_that_says_less_than_it_sends_is_413(#[case] announced: Option<&str>) {
    let bench = Bench::plain();
    let mut request = known(chunked(9, 1024 * 1024));
    if let Some(length) = announced {
        request.headers_mut().insert(header::CONTENT_LENGTH, length.parse().unwrap());
    }
    assert_eq!(bench.send(request).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(bench.refused(Cause::TooLarge), 1);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_408() {
    let allowance = Allowance { body_time: Duration::ZERO, ..allowance() };
    let bench = Bench::new(Inbox::new(), allowance);
    let response = bench.send(known(watched(&Arc::default()))).await;
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn a_store_that_cannot_is_503() {
    let bench = Bench::new(Inbox::full(), allowance());
    let response = bench.send(known(MESSAGE)).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key(header::RETRY_AFTER));
    assert_eq!(bench.refused(Cause::NotWritable), 1);
    assert_eq!(bench.health.snapshot()[0].accepted, 0);
    assert_eq!(text(response).await, r#"{"error":"the store cannot be written now"}"#);
}

#[tokio::test]
async fn a_store_that_does_not_answer_in_time_is_503() {
    let allowance = Allowance { handler_time: Duration::ZERO, ..allowance() };
    let bench = Bench::new(Inbox::slow(), allowance);
    assert_eq!(bench.send(known(MESSAGE)).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(bench.inbox.kept().is_empty());
}

#[rstest]
#[case::places(Allowance { waiting: 1, ..allowance() })]
#[case::bytes(Allowance { in_flight: 100, ..allowance() })]
#[tokio::test]
async fn what_still_waits_for_the_store_counts_when_its_sender_is_gone(#[case] allowance: Allowance) {
    let bench = Bench::new(Inbox::slow(), allowance);
    let gone = tokio::spawn(bench.router.clone().oneshot(known(MESSAGE)));
    bench.inbox.entered.acquire().await.unwrap().forget();
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    assert_eq!(bench.send(known(MESSAGE)).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    bench.inbox.may_commit.add_permits(1);
    let answered = async {
        while bench.send(known(MESSAGE)).await.status() != StatusCode::OK {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(45), answered).await.unwrap();
    assert_eq!(bench.inbox.kept().len(), 2, "what was sent before was kept too");
}

#[tokio::test]
async fn the_answer_waits_for_the_commit() {
    let bench = Bench::new(Inbox::slow(), allowance());
    let answer = tokio::spawn(bench.router.clone().oneshot(known(MESSAGE)));
    bench.inbox.entered.acquire().await.unwrap().forget();
    assert!(!answer.is_finished());
    assert!(bench.inbox.kept().is_empty());
    bench.inbox.may_commit.add_permits(1);
    assert_eq!(answer.await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!(bench.inbox.kept().len(), 1);
}

#[rstest]
#[case::places(Allowance { waiting: 0, ..allowance() })]
#[case::bytes(Allowance { in_flight: 10, ..allowance() })]
#[tokio::test]
async fn what_is_full_is_503_with_retry_after(#[case] allowance: Allowance) {
    let bench = Bench::new(Inbox::new(), allowance);
    let response = bench.send(known(MESSAGE)).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    assert_eq!(bench.refused(Cause::Busy), 1);
}

#[tokio::test]
async fn what_was_taken_is_given_back() {
    let bench = Bench::new(Inbox::new(), Allowance { in_flight: 100, waiting: 1, ..allowance() });
    for _ in 0..5 {
        assert_eq!(bench.send(known(MESSAGE)).await.status(), StatusCode::OK);
        assert_eq!(bench.send(known("{}")).await.status(), StatusCode::BAD_REQUEST);
        assert_eq!(bench.send(known(" ".repeat(101))).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}

#[tokio::test]
async fn guessing_is_held_back_and_the_right_secret_is_not() {
    let held = Allowance { refusal_pause: Duration::from_secs(3600), refusals_held: 1, ..allowance() };
    let bench = Bench::new(Inbox::new(), held);
    let wrong = || post("/hooks/cii", "x-api-client-token", "wrong", "");
    let guess = tokio::spawn(bench.router.clone().oneshot(wrong()));
    while bench.refused(Cause::Proof) == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!guess.is_finished());
    assert_eq!(bench.send(known(MESSAGE)).await.status(), StatusCode::OK);
    let beyond_the_room = bench.send(wrong()).await;
    assert_eq!(beyond_the_room.status(), StatusCode::UNAUTHORIZED);
    guess.abort();
}

#[tokio::test]
async fn other_methods_and_paths() {
    let bench = Bench::plain();
    let get = Request::get("/hooks/cii").body(Body::empty()).unwrap();
    let response = bench.send(get).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()[header::ALLOW], "POST");
    let stray = post("/elsewhere", "x-api-client-token", "s3cret", MESSAGE);
    assert_eq!(bench.send(stray).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(bench.health.strays(), 1);
}

#[tokio::test]
async fn a_source_without_a_secret_does_not_start() {
    let empty = Proof::Header { name: "x-api-client-token".into(), secret: "".into() };
    let sources = [source("open", "/open", empty)];
    let door = Door::new(&sources, allowance(), Arc::new(Inbox::new()), clock()).unwrap();
    let health = door.health();
    assert!(
        matches!(&health.snapshot()[0].state, SourceState::Failed { why } if why.contains("secret is empty"))
    );
    let response =
        door.into_router().oneshot(post("/open", "x-api-client-token", "", MESSAGE)).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[rstest]
#[case(&["/a", "/a"], "another source has too")]
#[case(&["hooks"], "does not begin with `/`")]
fn paths_that_cannot_be_told_apart_are_no_door(#[case] paths: &[&str], #[case] phrase: &str) {
    let proof = Proof::Query { name: "k".into(), secret: "v".into() };
    let sources: Vec<Source> = paths.iter().map(|path| source("x", path, proof.clone())).collect();
    let error: NoDoor = Door::new(&sources, allowance(), Arc::new(Inbox::new()), clock()).unwrap_err();
    assert!(error.to_string().contains(phrase), "{error}");
}

fn loopback() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

async fn bind(addr: SocketAddr, inbox: &Arc<Inbox>) -> Result<Listener, ListenError> {
    let listen = Listen { address: Address::Tcp(addr), tls: None };
    Listener::bind(&listen, &sources(), Arc::clone(inbox) as Arc<dyn Accept>, clock()).await
}

#[tokio::test]
async fn a_taken_port_is_told_as_that() {
    let inbox = Arc::new(Inbox::new());
    let first = bind(loopback(), &inbox).await.unwrap();
    let error = bind(first.local_addr().unwrap(), &inbox).await.unwrap_err();
    assert!(matches!(error, ListenError::AddressTaken(_)));
    assert!(error.to_string().contains("another program listens"), "{error}");
}

#[rstest]
#[case("0.0.0.0:0")]
#[case("[::]:0")]
#[case("192.0.2.1:80")]
#[tokio::test]
async fn beyond_loopback_is_refused_without_tls(#[case] addr: &str) {
    let error = bind(addr.parse().unwrap(), &Arc::new(Inbox::new())).await.unwrap_err();
    assert!(matches!(error, ListenError::NotLoopback(_)));
    assert!(error.to_string().contains("hint: listen on `127.0.0.1:"), "{error}");
}

/// A served listener, and the switch that stops it.
struct Served {
    addr: SocketAddr,
    health: Arc<ListenerHealth>,
    inbox: Arc<Inbox>,
    stop: watch::Sender<bool>,
    ended: tokio::task::JoinHandle<()>,
}

async fn serve(inbox: Inbox) -> Served {
    let inbox = Arc::new(inbox);
    let listener = bind(loopback(), &inbox).await.unwrap();
    let (addr, health) = (listener.local_addr().unwrap(), listener.health());
    let (stop, stopped) = watch::channel(false);
    Served { addr, health, inbox, stop, ended: tokio::spawn(listener.serve(stopped)) }
}

fn head(secret: &str, length: usize) -> String {
    format!(
        "POST /hooks/cii HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-api-client-token: {secret}\r\ncontent-length: {length}\r\n\r\n"
    )
}

async fn answer(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn over_a_socket_the_stop_waits_for_the_request_in_flight() {
    let served = serve(Inbox::slow()).await;
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    stream.write_all(format!("{}{MESSAGE}", head("s3cret", MESSAGE.len())).as_bytes()).await.unwrap();
    served.inbox.entered.acquire().await.unwrap().forget();
    assert_eq!(served.health.snapshot()[0].state, SourceState::Running);
    served.stop.send(true).unwrap();
    served.inbox.may_commit.add_permits(1);
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200 "));
    drop(stream);
    served.ended.await.unwrap();
    assert_eq!(served.inbox.kept().len(), 1);
    assert_eq!(served.health.snapshot()[0].state, SourceState::Stopped);
    assert!(TcpStream::connect(served.addr).await.is_err());
}

#[rstest]
#[case::too_large("s3cret", "HTTP/1.1 413 ")]
#[case::unknown("wrong", "HTTP/1.1 401 ")]
#[tokio::test]
async fn a_sender_in_the_middle_of_a_large_body_still_sees_the_answer(
    #[case] secret: &str,
    #[case] status: &str,
) {
    let served = serve(Inbox::new()).await;
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    let length = 9 * 1024 * 1024;
    stream.write_all(head(secret, length).as_bytes()).await.unwrap();
    stream.write_all(&vec![b' '; length]).await.unwrap();
    assert!(answer(&mut stream).await.starts_with(status));
}

/// The record of a log has no sender: it is asked for.
#[tokio::test]
async fn every_payload_that_is_posted_is_answered_2xx_and_kept_as_it_came() {
    for fixture in fixtures().iter().filter(|fixture| fixture.source_type.name != "okta-system-log") {
        let proof = Proof::Header { name: "x-secret".into(), secret: "s3cret".into() };
        let webhook = Webhook {
            mapping: fixture.reading.mappings.get(&fixture.source).cloned(),
            ..Webhook::new("/hooks/it", proof)
        };
        let source = Source::posted("it", fixture.source_type.name, webhook);
        let inbox = Arc::new(Inbox::new());
        let accept = Arc::clone(&inbox) as Arc<dyn Accept>;
        let door = Door::new(&[source], Allowance::default(), accept, clock()).unwrap();
        let post = Request::post("/hooks/it").header("x-secret", "s3cret");
        let post = post.body(Body::from(fixture.body.clone())).unwrap();
        let answer = door.into_router().oneshot(post).await.unwrap();
        let is_hook = fixture.source_type.name == "okta-event-hook";
        let expected = if is_hook { StatusCode::NO_CONTENT } else { StatusCode::OK };
        assert_eq!(answer.status(), expected, "{}", fixture.path.display());
        let kept: Vec<Arc<str>> = inbox.kept().into_iter().map(|arrival| arrival.raw).collect();
        assert_eq!(kept, fixture.elements().unwrap(), "{}", fixture.path.display());
    }
}

/// What arrives and opens no finding, because the sender's form is another than the mapping's, is to be seen of the
/// source: nobody opens records that are not in the feed.
#[tokio::test]
async fn what_a_mapping_does_not_apply_to_is_said_of_its_source() {
    let mut mapping = Mapping { items: Some("/list".to_owned()), ..Mapping::default() };
    for (part, place) in [("check", "/c"), ("title", "/t")] {
        *mapping.part(part).unwrap() = Some(Place::of(place));
    }
    let proof = Proof::Header { name: "x-secret".into(), secret: "s3cret".into() };
    let webhook = Webhook { mapping: Some(mapping), ..Webhook::new("/hooks/it", proof) };
    let source = Source::posted("it", "generic-webhook", webhook);
    let door = Door::new(&[source], Allowance::default(), Arc::new(Inbox::new()), clock()).unwrap();
    let (health, router) = (door.health(), door.into_router());
    let post = async |body: &str| {
        let post = Request::post("/hooks/it").header("x-secret", "s3cret");
        let answer = router.clone().oneshot(post.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        health.snapshot()[0].notes.clone()
    };
    assert_eq!(post(r#"{"list":[{"c":"mfa","t":"No MFA"}]}"#).await, []);
    let notes = post(r#"{"list":[{"t":"x"},{"c":"mfa","t":"x"},{"c":"mfa","title":"x"}]}"#).await;
    assert!(notes.len() == 1 && notes[0].is_warning(), "{notes:?}");
    let text = &notes[0].text;
    assert!(text.starts_with("kept without a finding: 2, the last at "), "{text}");
    assert!(text.ends_with("the mapping does not apply: `/t` (title) found nothing"), "{text}");
    // As soon as something fits it is a fact, and not a trouble.
    let notes = post(r#"{"list":[{"c":"mfa","t":"No MFA"}]}"#).await;
    assert!(notes.len() == 1 && !notes[0].is_warning(), "{notes:?}");
}
