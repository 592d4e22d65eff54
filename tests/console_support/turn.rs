//! What a finished turn of the loop shows, and whoever waits for it.
//!
//! A frame that was flushed is no finished turn: the loop notes when it was on the screen only afterwards.
//! A test that moved its clock in between would move it before the card knows that it is shown, and the
//! card would arm at another time. So nothing here looks at the terminal while the loop is at work.

use super::glass::Glass;
use idtriage::app::State;
use idtriage::runtime::console::Surroundings;
use jiff::Timestamp;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// How long a test waits before it gives up: only a loop that hangs takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the screen shows, and what the loop knew when it drew it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turn {
    /// The screen as text.
    pub(crate) text: String,
    /// The lines under the cursor.
    pub(crate) selected: Vec<String>,
    /// How many keys and pastes had their effect.
    pub(crate) keys: usize,
    /// The time.
    pub(crate) now: Timestamp,
    /// Whether an answer is still waited for.
    pub(crate) is_waiting: bool,
}

impl Turn {
    /// The number of the line that says something.
    pub(crate) fn line_of(&self, text: &str) -> Option<usize> {
        self.text.lines().position(|line| line.contains(text))
    }
}

/// Counts what the loop takes from its input.
#[derive(Debug, Clone, Default)]
pub(crate) struct Taken(Arc<AtomicUsize>);

impl Taken {
    pub(crate) fn one(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Stands around the loop, and tells of each turn.
pub(crate) struct Onlooker {
    glass: Glass,
    taken: Taken,
    turns: watch::Sender<Turn>,
}

impl Onlooker {
    pub(crate) fn new(glass: Glass, taken: Taken) -> (Onlooker, Turns) {
        let (turns, seen) = watch::channel(Turn::default());
        (Onlooker { glass, taken, turns }, Turns(seen))
    }
}

impl Surroundings for Onlooker {
    fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn drawn(&mut self, state: &State) -> ControlFlow<()> {
        self.turns.send_replace(Turn {
            text: self.glass.text(),
            selected: self.glass.highlighted(),
            keys: self.taken.0.load(Ordering::SeqCst),
            now: state.now,
            is_waiting: state.flights.has(|_| true),
        });
        ControlFlow::Continue(())
    }
}

/// The turns, for who waits for one of them.
pub(crate) struct Turns(watch::Receiver<Turn>);

impl Turns {
    pub(crate) fn last(&self) -> Turn {
        self.0.borrow().clone()
    }

    /// Waits for a turn that is as wanted.
    pub(crate) async fn until(&self, wanted: &str, is_so: impl Fn(&Turn) -> bool) {
        let mut turns = self.0.clone();
        let came = tokio::time::timeout(PATIENCE, turns.wait_for(is_so)).await;
        let came = came.is_ok_and(|turn| turn.is_ok());
        assert!(came, "waited for the screen {wanted}:\n{}", self.last().text);
    }
}

/// Waits for the end of something, and not for ever.
pub(crate) async fn end_of<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it ends")
}
