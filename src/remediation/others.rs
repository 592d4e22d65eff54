//! Whom a run acts on, or may act on, besides the person of the finding.
//!
//! An id comes from a record that may be wrong, and a flow that is handed a record reads of it what it likes. So
//! the account that Okta shows under another login, and everybody whom such a record names, are asked after as
//! the person themselves is: they are protected, or administrators, in their own right.

use super::about::Person;
use super::doubts;
use super::fit::Handed;
use super::sight::Reading;
use super::subject::{Names, subject};
use super::{Desk, blast};
use crate::domain::dossier::OktaUser;
use crate::domain::flow::EntityKind;
use crate::domain::payload::{Named, record_named};
use crate::domain::subject::ProviderAccount;
use crate::domain::{Login, PartName, Untrusted};
use futures_util::future::join_all;

/// So many of the reasons are said.
const SAID: usize = 3;

/// Somebody else.
pub(super) struct Other {
    /// As Okta has them.
    pub(super) user: OktaUser,
    /// As Cisco Identity Intelligence knows the login that Okta shows.
    pub(super) person: Person,
    /// What the record calls them; `None` for the target itself.
    by: Option<Untrusted>,
}

/// All of them.
#[derive(Default)]
pub(super) struct Others {
    /// Those who were found.
    pub(super) met: Vec<Other>,
    /// Whatever a record that goes to the flow calls anybody.
    texts: Vec<Untrusted>,
    /// Why it cannot be told who else it may be.
    untold: Vec<String>,
}

/// What says whom a run may act on.
pub(super) struct Seen<'a> {
    pub(super) handed: Handed,
    /// The record behind the run.
    pub(super) record: Option<&'a str>,
    /// What the flow is sent.
    pub(super) body: &'a str,
    pub(super) person: &'a Person,
    pub(super) account: Option<&'a ProviderAccount>,
    pub(super) reading: &'a Reading,
}

impl Seen<'_> {
    /// By what the flow could take somebody, besides the account that was read. Where it acts on an account, the
    /// other ids of a record that goes on as it came: which of them it reads is its own.
    fn named(&self) -> Vec<Named> {
        let Some(record) = self.record else { return Vec::new() };
        let all = record_named(record).into_iter();
        match self.handed {
            Handed::Whole => all.collect(),
            Handed::Account if self.body == record => {
                let chosen = self.account.map(|account| account.user_id.raw().trim());
                all.filter(|named| named.is_id && Some(named.text.raw()) != chosen).collect()
            }
            Handed::Account => Vec::new(),
        }
    }

    /// What a record calls a grant is a grant's, and so need not be anybody's.
    fn is_of_grant(&self) -> bool {
        let entity = self.person.subject.entity.as_ref();
        entity.is_some_and(|entity| entity.kind() == Some(EntityKind::OauthGrant))
    }
}

/// Reads them all.
pub(super) async fn read(desk: &Desk, seen: &Seen<'_>) -> Others {
    let named = seen.named();
    let mut others =
        Others { texts: named.iter().map(|named| named.text.clone()).collect(), ..Others::default() };
    let mut found: Vec<(OktaUser, Option<Untrusted>)> = Vec::new();
    if let (Some(user), Some(_)) = (&seen.reading.user, doubts::strange_login(seen.person, seen.reading)) {
        found.push((user.clone(), None));
    }
    if seen.handed == Handed::Whole && !seen.is_of_grant() && !named.iter().any(|it| it.is_somebodys) {
        others.untold.push("the issue names no account".to_owned());
    }
    let known = own_names(seen.person);
    let is_asked = |it: &&Named| {
        let may_be_login = it.is_somebodys || !it.text.raw().contains(char::is_whitespace);
        may_be_login && !known.has(it.text.raw())
    };
    let asked: Vec<&Named> = named.iter().filter(is_asked).collect();
    if asked.len() > blast::MOST_NAMED {
        let why = format!("the issue names {}, more than are looked up", asked.len());
        others.untold.push(why);
    }
    for (user, by) in looked_up(desk, seen, &asked, &mut others.untold).await {
        let is_new = found.iter().all(|(other, _)| other.id != user.id);
        if is_new && !known.has(login_of(&user).raw()) {
            found.push((user, Some(by)));
        }
    }
    others.met = join_all(found.into_iter().map(|(user, by)| async {
        let person = Person::load(desk, &login_of(&user), None).await;
        Other { user, person, by }
    }))
    .await;
    others
}

