//! What the state machine does with messages, without a runtime or a terminal.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "app_support/mod.rs"]
mod app;

use app::{Desk, event, request_of};
use idtriage::app::flows::{FlowList, Offer};
use idtriage::app::journal::JournalSlice;
use idtriage::app::msg::{Motion, OperationAsk};
use idtriage::app::state::QuitQuestion;
use idtriage::app::user::Pane;
use idtriage::app::{Answer, Effect, Msg, Overlay, RequestId, Screen, pane, triage, update};
use idtriage::domain::action::{Receipt, ShownRequest};
use idtriage::domain::call_probe::{CallProbe, Works};
use idtriage::domain::dossier::{LoadedPart, Part, Problem};
use idtriage::domain::event::EventDetail;
use idtriage::domain::journal::{Record, RecordKind};
use idtriage::domain::operation::{self, Operation};
use idtriage::domain::page::{EventUser, Page};
use idtriage::domain::plan::{Fit, FitTarget, PageOf, WebPage};
use idtriage::domain::{
    Action, ActionId, Actor, Check, EventId, Evidence, Finding, FindingId, FindingState, FlowId, Login,
    Outcome, PartName, Query, Risk, Severity, preset,
};
use jiff::SignedDuration;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;
use url::Url;

fn parts(effects: &[Effect]) -> Vec<(String, PartName)> {
    let part = |effect: &Effect| match effect {
        Effect::LoadPart { login, part, .. } => Some((login.raw().to_owned(), *part)),
        _ => None,
    };
    effects.iter().filter_map(part).collect()
}

fn cancelled(effects: &[Effect]) -> Vec<RequestId> {
    let request = |effect: &Effect| match effect {
        Effect::Cancel(request) => Some(*request),
        _ => None,
    };
    effects.iter().filter_map(request).collect()
}

fn action(login: &str) -> Action {
    Action {
        id: ActionId(uuid::Uuid::from_u128(1)),
        step: None,
        is_test: false,
        undoes: None,
        undone: None,
        before: None,
        flow: "suspend".into(),
        verb: "suspend".into(),
        risk: Risk::Medium,
        login: Login::new(login),
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
        at: app::start(),
    }
}

fn finding(login: &str) -> Finding {
    Finding {
        id: FindingId(1),
        login: Login::new(login),
        check: Check { id: "c".into(), title: "C".into() },
        severity: Severity::High,
        state: FindingState::Open,
        assignee: None,
        disposition: None,
        closed_at: None,
        first_seen: app::start(),
        last_seen: app::start(),
        times: 1,
        version: 1,
    }
}

/// Answers the reading of a row's finding with one of this login.
fn finding_came(desk: &mut Desk, request: RequestId, login: &str) -> Vec<Effect> {
    let user = EventUser { position: 0, login: Login::new(login), finding: Some(finding(login)) };
    let page = Page { rows: vec![user], next: None };
    desk.send(Msg::Answered(request, Answer::EventUsers(Ok(page))))
}

fn only_request(effects: &[Effect]) -> RequestId {
    let requests: Vec<RequestId> = effects.iter().filter_map(request_of).collect();
    assert_eq!(requests.len(), 1, "{effects:?}");
    requests[0]
}

#[rstest]
#[case(Answer::Events(Ok(Page { rows: vec![event(99)], next: None })))]
#[case(Answer::Events(Err("too late".into())))]
#[case(Answer::Fits(Ok(Vec::new())))]
#[case(Answer::Prepared(Err("too late".into())))]
#[case(Answer::Handed(Err("too late".into())))]
fn an_answer_that_nobody_waits_for_changes_nothing(#[case] answer: Answer) {
    let mut desk = Desk::settled(3);
    let before = format!("{:?}", desk.state);
    assert_eq!(desk.send(Msg::Answered(RequestId(7_777), answer)), []);
    assert_eq!(format!("{:?}", desk.state), before);
}

#[test]
fn the_rows_of_a_filter_that_was_replaced_are_dropped() {
    let mut desk = Desk::new(3);
    let first = only_request(&desk.asked.iter().take(1).cloned().collect::<Vec<_>>());
    let effects = desk.send(Msg::Filtered(Query::parse("user:ann").unwrap()));
    assert_eq!(cancelled(&effects), [first]);
    let stale = Page { rows: vec![event(1)], next: None };
    desk.send(Msg::Answered(first, Answer::Events(Ok(stale))));
    assert!(desk.state.feed.window.rows.is_empty());
}

