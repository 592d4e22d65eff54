//! `user LOGIN`: the dossier.

use super::failure::{DONE, FAILED, Failure};
use super::output::Output;
use crate::domain::dossier::LoadedPart;
use crate::domain::{Login, time};
use crate::tenant::Directory;
use futures_util::future::join_all;
use serde_json::{Map, Value};

/// Reads every part side by side and prints them. It fails only if nothing at all came.
///
/// # Errors
/// If nothing is configured that knows users, or the output is closed.
pub(super) async fn run(login: &str, directory: &dyn Directory, out: &mut Output<'_>) -> Result<u8, Failure> {
    let login = Login::new(login);
    if login.is_empty() {
        return Err(Failure::usage("the login is empty"));
    }
    let names = directory.parts();
    if names.is_empty() {
        return Err(Failure::usage(
            "nothing is configured that knows users\nhint: `[cii]` and `[okta]` in the configuration; `idtriage init` writes a template",
        ));
    }
    let parts = join_all(names.into_iter().map(|name| directory.part(name, &login))).await;
    let parts: Vec<(&LoadedPart, Value)> = parts.iter().map(|part| (part, part.to_json())).collect();
    if out.is_json() {
        out.json(&json(&login, &parts))?;
    } else {
        parts.iter().try_for_each(|(part, json)| print(part, json, out))?;
    }
    let is_known = parts.iter().any(|(_, json)| !json["data"].is_null());
    Ok(if is_known { DONE } else { FAILED })
}

fn json(login: &Login, parts: &[(&LoadedPart, Value)]) -> Value {
    let mut json = Map::new();
    json.insert("login".to_owned(), login.raw().into());
    for (part, value) in parts {
        json.insert(part.name().word().to_owned(), value.clone());
    }
    Value::Object(json)
}

fn print(part: &LoadedPart, json: &Value, out: &mut Output<'_>) -> Result<(), Failure> {
    out.text(&format!("{}, read {}", part.name().word(), time::rfc3339_seconds(part.at())))?;
    for problem in json["error"].as_array().into_iter().flatten() {
        let message = problem["message"].as_str().unwrap_or("failed");
        out.text(&format!("  error: {}{message}", place(problem)))?;
        if let Some(hint) = problem["hint"].as_str() {
            out.text(&format!("  hint: {hint}"))?;
        }
    }
    let mut facts = Vec::new();
    flatten("  ", &json["data"], &mut facts);
    let facts: Vec<(&str, String)> =
        facts.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    out.facts(&facts)?;
    out.text("")?;
    Ok(())
}

fn place(problem: &Value) -> String {
    let steps: Vec<&str> =
        problem["path"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if steps.is_empty() { String::new() } else { format!("{}: ", steps.join(".")) }
}

/// An object as names and values: nested names are joined by dots, lists of plain values by commas.
pub(super) fn flatten(name: &str, value: &Value, into: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let blanks = name.trim_start().is_empty();
                let name = if blanks { format!("{name}{key}") } else { format!("{name}.{key}") };
                flatten(&name, value, into);
            }
        }
        Value::Array(list) if list.iter().any(|value| value.is_object() || value.is_array()) => {
            for (index, value) in list.iter().enumerate() {
                flatten(&format!("{name}.{}", index + 1), value, into);
            }
        }
        Value::Array(list) => {
            let words: Vec<String> = list.iter().map(plain).collect();
            into.push((name.to_owned(), words.join(", ")));
        }
        value => into.push((name.to_owned(), plain(value))),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::{FakeDirectory, okta_user};
    use super::super::output::{Form, tests::printed};
    use super::*;
    use crate::domain::dossier::{Part, Problem};
    use jiff::Timestamp;

    #[test]
    fn prints_what_came_and_what_went_wrong() {
        let directory = FakeDirectory {
            okta: Some(Part::whole(Timestamp::UNIX_EPOCH, okta_user("SUS\u{1b}PENDED"))),
            ..Default::default()
        };
        let (status, text) = printed(Form::Text, async |out| run(" Ann ", &directory, out).await.unwrap());
        assert_eq!(status, DONE);
        assert!(text.out.starts_with("okta, read 1970-01-01T00:00:00Z\n"), "{}", text.out);
        assert!(text.out.contains("  status") && text.out.contains("SUS<U+001B>PENDED"), "{}", text.out);
        let (_, text) = printed(Form::Json, async |out| run("Ann", &directory, out).await.unwrap());
        assert!(
            text.out.starts_with(
                r#"{"login":"Ann","okta":{"at":"1970-01-01T00:00:00.000Z","error":null,"data":{"#
            )
        );
    }

    #[test]
    fn nothing_at_all_is_a_failure() {
        let directory = FakeDirectory {
            okta: Some(Part::failed(Timestamp::UNIX_EPOCH, Problem::whole("timed out"))),
            ..Default::default()
        };
        let (status, text) = printed(Form::Text, async |out| run("ann", &directory, out).await.unwrap());
        assert_eq!(status, FAILED);
        assert!(text.out.contains("error: timed out"));
        let (failed, _) = printed(Form::Text, async |out| run("ann", &FakeDirectory::default(), out).await);
        assert_eq!(failed.unwrap_err().status(), super::super::failure::USAGE);
    }
}
