//! The arguments that XSOAR's commands take, as ours take them.

use super::super::failure::Failure;
use serde_json::Value;

/// The id and the name of a group.
///
/// # Errors
/// If it is no object, or has neither.
pub(super) fn group_key(scim: &str) -> Result<(Option<String>, Option<String>), Failure> {
    let scim = object(scim)?;
    match (first(&scim, &["id"]), first(&scim, &["displayName"])) {
        (None, None) => {
            Err(Failure::usage("`--scim` names no group\nhint: `--scim '{\"displayName\":\"Sales\"}'`"))
        }
        (Some(id), _) => Ok((Some(id), None)),
        (None, name) => Ok((None, name)),
    }
}

fn object(text: &str) -> Result<Value, Failure> {
    match serde_json::from_str::<Value>(text) {
        Ok(value) if value.is_object() => Ok(value),
        _ => Err(Failure::usage("`--scim` is not a JSON object")),
    }
}

fn first(object: &Value, names: &[&str]) -> Option<String> {
    let texts = names.iter().filter_map(|name| object.get(*name)?.as_str());
    texts.map(str::trim).find(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_named_by_id_first() {
        assert_eq!(group_key(r#"{"displayName":"S","id":"00g1"}"#).unwrap(), (Some("00g1".to_owned()), None));
        assert_eq!(group_key(r#"{"displayName":"S"}"#).unwrap(), (None, Some("S".to_owned())));
        assert!(group_key("{}").is_err());
    }
}
