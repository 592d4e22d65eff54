//! Everything that is shown or waited for.

use super::address::AddressScreen;
use super::bulk::{BulkScreen, BulksScreen, Driving, Question, Which};
use super::card::Card;
use super::dossiers::{ActedOn, Dossiers};
use super::effect::RequestId;
use super::event::{EventScreen, UserLoad};
use super::feed::{Feed, FeedLoad};
use super::flows::FlowList;
use super::form::Form;
use super::header::Header;
use super::health::HealthScreen;
use super::journal::{JournalLoad, JournalScreen};
use super::layout::Size;
use super::link::LinkCard;
use super::list::Extent;
use super::log::LogScreen;
use super::look_up::LookUpScreen;
use super::many::ManyCard;
use super::marks::{Gather, Next};
use super::msg::Stage;
use super::notice::Notice;
use super::prompt::Prompt;
use super::raw::RawScreen;
use super::triage::{Dialog, Then};
use super::user::UserScreen;
use crate::domain::access::Preview;
use crate::domain::bulk::BulkId;
use crate::domain::call_probe::CallProbe;
use crate::domain::profile::ProfileMap;
use crate::domain::time::Zone;
use crate::domain::{ActionId, Actor, EventId, Flow, Login, PartName, Wait};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the configuration decides about the console.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// A badge in the header: `DEMO`.
    pub badge: Option<String>,
    /// The name that findings are claimed with.
    pub analyst: String,
    /// Who acts.
    pub actor: Actor,
    /// The parts of a dossier that can be read.
    pub parts: Vec<PartName>,
    /// What can be run.
    pub flows: Arc<[Flow]>,
    /// What fields of an Okta profile are called besides.
    pub profile_map: ProfileMap,
    /// Whether dossiers are read ahead.
    pub prefetches: bool,
    /// Whether there is an org whose calls can be tried.
    pub probes_calls: bool,
    /// Whether nothing may be changed.
    pub is_read_only: bool,
    /// Hosts whose links open directly on a desktop.
    pub link_hosts: Vec<String>,
    /// Whether this is a desktop, where links can open.
    pub is_desktop: bool,
    /// In which zone times are shown.
    pub zone: Zone,
    /// So many users are acted on by one run at most.
    pub bulk_limit: usize,
    /// How long a confirm card has to have been on the screen before it can be answered.
    pub arms_after: SignedDuration,
}

/// What design asks of a card, in real time.
pub const ARMS_AFTER: SignedDuration = SignedDuration::from_millis(400);

/// A screen above the feed.
#[derive(Debug, Clone, PartialEq)]
pub enum Screen {
    /// An event and its users.
    Event(Box<EventScreen>),
    /// User 360.
    User(Box<UserScreen>),
    /// The users of an address.
    Address(Box<AddressScreen>),
    /// Raw JSON.
    Raw(Box<RawScreen>),
    /// The journal.
    Journal(Box<JournalScreen>),
    /// How sources and store are.
    Health(Box<HealthScreen>),
    /// A question to the System Log.
    Log(Box<LogScreen>),
    /// A look-up in the org.
    LookUp(Box<LookUpScreen>),
    /// The runs on many.
    Bulks(Box<BulksScreen>),
    /// A run on many.
    Bulk(Box<BulkScreen>),
}

/// What lies over the screen and takes the keys.
#[derive(Debug, Clone)]
pub enum Overlay {
    /// The help, scrolled.
    Help(super::list::Scroll),
    /// The `:` prompt or the `/` filter.
    Prompt(Box<Prompt>),
    /// The flows that fit.
    Flows(Box<FlowList>),
    /// The form of a flow's inputs.
    Form(Box<Form>),
    /// The confirm card.
    Card(Box<Card>),
    /// The confirm card for many.
    Many(Box<ManyCard>),
    /// Really go on with a run on many, or stop it?
    Ask(Box<Question>),
    /// A triage dialog: close or note.
    Dialog(Box<Dialog>),
    /// A link that is looked at before it is opened.
    Link(Box<LinkCard>),
    /// Really quit?
    Quit(QuitQuestion),
}

