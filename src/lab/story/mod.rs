//! What happens in the simulated tenant: some days of history, then an incident. Pure data out of the seed; nothing here
//! waits or sends.
mod envelope;
mod history;
mod incident;

pub(crate) use envelope::{Failure, Ids, Tenant, failed_check};

use crate::lab::population::Population;
use fastrand::Rng;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// One webhook of the incident.
#[derive(Debug, Clone)]
pub(crate) struct Beat {
    /// When it is sent, after the telling began.
    pub(crate) at: Duration,
    /// How much older the failure is than the webhook.
    pub(crate) lag: Duration,
    pub(crate) failure: Failure,
    pub(crate) ids: Ids,
}

impl Beat {
    /// The webhook, for a failure found at `published`.
    pub(crate) fn envelope(&self, tenant: &Tenant, published: Timestamp) -> Value {
        failed_check(tenant, &self.ids, &self.failure, published)
    }
}

/// Who fails what, by login: titles and ids as CII mixes them.
pub(crate) type Failing = BTreeMap<String, Vec<&'static str>>;

/// The whole story.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) tenant: Tenant,
    /// Envelopes of the past days, oldest first.
    pub(crate) history: Vec<Value>,
    pub(crate) failing: Failing,
    pub(crate) incident: Vec<Beat>,
}

impl Story {
    /// The story of a seed whose present is `now`.
    pub(crate) fn write(seed: u64, population: &Population, now: Timestamp) -> Self {
        // Apart from the population's numbers, so that another number of users tells the same kind of story.
        let mut rng = Rng::with_seed(seed ^ 0x1d7a_19e5);
        let tenant = Tenant::of(&mut rng);
        let past = history::past(&mut rng, population, now);
        let mut failing = Failing::new();
        for (_, _, failure) in &past {
            remember(&mut failing, failure);
        }
        let history = history::envelopes(&mut rng, &tenant, &past, now);
        let incident = incident::script(&mut rng, population);
        Self { tenant, history, failing, incident }
    }
}

/// Adds a failure to what is known of its users. Every other check is known by its title: which of the two CII gives in
/// `failingChecks` is undocumented.
pub(crate) fn remember(failing: &mut Failing, failure: &Failure) {
    let check = failure.check;
    let name = if check.id.len().is_multiple_of(2) { check.id } else { check.title };
    for login in &failure.logins {
        let known = failing.entry(login.clone()).or_default();
        if !known.contains(&name) {
            known.push(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn now() -> Timestamp {
        "2026-05-01T12:00:00Z".parse().unwrap()
    }

    fn story(seed: u64) -> Story {
        Story::write(seed, &Population::grow(seed, 300, now()), now())
    }

    #[test]
    fn same_seed_same_story() {
        let (one, two, other) = (story(5), story(5), story(6));
        assert_eq!(one.history, two.history);
        assert_eq!(format!("{:?}", one.incident), format!("{:?}", two.incident));
        assert_ne!(one.history, other.history);
    }

    #[test]
    fn history_is_rich_ordered_and_past() {
        let story = story(5);
        let published: Vec<&str> =
            story.history.iter().filter_map(|e| e["detail"]["published"].as_str()).collect();
        assert!(story.history.len() >= 380, "{}", story.history.len());
        assert_eq!(published.len(), story.history.len());
        assert!(published.is_sorted());
        assert!(published.iter().all(|at| at.parse::<Timestamp>().unwrap() < now()));
        let checks: HashSet<&str> =
            story.history.iter().filter_map(|e| e["detail"]["checkId"].as_str()).collect();
        assert!(checks.len() > 30, "{}", checks.len());
        let tests = story.history.iter().filter(|e| e["detail-type"] == "WebhookTest").count();
        assert_eq!(tests, 1);
        assert!(story.history.iter().any(|e| e["detail"]["login"].is_string()));
        assert!(
            story.history.iter().any(|e| e["detail"]["usersFailing"].as_array().is_some_and(|u| u.len() > 1))
        );
    }

    #[test]
    fn the_incident_unfolds_in_order_and_goes_on() {
        let story = story(5);
        let first = |id: &str| story.incident.iter().position(|beat| beat.failure.check.id == id).unwrap();
        assert!(first("mfa-flood") < first("impossible-travel"));
        assert!(first("impossible-travel") < first("access-from-dormant-account"));
        assert!(story.incident.first().unwrap().at < Duration::from_secs(5));
        assert!(story.incident.last().unwrap().at > Duration::from_secs(30 * 60));
        assert!(story.incident.is_sorted_by_key(|beat| beat.at));
        let ids: Vec<&str> = story.incident.iter().map(|beat| beat.ids.detail.as_str()).collect();
        let unique: HashSet<&str> = ids.iter().copied().collect();
        assert!(unique.len() < ids.len(), "some events are repeated");
    }
}
