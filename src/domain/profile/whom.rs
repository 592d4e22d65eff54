//! Whom a user profile means.

use super::{OLD, ProfileError, ProfileMap, Said};
use crate::domain::look_up::text_at;
use crate::domain::user_key::{By, UserKey, is_same};
use serde_json::Value;

/// When what a user profile says of the account was so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// It is so.
    Now,
    /// What it held before the change goes first, where XSOAR says that.
    BeforeTheChange,
}

/// What a user profile says that tells users apart. Null and blank say nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Whom {
    id: Option<String>,
    login: Option<String>,
    email: Option<String>,
}

impl Whom {
    /// What these fields say.
    ///
    /// # Errors
    /// A name that is no text, and one that is said twice and differs.
    pub fn of(map: &ProfileMap, said: &[Said], when: When) -> Result<Whom, ProfileError> {
        let now = Whom::in_one(map, said)?;
        match when {
            When::Now => Ok(now),
            When::BeforeTheChange => {
                let old = Whom::in_one(map, &before(said)?)?;
                Ok(Whom {
                    id: old.id.or(now.id),
                    login: old.login.or(now.login),
                    email: old.email.or(now.email),
                })
            }
        }
    }

    fn in_one(map: &ProfileMap, said: &[Said]) -> Result<Whom, ProfileError> {
        let id = name(said.iter().filter(|said| said.name == "id"), |one, other| one == other, "id")?;
        let of =
            |field: &str| name(said.iter().filter(|said| map.field(&said.name) == field), is_same, field);
        Ok(Whom { id, login: of("login")?, email: of("email")? })
    }

    /// By what the account is looked for: the first of id, login and mail address that is said. `None` where
    /// none is.
    pub fn key(&self) -> Option<UserKey> {
        let names = [(By::Id, &self.id), (By::Login, &self.login), (By::Email, &self.email)];
        names.iter().find_map(|(by, text)| text.as_deref().map(|text| UserKey::new(*by, text)))
    }

    /// Whether the account has another login than is said.
    pub fn is_another_login(&self, details: &Value) -> bool {
        differs(self.login.as_deref(), text_at(details, "/profile/login"))
    }

    /// Whether the account has another mail address than is said.
    pub fn is_another_email(&self, details: &Value) -> bool {
        differs(self.email.as_deref(), text_at(details, "/profile/email"))
    }
}

fn differs(said: Option<&str>, is: &str) -> bool {
    said.is_some_and(|said| !is_same(said, is))
}

/// What the profile held before the change.
fn before(said: &[Said]) -> Result<Vec<Said>, ProfileError> {
    let mut all = Vec::new();
    for said in said.iter().filter(|said| said.name == OLD && !said.value.is_null()) {
        let old = said.value.as_object().ok_or_else(|| ProfileError::OfWhom(OLD.to_owned(), "object"))?;
        all.extend(old.iter().map(|(name, value)| Said { name: name.clone(), value: value.clone() }));
    }
    Ok(all)
}

