//! What Execution Log Streaming says of a run (contracts/workflows-ispm.md, section 1): that it started, and that it ended.
//!
//! The contract knows one `event_type`, `FLOW_START`; what an end is called is the double's choice and can be set. A
//! template that is run by an API Endpoint calls a helper flow for each user, which is an execution of its own below it.
use super::LabFlow;
use crate::lab::clock::millis;
use fastrand::Rng;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::broadcast::{Receiver, Sender, channel};

/// Records kept for a stream that is behind.
const BEHIND: usize = 1024;
/// Who built the flows.
const OWNER: &str = "flow.owner@meridian.example";

/// The words of `event_type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionTypes {
    /// `FLOW_START` is the one that is documented.
    pub started: String,
    pub completed: String,
    pub failed: String,
}

impl Default for ExecutionTypes {
    fn default() -> Self {
        Self {
            started: "FLOW_START".to_owned(),
            completed: "FLOW_COMPLETE".to_owned(),
            failed: "FLOW_FAIL".to_owned(),
        }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Started,
    Completed,
    Failed,
}

/// Whether a flow was invoked, or called by one that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rank {
    Root,
    Helper,
}

/// One record, and what has to be known to stream it.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) execution: String,
    pub(crate) stage: Stage,
    pub(crate) rank: Rank,
    pub(crate) record: Value,
}

/// The source of the log.
#[derive(Debug)]
pub(crate) struct Executions {
    types: ExecutionTypes,
    org: String,
    user: String,
    heard: Sender<Told>,
}

impl Executions {
    pub(crate) fn new(seed: u64, types: ExecutionTypes) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x0e15);
        Self { types, org: ulid(&mut rng), user: ulid(&mut rng), heard: channel(BEHIND).0 }
    }

    /// Everything from now on.
    pub(crate) fn hear(&self) -> Receiver<Told> {
        self.heard.subscribe()
    }

    /// A stage of a flow that was invoked.
    pub(super) fn root(&self, flow: &LabFlow, execution: &str, stage: Stage, now: Timestamp) {
        let mut record = self.record((&flow.log_id, flow.name), execution, stage, now);
        record["root_execution_id"] = json!(execution);
        record["root_flow_id"] = json!(flow.log_id);
        self.tell(execution, stage, Rank::Root, record);
    }

    /// The whole of a helper flow that it called, for one user.
    pub(super) fn helper(&self, flow: &LabFlow, execution: &str, now: Timestamp) {
        let Some(helper) = &flow.helper_id else { return };
        let own = uuid::Uuid::new_v4().to_string();
        let name = format!("{} (helper)", flow.name);
        for stage in [Stage::Started, Stage::Completed] {
            let mut record = self.record((helper, &name), &own, stage, now);
            for (member, value) in [
                ("parent_execution_id", execution),
                ("parent_flow_id", &flow.log_id),
                ("parent_flow_name", flow.name),
                ("root_execution_id", execution),
                ("root_flow_id", &flow.log_id),
            ] {
                record[member] = json!(value);
            }
            self.tell(&own, stage, Rank::Helper, record);
        }
    }

    fn record(&self, (id, name): (&str, &str), execution: &str, stage: Stage, now: Timestamp) -> Value {
        let event_type = match stage {
            Stage::Started => &self.types.started,
            Stage::Completed => &self.types.completed,
            Stage::Failed => &self.types.failed,
        };
        json!({
            "event_type": event_type, "execution_id": execution, "timestamp": millis(now), "flow_id": id,
            "flow_name": name, "org_id": self.org, "org_name": "meridian", "org_hostname": "meridian.okta.example",
            "user_id": self.user, "user_email": hashed(OWNER),
        })
    }

    fn tell(&self, execution: &str, stage: Stage, rank: Rank, record: Value) {
        // Nobody may be listening: then the log is streamed nowhere.
        let _ = self.heard.send(Told { execution: execution.to_owned(), stage, rank, record });
    }
}

/// E-mail addresses arrive hashed; how is undocumented.
fn hashed(email: &str) -> String {
    Sha256::digest(email.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An id of this log: 26 characters of Crockford's base 32.
pub(super) fn ulid(rng: &mut Rng) -> String {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let tail = (0..23).filter_map(|_| rng.choice(LETTERS)).map(|letter| char::from(*letter));
    "01J".chars().chain(tail).collect()
}
