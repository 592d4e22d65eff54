//! Where the rooms are joined: the one place that names concrete stores, tenants and desks.
//!
//! Everything else in this room works with the traits.

use super::doctor::{Checked, Verdict, calls};
use super::failure::Failure;
use super::run;
use super::whom::Target;
use crate::config::meant::{self, Reading, Source, Way};
use crate::config::{Config, Loaded};
use crate::domain::bulk::{BulkId, BulkRun};
use crate::domain::plan::{Refusal, WebPage};
use crate::domain::run_end::{Ended, RunEnd, StepEnd};
use crate::domain::time::Zone;
use crate::domain::{ActionId, Actor, Flow, FlowId, Plan};
use crate::ingest::{Ingest, decoder};
use crate::notify::{self, Messenger, Notifiers};
use crate::remediation::bulk::ConfirmedBulk;
use crate::remediation::guard::Mode;
use crate::remediation::trial::{self, Trial};
use crate::remediation::{self, Ask, BulkTold, Desk, PlanError, RunError, Runner, Wish};
use crate::source::Polled;
use crate::source::clock::{Clock, SystemClock};
use crate::source::system_log::filter::IAM_CONFIGURATION;
use crate::source::system_log::{self, SystemLogPoll};
use crate::store::{self, Access, Expansion, OpenOptions, Store};
use crate::tenant::http::Limits;
use crate::tenant::{Directory, FlowCaller, LogSearch, OktaOrg, Probe, Registrar, SystemLog, Tenants, http};
use async_trait::async_trait;
use jiff::Timestamp;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;

/// The time.
pub(super) fn now() -> Timestamp {
    SystemClock.now()
}

/// The machine's clock.
pub(super) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// The store of a URL, with what arriving events mean; without a configuration that says so, what waits in the
/// inbox stays there.
pub(super) async fn store(
    url: &str,
    reading: Option<Reading>,
    access: Access,
) -> Result<Arc<dyn Store>, Failure> {
    let url = url.to_owned();
    let expansion = if reading.is_some() { Expansion::Expands } else { Expansion::Leaves };
    let options = OpenOptions { access, expansion, ..OpenOptions::default() };
    let reading = reading.unwrap_or_default();
    let opened = tokio::task::spawn_blocking(move || store::open(&url, decoder(reading), options));
    let opened = opened.await.map_err(|cause| Failure::failed(format!("the store broke off: {cause}")))?;
    Ok(opened?)
}

/// The tenants of a configuration, for a command: it waits for a whole pause of the other side's.
pub(super) fn tenants(config: &Config, clock: Arc<dyn Clock>) -> Result<Arc<Tenants>, Failure> {
    tenants_within(config, clock, Limits::of_commands())
}

/// The same for the console: whoever looks at it is told before long.
pub(super) fn tenants_of_console(config: &Config, clock: Arc<dyn Clock>) -> Result<Arc<Tenants>, Failure> {
    tenants_within(config, clock, Limits::default())
}

fn tenants_within(config: &Config, clock: Arc<dyn Clock>, limits: Limits) -> Result<Arc<Tenants>, Failure> {
    let (now, goes) = (clock.clone(), clock);
    let clock = http::Clock::new(move || now.now()).going(move |real| goes.span(real));
    let tenants = Tenants::with_limits(config, clock, limits);
    tenants.map(Arc::new).map_err(|error| not_usable(&error, error.hint()))
}

/// What messages about events are sent with.
pub(super) fn messenger(config: &Config, clock: Arc<dyn Clock>) -> Result<Messenger, Failure> {
    let messenger = Messenger::build(config, http::Clock::new(move || clock.now()));
    messenger.map_err(|error| not_usable(&error, error.hint()))
}

/// Why nothing can be sent with a configuration, and what mends it.
fn not_usable(error: &impl Display, hint: Option<impl Display>) -> Failure {
    let hint = hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    Failure::usage(format!("{error}{hint}"))
}

