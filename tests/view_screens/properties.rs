//! No size and no text breaks a screen.

use crate::fixtures::*;
use crate::paint::{paint, text};
use idtriage::app::card::Field;
use idtriage::app::journal::JournalSlice;
use idtriage::app::layout::Size;
use idtriage::app::msg::{Answer, Msg};
use idtriage::app::user::Pane;
use idtriage::app::{Effect, Overlay, Screen, State, update};
use idtriage::domain::action::StepOf;
use idtriage::domain::journal::{Record, RecordKind};
use idtriage::domain::look_up::LookUp;
use idtriage::domain::page::Page;
use idtriage::domain::plan::{AccountDoubt, Confirm};
use idtriage::domain::source::Unaccepted;
use idtriage::domain::time::Zone;
use idtriage::domain::{
    Action, ActionId, Event, Evidence, Login, Outcome, Remote, SourceHealth, SourceNote, Wait, WaitCause,
    untrusted,
};
use idtriage::view::{Glyphs, Theme};
use jiff::SignedDuration;
use jiff::tz::{Offset, TimeZone};
use proptest::prelude::*;
use rstest::rstest;

/// A feed of these rows.
fn feed_of(rows: &[Event], columns: u16, height: u16) -> State {
    let mut state = console(columns, height);
    for effect in update::start(&mut state) {
        if let Effect::LoadEvents { request, .. } = effect {
            let page = Page { rows: rows.to_vec(), next: None };
            update(&mut state, Msg::Answered(request, Answer::Events(Ok(page))));
        }
    }
    state
}

fn overlaid(mut state: State, msg: Msg) -> State {
    tell(&mut state, msg);
    state
}

/// A state of every screen and every overlay.
pub(crate) fn all() -> Vec<State> {
    let (columns, rows) = (80, 24);
    vec![
        console(columns, rows),
        started(columns, rows),
        holding(columns, rows),
        feed_of(&hostile_events(), columns, rows),
        on_event(columns, rows),
        on_user(columns, rows, Pane::Places),
        overlaid(on_event(columns, rows), Msg::RawAsked),
        overlaid(started(columns, rows), Msg::JournalAsked),
        overlaid(started(columns, rows), Msg::AddressNamed("203.0.113.7".into())),
        with_flows(columns, rows),
        with_card(columns, rows),
        overlaid(started(columns, rows), Msg::HelpAsked),
        overlaid(started(columns, rows), Msg::PromptAsked),
        overlaid(started(columns, rows), Msg::FilterAsked),
        overlaid(on_event(columns, rows), Msg::CloseAsked),
        overlaid(on_event(columns, rows), Msg::NoteAsked),
        overlaid(on_event(columns, rows), Msg::LinkAsked),
        overlaid(started(columns, rows), Msg::QuitAsked),
        on_health(columns, rows),
        on_log(columns, rows, ""),
        on_log(columns, rows, "eventType eq"),
        overlaid(on_log(columns, rows, "uuid pr and "), Msg::FilterAsked),
        on_look_up(columns, rows, LookUp::User("bob@example.com".into())),
        on_look_up(columns, rows, LookUp::User("nobody".into())),
        on_look_up(columns, rows, LookUp::Group("日本語".into())),
        on_look_up(columns, rows, LookUp::Configuration),
        on_look_up(columns, rows, LookUp::Assignment { app: "0oa1".into(), user: "ann".into() }),
    ]
}

#[test]
fn no_size_breaks_a_screen() {
    let sizes = (1..=12).flat_map(|n| [(n, 60), (200, n), (n, n), (n * 10, n * 4)]);
    let states = all();
    for (columns, rows) in sizes.chain([(60, 16), (99, 20), (100, 24), (160, 50), (200, 60)]) {
        for state in &states {
            let state = State { size: Size { columns, rows }, ..state.clone() };
            paint(&state, &Theme::default());
        }
    }
}

/// Screens of a world that has only ASCII: whatever else there is, is ours.
fn plain() -> impl Iterator<Item = State> {
    let is_plain = |state: &State| {
        let is_other = |screen: &Screen| match screen {
            Screen::Log(log) => !log.rows.is_empty(),
            Screen::LookUp(screen) => matches!(screen.what, LookUp::Group(_)),
            _ => false,
        };
        let mut rows = state.feed.window.rows.iter();
        rows.all(|event| event.check.name().is_ascii()) && !state.stack.iter().any(is_other)
    };
    all().into_iter().filter(is_plain).chain([on_plain_log(80, 24)])
}

