//! How 1,000 reads keep to Okta's rate limits, at published figures, in real time and with the waits of the command
//! line: numbers, no verdict.
//!
//! `cargo bench --bench okta_pace` reads users of a lab whose bucket is that of one token in a One App org (half of
//! 1,000 a minute). The first read is answered 429 before any other begins, and so is one in the middle, while others
//! are on their way. It prints how many requests came between each of these and its reset, and how much of the allowed
//! rate was used. It takes two minutes.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has nothing to print")]

#[path = "../support/config.rs"]
mod config;

use futures_util::{StreamExt as _, stream};
use idtriage::config::Config;
use idtriage::config::meant::Okta;
use idtriage::lab::{Lab, LabOptions, RateWindow, Recorded};
use idtriage::tenant::http::{Clock, Limits};
use idtriage::tenant::{Directory, Tenants};
use jiff::Timestamp;
use std::time::{Duration, Instant};

const READS: usize = 1_000;
/// What one token gets within a minute.
const RATE: u32 = 500;
/// The read before which the org is told to answer one with 429.
const THROTTLED: usize = 200;
/// Reads that wait for their turn at once, as those of a script do: each has the patience of one command.
const AT_ONCE: usize = 20;
/// Of five seats one is kept for what acts.
const ON_THEIR_WAY: &str = " (3 may have been on their way)";

#[tokio::main]
async fn main() {
    let options = LabOptions { user_reads: RATE, ..LabOptions::at(Timestamp::now()) };
    let lab = Lab::start(options).await.unwrap();
    let okta = Okta {
        org_url: lab.addresses().okta_org_url.parse().unwrap(),
        api_token: Some(lab.secrets().okta_token.clone()),
        service_app: None,
    };
    let config = Config { okta: Some(okta), ..config::nothing() };
    // What is told has no part in how long is waited: here it shows that the first 429 has been heard of.
    let limits = Limits { told_from: Duration::ZERO, ..Limits::of_commands() };
    let tenants = Tenants::with_limits(&config, Clock::system(), limits).unwrap();
    let (logins, began) = (lab.user_logins(), Instant::now());
    let read = |n: usize| {
        if n == THROTTLED {
            lab.faults().set("429@okta=1".parse().unwrap());
        }
        let (tenants, login) = (&tenants, &logins[n % logins.len()]);
        async move { tenants.okta_user(login).await.data.is_some() }
    };
    lab.faults().set("429@okta=1".parse().unwrap());
    let mut held = tenants.held();
    let mut first = Box::pin(read(0));
    tokio::select! {
        _ = &mut first => {}
        told = held.changed() => told.unwrap(),
    }
    let others = stream::iter(1..READS).map(read).buffer_unordered(AT_ONCE).collect();
    let (first, mut reads): (bool, Vec<bool>) = tokio::join!(first, others);
    reads.push(first);
    let (took, read) = (began.elapsed(), reads.iter().filter(|read| **read).count());
    let windows: Vec<_> = lab.rate_windows().into_iter().filter(|window| window.bucket == "user").collect();
    println!("reads                       {read} of {READS} in {:.1} s", took.as_secs_f64());
    told(&windows, &lab.recorder().requests());
}

fn told(windows: &[RateWindow], asked: &[Recorded]) {
    let refused: Vec<&Recorded> = asked.iter().filter(|request| request.status == 429).collect();
    println!("answered 429                {}", refused.len());
    for request in refused {
        // The lab's reset is two seconds ahead, in whole seconds.
        let reset = Timestamp::from_second(request.at.as_second() + 2).unwrap();
        let between = asked.iter().filter(|other| other.at > request.at && other.at < reset).count();
        println!("came between it and reset   {between}{}", if between > 0 { ON_THEIR_WAY } else { "" });
    }
    // The last one is open yet.
    let full = &windows[..windows.len() - 1];
    let served: u32 = full.iter().map(|window| window.served).sum();
    let allowed: u32 = full.iter().map(|window| window.limit).sum();
    println!("windows                     {} used to their end, one begun", full.len());
    println!("of the allowed rate used    {:.1} %", f64::from(served) * 100.0 / f64::from(allowed));
}
