//! Which earlier actions did the same as what is about to be done: by whatever route, and on the same group.

use crate::domain::action::ShownRequest;
use crate::domain::membership::NamedGroup;
use crate::domain::operation::{GroupRef, Operation};
use crate::domain::{Action, Flow, Outcome};

/// Those of earlier actions that did the same, and those of which nobody knows what they did. Adding to
/// another group is something else, though the flow and the user are the same; where nothing says which group it
/// was, it counts as this one. Changing another field is something else too.
pub(super) fn alike(
    flow: &Flow,
    earlier: &[Action],
    (request, group): (&ShownRequest, Option<&GroupRef>),
) -> Vec<Action> {
    let group = NamedGroup::of_request(&flow.id, request).known_as(group);
    let is_profile = matches!(flow.operation, Some(Operation::Update | Operation::Create));
    let did_it = |action: &&Action| match (flow.is_of_group(), is_profile) {
        _ if action.outcome == Outcome::Unknown => true,
        (true, _) => group.may_be(&NamedGroup::of_request(&action.flow, &action.request)),
        (_, true) => action.request.url == request.url && action.request.body == request.body,
        (false, false) => true,
    };
    earlier.iter().filter(did_it).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::super::guard::tests::action;
    use super::*;
    use crate::domain::{Evidence, preset};
    use rstest::rstest;

    const OKTA: &str = "okta-add-to-group";
    const WORKFLOWS: &str = "okta-add-user-to-a-group";

    /// What adds to a group: by Okta's address, or by an input; `inside` where the flow has it inside.
    fn adding(flow: &str, group: &str) -> ShownRequest {
        let (url, body) = match flow {
            OKTA => (format!("https://x.okta.com/api/v1/groups/{group}/users/00u1"), String::new()),
            _ => ("https://x.workflows.okta.com/api/flo/1/invoke".to_owned(), inputs(group)),
        };
        ShownRequest { method: "POST".into(), url, headers: Vec::new(), body }
    }

    fn inputs(group: &str) -> String {
        match group {
            "inside" => r#"{"entityIdInService":"00u1"}"#.to_owned(),
            group => format!(r#"{{"group":"{group}"}}"#),
        }
    }

    fn flow(id: &str) -> Flow {
        preset::flow(id).unwrap_or_else(|| Operation::of_flow(&id.into()).unwrap().flow())
    }

    const ONE: &str = "00g0000000000000one1";
    const TWO: &str = "00g0000000000000two2";

    #[rstest]
    #[case::by_okta_twice(OKTA, ONE, OKTA, ONE, true)]
    #[case::by_okta_to_another(OKTA, ONE, OKTA, TWO, false)]
    #[case::the_flow_has_it_inside(OKTA, ONE, WORKFLOWS, "inside", true)]
    #[case::the_flow_had_it_inside(WORKFLOWS, "inside", OKTA, ONE, true)]
    #[case::by_id_by_both_routes(OKTA, ONE, WORKFLOWS, ONE, true)]
    #[case::another_id_by_the_other_route(WORKFLOWS, TWO, OKTA, ONE, false)]
    #[case::a_name_against_an_id(OKTA, ONE, WORKFLOWS, "Sales", true)]
    #[case::one_name_as_it_was_read(WORKFLOWS, "sales", OKTA, ONE, true)]
    #[case::another_name_than_was_read(WORKFLOWS, "Marketing", OKTA, ONE, false)]
    #[case::by_workflows_twice(WORKFLOWS, "Sales", WORKFLOWS, "Sales", true)]
    #[case::by_workflows_to_another(WORKFLOWS, "Sales", WORKFLOWS, "Marketing", false)]
    fn the_group_is_a_part_of_what_is_done(
        #[case] before: &str,
        #[case] was: &str,
        #[case] now: &str,
        #[case] becomes: &str,
        #[case] is_alike: bool,
    ) {
        assert!(flow(before).does_the_same(&flow(now)));
        let accepted = action(1, Evidence::Acknowledged, Outcome::Accepted);
        let earlier = Action { flow: before.into(), request: adding(before, was), ..accepted };
        let read = GroupRef { id: ONE.to_owned(), name: "Sales".into(), kind: "OKTA_GROUP".into() };
        let read = Some(&read).filter(|_| now == OKTA && becomes == ONE);
        let found = |earlier: &Action| {
            alike(&flow(now), std::slice::from_ref(earlier), (&adding(now, becomes), read)).len()
        };
        assert_eq!(found(&earlier), usize::from(is_alike));
        // Of what nobody knows nobody says that it was another group.
        assert_eq!(found(&Action { outcome: Outcome::Unknown, ..earlier }), 1);
    }
}
