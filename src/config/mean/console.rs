//! The console's own settings.

use super::Check;
use crate::config::meant::{Borders, Console, OpenLinks, Prefetch, ShownTime};
use crate::config::problem::At;
use crate::config::said::{self, Keys};
use crate::domain::untrusted::is_printable;
use std::time::Duration;
use url::Host;

impl Check<'_, '_> {
    pub(super) fn console(&mut self, said: said::Console) -> Console {
        let at = At::table("[console]");
        let default = Console::default();
        let open = said
            .open
            .and_then(|word| self.word(&word, at.key("open"), open_links, "`auto`, `always` or `never`"));
        let time =
            said.time.and_then(|word| self.word(&word, at.key("time"), shown_time, "`utc` or `local`"));
        let borders = said
            .borders
            .and_then(|word| self.word(&word, at.key("borders"), borders, "`unicode` or `ascii`"));
        Console {
            analyst: said.analyst.and_then(|name| self.analyst(name, at.key("analyst"))),
            theme: said.theme.unwrap_or(default.theme),
            keys: said.keys.unwrap_or_default().into_iter().map(|(id, keys)| (id, listed(keys))).collect(),
            prefetch: if said.prefetch == Some(false) { Prefetch::Off } else { Prefetch::On },
            link_hosts: self.link_hosts(said.link_hosts.unwrap_or_default(), at.key("link_hosts")),
            open: open.unwrap_or(default.open),
            canary: said
                .canary
                .and_then(|text| self.span(&text, at.key("canary"), Duration::from_secs(60)..)),
            time: time.unwrap_or(default.time),
            borders: borders.unwrap_or(default.borders),
        }
    }

    /// The name goes into a request header and onto the screen.
    fn analyst(&mut self, name: String, at: At) -> Option<String> {
        let name = name.trim();
        if !name.is_empty() && name.chars().count() <= 128 && name.chars().all(is_printable) {
            return Some(name.to_owned());
        }
        self.problems.hinted(at, format!("`{name}` is not a name"), "1 to 128 visible characters");
        None
    }

    fn link_hosts(&mut self, hosts: Vec<String>, at: At) -> Vec<String> {
        hosts.into_iter().filter_map(|host| self.link_host(&host, &at)).collect()
    }

    /// As a parsed URL spells it, so that the two can be compared.
    fn link_host(&mut self, host: &str, at: &At) -> Option<String> {
        match Host::parse(host.trim()) {
            Ok(parsed) => Some(parsed.to_string()),
            Err(_) => {
                let what = format!("`{host}` is not a host");
                self.problems.hinted(at.clone(), what, "the host alone: `idp.example.com`");
                None
            }
        }
    }
}

fn listed(keys: Keys) -> Vec<String> {
    match keys {
        Keys::One(key) => vec![key],
        Keys::Several(keys) => keys,
    }
}

fn open_links(word: &str) -> Option<OpenLinks> {
    match word {
        "auto" => Some(OpenLinks::Auto),
        "always" => Some(OpenLinks::Always),
        "never" => Some(OpenLinks::Never),
        _ => None,
    }
}

fn shown_time(word: &str) -> Option<ShownTime> {
    match word {
        "utc" => Some(ShownTime::Utc),
        "local" => Some(ShownTime::Local),
        _ => None,
    }
}

fn borders(word: &str) -> Option<Borders> {
    match word {
        "unicode" => Some(Borders::Unicode),
        "ascii" => Some(Borders::Ascii),
        _ => None,
    }
}
