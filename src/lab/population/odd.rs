//! The people who break clients (contracts/cii.md 7.6, xsoar-okta-iam.md 5.4).
use super::grow::blank;
use super::{DOMAIN, Person, Status};
use fastrand::Rng;
use jiff::Timestamp;

pub(super) fn people(rng: &mut Rng, now: Timestamp) -> Vec<Person> {
    let makers = [services, hostile_names, disagreeing, linked, edge_logins, collections];
    makers.iter().flat_map(|make| make(rng, now)).collect()
}

fn person(rng: &mut Rng, now: Timestamp, login: &str, display: &str) -> Person {
    let mut person = blank(rng, login, now);
    person.display = Some(display.into());
    person.first = display.split(' ').next().unwrap_or_default().into();
    person.last = display.split(' ').skip(1).collect::<Vec<_>>().join(" ");
    person
}

fn at_domain(local: &str) -> String {
    format!("{local}@{DOMAIN}")
}

/// Logins that are no e-mail address, accounts that are no person.
fn services(rng: &mut Rng, now: Timestamp) -> Vec<Person> {
    let accounts = [
        ("hrms.serviceuser".to_owned(), "HRMS Service User", "SERVICE_ACCOUNT"),
        ("pass.resetter".to_owned(), "pass.resetter", "SERVICE_ACCOUNT"),
        ("svc-backup$".to_owned(), "Nightly Backup", "SERVICE_ACCOUNT"),
        (at_domain("invoices"), "Invoices", "SHARED_MAILBOX"),
        (at_domain("room-4-lisbon"), "Room 4 (Lisbon)", "CONFERENCE_ROOM"),
    ];
    let make = |(login, display, class): (String, &str, &'static str)| {
        let mut person = person(rng, now, &login, display);
        person.class = class;
        person.email = at_domain("it-services");
        person
    };
    accounts.into_iter().map(make).collect()
}

/// Names with escape sequences, bidirectional overrides, zero-width and wide characters.
fn hostile_names(rng: &mut Rng, now: Timestamp) -> Vec<Person> {
    let wide = "山田 太郎 (経理部)";
    let long =
        "Maximiliane Wilhelmina Konstantinopolitanskaya-Featherstonehaugh von und zu Hohenlohe-Langenburg";
    let accounts = [
        ("zoe.red", "Zoë \u{1b}[31mRed\u{1b}[0m\u{7}"),
        ("link.spoof", "\u{1b}]8;;https://evil.example/\u{1b}\\click me\u{1b}]8;;\u{1b}\\"),
        ("exe.gnp", "Invoice\u{202e}gnp.exe"),
        ("zero.width", "Ad\u{200b}min\u{2060} O\u{feff}ne"),
        ("taro.yamada", wide),
        ("maximiliane.long", long),
        ("line.breaker", "Line\r\nBreaker\tTab"),
        ("astronaut", "👩🏽‍🚀 Ada"),
    ];
    let make = |(local, display): (&str, &str)| {
        let mut person = person(rng, now, &at_domain(local), display);
        person.title = Some(format!("Title of {display}"));
        person.trust = Some("NEUTRAL");
        person
    };
    accounts.into_iter().map(make).collect()
}

/// Sources that disagree, and fields that are missing.
fn disagreeing(rng: &mut Rng, now: Timestamp) -> Vec<Person> {
    let mut inconsistent = person(rng, now, &at_domain("iris.consistent"), "Iris Consistent");
    inconsistent.cii_status = Some("INCONSISTENT");
    inconsistent.class = "INCONSISTENT";
    inconsistent.providers = vec!["OKTA", "AZURE_AD", "HRIS"];
    let mut nameless = blank(rng, &at_domain("nameless"), now);
    nameless.last_sign_in = None;
    nameless.class = "MISSING";
    let mut several = person(rng, now, &at_domain("rehired"), "Rea Hired");
    several.employee_ids = vec!["E00017".into(), "E09412".into()];
    let mut gone = person(rng, now, &at_domain("gone.already"), "Gone Already");
    gone.status = Status::Deprovisioned;
    vec![inconsistent, nameless, several, gone]
}

/// One human, two accounts; two accounts, one mailbox.
fn linked(rng: &mut Rng, now: Timestamp) -> Vec<Person> {
    let mut daily = person(rng, now, &at_domain("lin.ked"), "Lin Ked");
    let mut admin = person(rng, now, &at_domain("lin.ked.admin"), "Lin Ked (Admin)");
    daily.linked = vec![admin.login.clone()];
    admin.linked = vec![daily.login.clone()];
    admin.email.clone_from(&daily.email);
    admin.admin = true;
    admin.groups.push("Okta Administrators".into());
    vec![daily, admin]
}

/// Logins that need escaping in a filter or in a path.
fn edge_logins(rng: &mut Rng, now: Timestamp) -> Vec<Person> {
    let quoted = person(rng, now, &at_domain("o\"brien\\test"), "Quo Ted");
    let spaced = person(rng, now, &at_domain("sp ace+tag%41"), "Spa Ced");
    let mut upper = person(rng, now, &at_domain("Upper.Case"), "Upper Case");
    upper.email = at_domain("upper.case");
    vec![quoted, spaced, upper]
}

/// More groups than `listEndUsers` shows.
fn collections(rng: &mut Rng, now: Timestamp) -> Vec<Person> {
    let mut joiner = person(rng, now, &at_domain("jo.iner"), "Jo Iner");
    joiner.groups.extend((1..=225).map(|n| format!("Project {n:03}")));
    vec![joiner]
}
