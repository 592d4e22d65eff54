//! The commands.

use super::arguments::{
    address_named, asked, asked_for_link, assignment_asked, configuration_said, filtered, group_asked,
    in_group, logs_asked, on_somebody, records_filtered, since_given, until_given, user_named,
    users_filtered, with_fields, with_fields_for_link,
};
use super::context::Context;
use crate::app::Msg;
use crate::app::log::{LogForm, Reach};
use crate::app::msg::Motion;
use crate::app::user::Pane;
use crate::domain::log::{LogPreset, Thread};
use crate::domain::look_up::LookUp as Asked;
use crate::domain::operation::{CONTAIN, CREATE_AND_ACTIVATE, Operation};

/// What a command does.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    /// It is this message.
    Msg(fn() -> Msg),
    /// It takes an argument in the `:` prompt.
    Argument {
        /// The argument's name in the help: `LOGIN`.
        name: &'static str,
        /// The message, or what is wrong with the argument.
        parse: fn(&str) -> Result<Msg, String>,
    },
}

/// One command.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// `group.verb`; keys are configured by it.
    pub id: &'static str,
    /// The name in the `:` prompt.
    pub name: &'static str,
    /// A few words, for palette and help.
    pub title: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// The default keys.
    pub keys: &'static [&'static str],
    /// Where it can be used.
    pub contexts: &'static [Context],
    /// The word in the footer, where it deserves a place.
    pub footer: Option<&'static str>,
    /// What it does.
    pub act: Act,
}

use Context::{
    Address, Ask, Bulk, Bulks, Card, DryRun, Event, Feed, Flows, Health, Help, Journal, Link, Log, LookUp,
    Quit, Raw, User,
};

const LISTS: &[Context] =
    &[Feed, Event, User, Address, Raw, Journal, Health, Log, LookUp, Bulks, Bulk, Help, Flows, Card, DryRun];
/// The screens, and a card that has ended.
const READ: &[Context] = &[Feed, Event, User, Address, Raw, Journal, Health, Log, LookUp, Bulks, Bulk, Card];
const FINDINGS: &[Context] = &[Feed, Event, User];
const PEOPLE: &[Context] = &[Feed, Event, User, Address];
/// Where the cursor may name a person.
const NAMED: &[Context] = &[Feed, Event, User, Address, LookUp, Bulk];
/// Where users can be marked.
const MARKED: &[Context] = &[Feed, Event, Address];
/// Where a run on many is meant.
const RUNS: &[Context] = &[Bulks, Bulk];
const LOG: &[Context] = &[Log];
/// What can be filtered by what is typed.
const FILTERED: &[Context] = &[Feed, Event, Journal, Log, Flows];

const fn simple(
    id: &'static str,
    name: &'static str,
    title: &'static str,
    keys: &'static [&'static str],
    contexts: &'static [Context],
    act: fn() -> Msg,
) -> Command {
    Command { id, name, title, help: title, keys, contexts, footer: None, act: Act::Msg(act) }
}

impl Command {
    const fn footer(self, label: &'static str) -> Command {
        Command { footer: Some(label), ..self }
    }

    /// The word in the footer of a screen: some are called there by what they do to what it lists.
    pub fn footer_in(&self, context: Context) -> Option<&'static str> {
        match (context, self.id) {
            (Context::Bulk, "list.open") => Some("person"),
            // `enter` does the same there.
            (Context::Bulk, "person.open") => None,
            (Context::User, "action.undo") => Some("undo"),
            (Context::Journal, "journal.json") | (Context::Bulk, "bulk.json") => Some("JSON"),
            (Context::Journal, "screen.refresh") => Some("look again"),
            (Context::Journal | Context::Bulks | Context::Bulk, "action.undo") => Some("undo"),
            (Context::Journal, "event.raw") => Some("whole"),
            _ => self.footer,
        }
    }

    /// Whether it is there on every screen.
    pub fn is_everywhere(&self) -> bool {
        Context::SCREENS.iter().all(|screen| self.contexts.contains(screen))
    }

    const fn help(self, help: &'static str) -> Command {
        Command { help, ..self }
    }
}

