//! A screen as an SVG picture, for documents: the same cells, the same colours.
//!
//! A browser chooses its own monospaced font, so every run of text is told how wide it has to be and
//! the columns stay columns. Runs end at two blanks: XML readers differ in what they make of more.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// A cell's width and height, and how far its baseline is below its top.
const CELL: (f32, f32) = (8.4, 19.0);
const BASELINE: f32 = 13.6;
/// What is left free around the cells, and above them for the window's title.
const MARGIN: f32 = 16.0;
const TITLE: f32 = 34.0;
/// What the terminal's own colours look like.
const INK: Rgb = Rgb(0xd7, 0xda, 0xe0);
const PAPER: Rgb = Rgb(0x16, 0x18, 0x1d);
const FONTS: &str =
    "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rgb(u8, u8, u8);

impl Rgb {
    fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// What a cell looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    ink: Rgb,
    paper: Rgb,
    modifier: Modifier,
}

/// Neighbours of one look on one row.
#[derive(Debug, Clone, PartialEq)]
struct Run {
    column: u16,
    columns: u16,
    text: String,
    look: Look,
}

/// The picture of a screen, with a title above it.
pub fn svg(screen: &Buffer, title: &str) -> String {
    let width = f32::from(screen.area.width) * CELL.0 + 2.0 * MARGIN;
    let height = f32::from(screen.area.height) * CELL.1 + TITLE + MARGIN;
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" font-family=\"{FONTS}\" font-size=\"14\">\n\
         <title>{title}</title>\n\
         <rect width=\"{width:.1}\" height=\"{height:.1}\" rx=\"10\" fill=\"{paper}\"/>\n\
         <text x=\"{middle:.1}\" y=\"21\" text-anchor=\"middle\" font-size=\"12\" fill=\"#7f8794\">{title}</text>\n",
        title = escaped(title),
        paper = PAPER.hex(),
        middle = width / 2.0,
    );
    for row in 0..screen.area.height {
        let runs = runs(screen, row);
        let top = TITLE + f32::from(row) * CELL.1;
        runs.iter().for_each(|run| ground(run, top, &mut out));
        runs.iter().flat_map(words).for_each(|run| text(&run, top, &mut out));
    }
    out.push_str("</svg>\n");
    out
}

fn runs(screen: &Buffer, row: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut column = 0;
    while column < screen.area.width {
        let Some(cell) = screen.cell(Position::new(screen.area.x + column, screen.area.y + row)) else {
            break;
        };
        let columns = u16::try_from(cell.symbol().width()).unwrap_or(1).max(1);
        match runs.last_mut().filter(|run| run.look == look(cell)) {
            Some(run) => {
                run.text.push_str(cell.symbol());
                run.columns += columns;
            }
            None => runs.push(Run { column, columns, text: cell.symbol().to_owned(), look: look(cell) }),
        }
        column += columns;
    }
    runs
}

fn look(cell: &Cell) -> Look {
    let (ink, paper) = (colour(cell.fg).unwrap_or(INK), colour(cell.bg).unwrap_or(PAPER));
    let (ink, paper) = if cell.modifier.contains(Modifier::REVERSED) { (paper, ink) } else { (ink, paper) };
    Look { ink, paper, modifier: cell.modifier.difference(Modifier::REVERSED) }
}

/// The words of a run: what stands between two or more blanks, with the columns that it takes.
fn words(run: &Run) -> Vec<Run> {
    let mut words = Vec::new();
    let mut column = run.column;
    for part in run.text.split("  ") {
        let columns = |text: &str| u16::try_from(text.width()).unwrap_or(u16::MAX);
        let word = part.trim();
        if !word.is_empty() {
            let before = columns(part) - columns(part.trim_start());
            words.push(Run {
                column: column + before,
                columns: columns(word),
                text: word.to_owned(),
                look: run.look,
            });
        }
        column = column.saturating_add(columns(part)).saturating_add(2);
    }
    words
}

fn ground(run: &Run, top: f32, out: &mut String) {
    if run.look.paper == PAPER {
        return;
    }
    let (x, width) = (MARGIN + f32::from(run.column) * CELL.0, f32::from(run.columns) * CELL.0);
    let (height, fill) = (CELL.1, run.look.paper.hex());
    let _ = writeln!(
        out,
        "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{fill}\"/>"
    );
}

fn text(run: &Run, top: f32, out: &mut String) {
    let (x, y) = (MARGIN + f32::from(run.column) * CELL.0, top + BASELINE);
    let (width, fill) = (f32::from(run.columns) * CELL.0, run.look.ink.hex());
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\" \
         fill=\"{fill}\"{}>{}</text>",
        attributes(run.look.modifier),
        escaped(&run.text)
    );
}

fn attributes(modifier: Modifier) -> String {
    const ATTRIBUTES: [(Modifier, &str); 4] = [
        (Modifier::BOLD, " font-weight=\"bold\""),
        (Modifier::DIM, " opacity=\"0.6\""),
        (Modifier::ITALIC, " font-style=\"italic\""),
        (Modifier::UNDERLINED, " text-decoration=\"underline\""),
    ];
    ATTRIBUTES.iter().filter(|(asked, _)| modifier.contains(*asked)).map(|(_, text)| *text).collect()
}

