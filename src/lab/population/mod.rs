//! The people of the simulated tenant: made from the seed alone, so the same seed gives the same people and ids.
//!
//! Most are ordinary employees. A fixed cast of odd ones (`odd`) is always among them, because those are what breaks
//! clients: logins that are no e-mail address, names with escape sequences, statuses that disagree.
pub(crate) mod names;
mod odd;
pub(crate) mod places;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use names::{APPS, DEPARTMENTS, FIRST, GROUPS, LAST};
use std::collections::HashMap;

/// The mail domain of the tenant; `.example` belongs to nobody (RFC 2606).
pub(crate) const DOMAIN: &str = "meridian.example";
/// Fewest people with whom the story still works.
const FEWEST: usize = 60;
/// Most people the lab makes: it holds them all in memory.
const MOST: usize = 50_000;

/// A status of an Okta account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Status {
    Staged,
    Provisioned,
    Active,
    Recovery,
    LockedOut,
    PasswordExpired,
    Suspended,
    Deprovisioned,
}

impl Status {
    pub(crate) const ALL: [Status; 8] = [
        Status::Staged,
        Status::Provisioned,
        Status::Active,
        Status::Recovery,
        Status::LockedOut,
        Status::PasswordExpired,
        Status::Suspended,
        Status::Deprovisioned,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Status::Staged => "STAGED",
            Status::Provisioned => "PROVISIONED",
            Status::Active => "ACTIVE",
            Status::Recovery => "RECOVERY",
            Status::LockedOut => "LOCKED_OUT",
            Status::PasswordExpired => "PASSWORD_EXPIRED",
            Status::Suspended => "SUSPENDED",
            Status::Deprovisioned => "DEPROVISIONED",
        }
    }
}

/// An enrolled factor: Okta's type, provider and vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Factor {
    pub(crate) kind: &'static str,
    pub(crate) provider: &'static str,
    pub(crate) label: &'static str,
}

/// A device seen with a person.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) os: &'static str,
    pub(crate) kind: &'static str,
}

/// One person (or service account) and all that the identity systems know.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) login: String,
    pub(crate) email: String,
    pub(crate) first: String,
    pub(crate) last: String,
    /// `None` shows in `listEndUsers` only: everywhere else the schema demands a name.
    pub(crate) display: Option<String>,
    pub(crate) okta_id: String,
    pub(crate) cii_id: String,
    pub(crate) department: Option<&'static str>,
    pub(crate) title: Option<String>,
    pub(crate) manager: Option<String>,
    pub(crate) place: usize,
    /// Empty, one or several.
    pub(crate) employee_ids: Vec<String>,
    pub(crate) phone: Option<String>,
    pub(crate) status: Status,
    /// CII's own status where it differs from Okta's.
    pub(crate) cii_status: Option<&'static str>,
    pub(crate) class: &'static str,
    /// CII's names of the systems that hold an account.
    pub(crate) providers: Vec<&'static str>,
    pub(crate) groups: Vec<String>,
    pub(crate) factors: Vec<Factor>,
    pub(crate) used_apps: Vec<&'static str>,
    pub(crate) unused_apps: Vec<&'static str>,
    pub(crate) addresses: Vec<String>,
    pub(crate) devices: Vec<Device>,
    pub(crate) linked: Vec<String>,
    pub(crate) trust: Option<&'static str>,
    pub(crate) admin: bool,
    pub(crate) created: Timestamp,
    pub(crate) last_sign_in: Option<Timestamp>,
}

impl Person {
    pub(crate) fn name(&self) -> &str {
        self.display.as_deref().unwrap_or(&self.login)
    }

    pub(crate) fn has_mfa(&self) -> bool {
        !self.factors.is_empty()
    }

    pub(crate) fn status_in_cii(&self) -> &'static str {
        self.cii_status.unwrap_or_else(|| self.status.as_str())
    }
}

/// Everybody, with those who have a part in the story.
#[derive(Debug)]
pub(crate) struct Population {
    pub(crate) people: Vec<Person>,
    by_login: HashMap<String, usize>,
    /// The department under attack: indexes into `people`.
    pub(crate) flooded: Vec<usize>,
    /// Who is seen in two countries within minutes: one of `flooded`.
    pub(crate) traveller: usize,
    /// The Okta admin who has not signed in for months.
    pub(crate) dormant: usize,
}

