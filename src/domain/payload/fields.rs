//! The inputs that a flow declares, typed.

use super::{Inputs, PayloadError, ispm};
use crate::domain::Flow;
use crate::domain::flow::{Input, InputType};
use crate::domain::{time, untrusted};
use jiff::Timestamp;
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;

/// Refuses values for inputs that the flow does not declare, or that the configuration fixes: a typing
/// error must not run a flow without the value that was meant.
///
/// # Errors
/// [`PayloadError`] names the first input that is not the flow's to be given.
pub fn check_names(flow: &Flow, extra: &BTreeMap<String, String>) -> Result<(), PayloadError> {
    for name in extra.keys() {
        let (input, id) = (untrusted::visible(name).into_owned(), flow.id.clone());
        match flow.inputs.iter().find(|declared| declared.name == *name) {
            None => {
                let known = flow.inputs.iter().map(|declared| declared.name.clone()).collect();
                return Err(PayloadError::Undeclared { input, flow: id, known });
            }
            Some(_) if ispm::says_whom(name) => return Err(PayloadError::Whom { input, flow: id }),
            Some(declared) if declared.value.is_some() => {
                return Err(PayloadError::Fixed { input, flow: id });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The declared inputs in the declared order.
pub(super) fn object(flow: &Flow, inputs: &Inputs<'_>) -> Result<String, PayloadError> {
    let mut known = ispm::made(flow, inputs)?;
    known.insert("login".to_owned(), inputs.subject.login.raw().into());
    of(flow, inputs.extra, &known)
}

/// The same from values that are known.
pub(super) fn of(
    flow: &Flow,
    extra: &BTreeMap<String, String>,
    known: &Map<String, Value>,
) -> Result<String, PayloadError> {
    let mut body = Map::new();
    for input in &flow.inputs {
        let value = value_of(input, extra, known).ok_or_else(|| missing(flow, input))?;
        body.insert(input.name.clone(), typed(flow, input, value)?);
    }
    Ok(Value::Object(body).to_string())
}

/// Fixed, else given, else known from the finding, else the default. An empty known text is a value only for a
/// text, and only where there is no default.
fn value_of<'a>(
    input: &'a Input,
    extra: &'a BTreeMap<String, String>,
    known: &'a Map<String, Value>,
) -> Option<&'a str> {
    let from_finding = known.get(&input.name).and_then(Value::as_str);
    let told = from_finding.filter(|text| !text.is_empty());
    let nothing = from_finding.filter(|_| input.kind == InputType::Text);
    let given = extra.get(&input.name).map(String::as_str);
    // Who is meant comes from the card alone, whatever a configuration says.
    if ispm::says_whom(&input.name) && from_finding.is_some() {
        return told.or(nothing);
    }
    input.value.as_deref().or(given).or(told).or(input.default.as_deref()).or(nothing)
}

/// Whether a text is of a type; the error says what is wanted: `a number`.
///
/// # Errors
/// If it is not.
pub fn check_type(kind: InputType, text: &str) -> Result<(), &'static str> {
    parsed(kind, text).map(drop).ok_or(wanted(kind))
}

fn parsed(kind: InputType, text: &str) -> Option<Value> {
    match kind {
        InputType::Text => Some(Value::from(text)),
        InputType::Number => text.trim().parse::<Number>().ok().map(Value::Number),
        InputType::Boolean => text.trim().parse::<bool>().ok().map(Value::Bool),
        InputType::DateTime => text.trim().parse::<Timestamp>().ok().map(|at| time::rfc3339(at).into()),
    }
}

fn typed(flow: &Flow, input: &Input, text: &str) -> Result<Value, PayloadError> {
    parsed(input.kind, text).ok_or_else(|| PayloadError::WrongType {
        input: input.name.clone(),
        flow: flow.id.clone(),
        wanted: wanted(input.kind),
        value: untrusted::visible(text).into_owned(),
    })
}

fn wanted(kind: InputType) -> &'static str {
    match kind {
        InputType::Text => "a text",
        InputType::Number => "a number",
        InputType::Boolean => "`true` or `false`",
        InputType::DateTime => "an RFC 3339 time such as `2026-01-31T09:00:00Z`",
    }
}

fn missing(flow: &Flow, input: &Input) -> PayloadError {
    PayloadError::Missing { input: input.name.clone(), flow: flow.id.clone() }
}
