//! `collect`: receives and stores without a screen.

use super::connect;
use super::console::receiving;
use super::failure::{DONE, Failure};
use super::output::Output;
use crate::app::Msg;
use crate::app::header::Receiver;
use crate::config::{Config, Loaded};
use crate::domain::call_probe::CallProbe;
use crate::domain::event::SourceName;
use crate::domain::time::{self, Zone};
use crate::domain::{Actor, SourceHealth, SourceNote, SourceState, untrusted};
use crate::notify;
use crate::remediation::Runner;
use crate::remediation::guard::Mode;
use crate::runtime::headless;
use crate::runtime::receiver::Tell;
use crate::runtime::systemd::Systemd;
use crate::store::Store;
use crate::tenant::Tenants;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Receives until a signal.
pub(super) async fn run(
    loaded: Loaded,
    store: Arc<dyn Store>,
    actor: &Actor,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    if loaded.config.sources.is_empty() {
        return Err(Failure::usage("no source is configured\nhint: a `[[source]]` says what to receive"));
    }
    out.note(&what(&loaded.config))?;
    let clock = connect::clock();
    let tenants = connect::tenants(&loaded.config, clock.clone())?;
    let teller = Arc::new(Teller::default());
    let hear: Arc<dyn notify::Hear> = teller.clone();
    let notifiers = connect::notifiers(&loaded.config, store.clone(), clock.clone(), Some(hear))?;
    let desk = connect::remediation_desk(
        &loaded.config,
        tenants.clone(),
        store.clone(),
        actor,
        Mode::Acting,
        Zone::Utc,
        clock.clone(),
    );
    let runner = Arc::new(Runner::new(desk, Default::default()));
    let settings = receiving(&loaded.config, store.clone(), &tenants, clock, "collect", actor, Mode::Acting)
        .telling(notifiers);
    let systemd = Systemd::of(|name| std::env::var_os(name), std::process::id());
    let keep = loaded.config.keep;
    let tell: Tell = Arc::new(move |msg| teller.tell(msg));
    let probing = probe(tenants, tell.clone());
    let ended = headless::collect(settings, keep, runner, (tell, probing), systemd).await;
    store.close().await?;
    ended.map_err(|cause| Failure::failed(format!("nothing is received any more: {cause}")))?;
    out.note("stopped; everything that was acknowledged is stored")?;
    Ok(DONE)
}

/// What a source needs and may not call is said at the start, not only where it is missed.
async fn probe(tenants: Arc<Tenants>, tell: Tell) {
    tell(Msg::CallsProbed(tenants.probe_calls().await));
}

/// What is going to be taken in.
fn what(config: &Config) -> String {
    let names: Vec<&str> = config.sources.iter().map(|source| source.name.0.as_str()).collect();
    let names = names.join(", ");
    if config.sources.iter().any(|source| source.webhook().is_some()) {
        return format!("collecting {names}; posts go to {}", config.listen.address);
    }
    format!("collecting {names}")
}

/// What a person at the service's log wants to know. What is the same as before is not said again: a
/// sender that keeps trying would fill the log of a full disk.
#[derive(Debug, Default)]
struct Teller(Mutex<Said>);

/// What was said of whom.
#[derive(Debug, Default)]
struct Said {
    sources: Arc<[SourceHealth]>,
    /// Those that are not well, with why.
    unwell: BTreeMap<SourceName, String>,
    /// Those that are silent for longer than expected.
    silent: BTreeSet<SourceName>,
    /// Those that refuse what comes.
    refusing: BTreeSet<SourceName>,
    /// The gaps, in words.
    gaps: BTreeSet<String>,
    /// Those who cannot be told of events, with why.
    untold: BTreeMap<String, String>,
}

impl Teller {
    fn tell(&self, msg: Msg) {
        self.say(self.lines(msg));
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, lines: impl IntoIterator<Item = String>) {
        for line in lines {
            // Why something failed may be somebody else's words.
            let line = untrusted::visible(&line);
            tracing::info!("{line}");
            // `eprintln!` would panic, and end the receiving, where the terminal went away.
            let _ = writeln!(io::stderr(), "idtriage: {line}");
        }
    }

