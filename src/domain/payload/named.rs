//! Everybody whom an ISPM record names, under whatever field: a flow that is handed the record reads one of them,
//! and nobody here can say which.

use super::ispm::{self, text};
use crate::domain::Untrusted;
use serde_json::Value;

/// A text by which a record names somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// As it came, without white space around it.
    pub text: Untrusted,
    /// Whether it is what flows take for the account's id.
    pub is_id: bool,
    /// Whether somebody has to be behind it. A display name, or an id of ISPM's own, may be nobody's.
    pub is_somebodys: bool,
}

/// Under these a record has the id in the product.
const IDS: &[&str] = &["identifierinservice", "idinservice", "entityidinservice"];
/// Under these it has logins, and ids by other names.
const LOGINS: &[&str] = &["username", "userprincipalname", "login", "email", "userid", "accountid"];
/// Under these it has what may be anything.
const NAMES: &[&str] = &["displayname", "entitydisplayname", "entityid"];
/// A person's accounts: a text in it stands for one.
const ACCOUNTS: &str = "activeaccounts";
/// What the issue is about: its own id is ISPM's.
const ENTITY: &str = "affectedentity";

/// Everybody whom a record names, each once; empty for what is no record.
pub fn named(raw: &str) -> Vec<Named> {
    let mut found = Vec::new();
    if let (Some(_), Ok(record)) = (ispm::entity(raw), serde_json::from_str::<Value>(raw)) {
        walk(("", true), &record, &mut found);
    }
    found
}

/// Ids count wherever they stand; what else names somebody, only at the top and in what the issue is about.
fn walk((of, is_about): (&str, bool), value: &Value, found: &mut Vec<Named>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.to_lowercase();
                let is = |names: &[&str]| names.contains(&name.as_str());
                let is_own_id = of == ENTITY && name == "id";
                if is(IDS) || (is_about && (is(LOGINS) || is(NAMES) || is_own_id)) {
                    add(found, &text(Some(value)), (is(IDS), is(IDS) || is(LOGINS)));
                }
                let is_about = name == ENTITY || name == ACCOUNTS || (is_about && !of.is_empty());
                walk((&name, is_about), value, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                if of == ACCOUNTS {
                    add(found, &text(Some(item)), (false, true));
                }
                walk((of, is_about), item, found);
            }
        }
        _ => {}
    }
}

fn add(found: &mut Vec<Named>, text: &str, (is_id, is_somebodys): (bool, bool)) {
    let text = Untrusted::from(text.trim());
    if text.is_blank() {
        return;
    }
    match found.iter_mut().find(|named| named.text == text) {
        Some(named) => {
            named.is_id |= is_id;
            named.is_somebodys |= is_somebodys;
        }
        None => found.push(Named { text, is_id, is_somebodys }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(record: &Value) -> Vec<(String, bool, bool)> {
        let named = named(&record.to_string()).into_iter();
        named.map(|named| (named.text.raw().to_owned(), named.is_id, named.is_somebodys)).collect()
    }

    #[test]
    fn both_shapes_name_everybody_once() {
        let nested = json!({"id": "e1", "entityIdInService": "x-3", "eventData": {"id": "i1",
            "assignee": {"id": "a", "email": "dan", "displayName": "Dan"}, "affectedEntity": {
            "id": "n1", "type": "Bot", "displayName": "Robot", "identifierInService": "x-1", "idInService": " x-2 ",
            "additionalData": {"username": "ann", "activeAccounts": ["bob", {"userName": "cy", "idInService": 7},
                {"displayName": "x-1"}]}}}});
        let mut all = told(&nested);
        all.sort();
        let expected = [
            ("7", true, true),
            ("Robot", false, false),
            ("ann", false, true),
            ("bob", false, true),
            ("cy", false, true),
            ("n1", false, false),
            ("x-1", true, true),
            ("x-2", true, true),
            ("x-3", true, true),
        ];
        assert_eq!(all, expected.map(|(text, is_id, is)| (text.to_owned(), is_id, is)));
        let flat = json!({"issueTitle": "t", "entityIdInService": "x-1", "entityDisplayName": "Robot",
            "entityId": "n1", "issueId": "i1"});
        assert_eq!(told(&flat).len(), 3);
        assert_eq!(told(&json!({"username": "ann"})), [], "that is no record");
    }
}