/// Who is told of what arrives in a store; nobody without a `[[notify]]`. `hear` hears of those that cannot
/// be told, if anybody is to.
pub(super) fn notifiers(
    config: &Config,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    hear: Option<Arc<dyn notify::Hear>>,
) -> Result<Option<Arc<Notifiers>>, Failure> {
    if config.notify.is_empty() {
        return Ok(None);
    }
    let messenger = messenger(config, clock)?;
    let notifiers = Notifiers::new(messenger, store, notify::Pace::default());
    Ok(Some(Arc::new(match hear {
        Some(hear) => notifiers.heard_by(hear),
        None => notifiers,
    })))
}

/// The tenants, for reading.
pub(super) fn directory(loaded: &Loaded) -> Result<Arc<dyn Directory>, Failure> {
    Ok(tenants(&loaded.config, clock())?)
}

/// The System Log of the configured org, to look into.
pub(super) fn log_search(loaded: &Loaded) -> Result<Arc<dyn LogSearch>, Failure> {
    let missing =
        "no Okta org is configured\nhint: `[okta]` in the configuration; `idtriage init` writes a template";
    tenants(&loaded.config, clock())?.log_search().ok_or_else(|| Failure::usage(missing))
}

/// The tenants, for telling senders where to post.
pub(super) fn registrar(loaded: &Loaded) -> Result<Arc<dyn Registrar>, Failure> {
    Ok(tenants(&loaded.config, clock())?)
}

/// The configured Okta org, to look things up in.
pub(super) fn okta_org(loaded: &Loaded) -> Result<Arc<dyn OktaOrg>, Failure> {
    org_of(tenants(&loaded.config, clock())?.as_ref())
}

/// The Okta org among the tenants.
pub(super) fn org_of(tenants: &Tenants) -> Result<Arc<dyn OktaOrg>, Failure> {
    tenants.okta_org().ok_or_else(|| {
        Failure::usage(
            "Okta is not configured\nhint: `[okta]` in the configuration; `idtriage init` writes a template",
        )
    })
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
        org: tenants.okta_org(),
        log: tenants.log_search(),
        caller: tenants as Arc<dyn FlowCaller>,
        flows: flows(config),
        guard: config.guard.clone(),
        mode,
        actor: actor.clone(),
        zone,
        looked: Arc::default(),
        owner: format!("{}:{}:{}", actor.host, std::process::id(), now()),
        clock: Arc::new(move || clock.now()),
    })
}

/// The desk as the `run` command needs it.
pub(super) fn desk(
    loaded: &Loaded,
    tenants: Arc<Tenants>,
    store: Arc<dyn Store>,
    actor: &Actor,
) -> Box<dyn run::Desk> {
    Box::new(Bench::new(loaded, tenants, store, actor))
}

/// The same to try a flow with the documented sample.
pub(super) fn trial_desk(
    loaded: &Loaded,
    tenants: Arc<Tenants>,
    store: Arc<dyn Store>,
    actor: &Actor,
) -> Box<dyn run::Desk> {
    Box::new(Trials(Bench::new(loaded, tenants, store, actor)))
}

/// Who goes by the sample that a flow is tried with.
pub(super) fn sampled(loaded: &Loaded, flow: &FlowId) -> Result<Vec<Target>, Failure> {
    let login = trial::login(&flows(&loaded.config), flow).map_err(not_planned)?;
    Ok(vec![Target { login, finding: None }])
}

/// What drives bulk runs.
pub(super) fn runner(
    loaded: &Loaded,
    tenants: Arc<Tenants>,
    store: Arc<dyn Store>,
    actor: &Actor,
) -> Arc<Runner> {
    let desk = remediation_desk(&loaded.config, tenants, store, actor, Mode::Acting, Zone::Utc, clock());
    Arc::new(Runner::new(desk, Default::default()))
}

/// Drives a run in a task of its own: whoever tells what came of it may wait for other things meanwhile.
pub(super) async fn driven(
    runner: Arc<Runner>,
    id: BulkId,
    wishes: watch::Receiver<Wish>,
    told: UnboundedSender<BulkTold>,
) -> Result<BulkRun, Failure> {
    let driven = tokio::spawn(async move { runner.drive(id, wishes, told).await });
    let ended = driven.await.map_err(|cause| Failure::unknown(format!("the run broke off: {cause}")))?;
    ended.map_err(|error| Failure::failed(error.to_string()))
}

