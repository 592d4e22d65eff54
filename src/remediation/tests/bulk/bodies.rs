//! What is sent is made of the very event that was confirmed: whatever arrives, is pruned or changes meanwhile, what
//! leaves is what was shown, or nothing.

use super::*;
use crate::domain::operation::CONTAIN;
use crate::remediation::bulk::{ConfirmedBulk, queued};
use crate::store::FindingFilter;

const ROUTER: &str = "ispm-event-hook";

/// An issue about a user's account as Okta ISPM posts it, and not the same as one of another number.
fn issue(user: u32, number: u32) -> serde_json::Value {
    json!({"id": format!("e{user}-{number}"), "type": "issue.created", "eventData": {"id": format!("i{number}"),
        "title": "Unused Account", "severity": "Medium", "affectedEntity": {"type": "Account",
        "identifierInService": format!("00u-user{user}"), "displayName": format!("user{user}@x"),
        "sourceProductName": "Okta", "additionalData": {"username": format!("user{user}@x")}}}})
}

/// The same of another source: no record that could go on, so that one is made of the finding.
fn check(user: u32, number: u32, severity: &str) -> serde_json::Value {
    json!({"id": format!("c{user}-{number}"), "check": "No MFA", "severity": severity, "users": [format!("user{user}@x")]})
}

/// A log record that names a user: no finding counts it.
fn log(user: u32) -> serde_json::Value {
    json!({"id": format!("l{user}"), "log": "user.session.start", "users": [format!("user{user}@x")]})
}

fn queued_of(block: &Block, n: u128, plans: &[Plan]) -> (BulkRun, Vec<BulkUser>) {
    let said = ConfirmedBulk { inputs: BTreeMap::new(), reason: None, again: Again::Insist };
    queued(&block.desk, BulkId(uuid::Uuid::from_u128(n << 64)), plans, said).unwrap()
}

impl Block {
    /// What arrived, once it is a finding.
    async fn arrived(&self, events: impl IntoIterator<Item = serde_json::Value>) {
        let of = |event: serde_json::Value| InboxItem {
            source: "ispm".into(),
            source_type: "test".into(),
            received: self.desk.now(),
            raw: event.to_string().into(),
        };
        self.store.append(events.into_iter().map(of).collect()).await.unwrap();
        self.store.drained().await.unwrap();
    }

    async fn finding_of(&self, login: &Login) -> Finding {
        let query = query::Query::parse(&format!("user:{}", login.raw())).unwrap();
        let filter = FindingFilter { query, ..FindingFilter::default() };
        let page = self.store.findings(&filter, crate::store::From::Newest, 10).await.unwrap();
        page.rows.into_iter().next().unwrap()
    }

    /// The run on so many, each planned from their own finding, as it is confirmed.
    async fn confirmed(&self, flow: &str, users: u32) -> (BulkId, Vec<Plan>) {
        let mut plans = Vec::new();
        for user in 0..users {
            let login = Login::new(&format!("user{user}@x"));
            let finding = Some(self.finding_of(&login).await.id);
            let ask = Ask { flow: flow.into(), login, finding, ..ask(u128::from(user) + 1) };
            plans.push(prepare(&self.desk, ask).await.unwrap());
        }
        (self.confirm(&plans).await, plans)
    }

    async fn confirm(&self, plans: &[Plan]) -> BulkId {
        let (run, users) = queued_of(self, 1, plans);
        assert_eq!(run.counts.queued, plans.len(), "{:?}", users[0].end);
        self.store.queue(&run, &users).await.unwrap();
        run.id
    }

    /// The body that was sent for a user, if one was.
    fn sent(&self, user: u32) -> Option<String> {
        self.town.bodies.lock().unwrap().get(&format!("00u-user{user}")).cloned()
    }

