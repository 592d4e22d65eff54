//! How each source is: its state, what it took, and every refusal by its cause.
//!
//! Silence must be visible, so this is what the health screen reads: a source that failed says why, and
//! one that refuses everything does not look idle.

use super::generic::Unmapped;
use super::refusal::{Cause, Refusal};
use crate::config::meant::Source;
use crate::domain::source::Unaccepted;
use crate::domain::{SourceHealth, SourceNote, SourceState, time, untrusted};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many columns of a path that no source has are kept.
const STRAY_PATH: usize = 60;
/// The longest part of one that is kept, in bytes.
const PART: usize = 20;

/// The live counters of one source.
#[derive(Debug)]
pub struct Counters(Mutex<Counted>);

/// What is shown, and what else has to be remembered for it.
#[derive(Debug)]
struct Counted {
    health: SourceHealth,
    /// Why what arrives is not stored now, and since when that is so: the store's words at the last try, until
    /// one succeeds.
    not_stored: Option<(String, Timestamp)>,
    /// What was answered 503, all in all: some senders repeat it, and none does so for long.
    turned_away: Option<TurnedAway>,
    /// How often a verification was answered, and when last.
    challenges: Option<(u64, Timestamp)>,
    /// What the mapping did not apply to, all in all, and whether it did not to the newest body.
    unmapped: Option<(Unmapped, Timestamp)>,
    is_newest_unmapped: bool,
}

/// Requests that came in vain, whatever was in them.
#[derive(Debug, Clone, Copy)]
struct TurnedAway {
    count: u64,
    first: Timestamp,
    last: Timestamp,
    /// Whether the newest request was one of them.
    is_newest: bool,
}

/// A source that has brought nothing yet.
pub fn fresh(source: &Source, state: SourceState) -> SourceHealth {
    SourceHealth { state, ..source.unheard("/api/v1/logs") }
}

impl Counters {
    /// Counters that start from a state.
    pub fn new(source: &Source, state: SourceState) -> Counters {
        Counters(Mutex::new(Counted {
            health: fresh(source, state),
            not_stored: None,
            turned_away: None,
            challenges: None,
            unmapped: None,
            is_newest_unmapped: false,
        }))
    }

    /// Counts elements that were committed, and those of them that the mapping does not apply to.
    pub(super) fn accepted(&self, elements: usize, unmapped: Option<Unmapped>, at: Timestamp) {
        let mut counted = self.lock();
        counted.is_newest_unmapped = unmapped.is_some();
        if let Some(Unmapped { count, why }) = unmapped {
            let before = counted.unmapped.as_ref().map_or(0, |(before, _)| before.count);
            counted.unmapped = Some((Unmapped { count: before + count, why }, at));
        }
        counted.health.accepted += elements as u64;
        counted.health.last_accepted = Some(at);
        counted.health.last_alive = Some(at);
        counted.health.unaccepted = None;
        counted.is_stored_again();
    }

    /// The store took something else that was written from `began` on: what was refused before says nothing of
    /// how it is now.
    pub fn stored(&self, began: Timestamp) {
        let mut counted = self.lock();
        if counted.not_stored.as_ref().is_some_and(|(_, at)| *at < began) {
            counted.is_stored_again();
        }
    }

    /// It showed that it is alive, without an element.
    pub fn alive(&self, at: Timestamp) {
        self.lock().health.last_alive = Some(at);
    }

    /// Counts a verification that was answered. Anybody can ask for one, so it shows no life.
    pub fn challenged(&self, at: Timestamp) {
        let mut counted = self.lock();
        let before = counted.challenges.map_or(0, |(count, _)| count);
        counted.challenges = Some((before + 1, at));
    }

    /// Counts a refusal.
    pub fn refused(&self, refusal: &Refusal, at: Timestamp) {
        let mut counted = self.lock();
        if let Some(is_known) = refusal.cause.is_of_a_sender() {
            let unaccepted = counted.health.unaccepted.get_or_insert_with(|| Unaccepted::new(at));
            *unaccepted.causes.entry(refusal.cause.word().to_owned()).or_default() += 1;
            (unaccepted.last, unaccepted.is_known) = (at, unaccepted.is_known || is_known);
        }
        *counted.health.refused.entry(refusal.cause.word().to_owned()).or_default() += 1;
        if refusal.cause == Cause::NotWritable {
            counted.not_stored = Some((refusal.words.to_string(), at));
        }
        if matches!(refusal.cause, Cause::NotWritable | Cause::Busy) {
            counted.turned_away(at);
        }
    }

