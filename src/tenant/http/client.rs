//! The HTTP library's clients: built here and nowhere else.
//!
//! Two for this machine and two for the network. Loopback ones know no proxy and no system
//! certificates, so that `demo` runs on a bare machine; network ones are built when first needed, since
//! reading the system's certificates takes longer than a first frame may. Those that act keep no idle
//! connection: a request on a stale one could be cut in the middle and nobody would know its outcome.

use super::address::{self, Reach};
use super::error::innermost;
use super::{HttpError, Limits};
use crate::config::meant::Net;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Proxy};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

/// Whether a request reads or acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// May be sent again.
    Read,
    /// The same, of a page of a log.
    Page,
    /// Is sent once.
    Act,
}

#[derive(Debug)]
struct Pair {
    read: Client,
    act: Client,
}

/// The clients, made when first needed.
#[derive(Debug)]
pub(super) struct Clients {
    connect: Duration,
    authorities: Vec<Certificate>,
    proxy: Option<Proxy>,
    /// The proxy's host and port, for messages.
    via: Option<String>,
    loopback: OnceLock<Result<Pair, HttpError>>,
    network: OnceLock<Result<Pair, HttpError>>,
}

impl Clients {
    /// Reads the private certificate authority and the proxy's address; makes no client yet.
    pub(super) fn new(net: &Net, limits: &Limits) -> Result<Clients, HttpError> {
        install_crypto();
        Ok(Clients {
            connect: limits.connect,
            authorities: authorities(net)?,
            proxy: proxy(net)?,
            via: net.proxy.as_ref().map(address::host),
            loopback: OnceLock::new(),
            network: OnceLock::new(),
        })
    }

    /// The client for a place and a purpose.
    pub(super) fn get(&self, reach: Reach, purpose: Purpose) -> Result<&Client, HttpError> {
        let pair = match reach {
            Reach::Loopback => self.loopback.get_or_init(|| self.pair(reach)),
            Reach::Network => self.network.get_or_init(|| self.pair(reach)),
        };
        let pair = pair.as_ref().map_err(Clone::clone)?;
        Ok(match purpose {
            Purpose::Read | Purpose::Page => &pair.read,
            Purpose::Act => &pair.act,
        })
    }

    /// The proxy that leads to a place, if one does.
    pub(super) fn via(&self, reach: Reach) -> Option<&str> {
        self.via.as_deref().filter(|_| reach == Reach::Network)
    }

    fn pair(&self, reach: Reach) -> Result<Pair, HttpError> {
        let build = |builder: ClientBuilder| builder.build().map_err(|e| HttpError::Client(innermost(&e)));
        Ok(Pair {
            read: build(self.builder(reach))?,
            act: build(self.builder(reach).pool_max_idle_per_host(0))?,
        })
    }

    fn builder(&self, reach: Reach) -> ClientBuilder {
        let builder = Client::builder()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(self.connect);
        let authorities = self.authorities.iter().cloned();
        match reach {
            Reach::Loopback => builder
                .no_proxy()
                .resolve_to_addrs("localhost", &loopback_addresses())
                .tls_certs_only(authorities),
            Reach::Network => match &self.proxy {
                Some(proxy) => builder.proxy(proxy.clone()).tls_certs_merge(authorities),
                None => builder.tls_certs_merge(authorities),
            },
        }
    }
}

/// Port 0 means the port of the URL.
fn loopback_addresses() -> [SocketAddr; 2] {
    [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))]
}

/// The library is built without a default provider; the first one installed stays, so a second call
/// changes nothing.
fn install_crypto() {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::trace!("a crypto provider is installed already");
    }
}

fn authorities(net: &Net) -> Result<Vec<Certificate>, HttpError> {
    let Some(path) = &net.ca_file else { return Ok(Vec::new()) };
    let failed = |cause: String| HttpError::Client(format!("`[net] ca_file` `{}`: {cause}", path.display()));
    let pem = std::fs::read(path).map_err(|e| failed(e.to_string()))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|e| failed(innermost(&e)))?;
    if found.is_empty() {
        return Err(failed("holds no PEM certificate".to_owned()));
    }
    Ok(found)
}

fn proxy(net: &Net) -> Result<Option<Proxy>, HttpError> {
    let Some(url) = &net.proxy else { return Ok(None) };
    // The address may hold the proxy's password, so only the cause is named.
    let failed = |e: reqwest::Error| HttpError::Client(format!("`[net] proxy`: {}", innermost(&e)));
    Proxy::all(url.as_str()).map(Some).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let net = Net { ca_file: Some(file.path().to_owned()), proxy: None };
        let error = Clients::new(&net, &Limits::default()).unwrap_err();
        assert!(error.to_string().contains("ca_file"), "{error}");
    }

    #[test]
    fn loopback_needs_no_certificates_of_the_system() {
        let clients = Clients::new(&Net::default(), &Limits::default()).unwrap();
        clients.get(Reach::Loopback, Purpose::Act).unwrap();
        assert!(clients.network.get().is_none());
    }
}
