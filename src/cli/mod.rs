//! The subcommands, one a file, each with a `run` that answers an exit status.
//!
//! A command gets what it needs by trait, prints through [`output`] (tables for people, JSON Lines with
//! `--json`) and ends in a [`Failure`] where it cannot go on. [`connect`] is where the rooms are joined.

pub mod args;
mod bulk;
mod card;
mod check;
mod cii;
mod collect;
mod connect;
mod console;
pub mod doctor;
mod events;
pub mod failure;
#[cfg(test)]
mod fake;
mod findings;
mod flows;
mod import;
mod init;
mod ip;
mod journal;
mod lab;
mod logging;
mod notify;
mod okta;
pub mod output;
mod registration;
pub mod run;
mod session;
mod sources;
mod store;
mod table;
mod undo;
mod unit;
mod user;
mod whom;

pub use failure::Failure;

use crate::config::Loaded;
use crate::config::meant::Reading;
use crate::domain::counted::counted;
use crate::remediation::guard::Mode;
use crate::remediation::{self, Pace};
use crate::runtime::terminal::signals::{Signalled, Signals};
use crate::store::{Store, receiver};
use crate::tenant::Tenants;
use args::{Arguments, Command, Global};
use clap::Parser;
use output::{Form, Output};
use session::{Session, closed};
use std::ffi::OsString;
use std::io::Write;
use std::sync::Arc;
use tokio::sync::watch;

/// Parses the command line, does what it says and answers the exit status.
pub fn main(
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> u8 {
    let ended = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => execute(&arguments, out, errors),
        Err(error) => return usage(&error, out, errors),
    };
    match ended {
        Ok(status) => status,
        Err(failure) => {
            if let Failure::Told { .. } = failure {
                // Standard error being closed leaves only the status.
                let _ = writeln!(errors, "{failure}");
            }
            failure.status()
        }
    }
}

/// `--help` and `--version` are answers; everything else that clap says is an error.
fn usage(error: &clap::Error, out: &mut dyn Write, errors: &mut dyn Write) -> u8 {
    let status = if error.use_stderr() { failure::USAGE } else { failure::DONE };
    let stream: &mut dyn Write = if error.use_stderr() { errors } else { out };
    let _ = write!(stream, "{}", error.render());
    status
}

fn execute(arguments: &Arguments, out: &mut dyn Write, errors: &mut dyn Write) -> Result<u8, Failure> {
    let global = &arguments.global;
    if let Some(path) = &global.log {
        logging::start(path)?;
    }
    let form = if global.json { Form::Json } else { Form::Text };
    let mut out = Output::new(form, out, errors);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|cause| Failure::failed(format!("the program cannot start: {cause}")))?;
    let ended = runtime.block_on(dispatch(arguments.command.as_ref(), global, &mut out));
    // What was waited for has ended. A name that is still being looked up holds up nobody.
    runtime.shutdown_background();
    ended
}

