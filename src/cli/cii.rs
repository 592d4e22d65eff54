//! `cii webhook register`, `cii webhook unregister`.

use super::args::{self, CiiWebhook, RegisterWebhook};
use super::failure::Failure;
use super::output::Output;
use super::registration::{self, Basic, Done, Wish};
use super::session::Session;
use crate::config::Config;
use crate::domain::NOTHING;
use crate::tenant::{self, CiiChange, Registered, Registration};

const SOURCE: &str = "cii-webhook";
const LOOK: &str = "look under `Integrations` of CII's own pages: no API lists the targets of webhooks";

/// Runs the subcommand.
///
/// # Errors
/// What is wrong before anything is sent.
pub(super) async fn run(
    what: &args::Cii,
    session: &Session<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let args::Cii::Webhook(what) = what;
    let sending = match what {
        CiiWebhook::Register(what) => what.sending,
        CiiWebhook::Unregister(what) => what.sending,
    };
    if !sending.dry_run {
        session.may_change("registering")?;
    }
    let loaded = session.loaded()?;
    let wish = match what {
        CiiWebhook::Register(what) => register(what, &loaded.config, out)?,
        CiiWebhook::Unregister(what) => unregister(&what.id),
    };
    registration::carry_out(&wish, sending, &loaded, session, out).await
}

fn register(what: &RegisterWebhook, config: &Config, out: &mut Output<'_>) -> Result<Wish, Failure> {
    let (source, webhook) = registration::source(config, SOURCE, what.source.as_deref())?;
    let header = registration::header(source, webhook, &what.url, Basic::Undocumented)?;
    registration::note_path(webhook, &what.url, out)?;
    let mut checks = what.checks.clone();
    checks.sort();
    checks.dedup();
    let target = tenant::CiiWebhook { name: what.name.clone(), endpoint: what.url.clone(), header, checks };
    Ok(Wish {
        what: Registration::Cii(CiiChange::Register(target)),
        does: "registering a webhook with CII",
        setting: format!("registered.{}", source.name),
        look: LOOK,
        done: registered,
    })
}

fn registered(ended: &Registered) -> Done {
    let id = ended.id.as_ref().map_or_else(|| NOTHING.to_owned(), ToString::to_string);
    Done {
        text: format!("registered: {id}"),
        next: format!(
            "keep the id: `idtriage cii webhook unregister {id}` ends it; CII posts once a day what newly fails"
        ),
    }
}

fn unregister(id: &str) -> Wish {
    Wish {
        what: Registration::Cii(CiiChange::Unregister(id.to_owned())),
        does: "unregistering a webhook with CII",
        setting: format!("unregistered.{id}"),
        look: LOOK,
        done: |_| Done {
            text: "unregistered".to_owned(),
            next: "what CII has sent already may still arrive".to_owned(),
        },
    }
}