#[test]
fn a_frame_in_ascii_is_ascii() {
    let theme = Theme::default().drawn_with(Glyphs::Ascii);
    for (columns, rows) in [(40, 10), (60, 16), (80, 24), (120, 40), (200, 50)] {
        for state in plain() {
            let state = State { size: Size { columns, rows }, ..state };
            let shown = text(&paint(&state, &theme).0);
            assert!(shown.is_ascii(), "{columns}x{rows}\n{shown}");
        }
    }
}

#[test]
fn a_frame_in_ascii_leaves_the_texts_from_outside() {
    let theme = Theme::default().drawn_with(Glyphs::Ascii);
    let mut events = hostile_events();
    events[1].check.title = "a·b–c…│ and\nmore".into();
    let shown = text(&paint(&feed_of(&events, 120, 24), &theme).0);
    assert!(shown.contains("a·b–c…│ and<LF>more"), "{shown}");
    assert!(shown.contains("山田太郎@例え.jp"), "{shown}");
}

#[test]
fn every_time_on_a_local_screen_says_its_offset() {
    let zone = Zone::Local(TimeZone::fixed(Offset::from_seconds(19_800).unwrap()));
    let is_utc = |shown: &str| {
        shown.as_bytes().windows(3).any(|w| w[0] == b':' && w[2] == b'Z')
            || shown.split_whitespace().any(|word| word.ends_with('Z') && word.contains(':'))
    };
    let mut seen = 0;
    for mut state in all() {
        state.size = Size { columns: 160, rows: 50 };
        state.settings.zone = zone.clone();
        let shown = text(&paint(&state, &Theme::default()).0);
        assert!(!is_utc(&shown), "{shown}");
        seen += usize::from(shown.contains("+05:30"));
    }
    assert!(seen >= 5, "only {seen} screens show a time");
}

#[rstest]
#[case(60, "waits until 10:00:12Z")]
#[case(120, "Okta asks to wait until 10:00:12Z (12 s)")]
fn a_look_up_says_who_is_waited_for(#[case] columns: u16, #[case] beside: &str) {
    let first_line = |state: &State| {
        let shown = text(&paint(state, &Theme::default()).0);
        shown.lines().nth(2).unwrap().to_owned()
    };
    let mut state = on_look_up(columns, 24, LookUp::User("bob@example.com".into()));
    assert!(first_line(&state).ends_with("read 10:00:00Z"), "{}", first_line(&state));
    let (until, length) = (ago(0) + SignedDuration::from_secs(12), SignedDuration::from_secs(12));
    state.waits = vec![Wait { remote: Remote::Okta, cause: WaitCause::Asked, until, length }];
    update(&mut state, Msg::RefreshAsked);
    assert!(first_line(&state).ends_with(beside), "{}", first_line(&state));
    assert!(text(&paint(&state, &Theme::default()).0).contains("SUSPENDED"), "what was read stays");
    // Where nothing has come yet there is room for all of it.
    update(&mut state, Msg::LookUpAsked(LookUp::Apps(None)));
    let shown = text(&paint(&state, &Theme::default()).0);
    assert!(shown.contains("Okta asks to wait until 10:00:12Z (12 s)"), "{shown}");
}

#[test]
fn a_frame_of_another_size_than_the_states_is_drawn() {
    for state in all() {
        let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(33, 7)).unwrap();
        let help = crate::paint::help();
        terminal
            .draw(|frame| {
                idtriage::view::render(&state, &help, &Theme::default(), frame);
            })
            .unwrap();
    }
}

#[test]
fn the_question_of_a_card_is_never_clipped() {
    let mut card = with_card(60, 16);
    for (columns, rows) in [(60, 16), (40, 10), (60, 9), (200, 50)] {
        card.size = Size { columns, rows };
        let shown = text(&paint(&card, &Theme::default()).0);
        assert!(shown.contains("say why, then enter"), "{columns}x{rows}\n{shown}");
        assert!(shown.contains("reason") && shown.contains("confirm"), "{columns}x{rows}\n{shown}");
    }
}

