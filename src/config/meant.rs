//! The configuration as the program works with it: checked, with defaults, secrets read.

use crate::domain::action::EndKind;
use crate::domain::event::{IMPORT, SourceName};
use crate::domain::operation::Operation;
use crate::domain::profile::ProfileMap;
use crate::domain::rule::{Rule, Then};
use crate::domain::{Flow, LogChecks, Query, Rules, SourceHealth};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// Everything.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the store is, as a URL: `sqlite:/path`.
    pub store: String,
    /// How long raw events are kept; `None` keeps them for ever.
    pub keep: Option<Duration>,
    /// Where the listener listens.
    pub listen: Listen,
    /// How HTTP leaves.
    pub net: Net,
    /// Where events come from.
    pub sources: Vec<Source>,
    /// Which log records are findings.
    pub log_checks: LogChecks,
    /// What is decided about events once and for all.
    pub rules: Rules,
    /// Who is told of events.
    pub notify: Vec<Notify>,
    /// Cisco Identity Intelligence, if configured.
    pub cii: Option<Cii>,
    /// Okta, if configured.
    pub okta: Option<Okta>,
    /// How profiles of Okta users are said.
    pub profiles: Profiles,
    /// What can be run; the nine presets that are not configured are listed as `open`.
    pub flows: Vec<ConfiguredFlow>,
    /// What must not be done.
    pub guard: Guard,
    /// The console's own settings.
    pub console: Console,
}

/// What arriving events mean: all that is needed to take them in, and no secret. Whoever opens the store
/// expands what is pending in it, and so has to read it in the same way as whoever received it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// Which log records are findings.
    pub log_checks: LogChecks,
    /// Where the parts of a generic webhook's events stand, by source.
    pub mappings: BTreeMap<SourceName, Mapping>,
    /// Which records are ends of an execution, by source.
    pub ends: BTreeMap<SourceName, Ends>,
    /// What is decided about them.
    pub rules: Rules,
}

impl Reading {
    /// As a configuration says it. Whom an event is told to is decided like everything else, when it is
    /// taken in and behind all rules: it stands on the event as a tag.
    pub fn of(config: &Config) -> Reading {
        let mapping = |source: &Source| Some((source.name.clone(), source.webhook()?.mapping.clone()?));
        let ends = |source: &Source| Some((source.name.clone(), source.webhook()?.ends.clone()));
        let mut ends: BTreeMap<SourceName, Ends> = config.sources.iter().filter_map(ends).collect();
        // Records that are imported are those that would have been streamed.
        let of_imports = Ends::agreed(ends.values());
        ends.entry(IMPORT.into()).or_insert(of_imports);
        let rules = config.rules.rules.iter().cloned();
        let told = config.notify.iter().filter_map(Notify::rule);
        Reading {
            log_checks: config.log_checks.clone(),
            mappings: config.sources.iter().filter_map(mapping).collect(),
            ends,
            rules: Rules { rules: rules.chain(told).collect(), ..config.rules.clone() },
        }
    }
}

/// How HTTP leaves.
#[derive(Debug, Clone, Default)]
pub struct Net {
    /// A proxy for everything but loopback.
    pub proxy: Option<Url>,
    /// A private certificate authority, PEM.
    pub ca_file: Option<PathBuf>,
}

/// Where the listener listens, and whether it speaks TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Where.
    pub address: Address,
    /// Certificate and key, where it ends TLS itself.
    pub tls: Option<TlsFiles>,
}

/// Where a listener listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// An address with a port.
    Tcp(SocketAddr),
    /// A Unix socket, for a proxy on the same machine.
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => fmt::Display::fmt(address, f),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The files of a listener that ends TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain, PEM.
    pub cert: PathBuf,
    /// Its private key, PEM; a file that only we can read.
    pub key: PathBuf,
}

/// One source of events.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name: as configured, else its type.
    pub name: SourceName,
    /// Its type, one of [`SOURCE_TYPES`].
    pub source_type: &'static str,
    /// How its events come.
    pub way: Way,
    /// How long it may be silent before that is said.
    pub canary: Option<Duration>,
}

impl Source {
    /// A source that is posted to.
    pub fn posted(name: impl Into<SourceName>, source_type: &'static str, webhook: Webhook) -> Source {
        Source { name: name.into(), source_type, way: Way::Webhook(Box::new(webhook)), canary: None }
    }

