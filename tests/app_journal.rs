//! The journal's screen as a state machine: messages in, effects out.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "app_support/mod.rs"]
#[expect(dead_code, reason = "each test file uses its part of this")]
mod app;

use app::{Desk, start};
use idtriage::app::journal::{Chain, JournalScreen, JournalSlice};
use idtriage::app::log::LogForm;
use idtriage::app::msg::Motion;
use idtriage::app::{Answer, Effect, Msg, Overlay, RequestId, Screen};
use idtriage::command::keys::Key;
use idtriage::command::{Keymap, press};
use idtriage::domain::action::{ShownRequest, StepOf, Undone};
use idtriage::domain::journal::query::{JournalQuery, Rows};
use idtriage::domain::journal::{Broken, Record, RecordKind, Verdict};
use idtriage::domain::page::{From, Page};
use idtriage::domain::{Action, ActionId, Actor, Evidence, Login, Outcome, Risk};
use rstest::rstest;
use serde_json::json;
use std::collections::BTreeMap;

fn action(n: u128) -> Action {
    Action {
        id: ActionId(uuid::Uuid::from_u128(n)),
        step: None,
        is_test: false,
        undoes: None,
        undone: None,
        before: None,
        flow: "suspend-okta-account".into(),
        verb: "suspend".into(),
        risk: Risk::Medium,
        login: Login::new("ann"),
        target_id: None,
        account_login: None,
        finding: None,
        evidence: Evidence::Acknowledged,
        outcome: Outcome::Accepted,
        request: ShownRequest {
            method: "POST".into(),
            url: "https://a/invoke".into(),
            headers: Vec::new(),
            body: "{}".into(),
        },
        receipt: None,
        reason: None,
        actor: Actor::default(),
        at: start(),
    }
}

/// Records of these places, newest first.
fn records(places: std::ops::RangeInclusive<u64>) -> Vec<Record> {
    let record = |seq| {
        let content = json!({ "action": ActionId(uuid::Uuid::from_u128(u128::from(seq))), "login": "ann" });
        Record { seq, ..Record::after(None, start(), RecordKind::Settled, content.to_string()) }
    };
    places.rev().map(record).collect()
}

fn slice(rows: Vec<Record>, next: Option<i64>) -> Answer {
    let actions = rows.iter().map(|record| action(u128::from(record.seq))).collect();
    Answer::Journal(Ok(Box::new(JournalSlice {
        page: Page { rows, next },
        actions,
        runs: Vec::new(),
        absent: Vec::new(),
    })))
}

fn asked(effects: &[Effect]) -> Option<(RequestId, String, From<i64>)> {
    effects.iter().find_map(|effect| match effect {
        Effect::LoadJournal { request, query, from, .. } => Some((*request, query.to_string(), *from)),
        _ => None,
    })
}

fn screen(desk: &Desk) -> &JournalScreen {
    match desk.state.stack.last() {
        Some(Screen::Journal(screen)) => screen,
        other => panic!("no journal on top: {other:?}"),
    }
}

/// The journal with a first page.
fn shown(places: std::ops::RangeInclusive<u64>, next: Option<i64>) -> Desk {
    let mut desk = Desk::settled(0);
    let (request, query, from) = asked(&desk.send(Msg::JournalAsked)).unwrap();
    assert_eq!((query.as_str(), from), ("", From::Newest));
    desk.send(Msg::Answered(request, slice(records(places), next)));
    desk
}

fn filter(text: &str) -> Msg {
    Msg::JournalFiltered(JournalQuery::parse(text).unwrap())
}

#[test]
fn older_records_are_read_as_the_cursor_nears_the_end() {
    let mut desk = shown(300..=500, Some(300));
    assert_eq!(desk.state.crumbs(), ["Feed", "journal"]);
    let (request, _, from) =
        (300..500).find_map(|_| asked(&desk.send(Msg::CursorMoved(Motion::Down)))).unwrap();
    assert_eq!(from, From::Before(300));
    assert!(asked(&desk.send(Msg::CursorMoved(Motion::Down))).is_none(), "one at a time");
    let at = screen(&desk).selected().unwrap().seq;
    desk.send(Msg::Answered(request, slice(records(200..=299), Some(200))));
    assert_eq!((screen(&desk).records.rows.len(), screen(&desk).selected().unwrap().seq), (301, at));
    let (_, _, from) = asked(&desk.send(Msg::CursorMoved(Motion::End))).unwrap();
    assert_eq!(from, From::Oldest, "to an end that is not held");
}

