//! `okta user create|update|suspend|…` and XSOAR's commands that change a user: whom they mean, what the profile
//! will hold, and which flow does it. The flow itself is planned, confirmed and run as any other.

use super::super::args::{
    CREATE_AND_ACTIVATE, CreateUser, Fields, IamUser, OktaOperation, Run, UpdateUser, link,
};
use super::super::failure::{FAILED, Failure};
use super::super::output::Output;
use super::super::session::Session;
use super::super::{acted, connect, may_run};
use super::look;
use super::told::{AsXsoar, NOBODY, action_of, nothing};
use crate::config::Loaded;
use crate::domain::look_up::{is_user, text_at};
use crate::domain::operation::{Operation, PROFILE};
use crate::domain::profile::{self, Profile, ProfileError, ProfileMap, Said, When, Whom};
use crate::domain::user_key::{By, UserKey};
use crate::domain::{FlowId, Outcome};
use crate::tenant::look_up::{self, FoundUser};
use crate::tenant::{OktaOrg, Tenants};
use serde_json::{Value, json};
use std::sync::Arc;

/// What these commands work with.
pub(super) struct Writer<'a> {
    session: &'a Session<'a>,
    loaded: Loaded,
    tenants: Arc<Tenants>,
    org: Arc<dyn OktaOrg>,
}

/// Which of XSOAR's commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Iam {
    Create,
    Update,
    Disable,
    Enable,
}

