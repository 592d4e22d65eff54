//! Draws a state, and writes the screen down with its styles.

use idtriage::app::State;
use idtriage::app::list::Extent;
use idtriage::view::{BulkKeys, CardKeys, HelpLine, HelpTexts, PaletteLine, Theme, render};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Position;
use std::fmt::Write;

fn pair(key: &str, label: &str) -> (String, String) {
    (key.to_owned(), label.to_owned())
}

/// Stands in for the command registry.
pub(crate) fn help() -> HelpTexts {
    let command = |keys: &str, title: &str| HelpLine::Command { keys: keys.into(), title: title.into() };
    let entry = |name: &str, keys: &str, title: &str, is_selected| PaletteLine {
        name: name.into(),
        keys: keys.into(),
        title: title.into(),
        is_selected,
        is_usable: name != "quit",
    };
    HelpTexts {
        footer: [("enter", "open"), ("r", "remediate"), ("c", "claim"), ("x", "close"), ("/", "filter")]
            .into_iter()
            .chain([(":", "command"), ("o", "link"), ("J", "raw"), ("q", "back"), ("?", "help")])
            .map(|(key, label)| pair(key, label))
            .collect(),
        help: vec![
            HelpLine::Heading("Moving".into()),
            command("j k ↓ ↑", "a row down or up"),
            command("g", "to the top; takes what waits"),
            HelpLine::Heading("Triage".into()),
            command("c", "claim the finding, or give it back"),
            HelpLine::Text("Closed findings open again when a newer event names them.".into()),
        ],
        palette: vec![
            entry("user LOGIN", "", "open anyone", true),
            entry("journal", "L", "what was run", false),
            entry("quit", "q", "leave the console", false),
        ],
        questions: vec![
            pair("1", "failed sign-ins in the past 24 h"),
            pair("3", "MFA denials in the past 24 h"),
        ],
        insist_key: "A".into(),
        form_keys: CardKeys { plain: "e".into(), beside_field: "backtab".into() },
        dry_run_keys: CardKeys { plain: "d".into(), beside_field: "ctrl-r".into() },
        undo_key: "z".into(),
        look_key: "R".into(),
        check_key: "v".into(),
        bulk_keys: BulkKeys { pause: "p".into(), resume: "c".into(), stop: "S".into(), which: "f".into() },
        qr_key: "tab".into(),
    }
}

/// How long an overlay's text turns out to be when it is drawn.
pub(crate) fn extent(state: &State) -> Extent {
    let mut terminal = Terminal::new(TestBackend::new(state.size.columns, state.size.rows)).unwrap();
    let mut extent = Extent::default();
    terminal.draw(|frame| extent = render(state, &help(), &Theme::default(), frame)).unwrap();
    extent
}

/// The buffer of a state, and where the cursor is.
pub(crate) fn paint(state: &State, theme: &Theme) -> (Buffer, Option<Position>) {
    let mut terminal = Terminal::new(TestBackend::new(state.size.columns, state.size.rows)).unwrap();
    let mut cursor = None;
    terminal
        .draw(|frame| {
            render(state, &help(), theme, frame);
        })
        .unwrap();
    if terminal.backend().cursor_visible() {
        cursor = terminal.get_cursor_position().ok();
    }
    (terminal.backend().buffer().clone(), cursor)
}

/// The text of a screen.
pub(crate) fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut x = 0;
        while x < buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += (idtriage::domain::untrusted::width(symbol) as u16).max(1);
        }
        writeln!(out, "{}", line.trim_end()).unwrap();
    }
    out
}

/// The text of a screen, where the cursor is, and its styles: each row as runs of letters with a
/// count, and what the letters mean.
pub(crate) fn written(state: &State, theme: &Theme) -> String {
    let (buffer, cursor) = paint(state, theme);
    let mut out = text(&buffer);
    if let Some(at) = cursor {
        writeln!(out, "cursor {},{}", at.x, at.y).unwrap();
    }
    out.push_str("--- styles\n");
    let mut seen: Vec<String> = Vec::new();
    for y in 0..buffer.area.height {
        let names: Vec<String> = (0..buffer.area.width).map(|x| style(&buffer[(x, y)])).collect();
        let runs: Vec<String> = names
            .chunk_by(|a, b| a == b)
            .map(|run| format!("{}{}", letter(&mut seen, &run[0]), run.len()))
            .collect();
        if runs.iter().any(|run| !run.starts_with('.')) {
            writeln!(out, "{y:>2} {}", runs.join(" ")).unwrap();
        }
    }
    for (at, name) in seen.iter().enumerate() {
        writeln!(out, "{} = {name}", letter_of(at)).unwrap();
    }
    out
}

fn style(cell: &Cell) -> String {
    let mut words = Vec::new();
    if cell.fg != ratatui::style::Color::Reset {
        words.push(cell.fg.to_string().to_lowercase());
    }
    if cell.bg != ratatui::style::Color::Reset {
        words.push(format!("on {}", cell.bg.to_string().to_lowercase()));
    }
    if !cell.modifier.is_empty() {
        words.push(format!("{:?}", cell.modifier).to_lowercase());
    }
    words.join(" ")
}

fn letter(seen: &mut Vec<String>, name: &str) -> char {
    if name.is_empty() {
        return '.';
    }
    let at = seen.iter().position(|known| known == name).unwrap_or_else(|| {
        seen.push(name.to_owned());
        seen.len() - 1
    });
    letter_of(at)
}

fn letter_of(at: usize) -> char {
    char::from_u32('a' as u32 + at as u32).unwrap_or('~')
}
