//! The target as Okta has it now: the facts of a card, what its state forbids, what proves an effect.

use super::Desk;
use crate::domain::dossier::{OktaUser, Part};
use crate::domain::flow::{Product, ProvenBy};
use crate::domain::plan::{Fact, FactKind, Refusal, Target};
use crate::domain::subject::ProviderAccount;
use crate::domain::time::Zone;
use crate::domain::{Flow, Login, NOTHING, PartName, Untrusted};
use jiff::Timestamp;
use serde_json::Value;

const ID: &str = "id";
const STATUS: &str = "status";
const SIGNED_IN: &str = "signed in";

/// A reading of the target.
#[derive(Debug)]
pub(super) struct Reading {
    /// For the card.
    pub(super) target: Target,
    /// The user behind it, where it was read.
    pub(super) user: Option<OktaUser>,
    /// What was odd about an answer that came: that Okta took a short login for another's, say.
    pub(super) odd: Vec<String>,
    /// Why there is nobody to act on, where Okta says so: that is known, not untold.
    pub(super) missing: Option<String>,
}

impl Reading {
    fn cannot_tell(why: impl Into<String>) -> Reading {
        Reading { target: Target::CannotTell(why.into()), user: None, odd: Vec::new(), missing: None }
    }

    fn of(part: Part<OktaUser>, zone: &Zone) -> Reading {
        let odd = part.problems.iter().map(|problem| problem.line()).collect();
        match part.data {
            Some(user) => {
                let target = Target::Read { at: part.at, from: "Okta", facts: facts(&user, zone) };
                Reading { target, user: Some(user), odd, missing: None }
            }
            None => Reading { missing: nobody(&part), ..Reading::cannot_tell(problems(&part)) },
        }
    }
}

fn nobody(part: &Part<OktaUser>) -> Option<String> {
    part.problems
        .iter()
        .find(|problem| problem.says_nobody())
        .map(|problem| format!("there is no such account: {}", problem.line()))
}

/// Reads what a flow would act on. Only Okta can be asked: CII's status is a day old.
pub(super) async fn read(
    desk: &Desk,
    flow: &Flow,
    account: Option<&ProviderAccount>,
    login: &Login,
) -> Reading {
    let key = match okta_key(flow, account, login) {
        Ok(key) => key,
        Err(why) => return Reading::cannot_tell(why),
    };
    if !desk.directory.parts().contains(&PartName::Okta) {
        return Reading::cannot_tell("Okta is not configured, so the account cannot be read");
    }
    Reading::of(desk.directory.okta_user(&key).await, &desk.zone)
}

/// Reads the same target again; `None` where it could not be read the first time.
pub(super) async fn reread(desk: &Desk, target: &Target) -> Option<Target> {
    let id = id(target)?.to_owned();
    Some(Reading::of(desk.directory.okta_user(&id).await, &desk.zone).target)
}

fn okta_key(flow: &Flow, account: Option<&ProviderAccount>, login: &Login) -> Result<String, String> {
    let product = account.map_or(flow.product, |account| Product::parse(account.provider.raw()));
    match (product, account) {
        (Some(Product::Okta), Some(account)) => Ok(account.user_id.raw().to_owned()),
        (Some(Product::Okta), None) => Ok(login.raw().to_owned()),
        (None, None) => Err("the flow decides itself what to act on".to_owned()),
        (Some(other), _) => {
            Err(format!("the state of an account of {} cannot be read from here", other.ispm_name()))
        }
        (None, Some(account)) => {
            Err(format!("the state of an account of {} cannot be read from here", account.provider))
        }
    }
}

fn problems(part: &Part<OktaUser>) -> String {
    let lines: Vec<String> = part.problems.iter().map(|problem| problem.line()).collect();
    if lines.is_empty() { "Okta answered nothing".to_owned() } else { lines.join("; ") }
}

