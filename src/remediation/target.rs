//! The target as Okta has it now: the facts of a card, what its state forbids, what proves an effect.

use super::sight::{Aim, Reading};
use crate::domain::dossier::{OktaFactor, OktaUser};
use crate::domain::flow::ProvenBy;
use crate::domain::later::Stands;
use crate::domain::operation::Operation;
use crate::domain::plan::{Difference, Fact, FactKind, Refusal, Target};
use crate::domain::time::Zone;
use crate::domain::{Flow, NOTHING, Untrusted};
use jiff::Timestamp;
use serde_json::{Map, Value};

const LOGIN: &str = "login";
const ID: &str = "id";
const STATUS: &str = "status";
const SIGNED_IN: &str = "signed in";
const FACTORS: &str = "factors";
const NONE: &str = "none";
const IN_IT: &str = "in it";
const YES: &str = "yes";
const NO: &str = "no";
const CANNOT_TELL: &str = "cannot tell";

/// Always all of them, so that a fact that comes or goes is a change too.
pub(super) fn facts(user: &OktaUser, zone: &Zone) -> Vec<Fact> {
    let text = |text: Option<&Untrusted>| text.map_or_else(|| NOTHING.to_owned(), Untrusted::to_string);
    let when =
        |at: Option<Timestamp>, never: &str| at.map_or_else(|| never.to_owned(), |at| zone.seconds(at));
    [
        (LOGIN, text(user.profile_text("login").as_ref())),
        (ID, text(Some(&user.id))),
        (STATUS, text(Some(&user.status))),
        ("since", when(user.status_changed, NOTHING)),
        ("moving to", text(user.transitioning_to_status.as_ref())),
        (SIGNED_IN, when(user.last_login, "never")),
        ("password", when(user.password_changed, "never")),
        ("offers now", offered(user)),
    ]
    .map(|(name, value)| fact(name, value))
    .to_vec()
}

/// The facts of an account that is not there.
pub(super) fn nobody() -> Vec<Fact> {
    vec![fact(STATUS, "not there yet".to_owned())]
}

/// What was looked for in vain, and is not to be made.
pub(super) fn of_nobody() -> Vec<Fact> {
    vec![fact(STATUS, "no account of this org".to_owned())]
}

fn fact(name: &str, value: String) -> Fact {
    let kind = if name == SIGNED_IN { FactKind::Activity } else { FactKind::State };
    Fact { name: name.to_owned(), value, kind }
}

/// Adds the facts that an aim is about.
pub(super) fn add_facts(reading: &mut Reading, aim: &Aim) {
    let more = match (aim, &reading.user) {
        (Aim::NoFactors, _) => reading.factors.iter().map(|read| fact(FACTORS, factors(read))).collect(),
        (Aim::Member(group, _), _) => {
            let name = format!("{} ({})", group.name, group.id);
            let member = reading.is_member.iter().map(|read| fact(IN_IT, membership(read)));
            [fact("group", name)].into_iter().chain(member).collect()
        }
        (Aim::Fields(wanted), Some(user)) => wanted
            .keys()
            .map(|name| {
                let value = shown(user.profile.get(name)).map(|text| text.to_string());
                fact(
                    &format!("profile.{}", Untrusted::from(name.as_str())),
                    value.unwrap_or(NOTHING.to_owned()),
                )
            })
            .collect(),
        _ => Vec::new(),
    };
    if let Target::Read { facts, .. } = &mut reading.target {
        facts.extend(more);
    }
}

fn factors(read: &Result<Vec<OktaFactor>, String>) -> String {
    match read {
        Err(why) => format!("{CANNOT_TELL}: {why}"),
        Ok(factors) if factors.is_empty() => NONE.to_owned(),
        Ok(factors) => {
            let mut names: Vec<String> = factors
                .iter()
                .map(|factor| format!("{} ({})", factor.factor_type, factor.provider))
                .collect();
            names.sort_unstable();
            names.join(", ")
        }
    }
}

fn membership(read: &Result<bool, String>) -> String {
    match read {
        Ok(true) => YES.to_owned(),
        Ok(false) => NO.to_owned(),
        Err(why) => format!("{CANNOT_TELL}: {why}"),
    }
}

fn offered(user: &OktaUser) -> String {
    let mut offered: Vec<String> = user.offered().iter().map(Untrusted::to_string).collect();
    offered.sort_unstable();
    if offered.is_empty() { "nothing".to_owned() } else { offered.join(", ") }
}