    fn lines(&self, msg: Msg) -> Vec<String> {
        let mut said = self.said();
        match msg {
            Msg::ReceiverChanged(Receiver::ThisConsole) => vec!["receiving".to_owned()],
            Msg::ReceiverChanged(Receiver::Other(who)) => vec![format!("waiting: {who} receives")],
            Msg::ReceiverChanged(Receiver::Nobody(why)) => {
                vec![format!("not receiving: {}", why.lines().collect::<Vec<_>>().join("; "))]
            }
            Msg::SourcesChanged(sources) => said.changed(sources),
            // They are another process's to tell of.
            Msg::SourcesReported(_) => said.changed(Arc::default()),
            Msg::CallsProbed(calls) => {
                let bad = calls.iter().filter(|call| call.is_bad());
                bad.filter_map(CallProbe::complaint).map(|said| format!("Okta: {said}")).collect()
            }
            Msg::Noticed(Ok(text) | Err(text)) => vec![text.lines().collect::<Vec<_>>().join("; ")],
            Msg::Ticked(now) => said.ticked(now),
            _ => Vec::new(),
        }
    }
}

impl notify::Hear for Teller {
    fn hear(&self, notifier: &str, why: Option<&str>) {
        let line = self.said().notifier(notifier, why);
        self.say(line);
    }
}

impl Said {
    /// What became of every source, where that is news.
    fn changed(&mut self, sources: Arc<[SourceHealth]>) -> Vec<String> {
        let lines = sources.iter().flat_map(|source| {
            let lines = [self.state(source), self.refusal(source)].into_iter().flatten();
            lines.chain(self.gaps(source)).collect::<Vec<_>>()
        });
        let lines = lines.collect();
        self.sources = sources;
        lines
    }

    /// What may be missing of it, as far as this process noticed it.
    fn gaps(&mut self, source: &SourceHealth) -> Vec<String> {
        let is_own = |note: &&SourceNote| note.is_gap && note.warned_at >= source.since;
        let gaps = source.notes.iter().filter(is_own);
        let lines = gaps.map(|note| format!("source {}: {}", source.name, note.text));
        lines.filter(|line| self.gaps.insert(line.clone())).collect()
    }

    fn state(&mut self, source: &SourceHealth) -> Option<String> {
        let name = &source.name;
        match &source.state {
            SourceState::Waiting { why, .. } | SourceState::Failed { why } => {
                let why = format!("{} {why}", source.state.word());
                let before = self.unwell.insert(name.clone(), why.clone());
                (before.as_ref() != Some(&why)).then(|| format!("source {name} {}", told(source)))
            }
            SourceState::Running => self.unwell.remove(name).map(|_| format!("source {name} is well again")),
            // On its way to one of the others, or with everything else.
            SourceState::Starting | SourceState::Stopped => None,
        }
    }

    fn refusal(&mut self, source: &SourceHealth) -> Option<String> {
        let name = &source.name;
        if source.refusing().is_none() {
            return self.refusing.remove(name).then(|| format!("source {name} accepts again"));
        }
        self.refusing.insert(name.clone()).then(|| format!("source {name} {}", source.refuses()))
    }

    fn notifier(&mut self, name: &str, why: Option<&str>) -> Option<String> {
        let Some(why) = why else {
            return self.untold.remove(name).map(|_| format!("notifier {name} is told again"));
        };
        let before = self.untold.insert(name.to_owned(), why.to_owned());
        (before.as_deref() != Some(why)).then(|| format!("notifier {name} cannot be told: {why}"))
    }

    /// Which silences became longer than expected, and which ended.
    fn ticked(&mut self, now: Timestamp) -> Vec<String> {
        let sources = self.sources.clone();
        sources.iter().filter_map(|source| self.silence(source, now)).collect()
    }

    fn silence(&mut self, source: &SourceHealth, now: Timestamp) -> Option<String> {
        let name = &source.name;
        match source.overdue(now) {
            Some(since) if self.silent.insert(name.clone()) => {
                let since = time::rfc3339_seconds(since);
                Some(format!("source {name} is silent since {since}, longer than expected"))
            }
            Some(_) => None,
            None => self.silent.remove(name).then(|| format!("source {name} is not silent any more")),
        }
    }
}

