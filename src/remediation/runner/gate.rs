//! Who is in flight, whether anybody else may start, and who was to.

use crate::domain::plan::Plan;
use crate::domain::{ActionId, Login};
use std::future::pending;
use tokio::sync::watch;

/// An action that was confirmed and is not sent any more: the program stopped before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// On whom.
    pub login: Login,
    /// What it would have done.
    pub verb: String,
    /// Whether something of the same run was sent before it.
    pub is_rest: bool,
}

#[derive(Debug, Default)]
pub(super) struct State {
    is_closed: bool,
    flying: usize,
    runs: Vec<Run>,
}

/// A run that was confirmed, and what of it was not let in yet.
#[derive(Debug)]
struct Run {
    id: ActionId,
    login: Login,
    waiting: Vec<(ActionId, String)>,
    steps: usize,
}

/// Counts runs between their intent and their receipt, and knows what is still to follow.
#[derive(Debug, Default)]
pub(super) struct Gate {
    state: watch::Sender<State>,
}

/// One run in flight; dropping it lands it, also when its task breaks off.
#[derive(Debug)]
pub(super) struct Ticket {
    state: watch::Sender<State>,
}

/// Whether the gate was closed, for who is behind it.
#[derive(Debug, Clone)]
pub(super) struct Closing(watch::Receiver<State>);

impl Closing {
    pub(super) fn is_closed(&self) -> bool {
        self.0.borrow().is_closed
    }

    /// Waits until it is; for ever where there is no gate any more.
    pub(super) async fn closed(&self) {
        if self.0.clone().wait_for(|state| state.is_closed).await.is_err() {
            pending::<()>().await;
        }
    }
}

/// A run of which something may still be let in. Dropping it forgets the run, unless the gate was closed
/// meanwhile: then somebody asks what was left.
#[derive(Debug)]
pub(super) struct Announced<'a> {
    gate: &'a Gate,
    run: ActionId,
}

impl Gate {
    /// Says what a run is going to send. A step with nothing to do is missed by nobody.
    pub(super) fn announce(&self, plan: &Plan) -> Announced<'_> {
        let sent = plan.parts().iter().filter(|part| part.refusal.is_none());
        let waiting: Vec<_> = sent.map(|part| (part.action, part.verb.clone())).collect();
        let run = Run { id: plan.action, login: plan.login.clone(), steps: waiting.len(), waiting };
        self.state.send_modify(|state| state.runs.push(run));
        Announced { gate: self, run: plan.action }
    }

    /// Lets an action in, unless closed.
    pub(super) fn enter(&self, action: ActionId) -> Option<Ticket> {
        let entered = self.state.send_if_modified(|state| {
            if !state.is_closed {
                state.flying += 1;
                state.runs.iter_mut().for_each(|run| run.waiting.retain(|(id, _)| *id != action));
            }
            !state.is_closed
        });
        entered.then(|| Ticket { state: self.state.clone() })
    }

    /// For who was let in.
    pub(super) fn closing(&self) -> Closing {
        Closing(self.state.subscribe())
    }

    /// Lets nobody in any more.
    pub(super) fn close(&self) {
        self.state.send_modify(|state| state.is_closed = true);
    }

    /// How many are in flight.
    pub(super) fn flying(&self) -> usize {
        self.state.borrow().flying
    }

    /// What was announced and not let in: once the gate is closed, nothing of it is sent any more.
    pub(super) fn left(&self) -> Vec<Unsent> {
        let state = self.state.borrow();
        let of_run = |run: &Run| {
            let (login, is_rest) = (run.login.clone(), run.waiting.len() < run.steps);
            let unsent =
                |(_, verb): &(ActionId, String)| Unsent { login: login.clone(), verb: verb.clone(), is_rest };
            run.waiting.iter().map(unsent).collect::<Vec<_>>()
        };
        state.runs.iter().flat_map(of_run).collect()
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

impl Drop for Announced<'_> {
    fn drop(&mut self) {
        self.gate.state.send_if_modified(|state| {
            if !state.is_closed {
                state.runs.retain(|run| run.id != self.run);
            }
            false
        });
    }
}
