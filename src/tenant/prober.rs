//! Finding out by calling which calls work.

use super::Tenants;
pub use crate::domain::call_probe::{CallProbe, Works};
use async_trait::async_trait;
use std::fmt;

/// Tries calls that change nothing.
#[async_trait]
pub trait CallProber: Send + Sync + fmt::Debug {
    /// Every kind of call, each by itself; none where nothing is configured that could be called.
    async fn probe_calls(&self) -> Vec<CallProbe>;
}

#[async_trait]
impl CallProber for Tenants {
    async fn probe_calls(&self) -> Vec<CallProbe> {
        Tenants::probe_calls(self).await
    }
}
