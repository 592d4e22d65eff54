//! What every screen says on its first line: who receives, how the sources are, how old the silence is.

use crate::domain::event::SourceName;
use crate::domain::page::StoreHealth;
use crate::domain::source::{STALE_AFTER, WARNED_FOR};
use crate::domain::{SourceHealth, SourceNote, SourceState, SourcesReport, time};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// Who receives into this store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Receiver {
    /// Not known yet.
    #[default]
    Unknown,
    /// This console: it stops when the console closes.
    ThisConsole,
    /// Another process, in its own words.
    Other(String),
    /// Nobody: nothing arrives.
    Nobody(String),
}

/// The header's state.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Header {
    /// Who receives.
    pub receiver: Receiver,
    /// How the sources are.
    pub sources: Arc<[SourceHealth]>,
    /// When another process said so of them; `None` where this one knows by itself.
    pub reported_at: Option<Timestamp>,
    /// How the store is, as last read.
    pub health: StoreHealth,
    /// How long a silence may be before it is said.
    pub canary: Option<SignedDuration>,
    /// How long raw events are kept; `None` keeps them for ever.
    pub keep: Option<SignedDuration>,
}

impl Header {
    /// This process knows how the sources are.
    pub fn know(&mut self, sources: Arc<[SourceHealth]>) {
        self.sources = sources;
        self.reported_at = None;
    }

    /// Another process said how they are.
    pub fn hear(&mut self, report: &SourcesReport) {
        if *self.sources != *report.sources {
            self.sources = report.sources.as_slice().into();
        }
        self.reported_at = Some(report.at);
    }

    /// When the last word of the sources was said, where it is old or nobody stands behind it any more.
    pub fn last_word(&self, now: Timestamp) -> Option<Timestamp> {
        let is_nobody = matches!(self.receiver, Receiver::Nobody(_));
        self.reported_at.filter(|at| is_nobody || now.duration_since(*at) > STALE_AFTER)
    }

    /// The sources that failed, each with why.
    pub fn failed(&self) -> impl Iterator<Item = (&SourceName, &str)> {
        self.sources.iter().filter_map(|source| match &source.state {
            SourceState::Failed { why } => Some((&source.name, why.as_str())),
            _ => None,
        })
    }

    /// The sources that are silent for longer than expected, each with since when.
    pub fn silent(&self, now: Timestamp) -> impl Iterator<Item = (&SourceName, Timestamp)> {
        self.sources.iter().filter_map(move |source| Some((&source.name, source.overdue(now)?)))
    }

    /// The sources that warned lately, each with the newest warning.
    pub fn warned(&self, now: Timestamp) -> impl Iterator<Item = (&SourceName, &SourceNote)> {
        self.sources.iter().filter_map(move |source| Some((&source.name, source.warned(now)?)))
    }

    /// Since when nothing has arrived: since the last event, else since somebody could have sent one.
    pub fn silent_since(&self) -> Option<Timestamp> {
        let listened =
            || self.sources.iter().filter_map(|source| source.listened_since.or(source.since)).min();
        self.health.last_received.or_else(listened)
    }

    /// Whether the silence is longer than configured.
    pub fn is_too_silent(&self, now: Timestamp) -> bool {
        match (self.canary, self.silent_since()) {
            (Some(limit), Some(last)) => now.duration_since(last) > limit,
            _ => false,
        }
    }

    /// When an age changes its text, or a silence or a report becomes too old.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let last = self.silent_since();
        let is_aging = self.health.last_received.is_some() || self.is_too_silent(now);
        let ages =
            last.filter(|_| is_aging).into_iter().chain(self.silent(now).next().map(|(_, since)| since));
        let ages = ages.chain(self.last_word(now)).map(|then| time::next_age_change(now, then));
        let limits = self.sources.iter().filter_map(SourceHealth::overdue_at);
        let later = |at: Timestamp, by: SignedDuration| at.checked_add(by).ok();
        let limits = limits.chain(last.zip(self.canary).and_then(|(last, limit)| later(last, limit)));
        let limits = limits.chain(self.reported_at.and_then(|at| later(at, STALE_AFTER)));
        let warned = self.warned(now).filter_map(|(_, note)| later(note.warned_at?, WARNED_FOR));
        let limits = limits.chain(warned);
        // Each is over a moment later.
        let limits = limits.filter_map(|at| later(at, SignedDuration::from_secs(1)));
        ages.chain(limits).filter(|at| *at > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn source(canary: u64) -> SourceHealth {
        SourceHealth {
            state: SourceState::Running,
            canary_seconds: Some(canary),
            since: Some(at(0)),
            ..SourceHealth::new("log".into(), "okta-system-log", "acme.okta.com")
        }
    }

    #[test]
    fn a_silence_is_said_when_it_begins_and_at_each_change_of_its_age() {
        let mut header = Header::default();
        header.know([source(3_600)].into());
        assert_eq!((header.silent(at(3_600)).count(), header.next_change(at(10))), (0, Some(at(3_601))));
        assert_eq!(header.silent(at(3_601)).count(), 1);
        assert_eq!(header.next_change(at(3_601)), Some(at(7_200)));
    }

    #[test]
    fn a_warning_is_news_for_a_day() {
        let mut header = Header::default();
        let notes = vec![SourceNote::warning("possible gap", at(0)), SourceNote::fact("a fact")];
        header.know([SourceHealth { notes, canary_seconds: None, ..source(0) }].into());
        let warned = |now| header.warned(now).map(|(_, note)| note.text.clone()).collect::<Vec<_>>();
        assert_eq!(
            (warned(at(86_400)), header.next_change(at(5))),
            (vec!["possible gap".into()], Some(at(86_401)))
        );
        assert_eq!((warned(at(86_401)), header.next_change(at(86_401))), (Vec::new(), None));
    }

    #[test]
    fn a_word_is_old_after_a_while_or_when_nobody_stands_behind_it() {
        let mut header = Header { receiver: Receiver::Other("collect".into()), ..Header::default() };
        let report = SourcesReport { receiver: "collect".into(), at: at(0), sources: vec![source(86_400)] };
        header.hear(&report);
        assert_eq!((header.last_word(at(90)), header.next_change(at(90))), (None, Some(at(91))));
        assert_eq!(header.last_word(at(91)), Some(at(0)));
        assert_eq!(header.next_change(at(91)), Some(at(120)), "its age is shown");
        header.receiver = Receiver::Nobody("no source is configured".into());
        assert_eq!(header.last_word(at(1)), Some(at(0)));
        header.know(Arc::default());
        assert_eq!((header.last_word(at(1)), header.next_change(at(1))), (None, None));
    }

    #[test]
    fn a_store_in_which_nothing_ever_arrived_is_too_silent_too() {
        let mut header = Header { canary: Some(SignedDuration::from_secs(60)), ..Header::default() };
        assert!(!header.is_too_silent(at(9_000)), "nobody receives");
        header.know([SourceHealth { canary_seconds: None, ..source(0) }].into());
        assert_eq!((header.is_too_silent(at(60)), header.is_too_silent(at(61))), (false, true));
        assert_eq!(header.next_change(at(30)), Some(at(61)));
    }
}
