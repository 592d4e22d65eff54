//! A store, a directory and a caller in memory, which write down in which order they were used.

use crate::domain::action::{AnalystWord, Receipt, Settlement, ShownRequest};
use crate::domain::dossier::{AddressUsers, EndUser, LoadedPart, OktaUser, Part, Problem};
use crate::domain::event::{Event, EventDetail};
use crate::domain::finding::HistoryEntry;
use crate::domain::journal::query::JournalQuery;
use crate::domain::journal::{Head, Record};
use crate::domain::log::LogQuery;
use crate::domain::plan::Order;
use crate::domain::*;
use crate::store::*;
use crate::tenant::{
    Assignment, CallEnd, Called, Clearance, Directory, FlowCaller, LogCut, LogSearch, OktaOrg,
};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, watch};

/// How an org says that there is nobody.
const NOBODY: &str = "E0000007";

/// What happened, in order, by everybody.
pub(super) type Trace = Arc<Mutex<Vec<&'static str>>>;

#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) trace: Trace,
    pub(super) actions: Mutex<Vec<Action>>,
    pub(super) finding: Option<Finding>,
    pub(super) event: Option<EventDetail>,
    /// Who was seen before.
    pub(super) logins: Vec<Login>,
    /// What another process does right before the next intent.
    pub(super) meanwhile: Mutex<Option<Action>>,
    /// The names of operations that fail, once each.
    pub(super) failing: Mutex<Vec<&'static str>>,
    pub(super) renewed: Notify,
    /// The clock, and for how long the program sleeps while a lease is renewed.
    pub(super) sleeps: Mutex<Option<(Arc<Mutex<Timestamp>>, jiff::SignedDuration)>>,
}

impl Memory {
    /// Whoever keeps a lease may be stopped while it is kept.
    fn sleep(&self) {
        self.renewed.notify_one();
        if let Some((now, asleep)) = &*self.sleeps.lock().unwrap() {
            *now.lock().unwrap() += *asleep;
        }
    }

    fn did(&self, what: &'static str) -> Result<(), StoreError> {
        let mut failing = self.failing.lock().unwrap();
        if let Some(at) = failing.iter().position(|name| *name == what) {
            failing.remove(at);
            return Err(StoreError::NotWritable(format!("{what}: disk full")));
        }
        self.trace.lock().unwrap().push(what);
        Ok(())
    }

    fn with<T>(&self, id: ActionId, change: impl FnOnce(&mut Action) -> T) -> Result<T, StoreError> {
        let mut actions = self.actions.lock().unwrap();
        let action = actions.iter_mut().find(|action| action.id == id);
        action.map(change).ok_or_else(|| StoreError::Read("no such action".into()))
    }
}

fn pending(action: &mut Action) -> Result<&mut Action, StoreError> {
    if action.outcome == Outcome::Pending { Ok(action) } else { Err(StoreError::NotPending(action.id)) }
}

crate::store::no_bulk_runs!(Memory);

