//! What the System Log has beside an action: from the store where records of it arrive, else from Okta.
//!
//! Records are notes and no evidence, but for what ties a change that was seen later to its action: that a record of
//! the very account names the request or execution, and tells of what the flow is for.

use super::Desk;
use crate::domain::event::EventKind;
use crate::domain::log::beside::{self, Doer as By, LogNote, TRIGGERED};
use crate::domain::log::{LogQuery, LogRecord};
use crate::domain::page::From;
use crate::domain::query::{Pattern, Query, Term, Test};
use crate::domain::{Action, EventId, Flow};
use crate::store::{Store, StoreError};
use crate::tenant::LogSearch;

/// Records of one login that are looked at, in pages.
const PAGE: usize = 200;
const PAGES: usize = 5;

/// Where notes come from, and what they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Beside {
    /// The notes, the surest first.
    pub notes: Vec<LogNote>,
    /// Why nobody could look, where that is so.
    pub unread: Option<String>,
}

/// The notes beside an action. Okta is asked too, where a log to ask is given, unless what the store has proves
/// already that the action did what its flow is for.
///
/// # Errors
/// If the store cannot be read. That Okta cannot be asked is told instead.
pub async fn beside(
    store: &dyn Store,
    log: Option<&dyn LogSearch>,
    action: &Action,
    flow: Option<&Flow>,
) -> Result<Beside, StoreError> {
    let mut records = all_kept(store, action).await?;
    let is_proven = flow.is_some_and(|flow| matches!(by(action, flow, &records), By::Itself(_)));
    let mut unread = None;
    if let Some(log) = log.filter(|_| !is_proven) {
        let (found, why) = asked(log, &beside::query(action)).await;
        records.extend(found);
        unread = why;
    }
    Ok(Beside { notes: beside::notes(action, records), unread })
}

/// Who made a change that was seen later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Doer {
    /// The action itself, by a record in these words.
    Itself(String),
    /// Nobody knows, and why.
    NotKnown(String),
}

/// Whether a record says that the action itself changed its account, and nobody else since.
///
/// # Errors
/// If the store cannot be read. That Okta cannot be asked is told instead.
pub(super) async fn doer(desk: &Desk, action: &Action, flow: &Flow) -> Result<Doer, StoreError> {
    let mut records = all_kept(desk.store.as_ref(), action).await?;
    let (mut told, mut unread) = (by(action, flow, &records), None);
    if let (false, Some(log)) = (matches!(told, By::Itself(_)), desk.log.as_deref()) {
        let (found, why) = asked(log, &beside::query_of_account(action)).await;
        records.extend(found);
        (told, unread) = (by(action, flow, &records), why);
    }
    let why = match (told, unread) {
        (By::Itself(proof), _) => return Ok(Doer::Itself(proof.words())),
        (By::Another { other, own: Some(own) }, _) => {
            format!(
                "the System Log names this run ({}), and another did the same ({})",
                own.words(),
                other.words()
            )
        }
        (By::Another { other, own: None }, _) => {
            format!("no record of the System Log names this run, and another tells of it: {}", other.words())
        }
        (By::Nobody, Some(why)) => format!("the System Log cannot be read: {why}"),
        (By::Nobody, None) if desk.log.is_none() => "there is no System Log to ask".to_owned(),
        (By::Nobody, None) if records.is_empty() => "the System Log has no record of it".to_owned(),
        (By::Nobody, None) => "no record of the System Log says that this run did it".to_owned(),
    };
    Ok(Doer::NotKnown(why))
}

fn by(action: &Action, flow: &Flow, records: &[LogRecord]) -> By {
    beside::doer(action, flow, records)
}

/// What a log answers, and why nobody could read it, or not all of it.
async fn asked(log: &dyn LogSearch, query: &LogQuery) -> (Vec<LogRecord>, Option<String>) {
    match log.search(query).await {
        Ok(cut) => {
            let records = cut.records.into_iter().map(LogRecord::of).collect();
            (records, cut.problem.map(|problem| problem.line()))
        }
        Err(problem) => (Vec::new(), Some(problem.line())),
    }
}

/// Records of the store that may tell of an action.
async fn all_kept(store: &dyn Store, action: &Action) -> Result<Vec<LogRecord>, StoreError> {
    let login = Test::User(Pattern::exactly(action.login.raw()));
    let mut records = kept(store, action, login).await?;
    records.extend(kept(store, action, Test::Check(Pattern::exactly(TRIGGERED))).await?);
    Ok(records)
}

/// Records of the store around an action, newest first.
async fn kept(store: &dyn Store, action: &Action, about: Test) -> Result<Vec<LogRecord>, StoreError> {
    let terms = [Test::Kind(EventKind::Log), about].map(|test| Term { negated: false, test });
    let query = Query { terms: terms.into() };
    let mut found = Vec::new();
    let mut from = From::Newest;
    for _ in 0..PAGES {
        let page = store.events(&query, from, PAGE).await?;
        let around = page.rows.iter().filter(|event| beside::is_around(action, event.at()));
        let ids: Vec<EventId> = around.map(|event| event.id).collect();
        for id in ids {
            let raw = store.event(id).await?.and_then(|event| event.raw);
            found.extend(raw.map(|raw| LogRecord::of(raw.as_str().into())));
        }
        // Nothing arrives before it happens.
        let begins = action.at.checked_sub(beside::AROUND).unwrap_or(action.at);
        let is_past = page.rows.last().is_some_and(|event| event.received < begins);
        match page.next.filter(|_| !is_past) {
            Some(next) => from = From::Before(next),
            None => break,
        }
    }
    Ok(found)
}