#[test]
fn a_search_goes_on_by_itself_where_nothing_was_found_yet() {
    let mut desk = shown(1..=9, None);
    let (request, query, _) = asked(&desk.send(filter("paris"))).unwrap();
    assert_eq!(query, "paris");
    let effects = desk.send(Msg::Answered(request, slice(Vec::new(), Some(5_000))));
    let (request, _, from) = asked(&effects).unwrap();
    assert_eq!(from, From::Before(5_000));
    assert!(screen(&desk).is_searching(20));
    assert!(asked(&desk.send(Msg::Answered(request, slice(records(3..=3), None)))).is_none());
    assert_eq!(screen(&desk).records.rows.len(), 1);
}

#[test]
fn a_persons_journal_is_opened_from_them_and_going_back_leads_through_what_was_asked() {
    let mut desk = Desk::settled(0);
    desk.send(Msg::UserNamed(Login::new("Ann@Example.com")));
    let (_, query, _) = asked(&desk.send(Msg::JournalAsked)).unwrap();
    assert_eq!(query, "user:Ann@Example.com");
    let (_, query, _) = asked(&desk.send(filter("kind:triage"))).unwrap();
    assert_eq!(query, "kind:triage");
    let (_, query, _) = asked(&desk.send(Msg::WentBack)).unwrap();
    assert_eq!(query, "user:Ann@Example.com");
    desk.send(Msg::WentBack);
    assert!(matches!(desk.state.stack.last(), Some(Screen::User(_))));
}

#[test]
fn an_answer_that_was_given_up_reaches_no_other_screen() {
    let mut desk = Desk::settled(0);
    let (first, ..) = asked(&desk.send(Msg::JournalAsked)).unwrap();
    desk.send(Msg::UserNamed(Login::new("ann")));
    let effects = desk.send(Msg::JournalAsked);
    assert!(effects.contains(&Effect::Cancel(first)), "{effects:?}");
    desk.send(Msg::Answered(first, slice(records(1..=3), None)));
    assert!(screen(&desk).records.rows.is_empty());
    desk.send(Msg::WentBack);
    assert!(asked(&desk.send(Msg::WentBack)).is_some(), "the one below is read when it is shown again");
}

#[test]
fn what_came_is_shown_above_for_whoever_stands_at_the_top() {
    let mut desk = shown(1..=3, None);
    let (request, _, from) = asked(&desk.send(Msg::StoreChanged(Default::default()))).unwrap();
    assert_eq!(from, From::Newest);
    desk.send(Msg::Answered(request, slice(records(1..=4), None)));
    assert_eq!(screen(&desk).selected().unwrap().seq, 4);
    desk.send(Msg::CursorMoved(Motion::Down));
    let (request, ..) = asked(&desk.send(Msg::StoreChanged(Default::default()))).unwrap();
    desk.send(Msg::Answered(request, slice(records(1..=5), None)));
    assert_eq!(screen(&desk).selected().unwrap().seq, 3, "the cursor stays on its record");
}

#[test]
fn the_keys_of_an_action_work_on_its_records() {
    let mut desk = shown(1..=3, None);
    desk.send(Msg::CursorMoved(Motion::Down));
    assert_eq!(screen(&desk).selected_action().unwrap().id, action(2).id);
    let effects = desk.send(Msg::RefreshAsked);
    let look = effects
        .iter()
        .find(|effect| matches!(effect, Effect::LookAgain { action: id, .. } if *id == action(2).id));
    assert!(look.is_some(), "{effects:?}");
    desk.send(Msg::UndoAsked);
    let said = format!("{:?}", desk.state.notice);
    assert!(
        said.contains("nothing is undone") || matches!(desk.state.overlay, Some(Overlay::Card(_))),
        "{said}"
    );
    desk.state.overlay = None;
    desk.send(Msg::RawAsked);
    let Some(Screen::Raw(raw)) = desk.state.stack.last() else { panic!("no record") };
    assert!(raw.lines.iter().any(|line| line.contains("\"hash\"")), "{:?}", raw.lines);
    desk.send(Msg::WentBack);
    desk.send(Msg::PersonOpened);
    assert!(matches!(desk.state.stack.last(), Some(Screen::User(user)) if user.login == Login::new("ann")));
}