impl<'a> Writer<'a> {
    /// With the configured org.
    ///
    /// # Errors
    /// If none is configured, or the configuration cannot be used.
    pub(super) fn new(session: &'a Session<'a>) -> Result<Writer<'a>, Failure> {
        let loaded = session.loaded()?;
        let tenants = connect::tenants(&loaded.config, connect::clock())?;
        let org = connect::org_of(&tenants)?;
        Ok(Writer { session, loaded, tenants, org })
    }

    /// One of Okta's operations on users.
    ///
    /// # Errors
    /// Wrong usage, or a signal before anything was sent.
    pub(super) async fn operate(&self, what: &OktaOperation, out: &mut Output<'_>) -> Result<u8, Failure> {
        self.run(&what.run(), out).await
    }

    /// `okta user create`.
    ///
    /// # Errors
    /// As [`Writer::operate`], and a profile that cannot be sent or has no login.
    pub(super) async fn create(&self, what: &CreateUser, out: &mut Output<'_>) -> Result<u8, Failure> {
        let profile = fields(&what.fields, self.map())?;
        let login = profile.text_of("login").map(str::to_owned).ok_or_else(|| {
            Failure::usage("an account that is made needs a login\nhint: `--set login=ann@example.com`")
        })?;
        let flow = if what.activate { CREATE_AND_ACTIVATE.into() } else { Operation::Create.flow_id() };
        let inputs = [with(&profile), link(what.link)].concat();
        let (finding, answers) = (what.finding, what.answers.clone());
        let users = vec![login];
        self.run(
            &Run { flow, users, finding, account: None, inputs, undoes: None, undoes_run: None, answers },
            out,
        )
        .await
    }

    /// `okta user update`.
    ///
    /// # Errors
    /// As [`Writer::operate`], and a profile that cannot be sent.
    pub(super) async fn update(&self, what: &UpdateUser, out: &mut Output<'_>) -> Result<u8, Failure> {
        may_run(&what.answers, self.session)?;
        let profile = fields(&what.fields, self.map())?;
        let key = UserKey::any(&what.user);
        let user = match look_up::user(self.org.as_ref(), &key).await {
            FoundUser::One(details) => goes_by(&details, &key),
            found => return not_found(&key, &Operation::Update.flow_id(), &found, out),
        };
        let UpdateUser { finding, account, answers, .. } = what.clone();
        let (flow, users, inputs) = (Operation::Update.flow_id(), vec![user], with(&profile));
        self.run(&Run { flow, users, finding, account, inputs, undoes: None, undoes_run: None, answers }, out)
            .await
    }

    /// `iam-create-user` and the like.
    ///
    /// # Errors
    /// As [`Writer::operate`], and a user profile that cannot be sent or names nobody.
    pub(super) async fn iam(&self, which: Iam, what: &IamUser, out: &mut Output<'_>) -> Result<u8, Failure> {
        may_run(&what.answers, self.session)?;
        if what.link && which == Iam::Disable {
            return Err(Failure::usage(
                "`--link` has no effect: deactivating makes no link\nhint: leave it out",
            ));
        }
        let when = if which == Iam::Update { When::BeforeTheChange } else { When::Now };
        let Meant { said, whom, key } = self.meant(&what.user_profile, when)?;
        let found = which.unless_another(look_up::user(self.org.as_ref(), &key).await, &whom);
        match (&found, which) {
            (FoundUser::One(details), Iam::Disable) => {
                self.on(details, &key, Operation::Deactivate, what, out).await
            }
            (FoundUser::One(details), Iam::Enable) => {
                self.on(details, &key, Operation::Activate, what, out).await
            }
            (FoundUser::One(details), Iam::Create | Iam::Update) => {
                self.iam_update(details, &key, &said, what, out).await
            }
            (FoundUser::Nobody, Iam::Create | Iam::Update) => {
                self.iam_missing(which, &key, &said, what, out).await
            }
            (found, which) => not_found(&key, &which.flow(), found, out),
        }
    }

    /// `iam-get-user`.
    ///
    /// # Errors
    /// A user profile that names nobody, and a closed output.
    pub(super) async fn iam_get(&self, user_profile: &str, out: &mut Output<'_>) -> Result<u8, Failure> {
        let meant = self.meant(user_profile, When::Now)?;
        look::tell_user(self.org.as_ref(), &meant.key, out).await
    }

    /// What a user profile says, and whom it means.
    fn meant(&self, user_profile: &str, when: When) -> Result<Meant, Failure> {
        let said = profile::object(user_profile).map_err(|error| of_user_profile(&error))?;
        let whom = Whom::of(self.map(), &said, when).map_err(|error| of_user_profile(&error))?;
        let key = whom.key().ok_or_else(|| {
            Failure::usage(
                "`--user-profile` names nobody\nhint: `--user-profile '{\"email\":\"ann@example.com\"}'`",
            )
        })?;
        Ok(Meant { said, whom, key })
    }

    /// What is there already is changed, also by a command to make it, as XSOAR does; nobody is activated.
    async fn iam_update(
        &self,
        details: &Value,
        key: &UserKey,
        said: &[Said],
        what: &IamUser,
        out: &mut Output<'_>,
    ) -> Result<u8, Failure> {
        let profile = Profile::of_user_profile(self.map(), said).map_err(|error| of_user_profile(&error))?;
        let profile =
            profile.without_known(text_at(details, "/profile/login"), text_at(details, "/profile/email"));
        let users = vec![goes_by(details, key)];
        if what.link {
            out.note("`--link` has no effect: a change of a profile makes no link")?;
        }
        if what.allow_enable && text_at(details, "/status") == "DEPROVISIONED" {
            out.note(&format!(
                "`{}` is DEPROVISIONED, and `--allow-enable` re-activates nobody: `idtriage okta user activate` does",
                users[0]
            ))?;
        }
        let IamUser { finding, account, answers, .. } = what.clone();
        let (flow, inputs) = (Operation::Update.flow_id(), with(&profile));
        self.run(&Run { flow, users, finding, account, inputs, undoes: None, undoes_run: None, answers }, out)
            .await
    }

    /// Somebody who is not there is made where that was asked for, or is allowed once and for all. An id that
    /// Okta does not know is a mistake: no account is made for it.
    async fn iam_missing(
        &self,
        which: Iam,
        key: &UserKey,
        said: &[Said],
        what: &IamUser,
        out: &mut Output<'_>,
    ) -> Result<u8, Failure> {
        let profile = Profile::of_user_profile(self.map(), said).map_err(|error| of_user_profile(&error))?;
        if key.by() == By::Id {
            return nobody(key, &which.flow(), "Okta knows no user of this id", out);
        }
        if which == Iam::Update && !self.loaded.config.profiles.create_if_missing {
            let why = "Okta knows no such user, and `[okta] create_if_missing` is false";
            return nobody(key, &which.flow(), why, out);
        }
        let Some(login) = profile.text_of("login").or(profile.text_of("email")).map(str::to_owned) else {
            return Err(Failure::usage(
                "an account that is made needs a login\nhint: `username` or `email` in `--user-profile`",
            ));
        };
        if profile.text_of("login").is_none() {
            out.note(&format!("the login is the mail address, `{login}`: the profile names none"))?;
        }
        let profile = profile.or("login", &login);
        let inputs = [with(&profile), link(what.link)].concat();
        let IamUser { finding, account, answers, .. } = what.clone();
        let (flow, users) = (CREATE_AND_ACTIVATE.into(), vec![login]);
        self.run(&Run { flow, users, finding, account, inputs, undoes: None, undoes_run: None, answers }, out)
            .await
    }

    async fn on(
        &self,
        details: &Value,
        key: &UserKey,
        operation: Operation,
        what: &IamUser,
        out: &mut Output<'_>,
    ) -> Result<u8, Failure> {
        let inputs = if operation.makes_link() { link(what.link) } else { Vec::new() };
        let IamUser { finding, account, answers, .. } = what.clone();
        let (flow, users) = (operation.flow_id(), vec![goes_by(details, key)]);
        self.run(&Run { flow, users, finding, account, inputs, undoes: None, undoes_run: None, answers }, out)
            .await
    }

    async fn run(&self, what: &Run, out: &mut Output<'_>) -> Result<u8, Failure> {
        may_run(&what.answers, self.session)?;
        let tell = AsXsoar { org: self.org.clone() };
        acted(what, &self.loaded, self.tenants.clone(), &tell, self.session, out).await
    }

    fn map(&self) -> &ProfileMap {
        &self.loaded.config.profiles.map
    }
}

