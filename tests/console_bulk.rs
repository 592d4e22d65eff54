//! Runs on many by scripted keys: marks, the one card for all of them, and the screen that follows a run.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "console_support/mod.rs"]
#[expect(dead_code, reason = "each test file uses its part of this")]
mod console;

use console::Bench;
use console::doubles::id_of;
use idtriage::config::meant::{BulkLimit, Guard};
use idtriage::domain::bulk::BulkId;
use idtriage::domain::{ActionId, Login};
use idtriage::remediation::bulk::{ConfirmedBulk, queued};
use idtriage::remediation::{Ask, prepare};
use idtriage::runtime::console::Ended;
use idtriage::store::{Again, Users};
use std::collections::BTreeSet;

const FIVE: [&str; 5] =
    ["amy@example.com", "ben@example.com", "cat@example.com", "dan@example.com", "eva@example.com"];

/// On an event that these users fail.
async fn on_event(bench: &Bench, users: &[&str]) {
    bench.arrive(&[("9", "no-mfa", "high", users)]).await;
    bench.see("Title of no-mfa").await;
    bench.advance(1_000).await;
    bench.check("<enter>", &format!("{} user", users.len())).await;
    bench.see(users[0]).await;
    bench.watch();
}

fn forty() -> Vec<String> {
    (0..40).map(|n| format!("user{n:02}@example.com")).collect()
}

/// From the marks to an armed card.
async fn card(bench: &Bench) {
    bench.check("r", "Remediate ").await;
    bench.see("Okta accounts").await;
    bench.check("1", "arming…").await;
    bench.advance(400).await;
}

/// The accounts that something was sent to, and how often anything was.
fn acted_on(bench: &Bench) -> (BTreeSet<String>, usize) {
    let bodies = bench.caller.bodies();
    (bodies.iter().map(|body| account(body)).collect(), bodies.len())
}

