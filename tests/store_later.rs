//! What is found out about actions later: how their targets stood, which looks are due and who takes them, and the ends
//! of executions, whichever came first.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod store_support;

use idtriage::domain::action::{AnalystWord, EndKind, Said, Settlement};
use idtriage::domain::journal::Verifier;
use idtriage::domain::journal::query::JournalQuery;
use idtriage::domain::later::LOOKS;
use idtriage::domain::{Action, ActionId, Actor, Evidence, Outcome, Receipt};
use idtriage::store::{self, Again, Basis, From, IntendError, Lease, Store, WordError};
use jiff::SignedDuration;
use rstest::rstest;
use serde_json::{Value, json};
use std::sync::Arc;
use store_support::{decode, item, options, second};

const AT: i64 = 10_000;

fn sqlite() -> (tempfile::TempDir, Arc<dyn Store>) {
    let room = store::files::throw_away_folder("later-").unwrap();
    let store = at(&room);
    (room, store)
}

fn at(room: &tempfile::TempDir) -> Arc<dyn Store> {
    let url = format!("sqlite:{}", room.path().join("store.db").display());
    store::open(&url, decode(), options()).unwrap()
}

fn action(n: u128) -> Action {
    let login = format!("user{n}@x");
    Action {
        before: Some("ACTIVE".to_owned()),
        target_id: Some(format!("00u{n}")),
        at: second(AT),
        ..store_support::action((n, "suspend", &login))
    }
}

async fn intend(store: &dyn Store, action: &Action) {
    let lease = Lease { owner: "jump:1".to_owned(), until: second(AT + 20) };
    store
        .intend(action, &lease, &Basis { same: Vec::new(), seen: Vec::new(), again: Again::No })
        .await
        .unwrap();
    store.sending(action.id, &lease).await.unwrap();
}

async fn answered(store: &dyn Store, id: ActionId, status: u16, execution: Option<&str>) -> Action {
    let receipt = Receipt {
        status: Some(status),
        execution_id: execution.map(str::to_owned),
        at: Some(second(AT + 1)),
        ..Receipt::default()
    };
    let outcome = Outcome::of_status(status);
    let settlement = Settlement { evidence: Evidence::Acknowledged, outcome, receipt };
    store.settle(id, &settlement, second(AT + 1)).await.unwrap()
}

