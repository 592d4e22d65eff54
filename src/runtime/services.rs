//! What the console's effects work with.

use super::child::Children;
use super::clipboard::Way;
use super::many::Drives;
use crate::config::meant::OpenLinks;
use crate::domain::profile::ProfileMap;
use crate::remediation::{Desk, Runner};
use crate::source::clock::Clock;
use crate::tenant::{AccessPreview, CallProber, LogSearch, OktaOrg};
use std::path::PathBuf;
use std::sync::Arc;

/// What the console's effects work with.
#[derive(Debug, Clone)]
pub struct Services {
    /// Store, tenants and flows, with who acts.
    pub desk: Arc<Desk>,
    /// What runs plans.
    pub runner: Arc<Runner>,
    /// The runs on many that this console drives.
    pub drives: Drives,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The names of those who are told of events by messages.
    pub notifiers: Vec<String>,
    /// How child processes are started.
    pub children: Children,
    /// How links are opened.
    pub open: OpenLinks,
    /// The System Log of the configured org, to look into.
    pub log: Option<Arc<dyn LogSearch>>,
    /// The configured org, to look things up in.
    pub org: Option<Arc<dyn OktaOrg>>,
    /// What finds out which calls of the org work.
    pub prober: Option<Arc<dyn CallProber>>,
    /// What reads what administrator roles allow.
    pub access: Option<Arc<dyn AccessPreview>>,
    /// What fields of a profile may be called.
    pub map: Arc<ProfileMap>,
    /// Where records are written to; `None` without a home directory.
    pub exports: Option<PathBuf>,
    /// The way to the analyst's clipboard.
    pub clipboard: Way,
}
