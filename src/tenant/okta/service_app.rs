//! A service application's tokens: client credentials, proven by a signed assertion (`private_key_jwt`).
//!
//! One kind of token a scope: asking for a scope that was not granted fails the whole request, and who
//! only reads users has no need of the right to invoke flows.

use super::client_key::ClientKey;
use super::dpop::{self, BoundToken, ProofKey, Repeat, TokenProof};
use super::error::OktaError;
use crate::config::meant::ServiceApp;
use crate::domain::dossier::Problem;
use crate::tenant::http::{Answer, Bucket, Http, Request};
use crate::tenant::problem::with_hint;
use crate::tenant::token::{Issued, TokenIssuer, with_bearer};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::Header;
use secrecy::SecretString;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
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
    /// Reading which administrator roles a user has.
    ReadRoles,
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
    pub(in crate::tenant) const CORE: [Scope; 10] = [
        Scope::ReadUsers,
        Scope::ManageUsers,
        Scope::ReadRoles,
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
            Scope::ReadRoles => "okta.roles.read",
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

    /// The role that its calls need besides: a scope that no role covers is granted all the same.
    pub(in crate::tenant) fn role(self) -> &'static str {
        match self {
            Scope::ReadUsers => "a role that may see this user",
            Scope::ManageUsers => "a role that may change this user",
            Scope::ReadRoles => "a role that may see who is an administrator",
            Scope::ReadGroups => "a role that may see groups",
            Scope::ManageGroups => "a role that may change the members of this group",
            Scope::ReadApps => "a role that may see applications",
            Scope::ReadSchemas => "a role that may see what a profile holds",
            Scope::ReadLogs => "a role that may read the System Log",
            Scope::ReadHooks | Scope::ManageHooks => {
                "a super administrator's role, or a custom one that covers event hooks"
            }
            Scope::InvokeFlows => "a role that may run flows",
        }
    }
}

/// Why a private key is of no use.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Neither RSA nor EC.
    #[error("the private key is neither an RSA key nor an EC key in PKCS#8 PEM, nor a JWK")]
    Unreadable,
    /// JSON that is no private key.
    #[error("the private key {0}")]
    Jwk(&'static str),
    /// The key for proofs of possession could not be made.
    #[error("no key for proofs of possession could be made")]
    Unmade,
    /// The key was read, but signing failed.
    #[error("the private key cannot sign: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

impl KeyError {
    /// What mends it, where we know.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            KeyError::Jwk(_) => Some(
                "the whole JWK of one private key, RSA or EC on curve P-256, as Okta showed it when it made it",
            ),
            KeyError::Unmade => None,
            KeyError::Unreadable | KeyError::Signing(_) => {
                Some("RSA, or EC on curve P-256: `openssl pkcs8 -topk8 -nocrypt` writes a key as PKCS#8 PEM")
            }
        }
    }
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Okta takes an hour at most; a few minutes forgive a skewed clock and a slow line.
const ASSERTION_LIVES: SignedDuration = SignedDuration::from_mins(5);

/// Fixed by Okta.
const TOKEN_LIVES: SignedDuration = SignedDuration::from_hours(1);

/// A clock that is off by less than this many seconds spoils no assertion.
const CLOCK_OFF: i64 = 60;

/// Who the application is, and what it proves that with; all its tokens share it.
#[derive(Debug)]
pub(in crate::tenant) struct AppIdentity {
    /// The org's own authorization server; custom ones are refused by Okta's APIs.
    token_url: Url,
    client_id: String,
    key_id: Option<String>,
    key: ClientKey,
    /// The key that tokens are bound to, where they are.
    proofs: Option<Arc<ProofKey>>,
}

/// Asks for tokens of one scope.
#[derive(Debug)]
pub(in crate::tenant) struct ServiceAppTokens {
    app: Arc<AppIdentity>,
    scope: Scope,
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

impl AppIdentity {
    /// Reads the key; asks for nothing yet.
    pub(in crate::tenant) fn new(org: &Url, app: &ServiceApp) -> Result<AppIdentity, KeyError> {
        let key = ClientKey::read(&app.private_key)?;
        let mut token_url = org.clone();
        token_url.set_path("/oauth2/v1/token");
        let proofs = app.dpop.then(ProofKey::new).transpose()?.map(Arc::new);
        let key_id = app.key_id.clone().or_else(|| key.id.clone());
        Ok(AppIdentity { token_url, client_id: app.client_id.clone(), key_id, key, proofs })
    }