fn name<'a>(
    said: impl Iterator<Item = &'a Said>,
    is_same: impl Fn(&str, &str) -> bool,
    field: &str,
) -> Result<Option<String>, ProfileError> {
    let mut found: Option<(&str, &str)> = None;
    for Said { name, value } in said.filter(|said| !said.value.is_null()) {
        let text = value.as_str().ok_or_else(|| ProfileError::OfWhom(name.clone(), "text"))?.trim();
        match found {
            _ if text.is_empty() => {}
            Some((first, known)) if !is_same(known, text) => {
                let (first, second) = (first.to_owned(), name.clone());
                return Err(ProfileError::Twice { first, second, field: field.to_owned() });
            }
            Some(_) => {}
            None => found = Some((name, text)),
        }
    }
    Ok(found.map(|(_, text)| text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::object;
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn whom(said: &str, when: When) -> Result<Whom, ProfileError> {
        Whom::of(&ProfileMap::shipped(), &object(said).unwrap(), when)
    }

    const ID: (By, &str) = (By::Id, "00u1");

    #[rstest]
    #[case(r#"{"email":"a@x","id":" 00u1 "}"#, Some(ID), Some(ID))]
    #[case(r#"{"email":"a@x","username":" ","id":null}"#, Some((By::Email, "a@x")), Some((By::Email, "a@x")))]
    #[case(r#"{"username":"a@x"}"#, Some((By::Login, "a@x")), Some((By::Login, "a@x")))]
    #[case(r#"{"login":"a@x","email":"b@x"}"#, Some((By::Login, "a@x")), Some((By::Login, "a@x")))]
    #[case(r#"{"email":"new@x","olduserdata":{"email":"old@x"}}"#, Some((By::Email, "new@x")), Some((By::Email, "old@x")))]
    #[case(r#"{"email":"new@x","olduserdata":{"username":"old@x"}}"#, Some((By::Email, "new@x")), Some((By::Login, "old@x")))]
    #[case(r#"{"username":"n@x","olduserdata":{"id":"00u1"}}"#, Some((By::Login, "n@x")), Some(ID))]
    #[case(r#"{"id":"00u1","olduserdata":{"email":"old@x"}}"#, Some(ID), Some(ID))]
    #[case(r#"{"email":"a@x","olduserdata":null}"#, Some((By::Email, "a@x")), Some((By::Email, "a@x")))]
    #[case(r#"{"login":"a@x","username":"A@X"}"#, Some((By::Login, "a@x")), Some((By::Login, "a@x")))]
    #[case(r#"{"surname":"A"}"#, None, None)]
    fn a_profile_means_one_user_by_one_name(
        #[case] said: &str,
        #[case] now: Option<(By, &str)>,
        #[case] before: Option<(By, &str)>,
    ) {
        for (when, expected) in [(When::Now, now), (When::BeforeTheChange, before)] {
            let key = whom(said, when).unwrap().key();
            assert_eq!(key, expected.map(|(by, text)| UserKey::new(by, text)), "{when:?}");
        }
    }

    #[rstest]
    #[case(r#"{"id":7,"email":"b@x"}"#, "`id` says whom the profile means, and is no text")]
    #[case(r#"{"login":["ann@x"],"email":"b@x"}"#, "`login` says")]
    #[case(r#"{"email":true}"#, "`email` says")]
    #[case(r#"{"username":"a@x","login":"b@x"}"#, "`username` and `login` both mean `login`")]
    #[case(r#"{"email":"a@x","email":"b@x"}"#, "`email` and `email` both mean `email`")]
    #[case(r#"{"id":"00ua","id":"00uA"}"#, "`id` and `id` both mean `id`")]
    fn what_is_no_name_or_two_is_refused(#[case] said: &str, #[case] phrase: &str) {
        for when in [When::Now, When::BeforeTheChange] {
            let error = whom(said, when).unwrap_err();
            assert!(error.to_string().contains(phrase) && !error.hint().is_empty(), "{error}");
        }
    }

    #[rstest]
    #[case(r#"{"email":"a@x","olduserdata":"b@x"}"#)]
    #[case(r#"{"email":"a@x","olduserdata":{"id":7}}"#)]
    #[case(r#"{"email":"a@x","olduserdata":{"login":"a","username":"b"}}"#)]
    fn what_was_before_is_held_to_the_same_where_it_is_asked_for(#[case] said: &str) {
        assert!(whom(said, When::BeforeTheChange).is_err());
        assert!(whom(said, When::Now).is_ok());
    }

    #[rstest]
    #[case(r#"{"login":"ANN@x","email":"mail@X"}"#, false, false)]
    #[case(r#"{"login":"bob@x"}"#, true, false)]
    #[case(r#"{"email":"ann@x"}"#, false, true)]
    #[case("{}", false, false)]
    fn an_account_may_be_another_than_is_said(#[case] said: &str, #[case] login: bool, #[case] email: bool) {
        let user = json!({"id": "00u1", "profile": {"login": "ann@x", "email": "mail@x"}});
        let whom = whom(said, When::Now).unwrap();
        assert_eq!((whom.is_another_login(&user), whom.is_another_email(&user)), (login, email));
    }
}
