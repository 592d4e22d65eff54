//! `lab`: the simulated tenant alone; `demo`: the console against it, on a running incident.

use super::args::{DemoArguments, Global, LabAlone, LabArguments};
use super::connect;
use super::console::{self, Stage};
use super::failure::{DONE, Failure};
use super::output::Output;
use crate::config::load::{self, Folders};
use crate::config::meant::Reading;
use crate::config::{Loaded, actor};
use crate::ingest::file::Origin;
use crate::ingest::import::{Ended, Import};
use crate::lab::{self, Callers, Fault, Lab, LabOptions};
use crate::remediation::Pace;
use crate::remediation::guard::Mode;
use crate::runtime::terminal::signals::{Signalled, Signals};
use crate::source::clock::Clock;
use crate::source::type_named;
use crate::store::files::throw_away_folder;
use crate::store::{Access, Store};
use jiff::{SignedDuration, Timestamp};
use std::io::{Cursor, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// Where a lab alone expects the listener of whoever uses its configuration.
const LISTEN: ([u8; 4], u16) = ([127, 0, 0, 1], 8790);
const SOURCE_TYPE: &str = "cii-webhook";

/// The lab's time as the console's clock: at another speed both have to agree.
#[derive(Debug)]
struct LabTime(lab::Clock);

impl Clock for LabTime {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn span(&self, real: SignedDuration) -> SignedDuration {
        real.mul_f64(self.0.speed())
    }

    fn until(&self, at: Timestamp) -> Duration {
        self.0.real(Duration::try_from(at.duration_since(self.0.now())).unwrap_or_default())
    }
}

/// Leases are kept in the lab's time and renewed in real time: they hold as long as usual in reality.
fn pace(clock: &lab::Clock) -> Pace {
    let usual = Pace::default();
    let lease = SignedDuration::try_from(clock.passing(usual.lease.unsigned_abs()));
    Pace { lease: lease.unwrap_or(usual.lease), ..usual }
}

fn options(arguments: &LabArguments, api: Option<SocketAddr>) -> Result<LabOptions, Failure> {
    let faults: Result<Vec<Fault>, _> = arguments.faults.iter().map(|text| text.parse::<Fault>()).collect();
    let faults = faults.map_err(|error| Failure::usage(error.to_string()))?;
    let start = connect::now();
    Ok(LabOptions { seed: arguments.seed, speed: arguments.speed, faults, api, ..LabOptions::at(start) })
}

async fn start(options: LabOptions) -> Result<Lab, Failure> {
    Lab::start(options).await.map_err(|error| Failure::failed(error.to_string()))
}

fn not_written(cause: &std::io::Error) -> Failure {
    Failure::failed(format!("the lab's files cannot be written: {cause}"))
}

/// Runs the lab alone: prints a configuration, then posts to whoever listens at its address.
pub(super) async fn alone(arguments: &LabAlone, out: &mut Output<'_>) -> Result<u8, Failure> {
    let options = options(&arguments.lab, Some(arguments.listen))?;
    let lab = start(LabOptions { callers: Callers::Anybody, ..options }).await?;
    let folder = throw_away_folder("idtriage-lab-").map_err(|cause| not_written(&cause))?;
    let secrets = folder.path().join("secrets");
    lab.write_secret_files(&secrets).map_err(|cause| not_written(&cause))?;
    let listen = SocketAddr::from(LISTEN);
    let text = lab.config_toml(&secrets, listen);
    let path = folder.path().join("config.toml");
    write_private(&path, &text).map_err(|cause| not_written(&cause))?;
    out.text(text.trim_end())?;
    out.note(&format!("the same configuration is in {}: `idtriage --config` takes it", path.display()))?;
    out.note(&format!("posting to {listen} as soon as something listens there; ctrl-c ends the lab"))?;
    let told = lab.tell(lab.targets(listen));
    let mut signals = Signals::listen().map_err(|cause| not_written(&cause))?;
    while !matches!(signals.next().await, Signalled::Stop | Signalled::Interrupted) {}
    told.stop().await;
    lab.stop().await;
    Ok(DONE)
}

/// Demo and lab bring their own configuration and store: who names others would believe that they are used.
///
/// # Errors
/// Where others are named.
pub(super) fn takes_no_files(global: &Global) -> Result<(), Failure> {
    let named = [("--config", global.config.is_some()), ("--store", global.store.is_some())];
    match named.iter().find(|(_, is_named)| *is_named) {
        Some((flag, _)) => Err(Failure::usage(format!(
            "`{flag}` is not read here: `demo` and `lab` have a configuration and a store of their own\n\
             hint: leave it out, or give it to `idtriage` alone, which opens the console with it"
        ))),
        None => Ok(()),
    }
}

/// Runs the demo: a lab, a throw-away store with some days of history, and the console.
pub(super) async fn demo(arguments: &DemoArguments, mode: Mode, out: &mut Output<'_>) -> Result<u8, Failure> {
    let lab = start(options(&arguments.lab, None)?).await?;
    let folder = throw_away_folder("idtriage-demo-").map_err(|cause| not_written(&cause))?;
    let loaded = configure(&lab, folder.path())?;
    let clock: Arc<dyn Clock> = Arc::new(LabTime(lab.clock()));
    let reading = Reading::of(&loaded.config);
    let store = connect::store(&loaded.config.store, Some(reading.clone()), Access::Write).await?;
    load_history(&lab, store.clone(), reading, clock.clone()).await?;
    let (bound, listening) = oneshot::channel();
    let stage = Stage {
        actor: actor::actor(loaded.config.console.analyst.as_deref()),
        mode,
        receives: Mode::Acting,
        clock,
        pace: pace(&lab.clock()),
        badge: Some("DEMO".to_owned()),
        bound: Some(bound),
    };
    let telling = async {
        match listening.await {
            // Held until the console ends: dropping it would end the story.
            Ok(address) => Some(lab.tell(lab.targets(address))),
            Err(_) => None,
        }
    };
    let (ended, _told) = tokio::join!(show(arguments, loaded, store, stage, out), telling);
    lab.stop().await;
    ended
}

/// The console on this terminal, or a picture of it.
async fn show(
    arguments: &DemoArguments,
    loaded: Loaded,
    store: Arc<dyn Store>,
    stage: Stage,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let Some(path) = &arguments.picture else { return console::run(loaded, store, stage, out).await };
    let picture = console::picture(loaded, store, stage, arguments.size).await?;
    let written = std::fs::write(path, picture);
    written.map_err(|cause| {
        Failure::failed(format!("the picture `{}` cannot be written: {cause}", path.display()))
    })?;
    Ok(DONE)
}

/// The lab's own configuration, read like any other.
fn configure(lab: &Lab, folder: &Path) -> Result<Loaded, Failure> {
    let secrets = folder.join("secrets");
    lab.write_secret_files(&secrets).map_err(|cause| not_written(&cause))?;
    let state = folder.join("state");
    std::fs::DirBuilder::new().mode(0o700).create(&state).map_err(|cause| not_written(&cause))?;
    let listen = SocketAddr::from((LISTEN.0, 0));
    let path = folder.join("config.toml");
    write_private(&path, &lab.config_toml(&secrets, listen)).map_err(|cause| not_written(&cause))?;
    let folders = Folders { config: folder.to_owned(), state };
    Ok(load::load(&path, Some(&folders))?)
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

/// The past days are taken in as an import is, each event at its own time, before the first frame.
async fn load_history(
    lab: &Lab,
    store: Arc<dyn Store>,
    reading: Reading,
    clock: Arc<dyn Clock>,
) -> Result<(), Failure> {
    let Some(source_type) = type_named(SOURCE_TYPE) else {
        return Err(Failure::failed("this build has no CII webhook source"));
    };
    let origin = Origin::of_source(SOURCE_TYPE.into(), source_type, reading);
    let lines: String = lab.history().iter().map(|envelope| format!("{envelope}\n")).collect();
    let (_asks, stop) = watch::channel(false);
    let import = Import::new(store.clone(), clock, origin, stop);
    match import.history(Cursor::new(lines), &mut |_| Ok(())).await {
        (_, Ended::Whole) => Ok(store.drained().await?),
        (_, ended) => Err(Failure::failed(format!("the past days cannot be taken in: {ended:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0.5)]
    #[case(1.0)]
    #[case(60.0)]
    fn a_lease_outlasts_its_renewals_at_any_speed(#[case] speed: f64) {
        let clock = lab::Clock::starting_at(Timestamp::UNIX_EPOCH, speed);
        let pace = pace(&clock);
        let holds = clock.real(pace.lease.unsigned_abs());
        assert_eq!(holds, Pace::default().lease.unsigned_abs());
        assert!(holds > pace.renew_every * 3);
    }
}