/// What a card of suspending somebody cannot know, as `remediation` says it, on the narrowest screen.
#[test]
fn what_decides_is_on_the_first_screen_of_a_card() {
    let mut state = with_card(60, 16);
    let unknown = [
        "when the run ends: it may answer earlier",
        "whether it works, until the account is re-read",
        "whether sessions inside applications end",
    ];
    if let Some(Overlay::Card(card)) = &mut state.overlay
        && let Some(plan) = &mut card.plan
    {
        plan.cannot_know = unknown.map(str::to_owned).to_vec();
    }
    let shown = text(&paint(&state, &Theme::default()).0);
    let words: Vec<&str> =
        shown.split(|c: char| c.is_whitespace() || c == '┃').filter(|w| !w.is_empty()).collect();
    let shown_words = words.join(" ");
    let has =
        ["Suspend the Okta account of ann@example.com", "ACTIVE, as Okta said at 10:00:00Z", "risk medium"];
    let has = has.into_iter().chain(["groups and applications are kept", "cannot know:"]).chain(unknown);
    for wanted in has.chain(["reason", "confirm", "esc leaves"]) {
        assert!(shown_words.contains(wanted), "{wanted}\n{shown}");
    }
}

#[test]
fn a_refusal_is_said_once_and_offers_no_insisting() {
    let mut state = with_card(60, 16);
    if let Some(Overlay::Card(card)) = &mut state.overlay
        && let Some(plan) = &mut card.plan
    {
        plan.refusal =
            Some(idtriage::domain::plan::Refusal::no_change("already so: the account is SUSPENDED"));
        plan.needs_again = Some("the same was done less than ten minutes ago".into());
    }
    let shown = text(&paint(&state, &Theme::default()).0);
    assert_eq!(shown.matches("nothing to do: already so").count(), 1, "{shown}");
    assert!(shown.contains("ten minutes ago") && !shown.contains("insists"), "{shown}");
}

/// Neither a key nor a word nor the subject's own login says that another's account is meant.
#[rstest]
#[case::by_a_key(Confirm::Key)]
#[case::by_a_word(Confirm::Word("suspend".into()))]
#[case::by_a_login(Confirm::Login(Login::new(ANN)))]
fn which_account_is_meant_is_typed_at_every_tier(#[case] confirm: Confirm) {
    let doubted = |repeat: Option<&str>| {
        let mut state = with_card(100, 40);
        if let Some(Overlay::Card(card)) = &mut state.overlay
            && let Some(plan) = &mut card.plan
        {
            let why = "Okta has bob@example.com under this id".to_owned();
            plan.needs_again = Some(repeat.map_or(why.clone(), |repeat| format!("{repeat}; {why}")));
            plan.account_doubt = Some(AccountDoubt { why, login: Some(Login::new("bob@example.com")) });
            plan.target_id = Some("00u2".into());
            plan.confirm = confirm.clone();
            plan.reason_required = false;
            card.field = Field::Confirm;
        }
        state
    };
    let sends = |state: &mut State, typed: &str| {
        type_text(state, typed);
        update(state, Msg::Submitted).iter().any(|effect| match effect {
            Effect::RunPlan { ask, .. } => ask.insists,
            _ => false,
        })
    };
    for (typed, is_meant) in [
        ("y", false),
        ("A", false),
        ("suspend", false),
        (ANN, false),
        ("BOB@example.com", true),
        ("00u2", true),
    ] {
        let mut state = doubted(None);
        tell(&mut state, Msg::Insisted);
        assert_eq!(sends(&mut state, typed), is_meant, "{typed}");
        let shown = text(&paint(&state, &Theme::default()).0);
        assert!(is_meant || shown.contains("type bob@example.com exactly"), "{shown}");
    }
    let mut state = doubted(Some("the same was done less than ten minutes ago"));
    assert!(!sends(&mut state, "bob@example.com"), "that it is a repeat is to be insisted on");
    tell(&mut state, Msg::Insisted);
    stand(&mut state);
    let shown = text(&paint(&state, &Theme::default()).0);
    assert!(shown.contains("type bob@example.com and enter") && !shown.contains("y runs it"), "{shown}");
    assert!(!sends(&mut state, "suspend") && sends(&mut state, "bob@example.com"));
}

#[test]
fn every_size_shows_what_needs_somebody_first() {
    for (columns, rows) in [(60, 16), (80, 24), (120, 40), (200, 50)] {
        let shown = text(&paint(&on_health(columns, rows), &Theme::default()).0);
        let place = |words: &str| shown.find(words).unwrap_or_else(|| panic!("{words}\n{shown}"));
        assert!(place("collect (pid 4711 on jump1)") < place("◆ ispm"), "{shown}");
        assert!(place("◆ ispm") < place("tried again at 10:01:00Z"), "{shown}");
        assert!(place("tried again") < place("▲ okta-log"), "{shown}");
    }
}

