//! What does not belong into the file at all: unknown tables and keys, and values of another type.
//!
//! Serde stops at the first of these, and its words quote the value, which may be a secret typed into
//! the wrong place. So the table is walked first: what does not fit is noted, without its value, and
//! taken out, and what is left always deserialises.

use super::problem::{At, Problems};
use super::reference::{self, ELSEWHERE, Kind, LATER, Setting};
use super::said::Said;
use crate::domain::action::EndKind;
use toml::{Table, Value};

const NOT_YET: &str = "is not supported by this version";
const TAKE_OUT: &str = "take it out: a setting without effect is not accepted in silence";
const SECRET_HINT: &str = "say where it is kept: `{ env = \"NAME\" }`, `{ file = \"PATH\" }` or \
                           `{ command = [\"PROGRAM\", \"ARGUMENT\"] }`";

/// What the table says, as far as it fits; the rest is noted.
pub(super) fn said(mut table: Table, problems: &mut Problems) -> Said {
    table.retain(|key, value| is_table_known(key, value, problems));
    for heading in reference::headings() {
        let Some(value) = table.get_mut(bare(heading)) else { continue };
        match value {
            Value::Array(elements) => {
                for (index, element) in elements.iter_mut().enumerate() {
                    check_element(heading, At::element(heading, index), element, problems);
                }
            }
            value => check_element(heading, At::table(heading), value, problems),
        }
    }
    deserialised(table, problems)
}

/// Nothing should be left that serde refuses; if something is, its words are not repeated.
fn deserialised(table: Table, problems: &mut Problems) -> Said {
    table.try_into().unwrap_or_else(|_| {
        problems.note(At::table("the file"), "holds something that is not understood", None);
        Said::default()
    })
}

fn bare(heading: &str) -> &str {
    heading.trim_matches(['[', ']'])
}

fn is_table_known(key: &str, value: &Value, problems: &mut Problems) -> bool {
    let heading = reference::headings().into_iter().find(|heading| bare(heading) == key);
    let Some(heading) = heading else {
        note_unknown_table(key, problems);
        return false;
    };
    let fits = match value {
        Value::Array(elements) => heading.starts_with("[[") && elements.iter().all(Value::is_table),
        value => !heading.starts_with("[[") && value.is_table(),
    };
    if !fits {
        problems.note(At::table(heading), format!("has to be written as `{heading}`"), None);
    }
    fits
}

fn note_unknown_table(key: &str, problems: &mut Problems) {
    problems.hinted(
        At::table(&format!("[{key}]")),
        "is not a table of the configuration",
        &format!("the tables are {}", reference::headings().join(" ")),
    );
}

fn check_element(heading: &str, at: At, value: &mut Value, problems: &mut Problems) {
    let Value::Table(table) = value else { return };
    table.retain(|key, value| match reference::under(heading).find(|setting| setting.key == key) {
        Some(setting) => fits(setting, value, &at.key(key), problems),
        None => {
            note_unknown_key(heading, key, &at, problems);
            false
        }
    });
}

fn note_unknown_key(heading: &str, key: &str, at: &At, problems: &mut Problems) {
    if LATER.contains(&(heading, key)) {
        return problems.hinted(at.key(key), NOT_YET, TAKE_OUT);
    }
    let elsewhere = ELSEWHERE.iter().find(|(table, name, _)| *table == heading && *name == key);
    if let Some((_, _, hint)) = elsewhere {
        return problems.hinted(at.key(key), "is not a setting", hint);
    }
    let known: Vec<String> = reference::under(heading).map(|setting| format!("`{}`", setting.key)).collect();
    let hint = format!("{heading} knows {}", known.join(" "));
    problems.hinted(at.key(key), "is not a setting", &hint);
}

fn fits(setting: &Setting, value: &Value, at: &At, problems: &mut Problems) -> bool {
    let fits = match setting.kind {
        Kind::Text => value.is_str(),
        Kind::Switch => value.is_bool(),
        Kind::Texts => is_texts(value),
        Kind::Secret => return is_secret(value, at, problems),
        Kind::Auth => return is_auth(value, at, problems),
        Kind::Inputs => is_inputs(value),
        Kind::Keys => is_keys(value),
        Kind::Number => value.as_integer().is_some_and(|number| u32::try_from(number).is_ok()),
        Kind::Map => value.as_table().is_some_and(|table| table.values().all(Value::is_str)),
        Kind::Then => is_then(value),
        Kind::Allow => return is_allow(value, at, problems),
        Kind::Names => value.as_table().is_some_and(|table| table.values().all(Value::is_str)),
        Kind::Ends => is_ends(value),
    };
    if !fits {
        problems.note(at.clone(), format!("has to be {}", setting.kind.words()), None);
    }
    fits
}