    /// Before anything is known of it; `asked` is where one that asks does so.
    pub fn unheard(&self, asked: &str) -> SourceHealth {
        let place = self.webhook().map_or(asked, |webhook| &webhook.path);
        SourceHealth {
            canary_seconds: self.canary.map(|canary| canary.as_secs()),
            ..SourceHealth::new(self.name.clone(), self.source_type, place)
        }
    }

    /// What is posted to, if it is of that kind.
    pub fn webhook(&self) -> Option<&Webhook> {
        match &self.way {
            Way::Webhook(webhook) => Some(webhook),
            Way::SystemLog(_) => None,
        }
    }
}

/// How a source's events come.
#[derive(Debug, Clone)]
pub enum Way {
    /// They are posted here.
    Webhook(Box<Webhook>),
    /// They are asked for at the configured Okta org.
    SystemLog(SystemLog),
}

/// The types of sources that can be configured. What each one knows is in [`crate::source::TYPES`].
pub const SOURCE_TYPES: &[&str] = &[
    "cii-webhook",
    "okta-event-hook",
    "okta-system-log",
    "ispm-webhook",
    "okta-execution-log",
    "generic-webhook",
];

/// A path that something posts to.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The path, `/hooks/cii`.
    pub path: String,
    /// How the caller proves itself.
    pub proof: Proof,
    /// What its elements mean, where their shape is not a vendor's.
    pub mapping: Option<Mapping>,
    /// Which of its records are ends of an execution.
    pub ends: Ends,
}

impl Webhook {
    /// A path without a mapping.
    pub fn new(path: impl Into<String>, proof: Proof) -> Webhook {
        Webhook { path: path.into(), proof, mapping: None, ends: Ends::default() }
    }
}

/// Which records of an execution log are the end of an execution, by their type. No list of types is documented, so
/// that none is shipped: whoever streams the log knows what arrives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ends(pub BTreeMap<String, EndKind>);

impl Ends {
    /// How an execution ended, if a record of this type says so.
    pub fn of(&self, event_type: &str) -> Option<EndKind> {
        self.0.get(event_type).copied()
    }

    /// What of these is said by some and contradicted by none.
    pub fn agreed<'a>(all: impl IntoIterator<Item = &'a Ends>) -> Ends {
        let mut said = BTreeMap::<&str, Option<EndKind>>::new();
        for (event_type, kind) in all.into_iter().flat_map(|ends| &ends.0) {
            let agreed = said.entry(event_type).or_insert(Some(*kind));
            *agreed = agreed.filter(|agreed| agreed == kind);
        }
        let agreed = said.into_iter().filter_map(|(event_type, kind)| Some((event_type.to_owned(), kind?)));
        Ends(agreed.collect())
    }
}

/// What the elements of a `generic-webhook` mean: where in the JSON each part of an event stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mapping {
    /// The list whose elements are events of their own; `None` where a body is one event.
    pub items: Option<String>,
    /// The sender's own id, for telling repeats.
    pub id: Option<Place>,
    /// The check's id.
    pub check: Option<Place>,
    /// The check's title.
    pub title: Option<Place>,
    /// The severity's word.
    pub severity: Option<Place>,
    /// The logins: one text or a list of texts.
    pub users: Option<Place>,
    /// What was found, one text or a list of texts.
    pub description: Option<Place>,
    /// When it was published.
    pub published: Option<Place>,
    /// A page about it.
    pub link: Option<Place>,
}

impl Mapping {
    /// The part of that name, to be filled in; `None` if an event has no such part. `items` is none: it is a
    /// pointer alone.
    pub fn part(&mut self, name: &str) -> Option<&mut Option<Place>> {
        Some(match name {
            "id" => &mut self.id,
            "check" => &mut self.check,
            "title" => &mut self.title,
            "severity" => &mut self.severity,
            "users" => &mut self.users,
            "description" => &mut self.description,
            "published" => &mut self.published,
            "link" => &mut self.link,
            _ => return None,
        })
    }
}

/// Where a part of an event stands, or what it always is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A JSON pointer (RFC 6901), into the element where there are `items`, else into the body.
    Pointer(String),
    /// A text.
    Always(String),
}

impl Place {
    /// As a configuration says it: what begins with `/` is a pointer.
    pub fn of(text: &str) -> Place {
        if text.starts_with('/') { Place::Pointer(text.to_owned()) } else { Place::Always(text.to_owned()) }
    }
}