#[async_trait]
impl Store for Memory {
    async fn append(&self, _: Vec<InboxItem>) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }

    async fn advance(&self, _: Vec<InboxItem>, _: &Cursor) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }

    async fn cursor(&self, _: &str) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    async fn import(&self, _: Vec<InboxItem>) -> Result<Imported, StoreError> {
        Err(StoreError::Closed)
    }

    async fn report(&self, _: &SourcesReport) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }

    async fn reported(&self) -> Result<Option<SourcesReport>, StoreError> {
        Ok(None)
    }

    async fn dropped(&self) -> Result<Vec<Dropped>, StoreError> {
        Ok(Vec::new())
    }

    async fn executions(&self, _: &[String]) -> Result<Vec<(String, Event)>, StoreError> {
        Ok(Vec::new())
    }

    async fn setting(&self, _: &str) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    async fn set_setting(&self, _: &str, _: &str, _: &Actor, _: Timestamp) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }

    async fn replace_setting(
        &self,
        _: &str,
        _: Option<&str>,
        _: &str,
        _: &Actor,
        _: Timestamp,
    ) -> Result<Replaced, StoreError> {
        Err(StoreError::Closed)
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        Ok(StoreStatus::default())
    }

    async fn prune(&self, _: Timestamp, _: usize) -> Result<Pruned, StoreError> {
        Err(StoreError::Closed)
    }

    async fn prunable(&self, _: Timestamp) -> Result<Pruned, StoreError> {
        Ok(Pruned::default())
    }

    async fn still(&self) -> Still {
        Still::default()
    }

    async fn drained(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn watch(&self) -> watch::Receiver<Sequence> {
        watch::channel(Sequence::default()).1
    }

    async fn events(&self, _: &Query, _: From<EventId>, _: usize) -> Result<Page<Event>, StoreError> {
        let rows = self.event.iter().map(|detail| detail.event.clone()).collect();
        Ok(Page { rows, next: None })
    }

    async fn count_events(&self, _: &Query, _: Option<EventId>) -> Result<Counted, StoreError> {
        Ok(Counted::default())
    }

    async fn event(&self, _: EventId) -> Result<Option<EventDetail>, StoreError> {
        Ok(self.event.clone())
    }

    async fn event_users(
        &self,
        _: EventId,
        _: &UserQuery,
        _: From<usize>,
        _: usize,
    ) -> Result<Page<EventUser>, StoreError> {
        Err(StoreError::Closed)
    }

    async fn findings(
        &self,
        _: &FindingFilter,
        _: From<FindingId>,
        _: usize,
    ) -> Result<Page<Finding>, StoreError> {
        Err(StoreError::Closed)
    }

    async fn logins_beside(&self, _: &Login, _: usize) -> Result<Vec<Login>, StoreError> {
        Ok(self.logins.clone())
    }

    async fn finding(&self, _: FindingId) -> Result<Option<Finding>, StoreError> {
        Ok(self.finding.clone())
    }

    async fn history(&self, _: FindingId) -> Result<Vec<HistoryEntry>, StoreError> {
        Err(StoreError::Closed)
    }

    async fn change(
        &self,
        _: FindingId,
        _: Option<u64>,
        _: &Change,
        _: &Actor,
        _: Timestamp,
    ) -> Result<Finding, ChangeError> {
        Err(StoreError::Closed.into())
    }

    async fn intend(&self, action: &Action, _: &Lease, basis: &Basis) -> Result<(), IntendError> {
        let mut actions = self.actions.lock().unwrap();
        actions.extend(self.meanwhile.lock().unwrap().take());
        let is_same_account =
            |other: &Action| other.target_id.is_some() && other.target_id == action.target_id;
        let same = |other: &&Action| {
            !other.is_test
                && (other.flow == action.flow || basis.same.contains(&other.flow))
                && (other.login == action.login || is_same_account(other))
        };
        if let Some(open) = actions.iter().filter(same).find(|other| other.outcome == Outcome::Pending) {
            return Err(IntendError::AlreadyOpen(open.id));
        }
        let before: Vec<Action> = actions.iter().rev().filter(same).cloned().collect();
        if let (Some(unknown), Again::No) = (precedent::unproven(&before), basis.again) {
            return Err(IntendError::UnknownBefore(unknown.id));
        }
        let newest = actions.iter().rev().find(same);
        if let Some(unseen) = newest.filter(|newest| !basis.seen.contains(&newest.id)) {
            return Err(IntendError::Meanwhile(unseen.id));
        }
        self.did("intend")?;
        actions.push(action.clone());
        Ok(())
    }

    async fn renew(&self, id: ActionId, _: &Lease) -> Result<(), StoreError> {
        self.sleep();
        self.with(id, |action| pending(action).map(drop))?
    }

    async fn sending(&self, id: ActionId, _: &Lease) -> Result<(), StoreError> {
        self.did("sending")?;
        self.sleep();
        self.with(id, |action| pending(action).map(|a| a.evidence = a.evidence.max(Evidence::Sent)))?
    }

    async fn settle(&self, id: ActionId, said: &Settlement, _: Timestamp) -> Result<Action, StoreError> {
        self.did("settle")?;
        self.with(id, |action| {
            *action = action.clone().settled_by(said);
            action.clone()
        })
    }

    async fn give_word(
        &self,
        id: ActionId,
        word: &AnalystWord,
        _: Option<&AnalystWord>,
    ) -> Result<Action, WordError> {
        Ok(self.with(id, |action| {
            *action = action.clone().with_word(word.clone());
            action.clone()
        })?)
    }

    async fn expire_leases(&self, _: Timestamp) -> Result<Vec<(ActionId, Outcome)>, StoreError> {
        Err(StoreError::Closed)
    }

    async fn take_looks(&self, now: Timestamp, most: usize) -> Result<Vec<ActionId>, StoreError> {
        let actions = self.actions.lock().unwrap();
        let is_due = |action: &&Action| later::next_look(action, Timestamp::MIN).is_some_and(|at| at <= now);
        Ok(actions.iter().filter(is_due).take(most).map(|action| action.id).collect())
    }

    async fn action(&self, id: ActionId) -> Result<Option<Action>, StoreError> {
        Ok(self.actions.lock().unwrap().iter().find(|action| action.id == id).cloned())
    }

    async fn actions(
        &self,
        filter: &ActionFilter,
        _: Option<ActionId>,
        limit: usize,
    ) -> Result<Page<Action>, StoreError> {
        let actions = self.actions.lock().unwrap();
        let wanted = |action: &&Action| {
            filter.login.as_ref().is_none_or(|login| *login == action.login)
                && (filter.target.is_none() || filter.target == action.target_id)
                && filter.flow.as_ref().is_none_or(|flow| *flow == action.flow)
                && (!filter.tells_unknown
                    || matches!(action.outcome, Outcome::Unknown | Outcome::Changed | Outcome::NoChange))
        };
        let rows = actions.iter().rev().filter(wanted).take(limit).cloned().collect();
        Ok(Page { rows, next: None })
    }

    async fn journal(&self, _: u64, _: usize) -> Result<Vec<Record>, StoreError> {
        Err(StoreError::Closed)
    }

    async fn journal_page(
        &self,
        _: &JournalQuery,
        _: Timestamp,
        _: From<i64>,
        _: usize,
    ) -> Result<Page<Record>, StoreError> {
        Err(StoreError::Closed)
    }

    async fn journal_unfound(&self) -> Result<Option<u64>, StoreError> {
        Err(StoreError::Closed)
    }

    async fn journal_head(&self) -> Result<Option<Head>, StoreError> {
        Err(StoreError::Closed)
    }

    async fn health(&self) -> Result<StoreHealth, StoreError> {
        Err(StoreError::Closed)
    }

    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Okta statuses one after another, the last for ever; `""` is a failed read.
#[derive(Debug)]
pub(super) struct People {
    pub(super) trace: Trace,
    pub(super) parts: Vec<PartName>,
    pub(super) details: serde_json::Value,
    /// What went wrong beside the details.
    pub(super) problems: Vec<Problem>,
    pub(super) statuses: Mutex<VecDeque<&'static str>>,
    /// Whether a failed read means that there is nobody.
    pub(super) is_missing: bool,
    pub(super) title: Mutex<&'static str>,
    /// When the status changed.
    pub(super) changed: Mutex<Option<Timestamp>>,
    /// Who is not `ann`, by what they are looked up by.
    pub(super) others: BTreeMap<&'static str, Somebody>,
}

/// Another than `ann`.
#[derive(Debug, Clone)]
pub(super) enum Somebody {
    /// Okta shows this login, and Cisco Identity Intelligence this of it, if it can be read.
    Is(&'static str, Option<serde_json::Value>),
    /// Okta knows nobody.
    Nobody,
    /// Okta cannot be read.
    Unread,
}

impl People {
    fn next(&self) -> &'static str {
        let mut statuses = self.statuses.lock().unwrap();
        if statuses.len() > 1 { statuses.pop_front() } else { statuses.front().copied() }.unwrap_or_default()
    }
}

/// What Okta offers a user of a status.
fn links(status: &str) -> serde_json::Value {
    match status {
        "ACTIVE" => serde_json::json!({"self": {}, "suspend": {}, "resetPassword": {}, "deactivate": {},
            "resetFactors": {}}),
        "SUSPENDED" => serde_json::json!({"self": {}, "unsuspend": {}}),
        "STAGED" => serde_json::json!({"self": {}, "activate": {}}),
        "RECOVERY" => serde_json::json!({"self": {}, "resetPassword": {}}),
        _ => serde_json::json!({"self": {}}),
    }
}

#[async_trait]
impl Directory for People {
    fn parts(&self) -> Vec<PartName> {
        self.parts.clone()
    }

    async fn part(&self, _: PartName, login: &Login) -> LoadedPart {
        if let Some(Somebody::Nobody) = self.others.get(login.raw()) {
            let nobody = Problem { kind: Some(NOBODY.into()), ..Problem::whole("not found") };
            return LoadedPart::CiiDetails(Box::new(Part::failed(Timestamp::UNIX_EPOCH, nobody)));
        }
        let of_login =
            |other: &&Somebody| matches!(other, Somebody::Is(shown, _) if Login::new(shown) == *login);
        if let Some(Somebody::Is(_, details)) = self.others.values().find(of_login) {
            let part = match details {
                Some(details) => {
                    Part::whole(Timestamp::UNIX_EPOCH, serde_json::from_value(details.clone()).unwrap())
                }
                None => Part::failed(Timestamp::UNIX_EPOCH, Problem::whole("503")),
            };
            return LoadedPart::CiiDetails(Box::new(part));
        }
        let user: EndUser = serde_json::from_value(self.details.clone()).unwrap();
        let part = Part::whole(Timestamp::UNIX_EPOCH, user);
        LoadedPart::CiiDetails(Box::new(Part { problems: self.problems.clone(), ..part }))
    }

    async fn users_of_address(&self, _: &str) -> AddressUsers {
        AddressUsers::default()
    }

    async fn okta_user(&self, id: &str) -> Part<OktaUser> {
        self.trace.lock().unwrap().push("read");
        let shown = match self.others.get(id) {
            Some(Somebody::Nobody) => {
                let nobody = Problem { kind: Some(NOBODY.into()), ..Problem::whole("not found") };
                return Part::failed(Timestamp::UNIX_EPOCH, nobody);
            }
            Some(Somebody::Unread) => return Part::failed(Timestamp::UNIX_EPOCH, Problem::whole("429")),
            Some(Somebody::Is(shown, _)) => shown,
            None => "ann@okta.example",
        };
        let status = self.next();
        if status.is_empty() && self.is_missing {
            let nobody = Problem { kind: Some(NOBODY.into()), ..Problem::whole("not found") };
            return Part::failed(Timestamp::UNIX_EPOCH, nobody);
        }
        if status.is_empty() {
            return Part::failed(Timestamp::UNIX_EPOCH, Problem::whole("429"));
        }
        // Who is looked up by a login is found by it, and has an id.
        let id = if id.contains('@') || id == "ann" { "00u1" } else { id };
        let user = serde_json::json!({"id": id, "status": status, "_links": links(status),
            "profile": {"login": shown, "title": *self.title.lock().unwrap(),
                "email": "new@okta.example", "firstName": "New"}});
        let user: OktaUser = serde_json::from_value(user).unwrap();
        Part::whole(
            Timestamp::UNIX_EPOCH,
            OktaUser {
                request_id: Some("req-read".into()),
                status_changed: *self.changed.lock().unwrap(),
                ..user
            },
        )
    }
}

/// Ends calls as scripted; a call beyond the script is cut.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) trace: Trace,
    pub(super) ends: Mutex<VecDeque<CallEnd>>,
    /// Part of every URL: a configuration that changes.
    pub(super) host: Mutex<String>,
    /// Where set, a call says that it waits for its place, and waits until it has it.
    pub(super) paced: Option<(Notify, Notify)>,
    /// Where set, a call says that it has begun and waits until it may end.
    pub(super) held: Option<(Notify, Notify)>,
    /// What comes back once.
    pub(super) link: Option<OneTimeLink>,
    /// What a call does.
    pub(super) effect: Effect,
}

