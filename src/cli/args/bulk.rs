//! Runs on many, once they are there.

use crate::domain::bulk::BulkId;
use clap::Subcommand;

/// `bulk …`
#[derive(Debug, Clone, Subcommand)]
pub enum Bulk {
    /// Runs on many, newest first
    List {
        /// How many
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
        /// Older than the run of this id
        #[arg(long, value_name = "ID")]
        before: Option<BulkId>,
        /// CSV for a spreadsheet; what would be a formula there is made text
        #[arg(long, conflicts_with = "json")]
        csv: bool,
    },
    /// One run and its users, in their order: who is acted on, and behind them who is left out
    Show {
        /// Which run
        id: BulkId,
        /// Only those with something to look at: not sent, refused, failed or unknown
        #[arg(long)]
        exceptions: bool,
        /// Only those who wait
        #[arg(long, conflicts_with = "exceptions")]
        queued: bool,
        /// The users as CSV for a spreadsheet; what would be a formula there is made text
        #[arg(long, conflicts_with = "json")]
        csv: bool,
    },
    /// Go on with those who wait, if it is still what was confirmed: nobody is acted on twice. The first goes
    /// alone; behind it, what paused it so far pauses it again only where it comes more than five times in a row
    Resume {
        /// Which run
        id: BulkId,
        /// That is meant; of high risk it is not enough
        #[arg(long, required_unless_present = "confirm")]
        yes: bool,
        /// How many wait: what a run of high risk asks for
        #[arg(long, value_name = "COUNT")]
        confirm: Option<String>,
    },
    /// Let those who are on their way land, and act on nobody more until it is resumed
    Pause {
        /// Which run
        id: BulkId,
    },
    /// Let those who are on their way land, and act on nobody more, for good
    Stop {
        /// Which run
        id: BulkId,
    },
}
