//! Child processes, without the secrets of the environment.

use std::collections::BTreeSet;

/// Starts child processes; the variables that hold secrets are removed from each.
#[derive(Debug, Clone, Default)]
pub struct Children {
    secret_variables: BTreeSet<String>,
}

impl Children {
    /// Children that must not see these variables.
    pub fn without(secret_variables: impl IntoIterator<Item = String>) -> Children {
        Children { secret_variables: secret_variables.into_iter().collect() }
    }

    /// A command to be filled in.
    pub fn command(&self, program: &str) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(program);
        for name in &self.secret_variables {
            command.env_remove(name);
        }
        command
    }

    /// The same for a command that another library made.
    pub fn clean(&self, command: &mut std::process::Command) {
        for name in &self.secret_variables {
            command.env_remove(name);
        }
    }
}
