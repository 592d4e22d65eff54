//! By which of their names somebody in Okta is meant. Login and mail address of an account may differ, and one
//! account's login may be another's mail address: whoever forgets which was said acts on somebody else.

use super::Login;
use super::look_up::{is_user, text_at};
use serde_json::Value;

/// Which of a user's names a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The id, as it is written: ids differ in case.
    Id,
    /// The whole login, in any case.
    Login,
    /// The mail address, in any case. Several users may have one.
    Email,
    /// An id or a whole login, else a mail address: what a person types.
    Any,
}

/// A text that means a user, without blanks around it, and which of their names it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserKey {
    by: By,
    text: String,
}

impl UserKey {
    /// This text as this name.
    pub fn new(by: By, text: &str) -> UserKey {
        UserKey { by, text: text.trim().to_owned() }
    }

    /// What a person types.
    pub fn any(text: &str) -> UserKey {
        UserKey::new(By::Any, text)
    }

    /// Which name it is.
    pub fn by(&self) -> By {
        self.by
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether an account has exactly this name.
    pub fn is(&self, details: &Value) -> bool {
        let is_at = |pointer| is_same(text_at(details, pointer), &self.text);
        match self.by {
            By::Id => text_at(details, "/id") == self.text,
            By::Login => is_at("/profile/login"),
            By::Email => is_at("/profile/email"),
            By::Any => is_user(details, &self.text),
        }
    }
}

/// Logins and mail addresses ignore case.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    Login::new(one) == Login::new(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(By::Id, "00uA", true)]
    #[case(By::Id, " 00uA ", true)]
    #[case(By::Id, "00ua", false)]
    #[case(By::Id, "ann@x", false)]
    #[case(By::Login, "ANN@x", true)]
    #[case(By::Login, "00uA", false)]
    #[case(By::Login, "mail@x", false)]
    #[case(By::Email, "Mail@X", true)]
    #[case(By::Email, "ann@x", false)]
    #[case(By::Any, "ann@x", true)]
    #[case(By::Any, "00uA", true)]
    #[case(By::Any, "mail@x", false)]
    fn a_name_is_one_of_them(#[case] by: By, #[case] text: &str, #[case] is: bool) {
        let user = json!({"id": "00uA", "profile": {"login": "Ann@x", "email": "mail@x"}});
        assert_eq!(UserKey::new(by, text).is(&user), is);
    }
}
