//! A secret in an analyst's words: they are kept and sent as they are, so they are not taken.

/// Words of an analyst's that hold the value of a configured secret. The value is nowhere in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what} holds the value of a configured secret (`{place}`): nothing was sent or kept\nhint: say it without the secret, and change the secret if others may have seen it"
)]
pub struct HeldSecret {
    /// Which words: `the reason`.
    pub what: String,
    /// Where the secret is configured.
    pub place: String,
}

impl HeldSecret {
    /// Of these words: `the reason`.
    pub fn of(what: impl Into<String>, place: impl Into<String>) -> HeldSecret {
        HeldSecret { what: what.into(), place: place.into() }
    }
}