async fn dispatch(command: Option<&Command>, global: &Global, out: &mut Output<'_>) -> Result<u8, Failure> {
    let session = Session::new(global);
    match command {
        None => open_console(&session, out).await,
        Some(Command::Demo(arguments)) => {
            lab::takes_no_files(global)?;
            lab::demo(arguments, session.mode(), out).await
        }
        Some(Command::Lab(arguments)) => {
            lab::takes_no_files(global)?;
            lab::alone(arguments, out).await
        }
        Some(Command::Collect(what)) if what.print_unit => unit::run(&session, global, out),
        Some(Command::Collect(_)) => receive(&session, out).await,
        Some(Command::Init) => init::run(&session.config_path()?, out),
        Some(Command::Doctor) => check(&session, out).await,
        Some(Command::Sources(args::Sources::List)) => list_sources(&session, out).await,
        Some(Command::Sources(args::Sources::Checks)) => {
            sources::checks(&session.local()?.reading.unwrap_or_default().log_checks, out)
        }
        Some(Command::Events(what)) => {
            let store = session.local_store(out).await?;
            closed(store.as_ref(), events::run(what, store.as_ref(), out).await).await
        }
        Some(Command::Import(what)) => take_in(what, &session, out).await,
        Some(Command::Findings(what)) => triage(what, &session, out).await,
        Some(Command::User { login }) => {
            user::run(login, connect::directory(&session.loaded()?)?.as_ref(), out).await
        }
        Some(Command::Ip { address }) => {
            ip::run(*address, connect::directory(&session.loaded()?)?.as_ref(), out).await
        }
        Some(Command::Flows { what: None }) => flows::run(&session.local()?.flows, out),
        Some(Command::Flows { what: Some(args::Flows::Lint) }) => flows::lint(&session.local()?.flows, out),
        Some(Command::Run(what)) => remediate(what, &session, out).await,
        Some(Command::Undo(what)) => take_back(what, &session, out).await,
        Some(Command::Bulk(what)) => in_bulk(what, &session, out).await,
        Some(Command::Journal(args::Journal::Check(what))) => look_again(what, &session, out).await,
        Some(Command::Journal(args::Journal::Say(what))) => say(what, &session, out).await,
        Some(Command::Journal(what)) => {
            let store = session.local_store(out).await?;
            closed(store.as_ref(), journal::run(what, store.as_ref(), out).await).await
        }
        Some(Command::Store(what)) => keep(what, &session, out).await,
        Some(Command::Notify(what)) => notify::run(what, &session, out).await,
        Some(Command::Cii(what)) => cii::run(what, &session, out).await,
        Some(Command::Okta(what)) => okta::run(what, &session, out).await,
    }
}

async fn open_console(session: &Session<'_>, out: &mut Output<'_>) -> Result<u8, Failure> {
    let loaded = session.loaded()?;
    let store = session.store_at_once(&loaded.config, out).await?;
    let stage = console::Stage {
        actor: session.actor(&loaded.config.console),
        mode: session.mode(),
        receives: session.mode(),
        clock: connect::clock(),
        pace: Pace::default(),
        badge: None,
        bound: None,
    };
    console::run(loaded, store, stage, out).await
}

async fn receive(session: &Session<'_>, out: &mut Output<'_>) -> Result<u8, Failure> {
    session.may_change("receiving")?;
    let loaded = session.loaded()?;
    let store = session.store_at_once(&loaded.config, out).await?;
    let actor = session.actor(&loaded.config.console);
    collect::run(loaded, store, &actor, out).await
}

async fn list_sources(session: &Session<'_>, out: &mut Output<'_>) -> Result<u8, Failure> {
    let local = session.local()?;
    let store = session.store(&local.store, local.reading.clone(), out).await?;
    let holder = receiver::of(&local.store);
    let listed = sources::list(&local.sources, store.as_ref(), holder.as_deref(), connect::now(), out).await;
    closed(store.as_ref(), listed).await
}

async fn check(session: &Session<'_>, out: &mut Output<'_>) -> Result<u8, Failure> {
    let loaded = session.loaded()?;
    // A store that cannot be opened is one more thing to tell, not the end of the examination.
    let opened = session.store(&loaded.config.store, Some(Reading::of(&loaded.config)), out).await;
    let store = opened.as_ref().map(|store| store.as_ref());
    let holder = receiver::of(&loaded.config.store);
    let mut checked = doctor::local_checks(&loaded, store, holder.as_deref()).await;
    if let Ok(store) = store {
        if session.mode() == Mode::Acting {
            checked.extend(doctor::writing(store).await);
        }
        checked.extend(sources::checked(&loaded.config, store, holder.as_deref(), connect::now()).await);
    }
    checked.extend(notify::checks(&loaded.config, store).await);
    checked.extend(connect::probes(&loaded, store.ok()).await);
    let printed = doctor::print(&checked, out);
    match opened {
        Ok(store) => closed(store.as_ref(), printed).await,
        Err(_) => printed,
    }
}

