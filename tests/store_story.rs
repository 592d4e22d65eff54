//! One story that every store has to tell the same way. It knows nothing but the trait.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "store_support/mod.rs"]
mod store;

use idtriage::domain::action::{Receipt, Settlement, ShownRequest, StepOf};
use idtriage::domain::journal::Verifier;
use idtriage::domain::journal::query::JournalQuery;
use idtriage::domain::{
    Action, ActionId, Actor, Change, Disposition, Event, EventId, EventKind, Evidence, Finding, FindingId,
    FindingState, Login, Outcome, Risk, Severity,
};
use idtriage::store::files::throw_away_folder;
use idtriage::store::{
    ActionFilter, Again, Basis, ChangeError, FindingFilter, From, InboxItem, IntendError, Lease, Page, Store,
    StoreError, UserQuery,
};
use serde_json::json;
use std::sync::Arc;
use store::wait::within;
use store::{decode, failed, item, options, query, second};

#[tokio::test(flavor = "multi_thread")]
async fn an_events_users_are_read_from_both_ends_and_filtered() {
    let room = throw_away_folder("store-").unwrap();
    let url = format!("sqlite:{}", room.path().join("idtriage.db").display());
    let store = idtriage::store::open(&url, decode(), options()).unwrap();
    users_of_an_event(&*store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_on_sqlite() {
    let room = throw_away_folder("store-").unwrap();
    let url = format!("sqlite:{}", room.path().join("idtriage.db").display());
    let store = idtriage::store::open(&url, decode(), options()).unwrap();
    story(&*store).await;
}

/// The whole story, chapter by chapter, on an empty store.
/// Five users of one event: either end is a page away, and filters look at logins and states alone.
async fn users_of_an_event(store: &dyn Store) {
    let users = ["Ann@example.com", "bob@corp.example", "anna", "cy", "dora@corp.example"];
    store.append(vec![failed("crowd", "crowded", "low", &users)]).await.unwrap();
    store.drained().await.unwrap();
    let page = |text: &'static str, from| async move {
        let query = UserQuery::parse(text).unwrap();
        let page = store.event_users(EventId(1), &query, from, 2).await.unwrap();
        (page.rows.iter().map(|user| user.position).collect::<Vec<_>>(), page.next)
    };
    assert_eq!(page("", From::Newest).await, (vec![0, 1], Some(1)));
    assert_eq!(page("", From::Before(1)).await, (vec![2, 3], Some(3)));
    assert_eq!(page("", From::Before(3)).await, (vec![4], None));
    assert_eq!(page("", From::Oldest).await, (vec![3, 4], Some(3)), "in the event's order, as always");
    assert_eq!(page("", From::After(3)).await, (vec![1, 2], Some(1)));
    assert_eq!(page("", From::After(1)).await, (vec![0], None));
    assert_eq!(page("user:ANN*", From::Newest).await, (vec![0, 2], None));
    assert_eq!(page("CORP", From::Newest).await, (vec![1, 4], None), "a word is a part of the login");
    assert_eq!(page("-corp -user:ann*", From::Newest).await, (vec![3], None));
    assert_eq!(page("state:open corp", From::Oldest).await, (vec![1, 4], None));
    assert_eq!(page("state:closed", From::Newest).await, (vec![], None));
    assert_eq!(page("-state:closed cy", From::Newest).await, (vec![3], None));
}

async fn story(store: &dyn Store) {
    arrivals(store).await;
    pages(store).await;
    filters(store).await;
    words(store).await;
    triage(store).await;
    finding_lists(store).await;
    a_newer_event_reopens(store).await;
    actions(store).await;
    the_journal_verifies(store).await;
    what_cannot_be_expanded_is_kept(store).await;
    store.close().await.unwrap();
    assert!(matches!(store.append(vec![failed("z", "c", "low", &[])]).await, Err(StoreError::Closed)));
    assert!(matches!(store.event(EventId(1)).await, Err(StoreError::Closed)));
}

async fn feed(store: &dyn Store, text: &str) -> Vec<i64> {
    ids(&store.events(&query(text), From::Newest, 100).await.unwrap())
}

fn ids(page: &Page<Event>) -> Vec<i64> {
    page.rows.iter().map(|event| event.id.0).collect()
}

async fn all_findings(store: &dyn Store, text: &str) -> Vec<Finding> {
    let filter = FindingFilter { login: None, query: query(text) };
    store.findings(&filter, From::Newest, 100).await.unwrap().rows
}

async fn finding_of(store: &dyn Store, login: &str, check: &str) -> Finding {
    let filter = FindingFilter { login: Some(Login::new(login)), query: query(&format!("check:{check}")) };
    let page = store.findings(&filter, From::Newest, 10).await.unwrap();
    assert_eq!(page.rows.len(), 1, "{login} fails {check} once");
    page.rows[0].clone()
}

/// Five events; the second is delivered twice, the fifth is a test that opens nothing.
async fn arrivals(store: &dyn Store) {
    let mut watch = store.watch();
    let seen = *watch.borrow_and_update();
    store
        .append(vec![
            failed("1", "no-mfa", "high", &["Ann@example.com", "bob@example.com"]),
            failed("2", "impossible-travel", "critical", &["ann@EXAMPLE.com"]),
            failed("2", "impossible-travel", "critical", &["ann@EXAMPLE.com"]),
            failed("3", "no-mfa", "low", &["carl@other.org"]),
        ])
        .await
        .unwrap();
    let paris = json!({ "id": "4", "check": "no-mfa", "title": "No MFA Configured", "severity": "medium",
        "users": ["bob@example.com"], "published": 900, "text": "Signed in from Paris" });
    let test = json!({ "id": "5", "kind": "test", "users": ["nobody@example.com"] });
    store.append(vec![item(paris), item(test)]).await.unwrap();
    store.drained().await.unwrap();
    watch.changed().await.unwrap();
    let now = *watch.borrow_and_update();
    assert_eq!(now.newest_event, 5);
    assert!(now.change > seen.change);

    let second_event = store.event(EventId(2)).await.unwrap().unwrap();
    assert_eq!(second_event.event.times, 2);
    assert_eq!(second_event.event.findings.words(), "1 open");
    assert!(second_event.raw.unwrap().contains("impossible-travel"));
    let test = store.event(EventId(5)).await.unwrap().unwrap().event;
    assert_eq!((test.kind, test.findings.words().as_str()), (EventKind::Test, "-"));

    let users = store.event_users(EventId(1), &UserQuery::default(), From::Before(0), 10).await.unwrap();
    assert_eq!(users.rows.len(), 1);
    assert_eq!(users.rows[0].login, Login::new("bob@example.com"));
    assert_eq!(users.rows[0].finding.as_ref().unwrap().times, 2, "events 1 and 4 name him");
    let first = store.event_users(EventId(1), &UserQuery::default(), From::Newest, 1).await.unwrap();
    assert_eq!(first.next, Some(0));

    let health = store.health().await.unwrap();
    assert_eq!((health.events, health.open_findings, health.pending), (5, 4, 0));
    assert_eq!(health.last_received, Some(second(2_000)));
}

async fn pages(store: &dyn Store) {
    let page = |from| async move { store.events(&query(""), from, 2).await.unwrap() };
    let first = page(From::Newest).await;
    assert_eq!((ids(&first), first.has_more()), (vec![5, 4], true));
    let next = page(From::Before(EventId(4))).await;
    assert_eq!((ids(&next), next.has_more()), (vec![3, 2], true));
    let last = page(From::Before(EventId(2))).await;
    assert_eq!((ids(&last), last.has_more()), (vec![1], false));
    let above = page(From::After(EventId(1))).await;
    assert_eq!((ids(&above), above.has_more()), (vec![3, 2], true), "those right above, newest first");
    let top = page(From::After(EventId(3))).await;
    assert_eq!((ids(&top), top.has_more()), (vec![5, 4], false));
}

async fn filters(store: &dyn Store) {
    let cases: &[(&str, &[i64])] = &[
        ("severity>=high", &[2, 1]),
        ("-severity>=high", &[5, 4, 3]),
        ("severity>high severity<critical", &[]),
        ("severity:unknown", &[5]),
        ("user:ANN@example.com", &[2, 1]),
        ("user:ann@example.com severity:critical", &[2]),
        ("user:ann", &[]),
        ("user:ann*", &[2, 1]),
        ("user:*@example.com", &[5, 4, 2, 1]),
        ("-user:ann@example.com", &[5, 4, 3]),
        ("-user:*@example.com", &[3]),
        ("user:bob@example.com user:ann@example.com", &[1]),
        ("check:NO-MFA", &[4, 3, 1]),
        ("check:\"no mfa configured\"", &[4]),
        ("check:imp*", &[2]),
        ("check:no-mfa severity>=medium", &[4, 1]),
        ("-check:no-mfa", &[5, 2]),
        ("source:test-*", &[5, 4, 3, 2, 1]),
        ("source:other", &[]),
        ("kind:test", &[5]),
        ("-kind:test", &[4, 3, 2, 1]),
        ("state:open", &[4, 3, 2, 1]),
        ("state:open check:no-mfa user:bob@example.com", &[4, 1]),
        ("state:closed", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(feed(store, text).await, *expected, "{text}");
        let counted = store.count_events(&query(text), None).await.unwrap();
        assert_eq!((counted.total, counted.is_capped), (expected.len() as u64, false), "{text}");
    }
    let above = store.count_events(&query(""), Some(EventId(1))).await.unwrap();
    assert_eq!((above.total, above.critical), (4, 1));
}

/// The free text follows within a second; whoever watches is told.
async fn words(store: &dyn Store) {
    let mut watch = store.watch();
    let followed = async {
        while feed(store, "paris").await != [4] || feed(store, "title").await != [3, 2, 1] {
            watch.changed().await.unwrap();
        }
    };
    within("the free text", followed).await;
    let cases: &[(&str, &[i64])] = &[
        ("signed paris", &[4]),
        ("PAR", &[4]),
        ("paris london", &[]),
        ("ann@example.com", &[2, 1]),
        ("impossible severity:critical", &[2]),
        ("title -impossible", &[3, 1]),
        ("user:ann@example.com impossible", &[2]),
        ("\"a\\\" OR NEAR(\"", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(feed(store, text).await, *expected, "{text}");
    }
}

async fn triage(store: &dyn Store) {
    let ann_no_mfa = finding_of(store, "ann@example.com", "no-mfa").await;
    let change =
        |seen, change| async move { store.change(ann_no_mfa.id, seen, &change, &ann(), second(3_000)).await };
    let claimed = change(Some(1), Change::Claim).await.unwrap();
    assert_eq!((claimed.state, claimed.version), (FindingState::Claimed, 2));
    let first = store.event(EventId(1)).await.unwrap().unwrap().event;
    assert_eq!(first.findings.words(), "1 open · 1 claimed");
    assert_eq!(feed(store, "state:claimed").await, [1]);

    let stale = change(Some(1), Change::Release).await.unwrap_err();
    assert!(matches!(stale, ChangeError::Stale { found: 2, seen: 1, .. }), "{stale}");
    assert!(matches!(change(None, Change::Claim).await.unwrap_err(), ChangeError::Refused(_)));
    let nobody = store.change(FindingId(99), None, &Change::Claim, &ann(), second(3_000)).await.unwrap_err();
    assert!(matches!(nobody, ChangeError::NoSuchFinding(FindingId(99))));

    change(None, Change::Note { text: "called her".to_owned() }).await.unwrap();
    let reason = "new phone".to_owned();
    let closed =
        change(None, Change::Close { disposition: Disposition::BenignExpected, reason }).await.unwrap();
    assert_eq!(store.finding(closed.id).await.unwrap().unwrap(), closed);
    assert_eq!(feed(store, "state:closed").await, [1]);

    let history = store.history(closed.id).await.unwrap();
    let told: Vec<(&str, &str)> = history.iter().map(|e| (e.what.as_str(), e.text.raw())).collect();
    assert_eq!(told, [("claimed", ""), ("noted", "called her"), ("closed", "new phone")]);
    assert_eq!(store.health().await.unwrap().open_findings, 3);
}

async fn finding_lists(store: &dyn Store) {
    let cases: &[(&str, usize)] = &[
        ("", 4),
        ("state:open", 3),
        ("-state:open", 1),
        ("severity>=high", 3),
        ("state:closed severity:high", 1),
        ("check:no-mfa", 3),
        ("user:ann*", 2),
        ("user:*@other.org", 1),
        ("-user:ann@example.com", 2),
        ("ann mfa", 1),
        ("source:test* kind:failed-check", 4),
        ("kind:issue", 0),
    ];
    for (text, expected) in cases {
        assert_eq!(all_findings(store, text).await.len(), *expected, "{text}");
    }
    let filter = FindingFilter::default();
    let page = store.findings(&filter, From::Newest, 3).await.unwrap();
    assert!(page.has_more());
    let rest = store.findings(&filter, From::Before(page.rows[2].id), 3).await.unwrap();
    assert_eq!((rest.rows.len(), rest.has_more()), (1, false));
}

async fn a_newer_event_reopens(store: &dyn Store) {
    let at = |id: &str, published: i64| {
        item(
            json!({ "id": id, "check": "no-mfa", "severity": "critical", "users": ["ann@example.com"], "published": published }),
        )
    };
    store.append(vec![InboxItem { received: second(4_000), ..at("late", 2_500) }]).await.unwrap();
    store.drained().await.unwrap();
    let late = finding_of(store, "ann@example.com", "no-mfa").await;
    assert_eq!((late.state, late.times), (FindingState::Closed, 2));
    store.append(vec![InboxItem { received: second(4_000), ..at("newer", 3_500) }]).await.unwrap();
    store.drained().await.unwrap();
    let newer = finding_of(store, "ann@example.com", "no-mfa").await;
    assert_eq!((newer.state, newer.times, newer.severity), (FindingState::Open, 3, Severity::Critical));
    assert_eq!(feed(store, "state:closed").await, [] as [i64; 0], "every event it counted follows");
    assert_eq!(store.history(newer.id).await.unwrap().last().unwrap().what, "reopened");
    let records = store.journal(0, 1_000).await.unwrap();
    let last: serde_json::Value =
        serde_json::from_str(records.last().unwrap().content.as_ref().unwrap()).unwrap();
    assert_eq!((&last["finding"], &last["source"]), (&json!(newer.id), &json!("test-hook")), "{last}");
    assert!(last["change"]["reopen"]["reason"].is_string());
    let first = store.event(EventId(1)).await.unwrap().unwrap().event;
    assert_eq!(first.findings.words(), "2 open");
}

fn ann() -> Actor {
    Actor { user: "ann".to_owned(), host: "jump".to_owned(), ..Actor::default() }
}

/// A pending action of a flow on a login.
fn action(n: u128, flow: &str, login: &str) -> Action {
    let base = store::action((n, flow, login));
    let request = ShownRequest {
        headers: vec![("x-api-client-token".to_owned(), "[secret]".to_owned())],
        ..base.request.clone()
    };
    Action { risk: Risk::High, request, reason: Some("stolen laptop".to_owned()), actor: ann(), ..base }
}

fn settlement(evidence: Evidence, outcome: Outcome) -> Settlement {
    let receipt = Receipt { status: Some(200), body: outcome.word().to_owned(), ..Receipt::default() };
    Settlement { evidence, outcome, receipt }
}

fn basis(again: Again, seen: &[ActionId]) -> Basis {
    Basis { same: Vec::new(), seen: seen.to_vec(), again }
}

/// A crash between two steps leaves the first, which says that another was to come.
async fn a_step_says_of_which_run_it_is(store: &dyn Store, lease: &Lease) {
    let step = StepOf { run: ActionId(uuid::Uuid::from_u128(40)), number: 1, of: 2 };
    let first = Action { step: Some(step), ..action(41, "contain", "dora@example.com") };
    store.intend(&first, lease, &basis(Again::No, &[])).await.unwrap();
    assert_eq!(store.action(first.id).await.unwrap().unwrap(), first);
    let records = store.journal(0, 1_000).await.unwrap();
    let content = records.last().unwrap().content.as_ref().unwrap();
    let content: serde_json::Value = serde_json::from_str(content).unwrap();
    assert_eq!((&content["run"], &content["step"]), (&json!(step.run), &json!("1 of 2")));
    store
        .settle(first.id, &settlement(Evidence::Acknowledged, Outcome::Accepted), second(3_001))
        .await
        .unwrap();
    assert_eq!(store.action(first.id).await.unwrap().unwrap().step, Some(step));
}

async fn one_account_through_two_logins(store: &dyn Store, lease: &Lease) {
    let on = |n, login| Action { target_id: Some("00u1".to_owned()), ..action(n, "lock", login) };
    let (first, second_login) = (on(21, "carl@example.com"), on(22, "c.smith@example.com"));
    store.intend(&first, lease, &basis(Again::No, &[])).await.unwrap();
    assert_eq!(store.action(first.id).await.unwrap().unwrap(), first);
    let twin = store.intend(&second_login, lease, &basis(Again::Insist, &[])).await.unwrap_err();
    assert!(matches!(twin, IntendError::AlreadyOpen(id) if id == first.id));
    store.settle(first.id, &settlement(Evidence::Sent, Outcome::Unknown), second(3_001)).await.unwrap();
    let unknown = store.intend(&second_login, lease, &basis(Again::No, &[])).await.unwrap_err();
    assert!(matches!(unknown, IntendError::UnknownBefore(id) if id == first.id));
    store.intend(&second_login, lease, &basis(Again::Insist, &[first.id])).await.unwrap();
    store
        .settle(second_login.id, &settlement(Evidence::Intended, Outcome::Failed), second(3_002))
        .await
        .unwrap();
    let hidden =
        store.intend(&on(23, "c.smith@example.com"), lease, &basis(Again::No, &[])).await.unwrap_err();
    assert!(
        matches!(hidden, IntendError::UnknownBefore(id) if id == first.id),
        "it never left: it hides nothing"
    );
    let account = ActionFilter {
        flow: Some("lock".into()),
        target: first.target_id.clone(),
        may_have_left: true,
        ..ActionFilter::default()
    };
    let found = store.actions(&account, None, 10).await.unwrap();
    assert_eq!(found.rows.iter().map(|found| found.id).collect::<Vec<_>>(), [first.id]);
}

/// What answered *refused* behind an unknown one says nothing of it; what is proven does.
async fn an_unknown_one_is_not_hidden(store: &dyn Store, lease: &Lease) {
    let on = |n| Action { target_id: Some("00u9".to_owned()), ..action(n, "bar", "gina@example.com") };
    let next = |n, again| {
        let seen: Vec<ActionId> = (71..n).map(|n| on(n).id).collect();
        async move { store.intend(&on(n), lease, &basis(again, &seen)).await }
    };
    let settle = |n, evidence, outcome| async move {
        store.settle(on(n).id, &settlement(evidence, outcome), second(3_001)).await.unwrap();
    };
    next(71, Again::No).await.unwrap();
    settle(71, Evidence::Sent, Outcome::Unknown).await;
    for (n, outcome) in [(72, Outcome::Refused), (73, Outcome::Failed), (74, Outcome::Accepted)] {
        next(n, Again::Insist).await.unwrap();
        settle(n, Evidence::Acknowledged, outcome).await;
        let hidden = next(n + 1, Again::No).await.unwrap_err();
        assert!(matches!(hidden, IntendError::UnknownBefore(id) if id == on(71).id), "{outcome:?}: {hidden}");
    }
    let told = ActionFilter { flow: Some("bar".into()), tells_unknown: true, ..ActionFilter::default() };
    let found = store.actions(&told, None, 10).await.unwrap();
    assert_eq!(found.rows.iter().map(|found| found.id).collect::<Vec<_>>(), [on(71).id]);
    next(75, Again::Insist).await.unwrap();
    settle(75, Evidence::Verified, Outcome::Changed).await;
    next(76, Again::No).await.unwrap();
}

/// Two flows that do the same see each other, by the login and by the account.
async fn the_same_by_another_flow(store: &dyn Store, lease: &Lease) {
    let on = |n, flow, login| Action { target_id: Some("00u8".to_owned()), ..action(n, flow, login) };
    let same = |again, seen: &[ActionId]| Basis {
        same: vec!["hold-by-workflows".into(), "hold-by-okta".into()],
        ..basis(again, seen)
    };
    let first = on(51, "hold-by-workflows", "erin@example.com");
    store.intend(&first, lease, &same(Again::No, &[])).await.unwrap();
    let second = on(52, "hold-by-okta", "e.smith@example.com");
    let open = store.intend(&second, lease, &same(Again::Insist, &[first.id])).await.unwrap_err();
    assert!(matches!(open, IntendError::AlreadyOpen(id) if id == first.id));
    let accepted = settlement(Evidence::Acknowledged, Outcome::Accepted);
    store.settle(first.id, &accepted, self::second(3_001)).await.unwrap();
    let unseen = store.intend(&second, lease, &same(Again::Insist, &[])).await.unwrap_err();
    assert!(matches!(unseen, IntendError::Meanwhile(id) if id == first.id));
    store.intend(&second, lease, &same(Again::No, &[first.id])).await.unwrap();
    store.settle(second.id, &accepted, self::second(3_002)).await.unwrap();
    let third = on(53, "hold-by-workflows", "erin@example.com");
    let unseen = store.intend(&third, lease, &same(Again::No, &[first.id])).await.unwrap_err();
    assert!(matches!(unseen, IntendError::Meanwhile(id) if id == second.id), "the other way round");
}

/// A trial holds up nothing that is meant, and is held up by nothing that is.
async fn a_trial_is_no_precedent(store: &dyn Store, lease: &Lease) {
    let on = |n, is_test| Action {
        is_test,
        target_id: Some("00ksample".to_owned()),
        ..action(n, "sampled", "john.smith@okta.com")
    };
    let tried = on(61, true);
    store.intend(&tried, lease, &basis(Again::No, &[])).await.unwrap();
    assert_eq!(store.action(tried.id).await.unwrap().unwrap(), tried);
    let twice = store.intend(&on(62, true), lease, &basis(Again::No, &[])).await.unwrap_err();
    assert!(matches!(twice, IntendError::AlreadyOpen(id) if id == tried.id));
    store.intend(&on(63, false), lease, &basis(Again::No, &[])).await.unwrap();
    store.settle(tried.id, &settlement(Evidence::Sent, Outcome::Unknown), second(3_001)).await.unwrap();
    store.intend(&on(64, true), lease, &basis(Again::No, &[])).await.unwrap();
    let records = store.journal(0, 1_000).await.unwrap();
    let marked = |record: &idtriage::domain::journal::Record| {
        let content: serde_json::Value = serde_json::from_str(record.content.as_ref().unwrap()).unwrap();
        content.get("test").cloned()
    };
    let last: Vec<Option<serde_json::Value>> = records.iter().rev().take(4).map(marked).collect();
    assert_eq!(last, [Some(json!(true)), Some(json!(true)), None, Some(json!(true))]);
}

async fn actions(store: &dyn Store) {
    let lease = Lease { owner: "jump:7".to_owned(), until: second(3_010) };
    let first = action(1, "suspend", "Ann@example.com");
    store.intend(&first, &lease, &basis(Again::No, &[])).await.unwrap();
    let twin = store
        .intend(&action(2, "suspend", "ann@EXAMPLE.com"), &lease, &basis(Again::Insist, &[]))
        .await
        .unwrap_err();
    assert!(matches!(twin, IntendError::AlreadyOpen(id) if id == first.id));
    store.intend(&action(3, "reset", "ann@example.com"), &lease, &basis(Again::No, &[])).await.unwrap();
    store.sending(first.id, &lease).await.unwrap();
    let until = second(3_020);
    store.renew(first.id, &Lease { until, ..lease.clone() }).await.unwrap();

    assert_eq!(store.expire_leases(second(3_015)).await.unwrap(), [(action(3, "", "").id, Outcome::NotSent)]);
    assert_eq!(store.expire_leases(second(3_021)).await.unwrap(), [(first.id, Outcome::Unknown)]);
    assert_eq!(store.action(first.id).await.unwrap().unwrap().outcome, Outcome::Unknown);
    let dead = store.sending(first.id, &lease).await.unwrap_err();
    assert!(matches!(dead, StoreError::NotPending(id) if id == first.id));
    let dead = store.renew(first.id, &lease).await.unwrap_err();
    assert!(matches!(dead, StoreError::NotPending(id) if id == first.id));
    let again = action(4, "suspend", "ann@example.com");
    let unknown = store.intend(&again, &lease, &basis(Again::No, &[])).await.unwrap_err();
    assert!(matches!(unknown, IntendError::UnknownBefore(id) if id == first.id));
    let unseen = store.intend(&again, &lease, &basis(Again::Insist, &[])).await.unwrap_err();
    assert!(matches!(unseen, IntendError::Meanwhile(id) if id == first.id));
    store.intend(&again, &lease, &basis(Again::Insist, &[first.id])).await.unwrap();

    let verified = settlement(Evidence::Verified, Outcome::Changed);
    store.settle(first.id, &verified, second(3_030)).await.unwrap();
    let less = settlement(Evidence::Acknowledged, Outcome::Accepted);
    let settled = store.settle(first.id, &less, second(3_031)).await.unwrap();
    assert_eq!((settled.evidence, settled.outcome), (Evidence::Verified, Outcome::Changed));
    assert_eq!(store.action(first.id).await.unwrap().unwrap(), settled);
    let none = store.settle(action(9, "", "").id, &less, second(3_031)).await.unwrap_err();
    assert!(none.to_string().contains("there is no action"), "{none}");

    let by = |filter: ActionFilter, before| async move {
        let page = store.actions(&filter, before, 2).await.unwrap();
        (page.rows.iter().map(|a| a.id.0.as_u128()).collect::<Vec<_>>(), page.has_more())
    };
    assert_eq!(by(ActionFilter::default(), None).await, (vec![4, 3], true));
    assert_eq!(by(ActionFilter::default(), Some(action(3, "", "").id)).await, (vec![1], false));
    let flow = ActionFilter { flow: Some("suspend".into()), ..ActionFilter::default() };
    assert_eq!(by(flow, None).await, (vec![4, 1], false));
    let login = ActionFilter { login: Some(Login::new("ANN@example.com")), ..ActionFilter::default() };
    assert_eq!(by(login, None).await, (vec![4, 3], true));
    let since = ActionFilter { since: Some(second(3_001)), ..ActionFilter::default() };
    assert_eq!(by(since, None).await, (vec![], false));
    one_account_through_two_logins(store, &lease).await;
    a_step_says_of_which_run_it_is(store, &lease).await;
    an_unknown_one_is_not_hidden(store, &lease).await;
    the_same_by_another_flow(store, &lease).await;
    a_trial_is_no_precedent(store, &lease).await;
}

async fn the_journal_verifies(store: &dyn Store) {
    let id = finding_of(store, "bob@example.com", "no-mfa").await.id;
    for n in 0..300 {
        let note = Change::Note { text: format!("note {n}") };
        store.change(id, None, &note, &ann(), second(4_000 + n)).await.unwrap();
    }
    let kept = store.journal_head().await.unwrap();
    let mut verifier = Verifier::new(kept.clone());
    let (mut after, mut kinds) = (0, Vec::new());
    loop {
        let records = store.journal(after, 100).await.unwrap();
        let Some(last) = records.last() else { break };
        after = last.seq;
        for record in &records {
            verifier.next(record).unwrap();
            kinds.push(record.kind.word());
        }
    }
    assert_eq!(verifier.finish().unwrap(), kept);
    let count = |word| kinds.iter().filter(|kind| **kind == word).count();
    assert_eq!((count("triage"), count("intended"), count("expired"), count("settled")), (304, 17, 2, 13));
    // The same, looked through from either end.
    assert_eq!(looked_up(store, "kind:triage").await.len(), 304);
    assert_eq!(
        looked_up(store, "kind:settled -user:ann*").await.len()
            + looked_up(store, "kind:settled user:ann*").await.len(),
        13
    );
    let notes = looked_up(store, "user:BOB@example.com \"note 7\" since:1970-01-01T01:06:40Z").await;
    assert!(notes.len() >= 11 && notes.is_sorted_by(|above, below| above > below), "{notes:?}");
    assert!(looked_up(store, "user:nobody").await.is_empty());
}

/// The places of all records that are asked for: down the pages, and the same up them.
async fn looked_up(store: &dyn Store, text: &str) -> Vec<u64> {
    let query = JournalQuery::parse(text).unwrap();
    let (mut down, mut from) = (Vec::new(), From::Newest);
    while let Some(next) = {
        let page = store.journal_page(&query, second(9_000), from, 50).await.unwrap();
        down.extend(page.rows.iter().map(|record| record.seq));
        page.next
    } {
        from = From::Before(next);
    }
    let (mut up, mut from) = (Vec::new(), From::Oldest);
    while let Some(next) = {
        let page = store.journal_page(&query, second(9_000), from, 50).await.unwrap();
        up.extend(page.rows.iter().rev().map(|record| record.seq));
        page.next
    } {
        from = From::After(next);
    }
    up.reverse();
    assert_eq!(down, up);
    down
}

async fn what_cannot_be_expanded_is_kept(store: &dyn Store) {
    let events = store.health().await.unwrap().events;
    let broken = item(json!({ "id": "broken", "text": "panic" }));
    store.append(vec![broken, failed("fine", "no-mfa", "low", &["dora@example.com"])]).await.unwrap();
    store.drained().await.unwrap();
    let health = store.health().await.unwrap();
    assert_eq!((health.events, health.pending, health.problems.len()), (events + 1, 0, 1));
    assert!(health.problems[0].message.raw().contains("`test-hook`"));
}

#[test]
fn stores_can_be_shared() {
    fn shared<T: Send + Sync>() {}
    shared::<Arc<dyn Store>>();
}
