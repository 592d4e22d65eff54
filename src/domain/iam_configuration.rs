//! The IAM configuration: the applications that a filter of the System Log is made from, as XSOAR keeps them.
//!
//! What is said is checked and laid over what is there, application by application; what that comes to is
//! shown before it is kept, and kept only where nobody wrote in between.

use serde_json::Value;
use std::collections::BTreeMap;

/// What an entry may hold; all are texts.
const FIELDS: [&str; 5] = ["ApplicationID", "Name", "Label", "Logo", "Instance"];

/// Entries by application: no two are of one.
pub type Entries = BTreeMap<String, Value>;

/// What becomes of what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onto {
    /// It stays where nothing else is said of the same application.
    LaidOver,
    /// It goes: then it may be damaged, too.
    InItsPlace,
}

/// A change of the configuration, not made yet.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigurationChange {
    /// The stored text that it was made from; nothing, where none is stored.
    pub seen: Option<String>,
    /// What would be stored.
    pub new: Entries,
    /// A line a change: `+ 0oa1 Name`.
    pub told: Vec<String>,
    /// What is wrong with the one that it replaces, if anything.
    pub mended: Option<String>,
}

impl ConfigurationChange {
    /// What saying these entries comes to.
    ///
    /// # Errors
    /// What is wrong with the stored ones, where they would stay.
    pub fn of(seen: Option<String>, said: &Entries, onto: Onto) -> Result<ConfigurationChange, String> {
        let stored = seen.as_deref().map_or(Ok(Entries::new()), entries);
        let (old, mended) = match (stored, onto) {
            (Err(why), Onto::InItsPlace) => (Entries::new(), Some(why)),
            (stored, _) => (stored?, None),
        };
        let mut new = if onto == Onto::InItsPlace { Entries::new() } else { old.clone() };
        new.extend(said.clone());
        Ok(ConfigurationChange { told: differences(&old, &new), new, mended, seen })
    }

    /// Whether it would change nothing.
    pub fn is_none(&self) -> bool {
        self.told.is_empty() && self.mended.is_none()
    }

    /// What is stored of it.
    pub fn text(&self) -> String {
        Value::from_iter(self.new.values().cloned()).to_string()
    }
}

/// What an IAM configuration lists: by itself, or under the name that XSOAR keeps it by.
///
/// # Errors
/// A sentence, where it is of another shape.
pub fn listed(text: &str) -> Result<Vec<Value>, String> {
    let said: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    let list = said.get("IAMConfiguration").unwrap_or(&said);
    list.as_array().cloned().ok_or_else(|| "it is not a list".to_owned())
}

/// Its entries, each checked.
///
/// # Errors
/// A sentence about the first that is wrong.
pub fn entries(text: &str) -> Result<Entries, String> {
    let mut entries = Entries::new();
    for (at, entry) in listed(text)?.into_iter().enumerate() {
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

fn differences(old: &Entries, new: &Entries) -> Vec<String> {
    let name = |entry: &Value| entry.get("Name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let gone = old
        .iter()
        .filter(|(id, _)| !new.contains_key(*id))
        .map(|(id, entry)| format!("- {id} {}", name(entry)));
    let come = new.iter().filter_map(|(id, entry)| match old.get(id) {
        None => Some(format!("+ {id} {}", name(entry))),
        Some(before) if before != entry => Some(format!("~ {id} {}", changed(before, entry))),
        Some(_) => None,
    });
    gone.chain(come).collect()
}

/// Which fields hold something else: `Name: B -> New; Label: nothing -> x`.
fn changed(before: &Value, after: &Value) -> String {
    let text = |entry: &Value, field: &str| match entry.get(field).and_then(Value::as_str) {
        Some(text) if !text.is_empty() => text.to_owned(),
        _ => "nothing".to_owned(),
    };
    let differs = FIELDS.iter().filter(|field| before.get(**field) != after.get(**field));
    let words = differs.map(|field| format!("{field}: {} -> {}", text(before, field), text(after, field)));
    words.collect::<Vec<_>>().join("; ")
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
        let told = entries(text).err();
        assert_eq!(told.is_some(), wrong.is_some(), "{told:?}");
        assert!(wrong.is_none_or(|wrong| told.unwrap().contains(wrong)));
    }

    #[test]
    fn what_is_damaged_is_mended_only_by_replacing_it() {
        let new = entries(r#"[{"ApplicationID":"a","Name":"A"}]"#).unwrap();
        let seen = |text: &str| Some(text.to_owned());
        assert!(
            ConfigurationChange::of(seen("{\"damaged"), &new, Onto::LaidOver)
                .unwrap_err()
                .contains("not JSON")
        );
        let change = ConfigurationChange::of(seen("{\"damaged"), &new, Onto::InItsPlace).unwrap();
        assert!(change.mended.is_some_and(|why| why.contains("not JSON")));
        let same = seen(r#"[{"ApplicationID":"a","Name":"A"}]"#);
        assert!(ConfigurationChange::of(same, &new, Onto::InItsPlace).unwrap().is_none());
        let emptied = ConfigurationChange::of(seen("[7]"), &Entries::new(), Onto::InItsPlace).unwrap();
        assert!(!emptied.is_none(), "an empty one mends it");
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
        assert_eq!(differences(&old, &new), ["- a A", "~ b Name: B -> New", "+ c C"]);
    }
}
