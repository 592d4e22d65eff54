//! What a dry run prints: the same facts as the console's confirmation card.

use super::failure::Failure;
use super::output::Output;
use super::run::By;
use crate::domain::access::Access;
use crate::domain::plan::{Difference, Plan, Target};
use crate::domain::{NOTHING, Untrusted, dry_run, time};

/// Prints a plan: as an action without evidence, or as a card.
///
/// # Errors
/// If the output is closed.
pub(super) fn print(plan: &Plan, by: By<'_>, out: &mut Output<'_>) -> Result<(), Failure> {
    if out.is_json() {
        let lines = dry_run::lines(plan, by.actor, by.at);
        lines.iter().try_for_each(|line| out.json_text(line))?;
        return Ok(());
    }
    out.text(&plan.to_string())?;
    out.facts(&facts(plan))?;
    plan.differences.iter().try_for_each(|difference| out.text(&line(difference)))?;
    plan.parts().iter().try_for_each(|part| request(part, out))
}

/// Says what will change, right before it is sent: whoever confirms by `--yes` may not have looked at a dry run.
///
/// # Errors
/// If the output is closed.
pub(super) fn tell_changes(plan: &Plan, out: &mut Output<'_>) -> Result<(), Failure> {
    plan.differences.iter().try_for_each(|difference| out.note(&line(difference)))?;
    Ok(())
}

/// A field that will hold something else: `title: Head of Sales -> Head of Marketing`.
fn line(difference: &Difference) -> String {
    let value = |value: &Option<Untrusted>| {
        value.as_ref().map_or_else(|| NOTHING.to_owned(), |value| format!("`{value}`"))
    };
    format!("{}: {} -> {}", difference.name, value(&difference.was), value(&difference.becomes))
}

fn request(plan: &Plan, out: &mut Output<'_>) -> Result<(), Failure> {
    out.text("")?;
    if let Some(refusal) = &plan.refusal {
        out.text(&format!("will not be sent: {refusal}"))?;
    }
    out.text(&format!("{} {}", plan.request.method, plan.request.url))?;
    for (name, value) in &plan.request.headers {
        out.text(&format!("{name}: {value}"))?;
    }
    out.text("")?;
    out.text(&plan.request.body)?;
    out.text("")?;
    Ok(())
}

fn facts(plan: &Plan) -> Vec<(&'static str, String)> {
    vec![
        ("flow", plan.flow.id.to_string()),
        ("account", plan.account().unwrap_or_default()),
        (
            "undoes",
            plan.undoes.as_ref().map(|undoes| format!("action {}", undoes.action)).unwrap_or_default(),
        ),
        ("risk", risk(plan)),
        ("target", target(&plan.target)),
        ("access", plan.access.as_ref().map(Access::words).unwrap_or_default()),
        ("reaches", reach(plan)),
        ("refused", plan.refusal.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("insist", plan.needs_again.clone().unwrap_or_default()),
        ("confirm", if plan.refusal.is_some() { String::new() } else { dry_run::answer(plan) }),
        ("reason", if plan.reason_required { "wanted: --reason TEXT".to_owned() } else { String::new() }),
        ("undo", plan.undo.clone()),
        ("audit", plan.flow.audit.join(", ")),
        ("beware", plan.caveats.join("; ")),
        ("unknown", plan.cannot_know.join("; ")),
    ]
}

fn risk(plan: &Plan) -> String {
    let raised = if plan.is_raised() { ", one tier up for an administrator" } else { "" };
    format!("{}{raised}", plan.risk.word())
}

/// How far it reaches: `admin no role that is active, class INTERNAL, …`.
fn reach(plan: &Plan) -> String {
    let lines =
        plan.blast.iter().flat_map(|blast| std::iter::once(blast.administrator()).chain(blast.others()));
    lines.map(|line| format!("{}: {}", line.name, line.words)).collect::<Vec<_>>().join("; ")
}

fn target(target: &Target) -> String {
    match target {
        Target::Read { at, from, facts } => {
            let facts: Vec<String> =
                facts.iter().map(|fact| format!("{} {}", fact.name, fact.value)).collect();
            format!("{} ({from}, read {})", facts.join(", "), time::rfc3339_seconds(*at))
        }
        Target::CannotTell(why) => format!("cannot tell: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::plan;
    use super::super::output::{Form, tests::printed};
    use super::*;
    use crate::domain::{Actor, Risk};
    use jiff::Timestamp;
    use rstest::rstest;

    #[rstest]
    #[case(Form::Text, "audit    user.lifecycle.suspend\n")]
    #[case(Form::Json, r#""audit":["user.lifecycle.suspend"]"#)]
    fn what_the_system_log_is_to_hold_is_told(#[case] form: Form, #[case] phrase: &str) {
        let (plan, actor) = (plan(Risk::Medium, "ann"), Actor::default());
        let by = By { actor: &actor, at: Timestamp::UNIX_EPOCH };
        let (_, text) = printed(form, async |out| print(&plan, by, out).unwrap());
        assert!(text.out.contains(phrase), "{}", text.out);
        let silent = Plan { flow: crate::domain::Flow { audit: vec![], ..plan.flow.clone() }, ..plan };
        let (_, text) = printed(form, async |out| print(&silent, by, out).unwrap());
        assert_eq!(text.out.contains("audit"), form == Form::Json, "{}", text.out);
    }
}
