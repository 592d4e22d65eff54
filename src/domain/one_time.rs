//! A link that works once, as Okta makes it to activate an account or to choose a password.

use std::fmt;

/// A one-time link. Whoever has it can take the account over, so it is shown once, to the person who asked
/// for it, and is neither kept nor logged: it has no place in a receipt, and none in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeLink(String);

impl OneTimeLink {
    /// A link that was just made.
    pub fn new(url: String) -> OneTimeLink {
        OneTimeLink(url)
    }

    /// The link itself, to be shown.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OneTimeLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeLink([secret])")
    }
}
