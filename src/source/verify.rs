//! Who may speak: the secret is checked from the head of a request, before a byte of its body is read.
//!
//! What was checked is another type than what arrived: only [`Checker::prove`] makes a [`Proven`], and
//! only a [`Proven`] gives its body away. So no code path can read a body and check later.
//!
//! Both sides are compared as SHA-256 digests in constant time: neither the place of the first wrong
//! byte nor the secret's length can be measured, and the secret itself is not kept in here.

use super::refusal::{Cause, Refusal};
use crate::config::meant::Proof;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use url::form_urlencoded;

/// Knows a caller by its secret.
#[derive(Debug)]
pub struct Checker {
    place: Place,
    expected: Fingerprint,
}

/// Where the secret stands in a request.
#[derive(Debug)]
enum Place {
    Header(HeaderName),
    Basic,
    Query(String),
}

/// Why a source cannot check anybody, and therefore does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofUnusable {
    /// Anybody could speak.
    #[error("its secret is empty\nhint: put the value that the sender is configured with behind `secret`")]
    NoSecret,
    /// The configuration refuses it before.
    #[error("signatures of bodies cannot be checked by this version")]
    Signature,
    /// No request can carry it.
    #[error("`{0}` is not a header name")]
    HeaderName(String),
}

/// A request whose sender is known.
#[derive(Debug)]
pub struct Proven(Request);

impl Proven {
    /// Its headers.
    pub fn headers(&self) -> &HeaderMap {
        self.0.headers()
    }

    /// Its body, now that it may be read.
    pub fn into_body(self) -> Body {
        self.0.into_body()
    }
}

impl Checker {
    /// A checker of a configured proof.
    pub fn new(proof: &Proof) -> Result<Checker, ProofUnusable> {
        match proof {
            Proof::Header { name, secret } => {
                let header =
                    HeaderName::try_from(name).map_err(|_| ProofUnusable::HeaderName(name.clone()))?;
                Ok(Checker { place: Place::Header(header), expected: Fingerprint::of_secret("", secret)? })
            }
            Proof::Basic { user, secret } => {
                let expected = Fingerprint::of_secret(&format!("{user}:"), secret)?;
                Ok(Checker { place: Place::Basic, expected })
            }
            Proof::Query { name, secret } => Ok(Checker {
                place: Place::Query(name.clone()),
                expected: Fingerprint::of_secret("", secret)?,
            }),
            Proof::Hmac { .. } => Err(ProofUnusable::Signature),
        }
    }

    /// Lets a request through whose head carries the secret.
    pub fn prove(&self, request: Request) -> Result<Proven, Refusal> {
        let found = match &self.place {
            Place::Header(name) => request.headers().get(name).map(|value| value.as_bytes().to_vec()),
            Place::Basic => basic_credentials(request.headers()),
            Place::Query(name) => query_parameter(request.uri(), name),
        };
        match found {
            Some(found) if self.expected == Fingerprint::of(&found) => Ok(Proven(request)),
            _ => Err(Refusal::new(Cause::Proof, "the secret is missing or wrong")),
        }
    }
}

fn basic_credentials(headers: &HeaderMap) -> Option<Vec<u8>> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    STANDARD.decode(credentials.trim()).ok()
}

fn query_parameter(uri: &Uri, name: &str) -> Option<Vec<u8>> {
    let query = uri.query()?;
    let (_, value) = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name)?;
    Some(value.into_owned().into_bytes())
}

/// A digest, compared in constant time and never printed.
struct Fingerprint([u8; 32]);

impl Fingerprint {
    fn of(bytes: &[u8]) -> Fingerprint {
        Fingerprint(Sha256::digest(bytes).into())
    }

    fn of_secret(prefix: &str, secret: &SecretString) -> Result<Fingerprint, ProofUnusable> {
        let secret = secret.expose_secret();
        if secret.is_empty() {
            return Err(ProofUnusable::NoSecret);
        }
        Ok(Fingerprint(Sha256::new().chain_update(prefix).chain_update(secret).finalize().into()))
    }
}

impl PartialEq for Fingerprint {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn header_proof() -> Proof {
        Proof::Header { name: "x-api-client-token".into(), secret: "s3cret".into() }
    }

    fn basic_proof() -> Proof {
        Proof::Basic { user: "cii".into(), secret: "s3:cret".into() }
    }

    fn query_proof() -> Proof {
        Proof::Query { name: "key".into(), secret: "a b&c".into() }
    }

    fn request(uri: &str, headers: &[(&str, &str)]) -> Request {
        let builder = Request::builder().uri(uri);
        headers.iter().fold(builder, |b, (name, value)| b.header(*name, *value)).body(Body::empty()).unwrap()
    }

    #[rstest]
    #[case::right(header_proof(), "/", &[("X-Api-Client-Token", "s3cret")], true)]
    #[case::wrong(header_proof(), "/", &[("x-api-client-token", "s3creT")], false)]
    #[case::longer(header_proof(), "/", &[("x-api-client-token", "s3cret2")], false)]
    #[case::empty(header_proof(), "/", &[("x-api-client-token", "")], false)]
    #[case::missing(header_proof(), "/", &[], false)]
    #[case::elsewhere(header_proof(), "/?x-api-client-token=s3cret", &[("authorization", "s3cret")], false)]
    #[case::basic(basic_proof(), "/", &[("authorization", "Basic Y2lpOnMzOmNyZXQ=")], true)]
    #[case::basic_lower(basic_proof(), "/", &[("authorization", "basic Y2lpOnMzOmNyZXQ=")], true)]
    #[case::basic_wrong(basic_proof(), "/", &[("authorization", "Basic Y2lpOnMzOmNyZXR4")], false)]
    #[case::basic_garbage(basic_proof(), "/", &[("authorization", "Basic %%%")], false)]
    #[case::basic_bearer(basic_proof(), "/", &[("authorization", "Bearer Y2lpOnMzOmNyZXQ=")], false)]
    #[case::query(query_proof(), "/?x=1&key=a%20b%26c", &[], true)]
    #[case::query_wrong(query_proof(), "/?key=a", &[], false)]
    #[case::query_missing(query_proof(), "/", &[], false)]
    fn knows_its_sender(
        #[case] proof: Proof,
        #[case] uri: &str,
        #[case] headers: &[(&str, &str)],
        #[case] expected: bool,
    ) {
        let checker = Checker::new(&proof).unwrap();
        assert_eq!(checker.prove(request(uri, headers)).is_ok(), expected);
    }

    #[test]
    fn a_proof_that_proves_nothing_is_no_proof() {
        let empty = Proof::Basic { user: "cii".into(), secret: "".into() };
        assert_eq!(Checker::new(&empty).unwrap_err(), ProofUnusable::NoSecret);
        let unsendable = Proof::Header { name: "not a header".into(), secret: "x".into() };
        assert!(matches!(Checker::new(&unsendable), Err(ProofUnusable::HeaderName(_))));
    }

    #[test]
    fn prints_no_secret() {
        assert!(!format!("{:?}", Checker::new(&header_proof()).unwrap()).contains("s3cret"));
    }
}
