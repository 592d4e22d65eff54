//! Finding, reading and checking the configuration file.
//!
//! Who can write the configuration decides which commands run and where requests go, so a file that
//! others can write is refused before a line of it is used.

use super::mean::{self, Surroundings};
use super::meant::Reading;
use super::problem::{ConfigError, Problems};
use super::said::{self, Said};
use super::secret::{self, Reader, SecretError};
use super::{Config, meant, shape};
use crate::domain::{Flow, SourceHealth};
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Far above any configuration.
const LIMIT: u64 = 1024 * 1024;

/// A configuration with its secrets read.
#[derive(Debug)]
pub struct Loaded {
    /// The file.
    pub path: PathBuf,
    /// What it means.
    pub config: Config,
    /// The variables that secrets are kept in, to be removed from every child process.
    pub secret_variables: BTreeSet<String>,
}

/// The part of a configuration for which no secret is read: enough to triage what is in the store.
#[derive(Debug)]
pub struct Local {
    /// The file.
    pub path: PathBuf,
    /// Where the store is.
    pub store: String,
    /// What can be run; a flow itself holds no secret.
    pub flows: Vec<Flow>,
    /// What arriving events mean; `None` where no configuration says it.
    pub reading: Option<Reading>,
    /// The sources, each as one that has brought nothing yet.
    pub sources: Vec<SourceHealth>,
    /// How long raw events are kept.
    pub keep: Option<Duration>,
    /// The console's settings.
    pub console: meant::Console,
}

/// The folders that the XDG base directory specification names, from a view of the environment.
#[derive(Debug, Clone)]
pub struct Folders {
    /// Where configurations are.
    pub config: PathBuf,
    /// Where state is.
    pub state: PathBuf,
}

impl Folders {
    /// Of this process; `None` without a home directory.
    pub fn of_environment() -> Option<Folders> {
        Folders::of(|name| std::env::var_os(name))
    }

    /// The specification says that a relative path in these variables is to be ignored.
    fn of(variable: impl Fn(&str) -> Option<OsString>) -> Option<Folders> {
        let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = absolute("HOME");
        let under_home = |path: &str| home.as_ref().map(|home| home.join(path));
        let config = absolute("XDG_CONFIG_HOME").or_else(|| under_home(".config"))?;
        let state = absolute("XDG_STATE_HOME").or_else(|| under_home(".local/state"))?;
        Some(Folders { config, state })
    }

    /// The default configuration.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("idtriage/config.toml")
    }

    /// The default store.
    pub fn store_file(&self) -> PathBuf {
        self.state.join("idtriage/idtriage.db")
    }

    /// The folder that records are written to on the analyst's word.
    pub fn exports(&self) -> PathBuf {
        self.state.join("idtriage/exports")
    }
}

/// Reads the configuration and every secret that it names.
///
/// # Errors
/// [`ConfigError`], with every problem at once.
pub fn load(path: &Path, folders: Option<&Folders>) -> Result<Loaded, ConfigError> {
    let read = Parsed::read(path)?;
    let secret_variables = secret::variables(places(&read.said));
    let mut reader = Reader::new(&read.folder, secret_variables.clone());
    let config = read.mean(folders, &mut |place| reader.read(place))?;
    Ok(Loaded { path: path.to_owned(), config, secret_variables })
}

/// Reads and checks the configuration without touching a secret: no command is run, and nothing that
/// would need a secret is handed out.
///
/// # Errors
/// [`ConfigError`], with every problem at once.
pub fn load_local(path: &Path, folders: Option<&Folders>) -> Result<Local, ConfigError> {
    let unread = |_: &said::Secret| -> Result<SecretString, SecretError> { Ok(UNREAD.to_owned().into()) };
    let config = Parsed::read(path)?.mean(folders, &mut { unread })?;
    let reading = Some(Reading::of(&config));
    let org = config.okta.as_ref().and_then(|okta| okta.org_url.host_str()).unwrap_or_default();
    let sources = config.sources.iter().map(|source| source.unheard(org)).collect();
    let flows = config.flows.into_iter().map(|flow| flow.flow).collect();
    let (store, keep, console) = (config.store, config.keep, config.console);
    Ok(Local { path: path.to_owned(), store, flows, reading, sources, keep, console })
}

/// A configuration with those of its secrets that can be read at once, to compare an analyst's words with.
#[derive(Debug)]
pub struct Comparable {
    /// What it means.
    pub config: Config,
    /// So many of its secrets were not read.
    pub unread: usize,
}

/// Reads the configuration and every secret of it that a file or the environment holds. No command is run for a remark:
/// it may ask somebody for a passphrase.
///
/// # Errors
/// [`ConfigError`], with every problem at once. A secret that cannot be read is none.
pub fn load_to_compare(path: &Path, folders: Option<&Folders>) -> Result<Comparable, ConfigError> {
    let read = Parsed::read(path)?;
    let mut reader = Reader::new(&read.folder, BTreeSet::new());
    let mut unread = 0;
    let config = read.mean(folders, &mut |place| {
        let secret = Some(place).filter(|place| place.command.is_none());
        let secret = secret.and_then(|place| reader.read(place).ok());
        unread += usize::from(secret.is_none());
        Ok(secret.unwrap_or_else(|| UNREAD.to_owned().into()))
    })?;
    Ok(Comparable { config, unread })
}