/// The Okta id of a target that was read.
pub(super) fn id(target: &Target) -> Option<&str> {
    target.fact(ID)
}

/// The status of a target that was read.
pub(super) fn status(target: &Target) -> Option<&str> {
    target.fact(STATUS)
}

/// What differs between two readings, a line each. That it can be read no more is a difference.
pub(super) fn differences(then: &Target, now: &Target) -> Vec<String> {
    match now {
        Target::CannotTell(_) if then.unread().is_some() => Vec::new(),
        Target::CannotTell(why) => vec![format!("it cannot be read any more: {why}")],
        Target::Read { .. } if then.unread().is_some() => {
            let fact = |name: &str| now.fact(name).unwrap_or(NOTHING).to_owned();
            let (id, login, status) = (fact(ID), fact(LOGIN), fact(STATUS));
            vec![format!("it could not be read then, and now it can: `{login}` ({id}), {status}")]
        }
        Target::Read { .. } => {
            let told = |(name, was, is): (String, String, String)| format!("{name} was {was}, is {is}");
            then.changes(now).into_iter().map(told).collect()
        }
    }
}

/// Whether a user is in the state that a flow is to bring about, and not only on its way there.
pub(super) fn is_proven(user: &OktaUser, by: ProvenBy) -> bool {
    by.statuses().contains(&user.status.raw()) && moving_to(user).is_none()
}

fn moving_to(user: &OktaUser) -> Option<&Untrusted> {
    user.transitioning_to_status.as_ref().filter(|to| !to.is_blank())
}

/// Whether the target is as an aim wants it; `None` where that cannot be told.
pub(super) fn is_so(reading: &Reading, aim: &Aim) -> Option<bool> {
    let user = reading.user.as_ref()?;
    match aim {
        Aim::Status(by) => by.map(|by| is_proven(user, by)),
        Aim::NoFactors => reading.factors.as_ref()?.as_ref().ok().map(Vec::is_empty),
        Aim::Member(_, wanted) => reading.is_member.as_ref()?.as_ref().ok().map(|is| is == wanted),
        Aim::Fields(wanted) => Some(differing(&user.profile, wanted).is_empty()),
        Aim::Exists(wanted) => Some(!user.id.is_blank() && differing(&user.profile, wanted).is_empty()),
    }
}

/// How the target stands, in the word that an aim is about.
pub(super) fn standing<'a>(target: &'a Target, aim: &Aim) -> Option<&'a str> {
    match aim {
        Aim::NoFactors => target.fact(FACTORS),
        Aim::Member(..) => target.fact(IN_IT),
        Aim::Status(_) | Aim::Fields(_) | Aim::Exists(_) => status(target),
    }
}

/// Whether the target was as the aim wants it already when the card was made: then a re-read proves nothing.
pub(super) fn was_so(target: &Target, aim: &Aim) -> bool {
    stood_so(standing(target, aim), aim)
}

/// The same of how it stood.
pub(super) fn stood_so(before: Option<&str>, aim: &Aim) -> bool {
    match aim {
        Aim::Status(Some(by)) => before.is_some_and(|status| by.statuses().contains(&status)),
        Aim::NoFactors => before.is_none_or(|read| read == NONE || read.starts_with(CANNOT_TELL)),
        // Where it could not be read, it may have been so.
        Aim::Member(_, wanted) => before != Some(if *wanted { NO } else { YES }),
        Aim::Status(None) | Aim::Fields(_) | Aim::Exists(_) => false,
    }
}

/// How the target stands against what is wanted and how it stood; `None` where the reading does not tell.
pub(super) fn stands(reading: &Reading, before: Option<&str>, aim: &Aim) -> Option<Stands> {
    let is_there = reading.user.as_ref().filter(|user| !user.id.is_blank());
    let Some(user) = is_there else {
        // That there is nobody is told too: before one is made there is nobody either.
        let is_nobody = reading.target.unread().is_none() && reading.user.is_none();
        return match aim {
            Aim::Exists(_) if is_nobody => Some(Stands::Before),
            _ => reading.missing.is_some().then_some(Stands::Otherwise),
        };
    };
    let is_as_before = standing(&reading.target, aim) == before && moving_to(user).is_none();
    Some(match is_so(reading, aim)? {
        true if !stood_so(before, aim) => Stands::Wanted,
        false if is_as_before => Stands::Before,
        _ => Stands::Otherwise,
    })
}