impl Iam {
    /// An account that has another login or mail address than the profile says beside what named it is left to
    /// people: one of both is somebody else's. A change may be just that; who is made has the login that is said.
    fn unless_another(self, found: FoundUser, whom: &Whom) -> FoundUser {
        let FoundUser::One(details) = found else { return found };
        let (login, email) = (whom.is_another_login(&details), whom.is_another_email(&details));
        let what = match self {
            Iam::Disable | Iam::Enable | Iam::Create if login => "login",
            Iam::Disable | Iam::Enable if email => "mail address",
            _ => return FoundUser::One(details),
        };
        FoundUser::Candidates(format!("this account has another {what} than the profile says"), vec![details])
    }

    fn flow(self) -> FlowId {
        match self {
            Iam::Create => Operation::Create.flow_id(),
            Iam::Update => Operation::Update.flow_id(),
            Iam::Disable => Operation::Deactivate.flow_id(),
            Iam::Enable => Operation::Activate.flow_id(),
        }
    }
}

/// What a user profile comes to.
struct Meant {
    said: Vec<Said>,
    whom: Whom,
    key: UserKey,
}

/// None is chosen where several may be meant, and none is made.
fn not_found(key: &UserKey, flow: &FlowId, found: &FoundUser, out: &mut Output<'_>) -> Result<u8, Failure> {
    match found {
        FoundUser::Candidates(why, users) => failed(key, flow, "", why, users, out),
        FoundUser::Nobody => nobody(key, flow, "Okta knows no such user", out),
        FoundUser::Unread(problem) => {
            let code = problem.kind.as_ref().map(ToString::to_string).unwrap_or_default();
            failed(key, flow, &code, &problem.words(), &[], out)
        }
        FoundUser::One(_) => Ok(FAILED),
    }
}

fn nobody(key: &UserKey, flow: &FlowId, why: &str, out: &mut Output<'_>) -> Result<u8, Failure> {
    failed(key, flow, NOBODY, why, &[], out)
}

/// Nothing was sent, because of this.
fn failed(
    key: &UserKey,
    flow: &FlowId,
    code: &str,
    why: &str,
    candidates: &[Value],
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let candidate = |user: &Value| json!({"id": text_at(user, "/id"), "username": text_at(user, "/profile/login"), "status": text_at(user, "/status")});
    let candidates: Vec<Value> = candidates.iter().map(candidate).collect();
    if out.is_json() {
        let told = nothing(key.text(), action_of(flow), Outcome::Failed)
            .with("errorCode", code)
            .with("errorMessage", why)
            .with("skipped", true)
            .with("reason", why)
            .with("candidates", candidates.clone());
        out.json(&told.0)?;
    }
    let named: Vec<String> = candidates
        .iter()
        .map(|one| format!("{} {}", text_at(one, "/id"), text_at(one, "/username")))
        .collect();
    let hint = if named.is_empty() { String::new() } else { format!("\nhint: {}", named.join(", ")) };
    out.error(&Failure::failed(format!("`{}`: {why}; nothing was sent{hint}", key.text())))?;
    Ok(FAILED)
}

/// How the card and the journal name them: as they were asked for by login or id, else by their login. Okta
/// takes a login with a slash for another address.
fn goes_by(details: &Value, key: &UserKey) -> String {
    let login = text_at(details, "/profile/login");
    match is_user(details, key.text()) {
        true => key.text().to_owned(),
        false if login.is_empty() || login.contains('/') => text_at(details, "/id").to_owned(),
        false => login.to_owned(),
    }
}

/// The fields that a command line says.
fn fields(said: &Fields, map: &ProfileMap) -> Result<Profile, Failure> {
    let object = said.profile.as_deref().map(profile::object).transpose();
    let mut all = object.map_err(|error| not_usable("`--profile`", &error))?.unwrap_or_default();
    for pair in &said.set {
        all.push(profile::pair(pair).map_err(|error| not_usable("`--set`", &error))?);
    }
    Profile::of(map, &all).map_err(|error| not_usable("the profile", &error))
}

fn with(profile: &Profile) -> Vec<(String, String)> {
    vec![(PROFILE.to_owned(), profile.json())]
}

fn of_user_profile(error: &ProfileError) -> Failure {
    not_usable("`--user-profile`", error)
}

fn not_usable(what: &str, error: &ProfileError) -> Failure {
    Failure::usage(format!("{what} cannot be used: {error}\nhint: {}", error.hint()))
}
