//! Proofs of possession (DPoP, RFC 9449): tokens are bound to a key of our own, and each exchange proves
//! that we hold it.
//!
//! The key is made at the start and never leaves the memory; it is not the key that the application
//! proves itself with. What the servers say of proofs is remembered here: the nonce that the next proof
//! has to carry, and how far their clock is from ours.

use crate::tenant::http::{Answer, HeaderText, Request, Signer, Wish};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p256::elliptic_curve::rand_core::OsRng;
use p256::pkcs8::EncodePrivateKey as _;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;
use uuid::Uuid;

/// A server's `Date` has whole seconds and its answer was on its way: less than this says nothing.
const SURELY_OFF: i64 = 5;

/// A nonce is short; what is longer is not carried around.
const LONGEST_NONCE: usize = 1 << 10;

/// The key, and what was heard of the servers that proofs go to.
pub(super) struct ProofKey {
    key: EncodingKey,
    public: Jwk,
    heard: Mutex<Heard>,
}

/// Who checks a proof: the authorization server's nonces are not the API's, though the host is the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Place {
    Tokens(String),
    Calls(String),
}

#[derive(Debug, Default)]
struct Heard {
    nonces: HashMap<Place, String>,
    /// By how many seconds their clock is ahead of ours. Okta's servers agree on the time; ours is what may
    /// be off.
    ahead: i64,
}

impl fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProofKey")
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    htm: &'a str,
    htu: String,
    iat: i64,
    jti: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
}

impl ProofKey {
    /// A new key, unlike any before.
    pub(super) fn new() -> Result<ProofKey, super::KeyError> {
        let der = p256::SecretKey::random(&mut OsRng).to_pkcs8_der();
        let der = der.map_err(|_| super::KeyError::Unmade)?;
        let key = EncodingKey::from_ec_der(der.as_bytes());
        let public = Jwk::from_encoding_key(&key, Algorithm::ES256)?;
        Ok(ProofKey { key, public, heard: Mutex::default() })
    }

    /// A proof of one exchange, dated by the server's clock where that is known to be another than ours.
    fn proof(
        &self,
        place: &Place,
        request: &Request,
        token: Option<&SecretString>,
        now: Timestamp,
    ) -> Result<SecretString, String> {
        let (nonce, ahead) = self.heard(place);
        let claims = Claims {
            htm: request.method.name(),
            htu: without_query(&request.url),
            iat: now.saturating_add(SignedDuration::from_secs(ahead)).unwrap_or(now).as_second(),
            jti: Uuid::new_v4(),
            nonce,
            ath: token.map(digest),
        };
        let header = Header {
            typ: Some("dpop+jwt".to_owned()),
            jwk: Some(self.public.clone()),
            ..Header::new(Algorithm::ES256)
        };
        let signed = jsonwebtoken::encode(&header, &claims, &self.key);
        signed.map(SecretString::from).map_err(|error| error.to_string())
    }

    /// The nonce for a place, and by how much its clock is surely ahead.
    fn heard(&self, place: &Place) -> (Option<String>, i64) {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let ahead = if heard.ahead.abs() > SURELY_OFF { heard.ahead } else { 0 };
        (heard.nonces.get(place).cloned(), ahead)
    }

    /// Any answer may bring a new nonce and says what time it is there.
    fn hear(&self, place: Place, answer: &Answer) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(nonce) = nonce(answer) {
            heard.nonces.insert(place, nonce.to_owned());
        }
        if let Some(ahead) = answer.clock_ahead() {
            heard.ahead = ahead;
        }
    }
}

/// The claim names the address without query and fragment (RFC 9449, section 4.2).
fn without_query(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// What binds a proof to a token.
fn digest(token: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.expose_secret().as_bytes()))
}

fn nonce(answer: &Answer) -> Option<&str> {
    let is_plain = |text: &&str| {
        !text.is_empty() && text.len() <= LONGEST_NONCE && text.bytes().all(|b| b.is_ascii_graphic())
    };
    answer.header("dpop-nonce").map(str::trim).filter(is_plain)
}

