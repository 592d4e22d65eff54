//! The words of the field as types, and the rules between them.
//!
//! Pure: no async, no clock, no terminal, no HTTP, no SQL. Whoever needs the time is handed a
//! [`jiff::Timestamp`]; whoever needs an id is handed one. A word means here what design calls it on
//! the wire and on the screen: an *event* arrives, a *finding* is triaged, an *action* is one run of
//! one *flow* on one *subject*.

pub mod access;
pub mod account_name;
pub mod action;
pub mod actor;
pub mod blast;
pub mod bulk;
pub mod bulk_export;
pub mod call_probe;
pub mod check;
pub mod counted;
pub mod counts;
pub mod csv;
pub mod digest;
pub mod dossier;
pub mod dry_run;
pub mod event;
pub mod finding;
pub mod flow;
pub mod held_secret;
pub mod hook_events;
pub mod iam_configuration;
pub mod journal;
pub mod key;
pub mod later;
pub mod link;
pub mod log;
pub mod log_check;
pub mod look_up;
pub mod many;
pub mod membership;
pub mod one_time;
pub mod operation;
pub mod page;
pub mod payload;
pub mod plan;
pub mod precedent;
pub mod preset;
pub mod profile;
pub mod query;
pub mod rule;
pub mod run_end;
pub mod severity;
pub mod source;
pub mod subject;
pub mod time;
pub mod undo;
pub mod untrusted;
pub mod user_key;
pub mod wait;

pub use action::{Action, ActionId, Evidence, Outcome, Receipt};
pub use actor::Actor;
pub use check::{Check, CheckId, CheckKind};
pub use dossier::{Dossier, Part, PartName};
pub use event::{DecodedEvent, Event, EventId, EventKind};
pub use finding::{Change, Disposition, Finding, FindingId, FindingState};
pub use flow::{Flow, FlowId, Risk, Route};
pub use key::EventKey;
pub use log_check::LogChecks;
pub use one_time::OneTimeLink;
pub use plan::Plan;
pub use query::Query;
pub use rule::Rules;
pub use run_end::RunEnd;
pub use severity::Severity;
pub use source::{SourceHealth, SourceNote, SourceState, SourcesReport};
pub use subject::Login;
pub use untrusted::Untrusted;
pub use wait::{Remote, Wait, WaitCause};

/// What stands where there is nothing to show, on every screen and in every table.
pub const NOTHING: &str = "-";
