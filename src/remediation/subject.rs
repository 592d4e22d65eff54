//! A dossier as the names and accounts that a flow may act on.

use super::protection::OktaGroups;
use crate::domain::dossier::{EndUser, EndUserDetails, OktaUser, Part, ProviderRecord};
use crate::domain::flow::EntityKind;
use crate::domain::payload;
use crate::domain::subject::{Entity, ProviderAccount, Subject};
use crate::domain::{Login, Untrusted};
use std::collections::BTreeSet;

/// The subject of a login, from what was read of them and from the ISPM record behind the finding,
/// where there is one ([`crate::domain::event::EventDetail::ispm_record`]). It knows the account it is about
/// better than CII does: for its product, that account is taken. A person's accounts are known to both.
pub fn subject(login: &Login, details: Option<&Part<EndUser>>, ispm_record: Option<&str>) -> Subject {
    let user = details.and_then(|part| part.data.as_ref());
    let mut accounts: Vec<ProviderAccount> = user
        .map(|user| user.provider_end_user_details.iter().filter_map(account).collect())
        .unwrap_or_default();
    let listed = accounts.clone();
    let accounts_unknown = if accounts.is_empty() { unknown(details) } else { None };
    let entity = ispm_record.and_then(|raw| entity(login, raw));
    if let Some(entity) = &entity {
        add_accounts(&mut accounts, entity);
    }
    let details = user.map(|user| &user.end_user_details);
    Subject {
        login: login.clone(),
        entity,
        cii_id: details.map(|details| details.id.clone()).filter(|id| !id.is_blank()),
        accounts,
        listed,
        accounts_unknown,
        last_login: details.and_then(|d| d.last_sign_in.as_ref()).and_then(|sign_in| sign_in.timestamp),
    }
}

/// What a record is about. One whose login is another's says that much, and names no account of this one.
fn entity(login: &Login, raw: &str) -> Option<Entity> {
    let (of, mut entity) = payload::record_entity(raw)?;
    if of != *login {
        entity.accounts.clear();
    }
    Some(entity)
}

fn add_accounts(accounts: &mut Vec<ProviderAccount>, entity: &Entity) {
    let is_person = entity.kind() == Some(EntityKind::User);
    for named in &entity.accounts {
        if is_person && accounts.iter().any(|known| is_one(known, named)) {
            continue;
        }
        let product = named.product();
        accounts.retain(|other| is_person || product.is_none() || other.product() != product);
        accounts.push(named.clone());
    }
}

/// Whether the issue names an account that is known, by its id or by the login that stands for it there.
pub(super) fn is_one(known: &ProviderAccount, named: &ProviderAccount) -> bool {
    let is_its_login = known.login == Login::new(named.user_id.raw());
    known.is_same(named) || (is_its_login && known.product().is_some() && known.product() == named.product())
}

/// A record without an id is no account: there is nothing in it to act on.
fn account(record: &ProviderRecord) -> Option<ProviderAccount> {
    (!record.user_id.is_blank()).then(|| ProviderAccount {
        provider: record.provider.clone(),
        user_id: record.user_id.clone(),
        login: record.login.clone(),
    })
}

fn unknown(details: Option<&Part<EndUser>>) -> Option<String> {
    match details {
        None => Some("Cisco Identity Intelligence was not read".to_owned()),
        Some(part) => part.problems.first().map(|problem| problem.line()),
    }
}

/// Whether somebody was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// They were.
    Yes,
    /// They are not configured.
    No,
}

/// Every name that a subject is known by, folded, `group:` before each of their groups and
/// `classification:` before their class: what the protected names are compared with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    names: BTreeSet<String>,
    /// Whether the groups could be read, all of them, by everybody who knows some.
    pub groups_known: bool,
    /// Whether the classification could be read.
    pub class_known: bool,
    /// Whether the other logins and addresses of the same person could be read, all of them.
    pub aliases_known: bool,
}

/// Where `getEndUser` names the groups.
const GROUPS: &[&[&str]] = &[&["getEndUser", "endUserDetails", "groupNames"]];

/// Where `getEndUser` says of what class they are.
const CLASS: &[&[&str]] = &[&["getEndUser", "endUserDetails", "userTypeClassification"]];

