//! What every request passes: it is recorded, held back, refused or spoiled by the faults in force, and its reply gets the
//! headers that every reply of its system carries.
use super::clock::http_date;
use super::contract::Callers;
use super::faults::{FaultKind, Part};
use super::limits::{Rate, USER_READS, Verdict, okta_bucket};
use super::okta::OktaError;
use super::recorder::Recorded;
use super::secrets::token;
use super::server::{Cut, cut};
use super::world::World;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Response};
use futures_util::{StreamExt as _, stream};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// No request of any client comes near.
const LARGEST_BODY: usize = 1 << 20;

/// The id of this request in Okta's reply headers and System Log.
#[derive(Debug, Clone)]
pub(crate) struct RequestId {
    pub(crate) id: String,
    /// What the caller calls itself.
    pub(crate) agent: Option<String>,
}

/// The outermost layer.
pub(crate) async fn gate(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    // Before its body is read: a request that is never read to its end was asked all the same.
    let ticket = world.recorder.note(record(&world, &parts));
    let agent = parts.headers.get("user-agent").and_then(|agent| agent.to_str().ok());
    let id = RequestId { id: token("a", 15), agent: agent.map(str::to_owned) };
    parts.extensions.insert(id.clone());
    let part = Part::of(parts.uri.path());
    let mut response = match to_bytes(body, LARGEST_BODY).await {
        Ok(body) => {
            world.recorder.came(ticket, &body);
            hold_to_contract(&world, &parts, &body);
            answer(&world, part, parts, body, next).await
        }
        Err(_) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
    };
    decorate(&world, part, &id, &mut response);
    let sent = response.extensions().get::<Cut>().is_none();
    world.recorder.answered(ticket, if sent { response.status().as_u16() } else { 0 });
    response
}

/// Calls of the Okta org, its token endpoint among them, are held to what is documented.
fn hold_to_contract(world: &World, parts: &Parts, body: &[u8]) {
    let path = parts.uri.path();
    let is_okta = Part::of(path) == Part::Okta || path == "/oauth2/v1/token";
    if world.callers == Callers::Anybody || !is_okta {
        return;
    }
    let authorization = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let scheme = authorization.and_then(|text| text.split(' ').next()).unwrap_or_default();
    let shows_secret = |url: &str| {
        let issued = world.tokens.issued();
        let secrets = issued.iter().chain([&world.secrets.okta_token]);
        secrets.map(|secret| secret.expose_secret()).any(|secret| url.contains(secret))
    };
    world.violations.check(&record(world, parts), (scheme, body), shows_secret);
}

fn record(world: &World, parts: &Parts) -> Recorded {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Recorded {
        at: world.clock.now(),
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: String::new(),
        status: 0,
    }
}

async fn answer(world: &World, part: Part, parts: Parts, body: Bytes, next: Next) -> Response {
    if let Some(latency) = world.faults.latency(part) {
        world.clock.sleep(latency).await;
    }
    if world.faults.take(FaultKind::Drop, part) {
        return cut();
    }
    let verdict = (part == Part::Okta).then(|| count(world, &parts));
    let is_change = parts.method != Method::GET;
    let mut response = match early_refusal(world, part, &parts, verdict) {
        Some(refusal) => refusal,
        None => next.run(Request::from_parts(parts, Body::from(body))).await,
    };
    if let Some(verdict) = verdict {
        rate_headers(response.headers_mut(), verdict);
    }
    if is_change && world.faults.take(FaultKind::ChangeLost, part) {
        return cut();
    }
    spoil(world, part, response).await
}

fn count(world: &World, parts: &Parts) -> Verdict {
    let (bucket, rate) = okta_bucket(parts.method.as_str(), parts.uri.path());
    let rate = match bucket {
        "logs" => Rate { calls: world.log_calls, ..rate },
        "user" => Rate { calls: world.user_reads, ..rate },
        // Fewer reads of the user leave them as they are.
        "user parts" if world.user_reads > USER_READS => Rate { calls: world.user_reads, ..rate },
        _ => rate,
    };
    world.limits.count(bucket, rate, world.clock.now())
}

/// Refusals that come before any handler.
fn early_refusal(world: &World, part: Part, parts: &Parts, verdict: Option<Verdict>) -> Option<Response> {
    if part == Part::Okta && lacks_length(&parts.method, &parts.headers) {
        return Some(StatusCode::LENGTH_REQUIRED.into_response());
    }
    if verdict.is_some_and(|verdict| !verdict.allowed) {
        return Some(OktaError::too_many().into_response());
    }
    const STATUS_FAULTS: [FaultKind; 8] = [
        FaultKind::Unauthorized,
        FaultKind::Forbidden,
        FaultKind::RateLimit,
        FaultKind::BareLimit,
        FaultKind::Concurrency,
        FaultKind::ServerError,
        FaultKind::BadGateway,
        FaultKind::Unavailable,
    ];
    let kind = STATUS_FAULTS.into_iter().find(|kind| world.faults.take(*kind, part))?;
    Some(refusal(world, part, kind))
}

/// Okta answers 411 to a body-less POST or PUT without `Content-Length: 0`.
fn lacks_length(method: &Method, headers: &HeaderMap) -> bool {
    let writes = method == Method::POST || method == Method::PUT;
    writes
        && !headers.contains_key(header::CONTENT_LENGTH)
        && !headers.contains_key(header::TRANSFER_ENCODING)
}

