//! What a command works with: the configuration as far as it needs it, the store, the actor.
//!
//! Commands that only triage run no password manager, and read a secret only to compare an analyst's words with it;
//! the others read them all, once.

use super::args::Global;
use super::connect;
use super::failure::Failure;
use super::output::Output;
use crate::config::load::{self, Comparable, Folders};
use crate::config::meant::{self, Reading};
use crate::config::{Config, ConfigError, Loaded, Local, actor, mean};
use crate::domain::counted::numbered;
use crate::domain::held_secret::HeldSecret;
use crate::domain::{Actor, Outcome, preset};
use crate::remediation::guard::Mode;
use crate::store::{Access, Store};
use crate::tenant::http::Redactor;
use std::path::PathBuf;
use std::sync::Arc;

/// The global flags, and the folders that they default to.
#[derive(Debug)]
pub(super) struct Session<'a> {
    global: &'a Global,
    /// `None` without a home directory: then everything has to be said.
    folders: Option<Folders>,
}

impl<'a> Session<'a> {
    /// A session of these flags.
    pub(super) fn new(global: &'a Global) -> Session<'a> {
        Session { global, folders: Folders::of_environment() }
    }

    /// The configuration's path: as said, else the default.
    ///
    /// # Errors
    /// If it is not said and there is no home directory.
    pub(super) fn config_path(&self) -> Result<PathBuf, ConfigError> {
        let default = || self.folders.as_ref().map(Folders::config_file);
        self.global.config.clone().or_else(default).ok_or(ConfigError::NoHome)
    }

    /// The configuration with its secrets.
    ///
    /// # Errors
    /// Everything wrong with it.
    pub(super) fn loaded(&self) -> Result<Loaded, Failure> {
        let mut loaded = load::load(&self.config_path()?, self.folders.as_ref())?;
        if let Some(url) = self.said_store()? {
            loaded.config.store = url;
        }
        // It stands in every record, and leaves with every request of a flow.
        if let Some(analyst) = &loaded.config.console.analyst {
            takes_words(&loaded.config, "`[console] analyst`", analyst)?;
        }
        Ok(loaded)
    }

    /// The configuration with the secrets that an analyst's words can be compared with at once.
    ///
    /// # Errors
    /// Everything wrong with it.
    pub(super) fn comparable(&self) -> Result<Option<Comparable>, Failure> {
        match load::load_to_compare(&self.config_path()?, self.folders.as_ref()) {
            // Without a configuration there is no secret.
            Err(ConfigError::NoFile(_)) => Ok(None),
            read => Ok(Some(read?)),
        }
    }

    /// The configuration without its secrets. Where the store is said on the command line, there need
    /// not be a configuration.
    ///
    /// # Errors
    /// Everything wrong with it.
    pub(super) fn local(&self) -> Result<Local, Failure> {
        let said = self.said_store()?;
        let path = self.config_path()?;
        match (load::load_local(&path, self.folders.as_ref()), said) {
            (Err(ConfigError::NoFile(_)), Some(store)) if self.global.config.is_none() => Ok(Local {
                path,
                store,
                flows: preset::all(),
                reading: None,
                sources: Vec::new(),
                keep: None,
                console: meant::Console::default(),
            }),
            (local, Some(store)) => Ok(Local { store, ..local? }),
            (local, None) => Ok(local?),
        }
    }

    /// Opens the store of a configuration, expands what is pending in it first, and lets the runs of processes that are gone
    /// become unknown. A store that takes neither can still be read: why is said. With `--read-only` it
    /// has to be there already, and is left as it is.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(super) async fn store(
        &self,
        url: &str,
        reading: Option<Reading>,
        out: &mut Output<'_>,
    ) -> Result<Arc<dyn Store>, Failure> {
        if self.mode() == Mode::ReadOnly {
            let store = connect::store(url, reading, Access::Read).await?;
            note_pending(store.as_ref(), "`--read-only` expands none", out).await?;
            return Ok(store);
        }
        let expands = reading.is_some();
        let store = connect::store(url, reading, Access::Write).await?;
        if expands {
            if let Err(error) = store.drained().await {
                out.note(&format!("what arrived last is not listed yet: {error}"))?;
            }
        } else {
            note_pending(store.as_ref(), "no configuration says how to read them", out).await?;
        }
        tell_expired(store.as_ref(), out).await?;
        Ok(store)
    }

