//! Who is in flight, and whether anybody else may start.

use tokio::sync::watch;

#[derive(Debug, Default)]
struct State {
    is_closed: bool,
    flying: usize,
}

/// Counts runs between their intent and their receipt.
#[derive(Debug, Default)]
pub(super) struct Gate {
    state: watch::Sender<State>,
}

/// One run in flight; dropping it lands it, also when its task breaks off.
#[derive(Debug)]
pub(super) struct Ticket {
    state: watch::Sender<State>,
}

impl Gate {
    /// Lets one in, unless closed.
    pub(super) fn enter(&self) -> Option<Ticket> {
        let entered = self.state.send_if_modified(|state| {
            state.flying += usize::from(!state.is_closed);
            !state.is_closed
        });
        entered.then(|| Ticket { state: self.state.clone() })
    }

    /// Lets nobody in any more.
    pub(super) fn close(&self) {
        self.state.send_modify(|state| state.is_closed = true);
    }

    /// How many are in flight.
    pub(super) fn flying(&self) -> usize {
        self.state.borrow().flying
    }

    /// Waits until none is.
    pub(super) async fn landed(&self) {
        // The sender lives in `self`, so the channel does not close.
        let _ = self.state.subscribe().wait_for(|state| state.flying == 0).await;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.state.send_modify(|state| state.flying = state.flying.saturating_sub(1));
    }
}
