//! Looks into the System Log against the lab: what a query with an end brings, what it misses, and how it
//! is refused.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use idtriage::config::Config;
use idtriage::config::meant::Okta;
use idtriage::domain::dossier::Problem;
use idtriage::domain::log::beside::TRIGGERED;
use idtriage::domain::log::{LogAsk, LogOrder, LogPreset, LogQuery, LogRecord, Moment, Thread};
use idtriage::domain::{Untrusted, time};
use idtriage::lab::{Lab, LabOptions};
use idtriage::tenant::http::{Clock, Limits};
use idtriage::tenant::{LogSearch, SearchEnd, Tenants, search_all};
use jiff::SignedDuration;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use support::config::nothing;

const NOW: &str = "2026-05-01T12:00:00Z";
const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

struct Rig {
    lab: Lab,
    log: Arc<dyn LogSearch>,
}

impl Rig {
    /// A lab whose present stands nearly still, and a client that waits a moment at most.
    async fn start() -> Rig {
        let options = LabOptions {
            seed: 7,
            users: 60,
            speed: 0.01,
            log_calls: 1_000_000,
            ..LabOptions::at(NOW.parse().unwrap())
        };
        let lab = Lab::start(options).await.unwrap();
        let okta = Okta {
            org_url: lab.addresses().okta_org_url.parse().unwrap(),
            api_token: Some(lab.secrets().okta_token.clone()),
            service_app: None,
        };
        let config = Config { okta: Some(okta), ..nothing() };
        let pause = Duration::from_millis(2);
        let limits = Limits { first_pause: pause, longest_pause: pause, ..Limits::default() };
        let clock = lab.clock();
        let tenants = Tenants::with_limits(&config, Clock::new(move || clock.now()), limits).unwrap();
        Rig { log: tenants.log_search().unwrap(), lab }
    }

    fn query(&self, ask: &LogAsk, page: usize) -> LogQuery {
        ask.at(self.lab.clock().now(), page).unwrap()
    }

    async fn found(&self, query: &LogQuery, most: usize) -> Result<(Vec<LogRecord>, SearchEnd), Problem> {
        let mut found = Vec::new();
        let end = search_all(self.log.as_ref(), query, most, |cut| {
            found.extend(cut.records.into_iter().map(LogRecord::of));
            Ok::<(), Problem>(())
        });
        let end = end.await?;
        Ok((found, end))
    }

    async fn all(&self, ask: &LogAsk, page: usize) -> Vec<LogRecord> {
        self.found(&self.query(ask, page), usize::MAX).await.unwrap().0
    }

    /// The queries that the log was asked with, and how they were answered.
    fn asked(&self) -> Vec<(String, u16)> {
        let asked = self.lab.recorder().requests().into_iter().filter(|asked| asked.path == "/api/v1/logs");
        asked.map(|asked| (asked.query, asked.status)).collect()
    }

    fn fault(&self, words: &str) {
        self.lab.faults().set(words.parse().unwrap());
    }
}

fn week() -> LogAsk {
    LogAsk { since: Moment::hours_ago(7 * 24), order: LogOrder::Ascending, ..LogAsk::default() }
}

fn uuids(records: &[LogRecord]) -> Vec<&str> {
    records.iter().map(|record| record.uuid.raw()).collect()
}

#[tokio::test]
async fn either_order_is_honoured_over_all_pages() {
    let rig = Rig::start().await;
    let up = rig.all(&week(), 60).await;
    let down = rig.all(&LogAsk { order: LogOrder::Descending, ..week() }, 1_000).await;
    assert!(up.len() > 300 && up.windows(2).all(|pair| pair[0].published <= pair[1].published));
    let newest_first = down.windows(2).all(|pair| pair[0].published >= pair[1].published);
    assert!(newest_first && down[0].published > down[down.len() - 1].published);
    let set = |records: &[LogRecord]| uuids(records).into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(set(&up), set(&down));
    assert_eq!(set(&up).len(), up.len(), "no record twice");
    let asked = rig.asked();
    assert!(
        asked.len() > 6 && asked.iter().all(|(query, status)| *status == 200 && query.contains("limit="))
    );
    assert!(asked.last().unwrap().0.contains("sortOrder=DESCENDING"), "{asked:?}");
}

