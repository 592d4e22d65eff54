//! Everything that happens: past tense, as data.

use super::effect::RequestId;
use super::header::Receiver;
use super::health::Kept;
use super::journal::JournalSlice;
use super::layout::Size;
use super::list::Extent;
use super::log::{LogForm, LogSlice, Reach};
use super::marks::Gathered;
use super::user::Pane;
use crate::domain::access::Preview;
use crate::domain::action::StepOf;
use crate::domain::bulk::{BulkId, BulkRun, BulkUser};
use crate::domain::call_probe::CallProbe;
use crate::domain::dossier::{AddressUsers, LoadedPart};
use crate::domain::event::{Detail, EventDetail};
use crate::domain::finding::{FindingId, HistoryEntry};
use crate::domain::journal::Verdict;
use crate::domain::journal::query::JournalQuery;
use crate::domain::log::beside::LogNote;
use crate::domain::log::{LogAsk, LogPreset, Moment, Thread};
use crate::domain::look_up::{LookUp, LookedUp};
use crate::domain::many::Planned;
use crate::domain::page::{Counted, EventUser, Page, Sequence, StoreHealth};
use crate::domain::plan::{Fit, Plan};
use crate::domain::profile::Said;
use crate::domain::query::UserQuery;
use crate::domain::undo::many::UndoMany;
use crate::domain::{
    Action, ActionId, Event, Finding, FlowId, Login, Query, RunEnd, SourceHealth, SourcesReport, Wait,
};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use tui_input::InputRequest;

/// Where a cursor was moved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// One row down.
    Down,
    /// One row up.
    Up,
    /// Half a screen down.
    HalfDown,
    /// Half a screen up.
    HalfUp,
    /// To the first row; in the feed this takes the held rows.
    Top,
    /// To the last row.
    End,
}

/// How far an action has come.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// The intent is in the journal.
    Intended,
    /// The request is leaving.
    Sending,
    /// The call ended; the status where one came.
    Answered(Option<u16>),
    /// The target is being re-read.
    Verifying,
}

/// How far a run has come, and in which of its actions, where it has several.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// Which.
    pub step: Option<StepOf>,
    /// How far that is.
    pub progress: Progress,
}

/// Why a plan was not run, or its end is not known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRun {
    /// In words: nothing was sent.
    Because(String),
    /// In words: it may have been sent, and how it ended is not known here.
    Unsure(String),
    /// The target is not as it was shown: nothing was sent.
    TargetChanged(String),
}

/// What an event's message says about each of some users.
pub type SaidOf = Result<Vec<(Login, Vec<Detail>)>, String>;

/// What was found out about an action.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// The action as it stands now.
    pub action: Action,
    /// Why its target was not looked at, if so.
    pub unseen: Option<String>,
    /// What the System Log has beside it.
    pub beside: Vec<LogNote>,
    /// Why that could not be read, if so.
    pub unread: Option<String>,
}

