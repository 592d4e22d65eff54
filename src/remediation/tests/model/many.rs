//! Runs on both people, driven by either console or by both at once.

use super::*;
use crate::domain::bulk::BulkUser;
use crate::remediation::bulk::{ConfirmedBulk, queued};
use crate::store::{BulkStore, Users};
use tokio::sync::watch;

/// Until those on their way have landed, or are gone.
const LANDED: Duration = Duration::from_secs(30);

/// The actions that there may be of a user.
fn actions(id: BulkId, position: u32) -> impl Iterator<Item = ActionId> {
    let attempts = (0..16).map(move |attempt| id.action(position).attempt(attempt));
    attempts.flat_map(|action| [action, action.step(1), action.step(2)])
}

impl World {
    pub(super) async fn run_many(&mut self, at: At, flow: usize, insists: bool, crash: Option<u8>) {
        let desk = self.desk(at);
        let mut plans = Vec::new();
        for user in 0..2 {
            let ask = self.ask(flow, user);
            plans.extend(prepare(&desk, ask).await.ok());
        }
        self.next += 1;
        let id = BulkId(uuid::Uuid::from_u128(self.next << 32));
        let again = if insists { Again::Insist } else { Again::No };
        let said = ConfirmedBulk { inputs: BTreeMap::new(), reason: Some("case 7".into()), again };
        let Some((run, users)) = queued(&desk, id, &plans, said) else { return };
        desk.store.queue(&run, &users).await.unwrap();
        self.many.push(id);
        self.drive(id, &[at], crash).await;
    }

    pub(super) async fn go_on(&mut self, at: Option<At>, crash: Option<u8>) {
        let Some(id) = self.many.last().copied() else { return };
        self.turn_many(at.unwrap_or(At::Here), BulkState::Running).await;
        match at {
            Some(at) => self.drive(id, &[at], crash).await,
            None => self.drive(id, &[At::Here, At::There], crash).await,
        }
    }

    pub(super) async fn turn_many(&self, at: At, to: BulkState) {
        let (Some(id), desk) = (self.many.last(), self.desk(at)) else { return };
        let now = *self.now.lock().unwrap();
        // One that is over stays so.
        desk.store.turn(*id, to, None, &desk.actor, now).await.unwrap();
    }

    /// Whoever crashes takes along everybody whom they had on their way.
    async fn drive(&mut self, id: BulkId, at: &[At], crash: Option<u8>) {
        for action in [0, 1].into_iter().flat_map(|position| actions(id, position)) {
            if self.town.witness.action(action).await.unwrap().is_none() {
                self.begun.insert(action, self.town.moments());
                self.sent.insert(action, self.town.sent());
            }
        }
        self.fuse.set(crash);
        let drives = at.iter().map(|at| {
            let runner = self.runner(*at);
            async move {
                let (runner, wishes) = (Arc::new(runner), watch::channel(Wish::GoOn));
                let driver = runner.clone();
                let drive = async move { driver.drive(id, wishes.1, mpsc::unbounded_channel().0).await };
                // Somebody else may drive it, or nobody waits in it.
                let _ = tokio::spawn(drive).await;
                assert_eq!(runner.finish(LANDED).await, 0);
            }
        });
        futures_util::future::join_all(drives).await;
        self.fuse.set(None);
    }

    /// Never *nothing was sent* of somebody to whom something was, and no end but that of their action.
    pub(super) async fn many_are_told_as_they_stand(&self) {
        let sends = self.town.sends.lock().unwrap().clone();
        for id in &self.many {
            for BulkUser { position, end, .. } in
                self.town.witness.bulk_users(*id, Users::All, 0, 10).await.unwrap()
            {
                let Some(end) = end else { continue };
                let was_sent = actions(*id, position).any(|action| sends.contains_key(&action.to_string()));
                assert!(end.evidence.is_some() || !was_sent, "{id} {position}: {end:?}");
                let Some(action) = end.action else { continue };
                let action = self.town.witness.action(action).await.unwrap().unwrap();
                let is_open = action.outcome == Outcome::Pending;
                assert!(is_open || end.outcome == action.outcome, "{end:?}\n{action:?}");
            }
        }
    }
}
