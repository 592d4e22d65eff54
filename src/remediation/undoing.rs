//! What undoes a run on many, from what the store has of it.

use crate::domain::bulk::{BulkId, BulkRun, BulkUser};
use crate::domain::undo::many::{self, UndoMany};
use crate::domain::{Action, Flow};
use crate::store::{Store, StoreError, Users};
use jiff::Timestamp;

/// Users read at once.
const PAGE: usize = 500;
/// Under so many ids somebody is begun with, one behind another that was held back.
const ATTEMPTS: u8 = 16;

/// Why a run is not undone.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// There is no such run.
    #[error("there is no run on many `{0}`")]
    Missing(BulkId),
    /// Nothing undoes it, or not now.
    #[error("{0}")]
    Not(String),
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The run that undoes a run on many.
///
/// # Errors
/// [`UndoError`] says why there is none.
pub async fn undo_of_run(
    store: &dyn Store,
    id: BulkId,
    flows: &[Flow],
    now: Timestamp,
) -> Result<UndoMany, UndoError> {
    let run = store.bulk(id).await?.ok_or(UndoError::Missing(id))?;
    // Before anybody of it is read.
    many::inverse(&run, flows, now).map_err(UndoError::Not)?;
    let steps = flows.iter().find(|flow| flow.id == run.flow).map_or(0, |flow| flow.steps.len());
    let (mut users, mut from) = (Vec::new(), 0);
    loop {
        let page = store.bulk_users(id, Users::All, from, PAGE).await?;
        let Some(last) = page.last() else { break };
        from = last.position.saturating_add(1);
        for user in page {
            let actions = actions(store, &run, &user, steps).await?;
            users.push((user, actions));
        }
    }
    many::of(&run, &users, flows, now).map_err(UndoError::Not)
}

/// The actions of a run that are there on one user.
async fn actions(
    store: &dyn Store,
    run: &BulkRun,
    user: &BulkUser,
    steps: usize,
) -> Result<Vec<Action>, StoreError> {
    // Who still waits, and who was left out of a run of one action each, has none.
    let Some(end) = &user.end else { return Ok(Vec::new()) };
    if steps == 0 {
        return Ok(match end.action {
            Some(action) => store.action(action).await?.into_iter().collect(),
            None => Vec::new(),
        });
    }
    let first = run.id.action(user.position);
    for attempt in 0..ATTEMPTS {
        let id = first.attempt(attempt);
        let mut begun = Vec::new();
        for step in 1..=u8::try_from(steps).unwrap_or(u8::MAX) {
            begun.extend(store.action(id.step(step)).await?);
        }
        if begun.is_empty() || !begun.iter().all(Action::is_withheld) {
            return Ok(begun);
        }
    }
    Ok(Vec::new())
}
