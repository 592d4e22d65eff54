//! The console, on a real tenant or on the lab.

use super::connect;
use super::failure::{DONE, FAILED, Failure, MIXED, UNKNOWN, combined};
use super::output::Output;
use super::run::note;
use crate::app::State;
use crate::app::layout::Size;
use crate::command::Keymap;
use crate::config::load::Folders;
use crate::config::{Config, Loaded, meant};
use crate::domain::source::CONSOLE;
use crate::domain::time::Zone;
use crate::domain::{Actor, Event, Severity, SourceState};
use crate::ingest::Ingest;
use crate::notify;
use crate::remediation::guard::Mode;
use crate::remediation::{Pace, Unsent};
use crate::runtime::apart::Left;
use crate::runtime::child::Children;
use crate::runtime::session::{self, Closed};
use crate::runtime::{picture, receiver};
use crate::source::clock::Clock;
use crate::store::{self, Store, receiver::Who};
use crate::tenant::CallProber;
use crate::tenant::Tenants;
use crate::view::{Glyphs, Theme};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::oneshot;

/// What differs between a real tenant and the demo.
#[derive(Debug)]
pub(super) struct Stage {
    /// Who acts.
    pub(super) actor: Actor,
    /// Whether anything may be changed.
    pub(super) mode: Mode,
    /// Whether anything is taken in: the demo's own store is, whatever may be changed.
    pub(super) receives: Mode,
    /// The time.
    pub(super) clock: Arc<dyn Clock>,
    /// How long leases hold by that time.
    pub(super) pace: Pace,
    /// A badge in the header.
    pub(super) badge: Option<String>,
    /// Hears where the listener listens.
    pub(super) bound: Option<oneshot::Sender<SocketAddr>>,
}

/// Runs the console on a store until the analyst leaves.
pub(super) async fn run(
    loaded: Loaded,
    store: Arc<dyn Store>,
    stage: Stage,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let closed = session::run(setup(&loaded, store.clone(), stage)?).await;
    let head = store.journal_head().await;
    store.close().await?;
    let closed = closed.map_err(no_terminal)?;
    let status = status(&closed);
    match closed.left {
        // Standard error is mostly the same terminal: another word would never return.
        Ok(Left::HeldUp) => return Ok(status),
        Err(cause) if status == DONE => return Err(no_terminal(cause)),
        Ok(Left::GivenBack) | Err(_) => {}
    }
    // The terminal may be gone, and with it who reads this: the status says it all the same.
    if let Some(head) = head? {
        let _ = out.note(&format!("journal head {head}"));
    }
    if closed.unsettled > 0 {
        let words = match closed.unsettled {
            1 => "1 run left without a receipt: its outcome is unknown".to_owned(),
            n => format!("{n} runs left without a receipt: their outcome is unknown"),
        };
        let _ = out.note(&words);
    }
    for Unsent { login, verb, .. } in &closed.unsent {
        let _ = out.note(&format!("{login}: {verb}: not sent any more, since the console was left"));
    }
    for run in &closed.waiting {
        let _ = note(run, out);
    }
    Ok(status)
}

/// A run that was cut between two steps is one that went one way and the other.
fn status(closed: &Closed) -> u8 {
    let unsettled = (closed.unsettled > 0).then_some(UNKNOWN);
    let of_unsent = |unsent: &Unsent| if unsent.is_rest { MIXED } else { FAILED };
    // Those who still wait in a run on many were not acted on: that is no success.
    let waiting = closed.waiting.iter().map(|_| FAILED);
    combined(unsettled.into_iter().chain(closed.unsent.iter().map(of_unsent)).chain(waiting))
}

fn no_terminal(cause: std::io::Error) -> Failure {
    Failure::failed(format!("the terminal cannot be used: {cause}\nhint: `idtriage collect` needs none"))
}

/// Runs the console without a terminal until an incident is in its feed, and answers that screen.
pub(super) async fn picture(
    loaded: Loaded,
    store: Arc<dyn Store>,
    stage: Stage,
    size: Size,
) -> Result<String, Failure> {
    let (theme, _) = Theme::load("dark", None);
    let setup = session::Setup { theme, ..setup(&loaded, store.clone(), stage)? };
    let taken = picture::take(setup, size, "idtriage demo", shows_an_incident).await;
    store.close().await?;
    taken.map_err(|cause| Failure::failed(format!("the picture cannot be taken: {cause}")))
}

/// The sources run, and three different critical checks of the last minutes are to be seen.
fn shows_an_incident(state: &State) -> bool {
    let is_recent = |event: &&Event| state.now.duration_since(event.at()) < SignedDuration::from_mins(5);
    let visible = state.feed.window.rows.iter().take(state.size.feed_rows());
    let critical = visible.filter(|event| event.severity == Severity::Critical).filter(is_recent);
    let checks: BTreeSet<String> = critical.map(|event| event.check.id.to_string()).collect();
    let mut sources = state.header.sources.iter();
    checks.len() >= 3 && sources.all(|source| source.state == SourceState::Running)
}