/// How long a command that was told to end waits for a receipt.
const LAST_RECEIPT: Duration = Duration::from_secs(60);

struct Bench {
    desk: Arc<Desk>,
    runner: Arc<Runner>,
}

impl Bench {
    fn new(loaded: &Loaded, tenants: Arc<Tenants>, store: Arc<dyn Store>, actor: &Actor) -> Bench {
        let desk = remediation_desk(&loaded.config, tenants, store, actor, Mode::Acting, Zone::Utc, clock());
        Bench { runner: Arc::new(Runner::new(desk.clone(), Default::default())), desk }
    }
}

/// Plans trials, and runs them like anything else.
struct Trials(Bench);

#[async_trait]
impl run::Desk for Trials {
    async fn many(
        &self,
        _: &[Plan],
        _: ConfirmedBulk,
        _: watch::Receiver<Wish>,
        _: UnboundedSender<BulkTold>,
    ) -> Result<BulkRun, Failure> {
        Err(Failure::usage("a flow is tried once at a time"))
    }

    async fn looked_long_enough(&self) {
        self.0.looked_long_enough().await;
    }

    /// A page is not tried: planning says so.
    async fn page(&self, _: &run::Ask) -> Result<Option<WebPage>, Failure> {
        Ok(None)
    }

    async fn prepare(&self, ask: &run::Ask) -> Result<Plan, Failure> {
        let Ask { action, flow, inputs, .. } = of_line(ask);
        trial::prepare(&self.0.desk, Trial { action, flow, inputs }).await.map_err(not_planned)
    }

    async fn run(&self, plan: &Plan, confirmed: run::Confirmed) -> Result<RunEnd, Failure> {
        self.0.run(plan, confirmed).await
    }

    async fn stop(&self, plan: &Plan) -> Result<Option<RunEnd>, Failure> {
        self.0.stop(plan).await
    }
}

#[async_trait]
impl run::Desk for Bench {
    async fn many(
        &self,
        plans: &[Plan],
        said: ConfirmedBulk,
        wishes: watch::Receiver<Wish>,
        told: UnboundedSender<BulkTold>,
    ) -> Result<BulkRun, Failure> {
        let id = BulkId(uuid::Uuid::new_v4());
        let held = self.desk.without_secret(said.reason.as_deref());
        held.map_err(|held| Failure::usage(held.to_string()))?;
        let queued = remediation::bulk::queued(&self.desk, id, plans, said);
        let (run, users) = queued.ok_or_else(|| Failure::usage("nobody is meant"))?;
        self.desk.store.queue(&run, &users).await?;
        driven(self.runner.clone(), id, wishes, told).await
    }

    async fn looked_long_enough(&self) {
        tokio::time::sleep(Duration::from_secs(5)).await;
    }

    async fn page(&self, ask: &run::Ask) -> Result<Option<WebPage>, Failure> {
        remediation::page(&self.desk, &of_line(ask)).await.map_err(not_planned)
    }

    async fn prepare(&self, ask: &run::Ask) -> Result<Plan, Failure> {
        remediation::prepare_to(&self.desk, of_line(ask), ask.depth).await.map_err(not_planned)
    }

    async fn run(&self, plan: &Plan, confirmed: run::Confirmed) -> Result<RunEnd, Failure> {
        let confirmed = remediation::Confirmed {
            digest: confirmed.digest,
            reason: confirmed.reason,
            again: confirmed.again,
        };
        let (progress, _unwatched) = unbounded_channel();
        self.runner.run(plan, &confirmed, progress).await.map_err(not_run)
    }

