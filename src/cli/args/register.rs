//! `cii webhook …` and `okta hook …`: where the senders of events post to.

use crate::domain::hook_events;
use crate::tenant::http;
use clap::{Args, Subcommand};
use url::Url;

/// `cii …`
#[derive(Debug, Subcommand)]
pub enum Cii {
    /// Where it posts failing checks to
    #[command(subcommand)]
    Webhook(CiiWebhook),
}

/// `cii webhook …`
#[derive(Debug, Subcommand)]
pub enum CiiWebhook {
    /// Have it post failing checks to a configured source; prints the id that `unregister` takes
    Register(RegisterWebhook),
    /// Have it post there no more
    Unregister(UnregisterWebhook),
}

/// `cii webhook register`
#[derive(Debug, Clone, Args)]
#[command(after_help = "The header and the secret that CII shows are those of the source in the \
    configuration. CII posts from its cloud: the address has to be public and to show a certificate of a \
    public authority.\n\
    Exit status: 0 registered; 1 refused or failed; 2 wrong usage; 4 nobody knows.")]
pub struct RegisterWebhook {
    /// Its name; CII adds something random to it
    #[arg(long, value_name = "TEXT", default_value = "idtriage", value_parser = name)]
    pub name: String,
    /// Where CII posts to: the public address that leads to the source's path
    #[arg(long, value_name = "URL", value_parser = public)]
    pub url: Url,
    /// The id of a check that is posted; may be said several times
    #[arg(long = "check", value_name = "ID", required = true, value_parser = name)]
    pub checks: Vec<String>,
    /// Which source of type `cii-webhook` [default: the only one]
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Whether it is sent.
    #[command(flatten)]
    pub sending: Sending,
}

/// `cii webhook unregister`
#[derive(Debug, Clone, Args)]
pub struct UnregisterWebhook {
    /// The id that `register` printed
    #[arg(value_parser = name)]
    pub id: String,
    /// Whether it is sent.
    #[command(flatten)]
    pub sending: Sending,
}

/// `okta hook …`
#[derive(Debug, Subcommand)]
pub enum OktaHook {
    /// The event hooks of the org, whoever made them
    List,
    /// Make one that posts to a configured source; it posts nothing until it is verified
    Create(CreateHook),
    /// Have Okta ask the address of a hook whether it is ours: `collect` or the console answers
    Verify(VerifyHook),
}

/// `okta hook create`
#[derive(Debug, Clone, Args)]
#[command(after_help = "The header and the secret that Okta shows are those of the source in the \
    configuration. It needs the scope okta.eventHooks.manage.\n\
    Exit status: 0 made; 1 refused or failed; 2 wrong usage; 4 nobody knows.")]
pub struct CreateHook {
    /// Its name
    #[arg(long, value_name = "TEXT", default_value = "idtriage", value_parser = name)]
    pub name: String,
    /// Where Okta posts to: the public address that leads to the source's path
    #[arg(long, value_name = "URL", value_parser = public)]
    pub url: Url,
    /// Which source of type `okta-event-hook` [default: the only one]
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// An event type that is posted; may be said several times [default: those of `sources checks` that
    /// Okta posts]
    #[arg(long = "event", value_name = "TYPE", value_parser = event)]
    pub events: Vec<String>,
    /// Whether it is sent.
    #[command(flatten)]
    pub sending: Sending,
}

/// `okta hook verify`
#[derive(Debug, Clone, Args)]
pub struct VerifyHook {
    /// The id that `create` and `list` print
    #[arg(value_parser = hook)]
    pub id: String,
    /// Whether it is sent.
    #[command(flatten)]
    pub sending: Sending,
}

/// Whether a request is sent or only shown.
#[derive(Debug, Clone, Copy, Args)]
pub struct Sending {
    /// Show what would be sent, and send nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Send it
    #[arg(long)]
    pub yes: bool,
    /// Although an earlier one has an unknown outcome
    #[arg(long)]
    pub again: bool,
}

/// The longest name or id that is taken.
const LONGEST: usize = 200;

fn name(text: &str) -> Result<String, String> {
    let is_plain = !text.trim().is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
    if is_plain { Ok(text.trim().to_owned()) } else { Err("a text of one line, up to 200 bytes".to_owned()) }
}

/// It becomes a part of a path.
fn hook(text: &str) -> Result<String, String> {
    let is_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_plain = !text.is_empty() && text.len() <= LONGEST && text.chars().all(is_id);
    if is_plain {
        Ok(text.to_owned())
    } else {
        Err("an id as `idtriage okta hook list` shows it: letters and digits".to_owned())
    }
}

fn event(text: &str) -> Result<String, String> {
    let is_part = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    };
    if !text.contains('.') || !text.split('.').all(is_part) {
        return Err("an event type looks like `user.risk.detect`".to_owned());
    }
    if !hook_events::is_pushed(text) {
        return Err(
            "Okta never posts it to an event hook: a source of type `okta-system-log` asks for it".to_owned()
        );
    }
    Ok(text.to_owned())
}

/// Whoever posts there shows the secret: it does not cross a network readable.
fn public(text: &str) -> Result<Url, String> {
    let url = Url::parse(text)
        .map_err(|_| "an address looks like `https://hooks.example.com/hooks/cii`".to_owned())?;
    http::check(&url).map_err(|error| {
        let hint = error.hint().map(|hint| format!("; hint: {hint}")).unwrap_or_default();
        format!("{error}{hint}")
    })?;
    match url.fragment() {
        None => Ok(url),
        Some(_) => Err("an address that is posted to has no `#…`".to_owned()),
    }
}
