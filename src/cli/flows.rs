//! `flows`: what can be run, and why the others cannot.

use super::failure::{DONE, FAILED, Failure};
use super::output::Output;
use super::table::{Table, column};
use crate::domain::flow::Product;
use crate::domain::payload::lint::{self, Declared};
use crate::domain::{Flow, NOTHING, undo};
use serde_json::json;

/// Prints the flows, in the order of the configuration.
///
/// # Errors
/// If the output is closed.
pub(super) fn run(flows: &[Flow], out: &mut Output<'_>) -> Result<u8, Failure> {
    if out.is_json() {
        for flow in flows {
            let mut json = serde_json::to_value(flow).unwrap_or_default();
            json["unrunnable"] = flow.unrunnable().into();
            out.json(&json)?;
        }
        return Ok(DONE);
    }
    out.table(&table(flows))?;
    Ok(DONE)
}

/// Prints what each declared input is.
///
/// # Errors
/// If the output is closed.
pub(super) fn lint(flows: &[Flow], out: &mut Output<'_>) -> Result<u8, Failure> {
    let found = lint::lint(flows);
    if out.is_json() {
        for (flow, input, declared) in &found {
            let (near, says) = (near(*declared), declared.words(input));
            out.json(&json!({"flow": flow.id, "input": input.name, "type": input.kind, "near": near, "says": says}))?;
        }
    } else {
        let mut table = Table::of(&[column("FLOW", 44), column("INPUT", 30), column("IS", 60)]);
        for (flow, input, declared) in &found {
            table.row([flow.id.to_string(), input.name.clone(), declared.words(input)]);
        }
        out.table(&table)?;
    }
    let misspelt = found.iter().filter(|(_, _, declared)| near(*declared).is_some()).count();
    match misspelt {
        0 => out.note(&format!("{} inputs are declared, and none is nearly a field", found.len()))?,
        n => out.note(&format!(
            "{n} of {} inputs are nearly a field: a flow would run without it",
            found.len()
        ))?,
    }
    Ok(if misspelt == 0 { DONE } else { FAILED })
}

fn near(declared: Declared) -> Option<&'static str> {
    match declared {
        Declared::Near(field) => Some(field),
        Declared::Field | Declared::Own => None,
    }
}

fn table(flows: &[Flow]) -> Table {
    let mut table = Table::of(&[
        column("ID", 44),
        column("ROUTE", 12),
        column("RISK", 6),
        column("PRODUCT", 16),
        column("DOES", 48),
        column("UNDO", 60),
    ]);
    for flow in flows {
        table.row([
            flow.id.to_string(),
            flow.route.word().to_owned(),
            flow.risk.word().to_owned(),
            flow.product.map_or(NOTHING, Product::ispm_name).to_owned(),
            flow.verb.clone(),
            undo::words(flow, flows),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::output::{Form, tests::printed};
    use super::*;
    use crate::domain::flow::{Input, InputType};
    use crate::domain::preset;
    use rstest::rstest;

    #[rstest]
    #[case(&["eventType", "user"], DONE, "none is nearly a field")]
    #[case(&["evenType", "user"], FAILED, "1 of 2 inputs are nearly a field")]
    fn a_misspelt_input_fails(#[case] names: &[&str], #[case] expected: u8, #[case] phrase: &str) {
        let input = |name: &&str| Input::new(*name, InputType::Text);
        let inputs = names.iter().map(input).collect();
        let flow = Flow { inputs, ..preset::flow("suspend-okta-account").unwrap() };
        for form in [Form::Text, Form::Json] {
            let flows = [flow.clone()];
            let (status, text) = printed(form, async |out| lint(&flows, out).unwrap());
            assert_eq!(status, expected);
            assert!(text.errors.contains(phrase), "{}", text.errors);
            assert_eq!(text.out.contains("is `eventType` meant?"), expected == FAILED);
        }
    }

    #[test]
    fn every_preset_is_listed_with_why_it_cannot_be_run() {
        let flows = preset::all();
        let (_, text) = printed(Form::Text, async |out| run(&flows, out).unwrap());
        assert_eq!(text.out.lines().count(), 10);
        let (_, json) = printed(Form::Json, async |out| run(&flows, out).unwrap());
        assert!(json.out.lines().all(|line| line.contains(r#""unrunnable":"#)));
    }
}