#[test]
fn a_report_that_is_old_is_said_to_be() {
    let mut state = on_health(120, 40);
    later(&mut state, 5 * 60 * 1_000);
    let shown = text(&paint(&state, &Theme::default()).0);
    assert!(shown.contains("Sources, as they were said to be 5m ago"), "{shown}");
    assert!(shown.lines().next().unwrap().contains("last word of the sources 5m ago"), "{shown}");
    assert!(!shown.lines().next().unwrap().contains("failed"), "{shown}");
}

#[test]
fn the_header_says_what_failed_and_what_is_silent() {
    let mut state = started(200, 24);
    let first_line =
        |state: &State| text(&paint(state, &Theme::default()).0).lines().next().unwrap().to_owned();
    let said = report(ago(0));
    let only = |states: &[usize]| -> std::sync::Arc<[idtriage::domain::SourceHealth]> {
        states.iter().map(|at| said.sources[*at].clone()).collect()
    };
    tell(&mut state, Msg::SourcesChanged(only(&[0, 3])));
    let line = first_line(&state);
    assert!(
        line.contains("ispm failed: address `127.0.0.1:8790` is taken") && !line.contains("hint"),
        "{line}"
    );
    assert!(line.contains("1 of 2 sources ok, 1003 refused"), "{line}");
    tell(&mut state, Msg::SourcesChanged(only(&[0, 1, 2])));
    let line = first_line(&state);
    assert!(line.contains("okta-hook silent for 3h, longer than expected"), "{line}");
    assert!(line.contains("1 of 3 sources ok"), "{line}");
}

#[test]
fn one_that_refuses_what_comes_is_said_to() {
    let mut state = on_health(100, 24);
    let mut said = report(ago(0)).sources[0].clone();
    let causes = [("wrong or missing secret".to_owned(), 7)].into();
    said.unaccepted = Some(Unaccepted { causes, last: ago(1), ..Unaccepted::new(ago(90)) });
    tell(&mut state, Msg::SourcesChanged([said.clone()].into()));
    let shown = text(&paint(&state, &Theme::default()).0);
    assert!(shown.contains("0 of 1 sources ok") && shown.contains("▲ cii  refusing"), "{shown}");
    assert!(shown.contains("nothing accepted for 1h, but refused: 7 wrong or missing secret"), "{shown}");
    assert!(shown.contains("cii refuses"), "{shown}");
    said.unaccepted = None;
    tell(&mut state, Msg::SourcesChanged([said].into()));
    assert!(text(&paint(&state, &Theme::default()).0).contains("● cii  running"));
}

#[test]
fn a_gap_of_several_sources_is_told_once() {
    let mut state = on_health(80, 24);
    let said = report(ago(0));
    let gap = || vec![SourceNote::gap("nobody received for an hour", ago(1))];
    let with_gap = |name: &str| SourceHealth { name: name.into(), notes: gap(), ..said.sources[0].clone() };
    tell(&mut state, Msg::SourcesChanged([with_gap("one"), with_gap("two")].into()));
    let shown = text(&paint(&state, &Theme::default()).0);
    assert_eq!(shown.matches("· nobody received for an hour").count(), 1, "{shown}");
    assert_eq!(shown.matches("· the same gap as above").count(), 1, "{shown}");
    assert!(shown.lines().next().unwrap().contains("2 sources warn"), "{shown}");
}