/// The contents of the journal; its chain holds.
async fn journal(store: &dyn Store) -> Vec<Value> {
    let mut verifier = Verifier::new(store.journal_head().await.unwrap());
    let records = store.journal(0, 1_000).await.unwrap();
    records.iter().for_each(|record| verifier.next(record).unwrap());
    verifier.finish().unwrap();
    records.iter().map(|record| serde_json::from_str(record.content.as_deref().unwrap()).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intent_keeps_what_it_undoes_and_how_the_target_stood_and_says_nothing_where_there_is_nothing() {
    let (_room, store) = sqlite();
    let undoing = Action { undoes: Some(ActionId(uuid::Uuid::from_u128(9))), ..action(1) };
    let plain = Action { before: None, ..action(2) };
    for action in [&undoing, &plain] {
        let lease = Lease { owner: "jump:1".to_owned(), until: second(AT + 20) };
        store
            .intend(action, &lease, &Basis { same: Vec::new(), seen: Vec::new(), again: Again::No })
            .await
            .unwrap();
        assert_eq!(store.action(action.id).await.unwrap().as_ref(), Some(action));
    }
    let records = journal(&*store).await;
    let id = uuid::Uuid::from_u128(9).to_string();
    assert_eq!((&records[0]["undoes"], &records[0]["before"]), (&json!(id), &json!("ACTIVE")));
    let names: Vec<&String> = records[1].as_object().unwrap().keys().collect();
    assert!(names.iter().all(|name| *name != "undoes" && *name != "before"), "{names:?}");
    store.close().await.unwrap();
}

/// Each look is one process's alone, and there are four of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_is_due_is_taken_once_by_whoever_comes_first() {
    let (room, one) = sqlite();
    let other = at(&room);
    let action = action(1);
    intend(&*one, &action).await;
    answered(&*one, action.id, 200, None).await;
    for wait in LOOKS {
        let due = action.at + wait;
        let before = due - SignedDuration::from_millis(1);
        assert_eq!(other.take_looks(before, 9).await.unwrap(), [], "not before {wait}");
        assert_eq!(one.take_looks(due, 0).await.unwrap(), []);
        let (first, second) =
            (other.take_looks(due, 9).await.unwrap(), one.take_looks(due, 9).await.unwrap());
        assert_eq!((first, second), (vec![action.id], vec![]));
    }
    assert_eq!(one.take_looks(action.at + SignedDuration::from_hours(9), 9).await.unwrap(), []);
    one.close().await.unwrap();
    other.close().await.unwrap();
}

#[rstest]
#[case::proven(Some(Outcome::Changed), 40, false)]
#[case::accepted(Some(Outcome::Accepted), 40, true)]
// Its process is gone: it becomes unknown with its lease.
#[case::broken_off(None, 40, true)]
// Nobody ran for a day: a change may be anybody's by now.
#[case::much_later(Some(Outcome::Accepted), 90_000, false)]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_is_looked_at_and_nothing_else(
    #[case] outcome: Option<Outcome>,
    #[case] behind: i64,
    #[case] is_due: bool,
) {
    let (_room, store) = sqlite();
    let action = action(1);
    intend(&*store, &action).await;
    if let Some(outcome) = outcome {
        let evidence = if outcome == Outcome::Changed { Evidence::Verified } else { Evidence::Acknowledged };
        let settlement = Settlement { evidence, outcome, receipt: Receipt::default() };
        store.settle(action.id, &settlement, second(AT + 1)).await.unwrap();
    }
    store.expire_leases(second(AT + 25)).await.unwrap();
    let due = store.take_looks(second(AT + behind), 9).await.unwrap();
    assert_eq!(!due.is_empty(), is_due);
    store.close().await.unwrap();
}

fn record(id: &str, end: Option<&str>) -> store::InboxItem {
    let mut record = json!({ "id": id, "kind": "execution", "check": "execution:FLOW_END", "execution": "run-1",
        "published": AT + 5 });
    if let Some(end) = end {
        record["end"] = json!(end);
    }
    item(record)
}

async fn arrive(store: &dyn Store, items: Vec<store::InboxItem>) {
    store.append(items).await.unwrap();
    store.drained().await.unwrap();
}

#[rstest]
#[case::the_receipt_first(true, "completed", EndKind::Completed)]
#[case::the_record_first(false, "completed", EndKind::Completed)]
// A run that broke off has ended too: how it did stands beside it.
#[case::broke_off(true, "failed", EndKind::Failed)]
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_its_execution_raises_an_action_once_in_either_order(
    #[case] receipt_first: bool,
    #[case] end: &str,
    #[case] how: EndKind,
) {
    let (_room, store) = sqlite();
    let action = action(1);
    intend(&*store, &action).await;
    if receipt_first {
        let settled = answered(&*store, action.id, 200, Some("run-1")).await;
        assert_eq!(settled.evidence, Evidence::Acknowledged);
    }
    arrive(&*store, vec![record("start", None), record("end", Some(end)), record("end", Some(end))]).await;
    // Another record of its end, which is another event.
    arrive(&*store, vec![record("end-again", Some("failed"))]).await;
    if !receipt_first {
        let settled = answered(&*store, action.id, 200, Some("run-1")).await;
        assert_eq!(settled.evidence, Evidence::Finished, "told at once");
    }
    let raised = store.action(action.id).await.unwrap().unwrap();
    assert_eq!((raised.evidence, raised.outcome), (Evidence::Finished, Outcome::Accepted));
    let receipt = raised.receipt.unwrap();
    let ended = receipt.ended.unwrap();
    assert_eq!((ended.how, ended.event_type.raw(), ended.at), (how, "FLOW_END", second(AT + 5)));
    assert_eq!(receipt.status, Some(200), "what came back stays");
    let by: Vec<Value> = journal(&*store).await.iter().map(|content| content["by"].clone()).collect();
    assert_eq!(
        by,
        [Value::Null, Value::Null, json!("execution record")],
        "one intent, one receipt, one raise"
    );
    store.close().await.unwrap();
}

