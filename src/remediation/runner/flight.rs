//! From the intent to the receipt, in a task that nobody's leaving stops.

use super::gate::{Closing, Ticket};
use super::{Landed, Pace, Progress, Proof, RunError, Told, verify};
use crate::domain::action::Settlement;
use crate::domain::plan::Plan;
use crate::domain::{Action, Evidence, OneTimeLink, Outcome};
use crate::remediation::{Desk, evidence, sight};
use crate::store::{Basis, Lease, StoreError};
use crate::tenant::{CallEnd, Called, Clearance};
use async_trait::async_trait;
use jiff::Timestamp;
use std::convert::Infallible;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::sleep;

pub(super) struct Flight {
    desk: Arc<Desk>,
    pace: Arc<Pace>,
    plan: Plan,
    reason: Option<String>,
    basis: Basis,
    progress: UnboundedSender<Told>,
    watch: Option<Watch>,
    closing: Closing,
    is_leaving: AtomicBool,
    hold: Mutex<Hold>,
}

/// How the action is held.
#[derive(Debug, Clone, Copy)]
struct Hold {
    until: Timestamp,
    /// Whether a moment came at which it was not: whoever slept through its end sends nothing any more, also where
    /// nobody declared them dead meanwhile.
    has_lapsed: bool,
}

/// Whoever says, right before something leaves, whether it still may: the error says why not.
pub(super) type Watch = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

impl Flight {
    pub(super) fn new(
        desk: &Arc<Desk>,
        pace: &Arc<Pace>,
        (plan, closing): (&Plan, Closing),
        (reason, basis): (Option<String>, Basis),
        progress: UnboundedSender<Told>,
    ) -> Flight {
        let reason = reason.filter(|reason| !reason.trim().is_empty());
        let hold = Mutex::new(Hold { until: Timestamp::MAX, has_lapsed: false });
        Flight {
            desk: desk.clone(),
            pace: pace.clone(),
            plan: plan.clone(),
            reason,
            basis,
            progress,
            hold,
            watch: None,
            closing,
            is_leaving: AtomicBool::new(false),
        }
    }

    /// Asks somebody before anything leaves.
    pub(super) fn watched_by(self, watch: Option<Watch>) -> Flight {
        Flight { watch, ..self }
    }

    /// The whole run. The ticket is held until the receipt is kept; re-reads may be cut off. Where something
    /// else is to be sent right behind it, they are left open.
    pub(super) async fn fly(self, ticket: Ticket, proof: Proof) -> Result<Landed, RunError> {
        self.intend().await?;
        let (settlement, settled, link) = tokio::select! {
            ended = self.act() => ended?,
            never = self.renew() => match never {},
        };
        drop(ticket);
        match proof {
            Proof::Awaited => Ok(Landed { action: self.prove(settlement, settled).await, link, open: None }),
            Proof::Left => {
                let open = Open { flight: self, settlement, settled: settled.clone() };
                Ok(Landed { action: settled, link, open: Some(open) })
            }
        }
    }

    async fn prove(&self, settlement: Settlement, settled: Action) -> Action {
        let action = self.verify(settlement, settled).await;
        self.tell(Progress::Done(Box::new(action.clone())));
        action
    }

    /// The send and its receipt: as long as either lasts, the lease is renewed.
    async fn act(&self) -> Result<(Settlement, Action, Option<OneTimeLink>), RunError> {
        let (settlement, link) = self.send().await;
        let settled = self.keep(&settlement).await?;
        Ok((settlement, settled, link))
    }

    async fn intend(&self) -> Result<(), RunError> {
        let (now, lease) = (self.desk.now(), self.lease());
        self.desk.store.intend(&self.action(now), &lease, &self.basis).await?;
        self.hold().until = lease.until;
        self.tell(Progress::Intended);
        Ok(())
    }

    fn action(&self, at: Timestamp) -> Action {
        let plan = &self.plan;
        Action {
            id: plan.action,
            step: plan.step,
            is_test: plan.is_test,
            undoes: plan.undoes.as_ref().map(|undoes| undoes.action),
            undone: None,
            before: sight::before(plan),
            flow: plan.flow.id.clone(),
            verb: plan.verb.clone(),
            risk: plan.risk,
            login: plan.login.clone(),
            target_id: plan.target_id.clone(),
            account_login: plan.account_login.clone(),
            finding: plan.finding,
            evidence: Evidence::Intended,
            outcome: Outcome::Pending,
            request: plan.request.clone(),
            receipt: None,
            reason: self.reason.clone(),
            actor: self.desk.actor.clone(),
            at,
        }
    }

    /// The one send. The lease is looked at before, and looked at and renewed at every try: a process that slept
    /// through it may have been declared dead by another, and knows of nothing that came meanwhile. Then nothing may
    /// leave any more.
    async fn send(&self) -> (Settlement, Option<OneTimeLink>) {
        if self.has_lapsed() {
            return (evidence::held_back(LAPSED.to_owned(), self.desk.now()), None);
        }
        let order = self.plan.order(self.desk.actor.signed());
        let called = tokio::select! {
            called = self.desk.caller.call(&order, &self.plan.request, self) => called,
            () = self.stopped_while_waiting() => CallEnd::HeldBack(STOPPING.to_owned()).into(),
        };
        let Called { end, link } = called;
        let settlement = evidence::judge(end, &self.plan.flow, self.desk.now());
        // What was held back is no answer, and says nothing of the other side.
        if settlement.outcome != Outcome::NotSent {
            self.tell(Progress::Answered(settlement.receipt.status, settlement.outcome));
        }
        (settlement, link)
    }

