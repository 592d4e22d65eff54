//! What can go wrong before a usable answer is there.

use super::address;
use std::error::Error;
use std::time::Duration;
use thiserror::Error;
use url::Url;

/// Why there is no usable answer. Hosts are named, never whole URLs.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HttpError {
    /// Plain HTTP to another machine.
    #[error("`{0}` would be asked over plain http: the secret would cross the network readable")]
    PlainHttp(String),
    /// Not a web address.
    #[error("`{0}:` addresses are neither https nor http")]
    Scheme(String),
    /// Credentials in the address.
    #[error("the address of `{0}` holds a user name or a password")]
    Userinfo(String),
    /// A header's text that no header can carry.
    #[error("the text of header `{0}` holds characters that no header can carry")]
    Header(String),
    /// The proof that goes with the request could not be made.
    #[error("the proof of possession cannot be signed: {0}")]
    Unsigned(String),
    /// The client could not be made: certificates or proxy.
    #[error("cannot prepare HTTP: {0}")]
    Client(String),
    /// What allowed the request is over: it was held back.
    #[error("held back: {0}")]
    NotCleared(String),
    /// DNS, connect or TLS failed: no byte of the request left.
    #[error("cannot reach `{host}`{}: {cause}", through(via.as_deref()))]
    Unreachable {
        /// Which host.
        host: String,
        /// The proxy that was to lead there, where one is configured.
        via: Option<String>,
        /// The innermost cause.
        cause: String,
        /// Which step failed.
        step: ConnectStep,
    },
    /// The time ran out after the request may have left.
    #[error("no answer from `{host}` within {} s", waited.as_secs())]
    TimedOut {
        /// Which host.
        host: String,
        /// How long was waited.
        waited: Duration,
    },
    /// The connection broke after the request may have left.
    #[error("the connection to `{host}` broke: {cause}")]
    Cut {
        /// Which host.
        host: String,
        /// The innermost cause.
        cause: String,
    },
    /// The answer is larger than is read.
    #[error("the answer of `{host}` is larger than {limit} bytes")]
    TooLarge {
        /// Which host.
        host: String,
        /// How much is read.
        limit: usize,
    },
    /// What was sent before is not answered, and no more is sent at once.
    #[error("no turn at `{host}` within {} s: what was asked before is not answered yet", waited.as_secs())]
    Crowded {
        /// Which host.
        host: String,
        /// How long was waited.
        waited: Duration,
    },
    /// The other side asks for a pause that is longer than we wait.
    #[error("`{host}` is throttling: it takes requests again in {} s", wait.as_secs().max(1))]
    Throttled {
        /// Which host.
        host: String,
        /// How long it asks for.
        wait: Duration,
    },
}

/// The step of a connect that failed, as far as it can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectStep {
    /// The name was not resolved.
    Dns,
    /// The certificate was refused, or TLS failed otherwise.
    Tls,
    /// The certificate is sound, and of another host.
    Name,
    /// The certificate's time is over or has not come.
    Dates,
    /// The proxy was not reached, or leads nowhere.
    Proxy,
    /// The connect itself.
    Tcp,
}

impl HttpError {
    /// Whether a byte of the request may have left.
    pub fn may_have_left(&self) -> bool {
        matches!(self, HttpError::TimedOut { .. } | HttpError::Cut { .. } | HttpError::TooLarge { .. })
    }

    /// Whether it was us who did not send it, and may send it later.
    pub fn is_held_back(&self) -> bool {
        matches!(self, HttpError::NotCleared(_) | HttpError::Throttled { .. } | HttpError::Crowded { .. })
    }

