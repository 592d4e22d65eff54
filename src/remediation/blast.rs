//! How far a run reaches, read side by side: administrator roles, groups, applications, other findings, and
//! who is behind the account.
//!
//! Roles decide what is asked, so they are waited for as the account itself is, looked at again before a send,
//! and read of every Okta account that the person is known to have. What an open issue calls the account counts
//! too: whoever may not see roles is not blind for it.

use super::Desk;
use super::about::{About, Person};
use super::card::Ask;
use super::others::Others;
use crate::domain::blast::{Blast, FINDINGS_COUNTED, Roles, Told, names_administrator};
use crate::domain::dossier::{OktaUser, Problem};
use crate::domain::flow::Product;
use crate::domain::look_up::{is_user, text_at};
use crate::domain::payload;
use crate::domain::plan::Plan;
use crate::domain::query::{Pattern, Query, Term, Test};
use crate::domain::subject::ProviderAccount;
use crate::domain::{Finding, FindingState, Flow, Login, Risk, Untrusted};
use crate::store::{FindingFilter, From};
use crate::tenant::OktaOrg;
use futures_util::future::join_all;
use serde_json::Value;
use std::time::Duration;

/// What only informs is not waited for longer than this: the card has to come.
const PATIENCE: Duration = Duration::from_secs(5);
/// No more whom an issue names are looked up.
pub(super) const MOST_NAMED: usize = 20;
/// Roles of more Okta accounts are not read: of those whom an issue names, and of the person.
const MOST_ACCOUNTS: usize = MOST_NAMED + 3;
/// More open findings are not looked into for what their issues call the account.
const MOST_ISSUES: usize = 5;

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
    pub(super) flow: &'a Flow,
    pub(super) about: &'a About,
    pub(super) person: &'a Person,
    pub(super) account: Option<&'a ProviderAccount>,
    pub(super) user: Option<&'a OktaUser>,
    pub(super) others: &'a Others,
}

/// Reads it; `None` where nothing is to be looked at.
pub(super) async fn read(desk: &Desk, ask: &Ask, whose: Whose<'_>, depth: Depth) -> Option<Blast> {
    if depth == Depth::Target {
        return None;
    }
    let (accounts, open) = tokio::join!(whose.okta_accounts(desk), findings(desk, ask));
    let first = accounts.as_ref().map(|ids| ids.first().map(String::as_str)).map_err(String::as_str);
    let (roles, called, groups, apps) = tokio::join!(
        roles(desk, &accounts),
        called(desk, ask, &whose, &open),
        informing(depth, listed(desk, first, List::Groups)),
        informing(depth, listed(desk, first, List::Apps)),
    );
    let findings = match &open {
        Ok(open) => Told::Is(open.iter().filter(|finding| Some(finding.id) != ask.finding).count()),
        Err(why) => Told::CannotTell(why.clone()),
    };
    let (elsewhere, class) = (whose.elsewhere(), whose.class());
    let accounts = accounts.unwrap_or_default();
    Some(Blast { accounts, elsewhere, roles, called, groups, apps, findings, class })
}

/// How much is looked at once more before a plan is sent: where the risk cannot be any higher for it, no roles.
pub(super) fn depth_before_send(plan: &Plan) -> Depth {
    let may_rise = plan.blast.as_ref().is_some_and(|blast| !blast.is_of_administrator());
    if may_rise && plan.risk != Risk::High { Depth::Roles } else { Depth::Target }
}

