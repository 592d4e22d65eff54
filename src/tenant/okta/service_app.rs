//! A service application's tokens: client credentials, proven by a signed assertion (`private_key_jwt`).
//!
//! One kind of token a scope: asking for a scope that was not granted fails the whole request, and who
//! only reads users has no need of the right to invoke flows.

use super::error::OktaError;
use crate::config::meant::ServiceApp;
use crate::domain::dossier::Problem;
use crate::tenant::http::{Answer, Bucket, Http, Request};
use crate::tenant::problem::with_hint;
use crate::tenant::token::{Issued, TokenIssuer};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::collections::BTreeMap;
use thiserror::Error;
use url::Url;
use uuid::Uuid;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::tenant) enum Scope {
    /// Reading users, their groups and factors.
    ReadUsers,
    /// Changing users: profile, lifecycle, sessions, factors.
    ManageUsers,
    /// Reading groups and their members.
    ReadGroups,
    /// Changing who is in a group.
    ManageGroups,
    /// Reading applications and who is assigned to them.
    ReadApps,
    /// Reading what a profile may hold.
    ReadSchemas,
    /// Reading the System Log.
    ReadLogs,
    /// Reading event hooks.
    ReadHooks,
    /// Making and verifying event hooks.
    ManageHooks,
    /// Invoking API Endpoint flows.
    InvokeFlows,
}

impl Scope {
    /// Those of the org's own API.
    pub(in crate::tenant) const CORE: [Scope; 9] = [
        Scope::ReadUsers,
        Scope::ManageUsers,
        Scope::ReadGroups,
        Scope::ManageGroups,
        Scope::ReadApps,
        Scope::ReadSchemas,
        Scope::ReadLogs,
        Scope::ReadHooks,
        Scope::ManageHooks,
    ];

    /// Okta's name for it.
    pub(in crate::tenant) fn name(self) -> &'static str {
        match self {
            Scope::ReadUsers => "okta.users.read",
            Scope::ManageUsers => "okta.users.manage",
            Scope::ReadGroups => "okta.groups.read",
            Scope::ManageGroups => "okta.groups.manage",
            Scope::ReadApps => "okta.apps.read",
            Scope::ReadSchemas => "okta.schemas.read",
            Scope::ReadLogs => "okta.logs.read",
            Scope::ReadHooks => "okta.eventHooks.read",
            Scope::ManageHooks => "okta.eventHooks.manage",
            Scope::InvokeFlows => "okta.workflows.invoke.manage",
        }
    }
}

/// Why a private key is of no use.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Neither RSA nor EC.
    #[error("the private key is neither an RSA key nor an EC key in PKCS#8 PEM")]
    Unreadable,
    /// The key was read, but signing failed.
    #[error("the private key cannot sign: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Okta takes an hour at most; a few minutes forgive a skewed clock and a slow line.
const ASSERTION_LIVES: SignedDuration = SignedDuration::from_mins(5);

/// Fixed by Okta.
const TOKEN_LIVES: SignedDuration = SignedDuration::from_hours(1);

/// Asks the org's own authorization server; custom ones are refused by Okta's APIs.
pub(in crate::tenant) struct ServiceAppTokens {
    url: Url,
    client_id: String,
    key_id: Option<String>,
    key: EncodingKey,
    algorithm: Algorithm,
    scope: Scope,
}

impl std::fmt::Debug for ServiceAppTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServiceAppTokens").field("scope", &self.scope).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: Uuid,
}

impl ServiceAppTokens {
    /// Reads the key; asks for nothing yet.
    pub(in crate::tenant) fn new(org: &Url, app: &ServiceApp, scope: Scope) -> Result<Self, KeyError> {
        let (key, algorithm) = signing_key(&app.private_key)?;
        let mut url = org.clone();
        url.set_path("/oauth2/v1/token");
        let (client_id, key_id) = (app.client_id.clone(), app.key_id.clone());
        Ok(ServiceAppTokens { url, client_id, key_id, key, algorithm, scope })
    }