/// How old the last event is goes before the causes of a refusal, but not before the refusal.
#[test]
fn a_narrow_header_uses_the_room_that_long_words_leave() {
    let mut state = started(60, 16);
    let mut said = report(ago(0)).sources[0].clone();
    let causes = [("not readable".to_owned(), 1)].into();
    said.unaccepted = Some(Unaccepted { causes, is_known: true, ..Unaccepted::new(ago(1)) });
    said.name = "cii-webhook".into();
    tell(&mut state, Msg::SourcesChanged([said].into()));
    tell(&mut state, Msg::ReceiverChanged(idtriage::app::header::Receiver::ThisConsole));
    let line = text(&paint(&state, &Theme::default()).0).lines().next().unwrap().to_owned();
    assert!(line.contains("cii-webhook refuses") && line.contains("last 2m"), "{line}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_text_reaches_the_terminal_unprintable(texts in proptest::collection::vec(any::<String>(), 4), columns in 1u16..140, rows in 1u16..30) {
        let mut events = hostile_events();
        for (event, text) in events.iter_mut().zip(&texts) {
            event.check.title = text.as_str().into();
            event.first_users = vec![idtriage::domain::Login::new(text)];
            event.user_count = 1;
        }
        let mut state = feed_of(&events, columns, rows);
        state.notice.fail(state.now, texts.concat());
        let (buffer, _) = paint(&state, &Theme::default());
        for cell in buffer.content() {
            prop_assert!(cell.symbol().chars().all(untrusted::is_printable), "{:?}", cell.symbol());
        }
    }

    #[test]
    fn no_text_of_a_source_reaches_the_terminal_unprintable(texts in proptest::collection::vec(any::<String>(), 5), columns in 1u16..140, rows in 1u16..40) {
        let mut state = on_health(columns, rows);
        let mut said = report(ago(0));
        let source = &mut said.sources[0];
        source.state = idtriage::domain::SourceState::failed(texts[0].clone());
        source.notes = vec![idtriage::domain::SourceNote::warning(texts[1].clone(), jiff::Timestamp::UNIX_EPOCH)];
        source.refused = [(texts[2].clone(), 1)].into();
        source.place = texts[3].clone();
        said.receiver = texts[4].clone();
        tell(&mut state, Msg::ReceiverChanged(idtriage::app::header::Receiver::Other(said.receiver.clone())));
        tell(&mut state, Msg::SourcesReported(said.into()));
        let (buffer, _) = paint(&state, &Theme::default());
        for cell in buffer.content() {
            prop_assert!(cell.symbol().chars().all(untrusted::is_printable), "{:?}", cell.symbol());
        }
    }
}

/// A journal that holds one step of two, and a store that has no other.
fn with_a_step(outcome: Outcome, minutes: i64) -> String {
    let mut state = started(120, 40);
    let effects = update(&mut state, Msg::JournalAsked);
    let request = effects.iter().find_map(|effect| match effect {
        Effect::LoadJournal { request, .. } => Some(*request),
        _ => None,
    });
    let run = ActionId(uuid::Uuid::from_u128(64));
    let step = StepOf { run, number: 1, of: 2 };
    let login = Login::new(ANN);
    let first = Action {
        id: run.step(1),
        step: Some(step),
        at: ago(minutes),
        ..action(&login, outcome, Evidence::Sent, None)
    };
    let content = serde_json::json!({ "action": first.id, "login": ANN }).to_string();
    let rows = vec![Record::after(None, first.at, RecordKind::Intended, content)];
    let page = Page { rows, next: None };
    let slice = JournalSlice { page, actions: vec![first], runs: Vec::new(), absent: vec![run.step(2)] };
    update(&mut state, Msg::Answered(request.unwrap(), Answer::Journal(Ok(Box::new(slice)))));
    text(&paint(&state, &Theme::default()).0)
        .split_whitespace()
        .filter(|word| *word != "│")
        .collect::<Vec<_>>()
        .join(" ")
}

/// A step that is not in the journal is called unsent only once it cannot come any more.
#[rstest]
#[case(Outcome::Pending, 30, "it is still to come")]
#[case(Outcome::Changed, 1, "it is not sent yet")]
#[case(Outcome::Changed, 30, "it was not sent")]
fn a_step_says_what_became_of_the_next(#[case] outcome: Outcome, #[case] minutes: i64, #[case] says: &str) {
    let shown = with_a_step(outcome, minutes);
    assert!(shown.contains("1 of 2; step 2 is not in the journal") && shown.contains(says), "{shown}");
}

/// A path that is said after an export can be read whole, and what a card says is not hidden by the card.
#[rstest]
#[case(60, 16)]
#[case(80, 24)]
fn what_just_happened_is_said_whole(#[case] columns: u16, #[case] rows: u16) {
    let path = "/home/kim.of.the.long.name/.local/state/idtriage/exports/bulk-20261127T102339Z.csv";
    let mut state = started(columns, rows);
    tell(&mut state, Msg::Noticed(Ok(format!("1,204 users are in {path}"))));
    let written = text(&paint(&state, &Theme::default()).0);
    let joined: String = written.lines().map(str::trim).collect();
    assert!(joined.contains(path), "{written}");
    for mut state in [with_card(columns, rows), with_flows(columns, rows)] {
        tell(&mut state, Msg::Noticed(Err("the clipboard is gone".to_owned())));
        let written = text(&paint(&state, &Theme::default()).0);
        assert!(written.contains("! the clipboard is gone"), "{written}");
    }
}
