//! `okta …`: what is asked of an Okta org, one file a group of subcommands.

mod hook;
mod logs;

use super::args;
use super::connect;
use super::failure::Failure;
use super::output::Output;
use super::session::Session;

/// Runs the subcommand.
///
/// # Errors
/// Those of the subcommand.
pub(super) async fn run(
    what: &args::Okta,
    session: &Session<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    match what {
        args::Okta::Hook(what) => hook::run(what, session, out).await,
        args::Okta::Logs(what) => {
            let log = connect::log_search(&session.loaded()?)?;
            logs::run(what, log.as_ref(), connect::now(), out).await
        }
    }
}
