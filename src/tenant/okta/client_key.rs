//! The private key that a service application proves itself with: PEM, or a JWK as Okta shows it once
//! when it makes the pair.

use super::KeyError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p256::elliptic_curve::sec1::ToEncodedPoint as _;
use p256::pkcs8::EncodePrivateKey as _;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::{BigUint, RsaPrivateKey};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// A key that signs, and the id that it brought along.
#[derive(Debug)]
pub(super) struct ClientKey {
    key: EncodingKey,
    algorithm: Algorithm,
    /// The JWK's own `kid`; PEM has none.
    pub(super) id: Option<String>,
}

impl ClientKey {
    /// Reads PEM or a JWK, told apart by what they begin with, and signs once: a key that cannot do that
    /// is better refused at the start than at the first call.
    pub(super) fn read(text: &SecretString) -> Result<ClientKey, KeyError> {
        let key = match text.expose_secret().trim_start().starts_with('{') {
            true => of_jwk(text.expose_secret())?,
            false => of_pem(text.expose_secret().as_bytes())?,
        };
        key.sign(&Header::new(key.algorithm), &serde_json::json!({}))?;
        Ok(key)
    }

    /// What it signs with.
    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// A signed JWT.
    pub(super) fn sign(&self, header: &Header, claims: &impl Serialize) -> Result<String, KeyError> {
        Ok(jsonwebtoken::encode(header, claims, &self.key)?)
    }
}

/// RSA signs with RS256 and EC with ES256: both are always accepted.
fn of_pem(pem: &[u8]) -> Result<ClientKey, KeyError> {
    let rsa = EncodingKey::from_rsa_pem(pem).map(|key| (key, Algorithm::RS256));
    let either = rsa.or_else(|_| EncodingKey::from_ec_pem(pem).map(|key| (key, Algorithm::ES256)));
    let (key, algorithm) = either.map_err(|_| KeyError::Unreadable)?;
    Ok(ClientKey { key, algorithm, id: None })
}

/// The members of a private JWK that are read (RFC 7518, section 6). Its own `alg` is not asked: both
/// kinds of key sign with what is always accepted.
#[derive(Deserialize)]
struct PrivateJwk {
    kty: String,
    kid: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<SecretString>,
    p: Option<SecretString>,
    q: Option<SecretString>,
}

/// What the parser says could repeat the key, so it is not passed on.
fn of_jwk(text: &str) -> Result<ClientKey, KeyError> {
    let jwk: PrivateJwk =
        serde_json::from_str(text).map_err(|_| KeyError::Jwk("is JSON, but not one private JWK"))?;
    let (key, algorithm) = match jwk.kty.as_str() {
        "RSA" => (jwk.rsa()?, Algorithm::RS256),
        "EC" => (jwk.ec()?, Algorithm::ES256),
        _ => return Err(KeyError::Jwk("is neither of type `RSA` nor of type `EC`")),
    };
    Ok(ClientKey { key, algorithm, id: jwk.kid })
}

impl PrivateJwk {
    fn rsa(&self) -> Result<EncodingKey, KeyError> {
        const UNSOUND: KeyError = KeyError::Jwk("is of type `RSA`, but its numbers make no key");
        let number = |text: &str| Some(BigUint::from_bytes_be(&bytes(text)?));
        let public = |text: &Option<String>| number(text.as_deref()?);
        let secret = |text: &Option<SecretString>| number(text.as_ref()?.expose_secret());
        let d = self.private()?;
        let numbers = public(&self.n).zip(public(&self.e)).zip(number(d));
        let ((n, e), d) = numbers.ok_or(UNSOUND)?;
        // Without its factors they are found again from the three numbers.
        let primes = secret(&self.p).zip(secret(&self.q)).map(|(p, q)| vec![p, q]).unwrap_or_default();
        let key = RsaPrivateKey::from_components(n, e, d, primes).map_err(|_| UNSOUND)?;
        let der = key.to_pkcs1_der().map_err(|_| UNSOUND)?;
        Ok(EncodingKey::from_rsa_der(der.as_bytes()))
    }

    fn ec(&self) -> Result<EncodingKey, KeyError> {
        const UNSOUND: KeyError = KeyError::Jwk("is of type `EC`, but its numbers make no key");
        if self.crv.as_deref() != Some("P-256") {
            return Err(KeyError::Jwk("is of type `EC`, but not on the curve `P-256`"));
        }
        let secret = bytes(self.private()?).ok_or(UNSOUND)?;
        let key = p256::SecretKey::from_slice(&secret).map_err(|_| UNSOUND)?;
        let public = key.public_key().to_encoded_point(false);
        let is_its = |said: &Option<String>, found: Option<&p256::FieldBytes>| {
            let said = said.as_deref().map(bytes);
            said.is_none_or(|said| said.as_deref() == found.map(AsRef::as_ref))
        };
        if !(is_its(&self.x, public.x()) && is_its(&self.y, public.y())) {
            return Err(KeyError::Jwk("is of type `EC`, but its `x` and `y` belong to another key"));
        }
        let der = key.to_pkcs8_der().map_err(|_| UNSOUND)?;
        Ok(EncodingKey::from_ec_der(der.as_bytes()))
    }

