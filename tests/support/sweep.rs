//! No secret in anything that a program wrote: every file below a test's place is searched when the place goes, so
//! that no test needs a line for it.
//!
//! What is secret is told by the lab (its own secrets, tokens, proofs, one-time links) and by the files that a test
//! writes for the program to read its secrets from. It is looked for as it is and in base64.

use super::chat;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use idtriage::config::load::load;
use idtriage::lab::HandedOut;
use secrecy::ExposeSecret as _;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Beside a stream that may show a one-time link, since somebody asked for it there.
const SHOWS_LINK: &str = "shows-link";

/// What is secret in a place, and what the test itself wrote there.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    handed: Mutex<Vec<HandedOut>>,
    own: Mutex<Vec<String>>,
    inputs: Mutex<HashMap<PathBuf, String>>,
}

/// A secret to look for.
struct Needle {
    name: &'static str,
    bytes: Vec<u8>,
    is_one_time: bool,
}

/// Lets one file show one-time links.
pub(crate) fn shows_link(file: &Path) {
    fs::write(marker(file), "").unwrap();
}

fn marker(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap().to_string_lossy();
    file.with_file_name(format!("{name}.{SHOWS_LINK}"))
}

impl Sweep {
    /// What this lab hands out is secret.
    pub(crate) fn watch(&self, handed: HandedOut) {
        self.handed.lock().unwrap().push(handed);
    }

    /// The test wrote a file for the program to read: what is in a file of a secret is one.
    pub(crate) fn wrote(&self, path: &Path, text: &str) {
        let is_secret = path.extension().is_some_and(|ending| ending == "secret" || ending == "pem");
        if is_secret {
            self.own.lock().unwrap().push(text.trim().to_owned());
        }
        self.inputs.lock().unwrap().insert(path.to_owned(), text.to_owned());
    }

    /// Where which secret stands.
    pub(crate) fn leaks(&self, folder: &Path, config: &Path) -> Vec<String> {
        let needles = Needles::of(self.needles());
        let mut leaks = Vec::new();
        for path in super::place::files_below(folder) {
            // A process may still be gone about ending: what it takes away again tells nothing.
            let Ok(bytes) = fs::read(&path) else { continue };
            if !self.is_input(&path, folder, &bytes) {
                let where_ = path.strip_prefix(folder).unwrap().display().to_string();
                leaks.extend(needles.found(&bytes, marker(&path).exists(), &where_));
            }
        }
        leaks.extend(needles.found(configured(config).as_bytes(), false, "the configuration's debug output"));
        leaks
    }

    /// The secrets themselves have to be somewhere.
    fn is_input(&self, path: &Path, folder: &Path, bytes: &[u8]) -> bool {
        let written = self.inputs.lock().unwrap();
        path.starts_with(folder.join("secrets"))
            || written.get(path).is_some_and(|text| text.as_bytes() == bytes)
    }

    fn needles(&self) -> Vec<Needle> {
        let needle = |name, text: &str, is_one_time| Needle { name, bytes: text.into(), is_one_time };
        let mut plain = vec![needle("a webhook's token", chat::TOKEN, false)];
        let own = self.own.lock().unwrap();
        plain.extend(own.iter().map(|text| needle("a secret that the test configured", text, false)));
        for handed in self.handed.lock().unwrap().iter().flat_map(HandedOut::secrets) {
            plain.push(needle(handed.name, handed.secret.expose_secret(), handed.is_one_time));
        }
        plain
    }
}

/// The configuration as a log or a panic would show it. One that runs commands for its secrets is left alone.
fn configured(config: &Path) -> String {
    let text = fs::read_to_string(config).unwrap_or_default();
    match load(config, None).ok().filter(|_| !text.contains("command")) {
        Some(loaded) => format!("{loaded:?}"),
        None => String::new(),
    }
}

/// The secrets by their first two bytes: a store of many megabytes is gone through once.
struct Needles {
    by_start: Vec<Vec<usize>>,
    all: Vec<Needle>,
}

impl Needles {
    fn of(plain: Vec<Needle>) -> Needles {
        let mut all = Vec::new();
        for needle in plain.into_iter().filter(|needle| needle.bytes.len() >= 8) {
            for text in [STANDARD.encode(&needle.bytes), URL_SAFE_NO_PAD.encode(&needle.bytes)] {
                all.push(Needle { bytes: text.into_bytes(), ..needle });
            }
            all.push(needle);
        }
        let mut by_start = vec![Vec::new(); 1 << 16];
        for (at, needle) in all.iter().enumerate() {
            by_start[start(&needle.bytes)].push(at);
        }
        Needles { by_start, all }
    }

    fn found(&self, bytes: &[u8], shows_link: bool, place: &str) -> Vec<String> {
        let mut found: Vec<&Needle> = Vec::new();
        for (at, pair) in bytes.windows(2).enumerate() {
            for needle in self.by_start[start(pair)].iter().map(|at| &self.all[*at]) {
                if !(shows_link && needle.is_one_time) && bytes[at..].starts_with(&needle.bytes) {
                    found.push(needle);
                }
            }
        }
        let mut said: Vec<String> =
            found.into_iter().map(|needle| format!("{} stands in {place}", needle.name)).collect();
        said.dedup();
        said
    }
}

fn start(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}
