//! How the client keeps to Okta's rate limits, against the lab's.
#![expect(clippy::unwrap_used, reason = "clippy knows test functions, not what they share")]

#[path = "support/config.rs"]
mod config;

use futures_util::future::join_all;
use idtriage::config::Config;
use idtriage::config::meant::Okta;
use idtriage::lab::{Lab, LabOptions, RateWindow};
use idtriage::tenant::http::{Allowance, Clock, Limits};
use idtriage::tenant::{Directory, Tenants};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// Reads that are answered within a minute.
const RATE: u32 = 50;

struct Rig {
    lab: Lab,
    tenants: Tenants,
}

impl Rig {
    /// A lab at another speed, and a client whose clock knows it.
    async fn start(speed: f64) -> Rig {
        let options = LabOptions {
            users: 60,
            user_reads: RATE,
            speed,
            ..LabOptions::at("2026-05-01T12:00:00Z".parse().unwrap())
        };
        let lab = Lab::start(options).await.unwrap();
        let okta = Okta {
            org_url: lab.addresses().okta_org_url.parse().unwrap(),
            api_token: Some(lab.secrets().okta_token.clone()),
            service_app: None,
        };
        let (usual, time) = (Limits::default(), lab.clock());
        let limits = Limits { read: Allowance { held: Duration::from_secs(300), ..usual.read }, ..usual };
        let clock = Clock::new(move || time.now()).going(move |real| real.mul_f64(speed));
        let config = Config { okta: Some(okta), ..config::nothing() };
        let tenants = Tenants::with_limits(&config, clock, limits).unwrap();
        Rig { lab, tenants }
    }

    /// All at once.
    async fn read_users(&self, count: usize) {
        let logins = self.lab.user_logins();
        let reads = (0..count).map(|n| self.tenants.okta_user(&logins[n % 20]));
        for part in join_all(reads).await {
            assert!(part.data.is_some(), "{:?}", part.problems);
        }
    }

    fn windows(&self) -> Vec<RateWindow> {
        self.lab.rate_windows().into_iter().filter(|window| window.bucket == "user").collect()
    }
}

#[tokio::test]
async fn a_used_up_window_is_waited_for_and_nothing_is_refused() {
    let rig = Rig::start(15.0).await;
    rig.read_users(200).await;
    let windows = rig.windows();
    assert!(windows.iter().all(|window| window.refused == 0), "{windows:?}");
    let (_, full) = windows.split_last().unwrap();
    let served: u32 = full.iter().map(|window| window.served).sum();
    let allowed: u32 = full.iter().map(|window| window.limit).sum();
    assert!(served * 100 >= allowed * 95, "{windows:?}");
}

#[tokio::test]
async fn nothing_that_waits_leaves_between_a_429_and_its_reset() {
    let rig = Rig::start(1.0).await;
    rig.lab.faults().set("429@okta=1".parse().unwrap());
    // As many as fit into a window, so that nothing but the 429 holds them back.
    rig.read_users(40).await;
    let asked = rig.lab.recorder().requests();
    let refused: Timestamp = asked.iter().find(|request| request.status == 429).unwrap().at;
    // The lab's reset is two seconds ahead.
    let until = refused + SignedDuration::from_secs(1);
    let between = asked.iter().filter(|request| request.at > refused && request.at < until).count();
    assert!(between < 10, "{between} of 40: more than had left already");
    assert_eq!(asked.len(), 41);
}
