//! A terminal that can be looked at from elsewhere.

use std::io;
use std::sync::{Arc, Mutex};

/// A terminal that parses what is written to it.
#[derive(Clone)]
pub(crate) struct Glass(Arc<Mutex<Inside>>);

struct Inside {
    parser: vt100::Parser,
    bytes: Vec<u8>,
}

impl Glass {
    pub(crate) fn new(rows: u16, columns: u16) -> Glass {
        let parser = vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0);
        Glass(Arc::new(Mutex::new(Inside { parser, bytes: Vec::new() })))
    }

    /// The screen as text.
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap().parser.screen().contents()
    }

    /// Whether these bytes were written at some time.
    pub(crate) fn was_sent(&self, bytes: &str) -> bool {
        let inside = self.0.lock().unwrap();
        inside.bytes.windows(bytes.len()).any(|window| window == bytes.as_bytes())
    }

    /// The lines of the body with a background or in reverse all over.
    pub(crate) fn highlighted(&self) -> Vec<String> {
        let inside = self.0.lock().unwrap();
        let screen = inside.parser.screen();
        let (rows, columns) = (screen.size().0.get(), screen.size().1.get());
        let is_marked = |row: u16| {
            let marked = |column| {
                screen.cell(row, column).is_some_and(|c| c.inverse() || c.bgcolor() != vt100::Color::Default)
            };
            (2..columns.min(12)).all(marked)
        };
        let lines = (0..rows).zip(screen.rows(0, columns));
        lines.filter(|(row, _)| *row >= 2 && is_marked(*row)).map(|(_, line)| line).collect()
    }
}

impl io::Write for Glass {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut inside = self.0.lock().unwrap();
        inside.parser.process(bytes);
        inside.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
