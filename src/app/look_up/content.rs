//! What is shown of what came.

use super::{Content, Fact, Item, LeadsTo, List, Said, Tone};
use crate::domain::dossier::{OktaUser, Problem};
use crate::domain::iam_configuration::ConfigurationChange;
use crate::domain::look_up::{Assignment, LookUp, LookedUp, is_deactivated, text_at};
use crate::domain::profile::Attribute;
use crate::domain::{Login, NOTHING};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const USERS: [&str; 4] = ["login", "mail", "status", "id"];
const APPS: [&str; 4] = ["application", "name", "status", "id"];
const GROUPS: [&str; 4] = ["group", "description", "type", "id"];
const FIELDS: [&str; 4] = ["field", "title", "type", "also said"];
const ENTRIES: [&str; 4] = ["application", "label", "instance", "id"];

/// What is shown of an answer, and the whole of it where it is one thing.
pub(super) fn of(what: &LookUp, answer: LookedUp) -> (Content, Option<Value>) {
    match answer {
        LookedUp::User(details) => (user(&details), Some(details)),
        LookedUp::Users(why, candidates) => (users(why, candidates), None),
        LookedUp::Apps { apps, has_more } => (applications(what, &apps, has_more), None),
        LookedUp::AppsOfUser { user, apps } => (applications_of(&user, &apps), None),
        LookedUp::Assignment { user, stands } => {
            let content = assignment(what, &user, &stands);
            let raw = if let Assignment::Assigned(seen) = stands { Some(seen) } else { None };
            (content, raw)
        }
        LookedUp::Group { group, members } => (one_group(&group, members), Some(group)),
        LookedUp::Groups(why, candidates) => (groups(&why, candidates), None),
        LookedUp::Fields(attributes) => (fields(&attributes), None),
        LookedUp::Configuration { entries, filter } => (configuration(entries, filter), None),
        LookedUp::ConfigurationChange(change) => (configuration_change(&change), None),
    }
}

fn named(name: &str, value: impl Into<String>) -> Fact {
    toned(name, value, Tone::Plain)
}

fn toned(name: &str, value: impl Into<String>, tone: Tone) -> Fact {
    let value: String = value.into();
    let value = if value.trim().is_empty() { NOTHING.to_owned() } else { value };
    Fact::Named { name: name.to_owned(), value: Said::Text(value), tone, leads: None }
}

fn timed(name: &str, at: Option<Timestamp>) -> Fact {
    let value = at.map_or_else(|| Said::Text(NOTHING.to_owned()), Said::At);
    Fact::Named { name: name.to_owned(), value, tone: Tone::Plain, leads: None }
}

fn leading(name: &str, value: &str, leads: LeadsTo) -> Fact {
    Fact::Named {
        name: name.to_owned(),
        value: Said::Text(value.to_owned()),
        tone: Tone::Plain,
        leads: Some(leads),
    }
}

/// A login that leads to its person; nothing leads from an empty one.
fn of_login(login: &str) -> Fact {
    match login.trim() {
        "" => named("login", ""),
        _ => leading("login", login, LeadsTo::Person(Login::new(login))),
    }
}

fn user(details: &Value) -> Content {
    let known = OktaUser::deserialize(details).unwrap_or_default();
    let status = text_at(details, "/status");
    let can = known.can_sign_in();
    let can_words = known.sign_in_words();
    let (tone, sentence) = match can {
        Some(true) => (Tone::Plain, "can sign in"),
        Some(false) => (Tone::Warning, "cannot sign in"),
        None if status == "PASSWORD_EXPIRED" => (Tone::Warning, "may sign in by a new password"),
        None => (Tone::Warning, "whether it can sign in is unknown"),
    };
    let legal: Vec<String> = known.offered().iter().map(|name| name.raw().to_owned()).collect();
    let mut facts = vec![toned("status", status, tone), toned("can sign in", can_words, tone)];
    let on_its_way = text_at(details, "/transitioningToStatus");
    if !on_its_way.is_empty() {
        facts.push(toned("on its way to", on_its_way, Tone::Warning));
    }
    facts.extend([
        timed("since", known.status_changed),
        of_login(text_at(details, "/profile/login")),
        named("mail", text_at(details, "/profile/email")),
        named("id", text_at(details, "/id")),
        named("legal now", legal.join(", ")),
        timed("last login", known.last_login),
        timed("password", known.password_changed),
    ]);
    let said = PROFILE.iter().map(|(field, name)| (*name, text_at(details, field)));
    facts.extend(said.filter(|(_, value)| !value.trim().is_empty()).map(|(name, value)| named(name, value)));
    let status = if status.is_empty() { NOTHING } else { status };
    Content { words: (tone, format!("{status}: {sentence}")), facts, ..Content::default() }
}

