//! SIGTERM, SIGHUP and SIGINT end the program cleanly; SIGCONT draws anew.

use futures_util::{Stream, stream};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signalled {
    /// End: restore the terminal, stop the sources, wait for receipts.
    Stop,
    /// The terminal went away: as [`Signalled::Stop`], but nobody sits there and grows impatient.
    HungUp,
    /// The process goes on after a stop: draw anew.
    Continued,
}

/// The signals that are listened to.
#[derive(Debug)]
pub struct Signals {
    term: Signal,
    hup: Signal,
    int: Signal,
    cont: Signal,
}

impl Signals {
    /// Starts listening.
    ///
    /// # Errors
    /// If the handlers cannot be installed.
    pub fn listen() -> std::io::Result<Signals> {
        Ok(Signals {
            term: signal(SignalKind::terminate())?,
            hup: signal(SignalKind::hangup())?,
            int: signal(SignalKind::interrupt())?,
            cont: signal(SignalKind::from_raw(nix::sys::signal::Signal::SIGCONT as i32))?,
        })
    }

    /// The signals as a stream, as the console takes them: a test hands in another.
    pub fn stream(self) -> impl Stream<Item = Signalled> {
        stream::unfold(self, |mut signals| async move {
            let signalled = signals.next().await;
            Some((signalled, signals))
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Signalled {
        tokio::select! {
            _ = self.term.recv() => Signalled::Stop,
            _ = self.hup.recv() => Signalled::HungUp,
            _ = self.int.recv() => Signalled::Stop,
            _ = self.cont.recv() => Signalled::Continued,
        }
    }
}