async fn take_in(what: &args::Import, session: &Session<'_>, out: &mut Output<'_>) -> Result<u8, Failure> {
    let local = session.local()?;
    let origin = import::origin(what.origin.as_deref(), &local)?;
    if what.dry_run {
        return import::dry_run(what, &origin, out);
    }
    session.may_change("an import")?;
    // A file that is not there is no reason to make a store.
    drop(import::opened(&what.file)?);
    let is_read = local.reading.is_some();
    if !is_read {
        out.note("there is no configuration: no rule and no mapping is applied to what is imported")?;
    }
    let store = session.store(&local.store, local.reading, out).await?;
    let (asks, stop) = watch::channel(false);
    let receiver = receiver::of(&local.store);
    let around = import::Around { store: store.clone(), clock: connect::clock(), stop, receiver };
    let mut signals = signals()?;
    let listening = async {
        loop {
            if signals.next().await != Signalled::Continued {
                asks.send_replace(true);
            }
        }
    };
    let ended = tokio::select! {
        ended = import::run(what, origin, around, out) => ended,
        never = listening => never,
    };
    // What is very large is taken in slice by slice; what is not yet will be by whoever opens the store next.
    if is_read && let Err(error) = store.drained().await {
        out.note(&format!("what was imported last is not listed yet: {error}"))?;
    }
    closed(store.as_ref(), ended).await
}

fn signals() -> Result<Signals, Failure> {
    Signals::listen().map_err(|cause| Failure::failed(format!("signals cannot be listened to: {cause}")))
}

async fn triage(what: &args::Findings, session: &Session<'_>, out: &mut Output<'_>) -> Result<u8, Failure> {
    if findings::changes(what) {
        session.may_change("a triage change")?;
    }
    let local = session.local()?;
    if let Some((what, words)) = findings::words(what) {
        without_secret((what, &words), session, out)?;
    }
    let actor = session.actor(&local.console);
    let store = session.store(&local.store, local.reading.clone(), out).await?;
    let by = findings::By { actor: &actor, at: connect::now() };
    closed(store.as_ref(), findings::run(what, store.as_ref(), by, out).await).await
}

async fn keep(what: &args::Store, session: &Session<'_>, out: &mut Output<'_>) -> Result<u8, Failure> {
    if store::takes(what) {
        session.may_change("pruning")?;
    }
    let local = session.local()?;
    let actor = session.actor(&local.console);
    let kept = session.store(&local.store, local.reading, out).await?;
    let by = store::By { keep: local.keep, actor: &actor, at: connect::now() };
    closed(kept.as_ref(), store::run(what, kept.as_ref(), by, out).await).await
}

async fn remediate(what: &args::RunOn, session: &Session<'_>, out: &mut Output<'_>) -> Result<u8, Failure> {
    may_run(&what.answers, session)?;
    let loaded = session.loaded()?;
    let tenants = connect::tenants(&loaded.config, connect::clock())?;
    let store = session.store(&loaded.config.store, Some(Reading::of(&loaded.config)), out).await?;
    let found = match what.whom.test {
        true => connect::sampled(&loaded, &what.flow),
        false => whom::all(what, store.as_ref(), tenants.as_ref()).await,
    };
    let on = if what.whom.test { On::Sample } else { On::Users };
    let ran = async {
        let tools = Tools { loaded: &loaded, tenants, store: store.clone(), session, on };
        tools.act(&what.named(), &found?, &run::AsAction, out).await
    };
    closed(store.as_ref(), ran.await).await
}

async fn take_back(what: &args::Undo, session: &Session<'_>, out: &mut Output<'_>) -> Result<u8, Failure> {
    may_run(&what.answers, session)?;
    let loaded = session.loaded()?;
    let tenants = connect::tenants(&loaded.config, connect::clock())?;
    let store = session.store(&loaded.config.store, Some(Reading::of(&loaded.config)), out).await?;
    let ran = async {
        let flows = connect::flows(&loaded.config);
        let (run, targets) = undo::run_of(what, store.as_ref(), &flows, connect::now()).await?;
        let tools = Tools { loaded: &loaded, tenants, store: store.clone(), session, on: On::Users };
        tools.act(&run, &targets, &run::AsAction, out).await
    };
    closed(store.as_ref(), ran.await).await
}

