//! The incident as CII tells it: push prompts flood the finance department from one address, one of its people is seen in two countries
//! within minutes, then an admin account that nobody has used for months wakes up. Ordinary events go on meanwhile.
use super::envelope::{Failure, Ids};
use super::{Beat, LENGTH, News, history};
use crate::lab::checks;
use crate::lab::population::{Population, places};
use fastrand::Rng;
use std::time::Duration;

/// The script, in no order.
pub(super) fn script(rng: &mut Rng, population: &Population) -> Vec<Beat> {
    let mut beats = Vec::new();
    flood(rng, population, &mut beats);
    travel(rng, population, &mut beats);
    awakening(rng, population, &mut beats);
    trickle(rng, population, &mut beats);
    repeats(rng, &mut beats);
    beats
}

fn beat(rng: &mut Rng, seconds: f64, failure: Failure) -> Beat {
    let lag = Duration::from_millis(rng.u64(300..4000));
    Beat { at: Duration::from_secs_f64(seconds), lag, news: News::CheckFailed(failure, Ids::new(rng)) }
}

/// First a list of users as the daily run sends them, then one event for each as prompts go on.
fn flood(rng: &mut Rng, population: &Population, beats: &mut Vec<Beat>) {
    let Some(check) = checks::find("mfa-flood") else { return };
    let victims: Vec<&str> = population.flooded.iter().filter_map(|i| login(population, *i)).collect();
    let first: Vec<String> = victims.iter().take(9).map(|login| (*login).to_owned()).collect();
    beats.push(beat(rng, 3.0, Failure::of_many(check, first).because("ipAddress", places::ATTACKER)));
    for (index, login) in victims.iter().enumerate() {
        let mut failure = Failure::of_one(check, login)
            .because("ipAddress", places::ATTACKER)
            .because("location", "Chișinău, MD")
            .because("numberOfPushes", rng.u8(12..60).to_string());
        failure.trust = Some("QUESTIONABLE");
        let at = 8.0 + 2.5 * index as f64 + rng.f64();
        beats.push(beat(rng, at, failure));
    }
}

fn travel(rng: &mut Rng, population: &Population, beats: &mut Vec<Beat>) {
    let Some(login) = login(population, population.traveller) else { return };
    let steps = [
        (62.0, "failing-ip-success", places::ATTACKER, "Chișinău, MD"),
        (75.0, "impossible-travel", places::FAR_AWAY, "Lagos, NG"),
        (82.0, "new-country-for-tenant", places::FAR_AWAY, "Lagos, NG"),
        (104.0, "authenticator-registration-anomalies", places::FAR_AWAY, "Lagos, NG"),
        (131.0, "compromised-session", places::FAR_AWAY, "Lagos, NG"),
    ];
    stages(rng, login, &steps, beats);
}

fn awakening(rng: &mut Rng, population: &Population, beats: &mut Vec<Beat>) {
    let Some(login) = login(population, population.dormant) else { return };
    let unknown = "unknown (anonymiser)";
    let steps = [
        (165.0, "access-from-dormant-account", places::ANONYMISER, unknown),
        (171.0, "weak-mfa-used", places::ANONYMISER, unknown),
        (178.0, "admin-console-login", places::ANONYMISER, unknown),
        (204.0, "okta-admin-activity-anomaly", places::ANONYMISER, unknown),
        (240.0, "user-trust-level-alert", places::ANONYMISER, unknown),
    ];
    stages(rng, login, &steps, beats);
}

type Step = (f64, &'static str, &'static str, &'static str);

fn stages(rng: &mut Rng, login: &str, steps: &[Step], beats: &mut Vec<Beat>) {
    for (seconds, check, address, location) in steps {
        let Some(check) = checks::find(check) else { continue };
        let mut failure =
            Failure::of_one(check, login).because("ipAddress", *address).because("location", *location);
        failure.trust = Some("UNTRUSTED");
        beats.push(beat(rng, *seconds, failure));
    }
}

/// Dense at first, while somebody is surely watching, then every half minute or so.
fn trickle(rng: &mut Rng, population: &Population, beats: &mut Vec<Beat>) {
    let mut at = 1.0;
    while at < LENGTH as f64 {
        let failure = history::any_check(rng).and_then(|check| history::any_failure(rng, population, check));
        if let Some(failure) = failure {
            beats.push(beat(rng, at, failure));
        }
        at += if at < 600.0 { 4.0 + 8.0 * rng.f64() } else { 12.0 + 30.0 * rng.f64() };
    }
}

/// Delivery is at least once: every eleventh event comes again, the same in everything.
fn repeats(rng: &mut Rng, beats: &mut Vec<Beat>) {
    let again: Vec<Beat> = beats.iter().step_by(11).cloned().collect();
    for mut beat in again {
        let delay = Duration::from_secs(rng.u64(5..30));
        beat.at += delay;
        beat.lag += delay;
        beats.push(beat);
    }
}

fn login(population: &Population, index: usize) -> Option<&str> {
    population.people.get(index).map(|person| person.login.as_str())
}
