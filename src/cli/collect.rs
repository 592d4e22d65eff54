//! `collect`: receives and stores without a screen.

use super::connect;
use super::console::receiving;
use super::failure::{DONE, Failure};
use super::output::Output;
use crate::app::Msg;
use crate::app::header::{Receiver, SourceState};
use crate::config::Loaded;
use crate::domain::Actor;
use crate::remediation::guard::Mode;
use crate::runtime::headless;
use crate::store::Store;
use std::io::{self, Write};
use std::sync::Arc;

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
    let ended = headless::collect(settings, Arc::new(tell)).await;
    store.close().await?;
    ended.map_err(|cause| Failure::failed(format!("signals cannot be listened to: {cause}")))?;
    out.note("stopped; everything that was acknowledged is stored")?;
    Ok(DONE)
}

/// What a person at the service's log wants to know.
fn tell(msg: Msg) {
    let line = match msg {
        Msg::ReceiverChanged(Receiver::ThisConsole) => "receiving".to_owned(),
        Msg::ReceiverChanged(Receiver::Other(who)) => format!("waiting: {who} receives"),
        Msg::ReceiverChanged(Receiver::Nobody(why)) => format!("not receiving: {why}"),
        Msg::SourcesChanged(sources) => {
            let failed = sources.iter().find_map(|source| match &source.state {
                SourceState::Failed(why) => Some(format!("source {} failed: {why}", source.name)),
                SourceState::Starting | SourceState::Running => None,
            });
            match failed {
                Some(line) => line,
                None => return,
            }
        }
        _ => return,
    };
    tracing::info!("{line}");
    // `eprintln!` would panic, and end the receiving, where the terminal went away.
    let _ = writeln!(io::stderr(), "idtriage: {line}");
}
