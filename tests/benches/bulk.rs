//! One flow on 10,000 users, in real time, stopped and taken up again three times: numbers, no verdict.
//!
//! `cargo bench --bench bulk` runs the program against a lab whose flow answers ten calls a second, as Workflows
//! does: first as a command, then as a console on a pseudo-terminal, where keys are pressed all the time. It prints
//! how much of that rate was used while the run was driven, how often each user was acted on, and how long a key took
//! until the screen showed what it did, while the run went on and while it waited. It takes about twenty minutes;
//! `IDTRIAGE_BULK_USERS` says another number of users.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot go on has nothing to print")]

#[path = "bulk/console.rs"]
mod console;
#[path = "bulk/keys.rs"]
mod keys;
#[path = "../support/mod.rs"]
mod support;
#[path = "bulk/tally.rs"]
mod tally;

use console::Console;
use idtriage::lab::{Lab, LabOptions};
use jiff::Timestamp;
use nix::sys::signal::Signal;
use std::thread;
use std::time::Duration;
use support::place::Place;
use support::process::Process;
use tally::Tally;

/// Calls of one flow that Workflows answers within a second.
const ALLOWED: f64 = 10.0;
/// More times than these are not gone on with a run that waits by itself.
const MOST_STINTS: usize = 9;

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
    let mut tally = Tally::default();

    let file = place.path("users").display().to_string();
    let process = place.start(&["run", "close-early", "--users-from", &file, "--yes"]);
    by_command(process, &lab, &mut tally, users / 4);
    tally.stint("stint 1, as a command");

    let mut console = Console::start(&place);
    for stint in 2..=MOST_STINTS {
        console.press_while_it_waits();
        console.drive(&lab, &mut tally, if stint < 4 { users * stint / 4 } else { usize::MAX });
        tally.stint(&format!("stint {stint}, in a console"));
        if console.is_done() {
            break;
        }
    }
    let twice = tally.users.values().filter(|count| **count > 1).count();
    println!("users acted on            {} of {users}, {twice} of them twice", tally.users.len());
    println!("answered 429              {}", tally.refused);
    println!("of the allowed rate used  {:.1} %", tally.rate() / ALLOWED * 100.0);
    console.running.print("key to screen, running    ");
    console.paused.print("key to screen, waiting    ");
    let [running, paused] = [&console.running, &console.paused].map(|keys| keys.told());
    let [median, p99, worst] = [0, 1, 2].map(|at| running[at] / paused[at]);
    println!("running against waiting   median {median:.2}, p99 {p99:.2}, worst {worst:.2}");
    drop(console);
    let shown = place.run_json(&["bulk", "list"]).expect(0).json_lines().remove(0);
    println!("the run                   {}, {}", shown["state"], shown["ended"]);
}

/// Until so many users were acted on: then it is told to stop.
fn by_command(mut process: Process, lab: &Lab, tally: &mut Tally, until: usize) {
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