/// What a call does, once.
#[derive(Default)]
pub(super) struct Effect(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl std::fmt::Debug for Effect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Effect")
    }
}

impl Script {
    /// The next call does this.
    pub(super) fn then(&self, effect: impl FnOnce() + Send + 'static) {
        *self.effect.0.lock().unwrap() = Some(Box::new(effect));
    }
}

/// An org with a few groups, and one factor.
#[derive(Debug, Default)]
pub(super) struct Org {
    pub(super) is_member: Mutex<bool>,
    /// Of which account alone, where it is of one.
    pub(super) only: Mutex<Option<&'static str>>,
    pub(super) has_factor: Mutex<bool>,
    pub(super) hides_groups: Mutex<bool>,
    /// Whether the name `Sales` leads to the administrators by now.
    pub(super) is_renamed: Mutex<bool>,
    /// The administrator roles by account; of nobody else they may be seen.
    pub(super) roles: Mutex<BTreeMap<&'static str, Vec<serde_json::Value>>>,
}

fn group(id: &str, name: &str, kind: &str) -> serde_json::Value {
    serde_json::json!({"id": id, "type": kind, "profile": {"name": name}})
}

impl Org {
    fn groups(&self) -> Vec<serde_json::Value> {
        let (sales, admins) =
            if *self.is_renamed.lock().unwrap() { ("Old sales", "Sales") } else { ("Sales", "Admins") };
        vec![
            group("00gsales", sales, "OKTA_GROUP"),
            group("00gemea", "Sales EMEA", "OKTA_GROUP"),
            group("00gadmins", admins, "OKTA_GROUP"),
            group("00gall", "Everyone", "BUILT_IN"),
        ]
    }
}

