//! One flow on 10,000 users, in real time, stopped and taken up again three times: numbers, no verdict.
//!
//! `cargo bench --bench bulk` runs the program against a lab whose flow answers ten calls a second, as Workflows
//! does, and prints how much of that was used while the run was driven, and how often each user was acted on. It
//! takes about twenty minutes; `IDTRIAGE_BULK_USERS` says another number of users.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot go on has nothing to print")]

#[path = "../support/mod.rs"]
mod support;

use idtriage::lab::{Lab, LabOptions};
use jiff::Timestamp;
use nix::sys::signal::Signal;
use std::collections::HashMap;
use std::thread;
use std::time::Duration;
use support::place::Place;
use support::process::Process;

/// Calls of one flow that Workflows answers within a second.
const ALLOWED: f64 = 10.0;

/// What the lab was asked to do, as it comes: its own record does not hold that much.
#[derive(Default)]
struct Tally {
    /// How often each user was acted on.
    users: HashMap<String, usize>,
    /// When the flow was called, since the run was taken up last.
    calls: Vec<Timestamp>,
    refused: usize,
}

impl Tally {
    fn take(&mut self, lab: &Lab) {
        let recorder = lab.recorder();
        let requests = recorder.requests();
        recorder.clear();
        for call in requests.into_iter().filter(|request| request.path.starts_with("/api/flo/")) {
            self.refused += usize::from(call.status == 429);
            self.calls.push(call.at);
            let body: serde_json::Value = serde_json::from_str(&call.body).unwrap_or_default();
            let user = body["entityDisplayName"].as_str().unwrap_or_default().to_owned();
            *self.users.entry(user).or_default() += usize::from(call.status != 429);
        }
    }

    /// Calls a second of the stint that is over.
    fn stint(&mut self) -> (usize, f64) {
        let calls = std::mem::take(&mut self.calls);
        let (Some(first), Some(last)) = (calls.first(), calls.last()) else { return (0, 0.0) };
        (calls.len().saturating_sub(1), last.duration_since(*first).as_secs_f64())
    }
}

fn main() {
    let users: usize = std::env::var("IDTRIAGE_BULK_USERS").map_or(10_000, |users| users.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    // Reads are not what is looked at.
    let options =
        LabOptions { seed: 7, users: users + 100, user_reads: 1_000_000, ..LabOptions::at(Timestamp::now()) };
    let lab = runtime.block_on(Lab::start(options)).unwrap();
    let place = Place::with_lab_and(&lab, &format!("\n[guard]\nbulk_limit = {users}\n"));
    // Administrators are asked for by their number, and some may be left out.
    let administrators = lab.administrators();
    let others = lab.user_logins().into_iter().filter(|login| !administrators.contains(login));
    place.write("users", &others.take(users).collect::<Vec<_>>().join("\n"));
    let file = place.path("users").display().to_string();
    let mut tally = Tally::default();
    let (mut calls, mut seconds) = (0, 0.0);
    for stint in 1..=4 {
        let words = match stint {
            1 => vec![
                "run".to_owned(),
                "close-early".into(),
                "--users-from".into(),
                file.clone(),
                "--yes".into(),
            ],
            _ => vec!["bulk".to_owned(), "resume".into(), id(&place), "--yes".into()],
        };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let process = place.start(&words);
        driven(process, &lab, &mut tally, if stint < 4 { users * stint / 4 } else { usize::MAX });
        let (made, took) = tally.stint();
        println!("stint {stint}: {made} calls in {took:.1} s, {:.2} a second", made as f64 / took);
        calls += made;
        seconds += took;
    }
    let twice = tally.users.values().filter(|count| **count > 1).count();
    println!("users acted on            {} of {users}, {twice} of them twice", tally.users.len());
    println!("answered 429              {}", tally.refused);
    println!("of the allowed rate used  {:.1} %", calls as f64 / seconds / ALLOWED * 100.0);
    let shown = place.run_json(&["bulk", "list"]).expect(0).json_lines().remove(0);
    println!("the run                   {}, {}", shown["state"], shown["ended"]);
}

/// Until it ends, or until so many users were acted on: then it is told to stop.
fn driven(mut process: Process, lab: &Lab, tally: &mut Tally, until: usize) {
    let mut is_told = false;
    while process.is_running() {
        tally.take(lab);
        if !is_told && tally.users.len() >= until {
            is_told = true;
            process.signal(Signal::SIGTERM);
        }
        thread::sleep(Duration::from_millis(200));
    }
    tally.take(lab);
}

fn id(place: &Place) -> String {
    let run = place.run_json(&["bulk", "list"]).expect(0).json_lines().remove(0);
    run["id"].as_str().unwrap().to_owned()
}
