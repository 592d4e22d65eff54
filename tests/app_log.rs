//! The System Log's screen as a state machine: messages in, effects out.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "app_support/mod.rs"]
#[expect(dead_code, reason = "each test file uses its part of this")]
mod app;

use app::{Desk, start};
use idtriage::app::log::{LogForm, LogScreen, LogSlice, LogStep, MOST, PAGE, Reach};
use idtriage::app::msg::Motion;
use idtriage::app::prompt::PromptKind;
use idtriage::app::{Answer, Effect, Msg, Overlay, RequestId, Screen};
use idtriage::command::keys::Key;
use idtriage::command::{Context, Keymap, press};
use idtriage::domain::dossier::{LoadedPart, OktaUser, Part};
use idtriage::domain::log::{LogAsk, LogOrder, LogPreset, LogRecord, Moment, Thread};
use idtriage::domain::{Login, PartName};
use jiff::SignedDuration;
use rstest::rstest;
use serde_json::json;
use std::collections::BTreeMap;

fn record(n: usize) -> LogRecord {
    let published = (start() - SignedDuration::from_mins(n as i64)).to_string();
    let raw = json!({
        "uuid": format!("u-{n}"), "published": published, "eventType": "user.session.start",
        "outcome": {"result": "SUCCESS"}, "client": {"ipAddress": "192.0.2.7"},
        "actor": {"type": "User", "alternateId": format!("user{n}@example.com")},
        "authenticationContext": {"externalSessionId": format!("s-{n}")},
        "transaction": {"id": format!("t-{n}"), "detail": {}},
    });
    LogRecord::of(raw.to_string().into())
}

fn slice(numbers: std::ops::Range<usize>, next: Option<&str>) -> LogSlice {
    LogSlice { records: numbers.map(record).collect(), next: next.map(str::to_owned), ..LogSlice::default() }
}

fn asked(effects: &[Effect]) -> Vec<(RequestId, LogStep)> {
    let asked = |effect: &Effect| match effect {
        Effect::LoadLog { request, step } => Some((*request, step.clone())),
        _ => None,
    };
    effects.iter().filter_map(asked).collect()
}

fn first(effects: &[Effect]) -> (RequestId, LogStep) {
    asked(effects).into_iter().next().unwrap_or_else(|| panic!("the log is not asked: {effects:?}"))
}

fn filter(effects: &[Effect]) -> String {
    match first(effects).1 {
        LogStep::First(query) => query.filter.unwrap_or_default(),
        LogStep::Next(next) => panic!("goes on at {next}"),
    }
}

fn screen(desk: &Desk) -> &LogScreen {
    match desk.state.stack.last() {
        Some(Screen::Log(screen)) => screen,
        other => panic!("no log on top: {other:?}"),
    }
}

fn opened(desk: &mut Desk) -> Vec<Effect> {
    desk.send(Msg::LogAsked(Box::default()))
}

/// A log with a first page of so many records.
fn shown(records: usize, next: Option<&str>) -> Desk {
    let mut desk = Desk::settled(0);
    let (request, _) = first(&opened(&mut desk));
    desk.send(Msg::Answered(request, Answer::Log(Ok(slice(0..records, next)))));
    desk
}

#[test]
fn a_question_is_asked_for_a_page_and_shown() {
    let mut desk = Desk::settled(0);
    let effects = opened(&mut desk);
    let (request, LogStep::First(query)) = first(&effects) else { panic!("{effects:?}") };
    assert_eq!((query.page, query.order, query.until), (PAGE, LogOrder::Descending, start()));
    assert!(screen(&desk).is_reading() && !screen(&desk).is_loaded);
    desk.send(Msg::Answered(request, Answer::Log(Ok(slice(0..3, None)))));
    assert_eq!((screen(&desk).rows.len(), screen(&desk).is_reading()), (3, false));
    assert_eq!(desk.state.crumbs(), ["Feed", "System Log"]);
}

#[test]
fn the_next_page_is_asked_as_the_cursor_nears_the_end_and_only_once() {
    let mut desk = shown(PAGE, Some("https://x/next"));
    assert!(
        desk.asked.iter().all(|effect| !matches!(effect, Effect::LoadLog { step: LogStep::Next(_), .. }))
    );
    let effects = desk.send(Msg::CursorMoved(Motion::End));
    let (request, step) = first(&effects);
    assert_eq!(step, LogStep::Next("https://x/next".to_owned()));
    assert!(asked(&desk.send(Msg::CursorMoved(Motion::Up))).is_empty(), "one at a time");
    // Pages may overlap: a record is shown once.
    desk.send(Msg::Answered(request, Answer::Log(Ok(slice(PAGE - 5..PAGE + 5, None)))));
    assert_eq!(screen(&desk).rows.len(), PAGE + 5);
    assert_eq!(screen(&desk).selected().unwrap().uuid.raw(), format!("u-{}", PAGE - 2), "the cursor stays");
    assert!(asked(&desk.send(Msg::CursorMoved(Motion::End))).is_empty(), "there is no more");
}

