//! A terminal that can be looked at from elsewhere.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// How long a test waits for something to be shown before it gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A terminal that parses what is written to it.
#[derive(Clone)]
pub(crate) struct Glass {
    inside: Arc<Mutex<Inside>>,
    changed: watch::Sender<()>,
}

struct Inside {
    parser: vt100::Parser,
    bytes: Vec<u8>,
}

impl Glass {
    pub(crate) fn new(rows: u16, columns: u16) -> Glass {
        let parser = vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0);
        let inside = Arc::new(Mutex::new(Inside { parser, bytes: Vec::new() }));
        Glass { inside, changed: watch::Sender::new(()) }
    }

    /// The screen as text.
    pub(crate) fn text(&self) -> String {
        self.inside.lock().unwrap().parser.screen().contents()
    }

    /// Whether these bytes were written at some time.
    pub(crate) fn was_sent(&self, bytes: &str) -> bool {
        let inside = self.inside.lock().unwrap();
        inside.bytes.windows(bytes.len()).any(|window| window == bytes.as_bytes())
    }

    /// The number of the line that says something.
    pub(crate) fn line_of(&self, text: &str) -> Option<usize> {
        self.text().lines().position(|line| line.contains(text))
    }

    /// Waits until the screen is as wanted.
    pub(crate) async fn wait(&self, wanted: &str, is_there: impl Fn(&str) -> bool) {
        let mut changed = self.changed.subscribe();
        let seen = async {
            while !is_there(&self.text()) {
                changed.changed().await.unwrap();
            }
        };
        if tokio::time::timeout(PATIENCE, seen).await.is_err() {
            panic!("waited for the screen {wanted}:\n{}", self.text());
        }
    }

    /// Waits until the row under the cursor says something.
    pub(crate) async fn wait_selected(&self, text: &str) {
        let wanted = format!("to select `{text}`");
        self.wait(&wanted, |_| self.highlighted().iter().any(|line| line.contains(text))).await;
    }

    /// The lines of the body with a background or in reverse all over.
    fn highlighted(&self) -> Vec<String> {
        let inside = self.inside.lock().unwrap();
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
        let mut inside = self.inside.lock().unwrap();
        inside.parser.process(bytes);
        inside.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.changed.send_replace(());
        Ok(())
    }
}
