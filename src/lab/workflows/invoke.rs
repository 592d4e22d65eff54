//! The Invoke URL: who may call, how often, and the answers a flow can give.
use super::behaviour::{Behaviour, Remedied, run};
use super::executions::Stage;
use super::payload::Payload;
use super::{FlowAuth, LabFlow, LabRun};
use crate::lab::faults::{FaultKind, Part};
use crate::lab::gate::rate_headers;
use crate::lab::limits::FLOW;
use crate::lab::okta::dpop;
use crate::lab::server::cut;
use crate::lab::world::{Realm, World, lock};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

const SCOPE: &str = "okta.workflows.invoke.manage";
const SLOW: Duration = Duration::from_secs(20);
/// The platform closes a synchronous connection after this.
const PLATFORM_LIMIT: Duration = Duration::from_secs(60);
const LATER: Duration = Duration::from_secs(5);

/// `GET` or `POST /api/flo/{alias}/invoke`.
pub(super) async fn invoke(
    State(world): State<Arc<World>>,
    Path(alias): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(flow) = world.flows.iter().find(|flow| flow.alias == alias) else {
        return problem(StatusCode::NOT_FOUND, "no flow with this alias");
    };
    let call = dpop::Call { method: &method, url: &flow.url, headers: &headers };
    if let Err((status, message)) = admit(&world, flow, call, &query) {
        return problem(status, message);
    }
    if world.faults.take(FaultKind::FlowOff, Part::Workflows) {
        return problem(StatusCode::BAD_REQUEST, "the flow is not active");
    }
    let verdict = world.limits.count(flow.id, FLOW, world.clock.now());
    let mut response = if verdict.allowed {
        execute(&world, flow, &body).await
    } else {
        problem(StatusCode::TOO_MANY_REQUESTS, "more than 10 invocations a second")
    };
    rate_headers(response.headers_mut(), verdict);
    response
}

/// Any other method.
pub(super) async fn refuse() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, POST")]).into_response()
}

fn admit(
    world: &World,
    flow: &LabFlow,
    call: dpop::Call<'_>,
    query: &HashMap<String, String>,
) -> Result<(), (StatusCode, &'static str)> {
    let text = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok());
    let allowed = match flow.auth {
        FlowAuth::Public => true,
        FlowAuth::ClientToken => {
            let token = text("x-api-client-token")
                .or(query.get("clientToken").map(String::as_str))
                .unwrap_or_default();
            bool::from(world.secrets.flow_token.expose_secret().as_bytes().ct_eq(token.as_bytes()))
        }
        FlowAuth::OAuth => {
            let (scheme, token) =
                text("authorization").and_then(|value| value.split_once(' ')).unwrap_or_default();
            let grant = world.tokens.check(token, Realm::Okta, world.clock.now());
            let grant = grant.ok_or((StatusCode::UNAUTHORIZED, "the access token is not valid"))?;
            let is_shown = match (scheme, &grant.bound_to) {
                ("Bearer", None) => true,
                ("DPoP", Some(key)) => dpop::resource(world, call, token, key).is_ok(),
                _ => false,
            };
            if !is_shown {
                return Err((StatusCode::UNAUTHORIZED, "the access token is not proven"));
            }
            grant.scopes.iter().any(|scope| scope == SCOPE)
        }
    };
    if allowed { Ok(()) } else { Err((StatusCode::FORBIDDEN, "the caller may not run this flow")) }
}

async fn execute(world: &Arc<World>, flow: &LabFlow, body: &Bytes) -> Response {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let payload = Payload::read(&body);
    let execution = uuid::Uuid::new_v4().to_string();
    world.executions.root(flow, &execution, Stage::Started, world.clock.now());
    let mut response = match flow.behaviour {
        Behaviour::FanOut => {
            later(world, flow, payload, &execution, Duration::ZERO);
            Json(json!({"execution_id": execution})).into_response()
        }
        Behaviour::CloseEarly => {
            later(world, flow, payload, &execution, LATER);
            (StatusCode::ACCEPTED, Json(json!({"execution_id": execution}))).into_response()
        }
        Behaviour::Slow => {
            world.clock.sleep(SLOW).await;
            at_once(world, flow, &payload, &execution)
        }
        Behaviour::TooSlow => {
            at_once(world, flow, &payload, &execution);
            fail_later(world, flow, &execution);
            world.clock.sleep(PLATFORM_LIMIT).await;
            cut()
        }
        _ => at_once(world, flow, &payload, &execution),
    };
    if let Ok(value) = HeaderValue::from_str(&execution) {
        response.headers_mut().insert(world.execution_header.clone(), value);
    }
    response
}

