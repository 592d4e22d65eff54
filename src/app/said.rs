//! What an event's message says about its users, read for those around the cursor.

use crate::domain::event::Detail;
use crate::domain::page::EventUser;
use crate::domain::{Login, Untrusted};
use std::collections::BTreeMap;

/// Users read about at once, on either side of the cursor.
const AROUND: usize = 100;
/// Users of whom it is kept; beyond this it is read again where it is wanted.
const KEPT: usize = 2_000;

/// What is said, as far as it was read. Messages never change, so it never grows old.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Said {
    known: BTreeMap<Login, Vec<Detail>>,
}

impl Said {
    /// What is said about one user, a text each; nothing while it is not known.
    pub fn texts(&self, login: &Login) -> Vec<Untrusted> {
        let details = self.known.get(login).map(Vec::as_slice).unwrap_or_default();
        details.iter().map(Detail::text).collect()
    }

    /// Whose details are to be read now: nobody's where the selected user's are known.
    pub fn wanted(&self, users: &[EventUser], at: usize) -> Vec<Login> {
        if users.get(at).is_none_or(|user| self.known.contains_key(&user.login)) {
            return Vec::new();
        }
        let around = users.iter().skip(at.saturating_sub(AROUND)).take(2 * AROUND);
        let unknown = around.filter(|user| !self.known.contains_key(&user.login));
        unknown.map(|user| user.login.clone()).collect()
    }

    /// More is known.
    pub fn put(&mut self, said: Vec<(Login, Vec<Detail>)>) {
        if self.known.len() + said.len() > KEPT {
            self.known.clear();
        }
        self.known.extend(said);
    }
}
