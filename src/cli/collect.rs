//! `collect`: receives and stores without a screen.

use super::connect;
use super::console::receiving;
use super::failure::{DONE, Failure};
use super::output::Output;
use crate::app::Msg;
use crate::app::header::{Receiver, SourceHealth, SourceState};
use crate::config::Loaded;
use crate::domain::Actor;
use crate::remediation::guard::Mode;
use crate::runtime::headless;
use crate::store::Store;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Receives until a signal.
pub(super) async fn run(
    loaded: Loaded,
    store: Arc<dyn Store>,
    actor: &Actor,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    if loaded.config.sources.is_empty() {
        return Err(Failure::usage("no source is configured\nhint: a `[[source]]` says what to receive"));
    }
    out.note(&format!(
        "listening on {} for {} source(s)",
        loaded.config.listen,
        loaded.config.sources.len()
    ))?;
    let settings = receiving(&loaded.config, store.clone(), connect::clock(), "collect", actor, Mode::Acting);
    let teller = Teller::default();
    let ended = headless::collect(settings, Arc::new(move |msg| teller.tell(msg))).await;
    store.close().await?;
    ended.map_err(|cause| Failure::failed(format!("signals cannot be listened to: {cause}")))?;
    out.note("stopped; everything that was acknowledged is stored")?;
    Ok(DONE)
}

/// What a person at the service's log wants to know. What is the same as before is not said again: a
/// sender that keeps trying would fill the log of a full disk.
#[derive(Debug, Default)]
struct Teller {
    failed: Mutex<Option<String>>,
}

impl Teller {
    fn tell(&self, msg: Msg) {
        let line = match msg {
            Msg::ReceiverChanged(Receiver::ThisConsole) => Some("receiving".to_owned()),
            Msg::ReceiverChanged(Receiver::Other(who)) => Some(format!("waiting: {who} receives")),
            Msg::ReceiverChanged(Receiver::Nobody(why)) => Some(format!("not receiving: {why}")),
            Msg::SourcesChanged(sources) => self.sources(sources.iter().find_map(failure)),
            _ => None,
        };
        let Some(line) = line else { return };
        tracing::info!("{line}");
        // `eprintln!` would panic, and end the receiving, where the terminal went away.
        let _ = writeln!(io::stderr(), "idtriage: {line}");
    }

    /// That a source failed, and that none does any more.
    fn sources(&self, failed: Option<String>) -> Option<String> {
        let mut said = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *said, failed.clone());
        match (before, failed) {
            (before, Some(now)) if before.as_ref() != Some(&now) => Some(now),
            (Some(_), None) => Some("the sources are well again".to_owned()),
            _ => None,
        }
    }
}

fn failure(source: &SourceHealth) -> Option<String> {
    match &source.state {
        SourceState::Failed(why) => Some(format!("source {} failed: {why}", source.name)),
        SourceState::Starting | SourceState::Running => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_said_once_and_so_is_its_end() {
        let teller = Teller::default();
        let say = |failed: Option<&str>| teller.sources(failed.map(str::to_owned));
        assert_eq!(say(None), None);
        assert_eq!(say(Some("the disk is full")).as_deref(), Some("the disk is full"));
        assert_eq!(say(Some("the disk is full")), None);
        assert_eq!(say(None).as_deref(), Some("the sources are well again"));
        assert_eq!(say(None), None);
    }
}
