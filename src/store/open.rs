//! How a store is opened, and what its URL names.

use super::{Decode, Store, StoreError, sqlite};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What may be done with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It is made if it is missing, brought to today's form, and written.
    Write,
    /// It has to be there, of today's form, and is left as it is: every write is refused.
    Read,
}

/// What becomes of elements that arrived and are not expanded yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expansion {
    /// They are expanded, as the decoder reads them.
    Expands,
    /// They are left to a process that knows the configuration: read without its rules and mappings they
    /// would be something else for good.
    Leaves,
}

/// How a store is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOptions {
    /// What may be done with it.
    pub access: Access,
    /// Whether what waits in the inbox is expanded.
    pub expansion: Expansion,
    /// How long a write waits for another process's.
    pub busy: Duration,
    /// How often other processes' commits are looked for.
    pub poll: Duration,
    /// How many users of a large event are expanded in one commit.
    pub slice: usize,
}

impl Default for OpenOptions {
    fn default() -> Self {
        OpenOptions {
            access: Access::Write,
            expansion: Expansion::Expands,
            busy: Duration::from_secs(5),
            poll: Duration::from_millis(250),
            slice: 1_000,
        }
    }
}

/// Opens the store that a URL names: `sqlite:PATH`.
///
/// # Errors
/// [`StoreError::Url`] or [`StoreError::UrlWithPassword`] if it names none, [`StoreError::Open`] if the
/// file cannot be used as it is.
pub fn open(url: &str, decode: Arc<dyn Decode>, options: OpenOptions) -> Result<Arc<dyn Store>, StoreError> {
    let path = sqlite_path(url)?;
    let store: Arc<dyn Store> = sqlite::SqliteStore::open(Path::new(path), decode, options)?;
    Ok(store)
}

/// The path in `sqlite:PATH`; `sqlite://` in front of an absolute path is understood too.
///
/// # Errors
/// As [`open()`].
pub fn sqlite_path(url: &str) -> Result<&str, StoreError> {
    match url.strip_prefix("sqlite:") {
        Some(rest) => {
            let path = rest.strip_prefix("//").filter(|path| path.starts_with('/')).unwrap_or(rest);
            if path.is_empty() { Err(StoreError::Url(url.to_owned())) } else { Ok(path) }
        }
        None if has_password(url) => Err(StoreError::UrlWithPassword),
        None => Err(StoreError::Url(url.to_owned())),
    }
}

/// Whether there is a password in front of a URL's host, or a parameter of that name behind it.
fn has_password(url: &str) -> bool {
    let (authority, rest) = url
        .split_once("://")
        .map_or(("", url), |(_, rest)| rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())));
    let in_authority = authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
    in_authority || rest.to_lowercase().contains("password=")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("sqlite:/var/lib/x.db", "/var/lib/x.db")]
    #[case("sqlite:///var/lib/x.db", "/var/lib/x.db")]
    #[case("sqlite:x.db", "x.db")]
    fn a_url_names_a_file(#[case] url: &str, #[case] path: &str) {
        assert_eq!(sqlite_path(url).unwrap(), path);
    }

    #[rstest]
    #[case("sqlite:")]
    #[case("/var/lib/x.db")]
    #[case("mysql://host/db")]
    fn anything_else_names_none(#[case] url: &str) {
        assert!(matches!(sqlite_path(url), Err(StoreError::Url(_))));
    }

    #[rstest]
    #[case("postgres://ann:hunter2@db/idtriage")]
    #[case("postgres://ann:hunt@er2@db")]
    #[case("postgres://db/idtriage?user=ann&Password=hunter2")]
    fn a_password_is_refused_and_not_repeated(#[case] url: &str) {
        let error = sqlite_path(url).unwrap_err();
        assert!(matches!(error, StoreError::UrlWithPassword));
        assert!(!error.to_string().contains("hunt"));
    }
}
