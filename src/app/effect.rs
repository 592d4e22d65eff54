//! What is to be done: imperative, as data. The runtime does it.

use super::bulk::Which;
use super::log::{LogForm, LogStep};
use super::many::ConfirmedMany;
use super::marks::Gather;
use crate::domain::bulk::{BulkId, BulkState};
use crate::domain::finding::FindingId;
use crate::domain::iam_configuration::ConfigurationChange;
use crate::domain::journal::query::JournalQuery;
use crate::domain::look_up::LookUp;
use crate::domain::many::Mark;
use crate::domain::page::From;
use crate::domain::plan::Plan;
use crate::domain::query::UserQuery;
use crate::domain::subject::ProviderAccount;
use crate::domain::undo::many::UndoMany;
use crate::domain::undo::{Undo, Undoes};
use crate::domain::{
    ActionId, Change, CheckId, EventId, FlowId, Login, OneTimeLink, PartName, Query, Untrusted,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use url::Url;

/// Names a request, so that its answer can be told from one that nobody waits for any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What a flow is asked to do to whom.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunAsk {
    /// The flow; empty while it is not chosen yet.
    pub flow: Option<FlowId>,
    /// On whom; nobody where it is on many.
    pub login: Login,
    /// On whom, where it is on many.
    pub many: Arc<[Mark]>,
    /// From which finding.
    pub finding: Option<FindingId>,
    /// From which event.
    pub event: Option<EventId>,
    /// The check that the finding fails: what flows are suggested for.
    pub check: Option<(CheckId, Untrusted)>,
    /// The account, where the product has several.
    pub account: Option<ProviderAccount>,
    /// Declared inputs that were filled in.
    pub inputs: BTreeMap<String, String>,
    /// What it is to undo.
    pub undoes: Option<Undoes>,
    /// Which run on many it is to undo.
    pub undoes_run: Option<Arc<UndoMany>>,
    /// Whether the analyst insists although an earlier outcome is unknown.
    pub insists: bool,
}

/// What undoes something is run like anything else.
impl std::convert::From<Undo> for RunAsk {
    fn from(undo: Undo) -> RunAsk {
        RunAsk {
            flow: Some(undo.flow),
            login: undo.login,
            finding: undo.finding,
            inputs: undo.inputs,
            undoes: Some(undo.undoes),
            ..RunAsk::default()
        }
    }
}

