//! Ending TLS: certificate and key from their files, again whenever those change.
//!
//! A certificate of a public authority lives for weeks, and what renews it only writes files. So the
//! files are looked at now and then while connections come, and taken when they have changed. A new pair
//! that does not fit together keeps the old one: a renewal half way through must not silence a source.

use super::counters::{ListenerHealth, Topic};
use crate::config::meant::TlsFiles;
use crate::config::secret::{self, SecretError};
use crate::domain::{SourceNote, time};
use jiff::{SignedDuration, Timestamp};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::version::{TLS12, TLS13};
use rustls::{CertificateError, Error as TlsFault, InconsistentKeys, RootCertStore, ServerConfig};
use secrecy::ExposeSecret as _;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often the files are looked at, at most.
const LOOK: SignedDuration = SignedDuration::from_secs(5);
/// From when on a certificate's end is pointed out.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Far above any chain.
const LARGEST_CHAIN: u64 = 1024 * 1024;

/// Why a listener cannot end TLS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// The certificate's file cannot be read.
    #[error(
        "certificate file `{path}` cannot be read: {cause}\nhint: `[listen] tls_cert` names a PEM file; a relative path starts at the configuration's folder"
    )]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why, in the system's words.
        cause: String,
    },
    /// It holds no certificate.
    #[error(
        "certificate file `{0}` holds no certificate in PEM\nhint: the whole chain, the listener's own certificate first: certbot's `fullchain.pem`"
    )]
    NoCertificate(PathBuf),
    /// The key's file is missing, or is not ours alone.
    #[error("the key of the listener: {0}\nhint: {hint}", hint = key_hint(.0))]
    Key(#[from] SecretError),
    /// It holds no key.
    #[error(
        "key file `{0}` holds no private key in PEM that can be used\nhint: PKCS#8, PKCS#1 or SEC 1, without a password: certbot's `privkey.pem`"
    )]
    NoKey(PathBuf),
    /// Both are sound, and not of each other.
    #[error(
        "key file `{key}` is not the key of the certificate in `{cert}`\nhint: take both from the same renewal"
    )]
    Mismatch {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The library wants neither.
    #[error(
        "the certificate in `{path}` cannot be used: {cause}\nhint: X.509 version 3, with a key of RSA, P-256, P-384 or Ed25519"
    )]
    Unusable {
        /// The certificate's file.
        path: PathBuf,
        /// Why, in the library's words.
        cause: String,
    },
}

fn key_hint(error: &SecretError) -> String {
    error.hint().unwrap_or_else(|| "`[listen] tls_key` names a PEM file that only you can read".to_owned())
}

/// A certificate with its key, renewed from their files.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    now: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    pair: Pair,
    /// The files as they were when they were last read, with or without success.
    read: Stamp,
    /// When they were last looked at.
    looked: Timestamp,
}

/// What TLS is ended with.
#[derive(Debug, Clone)]
struct Pair {
    config: Arc<ServerConfig>,
    life: Life,
}

impl Tls {
    /// Reads both files.
    ///
    /// # Errors
    /// Which file is wrong, and what mends it.
    pub fn load(files: &TlsFiles, at: Timestamp) -> Result<Tls, TlsError> {
        // Before they are read: what changes meanwhile is noticed at the next look.
        let read = Stamp::of(files);
        let pair = Pair::read(files)?;
        Ok(Tls { files: files.clone(), now: Mutex::new(Current { pair, read, looked: at }) })
    }

    /// What is to be said about the certificate's life: it is over, will be soon, or has not begun.
    pub fn warning(&self, at: Timestamp) -> Option<String> {
        let life = self.lock().pair.life;
        life.warning(at).map(|words| format!("the certificate in `{}` {words}", self.files.cert.display()))
    }

    /// Whether a sender can take the certificate at this time.
    pub fn is_good(&self, at: Timestamp) -> bool {
        let Life { begins, ends } = self.lock().pair.life;
        begins.is_none_or(|begins| at >= begins) && ends.is_none_or(|ends| at < ends)
    }

    /// When the certificate ends, where that can be told.
    pub fn ends(&self) -> Option<Timestamp> {
        self.lock().pair.life.ends
    }

    /// What the next connection is spoken to with. Reads the files if they have changed.
    pub(super) fn current(&self, at: Timestamp, health: &ListenerHealth) -> Arc<ServerConfig> {
        if let Some(known) = self.due(at) {
            self.renew(&known, at, health);
            let warning = self.warning(at).map(|words| SourceNote::warning(words, at));
            health.tell(Topic::Certificate, warning);
        }
        Arc::clone(&self.lock().pair.config)
    }

    /// The files as they were read last, if it is time to look at them again. Whoever is told so is the
    /// only one; the others go on with what there is.
    fn due(&self, at: Timestamp) -> Option<Stamp> {
        let mut now = self.lock();
        if at.duration_since(now.looked).abs() < LOOK {
            return None;
        }
        now.looked = at;
        Some(now.read.clone())
    }

