//! `okta user get|apps`, `okta app list|assignment`, `okta group get`: what the org says, under the names
//! that XSOAR's integration prints it, with the real status beside.

use super::super::args::ListApps;
use super::super::connect;
use super::super::failure::{DONE, FAILED, Failure};
use super::super::output::Output;
use super::super::session::Session;
use super::super::table::{Table, column};
use super::told::NOBODY;
use crate::domain::dossier::{OktaUser, Problem};
use crate::domain::look_up::{Assignment, is_deactivated, nobody, text_at};
use crate::domain::user_key::UserKey;
use crate::tenant::OktaOrg;
use crate::tenant::look_up::{self, FoundGroup, FoundUser, GroupKey};
use serde::Deserialize;
use serde_json::{Value, json};

/// `okta user get`.
///
/// # Errors
/// If Okta is not configured, or the output is closed.
pub(super) async fn user(key: &str, session: &Session<'_>, out: &mut Output<'_>) -> Result<u8, Failure> {
    tell_user(connect::okta_org(&session.loaded()?)?.as_ref(), &UserKey::any(key), out).await
}

/// What one user is now, or why there is not one.
///
/// # Errors
/// If the output is closed.
pub(super) async fn tell_user(org: &dyn OktaOrg, key: &UserKey, out: &mut Output<'_>) -> Result<u8, Failure> {
    let (json, status) = match look_up::user(org, key).await {
        FoundUser::One(details) => (user_json(&details), DONE),
        FoundUser::Candidates(why, users) => (candidates(key.text(), &why, &users), FAILED),
        FoundUser::Nobody => {
            (failed(key.text(), NOBODY, &nobody(key.text()).words().replace('\n', "; ")), FAILED)
        }
        FoundUser::Unread(problem) => (unread_user(key.text(), &problem), FAILED),
    };
    print(&json, out)?;
    Ok(status)
}

fn user_json(details: &Value) -> Value {
    let can_sign_in = OktaUser::deserialize(details).ok().and_then(|user| user.can_sign_in());
    json!({
        "success": true,
        "active": can_sign_in == Some(true),
        "id": text_at(details, "/id"),
        "username": text_at(details, "/profile/login"),
        "email": text_at(details, "/profile/email"),
        "status": text_at(details, "/status"),
        "can_sign_in": can_sign_in,
        "errorCode": "",
        "errorMessage": "",
        "action": "get",
        "skipped": false,
        "reason": "",
        "details": details,
    })
}

fn unread_user(key: &str, problem: &Problem) -> Value {
    let code = problem.kind.as_ref().map(ToString::to_string).unwrap_or_default();
    let hint = problem.hint.as_ref().map(|hint| format!("; hint: {hint}")).unwrap_or_default();
    failed(key, &code, &format!("{}{hint}", problem.message))
}