#[async_trait]
impl OktaOrg for Org {
    async fn user_of(&self, _: &str) -> Result<serde_json::Value, Problem> {
        Err(Problem::whole("not scripted"))
    }

    async fn users_of_email(&self, _: &str) -> Result<Vec<serde_json::Value>, Problem> {
        Ok(Vec::new())
    }

    async fn apps(&self, _: Option<&str>, _: usize) -> Result<Vec<serde_json::Value>, Problem> {
        Err(Problem::whole("not scripted"))
    }

    async fn apps_of_user(&self, _: &str) -> Result<Vec<serde_json::Value>, Problem> {
        Err(Problem::whole("not scripted"))
    }

    async fn roles_of_user(&self, id: &str) -> Result<Vec<serde_json::Value>, Problem> {
        self.roles.lock().unwrap().get(id).cloned().ok_or_else(|| Problem::whole("403: no right"))
    }

    async fn groups_of_user(&self, id: &str) -> Result<Vec<serde_json::Value>, Problem> {
        if *self.hides_groups.lock().unwrap() {
            return Err(Problem::whole("no right"));
        }
        let is_of = self.only.lock().unwrap().is_none_or(|only| only == id);
        let is_member = *self.is_member.lock().unwrap() && is_of;
        Ok(if is_member { vec![group("00gsales", "Sales", "OKTA_GROUP")] } else { Vec::new() })
    }

