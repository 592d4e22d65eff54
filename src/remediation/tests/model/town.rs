//! Two people, what was done to them and what was sent; and the fuse that ends whoever visits.

use super::super::*;
use crate::domain::action::{Receipt, ShownRequest};
use crate::domain::dossier::{AddressUsers, LoadedPart, OktaUser, Part};
use crate::domain::journal::RecordKind;
use crate::domain::log::{LogQuery, beside};
use crate::domain::operation::Operation;
use crate::domain::plan::Order;
use crate::store::sqlite::SqliteStore;
use crate::tenant::{Called, Clearance, LogCut, LogSearch};
use async_trait::async_trait;
use std::panic::resume_unwind;

/// Blows at the n-th visit and at every one behind it: whatever visits is gone, as in a crash. Nothing is printed.
#[derive(Debug, Default)]
pub(super) struct Fuse(Mutex<Option<usize>>);

impl Fuse {
    pub(super) fn set(&self, visits: Option<u8>) {
        *self.0.lock().unwrap() = visits.map(usize::from);
    }

    pub(super) fn visit(&self) {
        let blows = {
            let mut left = self.0.lock().unwrap();
            let blows = *left == Some(0);
            *left = left.map(|left| left.saturating_sub(1));
            blows
        };
        if blows {
            resume_unwind(Box::new("crash"));
        }
    }
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// It works, and is answered.
    Works,
    /// It works, and its reply is lost.
    ReplyLost,
    /// It is lost before it works: a time-out tells nobody which of the two it was.
    Lost,
    /// The server broke.
    Broke,
    Refused,
    Throttled,
    NotSent,
}

/// Two people, what was done to them, and what was sent.
#[derive(Debug)]
pub(super) struct Town {
    pub(super) fuse: Arc<Fuse>,
    pub(super) end: Mutex<End>,
    /// Who was in which status from which moment on, and by which action; by none where it was somebody elsewhere.
    pub(super) history: Mutex<Vec<(String, &'static str, Option<String>)>>,
    /// What the System Log has of it.
    pub(super) log: Log,
    pub(super) now: Arc<Mutex<Timestamp>>,
    pub(super) sends: Mutex<BTreeMap<String, usize>>,
    /// Which action may have turned whom into which status, in the order of the sends.
    pub(super) effects: Mutex<Vec<(ActionId, String, &'static str)>>,
    /// Where set, the next read behind a call says that it has begun, and waits until it may end.
    pub(super) held: Mutex<Option<Held>>,
    /// A handle of its own on the store's file.
    pub(super) witness: Arc<SqliteStore>,
    pub(super) wrong: Mutex<Vec<String>>,
}

/// A re-read that waits for what somebody else does.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    pub(super) has_called: bool,
    pub(super) begun: Arc<Notify>,
    pub(super) may_end: Arc<Notify>,
}

pub(super) fn wanted(flow: &FlowId) -> Option<&'static str> {
    match Operation::of_flow(flow) {
        Some(Operation::Suspend) => Some("SUSPENDED"),
        Some(Operation::Unsuspend) => Some("ACTIVE"),
        _ => None,
    }
}

impl Town {
    pub(super) fn status(&self, id: &str) -> &'static str {
        let history = self.history.lock().unwrap();
        history.iter().rev().find(|(who, ..)| who == id).map_or("ACTIVE", |(_, status, _)| status)
    }

    pub(super) fn turn(&self, id: &str, status: &'static str, by: Option<&str>) {
        if self.status(id) == status {
            return;
        }
        self.history.lock().unwrap().push((id.to_owned(), status, by.map(str::to_owned)));
        let agent = by.map_or("Mozilla/5.0".to_owned(), |by| format!("idtriage/1 {}", beside::signature(by)));
        let mut record = suspended(id, *self.now.lock().unwrap(), &agent);
        let did = if status == "ACTIVE" { "user.lifecycle.unsuspend" } else { "user.lifecycle.suspend" };
        let mut records = self.log.records.lock().unwrap();
        (record["eventType"], record["uuid"]) = (did.into(), records.len().to_string().into());
        records.push(record);
    }

    pub(super) fn moments(&self) -> usize {
        self.history.lock().unwrap().len()
    }

    fn work(&self, order: &Order) {
        let id = order.target.as_deref().unwrap_or_default();
        if let Some(status) = wanted(&order.flow) {
            self.turn(id, status, Some(&order.action));
        }
    }

    /// What leaves now may do it, as far as anybody can tell.
    fn may_work(&self, order: &Order) {
        if let Some(status) = wanted(&order.flow) {
            let target = order.target.clone().unwrap_or_default();
            self.effects.lock().unwrap().push((order.action.parse().unwrap(), target, status));
        }
        if let Some(held) = &mut *self.held.lock().unwrap() {
            held.has_called = true;
        }
    }

    pub(super) fn sent(&self) -> usize {
        self.effects.lock().unwrap().len()
    }

    async fn wait_where_held(&self) {
        let held = {
            let mut held = self.held.lock().unwrap();
            if held.as_ref().is_some_and(|held| held.has_called) { held.take() } else { None }
        };
        if let Some(held) = held {
            held.begun.notify_one();
            held.may_end.notified().await;
        }
    }

    /// What leaves stands in the journal already, and is on its way by the store too.
    async fn look_into_the_journal(&self, action: &str) {
        let id: ActionId = action.parse().unwrap();
        let kept = self.witness.action(id).await.unwrap();
        let is_on_its_way =
            |kept: &Action| (kept.outcome, kept.evidence) == (Outcome::Pending, Evidence::Sent);
        let records = self.witness.journal(0, 10_000).await.unwrap();
        let is_intent = |record: &crate::domain::journal::Record| {
            record.kind == RecordKind::Intended
                && record.content.as_ref().is_some_and(|text| text.contains(action))
        };
        if !kept.as_ref().is_some_and(is_on_its_way) || !records.iter().any(is_intent) {
            self.wrong.lock().unwrap().push(format!("{action} left without its intent: {kept:?}"));
        }
    }
}