fn at_once(world: &World, flow: &LabFlow, payload: &Payload, execution: &str) -> Response {
    let remedied = run(world, flow.behaviour, payload, execution);
    note(world, flow, payload, execution, &remedied);
    let first_error = remedied.into_iter().find_map(Result::err);
    match (flow.behaviour, first_error) {
        (Behaviour::Raw, _) => raw(),
        (Behaviour::Contain | Behaviour::Release, Some(error)) => {
            let body = json!({"execution_id": execution, "ok": false, "errorCode": error.code, "message": error.summary});
            (error.status, Json(body)).into_response()
        }
        (Behaviour::Contain | Behaviour::Release, None) => {
            Json(json!({"execution_id": execution, "ok": true, "result": "done"})).into_response()
        }
        (Behaviour::Pretend, _) => pretended(world),
        // A template has no Return card: an empty object, whatever happened.
        _ => Json(json!({})).into_response(),
    }
}

/// All is well, it says, and hands a link out that it made up: under a name of its own and within a sentence, as flows
/// do that somebody wrote at home.
fn pretended(world: &World) -> Response {
    let link = format!("{}/welcome/{}", world.addresses.okta_org_url, uuid::Uuid::new_v4().simple());
    world.tokens.answered(&json!({"activationUrl": link}));
    let message = format!("User remediated. They sign in at {link} once.");
    Json(json!({"ok": true, "message": message, "link": link})).into_response()
}

/// What a Return Raw card may send: any status from 400 on, any body.
fn raw() -> Response {
    let body = "<?xml version=\"1.0\"?><result><ok>false</ok><reason>owner must approve</reason></result>";
    (StatusCode::UNPROCESSABLE_ENTITY, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}

/// The connector was closed; the flow goes on by itself.
fn later(world: &Arc<World>, flow: &LabFlow, payload: Payload, execution: &str, delay: Duration) {
    let (world, flow, execution) = (Arc::clone(world), flow.clone(), execution.to_owned());
    tokio::spawn(async move {
        world.clock.sleep(delay).await;
        let remedied = run(&world, flow.behaviour, &payload, &execution);
        note(&world, &flow, &payload, &execution, &remedied);
    });
}

/// The platform closes the connection, and with it fails the flow: whether or not somebody still waits.
fn fail_later(world: &Arc<World>, flow: &LabFlow, execution: &str) {
    let (world, flow, execution) = (Arc::clone(world), flow.clone(), execution.to_owned());
    tokio::spawn(async move {
        world.clock.sleep(PLATFORM_LIMIT).await;
        world.executions.root(&flow, &execution, Stage::Failed, world.clock.now());
    });
}

/// For the flow's history, and for the execution log: an error that was caught does not fail a flow.
fn note(world: &World, flow: &LabFlow, payload: &Payload, execution: &str, remedied: &[Remedied]) {
    let told = |one: &Remedied| match one {
        Ok(()) => "done".to_owned(),
        Err(error) => format!("{}: {}", error.code, error.summary),
    };
    let run = LabRun {
        flow: flow.id,
        execution_id: execution.to_owned(),
        event_id: payload.event_id.clone(),
        results: remedied.iter().map(told).collect(),
    };
    lock(&world.runs).push(run);
    for _ in remedied {
        world.executions.helper(flow, execution, world.clock.now());
    }
    if flow.behaviour != Behaviour::TooSlow {
        world.executions.root(flow, execution, Stage::Completed, world.clock.now());
    }
}

/// The error object of the platform (contracts/workflows-ispm.md, section 1).
fn problem(status: StatusCode, message: &str) -> Response {
    let body = json!({
        "_error": true, "statusCode": status.as_u16(), "kind": "flo", "module": "flow_invoke", "message": message,
        "code": status.as_u16(), "steps": [],
    });
    (status, Json(body)).into_response()
}