/// What is asked of Okta's System Log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemLog {
    /// Which records.
    pub filter: LogFilter,
    /// How far back the first request goes.
    pub first_fetch: Duration,
    /// How long it rests after it has read everything.
    pub interval: Duration,
}

/// Which records of the System Log are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogFilter {
    /// All of them.
    Everything,
    /// Those that a SCIM filter names.
    Said(String),
    /// Those about these applications, and those of the IAM configuration in the store.
    OfApplications(Vec<String>),
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
    /// An HMAC-SHA256 of the body, keyed with the secret, in this header: hex or base64, with or without
    /// `sha256=` in front.
    Hmac {
        /// The header's name, lower case.
        name: String,
        /// The key.
        secret: SecretString,
    },
}

/// Somebody who is told of events.
#[derive(Debug, Clone)]
pub struct Notify {
    /// Its name, which rules use.
    pub name: String,
    /// Which events it is told of by itself; `None` where only rules tell it.
    pub when: Option<Query>,
    /// More new events than this at once become one summary.
    pub burst: usize,
    /// How it is told.
    pub channel: Channel,
}

impl Notify {
    /// The rule that tells it of the events that it wants by itself.
    fn rule(&self) -> Option<Rule> {
        let then = Then { notify: vec![self.name.clone()], ..Then::default() };
        Some(Rule { name: format!("[[notify]] {}", self.name), when: self.when.clone()?, then })
    }
}

/// How somebody is told.
#[derive(Debug, Clone)]
pub enum Channel {
    /// A Slack incoming webhook; its URL is a secret.
    Slack {
        /// The URL.
        url: SecretString,
    },
    /// A POST of JSON to any URL.
    Webhook {
        /// The URL; some services put a token in it.
        url: SecretString,
        /// A header with a secret, where one is wanted.
        header: Option<(String, SecretString)>,
    },
    /// The bell and OSC 9 of the terminals where a console is open.
    Bell,
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
    /// The private key, PEM or JWK.
    pub private_key: SecretString,
    /// The key's id, where the application has several and the key does not say its own.
    pub key_id: Option<String>,
    /// Whether its tokens are bound to a key of our own, and each call proves that we hold it (DPoP).
    pub dpop: bool,
}

/// A flow and the secret that it is called with.
#[derive(Debug, Clone)]
pub struct ConfiguredFlow {
    /// The flow.
    pub flow: Flow,
    /// Its client token, where that is how it is called.
    pub client_token: Option<SecretString>,
}

/// How profiles of Okta users are said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profiles {
    /// Names of fields beside Okta's own.
    pub map: ProfileMap,
    /// Whether a change of somebody who is not there makes the account.
    pub create_if_missing: bool,
}

/// What may be done to users by Okta's own calls, from the command line and the console alike. What is not
/// named here is not asked: suspending holds an attacker, and is what is left where `disable` is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OktaAllow {
    /// Making accounts.
    pub create: bool,
    /// Changing profiles.
    pub update: bool,
    /// Activating, and beginning an activation anew: either ends in an account that can be used.
    pub enable: bool,
    /// Deactivating.
    pub disable: bool,
}

impl Default for OktaAllow {
    fn default() -> OktaAllow {
        OktaAllow { create: true, update: true, enable: true, disable: true }
    }
}

impl OktaAllow {
    /// Why an operation is not to be run, if so.
    pub fn forbids(&self, operation: Operation) -> Option<String> {
        let (is_allowed, switch) = match operation {
            Operation::Create => (self.create, "create"),
            Operation::Update => (self.update, "update"),
            Operation::Activate | Operation::Reactivate => (self.enable, "enable"),
            Operation::Deactivate => (self.disable, "disable"),
            _ => return None,
        };
        (!is_allowed).then(|| format!("switched off: `[okta.allow] {switch}` is false"))
    }
}

/// What must not be done.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// What may be done to users by Okta's own calls.
    pub okta: OktaAllow,
    /// Logins that no flow may target, folded.
    pub protected: Vec<String>,
    /// From which risk on a reason is asked for.
    pub require_reason_from: Option<crate::domain::Risk>,
    /// So many users are acted on by one run at most.
    pub bulk_limit: BulkLimit,
}

/// How many users one run may act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkLimit(pub u32);

impl Default for BulkLimit {
    fn default() -> Self {
        BulkLimit(50)
    }
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
