//! What happens in the simulated tenant: some days of history, then an incident. Pure data out of the seed; nothing here
//! waits or sends.
mod envelope;
mod history;
mod incident;
mod issue;
mod notice;
mod record;
mod routine;
mod witnesses;

pub(crate) use envelope::{Failure, Ids, Tenant, failed_check};
pub(crate) use issue::{Entity, Flaw, Form, IdName, Issue};
pub(crate) use notice::{Alert, Report};
pub(crate) use record::Record;

use crate::lab::population::Population;
use fastrand::Rng;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the story goes on, in seconds.
const LENGTH: u64 = 2 * 3600;

/// One thing that somebody says.
#[derive(Debug, Clone)]
pub(crate) struct Beat {
    /// When it is said, after the telling began.
    pub(crate) at: Duration,
    /// How much older it is itself.
    pub(crate) lag: Duration,
    pub(crate) news: News,
}

/// What is said, and with it by whom.
#[derive(Debug, Clone)]
pub(crate) enum News {
    /// CII: users fail a check.
    CheckFailed(Failure, Ids),
    /// Okta: records of one moment, oldest first, and the id of the call in which the event hook posts those it wants.
    Records(Vec<Record>, String),
    /// ISPM: an issue.
    Issue(Issue),
    /// The form service: somebody filled in the form.
    Report(Report),
    /// The alert manager: alerts fire.
    Alerts(Vec<Alert>),
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
        let mut incident = incident::script(&mut rng, population);
        // Numbers of their own: who else has something to say changes nothing of what CII says.
        incident.extend(witnesses::script(&mut Rng::with_seed(seed ^ 0x3a11_d007), population));
        incident.extend(routine::script(&mut Rng::with_seed(seed ^ 0x0ddb_a115), population));
        incident.sort_by_key(|beat| beat.at);
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

    /// What CII says, in the order of sending.
    fn checks(story: &Story) -> Vec<(&Beat, &Failure, &Ids)> {
        let check = story.incident.iter().filter_map(|beat| match &beat.news {
            News::CheckFailed(failure, ids) => Some((beat, failure, ids)),
            _ => None,
        });
        check.collect()
    }

    #[test]
    fn the_incident_unfolds_in_order_and_goes_on() {
        let story = story(5);
        let checks = checks(&story);
        let first = |id: &str| checks.iter().position(|(_, failure, _)| failure.check.id == id).unwrap();
        assert!(first("mfa-flood") < first("impossible-travel"));
        assert!(first("impossible-travel") < first("access-from-dormant-account"));
        assert!(checks.first().unwrap().0.at < Duration::from_secs(5));
        assert!(checks.last().unwrap().0.at > Duration::from_secs(30 * 60));
        assert!(story.incident.is_sorted_by_key(|beat| beat.at));
        let ids: Vec<&str> = checks.iter().map(|(_, _, ids)| ids.detail.as_str()).collect();
        let unique: HashSet<&str> = ids.iter().copied().collect();
        assert!(unique.len() < ids.len(), "some events are repeated");
    }

    fn records(story: &Story) -> Vec<(&Beat, &Record)> {
        let records = story.incident.iter().flat_map(|beat| match &beat.news {
            News::Records(records, _) => records.iter().map(|record| (beat, record)).collect(),
            _ => Vec::new(),
        });
        records.collect()
    }

    #[test]
    fn everybody_else_saw_it_too_at_its_time() {
        let story = story(5);
        let at = |seconds: u64| Duration::from_secs(seconds);
        let when = |event: &str| -> Vec<Duration> {
            let records = records(&story).into_iter().filter(|(_, record)| record.event_type == event);
            records.map(|(beat, _)| beat.at).collect()
        };
        assert!(when("user.mfa.okta_verify.deny_push").iter().all(|when| *when < at(60)));
        assert!(when("user.account.report_suspicious_activity_by_enduser").iter().all(|when| *when < at(60)));
        assert!(when("user.session.context.change").iter().all(|when| (at(60)..at(110)).contains(when)));
        assert_eq!(when("policy.auth_reevaluate.fail").len(), 1);
        assert!(when("user.account.privilege.grant").iter().all(|when| (at(160)..at(240)).contains(when)));
        let said = |wanted: fn(&News) -> bool| {
            story.incident.iter().filter(|beat| beat.at < at(60) && wanted(&beat.news)).count()
        };
        assert!(said(|news| matches!(news, News::Issue(_))) >= 1);
        assert!(said(|news| matches!(news, News::Report(_))) >= 1);
        assert!(said(|news| matches!(news, News::Alerts(_))) >= 1);
    }

    #[test]
    fn most_of_what_the_log_has_is_no_news() {
        let story = story(5);
        let records = records(&story);
        let quiet = records.iter().filter(|(_, record)| record.result == "SUCCESS").count();
        assert!(records.len() > 1000 && quiet * 10 > records.len() * 8, "{quiet} of {}", records.len());
        // At any time of the story.
        let gaps = records.windows(2).map(|pair| pair[1].0.at - pair[0].0.at);
        assert!(gaps.max().unwrap() < Duration::from_secs(6));
    }

    #[test]
    fn no_two_things_share_an_id() {
        let story = story(5);
        let ids = story.incident.iter().flat_map(|beat| match &beat.news {
            // CII repeats itself on purpose.
            News::CheckFailed(..) => Vec::new(),
            News::Records(records, call) => {
                records.iter().map(|record| &record.uuid).chain([call]).cloned().collect()
            }
            News::Issue(issue) => vec![issue.event.clone()],
            News::Report(report) => vec![report.id.clone()],
            News::Alerts(alerts) => alerts.iter().map(|alert| alert.fingerprint.clone()).collect(),
        });
        let ids: Vec<String> = ids.collect();
        let unique: HashSet<&String> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
    }

    /// The dormant admin is the one that ISPM names, by the id that a flow would act on.
    #[test]
    fn the_admin_who_wakes_up_is_an_issue() {
        let population = Population::grow(5, 300, now());
        let story = story(5);
        let issues: Vec<&Issue> = story
            .incident
            .iter()
            .filter_map(|beat| match &beat.news {
                News::Issue(issue) => Some(issue),
                _ => None,
            })
            .collect();
        let unused = issues.iter().find(|issue| issue.kind.title == "Unused Admin Account").unwrap();
        assert_eq!(unused.entity, Entity::Account(population.dormant));
        let kinds: HashSet<_> = issues.iter().map(|issue| std::mem::discriminant(&issue.entity)).collect();
        assert_eq!(kinds.len(), 3, "accounts, people and grants");
        for wanted in [Form::Flat(Flaw::None), Form::Flat(Flaw::NoId), Form::Flat(Flaw::Misspelt)] {
            assert!(issues.iter().any(|issue| issue.form == wanted), "{wanted:?}");
        }
        for id in [IdName::Identifier, IdName::Id] {
            assert!(issues.iter().any(|issue| issue.form == Form::Nested("issue.created", id)), "{id:?}");
        }
        assert!(issues.iter().any(|issue| issue.form == Form::Nested("issue.updated", IdName::Identifier)));
    }

    #[test]
    fn the_smallest_company_has_a_story() {
        for seed in 0..20 {
            let story = Story::write(seed, &Population::grow(seed, 0, now()), now());
            assert!(records(&story).len() > 1000 && !checks(&story).is_empty(), "seed {seed}");
        }
    }
}
