//! What the panes of User 360 hold, as rows: pure, so that the view only draws them.
//!
//! A part that is loading, failed or partial says so in its own pane, beside whatever data came; an
//! error of one field stands in the pane that shows that field.

mod okta;
mod row;

pub use row::{Body, Row, Target, name_columns, pair_columns};

use super::dossiers::is_loading;
use super::state::State;
use super::user::{Pane, UserScreen, panes};
use crate::domain::dossier::{EndUser, EndUserState, GeoLocation, OktaUser, Part, Problem, ProviderRecord};
use crate::domain::finding::HistoryEntry;
use crate::domain::flow::Product;
use crate::domain::time::Zone;
use crate::domain::{Dossier, Evidence, Finding, FindingId, Login, NOTHING, PartName, Untrusted};
use row::wrapped;

/// The rows of a pane; what went wrong takes as many as it needs.
pub fn rows(state: &State, user: &UserScreen, pane: Pane) -> Vec<Row> {
    let columns = state.size.user_pane_columns(&panes(state), pane);
    content(state, user, pane).into_iter().flat_map(|row| wrapped(row, columns)).collect()
}

fn content(state: &State, user: &UserScreen, pane: Pane) -> Vec<Row> {
    match pane {
        Pane::Overview => overview(state, user),
        Pane::Findings => findings(user),
        Pane::Addresses => of_state(state, user, "ipAddresses", addresses),
        Pane::Places => of_state(state, user, "workingLocationDetails", places),
        Pane::Applications => {
            let mut rows = of_state(state, user, "usedApplications", applications);
            rows.extend(okta::applications(state, user));
            rows
        }
        Pane::Factors => {
            let mut rows = of_state(state, user, "usedFactors", factors);
            rows.extend(okta::factors(state, user));
            rows
        }
        Pane::Okta => okta::account(state, user),
        Pane::History => history(user, zone(state)),
    }
}

/// The part that a pane shows, for its age.
pub fn part_of(pane: Pane) -> Option<PartName> {
    match pane {
        Pane::Overview | Pane::Addresses | Pane::Places | Pane::Applications | Pane::Factors => {
            Some(PartName::Cii)
        }
        Pane::Okta => Some(PartName::Okta),
        Pane::Findings | Pane::History => None,
    }
}

/// The fields of `getEndUserState` that a pane shows beside the one that it is named for.
fn fields_of(field: &str) -> &[&str] {
    match field {
        "workingLocationDetails" => &["workingLocationDetails", "registeredLocationDetails"],
        "usedApplications" => &["usedApplications", "unusedApplications"],
        "ipAddresses" => &["ipAddresses"],
        _ => &["usedFactors"],
    }
}

fn of_state(state: &State, user: &UserScreen, field: &str, show: fn(&EndUserState) -> Vec<Row>) -> Vec<Row> {
    let part = state.dossiers.get(&user.login).and_then(|dossier| dossier.cii.as_ref());
    if part.is_some_and(Part::is_of_nobody) {
        // The overview says so, once.
        return vec![Row::quiet("nothing")];
    }
    let mut rows = part_rows(state, user, PartName::Cii, part, |problem| {
        fields_of(field).iter().any(|field| problem.concerns(field))
    });
    if let Some(data) = part.and_then(|part| part.data.as_ref()) {
        let content = show(data);
        rows.extend(if content.is_empty() { vec![Row::quiet("none")] } else { content });
    }
    rows
}

/// What stands above a part's data: that it is loading, missing or in trouble.
fn part_rows<T>(
    state: &State,
    user: &UserScreen,
    name: PartName,
    part: Option<&Part<T>>,
    concerns: impl Fn(&Problem) -> bool,
) -> Vec<Row> {
    let mut rows = Vec::new();
    if !state.settings.parts.contains(&name) {
        rows.push(Row::quiet(not_configured(name)));
    } else if part.is_none() {
        let text = if is_loading(state, &user.login, name) { "reading…" } else { "not read yet: R reads" };
        rows.push(Row::quiet(text));
    }
    if let Some(part) = part.filter(|part| part.is_of_nobody()) {
        return nobody(name, zone(state).seconds(part.at));
    }
    let problems = part.into_iter().flat_map(|part| &part.problems);
    rows.extend(folded(problems.filter(|problem| problem.is_whole() || concerns(problem))));
    rows
}

/// A row for each thing that is the matter: the same may be said of every address.
fn folded<'a>(problems: impl Iterator<Item = &'a Problem>) -> Vec<Row> {
    let mut told: Vec<(Row, usize)> = Vec::new();
    for row in problems.map(Row::problem) {
        match told.iter_mut().find(|(said, _)| said.body == row.body) {
            Some((_, times)) => *times += 1,
            None => told.push((row, 1)),
        }
    }
    let counted = |(mut row, times): (Row, usize)| {
        if let (Body::Problem(text), 2..) = (&mut row.body, times) {
            text.push_str(&format!(" ({times} times)"));
        }
        row
    };
    told.into_iter().map(counted).collect()
}

