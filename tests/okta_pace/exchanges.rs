//! What an exchange that was not made leaves as it was, and what may close a bucket at the last moment.

use crate::wait;
use async_trait::async_trait;
use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use idtriage::config::meant::Net;
use idtriage::tenant::Clearance;
use idtriage::tenant::http::{
    ActEnd, Allowance, Answer, Bucket, Clock, HeaderText, Http, HttpError, Limits, Redactor, Request, Signer,
    Wish,
};
use jiff::Timestamp;
use rstest::rstest;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use url::Url;

/// `/left/N` is answered with so many left until a minute from now, `/closed/N` with a 429 for N seconds,
/// and a POST is counted.
async fn org(posts: Arc<AtomicUsize>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = move |method: Method, uri: Uri| async move { answered(&posts, &method, uri.path()) };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    address
}

fn answered(posts: &AtomicUsize, method: &Method, path: &str) -> Response {
    posts.fetch_add(usize::from(method == Method::POST), Ordering::SeqCst);
    let reset = (Timestamp::now().as_second() + 60).to_string();
    match path.trim_start_matches('/').split_once('/') {
        Some(("left", left)) => {
            let rate = [("x-rate-limit-limit", "10"), ("x-rate-limit-reset", &reset)];
            (rate, [("x-rate-limit-remaining", left)], "{}").into_response()
        }
        Some(("closed", seconds)) => {
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", seconds)], "{}").into_response()
        }
        _ => "{}".into_response(),
    }
}

fn http(limits: Limits) -> Arc<Http> {
    Arc::new(Http::new(&Net::default(), limits, Clock::system(), Redactor::default()).unwrap())
}

fn url(address: SocketAddr, path: &str) -> Url {
    format!("http://{address}{path}").parse().unwrap()
}

fn users() -> Bucket {
    Bucket::okta("users")
}

/// Everything may leave.
struct Cleared;

#[async_trait]
impl Clearance for Cleared {
    async fn clear(&self) -> Result<(), String> {
        Ok(())
    }
}

/// While the first clearance is asked for, another call of the bucket is answered 429.
struct ClosedMeanwhile {
    http: Arc<Http>,
    closing: Url,
    asked: AtomicUsize,
}

#[async_trait]
impl Clearance for ClosedMeanwhile {
    async fn clear(&self) -> Result<(), String> {
        if self.asked.fetch_add(1, Ordering::SeqCst) == 0 {
            let closing = self.http.page(&users(), &Request::get(self.closing.clone())).await;
            assert_eq!(closing.unwrap().status, 429);
        }
        Ok(())
    }
}

/// The bucket closes for so many seconds while the call that acts has its turn; how that ends, how often the
/// clearance was asked for and how many POSTs left.
async fn closed_meanwhile(seconds: u32, patience: Duration) -> (ActEnd, usize, usize) {
    let posts = Arc::new(AtomicUsize::new(0));
    let org = org(posts.clone()).await;
    let usual = Limits::default();
    let http = http(Limits { act: Allowance { held: patience, ..usual.act }, ..usual });
    let closing = url(org, &format!("/closed/{seconds}"));
    let clearance = ClosedMeanwhile { http: http.clone(), closing, asked: AtomicUsize::new(0) };
    let end = http.act(&users(), &Request::post_nothing(url(org, "/suspend")), &clearance).await;
    (end, clearance.asked.into_inner(), posts.load(Ordering::SeqCst))
}

#[tokio::test]
async fn what_acts_does_not_leave_through_a_gate_that_closed_while_it_was_cleared() {
    let (end, asked, posts) = closed_meanwhile(60, Duration::ZERO).await;
    assert!(
        matches!(&end, ActEnd::NotSent(HttpError::Throttled { .. }, tries) if tries.is_empty()),
        "{end:?}"
    );
    assert_eq!((asked, posts), (1, 0));
}

#[tokio::test]
async fn what_acts_takes_another_turn_and_is_cleared_anew() {
    let (end, asked, posts) = closed_meanwhile(2, Duration::from_secs(60)).await;
    assert!(
        matches!(&end, ActEnd::Answered(answer, tries) if answer.status == 200 && tries.is_empty()),
        "{end:?}"
    );
    assert_eq!((asked, posts), (2, 1));
}

/// Nobody is cleared before so many have asked for it.
struct Together {
    count: usize,
    asked: watch::Sender<usize>,
}

#[async_trait]
impl Clearance for Together {
    async fn clear(&self) -> Result<(), String> {
        self.asked.send_modify(|asked| *asked += 1);
        let mut asked = self.asked.subscribe();
        asked.wait_for(|asked| *asked >= self.count).await.map(drop).map_err(|error| error.to_string())
    }
}

