//! `okta user get|apps`, `okta app list|assignment`, `okta group get`: what the org says, under the names
//! that XSOAR's integration prints it, with the real status beside.

use super::super::args::ListApps;
use super::super::connect;
use super::super::failure::{DONE, FAILED, Failure};
use super::super::output::Output;
use super::super::session::Session;
use super::super::table::{Table, column};
use crate::domain::dossier::{OktaUser, Problem};
use crate::domain::{Login, Untrusted};
use crate::tenant::{Assignment, OktaOrg};
use serde::Deserialize;
use serde_json::{Value, json};

/// What looking for one user comes to.
enum Found {
    One(Value),
    /// Those who may be meant, and why none of them is taken.
    Candidates(String, Vec<Value>),
    Not(Problem),
}

/// `okta user get`.
///
/// # Errors
/// If Okta is not configured, or the output is closed.
pub(super) async fn user(key: &str, session: &Session<'_>, out: &mut Output<'_>) -> Result<u8, Failure> {
    let org = connect::okta_org(&session.loaded()?)?;
    let (json, status) = match find(org.as_ref(), key).await {
        Found::One(details) => (user_json(&details), DONE),
        Found::Candidates(why, users) => (candidates(key, &why, &users), FAILED),
        Found::Not(problem) => (not_found(key, &problem), FAILED),
    };
    print(&json, out)?;
    Ok(status)
}

/// By id or whole login first: Okta also takes a short login, which may be somebody else's. A mail address
/// may be several users', and then none is chosen.
async fn find(org: &dyn OktaOrg, key: &str) -> Found {
    let problem = match org.user_of(key).await {
        Ok(details) if is_of(&details, key) => return Found::One(details),
        Ok(other) => {
            let why = "Okta takes it for the short login of this user: say the whole one, or the id";
            return Found::Candidates(why.to_owned(), vec![other]);
        }
        Err(problem) => problem,
    };
    if !problem.says_nobody() || !key.contains('@') {
        return Found::Not(problem);
    }
    match org.users_of_email(key).await {
        Ok(users) => match users.as_slice() {
            [] => Found::Not(problem),
            // A list may be stale and names no operations: the one is read by its id.
            [one] => match org.user_of(text(one, "/id")).await {
                Ok(details) => Found::One(details),
                Err(problem) => Found::Not(problem),
            },
            _ => {
                let why = format!("{} users have this mail address: choose one by its id", users.len());
                Found::Candidates(why, users)
            }
        },
        Err(problem) => Found::Not(problem),
    }
}

