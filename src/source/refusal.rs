//! Why a request was refused: what is counted, and what the sender is answered.

use super::{NotAccepted, Unreadable};
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::borrow::Cow;

/// Why, as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Not a POST.
    Method,
    /// A challenge that cannot be answered.
    Challenge,
    /// The secret is missing or wrong.
    Proof,
    /// The body is too large, or said it would be.
    TooLarge,
    /// The body is compressed.
    Compressed,
    /// The body did not come in time.
    TooSlow,
    /// The connection broke inside the body.
    Cut,
    /// Not JSON, or not of the shape that every message has.
    Malformed,
    /// Too much at once.
    Busy,
    /// The store cannot be written.
    NotWritable,
    /// The source did not start.
    NotStarted,
}

impl Cause {
    /// The word on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Cause::Method => "wrong method",
            Cause::Challenge => "odd challenge",
            Cause::Proof => "wrong or missing secret",
            Cause::TooLarge => "too large",
            Cause::Compressed => "compressed",
            Cause::TooSlow => "too slow",
            Cause::Cut => "connection cut",
            Cause::Malformed => "not readable",
            Cause::Busy => "busy",
            Cause::NotWritable => "store not writable",
            Cause::NotStarted => "source not started",
        }
    }

    /// Whether whoever sent it is a sender, and `true` where they have shown the secret; `None` where it may be
    /// anybody, or passes by itself.
    pub fn is_of_a_sender(self) -> Option<bool> {
        match self {
            Cause::Malformed | Cause::NotStarted => Some(true),
            // A body is refused for its head before a signature of it could be looked at.
            Cause::Proof | Cause::TooLarge | Cause::Compressed => Some(false),
            Cause::Method | Cause::Challenge | Cause::TooSlow | Cause::Cut => None,
            Cause::Busy | Cause::NotWritable => None,
        }
    }

    /// What the sender is answered.
    pub fn status(self) -> StatusCode {
        match self {
            Cause::Method => StatusCode::METHOD_NOT_ALLOWED,
            Cause::Proof => StatusCode::UNAUTHORIZED,
            Cause::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Cause::Compressed => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Cause::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Cause::Challenge | Cause::Cut | Cause::Malformed => StatusCode::BAD_REQUEST,
            Cause::Busy | Cause::NotWritable | Cause::NotStarted => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What the answer carries besides: when to try again, what would be allowed.
    fn header(self) -> Option<(header::HeaderName, HeaderValue)> {
        let (name, value) = match self {
            Cause::Method => (header::ALLOW, "POST"),
            Cause::Compressed => (header::ACCEPT_ENCODING, "identity"),
            Cause::Proof => (header::WWW_AUTHENTICATE, "Basic realm=\"hooks\""),
            Cause::Busy => (header::RETRY_AFTER, "1"),
            Cause::NotWritable | Cause::NotStarted => (header::RETRY_AFTER, "5"),
            _ => return None,
        };
        Some((name, HeaderValue::from_static(value)))
    }
}

/// A refused request: the cause, and the reason in words. The words never hold a secret, a URL or a
/// byte of the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct Refusal {
    /// As it is counted.
    pub cause: Cause,
    /// As the sender reads it.
    pub words: Cow<'static, str>,
}

impl Refusal {
    /// A refusal for a cause, in words.
    pub fn new(cause: Cause, words: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal { cause, words: words.into() }
    }

    /// Too much at once.
    pub fn busy(words: &'static str) -> Refusal {
        Refusal::new(Cause::Busy, words)
    }
}

/// What a sender is told of the store's troubles.
const NOT_WRITABLE: &str = "the store cannot be written now";

impl From<Unreadable> for Refusal {
    fn from(unreadable: Unreadable) -> Self {
        Refusal::new(Cause::Malformed, unreadable.to_string())
    }
}

impl From<NotAccepted> for Refusal {
    fn from(not_accepted: NotAccepted) -> Self {
        Refusal::new(Cause::NotWritable, not_accepted.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let words = if self.cause == Cause::NotWritable { NOT_WRITABLE } else { &self.words };
        let body = Json(serde_json::json!({ "error": words }));
        let mut response = (self.cause.status(), body).into_response();
        if let Some((name, value)) = self.cause.header() {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
