//! SIGTERM, SIGHUP and SIGINT end the program cleanly; SIGCONT draws anew.

use futures_util::{Stream, stream};
use std::convert::Infallible;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

/// What comes within this time is the same wish: `timeout` sends SIGTERM to its child and then to the child's whole
/// group, and a key that is held down repeats.
const SAME: Duration = Duration::from_secs(1);

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signalled {
    /// End: restore the terminal, stop the sources, wait for receipts.
    Stop,
    /// The same from somebody who sits there, and may grow impatient.
    Interrupted,
    /// The terminal went away: as [`Signalled::Stop`], but nobody sits there and grows impatient.
    HungUp,
    /// The process goes on after a stop: draw anew.
    Continued,
}

impl Signalled {
    /// Whether it asks to end.
    fn asks_to_end(self) -> bool {
        self != Signalled::Continued
    }

    /// Whether it ends a wait that an earlier signal began, so long ago: only somebody who sits there can know that
    /// they want to leave without what is on its way.
    pub fn is_impatient(self, since_first: Duration) -> bool {
        self == Signalled::Interrupted && since_first >= SAME
    }
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

    /// Waits until somebody who sits there does not want to wait any longer.
    pub async fn impatience(mut self) {
        let first = Instant::now();
        while !self.next().await.is_impatient(first.elapsed()) {}
    }

    /// Tells each that comes, and how long after the first of them that asked to end: for as long as it is polled.
    pub async fn told_to(mut self, mut tell: impl FnMut(Signalled, Duration)) -> Infallible {
        let mut first = First::default();
        loop {
            let signalled = self.next().await;
            tell(signalled, first.ago(signalled, Instant::now()));
        }
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Signalled {
        tokio::select! {
            _ = self.term.recv() => Signalled::Stop,
            _ = self.hup.recv() => Signalled::HungUp,
            _ = self.int.recv() => Signalled::Interrupted,
            _ = self.cont.recv() => Signalled::Continued,
        }
    }
}

/// When it was first asked to end.
#[derive(Debug, Default)]
struct First(Option<Instant>);

impl First {
    /// How long ago that was, once one more signal came.
    fn ago(&mut self, signalled: Signalled, now: Instant) -> Duration {
        if signalled.asks_to_end() {
            self.0.get_or_insert(now);
        }
        self.0.map_or(Duration::ZERO, |first| now.duration_since(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::of_timeout(Signalled::Stop, 0, false)]
    #[case::of_a_service_manager(Signalled::Stop, 90_000, false)]
    #[case::the_terminal_went_away(Signalled::HungUp, 5_000, false)]
    #[case::the_same_key(Signalled::Interrupted, 999, false)]
    #[case::once_more(Signalled::Interrupted, 1_000, true)]
    #[case::after_a_stop(Signalled::Continued, 5_000, false)]
    fn only_somebody_who_sits_there_cuts_a_wait_short(
        #[case] signalled: Signalled,
        #[case] since_first: u64,
        #[case] expected: bool,
    ) {
        assert_eq!(signalled.is_impatient(Duration::from_millis(since_first)), expected);
    }

    /// Whoever stopped the process and took it up again has not asked to end it.
    #[test]
    fn the_time_begins_with_the_first_that_asks_to_end() {
        use Signalled::{Continued, Interrupted, Stop};
        let (start, mut first) = (Instant::now(), First::default());
        let come = [
            (9, Continued),
            (60_000, Interrupted),
            (60_040, Interrupted),
            (60_500, Continued),
            (61_140, Stop),
        ];
        let told =
            come.map(|(at, signalled)| first.ago(signalled, start + Duration::from_millis(at)).as_millis());
        assert_eq!(told, [0, 0, 40, 500, 1_140]);
    }
}
