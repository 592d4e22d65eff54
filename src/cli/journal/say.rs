//! `journal say`: an analyst's word on how an action ended, where nothing that can be read proves it.

use crate::cli::args;
use crate::cli::failure::{DONE, Failure};
use crate::cli::findings::By;
use crate::cli::output::Output;
use crate::domain::action::word::{NoWord, UNPROVED, may_be_given};
use crate::domain::action::{AnalystWord, Said};
use crate::domain::{Action, ActionId, Flow};
use crate::store::{Store, WordError};

/// Keeps the word, or says why it is not taken.
///
/// # Errors
/// An action that there is not, one of which no word is taken, and what the command line lacks.
pub(in crate::cli) async fn run(
    what: &args::Say,
    (store, flows): (&dyn Store, &[Flow]),
    by: By<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let id = what.action;
    let missing = || {
        Failure::usage(format!(
            "there is no action `{id}`\nhint: `idtriage journal list --json outcome:unknown` shows the ids"
        ))
    };
    let action = store.action(id).await?.ok_or_else(missing)?;
    let before = may_be_given(&action, flows, what.said).map_err(|why| not_taken(id, &why))?;
    let word = AnalystWord {
        said: what.said,
        actor: by.actor.clone(),
        at: by.at,
        reason: what.reason.trim().to_owned(),
    };
    insisted(what, &action, before)?;
    confirmed(what, &action, &word)?;
    let kept = store.give_word(id, &word, before).await.map_err(not_kept)?;
    if out.is_json() {
        out.json(&kept.to_json())?;
    } else {
        let (whom, verb) = (kept.whom(), &kept.verb);
        let said = kept.word_in_full().unwrap_or_else(|| word.in_full());
        out.text(&format!("{whom}: {verb}: {said}, action {id}"))?;
    }
    Ok(DONE)
}

fn not_taken(id: ActionId, why: &NoWord) -> Failure {
    Failure::failed(format!("action `{id}`: {why}"))
}

fn not_kept(error: WordError) -> Failure {
    Failure::failed(error.to_string())
}

/// A word that contradicts one that was given wants insisting: both stand in the journal, and the later one counts.
fn insisted(what: &args::Say, action: &Action, before: Option<&AnalystWord>) -> Result<(), Failure> {
    let Some(before) = before.filter(|_| !what.again) else { return Ok(()) };
    Err(Failure::usage(format!(
        "action `{}` is {} already\nhint: `--again` puts your word in the place of that one; the journal keeps both",
        action.id,
        action.word_in_full().unwrap_or_else(|| before.in_full())
    )))
}

fn confirmed(what: &args::Say, action: &Action, word: &AnalystWord) -> Result<(), Failure> {
    if what.yes {
        return Ok(());
    }
    let (whom, verb, id, outcome) = (action.whom(), &action.verb, action.id, action.outcome.word());
    let then = match word.said {
        Said::Changed => "it can be undone where something undoes it",
        Said::NotChanged => "there is nothing to undo",
    };
    let would = action.clone().with_word(word.clone());
    let then = match would.contradicted() {
        None => format!("the next run is not held up for it, and {then}"),
        Some(_) => "the last look contradicts it, so that it ends nothing".to_owned(),
    };
    let standing = would.standing();
    Err(Failure::usage(format!(
        "{whom}: {verb}: {outcome}, action `{id}`: \"{standing}\" would be kept, {UNPROVED}; {then}: this wants a confirmation\nhint: `--yes` keeps it"
    )))
}
