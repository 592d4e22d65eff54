//! A body's HMAC-SHA256, as services sign what they post.
//!
//! Every service spells it differently: hex or base64, in either alphabet, padded or not, with
//! `sha256=` in front or without. What the text comes to is 32 bytes or no signature at all. The body is
//! hashed as it comes, a piece at a time, so that a large one holds up nobody when its end is there.

use super::refusal::{Cause, Refusal};
use axum::http::HeaderValue;
use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::fmt;

/// The bytes of a SHA-256.
const LENGTH: usize = 32;
const PREFIX: &str = "sha256=";

/// What a caller says the signature of its body is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claimed([u8; LENGTH]);

/// Reads a header's value, if it is a signature in any of its spellings.
pub(super) fn read(value: &HeaderValue) -> Option<Claimed> {
    let text = value.to_str().ok()?.trim();
    let text = match text.get(..PREFIX.len()) {
        Some(start) if start.eq_ignore_ascii_case(PREFIX) => text.get(PREFIX.len()..)?,
        _ => text,
    };
    // 64 hex digits would be 48 bytes in base64: no text is both.
    hex(text).or_else(|| base64(text)).map(Claimed)
}

fn hex(text: &str) -> Option<[u8; LENGTH]> {
    let digits = text.bytes().map(|byte| char::from(byte).to_digit(16)).collect::<Option<Vec<u32>>>()?;
    let bytes =
        digits.chunks_exact(2).filter_map(|pair| u8::try_from(pair.first()? * 16 + pair.get(1)?).ok());
    let bytes: Vec<u8> = bytes.collect();
    if digits.len() == 2 * LENGTH { bytes.try_into().ok() } else { None }
}

fn base64(text: &str) -> Option<[u8; LENGTH]> {
    let decoded = |alphabet: &Alphabet| {
        let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        GeneralPurpose::new(alphabet, config).decode(text).ok()
    };
    decoded(&STANDARD).or_else(|| decoded(&URL_SAFE))?.try_into().ok()
}

/// What the sender is answered, whatever is wrong: nothing to learn from.
pub(super) fn refused() -> Refusal {
    Refusal::new(Cause::Proof, "the signature is missing or wrong")
}

/// The secret that bodies are signed with.
#[derive(Clone)]
pub(super) struct Key(Hmac<Sha256>);

impl Key {
    /// The key of a secret; `None` if it is empty, since then anybody could sign.
    pub(super) fn new(secret: &SecretString) -> Option<Key> {
        let secret = secret.expose_secret().as_bytes();
        if secret.is_empty() {
            return None;
        }
        Hmac::new_from_slice(secret).ok().map(Key)
    }

    /// The start of a body that is said to have a signature.
    pub(super) fn unproven(&self, claimed: Claimed) -> Unproven {
        Unproven { bytes: Vec::new(), mac: self.0.clone(), claimed }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// A body that is being read and proves nothing yet. Nobody sees its bytes before they are what its
/// sender signed: there is no other way to them than [`Unproven::prove`].
pub(super) struct Unproven {
    bytes: Vec<u8>,
    mac: Hmac<Sha256>,
    claimed: Claimed,
}

impl Unproven {
    /// One more piece of it.
    pub(super) fn push(&mut self, data: &[u8]) {
        self.mac.update(data);
        self.bytes.extend_from_slice(data);
    }

    /// How many bytes have come.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The whole body, if it is what was signed; compared in constant time.
    pub(super) fn prove(self) -> Result<Vec<u8>, Refusal> {
        self.mac.verify_slice(&self.claimed.0).map_err(|_| refused())?;
        Ok(self.bytes)
    }
}

impl fmt::Debug for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unproven({} bytes)", self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    /// RFC 4231, test case 2.
    const SECRET: &str = "Jefe";
    const BODY: &[u8] = b"what do ya want for nothing?";
    const HEX: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    const BASE64: &str = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=";

    fn proven(value: &str, pieces: &[&[u8]]) -> Option<Vec<u8>> {
        let claimed = read(&HeaderValue::from_str(value).ok()?)?;
        let mut unproven = Key::new(&SECRET.into())?.unproven(claimed);
        pieces.iter().for_each(|piece| unproven.push(piece));
        unproven.prove().ok()
    }

    #[rstest]
    #[case::hex(HEX.to_owned(), true)]
    #[case::upper(HEX.to_uppercase(), true)]
    #[case::prefixed(format!("sha256={HEX}"), true)]
    #[case::prefixed_loudly(format!("SHA256={HEX}"), true)]
    #[case::base64(BASE64.to_owned(), true)]
    #[case::base64_prefixed(format!("sha256={BASE64}"), true)]
    #[case::base64_bare(BASE64.trim_end_matches('=').to_owned(), true)]
    #[case::base64_url(BASE64.replace('+', "-").replace('/', "_"), true)]
    #[case::blanks(format!("  {HEX} "), true)]
    #[case::one_digit_off(HEX.replace("5bdc", "5bdd"), false)]
    #[case::short(HEX[..62].to_owned(), false)]
    #[case::long(format!("{HEX}00"), false)]
    #[case::other_algorithm(format!("sha1={HEX}"), false)]
    #[case::the_secret(SECRET.to_owned(), false)]
    #[case::empty(String::new(), false)]
    #[case::only_the_prefix("sha256=".to_owned(), false)]
    #[case::no_hex("g".repeat(64), false)]
    fn every_spelling_and_nothing_else(#[case] value: String, #[case] is_right: bool) {
        assert_eq!(proven(&value, &[BODY]).is_some(), is_right);
    }

    #[rstest]
    #[case::another_body(&[b"what do ya want for nothing!".as_slice()], false)]
    #[case::no_body(&[], false)]
    #[case::in_pieces(&[b"what do ya want ".as_slice(), b"", b"for nothing?"], true)]
    fn the_body_is_what_was_signed(#[case] pieces: &[&[u8]], #[case] is_right: bool) {
        assert_eq!(proven(HEX, pieces), is_right.then(|| BODY.to_vec()));
    }

    #[test]
    fn both_alphabets_are_read() {
        // A digest with what the alphabets spell differently.
        let bytes = [0xfb; LENGTH];
        for engine in [base64::engine::general_purpose::STANDARD, base64::engine::general_purpose::URL_SAFE] {
            let text = engine.encode(bytes);
            assert_eq!(read(&HeaderValue::from_str(&text).unwrap()).unwrap().0, bytes, "{text}");
        }
    }

    #[test]
    fn nothing_is_printed() {
        let key = Key::new(&SECRET.into()).unwrap();
        let claimed = read(&HeaderValue::from_static(HEX)).unwrap();
        assert_eq!(format!("{:?} {:?}", key, key.unproven(claimed)), "[secret] Unproven(0 bytes)");
    }

    proptest! {
        #[test]
        fn no_value_panics(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                let _ = read(&value);
            }
        }
    }
}
