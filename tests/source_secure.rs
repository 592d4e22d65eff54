//! The listener over TLS and over a Unix socket, as a sender meets it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

#[expect(dead_code, reason = "shared with the other tests of the listener")]
mod source_support;
#[path = "support/wait.rs"]
#[expect(dead_code, reason = "shared with the tests of the program, which wait in more ways")]
mod wait;

use idtriage::config::meant::{Address, Listen, Proof, Source, TlsFiles, Webhook};
use idtriage::source::tls::TlsError;
use idtriage::source::{Accept, Clock, ListenError, Listener, ListenerHealth};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion, version};
use source_support::{Inbox, MESSAGE};
use std::fs::{self, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys/tls").join(name)
}

/// Goes on when it is told to.
#[derive(Debug, Default)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        // Every certificate of the tests but the expired one is good then.
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        start + SignedDuration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// A folder with a certificate and its key, as something that renews them writes them.
struct Files {
    folder: TempDir,
}

impl Files {
    fn of(name: &str) -> Files {
        let files = Files { folder: tempfile::tempdir().unwrap() };
        files.renew_cert(name);
        files.renew_key(name);
        files
    }

    fn renew_cert(&self, name: &str) {
        self.replace("tls.pem", &fs::read(fixture(&format!("{name}.pem"))).unwrap());
    }

    fn renew_key(&self, name: &str) {
        self.replace("tls.key", &fs::read(fixture(&format!("{name}.key"))).unwrap());
    }

    /// Another file in its place.
    fn replace(&self, name: &str, content: &[u8]) {
        let new = self.folder.path().join("new");
        fs::write(&new, content).unwrap();
        fs::set_permissions(&new, Permissions::from_mode(0o600)).unwrap();
        fs::rename(new, self.folder.path().join(name)).unwrap();
    }

    fn tls(&self) -> TlsFiles {
        TlsFiles { cert: self.folder.path().join("tls.pem"), key: self.folder.path().join("tls.key") }
    }
}

fn sources() -> Vec<Source> {
    let proof = Proof::Header { name: "x-api-client-token".into(), secret: "s3cret".into() };
    vec![Source::posted("cii", "cii-webhook", Webhook::new("/hooks/cii", proof))]
}

async fn bind(listen: &Listen, inbox: &Arc<Inbox>, clock: &Arc<Hand>) -> Result<Listener, ListenError> {
    let (accept, clock) = (Arc::clone(inbox) as Arc<dyn Accept>, Arc::clone(clock) as Arc<dyn Clock>);
    Listener::bind(listen, &sources(), accept, clock).await
}

/// A served listener, and the switch that stops it.
struct Served {
    addr: Option<SocketAddr>,
    health: Arc<ListenerHealth>,
    inbox: Arc<Inbox>,
    clock: Arc<Hand>,
    stop: watch::Sender<bool>,
    ended: tokio::task::JoinHandle<()>,
}

impl Served {
    async fn at(listen: Listen, inbox: Inbox) -> Served {
        let (inbox, clock) = (Arc::new(inbox), Arc::<Hand>::default());
        let listener = bind(&listen, &inbox, &clock).await.unwrap();
        let (addr, health) = (listener.local_addr(), listener.health());
        let (stop, stopped) = watch::channel(false);
        Served { addr, health, inbox, clock, stop, ended: tokio::spawn(listener.serve(stopped)) }
    }

    /// On a port of loopback, ending TLS.
    async fn with_tls(files: &Files) -> Served {
        Served::at(over_tls("127.0.0.1:0", files.tls()), Inbox::new()).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr.unwrap()).await.unwrap()
    }

    fn notes(&self) -> String {
        let notes = self.health.snapshot().swap_remove(0).notes;
        notes.into_iter().map(|note| note.text).collect::<Vec<_>>().join("\n")
    }

    async fn stop(self) {
        self.stop.send(true).unwrap();
        self.ended.await.unwrap();
    }
}

fn over_tls(address: &str, files: TlsFiles) -> Listen {
    Listen { address: Address::Tcp(address.parse().unwrap()), tls: Some(files) }
}

fn over_unix(path: &Path) -> Listen {
    Listen { address: Address::Unix(path.to_owned()), tls: None }
}

