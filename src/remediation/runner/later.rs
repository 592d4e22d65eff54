//! Later looks at the targets of actions whose end is open: they read, and send nothing.

use super::{Runner, verify};
use crate::domain::action::{Receipt, Settlement};
use crate::domain::operation::{GroupRef, Particulars};
use crate::domain::{Action, ActionId, Evidence, Flow, Outcome, Untrusted, later, undo};
use crate::remediation::guard::Mode;
use crate::remediation::sight::{self, Aim, Reading};
use crate::remediation::target;
use crate::store::{ActionFilter, StoreError};

/// Why nobody looked.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// There is no such action.
    #[error("there is no action `{0}`\nhint: `idtriage journal list --json` shows the ids")]
    NoSuchAction(ActionId),
    /// Nothing that can be read would tell.
    #[error("action `{action}`: {why}")]
    CannotTell {
        /// Which.
        action: ActionId,
        /// Why not.
        why: String,
    },
    /// What a look sees is kept, and nothing may be changed.
    #[error("a look is kept in the journal, and this is read-only")]
    ReadOnly,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// So many later actions on the same account are looked at.
const RIVALS: usize = 50;

impl Runner {
    /// Looks at the target of an action once more, and keeps what was seen: a change from how it stood before
    /// raises the action, anything else is a note on it. Nothing is sent.
    ///
    /// # Errors
    /// [`LookError`] where nobody looked, or what was seen is not kept.
    pub async fn look_again(&self, id: ActionId) -> Result<Action, LookError> {
        let desk = &self.desk;
        if desk.mode == Mode::ReadOnly {
            return Err(LookError::ReadOnly);
        }
        let action = desk.store.action(id).await?.ok_or(LookError::NoSuchAction(id))?;
        let cannot_tell = |why| LookError::CannotTell { action: id, why };
        later::can_tell(&action, &desk.flows).map_err(cannot_tell)?;
        let gone = || cannot_tell(format!("flow `{}` is not configured any more", action.flow));
        let flow = desk.flow(&action.flow).ok_or_else(gone)?;
        let aim = aim_of(flow, &action);
        let key = action.target_id.as_deref().unwrap_or(action.login.raw());
        let reading = sight::look(desk, key, &aim).await;
        let rival = self.rival(&action, &aim).await?;
        let seen = seen(&action, &aim, &reading, rival);
        Ok(desk.store.settle(id, &seen, desk.now()).await?)
    }

    /// Looks at the targets of those actions for which a look is due, at most so many; answers of how many one was
    /// due. What one of them cannot be told is no reason to leave out the others.
    ///
    /// # Errors
    /// If it cannot be read which are due.
    pub async fn look_where_due(&self, most: usize) -> Result<usize, StoreError> {
        let due = self.desk.store.take_looks(self.desk.now(), most).await?;
        for id in &due {
            if let Err(error) = self.look_again(*id).await {
                tracing::info!(action = %id, %error, "it was not looked at again");
            }
        }
        Ok(due.len())
    }

    /// A later action that may have brought about, or taken back, what is seen.
    async fn rival(&self, action: &Action, aim: &Aim) -> Result<Option<ActionId>, StoreError> {
        let since = ActionFilter { since: Some(action.at), may_have_left: true, ..ActionFilter::default() };
        let of_login = ActionFilter { login: Some(action.login.clone()), ..since.clone() };
        let mut later = self.desk.store.actions(&of_login, None, RIVALS).await?.rows;
        // Another login may lead to the same account.
        if let Some(target) = &action.target_id {
            for flow in self.desk.flows.iter().filter(|flow| may_touch(flow)) {
                let of_account = ActionFilter {
                    flow: Some(flow.id.clone()),
                    target: Some(target.clone()),
                    ..since.clone()
                };
                later.extend(self.desk.store.actions(&of_account, None, RIVALS).await?.rows);
            }
        }
        let is_rival = |other: &&Action| other.id != action.id && self.has_touched(other, aim);
        Ok(later.iter().find(is_rival).map(|other| other.id))
    }