/// Really quit?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuitQuestion {
    /// Why it is asked.
    pub why: String,
    /// When the question was first on the screen: a `y` typed ahead was not meant for it.
    pub shown_at: Option<Timestamp>,
}

/// What an answer is waited for.
#[derive(Debug, Clone, PartialEq)]
pub enum Awaited {
    /// Rows of the feed.
    Feed(FeedLoad),
    /// How many rows wait.
    Held,
    /// An event whole.
    Event(EventId),
    /// Users of an event.
    EventUsers(EventId, UserLoad),
    /// What an event's message says about its users.
    Said(EventId),
    /// The one finding of an event's row, to go on with.
    FindingOf(EventId, Then),
    /// A user's findings.
    Findings(Login),
    /// The notes and changes of a user's findings.
    History(Login),
    /// The event that a finding was last seen in, to open it.
    EventOf(Login),
    /// Actions of a user.
    Actions(Login),
    /// Records of the journal.
    Journal(JournalLoad),
    /// Whether its chain holds.
    Chain,
    /// What a look at the target of an action saw.
    Look(ActionId),
    /// What arrived of executions of flows.
    Executions,
    /// A part of a dossier.
    Part(Login, PartName),
    /// Logins that resemble one that nobody has.
    Suggestions(Login),
    /// An address's users.
    Address(String),
    /// How the store is.
    Health,
    /// What it holds.
    Kept,
    /// Which calls work.
    Calls,
    /// What roles allow.
    Access,
    /// A triage change, in a word.
    Change(&'static str),
    /// Which flows fit.
    Fits,
    /// A card's content.
    Plan,
    /// How a run ended.
    Run(ActionId),
    /// A page of the System Log.
    Log,
    /// What is looked up in the org.
    LookUp,
    /// That a change of the IAM configuration is kept.
    Configuration,
    /// Who is meant, and what then.
    Gathered(Gather, Next),
    /// Whom a run on many changed, to undo it.
    BulkUndo(BulkId),
    /// What is planned for each of many.
    ManyPlans,
    /// That a run on many is kept.
    BulkBegun,
    /// That a run on many is taken up again.
    BulkResumed(BulkId),
    /// That a run on many waits, or is stopped.
    BulkTurned(BulkId),
    /// A page of runs on many.
    Bulks(Option<BulkId>),
    /// A run on many.
    Bulk(BulkId),
    /// Users of a run on many: of which, which, from where and how many.
    BulkUsers(BulkId, Which, u32, usize),
}

/// The requests that are under way.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Flights {
    next: u64,
    awaited: BTreeMap<RequestId, Awaited>,
}

impl Flights {
    /// A new request.
    pub fn open(&mut self, awaited: Awaited) -> RequestId {
        self.next += 1;
        let id = RequestId(self.next);
        self.awaited.insert(id, awaited);
        id
    }

    /// The answer of a request came; `None` if nobody waits for it any more.
    pub fn land(&mut self, id: RequestId) -> Option<Awaited> {
        self.awaited.remove(&id)
    }

    /// Gives up every request of a kind, and says which.
    pub fn give_up(&mut self, is_it: impl Fn(&Awaited) -> bool) -> Vec<RequestId> {
        let ids: Vec<RequestId> =
            self.awaited.iter().filter(|(_, awaited)| is_it(awaited)).map(|(id, _)| *id).collect();
        for id in &ids {
            self.awaited.remove(id);
        }
        ids
    }

    /// Whether a request is under way.
    pub fn has_request(&self, id: RequestId) -> bool {
        self.awaited.contains_key(&id)
    }

    /// Whether a request of a kind is under way.
    pub fn has(&self, is_it: impl Fn(&Awaited) -> bool) -> bool {
        self.awaited.values().any(is_it)
    }

    /// How many requests of a kind are under way.
    pub fn count(&self, is_it: impl Fn(&Awaited) -> bool) -> usize {
        self.awaited.values().filter(|awaited| is_it(awaited)).count()
    }
}