/// A sender that trusts the authority of the tests.
async fn tls(
    stream: TcpStream,
    name: &str,
    versions: &[&'static SupportedProtocolVersion],
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(fixture("authority.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

const BOTH: [&SupportedProtocolVersion; 2] = [&version::TLS13, &version::TLS12];

async fn post(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), secret: &str, body: &[u8]) -> String {
    let length = body.len();
    let head = format!(
        "POST /hooks/cii HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-api-client-token: {secret}\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[rstest]
#[case::new(&version::TLS13, ProtocolVersion::TLSv1_3)]
#[case::old(&version::TLS12, ProtocolVersion::TLSv1_2)]
#[tokio::test]
async fn a_sender_posts_over_tls(
    #[case] offered: &'static SupportedProtocolVersion,
    #[case] spoken: ProtocolVersion,
) {
    let served = Served::with_tls(&Files::of("here")).await;
    let mut stream = tls(served.connect().await, "localhost", &[offered]).await.unwrap();
    let session = stream.get_ref().1;
    assert_eq!(session.protocol_version(), Some(spoken));
    assert_eq!(session.alpn_protocol(), Some(b"http/1.1".as_slice()));
    assert!(post(&mut stream, "s3cret", MESSAGE.as_bytes()).await.starts_with("HTTP/1.1 200 "));
    assert_eq!((served.inbox.kept().len(), served.notes().as_str()), (1, ""));
    served.stop().await;
}

#[rstest]
#[case::too_large("s3cret", "HTTP/1.1 413 ")]
#[case::unknown("wrong", "HTTP/1.1 401 ")]
#[tokio::test]
async fn a_sender_in_the_middle_of_a_large_body_still_sees_the_answer(
    #[case] secret: &str,
    #[case] status: &str,
) {
    let served = Served::with_tls(&Files::of("here")).await;
    let mut stream = tls(served.connect().await, "localhost", &BOTH).await.unwrap();
    let answer = post(&mut stream, secret, &vec![b' '; 9 * 1024 * 1024]).await;
    assert!(answer.starts_with(status), "{answer}");
    served.stop().await;
}

#[tokio::test]
async fn what_is_no_tls_is_counted_and_holds_up_nobody() {
    let served = Served::with_tls(&Files::of("here")).await;
    // Says nothing for as long as the test takes.
    let _silent = served.connect().await;
    let mut plain = served.connect().await;
    plain.write_all(b"POST /hooks/cii HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // An alert, and the end; nothing of HTTP.
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    let mut stream = tls(served.connect().await, "localhost", &BOTH).await.unwrap();
    assert!(post(&mut stream, "s3cret", MESSAGE.as_bytes()).await.starts_with("HTTP/1.1 200 "));
    assert_eq!(served.health.failed_handshakes(), 1);
    assert!(served.notes().contains("TLS handshakes that failed: 1, the last one: "), "{}", served.notes());
    // The silent one is told to go, not waited for.
    served.stop().await;
}

#[tokio::test]
async fn a_sender_that_does_not_trust_the_certificate_is_to_be_seen() {
    let served = Served::with_tls(&Files::of("expired")).await;
    assert!(tls(served.connect().await, "localhost", &BOTH).await.is_err());
    wait::within("the alert", async {
        while served.health.failed_handshakes() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let notes = served.notes();
    assert!(notes.contains("ended at 2021-01-01T00:00:00Z: no sender takes it any more"), "{notes}");
    assert!(notes.contains("received fatal alert"), "{notes}");
    served.stop().await;
}

/// The certificate that the listener shows now.
async fn shown(served: &Served) -> CertificateDer<'static> {
    for name in ["localhost", "elsewhere.example.test"] {
        if let Ok(stream) = tls(served.connect().await, name, &BOTH).await {
            return stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned();
        }
    }
    panic!("no certificate is shown")
}

fn certificate(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(fixture(name)).unwrap()
}

#[tokio::test]
async fn renewed_files_are_taken_without_a_restart() {
    let files = Files::of("here");
    let served = Served::with_tls(&files).await;
    assert_eq!(shown(&served).await, certificate("here.pem"));
    // Half of it: the old pair stays, and why is said.
    files.renew_cert("elsewhere");
    assert_eq!(
        shown(&served).await,
        certificate("here.pem"),
        "nobody looks more often than every few seconds"
    );
    served.clock.0.fetch_add(10, Ordering::SeqCst);
    assert_eq!(shown(&served).await, certificate("here.pem"));
    assert!(served.notes().contains("the old certificate is kept: key file"), "{}", served.notes());
    files.renew_key("elsewhere");
    served.clock.0.fetch_add(10, Ordering::SeqCst);
    assert_eq!(shown(&served).await, certificate("elsewhere.pem"));
    assert!(!served.notes().contains("is kept"), "{}", served.notes());
    for broken in [b"".as_slice(), b"no certificate"] {
        files.replace("tls.pem", broken);
        served.clock.0.fetch_add(10, Ordering::SeqCst);
        assert_eq!(shown(&served).await, certificate("elsewhere.pem"));
        assert!(served.notes().contains("holds no certificate in PEM"), "{}", served.notes());
    }
    served.stop().await;
}

type Breaks = fn(&Path);

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[rstest]
#[case::no_cert("tls.pem", |path: &Path| fs::remove_file(path).unwrap(), "cannot be read", "tls_cert")]
#[case::empty_cert("tls.pem", |path: &Path| fs::write(path, "").unwrap(), "holds no certificate", "fullchain.pem")]
#[case::a_key_as_cert("tls.pem", |path: &Path| fs::copy(fixture("here.key"), path).map(drop).unwrap(), "holds no certificate", "fullchain.pem")]
#[case::no_key("tls.key", |path: &Path| fs::remove_file(path).unwrap(), "cannot be read", "mode 0600")]
#[case::open_key("tls.key", |path: &Path| chmod(path, 0o644), "can be read or written by others", "chmod 600")]
#[case::group_key("tls.key", |path: &Path| chmod(path, 0o640), "can be read or written by others", "chmod 600")]
#[case::empty_key("tls.key", |path: &Path| fs::write(path, "\n").unwrap(), "is empty", "tls_key")]
#[case::no_pem("tls.key", |path: &Path| fs::write(path, "hunter2").unwrap(), "holds no private key", "privkey.pem")]
#[case::anothers_key("tls.key", |path: &Path| fs::write(path, fs::read(fixture("elsewhere.key")).unwrap()).unwrap(), "is not the key of the certificate", "same renewal")]
#[tokio::test]
async fn files_that_are_no_pair_are_named(
    #[case] name: &str,
    #[case] breaks: Breaks,
    #[case] what: &str,
    #[case] hint: &str,
) {
    let files = Files::of("here");
    let path = files.folder.path().join(name);
    breaks(&path);
    let error = bind(&over_tls("127.0.0.1:0", files.tls()), &Arc::new(Inbox::new()), &Arc::default()).await;
    let error = error.unwrap_err();
    let told = error.to_string();
    assert!(matches!(error, ListenError::Tls(_)), "{told}");
    let (words, mends) = told.split_once("\nhint: ").unwrap();
    assert!(words.contains(what) && words.contains(&path.display().to_string()), "{told}");
    assert!(mends.contains(hint) && !told.contains("hunter2"), "{told}");
}

#[tokio::test]
async fn with_tls_any_address_may_be_bound() {
    let files = Files::of("here");
    let listen = over_tls("0.0.0.0:0", files.tls());
    assert!(bind(&listen, &Arc::new(Inbox::new()), &Arc::default()).await.is_ok());
    let without = Listen { tls: None, ..listen };
    let refused = bind(&without, &Arc::new(Inbox::new()), &Arc::default()).await.unwrap_err();
    assert!(matches!(refused, ListenError::NotLoopback(_)));
}

#[test]
fn a_broken_pair_is_named_where_it_stops_the_listener() {
    let error = ListenError::Tls(TlsError::NoCertificate("x.pem".into())).to_string();
    assert!(error.contains("`x.pem`"), "{error}");
}

#[tokio::test]
async fn a_proxy_posts_over_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hooks.sock");
    let served = Served::at(over_unix(&path), Inbox::new()).await;
    assert_eq!(served.addr, None);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    let mut stream = UnixStream::connect(&path).await.unwrap();
    assert!(post(&mut stream, "s3cret", MESSAGE.as_bytes()).await.starts_with("HTTP/1.1 200 "));
    // On the same machine a caller is as unknown as anywhere else.
    let mut stream = UnixStream::connect(&path).await.unwrap();
    assert!(post(&mut stream, "wrong", MESSAGE.as_bytes()).await.starts_with("HTTP/1.1 401 "));
    assert_eq!(served.inbox.kept().len(), 1);
    served.stop().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn over_a_unix_socket_the_stop_waits_for_the_request_in_flight() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hooks.sock");
    let served = Served::at(over_unix(&path), Inbox::slow()).await;
    let mut stream = UnixStream::connect(&path).await.unwrap();
    let answer = tokio::spawn(async move { post(&mut stream, "s3cret", MESSAGE.as_bytes()).await });
    served.inbox.entered.acquire().await.unwrap().forget();
    served.stop.send(true).unwrap();
    served.inbox.may_commit.add_permits(1);
    assert!(answer.await.unwrap().starts_with("HTTP/1.1 200 "));
    served.ended.await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn a_socket_that_somebody_answers_at_is_taken_and_a_leftover_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hooks.sock");
    let served = Served::at(over_unix(&path), Inbox::new()).await;
    let second = bind(&over_unix(&path), &served.inbox, &served.clock).await.unwrap_err();
    assert!(matches!(&second, ListenError::AddressTaken(_)), "{second}");
    assert!(second.to_string().contains(&format!("address `unix:{}` is taken", path.display())), "{second}");
    served.stop().await;
    // As a process leaves it that was killed.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let served = Served::at(over_unix(&path), Inbox::new()).await;
    let mut stream = UnixStream::connect(&path).await.unwrap();
    assert!(post(&mut stream, "s3cret", MESSAGE.as_bytes()).await.starts_with("HTTP/1.1 200 "));
    served.stop().await;
}