    /// Every request carries an assertion of its own: Okta refuses a `jti` that it has seen.
    fn request(&self, now: Timestamp) -> Result<Request, KeyError> {
        let assertion = self.assertion(now)?;
        let form = BTreeMap::from([
            ("grant_type", "client_credentials"),
            ("scope", self.scope.name()),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion.as_str()),
        ]);
        Ok(Request::post_form(self.url.clone(), &form))
    }

    fn assertion(&self, now: Timestamp) -> Result<String, KeyError> {
        let claims = Claims {
            iss: &self.client_id,
            sub: &self.client_id,
            aud: self.url.as_str(),
            iat: now.as_second(),
            exp: now.as_second().saturating_add(ASSERTION_LIVES.as_secs()),
            jti: Uuid::new_v4(),
        };
        let header = Header { kid: self.key_id.clone(), ..Header::new(self.algorithm) };
        Ok(jsonwebtoken::encode(&header, &claims, &self.key)?)
    }

    fn refused(&self, http: &Http, answer: &Answer) -> Problem {
        let what = "Okta's token endpoint";
        let error = OktaError::read(http, answer);
        let hint = match error.code.as_deref() {
            Some("invalid_dpop_proof" | "use_dpop_nonce") => {
                "the application requires DPoP: switch off `Require Demonstrating Proof of Possession (DPoP)` in its general settings"
                    .to_owned()
            }
            Some("invalid_scope") => format!("grant the application the scope `{}`", self.scope.name()),
            Some("invalid_client") => {
                "check `client_id`, that the public key of the private key is registered, its `key_id`, and this machine's clock"
                    .to_owned()
            }
            _ => "check `[okta] org_url`, `client_id` and the private key".to_owned(),
        };
        Problem { hint: Some(hint), ..error.problem(what, answer) }
    }
}

/// RSA signs with RS256 and EC with ES256: both are always accepted.
fn signing_key(pem: &SecretString) -> Result<(EncodingKey, Algorithm), KeyError> {
    let pem = pem.expose_secret().as_bytes();
    let rsa = EncodingKey::from_rsa_pem(pem).map(|key| (key, Algorithm::RS256));
    let either = rsa.or_else(|_| EncodingKey::from_ec_pem(pem).map(|key| (key, Algorithm::ES256)));
    either.map_err(|_| KeyError::Unreadable)
}

#[async_trait]
impl TokenIssuer for ServiceAppTokens {
    async fn issue(&self, http: &Http) -> Result<Issued, Problem> {
        let request = self.request(http.now()).map_err(|error| {
            with_hint(error.to_string(), "the key has to be RSA, or EC on curve P-256, in PKCS#8 PEM")
        })?;
        let answer = http.read(&Bucket::okta("token"), &request).await?;
        match answer.json().and_then(|body| Issued::parse(&body, TOKEN_LIVES)) {
            Some(issued) if answer.is_success() => Ok(issued),
            _ => Err(self.refused(http, &answer)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{DecodingKey, Validation};
    use rstest::rstest;

    const EC: &str = include_str!("../../../tests/keys/ec.pem");
    const EC_PUBLIC: &str = include_str!("../../../tests/keys/ec.pub.pem");
    const RSA: &str = include_str!("../../../tests/keys/rsa.pem");
    const RSA_PUBLIC: &str = include_str!("../../../tests/keys/rsa.pub.pem");

    fn tokens(pem: &str) -> Result<ServiceAppTokens, KeyError> {
        let app = ServiceApp { client_id: "0oa1".into(), private_key: pem.into(), key_id: Some("k1".into()) };
        ServiceAppTokens::new(&"https://example.okta.com/".parse().unwrap(), &app, Scope::ReadUsers)
    }

    #[rstest]
    #[case(RSA, DecodingKey::from_rsa_pem(RSA_PUBLIC.as_bytes()).unwrap(), Algorithm::RS256)]
    #[case(EC, DecodingKey::from_ec_pem(EC_PUBLIC.as_bytes()).unwrap(), Algorithm::ES256)]
    fn assertions_verify(#[case] pem: &str, #[case] public: DecodingKey, #[case] algorithm: Algorithm) {
        let tokens = tokens(pem).unwrap();
        let now = Timestamp::now();
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&["https://example.okta.com/oauth2/v1/token"]);
        let check =
            |text: &str| jsonwebtoken::decode::<serde_json::Value>(text, &public, &validation).unwrap();
        let (first, second) = (tokens.assertion(now).unwrap(), tokens.assertion(now).unwrap());
        let (first, second) = (check(&first), check(&second));
        assert_eq!(
            (first.claims["iss"].as_str(), first.claims["sub"].as_str()),
            (Some("0oa1"), Some("0oa1"))
        );
        assert_eq!(first.header.kid.as_deref(), Some("k1"));
        assert_ne!(first.claims["jti"], second.claims["jti"]);
    }

    #[test]
    fn what_is_no_key_is_refused_without_showing_it() {
        let error = tokens("-----BEGIN NONSENSE-----").unwrap_err();
        assert!(!error.to_string().contains("NONSENSE"), "{error}");
        assert!(!format!("{:?}", tokens(EC).unwrap()).contains("BEGIN"));
    }
}
