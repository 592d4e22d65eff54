//! What the configuration means: [`Said`] → [`Config`], everything checked, every problem noted.
//!
//! One file a part. Each takes what was said and a [`Check`], notes what is wrong with the place and
//! the remedy, and answers `None` where nothing usable is left; the others go on.

mod console;
mod event;
mod flow;
mod source;
mod tenant;
mod url;

use super::Config;
use super::meant::{Address, BulkLimit, Guard, Listen, Net, OktaAllow, Profiles, TlsFiles};
use super::problem::{At, Problem, Problems};
use super::said::{self, Said};
use super::secret::SecretError;
use crate::domain::bulk::MOST_USERS;
use crate::domain::profile::{MapProblem, ProfileMap};
use crate::domain::{Login, Risk, Rules};
use flow::OktaFlows;
use jiff::{Span, SpanRelativeTo};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::{Bound, RangeBounds};
use std::path::{Path, PathBuf};
use std::time::Duration;

const DEFAULT_PORT: u16 = 8790;
/// What may stand before a colon in `[guard] protected`.
const PROTECTED_KINDS: [&str; 2] = ["group", "classification"];
const LISTEN_HINT: &str =
    "loopback with a port, `127.0.0.1:8790`, or `unix:/path`, behind a reverse proxy that ends TLS";
/// Shorter than this, retention would take what somebody is still looking at.
const SHORTEST_KEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// Where secrets come from: the real reader, or one that reads nothing where none is needed.
pub type ReadSecret<'a> = dyn FnMut(&said::Secret) -> Result<SecretString, SecretError> + 'a;

/// What surrounds the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The configuration's folder: relative paths start here.
    pub folder: &'a Path,
    /// The store where none is said; `None` where nobody has a home to keep it in.
    pub default_store: Option<&'a Path>,
}

/// The configuration as it is meant, and everything that is wrong: usable only if nothing is.
///
/// # Errors
/// Every problem, those of the shape first.
pub fn mean(
    said: Said,
    around: Surroundings<'_>,
    problems: Problems,
    read: &mut ReadSecret<'_>,
) -> Result<Config, Vec<Problem>> {
    let mut check = Check { problems, read, has_okta: said.okta.is_some() };
    let config = check.config(said, around);
    match config {
        Some(config) if check.problems.is_empty() => Ok(config),
        _ => Err(check.problems.into_vec()),
    }
}

struct Check<'a, 'r> {
    problems: Problems,
    read: &'a mut ReadSecret<'r>,
    /// Whether there is an org that can be asked for its log.
    has_okta: bool,
}

impl Check<'_, '_> {
    fn config(&mut self, said: Said, around: Surroundings<'_>) -> Option<Config> {
        let can_oauth = said.okta.as_ref().is_some_and(|okta| okta.client_id.is_some());
        let store = self.store(said.store.url, around);
        let at = At::table("[store]").key("keep");
        let keep = said.store.keep.and_then(|text| self.span(&text, at, SHORTEST_KEEP..));
        let listen = self.listen(said.listen, around.folder);
        let net = self.net(said.net, around.folder);
        let filters = self.source_filters(&said.source);
        let sources = self.sources(said.source);
        let log_checks = self.log_checks(said.log_check);
        let notify = self.notify(said.notify);
        let rules = Rules { filters, rules: self.rules(said.rule, &notify) };
        let cii = said.cii.map(|cii| self.cii(cii));
        let allow = said.okta.as_ref().and_then(|okta| okta.allow.as_ref()).map(allow).unwrap_or_default();
        let profiles = said.okta.as_ref().map(|okta| self.profiles(okta)).unwrap_or_default();
        let okta = said.okta.map(|okta| self.okta(okta));
        let okta = okta.flatten();
        let can_act =
            okta.as_ref().is_some_and(|okta| okta.api_token.is_some() || okta.service_app.is_some());
        let offered = if can_act { OktaFlows::Offered } else { OktaFlows::NoCredential };
        let flows = self.flows(said.flow, can_oauth, offered);
        let guard = Guard { okta: allow, ..self.guard(said.guard) };
        let console = self.console(said.console);
        Some(Config {
            store: store?,
            keep,
            listen: listen?,
            net,
            sources,
            log_checks,
            rules,
            notify,
            cii: cii.flatten(),
            okta,
            profiles,
            flows,
            guard,
            console,
        })
    }

