//! Where the rooms are joined: the one place that names concrete stores, tenants and desks.
//!
//! Everything else in this room works with the traits.

use super::doctor::{Checked, Verdict};
use super::failure::Failure;
use super::run;
use crate::config::meant::Reading;
use crate::config::{Config, Loaded};
use crate::domain::plan::WebPage;
use crate::domain::time::Zone;
use crate::domain::{Action, ActionId, Actor, Flow, Plan};
use crate::ingest::decoder;
use crate::remediation::guard::Mode;
use crate::remediation::{self, Ask, Desk, PlanError, RunError, Runner};
use crate::source::clock::{Clock, SystemClock};
use crate::store::{self, Access, OpenOptions, Store};
use crate::tenant::{Directory, FlowCaller, Tenants, http};
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::unbounded_channel;

/// The time.
pub(super) fn now() -> Timestamp {
    SystemClock.now()
}

/// The machine's clock.
pub(super) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// The store of a URL, with what arriving events mean.
pub(super) async fn store(url: &str, reading: Reading, access: Access) -> Result<Arc<dyn Store>, Failure> {
    let url = url.to_owned();
    let options = OpenOptions { access, ..OpenOptions::default() };
    let opened = tokio::task::spawn_blocking(move || store::open(&url, decoder(reading), options));
    let opened = opened.await.map_err(|cause| Failure::failed(format!("the store broke off: {cause}")))?;
    Ok(opened?)
}

/// The tenants of a configuration.
pub(super) fn tenants(config: &Config, clock: Arc<dyn Clock>) -> Result<Arc<Tenants>, Failure> {
    let (now, goes) = (clock.clone(), clock);
    let clock = http::Clock::new(move || now.now()).going(move |real| goes.span(real));
    let tenants = Tenants::build(config, clock);
    tenants.map(Arc::new).map_err(|error| {
        let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        Failure::usage(format!("{error}{hint}"))
    })
}

/// The tenants, for reading.
pub(super) fn directory(loaded: &Loaded) -> Result<Arc<dyn Directory>, Failure> {
    Ok(tenants(&loaded.config, clock())?)
}

/// What can be run, and the presets that are not configured, to be opened.
pub(super) fn flows(config: &Config) -> Arc<[Flow]> {
    config.flows.iter().map(|configured| configured.flow.clone()).collect()
}

/// The remediation desk of a configuration and its tenants.
pub(super) fn remediation_desk(
    config: &Config,
    tenants: Arc<Tenants>,
    store: Arc<dyn Store>,
    actor: &Actor,
    mode: Mode,
    zone: Zone,
    clock: Arc<dyn Clock>,
) -> Arc<Desk> {
    Arc::new(Desk {
        store,
        directory: tenants.clone() as Arc<dyn Directory>,
        caller: tenants as Arc<dyn FlowCaller>,
        flows: flows(config),
        guard: config.guard.clone(),
        mode,
        actor: actor.clone(),
        zone,
        owner: format!("{}:{}:{}", actor.host, std::process::id(), now()),
        clock: Arc::new(move || clock.now()),
    })
}

/// The desk as the `run` command needs it.
pub(super) fn desk(
    loaded: &Loaded,
    store: Arc<dyn Store>,
    actor: &Actor,
) -> Result<Box<dyn run::Desk>, Failure> {
    let tenants = tenants(&loaded.config, clock())?;
    let desk = remediation_desk(&loaded.config, tenants, store, actor, Mode::Acting, Zone::Utc, clock());
    Ok(Box::new(Bench { runner: Runner::new(desk.clone(), Default::default()), desk }))
}

/// How long a command that was told to end waits for a receipt.
const LAST_RECEIPT: Duration = Duration::from_secs(60);

struct Bench {
    desk: Arc<Desk>,
    runner: Runner,
}

#[async_trait]
impl run::Desk for Bench {
    async fn page(&self, ask: &run::Ask) -> Result<Option<WebPage>, Failure> {
        remediation::page(&self.desk, &of_line(ask)).await.map_err(not_planned)
    }

    async fn prepare(&self, ask: &run::Ask) -> Result<Plan, Failure> {
        remediation::prepare(&self.desk, of_line(ask)).await.map_err(not_planned)
    }

    async fn run(&self, plan: &Plan, confirmed: run::Confirmed) -> Result<Action, Failure> {
        let confirmed = remediation::Confirmed {
            digest: confirmed.digest,
            reason: confirmed.reason,
            again: confirmed.again,
        };
        let (progress, _unwatched) = unbounded_channel();
        self.runner.run(plan, &confirmed, progress).await.map_err(not_run)
    }

    async fn stop(&self, plan: &Plan) -> Result<Option<Action>, Failure> {
        self.runner.finish(LAST_RECEIPT).await;
        let stands = self.desk.store.action(plan.action).await;
        stands
            .map_err(|error| Failure::unknown(format!("how `{}` ended cannot be read: {error}", plan.login)))
    }
}

/// What the command line asks for, as the desk takes it.
fn of_line(ask: &run::Ask) -> Ask {
    Ask {
        action: ActionId(uuid::Uuid::new_v4()),
        flow: ask.flow.clone(),
        login: ask.login.clone(),
        finding: ask.finding,
        event: None,
        account: None,
        inputs: ask.inputs.clone(),
    }
}

/// A flow or a finding that does not exist is a wrong command line; everything else was tried.
fn not_planned(error: PlanError) -> Failure {
    match error {
        PlanError::NoSuchFlow(_) | PlanError::NoSuchFinding(_) => Failure::usage(error.to_string()),
        error => Failure::failed(error.to_string()),
    }
}

/// After a send, an error leaves the outcome unknown; before it, nothing happened.
fn not_run(error: RunError) -> Failure {
    match error {
        RunError::NotKept { .. } | RunError::Lost(_) => Failure::unknown(error.to_string()),
        error => Failure::failed(error.to_string()),
    }
}

/// What `doctor` tries over the network.
pub(super) async fn probes(loaded: &Loaded) -> Vec<Checked> {
    let tenants = match tenants(&loaded.config, clock()) {
        Ok(tenants) => tenants,
        Err(failure) => return vec![Checked::failed("tenants", &failure)],
    };
    let probed = tenants.probe().await;
    probed
        .into_iter()
        .map(|probe| {
            let (verdict, told) = match probe.result {
                Ok(told) => (Verdict::Good, told),
                Err(told) => (Verdict::Bad, told),
            };
            let checked = Checked::new(&probe.name, verdict, told);
            match probe.hint {
                Some(hint) => checked.hinted(hint),
                None => checked,
            }
        })
        .collect()
}
