//! Many senders at once, with a console open on the same store and other processes that write to it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use support::payload::failed_check;
use support::place::{HOOK_SECRET, Place};
use support::poster::Poster;
use support::screen::Screen;
use support::wait;

const EVENTS: usize = 10_000;
const SENDERS: usize = 64;
const LOGINS: usize = 500;
const ESC: &str = "\u{1b}";

/// Posts the next event until there is none left; what is answered 503 is posted again, as CII would.
fn send(place: &Place, next: &AtomicUsize, acknowledged: &AtomicUsize) {
    let mut poster = Poster::connect(place.listen(), HOOK_SECRET).unwrap();
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        if n >= EVENTS {
            return;
        }
        let message = failed_check(&format!("e-{n}"), &login(n)).to_string();
        wait::answer(format!("e-{n} to be taken"), || match poster.post(&message).unwrap() {
            200 => Some(()),
            status => (status != 503).then(|| panic!("answered {status}")),
        });
        acknowledged.fetch_add(1, Ordering::Relaxed);
    }
}

fn login(n: usize) -> String {
    format!("user-{}@example.com", n % LOGINS)
}

/// Opens and closes the help for as long as the load lasts; each time has to have its effect.
fn keys_have_their_effect(screen: &mut Screen, is_over: &AtomicBool) -> usize {
    let mut times = 0;
    while !is_over.load(Ordering::Relaxed) {
        screen.press("?");
        screen.shows("esc closes");
        screen.press(ESC);
        screen.shows_no("esc closes");
        times += 1;
    }
    times
}

/// Claims one finding after the other from processes of its own, for as long as the load lasts; all of
/// them write to the file that is written to all the time.
fn others_claim(place: &Place, is_over: &AtomicBool) -> usize {
    let list = ["findings", "list", "--limit", "1"];
    wait::until("findings to claim", || !place.run_json(&list).expect(0).json_lines().is_empty());
    let mut claimed = 0;
    while claimed == 0 || (claimed < LOGINS && !is_over.load(Ordering::Relaxed)) {
        claimed += 1;
        place.run(&["findings", "claim", &claimed.to_string()]).expect(0);
    }
    claimed
}

#[test]
fn ten_thousand_events_by_sixty_four_senders_under_an_open_console() {
    let place = Place::with_source();
    let _collect = place.collect();
    let config = place.config().display().to_string();
    let mut screen = Screen::start(&place, &["--config", &config], 120, 40);
    screen.shows("receiver: collect");
    let (next, acknowledged, is_over) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let (times, claimed) = thread::scope(|scope| {
        let senders: Vec<_> =
            (0..SENDERS).map(|_| scope.spawn(|| send(&place, &next, &acknowledged))).collect();
        let keys = scope.spawn(|| keys_have_their_effect(&mut screen, &is_over));
        let others = scope.spawn(|| others_claim(&place, &is_over));
        let sent: Vec<_> = senders.into_iter().map(|sender| sender.join()).collect();
        is_over.store(true, Ordering::Relaxed);
        sent.into_iter().for_each(|sent| sent.unwrap());
        (keys.join().unwrap(), others.join().unwrap())
    });
    assert!(times > 0);
    assert_eq!(acknowledged.load(Ordering::Relaxed), EVENTS);
    let events = place.all("events");
    let ids: HashSet<&str> = events.iter().map(|event| event["source_event_id"].as_str().unwrap()).collect();
    assert_eq!((events.len(), ids.len()), (EVENTS, EVENTS));
    let findings = place.all("findings");
    assert_eq!(findings.len(), LOGINS);
    assert!(findings.iter().all(|finding| finding["times"] == EVENTS / LOGINS));
    assert_eq!(findings.iter().filter(|finding| finding["state"] == "claimed").count(), claimed);
    place.run(&["journal", "verify"]).expect(0);
    screen.shows(&format!("{LOGINS} open"));
}