#[test]
fn an_action_leads_to_its_records_and_back_to_its_row() {
    let mut desk = shown(1..=3, None);
    assert_eq!(screen(&desk).query.rows(), Rows::Actions);
    desk.send(Msg::CursorMoved(Motion::Down));
    let (request, query, from) = asked(&desk.send(Msg::Opened)).unwrap();
    assert_eq!((query, from), (format!("action:{}", action(2).id), From::Newest));
    assert_eq!(screen(&desk).query.rows(), Rows::Records);
    assert_eq!(desk.state.crumbs(), ["Feed", "journal", "its records"]);
    let of_it = [7, 2].map(|seq| Record { seq, ..records(2..=2).remove(0) });
    desk.send(Msg::Answered(request, slice(of_it.to_vec(), None)));
    assert_eq!(screen(&desk).records.rows.len(), 2, "every record is a row");
    desk.send(Msg::Opened);
    assert!(matches!(desk.state.stack.last(), Some(Screen::Raw(_))), "a record leads to itself");
    desk.send(Msg::WentBack);
    desk.send(Msg::WentBack);
    assert_eq!(screen(&desk).selected().unwrap().seq, 2);
}

#[test]
fn every_record_is_shown_on_demand_and_exported_in_any_case() {
    let mut desk = shown(1..=3, None);
    let asked_for = |effects: &[Effect]| {
        effects.iter().find_map(|effect| match effect {
            Effect::LoadJournal { query, .. } | Effect::ExportJournal { query, .. } => Some(query.clone()),
            _ => None,
        })
    };
    let exported = desk.send(Msg::JournalExported(LogForm::Csv));
    assert_eq!(asked_for(&exported).unwrap().rows(), Rows::Records);
    let turned = desk.send(Msg::JournalRowsTurned);
    assert_eq!(asked_for(&turned).unwrap().rows(), Rows::Records);
    assert_eq!(asked_for(&desk.send(filter("user:ann"))).unwrap().rows(), Rows::Records, "a filter keeps it");
    let back = desk.send(Msg::WentBack);
    assert_eq!(asked_for(&back), Some(JournalQuery::default().in_rows(Rows::Actions)));
}

#[test]
fn an_action_of_which_more_is_recorded_stays_one_row_under_the_cursor() {
    let mut desk = shown(1..=3, None);
    desk.send(Msg::CursorMoved(Motion::Down));
    desk.send(Msg::CursorMoved(Motion::Down));
    let (request, ..) = asked(&desk.send(Msg::StoreChanged(Default::default()))).unwrap();
    let moved = Record { seq: 4, ..records(1..=1).remove(0) };
    let rows: Vec<Record> = std::iter::once(moved).chain(records(1..=3)).collect();
    desk.send(Msg::Answered(request, slice(rows, None)));
    let places: Vec<u64> = screen(&desk).records.rows.iter().map(|record| record.seq).collect();
    assert_eq!(places, [4, 3, 2], "one row an action");
    assert_eq!(screen(&desk).selected().unwrap().seq, 4, "the cursor goes with its action");
}

#[test]
fn the_chain_is_checked_once_beside_everything_else() {
    let mut desk = shown(1..=3, None);
    let effects = desk.send(Msg::ChainAsked);
    let [Effect::CheckChain { request }] = effects[..] else { panic!("{effects:?}") };
    assert_eq!(screen(&desk).chain, Chain::Checking);
    assert_eq!(desk.send(Msg::ChainAsked), []);
    desk.send(Msg::CursorMoved(Motion::Down));
    let broken = Some(Broken::Content(2));
    let verdict = Verdict { head: None, broken };
    desk.send(Msg::Answered(request, Answer::Chain(Ok(verdict.clone()))));
    assert_eq!(screen(&desk).chain, Chain::Checked(verdict, start()));
    desk.send(filter("user:ann"));
    assert!(matches!(screen(&desk).chain, Chain::Checked(..)), "it is of the journal, not of the filter");
}

#[test]
fn everything_that_is_asked_for_is_exported() {
    let mut desk = shown(1..=3, None);
    desk.send(filter("outcome:unknown"));
    let query = JournalQuery::parse("outcome:unknown").unwrap();
    let expected = [Effect::ExportJournal { form: LogForm::Csv, query }];
    assert_eq!(desk.send(Msg::JournalExported(LogForm::Csv)), expected);
}

#[test]
fn a_step_that_the_store_does_not_have_is_known_to_be_absent() {
    let mut desk = Desk::settled(0);
    let (request, ..) = asked(&desk.send(Msg::JournalAsked)).unwrap();
    let run = ActionId(uuid::Uuid::from_u128(64));
    let first = Action { step: Some(StepOf { run, number: 1, of: 2 }), ..action(1) };
    let sliced = |absent: Vec<ActionId>, actions: Vec<Action>| {
        let page = Page { rows: records(1..=1), next: None };
        Answer::Journal(Ok(Box::new(JournalSlice { page, actions, runs: Vec::new(), absent })))
    };
    desk.send(Msg::Answered(request, sliced(vec![run.step(2)], vec![first.clone()])));
    assert!(screen(&desk).is_absent(run.step(2)) && !screen(&desk).is_absent(run.step(1)));
    let (request, ..) = asked(&desk.send(Msg::StoreChanged(Default::default()))).unwrap();
    let second = Action { id: run.step(2), step: Some(StepOf { run, number: 2, of: 2 }), ..action(2) };
    desk.send(Msg::Answered(request, sliced(Vec::new(), vec![first, second])));
    assert!(!screen(&desk).is_absent(run.step(2)), "it came meanwhile");
}