#[rstest]
#[case::no_end_of_it(Some("run-1"), None, 200, Evidence::Acknowledged, Outcome::Accepted)]
#[case::another_run(Some("run-2"), Some("completed"), 200, Evidence::Acknowledged, Outcome::Accepted)]
#[case::no_run_named(None, Some("completed"), 200, Evidence::Acknowledged, Outcome::Accepted)]
// It ended, and whether it did anything is as unknown as before.
#[case::unknown(Some("run-1"), Some("completed"), 502, Evidence::Finished, Outcome::Unknown)]
#[case::refused(Some("run-1"), Some("completed"), 403, Evidence::Finished, Outcome::Refused)]
#[tokio::test(flavor = "multi_thread")]
async fn only_the_end_of_the_very_run_raises_and_no_outcome_changes(
    #[case] execution: Option<&str>,
    #[case] end: Option<&str>,
    #[case] status: u16,
    #[case] evidence: Evidence,
    #[case] outcome: Outcome,
) {
    let (_room, store) = sqlite();
    let action = action(1);
    intend(&*store, &action).await;
    answered(&*store, action.id, status, execution).await;
    arrive(&*store, vec![record("end", end)]).await;
    let action = store.action(action.id).await.unwrap().unwrap();
    assert_eq!((action.evidence, action.outcome), (evidence, outcome));
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_not_taken_back_by_the_end_of_the_run() {
    let (_room, store) = sqlite();
    let action = action(1);
    intend(&*store, &action).await;
    answered(&*store, action.id, 200, Some("run-1")).await;
    let verified = Some("re-read: SUSPENDED".to_owned());
    let receipt = Receipt { verified: verified.clone(), ..Receipt::default() };
    let proof = Settlement { evidence: Evidence::Verified, outcome: Outcome::Changed, receipt };
    store.settle(action.id, &proof, second(AT + 3)).await.unwrap();
    arrive(&*store, vec![record("end", Some("completed"))]).await;
    let action = store.action(action.id).await.unwrap().unwrap();
    assert_eq!((action.evidence, action.outcome), (Evidence::Verified, Outcome::Changed));
    let receipt = action.receipt.unwrap();
    assert_eq!((receipt.verified, receipt.ended.map(|end| end.how)), (verified, Some(EndKind::Completed)));
    store.close().await.unwrap();
}

/// The run's own re-read takes its time: the record of its end may come first.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_re_read_saw_behind_the_end_of_the_run_is_kept_and_takes_nothing_back() {
    let (_room, store) = sqlite();
    let action = action(1);
    intend(&*store, &action).await;
    answered(&*store, action.id, 200, Some("run-1")).await;
    arrive(&*store, vec![record("end", Some("completed"))]).await;
    let seen = Some("re-read 3 times: still ACTIVE".to_owned());
    let receipt = Receipt { status: Some(200), verified: seen.clone(), ..Receipt::default() };
    let own = Settlement { evidence: Evidence::Acknowledged, outcome: Outcome::Accepted, receipt };
    let settled = store.settle(action.id, &own, second(AT + 9)).await.unwrap();
    assert_eq!(Some(&settled), store.action(action.id).await.unwrap().as_ref());
    assert_eq!((settled.evidence, settled.outcome), (Evidence::Finished, Outcome::Accepted));
    let receipt = settled.receipt.unwrap();
    assert_eq!(
        (receipt.verified, receipt.ended.map(|end| end.how)),
        (seen.clone(), Some(EndKind::Completed))
    );
    let records = journal(&*store).await;
    let said: Vec<_> = records.iter().skip(1).map(|record| record["evidence"].as_str().unwrap()).collect();
    assert_eq!(said, ["acknowledged", "finished", "finished"]);
    assert_eq!(records[3]["receipt"]["verified"], json!(seen));
    store.close().await.unwrap();
}

