//! How a source of events is: what the header sums up, the health screen lists and `doctor` repeats.
//!
//! Whoever receives writes these reports into the store, so that a console that only looks on, and
//! `doctor`, show the same as the process that receives.

use super::event::SourceName;
use super::time::{self, Zone};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whether a source brings what there is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum SourceState {
    /// On its way.
    #[default]
    Starting,
    /// Brings events, or is ready to take them.
    Running,
    /// Tries again by itself at a time.
    Waiting {
        /// Until when.
        #[serde(with = "time::millis")]
        until: Timestamp,
        /// Why.
        why: String,
    },
    /// Brings nothing until somebody mends it, or is tried again later; and why.
    Failed {
        /// Why.
        why: String,
    },
    /// Was told to stop, and did.
    Stopped,
}

impl SourceState {
    /// A failure, in words.
    pub fn failed(why: impl Into<String>) -> SourceState {
        SourceState::Failed { why: why.into() }
    }

    /// The word on the screen and in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            SourceState::Starting => "starting",
            SourceState::Running => "running",
            SourceState::Waiting { .. } => "waiting",
            SourceState::Failed { .. } => "failed",
            SourceState::Stopped => "stopped",
        }
    }

    /// Why it is not simply running, where there is something to say.
    pub fn why(&self) -> Option<&str> {
        match self {
            SourceState::Waiting { why, .. } | SourceState::Failed { why } => Some(why),
            SourceState::Starting | SourceState::Running | SourceState::Stopped => None,
        }
    }
}

/// Something that stays to be known of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceNote {
    /// In words.
    pub text: String,
    /// When it came about, where somebody who trusts the silence has to know: something may be missing, or
    /// soon will. `None` for a mere fact.
    #[serde(with = "time::millis_option", default)]
    pub warned_at: Option<Timestamp>,
    /// Whether something may be missing for good: that outlives the process that noticed it.
    #[serde(default)]
    pub is_gap: bool,
}

impl SourceNote {
    /// A mere fact.
    pub fn fact(text: impl Into<String>) -> SourceNote {
        SourceNote { text: text.into(), warned_at: None, is_gap: false }
    }

    /// Something that may be missing, or soon will, since a moment.
    pub fn warning(text: impl Into<String>, at: Timestamp) -> SourceNote {
        SourceNote { text: text.into(), warned_at: Some(at), is_gap: false }
    }

    /// Something that may be missing for good, noticed at a moment.
    pub fn gap(text: impl Into<String>, at: Timestamp) -> SourceNote {
        SourceNote { is_gap: true, ..SourceNote::warning(text, at) }
    }

    /// Whether it is more than a fact.
    pub fn is_warning(&self) -> bool {
        self.warned_at.is_some()
    }
}

/// What a source refused since it last accepted something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unaccepted {
    /// How often, by cause, in words.
    pub causes: BTreeMap<String, u64>,
    /// Whether whoever sent some of it had the right secret.
    pub is_known: bool,
    /// When it began.
    #[serde(with = "time::millis")]
    pub first: Timestamp,
    /// The last time.
    #[serde(with = "time::millis")]
    pub last: Timestamp,
}

/// Whoever has a wrong secret is a sender, and not somebody who tries doors, when they come as often as this
/// and go on for as long as this.
const TRIES: u64 = 3;
const INSISTS: SignedDuration = SignedDuration::from_mins(1);

impl Unaccepted {
    /// Nothing yet, at a moment.
    pub fn new(at: Timestamp) -> Unaccepted {
        Unaccepted { causes: BTreeMap::new(), is_known: false, first: at, last: at }
    }

    /// Whether somebody means it: they have the secret, or come again and again with a wrong one.
    fn is_meant(&self) -> bool {
        let insists = self.last.duration_since(self.first) >= INSISTS;
        self.is_known || (insists && self.causes.values().sum::<u64>() >= TRIES)
    }
}

