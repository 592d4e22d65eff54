//! How 1,000 reads keep to Okta's rate limits, at the published figures and in real time: numbers, no verdict.
//!
//! `cargo bench --bench okta_pace` reads users of a lab whose bucket is that of one token in a One App org (half of
//! 1,000 a minute), and prints how many requests came between a 429 and its reset, and how much of the allowed rate
//! was used.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has nothing to print")]

#[path = "../support/config.rs"]
mod config;

use futures_util::future::join_all;
use idtriage::config::Config;
use idtriage::config::meant::Okta;
use idtriage::lab::{Lab, LabOptions};
use idtriage::tenant::http::{Allowance, Clock, Limits};
use idtriage::tenant::{Directory, Tenants};
use std::time::{Duration, Instant};

const READS: usize = 1_000;
/// What one token gets within a minute.
const RATE: u32 = 500;

#[tokio::main]
async fn main() {
    let options = LabOptions { user_reads: RATE, ..LabOptions::at(jiff::Timestamp::now()) };
    let lab = Lab::start(options).await.unwrap();
    let okta = Okta {
        org_url: lab.addresses().okta_org_url.parse().unwrap(),
        api_token: Some(lab.secrets().okta_token.clone()),
        service_app: None,
    };
    let usual = Limits::default();
    let limits = Limits { read: Allowance { held: Duration::from_secs(600), ..usual.read }, ..usual };
    let tenants =
        Tenants::with_limits(&Config { okta: Some(okta), ..config::nothing() }, Clock::system(), limits)
            .unwrap();
    let (logins, began) = (lab.user_logins(), Instant::now());
    let parts = join_all((0..READS).map(|n| tenants.okta_user(&logins[n % logins.len()]))).await;
    let (took, read) = (began.elapsed(), parts.iter().filter(|part| part.data.is_some()).count());
    let windows: Vec<_> = lab.rate_windows().into_iter().filter(|window| window.bucket == "user").collect();
    let refused: u32 = windows.iter().map(|window| window.refused).sum();
    let between: u32 = windows.iter().map(|window| window.refused.saturating_sub(1)).sum();
    let served: u32 = windows.iter().map(|window| window.served).sum();
    let allowed: u32 = windows.iter().map(|window| window.limit).sum();
    println!(
        "reads                       {read} of {READS} in {:.1} s, {} windows",
        took.as_secs_f64(),
        windows.len()
    );
    println!("answered 429                {refused}");
    println!("between a 429 and its reset {between}");
    println!("of the allowed rate used    {:.1} %", f64::from(served) * 100.0 / f64::from(allowed));
}
