//! Which group a request is about, as far as it says so: in the address of a call of Okta's own, or in an input of a
//! flow of Workflows. A flow may have its group inside, where nobody can see it.

use super::action::ShownRequest;
use super::operation::{GroupRef, Operation};
use super::{Flow, FlowId, Untrusted, preset, undo};
use serde_json::Value;

/// How an id of a group begins at Okta, and how long it is.
const OKTA_ID: (&str, usize) = ("00g", 20);

/// What the System Log has of those who join a group, and of those who leave one.
const MEMBERSHIP: [&str; 2] = ["group.user_membership.add", "group.user_membership.remove"];

/// What stands in a verb where an input may name the group.
const A_GROUP: &str = " a group";

/// A group, as far as it is named.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NamedGroup {
    id: Option<Untrusted>,
    name: Option<Untrusted>,
}

impl NamedGroup {
    /// The group of a request of this flow.
    pub fn of_request(flow: &FlowId, request: &ShownRequest) -> NamedGroup {
        match Operation::of_flow(flow) {
            Some(operation) if operation.is_of_group() => {
                NamedGroup { id: undo::group_of(&request.url).map(Untrusted::from), name: None }
            }
            Some(_) => NamedGroup::default(),
            None => NamedGroup::of_body(&request.body),
        }
    }

    /// The group that an input of this body names.
    pub fn of_body(body: &str) -> NamedGroup {
        let mut group = NamedGroup::default();
        let Ok(Value::Object(fields)) = serde_json::from_str(body) else { return group };
        for (key, value) in &fields {
            let Some(text) = value.as_str().map(str::trim).filter(|text| !text.is_empty()) else { continue };
            let folded: String =
                key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
            match folded.as_str() {
                "groupid" => group.id = Some(text.into()),
                "group" if is_okta_id(text) => group.id = Some(text.into()),
                "group" | "groupname" => group.name = Some(text.into()),
                _ => {}
            }
        }
        group
    }

    /// With what was read of it.
    #[must_use]
    pub fn known_as(self, read: Option<&GroupRef>) -> NamedGroup {
        match read {
            Some(read) => NamedGroup { id: Some(read.id.as_str().into()), name: Some(read.name.clone()) },
            None => self,
        }
    }

    /// What to call it; `None` where nothing names it.
    pub fn shown(&self) -> Option<&Untrusted> {
        self.name.as_ref().or(self.id.as_ref())
    }

    /// Whether both may be one group: they are unless both are named, in the same way, and otherwise.
    pub fn may_be(&self, other: &NamedGroup) -> bool {
        let is_same = |one: &Untrusted, other: &Untrusted| {
            one.raw().trim().to_lowercase() == other.raw().trim().to_lowercase()
        };
        match ((&self.id, &other.id), (&self.name, &other.name)) {
            ((Some(one), Some(other)), _) | (_, (Some(one), Some(other))) => is_same(one, other),
            _ => true,
        }
    }
}

impl Flow {
    /// Whether the System Log is expected to have a record of this type of it.
    fn is_logged_as(&self, event: &str) -> bool {
        self.audit.iter().any(|audit| audit == event)
    }

    /// Whether it is about who is in a group.
    pub fn is_of_group(&self) -> bool {
        MEMBERSHIP.iter().any(|event| self.is_logged_as(event))
    }

    /// Whether it adds to groups of one product as another flow does, or removes from them.
    pub(super) fn moves_as(&self, other: &Flow) -> bool {
        let is_same = |event: &&str| self.is_logged_as(event) && other.is_logged_as(event);
        self.product == other.product && MEMBERSHIP.iter().any(is_same)
    }

    /// What it does, with the group that its inputs name.
    pub fn verb_on(&self, group: &NamedGroup) -> String {
        match group.shown() {
            Some(shown) if self.verb.contains(A_GROUP) => {
                self.verb.replacen(A_GROUP, &format!(" the group `{shown}`"), 1)
            }
            Some(shown) if self.is_of_group() => format!("{} (group `{shown}`)", self.verb),
            _ => self.verb.clone(),
        }
    }

    /// Its limits. That nobody sees its group is none where an input names it.
    pub fn caveats_on(&self, group: &NamedGroup) -> impl Iterator<Item = &String> {
        let is_named = group.shown().is_some();
        self.caveats.iter().filter(move |caveat| !is_named || caveat.as_str() != preset::GROUP_INSIDE)
    }
}

fn is_okta_id(text: &str) -> bool {
    let (begins, length) = OKTA_ID;
    text.starts_with(begins) && text.len() == length && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const ID: &str = "00g1234567890abcdefg";

    #[rstest]
    #[case(r#"{"group":"Sales EMEA"}"#, Some("Sales EMEA"))]
    #[case(r#"{"user":"00u1","Group_Name":" Sales "}"#, Some("Sales"))]
    #[case(r#"{"groupId":"g-7"}"#, Some("g-7"))]
    #[case(r#"{"group":""}"#, None)]
    #[case(r#"{"group":7}"#, None)]
    #[case(r#"{"entityIdInService":"00u1"}"#, None)]
    #[case("", None)]
    fn an_input_names_it(#[case] body: &str, #[case] shown: Option<&str>) {
        assert_eq!(NamedGroup::of_body(body).shown().map(Untrusted::raw), shown);
    }

    #[rstest]
    #[case(
        "okta-add-user-to-a-group",
        "add the Okta user to a group",
        r#"{"group":"Sales\u202e"}"#,
        "add the Okta user to the group `Sales<U+202E>`"
    )]
    #[case(
        "okta-add-user-to-a-group",
        "put into quarantine",
        r#"{"group":"Q"}"#,
        "put into quarantine (group `Q`)"
    )]
    #[case("okta-add-user-to-a-group", "add the Okta user to a group", "{}", "add the Okta user to a group")]
    #[case(
        "suspend-okta-account",
        "suspend the Okta account",
        r#"{"group":"Q"}"#,
        "suspend the Okta account"
    )]
    fn the_sentence_names_it(#[case] id: &str, #[case] verb: &str, #[case] body: &str, #[case] said: &str) {
        let flow = Flow { verb: verb.to_owned(), ..preset::flow(id).unwrap() };
        let group = NamedGroup::of_body(body);
        assert_eq!(flow.verb_on(&group), said);
        let is_inside = flow.caveats_on(&group).any(|caveat| caveat == preset::GROUP_INSIDE);
        assert_eq!(is_inside, flow.is_of_group() && group.shown().is_none());
    }

    fn by_id(id: &str) -> NamedGroup {
        NamedGroup::of_body(&format!(r#"{{"groupId":"{id}"}}"#))
    }

    fn by_name(name: &str) -> NamedGroup {
        NamedGroup::of_body(&format!(r#"{{"group":"{name}"}}"#))
    }

    #[rstest]
    #[case::one_name(by_name("Sales"), by_name("sales "), true)]
    #[case::two_names(by_name("Sales"), by_name("Marketing"), false)]
    #[case::one_id(by_id(ID), by_name(ID), true)]
    #[case::two_ids(by_id(ID), by_id("00g1234567890abcdefh"), false)]
    #[case::an_id_and_a_name_may_be_one(by_id(ID), by_name("Sales"), true)]
    #[case::nothing_is_known(NamedGroup::default(), by_name("Sales"), true)]
    fn what_is_not_known_to_differ_may_be_one(
        #[case] one: NamedGroup,
        #[case] other: NamedGroup,
        #[case] may_be: bool,
    ) {
        assert_eq!((one.may_be(&other), other.may_be(&one)), (may_be, may_be));
    }
}
