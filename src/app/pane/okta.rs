//! What Okta itself says of a person: the account, what is legal now, administrator roles, groups, assigned
//! applications, factors and what happened of late.

use super::row::{Body, Row, Target};
use super::{part_rows, text, texts, zone};
use crate::app::state::State;
use crate::app::user::UserScreen;
use crate::domain::dossier::{OktaFactor, OktaRole, OktaUser, Part};
use crate::domain::log::LogRecord;
use crate::domain::time::Zone;
use crate::domain::{Dossier, Login, NOTHING, PartName, Untrusted};

fn dossier<'a>(state: &'a State, user: &UserScreen) -> Option<&'a Dossier> {
    state.dossiers.get(&user.login)
}

fn is_configured(state: &State, part: PartName) -> bool {
    state.settings.parts.contains(&part)
}

/// The account, whether it is an administrator's, what happened of late, and the groups.
pub(super) fn account(state: &State, user: &UserScreen) -> Vec<Row> {
    let known = dossier(state, user);
    let part = known.and_then(|dossier| dossier.okta.as_ref());
    let mut rows = part_rows(state, user, PartName::Okta, part, |_| true);
    if part.is_some_and(Part::is_of_nobody) {
        return rows;
    }
    if let Some(data) = part.and_then(|part| part.data.as_ref()) {
        let facts = facts(data, zone(state));
        let (state_of_it, others) = facts.split_at(facts.len().min(1));
        rows.extend_from_slice(state_of_it);
        if is_configured(state, PartName::OktaRoles) {
            rows.push(Row::fact("admin", administers(known.and_then(|dossier| dossier.okta_roles.as_ref()))));
        }
        rows.extend_from_slice(others);
    }
    if is_configured(state, PartName::OktaRoles) {
        let part = known.and_then(|dossier| dossier.okta_roles.as_ref());
        let title = "Administrator roles";
        rows.extend(section(state, user, PartName::OktaRoles, part, title, |held, _| role(held)));
    }
    if is_configured(state, PartName::OktaActivity) {
        let part = known.and_then(|dossier| dossier.okta_activity.as_ref());
        rows.extend(section(
            state,
            user,
            PartName::OktaActivity,
            part,
            "In the past 7 days",
            |record, at| activity(record, at, &user.login, zone(state)),
        ));
    }
    if is_configured(state, PartName::OktaGroups) {
        let part = known.and_then(|dossier| dossier.okta_groups.as_ref());
        rows.extend(section(state, user, PartName::OktaGroups, part, "Groups", |group, _| {
            let aside = if group.kind.raw() == "OKTA_GROUP" { String::new() } else { group.kind.to_string() };
            Row::new(format!("group {}", group.id.raw()), Body::Pair(group.name().to_string(), aside))
        }));
    }
    rows
}

/// The applications that are assigned, beside those that are used.
pub(super) fn applications(state: &State, user: &UserScreen) -> Vec<Row> {
    if !is_configured(state, PartName::OktaApps) {
        return Vec::new();
    }
    let part = dossier(state, user).and_then(|dossier| dossier.okta_apps.as_ref());
    section(state, user, PartName::OktaApps, part, "assigned in Okta", |app, _| {
        let aside = if app.status.raw() == "ACTIVE" { String::new() } else { app.status.to_string() };
        Row::new(format!("assigned {}", app.id.raw()), Body::Pair(app.title().to_string(), aside))
    })
}

/// The factors that are enrolled, beside those that are used.
pub(super) fn factors(state: &State, user: &UserScreen) -> Vec<Row> {
    if !is_configured(state, PartName::OktaFactors) {
        return Vec::new();
    }
    let part = dossier(state, user).and_then(|dossier| dossier.okta_factors.as_ref());
    let mut rows = section(state, user, PartName::OktaFactors, part, "enrolled in Okta", |factor, _| {
        enrolled(factor, zone(state))
    });
    if part.is_some_and(|part| part.data.is_some()) {
        rows.push(Row::quiet("only those that the enrolment policy shows to us: there may be more"));
    }
    rows
}

/// In one line whether it is an administrator's account, since that comes before everything else.
fn administers(part: Option<&Part<Vec<OktaRole>>>) -> String {
    let Some(part) = part else { return NOTHING.to_owned() };
    let Some(roles) = &part.data else { return "cannot tell".to_owned() };
    let titles: Vec<String> =
        roles.iter().filter(|role| role.is_active()).map(|role| role.title().to_string()).collect();
    let more = if part.problems.is_empty() { "" } else { ", and cannot tell whether more" };
    match titles.is_empty() {
        true => format!("no role that is active{more}"),
        false => format!("{}{more}", titles.join(", ")),
    }
}

