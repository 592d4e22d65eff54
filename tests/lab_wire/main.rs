//! The lab over the wire: what clients of the real services would see, asked with plain HTTP, and what its faults look
//! like to the program.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod cii;
mod common;
mod console;
mod contract;
mod customer;
mod directory;
mod executions;
mod hooks;
mod issues;
mod notices;
mod okta;
mod registered;
#[path = "../support/mod.rs"]
mod support;
mod webhooks;
mod workflows;
