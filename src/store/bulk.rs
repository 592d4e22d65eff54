//! Bulk runs as the store keeps them.

use super::{Lease, Page, StoreError};
use crate::domain::Actor;
use crate::domain::bulk::{BulkEnd, BulkId, BulkRun, BulkState, BulkUser, EndKind};
use crate::domain::journal::Record;
use async_trait::async_trait;
use jiff::Timestamp;

/// Which users of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Users {
    /// All.
    All,
    /// Those whose end nobody has told: they wait, or were begun with.
    Queued,
    /// Those with something to look at: not sent, refused, failed or unknown, and whose end nobody has told though
    /// they were begun with.
    Exceptions,
}

/// Whether a run may be driven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// By whoever asked.
    Ours,
    /// Another process drives it.
    Others(String),
    /// It is over, or waits: nobody drives it.
    Not(BulkState),
    /// There is no such run.
    Missing,
}

/// What became of an end that somebody told of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is theirs.
    Kept,
    /// One was told before, and stays.
    ToldBefore,
    /// It says that nothing was sent, and another process began with them meanwhile: their actions tell.
    BegunMeanwhile,
    /// Another process drives the run, and tells.
    Others,
}

/// Where bulk runs are kept.
#[async_trait]
pub trait BulkStore {
    /// Keeps a run and its users, and its record in the journal, before anybody is acted on.
    async fn queue(&self, run: &BulkRun, users: &[BulkUser]) -> Result<(), StoreError>;

    /// Takes or keeps the wheel of a run that is running, until the lease's end: one process at a time drives it.
    async fn hold(&self, id: BulkId, lease: &Lease, now: Timestamp) -> Result<Held, StoreError>;

    /// The same without taking or keeping anything: how it stands for whoever drove it so far.
    async fn held(&self, id: BulkId, owner: &str) -> Result<Held, StoreError>;

    /// Where a run stands from now on, and why; journalled, with who did it. One that is over stays over. Whoever
    /// drove it drives it no more, unless it stands so already. Answers whether it stands so.
    async fn turn(
        &self,
        id: BulkId,
        to: BulkState,
        why: Option<&str>,
        actor: &Actor,
        at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// The same by whoever drove it so far, as they leave it. Where another process drives it by now, or had it wait or
    /// stopped it, it stays so, but for one in which nobody waits: that is done. Answers how it stood.
    async fn leave(
        &self,
        id: BulkId,
        owner: &str,
        to: (BulkState, Option<&str>),
        actor: &Actor,
        at: Timestamp,
    ) -> Result<Held, StoreError>;

    /// Keeps how it ended for one user, where nobody has told it yet, and nobody but `owner` drives the run: the end
    /// that whoever was cut off tells is no news, and may be untrue.
    async fn user_ended(
        &self,
        id: BulkId,
        position: u32,
        end: &BulkEnd,
        owner: &str,
    ) -> Result<Kept, StoreError>;

    /// Remembers what paused a run: whoever goes on with it has seen that.
    async fn saw(&self, id: BulkId, kind: EndKind) -> Result<(), StoreError>;

    /// One run.
    async fn bulk(&self, id: BulkId) -> Result<Option<BulkRun>, StoreError>;

    /// Runs, newest first; `before` is the last id of the page above.
    async fn bulks(&self, before: Option<BulkId>, limit: usize) -> Result<Page<BulkRun>, StoreError>;

    /// Users of a run from a place on, in their order.
    async fn bulk_users(
        &self,
        id: BulkId,
        which: Users,
        from: u32,
        limit: usize,
    ) -> Result<Vec<BulkUser>, StoreError>;

    /// The kinds of ends that may be wrong for everybody and that were seen in a run.
    async fn bulk_kinds(&self, id: BulkId) -> Result<Vec<EndKind>, StoreError>;

    /// What the journal has of a run as it was queued.
    async fn bulk_record(&self, id: BulkId) -> Result<Option<Record>, StoreError>;
}

/// For a double of a store that holds no bulk runs.
#[cfg(test)]
macro_rules! no_bulk_runs {
    ($store:ty) => {
        #[async_trait::async_trait]
        impl $crate::store::BulkStore for $store {
            async fn queue(
                &self,
                _: &$crate::domain::bulk::BulkRun,
                _: &[$crate::domain::bulk::BulkUser],
            ) -> Result<(), $crate::store::StoreError> {
                Err($crate::store::StoreError::Closed)
            }

            async fn hold(
                &self,
                _: $crate::domain::bulk::BulkId,
                _: &$crate::store::Lease,
                _: jiff::Timestamp,
            ) -> Result<$crate::store::Held, $crate::store::StoreError> {
                Err($crate::store::StoreError::Closed)
            }

            async fn turn(
                &self,
                _: $crate::domain::bulk::BulkId,
                _: $crate::domain::bulk::BulkState,
                _: Option<&str>,
                _: &$crate::domain::Actor,
                _: jiff::Timestamp,
            ) -> Result<bool, $crate::store::StoreError> {
                Err($crate::store::StoreError::Closed)
            }

            async fn leave(
                &self,
                _: $crate::domain::bulk::BulkId,
                _: &str,
                _: ($crate::domain::bulk::BulkState, Option<&str>),
                _: &$crate::domain::Actor,
                _: jiff::Timestamp,
            ) -> Result<$crate::store::Held, $crate::store::StoreError> {
                Err($crate::store::StoreError::Closed)
            }

            async fn user_ended(
                &self,
                _: $crate::domain::bulk::BulkId,
                _: u32,
                _: &$crate::domain::bulk::BulkEnd,
                _: &str,
            ) -> Result<$crate::store::Kept, $crate::store::StoreError> {
                Err($crate::store::StoreError::Closed)
            }

            async fn held(
                &self,
                _: $crate::domain::bulk::BulkId,
                _: &str,
            ) -> Result<$crate::store::Held, $crate::store::StoreError> {
                Err($crate::store::StoreError::Closed)
            }

            async fn saw(
                &self,
                _: $crate::domain::bulk::BulkId,
                _: $crate::domain::bulk::EndKind,
            ) -> Result<(), $crate::store::StoreError> {
                Err($crate::store::StoreError::Closed)
            }

            async fn bulk_record(
                &self,
                _: $crate::domain::bulk::BulkId,
            ) -> Result<Option<$crate::domain::journal::Record>, $crate::store::StoreError> {
                Ok(None)
            }

            async fn bulk(
                &self,
                _: $crate::domain::bulk::BulkId,
            ) -> Result<Option<$crate::domain::bulk::BulkRun>, $crate::store::StoreError> {
                Ok(None)
            }

            async fn bulks(
                &self,
                _: Option<$crate::domain::bulk::BulkId>,
                _: usize,
            ) -> Result<$crate::store::Page<$crate::domain::bulk::BulkRun>, $crate::store::StoreError> {
                Err($crate::store::StoreError::Closed)
            }

            async fn bulk_users(
                &self,
                _: $crate::domain::bulk::BulkId,
                _: $crate::store::Users,
                _: u32,
                _: usize,
            ) -> Result<Vec<$crate::domain::bulk::BulkUser>, $crate::store::StoreError> {
                Ok(Vec::new())
            }

            async fn bulk_kinds(
                &self,
                _: $crate::domain::bulk::BulkId,
            ) -> Result<Vec<$crate::domain::bulk::EndKind>, $crate::store::StoreError> {
                Ok(Vec::new())
            }
        }
    };
}

#[cfg(test)]
pub(crate) use no_bulk_runs;
