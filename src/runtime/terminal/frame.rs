//! One write a frame, nothing at all where nothing changed, and scrolling where rows only moved.
//!
//! Over SSH bytes are time. ratatui's own backend writes attribute resets and cursor modes also for a
//! frame without a changed cell, and a list that scrolls by one row changes nearly every cell. This
//! wrapper keeps a copy of the screen, finds a vertical shift, lets the terminal scroll those rows
//! itself, and sends what is left between begin and end of a synchronized update, in one write.

use super::scroll::{self, Shift};
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::{Color, Modifier};
use std::io::{self, Write};

/// A backend that sends whole frames to `W`.
#[derive(Debug)]
pub struct FrameBackend<W: Write> {
    out: W,
    frame: CrosstermBackend<Vec<u8>>,
    screen: Buffer,
    /// Where the cursor stands; `None` after drawing.
    cursor: Option<Position>,
    /// Whether the cursor is shown; `None` where that is not known.
    is_cursor_shown: Option<bool>,
    fixed: Option<Size>,
}

impl<W: Write> FrameBackend<W> {
    /// A backend on a terminal whose size is asked for.
    pub fn new(out: W) -> Self {
        FrameBackend {
            out,
            frame: CrosstermBackend::new(Vec::new()),
            screen: Buffer::default(),
            cursor: None,
            is_cursor_shown: None,
            fixed: None,
        }
    }

    /// A backend on a terminal of a fixed size, for tests and pictures.
    pub fn fixed(out: W, columns: u16, rows: u16) -> Self {
        FrameBackend { fixed: Some(Size::new(columns, rows)), ..FrameBackend::new(out) }
    }

    /// What was written to.
    pub fn writer(&self) -> &W {
        &self.out
    }

    /// The cells as they stand on the terminal.
    pub fn shown(&self) -> &Buffer {
        &self.screen
    }

    /// Writes something that is no part of the screen, OSC 52 or a bell, right away.
    ///
    /// # Errors
    /// If the terminal cannot be written.
    pub fn write_aside(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.out.flush()
    }

    fn fit_screen(&mut self) -> io::Result<()> {
        let size = self.size()?;
        let area = Rect::new(0, 0, size.width, size.height);
        if self.screen.area != area {
            self.screen = Buffer::empty(area);
        }
        Ok(())
    }

    fn shift_rows(&mut self, shift: Shift) -> io::Result<()> {
        scroll::apply(&mut self.screen, shift);
        self.cursor = None;
        let region = shift.first..shift.last + 1;
        if shift.up {
            self.frame.scroll_region_up(region, shift.by)
        } else {
            self.frame.scroll_region_down(region, shift.by)
        }
    }
}

impl<W: Write> Backend for FrameBackend<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        self.fit_screen()?;
        let mut wanted = self.screen.clone();
        let mut any = false;
        for (x, y, cell) in content {
            if let Some(slot) = wanted.cell_mut(Position::new(x, y)) {
                slot.clone_from(cell);
                any = true;
                covered_by(&mut wanted, x, y);
            }
        }
        if !any {
            return Ok(());
        }
        if let Some(shift) = scroll::find(&self.screen, &wanted) {
            self.shift_rows(shift)?;
        }
        let changed: Vec<(u16, u16, Cell)> =
            self.screen.diff(&wanted).into_iter().map(|(x, y, cell)| (x, y, cell.clone())).collect();
        if !changed.is_empty() {
            self.frame.draw(changed.iter().map(|(x, y, cell)| (*x, *y, cell)))?;
            shorten_reset(self.frame.writer_mut());
            self.cursor = None;
        }
        self.screen = wanted;
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.is_cursor_shown != Some(false) {
            self.frame.hide_cursor()?;
            self.is_cursor_shown = Some(false);
        }
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if self.is_cursor_shown != Some(true) {
            self.frame.show_cursor()?;
            self.is_cursor_shown = Some(true);
        }
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        // A query would wait for the terminal's answer; nothing here needs one.
        Ok(self.cursor.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        if self.cursor != Some(position) {
            self.frame.set_cursor_position(position)?;
            self.cursor = Some(position);
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.screen = Buffer::default();
        self.cursor = None;
        self.is_cursor_shown = None;
        // Kept outside the synchronized update: tmux shows stale rows otherwise.
        self.frame.clear()?;
        let bytes = std::mem::take(self.frame.writer_mut());
        self.out.write_all(&bytes)
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        match clear_type {
            ClearType::All => self.clear(),
            other => self.frame.clear_region(other),
        }
    }

    fn size(&self) -> io::Result<Size> {
        match self.fixed {
            Some(size) => Ok(size),
            None => crossterm::terminal::size().map(|(columns, rows)| Size::new(columns, rows)),
        }
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size()?, pixels: Size::default() })
    }

    fn flush(&mut self) -> io::Result<()> {
        let frame = std::mem::take(self.frame.writer_mut());
        if frame.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(frame.len() + 16);
        crossterm::queue!(bytes, BeginSynchronizedUpdate)?;
        bytes.extend(frame);
        crossterm::queue!(bytes, EndSynchronizedUpdate)?;
        self.out.write_all(&bytes)?;
        self.out.flush()
    }

    fn scroll_region_up(&mut self, region: std::ops::Range<u16>, by: u16) -> io::Result<()> {
        self.frame.scroll_region_up(region, by)
    }

    fn scroll_region_down(&mut self, region: std::ops::Range<u16>, by: u16) -> io::Result<()> {
        self.frame.scroll_region_down(region, by)
    }
}