    fn store(&mut self, url: Option<String>, around: Surroundings<'_>) -> Option<String> {
        let Some(url) = url else { return self.default_store(around.default_store) };
        match store_url(&url, around.folder) {
            Ok(url) => Some(url),
            Err((what, hint)) => {
                self.problems.hinted(At::table("[store]").key("url"), what, hint);
                None
            }
        }
    }

    fn default_store(&mut self, path: Option<&Path>) -> Option<String> {
        if path.is_none() {
            self.problems.missing(
                At::table("[store]").key("url"),
                "there is no home directory to keep the store in: `sqlite:/path/to/file.db`, or set `HOME`",
            );
        }
        path.map(sqlite)
    }

    /// Webhooks carry people's names and the secret: nothing but loopback goes without TLS.
    fn listen(&mut self, said: said::Listen, folder: &Path) -> Option<Listen> {
        let tls = self.tls(&said, folder);
        let address = match said.address {
            None => Some(Address::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)))),
            Some(text) => self.address(&text, tls.as_ref(), folder),
        };
        Some(Listen { address: address?, tls })
    }

    fn address(&mut self, text: &str, tls: Option<&TlsFiles>, folder: &Path) -> Option<Address> {
        let at = At::table("[listen]").key("address");
        if let Some(path) = text.strip_prefix("unix:") {
            if path.is_empty() || path.ends_with('/') {
                self.problems.hinted(
                    at,
                    format!("`{text}` names no socket"),
                    "`unix:/run/user/1000/idtriage.sock`",
                );
                return None;
            }
            if tls.is_some() {
                self.problems.hinted(at, "a Unix socket speaks no TLS", "take `tls_cert` and `tls_key` out");
                return None;
            }
            return Some(Address::Unix(folder.join(path)));
        }
        match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() || tls.is_some() => return Some(Address::Tcp(address)),
            Ok(_) => self.problems.hinted(
                at,
                format!("`{text}` is not loopback, and there is no TLS"),
                "`tls_cert` and `tls_key`, or loopback behind a reverse proxy that ends TLS",
            ),
            Err(_) => {
                self.problems.hinted(at, format!("`{text}` is not an address with a port"), LISTEN_HINT)
            }
        }
        None
    }

    fn tls(&mut self, said: &said::Listen, folder: &Path) -> Option<TlsFiles> {
        let at = At::table("[listen]");
        match (&said.tls_cert, &said.tls_key) {
            (Some(cert), Some(key)) => Some(TlsFiles { cert: folder.join(cert), key: folder.join(key) }),
            (None, None) => None,
            (Some(_), None) => {
                self.problems
                    .missing(at.key("tls_key"), "the key of `tls_cert`, PEM, in a file of mode 0600");
                None
            }
            (None, Some(_)) => {
                self.problems.missing(at.key("tls_cert"), "the certificate chain of `tls_key`, PEM");
                None
            }
        }
    }

    fn net(&mut self, said: said::Net, folder: &Path) -> Net {
        let at = At::table("[net]").key("proxy");
        let proxy = said.proxy.and_then(|text| self.proxy_url(&text, at));
        let ca_file = said.ca_file.map(|path| folder.join(path));
        if let Some(path) = ca_file.as_ref().filter(|path| !path.is_file()) {
            let at = At::table("[net]").key("ca_file");
            let what = format!("there is no file `{}`", path.display());
            self.problems.hinted(
                at,
                what,
                "a PEM file; a relative path starts at the configuration's folder",
            );
        }
        Net { proxy, ca_file }
    }

    fn profiles(&mut self, said: &said::Okta) -> Profiles {
        let map = self.profile_map(said.map.clone().unwrap_or_default());
        Profiles { map, create_if_missing: said.create_if_missing.unwrap_or_default() }
    }

    fn profile_map(&mut self, own: BTreeMap<String, String>) -> ProfileMap {
        let at = At::table("[okta]").key("map");
        ProfileMap::with(own).unwrap_or_else(|problems| {
            for problem in problems {
                let (name, what, hint) = match problem {
                    MapProblem::Name(name) => {
                        let what = format!("`{name}` cannot be a name");
                        (name, what, "letters, digits, `_`, `-` and `.`")
                    }
                    MapProblem::Reserved(name) => {
                        let what = format!("`{name}` says whom a profile means");
                        (name, what, "it is no field: take it out")
                    }
                    MapProblem::Field(name, field) => {
                        let what = format!("`{field}` cannot be a field of a profile");
                        (name, what, "`idtriage okta fields` lists them")
                    }
                };
                self.problems.hinted(at.inner(&name), what, hint);
            }
            ProfileMap::shipped()
        })
    }

    fn guard(&mut self, said: said::Guard) -> Guard {
        let at = At::table("[guard]");
        let said_protected = said.protected.unwrap_or_default();
        let protected = said_protected.iter().filter_map(|entry| self.protected(entry, at.key("protected")));
        let protected = protected.collect();
        let require_reason_from =
            said.require_reason_from.and_then(|word| self.risk(&word, at.key("require_reason_from")));
        let bulk_limit = self.bulk_limit(said.bulk_limit, at.key("bulk_limit"));
        Guard { protected, require_reason_from, bulk_limit, okta: OktaAllow::default() }
    }

    /// Folded, as a subject's names are. A protection that is silently without effect is worse than none.
    fn protected(&mut self, entry: &str, at: At) -> Option<String> {
        const HINT: &str = "a login, an id, `group:Admins` or `classification:EXECUTIVE`";
        let folded = Login::new(entry).folded().to_owned();
        if folded.is_empty() {
            self.problems.note(at, "a login in it is empty", None);
            return None;
        }
        let is_word = |kind: &str| kind.trim().chars().all(|c| c.is_ascii_alphabetic());
        let Some((kind, name)) = folded.split_once(':').filter(|(kind, _)| is_word(kind)) else {
            return Some(folded);
        };
        let (kind, name) = (kind.trim(), name.trim());
        let what = if !PROTECTED_KINDS.contains(&kind) {
            format!("`{entry}` is of no kind that can be protected")
        } else if name.is_empty() {
            format!("`{entry}` names nobody")
        } else {
            return Some(format!("{kind}:{name}"));
        };
        self.problems.hinted(at, what, HINT);
        None
    }

    fn bulk_limit(&mut self, said: Option<u32>, at: At) -> BulkLimit {
        let Some(limit) = said else { return BulkLimit::default() };
        if limit == 0 || usize::try_from(limit).is_ok_and(|limit| limit > MOST_USERS) {
            self.problems.hinted(
                at,
                format!("`{limit}` is not a number of users"),
                &format!("1 to {MOST_USERS}"),
            );
            return BulkLimit::default();
        }
        BulkLimit(limit)
    }

    fn risk(&mut self, word: &str, at: At) -> Option<Risk> {
        self.word(word, at, Risk::parse, "`low`, `medium` or `high`")
    }

    /// One of some words.
    fn word<T>(&mut self, word: &str, at: At, parse: impl Fn(&str) -> Option<T>, words: &str) -> Option<T> {
        let parsed = parse(word);
        if parsed.is_none() {
            self.problems.hinted(at, format!("`{word}` is not one of its words"), words);
        }
        parsed
    }

    /// A span of time within bounds: `90s`, `12 hours`, `7d`; a day has 24 hours.
    fn span(&mut self, text: &str, at: At, bounds: impl RangeBounds<Duration>) -> Option<Duration> {
        let sound = duration(text).filter(|duration| bounds.contains(duration));
        if sound.is_none() {
            let hint = format!("a span such as `30s`, `15m`, `12 hours`, `7 days`; {}", within(&bounds));
            self.problems.hinted(at, format!("`{text}` is not a span of time that can be used here"), &hint);
        }
        sound
    }

    /// A text that has to be there, with something in it.
    fn required(&mut self, text: Option<String>, at: At, hint: &str) -> Option<String> {
        let text = text.filter(|text| !text.trim().is_empty());
        if text.is_none() {
            self.problems.missing(at, hint);
        }
        text
    }

    /// A secret that has to be there.
    fn secret(&mut self, place: Option<&said::Secret>, at: At, hint: &str) -> Option<SecretString> {
        let Some(place) = place else {
            self.problems.missing(at, hint);
            return None;
        };
        match (self.read)(place) {
            Ok(secret) => Some(secret),
            Err(error) => {
                self.problems.note(at, error.to_string(), error.hint().as_deref());
                None
            }
        }
    }
}

