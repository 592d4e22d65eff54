//! `okta config get|set`: the IAM configuration, which lives in the store, so that every process sees it at
//! once.

use super::super::args::SetConfig;
use super::super::connect;
use super::super::failure::{DONE, Failure};
use super::super::output::Output;
use super::super::session::{Session, closed};
use super::super::table::{Table, column};
use crate::source::system_log::filter::IAM_CONFIGURATION;
use crate::store::Store;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What an entry may hold; all are texts.
const FIELDS: [&str; 5] = ["ApplicationID", "Name", "Label", "Logo", "Instance"];

/// Prints it.
///
/// # Errors
/// If the store cannot be read, or the output is closed.
pub(super) async fn get(session: &Session<'_>, out: &mut Output<'_>) -> Result<u8, Failure> {
    let store = session.local_store(out).await?;
    let ended = async {
        let entries = current(store.as_ref()).await?;
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
    let said = entries(&what.configuration)?;
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
    said: BTreeMap<String, Value>,
    store: &dyn Store,
    session: &Session<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let old = current(store).await?;
    let mut new = if what.replace { BTreeMap::new() } else { old.clone() };
    new.extend(said);
    let changes = differences(&old, &new);
    let outcome = match (changes.is_empty(), what.dry_run) {
        (true, _) => "no-change",
        (false, true) => "dry-run",
        (false, false) => {
            let list: Vec<&Value> = new.values().collect();
            let text = Value::from_iter(list.into_iter().cloned()).to_string();
            let actor = session.actor(&session.loaded()?.config.console);
            store.set_setting(IAM_CONFIGURATION, &text, &actor, connect::now()).await?;
            "changed"
        }
    };
    if out.is_json() {
        out.json(&json!({"outcome": outcome, "changes": changes, "configuration": new.values().collect::<Vec<_>>()}))?;
    } else {
        changes.iter().try_for_each(|change| out.text(change))?;
        out.text(outcome)?;
    }
    Ok(DONE)
}

async fn current(store: &dyn Store) -> Result<BTreeMap<String, Value>, Failure> {
    match store.setting(IAM_CONFIGURATION).await? {
        Some(text) => entries(&text),
        None => Ok(BTreeMap::new()),
    }
}

/// By application: no two entries are of one.
fn entries(text: &str) -> Result<BTreeMap<String, Value>, Failure> {
    let bad = |why: String| {
        Failure::usage(format!(
            "the IAM configuration cannot be used: {why}\nhint: `[{{\"ApplicationID\":\"0oa…\",\"Name\":\"…\"}}]`"
        ))
    };
    let said: Value = serde_json::from_str(text).map_err(|error| bad(format!("it is not JSON: {error}")))?;
    let list = said.get("IAMConfiguration").unwrap_or(&said);
    let list = list.as_array().ok_or_else(|| bad("it is not a list".to_owned()))?;
    let mut entries = BTreeMap::new();
    for (at, entry) in list.iter().enumerate() {
        let id = application(entry).map_err(|why| bad(format!("entry {}: {why}", at + 1)))?;
        if entries.insert(id.clone(), entry.clone()).is_some() {
            return Err(bad(format!("application `{id}` is there twice")));
        }
    }
    Ok(entries)
}

fn application(entry: &Value) -> Result<String, String> {
    let entry = entry.as_object().ok_or("it is not an object")?;
    if let Some(unknown) = entry.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(format!("`{unknown}` is not one of {}", FIELDS.join(", ")));
    }
    if let Some((name, _)) = entry.iter().find(|(_, value)| !value.is_string() && !value.is_null()) {
        return Err(format!("`{name}` is not a text"));
    }
    let id = entry.get("ApplicationID").and_then(Value::as_str).unwrap_or_default();
    let is_id = !id.is_empty() && id.len() <= 100 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_id.then(|| id.to_owned()).ok_or_else(|| "`ApplicationID` is not an id of an application".to_owned())
}

/// A line a change: `+ 0oa1 Name`.
fn differences(old: &BTreeMap<String, Value>, new: &BTreeMap<String, Value>) -> Vec<String> {
    let name = |entry: &Value| entry.get("Name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let gone = old
        .iter()
        .filter(|(id, _)| !new.contains_key(*id))
        .map(|(id, entry)| format!("- {id} {}", name(entry)));
    let come = new.iter().filter_map(|(id, entry)| match old.get(id) {
        None => Some(format!("+ {id} {}", name(entry))),
        Some(before) if before != entry => Some(format!("~ {id} {}", name(entry))),
        Some(_) => None,
    });
    gone.chain(come).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(r#"[{"ApplicationID":"0oa1","Name":"A","Logo":null}]"#, None)]
    #[case(r#"{"IAMConfiguration":[{"ApplicationID":"0oa1"}]}"#, None)]
    #[case(r#"[{"ApplicationID":"0oa1"},{"ApplicationID":"0oa1"}]"#, Some("twice"))]
    #[case(r#"[{"ApplicationID":"0oa1","Colour":"red"}]"#, Some("`Colour`"))]
    #[case(r#"[{"ApplicationID":7}]"#, Some("`ApplicationID` is not a text"))]
    #[case(r#"[{"Name":"A"}]"#, Some("entry 1"))]
    #[case("{}", Some("not a list"))]
    #[case("nonsense", Some("not JSON"))]
    fn what_is_set_is_checked(#[case] text: &str, #[case] wrong: Option<&str>) {
        let told = entries(text).err().map(|failure| failure.to_string());
        assert_eq!(told.is_some(), wrong.is_some(), "{told:?}");
        assert!(wrong.is_none_or(|wrong| told.unwrap().contains(wrong)));
    }

    #[test]
    fn what_changes_is_told_line_by_line() {
        let read = |text: &str| entries(text).unwrap();
        let old = read(
            r#"[{"ApplicationID":"a","Name":"A"},{"ApplicationID":"b","Name":"B"},{"ApplicationID":"d"}]"#,
        );
        let new = read(
            r#"[{"ApplicationID":"b","Name":"New"},{"ApplicationID":"c","Name":"C"},{"ApplicationID":"d"}]"#,
        );
        assert_eq!(differences(&old, &new), ["- a A", "~ b New", "+ c C"]);
    }
}