fn word(said: Said) -> AnalystWord {
    let actor = Actor { user: "root".to_owned(), analyst: Some("Bo".to_owned()), ..Actor::default() };
    AnalystWord { said, actor, at: second(AT + 60), reason: "seen in the Admin Console".to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_is_kept_with_its_record_ends_the_asking_and_is_no_evidence() {
    let (_room, store) = sqlite();
    let lost = action(1);
    intend(&*store, &lost).await;
    let unknown = answered(&*store, lost.id, 504, None).await;
    let again = Action { id: ActionId(uuid::Uuid::from_u128(2)), at: second(AT + 90), ..lost.clone() };
    let lease = Lease { owner: "jump:1".to_owned(), until: second(AT + 120) };
    let basis = Basis { same: Vec::new(), seen: vec![lost.id], again: Again::No };
    let held_up = store.intend(&again, &lease, &basis).await;
    assert!(matches!(held_up, Err(IntendError::UnknownBefore(id)) if id == lost.id), "{held_up:?}");

    let no = word(Said::NotChanged);
    let kept = store.give_word(lost.id, &no, None).await.unwrap();
    assert_eq!((kept.outcome, kept.evidence), (unknown.outcome, unknown.evidence));
    assert_eq!(store.action(lost.id).await.unwrap().unwrap().word(), Some(&no));
    // Somebody who has not seen that word decides anew.
    let blind = store.give_word(lost.id, &word(Said::Changed), None).await;
    assert!(matches!(blind, Err(WordError::Meanwhile(id)) if id == lost.id), "{blind:?}");
    store.give_word(lost.id, &word(Said::Changed), Some(&no)).await.unwrap();

    let records = journal(&*store).await;
    assert_eq!(records.len(), 4, "the one that was refused left none");
    let said: Vec<_> = records.iter().filter(|record| record.get("said").is_some()).collect();
    assert_eq!((&said[0]["said"], &said[1]["said"]), (&json!("not-changed"), &json!("changed")));
    for record in &said {
        assert_eq!((&record["outcome"], &record["evidence"]), (&json!("unknown"), &json!("acknowledged")));
        assert_eq!((&record["actor"]["analyst"], &record["login"]), (&json!("Bo"), &json!("user1@x")));
        assert!(record["basis"].as_str().unwrap().contains("not proved"));
    }
    assert_eq!(said[1]["instead_of"]["said"], "not-changed");
    for (query, found) in [("kind:said", 2), ("said:changed", 1), ("said:changed by:bo user:user1@x", 1)] {
        let query = JournalQuery::parse(query).unwrap();
        let page = store.journal_page(&query, second(AT + 99), From::Newest, 9).await.unwrap();
        assert_eq!(page.rows.len(), found, "{query}");
    }
    assert_eq!(store.journal_unfound().await.unwrap(), None);

    store.intend(&again, &lease, &basis).await.unwrap();
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_is_known_no_word_is_kept() {
    let (_room, store) = sqlite();
    for (n, status) in [(1, None), (2, Some(403))] {
        intend(&*store, &action(n)).await;
        if let Some(status) = status {
            answered(&*store, action(n).id, status, None).await;
        }
        let refused = store.give_word(action(n).id, &word(Said::Changed), None).await;
        assert!(matches!(refused, Err(WordError::Meanwhile(_))), "{refused:?}");
        assert!(store.action(action(n).id).await.unwrap().unwrap().receipt.is_none_or(|r| r.word.is_none()));
    }
    let nobody = store.give_word(ActionId(uuid::Uuid::from_u128(9)), &word(Said::Changed), None).await;
    assert!(matches!(nobody, Err(WordError::Store(_))), "{nobody:?}");
    store.close().await.unwrap();
}
