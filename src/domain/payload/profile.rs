//! The body that changes fields of an Okta profile, or makes an account with them.

use super::{Inputs, PayloadError};
use crate::domain::operation::PROFILE;
use crate::domain::{Flow, Login, untrusted};
use serde_json::{Map, Value, json};

/// More fields than these are nobody's profile.
const MOST_FIELDS: usize = 200;
/// The most that a profile's text may take.
const MOST_BYTES: usize = 64 << 10;

/// `{"profile": {…}}` with the fields that are named and no others: what is absent stays as it is.
pub(super) fn object(flow: &Flow, inputs: &Inputs<'_>) -> Result<String, PayloadError> {
    let text = inputs.extra.get(PROFILE).map(String::as_str).unwrap_or_default();
    let mut fields = fields(text).map_err(|wanted| match text {
        "" => PayloadError::Missing { input: PROFILE.to_owned(), flow: flow.id.clone() },
        text => PayloadError::WrongType {
            input: PROFILE.to_owned(),
            flow: flow.id.clone(),
            wanted,
            value: untrusted::visible(text.get(..200).unwrap_or(text)).into_owned(),
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

/// The fields of a profile's text; the error says what it has to be.
///
/// # Errors
/// If it is not an object, holds nothing, or more than a profile can.
pub fn fields(text: &str) -> Result<Map<String, Value>, &'static str> {
    if text.len() > MOST_BYTES {
        return Err("at most 64 KiB of fields");
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) if fields.is_empty() => Err("at least one field"),
        Ok(Value::Object(fields)) if fields.len() > MOST_FIELDS => Err("at most 200 fields"),
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err("an object of JSON such as `{\"title\":\"Head of Sales\"}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(r#"{"title":"x"}"#, None)]
    #[case("{}", Some("at least one field"))]
    #[case("[1]", Some("an object"))]
    #[case("", Some("an object"))]
    fn a_profile_is_an_object_that_holds_something(#[case] text: &str, #[case] wrong: Option<&str>) {
        let said = fields(text).err();
        assert_eq!(said.is_some(), wrong.is_some());
        assert!(wrong.is_none_or(|wrong| said.unwrap().starts_with(wrong)));
    }
}
