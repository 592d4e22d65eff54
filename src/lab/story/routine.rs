//! What goes on all the time: people sign in, and now and then somebody else has something to say. Nearly all of it is
//! quiet: a console that reads the System Log has it, and does not show it where somebody works through a feed.
use super::issue::{self, Entity, Form, IdName, Issue};
use super::notice::{Alarm, Alert, Report};
use super::record::{Kind, Party, Record};
use super::{Beat, LENGTH, News};
use crate::lab::population::{Population, uuid};
use fastrand::Rng;
use std::time::Duration;

const SIGN_IN: Kind = ("user.session.start", "User login to Okta");
const SIGN_OUT: Kind = ("user.session.end", "User logout from Okta");
const VERIFIED: Kind = ("user.authentication.verify", "Verify user identity");
const SSO: Kind = ("user.authentication.sso", "User single sign on to app");

/// About nobody: there is no label `user`.
const CERTIFICATE: Alarm = (
    "CertificateExpiry",
    "low",
    "A certificate of the identity proxy expires soon",
    "Renew it within fourteen days.",
);
const FAILED_LOGINS: Alarm = (
    "FailedLogins",
    "medium",
    "Failed sign-ins above normal",
    "More than ten failed sign-ins within an hour.",
);

const REPORTS: [&str; 3] = [
    "I got a mail that asks for my password. I did not answer.",
    "Somebody called and wanted the code of my phone.",
    "My laptop was out of my sight for an hour.",
];

/// The script, in no order.
pub(super) fn script(rng: &mut Rng, population: &Population) -> Vec<Beat> {
    let mut beats = Vec::new();
    // Dense enough that every poll brings some.
    every(rng, &mut beats, 0.5, 1.5..5.0, |rng| records(rng, population));
    every(rng, &mut beats, 640.0, 240.0..480.0, |rng| issue(rng, population));
    every(rng, &mut beats, 410.0, 300.0..600.0, |rng| alert(rng, population));
    every(rng, &mut beats, 470.0, 300.0..700.0, |rng| report(rng, population));
    beats
}

fn every(
    rng: &mut Rng,
    beats: &mut Vec<Beat>,
    from: f64,
    apart: std::ops::Range<f64>,
    mut news: impl FnMut(&mut Rng) -> Option<News>,
) {
    let mut at = from;
    while at < LENGTH as f64 {
        let lag = Duration::from_millis(rng.u64(200..2500));
        let news = news(rng);
        beats.extend(news.map(|news| Beat { at: Duration::from_secs_f64(at), lag, news }));
        at += apart.start + (apart.end - apart.start) * rng.f64();
    }
}

fn anybody(rng: &mut Rng, population: &Population) -> Option<usize> {
    (!population.people.is_empty()).then(|| rng.usize(..population.people.len()))
}

fn records(rng: &mut Rng, population: &Population) -> Option<News> {
    let index = anybody(rng, population)?;
    let address = rng.choice(&population.people.get(index)?.addresses)?.clone();
    let (who, app) = (Party::Person(index), Party::App("Salesforce"));
    let record = match rng.u8(..40) {
        0 => Record::new(rng, SIGN_IN, who).ended("FAILURE", "INVALID_CREDENTIALS"),
        1 => Record::new(rng, SIGN_IN, who).ended("DENY", "Sign-on policy evaluation resulted in DENY"),
        2..5 => Record::new(rng, SIGN_IN, who).ended("CHALLENGE", "MFA required"),
        5..10 => Record::new(rng, SIGN_OUT, who),
        10..16 => Record::new(rng, VERIFIED, who),
        16..24 => Record::new(rng, SSO, who.clone()).upon([app, who]),
        _ => Record::new(rng, SIGN_IN, who),
    };
    Some(News::Records(vec![record.from(&address)], uuid(rng)))
}

fn issue(rng: &mut Rng, population: &Population) -> Option<News> {
    let index = anybody(rng, population)?;
    let name = if rng.bool() { IdName::Identifier } else { IdName::Id };
    let entity = if rng.u8(..4) == 0 { Entity::User(index) } else { Entity::Account(index) };
    let form = Form::Nested("issue.created", name);
    Some(News::Issue(Issue::new(rng, &issue::OLD_PASSWORD, entity, form)))
}

fn alert(rng: &mut Rng, population: &Population) -> Option<News> {
    let index = anybody(rng, population)?;
    let login = population.people.get(index).map(|person| person.login.as_str());
    let alert = match rng.u8(..3) {
        0 => Alert::new(rng, CERTIFICATE, None),
        _ => Alert::new(rng, FAILED_LOGINS, login),
    };
    Some(News::Alerts(vec![alert]))
}

fn report(rng: &mut Rng, population: &Population) -> Option<News> {
    let person = rng.choice(&population.people)?;
    let text = rng.choice(REPORTS)?;
    Some(News::Report(Report::new(rng, &person.email, text)))
}
