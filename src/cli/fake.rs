//! A store, a directory and a desk in memory, for the tests of what commands print.

use super::failure::Failure;
use super::run::{Ask, Asked, Confirmed, Desk};
use crate::domain::action::{AnalystWord, Settlement, ShownRequest};
use crate::domain::bulk::{BulkCounts, BulkEnd, BulkId, BulkRun, BulkState, BulkUser, left_out};
use crate::domain::dossier::{AddressUsers, LoadedPart, OktaUser, Part, Problem};
use crate::domain::event::EventDetail;
use crate::domain::finding::HistoryEntry;
use crate::domain::journal::query::JournalQuery;
use crate::domain::journal::{Head, Record};
use crate::domain::operation::Particulars;
use crate::domain::page::Listed;
use crate::domain::plan::{Confirm, Refusal, Target, WebPage};
use crate::domain::run_end::{Ended, RunEnd, StepEnd};
use crate::domain::{
    Action, ActionId, Actor, Change, Event, EventId, Evidence, Finding, FindingId, Login, Outcome, PartName,
    Plan, Query, Risk, SourcesReport, preset,
};
use crate::remediation::bulk::ConfirmedBulk;
use crate::remediation::{BulkTold, Wish};
use crate::store::{
    ActionFilter, Basis, ChangeError, Counted, Cursor, Dropped, EventUser, FindingFilter, From, Imported,
    InboxItem, IntendError, Lease, Page, Pruned, Replaced, Sequence, Still, Store, StoreError, StoreHealth,
    StoreStatus, UserQuery, WordError,
};
use crate::tenant::Directory;
use async_trait::async_trait;
use jiff::Timestamp;
use std::future::pending;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

/// Newest first, as the store gives them; only what the commands read is answered.
#[derive(Debug, Default)]
pub(crate) struct FakeStore {
    pub(crate) events: Vec<EventDetail>,
    pub(crate) users: Vec<EventUser>,
    pub(crate) findings: Mutex<Vec<Finding>>,
    pub(crate) journal: Vec<Record>,
    pub(crate) executions: Vec<(String, Event)>,
    pub(crate) reported: Option<SourcesReport>,
    pub(crate) is_full: bool,
}

fn page<T: Clone + Listed>(rows: &[T], limit: usize, key: impl Fn(&T) -> T::Key) -> Page<T> {
    let rows_of_page: Vec<T> = rows.iter().take(limit).cloned().collect();
    let next = rows_of_page.last().filter(|_| rows.len() > limit).map(key);
    Page { rows: rows_of_page, next }
}

crate::store::no_bulk_runs!(FakeStore);

