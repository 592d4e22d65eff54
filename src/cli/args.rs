//! The command line, as clap reads it.

mod bulk;
mod journal;
mod logs;
mod okta;
mod operate;
mod register;

pub use bulk::Bulk;
pub use journal::{Check, Journal, JournalExport, Say};
pub use logs::Logs;
pub use okta::{ListApps, Okta, OktaApp, OktaConfig, OktaGroup, OktaUser, SetConfig};
pub use operate::{CREATE_AND_ACTIVATE, CreateUser, Fields, IamUser, OktaOperation, UpdateUser, link};
pub use register::{
    Cii, CiiWebhook, CreateHook, OktaHook, RegisterWebhook, Sending, UnregisterWebhook, VerifyHook,
};

use crate::app::layout::Size;
use crate::config::mean;
use crate::domain::account_name::AccountName;
use crate::domain::undo::Undoes;
use crate::domain::undo::many::UndoMany;
use crate::domain::{ActionId, Disposition, EventId, FindingId, FlowId};
use clap::{Args, Parser, Subcommand};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Triage of failing identity checks in a terminal.
#[derive(Debug, Parser)]
#[command(name = "idtriage", version, max_term_width = 100)]
#[command(after_help = "Without a command: the console.\n\
    Exit status: 0 accepted, changed or no change; 1 failed, refused or not legal; \
    2 wrong usage or configuration; 3 mixed; 4 any outcome unknown.")]
pub struct Arguments {
    /// For every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do; nothing means the console.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The flags of every command.
#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// The configuration [default: idtriage/config.toml in the XDG config directory]
    #[arg(long, global = true, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// The store, instead of the configured one: sqlite:/path/to/file.db
    #[arg(long, global = true, value_name = "URL")]
    pub store: Option<String>,
    /// JSON Lines on standard output, and nothing else there
    #[arg(long, global = true)]
    pub json: bool,
    /// Change nothing and run nothing: the store has to be there already, and nothing is received
    #[arg(long, global = true)]
    pub read_only: bool,
    /// Write a log to this file
    #[arg(long, global = true, value_name = "PATH")]
    pub log: Option<PathBuf>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The console against a simulated tenant: no configuration, no network
    Demo(DemoArguments),
    /// The simulated tenant alone; prints a configuration for it
    Lab(LabAlone),
    /// Receive and store, without a screen
    Collect(CollectArguments),
    /// Write a commented configuration
    Init,
    /// Check configuration, secrets, store, listener and tenants
    Doctor,
    /// Where events come from
    #[command(subcommand)]
    Sources(Sources),
    /// What arrived
    #[command(subcommand)]
    Events(Events),
    /// Take in a file of events: JSON, a list or JSON Lines, of any shape that a source sends
    Import(Import),
    /// Triage without a screen
    #[command(subcommand)]
    Findings(Findings),
    /// What is known of a user
    User {
        /// The login
        login: String,
    },
    /// The users of an address
    Ip {
        /// IPv4 or IPv6
        address: IpAddr,
    },
    /// What can be run
    Flows {
        /// What to do; nothing lists them.
        #[command(subcommand)]
        what: Option<Flows>,
    },
    /// Run a flow on one or many
    Run(RunOn),
    /// Runs on many: how they stand, and what becomes of them
    #[command(subcommand)]
    Bulk(Bulk),
    /// Run what undoes an action or a run on many, on the very accounts that it was on
    Undo(Undo),
    /// What was done
    #[command(subcommand)]
    Journal(Journal),
    /// What the store holds, and what is taken out of it
    #[command(subcommand)]
    Store(Store),
    /// Who is told of new events
    #[command(subcommand)]
    Notify(Notify),
    /// Cisco Identity Intelligence: where it posts to
    #[command(subcommand)]
    Cii(Cii),
    /// The Okta org: its System Log, and where it posts to
    #[command(subcommand)]
    Okta(Okta),
}

/// `collect …`
#[derive(Debug, Clone, Args)]
pub struct CollectArguments {
    /// Print a systemd user unit that runs this program with these flags, and how to install it
    #[arg(long)]
    pub print_unit: bool,
}

/// `sources …`
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Sources {
    /// Those that are configured, each as whoever receives said last
    List,
    /// Which records of Okta's log are findings: the first row that fits decides
    Checks,
}

/// How the simulated tenant behaves.
#[derive(Debug, Clone, Args)]
pub struct LabArguments {
    /// The same seed tells the same story
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How fast the story runs: 2 is twice as fast
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    pub speed: f64,
    /// Something that goes wrong; may be said several times
    #[arg(long = "fault", value_name = "FAULT")]
    pub faults: Vec<String>,
}