    /// How it is now. What is refused because it cannot be stored does not arrive, whoever is at fault.
    pub fn snapshot(&self) -> SourceHealth {
        let counted = self.lock();
        let mut health = counted.health.clone();
        if let (SourceState::Running, Some((why, _))) = (&health.state, &counted.not_stored) {
            health.state = SourceState::failed(why.clone());
        }
        health.notes.extend(counted.turned_away.map(|turned_away| turned_away.note()));
        health.notes.extend(counted.challenges.map(|(count, last)| {
            let last = time::rfc3339_seconds(last);
            SourceNote::fact(format!("verifications answered: {count}, the last at {last}"))
        }));
        health.notes.extend(counted.unmapped.as_ref().map(|(unmapped, last)| {
            let Unmapped { count, why } = unmapped;
            let at = time::rfc3339_seconds(*last);
            let words = format!("kept without a finding: {count}, the last at {at}: {why}");
            // Something that comes beside what is meant is no trouble; a sender that changed its form is.
            match counted.is_newest_unmapped {
                true => SourceNote::warning(words, *last),
                false => SourceNote::fact(words),
            }
        }));
        health
    }

    /// Moves on, unless the source failed: that stays to be seen.
    pub fn enter(&self, state: &SourceState) {
        let mut counted = self.lock();
        if !matches!(counted.health.state, SourceState::Failed { .. }) {
            counted.health.state = state.clone();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn turned_away(&mut self, at: Timestamp) {
        let before =
            self.turned_away.unwrap_or(TurnedAway { count: 0, first: at, last: at, is_newest: true });
        self.turned_away = Some(TurnedAway { count: before.count + 1, last: at, is_newest: true, ..before });
    }

    fn is_stored_again(&mut self) {
        self.not_stored = None;
        if let Some(turned_away) = &mut self.turned_away {
            turned_away.is_newest = false;
        }
    }
}

impl TurnedAway {
    /// While it goes on the note stays as it is: each change of a warning is news for everybody.
    fn note(self) -> SourceNote {
        let TurnedAway { count, first, last, is_newest } = self;
        let times = if is_newest {
            format!("since {}", time::rfc3339_seconds(first))
        } else {
            let [first, last] = [first, last].map(time::rfc3339_seconds);
            format!("between {first} and {last}, {count} in all")
        };
        let words = "possible gap: requests could not be taken and were answered 503";
        let at = if is_newest { first } else { last };
        SourceNote::gap(format!("{words} {times}; what was not sent again is missing"), at)
    }
}

/// The live counters of all sources of a listener.
#[derive(Debug, Default)]
pub struct ListenerHealth {
    sources: Vec<Arc<Counters>>,
    strays: AtomicU64,
    handshakes: AtomicU64,
    /// What concerns every source, by topic.
    told: Mutex<BTreeMap<Topic, SourceNote>>,
}

/// What a listener may have to say about all its sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// The certificate's end.
    Certificate,
    /// A new certificate that is not taken.
    Renewal,
    /// Callers with whom no TLS came about.
    Handshake,
    /// Requests that are no source's.
    Stray,
}

impl ListenerHealth {
    /// Over these counters.
    pub fn new(sources: Vec<Arc<Counters>>) -> ListenerHealth {
        ListenerHealth { sources, ..ListenerHealth::default() }
    }

    /// Every source as it is now, in the order of the configuration.
    pub fn snapshot(&self) -> Vec<SourceHealth> {
        let mut told = self.told().clone();
        let stray = told.remove(&Topic::Stray);
        let told: Vec<SourceNote> = told.into_values().collect();
        let with_told = |source: &Arc<Counters>| {
            let mut health = source.snapshot();
            health.notes.extend(told.iter().cloned());
            health
        };
        let mut healths: Vec<SourceHealth> = self.sources.iter().map(with_told).collect();
        // What is no source's is said once.
        if let (Some(first), Some(stray)) = (healths.first_mut(), stray) {
            first.notes.push(stray);
        }
        healths
    }

    /// Requests for a path that no source has.
    pub fn strays(&self) -> u64 {
        self.strays.load(Ordering::Relaxed)
    }

    /// Connections with which no TLS came about.
    pub fn failed_handshakes(&self) -> u64 {
        self.handshakes.load(Ordering::Relaxed)
    }

