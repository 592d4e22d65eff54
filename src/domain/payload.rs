//! The bodies that flows are sent.
//!
//! Four shapes, one function: [`body`]. A body says everything of the one subject that is acted on and
//! nothing of anybody else. An ISPM record that already has the flow's shape and names this target, by every
//! name it has for it, goes on byte by byte as it came; everything else is made here, from the finding, always whole, so that a
//! flow never meets a missing field.

mod cii;
mod fields;
mod ispm;
pub mod lint;
mod named;
mod profile;
pub mod sample;
pub mod wanted;

use super::event::EventDetail;
use super::flow::PayloadShape;
use super::subject::{ProviderAccount, Subject};
use super::{ActionId, Check, Finding, Flow, FlowId, Severity, Untrusted};
use jiff::Timestamp;
use std::collections::BTreeMap;

pub use fields::{check_names, check_type};
pub use ispm::says_whom;
pub use ispm::{FIELDS, entity as record_entity, words_of as record_words};
pub use named::{Named, named as record_named};

/// What a body is made of.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The action's id: the flow's key against repeats.
    pub action: ActionId,
    /// Now.
    pub now: Timestamp,
    /// The finding it is run from.
    pub finding: Option<&'a Finding>,
    /// The event behind the finding.
    pub event: Option<&'a EventDetail>,
    /// A page about the subject, where the event names none.
    pub reference_url: Option<&'a Untrusted>,
    /// Who is acted on.
    pub subject: &'a Subject,
    /// The account that was chosen, where one is known.
    pub target: Option<&'a ProviderAccount>,
    /// Values for the flow's declared inputs, by name.
    pub extra: &'a BTreeMap<String, String>,
}

/// Why a body cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// The flow acts on an id, and none is known.
    #[error("no account id of `{login}` is known that flow `{flow}` could act on")]
    NoTarget {
        /// Which flow.
        flow: FlowId,
        /// Whose.
        login: String,
    },
    /// An input has no value.
    #[error("input `{input}` of flow `{flow}` has no value\nhint: `--input {input}=VALUE`")]
    Missing {
        /// Which input.
        input: String,
        /// Of which flow.
        flow: FlowId,
    },
    /// A value is not of the input's type.
    #[error("input `{input}` of flow `{flow}` wants {wanted}, not `{value}`")]
    WrongType {
        /// Which input.
        input: String,
        /// Of which flow.
        flow: FlowId,
        /// What it wants, in words.
        wanted: &'static str,
        /// What was given, visibly escaped.
        value: String,
    },
    /// The flow declares no such input.
    #[error("flow `{flow}` declares no input `{input}`{}", declared(.known))]
    Undeclared {
        /// What was given.
        input: String,
        /// To which flow.
        flow: FlowId,
        /// What it does declare.
        known: Vec<String>,
    },
    /// There is no documented sample of what the flow is sent.
    #[error(
        "there is no documented sample to try flow `{flow}` with\nhint: only flows of Okta Workflows can be tried"
    )]
    NoSample {
        /// Which flow.
        flow: FlowId,
    },
    /// The input says who is acted on, and that is whom the card is about.
    #[error(
        "input `{input}` of flow `{flow}` says who is acted on: that is nobody's to give\nhint: `--user` says who is meant"
    )]
    Whom {
        /// Which input.
        input: String,
        /// Of which flow.
        flow: FlowId,
    },
    /// The configuration fixes the input's value.
    #[error("input `{input}` of flow `{flow}` is fixed by the configuration")]
    Fixed {
        /// Which input.
        input: String,
        /// Of which flow.
        flow: FlowId,
    },
}

impl PayloadError {
    /// Whether another value for an input, or none, mends it.
    pub fn is_of_input(&self) -> bool {
        match self {
            PayloadError::Missing { .. }
            | PayloadError::WrongType { .. }
            | PayloadError::Undeclared { .. }
            | PayloadError::Whom { .. }
            | PayloadError::Fixed { .. } => true,
            PayloadError::NoTarget { .. } | PayloadError::NoSample { .. } => false,
        }
    }
}

fn declared(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!("\nhint: it declares `{}`", known.join("`, `")) }
}

/// The body of a flow's request.
///
/// # Errors
/// [`PayloadError`] names the input that is missing, wrong or not the flow's.
pub fn body(flow: &Flow, inputs: &Inputs<'_>) -> Result<String, PayloadError> {
    fields::check_names(flow, inputs.extra)?;
    match flow.payload {
        PayloadShape::IspmFlat => ispm::flat(flow, inputs),
        PayloadShape::IspmNested => ispm::nested(flow, inputs),
        PayloadShape::CiiEvent => Ok(cii::envelope(inputs)),
        PayloadShape::Fields => fields::object(flow, inputs),
        PayloadShape::OktaProfile => profile::object(flow, inputs),
        PayloadShape::Nothing => Ok(String::new()),
    }
}

impl Inputs<'_> {
    fn check(&self) -> Option<&Check> {
        self.finding.map(|finding| &finding.check).or(self.event.map(|detail| &detail.event.check))
    }

    /// The ranked word where there is one, else the source's own, else nothing.
    fn severity(&self) -> String {
        let ranked = self.finding.map(|f| f.severity).or(self.event.map(|d| d.event.severity));
        match ranked {
            Some(severity) if severity != Severity::Unknown => severity.word().to_owned(),
            _ => self.event.map(|d| d.event.severity_raw.raw().trim().to_owned()).unwrap_or_default(),
        }
    }

    fn published(&self) -> Option<Timestamp> {
        self.event.and_then(|detail| detail.event.published)
    }

    fn description(&self) -> &[Untrusted] {
        self.event.map(|detail| detail.description.as_slice()).unwrap_or_default()
    }

    fn recommended(&self) -> &[Untrusted] {
        self.event.map(|detail| detail.recommended_actions.as_slice()).unwrap_or_default()
    }

    fn link(&self) -> Option<&Untrusted> {
        self.event.and_then(|detail| detail.reference_url.as_ref()).or(self.reference_url)
    }

    fn raw(&self) -> Option<&str> {
        self.event.and_then(|detail| detail.raw.as_deref())
    }
}

#[cfg(test)]
mod tests;