/// How long every screen's first line says that a source warned; the health screen keeps it.
pub const WARNED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// How a source is, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceHealth {
    /// Its configured name.
    pub name: SourceName,
    /// Its type: `cii-webhook`.
    pub source_type: String,
    /// Where it takes from: the path that is posted to, or the host that is asked.
    pub place: String,
    /// Whether it brings what there is.
    #[serde(flatten)]
    pub state: SourceState,
    /// Elements accepted since its process started, repeats too.
    pub accepted: u64,
    /// When the last one was accepted.
    #[serde(with = "time::millis_option", default)]
    pub last_accepted: Option<Timestamp>,
    /// When it last showed that it is alive, with or without an element: an empty page counts.
    #[serde(with = "time::millis_option", default)]
    pub last_alive: Option<Timestamp>,
    /// What was refused since its process started, by cause, in words.
    pub refused: BTreeMap<String, u64>,
    /// What was refused that only a sender who means it sends, since something was accepted.
    #[serde(default)]
    pub unaccepted: Option<Unaccepted>,
    /// What stays to be known, newest last: where a reading began, a possible gap, a clock that is off.
    #[serde(default)]
    pub notes: Vec<SourceNote>,
    /// How long it may be silent before that is said, in seconds.
    #[serde(default)]
    pub canary_seconds: Option<u64>,
    /// When its process began to receive.
    #[serde(with = "time::millis_option", default)]
    pub since: Option<Timestamp>,
    /// Since when it could bring something: a short break, as a restart is one, is none.
    #[serde(with = "time::millis_option", default)]
    pub listened_since: Option<Timestamp>,
    /// When one that failed is tried again by itself.
    #[serde(with = "time::millis_option", default)]
    pub again: Option<Timestamp>,
}

impl SourceHealth {
    /// A source that has brought nothing yet.
    pub fn new(name: SourceName, source_type: &str, place: impl Into<String>) -> SourceHealth {
        SourceHealth {
            name,
            source_type: source_type.to_owned(),
            place: place.into(),
            state: SourceState::Starting,
            accepted: 0,
            last_accepted: None,
            last_alive: None,
            refused: BTreeMap::new(),
            unaccepted: None,
            notes: Vec::new(),
            canary_seconds: None,
            since: None,
            listened_since: None,
            again: None,
        }
    }

    /// Whether others post to it, at a path; else it asks at a host.
    fn is_posted_to(&self) -> bool {
        self.place.starts_with('/')
    }

    /// The gaps that are told on by a process that begins at a moment.
    fn gaps_at(&self, since: Timestamp) -> impl Iterator<Item = SourceNote> {
        let is_young = |note: &&SourceNote| {
            note.is_gap && note.warned_at.is_some_and(|at| since.duration_since(at) <= GAPS_FOR)
        };
        let gaps: Vec<SourceNote> = self.notes.iter().filter(is_young).cloned().collect();
        let old = gaps.len().saturating_sub(GAPS);
        gaps.into_iter().skip(old)
    }

    /// Requests refused, whatever the cause.
    pub fn refusals(&self) -> u64 {
        self.refused.values().sum()
    }

    /// The newest warning, while it is news.
    pub fn warned(&self, now: Timestamp) -> Option<&SourceNote> {
        let is_news =
            |note: &&SourceNote| note.warned_at.is_some_and(|at| now.duration_since(at) <= WARNED_FOR);
        self.notes.iter().rev().find(is_news)
    }

    /// Since when it brought nothing: since its last element, else since it could have brought one.
    pub fn silent_since(&self) -> Option<Timestamp> {
        self.last_accepted.max(self.listened_since.or(self.since))
    }

    /// What it refuses, where it brought nothing since: whoever sends to it may believe that all is well.
    pub fn refusing(&self) -> Option<&Unaccepted> {
        self.unaccepted.as_ref().filter(|unaccepted| unaccepted.is_meant())
    }

    /// Whether its silence can be trusted: it runs, brings what is expected, and has nothing to warn of.
    pub fn is_well(&self, now: Timestamp) -> bool {
        self.state == SourceState::Running
            && self.overdue(now).is_none()
            && self.refusing().is_none()
            && self.warned(now).is_none()
    }

    /// Why it refuses what comes: `refuses what comes (too large, wrong or missing secret)`.
    pub fn refuses(&self) -> String {
        let causes = self.unaccepted.iter().flat_map(|unaccepted| unaccepted.causes.keys());
        let causes: Vec<&str> = causes.map(String::as_str).collect();
        format!("refuses what comes ({})", causes.join(", "))
    }

