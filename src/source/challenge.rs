//! The one-time verification of a hook: a GET that wants a header's value back.
//!
//! It is answered with or without the secret, since it proves who listens, not who asks; nothing is
//! stored. What goes back is the caller's own text, so it is short, visible and quoted.

use super::refusal::{Cause, Refusal};
use axum::Json;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

/// The longest value that is sent back.
const LONGEST: usize = 1024;

/// The answer to a challenge in this header; `None` if there is none.
pub(super) fn answer(headers: &HeaderMap, name: &str) -> Option<Result<Response, Refusal>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    let value = if values.next().is_some() { Err("it stands there twice") } else { text(first) };
    Some(
        value
            .map(verification)
            .map_err(|why| Refusal::new(Cause::Challenge, format!("the challenge: {why}"))),
    )
}

/// The value, if it can be sent back.
fn text(value: &HeaderValue) -> Result<&str, &'static str> {
    match value.to_str() {
        _ if value.len() > LONGEST => Err("it is longer than 1024 bytes"),
        Err(_) => Err("it is not visible text"),
        Ok(text) if text.trim().is_empty() => Err("it is empty"),
        Ok(text) => Ok(text),
    }
}

fn verification(value: &str) -> Response {
    let mut response = Json(serde_json::json!({ "verification": value })).into_response();
    // Whatever the value looks like, it is never a page.
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
