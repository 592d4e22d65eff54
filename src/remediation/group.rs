//! The group that an operation is about: by its id, or by its whole name.

use super::Desk;
use crate::domain::Untrusted;
use crate::domain::dossier::{OktaGroup, Problem};
use crate::domain::operation::GroupRef;
use crate::tenant::look_up::{self, FoundGroup};
use serde_json::Value;

/// So many groups that may be meant are named.
const NAMED: usize = 5;

/// Finds a group. A name has to be whole and one group's alone: what only begins so is named, and not taken.
pub(super) async fn find(desk: &Desk, asked: &str) -> Result<GroupRef, String> {
    let org = desk.org.as_deref().ok_or("Okta is not configured, so no group can be read")?;
    let cannot =
        |problem: Problem| format!("group `{}` cannot be read: {}", Untrusted::from(asked), problem.line());
    match look_up::group_meant(org, asked).await.map_err(cannot)? {
        FoundGroup::One(group) => {
            of(&group).ok_or_else(|| format!("group `{}` came without an id", Untrusted::from(asked)))
        }
        FoundGroup::Candidates(why, groups) => Err(choose(asked, &why, &groups)),
    }
}

fn choose(asked: &str, why: &str, groups: &[Value]) -> String {
    let named = groups.iter().filter_map(of).take(NAMED);
    let named: Vec<String> = named.map(|group| format!("`{}` ({})", group.name, group.id)).collect();
    let there = if named.is_empty() { String::new() } else { format!("; there is {}", named.join(", ")) };
    format!("`{}`: {why}{there}", Untrusted::from(asked))
}

fn of(group: &Value) -> Option<GroupRef> {
    let group: OktaGroup = serde_json::from_value(group.clone()).ok()?;
    let id = group.id.raw();
    let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_id.then(|| GroupRef { id: id.to_owned(), name: group.name(), kind: group.kind.clone() })
}