    /// What mends it, where we know.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            HttpError::PlainHttp(_) => Some("write `https://`; plain http is for loopback only"),
            HttpError::Scheme(_) => Some("write `https://`"),
            HttpError::Userinfo(_) => Some("take it out; secrets have settings of their own"),
            HttpError::Header(_) => Some("check the configured secret for line breaks"),
            HttpError::Client(_) => Some("check `[net] ca_file` and `[net] proxy`"),
            HttpError::Unreachable { step, .. } => step.hint(),
            HttpError::Throttled { .. } | HttpError::Crowded { .. } => Some("wait, then ask again"),
            HttpError::NotCleared(_)
            | HttpError::Unsigned(_)
            | HttpError::TimedOut { .. }
            | HttpError::Cut { .. }
            | HttpError::TooLarge { .. } => None,
        }
    }

    /// What a failed exchange means.
    pub(super) fn of(error: reqwest::Error, url: &Url, via: Option<&str>, waited: Duration) -> HttpError {
        let host = address::host(url);
        let cause = innermost(&error);
        if error.is_builder() {
            HttpError::Client(cause)
        } else if error.is_connect() {
            let step = ConnectStep::of(&error, &cause, via);
            let cause = if step == ConnectStep::Proxy { of_proxy(cause) } else { cause };
            HttpError::Unreachable { host, via: via.map(str::to_owned), cause, step }
        } else if error.is_timeout() {
            HttpError::TimedOut { host, waited }
        } else {
            HttpError::Cut { host, cause }
        }
    }
}

impl ConnectStep {
    fn of(error: &reqwest::Error, cause: &str, via: Option<&str>) -> ConnectStep {
        if let Some(step) = ConnectStep::of_tls(cause) {
            step
        } else if via.is_some() {
            // Behind a proxy no other name is resolved and nobody else is connected to.
            ConnectStep::Proxy
        } else if error.is_dns() {
            ConnectStep::Dns
        } else {
            ConnectStep::Tcp
        }
    }

    /// The library types none of these: its words are all there is.
    fn of_tls(cause: &str) -> Option<ConnectStep> {
        let says = |words: &[&str]| words.iter().any(|word| cause.contains(word));
        if says(&["not valid for name"]) {
            Some(ConnectStep::Name)
        } else if says(&["certificate expired", "certificate not valid yet"]) {
            Some(ConnectStep::Dates)
        } else {
            says(&["certificate", "tls", "handshake"]).then_some(ConnectStep::Tls)
        }
    }

    fn hint(self) -> Option<&'static str> {
        match self {
            ConnectStep::Dns => Some("check the host's spelling and this machine's resolver"),
            ConnectStep::Tls => Some("`[net] ca_file` names a private certificate authority"),
            ConnectStep::Name => Some("check the host's spelling: another host answers there"),
            ConnectStep::Dates => Some("check this machine's clock; else the other side has to renew it"),
            ConnectStep::Proxy => Some("check `[net] proxy`, and whether it lets this host through"),
            ConnectStep::Tcp => Some("check the address, the firewall and `[net] proxy`"),
        }
    }
}

fn through(via: Option<&str>) -> String {
    via.map(|proxy| format!(" through the proxy `{proxy}`")).unwrap_or_default()
}

/// What the library says of a proxy, in words.
fn of_proxy(cause: String) -> String {
    match cause.strip_prefix("tunnel error: ") {
        Some("unsuccessful") => "it opens no tunnel there".to_owned(),
        Some("proxy authorization required") => "it wants a password, and none can be configured".to_owned(),
        Some(other) => other.to_owned(),
        None => cause,
    }
}

/// The last cause of the chain: the ones above it only say that a request failed.
pub(super) fn innermost(error: &dyn Error) -> String {
    let mut current = error;
    while let Some(source) = current.source() {
        current = source;
    }
    current.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("invalid peer certificate: certificate not valid for name \"a\"", Some(ConnectStep::Name))]
    #[case("invalid peer certificate: certificate expired: verification time 1", Some(ConnectStep::Dates))]
    #[case(
        "invalid peer certificate: certificate not valid yet: verification time 1",
        Some(ConnectStep::Dates)
    )]
    #[case("invalid peer certificate: UnknownIssuer", Some(ConnectStep::Tls))]
    #[case("received fatal alert: handshake failure", Some(ConnectStep::Tls))]
    #[case("Connection refused (os error 111)", None)]
    fn what_tls_complains_of_is_told_apart(#[case] cause: &str, #[case] expected: Option<ConnectStep>) {
        assert_eq!(ConnectStep::of_tls(cause), expected);
    }
}
