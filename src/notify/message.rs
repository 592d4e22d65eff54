//! What is told: some events, or a burst of them summed up. Pure.

use crate::domain::{Event, Login, Severity};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use url::Url;

/// Checks that a sum tells apart; the rest is counted together.
const MOST_CHECKS: usize = 200;
/// The worst events of a burst that are told.
const WORST: usize = 3;

/// A message to somebody.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Who is told, by the configured name.
    pub notifier: String,
    /// What is told.
    pub form: Form,
    /// How many were imported since the last message.
    pub late: u64,
}

/// What a message tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// These events.
    Each(Vec<Whole>),
    /// Very many: how many of what, and the worst of them.
    Burst(Sum, Vec<Whole>),
    /// How many, and nothing else: whoever is told did not take more.
    Bare(Sum),
    /// That it works.
    Test,
}

/// An event with what is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Whole {
    /// The event.
    pub event: Event,
    /// Its users; of very many, the first.
    pub users: Vec<Login>,
    /// A page about it.
    pub page: Option<Url>,
}

/// Events, counted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sum {
    /// How many.
    pub total: u64,
    /// How many of each severity.
    pub severities: BTreeMap<Reverse<Severity>, u64>,
    /// The worst of them, worst first, and of the same severity the oldest first.
    pub worst: Vec<Event>,
    checks: BTreeMap<String, u64>,
    others: u64,
}

impl Sum {
    /// Counts one more; they come oldest first.
    pub fn add(&mut self, event: &Event) {
        self.total += 1;
        *self.severities.entry(Reverse(event.severity)).or_default() += 1;
        self.add_check(name(event));
        self.worst.push(event.clone());
        self.worst.sort_by_key(|event| (Reverse(event.severity), event.id));
        self.worst.truncate(WORST);
    }

    /// Whoever posts events may invent checks.
    fn add_check(&mut self, check: String) {
        if self.checks.len() < MOST_CHECKS || self.checks.contains_key(&check) {
            *self.checks.entry(check).or_default() += 1;
        } else {
            self.others += 1;
        }
    }

    /// The most frequent checks, and how many events are of others.
    pub fn checks(&self, most: usize) -> (Vec<(&str, u64)>, u64) {
        let mut checks: Vec<(&str, u64)> =
            self.checks.iter().map(|(check, times)| (check.as_str(), *times)).collect();
        checks.sort_by_key(|(_, times)| Reverse(*times));
        let rest: u64 = checks.iter().skip(most).map(|(_, times)| times).sum();
        checks.truncate(most);
        (checks, rest + self.others)
    }

    /// `3 critical, 20 high`.
    pub fn severities(&self) -> String {
        let parts: Vec<String> =
            self.severities.iter().map(|(Reverse(severity), times)| format!("{times} {severity}")).collect();
        parts.join(", ")
    }
}

impl Message {
    /// A message that only shows that it works.
    pub fn test(notifier: &str) -> Message {
        Message { notifier: notifier.to_owned(), form: Form::Test, late: 0 }
    }

    /// How many events it is about.
    pub fn total(&self) -> u64 {
        match &self.form {
            Form::Each(events) => events.len() as u64,
            Form::Burst(sum, _) | Form::Bare(sum) => sum.total,
            Form::Test => 0,
        }
    }

    /// The events that it tells of one by one.
    pub fn events(&self) -> &[Whole] {
        match &self.form {
            Form::Each(events) | Form::Burst(_, events) => events,
            Form::Bare(_) | Form::Test => &[],
        }
    }
}

/// The check of an event, or what kind of thing it is where there is none; printable.
pub fn name(event: &Event) -> String {
    let name = event.check.name();
    if name.trim().is_empty() { event.kind.word().to_owned() } else { name }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::counts::StateCounts;
    use crate::domain::{Check, EventId, EventKind};
    use jiff::Timestamp;

    pub(crate) fn event(id: i64, severity: Severity, title: &str) -> Event {
        Event {
            id: EventId(id),
            kind: EventKind::FailedCheck,
            source: "cii-webhook".into(),
            source_event_id: Some("e-1".into()),
            check: Check { id: "no-mfa".into(), title: title.into() },
            severity,
            severity_raw: severity.word().into(),
            user_count: 1,
            first_users: vec![Login::new("ann@example.com")],
            times: 1,
            published: None,
            received: Timestamp::UNIX_EPOCH,
            findings: StateCounts::default(),
            tags: vec!["notify:slack".to_owned()],
        }
    }

    pub(crate) fn sum(events: &[Event]) -> Sum {
        let mut sum = Sum::default();
        events.iter().for_each(|event| sum.add(event));
        sum
    }

    #[test]
    fn the_worst_are_kept_and_the_oldest_of_them() {
        let severities = [Severity::Low, Severity::High, Severity::Critical, Severity::High, Severity::High];
        let events: Vec<Event> = (1..).zip(severities).map(|(id, s)| event(id, s, "x")).collect();
        let sum = sum(&events);
        let worst: Vec<i64> = sum.worst.iter().map(|event| event.id.0).collect();
        assert_eq!(worst, [3, 2, 4]);
        assert_eq!((sum.total, sum.severities().as_str()), (5, "1 critical, 3 high, 1 low"));
    }

    #[test]
    fn many_checks_are_counted_together() {
        let mut events = vec![event(0, Severity::Low, "often"); 3];
        events.extend((1..=2_000).map(|id| event(id, Severity::Low, &format!("invented {id}"))));
        let sum = sum(&events);
        assert_eq!(sum.checks.len(), MOST_CHECKS);
        let (most, others) = sum.checks(2);
        assert_eq!((most[0], others), (("often", 3), 1_999));
    }
}
