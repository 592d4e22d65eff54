//! SIGKILL at any moment: what was acknowledged is there, once; what was sent is never sent again.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use idtriage::domain::{Action, Evidence, Outcome};
use idtriage::store::{ActionFilter, Lease};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use support::payload::failed_check;
use support::place::{HOOK_SECRET, Place};
use support::poster::Poster;
use support::tenant::Tenant;
use support::wait;

const KILLS: usize = 20;
const SEED: &str = "IDTRIAGE_KILL_SEED";
const SENDERS: usize = 8;
const LOGINS: usize = 25;
/// Of one event: many slices of the expansion.
const USERS: usize = 12_000;

/// What the senders were answered 2xx for: id and login.
#[derive(Debug, Default)]
struct Acknowledged(Mutex<Vec<(String, String)>>);

impl Acknowledged {
    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    fn note(&self, id: String, login: String) {
        self.0.lock().unwrap().push((id, login));
    }
}

/// Posts distinct events, each until it is acknowledged, on one connection as long as that lasts.
fn send(place: &Place, sender: usize, acknowledged: &Acknowledged, is_over: &AtomicBool) {
    let mut connection = None;
    for n in 0.. {
        let (id, login) = (format!("e-{sender}-{n}"), format!("user-{}@example.com", n % LOGINS));
        let message = failed_check(&id, &login).to_string();
        while post(place, &mut connection, &message) != Some(200) {
            if is_over.load(Ordering::Relaxed) {
                return;
            }
        }
        acknowledged.note(id, login);
    }
}

/// The status, or `None` and no connection any more.
fn post(place: &Place, connection: &mut Option<Poster>, message: &str) -> Option<u16> {
    if connection.is_none() {
        *connection = Poster::connect(place.listen(), HOOK_SECRET).ok();
    }
    if connection.is_none() {
        // Nobody receives: the processor belongs to whoever is starting.
        wait::pause();
    }
    let status = connection.as_mut()?.post(message).ok();
    if status.is_none() {
        *connection = None;
    }
    status
}

/// When to cut. A failed test says its seed; the machine's own timing cannot be repeated.
fn moments() -> fastrand::Rng {
    let said = std::env::var(SEED).ok().map(|seed| seed.parse().unwrap());
    let seed = said.unwrap_or_else(|| fastrand::u64(..));
    println!("{SEED}={seed} cuts at the same numbers of acknowledgements");
    fastrand::Rng::with_seed(seed)
}

/// Cuts one `collect` after the other, each once it has acknowledged some more, and leaves a note in the
/// journal each time.
fn cut_again_and_again(place: &Place, acknowledged: &Acknowledged, is_over: &AtomicBool) {
    let mut moments = moments();
    for round in 0..KILLS {
        let mut collect = place.collect();
        let enough = acknowledged.len() + moments.usize(1..150);
        wait::until(format!("acknowledgements in round {round}"), || acknowledged.len() >= enough);
        collect.cut();
        let note = format!("after cut {round}");
        place.run(&["findings", "note", "1", &note]).expect(0);
    }
    is_over.store(true, Ordering::Relaxed);
}

#[test]
fn every_acknowledged_event_is_there_once_after_twenty_kills() {
    let place = Place::with_source();
    let (acknowledged, is_over) = (Acknowledged::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        for sender in 0..SENDERS {
            let (place, acknowledged, is_over) = (&place, &acknowledged, &is_over);
            scope.spawn(move || send(place, sender, acknowledged, is_over));
        }
        cut_again_and_again(&place, &acknowledged, &is_over);
    });
    let events = place.all("events");
    let mut times: HashMap<&str, usize> = HashMap::new();
    for event in &events {
        *times.entry(event["source_event_id"].as_str().unwrap()).or_default() += 1;
    }
    let acknowledged = acknowledged.0.into_inner().unwrap();
    assert!(acknowledged.iter().all(|(id, _)| times.get(id.as_str()) == Some(&1)));
    // A sender may have been cut off just before its last answer: that event may be there or not.
    assert!(events.len() == times.len() && events.len() <= acknowledged.len() + SENDERS);
    findings_are_counted_once(&place, &events);
    let verified = place.run_json(&["journal", "verify"]).expect(0).json_lines();
    assert_eq!(verified[0]["holds"], true);
    assert!(verified[0]["head"].as_str().unwrap().starts_with(&format!("{KILLS}:")));
}