    /// What has to be known beside its state, each on one line that changes only when something does that
    /// matters: no counters, no ages.
    pub fn remarks(&self, now: Timestamp) -> Vec<String> {
        let silent = self
            .overdue(now)
            .map(|since| format!("silent since {}, longer than expected", time::rfc3339_seconds(since)));
        let refusing = self.refusing().map(|_| self.refuses());
        let warned = self.notes.iter().rev().find(|note| note.is_warning());
        [silent, refusing, warned.map(|note| one_line(&note.text))].into_iter().flatten().collect()
    }

    /// When its silence becomes longer than expected.
    pub fn overdue_at(&self) -> Option<Timestamp> {
        let limit = SignedDuration::from_secs(i64::try_from(self.canary_seconds?).ok()?);
        self.silent_since()?.checked_add(limit).ok()
    }

    /// Since when it has been silent, where that is longer than expected. One that failed or was stopped is
    /// silent for a reason that is said already.
    pub fn overdue(&self, now: Timestamp) -> Option<Timestamp> {
        let is_at_it = !matches!(self.state, SourceState::Failed { .. } | SourceState::Stopped);
        self.silent_since().filter(|_| is_at_it && self.overdue_at().is_some_and(|at| now > at))
    }

    /// Its state on one line: `waiting till 03:12:07Z: 429`.
    pub fn told(&self, zone: &Zone) -> String {
        let why = self.state.why().map(|why| format!(": {}", one_line(why))).unwrap_or_default();
        let again = self.again.map(|at| format!("; tried again at {}", zone.time_of_day(at)));
        match &self.state {
            SourceState::Waiting { until, .. } => format!("waiting till {}{why}", zone.time_of_day(*until)),
            SourceState::Failed { .. } => format!("failed{why}{}", again.unwrap_or_default()),
            state => state.word().to_owned(),
        }
    }
}

/// A failure's hint stands on a line of its own.
fn one_line(why: &str) -> String {
    why.lines().collect::<Vec<_>>().join("; ")
}

/// A report that is older than this says how things were, not how they are: whoever receives writes one
/// at least every 30 seconds.
pub const STALE_AFTER: SignedDuration = SignedDuration::from_secs(90);

/// What a process that receives says of its sources, as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourcesReport {
    /// Who receives, in words: `collect, pid 4711 on jump`.
    pub receiver: String,
    /// When it was said.
    #[serde(with = "time::millis")]
    pub at: Timestamp,
    /// The sources, in the order of the configuration.
    pub sources: Vec<SourceHealth>,
}

/// How long nobody may receive without a silence being counted anew.
pub const BREAK: SignedDuration = SignedDuration::from_mins(10);
/// What a console calls itself where it receives.
pub const CONSOLE: &str = "this store's console";
/// Of so many gaps a source is told from one process to the next, and for so long.
const GAPS: usize = 5;
const GAPS_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

impl SourcesReport {
    /// A source of a process that goes on where this one left it: what it brought is remembered, and a
    /// silence goes on through a short break. Through a longer one nobody could have heard it.
    pub fn handed_on(&self, mut health: SourceHealth, since: Timestamp) -> SourceHealth {
        let Some(before) = self.sources.iter().find(|before| before.name == health.name) else {
            return health;
        };
        // Whoever was refused before the restart would be refused now.
        if health.last_accepted.is_none() && health.unaccepted.is_none() {
            health.unaccepted = before.unaccepted.clone();
        }
        health.last_accepted = health.last_accepted.or(before.last_accepted.map(|at| at.min(since)));
        let is_short = since.duration_since(self.at).abs() <= BREAK;
        // One that failed could have brought nothing.
        if is_short && !matches!(before.state, SourceState::Failed { .. }) {
            health.listened_since = before.listened_since.or(before.since);
        }
        let own = std::mem::take(&mut health.notes);
        // What is kept elsewhere too, with a place in a log, is told once.
        let is_new = |gap: &SourceNote| own.iter().all(|note| note.text != gap.text);
        let gaps = before.gaps_at(since).filter(is_new).chain(self.gap_of(before, since));
        health.notes = gaps.chain(own.iter().cloned()).collect();
        health
    }

