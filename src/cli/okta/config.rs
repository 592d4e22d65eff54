//! `okta config get|set`: the IAM configuration, which lives in the store, so that every process sees it at
//! once.

use super::super::args::SetConfig;
use super::super::connect;
use super::super::failure::{DONE, Failure};
use super::super::output::Output;
use super::super::session::{Session, closed};
use super::super::table::{Table, column};
use crate::domain::look_up;
use crate::source::system_log::filter::IAM_CONFIGURATION;
use crate::store::{Replaced, Store};
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
        let entries = Stored::read(store.as_ref()).await?.usable()?;
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
    said: BTreeMap<String, Value>,
    store: &dyn Store,
    session: &Session<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    for _ in 0..MOST_TRIES {
        let stored = Stored::read(store).await?;
        let change = Change::of(&stored, &said, what.replace)?;
        let outcome = match (change.is_none(), what.dry_run) {
            (true, _) => "no-change",
            (false, true) => "dry-run",
            (false, false) => {
                let text = Value::from_iter(change.new.values().cloned()).to_string();
                let actor = session.actor(&session.loaded()?.config.console);
                let seen = stored.text.as_deref();
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

fn tell(change: &Change, outcome: &str, out: &mut Output<'_>) -> Result<(), Failure> {
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

/// What the store holds, as it is and as it is read.
struct Stored {
    text: Option<String>,
    entries: Result<BTreeMap<String, Value>, String>,
}

impl Stored {
    async fn read(store: &dyn Store) -> Result<Stored, Failure> {
        let text = store.setting(IAM_CONFIGURATION).await?;
        let entries = text.as_deref().map_or(Ok(BTreeMap::new()), entries);
        Ok(Stored { text, entries })
    }

    /// The entries; what is damaged is nobody's wrong command line.
    fn usable(&self) -> Result<BTreeMap<String, Value>, Failure> {
        self.entries.clone().map_err(|why| {
            Failure::failed(format!(
                "the IAM configuration in the store cannot be used: {why}\nhint: `idtriage okta config set --replace --configuration JSON --yes` puts a new one in its place"
            ))
        })
    }
}

/// What becomes of the configuration.
struct Change {
    new: BTreeMap<String, Value>,
    told: Vec<String>,
    /// What was wrong with the one that is replaced.
    mended: Option<String>,
}

impl Change {
    /// Laid over what is there, or in its place: then what is there may be damaged.
    fn of(stored: &Stored, said: &BTreeMap<String, Value>, replace: bool) -> Result<Change, Failure> {
        let (old, mended) = match &stored.entries {
            Err(why) if replace => (BTreeMap::new(), Some(why.clone())),
            _ => (stored.usable()?, None),
        };
        let mut new = if replace { BTreeMap::new() } else { old.clone() };
        new.extend(said.clone());
        Ok(Change { told: differences(&old, &new), new, mended })
    }

    fn is_none(&self) -> bool {
        self.told.is_empty() && self.mended.is_none()
    }
}

/// What is wrong with a configuration on the command line.
fn said(text: &str) -> Result<BTreeMap<String, Value>, Failure> {
    entries(text).map_err(|why| {
        Failure::usage(format!(
            "the IAM configuration cannot be used: {why}\nhint: `[{{\"ApplicationID\":\"0oa…\",\"Name\":\"…\"}}]`"
        ))
    })
}

/// By application: no two entries are of one.
fn entries(text: &str) -> Result<BTreeMap<String, Value>, String> {
    let mut entries = BTreeMap::new();
    for (at, entry) in look_up::iam_entries(text)?.into_iter().enumerate() {
        let id = application(&entry).map_err(|why| format!("entry {}: {why}", at + 1))?;
        if entries.insert(id.clone(), entry).is_some() {
            return Err(format!("application `{id}` is there twice"));
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
    use super::super::super::failure::FAILED;
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
        let told = said(text).err().map(|failure| failure.to_string());
        assert_eq!(told.is_some(), wrong.is_some(), "{told:?}");
        assert!(wrong.is_none_or(|wrong| told.unwrap().contains(wrong)));
    }

    fn stored(text: &str) -> Stored {
        Stored { text: Some(text.to_owned()), entries: entries(text) }
    }

    #[test]
    fn what_is_damaged_is_mended_only_by_replacing_it() {
        let new = entries(r#"[{"ApplicationID":"a","Name":"A"}]"#).unwrap();
        let failure = Change::of(&stored("{\"damaged"), &new, false).err().unwrap();
        assert_eq!(failure.status(), FAILED);
        assert!(failure.to_string().contains("hint: `idtriage okta config set --replace"), "{failure}");
        let change = Change::of(&stored("{\"damaged"), &new, true).unwrap();
        assert!(change.mended.is_some_and(|why| why.contains("not JSON")));
        let same = Change::of(&stored(r#"[{"ApplicationID":"a","Name":"A"}]"#), &new, true).unwrap();
        assert!(same.is_none());
        assert!(
            !Change::of(&stored("[7]"), &BTreeMap::new(), true).unwrap().is_none(),
            "an empty one mends it"
        );
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
