//! What the screens look like. Few, and each was read before it was accepted.

use crate::fixtures::*;
use crate::paint::written;
use idtriage::app::layout::Size;
use idtriage::app::msg::{Answer, Motion, Msg};
use idtriage::app::state::Screen;
use idtriage::app::user::Pane;
use idtriage::app::{Effect, State, update};
use idtriage::domain::ActionId;
use idtriage::domain::action::Undone;
use idtriage::domain::journal::query::JournalQuery;
use idtriage::domain::look_up::LookUp;
use idtriage::domain::page::Page;
use idtriage::view::{Glyphs, Theme};
use rstest::rstest;

fn look(name: &str, state: &State) {
    look_in(name, state, &Theme::default());
}

fn look_in(name: &str, state: &State, theme: &Theme) {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name.to_owned(), written(state, theme));
    });
}

#[rstest]
#[case(60, 16)]
#[case(80, 24)]
#[case(120, 40)]
#[case(200, 50)]
fn feed(#[case] columns: u16, #[case] rows: u16) {
    look(&format!("feed_{columns}x{rows}"), &holding(columns, rows));
}

#[test]
fn feed_without_colour() {
    look_in("feed_mono", &holding(80, 24), &Theme::default().without_colour());
}

/// Where a terminal has only ASCII.
fn ascii() -> Theme {
    Theme::default().drawn_with(Glyphs::Ascii)
}

#[test]
fn feed_in_ascii() {
    look_in("feed_ascii", &holding(80, 24), &ascii());
}

#[test]
fn card_in_ascii() {
    look_in("card_ascii", &with_card(80, 24), &ascii());
}

#[test]
fn feed_of_hostile_text() {
    let mut state = console(80, 12);
    for effect in update::start(&mut state) {
        if let Effect::LoadEvents { request, .. } = effect {
            let page = Page { rows: hostile_events(), next: None };
            update(&mut state, Msg::Answered(request, Answer::Events(Ok(page))));
        }
    }
    look("feed_hostile", &state);
}

#[test]
fn event() {
    look("event_80x24", &on_event(80, 24));
}

#[rstest]
#[case(80, 24)]
#[case(120, 40)]
fn user(#[case] columns: u16, #[case] rows: u16) {
    look(&format!("user_{columns}x{rows}"), &on_user(columns, rows, Pane::Places));
}

#[rstest]
#[case(60, 16)]
#[case(80, 24)]
#[case(120, 40)]
fn health(#[case] columns: u16, #[case] rows: u16) {
    look(&format!("health_{columns}x{rows}"), &on_health(columns, rows));
}

#[test]
fn health_without_colour() {
    look_in("health_mono", &on_health(80, 24), &Theme::default().without_colour());
}

const DENIED: &str = "outcome.result eq \"DENY\" or outcome.result eq \"FAILURE\" or actor.id eq \"00u1\"";

#[rstest]
#[case(60, 16)]
#[case(80, 24)]
#[case(120, 40)]
fn log(#[case] columns: u16, #[case] rows: u16) {
    look(&format!("log_{columns}x{rows}"), &on_log(columns, rows, DENIED));
}

#[test]
fn log_without_colour() {
    look_in("log_mono", &on_log(80, 24, DENIED), &Theme::default().without_colour());
}

#[test]
fn log_refused() {
    look("log_refused", &on_log(80, 24, "eventType eq"));
}

#[test]
fn log_filter() {
    let mut state = on_log(80, 24, "");
    tell(&mut state, Msg::FilterAsked);
    type_text(&mut state, "eventType eq \"deny");
    look("log_filter", &state);
}

fn sales() -> LookUp {
    LookUp::Group("Sales EMEA".into())
}

#[rstest]
#[case(60, 16)]
#[case(80, 24)]
#[case(120, 40)]
fn look_up(#[case] columns: u16, #[case] rows: u16) {
    look(&format!("look_up_{columns}x{rows}"), &on_look_up(columns, rows, sales()));
}

#[test]
fn look_up_without_colour() {
    look_in("look_up_mono", &on_look_up(80, 24, sales()), &Theme::default().without_colour());
}

#[test]
fn look_up_of_a_user() {
    look("look_up_user", &on_look_up(60, 16, LookUp::User("bob@example.com".into())));
}

#[test]
fn look_up_of_the_iam_configuration() {
    look("look_up_filter", &on_look_up(80, 24, LookUp::Configuration));
}

#[test]
fn look_up_of_a_change_that_is_not_kept_yet() {
    let said = r#"[{"ApplicationID":"0oa1","Name":"Sales"},{"ApplicationID":"0oa2","Name":"Expenses"}]"#;
    let said = idtriage::domain::iam_configuration::entries(said).unwrap();
    look("look_up_change", &on_look_up(60, 16, LookUp::ConfigurationChange(said)));
}

