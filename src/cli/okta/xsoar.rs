//! The arguments that XSOAR's commands take, as ours take them.

use super::super::failure::Failure;
use crate::domain::profile::{Said, object};

/// The id and the name of a group.
///
/// # Errors
/// If it is no object, or has neither.
pub(super) fn group_key(scim: &str) -> Result<(Option<String>, Option<String>), Failure> {
    let said = object(scim).map_err(|_| Failure::usage("`--scim` is not a JSON object"))?;
    let id = named(&said, "id")?.map(|id| id.trim().to_owned());
    match (id, named(&said, "displayName")?) {
        (None, None) => {
            Err(Failure::usage("`--scim` names no group\nhint: `--scim '{\"displayName\":\"Sales\"}'`"))
        }
        (Some(id), _) => Ok((Some(id), None)),
        (None, name) => Ok((None, name.map(str::to_owned))),
    }
}

/// The one text under a name; null and blank are none. A name is not trimmed: exactly that group is meant.
fn named<'a>(said: &'a [Said], name: &str) -> Result<Option<&'a str>, Failure> {
    let mut all = said.iter().filter(|said| said.name == name && !said.value.is_null());
    let (first, second) = (all.next(), all.next());
    match (first.map(|said| said.value.as_str()), second) {
        (None, _) => Ok(None),
        (Some(Some(text)), None) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
        (Some(None), None) => Err(Failure::usage(format!("`{name}` in `--scim` is no text"))),
        (Some(_), Some(_)) => Err(Failure::usage(format!("`{name}` stands twice in `--scim`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_group_is_named_by_id_first() {
        assert_eq!(group_key(r#"{"displayName":"S","id":"00g1"}"#).unwrap(), (Some("00g1".to_owned()), None));
        assert_eq!(group_key(r#"{"displayName":"S"}"#).unwrap(), (None, Some("S".to_owned())));
        assert_eq!(group_key(r#"{"displayName":" S","id":" "}"#).unwrap(), (None, Some(" S".to_owned())));
    }

    #[rstest]
    #[case("{}", "names no group")]
    #[case("[]", "not a JSON object")]
    #[case(r#"{"id":7,"displayName":"S"}"#, "`id` in `--scim` is no text")]
    #[case(r#"{"displayName":"S","displayName":"T"}"#, "`displayName` stands twice")]
    fn what_names_no_group_or_two_is_refused(#[case] scim: &str, #[case] phrase: &str) {
        let failure = group_key(scim).unwrap_err().to_string();
        assert!(failure.contains(phrase), "{failure}");
    }
}
