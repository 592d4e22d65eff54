//! Where the rooms are joined: the one place that names concrete stores, tenants, desks and screens.
//!
//! Everything else in this room works with the traits.

use super::args::{LabAlone, LabArguments};
use super::doctor::Checked;
use super::failure::Failure;
use super::output::Output;
use super::run::Desk;
use crate::config::Loaded;
use crate::domain::Actor;
use crate::store::Store;
use crate::tenant::Directory;
use jiff::Timestamp;
use std::sync::Arc;

fn not_joined(what: &str) -> Failure {
    Failure::failed(format!("{what} is not part of this build"))
}

/// The time.
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// The store of a URL.
pub(super) async fn store(url: &str) -> Result<Arc<dyn Store>, Failure> {
    Err(not_joined(&format!("the store `{url}`")))
}

/// The tenants, for reading.
pub(super) fn directory(_: &Loaded) -> Result<Arc<dyn Directory>, Failure> {
    Err(not_joined("what knows users"))
}

/// The remediation desk.
pub(super) fn desk(_: &Loaded, _: Arc<dyn Store>, _: &Actor) -> Result<Box<dyn Desk>, Failure> {
    Err(not_joined("the remediation desk"))
}

/// What `doctor` tries over the network.
pub(super) async fn probes(_: &Loaded) -> Vec<Checked> {
    Vec::new()
}

/// The console.
pub(super) async fn console(_: Loaded, _: Arc<dyn Store>, _: &mut Output<'_>) -> Result<u8, Failure> {
    Err(not_joined("the console"))
}

/// The console against the simulated tenant.
pub(super) async fn demo(_: &LabArguments, _: &mut Output<'_>) -> Result<u8, Failure> {
    Err(not_joined("the simulated tenant"))
}

/// The simulated tenant alone.
pub(super) async fn lab(_: &LabAlone, _: &mut Output<'_>) -> Result<u8, Failure> {
    Err(not_joined("the simulated tenant"))
}

/// Receives without a screen.
pub(super) async fn collect(_: Loaded, _: Arc<dyn Store>, _: &mut Output<'_>) -> Result<u8, Failure> {
    Err(not_joined("receiving"))
}
