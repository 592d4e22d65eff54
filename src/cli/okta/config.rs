//! `okta config get|set`: the IAM configuration, which lives in the store, so that every process sees it at
//! once.

use super::super::args::SetConfig;
use super::super::connect;
use super::super::failure::{DONE, Failure};
use super::super::output::Output;
use super::super::session::{Session, closed, takes_words};
use super::super::table::{Table, column};
use crate::domain::iam_configuration::{ConfigurationChange, Entries, Onto, entries};
use crate::source::system_log::filter::IAM_CONFIGURATION;
use crate::store::{Replaced, Store};
use serde_json::{Value, json};

/// Prints it.
///
/// # Errors
/// If the store cannot be read, or the output is closed.
pub(super) async fn get(session: &Session<'_>, out: &mut Output<'_>) -> Result<u8, Failure> {
    let store = session.local_store(out).await?;
    let ended = async {
        let stored = store.setting(IAM_CONFIGURATION).await?;
        let entries = stored.as_deref().map_or(Ok(Entries::new()), entries).map_err(|why| damaged(&why))?;
        if entries.is_empty() {
            out.note("no IAM configuration is set: `idtriage okta config set` keeps one")?;
        }
        print(entries.values(), out)?;
        Ok(DONE)
    };
    let ended = ended.await;
    closed(store.as_ref(), ended).await
}

/// Checks what is said, lays it over what is there, shows what changes, and changes it.
///
/// # Errors
/// If it is not a list of applications, is not confirmed, or the store fails.
pub(super) async fn set(
    what: &SetConfig,
    session: &Session<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let said = said(&what.configuration)?;
    if !what.dry_run {
        session.may_change("setting the IAM configuration")?;
    }
    if !what.dry_run && !what.yes {
        return Err(Failure::usage(
            "setting the IAM configuration wants a confirmation\nhint: `--dry-run` shows what would change, `--yes` changes it",
        ));
    }
    let store = session.local_store(out).await?;
    let ended = change(what, said, store.as_ref(), session, out).await;
    closed(store.as_ref(), ended).await
}

async fn change(
    what: &SetConfig,
    said: Entries,
    store: &dyn Store,
    session: &Session<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    for _ in 0..MOST_TRIES {
        let onto = if what.replace { Onto::InItsPlace } else { Onto::LaidOver };
        let change = ConfigurationChange::of(store.setting(IAM_CONFIGURATION).await?, &said, onto);
        let change = change.map_err(|why| damaged(&why))?;
        let outcome = match (change.is_none(), what.dry_run) {
            (true, _) => "no-change",
            (false, true) => "dry-run",
            (false, false) => {
                let (text, config) = (change.text(), session.loaded()?.config);
                takes_words(&config, "the IAM configuration", &text)?;
                let actor = session.actor(&config.console);
                let seen = change.seen.as_deref();
                match store.replace_setting(IAM_CONFIGURATION, seen, &text, &actor, connect::now()).await? {
                    Replaced::Done => "changed",
                    // What somebody else has just written is read, and this is laid over it.
                    Replaced::Meanwhile => continue,
                }
            }
        };
        tell(&change, outcome, out)?;
        return Ok(DONE);
    }
    Err(Failure::failed(
        "the IAM configuration is being changed by others: nothing was changed here\nhint: try again",
    ))
}

fn tell(change: &ConfigurationChange, outcome: &str, out: &mut Output<'_>) -> Result<(), Failure> {
    if out.is_json() {
        return Ok(out.json(&json!({
            "outcome": outcome, "changes": change.told, "mended": change.mended,
            "configuration": change.new.values().collect::<Vec<_>>(),
        }))?);
    }
    if let Some(why) = &change.mended {
        out.text(&format!("! what is stored cannot be used, and all of it is replaced: {why}"))?;
    }
    change.told.iter().try_for_each(|change| out.text(change))?;
    Ok(out.text(outcome)?)
}

/// So many times somebody else may write in between before this gives up.
const MOST_TRIES: usize = 20;

/// What is wrong with a configuration on the command line.
fn said(text: &str) -> Result<Entries, Failure> {
    entries(text).map_err(|why| {
        Failure::usage(format!(
            "the IAM configuration cannot be used: {why}\nhint: `[{{\"ApplicationID\":\"0oa…\",\"Name\":\"…\"}}]`"
        ))
    })
}

/// What is stored is nobody's wrong command line.
fn damaged(why: &str) -> Failure {
    Failure::failed(format!(
        "the IAM configuration in the store cannot be used: {why}\nhint: `idtriage okta config set --replace --configuration JSON --yes` puts a new one in its place"
    ))
}

fn print<'a>(entries: impl Iterator<Item = &'a Value>, out: &mut Output<'_>) -> Result<(), Failure> {
    let mut table = Table::of(&[
        column("APPLICATION", 24),
        column("NAME", 40),
        column("LABEL", 40),
        column("INSTANCE", 30),
    ]);
    for entry in entries {
        if out.is_json() {
            out.json(entry)?;
        } else {
            let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            table.row(["ApplicationID", "Name", "Label", "Instance"].map(text));
        }
    }
    Ok(out.table(&table)?)
}
