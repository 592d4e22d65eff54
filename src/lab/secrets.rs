//! The lab's credentials: made anew for every run, or given by a test.
//!
//! Randomness comes from version 4 UUIDs (the operating system's generator) put through SHA-256; the crate has no other
//! source of it, and the demo needs none.
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Everything that a client of the lab must know, and nobody else.
#[derive(Debug, Clone)]
pub struct LabSecrets {
    pub cii_client_id: String,
    pub cii_client_secret: SecretString,
    /// The value of the header that the lab sends with every webhook of CII.
    pub cii_hook_token: SecretString,
    /// The value of the event hook's `authScheme`.
    pub okta_hook_secret: SecretString,
    /// The secret of the ISPM webhook tile.
    pub ispm_secret: SecretString,
    /// The value of the header of the execution log's destination.
    pub execution_log_token: SecretString,
    /// The key that the form service signs its bodies with.
    pub form_key: SecretString,
    /// The password that the alert manager shows.
    pub alerts_password: SecretString,
    /// An SSWS token.
    pub okta_token: SecretString,
    /// The client token of every flow that takes one.
    pub flow_token: SecretString,
    /// The OAuth service app of the Okta org.
    pub okta_client_id: String,
    /// Its private key: PKCS #8 PEM, P-256, to sign with ES256.
    pub okta_private_key: SecretString,
}

impl LabSecrets {
    /// New ones, unlike any before.
    pub fn random() -> Self {
        Self {
            cii_client_id: token("cii", 18),
            cii_client_secret: SecretString::from(token("", 32)),
            cii_hook_token: SecretString::from(token("hook-", 24)),
            okta_hook_secret: SecretString::from(token("event-", 24)),
            ispm_secret: SecretString::from(token("ispm-", 24)),
            execution_log_token: SecretString::from(token("els-", 24)),
            form_key: SecretString::from(token("form-", 24)),
            alerts_password: SecretString::from(token("alert-", 24)),
            okta_token: SecretString::from(token("00", 30)),
            flow_token: SecretString::from(token("flow-", 32)),
            okta_client_id: token("0oa", 12),
            okta_private_key: SecretString::from(private_key()),
        }
    }

    /// The files of a secrets folder: name and content.
    fn files(&self) -> [(&'static str, &SecretString); 10] {
        [
            (CII_CLIENT_SECRET, &self.cii_client_secret),
            (CII_HOOK_TOKEN, &self.cii_hook_token),
            (OKTA_HOOK_SECRET, &self.okta_hook_secret),
            (ISPM_SECRET, &self.ispm_secret),
            (EXECUTION_LOG_TOKEN, &self.execution_log_token),
            (FORM_KEY, &self.form_key),
            (ALERTS_PASSWORD, &self.alerts_password),
            (OKTA_TOKEN, &self.okta_token),
            (OKTA_PRIVATE_KEY, &self.okta_private_key),
            (FLOW_TOKEN, &self.flow_token),
        ]
    }

    /// Writes one file a secret (0600) into a folder (0700, made if missing).
    pub(crate) fn write_files(&self, folder: &Path) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        for (name, secret) in self.files() {
            let path = folder.join(name);
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
            file.write_all(secret.expose_secret().as_bytes())?;
        }
        Ok(())
    }
}

pub(crate) const CII_CLIENT_SECRET: &str = "cii-client.secret";
pub(crate) const CII_HOOK_TOKEN: &str = "cii-hook.secret";
pub(crate) const OKTA_HOOK_SECRET: &str = "okta-hook.secret";
pub(crate) const ISPM_SECRET: &str = "ispm.secret";
pub(crate) const EXECUTION_LOG_TOKEN: &str = "execution-log.secret";
pub(crate) const FORM_KEY: &str = "form.secret";
pub(crate) const ALERTS_PASSWORD: &str = "alerts.secret";
pub(crate) const OKTA_TOKEN: &str = "okta-token.secret";
pub(crate) const OKTA_PRIVATE_KEY: &str = "okta-key.pem";
pub(crate) const FLOW_TOKEN: &str = "flow-token.secret";

/// A prefix and `bytes` random bytes in base64url.
pub(crate) fn token(prefix: &str, bytes: usize) -> String {
    let noise = random_bytes();
    let kept = noise.get(..bytes).unwrap_or(&noise);
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(kept))
}

/// An id as Okta makes them: 20 letters and digits, the first of which say what it is of.
pub(crate) fn id(prefix: &str) -> String {
    let noise = uuid::Uuid::new_v4().simple().to_string();
    [prefix, &noise].concat().chars().take(20).collect()
}

fn random_bytes() -> [u8; 32] {
    let mut hash = Sha256::new();
    for _ in 0..4 {
        hash.update(uuid::Uuid::new_v4().as_bytes());
    }
    hash.finalize().into()
}

/// What precedes the 32 bytes of a P-256 scalar in a PKCS #8 file (RFC 5208, RFC 5915): version 0, `ecPublicKey` on
/// `prime256v1`, then an `ECPrivateKey` of version 1 without the optional public key.
const PKCS8_P256: [u8; 35] = [
    0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
    0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04,
    0x20,
];

/// A new P-256 key. Any 32 bytes below the group order will do; the first bit is cleared to stay below it.
fn private_key() -> String {
    let mut scalar = random_bytes();
    scalar[0] &= 0x7f;
    let body = STANDARD.encode([&PKCS8_P256[..], &scalar[..]].concat());
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{Algorithm, EncodingKey, jwk::Jwk};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn makes_keys_that_sign() {
        let pem = private_key();
        let key = EncodingKey::from_ec_pem(pem.as_bytes()).unwrap();
        assert!(Jwk::from_encoding_key(&key, Algorithm::ES256).is_ok());
    }

    #[test]
    fn differs_every_time_and_hides_in_debug() {
        let (one, two) = (LabSecrets::random(), LabSecrets::random());
        assert_ne!(one.okta_token.expose_secret(), two.okta_token.expose_secret());
        assert!(!format!("{one:?}").contains(one.okta_token.expose_secret()));
    }

    #[test]
    fn writes_files_that_nobody_else_reads() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = folder.path().join("secrets");
        LabSecrets::random().write_files(&secrets).unwrap();
        assert_eq!(fs::metadata(&secrets).unwrap().permissions().mode() & 0o777, 0o700);
        for entry in fs::read_dir(&secrets).unwrap() {
            assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
