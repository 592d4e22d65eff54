//! How HTTP leaves: through `[net] proxy`, and with `[net] ca_file`. Everything on loopback: the names
//! of the network end in `.test`, which nobody resolves, so that only a proxy can reach them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use async_trait::async_trait;
use idtriage::config::meant::Net;
use idtriage::tenant::Clearance;
use idtriage::tenant::http::{ActEnd, Answer, Bucket, Clock, Http, HttpError, Limits, Redactor, Request};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

const FAR: &str = "https://cii.example.test/graphql";

fn key(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/keys/tls").join(name)
}

/// Serves every connection on a thread of its own, and gives the address.
fn serve(each: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let each = Arc::new(each);
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let each = each.clone();
            // A client that goes away is not this side's failure.
            thread::spawn(move || each(connection));
        }
    });
    address
}

/// The lines of a request up to the empty one.
fn head(stream: &mut impl Read) -> io::Result<Vec<String>> {
    let mut lines = Vec::new();
    for line in BufReader::with_capacity(1, stream).lines() {
        match line? {
            line if line.is_empty() => break,
            line => lines.push(line),
        }
    }
    Ok(lines)
}

fn answer(stream: &mut impl Write) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")?;
    stream.flush()
}

/// A web server that shows a certificate of the private authority.
fn tls_server(name: &str) -> SocketAddr {
    let chain = vec![CertificateDer::from_pem_file(key(&format!("{name}.pem"))).unwrap()];
    let private = PrivateKeyDer::from_pem_file(key(&format!("{name}.key"))).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, private).unwrap());
    serve(move |mut tcp| {
        let mut session = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
        let mut stream = Stream::new(&mut session, &mut tcp);
        head(&mut stream)?;
        answer(&mut stream)?;
        session.send_close_notify();
        session.complete_io(&mut tcp).map(drop)
    })
}

/// What a proxy was asked for.
type Asked = Arc<Mutex<Vec<String>>>;

/// A proxy that tunnels to one place, whatever name it is asked for, or answers a status instead.
fn proxy(to: Result<SocketAddr, &'static str>) -> (Net, Asked) {
    let asked = Asked::default();
    let heard = asked.clone();
    let address = serve(move |mut client| {
        heard.lock().unwrap().extend(head(&mut client)?.into_iter().take(1));
        let to = match to {
            Ok(to) => to,
            Err(status) => return client.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()),
        };
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        tunnel(client, TcpStream::connect(to)?)
    });
    (Net { proxy: Some(url(&format!("http://{address}"))), ca_file: Some(key("authority.pem")) }, asked)
}

fn tunnel(client: TcpStream, server: TcpStream) -> io::Result<()> {
    let (mut up, mut down) = ((client.try_clone()?, server.try_clone()?), (server, client));
    let upwards = thread::spawn(move || io::copy(&mut up.0, &mut up.1));
    io::copy(&mut down.0, &mut down.1)?;
    down.1.shutdown(std::net::Shutdown::Both)?;
    drop(upwards);
    Ok(())
}

fn url(text: &str) -> url::Url {
    text.parse().unwrap()
}

fn http(net: &Net) -> Http {
    Http::new(net, Limits::default(), Clock::system(), Redactor::default()).unwrap()
}

async fn get(net: &Net, text: &str) -> Result<Answer, HttpError> {
    http(net).read(&Bucket::cii("test"), &Request::get(url(text))).await
}

fn with_authority() -> Net {
    Net { proxy: None, ca_file: Some(key("authority.pem")) }
}

/// Everything may leave.
struct Cleared;

#[async_trait]
impl Clearance for Cleared {
    async fn clear(&self) -> Result<(), String> {
        Ok(())
    }
}

#[tokio::test]
async fn the_network_is_reached_through_the_proxy_by_name() {
    let (net, asked) = proxy(Ok(tls_server("here")));
    let answer = get(&net, FAR).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"ok".as_slice()));
    assert_eq!(*asked.lock().unwrap(), ["CONNECT cii.example.test:443 HTTP/1.1"]);
}

#[tokio::test]
async fn loopback_never_goes_through_the_proxy() {
    let (net, asked) = proxy(Err("502 Bad Gateway"));
    let plain = serve(|mut stream| {
        head(&mut stream)?;
        answer(&mut stream)
    });
    let secure = tls_server("here");
    for url in [
        format!("http://{plain}/"),
        format!("http://localhost:{}/", plain.port()),
        format!("https://{secure}/"),
        format!("https://localhost:{}/", secure.port()),
    ] {
        assert_eq!(get(&net, &url).await.map(|answer| answer.status), Ok(200), "{url}");
    }
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_proxy_that_fails_is_named_and_nothing_was_sent() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gone = Net { proxy: Some(url(&format!("http://{gone}"))), ca_file: None };
    for (net, phrase) in [
        (proxy(Err("502 Bad Gateway")).0, "no tunnel"),
        (proxy(Err("407 Proxy Authentication Required")).0, "password"),
        (gone, "refused"),
    ] {
        let address = net.proxy.as_ref().map(|url| format!("127.0.0.1:{}", url.port().unwrap())).unwrap();
        let end = http(&net).act(&Bucket::cii("test"), &Request::get(url(FAR)), &Cleared).await;
        let ActEnd::NotSent(error, _) = end else { panic!("{end:?}") };
        let told = error.to_string();
        let expected = format!("cannot reach `cii.example.test` through the proxy `{address}`: ");
        assert!(told.starts_with(&expected) && told.contains(phrase), "{told}");
        assert!(error.hint().unwrap().contains("`[net] proxy`"), "{error:?}");
    }
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_it_is_named() {
    let address = tls_server("here");
    for host in ["localhost", "127.0.0.1"] {
        let place = format!("https://{host}:{}/", address.port());
        assert_eq!(get(&with_authority(), &place).await.map(|answer| answer.status), Ok(200));
        let error = get(&Net::default(), &place).await.unwrap_err();
        assert!(error.to_string().contains("certificate"), "{error}");
        assert!(error.hint().unwrap().contains("`[net] ca_file`"), "{error:?}");
    }
    // What the machine trusts says nothing of a private authority either.
    let (net, _) = proxy(Ok(address));
    let error = get(&Net { ca_file: None, ..net }, FAR).await.unwrap_err();
    assert!(error.hint().unwrap().contains("`[net] ca_file`"), "{error:?}");
}

#[tokio::test]
async fn a_certificate_of_another_name_is_refused() {
    let address = tls_server("elsewhere");
    let (net, _) = proxy(Ok(address));
    for (net, place) in
        [(with_authority(), format!("https://localhost:{}/", address.port())), (net, FAR.to_owned())]
    {
        let error = get(&net, &place).await.unwrap_err();
        let told = error.to_string();
        assert!(told.contains("not valid for name"), "{told}");
        assert!(!error.may_have_left() && !error.hint().unwrap().contains("ca_file"), "{error:?}");
    }
}