/// Stands for a secret that nobody read.
const UNREAD: &str = "unread";

/// A file whose shape was checked.
struct Parsed {
    path: PathBuf,
    folder: PathBuf,
    said: Said,
    problems: Problems,
}

impl Parsed {
    fn read(path: &Path) -> Result<Parsed, ConfigError> {
        let text = read_ours(path)?;
        let table = text.parse::<toml::Table>().map_err(|error| syntax(path, &text, &error))?;
        let mut problems = Problems::default();
        let said = shape::said(table, &mut problems);
        let path =
            std::path::absolute(path).map_err(|cause| ConfigError::Read { path: path.to_owned(), cause })?;
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Parsed { path, folder, said, problems })
    }

    fn mean(self, folders: Option<&Folders>, read: &mut mean::ReadSecret<'_>) -> Result<Config, ConfigError> {
        let default_store = folders.map(Folders::store_file);
        let around = Surroundings { folder: &self.folder, default_store: default_store.as_deref() };
        let meant = mean::mean(self.said, around, self.problems, read);
        meant.map_err(|problems| ConfigError::Invalid { path: self.path, problems })
    }
}

/// The text of a file that only its owner, and the owner is us or root, can have written.
fn read_ours(path: &Path) -> Result<String, ConfigError> {
    let failed = |cause: std::io::Error| match cause.kind() {
        std::io::ErrorKind::NotFound => ConfigError::NoFile(path.to_owned()),
        _ => ConfigError::Read { path: path.to_owned(), cause },
    };
    let file = File::open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    let not_ours =
        |why: &str, hint: String| ConfigError::NotOurs { path: path.to_owned(), why: why.to_owned(), hint };
    let ours = nix::unistd::Uid::current().as_raw();
    if meta.uid() != ours && meta.uid() != 0 {
        return Err(not_ours(
            "belongs to another user",
            "say `--config PATH` with one of your own".to_owned(),
        ));
    }
    if meta.mode() & 0o022 != 0 {
        return Err(not_ours("can be written by others", format!("`chmod go-w {}`", path.display())));
    }
    if meta.len() > LIMIT {
        return Err(not_ours("is larger than 1 MiB", "it is not a configuration".to_owned()));
    }
    let mut text = String::new();
    file.take(LIMIT).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// The parser's own display quotes the line, in which a secret may stand.
fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start);
    let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
    let what = error.message().lines().next().unwrap_or_default().to_owned();
    ConfigError::Syntax { path: path.to_owned(), line, what }
}

/// Every place where a secret is said to be kept.
fn places(said: &Said) -> Vec<&said::Secret> {
    let sources = said.source.iter().filter_map(|source| source.secret.as_ref());
    let cii = said.cii.iter().filter_map(|cii| cii.client_secret.as_ref());
    let okta = said.okta.iter().flat_map(|okta| [&okta.api_token, &okta.private_key]).flatten();
    let flows = said.flow.iter().filter_map(|flow| match &flow.auth {
        Some(said::Auth::Token(token)) => Some(&token.client_token),
        _ => None,
    });
    let notify = said.notify.iter().flat_map(|notify| [&notify.url, &notify.secret]).flatten();
    sources.chain(cii).chain(okta).chain(flows).chain(notify).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::template;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn folders_follow_the_specification() {
        let folders = |variables: &[(&str, &str)]| {
            Folders::of(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).into()))
        };
        let home = folders(&[("HOME", "/home/ann"), ("XDG_CONFIG_HOME", "relative")]).unwrap();
        assert_eq!(home.config_file(), Path::new("/home/ann/.config/idtriage/config.toml"));
        assert_eq!(home.store_file(), Path::new("/home/ann/.local/state/idtriage/idtriage.db"));
        let set = folders(&[("XDG_CONFIG_HOME", "/c"), ("XDG_STATE_HOME", "/s")]).unwrap();
        assert_eq!(set.store_file(), Path::new("/s/idtriage/idtriage.db"));
        assert!(folders(&[]).is_none());
    }

    #[test]
    fn every_place_of_a_secret_is_found() {
        let said: Said = toml::from_str(&template::uncommented()).unwrap();
        assert_eq!(places(&said).len(), 15);
        let variables = secret::variables(places(&said));
        assert!(variables.contains("SUSPEND_FLOW_TOKEN") && variables.contains("OKTA_API_TOKEN"));
    }

    #[test]
    fn a_configuration_that_others_can_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, "").unwrap();
        let load = |mode: u32| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            load(&path, Some(&Folders { config: folder.path().into(), state: folder.path().into() }))
        };
        assert!(load(0o644).is_ok());
        assert!(load(0o664).unwrap_err().to_string().contains("can be written by others"));
    }

    #[test]
    fn syntax_errors_name_the_line_and_do_not_quote_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, "[okta]\napi_token = hunter2 \"\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let error = load_local(&path, None).unwrap_err();
        let told = error.to_string();
        assert!(told.contains("line 2") && !told.contains("hunter2"), "{told}");
    }
}