/// Always all of them, so that a fact that comes or goes is a change too.
fn facts(user: &OktaUser, zone: &Zone) -> Vec<Fact> {
    let text = |text: Option<&Untrusted>| text.map_or_else(|| NOTHING.to_owned(), Untrusted::to_string);
    let when =
        |at: Option<Timestamp>, never: &str| at.map_or_else(|| never.to_owned(), |at| zone.seconds(at));
    [
        ("login", text(user.profile_text("login").as_ref())),
        (ID, text(Some(&user.id))),
        (STATUS, text(Some(&user.status))),
        ("since", when(user.status_changed, NOTHING)),
        ("moving to", text(user.transitioning_to_status.as_ref())),
        (SIGNED_IN, when(user.last_login, "never")),
        ("password", when(user.password_changed, "never")),
        ("offers now", offered(user)),
    ]
    .map(|(name, value)| Fact { name: name.to_owned(), value, kind: kind(name) })
    .to_vec()
}

fn kind(name: &str) -> FactKind {
    if name == SIGNED_IN { FactKind::Activity } else { FactKind::State }
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
        Target::CannotTell(why) => vec![format!("it cannot be read any more: {why}")],
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

/// Why the user's state makes a flow pointless or illegal, if it does. A missing link forbids; a link
/// that is there promises nothing.
pub(super) fn forbids(user: &OktaUser, flow: &Flow) -> Option<Refusal> {
    let (status, moving) = (&user.status, moving_to(user));
    if let Some(to) = moving.filter(|_| flow.operation.is_some()) {
        let why = format!("on its way from {status} to {to}: ask again when it has got there");
        return Some(Refusal::not_legal(why));
    }
    if flow.proven_by.is_some_and(|by| is_proven(user, by)) {
        let why = format!("already so: the account is {status}, there is nothing to change");
        return Some(Refusal::no_change(why));
    }
    let Value::Object(links) = &user.links else { return None };
    let wanted = match (flow.operation, flow.proven_by) {
        (Some(operation), _) => operation.link().into_iter().collect(),
        (None, by) => by.map(links_of).unwrap_or_default().to_vec(),
    };
    let is_offered = wanted.is_empty() || wanted.iter().any(|name| links.contains_key(*name));
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
    use crate::domain::operation::Operation;
    use crate::domain::{Outcome, preset};
    use rstest::rstest;
    use serde_json::json;

    fn user(status: &str, links: Value) -> OktaUser {
        serde_json::from_value(json!({"id": "00u1", "status": status, "_links": links})).unwrap()
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
        let said = forbids(&user(status, links), &flow);
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
    #[case(Operation::ClearSessions, "DEPROVISIONED", json!({}), None)]
    #[case(Operation::Deactivate, "DEPROVISIONED", json!({"activate": {}}), Some(Outcome::NoChange))]
    fn an_operation_is_legal_where_okta_offers_just_that(
        #[case] operation: Operation,
        #[case] status: &str,
        #[case] links: Value,
        #[case] expected: Option<Outcome>,
    ) {
        let said = forbids(&user(status, links), &operation.flow());
        assert_eq!(said.map(|refusal| refusal.outcome), expected);
    }

    #[test]
    fn on_its_way_is_neither_so_nor_to_be_acted_on() {
        let mut user = user("DEPROVISIONED", json!({"deactivate": {}}));
        let said = |user: &OktaUser| forbids(user, &Operation::Deactivate.flow()).map(|it| it.outcome);
        assert_eq!(said(&user), Some(Outcome::NoChange));
        user.transitioning_to_status = Some("ACTIVE".into());
        assert_eq!(said(&user), Some(Outcome::NotLegal), "it will not stay deactivated");
        // A flow of Workflows decides by itself what it does with such an account.
        let flow =
            Flow { proven_by: Some(ProvenBy::Deactivated), ..preset::flow("suspend-okta-account").unwrap() };
        assert_eq!(forbids(&user, &flow), None);
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
        let read = |user: OktaUser| Reading::of(Part::whole(Timestamp::UNIX_EPOCH, user), &Zone::Utc).target;
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