#[rstest]
#[case::journal("journal")]
#[case::health("health")]
#[case::refresh("refresh")]
fn the_prompt_goes_when_its_command_runs(#[case] name: &str) {
    let mut desk = Desk::settled(3);
    desk.send(Msg::PromptAsked);
    let keymap = Keymap::new(&BTreeMap::new()).unwrap();
    for key in name.chars().map(String::from).chain(["enter".to_owned()]) {
        let msg = press(&desk.state, &keymap, Key::parse(&key).unwrap()).unwrap();
        desk.send(msg);
    }
    assert!(desk.state.overlay.is_none(), "{:?}", desk.state.overlay);
}

#[test]
fn the_footer_of_the_journal_names_what_can_be_done_there() {
    let desk = shown(1..=1, None);
    let keymap = Keymap::new(&BTreeMap::new()).unwrap();
    let footer = |desk: &Desk| idtriage::command::footer(&desk.state, &keymap);
    let has =
        |desk: &Desk, key: &str, label: &str| footer(desk).contains(&(key.to_owned(), label.to_owned()));
    assert!(
        has(&desk, "enter", "records") && has(&desk, "u", "person") && has(&desk, "R", "look again"),
        "{:?}",
        footer(&desk)
    );
    let always =
        [("/", "filter"), ("f", "every record"), ("v", "check"), ("e", "CSV"), ("E", "JSON"), ("J", "whole")];
    assert!(always.iter().all(|(key, label)| has(&desk, key, label)), "{:?}", footer(&desk));
    assert!(!has(&desk, "z", "undo"), "nothing undoes `suspend-okta-account` here: {:?}", footer(&desk));
    let mut desk = Desk::settled(1);
    assert_eq!(press(&desk.state, &keymap, Key::parse("L").unwrap()), Some(Msg::JournalAsked));
    desk.send(Msg::JournalAsked);
    let of_a_record = ["enter", "R", "z"];
    assert!(!footer(&desk).iter().any(|(key, _)| of_a_record.contains(&key.as_str())), "{:?}", footer(&desk));
}

/// Whoever reads further down sees how that stands by now, and stays where they are.
#[test]
fn what_is_on_the_screen_is_told_anew_wherever_that_is() {
    let mut desk = shown(300..=500, None);
    for _ in 0..60 {
        desk.send(Msg::CursorMoved(Motion::Down));
    }
    let (at, offset) = (screen(&desk).selected().unwrap().seq, screen(&desk).cursor.offset);
    assert!(offset > 0);
    let effects = desk.send(Msg::StoreChanged(Default::default()));
    assert!(asked(&effects).is_none(), "nothing above is read");
    let (request, actions) = effects
        .iter()
        .find_map(|effect| match effect {
            Effect::LoadStanding { request, actions, .. } => Some((*request, actions.clone())),
            _ => None,
        })
        .unwrap();
    let id = ActionId(uuid::Uuid::from_u128(u128::from(at)));
    assert!(actions.contains(&id) && actions.len() <= desk.state.size.journal_rows(), "{actions:?}");
    let undone = Undone { by: ActionId(uuid::Uuid::nil()), standing: "changed".to_owned(), at: start() };
    let back = Action { undone: Some(undone), ..action(u128::from(at)) };
    let page = Page { rows: Vec::new(), next: None };
    let slice = JournalSlice { page, actions: vec![back.clone()], runs: Vec::new(), absent: Vec::new() };
    desk.send(Msg::Answered(request, Answer::Journal(Ok(Box::new(slice)))));
    assert_eq!(screen(&desk).selected_action(), Some(&back));
    assert_eq!((screen(&desk).selected().unwrap().seq, screen(&desk).cursor.offset), (at, offset));
    assert_eq!(screen(&desk).records.rows.len(), 201);
    // Where it cannot be read, what is there stays, and is no error.
    let effects = desk.send(Msg::StoreChanged(Default::default()));
    let request = effects.iter().find_map(|effect| match effect {
        Effect::LoadStanding { request, .. } => Some(*request),
        _ => None,
    });
    desk.send(Msg::Answered(request.unwrap(), Answer::Journal(Err("the disk is gone".to_owned()))));
    assert_eq!((screen(&desk).error.as_deref(), screen(&desk).records.rows.len()), (None, 201));
}