    /// The program stops before anything left: nobody waits for a turn any more. What has its clearance is waited for.
    async fn stopped_while_waiting(&self) {
        self.closing.closed().await;
        if self.is_leaving.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
    }

    /// Renews the lease for as long as it is polled. A renewal that fails is tried again in time: the
    /// lease outlasts three.
    async fn renew(&self) -> Infallible {
        loop {
            sleep(self.pace.renew_every).await;
            if let Err(error) = self.extend().await {
                tracing::warn!(action = %self.plan.action, %error, "the lease was not renewed");
            }
        }
    }

    async fn extend(&self) -> Result<(), StoreError> {
        let lease = self.next_lease();
        self.desk.store.renew(self.plan.action, &lease).await?;
        self.hold().until = lease.until;
        Ok(())
    }

    /// Puts down that a byte may leave now, with a whole lease before it: from here on a crash may have cut it, and whoever
    /// waits for a turn has sent nothing.
    async fn sending(&self) -> Result<(), StoreError> {
        let lease = self.next_lease();
        self.desk.store.sending(self.plan.action, &lease).await?;
        self.hold().until = lease.until;
        Ok(())
    }

    /// A lease from now on. Also what lapsed is held: a request may be on its way.
    fn next_lease(&self) -> Lease {
        self.has_lapsed();
        self.lease()
    }

    /// Whether the lease ran out at some time.
    fn has_lapsed(&self) -> bool {
        let now = self.desk.now();
        let mut hold = self.hold();
        hold.has_lapsed |= now >= hold.until;
        hold.has_lapsed
    }

    /// A thread that panicked while it held this left it whole.
    fn hold(&self) -> MutexGuard<'_, Hold> {
        self.hold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the receipt, trying again for a while: it is the only proof of what was sent.
    async fn keep(&self, settlement: &Settlement) -> Result<Action, RunError> {
        let mut waits = self.pace.keep_again.iter();
        loop {
            let kept = self.desk.store.settle(self.plan.action, settlement, self.desk.now()).await;
            match (kept, waits.next()) {
                (Ok(action), _) => return Ok(action),
                (Err(_), Some(wait)) => sleep(*wait).await,
                (Err(why), None) => {
                    return Err(RunError::NotKept {
                        action: self.plan.action,
                        said: evidence::words(settlement),
                        outcome: settlement.outcome,
                        evidence: settlement.evidence,
                        why,
                    });
                }
            }
        }
    }

    async fn verify(&self, settlement: Settlement, settled: Action) -> Action {
        if !verify::can(&self.plan, &settlement) {
            return settled;
        }
        self.tell(Progress::Verifying);
        let raised = verify::verify(&self.desk, &self.pace.rereads, (&self.plan, &settled), settlement).await;
        match self.desk.store.settle(self.plan.action, &raised, self.desk.now()).await {
            Ok(action) => action,
            Err(error) => {
                tracing::warn!(action = %self.plan.action, %error, "what the re-read saw was not kept");
                settled
            }
        }
    }

    fn lease(&self) -> Lease {
        let until = self.desk.now().saturating_add(self.pace.lease).unwrap_or(Timestamp::MAX);
        Lease { owner: self.desk.owner.clone(), until }
    }

    /// Nobody may be listening any more, and that stops nothing.
    fn tell(&self, progress: Progress) {
        let _ = self.progress.send(Told { step: self.plan.step, progress });
    }
}

/// An action whose receipt is kept, and whose effect is still to be looked for.
pub(super) struct Open {
    flight: Flight,
    settlement: Settlement,
    settled: Action,
}

impl Open {
    /// Looks for the effect; the action as it stands then.
    pub(super) async fn prove(self) -> Action {
        self.flight.prove(self.settlement, self.settled).await
    }
}

/// An exchange may be made while the action is still ours, with a whole lease before it.
#[async_trait]
impl Clearance for Flight {
    async fn clear(&self) -> Result<(), String> {
        if let Some(Err(why)) = self.watch.as_ref().map(|may_leave| may_leave()) {
            return Err(why);
        }
        if self.has_lapsed() {
            return Err(LAPSED.to_owned());
        }
        if self.closing.is_closed() {
            return Err(STOPPING.to_owned());
        }
        self.sending().await.map_err(|error| error.to_string())?;
        // Whoever slept while that was kept is as late as whoever slept before: the lease counts from when it was asked.
        if self.has_lapsed() {
            return Err(LAPSED.to_owned());
        }
        if self.closing.is_closed() {
            return Err(STOPPING.to_owned());
        }
        self.tell(Progress::Sending);
        self.is_leaving.store(true, Ordering::SeqCst);
        Ok(())
    }
}

const LAPSED: &str = "the lease ran out before a byte left";
const STOPPING: &str = "the program was stopping";
