//! Everything that goes wrong, together.

use crate::rig::{Rig, WEEK, still, until};
use idtriage::lab::{FaultKind, LabOptions, LogEvent};
use jiff::SignedDuration;
use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

const RECORDS: usize = 100_000;
/// What is persisted at once.
const CHUNK: usize = 1_000;
const SEED: &str = "IDTRIAGE_LOG_SEED";

/// What spoils one request, and comes again and again.
pub(crate) const ONCE: &[&str] = &[
    "429@okta=1",
    "429-concurrency@okta=1",
    "500@okta=1",
    "502@okta=1",
    "503@okta=1",
    "drop@okta=1",
    "reply-lost@okta=1",
    "truncated@okta=1",
    "cut-body@okta=1",
    "empty-pages=1",
    "repeated-records=1",
    "missing-next=1",
    "foreign-next=1",
];

/// Where a cursor ages out, in chunks.
const AGED: [usize; 3] = [20, 50, 90];

fn seeded() -> fastrand::Rng {
    let said = std::env::var(SEED).ok().map(|seed| seed.parse().unwrap());
    let seed = said.unwrap_or_else(|| fastrand::u64(..));
    println!("{SEED}={seed} has the same faults at the same numbers of requests");
    fastrand::Rng::with_seed(seed)
}

/// A second of records, some of which happened up to nine minutes before.
fn chunk(rig: &Rig, rng: &mut fastrand::Rng) -> Vec<LogEvent> {
    let now = rig.lab.clock().now();
    let late = |rng: &mut fastrand::Rng| if rng.u8(..10) == 0 { rng.i64(0..540_000) } else { 0 };
    let record = |n: usize| {
        let ago = (CHUNK - n) as i64 + late(rng);
        LogEvent::sign_in(now - SignedDuration::from_millis(ago))
    };
    (0..CHUNK).map(record).collect()
}

fn links(rig: &Rig, rng: &mut fastrand::Rng) {
    for kind in [FaultKind::LinksJoined, FaultKind::LinksSelfFirst] {
        match rng.bool() {
            true => rig.lab.faults().set(idtriage::lab::Fault::lasting(kind)),
            false => rig.lab.faults().clear(kind),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_records_are_there_once_whatever_goes_wrong() {
    let rig = Rig::start(LabOptions { ..still() }).await;
    let (mut rng, driver) = (seeded(), rig.lab.log_driver());
    let running = rig.poll(1_000);
    let mut faults = 0;
    for n in 0..RECORDS / CHUNK {
        rig.passes(30);
        driver.persist(chunk(&rig, &mut rng));
        links(&rig, &mut rng);
        rig.fault(ONCE[n % ONCE.len()]);
        faults += 1;
        if AGED.contains(&n) {
            rig.fault("expired-cursor=1");
        }
        let enough = rig.asked().len() + rng.usize(1..4);
        until("more requests", || rig.asked().len() >= enough).await;
    }
    rig.lab.faults().clear_all();
    rig.is_read(&running).await;
    let health = running.stop().await;

    let oldest = rig.lab.clock().now() - SignedDuration::try_from(WEEK + Duration::from_secs(3_600)).unwrap();
    let persisted = driver.records();
    assert!(persisted.len() >= RECORDS && persisted.iter().all(|(_, published)| *published > oldest));
    let persisted: HashSet<String> = persisted.into_iter().map(|(uuid, _)| uuid).collect();
    let stored = rig.stored().await;
    let once: HashSet<String> = stored.iter().cloned().collect();
    assert_eq!(persisted.difference(&once).count(), 0, "lost");
    assert_eq!(stored.len(), once.len(), "there twice");
    assert_eq!(once.len(), persisted.len(), "more than there is");

    let gaps = health.notes.iter().filter(|note| note.text.starts_with("possible gap between")).count();
    assert_eq!(gaps, AGED.len(), "{:?}", health.notes);
    let statuses: BTreeSet<u16> = rig.asked().into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, BTreeSet::from([0, 200, 400, 429, 500, 502, 503]), "after {faults} faults");
    println!(
        "{} requests, {} records taken, {} of them again",
        rig.asked().len(),
        health.accepted,
        health.accepted as usize - stored.len()
    );
}