#[test]
fn pages_that_repeat_themselves_are_not_asked_for_ever() {
    let mut desk = shown(3, Some("https://x/next"));
    let waiting = desk.asked.iter().rev().find_map(|effect| match effect {
        Effect::LoadLog { request, step: LogStep::Next(_) } => Some(*request),
        _ => None,
    });
    let page = Answer::Log(Ok(slice(0..3, Some("https://x/next"))));
    assert!(desk.send(Msg::Answered(waiting.unwrap(), page)).is_empty());
    assert_eq!((screen(&desk).rows.len(), screen(&desk).is_reading()), (3, false));
    assert!(screen(&desk).error.as_ref().unwrap().contains("there may be more"));
    let written = desk.send(Msg::LogExported(LogForm::Csv));
    assert!(matches!(written.as_slice(), [Effect::ExportLog { has_more: true, .. }]), "{written:?}");
}

#[test]
fn a_log_goes_on_for_ever_and_what_is_held_does_not() {
    let mut desk = shown(MOST, Some("https://x/next"));
    for page in 0..3 {
        let more = asked(&desk.send(Msg::CursorMoved(Motion::End)));
        let [(request, LogStep::Next(_))] = more.as_slice() else { panic!("{page}: {more:?}") };
        let selected = screen(&desk).selected().unwrap().uuid.clone();
        let from = MOST + page * PAGE;
        desk.send(Msg::Answered(*request, Answer::Log(Ok(slice(from..from + PAGE, Some("https://x/next"))))));
        let held = screen(&desk);
        assert_eq!((held.rows.len(), held.gone), (MOST, (page + 1) * PAGE));
        assert_eq!(held.selected().unwrap().uuid, selected, "the cursor stays on its record");
    }
    desk.send(Msg::CursorMoved(Motion::Top));
    assert_eq!(screen(&desk).selected().unwrap().uuid.raw(), format!("u-{}", 3 * PAGE));
    let written = desk.send(Msg::LogExported(LogForm::Csv));
    assert!(matches!(written.as_slice(), [Effect::ExportLog { has_more: true, .. }]));
}

#[test]
fn an_answer_to_an_older_question_is_dropped() {
    let mut desk = Desk::settled(0);
    let (old, _) = first(&opened(&mut desk));
    let effects = desk.send(Msg::LogFiltered("uuid pr".to_owned()));
    assert!(effects.contains(&Effect::Cancel(old)));
    let (new, _) = first(&effects);
    desk.send(Msg::Answered(old, Answer::Log(Ok(slice(0..9, None)))));
    assert!(screen(&desk).rows.is_empty() && screen(&desk).is_reading());
    desk.send(Msg::Answered(new, Answer::Log(Ok(slice(0..2, None)))));
    assert_eq!(screen(&desk).rows.len(), 2);
    // The screen is gone: nothing opens again.
    let (late, _) = first(&desk.send(Msg::LogTurned));
    desk.send(Msg::WentBack);
    assert!(desk.send(Msg::Answered(late, Answer::Log(Ok(slice(0..2, None))))).is_empty());
    assert!(desk.state.stack.is_empty());
}

#[test]
fn an_error_stands_on_the_screen_and_is_not_asked_again_by_itself() {
    let mut desk = shown(PAGE, Some("https://x/next"));
    let (request, _) = first(&desk.send(Msg::CursorMoved(Motion::End)));
    let why = "E0000047: throttled\nhint: wait, then ask again".to_owned();
    assert!(desk.send(Msg::Answered(request, Answer::Log(Err(why.clone())))).is_empty());
    assert_eq!((screen(&desk).error.as_ref(), screen(&desk).rows.len()), (Some(&why), PAGE));
    assert!(asked(&desk.send(Msg::CursorMoved(Motion::Up))).is_empty());
    // Refreshing asks for the page that failed, not for everything.
    let (request, step) = first(&desk.send(Msg::RefreshAsked));
    assert_eq!(step, LogStep::Next("https://x/next".to_owned()));
    desk.send(Msg::Answered(request, Answer::Broke("it broke off".to_owned())));
    assert_eq!(screen(&desk).error.as_deref(), Some("it broke off"));
}

