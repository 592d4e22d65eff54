//! How people are made: ordinary employees out of a list of words, then the parts that some of them play in the story.
use super::names::{APPS, DEPARTMENTS, FIRST, GROUPS, LAST};
use super::person::{Device, Factor, Person, Status};
use super::{DOMAIN, places};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;

pub(super) fn ordinary_people(rng: &mut Rng, count: usize, now: Timestamp) -> Vec<Person> {
    let mut taken: HashMap<String, usize> = HashMap::new();
    (0..count).map(|index| ordinary(rng, index, &mut taken, now)).collect()
}

fn ordinary(rng: &mut Rng, index: usize, taken: &mut HashMap<String, usize>, now: Timestamp) -> Person {
    let (first, last) = (pick(rng, FIRST), pick(rng, LAST));
    let stem = format!("{}.{}", first.to_lowercase(), last.to_lowercase());
    let twins = taken.entry(stem.clone()).or_insert(0);
    *twins += 1;
    let local = if *twins == 1 { stem } else { format!("{stem}{twins}") };
    let mut person = blank(rng, &format!("{local}@{DOMAIN}"), now);
    person.first = first.into();
    person.last = last.into();
    person.display = Some(format!("{first} {last}"));
    employ(rng, &mut person, index);
    equip(rng, &mut person);
    person.status = status_of(index);
    person.trust = Some(trust(rng));
    person
}

/// Somebody with nothing but ids, dates and an address.
pub(super) fn blank(rng: &mut Rng, login: &str, now: Timestamp) -> Person {
    let place = rng.usize(..places::PLACES.len());
    Person {
        login: login.into(),
        email: login.into(),
        first: String::new(),
        last: String::new(),
        display: None,
        okta_id: okta_id(rng, "00u"),
        cii_id: uuid(rng),
        department: None,
        title: None,
        manager: None,
        place,
        employee_ids: Vec::new(),
        phone: None,
        status: Status::Active,
        cii_status: None,
        class: "INTERNAL",
        providers: vec!["OKTA"],
        groups: vec!["Everyone".into()],
        factors: Vec::new(),
        used_apps: Vec::new(),
        unused_apps: Vec::new(),
        addresses: vec![places::address(rng, place)],
        devices: Vec::new(),
        linked: Vec::new(),
        trust: None,
        admin: false,
        created: now - SignedDuration::from_hours(24 * rng.i64(40..2200)),
        last_sign_in: Some(now - SignedDuration::from_mins(rng.i64(3..4000))),
    }
}

fn employ(rng: &mut Rng, person: &mut Person, index: usize) {
    let (department, titles) = pick(rng, DEPARTMENTS);
    person.department = Some(department);
    person.title = Some(pick(rng, titles).into());
    person.employee_ids = vec![format!("E{:05}", 10_000 + index)];
    person.phone = Some(format!("+1 555 01{:02}", rng.u8(..100)));
    person.groups.extend([department.to_owned(), places::city(person.place).to_owned()]);
    person.groups.extend((0..rng.usize(..5)).map(|_| pick(rng, GROUPS).to_owned()));
    person.groups.sort();
    person.groups.dedup();
    person.admin = department == "IT" && rng.u8(..4) == 0;
    if rng.u8(..9) == 0 {
        person.class = "EXTERNAL";
    }
}

fn equip(rng: &mut Rng, person: &mut Person) {
    person.providers = providers(rng);
    person.factors = factors(rng);
    person.addresses.push(places::home_address(rng));
    person.devices = devices(rng, &person.first);
    let mut apps: Vec<&str> = APPS.to_vec();
    rng.shuffle(&mut apps);
    let used = rng.usize(2..7);
    person.used_apps = apps.iter().copied().take(used).collect();
    person.unused_apps = apps.iter().copied().skip(used).take(rng.usize(..6)).collect();
}

fn providers(rng: &mut Rng) -> Vec<&'static str> {
    let mut providers = vec!["OKTA"];
    for (name, of_ten) in
        [("AZURE_AD", 7), ("DUO", 5), ("HRIS", 8), ("G_SUITE", 3), ("SALESFORCE", 3), ("GIT_HUB", 2)]
    {
        if rng.u8(..10) < of_ten {
            providers.push(name);
        }
    }
    providers
}