async fn look_again(what: &args::Check, session: &Session<'_>, out: &mut Output<'_>) -> Result<u8, Failure> {
    session.may_change("a look, which is kept,")?;
    let loaded = session.loaded()?;
    let tenants = connect::tenants(&loaded.config, connect::clock())?;
    let actor = session.actor(&loaded.config.console);
    let store = session.store(&loaded.config.store, Some(Reading::of(&loaded.config)), out).await?;
    let log = tenants.log_search();
    let runner = connect::runner(&loaded, tenants, store.clone(), &actor);
    let ended = check::run(what, &runner, store.as_ref(), log.as_deref(), out).await;
    closed(store.as_ref(), ended).await
}

async fn say(what: &args::Say, session: &Session<'_>, out: &mut Output<'_>) -> Result<u8, Failure> {
    session.may_change("an analyst's word, which is kept,")?;
    let local = session.local()?;
    without_secret(("the reason", &what.reason), session, out)?;
    let actor = session.actor(&local.console);
    let store = session.store(&local.store, local.reading, out).await?;
    let by = findings::By { actor: &actor, at: connect::now() };
    let ended = journal::say::run(what, (store.as_ref(), &local.flows), by, out).await;
    closed(store.as_ref(), ended).await
}

/// What is kept as it is said must hold no secret, as far as the secrets can be read here.
fn without_secret(
    (what, words): (&str, &str),
    session: &Session<'_>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let Some(comparable) = session.comparable()? else { return Ok(()) };
    session::takes_words(&comparable.config, what, words)?;
    if comparable.unread > 0 {
        let secrets = counted(comparable.unread, "configured secret");
        out.note(&format!(
            "{what} was not compared with {secrets}: a command keeps it, or it cannot be read here"
        ))?;
    }
    Ok(())
}

async fn in_bulk(what: &args::Bulk, session: &Session<'_>, out: &mut Output<'_>) -> Result<u8, Failure> {
    if bulk::changes(what) {
        session.may_change("a run on many")?;
    }
    let args::Bulk::Resume { id, confirm, .. } = what else {
        let local = session.local()?;
        let actor = session.actor(&local.console);
        let store = session.store(&local.store, local.reading, out).await?;
        let by = bulk::By { actor: &actor, at: connect::now() };
        return closed(store.as_ref(), bulk::run(what, store.as_ref(), by, out).await).await;
    };
    let loaded = session.loaded()?;
    let tenants = connect::tenants(&loaded.config, connect::clock())?;
    let actor = session.actor(&loaded.config.console);
    let store = session.store(&loaded.config.store, Some(Reading::of(&loaded.config)), out).await?;
    let resumed = async {
        let by = bulk::By { actor: &actor, at: connect::now() };
        let runner = connect::runner(&loaded, tenants, store.clone(), &actor);
        if bulk::is_closed(*id, store.as_ref(), by, out).await? {
            return Ok(failure::DONE);
        }
        // What is not what was confirmed is not even called running.
        runner.drivable(*id).await.map_err(bulk::not_driven)?;
        bulk::may_go_on(*id, confirm.as_deref(), store.as_ref()).await?;
        bulk::run(what, store.as_ref(), by, out).await?;
        until_signalled(async |stop| bulk::drive(*id, runner, stop, out).await).await
    };
    closed(store.as_ref(), resumed.await).await
}

fn may_run(answers: &args::Answers, session: &Session<'_>) -> Result<(), Failure> {
    if answers.dry_run { Ok(()) } else { session.may_change("running a flow") }
}

