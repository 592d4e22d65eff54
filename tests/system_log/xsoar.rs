//! The case that the XSOAR integration loses half of (contracts/xsoar-okta-iam.md, sections 3 and 4): one record a second
//! for ten minutes, and a run each minute.

use crate::rig::{Rig, still};
use idtriage::config::meant::LogFilter;
use idtriage::lab::{Callers, LabOptions, LogEvent};
use jiff::Timestamp;
use reqwest::header::HeaderMap;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use std::collections::{HashSet, VecDeque};
use std::time::Duration;

const SECONDS: usize = 600;
const MAX_FETCH: usize = 50;

/// `fetch_incidents` of the integration, step by step.
struct Xsoar {
    http: reqwest::Client,
    org: String,
    authorization: String,
    /// `last_run`.
    queue: VecDeque<Value>,
    last_run_time: Option<String>,
}

impl Xsoar {
    fn new(rig: &Rig) -> Xsoar {
        Xsoar {
            http: reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap(),
            org: rig.lab.addresses().okta_org_url.clone(),
            authorization: format!("SSWS {}", rig.lab.secrets().okta_token.expose_secret()),
            queue: VecDeque::new(),
            last_run_time: None,
        }
    }

    /// One run: what it delivers.
    async fn run(&mut self, now: Timestamp) -> Vec<Value> {
        // Step 1: now, in whole seconds and called UTC.
        let now = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        // Step 2: with something in the queue there is no call. `first_fetch` is "0 minutes".
        if self.queue.is_empty() {
            let since = self.last_run_time.clone().unwrap_or_else(|| now.clone());
            self.queue = self.fetch(&since, &now).await.into();
        }
        // Step 4: the first ones are delivered, the others wait, and the time moves in any case.
        let delivered = self.queue.drain(..MAX_FETCH.min(self.queue.len())).collect();
        self.last_run_time = Some(now);
        delivered
    }

    async fn fetch(&self, since: &str, until: &str) -> Vec<Value> {
        let mut url = format!("{}/api/v1/logs?since={since}&until={until}", self.org);
        let mut events = Vec::new();
        loop {
            let request = self.http.get(&url).header("authorization", &self.authorization);
            let response = request.send().await.unwrap();
            let next = next(response.headers());
            let page: Vec<Value> = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
            let is_empty = page.is_empty();
            events.extend(page);
            match next.filter(|_| !is_empty) {
                Some(next) => url = next,
                None => return events,
            }
        }
    }
}

fn next(headers: &HeaderMap) -> Option<String> {
    let links = headers.get_all("link").iter().filter_map(|link| link.to_str().ok());
    let next = links.filter_map(|link| link.strip_suffix(">; rel=\"next\"")?.strip_prefix('<')).next();
    next.map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_six_hundred_records_xsoar_delivers_three_hundred_and_we_store_all() {
    let rig = Rig::start(LabOptions { callers: Callers::Anybody, ..still() }).await;
    let driver = rig.lab.log_driver();
    let ours = || rig.poller(LogFilter::Everything, Duration::from_secs(60), 1_000);
    let mut xsoar = Xsoar::new(&rig);
    let mut delivered = HashSet::new();
    let mut persisted = Vec::new();
    // Both have looked once before the first record.
    xsoar.run(rig.lab.clock().now()).await;
    rig.catch_up(ours()).await;
    let before = rig.stored().await.len();
    for second in 1..=SECONDS {
        // In the middle of each second, so that no edge of a window decides.
        rig.lab.clock().advance(Duration::from_millis(500));
        persisted.extend(driver.persist([LogEvent::sign_in(rig.lab.clock().now())]));
        rig.lab.clock().advance(Duration::from_millis(500));
        if second % 60 == 0 {
            let run = xsoar.run(rig.lab.clock().now()).await;
            delivered.extend(run.iter().map(|event| event["uuid"].as_str().unwrap().to_owned()));
            rig.catch_up(ours()).await;
        }
    }
    assert_eq!(persisted.len(), SECONDS);
    assert_eq!(delivered.len(), SECONDS / 2, "what XSOAR delivers");
    let stored = rig.stored().await;
    let once: HashSet<&String> = stored.iter().collect();
    assert!(persisted.iter().all(|uuid| once.contains(uuid)));
    assert_eq!((stored.len() - before, once.len()), (SECONDS, stored.len()), "what we store");
}