#[tokio::test]
async fn who_asks_for_a_clearance_keeps_no_seat_from_others() {
    let posts = Arc::new(AtomicUsize::new(0));
    let org = org(posts.clone()).await;
    let limits = Limits { act_gap: Duration::ZERO, ..Limits::default() };
    let (http, count) = (http(limits), limits.at_once + 1);
    let clearance = Together { count, asked: watch::Sender::new(0) };
    let (bucket, request) = (users(), Request::post_nothing(url(org, "/suspend")));
    let acts = join_all((0..count).map(|_| http.act(&bucket, &request, &clearance)));
    let ends = wait::within("more clearances than there are seats", acts).await;
    assert!(ends.iter().all(|end| matches!(end, ActEnd::Answered(..))), "{ends:?}");
    assert_eq!(posts.load(Ordering::SeqCst), count);
}

/// Writes down who is asked for, and lets everybody else have a go meanwhile.
struct Asked {
    name: usize,
    order: Arc<Mutex<Vec<usize>>>,
}

#[async_trait]
impl Clearance for Asked {
    async fn clear(&self) -> Result<(), String> {
        self.order.lock().unwrap().push(self.name);
        tokio::task::yield_now().await;
        Ok(())
    }
}

/// Where each waits for a place a while, those who come later pass nobody: else somebody may wait for ever.
#[tokio::test]
async fn who_came_first_acts_first() {
    let org = org(Arc::default()).await;
    let limits = Limits { act_gap: Duration::from_millis(5), ..Limits::default() };
    let (http, order) = (http(limits), Arc::new(Mutex::new(Vec::new())));
    let (bucket, request) = (Bucket::flow("f"), Request::post_nothing(url(org, "/suspend")));
    let cleared: Vec<Asked> = (0..30).map(|name| Asked { name, order: order.clone() }).collect();
    let acts = join_all(cleared.iter().map(|asked| http.act(&bucket, &request, asked)));
    let ends = wait::within("everybody to have acted", acts).await;
    assert!(ends.iter().all(|end| matches!(end, ActEnd::Answered(..))), "{ends:?}");
    let mut order = order.lock().unwrap().clone();
    order.dedup();
    assert_eq!(order, (0..30).collect::<Vec<_>>());
}

/// It never has a proof.
#[derive(Debug)]
struct Proofless;

impl Signer for Proofless {
    fn sign(&self, _: &Request, _: Timestamp) -> Result<Vec<(String, HeaderText)>, String> {
        Err("no key".to_owned())
    }

    fn heard(&self, _: &Request, _: &Answer) -> Wish {
        Wish::Nothing
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fails {
    Connecting,
    ConnectingToAct,
    Signing,
    Making,
}

/// One try that never leaves.
async fn fail(how: Fails, http: &Http, closed: SocketAddr) -> HttpError {
    let (bucket, request) = (users(), Request::get(url(closed, "/")));
    match how {
        Fails::Connecting => http.read(&bucket, &request).await.unwrap_err(),
        Fails::Signing => http.read(&bucket, &request.signed_by(Arc::new(Proofless))).await.unwrap_err(),
        Fails::Making => {
            let none = || Err(HttpError::Unsigned("no key".to_owned()));
            http.read_anew(&bucket, &request.url, none).await.unwrap_err()
        }
        Fails::ConnectingToAct => match http.act(&bucket, &request, &Cleared).await {
            ActEnd::NotSent(error, _) => error,
            end => panic!("{end:?}"),
        },
    }
}

#[rstest]
#[case(Fails::Connecting)]
#[case(Fails::ConnectingToAct)]
#[case(Fails::Signing)]
#[case(Fails::Making)]
#[tokio::test]
async fn what_never_left_uses_up_nothing(#[case] how: Fails) {
    let org = org(Arc::default()).await;
    // Bound and not listened on: nobody answers there, and nobody else can take it meanwhile.
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let usual = Limits::default();
    // Nobody waits for a window that is taken for used up.
    let at_once = |allowance| Allowance { held: Duration::ZERO, ..allowance };
    let limits = Limits { read: at_once(usual.read), act: at_once(usual.act), ..usual };
    let http = http(Limits { act_gap: Duration::ZERO, ..limits });
    http.read(&users(), &Request::get(url(org, "/left/2"))).await.unwrap();
    for _ in 0..3 {
        let error = fail(how, &http, closed.local_addr().unwrap()).await;
        assert!(matches!(error, HttpError::Unreachable { .. } | HttpError::Unsigned(_)), "{error}");
    }
    let answer = http.read(&users(), &Request::get(url(org, "/left/1"))).await.unwrap();
    assert_eq!(answer.status, 200);
}