fn setup(loaded: &Loaded, store: Arc<dyn Store>, stage: Stage) -> Result<session::Setup, Failure> {
    let config = &loaded.config;
    let keymap = Keymap::new(&config.console.keys).map_err(|problems| Failure::usage(problems.join("\n")))?;
    let (theme, mut warnings) = theme(&config.console, loaded.path.parent());
    let zone = zone(config.console.time, TimeZone::try_system()).unwrap_or_else(|warning| {
        warnings.push(warning);
        Zone::Utc
    });
    let tenants = connect::tenants_of_console(config, stage.clock.clone())?;
    let (held, log, org) = (tenants.held(), tenants.log_search(), tenants.okta_org());
    let access = tenants.access();
    let prober = org.is_some().then(|| tenants.clone() as Arc<dyn CallProber>);
    let notifiers = match stage.receives {
        Mode::Acting => connect::notifiers(config, store.clone(), stage.clock.clone(), None)?,
        Mode::ReadOnly => None,
    };
    let (actor, clock) = (&stage.actor, stage.clock.clone());
    let received =
        receiving(config, store.clone(), &tenants, stage.clock.clone(), CONSOLE, actor, stage.receives);
    let desk = connect::remediation_desk(config, tenants, store.clone(), actor, stage.mode, zone, clock);
    Ok(session::Setup {
        console: config.console.clone(),
        keymap,
        theme,
        badge: stage.badge,
        link_hosts: link_hosts(config),
        profile_map: config.profiles.map.clone(),
        desk,
        held,
        clock: stage.clock.clone(),
        pace: stage.pace,
        children: Children::without(loaded.secret_variables.iter().cloned()),
        keep: config.keep,
        log,
        org,
        prober,
        access,
        map: Arc::new(config.profiles.map.clone()),
        exports: Folders::of_environment().map(|folders| folders.exports()),
        receiver: received.telling(notifiers),
        bells: notify::bells(&config.notify),
        told: notify::told(&config.notify),
        bound: stage.bound,
        warnings,
    })
}

/// What a process receives, as the configuration says it; nothing in a read-only one.
pub(super) fn receiving(
    config: &Config,
    store: Arc<dyn Store>,
    tenants: &Tenants,
    clock: Arc<dyn Clock>,
    what: &str,
    actor: &Actor,
    mode: Mode,
) -> receiver::Settings {
    let (sources, polled) = match mode {
        Mode::ReadOnly => (Vec::new(), Vec::new()),
        Mode::Acting => {
            let sink = Arc::new(Ingest::new(store.clone(), clock.clone()));
            (config.sources.clone(), connect::polled(config, tenants, &sink, &clock))
        }
    };
    receiver::Settings {
        store_file: store::sqlite_path(&config.store).ok().map(PathBuf::from),
        who: Who { pid: std::process::id(), host: actor.host.clone(), what: what.to_owned() },
        listen: config.listen.clone(),
        sources,
        polled,
        idle_because: if mode == Mode::ReadOnly {
            "started with --read-only"
        } else {
            "no source is configured"
        },
        store,
        notifiers: None,
        clock,
    }
}

/// The configured hosts, whose links open without a card.
fn link_hosts(config: &Config) -> Vec<String> {
    let cii = config.cii.iter().flat_map(|cii| [&cii.api_url, &cii.token_url]);
    let okta = config.okta.iter().map(|okta| &okta.org_url);
    let hosts = cii.chain(okta).filter_map(|url| url.host_str().map(str::to_owned));
    config.console.link_hosts.iter().cloned().chain(hosts).collect()
}

/// The theme by name: a file of the configuration's folder goes before the built-in one.
pub(super) fn theme(console: &meant::Console, folder: Option<&Path>) -> (Theme, Vec<String>) {
    let without_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let (theme, warnings) =
        Theme::load(&console.theme, folder.map(|folder| folder.join("themes")).as_deref());
    let theme = if without_colour { theme.without_colour() } else { theme };
    let glyphs = match console.borders {
        meant::Borders::Unicode => Glyphs::Unicode,
        meant::Borders::Ascii => Glyphs::Ascii,
    };
    (theme.drawn_with(glyphs), warnings)
}

/// The zone to show times in. The machine's may not be known, and then a guess would be a wrong time.
fn zone(shown: meant::ShownTime, system: Result<TimeZone, jiff::Error>) -> Result<Zone, String> {
    match (shown, system) {
        (meant::ShownTime::Utc, _) => Ok(Zone::Utc),
        (meant::ShownTime::Local, Ok(zone)) => Ok(Zone::Local(zone)),
        (meant::ShownTime::Local, Err(cause)) => Err(format!(
            "times are shown in UTC: the zone of this machine is not known: {cause}; hint: set `TZ`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Login;
    use rstest::rstest;

    #[rstest]
    #[case(0, &[], DONE)]
    #[case(0, &[true], MIXED)]
    #[case(0, &[false, false], FAILED)]
    #[case(0, &[false, true], MIXED)]
    #[case(1, &[true], UNKNOWN)]
    fn what_is_left_behind_is_in_the_status(
        #[case] unsettled: usize,
        #[case] rests: &[bool],
        #[case] expected: u8,
    ) {
        let unsent =
            |is_rest: &bool| Unsent { login: Login::new("ann"), verb: "v".into(), is_rest: *is_rest };
        let unsent = rests.iter().map(unsent).collect();
        assert_eq!(
            status(&Closed { left: Ok(Left::GivenBack), unsettled, unsent, waiting: Vec::new() }),
            expected
        );
    }

    #[test]
    fn times_are_in_utc_unless_the_machines_zone_is_wanted_and_known() {
        let known = || Ok(TimeZone::fixed(jiff::tz::offset(2)));
        let not_known = || TimeZone::get("Nowhere/At_All");
        assert_eq!(zone(meant::ShownTime::Utc, known()), Ok(Zone::Utc));
        assert!(matches!(zone(meant::ShownTime::Local, known()), Ok(Zone::Local(_))));
        assert!(zone(meant::ShownTime::Local, not_known()).unwrap_err().contains("hint: set `TZ`"));
    }
}