#[test]
fn a_bad_filter_is_told_in_oktas_words_and_asked_once() {
    let mut desk = Desk::settled(0);
    opened(&mut desk);
    let (request, _) = first(&desk.send(Msg::LogFiltered("eventType eq".to_owned())));
    let why = "E0000053: Invalid filter at 12.".to_owned();
    assert!(desk.send(Msg::Answered(request, Answer::Log(Err(why.clone())))).is_empty());
    assert_eq!(
        (screen(&desk).error.as_ref(), screen(&desk).ask.filter.as_str()),
        (Some(&why), "eventType eq")
    );
}

#[test]
fn order_and_span_are_changed_where_they_stand() {
    let mut desk = shown(3, None);
    let effects = desk.send(Msg::LogTurned);
    let LogStep::First(query) = first(&effects).1 else { panic!("{effects:?}") };
    assert_eq!(query.order, LogOrder::Ascending);
    let since = |effects: &[Effect]| match first(effects).1 {
        LogStep::First(query) => start().duration_since(query.since).as_hours(),
        LogStep::Next(next) => panic!("goes on at {next}"),
    };
    assert_eq!(since(&desk.send(Msg::LogReached(Reach::Further))), 7 * 24);
    assert_eq!(since(&desk.send(Msg::LogReached(Reach::Nearer))), 24);
    assert_eq!(since(&desk.send(Msg::LogSinceGiven(Moment::hours_ago(5)))), 5);
    for _ in 0..9 {
        desk.send(Msg::LogReached(Reach::Nearer));
    }
    assert_eq!(screen(&desk).ask.since, Moment::hours_ago(1));
    let effects = desk.send(Msg::LogUntilGiven(Moment::hours_ago(2)));
    assert!(asked(&effects).is_empty(), "nothing lies in between");
    assert!(screen(&desk).error.as_deref().unwrap().starts_with("nothing lies between"));
    assert_eq!(desk.state.stack.len(), 1, "one screen all the time");
}

#[rstest]
#[case(Thread::Session, r#"authenticationContext.externalSessionId eq "s-0""#)]
#[case(Thread::Transaction, r#"transaction.id eq "t-0""#)]
fn a_thread_is_followed_on_a_screen_of_its_own(#[case] thread: Thread, #[case] expected: &str) {
    let mut desk = shown(3, None);
    let effects = desk.send(Msg::LogThreadFollowed(thread));
    assert_eq!(filter(&effects), expected);
    let day = SignedDuration::from_hours(24);
    assert_eq!((screen(&desk).ask.since, screen(&desk).ask.until), (Moment::At(start() - day), Moment::Now));
    assert_eq!(desk.state.crumbs(), ["Feed", "System Log", thread.title()]);
    desk.send(Msg::WentBack);
    assert_eq!(screen(&desk).rows.len(), 3, "the question before is still there");
}

#[test]
fn what_a_record_does_not_name_is_said() {
    let mut desk = shown(3, None);
    assert!(desk.send(Msg::LogThreadFollowed(Thread::RootSession)).is_empty());
    let said = desk.state.notice.shown(desk.state.now).unwrap().clone();
    assert_eq!(said, Err("this record names no root session".to_owned()));
    assert!(desk.send(Msg::LogPresetChosen(LogPreset::OneToken)).is_empty());
    let said = desk.state.notice.shown(desk.state.now).unwrap().clone();
    assert!(said.unwrap_err().contains("`:logs token=00T…`"));
}

#[test]
fn a_preset_takes_the_place_of_the_question_and_keeps_the_order() {
    let mut desk = shown(3, None);
    desk.send(Msg::LogTurned);
    let asked = filter(&desk.send(Msg::LogPresetChosen(LogPreset::FailedSignIns)));
    assert!(asked.contains("\"FAILURE\"") && asked.contains("\"DENY\""), "{asked}");
    assert_eq!((screen(&desk).ask.order, desk.state.stack.len()), (LogOrder::Ascending, 1));
}

#[test]
fn pivots_lead_to_the_person_the_actor_and_the_address() {
    let mut desk = shown(3, None);
    desk.send(Msg::PersonOpened);
    assert_eq!(desk.state.crumbs().last().unwrap(), "user0@example.com");
    desk.send(Msg::WentBack);
    desk.send(Msg::ActorOpened);
    assert_eq!(desk.state.crumbs().last().unwrap(), "user0@example.com");
    desk.send(Msg::WentBack);
    desk.send(Msg::AddressOpened);
    assert_eq!(desk.state.crumbs().last().unwrap(), "IP 192.0.2.7");
    desk.send(Msg::WentBack);
    desk.send(Msg::Opened);
    assert!(
        matches!(desk.state.stack.last(), Some(Screen::Raw(raw)) if raw.lines[1].contains("192.0.2.7") || raw.lines.len() > 3)
    );
}