/// What an effect brought back. Errors are sentences, ready to be shown.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Which calls work.
    Calls(Vec<CallProbe>),
    /// What roles allow.
    Access(Box<Preview>),
    /// A page of events.
    Events(Result<Page<Event>, String>),
    /// How many wait.
    Counted(Result<Counted, String>),
    /// An event whole; `None` if there is none of that id.
    Event(Result<Option<Box<EventDetail>>, String>),
    /// A page of an event's users.
    EventUsers(Result<Page<EventUser>, String>),
    /// What an event's message says about some of its users.
    Said(SaidOf),
    /// A user's findings.
    Findings(Result<Page<Finding>, String>),
    /// Findings' notes and changes.
    History(Result<Vec<(FindingId, HistoryEntry)>, String>),
    /// Actions.
    Actions(Result<Page<Action>, String>),
    /// Records of the journal.
    Journal(Result<Box<JournalSlice>, String>),
    /// Whether its chain holds.
    Chain(Result<Verdict, String>),
    /// What was found out about an action.
    Looked(Result<Box<Looked>, String>),
    /// What arrived of executions of flows, each with the execution's id.
    Executions(Result<Vec<(String, Event)>, String>),
    /// A part of a dossier; what went wrong stands in it.
    Part(Login, LoadedPart),
    /// Logins that resemble one that nobody has.
    Suggested(Result<Vec<Login>, String>),
    /// An address's users.
    Address(AddressUsers),
    /// How the store is.
    Health(Result<StoreHealth, String>),
    /// What it holds, part by part.
    Kept(Result<Box<Kept>, String>),
    /// A finding after its change.
    Changed(Result<Box<Finding>, String>),
    /// Which flows fit.
    Fits(Result<Vec<Fit>, String>),
    /// A card's content.
    Prepared(Result<Box<Plan>, String>),
    /// How a run ended.
    Ran(Result<Box<RunEnd>, NotRun>),
    /// A page of the System Log.
    Log(Result<LogSlice, String>),
    /// What was looked up in the org.
    LookedUp(Result<Box<LookedUp>, String>),
    /// A change of the IAM configuration was kept, or why it was not.
    ConfigurationKept(Result<(), String>),
    /// Who is meant.
    Gathered(Result<Gathered, String>),
    /// What undoes a run on many, or why nothing does.
    UndoGathered(Result<Box<UndoMany>, String>),
    /// What was planned for each of many.
    ManyPlanned(Result<Planned, String>),
    /// A run on many is kept, and driven from now on.
    BulkBegun(Result<BulkId, String>),
    /// A run on many was told to wait or to stop.
    BulkTurned(Result<String, String>),
    /// A page of runs on many.
    Bulks(Result<Page<BulkRun>, String>),
    /// A run on many; `None` if there is none of that id.
    Bulk(Result<Option<Box<BulkRun>>, String>),
    /// Users of a run on many.
    BulkUsers(Result<Vec<BulkUser>, String>),
    /// Whatever was asked for broke off.
    Broke(String),
    /// How a link or a text went where.
    Handed(Result<String, String>),
}