#[async_trait]
impl Store for FakeStore {
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
        Ok(self.reported.clone())
    }

    async fn dropped(&self) -> Result<Vec<Dropped>, StoreError> {
        Ok(Vec::new())
    }

    async fn executions(&self, ids: &[String]) -> Result<Vec<(String, Event)>, StoreError> {
        let of_them = self.executions.iter().filter(|(id, _)| ids.contains(id));
        Ok(of_them.cloned().collect())
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
        if self.is_full { Err(StoreError::Closed) } else { Ok(()) }
    }

    fn watch(&self) -> watch::Receiver<Sequence> {
        watch::channel(Sequence::default()).1
    }

    async fn events(&self, _: &Query, from: From<EventId>, limit: usize) -> Result<Page<Event>, StoreError> {
        let is_in = |event: &Event| match from {
            From::Before(id) => event.id < id,
            From::Newest | From::After(_) | From::Oldest => true,
        };
        let events: Vec<Event> =
            self.events.iter().map(|detail| detail.event.clone()).filter(is_in).collect();
        Ok(page(&events, limit, |event| event.id))
    }

    async fn count_events(&self, _: &Query, _: Option<EventId>) -> Result<Counted, StoreError> {
        Err(StoreError::Closed)
    }

    async fn event(&self, id: EventId) -> Result<Option<EventDetail>, StoreError> {
        Ok(self.events.iter().find(|detail| detail.event.id == id).cloned())
    }

    async fn event_users(
        &self,
        _: EventId,
        _: &UserQuery,
        from: From<usize>,
        limit: usize,
    ) -> Result<Page<EventUser>, StoreError> {
        let first = match from {
            From::Before(at) => at + 1,
            From::Newest | From::After(_) | From::Oldest => 0,
        };
        Ok(page(self.users.get(first..).unwrap_or_default(), limit, |user| user.position))
    }

    async fn findings(
        &self,
        _: &FindingFilter,
        from: From<FindingId>,
        limit: usize,
    ) -> Result<Page<Finding>, StoreError> {
        let is_in = |finding: &&Finding| match from {
            From::Before(id) => finding.id < id,
            From::Newest | From::After(_) | From::Oldest => true,
        };
        let findings: Vec<Finding> = self.findings.lock().unwrap().iter().filter(is_in).cloned().collect();
        Ok(page(&findings, limit, |finding| finding.id))
    }

    async fn logins_beside(&self, _: &Login, _: usize) -> Result<Vec<Login>, StoreError> {
        Ok(Vec::new())
    }

    async fn finding(&self, id: FindingId) -> Result<Option<Finding>, StoreError> {
        Ok(self.findings.lock().unwrap().iter().find(|finding| finding.id == id).cloned())
    }

    async fn history(&self, _: FindingId) -> Result<Vec<HistoryEntry>, StoreError> {
        Ok(vec![HistoryEntry {
            at: Timestamp::UNIX_EPOCH,
            actor: "ann".into(),
            what: "noted".into(),
            text: "a new\nphone\u{1b}[2J".into(),
        }])
    }

    async fn change(
        &self,
        id: FindingId,
        seen: Option<u64>,
        change: &Change,
        actor: &Actor,
        at: Timestamp,
    ) -> Result<Finding, ChangeError> {
        let mut findings = self.findings.lock().unwrap();
        let finding = findings.iter_mut().find(|finding| finding.id == id);
        let finding = finding.ok_or(ChangeError::NoSuchFinding(id))?;
        if let Some(seen) = seen.filter(|seen| *seen != finding.version) {
            return Err(ChangeError::Stale { id, found: finding.version, seen });
        }
        *finding = finding.apply(change, actor, at)?;
        Ok(finding.clone())
    }

    async fn intend(&self, _: &Action, _: &Lease, _: &Basis) -> Result<(), IntendError> {
        Err(StoreError::Closed.into())
    }

    async fn renew(&self, _: ActionId, _: &Lease) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }

    async fn sending(&self, _: ActionId, _: &Lease) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }

    async fn settle(&self, _: ActionId, _: &Settlement, _: Timestamp) -> Result<Action, StoreError> {
        Err(StoreError::Closed)
    }

    async fn give_word(
        &self,
        id: ActionId,
        word: &AnalystWord,
        _: Option<&AnalystWord>,
    ) -> Result<Action, WordError> {
        let action = self.action(id).await?.ok_or(StoreError::Closed)?;
        Ok(action.with_word(word.clone()))
    }

    async fn expire_leases(&self, _: Timestamp) -> Result<Vec<(ActionId, Outcome)>, StoreError> {
        Err(StoreError::Closed)
    }

    async fn take_looks(&self, _: Timestamp, _: usize) -> Result<Vec<ActionId>, StoreError> {
        Ok(Vec::new())
    }

    async fn action(&self, _: ActionId) -> Result<Option<Action>, StoreError> {
        Ok(None)
    }

    async fn actions(
        &self,
        _: &ActionFilter,
        _: Option<ActionId>,
        limit: usize,
    ) -> Result<Page<Action>, StoreError> {
        Ok(page(&[], limit, |action: &Action| action.id))
    }

    async fn journal(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        Ok(self.journal.iter().filter(|record| record.seq > after).take(limit).cloned().collect())
    }

    async fn journal_page(
        &self,
        query: &JournalQuery,
        now: Timestamp,
        from: From<i64>,
        limit: usize,
    ) -> Result<Page<Record>, StoreError> {
        let place = |record: &Record| i64::try_from(record.seq).unwrap();
        let is_in = |record: &&Record| match from {
            From::Newest | From::Oldest => true,
            From::Before(before) => place(record) < before,
            From::After(after) => place(record) > after,
        };
        let mut found: Vec<Record> =
            self.journal.iter().filter(is_in).filter(|record| query.matches(record, now)).cloned().collect();
        let goes_up = matches!(from, From::After(_) | From::Oldest);
        if !goes_up {
            found.reverse();
        }
        let next = (found.len() > limit).then(|| place(&found[limit - 1]));
        found.truncate(limit);
        if goes_up {
            found.reverse();
        }
        Ok(Page { rows: found, next })
    }

    async fn journal_unfound(&self) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }

    async fn journal_head(&self) -> Result<Option<Head>, StoreError> {
        Ok(self.journal.last().map(Record::head))
    }

    async fn health(&self) -> Result<StoreHealth, StoreError> {
        Ok(StoreHealth::default())
    }

    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Knows one Okta user at most, and the users of every address.
#[derive(Debug, Default)]
pub(crate) struct FakeDirectory {
    pub(crate) okta: Option<Part<OktaUser>>,
    pub(crate) users: AddressUsers,
}