/// What else of a profile says who somebody is, where it is filled in.
const PROFILE: [(&str, &str); 6] = [
    ("/profile/displayName", "name"),
    ("/profile/firstName", "first name"),
    ("/profile/lastName", "last name"),
    ("/profile/title", "title"),
    ("/profile/department", "department"),
    ("/profile/manager", "manager"),
];

fn users(why: String, candidates: Vec<Value>) -> Content {
    let list = List { headings: USERS, items: candidates.into_iter().map(user_item).collect() };
    Content { words: (Tone::Warning, why), list: Some(list), ..Content::default() }
}

fn item(cells: [&str; 4], tone: Tone, leads: Option<LeadsTo>, raw: &Value) -> Item {
    let copies = match &leads {
        Some(LeadsTo::Person(login)) => login.raw().to_owned(),
        _ => cells[3].to_owned(),
    };
    let key = format!("id {}", cells[3]).into();
    Item { key, cells: cells.map(str::to_owned), tone, leads, copies, raw: Arc::new(raw.clone()) }
}

fn user_item(user: Value) -> Item {
    let login = text_at(&user, "/profile/login");
    let status = text_at(&user, "/status");
    let tone = match status {
        "ACTIVE" => Tone::Plain,
        _ if is_deactivated(&user) => Tone::Muted,
        _ => Tone::Warning,
    };
    let leads = (!login.trim().is_empty()).then(|| LeadsTo::Person(Login::new(login)));
    let cells = [login, text_at(&user, "/profile/email"), status, text_at(&user, "/id")];
    item(cells, tone, leads, &user)
}

