//! Holds the source tree to what `src/lib.rs` and the README say of it: which room may use which, where
//! each library stands, where time passes and tasks begin; and the registry and the themes to themselves.
//!
//! What is read is the text of `src/`, without comments and without test modules. A failure names file
//! and line and says what to do about it.
#![expect(clippy::unwrap_used, reason = "helpers of tests outside of test functions")]

use idtriage::command::{COMMANDS, Keymap};
use idtriage::view::theme::{self, Role, Theme};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Which rooms a room may use, the lowest first: whatever a room uses stands above it in this table, so
/// that there can be no cycle. `lab` uses none of them: a double that shared code with what it doubles
/// would share its mistakes.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("lab", &[]),
    // What is seen.
    ("app", &["domain"]),
    ("command", &["app", "domain"]),
    ("view", &["app", "domain"]),
    // What is read, kept and sent.
    ("config", &["domain"]),
    ("tenant", &["config", "domain"]),
    ("source", &["config", "domain", "tenant"]),
    ("store", &["domain"]),
    ("ingest", &["config", "domain", "source", "store"]),
    ("remediation", &["config", "domain", "store", "tenant"]),
    ("notify", &["config", "domain", "store", "tenant"]),
    // Where both meet.
    (
        "runtime",
        &[
            "app",
            "command",
            "config",
            "domain",
            "ingest",
            "notify",
            "remediation",
            "source",
            "store",
            "tenant",
            "view",
        ],
    ),
    (
        "cli",
        &[
            "app",
            "command",
            "config",
            "domain",
            "ingest",
            "lab",
            "notify",
            "remediation",
            "runtime",
            "source",
            "store",
            "tenant",
            "view",
        ],
    ),
];

/// Where a library may be named: rooms, or files and folders of a room.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("crossterm", &["command/keys", "runtime/console", "runtime/terminal"]),
    ("crokey", &["command/keys"]),
    ("ratatui", &["app/layout", "runtime/terminal", "view"]),
    ("axum", &["lab", "source"]),
    ("reqwest", &["lab", "tenant/http"]),
    ("rusqlite", &["store"]),
    ("clap", &["cli"]),
    ("tokio", &["cli", "ingest", "lab", "notify", "remediation", "runtime", "source", "store", "tenant"]),
];

/// Where tasks, threads and processes may begin and where a real clock may be read. Everybody else is
/// handed a clock, and is done when the call returns. `cli/connect` joins the rooms: it opens the store
/// on a thread where that may take its time.
const LIVE: &[&str] = &[
    "cli/connect",
    "config/secret",
    "ingest",
    "lab",
    "notify",
    "remediation/blast",
    "remediation/runner",
    "runtime",
    "source",
    "store",
    "tenant/http",
];

/// What begins something or reads a clock. Groups of a whole crate (`use tokio::{…}`) would hide it.
const LIVE_WORDS: &[&str] = &[
    "tokio::spawn",
    "tokio::time",
    "tokio::process",
    "tokio::{",
    "spawn_blocking",
    "JoinSet",
    "std::thread",
    "thread::spawn",
    "process::Command",
    "std::{",
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    "Zoned::now",
    "SystemClock",
];

/// One file of the program.
struct File {
    /// From the root: `src/app/feed.rs`.
    path: String,
    /// As the tables here name it: `app/feed`; a room's `mod.rs` is the room.
    place: String,
    /// Numbered lines without comments and tests.
    lines: Vec<(usize, String)>,
}

