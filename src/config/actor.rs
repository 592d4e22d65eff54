//! Who sits at this terminal, as far as the machine can tell.
//!
//! The name is that of the real uid: `$USER` is whatever somebody exported. The terminal and the SSH
//! client's address come from the session and are noted as they are.

use crate::domain::Actor;
use nix::unistd::{Uid, User, gethostname, ttyname};
use std::net::IpAddr;

/// The actor of this process, with the analyst that the configuration asserts.
pub fn actor(analyst: Option<&str>) -> Actor {
    Actor {
        user: user(),
        analyst: analyst.map(str::to_owned),
        host: gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default(),
        tty: tty(),
        ssh_from: std::env::var("SSH_CONNECTION").ok().and_then(|text| ssh_client(&text)),
    }
}

/// A uid without a name, as in a container, is its number.
fn user() -> String {
    let uid = Uid::current();
    User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}

/// Standard input may be a pipe, and the analyst sits at a terminal all the same.
fn tty() -> Option<String> {
    let path = ttyname(std::io::stdin()).or_else(|_| ttyname(std::io::stderr())).ok()?;
    path.into_os_string().into_string().ok()
}

/// `CLIENT PORT SERVER PORT`: only an address counts as one.
fn ssh_client(connection: &str) -> Option<String> {
    let first = connection.split_whitespace().next()?;
    first.parse::<IpAddr>().ok().map(|address| address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_is_where_ssh_came_from() {
        assert_eq!(ssh_client("192.0.2.7 50000 10.0.0.1 22").as_deref(), Some("192.0.2.7"));
        assert_eq!(ssh_client("2001:DB8::1 50000 ::1 22").as_deref(), Some("2001:db8::1"));
        assert_eq!(ssh_client("\u{1b}[2J 1 2 3"), None);
        assert_eq!(ssh_client(""), None);
    }

    #[test]
    fn the_uid_has_a_name_or_a_number() {
        let actor = actor(Some("Ann"));
        assert!(!actor.user.is_empty() && !actor.host.is_empty());
        assert_eq!(actor.name(), "Ann");
    }
}
