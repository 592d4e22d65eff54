//! Everything secret that a lab handed out or was shown so far, for tests that look for it where none may be.

use super::world::World;
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt;
use std::sync::Arc;

/// A line of a key that is shorter tells nothing, and may stand anywhere by chance.
const SHORTEST: usize = 16;

/// A secret under the name that it is told by.
#[derive(Debug, Clone)]
pub struct Handed {
    /// What it is.
    pub name: &'static str,
    /// The secret.
    pub secret: SecretString,
    /// Whether it belongs to a one-time link: whoever asked for that is shown it, once.
    pub is_one_time: bool,
}

/// Tells what a lab handed out, also once the lab has ended.
#[derive(Clone)]
pub struct HandedOut(pub(super) Arc<World>);

impl fmt::Debug for HandedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandedOut").finish_non_exhaustive()
    }
}

impl HandedOut {
    /// All of it, so far.
    pub fn secrets(&self) -> Vec<Handed> {
        let all = &self.0.secrets;
        let kept = [
            ("the CII client's secret", &all.cii_client_secret),
            ("the CII hook's token", &all.cii_hook_token),
            ("the event hook's secret", &all.okta_hook_secret),
            ("the ISPM tile's secret", &all.ispm_secret),
            ("the execution log's token", &all.execution_log_token),
            ("the form's key", &all.form_key),
            ("the alert manager's password", &all.alerts_password),
            ("the Okta token", &all.okta_token),
            ("the flows' client token", &all.flow_token),
        ];
        let handed = |name, secret: SecretString| Handed { name, secret, is_one_time: false };
        let kept = kept.into_iter().map(|(name, secret)| handed(name, secret.clone()));
        let key = all.okta_private_key.expose_secret();
        let key = key.lines().filter(|line| !line.starts_with("-----") && line.len() >= SHORTEST);
        let key = key.map(|line| handed("a line of the private key", line.into()));
        let tokens = &self.0.tokens;
        let issued = tokens.issued().into_iter().map(|secret| handed("an access token", secret));
        let assertions = tokens.assertions().into_iter().map(|secret| handed("a client's assertion", secret));
        let proofs = tokens.proofs().into_iter().map(|secret| handed("a proof of possession", secret));
        let one_time = |secret| Handed { name: "a one-time secret", secret, is_one_time: true };
        let links = tokens.one_time().into_iter().map(one_time);
        kept.chain(key).chain(issued).chain(assertions).chain(proofs).chain(links).collect()
    }
}