#[async_trait]
impl Directory for FakeDirectory {
    fn parts(&self) -> Vec<PartName> {
        self.okta.iter().map(|_| PartName::Okta).collect()
    }

    async fn part(&self, name: PartName, login: &Login) -> LoadedPart {
        match name {
            PartName::Okta => LoadedPart::Okta(Box::new(self.okta_user(login.raw()).await)),
            PartName::Cii => LoadedPart::Cii(Box::new(unconfigured())),
            PartName::CiiDetails => LoadedPart::CiiDetails(Box::new(unconfigured())),
            other => LoadedPart::failed(other, Timestamp::UNIX_EPOCH, Problem::whole("not configured")),
        }
    }

    async fn users_of_address(&self, _: &str) -> AddressUsers {
        self.users.clone()
    }

    async fn okta_user(&self, _: &str) -> Part<OktaUser> {
        self.okta.clone().unwrap_or_else(unconfigured)
    }
}

fn unconfigured<T>() -> Part<T> {
    Part::failed(Timestamp::UNIX_EPOCH, Problem::whole("not configured"))
}

/// An Okta user of this status.
pub(crate) fn okta_user(status: &str) -> OktaUser {
    OktaUser { id: "00u1".into(), status: status.into(), ..Default::default() }
}

/// A desk that plans one flow at a risk and ends each run as told.
#[derive(Debug)]
pub(crate) struct FakeDesk {
    pub(crate) risk: Risk,
    pub(crate) outcomes: Vec<(&'static str, Outcome)>,
    pub(crate) ran: AtomicUsize,
    pub(crate) stuck: Option<Stuck>,
    pub(crate) page: Option<WebPage>,
    /// Those who are refused where they are planned, and the account that everybody else has, where it is one.
    pub(crate) refused: Vec<&'static str>,
    pub(crate) account: Option<&'static str>,
}

/// A run that does not end: a signal comes meanwhile, and this is how the run stands then.
#[derive(Debug)]
pub(crate) struct Stuck {
    pub(crate) asks: watch::Sender<Asked>,
    /// For somebody impatient the wait for its receipt does not end either.
    pub(crate) asked: Asked,
    pub(crate) stands: Option<Outcome>,
}

impl Default for FakeDesk {
    fn default() -> Self {
        FakeDesk {
            risk: Risk::Low,
            outcomes: Vec::new(),
            ran: AtomicUsize::new(0),
            stuck: None,
            page: None,
            refused: Vec::new(),
            account: None,
        }
    }
}

impl FakeDesk {
    fn outcome_of(&self, plan: &Plan) -> Outcome {
        let told = self.outcomes.iter().find(|(login, _)| Login::new(login) == plan.login);
        told.map_or(Outcome::Accepted, |(_, outcome)| *outcome)
    }

    fn queued(&self, plans: &[Plan]) -> (BulkRun, Vec<BulkUser>) {
        let user = |(position, plan): (u32, &Plan)| BulkUser {
            position,
            login: plan.login.clone(),
            target_id: None,
            account_login: None,
            finding: None,
            made_of: Default::default(),
            doubts: Vec::new(),
            undoes: None,
            end: None,
        };
        let run = BulkRun {
            id: BulkId(uuid::Uuid::nil()),
            flow: plans[0].flow.id.clone(),
            verb: plans[0].verb.clone(),
            risk: self.risk,
            inputs: Default::default(),
            reason: None,
            is_insisted: false,
            actor: Actor::default(),
            at: Timestamp::UNIX_EPOCH,
            state: BulkState::Running,
            why: None,
            held_until: None,
            seal: None,
            counts: BulkCounts { queued: plans.len(), ..BulkCounts::default() },
        };
        (run, (0..).zip(plans).map(user).collect())
    }

    fn told(
        &self,
        plan: &Plan,
        user: BulkUser,
        outcome: Outcome,
        run: &mut BulkRun,
        told: &UnboundedSender<BulkTold>,
    ) {
        let ended = end(plan, outcome);
        run.counts.queued -= 1;
        run.counts.add(Some(outcome), 1);
        let user = BulkUser { end: Some(BulkEnd::of_run(&ended, Timestamp::UNIX_EPOCH)), ..user };
        let _ = told.send(BulkTold { user, run: Some(ended) });
    }

