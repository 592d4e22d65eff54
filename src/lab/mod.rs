//! The lab: the simulated tenant, a faithful double of the outside world on loopback. `idtriage demo` runs a console
//! against it, `idtriage lab` runs it alone, and the tests ask it questions that no live tenant would answer twice alike.
//!
//! It speaks only the wire. No other room is used here, not even `domain`: a double that shared the program's types would
//! share its mistakes. What it does is what the contracts say; where they say "unknown", the choice is the double's and
//! no client may count on it.
//!
//! | part | paths |
//! |---|---|
//! | `cii` | `/cii/oauth/token`, `/cii/api` (GraphQL, executed on the published schema) |
//! | `okta` | `/oauth2/v1/token`, `/api/v1/…` |
//! | `workflows` | `/api/flo/{alias}/invoke` |
//! | `pages` | `/pages/…`, where every `referenceUrl` leads |
//! | `sender` | posts to listeners what CII, Okta, ISPM, Workflows and two third parties say |
//!
//! All on one random loopback port. Every request passes `gate`, which records it and lets the faults in force strike.
//! One seed fixes people, ids and offsets; the present of the story is given, so that two runs can be compared.
mod challenge;
mod checks;
mod cii;
mod clock;
mod contract;
mod faults;
mod gate;
mod handed;
mod hook_auth;
mod hooks;
mod limits;
mod log_driver;
mod okta;
mod pages;
mod population;
mod recorder;
mod secrets;
mod sender;
mod server;
mod setup;
mod story;
mod workflows;
mod world;

pub use cii::EngineError;
pub use clock::Clock;
pub use contract::Callers;
pub use faults::{Fault, FaultError, FaultKind, Faults, Part};
pub use handed::{Handed, HandedOut};
pub use hook_auth::HookAuth;
pub use hooks::{LabEventHook, LabWebhook};
pub use limits::RateWindow;
pub use log_driver::{LogDriver, LogEvent};
pub use recorder::{Recorded, Recorder};
pub use secrets::LabSecrets;
pub use sender::{Delivery, LabListener, LabTargets, Sender, Telling};
pub use workflows::{ExecutionTypes, FlowAuth, LabFlow, LabRun};
pub use world::LabAddresses;

use axum::Router;
use axum::http::HeaderName;
use axum::middleware::from_fn_with_state;
use cii::Engine;
use okta::{Directory, SystemLog};
use population::Population;
use secrecy::SecretString;
use serde_json::Value;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use story::Story;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use workflows::Executions;
use world::{Tokens, World, lock};

/// What a lab is made from.
#[derive(Debug, Clone)]
pub struct LabOptions {
    /// Fixes users, ids and offsets.
    pub seed: u64,
    /// How many times faster than the real one the lab's time runs.
    pub speed: f64,
    pub faults: Vec<Fault>,
    /// How many people; brought between 60 and 50,000.
    pub users: usize,
    /// The present of the story: history lies before it.
    pub start: jiff::Timestamp,
    /// `None`: new ones.
    pub secrets: Option<LabSecrets>,
    /// `None`: a random port on loopback.
    pub api: Option<SocketAddr>,
    /// Which header of a flow's answer carries the execution's id. The real name is undocumented: no client may count
    /// on one.
    pub execution_header: HeaderName,
    /// What the execution log calls starts and ends. Only the word for a start is documented.
    pub execution_types: ExecutionTypes,
    /// Calls of the System Log that are answered within a minute of lab time.
    pub log_calls: u32,
    /// Reads of one user that are answered within a minute of lab time; beyond the published figure what is below a
    /// user is read as often.
    pub user_reads: u32,
    /// Whether every request to the Okta org has to keep to the contract.
    pub callers: Callers,
}

impl LabOptions {
    /// A tenant of 300 people at real speed, without faults.
    pub fn at(start: jiff::Timestamp) -> Self {
        Self {
            seed: 1,
            speed: 1.0,
            faults: Vec::new(),
            users: 300,
            start,
            secrets: None,
            api: None,
            execution_header: HeaderName::from_static("x-workflows-execution-id"),
            execution_types: ExecutionTypes::default(),
            log_calls: limits::LOG_CALLS,
            user_reads: limits::USER_READS,
            callers: Callers::Idtriage,
        }
    }
}

