//! The reading against the lab, one trouble at a time.

use crate::rig::{Rig, Running, SOURCE, WEEK, settings, still};
use idtriage::config::meant::LogFilter;
use idtriage::domain::{Actor, SourceState};
use idtriage::lab::{LabOptions, LogEvent};
use idtriage::source::system_log::{filter, probe};
use idtriage::tenant::Probe;
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use std::collections::HashSet;

const APPLICATIONS: [&str; 2] = ["application.user_membership.add", "application.user_membership.remove"];

fn sign_ins(rig: &Rig, count: i64) -> Vec<String> {
    rig.lab.log_driver().persist((0..count).map(|n| LogEvent::sign_in(rig.second(n - count))))
}

/// A record about applications; the application is not the first target.
fn of_application(at: Timestamp, event_type: &str, application: Option<&str>) -> LogEvent {
    let user = [("00uA".to_owned(), "User".to_owned())];
    let application = application.map(|id| (id.to_owned(), "AppInstance".to_owned()));
    LogEvent {
        published: at,
        event_type: event_type.to_owned(),
        targets: user.into_iter().chain(application).collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_times_end_where_they_began() {
    let rig = Rig::start(still()).await;
    let running = rig.poll(100);
    rig.is_read(&running).await;
    let before = running.health();
    assert_eq!(before.accepted, 400, "the story's");
    let cursor = rig.cursor().await;
    rig.passes(600);
    rig.is_read(&running).await;
    assert_eq!(rig.cursor().await, cursor, "an empty page moves nothing");
    let late = rig
        .lab
        .log_driver()
        .persist([LogEvent::sign_in(rig.second(-590)), LogEvent::sign_in(rig.second(-1))]);
    let health = running.is("two more", |health| health.accepted == 402).await;
    assert!(health.last_alive >= before.last_alive && health.last_accepted > before.last_accepted);
    assert_eq!(running.stop().await.state, SourceState::Stopped);
    let stored: HashSet<String> = rig.stored().await.into_iter().collect();
    assert!(stored.len() == 402 && late.iter().all(|uuid| stored.contains(uuid)));
    let queries: Vec<String> = rig.asked().into_iter().map(|(query, _)| query).collect();
    assert!(queries.iter().all(|query| !query.contains("until")));
    assert_eq!(queries.iter().filter(|query| query.contains("since")).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_was_stopped_goes_on_where_it_was() {
    let rig = Rig::start(still()).await;
    rig.catch_up(rig.poller(LogFilter::Everything, WEEK, 150)).await;
    sign_ins(&rig, 10);
    let health = rig.catch_up(rig.poller(LogFilter::Everything, WEEK, 150)).await;
    assert_eq!(health.accepted, 10);
    assert_eq!(rig.stored().await.len(), 410);
    assert_eq!(health.notes.len(), 1, "where it began, still: {:?}", health.notes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_begins_where_it_was_first_started_however_long_okta_is_away() {
    let rig = Rig::start(still()).await;
    rig.fault("500@okta");
    for _ in 0..2 {
        let running = rig.poll(100);
        running.is("waiting", |health| health.state.word() == "waiting").await;
        running.stop().await;
        rig.passes(2 * 7 * 86_400);
    }
    rig.lab.faults().clear_all();
    rig.catch_up(rig.poller(LogFilter::Everything, WEEK, 100)).await;
    assert_eq!(rig.stored().await.len(), 400, "what a reading from today would leave out");
}

#[rstest]
#[case("401@okta", "failed", "make a new one")]
#[case("403@okta", "failed", "a role that may read the System Log")]
#[case("429@okta", "waiting", "rate limit")]
#[case("429-concurrency@okta", "waiting", "too many requests at once")]
#[case("500@okta", "waiting", "E0000009")]
#[case("502@okta", "waiting", "502")]
#[case("drop@okta", "waiting", "broke")]
#[case("cut-body@okta", "waiting", "broke")]
#[case("truncated@okta", "waiting", "not with JSON")]
#[case("foreign-next", "failed", "leads to `https://elsewhere.example.invalid`")]
#[case("missing-next", "waiting", "named no next page")]
#[tokio::test(flavor = "multi_thread")]
async fn a_trouble_is_said_and_passes(#[case] fault: &str, #[case] state: &str, #[case] words: &str) {
    let rig = Rig::start(still()).await;
    rig.fault(fault);
    let running = rig.poll(100);
    let says = |state: &str, words: &str, health: &idtriage::domain::SourceHealth| {
        health.state.word() == state && health.state.why().is_some_and(|why| why.contains(words))
    };
    let health = running.is(&format!("{state}: {words}"), |health| says(state, words, health)).await;
    assert_eq!(health.again.is_some(), state == "failed", "one that waits says itself until when");
    rig.lab.faults().clear_all();
    let health = running.is("running again", |health| health.state == SourceState::Running).await;
    assert_eq!(health.again, None);
    rig.is_read(&running).await;
    running.stop().await;
    assert_eq!(rig.stored().await.len(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_okta_refuses_fails_in_oktas_words() {
    let rig = Rig::start(still()).await;
    let running = Running::start(rig.poller(LogFilter::Said("eventType is".to_owned()), WEEK, 100));
    let health = running.is("failed", |health| health.state.word() == "failed").await;
    let why = health.state.why().unwrap();
    assert!(why.contains("E0000053") && why.contains("Invalid filter at 10."), "{why}");
    assert!(why.contains("\nhint: check the source's `filter`"), "{why}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_aged_out_is_a_gap_that_stays_to_be_seen() {
    let rig = Rig::start(still()).await;
    rig.catch_up(rig.poller(LogFilter::Everything, WEEK, 100)).await;
    rig.passes(3_600);
    let new = sign_ins(&rig, 30);
    rig.fault("expired-cursor=1");
    let health = rig.catch_up(rig.poller(LogFilter::Everything, WEEK, 100)).await;
    let gap = health.notes.last().unwrap();
    assert!(gap.text.starts_with("possible gap between ") && gap.is_warning(), "{gap:?}");
    assert!(gap.text.contains("The cursor has expired"), "{gap:?}");
    let stored: HashSet<String> = rig.stored().await.into_iter().collect();
    assert!(stored.len() == 430 && new.iter().all(|uuid| stored.contains(uuid)));
    let health = rig.catch_up(rig.poller(LogFilter::Everything, WEEK, 100)).await;
    assert_eq!(health.notes.last().unwrap().text, gap.text, "through a restart");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_longer_than_okta_keeps_its_log_is_a_stated_loss() {
    let rig = Rig::start(still()).await;
    rig.catch_up(rig.poller(LogFilter::Everything, WEEK, 100)).await;
    let gone = sign_ins(&rig, 5);
    rig.passes(100 * 86_400);
    let new = sign_ins(&rig, 5);
    rig.fault("expired-cursor=1");
    let health = rig.catch_up(rig.poller(LogFilter::Everything, WEEK, 100)).await;
    let said = |words: &str| health.notes.iter().any(|note| note.is_warning() && note.text.contains(words));
    assert!(said("are lost: Okta keeps its log for 90 days") && said("possible gap"), "{:?}", health.notes);
    let stored: HashSet<String> = rig.stored().await.into_iter().collect();
    assert!(new.iter().all(|uuid| stored.contains(uuid)) && gone.iter().all(|uuid| !stored.contains(uuid)));
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_of_the_configuration_and_of_the_store_make_the_filter() {
    let rig = Rig::start(still()).await;
    let driver = rig.lab.log_driver();
    let at = || rig.second(-1);
    let wanted = driver.persist([
        of_application(at(), APPLICATIONS[0], Some("0oaA")),
        of_application(at(), APPLICATIONS[1], Some("0oaA")),
        of_application(at(), "user.account.update_profile", None),
    ]);
    let of_b = driver.persist([of_application(at(), APPLICATIONS[0], Some("0oaB"))]);
    driver.persist([
        of_application(at(), APPLICATIONS[0], Some("0oaAA")),
        of_application(at(), "application.user_membership.change_username", Some("0oaA")),
    ]);
    let ids = LogFilter::OfApplications(vec!["0oaA".to_owned()]);
    let running = Running::start(rig.poller(ids, WEEK, 100));
    running.is("three", |health| health.accepted >= 3).await;
    rig.is_read(&running).await;
    let stored: HashSet<String> = rig.stored().await.into_iter().collect();
    assert_eq!(stored, wanted.iter().cloned().collect());
    let iam = r#"[{"ApplicationID":"0oaB","Name":"b","Label":"B","Logo":null,"Instance":"x"}]"#;
    rig.store
        .set_setting(filter::IAM_CONFIGURATION, iam, &Actor::default(), Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    let noted = |health: &idtriage::domain::SourceHealth| {
        health.notes.iter().any(|note| note.text.starts_with("the filter changed"))
    };
    running.is("a new reading", noted).await;
    running.is("the other application's", |health| health.accepted >= 7).await;
    rig.is_read(&running).await;
    running.stop().await;
    let stored: HashSet<String> = rig.stored().await.into_iter().collect();
    assert_eq!(stored, wanted.into_iter().chain(of_b).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_application_nothing_is_asked() {
    let rig = Rig::start(still()).await;
    let running = Running::start(rig.poller(LogFilter::OfApplications(Vec::new()), WEEK, 100));
    let health = running.is("failed", |health| health.state.word() == "failed").await;
    assert!(health.state.why().unwrap().contains("no application is configured"));
    assert!(rig.asked().is_empty());
    let iam = r#"[{"ApplicationID":"0oaB"}]"#;
    rig.store
        .set_setting(filter::IAM_CONFIGURATION, iam, &Actor::default(), Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    running.is("running", |health| health.state == SourceState::Running).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_are_apart_are_pointed_out_and_change_no_place() {
    // The program's clock is the lab's: the tenants' alone is off.
    let rig = Rig::start(still()).await;
    let clock = rig.lab.clock();
    let off = idtriage::tenant::http::Clock::new(move || clock.now() - SignedDuration::from_secs(95));
    let config = crate::rig::config(&rig.lab.addresses().okta_org_url, rig.lab.secrets().okta_token.clone());
    let tenants = crate::rig::tenants_of(config, off, crate::rig::limits());
    let clock = std::sync::Arc::new(crate::rig::Restless(rig.lab.clock()));
    let poll = crate::rig::poller(
        tenants.system_log().unwrap(),
        rig.store.clone(),
        clock,
        settings(LogFilter::Everything, WEEK),
    );
    let health = rig.catch_up(poll).await;
    let skew = health.notes.last().unwrap();
    let text = &skew.text;
    assert!(text.starts_with("Okta's clock is 9") && text.ends_with(" s ahead of this machine's"), "{text}");
    assert!(skew.is_warning());
    assert_eq!(rig.stored().await.len(), 400);
}

async fn probed(rig: &Rig, filter: LogFilter, iam: Option<&str>) -> Probe {
    let now = rig.lab.clock().now();
    probe(&SOURCE.into(), &settings(filter, WEEK), rig.log().as_ref(), iam, now).await
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_estimates_what_everything_is_and_offers_less() {
    let rig = Rig::start(LabOptions { ..still() }).await;
    sign_ins(&rig, 90);
    // A question with an end misses what is persisted after it.
    rig.passes(1);
    let probe = probed(&rig, LogFilter::Everything, None).await;
    let told = probe.result.unwrap();
    assert_eq!(probe.name, "trial of okta-log");
    assert!(
        told.contains(" 92 records in the last hour, about 2208 a day")
            && told.contains("without a filter all are stored"),
        "{told}"
    );
    let hint = probe.hint.unwrap();
    assert!(
        hint.contains("applications = [\"0oa…\"]") && hint.contains("user.account.update_profile"),
        "{hint}"
    );
    // A full page stands for the time that it covers, not for the hour.
    rig.lab.log_driver().persist((0..5_000).map(|n| {
        LogEvent::sign_in(rig.lab.clock().now() - SignedDuration::from_millis(3_000_000 - n * 100))
    }));
    rig.passes(1);
    let told = probed(&rig, LogFilter::Everything, Some(r#"[{"ApplicationID":"0oaB"}]"#)).await;
    assert!(told.hint.unwrap().contains("applications = [\"0oaB\"]"));
    let told = told.result.unwrap();
    assert!(told.starts_with("answered; 1000 records within "), "{told}");
    let a_day: f64 = told.split("about ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!((500_000.0..900_000.0).contains(&a_day), "ten a second: {told}");
    assert_eq!(rig.stored().await.len(), 0, "nothing is taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_shows_the_filter_before_it_is_used_and_says_what_is_refused() {
    let rig = Rig::start(still()).await;
    let ids = || LogFilter::OfApplications(vec!["0oaA".to_owned()]);
    let told = probed(&rig, ids(), Some(r#"[{"ApplicationID":"0oaB"}]"#)).await.result.unwrap();
    let shown = filter::of_applications(["0oaA".to_owned(), "0oaB".to_owned()]).unwrap();
    assert_eq!(told, format!("answered; asks for {shown}"));
    let none = probed(&rig, LogFilter::OfApplications(Vec::new()), None).await;
    assert!(none.result.unwrap_err().starts_with("no application") && none.hint.is_some());
    let bad = probed(&rig, LogFilter::Said("eventType is".to_owned()), None).await;
    assert!(bad.result.unwrap_err().contains("Invalid filter at 10."));
    rig.fault("403@okta=1");
    let refused = probed(&rig, ids(), None).await;
    assert!(refused.result.unwrap_err().contains("E0000006"));
    assert!(refused.hint.unwrap().contains("a role that may read the System Log"));
    rig.fault("429@okta=1");
    assert!(probed(&rig, LogFilter::Everything, None).await.result.unwrap_err().contains("429"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_are_too_large_come_as_smaller_ones() {
    let rig = Rig::start(still()).await;
    let usual = crate::rig::limits();
    // Some forty of the story's records.
    let page = idtriage::tenant::http::Allowance { body: 60_000, ..usual.page };
    let clock = rig.lab.clock();
    let config = crate::rig::config(&rig.lab.addresses().okta_org_url, rig.lab.secrets().okta_token.clone());
    let tenants = crate::rig::tenants_of(
        config,
        idtriage::tenant::http::Clock::new(move || clock.now()),
        idtriage::tenant::http::Limits { page, ..usual },
    );
    let clock = std::sync::Arc::new(crate::rig::Restless(rig.lab.clock()));
    let log = tenants.system_log().unwrap();
    let poll = crate::rig::poller(log, rig.store.clone(), clock, settings(LogFilter::Everything, WEEK));
    let running = Running::start(poll);
    running.is("the story's records", |health| health.accepted >= 400).await;
    let health = running.stop().await;
    assert_eq!(health.notes.len(), 1, "nothing was read before: {:?}", health.notes);
    assert_eq!(rig.stored().await.len(), 400);
    let limit = rig.cursor().await["limit"].as_u64().unwrap();
    assert!((1..1_000).contains(&limit), "{limit}");
}
