//! `okta …`: what is asked of an Okta org.

use super::register::OktaHook;
use clap::Subcommand;

/// `okta …`
#[derive(Debug, Subcommand)]
pub enum Okta {
    /// Where the org posts records of its log to
    #[command(subcommand)]
    Hook(OktaHook),
}