/// Why a lab does not start.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    #[error("`{0}` is not a loopback address\nhint: the lab has no protection and answers on loopback only")]
    NotLoopback(SocketAddr),
    #[error("cannot listen on `{address}`: {source}\nhint: leave the address out for a free port")]
    Listen { address: SocketAddr, source: io::Error },
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// A running lab. It ends when dropped or stopped.
#[derive(Debug)]
pub struct Lab {
    world: Arc<World>,
    story: Arc<Story>,
    server: JoinHandle<()>,
}

impl Lab {
    /// Makes the tenant and serves it.
    ///
    /// # Errors
    /// If the address is taken or not on loopback.
    pub async fn start(options: LabOptions) -> Result<Self, LabError> {
        let wanted = options.api.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        if !wanted.ip().is_loopback() {
            return Err(LabError::NotLoopback(wanted));
        }
        let failed = |source| LabError::Listen { address: wanted, source };
        let listener = TcpListener::bind(wanted).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (world, story) = create(options, address)?;
        let server = server::serve(listener, router(&world));
        Ok(Self { world, story: Arc::new(story), server })
    }

    /// Where its parts answer.
    pub fn addresses(&self) -> &LabAddresses {
        &self.world.addresses
    }

    pub fn secrets(&self) -> &LabSecrets {
        &self.world.secrets
    }

    /// The access tokens that it issued so far, for a test that looks for them where none may be.
    pub fn issued_tokens(&self) -> Vec<SecretString> {
        self.world.tokens.issued()
    }

    /// The signed assertions that clients identified themselves with so far.
    pub fn client_assertions(&self) -> Vec<SecretString> {
        self.world.tokens.assertions()
    }

    /// Tells every secret that it handed out or was shown, for a test that looks for them where none may be.
    pub fn handed_out(&self) -> HandedOut {
        HandedOut(Arc::clone(&self.world))
    }

    /// The lab's time, for whoever shows it.
    pub fn clock(&self) -> Clock {
        self.world.clock.clone()
    }

    /// Writes the System Log, for a test that wants to find again what it wrote.
    pub fn log_driver(&self) -> LogDriver {
        LogDriver::new(Arc::clone(&self.world))
    }

    /// The flows that can be invoked.
    pub fn flows(&self) -> Vec<LabFlow> {
        self.world.flows.clone()
    }

    /// What the flows did so far: the history that no API gives.
    pub fn runs(&self) -> Vec<LabRun> {
        lock(&self.world.runs).clone()
    }

    /// The targets of CII's webhooks that are registered now, oldest first.
    pub fn webhooks(&self) -> Vec<LabWebhook> {
        lock(&self.world.webhooks).clone()
    }

    /// The event hooks of the Okta org, oldest first.
    pub fn event_hooks(&self) -> Vec<LabEventHook> {
        lock(&self.world.event_hooks).clone()
    }

    /// CII envelopes of the past days, oldest first, with their own times.
    pub fn history(&self) -> Vec<Value> {
        self.story.history.clone()
    }

    /// Starts to post the incident to these targets, until the handle is dropped.
    pub fn tell(&self, targets: LabTargets) -> Telling {
        sender::tell(Arc::clone(&self.world), Arc::clone(&self.story), targets)
    }

    /// The targets that [`Lab::config_toml`] describes, at the address where idtriage listens.
    pub fn targets(&self, listen: SocketAddr) -> LabTargets {
        setup::targets(&self.world, listen)
    }

    /// What was asked of the lab.
    pub fn recorder(&self) -> &Recorder {
        &self.world.recorder
    }

    /// What the Okta org was asked against its contract, as far as its callers are held to it.
    pub fn violations(&self) -> Vec<String> {
        self.world.violations.all()
    }

    /// The windows in which calls were counted so far, those that are open last.
    pub fn rate_windows(&self) -> Vec<RateWindow> {
        self.world.limits.windows()
    }

