//! Inputs of a flow's own that name somebody: what becomes of them nobody can know from here.

use super::Desk;
use super::card::Ask;
use super::guard::{self, Mode};
use super::subject::Names;
use crate::domain::flow::InputType;
use crate::domain::{Flow, Login, Route, Untrusted};
use std::collections::BTreeMap;

/// How an id of a user begins at Okta, and how long it is.
const OKTA_ID: (&str, usize) = ("00u", 20);

/// What was given to a flow of Workflows and names somebody who is not known as whom the card is about: input and
/// value.
fn others<'a>(
    flow: &'a Flow,
    inputs: &'a BTreeMap<String, String>,
    names: &Names,
) -> Vec<(&'a str, &'a str)> {
    if flow.route != Route::ApiEndpoint {
        return Vec::new();
    }
    let is_text =
        |name: &str| flow.inputs.iter().any(|input| input.name == name && input.kind == InputType::Text);
    let names_somebody = |text: &str| {
        let (begins, length) = OKTA_ID;
        text.contains('@') || (text.starts_with(begins) && text.len() == length)
    };
    let given = inputs.iter().map(|(name, text)| (name.as_str(), text.trim()));
    given.filter(|(name, text)| is_text(name) && names_somebody(text) && !names.has(text)).collect()
}

/// Why nothing is sent: an input names somebody who is protected.
pub(super) fn refusal(
    desk: &Desk,
    flow: &Flow,
    inputs: &BTreeMap<String, String>,
    names: &Names,
) -> Option<String> {
    others(flow, inputs, names).into_iter().find_map(|(input, text)| {
        let login = Login::new(text);
        let why = guard::refusal(&desk.guard, Mode::Acting, &Names::of_login(&login))?;
        Some(format!("input `{}` names `{}`: {why}", Untrusted::from(input), Untrusted::from(text)))
    })
}

/// What nobody can know: whether a flow acts on whom an input names.
pub(super) fn cannot_know(flow: &Flow, ask: &Ask, names: &Names) -> Vec<String> {
    let other = |(input, text): (&str, &str)| {
        let (input, text) = (Untrusted::from(input), Untrusted::from(text));
        format!(
            "whether the flow acts on `{text}` too, whom input `{input}` names: not known as `{}`",
            ask.login
        )
    };
    others(flow, &ask.inputs, names).into_iter().map(other).collect()
}

/// Whom the inputs of a trial name: a live flow may act on them.
pub(super) fn named(flow: &Flow, inputs: &BTreeMap<String, String>, names: &Names) -> Vec<String> {
    others(flow, inputs, names).into_iter().map(|(_, text)| text.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::flow::{Input, PayloadShape};
    use crate::domain::preset;
    use rstest::rstest;

    #[rstest]
    #[case("bob@x", true)]
    #[case(" 00u1234567890abcdefg ", true)]
    #[case("00u1", false)]
    #[case("ANN@x", false)]
    #[case("a ticket", false)]
    fn what_names_somebody_else_is_seen(#[case] text: &str, #[case] is_seen: bool) {
        let inputs = vec![Input::new("who", InputType::Text)];
        let preset = preset::flow("suspend-okta-account").unwrap();
        let flow = Flow { route: Route::ApiEndpoint, payload: PayloadShape::Fields, inputs, ..preset };
        let given = [("who".to_owned(), text.to_owned())].into();
        let seen = named(&flow, &given, &Names::of_login(&Login::new("ann@x")));
        assert_eq!(!seen.is_empty(), is_seen, "{seen:?}");
    }
}