/// Whoever of them has an account in Okta; why it cannot be told of the others.
async fn looked_up(
    desk: &Desk,
    seen: &Seen<'_>,
    asked: &[&Named],
    untold: &mut Vec<String>,
) -> Vec<(OktaUser, Untrusted)> {
    let mut found = Vec::new();
    let is_asked = desk.directory.parts().contains(&PartName::Okta);
    if !is_asked {
        let whom = asked.iter().find(|named| named.is_somebodys);
        untold.extend(whom.map(|named| format!("who `{}` is: Okta is not configured", named.text)));
        return found;
    }
    let asked: Vec<&&Named> = asked.iter().take(blast::MOST_NAMED).collect();
    let parts = join_all(asked.iter().map(|named| desk.directory.okta_user(named.text.raw()))).await;
    for (named, part) in asked.iter().zip(parts) {
        let is_anybodys = !named.is_somebodys || (named.is_id && seen.is_of_grant());
        let is_nobody = part.is_of_nobody();
        let why = part.problems.first().map(|problem| problem.line());
        match part.data {
            Some(user) if !user.id.is_blank() && !login_of(&user).is_empty() => {
                found.push((user, named.text.clone()));
            }
            None if is_nobody && is_anybodys => {}
            None if is_nobody => untold.push(format!("`{}` is no account of this Okta org", named.text)),
            _ => {
                let why = why.unwrap_or_else(|| "Okta answered without a login".to_owned());
                untold.push(format!("who `{}` is: {why}", named.text));
            }
        }
    }
    found
}

fn login_of(user: &OktaUser) -> Login {
    user.profile_text("login").map(|login| Login::new(login.raw())).unwrap_or_default()
}

/// The names of the finding's person that the record has no part in.
pub(super) fn own_names(person: &Person) -> Names {
    let details = person.details.as_ref();
    Names::of(&subject(&person.subject.login, details, None), details, None)
}

impl Others {
    /// These names with theirs: whoever is acted on must not be protected, whichever of them it is.
    pub(super) fn added_to(&self, mut names: Names) -> Names {
        self.texts.iter().for_each(|text| names.add(text.raw()));
        for Other { user, person, .. } in &self.met {
            names = names.with(&Names::of(&person.subject, person.details.as_ref(), Some(user)));
        }
        names
    }

    /// The ids of their accounts in Okta.
    pub(super) fn ids(&self) -> Vec<String> {
        self.met.iter().map(|other| other.user.id.raw().to_owned()).collect()
    }

    /// Whose account it is, where it is just one's.
    pub(super) fn one(&self) -> Option<&Other> {
        if let [other] = self.met.as_slice() { Some(other) } else { None }
    }

    /// The login that a confirmation is of: the account's.
    pub(super) fn login(&self) -> Option<Login> {
        self.one().map(|other| login_of(&other.user))
    }

    /// Why it cannot be told whom a flow acts on, if so.
    pub(super) fn untold(&self) -> Option<String> {
        let said = self.untold.iter().take(SAID).cloned().collect::<Vec<_>>().join("; ");
        (!said.is_empty()).then_some(said)
    }

    /// That the record names somebody else.
    pub(super) fn doubt(&self, login: &Login) -> Option<String> {
        let said = |other: &Other| {
            let by = other.by.as_ref()?;
            Some(format!("`{by}` is `{}` in Okta", login_of(&other.user)))
        };
        let said: Vec<String> = self.met.iter().filter_map(said).take(SAID).collect();
        (!said.is_empty()).then(|| {
            format!("the issue goes to the flow and names others than `{login}`: {}", said.join(", "))
        })
    }
}