    /// Counts one, and keeps why: a sender that does not trust the certificate is to be seen.
    pub(super) fn handshake_failed(&self, why: &str) {
        let count = self.handshakes.fetch_add(1, Ordering::Relaxed) + 1;
        let words = format!("TLS handshakes that failed: {count}, the last one: {why}");
        self.tell(Topic::Handshake, Some(SourceNote::fact(words)));
    }

    /// What is to be said about something; `None` where there is nothing any more.
    pub(super) fn tell(&self, topic: Topic, note: Option<SourceNote>) {
        let mut told = self.told();
        match note {
            Some(note) => told.insert(topic, note),
            None => told.remove(&topic),
        };
    }

    fn told(&self) -> MutexGuard<'_, BTreeMap<Topic, SourceNote>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one, and keeps where it went: a path with a typing error in it is to be seen.
    pub(super) fn stray(&self, path: &str) {
        let count = self.strays.fetch_add(1, Ordering::Relaxed) + 1;
        // Somebody may have a secret in it.
        let path: Vec<&str> =
            path.split('/').map(|part| if part.len() > PART { "…" } else { part }).collect();
        let path = path.join("/");
        let path = untrusted::fit(&path, STRAY_PATH);
        let words = format!("requests for paths that no source has: {count}, the last for `{path}`");
        self.tell(Topic::Stray, Some(SourceNote::fact(words)));
    }

    /// The store took something that was written from `began` on.
    pub(crate) fn stored(&self, began: Timestamp) {
        self.sources.iter().for_each(|source| source.stored(began));
    }

    pub(crate) fn enter(&self, state: &SourceState) {
        self.sources.iter().for_each(|source| source.enter(state));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::meant::{Proof, Webhook};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    /// A sender that was answered 503 may have given up: that is a gap, whoever else gets through later.
    #[test]
    fn what_was_turned_away_stays_a_possible_gap() {
        let proof = Proof::Header { name: "x-api-client-token".to_owned(), secret: "secret".into() };
        let source = Source::posted("cii", "cii-webhook", Webhook::new("/hooks/cii", proof));
        let counters = Counters::new(&source, SourceState::Running);
        let full = || Refusal::new(Cause::NotWritable, "the disk is full");
        counters.refused(&Refusal::new(Cause::Malformed, "no JSON"), at(0));
        assert_eq!(counters.snapshot().notes, []);
        counters.refused(&full(), at(1));
        let first = counters.snapshot();
        assert_eq!(first.state, SourceState::failed("the disk is full"));
        counters.refused(&full(), at(9));
        assert_eq!(counters.snapshot().notes, first.notes, "the same warning is no news");
        assert_eq!(first.notes[0].warned_at, Some(at(1)));
        counters.stored(at(9));
        assert_eq!(counters.snapshot().state, first.state, "what was written before says nothing");
        counters.stored(at(10));
        let mended = counters.snapshot();
        assert_eq!((&mended.state, mended.is_well(at(11))), (&SourceState::Running, false));
        let said = "possible gap: requests could not be taken and were answered 503 between \
                    2023-11-14T22:13:21Z and 2023-11-14T22:13:29Z, 2 in all; what was not sent again is missing";
        assert_eq!(mended.notes, [SourceNote::gap(said, at(9))]);
        counters.refused(&Refusal::busy("too many bytes in flight"), at(20));
        counters.accepted(1, None, at(21));
        assert!(counters.snapshot().notes[0].text.contains("3 in all"), "one that gets through mends no gap");
    }

    #[test]
    fn where_no_source_listens_is_said_once() {
        let proof = Proof::Header { name: "x-api-client-token".to_owned(), secret: "secret".into() };
        let source = Source::posted("cii", "cii-webhook", Webhook::new("/hooks/cii", proof));
        let counters = || Arc::new(Counters::new(&source, SourceState::Running));
        let health = ListenerHealth::new(vec![counters(), counters()]);
        health.stray("/hooks/first");
        health.stray(&format!("/hooks/ci/{}", "x".repeat(30)));
        let said = "requests for paths that no source has: 2, the last for `/hooks/ci/…`";
        let [first, second] = &health.snapshot()[..] else { panic!("two sources") };
        assert_eq!(first.notes, [SourceNote::fact(said)], "no warning: anybody may ask for anything");
        assert_eq!(second.notes, [], "once is enough");
    }
}
