//! `okta fields`: what a profile holds in this org, and by which names each field may be said.

use super::super::connect;
use super::super::failure::{DONE, Failure};
use super::super::output::Output;
use super::super::session::Session;
use super::super::table::{Table, column};
use crate::domain::profile::{Attribute, attributes};
use serde_json::json;

/// Prints the fields, base attributes first.
///
/// # Errors
/// If Okta is not configured or refuses, or the output is closed.
pub(super) async fn run(session: &Session<'_>, out: &mut Output<'_>) -> Result<u8, Failure> {
    let loaded = session.loaded()?;
    let org = connect::okta_org(&loaded)?;
    let schema = org.user_schema().await.map_err(|problem| {
        Failure::failed(format!("the fields of a profile cannot be read: {}", problem.words()))
    })?;
    print(&attributes(&schema, &loaded.config.profiles.map), out)?;
    Ok(DONE)
}

fn print(fields: &[Attribute], out: &mut Output<'_>) -> Result<(), Failure> {
    if out.is_json() {
        for field in fields {
            let Attribute { name, title, kind, from, is_required, names } = field;
            out.json(&json!({
                "field": name, "title": title, "type": kind, "from": from, "required": is_required,
                "names": names,
            }))?;
        }
        return Ok(());
    }
    let mut table = Table::of(&[
        column("FIELD", 30),
        column("TITLE", 40),
        column("TYPE", 8),
        column("FROM", 6),
        column("REQUIRED", 8),
        column("ALSO SAID", 40),
    ]);
    for Attribute { name, title, kind, from, is_required, names } in fields {
        let required = if *is_required { "yes" } else { "" };
        let cells = [name, title, kind, *from, required].map(str::to_owned);
        table.row(cells.into_iter().chain([names.join(", ")]));
    }
    Ok(out.table(&table)?)
}

#[cfg(test)]
mod tests {
    use super::super::super::output::{Form, tests::printed};
    use super::*;
    use crate::domain::profile::ProfileMap;
    use serde_json::Value;

    #[test]
    fn base_and_custom_attributes_stand_beside_the_names_of_the_table() {
        let schema = json!({"definitions": {
            "custom": {"properties": {"badgeNumber": {"title": "Badge\u{1b}"}, "odd": 7}},
            "base": {"required": ["login"], "properties": {"login": {"title": "Username", "type": "string"}}},
        }});
        let map = ProfileMap::with([("badge".to_owned(), "badgeNumber".to_owned())].into()).unwrap();
        let fields = attributes(&schema, &map);
        let (_, json) = printed(Form::Json, async |out| print(&fields, out).unwrap());
        let rows: Vec<Value> = json.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            rows[0],
            json!({"field": "login", "title": "Username", "type": "string", "from": "base",
            "required": true, "names": ["username"]})
        );
        assert_eq!((&rows[1]["names"], &rows[1]["from"]), (&json!(["badge"]), &json!("custom")));
        assert_eq!(rows[2]["type"], "");
        let (_, text) = printed(Form::Text, async |out| print(&fields, out).unwrap());
        assert!(!text.out.contains('\u{1b}'), "{}", text.out);
        assert!(attributes(&json!([]), &map).is_empty());
    }
}