/// The demo.
#[derive(Debug, Clone, Args)]
pub struct DemoArguments {
    /// How the tenant behaves.
    #[command(flatten)]
    pub lab: LabArguments,
    /// Write the screen as an SVG picture once the incident shows, and end; needs no terminal
    #[arg(long, value_name = "FILE", hide = true)]
    pub picture: Option<PathBuf>,
    /// The picture's size in cells
    #[arg(long, value_name = "COLUMNSxROWS", default_value = "120x36", value_parser = size, requires = "picture", hide = true)]
    pub size: Size,
}

/// The simulated tenant alone.
#[derive(Debug, Clone, Args)]
pub struct LabAlone {
    /// How it behaves.
    #[command(flatten)]
    pub lab: LabArguments,
    /// Where it listens; loopback only
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8791", value_parser = loopback)]
    pub listen: SocketAddr,
}

/// A page of a list, newest first.
#[derive(Debug, Clone, Args)]
pub struct PageArguments {
    /// How many at most
    #[arg(long, default_value_t = 100, value_parser = limit)]
    pub limit: usize,
}

/// `events …`
#[derive(Debug, Subcommand)]
pub enum Events {
    /// Newest first
    List {
        /// A filter: severity>=high check:no-mfa user:ann@example.com "words"
        query: Vec<String>,
        /// How many.
        #[command(flatten)]
        page: PageArguments,
        /// Only those before this id
        #[arg(long, value_name = "ID")]
        before: Option<EventId>,
        /// With the raw JSON (needs --json)
        #[arg(long, requires = "json")]
        raw: bool,
    },
    /// One, whole
    Show {
        /// Its id
        id: EventId,
        /// With the raw JSON
        #[arg(long)]
        raw: bool,
    },
    /// The raw JSON of each, oldest first, one a line: `import` takes it back
    Export {
        /// A filter: severity>=high check:no-mfa user:ann@example.com "words"
        query: Vec<String>,
    },
}

/// `import …`
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Each event keeps the time at which it was published. What is in the store already is a \
    repeat, so that importing a file again does no harm.\n\
    Exit status: 0 everything was taken in; 3 some was refused, or Ctrl-C came; 1 all was refused, or the \
    store failed; 2 the file cannot be read."
)]
pub struct Import {
    /// The file; `-` is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Whose events they are: a configured source or a type of source [default: by their content]
    #[arg(long = "as", value_name = "NAME")]
    pub origin: Option<String>,
    /// Say what they are, and take nothing in
    #[arg(long)]
    pub dry_run: bool,
    /// Let them arrive once more, at the pace at which they were published
    #[arg(long, conflicts_with = "dry_run")]
    pub real_time: bool,
    /// How fast that pace is: 60 is a minute a second
    #[arg(long, default_value_t = 1.0, value_parser = speed, requires = "real_time")]
    pub speed: f64,
}