fn candidates(key: &str, why: &str, candidates: &[Value]) -> Value {
    let mut json = failed(key, "", why);
    let candidate = |user: &Value| json!({"id": text_at(user, "/id"), "username": text_at(user, "/profile/login"), "status": text_at(user, "/status")});
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
    match look_up::user(org, &UserKey::any(user)).await {
        FoundUser::One(details) => Ok(text_at(&details, "/id").to_owned()),
        FoundUser::Nobody => Err(Failure::failed(nobody(user).words())),
        FoundUser::Candidates(why, _) => Err(Failure::failed(format!(
            "`{user}` is not one user: {why}\nhint: `idtriage okta user get {user}` lists who may be meant"
        ))),
        FoundUser::Unread(problem) => Err(unread("user", user, &problem)),
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
    let most = if what.all { usize::MAX } else { from.saturating_add(limit) };
    let begins = what.q.as_deref().filter(|text| !text.is_empty());
    let apps = org.apps(begins, most).await;
    let apps = apps.map_err(|problem| unread("applications", "the org", &problem))?;
    print_apps(apps.get(from..).unwrap_or_default(), out)
}

fn print_apps(apps: &[Value], out: &mut Output<'_>) -> Result<u8, Failure> {
    if out.is_json() {
        for app in apps {
            out.json(&json!({
                "ID": text_at(app, "/id"), "Name": text_at(app, "/name"), "Label": text_at(app, "/label"),
                "Logo": logo(app), "Status": text_at(app, "/status"),
            }))?;
        }
        return Ok(DONE);
    }
    if apps.is_empty() {
        out.note("no application")?;
        return Ok(DONE);
    }
    let mut table =
        Table::of(&[column("ID", 24), column("LABEL", 40), column("NAME", 30), column("STATUS", 10)]);
    for app in apps {
        table.row(["/id", "/label", "/name", "/status"].map(|pointer| text_at(app, pointer).to_owned()));
    }
    out.table(&table)?;
    Ok(DONE)
}

/// A list, an empty one, an object, or nothing.
fn logo(app: &Value) -> &str {
    match text_at(app, "/_links/logo/0/href") {
        "" => text_at(app, "/_links/logo/href"),
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

/// The group of an id, else the one of a name.
pub(super) fn key_of<'a>(id: Option<&'a str>, name: Option<&'a str>) -> GroupKey<'a> {
    id.map_or(GroupKey::Name(name.unwrap_or_default()), GroupKey::Id)
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
    key: GroupKey<'_>,
    members: Members,
    session: &Session<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let org = connect::okta_org(&session.loaded()?)?;
    let json = match group_json(key, members, org.as_ref()).await {
        Ok(json) => json,
        Err(problem) => {
            let code = problem.kind.as_ref().map(ToString::to_string).unwrap_or_default();
            let code = if problem.says_nobody() { NOBODY.to_owned() } else { code };
            json!({"success": false, "id": "", "displayName": "", "members": null, "errorCode": code, "errorMessage": problem.line()})
        }
    };
    let status = if json["success"] == true { DONE } else { FAILED };
    print(&json, out)?;
    Ok(status)
}

async fn group_json(key: GroupKey<'_>, members: Members, org: &dyn OktaOrg) -> Result<Value, Problem> {
    let group = match look_up::group(org, key).await? {
        FoundGroup::One(group) => group,
        FoundGroup::Candidates(why, groups) => return Ok(no_one_group(key, &why, &groups)),
    };
    let members = match members {
        Members::Listed => members_json(&org.members(text_at(&group, "/id")).await?),
        // No list is not an empty one.
        Members::LeftOut => Value::Null,
    };
    Ok(json!({
        "success": true, "id": text_at(&group, "/id"), "displayName": text_at(&group, "/profile/name"),
        "members": members, "errorCode": "", "errorMessage": "",
    }))
}

fn members_json(listed: &[Value]) -> Value {
    let there = listed.iter().filter(|user| !is_deactivated(user));
    there
        .map(|user| json!({"value": text_at(user, "/id"), "display": text_at(user, "/profile/login")}))
        .collect()
}

fn no_one_group(key: GroupKey<'_>, why: &str, candidates: &[Value]) -> Value {
    let candidate =
        |group: &Value| json!({"id": text_at(group, "/id"), "displayName": text_at(group, "/profile/name")});
    let name = match key {
        GroupKey::Id(_) => "",
        GroupKey::Name(name) => name,
    };
    json!({
        "success": false, "id": "", "displayName": name, "members": null, "errorCode": NOBODY,
        "errorMessage": why, "candidates": candidates.iter().map(candidate).collect::<Vec<Value>>(),
    })
}

fn print(json: &Value, out: &mut Output<'_>) -> Result<(), Failure> {
    if out.is_json() {
        return Ok(out.json(json)?);
    }
    // A list of people is a table, and not two facts for each.
    let members = json["members"].as_array();
    let mut whole = json.clone();
    if members.is_some() {
        whole["members"] = Value::Null;
    }
    let mut facts = Vec::new();
    super::super::user::flatten("", &whole, &mut facts);
    let facts: Vec<(&str, String)> = facts
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    out.facts(&facts)?;
    members.map_or(Ok(()), |members| print_members(members, out))
}

fn print_members(members: &[Value], out: &mut Output<'_>) -> Result<(), Failure> {
    out.text("")?;
    if members.is_empty() {
        return Ok(out.text("nobody is in it who is not deactivated")?);
    }
    let mut table = Table::of(&[column("ID", 24), column("LOGIN", 60)]);
    for member in members {
        table.row(["/value", "/display"].map(|pointer| text_at(member, pointer).to_owned()));
    }
    Ok(out.table(&table)?)
}