fn counted(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

fn applications(what: &LookUp, apps: &[Value], has_more: bool) -> Content {
    let words = match (what, apps.len()) {
        (_, n) if has_more => {
            (Tone::Warning, format!("first {n}, there are more: `:okta-apps BEGINS` narrows it"))
        }
        (LookUp::Apps(Some(_)), 0) => (Tone::Plain, "no application begins so".to_owned()),
        (_, n) => (Tone::Plain, counted(n, "application", "applications")),
    };
    let items = apps.iter().map(|app| app_item(app, None)).collect();
    Content { words, list: Some(List { headings: APPS, items }), ..Content::default() }
}

/// The user is told of first: a mail address may be of somebody else than one thinks.
fn applications_of(user: &Value, apps: &[Value]) -> Content {
    let words = match apps.len() {
        0 => "no application is assigned".to_owned(),
        n => format!("{} assigned", counted(n, "application is", "applications are")),
    };
    let facts = vec![of_login(text_at(user, "/profile/login")), named("status", text_at(user, "/status"))];
    let id = text_at(user, "/id");
    let items = apps.iter().map(|app| app_item(app, Some(id))).collect();
    let list = Some(List { headings: APPS, items });
    Content { words: (Tone::Plain, words), facts, list, error: None }
}

/// An application; of a user, it leads to how they stand there.
fn app_item(app: &Value, user: Option<&str>) -> Item {
    let cells = ["/label", "/name", "/status", "/id"].map(|place| text_at(app, place));
    let assignment = |user: &str| LookUp::Assignment { app: cells[3].to_owned(), user: user.to_owned() };
    let leads = user.map(|user| LeadsTo::LookUp(assignment(user)));
    item(cells, if cells[2] == "ACTIVE" { Tone::Plain } else { Tone::Warning }, leads, app)
}

fn assignment(what: &LookUp, user: &Value, stands: &Assignment) -> Content {
    let app = if let LookUp::Assignment { app, .. } = what { app.as_str() } else { NOTHING };
    let words = match stands {
        Assignment::Assigned(_) => (Tone::Plain, "assigned".to_owned()),
        Assignment::NotAssigned => (Tone::Warning, "not assigned: both are there".to_owned()),
        Assignment::NoSuchUser => (Tone::Warning, "Okta knows no such user".to_owned()),
        Assignment::NoSuchApp => {
            (Tone::Warning, "Okta knows no such application: `:okta-apps` lists them".to_owned())
        }
    };
    let mut facts = vec![named("application", app)];
    if !user.is_null() {
        facts.push(of_login(text_at(user, "/profile/login")));
        facts.push(named("user id", text_at(user, "/id")));
    }
    if let Assignment::Assigned(seen) = stands {
        facts.extend(seen_by_the_app(seen));
    }
    Content { words, facts, ..Content::default() }
}

/// The user as the application sees them. What it keeps of a credential beside the name is none of ours.
fn seen_by_the_app(seen: &Value) -> Vec<Fact> {
    let mut facts = vec![
        named("status", text_at(seen, "/status")),
        named("assigned by", text_at(seen, "/scope")),
        timed("since", text_at(seen, "/created").parse().ok()),
        named("name there", text_at(seen, "/credentials/userName")),
        Fact::Heading("profile in the application".to_owned()),
    ];
    let profile = seen.get("profile").and_then(Value::as_object);
    let fields = profile.into_iter().flatten().map(|(name, value)| match value {
        Value::String(text) => named(name, text.as_str()),
        Value::Null => named(name, ""),
        other => named(name, other.to_string()),
    });
    facts.extend(fields);
    facts
}

fn one_group(group: &Value, members: Result<Vec<Value>, Problem>) -> Content {
    let mut facts = vec![
        named("group", text_at(group, "/profile/name")),
        named("id", text_at(group, "/id")),
        named("type", text_at(group, "/type")),
    ];
    let description = text_at(group, "/profile/description");
    if !description.trim().is_empty() {
        facts.push(named("description", description));
    }
    match members {
        Ok(members) => {
            let gone = members.iter().filter(|member| is_deactivated(member)).count();
            let gone = if gone == 0 { String::new() } else { format!(", {gone} of them deactivated") };
            let words = match members.len() {
                0 => "nobody is in this group".to_owned(),
                n => format!("{}{gone}", counted(n, "member", "members")),
            };
            let list = List { headings: USERS, items: members.into_iter().map(user_item).collect() };
            Content { words: (Tone::Plain, words), facts, list: Some(list), error: None }
        }
        Err(problem) => {
            let words = (Tone::Warning, "its members cannot be read".to_owned());
            Content { words, facts, list: None, error: Some(problem.words()) }
        }
    }
}

fn groups(why: &str, candidates: Vec<Value>) -> Content {
    let words = match candidates.len() {
        0 => format!("{why}, and none begins so"),
        n => format!("{why}: {} may be meant", counted(n, "group", "groups")),
    };
    let item_of = |group: &Value| {
        let places = ["/profile/name", "/profile/description", "/type", "/id"];
        let cells = places.map(|place| text_at(group, place));
        let leads = LeadsTo::LookUp(LookUp::Group(cells[3].to_owned()));
        item(cells, Tone::Muted, Some(leads), group)
    };
    let list = List { headings: GROUPS, items: candidates.iter().map(item_of).collect() };
    Content { words: (Tone::Warning, words), list: Some(list), ..Content::default() }
}

fn fields(attributes: &[Attribute]) -> Content {
    let custom = attributes.iter().filter(|attribute| attribute.from == "custom").count();
    let words = format!("{}, {custom} of them the org's own", counted(attributes.len(), "field", "fields"));
    let item_of = |attribute: &Attribute| {
        let Attribute { name, title, kind, from, is_required, names } = attribute;
        let marks = [title.as_str(), if *from == "custom" { "custom" } else { "" }];
        let marks = marks.into_iter().chain(is_required.then_some("required"));
        let title: Vec<&str> = marks.filter(|mark| !mark.is_empty()).collect();
        let raw = json!({"field": name, "title": &attribute.title, "type": kind, "from": from, "required": is_required, "names": names});
        let cells = [name.clone(), title.join(", "), kind.clone(), names.join(", ")];
        let (key, copies) = (format!("field {name}").into(), name.clone());
        Item { key, cells, tone: Tone::Muted, leads: None, copies, raw: Arc::new(raw) }
    };
    let list = List { headings: FIELDS, items: attributes.iter().map(item_of).collect() };
    Content { words: (Tone::Plain, words), list: Some(list), ..Content::default() }
}

fn configuration(entries: Vec<Value>, filter: Option<String>) -> Content {
    let words = match (entries.len(), &filter) {
        (0, _) => (Tone::Plain, "empty: `idtriage okta config set` fills it".to_owned()),
        (_, None) => (Tone::Warning, "no entry names an `ApplicationID`: no filter is made of it".to_owned()),
        (n, Some(_)) => {
            let words =
                format!("{}, and the filter that is made of it", counted(n, "application", "applications"));
            (Tone::Plain, words)
        }
    };
    let facts = filter.map(|filter| leading("filter", &filter, LeadsTo::Log(filter.clone())));
    let item_of = |entry: &Value| {
        let cells = ["/Name", "/Label", "/Instance", "/ApplicationID"].map(|place| text_at(entry, place));
        item(cells, Tone::Muted, None, entry)
    };
    let list = List { headings: ENTRIES, items: entries.iter().map(item_of).collect() };
    Content { words, facts: facts.into_iter().collect(), list: Some(list), error: None }
}

/// What would change, a line each, and how it is kept.
fn configuration_change(change: &ConfigurationChange) -> Content {
    let words = match change.is_none() {
        true => (Tone::Plain, "nothing would change".to_owned()),
        false => (Tone::Warning, "not kept yet: `:okta-config-keep` keeps just this".to_owned()),
    };
    let facts = change.told.iter().map(|line| {
        let (sign, rest) = line.split_once(' ').unwrap_or(("", line));
        let does = match sign {
            "+" => "comes",
            "-" => "goes",
            _ => "changes",
        };
        named(does, rest)
    });
    Content { words, facts: facts.collect(), list: None, error: None }
}