/// A run that is under way, with or without its card on the screen.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    /// Which action.
    pub action: ActionId,
    /// What it does to whom.
    pub what: String,
    /// Whom it acts on.
    pub on: ActedOn,
    /// How far it is.
    pub stage: Option<Stage>,
}

/// Everything that is shown or waited for.
#[derive(Debug, Clone)]
pub struct State {
    /// The time, as last told.
    pub now: Timestamp,
    /// The terminal's size.
    pub size: Size,
    /// What the configuration decides.
    pub settings: Settings,
    /// Which calls of the Okta org work, once they were tried.
    pub calls: Option<Vec<CallProbe>>,
    /// What the roles of whoever sits here let them do with delegated flows, and when that was read.
    pub access: Option<(Timestamp, Preview)>,
    /// The header.
    pub header: Header,
    /// The feed: the screen under all others.
    pub feed: Feed,
    /// The screens above it, the visible one last.
    pub stack: Vec<Screen>,
    /// What lies over the screen.
    pub overlay: Option<Overlay>,
    /// The help that lies over the overlay: it comes back as it was, and has to be read once more before it is answered.
    pub help: Option<super::list::Scroll>,
    /// What is known of whom.
    pub dossiers: Dossiers,
    /// What was said last.
    pub notice: Notice,
    /// What is waited for.
    pub flights: Flights,
    /// Runs under way.
    pub running: Vec<Running>,
    /// Runs on many that this console drives.
    pub driving: Vec<Driving>,
    /// How long the overlay's text is, as it was drawn last: what its scrolling stops at.
    pub extent: Extent,
    /// Calls that the pacer holds back.
    pub waits: Vec<Wait>,
    /// When the cursor last came to rest on a row.
    pub rest_since: Timestamp,
}

impl State {
    /// An empty console.
    pub fn new(now: Timestamp, size: Size, settings: Settings) -> State {
        State {
            now,
            size,
            settings,
            calls: None,
            access: None,
            header: Header::default(),
            feed: Feed::default(),
            stack: Vec::new(),
            overlay: None,
            help: None,
            dossiers: Dossiers::default(),
            notice: Notice::default(),
            flights: Flights::default(),
            running: Vec::new(),
            driving: Vec::new(),
            extent: Extent::default(),
            waits: Vec::new(),
            rest_since: now,
        }
    }

    /// When shown text changes by itself next: the runtime ticks then, and not before.
    pub fn next_tick(&self) -> Option<Timestamp> {
        let card = match &self.overlay {
            Some(Overlay::Card(card)) => card.next_change(),
            Some(Overlay::Many(card)) => card.next_change(),
            Some(Overlay::Ask(question)) => question.next_change(),
            _ => None,
        };
        let all = [
            card,
            self.notice.next_change(self.now),
            self.header.next_change(self.now),
            self.feed.next_change(self),
            self.dossiers.next_change(self),
            super::health::next_change(self),
            super::bulk::next_change(self),
        ];
        all.into_iter().flatten().filter(|at| *at > self.now).min()
    }

    /// The breadcrumbs: where the analyst is, from the feed on.
    pub fn crumbs(&self) -> Vec<String> {
        let mut crumbs = vec!["Feed".to_owned()];
        crumbs.extend(self.stack.iter().map(Screen::crumb));
        crumbs
    }
}

impl Screen {
    /// Its breadcrumb.
    pub fn crumb(&self) -> String {
        match self {
            Screen::Event(event) => event.crumb(),
            Screen::User(user) => user.login.to_string(),
            Screen::Address(address) => format!("IP {}", crate::domain::untrusted::visible(&address.address)),
            Screen::Raw(_) => "raw JSON".to_owned(),
            Screen::Journal(journal) => journal.crumb().to_owned(),
            Screen::Health(_) => "health".to_owned(),
            Screen::Log(log) => log.crumb().to_owned(),
            Screen::LookUp(screen) => screen.what.crumb().to_owned(),
            Screen::Bulks(_) => "runs on many".to_owned(),
            Screen::Bulk(screen) => screen.crumb(),
        }
    }
}
