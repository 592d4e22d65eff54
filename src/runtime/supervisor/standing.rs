//! Whether something that is kept at work is at it.

use crate::domain::{SourceHealth, SourceState};
use jiff::Timestamp;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Whether it is at work, and what is shown of its sources where it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stand {
    /// It is on its way.
    Starting,
    /// It works: its sources tell for themselves how they are.
    Up,
    /// It fell, and is started again by itself.
    Down {
        /// Why.
        why: String,
        /// When it is started again.
        again: Timestamp,
    },
    /// It was told to stop, and did.
    Stopped,
}

/// Where it stands, for whoever keeps it and for whoever looks.
#[derive(Debug)]
pub(super) struct Standing {
    stand: Mutex<Stand>,
    changed: Arc<Notify>,
}

impl Standing {
    /// On its way; `changed` hears of every other stand.
    pub(super) fn new(changed: Arc<Notify>) -> Standing {
        Standing { stand: Mutex::new(Stand::Starting), changed }
    }

    /// It works.
    pub(super) fn up(&self) {
        self.set(Stand::Up);
    }

    /// Where it stands.
    pub(super) fn get(&self) -> Stand {
        self.lock().clone()
    }

    pub(super) fn set(&self, stand: Stand) {
        *self.lock() = stand;
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Stand> {
        // Whoever panicked with it changed it whole or not at all.
        self.stand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stand {
    /// How a source of it is, which by itself would tell this.
    pub(super) fn shown(&self, health: SourceHealth) -> SourceHealth {
        match self {
            Stand::Starting | Stand::Up => health,
            Stand::Down { why, again } => {
                SourceHealth { state: SourceState::failed(why.clone()), again: Some(*again), ..health }
            }
            Stand::Stopped => SourceHealth { state: SourceState::Stopped, ..health },
        }
    }
}
