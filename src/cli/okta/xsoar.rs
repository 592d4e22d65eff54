//! The arguments that XSOAR's commands take, as ours take them.

use super::super::failure::Failure;
use serde_json::Value;

/// Whom a user profile means: the first of `id`, `login`, `username` and `email` that says something.
///
/// # Errors
/// If it is no object, or names nobody.
pub(super) fn user_key(profile: &str) -> Result<String, Failure> {
    let profile = object("--user-profile", profile)?;
    first(&profile, &["id", "login", "username", "email"]).ok_or_else(|| {
        Failure::usage(
            "`--user-profile` names nobody\nhint: `--user-profile '{\"email\":\"ann@example.com\"}'`",
        )
    })
}

/// The id and the name of a group.
///
/// # Errors
/// If it is no object, or has neither.
pub(super) fn group_key(scim: &str) -> Result<(Option<String>, Option<String>), Failure> {
    let scim = object("--scim", scim)?;
    match (first(&scim, &["id"]), first(&scim, &["displayName"])) {
        (None, None) => {
            Err(Failure::usage("`--scim` names no group\nhint: `--scim '{\"displayName\":\"Sales\"}'`"))
        }
        (Some(id), _) => Ok((Some(id), None)),
        (None, name) => Ok((None, name)),
    }
}

fn object(name: &str, text: &str) -> Result<Value, Failure> {
    match serde_json::from_str::<Value>(text) {
        Ok(value) if value.is_object() => Ok(value),
        _ => Err(Failure::usage(format!("`{name}` is not a JSON object"))),
    }
}

fn first(object: &Value, names: &[&str]) -> Option<String> {
    let texts = names.iter().filter_map(|name| object.get(*name)?.as_str());
    texts.map(str::trim).find(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(r#"{"email":"a@x","id":"00u1"}"#, Some("00u1"))]
    #[case(r#"{"email":"a@x","username":" ","surname":"A"}"#, Some("a@x"))]
    #[case(r#"{"surname":"A"}"#, None)]
    #[case("[]", None)]
    #[case("a@x", None)]
    fn a_profile_names_one_user(#[case] profile: &str, #[case] expected: Option<&str>) {
        assert_eq!(user_key(profile).ok().as_deref(), expected);
    }

    #[test]
    fn a_group_is_named_by_id_first() {
        assert_eq!(group_key(r#"{"displayName":"S","id":"00g1"}"#).unwrap(), (Some("00g1".to_owned()), None));
        assert_eq!(group_key(r#"{"displayName":"S"}"#).unwrap(), (None, Some("S".to_owned())));
        assert!(group_key("{}").is_err());
    }
}
