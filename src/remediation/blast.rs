//! How far a run reaches, read side by side with each other: administrator roles, groups, applications,
//! other findings, and who is behind the account.

use super::Desk;
use super::about::{About, Person};
use super::card::Ask;
use crate::domain::blast::{Blast, FINDINGS_COUNTED, Known};
use crate::domain::dossier::{OktaApp, OktaGroup, OktaRole, OktaUser, Problem};
use crate::domain::flow::Product;
use crate::domain::payload;
use crate::domain::query::{Query, Term, Test};
use crate::domain::subject::ProviderAccount;
use crate::domain::{FindingState, Login, Untrusted};
use crate::store::{FindingFilter, From};
use crate::tenant::OktaOrg;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// What only informs is not waited for longer than this: the card has to come. Roles decide what is asked, and
/// are waited for as the account itself is.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much is looked at beside the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Everything: for a card on one.
    Whole,
    /// What decides the risk: for one of many.
    Roles,
    /// Nothing: it was looked at when it was confirmed.
    Target,
}

/// Whose it is: the account that was read, and the one that was chosen.
pub(super) struct Whose<'a> {
    pub(super) about: &'a About,
    pub(super) person: &'a Person,
    pub(super) account: Option<&'a ProviderAccount>,
    pub(super) user: Option<&'a OktaUser>,
}

/// Reads it.
pub(super) async fn read(desk: &Desk, ask: &Ask, whose: Whose<'_>, depth: Depth) -> Option<Blast> {
    if depth == Depth::Target {
        return None;
    }
    let id = whose.okta_id();
    let (roles, groups, apps, findings) = tokio::join!(
        roles(desk, &id),
        informing(depth, groups(desk, &id)),
        informing(depth, apps(desk, &id)),
        findings(desk, ask),
    );
    let record = whose.about.ispm_record().filter(|raw| is_of(raw, &ask.login));
    let called = record.map(payload::record_types).unwrap_or_default();
    Some(Blast { roles, called, groups, apps, findings, class: whose.class() })
}

impl Whose<'_> {
    /// The Okta account: of whom the roles are, whatever the flow acts on.
    fn okta_id(&self) -> Result<String, String> {
        let is_okta =
            |account: &&ProviderAccount| Product::parse(account.provider.raw()) == Some(Product::Okta);
        let chosen = self.account.filter(|account| is_okta(account)).map(|account| account.user_id.raw());
        if let Some(id) = self.user.map(|user| user.id.raw()).or(chosen) {
            return Ok(id.to_owned());
        }
        let mut known = self.person.subject.accounts.iter().filter(is_okta);
        match (known.next(), known.next()) {
            (Some(account), None) => Ok(account.user_id.raw().to_owned()),
            (Some(_), Some(_)) => Err("they have several Okta accounts".to_owned()),
            (None, _) => Err("no Okta account of theirs is known".to_owned()),
        }
    }

    fn class(&self) -> Known<Untrusted> {
        let Some(part) = &self.person.details else {
            return Known::CannotTell("Cisco Identity Intelligence was not read".to_owned());
        };
        let class =
            part.data.as_ref().and_then(|user| user.end_user_details.user_type_classification.clone());
        match (class.filter(|class| !class.is_blank()), part.problems.first()) {
            (Some(class), _) => Known::Is(class),
            (None, Some(problem)) => Known::CannotTell(problem.line()),
            (None, None) => Known::CannotTell("nobody classified the account".to_owned()),
        }
    }
}

async fn roles(desk: &Desk, id: &Result<String, String>) -> Known<Vec<Untrusted>> {
    let titles = |role: OktaRole| role.is_active().then(|| role.title().clone());
    let (org, id) = match place(desk, id) {
        Ok(place) => place,
        Err(why) => return Known::CannotTell(why),
    };
    names(org.roles_of_user(id).await, titles)
}

async fn groups(desk: &Desk, id: &Result<String, String>) -> Known<Vec<Untrusted>> {
    let (org, id) = match place(desk, id) {
        Ok(place) => place,
        Err(why) => return Known::CannotTell(why),
    };
    names(org.groups_of_user(id).await, |group: OktaGroup| Some(group.name()))
}

async fn apps(desk: &Desk, id: &Result<String, String>) -> Known<Vec<Untrusted>> {
    let (org, id) = match place(desk, id) {
        Ok(place) => place,
        Err(why) => return Known::CannotTell(why),
    };
    names(org.apps_of_user(id).await, |app: OktaApp| Some(app.title().clone()))
}

fn place<'a>(desk: &'a Desk, id: &'a Result<String, String>) -> Result<(&'a dyn OktaOrg, &'a str), String> {
    let org = desk.org.as_deref().ok_or_else(|| "Okta is not configured".to_owned())?;
    id.as_ref().map(|id| (org, id.as_str())).map_err(String::clone)
}

/// The names of a list. One item that cannot be read makes the list uncertain, and uncertain is not "none".
fn names<T: DeserializeOwned>(
    listed: Result<Vec<Value>, Problem>,
    name: impl Fn(T) -> Option<Untrusted>,
) -> Known<Vec<Untrusted>> {
    let items = match listed {
        Ok(items) => items,
        Err(problem) => return Known::CannotTell(problem.line()),
    };
    let read: Result<Vec<T>, _> = items.into_iter().map(serde_json::from_value).collect();
    match read {
        Ok(items) => Known::Is(items.into_iter().filter_map(name).collect()),
        Err(_) => Known::CannotTell("an item of the list cannot be read".to_owned()),
    }
}

/// What only informs: not where many are planned, and not for ever.
async fn informing<T>(depth: Depth, read: impl Future<Output = Known<T>>) -> Known<T> {
    if depth != Depth::Whole {
        return Known::CannotTell("it is not read where many are planned".to_owned());
    }
    let late = |_| Known::CannotTell(format!("no answer within {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, read).await.unwrap_or_else(late)
}

/// Whether a record is about an account of this login: what it calls another says nothing of theirs.
fn is_of(raw: &str, login: &Login) -> bool {
    payload::record_entity(raw).is_some_and(|(of, _)| of == *login)
}

/// The other findings of this login that are not closed.
async fn findings(desk: &Desk, ask: &Ask) -> Known<usize> {
    let closed = Term { negated: true, test: Test::State(FindingState::Closed) };
    let filter = FindingFilter { login: Some(ask.login.clone()), query: Query { terms: vec![closed] } };
    match desk.store.findings(&filter, From::Newest, FINDINGS_COUNTED + 1).await {
        Ok(page) => Known::Is(page.rows.iter().filter(|finding| Some(finding.id) != ask.finding).count()),
        Err(error) => Known::CannotTell(error.to_string()),
    }
}
