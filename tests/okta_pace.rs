//! How the client keeps to Okta's rate limits, against the lab's.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

#[path = "support/config.rs"]
mod config;
#[path = "okta_pace/exchanges.rs"]
mod exchanges;
#[path = "support/wait.rs"]
#[expect(dead_code, reason = "each test file uses its part of this")]
mod wait;

use futures_util::future::join_all;
use idtriage::config::Config;
use idtriage::config::meant::Okta;
use idtriage::domain::dossier::{OktaUser, Part};
use idtriage::lab::{Lab, LabOptions, RateWindow, Recorded};
use idtriage::tenant::http::{Clock, Limits};
use idtriage::tenant::{Directory, Tenants};
use jiff::Timestamp;
use std::time::Duration;

/// Reads of one user that are answered within a minute, and a lab whose minutes are short.
struct Rig {
    lab: Lab,
    speed: f64,
}

impl Rig {
    async fn start(rate: u32, speed: f64) -> Rig {
        let options = LabOptions {
            users: 60,
            user_reads: rate,
            speed,
            ..LabOptions::at("2026-05-01T12:00:00Z".parse().unwrap())
        };
        Rig { lab: Lab::start(options).await.unwrap(), speed }
    }

    /// A client whose clock knows how fast the lab's goes. Each is a process of its own, with the same token.
    fn client(&self, limits: Limits) -> Tenants {
        let okta = Okta {
            org_url: self.lab.addresses().okta_org_url.parse().unwrap(),
            api_token: Some(self.lab.secrets().okta_token.clone()),
            service_app: None,
        };
        let (time, speed) = (self.lab.clock(), self.speed);
        let clock = Clock::new(move || time.now()).going(move |real| real.mul_f64(speed));
        let config = Config { okta: Some(okta), ..config::nothing() };
        Tenants::with_limits(&config, clock, limits).unwrap()
    }

    /// All at once.
    async fn read_users(&self, client: &Tenants, count: usize) -> Vec<Part<OktaUser>> {
        let logins = self.lab.user_logins();
        join_all((0..count).map(|n| client.okta_user(&logins[n % 20]))).await
    }

    fn windows(&self) -> Vec<RateWindow> {
        self.lab.rate_windows().into_iter().filter(|window| window.bucket == "user").collect()
    }

    fn asked(&self) -> Vec<Recorded> {
        self.lab.recorder().requests()
    }
}

/// As many as are read, in a bucket that a window of four seconds fills five times.
#[tokio::test]
async fn a_thousand_reads_use_what_they_may_and_none_begins_between_a_429_and_its_reset() {
    let rig = Rig::start(200, 15.0).await;
    // What is told has no part in how long is waited: here it shows that the 429 has been heard of.
    let client = rig.client(Limits { told_from: Duration::ZERO, ..Limits::of_commands() });
    rig.lab.faults().set("429@okta=1".parse().unwrap());
    let (logins, mut held) = (rig.lab.user_logins(), client.held());
    let mut first = Box::pin(client.okta_user(&logins[0]));
    tokio::select! {
        part = &mut first => panic!("{part:?}"),
        told = held.changed() => told.unwrap(),
    }
    let (first, parts) = tokio::join!(first, rig.read_users(&client, 999));
    let unread = parts.iter().chain([&first]).find(|part| part.data.is_none());
    assert!(unread.is_none(), "{unread:?}");

    let asked = rig.asked();
    assert_eq!((asked.len(), asked[0].status), (1_001, 429));
    // The lab's reset is two seconds ahead, in whole seconds.
    let reset = Timestamp::from_second(asked[0].at.as_second() + 2).unwrap();
    assert_eq!(asked[1..].iter().filter(|request| request.at < reset).count(), 0, "begun before {reset}");
    assert!(asked[1..].iter().all(|request| request.status == 200), "no other is refused");

    let windows = rig.windows();
    let (_, full) = windows.split_last().unwrap();
    let served: u32 = full.iter().map(|window| window.served).sum();
    let allowed: u32 = full.iter().map(|window| window.limit).sum();
    assert!(full.len() >= 5 && served * 100 >= allowed * 95, "{windows:?}");
}

/// Another process with the same token has used up what this one takes to be left. Nobody can know that, so
/// what is on its way is refused: a handful of reads, and nothing that begins when the first has come back.
#[tokio::test]
async fn of_forty_reads_only_those_that_were_on_their_way_are_refused() {
    let rig = Rig::start(50, 1.0).await;
    let (client, another) = (rig.client(Limits::default()), rig.client(Limits::default()));
    assert!(rig.read_users(&client, 1).await[0].data.is_some());
    assert!(rig.read_users(&another, 49).await.iter().all(|part| part.data.is_some()));
    let parts = rig.read_users(&client, 40).await;
    assert!(parts.iter().all(|part| part.problems[0].line().contains("is throttling")), "{parts:?}");
    // Of five seats one is kept for a request that acts.
    let on_their_way = Limits::default().at_once - 1;
    assert_eq!(rig.asked().iter().filter(|request| request.status == 429).count(), on_their_way);
    assert_eq!(rig.asked().len(), 50 + on_their_way);
}

#[tokio::test]
async fn what_is_below_a_user_has_a_limit_of_its_own() {
    let rig = Rig::start(1, 1.0).await;
    let client = rig.client(Limits::default());
    let user = rig.read_users(&client, 1).await.swap_remove(0).data.unwrap();
    assert!(rig.read_users(&client, 1).await[0].data.is_none(), "no other read of one user");
    client.okta_org().unwrap().groups_of_user(user.id.raw()).await.unwrap();
}