/// Whether an answer refuses a request for its proof's nonce alone, and brings another: nothing ran.
pub(super) fn asks_for_nonce(answer: &Answer) -> bool {
    const ASKS: &str = "use_dpop_nonce";
    let is_said = || {
        answer.every_header("www-authenticate").any(|text| text.contains(ASKS))
            || answer
                .json()
                .is_some_and(|body| body.get("error").and_then(|error| error.as_str()) == Some(ASKS))
    };
    matches!(answer.status, 400 | 401) && nonce(answer).is_some() && is_said()
}

/// Whether a request that was refused for its nonce alone may be sent again by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Once, with the nonce: whoever refused it ran nothing.
    WithNonce,
    /// Not: the answer may come from behind whoever checks proofs, after something ran.
    Never,
}

/// Signs requests for a token. They are repeated by whoever makes them, never by themselves: the
/// assertion in them is good for one time as well.
#[derive(Debug)]
pub(super) struct TokenProof(pub(super) Arc<ProofKey>);

impl TokenProof {
    fn place(request: &Request) -> Place {
        Place::Tokens(request.url.origin().ascii_serialization())
    }
}

impl Signer for TokenProof {
    fn sign(&self, request: &Request, now: Timestamp) -> Result<Vec<(String, HeaderText)>, String> {
        let proof = self.0.proof(&TokenProof::place(request), request, None, now)?;
        Ok(vec![("dpop".to_owned(), HeaderText::Secret(proof))])
    }

    fn heard(&self, request: &Request, answer: &Answer) -> Wish {
        self.0.hear(TokenProof::place(request), answer);
        Wish::Nothing
    }
}

/// Signs calls with a token that is bound to the key.
#[derive(Debug)]
pub(super) struct BoundToken {
    pub(super) key: Arc<ProofKey>,
    pub(super) token: SecretString,
    pub(super) repeat: Repeat,
}

impl BoundToken {
    fn place(request: &Request) -> Place {
        Place::Calls(request.url.origin().ascii_serialization())
    }
}

impl Signer for BoundToken {
    fn sign(&self, request: &Request, now: Timestamp) -> Result<Vec<(String, HeaderText)>, String> {
        let proof = self.key.proof(&BoundToken::place(request), request, Some(&self.token), now)?;
        let shown = format!("DPoP {}", self.token.expose_secret());
        let headers = [("authorization", shown.into()), ("dpop", proof)];
        Ok(headers.map(|(name, value)| (name.to_owned(), HeaderText::Secret(value))).into())
    }

    fn heard(&self, request: &Request, answer: &Answer) -> Wish {
        self.key.hear(BoundToken::place(request), answer);
        match self.repeat {
            Repeat::WithNonce if asks_for_nonce(answer) => Wish::Again,
            _ => Wish::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{DecodingKey, Validation};
    use rstest::rstest;
    use serde_json::Value;

    /// What RFC 9449, section 7, prints.
    const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    const ATH: &str = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";

    fn call() -> Request {
        Request::get("https://example.okta.com/api/v1/users?limit=1#x".parse().unwrap())
    }

    fn bound(repeat: Repeat) -> BoundToken {
        BoundToken { key: Arc::new(ProofKey::new().unwrap()), token: TOKEN.into(), repeat }
    }

    fn header<'a>(headers: &'a [(String, HeaderText)], name: &str) -> &'a str {
        let (_, value) = headers.iter().find(|(found, _)| found == name).unwrap();
        let HeaderText::Secret(value) = value else { panic!("{name} is shown") };
        value.expose_secret()
    }