    async fn stop(&self, plan: &Plan) -> Result<Option<RunEnd>, Failure> {
        self.runner.finish(LAST_RECEIPT).await;
        let unread = |error| Failure::unknown(format!("how `{}` ended cannot be read: {error}", plan.login));
        let mut steps = Vec::new();
        for part in plan.parts() {
            let ended = match self.desk.store.action(part.action).await.map_err(unread)? {
                // A link that came meanwhile is lost with whoever was to show it.
                Some(action) => Ended::Ran { action: Box::new(action), link: None },
                None => Ended::NotSent(part.refusal.clone().unwrap_or_else(stopped)),
            };
            steps.push(StepEnd { flow: part.flow.id.clone(), verb: part.verb.clone(), ended });
        }
        let was_sent = steps.iter().any(|step| step.action().is_some());
        Ok(was_sent.then_some(RunEnd { steps }))
    }
}

fn stopped() -> Refusal {
    Refusal::from("not sent: stopped by a signal".to_owned())
}

/// What the command line asks for, as the desk takes it.
fn of_line(ask: &run::Ask) -> Ask {
    Ask {
        action: ActionId(uuid::Uuid::new_v4()),
        flow: ask.flow.clone(),
        login: ask.login.clone(),
        finding: ask.finding,
        event: None,
        account: ask.account.clone(),
        inputs: ask.inputs.clone(),
        undoes: ask.undoes.clone(),
    }
}

/// A flow or a finding that does not exist, or inputs that are not the flow's, are a wrong command line; everything else
/// was tried.
fn not_planned(error: PlanError) -> Failure {
    match error {
        PlanError::NoSuchFlow(_) | PlanError::NoSuchFinding(_) | PlanError::Secret(_) => {
            Failure::usage(error.to_string())
        }
        PlanError::Payload(of_input) if of_input.is_of_input() => Failure::usage(of_input.to_string()),
        error => Failure::failed(error.to_string()).among(error.accounts().to_vec()),
    }
}

/// After a send, an error leaves the outcome unknown; before it, nothing happened.
fn not_run(error: RunError) -> Failure {
    match error {
        RunError::NotKept { .. } | RunError::Lost(_) => Failure::unknown(error.to_string()),
        RunError::Secret(_) => Failure::usage(error.to_string()),
        error => Failure::failed(error.to_string()),
    }
}

/// The sources that ask by themselves, in the order of the configuration.
pub(super) fn polled(
    config: &Config,
    tenants: &Tenants,
    sink: &Arc<Ingest>,
    clock: &Arc<dyn Clock>,
) -> Vec<Arc<dyn Polled>> {
    let poll = |(source, settings, log)| -> Arc<dyn Polled> {
        Arc::new(SystemLogPoll::new(source, settings, log, sink.clone(), clock.clone()))
    };
    system_logs(config, tenants).map(poll).collect()
}

/// Each source that polls a System Log, what is configured of it, and the log.
fn system_logs<'a>(
    config: &'a Config,
    tenants: &Tenants,
) -> impl Iterator<Item = (&'a Source, &'a meant::SystemLog, Arc<dyn SystemLog>)> {
    let log = tenants.system_log();
    config.sources.iter().filter_map(move |source| match &source.way {
        Way::SystemLog(settings) => Some((source, settings, log.clone()?)),
        Way::Webhook(_) => None,
    })
}

/// What `doctor` tries over the network. The store knows applications that a filter is made from.
pub(super) async fn probes(loaded: &Loaded, store: Option<&dyn Store>) -> Vec<Checked> {
    let tenants = match tenants(&loaded.config, clock()) {
        Ok(tenants) => tenants,
        Err(failure) => return vec![Checked::failed("tenants", &failure)],
    };
    let access = tenants.access();
    let preview = async {
        match &access {
            Some(access) => Some(access.of_whoever_acts(loaded.config.console.analyst.as_deref()).await),
            None => None,
        }
    };
    let (mut probed, calls, preview) = tokio::join!(tenants.probe(), tenants.probe_calls(), preview);
    let known = match store {
        Some(store) => store.setting(IAM_CONFIGURATION).await.unwrap_or_default(),
        None => None,
    };
    for (source, settings, log) in system_logs(&loaded.config, &tenants) {
        probed.push(system_log::probe(&source.name, settings, log.as_ref(), known.as_deref(), now()).await);
    }
    let preview = preview.map(|preview| calls::delegated(&preview.access()));
    probed.into_iter().map(checked).chain(calls::rows(&calls)).chain(preview).collect()
}

