//! The groups of the Okta account that is acted on, where `[guard] protected` names a group: Cisco Identity
//! Intelligence knows groups of its own, and may not be configured.

use super::Desk;
use super::guard;
use crate::domain::Untrusted;
use crate::domain::dossier::OktaUser;
use crate::domain::flow::Product;
use crate::domain::look_up::{is_user, text_at};
use crate::domain::subject::{ProviderAccount, Subject};

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

/// Asks for them, where it matters: also for those of others whom it may act on.
pub(super) async fn okta_groups(
    desk: &Desk,
    (user, chosen): (Option<&OktaUser>, Option<&ProviderAccount>),
    subject: &Subject,
    others: &[String],
) -> OktaGroups {
    if !guard::names_groups(&desk.guard) {
        return OktaGroups::NotAsked;
    }
    let Some(org) = &desk.org else { return OktaGroups::NotAsked };
    let is_okta = |it: &&ProviderAccount| it.product() == Some(Product::Okta);
    let of = |account: &ProviderAccount| account.user_id.raw().to_owned();
    let acted_on = user.map(|user| user.id.raw().to_owned()).or_else(|| chosen.filter(is_okta).map(of));
    let mut ids: Vec<String> = match acted_on {
        Some(id) => vec![id],
        // Where something else of theirs is acted on, any of them may say that they are protected.
        None => subject.accounts.iter().filter(is_okta).map(of).collect(),
    };
    if ids.is_empty() {
        match org.user_of(subject.login.raw()).await {
            Ok(details) if is_user(&details, subject.login.raw()) => {
                ids.push(text_at(&details, "/id").to_owned());
            }
            // Who has no account there is in no group there.
            Ok(_) => {}
            Err(problem) if problem.says_nobody() => {}
            Err(_) => return OktaGroups::Unread,
        }
    }
    ids.extend(others.iter().filter(|id| !ids.contains(id)).cloned().collect::<Vec<_>>());
    let mut names = Vec::new();
    for id in &ids {
        let Ok(groups) = org.groups_of_user(id).await else { return OktaGroups::Unread };
        // By its id as well: a group may be protected by that.
        let named = ["/profile/name", "/id"].map(|at| groups.iter().map(move |group| text_at(group, at)));
        names.extend(named.into_iter().flatten().map(Untrusted::from));
    }
    OktaGroups::Read(names)
}
