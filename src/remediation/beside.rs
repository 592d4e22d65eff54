//! What the System Log has beside an action: from the store where records of it arrive, else from Okta.
//!
//! Records are notes and no evidence, but for what ties a change that was seen later to its action: that a record of
//! the account names the very request or execution.

use super::Desk;
use crate::domain::event::EventKind;
use crate::domain::log::beside::{self, LogNote, TRIGGERED};
use crate::domain::log::{LogQuery, LogRecord};
use crate::domain::page::From;
use crate::domain::query::{Pattern, Query, Term, Test};
use crate::domain::{Action, EventId};
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

/// The notes beside an action. Okta is asked only where the store has none, and a log to ask is given.
///
/// # Errors
/// If the store cannot be read. That Okta cannot be asked is told instead.
pub async fn beside(
    store: &dyn Store,
    log: Option<&dyn LogSearch>,
    action: &Action,
) -> Result<Beside, StoreError> {
    let login = Test::User(Pattern::exactly(action.login.raw()));
    let mut records = kept(store, action, login).await?;
    records.extend(kept(store, action, Test::Check(Pattern::exactly(TRIGGERED))).await?);
    let notes = beside::notes(action, records);
    match log.filter(|_| notes.is_empty()) {
        None => Ok(Beside { notes, unread: None }),
        Some(log) => Ok(asked(log, action, &beside::query(action)).await),
    }
}

/// Who made a change that was seen later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Doer {
    /// The action itself, by a record in these words.
    Itself(String),
    /// Nobody knows, and why.
    NotKnown(String),
}

/// Whether a record says that the action itself changed its account.
///
/// # Errors
/// If the store cannot be read. That Okta cannot be asked is told instead.
pub(super) async fn doer(desk: &Desk, action: &Action) -> Result<Doer, StoreError> {
    let kept = beside(desk.store.as_ref(), None, action).await?;
    if let Some(proof) = kept.notes.iter().find(|note| beside::is_proof(note)) {
        return Ok(Doer::Itself(proof.words()));
    }
    let Some(log) = desk.log.as_deref() else {
        return Ok(Doer::NotKnown("there is no System Log to ask".to_owned()));
    };
    let asked = asked(log, action, &beside::query_of_account(action)).await;
    let proof = asked.notes.iter().find(|note| beside::is_proof(note));
    Ok(match (proof, asked.unread, asked.notes.first()) {
        (Some(proof), ..) => Doer::Itself(proof.words()),
        (None, Some(why), _) => Doer::NotKnown(format!("the System Log cannot be read: {why}")),
        (None, None, Some(_)) => Doer::NotKnown("no record of the System Log names this run".to_owned()),
        (None, None, None) => Doer::NotKnown("the System Log has no record of it".to_owned()),
    })
}

async fn asked(log: &dyn LogSearch, action: &Action, query: &LogQuery) -> Beside {
    match log.search(query).await {
        Ok(cut) => {
            let notes = beside::notes(action, cut.records.into_iter().map(LogRecord::of));
            Beside { notes, unread: cut.problem.map(|problem| problem.line()) }
        }
        Err(problem) => Beside { notes: Vec::new(), unread: Some(problem.line()) },
    }
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