impl Whose<'_> {
    /// The Okta accounts that it may act on. Those of others come first: they are the ones that nobody expects.
    async fn okta_accounts(&self, desk: &Desk) -> Result<Vec<String>, String> {
        let mut ids = self.others.ids();
        match self.own_accounts(desk).await {
            Ok(own) => {
                let more: Vec<String> = own.into_iter().filter(|id| !ids.contains(id)).collect();
                ids.extend(more);
            }
            Err(why) if ids.is_empty() => return Err(why),
            Err(_) => {}
        }
        Ok(ids)
    }

    /// The Okta accounts of the person: the one that is acted on, else all that are known.
    async fn own_accounts(&self, desk: &Desk) -> Result<Vec<String>, String> {
        let is_okta =
            |account: &&ProviderAccount| Product::parse(account.provider.raw()) == Some(Product::Okta);
        let read = self.user.map(|user| user.id.raw()).filter(|id| !id.trim().is_empty());
        let chosen = self.account.filter(is_okta).map(|account| account.user_id.raw());
        if let Some(id) = read.or(chosen) {
            return Ok(vec![id.to_owned()]);
        }
        let known: Vec<String> = self.person.subject.accounts.iter().filter(is_okta).map(id_of).collect();
        match known.is_empty() {
            true => looked_up(desk, &self.person.subject.login).await,
            false => Ok(known),
        }
    }

    /// The product that is acted on, where it is not Okta.
    fn elsewhere(&self) -> Option<String> {
        let of_account = self.account.map(|account| account.provider.raw());
        let product = self.flow.product.or_else(|| of_account.and_then(Product::parse));
        match (product, of_account) {
            (Some(Product::Okta), _) | (None, None) => None,
            (Some(product), _) => Some(product.ispm_name().to_owned()),
            (None, Some(provider)) => Some(Untrusted::from(provider).to_string()),
        }
    }

    fn class(&self) -> Told<Untrusted> {
        if self.others.met.len() > 1 {
            return Told::CannotTell("it may be one of several accounts".to_owned());
        }
        let person = self.others.one().map_or(self.person, |other| &other.person);
        let Some(part) = &person.details else {
            return Told::CannotTell("Cisco Identity Intelligence was not read".to_owned());
        };
        let class =
            part.data.as_ref().and_then(|user| user.end_user_details.user_type_classification.clone());
        match (class.filter(|class| !class.is_blank()), part.problems.first()) {
            (Some(class), _) => Told::Is(class),
            (None, Some(problem)) => Told::CannotTell(problem.line()),
            (None, None) => Told::CannotTell("nobody classified the account".to_owned()),
        }
    }
}

fn id_of(account: &ProviderAccount) -> String {
    account.user_id.raw().to_owned()
}

/// The account behind a login, where no directory names one.
async fn looked_up(desk: &Desk, login: &Login) -> Result<Vec<String>, String> {
    match org(desk)?.user_of(login.raw()).await {
        Ok(details) if is_user(&details, login.raw()) => Ok(vec![text_at(&details, "/id").to_owned()]),
        Ok(_) => Err("no Okta account of theirs is known".to_owned()),
        Err(problem) if problem.says_nobody() => Err("they have no Okta account of this login".to_owned()),
        Err(problem) => Err(problem.line()),
    }
}

fn org(desk: &Desk) -> Result<&dyn OktaOrg, String> {
    desk.org.as_deref().ok_or_else(|| "Okta is not configured".to_owned())
}

/// The roles of all of somebody's accounts. What cannot be read takes nothing away from what was.
async fn roles(desk: &Desk, accounts: &Result<Vec<String>, String>) -> Roles {
    let untold = |why: String| Roles { held: Vec::new(), untold: Some(why) };
    let (org, ids) = match (org(desk), accounts) {
        (Ok(org), Ok(ids)) => (org, ids),
        (Err(why), _) => return untold(why),
        (_, Err(why)) => return untold(why.clone()),
    };
    let read = join_all(ids.iter().take(MOST_ACCOUNTS).map(|id| org.roles_of_user(id))).await;
    let mut roles = Roles::default();
    if ids.len() > MOST_ACCOUNTS {
        roles.untold = Some(format!("they have {} Okta accounts", ids.len()));
    }
    for listed in read {
        match listed {
            Ok(items) => items.iter().for_each(|item| add(&mut roles, item)),
            Err(problem) => roles.untold = Some(problem.line()),
        }
    }
    roles
}

/// One odd role costs no other; it only takes away the right to say "none".
fn add(roles: &mut Roles, item: &Value) {
    if text_at(item, "/status").trim().eq_ignore_ascii_case("INACTIVE") {
        return;
    }
    match named(item, &["/label", "/type", "/id"]) {
        Some(title) => roles.held.push(title),
        None => roles.untold = Some("an item of the list of roles cannot be read".to_owned()),
    }
}

