//! Who did something, as far as the machine can tell.

use serde::{Deserialize, Serialize};

/// Who acts. The uid's name is the machine's word; `analyst` is only asserted by the configuration
/// and is marked so wherever it is shown. `$USER` is never used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Actor {
    /// The name of the real uid.
    pub user: String,
    /// The configured analyst, asserted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analyst: Option<String>,
    /// The host it happened on.
    pub host: String,
    /// The terminal, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tty: Option<String>,
    /// The client's address of an SSH session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_from: Option<String>,
}

impl Actor {
    /// The name that a finding is claimed with.
    pub fn name(&self) -> &str {
        self.analyst.as_deref().unwrap_or(&self.user)
    }

    /// The name that histories and a flow's operator header carry: the machine's word first, the asserted
    /// name marked.
    pub fn signed(&self) -> String {
        match &self.analyst {
            Some(analyst) => format!("{} (analyst {analyst}, asserted)", self.user),
            None => self.user.clone(),
        }
    }

    /// For a column: the machine's word, and in brackets the asserted name.
    pub fn brief(&self) -> String {
        match &self.analyst {
            Some(analyst) => format!("{} ({analyst})", self.user),
            None => self.user.clone(),
        }
    }

    /// For the screen: who, and where.
    pub fn shown(&self) -> String {
        format!("{} on {}", self.signed(), self.host)
    }
}