fn is_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|list| list.iter().all(Value::is_str))
}

fn is_ends(value: &Value) -> bool {
    let is_end = |(key, value): (&String, &Value)| EndKind::parse(key).is_some() && is_texts(value);
    value.as_table().is_some_and(|table| table.iter().all(is_end))
}

fn is_inputs(value: &Value) -> bool {
    let is_input = |value: &Value| {
        value.as_table().is_some_and(|table| {
            table.iter().all(|(key, value)| {
                matches!(key.as_str(), "name" | "type" | "value" | "default" | "description")
                    && value.is_str()
            })
        })
    };
    value.as_array().is_some_and(|list| list.iter().all(is_input))
}

fn is_keys(value: &Value) -> bool {
    value.as_table().is_some_and(|table| table.values().all(|value| value.is_str() || is_texts(value)))
}

fn is_then(value: &Value) -> bool {
    let is_known = |(key, value): (&String, &Value)| match key.as_str() {
        "severity" | "tag" | "notify" => value.is_str(),
        "drop" => value.is_bool(),
        _ => false,
    };
    value.as_table().is_some_and(|table| table.iter().all(is_known))
}

/// Each that does not fit is named: a switch that is misspelt would allow what was to be refused.
fn is_allow(value: &Value, at: &At, problems: &mut Problems) -> bool {
    let Some(table) = value.as_table() else {
        problems.note(at.clone(), format!("has to be {}", Kind::Allow.words()), None);
        return false;
    };
    let mut fits = true;
    for (key, value) in table {
        match key.as_str() {
            "create" | "update" | "enable" | "disable" if value.is_bool() => {}
            "create" | "update" | "enable" | "disable" => {
                problems.note(at.inner(key), "has to be true or false", None);
                fits = false;
            }
            _ => {
                problems.hinted(at.inner(key), "is not a setting", Kind::Allow.words());
                fits = false;
            }
        }
    }
    fits
}

/// A literal is refused in words, whatever it looks like, and never repeated.
fn is_secret(value: &Value, at: &At, problems: &mut Problems) -> bool {
    let Some(table) = value.as_table() else {
        problems.hinted(at.clone(), "a secret does not stand in the configuration itself", SECRET_HINT);
        return false;
    };
    let is_place = |(key, value): (&String, &Value)| match key.as_str() {
        "env" | "file" => value.is_str(),
        "command" => is_texts(value),
        _ => false,
    };
    let fits = table.len() == 1 && table.iter().all(is_place);
    if !fits {
        problems.hinted(at.clone(), "has to name one place where the secret is kept", SECRET_HINT);
    }
    fits
}

fn is_auth(value: &Value, at: &At, problems: &mut Problems) -> bool {
    if value.is_str() {
        return true;
    }
    let token = value.as_table().filter(|table| table.len() == 1).and_then(|table| table.get("client_token"));
    match token {
        Some(token) => is_secret(token, &at.inner("client_token"), problems),
        None => {
            problems.note(at.clone(), format!("has to be {}", Kind::Auth.words()), None);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::problem::Problem;
    use super::*;

    fn check(text: &str) -> (Said, Vec<String>) {
        let mut problems = Problems::default();
        let said = said(text.parse().unwrap(), &mut problems);
        (said, problems.into_vec().iter().map(Problem::to_string).collect())
    }

    #[test]
    fn all_misfits_are_noted_and_the_rest_is_kept() {
        let (said, problems) = check(
            "[console]\nanalyst = 'Ann'\ncolour = 'red'\nprefetch = 'yes'\n[guard]\nbulk_limit = 'many'\n[[rule]]\nwhen = 'x'\nthen = { drop = 'yes' }\n[rules]\n",
        );
        assert_eq!(said.console.analyst.as_deref(), Some("Ann"));
        assert_eq!(problems.len(), 5, "{problems:#?}");
        let told = problems.join("\n");
        assert!(told.contains("[console] colour: is not a setting"));
        assert!(told.contains("[console] prefetch: has to be true or false"));
        assert!(told.contains("[guard] bulk_limit: has to be"));
        assert!(told.contains("[[rule]] #1 then: has to be a table of"));
        assert!(told.contains("[rules]: is not a table of the configuration"));
    }

    #[test]
    fn a_literal_secret_is_never_repeated() {
        for secret in
            ["'hunter2'", "{ literal = 'hunter2' }", "{ env = 'A', file = 'hunter2' }", "['hunter2']"]
        {
            let (_, problems) = check(&format!("[okta]\napi_token = {secret}\n"));
            assert_eq!(problems.len(), 1);
            assert!(!problems[0].contains("hunter2"), "{}", problems[0]);
        }
    }
}
