//! The source that runs: asks for a page, has it committed with the place behind it, rests.

use super::filter::{self, IAM_CONFIGURATION};
use super::place::{Ask, Place, Terms};
use super::reader::{Keep, Moment, Pace, Reader, Step};
use crate::config::meant::{self, Source};
use crate::domain::{SourceHealth, SourceNote, SourceState};
use crate::source::counters;
use crate::source::{Advance, Arrival, Clock, NotAccepted, Polled};
use crate::tenant::{LogPage, LogTrouble, SystemLog};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio::time;

/// The largest page that Okta gives.
pub const PAGE: usize = 1_000;
/// Clocks that differ by more than this are pointed out: times of records and of waits suffer.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// Polls the System Log of an org.
#[derive(Debug)]
pub struct SystemLogPoll {
    source: Source,
    settings: meant::SystemLog,
    log: Arc<dyn SystemLog>,
    sink: Arc<dyn Advance>,
    clock: Arc<dyn Clock>,
    pace: Pace,
    limit: usize,
    shown: Mutex<Shown>,
}

/// What is shown of it.
#[derive(Debug)]
struct Shown {
    health: SourceHealth,
    /// What is true at present, behind the notes that stay.
    skew: Option<SourceNote>,
}

impl Shown {
    /// Moves on. When it is asked again is worth saying only of one that failed: any other says so itself, or
    /// is well.
    fn enter(&mut self, state: SourceState, again: Option<Timestamp>) {
        self.health.again = again.filter(|_| matches!(state, SourceState::Failed { .. }));
        self.health.state = state;
    }
}

/// What came of a turn.
enum Turn {
    /// An answer, or none.
    Heard(Reader, Result<LogPage, LogTrouble>),
    /// Nothing was asked, and why.
    NotAsked(Option<Reader>, String),
}

impl SystemLogPoll {
    /// Of a configured source, its log and whoever takes its records. Nothing is asked yet.
    pub fn new(
        source: &Source,
        settings: &meant::SystemLog,
        log: Arc<dyn SystemLog>,
        sink: Arc<dyn Advance>,
        clock: Arc<dyn Clock>,
    ) -> SystemLogPoll {
        let place = log.org();
        let health = SourceHealth { place, ..counters::fresh(source, SourceState::Starting) };
        SystemLogPoll {
            source: source.clone(),
            settings: settings.clone(),
            log,
            sink,
            clock,
            pace: Pace::every(settings.interval),
            limit: PAGE,
            shown: Mutex::new(Shown { health, skew: None }),
        }
    }

    /// The same with other rests.
    #[must_use]
    pub fn paced(self, pace: Pace) -> SystemLogPoll {
        SystemLogPoll { pace, ..self }
    }

    /// The same with so many records a page.
    #[must_use]
    pub fn in_pages_of(self, limit: usize) -> SystemLogPoll {
        SystemLogPoll { limit, ..self }
    }

    /// The name of its cursor.
    pub fn cursor_name(&self) -> String {
        format!("source:{}", self.source.name)
    }

    /// Asks for the next page.
    async fn turn(&self, reader: Option<Reader>) -> Turn {
        let ready = match self.terms().await {
            Ok(terms) => self.reader(reader.as_ref(), &terms).await.map(|reader| (reader, terms)),
            Err(why) => Err(why),
        };
        let (reader, terms) = match ready {
            Ok(ready) => ready,
            Err(why) => return Turn::NotAsked(reader, why),
        };
        self.show(|shown| shown.health.notes = reader.place().notes().shown());
        let heard = match reader.ask(&terms, self.clock.now()) {
            Ask::First(start) => {
                tracing::info!(source = %self.source.name, since = %start.since, filter = ?start.filter, "a new reading of the System Log begins");
                self.log.first(&start).await
            }
            Ask::Follow(url) => self.log.follow(&url).await,
        };
        Turn::Heard(reader, heard)
    }

    /// What is asked for now: applications may have come into the store since.
    async fn terms(&self) -> Result<Terms, String> {
        let known = self.sink.setting(IAM_CONFIGURATION).await.map_err(|error| error.to_string())?;
        let filter =
            filter::of(&self.settings.filter, known.as_deref()).map_err(|error| error.to_string())?;
        let first_fetch = SignedDuration::try_from(self.settings.first_fetch).unwrap_or(SignedDuration::MAX);
        Ok(Terms { org: self.log.org(), filter, limit: self.limit, first_fetch })
    }

    async fn reader(&self, reader: Option<&Reader>, terms: &Terms) -> Result<Reader, String> {
        let now = self.clock.now();
        match reader {
            Some(reader) => Ok(reader.clone().under(terms, now)),
            None => {
                let kept = self.sink.cursor(&self.cursor_name()).await.map_err(|error| error.to_string())?;
                let kept = match kept {
                    Some(kept) => kept,
                    None => self.begin(terms, now).await?,
                };
                Ok(Reader::resumed(Some(&kept), terms, now))
            }
        }
    }

