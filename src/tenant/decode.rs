//! Decoding that keeps what can be kept.
//!
//! Fields may come null, change their type or grow. One odd field must not cost the analyst the other
//! thirty, so a shape that does not decode is tried member by member; what is left out stands as a
//! problem at its place.

use crate::domain::dossier::Problem;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Decodes an object of which every member may be missing. `place` is where it stands in the answer.
pub(super) fn tolerantly<T: DeserializeOwned>(
    place: &str,
    mut value: Value,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    drop_nulls(&mut value);
    if let Ok(decoded) = T::deserialize(&value) {
        return Some(decoded);
    }
    let Value::Object(members) = value else {
        problems.push(Problem::whole(format!("`{place}` is not an object")));
        return None;
    };
    let mut kept = Map::new();
    for (name, member) in members {
        match decode_member::<T>(&name, &member) {
            Ok(()) => drop(kept.insert(name, member)),
            Err(cause) => problems.push(left_out(place, name, &cause)),
        }
    }
    T::deserialize(Value::Object(kept)).ok()
}

fn decode_member<T: DeserializeOwned>(name: &str, member: &Value) -> Result<(), String> {
    let alone = Map::from_iter([(name.to_owned(), member.clone())]);
    T::deserialize(Value::Object(alone)).map(drop).map_err(|error| error.to_string())
}

fn left_out(place: &str, name: String, cause: &str) -> Problem {
    let message = format!("`{name}` came in an unknown shape and is left out: {cause}");
    Problem { path: vec![place.to_owned(), name], ..Problem::whole(message) }
}

/// Removes members and items that are null: null, absent and empty all mean "none".
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => {
            items.retain(|item| !item.is_null());
            items.iter_mut().for_each(drop_nulls);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dossier::EndUserState;
    use serde_json::json;

    #[test]
    fn one_odd_member_costs_only_itself() {
        let mut problems = Vec::new();
        let sent = json!({"id": null, "login": "a@b", "usedFactors": {"x": 1}, "status": "ACTIVE",
            "ipAddresses": [null, {"ipAddress": "10.0.0.1", "location": null}]});
        let state: EndUserState = tolerantly("getEndUserState", sent, &mut problems).unwrap();
        assert_eq!((state.login.raw(), state.status.raw()), ("a@b", "ACTIVE"));
        assert_eq!(state.ip_addresses.len(), 1);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].path, ["getEndUserState", "usedFactors"]);
    }

    #[test]
    fn what_is_no_object_is_none() {
        let mut problems = Vec::new();
        assert_eq!(tolerantly::<EndUserState>("x", json!([1]), &mut problems), None);
        assert_eq!(problems.len(), 1);
    }
}