    fn has_touched(&self, other: &Action, aim: &Aim) -> bool {
        let flow = self.desk.flow(&other.flow);
        let is_oktas = flow.is_some_and(|flow| flow.operation.is_some());
        let may_have_worked = match other.outcome {
            Outcome::Pending | Outcome::Accepted | Outcome::Changed | Outcome::Unknown => true,
            // What answered may have been the flow itself, after it did something.
            Outcome::Refused | Outcome::Failed => !is_oktas,
            Outcome::NoChange | Outcome::NotLegal => false,
        };
        may_have_worked && flow.is_none_or(|flow| touches(&aim_of(flow, other), aim))
    }
}

/// Whether what a flow brings about can be read from an account at all.
fn may_touch(flow: &Flow) -> bool {
    flow.proven_by.is_some() || flow.operation.is_some()
}

/// Whether one aim may bring about or take back the other.
fn touches(one: &Aim, other: &Aim) -> bool {
    match (one, other) {
        (Aim::Status(one), Aim::Status(other)) => one.is_some() && other.is_some(),
        (Aim::NoFactors, Aim::NoFactors) => true,
        (Aim::Member(one, _), Aim::Member(other, _)) => one.id == other.id,
        (Aim::Fields(one), Aim::Fields(other) | Aim::Exists(other)) => {
            one.keys().any(|name| other.contains_key(name))
        }
        (Aim::Exists(_), Aim::Exists(_)) => true,
        _ => false,
    }
}

/// What an action aimed at: all of it stands in its request.
fn aim_of(flow: &Flow, action: &Action) -> Aim {
    let group = undo::group_of(&action.request.url).map(|id| GroupRef {
        name: Untrusted::from(id.as_str()),
        kind: Untrusted::default(),
        id,
    });
    Aim::of(flow, &Particulars { group, ..Particulars::default() }, &action.request.body)
}

/// What a reading makes of an action. It brings no answer: what came back stays as it is.
fn seen(action: &Action, aim: &Aim, reading: &Reading, rival: Option<ActionId>) -> Settlement {
    let before = action.before.as_deref();
    let is_so = target::is_so(reading, aim) == Some(true) && !target::stood_so(before, aim);
    let proof = || verify::proof(before, reading, aim);
    let (evidence, outcome, verified) = match rival {
        _ if !is_so => {
            (action.evidence, action.outcome, verify::unproven(reading, aim, verify::Tries::Later))
        }
        Some(rival) => {
            let said =
                format!("{}; action {rival} came behind it: which of them did it is not known", proof());
            (action.evidence, action.outcome, said)
        }
        None => (Evidence::Verified, Outcome::Changed, proof()),
    };
    Settlement { evidence, outcome, receipt: Receipt { verified: Some(verified), ..Receipt::default() } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::flow::ProvenBy;
    use rstest::rstest;
    use serde_json::{Map, json};

    fn group(id: &str) -> GroupRef {
        GroupRef { id: id.to_owned(), name: id.into(), kind: "OKTA_GROUP".into() }
    }

    fn fields(names: &[&str]) -> Map<String, serde_json::Value> {
        names.iter().map(|name| ((*name).to_owned(), json!("x"))).collect()
    }

    #[rstest]
    #[case(Aim::Status(Some(ProvenBy::Suspended)), Aim::Status(Some(ProvenBy::Active)), true)]
    #[case(Aim::Status(None), Aim::Status(Some(ProvenBy::Active)), false)]
    #[case(Aim::Member(group("a"), true), Aim::Member(group("a"), false), true)]
    #[case(Aim::Member(group("a"), true), Aim::Member(group("b"), true), false)]
    #[case(Aim::Fields(fields(&["title"])), Aim::Fields(fields(&["title", "nick"])), true)]
    #[case(Aim::Fields(fields(&["title"])), Aim::Fields(fields(&["nick"])), false)]
    #[case(Aim::NoFactors, Aim::Status(Some(ProvenBy::Suspended)), false)]
    fn what_may_bring_about_the_same_is_a_rival(#[case] one: Aim, #[case] other: Aim, #[case] is_so: bool) {
        assert_eq!(touches(&one, &other), is_so);
    }
}