fn checked(probe: Probe) -> Checked {
    let (verdict, told) = match probe.result {
        Ok(told) => (Verdict::Good, told),
        Err(told) => (Verdict::Bad, told),
    };
    let checked = Checked::new(&probe.name, verdict, told);
    match probe.hint {
        Some(hint) => checked.hinted(hint),
        None => checked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::{self, Folders};
    use crate::config::meant::LogFilter;
    use crate::lab::{Lab, LabOptions};
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::Path;

    const OKTA: &str = "[okta]\norg_url = \"https://example.okta.com\"\napi_token = { file = \"token\" }\n";

    fn write(path: &Path, text: &str) {
        let file = std::fs::File::options().write(true).create_new(true).mode(0o600).open(path);
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn asked(name: &str, filter: LogFilter) -> Source {
        let (first_fetch, interval) = (Duration::from_secs(3600), Duration::from_secs(30));
        let way = Way::SystemLog(meant::SystemLog { filter, first_fetch, interval });
        Source { name: name.into(), source_type: "okta-system-log", way, canary: None }
    }

    /// A lab that has answered the one read of a user that it answers within a minute.
    async fn used_up(tenants: impl Fn(&Config) -> Arc<Tenants>) -> (Lab, Arc<Tenants>, String) {
        let options = LabOptions { users: 60, user_reads: 1, ..LabOptions::at(now()) };
        let lab = Lab::start(options).await.unwrap();
        let okta = meant::Okta {
            org_url: lab.addresses().okta_org_url.parse().unwrap(),
            api_token: Some(lab.secrets().okta_token.clone()),
            service_app: None,
        };
        let folder = store::files::throw_away_folder("connect-").unwrap();
        let path = folder.path().join("config.toml");
        write(&path, OKTA);
        write(&folder.path().join("token"), "s3cret-token");
        let folders = Folders { config: folder.path().to_owned(), state: folder.path().to_owned() };
        let config = Config { okta: Some(okta), ..load::load(&path, Some(&folders)).unwrap().config };
        let (tenants, login) = (tenants(&config), lab.user_logins().swap_remove(0));
        assert!(tenants.okta_user(&login).await.data.is_some());
        (lab, tenants, login)
    }

    #[tokio::test]
    async fn a_command_waits_for_a_reset_that_is_a_minute_away() {
        let (_lab, tenants, login) = used_up(|config| super::tenants(config, clock()).unwrap()).await;
        let mut held = tenants.held();
        tokio::select! {
            part = tenants.okta_user(&login) => panic!("{part:?}"),
            told = held.changed() => told.unwrap(),
        }
    }

    #[tokio::test]
    async fn the_console_tells_of_a_reset_that_is_a_minute_away() {
        let (_lab, tenants, login) = used_up(|config| tenants_of_console(config, clock()).unwrap()).await;
        let part = tenants.okta_user(&login).await;
        assert!(part.problems[0].line().contains("is throttling"), "{part:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_source_that_asks_is_made_from_its_configuration() {
        let folder = store::files::throw_away_folder("connect-").unwrap();
        let path = folder.path().join("config.toml");
        write(&path, OKTA);
        write(&folder.path().join("token"), "s3cret-token");
        let folders = Folders { config: folder.path().to_owned(), state: folder.path().to_owned() };
        let mut loaded = load::load(&path, Some(&folders)).unwrap();
        loaded.config.sources =
            vec![asked("log", LogFilter::Everything), asked("apps", LogFilter::OfApplications(Vec::new()))];
        let tenants = tenants(&loaded.config, clock()).unwrap();
        let store = store(&loaded.config.store, Some(Reading::default()), Access::Write).await.unwrap();
        let sink = Arc::new(Ingest::new(store, clock()));
        let polled = polled(&loaded.config, &tenants, &sink, &clock());
        let shown: Vec<String> = polled
            .iter()
            .map(|source| source.health())
            .map(|it| format!("{} {}", it.name, it.place))
            .collect();
        assert_eq!(shown, ["log https://example.okta.com", "apps https://example.okta.com"]);
    }
}