/// `findings …`
#[derive(Debug, Subcommand)]
pub enum Findings {
    /// Newest first
    List {
        /// A filter: severity>=high state:open check:no-mfa user:ann@example.com
        query: Vec<String>,
        /// How many.
        #[command(flatten)]
        page: PageArguments,
        /// Only those before this id
        #[arg(long, value_name = "ID")]
        before: Option<FindingId>,
    },
    /// One, with its history
    Show {
        /// Its id
        id: FindingId,
    },
    /// Take it
    Claim(Which),
    /// Give it back
    Release(Which),
    /// Add a remark
    Note {
        /// Its id
        id: FindingId,
        /// The remark
        text: String,
    },
    /// Done
    Close {
        /// Which.
        #[command(flatten)]
        which: Which,
        /// Why: true-positive, benign-expected, false-positive-logic, false-positive-data, undetermined
        #[arg(long = "as", value_name = "DISPOSITION", value_parser = disposition)]
        disposition: Disposition,
        /// In your words
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Not done after all
    Reopen {
        /// Which.
        #[command(flatten)]
        which: Which,
        /// In your words
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// Which findings to change.
#[derive(Debug, Clone, Args)]
pub struct Which {
    /// Their ids
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<FindingId>,
    /// Only if it still has this version: what you saw
    #[arg(long, value_name = "VERSION")]
    pub seen: Option<u64>,
}

/// `flows …`
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Flows {
    /// Compare the inputs that are declared with the fields that a finding fills in: a name that is nearly one of them
    /// is nearly always a misspelling
    Lint,
}

/// `run FLOW …`
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Everything is read and planned before anything is sent. With several users the run is kept: \
    each is planned anew at their turn and acted on once, below ten calls a second, and the first end of a kind that \
    may be wrong for everybody pauses it. `idtriage bulk` shows it and goes on with it, also after a crash.\n\
    Exit status: 0 changed, accepted or no change; 1 failed, refused or not legal; 2 wrong usage; \
    3 mixed; 4 any outcome unknown."
)]
pub struct RunOn {
    /// The flow's id
    pub flow: FlowId,
    /// On whom.
    #[command(flatten)]
    pub whom: Whom,
    /// From which finding
    #[arg(long, value_name = "ID")]
    pub finding: Option<FindingId>,
    /// Which of their accounts, where several would do: as the refusal names them; the id alone will do
    #[arg(long, value_name = "PRODUCT/ID", conflicts_with = "test")]
    pub account: Option<AccountName>,
    /// A declared input of the flow; may be said several times
    #[arg(long = "input", value_name = "NAME=VALUE", value_parser = input)]
    pub inputs: Vec<(String, String)>,
    /// How its confirmation is answered.
    #[command(flatten)]
    pub answers: Answers,
}

/// On whom something is run
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = true)]
pub struct Whom {
    /// On whom; may be said several times
    #[arg(long = "user", value_name = "LOGIN", num_args = 1..)]
    pub users: Vec<String>,
    /// A login a line of a file, or of standard input: `-`
    #[arg(long, value_name = "FILE|-")]
    pub users_from: Option<PathBuf>,
    /// The users of an event, each from their finding
    #[arg(long, value_name = "ID")]
    pub event: Option<EventId>,
    /// The users that were seen on an address
    #[arg(long, value_name = "ADDRESS")]
    pub ip: Option<IpAddr>,
    /// The users of the findings that match, each from theirs, as `findings list` finds them: all of them, not the
    /// first page. What is closed is left out
    #[arg(long, value_name = "QUERY", conflicts_with_all = ["users", "users_from", "event", "ip", "finding"])]
    pub filter: Option<String>,
    /// With `--filter`: of closed findings too
    #[arg(long, requires = "filter")]
    pub with_closed: bool,
    /// On nobody: the flow is tried with the documented sample record, and the journal says so. A live flow acts
    /// on the ids in it
    #[arg(long, conflicts_with_all = ["users", "users_from", "event", "ip", "filter", "finding"])]
    pub test: bool,
}

/// A flow, and who is named on the command line itself.
#[derive(Debug, Clone)]
pub struct Run {
    /// The flow's id.
    pub flow: FlowId,
    /// On whom.
    pub users: Vec<String>,
    /// From which finding.
    pub finding: Option<FindingId>,
    /// Which of their accounts.
    pub account: Option<AccountName>,
    /// Declared inputs of the flow.
    pub inputs: Vec<(String, String)>,
    /// What it is to undo.
    pub undoes: Option<Undoes>,
    /// Which run on many it is to undo.
    pub undoes_run: Option<Arc<UndoMany>>,
    /// How its confirmation is answered.
    pub answers: Answers,
}

impl RunOn {
    /// As if only those were meant who are named.
    pub fn named(&self) -> Run {
        let RunOn { flow, whom, finding, account, inputs, answers } = self.clone();
        Run { flow, users: whom.users, finding, account, inputs, undoes: None, undoes_run: None, answers }
    }
}

/// How the confirmation of something that acts is answered
#[derive(Debug, Clone, Args)]
#[group(multiple = true)]
pub struct Answers {
    /// Show what would be sent, and send nothing
    #[arg(long, conflicts_with_all = ["yes", "confirm"])]
    pub dry_run: bool,
    /// Answer confirmations by key or word
    #[arg(long)]
    pub yes: bool,
    /// Answer the confirmation that wants the login typed, or say which account is meant where it may be another's (its
    /// own login, or its id); with several users, how many are acted on
    #[arg(long, value_name = "LOGIN|COUNT")]
    pub confirm: Option<String>,
    /// Although an earlier run has an unknown outcome
    #[arg(long)]
    pub again: bool,
    /// Why, for the journal
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// `undo ACTION|RUN`
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "The inverse of the action's flow is run like any other: planned, confirmed, sent once and looked \
    for behind it. Where the login leads to another account by now, it is refused. An action of a run of several is \
    undone by itself. A run on many is undone on each whom it changed, by one run on many that is confirmed as any \
    other.\n\
    Exit status: 0 changed, accepted or no change; 1 failed, refused or not legal, or nothing undoes it; \
    2 wrong usage; 4 the outcome is unknown."
)]
pub struct Undo {
    /// The action's id, as the journal has it; or the id of a run on many, as `bulk list` has it
    #[arg(value_name = "ACTION|RUN")]
    pub action: ActionId,
    /// Which of their accounts, where nobody knows which the action was on
    #[arg(long, value_name = "PRODUCT/ID")]
    pub account: Option<AccountName>,
    /// How its confirmation is answered.
    #[command(flatten)]
    pub answers: Answers,
}