    /// Why nothing was sent for a user.
    async fn why(&self, id: BulkId, user: usize) -> String {
        let end = self.users(id).await[user].end.clone().unwrap();
        assert_eq!((end.outcome, end.evidence, end.action), (Outcome::Refused, None, None));
        end.why.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_issue_of_the_same_check_changes_nothing_that_is_sent() {
    let block = Block::new();
    block.arrived((0..3).map(|user| issue(user, 1))).await;
    let (id, plans) = block.confirmed(ROUTER, 3).await;
    block.arrived((0..3).map(|user| issue(user, 2))).await;
    // Whoever planned it now would hand on the newer one.
    let finding = plans[0].finding;
    let ask = Ask { flow: ROUTER.into(), login: plans[0].login.clone(), finding, ..ask(9) };
    let now = prepare(&block.desk, ask).await.unwrap();
    assert_ne!((&now.made_of, now.request.body), (&plans[0].made_of, plans[0].request.body.clone()));
    let run = block.drive(id).await.unwrap();
    assert_eq!((run.state, run.counts.done()), (BulkState::Done, 3), "{:?}", run.why);
    for user in 0..3 {
        assert_eq!(block.sent(user), Some(issue(user, 1).to_string()));
    }
    block.nobody_twice();
}

/// What an event that a finding counts loses with time is its record; one that no finding counts goes whole.
#[rstest]
#[case::its_record(issue(0, 1), "changed since it was confirmed: what would be sent is not what was shown")]
#[case::the_whole_event(log(0), "changed since it was confirmed: event `1` that it was made from is gone")]
#[tokio::test(flavor = "multi_thread")]
async fn who_was_confirmed_from_what_retention_took_is_left_out_and_the_others_are_not(
    #[case] first: serde_json::Value,
    #[case] why: &str,
) {
    let block = Block::new();
    block.arrived([first, issue(1, 1)]).await;
    let mut plans = Vec::new();
    for user in 0..2 {
        let event = Some(EventId(user + 1));
        let ask = Ask { flow: ROUTER.into(), login: Login::new(&format!("user{user}@x")), event, ..ask(1) };
        plans.push(prepare(&block.desk, ask).await.unwrap());
    }
    let id = block.confirm(&plans).await;
    let before = block.desk.now() + SignedDuration::from_secs(1);
    assert!(block.store.prune(before, 1).await.unwrap().has_more);
    let run = block.drive(id).await.unwrap();
    assert_eq!((run.state, run.counts.of(Outcome::Refused)), (BulkState::Done, 1), "{:?}", run.why);
    assert_eq!(block.why(id, 0).await, why);
    assert_eq!((block.sent(0), block.sent(1)), (None, Some(issue(1, 1).to_string())));
}

/// A body that is made holds what the finding says: of whom that changed is left out.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_another_finding_by_now_than_was_shown_is_left_out() {
    let block = Block::new();
    block.arrived((0..3).map(|user| check(user, 1, "low"))).await;
    let (id, _) = block.confirmed("suspend-okta-account", 3).await;
    block.arrived([check(1, 2, "critical"), check(2, 2, "low")]).await;
    let run = block.drive(id).await.unwrap();
    assert_eq!((run.state, run.counts.of(Outcome::Refused)), (BulkState::Done, 1), "{:?}", run.why);
    assert_eq!(
        block.why(id, 1).await,
        "changed since it was confirmed: what would be sent is not what was shown"
    );
    assert_eq!(block.town.calls.lock().unwrap().len(), 2);
    assert!(block.sent(0).unwrap().contains(r#""issueSeverity":"Low""#));
    assert_eq!(block.sent(1), None);
    assert!(block.sent(2).is_some(), "what came again is the same");
}

/// That nobody can be read changes the body too, and is no user's own: the run waits, and nobody is left out for it.
#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_read_by_now_still_waits() {
    let block = Block::new();
    *block.town.cii.lock().unwrap() = Some(Cii::Answers);
    block.arrived((0..3).map(|user| check(user, 1, "low"))).await;
    let (id, _) = block.confirmed("suspend-okta-account", 3).await;
    *block.town.cii.lock().unwrap() = Some(Cii::Fails);
    let run = block.drive(id).await.unwrap();
    let why = run.why.clone().unwrap();
    assert_eq!((run.state, run.counts.words()), (BulkState::Paused, "3 queued".to_owned()), "{why}");
    assert!(why.contains("changed since it was confirmed") && why.contains("503: not now"), "{why}");
    *block.town.cii.lock().unwrap() = Some(Cii::Answers);
    let run = block.go_on(id).await.unwrap();
    assert_eq!((run.state, run.counts.done(), run.counts.of(Outcome::Refused)), (BulkState::Done, 3, 0));
    assert!(block.sent(2).unwrap().contains(r#""entityId":"c-user2@x""#));
}

/// A run that an older version queued has neither event nor body: its seal holds, and it goes on as it did.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_bodies_goes_on() {
    let block = Block::new();
    block.arrived([issue(0, 1)]).await;
    let (_, plans) = block.confirmed(ROUTER, 1).await;
    let said = ConfirmedBulk { inputs: BTreeMap::new(), reason: None, again: Again::Insist };
    let (run, mut users) = queued(&block.desk, BulkId(uuid::Uuid::from_u128(7 << 64)), &plans, said).unwrap();
    users[0].made_of = Default::default();
    users[0].account_login = None;
    let id = run.id;
    block.queue(run, &users).await;
    block.arrived([issue(0, 2)]).await;
    assert_eq!(block.drive(id).await.unwrap().state, BulkState::Done);
    assert_eq!(block.sent(0), Some(issue(0, 2).to_string()));
}

/// Neither the event nor the body may be changed where it is kept.
#[rstest]
#[case("event = 2")]
#[case("event = NULL")]
#[case("body_sha256 = NULL")]
#[case("body_sha256 = NULL, event = NULL, account_login = NULL")]
#[case("account_login = 'bob'")]
#[tokio::test(flavor = "multi_thread")]
async fn what_was_confirmed_of_the_body_is_sealed(#[case] change: &str) {
    let block = Block::new();
    block.arrived([issue(0, 1), issue(1, 1)]).await;
    let (id, _) = block.confirmed(ROUTER, 2).await;
    block.runner().drivable(id).await.unwrap();
    let db = rusqlite::Connection::open(block._folder.path().join("idtriage.db")).unwrap();
    let changed = db.execute(&format!("UPDATE bulk_users SET {change} WHERE position = 0"), []).unwrap();
    assert_eq!(changed, 1);
    let why = block.drive(id).await.unwrap_err().to_string();
    assert!(why.contains("its users are not those who were confirmed"), "{why}");
    assert!(block.town.calls.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_body_is_sealed_as_the_event_and_the_address() {
    let block = Block::new();
    block.arrived([issue(0, 1)]).await;
    for flow in [suspend(), CONTAIN.flow_id()] {
        let finding = Some(block.finding_of(&Login::new("user0@x")).await.id);
        let ask = Ask { flow, login: Login::new("user0@x"), finding, ..ask(1) };
        let plan = prepare(&block.desk, ask).await.unwrap();
        let digest = |parts: &[&str]| digest::of_parts(parts.iter().map(|part| part.as_bytes()));
        let one = digest(&["POST", "https://x/00u-user0"]);
        let body = if plan.steps.is_empty() { one } else { digest(&[&one, &one]) };
        assert_eq!(plan.made_of, plan::MadeOf { event: Some(EventId(1)), body: Some(body) });
    }
}

/// What happens to a user's issue between the confirmation and the send.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Meanwhile {
    Nothing,
    Newer,
    Again,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 16, ..ProptestConfig::default() })]

    /// Whatever arrives meanwhile, and however much of what was there retention takes: what leaves for somebody is the
    /// body that was confirmed for them, and whoever it cannot be made for is told so.
    #[test]
    fn what_leaves_is_what_was_confirmed_or_nothing(
        meanwhile in prop::collection::vec(
            prop_oneof![Just(Meanwhile::Nothing), Just(Meanwhile::Newer), Just(Meanwhile::Again)], 1..8),
        pruned in 0usize..4,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let block = Block::new();
            let users = u32::try_from(meanwhile.len()).unwrap();
            block.arrived((0..users).map(|user| issue(user, 1))).await;
            let (id, plans) = block.confirmed(ROUTER, users).await;
            block.store.prune(block.desk.now() + SignedDuration::from_secs(1), pruned.max(1)).await.unwrap();
            let all = (0..).zip(&meanwhile).filter(|(_, what)| **what != Meanwhile::Nothing);
            block.arrived(all.map(|(user, what)| issue(user, if *what == Meanwhile::Newer { 2 } else { 1 }))).await;
            let run = block.drive(id).await.unwrap();
            let taken = pruned.max(1).min(meanwhile.len());
            prop_assert_eq!((run.state, run.counts.queued), (BulkState::Done, 0), "{:?}", run.why);
            prop_assert_eq!(run.counts.of(Outcome::Refused), taken, "{}", run.counts.words());
            for (user, plan) in (0..).zip(&plans) {
                let was_taken = usize::try_from(user).unwrap() < taken;
                prop_assert_eq!(block.sent(user), (!was_taken).then(|| plan.request.body.clone()));
            }
            Ok(())
        })?;
    }
}