/// The account that a request is on.
fn account(body: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    body["entityIdInService"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn five_users_of_an_event_are_suspended() {
    let bench = Bench::empty();
    bench.caller.works_on(&bench.town);
    on_event(&bench, &FIVE).await;
    bench.check("*", "5 marked").await;
    bench.see("r run on 5 marked").await;
    card(&bench).await;
    bench.see("Suspend the Okta account: 5 of 5 users").await;
    bench.see("5 are acted on, nobody is left out").await;
    bench.see("type suspend and enter").await;
    bench.check("suspect<enter>", "type `suspend` exactly").await;
    assert_eq!(bench.caller.sent(), 0);
    bench.check("suspend<enter>", "› run ").await;
    bench.see("5 of 5 done: 5 changed").await;
    assert_eq!(acted_on(&bench), (FIVE.iter().map(|login| id_of(login)).collect(), 5));
    // The marks are gone with the card.
    bench.press("<esc>");
    bench.gone("5 marked").await;
    bench.check("B", "suspend the Okta account").await;
    bench.see("5 of 5").await;
    bench.check("<enter>", "changed (verified)").await;
}

/// Each by an action of their own that names what it undoes; who was not changed is not meant, and whom somebody else
/// has undone is left out.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_run_is_undone_by_one_card_on_each_whom_it_changed() {
    let bench = Bench::empty();
    bench.caller.works_on(&bench.town);
    on_event(&bench, &FIVE).await;
    bench.town.turn_one(&id_of(FIVE[1]), "SUSPENDED");
    bench.check("*", "5 marked").await;
    card(&bench).await;
    bench.check("suspend<enter>", "4 of 4 done: 4 changed; 1 left out").await;
    bench.see("z undo").await;
    bench.town.turn_one(&id_of(FIVE[0]), "ACTIVE");
    bench.check("z", "Unsuspend the Okta account: 3 of 4 users").await;
    bench.see("3 are acted on, 1 is left out: 1 already so").await;
    bench.see("1 whom it did not change is not meant").await;
    // Typed ahead, it answers nothing.
    bench.press("unsuspend<enter>");
    bench.see("arming…").await;
    assert_eq!(bench.caller.sent(), 4);
    bench.advance(400).await;
    bench.check("unsuspend<enter>", "3 of 3 done: 3 changed; 1 left out").await;
    bench.check("j", "it undoes action ").await;
    let bodies = bench.caller.bodies();
    let undone: BTreeSet<String> = bodies[4..].iter().map(|body| account(body)).collect();
    assert_eq!(undone, FIVE[2..].iter().map(|login| id_of(login)).collect());
    bench.see("done (3 changed)").await;
    // Of the run that undid, nothing is known that undoes it.
    bench.check("z", "nothing is undone: no flow undoes this").await;
    // What is undone already is left out, and the one whom somebody else turned back is so already.
    bench.check("<esc>z", "Nobody is acted on").await;
    bench.see("it is undone already, by action").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_on_which_nobody_is_left_asks_nothing() {
    let bench = Bench::empty();
    on_event(&bench, &FIVE).await;
    bench.town.turn("SUSPENDED");
    bench.check("*", "5 marked").await;
    bench.check("r", "Okta accounts").await;
    bench.check("1", "Nothing to do").await;
    bench.see("nothing to do: all of them are so already").await;
    bench.advance(400).await;
    bench.see("esc back").await;
    let text = bench.glass.text();
    assert!(!text.contains("already so: already so") && !text.contains("(default)"), "{text}");
    bench.press("suspend<enter>");
    bench.check("<esc>", "5 marked").await;
    assert_eq!(bench.caller.sent(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_help_over_a_card_answers_nothing_and_leads_back_to_it() {
    let bench = Bench::empty();
    on_event(&bench, &FIVE).await;
    bench.check("*", "5 marked").await;
    card(&bench).await;
    bench.check("<f1>", "Here: card").await;
    bench.press("suspend<enter>");
    bench.check("<esc>", "arming…").await;
    assert_eq!(bench.caller.sent(), 0);
    bench.advance(400).await;
    bench.see("type suspend and enter").await;
    bench.check("suspend<enter>", "5 of 5 done").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_are_logins_and_stay_where_rows_come_and_go() {
    let bench = Bench::empty();
    on_event(&bench, &FIVE).await;
    bench.check("j<space>", "1 marked").await;
    bench.check("<space>", "2 marked").await;
    let line = |text: &str| bench.line_of(text).unwrap();
    let signed = |login: &str| bench.glass.text().lines().nth(line(login)).unwrap().contains('*');
    assert_eq!((signed("amy@"), signed("ben@"), signed("cat@"), signed("dan@")), (false, true, true, false));
    bench.check("/user:e*<enter>", "1 match").await;
    bench.see("2 marked").await;
    bench.check("<space>", "3 marked").await;
    // The marks go first, then the filter.
    bench.press("<esc>");
    bench.gone("3 marked").await;
    bench.see("1 match").await;
    bench.press("<esc>");
    bench.see("amy@example.com").await;
    bench.check("<space>", "1 marked").await;
    bench.press("k<space>");
    bench.gone("1 marked").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exceptions_stand_first_and_the_number_is_of_those_who_are_acted_on() {
    let guard = Guard { protected: vec!["dan@example.com".to_owned()], ..Guard::default() };
    let bench = Bench::guarded(guard);
    bench.caller.works_on(&bench.town);
    let users = [&FIVE[..], &["amy.admin@example.com"]].concat();
    on_event(&bench, &users).await;
    bench.town.turn_one(&id_of(FIVE[1]), "SUSPENDED");
    bench.check("*", "6 marked").await;
    card(&bench).await;
    bench.see("3 are acted on, 3 are left out: 1 refused, 1 under a second name, 1 already so").await;
    // The name that stands first is acted on.
    let places = ["! dan@example.com", "- amy@example.com", "- ben@example.com", "  amy.admin@", "  cat@"];
    let lines: Vec<usize> = places.iter().map(|text| bench.line_of(text).unwrap()).collect();
    assert!(lines.is_sorted(), "{}", bench.glass.text());
    bench.check("suspend<enter>", "3 changed").await;
    let expected = ["cat@x", "eva@x"].map(id_of).into_iter();
    let amy = acted_on(&bench).0.into_iter().find(|id| id.starts_with("00uamy")).unwrap();
    assert_eq!(acted_on(&bench), (expected.chain([amy]).collect(), 3));
    // Who was left out stands in the run, and is no success.
    bench.check("f", "protected").await;
    bench.see("the same account as").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_login_would_be_asked_the_number_is() {
    let bench = Bench::empty();
    on_event(&bench, &FIVE).await;
    bench.check("<space><space><space>", "3 marked").await;
    bench.check("r", "Okta accounts").await;
    bench.check("3", "arming…").await;
    bench.advance(400).await;
    bench.see("type how many are acted on, enter").await;
    bench.check("deactivate<enter>", "that is not the number of those who are acted on").await;
    bench.check("5<enter>", "that is not the number of those who are acted on").await;
    assert_eq!(bench.caller.sent(), 0);
    bench.check("3<enter>", "3 of 3 done").await;
    assert_eq!(bench.caller.sent(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_type_ahead_nor_a_paste_answers_the_card_and_nothing_does_while_it_reads() {
    let bench = Bench::empty();
    on_event(&bench, &FIVE).await;
    bench.check("*", "5 marked").await;
    bench.town.die();
    bench.check("r", "Okta accounts").await;
    bench.check("1", "0 of 5 read…").await;
    bench.press("suspend<enter>y");
    bench.advance(10_000).await;
    bench.press("suspend<enter>");
    bench.see("0 of 5 read…").await;
    // It is left while it reads, and the marks stay.
    bench.check("<esc>", "not sent").await;
    bench.see("5 marked").await;
    bench.town.live();
    bench.check("r", "Okta accounts").await;
    bench.check("1", "arming…").await;
    bench.press("suspend<enter>");
    bench.paste("suspend\n");
    bench.advance(399).await;
    bench.press("suspend<enter>");
    bench.advance(1).await;
    bench.paste("suspend\n");
    bench.check("<enter>", "type `suspend` exactly").await;
    assert_eq!(bench.caller.sent(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_acted_on_a_moment_ago_is_left_out_unless_that_is_insisted_on() {
    let bench = Bench::empty();
    on_event(&bench, &FIVE[..2]).await;
    bench.check("*", "2 marked").await;
    card(&bench).await;
    bench.check("suspend<enter>", "2 of 2 done: 2 accepted").await;
    bench.check("<esc>*", "2 marked").await;
    bench.check("r", "Okta accounts").await;
    bench.check("1", "2 left out for a doubt: A acts").await;
    bench.press("A");
    bench.see("nobody is acted on").await;
    bench.advance(400).await;
    bench.check("A", "2 are acted on (2 insisted on), nobody is left out").await;
    bench.see("arming…").await;
    bench.advance(400).await;
    bench.check("suspend<enter>", "2 of 2 done: 2 accepted").await;
    assert_eq!(bench.caller.sent(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_says_why_and_goes_on_only_when_asked() {
    let bench = Bench::empty();
    let users = forty();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    bench.caller.works_on(&bench.town);
    bench.caller.answers(Some(403));
    let gate = bench.caller.answers_only(1);
    on_event(&bench, &users).await;
    bench.check("*", "40 marked").await;
    card(&bench).await;
    bench.check("suspend<enter>", "answered 403").await;
    gate.add_permits(100);
    bench.see("may be so for everybody").await;
    bench.see("paused").await;
    let before = bench.caller.sent();
    bench.caller.answers(None);
    bench.check("c", "Go on with it").await;
    // Typed ahead: not meant for a question that has only just come up.
    bench.press("y");
    bench.advance(400).await;
    bench.see("Go on with it").await;
    // A key is no answer to what took a word.
    bench.check("y<enter>", "type `suspend` exactly").await;
    bench.check("suspend<enter>", "40 of 40 done").await;
    let (accounts, sent) = acted_on(&bench);
    assert_eq!((accounts.len(), sent), (40, 40), "{before} were sent before the pause, none twice");
    assert!(before < 40, "{before}");
    bench.see("account: done (").await;
    assert_eq!(bench.left_waiting(), 0, "it was left waiting once, and is done by now");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_paused_and_stopped_by_keys() {
    let bench = Bench::empty();
    let users = forty();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    bench.caller.works_on(&bench.town);
    let gate = bench.caller.answers_only(3);
    on_event(&bench, &users).await;
    bench.check("*", "40 marked").await;
    card(&bench).await;
    bench.check("suspend<enter>", "3 of 40 done").await;
    bench.check("p", "it waits as soon as those on their way have landed").await;
    gate.add_permits(100);
    bench.see("paused").await;
    bench.check("S", "Stop it for good").await;
    bench.check("n", "it waits: c goes on, S stops it for good").await;
    bench.check("S", "Stop it for good").await;
    bench.advance(400).await;
    bench.check("y", "nobody more is acted on").await;
    bench.check("c", "this run is stopped").await;
    let sent = bench.caller.sent();
    assert!(sent < 40, "{sent}");
    bench.check("ff", "user: waiting").await;
    bench.see("not acted on: nothing was sent").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_asks_while_a_run_is_driven_and_another_console_goes_on_with_it() {
    let bench = Bench::empty();
    bench.caller.works_on(&bench.town);
    let gate = bench.caller.answers_only(2);
    on_event(&bench, &FIVE).await;
    bench.check("*", "5 marked").await;
    card(&bench).await;
    bench.check("suspend<enter>", "2 of 5 done").await;
    bench.check("<ctrl-c>", "on many is driven by this console").await;
    bench.press("n");
    bench.gone("on many is driven").await;
    gate.add_permits(100);
    bench.wind_down().await;
    let again = bench.again();
    again.watch();
    again.check("B", "suspend the Okta account").await;
    let (_, sent) = acted_on(&again);
    if sent < 5 {
        again.check("<enter>", "paused").await;
        again.check("c", "Go on with it").await;
        again.advance(400).await;
        again.check("suspend<enter>", "5 of 5 done").await;
    }
    let (accounts, sent) = acted_on(&again);
    assert_eq!((accounts.len(), sent), (5, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_console_is_gone_is_called_so_and_taken_up_again() {
    let bench = Bench::empty();
    bench.caller.works_on(&bench.town);
    let mut plans = Vec::new();
    for login in FIVE {
        let ask = Ask {
            action: ActionId(uuid::Uuid::new_v4()),
            flow: "suspend-okta-account".into(),
            login: Login::new(login),
            finding: None,
            event: None,
            account: None,
            inputs: Default::default(),
            undoes: None,
        };
        plans.push(prepare(&bench.desk, ask).await.unwrap());
    }
    // It was queued, and whoever did so crashed.
    let id = BulkId(uuid::Uuid::new_v4());
    let said = ConfirmedBulk { inputs: Default::default(), reason: None, again: Again::No };
    let (run, users) = queued(&bench.desk, id, &plans, said).unwrap();
    bench.store.queue(&run, &users).await.unwrap();
    bench.watch();
    bench.check("B", "interrupted").await;
    bench.check("<enter>", "nobody drives it any more").await;
    bench.check("c", "Go on with it: suspend the Okta account, 5 users who wait?").await;
    bench.advance(400).await;
    bench.check("suspend<enter>", "5 of 5 done: 5 changed").await;
    assert_eq!(acted_on(&bench).1, 5);
    assert!(bench.store.bulk_users(id, Users::Queued, 0, 10).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_written_to_files_that_nobody_else_can_read() {
    let bench = Bench::empty();
    on_event(&bench, &FIVE[..2]).await;
    bench.check("*", "2 marked").await;
    card(&bench).await;
    bench.check("suspend<enter>", "2 of 2 done").await;
    // What is said last stands: the end of the run is said before the file is.
    bench.see("account: done (").await;
    bench.check("e", "2 users are in ").await;
    let csv = bench.exported().pop().unwrap();
    assert!(csv.starts_with("bulk,flow,position,login,") && csv.contains("ben@example.com"), "{csv}");
    bench.check("E", ".jsonl").await;
    let files = bench.exported();
    let json = files.iter().find(|text| text.starts_with('{')).unwrap();
    assert_eq!(json.lines().count(), 3, "the run, and a line each");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_of_a_filter_is_meant_and_more_than_the_limit_are_said() {
    let guard = Guard { bulk_limit: BulkLimit(3), ..Guard::default() };
    let bench = Bench::guarded(guard);
    bench
        .arrive(&[("1", "old-password", "low", &["zed@example.com"]), ("2", "no-mfa", "high", &FIVE[..2])])
        .await;
    bench.see("Title of no-mfa").await;
    bench.advance(1_000).await;
    bench.check("/check:no-mfa<enter>", "/check:no-mfa").await;
    bench.gone("old-password").await;
    bench.advance(1_000).await;
    bench.check(":run-on-filter<enter>", "Remediate 2 users").await;
    bench.check("<esc>", "2 marked").await;
    bench.press("<esc>");
    bench.gone("2 marked").await;
    // Who has a closed finding is left out.
    bench.press("<enter>");
    bench.see("amy@example.com").await;
    bench.check("x", "true positive").await;
    bench.check("hers<enter>", "closed: ").await;
    bench.check("*", "1 marked; 1 closed finding is left out").await;
    bench.press("<esc><esc>");
    bench.see("/check:no-mfa").await;
    bench.check("*", "1 marked").await;
    bench.press("<esc><esc>");
    bench.see("old-password").await;
    bench.arrive(&[("3", "no-mfa", "high", &FIVE[2..])]).await;
    bench.check("g*", "there are more than these, and one run takes 3").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_of_an_address_are_marked_too_and_a_named_operation_means_them() {
    let bench = Bench::empty();
    bench.check(":ip 203.0.113.7<enter>", "fred@example.com").await;
    bench.check("<space>", "1 marked").await;
    bench.check("<esc>*", "2 marked").await;
    card(&bench).await;
    bench.see("2 of 2 users").await;
    bench.check("<esc><esc>", "2 users were seen").await;
    bench.gone("2 marked").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_answered_while_a_run_goes_on_and_its_end_is_said() {
    let bench = Bench::empty();
    bench.caller.works_on(&bench.town);
    let gate = bench.caller.answers_only(0);
    on_event(&bench, &FIVE).await;
    bench.check("*", "5 marked").await;
    card(&bench).await;
    bench.check("suspend<enter>", "driven by this console").await;
    bench.check("<esc><esc>", "row 1 of 1").await;
    bench.check("L", "Feed › journal").await;
    bench.check("<esc>?", "Here: feed").await;
    gate.add_permits(100);
    bench.check("<esc>", "suspend the Okta account: done (5 changed)").await;
    bench.press("q");
    assert_eq!(bench.ended().await, Ended::Quit);
}

/// The same JSON as the command line's, of those who are left out too; nothing is sent, and the card arms anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_many_shows_the_json_and_sends_nothing() {
    let guard = Guard { protected: vec!["dan@example.com".to_owned()], ..Guard::default() };
    let bench = Bench::guarded(guard);
    bench.caller.works_on(&bench.town);
    on_event(&bench, &FIVE).await;
    bench.check("*", "5 marked").await;
    card(&bench).await;
    bench.see("ctrl-r dry run").await;
    bench.check("<ctrl-r>", "Dry run of suspend-okta-account").await;
    bench.see("nothing was sent").await;
    bench.advance(400).await;
    bench.check("E", "the dry run is in ").await;
    bench.check("<esc>", "arming…").await;
    assert_eq!(bench.caller.sent(), 0);
    bench.advance(400).await;
    bench.check("suspend<enter>", "4 changed").await;
    assert_eq!(acted_on(&bench).1, 4);
}
