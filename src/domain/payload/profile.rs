//! The body that changes fields of an Okta profile, or makes an account with them.

use super::{Inputs, PayloadError};
use crate::domain::operation::PROFILE;
use crate::domain::profile::{self, Profile, ProfileError, ProfileMap};
use crate::domain::{Flow, Login, untrusted};
use serde_json::{Map, Value, json};

/// So much of what was said is repeated.
const REPEATED: usize = 200;

/// `{"profile": {…}}` with the fields that are named and no others: what is absent stays as it is.
pub(super) fn object(flow: &Flow, inputs: &Inputs<'_>) -> Result<String, PayloadError> {
    let text = inputs.extra.get(PROFILE).map(String::as_str).unwrap_or_default();
    let mut fields = fields(text).map_err(|error| match (text, error) {
        ("", _) | (_, None) => PayloadError::Missing { input: PROFILE.to_owned(), flow: flow.id.clone() },
        (text, Some(error)) => PayloadError::WrongType {
            input: PROFILE.to_owned(),
            flow: flow.id.clone(),
            wanted: error.hint(),
            value: untrusted::visible(&text.chars().take(REPEATED).collect::<String>()).into_owned(),
        },
    })?;
    if flow.creates() {
        with_login(flow, &inputs.subject.login, &mut fields)?;
    }
    Ok(json!({ "profile": fields }).to_string())
}

/// The account that is made is the one that the card names.
fn with_login(flow: &Flow, login: &Login, fields: &mut Map<String, Value>) -> Result<(), PayloadError> {
    let said = fields.entry("login").or_insert_with(|| login.raw().into());
    if said.as_str().map(Login::new).as_ref() == Some(login) {
        return Ok(());
    }
    Err(PayloadError::WrongType {
        input: PROFILE.to_owned(),
        flow: flow.id.clone(),
        wanted: "the login of the account that is made",
        value: untrusted::visible(&said.to_string()).into_owned(),
    })
}

/// The fields of a profile's text, under Okta's own names: held to the same rules as what a command line says.
/// The error is nothing where it holds no field.
fn fields(text: &str) -> Result<Map<String, Value>, Option<ProfileError>> {
    let profile = Profile::of(&ProfileMap::none(), &profile::object(text).map_err(Some)?).map_err(Some)?;
    match serde_json::from_str(&profile.json()) {
        Ok(Value::Object(fields)) if !fields.is_empty() => Ok(fields),
        _ => Err(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(r#"{"title":"x","surname":"own"}"#, Ok(2))]
    #[case("{}", Err(""))]
    #[case("[1]", Err("not a JSON object"))]
    #[case("", Err("not a JSON object"))]
    #[case(r#"{"id":"00u1"}"#, Err("`id`"))]
    #[case(r#"{"title":{"a":1}}"#, Err("no objects"))]
    #[case(r#"{"title":"\u001b[2J"}"#, Err("control character"))]
    fn what_is_said_by_an_input_is_held_to_the_same_rules(
        #[case] text: &str,
        #[case] expected: Result<usize, &str>,
    ) {
        match (fields(text), expected) {
            (Ok(fields), Ok(count)) => assert_eq!(fields.len(), count, "names stay as they are: {fields:?}"),
            (Err(error), Err(phrase)) => {
                let told = error.map(|error| error.to_string()).unwrap_or_default();
                assert!(told.contains(phrase), "{told}");
            }
            other => panic!("{other:?}"),
        }
    }
}