/// So is what undoes a run on many.
impl std::convert::From<UndoMany> for RunAsk {
    fn from(undo: UndoMany) -> RunAsk {
        RunAsk {
            flow: Some(undo.flow.clone()),
            many: undo.whom.clone().into(),
            inputs: undo.inputs.clone(),
            undoes_run: Some(Arc::new(undo)),
            ..RunAsk::default()
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Read a page of events.
    LoadEvents {
        /// Who asks.
        request: RequestId,
        /// Which.
        query: Query,
        /// From where.
        from: From<EventId>,
        /// How many.
        limit: usize,
    },
    /// Count the events that wait above one.
    CountEvents {
        /// Who asks.
        request: RequestId,
        /// Which.
        query: Query,
        /// Above which.
        above: Option<EventId>,
    },
    /// Read an event whole.
    LoadEvent {
        /// Who asks.
        request: RequestId,
        /// Which.
        id: EventId,
    },
    /// Read a page of an event's users.
    LoadEventUsers {
        /// Who asks.
        request: RequestId,
        /// Of which.
        id: EventId,
        /// Which users.
        query: UserQuery,
        /// From where.
        from: From<usize>,
        /// How many.
        limit: usize,
    },
    /// Read what an event's message says about some of its users.
    LoadSaid {
        /// Who asks.
        request: RequestId,
        /// Which event's.
        id: EventId,
        /// About whom.
        logins: Vec<Login>,
    },
    /// Read a user's findings.
    LoadFindings {
        /// Who asks.
        request: RequestId,
        /// Whose.
        login: Login,
    },
    /// Read the notes and changes of some findings.
    LoadHistory {
        /// Who asks.
        request: RequestId,
        /// Of which.
        findings: Vec<FindingId>,
    },
    /// Read a user's actions.
    LoadActions {
        /// Who asks.
        request: RequestId,
        /// Whose.
        login: Login,
    },
    /// Read records of the journal, and the actions that they are about.
    LoadJournal {
        /// Who asks.
        request: RequestId,
        /// Which.
        query: JournalQuery,
        /// From where.
        from: From<i64>,
        /// How many.
        limit: usize,
    },
    /// Read how actions and runs on many stand that are on the journal's screen.
    LoadStanding {
        /// Who asks.
        request: RequestId,
        /// Which actions.
        actions: Vec<ActionId>,
        /// Which runs.
        runs: Vec<BulkId>,
    },
    /// Go through the journal's whole chain.
    CheckChain {
        /// Who asks.
        request: RequestId,
    },
    /// Write all records of the journal that are asked for to a file.
    ExportJournal {
        /// How.
        form: LogForm,
        /// Which.
        query: JournalQuery,
    },
    /// Find out about an action: look at its target again where its end is open, and at what the System Log has
    /// beside it.
    LookAgain {
        /// Who asks.
        request: RequestId,
        /// Of which.
        action: ActionId,
    },
    /// Read what arrived of some executions of flows.
    LoadExecutions {
        /// Who asks.
        request: RequestId,
        /// Of which.
        ids: Vec<String>,
    },
    /// Read a part of a dossier.
    LoadPart {
        /// Who asks.
        request: RequestId,
        /// Whose.
        login: Login,
        /// Which part.
        part: PartName,
    },
    /// Look for logins that resemble one that nobody has.
    SuggestLogins {
        /// Who asks.
        request: RequestId,
        /// Which.
        login: Login,
    },
    /// Read an address's users.
    LoadAddress {
        /// Who asks.
        request: RequestId,
        /// Which address.
        address: String,
    },
    /// Read how the store is.
    LoadHealth {
        /// Who asks.
        request: RequestId,
    },
    /// Read what the store holds, part by part.
    LoadKept {
        /// Who asks.
        request: RequestId,
    },
    /// Try which calls of the Okta org work.
    ProbeCalls {
        /// Who asks.
        request: RequestId,
    },
    /// Read what the roles of whoever sits here let them do with delegated flows.
    PreviewAccess {
        /// Who asks.
        request: RequestId,
    },
    /// Make a triage change.
    ChangeFinding {
        /// Who asks.
        request: RequestId,
        /// Which.
        finding: FindingId,
        /// The version that the analyst sees.
        version: u64,
        /// What.
        change: Change,
    },
    /// Find out which flows fit.
    FitFlows {
        /// Who asks.
        request: RequestId,
        /// On whom, from where.
        ask: RunAsk,
    },
    /// Prepare a card: re-read the target, build the request.
    PreparePlan {
        /// Who asks.
        request: RequestId,
        /// What.
        ask: RunAsk,
    },
    /// Run what was confirmed.
    RunPlan {
        /// Who asks.
        request: RequestId,
        /// What.
        ask: RunAsk,
        /// The plan that was shown.
        plan: Box<Plan>,
        /// The digest of what was shown.
        digest: String,
        /// Why.
        reason: Option<String>,
    },
    /// Ask who is meant by an event or a filter.
    GatherUsers {
        /// Who asks.
        request: RequestId,
        /// Whose users.
        what: Gather,
        /// At most so many.
        limit: usize,
    },
    /// Find out whom a run on many changed, and what undoes that.
    GatherUndo {
        /// Who asks.
        request: RequestId,
        /// Which run.
        id: BulkId,
    },
    /// Plan a flow for each of many: re-read every target, build every request.
    PlanMany {
        /// Who asks.
        request: RequestId,
        /// What.
        ask: RunAsk,
    },
    /// Keep what was confirmed for many as a run, and drive it.
    RunMany {
        /// Who asks.
        request: RequestId,
        /// What.
        confirmed: Box<ConfirmedMany>,
    },
    /// Take a run on many up again, and drive it.
    ResumeBulk {
        /// Who asks.
        request: RequestId,
        /// Which.
        id: BulkId,
    },
    /// Have a run on many wait, or stop it for good, whoever drives it.
    TurnBulk {
        /// Who asks.
        request: RequestId,
        /// Which.
        id: BulkId,
        /// To what.
        to: BulkState,
    },
    /// Read a page of runs on many.
    LoadBulks {
        /// Who asks.
        request: RequestId,
        /// Below which.
        before: Option<BulkId>,
    },
    /// Read one run on many.
    LoadBulk {
        /// Who asks.
        request: RequestId,
        /// Which.
        id: BulkId,
    },
    /// Read users of a run on many.
    LoadBulkUsers {
        /// Who asks.
        request: RequestId,
        /// Of which.
        id: BulkId,
        /// Which users.
        which: Which,
        /// From which place on.
        from: u32,
        /// How many.
        limit: usize,
    },
    /// Write users of a run on many to a file.
    ExportBulk {
        /// Of which.
        id: BulkId,
        /// Which users.
        which: Which,
        /// How.
        form: LogForm,
    },
    /// Read a page of the System Log.
    LoadLog {
        /// Who asks.
        request: RequestId,
        /// From where.
        step: LogStep,
    },
    /// Look something up in the org.
    LookUp {
        /// Who asks.
        request: RequestId,
        /// What.
        what: LookUp,
    },
    /// Keep a change of the IAM configuration that was shown.
    KeepConfiguration {
        /// Who asks.
        request: RequestId,
        /// Which.
        change: Box<ConfigurationChange>,
    },
    /// Write records of the System Log to a file.
    ExportLog {
        /// How.
        form: LogForm,
        /// The records' raw JSON.
        records: Vec<Arc<str>>,
        /// Whether there are more than these.
        has_more: bool,
    },
    /// Write what a dry run tells to a file.
    ExportDryRun {
        /// Of which flow.
        flow: FlowId,
        /// Its lines.
        lines: Vec<String>,
    },
    /// Open a page where the analyst can see it.
    OpenLink(Url),
    /// Hand a text to the analyst's clipboard.
    CopyText(String),
    /// Hand a one-time link to the clipboard: what is said of it does not repeat it.
    CopyLink(OneTimeLink),
    /// Stop waiting for an answer. Never stops a request that acts.
    Cancel(RequestId),
    /// Put the program in the background.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// End the console.
    Quit,
}