    async fn factors_of_user(&self, _: &str) -> Result<Vec<serde_json::Value>, Problem> {
        let factor = serde_json::json!({"id": "f1", "factorType": "push", "provider": "OKTA"});
        Ok(if *self.has_factor.lock().unwrap() { vec![factor] } else { Vec::new() })
    }

    async fn assignment(&self, _: &str, _: &str) -> Result<Assignment, Problem> {
        Err(Problem::whole("not scripted"))
    }

    async fn group(&self, id: &str) -> Result<serde_json::Value, Problem> {
        let found = self.groups().into_iter().find(|group| group["id"] == id);
        found.ok_or(Problem { kind: Some(NOBODY.into()), ..Problem::whole("not found") })
    }

    async fn groups_beginning(&self, name: &str) -> Result<Vec<serde_json::Value>, Problem> {
        let begins = |group: &serde_json::Value| group["profile"]["name"].as_str().unwrap().starts_with(name);
        Ok(self.groups().into_iter().filter(begins).collect())
    }

    async fn user_schema(&self) -> Result<serde_json::Value, Problem> {
        Err(Problem::whole("not scripted"))
    }

    async fn members(&self, _: &str) -> Result<Vec<serde_json::Value>, Problem> {
        Err(Problem::whole("not scripted"))
    }
}

