//! Bytes that reach the terminal, counted: over SSH they are time.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "app_support/mod.rs"]
#[expect(dead_code, reason = "shared with the tests of the state machine, which use all of it")]
mod app;

use app::{Desk, SIZE};
use idtriage::app::Msg;
use idtriage::app::header::Receiver;
use idtriage::app::msg::Motion;
use idtriage::command::Keymap;
use idtriage::domain::{Login, Remote, SourceHealth, SourceState, SourcesReport, Wait, WaitCause};
use idtriage::runtime::terminal::frame::FrameBackend;
use idtriage::runtime::texts;
use idtriage::view::{Theme, render};
use jiff::SignedDuration;
use ratatui::Terminal;

/// A console on a screen of 120x40 whose bytes are kept.
struct Screen {
    desk: Desk,
    terminal: Terminal<FrameBackend<Vec<u8>>>,
    keymap: Keymap,
    theme: Theme,
}

impl Screen {
    fn new(events: i64) -> Screen {
        let backend = FrameBackend::fixed(Vec::new(), SIZE.columns, SIZE.rows);
        let keymap = Keymap::new(&Default::default()).unwrap();
        let terminal = Terminal::new(backend).unwrap();
        let (theme, warnings) = Theme::load("ansi", None);
        assert!(warnings.is_empty(), "{warnings:?}");
        Screen { desk: Desk::settled(events), terminal, keymap, theme }
    }

    /// A screen whose first frame is drawn already.
    fn drawn(events: i64) -> Screen {
        let mut screen = Screen::new(events);
        screen.draw();
        screen
    }

    /// How many bytes a frame sends.
    fn draw(&mut self) -> usize {
        let before = self.terminal.backend().writer().len();
        let texts = texts::of(&self.desk.state, &self.keymap);
        self.terminal
            .draw(|frame| {
                render(&self.desk.state, &texts, &self.theme, frame);
            })
            .unwrap();
        self.terminal.backend().writer().len() - before
    }

    fn moved(&mut self, motion: Motion) -> usize {
        self.desk.moved(motion);
        self.draw()
    }
}

#[test]
fn the_first_paint_is_small() {
    let bytes = Screen::new(1_000).draw();
    assert!(bytes <= 10_000, "{bytes} bytes");
}

#[test]
fn an_idle_screen_sends_nothing_between_changes_of_its_text() {
    let mut screen = Screen::drawn(1_000);
    for _ in 0..20 {
        let next = screen.desk.state.next_tick().unwrap();
        let just_before = next - jiff::SignedDuration::from_millis(1);
        screen.desk.send(Msg::Ticked(just_before));
        assert_eq!(screen.draw(), 0, "nothing changed at {just_before}");
        screen.desk.send(Msg::Ticked(next));
        screen.draw();
    }
}

/// Another process says every half minute that all is well: nothing of that is shown.
#[test]
fn a_report_without_news_sends_nothing() {
    let mut screen = Screen::drawn(1_000);
    let source = SourceHealth {
        state: SourceState::Running,
        last_accepted: Some(screen.desk.state.now),
        ..SourceHealth::new("cii".into(), "cii-webhook", "/hooks/cii")
    };
    let report = |at| SourcesReport { receiver: "collect".into(), at, sources: vec![source.clone()] };
    screen.desk.send(Msg::ReceiverChanged(Receiver::Other("collect".into())));
    screen.desk.send(Msg::SourcesReported(report(screen.desk.state.now).into()));
    for asked in [Msg::RedrawAsked, Msg::HealthAsked] {
        screen.desk.send(asked);
        screen.draw();
        let began = screen.desk.state.now;
        for half_minutes in 1..=100 {
            let now = began + SignedDuration::from_secs(30 * half_minutes);
            let is_change = screen.desk.state.next_tick().is_some_and(|next| next <= now);
            screen.desk.send(Msg::Ticked(now));
            screen.desk.send(Msg::SourcesReported(report(now).into()));
            let bytes = screen.draw();
            assert!(bytes == 0 || is_change, "{bytes} bytes at {now}");
        }
    }
}

#[test]
fn a_wait_costs_nothing_while_it_lasts() {
    let mut screen = Screen::drawn(3);
    screen.desk.send(Msg::UserNamed(Login::new("ann@example.com")));
    screen.draw();
    let (now, length) = (screen.desk.state.now, SignedDuration::from_secs(12));
    let wait = Wait { remote: Remote::Okta, cause: WaitCause::Asked, until: now + length, length };
    screen.desk.send(Msg::WaitsChanged(vec![wait]));
    assert!(screen.draw() > 0, "it is said");
    for second in 1..12 {
        screen.desk.send(Msg::Ticked(now + SignedDuration::from_secs(second)));
        assert_eq!(screen.draw(), 0, "after {second} s");
    }
    screen.desk.send(Msg::WaitsChanged(Vec::new()));
    assert!(screen.draw() > 0, "it is over");
}

#[test]
fn a_held_arrival_changes_only_the_counter() {
    let mut screen = Screen::drawn(1_000);
    screen.moved(Motion::Down);
    screen.desk.arrive();
    screen.desk.answer_all();
    let first = screen.draw();
    assert!(first <= 80, "{first} bytes for the first");
    for _ in 0..12 {
        screen.desk.arrive();
        screen.desk.answer_all();
        let bytes = screen.draw();
        assert!(bytes <= 80, "{bytes} bytes");
    }
}

#[test]
fn a_cursor_move_is_small() {
    let mut screen = Screen::drawn(1_000);
    for motion in [Motion::Down, Motion::Down, Motion::Down, Motion::Up, Motion::Up] {
        let bytes = screen.moved(motion);
        assert!(bytes <= 500, "{bytes} bytes for {motion:?}");
    }
}

#[test]
fn a_scroll_by_one_row_is_small() {
    let mut screen = Screen::drawn(1_000);
    for _ in 0..SIZE.feed_rows() - 1 {
        screen.moved(Motion::Down);
    }
    assert_eq!(screen.desk.state.feed.cursor.offset, 0);
    for _ in 0..5 {
        let bytes = screen.moved(Motion::Down);
        assert!(bytes <= 800, "{bytes} bytes");
    }
    assert_eq!(screen.desk.state.feed.cursor.offset, 5);
}

#[test]
fn a_row_that_comes_in_above_is_small() {
    let mut screen = Screen::drawn(1_000);
    screen.desk.arrive();
    screen.desk.answer_all();
    let bytes = screen.draw();
    assert!(bytes <= 900, "{bytes} bytes");
}
