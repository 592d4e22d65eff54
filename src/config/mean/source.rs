//! Sources: who posts, where to, and how they prove themselves.

use super::Check;
use crate::config::meant::{Proof, SOURCE_TYPES, Source, Webhook};
use crate::config::problem::At;
use crate::config::said;
use crate::domain::event::SourceName;
use secrecy::SecretString;
use std::collections::BTreeMap;

const HEADING: &str = "[[source]]";
const LATER: [&str; 4] = ["okta-event-hook", "ispm-webhook", "generic-webhook", "okta-system-log"];
const PROOF: &str = "one of `header`, `query`, `basic_user` says how the caller shows the secret";

/// Where on the request the secret stands.
enum Carrier {
    Header(String),
    Query(String),
    Basic(String),
}

impl Carrier {
    fn with(self, secret: SecretString) -> Proof {
        match self {
            Carrier::Header(name) => Proof::Header { name: name.to_ascii_lowercase(), secret },
            Carrier::Query(name) => Proof::Query { name, secret },
            Carrier::Basic(user) => Proof::Basic { user, secret },
        }
    }
}

impl Check<'_, '_> {
    pub(super) fn sources(&mut self, said: Vec<said::Source>) -> Vec<Source> {
        self.note_doubles(&said, "name", |source| source.name.as_ref().or(source.kind.as_ref()));
        self.note_doubles(&said, "path", |source| source.path.as_ref());
        let sources = said.into_iter().enumerate();
        sources.filter_map(|(index, source)| self.source(source, &At::element(HEADING, index))).collect()
    }

    /// A name tells sources apart on the screen, a path on the wire: each stands once.
    fn note_doubles(
        &mut self,
        said: &[said::Source],
        key: &str,
        value: impl Fn(&said::Source) -> Option<&String>,
    ) {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, source) in said.iter().enumerate() {
            let Some(value) = value(source) else { continue };
            match seen.get(value.as_str()) {
                Some(first) => self.problems.hinted(
                    At::element(HEADING, index).key(key),
                    format!("`{value}` is the {key} of source #{} already", first + 1),
                    &format!("give each source its own `{key}`"),
                ),
                None => drop(seen.insert(value, index)),
            }
        }
    }

    fn source(&mut self, said: said::Source, at: &At) -> Option<Source> {
        let kind = self.required(said.kind.clone(), at.key("type"), "`cii-webhook`")?;
        if LATER.contains(&kind.as_str()) {
            let what = format!("`{kind}` is not supported by this version");
            self.problems.hinted(at.key("type"), what, "`cii-webhook`; take this source out");
            return None;
        }
        let Some(source_type) = SOURCE_TYPES.iter().find(|known| **known == kind) else {
            let hint = format!("one of `{}`", SOURCE_TYPES.join("`, `"));
            self.problems.hinted(at.key("type"), format!("`{kind}` is not a type of source"), &hint);
            return None;
        };
        let name = self.source_name(said.name.clone().unwrap_or(kind), at);
        let webhook = self.webhook(said, at);
        Some(Source { name: name?, source_type, webhook: webhook? })
    }

    fn source_name(&mut self, name: String, at: &At) -> Option<SourceName> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
            let hint = "up to 64 letters, digits, `-`, `_` and `.`: filters name it";
            self.problems.hinted(at.key("name"), format!("`{name}` is not a source's name"), hint);
            return None;
        }
        Some(SourceName(name))
    }

    fn webhook(&mut self, said: said::Source, at: &At) -> Option<Webhook> {
        let path = self.required(said.path.clone(), at.key("path"), "`/hooks/cii`");
        let path = path.and_then(|path| self.hook_path(path, at.key("path")));
        let carrier = self.carrier(&said, at);
        let hint = "a source without a secret does not start: `secret = { env = \"NAME\" }`";
        let secret = self.secret(said.secret.as_ref(), at.key("secret"), hint);
        Some(Webhook { path: path?, proof: carrier?.with(secret?) })
    }

    fn hook_path(&mut self, path: String, at: At) -> Option<String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
        if path.len() > 1 && path.starts_with('/') && path.chars().all(is_plain) {
            return Some(path);
        }
        let hint = "a slash, then letters, digits, `-`, `_`, `.` and slashes: `/hooks/cii`";
        self.problems.hinted(at, format!("`{path}` is not a path to post to"), hint);
        None
    }

    fn carrier(&mut self, said: &said::Source, at: &At) -> Option<Carrier> {
        match (&said.header, &said.query, &said.basic_user) {
            (Some(name), None, None) => {
                self.token(name, at.key("header"), "header")?;
                Some(Carrier::Header(name.clone()))
            }
            (None, Some(name), None) => {
                self.token(name, at.key("query"), "query parameter")?;
                Some(Carrier::Query(name.clone()))
            }
            // RFC 7617: the user ends at the first colon.
            (None, None, Some(user)) if user.contains(':') => {
                self.problems.note(at.key("basic_user"), "a user of HTTP Basic has no colon in it", None);
                None
            }
            (None, None, Some(user)) => Some(Carrier::Basic(user.clone())),
            (None, None, None) => {
                self.problems.missing(at.key("header"), PROOF);
                None
            }
            _ => {
                self.problems.hinted(at.key("header"), "more than one way to show the secret is said", PROOF);
                None
            }
        }
    }

    /// RFC 9110's `token`, which is also plain enough for a query parameter.
    fn token(&mut self, name: &str, at: At, what: &str) -> Option<()> {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if !name.is_empty() && name.chars().all(is_token) {
            return Some(());
        }
        self.problems.note(at, format!("`{name}` is not the name of a {what}"), None);
        None
    }
}