/// What a role is, and what has to be known of it besides.
fn role(role: &OktaRole) -> Row {
    let inactive = (!role.is_active()).then(|| role.status.to_string());
    let by_group = (role.assignment_type.raw() == "GROUP").then(|| "by a group".to_owned());
    let about = (!role.resource_set.is_blank()).then(|| format!("on {}", role.resource_set));
    let aside: Vec<String> = [inactive, by_group, about].into_iter().flatten().collect();
    Row::new(format!("role {}", role.id.raw()), Body::Pair(role.title().to_string(), aside.join(", ")))
}

fn section<T>(
    state: &State,
    user: &UserScreen,
    name: PartName,
    part: Option<&Part<Vec<T>>>,
    title: &str,
    row: impl Fn(&T, usize) -> Row,
) -> Vec<Row> {
    let items = part.and_then(|part| part.data.as_ref());
    let count = items.map(|items| format!(" ({})", items.len())).unwrap_or_default();
    let mut rows = vec![Row::heading(&format!("{title}{count}"))];
    let about = part_rows(state, user, name, part, |_| true).into_iter();
    // Several sections of one pane may say the same.
    rows.extend(about.map(|row| Row { key: format!("{} {}", name.word(), row.key), ..row }));
    match items {
        Some(items) if items.is_empty() => {
            rows.push(Row::new(format!("no {title}"), Body::Quiet("none".to_owned())))
        }
        Some(items) => rows.extend(items.iter().enumerate().map(|(at, item)| row(item, at))),
        None => {}
    }
    rows
}

fn facts(data: &OktaUser, zone: &Zone) -> Vec<Row> {
    let at = |at: &Option<jiff::Timestamp>| at.map_or(NOTHING.to_owned(), |at| zone.seconds(at));
    let can = data.sign_in_words();
    let profile = |name: &str| text(&data.profile_text(name));
    let mut rows = vec![
        Row::fact("status", &data.status),
        Row::fact("since", at(&data.status_changed)),
        Row::fact("can sign in", can),
        Row::fact("legal now", texts(&data.offered())),
        Row::fact("login", profile("login")),
        Row::fact("mail", profile("email")),
        Row::fact("last login", at(&data.last_login)),
        Row::fact("password", at(&data.password_changed)),
        Row::fact("id", &data.id),
    ];
    if let Some(to) = &data.transitioning_to_status {
        rows.insert(1, Row::fact("on its way to", to));
    }
    for (name, title) in PROFILE {
        if let Some(value) = data.profile_text(name).filter(|value| !value.is_blank()) {
            rows.push(Row::fact(title, value));
        }
    }
    rows
}

/// What else of a profile says who somebody is, where it is filled in.
const PROFILE: [(&str, &str); 6] = [
    ("displayName", "name"),
    ("title", "title"),
    ("department", "department"),
    ("manager", "manager"),
    ("mobilePhone", "mobile"),
    ("userType", "type"),
];

fn enrolled(factor: &OktaFactor, zone: &Zone) -> Row {
    let since = factor.created.map(|at| format!("since {}", zone.seconds(at))).unwrap_or_default();
    let status = if factor.status.raw() == "ACTIVE" { String::new() } else { format!(" {}", factor.status) };
    let what = format!("{} ({}){status}", factor.factor_type, factor.provider);
    Row::new(format!("enrolled {}", factor.id.raw()), Body::Pair(what, since))
}

fn activity(record: &LogRecord, at: usize, login: &Login, zone: &Zone) -> Row {
    let when = record.published.map_or(NOTHING.to_owned(), |at| zone.seconds(at));
    let reason = if record.reason.is_blank() { String::new() } else { format!(" ({})", record.reason) };
    let what = format!("{}{reason} {}", record.result, record.event_type);
    let from = record.address.as_ref().map(|address| format!("from {address}"));
    let place = Some(Untrusted::from(record.place_text())).filter(|place| !place.is_blank());
    let client = record.client.as_ref().map(Untrusted::to_string);
    let risk = record.risk.as_ref().map(|risk| format!("risk {risk}"));
    let actor = Untrusted::from(record.actor.shown());
    let is_another = !actor.is_blank() && Login::new(actor.raw()) != *login;
    let by = is_another.then(|| format!("by {actor}"));
    let more = [from, place.map(|place| place.to_string()), client, risk, by].into_iter().flatten();
    let what: Vec<String> = std::iter::once(what).chain(more).collect();
    let row = Row::new(format!("record {at} {when}"), Body::Pair(what.join(", "), when));
    match &record.address {
        Some(address) => row.leads_to(Target::Address(address.raw().to_owned())),
        None => row,
    }
}
