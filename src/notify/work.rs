//! One notifier at work: reads what waits, tells it, and only then moves its mark.

use super::gather::{self, Waiting};
use super::mark::{Failing, Kept, Mark};
use super::message::{Form, Message};
use super::send::{Messenger, NotTold, Outcome};
use super::{Hear, Pace};
use crate::config::meant::Notify;
use crate::store::{Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// How old the written time may become up to which everything was told.
const STALE: SignedDuration = SignedDuration::from_hours(1);
/// The rest after the store failed.
const STORE_REST: Duration = Duration::from_secs(1);

/// One notifier.
#[derive(Debug)]
pub(super) struct Worker {
    messenger: Arc<Messenger>,
    notify: Notify,
    store: Arc<dyn Store>,
    pace: Pace,
    hear: Arc<dyn Hear>,
    failures: u32,
    /// Up to when everything was told, as it was last written.
    written: Timestamp,
    /// Whoever is told did not take the last message, and would not take it again.
    is_refused: bool,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Nothing, until something arrives.
    Arrival,
    /// Another look, after a rest.
    Rest(Duration),
}

impl Worker {
    pub(super) fn new(
        messenger: &Arc<Messenger>,
        notify: &Notify,
        store: Arc<dyn Store>,
        pace: Pace,
        hear: Arc<dyn Hear>,
    ) -> Worker {
        let (messenger, notify) = (messenger.clone(), notify.clone());
        Worker {
            messenger,
            notify,
            store,
            pace,
            hear,
            failures: 0,
            written: Timestamp::UNIX_EPOCH,
            is_refused: false,
        }
    }

    /// Tells until the stop. What is on its way is waited for: its answer decides whether it is told again.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut changes = self.store.watch();
        let Some(mut mark) = self.begin(&mut stop).await else { return };
        let mut is_kept = true;
        while !is_told(&stop) {
            changes.borrow_and_update();
            let next = match is_kept {
                true => self.turn(&mut mark, &mut is_kept).await,
                // Told and not remembered: that first, or it would be told again.
                false => self.keep(&mark, &mut is_kept).await,
            };
            match next {
                Next::Arrival => tokio::select! {
                    biased;
                    () = told(&mut stop) => break,
                    changed = changes.changed() => match changed {
                        Ok(()) => rest(self.pace.gather, &mut stop).await,
                        // The store is closed: nothing arrives any more.
                        Err(_) => return told(&mut stop).await,
                    },
                },
                Next::Rest(length) => rest(length, &mut stop).await,
            }
        }
        // Up to when everything was told is known to whoever begins next: what is put in until then with an
        // older time is no news.
        self.keep(&mark, &mut is_kept).await;
    }

    /// Where it goes on; at the newest event if it never began.
    async fn begin(&self, stop: &mut watch::Receiver<bool>) -> Option<Mark> {
        while !is_told(stop) {
            match self.mark().await {
                Ok(mark) => return Some(mark),
                Err(error) => {
                    self.warn(&error);
                    rest(STORE_REST, stop).await;
                }
            }
        }
        None
    }

    async fn mark(&self) -> Result<Mark, StoreError> {
        let now = self.messenger.now();
        let lost = match Mark::kept(self.store.as_ref(), &self.notify.name).await? {
            Kept::Mark(mark) => return Ok(mark),
            Kept::Nothing => None,
            Kept::Damaged => Some(now),
        };
        let mark = Mark { lost, ..Mark::at(gather::newest(self.store.as_ref()).await?, now) };
        mark.keep(self.store.as_ref(), &self.notify.name).await?;
        Ok(mark)
    }

    async fn turn(&mut self, mark: &mut Mark, is_kept: &mut bool) -> Next {
        let names = std::slice::from_ref(&self.notify.name);
        let waiting = match gather::waiting(self.store.as_ref(), names, mark, self.notify.burst).await {
            Ok(waiting) => waiting,
            Err(error) => {
                self.warn(&error);
                return Next::Rest(STORE_REST);
            }
        };
        if waiting.sum.total > 0 {
            return self.tell(waiting, mark, is_kept).await;
        }
        mark.event = mark.event.max(waiting.up_to.0);
        mark.caught_up = self.messenger.now();
        mark.late += waiting.late;
        // Where nothing is to be remembered, nothing is written: a look is no news, but once an hour.
        let is_stale = mark.caught_up.duration_since(self.written) >= STALE;
        if waiting.late > 0 || is_stale { self.keep(mark, is_kept).await } else { Next::Arrival }
    }

    async fn tell(&mut self, waiting: Waiting, mark: &mut Mark, is_kept: &mut bool) -> Next {
        let (up_to, late) = (waiting.up_to, mark.late + waiting.late);
        let message = match self.message(waiting, late).await {
            Ok(message) => message,
            Err(error) => {
                self.warn(&error);
                return Next::Rest(STORE_REST);
            }
        };
        match self.messenger.tell(&self.notify, &message).await {
            Ok(()) => {
                let now = self.messenger.now();
                if mark.failing.is_some() {
                    self.hear.hear(&self.notify.name, None);
                }
                *mark = Mark { told: Some(now), lost: mark.lost, ..Mark::at(up_to, now) };
                (self.failures, self.is_refused) = (0, false);
                self.keep(mark, is_kept).await;
                Next::Rest(self.pace.gather)
            }
            Err(not_told) => self.failed(&not_told, mark).await,
        }
    }

    /// Few are told one by one, more are summed up; whoever does not take that is told the number.
    async fn message(&self, waiting: Waiting, late: u64) -> Result<Message, StoreError> {
        let (mut told, store) = (Vec::new(), self.store.as_ref());
        let is_burst = waiting.sum.total > self.notify.burst as u64;
        let events = if is_burst { waiting.sum.worst.clone() } else { waiting.few };
        if !self.is_refused {
            for event in events {
                told.push(gather::whole(store, event).await?);
            }
        }
        let form = match (self.is_refused, is_burst) {
            (true, _) => Form::Bare(waiting.sum),
            (false, true) => Form::Burst(waiting.sum, told),
            (false, false) => Form::Each(told),
        };
        Ok(Message { notifier: self.notify.name.clone(), form, late })
    }

    /// What is to be seen of a failure stands in the mark; that alone is written, and not each time.
    async fn failed(&mut self, not_told: &NotTold, mark: &mut Mark) -> Next {
        self.failures = self.failures.saturating_add(1);
        self.is_refused = not_told.outcome == Outcome::Refused;
        tracing::warn!(notifier = %self.notify.name, why = %not_told.why, "cannot be told");
        let since = mark.failing.as_ref().map_or_else(|| self.messenger.now(), |failing| failing.since);
        self.hear.hear(&self.notify.name, Some(&not_told.why));
        let failing = Some(Failing { since, why: not_told.why.clone() });
        if mark.failing != failing {
            mark.failing = failing;
            if let Err(error) = mark.keep(self.store.as_ref(), &self.notify.name).await {
                self.warn(&error);
            }
        }
        Next::Rest(self.pace.rest(self.failures, not_told.asked))
    }

    async fn keep(&mut self, mark: &Mark, is_kept: &mut bool) -> Next {
        let kept = mark.keep(self.store.as_ref(), &self.notify.name).await;
        *is_kept = kept.is_ok();
        if *is_kept {
            self.written = mark.caught_up;
        }
        match kept {
            Ok(()) => Next::Arrival,
            Err(error) => {
                self.warn(&error);
                Next::Rest(STORE_REST)
            }
        }
    }

    fn warn(&self, error: &StoreError) {
        tracing::warn!(notifier = %self.notify.name, %error, "the store cannot be asked what to tell");
    }
}

fn is_told(stop: &watch::Receiver<bool>) -> bool {
    *stop.borrow() || stop.has_changed().is_err()
}

/// Comes back when it is to end.
async fn told(stop: &mut watch::Receiver<bool>) {
    // Whoever could say so is gone: that says it too.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn rest(length: Duration, stop: &mut watch::Receiver<bool>) {
    tokio::select! {
        biased;
        () = told(stop) => {}
        () = sleep(length) => {}
    }
}