impl Population {
    /// The people of a seed, as they are at `now`. `users` is brought into what the story and the memory bear.
    pub(crate) fn grow(seed: u64, users: usize, now: Timestamp) -> Self {
        let mut rng = Rng::with_seed(seed);
        let odd = odd::people(&mut rng, now);
        let ordinary = users.clamp(FEWEST, MOST).saturating_sub(odd.len());
        let mut people = ordinary_people(&mut rng, ordinary, now);
        appoint_managers(&mut people);
        let dormant = appoint_dormant_admin(&mut people, now);
        let flooded = expose_department(&mut people, "Finance");
        people.extend(odd);
        let by_login = people.iter().enumerate().map(|(index, p)| (p.login.to_lowercase(), index)).collect();
        let traveller = flooded.get(2).or(flooded.first()).copied().unwrap_or_default();
        Self { people, by_login, flooded, traveller, dormant }
    }

    /// By login, ignoring case.
    pub(crate) fn find(&self, login: &str) -> Option<&Person> {
        self.by_login.get(&login.to_lowercase()).and_then(|index| self.people.get(*index))
    }
}

fn ordinary_people(rng: &mut Rng, count: usize, now: Timestamp) -> Vec<Person> {
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
pub(crate) fn blank(rng: &mut Rng, login: &str, now: Timestamp) -> Person {
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
fn appoint_managers(people: &mut [Person]) {
    let mut leads: HashMap<&str, String> = HashMap::new();
    for person in people {
        let Some(department) = person.department else { continue };
        person.manager = leads.get(department).cloned();
        leads.entry(department).or_insert_with(|| person.login.clone());
    }
}

/// The admin of the story: an active account with a weak factor that nobody has used for seven months.
fn appoint_dormant_admin(people: &mut [Person], now: Timestamp) -> usize {
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
fn expose_department(people: &mut [Person], department: &str) -> Vec<usize> {
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
pub(crate) fn pick<T: Copy + Default>(rng: &mut Rng, from: &[T]) -> T {
    rng.choice(from).copied().unwrap_or_default()
}

/// An id of Okta's form: a prefix of three and 17 characters.
pub(crate) fn okta_id(rng: &mut Rng, prefix: &str) -> String {
    let tail: String = (0..14).map(|_| rng.alphanumeric()).collect();
    format!("{prefix}{tail}5d7")
}

/// A UUID out of the seed.
pub(crate) fn uuid(rng: &mut Rng) -> String {
    uuid::Builder::from_random_bytes(rng.u128(..).to_be_bytes()).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn grown(seed: u64) -> Population {
        Population::grow(seed, 300, "2026-05-01T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn same_seed_same_people() {
        let shown = |population: &Population| format!("{:?}", population.people);
        assert_eq!(shown(&grown(7)), shown(&grown(7)));
        assert_ne!(shown(&grown(7)), shown(&grown(8)));
    }

    #[test]
    fn ids_and_logins_are_unique() {
        let population = grown(1);
        let ids: HashSet<&str> = population.people.iter().map(|p| p.okta_id.as_str()).collect();
        assert_eq!(ids.len(), population.people.len());
        assert_eq!(population.by_login.len(), population.people.len());
        assert_eq!(population.people.len(), 300);
    }

    #[test]
    fn the_cast_of_the_story_is_there_for_every_seed() {
        for seed in 0..50 {
            let population = Population::grow(seed, 0, Timestamp::UNIX_EPOCH);
            assert!(population.flooded.contains(&population.traveller), "seed {seed}");
            let dormant = &population.people[population.dormant];
            assert!(dormant.admin && dormant.status == Status::Active, "seed {seed}");
            assert!(!population.flooded.contains(&population.dormant));
        }
    }

    #[test]
    fn every_status_occurs() {
        let seen: HashSet<Status> = grown(3).people.iter().map(|p| p.status).collect();
        assert_eq!(seen.len(), Status::ALL.len());
    }

    #[test]
    fn finds_by_login_without_case() {
        assert!(grown(3).find("HRMS.ServiceUser").is_some());
    }
}
