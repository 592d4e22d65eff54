//! Which addresses a request may go to.
//!
//! Every request carries a secret, so plain HTTP is for this machine only, and there is no setting that
//! changes it: a private certificate authority is what `[net] ca_file` is for.

use super::HttpError;
use url::{Host, Url};

/// How far away an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// This machine: never through a proxy, never in need of the system's certificates.
    Loopback,
    /// Anything else.
    Network,
}

/// Refuses addresses that nothing is ever sent to.
pub fn check(url: &Url) -> Result<(), HttpError> {
    reach(url).map(drop)
}

/// How far away an address is, if anything may be sent there.
pub(super) fn reach(url: &Url) -> Result<Reach, HttpError> {
    let reach = if is_loopback(url) { Reach::Loopback } else { Reach::Network };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(HttpError::Userinfo(host(url)));
    }
    match (url.scheme(), reach) {
        ("https", reach) => Ok(reach),
        ("http", Reach::Loopback) => Ok(Reach::Loopback),
        ("http", Reach::Network) => Err(HttpError::PlainHttp(host(url))),
        (scheme, _) => Err(HttpError::Scheme(scheme.to_owned())),
    }
}

/// The host with its port, as messages name it.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or("no host");
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // The client pins this name to the loopback addresses, whatever the resolver says.
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("http://127.0.0.1:8080/x", Ok(Reach::Loopback))]
    #[case("http://[::1]:8080/x", Ok(Reach::Loopback))]
    #[case("http://LOCALHOST/x", Ok(Reach::Loopback))]
    #[case("https://example.okta.com/", Ok(Reach::Network))]
    #[case("http://example.okta.com/", Err("plain http"))]
    #[case("http://localhost.example.com/", Err("plain http"))]
    #[case("http://127.0.0.1.example.com/", Err("plain http"))]
    #[case("https://user:word@example.com/", Err("user name"))]
    #[case("ftp://127.0.0.1/", Err("neither"))]
    fn plain_http_stays_on_this_machine(#[case] url: &str, #[case] expected: Result<Reach, &str>) {
        match (reach(&Url::parse(url).unwrap()), expected) {
            (Ok(found), Ok(wanted)) => assert_eq!(found, wanted),
            (Err(found), Err(words)) => assert!(found.to_string().contains(words), "{found}"),
            (found, wanted) => panic!("{url}: {found:?} instead of {wanted:?}"),
        }
    }
}
