//! The table of Okta calls: what each needs, what we have, and whether it works.

use super::{Checked, Verdict};
use crate::domain::access::Access;
use crate::tenant::{CallProbe, Works};

/// A row a call. Only what the configuration cannot do without is bad: an org that grants no more than
/// is used is not broken.
pub(in crate::cli) fn rows(probes: &[CallProbe]) -> Vec<Checked> {
    let row = |probe: &CallProbe| {
        let (verdict, works) = works(probe);
        let told = format!("needs `{}`, has `{}`, works: {works}", probe.needs, probe.has);
        let cells = [("needs", probe.needs), ("has", &probe.has), ("works", &works)];
        let cells = cells.map(|(name, cell)| (name, cell.to_owned())).into();
        let name = format!("okta {}", probe.call);
        Checked { hint: probe.hint.clone(), cells, ..Checked::new(&name, verdict, told) }
    };
    probes.iter().map(row).collect()
}

/// Whether whoever sits here may run delegated flows in Okta's console: a preview, and nothing that idtriage needs.
pub(in crate::cli) fn delegated(access: &Access) -> Checked {
    let verdict = if let Access::Likely(_) = access { Verdict::Good } else { Verdict::Note };
    Checked::new(
        "okta delegated flows",
        verdict,
        format!("run by hand in Okta's console: {}", access.words()),
    )
}

fn works(probe: &CallProbe) -> (Verdict, String) {
    match &probe.works {
        Works::Yes => (Verdict::Good, "yes".to_owned()),
        Works::No(why) if probe.is_needed => (Verdict::Bad, format!("no, {why}")),
        Works::No(why) => (Verdict::Note, format!("no, {why}")),
        Works::CannotTell(why) => (Verdict::Note, format!("cannot tell, {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::output::{Form, tests::printed};
    use super::super::print;
    use super::*;
    use crate::cli::failure::{DONE, FAILED};

    fn probes() -> Vec<CallProbe> {
        let users = CallProbe {
            call: "GET /api/v1/users",
            needs: "okta.users.read",
            has: "okta.users.read".to_owned(),
            works: Works::Yes,
            hint: None,
            is_needed: true,
        };
        let hooks = CallProbe {
            call: "GET /hooks",
            needs: "okta.eventHooks.read",
            has: "nothing".to_owned(),
            works: Works::No("invalid_scope".to_owned()),
            hint: Some("grant it".to_owned()),
            is_needed: false,
        };
        vec![users, hooks]
    }

    #[test]
    fn it_is_a_table() {
        let (status, text) = printed(Form::Text, async |out| print(&rows(&probes()), out).unwrap());
        assert_eq!(
            text.out,
            "ok    okta GET /api/v1/users:  needs okta.users.read       has okta.users.read  works yes\n\
             note  okta GET /hooks:         needs okta.eventHooks.read  has nothing          works no, invalid_scope\n\
             \x20     hint: grant it\n"
        );
        assert_eq!(status, DONE, "nobody needs the hooks");
        let (_, text) = printed(Form::Json, async |out| print(&rows(&probes()), out).unwrap());
        let last: serde_json::Value = serde_json::from_str(text.out.lines().last().unwrap()).unwrap();
        assert_eq!(last["check"], "okta GET /hooks");
        assert_eq!(last["works"], "no, invalid_scope");
        assert_eq!(
            (last["needs"].as_str(), last["has"].as_str()),
            (Some("okta.eventHooks.read"), Some("nothing"))
        );
    }

    #[test]
    fn what_is_needed_and_fails_is_bad() {
        let needed = probes().into_iter().map(|probe| CallProbe { is_needed: true, ..probe });
        let rows = rows(&needed.collect::<Vec<_>>());
        let (status, _) = printed(Form::Text, async |out| print(&rows, out).unwrap());
        assert_eq!(status, FAILED);
    }
}