/// `store …`
#[derive(Debug, Subcommand)]
pub enum Store {
    /// How much it holds, how large it is, and what rules and filters left out
    Status,
    /// Take what is older than it is kept: log and execution records that opened no finding, and the raw
    /// texts and descriptions of all other events. Findings, actions, the journal and digests stay
    Prune {
        /// How long to keep, instead of `[store] keep`: 90d, 12 weeks
        #[arg(long, value_name = "SPAN", value_parser = keep)]
        keep: Option<Duration>,
        /// Say what would go, and take nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// `notify …`
#[derive(Debug, Subcommand)]
pub enum Notify {
    /// Send a message that says that it is a test
    Test {
        /// Its name in the configuration: its `name`, else its type
        name: String,
        /// Show what would be sent, and send nothing
        #[arg(long)]
        dry_run: bool,
    },
}

fn keep(text: &str) -> Result<Duration, String> {
    mean::keep(text).ok_or_else(|| "a span is a day or longer: `90d`, `12 weeks`".to_owned())
}

fn disposition(word: &str) -> Result<Disposition, String> {
    let words = || Disposition::ALL.map(Disposition::word).join(", ");
    Disposition::parse(word).ok_or_else(|| format!("the dispositions are {}", words()))
}

fn input(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("an input looks like `name=value`".to_owned()),
    }
}

fn limit(text: &str) -> Result<usize, String> {
    let limit = text.parse().ok().filter(|limit| (1..=10_000).contains(limit));
    limit.ok_or_else(|| "a limit is a number from 1 to 10000".to_owned())
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed: &f64| speed.is_finite() && *speed > 0.0);
    speed.ok_or_else(|| "a speed is a number above 0".to_owned())
}

fn size(text: &str) -> Result<Size, String> {
    let sides =
        text.split_once('x').and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
    let size = sides.filter(|(columns, rows)| (40..=400).contains(columns) && (10..=200).contains(rows));
    let size = size.map(|(columns, rows)| Size { columns, rows });
    size.ok_or_else(|| "a size looks like `120x36`, from 40x10 to 400x200".to_owned())
}