/// Whether somebody's id or whole login is just this; logins ignore case.
fn is_of(details: &Value, key: &str) -> bool {
    text(details, "/id") == key || Login::new(text(details, "/profile/login")) == Login::new(key)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn user_json(details: &Value) -> Value {
    let can_sign_in = OktaUser::deserialize(details).ok().and_then(|user| user.can_sign_in());
    json!({
        "success": true,
        "active": can_sign_in == Some(true),
        "id": text(details, "/id"),
        "username": text(details, "/profile/login"),
        "email": text(details, "/profile/email"),
        "status": text(details, "/status"),
        "can_sign_in": can_sign_in,
        "errorCode": "",
        "errorMessage": "",
        "action": "get",
        "skipped": false,
        "reason": "",
        "details": details,
    })
}

fn not_found(key: &str, problem: &Problem) -> Value {
    let code = problem.kind.as_ref().map(ToString::to_string).unwrap_or_default();
    let hint = problem.hint.as_ref().map(|hint| format!("; hint: {hint}")).unwrap_or_default();
    failed(key, &code, &format!("{}{hint}", problem.message))
}

fn candidates(key: &str, why: &str, candidates: &[Value]) -> Value {
    let mut json = failed(key, "", why);
    let candidate = |user: &Value| json!({"id": text(user, "/id"), "username": text(user, "/profile/login"), "status": text(user, "/status")});
    json["candidates"] = candidates.iter().map(candidate).collect();
    json
}

fn failed(key: &str, code: &str, message: &str) -> Value {
    json!({
        "success": false, "active": null, "id": "", "username": key, "email": "", "status": "",
        "can_sign_in": null, "errorCode": code, "errorMessage": message, "action": "get",
        "skipped": false, "reason": "", "details": null,
    })
}

/// `okta user apps`.
///
/// # Errors
/// If Okta is not configured, does not know the user or refuses, or the output is closed.
pub(super) async fn apps_of_user(
    user: &str,
    session: &Session<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let org = connect::okta_org(&session.loaded()?)?;
    let id = id_of(org.as_ref(), user).await?;
    let apps = org.apps_of_user(&id).await.map_err(|problem| unread("applications", user, &problem))?;
    print_apps(&apps, out)
}

async fn id_of(org: &dyn OktaOrg, user: &str) -> Result<String, Failure> {
    match find(org, user).await {
        Found::One(details) => Ok(text(&details, "/id").to_owned()),
        Found::Candidates(why, _) => Err(Failure::failed(format!(
            "`{user}` is not one user: {why}\nhint: `idtriage okta user get {user}` lists who may be meant"
        ))),
        Found::Not(problem) => Err(unread("user", user, &problem)),
    }
}

fn unread(what: &str, of: &str, problem: &Problem) -> Failure {
    Failure::failed(format!("{what} of `{of}` cannot be read: {}", problem.words()))
}

/// `okta app list`.
///
/// # Errors
/// If Okta is not configured or refuses, or the output is closed.
pub(super) async fn apps(
    what: &ListApps,
    session: &Session<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let org = connect::okta_org(&session.loaded()?)?;
    let limit = usize::from(what.limit);
    let from = what.page.saturating_mul(limit);
    let begins = what.q.as_deref().filter(|text| !text.is_empty());
    let apps = org.apps(begins, from.saturating_add(limit)).await;
    let apps = apps.map_err(|problem| unread("applications", "the org", &problem))?;
    print_apps(apps.get(from..).unwrap_or_default(), out)
}

fn print_apps(apps: &[Value], out: &mut Output<'_>) -> Result<u8, Failure> {
    if out.is_json() {
        for app in apps {
            out.json(&json!({
                "ID": text(app, "/id"), "Name": text(app, "/name"), "Label": text(app, "/label"),
                "Logo": logo(app), "Status": text(app, "/status"),
            }))?;
        }
        return Ok(DONE);
    }
    let mut table =
        Table::of(&[column("ID", 24), column("LABEL", 40), column("NAME", 30), column("STATUS", 10)]);
    for app in apps {
        table.row(["/id", "/label", "/name", "/status"].map(|pointer| text(app, pointer).to_owned()));
    }
    out.table(&table)?;
    Ok(DONE)
}

/// A list, an empty one, an object, or nothing.
fn logo(app: &Value) -> &str {
    match text(app, "/_links/logo/0/href") {
        "" => text(app, "/_links/logo/href"),
        href => href,
    }
}

/// `okta app assignment`.
///
/// # Errors
/// If there is no such user or application, Okta refuses, or the output is closed.
pub(super) async fn assignment(
    app: &str,
    user: &str,
    session: &Session<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let org = connect::okta_org(&session.loaded()?)?;
    let id = id_of(org.as_ref(), user).await?;
    let found = org.assignment(app, &id).await.map_err(|problem| unread("the assignment", user, &problem))?;
    let (is_assigned, profile) = match &found {
        Assignment::Assigned(seen) => (true, seen.get("profile").cloned().unwrap_or_default()),
        Assignment::NotAssigned => (false, Value::Null),
        Assignment::NoSuchUser => return Err(Failure::failed(format!("Okta knows no user `{user}`"))),
        Assignment::NoSuchApp => {
            return Err(Failure::failed(format!(
                "Okta knows no application `{app}`\nhint: `idtriage okta app list` shows the ids"
            )));
        }
    };
    print(&json!({"UserID": id, "AppID": app, "IsAssigned": is_assigned, "ProfileInApp": profile}), out)?;
    Ok(DONE)
}

/// Which group.
pub(super) enum Which<'a> {
    /// The one of this id.
    Id(&'a str),
    /// The one of exactly this name.
    Name(&'a str),
}

impl<'a> Which<'a> {
    pub(super) fn of(id: Option<&'a str>, name: Option<&'a str>) -> Which<'a> {
        id.map_or(Which::Name(name.unwrap_or_default()), Which::Id)
    }
}

/// Whether members are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Members {
    Listed,
    LeftOut,
}

