//! SIGKILL between pages and within them: a process that is cut and started again loses nothing and repeats nothing.

use crate::faults::ONCE;
use crate::rig::{Running, WEEK, config, limits, open, poller, settings, stored, tenants_of, until};
use idtriage::config::meant::LogFilter;
use idtriage::lab::{Lab, LabOptions, LogEvent};
use idtriage::source::{Clock, SystemClock};
use idtriage::store::files::throw_away_folder;
use idtriage::tenant::http;
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use secrecy::ExposeSecret as _;
use std::collections::HashSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

const RECORDS: usize = 20_000;
const PAGE: usize = 200;
const KILLS: usize = 6;
/// What a child is told by.
const STORE: &str = "IDTRIAGE_TEST_LOG_STORE";
const ORG: &str = "IDTRIAGE_TEST_LOG_ORG";
const TOKEN: &str = "IDTRIAGE_TEST_LOG_TOKEN";

/// The machine's clock, and rests that are moments.
#[derive(Debug)]
struct Quick;

impl Clock for Quick {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn until(&self, _: Timestamp) -> Duration {
        Duration::from_millis(2)
    }
}

fn start(store: &Path, org: &str, token: &str) -> Running {
    let tenants = tenants_of(config(org, token.into()), http::Clock::system(), limits());
    let log = tenants.system_log().unwrap();
    let poll = poller(log, open(store), Arc::new(Quick), settings(LogFilter::Everything, WEEK));
    Running::start(poll.in_pages_of(PAGE))
}

/// What the other test runs as a process of its own, and cuts; by itself it is nothing.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process that another test starts"]
async fn a_process_that_polls() {
    let said = |name: &str| std::env::var(name).ok();
    let (Some(store), Some(org), Some(token)) = (said(STORE), said(ORG), said(TOKEN)) else { return };
    let _running = start(Path::new(&store), &org, &token);
    std::future::pending().await
}

fn process(folder: &Path, lab: &Lab) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["kill::a_process_that_polls", "--exact", "--ignored"]);
    command.env(STORE, folder).env(ORG, &lab.addresses().okta_org_url);
    command.env(TOKEN, lab.secrets().okta_token.expose_secret());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[rstest]
#[case::alone(&[])]
#[case::and_okta_fails_too(&ONCE)]
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_cut_again_and_again_reads_each_record_once(#[case] faults: &[&str]) {
    let lab = Lab::start(LabOptions {
        seed: 7,
        users: 60,
        log_calls: 1_000_000,
        ..LabOptions::at(Timestamp::now())
    });
    let lab = lab.await.unwrap();
    let began = lab.clock().now();
    let record = |n: usize| LogEvent::sign_in(began - SignedDuration::from_millis((RECORDS - n) as i64));
    lab.log_driver().persist((0..RECORDS).map(record));
    let folder = throw_away_folder("system-log-").unwrap();
    let asked = || lab.recorder().count("GET", "/api/v1/logs");
    for round in 0..KILLS {
        let mut child = process(folder.path(), &lab);
        for step in 0..fastrand::usize(2..14) {
            if let Some(fault) = faults.get((round * 5 + step) % faults.len().max(1)) {
                lab.faults().set(fault.parse().unwrap());
            }
            let enough = asked() + 1;
            until(&format!("requests in round {round}"), || asked() >= enough).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    lab.faults().clear_all();
    let cut_at = asked();
    let store = open(folder.path());
    let before = stored(store.as_ref()).await.len();
    assert!(before > 0 && before < RECORDS, "cut in the middle: {before} after {cut_at} requests");
    store.close().await.unwrap();
    let running =
        start(folder.path(), &lab.addresses().okta_org_url, lab.secrets().okta_token.expose_secret());
    let (mut last, mut quiet) = (u64::MAX, 0);
    until("everything to be read", || {
        let (accepted, requests) = (running.health().accepted, asked());
        if accepted != last {
            (last, quiet) = (accepted, requests);
        }
        requests > quiet + 3
    })
    .await;
    let health = running.stop().await;
    let persisted: HashSet<String> = lab.log_driver().records().into_iter().map(|(uuid, _)| uuid).collect();
    let stored = stored(open(folder.path()).as_ref()).await;
    let once: HashSet<String> = stored.iter().cloned().collect();
    assert_eq!((stored.len(), once.len()), (persisted.len(), persisted.len()));
    assert_eq!(once, persisted);
    assert_eq!(health.notes.len(), 1, "no place was lost: {:?}", health.notes);
    if !faults.is_empty() {
        return;
    }
    // What was committed is not asked for again: a page a cut, and the one it began with.
    let pages = lab.recorder().requests().iter().filter(|asked| asked.query.contains("since=")).count();
    assert_eq!(pages, 1, "one reading through all processes");
}
