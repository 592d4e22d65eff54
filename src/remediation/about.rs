//! What a run is about, and whom it is on, read now.

use super::subject::subject;
use super::{Ask, Desk, PlanError};
use crate::domain::dossier::{EndUser, LoadedPart, Part, Problem};
use crate::domain::event::EventDetail;
use crate::domain::payload::Inputs;
use crate::domain::query::{Pattern, Query, Term, Test};
use crate::domain::subject::{ProviderAccount, Subject};
use crate::domain::{Check, CheckId, EventId, Finding, FindingId, Login, PartName, Untrusted};
use crate::store::From;

/// What the run is about: the finding and the event behind it.
pub(super) struct About {
    finding: Option<Finding>,
    event: Option<EventDetail>,
}

impl About {
    pub(super) async fn load(
        desk: &Desk,
        login: &Login,
        id: Option<FindingId>,
        of_event: Option<EventId>,
    ) -> Result<About, PlanError> {
        let finding = match id {
            Some(id) => Some(finding(desk, id, login).await?),
            None => None,
        };
        let check = finding.as_ref().map(|finding| &finding.check.id);
        let event = match (of_event, check) {
            (None, None) => None,
            (id, check) => event(desk, id, login, check).await?,
        };
        Ok(About { finding, event })
    }

    /// The event, where there is one.
    pub(super) fn event(&self) -> Option<EventId> {
        self.event.as_ref().map(|detail| detail.event.id)
    }

    /// The page that the event refers to.
    pub(super) fn reference_url(&self) -> Option<&Untrusted> {
        self.event.as_ref().and_then(|detail| detail.reference_url.as_ref())
    }

    pub(super) fn check(&self) -> Option<&Check> {
        let of_event = || self.event.as_ref().map(|detail| &detail.event.check);
        self.finding.as_ref().map(|finding| &finding.check).or_else(of_event)
    }

    pub(super) fn ispm_record(&self) -> Option<&str> {
        self.event.as_ref().and_then(EventDetail::ispm_record)
    }

    pub(super) fn inputs<'a>(
        &'a self,
        desk: &Desk,
        ask: &'a Ask,
        person: &'a Person,
        account: Option<&'a ProviderAccount>,
    ) -> Inputs<'a> {
        Inputs {
            action: ask.action,
            now: desk.now(),
            finding: self.finding.as_ref(),
            event: self.event.as_ref(),
            reference_url: person.reference_url(),
            subject: &person.subject,
            target: account,
            extra: &ask.inputs,
        }
    }
}

async fn finding(desk: &Desk, id: FindingId, login: &Login) -> Result<Finding, PlanError> {
    let finding = desk.store.finding(id).await?.ok_or(PlanError::NoSuchFinding(id))?;
    if finding.login != *login {
        return Err(PlanError::AnothersFinding { finding: id, of: finding.login, login: login.clone() });
    }
    Ok(finding)
}

/// The event asked for, or the newest; either way one that names the login, since its texts and its
/// record go into the body.
async fn event(
    desk: &Desk,
    id: Option<EventId>,
    login: &Login,
    check: Option<&CheckId>,
) -> Result<Option<EventDetail>, PlanError> {
    let from = id.map_or(From::Newest, |id| From::Before(EventId(id.0.saturating_add(1))));
    let page = desk.store.events(&naming(login, check), from, 1).await?;
    let found = page.rows.first().map(|event| event.id);
    match (id, found) {
        (Some(wanted), found) if found != Some(wanted) => {
            Err(PlanError::AnothersEvent { event: wanted, login: login.clone() })
        }
        (_, Some(found)) => Ok(desk.store.event(found).await?),
        (_, None) => Ok(None),
    }
}

fn naming(login: &Login, check: Option<&CheckId>) -> Query {
    let user = Test::User(Pattern::exactly(login.raw()));
    let check = check.map(|check| Test::Check(Pattern::exactly(check.raw())));
    let terms = [Some(user), check].into_iter().flatten().map(|test| Term { negated: false, test });
    Query { terms: terms.collect() }
}

/// Who is acted on, as the directory knows them now.
pub(super) struct Person {
    pub(super) details: Option<Part<EndUser>>,
    pub(super) subject: Subject,
}

impl Person {
    /// The page that Cisco Identity Intelligence names for them.
    pub(super) fn reference_url(&self) -> Option<&Untrusted> {
        let user = self.details.as_ref().and_then(|part| part.data.as_ref());
        user.and_then(|user| user.end_user_details.reference_url.as_ref())
    }

    /// Why nothing of them could be read, where somebody was asked and did not say that there is nobody.
    pub(super) fn unread(&self) -> Option<String> {
        let part = self.details.as_ref().filter(|part| part.data.is_none())?;
        part.problems.iter().find(|problem| !problem.says_nobody()).map(Problem::line)
    }

    /// Whose account is not there yet: nothing is known of them.
    pub(super) fn nobody(login: &Login) -> Person {
        Person { details: None, subject: subject(login, None, None) }
    }

    pub(super) async fn load(desk: &Desk, login: &Login, ispm_record: Option<&str>) -> Person {
        let details = details(desk, login).await;
        let mut subject = subject(login, details.as_ref(), ispm_record);
        if details.is_none() && subject.accounts_unknown.is_some() {
            subject.accounts_unknown = Some("Cisco Identity Intelligence is not configured".to_owned());
        }
        Person { details, subject }
    }
}

async fn details(desk: &Desk, login: &Login) -> Option<Part<EndUser>> {
    if !desk.directory.parts().contains(&PartName::CiiDetails) {
        return None;
    }
    match desk.directory.part(PartName::CiiDetails, login).await {
        LoadedPart::CiiDetails(part) => Some(*part),
        _ => None,
    }
}
