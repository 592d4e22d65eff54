//! From one screen to another on a terminal that scrolls: what stands there is what a terminal shows that was just
//! opened. Nothing of the screen before is left.

use crate::fixtures::*;
use crate::many::{on_bulk, with_many};
use crate::paint::help;
use crate::properties::all;
use idtriage::app::State;
use idtriage::app::layout::Size;
use idtriage::app::msg::{Motion, Msg};
use idtriage::runtime::terminal::frame::{FrameBackend, mark_covered};
use idtriage::view::{Theme, render};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::style::{Color, Style};
use std::sync::LazyLock;

type Console = Terminal<FrameBackend<Vec<u8>>>;

fn console_of(size: Size) -> Console {
    Terminal::new(FrameBackend::fixed(Vec::new(), size.columns, size.rows)).unwrap()
}

/// Whole screens, those of runs on many among them, in every place of a list.
static SCREENS: LazyLock<Vec<State>> = LazyLock::new(|| {
    let runs = [overlaid_runs(), on_bulk(80, 24), with_many(80, 24)];
    let mut screens: Vec<State> = all().into_iter().chain(runs).collect();
    for state in screens.clone() {
        for motions in [&[Motion::Down; 1][..], &[Motion::Down; 5], &[Motion::End]] {
            let mut moved = state.clone();
            motions.iter().for_each(|motion| tell(&mut moved, Msg::CursorMoved(*motion)));
            screens.push(moved);
        }
    }
    screens
});

fn overlaid_runs() -> State {
    let mut state = on_bulk(80, 24);
    tell(&mut state, Msg::BulksAsked);
    state
}

fn show(console: &mut Console, state: &State, size: Size) {
    let state = State { size, ..state.clone() };
    console
        .draw(|frame| {
            render(&state, &help(), &Theme::default(), frame);
            mark_covered(frame.buffer_mut());
        })
        .unwrap();
}

/// What stands in every cell, and how: a written blank and an untouched cell look the same.
fn seen(console: &Console, size: Size) -> Vec<String> {
    let mut parser = vt100::Parser::new(size.rows.try_into().unwrap(), size.columns.try_into().unwrap(), 0);
    parser.process(console.backend().writer());
    let screen = parser.screen();
    let cell = |row, column| {
        let cell = screen.cell(row, column).unwrap();
        let how = (cell.bgcolor(), cell.inverse(), cell.underline());
        match cell.contents().trim() {
            "" => format!(" {how:?}"),
            // The model holds bold or dim, whichever was told last, where the screen is both.
            shown => format!("{shown} {how:?} {:?} {}", cell.fgcolor(), cell.bold() || cell.dim()),
        }
    };
    (0..size.rows)
        .flat_map(|row| (0..size.columns).map(move |column| (row, column)))
        .map(|(r, c)| cell(r, c))
        .collect()
}

/// The cells that differ, by row and column.
fn differ(one: &[String], other: &[String], size: Size) -> Vec<String> {
    let columns = usize::from(size.columns);
    let all = one.iter().zip(other).enumerate().filter(|(_, (one, other))| one != other);
    all.map(|(at, (one, other))| format!("{},{}: {one} not {other}", at / columns, at % columns)).collect()
}

const SIZES: [Size; 4] = [
    Size { columns: 60, rows: 16 },
    Size { columns: 80, rows: 24 },
    Size { columns: 97, rows: 31 },
    Size { columns: 120, rows: 40 },
];

const ROW_TEXTS: [&str; 8] = [
    "",
    "ann@example.com      suspend the account",
    "日本語@example.com   停止",
    "x日本語@example.com  停止 a",
    "│ a frame            │",
    "── 停 ──",
    "     ann",
    "👩‍💻 wide and joined e\u{301}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn nothing_of_a_screen_before_is_left(
        size in prop::sample::select(&SIZES[..]),
        steps in prop::collection::vec(any::<prop::sample::Index>(), 2..6),
    ) {
        let mut console = console_of(size);
        for step in steps {
            let state = step.get(&SCREENS);
            show(&mut console, state, size);
            let mut anew = console_of(size);
            show(&mut anew, state, size);
            let left = differ(&seen(&console, size), &seen(&anew, size), size);
            prop_assert!(left.is_empty(), "{left:#?}");
        }
    }

    /// Of rows that moved, of wide letters that stand an odd column beside others, of colours.
    #[test]
    fn nothing_of_rows_before_is_left(
        steps in prop::collection::vec(
            (prop::collection::vec((0..ROW_TEXTS.len(), 0_u16..4, 0_u8..4), 10), 0_usize..10, 0_usize..10),
            2..6,
        ),
    ) {
        let size = Size { columns: 30, rows: 10 };
        let mut rows: Vec<(usize, u16, u8)> = Vec::new();
        let mut console = console_of(size);
        for (others, kept, by) in steps {
            // Some of the rows stay, moved; others come.
            let by = by.min(rows.len());
            rows.rotate_left(by);
            rows.truncate(kept);
            rows.extend(others.into_iter().skip(rows.len()));
            let paint = |console: &mut Console| {
                console
                    .draw(|frame| {
                        for (y, (text, x, colour)) in (0..).zip(&rows) {
                            let style = Style::new().bg(Color::Indexed(*colour));
                            let text = ROW_TEXTS[*text];
                            frame.buffer_mut().set_stringn(*x, y, text, usize::from(size.columns - x), style);
                        }
                        mark_covered(frame.buffer_mut());
                    })
                    .unwrap();
            };
            paint(&mut console);
            let mut anew = console_of(size);
            paint(&mut anew);
            let left = differ(&seen(&console, size), &seen(&anew, size), size);
            prop_assert!(left.is_empty(), "{rows:?} {left:#?}");
        }
    }
}