#[test]
fn look_up_refused() {
    look("look_up_refused", &on_look_up(80, 24, LookUp::User("nobody".into())));
}

/// What was undone does not read as what stands, in the journal and beside the person.
#[test]
fn undone() {
    let by = Undone { by: ActionId(uuid::Uuid::from_u128(0xab)), standing: "changed".to_owned(), at: ago(2) };
    let mut state = started(80, 24);
    tell(&mut state, Msg::JournalAsked);
    let Some(Screen::Journal(screen)) = state.stack.last_mut() else { panic!("no journal") };
    screen.actions.get_mut(&ActionId(uuid::Uuid::from_u128(1))).unwrap().undone = Some(by.clone());
    look("journal_undone_80x24", &state);
    let mut state = on_user(80, 24, Pane::History);
    let Some(Screen::User(screen)) = state.stack.last_mut() else { panic!("nobody") };
    screen.actions[0].undone = Some(by);
    look("history_undone_80x24", &state);
}

#[test]
fn journal() {
    let mut state = started(60, 16);
    tell(&mut state, Msg::JournalAsked);
    look("journal_60x16", &state);
    state.size = Size { columns: 120, rows: 40 };
    for _ in 0..6 {
        tell(&mut state, Msg::CursorMoved(Motion::Down));
    }
    tell(&mut state, Msg::ChainAsked);
    look("journal_broken_120x40", &state);
    let query = JournalQuery::parse("user:ann* -kind:triage since:7d").unwrap();
    let mut state = started(80, 24);
    tell(&mut state, Msg::JournalAsked);
    tell(&mut state, Msg::JournalFiltered(query));
    look("journal_filtered_80x24", &state);
    tell(&mut state, Msg::Opened);
    look("journal_records_80x24", &state);
}

#[test]
fn flows() {
    look("flows_80x24", &with_flows(80, 24));
    let mut state = with_flows(60, 16);
    tell(&mut state, Msg::FilterAsked);
    type_text(&mut state, "entra group");
    look("flows_found_60x16", &state);
}

#[test]
fn card() {
    let mut state = with_card(60, 16);
    type_text(&mut state, "confirmed by phone: not hers");
    tell(&mut state, Msg::Submitted);
    stand(&mut state);
    type_text(&mut state, "susp");
    look("card_60x16", &state);
    state.size = Size { columns: 80, rows: 24 };
    for _ in 0..4 {
        tell(&mut state, Msg::CursorMoved(Motion::Down));
    }
    look("card_80x24", &state);
}

/// Prints screens, for looking at them: `IDTRIAGE_LOOK=event,120,40 cargo test … -- --nocapture look`.
#[test]
fn look_at() {
    let Ok(what) = std::env::var("IDTRIAGE_LOOK") else { return };
    for what in what.split(' ') {
        let parts: Vec<&str> = what.split(',').collect();
        let [name, columns, rows] = parts[..] else { panic!("name,columns,rows") };
        let (columns, rows) = (columns.parse().unwrap(), rows.parse().unwrap());
        let mut state = match name {
            "feed" => holding(columns, rows),
            "following" => started(columns, rows),
            "empty" => console(columns, rows),
            "event" | "raw" | "close" | "note" | "link" => on_event(columns, rows),
            "user" => on_user(columns, rows, Pane::Overview),
            "flows" => with_flows(columns, rows),
            "health" => on_health(columns, rows),
            "help" | "prompt" | "filter" | "journal" | "address" | "quit" => started(columns, rows),
            _ => with_card(columns, rows),
        };
        let msg = match name {
            "raw" => Msg::RawAsked,
            "close" => Msg::CloseAsked,
            "note" => Msg::NoteAsked,
            "link" => Msg::LinkAsked,
            "help" => Msg::HelpAsked,
            "prompt" => Msg::PromptAsked,
            "filter" => Msg::FilterAsked,
            "journal" => Msg::JournalAsked,
            "address" => Msg::AddressNamed("203.0.113.7".into()),
            "quit" => Msg::QuitAsked,
            "empty" => Msg::Filtered(idtriage::domain::Query::parse("severity>=critical user:ann").unwrap()),
            _ => Msg::RedrawAsked,
        };
        tell(&mut state, msg);
        if name == "link" {
            tell(&mut state, Msg::ChoiceMoved(Motion::Down));
        }
        println!("=== {what}\n{}", crate::paint::text(&crate::paint::paint(&state, &Theme::default()).0));
    }
}