/// The simulated tenant's secrets are printed: it stays on this machine.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse::<SocketAddr>().ok().filter(|address| address.ip().is_loopback());
    address.ok_or_else(|| "a loopback address with a port: `127.0.0.1:8791`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use rstest::rstest;

    #[test]
    fn the_tree_is_sound() {
        Arguments::command().debug_assert();
    }

    #[rstest]
    #[case("idtriage", true)]
    #[case("idtriage events list severity>=high --json --raw", true)]
    #[case("idtriage events list --raw", false)]
    #[case("idtriage events list --limit 0", false)]
    #[case("idtriage events export severity>=high", true)]
    #[case("idtriage import - --as alerts --dry-run", true)]
    #[case("idtriage import file.json --real-time --speed 60", true)]
    #[case("idtriage import file.json --speed 60", false)]
    #[case("idtriage import file.json --real-time --dry-run", false)]
    #[case("idtriage import", false)]
    #[case("idtriage notify test slack --dry-run", true)]
    #[case("idtriage notify test", false)]
    #[case("idtriage okta logs --since 2h --sort-order descending --limit 1500 --csv", true)]
    #[case("idtriage okta logs --sortOrder ASCENDING --preset token=00T1", true)]
    #[case(
        "idtriage okta okta-get-logs --filter x --since 2h --until now --sortOrder DESCENDING --limit 5",
        true
    )]
    #[case("idtriage okta logs --preset tokens", false)]
    #[case("idtriage okta logs --sort-order sideways", false)]
    #[case("idtriage okta logs --since tomorrow", false)]
    #[case("idtriage okta logs --limit 0", false)]
    #[case("idtriage okta logs --csv --json", false)]
    #[case(
        "idtriage cii webhook register --url https://a.example.com/hooks/cii --check no-mfa --check x",
        true
    )]
    #[case("idtriage cii webhook register --url http://127.0.0.1:8790/hooks/cii --check no-mfa --yes", true)]
    #[case("idtriage cii webhook register --url https://a.example.com/hooks/cii", false)]
    #[case("idtriage cii webhook register --check no-mfa", false)]
    #[case("idtriage cii webhook register --url http://a.example.com/ --check no-mfa", false)]
    #[case("idtriage cii webhook register --url https://a:b@a.example.com/ --check no-mfa", false)]
    #[case("idtriage cii webhook register --url https://a.example.com/#x --check no-mfa", false)]
    #[case(
        "idtriage cii webhook register --url https://a.example.com/ --check no-mfa --dry-run --yes",
        false
    )]
    #[case("idtriage cii webhook unregister wh-1 --yes", true)]
    #[case("idtriage cii webhook unregister", false)]
    #[case("idtriage cii webhook", false)]
    #[case("idtriage okta user create --set login=a@x --profile {} --activate --link --yes", true)]
    #[case("idtriage okta user create --set login=a@x --link", false)]
    #[case("idtriage okta user create --set login=a@x --activate --no-activate", false)]
    #[case("idtriage okta user create --activate", false)]
    #[case("idtriage okta user update a@x --set title= --dry-run", true)]
    #[case("idtriage okta user update a@x --yes", false)]
    #[case("idtriage okta user update --set a=b", false)]
    #[case("idtriage okta user add-to-group a@x --group Sales --yes", true)]
    #[case("idtriage okta user remove-from-group a@x", false)]
    #[case("idtriage okta user reset-password a@x --link --yes", true)]
    #[case("idtriage okta user suspend a@x --link", false)]
    #[case("idtriage okta user contain a@x b@x --yes", true)]
    #[case("idtriage okta iam-create-user --user_profile {} --allow-enable false --yes", true)]
    #[case("idtriage okta iam-update-user --user-profile {} --allow_enable true --dry-run", true)]
    #[case("idtriage okta iam-disable-user", false)]
    #[case("idtriage okta get-mapping-fields", true)]
    #[case("idtriage okta hook list", true)]
    #[case(
        "idtriage okta hook create --url https://a.example.com/hooks/okta --source hook --event user.risk.detect",
        true
    )]
    #[case(
        "idtriage okta hook create --url https://a.example.com/hooks/okta --event security.threat.detected",
        false
    )]
    #[case("idtriage okta hook create --url https://a.example.com/hooks/okta --event user", false)]
    #[case("idtriage okta hook verify who1 --dry-run", true)]
    #[case("idtriage okta hook verify ../users", false)]
    #[case("idtriage findings close 7 8 --as benign-expected --reason x", true)]
    #[case("idtriage findings close 7 --as benign --reason x", false)]
    #[case("idtriage run f --user a --user b --yes --confirm 2", true)]
    #[case("idtriage run f --user a", true)]
    #[case("idtriage run f --test --dry-run", true)]
    #[case("idtriage run f --test --user a", false)]
    #[case("idtriage run f --test --finding 7", false)]
    #[case("idtriage run f --yes", false)]
    #[case("idtriage run f --user a --dry-run --yes", false)]
    #[case("idtriage run f --user a --yes --input =x", false)]
    #[case("idtriage lab --listen 0.0.0.0:1", false)]
    #[case("idtriage demo --speed 0", false)]
    #[case("idtriage demo --picture p.svg --size 80x24", true)]
    #[case("idtriage demo --picture p.svg --size 80", false)]
    #[case("idtriage demo --size 80x24", false)]
    #[case("idtriage ip not-an-address", false)]
    #[case("idtriage store prune --keep 90d --dry-run", true)]
    #[case("idtriage journal check 00000000-0000-0000-0000-000000000001", true)]
    #[case("idtriage journal check --unknown", true)]
    #[case("idtriage journal check", false)]
    #[case("idtriage journal check 00000000-0000-0000-0000-000000000001 --unknown", false)]
    #[case("idtriage journal say 00000000-0000-0000-0000-000000000001 not-changed --reason seen", true)]
    #[case(
        "idtriage journal say 00000000-0000-0000-0000-000000000001 changed --reason seen --again --yes",
        true
    )]
    #[case("idtriage journal say 00000000-0000-0000-0000-000000000001 changed --yes", false)]
    #[case("idtriage journal say 00000000-0000-0000-0000-000000000001 done --reason seen", false)]
    #[case("idtriage undo 00000000-0000-0000-0000-000000000001 --dry-run", true)]
    #[case("idtriage undo 00000000-0000-0000-0000-000000000001 --yes --dry-run", false)]
    #[case("idtriage undo", false)]
    #[case("idtriage store prune --keep 1h", false)]
    #[case("idtriage store", false)]
    fn command_lines(#[case] line: &str, #[case] is_accepted: bool) {
        let parsed = Arguments::try_parse_from(line.split(' '));
        assert_eq!(parsed.is_ok(), is_accepted, "{parsed:?}");
    }
}
