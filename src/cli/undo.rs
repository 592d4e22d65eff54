//! `undo ACTION|RUN`: the run that undoes an action, or a run on many.

use super::args::{self, Run};
use super::failure::Failure;
use super::whom::{self, Target};
use crate::domain::bulk::BulkId;
use crate::domain::many::Mark;
use crate::domain::undo::many::UndoMany;
use crate::domain::{Flow, undo};
use crate::remediation::{UndoError, undo_of_run};
use crate::store::Store;
use jiff::Timestamp;
use std::sync::Arc;

/// What has to be run, and on whom.
///
/// # Errors
/// An action or a run that there is not, and one that nothing undoes.
pub(super) async fn run_of(
    what: &args::Undo,
    store: &dyn Store,
    flows: &[Flow],
    now: Timestamp,
) -> Result<(Run, Vec<Target>), Failure> {
    let id = what.action;
    if let Some(action) = store.action(id).await? {
        let undo = undo::of(&action, flows)
            .map_err(|why| Failure::failed(format!("action `{id}` cannot be undone: {why}")))?;
        let run = Run {
            flow: undo.flow,
            users: vec![undo.login.raw().to_owned()],
            finding: undo.finding,
            account: what.account.clone(),
            inputs: undo.inputs.into_iter().collect(),
            undoes: Some(undo.undoes),
            undoes_run: None,
            answers: what.answers.clone(),
        };
        let targets = whom::named(&run)?;
        return Ok((run, targets));
    }
    match undo_of_run(store, BulkId(id.0), flows, now).await {
        Ok(undo) => of_run(what, undo),
        Err(UndoError::Missing(_)) => {
            let hint = "hint: `idtriage journal list --json` and `idtriage bulk list` show the ids";
            Err(Failure::usage(format!("there is no action and no run on many `{id}`\n{hint}")))
        }
        Err(UndoError::Not(why)) => {
            Err(Failure::failed(format!("run on many `{id}` cannot be undone: {why}")))
        }
        Err(UndoError::Store(error)) => Err(error.into()),
    }
}

/// On each whom it changed.
fn of_run(what: &args::Undo, undo: UndoMany) -> Result<(Run, Vec<Target>), Failure> {
    if what.account.is_some() {
        let why = "`--account` says which account of one user is meant: a run on many is undone on the accounts \
                   that it was on";
        return Err(Failure::usage(why));
    }
    let target = |mark: &Mark| Target { login: mark.login.clone(), finding: mark.finding };
    let targets = undo.whom.iter().map(target).collect();
    let run = Run {
        flow: undo.flow.clone(),
        users: Vec::new(),
        finding: None,
        account: None,
        inputs: undo.inputs.clone().into_iter().collect(),
        undoes: None,
        undoes_run: Some(Arc::new(undo)),
        answers: what.answers.clone(),
    };
    Ok((run, targets))
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeStore;
    use super::*;
    use crate::domain::operation;
    use clap::Parser;

    #[tokio::test]
    async fn an_action_that_there_is_not_is_wrong_usage() {
        let id = uuid::Uuid::from_u128(9).to_string();
        let parsed = args::Arguments::try_parse_from(["idtriage", "undo", &id, "--dry-run"]).unwrap();
        let Some(args::Command::Undo(what)) = parsed.command else { panic!("{parsed:?}") };
        let ran = run_of(&what, &FakeStore::default(), &operation::flows(), Timestamp::UNIX_EPOCH).await;
        let why = ran.map(drop).unwrap_err();
        assert!(why.to_string().contains(&format!("there is no action and no run on many `{id}`")), "{why}");
        assert_eq!(why.status(), super::super::failure::USAGE);
    }
}