const FACTORS: [Factor; 6] = [
    Factor { kind: "push", provider: "OKTA", label: "Okta Verify push" },
    Factor { kind: "signed_nonce", provider: "OKTA", label: "Okta FastPass" },
    Factor { kind: "webauthn", provider: "FIDO", label: "Security key" },
    Factor { kind: "token:software:totp", provider: "GOOGLE", label: "Google Authenticator" },
    Factor { kind: "sms", provider: "OKTA", label: "SMS" },
    Factor { kind: "call", provider: "OKTA", label: "Voice call" },
];

fn factors(rng: &mut Rng) -> Vec<Factor> {
    if rng.u8(..12) == 0 {
        return Vec::new();
    }
    let mut factors = FACTORS.to_vec();
    rng.shuffle(&mut factors);
    factors.truncate(rng.usize(1..4));
    factors
}

fn devices(rng: &mut Rng, owner: &str) -> Vec<Device> {
    let laptop = pick(rng, &[("MacBook Pro", "MACOS"), ("ThinkPad X1", "WINDOWS"), ("Dell XPS", "LINUX")]);
    let phone = pick(rng, &[("iPhone", "IOS"), ("Pixel", "ANDROID")]);
    [(laptop, "ACCESS"), (phone, "AUTHENTICATION")]
        .map(|((model, os), kind)| Device { id: uuid(rng), name: format!("{owner}'s {model}"), os, kind })
        .into()
}

/// Every status occurs; nearly everybody is active.
fn status_of(index: usize) -> Status {
    match index % 11 {
        7 => Status::ALL.get((index / 11) % Status::ALL.len()).copied().unwrap_or(Status::Active),
        _ => Status::Active,
    }
}

fn trust(rng: &mut Rng) -> &'static str {
    match rng.u8(..100) {
        0..40 => "TRUSTED",
        40..65 => "FAVORABLE",
        65..85 => "NEUTRAL",
        85..93 => "QUESTIONABLE",
        93..97 => "UNTRUSTED",
        _ => "UNKNOWN",
    }
}

/// The first of a department leads it.
pub(super) fn appoint_managers(people: &mut [Person]) {
    let mut leads: HashMap<&str, String> = HashMap::new();
    for person in people {
        let Some(department) = person.department else { continue };
        person.manager = leads.get(department).cloned();
        leads.entry(department).or_insert_with(|| person.login.clone());
    }
}

/// The admin of the story: an active account with a weak factor that nobody has used for seven months.
pub(super) fn appoint_dormant_admin(people: &mut [Person], now: Timestamp) -> usize {
    let chosen = people.iter().position(|p| p.department == Some("IT") && p.status == Status::Active);
    let index = chosen.unwrap_or_default();
    if let Some(person) = people.get_mut(index) {
        person.admin = true;
        person.title = Some("Identity Platform Administrator".into());
        person.groups.extend(["Okta Administrators".to_owned(), "Super Admins".to_owned()]);
        person.factors = vec![FACTORS[4]];
        person.last_sign_in = Some(now - SignedDuration::from_hours(24 * 214));
        person.trust = Some("UNTRUSTED");
    }
    index
}

/// Everybody in the department has been seen from the attacker's address.
pub(super) fn expose_department(people: &mut [Person], department: &str) -> Vec<usize> {
    let mut exposed = Vec::new();
    for (index, person) in people.iter_mut().enumerate() {
        if person.department == Some(department) {
            person.status = Status::Active;
            person.addresses.push(places::ATTACKER.into());
            exposed.push(index);
        }
    }
    exposed
}

/// One of a list; the default of its kind from an empty one.
fn pick<T: Copy + Default>(rng: &mut Rng, from: &[T]) -> T {
    rng.choice(from).copied().unwrap_or_default()
}

/// An id of Okta's form: a prefix of three and 17 characters.
fn okta_id(rng: &mut Rng, prefix: &str) -> String {
    let tail: String = (0..14).map(|_| rng.alphanumeric()).collect();
    format!("{prefix}{tail}5d7")
}

/// A UUID out of the seed.
pub(crate) fn uuid(rng: &mut Rng) -> String {
    uuid::Builder::from_random_bytes(rng.u128(..).to_be_bytes()).into_uuid().to_string()
}
