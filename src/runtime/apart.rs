//! The loop on a thread of its own: a terminal that takes no bytes must not keep the program alive.
//!
//! A connection that died half leaves a terminal that nobody reads. Once it is full, a write to it does
//! not return, and no signal makes it: the loop that would hear SIGTERM is the one that is held up. So
//! somebody else hears it too, gives the loop a moment to end, and goes on without it. Whatever was
//! acknowledged is stored and every receipt is waited for, as at any other end; only the screen stays as
//! it is, since nothing can be written to it.

use super::console::{Console, Surroundings};
use super::terminal::signals::{Signalled, Signals};
use super::terminal::{self, Guard};
use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// How long the loop may take to end after a signal.
const LAST_FRAME: Duration = Duration::from_secs(3);

/// How the terminal was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// As it was found.
    GivenBack,
    /// It takes no bytes: whoever writes to it is held up.
    HeldUp,
}

/// The real terminal around the loop.
struct RealTerminal(Guard);

impl Surroundings for RealTerminal {
    fn suspend(&mut self) -> io::Result<()> {
        self.0.suspend()
    }
}

/// Runs a console until it ends, or a signal came and it does not.
///
/// # Errors
/// If the terminal cannot be written, or there can be no thread.
pub(super) async fn run(mut console: Console<io::Stdout>, guard: Guard) -> io::Result<Left> {
    let (signals, stops) = (Signals::listen()?, Signals::listen()?);
    let (ending, ended) = oneshot::channel();
    let runtime = Handle::current();
    let thread = thread::Builder::new().name("console".to_owned()).spawn(move || {
        guard.hand_over();
        let mut surroundings = RealTerminal(guard);
        let signals = std::pin::pin!(signals.stream());
        let result = runtime.block_on(console.run(terminal::input(), signals, &mut surroundings));
        // Giving the terminal back is a write too.
        drop(surroundings);
        // Nobody waits any more where this took too long.
        let _ = ending.send(result);
    })?;
    tokio::select! {
        biased;
        ended = ended => ended.unwrap_or_else(|_| broke_off(thread)).map(|_| Left::GivenBack),
        () = overdue(stops) => {
            tracing::warn!("the terminal takes no bytes: the program ends without it");
            terminal::let_go();
            Ok(Left::HeldUp)
        }
    }
}

/// The end of a thread that did not tell of it: its panic goes on here.
fn broke_off<T>(thread: JoinHandle<()>) -> io::Result<T> {
    match thread.join() {
        Err(panic) => std::panic::resume_unwind(panic),
        Ok(()) => Err(io::Error::other("the console ended without a word")),
    }
}

/// Waits until the loop should have ended.
async fn overdue(mut signals: Signals) {
    while signals.next().await == Signalled::Continued {}
    tokio::time::sleep(LAST_FRAME).await;
}
