//! Who is told of new events: Slack, any webhook, and the bell of the terminals where a console is open.
//!
//! Whom an event is told to is decided when it is taken in, by the rules and by `when` of each
//! `[[notify]]`, and stands on it as the tag `notify:NAME`. So what a condition can ask is asked of the
//! event as it arrived, and not of an index that may not hold all of it yet.
//!
//! A notifier is a consumer of the feed. How far it has told stands in the store, as a [`mark`], and what it
//! has not told yet is whatever lies above: nothing is queued in memory, nothing is lost by an end, an
//! outage or a full disk, and nobody who sends events waits for anybody who is told. A message is
//! repeated until an answer says that it came. So it is told once, unless an answer was lost: then twice.
//!
//! One process tells: the one that receives. Tests are told to nobody; what is imported is
//! counted in the next message. The [`bell`] is another thing: it rings in each open console, for what
//! arrives while that is open.

pub mod bell;
mod gather;
pub mod mark;
pub mod message;
mod send;
mod slack;
mod webhook;
mod work;

pub use mark::{Failing, Mark};
pub use send::{Messenger, NotTold, Outcome};

use crate::config::meant::{Channel, Notify};
use crate::store::Store;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long it rests, so that tests can make the rests tiny.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long it gathers what arrives before it tells: what comes together is told together, and no
    /// two messages leave closer to each other.
    pub gather: Duration,
    /// The rest after a first failure; it doubles with each further one.
    pub first_rest: Duration,
    /// The longest rest of its own.
    pub longest_rest: Duration,
    /// The longest that the other side may ask for.
    pub longest_asked: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            gather: Duration::from_secs(1),
            first_rest: Duration::from_secs(1),
            longest_rest: Duration::from_secs(300),
            longest_asked: Duration::from_secs(3_600),
        }
    }
}

impl Pace {
    /// The rest after so many failures in a row, and what was asked for with the last of them.
    fn rest(&self, failures: u32, asked: Option<Duration>) -> Duration {
        let doubled = 2u32.saturating_pow(failures.saturating_sub(1).min(16));
        let own = self.first_rest.saturating_mul(doubled).min(self.longest_rest);
        own.max(asked.unwrap_or_default().min(self.longest_asked))
    }
}

/// What is said of a notifier whose task panicked.
const BROKE: &str = "a part of the program broke off; start it again";

/// Who hears how the notifiers are.
pub trait Hear: fmt::Debug + Send + Sync {
    /// One cannot be told, and why; or, without that, is told again.
    fn hear(&self, notifier: &str, why: Option<&str>);
}

/// Nobody hears.
#[derive(Debug)]
struct Nobody;

impl Hear for Nobody {
    fn hear(&self, _: &str, _: Option<&str>) {}
}

/// Everybody who is told by a message, and what is needed to tell them.
#[derive(Debug)]
pub struct Notifiers {
    messenger: Arc<Messenger>,
    store: Arc<dyn Store>,
    pace: Pace,
    hear: Arc<dyn Hear>,
}

impl Notifiers {
    /// Those of a messenger, told of the events of a store.
    pub fn new(messenger: Messenger, store: Arc<dyn Store>, pace: Pace) -> Notifiers {
        Notifiers { messenger: Arc::new(messenger), store, pace, hear: Arc::new(Nobody) }
    }

    /// The same, and somebody hears of those that cannot be told.
    #[must_use]
    pub fn heard_by(self, hear: Arc<dyn Hear>) -> Notifiers {
        Notifiers { hear, ..self }
    }

    /// Tells them until `stop` is true or its sender is gone; a message on its way is waited for. Only
    /// the process that receives may run this, or everything is told twice.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        let (mut workers, mut names) = (JoinSet::new(), HashMap::new());
        for notify in self.messenger.all().filter(|notify| !matches!(notify.channel, Channel::Bell)) {
            let (store, hear) = (self.store.clone(), self.hear.clone());
            let worker = work::Worker::new(&self.messenger, notify, store, self.pace, hear);
            let task = workers.spawn(worker.run(stop.clone()));
            names.insert(task.id(), notify.name.clone());
        }
        while let Some(ended) = workers.join_next().await {
            if let Err(error) = ended {
                let name = names.get(&error.id()).map_or("", String::as_str);
                tracing::error!(notifier = name, %error, "a notifier broke off");
                self.hear.hear(name, Some(BROKE));
                if let Err(error) = Mark::fails(self.store.as_ref(), name, self.messenger.now(), BROKE).await
                {
                    tracing::error!(notifier = name, %error, "that it fails cannot be kept");
                }
            }
        }
    }
}

/// The names of those who are told by a message.
pub fn told(notify: &[Notify]) -> Vec<String> {
    let told = notify.iter().filter(|notify| !matches!(notify.channel, Channel::Bell));
    told.map(|notify| notify.name.clone()).collect()
}

/// The names of those whose bell rings.
pub fn bells(notify: &[Notify]) -> Vec<String> {
    let bells = notify.iter().filter(|notify| matches!(notify.channel, Channel::Bell));
    bells.map(|notify| notify.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_double_to_a_limit_and_grow_by_what_is_asked() {
        let pace = Pace::default();
        let rests: Vec<u64> = (1..=10).map(|failures| pace.rest(failures, None).as_secs()).collect();
        assert_eq!(rests, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert_eq!(pace.rest(1, Some(Duration::from_secs(30))).as_secs(), 30);
        assert_eq!(pace.rest(8, Some(Duration::from_secs(30))).as_secs(), 128);
        assert_eq!(pace.rest(u32::MAX, Some(Duration::from_secs(1 << 40))).as_secs(), 3_600);
    }
}