/// On whom a command acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    /// Users.
    Users,
    /// Nobody: a flow is tried with the documented sample.
    Sample,
}

/// What a command that acts works with.
struct Tools<'a> {
    loaded: &'a Loaded,
    tenants: Arc<Tenants>,
    store: Arc<dyn Store>,
    session: &'a Session<'a>,
    on: On,
}

impl Tools<'_> {
    async fn act(
        self,
        what: &args::Run,
        targets: &[whom::Target],
        tell: &dyn run::Tell,
        out: &mut Output<'_>,
    ) -> Result<u8, Failure> {
        // Before anybody is read.
        let over = remediation::bulk::over_limit(&self.loaded.config.guard, targets.len());
        if let Some(why) = over.filter(|_| targets.len() > 1) {
            return Err(Failure::usage(format!("{why}\nhint: name fewer, or raise the limit")));
        }
        let actor = self.session.actor(&self.loaded.config.console);
        let desk = match self.on {
            On::Users => connect::desk(self.loaded, self.tenants, self.store, &actor),
            On::Sample => connect::trial_desk(self.loaded, self.tenants, self.store, &actor),
        };
        let by = run::By { actor: &actor, at: connect::now() };
        until_signalled(async |stop| run::run(what, targets, desk.as_ref(), by, stop, tell, out).await).await
    }
}

/// Runs a flow with tenants that are there already.
async fn acted(
    what: &args::Run,
    loaded: &Loaded,
    tenants: Arc<Tenants>,
    tell: &dyn run::Tell,
    session: &Session<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let targets = whom::named(what)?;
    let store = session.store(&loaded.config.store, Some(Reading::of(&loaded.config)), out).await?;
    let tools = Tools { loaded, tenants, store: store.clone(), session, on: On::Users };
    closed(store.as_ref(), tools.act(what, &targets, tell, out).await).await
}

/// Does something that acts, and has it stop in order where a signal would end the process within a request.
async fn until_signalled(
    act: impl AsyncFnOnce(&mut run::Stop) -> Result<u8, Failure>,
) -> Result<u8, Failure> {
    let (asks, mut stop) = run::Stop::new();
    let listening = signals()?.told_to(|signalled, since_first| {
        asks.send_modify(|asked| *asked = asked.after(signalled, since_first));
    });
    tokio::select! {
        ended = act(&mut stop) => ended,
        never = listening => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &[&str]) -> (u8, String, String) {
        let (mut out, mut errors) = (Vec::new(), Vec::new());
        let words = std::iter::once("idtriage").chain(line.iter().copied()).map(OsString::from);
        let status = main(words, &mut out, &mut errors);
        (status, String::from_utf8(out).unwrap(), String::from_utf8(errors).unwrap())
    }

    #[test]
    fn help_is_an_answer_and_wrong_usage_an_error() {
        let (status, out, errors) = said(&["--help"]);
        assert!(status == failure::DONE && out.contains("Exit status") && errors.is_empty());
        let (status, out, errors) = said(&["fly"]);
        assert!(status == failure::USAGE && out.is_empty() && errors.contains("fly"));
    }

    #[test]
    fn read_only_and_a_missing_configuration_are_told() {
        let (status, _, errors) = said(&["--read-only", "findings", "claim", "7"]);
        assert_eq!(status, failure::FAILED);
        assert!(errors.contains("a triage change is refused: this is `--read-only`"), "{errors}");
        let (status, _, errors) = said(&["--config", "/nonexistent/config.toml", "flows"]);
        assert_eq!(status, failure::USAGE);
        assert!(errors.contains("hint: `idtriage init` writes one"), "{errors}");
    }

    #[test]
    fn a_written_template_lists_the_presets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let path = path.to_str().unwrap();
        assert_eq!(said(&["--config", path, "init"]).0, failure::DONE);
        let (status, out, _) = said(&["--config", path, "--json", "flows"]);
        assert_eq!((status, out.lines().count()), (failure::DONE, 9));
    }
}
