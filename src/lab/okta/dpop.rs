//! Proofs of possession (RFC 9449) as Okta wants them: without one, then without a nonce, a token request is refused; a
//! call with a bound token needs a fresh proof that names the call and the token.
use super::error::OktaError;
use super::oauth::Refusal;
use crate::lab::world::World;
use axum::http::{HeaderMap, Method};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::ThumbprintHash;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// The nonce of this run; Okta renews its own every 24 hours.
const NONCE: &str = "lab-nonce-1";

/// Whether the app demands proofs, or takes them from whoever sends one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Demand {
    Required,
    Offered,
}

#[derive(Debug, Deserialize)]
struct Claims {
    htm: String,
    htu: String,
    jti: String,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    ath: Option<String>,
}

/// The thumbprint that a token is to be bound to, if the request carries a proof.
pub(super) fn token_request(
    world: &World,
    headers: &HeaderMap,
    demand: Demand,
) -> Result<Option<String>, Refusal> {
    let Some(proof) = headers.get("dpop").and_then(|value| value.to_str().ok()) else {
        return match demand {
            Demand::Offered => Ok(None),
            Demand::Required => Err(invalid("The DPoP proof JWT header is missing.")),
        };
    };
    let (claims, thumbprint) = read(proof).ok_or_else(|| invalid("The DPoP proof JWT is not valid."))?;
    let url = format!("{}/oauth2/v1/token", world.addresses.okta_org_url);
    if claims.htm != "POST" || claims.htu != url {
        return Err(invalid("The DPoP proof JWT is for another request."));
    }
    if claims.nonce.as_deref() != Some(NONCE) {
        return Err(Refusal::use_nonce(NONCE));
    }
    if !world.tokens.first_use(&format!("proof:{}", claims.jti)) {
        return Err(invalid("The DPoP proof JWT has been used before."));
    }
    Ok(Some(thumbprint))
}

/// Checks the proof of a call to the API.
pub(super) fn resource(
    world: &World,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    token: &str,
    bound_to: &str,
) -> Result<(), OktaError> {
    let proof =
        headers.get("dpop").and_then(|value| value.to_str().ok()).ok_or_else(OktaError::invalid_token)?;
    let (claims, thumbprint) = read(proof).ok_or_else(OktaError::invalid_token)?;
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()));
    let url = format!("{}{path}", world.addresses.okta_org_url);
    let sound = thumbprint == bound_to
        && claims.htm == method.as_str()
        && claims.htu == url
        && claims.ath.as_deref() == Some(&hash)
        && world.tokens.first_use(&format!("proof:{}", claims.jti));
    if sound { Ok(()) } else { Err(OktaError::invalid_token()) }
}

fn invalid(description: &str) -> Refusal {
    Refusal::bad("invalid_dpop_proof", description)
}

/// The claims of a proof that is signed by the key it carries, and that key's thumbprint.
fn read(proof: &str) -> Option<(Claims, String)> {
    let header = decode_header(proof).ok()?;
    let jwk = header.jwk.filter(|_| header.typ.as_deref() == Some("dpop+jwt"))?;
    let mut validation = Validation::new(header.alg);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let token = decode::<Claims>(proof, &DecodingKey::from_jwk(&jwk).ok()?, &validation).ok()?;
    Some((token.claims, jwk.thumbprint(ThumbprintHash::SHA256).ok()?))
}
