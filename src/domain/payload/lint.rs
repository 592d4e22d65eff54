//! Whether the inputs that flows declare are what a finding fills in: one letter off, and a flow is run without the
//! value that was meant.

use super::ispm::FIELDS;
use crate::domain::Flow;
use crate::domain::flow::Input;

/// From this likeness on one name is taken for another, misspelt: `evenType` is like `eventType`, and `eventScope`
/// like `eventSource`, as two of the shipped templates have them.
const ALIKE: f64 = 0.88;

/// What a declared input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declared {
    /// One of the 22 fields, or the login: the finding fills it in.
    Field,
    /// Not one of them, but like this one.
    Near(&'static str),
    /// The flow's own: it has a value, or is asked for.
    Own,
}

impl Declared {
    /// What an input is.
    pub fn of(input: &Input) -> Declared {
        let name = input.name.as_str();
        if name == "login" || FIELDS.iter().any(|(field, _)| *field == name) {
            return Declared::Field;
        }
        let folded = name.to_lowercase();
        let likeness = |field: &str| strsim::jaro_winkler(&folded, &field.to_lowercase());
        let nearest = FIELDS.iter().map(|(field, _)| (*field, likeness(field)));
        let nearest = nearest.max_by(|(_, one), (_, other)| one.total_cmp(other));
        match nearest.filter(|(_, likeness)| *likeness >= ALIKE) {
            Some((field, _)) => Declared::Near(field),
            None => Declared::Own,
        }
    }

    /// The words for it.
    pub fn words(self, input: &Input) -> String {
        match (self, &input.value) {
            (Declared::Field, _) => "filled in from the finding".to_owned(),
            (Declared::Near(field), _) => format!("none of the 22 fields: is `{field}` meant?"),
            (Declared::Own, Some(_)) => "its own, with a value".to_owned(),
            (Declared::Own, None) => "its own: `--input` gives it".to_owned(),
        }
    }
}

/// Each input of each flow, and what it is.
pub fn lint(flows: &[Flow]) -> Vec<(&Flow, &Input, Declared)> {
    // What Okta's own operations take is asked for by their commands.
    let said = flows.iter().filter(|flow| flow.operation.is_none() && flow.steps.is_empty());
    said.flat_map(|flow| flow.inputs.iter().map(move |input| (flow, input, Declared::of(input)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::flow::InputType;
    use rstest::rstest;

    #[rstest]
    #[case("eventType", Declared::Field)]
    #[case("login", Declared::Field)]
    #[case("evenType", Declared::Near("eventType"))]
    #[case("eventScope", Declared::Near("eventSource"))]
    #[case("EventType", Declared::Near("eventType"))]
    #[case("entityIDInService", Declared::Near("entityIdInService"))]
    #[case("issue_severity", Declared::Near("issueSeverity"))]
    #[case("group", Declared::Own)]
    #[case("user", Declared::Own)]
    #[case("sendEmail", Declared::Own)]
    #[case("", Declared::Own)]
    fn near_misses_are_named(#[case] name: &str, #[case] expected: Declared) {
        let input = Input::new(name, InputType::Text);
        assert_eq!(Declared::of(&input), expected);
    }

    #[test]
    fn no_field_is_taken_for_another() {
        for (field, _) in FIELDS {
            let input = Input::new(field, InputType::Text);
            assert_eq!(Declared::of(&input), Declared::Field);
        }
    }
}
