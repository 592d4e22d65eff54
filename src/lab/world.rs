//! What the parts of the lab share: one tenant, its people, its clock and its moods.
use super::cii::Engine;
use super::clock::Clock;
use super::contract::{Callers, Violations};
use super::faults::{FaultKind, Faults, Part};
use super::hooks::{LabEventHook, LabWebhook};
use super::limits::Limits;
use super::okta::{Directory, SystemLog};
use super::population::Population;
use super::recorder::Recorder;
use super::secrets::{LabSecrets, token};
use super::story::Failing;
use super::workflows::{Executions, LabFlow, LabRun};
use axum::http::HeaderName;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where the parts of the lab answer. All on one loopback port.
#[derive(Debug, Clone)]
pub struct LabAddresses {
    /// CII's token endpoint.
    pub cii_token_url: String,
    /// CII's GraphQL endpoint.
    pub cii_api_url: String,
    /// The Okta org: scheme and host, `/api/v1` and `/oauth2/v1/token` under it.
    pub okta_org_url: String,
    /// The Workflows org: scheme and host, `/api/flo/<alias>/invoke` under it.
    pub workflows_url: String,
    /// The pages behind every `referenceUrl`.
    pub pages_url: String,
}

impl LabAddresses {
    pub(crate) fn at(address: std::net::SocketAddr) -> Self {
        let base = format!("http://{address}");
        Self {
            cii_token_url: format!("{base}/cii/oauth/token"),
            cii_api_url: format!("{base}/cii/api"),
            okta_org_url: base.clone(),
            workflows_url: base.clone(),
            pages_url: format!("{base}/pages"),
        }
    }
}

/// The tenant and everything about it.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) limits: Limits,
    pub(crate) recorder: Recorder,
    pub(crate) secrets: LabSecrets,
    pub(crate) addresses: LabAddresses,
    pub(crate) population: Population,
    pub(crate) failing: Mutex<Failing>,
    pub(crate) tokens: Tokens,
    pub(crate) engine: Engine,
    /// Targets registered through GraphQL.
    pub(crate) webhooks: Mutex<Vec<LabWebhook>>,
    pub(crate) event_hooks: Mutex<Vec<LabEventHook>>,
    pub(crate) directory: Mutex<Directory>,
    pub(crate) log: SystemLog,
    /// Calls of the System Log that are answered a minute.
    pub(crate) log_calls: u32,
    /// Reads of one user that are answered a minute.
    pub(crate) user_reads: u32,
    pub(crate) callers: Callers,
    pub(crate) violations: Violations,
    pub(crate) flows: Vec<LabFlow>,
    pub(crate) execution_header: HeaderName,
    pub(crate) runs: Mutex<Vec<LabRun>>,
    pub(crate) executions: Executions,
}

impl World {
    /// How long tokens live that are issued now.
    pub(crate) fn token_life(&self, realm: Realm, ordinary: SignedDuration) -> SignedDuration {
        match self.faults.value(FaultKind::ShortTokens, realm.part(), 2000) {
            Some(ms) => SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX / 2)),
            None => ordinary,
        }
    }

    pub(crate) fn directory(&self) -> MutexGuard<'_, Directory> {
        lock(&self.directory)
    }
}

/// A lock whose holder panicked still guards sound data: every change under it is complete or not begun.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which system a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Realm {
    Cii,
    Okta,
}

impl Realm {
    fn part(self) -> Part {
        match self {
            Realm::Cii => Part::Cii,
            Realm::Okta => Part::Okta,
        }
    }
}

/// What an access token stands for.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) realm: Realm,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires: Timestamp,
    /// Thumbprint of the key the token is bound to (RFC 9449).
    pub(crate) bound_to: Option<String>,
}

/// Access tokens issued in this run, and the ids of assertions and proofs that were used up.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    grants: Mutex<HashMap<String, Grant>>,
    used: Mutex<std::collections::HashSet<String>>,
    /// Every token of this run, also those that were taken back.
    issued: Mutex<Vec<SecretString>>,
    /// Every assertion that a client identified itself with.
    assertions: Mutex<Vec<SecretString>>,
    /// Every proof of possession that came with a request.
    proofs: Mutex<Vec<SecretString>>,
    /// What one-time links and passwords open by.
    one_time: Mutex<Vec<SecretString>>,
    /// How often the nonce of proofs was renewed.
    renewals: AtomicU64,
}

impl Tokens {
    /// Issues a token of three dot-separated parts, as a JWT has; nobody but the lab can read anything from it.
    pub(crate) fn issue(&self, grant: Grant) -> String {
        let token = [token("eyJ", 12), token("", 32), token("", 32)].join(".");
        lock(&self.issued).push(token.clone().into());
        lock(&self.grants).insert(token.clone(), grant);
        token
    }

    /// What a token stands for, unless unknown, expired or of another realm.
    pub(crate) fn check(&self, token: &str, realm: Realm, now: Timestamp) -> Option<Grant> {
        let grants = lock(&self.grants);
        grants.get(token).filter(|grant| grant.realm == realm && grant.expires > now).cloned()
    }

    /// Every token that was issued so far.
    pub(crate) fn issued(&self) -> Vec<SecretString> {
        lock(&self.issued).clone()
    }

    /// A client identified itself.
    pub(crate) fn identified(&self, assertion: &str) {
        lock(&self.assertions).push(assertion.into());
    }

    /// What clients identified themselves with so far.
    pub(crate) fn assertions(&self) -> Vec<SecretString> {
        lock(&self.assertions).clone()
    }

    /// A proof came.
    pub(crate) fn proved(&self, proof: &str) {
        lock(&self.proofs).push(proof.into());
    }

    /// The proofs that came so far.
    pub(crate) fn proofs(&self) -> Vec<SecretString> {
        lock(&self.proofs).clone()
    }

    /// An operation was answered: what opens an account once is noted.
    pub(crate) fn answered(&self, body: &serde_json::Value) {
        let texts = ["activationUrl", "activationToken", "resetPasswordUrl", "tempPassword"];
        let texts = texts.into_iter().filter_map(|name| body.get(name)?.as_str());
        // Of a link what stands behind its last slash.
        let secrets = texts.filter_map(|text| text.rsplit('/').next());
        lock(&self.one_time).extend(secrets.map(SecretString::from));
    }

    /// What was noted so.
    pub(crate) fn one_time(&self) -> Vec<SecretString> {
        lock(&self.one_time).clone()
    }

    /// Forgets every token: whoever holds one must ask again.
    pub(crate) fn revoke_all(&self) {
        lock(&self.grants).clear();
    }

    /// What a proof has to carry at present.
    pub(crate) fn nonce(&self) -> String {
        format!("lab-nonce-{}", self.renewals.load(Ordering::SeqCst) + 1)
    }

    /// Takes no proof any more with the nonce of before. Okta does so three days after it made a new one.
    pub(crate) fn renew_nonce(&self) {
        self.renewals.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether an id is used for the first time.
    pub(crate) fn first_use(&self, id: &str) -> bool {
        lock(&self.used).insert(id.to_owned())
    }
}
