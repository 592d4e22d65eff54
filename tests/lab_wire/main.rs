//! The lab over the wire: what clients of the real services would see, asked with plain HTTP.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod cii;
mod common;
mod okta;
#[path = "../support/mod.rs"]
mod support;
mod webhooks;
mod workflows;
