//! Sources: what brings events, how it proves itself, and what of it is wanted.

use super::Check;
use crate::config::meant::{
    Ends, LogFilter, Mapping, Place, Proof, SOURCE_TYPES, Source, SystemLog, Way, Webhook,
};
use crate::config::problem::At;
use crate::config::said;
use crate::domain::Query;
use crate::domain::action::EndKind;
use crate::domain::event::SourceName;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::time::Duration;

const HEADING: &str = "[[source]]";
const PROOF: &str =
    "one of `header`, `query`, `basic_user`, `hmac_header` says how the caller shows the secret";
const POLLED: &str = "okta-system-log";
const MAPPED: &str = "generic-webhook";
const OF_EXECUTIONS: &str = "okta-execution-log";
/// What only a source that is posted to has, and what only one that is asked has.
const OF_POSTED: &str = "it is asked for, not posted: take it out";
const OF_POLLED: &str = "only `okta-system-log` knows it: take it out";
const FIRST_FETCH: Duration = Duration::from_secs(24 * 60 * 60);
const INTERVAL: Duration = Duration::from_secs(30);
/// Okta keeps 90 days and refuses to look back further than 180.
const LONGEST_FETCH: Duration = Duration::from_secs(90 * 24 * 60 * 60);
const MOST_APPLICATIONS: usize = 50;

/// Where on the request the secret stands.
enum Carrier {
    Header(String),
    Query(String),
    Basic(String),
    Hmac(String),
}