    /// What goes wrong at present; can be changed while the lab runs.
    pub fn faults(&self) -> &Faults {
        &self.world.faults
    }

    /// Takes every access token back, as a restart of the real service would.
    pub fn revoke_tokens(&self) {
        self.world.tokens.revoke_all();
    }

    /// Asks for another nonce in proofs from now on, and takes the old one no more.
    pub fn renew_nonce(&self) {
        self.world.tokens.renew_nonce();
    }

    /// Gives several people one mail address: in Okta it is not unique.
    pub fn share_mail(&self, mail: &str, logins: &[&str]) {
        let mut directory = self.world.directory();
        for login in logins {
            if let Ok(account) = directory.find_mut(login) {
                account.profile.insert("email".to_owned(), mail.into());
            }
        }
    }

    /// The logins of all people.
    pub fn user_logins(&self) -> Vec<String> {
        self.world.population.people.iter().map(|person| person.login.clone()).collect()
    }

    /// The logins of those who have an administrator role, the super administrator first.
    pub fn administrators(&self) -> Vec<String> {
        let population = &self.world.population;
        let others = population.people.iter().enumerate().filter(|(place, _)| *place != population.dormant);
        let others = others.map(|(_, person)| person).filter(|person| person.admin);
        let first = population.people.get(population.dormant);
        first.into_iter().chain(others).map(|person| person.login.clone()).collect()
    }

    /// A configuration that `--config` takes as it is, with its secrets in files of a folder
    /// ([`Lab::write_secret_files`]) and idtriage's listener at an address.
    pub fn config_toml(&self, secret_files: &Path, listen: SocketAddr) -> String {
        setup::config_toml(&self.world, secret_files, listen)
    }

    /// Writes the secrets, one file (0600) each, into a folder (0700, made if missing).
    ///
    /// # Errors
    /// If the folder or a file cannot be made.
    pub fn write_secret_files(&self, folder: &Path) -> io::Result<()> {
        self.world.secrets.write_files(folder)
    }

    /// Ends every connection and frees the port.
    pub async fn stop(mut self) {
        self.server.abort();
        let _ = (&mut self.server).await;
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.server.abort();
        // Whatever test asks the lab is held to the contract without a word of its own.
        let violations = self.violations();
        debug_assert!(
            std::thread::panicking() || violations.is_empty(),
            "the Okta org was asked what its contract does not know: {violations:#?}"
        );
    }
}

fn create(options: LabOptions, address: SocketAddr) -> Result<(Arc<World>, Story), LabError> {
    let addresses = LabAddresses::at(address);
    let population = Population::grow(options.seed, options.users, options.start);
    let story = Story::write(options.seed, &population, options.start);
    let world = World {
        clock: Clock::starting_at(options.start, options.speed),
        faults: Faults::new(options.faults),
        limits: limits::Limits::default(),
        recorder: Recorder::default(),
        secrets: options.secrets.unwrap_or_else(LabSecrets::random),
        failing: Mutex::new(story.failing.clone()),
        tokens: Tokens::default(),
        engine: Engine::new()?,
        webhooks: Mutex::default(),
        event_hooks: Mutex::default(),
        directory: Mutex::new(Directory::of(&population, &addresses.okta_org_url)),
        log_calls: options.log_calls,
        user_reads: options.user_reads,
        callers: options.callers,
        violations: contract::Violations::default(),
        log: SystemLog::with_past(options.seed, &population, options.start),
        execution_header: options.execution_header,
        flows: workflows::flows(options.seed, &addresses.workflows_url),
        runs: Mutex::default(),
        executions: Executions::new(options.seed, options.execution_types),
        addresses,
        population,
    };
    Ok((Arc::new(world), story))
}

fn router(world: &Arc<World>) -> Router {
    Router::new()
        .merge(cii::router())
        .merge(okta::router(world))
        .merge(workflows::router())
        .merge(pages::router())
        .layer(from_fn_with_state(Arc::clone(world), gate::gate))
        .with_state(Arc::clone(world))
}