/// An operation of Okta's own that was asked for by its name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OperationAsk {
    /// Its flow.
    pub flow: Option<FlowId>,
    /// On whom; without one, on whom the cursor names.
    pub login: Option<Login>,
    /// What it is told besides.
    pub inputs: BTreeMap<String, String>,
    /// Fields of a profile, as they were said.
    pub fields: Vec<Said>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Msg {
    /// It is this late now.
    Ticked(Timestamp),
    /// The terminal has this size now.
    Resized(Size),
    /// A frame was drawn; the overlay's text was this long in it.
    Drawn(Extent),
    /// The store holds something new.
    StoreChanged(Sequence),
    /// Which calls of the Okta org work, as whoever receives without a screen found out.
    CallsProbed(Vec<CallProbe>),
    /// The sources are like this now.
    SourcesChanged(Arc<[SourceHealth]>),
    /// Another process that receives said this of them.
    SourcesReported(Arc<SourcesReport>),
    /// This process or another receives now.
    ReceiverChanged(Receiver),
    /// These calls are held back by the pacer now.
    WaitsChanged(Vec<Wait>),
    /// An effect was answered.
    Answered(RequestId, Answer),
    /// A run went on.
    RunProgressed(ActionId, Stage),
    /// So many of those whom a card for many is about are read.
    ManyRead(RequestId, usize),
    /// Users of a run on many that this console drives have ended.
    BulkWent(BulkId, Vec<BulkUser>),
    /// A drive of this console is over: the run as it stands, or why it is not driven.
    BulkEnded(BulkId, Result<Box<BulkRun>, String>),
    /// Something that is worth a line was said by the runtime.
    Noticed(Result<String, String>),

    /// The cursor was moved.
    CursorMoved(Motion),
    /// The row under the cursor was opened.
    Opened,
    /// The person behind the row was asked for.
    PersonOpened,
    /// The analyst went back.
    WentBack,
    /// The next pane was chosen.
    PaneSwitched,
    /// The pane before was chosen.
    PaneSwitchedBack,
    /// This pane was chosen.
    PaneChosen(Pane),
    /// The page behind the row was asked for.
    LinkAsked,
    /// A copy of what the row names was asked for.
    CopyAsked,
    /// The link on the card was told to go.
    LinkSent,
    /// The flows for the row were asked for.
    RemediateAsked,
    /// The user under the cursor was marked, or unmarked.
    MarkToggled,
    /// Everybody was marked, or unmarked.
    AllMarksToggled,
    /// The flows for everybody of the filter were asked for.
    FilterRemediateAsked,
    /// The runs on many were asked for.
    BulksAsked,
    /// The run on many is to wait.
    BulkPauseAsked,
    /// Going on with the run on many was asked for.
    BulkResumeAsked,
    /// Stopping the run on many for good was asked for.
    BulkStopAsked,
    /// Others of the run's users were asked for.
    BulkFiltered,
    /// The run's users were to be written to a file.
    BulkExported(LogForm),
    /// This entry of the list of flows was chosen, counted from 0.
    FlowChosen(usize),
    /// Everything on the screen was to be read anew.
    RefreshAsked,
    /// What undoes the action was asked for.
    UndoAsked,
    /// The raw JSON was asked for.
    RawAsked,
    /// The finding was claimed, or released if it was ours.
    ClaimToggled,
    /// The finding is to be closed.
    CloseAsked,
    /// A note on the finding is to be written.
    NoteAsked,
    /// The journal was asked for; from a person, what it has of them.
    JournalAsked,
    /// A filter of the journal was given.
    JournalFiltered(JournalQuery),
    /// A row of the journal was to be an action, or every record.
    JournalRowsTurned,
    /// Whether the journal's chain holds was asked for.
    ChainAsked,
    /// The journal's records were to be written to a file.
    JournalExported(LogForm),
    /// How sources and store are was asked for.
    HealthAsked,
    /// The help was asked for.
    HelpAsked,
    /// A filter is to be typed.
    FilterAsked,
    /// A command is to be typed.
    PromptAsked,
    /// A user was named.
    UserNamed(Login),
    /// An operation of Okta's own was asked for: on somebody, else on whom the cursor names.
    OperationAsked(OperationAsk),
    /// Something was to be looked up in the org; where nobody is named, of whom the cursor names.
    LookUpAsked(LookUp),
    /// The change of the IAM configuration that is shown is to be kept.
    ConfigurationKeepAsked,
    /// An address was named.
    AddressNamed(String),
    /// A filter was given.
    Filtered(Query),
    /// A filter of the event's users was given.
    UsersFiltered(UserQuery),
    /// A line that was typed was not understood, and why.
    Misunderstood(String),
    /// A question to the System Log was asked.
    LogAsked(Box<LogAsk>),
    /// The System Log of the person behind the row was asked for.
    LogOfPersonAsked,
    /// A filter of the System Log was given.
    LogFiltered(String),
    /// A completion of that filter was taken.
    LogCompleted,
    /// A ready question was chosen.
    LogPresetChosen(LogPreset),
    /// The order was turned around.
    LogTurned,
    /// The beginning of the span was moved.
    LogReached(Reach),
    /// The beginning of the span was given.
    LogSinceGiven(Moment),
    /// The end of the span was given.
    LogUntilGiven(Moment),
    /// What ties the record to others was followed.
    LogThreadFollowed(Thread),
    /// Who did it was asked for.
    ActorOpened,
    /// The users of the record's address were asked for.
    AddressOpened,
    /// The records were to be written to a file.
    LogExported(LogForm),
    /// The card was answered with no.
    Declined,
    /// The card was answered with yes, or what it asked for was typed.
    Confirmed,
    /// The analyst insists although an earlier outcome is unknown.
    Insisted,
    /// What would be done was asked for as JSON: nothing is sent.
    DryRunAsked,
    /// The card is to lead back to what its flow is told.
    FormAsked,
    /// That JSON was to be written to a file.
    DryRunExported,
    /// A text field was edited.
    Edited(InputRequest),
    /// A text was pasted.
    Pasted(String),
    /// A text field was left with enter.
    Submitted,
    /// The next choice of a dialog was taken.
    ChoiceMoved(Motion),
    /// A completion was taken over into the prompt.
    Completed(String),
    /// The end of the console was asked for.
    QuitAsked,
    /// The program was sent to the background.
    SuspendAsked,
    /// The screen was to be drawn anew.
    RedrawAsked,
}
