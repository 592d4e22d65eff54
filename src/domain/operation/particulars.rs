//! What an operation is told beside whom it is on.

use super::{GROUP, LINK, Operation};
use crate::domain::Untrusted;
use std::collections::BTreeMap;

/// Who gets the one-time link that Okta makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// Okta mails it to the user.
    #[default]
    Mailed,
    /// Whoever runs the operation gets it, once.
    Handed,
}

/// Which account an operation is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Whom {
    /// One that was read.
    #[default]
    Read,
    /// The one that the step before makes: its id is not known yet.
    Made,
}

/// A group as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRef {
    /// Its id.
    pub id: String,
    /// Its name, as it came.
    pub name: Untrusted,
    /// `OKTA_GROUP`, `APP_GROUP`, `BUILT_IN`: only the first can be changed.
    pub kind: Untrusted,
}

impl GroupRef {
    /// ``group `Lisbon` is 00g2 by now, not 00g1``: what was asked for led to another one before.
    pub fn instead_of(&self, inputs: &BTreeMap<String, String>, was: &str) -> String {
        let asked = Particulars::group_asked(inputs).map(Untrusted::from);
        let asked = asked.as_ref().unwrap_or(&self.name);
        format!(
            "group `{asked}` is {} by now, not {}",
            Untrusted::from(self.id.as_str()),
            Untrusted::from(was)
        )
    }
}

/// What an operation is told beside whom it is on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Particulars {
    /// The group, where it is about one.
    pub group: Option<GroupRef>,
    /// Who gets the link, where one is made.
    pub delivery: Delivery,
    /// Which account it is on.
    pub whom: Whom,
}

impl Particulars {
    /// Which group is asked for, by id or name.
    pub fn group_asked(inputs: &BTreeMap<String, String>) -> Option<&str> {
        inputs.get(GROUP).map(|group| group.trim()).filter(|group| !group.is_empty())
    }

    /// Who is to get the link; the error is what was given instead of yes or no.
    pub fn delivery_asked(inputs: &BTreeMap<String, String>) -> Result<Delivery, &str> {
        match inputs.get(LINK).map(|text| text.trim()) {
            None | Some("false") => Ok(Delivery::Mailed),
            Some("true") => Ok(Delivery::Handed),
            Some(other) => Err(other),
        }
    }

    /// What an operation does, in words that name its particulars.
    pub fn verb(&self, operation: Operation, verb: &str) -> String {
        match (operation, &self.group, self.delivery) {
            (Operation::AddToGroup, Some(group), _) => format!("add to the Okta group `{}`", group.name),
            (Operation::RemoveFromGroup, Some(group), _) => {
                format!("remove from the Okta group `{}`", group.name)
            }
            (operation, _, Delivery::Mailed) if operation.makes_link() => {
                format!("{verb} (the link is mailed to the user)")
            }
            (operation, _, Delivery::Handed) if operation.makes_link() => {
                format!("{verb} (the link is handed to you)")
            }
            _ => verb.to_owned(),
        }
    }
}