impl Members {
    pub(super) fn of(is_asked: bool) -> Members {
        if is_asked { Members::Listed } else { Members::LeftOut }
    }
}

/// `okta group get`: by name only the group of exactly that name; those that only begin so are candidates.
///
/// # Errors
/// If Okta is not configured, or the output is closed.
pub(super) async fn group(
    which: &Which<'_>,
    members: Members,
    session: &Session<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let org = connect::okta_org(&session.loaded()?)?;
    let json = match group_json(which, members, org.as_ref()).await {
        Ok(json) => json,
        Err(problem) => {
            let code = problem.kind.as_ref().map(ToString::to_string).unwrap_or_default();
            json!({"success": false, "id": "", "displayName": "", "members": [], "errorCode": code, "errorMessage": problem.line()})
        }
    };
    let status = if json["success"] == true { DONE } else { FAILED };
    print(&json, out)?;
    Ok(status)
}

async fn group_json(which: &Which<'_>, members: Members, org: &dyn OktaOrg) -> Result<Value, Problem> {
    let group = match which {
        Which::Id(id) => org.group(id).await?,
        Which::Name(name) => {
            let begin_so = org.groups_beginning(name).await?;
            let (exact, others): (Vec<_>, Vec<_>) =
                begin_so.into_iter().partition(|group| text(group, "/profile/name") == *name);
            match exact.as_slice() {
                [one] => one.clone(),
                [] if others.len() >= MOST_BEGINNING => return Err(beyond(name)),
                found => return Ok(no_one_group(name, if found.is_empty() { &others } else { found })),
            }
        }
    };
    let listed = match members {
        Members::Listed => org.members(text(&group, "/id")).await?,
        Members::LeftOut => Vec::new(),
    };
    // Who is deactivated stays a member in Okta, and is none that could do anything.
    let there = listed.iter().filter(|user| text(user, "/status") != "DEPROVISIONED");
    let members: Vec<Value> = there
        .map(|user| json!({"value": text(user, "/id"), "display": text(user, "/profile/login")}))
        .collect();
    Ok(json!({
        "success": true, "id": text(&group, "/id"), "displayName": text(&group, "/profile/name"),
        "members": members, "errorCode": "", "errorMessage": "",
    }))
}

/// Okta names no more groups than these that begin alike, and has no further pages of them.
const MOST_BEGINNING: usize = 300;

fn beyond(name: &str) -> Problem {
    let message = format!(
        "whether there is a group `{}` cannot be told: {MOST_BEGINNING} others begin like it, and Okta names no more",
        Untrusted::from(name)
    );
    Problem { hint: Some("`--id` of the group".to_owned()), ..Problem::whole(message) }
}

fn no_one_group(name: &str, candidates: &[Value]) -> Value {
    let candidate =
        |group: &Value| json!({"id": text(group, "/id"), "displayName": text(group, "/profile/name")});
    json!({
        "success": false, "id": "", "displayName": name, "members": [], "errorCode": "404",
        "errorMessage": format!("{} group has exactly this name", if candidates.is_empty() { "no" } else { "not just one" }),
        "candidates": candidates.iter().map(candidate).collect::<Vec<Value>>(),
    })
}

fn print(json: &Value, out: &mut Output<'_>) -> Result<(), Failure> {
    if out.is_json() {
        return Ok(out.json(json)?);
    }
    let mut facts = Vec::new();
    super::super::user::flatten("", json, &mut facts);
    let facts: Vec<(&str, String)> = facts
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    Ok(out.facts(&facts)?)
}
