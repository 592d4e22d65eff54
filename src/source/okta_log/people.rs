//! Who a LogEvent is about.
//!
//! A target is found by its `type`, never by its place: the order of targets means nothing, and most of
//! them are no users.

use crate::domain::Login;
use crate::domain::log_check::LogSubject;
use crate::source::loose::{self, Object};
use std::collections::HashSet;

/// The type of an actor or a target that is a user.
const USER: &str = "User";

/// The users of a LogEvent.
#[derive(Debug)]
pub(super) struct People {
    actor: Option<Login>,
    targets: Vec<Login>,
}

impl People {
    pub(super) fn of(log: &Object<'_>) -> People {
        let targets = log.items("target").into_iter().filter_map(loose::object);
        People {
            actor: log.object("actor").and_then(|actor| user(&actor)),
            targets: each_once(targets.filter_map(|target| user(&target))),
        }
    }

    /// Whose finding it is.
    pub(super) fn subjects(&self, whose: LogSubject) -> Vec<Login> {
        match whose {
            LogSubject::TargetOrActor if self.targets.is_empty() => self.actor.iter().cloned().collect(),
            LogSubject::TargetOrActor | LogSubject::Target => self.targets.clone(),
            LogSubject::Actor => self.actor.iter().cloned().collect(),
        }
    }

    /// All of them, the actor first.
    pub(super) fn everyone(&self) -> Vec<Login> {
        each_once(self.actor.iter().chain(&self.targets).cloned())
    }
}

fn each_once(logins: impl Iterator<Item = Login>) -> Vec<Login> {
    let mut seen = HashSet::new();
    logins.filter(|login| seen.insert(login.clone())).collect()
}

/// The login of an actor or a target that is a user.
fn user(entity: &Object<'_>) -> Option<Login> {
    let is_user = entity.text("type").is_some_and(|kind| kind.eq_ignore_ascii_case(USER));
    if is_user { login(entity) } else { None }
}

/// The alternate id, which is a user's login; else a name that looks like one; else the id.
fn login(user: &Object<'_>) -> Option<Login> {
    let name = || user.text("displayName").filter(|name| name.contains('@'));
    let text = user.text("alternateId").or_else(name).or_else(|| user.text("id"))?;
    Some(Login::new(&text)).filter(|login| !login.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(r#"{"type":"User","alternateId":"ann@x","displayName":"Ann","id":"00u"}"#, Some("ann@x"))]
    #[case(r#"{"type":"user","alternateId":"hrms.service"}"#, Some("hrms.service"))]
    #[case(r#"{"type":"USER","alternateId":null,"displayName":"ann@x","id":"00u"}"#, Some("ann@x"))]
    #[case(r#"{"type":"User","alternateId":" ","displayName":"Ann","id":"00u"}"#, Some("00u"))]
    #[case(r#"{"type":"User","displayName":"Ann"}"#, None)]
    #[case(r#"{"type":"AppUser","alternateId":"ann@x"}"#, None)]
    #[case(r#"{"alternateId":"ann@x"}"#, None)]
    fn a_user_has_a_login(#[case] entity: &str, #[case] expected: Option<&str>) {
        let login = user(&Object::parse(entity).unwrap());
        assert_eq!(login.as_ref().map(Login::raw), expected);
    }

    #[rstest]
    #[case(LogSubject::TargetOrActor, &["bo@x", "cy@x"])]
    #[case(LogSubject::Target, &["bo@x", "cy@x"])]
    #[case(LogSubject::Actor, &["ann@x"])]
    fn a_subject_is_found_by_type(#[case] whose: LogSubject, #[case] expected: &[&str]) {
        let log = r#"{"actor":{"type":"User","alternateId":"ann@x"},"target":[
            {"type":"AppInstance","alternateId":"app"},null,"text",{"type":"User","alternateId":"bo@x"},
            {"type":"User","alternateId":"cy@x"},{"type":"User","alternateId":"BO@x"}]}"#;
        let people = People::of(&Object::parse(log).unwrap());
        let subjects = people.subjects(whose);
        assert_eq!(subjects.iter().map(Login::raw).collect::<Vec<_>>(), expected);
        assert_eq!(people.everyone().len(), 3);
    }
}