    /// Commits where the first reading begins before it asks for anything: while Okta does not answer, a
    /// restart would begin later, and nobody would miss what lies between.
    async fn begin(&self, terms: &Terms, now: Timestamp) -> Result<String, String> {
        let kept = Place::new(terms, now).kept();
        let begun = self.sink.advance(Vec::new(), &self.cursor_name(), &kept).await;
        begun.map(|()| kept).map_err(|error| error.to_string())
    }

    /// Commits what has to be, and says from where it goes on and when; `None` is at once.
    async fn take(&self, turn: Turn) -> (Option<Reader>, Option<Timestamp>) {
        match turn {
            Turn::Heard(reader, heard) => {
                let (reader, until) = self.heard(reader, heard).await;
                (Some(reader), until)
            }
            Turn::NotAsked(reader, why) => {
                let again = self.moment().and(self.pace.interval);
                self.show(|shown| shown.enter(SourceState::failed(why), Some(again)));
                (reader, Some(again))
            }
        }
    }

    async fn heard(
        &self,
        mut reader: Reader,
        heard: Result<LogPage, LogTrouble>,
    ) -> (Reader, Option<Timestamp>) {
        let step = reader.hear(heard.as_ref(), self.moment(), &self.pace);
        let (records, page) = match heard {
            Ok(mut page) => (std::mem::take(&mut page.records), Some(page)),
            Err(_) => (Vec::new(), None),
        };
        let count = records.len();
        if step.keep == Keep::Page
            && let Err(error) = self.commit(records, &step).await
        {
            return self.not_committed(reader, &error);
        }
        self.show_step(&step, count, page.as_ref());
        let until = step.until;
        reader.take(step);
        (reader, until)
    }

    async fn commit(&self, records: Vec<Arc<str>>, step: &Step) -> Result<(), NotAccepted> {
        let arrival =
            |raw| Arrival { source: self.source.name.clone(), source_type: self.source.source_type, raw };
        let arrivals = records.into_iter().map(arrival).collect();
        self.sink.advance(arrivals, &self.cursor_name(), &step.place.kept()).await
    }

    fn not_committed(&self, mut reader: Reader, error: &NotAccepted) -> (Reader, Option<Timestamp>) {
        let until = reader.not_committed(self.moment(), &self.pace);
        self.show(|shown| shown.enter(SourceState::failed(error.to_string()), Some(until)));
        (reader, Some(until))
    }

    fn show_step(&self, step: &Step, records: usize, page: Option<&LogPage>) {
        self.show(|shown| {
            if let Some(page) = page {
                shown.skew = page.clock_ahead.and_then(skew).map(|text| SourceNote::warning(text, page.at));
                shown.health.last_alive = Some(page.at);
            }
            if let Some(page) = page.filter(|_| records > 0) {
                shown.health.accepted += records as u64;
                shown.health.last_accepted = Some(page.at);
            }
            shown.health.notes = step.place.notes().shown();
            shown.enter(step.state.clone(), step.until);
        });
    }

    fn moment(&self) -> Moment {
        Moment { now: self.clock.now(), jitter: fastrand::f64() }
    }

    fn show(&self, change: impl FnOnce(&mut Shown)) {
        change(&mut self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Polled for SystemLogPoll {
    fn health(&self) -> SourceHealth {
        let shown = self.lock();
        let mut health = shown.health.clone();
        health.notes.extend(shown.skew.clone());
        health
    }

    async fn poll(&self, mut stop: watch::Receiver<bool>) {
        self.show(|shown| shown.enter(SourceState::Starting, None));
        let mut reader = None;
        while !*stop.borrow() {
            let turn = tokio::select! {
                turn = self.turn(reader.take()) => turn,
                // Whoever could tell has gone: that is a stop, too.
                _ = stop.wait_for(|is_told| *is_told) => break,
            };
            // A commit is never broken off.
            let (next, until) = self.take(turn).await;
            reader = next;
            let Some(until) = until else { continue };
            tokio::select! {
                () = time::sleep(self.clock.until(until)) => {}
                _ = stop.wait_for(|is_told| *is_told) => break,
            }
        }
        self.show(|shown| shown.enter(SourceState::Stopped, None));
    }
}

/// How far the clocks are apart, if that is worth a word.
fn skew(ahead: SignedDuration) -> Option<String> {
    let seconds = ahead.as_secs();
    let word = if ahead.is_negative() { "behind" } else { "ahead of" };
    (ahead.abs() > SKEW).then(|| format!("Okta's clock is {} s {word} this machine's", seconds.abs()))
}