fn zone(state: &State) -> &Zone {
    &state.settings.zone
}

fn nobody(part: PartName, at: String) -> Vec<Row> {
    let tenant = match part {
        PartName::Cii | PartName::CiiDetails => "Cisco Identity Intelligence",
        _ => "Okta",
    };
    let said = Row::new("! nobody", Body::Problem(format!("{tenant} knows nobody of this login")));
    vec![said, Row::fact("asked", at)]
}

/// Who may have been meant by a login that nobody has.
fn suggestions(user: &UserScreen) -> Vec<Row> {
    let Some(logins) = &user.suggested else { return Vec::new() };
    if logins.is_empty() {
        return vec![Row::quiet("no login that is known here begins like it")];
    }
    let mut rows = vec![Row::heading("Known here, and begins alike")];
    rows.extend(logins.iter().map(|login| {
        let row = Row::new(format!("suggested {}", login.folded()), Body::Item(login.to_string()));
        row.leads_to(Target::Person(login.clone()))
    }));
    rows
}

fn not_configured(part: PartName) -> &'static str {
    match part {
        PartName::Cii | PartName::CiiDetails => {
            "CII is not configured; hint: `[cii]` in the configuration, then `idtriage doctor`"
        }
        _ => "Okta is not configured; hint: `[okta]` in the configuration, then `idtriage doctor`",
    }
}

fn overview(state: &State, user: &UserScreen) -> Vec<Row> {
    let dossier = state.dossiers.get(&user.login);
    let cii = dossier.and_then(|dossier| dossier.cii.as_ref());
    let details = dossier.and_then(|dossier| dossier.cii_details.as_ref());
    let elsewhere = ["ipAddresses", "workingLocationDetails", "registeredLocationDetails"];
    let elsewhere = elsewhere.iter().chain(&["usedApplications", "unusedApplications", "usedFactors"]);
    let here = |problem: &Problem| !elsewhere.clone().any(|field| problem.concerns(field));
    let mut rows: Vec<Row> =
        user.about().into_iter().map(|about| prefixed("about ", finding(about))).collect();
    rows.extend(part_rows(state, user, PartName::Cii, cii, here));
    if let Some(data) = cii.and_then(|part| part.data.as_ref()) {
        let okta = dossier.and_then(|dossier| dossier.okta.as_ref()).and_then(|part| part.data.as_ref());
        rows.extend(state_facts(data, okta));
    } else {
        rows.push(Row::fact("login", &user.login));
    }
    if dossier.is_some_and(Dossier::is_of_nobody) {
        rows.extend(suggestions(user));
    }
    if state.settings.parts.contains(&PartName::CiiDetails) {
        // What is said of both parts is said once.
        let is_said = |row: &Row| rows.iter().any(|said| said.key == row.key);
        let of_details = part_rows(state, user, PartName::CiiDetails, details, |_| true).into_iter();
        let unsaid: Vec<Row> = of_details.filter(|row| !is_said(row)).map(in_details).collect();
        rows.extend(unsaid);
    }
    if let Some(data) = details.and_then(|part| part.data.as_ref()) {
        let okta = dossier.and_then(|dossier| dossier.okta.as_ref()).and_then(|part| part.data.as_ref());
        rows.extend(details_facts(data, okta, zone(state)));
    }
    rows
}

fn prefixed(prefix: &str, mut row: Row) -> Row {
    row.key.insert_str(0, prefix);
    row
}

fn in_details(mut row: Row) -> Row {
    row.key = format!("details {}", row.key);
    row.body = match row.body {
        Body::Problem(text) => Body::Problem(format!("accounts: {text}")),
        Body::Quiet(text) => Body::Quiet(format!("accounts: {text}")),
        body => body,
    };
    row
}

fn text(value: &Option<Untrusted>) -> String {
    value.as_ref().filter(|text| !text.is_blank()).map_or(NOTHING.to_owned(), Untrusted::to_string)
}

fn texts(values: &[Untrusted]) -> String {
    let texts: Vec<String> = values.iter().map(Untrusted::to_string).collect();
    if texts.is_empty() { NOTHING.to_owned() } else { texts.join(", ") }
}