fn told(source: &SourceHealth) -> String {
    match source.state {
        SourceState::Waiting { .. } => format!("is {}", source.told(&Zone::Utc)),
        _ => source.told(&Zone::Utc),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::source::Unaccepted;
    use jiff::SignedDuration;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn source(name: &str, state: SourceState) -> SourceHealth {
        SourceHealth { state, ..SourceHealth::new(name.into(), "cii-webhook", "/hooks") }
    }

    fn say(teller: &Teller, sources: &[SourceHealth]) -> Vec<String> {
        teller.lines(Msg::SourcesChanged(sources.into()))
    }

    const NOTHING: [&str; 0] = [];

    #[test]
    fn a_failure_is_said_once_and_so_is_its_end() {
        let teller = Teller::default();
        let running = |name| source(name, SourceState::Running);
        let failed = |name| source(name, SourceState::failed("full\nhint: make room"));
        assert_eq!(say(&teller, &[running("a"), running("b")]), NOTHING);
        assert_eq!(say(&teller, &[failed("a"), running("b")]), ["source a failed: full; hint: make room"]);
        let again = SourceHealth { again: Some(at(1)), accepted: 7, ..failed("a") };
        assert_eq!(say(&teller, &[again, running("b")]), NOTHING);
        assert_eq!(say(&teller, &[source("a", SourceState::Starting), failed("b")]).len(), 1);
        assert_eq!(say(&teller, &[running("a"), failed("b")]), ["source a is well again"]);
        assert_eq!(say(&teller, &[running("a"), running("b")]), ["source b is well again"]);
        assert_eq!(say(&teller, &[running("a"), running("b")]), NOTHING);
    }

    #[test]
    fn a_wait_is_said_once_however_long_it_gets() {
        let teller = Teller::default();
        let waits = |second, why: &str| {
            source("log", SourceState::Waiting { until: at(second), why: why.to_owned() })
        };
        assert_eq!(say(&teller, &[waits(0, "429")]), ["source log is waiting till 22:13:20Z: 429"]);
        assert_eq!(say(&teller, &[waits(60, "429")]), NOTHING);
        assert_eq!(say(&teller, &[waits(60, "503")]), ["source log is waiting till 22:14:20Z: 503"]);
    }

    #[test]
    fn a_refusal_is_said_once_and_so_is_its_end() {
        let teller = Teller::default();
        let mut hook = source("cii", SourceState::Running);
        let causes = [("not readable".to_owned(), 1)].into();
        hook.unaccepted = Some(Unaccepted { causes, is_known: true, ..Unaccepted::new(at(1)) });
        assert_eq!(say(&teller, &[hook.clone()]), ["source cii refuses what comes (not readable)"]);
        assert_eq!(say(&teller, &[hook.clone()]), NOTHING);
        hook.unaccepted = None;
        assert_eq!(say(&teller, &[hook]), ["source cii accepts again"]);
    }

    #[test]
    fn a_gap_is_said_once_by_the_process_that_noticed_it() {
        let teller = Teller::default();
        let mut log = source("log", SourceState::Running);
        log.since = Some(at(10));
        log.notes = vec![
            SourceNote::gap("an old gap", at(9)),
            SourceNote::gap("a gap", at(10)),
            SourceNote::warning("a clock", at(11)),
        ];
        assert_eq!(say(&teller, &[log.clone()]), ["source log: a gap"]);
        assert_eq!(say(&teller, &[log]), NOTHING);
    }

    #[test]
    fn a_notifier_that_cannot_be_told_is_said_once_and_so_is_its_end() {
        let teller = Teller::default();
        let hear = |why: Option<&str>| teller.said().notifier("night", why);
        assert_eq!(hear(None), None, "well all the time");
        assert_eq!(hear(Some("answered 503")).unwrap(), "notifier night cannot be told: answered 503");
        assert_eq!(hear(Some("answered 503")), None);
        assert_eq!(hear(Some("answered 404")).unwrap(), "notifier night cannot be told: answered 404");
        assert_eq!(hear(None).unwrap(), "notifier night is told again");
    }

    #[test]
    fn a_silence_is_said_once_and_so_is_its_end() {
        let teller = Teller::default();
        let mut log = source("log", SourceState::Running);
        (log.since, log.canary_seconds) = (Some(at(0)), Some(60));
        say(&teller, &[log.clone()]);
        let tick = |second| teller.lines(Msg::Ticked(at(second)));
        assert_eq!(tick(60), NOTHING);
        assert_eq!(tick(61), ["source log is silent since 2023-11-14T22:13:20Z, longer than expected"]);
        assert_eq!(tick(62), NOTHING);
        log.last_accepted = Some(at(70));
        say(&teller, &[log]);
        assert_eq!(tick(71), ["source log is not silent any more"]);
        assert_eq!(tick(71 + SignedDuration::from_mins(1).as_secs()).len(), 1);
    }
}