    /// The claims of a proof, after its signature was checked with the key that it carries.
    fn claims(proof: &str) -> Value {
        let header = jsonwebtoken::decode_header(proof).unwrap();
        assert_eq!((header.typ.as_deref(), header.alg), (Some("dpop+jwt"), Algorithm::ES256));
        let jwk = header.jwk.unwrap();
        assert!(!serde_json::to_string(&jwk).unwrap().contains("\"d\""), "the private key is shown");
        let mut validation = Validation::new(Algorithm::ES256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        jsonwebtoken::decode(proof, &DecodingKey::from_jwk(&jwk).unwrap(), &validation).unwrap().claims
    }

    fn answer(status: u16, headers: &[(&str, &str)], body: &str, at: i64) -> Answer {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let at = Timestamp::from_second(at).unwrap();
        Answer { status, headers, body: body.into(), flaw: None, at }
    }

    #[test]
    fn a_call_is_proven_by_what_it_is_and_by_its_token() {
        let signer = bound(Repeat::WithNonce);
        let now = Timestamp::from_second(1_000).unwrap();
        let [one, two] = [(); 2].map(|()| signer.sign(&call(), now).unwrap());
        assert_eq!(header(&one, "authorization"), format!("DPoP {TOKEN}"));
        let (one, two) = (claims(header(&one, "dpop")), claims(header(&two, "dpop")));
        assert_eq!((one["htm"].as_str(), one["ath"].as_str()), (Some("GET"), Some(ATH)));
        assert_eq!(one["htu"], "https://example.okta.com/api/v1/users");
        assert_eq!((one["iat"].as_i64(), one.get("nonce")), (Some(1_000), None));
        assert_ne!(one["jti"], two["jti"]);
    }

    #[test]
    fn two_keys_are_never_the_same() {
        let [one, two] = [(); 2].map(|()| ProofKey::new().unwrap().public);
        assert_ne!(one, two);
    }

    #[rstest]
    #[case(4, 1_000)]
    #[case(95, 1_095)]
    #[case(-1_200, -200)]
    fn a_proof_is_dated_by_the_clock_of_who_checks_it(#[case] ahead: i64, #[case] iat: i64) {
        let signer = bound(Repeat::WithNonce);
        let date = Timestamp::from_second(2_000 + ahead).unwrap();
        let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        signer.heard(&call(), &answer(200, &[("date", &date)], "", 2_000));
        let signed = signer.sign(&call(), Timestamp::from_second(1_000).unwrap()).unwrap();
        assert_eq!(claims(header(&signed, "dpop"))["iat"], iat);
    }

    #[test]
    fn a_nonce_is_kept_for_whoever_gave_it() {
        let signer = bound(Repeat::WithNonce);
        let nonce_of = |request: &Request| {
            let signed = signer.sign(request, Timestamp::UNIX_EPOCH).unwrap();
            claims(header(&signed, "dpop")).get("nonce").cloned()
        };
        signer.heard(&call(), &answer(200, &[("dpop-nonce", "n1")], "", 0));
        assert_eq!(nonce_of(&call()), Some("n1".into()));
        signer.heard(&call(), &answer(200, &[("dpop-nonce", "n2")], "", 0));
        assert_eq!(nonce_of(&call()), Some("n2".into()));
        signer.heard(&call(), &answer(200, &[("dpop-nonce", "\"a b\"")], "", 0));
        assert_eq!(nonce_of(&call()), Some("n2".into()), "no nonce");
        assert_eq!(nonce_of(&Request::get("https://elsewhere.example/".parse().unwrap())), None);
        let token = TokenProof(signer.key.clone()).sign(&call(), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(
            claims(header(&token, "dpop")).get("nonce"),
            None,
            "the API's nonce is not the token endpoint's"
        );
        assert_eq!(token.len(), 1, "there is no token yet");
    }

    const ASKED: &str = "DPoP error=\"use_dpop_nonce\", error_description=\"x\"";
    const NONCE: (&str, &str) = ("dpop-nonce", "n1");

    #[rstest]
    #[case(answer(400, &[NONCE], r#"{"error":"use_dpop_nonce"}"#, 0), Wish::Again)]
    #[case(answer(401, &[NONCE, ("www-authenticate", ASKED)], "", 0), Wish::Again)]
    #[case(answer(401, &[("www-authenticate", ASKED)], "", 0), Wish::Nothing)]
    #[case(answer(401, &[NONCE], r#"{"errorCode":"E0000011"}"#, 0), Wish::Nothing)]
    #[case(answer(500, &[NONCE], r#"{"error":"use_dpop_nonce"}"#, 0), Wish::Nothing)]
    #[case(answer(200, &[NONCE], r#"{"error":"use_dpop_nonce"}"#, 0), Wish::Nothing)]
    fn only_a_refusal_for_the_nonce_asks_for_the_request_again(#[case] answer: Answer, #[case] wish: Wish) {
        assert_eq!(bound(Repeat::WithNonce).heard(&call(), &answer), wish);
        assert_eq!(bound(Repeat::Never).heard(&call(), &answer), Wish::Nothing);
    }
}
