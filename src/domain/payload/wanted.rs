//! What a flow wants to be told by whoever runs it: its inputs, and where each gets its value.

use super::lint::Declared;
use super::{check_type, says_whom};
use crate::domain::flow::{Input, PayloadShape};
use crate::domain::operation::PROFILE;
use crate::domain::profile::{self, Profile, ProfileError, ProfileMap};
use crate::domain::{Flow, Route};

/// Where an input gets its value, where nobody gives it one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Otherwise {
    /// Nowhere: it has to be given.
    Required,
    /// The finding fills it in.
    Finding,
    /// It says who is meant: nobody gives it another.
    Whom,
    /// It has a default.
    Default,
    /// The configuration fixes it: nobody gives it another.
    Fixed,
}

impl Otherwise {
    /// Whether whoever runs the flow may give it a value.
    pub fn is_open(self) -> bool {
        !matches!(self, Otherwise::Fixed | Otherwise::Whom)
    }
}

/// Where an input of a flow gets its value.
pub fn otherwise(flow: &Flow, input: &Input) -> Otherwise {
    let is_field = flow.payload == PayloadShape::Fields && Declared::of(input) == Declared::Field;
    match (&input.value, &input.default) {
        _ if is_field && says_whom(&input.name) => Otherwise::Whom,
        (Some(_), _) => Otherwise::Fixed,
        (None, _) if is_field => Otherwise::Finding,
        (None, Some(_)) => Otherwise::Default,
        (None, None) => Otherwise::Required,
    }
}

/// Whether a flow cannot be run before it is told something.
pub fn asks(flow: &Flow) -> bool {
    flow.inputs.iter().any(|input| otherwise(flow, input) == Otherwise::Required)
}

/// Whether a flow can be told anything.
pub fn listens(flow: &Flow) -> bool {
    flow.inputs.iter().any(|input| otherwise(flow, input).is_open())
}

/// What a text that is typed for an input of a flow comes to: as `--input` takes it.
///
/// # Errors
/// What is wrong with it, in words.
pub fn value(flow: &Flow, input: &Input, text: &str, map: &ProfileMap) -> Result<String, String> {
    if is_profile(flow, input) {
        return fields(text, map).map_err(|error| format!("{error}; {}", error.hint()));
    }
    check_type(input.kind, text).map(|()| text.to_owned()).map_err(|wanted| format!("wants {wanted}"))
}

/// Whether an input holds fields of an Okta profile.
fn is_profile(flow: &Flow, input: &Input) -> bool {
    flow.route == Route::Okta && input.name == PROFILE
}

/// Pairs, or an object of JSON, become the profile under Okta's names.
fn fields(text: &str, map: &ProfileMap) -> Result<String, ProfileError> {
    let text = text.trim();
    let said = if text.starts_with('{') { profile::object(text)? } else { profile::pairs(text)? };
    Profile::of(map, &said).map(|profile| profile.json())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::flow::InputType;
    use crate::domain::operation::Operation;
    use crate::domain::preset;
    use rstest::rstest;

    fn flow(inputs: Vec<Input>) -> Flow {
        Flow { inputs, payload: PayloadShape::Fields, ..preset::flow("suspend-okta-account").unwrap() }
    }

    fn with(value: Option<&str>, default: Option<&str>, name: &str) -> Input {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Input { value: owned(value), default: owned(default), ..Input::new(name, InputType::Text) }
    }

    #[rstest]
    #[case(with(None, None, "why"), Otherwise::Required)]
    #[case(with(None, Some("x"), "why"), Otherwise::Default)]
    #[case(with(Some("x"), None, "why"), Otherwise::Fixed)]
    #[case(with(Some("x"), Some("y"), "why"), Otherwise::Fixed)]
    #[case(with(None, None, "login"), Otherwise::Whom)]
    #[case(with(Some("x"), None, "entityIdInService"), Otherwise::Whom)]
    #[case(with(None, None, "issueTitle"), Otherwise::Finding)]
    #[case(with(None, Some("x"), "issueTitle"), Otherwise::Finding)]
    #[case(with(None, None, "evenType"), Otherwise::Required)]
    fn it_is_known_where_a_value_comes_from(#[case] input: Input, #[case] expected: Otherwise) {
        let flow = flow(vec![input.clone()]);
        assert_eq!(otherwise(&flow, &input), expected);
        assert_eq!(asks(&flow), expected == Otherwise::Required);
        assert_eq!(listens(&flow), expected.is_open());
    }

    #[rstest]
    #[case(Operation::AddToGroup, true, true)]
    #[case(Operation::Update, true, true)]
    #[case(Operation::ResetPassword, false, true)]
    #[case(Operation::Suspend, false, false)]
    fn operations_ask_for_what_they_cannot_do_without(
        #[case] operation: Operation,
        #[case] asked: bool,
        #[case] listened: bool,
    ) {
        let flow = operation.flow();
        assert_eq!((asks(&flow), listens(&flow)), (asked, listened));
    }

    #[rstest]
    #[case(InputType::Text, "=1 \u{202e}", Ok("=1 \u{202e}"))]
    #[case(InputType::Number, "-1.5e3", Ok("-1.5e3"))]
    #[case(InputType::Number, "seven", Err("wants a number"))]
    #[case(InputType::Boolean, "true", Ok("true"))]
    #[case(InputType::Boolean, "yes", Err("wants `true` or `false`"))]
    #[case(InputType::DateTime, "2026-01-31T09:00:00+02:00", Ok("2026-01-31T09:00:00+02:00"))]
    #[case(InputType::DateTime, "2026-01-31", Err("wants an RFC 3339 time such as `2026-01-31T09:00:00Z`"))]
    fn a_value_is_what_the_command_line_takes(
        #[case] kind: InputType,
        #[case] text: &str,
        #[case] expected: Result<&str, &str>,
    ) {
        let input = Input::new("count", kind);
        let said = value(&flow(vec![input.clone()]), &input, text, &ProfileMap::none());
        assert_eq!(said.as_deref().map_err(String::as_str), expected);
    }

    #[rstest]
    #[case("title=Head of Sales; department=", r#"{"department":"","title":"Head of Sales"}"#)]
    #[case(r#"{"title":"x"}"#, r#"{"title":"x"}"#)]
    fn fields_of_a_profile_are_pairs_or_json(#[case] text: &str, #[case] expected: &str) {
        let flow = Operation::Update.flow();
        assert_eq!(value(&flow, &flow.inputs[0], text, &ProfileMap::none()).as_deref(), Ok(expected));
    }

    #[rstest]
    #[case("title", "`title`")]
    #[case("{\"id\":\"00u1\"}", "`id`")]
    #[case("{", "not a JSON object")]
    fn what_is_no_profile_is_said(#[case] text: &str, #[case] phrase: &str) {
        let flow = Operation::Update.flow();
        let why = value(&flow, &flow.inputs[0], text, &ProfileMap::none()).unwrap_err();
        assert!(why.contains(phrase), "{why}");
    }
}
