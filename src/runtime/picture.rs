//! A picture of the console: the same loop on a screen that nobody sits at.

use super::console::{Ended, Surroundings};
use super::session::{self, Setup};
use super::terminal;
use super::terminal::signals::Signals;
use crate::app::State;
use crate::app::layout::Size;
use crate::view::picture;
use futures_util::stream;
use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

/// How long the screen may take to show what is wanted.
const PATIENCE: Duration = Duration::from_secs(300);

/// Ends the loop as soon as the screen shows what is wanted.
struct Sitter(fn(&State) -> bool);

impl Surroundings for Sitter {
    fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn drawn(&mut self, state: &State) -> ControlFlow<()> {
        if (self.0)(state) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Runs a console of a size until its screen shows what is wanted, and answers that screen as SVG.
///
/// # Errors
/// If the screen does not show it in time, or a signal came before.
pub async fn take(
    setup: Setup,
    size: Size,
    title: &str,
    is_wanted: fn(&State) -> bool,
) -> io::Result<String> {
    let signals = std::pin::pin!(Signals::listen()?.stream());
    let screen = terminal::screen_of(io::sink(), size)?;
    let (mut console, behind) = session::open(setup, screen)?;
    let mut sitter = Sitter(is_wanted);
    let running = console.run(stream::pending(), signals, &mut sitter);
    let ended = tokio::time::timeout(PATIENCE, running).await;
    behind.wind_down(std::future::pending()).await;
    match ended {
        Ok(Ok(Ended::Seen)) => Ok(picture::svg(console.screen().backend().shown(), title)),
        Ok(Ok(Ended::Quit | Ended::Stopped)) => Err(io::Error::other("it was stopped before")),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(io::Error::other(format!("nothing to show came within {} s", PATIENCE.as_secs()))),
    }
}