/// Every command, in the order of the help and of the footer.
pub const COMMANDS: &[Command] = &[
    simple("list.open", "open", "open what the cursor is on", &["enter"], &[Feed, Event, User, Address, Flows, Journal, Log, LookUp, Bulks, Bulk], || Msg::Opened)
        .footer("open")
        .help("Opens what the cursor is on: an event, a finding, a person, the users of an address, a flow, a record of the System Log, what was looked up, a run on many, the records of an action in the journal."),
    simple("person.open", "person", "open the person", &["u"], &[Feed, Event, Journal, Log, LookUp, Bulk], || Msg::PersonOpened)
        .footer("person")
        .help("Opens User 360 of the person that the row names."),
    simple("flow.offer", "remediate", "list what can be run", &["r"], NAMED, || Msg::RemediateAsked)
        .footer("remediate")
        .help("Lists the flows that fit the finding; 1 to 9 choose one. With marks, one flow and one card for all who are marked. Nothing is sent before a confirmation; a page opens without one."),
    simple("mark.toggle", "mark", "mark the user", &["space"], MARKED, || Msg::MarkToggled)
        .footer("mark")
        .help("Marks the user under the cursor, in the feed all users of the row, or takes the mark away, and goes on to the next; `r` then runs one flow on all who are marked, esc unmarks them."),
    simple("mark.all", "mark-all", "mark everybody, or nobody", &["*"], MARKED, || Msg::AllMarksToggled)
        .footer("all")
        .help("Marks all users of the event that match, of the address, or in the feed everybody with a finding that matches the filter, as far as `[guard] bulk_limit` allows; where all of them are marked, nobody any more. Closed findings are left out unless the filter asks for them."),
    simple("mark.filter", "run-on-filter", "run a flow on everybody of the filter", &[], &[Feed], || Msg::FilterRemediateAsked)
        .help("Marks everybody with a finding that matches the filter, and lists the flows that can be run on them."),
    simple("finding.claim", "claim", "claim or release", &["c"], FINDINGS, || Msg::ClaimToggled)
        .footer("claim")
        .help("Takes the finding, or gives it back if it is yours. Triage is kept here: no vendor's API takes it."),
    simple("finding.close", "close", "close the finding", &["x"], FINDINGS, || Msg::CloseAsked)
        .footer("close")
        .help("Closes the finding with a disposition and a reason."),
    simple("finding.note", "note", "write a note", &["n"], FINDINGS, || Msg::NoteAsked)
        .help("Writes a note on the finding, into the journal."),
    simple("feed.take-held", "top", "to the top, new rows come in", &["g", "home"], LISTS, || {
        Msg::CursorMoved(Motion::Top)
    })
    .help("Goes to the first row; in the feed the rows that wait come in."),
    simple("list.down", "down", "a row down", &["j", "down"], LISTS, || Msg::CursorMoved(Motion::Down))
        .help("Moves one row down."),
    simple("list.up", "up", "a row up", &["k", "up"], LISTS, || Msg::CursorMoved(Motion::Up)).help("Moves one row up."),
    simple("list.half-down", "half-down", "half a screen down", &["ctrl-d", "pagedown"], LISTS, || {
        Msg::CursorMoved(Motion::HalfDown)
    })
    .help("Moves half a screen down."),
    simple("list.half-up", "half-up", "half a screen up", &["ctrl-u", "pageup"], LISTS, || {
        Msg::CursorMoved(Motion::HalfUp)
    })
    .help("Moves half a screen up."),
    simple("list.end", "end", "to the end", &["G", "end"], LISTS, || Msg::CursorMoved(Motion::End))
        .help("Goes to the last row that is there."),
    simple("pane.next", "pane", "next pane", &["tab"], &[Event, User, Journal, Card], || Msg::PaneSwitched)
        .footer("pane")
        .help("Goes to the next pane; on the card, to the other field."),
    simple("pane.previous", "pane-back", "previous pane", &["backtab"], &[Event, User], || {
        Msg::PaneSwitchedBack
    })
    .help("Goes to the pane before."),
    pane("pane.overview", "overview", &["1"], || Msg::PaneChosen(Pane::Overview)),
    pane("pane.findings", "findings", &["2"], || Msg::PaneChosen(Pane::Findings)),
    pane("pane.addresses", "addresses", &["3"], || Msg::PaneChosen(Pane::Addresses)),
    pane("pane.places", "places", &["4"], || Msg::PaneChosen(Pane::Places)),
    pane("pane.applications", "applications", &["5"], || Msg::PaneChosen(Pane::Applications)),
    pane("pane.factors", "factors", &["6"], || Msg::PaneChosen(Pane::Factors)),
    pane("pane.okta", "okta", &["7"], || Msg::PaneChosen(Pane::Okta)),
    pane("pane.history", "history", &["8"], || Msg::PaneChosen(Pane::History)),
    flow("flow.first", &["1"], || Msg::FlowChosen(0)),
    flow("flow.second", &["2"], || Msg::FlowChosen(1)),
    flow("flow.third", &["3"], || Msg::FlowChosen(2)),
    flow("flow.fourth", &["4"], || Msg::FlowChosen(3)),
    flow("flow.fifth", &["5"], || Msg::FlowChosen(4)),
    flow("flow.sixth", &["6"], || Msg::FlowChosen(5)),
    flow("flow.seventh", &["7"], || Msg::FlowChosen(6)),
    flow("flow.eighth", &["8"], || Msg::FlowChosen(7)),
    flow("flow.ninth", &["9"], || Msg::FlowChosen(8)),
    simple("card.confirm", "yes", "answer yes", &["y"], &[Card, Quit, Ask], || Msg::Confirmed)
        .help("Answers yes, where the card asks for a key."),
    simple("card.decline", "no", "answer no", &["n"], &[Card, Quit, Ask], || Msg::Declined)
        .help("Answers no: nothing is sent."),
    simple("card.insist", "insist", "run it all the same", &["A"], &[Card], || Msg::Insisted)
        .help("Insists, where an earlier run is of unknown outcome or only minutes old; on a card for many, for everybody of whom it says so."),
    simple("card.dry-run", "dry-run", "show the JSON, send nothing", &["d", "ctrl-r"], &[Card], || Msg::DryRunAsked)
        .help("Shows what would be done as JSON, as `run … --dry-run --json` prints it; nothing is sent. Where a word or the login is typed, only the second key does."),
    simple("card.form", "inputs", "back to the inputs", &["e", "backtab"], &[Card], || Msg::FormAsked)
        .help("Leads from the card to what its flow is told, with what it was told; nothing is sent. Where a word or the login is typed, only the second key does."),
    simple("dry-run.write", "write-dry-run", "write the dry run to a file", &["E"], &[DryRun], || Msg::DryRunExported)
        .footer("write a file")
        .help("Writes the dry run to a new file that nobody else can read, and says where."),
    simple("link.open", "link", "open the link", &["o"], PEOPLE, || Msg::LinkAsked)
        .footer("link")
        .help("Opens the reference URL; over SSH, or of a host that is not configured, it is shown first."),
    simple("link.send", "send", "send the link", &["y"], &[Link], || Msg::LinkSent)
        .footer("send it")
        .help("Opens the link on the card, or hands it to the terminal's clipboard."),
    simple("link.qr", "qr", "show a QR code", &["Q"], &[Link], || Msg::ChoiceMoved(Motion::Down))
        .footer("QR code")
        .help("Shows the link as a QR code, or hides it."),
    simple("link.copy", "copy", "copy what the row names", &["y"], &[Feed, Event, User, Address, Raw, Journal, Log, LookUp, Bulks, Bulk, DryRun], || Msg::CopyAsked)
        .help("Hands what the row names to the terminal's clipboard."),
    simple("event.raw", "raw", "raw JSON", &["J"], &[Feed, Event, Journal, Log, LookUp], || Msg::RawAsked)
        .help("Shows the event, the record, or what was looked up, as it arrived."),
    simple("screen.refresh", "refresh", "read anew", &["R"], READ, || Msg::RefreshAsked)
        .help("Reads everything on the screen anew, from the tenants too; where the end of the action under the cursor is open, its target; on a card of which nothing can be sent, what stands in the way."),
    simple("action.undo", "undo", "undo the action", &["z"], &[User, Journal, Bulks, Bulk, Card], || Msg::UndoAsked)
        .help("Opens the card of what undoes the action under the cursor, or the one that has just ended, on the very account that it was on; of a run on many, the card of what undoes it on each whom it changed. Nothing is sent before it is confirmed."),
    simple("bulk.list", "bulk", "the runs on many", &["B"], &[Feed, Event, User, Address, Raw, Journal, Health, Bulk], || Msg::BulksAsked)
        .help("Lists the runs on many, newest first, whoever drives them; enter shows one, user by user."),
    simple("bulk.pause", "bulk-pause", "have the run wait", &["p"], RUNS, || Msg::BulkPauseAsked)
        .footer("pause")
        .help("Has the run on many wait, whoever drives it: those on their way land, nobody more is acted on."),
    simple("bulk.resume", "bulk-resume", "go on with the run", &["c"], RUNS, || Msg::BulkResumeAsked)
        .footer("go on")
        .help("Goes on with a run on many that waits, or whose console is gone; asks first. Nobody is acted on twice."),
    simple("bulk.stop", "bulk-stop", "stop the run for good", &["S"], RUNS, || Msg::BulkStopAsked)
        .footer("stop")
        .help("Stops a run on many for good; asks first. Those on their way are waited for."),
    simple("bulk.which", "bulk-which", "all, exceptions, or who waits", &["f"], &[Bulk], || Msg::BulkFiltered)
        .footer("exceptions")
        .help("Shows all users of the run, those with something to look at, or those who still wait."),
    simple("bulk.csv", "bulk-csv", "write as CSV", &["e"], &[Bulk], || Msg::BulkExported(LogForm::Csv))
        .footer("CSV")
        .help("Writes the users that are shown, all of them, to a new file as CSV, and says where; what a spreadsheet would run is made text."),
    simple("bulk.json", "bulk-json", "write as JSON Lines", &["E"], &[Bulk], || Msg::BulkExported(LogForm::JsonLines))
        .help("Writes the run and the users that are shown to a new file as JSON Lines, and says where."),
    simple("journal.open", "journal", "the journal", &["L"], &[Feed, Event, User, Address, Raw, Health, Bulks, Bulk], || Msg::JournalAsked)
        .footer("journal")
        .help("Searches the journal, newest first: what was run, a row an action or a run on many, every triage change, every setting; enter shows the records of an action, with request and receipt; from User 360 what it has of the person."),
    Command {
        id: "filter.records",
        name: "records",
        title: "filter the journal",
        help: "Filters the journal: `:records user:ann* flow:okta-* kind:settled outcome:unknown said:changed by:bo since:7d words`; `since:yesterday` is from that day's beginning, in the zone of `[console] time`.",
        keys: &[],
        contexts: &[Journal],
        footer: None,
        act: Act::Argument { name: "FILTER", parse: records_filtered },
    },
    simple("journal.rows", "journal-rows", "a row an action, or every record", &["f"], &[Journal], || Msg::JournalRowsTurned)
        .footer("every record")
        .help("Shows every record of the journal, as the chain holds them, or again one row an action or a run on many: how it stands now, with its newest record; enter shows the records of one."),
    simple("journal.check", "check-chain", "check the journal's chain", &["v"], &[Journal], || Msg::ChainAsked)
        .footer("check")
        .help("Goes through the whole journal and says up to which record it holds, or which one was changed; keys go on working."),
    simple("journal.csv", "journal-csv", "write as CSV", &["e"], &[Journal], || Msg::JournalExported(LogForm::Csv))
        .footer("CSV")
        .help("Writes every record that the filter asks for to a file as CSV, and says where; what a spreadsheet would run is made text."),
    simple("journal.json", "journal-json", "write as JSON Lines", &["E"], &[Journal], || {
        Msg::JournalExported(LogForm::JsonLines)
    })
    .help("Writes every record that the filter asks for to a file, one a line, and says where."),
    simple("health.open", "health", "sources and store", &["H"], &[Feed, Event, User, Address, Raw, Journal, Bulks, Bulk], || Msg::HealthAsked)
        .footer("health")
        .help("Shows who receives, how each source is, what was left out, and what the store holds."),
    simple("filter.open", "filter", "type a filter", &["/"], FILTERED, || Msg::FilterAsked)
        .footer("filter")
        .help("Filters the whole store: `severity>=high user:ann* words`; on an event its users: `state:open user:ann*`; in the journal its records: `user:ann* outcome:unknown since:7d`; in the System Log in Okta's grammar, with tab; in the list of flows what is typed leaves those with these words. Nowhere else is there one."),
    simple("prompt.open", "prompt", "type a command", &[":"], Context::SCREENS, || Msg::PromptAsked)
        .footer("command")
        .help("Types a command; what is typed narrows the list of all commands."),
    Command {
        id: "user.open",
        name: "user",
        title: "open any user",
        help: "Opens User 360 of anyone: `:user LOGIN`.",
        keys: &[],
        contexts: Context::SCREENS,
        footer: None,
        act: Act::Argument { name: "LOGIN", parse: user_named },
    },
    Command {
        id: "address.open",
        name: "ip",
        title: "open any address",
        help: "Lists the users of an address: `:ip ADDRESS`.",
        keys: &[],
        contexts: Context::SCREENS,
        footer: None,
        act: Act::Argument { name: "ADDRESS", parse: address_named },
    },
    Command {
        id: "filter.set",
        name: "where",
        title: "filter the feed",
        help: "Filters the feed: `:where severity>=high`; without a filter everything is shown.",
        keys: &[],
        contexts: Context::SCREENS,
        footer: None,
        act: Act::Argument { name: "FILTER", parse: filtered },
    },
    Command {
        id: "filter.users",
        name: "users",
        title: "filter the event's users",
        help: "Filters the users of this event: `:users state:open user:ann*`; a word is looked for in the login alone.",
        keys: &[],
        contexts: &[Event],
        footer: None,
        act: Act::Argument { name: "FILTER", parse: users_filtered },
    },
    Command {
        id: "log.open",
        name: "logs",
        title: "Okta's System Log",
        help: "Looks into the System Log: `:logs`, `:logs failed-sign-ins`, `:logs token=00T…`, or a filter in Okta's grammar.",
        keys: &[],
        contexts: Context::SCREENS,
        footer: None,
        act: Act::Argument { name: "FILTER|PRESET", parse: logs_asked },
    },
    simple("log.person", "person-log", "the System Log of a person", &["l"], NAMED, || Msg::LogOfPersonAsked)
        .help("Looks into the System Log for what the person did or had done to them; where nobody is selected, for everything."),
    log("log.order", "log-order", "newest or oldest first", &["v"], || Msg::LogTurned)
        .footer("order")
        .help("Turns the order around: newest or oldest first."),
    log("log.further", "log-further", "look further back", &["]"], || Msg::LogReached(Reach::Further))
        .footer("further back")
        .help("Looks further back: 1 h, 6 h, 1 d, 7 d, 30 d, 90 d until now."),
    log("log.nearer", "log-nearer", "look less far back", &["["], || Msg::LogReached(Reach::Nearer))
        .help("Looks less far back."),
    Command {
        id: "log.since",
        name: "since",
        title: "the log's beginning",
        help: "Says from when on the System Log is looked into: `:since 2026-05-01T12:00:00Z`, `:since 7 days`, `:since yesterday`.",
        keys: &[],
        contexts: LOG,
        footer: None,
        act: Act::Argument { name: "TIME", parse: since_given },
    },
    Command {
        id: "log.until",
        name: "until",
        title: "the log's end",
        help: "Says until when the System Log is looked into: `:until now`, `:until 2h`.",
        keys: &[],
        contexts: LOG,
        footer: None,
        act: Act::Argument { name: "TIME", parse: until_given },
    },
    log("log.session", "log-session", "the record's session", &["s"], || Msg::LogThreadFollowed(Thread::Session))
        .footer("session")
        .help("Finds what happened in the same session, from a day before the record to a day after."),
    log("log.root", "log-root", "the record's root session", &["S"], || Msg::LogThreadFollowed(Thread::RootSession))
        .help("Finds what happened in the session that this one came from."),
    log("log.transaction", "log-transaction", "the record's transaction", &["t"], || {
        Msg::LogThreadFollowed(Thread::Transaction)
    })
    .footer("transaction")
    .help("Finds what the same request or job caused."),
    log("log.token", "log-token", "the record's API token", &["T"], || Msg::LogThreadFollowed(Thread::Token))
        .help("Finds what the same API token did, from a day before the record to a day after."),
    log("log.actor", "log-actor", "who did it", &["U"], || Msg::ActorOpened)
        .help("Opens User 360 of who did it; `u` opens whom it was done to."),
    log("log.address", "log-address", "the record's address", &["i"], || Msg::AddressOpened)
        .footer("IP")
        .help("Lists the users of the address that the record came from."),
    log("log.csv", "log-csv", "write as CSV", &["e"], || Msg::LogExported(LogForm::Csv))
        .footer("CSV")
        .help("Writes the records on the screen to a file as CSV, and says where; what a spreadsheet would run is made text."),
    log("log.json", "log-json", "write as JSON Lines", &["E"], || Msg::LogExported(LogForm::JsonLines))
        .help("Writes the records on the screen to a file as they came, one a line, and says where."),
    preset("log.first", &["1"], || Msg::LogPresetChosen(LogPreset::FailedSignIns)),
    preset("log.second", &["2"], || Msg::LogPresetChosen(LogPreset::AdminChanges)),
    preset("log.third", &["3"], || Msg::LogPresetChosen(LogPreset::MfaDenials)),
    preset("log.fourth", &["4"], || Msg::LogPresetChosen(LogPreset::OneToken)),
    preset("log.fifth", &["5"], || Msg::LogPresetChosen(LogPreset::DelegatedFlows)),
    look_up("okta.user", "okta-user", "[LOGIN|MAIL]", "an Okta account as it is", |text| {
        Ok(Msg::LookUpAsked(Asked::User(text.to_owned())))
    })
    .help("Looks an account up in Okta: status, whether it can sign in, since when, what is legal now; without a login, of whom the cursor names. Of several users with one mail address none is taken."),
    look_up("okta.user-apps", "okta-user-apps", "[LOGIN]", "a user's Okta applications", |text| {
        Ok(Msg::LookUpAsked(Asked::AppsOfUser(text.to_owned())))
    })
    .help("Lists the applications that are assigned to a user, all of them; enter shows how the user stands there."),
    look_up("okta.apps", "okta-apps", "[BEGINS]", "Okta's applications", |text| {
        Ok(Msg::LookUpAsked(Asked::Apps(Some(text.to_owned()).filter(|text| !text.is_empty()))))
    })
    .help("Lists the applications of the org, or those whose name or label begins so: the first 1,000, and whether there are more."),
    look_up("okta.assignment", "okta-assignment", "APP [LOGIN]", "an application and a user", assignment_asked)
        .help("Tells whether an application is assigned to a user, and the profile there: `:okta-assignment 0oa… ann@example.com`. A wrong id is told apart from \"not assigned\"."),
    look_up("okta.group", "okta-group", "NAME|ID", "an Okta group and its members", group_asked)
        .help("Looks a group up by its id or its exact name, with all its members; those that only begin so are offered."),
    simple("okta.fields", "okta-fields", "the fields of an Okta profile", &[], Context::SCREENS, || {
        Msg::LookUpAsked(Asked::Fields)
    })
    .help("Lists what a profile holds in this org, base attributes first, and what else each may be called on the command line."),
    simple("okta.config", "okta-config", "the IAM configuration", &[], Context::SCREENS, || {
        Msg::LookUpAsked(Asked::Configuration)
    })
    .help("Shows the IAM configuration that the store keeps, and the filter of the System Log that is made of it."),
    Command {
        id: "okta.config-set",
        name: "okta-config-set",
        title: "change the IAM configuration",
        help: "Shows what laying these entries over the IAM configuration would change: a list of `{\"ApplicationID\": …, \"Name\": …}`. Nothing is kept before `:okta-config-keep`.",
        keys: &[],
        contexts: Context::SCREENS,
        footer: None,
        act: Act::Argument { name: "JSON", parse: configuration_said },
    },
    simple("okta.config-keep", "okta-config-keep", "keep the change that is shown", &[], &[LookUp], || {
        Msg::ConfigurationKeepAsked
    })
    .help("Keeps the change of the IAM configuration that is shown, if nobody wrote in between."),
    operation("okta.contain", "contain", "suspend in Okta and end the sessions", |text| {
        on_somebody(CONTAIN.flow_id(), text)
    }),
    operation("okta.suspend", "suspend", "suspend in Okta", |text| asked(Operation::Suspend, text)),
    operation("okta.clear-sessions", "clear-sessions", "end the sessions in Okta", |text| {
        asked(Operation::ClearSessions, text)
    }),
    operation("okta.reset-password", "reset-password", "reset the password in Okta", |text| {
        asked(Operation::ResetPassword, text)
    }),
    operation("okta.reset-password-link", "reset-password-link", "the same, the link handed to you", |text| {
        asked_for_link(Operation::ResetPassword, text)
    }),
    operation("okta.expire-password", "expire-password", "expire the password in Okta", |text| {
        asked(Operation::ExpirePassword, text)
    }),
    operation("okta.reset-factors", "reset-factors", "remove the factors in Okta", |text| {
        asked(Operation::ResetFactors, text)
    }),
    operation("okta.unlock", "unlock", "unlock in Okta", |text| asked(Operation::Unlock, text)),
    operation("okta.unsuspend", "unsuspend", "unsuspend in Okta", |text| asked(Operation::Unsuspend, text)),
    of_group("okta.add-to-group", "add-to-group", "add to an Okta group", |text| {
        in_group(Operation::AddToGroup, "add-to-group", text)
    }),
    of_group("okta.remove-from-group", "remove-from-group", "remove from an Okta group", |text| {
        in_group(Operation::RemoveFromGroup, "remove-from-group", text)
    }),
    of_profile("okta.update-user", "update-user", "change an Okta profile", |text| {
        with_fields(Operation::Update.flow_id(), "update-user", text)
    }),
    of_profile("okta.create-user", "create-user", "make an Okta account", |text| {
        with_fields(Operation::Create.flow_id(), "create-user", text)
    })
    .help("Opens the card of making an account with these fields, as they are called at Okta or in `[okta.map]`, STAGED and without a password. Nothing is sent before it is confirmed."),
    of_profile("okta.create-and-activate", "create-and-activate", "make and activate an Okta account", |text| {
        with_fields(CREATE_AND_ACTIVATE.flow_id(), "create-and-activate", text)
    })
    .help("Opens the card of making an account with these fields and activating it by a link that is mailed: two actions, one confirmation."),
    of_profile("okta.create-and-activate-link", "create-and-activate-link", "the same, the link handed to you", |text| {
        with_fields_for_link(CREATE_AND_ACTIVATE.flow_id(), "create-and-activate-link", text)
    })
    .help("The same, but nobody is mailed: the card shows the one-time link, once."),
    operation("okta.activate", "activate", "activate in Okta", |text| asked(Operation::Activate, text)),
    operation("okta.activate-link", "activate-link", "the same, the link handed to you", |text| {
        asked_for_link(Operation::Activate, text)
    }),
    operation("okta.reactivate", "reactivate", "activate anew in Okta", |text| {
        asked(Operation::Reactivate, text)
    }),
    operation("okta.reactivate-link", "reactivate-link", "the same, the link handed to you", |text| {
        asked_for_link(Operation::Reactivate, text)
    }),
    operation("okta.deactivate", "deactivate", "deactivate in Okta", |text| {
        asked(Operation::Deactivate, text)
    }),
    simple("help.open", "help", "keys, filter, ids", &["?", "f1"], &[Feed, Event, User, Address, Raw, Journal, Health, Log, LookUp, Bulks, Bulk, Flows, Card, DryRun, Ask], || Msg::HelpAsked)
        .footer("help")
        .help("Lists the keys of this screen, all others, the filter's terms, and the ids that keys are configured by."),
    simple("screen.back", "back", "to the screen before", &["esc", "q", "left"], &[Feed, Event, User, Address, Raw, Journal, Health, Log, LookUp, Bulks, Bulk, Help, Flows, Card, DryRun, Link, Quit, Ask], || {
        Msg::WentBack
    })
    .footer("back")
    .help("Goes back; where users are marked it unmarks them first; at the feed it clears the filter, then quits. Never answers a card with yes."),
    simple("screen.redraw", "redraw", "draw anew", &["ctrl-l"], LISTS, || Msg::RedrawAsked)
        .help("Draws the whole screen anew."),
    simple("program.suspend", "background", "to the background", &["ctrl-z"], LISTS, || Msg::SuspendAsked)
        .help("Puts the program in the background; `fg` brings it back."),
    simple("program.quit", "quit", "leave the console", &["ctrl-c"], LISTS, || Msg::QuitAsked)
        .help("Quits; asks while this console receives or a run is under way."),
];

