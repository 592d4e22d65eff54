//! The configuration as the program works with it: checked, with defaults, secrets read.

use crate::domain::{Flow, event::SourceName};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// Everything.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the store is, as a URL: `sqlite:/path`.
    pub store: String,
    /// Where the listener listens.
    pub listen: SocketAddr,
    /// How HTTP leaves.
    pub net: Net,
    /// Where events come from.
    pub sources: Vec<Source>,
    /// Cisco Identity Intelligence, if configured.
    pub cii: Option<Cii>,
    /// Okta, if configured.
    pub okta: Option<Okta>,
    /// What can be run; the nine presets that are not configured are listed as `open`.
    pub flows: Vec<ConfiguredFlow>,
    /// What must not be done.
    pub guard: Guard,
    /// The console's own settings.
    pub console: Console,
}

/// How HTTP leaves.
#[derive(Debug, Clone, Default)]
pub struct Net {
    /// A proxy for everything but loopback.
    pub proxy: Option<Url>,
    /// A private certificate authority, PEM.
    pub ca_file: Option<PathBuf>,
}

/// One source of events.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name: as configured, else its type.
    pub name: SourceName,
    /// Its type, one of [`SOURCE_TYPES`].
    pub source_type: &'static str,
    /// What posts to it.
    pub webhook: Webhook,
}

/// The types of sources that can be configured. What each one knows is in [`crate::source::TYPES`].
pub const SOURCE_TYPES: &[&str] = &["cii-webhook"];

/// A path that something posts to.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The path, `/hooks/cii`.
    pub path: String,
    /// How the caller proves itself.
    pub proof: Proof,
}

/// How a caller proves itself to the listener.
#[derive(Debug, Clone)]
pub enum Proof {
    /// A secret in this header.
    Header {
        /// The header's name, lower case.
        name: String,
        /// Its value.
        secret: SecretString,
    },
    /// HTTP Basic.
    Basic {
        /// The user.
        user: String,
        /// The password.
        secret: SecretString,
    },
    /// A secret in this query parameter; never logged.
    Query {
        /// The parameter's name.
        name: String,
        /// Its value.
        secret: SecretString,
    },
}

/// Cisco Identity Intelligence.
#[derive(Debug, Clone)]
pub struct Cii {
    /// Where tokens come from.
    pub token_url: Url,
    /// Where GraphQL is.
    pub api_url: Url,
    /// The API client's id.
    pub client_id: String,
    /// The API client's secret.
    pub client_secret: SecretString,
    /// Sent only if configured: clients made before September 2025 may need it.
    pub audience: Option<String>,
}

/// Okta.
#[derive(Debug, Clone)]
pub struct Okta {
    /// `https://example.okta.com`.
    pub org_url: Url,
    /// An SSWS token.
    pub api_token: Option<SecretString>,
    /// A service application.
    pub service_app: Option<ServiceApp>,
}

/// An OAuth service application with a private key.
#[derive(Debug, Clone)]
pub struct ServiceApp {
    /// The application's client id.
    pub client_id: String,
    /// The private key, PEM.
    pub private_key: SecretString,
    /// The key's id, where the application has several.
    pub key_id: Option<String>,
}

/// A flow and the secret that it is called with.
#[derive(Debug, Clone)]
pub struct ConfiguredFlow {
    /// The flow.
    pub flow: Flow,
    /// Its client token, where that is how it is called.
    pub client_token: Option<SecretString>,
}

/// What must not be done.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// Logins that no flow may target, folded.
    pub protected: Vec<String>,
    /// From which risk on a reason is asked for.
    pub require_reason_from: Option<crate::domain::Risk>,
}

/// The console's own settings.
#[derive(Debug, Clone)]
pub struct Console {
    /// The analyst's name, asserted.
    pub analyst: Option<String>,
    /// The theme's name.
    pub theme: String,
    /// Keys that differ from the defaults: command id → keys.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Whether dossiers are read before they are asked for.
    pub prefetch: Prefetch,
    /// Hosts whose links open without the link card, beside those configured.
    pub link_hosts: Vec<String>,
    /// How links are opened.
    pub open: OpenLinks,
    /// How long the feed may be silent before the header says so.
    pub canary: Option<Duration>,
    /// In which zone times are shown.
    pub time: ShownTime,
    /// With which signs the frame is drawn.
    pub borders: Borders,
}

impl Default for Console {
    fn default() -> Self {
        Console {
            analyst: None,
            theme: "ansi".to_owned(),
            keys: BTreeMap::new(),
            prefetch: Prefetch::On,
            link_hosts: Vec::new(),
            open: OpenLinks::Auto,
            canary: None,
            time: ShownTime::Utc,
            borders: Borders::Unicode,
        }
    }
}

/// Whether dossiers are read ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefetch {
    /// After 300 ms of rest.
    On,
    /// Only when asked for.
    Off,
}

/// In which zone the console shows times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownTime {
    /// UTC, with `Z`.
    Utc,
    /// The machine's zone, with its offset.
    Local,
}

/// With which signs the console's frame is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Borders {
    /// Lines, blocks and shapes.
    Unicode,
    /// Nothing outside ASCII.
    Ascii,
}

/// How links are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenLinks {
    /// On a desktop; under SSH only with `$BROWSER`.
    Auto,
    /// Always try.
    Always,
    /// Never spawn anything: show the link.
    Never,
}
