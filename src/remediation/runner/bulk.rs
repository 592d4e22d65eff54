//! One flow on many people: each planned anew, held to the guard and run by itself.
//!
//! Whoever drives holds the wheel, a lease in the store. Each user's action has an id that follows from the
//! run's, so that an action that is there says that this user was acted on: taken up again, also after a crash,
//! nobody is acted on twice. A user is planned when one of few places is free, and the intent is committed right
//! before its own send, so that no plan is old and a brake leaves little on its way.

mod brake;
mod drive;
mod sealed;

use super::Runner;
use crate::domain::FlowId;
use crate::domain::bulk::{BulkId, BulkRun, BulkState, BulkUser};
use crate::domain::run_end::RunEnd;
use crate::store::{Held, Lease, StoreError};
use brake::Brake;
use drive::Drive;
use jiff::Timestamp;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::time::sleep;

/// What whoever watches a bulk run wants of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// That it goes on.
    GoOn,
    /// That it waits: nobody more is acted on.
    Pause,
    /// That those who wait are acted on no more.
    Stop,
}

/// What becomes of a user, as it becomes known.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkTold {
    /// The user, with how it ended.
    pub user: BulkUser,
    /// How the run on them ended, where there was one.
    pub run: Option<RunEnd>,
}

/// Why a bulk run is not driven.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// There is none.
    #[error("there is no run on many `{0}`\nhint: `idtriage bulk list` shows the ids")]
    Missing(BulkId),
    /// Nobody waits in it, or it waits for somebody to go on.
    #[error("run on many `{0}` is {word}\nhint: {hint}", word = .1.word(), hint = hint(*.1))]
    Not(BulkId, BulkState),
    /// Another process drives it.
    #[error("run on many `{0}` is driven by another process, `{1}`\nhint: wait for it, or stop it there")]
    Others(BulkId, String),
    /// What would be done by now is not what was confirmed.
    #[error(
        "run on many `{0}` is not what was confirmed: {1}\nhint: plan those who are left anew; `idtriage bulk show {0} --queued` lists them"
    )]
    NotAsConfirmed(BulkId, String),
    /// Its flow is not configured any more.
    #[error("flow `{0}` is not configured any more\nhint: `idtriage flows` lists what can be run")]
    NoSuchFlow(FlowId),
    /// The store failed; nobody more is acted on.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn hint(state: BulkState) -> &'static str {
    match state {
        BulkState::Paused => "`idtriage bulk resume` goes on with it",
        BulkState::Running | BulkState::Stopped | BulkState::Done => "plan those who are left anew",
    }
}

impl Runner {
    /// Drives a bulk run that is running until nobody waits, somebody wishes otherwise, or something goes wrong
    /// that may be wrong for everybody: then it is paused. Returns it as it stands. Dropping the future plans
    /// nobody more; who is on their way lands by themselves, and the run can be taken up again.
    ///
    /// # Errors
    /// [`BulkError`]; a store that fails holds the run where it is.
    pub async fn drive(
        &self,
        id: BulkId,
        wishes: watch::Receiver<Wish>,
        told: UnboundedSender<BulkTold>,
    ) -> Result<BulkRun, BulkError> {
        let (run, flow) = self.as_confirmed(id).await?;
        self.hold(id).await?;
        // What a crash left pending is unknown before anybody asks for it.
        self.desk.store.expire_leases(self.desk.now()).await?;
        let brake = Brake::new(wishes, self.desk.store.bulk_kinds(id).await?);
        let drive = Drive::new(self, (&run, &flow), brake, told);
        let mut through = std::pin::pin!(drive.through());
        let lost = tokio::select! {
            ended = &mut through => {
                ended?;
                None
            }
            lost = self.keep_hold(id) => Some(lost),
        };
        if let Some(lost) = lost {
            // Somebody else paused or stopped it, or took it over: who is on their way is waited for.
            let why = lost.to_string();
            drive.brake.lose(why.lines().next().unwrap_or_default().to_owned());
            through.await?;
            if !matches!(lost, BulkError::Not(..)) {
                return Err(lost);
            }
        }
        let (state, why) = drive.stands().await?;
        let desk = &self.desk;
        let to = (state, why.as_deref());
        // It may have been lost since anybody looked: what others made of it stays.
        match desk.store.leave(id, &desk.owner, to, &desk.actor, desk.now()).await? {
            Held::Ours | Held::Not(_) => desk.store.bulk(id).await?.ok_or(BulkError::Missing(id)),
            Held::Others(owner) => Err(BulkError::Others(id, owner)),
            Held::Missing => Err(BulkError::Missing(id)),
        }
    }

    async fn hold(&self, id: BulkId) -> Result<(), BulkError> {
        let now = self.desk.now();
        let until = now.saturating_add(self.pace.lease).unwrap_or(Timestamp::MAX);
        let lease = Lease { owner: self.desk.owner.clone(), until };
        match self.desk.store.hold(id, &lease, now).await? {
            Held::Ours => Ok(()),
            Held::Others(owner) => Err(BulkError::Others(id, owner)),
            Held::Not(state) => Err(BulkError::Not(id, state)),
            Held::Missing => Err(BulkError::Missing(id)),
        }
    }

    /// Renews the lease until it is lost, and looks in between whether somebody paused or stopped the run, or took
    /// it over. A store that fails for a moment loses nothing: the lease outlasts it.
    async fn keep_hold(&self, id: BulkId) -> BulkError {
        loop {
            let mut left = self.pace.renew_every;
            while !left.is_zero() {
                let nap = left.min(self.pace.hear_every.max(SHORTEST_NAP));
                sleep(nap).await;
                left -= nap;
                if let Some(lost) = self.lost(id).await {
                    return lost;
                }
            }
            match self.hold(id).await {
                Ok(()) => {}
                Err(BulkError::Store(error)) => {
                    tracing::warn!(bulk = %id, %error, "the lease of a run on many was not renewed");
                }
                Err(lost) => return lost,
            }
        }
    }

    /// Why the run is not driven from here any more, if so.
    async fn lost(&self, id: BulkId) -> Option<BulkError> {
        match self.desk.store.held(id, &self.desk.owner).await {
            Ok(Held::Ours) => None,
            Ok(Held::Others(owner)) => Some(BulkError::Others(id, owner)),
            Ok(Held::Not(state)) => Some(BulkError::Not(id, state)),
            Ok(Held::Missing) => Some(BulkError::Missing(id)),
            Err(error) => {
                tracing::warn!(bulk = %id, %error, "whether a run on many goes on cannot be read");
                None
            }
        }
    }
}

/// Nobody looks more often than this.
const SHORTEST_NAP: Duration = Duration::from_millis(1);
