//! The System Log poll, whole: Okta's client, the reading and the store, against the lab with its faults, and against a
//! double where the lab is too well-behaved.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod double;
mod faults;
mod kill;
mod reading;
mod rig;
#[path = "../support/mod.rs"]
mod support;
mod wire;
mod xsoar;
