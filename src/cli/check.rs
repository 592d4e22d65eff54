//! `journal check`: another look at the targets of actions whose end is open.

use super::args;
use super::failure::{Failure, UNKNOWN, combined};
use super::output::Output;
use crate::domain::{Action, ActionId, Outcome, later};
use crate::remediation::{self, Beside, LookError, Runner};
use crate::store::{ActionFilter, Store};
use crate::tenant::LogSearch;
use serde_json::Value;

/// Actions read at once.
const PAGE: usize = 500;

/// Looks at each, and says how it stands.
///
/// # Errors
/// An action that there is not, a store that fails, and a closed output.
pub(super) async fn run(
    what: &args::Check,
    runner: &Runner,
    store: &dyn Store,
    log: Option<&dyn LogSearch>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let ids = if what.unknown { unknown(store).await? } else { what.actions.clone() };
    if ids.is_empty() {
        out.note("no action is of unknown outcome")?;
    }
    let mut statuses = Vec::new();
    for id in ids {
        let (action, unseen) = match runner.look_again(id).await {
            Ok(look) => (look.action, look.unread.map(Unseen::Unread)),
            Err(LookError::CannotTell { why, .. }) => (known(id, store).await?, Some(Unseen::NotLooked(why))),
            Err(error @ LookError::NoSuchAction(_)) => return Err(Failure::usage(error.to_string())),
            Err(error) => return Err(Failure::failed(error.to_string())),
        };
        // Of what is open nobody has found out anything.
        let is_open = unseen.is_some() && later::is_open(&action);
        statuses.push(if is_open { UNKNOWN } else { action.outcome.exit_status() });
        let beside = remediation::beside(store, log, &action, runner.flow(&action.flow)).await?;
        told(&action, unseen.as_ref(), &beside, out)?;
    }
    Ok(combined(statuses))
}

/// Why nothing was seen.
enum Unseen {
    /// Nobody looked.
    NotLooked(String),
    /// The look could not read it; that is in the receipt too.
    Unread(String),
}

async fn known(id: ActionId, store: &dyn Store) -> Result<Action, Failure> {
    let missing = || Failure::usage(LookError::NoSuchAction(id).to_string());
    store.action(id).await?.ok_or_else(missing)
}

/// The ids of all actions of unknown outcome, oldest first: somebody's word on one proves nothing.
async fn unknown(store: &dyn Store) -> Result<Vec<ActionId>, Failure> {
    let filter = ActionFilter { may_have_left: true, ..ActionFilter::default() };
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = store.actions(&filter, before, PAGE).await?;
        let unknown = page.rows.iter().filter(|action| action.outcome == Outcome::Unknown);
        found.extend(unknown.map(|action| action.id));
        before = page.next;
        if before.is_none() {
            found.reverse();
            return Ok(found);
        }
    }
}

fn told(
    action: &Action,
    unseen: Option<&Unseen>,
    beside: &Beside,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    if out.is_json() {
        let mut json = action.to_json();
        let why = unseen.map(|(Unseen::NotLooked(why) | Unseen::Unread(why))| why.as_str());
        json["unseen"] = why.into();
        json["beside"] = beside.notes.iter().map(|note| note.to_json()).collect::<Vec<Value>>().into();
        json["unread"] = beside.unread.as_deref().into();
        out.json(&json)?;
        return Ok(());
    }
    let seen = action.receipt.as_ref().and_then(|receipt| receipt.verified.as_deref());
    let seen = match (unseen, seen) {
        (Some(Unseen::NotLooked(why)), _) => format!("; not looked at again: {why}"),
        (Some(Unseen::Unread(seen)), _) => format!("; {seen}"),
        (None, Some(seen)) => format!("; {seen}"),
        (None, None) => String::new(),
    };
    let (verb, login, id) = (&action.verb, &action.login, action.id);
    let (outcome, evidence) = (action.standing(), action.evidence.word());
    out.text(&format!("{login}: {verb}: {outcome} ({evidence}), action {id}{seen}"))?;
    for note in &beside.notes {
        out.text(&format!("  System Log, a note and no evidence: {}", note.words()))?;
    }
    if let Some(why) = &beside.unread {
        out.note(&format!("what the System Log has beside it cannot be read: {why}"))?;
    }
    Ok(())
}
