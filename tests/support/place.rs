//! A folder with a configuration, secrets and a store, in which the program is run.

use super::process::{Ended, Process};
use super::sweep::{self, Sweep};
use idtriage::ingest::decoder;
use idtriage::lab::Lab;
use idtriage::store::files::throw_away_folder;
use idtriage::store::{self, OpenOptions, Store};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

/// What a webhook has to carry where no lab says something else.
pub(crate) const HOOK_SECRET: &str = "hook-5f1d2c7a9b0e";
const PROGRAM: &str = env!("CARGO_BIN_EXE_idtriage");

/// A folder that is the whole world of the program: home, configuration and state.
#[derive(Debug)]
pub(crate) struct Place {
    folder: TempDir,
    listen: SocketAddr,
    started: AtomicUsize,
    sweep: Sweep,
}

/// No test needs a line for it: whatever a program wrote here holds no secret.
impl Drop for Place {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let leaks = self.leaks();
            assert!(leaks.is_empty(), "{leaks:#?}");
        }
    }
}

impl Place {
    /// A place with one webhook source and no tenant.
    pub(crate) fn with_source() -> Place {
        let place = Place::empty();
        place.write("hook.secret", HOOK_SECRET);
        place.write_config(&format!(
            "[listen]\naddress = \"{}\"\n\n[[source]]\ntype = \"cii-webhook\"\npath = \"/hooks/cii\"\n\
             header = \"x-api-client-token\"\nsecret = {{ file = {:?} }}\n",
            place.listen,
            place.path("hook.secret"),
        ));
        place
    }

    /// A place configured for a lab, as the lab itself says.
    pub(crate) fn with_lab(lab: &Lab) -> Place {
        Place::with_lab_and(lab, "")
    }

    /// The same with more of a configuration behind it.
    pub(crate) fn with_lab_and(lab: &Lab, more: &str) -> Place {
        let place = Place::empty();
        place.write_config(&(posted_only(&place.config_of(lab)) + more));
        place
    }

    fn config_of(&self, lab: &Lab) -> String {
        let secrets = self.path("secrets");
        lab.write_secret_files(&secrets).unwrap();
        self.sweep.watch(lab.handed_out());
        lab.config_toml(&secrets, self.listen)
    }

    /// A place where nothing is yet.
    pub(crate) fn empty() -> Place {
        let folder = throw_away_folder("place-").unwrap();
        fs::create_dir(folder.path().join("tmp")).unwrap();
        let (started, sweep) = (AtomicUsize::new(0), Sweep::default());
        Place { folder, listen: free_address(), started, sweep }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where its configuration is looked for.
    pub(crate) fn config(&self) -> PathBuf {
        self.path("config/idtriage/config.toml")
    }

    /// Where its store is.
    pub(crate) fn store_file(&self) -> PathBuf {
        self.path("state/idtriage/idtriage.db")
    }

    /// Where its listener listens, once somebody receives.
    pub(crate) fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Writes a file for its owner only.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path.parent().unwrap()).unwrap();
        let mut options = fs::File::options();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(&path);
        file.unwrap().write_all(text.as_bytes()).unwrap();
        self.sweep.wrote(&path, text);
    }

    pub(crate) fn write_config(&self, text: &str) {
        self.write("config/idtriage/config.toml", text);
    }

    /// What the program sees of the environment.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let at = |name: &str| self.path(name).display().to_string();
        vec![
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("HOME", at("")),
            ("XDG_CONFIG_HOME", at("config")),
            ("XDG_STATE_HOME", at("state")),
            ("TMPDIR", at("tmp")),
            ("TERM", "xterm-256color".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
        ]
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(words).env_clear().envs(self.environment()).current_dir(self.folder.path());
        command
    }

    /// Starts the program.
    pub(crate) fn start(&self, words: &[&str]) -> Process {
        self.start_command(&mut self.command(words))
    }

    /// Starts a command, its streams in files of this place.
    pub(crate) fn start_command(&self, command: &mut Command) -> Process {
        let n = self.started.fetch_add(1, Ordering::Relaxed);
        Process::start(command, &self.path(&format!("process-{n}")))
    }

    /// Runs the program to its end. One that was asked for a one-time link may print it, on standard output.
    pub(crate) fn run(&self, words: &[&str]) -> Ended {
        let process = self.start(words);
        if words.iter().any(|word| matches!(*word, "--link" | "link=true")) {
            sweep::shows_link(process.out());
        }
        process.ended()
    }

    /// Which secrets stand where none may be.
    pub(crate) fn leaks(&self) -> Vec<String> {
        self.sweep.leaks(self.folder.path(), &self.config())
    }

    /// Runs it with `--json`.
    pub(crate) fn run_json(&self, words: &[&str]) -> Ended {
        self.run(&[words, &["--json"]].concat())
    }

    /// A `collect` that receives.
    pub(crate) fn collect(&self) -> Process {
        let collect = self.start(&["collect"]);
        collect.says("idtriage: receiving");
        collect
    }

    /// Every event of the store, by pages, as the program lists them.
    pub(crate) fn all(&self, what: &str) -> Vec<Value> {
        let mut all: Vec<Value> = Vec::new();
        loop {
            let before = all.last().map(|row| row["id"].as_str().unwrap().to_owned());
            let mut words = vec![what, "list", "--limit", "5000"];
            words.extend(before.iter().flat_map(|id| ["--before", id.as_str()]));
            let page = self.run_json(&words).expect(0).json_lines();
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    }

    /// The store, opened by the test itself beside the program's processes.
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        let url = format!("sqlite:{}", self.store_file().display());
        store::open(&url, decoder(Default::default()), OpenOptions::default()).unwrap()
    }

    /// Whether the program left nothing of a throw-away store behind.
    pub(crate) fn is_swept(&self) -> bool {
        files_below(&self.path("tmp")).is_empty()
    }

    /// The folders that the program made for files that it throws away.
    pub(crate) fn throw_aways(&self) -> Vec<PathBuf> {
        fs::read_dir(self.path("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// Every file below the folder.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        files_below(self.folder.path())
    }
}

/// A lab's configuration without the source that is asked: nothing comes into a store but what a test posts.
fn posted_only(config: &str) -> String {
    let mut config: toml::Table = config.parse().unwrap();
    let sources = config["source"].as_array_mut().unwrap();
    sources.retain(|source| source.get("path").is_some());
    config.to_string()
}

/// Every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// Ports below those that a system hands out by itself, to outgoing connections and to whoever binds 0.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
/// How many ports a process has for itself before it meets those of another one.
const PORTS_EACH: u16 = 100;

/// Free now, and given to nobody else in this process: a configuration names it before the program listens.
fn free_address() -> SocketAddr {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let count = usize::from(PORTS.end - PORTS.start);
    let first = std::process::id() as usize * usize::from(PORTS_EACH);
    let mut ports = (0..count).map(|_| {
        let step = first + NEXT.fetch_add(1, Ordering::Relaxed);
        PORTS.start + u16::try_from(step % count).unwrap()
    });
    let mut addresses = ports.by_ref().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    addresses.find(|address| TcpListener::bind(address).is_ok()).unwrap()
}
