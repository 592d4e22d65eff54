//! An Okta org as whoever looks something up in it sees it: users, groups, applications, as they came.

use crate::domain::dossier::Problem;
pub use crate::domain::look_up::Assignment;
use async_trait::async_trait;
use serde_json::Value;
use std::fmt;

/// Reads one Okta org. What comes is kept as it came: properties may be added at any time.
#[async_trait]
pub trait OktaOrg: Send + Sync + fmt::Debug {
    /// The one user of an id or a login, with what is legal now.
    async fn user_of(&self, id_or_login: &str) -> Result<Value, Problem>;

    /// Every user who has exactly this mail address: several may.
    async fn users_of_email(&self, email: &str) -> Result<Vec<Value>, Problem>;

    /// The applications whose name or label begins so, at most so many.
    async fn apps(&self, begins: Option<&str>, most: usize) -> Result<Vec<Value>, Problem>;

    /// The applications that are assigned to a user, all of them.
    async fn apps_of_user(&self, user: &str) -> Result<Vec<Value>, Problem>;

    /// The administrator roles that a user has, their groups' among them.
    async fn roles_of_user(&self, user: &str) -> Result<Vec<Value>, Problem>;

    /// The groups that a user is in, all of them.
    async fn groups_of_user(&self, user: &str) -> Result<Vec<Value>, Problem>;

    /// The factors of a user, as far as the policy for whoever asks shows them.
    async fn factors_of_user(&self, user: &str) -> Result<Vec<Value>, Problem>;

    /// Whether an application is assigned to a user.
    async fn assignment(&self, app: &str, user: &str) -> Result<Assignment, Problem>;

    /// The group of an id.
    async fn group(&self, id: &str) -> Result<Value, Problem>;

    /// The groups whose name begins so.
    async fn groups_beginning(&self, name: &str) -> Result<Vec<Value>, Problem>;

    /// The schema of the default type of user: its base and custom attributes.
    async fn user_schema(&self) -> Result<Value, Problem>;

    /// The members of a group, all of them.
    async fn members(&self, group: &str) -> Result<Vec<Value>, Problem>;
}
