//! How a source of events is: what the header sums up, the health screen lists and `doctor` repeats.
//!
//! Whoever receives writes these reports into the store, so that a console that only looks on, and
//! `doctor`, show the same as the process that receives.

use super::event::SourceName;
use super::time;
use jiff::Timestamp;
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
    /// What stays to be known, newest last: a possible gap, a stated loss, a clock that is off.
    #[serde(default)]
    pub notes: Vec<String>,
    /// How long it may be silent before that is said, in seconds.
    #[serde(default)]
    pub canary_seconds: Option<u64>,
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
            notes: Vec::new(),
            canary_seconds: None,
        }
    }

    /// Requests refused, whatever the cause.
    pub fn refusals(&self) -> u64 {
        self.refused.values().sum()
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_comes_back_as_it_was_written() {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let mut log = SourceHealth::new("okta-log".into(), "okta-system-log", "example.okta.com");
        log.state = SourceState::Waiting { until: at, why: "429".into() };
        log.refused.insert("busy".into(), 3);
        log.notes.push("possible gap".into());
        let hook = SourceHealth {
            state: SourceState::failed("port taken"),
            ..SourceHealth::new("cii".into(), "cii-webhook", "/hooks/cii")
        };
        let report = SourcesReport { receiver: "collect".into(), at, sources: vec![log, hook] };
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<SourcesReport>(&text).unwrap(), report);
        assert!(text.contains(r#""state":"waiting""#), "{text}");
    }
}