/// The first of its texts that says anything.
fn named(item: &Value, places: &[&str]) -> Option<Untrusted> {
    let texts = places.iter().map(|place| text_at(item, place));
    texts.map(Untrusted::from).find(|text| !text.is_blank())
}

/// What is listed only to inform.
#[derive(Debug, Clone, Copy)]
enum List {
    Groups,
    Apps,
}

async fn listed(desk: &Desk, account: Result<Option<&str>, &str>, list: List) -> Told<Vec<Untrusted>> {
    let (org, id) = match (org(desk), account) {
        (Ok(org), Ok(Some(id))) => (org, id),
        (Err(why), _) => return Told::CannotTell(why),
        (_, Ok(None)) => return Told::CannotTell("no Okta account of theirs is known".to_owned()),
        (_, Err(why)) => return Told::CannotTell(why.to_owned()),
    };
    let (items, places): (Result<Vec<Value>, Problem>, &[&str]) = match list {
        List::Groups => (org.groups_of_user(id).await, &["/profile/name", "/id"]),
        List::Apps => (org.apps_of_user(id).await, &["/label", "/name", "/id"]),
    };
    match items {
        Ok(items) => Told::Is(items.iter().map(|item| named(item, places).unwrap_or_default()).collect()),
        Err(problem) => Told::CannotTell(problem.line()),
    }
}

/// What only informs: not where many are planned, and not for ever.
async fn informing<T>(depth: Depth, read: impl Future<Output = Told<T>>) -> Told<T> {
    if depth != Depth::Whole {
        return Told::CannotTell("it is not read where many are planned".to_owned());
    }
    let late = |_| Told::CannotTell(format!("no answer within {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, read).await.unwrap_or_else(late)
}

/// The findings of this login that are not closed.
async fn findings(desk: &Desk, ask: &Ask) -> Result<Vec<Finding>, String> {
    let closed = Term { negated: true, test: Test::State(FindingState::Closed) };
    let filter = FindingFilter { login: Some(ask.login.clone()), query: Query { terms: vec![closed] } };
    let page = desk.store.findings(&filter, From::Newest, FINDINGS_COUNTED + 1).await;
    page.map(|page| page.rows).map_err(|error| error.to_string())
}

/// The words by which an issue about this login says that the account is an administrator's: the one behind the
/// run, and those behind the open findings.
async fn called(
    desk: &Desk,
    ask: &Ask,
    whose: &Whose<'_>,
    open: &Result<Vec<Finding>, String>,
) -> Vec<Untrusted> {
    let mut words = whose.about.ispm_record().map(|raw| said_of(raw, &ask.login)).unwrap_or_default();
    for finding in open.iter().flatten().take(MOST_ISSUES) {
        if let Some(raw) = newest_record(desk, finding).await {
            words.extend(said_of(&raw, &ask.login));
        }
    }
    let mut distinct: Vec<Untrusted> = Vec::new();
    for word in words.into_iter().filter(names_administrator) {
        if !distinct.contains(&word) {
            distinct.push(word);
        }
    }
    distinct
}

/// What a record calls the account, if it is about one of this login: what it calls another says nothing of it.
fn said_of(raw: &str, login: &Login) -> Vec<Untrusted> {
    let is_of = payload::record_entity(raw).is_some_and(|(of, _)| of == *login);
    if is_of { payload::record_words(raw) } else { Vec::new() }
}

/// The ISPM record behind the newest sighting of a finding, if it came from there.
async fn newest_record(desk: &Desk, finding: &Finding) -> Option<String> {
    let user = Test::User(Pattern::exactly(finding.login.raw()));
    let check = Test::Check(Pattern::exactly(finding.check.id.raw()));
    let terms = [user, check].map(|test| Term { negated: false, test });
    let page = desk.store.events(&Query { terms: terms.into() }, From::Newest, 1).await.ok()?;
    let detail = desk.store.event(page.rows.first()?.id).await.ok()??;
    detail.ispm_record().map(str::to_owned)
}
