//! Receiving without a screen, until a signal.

use super::keeping;
use super::receiver::{self, Tell};
use super::session::expire_leases;
use super::terminal::signals::{Signalled, Signals};
use std::io;
use std::time::Duration;
use tokio::sync::watch;

/// How long requests in flight may take to end.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

/// Receives until SIGTERM, SIGHUP or SIGINT; requests in flight are answered before it ends. What is older
/// than `keep` goes meanwhile.
///
/// # Errors
/// If the signals cannot be listened to.
pub async fn collect(settings: receiver::Settings, keep: Option<Duration>, tell: Tell) -> io::Result<()> {
    let mut signals = Signals::listen()?;
    let (stop, stopped) = watch::channel(false);
    let expiring = tokio::spawn(expire_leases(settings.store.clone(), settings.clock.clone()));
    let keeping = keeping::prune_hourly(settings.store.clone(), keep, settings.clock.clone());
    let keeping = tokio::spawn(keeping);
    let mut receiving = tokio::spawn(receiver::keep_receiving(settings, tell, stopped, None));
    let ended_by_itself = loop {
        tokio::select! {
            signalled = signals.next() => if signalled != Signalled::Continued { break false },
            _ = &mut receiving => break true,
        }
    };
    // A task that has answered must not be asked again: that would panic.
    if !ended_by_itself {
        let _ = stop.send(true);
        let _ = tokio::time::timeout(LAST_REQUESTS, receiving).await;
    }
    expiring.abort();
    keeping.abort();
    Ok(())
}
