//! The console's screens: what they look like, and that no size and no text breaks them.
//!
//! States are made by [`fixtures`] through `app::update` alone: messages in, effects out, answers in.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a fixture that cannot be made is a failed test")]

mod fixtures;
mod form;
mod many;
mod operations;
mod paint;
mod properties;
mod snapshots;
mod terminal;
