//! Okta Workflows: API Endpoint flows and nothing else. No list, no run, no history: a client that guesses one gets a 404
//! (contracts/workflows-ispm.md).
mod behaviour;
mod catalogue;
mod executions;
mod invoke;
mod payload;

pub(crate) use catalogue::flows;
pub use executions::ExecutionTypes;
pub(crate) use executions::{Executions, Rank, Stage, Told};

use super::world::World;
use axum::Router;
use axum::routing::get;
use std::sync::Arc;

/// How a flow is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowAuth {
    /// Header `x-api-client-token`, or query `clientToken`.
    ClientToken,
    /// A Bearer or DPoP token of the org's service app with `okta.workflows.invoke.manage`.
    OAuth,
    /// The alias alone.
    Public,
}

/// A flow of the lab, as a configuration describes it.
#[derive(Debug, Clone)]
pub struct LabFlow {
    /// Kebab-case; the preset's name where there is one.
    pub id: &'static str,
    pub name: &'static str,
    /// Whether the id is that of one of the nine ISPM templates.
    pub preset: bool,
    /// The Invoke URL.
    pub url: String,
    pub auth: FlowAuth,
    /// The payload it takes: `ispm-flat`, `ispm-nested` or `cii-event`.
    pub payload: &'static str,
    /// What it is for, in plain words, as its configuration says it.
    pub verb: &'static str,
    /// The state of the Okta account that would prove it.
    pub proven_by: Option<&'static str>,
    /// What it really does, for whoever trains with it.
    pub does: &'static str,
    /// The product whose ids it takes.
    pub product: &'static str,
    /// `low`, `medium` or `high`.
    pub risk: &'static str,
    /// Whether a 2xx body is its last word.
    pub is_final: bool,
    /// The flow that undoes it.
    pub inverse: Option<&'static str>,
    pub(crate) alias: String,
    /// Its id in the execution log, which is none of the others.
    pub(crate) log_id: String,
    /// That of the helper flow which it calls for each user, if it calls one.
    pub(crate) helper_id: Option<String>,
    pub(crate) behaviour: behaviour::Behaviour,
}

/// One run of a flow: what its history in the Workflows console would show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabRun {
    pub flow: &'static str,
    pub execution_id: String,
    /// The payload's `eventId`, by which a flow can tell a repeat.
    pub event_id: String,
    /// What the remediation came to, one entry a user: `done`, or the error that the flow caught.
    pub results: Vec<String>,
}

pub(crate) fn router() -> Router<Arc<World>> {
    // Said for HEAD, which would be taken for a GET and run the flow.
    let flow = get(invoke::invoke).post(invoke::invoke).head(invoke::refuse);
    Router::new().route("/api/flo/{alias}/invoke", flow)
}
