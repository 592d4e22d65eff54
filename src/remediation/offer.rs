//! What is offered for a person: the flows that fit, and the page of those that only open one.
//!
//! Everything is read now, as for a plan: a flow acts on one of the person's accounts, and the page is
//! the one that the finding's own event names.

use super::about::{About, Person};
use super::fit::{self, Pages};
use super::{Ask, Desk, PlanError};
use crate::domain::plan::{Fit, WebPage};
use crate::domain::{EventId, FindingId, Login, Route};

/// Every flow for a person, with what it would act on or open.
///
/// # Errors
/// If the finding or its event cannot be read.
pub async fn offers(
    desk: &Desk,
    login: &Login,
    finding: Option<FindingId>,
    event: Option<EventId>,
) -> Result<Vec<Fit>, PlanError> {
    let about = About::load(desk, login, finding, event).await?;
    let person = Person::load(desk, login, about.ispm_record()).await;
    let mut fits = fit::fits(&desk.flows, about.check(), &person.subject, &pages(&about, &person));
    // Who is there already is not made once more.
    fits.retain(|fit| !fit.flow.creates());
    Ok(fits)
}

/// The page that a flow opens; `None` for a flow that runs something.
///
/// # Errors
/// [`PlanError`] where there is no such flow, or no page that is known.
pub async fn page(desk: &Desk, ask: &Ask) -> Result<Option<WebPage>, PlanError> {
    let flow = desk.flow(&ask.flow).ok_or_else(|| PlanError::NoSuchFlow(ask.flow.clone()))?;
    if flow.route != Route::Open {
        return Ok(None);
    }
    let about = About::load(desk, &ask.login, ask.finding, ask.event).await?;
    let person = Person::load(desk, &ask.login, about.ispm_record()).await;
    let page = fit::page(flow, &pages(&about, &person));
    page.map(Some).map_err(|reason| PlanError::DoesNotFit {
        flow: flow.id.clone(),
        login: ask.login.clone(),
        reason,
    })
}

fn pages(about: &About, person: &Person) -> Pages {
    Pages { finding: about.reference_url().cloned(), person: person.reference_url().cloned() }
}