fn refusal(world: &World, part: Part, kind: FaultKind) -> Response {
    let status = match kind {
        FaultKind::Unauthorized => StatusCode::UNAUTHORIZED,
        FaultKind::Forbidden => StatusCode::FORBIDDEN,
        FaultKind::RateLimit | FaultKind::BareLimit | FaultKind::Concurrency => StatusCode::TOO_MANY_REQUESTS,
        FaultKind::BadGateway => StatusCode::BAD_GATEWAY,
        FaultKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut response = match part {
        Part::Okta if status != StatusCode::BAD_GATEWAY => OktaError::of_status(status).into_response(),
        _ if status.is_server_error() => (status, Html(ERROR_PAGE)).into_response(),
        Part::Token => (status, axum::Json(oauth_error(status))).into_response(),
        Part::Workflows => (status, axum::Json(flow_error(status))).into_response(),
        _ => (status, axum::Json(graphql_error(status))).into_response(),
    };
    limit_headers(world, part, kind, response.headers_mut());
    response
}

const ERROR_PAGE: &str =
    "<html><head><title>Error</title></head><body><h1>The service is not available</h1></body></html>";

fn oauth_error(status: StatusCode) -> Value {
    json!({"error": "access_denied", "error_description": reason(status)})
}

fn flow_error(status: StatusCode) -> Value {
    json!({"_error": true, "statusCode": status.as_u16(), "kind": "flo", "message": reason(status)})
}

fn graphql_error(status: StatusCode) -> Value {
    let error_type = match status {
        StatusCode::UNAUTHORIZED => "UnauthorizedException",
        StatusCode::FORBIDDEN => "AccessDeniedException",
        _ => "ThrottlingException",
    };
    json!({"errors": [{"errorType": error_type, "message": reason(status)}]})
}

fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("refused")
}

/// The headers of the two kinds of 429.
fn limit_headers(world: &World, part: Part, kind: FaultKind, headers: &mut HeaderMap) {
    let reset = world.clock.now().as_second() + 2;
    match kind {
        FaultKind::RateLimit if matches!(part, Part::Cii | Part::Token) => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(2));
        }
        FaultKind::RateLimit => {
            rate_headers(headers, Verdict { allowed: false, limit: 600, remaining: 0, reset });
        }
        FaultKind::Concurrency if part != Part::Cii => {
            rate_headers(headers, Verdict { allowed: false, limit: 0, remaining: 0, reset });
        }
        FaultKind::BareLimit => {
            headers.insert(HeaderName::from_static("x-rate-limit-reset"), HeaderValue::from_static("soon"));
        }
        _ => {}
    }
}

/// Does not replace those of a fault, which are there already.
pub(crate) fn rate_headers(headers: &mut HeaderMap, verdict: Verdict) {
    let mut set = |name: &'static str, value: i64| {
        headers.entry(HeaderName::from_static(name)).or_insert_with(|| HeaderValue::from(value));
    };
    set("x-rate-limit-limit", verdict.limit.into());
    set("x-rate-limit-remaining", verdict.remaining.into());
    set("x-rate-limit-reset", verdict.reset);
}

/// Faults that strike after the effect.
async fn spoil(world: &World, part: Part, response: Response) -> Response {
    if world.faults.take(FaultKind::ReplyLost, part) {
        return cut();
    }
    if part == Part::Okta
        && response.status().is_client_error()
        && world.faults.active(FaultKind::ObjectCauses, part)
    {
        return rewrite(response, object_causes).await;
    }
    if part == Part::Okta
        && response.status().is_client_error()
        && world.faults.active(FaultKind::ManyCauses, part)
    {
        return rewrite(response, one_more_cause).await;
    }
    if world.faults.take(FaultKind::Truncated, part) {
        return rewrite(response, |body| body.slice(..body.len() / 2)).await;
    }
    if world.faults.take(FaultKind::CutBody, part) {
        return cut_in_the_middle(response).await;
    }
    response
}

async fn rewrite(response: Response, change: impl FnOnce(Bytes) -> Bytes) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(change(body)))
}

/// Half of the body, then the end of the connection.
async fn cut_in_the_middle(response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let half = Ok(body.slice(..body.len() / 2));
    let broken = async {
        // What is written so far leaves only while there is nothing more to write.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::Error::other("the lab cut the connection"))
    };
    Response::from_parts(parts, Body::from_stream(stream::iter([half]).chain(stream::once(broken))))
}

/// One published example shows `errorCauses` as an object (okta.md, section 1).
fn object_causes(body: Bytes) -> Bytes {
    let Ok(mut error) = serde_json::from_slice::<Value>(&body) else { return body };
    error["errorCauses"] = json!({"errorSummary": "an object where a list is documented"});
    Bytes::from(error.to_string())
}

fn one_more_cause(body: Bytes) -> Bytes {
    let Ok(mut error) = serde_json::from_slice::<Value>(&body) else { return body };
    if let Some(causes) = error["errorCauses"].as_array_mut() {
        causes.push(json!({"errorSummary": "one cause more"}));
    }
    Bytes::from(error.to_string())
}

fn decorate(world: &World, part: Part, id: &RequestId, response: &mut Response) {
    let headers = response.headers_mut();
    if let Ok(date) = HeaderValue::from_str(&http_date(world.clock.now())) {
        headers.insert(header::DATE, date);
    }
    if matches!(part, Part::Okta | Part::Token)
        && let Ok(value) = HeaderValue::from_str(&id.id)
    {
        headers.insert(HeaderName::from_static("x-okta-request-id"), value);
    }
}