impl File {
    fn room(&self) -> &str {
        self.place.split('/').next().unwrap_or_default()
    }

    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| {
            self.place.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// A line that should not be there, and what to do about it.
struct Fault {
    path: String,
    line: usize,
    what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

fn none(faults: Vec<Fault>) {
    let told: Vec<String> = faults.iter().map(Fault::to_string).collect();
    assert!(told.is_empty(), "\n{}\n", told.join("\n"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the program that is no test.
fn program() -> Vec<File> {
    let mut paths = Vec::new();
    walk(&root().join("src"), &mut paths);
    let tests: Vec<PathBuf> = paths.iter().flat_map(|path| test_files(path)).collect();
    let is_test = |path: &Path| tests.iter().any(|test| path.starts_with(test));
    paths.iter().filter(|path| !is_test(path)).map(|path| file(path)).collect()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, paths);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            paths.push(path);
        }
    }
}

/// The files and folders that a file declares as modules for tests only.
fn test_files(path: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(path).unwrap();
    let folder = match path.file_name().and_then(|name| name.to_str()) {
        Some("mod.rs" | "lib.rs" | "main.rs") => path.parent().unwrap().to_owned(),
        _ => path.with_extension(""),
    };
    let declared = text
        .split("#[cfg(test)]")
        .skip(1)
        .filter_map(|rest| rest.trim_start().strip_prefix("mod ")?.split_once(';').map(|(name, _)| name));
    let names = declared.filter(|name| !name.contains(char::is_whitespace));
    names.flat_map(|name| [folder.join(name), folder.join(format!("{name}.rs"))]).collect()
}

fn file(path: &Path) -> File {
    let text = fs::read_to_string(path).unwrap();
    let relative = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    let place = relative.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    File { place: place.to_owned(), lines: program_lines(&text), path: relative }
}

/// The lines up to the test module at a file's end, without what follows `//`.
fn program_lines(text: &str) -> Vec<(usize, String)> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().enumerate();
    lines.map(|(at, line)| (at + 1, line.split("//").next().unwrap_or_default().to_owned())).collect()
}

/// Whether a path begins on a line: `clap::`, but neither in `overclap::` nor in `crate::clap::`.
fn begins(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| !line[..at].ends_with(is_of_path))
}

/// Whether a line names something, with whatever path before it: `JoinSet` in `task::JoinSet`.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| !line[..at].ends_with(is_of_name))
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_of_path(c: char) -> bool {
    is_of_name(c) || c == ':'
}

/// What follows `crate::` on a line; for a group, a brace.
fn rooms_named(line: &str) -> Vec<String> {
    line.match_indices("crate::")
        .filter(|(at, _)| !line[..*at].ends_with(is_of_name))
        .map(|(at, _)| &line[at + "crate::".len()..])
        .map(|rest| match rest.chars().next() {
            Some('{') => "{".to_owned(),
            _ => rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect(),
        })
        .collect()
}

fn allowed(room: &str) -> Option<&'static [&'static str]> {
    ROOMS.iter().find(|(name, _)| *name == room).map(|(_, uses)| *uses)
}

#[test]
fn every_room_is_in_the_table_and_uses_only_what_stands_above_it() {
    let map = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let declared: BTreeSet<&str> =
        map.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let known: BTreeSet<&str> = ROOMS.iter().map(|(room, _)| *room).collect();
    assert_eq!(declared, known, "rooms of src/lib.rs (left) and of ROOMS in tests/architecture.rs (right)");
    for (at, (room, uses)) in ROOMS.iter().enumerate() {
        for used in *uses {
            let is_above = ROOMS[..at].iter().any(|(above, _)| above == used);
            assert!(is_above, "ROOMS: `{room}` may use `{used}`, which does not stand above it: a cycle");
        }
        assert!(map.contains(&format!("[`{room}`]")), "src/lib.rs: say in its table what `{room}` holds");
    }
}

#[test]
fn rooms_use_only_the_rooms_that_they_may() {
    let mut faults = Vec::new();
    for file in program() {
        let Some(uses) = allowed(file.room()) else { continue };
        for (line, text) in &file.lines {
            for room in rooms_named(text).into_iter().filter(|room| room != file.room()) {
                let what = match (room.as_str(), uses.contains(&room.as_str())) {
                    (_, true) => continue,
                    ("{", _) => {
                        "write `use crate::ROOM::…`, a line a room, so that layers can be read".to_owned()
                    }
                    (room, _) => format!(
                        "`{}` may not use `{room}`: move what both need down to `domain`, or hand it in as a \
                         trait; ROOMS in tests/architecture.rs is the picture",
                        file.room()
                    ),
                };
                faults.push(Fault { path: file.path.clone(), line: *line, what });
            }
        }
    }
    none(faults);
}

#[test]
fn no_path_leaves_its_room_by_the_back_door() {
    let mut faults = Vec::new();
    for file in program().iter().filter(|file| allowed(file.room()).is_some()) {
        let depth = file.place.split('/').count();
        for (line, text) in file.lines.iter().filter(|(_, text)| text.contains(&"super::".repeat(depth))) {
            let what = format!("`{}` leaves the room: spell it `crate::ROOM::…`", text.trim());
            faults.push(Fault { path: file.path.clone(), line: *line, what });
        }
    }
    none(faults);
}

/// An edge that nothing needs any more is a door left open.
#[test]
fn the_table_allows_no_more_than_is_used() {
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in program() {
        let named = file.lines.iter().flat_map(|(_, text)| rooms_named(text));
        used.entry(file.room().to_owned()).or_default().extend(named);
    }
    for (room, uses) in ROOMS {
        for allowed in *uses {
            let is_used = used.get(*room).is_some_and(|used| used.contains(*allowed));
            assert!(is_used, "ROOMS: `{room}` does not use `{allowed}` any more: take it out of the table");
        }
    }
}