fn allow(said: &said::OktaAllow) -> OktaAllow {
    let is_on = |switch: Option<bool>| switch.unwrap_or(true);
    OktaAllow {
        create: is_on(said.create),
        update: is_on(said.update),
        enable: is_on(said.enable),
        disable: is_on(said.disable),
    }
}

/// Bounds in words: `at least 1m, at most 90d`.
fn within(bounds: &impl RangeBounds<Duration>) -> String {
    let limits = [("at least", bounds.start_bound()), ("at most", bounds.end_bound())];
    let said = limits.into_iter().filter_map(|(words, bound)| match bound {
        Bound::Included(limit) | Bound::Excluded(limit) => Some(format!("{words} {}", spelt(*limit))),
        Bound::Unbounded => None,
    });
    said.collect::<Vec<_>>().join(", ")
}

/// A span in the largest unit that it is a whole number of.
fn spelt(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [(24 * 60 * 60, "d"), (60 * 60, "h"), (60, "m")];
    let unit = units.into_iter().find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit));
    let (unit, word) = unit.unwrap_or((1, "s"));
    format!("{}{word}", seconds / unit)
}

fn duration(text: &str) -> Option<Duration> {
    let span = text.trim().parse::<Span>().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(duration).ok()
}

/// How long raw texts are to be kept, as `[store] keep` says it: `90d`, not less than a day.
pub fn keep(text: &str) -> Option<Duration> {
    duration(text).filter(|keep| *keep >= SHORTEST_KEEP)
}

/// The URL of a SQLite file.
pub fn sqlite(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

/// Checks a store's URL and makes its path absolute. A URL with a password is not repeated.
///
/// # Errors
/// What is wrong, and what mends it.
pub fn store_url(url: &str, folder: &Path) -> Result<String, (String, &'static str)> {
    const HINT: &str = "`sqlite:/path/to/file.db`";
    if let Some(path) = url.strip_prefix("sqlite:") {
        // `sqlite://` has no host here: what follows the slashes is the path.
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.ends_with('/') {
            return Err((format!("`{url}` names no file"), HINT));
        }
        return Ok(sqlite(&folder.join(PathBuf::from(path))));
    }
    match ::url::Url::parse(url) {
        Ok(parsed) if parsed.password().is_some() => {
            Err(("a password stands in the store's URL".to_owned(), "no secret stands in a configuration"))
        }
        Ok(parsed) if matches!(parsed.scheme(), "postgres" | "postgresql") => {
            Err(("a PostgreSQL store is not supported by this version".to_owned(), HINT))
        }
        Ok(parsed) => Err((format!("`{}:` is not a store's scheme", parsed.scheme()), HINT)),
        Err(_) => Err(("it is not a store's URL".to_owned(), HINT)),
    }
}
