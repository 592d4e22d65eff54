//! `okta logs`: a look into the System Log.

use crate::domain::log::{LogOrder, LogPreset, Moment};
use clap::Args;

/// `okta logs`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Times are RFC 3339 (2026-05-01T12:00:00Z), `now`, or how long ago: 2h, 7 days.\n\
    Presets: failed-sign-ins, admin-changes, mfa-denials, token=ID, delegated-flows. With --filter both have \
    to hold.\n\
    A look with an end may miss records that Okta stores late; a source `okta-system-log` gets every one.")]
pub struct Logs {
    /// In Okta's grammar: eventType eq "user.session.start" and outcome.result eq "DENY"
    #[arg(long)]
    pub filter: Option<String>,
    /// Words that all have to be somewhere in the record
    #[arg(long, value_name = "WORDS", default_value = "")]
    pub q: String,
    /// A ready question
    #[arg(long, value_name = "NAME", value_parser = preset)]
    pub preset: Option<String>,
    /// From when on [default: 7 days, or the preset's own]
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    pub since: Option<Moment>,
    /// Before when
    #[arg(long, value_name = "TIME", default_value = "now", value_parser = Moment::parse)]
    pub until: Moment,
    /// By time: ascending or descending
    #[arg(long, alias = "sortOrder", value_name = "ORDER", default_value = "ascending", value_parser = order)]
    pub sort_order: LogOrder,
    /// How many records at most, over all pages
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = records)]
    pub limit: usize,
    /// CSV for a spreadsheet; what would be a formula there is made text
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
}

fn preset(text: &str) -> Result<String, String> {
    LogPreset::ask(text).map(|_| text.to_owned())
}

fn order(text: &str) -> Result<LogOrder, String> {
    LogOrder::parse(text).ok_or_else(|| "an order is `ascending` or `descending`".to_owned())
}

fn records(text: &str) -> Result<usize, String> {
    let limit = text.parse().ok().filter(|limit| (1..=1_000_000).contains(limit));
    limit.ok_or_else(|| "a limit is a number from 1 to 1000000".to_owned())
}