#[test]
fn libraries_stay_in_their_places() {
    let mut faults = Vec::new();
    for file in program() {
        for (library, places) in LIBRARIES.iter().filter(|(_, places)| !file.is_in(places)) {
            let path = format!("{library}::");
            for (line, text) in file.lines.iter().filter(|(_, text)| begins(text, &path)) {
                let what = format!(
                    "`{}`: {library} belongs to {}: wrap what is needed there and use the wrapper",
                    text.trim(),
                    places.join(", ")
                );
                faults.push(Fault { path: file.path.clone(), line: *line, what });
            }
        }
    }
    none(faults);
}

#[test]
fn time_passes_and_tasks_begin_only_where_they_may() {
    let mut faults = Vec::new();
    for file in program().iter().filter(|file| !file.is_in(LIVE)) {
        for (line, text) in &file.lines {
            for word in LIVE_WORDS.iter().filter(|word| names(text, word)) {
                let what = match word.strip_suffix('{') {
                    Some(path) => {
                        format!("`{word}`: write `use {path}…`, a line each, so that this can be read")
                    }
                    None => format!(
                        "`{word}`: no task begins and no clock is read here: take a clock as an argument, or \
                         return what is to be done; allowed in {}",
                        LIVE.join(", ")
                    ),
                };
                faults.push(Fault { path: file.path.clone(), line: *line, what });
            }
        }
    }
    none(faults);
}

#[test]
fn the_places_of_the_tables_exist() {
    let places = LIBRARIES.iter().flat_map(|(_, places)| *places).chain(LIVE);
    for place in places {
        let path = root().join("src").join(place);
        let exists = path.is_dir() || path.with_extension("rs").is_file();
        assert!(exists, "tests/architecture.rs names `{place}`, which is not there any more");
    }
}

#[test]
fn commands_are_named_once_and_explained() {
    let (mut ids, mut said) = (BTreeSet::new(), BTreeMap::new());
    for command in COMMANDS {
        let id = command.id;
        assert!(id.split('.').count() == 2, "src/command/registry.rs: `{id}` is not `group.verb`");
        assert!(ids.insert(id), "src/command/registry.rs: the id `{id}` stands twice: rename one");
        assert!(!command.title.is_empty(), "src/command/registry.rs: `{id}` needs a title");
        assert!(command.help.ends_with('.'), "src/command/registry.rs: `{id}` needs a sentence of help");
        assert!(!command.contexts.is_empty(), "src/command/registry.rs: `{id}` can be used nowhere");
        let before = said.insert(command.name, id);
        assert_eq!(
            before, None,
            "src/command/registry.rs: `:{}` means two commands: rename one",
            command.name
        );
    }
    for (name, id) in said {
        let is_own = name == id || !ids.contains(name);
        assert!(is_own, "src/command/registry.rs: `:{name}` of `{id}` is another command's id");
    }
}

#[test]
fn default_keys_parse_and_do_not_clash() {
    let problems = Keymap::new(&BTreeMap::new()).err().unwrap_or_default();
    assert!(problems.is_empty(), "src/command/registry.rs:\n{}", problems.join("\n"));
}

#[test]
fn every_theme_resolves_every_role() {
    let embedded: BTreeSet<String> = theme::names().map(str::to_owned).collect();
    let files: BTreeSet<String> = fs::read_dir(root().join("themes"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(embedded, files, "themes that src/view/theme.rs embeds (left) and files in themes/ (right)");
    for name in &embedded {
        let (_, warnings) = Theme::load(name, None);
        assert!(warnings.is_empty(), "themes/{name}.toml:\n{}", warnings.join("\n"));
        let text = fs::read_to_string(root().join(format!("themes/{name}.toml"))).unwrap();
        let said: toml::Table = text.parse().unwrap();
        for role in Role::all().map(Role::name) {
            let value = match role.split_once('.') {
                Some((table, key)) => said.get(table).and_then(|table| table.get(key)),
                None => said.get(role),
            };
            assert!(value.is_some(), "themes/{name}.toml: say what `{role}` looks like");
        }
    }
}

/// The reading itself: what it has to find, and what it must not.
#[test]
fn the_reader_reads() {
    assert_eq!(rooms_named("use crate::app::Msg; crate::view::x()"), ["app", "view"]);
    assert_eq!(rooms_named("use crate::{app, view};"), ["{"]);
    assert!(rooms_named("use mycrate::app;").is_empty());
    assert!(begins("use clap::Parser;", "clap::") && begins("x: &clap::Error", "clap::"));
    assert!(!begins("use overclap::Parser;", "clap::") && !begins("crate::clap::x", "clap::"));
    assert!(names("tokio::task::JoinSet::new()", "JoinSet") && !names("use nix::unistd::{Uid};", "std::{"));
    let text = "a // crate::x\n#[cfg(test)]\nmod tests {\n b }\n";
    assert_eq!(program_lines(text), [(1, "a ".to_owned())]);
    let declared = test_files(&root().join("src/cli/mod.rs"));
    assert!(declared.contains(&root().join("src/cli/fake.rs")), "{declared:?}");
}