/// Marks the columns that wide letters cover, so that what stands there once they are gone counts as changed: it was
/// on no screen before, however much the cell below looks like it.
pub fn mark_covered(buffer: &mut Buffer) {
    let area = buffer.area;
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            covered_by(buffer, x, y);
        }
    }
}

/// A colour of lines under letters that nothing has, and no blank without such a line shows.
const COVERED: Color = Color::Rgb(0, 0, 1);

fn covered_by(buffer: &mut Buffer, x: u16, y: u16) {
    let Some(letter) = buffer.cell(Position::new(x, y)) else { return };
    let (width, style) = (letter.cell_width(), letter.style());
    for behind in 1..width {
        if let Some(cell) = buffer.cell_mut(Position::new(x.saturating_add(behind), y)) {
            cell.reset();
            cell.set_style(style.underline_color(COVERED).remove_modifier(Modifier::UNDERLINED));
        }
    }
}

/// The backend ends every frame with a reset of each colour and then of everything: the last is enough.
fn shorten_reset(frame: &mut Vec<u8>) {
    const EACH: &[u8] = b"\x1b[39m\x1b[49m\x1b[59m\x1b[0m";
    const ALL: &[u8] = b"\x1b[0m";
    if frame.ends_with(EACH) {
        frame.truncate(frame.len() - EACH.len());
        frame.extend_from_slice(ALL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::Terminal;
    use ratatui::style::Style;

    const COLUMNS: u16 = 40;
    const ROWS: u16 = 12;

    fn terminal() -> Terminal<FrameBackend<Vec<u8>>> {
        Terminal::new(FrameBackend::fixed(Vec::new(), COLUMNS, ROWS)).unwrap()
    }

    fn draw(terminal: &mut Terminal<FrameBackend<Vec<u8>>>, rows: &[String], selected: usize) -> usize {
        let before = terminal.backend().writer().len();
        terminal
            .draw(|frame| {
                for (y, row) in rows.iter().take(usize::from(ROWS)).enumerate() {
                    let style = if y == selected { Style::new().reversed() } else { Style::new() };
                    frame.buffer_mut().set_stringn(0, y as u16, row, usize::from(COLUMNS), style);
                }
            })
            .unwrap();
        terminal.backend().writer().len() - before
    }

    fn rows(from: usize) -> Vec<String> {
        (from..from + usize::from(ROWS)).map(|n| format!("{n:04} an event with quite a long title")).collect()
    }

    /// What stands in every cell: a written blank and an untouched cell look the same.
    fn seen(bytes: &[u8]) -> Vec<String> {
        let mut parser = vt100::Parser::new(ROWS.try_into().unwrap(), COLUMNS.try_into().unwrap(), 0);
        parser.process(bytes);
        let cell = |row, column| {
            let cell = parser.screen().cell(row, column).unwrap();
            format!("{}|{:?}|{}", cell.contents().trim(), cell.bgcolor(), cell.inverse())
        };
        (0..ROWS)
            .flat_map(|row| (0..COLUMNS).map(move |column| (row, column)))
            .map(|(r, c)| cell(r, c))
            .collect()
    }

    #[test]
    fn a_frame_without_a_change_sends_nothing() {
        let mut terminal = terminal();
        assert!(draw(&mut terminal, &rows(0), 3) > 0);
        assert_eq!(draw(&mut terminal, &rows(0), 3), 0);
    }

    #[test]
    fn a_cursor_is_placed_again_after_drawing_and_never_otherwise() {
        let mut terminal = terminal();
        let mut frame = |text: &str| {
            let before = terminal.backend().writer().len();
            terminal
                .draw(|frame| {
                    frame.buffer_mut().set_string(0, 3, text, Style::new());
                    frame.set_cursor_position((5, 3));
                })
                .unwrap();
            let sent = terminal.backend().writer()[before..].to_vec();
            let mut parser = vt100::Parser::new(ROWS.try_into().unwrap(), COLUMNS.try_into().unwrap(), 0);
            parser.process(terminal.backend().writer());
            assert_eq!(parser.screen().cursor_position(), (3, 5));
            assert!(!parser.screen().hide_cursor());
            sent.len()
        };
        assert!(frame("ab") > 0);
        assert_eq!(frame("ab"), 0);
        assert!(frame("abc") > 0);
    }

    #[test]
    fn one_row_scrolled_is_far_cheaper_than_a_redraw() {
        let mut terminal = terminal();
        let first = draw(&mut terminal, &rows(0), 5);
        let scrolled = draw(&mut terminal, &rows(1), 5);
        assert!(scrolled * 3 < first, "{scrolled} bytes for a scroll, {first} for all");
    }

    proptest! {
        #[test]
        fn the_screen_equals_a_full_redraw(steps in proptest::collection::vec((0usize..8, 0usize..12), 1..12)) {
            let mut terminal = terminal();
            for (from, selected) in &steps {
                draw(&mut terminal, &rows(*from), *selected);
            }
            let (from, selected) = steps[steps.len() - 1];
            let mut anew = Terminal::new(FrameBackend::fixed(Vec::new(), COLUMNS, ROWS)).unwrap();
            draw(&mut anew, &rows(from), selected);
            prop_assert_eq!(seen(terminal.backend().writer()), seen(anew.backend().writer()));
        }
    }
}