/// Where `getEndUser` names the same person.
const ALIASES: &[&[&str]] = &[
    &["getEndUser", "endUserDetails", "linkedEndUserLogins"],
    &["getEndUser", "endUserDetails", "emails"],
    &["getEndUser", "providerEndUserDetails", "login"],
    &["getEndUser", "providerEndUserDetails", "email"],
];

/// Whether an answer is whole at these places. A field that was not asked for, or that failed, comes as
/// an empty list like one that is empty; only the problems beside it tell.
fn came_whole(part: &Part<EndUser>, places: &[&[&str]]) -> bool {
    let has_details = |user: &EndUser| user.end_user_details != EndUserDetails::default();
    let is_hidden = |place: &&[&str]| part.problems.iter().any(|problem| problem.may_hide(place));
    part.data.as_ref().is_some_and(has_details) && !places.iter().any(is_hidden)
}

impl Names {
    /// The names of a subject.
    pub fn of(subject: &Subject, details: Option<&Part<EndUser>>, okta: Option<&OktaUser>) -> Names {
        let mut names = Names::default();
        names.add(subject.login.raw());
        subject.cii_id.iter().for_each(|id| names.add(id.raw()));
        // A flow that is told no id may act on another account than the issue names: neither may be protected.
        let named = subject.entity.iter().flat_map(|entity| &entity.accounts);
        for account in subject.accounts.iter().chain(named) {
            names.add(account.login.raw());
            names.add(account.user_id.raw());
        }
        if let Some(part) = details {
            names.add_details(part);
        }
        if let Some(okta) = okta {
            names.add(okta.id.raw());
            let texts = ["login", "email", "secondEmail"].map(|name| okta.profile_text(name));
            texts.iter().flatten().for_each(|text| names.add(text.raw()));
        }
        names
    }

    /// The names that need no reading: the login alone.
    pub fn of_login(login: &Login) -> Names {
        let mut names = Names::default();
        names.add(login.raw());
        names
    }

    /// Of an account that is not there yet: it has no other names, and is in no group.
    #[must_use]
    pub fn of_nobody(login: &Login) -> Names {
        Names { groups_known: true, class_known: true, aliases_known: true, ..Names::of_login(login) }
    }

    /// With the group that they are to be put into or taken out of: a protected one is left alone.
    #[must_use]
    pub fn with_group(mut self, group: Option<&Untrusted>) -> Names {
        group.into_iter().for_each(|group| self.add_group(group));
        self
    }

    /// With what Okta says of their groups. Where Cisco Identity Intelligence was asked too, both have to know.
    #[must_use]
    pub fn with_okta_groups(mut self, okta: OktaGroups, cii: Asked) -> Names {
        let by_cii = self.groups_known || cii == Asked::No;
        match okta {
            OktaGroups::NotAsked => {}
            OktaGroups::Unread => self.groups_known = false,
            OktaGroups::Read(groups) => {
                groups.iter().for_each(|group| self.add_group(group));
                self.groups_known = by_cii;
            }
        }
        self
    }

    fn add_details(&mut self, part: &Part<EndUser>) {
        self.groups_known = came_whole(part, GROUPS);
        self.class_known = came_whole(part, CLASS);
        self.aliases_known = came_whole(part, ALIASES);
        let Some(user) = &part.data else { return };
        let details = &user.end_user_details;
        self.add(details.login.raw());
        details.linked_end_user_logins.iter().for_each(|login| self.add(login.raw()));
        details.emails.iter().for_each(|mail| self.add(mail.raw()));
        details.group_names.iter().for_each(|group| self.add_group(group));
        if let Some(class) = &details.user_type_classification {
            self.add(&format!("classification:{}", class.raw().trim()));
        }
        for record in &user.provider_end_user_details {
            self.add(record.login.raw());
            record.email.iter().for_each(|mail| self.add(mail.raw()));
        }
    }

    /// With those of somebody else: what is not known of either is not known.
    #[must_use]
    pub(super) fn with(mut self, other: &Names) -> Names {
        self.names.extend(other.names.iter().cloned());
        self.groups_known &= other.groups_known;
        self.class_known &= other.class_known;
        self.aliases_known &= other.aliases_known;
        self
    }