    fn renew(&self, known: &Stamp, at: Timestamp, health: &ListenerHealth) {
        let found = Stamp::of(&self.files);
        if found == *known {
            return;
        }
        let pair = Pair::read(&self.files);
        let mut now = self.lock();
        now.read = found;
        match pair {
            Ok(pair) => {
                now.pair = pair;
                tracing::info!("the listener's certificate was renewed");
                health.tell(Topic::Renewal, None);
            }
            Err(error) => {
                tracing::warn!(%error, "the listener's new certificate is not taken");
                let why = error.to_string().replace("\nhint: ", "; hint: ");
                let words = format!("the old certificate is kept: {why}");
                health.tell(Topic::Renewal, Some(SourceNote::warning(words, at)));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pair {
    fn read(files: &TlsFiles) -> Result<Pair, TlsError> {
        let chain = chain(&files.cert)?;
        let pem = secret::read_file(&files.key)?;
        let key = PrivateKeyDer::from_pem_slice(pem.expose_secret().as_bytes());
        let key = key.map_err(|_| TlsError::NoKey(files.key.clone()))?;
        let provider = Arc::new(ring::default_provider());
        if provider.key_provider.load_private_key(key.clone_key()).is_err() {
            return Err(TlsError::NoKey(files.key.clone()));
        }
        let life = chain.first().map(|own| Life::of(own, &provider)).unwrap_or_default();
        let failed = |fault| unfit(fault, files);
        let builder = ServerConfig::builder_with_provider(provider);
        let builder = builder.with_protocol_versions(&[&TLS13, &TLS12]).map_err(failed)?;
        let mut config = builder.with_no_client_auth().with_single_cert(chain, key).map_err(failed)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Pair { config: Arc::new(config), life })
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |cause: String| TlsError::Unreadable { path: path.to_owned(), cause };
    let mut pem = Vec::new();
    let file = fs::File::open(path).map_err(|error| failed(error.to_string()))?;
    file.take(LARGEST_CHAIN).read_to_end(&mut pem).map_err(|error| failed(error.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    found.ok().filter(|chain| !chain.is_empty()).ok_or_else(|| TlsError::NoCertificate(path.to_owned()))
}

fn unfit(fault: TlsFault, files: &TlsFiles) -> TlsError {
    match fault {
        TlsFault::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            TlsError::Mismatch { cert: files.cert.clone(), key: files.key.clone() }
        }
        fault => TlsError::Unusable { path: files.cert.clone(), cause: fault.to_string() },
    }
}

/// From when until when a certificate is good, as far as it can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Life {
    begins: Option<Timestamp>,
    ends: Option<Timestamp>,
}

impl Life {
    /// The library has no accessor for a certificate's dates, but it names them when it refuses one at a
    /// time outside of them; and it looks at the dates before it looks for who vouches.
    fn of(certificate: &CertificateDer<'_>, provider: &CryptoProvider) -> Life {
        let refused = |at: UnixTime| {
            let parsed = ParsedCertificate::try_from(certificate).ok()?;
            let (roots, algorithms) =
                (RootCertStore::empty(), provider.signature_verification_algorithms.all);
            verify_server_cert_signed_by_trust_anchor(&parsed, &roots, &[], at, algorithms).err()
        };
        let begins = match refused(UnixTime::since_unix_epoch(Duration::ZERO)) {
            Some(TlsFault::InvalidCertificate(CertificateError::NotValidYetContext {
                not_before, ..
            })) => timestamp(not_before),
            _ => None,
        };
        let ends = match refused(UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX / 2))) {
            Some(TlsFault::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
                timestamp(not_after)
            }
            _ => None,
        };
        Life { begins, ends }
    }

    fn warning(self, at: Timestamp) -> Option<String> {
        if let Some(begins) = self.begins.filter(|begins| at < *begins) {
            return Some(format!("is good from {} on, not yet", time::rfc3339_seconds(begins)));
        }
        let ends = self.ends?;
        let until = time::rfc3339_seconds(ends);
        if at >= ends {
            Some(format!("ended at {until}: no sender takes it any more"))
        } else if ends.duration_since(at) < SOON {
            Some(format!("ends at {until}: renew it"))
        } else {
            None
        }
    }
}

fn timestamp(time: UnixTime) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(time.as_secs()).ok()?).ok()
}

/// By what a file is known: device, number, time of its last change in whole seconds and nanoseconds, bytes.
type FileStamp = (u64, u64, i64, i64, u64);

/// By what changed files are known; `None` for one that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp([Option<FileStamp>; 2]);

impl Stamp {
    /// Links are followed: certbot changes where they lead.
    fn of(files: &TlsFiles) -> Stamp {
        let stamp = |path: &PathBuf| {
            let meta = fs::metadata(path).ok()?;
            Some((meta.dev(), meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.len()))
        };
        Stamp([stamp(&files.cert), stamp(&files.key)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn fixture(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys/tls").join(name)
    }

    fn life(name: &str) -> Life {
        let chain = chain(&fixture(name)).unwrap();
        Life::of(&chain[0], &ring::default_provider())
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[rstest]
    #[case("here.pem", "2020-01-01T00:00:00Z", "2120-01-01T00:00:00Z")]
    #[case("expired.pem", "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z")]
    fn the_dates_of_a_certificate_are_read(#[case] name: &str, #[case] begins: &str, #[case] ends: &str) {
        assert_eq!(life(name), Life { begins: Some(at(begins)), ends: Some(at(ends)) });
    }

    #[rstest]
    #[case("2019-12-31T23:59:59Z", Some("is good from 2020-01-01T00:00:00Z on, not yet"))]
    #[case("2020-06-01T00:00:00Z", None)]
    #[case("2020-12-17T23:59:59Z", None)]
    #[case("2020-12-18T00:00:01Z", Some("ends at 2021-01-01T00:00:00Z: renew it"))]
    #[case("2021-01-01T00:00:00Z", Some("ended at 2021-01-01T00:00:00Z: no sender takes it any more"))]
    fn its_end_is_pointed_out_in_time(#[case] now: &str, #[case] words: Option<&str>) {
        assert_eq!(life("expired.pem").warning(at(now)).as_deref(), words);
    }
}
