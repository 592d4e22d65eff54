//! What goes on behind everything that may act: later looks at targets, leases that run out, and what is said of
//! actions that broke off.

use crate::domain::Outcome;
use crate::domain::counted::numbered;
use crate::remediation::Runner;
use crate::source::clock::Clock;
use crate::store::{ActionFilter, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// How often it is seen to.
const EVERY: Duration = Duration::from_secs(5);
/// Looks each time: a bulk run whose target could not be read must not take the whole rate of reads.
const LOOKS: usize = 10;
/// Older ones are known, or for `journal check`.
const TOLD_OF: SignedDuration = SignedDuration::from_hours(24);
/// Actions looked through for those to be told of.
const LOOKED_THROUGH: usize = 500;

/// Looks at the targets of actions whose end is open, each when it is due.
pub(super) async fn look_when_due(runner: Arc<Runner>) {
    loop {
        if let Err(error) = runner.look_where_due(LOOKS).await {
            tracing::warn!(%error, "which actions are to be looked at again cannot be read");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Actions of processes that are gone become unknown once their lease has run out, or not-sent where nothing left; how
/// many became unknown is told.
pub(super) async fn expire_leases(store: Arc<dyn Store>, clock: Arc<dyn Clock>, tell: impl Fn(usize)) {
    loop {
        match store.expire_leases(clock.now()).await {
            Ok(expired) => match expired.iter().filter(|(_, outcome)| *outcome == Outcome::Unknown).count() {
                0 => {}
                unknown => tell(unknown),
            },
            Err(error) => tracing::warn!(%error, "leases cannot be looked through"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// How many actions of the past day are of unknown outcome.
///
/// # Errors
/// If the store cannot be read.
pub(super) async fn unknown(store: &dyn Store, now: Timestamp) -> Result<usize, StoreError> {
    let since = now.checked_sub(TOLD_OF).ok();
    let filter = ActionFilter { since, may_have_left: true, ..ActionFilter::default() };
    let found = store.actions(&filter, None, LOOKED_THROUGH).await?.rows;
    Ok(found.iter().filter(|action| action.is_unknown()).count())
}

/// What is said of actions of unknown outcome, and how they are found out about.
pub(super) fn said_of(unknown: usize, how: &str) -> String {
    let actions = numbered(unknown, "action");
    format!("{actions} of unknown outcome: it may or may not have happened\nhint: {how}")
}

/// On the command line and in a log.
pub(super) const BY_COMMAND: &str = "`idtriage journal check --unknown` looks at the targets again";
