//! Looking something up in an Okta org: what is asked, and what came, as it came.

use super::dossier::Problem;
use super::iam_configuration::{ConfigurationChange, Entries};
use super::profile::Attribute;
use super::{Login, Untrusted};
use serde_json::Value;

/// What is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookUp {
    /// One user, by id, login or mail address.
    User(String),
    /// The applications of the org, or those that begin so.
    Apps(Option<String>),
    /// The applications that are assigned to a user.
    AppsOfUser(String),
    /// Whether an application is assigned to a user.
    Assignment {
        /// The application's id.
        app: String,
        /// The user, by id, login or mail address.
        user: String,
    },
    /// One group with its members, by id or by its exact name.
    Group(String),
    /// What a profile holds, and by which names each field may be said.
    Fields,
    /// The IAM configuration of the store, and the filter that is made of it.
    Configuration,
    /// What laying these entries over it would come to.
    ConfigurationChange(Entries),
}

impl LookUp {
    /// A few words for the way here.
    pub fn crumb(&self) -> &'static str {
        match self {
            LookUp::User(_) => "Okta user",
            LookUp::Apps(_) => "Okta applications",
            LookUp::AppsOfUser(_) => "applications of a user",
            LookUp::Assignment { .. } => "assignment",
            LookUp::Group(_) => "Okta group",
            LookUp::Fields => "profile fields",
            LookUp::Configuration | LookUp::ConfigurationChange(_) => "IAM configuration",
        }
    }

    /// The question in words; texts in it are as they were typed.
    pub fn title(&self) -> String {
        match self {
            LookUp::User(key) => format!("the Okta user `{key}`"),
            LookUp::Apps(None) => "the applications of the org".to_owned(),
            LookUp::Apps(Some(begins)) => format!("the applications that begin with `{begins}`"),
            LookUp::AppsOfUser(key) => format!("the applications of `{key}`"),
            LookUp::Assignment { app, user } => format!("application `{app}` and user `{user}`"),
            LookUp::Group(key) => format!("the group `{key}`"),
            LookUp::Fields => "the fields of a profile".to_owned(),
            LookUp::Configuration => "the IAM configuration of the store".to_owned(),
            LookUp::ConfigurationChange(_) => "what would change in the IAM configuration".to_owned(),
        }
    }
}

/// What came.
#[derive(Debug, Clone, PartialEq)]
pub enum LookedUp {
    /// The one user.
    User(Value),
    /// Those who may be meant, and why none of them is taken.
    Users(String, Vec<Value>),
    /// Applications of the org.
    Apps {
        /// At most as many as are held.
        apps: Vec<Value>,
        /// Whether there are more than these.
        has_more: bool,
    },
    /// The applications of one user, all of them.
    AppsOfUser {
        /// Whose.
        user: Value,
        /// Those that are assigned.
        apps: Vec<Value>,
    },
    /// How an application and a user stand to each other.
    Assignment {
        /// The user.
        user: Value,
        /// How.
        stands: Assignment,
    },
    /// The one group.
    Group {
        /// The group.
        group: Value,
        /// Its members, all of them, or why they cannot be read.
        members: Result<Vec<Value>, Problem>,
    },
    /// Groups that may be meant, and why none of them is taken.
    Groups(String, Vec<Value>),
    /// The fields of a profile.
    Fields(Vec<Attribute>),
    /// The IAM configuration.
    Configuration {
        /// Its entries.
        entries: Vec<Value>,
        /// The filter of the System Log that is made of it; none where no application is named.
        filter: Option<String>,
    },
    /// A change of it that is not made yet.
    ConfigurationChange(ConfigurationChange),
}

/// How an application and a user stand to each other.
#[derive(Debug, Clone, PartialEq)]
pub enum Assignment {
    /// It is assigned: the user as the application sees them.
    Assigned(Value),
    /// Both are there, and it is not assigned.
    NotAssigned,
    /// There is no such user.
    NoSuchUser,
    /// There is no such application.
    NoSuchApp,
}

/// A text within what came; empty where there is none.
pub fn text_at<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a user's id or whole login is just this; logins ignore case.
pub fn is_user(details: &Value, key: &str) -> bool {
    text_at(details, "/id") == key || Login::new(text_at(details, "/profile/login")) == Login::new(key)
}

/// Who is listed and could do something: a deactivated one stays a member in Okta, and can do nothing.
pub fn is_deactivated(user: &Value) -> bool {
    text_at(user, "/status") == "DEPROVISIONED"
}

/// That no user is meant by a text, as something that went wrong.
pub fn nobody(key: &str) -> Problem {
    let message = format!("Okta knows no user `{}`", Untrusted::from(key));
    Problem { hint: Some("a whole login, a mail address or an id".to_owned()), ..Problem::whole(message) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_user_is_meant_by_the_id_or_the_whole_login() {
        let user = json!({"id": "00u1", "profile": {"login": "Jo@example.com"}});
        assert!(is_user(&user, "00u1") && is_user(&user, "jo@EXAMPLE.com"));
        assert!(!is_user(&user, "jo") && !is_user(&user, "00U1"));
    }
}