    fn private(&self) -> Result<&str, KeyError> {
        let private = self.d.as_ref().map(|d| d.expose_secret());
        private.ok_or(KeyError::Jwk("is a public key: the private one has a member `d`"))
    }
}

/// base64url, with or without its padding.
fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::pkcs8::DecodePrivateKey as _;
    use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
    use rstest::rstest;
    use serde_json::{Value, json};

    const EC: &str = include_str!("../../../tests/keys/ec.pem");
    const RSA: &str = include_str!("../../../tests/keys/rsa.pem");

    fn encoded(bytes: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn ec() -> Value {
        let key = p256::SecretKey::from_pkcs8_pem(EC).unwrap();
        let public = key.public_key().to_encoded_point(false);
        json!({"kty": "EC", "crv": "P-256", "kid": "ec-1", "d": encoded(key.to_bytes()),
            "x": encoded(public.x().unwrap()), "y": encoded(public.y().unwrap())})
    }

    fn rsa() -> Value {
        let key = RsaPrivateKey::from_pkcs8_pem(RSA).unwrap();
        let [p, q] = key.primes() else { panic!("{} primes", key.primes().len()) };
        let number = |number: &BigUint| encoded(number.to_bytes_be());
        json!({"kty": "RSA", "kid": "rsa-1", "n": number(key.n()), "e": number(key.e()), "d": number(key.d()),
            "p": number(p), "q": number(q)})
    }

    fn without(mut jwk: Value, members: &[&str]) -> Value {
        members.iter().for_each(|member| drop(jwk.as_object_mut().unwrap().remove(*member)));
        jwk
    }

    fn with(mut jwk: Value, member: &str, value: &str) -> Value {
        jwk[member] = value.into();
        jwk
    }

    fn read(text: &str) -> Result<ClientKey, KeyError> {
        ClientKey::read(&text.into())
    }

    #[rstest]
    #[case(ec(), EC, Some("ec-1"))]
    #[case(without(ec(), &["x", "y", "kid"]), EC, None)]
    #[case(rsa(), RSA, Some("rsa-1"))]
    #[case(without(rsa(), &["p", "q"]), RSA, Some("rsa-1"))]
    fn a_jwk_is_the_same_key_as_its_pem(#[case] jwk: Value, #[case] pem: &str, #[case] id: Option<&str>) {
        let (jwk, pem) = (read(&format!("\n {jwk}\n")).unwrap(), read(pem).unwrap());
        assert_eq!(jwk.algorithm(), pem.algorithm());
        let public = |key: &ClientKey| jsonwebtoken::jwk::Jwk::from_encoding_key(&key.key, key.algorithm());
        assert_eq!(public(&jwk).unwrap(), public(&pem).unwrap());
        assert_eq!((jwk.id.as_deref(), pem.id), (id, None));
    }

    #[rstest]
    #[case(without(ec(), &["d"]).to_string(), "is a public key")]
    #[case(without(rsa(), &["d"]).to_string(), "is a public key")]
    #[case(with(ec(), "crv", "P-384").to_string(), "not on the curve `P-256`")]
    #[case(with(ec(), "x", "AAAA").to_string(), "belong to another key")]
    #[case(with(ec(), "d", "AAAA").to_string(), "make no key")]
    #[case(with(rsa(), "n", "AAAA").to_string(), "make no key")]
    #[case(with(rsa(), "d", "***").to_string(), "make no key")]
    #[case(with(ec(), "kty", "OKP").to_string(), "neither of type")]
    #[case(json!({"keys": [ec()]}).to_string(), "not one private JWK")]
    #[case(format!("{}}}", ec()), "not one private JWK")]
    #[case("-----BEGIN NONSENSE-----".to_owned(), "neither an RSA key nor an EC key")]
    fn what_is_no_key_is_told_without_showing_it(#[case] text: String, #[case] phrase: &str) {
        let told = read(&text).unwrap_err().to_string();
        assert!(told.contains(phrase), "{told}");
        let secret = ec()["d"].as_str().unwrap().to_owned();
        assert!(!told.contains("NONSENSE") && !told.contains(&secret) && !told.contains("AAAA"), "{told}");
    }

    #[test]
    fn a_key_is_hidden_in_debug() {
        let told = format!("{:?}", read(&ec().to_string()).unwrap());
        assert!(!told.contains(ec()["d"].as_str().unwrap()), "{told}");
    }
}