fn state_facts(data: &EndUserState, okta: Option<&OktaUser>) -> Vec<Row> {
    let manager = match &data.manager_login {
        Some(login) if !login.is_empty() => {
            Row::fact("manager", login).leads_to(Target::Person(login.clone()))
        }
        _ => Row::fact("manager", NOTHING),
    };
    let mut rows = vec![
        Row::fact("name", text(&data.display_name)),
        Row::fact("login", &data.login),
        Row::fact("CII status", &data.status),
    ];
    rows.extend(okta.and_then(|okta| differs(data, okta)));
    rows.extend([
        Row::fact("class", text(&data.user_type_classification)),
        manager,
        Row::fact("employee", texts(&data.employee_id)),
        Row::fact("phone", text(&data.phone_number)),
        Row::fact("CII id", &data.id),
    ]);
    rows
}

/// CII's status is up to a day old: what Okta says now has to stand beside it.
fn differs(cii: &EndUserState, okta: &OktaUser) -> Option<Row> {
    let is_same = cii.status.raw().eq_ignore_ascii_case(okta.status.raw());
    (!is_same).then(|| Row::new("Okta says", Body::Differs(format!("Okta says {}", okta.status))))
}

fn details_facts(data: &EndUser, okta: Option<&OktaUser>, zone: &Zone) -> Vec<Row> {
    let details = &data.end_user_details;
    let mut rows = vec![
        Row::fact("title", text(&details.title)),
        Row::fact("department", text(&details.department)),
        Row::fact("MFA", details.mfa_enabled.map_or("unknown", |on| if on { "on" } else { "off" })),
    ];
    if let Some(sign_in) = &details.last_sign_in {
        let at = sign_in.timestamp.map(|at| zone.seconds(at)).unwrap_or_default();
        let place = sign_in.location.as_ref().map(GeoLocation::words).unwrap_or_default();
        let words = format!("{at} {} {} {place}", text(&sign_in.result), text(&sign_in.ip_address));
        rows.push(Row::fact("last sign-in", words));
    }
    if !details.group_names.is_empty() {
        rows.push(Row::fact("groups", texts(&details.group_names)));
    }
    rows.extend(details.linked_end_user_logins.iter().map(linked));
    rows.push(Row::heading("Accounts"));
    rows.extend(data.provider_end_user_details.iter().map(|record| account(record, okta)));
    if data.provider_end_user_details.is_empty() {
        rows.push(Row::quiet("none"));
    }
    rows
}

fn linked(login: &Login) -> Row {
    let mut row = Row::fact("linked", login).leads_to(Target::Person(login.clone()));
    row.key = format!("linked {}", login.folded());
    row
}

/// An account in CII's words, which are up to a day old; where Okta says otherwise of that very account, that first.
fn account(record: &ProviderRecord, okta: Option<&OktaUser>) -> Row {
    let shown = format!("{} {}", Product::named(&record.provider), record.user_id);
    let okta = okta.filter(|okta| okta.id.raw() == record.user_id.raw());
    let status = match okta.filter(|okta| !okta.status.raw().eq_ignore_ascii_case(record.status.raw())) {
        Some(okta) => format!("{}, Okta now; CII says {}", okta.status, record.status),
        None => record.status.to_string(),
    };
    Row::new(format!("account {shown}"), Body::Pair(shown, status))
}

fn addresses(data: &EndUserState) -> Vec<Row> {
    let row = |info: &crate::domain::dossier::IpAddressInfo| {
        let place = info.location.as_ref().map_or(NOTHING.to_owned(), GeoLocation::words);
        Row::new(info.ip_address.raw(), Body::Pair(info.ip_address.to_string(), place))
            .leads_to(Target::Address(info.ip_address.raw().to_owned()))
    };
    data.ip_addresses.iter().map(row).collect()
}

fn places(data: &EndUserState) -> Vec<Row> {
    let registered = data.registered_location_details.as_ref().map_or(NOTHING.to_owned(), GeoLocation::words);
    let mut rows = vec![Row::fact("registered", registered)];
    let prevalence = |place: &crate::domain::dossier::LocationWithPrevalence| place.user_location_prevalence;
    let largest = data.working_location_details.iter().map(prevalence).fold(0.0, f64::max);
    for (at, place) in data.working_location_details.iter().enumerate() {
        let raw = prevalence(place);
        let share = if largest > 0.0 { (raw / largest).clamp(0.0, 1.0) } else { 0.0 };
        let body = Body::Bar(place.location.words(), format!("{raw}"), share);
        rows.push(Row::new(format!("place {at}"), body));
    }
    rows
}

fn applications(data: &EndUserState) -> Vec<Row> {
    let (used, unused) = (data.used_applications.len(), data.unused_applications.len());
    if used + unused == 0 {
        return Vec::new();
    }
    let mut rows = vec![Row::heading(&format!("used in the past 30 days ({used})"))];
    rows.extend(data.used_applications.iter().map(|name| Row::item("used", name)));
    rows.push(Row::heading(&format!("unused for 30 days ({unused})")));
    rows.extend(data.unused_applications.iter().map(|name| Row::item("unused", name)));
    rows
}