#[tokio::test]
async fn a_query_with_an_end_misses_what_is_stored_late() {
    let rig = Rig::start().await;
    let all = rig.all(&week(), 1_000).await;
    let mut missed = Vec::new();
    for record in &all {
        let published = record.published.unwrap();
        let (since, until) = (published - MILLISECOND, published + MILLISECOND);
        let ask = LogAsk { since: Moment::At(since), until: Moment::At(until), ..week() };
        if !uuids(&rig.all(&ask, 10).await).contains(&record.uuid.raw()) {
            missed.push(record.uuid.clone());
        }
    }
    assert!(!missed.is_empty() && missed.len() < all.len() / 2, "{} of {}", missed.len(), all.len());
    // A later look has them: nothing is lost, it was only not there yet.
    let again = rig.all(&week(), 1_000).await;
    assert!(missed.iter().all(|uuid| uuids(&again).contains(&uuid.raw())));
}

#[tokio::test]
async fn an_org_that_names_a_next_page_for_ever_is_left_at_an_empty_one() {
    let rig = Rig::start().await;
    let all = rig.all(&week(), 1_000).await.len();
    rig.fault("bounded-next@okta");
    let before = rig.asked().len();
    assert_eq!(rig.all(&week(), 1_000).await.len(), all);
    let asked = rig.asked().split_off(before);
    assert_eq!(asked.len(), 2, "the page and the empty one: {asked:?}");
}

#[tokio::test]
async fn a_limit_ends_a_search_and_no_page_is_asked_for_nothing() {
    let rig = Rig::start().await;
    let (found, end) = rig.found(&rig.query(&week(), 50), 120).await.unwrap();
    assert_eq!((found.len(), end, rig.asked().len()), (120, SearchEnd::Enough, 3));
    let (found, _) = rig.found(&rig.query(&week(), 1_000), 5).await.unwrap();
    assert_eq!(found.len(), 5);
    assert!(rig.asked()[3].0.contains("limit=5"), "{:?}", rig.asked());
}

#[tokio::test]
async fn a_bad_filter_is_told_with_its_place_and_asked_once() {
    let rig = Rig::start().await;
    let told = async |filter: &str| {
        let query = rig.query(&week().with_filter(filter), 10);
        let problem = rig.found(&query, 10).await.unwrap_err();
        let kind = problem.kind.as_ref().map(|kind| kind.raw().to_owned()).unwrap_or_default();
        (kind, problem.words())
    };
    let (kind, words) = told("eventType eq \"a\" und uuid pr").await;
    assert_eq!(kind, "E0000053");
    assert!(words.contains("Invalid filter at 17") && words.contains("\nhint: mend the filter"), "{words}");
    let (kind, words) = told("debugContext.debugData.url co \"x\"").await;
    assert_eq!(kind, "E0000031");
    assert!(words.contains("does not support the operator co"), "{words}");
    let (kind, words) = told("published gt \"2026-01-01\"").await;
    assert!(kind == "E0000053" && words.contains("published is not allowed"), "{words}");
    assert_eq!(rig.asked().iter().map(|(_, status)| *status).collect::<Vec<_>>(), [400, 400, 400]);
}

#[tokio::test]
async fn what_okta_never_looks_back_to_is_told() {
    let rig = Rig::start().await;
    let ask = LogAsk { since: Moment::hours_ago(200 * 24), ..week() };
    let problem = rig.found(&rig.query(&ask, 10), 10).await.unwrap_err();
    assert!(problem.line().contains("180 days"), "{}", problem.line());
    let ask = LogAsk { since: Moment::hours_ago(100 * 24), ..week() };
    assert!(ask.is_beyond_retention(rig.lab.clock().now()));
    assert_eq!(rig.all(&ask, 1_000).await.len(), rig.all(&week(), 1_000).await.len(), "what is kept came");
}

#[tokio::test]
async fn a_short_429_is_waited_out_and_the_search_goes_on() {
    let rig = Rig::start().await;
    let all = rig.all(&week(), 100).await.len();
    let before = rig.asked().len();
    for fault in ["429@okta=1", "429-concurrency@okta=2"] {
        rig.fault(fault);
        assert_eq!(rig.all(&week(), 100).await.len(), all, "{fault}");
    }
    let refused = rig.asked().split_off(before).into_iter().filter(|(_, status)| *status == 429);
    assert_eq!(refused.count(), 3);
}

