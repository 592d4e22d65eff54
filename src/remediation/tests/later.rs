//! Later looks: what a change proves, what stays a note, and that nothing is ever sent.

use super::*;
use crate::domain::action::{AnalystWord, Said, word};
use crate::domain::later::{LOOKS, Stands};
use crate::domain::operation::Operation;

/// A suspension whose reply was lost, and of which the re-reads behind it saw nothing.
/// The System Log has a record that names its request.
async fn unknown(statuses: &[&'static str]) -> (Lab, Action) {
    let (lab, action, log) = unlogged(statuses).await;
    log.records.lock().unwrap().push(suspended("00u1", action.at, &signed(&action)));
    (lab, action)
}

fn signed(action: &Action) -> String {
    format!("idtriage/1 {}", crate::domain::log::beside::signature(&action.id.to_string()))
}

async fn unlogged(statuses: &[&'static str]) -> (Lab, Action, Arc<Log>) {
    let statuses = [&["ACTIVE"; 5], statuses].concat();
    let log = Arc::new(Log::default());
    let ends = Setup::ends([CallEnd::Unknown("cut".into())]);
    let lab = Setup { statuses, log: Some(log.clone()), ..ends }.lab();
    let wanted = Ask { flow: Operation::Suspend.flow_id(), ..ask(1) };
    let plan = prepare(&lab.desk, wanted).await.unwrap();
    let action = lab.run(&plan, &confirmed(&plan)).await.unwrap();
    assert_eq!((action.outcome, action.before.as_deref()), (Outcome::Unknown, Some("ACTIVE")));
    (lab, action, log)
}

/// Somebody else did it, in the vendor's console say: no action is credited with that.
#[rstest]
#[case::another_request(
    Some("idtriage/1 (action 00000000-0000-0000-0000-000000000009)"),
    false,
    "names this run"
)]
#[case::an_administrator(Some("Mozilla/5.0"), false, "names this run")]
#[case::not_yet(None, false, "has no record of it")]
#[case::not_readable(Some("itself"), true, "cannot be read: answered 403")]
#[tokio::test]
async fn only_what_names_the_run_proves_that_it_did_it(
    #[case] agent: Option<&str>,
    #[case] is_out: bool,
    #[case] why: &str,
) {
    let (lab, action, log) = unlogged(&["SUSPENDED"]).await;
    let agent = agent.map(|agent| if agent == "itself" { signed(&action) } else { agent.to_owned() });
    log.records.lock().unwrap().extend(agent.iter().map(|agent| suspended("00u1", action.at, agent)));
    *log.is_out.lock().unwrap() = is_out;
    let looked = lab.runner().look_again(action.id).await.unwrap().action;
    assert_eq!((looked.outcome, looked.evidence), (Outcome::Unknown, Evidence::Sent));
    let said = seen(&looked);
    assert!(said.contains("SUSPENDED, before ACTIVE") && said.contains("by whom is not known"), "{said}");
    assert!(said.contains(why), "{said}");
    // Once the log says that it was this run, and nobody else, it is this run's.
    *log.is_out.lock().unwrap() = false;
    log.records.lock().unwrap().push(suspended("00u1", action.at, &signed(&action)));
    if agent.is_some_and(|agent| agent != signed(&action)) {
        let both = lab.runner().look_again(action.id).await.unwrap().action;
        assert!(both.outcome == Outcome::Unknown && seen(&both).contains("another did the same"));
        log.records.lock().unwrap().remove(0);
    }
    let proven = lab.runner().look_again(action.id).await.unwrap().action;
    assert_eq!((proven.outcome, proven.evidence), (Outcome::Changed, Evidence::Verified));
    assert!(seen(&proven).contains("by this request"), "{}", seen(&proven));
}

#[tokio::test]
async fn without_a_log_a_later_change_is_nobodys() {
    let (mut lab, action, _) = unlogged(&["SUSPENDED"]).await;
    Arc::get_mut(&mut lab.desk).unwrap().log = None;
    let looked = lab.runner().look_again(action.id).await.unwrap().action;
    assert!(looked.outcome == Outcome::Unknown && seen(&looked).contains("no System Log to ask"));
}

fn seen(action: &Action) -> &str {
    action.receipt.as_ref().unwrap().verified.as_deref().unwrap()
}

#[tokio::test]
async fn a_change_from_what_was_raises_and_anything_else_is_a_note() {
    let (lab, action) = unknown(&["ACTIVE", "", "SUSPENDED"]).await;
    let runner = lab.runner();
    let still = runner.look_again(action.id).await.unwrap().action;
    assert_eq!((still.outcome, still.evidence), (Outcome::Unknown, Evidence::Sent));
    assert!(seen(&still).ends_with(": ACTIVE"), "{}", seen(&still));
    assert_eq!(still.receipt.as_ref().unwrap().last_look().unwrap().1, Stands::Before);
    let unread = runner.look_again(action.id).await.unwrap();
    assert!(unread.unread.as_deref().is_some_and(|why| why.contains("429")), "{:?}", unread.unread);
    let unread = unread.action;
    let looks = [&still, &unread].map(|action| action.receipt.as_ref().unwrap().last_look());
    assert_eq!(looks[0], looks[1], "the last look is the one that read something");
    assert!(unread.outcome == Outcome::Unknown && seen(&unread).contains("could not be re-read: 429"));
    let proven = runner.look_again(action.id).await.unwrap().action;
    assert_eq!((proven.outcome, proven.evidence), (Outcome::Changed, Evidence::Verified));
    assert!(seen(&proven).contains("SUSPENDED, before ACTIVE"), "{}", seen(&proven));
    assert_eq!(proven.receipt.as_ref().unwrap().error.as_deref(), Some("cut"), "what came back stays");
    let why = runner.look_again(action.id).await.unwrap_err().to_string();
    assert!(why.contains("nothing left to find out"), "{why}");
    assert_eq!(lab.sends(), 1, "a look sends nothing");
}

