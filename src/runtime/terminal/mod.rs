//! The terminal: taken, drawn on with one write a frame, and always given back.
//!
//! `ratatui::restore` leaves mouse, paste and focus modes on, and nothing of it runs when the process
//! is killed by a signal; so the [`Guard`] here undoes everything it did, on drop, on panic, on SIGTERM
//! and SIGHUP (which the loop turns into a quit) and around Ctrl-Z.

pub mod bell;
pub mod frame;
pub mod scroll;
pub mod signals;

use crate::app::layout::Size;
use crossterm::event::EventStream;
use crossterm::{cursor, event, execute, terminal};
use frame::FrameBackend;
use ratatui::Terminal;
use std::backtrace::Backtrace;
use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};

/// Whether the terminal is ours now; the panic hook asks it.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// The thread that took it: the loop's.
static OWNER: Mutex<Option<ThreadId>> = Mutex::new(None);

/// Holds the terminal; dropping it gives the terminal back.
#[derive(Debug)]
pub struct Guard(());

impl Guard {
    /// Takes the terminal: raw mode, alternate screen, bracketed paste, no cursor.
    ///
    /// # Errors
    /// If standard input or output is no terminal, or it cannot be set.
    pub fn take() -> io::Result<Guard> {
        if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
            return Err(io::Error::other("standard input and output have to be a terminal"));
        }
        // The guard is there before the terminal is taken: half a taking is undone too.
        let guard = Guard(());
        enter()?;
        Ok(guard)
    }

    /// The terminal is the calling thread's from now on: a panic there gives it back.
    pub fn hand_over(&self) {
        own();
    }

    /// Gives the terminal back, stops the process as the shell's job control wants it, and takes the
    /// terminal again when the process goes on.
    ///
    /// # Errors
    /// If the terminal cannot be set.
    pub fn suspend(&self) -> io::Result<()> {
        leave()?;
        nix::sys::signal::raise(nix::sys::signal::Signal::SIGSTOP).map_err(io::Error::from)?;
        enter()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that is gone.
        let _ = leave();
    }
}

fn enter() -> io::Result<()> {
    terminal::enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    own();
    // We read NO_COLOR ourselves and use a theme without colour: crossterm's own reading of it would
    // wipe bold and reverse beside any colour, and with them the selection.
    crossterm::style::force_color_output(true);
    execute!(io::stdout(), terminal::EnterAlternateScreen, event::EnableBracketedPaste, cursor::Hide)
}

fn own() {
    if let Ok(mut owner) = OWNER.lock() {
        *owner = Some(thread::current().id());
    }
}

/// Sets the terminal's line modes back without writing to it. Its screen and its cursor stay as they are:
/// a terminal that takes no bytes cannot be told of them. [`leave`] may be held up on them just now.
pub fn let_go() {
    TAKEN.store(false, Ordering::SeqCst);
    // Nothing can be done about a terminal that is gone.
    let _ = terminal::disable_raw_mode();
}

fn leave() -> io::Result<()> {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return Ok(());
    }
    let mut out = io::stdout();
    let shown = execute!(
        out,
        event::DisableMouseCapture,
        event::DisableBracketedPaste,
        terminal::LeaveAlternateScreen,
        cursor::Show
    );
    terminal::disable_raw_mode()?;
    shown?;
    out.flush()
}

/// Gives the terminal back before a panic of the loop is printed, so that it can be read. A panic of a
/// task ends that task alone: its words go to the log, since the terminal is still the loop's.
pub fn install_panic_hook() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_tasks = OWNER.lock().is_ok_and(|owner| owner.is_some_and(|id| id != thread::current().id()));
        if is_tasks && TAKEN.load(Ordering::SeqCst) {
            tracing::error!(%panic, backtrace = %Backtrace::force_capture(), "a task broke off");
            return;
        }
        let _ = leave();
        before(panic);
    }));
}

/// A screen that is written to `W`, a frame at a time.
pub type Screen<W> = Terminal<FrameBackend<W>>;

/// The screen on standard output.
///
/// # Errors
/// If the terminal's size cannot be read.
pub fn screen() -> io::Result<Screen<io::Stdout>> {
    Terminal::new(FrameBackend::new(io::stdout()))
}

/// A screen of a fixed size, for tests and pictures.
///
/// # Errors
/// If `out` cannot be written.
pub fn screen_of<W: Write>(out: W, size: Size) -> io::Result<Screen<W>> {
    Terminal::new(FrameBackend::fixed(out, size.columns, size.rows))
}

/// What is pressed, pasted and resized on the terminal.
pub fn input() -> EventStream {
    EventStream::new()
}