    /// Every assertion is another one: Okta refuses a `jti` that it has seen.
    fn assertion(&self, now: Timestamp) -> Result<String, KeyError> {
        let claims = Claims {
            iss: &self.client_id,
            sub: &self.client_id,
            aud: self.token_url.as_str(),
            iat: now.as_second(),
            exp: now.as_second().saturating_add(ASSERTION_LIVES.as_secs()),
            jti: Uuid::new_v4(),
        };
        let header = Header { kid: self.key_id.clone(), ..Header::new(self.key.algorithm()) };
        self.key.sign(&header, &claims)
    }
}

/// What a request for a token was sent again for: each at most once.
#[derive(Debug, Default)]
struct Again {
    nonce: bool,
    /// By how many seconds the other side's clock is ahead, once that was why it refused.
    clock: Option<i64>,
}

impl ServiceAppTokens {
    /// Asks for nothing yet.
    pub(in crate::tenant) fn new(app: &Arc<AppIdentity>, scope: Scope) -> Self {
        ServiceAppTokens { app: app.clone(), scope }
    }

    /// A request with an assertion of its own, and where tokens are bound, a proof.
    fn request(&self, now: Timestamp) -> Result<Request, KeyError> {
        let assertion = self.app.assertion(now)?;
        let form = BTreeMap::from([
            ("grant_type", "client_credentials"),
            ("scope", self.scope.name()),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion.as_str()),
        ]);
        let request = Request::post_form(self.app.token_url.clone(), &form);
        Ok(match &self.app.proofs {
            Some(key) => request.signed_by(Arc::new(TokenProof(key.clone()))),
            None => request,
        })
    }

    async fn ask(&self, http: &Http, clock_ahead: i64) -> Result<Answer, Problem> {
        // Each try has an assertion of its own: Okta refuses a `jti` that it has seen.
        let make = || {
            let now = http.now();
            let now = now.saturating_add(SignedDuration::from_secs(clock_ahead)).unwrap_or(now);
            let request = self.request(now);
            request.map_err(|error| {
                with_hint(error.to_string(), error.hint().unwrap_or("check the private key"))
            })
        };
        http.read_anew(&Bucket::okta("token"), &self.app.token_url, make).await
    }

    /// Whether a refusal is mended by what came with it: a nonce, or the other side's time.
    fn again(&self, again: &mut Again, answer: &Answer, code: Option<&str>) -> bool {
        if self.app.proofs.is_some() && !again.nonce && dpop::asks_for_nonce(answer) {
            again.nonce = true;
            return true;
        }
        let is_of_clock = match code {
            Some("invalid_client") => true,
            Some("invalid_dpop_proof") => self.app.proofs.is_some(),
            _ => false,
        };
        let ahead = answer.clock_ahead().filter(|ahead| is_of_clock && ahead.abs() > CLOCK_OFF);
        let is_news = ahead.is_some() && again.clock.is_none();
        again.clock = again.clock.or(ahead);
        is_news
    }

    /// A token that proves nothing, although a proof was asked for, would be refused or be worth less than
    /// is configured.
    fn accepted(&self, issued: Issued) -> Result<Issued, Problem> {
        let is_bound = issued.kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("dpop"));
        match (&self.app.proofs, is_bound) {
            (Some(_), false) => {
                let message = "Okta's token endpoint issued a token that is bound to no key, although it was shown a proof";
                Err(with_hint(
                    message,
                    "take `dpop = true` out of `[okta]`, if the application does not require it",
                ))
            }
            _ => Ok(issued),
        }
    }

    fn refused(&self, error: &OktaError, answer: &Answer) -> Problem {
        let hint = match (error.code.as_deref(), &self.app.proofs) {
            (Some("invalid_dpop_proof" | "use_dpop_nonce"), None) => {
                "the application requires DPoP: set `dpop = true` in `[okta]`".to_owned()
            }
            (Some("invalid_dpop_proof" | "use_dpop_nonce"), Some(_)) => {
                "the proof of possession was refused: check this machine's clock".to_owned()
            }
            (Some("invalid_scope"), _) => format!("grant the application the scope `{}`", self.scope.name()),
            (Some("invalid_client"), _) => {
                "check `client_id`, that the public key of the private key is registered, its `key_id`, and this machine's clock"
                    .to_owned()
            }
            _ => "check `[okta] org_url`, `client_id` and the private key".to_owned(),
        };
        Problem { hint: Some(hint), ..error.problem("Okta's token endpoint", answer) }
    }
}

#[async_trait]
impl TokenIssuer for ServiceAppTokens {
    async fn issue(&self, http: &Http) -> Result<Issued, Problem> {
        let mut again = Again::default();
        loop {
            let answer = self.ask(http, again.clock.unwrap_or_default()).await?;
            if let Some(body) = answer.json().filter(|_| answer.is_success())
                && let Some(issued) = Issued::parse(&body, TOKEN_LIVES)
            {
                return self.accepted(issued);
            }
            let error = OktaError::read(http, &answer);
            if !self.again(&mut again, &answer, error.code.as_deref()) {
                return Err(self.refused(&error, &answer));
            }
        }
    }