#[tokio::test]
async fn a_long_429_is_told_and_not_hammered() {
    let rig = Rig::start().await;
    let okta = Okta {
        org_url: rig.lab.addresses().okta_org_url.parse().unwrap(),
        api_token: Some(rig.lab.secrets().okta_token.clone()),
        service_app: None,
    };
    let clock = rig.lab.clock();
    let config = Config { okta: Some(okta), ..nothing() };
    let patient = Limits::default();
    let limits = Limits {
        read: idtriage::tenant::http::Allowance { held: Duration::ZERO, ..patient.read },
        ..patient
    };
    let tenants = Tenants::with_limits(&config, Clock::new(move || clock.now()), limits).unwrap();
    let rig = Rig { log: tenants.log_search().unwrap(), ..rig };
    rig.fault("429@okta");
    let problem = rig.found(&rig.query(&week(), 10), 10).await.unwrap_err();
    assert!(problem.line().contains("is throttling: it takes requests again in"), "{}", problem.line());
    assert_eq!(problem.hint.as_deref(), Some("wait, then ask again"));
    assert_eq!(rig.asked().len(), 1);
}

#[tokio::test]
async fn a_next_page_out_of_the_org_is_not_asked() {
    let rig = Rig::start().await;
    rig.fault("foreign-next@okta");
    let problem = rig.found(&rig.query(&week(), 50), 500).await.unwrap_err();
    assert!(problem.line().contains("out of the org: it is not asked"), "{}", problem.line());
    assert_eq!(rig.asked().len(), 1);
}

#[tokio::test]
async fn a_page_that_is_not_offered_any_more_says_to_ask_anew() {
    let rig = Rig::start().await;
    rig.fault("expired-cursor@okta");
    let problem = rig.found(&rig.query(&week(), 50), 500).await.unwrap_err();
    assert!(
        problem.words().ends_with("\nhint: the next page is not offered any more: ask anew"),
        "{}",
        problem.words()
    );
}

#[tokio::test]
async fn presets_and_threads_find_what_they_say() {
    let rig = Rig::start().await;
    let ask = LogAsk { since: week().since, ..LogPreset::ask("failed-sign-ins").unwrap() };
    let failed = rig.all(&ask, 1_000).await;
    let results: BTreeSet<&str> = failed.iter().map(|record| record.result.raw()).collect();
    assert_eq!(results, BTreeSet::from(["DENY", "FAILURE"]), "what a policy blocks is no FAILURE");
    let one = &failed[0];
    for thread in [Thread::Session, Thread::Transaction] {
        let id = one.thread(thread).map(Untrusted::raw).unwrap();
        let found = rig.all(&week().with_filter(thread.filter(id)), 1_000).await;
        assert!(uuids(&found).contains(&one.uuid.raw()), "{}", thread.title());
        assert!(found.len() < failed.len());
    }
    let ran =
        rig.all(&LogAsk { since: week().since, ..LogPreset::ask("delegated-flows").unwrap() }, 100).await;
    assert!(!ran.is_empty() && ran.iter().all(|record| record.event_type.raw() == TRIGGERED), "{ran:?}");
    // From what was run to the sign-in behind it, which was another session.
    let root = ran[0].thread(Thread::RootSession).map(Untrusted::raw).unwrap();
    let found = rig.all(&week().with_filter(Thread::RootSession.filter(root)), 1_000).await;
    let sessions: BTreeSet<&str> =
        found.iter().filter_map(|record| record.thread(Thread::Session).map(Untrusted::raw)).collect();
    assert!(sessions.contains(root) && sessions.len() > 1, "{sessions:?}");
    assert!(found.iter().all(|record| record.thread(Thread::RootSession).map(Untrusted::raw) == Some(root)));
    assert!(uuids(&found).contains(&ran[0].uuid.raw()) && found.len() < failed.len());
    for preset in ["admin-changes", "mfa-denials", "token=00T1", "delegated-flows"] {
        let ask = LogPreset::ask(preset).unwrap();
        assert!(rig.found(&rig.query(&ask, 10), 10).await.is_ok(), "Okta takes the filter of {preset}");
    }
}

#[tokio::test]
async fn words_are_looked_for_everywhere() {
    let rig = Rig::start().await;
    let login = rig.all(&week(), 10).await[0].actor.shown().to_owned();
    let found = rig.all(&LogAsk { words: login.clone(), ..week() }, 1_000).await;
    assert!(!found.is_empty() && found.iter().all(|record| record.raw.contains(&login)));
    assert!(rig.asked().last().unwrap().0.contains("q="), "{:?}", rig.asked().last());
    let since = time::rfc3339(rig.query(&week(), 1).since);
    assert!(rig.asked()[0].0.contains(&since[..10]), "{:?}", rig.asked()[0]);
}