/// One finding a login, and each event counted once in it, however often it was sent.
fn findings_are_counted_once(place: &Place, events: &[serde_json::Value]) {
    let mut of_login: HashMap<&str, u64> = HashMap::new();
    for event in events {
        *of_login.entry(event["users"][0].as_str().unwrap()).or_default() += 1;
    }
    let findings = place.all("findings");
    assert_eq!(findings.len(), of_login.len());
    for finding in &findings {
        assert_eq!(finding["times"], of_login[finding["login"].as_str().unwrap()], "{finding}");
    }
}

#[test]
fn a_large_event_is_expanded_to_its_end_although_the_receiver_is_cut() {
    let place = Place::with_source();
    let mut message = failed_check("large", "nobody");
    let users: Vec<String> = (0..USERS).map(|n| format!("user-{n}@example.com")).collect();
    message["detail"]["usersFailing"] = serde_json::json!(users);
    let mut collect = place.collect();
    let mut sender = Poster::connect(place.listen(), HOOK_SECRET).unwrap();
    assert_eq!(sender.post(&message.to_string()).unwrap(), 200);
    collect.cut();
    let findings = place.all("findings");
    let logins: HashSet<&str> = findings.iter().map(|finding| finding["login"].as_str().unwrap()).collect();
    assert_eq!((findings.len(), logins.len()), (USERS, USERS));
    assert!(findings.iter().all(|finding| finding["times"] == 1));
}

/// The runs of a store, read beside whatever process has the store open.
fn runs(tenant: &Tenant, place: &Place) -> Vec<Action> {
    tenant.wait(async {
        let store = place.store();
        let page = store.actions(&ActionFilter::default(), None, 10).await.unwrap();
        store.close().await.unwrap();
        page.rows
    })
}

/// Runs the flow that takes twenty seconds, and cuts the run once `is_there` says so.
fn cut_run(tenant: &Tenant, place: &Place, login: &str, is_there: impl Fn(&Action) -> bool) -> Action {
    let mut running = place.start(&["run", "slow-flow", "--user", login, "--yes"]);
    let seen = || runs(tenant, place).first().map(&is_there).filter(|is_there| *is_there);
    wait::answer_or("a run to be cut", || running.errors(), seen);
    running.cut();
    runs(tenant, place).remove(0)
}

#[rstest]
#[case::at_its_intent(|_: &Tenant| true, 0..=1)]
#[case::while_the_flow_works(|tenant: &Tenant| tenant.lab.recorder().writes().len() == 1, 1..=1)]
fn a_run_that_is_cut_becomes_unknown_with_its_lease_and_is_never_sent_again(
    #[case] is_far_enough: impl Fn(&Tenant) -> bool,
    #[case] sent: RangeInclusive<usize>,
) {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    let login = tenant.login(3);
    place.run(&["events", "list"]).expect(0);
    let cut = cut_run(&tenant, &place, &login, |action| {
        assert_eq!(action.outcome, Outcome::Pending);
        is_far_enough(&tenant)
    });
    assert_eq!(cut.outcome, Outcome::Pending);
    assert!(cut.evidence <= Evidence::Sent && cut.receipt.is_none());
    hold(&tenant, &place, &cut, SignedDuration::from_hours(1));
    let open = place.run(&["run", "slow-flow", "--user", &login, "--yes"]).expect(1);
    assert!(open.errors.contains("still pending"), "{}", open.errors);
    expires_only_with_its_lease(&tenant, &place, &cut);
    let unknown = place.run(&["run", "slow-flow", "--user", &login, "--yes"]).expect(1);
    assert!(unknown.errors.contains("unknown") && unknown.errors.contains("--again"), "{}", unknown.errors);
    let writes = tenant.lab.recorder().writes();
    assert!(sent.contains(&writes.len()), "{writes:?}");
    place.run(&["journal", "verify"]).expect(0);
}

/// While the lease holds, and in a read-only command, the run stays pending; after it any command sees
/// that nobody can know any more.
fn expires_only_with_its_lease(tenant: &Tenant, place: &Place, cut: &Action) {
    hold(tenant, place, cut, SignedDuration::from_hours(1));
    place.run(&["events", "list"]).expect(0);
    hold(tenant, place, cut, SignedDuration::from_hours(-1));
    place.run(&["--read-only", "events", "list"]).expect(0);
    assert_eq!(runs(tenant, place)[0].outcome, Outcome::Pending);
    place.run(&["events", "list"]).expect(0);
    assert_eq!(runs(tenant, place)[0].outcome, Outcome::Unknown);
}

/// Lets the lease of a run end so long from now.
fn hold(tenant: &Tenant, place: &Place, run: &Action, rest: SignedDuration) {
    tenant.wait(async {
        let store = place.store();
        let lease = Lease { owner: "gone".to_owned(), until: Timestamp::now() + rest };
        store.renew(run.id, &lease).await.unwrap();
        store.close().await.unwrap();
    });
}
