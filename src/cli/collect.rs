//! `collect`: receives and stores without a screen.

use super::connect;
use super::console::receiving;
use super::failure::{DONE, Failure};
use super::output::Output;
use crate::app::Msg;
use crate::app::header::Receiver;
use crate::config::Loaded;
use crate::domain::{Actor, SourceHealth, SourceState};
use crate::remediation::guard::Mode;
use crate::runtime::headless;
use crate::store::Store;
use std::collections::BTreeSet;
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
        loaded.config.listen.address,
        loaded.config.sources.len()
    ))?;
    let settings = receiving(&loaded.config, store.clone(), connect::clock(), "collect", actor, Mode::Acting);
    let teller = Teller::default();
    let ended = headless::collect(settings, loaded.config.keep, Arc::new(move |msg| teller.tell(msg))).await;
    store.close().await?;
    ended.map_err(|cause| Failure::failed(format!("signals cannot be listened to: {cause}")))?;
    out.note("stopped; everything that was acknowledged is stored")?;
    Ok(DONE)
}

/// What a person at the service's log wants to know. What is the same as before is not said again: a
/// sender that keeps trying would fill the log of a full disk.
#[derive(Debug, Default)]
struct Teller {
    failed: Mutex<BTreeSet<String>>,
}

impl Teller {
    fn tell(&self, msg: Msg) {
        let lines = match msg {
            Msg::ReceiverChanged(Receiver::ThisConsole) => vec!["receiving".to_owned()],
            Msg::ReceiverChanged(Receiver::Other(who)) => vec![format!("waiting: {who} receives")],
            Msg::ReceiverChanged(Receiver::Nobody(why)) => vec![format!("not receiving: {why}")],
            Msg::SourcesChanged(sources) => self.sources(sources.iter().filter_map(failure).collect()),
            _ => Vec::new(),
        };
        for line in lines {
            tracing::info!("{line}");
            // `eprintln!` would panic, and end the receiving, where the terminal went away.
            let _ = writeln!(io::stderr(), "idtriage: {line}");
        }
    }

    /// Which sources failed now, and that none does any more.
    fn sources(&self, failed: BTreeSet<String>) -> Vec<String> {
        let mut said = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *said, failed.clone());
        if failed.is_empty() && !before.is_empty() {
            return vec!["the sources are well again".to_owned()];
        }
        failed.difference(&before).cloned().collect()
    }
}

fn failure(source: &SourceHealth) -> Option<String> {
    match &source.state {
        SourceState::Failed { why } => Some(format!("source {} failed: {why}", source.name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_said_once_and_so_is_its_end() {
        let teller = Teller::default();
        let say = |failed: &[&str]| teller.sources(failed.iter().map(|line| (*line).to_owned()).collect());
        let nothing: [&str; 0] = [];
        assert_eq!(say(&[]), nothing);
        assert_eq!(say(&["a failed"]), ["a failed"]);
        assert_eq!(say(&["a failed"]), nothing);
        assert_eq!(say(&["a failed", "b failed"]), ["b failed"]);
        assert_eq!(say(&["b failed"]), nothing);
        assert_eq!(say(&[]), ["the sources are well again"]);
        assert_eq!(say(&[]), nothing);
    }
}
