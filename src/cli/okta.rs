//! `okta …`: what is asked of an Okta org, one file a group of subcommands.

mod access;
mod config;
mod fields;
mod hook;
mod logs;
mod look;
mod told;
mod write;
mod xsoar;

use super::args::{self, OktaApp, OktaConfig, OktaGroup, OktaUser};
use super::connect;
use super::failure::Failure;
use super::output::Output;
use super::session::Session;
use write::{Iam, Writer};

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
        args::Okta::User(OktaUser::Get { user }) => look::user(user, session, out).await,
        args::Okta::User(OktaUser::Apps { user }) => look::apps_of_user(user, session, out).await,
        args::Okta::User(OktaUser::Operate(what)) => Writer::new(session)?.operate(what, out).await,
        args::Okta::User(OktaUser::Create(what)) => Writer::new(session)?.create(what, out).await,
        args::Okta::User(OktaUser::Update(what)) => Writer::new(session)?.update(what, out).await,
        args::Okta::IamCreateUser(what) => Writer::new(session)?.iam(Iam::Create, what, out).await,
        args::Okta::IamUpdateUser(what) => Writer::new(session)?.iam(Iam::Update, what, out).await,
        args::Okta::IamDisableUser(what) => Writer::new(session)?.iam(Iam::Disable, what, out).await,
        args::Okta::IamEnableUser(what) => Writer::new(session)?.iam(Iam::Enable, what, out).await,
        args::Okta::App(OktaApp::List(what)) | args::Okta::ListApplications(what) => {
            look::apps(what, session, out).await
        }
        args::Okta::App(OktaApp::Assignment { user, app }) => look::assignment(app, user, session, out).await,
        args::Okta::GetAppUserAssignment { user_id, application_id } => {
            look::assignment(application_id, user_id, session, out).await
        }
        args::Okta::ListUserApplications { user_id } => look::apps_of_user(user_id, session, out).await,
        args::Okta::IamGetUser { user_profile } => Writer::new(session)?.iam_get(user_profile, out).await,
        args::Okta::Group(OktaGroup::Get { id, name, members }) => {
            let key = look::key_of(id.as_deref(), name.as_deref());
            look::group(key, look::Members::of(*members), session, out).await
        }
        args::Okta::IamGetGroup { scim, include_members } => {
            let (id, name) = xsoar::group_key(scim)?;
            let key = look::key_of(id.as_deref(), name.as_deref());
            look::group(key, look::Members::of(*include_members), session, out).await
        }
        args::Okta::Config(OktaConfig::Get) | args::Okta::GetConfiguration => config::get(session, out).await,
        args::Okta::Config(OktaConfig::Set(what)) | args::Okta::SetConfiguration(what) => {
            config::set(what, session, out).await
        }
        args::Okta::Access { user } => access::run(user.as_deref(), session, out).await,
        args::Okta::Fields => fields::run(session, out).await,
        args::Okta::Hook(what) => hook::run(what, session, out).await,
        args::Okta::Logs(what) => {
            let log = connect::log_search(&session.loaded()?)?;
            logs::run(what, log.as_ref(), connect::now(), out).await
        }
    }
}
