//! `undo ACTION`: the run that undoes an action.

use super::args::{self, Run};
use super::failure::Failure;
use crate::domain::{Flow, undo};
use crate::store::Store;

/// What has to be run.
///
/// # Errors
/// An action that there is not, and one that nothing undoes.
pub(super) async fn run_of(what: &args::Undo, store: &dyn Store, flows: &[Flow]) -> Result<Run, Failure> {
    let id = what.action;
    let Some(action) = store.action(id).await? else {
        let hint = "hint: `idtriage journal list --json` shows the ids";
        return Err(Failure::usage(format!("there is no action `{id}`\n{hint}")));
    };
    let undo = undo::of(&action, flows)
        .map_err(|why| Failure::failed(format!("action `{id}` cannot be undone: {why}")))?;
    Ok(Run {
        flow: undo.flow,
        users: vec![undo.login.raw().to_owned()],
        finding: undo.finding,
        account: what.account.clone(),
        inputs: undo.inputs.into_iter().collect(),
        undoes: Some(undo.undoes),
        answers: what.answers.clone(),
    })
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
        let why = run_of(&what, &FakeStore::default(), &operation::flows()).await.unwrap_err();
        assert!(why.to_string().contains(&format!("there is no action `{id}`")), "{why}");
        assert_eq!(why.status(), super::super::failure::USAGE);
    }
}