const fn pane(
    id: &'static str,
    name: &'static str,
    keys: &'static [&'static str],
    act: fn() -> Msg,
) -> Command {
    simple(id, name, "this pane of a person", keys, &[User], act).help("Goes to this pane of User 360.")
}

const fn flow(id: &'static str, keys: &'static [&'static str], act: fn() -> Msg) -> Command {
    simple(id, id, "choose this flow", keys, &[Flows], act).help("Chooses the flow of this number.")
}

const fn log(
    id: &'static str,
    name: &'static str,
    title: &'static str,
    keys: &'static [&'static str],
    act: fn() -> Msg,
) -> Command {
    simple(id, name, title, keys, LOG, act)
}

const fn preset(id: &'static str, keys: &'static [&'static str], act: fn() -> Msg) -> Command {
    log(id, id, "this ready question", keys, act).help(
        "Asks a ready question: failed sign-ins, administrator rights and tokens, MFA denials, what the record's API token did, delegated flows.",
    )
}

const fn operation(
    id: &'static str,
    name: &'static str,
    title: &'static str,
    parse: fn(&str) -> Result<Msg, String>,
) -> Command {
    Command {
        id,
        name,
        title,
        help: "Opens the card of this operation, on who is named, else on whom the cursor names. Nothing is sent before it is confirmed.",
        keys: &[],
        contexts: Context::SCREENS,
        footer: None,
        act: Act::Argument { name: "[LOGIN]", parse },
    }
}

const fn look_up(
    id: &'static str,
    name: &'static str,
    argument: &'static str,
    title: &'static str,
    parse: fn(&str) -> Result<Msg, String>,
) -> Command {
    let act = Act::Argument { name: argument, parse };
    Command { id, name, title, help: title, keys: &[], contexts: Context::SCREENS, footer: None, act }
}

const fn of_group(
    id: &'static str,
    name: &'static str,
    title: &'static str,
    parse: fn(&str) -> Result<Msg, String>,
) -> Command {
    Command {
        help: "Opens the card of this operation, on whom the cursor names and this group: its id, or its whole name. Nothing is sent before it is confirmed.",
        act: Act::Argument { name: "NAME", parse },
        ..operation(id, name, title, parse)
    }
}

const fn of_profile(
    id: &'static str,
    name: &'static str,
    title: &'static str,
    parse: fn(&str) -> Result<Msg, String>,
) -> Command {
    Command {
        help: "Opens the card of changing these fields of the profile of whom the cursor names, as they are called at Okta or in `[okta.map]`; the card shows what differs. Nothing is sent before it is confirmed.",
        act: Act::Argument { name: "FIELD=VALUE; …", parse },
        ..operation(id, name, title, parse)
    }
}

/// The command of a name in the `:` prompt, or of an id.
pub fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name || command.id == name)
}
