//! What is sent and what comes back, free of the HTTP library's types.

use super::rate;
use super::signer::Signer;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use url::Url;

/// The methods in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// GraphQL, tokens, flows and whatever changes something.
    Post,
    /// Makes something so, a membership for one.
    Put,
    /// Takes something away.
    Delete,
}

impl Method {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        }
    }
}

/// A header's value; a secret one is neither logged nor shown.
#[derive(Debug, Clone)]
pub enum HeaderText {
    /// Shown.
    Plain(String),
    /// Masked.
    Secret(SecretString),
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Names in lower case, in the order they are sent.
    pub headers: Vec<(String, HeaderText)>,
    /// The body; secret because token requests carry the client's secret in it.
    pub body: Option<SecretString>,
    /// What signs each exchange, where the headers alone do not prove who asks.
    pub signer: Option<Arc<dyn Signer>>,
}

/// What every request calls itself.
pub const USER_AGENT: &str = concat!("idtriage/", env!("CARGO_PKG_VERSION"));

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

impl Request {
    /// A request without headers and body.
    pub fn bare(method: Method, url: Url) -> Request {
        Request { method, url, headers: Vec::new(), body: None, signer: None }
    }

    /// A GET of JSON. Okta asks for the content type on every call.
    pub fn get(url: Url) -> Request {
        Request::bare(Method::Get, url)
            .with("user-agent", USER_AGENT)
            .with("accept", JSON)
            .with("content-type", JSON)
    }

    /// A POST of JSON.
    pub fn post_json(url: Url, body: &impl Serialize) -> Request {
        let body = serde_json::to_string(body).unwrap_or_default();
        Request::post(url, JSON, body)
    }

    /// A POST of JSON that is written already: it leaves byte by byte as it was shown.
    pub fn post_text(url: Url, body: String) -> Request {
        Request::post(url, JSON, body)
    }

    /// A POST without a body.
    pub fn post_nothing(url: Url) -> Request {
        Request::nothing(Method::Post, url)
    }

    /// A request that changes something by its address alone.
    pub fn nothing(method: Method, url: Url) -> Request {
        Request::bare(method, url)
            .with("user-agent", USER_AGENT)
            .with("accept", JSON)
            .with("content-type", JSON)
            // The library leaves it out where there is nothing to send, and Okta answers 411 then.
            .with("content-length", "0")
    }

    /// A POST of a form.
    pub fn post_form(url: Url, pairs: &BTreeMap<&str, &str>) -> Request {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        Request::post(url, FORM, body)
    }

    fn post(url: Url, content_type: &str, body: String) -> Request {
        let mut request = Request::bare(Method::Post, url)
            .with("user-agent", USER_AGENT)
            .with("accept", JSON)
            .with("content-type", content_type);
        request.body = Some(body.into());
        request
    }

    /// That says behind its name what it is for.
    #[must_use]
    pub fn signed(mut self, signature: &str) -> Request {
        let name = self.headers.iter_mut().find(|(name, _)| name == "user-agent");
        if let Some((_, value)) = name {
            *value = HeaderText::Plain(format!("{USER_AGENT} {signature}"));
        }
        self
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.to_owned(), HeaderText::Plain(value.to_owned())));
        self
    }

    /// With one more header that holds a secret.
    #[must_use]
    pub fn with_secret(mut self, name: &str, value: SecretString) -> Request {
        self.headers.push((name.to_owned(), HeaderText::Secret(value)));
        self
    }

    /// Signed anew each time that it is sent.
    #[must_use]
    pub fn signed_by(mut self, signer: Arc<dyn Signer>) -> Request {
        self.signer = Some(signer);
        self
    }
}

/// Why a body is not whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// It is larger than is read.
    TooLarge(usize),
    /// It broke off.
    Broken(String),
}

/// One answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, as far as it was read.
    pub body: Vec<u8>,
    /// Why the body is not whole, if it is not.
    pub flaw: Option<Flaw>,
    /// When it came.
    pub at: Timestamp,
}

impl Answer {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of a name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Every header of a name, in lower case, in the order they came.
    pub fn every_header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON, if it is that.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as text, with replacement characters where it is no UTF-8.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// By how much the other side's clock is ahead of ours, in seconds, where it says its time.
    pub fn clock_ahead(&self) -> Option<i64> {
        let theirs = rate::http_date(self.header("date")?)?;
        Some(theirs.duration_since(self.at).as_secs())
    }
}
