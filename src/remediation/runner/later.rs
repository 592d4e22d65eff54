//! Later looks at the targets of actions whose end is open: they read, and send nothing.

use super::{Runner, rival, verify};
use crate::domain::action::{Receipt, Settlement};
use crate::domain::{Action, ActionId, Evidence, Outcome, later};
use crate::remediation::beside::{self, Doer};
use crate::remediation::guard::Mode;
use crate::remediation::sight::{self, Aim, Reading};
use crate::remediation::target;
use crate::store::StoreError;

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

/// What a look brought.
#[derive(Debug)]
pub struct Look {
    /// How the action stands with it.
    pub action: Action,
    /// Why the look could not tell how the target stands, where it could not.
    pub unread: Option<String>,
}

impl Runner {
    /// Looks at the target of an action once more, and keeps what was seen: a change from how it stood before raises
    /// the action where the System Log names its request, anything else is a note on it. Nothing is sent.
    ///
    /// # Errors
    /// [`LookError`] where nobody looked, or what was seen is not kept.
    pub async fn look_again(&self, id: ActionId) -> Result<Look, LookError> {
        let desk = &self.desk;
        if desk.mode == Mode::ReadOnly {
            return Err(LookError::ReadOnly);
        }
        let action = desk.store.action(id).await?.ok_or(LookError::NoSuchAction(id))?;
        let cannot_tell = |why| LookError::CannotTell { action: id, why };
        later::can_tell(&action, &desk.flows).map_err(cannot_tell)?;
        let gone = || cannot_tell(format!("flow `{}` is not configured any more", action.flow));
        let flow = desk.flow(&action.flow).ok_or_else(gone)?;
        let aim = rival::aim_of(flow, &action);
        let key = action.target_id.as_deref().unwrap_or(action.login.raw());
        let reading = sight::look(desk, key, &aim).await;
        let seen = match is_change(&action, &aim, &reading) {
            false => unraised(&action, verify::unproven(&reading, &aim, verify::Tries::Later)),
            true => {
                let proof = verify::proof(action.before.as_deref(), &reading, &aim);
                match rival::of(desk, &action, &aim).await? {
                    Some(rival) => unraised(&action, rival::words(&proof, rival)),
                    None => credited(&action, &proof, beside::doer(desk, &action, flow).await?),
                }
            }
        };
        let stands = target::stands(&reading, action.before.as_deref(), &aim);
        let unread = seen.receipt.verified.clone().filter(|_| stands.is_none());
        // A look that read nothing is noted, and is no look that anybody could go by.
        let seen = match stands {
            Some(stands) => seen.looked_at(desk.now(), stands),
            None => seen,
        };
        let action = desk.store.settle(id, &seen, desk.now()).await?;
        Ok(Look { action, unread })
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
}

/// Whether the target is as it was wanted, and was not before.
fn is_change(action: &Action, aim: &Aim, reading: &Reading) -> bool {
    target::is_so(reading, aim) == Some(true) && !target::stood_so(action.before.as_deref(), aim)
}

/// What a change makes of an action: by then anybody may have made it, so that only a record which names the action's
/// own request proves that it did.
fn credited(action: &Action, proof: &str, doer: Doer) -> Settlement {
    match doer {
        Doer::Itself(record) => seen(Evidence::Verified, Outcome::Changed, format!("{proof}; {record}")),
        Doer::NotKnown(why) => {
            unraised(action, format!("{proof}: as it was wanted, and by whom is not known: {why}"))
        }
    }
}

fn unraised(action: &Action, said: String) -> Settlement {
    seen(action.evidence, action.outcome, said)
}

/// It brings no answer: what came back stays as it is.
fn seen(evidence: Evidence, outcome: Outcome, said: String) -> Settlement {
    Settlement { evidence, outcome, receipt: Receipt { verified: Some(said), ..Receipt::default() } }
}