    /// Opens the store of somebody who is about to receive, or to look on for long: what waits in its inbox is
    /// expanded meanwhile, however much it is, and senders are answered at once.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(super) async fn store_at_once(
        &self,
        config: &Config,
        out: &mut Output<'_>,
    ) -> Result<Arc<dyn Store>, Failure> {
        let (url, reading) = (&config.store, Some(Reading::of(config)));
        if self.mode() == Mode::ReadOnly {
            return self.store(url, reading, out).await;
        }
        let store = connect::store(url, reading, Access::Write).await?;
        tell_expired(store.as_ref(), out).await?;
        Ok(store)
    }

    /// The store of the configuration, for a command that reads no secret.
    ///
    /// # Errors
    /// As [`Session::local`] and [`Session::store`].
    pub(super) async fn local_store(&self, out: &mut Output<'_>) -> Result<Arc<dyn Store>, Failure> {
        let local = self.local()?;
        self.store(&local.store, local.reading, out).await
    }

    /// Who sits here.
    pub(super) fn actor(&self, console: &meant::Console) -> Actor {
        actor::actor(console.analyst.as_deref())
    }

    /// Whether anything may be changed.
    pub(super) fn mode(&self) -> Mode {
        if self.global.read_only { Mode::ReadOnly } else { Mode::Acting }
    }

    /// Refuses what changes something, where that was asked for.
    ///
    /// # Errors
    /// With `--read-only`.
    pub(super) fn may_change(&self, what: &str) -> Result<(), Failure> {
        if self.global.read_only { Err(Failure::read_only(what)) } else { Ok(()) }
    }

    /// `--store`, relative to the working directory.
    pub(super) fn said_store(&self) -> Result<Option<String>, Failure> {
        let Some(url) = &self.global.store else { return Ok(None) };
        let here = std::env::current_dir().unwrap_or_default();
        let url = mean::store_url(url, &here);
        url.map(Some).map_err(|(what, hint)| Failure::usage(format!("`--store`: {what}\nhint: {hint}")))
    }
}

/// Lets the runs of processes that are gone become what they are, and says which did.
async fn tell_expired(store: &dyn Store, out: &mut Output<'_>) -> Result<(), Failure> {
    let expired = match store.expire_leases(connect::now()).await {
        Ok(expired) => expired,
        Err(error) => {
            tracing::warn!(%error, "leases cannot be looked through");
            return Ok(());
        }
    };
    for (id, outcome) in expired {
        let what = match store.action(id).await? {
            Some(action) => format!(" ({}: {})", action.login, action.verb),
            None => String::new(),
        };
        out.note(&match outcome {
            Outcome::NotSent => format!("action {id}{what} was not sent: whoever ran it was gone before a byte left"),
            _ => format!(
                "action {id}{what} broke off: its outcome is unknown; `idtriage journal check {id}` looks at its target"
            ),
        })?;
    }
    Ok(())
}

/// What arrived and is not to be expanded here, if there is something.
async fn note_pending(store: &dyn Store, why: &str, out: &mut Output<'_>) -> Result<(), Failure> {
    match store.health().await?.pending {
        0 => Ok(()),
        pending => Ok(out.note(&format!("not listed yet: {}: {why}", numbered(pending, "arrived element")))?),
    }
}

/// Closes the store behind a command, whatever came of it.
///
/// # Errors
/// The command's own failure goes before the store's.
pub(super) async fn closed(store: &dyn Store, ended: Result<u8, Failure>) -> Result<u8, Failure> {
    let closed = store.close().await;
    let status = ended?;
    closed?;
    Ok(status)
}

/// Refuses words that are kept as they are, where they hold a configured secret.
///
/// # Errors
/// [`HeldSecret`], without the value.
pub(super) fn takes_words(config: &Config, what: &str, words: &str) -> Result<(), Failure> {
    match Redactor::of(config).place_in(words) {
        Some(place) => Err(Failure::usage(HeldSecret::of(what, place).to_string())),
        None => Ok(()),
    }
}