    /// Whether it is one of them.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(Login::new(name).folded())
    }

    /// Whether one of them is this with a domain behind it.
    pub(super) fn has_short(&self, name: &str) -> bool {
        let begins = format!("{}@", Login::new(name).folded());
        self.names.range(begins.clone()..).next().is_some_and(|next| next.starts_with(&begins))
    }

    pub(super) fn add(&mut self, name: &str) {
        let folded = Login::new(name).folded().to_owned();
        if !folded.is_empty() {
            self.names.insert(folded);
        }
    }

    fn add_group(&mut self, group: &Untrusted) {
        self.add(&format!("group:{}", group.raw().trim()));
    }

    /// The names, folded.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dossier::Problem;
    use jiff::Timestamp;
    use rstest::rstest;
    use serde_json::json;

    fn details() -> Part<EndUser> {
        let user = json!({
            "endUserDetails": {"id": "c1", "login": "ann@example.com", "linkedEndUserLogins": ["Adm-Ann"],
                "emails": ["a@mail.example"], "groupNames": ["Admins"], "userTypeClassification": "Executive"},
            "providerEndUserDetails": [
                {"userId": "00u1", "provider": "OKTA", "login": "ann@okta.example"},
                {"userId": " ", "provider": "AZURE_AD", "login": "ann@aad.example"}]
        });
        Part::whole(Timestamp::UNIX_EPOCH, serde_json::from_value(user).unwrap())
    }

    #[test]
    fn accounts_are_the_records_with_an_id() {
        let subject = subject(&Login::new("ann@example.com"), Some(&details()), None);
        assert_eq!(subject.accounts.len(), 1);
        assert_eq!((subject.cii_id.unwrap().raw(), subject.accounts_unknown), ("c1", None));
    }

    #[test]
    fn a_record_of_the_login_overrules_its_product() {
        let raw = |name: &str| {
            json!({"issueTitle": "t", "entityIdInService": "00u9", "entityDisplayName": name,
                "entitySourceProductName": "Okta"})
            .to_string()
        };
        let of = |name: &str| {
            let subject = subject(&Login::new("ann@example.com"), Some(&details()), Some(&raw(name)));
            subject.accounts.iter().map(|account| account.user_id.raw().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(of("Ann@example.com"), ["00u9"]);
        assert_eq!(of("bob@example.com"), ["00u1"]);
    }

    fn accounts(record: serde_json::Value, details: Option<&Part<EndUser>>) -> Vec<String> {
        let subject = subject(&Login::new("ann@example.com"), details, Some(&record.to_string()));
        let shown = |account: &ProviderAccount| format!("{} {}", account.provider, account.user_id);
        subject.accounts.iter().map(shown).collect()
    }

    fn nested(entity: serde_json::Value) -> serde_json::Value {
        json!({"eventData": {"title": "t", "affectedEntity": entity}})
    }

    #[rstest]
    #[case("Account", &["Okta x-1"])]
    #[case("account", &["Okta x-1"])]
    #[case("", &["Okta x-1"])]
    #[case("OAuth Grant", &["OKTA 00u1"])]
    #[case("User", &["OKTA 00u1"])]
    #[case("Service Principal", &["OKTA 00u1"])]
    fn only_an_account_is_taken_for_one(#[case] kind: &str, #[case] expected: &[&str]) {
        let entity = json!({"type": kind, "identifierInService": "x-1", "sourceProductName": "Okta",
            "displayName": "ann@example.com"});
        assert_eq!(accounts(nested(entity), Some(&details())), expected);
        let flat = json!({"issueTitle": "t", "entityIdInService": "x-1", "entityType": kind,
            "entityDisplayName": "ann@example.com", "entitySourceProductName": "Okta"});
        assert_eq!(accounts(flat, Some(&details())), expected);
    }

    #[test]
    fn a_persons_accounts_are_those_that_say_which_they_are() {
        let active = json!([{"identifierInService": "00u9", "sourceProductName": "Okta"},
            {"idInService": "aad-1", "sourceProductName": "AAD"}, "ann@example.onmicrosoft.com",
            {"identifierInService": "x"}, {"sourceProductName": "Slack"}, 7,
            // Known by its id already.
            {"identifierInService": "ann@okta.example", "sourceProductName": "Okta"}]);
        let person = json!({"type": "User", "displayName": "ann@example.com",
            "additionalData": {"activeAccounts": active}});
        let record = nested(person).to_string();
        let subject = subject(&Login::new("ann@example.com"), Some(&details()), Some(&record));
        let shown = |account: &ProviderAccount| format!("{} {}", account.provider, account.user_id);
        let ids: Vec<String> = subject.accounts.iter().map(shown).collect();
        assert_eq!(ids, ["OKTA 00u1", "Okta 00u9", "AAD aad-1"]);
        assert_eq!(subject.entity.unwrap().unread, 4);
    }

    #[test]
    fn why_accounts_are_not_known_is_said() {
        let failed = Part::failed(Timestamp::UNIX_EPOCH, Problem::whole("timed out"));
        let why = |details| subject(&Login::new("ann"), details, None).accounts_unknown.unwrap();
        assert_eq!(why(Some(&failed)), "timed out");
        assert_eq!(why(None), "Cisco Identity Intelligence was not read");
    }

    #[test]
    fn every_name_is_known_folded() {
        let login = Login::new("Ann@Example.com");
        let okta: OktaUser =
            serde_json::from_value(json!({"id": "00U1", "profile": {"login": "Root@x", "email": "m@x"}}))
                .unwrap();
        let part = details();
        let subject = subject(&login, Some(&part), None);
        let names = Names::of(&subject, Some(&part), Some(&okta));
        let all: Vec<&str> = names.iter().collect();
        for name in [
            "ann@example.com",
            "adm-ann",
            "ann@okta.example",
            "ann@aad.example",
            "root@x",
            "group:admins",
            "classification:executive",
            "c1",
            "00u1",
        ] {
            assert!(all.contains(&name), "{name} in {all:?}");
        }
        assert!(names.groups_known && names.class_known && names.aliases_known);
        let unread = Names::of_login(&login);
        assert!(!unread.groups_known && !unread.aliases_known);
    }

    #[rstest]
    // Fewer fields were asked for, and so the whole operation is concerned.
    #[case(&["getEndUser"], false, false)]
    #[case(&["getEndUser", "endUserDetails"], false, false)]
    #[case(&["getEndUser", "endUserDetails", "groupNames"], false, true)]
    #[case(&["getEndUser", "endUserDetails", "linkedEndUserLogins"], true, false)]
    #[case(&["getEndUser", "providerEndUserDetails", "1", "email"], true, false)]
    #[case(&["getEndUser", "endUserDetails", "devices", "2"], true, true)]
    fn what_may_be_missing_is_not_known(
        #[case] path: &[&str],
        #[case] groups_known: bool,
        #[case] aliases_known: bool,
    ) {
        let path = path.iter().map(|step| (*step).to_owned()).collect();
        let mut part = details();
        part.problems.push(Problem { path, ..Problem::whole("failed") });
        let login = Login::new("ann@example.com");
        let names = Names::of(&subject(&login, Some(&part), None), Some(&part), None);
        assert_eq!((names.groups_known, names.aliases_known), (groups_known, aliases_known));
    }

    #[rstest]
    #[case::no_group_is_protected(true, OktaGroups::NotAsked, Asked::Yes, true)]
    #[case::neither_is_configured(false, OktaGroups::NotAsked, Asked::No, false)]
    #[case(false, OktaGroups::Read(vec!["Sales".into()]), Asked::No, true)]
    #[case(false, OktaGroups::Read(Vec::new()), Asked::Yes, false)]
    #[case(true, OktaGroups::Read(Vec::new()), Asked::Yes, true)]
    #[case(true, OktaGroups::Unread, Asked::Yes, false)]
    #[case(false, OktaGroups::Unread, Asked::No, false)]
    fn groups_are_known_where_all_who_know_some_were_read(
        #[case] by_cii: bool,
        #[case] okta: OktaGroups,
        #[case] cii: Asked,
        #[case] are_known: bool,
    ) {
        let names = Names { groups_known: by_cii, ..Names::of_login(&Login::new("ann")) };
        let has_sales = okta == OktaGroups::Read(vec!["Sales".into()]);
        let names = names.with_okta_groups(okta, cii);
        assert_eq!(names.groups_known, are_known);
        assert_eq!(names.iter().any(|name| name == "group:sales"), has_sales);
    }

    #[test]
    fn an_answer_without_details_knows_no_groups() {
        let part = Part::whole(Timestamp::UNIX_EPOCH, EndUser::default());
        let names = Names::of(&Subject::default(), Some(&part), None);
        assert!(!names.groups_known && !names.aliases_known);
    }
}
