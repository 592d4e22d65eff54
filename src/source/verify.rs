//! Who may speak: the secret is checked from the head of a request, before a byte of its body is read.
//!
//! What was checked is another type than what arrived: only [`Checker::look`] makes a [`Proven`], and
//! only a [`Proven`] gives its body away. So no code path can read a body and check later. The one
//! exception is a signature, which is of the body: a [`Signed`] request turns into an
//! [`Unproven`] body, which gives its bytes away only once they are what was
//! signed.
//!
//! Both sides are compared as SHA-256 digests in constant time: neither the place of the first wrong
//! byte nor the secret's length can be measured, and the secret itself is not kept in here.

use super::refusal::{Cause, Refusal};
use super::signature::{self, Key, Unproven};
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
pub struct Checker(Means);

/// How the secret is shown.
#[derive(Debug)]
enum Means {
    /// As it is, in the head.
    Told { place: Place, expected: Fingerprint },
    /// By what only its owner can make of the body.
    Signed { header: HeaderName, key: Key },
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
    /// No request can carry it.
    #[error("`{0}` is not a header name")]
    HeaderName(String),
}

/// What the head of a request proves.
#[derive(Debug)]
pub enum Looked {
    /// Who sent it.
    Proven(Proven),
    /// Nothing yet: it carries a signature of its body.
    Signed(Signed),
}

/// A request whose sender is known.
#[derive(Debug)]
pub struct Proven(Request);

/// A request whose sender is known once its body has been read.
#[derive(Debug)]
pub struct Signed {
    request: Request,
    unproven: Unproven,
}

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

impl Signed {
    /// Its headers.
    pub fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// The body, and where its bytes go while they prove nothing.
    pub(super) fn into_parts(self) -> (Body, Unproven) {
        (self.request.into_body(), self.unproven)
    }
}

impl Checker {
    /// A checker of a configured proof.
    pub fn new(proof: &Proof) -> Result<Checker, ProofUnusable> {
        let told = |place, expected| Ok(Checker(Means::Told { place, expected }));
        match proof {
            Proof::Header { name, secret } => {
                told(Place::Header(header_name(name)?), Fingerprint::of_secret("", secret)?)
            }
            Proof::Basic { user, secret } => {
                told(Place::Basic, Fingerprint::of_secret(&format!("{user}:"), secret)?)
            }
            Proof::Query { name, secret } => {
                told(Place::Query(name.clone()), Fingerprint::of_secret("", secret)?)
            }
            Proof::Hmac { name, secret } => {
                let key = Key::new(secret).ok_or(ProofUnusable::NoSecret)?;
                Ok(Checker(Means::Signed { header: header_name(name)?, key }))
            }
        }
    }

    /// Lets a request through whose head carries the secret, or what may be a signature made with it.
    pub fn look(&self, request: Request) -> Result<Looked, Refusal> {
        match &self.0 {
            Means::Told { .. } if self.knows(&request) => Ok(Looked::Proven(Proven(request))),
            Means::Told { .. } => Err(Refusal::new(Cause::Proof, "the secret is missing or wrong")),
            Means::Signed { header, key } => {
                let signature = request.headers().get(header).and_then(signature::read);
                let unproven = key.unproven(signature.ok_or_else(signature::refused)?);
                Ok(Looked::Signed(Signed { request, unproven }))
            }
        }
    }

    /// Whether the head of a request carries the secret itself.
    pub fn knows<B>(&self, request: &axum::http::Request<B>) -> bool {
        let Means::Told { place, expected } = &self.0 else { return false };
        let found = match place {
            Place::Header(name) => request.headers().get(name).map(|value| value.as_bytes().to_vec()),
            Place::Basic => basic_credentials(request.headers()),
            Place::Query(name) => query_parameter(request.uri(), name),
        };
        found.is_some_and(|found| *expected == Fingerprint::of(&found))
    }
}

fn header_name(name: &str) -> Result<HeaderName, ProofUnusable> {
    HeaderName::try_from(name).map_err(|_| ProofUnusable::HeaderName(name.to_owned()))
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
        assert_eq!(checker.look(request(uri, headers)).is_ok(), expected);
        assert_eq!(checker.knows(&request(uri, headers)), expected);
    }

    #[test]
    fn a_proof_that_proves_nothing_is_no_proof() {
        let empty = Proof::Basic { user: "cii".into(), secret: "".into() };
        assert_eq!(Checker::new(&empty).unwrap_err(), ProofUnusable::NoSecret);
        let keyless = Proof::Hmac { name: "x".into(), secret: "".into() };
        assert_eq!(Checker::new(&keyless).unwrap_err(), ProofUnusable::NoSecret);
        let unsendable = Proof::Header { name: "not a header".into(), secret: "x".into() };
        assert!(matches!(Checker::new(&unsendable), Err(ProofUnusable::HeaderName(_))));
    }

    #[test]
    fn a_signature_is_not_believed_before_its_body_is_read() {
        let checker =
            Checker::new(&Proof::Hmac { name: "x-signature".into(), secret: "s3cret".into() }).unwrap();
        let signed = request("/", &[("x-signature", &"0".repeat(64))]);
        assert!(!checker.knows(&signed));
        assert!(matches!(checker.look(signed), Ok(Looked::Signed(_))));
        for value in ["", "s3cret", "sha256=", "zz"] {
            assert_eq!(
                checker.look(request("/", &[("x-signature", value)])).unwrap_err().cause,
                Cause::Proof,
                "{value}"
            );
        }
    }

    #[test]
    fn prints_no_secret() {
        let signed = Proof::Hmac { name: "x-signature".into(), secret: "s3cret".into() };
        for proof in [header_proof(), signed] {
            assert!(!format!("{:?}", Checker::new(&proof).unwrap()).contains("s3cret"));
        }
    }
}
