//! Receiving without a screen, until a signal.

use super::receiver::{self, Tell};
use super::systemd::Systemd;
use super::terminal::signals::{Signalled, Signals};
use super::{keeping, later};
use crate::app::Msg;
use crate::remediation::Runner;
use crate::source::clock::Clock;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How often whoever is told hears the time: a silence is noticed by nothing else.
const TICK: Duration = Duration::from_secs(5);

/// Receives until SIGTERM, SIGHUP or SIGINT; requests in flight are answered, and pages that were read are
/// committed, before it ends. What is older than `keep` goes meanwhile, `runner` looks at the targets of actions
/// whose end is open, and something else may be done beside it. `systemd` is told.
///
/// # Errors
/// If the signals cannot be listened to, or the receiving broke off.
pub async fn collect(
    settings: receiver::Settings,
    keep: Option<Duration>,
    runner: Arc<Runner>,
    (tell, beside_it): (Tell, impl Future<Output = ()> + Send + 'static),
    systemd: Systemd,
) -> io::Result<()> {
    let mut signals = Signals::listen()?;
    let (stop, stopped) = watch::channel(false);
    let (systemd, clock, store) = (Arc::new(systemd), settings.clock.clone(), settings.store.clone());
    let mut beside = JoinSet::new();
    let of_unknown = {
        let tell = tell.clone();
        move |unknown| tell(Msg::Noticed(Err(later::said_of(unknown, later::BY_COMMAND))))
    };
    beside.spawn(later::expire_leases(store.clone(), clock.clone(), of_unknown));
    beside.spawn(later::look_when_due(runner));
    beside.spawn(keeping::prune_hourly(store.clone(), keep, clock.clone()));
    beside.spawn(systemd.clone().keep_alive(store, clock.clone()));
    beside.spawn(tick(tell.clone(), clock));
    beside.spawn(beside_it);
    let told = systemd.hears(tell);
    let mut receiving = tokio::spawn(receiver::keep_receiving(settings, told, stopped, None));
    loop {
        tokio::select! {
            signalled = signals.next() => if signalled != Signalled::Continued { break },
            // It ends for nothing but a stop.
            _ = &mut receiving => return Err(io::Error::other("the receiving broke off; it is in the log")),
        }
    }
    systemd.stopping();
    let _ = stop.send(true);
    let _ = tokio::time::timeout(receiver::STOP_TIME, receiving).await;
    Ok(())
}

async fn tick(tell: Tell, clock: Arc<dyn Clock>) {
    loop {
        tell(Msg::Ticked(clock.now()));
        tokio::time::sleep(TICK).await;
    }
}