pub(super) fn id_of(key: &str) -> String {
    format!("00u{}", key.trim_start_matches("00u").split('@').next().unwrap())
}

#[async_trait]
impl Directory for Town {
    fn parts(&self) -> Vec<PartName> {
        vec![PartName::Okta]
    }

    async fn part(&self, _: PartName, _: &Login) -> LoadedPart {
        unreachable!("one of Okta alone is configured")
    }

    async fn users_of_address(&self, _: &str) -> AddressUsers {
        AddressUsers::default()
    }

    async fn okta_user(&self, key: &str) -> Part<OktaUser> {
        self.fuse.visit();
        self.wait_where_held().await;
        let id = id_of(key);
        let status = self.status(&id);
        let link = if status == "ACTIVE" { "suspend" } else { "unsuspend" };
        let login = format!("{}@x", id.trim_start_matches("00u"));
        let user = json!({"id": id, "status": status, "_links": {"self": {}, link: {}}, "profile": {"login": login}});
        Part::whole(Timestamp::UNIX_EPOCH, serde_json::from_value(user).unwrap())
    }
}

#[async_trait]
impl LogSearch for Town {
    async fn search(&self, query: &LogQuery) -> Result<LogCut, dossier::Problem> {
        self.fuse.visit();
        self.log.search(query).await
    }

    async fn search_on(&self, next: &str) -> Result<LogCut, dossier::Problem> {
        self.log.search_on(next).await
    }
}

#[async_trait]
impl FlowCaller for Town {
    fn shown(&self, order: &Order) -> Result<ShownRequest, String> {
        self.fuse.visit();
        Ok(ShownRequest {
            method: "POST".into(),
            url: format!("https://x/{}/{}", order.flow, order.target.as_deref().unwrap_or_default()),
            headers: vec![("x-idtriage-action".into(), order.action.clone())],
            body: order.body.clone(),
        })
    }

    async fn call(&self, order: &Order, _: &ShownRequest, clearance: &dyn Clearance) -> Called {
        self.fuse.visit();
        if let Err(why) = clearance.clear().await {
            return CallEnd::HeldBack(why).into();
        }
        self.look_into_the_journal(&order.action).await;
        let end = *self.end.lock().unwrap();
        if !matches!(end, End::NotSent | End::Throttled) {
            *self.sends.lock().unwrap().entry(order.action.clone()).or_default() += 1;
            if !matches!(end, End::Refused) {
                self.may_work(order);
            }
        }
        self.fuse.visit();
        if matches!(end, End::Works | End::ReplyLost) {
            self.work(order);
        }
        self.fuse.visit();
        let of_status = |status| Receipt { status: Some(status), ..Receipt::default() };
        match end {
            End::Works => CallEnd::Answered(of_status(200)),
            End::ReplyLost | End::Lost => CallEnd::Unknown("timed out".into()),
            End::Broke => CallEnd::Answered(of_status(500)),
            End::Refused => CallEnd::Answered(of_status(403)),
            End::Throttled => CallEnd::Throttled(of_status(429)),
            End::NotSent => CallEnd::NotSent("dns".into()),
        }
        .into()
    }
}