    fn headers(&self) -> &'static [&'static str] {
        match self.app.proofs {
            Some(_) => &["authorization", "dpop"],
            None => &["authorization"],
        }
    }

    fn authorized(&self, request: &Request, token: &SecretString) -> Request {
        let Some(key) = self.app.proofs.clone() else { return with_bearer(request, token) };
        let repeat = match self.scope {
            // A flow answers what it likes, after it ran.
            Scope::InvokeFlows => Repeat::Never,
            _ => Repeat::WithNonce,
        };
        request.clone().signed_by(Arc::new(BoundToken { key, token: token.clone(), repeat }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::http::Wish;
    use jsonwebtoken::{Algorithm, DecodingKey, Validation};
    use rstest::rstest;

    const EC: &str = include_str!("../../../tests/keys/ec.pem");
    const EC_PUBLIC: &str = include_str!("../../../tests/keys/ec.pub.pem");
    const RSA: &str = include_str!("../../../tests/keys/rsa.pem");
    const RSA_PUBLIC: &str = include_str!("../../../tests/keys/rsa.pub.pem");

    fn app(key: &str, key_id: Option<&str>) -> Result<AppIdentity, KeyError> {
        let key_id = key_id.map(str::to_owned);
        let app = ServiceApp { client_id: "0oa1".into(), private_key: key.into(), key_id, dpop: false };
        AppIdentity::new(&"https://example.okta.com/".parse().unwrap(), &app)
    }

    #[rstest]
    #[case(RSA, DecodingKey::from_rsa_pem(RSA_PUBLIC.as_bytes()).unwrap(), Algorithm::RS256)]
    #[case(EC, DecodingKey::from_ec_pem(EC_PUBLIC.as_bytes()).unwrap(), Algorithm::ES256)]
    fn assertions_verify(#[case] pem: &str, #[case] public: DecodingKey, #[case] algorithm: Algorithm) {
        let app = app(pem, Some("k1")).unwrap();
        let now = Timestamp::now();
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&["https://example.okta.com/oauth2/v1/token"]);
        let check =
            |text: &str| jsonwebtoken::decode::<serde_json::Value>(text, &public, &validation).unwrap();
        let (first, second) = (app.assertion(now).unwrap(), app.assertion(now).unwrap());
        let (first, second) = (check(&first), check(&second));
        assert_eq!(
            (first.claims["iss"].as_str(), first.claims["sub"].as_str()),
            (Some("0oa1"), Some("0oa1"))
        );
        assert_eq!(first.header.kid.as_deref(), Some("k1"));
        assert_ne!(first.claims["jti"], second.claims["jti"]);
    }

    /// The scalar 1 and its public point: no secret of anybody.
    const JWK: &str =
        r#"{"kty":"EC","crv":"P-256","kid":"of-the-jwk","d":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"}"#;

    #[rstest]
    #[case(JWK, None, Some("of-the-jwk"))]
    #[case(JWK, Some("configured"), Some("configured"))]
    #[case(EC, None, None)]
    fn the_keys_own_id_stands_in_for_a_configured_one(
        #[case] key: &str,
        #[case] configured: Option<&str>,
        #[case] expected: Option<&str>,
    ) {
        let assertion = app(key, configured).unwrap().assertion(Timestamp::now()).unwrap();
        let header = jsonwebtoken::decode_header(&assertion).unwrap();
        assert_eq!((header.kid.as_deref(), header.alg), (expected, Algorithm::ES256));
    }

    #[rstest]
    #[case(Scope::ReadUsers, Wish::Again)]
    #[case(Scope::ManageHooks, Wish::Again)]
    #[case(Scope::InvokeFlows, Wish::Nothing)]
    fn what_a_flow_answers_sends_nothing_again(#[case] scope: Scope, #[case] wish: Wish) {
        let app = app(EC, None).unwrap();
        let proofs = Some(Arc::new(ProofKey::new().unwrap()));
        let tokens = ServiceAppTokens::new(&Arc::new(AppIdentity { proofs, ..app }), scope);
        let request = tokens.authorized(&Request::get("https://x.example/".parse().unwrap()), &"t".into());
        let headers = vec![("dpop-nonce".to_owned(), "n1".to_owned())];
        let body = br#"{"error":"use_dpop_nonce"}"#.to_vec();
        let answer = Answer { status: 401, headers, body, flaw: None, at: Timestamp::UNIX_EPOCH };
        assert_eq!(request.signer.clone().unwrap().heard(&request, &answer), wish);
    }

    #[test]
    fn what_is_no_key_is_refused_without_showing_it() {
        let error = app("-----BEGIN NONSENSE-----", None).unwrap_err();
        assert!(!error.to_string().contains("NONSENSE"), "{error}");
        assert!(!format!("{:?}", app(EC, None).unwrap()).contains("BEGIN"));
    }
}