    /// That nobody received for a while, of a source that is posted to: its senders do not wait. Whoever closed
    /// their console knows that nothing receives then, which is a fact; any other end is a gap.
    fn gap_of(&self, before: &SourceHealth, since: Timestamp) -> Option<SourceNote> {
        if !before.is_posted_to() || since.duration_since(self.at) <= STALE_AFTER {
            return None;
        }
        let [from, until] = [self.at, since].map(time::rfc3339_seconds);
        let missing = "what was posted then and not sent again is missing";
        let words = format!("nobody received between {from} and {until}: {missing}");
        let is_closed = self.receiver.starts_with(CONSOLE) && before.state == SourceState::Stopped;
        if !is_closed {
            return Some(SourceNote::gap(words, since));
        }
        // It is true of all of them, and said once.
        let first = self.sources.iter().find(|source| source.is_posted_to());
        first.filter(|first| first.name == before.name).map(|_| SourceNote::fact(words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_comes_back_as_it_was_written() {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let mut log = SourceHealth::new("okta-log".into(), "okta-system-log", "example.okta.com");
        log.state = SourceState::Waiting { until: at, why: "429".into() };
        log.refused.insert("busy".into(), 3);
        log.notes = vec![SourceNote::fact("reading began"), SourceNote::warning("possible gap", at)];
        let hook = SourceHealth {
            state: SourceState::failed("port taken"),
            ..SourceHealth::new("cii".into(), "cii-webhook", "/hooks/cii")
        };
        let report = SourcesReport { receiver: "collect".into(), at, sources: vec![log, hook] };
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<SourcesReport>(&text).unwrap(), report);
        assert!(text.contains(r#""state":"waiting""#), "{text}");
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[test]
    fn that_nobody_received_is_a_gap_and_outlives_who_noticed_it() {
        let hook =
            |state| SourceHealth { state, ..SourceHealth::new("cii".into(), "cii-webhook", "/hooks/cii") };
        let said = |receiver: &str, sources| SourcesReport { receiver: receiver.into(), at: at(0), sources };
        let begun =
            |report: &SourcesReport, since| report.handed_on(hook(SourceState::Running), at(since)).notes;
        let stopped = || vec![hook(SourceState::Stopped)];
        assert_eq!(begun(&said("collect (pid 1 on jump)", stopped()), 90), [], "a restart");
        let words = "nobody received between 2023-11-14T22:13:20Z and 2023-11-14T22:14:51Z: what was posted then \
                     and not sent again is missing";
        let gap = [SourceNote::gap(words, at(91))];
        assert_eq!(begun(&said("collect (pid 1 on jump)", stopped()), 91), gap);
        assert_eq!(
            begun(&said("this store's console (pid 1 on jump)", stopped()), 91),
            [SourceNote::fact(words)]
        );
        let killed = vec![hook(SourceState::Running)];
        assert_eq!(begun(&said("this store's console (pid 1 on jump)", killed), 91), gap);
        let log = SourceHealth { place: "https://acme.okta.com".into(), ..hook(SourceState::Running) };
        assert_eq!(said("collect", vec![log.clone()]).handed_on(log, at(9_000)).notes, [], "it reads on");
        let notes = vec![gap[0].clone(), SourceNote::warning("a warning", at(2)), SourceNote::fact("a fact")];
        let next = said("collect", vec![SourceHealth { notes, ..hook(SourceState::Running) }]);
        assert_eq!(begun(&next, 60), gap);
        let again = SourceHealth { notes: gap.to_vec(), ..hook(SourceState::Running) };
        assert_eq!(next.handed_on(again, at(60)).notes, gap, "once");
        let much_later = 91 + GAPS_FOR.as_secs() + 1;
        assert!(begun(&next, much_later).iter().all(|note| note.warned_at == Some(at(much_later))));
    }

    #[test]
    fn a_silence_goes_on_through_a_restart_and_not_through_a_night() {
        let mut before = SourceHealth::new("cii".into(), "cii-webhook", "/hooks/cii");
        (before.since, before.last_accepted) = (Some(at(0)), Some(at(5_000)));
        let report = SourcesReport { receiver: "collect".into(), at: at(10_000), sources: vec![before] };
        let fresh = |name: &str, since: i64| {
            let (since, canary_seconds) = (Some(at(since)), Some(60));
            let new = SourceHealth::new(name.into(), "cii-webhook", "/hooks/cii");
            SourceHealth { since, listened_since: since, canary_seconds, ..new }
        };
        let handed_on = |name, since| report.handed_on(fresh(name, since), at(since));
        let restarted = handed_on("cii", 10_002);
        assert_eq!((restarted.silent_since(), restarted.since), (Some(at(5_000)), Some(at(10_002))));
        let morning = handed_on("cii", 40_000);
        assert_eq!((morning.silent_since(), morning.last_accepted), (Some(at(40_000)), Some(at(5_000))));
        assert_eq!(handed_on("another", 10_002), fresh("another", 10_002));
        assert_eq!(handed_on("cii", 1_000).last_accepted, Some(at(1_000)), "no clock was ahead");
    }

    #[test]
    fn one_that_refuses_what_comes_is_not_well_until_it_accepts() {
        let mut source = SourceHealth::new("cii".into(), "cii-webhook", "/hooks/cii");
        source.state = SourceState::Running;
        assert!(source.is_well(at(10)) && source.remarks(at(10)).is_empty());
        let tries = |times, last| {
            let causes = [("wrong or missing secret".to_owned(), times)].into();
            Some(Unaccepted { causes, last: at(last), ..Unaccepted::new(at(0)) })
        };
        for (times, last) in [(1, 0), (2, 900), (50, 59)] {
            source.unaccepted = tries(times, last);
            assert!(source.is_well(at(900)), "somebody tries a door: {times} times in {last} s");
        }
        source.unaccepted = tries(3, 60);
        assert!(!source.is_well(at(900)));
        assert_eq!(source.remarks(at(900)), ["refuses what comes (wrong or missing secret)"]);
        let report = SourcesReport { receiver: "collect".into(), at: at(900), sources: vec![source.clone()] };
        let fresh = SourceHealth { unaccepted: None, ..source.clone() };
        assert!(report.handed_on(fresh.clone(), at(901)).refusing().is_some(), "no restart mends it");
        let accepted = SourceHealth { last_accepted: Some(at(902)), ..fresh };
        assert!(report.handed_on(accepted, at(901)).refusing().is_none());
        source.unaccepted = Some(Unaccepted { is_known: true, ..Unaccepted::new(at(5)) });
        assert!(!source.is_well(at(6)), "whoever has the secret is a sender");
        (source.unaccepted, source.last_accepted) = (None, Some(at(6)));
        (source.since, source.canary_seconds) = (Some(at(0)), Some(60));
        assert_eq!(source.remarks(at(100)), ["silent since 2023-11-14T22:13:26Z, longer than expected"]);
        assert!(!source.is_well(at(100)));
    }

    #[test]
    fn a_silence_is_counted_from_the_last_element_or_the_start() {
        let mut source = SourceHealth::new("cii".into(), "cii-webhook", "/hooks/cii");
        source.canary_seconds = Some(60);
        assert_eq!((source.overdue_at(), source.overdue(at(1_000))), (None, None), "it does not run yet");
        source.since = Some(at(0));
        assert_eq!((source.overdue(at(60)), source.overdue(at(61))), (None, Some(at(0))));
        source.last_alive = Some(at(90));
        assert_eq!(source.overdue(at(100)), Some(at(0)), "an empty page is no event");
        source.last_accepted = Some(at(100));
        assert_eq!((source.overdue(at(150)), source.overdue(at(161))), (None, Some(at(100))));
        source.state = SourceState::failed("401");
        assert_eq!(source.overdue(at(161)), None, "that is said already");
        source.state = SourceState::Running;
        source.canary_seconds = Some(u64::MAX);
        assert_eq!(source.overdue(at(1_000_000)), None);
    }

    #[test]
    fn a_state_is_told_on_one_line() {
        let mut source = SourceHealth::new("cii".into(), "cii-webhook", "/hooks/cii");
        assert_eq!(source.told(&Zone::Utc), "starting");
        source.state = SourceState::Waiting { until: at(0), why: "429".into() };
        assert_eq!(source.told(&Zone::Utc), "waiting till 22:13:20Z: 429");
        source.state = SourceState::failed("port taken\nhint: take another");
        assert_eq!(source.told(&Zone::Utc), "failed: port taken; hint: take another");
        source.again = Some(at(8));
        let told = source.told(&Zone::Utc);
        assert_eq!(told, "failed: port taken; hint: take another; tried again at 22:13:28Z");
    }
}