    pub(crate) fn ran(&self) -> usize {
        self.ran.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Desk for FakeDesk {
    async fn looked_long_enough(&self) {}

    /// One after the other, each told before the next.
    async fn many(
        &self,
        plans: &[Plan],
        said: ConfirmedBulk,
        mut wishes: watch::Receiver<Wish>,
        told: UnboundedSender<BulkTold>,
    ) -> Result<BulkRun, Failure> {
        let left_out = left_out(plans, said.doubts());
        let acting = plans.iter().zip(left_out).filter(|(_, why)| why.is_none());
        let plans: &[Plan] = &acting.map(|(plan, _)| plan.clone()).collect::<Vec<_>>();
        let (_, users) = self.queued(plans);
        let mut run = self.queued(plans).0;
        for (plan, user) in plans.iter().zip(users) {
            if *wishes.borrow() != Wish::GoOn {
                run.state = BulkState::Paused;
                return Ok(run);
            }
            self.ran.fetch_add(1, Ordering::SeqCst);
            if let Some(stuck) = &self.stuck {
                stuck.asks.send(stuck.asked).unwrap();
                let _ = wishes.changed().await;
                let Some(outcome) = stuck.stands else { continue };
                self.told(plan, user, outcome, &mut run, &told);
                continue;
            }
            self.told(plan, user, self.outcome_of(plan), &mut run, &told);
        }
        run.state = BulkState::Done;
        Ok(run)
    }

    async fn page(&self, _: &Ask) -> Result<Option<WebPage>, Failure> {
        Ok(self.page.clone())
    }

    async fn prepare(&self, ask: &Ask) -> Result<Plan, Failure> {
        let is_refused = self.refused.iter().any(|login| Login::new(login) == ask.login);
        let refusal = is_refused.then(|| Refusal::from("protected".to_owned()));
        let target_id = self.account.map(str::to_owned).filter(|_| !is_refused);
        Ok(Plan { refusal, target_id, ..plan(self.risk, ask.login.raw()) })
    }

    async fn run(&self, plan: &Plan, confirmed: Confirmed) -> Result<RunEnd, Failure> {
        self.ran.fetch_add(1, Ordering::SeqCst);
        assert_eq!(confirmed.digest, plan.digest());
        if let Some(stuck) = &self.stuck {
            stuck.asks.send(stuck.asked).unwrap();
            return pending().await;
        }
        Ok(end(plan, self.outcome_of(plan)))
    }

    async fn stop(&self, plan: &Plan) -> Result<Option<RunEnd>, Failure> {
        if self.stuck.as_ref().is_some_and(|stuck| stuck.asked == Asked::EndNow) {
            return pending().await;
        }
        let stands = self.stuck.as_ref().and_then(|stuck| stuck.stands);
        Ok(stands.map(|outcome| end(plan, outcome)))
    }
}

/// A plan of suspending somebody.
pub(crate) fn plan(risk: Risk, login: &str) -> Plan {
    let login = Login::new(login);
    let flow = preset::flow("suspend-okta-account").unwrap();
    Plan {
        action: ActionId(uuid::Uuid::nil()),
        step: None,
        risk,
        access: None,
        blast: None,
        is_test: false,
        undoes: None,
        confirm: Confirm::of(risk, &login, "suspend"),
        flow,
        login,
        target_id: None,
        account_login: None,
        finding: None,
        request: ShownRequest {
            method: "POST".into(),
            url: "https://a.example.com/invoke".into(),
            headers: Vec::new(),
            body: "{}".into(),
        },
        target: Target::CannotTell("not configured".into()),
        cannot_know: Vec::new(),
        caveats: Vec::new(),
        needs_again: None,
        account_doubt: None,
        asked: Default::default(),
        made_of: Default::default(),
        unread: None,
        follows: None,
        refusal: None,
        undo: "unsuspend it".to_owned(),
        verb: "suspend the Okta account".to_owned(),
        particulars: Particulars::default(),
        differences: Vec::new(),
        steps: Vec::new(),
        reason_required: false,
    }
}

fn end(plan: &Plan, outcome: Outcome) -> RunEnd {
    let ended = Ended::Ran { action: Box::new(action(plan, outcome)), link: None };
    RunEnd::of(StepEnd { flow: plan.flow.id.clone(), verb: plan.verb.clone(), ended })
}

fn action(plan: &Plan, outcome: Outcome) -> Action {
    Action {
        id: plan.action,
        step: None,
        is_test: false,
        undoes: None,
        undone: None,
        before: None,
        flow: plan.flow.id.clone(),
        verb: plan.flow.verb.clone(),
        risk: plan.risk,
        login: plan.login.clone(),
        target_id: plan.target_id.clone(),
        account_login: None,
        finding: plan.finding,
        evidence: Evidence::Acknowledged,
        outcome,
        request: plan.request.clone(),
        receipt: None,
        reason: None,
        actor: Actor::default(),
        at: Timestamp::UNIX_EPOCH,
    }
}
