//! Six days of an ordinary tenant: a batch of posture checks every night, threats at any hour.
use super::envelope::{Failure, Ids, Shape, Tenant, failed_check, webhook_test};
use crate::lab::checks::{self, Check};
use crate::lab::population::{Person, Population, places};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

const DAYS: i64 = 6;
const EVENTS: usize = 400;
/// The set-up's test event lies this long before the first failure could.
const TESTED: SignedDuration = SignedDuration::from_hours(24 * DAYS + 2);

/// What happened when; the ids are those of the event.
pub(super) type Past = Vec<(Timestamp, Ids, Failure)>;

pub(super) fn past(rng: &mut Rng, population: &Population, now: Timestamp) -> Past {
    let mut past: Past = (0..EVENTS).filter_map(|_| moment(rng, population, now)).collect();
    past.sort_by_key(|(at, ..)| *at);
    past
}

fn moment(rng: &mut Rng, population: &Population, now: Timestamp) -> Option<(Timestamp, Ids, Failure)> {
    let check = any_check(rng)?;
    let age = match check.topic {
        "posture" => nightly(rng),
        _ => SignedDuration::from_millis(rng.i64(90_000..DAYS * 86_400_000)),
    };
    Some((now - age, Ids::new(rng), any_failure(rng, population, check)?))
}

/// Analysis runs once a day and takes some minutes.
fn nightly(rng: &mut Rng) -> SignedDuration {
    SignedDuration::from_hours(24 * rng.i64(0..DAYS) + 7) + SignedDuration::from_millis(rng.i64(0..1_500_000))
}

pub(super) fn any_check(rng: &mut Rng) -> Option<&'static Check> {
    rng.choice(checks::ordinary().collect::<Vec<_>>())
}

/// Some people failing a check on an ordinary day, in whichever form.
pub(super) fn any_failure(rng: &mut Rng, population: &Population, check: &'static Check) -> Option<Failure> {
    let mut failure = if check.topic == "posture" && rng.u8(..10) < 7 {
        let count = if rng.u8(..25) == 0 { rng.usize(15..40) } else { rng.usize(1..6) };
        Failure::of_many(check, logins(rng, population, count))
    } else {
        let person = rng.choice(&population.people)?;
        explained(rng, Failure::of_one(check, &person.login), person)
    };
    failure.shape = match rng.u8(..40) {
        0 => Shape::NoType,
        1 => Shape::EmptyType,
        2 => Shape::Novel,
        _ => Shape::Plain,
    };
    Some(failure)
}

fn logins(rng: &mut Rng, population: &Population, count: usize) -> Vec<String> {
    let mut logins: Vec<String> = (0..count)
        .filter_map(|_| rng.choice(&population.people))
        .map(|person| person.login.clone())
        .collect();
    logins.sort();
    logins.dedup();
    logins
}

fn explained(rng: &mut Rng, failure: Failure, person: &Person) -> Failure {
    let mut failure = failure.because("userTitle", person.title.clone().unwrap_or_default());
    failure.trust = person.trust;
    if failure.check.topic == "threat" {
        let address = places::address(rng, person.place);
        let place = format!("{} ({address})", places::city(person.place));
        failure = failure.because("ipAddress", address).because("location", place);
    }
    failure
}

/// The envelopes of the past, with the test event of the set-up before them all.
pub(super) fn envelopes(rng: &mut Rng, tenant: &Tenant, past: &Past, now: Timestamp) -> Vec<Value> {
    let test = webhook_test(tenant, &Ids::new(rng), now - TESTED);
    let failures = past.iter().map(|(at, ids, failure)| failed_check(tenant, ids, failure, *at));
    std::iter::once(test).chain(failures).collect()
}
