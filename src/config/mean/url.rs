//! URLs that requests are sent to.
//!
//! A URL is shown, logged and journalled, so no secret may stand in one: a URL with userinfo or a
//! client token is refused, and only its host is repeated.

use super::Check;
use crate::config::problem::At;
use url::{Host, Url};

const HTTPS: &str = "`https://…`; `http://` only to loopback";

impl Check<'_, '_> {
    /// A URL that has to be there.
    pub(super) fn required_url(&mut self, text: Option<String>, at: At, hint: &str) -> Option<Url> {
        let text = self.required(text, at.clone(), hint)?;
        self.url(&text, at)
    }

    /// A URL to send requests to: without secrets, encrypted unless it stays on this machine.
    pub(super) fn url(&mut self, text: &str, at: At) -> Option<Url> {
        match sound(text) {
            Ok(url) => Some(url),
            Err((what, hint)) => {
                self.problems.hinted(at, what, hint);
                None
            }
        }
    }

    /// A proxy may be spoken to in the clear: what goes through it is encrypted end to end.
    pub(super) fn proxy_url(&mut self, text: &str, at: At) -> Option<Url> {
        let parsed = Url::parse(text).ok().filter(|url| url.has_host());
        let refused = match &parsed {
            Some(url) if has_userinfo(url) => Some(("a password stands in the proxy's URL", "leave it out")),
            Some(url) if matches!(url.scheme(), "http" | "https") => None,
            _ => Some(("it is not the URL of an HTTP proxy", "`http://proxy.example.com:3128`")),
        };
        match refused {
            Some((what, hint)) => {
                self.problems.hinted(at, what, hint);
                None
            }
            None => parsed,
        }
    }
}

fn sound(text: &str) -> Result<Url, (String, &'static str)> {
    let url = Url::parse(text).map_err(|error| (format!("it is not a URL: {error}"), HTTPS))?;
    let Some(host) = url.host_str() else { return Err(("the URL has no host".to_owned(), HTTPS)) };
    if has_userinfo(&url) {
        return Err((format!("a user or a password stands in the URL to `{host}`"), "leave it out"));
    }
    if url.query_pairs().any(|(name, _)| name.eq_ignore_ascii_case("clientToken")) {
        return Err((
            format!("a client token stands in the URL to `{host}`"),
            "cut `?clientToken=…` off and say `auth = { client_token = { env = \"NAME\" } }`",
        ));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err((format!("`http://{host}` is not encrypted"), HTTPS)),
        scheme => Err((format!("`{scheme}:` is not a scheme to send requests to"), HTTPS)),
    }
}

fn has_userinfo(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// By its address, or by the one name that never leaves the machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://acme.workflows.okta.com/api/flo/0a/invoke", "")]
    #[case("http://127.0.0.1:9000/x", "")]
    #[case("http://[::1]:9000/x", "")]
    #[case("http://localhost/x", "")]
    #[case("http://127.0.0.1.example.com/x", "`http://127.0.0.1.example.com` is not encrypted")]
    #[case("https://ann:hunter2@a.example.com/", "a user or a password stands in the URL to `a.example.com`")]
    #[case(
        "https://a.example.com/?CLIENTTOKEN=hunter2",
        "a client token stands in the URL to `a.example.com`"
    )]
    #[case("ftp://a.example.com/", "`ftp:` is not a scheme")]
    #[case("a.example.com", "it is not a URL")]
    fn urls(#[case] text: &str, #[case] refused: &str) {
        match sound(text) {
            Ok(_) => assert_eq!(refused, ""),
            Err((what, _)) => {
                assert!(!refused.is_empty() && what.starts_with(refused), "{what}");
                assert!(!what.contains("hunter2"));
            }
        }
    }
}
