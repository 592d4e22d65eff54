//! What is wrong with a configuration: all of it at once.

use std::fmt;
use std::path::PathBuf;

/// Where in the configuration something stands: `[cii] api_url`, `[[source]] #2 secret`. Elements of
/// an array are counted from 1, as a reader of the file counts them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At(String);

impl At {
    /// A table: `[cii]`.
    pub fn table(heading: &str) -> At {
        At(heading.to_owned())
    }

    /// An element of an array of tables; `index` counts from 0.
    pub fn element(heading: &str, index: usize) -> At {
        At(format!("{heading} #{}", index + 1))
    }

    /// A key in it.
    pub fn key(&self, key: &str) -> At {
        At(format!("{} {key}", self.0))
    }

    /// A key inside the value of this key: `auth.client_token`.
    pub fn inner(&self, key: &str) -> At {
        At(format!("{}.{key}", self.0))
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::domain::untrusted::visible(&self.0))
    }
}

/// One thing wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub at: At,
    /// What, with the value in backticks unless it may be a secret.
    pub what: String,
    /// What mends it.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, crate::domain::untrusted::visible(&self.what))?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Problems as they are found.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Notes one. What follows from an earlier problem at the same place is not said again.
    pub fn note(&mut self, at: At, what: impl Into<String>, hint: Option<&str>) {
        if self.0.iter().all(|known| known.at != at) {
            self.0.push(Problem { at, what: what.into(), hint: hint.map(str::to_owned) });
        }
    }

    /// Notes one with what mends it.
    pub fn hinted(&mut self, at: At, what: impl Into<String>, hint: &str) {
        self.note(at, what, Some(hint));
    }

    /// Notes that a setting is needed and not there.
    pub fn missing(&mut self, at: At, hint: &str) {
        self.note(at, "is missing", Some(hint));
    }

    /// All of them, in the order they were found.
    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Why there is no configuration to work with.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no file.
    #[error(
        "there is no configuration at `{0}`\nhint: `idtriage init` writes one; `idtriage demo` needs none"
    )]
    NoFile(PathBuf),
    /// Nobody knows where it would be.
    #[error(
        "there is no home directory to look for a configuration in\nhint: set `HOME`, or say `--config PATH`"
    )]
    NoHome,
    /// It cannot be read.
    #[error(
        "configuration `{path}` cannot be read: {cause}\nhint: it has to be a text file that you may read"
    )]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// Others could have written it.
    #[error("configuration `{path}` {why}\nhint: {hint}")]
    NotOurs {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
        /// What mends it.
        hint: String,
    },
    /// It is not TOML. The line itself is not shown: a secret may stand in it.
    #[error(
        "configuration `{path}` is not TOML: line {line}: {what}\nhint: texts stand in quotes; `idtriage init` with another `--config` writes an example"
    )]
    Syntax {
        /// Which.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// What the parser says.
        what: String,
    },
    /// It is TOML and still cannot be meant.
    #[error("configuration `{path}` cannot be used\n{}", lines(.problems))]
    Invalid {
        /// Which.
        path: PathBuf,
        /// Everything wrong with it.
        problems: Vec<Problem>,
    },
}

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follow_up_at_the_same_place_is_not_said() {
        let mut problems = Problems::default();
        let at = At::element("[[source]]", 1).key("secret");
        problems.hinted(at.clone(), "a secret stands here in words", "name where it is kept");
        problems.missing(at, "say where it is kept");
        let told: Vec<String> = problems.into_vec().iter().map(Problem::to_string).collect();
        assert_eq!(
            told,
            ["[[source]] #2 secret: a secret stands here in words\n  hint: name where it is kept"]
        );
    }
}