/// What a feed asks the store for, by reading and by counting.
fn asked(effects: &[Effect]) -> Vec<String> {
    let query = |effect: &Effect| match effect {
        Effect::LoadEvents { query, .. } | Effect::CountEvents { query, .. } => Some(query.to_string()),
        _ => None,
    };
    effects.iter().filter_map(query).collect()
}

#[test]
fn records_that_opened_no_finding_are_asked_for_by_name_alone() {
    let mut desk = Desk::new(50);
    assert_eq!(asked(&desk.asked.iter().cloned().collect::<Vec<_>>()), ["quiet:no"]);
    desk.answer_all();
    desk.moved(Motion::Down);
    assert_eq!(asked(&desk.arrive()), ["quiet:no"; 2], "what waits is counted as it is shown");
    desk.answer_all();
    for (filter, expected) in [("severity>=high", "severity>=high quiet:no"), ("kind:log", "kind:log")] {
        let effects = desk.send(Msg::Filtered(Query::parse(filter).unwrap()));
        assert_eq!(asked(&effects), [expected]);
        assert_eq!(desk.state.feed.query.to_string(), filter, "the analyst's own filter is as it was typed");
    }
}

#[test]
fn the_journal_asks_for_the_records_of_the_executions_that_its_receipts_name() {
    let mut desk = Desk::settled(3);
    let request = only_request(&desk.send(Msg::JournalAsked));
    let receipt = Receipt { execution_id: Some("run-1".to_owned()), ..Receipt::default() };
    let action = Action { receipt: Some(receipt), ..action("ann") };
    let content = json!({ "action": action.id, "login": "ann" }).to_string();
    let record = Record::after(None, action.at, RecordKind::Settled, content);
    let page = Page { rows: vec![record], next: None };
    let slice = JournalSlice { page, actions: vec![action.clone()], runs: Vec::new(), absent: Vec::new() };
    let effects = desk.send(Msg::Answered(request, Answer::Journal(Ok(Box::new(slice)))));
    let [Effect::LoadExecutions { request, ids }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(ids, &["run-1"]);
    let found = vec![("run-1".to_owned(), event(2)), ("run-1".to_owned(), event(3))];
    desk.send(Msg::Answered(*request, Answer::Executions(Ok(found))));
    let Some(Screen::Journal(journal)) = desk.state.stack.last() else { panic!("no journal") };
    let beside: Vec<EventId> = journal.beside(&action).map(|event| event.id).collect();
    assert_eq!(beside, [EventId(2), EventId(3)]);
}

#[test]
fn flows_looked_up_for_one_person_are_not_offered_for_another() {
    let mut desk = Desk::settled(3);
    desk.stand();
    let asked = only_request(&desk.send(Msg::RemediateAsked));
    let first = only_request(&finding_came(&mut desk, asked, "ann"));
    desk.send(Msg::WentBack);
    let asked = only_request(&desk.send(Msg::RemediateAsked));
    let effects = finding_came(&mut desk, asked, "bob");
    assert_eq!(cancelled(&effects), [first]);
    desk.send(Msg::Answered(first, Answer::Fits(Ok(Vec::new()))));
    assert!(
        matches!(&desk.state.overlay, Some(Overlay::Flows(list)) if list.offers.iter().all(|offer| offer.target.is_none()))
    );
}

/// The list of flows for Ann, none of which is known to fit yet, and the request that finds it out.
fn offered() -> (Desk, RequestId) {
    let mut desk = Desk::settled(3);
    desk.stand();
    let asked = only_request(&desk.send(Msg::RemediateAsked));
    let fits = only_request(&finding_came(&mut desk, asked, "ann"));
    (desk, fits)
}

fn offers(desk: &Desk) -> &FlowList {
    match &desk.state.overlay {
        Some(Overlay::Flows(list)) => list,
        other => panic!("{other:?}"),
    }
}

#[test]
fn flows_stand_there_at_once_and_do_not_move_when_it_is_known_which_fit() {
    let (mut desk, request) = offered();
    let before = offers(&desk).ids();
    assert_eq!(before.len(), app::flows().len());
    let flows = app::flows();
    let fits = flows.iter().rev().map(|flow| Fit {
        flow: flow.clone(),
        is_suggested: false,
        target: if flow.id == before[0] { Err("no account".to_owned()) } else { Ok(FitTarget::Router(None)) },
    });
    desk.send(Msg::Answered(request, Answer::Fits(Ok(fits.collect()))));
    assert_eq!(offers(&desk).ids(), before);
    assert_eq!(offers(&desk).offers[0].target, Some(Err("no account".to_owned())));
    let effects = desk.send(Msg::FlowChosen(1));
    assert!(matches!(effects.as_slice(), [Effect::PreparePlan { .. }]), "{effects:?}");
}

#[test]
fn a_flow_that_is_chosen_before_it_is_known_to_fit_does_nothing_but_say_so() {
    let (mut desk, _) = offered();
    for msg in [Msg::FlowChosen(1), Msg::Opened] {
        assert_eq!(desk.send(msg), []);
        assert_eq!(offers(&desk).cursor.id, Some(offers(&desk).ids()[1].clone()), "it is selected");
        let said = desk.state.notice.shown(desk.state.now).cloned();
        assert!(said.is_some_and(|said| said.is_err_and(|why| why.contains("still being found out"))));
    }
}

#[test]
fn a_search_for_fits_that_broke_off_leaves_no_row_waiting() {
    let (mut desk, request) = offered();
    desk.send(Msg::Answered(request, Answer::Broke("a part broke off".into())));
    let is_told = |offer: &Offer| matches!(&offer.target, Some(Err(why)) if why.contains("broke off"));
    assert!(offers(&desk).offers.iter().all(is_told));
}

#[test]
fn nothing_pops_up_under_the_fingers_of_who_went_on() {
    let mut desk = Desk::settled(3);
    desk.stand();
    let asked = only_request(&desk.send(Msg::CloseAsked));
    desk.send(Msg::PromptAsked);
    assert_eq!(finding_came(&mut desk, asked, "ann"), []);
    assert!(matches!(desk.state.overlay, Some(Overlay::Prompt(_))));
}

/// Somebody is named whom the tenant does not know; the store has these logins beside theirs.
fn nobody_named(desk: &mut Desk, beside: &[&str]) {
    let login = Login::new("ann.exmaple@example.com");
    let reads: Vec<(RequestId, PartName)> = desk
        .send(Msg::UserNamed(login.clone()))
        .iter()
        .filter_map(|effect| match effect {
            Effect::LoadPart { request, part, .. } => Some((*request, *part)),
            _ => None,
        })
        .collect();
    let mut asked = Vec::new();
    for (request, part) in reads {
        desk.advance(1_000);
        let nobody = Problem { kind: Some("NotFound".into()), ..Problem::whole("no user with this login") };
        let at = desk.state.now;
        let loaded = match part {
            PartName::Cii => LoadedPart::Cii(Box::new(Part::failed(at, nobody))),
            PartName::CiiDetails => LoadedPart::CiiDetails(Box::new(Part::failed(at, nobody))),
            PartName::Okta => LoadedPart::Okta(Box::new(Part::failed(at, nobody))),
            other => LoadedPart::failed(other, at, nobody),
        };
        asked.extend(desk.send(Msg::Answered(request, Answer::Part(login.clone(), loaded))));
    }
    let suggests: Vec<RequestId> = asked
        .iter()
        .filter_map(|effect| match effect {
            Effect::SuggestLogins { request, .. } => Some(*request),
            _ => None,
        })
        .collect();
    assert_eq!(suggests.len(), 1, "{asked:?}");
    let logins = beside.iter().map(|login| Login::new(login)).collect();
    desk.send(Msg::Answered(suggests[0], Answer::Suggested(Ok(logins))));
}

fn overview(desk: &Desk) -> Vec<String> {
    let Some(Screen::User(user)) = desk.state.stack.last() else { panic!("no person is shown") };
    pane::rows(&desk.state, user, Pane::Overview).iter().map(|row| format!("{:?}", row.body)).collect()
}

#[test]
fn that_nobody_has_a_login_is_said_once_with_who_said_it_and_when() {
    let mut desk = Desk::settled(3);
    nobody_named(&mut desk, &[]);
    let said = overview(&desk).concat();
    assert_eq!(said.matches("knows nobody").count(), 1, "{said}");
    assert!(said.contains("Cisco Identity Intelligence") && said.contains("2023-11-14T22:13:21Z"), "{said}");
    assert!(said.contains("no login that is known here begins like it"), "{said}");
}

#[test]
fn who_may_have_been_meant_is_opened_with_the_cursor() {
    let mut desk = Desk::settled(3);
    nobody_named(&mut desk, &["ann.example@example.com", "ann.exter@example.com"]);
    for _ in 0..overview(&desk).len() {
        desk.send(Msg::CursorMoved(Motion::Down));
    }
    desk.send(Msg::Opened);
    let opened = Login::new("ann.exter@example.com");
    assert!(matches!(desk.state.stack.last(), Some(Screen::User(user)) if user.login == opened));
}

#[test]
fn raw_json_asked_for_in_the_feed_opens_as_soon_as_the_event_came() {
    let mut desk = Desk::settled(3);
    desk.stand();
    let request = desk.send(Msg::RawAsked).iter().find_map(|effect| match effect {
        Effect::LoadEvent { request, .. } => Some(*request),
        _ => None,
    });
    let detail = EventDetail {
        event: event(3),
        description: Vec::new(),
        recommended_actions: Vec::new(),
        reference_url: None,
        raw: Some("{}".into()),
    };
    desk.send(Msg::Answered(request.unwrap(), Answer::Event(Ok(Some(Box::new(detail))))));
    assert!(matches!(desk.state.stack.last(), Some(Screen::Raw(_))));
    desk.send(Msg::WentBack);
    assert!(matches!(desk.state.stack.last(), Some(Screen::Event(_))));
}

/// The list of flows for a row, with one that opens a page.
fn page_offered(desk: &mut Desk) -> Url {
    desk.state.settings.flows = vec![preset::flow(preset::DELEGATED).unwrap()].into();
    desk.stand();
    let asked = only_request(&desk.send(Msg::RemediateAsked));
    let fits = only_request(&finding_came(desk, asked, "ann"));
    let url: Url = "https://ispm.example.com/issues/7".parse().unwrap();
    let page = WebPage { url: url.clone(), of: PageOf::Finding };
    let flow = preset::flow(preset::DELEGATED).unwrap();
    let fit = Fit { flow, is_suggested: false, target: Ok(FitTarget::Page(page)) };
    desk.send(Msg::Answered(fits, Answer::Fits(Ok(vec![fit]))));
    url
}

#[test]
fn a_flow_that_opens_a_page_shows_its_link_and_asks_for_no_confirmation() {
    let mut desk = Desk::settled(3);
    let url = page_offered(&mut desk);
    assert_eq!(desk.send(Msg::Opened), []);
    assert!(matches!(&desk.state.overlay, Some(Overlay::Link(card)) if card.url == url && !card.is_known));
}

#[test]
fn a_flow_that_opens_a_page_of_a_known_host_opens_it_on_a_desktop() {
    let mut desk = Desk::settled(3);
    let url = page_offered(&mut desk);
    desk.state.settings.is_desktop = true;
    desk.state.settings.link_hosts = vec!["ispm.example.com".into()];
    assert_eq!(desk.send(Msg::FlowChosen(0)), [Effect::OpenLink(url)]);
    assert!(desk.state.overlay.is_none());
}

fn is_refused(desk: &mut Desk) -> bool {
    let effects = desk.send(Msg::ClaimToggled);
    !effects.iter().any(|effect| matches!(effect, Effect::LoadEventUsers { .. }))
}

#[test]
fn a_row_that_slipped_in_is_acted_on_only_after_it_has_been_seen() {
    let mut desk = Desk::settled(3);
    desk.stand();
    desk.arrive();
    desk.answer_all();
    desk.advance(5_000);
    assert!(is_refused(&mut desk), "no frame has shown it");
    desk.draw();
    desk.advance(399);
    desk.draw();
    assert!(is_refused(&mut desk), "not long enough");
    desk.advance(1);
    assert!(!is_refused(&mut desk));
}

#[rstest]
#[case::another_screen(Msg::UserNamed(Login::new("ann")))]
#[case::an_overlay(Msg::HelpAsked)]
fn frames_that_do_not_show_the_feed_do_not_count(#[case] over: Msg) {
    let mut desk = Desk::settled(3);
    desk.stand();
    desk.send(over);
    desk.arrive();
    desk.answer_all();
    desk.stand();
    desk.send(Msg::WentBack);
    assert!(is_refused(&mut desk), "it is on the screen only with the next frame");
    desk.stand();
    assert!(!is_refused(&mut desk));
}

#[test]
fn an_operation_of_oktas_own_opens_its_card_on_whom_it_names() {
    let mut desk = Desk::settled(3);
    let planned = |effects: &[Effect]| -> Vec<(String, String)> {
        let asks = effects.iter().filter_map(|effect| match effect {
            Effect::PreparePlan { ask, .. } => Some((ask.flow.clone().unwrap().0, ask.login.to_string())),
            _ => None,
        });
        asks.collect()
    };
    let ann = Some(Login::new("ann@example.com"));
    let asked = |operation: Operation, login| {
        let flow = Some(operation.flow_id());
        Msg::OperationAsked(OperationAsk { flow, login, ..OperationAsk::default() })
    };
    assert_eq!(planned(&desk.send(asked(Operation::Suspend, ann.clone()))), []);
    let said = desk.state.notice.shown(desk.state.now).cloned();
    assert!(format!("{said:?}").contains("Okta is not configured"), "{said:?}");
    desk.state.settings.flows = operation::flows().into();
    let named = planned(&desk.send(asked(Operation::Suspend, ann)));
    assert_eq!(named, [("okta-suspend".to_owned(), "ann@example.com".to_owned())]);
    desk.send(Msg::WentBack);
    let under_the_cursor = triage::selected(&desk.state).login.unwrap().to_string();
    let chosen = planned(&desk.send(asked(Operation::ClearSessions, None)));
    assert_eq!(chosen, [("okta-clear-sessions".to_owned(), under_the_cursor)]);
    desk.send(Msg::WentBack);
    desk.state.settings.is_read_only = true;
    assert_eq!(planned(&desk.send(asked(Operation::Suspend, None))), []);
}

fn profile_asked(desk: &mut Desk, flow: FlowId, line: &str) -> Option<(Login, String)> {
    let fields = idtriage::domain::profile::pairs(line).unwrap();
    let asked = OperationAsk { flow: Some(flow), fields, ..OperationAsk::default() };
    let effects = desk.send(Msg::OperationAsked(asked));
    effects.into_iter().find_map(|effect| match effect {
        Effect::PreparePlan { ask, .. } => Some((ask.login, ask.inputs["profile"].clone())),
        _ => None,
    })
}

#[test]
fn fields_are_said_by_their_mapped_names_and_a_new_account_is_of_its_own_login() {
    let mut desk = Desk::settled(3);
    desk.state.settings.flows = operation::flows().into();
    let here = triage::selected(&desk.state).login.unwrap();
    let update = profile_asked(&mut desk, Operation::Update.flow_id(), "surname=Okafor; title:=null");
    assert_eq!(update, Some((here, r#"{"lastName":"Okafor","title":null}"#.to_owned())));
    desk.send(Msg::WentBack);
    let create = profile_asked(&mut desk, Operation::Create.flow_id(), "login=nia@x.example; givenname=Nia");
    let profile = r#"{"firstName":"Nia","login":"nia@x.example"}"#.to_owned();
    assert_eq!(create, Some((Login::new("nia@x.example"), profile)));
    desk.send(Msg::WentBack);
    assert_eq!(profile_asked(&mut desk, Operation::Create.flow_id(), "givenname=Nia"), None);
    let said = desk.state.notice.shown(desk.state.now).cloned();
    assert!(format!("{said:?}").contains("needs a login"), "{said:?}");
}

#[test]
fn who_is_rested_on_is_read_ahead_once_in_five_minutes() {
    let mut desk = Desk::settled(3);
    assert_eq!(parts(&desk.advance(299)), []);
    let read: Vec<PartName> = parts(&desk.advance(1)).into_iter().map(|(_, part)| part).collect();
    let ahead: Vec<PartName> = PartName::ALL.into_iter().filter(|part| part.is_read_ahead()).collect();
    assert_eq!(read, ahead, "what only the open person shows costs nothing before");
    assert_eq!(parts(&desk.advance(1_000)), []);
    desk.moved(Motion::Down);
    desk.moved(Motion::Up);
    assert_eq!(parts(&desk.advance(300)), [], "it was read a moment ago");
}

#[test]
fn what_is_read_ahead_is_cancelled_when_the_cursor_outruns_it() {
    let mut desk = Desk::settled(3);
    let ahead: Vec<RequestId> = desk.advance(300).iter().filter_map(request_of).collect();
    desk.moved(Motion::Down);
    let effects = desk.advance(300);
    assert_eq!(cancelled(&effects), ahead);
    assert_eq!(parts(&effects).len(), 3, "the newest wins");
    // What comes too late is dropped.
    let late = LoadedPart::Cii(Box::new(Part::failed(app::start(), Problem::whole("late"))));
    desk.send(Msg::Answered(ahead[0], Answer::Part(Login::new("user3@example.com"), late)));
    assert!(desk.state.dossiers.get(&Login::new("user3@example.com")).is_none());
}

#[test]
fn a_person_whose_reading_was_cancelled_is_read_when_their_screen_is_back() {
    let mut desk = Desk::settled(3);
    desk.send(Msg::UserNamed(Login::new("ann")));
    desk.send(Msg::AddressNamed("203.0.113.7".into()));
    desk.state.flights.give_up(|_| true);
    assert_eq!(parts(&desk.send(Msg::WentBack)).len(), PartName::ALL.len());
}

#[test]
fn the_window_stays_bounded_far_down_and_back_up() {
    let mut desk = Desk::settled(5_000);
    let mut seen = Vec::new();
    for _ in 0..400 {
        seen.push(desk.under_cursor().0.0);
        desk.moved(Motion::HalfDown);
        assert!(desk.state.feed.window.rows.len() <= 1_000);
    }
    assert_eq!(desk.under_cursor().0, EventId(1));
    assert!(seen.is_sorted_by(|a, b| a >= b), "it only went down");
    for _ in 0..400 {
        desk.moved(Motion::HalfUp);
        assert!(desk.state.feed.window.rows.len() <= 1_000);
    }
    assert_eq!(desk.under_cursor(), (EventId(5_000), 0));
    assert!(desk.state.feed.follows());
}

#[test]
fn row_by_row_no_row_is_left_out_or_shown_twice() {
    let mut desk = Desk::settled(2_500);
    for expected in (1..=2_500).rev() {
        assert_eq!(desk.under_cursor().0, EventId(expected));
        desk.moved(Motion::Down);
    }
    for expected in 1..=2_500 {
        assert_eq!(desk.under_cursor().0, EventId(expected));
        desk.moved(Motion::Up);
    }
}

#[test]
fn a_narrow_filter_is_searched_to_the_end_by_itself_and_only_once() {
    let mut desk = Desk::new(5_000);
    desk.breath = 100;
    desk.matches = |event| event.id.0 == 7;
    assert_eq!(desk.answer_all(), 50, "each piece once");
    assert_eq!(desk.under_cursor().0, EventId(7));
    desk.send(Msg::CursorMoved(Motion::Down));
    assert_eq!(desk.answer_all(), 0, "a key asks for nothing again");
}

#[test]
fn a_search_without_a_hit_is_not_begun_again_by_an_arrival() {
    let mut desk = Desk::new(5_000);
    desk.breath = 100;
    desk.matches = |_| false;
    assert!(desk.state.feed.window.rows.is_empty());
    assert_eq!(desk.answer_all(), 50);
    desk.arrive();
    assert_eq!(desk.answer_all(), 1, "only what is new is looked at");
    desk.matches = |event| event.id.0 > 5_000;
    desk.arrive();
    desk.answer_all();
    assert_eq!(desk.under_cursor().0, EventId(5_002));
}

#[test]
fn a_failed_page_is_said_and_not_asked_for_again_by_itself() {
    let mut desk = Desk::new(500);
    let request = request_of(&desk.asked.pop_front().unwrap()).unwrap();
    assert_eq!(desk.send(Msg::Answered(request, Answer::Events(Err("disk full".into())))), []);
    assert_eq!(desk.state.feed.error.as_deref(), Some("disk full"));
}

/// What may happen to a feed.
#[derive(Debug, Clone)]
enum Happens {
    Move(Motion),
    Arrive,
    Answer,
    Tick(i64),
    /// A row no longer matches.
    Vanish(usize),
}

fn happens() -> impl Strategy<Value = Happens> {
    let motions = [Motion::Down, Motion::Up, Motion::HalfDown, Motion::HalfUp, Motion::End];
    prop_oneof![
        proptest::sample::select(motions.to_vec()).prop_map(Happens::Move),
        Just(Happens::Arrive),
        Just(Happens::Answer),
        (1i64..100_000).prop_map(Happens::Tick),
        (0usize..400).prop_map(Happens::Vanish),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn rows_never_move_under_the_cursor(steps in proptest::collection::vec(happens(), 1..60), newest in 1i64..1_500) {
        let mut desk = Desk::settled(newest);
        for step in steps {
            if desk.state.feed.window.rows.is_empty() {
                break;
            }
            let (before, follows) = (desk.under_cursor(), desk.state.feed.follows());
            match step {
                Happens::Move(motion) => {
                    desk.send(Msg::CursorMoved(motion));
                    continue;
                }
                Happens::Arrive => drop(desk.arrive()),
                Happens::Answer => drop(desk.answer_all()),
                Happens::Tick(millis) => drop(desk.advance(millis)),
                Happens::Vanish(at) if desk.events.get(at).is_some_and(|event| event.id != before.0) => {
                    desk.events.remove(at);
                    desk.send(Msg::StoreChanged(Default::default()));
                }
                Happens::Vanish(_) => {}
            }
            // On the first row the feed follows: there, and only there, another row may come.
            let slipped = desk.state.feed.window.rows.is_empty() || desk.under_cursor().0 != before.0;
            let is_gone = !desk.events.iter().any(|event| event.id == before.0);
            prop_assert!(!slipped || follows || is_gone, "{before:?} became {:?}", desk.under_cursor());
            if !follows && !is_gone && desk.state.feed.cursor.offset > 0 {
                prop_assert_eq!(desk.under_cursor(), before);
            }
            let is_settled = desk.state.feed.is_settled(desk.state.now);
            prop_assert!(!slipped || !is_settled, "a new row is not acted on at once");
        }
    }

    #[test]
    fn the_next_tick_is_always_later_than_now(steps in proptest::collection::vec(happens(), 1..40), rests in any::<bool>()) {
        let mut desk = Desk::settled(300);
        desk.send(if rests { Msg::UserNamed(Login::new("ann")) } else { Msg::JournalAsked });
        for step in steps {
            match step {
                Happens::Move(motion) => drop(desk.send(Msg::CursorMoved(motion))),
                Happens::Arrive => drop(desk.arrive()),
                Happens::Answer => drop(desk.answer_all()),
                Happens::Tick(millis) => drop(desk.advance(millis)),
                Happens::Vanish(_) => drop(desk.send(Msg::WentBack)),
            }
            let next = desk.state.next_tick();
            prop_assert!(next.is_none_or(|next| next > desk.state.now));
        }
    }

    #[test]
    fn ticking_when_told_never_spins(minutes in 0i64..600) {
        let mut desk = Desk::settled(3);
        desk.advance(minutes * 60_000);
        let end = desk.state.now + SignedDuration::from_hours(1);
        let mut ticks = 0;
        while let Some(next) = desk.state.next_tick().filter(|next| *next < end) {
            desk.send(Msg::Ticked(next));
            ticks += 1;
            prop_assert!(ticks <= 70, "about one a minute, not more");
        }
    }
}

#[test]
fn nothing_but_a_key_ends_the_console() {
    let mut desk = Desk::new(3);
    let size = app::SIZE;
    let messages = [
        Msg::Ticked(app::start()),
        Msg::Resized(size),
        Msg::StoreChanged(Default::default()),
        Msg::SourcesChanged(Vec::new().into()),
        Msg::ReceiverChanged(Default::default()),
        Msg::Noticed(Err("something".into())),
        Msg::Pasted("q\ny\n:quit\n".into()),
        Msg::Answered(RequestId(1), Answer::Events(Err("gone".into()))),
    ];
    for open in [None, Some(Overlay::Quit(QuitQuestion { why: "really?".into(), shown_at: None }))] {
        desk.state.overlay = open;
        for msg in messages.clone() {
            let effects = desk.send(msg.clone());
            assert!(!effects.contains(&Effect::Quit), "{msg:?}");
        }
    }
}

fn kept_asked(effects: &[Effect]) -> Vec<RequestId> {
    let request = |effect: &Effect| match effect {
        Effect::LoadKept { request } => Some(*request),
        _ => None,
    };
    effects.iter().filter_map(request).collect()
}

#[test]
fn what_the_store_holds_is_read_when_shown_and_not_with_every_arrival() {
    let mut desk = Desk::settled(3);
    let first = kept_asked(&desk.send(Msg::HealthAsked));
    assert_eq!(first.len(), 1);
    desk.send(Msg::Answered(first[0], Answer::Kept(Ok(Box::default()))));
    for _ in 0..5 {
        assert!(kept_asked(&desk.arrive()).is_empty());
    }
    let due = desk.state.next_tick().unwrap();
    assert_eq!(due, app::start() + SignedDuration::from_secs(5));
    assert!(kept_asked(&desk.advance(4_999)).is_empty());
    let second = kept_asked(&desk.advance(1));
    assert_eq!(second.len(), 1, "what came meanwhile is read");
    assert!(kept_asked(&desk.advance(60_000)).is_empty(), "one at a time");
    desk.send(Msg::Answered(second[0], Answer::Kept(Err("broken".into()))));
    let Some(Screen::Health(screen)) = desk.state.stack.last() else { panic!("no health screen") };
    assert!(screen.kept.is_some() && screen.error.as_deref() == Some("broken"));
    assert_eq!(kept_asked(&desk.send(Msg::RefreshAsked)).len(), 1, "at once");
    assert!(kept_asked(&desk.send(Msg::RefreshAsked)).is_empty(), "it is under way");
    desk.send(Msg::WentBack);
    assert!(kept_asked(&desk.advance(60_000)).is_empty(), "nobody looks");
}

/// What the configuration needs and may not call is said at the start; what nothing needs is not.
#[test]
fn calls_are_tried_at_the_start_and_a_needed_one_that_fails_is_said() {
    let probe = |call, is_needed, works| CallProbe {
        call,
        needs: "okta.logs.read",
        has: "okta.logs.read".to_owned(),
        works,
        hint: Some("a role that may read the System Log".to_owned()),
        is_needed,
    };
    for (is_needed, is_said) in [(true, true), (false, false)] {
        let mut desk = Desk::settled(1);
        desk.state.settings.probes_calls = true;
        let effects = update::start(&mut desk.state);
        let asked = effects.iter().find_map(|effect| match effect {
            Effect::ProbeCalls { request } => Some(*request),
            _ => None,
        });
        let no = Works::No("no role covers it".to_owned());
        let calls =
            vec![probe("GET /api/v1/logs", is_needed, no), probe("GET /api/v1/apps", true, Works::Yes)];
        desk.send(Msg::Answered(asked.unwrap(), Answer::Calls(calls.clone())));
        let said = desk.state.notice.shown(desk.state.now).cloned();
        let needle = "GET /api/v1/logs does not work: no role";
        let is = matches!(&said, Some(Err(text)) if text.contains(needle));
        assert_eq!(is, is_said, "{said:?}");
        assert_eq!(desk.state.calls, Some(calls));
        desk.send(Msg::HealthAsked);
        let again = desk.send(Msg::RefreshAsked);
        assert!(again.iter().any(|effect| matches!(effect, Effect::ProbeCalls { .. })), "{again:?}");
    }
    let mut without = Desk::settled(1);
    assert!(
        !update::start(&mut without.state).iter().any(|effect| matches!(effect, Effect::ProbeCalls { .. }))
    );
}
