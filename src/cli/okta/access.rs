//! `okta access`: what our credential may do of each flow, and what somebody's roles let them do with delegated ones.
//!
//! Nothing is run: at most a token is had, and roles are read. A role that is not documented, or that cannot be read,
//! is "cannot tell", and never "no".

use super::super::connect;
use super::super::failure::{DONE, Failure};
use super::super::output::Output;
use super::super::session::Session;
use super::super::table::{Table, column};
use crate::domain::access::{self, Access};
use crate::domain::{FlowId, preset};
use crate::tenant::FlowCaller as _;
use serde_json::json;

/// What may be done of one flow.
struct Row {
    flow: FlowId,
    /// The calls that it needs of ours.
    needs: Vec<&'static str>,
    access: Access,
}

/// Prints a row a flow; the last is of delegated flows, which people run in Okta's console.
///
/// # Errors
/// If no Okta org is configured, or the output is closed.
pub(super) async fn run(
    user: Option<&str>,
    session: &Session<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let loaded = session.loaded()?;
    let tenants = connect::tenants(&loaded.config, connect::clock())?;
    let preview = tenants.access().ok_or_else(|| {
        Failure::usage(
            "Okta is not configured\nhint: `[okta]` in the configuration; `idtriage init` writes a template",
        )
    })?;
    let mut rows = Vec::new();
    for flow in connect::flows(&loaded.config).iter().filter(|flow| flow.unrunnable().is_none()) {
        let access = tenants.access_to(flow).await;
        rows.push(Row { flow: flow.id.clone(), needs: access::needed(flow), access });
    }
    let delegated = match user {
        Some(login) => preview.of_login(login).await,
        None => preview.of_whoever_acts(loaded.config.console.analyst.as_deref()).await,
    };
    rows.push(Row { flow: preset::DELEGATED.into(), needs: Vec::new(), access: delegated.access() });
    print(&rows, out)?;
    Ok(DONE)
}

fn print(rows: &[Row], out: &mut Output<'_>) -> Result<(), Failure> {
    if out.is_json() {
        for Row { flow, needs, access } in rows {
            out.json(&json!({ "flow": flow, "needs": needs, "access": access.to_json() }))?;
        }
        return Ok(());
    }
    let mut table = Table::of(&[column("FLOW", 42), column("MAY", 11), column("WHY", 160)]);
    for Row { flow, access, .. } in rows {
        table.row([flow.to_string(), access.verdict().to_owned(), access.why().to_owned()]);
    }
    Ok(out.table(&table)?)
}

#[cfg(test)]
mod tests {
    use super::super::super::output::{Form, tests::printed};
    use super::*;

    #[test]
    fn each_flow_has_its_verdict_and_what_it_rests_on() {
        let row = |flow: &str, access| Row { flow: flow.into(), needs: vec![access::CHANGE_USER], access };
        let rows = [
            row("okta-suspend", Access::No("our credential gets no `okta.users.manage`".into())),
            row(preset::DELEGATED, Access::CannotTell("Okta answered 403".into())),
        ];
        let (_, text) = printed(Form::Text, async |out| print(&rows, out).unwrap());
        assert!(text.out.contains("no           our credential gets no"), "{}", text.out);
        assert!(text.out.contains("cannot tell  Okta answered 403"), "{}", text.out);
        let (_, text) = printed(Form::Json, async |out| print(&rows, out).unwrap());
        let first: serde_json::Value = serde_json::from_str(text.out.lines().next().unwrap()).unwrap();
        assert_eq!(first["access"]["verdict"], "no");
        assert_eq!(first["needs"], json!(["change a user"]));
    }
}
