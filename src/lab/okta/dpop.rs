//! Proofs of possession (RFC 9449) as Okta wants them: without one, then without a nonce, a token request is refused; a
//! call with a bound token needs a fresh proof that names the call and the token.
use super::error::OktaError;
use super::oauth::Refusal;
use crate::lab::faults::{FaultKind, Part};
use crate::lab::world::World;
use axum::http::{HeaderMap, Method};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::ThumbprintHash;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Seconds by which a proof's date may be off. Okta publishes no figure; any has to be met by a client that follows the
/// `Date` of the replies.
const LEEWAY: i64 = 60;

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
    iat: i64,
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
    world.tokens.proved(proof);
    let (claims, thumbprint) = read(proof).ok_or_else(|| invalid("The DPoP proof JWT is not valid."))?;
    let url = format!("{}/oauth2/v1/token", world.addresses.okta_org_url);
    if claims.htm != "POST" || claims.htu != url {
        return Err(invalid("The DPoP proof JWT is for another request."));
    }
    if claims.nonce.as_deref() != Some(&world.tokens.nonce()) {
        return Err(Refusal::use_nonce(world.tokens.nonce()));
    }
    if !claims.is_dated(world) {
        return Err(invalid("The DPoP proof JWT is not of now."));
    }
    if !world.tokens.first_use(&format!("proof:{}", claims.jti)) {
        return Err(invalid("The DPoP proof JWT has been used before."));
    }
    Ok(Some(thumbprint))
}

/// A call as a proof names it.
#[derive(Debug, Clone, Copy)]
pub(in crate::lab) struct Call<'a> {
    pub(in crate::lab) method: &'a Method,
    /// Scheme, host and path.
    pub(in crate::lab) url: &'a str,
    pub(in crate::lab) headers: &'a HeaderMap,
}

/// Why a call with a bound token is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lab) enum Unproven {
    /// There is no proof, or it is of something else, or it was used before.
    Unsound,
    /// It lacks the nonce.
    Nonce(String),
}

impl From<Unproven> for OktaError {
    fn from(unproven: Unproven) -> Self {
        match unproven {
            Unproven::Unsound => OktaError::invalid_token(),
            Unproven::Nonce(nonce) => OktaError::invalid_token().asking_for_nonce(nonce),
        }
    }
}

/// Checks the proof of a call.
pub(in crate::lab) fn resource(
    world: &World,
    call: Call<'_>,
    token: &str,
    bound_to: &str,
) -> Result<(), Unproven> {
    let proof = call.headers.get("dpop").and_then(|value| value.to_str().ok()).ok_or(Unproven::Unsound)?;
    world.tokens.proved(proof);
    let (claims, thumbprint) = read(proof).ok_or(Unproven::Unsound)?;
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()));
    let sound = thumbprint == bound_to
        && claims.htm == call.method.as_str()
        && claims.htu == call.url
        && claims.ath.as_deref() == Some(&hash)
        && claims.is_dated(world)
        && world.tokens.first_use(&format!("proof:{}", claims.jti));
    if !sound {
        return Err(Unproven::Unsound);
    }
    let wanted = world.tokens.nonce();
    let wants = world.faults.active(FaultKind::CallNonce, Part::Okta);
    if wants && claims.nonce.as_deref() != Some(&wanted) { Err(Unproven::Nonce(wanted)) } else { Ok(()) }
}

impl Claims {
    /// By the lab's clock, which is that of its `Date`.
    fn is_dated(&self, world: &World) -> bool {
        (self.iat - world.clock.now().as_second()).abs() <= LEEWAY
    }
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