/// What of a profile would hold something else. Okta may leave out what is null.
pub(super) fn differing(profile: &Value, wanted: &Map<String, Value>) -> Vec<Difference> {
    let is_same = |was: Option<&Value>, becomes: &Value| was.unwrap_or(&Value::Null) == becomes;
    let differs = |(name, becomes): (&String, &Value)| {
        let was = profile.get(name);
        (!is_same(was, becomes)).then(|| Difference {
            name: name.as_str().into(),
            was: shown(was),
            becomes: shown(Some(becomes)),
        })
    };
    wanted.iter().filter_map(differs).collect()
}

/// A field's value to be read: a text as it is, anything else as JSON. A text that could be taken for
/// something else stands in quotes: `7` is a number, and `"7"` is none.
fn shown(value: Option<&Value>) -> Option<Untrusted> {
    match value? {
        Value::Null => None,
        Value::String(text) if !is_misread(text) => Some(text.as_str().into()),
        other => Some(other.to_string().as_str().into()),
    }
}

/// Whether a text would be read as nothing, as less than it is, or as a value of another kind.
fn is_misread(text: &str) -> bool {
    text.trim() != text || text.is_empty() || text == NOTHING || serde_json::from_str::<Value>(text).is_ok()
}

/// Why the target's state makes a flow pointless or illegal, if it does. A missing link forbids; a link
/// that is there promises nothing.
pub(super) fn forbids(reading: &Reading, flow: &Flow, aim: &Aim) -> Option<Refusal> {
    let user = reading.user.as_ref()?;
    match flow.operation {
        Some(operation) if operation.is_of_group() => of_group(reading, aim),
        Some(Operation::Create) => Some(Refusal::not_legal(there_already(reading, user))),
        // No state is known from which ending the sessions would be wrong, and repeating it is harmless.
        Some(Operation::ClearSessions) => None,
        Some(operation) => on_its_way(user).or_else(|| of_operation(reading, user, operation, aim)),
        None => of_workflow(user, flow),
    }
}

/// Why no account is made, and what can be done instead.
fn there_already(reading: &Reading, user: &OktaUser) -> String {
    let what = format!("there is such an account already: {} is {}", user.id, user.status);
    match user.status.raw() {
        _ if !reading.odd.is_empty() => {
            format!("{what}, and goes by a longer login: {}; say the whole login", reading.odd.join("; "))
        }
        "DEPROVISIONED" => format!("{what}; activating it is an action of its own"),
        _ => format!("{what}; change its profile instead"),
    }
}

fn on_its_way(user: &OktaUser) -> Option<Refusal> {
    let (status, to) = (&user.status, moving_to(user)?);
    let why = format!("on its way from {status} to {to}: ask again when it has got there");
    Some(Refusal::not_legal(why))
}

fn of_group(reading: &Reading, aim: &Aim) -> Option<Refusal> {
    let Aim::Member(group, _) = aim else { return None };
    if is_so(reading, aim) == Some(true) {
        let is = if matches!(reading.is_member, Some(Ok(true))) { "is" } else { "is not" };
        return Some(Refusal::no_change(format!(
            "already so: the account {is} in the group `{}`",
            group.name
        )));
    }
    let is_others = group.kind.raw() != "OKTA_GROUP";
    is_others.then(|| {
        let why = format!(
            "the group `{}` is of type {}: Okta lets nobody change who is in it",
            group.name, group.kind
        );
        Refusal::not_legal(why)
    })
}

/// What Okta offers now is legal, whatever the status: an active account that is blocked for unknown devices
/// can be unlocked. What it does not offer may be so already.
fn of_operation(reading: &Reading, user: &OktaUser, operation: Operation, aim: &Aim) -> Option<Refusal> {
    let status = &user.status;
    if operation == Operation::Update && status.raw() == "DEPROVISIONED" {
        return Some(Refusal::not_legal(
            "the account is DEPROVISIONED: its profile is not changed, and activating it is an action of its own",
        ));
    }
    let links = user.links.as_object();
    let is_offered = |link: &str| links.is_some_and(|links| links.contains_key(link));
    if operation.link().is_some_and(is_offered) {
        return None;
    }
    if is_so(reading, aim) == Some(true) {
        return Some(Refusal::no_change(already(user, operation, aim)));
    }
    let link = operation.link().filter(|_| links.is_some())?;
    let instead = match (operation, status.raw()) {
        // Who has the old password is not kept out by its end.
        (Operation::Suspend, "PASSWORD_EXPIRED") => {
            "; whoever knows the old password may choose a new one: resetting the password or deactivating ends that"
        }
        _ => "",
    };
    Some(Refusal::not_legal(format!("not legal from {status}: Okta does not offer `{link}` now{instead}")))
}

