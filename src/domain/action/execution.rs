//! Executions of flows: which of them a receipt names, and how one ended.

use super::Receipt;
use crate::domain::{Untrusted, time};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How an execution of a flow ended, as a record of it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionEnd {
    /// Whether that is a good end.
    pub how: EndKind,
    /// The type of the record, in its source's own word.
    pub event_type: Untrusted,
    /// When.
    #[serde(with = "time::millis")]
    pub at: Timestamp,
}

/// How an execution ends. A flow that catches its own error completes like any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndKind {
    /// It ran to its end.
    Completed,
    /// It broke off.
    Failed,
}

impl EndKind {
    /// The word in the store, in JSON and in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            EndKind::Completed => "completed",
            EndKind::Failed => "failed",
        }
    }

    /// The end of a word.
    pub fn parse(word: &str) -> Option<EndKind> {
        [EndKind::Completed, EndKind::Failed].into_iter().find(|end| end.word() == word)
    }
}

/// The words on the screen: `completed, by FLOW_COMPLETE at …`.
impl fmt::Display for ExecutionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, by {} at {}", self.how.word(), self.event_type, time::rfc3339_seconds(self.at))
    }
}

/// The executions of a flow that a receipt names: the one that was found when it came, those in headers
/// whose name says so, and the body's own. Each once, and no secret: a masked value names nothing.
pub fn execution_ids(receipt: &Receipt) -> Vec<String> {
    let of_headers = receipt
        .headers
        .iter()
        .filter(|(name, _)| name.to_ascii_lowercase().contains("execution"))
        .map(|(_, value)| value.clone());
    let mut ids: Vec<String> = Vec::new();
    for id in receipt.execution_id.clone().into_iter().chain(of_headers).chain(of_body(&receipt.body)) {
        let id = id.trim().to_owned();
        if !id.is_empty() && id.len() <= LONGEST_EXECUTION && !id.contains(MASKED) && !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

fn of_body(body: &str) -> Option<String> {
    let body = serde_json::from_str::<serde_json::Value>(body).ok()?;
    match body.get("execution_id").or_else(|| body.get("executionId"))? {
        serde_json::Value::String(id) => Some(id.clone()),
        serde_json::Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// Ids are UUIDs; a longer text is none.
const LONGEST_EXECUTION: usize = 128;
/// What stands for a secret in what is shown.
const MASKED: &str = "[secret]";