#[test]
fn user_360_leads_to_what_the_person_did() {
    let mut desk = Desk::settled(0);
    desk.send(Msg::UserNamed(Login::new("ann@example.com")));
    let asked = filter(&desk.send(Msg::LogOfPersonAsked));
    assert_eq!(asked, r#"actor.alternateId eq "ann@example.com" or target.alternateId eq "ann@example.com""#);
    desk.send(Msg::WentBack);
    // The id is of one account for ever.
    let load = |effect: &&Effect| matches!(effect, Effect::LoadPart { part: PartName::Okta, .. });
    let effect = desk.asked.iter().find(load).cloned();
    let Some(Effect::LoadPart { request, login, .. }) = effect else { panic!("Okta is not asked") };
    let user = OktaUser { id: "00u1".into(), ..OktaUser::default() };
    let part = LoadedPart::Okta(Box::new(Part::whole(start(), user)));
    desk.send(Msg::Answered(request, Answer::Part(login, part)));
    let asked = filter(&desk.send(Msg::LogOfPersonAsked));
    assert_eq!(asked, r#"actor.id eq "00u1" or target.id eq "00u1""#);
}

#[test]
fn what_is_held_is_written_and_what_is_not_is_said() {
    let mut desk = shown(PAGE, Some("https://x/next"));
    let effects = desk.send(Msg::LogExported(LogForm::Csv));
    let [Effect::ExportLog { form, records, has_more }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((*form, records.len(), *has_more), (LogForm::Csv, PAGE, true));
    let mut desk = Desk::settled(0);
    opened(&mut desk);
    assert!(desk.send(Msg::LogExported(LogForm::JsonLines)).is_empty());
}

#[test]
fn a_filter_is_typed_with_completion_and_asked() {
    let mut desk = shown(1, None);
    let keymap = Keymap::new(&BTreeMap::new()).unwrap();
    let mut effects = Vec::new();
    let key = |desk: &mut Desk, key: &str| {
        let msg = press(&desk.state, &keymap, Key::parse(key).unwrap());
        msg.map(|msg| desk.send(msg)).unwrap_or_default()
    };
    assert_eq!(Context::of(&desk.state), Context::Log);
    for pressed in ["/", "o", "u", "t", "tab", "tab", "\"", "D", "E", "N", "tab", "enter"] {
        effects = key(&mut desk, pressed);
        let is_typing = matches!(&desk.state.overlay, Some(Overlay::Prompt(p)) if p.kind == PromptKind::Log);
        assert_eq!(is_typing, pressed != "enter", "{pressed}");
    }
    assert_eq!(filter(&effects), r#"outcome.result eq "DENY""#);
}

#[test]
fn a_completion_leaves_what_stands_behind_the_cursor() {
    let mut desk = shown(1, None);
    desk.send(Msg::LogFiltered("out and uuid pr".to_owned()));
    desk.send(Msg::FilterAsked);
    for _ in 0..13 {
        desk.send(Msg::Edited(tui_input::InputRequest::GoToPrevChar));
    }
    desk.send(Msg::LogCompleted);
    let Some(Overlay::Prompt(prompt)) = &desk.state.overlay else { panic!("no prompt") };
    assert_eq!((prompt.input.value(), prompt.input.cursor()), ("outcome.result and uuid pr ", 15));
}

#[rstest]
#[case("logs", "", "")]
#[case("logs", "eventType pr", "eventType pr")]
#[case("logs", "token=00T1", r#"transaction.detail.requestApiTokenId eq "00T1""#)]
fn the_prompt_takes_a_preset_or_a_filter(#[case] name: &str, #[case] argument: &str, #[case] expected: &str) {
    let msg = idtriage::command::palette::meant_as(name, argument).unwrap();
    let Msg::LogAsked(ask) = msg else { panic!("{msg:?}") };
    assert_eq!(ask.filter, expected);
    assert_eq!(LogAsk::default().order, ask.order);
}

#[test]
fn the_prompt_says_what_is_missing() {
    let meant = |name: &str, argument: &str| idtriage::command::palette::meant_as(name, argument);
    assert!(meant("logs", "token").unwrap_err().contains("wants the token's id"));
    assert!(meant("since", "tomorrow").unwrap_err().contains("is not a time"));
    assert_eq!(meant("until", "now"), Ok(Msg::LogUntilGiven(Moment::Now)));
}
