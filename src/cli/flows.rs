//! `flows`: what can be run, and why the others cannot.

use super::failure::{DONE, Failure};
use super::output::Output;
use super::table::{Table, column};
use crate::domain::flow::Product;
use crate::domain::{Flow, NOTHING};

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
            flow.inverse.as_ref().map_or_else(|| flow.undo.clone(), |inverse| format!("run {inverse}")),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::output::{Form, tests::printed};
    use super::*;
    use crate::domain::preset;

    #[test]
    fn every_preset_is_listed_with_why_it_cannot_be_run() {
        let flows = preset::all();
        let (_, text) = printed(Form::Text, async |out| run(&flows, out).unwrap());
        assert_eq!(text.out.lines().count(), 10);
        let (_, json) = printed(Form::Json, async |out| run(&flows, out).unwrap());
        assert!(json.out.lines().all(|line| line.contains(r#""unrunnable":"#)));
    }
}