#[tokio::test]
async fn a_look_that_read_nothing_is_none_and_one_that_did_unseats_a_word_that_it_contradicts() {
    let (lab, action) = unknown(&["", "ACTIVE", "SUSPENDED"]).await;
    let runner = lab.runner();
    let word = |action: &Action| word::may_be_given(action, &lab.desk.flows, Said::Changed).is_ok();
    let unread = runner.look_again(action.id).await.unwrap();
    assert!(unread.unread.is_some() && !word(&unread.action), "nobody has looked yet");
    let read = runner.look_again(action.id).await.unwrap();
    assert!(read.unread.is_none() && word(&read.action));
    let said = AnalystWord {
        said: Said::Changed,
        actor: lab.desk.actor.clone(),
        at: lab.desk.now(),
        reason: "so I say".to_owned(),
    };
    let given = lab.desk.store.give_word(action.id, &said, None).await.unwrap();
    assert!(given.standing().contains("contradicted by a re-read at") && given.is_unknown());
}

#[rstest]
// What was so before proves nothing.
#[case::was_so(|action: &mut Action| action.before = Some("SUSPENDED".to_owned()))]
// Nobody kept how it stood: an action of an older version.
#[case::not_kept(|action: &mut Action| action.before = None)]
// Nothing left: somebody else did it.
#[case::never_left(|action: &mut Action| action.evidence = Evidence::Intended)]
#[tokio::test]
async fn what_may_be_anothers_doing_raises_nothing(#[case] change: fn(&mut Action)) {
    let (lab, action) = unknown(&["SUSPENDED"]).await;
    lab.memory.actions.lock().unwrap().iter_mut().for_each(change);
    let looked = lab.runner().look_again(action.id).await;
    assert!(looked.is_err() || looked.unwrap().action.outcome == Outcome::Unknown);
}

#[rstest]
#[case::the_same_again("okta-suspend", Outcome::Changed, true)]
#[case::its_inverse("okta-unsuspend", Outcome::Accepted, true)]
#[case::of_workflows("suspend-okta-account", Outcome::Refused, true)]
#[case::of_a_flow_that_is_gone("gone", Outcome::Accepted, true)]
#[case::another_matter("okta-clear-sessions", Outcome::Accepted, false)]
#[case::without_effect("okta-suspend", Outcome::NotLegal, false)]
#[tokio::test]
async fn a_later_action_that_may_have_done_it_leaves_it_open(
    #[case] flow: &str,
    #[case] outcome: Outcome,
    #[case] is_open: bool,
) {
    let (lab, action) = unknown(&["SUSPENDED"]).await;
    let later = Action {
        id: ActionId(uuid::Uuid::from_u128(2)),
        flow: flow.into(),
        outcome,
        evidence: Evidence::Acknowledged,
        ..action.clone()
    };
    lab.memory.actions.lock().unwrap().push(later);
    let looked = lab.runner().look_again(action.id).await.unwrap().action;
    assert_eq!(looked.outcome == Outcome::Unknown, is_open, "{}", seen(&looked));
    assert_eq!(seen(&looked).contains("which of them did it"), is_open);
}

#[tokio::test]
async fn only_what_is_due_is_looked_at_and_no_more_than_is_wanted() {
    let (lab, action) = unknown(&["SUSPENDED"]).await;
    let runner = lab.runner();
    assert_eq!(runner.look_where_due(5).await.unwrap(), 0, "not yet");
    *lab.now.lock().unwrap() += LOOKS[0];
    assert_eq!(runner.look_where_due(0).await.unwrap(), 0);
    assert_eq!(runner.look_where_due(5).await.unwrap(), 1);
    let proven = lab.desk.store.action(action.id).await.unwrap().unwrap();
    assert_eq!(proven.outcome, Outcome::Changed);
    assert_eq!(runner.look_where_due(5).await.unwrap(), 0, "nothing is open");
    assert_eq!(lab.sends(), 1);
}

#[tokio::test]
async fn read_only_looks_at_nothing() {
    let (mut lab, action) = unknown(&["SUSPENDED"]).await;
    Arc::get_mut(&mut lab.desk).unwrap().mode = Mode::ReadOnly;
    assert!(matches!(lab.runner().look_again(action.id).await, Err(LookError::ReadOnly)));
    let nobody = ActionId(uuid::Uuid::from_u128(99));
    Arc::get_mut(&mut lab.desk).unwrap().mode = Mode::Acting;
    assert!(matches!(lab.runner().look_again(nobody).await, Err(LookError::NoSuchAction(_))));
}