/// As XML wants it; control characters, which XML cannot hold, are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// `None` for the terminal's own colour.
fn colour(colour: Color) -> Option<Rgb> {
    match colour {
        Color::Reset => None,
        Color::Rgb(r, g, b) => Some(Rgb(r, g, b)),
        Color::Indexed(index) => Some(indexed(index)),
        named => SIXTEEN.iter().find(|(colour, _)| *colour == named).map(|(_, rgb)| *rgb),
    }
}

/// The 256 colours: sixteen named ones, a cube of 6 × 6 × 6, and greys.
fn indexed(index: u8) -> Rgb {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let step = |place: u8| STEPS.get(usize::from(place % 6)).copied().unwrap_or_default();
    match index {
        0..16 => SIXTEEN.get(usize::from(index)).map_or(INK, |(_, rgb)| *rgb),
        16..232 => Rgb(step((index - 16) / 36), step((index - 16) / 6), step(index - 16)),
        232.. => {
            let grey = 8 + (index - 232) * 10;
            Rgb(grey, grey, grey)
        }
    }
}

/// The sixteen colours in their order, as the dark theme would have them.
const SIXTEEN: [(Color, Rgb); 16] = [
    (Color::Black, Rgb(0x16, 0x18, 0x1d)),
    (Color::Red, Rgb(0xe0, 0x6c, 0x75)),
    (Color::Green, Rgb(0x98, 0xc3, 0x79)),
    (Color::Yellow, Rgb(0xe5, 0xc0, 0x7b)),
    (Color::Blue, Rgb(0x61, 0xaf, 0xef)),
    (Color::Magenta, Rgb(0xc2, 0x9b, 0xdb)),
    (Color::Cyan, Rgb(0x7c, 0xc4, 0xe8)),
    (Color::Gray, Rgb(0xae, 0xb5, 0xc0)),
    (Color::DarkGray, Rgb(0x7f, 0x87, 0x94)),
    (Color::LightRed, Rgb(0xff, 0x6b, 0x6b)),
    (Color::LightGreen, Rgb(0xb5, 0xd8, 0x99)),
    (Color::LightYellow, Rgb(0xf2, 0xd5, 0x9b)),
    (Color::LightBlue, Rgb(0x8c, 0xc8, 0xff)),
    (Color::LightMagenta, Rgb(0xd8, 0xb9, 0xeb)),
    (Color::LightCyan, Rgb(0xa6, 0xdb, 0xf2)),
    (Color::White, Rgb(0xec, 0xef, 0xf4)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    fn of(lines: &[(&str, Style)]) -> String {
        let mut screen = Buffer::empty(ratatui::layout::Rect::new(0, 0, 20, 2));
        for (row, (line, style)) in lines.iter().enumerate() {
            screen.set_string(0, u16::try_from(row).unwrap(), line, *style);
        }
        svg(&screen, "a & b")
    }

    #[test]
    fn words_keep_their_columns() {
        let picture = of(&[("one   two words", Style::new())]);
        assert!(picture.contains("<text x=\"16.0\" y=\"47.6\" textLength=\"25.2\""), "{picture}");
        assert!(picture.contains("<text x=\"66.4\" y=\"47.6\" textLength=\"75.6\""), "{picture}");
        assert!(picture.contains(">two words</text>"), "{picture}");
    }

    #[test]
    fn what_is_wide_takes_its_columns() {
        let picture = of(&[("漢字  x", Style::new())]);
        assert!(picture.contains(&format!("<text x=\"{:.1}\"", 16.0 + 6.0 * 8.4)), "{picture}");
    }

    #[test]
    fn looks_are_kept() {
        let picture =
            of(&[("bold", Style::new().bold().fg(Color::Rgb(1, 2, 3))), ("bar", Style::new().reversed())]);
        assert!(picture.contains("fill=\"#010203\" font-weight=\"bold\">bold<"), "{picture}");
        assert!(picture.contains("width=\"25.2\" height=\"19.0\" fill=\"#d7dae0\"/>"), "{picture}");
        assert!(picture.contains("fill=\"#16181d\">bar<"), "{picture}");
    }

    #[test]
    fn text_is_no_markup() {
        let picture = of(&[("<script>&\"</script>", Style::new())]);
        assert!(picture.contains(">&lt;script&gt;&amp;&quot;&lt;/script&gt;<"), "{picture}");
        assert!(picture.contains("<title>a &amp; b</title>"), "{picture}");
    }

    #[test]
    fn colours_have_their_place() {
        assert_eq!(indexed(1), Rgb(0xe0, 0x6c, 0x75));
        assert_eq!(indexed(16), Rgb(0, 0, 0));
        assert_eq!(indexed(231), Rgb(255, 255, 255));
        assert_eq!(indexed(196), Rgb(255, 0, 0));
        assert_eq!(indexed(255), Rgb(238, 238, 238));
    }
}