#[async_trait]
impl FlowCaller for Script {
    fn shown(&self, order: &Order) -> Result<ShownRequest, String> {
        let headers = [("x-idtriage-action", &order.action), ("x-idtriage-operator", &order.operator)];
        let user = order.target.as_deref().unwrap_or_default();
        let group = order.particulars.group.as_ref();
        let group = group.map(|group| format!("/groups/{}/users/{user}", group.id)).unwrap_or_default();
        Ok(ShownRequest {
            method: "POST".into(),
            url: format!("https://{}/{}{group}", self.host.lock().unwrap(), order.flow),
            headers: headers.map(|(name, value)| (name.to_owned(), value.clone())).to_vec(),
            body: order.body.clone(),
        })
    }

    async fn call(&self, _: &Order, _: &ShownRequest, clearance: &dyn Clearance) -> Called {
        if let Some((queued, may_leave)) = &self.paced {
            queued.notify_one();
            may_leave.notified().await;
        }
        if let Err(why) = clearance.clear().await {
            return CallEnd::HeldBack(why).into();
        }
        self.trace.lock().unwrap().push("call");
        if let Some((begun, may_end)) = &self.held {
            begun.notify_one();
            may_end.notified().await;
        }
        if let Some(effect) = self.effect.0.lock().unwrap().take() {
            effect();
        }
        let end = self.ends.lock().unwrap().pop_front().unwrap_or(CallEnd::Unknown("cut".into()));
        Called { end, link: self.link.clone() }
    }
}

pub(super) fn answered(status: u16) -> CallEnd {
    CallEnd::Answered(Receipt { status: Some(status), ..Default::default() })
}

/// A System Log, as the records that it has.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) records: Mutex<Vec<serde_json::Value>>,
    pub(super) is_out: Mutex<bool>,
}

#[async_trait]
impl LogSearch for Log {
    async fn search(&self, _: &LogQuery) -> Result<LogCut, Problem> {
        if *self.is_out.lock().unwrap() {
            return Err(Problem::whole("answered 403"));
        }
        let records = self.records.lock().unwrap();
        let records = records.iter().map(|record| record.to_string().into()).collect();
        Ok(LogCut { records, next: None, problem: None, clock_ahead: None })
    }

    async fn search_on(&self, _: &str) -> Result<LogCut, Problem> {
        unreachable!("there is one page")
    }
}

/// That somebody suspended an account, calling themselves by a name.
pub(super) fn suspended(id: &str, at: Timestamp, agent: &str) -> serde_json::Value {
    serde_json::json!({
        "uuid": agent, "published": at.to_string(), "eventType": "user.lifecycle.suspend",
        "outcome": {"result": "SUCCESS"}, "actor": {"alternateId": "somebody", "type": "User"},
        "target": [{"type": "User", "id": id, "alternateId": "ann"}],
        "client": {"userAgent": {"rawUserAgent": agent}},
    })
}
