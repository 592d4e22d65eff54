//! The remote systems: CII over GraphQL, Okta over REST, Workflows over HTTP.
//!
//! [`Directory`] reads, [`FlowCaller`] acts on people and [`Registrar`] on where events are sent to; they
//! are apart so that what can act is seen at a glance. Reads never fail as calls: what went wrong stands in the part that was asked for, beside
//! whatever data came.

mod access;
mod call_end;
mod cii;
mod decode;
pub mod http;
pub mod look_up;
mod okta;
mod org;
mod probe;
mod prober;
mod problem;
mod registrar;
mod system_log;
mod tenants;
mod token;
mod workflows;

pub use access::AccessPreview;
pub use okta::KeyError;
pub use org::{Assignment, OktaOrg};
pub use probe::Probe;
pub use prober::{CallProbe, CallProber, Works};
pub use registrar::{
    CiiChange, CiiWebhook, EventHook, NewEventHook, OktaChange, Registered, Registrar, Registration,
    SecretHeader,
};
pub use system_log::{
    LogCut, LogPage, LogSearch, LogSpan, LogStart, LogTrouble, NextPage, SearchEnd, SystemLog, search_all,
};
pub use tenants::{TenantError, Tenants};

use crate::domain::access::{Access, before_a_call};
use crate::domain::action::{Receipt, ShownRequest, Try};
use crate::domain::dossier::{AddressUsers, LoadedPart, OktaUser, Part};
use crate::domain::plan::Order;
use crate::domain::{Flow, Login, OneTimeLink, PartName};
use async_trait::async_trait;
use std::fmt;

/// What stands in a shown address where the id of an account will be that is not made yet.
pub const ID_TO_COME: &str = "{id}";

/// What the tenants know of people.
#[async_trait]
pub trait Directory: Send + Sync + fmt::Debug {
    /// The parts of a dossier that the configuration makes possible.
    fn parts(&self) -> Vec<PartName>;

    /// One part of a dossier, read now. Errors stand in the part.
    async fn part(&self, name: PartName, login: &Login) -> LoadedPart;

    /// The users seen on an address, all pages, each once.
    async fn users_of_address(&self, address: &str) -> AddressUsers;

    /// The Okta user of an id or a login, read now: what cards and verification compare.
    async fn okta_user(&self, id_or_login: &str) -> Part<OktaUser>;
}

/// A call that acted: how it ended, and what came back once and is kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// How it ended.
    pub end: CallEnd,
    /// The one-time link that was asked for.
    pub link: Option<OneTimeLink>,
}

impl From<CallEnd> for Called {
    fn from(end: CallEnd) -> Called {
        Called { end, link: None }
    }
}

/// How a call that acts ended when there was no usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallEnd {
    /// The other side answered, whatever the status.
    Answered(Receipt),
    /// DNS, connect or TLS failed, or no token was had: no byte of the request left.
    NotSent(NoAnswer),
    /// Our own pace held it back, or whoever allowed it: no byte left, and the other side said nothing to it.
    HeldBack(String),
    /// The wait after 429s ran out; every try was answered 429, so nothing ran.
    Throttled(Receipt),
    /// Time-out or cut connection after a byte may have left: nobody knows.
    Unknown(NoAnswer),
}

/// A last try without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoAnswer {
    /// Why there is none.
    pub why: String,
    /// The tries before it, which were refused before anything ran.
    pub tries: Vec<Try>,
}

impl<T: Into<String>> From<T> for NoAnswer {
    fn from(why: T) -> NoAnswer {
        NoAnswer { why: why.into(), tries: Vec::new() }
    }
}

/// Asked right before each exchange of a call that acts: a call may be held up for a minute by pacing,
/// and what allowed it may be over by then.
#[async_trait]
pub trait Clearance: Send + Sync {
    /// Whether the exchange may be made now; the error says why not.
    async fn clear(&self) -> Result<(), String>;
}

/// Sends requests that act: each is sent once; only a 429 is followed by another try, by the pacer.
#[async_trait]
pub trait FlowCaller: Send + Sync + fmt::Debug {
    /// What our credential may do of a flow, as far as is known without sending it: at most a token is had.
    async fn access_to(&self, flow: &Flow) -> Access {
        before_a_call(flow, &[])
    }

    /// Where the secret is configured whose value an analyst's words hold, which are kept and sent as they are.
    fn secret_in(&self, _words: &str) -> Option<String> {
        None
    }

    /// The request as it will leave, with secrets masked. The same order gives the same request: its
    /// digest is what the analyst confirmed.
    fn shown(&self, order: &Order) -> Result<ShownRequest, String>;

    /// Sends what was shown, each try only if it is cleared. Where the order gives another request than
    /// that, nothing leaves.
    async fn call(&self, order: &Order, shown: &ShownRequest, clearance: &dyn Clearance) -> Called;
}
