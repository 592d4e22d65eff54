//! How quickly keys answer while webhooks pour in, and how many are acknowledged: numbers, no verdict.
//!
//! `cargo bench --bench load` starts `collect` and a console on one store, presses keys while nothing
//! arrives, then again while 64 connections post 10,000 events, and prints both beside each other: what
//! counts is their ratio within one run.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot go on has nothing to print")]

#[path = "../support/mod.rs"]
mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use support::payload::failed_check;
use support::place::{HOOK_SECRET, Place};
use support::poster::Poster;
use support::screen::Screen;

const EVENTS: usize = 10_000;
const SENDERS: usize = 64;
/// Keys pressed while nothing arrives.
const AT_REST: usize = 200;
/// A key that has no effect within this time is counted as taking it.
const PATIENCE: Duration = Duration::from_secs(5);

fn main() {
    let place = Place::with_source();
    let _collect = place.collect();
    let config = place.config().display().to_string();
    let mut screen = Screen::start(&place, &["--config", &config], 120, 40);
    screen.shows("receiver: collect");
    let at_rest = press_keys(&mut screen, |pressed| pressed < AT_REST);
    let (began, next, is_over) = (Instant::now(), AtomicUsize::new(0), AtomicBool::new(false));
    let (under_load, took) = thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS).map(|_| scope.spawn(|| send(&place, &next))).collect();
        let keys = scope.spawn(|| press_keys(&mut screen, |_| !is_over.load(Ordering::Relaxed)));
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        let took = began.elapsed();
        is_over.store(true, Ordering::Relaxed);
        (keys.join().unwrap(), took)
    });
    let rate = EVENTS as f64 / took.as_secs_f64();
    println!("acknowledged      {EVENTS} events by {SENDERS} connections, {rate:.0} a second");
    told("key at rest", &at_rest);
    told("key under load", &under_load);
    let ratio = at(&under_load, 50).as_secs_f64() / at(&at_rest, 50).as_secs_f64();
    println!("ratio of medians  {ratio:.1}");
}

fn send(place: &Place, next: &AtomicUsize) {
    let mut poster = Poster::connect(place.listen(), HOOK_SECRET).unwrap();
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        if n >= EVENTS {
            return;
        }
        let message = failed_check(&format!("e-{n}"), &format!("user-{}@example.com", n % 500)).to_string();
        // 503 asks for another try, as CII would make it.
        while poster.post(&message).unwrap() == 503 {}
    }
}

/// Opens and closes the help, and measures from the key to the screen that shows it.
fn press_keys(screen: &mut Screen, goes_on: impl Fn(usize) -> bool) -> Vec<Duration> {
    let mut times = Vec::new();
    while goes_on(times.len()) {
        times.push(timed(screen, "?", true));
        times.push(timed(screen, "\u{1b}", false));
    }
    times.sort_unstable();
    times
}

fn timed(screen: &mut Screen, key: &str, is_shown: bool) -> Duration {
    let began = Instant::now();
    screen.press(key);
    while screen.text().contains("esc closes") != is_shown && began.elapsed() < PATIENCE {
        thread::yield_now();
    }
    began.elapsed()
}

fn at(times: &[Duration], percent: usize) -> Duration {
    let last = times.len().saturating_sub(1);
    times.get(last * percent / 100).copied().unwrap_or_default()
}

fn told(what: &str, times: &[Duration]) {
    let millis = |percent| at(times, percent).as_secs_f64() * 1_000.0;
    println!(
        "{what:<17} median {:.1} ms, p99 {:.1} ms, worst {:.1} ms of {} keys",
        millis(50),
        millis(99),
        millis(100),
        times.len()
    );
}