fn factors(data: &EndUserState) -> Vec<Row> {
    data.used_factors.iter().map(|name| Row::item("factor", name)).collect()
}

fn findings(user: &UserScreen) -> Vec<Row> {
    let mut rows: Vec<Row> =
        user.error.iter().map(|error| Row::new("!", Body::Problem(error.clone()))).collect();
    rows.extend(user.findings.iter().map(finding));
    if rows.is_empty() {
        rows.push(Row::quiet("none"));
    }
    if user.has_more_findings {
        rows.push(Row::quiet("more: `idtriage findings list` shows all"));
    }
    rows
}

fn finding(finding: &Finding) -> Row {
    let who = finding.assignee.as_ref().map(|name| format!(" by {name}")).unwrap_or_default();
    let stands = match finding.disposition {
        Some(disposition) => format!("{}: {}", finding.state.word(), disposition.title()),
        None => format!("{}{who}", finding.state.word()),
    };
    Row::new(finding.id.to_string(), Body::Finding(finding.severity, finding.check.name(), stands))
        .leads_to(Target::Finding(finding.id))
}

/// What was run and what was noted and changed, latest first: when, what, and at the right how it ended and by whom,
/// as in the journal.
fn history(user: &UserScreen, zone: &Zone) -> Vec<Row> {
    let mut rows: Vec<(jiff::Timestamp, Row)> = user.actions.iter().map(|run| action(zone, run)).collect();
    rows.extend(
        user.history.iter().enumerate().map(|(at, (id, entry))| change(zone, user, (*id, at), entry)),
    );
    rows.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    if rows.is_empty() {
        return vec![Row::quiet("nothing was run, noted or changed from here")];
    }
    rows.into_iter().map(|(_, row)| row).collect()
}

fn action(zone: &Zone, action: &crate::domain::Action) -> (jiff::Timestamp, Row) {
    let step = action.step.map(|step| format!("{step}: ")).unwrap_or_default();
    let account = action.account_login.as_ref().map(|_| format!(": {}", action.whom())).unwrap_or_default();
    let what = format!("{} {step}{}{account}", zone.minutes(action.at), action.verb);
    // That it was answered goes without saying.
    let proven = match action.evidence {
        Evidence::Acknowledged => String::new(),
        evidence => format!(", {}", evidence.word()),
    };
    let how = format!("{}{proven}; by {}", action.standing(), action.actor.brief());
    (action.at, Row::new(action.id.to_string(), Body::Pair(what, how)))
}

fn change(
    zone: &Zone,
    user: &UserScreen,
    (id, at): (FindingId, usize),
    entry: &HistoryEntry,
) -> (jiff::Timestamp, Row) {
    let check = user.findings.iter().find(|finding| finding.id == id).map(|finding| finding.check.name());
    let says = if entry.text.is_blank() { String::new() } else { format!(": {}", entry.text) };
    let actor = crate::domain::untrusted::visible(&entry.actor);
    let check = check.map(|check| format!(" {check}")).unwrap_or_default();
    let what = format!("{} {}{check}{says}", zone.minutes(entry.at), entry.what);
    let row = Row::new(format!("{id} {at}"), Body::Pair(what, format!("by {actor}")));
    (entry.at, row.leads_to(Target::Finding(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_okta_says_now_of_an_account_stands_before_ciis_word() {
        let record = ProviderRecord {
            user_id: "00u1".into(),
            provider: "OKTA".into(),
            status: "ACTIVE".into(),
            ..ProviderRecord::default()
        };
        let okta =
            |id: &str, status: &str| OktaUser { id: id.into(), status: status.into(), ..OktaUser::default() };
        let said = |okta: Option<&OktaUser>| match account(&record, okta).body {
            Body::Pair(_, status) => status,
            body => format!("{body:?}"),
        };
        assert_eq!(said(Some(&okta("00u1", "SUSPENDED"))), "SUSPENDED, Okta now; CII says ACTIVE");
        for same in [None, Some(&okta("00u1", "Active")), Some(&okta("00u2", "SUSPENDED"))] {
            assert_eq!(said(same), "ACTIVE", "there is nothing else to say");
        }
    }

    #[test]
    fn what_is_said_of_many_is_told_once_and_counted() {
        let problems = ["no place", "no place", "no name", "no place"].map(Problem::whole);
        let told: Vec<Body> = folded(problems.iter()).into_iter().map(|row| row.body).collect();
        assert_eq!(told, [Body::Problem("no place (3 times)".into()), Body::Problem("no name".into())]);
    }
}
