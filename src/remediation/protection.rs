//! The groups of the Okta account that is acted on, where `[guard] protected` names a group: Cisco Identity
//! Intelligence knows groups of its own, and may not be configured.

use super::Desk;
use super::guard;
use crate::domain::Untrusted;
use crate::domain::dossier::OktaUser;
use crate::domain::flow::Product;
use crate::domain::look_up::{is_user, text_at};
use crate::domain::subject::Subject;

/// What Okta says of somebody's groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OktaGroups {
    /// It was not asked: no group is protected, or there is no org.
    NotAsked,
    /// These, all of them.
    Read(Vec<Untrusted>),
    /// They cannot be read.
    Unread,
}

/// Asks for them, where it matters.
pub(super) async fn okta_groups(desk: &Desk, user: Option<&OktaUser>, subject: &Subject) -> OktaGroups {
    if !guard::names_groups(&desk.guard) {
        return OktaGroups::NotAsked;
    }
    let Some(org) = &desk.org else { return OktaGroups::NotAsked };
    let of_product = || {
        let okta =
            subject.accounts.iter().find(|it| Product::parse(it.provider.raw()) == Some(Product::Okta));
        okta.map(|account| account.user_id.raw().to_owned())
    };
    let id = match user.map(|user| user.id.raw().to_owned()).or_else(of_product) {
        Some(id) => id,
        None => match org.user_of(subject.login.raw()).await {
            Ok(details) if is_user(&details, subject.login.raw()) => text_at(&details, "/id").to_owned(),
            // Who has no account there is in no group there.
            Ok(_) => return OktaGroups::Read(Vec::new()),
            Err(problem) if problem.says_nobody() => return OktaGroups::Read(Vec::new()),
            Err(_) => return OktaGroups::Unread,
        },
    };
    match org.groups_of_user(&id).await {
        Ok(groups) => {
            let names = groups.iter().map(|group| Untrusted::from(text_at(group, "/profile/name")));
            OktaGroups::Read(names.collect())
        }
        Err(_) => OktaGroups::Unread,
    }
}
