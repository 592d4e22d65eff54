//! `okta …`: what is asked of an Okta org.

use super::logs::Logs;
use super::operate::{CreateUser, IamUser, OktaOperation, UpdateUser};
use super::register::OktaHook;
use clap::{ArgGroup, Args, Subcommand};

/// `okta …`
#[derive(Debug, Subcommand)]
pub enum Okta {
    /// One user: what the account is, and what Okta can do to it
    #[command(subcommand)]
    User(OktaUser),
    /// Applications, and who is assigned to them
    #[command(subcommand)]
    App(OktaApp),
    /// Groups and their members
    #[command(subcommand)]
    Group(OktaGroup),
    /// The IAM configuration: the applications that a System Log filter is made from
    #[command(subcommand)]
    Config(OktaConfig),
    /// As `user get`, under the name that XSOAR has for it
    #[command(name = "iam-get-user", hide = true)]
    IamGetUser {
        /// `{"email": …}`; `id` goes before `login` and `username`, those before `email`
        #[arg(long, alias = "user_profile", value_name = "JSON")]
        user_profile: String,
    },
    /// As `user create --activate`, or `user update` where the account is there
    #[command(name = "iam-create-user", hide = true)]
    IamCreateUser(IamUser),
    /// As `user update`; makes an account only where `[okta] create_if_missing` says so
    #[command(name = "iam-update-user", hide = true)]
    IamUpdateUser(IamUser),
    /// As `user deactivate`
    #[command(name = "iam-disable-user", hide = true)]
    IamDisableUser(IamUser),
    /// As `user activate`
    #[command(name = "iam-enable-user", hide = true)]
    IamEnableUser(IamUser),
    /// As `app assignment`
    #[command(name = "okta-get-app-user-assignment", hide = true)]
    GetAppUserAssignment {
        /// The user's id or login
        #[arg(long, alias = "user_id", value_name = "ID")]
        user_id: String,
        /// The application's id
        #[arg(long, alias = "application_id", value_name = "ID")]
        application_id: String,
    },
    /// As `app list`
    #[command(name = "okta-iam-list-applications", hide = true)]
    ListApplications(ListApps),
    /// As `user apps`
    #[command(name = "okta-iam-list-user-applications", hide = true)]
    ListUserApplications {
        /// The user's id or login
        #[arg(long, alias = "user_id", value_name = "ID")]
        user_id: String,
    },
    /// As `group get`
    #[command(name = "iam-get-group", hide = true)]
    IamGetGroup {
        /// `{"id": …}` or `{"displayName": …}`
        #[arg(long, value_name = "JSON")]
        scim: String,
        /// Whether its members are listed
        #[arg(long, alias = "includeMembers", value_name = "BOOLEAN", default_value_t = true, action = clap::ArgAction::Set)]
        include_members: bool,
    },
    /// As `config get`
    #[command(name = "okta-iam-get-configuration", hide = true)]
    GetConfiguration,
    /// As `config set`
    #[command(name = "okta-iam-set-configuration", hide = true)]
    SetConfiguration(SetConfig),
    /// What our credential may do of each flow, and whether somebody's roles let them run delegated flows: nothing is
    /// run, and what cannot be known before a call is said to be so
    Access {
        /// Whose roles: a login [default: `[console] analyst`, else whoever made our API token]
        #[arg(value_name = "LOGIN")]
        user: Option<String>,
    },
    /// What a profile holds, and by which names each field may be said
    #[command(alias = "get-mapping-fields")]
    Fields,
    /// Where the org posts records of its log to
    #[command(subcommand)]
    Hook(OktaHook),
    /// Look into the System Log
    #[command(alias = "okta-get-logs")]
    Logs(Logs),
}

/// `okta user …`
#[derive(Debug, Subcommand)]
pub enum OktaUser {
    /// What the account is now: by id, by login, or by a mail address that one user has
    Get {
        /// An id, a login or a mail address
        #[arg(value_name = "LOGIN")]
        user: String,
    },
    /// The applications that are assigned to a user, all of them
    Apps {
        /// An id or a login
        #[arg(value_name = "LOGIN")]
        user: String,
    },
    /// Make an account
    Create(CreateUser),
    /// Change fields of its profile
    Update(UpdateUser),
    /// Does something to it.
    #[command(flatten)]
    Operate(OktaOperation),
}

/// `okta app …`
#[derive(Debug, Subcommand)]
pub enum OktaApp {
    /// The applications of the org
    List(ListApps),
    /// Whether an application is assigned to a user
    Assignment {
        /// The user's id or login
        #[arg(long, value_name = "LOGIN")]
        user: String,
        /// The application's id
        #[arg(long, value_name = "ID")]
        app: String,
    },
}

/// `okta app list`
#[derive(Debug, Clone, Args)]
pub struct ListApps {
    /// Only those whose name or label begins so
    #[arg(long, alias = "query", value_name = "TEXT")]
    pub q: Option<String>,
    /// Which page, from 0 on
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub page: usize,
    /// How many a page
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub limit: u16,
    /// All of them, each page of Okta's once. Okta's pages have no numbers: `--page` reads from the first on
    #[arg(long, conflicts_with_all = ["page", "limit"])]
    pub all: bool,
}

/// `okta group …`
#[derive(Debug, Subcommand)]
pub enum OktaGroup {
    /// One group, by id or by its exact name
    #[command(group = ArgGroup::new("which").required(true).args(["id", "name"]))]
    Get {
        /// Its id
        #[arg(long, value_name = "ID")]
        id: Option<String>,
        /// Its whole name
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// List its members too, all of them
        #[arg(long)]
        members: bool,
    },
}

/// `okta config …`
#[derive(Debug, Subcommand)]
pub enum OktaConfig {
    /// What is configured
    Get,
    /// Set it: entries are laid over those that are there, by application
    Set(SetConfig),
}

/// `okta config set`
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("sending").multiple(true).args(["dry_run", "yes"]))]
pub struct SetConfig {
    /// A list of `{"ApplicationID": …, "Name": …, "Label": …, "Logo": …, "Instance": …}`
    #[arg(long, value_name = "JSON")]
    pub configuration: String,
    /// Leave out what is not in the list, too
    #[arg(long)]
    pub replace: bool,
    /// Show what would change, and change nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Change it
    #[arg(long)]
    pub yes: bool,
}