impl Carrier {
    fn with(self, secret: SecretString) -> Proof {
        match self {
            Carrier::Header(name) => Proof::Header { name: name.to_ascii_lowercase(), secret },
            Carrier::Query(name) => Proof::Query { name, secret },
            Carrier::Basic(user) => Proof::Basic { user, secret },
            Carrier::Hmac(name) => Proof::Hmac { name: name.to_ascii_lowercase(), secret },
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

    /// What sources that are posted to have to bring to be taken in, in the filter's grammar.
    pub(super) fn source_filters(&mut self, said: &[said::Source]) -> BTreeMap<SourceName, Query> {
        let mut filters = BTreeMap::new();
        for (index, source) in said.iter().enumerate().filter(|(_, source)| !is_polled(source)) {
            let (Some(text), Some(name)) = (&source.filter, source.name.as_ref().or(source.kind.as_ref()))
            else {
                continue;
            };
            let at = At::element(HEADING, index).key("filter");
            if let Some(query) = self.event_query(text, at) {
                filters.insert(SourceName(name.clone()), query);
            }
        }
        filters
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
        let Some(source_type) = SOURCE_TYPES.iter().find(|known| **known == kind) else {
            let hint = format!("one of `{}`", SOURCE_TYPES.join("`, `"));
            self.problems.hinted(at.key("type"), format!("`{kind}` is not a type of source"), &hint);
            return None;
        };
        let name = self.source_name(said.name.clone().unwrap_or(kind), at);
        let canary = said.canary.as_ref().and_then(|text| self.span(text, at.key("canary"), MINUTE..));
        let way = match *source_type {
            POLLED => self.system_log(&said, at).map(Way::SystemLog),
            _ => self.webhook(said, source_type, at).map(Box::new).map(Way::Webhook),
        };
        Some(Source { name: name?, source_type, way: way?, canary })
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

    fn webhook(&mut self, said: said::Source, source_type: &str, at: &At) -> Option<Webhook> {
        self.refuse(
            at,
            OF_POLLED,
            [
                ("applications", said.applications.is_some()),
                ("first_fetch", said.first_fetch.is_some()),
                ("interval", said.interval.is_some()),
            ],
        );
        let mapping = self.mapping(&said, source_type, at);
        let ends = self.ends(&said, source_type, at);
        let path = self.required(said.path.clone(), at.key("path"), "`/hooks/cii`");
        let path = path.and_then(|path| self.hook_path(path, at.key("path")));
        let carrier = self.carrier(&said, at);
        let hint = "a source without a secret does not start: `secret = { env = \"NAME\" }`";
        let secret = self.secret(said.secret.as_ref(), at.key("secret"), hint);
        Some(Webhook { path: path?, proof: carrier?.with(secret?), mapping: mapping?, ends: ends? })
    }

    /// The inner option is whether there is a mapping, the outer whether it is sound.
    fn mapping(&mut self, said: &said::Source, source_type: &str, at: &At) -> Option<Option<Mapping>> {
        let at = at.key("map");
        match (&said.map, source_type == MAPPED) {
            (None, false) => Some(None),
            (Some(_), false) => {
                self.problems.hinted(at, "only `generic-webhook` has one", "the shape of this type is known");
                None
            }
            (None, true) => {
                self.problems
                    .missing(at, "`map = { title = \"/title\", check = \"my-check\", users = \"/user\" }`");
                None
            }
            (Some(map), true) => self.places(map, &at).map(Some),
        }
    }

    fn ends(&mut self, said: &said::Source, source_type: &str, at: &At) -> Option<Ends> {
        let Some(ended) = &said.ended else { return Some(Ends::default()) };
        let at = at.key("ended");
        if source_type != OF_EXECUTIONS {
            let hint = "records of other sources are no ends of executions: take it out";
            self.problems.hinted(at, "only `okta-execution-log` has one", hint);
            return None;
        }
        let mut ends = Ends::default();
        for (word, types) in ended {
            for event_type in types {
                let kind = EndKind::parse(word)?;
                if event_type.trim().is_empty() {
                    self.problems.hinted(
                        at.inner(word),
                        "holds an empty text",
                        "an `event_type`, as it arrives",
                    );
                    return None;
                }
                if ends.0.insert(event_type.clone(), kind).is_some_and(|other| other != kind) {
                    let what = format!("`{event_type}` is both");
                    self.problems.hinted(at.inner(word), what, "a run ends in one way: name it once");
                    return None;
                }
            }
        }
        Some(ends)
    }

    fn places(&mut self, map: &BTreeMap<String, String>, at: &At) -> Option<Mapping> {
        let mut mapping = Mapping::default();
        for (key, text) in map {
            if !self.is_sound_place(text, at.inner(key)) {
                return None;
            }
            if key == "items" && text.starts_with('/') {
                mapping.items = Some(text.clone());
                continue;
            }
            let Some(part) = mapping.part(key) else {
                let hint = "pointers or texts for `id`, `check`, `title`, `severity`, `users`, `description`, \
                            `published`, `link`; a pointer for `items`";
                self.problems.hinted(at.inner(key), "is not a part of an event", hint);
                return None;
            };
            *part = Some(Place::of(text));
        }
        if mapping.check.is_none() || mapping.title.is_none() {
            self.problems.hinted(
                at.clone(),
                "has no `check` or no `title`",
                "both are needed: a finding is a login failing a check",
            );
            return None;
        }
        Some(mapping)
    }

    /// RFC 6901: `~` stands only in `~0` and `~1`.
    fn is_sound_place(&mut self, text: &str, at: At) -> bool {
        let is_escape = |part: &str| part.starts_with(['0', '1']);
        let is_sound = !text.is_empty()
            && text.len() <= 500
            && (!text.starts_with('/') || text.split('~').skip(1).all(is_escape));
        if !is_sound {
            let hint =
                "`/path/0/in/the/json`, `~1` for a slash in a name and `~0` for a tilde, or a plain text";
            self.problems.hinted(at, format!("`{text}` is neither a JSON pointer nor a text"), hint);
        }
        is_sound
    }

    fn system_log(&mut self, said: &said::Source, at: &At) -> Option<SystemLog> {
        self.refuse(
            at,
            OF_POSTED,
            [
                ("path", said.path.is_some()),
                ("header", said.header.is_some()),
                ("query", said.query.is_some()),
                ("basic_user", said.basic_user.is_some()),
                ("hmac_header", said.hmac_header.is_some()),
                ("secret", said.secret.is_some()),
                ("map", said.map.is_some()),
                ("ended", said.ended.is_some()),
            ],
        );
        if !self.has_okta {
            self.problems.hinted(
                at.key("type"),
                "asks an Okta org, and none is configured",
                "`[okta]` with `org_url` and a credential",
            );
        }
        let filter = self.log_filter(said, at);
        let first = said.first_fetch.as_ref();
        let first = first.map(|text| self.span(text, at.key("first_fetch"), MINUTE..=LONGEST_FETCH));
        let interval = said.interval.as_ref();
        let interval = interval.map(|text| {
            self.span(text, at.key("interval"), Duration::from_secs(1)..=Duration::from_secs(3_600))
        });
        Some(SystemLog {
            filter: filter?,
            first_fetch: first.unwrap_or(Some(FIRST_FETCH))?,
            interval: interval.unwrap_or(Some(INTERVAL))?,
        })
    }

    fn log_filter(&mut self, said: &said::Source, at: &At) -> Option<LogFilter> {
        match (&said.filter, &said.applications) {
            (None, None) => Some(LogFilter::Everything),
            (Some(_), Some(_)) => {
                let hint = "`filter` in Okta's own grammar, or `applications`, from which one is made";
                self.problems.hinted(at.key("filter"), "stands beside `applications`", hint);
                None
            }
            (Some(filter), None) if filter.contains("published") => {
                let hint = "Okta refuses it there; `first_fetch` says where to begin";
                self.problems.hinted(at.key("filter"), "asks for `published`", hint);
                None
            }
            (Some(filter), None) => self
                .required(Some(filter.clone()), at.key("filter"), "leave it out for everything")
                .map(LogFilter::Said),
            (None, Some(ids)) => self.applications(ids, at.key("applications")),
        }
    }

    fn applications(&mut self, ids: &[String], at: At) -> Option<LogFilter> {
        let is_id =
            |id: &String| !id.is_empty() && id.len() <= 64 && id.chars().all(|c| c.is_ascii_alphanumeric());
        if let Some(odd) = ids.iter().find(|id| !is_id(id)) {
            self.problems.hinted(
                at,
                format!("`{odd}` is not an application's id"),
                "`0oa…`, as its address shows it",
            );
            return None;
        }
        if ids.len() > MOST_APPLICATIONS {
            self.problems.hinted(at, "names more than 50", "a `filter` of your own, or none");
            return None;
        }
        Some(LogFilter::OfApplications(ids.to_vec()))
    }

    /// Notes settings that belong to another type of source.
    fn refuse<const N: usize>(&mut self, at: &At, hint: &str, said: [(&str, bool); N]) {
        for (key, _) in said.into_iter().filter(|(_, is_said)| *is_said) {
            self.problems.hinted(at.key(key), "does not belong to a source of this type", hint);
        }
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
        match (&said.header, &said.query, &said.basic_user, &said.hmac_header) {
            (Some(name), None, None, None) => {
                self.token(name, at.key("header"), "header")?;
                Some(Carrier::Header(name.clone()))
            }
            (None, Some(name), None, None) => {
                self.token(name, at.key("query"), "query parameter")?;
                Some(Carrier::Query(name.clone()))
            }
            // RFC 7617: the user ends at the first colon.
            (None, None, Some(user), None) if user.contains(':') => {
                self.problems.note(at.key("basic_user"), "a user of HTTP Basic has no colon in it", None);
                None
            }
            (None, None, Some(user), None) => Some(Carrier::Basic(user.clone())),
            (None, None, None, Some(name)) => {
                self.token(name, at.key("hmac_header"), "header")?;
                Some(Carrier::Hmac(name.clone()))
            }
            (None, None, None, None) => {
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
    pub(super) fn token(&mut self, name: &str, at: At, what: &str) -> Option<()> {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if !name.is_empty() && name.chars().all(is_token) {
            return Some(());
        }
        self.problems.note(at, format!("`{name}` is not the name of a {what}"), None);
        None
    }
}

const MINUTE: Duration = Duration::from_secs(60);

fn is_polled(source: &said::Source) -> bool {
    source.kind.as_deref() == Some(POLLED)
}