fn already(user: &OktaUser, operation: Operation, aim: &Aim) -> String {
    match aim {
        Aim::NoFactors => "already so: no factor is enrolled".to_owned(),
        Aim::Fields(_) => "already so: the profile holds this, there is nothing to change".to_owned(),
        _ if operation == Operation::Activate && user.status.raw() == "PROVISIONED" => {
            "already so: the account is PROVISIONED and waits for the user; reactivating it makes a new link"
                .to_owned()
        }
        _ => format!("already so: the account is {}, there is nothing to change", user.status),
    }
}

/// A flow of Workflows decides by itself what it does; a status that is so already leaves it nothing to do.
fn of_workflow(user: &OktaUser, flow: &Flow) -> Option<Refusal> {
    let (status, by) = (&user.status, flow.proven_by?);
    if is_proven(user, by) {
        let why = format!("already so: the account is {status}, there is nothing to change");
        return Some(Refusal::no_change(why));
    }
    let links = user.links.as_object()?;
    let wanted = links_of(by);
    let is_offered = wanted.iter().any(|name| links.contains_key(*name));
    (!is_offered).then(|| {
        let names = wanted.join("` or `");
        Refusal::not_legal(format!("not legal from {status}: Okta does not offer `{names}` now"))
    })
}

fn links_of(by: ProvenBy) -> &'static [&'static str] {
    match by {
        ProvenBy::Suspended => &["suspend"],
        ProvenBy::Deactivated => &["deactivate"],
        ProvenBy::Active | ProvenBy::Activated => &["activate", "unsuspend", "unlock", "reactivate"],
        ProvenBy::PasswordReset => &["resetPassword", "expirePassword"],
        ProvenBy::Recovery => &["resetPassword"],
        ProvenBy::PasswordExpired => &["expirePassword"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::operation::Particulars;
    use crate::domain::{Outcome, preset};
    use rstest::rstest;
    use serde_json::json;

    fn user(status: &str, links: Value) -> OktaUser {
        serde_json::from_value(json!({"id": "00u1", "status": status, "_links": links})).unwrap()
    }

    fn reading(user: OktaUser) -> Reading {
        let target =
            Target::Read { at: Timestamp::UNIX_EPOCH, from: "Okta", facts: facts(&user, &Zone::Utc) };
        Reading { target, user: Some(user), ..Reading::not_yet() }
    }

    fn forbidden(user: OktaUser, flow: &Flow) -> Option<Refusal> {
        forbids(&reading(user), flow, &Aim::of(flow, &Particulars::default(), ""))
    }

    #[rstest]
    #[case("ACTIVE", json!({"suspend": {}}), ProvenBy::Suspended, None)]
    #[case("STAGED", json!({"activate": {}}), ProvenBy::Suspended, Some("not legal from STAGED"))]
    #[case("SUSPENDED", json!({"unsuspend": {}}), ProvenBy::Suspended, Some("already so"))]
    #[case("SUSPENDED", json!({"unsuspend": {}}), ProvenBy::Active, None)]
    #[case("ACTIVE", json!({}), ProvenBy::PasswordReset, Some("`resetPassword` or `expirePassword`"))]
    #[case("ACTIVE", Value::Null, ProvenBy::Deactivated, None)]
    fn the_state_forbids(
        #[case] status: &str,
        #[case] links: Value,
        #[case] by: ProvenBy,
        #[case] phrase: Option<&str>,
    ) {
        let flow = Flow { proven_by: Some(by), ..preset::flow("suspend-okta-account").unwrap() };
        let said = forbidden(user(status, links), &flow);
        assert_eq!(said.is_some(), phrase.is_some(), "{said:?}");
        assert!(phrase.is_none_or(|phrase| said.unwrap().why.contains(phrase)));
    }

    #[rstest]
    #[case(Operation::Unsuspend, "ACTIVE", json!({}), Some(Outcome::NoChange))]
    #[case(Operation::Unlock, "SUSPENDED", json!({"unsuspend": {}}), Some(Outcome::NotLegal))]
    #[case(Operation::Unlock, "LOCKED_OUT", json!({"unlock": {}}), None)]
    #[case(Operation::Activate, "PROVISIONED", json!({"reactivate": {}}), Some(Outcome::NoChange))]
    #[case(Operation::Reactivate, "PROVISIONED", json!({"reactivate": {}}), None)]
    #[case(Operation::Reactivate, "ACTIVE", json!({}), Some(Outcome::NotLegal))]
    #[case(Operation::ResetPassword, "PASSWORD_EXPIRED", json!({"resetPassword": {}}), None)]
    #[case(Operation::Unlock, "ACTIVE", json!({"unlock": {}}), None)]
    #[case(Operation::Unlock, "ACTIVE", json!({"suspend": {}}), Some(Outcome::NoChange))]
    #[case(Operation::ResetPassword, "RECOVERY", json!({"resetPassword": {}}), None)]
    #[case(Operation::Suspend, "ACTIVE", Value::Null, None)]
    #[case(Operation::ClearSessions, "DEPROVISIONED", json!({}), None)]
    #[case(Operation::Deactivate, "DEPROVISIONED", json!({"activate": {}}), Some(Outcome::NoChange))]
    fn an_operation_is_legal_where_okta_offers_just_that(
        #[case] operation: Operation,
        #[case] status: &str,
        #[case] links: Value,
        #[case] expected: Option<Outcome>,
    ) {
        let said = forbidden(user(status, links), &operation.flow());
        assert_eq!(said.map(|refusal| refusal.outcome), expected);
    }

    #[test]
    fn on_its_way_is_neither_so_nor_to_be_acted_on() {
        let mut user = user("DEPROVISIONED", json!({}));
        let said =
            |user: &OktaUser| forbidden(user.clone(), &Operation::Deactivate.flow()).map(|it| it.outcome);
        assert_eq!(said(&user), Some(Outcome::NoChange));
        user.transitioning_to_status = Some("ACTIVE".into());
        assert_eq!(said(&user), Some(Outcome::NotLegal), "it will not stay deactivated");
        // A flow of Workflows decides by itself what it does with such an account.
        let flow =
            Flow { proven_by: Some(ProvenBy::Deactivated), ..preset::flow("suspend-okta-account").unwrap() };
        user.links = json!({"deactivate": {}});
        assert_eq!(forbidden(user.clone(), &flow), None);
        // Sessions can be ended in any state.
        assert_eq!(forbidden(user, &Operation::ClearSessions.flow()), None);
    }

    #[rstest]
    #[case(json!("Head of Sales"), Some("Head of Sales"))]
    #[case(json!("7"), Some("\"7\""))]
    #[case(json!(7), Some("7"))]
    #[case(json!("true"), Some("\"true\""))]
    #[case(json!(true), Some("true"))]
    #[case(json!("null"), Some("\"null\""))]
    #[case(json!(null), None)]
    #[case(json!("-"), Some("\"-\""))]
    #[case(json!(""), Some("\"\""))]
    #[case(json!("7 "), Some("\"7 \""))]
    #[case(json!(["7"]), Some("[\"7\"]"))]
    #[case(json!("[\"7\"]"), Some("\"[\\\"7\\\"]\""))]
    fn a_value_is_read_as_what_it_is(#[case] value: Value, #[case] expected: Option<&str>) {
        assert_eq!(shown(Some(&value)).as_ref().map(Untrusted::raw), expected);
    }

    #[test]
    fn a_number_that_becomes_a_text_differs_visibly() {
        let wanted = json!({"costCenter": "7", "nick": ""}).as_object().unwrap().clone();
        let told = differing(&json!({"costCenter": 7}), &wanted);
        let lines: Vec<[Option<&str>; 2]> =
            told.iter().map(|it| [&it.was, &it.becomes].map(|it| it.as_ref().map(Untrusted::raw))).collect();
        assert_eq!(lines, [[Some("7"), Some("\"7\"")], [None, Some("\"\"")]]);
    }

    #[test]
    fn on_its_way_is_not_there() {
        let mut user = user("SUSPENDED", json!({}));
        assert!(is_proven(&user, ProvenBy::Suspended));
        user.transitioning_to_status = Some("ACTIVE".into());
        assert!(!is_proven(&user, ProvenBy::Suspended));
    }

    #[test]
    fn every_fact_is_always_there_and_differences_are_told() {
        let read = |user: OktaUser| reading(user).target;
        let (then, now) = (read(user("ACTIVE", json!({"suspend": {}}))), read(user("LOCKED_OUT", json!({}))));
        assert_eq!(then.facts().len(), now.facts().len());
        let expected = ["status was ACTIVE, is LOCKED_OUT", "offers now was suspend, is nothing"];
        assert_eq!(differences(&then, &now), expected);
        assert_eq!(
            differences(&then, &Target::CannotTell("429".into())),
            ["it cannot be read any more: 429"]
        );
    }
}
